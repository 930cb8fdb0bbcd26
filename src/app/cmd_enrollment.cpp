// SPDX-License-Identifier: Apache-2.0
// rollcall enrollment: individual enrollments; their slots are in cmd_enrollment_cert.cpp.
#include "app/allocation_options.hpp"
#include "app/cmd_enrollment_cert.hpp"
#include "app/cmd_keys.hpp"
#include "app/operation.hpp"
#include "app/twin_file.hpp"

#include <ostream>

namespace rollcall::app {

namespace {

Result<Exit> list(const Invocation& call) {
    Request request;
    request.path = "/enrollments";
    return print_listing(call, request,
                         {{"REGISTRATION ID", "registrationId"},
                          {"ENABLED", "enabled"},
                          {"DEVICE ID", "deviceId"},
                          {"PRIMARY NOT AFTER", "certificates.primary.notAfter"},
                          {"SECONDARY NOT AFTER", "certificates.secondary.notAfter"}},
                         "There is no individual enrollment. Make one: rollcall enrollment create "
                         "ID --primary FILE");
}

Result<Exit> show(const Invocation& call) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    TRY(const json::value enrollment, client.get(path_of({"enrollments", call.text("ID")})));
    if (call.globals().json) {
        print_json(call.io().out, enrollment);
        return Exit::done;
    }
    std::vector<std::pair<std::string, std::string>> fields{
        {"registration id", shown(enrollment, "registrationId")},
        {"device id", shown(enrollment, "deviceId")},
        {"enabled", shown(enrollment, "enabled")},
        {"attests by", shown(enrollment, "attestation")},
        {"reprovisioning", reprovision_word(*find_member(enrollment, "reprovisionPolicy"))},
        {"initial twin", shown(enrollment, "initialTwin")},
        {"created", shown(enrollment, "created")},
        {"updated", shown(enrollment, "updated")},
        {"etag", shown(enrollment, "etag")}};
    for (auto& field : allocation_fields(enrollment)) {
        fields.push_back(std::move(field));
    }
    print_fields(call.io().out, fields);
    call.io().out << '\n';
    print_leaf_slots(call.io().out, *find_member(enrollment, "certificates"));
    return Exit::done;
}

Result<Done> put_settings(const Invocation& call, json::object& body) {
    if (const auto device = call.maybe("--device-id")) {
        body["deviceId"] = *device;
    }
    if (call.has("--reprovision")) {
        body["reprovisionPolicy"] = reprovision_policy(call.text("--reprovision"));
    }
    if (call.has("--initial-twin")) {
        TRY(body["initialTwin"], read_twin_file(call.text("--initial-twin")));
    }
    return put_allocation(call, body);
}

Result<Exit> create(const Invocation& call) {
    Request request = changing(call, "POST", "/enrollments");
    json::object& body = *request.body;
    body["registrationId"] = call.text("ID");
    json::object certificates;
    for (const std::string slot : {"primary", "secondary"}) {
        if (const auto file = call.maybe("--" + slot)) {
            TRY(certificates[slot], read_certificate_file(*file));
        }
    }
    body["certificates"] = std::move(certificates);
    if (call.has("--disabled")) {
        body["enabled"] = false;
    }
    if (call.has("--force")) {
        body["force"] = true;
    }
    TRY([[maybe_unused]] const auto put, put_settings(call, body));
    TRY([[maybe_unused]] const auto keys, put_new_keys(call, body));
    TRY(AdminClient client, AdminClient::of(call.globals()));
    TRY(const json::value answer, client.send(request));
    return report_change(call, answer,
                         "Enrollment " + shown(answer, "enrollment.registrationId") + " is there.");
}

Result<Exit> update(const Invocation& call) {
    Request request = changing(call, "PATCH", path_of({"enrollments", call.text("ID")}));
    TRY([[maybe_unused]] const auto put, put_settings(call, *request.body));
    TRY(AdminClient client, AdminClient::of(call.globals()));
    TRY(const json::value answer, client.send(request));
    return report_change(
        call, answer, "Enrollment " + shown(answer, "enrollment.registrationId") + " is changed.");
}

Result<Exit> set_enabled(const Invocation& call, bool enabled) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    Request request = changing(call, "PATCH", path_of({"enrollments", call.text("ID")}));
    (*request.body)["enabled"] = enabled;
    TRY(const json::value answer, client.send(request));
    const std::string id = shown(answer, "enrollment.registrationId");
    return report_change(call, answer,
                         enabled
                             ? "Enrollment " + id + " is enabled."
                             : "Enrollment " + id +
                                   " is disabled: its device and its "
                                   "certificates are refused until: rollcall enrollment enable " +
                                   id);
}

