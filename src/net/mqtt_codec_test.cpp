// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt_codec.hpp"

#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::net::mqtt {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;

constexpr std::size_t bound = 4'096;

/// All packets of `bytes`, which come `piece` at a time, and what ended the reading.
struct Reading {
    std::vector<Packet> packets{};
    std::string ended{};  ///< reason of the error; empty: none
};
Reading read(const std::string& bytes, std::size_t piece = std::string::npos) {
    Reading reading;
    PacketReader reader{bound};
    for (std::size_t at = 0; at < bytes.size(); at += std::min(piece, bytes.size())) {
        const std::string part = bytes.substr(at, piece);
        reader.feed(as_bytes(part));
        while (true) {
            auto packet = reader.next();
            if (!packet) {
                reading.ended = packet.error().reason;
                return reading;
            }
            if (!*packet) {
                break;
            }
            reading.packets.push_back(**std::move(packet));
        }
    }
    return reading;
}

std::string text(std::string_view value) {
    return std::string{static_cast<char>(value.size() >> 8), static_cast<char>(value.size())} +
           std::string{value};
}
std::string packet(int first, const std::string& inside) {
    std::string length;
    std::size_t left = inside.size();
    do {
        length.push_back(static_cast<char>((left & 0x7f) | (left > 0x7f ? 0x80 : 0)));
        left >>= 7;
    } while (left > 0);
    return std::string{static_cast<char>(first)} + length + inside;
}
std::string connect(int flags, const std::string& payload, int level = 4,
                    std::string_view protocol = "MQTT") {
    return packet(0x10, text(protocol) +
                            std::string{static_cast<char>(level), static_cast<char>(flags), 0, 60} +
                            payload);
}

