// SPDX-License-Identifier: Apache-2.0
#include "store/telemetry_segment.hpp"

#include "base/limits.hpp"
#include "store/crc32.hpp"
#include "store/packed.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace rollcall::store {
namespace {

namespace fs = std::filesystem;

/// Eight characters: what it is, and the format's number.
constexpr std::string_view magic = "rctelem1";
constexpr std::size_t magic_bytes_of_kind = 7;
constexpr std::string_view name_end = ".log";
/// So that names in order are sequences in order.
constexpr std::size_t name_digits = 20;
/// Checksum, length, sequence.
constexpr std::size_t frame_head_bytes = 16;
constexpr std::size_t checksum_bytes = 4;
constexpr std::size_t time_bytes = 8;

std::size_t content_size(const domain::Telemetry& telemetry) {
    return time_bytes + packed_size(telemetry.device.str()) + packed_size(telemetry.properties) +
           telemetry.body.size();
}

}  // namespace

// --- Files ----------------------------------------------------------------------------------

ssize_t SegmentDisk::read(int file, std::span<std::uint8_t> bytes, std::uint64_t at) {
    return ::pread(file, bytes.data(), bytes.size(), static_cast<off_t>(at));
}

ssize_t SegmentDisk::write(int file, ByteView bytes, std::uint64_t at) {
    return ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(at));
}

int SegmentDisk::sync(int file) {
    return ::fdatasync(file);
}

int SegmentDisk::truncate(int file, std::uint64_t size) {
    return ::ftruncate(file, static_cast<off_t>(size));
}

Error segment_error(int number, std::string_view doing) {
    Error error{ErrorKind::unavailable, "the telemetry log cannot read or write its files",
                "storage-failed", std::string{doing}};
    error.note.append(": ").append(std::strerror(number));
    if (number == ENOSPC || number == EDQUOT || number == EFBIG) {
        error.detail = "the disk that holds the telemetry log is full";
        error.reason = "disk-full";
    }
    return error;
}

Result<SegmentFile> SegmentFile::open(const fs::path& path, int flags) {
    constexpr mode_t owner_only = 0600;
    SegmentFile file{::open(path.c_str(), flags | O_CLOEXEC, owner_only)};
    if (!file.is_open()) {
        return segment_error(errno, "open " + path.string());
    }
    return file;
}

SegmentFile::SegmentFile(SegmentFile&& other) noexcept
    : number_(std::exchange(other.number_, -1)) {}

SegmentFile& SegmentFile::operator=(SegmentFile&& other) noexcept {
    if (this != &other) {
        close();
        number_ = std::exchange(other.number_, -1);
    }
    return *this;
}

void SegmentFile::close() {
    if (is_open()) {
        ::close(std::exchange(number_, -1));
    }
}

Result<std::uint64_t> SegmentFile::size() const {
    struct stat status {};
    if (::fstat(number_, &status) != 0) {
        return segment_error(errno, "fstat");
    }
    return static_cast<std::uint64_t>(status.st_size);
}

Result<Done> SegmentFile::read(SegmentDisk& disk, Bytes& bytes, std::uint64_t at,
                               std::size_t size) const {
    bytes.resize(size);
    std::size_t done = 0;
    while (done < size) {
        const ssize_t count = disk.read(number_, std::span{bytes}.subspan(done), at + done);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return segment_error(errno, "read");
        }
        if (count == 0) {
            break;
        }
        done += static_cast<std::size_t>(count);
    }
    bytes.resize(done);
    return Done{};
}

fs::path segment_path(const fs::path& directory, std::uint64_t first) {
    std::string digits = std::to_string(first);
    digits.insert(0, name_digits - digits.size(), '0');
    return directory / digits.append(name_end);
}

Result<std::vector<std::uint64_t>> list_segments(const fs::path& directory) {
    std::vector<std::uint64_t> firsts;
    std::error_code error;
    for (fs::directory_iterator each{directory, error}, end; !error && each != end;
         each.increment(error)) {
        const std::string name = each->path().filename().string();
        std::uint64_t first = 0;
        const auto* const digits_end = name.data() + std::min(name.size(), name_digits);
        const auto [stop, bad] = std::from_chars(name.data(), digits_end, first);
        if (name.size() == name_digits + name_end.size() && name.ends_with(name_end) &&
            bad == std::errc{} && stop == digits_end && first > 0) {
            firsts.push_back(first);
        }
    }
    if (error) {
        return segment_error(error.value(), "list " + directory.string());
    }
    std::sort(firsts.begin(), firsts.end());
    return firsts;
}

// --- Records --------------------------------------------------------------------------------

Bytes segment_header(std::uint64_t first) {
    Bytes bytes;
    Packer packer{bytes};
    packer.rest(magic);
    packer.number64(first);
    packer.number32(crc32(bytes));
    return bytes;
}

std::size_t frame_size(const domain::Telemetry& telemetry) {
    return frame_head_bytes + content_size(telemetry);
}

