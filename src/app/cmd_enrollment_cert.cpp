// SPDX-License-Identifier: Apache-2.0
// rollcall enrollment cert: the leaf certificates in an individual enrollment's slots.
#include "app/cmd_enrollment_cert.hpp"

#include "app/operation.hpp"

#include <ostream>

namespace rollcall::app {

namespace {

Result<std::string> mode_of(const Invocation& call) {
    if (call.has("--breach") && call.has("--replace-now")) {
        return usage_error(
            "--breach and --replace-now exclude each other: a breach also replaces "
            "at once");
    }
    return std::string{call.has("--breach")        ? "breach"
                       : call.has("--replace-now") ? "replaceNow"
                                                   : "plain"};
}

/// SLOT FILE, or --primary and --secondary: slot to PEM.
Result<json::object> certificates_of(const Invocation& call) {
    const bool named = call.has("--primary") || call.has("--secondary");
    if (named == call.has("SLOT") || call.has("SLOT") != call.has("FILE")) {
        return usage_error(
            "which certificates? rollcall enrollment cert set ID SLOT FILE, or "
            "--primary FILE --secondary FILE for one change of both");
    }
    json::object certificates;
    if (call.has("SLOT")) {
        TRY(certificates[call.text("SLOT")], read_certificate_file(call.text("FILE")));
        return certificates;
    }
    for (const std::string slot : {"primary", "secondary"}) {
        if (const auto file = call.maybe("--" + slot)) {
            TRY(certificates[slot], read_certificate_file(*file));
        }
    }
    return certificates;
}

Result<Exit> set(const Invocation& call) {
    TRY(const std::string mode, mode_of(call));
    TRY(json::object certificates, certificates_of(call));
    Request request = changing(call, "PATCH", path_of({"enrollments", call.text("ID")}));
    const std::string slots = certificates.size() == 2 ? std::string{"both slots"}
                                                       : std::string{certificates.begin()->key()};
    (*request.body)["certificates"] = std::move(certificates);
    (*request.body)["mode"] = mode;
    if (call.has("--force")) {
        (*request.body)["force"] = true;
    }
    TRY(AdminClient client, AdminClient::of(call.globals()));
    const Care care = mode == "plain" ? Care::devices : Care::always;
    TRY(const auto answer, perform(call, client, {request, care}));
    return answer ? report_change(call, *answer, call.text("ID") + ": " + slots + " set.")
                  : Exit::done;
}

Result<Exit> remove(const Invocation& call) {
    Request request =
        changing(call, "DELETE",
                 path_of({"enrollments", call.text("ID"), "certificates", call.text("SLOT")}));
    if (call.has("--breach")) {
        request.query.emplace_back("mode", "breach");
    }
    TRY(AdminClient client, AdminClient::of(call.globals()));
    TRY(const auto answer, perform(call, client, {request, Care::always}));
    return answer ? report_change(call, *answer,
                                  call.text("ID") + ": " + call.text("SLOT") + " is empty.")
                  : Exit::done;
}

Result<Exit> swap(const Invocation& call) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    TRY(const json::value answer,
        client.send(changing(call, "POST", path_of({"enrollments", call.text("ID"), "swap"}))));
    return report_change(call, answer,
                         "The slots of " + call.text("ID") +
                             " have changed places; nothing "
                             "changes for the device.");
}

}  // namespace

void print_leaf_slots(std::ostream& out, const json::value& slots) {
    TablePrinter table{out, {"SLOT", "SUBJECT", "NOT BEFORE", "NOT AFTER", "KEY", "SHA-256"}};
    for (const std::string slot : {"primary", "secondary"}) {
        const json::value* leaf = find_member(slots, slot);
        if (leaf == nullptr || !leaf->is_object()) {
            table.row({slot, "empty", "-", "-", "-", "-"});
            continue;
        }
        table.row({slot, shown(*leaf, "subject"), shown(*leaf, "notBefore"),
                   shown(*leaf, "notAfter"), shown(*leaf, "key"),
                   shown(*leaf, "sha256Thumbprint")});
    }
    table.flush();
}

std::vector<Command> enrollment_cert_commands() {
    const Parameter id = positional("ID", "the device's registration id");
    const Parameter slot = positional("SLOT", "the slot").one_of({"primary", "secondary"});
    Parameter maybe_slot = slot;
    maybe_slot.may_be_left_out();
    return {
        {"enrollment cert set",
         "put a device's certificate into a slot",
         {id, maybe_slot,
          positional("FILE", "the certificate: PEM, DER or base64; - reads stdin")
              .may_be_left_out(),
          option("--primary FILE", "without SLOT: the primary's new certificate"),
          option("--secondary FILE", "without SLOT: the secondary's; both are one change"),
          flag("--replace-now", "withdraw trust in the old certificate: what rests on it closes"),
          flag("--breach", "the old key was lost: as --replace-now, and the key is distrusted"),
          force_flag(), reason_option(), etag_option()},
         {{"rollcall enrollment cert set meter-17 secondary next.pem",
           "both are accepted from now on"},
          {"rollcall enrollment cert set meter-17 primary new.pem --breach --yes",
           "the old key was lost"},
          {"rollcall enrollment cert set meter-17 --primary a.pem --secondary b.pem --breach --yes",
           "both were lost: one change"}},
         set,
         "Without --yes, --breach and --replace-now only show what they would do, and a change "
         "that would cost the device its only way in is refused."},
        {"enrollment cert remove",
         "empty a slot",
         {id, slot,
          flag("--breach", "the key was lost: close what rests on it and distrust the key"),
          reason_option(), etag_option()},
         {{"rollcall enrollment cert remove meter-17 primary", "shows what would happen"},
          {"rollcall enrollment cert remove meter-17 primary --yes", ""}},
         remove},
        {"enrollment cert swap",
         "exchange the two slots; changes nothing for the device",
         {id, reason_option(), etag_option()},
         {{"rollcall enrollment cert swap meter-17", ""}},
         swap},
    };
}

}  // namespace rollcall::app
