// SPDX-License-Identifier: Apache-2.0
// rollcall token: bearer tokens and shared access policies for the operator door.
#include "app/operation.hpp"
#include "base/bytes.hpp"
#include "base/world.hpp"
#include "domain/sas_policy.hpp"

#include <algorithm>
#include <ostream>

namespace rollcall::app {

namespace {

/// Bearer tokens and shared access policies in one list: they share their names.
Result<Exit> list(const Invocation& call) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    json::array all;
    for (const auto& [path, kind] :
         {std::pair{"/tokens", "bearer"}, std::pair{"/policies", "sas"}}) {
        Request request;
        request.path = path;
        TRY([[maybe_unused]] const auto done,
            client.each(request, [&all, word = kind](json::object record) {
                record["kind"] = shown(record, "form") == "central" ? "central" : word;
                all.push_back(std::move(record));
            }));
    }
    if (call.globals().json) {
        print_json(call.io().out, all);
        return Exit::done;
    }
    TablePrinter table{call.io().out,
                       {"NAME", "KIND", "MAY", "CREATED", "BY", "EXPIRES", "LAST USED"}};
    for (const auto& record : all) {
        const std::string may = shown(record, "kind") == "sas" ? "rights" : "role";
        table.row({shown(record, "name"), shown(record, "kind"), shown(record, may),
                   shown(record, "created"), shown(record, "createdBy"), shown(record, "expires"),
                   shown(record, "lastUsed")});
    }
    table.flush();
    if (all.empty()) {
        call.io().err << "There is no token. Make one: rollcall token create NAME\n";
    }
    return Exit::done;
}

/// "EnrollmentRead,EnrollmentWrite", or "all".
json::array rights_of(const std::string& text) {
    json::array rights;
    if (text == "all") {
        for (const auto& word : domain::SasRights::all().words()) {
            rights.emplace_back(word);
        }
        return rights;
    }
    std::string_view rest = text;
    while (!rest.empty()) {
        const auto word = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(word.size() + 1, rest.size()));
        rights.emplace_back(json::string_view{word.data(), word.size()});
    }
    return rights;
}

/// The connection string alone, so that it can go straight to a tool.
Exit print_connection_string(const Invocation& call, const json::value& policy,
                             const std::string& slot) {
    if (call.globals().json) {
        print_json(call.io().out, policy);
    } else {
        call.io().out << shown(policy, slot + "ConnectionString") << '\n';
    }
    return Exit::done;
}

Result<Exit> create_policy(const Invocation& call) {
    if (call.has("--expires")) {
        return usage_error(
            "--expires is for tokens: what is signed with a policy's keys ends by itself");
    }
    if (call.has("--role") || call.has("--central")) {
        return usage_error("a shared access policy has rights, no role");
    }
    Request request = changing(call, "POST", "/policies");
    (*request.body)["name"] = call.text("NAME");
    (*request.body)["rights"] = rights_of(call.text("--sas-policy"));
    TRY(AdminClient client, AdminClient::of(call.globals()));
    TRY(const json::value policy, client.send(request));
    return print_connection_string(call, policy, "primary");
}

Result<Exit> show(const Invocation& call) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    TRY(const json::value policy,
        client.send(
            changing(call, "POST", path_of({"policies", call.text("NAME")}) + "/show-keys")));
    return print_connection_string(call, policy, call.text_or("KEY", "primary"));
}

Result<Exit> rotate(const Invocation& call) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    const std::string slot = call.text("KEY");
    const std::string policy_path = path_of({"policies", call.text("NAME")});
    TRY(const json::value policy,
        client.send(changing(call, "PUT", policy_path + "/keys/" + slot)));
    const Exit printed = print_connection_string(call, policy, slot);
    call.io().err << "The other key goes on working.\n";
    return printed;
}

