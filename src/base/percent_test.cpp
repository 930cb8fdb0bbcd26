// SPDX-License-Identifier: Apache-2.0
#include "base/percent.hpp"

#include <gtest/gtest.h>

namespace rollcall {
namespace {

TEST(Percent, LeavesUnreservedCharactersAlone) {
    const std::string plain = "azAZ09-._~";
    EXPECT_EQ(percent_encoded(plain), plain);
    EXPECT_EQ(percent_encoded(""), "");
}

TEST(Percent, EncodesAllOthersByTheByte) {
    EXPECT_EQ(percent_encoded("a/b c+=%"), "a%2Fb%20c%2B%3D%25");
    EXPECT_EQ(percent_encoded("\xC3\xA4"), "%C3%A4");
    EXPECT_EQ(percent_encoded(std::string_view{"\0\x7F", 2}), "%00%7F");
}

}  // namespace
}  // namespace rollcall
