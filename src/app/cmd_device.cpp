// SPDX-License-Identifier: Apache-2.0
// rollcall device: devices as their hub knows them.
#include "app/cmd_device_hub.hpp"
#include "app/operation.hpp"

#include <ostream>

namespace rollcall::app {

namespace {

Result<Exit> list(const Invocation& call) {
    Request request;
    request.path = "/devices";
    for (const auto& [name, member] : {std::pair{"--state", "state"}, {"--prefix", "prefix"}}) {
        if (call.has(name)) {
            request.query.emplace_back(member, call.text(name));
        }
    }
    return print_listing(call, request,
                         {{"DEVICE", "id"},
                          {"STATE", "state"},
                          {"ENTRY", "entry.id"},
                          {"KIND", "entry.kind"},
                          {"UPDATED", "updated"},
                          {"LEAF SHA-256", "leafSha256Thumbprint"}},
                         "No device.");
}

Result<Exit> show(const Invocation& call) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    TRY(json::value device, client.get(path_of({"devices", call.text("DEVICE")})));
    TRY(device.as_object()["connection"],
        client.get(path_of({"devices", call.text("DEVICE"), "connection"})));
    if (call.globals().json) {
        print_json(call.io().out, device);
        return Exit::done;
    }
    print_fields(call.io().out,
                 {{"device", shown(device, "id")},
                  {"registration id", shown(device, "registrationId")},
                  {"state", shown(device, "state")},
                  {"entry", shown(device, "entry.kind") + " " + shown(device, "entry.id")},
                  {"leaf SHA-256", shown(device, "leafSha256Thumbprint")},
                  {"status", shown(device, "registration.status")},
                  {"hub", shown(device, "registration.assignedHub")},
                  {"connected", shown(device, "connection.connected")},
                  {"protocol", shown(device, "connection.protocol")},
                  {"connected since", shown(device, "connection.since")},
                  {"last refusal", shown(device, "lastRefusal.explanation")},
                  {"created", shown(device, "created")},
                  {"updated", shown(device, "updated")},
                  {"etag", shown(device, "etag")}});
    const json::value* history = find_member(device, "history");
    if (history == nullptr || !history->is_array() || history->get_array().empty()) {
        return Exit::done;
    }
    call.io().out << '\n';
    TablePrinter table{
        call.io().out,
        {"REGISTERED", "SLOT", "STATUS", "PROTOCOL", "LEAF NOT AFTER", "LEAF SHA-256", "NOTE"}};
    for (const json::value& adoption : history->get_array()) {
        table.row({shown(adoption, "at"), shown(adoption, "slot"), shown(adoption, "status"),
                   shown(adoption, "protocol"), shown(adoption, "notAfter"),
                   shown(adoption, "leafSha256Thumbprint"),
                   shown(adoption, "wentBack") == "yes" ? "went back" : ""});
    }
    table.flush();
    return Exit::done;
}

Result<Exit> act(const Invocation& call, const std::string& verb, const std::string& words) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    const std::string id = call.text("DEVICE");
    TRY(const json::value answer,
        client.send(changing(call, "POST", path_of({"devices", id, verb}))));
    return report_change(call, answer, id + words);
}

Result<Exit> approve(const Invocation& call) {
    return act(call, "approve", " is approved; it gets in at its next registration.");
}
Result<Exit> block(const Invocation& call) {
    return act(call, "block",
               " is blocked: refused, and its sessions are closed, until: rollcall "
               "device unblock " +
                   call.text("DEVICE"));
}
Result<Exit> unblock(const Invocation& call) {
    return act(call, "unblock", " is not blocked any more.");
}

Result<Exit> remove(const Invocation& call) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    const std::string id = call.text("DEVICE");
    const Request request = changing(call, "DELETE", path_of({"devices", id}));
    TRY(const auto answer, perform(call, client, {request, Care::always}));
    return answer ? report_change(call, *answer, "Device " + id + " is deleted.") : Exit::done;
}

}  // namespace

std::vector<Command> device_commands() {
    const Parameter device = positional("DEVICE", "the device's id");
    std::vector<Command> commands{
        {"device list",
         "all devices",
         {option("--state STATE", "only devices in this state")
              .one_of({"registered", "provisioned", "waiting-for-approval", "blocked"}),
          option("--prefix TEXT", "only ids that begin so")},
         {{"rollcall device list", ""},
          {"rollcall device list --state waiting-for-approval", ""},
          {"rollcall device list --json", ""}},
         list},
        {"device show",
         "one device, its registrations and its last refusal",
         {device},
         {{"rollcall device show meter-17", ""}, {"rollcall device show meter-17 --json", ""}},
         show},
        {"device approve",
         "let in a device that waits for approval",
         {device, reason_option(), etag_option()},
         {{"rollcall device approve meter-17", ""}},
         approve},
        {"device block",
         "refuse a device at once, whatever it proves; can be undone",
         {device, reason_option(), etag_option()},
         {{"rollcall device block meter-17 --reason stolen", ""}},
         block},
        {"device unblock",
         "let a blocked device back in",
         {device, reason_option(), etag_option()},
         {{"rollcall device unblock meter-17", ""}},
         unblock},
        {"device delete",
         "forget a device and close its sessions",
         {device, reason_option(), etag_option()},
         {{"rollcall device delete meter-17", "shows what would happen"},
          {"rollcall device delete meter-17 --yes", ""}},
         remove,
         "A device whose certificates still attest makes itself known again at its next "
         "registration; block it to keep it out."},
    };
    for (auto& command : device_hub_commands()) {
        commands.push_back(std::move(command));
    }
    return commands;
}

}  // namespace rollcall::app
