// SPDX-License-Identifier: Apache-2.0
#include "base/percent.hpp"

#include "base/bytes.hpp"

namespace rollcall {

std::string percent_encoded(std::string_view plain) {
    std::string text;
    for (const char c : plain) {
        const bool unreserved = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                                (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_' ||
                                c == '~';
        if (unreserved) {
            text.push_back(c);
        } else {
            text += '%' + to_upper_hex(as_bytes({&c, 1}));
        }
    }
    return text;
}

}  // namespace rollcall
