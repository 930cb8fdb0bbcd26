// SPDX-License-Identifier: Apache-2.0
#include "store/refusals.hpp"

#include "base/limits.hpp"

#include <algorithm>

namespace rollcall::store {

void MemoryRefusalLog::note(RefusalRecord record) {
    const std::scoped_lock lock{mutex_};
    if (const auto before = places_.find(record.id.str()); before != places_.end()) {
        newest_first_.erase(before->second);
        strangers_.erase(before->second);
    }
    const std::uint64_t place = ++sequence_;
    places_[record.id.str()] = place;
    if (!record.known) {
        strangers_.insert(place);
    }
    newest_first_.emplace(place, std::move(record));
    if (strangers_.size() > limits::stranger_refusals_max) {
        const auto oldest = newest_first_.find(*strangers_.begin());
        places_.erase(oldest->second.id.str());
        newest_first_.erase(oldest);
        strangers_.erase(strangers_.begin());
    }
}

Task<Result<std::optional<RefusalRecord>>> MemoryRefusalLog::last(const RegistrationId& id) {
    const std::scoped_lock lock{mutex_};
    const auto place = places_.find(id.str());
    if (place == places_.end()) {
        co_return std::nullopt;
    }
    co_return newest_first_.at(place->second);
}

Task<Result<std::vector<RefusalRecord>>> MemoryRefusalLog::newest(std::size_t count) {
    const std::scoped_lock lock{mutex_};
    std::vector<RefusalRecord> newest;
    for (const auto& [place, record] : newest_first_) {
        if (newest.size() == std::min(count, limits::page_max)) {
            break;
        }
        newest.push_back(record);
    }
    co_return newest;
}

}  // namespace rollcall::store
