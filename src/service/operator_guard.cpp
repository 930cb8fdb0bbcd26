// SPDX-License-Identifier: Apache-2.0
#include "service/operator_guard.hpp"

#include "x509/digest.hpp"

namespace rollcall::service {
namespace {

/// Seconds' worth of requests that may come at once.
constexpr double burst_seconds = 10;

constexpr const char* throttled_total = "rollcall_operator_throttled_total";
constexpr const char* throttled_help = "Requests at the operator door answered with 429";

std::string seconds(unsigned count) {
    return std::to_string(count) + (count == 1 ? " second" : " seconds");
}

std::int64_t at_least_one(std::int64_t rate) {
    return rate > 0 ? rate : 1;
}

}  // namespace

OperatorGuard::OperatorGuard(const Clock& clock, Metrics& metrics, const GuardSettings& settings)
    : clock_(clock),
      requests_per_second_(settings.requests_per_second),
      failures_(metrics.counter("rollcall_operator_failures_total",
                                "Wrong tokens, signatures and passwords at the operator door")),
      throttled_sources_(metrics.counter(throttled_total, throttled_help, {{"bound", "source"}})),
      throttled_names_(metrics.counter(throttled_total, throttled_help, {{"bound", "name"}})),
      slowed_(metrics.counter("rollcall_operator_slowed_total",
                              "Sign-ins that waited since their user's name was tried too often")),
      throttled_callers_(metrics.counter(throttled_total, throttled_help, {{"bound", "caller"}})),
      sources_(limits::source_failures_burst, limits::source_failure_pause, settings.keys_max),
      names_at_sources_(limits::name_failures_burst, limits::name_failure_pause, settings.keys_max),
      names_(limits::slowed_failures_burst, limits::slowed_failure_pause, settings.keys_max),
      callers_(static_cast<double>(at_least_one(requests_per_second_)) * burst_seconds,
               std::chrono::duration<double>{
                   1.0 / static_cast<double>(at_least_one(requests_per_second_))},
               settings.keys_max) {}

OperatorGuard::NameKey OperatorGuard::key_of(const std::string& name,
                                             const std::optional<Source>& source) {
    std::string text = to_lower_ascii(name);
    if (source) {
        text.push_back('\0');
        text.append(as_text(*source));
    }
    const Digest digest = x509::sha256(as_bytes(text));
    NameKey key{};
    std::copy_n(digest.bytes.begin(), key.size(), key.begin());
    return key;
}

Error OperatorGuard::throttled_source(const Source& source, TimePoint now) {
    throttled_sources_.add();
    const unsigned wait = std::max(1U, sources_.seconds_until_one(source, now));
    return {ErrorKind::throttled,
            "too many tokens, signatures or passwords from your address were wrong: correct what "
            "is sent, and try again in " +
                seconds(wait),
            "source-throttled", "", wait};
}

Result<Done> OperatorGuard::pace(const std::string& caller, const std::string& address) {
    if (requests_per_second_ == 0 || !source_of(address)) {
        return Done{};
    }
    const NameKey key = key_of(caller, std::nullopt);
    const std::scoped_lock lock{mutex_};
    const TimePoint now = clock_.now();
    if (callers_.left(key, now) < 1) {
        throttled_callers_.add();
        const unsigned wait = std::max(1U, callers_.seconds_until_one(key, now));
        return Error{ErrorKind::throttled,
                     caller + " sends more than " + std::to_string(requests_per_second_) +
                         " requests a second; go on in " + seconds(wait),
                     "too-many-requests", "", wait};
    }
    callers_.take(key, now);
    return Done{};
}

Error OperatorGuard::failed(const std::string& address, Error refusal) {
    failures_.add();
    const auto source = source_of(address);
    if (!source) {
        return refusal;
    }
    const std::scoped_lock lock{mutex_};
    const TimePoint now = clock_.now();
    const bool spent = sources_.left(*source, now) < 1;
    if (!spent) {
        sources_.take(*source, now);
        return refusal;
    }
    Error told = throttled_source(*source, now);
    told.note = refusal.reason + (refusal.note.empty() ? "" : ": " + refusal.note);
    return told;
}

Result<std::chrono::milliseconds> OperatorGuard::enter(const std::string& name,
                                                       const std::string& address) {
    const auto source = source_of(address);
    if (!source) {
        return std::chrono::milliseconds{0};
    }
    const NameKey here = key_of(name, source);
    const std::scoped_lock lock{mutex_};
    const TimePoint now = clock_.now();
    if (sources_.left(*source, now) < 1) {
        return throttled_source(*source, now);
    }
    if (names_at_sources_.left(here, now) < 1) {
        throttled_names_.add();
        const unsigned wait = std::max(1U, names_at_sources_.seconds_until_one(here, now));
        return Error{ErrorKind::throttled,
                     "too many wrong passwords for this user from your address: try again in " +
                         seconds(wait) + ". An administrator can set another password.",
                     "name-throttled", "", wait};
    }
    sources_.take(*source, now);
    names_at_sources_.take(here, now);
    if (names_.left(key_of(name, std::nullopt), now) < 1) {
        slowed_.add();
        return std::chrono::milliseconds{limits::slowed_delay};
    }
    return std::chrono::milliseconds{0};
}

void OperatorGuard::right_password(const std::string& name, const std::string& address) {
    const auto source = source_of(address);
    if (!source) {
        return;
    }
    const std::scoped_lock lock{mutex_};
    sources_.give_back(*source, clock_.now());
    names_at_sources_.fill(key_of(name, source));
}

void OperatorGuard::wrong_password(const std::string& name) {
    failures_.add();
    const std::scoped_lock lock{mutex_};
    names_.take(key_of(name, std::nullopt), clock_.now());
}

}  // namespace rollcall::service
