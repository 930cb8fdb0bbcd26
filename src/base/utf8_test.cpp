// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.hpp"

#include <gtest/gtest.h>

using namespace rollcall;

TEST(Utf8, KnowsTextFromBytes) {
    for (const auto* good : {"", "a", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x9a\x80",
                             "\xf4\x8f\xbf\xbf", "a\xc2\x9b"}) {
        EXPECT_TRUE(is_utf8(good)) << good;
        EXPECT_EQ(repaired_utf8(good), good);
    }
    for (const auto* bad :
         {"\xff", "\x80", "a\xc3", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xed\xa0\x80",
          "\xf0\x80\x80\xaf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82"}) {
        EXPECT_FALSE(is_utf8(bad));
        EXPECT_TRUE(is_utf8(repaired_utf8(bad)));
    }
    EXPECT_EQ(repaired_utf8("a\xff\xc3\xa4\xc3"), "a\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd");
}
