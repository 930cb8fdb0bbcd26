// SPDX-License-Identifier: Apache-2.0
#include "x509/openssl_builds.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::x509 {
namespace {

TEST(OpensslBuilds, AreOnePackageWhereThisWasBuilt) {
    const OpensslBuilds builds = openssl_builds();
    EXPECT_THAT(builds.linked, ::testing::MatchesRegex("OpenSSL 3\\..*, built on: .* UTC"));
    ASSERT_TRUE(builds.installed);
    EXPECT_EQ(*builds.installed, builds.linked);
    EXPECT_FALSE(builds.differ());
}

TEST(OpensslBuilds, DifferOnlyFromWhatIsThere) {
    EXPECT_TRUE((OpensslBuilds{.linked = "a", .installed = "b"}).differ());
    EXPECT_FALSE((OpensslBuilds{.linked = "a", .installed = "a"}).differ());
    EXPECT_FALSE((OpensslBuilds{.linked = "a", .installed = std::nullopt}).differ());
}

}  // namespace
}  // namespace rollcall::x509
