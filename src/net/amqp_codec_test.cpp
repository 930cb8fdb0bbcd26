// SPDX-License-Identifier: Apache-2.0
#include "net/amqp_codec.hpp"

#include "net/amqp_message.hpp"
#include "net/amqp_performative.hpp"
#include "net/amqp_sasl.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::net::amqp {
namespace {

using namespace std::string_literals;

constexpr MessageBounds bounds{.annotations_max = 2, .properties_max = 3, .sections_max = 2};

Result<Item> item_of(const std::string& wire) {
    ItemReader reader{as_bytes(wire)};
    return reader.next();
}

template <class T>
std::string reason_of(const Result<T>& result) {
    return result ? "accepted" : result.error().reason;
}

TEST(AmqpValues, NumbersOfEveryWidth) {
    const std::vector<std::pair<std::string, std::uint64_t>> unsigned_ones{
        {"\x43"s, 0},           {"\x44"s, 0},
        {"\x50\xff"s, 255},     {"\x52\x07"s, 7},
        {"\x53\x07"s, 7},       {"\x60\1\2"s, 258},
        {"\x70\0\0\1\0"s, 256}, {"\x80\xff\xff\xff\xff\xff\xff\xff\xff"s, ~std::uint64_t{0}}};
    for (const auto& [wire, value] : unsigned_ones) {
        EXPECT_EQ(item_of(wire)->number(), value);
        EXPECT_FALSE(item_of(wire)->integer());
    }
    const std::vector<std::pair<std::string, std::int64_t>> signed_ones{
        {"\x51\xff"s, -1},
        {"\x54\xfe"s, -2},
        {"\x55\xfd"s, -3},
        {"\x61\xff\xff"s, -1},
        {"\x71\xff\xff\xff\xfe"s, -2},
        {"\x81\x80\0\0\0\0\0\0\0"s, INT64_MIN},
        {"\x83\0\0\0\0\0\0\0\5"s, 5}};
    for (const auto& [wire, value] : signed_ones) {
        EXPECT_EQ(item_of(wire)->integer(), value);
        EXPECT_FALSE(item_of(wire)->number());
    }
    EXPECT_EQ(item_of("\x72\x3f\x80\0\0"s)->floating(), 1.0);
    EXPECT_EQ(item_of("\x82\x3f\xf0\0\0\0\0\0\0"s)->floating(), 1.0);
    EXPECT_EQ(item_of("\x41"s)->boolean(), true);
    EXPECT_EQ(item_of("\x56\0"s)->boolean(), false);
}

TEST(AmqpValues, WhatIsNoValueIsRefused) {
    for (const auto& wire :
         {""s, "\0"s, "\0\x53"s, "\0\x53\x10"s, "\0\x40\x40"s, "\0\0\x53\1\x40\x40"s, "\x46"s,
          "\x99"s, "\x30"s, "\x70\0\0"s, "\xa1\5ab"s, "\xb1\xff\xff\xff\xff"s, "\xc0\0"s,
          "\xc0\1\2"s, "\xd0\0\0\0\4\xff\xff\xff\xff"s, "\xd0\0\0\0\3\0\0\0"s}) {
        EXPECT_EQ(reason_of(item_of(wire)), "amqp:decode-error") << to_hex(as_bytes(wire));
    }
}

TEST(AmqpFrames, AreCutFromWhatComes) {
    std::string wire;
    put_frame(wire, FrameType::amqp, 3, "abc", "de");
    put_frame(wire, FrameType::amqp, 0, {});
    FrameReader reader;
    for (const char byte : wire.substr(0, 12)) {
        reader.feed(as_bytes(std::string_view{&byte, 1}));
        EXPECT_FALSE(*reader.frame(FrameType::amqp, 100));
    }
    reader.feed(as_bytes(wire).subspan(12));
    const auto first = reader.frame(FrameType::amqp, 100);
    EXPECT_EQ((*first)->channel, 3);
    EXPECT_EQ((*first)->body, "abcde");
    EXPECT_EQ((**reader.frame(FrameType::amqp, 100)).body, "");
    EXPECT_TRUE(reader.empty());
}

TEST(AmqpFrames, HaveABoundThatIsMetBeforeTheyCome) {
    for (const auto& [bytes, taken] : {std::pair{100U, true}, {101U, false}, {7U, false}}) {
        FrameReader reader;
        const std::string head{'\0', '\0', '\0', static_cast<char>(bytes)};
        reader.feed(as_bytes(head));
        EXPECT_EQ(reader.frame(FrameType::amqp, 100).has_value(), taken) << bytes;
    }
}

template <class T>
void comes_back(const T& performative) {
    const auto read = parse_performative(encode(performative));
    ASSERT_TRUE(read) << read.error().detail;
    ASSERT_TRUE(std::holds_alternative<T>(*read));
    EXPECT_EQ(std::get<T>(*read), performative);
}

TEST(AmqpPerformatives, ComeBackAsTheyWere) {
    comes_back(Open{.container_id = "c",
                    .hostname = "h",
                    .frame_bytes_max = 512,
                    .channel_max = 7,
                    .idle_milliseconds = 1'000});
    comes_back(Begin{.remote_channel = 1,
                     .next_outgoing_id = 2,
                     .incoming_window = 3,
                     .outgoing_window = 4,
                     .handle_max = 5});
    comes_back(Attach{.name = "l",
                      .handle = 300,
                      .receives = true,
                      .sender_settles = SettleMode::settled,
                      .source = "s",
                      .target = "t",
                      .message_bytes_max = 9});
    comes_back(Attach{.name = "l", .initial_delivery_count = 4});
    comes_back(Flow{.next_incoming_id = 1,
                    .incoming_window = 2,
                    .next_outgoing_id = 3,
                    .outgoing_window = 4,
                    .handle = 5,
                    .delivery_count = 6,
                    .credit = 7,
                    .drain = true});
    comes_back(Flow{.incoming_window = 2});
    comes_back(
        Transfer{.handle = 1, .id = 2, .tag = "t", .format = 3, .settled = true, .more = true});
    comes_back(Disposition{.from_receiver = true,
                           .first = 1,
                           .last = 2,
                           .settled = true,
                           .outcome = Outcome::rejected,
                           .condition = {"a:b", "why"}});
    comes_back(Detach{.handle = 1, .closed = true, .condition = {"a:b", ""}});
    comes_back(End{});
    comes_back(Close{{"a:b", "why"}});
}

TEST(AmqpSasl, Plain) {
    for (const auto& response : {"\0u\0p"s, "u\0u\0p"s}) {
        const auto credential = parse_plain(response);
        ASSERT_TRUE(credential);
        EXPECT_EQ(credential->user, "u");
        EXPECT_EQ(credential->password, "p");
    }
    for (const auto& response :
         {""s, "\0"s, "\0u"s, "\0\0p"s, "o\0u\0p"s, "\0u\0p\0"s, "\0u\0\xff"s}) {
        EXPECT_FALSE(parse_plain(response)) << to_hex(as_bytes(response));
    }
}

Message full_message() {
    Message message;
    message.annotations = {{"status", std::int32_t{200}}, {"version", std::int64_t{7}}};
    message.id = MessageId::of_text("m");
    message.correlation_id = MessageId::of_uuid(Bytes(16, 1));
    message.user_id = "u";
    message.to = "t";
    message.subject = "s";
    message.reply_to = "r";
    message.content_type = "application/json";
    message.content_encoding = "utf-8";
    message.expires = 5;
    message.created = 6;
    message.properties = {{"a", std::string{"b"}}, {"n", Scalar{}}, {"t", true}};
    message.body = {"one", std::string(300, 'x')};
    return message;
}

TEST(AmqpMessage, ComesBackAsItWas) {
    const auto read = parse_message(encode(full_message()), bounds);
    ASSERT_TRUE(read) << read.error().detail;
    EXPECT_EQ(*read, full_message());
}

TEST(AmqpMessage, HasBounds) {
    for (const auto& [change, reason] : std::vector<std::pair<void (*)(Message&), std::string>>{
             {[](Message& m) { m.annotations.emplace_back("x", true); },
              "amqp:resource-limit-exceeded"},
             {[](Message& m) { m.properties.emplace_back("x", true); },
              "amqp:resource-limit-exceeded"},
             {[](Message& m) { m.body.emplace_back("x"); }, "amqp:resource-limit-exceeded"}}) {
        Message message = full_message();
        change(message);
        EXPECT_EQ(reason_of(parse_message(encode(message), bounds)), reason);
    }
}

TEST(AmqpMessage, WhatIsNoneIsRefused) {
    const std::string data = "\0\x53\x75\xa0\1x"s;
    const std::string properties = "\0\x53\x73\x45"s;
    EXPECT_TRUE(parse_message(data + properties, bounds));  // in any order, as the C SDK has it
    EXPECT_TRUE(parse_message("", bounds));
    for (const auto& [wire, reason] : std::vector<std::pair<std::string, std::string>>{
             {"\x40"s, "amqp:decode-error"},
             {properties + properties, "amqp:decode-error"},
             {data.substr(0, 5), "amqp:decode-error"},
             {"\0\x53\x75\xa1\1x"s, "amqp:decode-error"},
             {"\0\x53\x73\xc0\3\1\xa1\0"s, "accepted"},
             {"\0\x53\x73\xc0\4\1\xa1\1\xff"s, "amqp:decode-error"},
             {"\0\x53\x73\xc1\1\0"s, "amqp:decode-error"},
             {"\0\x53\x74\xc1\5\1\xa1\1k\x40"s, "amqp:decode-error"},
             {"\0\x53\x74\xc1\5\2\xa1\1k\x40"s, "accepted"},
             {"\0\x53\x74\xc1\5\2\xa0\1k\x40"s, "amqp:decode-error"},
             {"\0\x53\x74\xc1\6\2\xa1\1k\x50\1"s, "accepted"},
             {"\0\x53\x74\xc1\5\2\xa1\1k\x45"s, "amqp:decode-error"},
             {"\0\x53\x76\x45"s, "amqp:not-implemented"},
             {"\0\x53\x77\x41"s, "amqp:not-implemented"},
             {"\0\x53\x99\x40"s, "amqp:not-implemented"},
             {"\0\xa3\1x\x40"s, "amqp:not-implemented"}}) {
        EXPECT_EQ(reason_of(parse_message(wire, bounds)), reason) << to_hex(as_bytes(wire));
    }
}

TEST(AmqpMessage, IdsOfEveryType) {
    for (const auto& [wire, text] : std::vector<std::pair<std::string, std::string>>{
             {"\xa1\1x"s, "x"},
             {"\x53\7"s, "7"},
             {"\xa0\2\0\xff"s, "00ff"},
             {"\x98"s + std::string(16, '\x11'), "11111111-1111-1111-1111-111111111111"}}) {
        const std::string list = "\x40\x40\x40\x40\x40"s + wire;
        std::string section = "\0\x53\x73"s;
        put_list(section, 6, list);
        const auto message = parse_message(section, bounds);
        ASSERT_TRUE(message);
        EXPECT_EQ(message->correlation_id.encoded, wire);
        EXPECT_EQ(message->correlation_id.text, text);
    }
}

}  // namespace
}  // namespace rollcall::net::amqp
