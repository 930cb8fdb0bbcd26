// SPDX-License-Identifier: Apache-2.0
// Telemetry logs for tests: records, and a disk that fails or waits when told.
#pragma once

#include "store/telemetry_log.hpp"
#include "support/full_records.hpp"
#include "support/run_task.hpp"
#include "support/scratch_directory.hpp"

#include <cerrno>
#include <functional>
#include <mutex>

#include <gtest/gtest.h>

namespace rollcall::test {

class FaultyDisk final : public store::SegmentDisk {
public:
    ssize_t read(int file, std::span<std::uint8_t> bytes, std::uint64_t at) override {
        if (on_read) {
            std::exchange(on_read, nullptr)();
        }
        if (reads_fail) {
            errno = EIO;
            return -1;
        }
        return SegmentDisk::read(file, bytes, at);
    }
    ssize_t write(int file, ByteView bytes, std::uint64_t at) override {
        ++writes;
        const std::scoped_lock held{gate};
        if (bytes_left >= 0) {
            if (bytes_left == 0) {
                errno = ENOSPC;
                return -1;
            }
            bytes = bytes.first(std::min(bytes.size(), static_cast<std::size_t>(bytes_left)));
            bytes_left -= static_cast<std::int64_t>(bytes.size());
        }
        return SegmentDisk::write(file, bytes, at);
    }
    int sync(int file) override {
        ++syncs;
        if (syncs_fail) {
            errno = EIO;
            return -1;
        }
        return SegmentDisk::sync(file);
    }
    int truncate(int file, std::uint64_t size) override {
        if (truncates_fail) {
            errno = EIO;
            return -1;
        }
        return SegmentDisk::truncate(file, size);
    }

    std::atomic<int> writes{0};
    std::atomic<int> syncs{0};
    std::atomic<std::int64_t> bytes_left{-1};  ///< on the disk; -1: enough
    std::function<void()> on_read{};           ///< once, before the next read
    std::atomic<bool> reads_fail{false};
    std::atomic<bool> syncs_fail{false};
    std::atomic<bool> truncates_fail{false};
    std::mutex gate{};  ///< held: writes wait
};

inline domain::Telemetry a_telemetry(const std::string& body, const std::string& device = "dev",
                                     TimePoint at = day("2026-05-01")) {
    return {.device = DeviceId::trusted(device),
            .at = at,
            .properties = {{"$.mid", "1"}, {"null", "", true}},
            .body = body};
}

class TelemetryLogs : public ::testing::Test {
protected:
    TelemetryLogs() {
        settings_.directory = scratch_.path() / "telemetry";
        settings_.disk = &disk_;
    }
    void open() {
        log_.reset();
        auto opened = store::TelemetryLog::open(settings_, metrics_);
        ASSERT_TRUE(opened) << opened.error().detail << opened.error().note;
        log_ = *std::move(opened);
    }

    Result<Done> append(const std::vector<domain::Telemetry>& batch) {
        return run(log_->append(batch));
    }
    Result<Done> append(const domain::Telemetry& one) { return append(std::vector{one}); }
    void must_append(const std::string& body) {
        const auto done = append(a_telemetry(body));
        ASSERT_TRUE(done) << done.error().note;
    }
    store::TelemetryPage read(const store::TelemetryQuery& query = {}) {
        return run(log_->read(query)).value();
    }
    store::TelemetryPage newest(const store::TelemetryQuery& query = {}) {
        return run(log_->newest(query)).value();
    }
    static std::vector<std::string> bodies(const store::TelemetryPage& page) {
        std::vector<std::string> found;
        for (const auto& record : page.records) {
            found.push_back(record.telemetry.body);
        }
        return found;
    }
    static std::vector<std::uint64_t> sequences(const store::TelemetryPage& page) {
        std::vector<std::uint64_t> found;
        for (const auto& record : page.records) {
            found.push_back(record.sequence);
        }
        return found;
    }
    /// The log's files, oldest first.
    std::vector<std::filesystem::path> files() const {
        std::vector<std::filesystem::path> found;
        for (const auto& each : std::filesystem::directory_iterator{settings_.directory}) {
            found.push_back(each.path());
        }
        std::sort(found.begin(), found.end());
        return found;
    }
    std::uint64_t bytes_on_disk() const {
        std::uint64_t bytes = 0;
        for (const auto& file : files()) {
            bytes += std::filesystem::file_size(file);
        }
        return bytes;
    }

    ScratchDirectory scratch_;
    Metrics metrics_;
    FaultyDisk disk_;
    store::TelemetryLog::Settings settings_;
    std::unique_ptr<store::TelemetryLog> log_;
};

}  // namespace rollcall::test
