// SPDX-License-Identifier: Apache-2.0
// rollcall user: who may sign in, and with which role.
#include "app/operation.hpp"
#include "app/password_prompt.hpp"

#include <ostream>

namespace rollcall::app {

namespace {

Result<Exit> list(const Invocation& call) {
    Request request;
    request.path = "/users";
    return print_listing(call, request,
                         {{"NAME", "name"},
                          {"KIND", "kind"},
                          {"ROLE", "role"},
                          {"ENABLED", "enabled"},
                          {"CREATED", "created"},
                          {"BY", "createdBy"}},
                         "There is no user. Make one: rollcall user create NAME --role ROLE");
}

Result<Exit> create(const Invocation& call) {
    const bool openid = call.has("--oidc");
    if (openid && call.has("--password-file")) {
        return usage_error("who signs in by OpenID Connect has no password here");
    }
    Request request = changing(call, "POST", "/users");
    (*request.body)["name"] = call.text("NAME");
    (*request.body)["kind"] = openid ? "openid" : "local";
    (*request.body)["role"] = call.text("--role");
    if (!openid) {
        TRY((*request.body)["password"], read_password(call));
    }
    TRY(AdminClient client, AdminClient::of(call.globals()));
    TRY(const json::value answer, client.send(request));
    return report_change(
        call, answer, "User " + call.text("NAME") + " may sign in as " + call.text("--role") + ".");
}

Result<Exit> change(const Invocation& call, const char* member, const json::value& value,
                    const std::string& words) {
    Request request = changing(call, "PATCH", path_of({"users", call.text("NAME")}));
    (*request.body)[member] = value;
    TRY(AdminClient client, AdminClient::of(call.globals()));
    TRY(const json::value answer, client.send(request));
    return report_change(call, answer, words);
}

Result<Exit> set_role(const Invocation& call) {
    return change(call, "role", json::value(call.text("ROLE")),
                  "User " + call.text("NAME") + " is " + call.text("ROLE") + " from now on.");
}

Result<Exit> set_password(const Invocation& call) {
    TRY(const std::string password, read_password(call));
    return change(call, "password", json::value(password),
                  "The password of " + call.text("NAME") +
                      " is changed, and every session of that user has ended.");
}

Result<Exit> enable(const Invocation& call) {
    return change(call, "enabled", true, "User " + call.text("NAME") + " may sign in again.");
}

Result<Exit> disable(const Invocation& call) {
    return change(call, "enabled", false,
                  "User " + call.text("NAME") + " may not sign in, and every session has ended.");
}

/// The server offers no dry run here: what it shows is what would go.
Result<Exit> remove(const Invocation& call) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    const std::string path = path_of({"users", call.text("NAME")});
    if (!call.globals().yes) {
        TRY(const json::value user, client.get(path));
        const std::string name = shown(user, "name");
        call.io().err << "This would happen:\n  - the " << shown(user, "role") << " " << name
                      << " may not sign in any more, and every session of that user ends\n"
                      << "Nothing was changed. Add --yes to do it.\n";
        if (call.globals().json) {
            print_json(call.io().out, json::object{{"dryRun", true}, {"deleted", "user/" + name}});
        }
        return Exit::done;
    }
    TRY(const json::value answer, client.send(changing(call, "DELETE", path)));
    return report_change(call, answer, "User " + call.text("NAME") + " is deleted.");
}

Parameter name_parameter() {
    return positional("NAME", "the user's name, or email");
}

}  // namespace

std::vector<Command> user_commands() {
    const std::vector<std::string> roles{"administrator", "builder", "operator", "viewer"};
    return {
        {"user list",
         "who may sign in, and with which role",
         {},
         {{"rollcall user list", ""}, {"rollcall user list --json", ""}},
         list},
        {"user create",
         "let somebody sign in with a password, or by OpenID Connect",
         {positional("NAME", "letters, digits and - . _ @ + : '; for --oidc the email there"),
          option("--role ROLE", "what the user may").one_of(roles).must_be_given(),
          password_file_option(),
          flag("--oidc", "signs in at the OpenID provider, with this email at the first time"),
          reason_option()},
         {{"rollcall user create ann --role administrator", "asks for the password"},
          {"rollcall user create bob --role viewer --password-file bob.txt", ""},
          {"rollcall user create ann@example.com --role operator --oidc", ""}},
         create,
         "A password has at least 12 characters. It is never taken from the command line, and "
         "kept as its Argon2id hash. docs/access.md says what the roles may."},
        {"user set-role",
         "give a user another role; in force with the next request",
         {name_parameter(), positional("ROLE", "what the user may").one_of(roles), reason_option(),
          etag_option()},
         {{"rollcall user set-role bob operator", ""}},
         set_role},
        {"user password",
         "give a local user another password; ends all sessions of that user",
         {name_parameter(), password_file_option(), reason_option(), etag_option()},
         {{"rollcall user password bob", "asks for it"},
          {"rollcall user password bob --password-file bob.txt", "its first line"}},
         set_password},
        {"user enable",
         "let a user sign in again",
         {name_parameter(), reason_option(), etag_option()},
         {{"rollcall user enable bob", ""}},
         enable},
        {"user disable",
         "keep a user out without deleting; ends all sessions of that user",
         {name_parameter(), reason_option(), etag_option()},
         {{"rollcall user disable bob --reason 'on leave'", ""}},
         disable},
        {"user delete",
         "delete a user; ends all sessions of that user",
         {name_parameter(), reason_option(), etag_option()},
         {{"rollcall user delete bob", "shows what would happen"},
          {"rollcall user delete bob --yes", ""}},
         remove},
    };
}

}  // namespace rollcall::app
