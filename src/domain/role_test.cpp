// SPDX-License-Identifier: Apache-2.0
#include "domain/role.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::domain {
namespace {

TEST(Role, IsReadAsItIsWritten) {
    for (const Role role : every_role) {
        EXPECT_EQ(parse_role(to_string(role)).value(), role);
    }
    for (const std::string_view other : {"", "Operator", "admin", "operator_"}) {
        const auto refused = parse_role(other);
        ASSERT_FALSE(refused) << other;
        EXPECT_EQ(refused.error().reason, "unknown-role") << other;
        EXPECT_THAT(refused.error().detail, ::testing::HasSubstr("viewer")) << other;
    }
}

TEST(Role, EachIncludesThoseAfterIt) {
    for (std::size_t i = 0; i < every_role.size(); ++i) {
        for (std::size_t j = 0; j < every_role.size(); ++j) {
            EXPECT_EQ(includes(every_role.at(i), every_role.at(j)), i <= j) << i << " " << j;
        }
    }
}

}  // namespace
}  // namespace rollcall::domain
