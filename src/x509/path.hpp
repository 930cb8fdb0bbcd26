// SPDX-License-Identifier: Apache-2.0
// Builds and checks certification paths: backtracking search, RFC 5280 section 6 as our own
// checks, OpenSSL for signatures only. Used by domain/attestation for devices and by
// `rollcall pki verify`. Pure: knows neither clock nor network.
#pragma once

#include "x509/certificate.hpp"
#include "x509/trust_anchor.hpp"
#include "x509/verdict.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <unordered_set>
#include <vector>

namespace rollcall::x509 {

enum class Purpose { client, server, any };

/// Remembers (certificate, issuer key) pairs whose signature was verified, so that a fleet's
/// intermediates are checked once. Bounded; safe from several threads; holds no verdicts: every
/// other check is made afresh each time.
class SignatureMemory {
public:
    explicit SignatureMemory(std::size_t entries_max = 65'536);
    ~SignatureMemory();
    bool knows(const Digest& certificate, const Digest& issuer_spki) const;
    void remember(const Digest& certificate, const Digest& issuer_spki);

private:
    struct Held;
    std::unique_ptr<Held> held_;
};

/// A parsed certificate revocation list (RFC 5280 section 5).
class Crl {
public:
    static Result<Crl> parse_der(ByteView der);
    struct Parsed;
    const Parsed& parsed() const { return *parsed_; }

private:
    explicit Crl(std::shared_ptr<const Parsed> parsed) : parsed_(std::move(parsed)) {}
    std::shared_ptr<const Parsed> parsed_;
};
/// PEM blocks "X509 CRL" or one DER list.
Result<std::vector<Crl>> read_crls(std::string_view file);

/// What a path is judged by.
struct PathRules {
    TimePoint at;
    Purpose purpose = Purpose::client;
    /// Tolerance for not_before only (limits::clock_skew for devices, 0 for `pki verify`).
    std::chrono::seconds not_before_tolerance{0};
    /// Bound on intermediates (certificates between end entity and anchor), beside pathLen;
    /// self-issued ones do not count, as there.
    std::optional<std::size_t> intermediates_max;
    /// Signature checks the search may spend.
    std::size_t signatures_max = 64;
    /// With CRLs, every certificate below the anchor needs one that speaks for it.
    std::span<const Crl> crls{};
    /// The same without any: CRLs were meant to be given, and none could be read.
    bool revocation_required = false;
    /// SHA-256 of SPKIs that may stand nowhere on a path; may be nullptr.
    const std::unordered_set<Digest>* distrusted = nullptr;
};

/// What a path may be made of.
struct PathMaterial {
    const Certificate& end_entity;
    /// What the device sent besides the end entity, in any order; duplicates and strays allowed.
    std::span<const Certificate> sent;
    /// For completion; may be nullptr.
    const CertificateSet* stored = nullptr;
    const AnchorSet& anchors;
};

/// A valid path: end entity first, the anchor's own certificate last. An end entity that is an
/// anchor itself makes no path by that (compare it instead: judge_exact_match). `completed`: it
/// needed a stored certificate below the anchor.
struct Path {
    std::vector<Certificate> certificates;
    bool completed = false;
};

enum class Search { go_on, stop };

/// Finds valid paths and hands each to `on_valid`, which may stop the search. The verdict
/// describes the first valid path, or, where there is none, the attempt that came furthest. It
/// never depends on the order of `sent`, `stored` or `anchors` (PRODUCT section 3.8): paths are
/// tried in an order of their own (most promising first, ties by fingerprint), and a dead end
/// only ends its branch. Bounded by rules.signatures_max, limits::path_length_max and
/// limits::path_steps_max; what met a bound says so (Fault::budget_spent).
PathVerdict search_paths(const PathMaterial& material, const PathRules& rules,
                         SignatureMemory* memory,
                         const std::function<Search(const Path&)>& on_valid);

/// search_paths, stopping at the first valid path.
PathVerdict verify_path(const PathMaterial& material, const PathRules& rules,
                        SignatureMemory* memory = nullptr);

/// The checks of PRODUCT section 3.4 for an individual enrollment's exact match: validity, key
/// strength and distrust, no path and no signature.
PathVerdict judge_exact_match(const Certificate& end_entity, const PathRules& rules);

/// What is odd about a certificate that is to become a CA in a slot (PRODUCT section 3.9):
/// fatal findings could never attest (expired, CA:FALSE, wrong usage, weak).
std::vector<Finding> examine_ca(const Certificate& certificate, TimePoint at);
/// The same for a leaf in an individual enrollment's slot; `registration_id` for the CN warning.
std::vector<Finding> examine_leaf(const Certificate& certificate, std::string_view registration_id,
                                  TimePoint at);

/// Does `issuer`'s key verify `certificate`'s signature, and do the names match? (Not validity.)
bool is_signed_by(const Certificate& certificate, const Certificate& issuer);

}  // namespace rollcall::x509
