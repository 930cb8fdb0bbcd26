// SPDX-License-Identifier: Apache-2.0
#include "x509/revocation.hpp"

#include "base/limits.hpp"

#include <algorithm>

namespace rollcall::x509 {
namespace {

bool share_a_name(const PointNames& a, const PointNames& b) {
    return std::any_of(a.begin(), a.end(), [&](const auto& name) {
        return std::find(b.begin(), b.end(), name) != b.end();
    });
}

/// Big-endian octets without leading zeros compare by size, then by octet.
bool is_below(const Bytes& a, const Bytes& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
}

/// RFC 5280 section 6.3.3 (f): keyUsage, when present, must allow it.
bool allows_crl_signing(const Certificate& signer) {
    const auto& usage = signer.parsed().extensions.key_usage;
    return !usage || usage->allows(KU_CRL_SIGN);
}

}  // namespace

/// The certificate whose status is asked, with what section 6.3.3 wants to know of it.
struct Revocation::Subject {
    PathView path;
    std::size_t at;
    std::vector<DistributionPoint> points;

    const Certificate& certificate() const { return *path[at]; }
};

std::optional<Finding> Revocation::check(PathView path, std::size_t i) {
    auto points = distribution_points(*path[i]);
    if (!points) {
        return Finding{Fault::malformed_extension, Gravity::fatal,
                       "crlDistributionPoints cannot be read",
                       "issue it again without that extension"};
    }
    // 6.3.3: after its own points, lists of its issuer that no point names. Where there are points,
    // a list that names another one is not meant for this certificate.
    DistributionPoint implied;
    if (points->empty()) {
        implied.names = {{NameForm::directory, path[i]->issuer_normalised()}};
    }
    points->push_back(std::move(implied));
    const Subject subject{path, i, *std::move(points)};
    Reasons covered = 0;
    for (const auto& crl : rules_.crls) {
        if (crl.parsed().delta_base) {
            continue;
        }
        const auto reasons = speaks_for(crl, subject);
        if (!reasons || (*reasons & ~covered) == 0 || !is_current(crl) ||
            !is_signed(crl, path, i)) {
            continue;
        }
        const CrlEntry entry = entry_with_deltas(crl, subject);
        if (entry.kind == EntryKind::revoked) {
            return Finding{Fault::revoked, Gravity::fatal,
                           "was revoked" +
                               (entry.since ? " on " + to_iso8601_seconds(*entry.since) : "") +
                               " by the CRL of '" + crl.parsed().issuer + "'",
                           "issue a new certificate under another key"};
        }
        covered |= *reasons;
    }
    if (covered == all_reasons) {
        return std::nullopt;
    }
    return Finding{Fault::unknown_revocation, Gravity::fatal,
                   "is spoken for by none of the CRLs that were given (none of '" +
                       path[i]->issuer() + "' that is current, well signed and of its scope)",
                   "give a current CRL of its issuer"};
}

/// 6.3.3 (b) and (d).
std::optional<Reasons> Revocation::speaks_for(const Crl& crl, const Subject& subject) const {
    const Crl::Parsed& list = crl.parsed();
    const bool is_ca = subject.certificate().ca_flag() == true;
    if (!list.flaw.empty() || list.scope.attribute_certificates_only ||
        (list.scope.user_certificates_only && is_ca) ||
        (list.scope.ca_certificates_only && !is_ca)) {
        return std::nullopt;
    }
    Reasons reasons = 0;
    for (const auto& point : subject.points) {
        const auto& issuers = point.crl_issuers;
        const bool by_issuer =
            issuers.empty()
                ? list.issuer_normalised == subject.certificate().issuer_normalised()
                : list.scope.indirect && std::find(issuers.begin(), issuers.end(),
                                                   list.issuer_normalised) != issuers.end();
        if (!by_issuer) {
            continue;
        }
        PointNames names = point.names;
        if (names.empty()) {
            for (const auto& issuer : issuers) {
                names.emplace_back(NameForm::directory, issuer);
            }
        }
        if (list.scope.names.empty() || share_a_name(list.scope.names, names)) {
            reasons |= point.reasons & list.scope.reasons;
        }
    }
    return reasons == 0 ? std::nullopt : std::optional{reasons};
}

/// 6.3.3 (a), with nextUpdate inclusive as not_after is.
bool Revocation::is_current(const Crl& crl) const {
    const Crl::Parsed& list = crl.parsed();
    const auto now = std::chrono::floor<std::chrono::seconds>(rules_.at);
    return list.this_update <= rules_.at && (!list.next_update || now <= *list.next_update) &&
           list.signature.strong;
}

/// 6.3.3 (f) and (g). First whoever stands on the path above, whose own path is under judgement
/// already; then anybody of that name whose path leads to the same anchor.
bool Revocation::is_signed(const Crl& crl, PathView path, std::size_t i) {
    for (std::size_t above = i + 1; above < path.size(); ++above) {
        if (may_sign(crl, *path[above])) {
            return true;
        }
    }
    const auto try_all = [&](std::span<const Certificate> among) {
        return std::any_of(among.begin(), among.end(), [&](const Certificate& signer) {
            return !(signer == *path[i]) && may_sign(crl, signer) && leads_to(signer, *path.back());
        });
    };
    const std::string& name = crl.parsed().issuer_normalised;
    return try_all(material_.sent) || try_all(material_.anchors.with_subject(name)) ||
           (material_.stored != nullptr && try_all(material_.stored->with_subject(name)));
}

bool Revocation::may_sign(const Crl& crl, const Certificate& signer) {
    return signer.subject_normalised() == crl.parsed().issuer_normalised &&
           allows_crl_signing(signer) && signer.parsed().key_strong &&
           signatures_.check(crl, signer) == SignatureChecker::Outcome::good;
}

bool Revocation::leads_to(const Certificate& signer, const Certificate& anchor) {
    if (signer == anchor) {
        return true;
    }
    if (depth_ >= limits::crl_signer_depth_max) {
        return false;
    }
    const AnchorSet only{{anchor}};
    const PathMaterial material{signer, material_.sent, material_.stored, only};
    PathRules rules = rules_;
    rules.purpose = Purpose::any;
    rules.intermediates_max.reset();
    rules.signatures_max = signatures_.left();
    const PathVerdict verdict = search_paths_within(
        material, rules, signatures_.memory(), [](const Path&) { return Search::stop; },
        depth_ + 1);
    signatures_.add_spent(verdict.signature_checks);
    return verdict.valid;
}

/// 6.3.3 (c), (h) to (j): what changed since the base, where a delta list says so.
CrlEntry Revocation::entry_with_deltas(const Crl& base, const Subject& subject) {
    for (const auto& crl : rules_.crls) {
        const Crl::Parsed& delta = crl.parsed();
        const Crl::Parsed& list = base.parsed();
        const bool applies = delta.delta_base && delta.number && list.number &&
                             delta.issuer_normalised == list.issuer_normalised &&
                             delta.scope_der == list.scope_der &&
                             !is_below(*list.number, *delta.delta_base) &&
                             is_below(*list.number, *delta.number);
        if (!applies || !speaks_for(crl, subject) || !is_current(crl) ||
            !is_signed(crl, subject.path, subject.at)) {
            continue;
        }
        const CrlEntry entry = entry_for(crl, subject.certificate());
        if (entry.kind != EntryKind::none) {
            return entry;
        }
    }
    return entry_for(base, subject.certificate());
}

}  // namespace rollcall::x509
