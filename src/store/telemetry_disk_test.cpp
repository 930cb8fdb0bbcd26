// SPDX-License-Identifier: Apache-2.0
// How a telemetry log meets torn and damaged files, full disks and failing ones.
#include "store/crc32.hpp"
#include "support/telemetry_logs.hpp"

#include <fstream>

#include <gmock/gmock.h>

namespace rollcall::store {
namespace {

using namespace rollcall::test;
using domain::Telemetry;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace fs = std::filesystem;

class TelemetryDisk : public TelemetryLogs {
protected:
    static std::string content_of(const fs::path& file) {
        std::ifstream stream{file, std::ios::binary};
        return {std::istreambuf_iterator<char>{stream}, {}};
    }
    static void fill(const fs::path& file, const std::string& content) {
        std::ofstream{file, std::ios::binary | std::ios::trunc} << content;
    }
    static std::string flipped(std::string content, std::size_t at) {
        content[at] = static_cast<char>(content[at] ^ 0x10);
        return content;
    }
    /// The log is closed and its directory holds one file with that content.
    void only(const fs::path& file, const std::string& content) {
        log_.reset();
        for (const auto& each : files()) {
            fs::remove(each);
        }
        fill(file, content);
    }
};

// --- Files that are not whole ---------------------------------------------------------------

TEST_F(TelemetryDisk, ATornEndIsCutOffWhereverItIs) {
    open();
    must_append("one");
    must_append("two");
    const std::size_t good = bytes_on_disk();
    must_append("three");
    log_.reset();
    const fs::path file = files().front();
    const std::string whole = content_of(file);
    for (std::size_t size = good; size < whole.size(); ++size) {
        only(file, whole.substr(0, size));
        open();
        ASSERT_THAT(bodies(read()), ElementsAre("one", "two")) << size;
        ASSERT_EQ(log_->newest_sequence(), 2U);
        ASSERT_EQ(fs::file_size(file), good);
        must_append("four");
        ASSERT_GE(read().records.back().sequence, 3U);
        open();
        ASSERT_THAT(bodies(read()), ElementsAre("one", "two", "four")) << size;
    }
    only(file, whole);
    open();
    EXPECT_THAT(bodies(read()), ElementsAre("one", "two", "three"));
    only(file, whole + std::string(5'000, '\0'));
    open();
    EXPECT_THAT(bodies(read()), ElementsAre("one", "two", "three")) << "a hole at the end";
    EXPECT_EQ(fs::file_size(file), whole.size());
}

TEST_F(TelemetryDisk, AHeaderThatIsNotWholeHidesNothingThatWasAcknowledged) {
    open();
    must_append("one");
    log_.reset();
    const auto second = segment_path(settings_.directory, 2);
    const Bytes header = segment_header(2);
    for (std::size_t size = 0; size < header.size(); ++size) {
        fill(second, std::string{as_text(header).substr(0, size)});
        open();
        EXPECT_THAT(bodies(read()), ElementsAre("one")) << size;
        must_append("two");
        EXPECT_THAT(bodies(read()), ElementsAre("one", "two")) << size;
        log_.reset();
        for (const auto& file : files()) {
            if (file != segment_path(settings_.directory, 1)) {
                fs::remove(file);
            }
        }
    }
}

TEST_F(TelemetryDisk, AFlippedByteHidesItsRecordAndNoSequenceIsUsedTwice) {
    open();
    must_append("one");
    const std::size_t begin = bytes_on_disk();
    must_append("two");
    const std::size_t end = bytes_on_disk();
    must_append("three");
    log_.reset();
    const fs::path file = files().front();
    const std::string whole = content_of(file);
    for (std::size_t at = begin; at < end; ++at) {
        only(file, flipped(whole, at));
        open();
        ASSERT_THAT(bodies(read()), ElementsAre("one")) << at;
        ASSERT_EQ(log_->newest_sequence(), 1U);
        must_append("four");
        ASSERT_GT(read().records.back().sequence, 3U) << "a reader may have seen the third";
        open();
        must_append("five");
        ASSERT_THAT(bodies(read()), ElementsAre("one", "four", "five")) << at;
    }
}

TEST_F(TelemetryDisk, DamageInTheMiddleLeavesTheNextSegmentsAlone) {
    settings_.segment_bytes_max = 1;  // a file for each
    open();
    must_append("one");
    ASSERT_TRUE(append({a_telemetry("two"), a_telemetry("three"), a_telemetry("four")}));
    must_append("five");
    log_.reset();
    const auto file = segment_path(settings_.directory, 2);
    const std::string whole = content_of(file);
    const std::size_t third = segment_header_bytes + frame_size(a_telemetry("two"));
    for (std::size_t at = 0; at < whole.size(); ++at) {
        // As the log is opened.
        const std::string damaged = flipped(whole, at);
        fill(file, damaged);
        open();
        const bool two_is_there = at >= third;
        const bool three_is_there = at >= third + frame_size(a_telemetry("three"));
        std::vector<std::string> left{"one", "two", "three", "five"};
        if (!three_is_there) {
            left.erase(left.begin() + 2);
        }
        if (!two_is_there) {
            left.erase(left.begin() + 1);
        }
        ASSERT_EQ(bodies(read()), left) << at;
        ASSERT_EQ(bodies(newest()), left) << at;
        ASSERT_EQ(log_->newest_sequence(), 5U);
        ASSERT_EQ(content_of(file), damaged) << "what is left stays as it is";
        // While it is open.
        fill(file, whole);
        open();
        fill(file, damaged);
        if (at >= segment_header_bytes) {
            ASSERT_EQ(bodies(read()), left) << at;
            ASSERT_EQ(bodies(newest()), left) << at;
            ASSERT_EQ(read().next, 5U);
        }
    }
    fill(file, whole);
    open();
    fs::remove(file);
    EXPECT_THAT(bodies(read()), ElementsAre("one", "five")) << "a file that somebody removed";
    EXPECT_THAT(bodies(newest()), ElementsAre("one", "five"));
}

TEST_F(TelemetryDisk, ADamagedHeaderOfTheNewestSegmentHidesItWhole) {
    open();
    must_append("one");
    must_append("two");
    log_.reset();
    const fs::path file = files().front();
    fill(file, flipped(content_of(file), 9));
    open();
    EXPECT_THAT(read().records, IsEmpty());
    EXPECT_EQ(log_->newest_sequence(), 0U);
    must_append("three");
    EXPECT_GT(read().records.front().sequence, 2U);
    open();
    EXPECT_THAT(bodies(read()), ElementsAre("three"));
}

TEST_F(TelemetryDisk, AnotherFormatIsRefusedAndOtherFilesAreLeftAlone) {
    open();
    must_append("one");
    log_.reset();
    fill(settings_.directory / "notes.txt", "mine");
    fill(settings_.directory / "0000000000000000000x.log", "mine");
    open();
    EXPECT_THAT(bodies(read()), ElementsAre("one"));
    EXPECT_EQ(files().size(), 3U);
    log_.reset();

    const auto file = segment_path(settings_.directory, 1);
    std::string content = content_of(file);
    content[7] = '2';
    fill(file, content);
    open();
    EXPECT_THAT(read().records, IsEmpty()) << "its checksum is wrong: damage";
    log_.reset();
    Bytes header = segment_header(1);
    header[7] = '2';
    const std::uint32_t sum = crc32(ByteView{header}.first(segment_header_bytes - 4));
    for (std::size_t i = 0; i < 4; ++i) {
        header[segment_header_bytes - 4 + i] = static_cast<std::uint8_t>(sum >> (8 * i));
    }
    fill(file, std::string{as_text(header)});
    EXPECT_EQ(TelemetryLog::open(settings_, metrics_).error().reason, "telemetry-format");
}

// --- Disks that refuse ----------------------------------------------------------------------

TEST_F(TelemetryDisk, WhatCannotBeReadIsSaid) {
    open();
    must_append("one");
    disk_.reads_fail = true;
    EXPECT_EQ(run(log_->read({})).error().kind, ErrorKind::unavailable);
    EXPECT_EQ(run(log_->newest({})).error().reason, "storage-failed");
    log_.reset();
    EXPECT_EQ(TelemetryLog::open(settings_, metrics_).error().reason, "storage-failed");
    disk_.reads_fail = false;
    open();
    EXPECT_THAT(bodies(read()), ElementsAre("one"));
}

TEST_F(TelemetryDisk, AFullDiskRefusesEveryCallerAndLeavesNoHalfRecord) {
    open();
    must_append("one");
    const auto size = static_cast<std::int64_t>(frame_size(a_telemetry("two")));
    const std::vector<Telemetry> batch{a_telemetry("two")};
    for (std::int64_t room = 0; room < 2 * size; ++room) {
        disk_.bytes_left = room;
        std::vector<Task<Result<Done>>> tasks;
        tasks.push_back(log_->append(batch));
        tasks.push_back(log_->append(batch));
        for (const auto& answer : run_together(std::move(tasks))) {
            ASSERT_FALSE(answer);
            ASSERT_EQ(answer.error().kind, ErrorKind::unavailable);
            ASSERT_EQ(answer.error().reason, "disk-full");
        }
        ASSERT_THAT(bodies(read()), ElementsAre("one"));
    }
    EXPECT_EQ(files().size(), 1U);
    EXPECT_THAT(metrics_.text(),
                HasSubstr("rollcall_telemetry_failures_total " + std::to_string(4 * size)));
    disk_.bytes_left = 2 * size;
    ASSERT_TRUE(append({a_telemetry("two"), a_telemetry("thr")})) << "it fits";
    disk_.bytes_left = -1;
    EXPECT_THAT(sequences(read()), ElementsAre(1, 2, 3)) << "without gaps";
    open();
    EXPECT_THAT(bodies(read()), ElementsAre("one", "two", "thr"));
}

TEST_F(TelemetryDisk, AFileThatCannotBeCutBackIsLeft) {
    open();
    must_append("one");
    disk_.bytes_left = 30;
    disk_.truncates_fail = true;
    EXPECT_EQ(append(a_telemetry("refused")).error().reason, "disk-full");
    disk_.bytes_left = 0;
    EXPECT_FALSE(append(a_telemetry("refused"))) << "no new file either";
    EXPECT_FALSE(append(a_telemetry("refused")));
    EXPECT_EQ(files().size(), 1U);
    disk_.bytes_left = -1;
    must_append("two");
    EXPECT_EQ(files().size(), 2U);
    EXPECT_THAT(bodies(read()), ElementsAre("one", "two"));
    EXPECT_EQ(log_->newest_sequence(), 3U) << "the second may stand in the first file";
    open();
    EXPECT_THAT(bodies(read()), ElementsAre("one", "two"));
}

TEST_F(TelemetryDisk, AfterAFailedSyncANewFileBegins) {
    open();
    must_append("one");
    const fs::path first = files().front();
    for (const bool truncates_fail : {false, true}) {
        disk_.truncates_fail = truncates_fail;
        disk_.syncs_fail = true;
        for (int i = 0; i < 3; ++i) {
            const auto refused = append(a_telemetry("refused"));
            ASSERT_EQ(refused.error().reason, "storage-failed");
            ASSERT_EQ(refused.error().kind, ErrorKind::unavailable);
        }
        disk_.syncs_fail = false;
        must_append(truncates_fail ? "three" : "two");
    }
    EXPECT_THAT(bodies(read()), ElementsAre("one", "two", "three"));
    EXPECT_THAT(sequences(read()), ElementsAre(1, 3, 5)) << "what was refused took its sequence";
    EXPECT_EQ(files().size(), 3U);
    EXPECT_NE(files().back(), first);
    open();
    const auto page = read();
    EXPECT_EQ(page.records.front().sequence, 1U);
    EXPECT_EQ(page.records.back().sequence, 5U);
    EXPECT_EQ(log_->newest_sequence(), 5U);
}

TEST_F(TelemetryDisk, EmptyFilesDoNotPileUp) {
    open();
    disk_.truncates_fail = true;
    for (int i = 0; i < 10; ++i) {
        disk_.bytes_left = segment_header_bytes + 5;
        EXPECT_FALSE(append(a_telemetry("refused")));
        EXPECT_LE(files().size(), 1U);
    }
    disk_.bytes_left = -1;
    must_append("one");
    EXPECT_EQ(files().size(), 1U);
    EXPECT_THAT(bodies(read()), ElementsAre("one"));
    EXPECT_EQ(read().oldest, log_->newest_sequence());
}

TEST_F(TelemetryDisk, ALogThatOpensOnAFailingDiskWorksOnceItDoes) {
    open();
    must_append("one");
    disk_.syncs_fail = true;
    open();
    EXPECT_THAT(bodies(read()), ElementsAre("one"));
    EXPECT_FALSE(append(a_telemetry("refused")));
    disk_.syncs_fail = false;
    must_append("two");
    EXPECT_THAT(sequences(read()), ElementsAre(1, 2));
    log_.reset();

    // Also where the end is torn: nothing is cut before a new file keeps the next sequence.
    const fs::path last = files().back();
    fill(last, content_of(last) + "torn");
    disk_.bytes_left = 0;
    open();
    EXPECT_THAT(bodies(read()), ElementsAre("one", "two"));
    EXPECT_THAT(content_of(last), ::testing::EndsWith("torn"));
    EXPECT_FALSE(append(a_telemetry("refused")));
    disk_.bytes_left = -1;
    must_append("three");
    EXPECT_THAT(sequences(read()), ElementsAre(1, 2, 4));
    open();
    EXPECT_THAT(bodies(read()), ElementsAre("one", "two", "three"));
}

}  // namespace
}  // namespace rollcall::store
