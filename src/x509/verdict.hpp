// SPDX-License-Identifier: Apache-2.0
// PathVerdict: everything that is right or wrong with a chain, as data an operator can read.
// A failed chain is not an Error; domain/attestation turns a verdict into a refusal.
#pragma once

#include "x509/certificate.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace rollcall::x509 {

/// What can be found on one certificate, or on the path as a whole.
enum class Fault {
    // one certificate
    expired,
    not_yet_valid,
    weak_key,  ///< RSA < 2048, curve < 256 bits, DSA, unknown kinds
    undecodable_key,
    weak_signature,      ///< MD5, SHA-1 (or older)
    signature_mismatch,  ///< the issuer's key does not verify it
    algorithm_mismatch,  ///< inner and outer signature algorithm differ
    unknown_critical_extension,
    malformed_extension,
    duplicate_extension,
    wrong_purpose,       ///< EKU present without what is asked (clientAuth for devices); a CA
                         ///< certificate in a device's place
    not_a_ca,            ///< issuer without cA (or an anchor that says CA:FALSE)
    no_cert_sign,        ///< keyUsage present without keyCertSign on an issuer
    path_too_long,       ///< pathLenConstraint or the caller's bound
    name_constraint,     ///< a name outside permitted or inside excluded subtrees
    policy,              ///< requireExplicitPolicy, inhibitPolicyMapping violated
    distrusted_key,      ///< SPKI on the distrust list
    name_mismatch,       ///< CN differs from the registration id, or the name asked for is absent
    revoked,             ///< only where CRLs were given
    unknown_revocation,  ///< CRLs were given and none speaks for this certificate
    // the path
    no_issuer_found,   ///< a gap: nothing sent or stored was issued by that name
    issuer_other_key,  ///< an issuer of that name is known, with another key
    unknown_anchor,    ///< the path is whole but ends at a CA nobody enrolled
    loop,              ///< only a certificate already on the path would continue it
    budget_spent,      ///< a bound of base/limits.hpp ended the search
    too_many_certificates,
};

/// Stable word, kebab-case: "not-yet-valid".
std::string_view to_string(Fault fault);

enum class Gravity { note, warning, fatal };

struct Finding {
    Fault fault;
    Gravity gravity = Gravity::fatal;
    /// What was found, with the values: "expired on 2026-01-31T00:00:00Z, 296 days ago".
    std::string detail;
    /// What would mend it, in plain words; empty for notes.
    std::string fix;

    bool operator==(const Finding&) const = default;
};

enum class Role { end_entity, intermediate, anchor };

/// One certificate of the path that came furthest, with all that was found on it.
struct JudgedCertificate {
    Certificate certificate;
    Role role = Role::intermediate;
    bool sent = true;  ///< false: completed from the store
    std::vector<Finding> findings;
};

struct PathVerdict {
    bool valid = false;
    /// End entity first. Where valid: the path; otherwise the attempt that came furthest.
    std::vector<JudgedCertificate> path;
    /// Findings on the path as a whole (a gap, an unknown anchor, a spent budget).
    std::vector<Finding> findings;
    /// The finding that decided, in one line: `expired: CN=dev-1 expired on ...`. Empty when valid.
    std::string reason;
    std::size_t signature_checks = 0;

    /// The first fatal finding, on the certificate nearest the end entity; nullptr when valid.
    const Finding* decisive() const;
    bool has(Fault fault) const;
};

}  // namespace rollcall::x509
