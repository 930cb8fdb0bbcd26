// SPDX-License-Identifier: Apache-2.0
// What both stores promise of linked hubs, allocation rules and twins that begin anew. See
// store_contract_test.cpp.
#include "support/store_twins.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::store {
namespace {

using namespace rollcall::domain;
using namespace rollcall::test;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class AllocationContract : public StoreTwins {
protected:
    TrustRecords records() { return run(reader_->trust_records()).value(); }
    std::optional<Twin> twin(const std::string& device) {
        return run(reader_->twin(DeviceId::trusted(device))).value();
    }
};

INSTANTIATE_TEST_SUITE_P(Twins, AllocationContract, both_stores(), store_name);

LinkedHub a_hub(const std::string& name, bool own, std::string_view created) {
    return {.name = name,
            .own = own,
            .weight = 7,
            .allocate = false,
            .etag = ETag::trusted("etag-of-" + name),
            .created = day(created),
            .updated = day("2026-03-04")};
}

TEST_P(AllocationContract, HubsComeBackWholeAndInOrder) {
    EXPECT_THAT(records().hubs, IsEmpty());
    const auto first = a_hub("Z.example", false, "2026-01-01");
    const auto second = a_hub("a.example", false, "2026-01-02");
    const auto ours = a_hub("m.example", true, "2026-01-03");
    put(PutHub{second}, PutHub{ours}, PutHub{first});
    EXPECT_THAT(records().hubs, ElementsAre(ours, first, second));
    auto changed = a_hub("z.EXAMPLE", false, "2026-01-01");
    changed.weight = 1;
    changed.allocate = true;
    put(PutHub{changed}, DeleteHub{"A.EXAMPLE"}, DeleteHub{"none.example"});
    EXPECT_THAT(records().hubs, ElementsAre(ours, changed));
}

TEST_P(AllocationContract, TheServersRuleStandsAmongTheSettings) {
    EXPECT_EQ(records().allocation, AllocationRule{});
    const AllocationRule rule{AllocationPolicy::static_hub, {"a.example"}};
    put(PutSetting{std::string{server_rule_key}, to_text(rule)});
    EXPECT_EQ(records().allocation, rule);
    put(PutSetting{std::string{server_rule_key}, "nonsense"});
    EXPECT_FALSE(run(reader_->trust_records()));
}

TEST_P(AllocationContract, RegistrationsAreFoundByTheirHub) {
    auto here = a_registration("here");
    auto there = a_registration("there");
    there.assigned_hub = "There.Example";
    put(PutRegistration{here}, PutRegistration{there});
    RegistrationFilter filter;
    filter.hub = "there.example";
    EXPECT_EQ(run(reader_->registration_count(filter)).value(), 1U);
    const PageRequest page;
    EXPECT_THAT(run(reader_->registrations(page, filter)).value().items, ElementsAre(there));
    filter.hub = "nowhere.example";
    EXPECT_EQ(run(reader_->registration_count(filter)).value(), 0U);
}

TEST_P(AllocationContract, ATwinBeginsAnewWithVersionsThatGoOn) {
    const ResetTwin reset{DeviceId::trusted("Dev"),
                          {R"({"t":1})", R"({"d":1})"},
                          ETag::trusted("new"),
                          day("2026-05-01")};
    put(reset);
    Twin expected{.device = reset.device,
                  .tags = R"({"t":1})",
                  .desired = R"({"d":1})",
                  .etag = reset.etag,
                  .updated = reset.updated};
    EXPECT_EQ(twin("Dev"), expected);
    expected.desired_version = 7;
    expected.reported = R"({"r":1})";
    expected.reported_version = 9;
    put(PutTwin{expected});
    put(reset);
    expected.desired_version = 8;
    expected.reported = "{}";
    expected.reported_version = 10;
    EXPECT_EQ(twin("Dev"), expected);
    EXPECT_EQ(twin("dev"), std::nullopt) << "has case";
}

}  // namespace
}  // namespace rollcall::store
