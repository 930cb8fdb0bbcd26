// SPDX-License-Identifier: Apache-2.0
// Buckets: what each of many keys may still do, refilled with time (a token bucket each), in
// bounded memory. Not safe from several threads: its owner locks.
#pragma once

#include "base/limits.hpp"
#include "base/world.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <map>

namespace rollcall::service {

template <class Key>
class Buckets {
public:
    /// `burst` at once, and one more each `pause`.
    Buckets(double burst, std::chrono::duration<double> pause,
            std::size_t keys_max = limits::guarded_max)
        : burst_(burst), pause_(pause), keys_max_(keys_max) {}

    double left(const Key& key, TimePoint now) const {
        const auto found = buckets_.find(key);
        return found == buckets_.end() ? burst_ : refilled(found->second, now);
    }
    /// Takes one, also where there is none left: at most one burst below nothing.
    void take(const Key& key, TimePoint now) { set(key, left(key, now) - 1, now); }
    void give_back(const Key& key, TimePoint now) { set(key, left(key, now) + 1, now); }
    void fill(const Key& key) { buckets_.erase(key); }
    /// Whole seconds until one may be taken again; 0: now.
    unsigned seconds_until_one(const Key& key, TimePoint now) const {
        const double missing = 1 - left(key, now);
        return missing <= 0 ? 0 : static_cast<unsigned>(std::ceil(missing * pause_.count()));
    }
    std::size_t size() const { return buckets_.size(); }

private:
    struct Bucket {
        double left = 0;
        TimePoint at{};
    };
    /// Keys looked at for a place when the table is full.
    static constexpr int looked_at_for_room = 16;

    double refilled(const Bucket& bucket, TimePoint now) const {
        const std::chrono::duration<double> passed = now - bucket.at;  // negative: set back
        return std::min(bucket.left + std::max(passed / pause_, 0.0), burst_);
    }
    void set(const Key& key, double left, TimePoint now) {
        if (left >= burst_) {
            buckets_.erase(key);
            return;
        }
        if (buckets_.size() >= keys_max_ && !buckets_.contains(key)) {
            make_room(now);
        }
        buckets_.insert_or_assign(key, Bucket{std::max(left, -burst_), now});
    }
    /// Forgets the one of a few that has done least.
    void make_room(TimePoint now) {
        auto place = buckets_.lower_bound(hand_);
        auto fullest = buckets_.end();
        for (int i = 0; i < looked_at_for_room; ++i, ++place) {
            if (place == buckets_.end()) {
                place = buckets_.begin();
            }
            if (fullest == buckets_.end() ||
                refilled(place->second, now) > refilled(fullest->second, now)) {
                fullest = place;
            }
        }
        hand_ = place == buckets_.end() ? Key{} : place->first;
        if (hand_ == fullest->first) {
            const auto next = std::next(fullest);
            hand_ = next == buckets_.end() ? Key{} : next->first;
        }
        buckets_.erase(fullest);
    }

    const double burst_;
    const std::chrono::duration<double> pause_;
    const std::size_t keys_max_;
    /// Ordered: no choice of keys makes it slow.
    std::map<Key, Bucket> buckets_;
    Key hand_{};
};

}  // namespace rollcall::service
