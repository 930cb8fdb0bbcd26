// SPDX-License-Identifier: Apache-2.0
// What the telemetry log holds that is durable, and in which file. The writer tells it, readers ask
// it, from any thread; the files themselves are read without its lock.
#pragma once

#include "store/telemetry_segment.hpp"

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

namespace rollcall::store {

class TelemetryCatalogue {
public:
    /// Records that lie together in one file.
    struct Block {
        std::uint64_t segment = 0;  ///< its first sequence, which names the file
        std::uint64_t first = 0;
        std::uint64_t last = 0;
        std::uint64_t begin = 0;  ///< in the file
        std::uint64_t end = 0;
    };
    /// Where to look, as it was at one moment. `oldest` and `newest`: records, 0 when there is
    /// none.
    struct Plan {
        std::vector<Block> blocks;
        std::uint64_t oldest = 0;
        std::uint64_t newest = 0;
    };

    /// `found`: in order.
    explicit TelemetryCatalogue(std::deque<Segment> found);

    // --- For the writer ---
    /// A segment without records behind the others. Gives the one before where that was empty: it
    /// is forgotten.
    std::optional<std::uint64_t> begin(std::uint64_t first);
    /// The bytes that could not be read were cut off.
    void cut(std::uint64_t first);
    /// Records became durable at the end of the newest segment.
    void extend(const Segment& more);
    /// Forgets the oldest segments, as many as must go for `room` bytes more under `bytes_max` and
    /// those whose records are all older than `before`; the newest segment stays. Gives their first
    /// sequences.
    std::vector<std::uint64_t> let_go(std::uint64_t room, std::uint64_t bytes_max,
                                      TimePoint before);

    // --- For readers ---
    bool holds(std::uint64_t segment) const;
    /// Blocks with the records after a sequence, the oldest first, up to about `bytes`.
    Plan after(std::uint64_t sequence, std::uint64_t bytes) const;
    /// Blocks with the records before a sequence, the newest first, up to about `bytes`.
    Plan before(std::uint64_t sequence, std::uint64_t bytes) const;
    /// The newest record that ever was; cheap.
    std::uint64_t newest() const { return newest_.load(); }

private:
    Plan kept_range() const;  ///< without blocks

    mutable std::mutex mutex_;
    std::deque<Segment> segments_;
    std::atomic<std::uint64_t> newest_{0};
};

}  // namespace rollcall::store
