// SPDX-License-Identifier: Apache-2.0
// rollcall audit: what operators changed, in a chain of hashes.
#include "app/operation.hpp"
#include "base/files.hpp"

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

Result<Exit> verify(const Invocation& call) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    TRY(const json::value answer, client.get("/audit/verification"));
    const bool intact = shown(answer, "intact") == "yes";
    if (call.globals().json) {
        print_json(call.io().out, answer);
    } else {
        call.io().out << (intact ? "intact: " : "BROKEN: ") << shown(answer, "events")
                      << " events\n";
    }
    if (!intact) {
        return Error{.kind = ErrorKind::conflict,
                     .detail = "the chain of audit events is broken at number " +
                               shown(answer, "brokenAt") + ": " + shown(answer, "detail")};
    }
    return Exit::done;
}

/// One event a line, as the API gives it: the hashes can be checked without us.
Result<Exit> export_events(const Invocation& call) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    Request request;
    request.path = "/audit";
    std::uint64_t events = 0;
    const auto write = [&](const json::object& event) {
        call.io().out << json::serialize(event) << '\n';
        ++events;
    };
    TRY([[maybe_unused]] const auto done, client.each(request, write));
    call.io().out.flush();
    if (!call.io().out) {
        return Error{.kind = ErrorKind::unavailable, .detail = "the export cannot be written"};
    }
    call.io().err << counted(events, "event") << " exported\n";
    return Exit::done;
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
         {},
         {{"rollcall audit verify", ""}, {"rollcall audit verify --json", ""}},
         verify},
        {"audit export",
         "all events with their hashes, one JSON object a line",
         {},
         {{"rollcall audit export > audit.jsonl", ""}},
         export_events},
    };
}

}  // namespace rollcall::app
