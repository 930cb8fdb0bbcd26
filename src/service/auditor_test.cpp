// SPDX-License-Identifier: Apache-2.0
// What the server prunes of its audit log by itself. Pruning by an operator: front/audit_walk_test.
#include "service/auditor.hpp"

#include "base/limits.hpp"
#include "support/operator_desk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::service {
namespace {

using test::OperatorDesk;
using test::run;
using ::testing::HasSubstr;

class AuditorTest : public ::testing::Test {
protected:
    /// Events of an operator, one a second.
    void happen(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            desk.clock.advance(std::chrono::seconds{1});
            domain::Changes changes;
            changes.audit.push_back({.at = desk.clock.now(), .action = "group.update"});
            ASSERT_TRUE(run(desk.store.commit(changes)));
        }
    }
    RetentionTurn turn(const AuditKeep& keep) { return run(auditor.retain(keep)).value(); }
    std::uint64_t newest() { return run(desk.store.audit_head()).value().sequence; }
    std::uint64_t oldest() { return desk.audit().front().sequence; }
    bool intact() { return !run(auditor.verify()).value().fault; }

    OperatorDesk desk;
    Auditor auditor{desk.store, desk.store, desk.clock, desk.audit_key, "0ne12345678"};
};

TEST_F(AuditorTest, KeepsAllUnlessToldOtherwise) {
    happen(3);
    desk.clock.advance(std::chrono::hours{24 * 365 * 50});
    EXPECT_EQ(turn({}).events, 0u);
    EXPECT_EQ(newest(), 3u);
}

TEST_F(AuditorTest, WhatIsTooOldGoesAndIsTold) {
    const AuditKeep a_day{.age = std::chrono::days{1}};
    happen(5);
    EXPECT_EQ(turn(a_day).events, 0u);
    const TimePoint last = desk.clock.now();
    desk.clock.set(last + std::chrono::days{1});
    EXPECT_EQ(turn(a_day).events, 4u) << "the last one is a day old, no more";
    EXPECT_EQ(oldest(), 5u);
    EXPECT_TRUE(intact());
    const auto event = desk.last_event();
    EXPECT_EQ(event.actor, "server");
    EXPECT_EQ(event.source, "local");
    EXPECT_EQ(event.action, "audit.prune");
    EXPECT_EQ(event.detail, R"({"keepDays":"1","first":"1","last":"4"})");
    EXPECT_EQ(event.at, desk.clock.now());
    EXPECT_THAT(event.reason, HasSubstr("configuration"));
}

TEST_F(AuditorTest, MarksOfEarlierTurnsAloneAreNoReasonForAnother) {
    const AuditKeep a_day{.age = std::chrono::days{1}};
    happen(1);
    desk.clock.advance(std::chrono::hours{25});
    EXPECT_EQ(turn(a_day).events, 1u);
    desk.clock.advance(std::chrono::hours{25});
    EXPECT_EQ(turn(a_day).events, 0u) << "only its own mark is old";
    EXPECT_EQ(newest(), 2u);
    happen(1);
    desk.clock.advance(std::chrono::hours{25});
    EXPECT_EQ(turn(a_day).events, 2u) << "with it the mark goes too";
}

TEST_F(AuditorTest, ByNumberItStartsATenthLate) {
    const AuditKeep fifty{.events = 50};
    happen(55);
    EXPECT_EQ(turn(fifty).events, 0u);
    happen(1);
    EXPECT_EQ(turn(fifty).events, 6u);
    EXPECT_EQ(oldest(), 7u);
    EXPECT_EQ(desk.last_event().detail, R"({"keepEvents":"50","first":"1","last":"6"})");
    EXPECT_EQ(turn(fifty).events, 0u) << "its own mark starts no turn";
    happen(4);
    EXPECT_EQ(turn(fifty).events, 0u);
    happen(1);
    EXPECT_EQ(turn(fifty).events, 6u) << "the pruned ones count no more";
    EXPECT_TRUE(intact());
}

TEST_F(AuditorTest, WhicheverSaysItMayGo) {
    const AuditKeep both{.age = std::chrono::days{1}, .events = 50};
    happen(56);
    EXPECT_EQ(turn(both).events, 6u) << "none is old, but too many";
    desk.clock.advance(std::chrono::hours{25});
    EXPECT_EQ(turn(both).events, 51u) << "not too many, but old";
}

TEST_F(AuditorTest, ATurnIsBounded) {
    const AuditKeep a_day{.age = std::chrono::days{1}};
    happen(limits::audit_prune_turn_max + 1);
    desk.clock.advance(std::chrono::hours{48});
    const auto first = turn(a_day);
    EXPECT_EQ(first.events, limits::audit_prune_turn_max);
    EXPECT_TRUE(first.more);
    const auto second = turn(a_day);
    EXPECT_EQ(second.events, 1u);
    EXPECT_FALSE(second.more);
    happen(limits::audit_prune_turn_max - 2);  // with the marks: exactly a turn's worth
    desk.clock.advance(std::chrono::hours{48});
    const auto third = turn(a_day);
    EXPECT_EQ(third.events, limits::audit_prune_turn_max);
    EXPECT_FALSE(third.more);
}

/// An operator's own prune is not bounded, but goes in turns too.
TEST_F(AuditorTest, AnOperatorsPruneGoesInTurns) {
    happen(limits::audit_prune_turn_max + 1);
    desk.clock.advance(std::chrono::seconds{1});
    const auto pruned = run(auditor.prune(OperatorDesk::order(), desk.clock.now())).value();
    EXPECT_EQ(pruned.record->events, limits::audit_prune_turn_max + 1);
    const auto log = desk.audit();
    ASSERT_EQ(log.size(), 2u);
    EXPECT_THAT(log[0].event.detail, HasSubstr(R"("first":"1","last":"10000")"));
    EXPECT_THAT(log[1].event.detail, HasSubstr(R"("first":"10001","last":"10001")"));
    EXPECT_TRUE(intact());
}

TEST_F(AuditorTest, ABrokenLogIsNotPruned) {
    const AuditKeep a_day{.age = std::chrono::days{1}};
    happen(3);
    domain::Changes forged;
    forged.writes.push_back(domain::PutSetting{store::checkpoint_setting, "none"});
    ASSERT_TRUE(run(desk.store.commit(forged)));
    desk.clock.advance(std::chrono::hours{25});
    const auto refused = run(auditor.retain(a_day));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().reason, "audit-broken");
    EXPECT_EQ(newest(), 3u);
}

}  // namespace
}  // namespace rollcall::service
