// SPDX-License-Identifier: Apache-2.0
// rollcall group: enrollment groups themselves; their slots are in cmd_group_cert.cpp.
#include "app/allocation_options.hpp"
#include "app/cmd_group_cert.hpp"
#include "app/cmd_keys.hpp"
#include "app/operation.hpp"
#include "app/twin_file.hpp"

#include <ostream>

namespace rollcall::app {

namespace {

Result<Exit> list(const Invocation& call) {
    Request request;
    request.path = "/groups";
    return print_listing(call, request,
                         {{"GROUP", "id"},
                          {"ENABLED", "enabled"},
                          {"PRIMARY", "certificates.primary.current.certificate.subject"},
                          {"ATTESTS", "certificates.primary.current.attests"},
                          {"SECONDARY", "certificates.secondary.current.certificate.subject"},
                          {"ATTESTS", "certificates.secondary.current.attests"}},
                         "There is no enrollment group. Make one: rollcall group create NAME");
}

Result<Exit> show(const Invocation& call) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    const std::string path = path_of({"groups", call.text("GROUP")});
    TRY(const json::value group, client.get(path));
    if (call.globals().json) {
        print_json(call.io().out, group);
        return Exit::done;
    }
    TRY(const json::value adoption, client.get(path + "/adoption"));
    std::vector<std::pair<std::string, std::string>> fields{
        {{"group", shown(group, "id")},
         {"enabled", shown(group, "enabled")},
         {"attests by", shown(group, "attestation")},
         {"auto-approve", shown(group, "autoApprove")},
         {"refuse older leaf", shown(group, "refuseOlderLeaf")},
         {"reprovisioning", reprovision_word(*find_member(group, "reprovisionPolicy"))},
         {"initial twin", shown(group, "initialTwin")},
         {"registrations", shown(adoption, "devices")},
         {"created", shown(group, "created")},
         {"updated", shown(group, "updated")},
         {"etag", shown(group, "etag")}}};
    for (auto& field : allocation_fields(group)) {
        fields.push_back(std::move(field));
    }
    print_fields(call.io().out, fields);
    call.io().out << '\n';
    print_group_slots(call.io().out, *find_member(group, "certificates"), &adoption);
    return Exit::done;
}

/// The members that create and update share, where the options are given.
Result<Done> put_settings(const Invocation& call, json::object& body) {
    for (const auto& [name, member] :
         {std::pair{"--auto-approve", "autoApprove"}, {"--refuse-older-leaf", "refuseOlderLeaf"}}) {
        if (call.has(name)) {
            body[member] = call.text(name) == "on";
        }
    }
    if (call.has("--reprovision")) {
        body["reprovisionPolicy"] = reprovision_policy(call.text("--reprovision"));
    }
    if (call.has("--initial-twin")) {
        TRY(body["initialTwin"], read_twin_file(call.text("--initial-twin")));
    }
    return put_allocation(call, body);
}

std::vector<Parameter> settings() {
    std::vector<Parameter> all{
        option("--auto-approve WORD", "let unknown devices under a valid chain in at once")
            .one_of({"on", "off"}),
        option("--refuse-older-leaf WORD",
               "refuse a device that returns with a leaf older than its last")
            .one_of({"on", "off"}),
        reprovision_option(), initial_twin_option()};
    for (Parameter& parameter : allocation_options()) {
        all.push_back(std::move(parameter));
    }
    return all;
}

Result<Exit> create(const Invocation& call) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    Request request = changing(call, "POST", "/groups");
    (*request.body)["id"] = call.text("GROUP");
    if (call.has("--disabled")) {
        (*request.body)["enabled"] = false;
    }
    TRY([[maybe_unused]] const auto put, put_settings(call, *request.body));
    TRY([[maybe_unused]] const auto keys, put_new_keys(call, *request.body));
    TRY(const json::value answer, client.send(request));
    const std::string id = shown(answer, "group.id");
    if (call.has("--symmetric-key")) {
        return report_change(call, answer,
                             "Group " + id +
                                 " is there. A device's key: rollcall group key derive " + id +
                                 " REGISTRATION-ID");
    }
    return report_change(call, answer,
                         "Group " + id +
                             " is there. Give it a CA certificate: rollcall group "
                             "cert set " +
                             id + " primary FILE");
}

Result<Exit> update(const Invocation& call) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    Request request = changing(call, "PATCH", path_of({"groups", call.text("GROUP")}));
    TRY([[maybe_unused]] const auto put, put_settings(call, *request.body));
    TRY(const json::value answer, client.send(request));
    return report_change(call, answer, "Group " + shown(answer, "group.id") + " is changed.");
}

Result<Exit> set_enabled(const Invocation& call, bool enabled) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    Request request = changing(call, "PATCH", path_of({"groups", call.text("GROUP")}));
    (*request.body)["enabled"] = enabled;
    TRY(const json::value answer, client.send(request));
    const std::string id = shown(answer, "group.id");
    return report_change(call, answer,
                         enabled ? "Group " + id + " is enabled."
                                 : "Group " + id +
                                       " is disabled: its devices and every chain with "
                                       "one of its certificates are refused until: rollcall group "
                                       "enable " +
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
    const std::string id = call.text("GROUP");
    TRY(const auto answer,
        perform(call, client, {changing(call, "DELETE", path_of({"groups", id})), Care::always}));
    return answer ? report_change(call, *answer, "Group " + id + " is deleted.") : Exit::done;
}

std::vector<Parameter> with(std::vector<Parameter> first, const std::vector<Parameter>& more) {
    first.insert(first.end(), more.begin(), more.end());
    return first;
}

}  // namespace

std::vector<Command> group_commands() {
    const Parameter group = positional("GROUP", "the group's name");
    std::vector<Command> commands{
        {"group list",
         "all enrollment groups",
         {},
         {{"rollcall group list", ""}, {"rollcall group list --json", "for programs"}},
         list},
        {"group show",
         "one group: its settings, its slots, who uses them",
         {group},
         {{"rollcall group show plant-a", ""}, {"rollcall group show plant-a --json", ""}},
         show},
        {"group create",
         "make an enrollment group",
         with({group, flag("--disabled", "make it, and let nobody in yet")},
              with(with(settings(), new_key_options()), {reason_option()})),
         {{"rollcall group create plant-a", ""},
          {"rollcall group create meters --symmetric-key",
           "devices have keys derived from its own"},
          {"rollcall group create plant-b --auto-approve off",
           "unknown devices wait for: rollcall device approve"}},
         create},
        {"group update",
         "change a group's settings",
         with({group}, with(settings(), {reason_option(), etag_option()})),
         {{"rollcall group update plant-a --refuse-older-leaf on",
           "after a roll, keep devices from going back"}},
         update},
        {"group enable",
         "let a disabled group attest again",
         {group, reason_option(), etag_option()},
         {{"rollcall group enable plant-a", ""}},
         enable},
        {"group disable",
         "refuse everything under the group at once; can be undone",
         {group, reason_option(), etag_option()},
         {{"rollcall group disable plant-a --reason 'triage, ticket 17'", ""}},
         disable},
        {"group delete",
         "delete a group; its devices stay known and no longer attest",
         {group, reason_option(), etag_option()},
         {{"rollcall group delete plant-a", "shows what would happen"},
          {"rollcall group delete plant-a --yes", "does it"}},
         remove},
    };
    for (Command& command : group_key_commands()) {
        commands.push_back(std::move(command));
    }
    for (Command& command : group_cert_commands()) {
        commands.push_back(std::move(command));
    }
    return commands;
}

}  // namespace rollcall::app
