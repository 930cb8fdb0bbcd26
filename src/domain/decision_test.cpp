// SPDX-License-Identifier: Apache-2.0
#include "domain/decision.hpp"

#include "base/limits.hpp"
#include "support/records.hpp"

#include <gtest/gtest.h>

namespace rollcall::domain {
namespace {

using namespace test;

/// A device under a group, registering again and again. Each registration is kept as the store
/// would keep it.
class Story : public ::testing::Test {
protected:
    Story() {
        world.ca("a", root.certificate()).group("fleet", "a");
        attested.entry = entry_of(world.last_group());
        attested.ca = root.certificate().ca_key();
        attested.ca_sha256 = root.certificate().sha256();
        attested.entry_trust_version = 7;
    }

    std::variant<Decision, Refusal> come(const x509::Certificate& leaf, TimePoint now) {
        attested.path = {leaf, root.certificate()};
        attested.credential = leaf.sha256();
        auto request = a_request("Dev-1", {leaf});
        request.api_version = api_version;
        request.force = force;
        const auto n = std::to_string(++count);
        const FreshIds fresh{OperationId::trusted("op" + n), ETag::trusted("r" + n),
                             ETag::trusted("d" + n)};
        const TrustView trust = world.view();
        auto decided = decide(attested, trust, context, request, hub, now, fresh);
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
    std::string hub = "hub.example";
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
    hub = "other.example";
    attested.reprovision = {false, false};
    EXPECT_EQ(decided(newer, today + 1s).registration.assigned_hub, "hub.example");
    attested.reprovision = {true, true};
    Decision moved = decided(older, today + 2s);
    EXPECT_EQ(moved.registration.assigned_hub, "other.example");
    EXPECT_EQ(moved.registration.substatus, Substatus::device_data_migrated);
    hub = "third.example";
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
    auto either = decide(attested, trust, context, a_request("Dev-1", {leaf}), hub, today, {});
    EXPECT_EQ(count_of<RememberIntermediate>(std::get<Decision>(either).changes), 1U);
    world.seen(factory.certificate());
    const TrustView knowing = world.view();
    either = decide(attested, knowing, context, a_request("Dev-1", {leaf}), hub, today, {});
    EXPECT_EQ(count_of<RememberIntermediate>(std::get<Decision>(either).changes), 0U);
}

}  // namespace
}  // namespace rollcall::domain
