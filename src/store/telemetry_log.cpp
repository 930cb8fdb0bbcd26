// SPDX-License-Identifier: Apache-2.0
#include "store/telemetry_log.hpp"

#include "base/files.hpp"

#include <algorithm>
#include <pthread.h>
#include <unistd.h>

namespace rollcall::store {

// --- Opening and closing --------------------------------------------------------------------

namespace {

/// The least sequence that no record of the segment can have, whatever its unreadable bytes are:
/// readers may have got as far as that before they became unreadable.
std::uint64_t beyond_all(const Segment& segment) {
    return segment.next() + (segment.beyond + frame_bytes_min - 1) / frame_bytes_min;
}

void say_cut(const Segment& segment, std::string_view what) {
    log_event(Severity::warning, what,
              {{"segment", std::to_string(segment.first)},
               {"sequence", std::to_string(segment.next())},
               {"bytes", std::to_string(segment.beyond)}});
}

SegmentDisk& disk_of(const TelemetryLog::Settings& settings) {
    static SegmentDisk usual;
    return settings.disk != nullptr ? *settings.disk : usual;
}

TelemetryWriter::Settings writing(const TelemetryLog::Settings& settings) {
    constexpr std::uint64_t segments_min = 4;
    return {.directory = settings.directory,
            .bytes_max = settings.bytes_max,
            .segment_bytes_max =
                std::min(settings.segment_bytes_max, settings.bytes_max / segments_min),
            .age_max = settings.age_max,
            .disk = &disk_of(settings)};
}

}  // namespace

Result<std::unique_ptr<TelemetryLog>> TelemetryLog::open(const Settings& settings,
                                                         Metrics& metrics) {
    constexpr unsigned owner_only = 0700;
    TRY([[maybe_unused]] const auto made, make_directories(settings.directory, owner_only));
    TRY([[maybe_unused]] const auto named, sync_directory(settings.directory));
    TRY(const auto firsts, list_segments(settings.directory));
    std::deque<Segment> found;
    std::uint64_t next = 1;
    for (const std::uint64_t first : firsts) {
        TRY(auto segment,
            scan_segment(disk_of(settings), segment_path(settings.directory, first), first));
        next = std::max(next, beyond_all(segment));
        if (segment.beyond > 0 && first != firsts.back()) {
            say_cut(segment, "telemetry_damaged");
        }
        found.push_back(std::move(segment));
    }
    const auto newest = found.empty() ? std::nullopt : std::optional{found.back()};
    std::unique_ptr<TelemetryLog> log{new TelemetryLog(settings, std::move(found), next, metrics)};
    log->go_on(newest);
    log->thread_ = std::thread{[log = log.get()] { log->run(); }};
    pthread_setname_np(log->thread_.native_handle(), "telemetry");
    return log;
}

TelemetryLog::TelemetryLog(const Settings& settings, std::deque<Segment> found, std::uint64_t next,
                           Metrics& metrics)
    : directory_(settings.directory),
      disk_(disk_of(settings)),
      catalogue_(std::move(found)),
      writer_(writing(settings), catalogue_, next, metrics),
      queue_(std::make_shared<Queue>(
          Queue::Bounds{limits::telemetry_batch_bytes_max, settings.queue_bytes_max})) {}

/// Before the first record: nothing that is shown may go, and no sequence that was shown may come
/// again, whatever ends this process.
void TelemetryLog::go_on(const std::optional<Segment>& newest) {
    if (!newest) {
        return;
    }
    if (newest->beyond == 0 && newest->end > 0) {
        const auto settled = writer_.settle(*newest);
        if (settled) {
            return;
        }
        log_event(Severity::error, "telemetry_failed", {{"note", settled.error().note}});
    } else {
        say_cut(*newest, "telemetry_end_torn");
    }
    // First the segment whose name keeps the next sequence, then the cut.
    const auto begun = writer_.begin_segment();
    if (!begun) {
        log_event(Severity::error, "telemetry_failed", {{"note", begun.error().note}});
        return;
    }
    const auto path = segment_path(directory_, newest->first);
    if (newest->beyond > 0 && ::truncate(path.c_str(), static_cast<off_t>(newest->end)) == 0) {
        catalogue_.cut(newest->first);
    }
}

TelemetryLog::~TelemetryLog() {
    close();
}

void TelemetryLog::close() {
    closed_ = true;
    queue_->stop();
    if (thread_.joinable()) {
        thread_.join();
    }
    lane_.join();
}

// --- Writing --------------------------------------------------------------------------------

namespace {

Error closed() {
    return {ErrorKind::unavailable, "the server is stopping", "telemetry-closed"};
}

/// What a batch takes in the file.
Result<std::size_t> weight_of(std::span<const domain::Telemetry> batch) {
    std::size_t weight = 0;
    for (const auto& telemetry : batch) {
        const std::size_t size = frame_size(telemetry);
        if (size > limits::telemetry_record_bytes_max) {
            return Error{ErrorKind::too_large,
                         "a message takes more than " +
                             std::to_string(limits::telemetry_record_bytes_max) + " bytes",
                         "telemetry-too-large"};
        }
        weight += size;
    }
    return weight;
}

}  // namespace

Task<Result<Done>> TelemetryLog::append(std::span<const domain::Telemetry> batch) {
    if (batch.empty()) {
        co_return Done{};
    }
    CO_TRY(const std::size_t weight, weight_of(batch));
    const auto place = queue_->reserve(weight);
    if (place == Queue::Place::closed) {
        co_return closed();
    }
    if (place == Queue::Place::full) {
        co_return Error{ErrorKind::unavailable, "too many messages wait to be written",
                        "telemetry-full"};
    }
    std::optional<Result<Done>> answer;
    auto start = [this, batch, weight, &answer](auto handler) {
        queue_->enqueue(TelemetryWriter::Entry{batch, answer}, weight, std::move(handler));
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(start,
                                                                         asio::use_awaitable);
    INVARIANT(answer.has_value());
    co_return *std::move(answer);
}

void TelemetryLog::run() {
    std::vector<TelemetryWriter::Entry> entries;
    while (true) {
        auto group = queue_->next_batch();
        if (group.empty()) {
            return;
        }
        entries.clear();
        for (const auto& waiter : group) {
            entries.push_back(waiter->entry);
        }
        writer_.write(entries);
        for (const auto& waiter : group) {
            waiter->wake();
        }
    }
}

// --- Reading --------------------------------------------------------------------------------

namespace {

std::size_t count_of(const TelemetryQuery& query) {
    return std::clamp<std::size_t>(query.count, 1, limits::page_max);
}

}  // namespace

Task<Result<TelemetryPage>> TelemetryLog::read(const TelemetryQuery& query) {
    if (closed_) {
        co_return closed();
    }
    const auto look = [this, &query] { return read_now(query); };
    co_return co_await on_lane(lane_, look);
}

/// None: the block was let go since it was planned.
Result<std::optional<TelemetryBlocks::Records>> TelemetryLog::read_block(
    TelemetryBlocks& blocks, const TelemetryCatalogue::Block& block, std::uint64_t after,
    const TelemetryQuery& query) {
    TRY(auto records, blocks.read(block, after, query.device));
    if (!records && catalogue_.holds(block.segment)) {
        log_event(Severity::error, "telemetry_segment_missing",
                  {{"segment", std::to_string(block.segment)}});
        records.emplace();
    }
    return records;
}

Result<TelemetryPage> TelemetryLog::read_now(const TelemetryQuery& query) {
    while (true) {
        TRY(auto page, try_to_read(query));
        if (page) {
            return *std::move(page);
        }
    }
}

/// None: what was planned was let go meanwhile.
Result<std::optional<TelemetryPage>> TelemetryLog::try_to_read(const TelemetryQuery& query) {
    const auto plan = catalogue_.after(query.after, limits::telemetry_look_bytes_max);
    TelemetryPage page{.records = {}, .next = query.after, .oldest = plan.oldest};
    const std::size_t count = count_of(query);
    TelemetryBlocks blocks{directory_, disk_};
    for (const auto& block : plan.blocks) {
        TRY(auto records, read_block(blocks, block, query.after, query));
        if (!records) {
            return std::optional<TelemetryPage>{};
        }
        for (auto& record : *records) {
            page.records.push_back(std::move(record));
            if (page.records.size() == count) {
                page.next = page.records.back().sequence;
                return std::optional{std::move(page)};
            }
        }
        page.next = block.last;
    }
    return std::optional{std::move(page)};
}

/// How far newest() has come.
struct TelemetryLog::Backward {
    std::vector<TelemetryRecord> records{};  ///< newest first
    std::size_t bytes = 0;                   ///< of their bodies
    std::uint64_t before = UINT64_MAX;       ///< what lies from here on was looked at
    std::uint64_t oldest = 0;
    std::uint64_t newest = 0;
};

Task<Result<TelemetryPage>> TelemetryLog::newest(const TelemetryQuery& query) {
    Backward backward;
    // Piece by piece: a device that was silent for long must not keep others waiting.
    const auto look = [this, &query, &backward] { return look_back(query, backward); };
    for (bool more = true; more;) {
        if (closed_) {
            co_return closed();
        }
        CO_TRY(more, co_await on_lane(lane_, look));
    }
    auto& found = backward.records;
    std::reverse(found.begin(), found.end());
    co_return TelemetryPage{
        .records = std::move(found), .next = backward.newest, .oldest = backward.oldest};
}

/// false: enough was found, or there is no more.
Result<bool> TelemetryLog::look_back(const TelemetryQuery& query, Backward& backward) {
    const auto plan = catalogue_.before(backward.before, limits::telemetry_look_bytes_max);
    if (backward.newest == 0) {
        backward.newest = plan.newest;
    }
    backward.oldest = plan.oldest;
    const std::size_t count = count_of(query);
    TelemetryBlocks blocks{directory_, disk_};
    for (const auto& block : plan.blocks) {
        const std::size_t wanted = count - backward.records.size();
        // Of all devices the last ones will do.
        const std::uint64_t after = query.device || block.last < wanted
                                        ? query.after
                                        : std::max(query.after, block.last - wanted);
        TRY(auto records, read_block(blocks, block, after, query));
        if (!records) {
            return true;  // let go meanwhile: the next plan does not have it
        }
        while (!records->empty() && backward.records.size() < count) {
            backward.bytes += records->back().telemetry.body.size();
            backward.records.push_back(std::move(records->back()));
            records->pop_back();
        }
        backward.before = block.first;
        if (backward.records.size() == count || block.first <= query.after + 1 ||
            backward.bytes > limits::telemetry_look_bytes_max) {
            return false;
        }
    }
    return !plan.blocks.empty();
}

}  // namespace rollcall::store
