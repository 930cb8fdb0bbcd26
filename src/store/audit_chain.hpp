// SPDX-License-Identifier: Apache-2.0
// The audit log's chain: every record carries the hash of the one before, and the newest hash is
// signed. Shared by both stores; `audit verify` and its tests read it back through verify_audit().
#pragma once

#include "store/store.hpp"

#include <optional>
#include <string>
#include <string_view>

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

/// Follows a chain record by record, knowing no key: each must be the next, follow the one before
/// and be what its hash says.
class ChainWalk {
public:
    /// Behind the record `sequence`, whose hash is `hash`; 0 and zeros: from the beginning.
    explicit ChainWalk(std::uint64_t sequence = 0, const Digest& hash = {})
        : sequence_(sequence), hash_(hash) {}

    /// Goes on by one record, or says what is wrong with it and stays where it is.
    std::optional<AuditFault> follow(const AuditRecord& record);
    std::uint64_t sequence() const { return sequence_; }
    const Digest& hash() const { return hash_; }

private:
    std::uint64_t sequence_;
    Digest hash_;
};

/// The last record that was pruned, signed as such: the chain begins behind it. Kept as a setting,
/// so that it is written together with what goes.
inline constexpr const char* checkpoint_setting = "audit.checkpoint";
AuditHead signed_checkpoint(std::uint64_t sequence, const Digest& hash, const Digest& key);
std::string to_text(const AuditHead& checkpoint);
/// None for what is no checkpoint; its signature is not looked at.
std::optional<AuditHead> parse_checkpoint(std::string_view text);

/// The checkpoint of a store's log; none where it was never pruned. One that cannot be read comes
/// as zeros, which are signed by nobody: nothing verifies behind it.
Task<Result<std::optional<AuditHead>>> kept_checkpoint(StoreReader& reader);

/// Reads a chain in its order. It cannot see that log *and* signed head were put back together to
/// an older state: who must know keeps heads elsewhere (`audit export`).
class AuditVerifier {
public:
    /// `checkpoint`: of a log that was pruned.
    AuditVerifier(const AuditHead& head, const Digest& key,
                  const std::optional<AuditHead>& checkpoint = {});

    /// The next record; false once a fault was found (feeding on is allowed and changes nothing).
    bool feed(const AuditRecord& record);
    /// After the last record. None: all is as it was written.
    std::optional<AuditFault> finish() const;
    /// Sound records so far, from the first or the checkpoint on.
    std::uint64_t sound() const { return walk_.sequence() - begin_; }

private:
    AuditHead head_;
    std::uint64_t begin_ = 0;
    ChainWalk walk_;
    std::optional<AuditFault> fault_{};
};

/// The whole log of a store.
struct AuditCheck {
    std::uint64_t records = 0;  ///< sound ones, from the first that is there
    std::optional<AuditFault> fault{};
    std::optional<AuditHead> checkpoint{};  ///< of a log that was pruned
};
Task<Result<AuditCheck>> verify_audit(StoreReader& reader, const Digest& key);

}  // namespace rollcall::store
