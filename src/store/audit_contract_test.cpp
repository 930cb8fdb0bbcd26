// SPDX-License-Identifier: Apache-2.0
// What both stores promise of an audit log that is pruned. See store_contract_test.cpp.
#include "store/audit_chain.hpp"
#include "support/store_twins.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::store {
namespace {

using namespace rollcall::domain;
using namespace rollcall::test;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class AuditContract : public StoreTwins {
protected:
    void record(int count) {
        Changes changes;
        for (int i = 0; i < count; ++i) {
            changes.audit.push_back(an_event("event"));
        }
        must_commit(changes);
    }
    std::vector<std::uint64_t> numbers(std::string after = {}) {
        std::vector<std::uint64_t> found;
        const PageRequest request{std::move(after), 1'000};
        const auto page = run(reader_->audit(request)).value();
        for (const auto& each : page.items) {
            found.push_back(each.sequence);
        }
        return found;
    }
    AuditCheck check() { return run(verify_audit(*reader_, audit_key_)).value(); }
};

INSTANTIATE_TEST_SUITE_P(Twins, AuditContract, both_stores(), store_name);

TEST_P(AuditContract, WhatIsPrunedIsGoneAndTheRestIsSound) {
    record(5);
    const auto last = run(reader_->audit({})).value().items[2];
    must_commit({.writes = {PruneAudit{3}}, .audit = {an_event("audit.prune")}});
    reopen();
    EXPECT_THAT(numbers(), ElementsAre(4, 5, 6));
    EXPECT_THAT(numbers("1"), ElementsAre(4, 5, 6));
    EXPECT_THAT(numbers("5"), ElementsAre(6));
    const auto found = check();
    EXPECT_EQ(found.fault, std::nullopt);
    EXPECT_EQ(found.records, 3U);
    EXPECT_EQ(found.checkpoint, signed_checkpoint(3, last.hash, audit_key_));
    EXPECT_TRUE(run(verify_audit(*reader_, digest_of("another key"))).value().fault);
}

TEST_P(AuditContract, ACheckpointOnlyMovesOn) {
    record(4);
    put(PruneAudit{2});
    put(PruneAudit{1}, PruneAudit{2});
    EXPECT_EQ(check().checkpoint->sequence, 2U);
    put(PruneAudit{4});
    EXPECT_EQ(check().checkpoint->sequence, 4U);
    EXPECT_THAT(numbers(), IsEmpty());
    EXPECT_EQ(check().fault, std::nullopt);
    record(1);
    EXPECT_THAT(numbers(), ElementsAre(5));
    EXPECT_EQ(check().fault, std::nullopt);
}

TEST_P(AuditContract, NothingIsPrunedUpToWhatIsNotThere) {
    record(2);
    const auto refused = commit({.writes = {PruneAudit{3}}, .audit = {an_event("audit.prune")}});
    EXPECT_EQ(refused.error().reason, "no-such-audit-record");
    EXPECT_THAT(numbers(), ElementsAre(1, 2));
    EXPECT_EQ(check().checkpoint, std::nullopt);
    EXPECT_EQ(check().fault, std::nullopt);
}

TEST_P(AuditContract, ACheckpointThatIsNoneIsSeen) {
    record(2);
    put(PruneAudit{1});
    put(PutSetting{checkpoint_setting, "1 and so on"});
    ASSERT_TRUE(check().fault);
}

}  // namespace
}  // namespace rollcall::store
