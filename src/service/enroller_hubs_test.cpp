// SPDX-License-Identifier: Apache-2.0
// The use cases about linked hubs and allocation rules.
#include "base/limits.hpp"
#include "service/enroller.hpp"
#include "support/operator_desk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::service {
namespace {

using domain::AllocationPolicy;
using domain::AllocationRule;
using test::OperatorDesk;
using test::run;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class EnrollerHubsTest : public ::testing::Test {
protected:
    Result<Outcome<domain::LinkedHub>> add(const std::string& name, HubSettings settings = {}) {
        return run(desk.enroller.add_hub(order, name, settings));
    }
    Result<Outcome<domain::LinkedHub>> update(const std::string& name, HubSettings settings) {
        return run(desk.enroller.update_hub(order, name, settings));
    }
    std::vector<std::string> hubs() {
        std::vector<std::string> names;
        const auto records = run(desk.store.trust_records()).value();
        for (const auto& hub : records.hubs) {
            names.push_back(hub.name);
        }
        return names;
    }
    Result<Outcome<GroupView>> set(AllocationSettings settings) {
        GroupSettings group;
        group.allocation = std::move(settings);
        return run(desk.enroller.update_group(order, "g", group));
    }

    OperatorDesk desk;
    Order order = OperatorDesk::order();
    Order dry = OperatorDesk::dry();
};

TEST_F(EnrollerHubsTest, AHubIsLinkedChangedAndUnlinked) {
    const auto made = add("A.example", {true, 7U, false}).value().record.value();
    EXPECT_TRUE(made.own);
    EXPECT_EQ(made.weight, 7U);
    EXPECT_FALSE(made.allocate);
    EXPECT_EQ(add("a.EXAMPLE").error().reason, "hub-exists");
    const auto changed = update("a.example", {{}, 8U, {}}).value().record.value();
    EXPECT_EQ(changed.weight, 8U);
    EXPECT_FALSE(changed.allocate);
    EXPECT_NE(changed.etag, made.etag);
    EXPECT_EQ(desk.last_event().action, "hub.update");
    const auto events = desk.audit().size();
    EXPECT_TRUE(update("a.example", {{}, 8U, {}}));
    EXPECT_EQ(desk.audit().size(), events) << "it was so already";
    ASSERT_TRUE(run(desk.enroller.remove_hub(order, "A.EXAMPLE")));
    EXPECT_THAT(hubs(), IsEmpty());
    EXPECT_EQ(update("a.example", {}).error().reason, "hub-not-found");
    EXPECT_EQ(run(desk.enroller.remove_hub(order, "a.example")).error().reason, "hub-not-found");
}

TEST_F(EnrollerHubsTest, BoundsAreKept) {
    EXPECT_EQ(add("a", {{}, 0U, {}}).error().reason, "malformed-weight");
    EXPECT_EQ(add("a", {{}, limits::hub_weight_max + 1, {}}).error().reason, "malformed-weight");
    EXPECT_EQ(add("a/b").error().reason, "malformed-hub-name");
    EXPECT_TRUE(add("a", {{}, limits::hub_weight_max, {}}));
    for (std::size_t n = 1; n < limits::linked_hubs_max; ++n) {
        ASSERT_TRUE(add("h" + std::to_string(n)));
    }
    EXPECT_EQ(add("one-more").error().reason, "too-many-hubs");
}

TEST_F(EnrollerHubsTest, RemovingShowsWhoIsThereAndOursStays) {
    ASSERT_TRUE(add("hub.example"));
    const auto root = test::a_root("Root");
    desk.group_with("g", root.certificate());
    desk.known_device("dev-1", domain::entry_of(desk.group("g")), domain::Slot::primary,
                      root.certificate(), root.leaf("dev-1"));
    ASSERT_TRUE(set({AllocationPolicy::static_hub, std::vector<std::string>{"Hub.Example"}, {}}));
    const auto shown = run(desk.enroller.remove_hub(dry, "hub.example")).value();
    ASSERT_TRUE(shown.preview);
    EXPECT_EQ(shown.preview->impact.devices, 1U);
    EXPECT_THAT(shown.preview->impact.first, ElementsAre("dev-1"));
    EXPECT_THAT(shown.preview->summary, Contains(HasSubstr("1 known device is assigned to it")));
    EXPECT_THAT(shown.warnings, Contains(HasSubstr("'g' names this hub")));
    EXPECT_THAT(hubs(), ElementsAre("hub.example"));
    domain::Changes changes;
    changes.writes.emplace_back(
        domain::PutSetting{std::string{domain::own_hub_key}, "hub.example"});
    ASSERT_TRUE(run(desk.store.commit(changes)));
    EXPECT_EQ(run(desk.enroller.remove_hub(order, "HUB.example")).error().reason, "own-hub");
}

TEST_F(EnrollerHubsTest, AnEntrysRuleIsSetInPartsAndWarnsOfHubsThatAreNotThere) {
    const GroupSettings defaults;
    ASSERT_TRUE(run(desk.enroller.create_group(order, "g", defaults)));
    ASSERT_TRUE(add("a.example", {{}, {}, false}));
    const auto first = set(
        {AllocationPolicy::geo_latency, std::vector<std::string>{"a.example", "b.example"}, {}});
    EXPECT_THAT(first.value().warnings, ElementsAre(HasSubstr("'a.example' takes no devices"),
                                                    HasSubstr("'b.example' is not linked")));
    ASSERT_TRUE(set({{}, std::vector<std::string>{"c.example"}, {}}));
    EXPECT_EQ(desk.group("g").allocation,
              (AllocationRule{AllocationPolicy::geo_latency, {"c.example"}}));
    ASSERT_TRUE(set({std::optional<AllocationPolicy>{}, std::vector<std::string>{}, {}}));
    EXPECT_EQ(desk.group("g").allocation, AllocationRule{});
    EXPECT_EQ(set({AllocationPolicy::static_hub, {}, {}}).error().reason, "one-hub-wanted");
}

TEST_F(EnrollerHubsTest, AWebhooksKeyIsKeptAndNotShown) {
    const GroupSettings defaults;
    ASSERT_TRUE(run(desk.enroller.create_group(order, "g", defaults)));
    const auto custom = [](std::string url, std::string version = {}) {
        return std::optional{domain::CustomAllocation{std::move(url), std::move(version)}};
    };
    EXPECT_EQ(set({AllocationPolicy::custom, {}, {}}).error().reason, "malformed-webhook");
    EXPECT_EQ(set({{}, {}, custom("https://a/")}).error().reason, "webhook-not-wanted");
    ASSERT_TRUE(set({AllocationPolicy::custom, {}, custom("https://a/?code=SECRET")}));
    EXPECT_EQ(desk.group("g").allocation.custom.api_version, "2021-10-01");
    EXPECT_THAT(desk.last_event().detail, HasSubstr("https://a/?****"));
    ASSERT_TRUE(set({{}, {}, custom("https://a/?****", "2025-07-01-preview")}));
    EXPECT_EQ(desk.group("g").allocation.custom.webhook_url, "https://a/?code=SECRET");
    EXPECT_EQ(set({{}, {}, custom("https://b/?****")}).error().reason, "malformed-webhook");
    ASSERT_TRUE(set({AllocationPolicy::hashed, {}, {}}));
    EXPECT_EQ(desk.group("g").allocation.custom, domain::CustomAllocation{});
    for (const auto& record : desk.audit()) {
        EXPECT_THAT(record.event.detail, Not(HasSubstr("SECRET")));
    }
}

TEST_F(EnrollerHubsTest, TheServersOwnRuleIsNeverAWebhook) {
    AllocationSettings settings{
        AllocationPolicy::static_hub, std::vector<std::string>{"a.example"}, {}};
    const auto set_rule = [&] { return run(desk.enroller.set_server_rule(order, settings)); };
    EXPECT_EQ(set_rule().value().record.value(),
              (AllocationRule{AllocationPolicy::static_hub, {"a.example"}}));
    EXPECT_EQ(desk.last_event().action, "allocation.set");
    settings = {
        AllocationPolicy::custom, {}, std::optional{domain::CustomAllocation{"https://a/"}}};
    EXPECT_EQ(set_rule().error().reason, "malformed-policy");
    EXPECT_EQ(run(desk.store.trust_records()).value().allocation.policy,
              AllocationPolicy::static_hub);
}

}  // namespace
}  // namespace rollcall::service
