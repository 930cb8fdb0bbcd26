// SPDX-License-Identifier: Apache-2.0
#include "store/refusals.hpp"

#include "base/limits.hpp"

#include <algorithm>

namespace rollcall::store {

void MemoryRefusalLog::note(RefusalRecord record) {
    const std::scoped_lock lock{mutex_};
    newest_first_.remove_if([&record](const auto& each) { return each.id == record.id; });
    newest_first_.push_front(std::move(record));
    const auto strangers = std::count_if(newest_first_.begin(), newest_first_.end(),
                                         [](const auto& each) { return !each.known; });
    if (static_cast<std::size_t>(strangers) > limits::stranger_refusals_max) {
        const auto oldest = std::find_if(newest_first_.rbegin(), newest_first_.rend(),
                                         [](const auto& each) { return !each.known; });
        newest_first_.erase(std::next(oldest).base());
    }
}

Task<Result<std::optional<RefusalRecord>>> MemoryRefusalLog::last(const RegistrationId& id) {
    const std::scoped_lock lock{mutex_};
    for (const auto& each : newest_first_) {
        if (each.id == id) {
            co_return each;
        }
    }
    co_return std::nullopt;
}

Task<Result<std::vector<RefusalRecord>>> MemoryRefusalLog::newest(std::size_t count) {
    const std::scoped_lock lock{mutex_};
    const std::size_t size = std::min({count, limits::page_max, newest_first_.size()});
    const auto end = std::next(newest_first_.begin(), static_cast<std::ptrdiff_t>(size));
    co_return std::vector<RefusalRecord>(newest_first_.begin(), end);
}

}  // namespace rollcall::store
