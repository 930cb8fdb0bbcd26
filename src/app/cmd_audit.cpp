// SPDX-License-Identifier: Apache-2.0
// rollcall audit: what operators changed, in a chain of hashes.
#include "app/audit_file.hpp"
#include "app/operation.hpp"
#include "base/files.hpp"

#include <filesystem>
#include <fstream>
#include <functional>
#include <ostream>

#include <boost/json/serialize.hpp>

namespace rollcall::app {

namespace {

Result<Exit> list(const Invocation& call) {
    Request request;
    request.path = "/audit";
    if (call.has("--after")) {
        request.query.emplace_back("after", call.text("--after"));
    }
    return print_listing(call, request,
                         {{"NUMBER", "sequence"},
                          {"AT", "at"},
                          {"WHO", "actor"},
                          {"FROM", "source"},
                          {"DID", "action"},
                          {"TO", "object"},
                          {"REASON", "reason"}},
                         "Nothing was changed yet.");
}

/// What a command found out about a log, for print_findings().
json::object findings_json(const AuditFindings& findings) {
    const auto& fault = findings.fault;
    return {{"intact", !fault},
            {"events", findings.events},
            {"brokenAt", fault ? json::value(fault->sequence) : json::value(nullptr)},
            {"detail", fault ? fault->what : std::string{}},
            {"prunedUpTo",
             findings.first > 1 ? json::value(findings.first - 1) : json::value(nullptr)}};
}

/// "intact: 12 events"; exit 1 with the number where it is not.
Result<Exit> print_findings(const Invocation& call, const json::value& findings) {
    const bool intact = shown(findings, "intact") == "yes";
    if (call.globals().json) {
        print_json(call.io().out, findings);
    } else {
        const std::string pruned = shown(findings, "prunedUpTo");
        call.io().out << (intact ? "intact: " : "BROKEN: ") << shown(findings, "events")
                      << " events" << (pruned == "-" ? "" : ", pruned up to number " + pruned)
                      << '\n';
    }
    if (!intact) {
        return Error{.kind = ErrorKind::conflict,
                     .detail = "the chain of audit events is broken at number " +
                               shown(findings, "brokenAt") + ": " + shown(findings, "detail")};
    }
    return Exit::done;
}

void tell_signer(const Invocation& call, const AuditFindings& findings) {
    if (findings.head && !call.globals().json) {
        call.io().err << "signed by " << findings.head->scope << " with the key "
                      << to_upper_hex(findings.head->public_key.bytes) << " at "
                      << to_iso8601_seconds(findings.head->at) << '\n';
    }
}

/// Calls `line` with everything an export of the server's log has, in its order: events up to the
/// head that is asked for first.
Result<std::uint64_t> each_exported(const Invocation& call, AdminClient& client,
                                    const std::function<void(const json::object&)>& line) {
    constexpr std::uint64_t told_every = 10'000;
    TRY(const json::value seals, client.get("/audit/head"));
    const json::value* const head = find_member(seals, "head");
    const json::value* const checkpoint = find_member(seals, "checkpoint");
    if (head == nullptr) {
        return Error{.kind = ErrorKind::internal, .detail = "the server answered without a head"};
    }
    TRY(const auto seal, read_seal(*head));
    std::uint64_t begin = 0;
    if (checkpoint != nullptr && !checkpoint->is_null()) {
        TRY(const auto from, read_seal(*checkpoint));
        begin = from.sequence;
        line({{"checkpoint", *checkpoint}});
    }
    std::uint64_t events = 0;
    std::uint64_t told = 0;
    Request request;
    request.path = "/audit";
    const auto take = [&](const json::object& event) {
        const json::value* const sequence = event.if_contains("sequence");
        boost::system::error_code failed;
        const auto number =
            sequence != nullptr ? sequence->to_number<std::uint64_t>(failed) : seal.sequence;
        if (!failed && number <= seal.sequence) {  // later ones belong to a later head
            line(event);
            ++events;
        }
    };
    const auto tell = [&] {
        if (events / told_every != told) {
            told = events / told_every;
            call.io().err << events << " of " << seal.sequence - begin << " events\n";
        }
    };
    TRY([[maybe_unused]] const auto done, client.each(request, take, tell));
    line({{"head", *head}});
    return events;
}

/// The server's own word, and where an earlier head is given, what the log says when it is read
/// without believing the server.
Result<Exit> verify_server(const Invocation& call, std::optional<EarlierExport> earlier) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    TRY(const json::value answer, client.get("/audit/verification"));
    if (!earlier || shown(answer, "intact") != "yes") {
        return print_findings(call, answer);
    }
    AuditWalk walk{std::move(earlier)};
    TRY([[maybe_unused]] const auto events,
        each_exported(call, client, [&walk](const json::object& line) { walk.feed(line); }));
    const AuditFindings findings = walk.finish();
    tell_signer(call, findings);
    return print_findings(call, findings_json(findings));
}

Result<Exit> verify(const Invocation& call) {
    std::optional<EarlierExport> earlier;
    if (const auto file = call.maybe("--head")) {
        TRY(earlier, read_earlier(*file));
    }
    const auto file = call.maybe("FILE");
    if (!file) {
        return verify_server(call, std::move(earlier));
    }
    TRY(const AuditFindings findings, walk_file(*file, std::move(earlier)));
    tell_signer(call, findings);
    return print_findings(call, findings_json(findings));
}

/// A file that is whole or not there: written beside its place and renamed.
class ExportFile {
public:
    explicit ExportFile(std::filesystem::path place)
        : place_(std::move(place)), beside_(place_.string() + ".part") {}
    ~ExportFile() {
        if (!done_) {
            std::error_code ignored;
            std::filesystem::remove(beside_, ignored);
        }
    }
    ExportFile(const ExportFile&) = delete;
    ExportFile& operator=(const ExportFile&) = delete;

