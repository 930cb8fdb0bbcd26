// SPDX-License-Identifier: Apache-2.0
// What another service had: made once, found the next time, never overwritten.
#include "base/limits.hpp"
#include "support/operator_desk.hpp"
#include "support/sas_maker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::service {
namespace {

using test::a_root;
using test::OperatorDesk;
using test::run;
using test::self_signed;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using What = Imported::What;

EntryWish by(const x509::Certificate& certificate) {
    EntryWish wish;
    wish.slots[0] = UploadedCertificate{certificate.pem()};
    return wish;
}

EntryWish by_key(std::uint8_t primary, std::uint8_t secondary) {
    EntryWish wish;
    wish.keys.emplace();
    wish.keys->slots = {test::a_key(primary).base64(), test::a_key(secondary).base64()};
    return wish;
}

class EnrollerImportTest : public ::testing::Test {
protected:
    std::vector<Imported> import(const std::vector<ImportEntry>& entries, bool dry_run = false) {
        order.dry_run = dry_run;
        return run(desk.enroller.import_individuals(order, entries)).value();
    }
    Imported import(const ImportEntry& entry) { return import(std::vector{entry}).at(0); }
    Imported group(const std::string& id, const EntryWish& wish, bool dry_run = false) {
        order.dry_run = dry_run;
        const ImportEntry entry{id, wish};
        auto outcome = run(desk.enroller.import_group(order, entry));
        if (!outcome) {
            Imported refused;
            refused.refusal = outcome.error();
            return refused;
        }
        return *outcome;
    }
    std::optional<domain::IndividualEnrollment> stored(const std::string& id) {
        return run(desk.store.individual(RegistrationId::trusted(id))).value();
    }
    static std::string reason(const Imported& imported) {
        return imported.refusal ? imported.refusal->reason : "";
    }

