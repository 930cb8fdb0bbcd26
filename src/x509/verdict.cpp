// SPDX-License-Identifier: Apache-2.0
#include "x509/verdict.hpp"

#include <algorithm>

namespace rollcall::x509 {

std::string_view to_string(Fault fault) {
    switch (fault) {
        case Fault::expired: return "expired";
        case Fault::not_yet_valid: return "not-yet-valid";
        case Fault::weak_key: return "weak-key";
        case Fault::undecodable_key: return "undecodable-key";
        case Fault::weak_signature: return "weak-signature";
        case Fault::signature_mismatch: return "signature-mismatch";
        case Fault::algorithm_mismatch: return "algorithm-mismatch";
        case Fault::unknown_critical_extension: return "unknown-critical-extension";
        case Fault::malformed_extension: return "malformed-extension";
        case Fault::duplicate_extension: return "duplicate-extension";
        case Fault::wrong_purpose: return "wrong-purpose";
        case Fault::not_a_ca: return "not-a-ca";
        case Fault::no_cert_sign: return "no-cert-sign";
        case Fault::path_too_long: return "path-too-long";
        case Fault::name_constraint: return "name-constraint";
        case Fault::policy: return "policy";
        case Fault::distrusted_key: return "distrusted-key";
        case Fault::name_mismatch: return "name-mismatch";
        case Fault::revoked: return "revoked";
        case Fault::unknown_revocation: return "unknown-revocation";
        case Fault::no_issuer_found: return "no-issuer-found";
        case Fault::issuer_other_key: return "issuer-other-key";
        case Fault::unknown_anchor: return "unknown-anchor";
        case Fault::loop: return "loop";
        case Fault::budget_spent: return "budget-spent";
        case Fault::too_many_certificates: return "too-many-certificates";
    }
    return "unknown-fault";
}

const Finding* PathVerdict::decisive() const {
    const auto is_fatal = [](const Finding& finding) { return finding.gravity == Gravity::fatal; };
    const auto first_fatal = [&](const std::vector<Finding>& among) -> const Finding* {
        const auto found = std::find_if(among.begin(), among.end(), is_fatal);
        return found == among.end() ? nullptr : &*found;
    };
    if (valid) {
        return nullptr;
    }
    for (const auto& judged : path) {
        if (const Finding* found = first_fatal(judged.findings)) {
            return found;
        }
    }
    return first_fatal(findings);
}

bool PathVerdict::has(Fault fault) const {
    const auto holds = [&](const std::vector<Finding>& among) {
        return std::any_of(among.begin(), among.end(),
                           [&](const Finding& finding) { return finding.fault == fault; });
    };
    return holds(findings) || std::any_of(path.begin(), path.end(), [&](const auto& judged) {
               return holds(judged.findings);
           });
}

}  // namespace rollcall::x509
