// SPDX-License-Identifier: Apache-2.0
// rollcall group key, rollcall enrollment key: symmetric keys, shown and replaced.
#include "app/cmd_keys.hpp"

#include "base/files.hpp"

#include <ostream>

namespace rollcall::app {

namespace {

/// A key in base64 is 88 characters; with an editor's line end and more.
constexpr std::size_t key_file_bytes_max = 1024;

/// The server says what is wrong with what stands in the file; the file is where it is secret.
Result<std::string> read_key_file(const std::string& name) {
    TRY(std::string text, read_file(name, key_file_bytes_max));
    const auto end = text.find_last_not_of(" \t\r\n");
    text.resize(end == std::string::npos ? 0 : end + 1);
    return text;
}

Result<std::string> mode_of(const Invocation& call) {
    if (call.has("--breach") && call.has("--replace-now")) {
        return usage_error(
            "--breach and --replace-now exclude each other: a breach also replaces at once");
    }
    return std::string{call.has("--breach")        ? "breach"
                       : call.has("--replace-now") ? "replaceNow"
                                                   : "plain"};
}

/// The slot's key alone, so that it can go straight into a file.
Result<Exit> print_key(const Invocation& call, const json::value& keys) {
    if (call.globals().json) {
        print_json(call.io().out, keys);
        return Exit::done;
    }
    call.io().out << shown(keys, call.text_or("SLOT", "primary") + "Key") << '\n';
    return Exit::done;
}

Result<Exit> show_key(const Invocation& call, const std::string& record) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    TRY(const json::value keys, client.send(changing(call, "POST", record + "/show-keys")));
    return print_key(call, keys);
}

Result<Exit> regenerate(const Invocation& call, const std::string& record,
                        const std::string& name) {
    TRY(const std::string mode, mode_of(call));
    const std::string slot = call.text("SLOT");
    Request request = changing(call, "PUT", record + "/keys/" + slot);
    (*request.body)["mode"] = mode;
    if (const auto file = call.maybe("--key")) {
        TRY((*request.body)["key"], read_key_file(*file));
    }
    TRY(AdminClient client, AdminClient::of(call.globals()));
    const Care care = mode == "plain" ? Care::none : Care::always;
    TRY(const auto answer, perform(call, client, {request, care}));
    return answer ? report_change(call, *answer,
                                  name + " " + slot +
                                      " has another key. Devices with the key of the other slot "
                                      "notice nothing.")
                  : Exit::done;
}

std::string group_of(const Invocation& call) {
    return path_of({"groups", call.text("GROUP")});
}
std::string enrollment_of(const Invocation& call) {
    return path_of({"enrollments", call.text("ID")});
}

Result<Exit> show_group_key(const Invocation& call) {
    return show_key(call, group_of(call));
}
Result<Exit> regenerate_group_key(const Invocation& call) {
    return regenerate(call, group_of(call), call.text("GROUP"));
}
Result<Exit> derive_group_key(const Invocation& call) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    Request request = changing(call, "POST", group_of(call) + "/derive-keys");
    (*request.body)["registrationId"] = call.text("REGISTRATION-ID");
    TRY(const json::value keys, client.send(request));
    return print_key(call, keys);
}
Result<Exit> show_enrollment_key(const Invocation& call) {
    return show_key(call, enrollment_of(call));
}
Result<Exit> regenerate_enrollment_key(const Invocation& call) {
    return regenerate(call, enrollment_of(call), call.text("ID"));
}

Parameter slot_parameter() {
    return positional("SLOT", "the slot").one_of({"primary", "secondary"});
}

std::vector<Parameter> regenerate_parameters(const Parameter& record) {
    return {
        record,
        slot_parameter(),
        option("--key FILE", "a key of your own in base64; else one is made up"),
        flag("--replace-now", "trust in the old key is withdrawn: sessions that rest on it end"),
        flag("--breach", "the old key was lost: as --replace-now, and it is distrusted"),
        reason_option(),
        etag_option()};
}

constexpr const char* regenerate_notes =
    "Plainly done, nothing is closed: a device with the old key is refused the next time it comes. "
    "Without --yes, --breach and --replace-now only show what they would do.";

}  // namespace

std::vector<Command> group_key_commands() {
    const Parameter group = positional("GROUP", "the group's name");
    Parameter maybe_slot = slot_parameter();
    maybe_slot.may_be_left_out();
    return {
        {"group key show",
         "print a group's symmetric key alone; the audit log keeps that it was shown",
         {group, slot_parameter(), reason_option()},
         {{"rollcall group key show plant-a primary", ""},
          {"rollcall group key show plant-a primary --json", "both slots, for programs"}},
         show_group_key},
        {"group key regenerate",
         "put another symmetric key into a slot while the other slot serves",
         regenerate_parameters(group),
         {{"rollcall group key regenerate plant-a secondary", "the first step of a roll"},
          {"rollcall group key regenerate plant-a primary --breach --yes", "the key was lost"}},
         regenerate_group_key,
         regenerate_notes},
        {"group key derive",
         "print the symmetric key of one device of a group, alone",
         {group, positional("REGISTRATION-ID", "the device's registration id"), maybe_slot,
          reason_option()},
         {{"rollcall group key derive plant-a meter-17", "from the primary slot's key"},
          {"rollcall group key derive plant-a meter-17 secondary", ""}},
         derive_group_key},
    };
}

std::vector<Command> enrollment_key_commands() {
    const Parameter id = positional("ID", "the device's registration id");
    return {
        {"enrollment key show",
         "print an individual enrollment's symmetric key alone; the audit log keeps that it was "
         "shown",
         {id, slot_parameter(), reason_option()},
         {{"rollcall enrollment key show meter-17 primary", ""}},
         show_enrollment_key},
        {"enrollment key regenerate",
         "put another symmetric key into a slot while the other slot serves",
         regenerate_parameters(id),
         {{"rollcall enrollment key regenerate meter-17 secondary", ""},
          {"rollcall enrollment key regenerate meter-17 primary --breach --yes", ""}},
         regenerate_enrollment_key,
         regenerate_notes},
    };
}

std::vector<Parameter> new_key_options() {
    return {flag("--symmetric-key", "it attests by symmetric key instead of certificates"),
            option("--primary-key FILE", "with --symmetric-key: a key of your own in base64"),
            option("--secondary-key FILE", "the same for the other slot; else keys are made up")};
}

Result<Done> put_new_keys(const Invocation& call, json::object& body) {
    if (!call.has("--symmetric-key")) {
        if (call.has("--primary-key") || call.has("--secondary-key")) {
            return usage_error("--primary-key and --secondary-key go with --symmetric-key");
        }
        return Done{};
    }
    json::object keys;
    for (const std::string slot : {"primary", "secondary"}) {
        if (const auto file = call.maybe("--" + slot + "-key")) {
            TRY(keys[slot + "Key"], read_key_file(*file));
        }
    }
    body["symmetricKey"] = std::move(keys);
    return Done{};
}

}  // namespace rollcall::app
