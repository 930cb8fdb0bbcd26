// SPDX-License-Identifier: Apache-2.0
// The state of one search for certification paths, shared by the search proper (path.cpp) and the
// diagnosis of why there is none (path_diagnosis.cpp). Inside x509 only.
#pragma once

#include "x509/name_constraints.hpp"
#include "x509/path_checks.hpp"
#include "x509/path_graph.hpp"
#include "x509/revocation.hpp"
#include "x509/signature_checker.hpp"

#include <functional>
#include <optional>
#include <vector>

namespace rollcall::x509 {

struct SearchState {
    SearchState(const PathMaterial& of, const PathRules& by, SignatureMemory* memory,
                std::size_t depth);
    SearchState(const SearchState&) = delete;
    SearchState& operator=(const SearchState&) = delete;

    /// Does the edge's issuer verify this node's signature? A bad edge is marked, and distances
    /// measured anew. nullopt when no further check may be made.
    std::optional<bool> verify(Node& node, Edge& edge, Walk walk);
    /// Self-issued under its own key: nothing stands above it.
    bool is_self_signed(Node& node);

    PathMaterial material;
    PathRules rules;
    SignatureChecker signatures;
    NameChecker names;
    Revocation revocation;
    Tools tools;
    PathGraph graph;
};

/// The verdict of a judged path, findings and all.
PathVerdict verdict_of(SearchState& state, const std::vector<Node*>& path, bool anchored,
                       PathFindings findings);

/// Why there is no valid path, shown on the attempt that came furthest: whole and with the fewest
/// faults if any is whole, otherwise as far as signatures carry. `spent`: which bound ended the
/// search, in words, or empty.
PathVerdict diagnose(SearchState& state, const std::string& spent);

}  // namespace rollcall::x509
