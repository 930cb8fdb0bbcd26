// SPDX-License-Identifier: Apache-2.0
// The use cases about symmetric keys.
#include "base/limits.hpp"
#include "service/enroller.hpp"
#include "support/operator_desk.hpp"
#include "support/sas_maker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::service {
namespace {

using domain::Removal;
using domain::Slot;
using test::a_key;
using test::OperatorDesk;
using test::run;
using ::testing::HasSubstr;
using ::testing::Not;

class EnrollerKeysTest : public ::testing::Test {
protected:
    Result<Outcome<GroupView>> create(const std::string& id,
                                      std::optional<std::string> primary = {}) {
        GroupSettings settings;
        settings.keys.emplace();
        settings.keys->slots[0] = std::move(primary);
        return run(desk.enroller.create_group(order, id, settings));
    }
    domain::SymmetricKeys keys(const std::string& id) {
        const std::optional<RegistrationId> themselves;
        return run(desk.enroller.show_group_keys(order, id, themselves)).value();
    }
    Result<Outcome<GroupView>> set(const std::string& id, const KeyUpload& upload) {
        return run(desk.enroller.set_group_key(order, id, Slot::primary, upload));
    }
    std::vector<domain::AuditEvent> audit() {
        const store::PageRequest all;
        std::vector<domain::AuditEvent> events;
        const auto page = run(desk.store.audit(all)).value();
        for (const auto& record : page.items) {
            events.push_back(record.event);
        }
        return events;
    }

    OperatorDesk desk;
    Order order = OperatorDesk::order();
};

TEST_F(EnrollerKeysTest, MakesUpWhatIsNotGiven) {
    ASSERT_TRUE(create("fleet", a_key(1).base64()));
    const auto made = keys("fleet");
    EXPECT_EQ(made.front(), a_key(1));
    EXPECT_EQ(made.back().bytes().size(), 64U);
    EXPECT_EQ(create("bad", "no key").error().reason, "malformed-key");
    EXPECT_EQ(create("twice", a_key(1).base64()).error().reason, "key-in-other-group");
}

TEST_F(EnrollerKeysTest, ShowingIsAuditedAndTellsNoKey) {
    ASSERT_TRUE(create("fleet", a_key(1).base64()));
    (void)keys("fleet");
    const std::optional<RegistrationId> device{RegistrationId::trusted("Dev-1")};
    const auto derived = run(desk.enroller.show_group_keys(order, "fleet", device)).value();
    EXPECT_EQ(derived.front(), domain::derived_device_key(a_key(1), *device));
    ASSERT_TRUE(set("fleet", {a_key(2).base64(), Removal::breach}));
    const auto events = audit();
    ASSERT_EQ(events.size(), 4U);
    EXPECT_EQ(events[1].action, "group.key.show");
    EXPECT_EQ(events[2].action, "group.key.derive");
    EXPECT_EQ(events[2].detail, R"({"registrationId":"Dev-1"})");
    EXPECT_EQ(events[3].action, "group.key.set");
    for (const auto& event : events) {
        EXPECT_THAT(event.detail, Not(HasSubstr(a_key(1).base64())));
        EXPECT_THAT(event.detail, Not(HasSubstr(a_key(2).base64())));
    }
}

/// A preview asks for no secret.
TEST_F(EnrollerKeysTest, ADryRunIsAuditedToo) {
    ASSERT_TRUE(create("fleet"));
    order.dry_run = true;
    (void)keys("fleet");
    EXPECT_EQ(audit().back().action, "group.key.show");
}

TEST_F(EnrollerKeysTest, ReplacesOneKey) {
    ASSERT_TRUE(create("fleet", a_key(1).base64()));
    const auto before = keys("fleet");
    ASSERT_TRUE(set("fleet", {}));
    const auto after = keys("fleet");
    EXPECT_NE(after.front(), before.front());
    EXPECT_EQ(after.back(), before.back());
    EXPECT_TRUE(desk.group("fleet").withdrawn.empty());
    ASSERT_TRUE(set("fleet", {a_key(3).base64(), Removal::immediate}));
    EXPECT_EQ(desk.group("fleet").withdrawn, std::vector{domain::key_as_ca(after.front())});
    EXPECT_EQ(set("fleet", {a_key(3).base64(), Removal::plain}).error().reason, "same-key");
}

TEST_F(EnrollerKeysTest, EachKindOfEntryTakesItsOwn) {
    const GroupSettings by_certificate;
    ASSERT_TRUE(run(desk.enroller.create_group(order, "certified", by_certificate)));
    EXPECT_EQ(set("certified", {}).error().reason, "attests-by-certificate");
    const std::optional<RegistrationId> themselves;
    EXPECT_EQ(run(desk.enroller.show_group_keys(order, "certified", themselves)).error().reason,
              "attests-by-certificate");
    ASSERT_TRUE(create("fleet"));
    const auto upload = OperatorDesk::upload(test::a_root("Root").certificate());
    EXPECT_EQ(
        run(desk.enroller.set_group_slot(order, "fleet", Slot::primary, upload)).error().reason,
        "attests-by-key");
}

TEST_F(EnrollerKeysTest, AnIndividualHasKeysOfItsOwn) {
    IndividualSettings settings;
    settings.keys.emplace();
    const LeafUploads none;
    ASSERT_TRUE(run(desk.enroller.create_individual(order, "dev-1", settings, none)));
    const auto before = run(desk.enroller.show_individual_keys(order, "dev-1")).value();
    const KeyUpload upload{a_key(1).base64(), Removal::breach};
    ASSERT_TRUE(run(desk.enroller.set_individual_key(order, "dev-1", Slot::secondary, upload)));
    const auto after = run(desk.enroller.show_individual_keys(order, "dev-1")).value();
    EXPECT_EQ(after, (domain::SymmetricKeys{before.front(), a_key(1)}));
    ASSERT_TRUE(run(desk.enroller.swap_individual_slots(order, "dev-1")));
    EXPECT_EQ(run(desk.enroller.show_individual_keys(order, "dev-1")).value(),
              (domain::SymmetricKeys{a_key(1), before.front()}));
    EXPECT_EQ(run(desk.enroller.show_individual_keys(order, "dev-2")).error().reason,
              "enrollment-not-found");
}

TEST_F(EnrollerKeysTest, GroupsWithKeysHaveABound) {
    for (std::size_t count = 0; count < limits::symmetric_key_groups_max; ++count) {
        ASSERT_TRUE(create("group-" + std::to_string(count)));
    }
    EXPECT_EQ(create("one-more").error().reason, "too-many-key-groups");
}

}  // namespace
}  // namespace rollcall::service
