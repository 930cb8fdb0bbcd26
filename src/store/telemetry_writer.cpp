// SPDX-License-Identifier: Apache-2.0
#include "store/telemetry_writer.hpp"

#include "base/files.hpp"
#include "base/limits.hpp"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace rollcall::store {

TelemetryWriter::TelemetryWriter(Settings settings, TelemetryCatalogue& catalogue,
                                 std::uint64_t next, Metrics& metrics)
    : settings_(std::move(settings)),
      catalogue_(catalogue),
      next_(next),
      messages_(metrics.counter("rollcall_telemetry_messages_total",
                                "Messages of devices made durable in the telemetry log")),
      bytes_(metrics.counter("rollcall_telemetry_bytes_total",
                             "Bytes that these take in the telemetry log")),
      failures_(metrics.counter("rollcall_telemetry_failures_total",
                                "Messages refused because the disk was full or failing")) {}

Result<Done> TelemetryWriter::settle(const Segment& newest) {
    TRY(const auto file,
        SegmentFile::open(segment_path(settings_.directory, newest.first), O_RDONLY));
    if (settings_.disk->sync(file.number()) != 0) {
        return segment_error(errno, "sync");
    }
    return Done{};
}

namespace {

/// A write of all of it.
Result<Done> write_all(SegmentDisk& disk, const SegmentFile& file, ByteView bytes,
                       std::uint64_t at) {
    while (!bytes.empty()) {
        const ssize_t count = disk.write(file.number(), bytes, at);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return segment_error(count < 0 ? errno : EIO, "write");
        }
        at += static_cast<std::uint64_t>(count);
        bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
    return Done{};
}

Result<SegmentFile> make_segment(SegmentDisk& disk, const std::filesystem::path& path,
                                 std::uint64_t first) {
    // Truncated: a file of this name holds nothing that was acknowledged.
    TRY(auto file, SegmentFile::open(path, O_WRONLY | O_CREAT | O_TRUNC));
    const Bytes header = segment_header(first);
    TRY([[maybe_unused]] const auto written, write_all(disk, file, header, 0));
    if (disk.sync(file.number()) != 0) {
        return segment_error(errno, "sync");
    }
    TRY([[maybe_unused]] const auto named, sync_directory(path.parent_path()));
    return file;
}

}  // namespace

Result<Done> TelemetryWriter::begin_segment() {
    const auto path = segment_path(settings_.directory, next_);
    auto made = make_segment(*settings_.disk, path, next_);
    if (!made) {
        ::unlink(path.c_str());
        return std::move(made).error();
    }
    file_ = *std::move(made);
    end_ = segment_header_bytes;
    records_ = 0;
    const auto replaced = catalogue_.begin(next_);
    if (replaced && *replaced != next_) {
        ::unlink(segment_path(settings_.directory, *replaced).c_str());
    }
    return Done{};
}

void TelemetryWriter::write(std::span<const Entry> group) {
    encode(group);
    const auto written = carry_out();
    for (const auto& entry : group) {
        entry.answer = written;
    }
    tell(written, group.size());
    if (buffer_.capacity() > 2 * limits::telemetry_batch_bytes_max) {
        buffer_ = Bytes{};  // one caller brought more than is usual
    }
}

/// Puts the group into the buffer, under the sequences that come next.
void TelemetryWriter::encode(std::span<const Entry> group) {
    buffer_.clear();
    group_ = Segment{};
    group_.first = next_;
    for (const auto& entry : group) {
        for (const auto& telemetry : entry.batch) {
            const std::size_t before = buffer_.size();
            append_frame(buffer_, group_.next(), telemetry);
            group_.take(telemetry.at, buffer_.size() - before);
        }
    }
}

Result<Done> TelemetryWriter::carry_out() {
    let_go();
    if (segment_is_over()) {
        file_.close();
        TRY([[maybe_unused]] const auto begun, begin_segment());
    }
    TRY([[maybe_unused]] const auto written, put());
    oldest_ = records_ == 0 ? group_.oldest : std::min(oldest_, group_.oldest);
    records_ += group_.records;
    end_ += group_.end;
    next_ = group_.next();
    catalogue_.extend(group_);
    return Done{};
}

/// Before the group is written: the bound on bytes holds at every moment, as far as whole segments
/// allow.
void TelemetryWriter::let_go() {
    const auto gone = catalogue_.let_go(buffer_.size() + segment_header_bytes, settings_.bytes_max,
                                        group_.newest - settings_.age_max);
    for (const std::uint64_t first : gone) {
        const auto path = segment_path(settings_.directory, first);
        if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
            log_event(Severity::warning, "telemetry_segment_stays",
                      {{"note", segment_error(errno, "unlink " + path.string()).note}});
        }
    }
}

bool TelemetryWriter::segment_is_over() const {
    if (!file_.is_open() || records_ == 0) {
        return !file_.is_open();
    }
    return end_ >= settings_.segment_bytes_max ||
           group_.newest - oldest_ > settings_.age_max / limits::telemetry_segments_per_age;
}

Result<Done> TelemetryWriter::put() {
    auto& disk = *settings_.disk;
    if (auto written = write_all(disk, file_, buffer_, end_); !written) {
        if (disk.truncate(file_.number(), end_) != 0) {
            abandon();
        }
        return written;
    }
    if (disk.sync(file_.number()) != 0) {
        Error failed = segment_error(errno, "sync");
        disk.truncate(file_.number(),
                      end_);  // where it helps, a reopened log shows no refused ones
        abandon();
        return failed;
    }
    return Done{};
}

/// What was refused may stand in the file all the same: neither it nor its sequences are used on.
void TelemetryWriter::abandon() {
    file_.close();
    next_ = group_.next();
}

void TelemetryWriter::tell(const Result<Done>& written, std::size_t entries) {
    if (written) {
        messages_.add(static_cast<double>(group_.records));
        bytes_.add(static_cast<double>(group_.end));
        if (std::exchange(failing_, false)) {
            log_event(Severity::info, "telemetry_works_again", {});
        }
        return;
    }
    failures_.add(static_cast<double>(group_.records));
    if (!std::exchange(failing_, true)) {
        log_event(Severity::error, "telemetry_failed",
                  {{"reason", written.error().reason},
                   {"note", written.error().note},
                   {"callers", std::to_string(entries)}});
    }
}

}  // namespace rollcall::store
