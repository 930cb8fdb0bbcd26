// SPDX-License-Identifier: Apache-2.0
#include "service/overview.hpp"

#include "support/native_door.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::service {
namespace {

using namespace std::chrono_literals;
using test::run;
using ::testing::ElementsAre;

/// Counts how often the devices are counted.
class CountingFleet final : public store::FleetReader {
public:
    Task<Result<store::Page<store::FleetDevice>>> fleet(const store::PageRequest&,
                                                        const store::FleetFilter&) override {
        co_return store::Page<store::FleetDevice>{};
    }
    Task<Result<std::uint64_t>> fleet_count(const store::FleetFilter&) override { co_return 0; }
    Task<Result<store::FleetCounts>> fleet_counts() override {
        ++counted;
        clock.advance(takes);
        store::FleetCounts counts;
        counts.individuals = counted;
        co_return counts;
    }
    Task<Result<store::Page<domain::IndividualEnrollment>>> individuals_containing(
        const store::PageRequest&, const std::string&) override {
        co_return store::Page<domain::IndividualEnrollment>{};
    }
    Task<Result<store::Page<store::AuditRecord>>> audit_backwards(
        const store::PageRequest&, const store::AuditFilter&) override {
        co_return store::Page<store::AuditRecord>{};
    }

    explicit CountingFleet(ManualClock& its_clock) : clock(its_clock) {}

    ManualClock& clock;
    std::chrono::microseconds takes{0};
    std::uint64_t counted = 0;
};

class OverviewTest : public ::testing::Test {
protected:
    std::uint64_t look() { return run(overview.look()).value().counts.individuals; }

    test::OperatorDesk desk;
    test::RefusalNotes refusals;
    Sessions sessions;
    RegistrationRate rate;
    CountingFleet fleet{desk.clock};
    Overview overview{fleet, refusals, desk.trust_book, sessions, rate, desk.clock};
};

TEST_F(OverviewTest, OneCountServesEverybodyForAWhile) {
    EXPECT_EQ(look(), 1U);
    desk.clock.advance(4s);
    EXPECT_EQ(look(), 1U);
    desk.clock.advance(2s);
    EXPECT_EQ(look(), 2U);
}

TEST_F(OverviewTest, WhatTakesLongIsDoneSeldom) {
    fleet.takes = 1s;
    EXPECT_EQ(look(), 1U);
    desk.clock.advance(19s);
    EXPECT_EQ(look(), 1U);
    desk.clock.advance(2s);
    EXPECT_EQ(look(), 2U);
}

TEST_F(OverviewTest, AClockThatIsSetBackCountsAnew) {
    EXPECT_EQ(look(), 1U);
    desk.clock.set(desk.clock.now() - 1h);
    EXPECT_EQ(look(), 2U);
}

TEST_F(OverviewTest, TellsWhoRestsOnWhatAndWhenItEnds) {
    const auto root = test::a_root("Root");
    desk.group_with("plant", root.certificate());
    const auto seen = run(overview.look()).value();
    EXPECT_EQ(seen.groups, 1U);
    EXPECT_EQ(seen.ca_certificates, 1U);
    ASSERT_EQ(seen.adoptions.size(), 1U);
    EXPECT_EQ(seen.adoptions[0].adoption.sha256, root.certificate().sha256());
    EXPECT_EQ(seen.adoptions[0].attestation, domain::AttestationKind::x509);
    EXPECT_EQ(seen.adoptions[0].adoption.devices, 0U);
    ASSERT_EQ(seen.endings.size(), 1U);
    EXPECT_EQ(seen.endings.begin()->first,
              std::chrono::floor<std::chrono::days>(root.certificate().not_after()));
    EXPECT_EQ(seen.endings.begin()->second.ca_certificates, 1U);
}

TEST(RefusalSummaryTest, CausesAreTogetherTheMostFrequentFirst) {
    const auto record = [](const char* id, domain::RefusalCause cause) {
        store::RefusalRecord one;
        one.id = RegistrationId::trusted(id);
        one.cause = cause;
        return one;
    };
    using Cause = domain::RefusalCause;
    const auto summaries = summary_of({record("a", Cause::certificate_fault),
                                       record("b", Cause::no_group), record("c", Cause::no_group)});
    ASSERT_EQ(summaries.size(), 2U);
    EXPECT_EQ(summaries[0].count, 2U);
    EXPECT_EQ(summaries[0].last.id.str(), "b") << "the newest";
    EXPECT_EQ(summaries[1].count, 1U);
}

TEST(RegistrationRateTest, AnHourIsToldMinuteByMinute) {
    RegistrationRate rate;
    const TimePoint begin = test::today;
    rate.assigned(begin);
    rate.assigned(begin + 59s);
    rate.refused(begin + 59s);
    rate.assigned(begin + 1min);
    const auto hour = rate.last_hour(begin + 2min);
    ASSERT_EQ(hour.size(), 60U);
    EXPECT_EQ(hour[58].begin, begin);
    EXPECT_EQ(hour[58].assigned, 2U);
    EXPECT_EQ(hour[58].refused, 1U);
    EXPECT_EQ(hour[59].assigned, 1U);
    EXPECT_EQ(hour[57].assigned, 0U);
    EXPECT_EQ(rate.last_hour(begin + 1min).back().assigned, 2U) << "whole minutes only";
    // The bucket's next turn.
    rate.assigned(begin + 61min);
    EXPECT_EQ(rate.last_hour(begin + 62min).front().assigned, 0U);
    EXPECT_EQ(rate.last_hour(begin + 62min).back().assigned, 1U);
}

}  // namespace
}  // namespace rollcall::service
