// SPDX-License-Identifier: Apache-2.0
// The use cases about individual enrollments, devices and distrusted keys.
#include "service/enroller.hpp"
#include "support/operator_desk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::service {
namespace {

using domain::Removal;
using domain::Slot;
using test::a_root;
using test::OperatorDesk;
using test::run;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class EnrollerEntriesTest : public ::testing::Test {
protected:
    static LeafUploads leaves(std::optional<x509::Certificate> primary,
                              std::optional<x509::Certificate> secondary = {},
                              Removal removal = Removal::plain) {
        LeafUploads uploads;
        if (primary) {
            uploads.slots[0] = std::optional{primary->pem()};
        }
        if (secondary) {
            uploads.slots[1] = std::optional{secondary->pem()};
        }
        uploads.removal = removal;
        return uploads;
    }
    domain::IndividualEnrollment create(const std::string& id, const LeafUploads& uploads) {
        const IndividualSettings defaults;
        return *run(desk.enroller.create_individual(order, id, defaults, uploads)).value().record;
    }
    Result<Outcome<domain::IndividualEnrollment>> change(const std::string& id,
                                                         const LeafUploads& uploads) {
        const IndividualSettings unchanged;
        return run(desk.enroller.update_individual(order, id, unchanged, uploads));
    }
    domain::Device device(const std::string& id) {
        return run(desk.store.device(DeviceId::trusted(id))).value().value();
    }

    OperatorDesk desk;
    Order order = OperatorDesk::order();
    Order dry = OperatorDesk::dry();
    const test::Authority root = a_root("Root");
    const x509::Certificate first = root.leaf("dev-1");
    const x509::Certificate second = root.leaf("dev-1", {}, "another key");
};

TEST_F(EnrollerEntriesTest, CreatesAnIndividualEnrollment) {
    const auto made = create("Dev-1", leaves(first, second));
    EXPECT_EQ(made.id.original(), "Dev-1");
    EXPECT_EQ(made.at(Slot::primary), first);
    EXPECT_EQ(made.at(Slot::secondary), second);
    EXPECT_EQ(made.trust_version, 1u);
    const IndividualSettings defaults;
    const auto again =
        run(desk.enroller.create_individual(order, "dev-1", defaults, leaves(first)));
    EXPECT_EQ(again.error().reason, "enrollment-exists");
}

TEST_F(EnrollerEntriesTest, AnotherCommonNameIsAWarning) {
    const IndividualSettings defaults;
    const auto uploads = leaves(first);
    const auto made =
        run(desk.enroller.create_individual(order, "other", defaults, uploads)).value();
    const auto warnings = std::count_if(
        made.findings.begin(), made.findings.end(),
        [](const auto& finding) { return finding.gravity == x509::Gravity::warning; });
    EXPECT_EQ(warnings, 1);
}

TEST_F(EnrollerEntriesTest, AnEmptyEnrollmentIsMadeWithAWarning) {
    const IndividualSettings defaults;
    const LeafUploads none;
    const auto made = run(desk.enroller.create_individual(order, "dev", defaults, none)).value();
    EXPECT_THAT(made.warnings, ElementsAre(HasSubstr("holds no certificate")));
}

TEST_F(EnrollerEntriesTest, BothSlotsAreOneBreach) {
    (void)create("dev-1", leaves(first, second));
    const auto third = root.leaf("dev-1", {}, "third key");
    const auto fourth = root.leaf("dev-1", {}, "fourth key");
    const auto uploads = leaves(third, fourth, Removal::breach);
    const auto outcome = change("dev-1", uploads).value();
    EXPECT_EQ(outcome.record->at(Slot::primary), third);
    EXPECT_THAT(run(desk.store.distrusted()).value(), SizeIs(2));
    EXPECT_EQ(change("dev-1", leaves(first)).error().reason, "key-distrusted");
}

TEST_F(EnrollerEntriesTest, EmptyingASlotIsTold) {
    (void)create("dev-1", leaves(first, second));
    desk.known_device(
        "dev-1",
        domain::entry_of(*run(desk.store.individual(RegistrationId::trusted("dev-1"))).value()),
        Slot::primary, first, first);
    LeafUploads uploads;
    uploads.slots[0] = std::optional<std::string>{};
    const IndividualSettings unchanged;
    const auto shown =
        run(desk.enroller.update_individual(dry, "dev-1", unchanged, uploads)).value();
    EXPECT_EQ(shown.preview->change, ChangeClass::removal);
    EXPECT_EQ(shown.preview->impact.devices, 1u);
    EXPECT_THAT(shown.preview->impact.first, ElementsAre("dev-1"));
    const auto outcome = change("dev-1", uploads).value();
    EXPECT_FALSE(outcome.record->at(Slot::primary));
    EXPECT_THAT(outcome.record->withdrawn, IsEmpty()) << "plain";
    EXPECT_EQ(change("dev-1", uploads).error().reason, "slot-empty");
}

TEST_F(EnrollerEntriesTest, SwappingLeavesMovesNobody) {
    (void)create("dev-1", leaves(first));
    const auto outcome = run(desk.enroller.swap_individual_slots(order, "dev-1")).value();
    EXPECT_FALSE(outcome.record->at(Slot::primary));
    EXPECT_EQ(outcome.record->at(Slot::secondary), first);
    EXPECT_THAT(outcome.record->withdrawn, IsEmpty());
}

TEST_F(EnrollerEntriesTest, SettingsAndCertificatesChangeTogether) {
    (void)create("dev-1", leaves(first));
    IndividualSettings settings;
    settings.enabled = false;
    settings.device_id = "the-device";
    settings.initial_twin = R"({"tags":{}})";
    const auto uploads = leaves(std::nullopt, second);
    const auto outcome =
        run(desk.enroller.update_individual(order, "dev-1", settings, uploads)).value();
    EXPECT_FALSE(outcome.record->enabled);
    EXPECT_EQ(outcome.record->device_id->str(), "the-device");
    EXPECT_EQ(outcome.record->at(Slot::primary), first);
    EXPECT_EQ(outcome.record->at(Slot::secondary), second);
    EXPECT_THAT(desk.last_event().detail, HasSubstr(R"("enabled":{"before":true,"after":false})"));
    settings = {};
    settings.device_id = "";
    const LeafUploads none;
    const auto back = run(desk.enroller.update_individual(order, "dev-1", settings, none)).value();
    EXPECT_FALSE(back.record->device_id);
}

TEST_F(EnrollerEntriesTest, RefusesIndividualsThatMakeNoSense) {
    (void)create("dev-1", leaves(first));
    const IndividualSettings defaults;
    const LeafUploads none;
    EXPECT_EQ(run(desk.enroller.create_individual(order, "no good", defaults, none)).error().kind,
              ErrorKind::malformed);
    IndividualSettings bad;
    bad.device_id = "no good";
    EXPECT_EQ(run(desk.enroller.create_individual(order, "x", bad, none)).error().kind,
              ErrorKind::malformed);
    LeafUploads key;
    key.slots[0] = std::optional{root.key().pem()};
    EXPECT_EQ(run(desk.enroller.create_individual(order, "x", defaults, key)).error().reason,
              "private-key-uploaded");
    EXPECT_EQ(run(desk.enroller.update_individual(order, "nobody", defaults, none)).error().reason,
              "enrollment-not-found");
    EXPECT_EQ(run(desk.enroller.delete_individual(order, "nobody")).error().reason,
              "enrollment-not-found");
    order.if_match.one_of = {"old"};
    EXPECT_EQ(change("dev-1", leaves(second)).error().kind, ErrorKind::stale);
}

TEST_F(EnrollerEntriesTest, DeletesAnEnrollmentAndKeepsTheDevice) {
    const auto made = create("dev-1", leaves(first));
    desk.known_device("dev-1", domain::entry_of(made), Slot::primary, first, first);
    const auto shown = run(desk.enroller.delete_individual(dry, "dev-1")).value();
    EXPECT_EQ(shown.preview->impact.devices, 1u);
    EXPECT_EQ(run(desk.enroller.delete_individual(order, "DEV-1")).value().record,
              "enrollment/dev-1");
    EXPECT_TRUE(run(desk.store.device(DeviceId::trusted("dev-1"))).value());
}

TEST_F(EnrollerEntriesTest, DevicesAreApprovedBlockedUnblockedAndForgotten) {
    const domain::EntryRef entry{domain::EntryRef::Kind::group, "g", "1"};
    desk.known_device("dev-1", entry, Slot::primary, root.certificate(), first);
    const auto blocked = run(desk.enroller.block_device(order, "dev-1")).value();
    EXPECT_TRUE(blocked.record->blocked);
    EXPECT_EQ(desk.last_event().action, "device.block");
    const auto events = desk.audit().size();
    EXPECT_TRUE(run(desk.enroller.block_device(order, "dev-1"))) << "it is so already";
    EXPECT_EQ(desk.audit().size(), events);
    EXPECT_FALSE(run(desk.enroller.unblock_device(order, "dev-1")).value().record->blocked);
    EXPECT_TRUE(run(desk.enroller.approve_device(order, "dev-1")).value().record->approved);
    const auto shown = run(desk.enroller.delete_device(dry, "dev-1")).value();
    EXPECT_THAT(shown.preview->impact.first, ElementsAre("dev-1"));
    EXPECT_EQ(run(desk.enroller.delete_device(order, "dev-1")).value().record, "device/dev-1");
    EXPECT_FALSE(run(desk.store.registration(RegistrationId::trusted("dev-1"))).value());
    EXPECT_EQ(run(desk.enroller.block_device(order, "dev-1")).error().reason, "device-not-found");
    EXPECT_EQ(run(desk.enroller.delete_device(order, "no good")).error().reason,
              "device-not-found");
}

TEST_F(EnrollerEntriesTest, AKeyIsDistrustedWithAReasonAndLiftedWithOne) {
    desk.group_with("g", root.certificate());
    desk.known_device("dev-1", domain::entry_of(desk.group("g")), Slot::primary, root.certificate(),
                      first);
    const DistrustRequest request{root.certificate().pem(), {}};
    const auto shown = run(desk.enroller.distrust(dry, request)).value();
    EXPECT_EQ(shown.preview->impact.devices, 1u);
    EXPECT_THAT(shown.warnings, ElementsAre(HasSubstr("primary slot of the group 'g'")));

    Order silent = order;
    silent.reason.clear();
    EXPECT_EQ(run(desk.enroller.distrust(silent, request)).error().reason, "reason-required");

    const auto added = run(desk.enroller.distrust(order, request)).value();
    EXPECT_EQ(added.record->spki, root.certificate().spki_sha256());
    EXPECT_EQ(added.record->subject, root.certificate().subject());
    EXPECT_EQ(run(desk.enroller.distrust(order, request)).error().reason, "already-distrusted");

    const auto spki = root.certificate().spki_sha256();
    EXPECT_EQ(run(desk.enroller.lift_distrust(silent, spki)).error().reason, "reason-required");
    EXPECT_TRUE(run(desk.enroller.lift_distrust(order, spki)));
    EXPECT_THAT(run(desk.store.distrusted()).value(), IsEmpty());
    EXPECT_EQ(run(desk.enroller.lift_distrust(order, spki)).error().reason, "not-distrusted");
}

}  // namespace
}  // namespace rollcall::service
