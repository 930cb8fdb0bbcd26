// SPDX-License-Identifier: Apache-2.0
#include "domain/slots.hpp"

#include "support/records.hpp"

#include <gtest/gtest.h>

namespace rollcall::domain {
namespace {

using namespace test;

const Authority root_a = a_root("Root A");
const Authority root_b = a_root("Root B");

Writing a_writing() {
    return {today,
            {CaId::trusted("new-1"), CaId::trusted("new-2")},
            ETag::trusted("new-ca"),
            ETag::trusted("new-entry"),
            "tester",
            "because"};
}

template <class T>
std::vector<T> all_of(const SlotOutcome& outcome) {
    std::vector<T> found;
    for (const auto& write : outcome.changes.writes) {
        if (const auto* const each = std::get_if<T>(&write)) {
            found.push_back(*each);
        }
    }
    return found;
}

EnrollmentGroup group_after(const SlotOutcome& outcome) {
    const auto puts = all_of<PutGroup>(outcome);
    EXPECT_EQ(puts.size(), 1U);
    return puts.at(0).group;
}

class Slots : public ::testing::Test {
protected:
    Slots() { world.ca("a", root_a.certificate()).group("fleet", "a"); }

    Result<SlotOutcome> set(const x509::Certificate& certificate, Replacement replacement,
                            bool vouch = false, bool force = false) {
        const TrustView trust = world.view();
        return set_group_slot(trust, trust.records().groups.front(), Slot::primary, certificate,
                              replacement, vouch, force, a_writing());
    }

    WorldBuilder world;
};

TEST_F(Slots, AnUnverifiedCaOverALiveOneWaits) {
    const auto outcome = set(root_b.certificate(), Replacement::staged);
    ASSERT_TRUE(outcome);
    EXPECT_TRUE(outcome->pending);
    const auto group = group_after(*outcome);
    EXPECT_EQ(group.at(Slot::primary).current->str(), "a");
    EXPECT_EQ(group.at(Slot::primary).pending->str(), "new-1");
    EXPECT_TRUE(group.withdrawn.empty());
    EXPECT_TRUE(all_of<DeleteCa>(*outcome).empty());
    EXPECT_FALSE(outcome->changes.moves_anchors);
}

TEST_F(Slots, VerificationCompletesWhatWaits) {
    world.ca("b", root_b.certificate(), false);
    world.last_group().at(Slot::primary).pending = CaId::trusted("b");
    const TrustView trust = world.view();
    const auto outcome = complete_verification(trust, *trust.ca(CaId::trusted("b")),
                                               CaVerification::How::proof, a_writing());
    const auto group = group_after(outcome);
    EXPECT_EQ(group.at(Slot::primary), (GroupSlot{CaId::trusted("b"), std::nullopt}));
    EXPECT_TRUE(group.withdrawn.empty()) << "plain: nothing is withdrawn";
    EXPECT_EQ(group.trust_version, world.last_group().trust_version + 1);
    EXPECT_TRUE(all_of<PutCa>(outcome).at(0).ca.verified);
    ASSERT_EQ(all_of<DeleteCa>(outcome).size(), 1U) << "the unnamed old record goes";
    EXPECT_TRUE(outcome.changes.moves_anchors);
}

TEST_F(Slots, AVouchedCaReplacesAtOnceAndPlainly) {
    const auto outcome = set(root_b.certificate(), Replacement::staged, true);
    ASSERT_TRUE(outcome);
    EXPECT_FALSE(outcome->pending);
    EXPECT_TRUE(group_after(*outcome).withdrawn.empty());
    EXPECT_TRUE(all_of<PutDistrusted>(*outcome).empty());
}

TEST_F(Slots, ReplaceNowWithdrawsWithoutDistrust) {
    const auto outcome = set(root_b.certificate(), Replacement::immediate, true);
    ASSERT_TRUE(outcome);
    EXPECT_EQ(group_after(*outcome).withdrawn, std::vector{root_a.certificate().ca_key()});
    EXPECT_TRUE(all_of<PutDistrusted>(*outcome).empty());
    WorldBuilder after;
    after.ca("b", root_b.certificate()).group("fleet", "b");
    after.last_group().withdrawn = {root_a.certificate().ca_key()};
    const TrustView trust = after.view();
    const auto back =
        set_group_slot(trust, after.last_group(), Slot::secondary, root_a.certificate(),
                       Replacement::staged, true, false, a_writing());
    ASSERT_TRUE(back);
    EXPECT_TRUE(group_after(*back).withdrawn.empty()) << "put back is trusted again";
}

TEST_F(Slots, BreachDistrustsTheOldKeyForGood) {
    const auto outcome = set(root_b.certificate(), Replacement::breach, true);
    ASSERT_TRUE(outcome);
    const auto distrusted = all_of<PutDistrusted>(*outcome);
    ASSERT_EQ(distrusted.size(), 1U);
    EXPECT_EQ(distrusted[0].distrusted.spki, root_a.certificate().spki_sha256());
    EXPECT_EQ(distrusted[0].distrusted.reason, "because");
    EXPECT_TRUE(outcome->changes.moves_anchors);
    world.distrust(root_a.certificate());
    const auto again = set(root_a.certificate(), Replacement::staged);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().reason, "key-distrusted");
}

TEST_F(Slots, ABreachWithTheSameKeyIsRefused) {
    const auto renewed = a_root("Root A", {today - 24h, today + 24h * 999}).certificate();
    const auto outcome = set(renewed, Replacement::breach, true);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().reason, "key-distrusted");
    const auto plain = set(renewed, Replacement::staged);
    ASSERT_TRUE(plain) << "for expiry the same key is the same authority";
    EXPECT_FALSE(plain->pending);
    EXPECT_TRUE(all_of<PutCa>(*plain).at(0).ca.verified);
    EXPECT_TRUE(group_after(*plain).withdrawn.empty());
}

