// SPDX-License-Identifier: Apache-2.0
// The audit log's chain: every record carries the hash of the one before, and the newest hash is
// signed. Shared by both stores; `audit verify` and its tests read it back through verify_audit().
#pragma once

#include "store/store.hpp"

#include <optional>
#include <string>

namespace rollcall::store {

/// SHA-256 over the previous hash and all fields of the record, each with its length before it:
/// no two different records have one serialisation.
Digest audit_hash(std::uint64_t sequence, const domain::AuditEvent& event, const Digest& previous);

/// HMAC-SHA-256 over sequence and hash. `key` is made from the data directory's secret.key
/// (DataDirectory::derived_key("audit")).
AuditHead signed_head(std::uint64_t sequence, const Digest& hash, const Digest& key);

/// The record that follows `head`, and the head after it.
struct ChainedAudit {
    AuditRecord record;
    AuditHead head;
};
ChainedAudit chain_audit(const AuditHead& head, domain::AuditEvent event, const Digest& key);

/// What the server records when it finds the head of its log not signed with its own key: whoever
/// wrote that head could not write this record away again.
domain::AuditEvent audit_broken(TimePoint now);

/// What is wrong with a chain, and from where on. Records before `sequence` are as they were.
struct AuditFault {
    std::uint64_t sequence = 0;
    std::string what{};

    bool operator==(const AuditFault&) const = default;
};

/// Reads a chain in its order. It cannot see that log *and* signed head were put back together to
/// an older state: who must know keeps heads elsewhere (`audit export`).
class AuditVerifier {
public:
    AuditVerifier(const AuditHead& head, const Digest& key);

    /// The next record; false once a fault was found (feeding on is allowed and changes nothing).
    bool feed(const AuditRecord& record);
    /// After the last record. None: all is as it was written.
    std::optional<AuditFault> finish() const;
    /// Sound records so far.
    std::uint64_t sound() const { return sequence_; }

private:
    AuditHead head_;
    std::uint64_t sequence_ = 0;
    Digest hash_{};
    std::optional<AuditFault> fault_{};
};

/// The whole log of a store.
struct AuditCheck {
    std::uint64_t records = 0;  ///< sound ones, from the first
    std::optional<AuditFault> fault{};
};
Task<Result<AuditCheck>> verify_audit(StoreReader& reader, const Digest& key);

}  // namespace rollcall::store
