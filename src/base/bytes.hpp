// SPDX-License-Identifier: Apache-2.0
// Byte views and the spellings bytes travel in. Used everywhere; owns no protocol.
#pragma once

#include "base/result.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rollcall {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

inline ByteView as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A SHA-256 digest. Made by x509/digest.hpp; here so that pure floors can hold one.
struct Digest {
    std::array<std::uint8_t, 32> bytes{};

    auto operator<=>(const Digest&) const = default;
    /// 64 lower-case hex characters.
    std::string hex() const;
};

std::string to_hex(ByteView bytes);
std::string to_upper_hex(ByteView bytes);

/// Either case; malformed on an odd count or any other character (colons too).
Result<Bytes> parse_hex(std::string_view text);
Result<Digest> parse_digest(std::string_view hex);

/// RFC 4648 section 4, with padding.
std::string to_base64(ByteView bytes);

/// Standard alphabet; white space between characters is skipped, padding may be missing.
Result<Bytes> parse_base64(std::string_view text);

/// Compares without telling by its time where two secrets differ (only whether lengths do).
bool equal_in_constant_time(ByteView a, ByteView b);

/// ASCII only; other bytes stay as they are.
std::string to_lower_ascii(std::string_view text);
bool equal_ignoring_case(std::string_view a, std::string_view b);

}  // namespace rollcall

template <>
struct std::hash<rollcall::Digest> {
    std::size_t operator()(const rollcall::Digest& digest) const noexcept {
        std::size_t value = 0;
        for (std::size_t i = 0; i < sizeof value; ++i) {
            value = (value << 8) | digest.bytes[i];
        }
        return value;
    }
};
