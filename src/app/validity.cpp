// SPDX-License-Identifier: Apache-2.0
#include "app/validity.hpp"

#include "app/command.hpp"

#include <charconv>

namespace rollcall::app {
namespace {

using std::chrono::seconds;

/// Ten thousand years: beyond what a certificate can say, far below what overflows.
constexpr std::int64_t seconds_max = std::int64_t{10'000} * 365 * 86'400;

std::optional<std::int64_t> seconds_of_unit(char unit) {
    switch (unit) {
        case 's': return 1;
        case 'm': return 60;
        case 'h': return 3'600;
        case 'd': return 86'400;
        case 'w': return std::int64_t{7} * 86'400;
        case 'y': return std::int64_t{365} * 86'400;
        default: return std::nullopt;
    }
}

/// "+1y" as seconds; nothing where it is no distance.
std::optional<seconds> parse_distance(std::string_view text) {
    if (text.size() < 3 || (text.front() != '+' && text.front() != '-')) {
        return std::nullopt;
    }
    const bool back = text.front() == '-';
    const auto unit = seconds_of_unit(text.back());
    const std::string_view digits = text.substr(1, text.size() - 2);
    std::int64_t count = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
    const bool whole = error == std::errc{} && end == digits.data() + digits.size();
    if (!unit || !whole || count < 0 || count > seconds_max / *unit) {
        return std::nullopt;
    }
    return seconds{(back ? -count : count) * *unit};
}

std::string counted(std::int64_t count, const char* unit) {
    return std::to_string(count) + " " + unit + (count == 1 ? "" : "s");
}

std::string length_words(seconds length) {
    const auto count = length.count();
    if (count >= 2 * 86'400) {
        return counted(count / 86'400, "day");
    }
    if (count >= 2 * 3'600) {
        return counted(count / 3'600, "hour");
    }
    return count >= 120 ? counted(count / 60, "minute") : counted(count, "second");
}

}  // namespace

Result<TimePoint> parse_when(std::string_view text, TimePoint now) {
    const auto this_second = std::chrono::floor<seconds>(now);
    if (text == "now") {
        return TimePoint{this_second};
    }
    if (const auto distance = parse_distance(text)) {
        return TimePoint{this_second + *distance};
    }
    const auto at = parse_iso8601(text);
    if (!at) {
        return Error{ErrorKind::malformed,
                     "\"" + std::string{text} +
                         "\" is not a time: write 2031-01-31T12:00:00Z, 2031-01-31, now, or a "
                         "distance from now such as -30d or +1y (s m h d w y)"};
    }
    return TimePoint{std::chrono::floor<seconds>(*at)};
}

Result<Validity> parse_validity(const ValidityWords& words, std::int64_t days_otherwise,
                                TimePoint now) {
    if (words.days && words.not_after) {
        return usage_error("--days and --not-after both say when it ends: leave one out");
    }
    if (words.days && (*words.days < 1 || *words.days > seconds_max / 86'400)) {
        return usage_error(
            "--days takes a number from 1 on; for one that has expired already use "
            "--not-before -30d --not-after -1d");
    }
    const auto begin = parse_when(words.not_before.value_or("now"), now);
    if (!begin) {
        return usage_error("--not-before: " + begin.error().detail);
    }
    if (words.not_after) {
        const auto end = parse_when(*words.not_after, now);
        return end ? Result<Validity>{Validity{*begin, *end}}
                   : usage_error("--not-after: " + end.error().detail);
    }
    return Validity{*begin, *begin + std::chrono::days{words.days.value_or(days_otherwise)}};
}

std::string distance_words(TimePoint at, TimePoint now) {
    const auto distance = std::chrono::floor<seconds>(at) - std::chrono::floor<seconds>(now);
    return distance >= seconds{0} ? "in " + length_words(distance)
                                  : length_words(-distance) + " ago";
}

}  // namespace rollcall::app
