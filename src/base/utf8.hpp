// SPDX-License-Identifier: Apache-2.0
// Is it text? For what strangers send and we keep or show.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rollcall {

struct CodePoint {
    char32_t value = 0;
    std::size_t bytes = 0;  ///< 0: not UTF-8
};

/// The code point at the start of `text`, which is not empty.
CodePoint first_code_point(std::string_view text);

bool is_utf8(std::string_view text);

/// With U+FFFD for each byte that is no UTF-8.
std::string repaired_utf8(std::string_view text);

}  // namespace rollcall
