// SPDX-License-Identifier: Apache-2.0
#include "service/operator_guard.hpp"

#include "support/pki.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::service {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr auto failures_at_a_source = static_cast<int>(limits::source_failures_burst);
constexpr auto failures_of_a_name = static_cast<int>(limits::name_failures_burst);
constexpr auto failures_until_slow = static_cast<int>(limits::slowed_failures_burst);

const Error refusal{ErrorKind::unauthenticated, "unknown", "token-unknown", "a note"};

std::string address(int number) {
    return "198.51." + std::to_string(number / 250) + "." + std::to_string(number % 250);
}

class OperatorGuardTest : public ::testing::Test {
protected:
    std::string fail(const std::string& from) { return guard.failed(from, refusal).reason; }
    /// Reason of a refusal, else "" and the password was wrong.
    std::string try_wrong(const std::string& name, const std::string& from) {
        const auto entered = guard.enter(name, from);
        if (!entered) {
            return entered.error().reason;
        }
        guard.wrong_password(name);
        return "";
    }

    ManualClock clock{test::today};
    Metrics metrics;
    OperatorGuard guard{clock, metrics, {.requests_per_second = 2, .keys_max = 64}};
};

TEST_F(OperatorGuardTest, ASourceThatGoesOnFailingWaits) {
    for (int i = 0; i < failures_at_a_source; ++i) {
        EXPECT_EQ(fail("192.0.2.1"), "token-unknown") << i;
    }
    const Error told = guard.failed("192.0.2.1", refusal);
    EXPECT_EQ(told.kind, ErrorKind::throttled);
    EXPECT_EQ(told.reason, "source-throttled");
    EXPECT_EQ(told.retry_after_seconds, 10U);
    EXPECT_THAT(told.detail, HasSubstr("10 seconds"));
    EXPECT_THAT(told.note, HasSubstr("token-unknown")) << "the log tells what was wrong";
    EXPECT_EQ(guard.enter("ann", "192.0.2.1").error().reason, "source-throttled");
    EXPECT_EQ(fail("192.0.2.2"), "token-unknown") << "others are not concerned";
    clock.advance(limits::source_failure_pause - 1us);
    EXPECT_EQ(fail("192.0.2.1"), "source-throttled");
    clock.advance(1us);
    EXPECT_EQ(fail("192.0.2.1"), "token-unknown");
    EXPECT_EQ(fail("192.0.2.1"), "source-throttled");
}

TEST_F(OperatorGuardTest, ASourceIsA64OfIpv6AndTheSocketIsNone) {
    for (int i = 0; i < failures_at_a_source; ++i) {
        (void)fail("2001:db8::" + std::to_string(i));
    }
    EXPECT_EQ(fail("2001:db8::ffff"), "source-throttled");
    EXPECT_EQ(fail("2001:db8:0:1::1"), "token-unknown");
    for (int i = 0; i <= failures_at_a_source; ++i) {
        EXPECT_EQ(fail(""), "token-unknown");
        EXPECT_EQ(try_wrong("ann", ""), "");
        EXPECT_TRUE(guard.pace("local administrator", ""));
    }
}

TEST_F(OperatorGuardTest, ANameIsTriedAFewTimesFromASource) {
    for (int i = 0; i < failures_of_a_name; ++i) {
        EXPECT_EQ(try_wrong(i % 2 == 0 ? "ann" : "ANN", "192.0.2.1"), "");
    }
    const auto refused = guard.enter("ann", "192.0.2.1");
    EXPECT_EQ(refused.error().reason, "name-throttled");
    EXPECT_EQ(refused.error().retry_after_seconds, 30U);
    EXPECT_EQ(try_wrong("bob", "192.0.2.1"), "") << "another name";
    EXPECT_EQ(try_wrong("ann", "192.0.2.2"), "") << "its owner is elsewhere";
    clock.advance(limits::name_failure_pause);
    EXPECT_TRUE(guard.enter("ann", "192.0.2.1"));
    guard.right_password("ann", "192.0.2.1");
    for (int i = 0; i < failures_of_a_name; ++i) {
        EXPECT_EQ(try_wrong("ann", "192.0.2.1"), "") << "the right one forgave the others";
    }
    EXPECT_EQ(try_wrong("ann", "192.0.2.1"), "name-throttled");
}

