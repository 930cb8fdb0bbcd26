// SPDX-License-Identifier: Apache-2.0
// TelemetryLog: what devices sent lately, in files on this machine's disk, bounded by bytes and by
// age. Both seams of telemetry.hpp. Whatever waits when the writer is free is written together and
// synced once; readers look at durable records only, on a lane of the log. Made by app, given to
// the hub as a Sink and to the operator's door as a TelemetryReader.
//
// The directory holds segments (telemetry_segment.hpp). The newest one stays for ever, so that the
// next sequence is known however old the records are. A reopened log checks every record: of the
// newest segment a torn end is cut off, a damaged place elsewhere hides what follows it in its
// segment. Its first record begins a new segment.
#pragma once

#include "base/limits.hpp"
#include "base/telemetry.hpp"
#include "store/group_queue.hpp"
#include "store/telemetry_blocks.hpp"
#include "store/telemetry_writer.hpp"

#include <memory>
#include <thread>

namespace rollcall::store {

class TelemetryLog final : public Sink, public TelemetryReader {
public:
    struct Settings {
        std::filesystem::path directory{};  ///< made where it is missing, 0700
        /// Old segments go before the log gets larger, and when all their records are this much
        /// older than the newest. A quarter of `bytes_max` is the most a segment grows to.
        std::uint64_t bytes_max = limits::telemetry_bytes_max;
        std::chrono::microseconds age_max = limits::telemetry_age_max;
        std::uint64_t segment_bytes_max = limits::telemetry_segment_bytes_max;
        std::size_t queue_bytes_max = limits::telemetry_queue_bytes_max;
        SegmentDisk* disk = nullptr;  ///< outlives the log; none: the machine's
    };
    /// Reads what is there. unavailable where the system refuses, unsupported ("telemetry-format")
    /// for another version's files; damaged records are said in the log and are no error.
    static Result<std::unique_ptr<TelemetryLog>> open(const Settings& settings, Metrics& metrics);
    ~TelemetryLog() override;

    /// Carries out what waits and ends the log's threads. After the last question, before the
    /// io_contexts of the callers die; also done by the destructor.
    void close();

    /// Of what waits, for metrics.
    std::size_t bytes_waiting() const { return queue_->waiting(); }

    // --- Sink ---
    /// unavailable "telemetry-full" beyond the queue's bound, "telemetry-closed", "disk-full",
    /// "storage-failed"; too_large ("telemetry-too-large") above
    /// limits::telemetry_record_bytes_max, as frame_size() counts.
    Task<Result<Done>> append(std::span<const domain::Telemetry> batch) override;

    // --- TelemetryReader ---
    /// A page may hold fewer records than asked for, or none, though more follow: one question
    /// looks through limits::telemetry_look_bytes_max. At the end `next` is newest_sequence().
    Task<Result<TelemetryPage>> read(const TelemetryQuery& query) override;
    Task<Result<TelemetryPage>> newest(const TelemetryQuery& query) override;
    std::uint64_t newest_sequence() const override { return catalogue_.newest(); }

private:
    using Queue = GroupQueue<TelemetryWriter::Entry>;
    struct Backward;

    TelemetryLog(const Settings& settings, std::deque<Segment> found, std::uint64_t next,
                 Metrics& metrics);
    void go_on(const std::optional<Segment>& newest);
    void run();
    Result<std::optional<TelemetryBlocks::Records>> read_block(
        TelemetryBlocks& blocks, const TelemetryCatalogue::Block& block, std::uint64_t after,
        const TelemetryQuery& query);
    Result<TelemetryPage> read_now(const TelemetryQuery& query);
    Result<std::optional<TelemetryPage>> try_to_read(const TelemetryQuery& query);
    Result<bool> look_back(const TelemetryQuery& query, Backward& backward);

    const std::filesystem::path directory_;
    SegmentDisk& disk_;
    TelemetryCatalogue catalogue_;
    TelemetryWriter writer_;
    std::shared_ptr<Queue> queue_;
    Lane lane_{1};
    std::atomic<bool> closed_{false};
    std::thread thread_;
};

}  // namespace rollcall::store
