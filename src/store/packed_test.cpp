// SPDX-License-Identifier: Apache-2.0
#include "store/packed.hpp"

#include <gtest/gtest.h>

namespace rollcall::store {
namespace {

using domain::MessageProperties;

const MessageProperties every_kind{
    {"$.mid", "1"},
    {"empty", ""},
    {"null", "", true},
    {"", "without a name"},
    {std::string{"\0\xff", 2}, std::string{"a\0\xfe", 3}},
    {"long", std::string(127, 'x')},
    {std::string(128, 'n'), std::string(20'000, 'y')},
    {"twice", "1"},
    {"twice", "2"},
};

TEST(Packed, PropertiesComeBackWithTheirNullsAndOrder) {
    for (const auto& properties : {MessageProperties{}, every_kind}) {
        const Bytes bytes = packed(properties);
        EXPECT_EQ(bytes.size(), packed_size(properties));
        EXPECT_EQ(unpack_properties(bytes).value(), properties);
    }
}

TEST(Packed, PropertiesThatWereCutOrLengthenedAreRefused) {
    Bytes bytes = packed(every_kind);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_FALSE(unpack_properties(ByteView{bytes}.first(size))) << size;
    }
    bytes.push_back(0);
    EXPECT_EQ(unpack_properties(bytes).error().reason, "unreadable-record");
}

TEST(Packed, NumbersComeBack) {
    for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{127}, std::uint64_t{128},
                                      std::uint64_t{1} << 32U, (std::uint64_t{1} << 63U) - 1}) {
        Bytes bytes;
        Packer packer{bytes};
        packer.count(value);
        packer.number64(~value);
        packer.number32(static_cast<std::uint32_t>(value) + 1);
        packer.text("t");
        packer.rest("rest");
        Unpacker unpacker{bytes};
        EXPECT_EQ(unpacker.count(), value);
        EXPECT_EQ(unpacker.number64(), ~value);
        EXPECT_EQ(unpacker.number32(), static_cast<std::uint32_t>(value) + 1);
        EXPECT_EQ(unpacker.text(), "t");
        EXPECT_FALSE(unpacker.complete());
        EXPECT_EQ(unpacker.rest(), "rest");
        EXPECT_TRUE(unpacker.complete());
    }
}

TEST(Packed, ACountThatNeverEndsIsRefused) {
    const Bytes nine(9, 0xff);
    Unpacker unpacker{nine};
    EXPECT_EQ(unpacker.count(), 0U);
    EXPECT_FALSE(unpacker.sound());
    EXPECT_EQ(unpacker.text(), "");
    EXPECT_EQ(unpacker.number32(), 0U);
}

}  // namespace
}  // namespace rollcall::store
