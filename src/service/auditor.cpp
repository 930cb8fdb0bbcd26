// SPDX-License-Identifier: Apache-2.0
#include "service/auditor.hpp"

#include "base/limits.hpp"
#include "service/audit_detail.hpp"

#include <algorithm>

namespace rollcall::service {

namespace {

using store::AuditSeal;

constexpr const char* prune_action = "audit.prune";

domain::Changes pruning(const Order& order, std::uint64_t first, std::uint64_t last,
                        AuditDetail detail, TimePoint now) {
    detail.text("first", std::to_string(first)).text("last", std::to_string(last));
    domain::Changes changes;
    changes.writes.push_back(domain::PruneAudit{last});
    changes.audit.push_back(audit_event(order, prune_action, "audit", detail, now));
    return changes;
}

Error broken_at(const store::AuditFault& fault) {
    return {ErrorKind::conflict,
            "the audit log is broken at number " + std::to_string(fault.sequence) +
                "; it is not pruned, so that this can be looked into",
            "audit-broken", fault.what};
}

/// The server itself: no operator asked for it now, the configuration did.
Order by_configuration() {
    Order order;
    order.caller = {"server", "local"};
    order.reason = "the configuration says how much of the audit log is kept";
    return order;
}

}  // namespace

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
        co_return broken_at(*check.fault);
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
    // In turns, so that devices' registrations get theirs between them.
    for (std::uint64_t first = span.first; first != 0 && first <= span.last;) {
        const auto last = std::min(span.last, first + limits::audit_prune_turn_max - 1);
        AuditDetail detail;
        detail.text("olderThan", to_iso8601_seconds(before));
        const auto changes = pruning(order, first, last, detail, now);
        CO_TRY([[maybe_unused]] const auto receipt, co_await ledger_.commit(changes));
        first = last + 1;
    }
    CO_TRY(const auto after, co_await seals());
    outcome.record = Pruned{span.count(), after};
    co_return outcome;
}

struct Auditor::Due {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::uint64_t events = 0;
    bool marks_only = true;
    bool more = false;
};

/// Reads what may go, at most a turn's worth, and verifies it on the way.
Task<Result<Auditor::Due>> Auditor::due(const AuditKeep& keep, const store::AuditHead& head,
                                        const std::optional<store::AuditHead>& checkpoint) {
    const std::uint64_t begin = checkpoint ? checkpoint->sequence : 0;
    const std::uint64_t there = head.sequence - std::min(begin, head.sequence);
    const bool too_many = keep.events && there > *keep.events + *keep.events / 10;
    const std::uint64_t up_to = too_many ? head.sequence - *keep.events : 0;
    const TimePoint before = keep.age ? clock_.now() - *keep.age : TimePoint::min();
    store::AuditVerifier verifier{head, audit_key_, checkpoint};
    Due due;
    store::PageRequest request{std::to_string(begin), limits::page_max};
    while (true) {
        CO_TRY(const auto page, co_await reader_.audit(request));
        for (const auto& record : page.items) {
            if (record.sequence > up_to && record.event.at >= before) {
                co_return due;
            }
            due.more = due.events == limits::audit_prune_turn_max;
            if (due.more) {
                co_return due;
            }
            if (!verifier.feed(record)) {
                co_return broken_at(*verifier.finish());
            }
            due.first = due.events == 0 ? record.sequence : due.first;
            due.last = record.sequence;
            due.events += 1;
            due.marks_only = due.marks_only && record.event.action == prune_action;
        }
        if (page.next.empty()) {
            co_return due;
        }
        request.after = page.next;
    }
}

Task<Result<RetentionTurn>> Auditor::retain(const AuditKeep& keep) {
    RetentionTurn turn;
    if (keep.everything()) {
        co_return turn;
    }
    CO_TRY(const auto checkpoint, co_await store::kept_checkpoint(reader_));
    CO_TRY(const auto head, co_await reader_.audit_head());
    CO_TRY(const Due found, co_await due(keep, head, checkpoint));
    if (found.events == 0 || found.marks_only) {
        co_return turn;
    }
    AuditDetail detail;
    if (keep.age) {
        detail.text("keepDays", std::to_string(keep.age->count()));
    }
    if (keep.events) {
        detail.text("keepEvents", std::to_string(*keep.events));
    }
    const Order order = by_configuration();
    const auto changes = pruning(order, found.first, found.last, detail, clock_.now());
    CO_TRY([[maybe_unused]] const auto receipt, co_await ledger_.commit(changes));
    turn.events = found.events;
    turn.more = found.more;
    co_return turn;
}

}  // namespace rollcall::service