TEST_F(Slots, BothAtOnceIsOneChange) {
    const Authority third = a_root("Root C");
    world.ca("b", root_b.certificate()).last_group().at(Slot::secondary).current =
        CaId::trusted("b");
    const TrustView trust = world.view();
    const Authority fourth = a_root("Root D");
    const auto outcome =
        set_both_group_slots(trust, world.last_group(), third.certificate(), fourth.certificate(),
                             Replacement::breach, true, false, a_writing());
    ASSERT_TRUE(outcome);
    EXPECT_EQ(all_of<PutDistrusted>(*outcome).size(), 2U);
    EXPECT_EQ(all_of<PutCa>(*outcome).size(), 2U);
    EXPECT_EQ(all_of<DeleteCa>(*outcome).size(), 2U);
    EXPECT_EQ(group_after(*outcome).withdrawn.size(), 2U);
}

TEST_F(Slots, OneCaVouchesForOneGroup) {
    world.ca("b", root_b.certificate()).group("others", "b");
    const auto outcome = set(root_b.certificate(), Replacement::staged);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind, ErrorKind::conflict);
    EXPECT_EQ(outcome.error().reason, "ca-in-other-group");
    WorldBuilder waiting;
    waiting.ca("a", root_a.certificate()).group("fleet", "a");
    waiting.ca("b", root_b.certificate(), false).group("others", "");
    waiting.last_group().at(Slot::primary).pending = CaId::trusted("b");
    const TrustView trust = waiting.view();
    EXPECT_FALSE(set_group_slot(trust, trust.records().groups.front(), Slot::primary,
                                root_b.certificate(), Replacement::staged, false, false,
                                a_writing()));
}

TEST_F(Slots, TheSameCaInBothSlotsIsAllowedWithAWarning) {
    const TrustView trust = world.view();
    const auto outcome =
        set_group_slot(trust, world.last_group(), Slot::secondary, root_a.certificate(),
                       Replacement::staged, false, false, a_writing());
    ASSERT_TRUE(outcome);
    EXPECT_FALSE(outcome->warnings.empty());
    EXPECT_EQ(group_after(*outcome).at(Slot::secondary).current->str(), "a");
}

TEST_F(Slots, WhatCouldNeverAttestNeedsForce) {
    const auto expired = a_root("Old", {today - 24h * 9, today - 24h}).certificate();
    const auto refused = set(expired, Replacement::staged);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().reason, "could-never-attest");
    const auto forced = set(expired, Replacement::staged, false, true);
    ASSERT_TRUE(forced);
    EXPECT_FALSE(forced->findings.empty());
    EXPECT_FALSE(set(root_a.leaf("dev-1"), Replacement::staged)) << "a leaf is no CA";
}

