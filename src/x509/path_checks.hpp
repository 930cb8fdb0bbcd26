// SPDX-License-Identifier: Apache-2.0
// Certification path validation, cut as RFC 5280 section 6.1 is. Inside x509 only.
//
// The search (x509/path.cpp) goes from the end entity up and prunes by the same rules; what it
// finds is judged here once more from the anchor down, as the RFC has it, before it counts.
#pragma once

#include "x509/name_constraints.hpp"
#include "x509/path.hpp"
#include "x509/signature_checker.hpp"

#include <span>
#include <vector>

namespace rollcall::x509 {

class Revocation;

/// What the checks of one search share.
struct Tools {
    const PathRules& rules;
    SignatureChecker& signatures;
    NameChecker& names;
    /// nullptr where no CRLs were given.
    Revocation* revocation = nullptr;
};

/// End entity first.
using PathView = std::span<const Certificate* const>;

/// Findings for each certificate of the path, in its order.
using PathFindings = std::vector<std::vector<Finding>>;

/// `anchored`: the last certificate is the anchor; otherwise the path is an attempt that ends in
/// the air, judged as far as it goes.
PathFindings check_path(PathView path, bool anchored, Tools& tools);

bool has_fatal(const PathFindings& findings);

/// Does the path so far, end entity first, fit under `issuer`: pathLenConstraint (RFC 5280 section
/// 6.1.4 (l) and (m)) and name constraints (6.1.3 (b) and (c))? The search's cheap question.
bool fits_under(PathView below, const Certificate& issuer, Tools& tools);

/// Intermediates that count towards a path length: not the end entity, none self-issued.
std::size_t counted_intermediates(PathView path);

}  // namespace rollcall::x509
