// SPDX-License-Identifier: Apache-2.0
// rollcall registration: what devices were answered, and why they were refused.
#include "app/explain.hpp"
#include "app/operation.hpp"

#include <ostream>

namespace rollcall::app {

namespace {

Result<Exit> list(const Invocation& call) {
    Request request;
    request.path = "/registrations";
    for (const auto& [name, member] :
         {std::pair{"--group", "group"}, {"--status", "status"}, {"--on", "ca"}}) {
        if (call.has(name)) {
            request.query.emplace_back(member, call.text(name));
        }
    }
    return print_listing(call, request,
                         {{"REGISTRATION ID", "registrationId"},
                          {"STATUS", "status"},
                          {"ENTRY", "last.entry.id"},
                          {"SLOT", "last.slot"},
                          {"LAST", "last.at"},
                          {"TIMES", "registrations"},
                          {"LEAF NOT AFTER", "last.notAfter"},
                          {"CA SHA-256", "last.caSha256Thumbprint"}},
                         "No registration.");
}

Result<Exit> show(const Invocation& call) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    TRY(const json::value record, client.get(path_of({"registrations", call.text("ID")})));
    if (call.globals().json) {
        print_json(call.io().out, record);
        return Exit::done;
    }
    const std::string code = shown(record, "errorCode");
    print_fields(
        call.io().out,
        {{"registration id", shown(record, "registrationId")},
         {"device id", shown(record, "deviceId")},
         {"status",
          shown(record, "status") +
              (shown(record, "substatus") == "-" ? "" : ", " + shown(record, "substatus"))},
         {"error", code == "0" ? "-" : code + " " + shown(record, "errorMessage")},
         {"hub", shown(record, "assignedHub")},
         {"entry", shown(record, "last.entry.kind") + " " + shown(record, "last.entry.id") + ", " +
                       shown(record, "last.slot")},
         {"CA SHA-256", shown(record, "last.caSha256Thumbprint")},
         {"leaf SHA-256", shown(record, "last.leafSha256Thumbprint")},
         {"leaf valid", shown(record, "last.notBefore") + " to " + shown(record, "last.notAfter")},
         {"leaf key", shown(record, "last.key")},
         {"relied on a stored certificate", shown(record, "last.completed")},
         {"by", shown(record, "last.protocol") + " " + shown(record, "last.apiVersion") + ", " +
                    shown(record, "last.userAgent")},
         {"TLS", shown(record, "last.tlsVersion") + " " + shown(record, "last.tlsCipher")},
         {"registrations", shown(record, "registrations")},
         {"last refusal", shown(record, "lastRefusal.explanation")},
         {"created", shown(record, "created")},
         {"updated", shown(record, "updated")},
         {"etag", shown(record, "etag")}});
    return Exit::done;
}

Result<Exit> explain(const Invocation& call) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    TRY(const json::value explanation,
        client.get(path_of({"registrations", call.text("ID"), "explanation"})));
    if (call.globals().json) {
        print_json(call.io().out, explanation);
    } else {
        print_explanation(call.io().out, explanation);
    }
    return Exit::done;
}

}  // namespace

std::vector<Command> registration_commands() {
    const Parameter id = positional("ID", "the registration id");
    return {
        {"registration list",
         "what devices were answered last",
         {option("--group GROUP", "only those that rest on this group"),
          option("--status STATUS", "only with this status")
              .one_of({"unassigned", "assigning", "assigned", "failed", "disabled"}),
          option("--on CA",
                 "only those whose last proof rested on this CA certificate: name, id "
                 "or SHA-256")},
         {{"rollcall registration list --group plant-a", ""},
          {"rollcall registration list --group plant-a --on old-root",
           "who would be left behind without the old root"},
          {"rollcall registration list --json", ""}},
         list},
        {"registration show",
         "one registration and what the device proved itself with",
         {id},
         {{"rollcall registration show meter-17", ""},
          {"rollcall registration show meter-17 --json", ""}},
         show},
        {"registration explain",
         "why a device was refused: the whole verdict and what mends it",
         {id},
         {{"rollcall registration explain meter-17", ""},
          {"rollcall registration explain meter-17 --json", ""}},
         explain},
    };
}

}  // namespace rollcall::app
