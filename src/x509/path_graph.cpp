// SPDX-License-Identifier: Apache-2.0
#include "x509/path_graph.hpp"

#include "base/limits.hpp"
#include "x509/certificate_checks.hpp"
#include "x509/parsed.hpp"

#include <algorithm>
#include <queue>
#include <tuple>

namespace rollcall::x509 {
namespace {

/// A fault outweighs any detour over faultless certificates, a contrary hint a short one.
constexpr Distance fault_weight = 1'000;
constexpr Distance mismatch_weight = 50;

KeyHint hint_of(const Certificate& certificate, const Certificate& issuer) {
    const auto& authority = certificate.parsed().extensions.authority_key_id;
    const auto& subject = issuer.parsed().extensions.subject_key_id;
    if (!authority || !subject) {
        return KeyHint::unknown;
    }
    return *authority == *subject ? KeyHint::match : KeyHint::mismatch;
}

}  // namespace

PathGraph::PathGraph(const PathMaterial& material, const PathRules& rules)
    : material_(material), rules_(rules) {
    for (const auto& certificate : material.sent) {
        if (sent_.insert(certificate.sha256()).second) {
            sent_by_subject_.emplace(certificate.subject_normalised(), &certificate);
        }
    }
    Node* end_entity = add(material.end_entity);
    end_entity->sent = true;
    // Breadth first: nodes_ grows while it is walked, and a deque keeps its elements in place.
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
        expand(nodes_[i]);
    }
}

Node* PathGraph::add(const Certificate& certificate) {
    const auto found = by_digest_.find(certificate.sha256());
    if (found != by_digest_.end()) {
        return found->second;
    }
    if (nodes_.size() >= limits::path_candidates_max) {
        truncated_ = true;
        return nullptr;
    }
    nodes_.push_back({.certificate = &certificate,
                      .sent = sent_.contains(certificate.sha256()),
                      .anchor = material_.anchors.contains(certificate.sha256())});
    return by_digest_.emplace(certificate.sha256(), &nodes_.back()).first->second;
}

void PathGraph::expand(Node& node) {
    for (const Certificate* candidate : candidates(node)) {
        Node* issuer = add(*candidate);
        // An end entity issues nothing on its own path.
        if (issuer != nullptr && issuer != &nodes_.front()) {
            issuer->issued.emplace_back(&node, node.issuers.size());
            node.issuers.push_back({issuer, hint_of(*node.certificate, *candidate)});
        }
    }
}

/// Whoever has the issuer's name, itself and repetitions left out, the hinted first: what a bound
/// cuts off must not depend on the order in which things were sent or stored.
std::vector<const Certificate*> PathGraph::candidates(const Node& node) const {
    const std::string& issuer = node.certificate->issuer_normalised();
    std::vector<const Certificate*> found;
    if (issuer.empty()) {
        return found;
    }
    const auto [first, last] = sent_by_subject_.equal_range(issuer);
    for (auto it = first; it != last; ++it) {
        found.push_back(it->second);
    }
    for (const auto& certificate : material_.anchors.with_subject(issuer)) {
        found.push_back(&certificate);
    }
    if (material_.stored != nullptr) {
        for (const auto& certificate : material_.stored->with_subject(issuer)) {
            found.push_back(&certificate);
        }
    }
    std::erase_if(found, [&](const auto* other) { return *other == *node.certificate; });
    if (found.size() < 2) {
        return found;
    }
    std::sort(found.begin(), found.end(), [&](const auto* a, const auto* b) {
        return std::tuple{hint_of(*node.certificate, *a), a->sha256()} <
               std::tuple{hint_of(*node.certificate, *b), b->sha256()};
    });
    found.erase(std::unique(found.begin(), found.end(),
                            [](const auto* a, const auto* b) { return *a == *b; }),
                found.end());
    return found;
}

const std::vector<Finding>& PathGraph::findings(Node& node, Role role) {
    auto& held = node.findings[static_cast<std::size_t>(role)];
    if (!held) {
        held = check_certificate(*node.certificate, role, rules_);
    }
    return *held;
}

bool PathGraph::is_clean(Node& node, Role role) {
    return !has_fatal(findings(node, role));
}

Distance PathGraph::weight(Node& node, Role role, Walk walk) {
    const auto& found = findings(node, role);
    if (walk == Walk::strict) {
        return has_fatal(found) ? no_way : 1;
    }
    const auto faults = std::count_if(found.begin(), found.end(), [](const Finding& finding) {
        return finding.gravity == Gravity::fatal;
    });
    return 1 + fault_weight * static_cast<Distance>(faults);
}

Distance PathGraph::distance(const Edge& edge, Walk walk) {
    Node& issuer = *edge.issuer;
    if (edge.bad) {
        return no_way;
    }
    Distance best = no_way;
    if (issuer.anchor) {
        best = weight(issuer, Role::anchor, walk);
    }
    if (issuer.up != no_way) {
        const Distance through = weight(issuer, Role::intermediate, walk);
        best = through == no_way ? best : std::min(best, through + issuer.up);
    }
    const bool detour = walk == Walk::lenient && best != no_way && edge.hint == KeyHint::mismatch;
    return detour ? best + mismatch_weight : best;
}

/// Dijkstra from the anchors down; distances only shrink while it runs.
void PathGraph::measure(Walk walk) {
    using Entry = std::pair<Distance, Node*>;
    std::priority_queue<Entry, std::vector<Entry>, std::greater<>> open;
    for (auto& node : nodes_) {
        node.up = no_way;
    }
    const auto improve = [&](Node& node, const Edge& edge) {
        const Distance over_edge = distance(edge, walk);
        if (over_edge < node.up) {
            node.up = over_edge;
            open.emplace(over_edge, &node);
        }
    };
    for (auto& node : nodes_) {
        for (const auto& edge : node.issuers) {
            improve(node, edge);
        }
    }
    while (!open.empty()) {
        const auto [reached, node] = open.top();
        open.pop();
        if (reached == node->up) {
            for (const auto& [issued, edge] : node->issued) {
                improve(*issued, issued->issuers[edge]);
            }
        }
    }
}

std::vector<Edge*> PathGraph::in_order(Node& node, Walk walk) {
    std::vector<std::pair<Distance, Edge*>> edges;
    for (auto& edge : node.issuers) {
        if (!edge.bad) {
            edges.emplace_back(distance(edge, walk), &edge);
        }
    }
    const auto key = [walk](const auto& entry) {
        const auto& [far, edge] = entry;
        // Lenient distances hold the hint already, weighed against faults.
        const KeyHint hint = walk == Walk::strict ? edge->hint : KeyHint::unknown;
        const Certificate& certificate = *edge->issuer->certificate;
        return std::tuple{hint, far, -certificate.not_after().time_since_epoch().count(),
                          certificate.sha256()};
    };
    std::sort(edges.begin(), edges.end(),
              [&](const auto& a, const auto& b) { return key(a) < key(b); });
    std::vector<Edge*> ordered;
    ordered.reserve(edges.size());
    for (const auto& [far, edge] : edges) {
        ordered.push_back(edge);
    }
    return ordered;
}

}  // namespace rollcall::x509
