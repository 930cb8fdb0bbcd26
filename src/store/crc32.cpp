// SPDX-License-Identifier: Apache-2.0
#include "store/crc32.hpp"

#include <array>

namespace rollcall::store {
namespace {

/// The polynomial, lowest power in the highest bit.
constexpr std::uint32_t polynomial = 0xedb8'8320;
constexpr std::size_t step = 8;
using Tables = std::array<std::array<std::uint32_t, 256>, step>;

/// tables[n][b]: what a byte b does to the sum when n more bytes follow it.
constexpr Tables make_tables() {
    Tables tables{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t sum = byte;
        for (int bit = 0; bit < 8; ++bit) {
            sum = (sum >> 1U) ^ ((sum & 1U) != 0 ? polynomial : 0);
        }
        tables[0][byte] = sum;
    }
    for (std::size_t n = 1; n < step; ++n) {
        for (std::size_t byte = 0; byte < 256; ++byte) {
            const std::uint32_t before = tables[n - 1][byte];
            tables[n][byte] = (before >> 8U) ^ tables[0][before & 0xffU];
        }
    }
    return tables;
}

constexpr Tables tables = make_tables();

}  // namespace

std::uint32_t crc32(ByteView bytes) {
    std::uint32_t sum = ~std::uint32_t{0};
    while (bytes.size() >= step) {
        std::uint32_t next = 0;
        for (std::size_t i = 0; i < step; ++i) {
            const std::uint32_t before = i < sizeof sum ? (sum >> (8 * i)) & 0xffU : 0;
            next ^= tables[step - 1 - i][bytes[i] ^ before];
        }
        sum = next;
        bytes = bytes.subspan(step);
    }
    for (const std::uint8_t byte : bytes) {
        sum = (sum >> 8U) ^ tables[0][(sum ^ byte) & 0xffU];
    }
    return ~sum;
}

}  // namespace rollcall::store
