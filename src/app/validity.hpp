// SPDX-License-Identifier: Apache-2.0
// How long a certificate of `rollcall pki` is to be valid, as people say it on a command line.
#pragma once

#include "base/result.hpp"
#include "base/world.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rollcall::app {

/// "2031-01-31T12:00:00Z", "2031-01-31", "now", or a distance from now: "-30d", "+1y", "+90s".
/// Units: s, m (minutes), h, d, w, y (365 days). Whole seconds. malformed otherwise.
Result<TimePoint> parse_when(std::string_view text, TimePoint now);

struct ValidityWords {
    std::optional<std::string> not_before{};
    std::optional<std::string> not_after{};
    std::optional<std::int64_t> days{};
};

struct Validity {
    TimePoint not_before;
    TimePoint not_after;

    bool operator==(const Validity&) const = default;
};

/// From now, or from not_before, for `days` or until not_after; `days_otherwise` where neither is
/// said. Errors have reason "usage".
Result<Validity> parse_validity(const ValidityWords& words, std::int64_t days_otherwise,
                                TimePoint now);

/// "in 10 days", "296 days ago", "in 3 hours": the distance of `at` from `now`.
std::string distance_words(TimePoint at, TimePoint now);

}  // namespace rollcall::app
