// SPDX-License-Identifier: Apache-2.0
// rollcall serve, init, config check.
#include "app/admin_client.hpp"
#include "app/help.hpp"
#include "app/instance.hpp"
#include "app/print.hpp"
#include "app/serve.hpp"
#include "app/serve_options.hpp"

#include <filesystem>
#include <ostream>
#include <unistd.h>

namespace rollcall::app {

namespace {

Result<Exit> run(const Invocation& call) {
    TRY(const Settings settings, settings_of(call));
    return serve(settings, call.io());
}

Result<Exit> init(const Invocation& call) {
    std::optional<ScopeId> wanted;
    if (const auto scope = call.maybe("--scope")) {
        TRY(wanted, parse_scope_id(*scope));
    }
    const SystemClock clock;
    SystemEntropy entropy;
    Metrics metrics;
    TRY(const auto instance,
        Instance::open(data_directory_of(call.globals()), wanted, metrics, clock, entropy));
    service::Access access{instance->store(), instance->store(), clock, entropy};
    TRY([[maybe_unused]] const bool made, instance->keep_admin_token(access));
    const json::value record = json::object{{"data", instance->path().string()},
                                            {"scopeId", instance->scope().str()},
                                            {"adminToken", instance->admin_token().string()}};
    if (call.globals().json) {
        print_json(call.io().out, record);
    } else {
        print_fields(call.io().out, {{"data directory", shown(record, "data")},
                                     {"scope", shown(record, "scopeId")},
                                     {"administrator's token", shown(record, "adminToken")}});
        call.io().err << "Next: rollcall serve --data " << instance->path().string() << '\n';
    }
    return Exit::done;
}

/// A directory that is there must be ours; one that is not must be possible to make.
Result<Done> check_data(const std::filesystem::path& data) {
    std::error_code failed;
    if (std::filesystem::exists(data, failed)) {
        if (!std::filesystem::is_directory(data, failed)) {
            return Error{.kind = ErrorKind::conflict,
                         .detail = "data " + data.string() + " is not a directory"};
        }
        if (::access(data.c_str(), R_OK | W_OK | X_OK) != 0) {
            return Error{.kind = ErrorKind::forbidden,
                         .detail = "data " + data.string() + " cannot be written by this user"};
        }
        return Done{};
    }
    auto above = std::filesystem::absolute(data).parent_path();
    while (!std::filesystem::exists(above, failed) && above != above.parent_path()) {
        above = above.parent_path();
    }
    if (::access(above.c_str(), W_OK | X_OK) != 0) {
        return Error{.kind = ErrorKind::forbidden,
                     .detail = "data " + data.string() + " cannot be made by this user"};
    }
    return Done{};
}

std::string at(const std::optional<net::ListenAddress>& address) {
    return address ? address->str() : "off";
}

Result<Exit> check(const Invocation& call) {
    TRY(const Settings settings, settings_of(call));
    const auto certificate_names = given_certificate_names(settings);
    const auto data = check_data(settings.data);
    std::vector<std::string> problems;
    if (!certificate_names) {
        problems.push_back(certificate_names.error().detail);
    }
    if (!data) {
        problems.push_back(data.error().detail);
    }
    if (!problems.empty()) {
        return Error{.kind = ErrorKind::malformed,
                     .detail = "the configuration has problems:\n  " + joined(problems, "\n  ")};
    }
    const json::value record =
        json::object{{"data", settings.data.string()},
                     {"deviceHttps", at(settings.device_https)},
                     {"deviceMqtt", at(settings.device_mqtt)},
                     {"deviceAmqp", at(settings.device_amqp)},
                     {"operator", at(settings.operator_door)},
                     {"metrics", at(settings.metrics)},
                     {"hub", own_hub_name(settings, *certificate_names, host_name())},
                     {"serverCertificate", settings.server_credential
                                               ? settings.server_credential->chain.string()
                                               : "made by the local CA"}};
    if (call.globals().json) {
        print_json(call.io().out, record);
        return Exit::done;
    }
    print_fields(call.io().out, {{"data", shown(record, "data")},
                                 {"device-https", shown(record, "deviceHttps")},
                                 {"device-mqtt", shown(record, "deviceMqtt")},
                                 {"device-amqp", shown(record, "deviceAmqp")},
                                 {"operator", shown(record, "operator")},
                                 {"metrics", shown(record, "metrics")},
                                 {"hub", shown(record, "hub")},
                                 {"server certificate", shown(record, "serverCertificate")}});
    call.io().err << "The configuration is good.\n";
    return Exit::done;
}

}  // namespace

std::vector<Command> serve_commands() {
    return {
        {"serve",
         "run a server until SIGTERM; prints one line when it is ready",
         serve_parameters(),
         {{"rollcall serve --data ./rollcall-data", "on loopback; makes what it needs"},
          {"rollcall serve --data /var/lib/rollcall --device-https 0.0.0.0:443 --name "
           "dps.example.com",
           "for devices elsewhere"},
          {"rollcall serve --server-cert server.pem --server-key server.key",
           "with a certificate of your own; replaced files are taken up without a restart"}},
         run,
         "The ready line on stdout: ready scope=... device-https=ADDR:PORT device-mqtt=... "
         "device-amqp=... operator=... metrics=..., with real ports.\n"
         "SIGTERM lets sessions finish; a second one ends at once."},
        {"init",
         "make a data directory without starting a server",
         {option("--scope SCOPE", "the tenant devices name (default: generated)")},
         {{"rollcall init --data /var/lib/rollcall", ""},
          {"rollcall init --scope 0ne00A1B2C3", "keep the idScope your devices have built in"}},
         init},
        {"config check",
         "do everything that serve does short of listening, and tell all problems",
         serve_parameters(),
         {{"rollcall config check --config rollcall.toml", ""}},
         check},
    };
}

}  // namespace rollcall::app
