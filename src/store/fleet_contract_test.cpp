// SPDX-License-Identifier: Apache-2.0
// What both stores promise of questions about the whole fleet; see store_contract_test.cpp.
#include "support/store_twins.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::store {
namespace {

using namespace rollcall::domain;
using namespace rollcall::test;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class FleetContract : public StoreTwins {
protected:
    std::vector<std::string> found(const FleetFilter& filter, const PageRequest& page = {}) {
        std::vector<std::string> ids;
        const auto listed = run(fleet_->fleet(page, filter)).value();
        for (const auto& each : listed.items) {
            ids.push_back(each.noted.device.id.str());
        }
        EXPECT_EQ(run(fleet_->fleet_count(filter)).value(), ids.size() + before(filter, page));
        return ids;
    }
    /// How many of them are on pages before this one.
    std::size_t before(const FleetFilter& filter, const PageRequest& page) {
        std::size_t count = 0;
        const auto all = run(fleet_->fleet({}, filter)).value();
        for (const auto& each : all.items) {
            count += !page.after.empty() && each.noted.device.id.str() <= page.after ? 1 : 0;
        }
        return count;
    }
    void events(const std::vector<AuditEvent>& told) {
        must_commit({.writes = {PutSetting{"a", "b"}}, .audit = told});
    }
    std::vector<std::uint64_t> told(const AuditFilter& filter, const PageRequest& page = {}) {
        std::vector<std::uint64_t> numbers;
        const auto listed = run(fleet_->audit_backwards(page, filter)).value();
        for (const auto& each : listed.items) {
            numbers.push_back(each.sequence);
        }
        return numbers;
    }
};

INSTANTIATE_TEST_SUITE_P(Twins, FleetContract, both_stores(), store_name);

TEST_P(FleetContract, ADeviceComesWithWhatIsSaidOfItAndWhatItWasAnswered) {
    const auto registration = a_registration("dev-1");
    DeviceNotes notes;
    notes.display_name = "Press 1";
    put(PutDevice{a_device("dev-1")}, PutRegistration{registration},
        PutDeviceNotes{DeviceId::trusted("dev-1"), notes}, PutDevice{a_device("dev-2")});
    const auto page = run(fleet_->fleet({}, {})).value();
    ASSERT_EQ(page.items.size(), 2U);
    EXPECT_EQ(page.items[0], (FleetDevice{{a_device("dev-1"), notes}, registration}));
    EXPECT_EQ(page.items[1], (FleetDevice{{a_device("dev-2"), {}}, std::nullopt}));
}

TEST_P(FleetContract, DevicesAreFoundByAnyPartOfTheirNames) {
    auto renamed = a_device("Press-7");
    renamed.registration = RegistrationId::trusted("serial-0042");
    DeviceNotes notes;
    notes.display_name = "The BIG one";
    put(PutDevice{a_device("lathe-1")}, PutDevice{a_device("lathe-2")}, PutDevice{renamed},
        PutDeviceNotes{DeviceId::trusted("lathe-2"), notes});
    EXPECT_THAT(found({.containing = "ATHE"}), ElementsAre("lathe-1", "lathe-2"));
    EXPECT_THAT(found({.containing = "press"}), ElementsAre("Press-7"));
    EXPECT_THAT(found({.containing = "0042"}), ElementsAre("Press-7"));
    EXPECT_THAT(found({.containing = "big o"}), ElementsAre("lathe-2"));
    EXPECT_THAT(found({.containing = "%"}), IsEmpty()) << "no pattern";
    EXPECT_THAT(found({.containing = "lathe"}, {.after = "lathe-1"}), ElementsAre("lathe-2"));
    EXPECT_THAT(found({.id_prefix = "lathe-", .containing = "2"}), ElementsAre("lathe-2"));
    EXPECT_THAT(found({.id_prefix = "athe"}), IsEmpty());
    const auto first = run(fleet_->fleet({.count = 2}, {})).value();
    EXPECT_EQ(first.next, "lathe-1");
}

TEST_P(FleetContract, DevicesAreFoundByWhatTheyRestOn) {
    auto own = a_device("b");
    own.entry = {EntryRef::Kind::individual, "b", "instance-of-b"};
    auto blocked = a_device("c");
    blocked.blocked = true;
    auto fresh = a_device("d");
    fresh.entry = {};
    fresh.leaf_sha256.reset();
    put(PutDevice{a_device("a")}, PutDevice{own}, PutDevice{blocked}, PutDevice{fresh});
    EXPECT_THAT(found({.group = "G"}), ElementsAre("a", "c")) << "without case";
    EXPECT_THAT(found({.group = "b"}), IsEmpty());
    EXPECT_THAT(found({.individual = true}), ElementsAre("b"));
    EXPECT_THAT(found({.state = DeviceState::blocked, .group = "g"}), ElementsAre("c"));
    EXPECT_THAT(found({.state = DeviceState::provisioned}), ElementsAre("a", "b"));
    EXPECT_THAT(found({.state = DeviceState::blocked, .containing = "a"}), IsEmpty());
}

TEST_P(FleetContract, EverythingIsCounted) {
    const auto by_certificate = [](const char* id) {
        auto registration = a_registration(id);
        registration.last.attestation = AttestationKind::x509;
        return registration;
    };
    auto own = by_certificate("own");
    own.last.entry = {EntryRef::Kind::individual, "own", "i"};
    own.last.slot = Slot::secondary;
    own.last.not_after = day("2027-01-01") - std::chrono::microseconds{1};
    auto by_key = a_registration("by-key");
    by_key.last.attestation = AttestationKind::symmetric_key;
    auto unproved = a_registration("unproved");
    unproved.adoptions = 0;
    unproved.last = {};
    auto blocked = a_device("c");
    blocked.blocked = true;
    put(PutRegistration{by_certificate("a")}, PutRegistration{by_certificate("b")},
        PutRegistration{own}, PutRegistration{by_key}, PutRegistration{unproved},
        PutDevice{a_device("a")}, PutDevice{a_device("b")}, PutDevice{blocked},
        PutIndividual{an_individual("own")});
    const auto counts = run(fleet_->fleet_counts()).value();
    EXPECT_THAT(counts.devices, ElementsAre(0U, 2U, 0U, 1U));
    EXPECT_EQ(counts.individuals, 1U);
    EXPECT_THAT(counts.own_slots, ElementsAre(0U, 1U));
    const auto& last = a_registration("a").last;
    EXPECT_THAT(counts.groups,
                UnorderedElementsAre(GroupCount{last.entry, {last.ca_sha256, last.slot, 3}}));
    const auto end = std::chrono::floor<std::chrono::days>(last.not_after);
    const auto eve = std::chrono::floor<std::chrono::days>(day("2026-12-31"));
    std::vector<DayCount> ends{{end, 2}, {eve, 1}};
    std::sort(ends.begin(), ends.end(),
              [](const auto& one, const auto& other) { return one.day < other.day; });
    EXPECT_EQ(counts.leaf_ends, ends);
}

TEST_P(FleetContract, AnEmptyFleetCountsNothing) {
    EXPECT_EQ(run(fleet_->fleet_counts()).value(), FleetCounts{});
    EXPECT_THAT(found({}), IsEmpty());
}

TEST_P(FleetContract, EnrollmentsAreFoundByPartsOfTheirIds) {
    put(PutIndividual{an_individual("Press-1")}, PutIndividual{an_individual("press-2")},
        PutIndividual{an_individual("lathe")});
    const auto listed = [&](const std::string& part, const PageRequest& page = {}) {
        std::vector<std::string> ids;
        const auto items = run(fleet_->individuals_containing(page, part)).value().items;
        for (const auto& each : items) {
            ids.push_back(each.id.original());
        }
        return ids;
    };
    EXPECT_THAT(listed("RESS"), ElementsAre("Press-1", "press-2"));
    EXPECT_THAT(listed("ress", {.after = "Press-1"}), ElementsAre("press-2"));
    EXPECT_THAT(listed("_"), IsEmpty());
}

TEST_P(FleetContract, TheAuditLogIsReadFromItsEnd) {
    auto other = an_event("group.create");
    other.actor = "user:Ann";
    other.object = "group/plant";
    events({an_event("device.block"), other, an_event("device.unblock")});
    EXPECT_THAT(told({}), ElementsAre(3U, 2U, 1U));
    EXPECT_THAT(told({}, {.after = "3", .count = 1}), ElementsAre(2U));
    EXPECT_THAT(told({.action = "BLOCK"}), ElementsAre(3U, 1U));
    EXPECT_THAT(told({.actor = "ann"}), ElementsAre(2U));
    EXPECT_THAT(told({.actor = "ann", .object = "device"}), IsEmpty());
    EXPECT_THAT(told({.object = "plant"}), ElementsAre(2U));
    EXPECT_EQ(run(fleet_->audit_backwards({.count = 2}, {})).value().next, "2");
    EXPECT_EQ(run(fleet_->audit_backwards({.after = "x"}, {})).error().reason, "malformed-page");
}

}  // namespace
}  // namespace rollcall::store
