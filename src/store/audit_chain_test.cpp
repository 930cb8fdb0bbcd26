// SPDX-License-Identifier: Apache-2.0
#include "store/audit_chain.hpp"

#include "support/full_records.hpp"

#include <functional>

#include <gtest/gtest.h>

namespace rollcall::store {
namespace {

using test::an_event;
using test::digest_of;

const Digest key = digest_of("key");

struct Log {
    std::vector<AuditRecord> records;
    AuditHead head = signed_head(0, Digest{}, key);

    void append(const domain::AuditEvent& event) {
        auto [record, next] = chain_audit(head, event, key);
        records.push_back(std::move(record));
        head = next;
    }
    std::optional<AuditFault> fault() const {
        AuditVerifier verifier{head, key};
        for (const auto& record : records) {
            verifier.feed(record);
        }
        return verifier.finish();
    }
};

Log a_log() {
    Log log;
    for (const auto* action : {"one", "two", "three"}) {
        log.append(an_event(action));
    }
    return log;
}

TEST(AuditChain, SoundAsWritten) {
    EXPECT_EQ(a_log().fault(), std::nullopt);
    EXPECT_EQ(Log{}.fault(), std::nullopt);
}

TEST(AuditChain, EveryChangeIsSeenWhereItWasMade) {
    struct Case {
        const char* what;
        std::function<void(Log&)> change;
        std::uint64_t sequence;
    };
    const std::vector<Case> cases{
        {"time", [](Log& log) { log.records[1].event.at += std::chrono::microseconds{1}; }, 2},
        {"actor", [](Log& log) { log.records[1].event.actor = "x"; }, 2},
        {"source", [](Log& log) { log.records[1].event.source = "x"; }, 2},
        {"action", [](Log& log) { log.records[1].event.action = "x"; }, 2},
        {"object", [](Log& log) { log.records[1].event.object = "x"; }, 2},
        {"detail", [](Log& log) { log.records[1].event.detail = "x"; }, 2},
        {"reason", [](Log& log) { log.records[1].event.reason = "x"; }, 2},
        {"text moved to the next field",
         [](Log& log) {
             auto& event = log.records[1].event;
             event.object = event.action + event.object;
             event.action = "";
         },
         2},
        {"hash too",
         [](Log& log) {
             auto& record = log.records[1];
             record.event.reason = "x";
             record.hash = audit_hash(record.sequence, record.event, record.previous);
         },
         3},
        {"whole chain after it",
         [](Log& log) {
             log.records[1].event.reason = "x";
             for (std::size_t i = 1; i < 3; ++i) {
                 auto& record = log.records[i];
                 record.previous = log.records[i - 1].hash;
                 record.hash = audit_hash(record.sequence, record.event, record.previous);
             }
         },
         3},
        {"head too, with another key",
         [](Log& log) { log.head = signed_head(3, log.head.hash, digest_of("other")); }, 3},
        {"first gone", [](Log& log) { log.records.erase(log.records.begin()); }, 1},
        {"middle gone", [](Log& log) { log.records.erase(log.records.begin() + 1); }, 2},
        {"last gone", [](Log& log) { log.records.pop_back(); }, 3},
        {"two exchanged", [](Log& log) { std::swap(log.records[0], log.records[1]); }, 1},
        {"head unsigned", [](Log& log) { log.head.signature = {}; }, 3},
        {"all gone",
         [](Log& log) {
             log = {{}, {}};
         },
         0},
        {"found altered by the server",
         [](Log& log) { log.append(audit_broken(test::day("2026-01-01"))); }, 4},
    };
    for (const auto& each : cases) {
        Log log = a_log();
        each.change(log);
        const auto fault = log.fault();
        ASSERT_TRUE(fault) << each.what;
        EXPECT_EQ(fault->sequence, each.sequence) << each.what << ": " << fault->what;
    }
}

TEST(AuditChain, RecordsAfterTheHeadAreStillAChain) {
    Log log = a_log();
    const AuditHead earlier = log.head;
    log.append(an_event("four"));
    log.head = earlier;
    EXPECT_EQ(log.fault(), std::nullopt);
    log.records[3].event.reason = "x";
    ASSERT_TRUE(log.fault());
    EXPECT_EQ(log.fault()->sequence, 4U);
}

// --- Pruned logs -----------------------------------------------------------------------------

std::optional<AuditFault> fault_from(const Log& log, const AuditHead& checkpoint) {
    AuditVerifier verifier{log.head, key, checkpoint};
    for (const auto& record : log.records) {
        verifier.feed(record);
    }
    return verifier.finish();
}

TEST(AuditChain, APrunedLogIsSoundFromItsCheckpointOn) {
    Log log = a_log();
    const AuditHead checkpoint = signed_checkpoint(2, log.records[1].hash, key);
    log.records.erase(log.records.begin(), log.records.begin() + 2);
    EXPECT_EQ(fault_from(log, checkpoint), std::nullopt);
    ASSERT_TRUE(log.fault());
    EXPECT_EQ(log.fault()->sequence, 1U) << "without its checkpoint";

    log.records.clear();
    const AuditHead all = signed_checkpoint(3, log.head.hash, key);
    EXPECT_EQ(fault_from(log, all), std::nullopt) << "nothing is left";
}

TEST(AuditChain, ACheckpointIsNoPlaceToHideChanges) {
    struct Case {
        const char* what;
        std::function<void(Log&, AuditHead&)> change;
        std::uint64_t sequence;
    };
    const Digest other = digest_of("other");
    const std::vector<Case> cases{
        {"another key", [&](Log&, AuditHead& at) { at = signed_checkpoint(1, at.hash, other); }, 1},
        {"a head's signature", [&](Log&, AuditHead& at) { at = signed_head(1, at.hash, key); }, 1},
        {"another hash", [&](Log&, AuditHead& at) { at = signed_checkpoint(1, other, key); }, 2},
        {"moved on",
         [](Log& log, AuditHead& at) {
             at.sequence = 2;
             at.hash = log.records[0].hash;
         },
         2},
        {"one more gone", [](Log& log, AuditHead&) { log.records.erase(log.records.begin()); }, 2},
        {"one less gone",
         [](Log& log, AuditHead&) { log.records.insert(log.records.begin(), a_log().records[0]); },
         2},
        {"none at all", [](Log&, AuditHead& at) { at = AuditHead{}; }, 0}};
    for (const auto& each : cases) {
        Log log = a_log();
        AuditHead checkpoint = signed_checkpoint(1, log.records[0].hash, key);
        log.records.erase(log.records.begin());
        each.change(log, checkpoint);
        const auto fault = fault_from(log, checkpoint);
        ASSERT_TRUE(fault) << each.what;
        EXPECT_EQ(fault->sequence, each.sequence) << each.what << ": " << fault->what;
    }
}

TEST(AuditChain, ACheckpointIsReadAsItIsWritten) {
    const AuditHead checkpoint = signed_checkpoint(12, digest_of("hash"), key);
    EXPECT_EQ(parse_checkpoint(to_text(checkpoint)), checkpoint);
    const std::string text = to_text(checkpoint);
    for (const std::string& none :
         {std::string{}, std::string{"12"}, " " + text, text + "0", text + " ",
          text.substr(0, text.size() - 1), "-" + text, std::string(text.size(), 'x')}) {
        EXPECT_FALSE(parse_checkpoint(none)) << none;
    }
}

}  // namespace
}  // namespace rollcall::store
