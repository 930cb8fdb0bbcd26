// SPDX-License-Identifier: Apache-2.0
// Entries and devices in the manner of IoT Central: what is not said stays.
#include "service/enroller.hpp"
#include "support/operator_desk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::service {
namespace {

using domain::AttestationKind;
using domain::Replacement;
using domain::Slot;
using test::a_root;
using test::OperatorDesk;
using test::run;
using ::testing::HasSubstr;
using ::testing::Not;

class EnrollerWriteTest : public ::testing::Test {
protected:
    static SlotUpload upload(const x509::Certificate& certificate, bool vouch = false) {
        return {certificate.pem(), vouch ? Replacement::immediate : Replacement::staged, vouch,
                true};
    }
    Result<Outcome<GroupView>> write(const GroupWrite& asked,
                                     PutMode mode = PutMode::make_or_change) {
        return run(desk.enroller.write_group(order, "Fleet", asked, mode));
    }
    Result<Outcome<domain::IndividualEnrollment>> write(const IndividualWrite& asked,
                                                        PutMode mode = PutMode::make_or_change) {
        return run(desk.enroller.write_individual(order, "dev-1", asked, mode));
    }
    Result<Outcome<domain::NotedDevice>> write(const DeviceWrite& asked,
                                               PutMode mode = PutMode::make_or_change) {
        return run(desk.enroller.write_device(order, "dev-1", asked, mode));
    }
    static IndividualWrite leaves(std::optional<std::optional<std::string>> primary,
                                  std::optional<std::optional<std::string>> secondary) {
        IndividualWrite asked;
        asked.leaves.removal = domain::Removal::immediate;
        asked.leaves.force = true;
        asked.leaves.slots = {std::move(primary), std::move(secondary)};
        return asked;
    }
    std::size_t events() { return desk.audit().size(); }

