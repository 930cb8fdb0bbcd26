// SPDX-License-Identifier: Apache-2.0
// Entries written as wholes: one commit each, or nothing.
#include "service/enroller.hpp"
#include "support/operator_desk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::service {
namespace {

using domain::CaReference;
using domain::KeptCertificate;
using domain::Slot;
using test::a_root;
using test::OperatorDesk;
using test::run;
using ::testing::HasSubstr;
using ::testing::Not;

class EnrollerPutTest : public ::testing::Test {
protected:
    EnrollerPutTest() {
        const NewCa verified{"root", root.certificate().pem(), true};
        (void)run(desk.enroller.add_ca(order, verified)).value();
    }
    static WishedSlot upload(const x509::Certificate& certificate) {
        return UploadedCertificate{certificate.pem()};
    }
    static WishedSlot info(const x509::Certificate& certificate) {
        return KeptCertificate{certificate.sha256_thumbprint(), ""};
    }
    static EntryWish wish(WishedSlot primary, WishedSlot secondary = {}) {
        EntryWish asked;
        asked.slots = {std::move(primary), std::move(secondary)};
        return asked;
    }
    static EntryWish by_keys(std::optional<std::string> primary = {},
                             std::optional<std::string> secondary = {}) {
        EntryWish asked;
        asked.keys.emplace();
        asked.keys->slots = {std::move(primary), std::move(secondary)};
        return asked;
    }
    Result<Outcome<GroupView>> put(const EntryWish& asked, PutMode mode = PutMode::make_or_change) {
        return run(desk.enroller.put_group(order, "Fleet", asked, mode));
    }
    Result<Outcome<domain::IndividualEnrollment>> put_device(
        const EntryWish& asked, PutMode mode = PutMode::make_or_change) {
        return run(desk.enroller.put_individual(order, "Dev-1", asked, mode));
    }
    std::uint64_t events() { return desk.audit().size(); }

