// SPDX-License-Identifier: Apache-2.0
#include "service/auditor.hpp"

#include "base/limits.hpp"
#include "service/audit_detail.hpp"

namespace rollcall::service {

using store::AuditSeal;

/// The events that are older than a time.
struct Auditor::Span {
    std::uint64_t first = 0;  ///< 0: none
    std::uint64_t last = 0;

    std::uint64_t count() const { return first == 0 ? 0 : last - first + 1; }
};

Task<Result<store::AuditCheck>> Auditor::verify() {
    co_return co_await store::verify_audit(reader_, audit_key_);
}

Task<Result<AuditSeals>> Auditor::seals() {
    const std::string key{store::checkpoint_setting};
    CO_TRY(const auto text, co_await reader_.setting(key));
    CO_TRY(const auto head, co_await reader_.audit_head());
    const TimePoint now = clock_.now();
    AuditSeals seals{store::sealed(AuditSeal::Kind::head, scope_, head, now, audit_key_), {}};
    if (const auto checkpoint = store::parse_checkpoint(text.value_or(""))) {
        seals.checkpoint =
            store::sealed(AuditSeal::Kind::checkpoint, scope_, *checkpoint, now, audit_key_);
    }
    co_return seals;
}

Task<Result<Auditor::Span>> Auditor::older_than(TimePoint before) {
    Span span;
    store::PageRequest request{{}, limits::page_max};
    while (true) {
        CO_TRY(const auto page, co_await reader_.audit(request));
        for (const auto& record : page.items) {
            if (record.event.at >= before) {
                co_return span;
            }
            span.first = span.first == 0 ? record.sequence : span.first;
            span.last = record.sequence;
        }
        if (page.next.empty()) {
            co_return span;
        }
        request.after = page.next;
    }
}

Task<Result<Outcome<Pruned>>> Auditor::prune(const Order& order, TimePoint before) {
    if (order.reason.size() > limits::reason_chars_max) {
        co_return Error{
            ErrorKind::malformed,
            "the reason has more than " + std::to_string(limits::reason_chars_max) + " characters",
            "reason-too-long"};
    }
    const TimePoint now = clock_.now();
    if (before > now) {
        co_return Error{ErrorKind::malformed, "events that are yet to come cannot be pruned",
                        "before-in-the-future"};
    }
    CO_TRY(const auto check, co_await verify());
    if (check.fault) {
        co_return Error{ErrorKind::conflict,
                        "the audit log is broken at number " +
                            std::to_string(check.fault->sequence) +
                            "; it is not pruned, so that this can be looked into",
                        "audit-broken"};
    }
    CO_TRY(const Span span, co_await older_than(before));
    Outcome<Pruned> outcome;
    if (order.dry_run) {
        outcome.preview.emplace();
        outcome.preview->summary.push_back(
            span.count() == 0
                ? "No audit event is older."
                : "Takes " + std::to_string(span.count()) + " audit events away, number " +
                      std::to_string(span.first) + " to " + std::to_string(span.last) +
                      ", for good. Export them first.");
        co_return outcome;
    }
    if (span.count() > 0) {
        AuditDetail detail;
        detail.text("olderThan", to_iso8601_seconds(before))
            .text("first", std::to_string(span.first))
            .text("last", std::to_string(span.last));
        domain::Changes changes;
        changes.writes.push_back(domain::PruneAudit{span.last});
        changes.audit.push_back({now, order.caller.name, order.caller.source, "audit.prune",
                                 "audit", detail.json(), order.reason});
        CO_TRY([[maybe_unused]] const auto receipt, co_await ledger_.commit(changes));
    }
    CO_TRY(const auto after, co_await seals());
    outcome.record = Pruned{span.count(), after};
    co_return outcome;
}

}  // namespace rollcall::service
