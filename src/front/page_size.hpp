// SPDX-License-Identifier: Apache-2.0
// How many records a client of the cloud's APIs wants in a page.
#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

namespace rollcall::front {

/// The value of the header or parameter `name`; not given or empty: limits::page_max, which is also
/// the most. malformed "malformed-page".
Result<std::size_t> read_page_size(std::string_view name, std::optional<std::string_view> text);

}  // namespace rollcall::front
