// SPDX-License-Identifier: Apache-2.0
#include "service/admission.hpp"

#include <gtest/gtest.h>

namespace rollcall::service {
namespace {

using namespace std::chrono_literals;

const std::string factory = "192.0.2.1";
const std::string elsewhere = "198.51.100.7";

class Admissions : public testing::Test {
protected:
    /// Connections from `address` that are let in, out of `count`.
    int let_in(const std::string& address, int count) {
        int in = 0;
        for (int i = 0; i < count; ++i) {
            in += admission.knock(address) ? 1 : 0;
        }
        return in;
    }
    void pass(std::chrono::seconds time) { clock.advance(time); }

    ManualClock clock{TimePoint{} + 24h * 365 * 60};
    Metrics metrics;
    Admission admission{clock, metrics, {.source = 2, .proven_source = 50, .strangers = 5}};
};

TEST_F(Admissions, ASourceHasTenSecondsWorthAndThenItsRate) {
    EXPECT_EQ(let_in(factory, 30), 20);
    EXPECT_EQ(let_in(elsewhere, 1), 1) << "another's is its own";
    pass(1s);
    EXPECT_EQ(let_in(factory, 30), 2);
    pass(1h);
    EXPECT_EQ(let_in(factory, 30), 20) << "no more than ten seconds' worth gathers";
}

TEST_F(Admissions, StrangersTogetherHaveABound) {
    int in = 0;
    for (int i = 0; i < 100; ++i) {
        in += let_in("203.0.113." + std::to_string(i), 1);
    }
    EXPECT_EQ(in, 50);
    pass(1s);
    EXPECT_EQ(let_in("192.0.2.77", 10), 5);
}

TEST_F(Admissions, ASourceWhereADeviceProvedItselfIsNotKeptOutByStrangers) {
    EXPECT_EQ(let_in(factory, 1), 1);
    admission.succeeded(factory);
    for (int i = 0; i < 100; ++i) {
        let_in("203.0.113." + std::to_string(i), 1);
    }
    EXPECT_EQ(let_in(elsewhere, 1), 0) << "the strangers' share is used up";
    EXPECT_EQ(let_in(factory, 40), 40);
    pass(limits::proven_source_life + 1s);
    EXPECT_EQ(let_in(factory, 40), 20) << "a day later it is a stranger again";
}

TEST_F(Admissions, WhoSucceedsCostsNothing) {
    for (int i = 0; i < 1'000; ++i) {
        ASSERT_TRUE(admission.knock(factory)) << i;
        admission.succeeded(factory);
    }
    for (int i = 0; i < 1'000; ++i) {
        const std::string address =
            "10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250);
        ASSERT_TRUE(admission.knock(address)) << "a fleet with an address for each device";
        admission.succeeded(address);
    }
}

TEST_F(Admissions, RefusalsCostFourMore) {
    int refused = 0;
    while (admission.knock(factory)) {
        admission.refused(factory);
        ++refused;
    }
    EXPECT_EQ(refused, 4);
    EXPECT_EQ(let_in(elsewhere, 100), 20) << "of the strangers' 50 each refusal took five";
}

TEST_F(Admissions, RefusalsOnOneOpenConnectionEndToo) {
    ASSERT_TRUE(admission.knock(factory));
    int refused = 0;
    while (admission.enter(factory)) {
        admission.refused(factory);
        ASSERT_LT(++refused, 100);
    }
    EXPECT_EQ(refused, 5);
    EXPECT_EQ(admission.enter(factory).error().reason, "source-throttled");
    EXPECT_EQ(admission.enter(factory).error().kind, ErrorKind::throttled);
    EXPECT_TRUE(admission.enter(elsewhere));
    for (int i = 0; i < 1'000; ++i) {
        admission.refused(factory);
    }
    pass(1s);
    EXPECT_TRUE(admission.enter(factory)) << "never so deep that a second would not do";
}

TEST_F(Admissions, AnIpv6SourceIsItsNetwork) {
    EXPECT_EQ(let_in("2001:db8:1:2::1", 15), 15);
    EXPECT_EQ(let_in("2001:db8:1:2:ffff::9", 15), 5);
    EXPECT_EQ(let_in("2001:db8:1:3::1", 15), 15);
    EXPECT_NE(source_of("0.0.0.1"), source_of("::1"));
    EXPECT_EQ(source_of("a socket"), std::nullopt);
    EXPECT_EQ(let_in("", 1'000), 1'000) << "the machine's own socket";
}

TEST_F(Admissions, TheClockMayBeSetBack) {
    EXPECT_EQ(let_in(factory, 30), 20);
    pass(-1h);
    EXPECT_EQ(let_in(factory, 30), 0);
    pass(1s);
    EXPECT_EQ(let_in(factory, 30), 2);
}

TEST_F(Admissions, LongSearchesAreBoundedBySourceAndInAll) {
    std::vector<Admission::Search> under_way;
    for (std::size_t i = 0; i < limits::source_searches_max; ++i) {
        auto search = admission.enter_search(factory);
        ASSERT_TRUE(search);
        under_way.push_back(*std::move(search));
    }
    EXPECT_EQ(admission.enter_search(factory).error().reason, "searches-throttled");
    for (std::size_t i = limits::source_searches_max; i < limits::searches_max; ++i) {
        auto search = admission.enter_search("10.0.0." + std::to_string(i));
        ASSERT_TRUE(search);
        under_way.push_back(*std::move(search));
    }
    EXPECT_FALSE(admission.enter_search(elsewhere));
    under_way.pop_back();
    EXPECT_TRUE(admission.enter_search(elsewhere));
    under_way.clear();
    EXPECT_TRUE(admission.enter_search(factory));
}

TEST_F(Admissions, ManySourcesAreForgottenOnceTheyAreIdle) {
    Admission wide{clock, metrics, {.source = 2, .proven_source = 50, .strangers = 1e9}};
    const auto address = [](std::size_t i) {
        return "10." + std::to_string(i >> 16) + "." + std::to_string(i >> 8 & 255) + "." +
               std::to_string(i & 255);
    };
    EXPECT_TRUE(wide.knock(address(0)));
    wide.succeeded(address(0));
    for (std::size_t i = 1; i < limits::admission_sources_max + 100; ++i) {
        EXPECT_TRUE(wide.knock(address(i)));
    }
    EXPECT_EQ(wide.sources(), limits::admission_sources_max) << "busy ones stay";
    pass(1min);
    for (std::size_t i = 0; i < 100; ++i) {
        EXPECT_TRUE(wide.knock("172.16.0." + std::to_string(i)));
    }
    EXPECT_LE(wide.sources(), limits::admission_sources_max);
    EXPECT_GT(wide.sources(), limits::admission_sources_max - 100 * 16);
    for (int i = 0; i < 40; ++i) {
        EXPECT_TRUE(wide.knock(address(0))) << "proven ones stay";
    }
}

}  // namespace
}  // namespace rollcall::service
