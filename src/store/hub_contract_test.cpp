// SPDX-License-Identifier: Apache-2.0
// What both stores promise of what they keep for a hub. See store_contract_test.cpp.
#include "support/store_twins.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::store {
namespace {

using namespace rollcall::domain;
using namespace rollcall::test;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const DeviceId dev = DeviceId::trusted("Dev-1");
const DeviceId other = DeviceId::trusted("dev-1");  // case matters

Twin a_twin(const DeviceId& device) {
    return {.device = device,
            .tags = R"({"site":"a"})",
            .desired = R"({"interval":5})",
            .desired_version = 7,
            .reported = R"({"firmware":"1.2"})",
            .reported_version = 9,
            .etag = ETag::trusted("twin-etag"),
            .updated = day("2026-03-04")};
}

/// One that `number` is not given to yet, waiting from the first of March on.
DeviceMessage a_message(const DeviceId& device, const std::string& id,
                        std::string_view expires = "2026-03-10") {
    return {.device = device,
            .id = id,
            .properties = {{"$.mid", id}, {"null", "", true}, {"empty", ""}},
            .body = "body of " + id,
            .enqueued = day("2026-03-01"),
            .expires = day(expires)};
}

class HubContract : public StoreTwins {
protected:
    std::vector<DeviceMessage> messages(const DeviceId& device) {
        return run(reader_->messages(device)).value();
    }
    std::vector<std::string> waiting(const DeviceId& device) {
        std::vector<std::string> ids;
        for (const auto& message : messages(device)) {
            ids.push_back(message.id);
        }
        return ids;
    }
    void queue(const DeviceMessage& message) { put(QueueMessage{message}); }
};

INSTANTIATE_TEST_SUITE_P(Twins, HubContract, both_stores(), store_name);

// --- Twins ----------------------------------------------------------------------------------

TEST_P(HubContract, ATwinComesBackWhole) {
    EXPECT_EQ(run(reader_->twin(dev)).value(), std::nullopt);
    auto twin = a_twin(dev);
    put(PutTwin{twin});
    EXPECT_EQ(run(reader_->twin(dev)).value(), twin);
    EXPECT_EQ(run(reader_->twin(other)).value(), std::nullopt) << "has case";

    twin.tags = "{}";
    twin.desired = std::string{"{\"\0\xff\"}", 7};
    twin.desired_version = 8;
    twin.reported = "{}";
    twin.reported_version = 10;
    twin.etag = ETag::trusted("later");
    twin.updated = day("2026-03-05");
    put(PutTwin{twin}, PutTwin{a_twin(other)});
    EXPECT_EQ(run(reader_->twin(dev)).value(), twin) << "put again: replaced";
    reopen();
    if (sqlite_) {
        EXPECT_EQ(run(reader_->twin(dev)).value(), twin);
    }
}

TEST_P(HubContract, ATwinsEtagIsExpected) {
    const auto twin = a_twin(dev);
    put(PutTwin{twin});
    EXPECT_EQ(refusal(ExpectEtag{RecordKind::twin, "Dev-1", twin.etag}), "");
    EXPECT_EQ(refusal(ExpectEtag{RecordKind::twin, "Dev-1", ETag::trusted("old")}), "etag-moved");
    EXPECT_EQ(refusal(ExpectEtag{RecordKind::twin, "Dev-1", {}}), "already-exists");
    EXPECT_EQ(refusal(ExpectEtag{RecordKind::twin, "dev-1", {}}), "") << "has case";
    EXPECT_EQ(refusal(ExpectEtag{RecordKind::twin, "dev-1", twin.etag}), "etag-moved");
    EXPECT_EQ(commit({.expects = {ExpectEtag{RecordKind::twin, "Dev-1", {}}}}).error().detail,
              "there is already a record: twin Dev-1");
}

// --- Messages -------------------------------------------------------------------------------

TEST_P(HubContract, AMessageComesBackWhole) {
    EXPECT_THAT(messages(dev), IsEmpty());
    auto message = a_message(dev, "m1");
    message.number = 999;  // not the caller's to give
    message.body = std::string{"\0\xff\xfe body", 8};
    message.properties = {{"$.mid", "m1"},
                          {"", "no name"},
                          {"null", "", true},
                          {std::string{"\0\xff", 2}, std::string{"\xfe\0", 2}},
                          {"long", std::string(300, 'x')}};
    auto bare = a_message(dev, "");
    bare.body.clear();
    bare.properties.clear();
    put(QueueMessage{message}, QueueMessage{bare});
    reopen();
    auto found = messages(dev);
    ASSERT_EQ(found.size(), 2U);
    EXPECT_NE(found[0].number, 999U);
    message.number = found[0].number;
    bare.number = found[1].number;
    EXPECT_EQ(found[0], message);
    EXPECT_EQ(found[1], bare);
    EXPECT_THAT(messages(other), IsEmpty());
}

TEST_P(HubContract, MessagesComeInTheOrderTheyWereQueuedIn) {
    put(QueueMessage{a_message(dev, "b")}, QueueMessage{a_message(other, "x")},
        QueueMessage{a_message(dev, "a")});
    queue(a_message(dev, "c"));
    EXPECT_THAT(waiting(dev), ElementsAre("b", "a", "c"));
    EXPECT_THAT(waiting(other), ElementsAre("x"));
    const auto found = messages(dev);
    EXPECT_LT(0U, found[0].number);
    EXPECT_LT(found[0].number, found[1].number);
    EXPECT_LT(found[1].number, found[2].number);
}

TEST_P(HubContract, ARemovedMessagesNumberIsNotGivenAgain) {
    queue(a_message(dev, "one"));
    queue(a_message(dev, "two"));
    const std::uint64_t last = messages(dev).back().number;
    put(RemoveMessage{dev, last});
    EXPECT_THAT(waiting(dev), ElementsAre("one"));
    put(RemoveMessage{dev, last}, RemoveMessage{dev, last + 1});
    EXPECT_THAT(waiting(dev), ElementsAre("one")) << "gone already: no error";
    put(RemoveMessage{dev, messages(dev).front().number});
    EXPECT_THAT(waiting(dev), IsEmpty());
    reopen();
    queue(a_message(dev, "three"));
    EXPECT_GT(messages(dev).front().number, last);
}

TEST_P(HubContract, AMessageOfAnotherDeviceIsNotRemoved) {
    queue(a_message(other, "x"));
    put(RemoveMessage{dev, messages(other).front().number});
    EXPECT_THAT(waiting(other), ElementsAre("x"));
}

TEST_P(HubContract, QueueingDropsWhatExpired) {
    auto late = a_message(dev, "late");
    late.enqueued = day("2026-03-05");
    const auto second = std::chrono::microseconds{1};
    auto now = a_message(dev, "now");
    now.expires = late.enqueued;
    auto soon = a_message(dev, "soon");
    soon.expires = late.enqueued + second;
    put(QueueMessage{now}, QueueMessage{soon}, QueueMessage{a_message(other, "x", "2026-03-02")});
    EXPECT_THAT(waiting(dev), ElementsAre("now", "soon")) << "expired ones are listed, too";
    queue(late);
    EXPECT_THAT(waiting(dev), ElementsAre("soon", "late"));
    EXPECT_THAT(waiting(other), ElementsAre("x")) << "another's queue is left alone";
}

TEST_P(HubContract, AQueueHasARoom) {
    const TimePoint now = day("2026-03-05");
    const auto room = [&](std::size_t max) { return refusal(ExpectQueueRoom{dev, max, now}); };
    EXPECT_EQ(room(0), "queue-full");
    EXPECT_EQ(room(1), "");
    auto expired = a_message(dev, "expired");
    expired.expires = now;
    auto lasting = a_message(dev, "lasting");
    lasting.expires = now + std::chrono::microseconds{1};
    put(QueueMessage{expired}, QueueMessage{lasting}, QueueMessage{a_message(other, "x")});
    EXPECT_EQ(room(1), "queue-full");
    EXPECT_EQ(room(2), "") << "what expired does not count, nor another's";

    const Changes changes{.expects = {ExpectQueueRoom{dev, 1, now}},
                          .writes = {QueueMessage{a_message(dev, "more")}}};
    const auto refused = commit(changes);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
    EXPECT_THAT(waiting(dev), ElementsAre("expired", "lasting"));
}

TEST_P(HubContract, ManyWhoQueueAtOnceShareTheRoom) {
    constexpr std::size_t room = 50;
    std::vector<Changes> all(2 * room);
    std::vector<Task<Result<Receipt>>> tasks;
    for (auto& changes : all) {
        const auto message = a_message(dev, "m");
        changes.expects = {ExpectQueueRoom{dev, room, message.enqueued}};
        changes.writes = {QueueMessage{message}};
        tasks.push_back(ledger_->commit(changes));
    }
    std::size_t granted = 0;
    for (const auto& answer : run_together(std::move(tasks))) {
        granted += answer ? 1 : 0;
    }
    EXPECT_EQ(granted, room);
    EXPECT_EQ(messages(dev).size(), room);
}

// --- Subscriptions --------------------------------------------------------------------------

TEST_P(HubContract, SubscriptionsComeBackUntilThereAreNone) {
    EXPECT_EQ(run(reader_->subscriptions(dev)).value(), Subscriptions{});
    for (const Subscriptions& kept :
         {Subscriptions{1, 0, -1, -1}, Subscriptions{-1, -1, 0, 1}, Subscriptions{-1, -1, -1, 0}}) {
        put(PutSubscriptions{dev, kept});
        reopen();
        EXPECT_EQ(run(reader_->subscriptions(dev)).value(), kept);
    }
    EXPECT_EQ(run(reader_->subscriptions(other)).value(), Subscriptions{});
    put(PutSubscriptions{dev, {}});
    EXPECT_EQ(run(reader_->subscriptions(dev)).value(), Subscriptions{});
}

// --- What operators say of devices ----------------------------------------------------------

TEST_P(HubContract, NotesComeBackUntilThereAreNone) {
    EXPECT_EQ(run(reader_->device_notes(dev)).value(), DeviceNotes{});
    const std::vector<DeviceNotes> said{{"Kühler 7", "dtmi:plant:cooler;1", true, {"north", "p-1"}},
                                        {"", "dtmi:plant:cooler;2", false, {"north"}},
                                        {"a b", "", false, {}},
                                        {"", "", true, {}}};
    for (const auto& notes : said) {
        put(PutDeviceNotes{dev, notes});
        reopen();
        EXPECT_EQ(run(reader_->device_notes(dev)).value(), notes);
    }
    EXPECT_EQ(run(reader_->device_notes(other)).value(), DeviceNotes{});
    put(PutDeviceNotes{dev, {}});
    EXPECT_EQ(run(reader_->device_notes(dev)).value(), DeviceNotes{});
}

TEST_P(HubContract, DevicesAreListedWithTheirNotes) {
    const DeviceNotes notes{"Kühler 7", "dtmi:plant:cooler;1", true, {"north"}};
    const auto noted = [&](const std::string& id) {
        auto device = a_device(id);
        put(PutDevice{device});
        return NotedDevice{device};
    };
    const auto a = noted("a");
    auto b = noted("b1");
    const auto c = noted("b2");
    auto waiting = noted("c");
    waiting.device.approved = false;
    waiting.device.blocked = false;
    put(PutDevice{waiting.device}, PutDeviceNotes{b.device.id, notes},
        PutDeviceNotes{waiting.device.id, notes});
    b.notes = waiting.notes = notes;
    using Listed = std::vector<NotedDevice>;
    const auto listed = [&](const PageRequest& page, const DeviceFilter& filter) {
        return run(reader_->noted_devices(page, filter)).value();
    };
    EXPECT_EQ(listed({"", 10}, {}).items, (Listed{a, b, c, waiting}));
    EXPECT_EQ(listed({"", 2}, {}).items, (Listed{a, b}));
    EXPECT_EQ(listed({"", 2}, {}).next, "b1");
    EXPECT_EQ(listed({"b1", 2}, {}).items, (Listed{c, waiting}));
    EXPECT_EQ(listed({"b1", 2}, {}).next, "");
    EXPECT_EQ(listed({"", 10}, {.id_prefix = "b"}).items, (Listed{b, c}));
    EXPECT_EQ(listed({"", 10}, {.state = DeviceState::waiting_for_approval}).items,
              Listed{waiting});
}

// --- Devices that go ------------------------------------------------------------------------

TEST_P(HubContract, NothingOfADeletedDeviceIsLeft) {
    const DeviceNotes notes{"Cooler"};
    const Subscriptions kept{1, 1, 1, 1};
    for (const auto& device : {dev, other}) {
        put(PutDevice{a_device(device.str())}, PutTwin{a_twin(device)},
            QueueMessage{a_message(device, "m")}, PutSubscriptions{device, kept},
            PutDeviceNotes{device, notes});
    }
    const std::uint64_t number = messages(dev).front().number;
    put(QueueMessage{a_message(dev, "of the same batch")}, DeleteDevice{dev});
    EXPECT_EQ(run(reader_->device(dev)).value(), std::nullopt);
    EXPECT_EQ(run(reader_->twin(dev)).value(), std::nullopt);
    EXPECT_THAT(messages(dev), IsEmpty());
    EXPECT_EQ(run(reader_->subscriptions(dev)).value(), Subscriptions{});
    EXPECT_EQ(run(reader_->device_notes(dev)).value(), DeviceNotes{});

    EXPECT_EQ(run(reader_->device_notes(other)).value(), notes);
    EXPECT_EQ(run(reader_->twin(other)).value(), a_twin(other));
    EXPECT_THAT(waiting(other), ElementsAre("m"));
    EXPECT_EQ(run(reader_->subscriptions(other)).value(), kept);

    put(PutDevice{a_device("Dev-1")}, QueueMessage{a_message(dev, "again")});
    EXPECT_GT(messages(dev).front().number, number) << "also of a device made anew";
}

TEST_P(HubContract, ARefusedChangeQueuesNothing) {
    auto ca = a_ca("root");
    auto namesake = ca;
    namesake.id = CaId::trusted("ca-twin");
    put(PutCa{ca}, QueueMessage{a_message(dev, "first")});
    EXPECT_FALSE(commit(
        {.writes = {QueueMessage{a_message(dev, "m")}, PutTwin{a_twin(dev)}, PutCa{namesake}}}));
    EXPECT_THAT(waiting(dev), ElementsAre("first"));
    EXPECT_EQ(run(reader_->twin(dev)).value(), std::nullopt);
}

}  // namespace
}  // namespace rollcall::store
