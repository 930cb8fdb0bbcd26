// SPDX-License-Identifier: Apache-2.0
// Certificate policies along a path (RFC 5280 sections 6.1.2 to 6.1.5), with any-policy as the
// user's initial set. Inside x509 only.
//
// The tree of the RFC can grow exponentially (CVE-2023-0464). What is asked here is only whether
// it becomes empty, and for that one level at a time is enough: equal policies of one level have
// equal expected sets whatever their parents are, so they are one node (as RFC 9618 shows).
#pragma once

#include "x509/certificate.hpp"
#include "x509/extensions.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>

namespace rollcall::x509 {

class PolicyState {
public:
    /// For a path of so many certificates, the anchor not counted (6.1.2).
    explicit PolicyState(std::size_t certificates);

    /// What the anchor's own certificate says applies to all below it (RFC 5937).
    void begin_with_anchor(const Certificate& anchor);

    /// 6.1.3 (d) to (f). What is wrong, if the tree is empty and an explicit policy is required.
    bool process(const Certificate& certificate, bool final);
    /// 6.1.4 (b), (h) to (j).
    void prepare_for_next(const Certificate& certificate);
    /// 6.1.5 (a), (b), (g).
    bool wrap_up(const Certificate& end_entity);

private:
    using Expected = std::set<std::string>;
    void intersect(const std::vector<std::string>& policies, bool any_allowed);
    void map_policies(const std::vector<PolicyMapping>& mappings);
    void take_skips(const PolicySkips& skips);
    bool acceptable() const { return explicit_policy_ > 0 || !level_.empty(); }

    /// valid_policy to expected_policy_set; empty is the NULL tree.
    std::map<std::string, Expected> level_;
    std::size_t explicit_policy_;
    std::size_t inhibit_any_policy_;
    std::size_t policy_mapping_;
};

}  // namespace rollcall::x509
