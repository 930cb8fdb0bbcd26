// SPDX-License-Identifier: Apache-2.0
// Native API: the audit log, read, verified, sealed for others and pruned.
#include "front/native_routes.hpp"

#include <algorithm>

namespace rollcall::front {
namespace {

using service::Permission;

json::object to_json(const store::AuditSeal& seal) {
    return {{"kind", store::to_string(seal.kind)},
            {"scopeId", seal.scope},
            {"sequence", seal.sequence},
            {"hash", to_upper_hex(seal.hash.bytes)},
            {"at", to_iso8601_ticks(seal.at)},
            {"publicKey", to_upper_hex(seal.public_key.bytes)},
            {"signature", to_base64(seal.signature)}};
}

json::object to_json(const service::AuditSeals& seals) {
    return {{"head", to_json(seals.head)},
            {"checkpoint",
             seals.checkpoint ? json::value(to_json(*seals.checkpoint)) : json::value(nullptr)}};
}

Task<Result<Answer>> list_audit(const NativeServices& services, const Call& call) {
    CO_TRY(const auto request, call.page());
    const auto digits = [](unsigned char c) { return c >= '0' && c <= '9'; };
    if (request.after.size() > 18 ||
        !std::all_of(request.after.begin(), request.after.end(), digits)) {
        co_return Error{ErrorKind::malformed, "the parameter 'after' is the `next` of a page",
                        "malformed-parameter"};
    }
    const auto order = call.in_query("order").value_or("oldest");
    if (order != "oldest" && order != "newest") {
        co_return Error{ErrorKind::malformed, "the parameter 'order' is oldest or newest",
                        "malformed-parameter"};
    }
    const store::AuditFilter filter{call.in_query("actor").value_or(""),
                                    call.in_query("action").value_or(""),
                                    call.in_query("object").value_or("")};
    const bool narrows = !(filter.actor.empty() && filter.action.empty() && filter.object.empty());
    if (narrows && order == "oldest") {
        co_return Error{ErrorKind::malformed,
                        "'actor', 'action' and 'object' narrow the log from its newest event on: "
                        "also give order=newest",
                        "malformed-parameter"};
    }
    auto asked = order == "newest" ? services.fleet.audit_backwards(request, filter)
                                   : services.reader.audit(request);
    CO_TRY(const auto page, co_await std::move(asked));
    Answer answer;
    answer.body = page_of(page);
    co_return answer;
}

Task<Result<Answer>> verify_audit(const NativeServices& services, const Call&) {
    CO_TRY(const auto check, co_await services.auditor.verify());
    const auto& checkpoint = check.checkpoint;
    Answer answer;
    answer.body = json::object{
        {"intact", !check.fault},
        {"events", check.records},
        {"brokenAt", check.fault ? json::value(check.fault->sequence) : json::value(nullptr)},
        {"detail", check.fault ? check.fault->what : std::string{}},
        {"prunedUpTo", checkpoint ? json::value(checkpoint->sequence) : json::value(nullptr)}};
    co_return answer;
}

Task<Result<Answer>> seal_audit(const NativeServices& services, const Call&) {
    CO_TRY(const auto seals, co_await services.auditor.seals());
    Answer answer;
    answer.body = to_json(seals);
    co_return answer;
}

Task<Result<Answer>> prune_audit(const NativeServices& services, const Call& call) {
    Fields fields{call.body};
    const auto before = parse_iso8601(fields.text("before"));
    if (!before) {
        fields.refuse({ErrorKind::malformed, "'before' is a time as 2026-01-31T00:00:00Z",
                       "malformed-member"});
    }
    CO_TRY(const auto order, call.order(fields));
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto outcome, co_await services.auditor.prune(order, *before));
    Answer answer;
    if (outcome.preview) {
        answer.body =
            front::to_json(*outcome.preview, outcome.findings, outcome.warnings, Pem::without);
        co_return answer;
    }
    json::object body = to_json(outcome.record->seals);
    body["events"] = outcome.record->events;
    answer.body = std::move(body);
    co_return answer;
}

}  // namespace

void add_audit_routes(std::vector<Route>& routes) {
    const auto read = Permission::audit_read;
    routes.push_back({"GET",
                      "/audit",
                      "listAudit",
                      read,
                      {"limit", "after", "order", "actor", "action", "object"},
                      Body::none,
                      list_audit});
    routes.push_back(
        {"GET", "/audit/verification", "verifyAudit", read, {}, Body::none, verify_audit});
    routes.push_back({"GET", "/audit/head", "getAuditHead", read, {}, Body::none, seal_audit});
    routes.push_back({"POST",
                      "/audit/prune",
                      "pruneAudit",
                      Permission::audit_write,
                      {"dryRun"},
                      Body::required,
                      prune_audit});
}

}  // namespace rollcall::front
