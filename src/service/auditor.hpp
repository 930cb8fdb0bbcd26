// SPDX-License-Identifier: Apache-2.0
// Auditor: the use cases about the audit log itself: is it whole, what of it can be kept elsewhere,
// and what of it may go.
#pragma once

#include "base/world.hpp"
#include "service/caller.hpp"
#include "service/preview.hpp"
#include "store/audit_seal.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace rollcall::service {

/// The log's end and, where it was pruned, its beginning, signed for others.
struct AuditSeals {
    store::AuditSeal head;
    std::optional<store::AuditSeal> checkpoint{};
};

struct Pruned {
    std::uint64_t events = 0;  ///< that went
    AuditSeals seals;
};

/// Which events stay; the default keeps all.
struct AuditKeep {
    std::optional<std::chrono::days> age{};  ///< not older
    std::optional<std::uint64_t> events{};   ///< at most about as many

    bool everything() const { return !age && !events; }
    bool operator==(const AuditKeep&) const = default;
};

struct RetentionTurn {
    std::uint64_t events = 0;  ///< that went
    bool more = false;         ///< is due already
};

class Auditor {
public:
    /// `audit_key` signs the log.
    Auditor(store::StoreReader& reader, store::Ledger& ledger, const Clock& clock,
            const Digest& audit_key, std::string scope)
        : reader_(reader),
          ledger_(ledger),
          clock_(clock),
          audit_key_(audit_key),
          scope_(std::move(scope)) {}

    /// Reads the whole log.
    Task<Result<store::AuditCheck>> verify();
    Task<Result<AuditSeals>> seals();
    /// Takes the events before `before` away, from the oldest up to the first that is not older.
    /// The last of them stays as a checkpoint; that it was done is an event of its own, for each
    /// limits::audit_prune_turn_max of them. malformed "before-in-the-future"; conflict
    /// "audit-broken": a break must not be pruned away.
    Task<Result<Outcome<Pruned>>> prune(const Order& order, TimePoint before);
    /// The server's own pruning: one turn, of at most limits::audit_prune_turn_max events, which
    /// are verified before they go. By number it starts a tenth late, and marks of earlier turns
    /// alone are no reason for another: else each turn would be followed by one for its own mark.
    /// conflict "audit-broken".
    Task<Result<RetentionTurn>> retain(const AuditKeep& keep);

private:
    struct Span;
    struct Due;
    Task<Result<Span>> older_than(TimePoint before);
    Task<Result<Due>> due(const AuditKeep& keep, const store::AuditHead& head,
                          const std::optional<store::AuditHead>& checkpoint);

    store::StoreReader& reader_;
    store::Ledger& ledger_;
    const Clock& clock_;
    const Digest audit_key_;
    const std::string scope_;
};

}  // namespace rollcall::service
