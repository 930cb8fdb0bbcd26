// SPDX-License-Identifier: Apache-2.0
#include "base/world.hpp"

#include "base/bytes.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <sys/random.h>

namespace rollcall {
namespace {

struct Broken {
    std::chrono::year_month_day date;
    std::chrono::hh_mm_ss<std::chrono::microseconds> time;
    unsigned weekday;
};

Broken break_down(TimePoint at) {
    const auto day = std::chrono::floor<std::chrono::days>(at);
    return Broken{std::chrono::year_month_day{day},
                  std::chrono::hh_mm_ss<std::chrono::microseconds>{at - day},
                  std::chrono::weekday{day}.c_encoding()};
}

std::string formatted(const char* format, const Broken& b) {
    char text[64];
    std::snprintf(text, sizeof text, format, static_cast<int>(b.date.year()),
                  static_cast<unsigned>(b.date.month()), static_cast<unsigned>(b.date.day()),
                  static_cast<int>(b.time.hours().count()),
                  static_cast<int>(b.time.minutes().count()),
                  static_cast<int>(b.time.seconds().count()),
                  static_cast<long>(b.time.subseconds().count()) * 10);
    return text;
}

/// Reads exactly `digits` decimal digits off the front of `text`; -1 where there are not so many.
int take_digits(std::string_view& text, std::size_t digits) {
    if (text.size() < digits) {
        return -1;
    }
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
        if (text[i] < '0' || text[i] > '9') {
            return -1;
        }
        value = value * 10 + (text[i] - '0');
    }
    text.remove_prefix(digits);
    return value;
}

bool take(std::string_view& text, char expected) {
    if (text.empty() || text.front() != expected) {
        return false;
    }
    text.remove_prefix(1);
    return true;
}

void draw(std::span<std::uint8_t> bytes) {
    while (!bytes.empty()) {
        const auto got = getrandom(bytes.data(), bytes.size(), 0);
        INVARIANT(got > 0 || errno == EINTR);
        if (got > 0) {
            bytes = bytes.subspan(static_cast<std::size_t>(got));
        }
    }
}

/// Ids take sixteen bytes each, and a registration makes four: one system call for many of them.
struct DrawnAhead {
    std::array<std::uint8_t, 512> bytes;
    std::size_t left = 0;
};

}  // namespace

TimePoint SystemClock::now() const {
    return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

void SystemEntropy::fill(std::span<std::uint8_t> bytes) {
    thread_local DrawnAhead ahead;
    if (bytes.size() > ahead.bytes.size() / 8) {
        draw(bytes);
        return;
    }
    if (ahead.left < bytes.size()) {
        draw(ahead.bytes);
        ahead.left = ahead.bytes.size();
    }
    const auto given = std::span{ahead.bytes}.subspan(ahead.left - bytes.size(), bytes.size());
    std::copy(given.begin(), given.end(), bytes.begin());
    std::fill(given.begin(), given.end(), std::uint8_t{0});
    ahead.left -= bytes.size();
}

TimePoint ManualClock::now() const {
    return TimePoint{std::chrono::microseconds{micros_.load()}};
}

void ScriptedEntropy::fill(std::span<std::uint8_t> bytes) {
    for (auto& byte : bytes) {
        state_ += 0x9e3779b97f4a7c15ULL;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        byte = static_cast<std::uint8_t>(z ^ (z >> 31));
    }
}

std::string new_guid(Entropy& entropy) {
    std::array<std::uint8_t, 16> raw{};
    entropy.fill(raw);
    raw[6] = static_cast<std::uint8_t>((raw[6] & 0x0f) | 0x40);
    raw[8] = static_cast<std::uint8_t>((raw[8] & 0x3f) | 0x80);
    const std::string hex = to_hex(raw);
    return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" +
           hex.substr(16, 4) + "-" + hex.substr(20);
}

std::string random_upper_hex(Entropy& entropy, std::size_t count) {
    std::string raw(count, '\0');
    entropy.fill({reinterpret_cast<std::uint8_t*>(raw.data()), raw.size()});
    return to_upper_hex(as_bytes(raw));
}

std::string to_iso8601_ticks(TimePoint at) {
    return formatted("%04d-%02u-%02uT%02d:%02d:%02d.%07ldZ", break_down(at));
}

std::string to_iso8601_seconds(TimePoint at) {
    return formatted("%04d-%02u-%02uT%02d:%02d:%02dZ", break_down(at));
}

Result<TimePoint> parse_iso8601(std::string_view text) {
    const Error refusal{ErrorKind::malformed,
                        "not a time: write it as 2026-11-23T18:27:30Z or 2026-11-23"};
    const int year = take_digits(text, 4);
    const bool dash = take(text, '-');
    const int month = take_digits(text, 2);
    const bool second_dash = take(text, '-');
    const int day = take_digits(text, 2);
    if (year < 0 || !dash || month < 1 || !second_dash || day < 1) {
        return refusal;
    }
    const std::chrono::year_month_day date{std::chrono::year{year},
                                           std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (!date.ok()) {
        return refusal;
    }
    TimePoint at = std::chrono::sys_days{date};
    if (text.empty()) {
        return at;
    }
    if (!take(text, 'T')) {
        return refusal;
    }
    const int hours = take_digits(text, 2);
    const bool colon = take(text, ':');
    const int minutes = take_digits(text, 2);
    const bool second_colon = take(text, ':');
    const int seconds = take_digits(text, 2);
    if (hours < 0 || hours > 23 || !colon || minutes < 0 || minutes > 59 || !second_colon ||
        seconds < 0 || seconds > 59) {
        return refusal;
    }
    at += std::chrono::hours{hours} + std::chrono::minutes{minutes} + std::chrono::seconds{seconds};
    if (take(text, '.')) {
        std::int64_t unit = 100'000;
        std::size_t digits = 0;
        while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
            at += std::chrono::microseconds{(text.front() - '0') * unit};
            unit /= 10;
            text.remove_prefix(1);
            ++digits;
        }
        if (digits == 0) {
            return refusal;
        }
    }
    if (text != "Z") {
        return refusal;
    }
    return at;
}

std::string to_http_date(TimePoint at) {
    static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const Broken b = break_down(at);
    char text[64];
    std::snprintf(
        text, sizeof text, "%s, %02u %s %04d %02d:%02d:%02d GMT", days[b.weekday],
        static_cast<unsigned>(b.date.day()), months[static_cast<unsigned>(b.date.month()) - 1],
        static_cast<int>(b.date.year()), static_cast<int>(b.time.hours().count()),
        static_cast<int>(b.time.minutes().count()), static_cast<int>(b.time.seconds().count()));
    return text;
}

}  // namespace rollcall
