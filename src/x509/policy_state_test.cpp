// SPDX-License-Identifier: Apache-2.0
#include "x509/policy_state.hpp"

#include "support/handmade.hpp"

#include <gtest/gtest.h>

namespace rollcall::x509 {
namespace {

using namespace rollcall::test;  // NOLINT: the builders' words are the test's language

using Extensions = std::vector<std::pair<int, std::string>>;

/// The anchor first; what each says of policies.
bool acceptable(const std::vector<Extensions>& path) {
    std::vector<Certificate> certificates;
    Authority issuer = a_root("Anchor");
    for (std::size_t i = 0; i < path.size(); ++i) {
        Handmade wanted{.name = "Level " + std::to_string(i), .extensions = path[i]};
        wanted.issuer = &issuer;
        certificates.push_back(handmade(wanted));
        issuer = Authority{certificates.back(), key_named(wanted.name)};
    }
    PolicyState state{certificates.size() - 1};
    state.begin_with_anchor(certificates.front());
    bool good = true;
    for (std::size_t i = 1; i < certificates.size(); ++i) {
        const bool final = i + 1 == certificates.size();
        good = state.process(certificates[i], final) && good;
        if (!final) {
            state.prepare_for_next(certificates[i]);
        }
    }
    return state.wrap_up(certificates.back()) && good;
}

Extensions policies(const std::string& list) {
    return {{NID_certificate_policies, list}};
}

Extensions operator+(Extensions left, const Extensions& right) {
    left.insert(left.end(), right.begin(), right.end());
    return left;
}

const Extensions none{};
const Extensions explicit_now{{NID_policy_constraints, "requireExplicitPolicy:0"}};
const Extensions explicit_later{{NID_policy_constraints, "requireExplicitPolicy:1"}};
const Extensions no_mapping{{NID_policy_constraints, "inhibitPolicyMapping:0"}};
const Extensions no_any{{NID_inhibit_any_policy, "0"}};
const Extensions gold_to_silver{{NID_policy_mappings, "1.2.3.1:1.2.3.2"}};
const Extensions gold = policies("1.2.3.1");
const Extensions silver = policies("1.2.3.2");
const Extensions both = policies("1.2.3.1,1.2.3.2");
const Extensions any = policies("2.5.29.32.0");

struct Row {
    const char* what;
    std::vector<Extensions> path;  ///< anchor, intermediate, end entity
    bool acceptable;
};

TEST(PolicyState, FollowsPoliciesDownThePath) {
    const std::vector<Row> table{
        {"nothing asked, nothing said", {none, none, none}, true},
        {"nothing asked, different policies", {none, gold, silver}, true},
        {"asked, the same policy", {none, gold + explicit_now, gold}, true},
        {"asked, another policy", {none, gold + explicit_now, silver}, false},
        {"asked, no policy", {none, gold + explicit_now, none}, false},
        {"asked, one of two", {none, both + explicit_now, silver}, true},
        {"asked, any above", {none, any + explicit_now, silver}, true},
        {"asked, any below", {none, gold + explicit_now, any}, true},
        {"asked, any below, inhibited", {none, gold + explicit_now + no_any, any}, false},
        {"asked by the anchor", {explicit_now, gold, none}, false},
        {"asked by the anchor, met", {explicit_now, gold, gold}, true},
        {"the anchor's own policies bind", {gold + explicit_now, silver, silver}, false},
        {"asked one further down: the end entity is", {none, none + explicit_later, none}, false},
        {"asked of the end entity itself", {none, none, explicit_now}, false},
        {"mapped", {none, gold + gold_to_silver + explicit_now, silver}, true},
        {"mapped away", {none, gold + gold_to_silver + explicit_now, gold}, false},
        {"mapped from any", {none, any + gold_to_silver + explicit_now, silver}, true},
        {"mapping inhibited", {no_mapping, gold + gold_to_silver + explicit_now, silver}, false},
    };
    for (const auto& row : table) {
        EXPECT_EQ(acceptable(row.path), row.acceptable) << row.what;
    }
}

/// Policies that double at each level made a tree of 2^n nodes (CVE-2023-0464).
TEST(PolicyState, DoesNotGrowWithMappings) {
    std::string list;
    std::string mappings;
    for (int i = 0; i < 40; ++i) {
        list += (i == 0 ? "" : ",") + ("1.2.3." + std::to_string(i));
        for (int k = 0; k < 2; ++k) {
            mappings += (mappings.empty() ? "" : ",") + ("1.2.3." + std::to_string(i)) + ":1.2.3." +
                        std::to_string((i + k) % 40);
        }
    }
    const Extensions doubling = policies(list) + Extensions{{NID_policy_mappings, mappings}};
    std::vector<Extensions> path(30, doubling);
    path.front() = explicit_now;
    path.back() = policies("1.2.3.7");
    EXPECT_TRUE(acceptable(path));
    path.back() = policies("1.2.3.99");
    EXPECT_FALSE(acceptable(path));
}

}  // namespace
}  // namespace rollcall::x509
