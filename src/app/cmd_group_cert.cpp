// SPDX-License-Identifier: Apache-2.0
// rollcall group cert: what stands in a group's slots, and how that changes.
#include "app/cmd_group_cert.hpp"

#include "app/operation.hpp"

#include <ostream>

namespace rollcall::app {

namespace {

std::string slot_path(const Invocation& call) {
    return path_of({"groups", call.text("GROUP"), "certificates", call.text("SLOT")});
}

std::string slot_name(const Invocation& call) {
    return call.text("GROUP") + " " + call.text("SLOT");
}

/// Registrations that last rested on a certificate in a slot, as text; "0" where none did.
std::string devices_on(const json::value* adoption, const std::string& slot,
                       const std::string& thumbprint) {
    const json::value* list =
        adoption != nullptr ? find_member(*adoption, "certificates") : nullptr;
    if (list == nullptr || !list->is_array()) {
        return "-";
    }
    for (const json::value& one : list->get_array()) {
        if (shown(one, "slot") == slot && shown(one, "sha256Thumbprint") == thumbprint) {
            return shown(one, "devices");
        }
    }
    return "0";
}

/// Certificates that are in no slot any more while devices still rest on them.
void print_gone(TablePrinter& table, const json::value* adoption) {
    const json::value* list =
        adoption != nullptr ? find_member(*adoption, "certificates") : nullptr;
    if (list == nullptr || !list->is_array()) {
        return;
    }
    for (const json::value& one : list->get_array()) {
        if (shown(one, "standing") == "gone") {
            table.row({shown(one, "slot"), "gone", shown(one, "certificate.subject"),
                       shown(one, "certificate.notAfter"), "-", "no", shown(one, "devices"),
                       shown(one, "sha256Thumbprint")});
        }
    }
}

Result<Exit> show(const Invocation& call) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    const std::string path = path_of({"groups", call.text("GROUP")});
    const bool one = call.has("SLOT");
    Request request;
    request.path = path + "/certificates" + (one ? "/" + call.text("SLOT") : "");
    if (call.has("--pem")) {
        request.query.emplace_back("pem", "true");
    }
    TRY(const json::value slots, client.send(request));
    if (call.globals().json) {
        print_json(call.io().out, slots);
        return Exit::done;
    }
    if (call.has("--pem")) {
        for (const char* slot : {"", "primary.", "secondary."}) {
            const json::value* pem =
                find_member(slots, std::string{slot} + "current.certificate.pem");
            if (pem != nullptr && pem->is_string()) {
                call.io().out << pem->get_string().c_str();
            }
        }
        return Exit::done;
    }
    TRY(const json::value adoption, client.get(path + "/adoption"));
    const json::value record = one ? json::value(json::object{{call.text("SLOT"), slots}}) : slots;
    print_group_slots(call.io().out, record, &adoption);
    return Exit::done;
}

/// --breach, --replace-now or neither.
Result<std::string> mode_of(const Invocation& call) {
    if (call.has("--breach") && call.has("--replace-now")) {
        return usage_error(
            "--breach and --replace-now exclude each other: a breach also replaces "
            "at once");
    }
    return std::string{call.has("--breach")        ? "breach"
                       : call.has("--replace-now") ? "replaceNow"
                                                   : "staged"};
}

void put_flags(const Invocation& call, json::object& body) {
    if (call.has("--vouch")) {
        body["vouch"] = true;
    }
    if (call.has("--force")) {
        body["force"] = true;
    }
}

std::string words_after_set(const Invocation& call, const json::value& answer) {
    const std::string place = slot_name(call);
    const json::value* pending = find_member(answer, "pending");
    const std::string slot = "group.certificates." + call.text("SLOT");
    const std::string attests = shown(answer, slot + ".current.attests");
    const std::string how = "rollcall group cert code " + place;
    if (pending != nullptr && pending->is_bool() && pending->get_bool()) {
        return place + ": " + shown(answer, slot + ".pending.certificate.subject") +
               " waits to be verified; until then what was there attests. Next: " + how;
    }
    const std::string subject = shown(answer, slot + ".current.certificate.subject");
    if (attests == "yes") {
        return place + ": " + subject + " attests.";
    }
    if (shown(answer, slot + ".current.verified") == "yes") {
        return place + ": " + subject + " is there and attests only within its validity.";
    }
    return place + ": " + subject +
           " is there and does not attest before it is verified. Next: " + how;
}

Result<Exit> set_both(const Invocation& call) {
    if (call.has("FILE") || !call.has("--primary") || !call.has("--secondary")) {
        return usage_error(
            "both slots in one change: rollcall group cert set GROUP both "
            "--primary FILE --secondary FILE --breach");
    }
    TRY(const std::string mode, mode_of(call));
    if (mode == "staged") {
        return usage_error("both slots change at once only with --breach or --replace-now");
    }
    Request request =
        changing(call, "PUT", path_of({"groups", call.text("GROUP"), "certificates"}));
    for (const char* slot : {"primary", "secondary"}) {
        TRY(const std::string pem, read_certificate_file(call.text("--" + std::string{slot})));
        (*request.body)[slot] = pem;
    }
    (*request.body)["mode"] = mode;
    put_flags(call, *request.body);
    TRY(AdminClient client, AdminClient::of(call.globals()));
    TRY(const auto answer, perform(call, client, {request, Care::always}));
    return answer ? report_change(call, *answer,
                                  "Both slots of " + call.text("GROUP") + " are replaced.")
                  : Exit::done;
}

Result<Exit> set(const Invocation& call) {
    if (call.text("SLOT") == "both") {
        return set_both(call);
    }
    if (!call.has("FILE") || call.has("--primary") || call.has("--secondary")) {
        return usage_error("which certificate? rollcall group cert set GROUP " + call.text("SLOT") +
                           " FILE");
    }
    TRY(const std::string mode, mode_of(call));
    TRY(const std::string pem, read_certificate_file(call.text("FILE")));
    Request request = changing(call, "PUT", slot_path(call));
    (*request.body)["certificate"] = pem;
    (*request.body)["mode"] = mode;
    put_flags(call, *request.body);
    TRY(AdminClient client, AdminClient::of(call.globals()));
    const Care care = mode == "staged" ? Care::devices : Care::always;
    TRY(const auto answer, perform(call, client, {request, care}));
    return answer ? report_change(call, *answer, words_after_set(call, *answer)) : Exit::done;
}

Result<Exit> code(const Invocation& call) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    TRY(const json::value answer, client.send(changing(call, "POST", slot_path(call) + "/code")));
    if (call.globals().json) {
        print_json(call.io().out, answer);
        return Exit::done;
    }
    call.io().out << shown(answer, "code") << '\n';
    call.io().err << "Have the owner of the CA " << shown(answer, "sha256Thumbprint")
                  << " make a certificate whose CN is this code,\nthen: rollcall group cert verify "
                  << slot_name(call) << " FILE\n";
    return Exit::done;
}

