// SPDX-License-Identifier: Apache-2.0
// Device groups on the memory store: written, changed, and whom they choose.
#include "service/device_groups.hpp"

#include "base/limits.hpp"
#include "service/device_choice.hpp"
#include "support/job_desk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::service {
namespace {

using namespace test;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string every = "SELECT * FROM devices";

class DeviceGroupsTest : public ::testing::Test, protected JobDesk {
protected:
    std::string refusal(const Result<domain::DeviceGroup>& result) {
        return result ? "" : result.error().reason;
    }
    std::vector<std::string> members(const std::string& filter) {
        put_group(filter);
        const auto page = run(groups.devices("all", {}));
        EXPECT_TRUE(page) << page.error().detail;
        std::vector<std::string> ids;
        for (const auto& device : page->items) {
            ids.push_back(device.device.id.str());
        }
        return ids;
    }
    void put_twin(std::size_t number, const std::string& reported, const std::string& desired) {
        domain::Changes changes;
        changes.writes.push_back(domain::PutTwin{{.device = device_id(number),
                                                  .desired = desired,
                                                  .reported = reported,
                                                  .etag = ETag::trusted("t")}});
        EXPECT_TRUE(run(store.commit(changes)));
    }
    void put_device(const domain::Device& device) {
        domain::Changes changes;
        changes.writes.push_back(domain::PutDevice{device});
        EXPECT_TRUE(run(store.commit(changes)));
    }
};

TEST_F(DeviceGroupsTest, AreMadeReplacedChangedAndRemoved) {
    const DeviceGroupWish wish{.display_name = "Floor", .description = "d", .filter = every};
    const auto made = run(groups.put(order, "floor", wish));
    ASSERT_TRUE(made) << made.error().detail;
    EXPECT_EQ(made->created, clock.now());
    EXPECT_EQ(run(groups.put(order, "floor", wish))->etag, made->etag)
        << "the same changes nothing";
    clock.advance(std::chrono::seconds{1});
    const auto changed = run(groups.change(order, "floor", {.filter = every + " WHERE a"}));
    EXPECT_EQ(changed->display_name, "Floor");
    EXPECT_EQ(changed->created, made->created);
    EXPECT_NE(changed->etag, made->etag);
    const auto replaced = run(groups.put(order, "floor", {.display_name = "F", .filter = every}));
    EXPECT_EQ(replaced->description, "") << "what is not said, is not";
    EXPECT_EQ(run(groups.get("floor")).value(), *replaced);
    EXPECT_TRUE(run(groups.remove(order, "floor")));
    EXPECT_EQ(refusal(run(groups.get("floor"))), "device-group-not-found");
    EXPECT_THAT(audit_actions(),
                ElementsAre("device-group.create", "device-group.create", "device-group.update",
                            "device-group.update", "device-group.delete"));
}

TEST_F(DeviceGroupsTest, RefusesByName) {
    EXPECT_EQ(refusal(run(groups.put(order, "a b", {.display_name = "A", .filter = every}))),
              "malformed-id");
    EXPECT_EQ(refusal(run(groups.put(order, "a", {.display_name = "A", .filter = "nonsense"}))),
              "malformed-query");
    EXPECT_EQ(refusal(run(groups.put(order, "a", {.filter = every}))), "display-name-missing");
    EXPECT_EQ(refusal(run(groups.change(order, "a", {.filter = every}))), "device-group-not-found");
    EXPECT_EQ(run(groups.remove(order, "a")).error().reason, "device-group-not-found");
    EXPECT_EQ(run(groups.devices("a", {})).error().reason, "device-group-not-found");
    Order conditional;
    conditional.if_match.one_of = {"*"};
    EXPECT_EQ(refusal(run(groups.put(conditional, "a", {.display_name = "A", .filter = every}))),
              "stale");
    conditional.if_match.one_of = {"other"};
    EXPECT_EQ(refusal(run(groups.change(conditional, "all", {.filter = every}))), "stale");
    EXPECT_EQ(run(groups.remove(conditional, "all")).error().reason, "stale");
    EXPECT_EQ(run(groups.list({}))->items.size(), 1U);
}

TEST_F(DeviceGroupsTest, ThereIsABoundOfThem) {
    for (std::size_t i = 1; i < limits::device_groups_max; ++i) {
        ASSERT_TRUE(
            run(groups.put(order, std::to_string(i), {.display_name = "A", .filter = every})));
    }
    const DeviceGroupWish wish{.display_name = "A", .filter = every};
    EXPECT_EQ(refusal(run(groups.put(order, "one-more", wish))), "too-many-device-groups");
    EXPECT_TRUE(run(groups.change(order, "1", {.display_name = "B"})));
    EXPECT_TRUE(run(groups.remove(order, "1")));
    EXPECT_TRUE(run(groups.put(order, "one-more", wish)));
}

TEST_F(DeviceGroupsTest, ChooseByStateAndProperties) {
    add_devices(4);
    domain::Device device = **run(store.device(device_id(1)));
    device.leaf_sha256 = Digest{};
    put_device(device);
    device = **run(store.device(device_id(2)));
    device.blocked = true;
    put_device(device);
    put_twin(0, R"({"fw":"1.2","temp":20,"motor":{"on":true}})", "{}");
    put_twin(1, R"({"interval":{"value":5,"ac":200,"av":3}})", R"({"interval":9})");
    put_twin(2, R"({"list":[1],"nothing":null})", R"({"interval":9})");

    domain::Changes changes;
    changes.writes.push_back(domain::PutDeviceNotes{
        device_id(3),
        {.display_name = "Boiler", .template_id = "dtmi:plant:boiler;1", .simulated = true}});
    EXPECT_TRUE(run(store.commit(changes)));

    const auto d = [](std::size_t i) { return device_id(i).str(); };
    EXPECT_THAT(members(every + " WHERE $template = 'dtmi:plant:boiler;1'"), ElementsAre(d(3)));
    EXPECT_THAT(members(every + " WHERE $template = null"), ElementsAre(d(0), d(1), d(2)));
    EXPECT_THAT(members(every + " WHERE $displayName = 'Boiler' AND $simulated"),
                ElementsAre(d(3)));
    EXPECT_THAT(members(every + " WHERE $displayName = 'd-001'"), ElementsAre(d(1)));
    EXPECT_THAT(members(every), ElementsAre(d(0), d(1), d(2), d(3)));
    EXPECT_THAT(members(every + " WHERE $provisioned"), ElementsAre(d(1)));
    EXPECT_THAT(members(every + " WHERE $enabled = false"), ElementsAre(d(2)));
    EXPECT_THAT(members(every + " WHERE $id > 'd-001'"), ElementsAre(d(2), d(3)));
    EXPECT_THAT(members(every + " WHERE fw = '1.2' AND temp >= 20"), ElementsAre(d(0)));
    EXPECT_THAT(members(every + " WHERE motor.on"), ElementsAre(d(0)));
    EXPECT_THAT(members(every + " WHERE motor.on.deeper = 1"), IsEmpty());
    EXPECT_THAT(members(every + " WHERE interval = 5"), ElementsAre(d(1)))
        << "as the device acknowledged it";
    EXPECT_THAT(members(every + " WHERE interval = 9"), ElementsAre(d(2)))
        << "as it is desired, where nothing was reported";
    EXPECT_THAT(members(every + " WHERE list = 1 OR IS_DEFINED(nothing)"), IsEmpty());
    EXPECT_THAT(members(every + " WHERE fw = null"), ElementsAre(d(1), d(2), d(3)));
}

TEST_F(DeviceGroupsTest, MembersComeInPagesThatLookAtSoManyDevices) {
    add_devices(limits::device_group_look_max + 10);
    EXPECT_EQ(members(every + " WHERE $id = 'd-007' OR $id = 'd-1500'").size(), 2U);
    const auto page = run(groups.devices("all", {.count = 1}));
    ASSERT_EQ(page->items.size(), 1U);
    const auto next = run(groups.devices("all", {.after = page->next, .count = 1}));
    ASSERT_EQ(next->items.size(), 1U);
    EXPECT_NE(next->items.front().device.id, page->items.front().device.id);

    put_group(every + " WHERE $id = 'nobody'");
    const auto nobody = run(groups.devices("all", {}));
    EXPECT_THAT(nobody->items, IsEmpty());
    EXPECT_NE(nobody->next, "") << "more have to be looked at";
    EXPECT_EQ(run(groups.devices("all", {.after = nobody->next}))->next, "");
}

}  // namespace
}  // namespace rollcall::service
