// SPDX-License-Identifier: Apache-2.0
#include "domain/decision.hpp"

#include "base/limits.hpp"
#include "support/records.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace rollcall::domain {
namespace {

using namespace test;

/// A device under a group, registering again and again. Each registration is kept as the store
/// would keep it.
class Story : public ::testing::Test {
protected:
    Story() {
        world.ca("a", root.certificate()).group("fleet", "a").hub("hub.example");
        attested.entry = entry_of(world.last_group());
        attested.ca = root.certificate().ca_key();
        attested.ca_sha256 = root.certificate().sha256();
        attested.entry_trust_version = 7;
    }

    Verdict come(const x509::Certificate& leaf, TimePoint now) {
        attested.path = {leaf, root.certificate()};
        attested.credential = leaf.sha256();
        auto request = a_request("Dev-1", {leaf});
        request.api_version = api_version;
        request.force = force;
        const auto n = std::to_string(++count);
        DecisionInputs inputs;
        inputs.now = now;
        inputs.fresh = {OperationId::trusted("op" + n), ETag::trusted("r" + n),
                        ETag::trusted("d" + n), ETag::trusted("t" + n)};
        inputs.initial_twin = {"{}", R"({"from":"entry"})"};
        inputs.reply = reply;
        const TrustView trust = world.view();
        auto decided = decide(attested, trust, context, request, inputs);
        if (const auto* const decision = std::get_if<Decision>(&decided)) {
            for (const auto& write : decision->changes.writes) {
                if (const auto* const put = std::get_if<PutRegistration>(&write)) {
                    context.registration = put->registration;
                }
                if (const auto* const put = std::get_if<PutDevice>(&write)) {
                    context.device = put->device;
                }
            }
        }
        return decided;
    }
    Decision decided(const x509::Certificate& leaf, TimePoint now) {
        auto either = come(leaf, now);
        EXPECT_TRUE(std::holds_alternative<Decision>(either));
        return std::get<Decision>(std::move(either));
    }