Result<Exit> create(const Invocation& call) {
    if (call.has("--sas-policy")) {
        return create_policy(call);
    }
    Request request = changing(call, "POST", "/tokens");
    (*request.body)["name"] = call.text("NAME");
    (*request.body)["role"] = call.text_or("--role", "administrator");
    if (call.has("--central")) {
        (*request.body)["form"] = "central";
    }
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

/// Where the record of that name is, "tokens" or "policies"; empty where there is none.
Result<std::string> collection_of(AdminClient& client, const std::string& name) {
    std::string found;
    for (const std::string collection : {"tokens", "policies"}) {
        Request request;
        request.path = "/" + collection;
        TRY([[maybe_unused]] const auto done, client.each(request, [&](const json::object& record) {
            if (equal_ignoring_case(shown(json::value(record), "name"), name)) {
                found = collection;
            }
        }));
    }
    return found;
}

/// The server offers no dry run here: what it lists is what would go.
Result<Exit> revoke(const Invocation& call) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    const std::string name = call.text("NAME");
    TRY(const std::string collection, collection_of(client, name));
    if (collection.empty()) {
        return Error{.kind = ErrorKind::not_found, .detail = "there is no token " + name};
    }
    const std::string object = (collection == "tokens" ? "token/" : "policy/") + name;
    if (!call.globals().yes) {
        call.io().err << "This would happen:\n  - whoever uses the "
                      << (collection == "tokens" ? "token " : "keys of the policy ")
                      << printable(name)
                      << " is refused from then on\nNothing was changed. Add --yes to do it.\n";
        if (call.globals().json) {
            print_json(call.io().out, json::object{{"dryRun", true}, {"deleted", object}});
        }
        return Exit::done;
    }
    TRY(const json::value answer,
        client.send(changing(call, "DELETE", path_of({collection, name}))));
    return report_change(call, answer,
                         (collection == "tokens" ? "Token " : "Policy ") + name + " is revoked.");
}

Parameter key_parameter() {
    return positional("KEY", "which of the two").one_of({"primary", "secondary"});
}

}  // namespace

std::vector<Command> token_commands() {
    return {
        {"token list",
         "all bearer tokens and shared access policies, without their secrets",
         {},
         {{"rollcall token list", ""}, {"rollcall token list --json", ""}},
         list},
        {"token create",
         "make a token, or a shared access policy; prints its secret alone",
         {positional("NAME", "what it is for: letters, digits and - . _ :"),
          option("--role ROLE", "what it may; administrator, if left out")
              .one_of({"administrator", "builder", "operator", "viewer"}),
          flag("--central", "in the form of IoT Central's API tokens: for az iot central --token"),
          option("--sas-policy RIGHTS",
                 "a shared access policy for the cloud's tools, with these rights, commas between; "
                 "or all"),
          option("--expires TIME",
                 "2030-01-31 or 2030-01-31T12:00:00Z; if left out never, with --central in a year"),
          reason_option()},
         {{"rollcall token create ci > ci-token", ""},
          {"rollcall token create wallboard --role viewer --expires 2030-01-31", ""},
          {"rollcall token create portal --role operator --central", "for az iot central --token"},
          {"rollcall token create dashboard --sas-policy EnrollmentRead,RegistrationStatusRead",
           "prints a connection string"}},
         create,
         "Roles: viewer reads everything but secrets; operator also runs devices and their "
         "individual enrollments; builder no more than that yet; administrator may everything. "
         "Rights of a policy: ServiceConfig, EnrollmentRead, EnrollmentWrite, DeviceConnect, "
         "RegistrationStatusRead, RegistrationStatusWrite; of the hub: RegistryRead, "
         "RegistryWrite. "
         "Every server begins with the policy provisioningserviceowner, which has all but the "
         "hub's."},
        {"token show",
         "print a shared access policy's connection string alone; the audit log keeps that it was "
         "shown",
         {positional("NAME", "the policy's name"), key_parameter().may_be_left_out(),
          reason_option()},
         {{"rollcall token show provisioningserviceowner", "with the primary key"},
          {"rollcall token show provisioningserviceowner secondary", ""}},
         show},
        {"token rotate",
         "make up another key of a shared access policy; the other key goes on working",
         {positional("NAME", "the policy's name"), key_parameter(), reason_option()},
         {{"rollcall token rotate provisioningserviceowner secondary",
           "prints the new connection string"}},
         rotate},
        {"token revoke",
         "refuse a token, or the keys of a policy, from now on",
         {positional("NAME", "the token's or the policy's name"), reason_option()},
         {{"rollcall token revoke ci --yes", ""}},
         revoke},
    };
}

}  // namespace rollcall::app
