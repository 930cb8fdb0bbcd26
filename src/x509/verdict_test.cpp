// SPDX-License-Identifier: Apache-2.0
#include "x509/verdict.hpp"

#include "support/pki.hpp"

#include <set>

#include <gtest/gtest.h>

namespace rollcall::x509 {
namespace {

using namespace rollcall::test;  // NOLINT: the builders' words are the test's language

TEST(Fault, HasAWordOfItsOwn) {
    std::set<std::string_view> words;
    for (int i = 0; i <= static_cast<int>(Fault::too_many_certificates); ++i) {
        words.insert(to_string(static_cast<Fault>(i)));
    }
    EXPECT_EQ(words.size(), static_cast<std::size_t>(Fault::too_many_certificates) + 1);
    EXPECT_FALSE(words.contains("unknown-fault"));
    EXPECT_EQ(to_string(Fault::not_yet_valid), "not-yet-valid");
}

TEST(PathVerdict, IsDecidedNearestTheEndEntityByWhatIsFatal) {
    const Authority root = a_root("Root");
    const Finding note{Fault::not_a_ca, Gravity::note, "n", ""};
    const Finding warning{Fault::wrong_purpose, Gravity::warning, "w", ""};
    const Finding expired{Fault::expired, Gravity::fatal, "e", ""};
    const Finding gap{Fault::no_issuer_found, Gravity::fatal, "g", ""};
    PathVerdict verdict;
    verdict.findings = {gap};
    EXPECT_EQ(verdict.decisive(), &verdict.findings[0]);
    verdict.path.push_back({root.leaf("dev-1"), Role::end_entity, true, {note, warning}});
    verdict.path.push_back({root.certificate(), Role::anchor, false, {expired}});
    EXPECT_EQ(verdict.decisive(), &verdict.path[1].findings[0]);
    EXPECT_TRUE(verdict.has(Fault::wrong_purpose));
    EXPECT_TRUE(verdict.has(Fault::no_issuer_found));
    EXPECT_FALSE(verdict.has(Fault::loop));
    verdict.valid = true;
    EXPECT_EQ(verdict.decisive(), nullptr);
}

}  // namespace
}  // namespace rollcall::x509
