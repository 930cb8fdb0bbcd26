// SPDX-License-Identifier: Apache-2.0
// What a telemetry log keeps and tells while the disk does its work. How it meets damage and
// failing disks: telemetry_disk_test.cpp.
#include "store/telemetry_log.hpp"

#include "support/telemetry_logs.hpp"

#include <thread>

#include <gmock/gmock.h>

namespace rollcall::store {
namespace {

using namespace rollcall::test;
using domain::Telemetry;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const DeviceId dev = DeviceId::trusted("dev");
constexpr std::chrono::microseconds moment{1};

class TelemetryLogTest : public TelemetryLogs {
protected:
    TelemetryLogTest() { open(); }
};

// --- What is appended comes back ------------------------------------------------------------

TEST_F(TelemetryLogTest, RecordsComeBackWholeAndInOrder) {
    EXPECT_EQ(log_->newest_sequence(), 0U);
    EXPECT_THAT(read().records, IsEmpty());
    EXPECT_EQ(read().oldest, 0U);
    Telemetry odd = a_telemetry(std::string{"\0\xff\xfe", 3}, "Dev-2", TimePoint{moment * -5});
    odd.properties = {{"", ""}, {"null", "", true}, {std::string{"\0", 1}, std::string(300, 'x')}};
    Telemetry bare;
    bare.device = DeviceId::trusted("d");
    const std::vector<Telemetry> batch{a_telemetry("one"), odd, bare};
    ASSERT_TRUE(append(batch));
    const auto page = read();
    EXPECT_THAT(page.records,
                ElementsAre(TelemetryRecord{1, batch[0]}, TelemetryRecord{2, batch[1]},
                            TelemetryRecord{3, batch[2]}));
    EXPECT_EQ(page.next, 3U);
    EXPECT_EQ(page.oldest, 1U);
    EXPECT_EQ(log_->newest_sequence(), 3U);
    EXPECT_TRUE(append(std::vector<Telemetry>{})) << "nothing to do";
    EXPECT_EQ(log_->newest_sequence(), 3U);
}

TEST_F(TelemetryLogTest, AReopenedLogGoesOn) {
    must_append("one");
    must_append("two");
    for (int i = 0; i < 2; ++i) {
        const int syncs = disk_.syncs;
        open();
        EXPECT_EQ(disk_.syncs, syncs + 1) << "what is shown is durable";
        EXPECT_EQ(log_->newest_sequence(), 2U);
        EXPECT_THAT(bodies(read()), ElementsAre("one", "two"));
    }
    must_append("three");
    EXPECT_EQ(sequences(read({.after = 2})), std::vector<std::uint64_t>{3});
    EXPECT_EQ(files().size(), 2U) << "a file of another process is not written on";
}

TEST_F(TelemetryLogTest, OnlyTheOwnerReadsTheFiles) {
    must_append("one");
    using std::filesystem::perms;
    EXPECT_EQ(std::filesystem::status(settings_.directory).permissions(), perms{0700});
    EXPECT_EQ(std::filesystem::status(files().front()).permissions(), perms{0600});
}

TEST_F(TelemetryLogTest, ARecordHasABound) {
    auto largest = a_telemetry("");
    largest.body.assign(limits::telemetry_record_bytes_max - frame_size(largest), 'x');
    ASSERT_TRUE(append(largest));
    EXPECT_EQ(read().records.front().telemetry, largest);
    auto larger = largest;
    larger.body += 'x';
    const auto refused = append({a_telemetry("fits"), larger});
    EXPECT_EQ(refused.error().kind, ErrorKind::too_large);
    EXPECT_EQ(refused.error().reason, "telemetry-too-large");
    EXPECT_EQ(log_->newest_sequence(), 1U) << "nothing of the batch";
    open();
    EXPECT_EQ(log_->newest_sequence(), 1U) << "the largest one is read again";
}

TEST_F(TelemetryLogTest, WhatWasAcknowledgedIsCounted) {
    ASSERT_TRUE(append({a_telemetry("one"), a_telemetry("two")}));
    const auto bytes = std::to_string(frame_size(a_telemetry("one")) * 2);
    EXPECT_THAT(metrics_.text(), HasSubstr("rollcall_telemetry_messages_total 2"));
    EXPECT_THAT(metrics_.text(), HasSubstr("rollcall_telemetry_bytes_total " + bytes));
    EXPECT_THAT(metrics_.text(), HasSubstr("rollcall_telemetry_failures_total 0"));
}

// --- Many at once ---------------------------------------------------------------------------

TEST_F(TelemetryLogTest, CallersThatWaitShareASync) {
    must_append("the first segment");
    const int syncs = disk_.syncs;
    const int writes = disk_.writes;
    const std::vector<Telemetry> batch{a_telemetry("x")};
    std::vector<Task<Result<Done>>> tasks;
    for (int i = 0; i < 64; ++i) {
        tasks.push_back(log_->append(batch));
    }
    for (const auto& answer : run_together(std::move(tasks))) {
        EXPECT_TRUE(answer);
    }
    EXPECT_EQ(disk_.syncs - syncs, 1);
    EXPECT_EQ(disk_.writes - writes, 1);
    EXPECT_EQ(log_->newest_sequence(), 65U);
}

TEST_F(TelemetryLogTest, BatchesOfManyThreadsStayWholeAndInOrder) {
    constexpr int threads = 4;
    constexpr int rounds = 50;
    std::vector<std::thread> appenders;
    for (int t = 0; t < threads; ++t) {
        appenders.emplace_back([this, t] {
            const std::string device = "dev-" + std::to_string(t);
            for (int i = 0; i < rounds; ++i) {
                const std::vector<Telemetry> batch{a_telemetry(std::to_string(2 * i), device),
                                                   a_telemetry(std::to_string(2 * i + 1), device)};
                ASSERT_TRUE(run(log_->append(batch)));
            }
        });
    }
    for (auto& appender : appenders) {
        appender.join();
    }
    const auto page = read({.count = 1000});
    ASSERT_EQ(page.records.size(), threads * rounds * 2U);
    std::map<std::string, int> next;
    for (std::size_t i = 0; i < page.records.size(); ++i) {
        const auto& record = page.records[i];
        EXPECT_EQ(record.sequence, i + 1);
        const std::string& device = record.telemetry.device.str();
        EXPECT_EQ(record.telemetry.body, std::to_string(next[device]++)) << "in its device's order";
        if (i % 2 == 1) {
            EXPECT_EQ(device, page.records[i - 1].telemetry.device.str()) << "together";
        }
    }
}

TEST_F(TelemetryLogTest, TheQueueHasABound) {
    const std::vector<Telemetry> batch{a_telemetry("x")};
    settings_.queue_bytes_max = 3 * frame_size(batch[0]);
    open();
    must_append("the first segment");
    asio::io_context context;
    std::vector<std::optional<Result<Done>>> answers(5);
    const auto start = [&](std::size_t i) {
        asio::co_spawn(context, keep(log_->append(batch), answers[i]),
                       [](const std::exception_ptr&) {});
        context.poll();
    };
    {
        const std::scoped_lock held{disk_.gate};
        const int writes = disk_.writes;
        start(0);
        while (disk_.writes == writes) {  // the writer has it; the queue is empty
            std::this_thread::yield();
        }
        start(1);
        start(2);
        start(3);
        EXPECT_EQ(log_->bytes_waiting(), settings_.queue_bytes_max);
        start(4);
        ASSERT_TRUE(answers[4].has_value()) << "refused at once";
        EXPECT_EQ(answers[4]->error().kind, ErrorKind::unavailable);
        EXPECT_EQ(answers[4]->error().reason, "telemetry-full");
    }
    context.run();
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_TRUE(answers[i] && answers[i]->has_value()) << i;
    }
    EXPECT_TRUE(append(batch[0])) << "there is room again";
}

TEST_F(TelemetryLogTest, ClosingCarriesOutWhatWaits) {
    const std::vector<Telemetry> batch{a_telemetry("x")};
    asio::io_context context;
    std::vector<std::optional<Result<Done>>> answers(10);
    disk_.gate.lock();
    for (auto& answer : answers) {
        asio::co_spawn(context, keep(log_->append(batch), answer),
                       [](const std::exception_ptr&) {});
        context.poll();
    }
    std::thread closer{[this] { log_->close(); }};
    disk_.gate.unlock();
    closer.join();
    context.restart();
    context.run();
    for (const auto& answer : answers) {
        EXPECT_TRUE(answer && answer->has_value());
    }
    EXPECT_EQ(append(batch[0]).error().reason, "telemetry-closed");
    EXPECT_EQ(run(log_->read({})).error().reason, "telemetry-closed");
    EXPECT_EQ(run(log_->newest({})).error().reason, "telemetry-closed");
    open();
    EXPECT_EQ(log_->newest_sequence(), answers.size());
}

TEST_F(TelemetryLogTest, ReadersFollowAWriterThatLetsGo) {
    settings_.bytes_max = 64 * 1024;
    open();
    std::atomic<bool> done{false};
    std::thread reader{[&] {
        std::uint64_t after = 0;
        while (!done || after < log_->newest_sequence()) {
            const auto page = run(log_->read({.after = after})).value();
            for (const auto& record : page.records) {
                EXPECT_TRUE(record.sequence == after + 1 || after + 1 < page.oldest)
                    << record.sequence << " after " << after << ", kept from " << page.oldest;
                EXPECT_EQ(record.telemetry.body.size(), 1'000 + record.sequence % 100);
                after = record.sequence;
            }
            after = std::max(after, page.next);
            const auto last = run(log_->newest({.count = 3})).value();
            EXPECT_LE(last.records.size(), 3U);
            EXPECT_LE(last.next, log_->newest_sequence());
        }
    }};
    for (std::size_t i = 1; i <= 600; ++i) {
        must_append(std::string(1'000 + i % 100, 'x'));
    }
    done = true;
    reader.join();
    EXPECT_GT(read().oldest, 1U);
}

TEST_F(TelemetryLogTest, WhatIsLetGoWhileItIsReadIsNotPassedOver) {
    settings_.bytes_max = 4'000;
    settings_.segment_bytes_max = 1;  // a file for each
    const std::vector<Telemetry> large{a_telemetry(std::string(4'000, 'x'))};
    // What was the newest goes with the one after the next.
    const auto make_room = [&] {
        EXPECT_TRUE(run(log_->append(large)));
        EXPECT_TRUE(run(log_->append(large)));
    };
    open();
    must_append("1");
    must_append("2");
    disk_.on_read = make_room;
    auto page = read();
    EXPECT_EQ(page.oldest, 3U);
    EXPECT_THAT(sequences(page), ElementsAre(3, 4)) << "the first was open, the second gone";
    EXPECT_EQ(page.next, 4U);

    must_append("5");
    must_append("6");
    disk_.on_read = make_room;
    page = newest();
    EXPECT_THAT(bodies(page), ElementsAre("6")) << "5 was gone";
    EXPECT_EQ(page.oldest, 7U);
    EXPECT_EQ(page.next, 6U);
}

// --- Questions ------------------------------------------------------------------------------

TEST_F(TelemetryLogTest, APageHoldsWhatWasAskedFor) {
    for (const auto* body : {"1", "2", "3", "4", "5"}) {
        must_append(body);
    }
    EXPECT_THAT(bodies(read({.count = 2})), ElementsAre("1", "2"));
    EXPECT_EQ(read({.count = 2}).next, 2U);
    EXPECT_THAT(bodies(read({.after = 2, .count = 3})), ElementsAre("3", "4", "5"));
    EXPECT_THAT(bodies(read({.after = 4})), ElementsAre("5"));
    EXPECT_THAT(bodies(read({.after = 5})), IsEmpty());
    EXPECT_EQ(read({.after = 5}).next, 5U);
    EXPECT_EQ(read({.after = UINT64_MAX}).next, UINT64_MAX);
    EXPECT_THAT(bodies(read({.count = 0})), ElementsAre("1")) << "at least one";

    EXPECT_THAT(bodies(newest({.count = 2})), ElementsAre("4", "5"));
    EXPECT_EQ(newest({.count = 2}).next, 5U);
    EXPECT_EQ(newest({.count = 2}).oldest, 1U);
    EXPECT_THAT(bodies(newest({.count = 5})), ElementsAre("1", "2", "3", "4", "5"));
    EXPECT_THAT(bodies(newest({.count = 6})), ElementsAre("1", "2", "3", "4", "5"));
    EXPECT_THAT(bodies(newest({.after = 3, .count = 6})), ElementsAre("4", "5"));
    EXPECT_THAT(bodies(newest({.count = 0})), ElementsAre("5"));
}

TEST_F(TelemetryLogTest, APageHasABound) {
    const std::vector<Telemetry> batch(limits::page_max + 1, a_telemetry("x"));
    ASSERT_TRUE(append(batch));
    EXPECT_EQ(read({.count = limits::page_max + 1}).records.size(), limits::page_max);
    EXPECT_EQ(sequences(newest({.count = limits::page_max + 1})).front(), 2U);
}

TEST_F(TelemetryLogTest, OneDevicesRecordsAreFound) {
    ASSERT_TRUE(
        append({a_telemetry("1", "dev"), a_telemetry("2", "Dev"), a_telemetry("3", "dev"),
                a_telemetry("4", "de"), a_telemetry("5", "dev"), a_telemetry("6", "dev2")}));
    EXPECT_THAT(bodies(read({.device = dev})), ElementsAre("1", "3", "5"));
    EXPECT_EQ(read({.device = dev}).next, 6U) << "all was looked at";
    EXPECT_THAT(bodies(read({.after = 1, .count = 1, .device = dev})), ElementsAre("3"));
    EXPECT_EQ(read({.after = 1, .count = 1, .device = dev}).next, 3U);
    EXPECT_THAT(bodies(newest({.count = 2, .device = dev})), ElementsAre("3", "5"));
    EXPECT_EQ(newest({.count = 2, .device = dev}).next, 6U);
    EXPECT_THAT(bodies(newest({.device = DeviceId::trusted("none")})), IsEmpty());
    EXPECT_THAT(bodies(newest({.after = 3, .device = dev})), ElementsAre("5"));
}

TEST_F(TelemetryLogTest, EveryRecordIsFoundInManyBlocksAndSegments) {
    settings_.segment_bytes_max = 400 * 1024;
    open();
    constexpr std::uint64_t count = 900;
    for (std::uint64_t i = 1; i <= count; i += 3) {
        const std::string body(1'500, 'x');
        ASSERT_TRUE(append({a_telemetry(body + std::to_string(i), i % 300 == 1 ? "rare" : "dev"),
                            a_telemetry(body + std::to_string(i + 1)),
                            a_telemetry(body + std::to_string(i + 2))}));
    }
    EXPECT_GT(files().size(), 3U);
    for (const bool again : {false, true}) {
        for (std::uint64_t after = 0; after <= count; after += 9) {
            const auto page = read({.after = after, .count = 1});
            const auto last = newest({.count = std::max<std::size_t>(after, 1)});
            ASSERT_EQ(last.records.size(), std::max<std::size_t>(after, 1)) << again;
            ASSERT_EQ(last.records.back().sequence, count);
            ASSERT_EQ(last.records.front().sequence, count + 1 - last.records.size());
            if (after < count) {
                ASSERT_EQ(sequences(page), std::vector{after + 1});
                ASSERT_EQ(page.records[0].telemetry.body.substr(1'500), std::to_string(after + 1));
            }
        }
        const DeviceId rare = DeviceId::trusted("rare");
        EXPECT_THAT(sequences(read({.device = rare})), ElementsAre(1, 301, 601));
        EXPECT_THAT(sequences(newest({.count = 2, .device = rare})), ElementsAre(301, 601));
        open();
    }
}

TEST_F(TelemetryLogTest, AQuestionLooksThroughSoMuchAtATime) {
    const std::string body(250'000, 'x');
    ASSERT_TRUE(append(a_telemetry("first", "rare")));
    const std::size_t count = limits::telemetry_look_bytes_max / body.size() + 3;
    for (std::size_t i = 0; i < count; ++i) {
        must_append(body);
    }
    const auto part = read({.count = 1'000});
    EXPECT_LT(part.records.size(), count);
    EXPECT_EQ(part.next, part.records.size());
    EXPECT_EQ(part.records.size() + read({.after = part.next, .count = 1'000}).records.size(),
              count + 1);
    EXPECT_EQ(read({.count = 1'000, .device = dev}).next, part.next);
    const auto last = newest({.count = 1'000});
    EXPECT_LT(last.records.size(), count);
    EXPECT_EQ(last.records.back().sequence, count + 1);
    EXPECT_EQ(bodies(newest({.device = DeviceId::trusted("rare")})),
              std::vector<std::string>{"first"})
        << "a silent device is looked for in all that is kept";
}

// --- Bounds ---------------------------------------------------------------------------------

TEST_F(TelemetryLogTest, OldSegmentsGoForTheBytesOfNewRecords) {
    settings_.bytes_max = 40'000;
    open();
    const std::size_t record = frame_size(a_telemetry(std::string(900, 'x')));
    const std::size_t segment = settings_.bytes_max / 4 + record + segment_header_bytes;
    for (int i = 0; i < 40; ++i) {
        must_append(std::string(900, 'x'));
        ASSERT_EQ(read().oldest, 1U) << i;
    }
    for (int i = 40; i < 200; ++i) {
        must_append(std::string(900, 'x'));
        ASSERT_LE(bytes_on_disk(), settings_.bytes_max);
        ASSERT_GE(bytes_on_disk() + segment + record, settings_.bytes_max) << "and not more";
    }
    const auto page = read({.count = 1000});
    EXPECT_GT(page.oldest, 100U);
    EXPECT_EQ(page.records.front().sequence, page.oldest);
    EXPECT_EQ(page.records.size(), 200 - page.oldest + 1);
    open();
    EXPECT_EQ(read().oldest, page.oldest);
    EXPECT_EQ(log_->newest_sequence(), 200U);
}

TEST_F(TelemetryLogTest, OldSegmentsGoWhenAllTheirRecordsAreOfAge) {
    const TimePoint start = day("2026-05-01");
    const auto age = settings_.age_max;
    const auto at = [&](TimePoint when) { return append(a_telemetry("x", "dev", when)); };
    ASSERT_TRUE(at(start));
    ASSERT_TRUE(at(start + age / limits::telemetry_segments_per_age));
    EXPECT_EQ(files().size(), 1U);
    ASSERT_TRUE(at(start + age / limits::telemetry_segments_per_age + moment));
    EXPECT_EQ(files().size(), 2U) << "a quiet fleet's files end, too";
    const TimePoint last_of_first = start + age / limits::telemetry_segments_per_age;
    ASSERT_TRUE(at(last_of_first + age));
    EXPECT_EQ(read().oldest, 1U);
    ASSERT_TRUE(at(last_of_first + age + moment));
    EXPECT_EQ(read().oldest, 3U);
    EXPECT_EQ(read().records.front().sequence, 3U);
}

TEST_F(TelemetryLogTest, NoSequenceIsUsedTwiceWhenAllWasLetGo) {
    for (int i = 0; i < 5; ++i) {
        must_append("old");
    }
    ASSERT_TRUE(append(a_telemetry("new", "dev", day("2027-01-01"))));
    ASSERT_TRUE(append(a_telemetry("newer", "dev", day("2028-01-01"))));
    EXPECT_EQ(read().oldest, 6U) << "in the segment before the newest";
    ASSERT_TRUE(append(a_telemetry("newest", "dev", day("2028-01-01"))));
    EXPECT_EQ(read().oldest, 7U);
    open();
    EXPECT_EQ(log_->newest_sequence(), 8U);
    must_append("from the past");
    EXPECT_THAT(sequences(read()), ElementsAre(7, 8, 9));
}

}  // namespace
}  // namespace rollcall::store
