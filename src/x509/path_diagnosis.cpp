// SPDX-License-Identifier: Apache-2.0
// Why no path was found: one walk over the same graph that steps over faults instead of round
// them, and the full checks on what it walked.
#include "base/limits.hpp"
#include "x509/certificate_checks.hpp"
#include "x509/parsed.hpp"
#include "x509/path_search.hpp"

#include <algorithm>

namespace rollcall::x509 {
namespace {

/// How the walk ended.
enum class End { anchor, gap, other_key, self_signed, loop, length, unchecked };

struct Attempt {
    std::vector<Node*> path;
    End end = End::gap;
};

bool same_authority(const Certificate& a, const Certificate& b) {
    return a.spki_sha256() == b.spki_sha256() && a.subject_normalised() == b.subject_normalised();
}

bool stands_on(const std::vector<Node*>& path, const Node& candidate) {
    return std::any_of(path.begin(), path.end(), [&](const Node* placed) {
        return placed == &candidate || same_authority(*placed->certificate, *candidate.certificate);
    });
}

/// Where a bad signature is the device's fault rather than a mistaken identity: the key
/// identifiers say that this very key should verify it. The walk goes on over such an edge, so that
/// the rest of the chain is judged too.
Edge* damaged_edge(Node& node, const std::vector<Node*>& path) {
    for (auto& edge : node.issuers) {
        if (edge.bad && edge.hint == KeyHint::match && !stands_on(path, *edge.issuer)) {
            return &edge;
        }
    }
    return nullptr;
}

/// Not merely brought along: an anchor, or a stored certificate.
bool is_known_here(const Edge& edge) {
    return edge.issuer->anchor || !edge.issuer->sent;
}

/// An issuer by name whose key did not sign; one that is known here before one that was sent.
const Edge* rejected_namesake(const Node& node) {
    const Edge* found = nullptr;
    for (const auto& edge : node.issuers) {
        if (edge.bad && (found == nullptr || (is_known_here(edge) && !is_known_here(*found)))) {
            found = &edge;
        }
    }
    return found;
}

class Diagnosis {
public:
    explicit Diagnosis(SearchState& state) : state_(state) {}

    Attempt walk() {
        Attempt attempt;
        attempt.path.push_back(&state_.graph.end_entity());
        state_.graph.measure(Walk::lenient);
        while (step(attempt)) {
        }
        return attempt;
    }

private:
    /// One certificate further up; false when the walk is over.
    bool step(Attempt& attempt) {
        Node& top = *attempt.path.back();
        if (attempt.path.size() >= limits::path_length_max) {
            attempt.end = End::length;
            return false;
        }
        Edge* edge = next(attempt, top);
        if (edge == nullptr) {
            return false;
        }
        attempt.path.push_back(edge->issuer);
        if (ends_at(*edge)) {
            attempt.end = End::anchor;
            return false;
        }
        return true;
    }

    /// The nearest issuer that signed it; sets how the walk ends where there is none.
    Edge* next(Attempt& attempt, Node& top) {
        bool only_loops = false;
        for (bool again = true; again;) {
            again = false;
            only_loops = false;
            for (Edge* edge : state_.graph.in_order(top, Walk::lenient)) {
                if (stands_on(attempt.path, *edge->issuer)) {
                    only_loops = true;
                    continue;
                }
                const auto good = state_.verify(top, *edge, Walk::lenient);
                if (!good) {
                    attempt.end = End::unchecked;
                    return nullptr;
                }
                if (*good) {
                    return edge;
                }
                // Distances have changed: the order has to be asked for again.
                again = true;
                break;
            }
        }
        attempt.end = how_it_ends(top, only_loops);
        return attempt.end == End::other_key ? damaged_edge(top, attempt.path) : nullptr;
    }

    End how_it_ends(Node& top, bool only_loops) {
        const Edge* const rejected = rejected_namesake(top);
        if (rejected != nullptr && is_known_here(*rejected)) {
            return End::other_key;
        }
        const bool self_signed = top.certificate->self_issued() &&
                                 state_.signatures.check(*top.certificate, *top.certificate,
                                                         &top != &state_.graph.end_entity()) ==
                                     SignatureChecker::Outcome::good;
        if (self_signed) {
            return End::self_signed;
        }
        if (rejected != nullptr) {
            return End::other_key;
        }
        return only_loops ? End::loop : End::gap;
    }

    /// At an anchor, unless going through it to another is nearer.
    bool ends_at(const Edge& edge) {
        Node& issuer = *edge.issuer;
        if (!issuer.anchor) {
            return false;
        }
        const auto faults = [&](Role role) {
            const auto& found = state_.graph.findings(issuer, role);
            return std::count_if(found.begin(), found.end(), [](const Finding& finding) {
                return finding.gravity == Gravity::fatal;
            });
        };
        return issuer.up == no_way || faults(Role::anchor) <= faults(Role::intermediate);
    }