    OperatorDesk desk;
    Order order = OperatorDesk::order();
    const test::Authority root = a_root("Root");
    const test::Authority other = a_root("Other Root");
    const x509::Certificate leaf = test::self_signed("dev-1");
    const x509::Certificate next = test::self_signed("dev-1");
};

// --- Groups ---

TEST_F(EnrollerWriteTest, AGroupMayBeWithoutCertificates) {
    GroupWrite asked;
    asked.settings.display_name = "The Fleet";
    asked.settings.iot_edge = true;
    const auto made = write(asked).value();
    EXPECT_EQ(made.record->group.notes.display_name, "The Fleet");
    EXPECT_EQ(made.record->group.notes.iot_edge, true);
    EXPECT_TRUE(made.record->group.enabled);
    EXPECT_FALSE(made.record->at(Slot::primary).current);
    EXPECT_EQ(desk.last_event().action, "group.create");
}

TEST_F(EnrollerWriteTest, WhatIsNotSaidOfAGroupStays) {
    GroupWrite asked;
    asked.settings.display_name = "The Fleet";
    asked.settings.auto_approve = false;
    asked.settings.initial_twin = R"({"tags":{}})";
    asked.slots[0] = upload(root.certificate(), true);
    (void)write(asked).value();

    GroupWrite change;
    change.settings.enabled = false;
    const auto group = write(change, PutMode::change).value().record->group;
    EXPECT_EQ(group.notes.display_name, "The Fleet");
    EXPECT_FALSE(group.auto_approve);
    EXPECT_EQ(group.initial_twin, R"({"tags":{}})");
    EXPECT_TRUE(group.at(Slot::primary).current);
    EXPECT_FALSE(group.enabled);
    EXPECT_THAT(desk.last_event().detail, HasSubstr("enabled"));

    const std::size_t before = events();
    const auto same = write(change).value().record->group;
    EXPECT_EQ(same.etag, group.etag) << "nothing changed";
    EXPECT_EQ(events(), before);
}

TEST_F(EnrollerWriteTest, AWholeGroupOfDpsKeepsItsName) {
    GroupWrite asked;
    asked.settings.display_name = "The Fleet";
    asked.slots[0] = upload(root.certificate(), true);
    (void)write(asked).value();
    EntryWish wish;
    wish.notes.inline_certificates = true;
    wish.slots[0] = UploadedCertificate{root.certificate().pem()};
    const auto put =
        run(desk.enroller.put_group(order, "Fleet", wish, PutMode::make_or_change)).value();
    EXPECT_EQ(put.record->group.notes.display_name, "The Fleet");
    EXPECT_TRUE(put.record->group.notes.inline_certificates);
}

TEST_F(EnrollerWriteTest, ACertificateWaitsUnlessItIsVouchedFor) {
    GroupWrite asked;
    asked.slots[0] = upload(root.certificate(), true);
    (void)write(asked).value();
    GroupWrite change;
    change.slots[0] = upload(other.certificate());
    const auto staged = write(change).value();
    EXPECT_TRUE(staged.pending);
    EXPECT_EQ(staged.record->at(Slot::primary).current->ca->certificate, root.certificate());
    EXPECT_EQ(staged.record->at(Slot::primary).pending->ca->certificate, other.certificate());

    change.slots[0] = upload(other.certificate(), true);
    const auto replaced = write(change).value();
    EXPECT_EQ(replaced.record->at(Slot::primary).current->ca->certificate, other.certificate());
    EXPECT_FALSE(replaced.record->at(Slot::primary).pending);
    EXPECT_EQ(replaced.record->group.withdrawn.size(), 1u) << "trust in the old one is withdrawn";
    EXPECT_THAT(desk.last_event().detail, HasSubstr("vouched"));
}

TEST_F(EnrollerWriteTest, SettingsAndCertificatesAreOneChangeOrNone) {
    GroupWrite asked;
    asked.slots[0] = upload(root.certificate(), true);
    (void)write(asked).value();
    const auto before = desk.group("Fleet");
    const std::size_t told = events();
    GroupWrite change;
    change.settings.enabled = false;
    change.slots[0] = SlotUpload{"no certificate", Replacement::immediate, true, true};
    EXPECT_EQ(write(change).error().kind, ErrorKind::malformed);
    EXPECT_EQ(desk.group("Fleet"), before);
    EXPECT_EQ(events(), told);
}

TEST_F(EnrollerWriteTest, KeysStayUnlessTheyAreGiven) {
    GroupWrite asked;
    asked.attestation = AttestationKind::symmetric_key;
    const auto made = write(asked).value().record->group;
    ASSERT_TRUE(made.keys);
    GroupWrite change;
    change.settings.keys.emplace();
    change.settings.keys->slots[1] = to_base64(Bytes(32, 9));
    const auto changed = write(change).value().record->group;
    EXPECT_EQ(changed.keys->front(), made.keys->front());
    EXPECT_EQ(changed.keys->back().base64(), to_base64(Bytes(32, 9)));
    EXPECT_THAT(desk.last_event().detail, Not(HasSubstr(to_base64(Bytes(32, 9)))));
}

TEST_F(EnrollerWriteTest, CertificatesStayCertificatesAndKeysKeys) {
    (void)write(GroupWrite{}).value();
    GroupWrite keys;
    keys.attestation = AttestationKind::symmetric_key;
    EXPECT_EQ(write(keys).error().reason, "attestation-type");
    IndividualWrite by_key;
    by_key.attestation = AttestationKind::symmetric_key;
    (void)write(by_key).value();
    auto certificate = leaves(leaf.pem(), {});
    EXPECT_EQ(write(certificate).error().reason, "attests-by-key");
    certificate.attestation = AttestationKind::x509;
    EXPECT_EQ(write(certificate).error().reason, "attestation-type");
}

TEST_F(EnrollerWriteTest, AskedForAndNotThere) {
    EXPECT_EQ(write(GroupWrite{}, PutMode::change).error().reason, "group-not-found");
    EXPECT_EQ(write(IndividualWrite{}, PutMode::change).error().reason, "enrollment-not-found");
    EXPECT_EQ(write(DeviceWrite{}, PutMode::change).error().reason, "device-not-found");
    order.if_match.one_of = {"x"};
    EXPECT_EQ(write(GroupWrite{}).error().kind, ErrorKind::stale);
    EXPECT_EQ(write(leaves(leaf.pem(), {})).error().kind, ErrorKind::stale);
    EXPECT_EQ(write(DeviceWrite{}).error().kind, ErrorKind::stale);
    EXPECT_EQ(events(), 0u);
}

// --- Individual enrollments ---

TEST_F(EnrollerWriteTest, ANewEnrollmentHoldsSomething) {
    EXPECT_EQ(write(IndividualWrite{}).error().reason, "no-certificate");
    EXPECT_EQ(events(), 0u);
}

TEST_F(EnrollerWriteTest, OnlyTheSlotsThatAreGivenChange) {
    (void)write(leaves(leaf.pem(), {})).value();
    const auto both = *write(leaves({}, next.pem()), PutMode::change).value().record;
    EXPECT_EQ(both.at(Slot::primary), leaf);
    EXPECT_EQ(both.at(Slot::secondary), next);

    const std::size_t before = events();
    const auto same = *write(leaves(leaf.pem(), next.pem())).value().record;
    EXPECT_EQ(same, both) << "what stands there is no change";
    EXPECT_EQ(events(), before);

    const std::optional<std::string> nothing;
    const auto one = *write(leaves(next.pem(), nothing)).value().record;
    EXPECT_EQ(one.at(Slot::primary), next);
    EXPECT_FALSE(one.at(Slot::secondary));
    EXPECT_EQ(one.withdrawn, std::vector<Digest>{leaf.sha256()});
    (void)write(leaves(next.pem(), nothing)).value();  // an empty slot may be emptied again
}

// --- Devices ---

TEST_F(EnrollerWriteTest, ADeviceIsRegisteredBeforeItComes) {
    DeviceWrite asked;
    asked.display_name = "Cooler";
    asked.template_id = "dtmi:plant:cooler;1";
    asked.simulated = true;
    asked.organizations = std::vector<std::string>{"north"};
    const auto made = *write(asked).value().record;
    EXPECT_EQ(made.name(), "Cooler");
    EXPECT_EQ(made.device.registration.str(), "dev-1");
    EXPECT_EQ(domain::state_of(made.device), domain::DeviceState::registered);
    EXPECT_EQ(desk.last_event().action, "device.create");
    EXPECT_EQ(desk.last_event().object, "device/dev-1");
    EXPECT_THAT(desk.last_event().detail, HasSubstr("dtmi:plant:cooler;1"));

    DeviceWrite change;
    change.simulated = false;
    const auto changed = *write(change, PutMode::change).value().record;
    EXPECT_EQ(changed.notes,
              (domain::DeviceNotes{"Cooler", "dtmi:plant:cooler;1", false, {"north"}}));
    EXPECT_NE(changed.device.etag, made.device.etag);
    EXPECT_EQ(changed.device.created, made.device.created);

    const std::size_t before = events();
    EXPECT_EQ(*write(change).value().record, changed);
    EXPECT_EQ(events(), before);
}

TEST_F(EnrollerWriteTest, EnablingApprovesAndUnblocks) {
    DeviceWrite closed;
    closed.enabled = false;
    EXPECT_EQ(domain::state_of(write(closed).value().record->device), domain::DeviceState::blocked);
    DeviceWrite open;
    open.enabled = true;
    EXPECT_EQ(domain::state_of(write(open).value().record->device),
              domain::DeviceState::registered);
    auto waiting = run(desk.store.device(DeviceId::trusted("dev-1"))).value().value();
    waiting.approved = false;
    (void)run(desk.store.commit({.writes = {domain::PutDevice{waiting}}})).value();
    EXPECT_EQ(domain::state_of(write(open).value().record->device),
              domain::DeviceState::registered);
    EXPECT_THAT(desk.last_event().detail, HasSubstr("waiting"));
}

TEST_F(EnrollerWriteTest, ANoteThatIsNoneChangesNothing) {
    DeviceWrite asked;
    asked.display_name = "a\nb";
    asked.enabled = false;
    EXPECT_EQ(write(asked).error().reason, "malformed-name");
    EXPECT_EQ(run(desk.store.device(DeviceId::trusted("dev-1"))).value(), std::nullopt);
    EXPECT_EQ(events(), 0u);
    EXPECT_EQ(run(desk.enroller.write_device(order, "no spaces", {}, PutMode::make_or_change))
                  .error()
                  .kind,
              ErrorKind::malformed);
}

TEST_F(EnrollerWriteTest, ADeviceHasOneSpelling) {
    desk.known_device("Dev-1", {}, Slot::primary, root.certificate(), leaf);
    EXPECT_EQ(write(DeviceWrite{}).error().reason, "device-exists");
    DeviceWrite asked;
    asked.display_name = "Cooler";
    const auto known =
        run(desk.enroller.write_device(order, "Dev-1", asked, PutMode::make_or_change)).value();
    EXPECT_EQ(domain::state_of(known.record->device), domain::DeviceState::provisioned);
}

TEST_F(EnrollerWriteTest, ADeviceGoesWithItsEnrollmentWhereThatIsAsked) {
    using Entry = Enroller::DeviceEntry;
    const auto enrollment = [&] {
        return run(desk.store.individual(RegistrationId::trusted("dev-1"))).value();
    };
    (void)write(leaves(leaf.pem(), {})).value();
    (void)write(DeviceWrite{}).value();
    (void)run(desk.enroller.delete_device(order, "dev-1")).value();
    EXPECT_TRUE(enrollment());
    (void)write(DeviceWrite{}).value();
    (void)run(desk.enroller.delete_device(order, "dev-1", Entry::goes)).value();
    EXPECT_FALSE(enrollment());
    EXPECT_EQ(run(desk.enroller.delete_device(order, "dev-1", Entry::goes)).error().reason,
              "device-not-found");
}

}  // namespace
}  // namespace rollcall::service
