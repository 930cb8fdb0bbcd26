// SPDX-License-Identifier: Apache-2.0
// MemoryStore's pages, for its own sources.
#pragma once

#include "store/memory.hpp"
#include "store/paging.hpp"

namespace rollcall::store {

/// The records after a key for which `keep` is true.
template <class T, class Keep>
Result<Page<T>> MemoryStore::page_of(const std::map<std::string, T>& records,
                                     const std::string& after, const PageRequest& page,
                                     Keep keep) const {
    TRY([[maybe_unused]] const auto here, answering());
    std::vector<T> items;
    for (auto each = records.upper_bound(after); each != records.end(); ++each) {
        if (items.size() > page_size(page)) {
            break;
        }
        if (keep(each->second)) {
            items.push_back(each->second);
        }
    }
    return cut_page(std::move(items), page);
}

}  // namespace rollcall::store