    Result<Done> open() {
        // Made 0600 first: who did what is not everybody's.
        TRY([[maybe_unused]] const auto made,
            write_file(beside_, "", Secrecy::secret, FileSet::Existing::replace));
        out_.open(beside_, std::ios::binary | std::ios::trunc);
        return Done{};
    }
    std::ostream& out() { return out_; }
    Result<Done> finish() {
        out_.close();
        std::error_code failed;
        if (out_) {
            std::filesystem::rename(beside_, place_, failed);
        }
        if (!out_ || failed) {
            return Error{.kind = ErrorKind::unavailable,
                         .detail = place_.string() + ": the export cannot be written"};
        }
        done_ = true;
        return Done{};
    }

private:
    std::filesystem::path place_;
    std::filesystem::path beside_;
    std::ofstream out_;
    bool done_ = false;
};

/// Events as the API gives them, between their signed ends: the hashes can be checked without us.
Result<Exit> export_events(const Invocation& call) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    std::optional<ExportFile> file;
    if (const auto place = call.maybe("--out")) {
        file.emplace(*place);
        TRY([[maybe_unused]] const auto open, file->open());
    }
    std::ostream& out = file ? file->out() : call.io().out;
    const auto write = [&out](const json::object& line) { out << json::serialize(line) << '\n'; };
    TRY(const std::uint64_t events, each_exported(call, client, write));
    out.flush();
    if (!out) {
        return Error{.kind = ErrorKind::unavailable, .detail = "the export cannot be written"};
    }
    if (file) {
        TRY([[maybe_unused]] const auto done, file->finish());
    }
    call.io().err << counted(events, "event") << " exported\n";
    return Exit::done;
}

Result<Exit> prune(const Invocation& call) {
    const auto before = parse_iso8601(call.text("--before"));
    if (!before) {
        return usage_error("--before: " + before.error().detail);
    }
    Operation operation{changing(call, "POST", "/audit/prune"), Care::always};
    (*operation.request.body)["before"] = to_iso8601_seconds(*before);
    TRY(AdminClient client, AdminClient::of(call.globals()));
    TRY(const auto answer, perform(call, client, operation));
    if (!answer) {
        return Exit::done;
    }
    const std::string events = shown(*answer, "events");
    return report_change(call, *answer,
                         events + (events == "1" ? " event was" : " events were") + " pruned.");
}

}  // namespace

std::vector<Command> audit_commands() {
    return {
        {"audit list",
         "what operators changed, the oldest first",
         {option("--after NUMBER", "only events with a higher number").is_number()},
         {{"rollcall audit list", ""}, {"rollcall audit list --after 120 --json", ""}},
         list},
        {"audit verify",
         "is the chain of audit events unbroken? exit 1 if not",
         {positional("FILE", "an export; needs no server (default: the server's log)")
              .may_be_left_out(),
          option("--head FILE", "hold the log against this earlier export, or its last line")},
         {{"rollcall audit verify", ""},
          {"rollcall audit verify audit.jsonl", "an export, on any machine"},
          {"rollcall audit verify --head last-month.jsonl",
           "has anything of it been edited, removed, reordered or rewritten since?"}},
         verify,
         "Without --head it is the server that looks, with its own key. Who could change the log "
         "and that key could also make both fit: keep exports, or their last lines, elsewhere. A "
         "whole earlier export tells which event was changed; its last line alone, up to where all "
         "is as it was."},
        {"audit export",
         "all events with their hashes, one JSON object a line, and the signed head",
         {option("--out FILE", "write to this file, mode 0600 (default: stdout)")},
         {{"rollcall audit export > audit.jsonl", ""},
          {"rollcall audit export --out audit.jsonl", ""}},
         export_events},
        {"audit prune",
         "take the oldest events away; the last of them stays as a signed checkpoint",
         {option("--before DATE", "events from then on stay: 2026-01-31 or 2026-01-31T00:00:00Z")
              .must_be_given(),
          reason_option()},
         {{"rollcall audit prune --before 2026-01-01", "say what would go"},
          {"rollcall audit prune --before 2026-01-01 --yes", ""}},
         prune,
         "Export first: what is pruned is gone. A log that is broken is not pruned."},
    };
}

}  // namespace rollcall::app