TEST(MqttCodec, ReadsWhatADeviceOfDpsSends) {
    const std::string username = "0ne00000001/registrations/dev-1/api-version=2019-03-31";
    const std::string topic = "$dps/registrations/PUT/iotdps-register/?$rid=1";
    const std::string conversation =
        connect(0x82, text("dev-1") + text(username)) +
        packet(0x82, "\0\1"s + text("$dps/registrations/res/#") + "\1"s) +
        packet(0x32, text(topic) + "\0\2"s + "{}") + packet(0x40, "\0\7"s) + packet(0xc0, "") +
        packet(0xe0, "");
    for (const std::size_t piece : {1U, 2U, 3U, 7U, 1'000U}) {
        const auto reading = read(conversation, piece);
        EXPECT_EQ(reading.ended, "");
        EXPECT_THAT(
            reading.packets,
            ElementsAre(Packet{Connect{
                            .client_id = "dev-1", .keep_alive_seconds = 60, .username = username}},
                        Packet{Subscribe{1, {{"$dps/registrations/res/#", Qos::at_least_once}}}},
                        Packet{Publish{
                            .topic = topic, .payload = "{}", .qos = Qos::at_least_once, .id = 2}},
                        Packet{Puback{7}}, Packet{Pingreq{}}, Packet{Disconnect{}}))
            << piece;
    }
}

TEST(MqttCodec, ReadsEveryFieldOfConnect) {
    const auto reading = read(connect(0xec, text("") + text("devices/d/messages/events/") +
                                                text("gone\0"s) + text("user") + text("\xff\0"s)));
    ASSERT_EQ(reading.packets.size(), 1U);
    const Connect expected{
        .client_id = "",
        .clean_session = false,
        .keep_alive_seconds = 60,
        .will = Will{"devices/d/messages/events/", "gone\0"s, Qos::at_least_once, true},
        .username = "user",
        .password = "\xff\0"s};
    EXPECT_EQ(reading.packets[0], Packet{expected});
}

TEST(MqttCodec, ReadsNothingOfConnectButTheLevelOfAnother) {
    for (const auto& [bytes, level] : {std::pair{connect(0xff, "whatever", 5), 5},
                                       {connect(0, "", 3, "MQIsdp"), 3},
                                       {connect(0, "", 0x84), 0x84},
                                       {connect(2, text("c"), 4, "MQIsdp"), 3}}) {
        const auto reading = read(bytes);
        ASSERT_EQ(reading.packets.size(), 1U) << level;
        EXPECT_EQ(std::get<Connect>(reading.packets[0]).protocol_level, level);
    }
}

/// Bytes that break a rule, and the word for it.
struct Broken {
    std::string bytes;
    std::string reason;
};

TEST(MqttCodec, RefusesWhatBreaksARule) {
    const std::string one = "\0\1"s;
    const Broken rows[] = {
        // Section 2.2: kinds, flags, lengths.
        {packet(0x00, ""), "mqtt-bad-packet"},
        {packet(0xf0, ""), "mqtt-bad-packet"},
        {packet(0x20, "\0\0"s), "mqtt-bad-packet"},
        {packet(0x90, one + "\0"s), "mqtt-bad-packet"},
        {packet(0xb0, one), "mqtt-bad-packet"},
        {packet(0xd0, ""), "mqtt-bad-packet"},
        {packet(0x11, ""), "mqtt-bad-flags"},
        {packet(0x80, one + text("a") + "\0"s), "mqtt-bad-flags"},
        {packet(0x83, one + text("a") + "\0"s), "mqtt-bad-flags"},
        {packet(0xa0, one + text("a")), "mqtt-bad-flags"},
        {packet(0x42, one), "mqtt-bad-flags"},
        {packet(0xc1, ""), "mqtt-bad-flags"},
        {packet(0xe8, ""), "mqtt-bad-flags"},
        {"\x30\xff\xff\xff\xff\x7f", "mqtt-bad-length"},
        {"\x30\x80\x80\x80\x80\x00"s, "mqtt-bad-length"},
        {"\x30\xff\xff\xff\x7f", "packet-too-large"},
        {packet(0x30, text("a") + std::string(bound - 2, 'x')), "packet-too-large"},
        // Section 3.1: CONNECT.
        {connect(2, text("c"), 4, "MQTt"), "mqtt-other-protocol"},
        {connect(2, text("c"), 4, "MQTTX"), "mqtt-other-protocol"},
        {packet(0x10, "GET / HTTP/1.1\r\n"), "mqtt-other-protocol"},
        {"G", "mqtt-bad-flags"},  // at once, whatever may follow
        {connect(3, text("c")), "mqtt-bad-flags"},
        {connect(0x0a, text("c")), "mqtt-bad-flags"},
        {connect(0x22, text("c")), "mqtt-bad-flags"},
        {connect(0x1e, text("c") + text("t") + text("")), "mqtt-bad-flags"},
        {connect(0x42, text("c") + text("p")), "mqtt-bad-flags"},
        {packet(0x10, text("MQTT")), "mqtt-short-packet"},
        {packet(0x10, text("MQIsdp")), "mqtt-short-packet"},
        {connect(2, ""), "mqtt-short-packet"},
        {connect(0x82, text("c")), "mqtt-short-packet"},
        {connect(0xc2, text("c") + text("u")), "mqtt-short-packet"},
        {connect(2, text("c") + "x"), "mqtt-long-packet"},
        {connect(2, text("\xc0\xaf")), "mqtt-bad-text"},
        {connect(2, text("\xed\xa0\x80")), "mqtt-bad-text"},
        {connect(2, text("a\0b"s)), "mqtt-bad-text"},
        {connect(6, text("c") + text("a/#") + text("")), "mqtt-bad-topic"},
        {connect(6, text("c") + text("") + text("")), "mqtt-bad-topic"},
        // Section 3.3: PUBLISH.
        {packet(0x36, text("a") + one), "mqtt-bad-flags"},
        {packet(0x38, text("a")), "mqtt-bad-flags"},
        {packet(0x30, ""), "mqtt-short-packet"},
        {packet(0x30, "\0\2a"s), "mqtt-short-packet"},
        {packet(0x32, text("a") + "\0"s), "mqtt-short-packet"},
        {packet(0x32, text("a") + "\0\0x"s), "mqtt-no-packet-id"},
        {packet(0x30, text("")), "mqtt-bad-topic"},
        {packet(0x30, text("a/+")), "mqtt-bad-topic"},
        {packet(0x30, text("a#")), "mqtt-bad-topic"},
        {packet(0x30, text("\xff")), "mqtt-bad-text"},
        // Sections 3.4 to 3.7: acknowledgements.
        {packet(0x40, "\0\0"s), "mqtt-no-packet-id"},
        {packet(0x40, "\1"), "mqtt-short-packet"},
        {packet(0x40, one + "x"), "mqtt-long-packet"},
        {packet(0x50, one), "mqtt-exactly-once"},
        {packet(0x62, one), "mqtt-exactly-once"},
        {packet(0x70, one), "mqtt-exactly-once"},
        // Sections 3.8 and 3.10.
        {packet(0x82, one), "mqtt-empty-packet"},
        {packet(0x82, "\0\0"s + text("a") + "\0"s), "mqtt-no-packet-id"},
        {packet(0x82, one + text("a")), "mqtt-short-packet"},
        {packet(0x82, one + text("a") + "\3"), "mqtt-bad-flags"},
        {packet(0x82, one + text("a") + "\4"), "mqtt-bad-flags"},
        {packet(0x82, one + text("") + "\0"s), "mqtt-bad-filter"},
        {packet(0x82, one + text("a/#/b") + "\0"s), "mqtt-bad-filter"},
        {packet(0xa2, one), "mqtt-empty-packet"},
        {packet(0xa2, "\0\0"s + text("a")), "mqtt-no-packet-id"},
        {packet(0xa2, one + "\0"s), "mqtt-short-packet"},
        {packet(0xa2, one + text("a+")), "mqtt-bad-filter"},
        // Sections 3.12 and 3.14.
        {packet(0xc0, "x"), "mqtt-long-packet"},
        {packet(0xe0, "x"), "mqtt-long-packet"},
    };
    for (const auto& row : rows) {
        for (const std::size_t piece : {1U, 5'000U}) {
            const auto reading = read(packet(0xc0, "") + row.bytes, piece);
            EXPECT_EQ(reading.ended, row.reason) << testing::PrintToString(row.bytes);
            EXPECT_EQ(reading.packets.size(), 1U) << testing::PrintToString(row.bytes);
        }
    }
}

TEST(MqttCodec, KnowsAPacketIsTooLargeBeforeItComes) {
    PacketReader reader{bound};
    const std::string at_bound = packet(0x30, text("a") + std::string(bound - 3, 'x'));
    reader.feed(as_bytes(at_bound));
    EXPECT_TRUE(reader.next().value());
    reader.set_packet_bytes_max(bound - 1);
    reader.feed(as_bytes(at_bound.substr(0, 3)));
    EXPECT_EQ(reader.next().error().reason, "packet-too-large");
}

TEST(MqttCodec, SaysWhetherAPacketHasBegun) {
    PacketReader reader{bound};
    EXPECT_FALSE(reader.in_packet());
    reader.feed(as_bytes("\xc0"));
    EXPECT_TRUE(reader.in_packet());
    EXPECT_FALSE(reader.next().value());
    reader.feed(as_bytes("\0"s));
    EXPECT_TRUE(reader.next().value());
    EXPECT_FALSE(reader.in_packet());
}

TEST(MqttCodec, KnowsATopicFilter) {
    for (const auto* good : {"a", "/", "#", "+", "a/#", "+/b/#", "/+", "a//b", "$iothub/+/#"}) {
        EXPECT_TRUE(is_topic_filter(good)) << good;
    }
    for (const auto* bad : {"", "a#", "a/#/", "#/a", "a+", "+a", "a/b+/c", "##", "a/##"}) {
        EXPECT_FALSE(is_topic_filter(bad)) << bad;
    }
}

TEST(MqttCodec, WritesWhatAServerSends) {
    EXPECT_EQ(encode_connack(ConnectAnswer::accepted, false), "\x20\x02\0\0"s);
    EXPECT_EQ(encode_connack(ConnectAnswer::accepted, true), "\x20\x02\1\0"s);
    EXPECT_EQ(encode_connack(ConnectAnswer::not_authorized, false), "\x20\x02\0\5"s);
    EXPECT_EQ(encode_connack_for_mqtt_5(), "\x20\x03\0\x84\0"s);
    EXPECT_EQ(encode(Puback{0x1234}), "\x40\x02\x12\x34");
    EXPECT_EQ(encode_suback(5, {Qos::at_most_once, Qos::at_least_once, std::nullopt}),
              "\x90\x05\0\5\0\1\x80"s);
    EXPECT_EQ(encode_unsuback(5), "\xb0\x02\0\5"s);
    EXPECT_EQ(encode_pingresp(), "\xd0\0"s);
}

TEST(MqttCodec, WritesWhatItReads) {
    for (const std::size_t size : {0U, 1U, 115U, 116U, 117U, 4'000U}) {
        for (const bool once : {true, false}) {
            const Publish publish{.topic = "some/topic",
                                  .payload = std::string(size, 'p'),
                                  .qos = once ? Qos::at_most_once : Qos::at_least_once,
                                  .retain = once,
                                  .duplicate = !once,
                                  .id = PacketId(once ? 0 : 0xfffe)};
            const auto reading = read(encode(publish));
            EXPECT_EQ(reading.ended, "");
            EXPECT_THAT(reading.packets, ElementsAre(Packet{publish})) << size;
        }
    }
}

}  // namespace
}  // namespace rollcall::net::mqtt
