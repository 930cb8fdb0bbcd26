// SPDX-License-Identifier: Apache-2.0
// Lists that are read whole, cut and searched in memory: few records, or all of them at hand.
#pragma once

#include "base/bytes.hpp"
#include "store/store.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace rollcall::store {

/// Is `part` somewhere in `text`? ASCII letters without case; everything has "".
inline bool has_part(const std::string& text, const std::string& part) {
    return to_lower_ascii(text).find(to_lower_ascii(part)) != std::string::npos;
}

/// One page of `records` in the order of `key_of`, of those that `keep` takes. They outlive it.
template <class Record, class Key, class Keep>
Page<const Record*> page_of_whole(const std::vector<Record>& records, const PageRequest& page,
                                  const Key& key_of, const Keep& keep) {
    std::map<std::string, const Record*> sorted;
    for (const auto& record : records) {
        if (keep(record)) {
            sorted.emplace(key_of(record), &record);
        }
    }
    Page<const Record*> found;
    std::string last;
    for (auto it = sorted.upper_bound(page.after); it != sorted.end(); ++it) {
        if (found.items.size() == page.count) {
            found.next = std::move(last);
            break;
        }
        found.items.push_back(it->second);
        last = it->first;
    }
    return found;
}
template <class Record, class Key>
Page<const Record*> page_of_whole(const std::vector<Record>& records, const PageRequest& page,
                                  const Key& key_of) {
    return page_of_whole(records, page, key_of, [](const Record&) { return true; });
}

}  // namespace rollcall::store