    OperatorDesk desk;
    Order order = OperatorDesk::order();
    const test::Authority root = a_root("Root");
    const test::Authority plant_a = root.intermediate("Plant A");
    const test::Authority plant_b = root.intermediate("Plant B");
    const x509::Certificate leaf = test::self_signed("Dev-1");
};

TEST_F(EnrollerPutTest, MakesAGroupAndMakesItSo) {
    EntryWish asked = wish(upload(plant_a.certificate()));
    asked.enabled = false;
    asked.reprovision = {false, true};
    asked.initial_twin = R"({"tags":{"a":1}})";
    asked.policy = domain::AllocationPolicy::static_hub;
    asked.hubs = {"hub.example"};
    asked.notes.iot_edge = true;
    const auto made = put(asked).value();
    const auto& group = made.record->group;
    EXPECT_EQ(group.id.str(), "Fleet");
    EXPECT_FALSE(group.enabled);
    EXPECT_EQ(group.reprovision, (domain::ReprovisionPolicy{false, true}));
    EXPECT_EQ(group.initial_twin, asked.initial_twin);
    EXPECT_EQ(group.allocation.hubs, asked.hubs);
    EXPECT_EQ(group.notes, asked.notes);
    EXPECT_TRUE(made.record->at(Slot::primary).current->attests) << "its path leads to the root";
    EXPECT_EQ(desk.last_event().action, "group.create");

    desk.clock.advance(std::chrono::seconds{5});
    const auto changed = put(wish(info(plant_a.certificate()))).value().record->group;
    EXPECT_TRUE(changed.enabled) << "what is not said is as in a new one";
    EXPECT_EQ(changed.reprovision, domain::ReprovisionPolicy{});
    EXPECT_EQ(changed.allocation, domain::AllocationRule{});
    EXPECT_EQ(changed.initial_twin, "");
    EXPECT_EQ(changed.notes, domain::ClientNotes{});
    EXPECT_EQ(changed.instance, group.instance);
    EXPECT_EQ(changed.created, group.created);
    EXPECT_EQ(changed.updated, group.created + std::chrono::seconds{5});
    EXPECT_NE(changed.etag, group.etag);
    EXPECT_EQ(desk.last_event().action, "group.update");
}

TEST_F(EnrollerPutTest, LeavesAloneWhatItCannotSay) {
    (void)put(wish(upload(plant_a.certificate()))).value();
    GroupSettings settings;
    settings.auto_approve = false;
    settings.refuse_older_leaf = true;
    (void)run(desk.enroller.update_group(order, "fleet", settings)).value();
    const auto group = put(wish(info(plant_a.certificate()))).value().record->group;
    EXPECT_FALSE(group.auto_approve);
    EXPECT_TRUE(group.refuse_older_leaf);
}

TEST_F(EnrollerPutTest, TheAuditLogTellsOfCertificates) {
    (void)put(wish(upload(plant_a.certificate()))).value();
    (void)put(wish(upload(plant_b.certificate()), info(plant_a.certificate()))).value();
    const auto detail = desk.last_event().detail;
    EXPECT_THAT(detail, HasSubstr("primaryBefore"));
    EXPECT_THAT(detail, HasSubstr(plant_a.certificate().sha256_thumbprint()));
    EXPECT_THAT(detail, HasSubstr(plant_b.certificate().sha256_thumbprint()));
    EXPECT_THAT(detail, HasSubstr("replaceNow")) << "trust in the old one is withdrawn";
    EXPECT_EQ(desk.group("fleet").withdrawn, std::vector{plant_a.certificate().ca_key()});
    (void)put(wish(upload(leaf), upload(plant_b.certificate()))).value();
    EXPECT_THAT(desk.last_event().detail, HasSubstr("findings")) << "taken, and what is odd told";
}

TEST_F(EnrollerPutTest, ConditionsAndModesDecideBeforeAnythingElse) {
    struct Case {
        bool there;
        std::vector<std::string> if_match;
        PutMode mode;
        std::string reason;  ///< "" where it is done
    };
    const std::vector<Case> cases{
        {false, {}, PutMode::make_or_change, ""},
        {false, {}, PutMode::make, ""},
        {false, {}, PutMode::change, "group-not-found"},
        {false, {"*"}, PutMode::make_or_change, "stale"},
        {false, {"other"}, PutMode::make_or_change, "stale"},
        {true, {}, PutMode::make_or_change, ""},
        {true, {}, PutMode::make, "group-exists"},
        {true, {}, PutMode::change, ""},
        {true, {"*"}, PutMode::make_or_change, ""},
        {true, {"*"}, PutMode::change, ""},
        {true, {"other"}, PutMode::make_or_change, "stale"},
        {true, {"other"}, PutMode::change, "stale"},
    };
    for (const auto& each : cases) {
        const auto number = &each - cases.data();
        if (each.there) {
            (void)put(wish(upload(plant_a.certificate()))).value();
        }
        const auto before = events();
        order.if_match.one_of = each.if_match;
        const auto outcome = put(wish(upload(plant_b.certificate())), each.mode);
        order.if_match = {};
        EXPECT_EQ(outcome ? "" : outcome.error().reason, each.reason) << number;
        EXPECT_EQ(events() - before, outcome ? 1U : 0U) << number;
        (void)run(desk.enroller.delete_group(order, "fleet"));
    }
}

TEST_F(EnrollerPutTest, ARefusalChangesNothing) {
    const auto before = put(wish(upload(plant_a.certificate()))).value().record->group;
    const auto count = events();
    const auto stranger = a_root("Other");
    const auto refused = [&](EntryWish asked, const std::string& reason) {
        asked.enabled = false;
        const auto outcome = put(asked);
        ASSERT_FALSE(outcome) << reason;
        EXPECT_EQ(outcome.error().reason, reason);
        EXPECT_EQ(desk.group("fleet"), before) << reason;
        EXPECT_EQ(events(), count) << reason;
    };
    refused(wish({}), "no-certificate");
    refused(wish(upload(plant_b.certificate()), info(stranger.certificate())), "unknown-info");
    refused(wish(upload(plant_b.certificate()), CaReference{"nobody"}), "no-such-ca");
    refused(wish(upload(plant_b.certificate()), UploadedCertificate{"no certificate"}),
            "no-certificate");
    refused(by_keys(), "attestation-type");
    EntryWish bad_rule = wish(upload(plant_b.certificate()));
    bad_rule.policy = domain::AllocationPolicy::static_hub;
    refused(bad_rule, "one-hub-wanted");
    EntryWish bad_hook = wish(upload(plant_b.certificate()));
    bad_hook.policy = domain::AllocationPolicy::custom;
    refused(bad_hook, "malformed-webhook");
    EntryWish private_key;
    private_key.slots[0] =
        UploadedCertificate{"-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"};
    refused(private_key, "private-key-uploaded");
}

TEST_F(EnrollerPutTest, AWebhookCountsWithItsPolicyOnly) {
    EntryWish asked = wish(upload(plant_a.certificate()));
    asked.policy = domain::AllocationPolicy::custom;
    asked.custom = domain::CustomAllocation{"https://hook.example/a?code=secret", ""};
    EXPECT_EQ(put(asked).value().record->group.allocation.custom.webhook_url,
              "https://hook.example/a?code=secret");
    asked = wish(info(plant_a.certificate()));
    asked.policy = domain::AllocationPolicy::custom;
    asked.custom = domain::CustomAllocation{"https://hook.example/a?****", "2021-10-01"};
    EXPECT_EQ(put(asked).value().record->group.allocation.custom.webhook_url,
              "https://hook.example/a?code=secret")
        << "written back as it was shown";
    asked.policy = domain::AllocationPolicy::hashed;
    EXPECT_EQ(put(asked).value().record->group.allocation.custom, domain::CustomAllocation{});
}

TEST_F(EnrollerPutTest, OfABundleTheFirstCounts) {
    const auto bundle = UploadedCertificate{plant_a.certificate().pem() + root.certificate().pem()};
    const auto view = *put(wish(bundle)).value().record;
    EXPECT_EQ(view.at(Slot::primary).current->ca->certificate, plant_a.certificate());
}

TEST_F(EnrollerPutTest, KeysAreMadeUpKeptAndReplaced) {
    const auto made = *put(by_keys()).value().record->group.keys;
    EXPECT_NE(made[0], made[1]);
    EXPECT_EQ(*put(by_keys()).value().record->group.keys, made) << "not said: they stay";
    const std::string fresh = to_base64(Bytes(32, 9));
    const auto replaced = put(by_keys(fresh)).value().record->group;
    EXPECT_EQ(replaced.keys->front().base64(), fresh);
    EXPECT_EQ(replaced.keys->back(), made[1]);
    EXPECT_EQ(replaced.withdrawn, std::vector{domain::key_as_ca(made[0])});
    EXPECT_THAT(desk.last_event().detail, HasSubstr("primaryKeyId"));
    EXPECT_THAT(desk.last_event().detail, Not(HasSubstr(fresh)));
    EXPECT_EQ(put(by_keys("c2hvcnQ=")).error().reason, "malformed-key");
    EXPECT_EQ(put(wish(upload(plant_a.certificate()))).error().reason, "attestation-type");
}

TEST_F(EnrollerPutTest, MakesAnIndividualEnrollmentAndMakesItSo) {
    EntryWish asked = wish(upload(leaf));
    asked.device_id = "Press-4";
    asked.notes.device_information = R"({"line":4})";
    const auto made = *put_device(asked).value().record;
    EXPECT_EQ(made.id.original(), "Dev-1");
    EXPECT_EQ(made.device_id->str(), "Press-4");
    EXPECT_EQ(made.at(Slot::primary), leaf);
    EXPECT_EQ(made.notes, asked.notes);
    EXPECT_EQ(made.trust_version, 1U);
    const auto other = test::self_signed("Dev-1", {}, "another key");
    const auto changed = *put_device(wish(info(leaf), upload(other))).value().record;
    EXPECT_FALSE(changed.device_id);
    EXPECT_EQ(changed.at(Slot::primary), leaf);
    EXPECT_EQ(changed.at(Slot::secondary), other);
    EXPECT_EQ(changed.instance, made.instance);
    EXPECT_EQ(put_device(wish({})).error().reason, "no-certificate");
    EXPECT_EQ(put_device(by_keys()).error().reason, "attestation-type");
    EXPECT_EQ(put_device(wish(upload(leaf)), PutMode::make).error().reason, "enrollment-exists");
    EntryWish bad_device = wish(info(leaf));
    bad_device.device_id = "no spaces";
    EXPECT_EQ(put_device(bad_device).error().reason, "malformed-id");
    EXPECT_EQ(run(desk.store.individual(made.id)).value(), changed);
    const auto gone = *put_device(wish({}, info(other))).value().record;
    EXPECT_EQ(gone.withdrawn, std::vector{leaf.sha256()});
}

TEST_F(EnrollerPutTest, ARegistrationIsForgottenAndItsDeviceStays) {
    const auto group = put(wish(upload(plant_a.certificate()))).value().record->group;
    const auto device_leaf = plant_a.leaf("dev-9");
    desk.known_device("dev-9", domain::entry_of(group), Slot::primary, plant_a.certificate(),
                      device_leaf);
    order.if_match.one_of = {"another"};
    EXPECT_EQ(run(desk.enroller.delete_registration(order, "dev-9")).error().reason, "stale");
    order.if_match = {};
    EXPECT_TRUE(run(desk.enroller.delete_registration(order, "DEV-9")));
    EXPECT_EQ(desk.last_event().action, "registration.delete");
    EXPECT_FALSE(run(desk.store.registration(RegistrationId::trusted("dev-9"))).value());
    EXPECT_TRUE(run(desk.store.device(DeviceId::trusted("dev-9"))).value());
    for (const std::string gone : {"dev-9", "not an id"}) {
        EXPECT_EQ(run(desk.enroller.delete_registration(order, gone)).error().reason,
                  "registration-not-found");
    }
}

}  // namespace
}  // namespace rollcall::service
