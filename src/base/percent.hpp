// SPDX-License-Identifier: Apache-2.0
// Percent-encoding, as addresses and shared access signatures travel.
#pragma once

#include <string>
#include <string_view>

namespace rollcall {

/// RFC 3986 section 2.1: all but its unreserved characters, in upper-case hex.
std::string percent_encoded(std::string_view plain);

}  // namespace rollcall