void append_frame(Bytes& bytes, std::uint64_t sequence, const domain::Telemetry& telemetry) {
    const std::size_t begin = bytes.size();
    Packer packer{bytes};
    packer.number32(0);  // the checksum's place
    packer.number32(static_cast<std::uint32_t>(content_size(telemetry)));
    packer.number64(sequence);
    packer.number64(static_cast<std::uint64_t>(telemetry.at.time_since_epoch().count()));
    packer.text(telemetry.device.str());
    packer.properties(telemetry.properties);
    packer.rest(telemetry.body);
    const std::uint32_t checksum = crc32(ByteView{bytes}.subspan(begin + checksum_bytes));
    for (std::size_t i = 0; i < checksum_bytes; ++i) {
        bytes[begin + i] = static_cast<std::uint8_t>(checksum >> (8 * i));
    }
}

std::optional<Frame> parse_frame(ByteView bytes, std::uint64_t sequence) {
    Unpacker head{bytes};
    Frame frame;
    frame.checksum = head.number32();
    const std::size_t length = head.number32();
    const bool right = head.number64() == sequence && head.sound();
    frame.size = frame_head_bytes + length;
    if (!right || frame.size < frame_bytes_min || frame.size > limits::telemetry_record_bytes_max ||
        frame.size > bytes.size()) {
        return std::nullopt;
    }
    frame.checked = bytes.subspan(checksum_bytes, frame.size - checksum_bytes);
    frame.content = bytes.subspan(frame_head_bytes, length);
    return frame;
}

bool Frame::intact() const {
    return crc32(checked) == checksum;
}

TimePoint Frame::at() const {
    const auto micros = static_cast<std::int64_t>(Unpacker{content}.number64());
    return TimePoint{std::chrono::microseconds{micros}};
}

bool Frame::is_of(const DeviceId& device) const {
    Unpacker unpacker{content.subspan(time_bytes)};
    const std::uint64_t length = unpacker.count();
    const std::size_t begin = time_bytes + packed_size(device.str()) - device.str().size();
    return length == device.str().size() && begin + length <= content.size() &&
           as_text(content.subspan(begin, length)) == device.str();
}

std::optional<domain::Telemetry> Frame::telemetry() const {
    Unpacker unpacker{content.subspan(time_bytes)};
    domain::Telemetry telemetry;
    telemetry.at = at();
    telemetry.device = DeviceId::trusted(unpacker.text());
    telemetry.properties = unpacker.properties();
    telemetry.body = unpacker.rest();
    return unpacker.complete() ? std::optional{std::move(telemetry)} : std::nullopt;
}

// --- What a file holds ----------------------------------------------------------------------

namespace {

/// Remembers where a record begins if that is far enough from the last mark.
void keep_mark(std::vector<SegmentMark>& marks, const SegmentMark& mark) {
    if (marks.empty() || mark.offset - marks.back().offset >= segment_mark_distance) {
        marks.push_back(mark);
    }
}

}  // namespace

void Segment::take(TimePoint at, std::size_t size) {
    keep_mark(marks, {next(), end});
    oldest = records == 0 ? at : std::min(oldest, at);
    newest = records == 0 ? at : std::max(newest, at);
    ++records;
    end += size;
}

void Segment::extend(const Segment& more) {
    for (const auto& mark : more.marks) {
        keep_mark(marks, {mark.sequence, mark.offset + end});
    }
    oldest = records == 0 ? more.oldest : std::min(oldest, more.oldest);
    newest = records == 0 ? more.newest : std::max(newest, more.newest);
    records += more.records;
    end += more.end;
}

namespace {

/// Read at a time; more than the largest record.
constexpr std::size_t scan_bytes = 1024 * 1024;
static_assert(scan_bytes > limits::telemetry_record_bytes_max);

/// Whole, of our kind, but with another number.
bool is_of_another_format(ByteView header) {
    const std::string_view text = as_text(header);
    if (header.size() != segment_header_bytes || text.starts_with(magic) ||
        !text.starts_with(magic.substr(0, magic_bytes_of_kind))) {
        return false;
    }
    constexpr std::size_t checked = segment_header_bytes - checksum_bytes;
    return Unpacker{header.subspan(checked)}.number32() == crc32(header.first(checked));
}

/// Counts the sound records at the beginning of `bytes`, which lie at the segment's end.
void take_records(Segment& segment, ByteView bytes) {
    while (const auto frame = parse_frame(bytes, segment.next())) {
        if (!frame->intact()) {
            return;
        }
        segment.take(frame->at(), frame->size);
        bytes = bytes.subspan(frame->size);
    }
}

}  // namespace

Result<Segment> scan_segment(SegmentDisk& disk, const fs::path& path, std::uint64_t first) {
    TRY(const auto file, SegmentFile::open(path, O_RDONLY));
    TRY(const std::uint64_t size, file.size());
    Segment segment;
    segment.first = first;
    Bytes bytes;
    TRY([[maybe_unused]] const auto head, file.read(disk, bytes, 0, segment_header_bytes));
    if (bytes != segment_header(first)) {
        if (is_of_another_format(bytes)) {
            return Error{ErrorKind::unsupported,
                         path.string() + ": written by another version of this program",
                         "telemetry-format"};
        }
        segment.beyond = size;
        return segment;
    }
    segment.end = segment_header_bytes;
    std::uint64_t before = 0;
    while (segment.end > before) {
        before = segment.end;
        TRY([[maybe_unused]] const auto more, file.read(disk, bytes, segment.end, scan_bytes));
        take_records(segment, bytes);
    }
    segment.beyond = size - segment.end;
    return segment;
}

}  // namespace rollcall::store
