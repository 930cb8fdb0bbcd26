// SPDX-License-Identifier: Apache-2.0
#include "store/crc32.hpp"

#include <boost/crc.hpp>
#include <gtest/gtest.h>

namespace rollcall::store {
namespace {

TEST(Crc32, IsTheUsualOne) {
    EXPECT_EQ(crc32({}), 0U);
    EXPECT_EQ(crc32(as_bytes("123456789")), 0xcbf4'3926U) << "the check value of its definition";
}

TEST(Crc32, IsAsAnotherReckonsItAtEveryLength) {
    std::string text;
    for (int i = 0; i < 300; ++i) {
        boost::crc_32_type other;
        other.process_bytes(text.data(), text.size());
        EXPECT_EQ(crc32(as_bytes(text)), other.checksum()) << i;
        text += static_cast<char>(i * 151 + 7);
    }
}

}  // namespace
}  // namespace rollcall::store
