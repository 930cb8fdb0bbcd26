// SPDX-License-Identifier: Apache-2.0
#include "support/handmade.hpp"
#include "x509/path.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::x509 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using namespace rollcall::test;  // NOLINT: the builders' words are the test's language

std::vector<std::string> words(const std::vector<Finding>& findings) {
    std::vector<std::string> result;
    for (const auto& finding : findings) {
        const char* gravity = finding.gravity == Gravity::fatal     ? "fatal "
                              : finding.gravity == Gravity::warning ? "warning "
                                                                    : "note ";
        result.push_back(gravity + std::string{to_string(finding.fault)});
    }
    return result;
}

TEST(ExamineCa, TellsWhatCouldNeverAttest) {
    const auto examined = [](const Certificate& certificate) {
        return words(examine_ca(certificate, today));
    };
    EXPECT_THAT(examined(a_root("Root").certificate()), IsEmpty());
    EXPECT_THAT(examined(a_root("Root").intermediate("Factory").certificate()), IsEmpty());
    EXPECT_THAT(examined(a_root("Root", {today - 2h, today - 1h}).certificate()),
                ElementsAre("fatal expired"));
    EXPECT_THAT(examined(a_root("Root", {today + 1h, today + 2h}).certificate()),
                ElementsAre("warning not-yet-valid"));
    EXPECT_THAT(examined(a_root("Root").leaf("dev-1")),
                ElementsAre("fatal not-a-ca", "fatal no-cert-sign"));
    EXPECT_THAT(examined(handmade({.version = 1})), ElementsAre("warning not-a-ca"));
    EXPECT_THAT(
        examined(a_handmade_ca({.extensions = {{NID_ext_key_usage, "serverAuth"}}}).certificate()),
        ElementsAre("fatal wrong-purpose"));
    EXPECT_THAT(examined(a_handmade_ca({.hash = EVP_sha1()}).certificate()),
                ElementsAre("note weak-signature"));
}

TEST(ExamineLeaf, TellsWhatIsOdd) {
    const auto examined = [](const Certificate& certificate) {
        return words(examine_leaf(certificate, "DEV-1", today));
    };
    const Authority root = a_root("Root");
    EXPECT_THAT(examined(root.leaf("dev-1")), IsEmpty()) << "case does not matter";
    EXPECT_THAT(examined(self_signed("dev-1")), IsEmpty());
    EXPECT_THAT(examined(root.leaf("dev-2")), ElementsAre("warning name-mismatch"));
    EXPECT_THAT(examined(root.leaf("dev-1", {today - 2h, today - 1h})),
                ElementsAre("fatal expired"));
    EXPECT_THAT(examined(root.leaf("dev-1", {}, "", {"serverAuth"})),
                ElementsAre("warning wrong-purpose"));
    EXPECT_THAT(examined(a_root("dev-1").certificate()), ElementsAre("warning wrong-purpose"));
}

}  // namespace
}  // namespace rollcall::x509