TEST_F(OperatorGuardTest, RightPasswordsCostTheirSourceNothing) {
    for (int i = 0; i < 3 * failures_at_a_source; ++i) {
        ASSERT_TRUE(guard.enter("ann", "192.0.2.1")) << i;
        guard.right_password("ann", "192.0.2.1");
    }
}

TEST_F(OperatorGuardTest, StrangersSlowANameAndNeverLockIt) {
    for (int i = 0; i < failures_until_slow; ++i) {
        EXPECT_EQ(guard.enter("ann", address(i)).value(), 0ms) << i;
        guard.wrong_password("ann");
    }
    EXPECT_EQ(guard.enter("Ann", "192.0.2.1").value(), limits::slowed_delay);
    EXPECT_EQ(guard.enter("bob", "192.0.2.1").value(), 0ms);
    for (int i = 0; i < 10 * failures_until_slow; ++i) {
        guard.wrong_password("ann");
    }
    EXPECT_EQ(guard.enter("ann", "192.0.2.2").value(), limits::slowed_delay);
    clock.advance((failures_until_slow + 1) * limits::slowed_failure_pause);
    EXPECT_EQ(guard.enter("ann", "192.0.2.2").value(), 0ms);
}

TEST_F(OperatorGuardTest, ACallerHasAPace) {
    for (int i = 0; i < 20; ++i) {
        EXPECT_TRUE(guard.pace("token:ci", "192.0.2.1")) << i;
    }
    const auto refused = guard.pace("token:ci", "192.0.2.2");
    EXPECT_EQ(refused.error().reason, "too-many-requests");
    EXPECT_EQ(refused.error().retry_after_seconds, 1U);
    EXPECT_TRUE(guard.pace("token:other", "192.0.2.1"));
    clock.advance(500ms);
    EXPECT_TRUE(guard.pace("token:ci", "192.0.2.1"));
    EXPECT_FALSE(guard.pace("token:ci", "192.0.2.1"));
    OperatorGuard unbounded{clock, metrics, {.requests_per_second = 0}};
    for (int i = 0; i < 100; ++i) {
        EXPECT_TRUE(unbounded.pace("token:ci", "192.0.2.1"));
    }
}

TEST_F(OperatorGuardTest, WhatItDoesIsCounted) {
    for (int i = 0; i <= failures_at_a_source; ++i) {
        (void)fail("192.0.2.1");
    }
    EXPECT_THAT(metrics.text(), HasSubstr("rollcall_operator_failures_total 31"));
    EXPECT_THAT(metrics.text(), HasSubstr("rollcall_operator_throttled_total{bound=\"source\"} 1"));
}

TEST(BucketsTest, MemoryIsBoundedAndTheWorstAreRemembered) {
    constexpr std::size_t keys_max = 16;
    Buckets<int> buckets{4, 1h, keys_max};
    const TimePoint now = test::today;
    for (int i = 0; i < 3; ++i) {
        buckets.take(7, now);
    }
    for (int key = 100; key < 1'000; ++key) {
        buckets.take(key, now);
        EXPECT_LE(buckets.size(), keys_max);
    }
    EXPECT_EQ(buckets.left(7, now), 1) << "strangers' single failures do not wash it away";
    EXPECT_EQ(buckets.left(7, now + 1h), 2);
    EXPECT_EQ(buckets.left(7, now + 9h), 4) << "never more than full";
    EXPECT_EQ(buckets.left(7, now - 9h), 1) << "the clock was set back";
    EXPECT_EQ(buckets.seconds_until_one(7, now), 0U);
    for (int i = 0; i < 20; ++i) {
        buckets.take(7, now);
    }
    EXPECT_EQ(buckets.left(7, now), -4) << "never deeper than one burst";
    EXPECT_EQ(buckets.seconds_until_one(7, now), 5U * 3600U);
}

}  // namespace
}  // namespace rollcall::service
