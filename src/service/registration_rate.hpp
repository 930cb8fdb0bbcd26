// SPDX-License-Identifier: Apache-2.0
// How many devices registered and were refused in each of the last minutes, for people who look at
// the server. Metrics tell the same to machines, with a memory of their own.
#pragma once

#include "base/world.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

namespace rollcall::service {

class RegistrationRate {
public:
    static constexpr std::size_t minutes_kept = 60;

    struct Minute {
        TimePoint begin{};
        std::uint64_t assigned = 0;
        std::uint64_t refused = 0;
    };

    /// Any thread. What comes at the turn of a minute may be counted to its neighbour, or not.
    void assigned(TimePoint now) { note(now, &Bucket::assigned); }
    void refused(TimePoint now) { note(now, &Bucket::refused); }

    /// The last minutes_kept whole minutes, the oldest first; those without anybody too.
    std::vector<Minute> last_hour(TimePoint now) const;

private:
    struct Bucket {
        std::atomic<std::int64_t> minute{0};  ///< since the epoch
        std::atomic<std::uint64_t> assigned{0};
        std::atomic<std::uint64_t> refused{0};
    };
    void note(TimePoint now, std::atomic<std::uint64_t> Bucket::*what);

    /// One more than are told: the minute that has not ended.
    std::array<Bucket, minutes_kept + 1> buckets_{};
};

}  // namespace rollcall::service
