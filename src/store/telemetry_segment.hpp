// SPDX-License-Identifier: Apache-2.0
// One file of the telemetry log: a header, then records whose sequences follow each other without
// gaps from the one that is in the file's name. Each record says its length and its sequence and
// has a checksum over both and itself. Used by telemetry_writer (which appends) and telemetry_log
// (which reads).
#pragma once

#include "base/bytes.hpp"
#include "domain/twin.hpp"

#include <filesystem>
#include <optional>
#include <span>
#include <sys/types.h>
#include <vector>

namespace rollcall::store {

// --- Files ----------------------------------------------------------------------------------

/// The calls that bring a segment to the disk and back; a test gives one that fails.
class SegmentDisk {
public:
    virtual ~SegmentDisk() = default;
    /// As pread(2), pwrite(2), fdatasync(2) and ftruncate(2).
    virtual ssize_t read(int file, std::span<std::uint8_t> bytes, std::uint64_t at);
    virtual ssize_t write(int file, ByteView bytes, std::uint64_t at);
    virtual int sync(int file);
    virtual int truncate(int file, std::uint64_t size);
};

/// An open file that closes itself.
class SegmentFile {
public:
    SegmentFile() = default;
    /// `flags` as open(2) takes them; made 0600.
    static Result<SegmentFile> open(const std::filesystem::path& path, int flags);
    SegmentFile(SegmentFile&& other) noexcept;
    SegmentFile& operator=(SegmentFile&& other) noexcept;
    ~SegmentFile() { close(); }

    bool is_open() const { return number_ >= 0; }
    int number() const { return number_; }
    void close();
    Result<std::uint64_t> size() const;
    /// Fewer bytes only where the file ends.
    Result<Done> read(SegmentDisk& disk, Bytes& bytes, std::uint64_t at, std::size_t size) const;

private:
    explicit SegmentFile(int number) : number_(number) {}
    int number_ = -1;
};

/// What a failed call means to a caller: unavailable, "disk-full" or "storage-failed".
Error segment_error(int number, std::string_view doing);

std::filesystem::path segment_path(const std::filesystem::path& directory, std::uint64_t first);
/// The first sequences that the files are named by, in order. Other files are left alone.
Result<std::vector<std::uint64_t>> list_segments(const std::filesystem::path& directory);

// --- Records --------------------------------------------------------------------------------

inline constexpr std::size_t segment_header_bytes = 20;
Bytes segment_header(std::uint64_t first);

/// What a record takes in the file; the smallest one does frame_bytes_min.
std::size_t frame_size(const domain::Telemetry& telemetry);
inline constexpr std::size_t frame_bytes_min = 26;
void append_frame(Bytes& bytes, std::uint64_t sequence, const domain::Telemetry& telemetry);

/// A record as it lies in the file.
struct Frame {
    std::uint32_t checksum = 0;
    ByteView checked;  ///< what the checksum is over
    ByteView content;
    std::size_t size = 0;  ///< all of it

    /// Is it what was written? Before that only its length and sequence are known to be likely.
    bool intact() const;
    TimePoint at() const;
    bool is_of(const DeviceId& device) const;
    /// Of an intact one; none where it holds something else all the same.
    std::optional<domain::Telemetry> telemetry() const;
};
/// The frame at the beginning of `bytes`; none where it ends early or is not that of `sequence`.
std::optional<Frame> parse_frame(ByteView bytes, std::uint64_t sequence);

// --- What a file holds ----------------------------------------------------------------------

/// Where a record begins.
struct SegmentMark {
    std::uint64_t sequence = 0;
    std::uint64_t offset = 0;

    bool operator==(const SegmentMark&) const = default;
};
/// Marks are about this far apart: what a reader of one record looks through.
inline constexpr std::uint64_t segment_mark_distance = 64 * 1024;

struct Segment {
    std::uint64_t first = 1;
    std::uint64_t records = 0;
    std::uint64_t end = 0;     ///< where the next record goes
    std::uint64_t beyond = 0;  ///< bytes after `end` that cannot be read; they take room
    TimePoint oldest{};
    TimePoint newest{};
    std::vector<SegmentMark> marks{};

    /// The sequence after the last.
    std::uint64_t next() const { return first + records; }
    /// One more record, of so many bytes.
    void take(TimePoint at, std::size_t size);
    /// Those of `more`, a piece that was counted from `end` 0 on.
    void extend(const Segment& more);
};
/// Reads the whole file and checks every record. What is behind a damaged one is `beyond`; where
/// the header is, that is everything, and `end` is 0. `unsupported` for a file of another format.
Result<Segment> scan_segment(SegmentDisk& disk, const std::filesystem::path& path,
                             std::uint64_t first);

}  // namespace rollcall::store
