// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt_session.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::net::mqtt {
namespace {

using namespace std::string_literals;
using namespace std::chrono_literals;

constexpr SessionBounds bounds{.connect_bytes_max = 256,
                               .packet_bytes_max = 1'024,
                               .unacknowledged_max = 2,
                               .outgoing_bytes_max = 4'096};

const std::string connect_wire = "\x10\x0d\0\4MQTT\4\2\0\x3c\0\1c"s;
const std::string lasting_without_id = "\x10\x0c\0\4MQTT\4\0\0\x3c\0\0"s;
const std::string clean_without_id = "\x10\x0c\0\4MQTT\4\2\0\x3c\0\0"s;
const std::string mqtt_5_wire = "\x10\x0e\0\4MQTT\5\2\0\x3c\0\0\1c"s;
const std::string mqtt_31_wire = "\x10\x0f\0\6MQIsdp\3\2\0\x3c\0\1c"s;
const std::string will_twice = "\x10\x13\0\4MQTT\4\x16\0\x3c\0\1c\0\1t\0\1w"s;
const std::string ping = "\xc0\0"s;
const std::string disconnect = "\xe0\0"s;
const std::string publish_twice = "\x34\5\0\1t\0\1"s;

/// A session with a connected client.
struct Connected {
    Session session{bounds};
    Connected() {
        session.received(as_bytes(connect_wire));
        EXPECT_TRUE(std::holds_alternative<Connect>(**session.next()));
        session.accept(false);
        EXPECT_EQ(session.take_outgoing(), "\x20\2\0\0"s);
    }
    std::string puback(PacketId id) {
        return "\x40\2"s + std::string{static_cast<char>(id >> 8), static_cast<char>(id & 0xff)};
    }
    /// What the session says after it received that.
    std::string after(const std::string& wire) {
        session.received(as_bytes(wire));
        EXPECT_TRUE(session.next());
        return session.take_outgoing();
    }
};

TEST(MqttSession, OpensWithConnectAndOnlyThat) {
    struct Row {
        std::string wire;
        std::string reason;
        std::string answer;
    };
    const Row rows[] = {
        {ping, "mqtt-no-connect", ""},
        {disconnect, "mqtt-no-connect", ""},
        {publish_twice, "mqtt-no-connect", ""},
        {mqtt_5_wire, "mqtt-version", "\x20\3\0\x84\0"s},
        {mqtt_31_wire, "mqtt-version", "\x20\2\0\1"s},
        {lasting_without_id, "mqtt-no-client-id", "\x20\2\0\2"s},
        {will_twice, "mqtt-exactly-once", ""},
        {"\x10\xff\x7f", "packet-too-large", ""},
    };
    for (const auto& row : rows) {
        Session session{bounds};
        session.received(as_bytes(row.wire));
        const auto event = session.next();
        ASSERT_FALSE(event) << row.reason;
        EXPECT_EQ(event.error().reason, row.reason);
        EXPECT_EQ(session.take_outgoing(), row.answer) << row.reason;
        EXPECT_FALSE(session.connected());
    }
    Session session{bounds};
    session.received(as_bytes(clean_without_id));
    EXPECT_TRUE(session.next());
}

TEST(MqttSession, TellsWhetherTheClientMayComeIn) {
    for (const bool present : {false, true}) {
        Session session{bounds};
        session.received(as_bytes(connect_wire));
        EXPECT_TRUE(*session.next());
        session.accept(present);
        EXPECT_TRUE(session.connected());
        EXPECT_EQ(session.take_outgoing(), "\x20\2"s + (present ? '\1' : '\0') + '\0');
    }
    Session session{bounds};
    session.received(as_bytes(connect_wire));
    EXPECT_TRUE(*session.next());
    session.refuse(ConnectAnswer::not_authorized);
    EXPECT_FALSE(session.connected());
    EXPECT_EQ(session.take_outgoing(), "\x20\2\0\5"s);
}

TEST(MqttSession, EndsWhereARuleIsBroken) {
    for (const auto& [wire, reason] : {std::pair{connect_wire, "mqtt-second-connect"},
                                       {publish_twice, "mqtt-exactly-once"},
                                       {"\x30\xff\xff\x7f"s, "packet-too-large"},
                                       {"\xf0\0"s, "mqtt-bad-packet"}}) {
        Connected connected;
        connected.session.received(as_bytes(ping + wire));
        const auto event = connected.session.next();
        ASSERT_FALSE(event) << reason;
        EXPECT_EQ(event.error().reason, reason);
        EXPECT_EQ(connected.session.take_outgoing(), "\xd0\0"s) << reason;
        EXPECT_FALSE(connected.session.connected());
    }
}

TEST(MqttSession, AnswersPingsByItself) {
    Connected connected;
    EXPECT_EQ(connected.after(ping + ping), "\xd0\0\xd0\0"s);
    std::string flood;
    for (std::size_t i = 0; i < bounds.outgoing_bytes_max; ++i) {
        flood += ping;
    }
    connected.session.received(as_bytes(flood));
    EXPECT_EQ(connected.session.next().error().reason, "client-too-slow");
}

TEST(MqttSession, SaysGoodbyeOnce) {
    Connected connected;
    connected.session.received(as_bytes(disconnect));
    EXPECT_EQ(**connected.session.next(), Event{Disconnect{}});
    EXPECT_FALSE(connected.session.connected());
}

TEST(MqttSession, KeepsWhatIsNotAcknowledgedWithinABound) {
    Connected connected;
    const auto send = [&](std::uint64_t token) {
        EXPECT_TRUE(connected.session.publish({.topic = "t",
                                               .payload = std::to_string(token),
                                               .qos = Qos::at_least_once,
                                               .token = token}));
    };
    send(71);
    send(72);
    send(73);
    send(74);
    EXPECT_EQ(connected.session.take_outgoing(),
              "\x32\7\0\1t\0\1"s + "71" + "\x32\7\0\1t\0\2"s + "72");
    EXPECT_TRUE(connected.session.publish({.topic = "t", .payload = "once"}));
    EXPECT_EQ(connected.session.take_outgoing(), "\x30\7\0\1tonce"s);

    connected.session.received(as_bytes(connected.puback(2) + connected.puback(2)));
    EXPECT_EQ(**connected.session.next(), Event{Acknowledged{72}});
    EXPECT_EQ(*connected.session.next(), std::nullopt);
    EXPECT_EQ(connected.session.take_outgoing(), "\x32\7\0\1t\0\3"s + "73");
    connected.session.received(as_bytes(connected.puback(1)));
    EXPECT_EQ(**connected.session.next(), Event{Acknowledged{71}});
    EXPECT_EQ(connected.session.take_outgoing(), "\x32\7\0\1t\0\4"s + "74");
}

TEST(MqttSession, NumbersNeverMeetOneInUse) {
    Connected connected;
    EXPECT_TRUE(connected.session.publish({.topic = "t", .qos = Qos::at_least_once, .token = 1}));
    for (int i = 0; i < 70'000; ++i) {
        EXPECT_TRUE(
            connected.session.publish({.topic = "t", .qos = Qos::at_least_once, .token = 2}));
        const std::string wire = connected.session.take_outgoing();
        const auto id =
            static_cast<PacketId>(static_cast<std::uint8_t>(wire[wire.size() - 2]) << 8 |
                                  static_cast<std::uint8_t>(wire[wire.size() - 1]));
        ASSERT_NE(id, 0);
        ASSERT_TRUE(id != 1 || i == 0);
        connected.session.received(as_bytes(connected.puback(id)));
        ASSERT_EQ(**connected.session.next(), Event{Acknowledged{2}});
    }
}

TEST(MqttSession, EndsAClientThatDoesNotRead) {
    Connected connected;
    const std::string body(1'000, 'x');
    for (int i = 0; i < 4; ++i) {
        EXPECT_TRUE(connected.session.publish({.topic = "t", .payload = body}));
    }
    EXPECT_EQ(connected.session.publish({.topic = "t", .payload = body}).error().reason,
              "client-too-slow");
    static_cast<void>(connected.session.take_outgoing());
    for (int i = 0; i < 6; ++i) {  // what waits for PUBACKs counts as well
        EXPECT_TRUE(
            connected.session.publish({.topic = "t", .payload = body, .qos = Qos::at_least_once}))
            << i;
        if (i == 1) {
            static_cast<void>(connected.session.take_outgoing());
        }
    }
    EXPECT_FALSE(
        connected.session.publish({.topic = "t", .payload = body, .qos = Qos::at_least_once}));
}

TEST(MqttSession, KnowsHowLongAClientMayBeSilent) {
    Connected connected;  // 60 seconds
    EXPECT_EQ(connected.session.silence_max(1'177s), 90s);
    EXPECT_EQ(connected.session.silence_max(40s), 60s);
    Session without{bounds};
    without.received(as_bytes("\x10\x0d\0\4MQTT\4\2\0\0\0\1c"s));
    EXPECT_TRUE(without.next());
    EXPECT_EQ(without.silence_max(1'177s), 1765500ms);
}

}  // namespace
}  // namespace rollcall::net::mqtt
