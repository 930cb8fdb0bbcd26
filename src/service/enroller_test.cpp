// SPDX-License-Identifier: Apache-2.0
// The use cases about CAs, groups and slots; individuals, devices and keys: enroller_entries_test.
#include "service/enroller.hpp"

#include "base/limits.hpp"
#include "support/operator_desk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::service {
namespace {

using domain::Removal;
using domain::Replacement;
using domain::Slot;
using test::a_root;
using test::OperatorDesk;
using test::run;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class EnrollerTest : public ::testing::Test {
protected:
    Result<Outcome<GroupView>> set(const std::string& group, Slot slot,
                                   const x509::Certificate& certificate,
                                   Replacement replacement = Replacement::staged,
                                   bool vouch = true) {
        const auto upload = OperatorDesk::upload(certificate, replacement, vouch);
        return run(desk.enroller.set_group_slot(order, group, slot, upload));
    }
    Result<Outcome<GroupView>> preview(const std::string& group, Slot slot,
                                       const x509::Certificate& certificate,
                                       Replacement replacement = Replacement::staged,
                                       bool vouch = true) {
        const auto upload = OperatorDesk::upload(certificate, replacement, vouch);
        return run(desk.enroller.set_group_slot(dry, group, slot, upload));
    }
    void known(const std::string& id, const std::string& group, const test::Authority& ca) {
        const auto entry = domain::entry_of(desk.group(group));
        desk.known_device(id, entry, Slot::primary, ca.certificate(), ca.leaf(id));
    }

    OperatorDesk desk;
    Order order = OperatorDesk::order();
    Order dry = OperatorDesk::dry();
    const test::Authority old_root = a_root("Old Root");
    const test::Authority new_root = a_root("New Root");
};

TEST_F(EnrollerTest, CreatesAGroupOnceWhateverTheCase) {
    GroupSettings settings;
    settings.auto_approve = false;
    const auto made = run(desk.enroller.create_group(order, "Plant-A", settings)).value();
    EXPECT_EQ(made.record->group.id.str(), "Plant-A");
    EXPECT_FALSE(made.record->group.auto_approve);
    EXPECT_TRUE(made.record->group.enabled);
    EXPECT_EQ(desk.last_event().action, "group.create");
    EXPECT_EQ(desk.last_event().object, "group/Plant-A");
    EXPECT_EQ(desk.last_event().actor, "local administrator");
    EXPECT_EQ(desk.last_event().reason, "a test");
    const auto again = run(desk.enroller.create_group(order, "plant-a", settings));
    EXPECT_EQ(again.error().reason, "group-exists");
}

TEST_F(EnrollerTest, AChangeThatChangesNothingIsNotWritten) {
    desk.group_with("g", old_root.certificate());
    const auto before = desk.audit().size();
    GroupSettings settings;
    settings.enabled = true;
    const auto outcome = run(desk.enroller.update_group(order, "g", settings)).value();
    EXPECT_TRUE(outcome.record->group.enabled);
    EXPECT_EQ(desk.audit().size(), before);
}

TEST_F(EnrollerTest, IfMatchMustFitAndIsNotTriedAgain) {
    desk.group_with("g", old_root.certificate());
    GroupSettings settings;
    settings.enabled = false;
    order.if_match.one_of = {"somebody-elses"};
    const auto stale = run(desk.enroller.update_group(order, "g", settings));
    EXPECT_EQ(stale.error().kind, ErrorKind::stale);
    EXPECT_TRUE(desk.group("g").enabled);
    order.if_match.one_of = {"somebody-elses", desk.group("g").etag.str()};
    EXPECT_TRUE(run(desk.enroller.update_group(order, "g", settings)));
    EXPECT_FALSE(desk.group("g").enabled);
}

TEST_F(EnrollerTest, AStagedReplacementWaitsForItsProof) {
    desk.group_with("g", old_root.certificate());
    const auto staged =
        set("g", Slot::primary, new_root.certificate(), Replacement::staged, false).value();
    EXPECT_TRUE(staged.pending);
    const auto& slot = staged.record->at(Slot::primary);
    EXPECT_EQ(slot.current->ca->certificate, old_root.certificate());
    EXPECT_TRUE(slot.current->attests);
    EXPECT_EQ(slot.pending->ca->certificate, new_root.certificate());
    EXPECT_FALSE(slot.pending->attests);

    const auto code = run(desk.enroller.ask_slot_code(order, "g", Slot::primary)).value();
    EXPECT_THAT(code.code, SizeIs(48));
    EXPECT_EQ(code.sha256, new_root.certificate().sha256());
    EXPECT_THAT(desk.last_event().detail, ::testing::Not(HasSubstr(code.code)));

    const CaProof wrong{old_root.proof(code.code).pem(), false};
    EXPECT_FALSE(run(desk.enroller.verify_group_slot(order, "g", Slot::primary, wrong)));
    const CaProof right{new_root.proof(code.code).pem(), false};
    const auto done =
        run(desk.enroller.verify_group_slot(order, "g", Slot::primary, right)).value();
    const auto& after = done.record->at(Slot::primary);
    EXPECT_EQ(after.current->ca->certificate, new_root.certificate());
    EXPECT_TRUE(after.current->attests);
    EXPECT_FALSE(after.pending);
    EXPECT_THAT(done.record->group.withdrawn, IsEmpty()) << "a plain replacement withdraws nothing";

    const auto again = run(desk.enroller.verify_group_slot(order, "g", Slot::primary, right));
    EXPECT_EQ(again.error().reason, "already-verified");
}

TEST_F(EnrollerTest, ACodeDiesWithANewOne) {
    desk.group_with("g", old_root.certificate());
    (void)set("g", Slot::secondary, new_root.certificate(), Replacement::staged, false).value();
    const auto first = run(desk.enroller.ask_slot_code(order, "g", Slot::secondary)).value();
    const auto second = run(desk.enroller.ask_slot_code(order, "g", Slot::secondary)).value();
    EXPECT_NE(first.code, second.code);
    const CaProof early{new_root.proof(first.code).pem(), false};
    const auto refused = run(desk.enroller.verify_group_slot(order, "g", Slot::secondary, early));
    EXPECT_EQ(refused.error().reason, "wrong-code");
    const CaProof right{new_root.proof(second.code).pem(), false};
    EXPECT_TRUE(run(desk.enroller.verify_group_slot(order, "g", Slot::secondary, right)));
}

TEST_F(EnrollerTest, AProofWantsACodeAndACodeACertificate) {
    desk.group_with("g", old_root.certificate());
    const auto empty = run(desk.enroller.ask_slot_code(order, "g", Slot::secondary));
    EXPECT_EQ(empty.error().reason, "slot-empty");
    const auto verified = run(desk.enroller.ask_slot_code(order, "g", Slot::primary));
    EXPECT_EQ(verified.error().reason, "already-verified");
    (void)set("g", Slot::secondary, new_root.certificate(), Replacement::staged, false).value();
    const CaProof proof{new_root.proof("0123").pem(), false};
    const auto no_code = run(desk.enroller.verify_group_slot(order, "g", Slot::secondary, proof));
    EXPECT_EQ(no_code.error().reason, "no-code");
}

TEST_F(EnrollerTest, ABreachDistrustsTheOldKeyAndKeepsItOut) {
    desk.group_with("g", old_root.certificate());
    const auto outcome =
        set("g", Slot::primary, new_root.certificate(), Replacement::breach).value();
    EXPECT_FALSE(outcome.pending);
    const auto list = run(desk.store.distrusted()).value();
    ASSERT_THAT(list, SizeIs(1));
    EXPECT_EQ(list[0].spki, old_root.certificate().spki_sha256());
    EXPECT_EQ(list[0].by, "local administrator");
    EXPECT_THAT(desk.last_event().detail, HasSubstr(R"("mode":"breach")"));
    EXPECT_THAT(desk.last_event().detail, HasSubstr(R"("distrusted":[)"));
    const auto back = set("g", Slot::secondary, old_root.certificate());
    EXPECT_EQ(back.error().reason, "key-distrusted");
}

TEST_F(EnrollerTest, BothSlotsGoInOneChange) {
    desk.group_with("g", old_root.certificate());
    const auto other = a_root("Other Old Root");
    (void)set("g", Slot::secondary, other.certificate()).value();
    const auto third = a_root("Third Root");
    const auto upload = OperatorDesk::upload(new_root.certificate(), Replacement::breach);
    const auto outcome =
        run(desk.enroller.set_both_group_slots(order, "g", upload, third.certificate().pem()))
            .value();
    EXPECT_EQ(outcome.record->at(Slot::primary).current->ca->certificate, new_root.certificate());
    EXPECT_EQ(outcome.record->at(Slot::secondary).current->ca->certificate, third.certificate());
    EXPECT_THAT(run(desk.store.distrusted()).value(), SizeIs(2));
}

TEST_F(EnrollerTest, SwappingExchangesTheSlots) {
    desk.group_with("g", old_root.certificate());
    const auto outcome = run(desk.enroller.swap_group_slots(order, "g")).value();
    EXPECT_FALSE(outcome.record->at(Slot::primary).current);
    EXPECT_EQ(outcome.record->at(Slot::secondary).current->ca->certificate, old_root.certificate());
}

TEST_F(EnrollerTest, TheSameCaInTwoGroupsIsRefused) {
    desk.group_with("g", old_root.certificate());
    const GroupSettings defaults;
    (void)run(desk.enroller.create_group(order, "h", defaults)).value();
    EXPECT_EQ(set("h", Slot::primary, old_root.certificate()).error().reason, "ca-in-other-group");
}

// --- Previews --------------------------------------------------------------------------------

TEST_F(EnrollerTest, APreviewCountsWhoRestsOnWhatGoesAndChangesNothing) {
    desk.group_with("g", old_root.certificate());
    for (const auto* const id : {"dev-1", "dev-2", "dev-3"}) {
        known(id, "g", old_root);
    }
    const auto before = desk.audit().size();
    const auto outcome =
        preview("g", Slot::primary, new_root.certificate(), Replacement::breach).value();
    EXPECT_FALSE(outcome.record);
    ASSERT_TRUE(outcome.preview);
    EXPECT_EQ(outcome.preview->change, ChangeClass::new_key);
    EXPECT_EQ(outcome.preview->impact.devices, 3u);
    EXPECT_THAT(outcome.preview->impact.first, ElementsAre("dev-1", "dev-2", "dev-3"));
    EXPECT_THAT(outcome.preview->distrusts, ElementsAre(old_root.certificate().spki_sha256()));
    EXPECT_THAT(outcome.preview->incoming, ElementsAre(new_root.certificate()));
    EXPECT_THAT(outcome.preview->outgoing, ElementsAre(old_root.certificate()));
    EXPECT_EQ(desk.audit().size(), before);
    EXPECT_THAT(run(desk.store.distrusted()).value(), IsEmpty());
}

TEST_F(EnrollerTest, ARenewalWithTheSameKeyCutsNobodyOff) {
    desk.group_with("g", old_root.certificate());
    known("dev-1", "g", old_root);
    const auto renewed = old_root.cross_signed_by(old_root);
    const auto same = preview("g", Slot::primary, renewed).value();
    EXPECT_EQ(same.preview->change, ChangeClass::same_key_renewed);
    EXPECT_EQ(same.preview->impact.devices, 0u);
    const auto crossed = old_root.cross_signed_by(new_root);
    const auto cross = preview("g", Slot::primary, crossed).value();
    EXPECT_EQ(cross.preview->change, ChangeClass::cross_signed);
    EXPECT_EQ(cross.preview->impact.devices, 0u);
}

TEST_F(EnrollerTest, WhatStandsInTheOtherSlotTooIsNoLoss) {
    desk.group_with("g", old_root.certificate());
    (void)set("g", Slot::secondary, old_root.certificate()).value();
    known("dev-1", "g", old_root);
    const auto outcome =
        run(desk.enroller.remove_group_slot(dry, "g", Slot::primary, Removal::plain, false))
            .value();
    EXPECT_EQ(outcome.preview->change, ChangeClass::removal);
    EXPECT_EQ(outcome.preview->impact.devices, 0u);
}

TEST_F(EnrollerTest, APreviewNamesAHundredAtMost) {
    desk.group_with("g", old_root.certificate());
    const auto entry = domain::entry_of(desk.group("g"));
    const auto leaf = old_root.leaf("dev");
    for (std::size_t i = 0; i < limits::impact_names_max + 1; ++i) {
        desk.known_device("dev-" + std::to_string(i), entry, Slot::primary, old_root.certificate(),
                          leaf);
    }
    const auto outcome = run(desk.enroller.delete_group(dry, "g")).value();
    EXPECT_EQ(outcome.preview->impact.devices, limits::impact_names_max + 1);
    EXPECT_THAT(outcome.preview->impact.first, SizeIs(limits::impact_names_max));
}

TEST_F(EnrollerTest, APreviewRefusesWhatTheChangeWould) {
    desk.group_with("g", old_root.certificate());
    const auto leaf = preview("g", Slot::secondary, old_root.leaf("dev-1"));
    EXPECT_EQ(leaf.error().reason, "could-never-attest");
    EXPECT_EQ(preview("nobody", Slot::primary, new_root.certificate()).error().reason,
              "group-not-found");
}

TEST_F(EnrollerTest, DisablingAGroupTellsWhoIsRefused) {
    desk.group_with("g", old_root.certificate());
    known("dev-1", "g", old_root);
    GroupSettings settings;
    settings.enabled = false;
    EXPECT_EQ(run(desk.enroller.update_group(dry, "g", settings)).value().preview->impact.devices,
              1u);
    const auto before = desk.group("g").trust_version;
    (void)run(desk.enroller.update_group(order, "g", settings)).value();
    EXPECT_GT(desk.group("g").trust_version, before);
}

// --- CA certificates -------------------------------------------------------------------------

TEST_F(EnrollerTest, ANamedCaIsVerifiedByProof) {
    const NewCa request{"Factory", old_root.certificate().pem(), false, false};
    const auto added = run(desk.enroller.add_ca(order, request)).value();
    EXPECT_FALSE(added.record->ca.verified);
    EXPECT_FALSE(added.record->attests);
    const auto code = run(desk.enroller.ask_ca_code(order, "factory")).value();
    const CaProof proof{old_root.proof(code.code).pem(), false};
    const auto verified = run(desk.enroller.verify_ca(order, "Factory", proof)).value();
    EXPECT_EQ(verified.record->ca.verified->how, domain::CaVerification::How::proof);
    EXPECT_TRUE(verified.record->attests);
    EXPECT_TRUE(verified.record->ca.pending_code.empty());
}

TEST_F(EnrollerTest, RefusesCasThatMakeNoSense) {
    const NewCa request{"Factory", old_root.certificate().pem(), true, false};
    (void)run(desk.enroller.add_ca(order, request)).value();
    struct Case {
        const char* what;
        NewCa request;
        const char* reason;
    };
    const auto leaf = old_root.leaf("dev-1");
    const std::vector<Case> cases{
        {"the same again", request, "ca-exists"},
        {"the same certificate, another name",
         {"Plant", old_root.certificate().pem(), true, false},
         "ca-exists"},
        {"a taken name", {"FACTORY", new_root.certificate().pem(), true, false}, "name-taken"},
        {"a leaf", {"Leaf", leaf.pem(), true, false}, "could-never-attest"},
        {"a private key", {"Key", old_root.key().pem(), true, false}, "private-key-uploaded"},
        {"a name with a slash",
         {"a/b", new_root.certificate().pem(), true, false},
         "malformed-name"},
        {"a name that is too long",
         {std::string(limits::ca_name_chars_max + 1, 'a'), new_root.certificate().pem(), true,
          false},
         "malformed-name"},
        {"nothing", {"Nothing", "", true, false}, "no-certificate"}};
    for (const auto& each : cases) {
        const auto refused = run(desk.enroller.add_ca(order, each.request));
        ASSERT_FALSE(refused) << each.what;
        EXPECT_EQ(refused.error().reason, each.reason) << each.what;
    }
    const NewCa longest{std::string(limits::ca_name_chars_max, 'a'), new_root.certificate().pem(),
                        true, false};
    EXPECT_TRUE(run(desk.enroller.add_ca(order, longest)));
}

TEST_F(EnrollerTest, AnUnnamedCaOfASlotGetsAName) {
    desk.group_with("g", old_root.certificate());
    const NewCa request{"Factory", old_root.certificate().pem(), false, false};
    const auto named = run(desk.enroller.add_ca(order, request)).value();
    EXPECT_EQ(named.record->ca.name, "Factory");
    EXPECT_TRUE(named.record->ca.verified) << "it was verified before";
    ASSERT_THAT(named.record->used_by, SizeIs(1));
    EXPECT_EQ(named.record->used_by[0].group.str(), "g");
    // A named record stays when the slot lets go of it.
    (void)run(desk.enroller.remove_group_slot(order, "g", Slot::primary, Removal::plain, false))
        .value();
    EXPECT_TRUE(run(desk.store.ca(named.record->ca.id)).value());
}

TEST_F(EnrollerTest, DeletingACaLeavesItsSlotsDangling) {
    desk.group_with("g", old_root.certificate());
    const auto sha256 = old_root.certificate().sha256().hex();
    const auto outcome = run(desk.enroller.delete_ca(order, sha256, Removal::plain)).value();
    EXPECT_THAT(outcome.warnings, ElementsAre(HasSubstr("primary slot of the group 'g'")));
    EXPECT_TRUE(desk.group("g").at(Slot::primary).current) << "the reference dangles";
    EXPECT_THAT(desk.group("g").withdrawn, IsEmpty());
    EXPECT_FALSE(run(desk.enroller.delete_ca(order, sha256, Removal::plain)));
}

TEST_F(EnrollerTest, DeletingALostCaDistrustsItsKey) {
    desk.group_with("g", old_root.certificate());
    known("dev-1", "g", old_root);
    const auto sha256 = old_root.certificate().sha256().hex();
    const auto shown = run(desk.enroller.delete_ca(dry, sha256, Removal::breach)).value();
    EXPECT_EQ(shown.preview->impact.devices, 1u);
    (void)run(desk.enroller.delete_ca(order, sha256, Removal::breach)).value();
    EXPECT_THAT(run(desk.store.distrusted()).value(), SizeIs(1));
    EXPECT_THAT(desk.group("g").withdrawn, ElementsAre(old_root.certificate().ca_key()));
}

TEST_F(EnrollerTest, DeletingAGroupTakesItsUnnamedCasAlong) {
    desk.group_with("g", old_root.certificate());
    EXPECT_EQ(run(desk.enroller.delete_group(order, "G")).value().record, "group/g");
    EXPECT_THAT(run(desk.store.cas({})).value().items, IsEmpty());
    EXPECT_EQ(desk.last_event().action, "group.delete");
}

TEST_F(EnrollerTest, NothingIsToldAsDoneThatWasNotWritten) {
    desk.group_with("g", old_root.certificate());
    desk.store.fail_commits(true);
    EXPECT_EQ(set("g", Slot::secondary, new_root.certificate()).error().kind,
              ErrorKind::unavailable);
}

TEST_F(EnrollerTest, AReasonHasABound) {
    const GroupSettings defaults;
    order.reason.assign(limits::reason_chars_max, 'x');
    EXPECT_TRUE(run(desk.enroller.create_group(order, "g", defaults)));
    order.reason.push_back('x');
    EXPECT_EQ(run(desk.enroller.create_group(order, "h", defaults)).error().reason,
              "reason-too-long");
}

TEST_F(EnrollerTest, ManyAtOnceLoseNothing) {
    desk.group_with("g", old_root.certificate());
    std::vector<std::string> names;
    for (int i = 0; i < limits::change_attempts_max; ++i) {
        names.push_back("g" + std::to_string(i));
    }
    const GroupSettings defaults;
    std::vector<Task<Result<Outcome<GroupView>>>> tasks;
    for (const auto& name : names) {
        tasks.push_back(desk.enroller.create_group(order, name, defaults));
    }
    for (const auto& made : test::run_together(std::move(tasks))) {
        EXPECT_TRUE(made);
    }
    EXPECT_THAT(run(desk.store.groups({})).value().items, SizeIs(names.size() + 1));
}

}  // namespace
}  // namespace rollcall::service
