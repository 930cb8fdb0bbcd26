// SPDX-License-Identifier: Apache-2.0
// The writing half of the telemetry log: brings groups of records to the disk, each with one write
// and one sync. Lives on the log's writer thread.
//
// After a write that failed the file is cut back to its last good record, so that no half record
// stands before acknowledged ones. After a sync that failed nobody knows what of the file is on the
// disk: it is left as it is, the sequences that may stand in it are not used again, and a new
// segment begins.
#pragma once

#include "base/telemetry.hpp"
#include "store/telemetry_catalogue.hpp"

#include <chrono>
#include <filesystem>
#include <span>

namespace rollcall::store {

class TelemetryWriter {
public:
    struct Settings {
        std::filesystem::path directory{};
        std::uint64_t bytes_max = 0;
        std::uint64_t segment_bytes_max = 0;
        std::chrono::microseconds age_max{};
        SegmentDisk* disk = nullptr;
    };
    /// One caller's records and, after the group, what became of them.
    struct Entry {
        std::span<const domain::Telemetry> batch;
        std::optional<Result<Done>>& answer;
    };

    /// `catalogue` outlives this. `next`: a sequence greater than all that were ever used.
    TelemetryWriter(Settings settings, TelemetryCatalogue& catalogue, std::uint64_t next,
                    Metrics& metrics);

    /// Brings the newest segment to the disk, which was written by a process that may have ended
    /// before it did. It is not written on: that process may have met a sync that failed.
    Result<Done> settle(const Segment& newest);
    /// Begins a segment whose name says the next sequence. It and its name are on the disk when
    /// this returns.
    Result<Done> begin_segment();
    /// Answers every entry; granted records are durable and in the catalogue.
    void write(std::span<const Entry> group);

private:
    void encode(std::span<const Entry> group);
    Result<Done> carry_out();
    void let_go();
    bool segment_is_over() const;
    Result<Done> put();
    void abandon();
    void tell(const Result<Done>& written, std::size_t entries);

    const Settings settings_;
    TelemetryCatalogue& catalogue_;
    std::uint64_t next_;
    SegmentFile file_{};         ///< closed: a new segment must begin
    std::uint64_t end_ = 0;      ///< of the file's good records
    std::uint64_t records_ = 0;  ///< in the file
    TimePoint oldest_{};         ///< of those
    Bytes buffer_{};
    Segment group_{};       ///< what is in the buffer
    bool failing_ = false;  ///< was said in the log already

    Counter& messages_;
    Counter& bytes_;
    Counter& failures_;
};

}  // namespace rollcall::store