    const Authority root = a_root("Root A");
    const x509::Certificate older = root.leaf("Dev-1", {today - 24h * 9, today + 24h * 99}, "k1");
    const x509::Certificate newer = root.leaf("Dev-1", {today - 24h, today + 24h * 99}, "k2");
    WorldBuilder world;
    Attested attested;
    RegistrationContext context;
    std::optional<WebhookReply> reply;
    std::string api_version = "2019-03-31";
    bool force = false;
    int count = 0;
};

template <class T>
std::size_t count_of(const Changes& changes) {
    std::size_t found = 0;
    for (const auto& write : changes.writes) {
        found += std::holds_alternative<T>(write) ? 1 : 0;
    }
    return found;
}

TEST_F(Story, FirstContactCreatesDeviceAndRegistration) {
    const Decision decision = decided(older, today);
    EXPECT_EQ(decision.registration.status, RegistrationStatus::assigned);
    EXPECT_EQ(decision.registration.substatus, Substatus::initial_assignment);
    EXPECT_EQ(decision.registration.assigned_hub, "hub.example");
    EXPECT_EQ(decision.registration.device_id.str(), "Dev-1");
    EXPECT_EQ(decision.registration.last.operation.str(), "op1");
    EXPECT_EQ(decision.registration.last.leaf_sha256, older.sha256());
    EXPECT_EQ(decision.registration.last.path_keys.size(), 2U);
    EXPECT_EQ(context.device->leaf_sha256, older.sha256());
    const Changes& changes = decision.changes;
    EXPECT_EQ(std::get<ExpectTrust>(changes.expects.at(0)), (ExpectTrust{attested.entry, 7}));
    EXPECT_EQ(std::get<ExpectTrust>(changes.expects.at(1)),
              (ExpectTrust{{EntryRef::Kind::individual, "dev-1", ""}, 0}));
}

TEST_F(Story, TheSameLeafAgainGetsTheSameOperationForAWhile) {
    decided(older, today);
    const Decision again = decided(older, today + limits::repeat_window - 1s);
    EXPECT_TRUE(again.repeated);
    EXPECT_TRUE(again.changes.empty());
    EXPECT_EQ(again.registration.last.operation.str(), "op1");
    const Decision later = decided(older, today + limits::repeat_window);
    EXPECT_FALSE(later.repeated);
    EXPECT_EQ(later.registration.last.operation.str(), "op3");
    EXPECT_EQ(count_of<PutDevice>(later.changes), 0U);
    force = true;
    EXPECT_FALSE(decided(older, today + limits::repeat_window + 1s).repeated);
}

TEST_F(Story, ANewLeafReachesTheDeviceAtOnceAndGoingBackIsSeen) {
    decided(older, today);
    const Decision moved = decided(newer, today + 1s);
    EXPECT_EQ(count_of<PutDevice>(moved.changes), 1U);
    EXPECT_EQ(context.device->leaf_sha256, newer.sha256());
    EXPECT_FALSE(moved.registration.last.went_back);
    const Decision back = decided(older, today + 2s);
    EXPECT_TRUE(back.registration.last.went_back);
    EXPECT_EQ(context.device->leaf_sha256, older.sha256());
    EXPECT_EQ(back.registration.adoptions, 3U);
}

TEST_F(Story, AGroupMayRefuseToGoBack) {
    decided(newer, today);
    attested.refuse_older_leaf = true;
    const auto either = come(older, today + 1s);
    ASSERT_TRUE(std::holds_alternative<Refusal>(either));
    EXPECT_EQ(std::get<Refusal>(either).cause, RefusalCause::older_leaf);
}

TEST_F(Story, ReturningDevicesAreToldSoByNewApis) {
    decided(older, today);
    EXPECT_EQ(decided(newer, today + 1s).registration.substatus, Substatus::initial_assignment);
    api_version = "2021-10-01";
    EXPECT_EQ(decided(older, today + 2s).registration.substatus,
              Substatus::reprovisioned_to_initial_assignment);
}

TEST_F(Story, TheReprovisionPolicySaysWhetherTheHubMayChange) {
    decided(older, today);
    world.records().hubs.clear();
    world.hub("other.example");
    attested.reprovision = {false, false};
    EXPECT_EQ(decided(newer, today + 1s).registration.assigned_hub, "hub.example");
    attested.reprovision = {true, true};
    Decision moved = decided(older, today + 2s);
    EXPECT_EQ(moved.registration.assigned_hub, "other.example");
    EXPECT_EQ(moved.registration.substatus, Substatus::device_data_migrated);
    world.records().hubs.clear();
    world.hub("third.example");
    attested.reprovision = {true, false};
    moved = decided(newer, today + 3s);
    EXPECT_EQ(moved.registration.substatus, Substatus::device_data_reset);
}

TEST_F(Story, WithoutAutoApproveADeviceWaits) {
    attested.auto_approve = false;
    const Decision waiting = decided(older, today);
    EXPECT_EQ(waiting.registration.status, RegistrationStatus::failed);
    EXPECT_EQ(waiting.registration.failure.code, 400209);
    EXPECT_EQ(state_of(*context.device), DeviceState::waiting_for_approval);
    EXPECT_FALSE(context.device->leaf_sha256);
    context.device->approved = true;
    EXPECT_EQ(decided(older, today + 1s).registration.status, RegistrationStatus::assigned);
    EXPECT_EQ(state_of(*context.device), DeviceState::provisioned);
}

TEST_F(Story, ABlockedDeviceFailsAndKeepsItsRecord) {
    decided(older, today);
    context.device->blocked = true;
    const Decision blocked = decided(newer, today + 1s);
    EXPECT_EQ(blocked.registration.failure.code, 400209);
    EXPECT_EQ(count_of<PutDevice>(blocked.changes), 0U);
    EXPECT_EQ(context.device->leaf_sha256, older.sha256());
}

TEST_F(Story, AnIndividualEntryNamesTheDeviceAndABlockedOneStaysBlocked) {
    context.individual = an_enrollment("dev-1", older);
    context.individual->device_id = DeviceId::trusted("pump");
    attested.entry = entry_of(*context.individual);
    Device pump;
    pump.id = DeviceId::trusted("pump");
    pump.blocked = true;
    context.device = pump;
    const Decision decision = decided(older, today);
    EXPECT_EQ(decision.registration.device_id.str(), "pump");
    EXPECT_EQ(decision.registration.failure.code, 400209);
    EXPECT_TRUE(context.device->blocked);
}

TEST_F(Story, NewIntermediatesAreRemembered) {
    const Authority factory = root.intermediate("Factory");
    const auto leaf = factory.leaf("Dev-1");
    attested.path = {leaf, factory.certificate(), root.certificate()};
    const TrustView trust = world.view();
    const DecisionInputs inputs{today};
    auto either = decide(attested, trust, context, a_request("Dev-1", {leaf}), inputs);
    EXPECT_EQ(count_of<RememberIntermediate>(std::get<Decision>(either).changes), 1U);
    world.seen(factory.certificate());
    const TrustView knowing = world.view();
    either = decide(attested, knowing, context, a_request("Dev-1", {leaf}), inputs);
    EXPECT_EQ(count_of<RememberIntermediate>(std::get<Decision>(either).changes), 0U);
}

// --- Where it goes ---------------------------------------------------------------------------

const ResetTwin* reset_in(const Decision& decision) {
    for (const auto& write : decision.changes.writes) {
        if (const auto* const reset = std::get_if<ResetTwin>(&write)) {
            return reset;
        }
    }
    return nullptr;
}

TEST_F(Story, WithoutAHubItFails) {
    world.records().hubs.front().allocate = false;
    const Decision none = decided(older, today);
    EXPECT_EQ(none.registration.status, RegistrationStatus::failed);
    EXPECT_EQ(none.registration.failure.code, 400208);
    EXPECT_EQ(none.registration.assigned_hub, "");
    world.records().hubs.front().allocate = true;
    EXPECT_EQ(decided(older, today).registration.substatus, Substatus::initial_assignment);
}

TEST_F(Story, TheHubMustStillBeSoWhenItIsCommitted) {
    const auto expects = decided(older, today).changes.expects;
    const Expectation hub =
        ExpectEtag{RecordKind::hub, "hub.example", ETag::trusted("etag-of-hub.example")};
    EXPECT_EQ(std::count(expects.begin(), expects.end(), hub), 1);
}

/// The same leaf within the window gets the old answer only where it would get the old hub.
TEST_F(Story, ARepeatedRegistrationFollowsAChangedPolicy) {
    decided(older, today);
    EXPECT_TRUE(decided(older, today + 1s).repeated);
    world.hub("away.example", false);
    attested.allocation = {AllocationPolicy::static_hub, {"away.example"}};
    const Decision moved = decided(older, today + 2s);
    EXPECT_FALSE(moved.repeated);
    EXPECT_EQ(moved.registration.assigned_hub, "away.example");
    attested.reprovision = {false, false};
    attested.allocation = {};
    EXPECT_TRUE(decided(older, today + 3s).repeated);
}

struct Move {
    const char* from;
    const char* to;
    ReprovisionPolicy policy;
    const char* hub;  ///< afterwards
    Substatus substatus;
    bool resets;
    bool leaves;
};

TEST_F(Story, DataMovesIsResetOrStays) {
    world.hub("ours2.example").hub("away.example", false).hub("away2.example", false);
    constexpr ReprovisionPolicy migrate{true, true};
    constexpr ReprovisionPolicy reset{true, false};
    constexpr ReprovisionPolicy never{false, false};
    constexpr auto migrated = Substatus::device_data_migrated;
    constexpr auto reset_done = Substatus::device_data_reset;
    constexpr auto same = Substatus::initial_assignment;
    const char* const ours = "hub.example";
    const char* const ours2 = "ours2.example";
    const char* const away = "away.example";
    const char* const away2 = "away2.example";
    const Move moves[] = {
        {ours, ours2, migrate, ours2, migrated, false, false},
        {ours, ours2, reset, ours2, reset_done, true, false},
        {ours, ours2, never, ours, same, false, false},
        {ours, ours, migrate, ours, same, false, false},
        {ours, ours, reset, ours, same, true, false},
        {ours, away, migrate, away, migrated, false, true},
        {ours, away, reset, away, reset_done, true, true},
        {ours, away, never, ours, same, false, false},
        {away, ours, migrate, ours, migrated, false, false},
        {away, ours, reset, ours, reset_done, true, false},
        {away, away2, reset, away2, reset_done, false, false},
        {away, away, reset, away, same, false, false},
        {"gone.example", ours, migrate, ours, migrated, false, false},
        {"gone.example", away, never, "gone.example", same, false, false},
    };
    for (const auto& move : moves) {
        SCOPED_TRACE(std::string{move.from} + " to " + move.to);
        context = {};
        attested.reprovision = {};
        attested.allocation = {AllocationPolicy::static_hub, {ours}};
        decided(older, today);
        context.registration->assigned_hub = move.from;
        attested.allocation = {AllocationPolicy::static_hub, {move.to}};
        attested.reprovision = move.policy;
        const Decision decision = decided(newer, today + 1s);
        EXPECT_EQ(decision.registration.assigned_hub, move.hub);
        EXPECT_EQ(decision.registration.substatus, move.substatus);
        EXPECT_EQ(reset_in(decision) != nullptr, move.resets);
        EXPECT_EQ(decision.left_us, move.leaves);
        if (const auto* const twin = reset_in(decision)) {
            EXPECT_EQ(twin->device.str(), "Dev-1");
            EXPECT_EQ(twin->contents.desired, R"({"from":"entry"})");
        }
    }
}

TEST_F(Story, AWebhookIsAskedOnceAndNotForNothing) {
    world.hub("away.example", false);
    attested.allocation.policy = AllocationPolicy::custom;
    attested.allocation.custom = {"https://hook.example/", "2021-10-01"};
    auto verdict = come(older, today);
    const auto* ask = std::get_if<AskWebhook>(&verdict);
    ASSERT_NE(ask, nullptr);
    EXPECT_EQ(*ask, (AskWebhook{attested.allocation.custom, {"hub.example", "away.example"}}));
    reply = WebhookReply{{}, "AWAY.example", TwinContents{"{}", R"({"x":1})"}, R"({"p":1})"};
    const Decision first = decided(older, today);
    EXPECT_EQ(first.registration.assigned_hub, "away.example");
    EXPECT_EQ(first.registration.payload, R"({"p":1})");
    EXPECT_EQ(reset_in(first), nullptr) << "a twin of another's hub is not ours to make";
    reply.reset();
    EXPECT_TRUE(decided(older, today + 1s).repeated);
    verdict = come(newer, today + 1s);
    ask = std::get_if<AskWebhook>(&verdict);
    ASSERT_NE(ask, nullptr);
    EXPECT_EQ(ask->current_hub, "away.example");
    EXPECT_EQ(ask->current_device, "Dev-1");
    context.device->blocked = true;
    EXPECT_EQ(decided(newer, today + 1s).registration.failure.code, 400209);
}

TEST_F(Story, AWebhooksTwinBeginsTheTwin) {
    attested.allocation.policy = AllocationPolicy::custom;
    reply = WebhookReply{{}, "hub.example", TwinContents{R"({"t":1})", R"({"x":1})"}};
    Decision decision = decided(older, today);
    ASSERT_NE(reset_in(decision), nullptr);
    EXPECT_EQ(reset_in(decision)->contents, *reply->initial_twin);
    EXPECT_EQ(reset_in(decision)->etag.str(), "t1");
    EXPECT_EQ(reset_in(decided(newer, today + 1s)), nullptr) << "it is there already";
    world.hub("ours2.example");
    reply->hub = "ours2.example";
    decision = decided(older, today + 2s);
    EXPECT_EQ(decision.registration.substatus, Substatus::device_data_reset);
    EXPECT_EQ(reset_in(decision)->contents, *reply->initial_twin);
}

TEST_F(Story, AWebhookThatFailsOrLiesChangesNothingButTheStatus) {
    attested.allocation.policy = AllocationPolicy::custom;
    reply = WebhookReply{{}, "hub.example"};
    decided(older, today);
    reply = WebhookReply{webhook_failure(404)};
    Decision failed = decided(older, today + 1min);
    EXPECT_EQ(failed.registration.status, RegistrationStatus::failed);
    EXPECT_EQ(failed.registration.failure.code, 400207);
    EXPECT_EQ(failed.registration.failure.message,
              "Custom allocation failed with status code: 404");
    EXPECT_EQ(failed.registration.assigned_hub, "hub.example");
    reply = WebhookReply{{}, "unknown.example"};
    failed = decided(older, today + 2min);
    EXPECT_EQ(failed.registration.failure.code, 400207);
    EXPECT_EQ(failed.registration.failure.message.find("unknown.example"), std::string::npos);
}

TEST_F(Story, NeverStillAsksTheWebhookAndPassesOnWhatItSays) {
    world.hub("away.example", false);
    attested.allocation.policy = AllocationPolicy::custom;
    reply = WebhookReply{{}, "hub.example"};
    decided(older, today);
    attested.reprovision = {false, false};
    reply.reset();
    EXPECT_TRUE(std::holds_alternative<AskWebhook>(come(newer, today + 1s)));
    reply = WebhookReply{{}, "away.example", TwinContents{}, R"({"p":1})"};
    const Decision stays = decided(newer, today + 1s);
    EXPECT_EQ(stays.registration.assigned_hub, "hub.example");
    EXPECT_EQ(stays.registration.payload, R"({"p":1})");
    EXPECT_EQ(reset_in(stays), nullptr);
}

}  // namespace
}  // namespace rollcall::domain
