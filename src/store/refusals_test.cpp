// SPDX-License-Identifier: Apache-2.0
#include "store/refusals.hpp"

#include "base/limits.hpp"
#include "store/refusal_file.hpp"
#include "support/full_records.hpp"
#include "support/run_task.hpp"
#include "support/scratch_directory.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::store {
namespace {

using namespace rollcall::test;
using ::testing::ElementsAre;

RefusalRecord a_refusal(const std::string& id, bool known = true) {
    RefusalRecord record;
    record.id = RegistrationId::trusted(id);
    record.known = known;
    record.at = day("2026-05-01");
    record.cause = domain::RefusalCause::search_budget;
    record.told = {401002, "CA certificate not found."};
    record.explanation = "the chain ends at nobody";
    record.fix = "send the intermediate";
    record.entry = group_entry("g");
    record.verdict_json = R"({"findings":[]})";
    record.sent = {{1, 2, 3}, {}, Bytes(70'000, 4)};
    record.protocol = domain::Protocol::amqp_ws;
    record.api_version = "2019-03-31";
    record.user_agent = "device/1.0";
    record.tls_version = "TLSv1.2";
    record.tls_cipher = "ECDHE-ECDSA-AES128-GCM-SHA256";
    record.peer_address = "192.0.2.1";
    return record;
}

/// Strangers that come no faster than they are written.
RefusalRecord a_stranger(int number) {
    auto record = a_refusal("stranger-" + std::to_string(number), false);
    record.sent.clear();
    record.at += std::chrono::seconds{number};
    return record;
}

std::vector<std::string> names(RefusalLog& log, std::size_t count = 100) {
    std::vector<std::string> found;
    const auto newest = run(log.newest(count)).value();
    for (const auto& each : newest) {
        found.push_back(each.id.str());
    }
    return found;
}

class RefusalFiles : public ::testing::Test {
protected:
    std::unique_ptr<RefusalFile> open() {
        auto log = RefusalFile::open(path_, metrics_);
        INVARIANT(log.has_value());
        return *std::move(log);
    }
    bool dropped() {
        return metrics_.text().find("rollcall_refusals_dropped_total 0\n") == std::string::npos;
    }

    ScratchDirectory directory_;
    std::filesystem::path path_ = directory_.path() / "refusals.db";
    Metrics metrics_;
};

/// What both promise.
void expect_contract(RefusalLog& log) {
    const auto first = a_refusal("Dev-1");
    log.note(first);
    const auto found = run(log.last(RegistrationId::trusted("dev-1"))).value();
    EXPECT_EQ(found, first) << "what was noted is seen at once";
    EXPECT_EQ(found->id.original(), "Dev-1");
    EXPECT_EQ(run(log.last(RegistrationId::trusted("dev-2"))).value(), std::nullopt);

    log.note(a_refusal("dev-2", false));
    auto again = a_refusal("dev-1");
    again.entry.reset();
    again.sent.clear();
    log.note(again);
    EXPECT_EQ(run(log.last(RegistrationId::trusted("DEV-1"))).value(), again);
    EXPECT_THAT(names(log), ElementsAre("dev-1", "dev-2"));
    EXPECT_THAT(names(log, 1), ElementsAre("dev-1"));

    const int bound = static_cast<int>(limits::stranger_refusals_max);
    for (int i = 1; i < bound; ++i) {
        log.note(a_stranger(i));
        if (i % 1'000 == 0) {
            names(log);  // lets the queue run dry
        }
    }
    EXPECT_TRUE(run(log.last(RegistrationId::trusted("dev-2"))).value()) << "the ring is full";
    log.note(a_stranger(bound));
    EXPECT_FALSE(run(log.last(RegistrationId::trusted("dev-2"))).value());
    EXPECT_TRUE(run(log.last(RegistrationId::trusted("stranger-1"))).value());
    EXPECT_TRUE(run(log.last(RegistrationId::trusted("dev-1"))).value()) << "known ones stay";
    EXPECT_EQ(names(log, limits::page_max + 1).size(), limits::page_max);
}

TEST(MemoryRefusals, KeepTheContract) {
    MemoryRefusalLog log;
    expect_contract(log);
}

TEST_F(RefusalFiles, KeepTheContract) {
    const auto log = open();
    expect_contract(*log);
    EXPECT_FALSE(dropped());
}

TEST_F(RefusalFiles, AreThereAfterARestart) {
    open()->note(a_refusal("dev-1"));
    EXPECT_EQ(run(open()->last(RegistrationId::trusted("dev-1"))).value(), a_refusal("dev-1"));
}

TEST_F(RefusalFiles, StrangersAreSlowedDown) {
    StrangerPace pace;
    const auto start = day("2026-05-01");
    std::size_t admitted = 0;
    for (std::size_t i = 0; i < 2 * limits::stranger_refusals_burst; ++i) {
        admitted += pace.admit(start) ? 1 : 0;
    }
    EXPECT_EQ(admitted, limits::stranger_refusals_burst);
    admitted = 0;
    for (std::size_t i = 0; i < 2 * limits::stranger_refusals_burst; ++i) {
        admitted += pace.admit(start + std::chrono::seconds{1}) ? 1 : 0;
    }
    EXPECT_EQ(admitted, limits::stranger_refusals_per_second);
    EXPECT_FALSE(pace.admit(start)) << "a clock that went back fills nothing";
}

TEST_F(RefusalFiles, StrangersTakeBoundedBytes) {
    const auto log = open();
    auto large = a_stranger(0);
    large.sent = {Bytes(1024 * 1024)};
    const int more_than_fit = static_cast<int>(limits::stranger_refusal_bytes_max >> 20U) + 4;
    for (int i = 0; i < more_than_fit; ++i) {
        large.id = RegistrationId::trusted("stranger-" + std::to_string(i));
        large.at += std::chrono::seconds{1};
        log->note(large);
        names(*log, 1);
    }
    const auto kept = names(*log, limits::page_max).size();
    EXPECT_LT(kept, limits::stranger_refusal_bytes_max >> 20U);
    EXPECT_GT(kept, (limits::stranger_refusal_bytes_max >> 20U) - 4);
}

TEST_F(RefusalFiles, TheQueueIsBounded) {
    const auto log = open();
    // Faster than any disk: some must be dropped, none may wait beyond the bound.
    auto large = a_refusal("dev");
    large.sent = {Bytes(limits::refusal_queue_bytes_max)};
    log->note(large);
    EXPECT_TRUE(dropped()) << "larger than the whole queue";
    EXPECT_FALSE(run(log->last(large.id)).value());
    large.sent = {Bytes(limits::refusal_queue_bytes_max - 4'096)};
    log->note(large);
    EXPECT_TRUE(run(log->last(large.id)).value());
}

TEST_F(RefusalFiles, ABrokenFileIsStartedOver) {
    std::ofstream{path_} << std::string(8'192, 'x');
    const auto log = open();
    log->note(a_refusal("dev-1"));
    EXPECT_TRUE(run(log->last(RegistrationId::trusted("dev-1"))).value());
}

TEST_F(RefusalFiles, NotesAfterTheEndAreDropped) {
    const auto log = open();
    log->close();
    log->note(a_refusal("dev-1"));
    EXPECT_TRUE(dropped());
}

}  // namespace
}  // namespace rollcall::store
