// SPDX-License-Identifier: Apache-2.0
// rollcall token: bearer tokens for the operator door.
#include "app/operation.hpp"
#include "base/world.hpp"

#include <ostream>

namespace rollcall::app {

namespace {

Result<Exit> list(const Invocation& call) {
    Request request;
    request.path = "/tokens";
    return print_listing(call, request,
                         {{"TOKEN", "name"},
                          {"ROLE", "role"},
                          {"CREATED", "created"},
                          {"BY", "createdBy"},
                          {"EXPIRES", "expires"}},
                         "There is no token. Make one: rollcall token create NAME");
}

Result<Exit> create(const Invocation& call) {
    Request request = changing(call, "POST", "/tokens");
    (*request.body)["name"] = call.text("NAME");
    if (const auto expires = call.maybe("--expires")) {
        const auto at = parse_iso8601(*expires);
        if (!at) {
            return usage_error("--expires takes a date or time like 2030-01-31T12:00:00Z");
        }
        (*request.body)["expires"] = to_iso8601_seconds(*at);
    }
    TRY(AdminClient client, AdminClient::of(call.globals()));
    TRY(const json::value answer, client.send(request));
    if (call.globals().json) {
        print_json(call.io().out, answer);
        return Exit::done;
    }
    call.io().out << shown(answer, "token") << '\n';
    call.io().err << "Keep it: the server stores only its hash and cannot show it again.\n";
    return Exit::done;
}

/// The server offers no dry run here: what it lists is what would go.
Result<Done> check_there(AdminClient& client, const std::string& name) {
    bool found = false;
    Request request;
    request.path = "/tokens";
    TRY([[maybe_unused]] const auto done, client.each(request, [&](const json::object& token) {
        const json::value value(token);
        found = found || shown(value, "name") == name;
    }));
    if (!found) {
        return Error{.kind = ErrorKind::not_found, .detail = "there is no token " + name};
    }
    return Done{};
}

Result<Exit> revoke(const Invocation& call) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    const std::string name = call.text("NAME");
    if (!call.globals().yes) {
        TRY([[maybe_unused]] const auto there, check_there(client, name));
        call.io().err << "This would happen:\n  - whoever uses the token " << printable(name)
                      << " is refused from then on\nNothing was changed. Add --yes to do it.\n";
        if (call.globals().json) {
            print_json(call.io().out, json::object{{"dryRun", true}, {"deleted", "token/" + name}});
        }
        return Exit::done;
    }
    TRY(const json::value answer, client.send(changing(call, "DELETE", path_of({"tokens", name}))));
    return report_change(call, answer, "Token " + name + " is revoked.");
}

}  // namespace

std::vector<Command> token_commands() {
    return {
        {"token list",
         "all bearer tokens, without their secrets",
         {},
         {{"rollcall token list", ""}, {"rollcall token list --json", ""}},
         list},
        {"token create",
         "make a bearer token; prints the token alone",
         {positional("NAME", "what it is for: letters, digits and - . _ :"),
          option("--expires TIME", "2030-01-31 or 2030-01-31T12:00:00Z; never, if left out"),
          reason_option()},
         {{"rollcall token create ci > ci-token", ""},
          {"rollcall token create ci --expires 2030-01-31", ""}},
         create},
        {"token revoke",
         "refuse a token from now on",
         {positional("NAME", "the token's name"), reason_option()},
         {{"rollcall token revoke ci --yes", ""}},
         revoke},
    };
}

}  // namespace rollcall::app
