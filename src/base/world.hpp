// SPDX-License-Identifier: Apache-2.0
// The only doors to time and chance, with their test twins. No other unit asks the system for
// either (tools/tidy looks); floors below service take a TimePoint as an argument instead.
#pragma once

#include "base/result.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace rollcall {

/// Wall-clock time, UTC, in microseconds. Negative before 1970.
using TimePoint = std::chrono::sys_time<std::chrono::microseconds>;

class Clock {
public:
    virtual ~Clock() = default;
    virtual TimePoint now() const = 0;
};

/// Cryptographically strong chance.
class Entropy {
public:
    virtual ~Entropy() = default;
    virtual void fill(std::span<std::uint8_t> bytes) = 0;
};

/// The machine's clock (CLOCK_REALTIME).
class SystemClock final : public Clock {
public:
    TimePoint now() const override;
};

/// The kernel's generator (getrandom). Safe to use from several threads, not across fork(): what is
/// asked for in small pieces is drawn ahead, per thread, and wiped as it is given out.
class SystemEntropy final : public Entropy {
public:
    void fill(std::span<std::uint8_t> bytes) override;
};

/// A clock that stands still until told. Safe to use from several threads.
class ManualClock final : public Clock {
public:
    explicit ManualClock(TimePoint start) : micros_(start.time_since_epoch().count()) {}
    TimePoint now() const override;
    void advance(std::chrono::microseconds by) { micros_ += by.count(); }
    void set(TimePoint at) { micros_ = at.time_since_epoch().count(); }

private:
    std::atomic<std::int64_t> micros_;
};

/// Repeatable chance for tests (splitmix64); never for the product.
class ScriptedEntropy final : public Entropy {
public:
    explicit ScriptedEntropy(std::uint64_t seed) : state_(seed) {}
    void fill(std::span<std::uint8_t> bytes) override;

private:
    std::uint64_t state_;
};

/// A random GUID (RFC 4122 version 4), lower case with dashes.
std::string new_guid(Entropy& entropy);

/// `count` random bytes as upper-case hex, 2*count characters.
std::string random_upper_hex(Entropy& entropy, std::size_t count);

/// "2026-11-23T18:27:30.1234560Z": seven fractional digits, as the DPS device API writes times.
std::string to_iso8601_ticks(TimePoint at);

/// "2026-11-23T18:27:30Z": whole seconds, rounded down.
std::string to_iso8601_seconds(TimePoint at);

/// Reads "2026-11-23T18:27:30[.fraction]Z" (or without the time part); malformed otherwise.
Result<TimePoint> parse_iso8601(std::string_view text);

/// "Mon, 23 Nov 2026 18:27:30 GMT" (RFC 9110 section 5.6.7), for Date headers.
std::string to_http_date(TimePoint at);

}  // namespace rollcall
