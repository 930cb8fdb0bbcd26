// SPDX-License-Identifier: Apache-2.0
// AuditSeal: a place in the audit log that the server signed for others. Whoever keeps one, away
// from the server, sees later whether the log up to there is still what it was; no secret is needed
// for it. Exports end with one (the head) and, of a pruned log, begin with one (the checkpoint).
#pragma once

#include "store/audit_chain.hpp"

#include <string>

namespace rollcall::store {

struct AuditSeal {
    enum class Kind : std::uint8_t {
        head,        ///< the log's end at that time
        checkpoint,  ///< records up to there were pruned
    } kind = Kind::head;
    std::string scope{};  ///< idScope: which server's log
    std::uint64_t sequence = 0;
    Digest hash{};
    TimePoint at{};
    Digest public_key{};  ///< Ed25519
    Bytes signature{};

    bool operator==(const AuditSeal&) const = default;
};

std::string_view to_string(AuditSeal::Kind kind);

/// `key`: that of the audit chain. The signing key is made from it, and never changes.
AuditSeal sealed(AuditSeal::Kind kind, const std::string& scope, const AuditHead& place,
                 TimePoint at, const Digest& key);

/// Is it signed with the key it names? Whose key that is, says an earlier seal.
bool is_genuine(const AuditSeal& seal);

}  // namespace rollcall::store
