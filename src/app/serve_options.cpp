// SPDX-License-Identifier: Apache-2.0
#include "app/serve_options.hpp"

#include "app/admin_client.hpp"
#include "base/files.hpp"
#include "base/limits.hpp"

#include <cstdlib>
#include <filesystem>
#include <ostream>

namespace rollcall::app {

namespace {

constexpr const char* usual_file = "rollcall.toml";

Result<Config> file_config(const Invocation& call) {
    std::error_code ignored;
    std::string name = usual_file;
    if (call.has("--config")) {
        name = call.text("--config");
    } else if (!std::filesystem::exists(name, ignored)) {
        return Config{};
    } else {
        call.io().err << "reading ./" << name << '\n';
    }
    TRY(const std::string text, read_file(name, limits::config_bytes_max));
    return parse_config(text, name);
}

Config option_config(const Invocation& call) {
    Config config;
    config.device_https = call.maybe("--device-https");
    config.device_mqtt = call.maybe("--device-mqtt");
    config.device_amqp = call.maybe("--device-amqp");
    config.operator_door = call.maybe("--operator");
    config.metrics = call.maybe("--metrics");
    config.server_certificate = call.maybe("--server-cert");
    config.server_key = call.maybe("--server-key");
    config.hub_host = call.maybe("--hub-host");
    config.assign = call.maybe("--assign");
    config.webhook_ca = call.maybe("--webhook-ca");
    if (call.has("--webhook-loopback-http")) {
        config.webhook_loopback_http = true;
    }
    config.log_level = call.maybe("--log-level");
    config.log_format = call.maybe("--log-format");
    if (call.has("--name")) {
        config.names = call.all("--name");
    }
    if (call.has("--operator-name")) {
        config.operator_names = call.all("--operator-name");
    }
    if (call.has("--threads")) {
        config.threads = call.number_or("--threads", 0);
    }
    if (call.has("--drain-seconds")) {
        config.drain_seconds = call.number_or("--drain-seconds", 0);
    }
    if (call.globals().data || std::getenv("ROLLCALL_DATA") != nullptr) {
        config.data = data_directory_of(call.globals());
    }
    return config;
}

}  // namespace

std::vector<Parameter> serve_parameters() {
    return {
        option("--config FILE",
               "settings in TOML (default: ./rollcall.toml where there is one); "
               "options outrank it"),
        option("--device-https ADDR:PORT",
               "where devices register (default 127.0.0.1:8443); off "
               "closes the door, port 0 lets the system choose"),
        option("--device-mqtt ADDR:PORT", "where devices speak MQTT (default 127.0.0.1:8883)"),
        option("--device-amqp ADDR:PORT", "where devices speak AMQP (default 127.0.0.1:5671)"),
        option("--operator ADDR:PORT", "the operator door (default 127.0.0.1:9443)"),
        option("--metrics ADDR:PORT", "Prometheus, /healthz, /readyz (default 127.0.0.1:9464)"),
        option("--server-cert FILE",
               "the server's certificate and its intermediates, PEM; watched "
               "for changes (default: a local CA makes one)"),
        option("--server-key FILE", "its private key, PEM"),
        option("--name HOST", "a name or address clients call this server by").may_repeat(),
        option("--operator-name HOST",
               "a name that is for operators, where they share an address "
               "with devices")
            .may_repeat(),
        option("--hub-host NAME",
               "what devices get as assignedHub (default: the first --name, "
               "else the certificate's first name, else this machine's)"),
        option("--assign WORD", "poll: answer registrations as slowly as the cloud does")
            .one_of({"now", "poll"}),
        option("--webhook-ca FILE",
               "CAs that allocation webhooks are verified with (default: the system's)"),
        flag("--webhook-loopback-http", "let webhooks on this machine itself be asked over http"),
        option("--threads N", "threads for connections (default 0: one a core)").is_number(),
        option("--drain-seconds N", "how long SIGTERM lets go on what is under way (default 10)")
            .is_number(),
        option("--log-level WORD", "what goes to stderr at least")
            .one_of({"debug", "info", "warning", "error"}),
        option("--log-format WORD", "how it is written").one_of({"text", "json"}),
    };
}

Result<Settings> settings_of(const Invocation& call) {
    TRY(const Config file, file_config(call));
    return check_config(overlay(file, option_config(call)));
}

}  // namespace rollcall::app
