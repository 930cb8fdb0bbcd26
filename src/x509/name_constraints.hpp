// SPDX-License-Identifier: Apache-2.0
// Name constraints (RFC 5280 section 4.2.1.10): may a certificate with these names stand under an
// issuer with those constraints? Inside x509 only.
#pragma once

#include "x509/certificate.hpp"

#include <map>
#include <optional>
#include <string>
#include <utility>

namespace rollcall::x509 {

/// Answers for one search. Each pair is judged once, and all together may compare so many names
/// with so many subtrees; past that bound everything counts as a violation.
class NameChecker {
public:
    explicit NameChecker(std::size_t comparisons_max) : comparisons_left_(comparisons_max) {}

    /// How a name of `certificate` violates the constraints of `issuer`; nullptr where none does.
    const std::string* violation(const Certificate& issuer, const Certificate& certificate);

    /// A bound was met; at least one violation is for want of comparisons only.
    bool exhausted() const { return exhausted_; }

private:
    std::optional<std::string> find_violation(const Certificate& issuer,
                                              const Certificate& certificate);

    using Pair = std::pair<const Certificate::Parsed*, const Certificate::Parsed*>;
    std::map<Pair, std::optional<std::string>> judged_;
    std::size_t comparisons_left_;
    bool exhausted_ = false;
};

}  // namespace rollcall::x509
