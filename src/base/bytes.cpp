// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.hpp"

#include <algorithm>

namespace rollcall {
namespace {

std::string in_hex(ByteView bytes, std::string_view digits) {
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const auto byte : bytes) {
        text.push_back(digits[byte >> 4]);
        text.push_back(digits[byte & 0x0f]);
    }
    return text;
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

int base64_value(char c) {
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    if (c == '+') {
        return 62;
    }
    if (c == '/') {
        return 63;
    }
    return -1;
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

std::string Digest::hex() const {
    return to_hex(bytes);
}

std::string to_hex(ByteView bytes) {
    return in_hex(bytes, "0123456789abcdef");
}

std::string to_upper_hex(ByteView bytes) {
    return in_hex(bytes, "0123456789ABCDEF");
}

Result<Bytes> parse_hex(std::string_view text) {
    if (text.size() % 2 != 0) {
        return Error{ErrorKind::malformed, "hex needs an even count of digits"};
    }
    Bytes bytes;
    bytes.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const int high = hex_value(text[i]);
        const int low = hex_value(text[i + 1]);
        if (high < 0 || low < 0) {
            return Error{ErrorKind::malformed, "not a hex digit"};
        }
        bytes.push_back(static_cast<std::uint8_t>(high * 16 + low));
    }
    return bytes;
}

Result<Digest> parse_digest(std::string_view hex) {
    TRY(const auto bytes, parse_hex(hex));
    Digest digest;
    if (bytes.size() != digest.bytes.size()) {
        return Error{ErrorKind::malformed, "a SHA-256 digest is 64 hex digits"};
    }
    std::copy(bytes.begin(), bytes.end(), digest.bytes.begin());
    return digest;
}

std::string to_base64(ByteView bytes) {
    static constexpr std::string_view alphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t left = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 3; ++k) {
            group = (group << 8) | (k < left ? bytes[i + k] : 0U);
        }
        for (std::size_t k = 0; k < 4; ++k) {
            text.push_back(k <= left ? alphabet[(group >> (18 - 6 * k)) & 0x3f] : '=');
        }
    }
    return text;
}

Result<Bytes> parse_base64(std::string_view text) {
    Bytes bytes;
    bytes.reserve(text.size() / 4 * 3);
    std::uint32_t group = 0;
    int bits = 0;
    std::size_t padding = 0;
    std::size_t characters = 0;
    for (const char c : text) {
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            continue;
        }
        if (c == '=') {
            ++padding;
            continue;
        }
        const int value = base64_value(c);
        if (value < 0 || padding > 0) {
            return Error{ErrorKind::malformed, "not base64"};
        }
        ++characters;
        group = (group << 6) | static_cast<std::uint32_t>(value);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes.push_back(static_cast<std::uint8_t>((group >> bits) & 0xff));
        }
    }
    const bool padding_fits = padding == 0 || (padding <= 2 && (characters + padding) % 4 == 0);
    if (characters % 4 == 1 || !padding_fits) {
        return Error{ErrorKind::malformed, "not base64: it is cut short"};
    }
    return bytes;
}

bool equal_in_constant_time(ByteView a, ByteView b) {
    if (a.size() != b.size()) {
        return false;
    }
    volatile std::uint8_t difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        difference = static_cast<std::uint8_t>(difference | (a[i] ^ b[i]));
    }
    return difference == 0;
}

std::string to_lower_ascii(std::string_view text) {
    std::string result{text};
    std::transform(result.begin(), result.end(), result.begin(), lower);
    return result;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace rollcall
