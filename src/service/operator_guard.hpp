// SPDX-License-Identifier: Apache-2.0
// OperatorGuard: how often somebody may fail at the operator door, and how fast a caller may go.
//
// Secrets of 256 bits (tokens, keys, cookies) need no guard against guessing; whoever has a right
// one is let in from any source, and a source that goes on failing is told to wait. Passwords are
// guarded before they are checked: by source, and by the user's name from that source. Of one name
// from everywhere together failures only slow its sign-ins down: a stranger who knows a name must
// not be able to lock its owner out. Whoever comes by the data directory's socket has no source and
// is not counted.
#pragma once

#include "base/telemetry.hpp"
#include "base/world.hpp"
#include "service/admission.hpp"
#include "service/buckets.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

namespace rollcall::service {

struct GuardSettings {
    /// Of one caller, ten seconds' worth at once; 0: as fast as it likes.
    std::int64_t requests_per_second = limits::caller_requests_per_second;
    std::size_t keys_max = limits::guarded_max;

    bool operator==(const GuardSettings&) const = default;
};

class OperatorGuard {
public:
    OperatorGuard(const Clock& clock, Metrics& metrics, const GuardSettings& settings = {});

    /// A request of a known caller ("token:ci"). throttled "too-many-requests".
    Result<Done> pace(const std::string& caller, const std::string& address);

    /// Somebody showed a wrong token, signature or the like. What to answer: `refusal`, or
    /// throttled "source-throttled" in its place once the source has failed too often.
    Error failed(const std::string& address, Error refusal);

    /// Before a password is checked; counts as a failure until right_password(). Gives how long to
    /// wait first. throttled "source-throttled", "name-throttled".
    Result<std::chrono::milliseconds> enter(const std::string& name, const std::string& address);
    void right_password(const std::string& name, const std::string& address);
    void wrong_password(const std::string& name);

private:
    /// A name, without case, and where it was tried from: parts of their hashes.
    using NameKey = std::array<std::uint8_t, 16>;
    static NameKey key_of(const std::string& name, const std::optional<Source>& source);
    Error throttled_source(const Source& source, TimePoint now);

    const Clock& clock_;
    const std::int64_t requests_per_second_;
    Counter& failures_;
    Counter& throttled_sources_;
    Counter& throttled_names_;
    Counter& slowed_;
    Counter& throttled_callers_;
    std::mutex mutex_;
    Buckets<Source> sources_;
    Buckets<NameKey> names_at_sources_;
    Buckets<NameKey> names_;
    Buckets<NameKey> callers_;
};

}  // namespace rollcall::service
