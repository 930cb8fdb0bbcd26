// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.hpp"

#include <algorithm>

namespace rollcall {

CodePoint first_code_point(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) {
        return {lead, 1};
    }
    const std::size_t count = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
    if (count == 0 || lead > 0xf4 || text.size() < count) {
        return {};
    }
    char32_t value = lead & (0xff >> (count + 1));
    for (std::size_t i = 1; i < count; ++i) {
        if ((byte(i) & 0xc0) != 0x80) {
            return {};
        }
        value = (value << 6) | (byte(i) & 0x3f);
    }
    const bool overlong = (count == 3 && value < 0x800) || (count == 4 && value < 0x10000);
    const bool surrogate = value >= 0xd800 && value <= 0xdfff;
    return overlong || surrogate || value > 0x10ffff ? CodePoint{} : CodePoint{value, count};
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const CodePoint point = first_code_point(text);
        if (point.bytes == 0) {
            return false;
        }
        text.remove_prefix(point.bytes);
    }
    return true;
}

std::string repaired_utf8(std::string_view text) {
    std::string repaired;
    while (!text.empty()) {
        const CodePoint point = first_code_point(text);
        repaired +=
            point.bytes == 0 ? std::string_view{"\xef\xbf\xbd"} : text.substr(0, point.bytes);
        text.remove_prefix(std::max<std::size_t>(point.bytes, 1));
    }
    return repaired;
}

}  // namespace rollcall
