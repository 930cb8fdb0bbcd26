// SPDX-License-Identifier: Apache-2.0
// rollcall scope: the tenant that devices name (idScope).
#include "app/admin_client.hpp"
#include "app/instance.hpp"
#include "app/operation.hpp"

#include <ostream>

namespace rollcall::app {

namespace {

Result<Exit> show(const Invocation& call) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    TRY(const json::value server, client.get("/server"));
    if (call.globals().json) {
        print_json(call.io().out, json::object{{"scopeId", *find_member(server, "scopeId")}});
    } else {
        call.io().out << shown(server, "scopeId") << '\n';
    }
    return Exit::done;
}

/// Works on the data directory itself: a running server's devices must not find their scope
/// changed under them.
Result<Exit> set(const Invocation& call) {
    TRY(const ScopeId scope, parse_scope_id(call.text("SCOPE")));
    if (call.globals().url) {
        return usage_error(
            "scope set works on the server's own machine with --data, while the "
            "server is stopped");
    }
    const SystemClock clock;
    SystemEntropy entropy;
    Metrics metrics;
    const std::string data = data_directory_of(call.globals());
    TRY(const auto instance, Instance::open(data, std::nullopt, metrics, clock, entropy));
    const std::string before = instance->scope().str();
    if (!call.globals().yes) {
        call.io().err << "This would happen:\n  - devices that name " << before
                      << " are refused from the next start on; they have to name " << scope.str()
                      << "\nNothing was changed. Add --yes to do it.\n";
        return Exit::done;
    }
    TRY([[maybe_unused]] const auto done,
        instance->set_scope(scope, call.text_or("--reason", ""), clock.now()));
    if (call.globals().json) {
        print_json(call.io().out, json::object{{"scopeId", scope.str()}});
    } else {
        call.io().err << "The scope is " << scope.str() << "; it was " << before << ".\n";
    }
    return Exit::done;
}

}  // namespace

std::vector<Command> scope_commands() {
    return {
        {"scope show",
         "print the scope that devices name (idScope)",
         {},
         {{"rollcall scope show", ""}, {"rollcall scope show --json", ""}},
         show},
        {"scope set",
         "give a stopped server another scope",
         {positional("SCOPE", "letters, digits and -, at most 64"), reason_option()},
         {{"rollcall scope set 0ne00A1B2C3 --data /var/lib/rollcall --yes",
           "take over the idScope that devices have built in"}},
         set},
    };
}

}  // namespace rollcall::app
