// SPDX-License-Identifier: Apache-2.0
// Who may have issued whom: the certificates of one search, joined by their names, with the
// distance of each to the nearest anchor. Inside x509 only.
#pragma once

#include "x509/path.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace rollcall::x509 {

/// What the key identifiers say of an issuer: a hint for the order, never a verdict (RFC 5280
/// leaves them out of its algorithm, and hand-made chains have none).
enum class KeyHint : std::uint8_t { match, unknown, mismatch };

struct Node;

struct Edge {
    Node* issuer;
    KeyHint hint;
    /// The issuer's key does not verify the certificate.
    bool bad = false;
};

using Distance = std::uint32_t;
inline constexpr Distance no_way = std::numeric_limits<Distance>::max();

struct Node {
    const Certificate* certificate;
    bool sent;
    bool anchor;
    bool on_path = false;
    std::vector<Edge> issuers{};
    /// Way from here to the nearest anchor, this certificate itself not counted.
    Distance up = no_way;
    std::array<std::optional<std::vector<Finding>>, 3> findings{};
    /// The other end of edges: who names this one as issuer, and by which of its edges.
    std::vector<std::pair<Node*, std::size_t>> issued{};
};

/// `strict` walks over faultless certificates only; `lenient`, for diagnosis, over all of them, the
/// faulty ones being farther away.
enum class Walk { strict, lenient };

class PathGraph {
public:
    PathGraph(const PathMaterial& material, const PathRules& rules);
    PathGraph(const PathGraph&) = delete;
    PathGraph& operator=(const PathGraph&) = delete;

    Node& end_entity() { return nodes_.front(); }

    /// What is wrong with a certificate by itself in that role; computed once.
    const std::vector<Finding>& findings(Node& node, Role role);
    bool is_clean(Node& node, Role role);

    /// Sets every node's `up`. To be called again when an edge turned out bad.
    void measure(Walk walk);
    /// Over this edge: the nearer of ending at the issuer as an anchor and of going through it.
    Distance distance(const Edge& edge, Walk walk);

    /// The edges of a node, most promising first, in an order that the material's does not change.
    std::vector<Edge*> in_order(Node& node, Walk walk);

    /// More candidates than limits::path_candidates_max.
    bool truncated() const { return truncated_; }

private:
    Node* add(const Certificate& certificate);
    void expand(Node& node);
    std::vector<const Certificate*> candidates(const Node& node) const;
    Distance weight(Node& node, Role role, Walk walk);

    const PathMaterial& material_;
    const PathRules& rules_;
    std::deque<Node> nodes_;
    std::unordered_map<Digest, Node*> by_digest_;
    std::unordered_multimap<std::string_view, const Certificate*> sent_by_subject_;
    std::unordered_set<Digest> sent_;
    bool truncated_ = false;
};

}  // namespace rollcall::x509