Result<Exit> enable(const Invocation& call) {
    return set_enabled(call, true);
}
Result<Exit> disable(const Invocation& call) {
    return set_enabled(call, false);
}

Result<Exit> remove(const Invocation& call) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    const std::string id = call.text("ID");
    const Request request = changing(call, "DELETE", path_of({"enrollments", id}));
    TRY(const auto answer, perform(call, client, {request, Care::always}));
    return answer ? report_change(call, *answer, "Enrollment " + id + " is deleted.") : Exit::done;
}

std::vector<Parameter> with(std::vector<Parameter> first, std::vector<Parameter> more) {
    for (Parameter& parameter : more) {
        first.push_back(std::move(parameter));
    }
    return first;
}

}  // namespace

std::vector<Command> enrollment_commands() {
    const Parameter id = positional("ID", "the device's registration id");
    const Parameter device_id =
        option("--device-id NAME", "what the device is called at its hub, if not its id");
    std::vector<Command> commands{
        {"enrollment list",
         "all individual enrollments",
         {},
         {{"rollcall enrollment list", ""}, {"rollcall enrollment list --json", ""}},
         list},
        {"enrollment show",
         "one individual enrollment and its slots",
         {id},
         {{"rollcall enrollment show meter-17", ""},
          {"rollcall enrollment show meter-17 --json", ""}},
         show},
        {"enrollment create",
         "let one device register with its own certificates, or its own symmetric key",
         with(with({id, option("--primary FILE", "the device's certificate"),
                    option("--secondary FILE", "its next one, accepted as well"), device_id},
                   new_key_options()),
              with({reprovision_option(), initial_twin_option(),
                    flag("--disabled", "make it, and refuse the device"), force_flag(),
                    reason_option()},
                   allocation_options())),
         {{"rollcall enrollment create meter-17 --primary meter-17.pem", ""},
          {"rollcall enrollment create meter-18 --symmetric-key", ""},
          {"rollcall enrollment create lost-17 --disabled",
           "refuse one device of a group, whatever it holds"}},
         create},
        {"enrollment update",
         "change an individual enrollment's settings",
         with({id, device_id, reprovision_option(), initial_twin_option(), reason_option(),
               etag_option()},
              allocation_options()),
         {{"rollcall enrollment update meter-17 --device-id meter-17b", ""}},
         update},
        {"enrollment enable",
         "let a disabled enrollment attest again",
         {id, reason_option(), etag_option()},
         {{"rollcall enrollment enable meter-17", ""}},
         enable},
        {"enrollment disable",
         "refuse the device at once; can be undone",
         {id, reason_option(), etag_option()},
         {{"rollcall enrollment disable meter-17", ""}},
         disable},
        {"enrollment delete",
         "delete an individual enrollment",
         {id, reason_option(), etag_option()},
         {{"rollcall enrollment delete meter-17", "shows what would happen"},
          {"rollcall enrollment delete meter-17 --yes", ""}},
         remove,
         "A group whose CA signed the device's certificate lets it in again afterwards; to keep it "
         "out, disable the enrollment or block the device."},
    };
    for (Command& command : enrollment_key_commands()) {
        commands.push_back(std::move(command));
    }
    for (Command& command : enrollment_cert_commands()) {
        commands.push_back(std::move(command));
    }
    return commands;
}

}  // namespace rollcall::app
