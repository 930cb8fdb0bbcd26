// SPDX-License-Identifier: Apache-2.0
#include "service/registration_rate.hpp"

namespace rollcall::service {
namespace {

std::int64_t minute_of(TimePoint at) {
    return std::chrono::floor<std::chrono::minutes>(at).time_since_epoch().count();
}

}  // namespace

void RegistrationRate::note(TimePoint now, std::atomic<std::uint64_t> Bucket::*what) {
    const std::int64_t minute = minute_of(now);
    Bucket& bucket = buckets_.at(static_cast<std::size_t>(minute) % buckets_.size());
    std::int64_t held = bucket.minute.load(std::memory_order_relaxed);
    if (held != minute && bucket.minute.compare_exchange_strong(held, minute)) {
        bucket.assigned = 0;
        bucket.refused = 0;
    }
    (bucket.*what).fetch_add(1, std::memory_order_relaxed);
}

std::vector<RegistrationRate::Minute> RegistrationRate::last_hour(TimePoint now) const {
    const std::int64_t current = minute_of(now);
    std::vector<Minute> told;
    told.reserve(minutes_kept);
    for (auto minute = current - static_cast<std::int64_t>(minutes_kept); minute < current;
         ++minute) {
        const Bucket& bucket = buckets_.at(static_cast<std::size_t>(minute) % buckets_.size());
        Minute one{TimePoint{std::chrono::minutes{minute}}};
        if (bucket.minute.load(std::memory_order_relaxed) == minute) {
            one.assigned = bucket.assigned.load(std::memory_order_relaxed);
            one.refused = bucket.refused.load(std::memory_order_relaxed);
        }
        told.push_back(one);
    }
    return told;
}

}  // namespace rollcall::service
