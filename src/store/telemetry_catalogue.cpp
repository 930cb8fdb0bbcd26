// SPDX-License-Identifier: Apache-2.0
#include "store/telemetry_catalogue.hpp"

#include <algorithm>

namespace rollcall::store {
namespace {

std::uint64_t bytes_of(const Segment& segment) {
    return segment.end + segment.beyond;
}

/// The records from one mark to the next, or to the segment's end.
TelemetryCatalogue::Block block_at(const Segment& segment, std::size_t mark) {
    const bool last = mark + 1 == segment.marks.size();
    return {.segment = segment.first,
            .first = segment.marks[mark].sequence,
            .last = (last ? segment.next() : segment.marks[mark + 1].sequence) - 1,
            .begin = segment.marks[mark].offset,
            .end = last ? segment.end : segment.marks[mark + 1].offset};
}

/// The mark of the block that holds a sequence, or of the nearest one.
std::size_t mark_of(const Segment& segment, std::uint64_t sequence) {
    const auto after = std::upper_bound(
        segment.marks.begin(), segment.marks.end(), sequence,
        [](std::uint64_t wanted, const SegmentMark& mark) { return wanted < mark.sequence; });
    return static_cast<std::size_t>(std::max<std::ptrdiff_t>(after - segment.marks.begin(), 1) - 1);
}

}  // namespace

TelemetryCatalogue::TelemetryCatalogue(std::deque<Segment> found) : segments_(std::move(found)) {
    newest_ = kept_range().newest;
}

std::optional<std::uint64_t> TelemetryCatalogue::begin(std::uint64_t first) {
    const std::scoped_lock lock{mutex_};
    std::optional<std::uint64_t> replaced;
    if (!segments_.empty() && segments_.back().records == 0 && segments_.back().beyond == 0) {
        replaced = segments_.back().first;
        segments_.pop_back();
    }
    Segment segment;
    segment.first = first;
    segment.end = segment_header_bytes;
    segments_.push_back(std::move(segment));
    return replaced;
}

void TelemetryCatalogue::cut(std::uint64_t first) {
    const std::scoped_lock lock{mutex_};
    for (auto& segment : segments_) {
        segment.beyond = segment.first == first ? 0 : segment.beyond;
    }
}

void TelemetryCatalogue::extend(const Segment& more) {
    const std::scoped_lock lock{mutex_};
    auto& newest = segments_.back();
    newest.extend(more);
    newest_ = newest.next() - 1;
}

std::vector<std::uint64_t> TelemetryCatalogue::let_go(std::uint64_t room, std::uint64_t bytes_max,
                                                      TimePoint before) {
    const std::scoped_lock lock{mutex_};
    std::uint64_t bytes = room;
    for (const auto& segment : segments_) {
        bytes += bytes_of(segment);
    }
    std::vector<std::uint64_t> gone;
    while (segments_.size() > 1) {
        const auto& oldest = segments_.front();
        // One without records that can be read is of no use at any age.
        const bool aged = oldest.records == 0 || oldest.newest < before;
        if (bytes <= bytes_max && !aged) {
            break;
        }
        bytes -= bytes_of(oldest);
        gone.push_back(oldest.first);
        segments_.pop_front();
    }
    return gone;
}

bool TelemetryCatalogue::holds(std::uint64_t segment) const {
    const std::scoped_lock lock{mutex_};
    return std::any_of(segments_.begin(), segments_.end(),
                       [segment](const auto& each) { return each.first == segment; });
}

TelemetryCatalogue::Plan TelemetryCatalogue::kept_range() const {
    Plan plan;
    for (const auto& segment : segments_) {
        if (segment.records > 0) {
            plan.oldest = plan.oldest == 0 ? segment.first : plan.oldest;
            plan.newest = segment.next() - 1;
        }
    }
    return plan;
}

TelemetryCatalogue::Plan TelemetryCatalogue::after(std::uint64_t sequence,
                                                   std::uint64_t bytes) const {
    const std::scoped_lock lock{mutex_};
    Plan plan = kept_range();
    std::uint64_t planned = 0;
    for (const auto& segment : segments_) {
        if (segment.records == 0 || segment.next() - 1 <= sequence) {
            continue;
        }
        for (auto mark = mark_of(segment, sequence + 1); mark < segment.marks.size(); ++mark) {
            if (planned >= bytes) {
                return plan;
            }
            plan.blocks.push_back(block_at(segment, mark));
            planned += plan.blocks.back().end - plan.blocks.back().begin;
        }
    }
    return plan;
}

TelemetryCatalogue::Plan TelemetryCatalogue::before(std::uint64_t sequence,
                                                    std::uint64_t bytes) const {
    const std::scoped_lock lock{mutex_};
    Plan plan = kept_range();
    std::uint64_t planned = 0;
    for (auto segment = segments_.rbegin(); segment != segments_.rend(); ++segment) {
        if (segment->records == 0 || segment->first >= sequence) {
            continue;
        }
        for (auto mark = mark_of(*segment, sequence - 1) + 1; mark > 0; --mark) {
            if (planned >= bytes) {
                return plan;
            }
            plan.blocks.push_back(block_at(*segment, mark - 1));
            planned += plan.blocks.back().end - plan.blocks.back().begin;
        }
    }
    return plan;
}

}  // namespace rollcall::store
