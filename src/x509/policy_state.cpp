// SPDX-License-Identifier: Apache-2.0
#include "x509/policy_state.hpp"

#include "x509/parsed.hpp"

#include <algorithm>

namespace rollcall::x509 {

PolicyState::PolicyState(std::size_t certificates)
    : explicit_policy_(certificates + 1),
      inhibit_any_policy_(certificates + 1),
      policy_mapping_(certificates + 1) {
    level_[std::string{any_policy}] = {std::string{any_policy}};
}

void PolicyState::begin_with_anchor(const Certificate& anchor) {
    const Extensions& extensions = anchor.parsed().extensions;
    if (extensions.policies) {
        intersect(*extensions.policies, true);
    }
    map_policies(extensions.policy_mappings);
    take_skips(extensions.policy_skips);
}

bool PolicyState::process(const Certificate& certificate, bool final) {
    const auto& policies = certificate.parsed().extensions.policies;
    if (!policies) {
        level_.clear();
    } else if (!level_.empty()) {
        const bool any_allowed = inhibit_any_policy_ > 0 || (!final && certificate.self_issued());
        intersect(*policies, any_allowed);
    }
    return acceptable();
}

/// 6.1.3 (d): the next level, made of what the certificate asserts and this level expects.
void PolicyState::intersect(const std::vector<std::string>& policies, bool any_allowed) {
    Expected expected;
    for (const auto& [policy, its_expected] : level_) {
        expected.insert(its_expected.begin(), its_expected.end());
    }
    const bool any_expected = level_.contains(std::string{any_policy});
    std::map<std::string, Expected> next;
    bool any_asserted = false;
    for (const auto& policy : policies) {
        if (policy == any_policy) {
            any_asserted = true;
        } else if (any_expected || expected.contains(policy)) {
            next[policy] = {policy};
        }
    }
    if (any_asserted && any_allowed) {
        for (const auto& policy : expected) {
            next.try_emplace(policy, Expected{policy});
        }
    }
    level_ = std::move(next);
}

void PolicyState::prepare_for_next(const Certificate& certificate) {
    const Extensions& extensions = certificate.parsed().extensions;
    map_policies(extensions.policy_mappings);
    if (!certificate.self_issued()) {
        for (auto* counter : {&explicit_policy_, &policy_mapping_, &inhibit_any_policy_}) {
            *counter -= *counter > 0 ? 1 : 0;
        }
    }
    take_skips(extensions.policy_skips);
}

/// 6.1.4 (b).
void PolicyState::map_policies(const std::vector<PolicyMapping>& mappings) {
    std::map<std::string, Expected> mapped;
    for (const auto& mapping : mappings) {
        mapped[mapping.issuer_domain].insert(mapping.subject_domain);
    }
    const bool any_valid = level_.contains(std::string{any_policy});
    for (auto& [policy, subjects] : mapped) {
        const auto found = level_.find(policy);
        if (policy_mapping_ == 0) {
            if (found != level_.end()) {
                level_.erase(found);
            }
        } else if (found != level_.end()) {
            found->second = std::move(subjects);
        } else if (any_valid) {
            level_.emplace(policy, std::move(subjects));
        }
    }
}

/// 6.1.4 (i) and (j).
void PolicyState::take_skips(const PolicySkips& skips) {
    const auto lower = [](std::size_t& counter, const std::optional<std::size_t>& to) {
        counter = std::min(counter, to.value_or(counter));
    };
    lower(explicit_policy_, skips.require_explicit);
    lower(policy_mapping_, skips.inhibit_mapping);
    lower(inhibit_any_policy_, skips.inhibit_any);
}

bool PolicyState::wrap_up(const Certificate& end_entity) {
    explicit_policy_ -= explicit_policy_ > 0 ? 1 : 0;
    if (end_entity.parsed().extensions.policy_skips.require_explicit == 0U) {
        explicit_policy_ = 0;
    }
    return acceptable();
}

}  // namespace rollcall::x509
