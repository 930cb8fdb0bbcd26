// SPDX-License-Identifier: Apache-2.0
#include "front/page_size.hpp"

#include "base/limits.hpp"

#include <algorithm>
#include <charconv>
#include <string>

namespace rollcall::front {

Result<std::size_t> read_page_size(std::string_view name, std::optional<std::string_view> text) {
    if (!text || text->empty()) {
        return limits::page_max;
    }
    const auto* const end = text->data() + text->size();
    std::size_t count = 0;
    const auto read = std::from_chars(text->data(), end, count);
    if (read.ec != std::errc{} || read.ptr != end || count < 1) {
        return Error{ErrorKind::malformed,
                     std::string{name} + " is a number from 1 on; more than " +
                         std::to_string(limits::page_max) + " are never sent at once",
                     "malformed-page"};
    }
    return std::min(count, limits::page_max);
}

}  // namespace rollcall::front