Result<Exit> verify(const Invocation& call) {
    TRY(const std::string pem, read_certificate_file(call.text("FILE")));
    Request request = changing(call, "POST", slot_path(call) + "/verify");
    (*request.body)["certificate"] = pem;
    TRY(AdminClient client, AdminClient::of(call.globals()));
    TRY(const json::value answer, client.send(request));
    const std::string subject =
        shown(answer, "group.certificates." + call.text("SLOT") + ".current.certificate.subject");
    return report_change(call, answer, slot_name(call) + ": " + subject + " is verified.");
}

Result<Exit> remove(const Invocation& call) {
    Request request = changing(call, "DELETE", slot_path(call));
    if (call.has("--breach")) {
        request.query.emplace_back("mode", "breach");
    }
    if (call.has("--pending")) {
        request.query.emplace_back("pendingOnly", "true");
    }
    TRY(AdminClient client, AdminClient::of(call.globals()));
    TRY(const auto answer, perform(call, client, {request, Care::always}));
    return answer ? report_change(call, *answer,
                                  call.has("--pending")
                                      ? slot_name(call) + ": nothing waits there any more."
                                      : slot_name(call) + " is empty.")
                  : Exit::done;
}

Result<Exit> swap(const Invocation& call) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    TRY(const json::value answer,
        client.send(changing(call, "POST", path_of({"groups", call.text("GROUP"), "swap"}))));
    return report_change(call, answer,
                         "The slots of " + call.text("GROUP") +
                             " have changed places; nothing "
                             "changes for any device.");
}

}  // namespace

