// SPDX-License-Identifier: Apache-2.0
#include "app/validity.hpp"

#include <gtest/gtest.h>

namespace rollcall::app {
namespace {

TimePoint day(const char* text) {
    return parse_iso8601(text).value();
}
const TimePoint now = day("2030-06-15T12:00:00.7Z");

TEST(When, WordsDistancesAndTimes) {
    const struct {
        const char* text;
        const char* at;
    } cases[] = {
        {"now", "2030-06-15T12:00:00Z"},
        {"+90s", "2030-06-15T12:01:30Z"},
        {"-5m", "2030-06-15T11:55:00Z"},
        {"+2h", "2030-06-15T14:00:00Z"},
        {"-30d", "2030-05-16T12:00:00Z"},
        {"+1w", "2030-06-22T12:00:00Z"},
        {"+1y", "2031-06-15T12:00:00Z"},
        {"+0s", "2030-06-15T12:00:00Z"},
        {"2031-01-31", "2031-01-31"},
        {"1999-12-31T23:59:59Z", "1999-12-31T23:59:59Z"},
        {"2031-01-31T00:00:00.9Z", "2031-01-31"},
    };
    for (const auto& wanted : cases) {
        const auto at = parse_when(wanted.text, now);
        ASSERT_TRUE(at) << wanted.text;
        EXPECT_EQ(*at, day(wanted.at)) << wanted.text;
    }
}

TEST(When, WhatIsNoTime) {
    for (const auto* text : {"", "tomorrow", "30d", "+d", "+1", "+1x", "+-1d", "- 1d", "+1.5d",
                             "+99999999999999999999d", "+10001y", "2030-13-01"}) {
        const auto at = parse_when(text, now);
        ASSERT_FALSE(at) << text;
        EXPECT_NE(at.error().detail.find("+1y"), std::string::npos);
    }
    EXPECT_TRUE(parse_when("+10000y", now));
}

TEST(Validity, EveryWayToSayIt) {
    EXPECT_EQ(parse_validity({}, 10, now).value(),
              (Validity{day("2030-06-15T12:00:00Z"), day("2030-06-25T12:00:00Z")}));
    EXPECT_EQ(parse_validity({.days = 1}, 10, now).value().not_after, day("2030-06-16T12:00:00Z"));
    EXPECT_EQ(parse_validity({.not_before = "2020-01-01", .days = 31}, 10, now).value(),
              (Validity{day("2020-01-01"), day("2020-02-01")}));
    EXPECT_EQ(parse_validity({.not_before = "-30d", .not_after = "-1d"}, 10, now).value(),
              (Validity{day("2030-05-16T12:00:00Z"), day("2030-06-14T12:00:00Z")}));
}

TEST(Validity, WhatIsWrongUsage) {
    const ValidityWords cases[] = {
        {.not_after = "+1d", .days = 1}, {.days = 0},           {.days = -1}, {.days = 3'650'001},
        {.not_before = "soon"},          {.not_after = "later"}};
    for (const auto& words : cases) {
        const auto refused = parse_validity(words, 10, now);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().reason, "usage");
    }
    EXPECT_TRUE(parse_validity({.days = 3'650'000}, 10, now));
}

TEST(Distance, InTheUnitThatFits) {
    EXPECT_EQ(distance_words(now + std::chrono::days{10}, now), "in 10 days");
    EXPECT_EQ(distance_words(now - std::chrono::days{296}, now), "296 days ago");
    EXPECT_EQ(distance_words(now + std::chrono::hours{47}, now), "in 47 hours");
    EXPECT_EQ(distance_words(now + std::chrono::minutes{119}, now), "in 119 minutes");
    EXPECT_EQ(distance_words(now - std::chrono::seconds{1}, now), "1 second ago");
    EXPECT_EQ(distance_words(now, now), "in 0 seconds");
}

}  // namespace
}  // namespace rollcall::app
