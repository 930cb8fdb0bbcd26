// SPDX-License-Identifier: Apache-2.0
// The search: depth first from the end entity up, over certificates joined by name. Pruned by what
// a prefix of a path already tells; each edge's signature is checked when it is first walked, and
// an edge that proves bad shortens the graph for good. A whole path is judged once more from the
// anchor down (path_checks.cpp) before it counts.
#include "x509/path.hpp"

#include "base/limits.hpp"
#include "x509/certificate_checks.hpp"
#include "x509/parsed.hpp"
#include "x509/path_search.hpp"

#include <algorithm>

namespace rollcall::x509 {
namespace {

class PathSearch {
public:
    PathSearch(SearchState& state, const std::function<Search(const Path&)>& on_valid)
        : state_(state), on_valid_(on_valid) {}

    PathVerdict run();

private:
    void extend();
    void try_as_anchor(Node& child, Edge& edge);
    void try_as_intermediate(Node& child, Edge& edge);
    bool fits(const Node& issuer, Role role);
    bool signature_good(Node& child, Edge& edge);
    bool stands_on_path(const Node& candidate) const;
    bool spend_step();
    void conclude();

    SearchState& state_;
    const std::function<Search(const Path&)>& on_valid_;
    std::vector<Node*> path_;
    std::vector<const Certificate*> certificates_;
    std::optional<PathVerdict> first_valid_;
    std::size_t steps_ = 0;
    bool stopped_ = false;
    std::string spent_;
};

PathVerdict PathSearch::run() {
    Node& end_entity = state_.graph.end_entity();
    if (state_.graph.is_clean(end_entity, Role::end_entity)) {
        state_.graph.measure(Walk::strict);
        path_.push_back(&end_entity);
        certificates_.push_back(end_entity.certificate);
        end_entity.on_path = true;
        extend();
        end_entity.on_path = false;
    }
    if (state_.names.exhausted() && spent_.empty()) {
        spent_ = "more than " + std::to_string(limits::name_comparisons_max) +
                 " comparisons of names with name constraints were needed";
    }
    if (state_.graph.truncated() && spent_.empty()) {
        spent_ = "more than " + std::to_string(limits::path_candidates_max) +
                 " certificates could have been issuers";
    }
    PathVerdict verdict = first_valid_ ? *std::move(first_valid_) : diagnose(state_, spent_);
    if (verdict.valid && !spent_.empty()) {
        verdict.findings.push_back({Fault::budget_spent, Gravity::warning, spent_, ""});
    }
    verdict.signature_checks = state_.signatures.spent();
    return verdict;
}

void PathSearch::extend() {
    Node& child = *path_.back();
    if (child.up == no_way || !spend_step()) {
        return;
    }
    for (Edge* edge : state_.graph.in_order(child, Walk::strict)) {
        if (stopped_) {
            return;
        }
        if (edge->bad || stands_on_path(*edge->issuer)) {
            continue;
        }
        try_as_anchor(child, *edge);
        if (!stopped_) {
            try_as_intermediate(child, *edge);
        }
    }
}

void PathSearch::try_as_anchor(Node& child, Edge& edge) {
    Node& issuer = *edge.issuer;
    if (!issuer.anchor || !state_.graph.is_clean(issuer, Role::anchor) ||
        !fits(issuer, Role::anchor) || !signature_good(child, edge)) {
        return;
    }
    path_.push_back(&issuer);
    certificates_.push_back(issuer.certificate);
    conclude();
    certificates_.pop_back();
    path_.pop_back();
}

void PathSearch::try_as_intermediate(Node& child, Edge& edge) {
    Node& issuer = *edge.issuer;
    if (issuer.up == no_way || !state_.graph.is_clean(issuer, Role::intermediate) ||
        !fits(issuer, Role::intermediate) || !signature_good(child, edge) ||
        state_.is_self_signed(issuer)) {
        return;
    }
    path_.push_back(&issuer);
    certificates_.push_back(issuer.certificate);
    issuer.on_path = true;
    extend();
    issuer.on_path = false;
    certificates_.pop_back();
    path_.pop_back();
}

/// What the certificates below, and bounds on the length, say of this issuer above them.
bool PathSearch::fits(const Node& issuer, Role role) {
    if (role == Role::intermediate) {
        // It and the nearest anchor above it are still to come.
        if (path_.size() + 1 + issuer.up > limits::path_length_max) {
            spent_ = "paths of more than " + std::to_string(limits::path_length_max) +
                     " certificates are not followed";
            return false;
        }
        const std::size_t count =
            counted_intermediates(certificates_) + (issuer.certificate->self_issued() ? 0 : 1);
        const auto& bound = state_.rules.intermediates_max;
        if (bound && count > *bound) {
            return false;
        }
    }
    return fits_under(certificates_, *issuer.certificate, state_.tools);
}

bool PathSearch::signature_good(Node& child, Edge& edge) {
    const auto good = state_.verify(child, edge, Walk::strict);
    if (!good) {
        spent_ = "the search may make " + std::to_string(state_.rules.signatures_max) +
                 " signature checks, and needed more";
        stopped_ = true;
    }
    return good.value_or(false);
}

/// Neither the same certificate twice nor the same authority: a path through one authority twice
/// can be had shorter.
bool PathSearch::stands_on_path(const Node& candidate) const {
    return candidate.on_path ||
           std::any_of(certificates_.begin(), certificates_.end(), [&](const Certificate* placed) {
               return placed->spki_sha256() == candidate.certificate->spki_sha256() &&
                      placed->subject_normalised() == candidate.certificate->subject_normalised();
           });
}

bool PathSearch::spend_step() {
    if (++steps_ > limits::path_steps_max) {
        spent_ = "the search may take " + std::to_string(limits::path_steps_max) +
                 " steps, and needed more";
        stopped_ = true;
    }
    return !stopped_;
}

void PathSearch::conclude() {
    if (!spend_step()) {
        return;
    }
    PathFindings findings = check_path(certificates_, true, state_.tools);
    if (has_fatal(findings)) {
        return;
    }
    Path path;
    for (const auto* certificate : certificates_) {
        path.certificates.push_back(*certificate);
    }
    path.completed =
        std::any_of(path_.begin(), path_.end() - 1, [](const Node* node) { return !node->sent; });
    if (!first_valid_) {
        first_valid_ = verdict_of(state_, path_, true, std::move(findings));
    }
    stopped_ = on_valid_(path) == Search::stop;
}

}  // namespace

SearchState::SearchState(const PathMaterial& of, const PathRules& by, SignatureMemory* memory,
                         std::size_t depth)
    : material(of),
      rules(by),
      signatures(by.signatures_max, memory),
      names(limits::name_comparisons_max),
      revocation(material, rules, signatures, depth),
      tools{rules, signatures, names,
            by.crls.empty() && !by.revocation_required ? nullptr : &revocation},
      graph(material, rules) {}

std::optional<bool> SearchState::verify(Node& node, Edge& edge, Walk walk) {
    if (edge.bad) {
        return false;
    }
    const bool lasting = &node != &graph.end_entity();
    switch (signatures.check(*node.certificate, *edge.issuer->certificate, lasting)) {
        case SignatureChecker::Outcome::good: return true;
        case SignatureChecker::Outcome::unaffordable: return std::nullopt;
        case SignatureChecker::Outcome::bad: break;
    }
    const bool was_nearest = graph.distance(edge, walk) <= node.up;
    edge.bad = true;
    if (was_nearest) {
        graph.measure(walk);
    }
    return false;
}

bool SearchState::is_self_signed(Node& node) {
    return node.certificate->self_issued() && !node.issuers.empty() &&
           signatures.check(*node.certificate, *node.certificate, true) ==
               SignatureChecker::Outcome::good;
}

PathVerdict search_paths_within(const PathMaterial& material, const PathRules& rules,
                                SignatureMemory* memory,
                                const std::function<Search(const Path&)>& on_valid,
                                std::size_t depth) {
    SearchState state{material, rules, memory, depth};
    return PathSearch{state, on_valid}.run();
}

PathVerdict search_paths(const PathMaterial& material, const PathRules& rules,
                         SignatureMemory* memory,
                         const std::function<Search(const Path&)>& on_valid) {
    return search_paths_within(material, rules, memory, on_valid, 0);
}

PathVerdict verify_path(const PathMaterial& material, const PathRules& rules,
                        SignatureMemory* memory) {
    return search_paths(material, rules, memory, [](const Path&) { return Search::stop; });
}

bool is_signed_by(const Certificate& certificate, const Certificate& issuer) {
    SignatureChecker signatures{1, nullptr};
    return certificate.issuer_normalised() == issuer.subject_normalised() &&
           signatures.check(certificate, issuer, false) == SignatureChecker::Outcome::good;
}

}  // namespace rollcall::x509