TEST_F(Slots, RemovalPlainAndBreach) {
    const TrustView trust = world.view();
    const auto plain = remove_group_slot(trust, world.last_group(), Slot::primary, Removal::plain,
                                         false, a_writing());
    ASSERT_TRUE(plain);
    EXPECT_TRUE(group_after(*plain).withdrawn.empty());
    EXPECT_EQ(group_after(*plain).at(Slot::primary), GroupSlot{});
    const auto breach = remove_group_slot(trust, world.last_group(), Slot::primary, Removal::breach,
                                          false, a_writing());
    EXPECT_EQ(all_of<PutDistrusted>(*breach).size(), 1U);
    const auto nothing = remove_group_slot(trust, world.last_group(), Slot::secondary,
                                           Removal::plain, false, a_writing());
    ASSERT_FALSE(nothing);
    EXPECT_EQ(nothing.error().reason, "slot-empty");
}

TEST_F(Slots, SwappingChangesNothingForDevices) {
    const TrustView trust = world.view();
    const auto outcome = swap_group_slots(trust, world.last_group(), a_writing());
    ASSERT_TRUE(outcome);
    EXPECT_EQ(group_after(*outcome).at(Slot::secondary).current->str(), "a");
    EXPECT_TRUE(group_after(*outcome).withdrawn.empty());
    EXPECT_TRUE(all_of<DeleteCa>(*outcome).empty());
}

TEST_F(Slots, NamedCaRecordsOutliveTheirSlots) {
    WorldBuilder named;
    named.ca("a", root_a.certificate(), true, "corporate root").group("fleet", "a");
    const TrustView trust = named.view();
    const auto outcome = remove_group_slot(trust, named.last_group(), Slot::primary, Removal::plain,
                                           false, a_writing());
    EXPECT_TRUE(all_of<DeleteCa>(*outcome).empty());
}

TEST(LeafSlots, ChangeTogetherAndWithdrawOnBreach) {
    const auto old_1 = self_signed("dev-1", {}, "o1");
    const auto old_2 = self_signed("dev-1", {}, "o2");
    const auto new_1 = self_signed("dev-1", {}, "n1");
    const auto new_2 = self_signed("dev-1", {}, "n2");
    WorldBuilder world;
    const TrustView trust = world.view();
    const auto enrollment = an_enrollment("dev-1", old_1, old_2);
    const auto changed = [&](std::vector<LeafChange> changes, Removal removal) {
        return change_individual_slots(trust, enrollment, changes, removal, false, a_writing());
    };
    const auto breach =
        changed({{Slot::primary, new_1}, {Slot::secondary, new_2}}, Removal::breach);
    ASSERT_TRUE(breach);
    EXPECT_EQ(all_of<PutDistrusted>(*breach).size(), 2U);
    const auto after = all_of<PutIndividual>(*breach).at(0).enrollment;
    EXPECT_EQ(after.at(Slot::primary), new_1);
    EXPECT_EQ(after.withdrawn, (std::vector{old_1.sha256(), old_2.sha256()}));
    EXPECT_EQ(after.trust_version, enrollment.trust_version + 1);

    const auto plain = changed({{Slot::primary, new_1}}, Removal::plain);
    EXPECT_TRUE(all_of<PutIndividual>(*plain).at(0).enrollment.withdrawn.empty());
    EXPECT_EQ(all_of<PutIndividual>(*plain).at(0).enrollment.at(Slot::secondary), old_2);

    const auto same_key = self_signed("dev-1", {today - 24h, today + 24h}, "o1");
    const auto refused = changed({{Slot::primary, same_key}}, Removal::breach);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().reason, "key-distrusted");
}

TEST(LeafSlots, WarnOfAnotherName) {
    WorldBuilder world;
    const TrustView trust = world.view();
    const auto outcome = change_individual_slots(trust, an_enrollment("dev-1", std::nullopt),
                                                 {{Slot::primary, self_signed("other")}},
                                                 Removal::plain, false, a_writing());
    ASSERT_TRUE(outcome);
    EXPECT_FALSE(outcome->findings.empty());
}

}  // namespace
}  // namespace rollcall::domain