    SearchState& state_;
};

std::string named(const Node& node) {
    const std::string subject = node.certificate->subject();
    return subject.empty() ? "a certificate without a subject" : "'" + subject + "'";
}

Finding gap_finding(const Attempt& attempt) {
    const Certificate& top = *attempt.path.back()->certificate;
    return {Fault::no_issuer_found, Gravity::fatal,
            "the issuer '" + top.issuer() + "' of " + named(*attempt.path.back()) +
                " was not sent and is not known here",
            "let the device send its intermediates too, or add the CA '" + top.issuer() + "'"};
}

Finding other_key_finding(const Attempt& attempt) {
    const Node& top = *attempt.path.back();
    const Edge* const namesake = rejected_namesake(top);
    INVARIANT(namesake != nullptr);
    const Certificate& ca = *namesake->issuer->certificate;
    return {Fault::issuer_other_key, Gravity::fatal,
            "a CA named '" + ca.subject() + "' " +
                (is_known_here(*namesake) ? "is known" : "was sent") + " (SHA-256 " +
                ca.sha256_thumbprint() + "), but " + named(top) +
                " was signed by another key of that name",
            "add the CA certificate whose key signed it, or issue it again under the known CA"};
}

Finding unknown_anchor_finding(const Attempt& attempt) {
    const Certificate& top = *attempt.path.back()->certificate;
    return {Fault::unknown_anchor, Gravity::fatal,
            "the path is whole but ends at '" + top.subject() + "' (SHA-256 " +
                top.sha256_thumbprint() + "), which is no trust anchor here",
            "add that CA and verify it, or give the device a certificate under a CA that is known"};
}

Finding path_finding(SearchState& state, const Attempt& attempt) {
    switch (attempt.end) {
        case End::other_key: return other_key_finding(attempt);
        case End::self_signed: return unknown_anchor_finding(attempt);
        case End::loop:
            return {Fault::loop, Gravity::fatal,
                    "only certificates that stand on the path already lead on from " +
                        named(*attempt.path.back()),
                    "send the certificate that leads to a trust anchor"};
        case End::length:
            return {Fault::budget_spent, Gravity::fatal,
                    "paths of more than " + std::to_string(limits::path_length_max) +
                        " certificates are not followed",
                    "use fewer levels of CAs"};
        case End::unchecked:
            return {Fault::budget_spent, Gravity::fatal,
                    "the search may make " + std::to_string(state.rules.signatures_max) +
                        " signature checks, and needed more",
                    "send only the certificates of one path"};
        case End::anchor:
        case End::gap: break;
    }
    return gap_finding(attempt);
}

/// An end entity that is an anchor itself proves nothing by a path: a CA in a device's place.
std::optional<Finding> anchor_in_place(Node& end_entity) {
    if (!end_entity.anchor) {
        return std::nullopt;
    }
    return Finding{Fault::wrong_purpose, Gravity::fatal,
                   "is itself a trust anchor, which a path cannot end where it begins",
                   "give the device a certificate that the anchor issued"};
}

}  // namespace

PathVerdict verdict_of(SearchState& state, const std::vector<Node*>& path, bool anchored,
                       PathFindings findings) {
    PathVerdict verdict;
    for (std::size_t i = 0; i < path.size(); ++i) {
        const bool anchor = anchored && i > 0 && i + 1 == path.size();
        verdict.path.push_back(
            {.certificate = *path[i]->certificate,
             .role = i == 0 ? Role::end_entity : (anchor ? Role::anchor : Role::intermediate),
             .sent = path[i]->sent,
             .findings = std::move(findings[i])});
    }
    verdict.valid = anchored && std::none_of(verdict.path.begin(), verdict.path.end(),
                                             [](const JudgedCertificate& judged) {
                                                 return has_fatal(judged.findings);
                                             });
    verdict.signature_checks = state.signatures.spent();
    return verdict;
}

PathVerdict diagnose(SearchState& state, const std::string& spent) {
    const Attempt attempt = Diagnosis{state}.walk();
    const bool anchored = attempt.end == End::anchor;
    std::vector<const Certificate*> certificates;
    for (const Node* node : attempt.path) {
        certificates.push_back(node->certificate);
    }
    PathFindings findings = check_path(certificates, anchored, state.tools);
    if (auto finding = anchored ? std::nullopt : anchor_in_place(*attempt.path.front())) {
        findings.front().push_back(*std::move(finding));
    }
    PathVerdict verdict = verdict_of(state, attempt.path, anchored, std::move(findings));
    // A faultless attempt that the search did not accept would be our mistake; it stays refused.
    verdict.valid = false;
    if (!spent.empty()) {
        verdict.findings.push_back(
            {Fault::budget_spent, Gravity::fatal, spent, "send only the certificates of one path"});
    }
    if (!anchored && (spent.empty() || attempt.end != End::unchecked)) {
        verdict.findings.push_back(path_finding(state, attempt));
    }
    if (verdict.decisive() == nullptr) {
        verdict.findings.push_back({Fault::unknown_anchor, Gravity::fatal,
                                    "no path to a trust anchor could be completed",
                                    "send only the certificates of one path"});
    }
    const Finding* decisive = verdict.decisive();
    const auto on = std::find_if(verdict.path.begin(), verdict.path.end(), [&](const auto& judged) {
        return std::any_of(judged.findings.begin(), judged.findings.end(),
                           [&](const Finding& finding) { return &finding == decisive; });
    });
    verdict.reason = reason_line(*decisive, on == verdict.path.end() ? nullptr : &on->certificate);
    return verdict;
}

}  // namespace rollcall::x509