void print_group_slots(std::ostream& out, const json::value& slots, const json::value* adoption) {
    TablePrinter table{
        out,
        {"SLOT", "STATE", "SUBJECT", "NOT AFTER", "VERIFIED", "ATTESTS", "DEVICES", "SHA-256"}};
    for (const std::string slot : {"primary", "secondary"}) {
        const json::value* held = find_member(slots, slot);
        if (held == nullptr) {
            continue;
        }
        bool empty = true;
        for (const std::string state : {"current", "pending"}) {
            const json::value* one = find_member(*held, state);
            if (one == nullptr || !one->is_object()) {
                continue;
            }
            empty = false;
            const std::string thumbprint = shown(*one, "certificate.sha256Thumbprint");
            table.row({slot, shown(*one, "dangling") == "yes" ? "deleted" : state,
                       shown(*one, "certificate.subject"), shown(*one, "certificate.notAfter"),
                       shown(*one, "verified"), shown(*one, "attests"),
                       devices_on(adoption, slot, thumbprint), thumbprint});
        }
        if (empty) {
            table.row({slot, "empty", "-", "-", "-", "-", "-", "-"});
        }
    }
    print_gone(table, adoption);
    table.flush();
}

std::vector<Command> group_cert_commands() {
    const Parameter group = positional("GROUP", "the group's name");
    const Parameter slot = positional("SLOT", "the slot").one_of({"primary", "secondary"});
    Parameter maybe_slot = slot;
    maybe_slot.may_be_left_out();
    return {
        {"group cert show",
         "what stands in a group's slots and how many devices rest on it",
         {group, maybe_slot, flag("--pem", "print the certificates that attest, as PEM")},
         {{"rollcall group cert show plant-a", ""},
          {"rollcall group cert show plant-a primary --json", ""}},
         show},
        {"group cert set",
         "put a CA certificate into a slot",
         {group, positional("SLOT", "the slot").one_of({"primary", "secondary", "both"}),
          positional("FILE", "the CA certificate: PEM, DER or base64; - reads stdin")
              .may_be_left_out(),
          flag("--vouch", "vouch for the CA instead of proving that its key is yours"),
          flag("--replace-now",
               "the old certificate stops attesting at once and trust in it is withdrawn"),
          flag("--breach",
               "the old key was lost: as --replace-now, and the key is distrusted "
               "everywhere, whoever signs it"),
          option("--primary FILE", "with \"both\": the primary's new certificate"),
          option("--secondary FILE", "with \"both\": the secondary's new certificate"),
          force_flag(), reason_option(), etag_option()},
         {{"rollcall group cert set plant-a secondary new-root.pem",
           "an empty slot: it attests once it is verified; an occupied one: what is there attests "
           "until then"},
          {"rollcall group cert set plant-a primary new-root.pem --breach --yes",
           "the old root's key was lost: replace it now"},
          {"rollcall group cert set plant-a both --primary a.pem --secondary b.pem --breach --yes",
           "both were lost: one change"}},
         set,
         "Without --yes, --breach and --replace-now only show what they would do, and a change "
         "that would cost known devices their only way in is refused."},
        {"group cert code",
         "ask for the code of a proof of possession; prints the code alone",
         {group, slot, reason_option(), etag_option()},
         {{"rollcall group cert code plant-a primary", ""},
          {"rollcall group cert code plant-a primary > code.txt", ""}},
         code},
        {"group cert verify",
         "prove possession of the CA's key with a verification certificate",
         {group, slot,
          positional("FILE", "the certificate whose CN is the code, signed directly by the CA"),
          reason_option(), etag_option()},
         {{"rollcall group cert verify plant-a primary proof.pem", ""}},
         verify},
        {"group cert remove",
         "empty a slot",
         {group, slot,
          flag("--breach", "the key was lost: close what rests on it and distrust the key"),
          flag("--pending", "take away only what waits to be verified"), reason_option(),
          etag_option()},
         {{"rollcall group cert remove plant-a secondary", "shows what would happen"},
          {"rollcall group cert remove plant-a secondary --yes", ""},
          {"rollcall group cert remove plant-a primary --breach --yes", ""}},
         remove},
        {"group cert swap",
         "exchange the two slots; changes nothing for any device",
         {group, reason_option(), etag_option()},
         {{"rollcall group cert swap plant-a", ""}},
         swap},
    };
}

}  // namespace rollcall::app