    OperatorDesk desk;
    Order order = OperatorDesk::order("moved");
    const x509::Certificate leaf = self_signed("dev-1");
    const x509::Certificate other = self_signed("dev-2");
};

TEST_F(EnrollerImportTest, MakesAllInOneGo) {
    const auto outcomes = import({{"dev-1", by(leaf)}, {"dev-2", by_key(1, 2)}});
    ASSERT_EQ(outcomes.size(), 2u);
    EXPECT_EQ(outcomes[0].what, What::made);
    EXPECT_EQ(outcomes[1].what, What::made);
    EXPECT_EQ(stored("dev-1")->at(domain::Slot::primary), leaf);
    EXPECT_EQ(stored("dev-2")->keys, test::two_keys(1, 2));
    const auto log = desk.audit();
    ASSERT_EQ(log.size(), 2u) << "each of them is told";
    EXPECT_EQ(log[0].event.action, "enrollment.create");
    EXPECT_EQ(log[0].event.object, "enrollment/dev-1");
    EXPECT_EQ(log[0].event.reason, "moved");
    EXPECT_THAT(log[0].event.detail, HasSubstr(leaf.sha256_thumbprint()));
    EXPECT_THAT(log[1].event.detail, ::testing::Not(HasSubstr(test::a_key(1).base64())));
}

TEST_F(EnrollerImportTest, TheSecondTimeChangesNothing) {
    const std::vector<ImportEntry> entries{{"dev-1", by(leaf)}, {"dev-2", by_key(1, 2)}};
    (void)import(entries);
    const auto before = stored("dev-1");
    desk.clock.advance(std::chrono::hours{1});
    const auto again = import(entries);
    EXPECT_EQ(again[0].what, What::there);
    EXPECT_EQ(again[1].what, What::there);
    EXPECT_EQ(stored("dev-1"), before);
    EXPECT_EQ(desk.audit().size(), 2u);
}

TEST_F(EnrollerImportTest, WhatIsThereOtherwiseIsLeftAlone) {
    (void)import({{"dev-1", by(leaf)}, {"dev-2", by_key(1, 2)}});
    const auto before = desk.audit().size();
    auto off = by(leaf);
    off.enabled = false;
    off.device_id = "press";
    const std::vector<ImportEntry> entries{{"DEV-1", off}, {"dev-2", by_key(1, 3)}};
    const auto outcomes = import(entries);
    EXPECT_EQ(outcomes[0].what, What::differs);
    EXPECT_THAT(outcomes[0].differences, ElementsAre("enabled", "deviceId"));
    EXPECT_THAT(outcomes[1].differences, ElementsAre("secondaryKey"));
    EXPECT_THAT(import({"dev-1", by(other)}).differences, ElementsAre("primaryCertificate"));
    EXPECT_THAT(import({"dev-2", by(other)}).differences,
                ElementsAre("primaryCertificate", "attestation"));
    EXPECT_TRUE(stored("dev-1")->enabled);
    EXPECT_EQ(desk.audit().size(), before);
}

TEST_F(EnrollerImportTest, EmptySlotsAreFilledLater) {
    EntryWish bare;
    bare.enabled = false;
    EXPECT_EQ(import({"dev-1", bare}).what, What::made);
    EXPECT_FALSE(stored("dev-1")->enabled);
    EXPECT_THAT(desk.last_event().detail, HasSubstr("enabled")) << "it is told that it is off";
    EXPECT_EQ(import({"dev-1", bare}).what, What::there);
    auto with = by(leaf);
    with.enabled = false;
    EXPECT_EQ(import({"dev-1", with}).what, What::completed);
    EXPECT_EQ(stored("dev-1")->at(domain::Slot::primary), leaf);
    EXPECT_EQ(import({"dev-1", with}).what, What::there);
    EXPECT_EQ(import({"dev-1", bare}).what, What::there) << "what is not brought is not compared";
}

TEST_F(EnrollerImportTest, OneRefusalIsNobodyElses) {
    EntryWish bare;
    EntryWish half = by_key(1, 2);
    half.keys->slots[1].reset();
    EntryWish rubbish;
    rubbish.slots[0] = UploadedCertificate{"rubbish"};
    EntryWish named = by(leaf);
    named.device_id = "a b";
    EntryWish to_ca;
    to_ca.slots[0] = domain::CaReference{"factory"};
    EntryWish nowhere = by(leaf);
    nowhere.policy = domain::AllocationPolicy::custom;
    const auto outcomes = import({{"dev-1", by(leaf)},
                                  {"dev-3", bare},
                                  {"dev-4", half},
                                  {"dev-5", rubbish},
                                  {"dev-6", named},
                                  {"dev-7", to_ca},
                                  {"dev-8", nowhere},
                                  {"no spaces", by(other)},
                                  {"Dev-1", by(other)},
                                  {"dev-2", by(other)}});
    std::vector<std::string> reasons;
    for (const auto& each : outcomes) {
        reasons.push_back(each.refusal ? reason(each) : "made");
    }
    EXPECT_EQ(reasons[0], "made");
    EXPECT_EQ(reasons[1], "no-certificate");
    EXPECT_EQ(reasons[2], "key-missing");
    EXPECT_EQ(reasons[5], "reference-to-ca");
    EXPECT_EQ(reasons[8], "repeated-entry");
    EXPECT_EQ(reasons[9], "made");
    for (const std::size_t i : {3, 4, 6, 7}) {
        EXPECT_TRUE(outcomes[i].refusal) << i;
    }
    EXPECT_EQ(stored("dev-1")->at(domain::Slot::primary), leaf);
    EXPECT_TRUE(stored("dev-2"));
    EXPECT_FALSE(stored("dev-3"));
    EXPECT_EQ(desk.audit().size(), 2u);
}

TEST_F(EnrollerImportTest, ADistrustedKeyComesBackByNoImport) {
    const service::DistrustRequest lost{leaf.pem(), {}};
    (void)run(desk.enroller.distrust(order, lost)).value();
    EXPECT_EQ(reason(import({"dev-1", by(leaf)})), "key-distrusted");
    EXPECT_FALSE(stored("dev-1"));
}

TEST_F(EnrollerImportTest, ADryRunTellsTheSame) {
    (void)import({"dev-2", by(other)});
    const auto events = desk.audit().size();
    EntryWish bare;
    const auto outcomes =
        import({{"dev-1", by(leaf)}, {"dev-2", by(other)}, {"dev-3", bare}}, true);
    EXPECT_EQ(outcomes[0].what, What::made);
    EXPECT_EQ(outcomes[1].what, What::there);
    EXPECT_EQ(reason(outcomes[2]), "no-certificate");
    EXPECT_FALSE(stored("dev-1"));
    EXPECT_EQ(desk.audit().size(), events);
}

TEST_F(EnrollerImportTest, NothingIsWrittenWhenTheDiskIsFull) {
    desk.store.fail_commits(true);
    const std::vector<ImportEntry> entries{{"dev-1", by(leaf)}, {"dev-2", by(other)}};
    EXPECT_FALSE(run(desk.enroller.import_individuals(order, entries)));
    desk.store.fail_commits(false);
    EXPECT_FALSE(stored("dev-1"));
    EXPECT_EQ(import(entries)[0].what, What::made);
}

TEST_F(EnrollerImportTest, AReasonHasABound) {
    order.reason = std::string(limits::reason_chars_max + 1, 'x');
    const std::vector<ImportEntry> entries{{"dev-1", by(leaf)}};
    EXPECT_EQ(run(desk.enroller.import_individuals(order, entries)).error().reason,
              "reason-too-long");
    EXPECT_EQ(reason(group("g", {})), "reason-too-long");
}

// --- Groups ---------------------------------------------------------------------------------

TEST_F(EnrollerImportTest, AGroupWithAndWithoutItsCertificates) {
    const auto root = a_root("Plant");
    EXPECT_EQ(group("bare", {}, true).what, What::made);
    EXPECT_FALSE(run(desk.store.group(GroupId::trusted("bare"))).value());
    EXPECT_EQ(group("bare", {}).what, What::made);
    EXPECT_EQ(group("Bare", {}).what, What::there);
    const auto filled = group("bare", by(root.certificate()));
    EXPECT_EQ(filled.what, What::completed);
    EXPECT_THAT(filled.warnings, ElementsAre(HasSubstr("once it is verified")));
    EXPECT_EQ(group("bare", by(root.certificate())).what, What::there);
    EXPECT_EQ(group("bare", {}).what, What::there);
    EXPECT_THAT(group("bare", by(a_root("Other").certificate())).differences,
                ElementsAre("primaryCertificate"));
    EXPECT_EQ(reason(group("second", by(root.certificate()))), "ca-in-other-group");
    EXPECT_EQ(desk.audit().size(), 2u);
    EXPECT_EQ(desk.audit()[0].event.action, "group.create");
    EXPECT_EQ(desk.audit()[1].event.action, "group.update");
}

TEST_F(EnrollerImportTest, AGroupsCasByTheirNames) {
    EntryWish wish;
    wish.slots[0] = domain::CaReference{"factory"};
    EXPECT_EQ(reason(group("g", wish)), "no-such-ca");
    const auto root = a_root("Factory");
    const service::NewCa verified{"factory", root.certificate().pem(), true};
    (void)run(desk.enroller.add_ca(order, verified)).value();
    const auto made = group("g", wish);
    EXPECT_EQ(made.what, What::made);
    EXPECT_THAT(made.warnings, IsEmpty());
    EXPECT_EQ(group("g", wish).what, What::there);
}

TEST_F(EnrollerImportTest, AGroupsKeysAreNotMadeUp) {
    EntryWish none;
    none.keys.emplace();
    EXPECT_EQ(reason(group("keys", none)), "key-missing");
    EXPECT_EQ(group("keys", by_key(1, 2)).what, What::made);
    EXPECT_EQ(group("keys", by_key(1, 2)).what, What::there);
    EXPECT_THAT(group("keys", by_key(3, 2)).differences, ElementsAre("primaryKey"));
    EXPECT_THAT(group("keys", {}).differences, ElementsAre("attestation"));
}

TEST_F(EnrollerImportTest, DevicesAreKnownBeforeTheyCome) {
    DeviceWrite press;
    press.enabled = true;
    press.display_name = "Press 9";
    press.template_id = "dtmi:plant:press;1";
    press.organizations = {{"north"}};
    DeviceWrite blocked;
    blocked.enabled = false;
    const std::vector<ImportDevice> devices{
        {"dev-9", press}, {"dev-8", blocked}, {"DEV-9", press}, {"no spaces", {}}};
    order.dry_run = true;
    EXPECT_EQ(run(desk.enroller.import_devices(order, devices)).value().at(0).what, What::made);
    const auto nine = DeviceId::trusted("dev-9");
    EXPECT_FALSE(run(desk.store.device(nine)).value());
    order.dry_run = false;
    const auto first = run(desk.enroller.import_devices(order, devices)).value();
    EXPECT_EQ(first.at(0).what, What::made);
    EXPECT_EQ(first.at(1).what, What::made);
    EXPECT_EQ(reason(first.at(2)), "repeated-entry");
    EXPECT_TRUE(first.at(3).refusal);
    EXPECT_EQ(run(desk.store.device_notes(nine)).value().display_name, "Press 9");
    EXPECT_TRUE(run(desk.store.device(DeviceId::trusted("dev-8"))).value()->blocked);

    const auto events = desk.audit().size();
    const auto second = run(desk.enroller.import_devices(order, devices)).value();
    EXPECT_EQ(second.at(0).what, What::there);
    EXPECT_EQ(second.at(1).what, What::there);
    EXPECT_EQ(desk.audit().size(), events);
}

TEST_F(EnrollerImportTest, WhatIsSaidOfADeviceIsNotWrittenOver) {
    const std::vector<ImportDevice> blank{{"dev-9", {}}};
    ASSERT_EQ(run(desk.enroller.import_devices(order, blank)).value().at(0).what, What::made);
    std::vector<ImportDevice> named{{"dev-9", {}}};
    named[0].write.display_name = "Press 9";
    EXPECT_EQ(run(desk.enroller.import_devices(order, named)).value().at(0).what, What::completed);
    named[0].write.display_name = "Press 10";
    named[0].write.enabled = false;
    const auto otherwise = run(desk.enroller.import_devices(order, named)).value().at(0);
    EXPECT_EQ(otherwise.what, What::differs);
    EXPECT_THAT(otherwise.differences, ElementsAre("state", "displayName"));
    const auto nine = DeviceId::trusted("dev-9");
    EXPECT_EQ(run(desk.store.device_notes(nine)).value().display_name, "Press 9");
    EXPECT_FALSE(run(desk.store.device(nine)).value()->blocked);
}

}  // namespace
}  // namespace rollcall::service
