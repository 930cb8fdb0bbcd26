// SPDX-License-Identifier: Apache-2.0
// Revocation by the CRLs that the caller gave (RFC 5280 section 6.3). Inside x509 only; devices
// bring none, `rollcall pki verify --crls` does.
#pragma once

#include "x509/crl.hpp"
#include "x509/path_checks.hpp"

#include <optional>
#include <string>

namespace rollcall::x509 {

class Revocation {
public:
    /// `depth`: how many searches for CRL signers this one stands in.
    Revocation(const PathMaterial& material, const PathRules& rules, SignatureChecker& signatures,
               std::size_t depth)
        : material_(material), rules_(rules), signatures_(signatures), depth_(depth) {}

    /// Revoked, or not known to be good: what is wrong with certificate `i` of a whole path.
    std::optional<Finding> check(PathView path, std::size_t i);

private:
    struct Subject;
    /// A list that speaks for the certificate, and the reasons it covers.
    std::optional<Reasons> speaks_for(const Crl& crl, const Subject& subject) const;
    bool is_current(const Crl& crl) const;
    bool is_signed(const Crl& crl, PathView path, std::size_t i);
    bool may_sign(const Crl& crl, const Certificate& signer);
    bool leads_to(const Certificate& signer, const Certificate& anchor);
    CrlEntry entry_with_deltas(const Crl& base, const Subject& subject);

    const PathMaterial& material_;
    const PathRules& rules_;
    SignatureChecker& signatures_;
    std::size_t depth_;
};

/// search_paths within a search: for a CRL's signer.
PathVerdict search_paths_within(const PathMaterial& material, const PathRules& rules,
                                SignatureMemory* memory,
                                const std::function<Search(const Path&)>& on_valid,
                                std::size_t depth);

}  // namespace rollcall::x509
