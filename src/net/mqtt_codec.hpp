// SPDX-License-Identifier: Apache-2.0
// MQTT 3.1.1 bytes <-> packets, the server's side: a value that is fed bytes, without sockets and
// without a clock. Section numbers and [MQTT-…] marks are those of the OASIS standard of 2014. What
// a conversation may contain, and in which order, is net/mqtt_session's to say.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace rollcall::net::mqtt {

/// Number of a packet that is acknowledged; never 0 [MQTT-2.3.1-1].
using PacketId = std::uint16_t;

/// Quality of service. Twice (2) can be read, so that it can be refused in its own way.
enum class Qos : std::uint8_t { at_most_once, at_least_once, exactly_once };

/// What the server publishes when the connection ends without DISCONNECT.
struct Will {
    std::string topic{};
    std::string payload{};
    Qos qos = Qos::at_most_once;
    bool retain = false;

    bool operator==(const Will&) const = default;
};

struct Connect {
    /// 4 is MQTT 3.1.1. With any other, nothing else was read [MQTT-3.1.2-2].
    std::uint8_t protocol_level = 4;
    std::string client_id{};
    bool clean_session = true;
    std::uint16_t keep_alive_seconds = 0;  ///< 0: none
    std::optional<Will> will{};
    std::optional<std::string> username{};
    std::optional<std::string> password{};  ///< bytes

    bool operator==(const Connect&) const = default;
};

struct Publish {
    std::string topic{};
    std::string payload{};
    Qos qos = Qos::at_most_once;
    bool retain = false;
    bool duplicate = false;
    PacketId id = 0;  ///< 0 at most once

    bool operator==(const Publish&) const = default;
};

struct Puback {
    PacketId id = 0;
    bool operator==(const Puback&) const = default;
};

struct Subscribe {
    struct Wish {
        std::string filter{};
        Qos qos = Qos::at_most_once;
        bool operator==(const Wish&) const = default;
    };
    PacketId id = 0;
    std::vector<Wish> wishes{};  ///< never empty [MQTT-3.8.3-3]

    bool operator==(const Subscribe&) const = default;
};

struct Unsubscribe {
    PacketId id = 0;
    std::vector<std::string> filters{};  ///< never empty [MQTT-3.10.3-2]

    bool operator==(const Unsubscribe&) const = default;
};

struct Pingreq {
    bool operator==(const Pingreq&) const = default;
};
struct Disconnect {
    bool operator==(const Disconnect&) const = default;
};

/// What a client may send. PUBREC, PUBREL and PUBCOMP belong to exactly-once, which is not offered:
/// they are refused as they are read.
using Packet = std::variant<Connect, Publish, Puback, Subscribe, Unsubscribe, Pingreq, Disconnect>;

/// Return codes of CONNACK (section 3.2.2.3).
enum class ConnectAnswer : std::uint8_t {
    accepted,
    unacceptable_protocol,
    identifier_rejected,
    server_unavailable,
    bad_credentials,
    not_authorized,
};

/// Reads packets, one after the other.
class PacketReader {
public:
    /// `packet_bytes_max`: of the variable header and payload together.
    explicit PacketReader(std::size_t packet_bytes_max);

    /// What was received, in any pieces.
    void feed(ByteView bytes);

    /// The next packet; none while more bytes are needed. Errors end the connection, without an
    /// answer (section 4.8): malformed ("mqtt-…", a rule that was broken), too_large
    /// ("packet-too-large", as soon as the length is known), unsupported ("mqtt-exactly-once").
    Result<std::optional<Packet>> next();

    /// A bound for what comes from now on; a session opens with a narrow one.
    void set_packet_bytes_max(std::size_t packet_bytes_max) { bytes_max_ = packet_bytes_max; }

    /// Has a part of a packet been seen?
    bool in_packet() const { return at_ < held_.size(); }

private:
    std::size_t bytes_max_;
    std::string held_;
    std::size_t at_ = 0;  ///< what stands before it is read
};

/// Is this a topic filter: wildcards whole levels, '#' the last one (section 4.7.1)?
bool is_topic_filter(std::string_view filter);

// --- What a server sends ---

/// `session_present` only with `accepted` [MQTT-3.2.2-4].
std::string encode_connack(ConnectAnswer answer, bool session_present);

/// "Unsupported protocol version" as MQTT 5 writes it (its section 3.2): a client of that version
/// could not read the CONNACK of ours.
std::string encode_connack_for_mqtt_5();

/// `publish.id` is not 0 with at_least_once.
std::string encode(const Publish& publish);
std::string encode(const Puback& puback);

/// One answer per wish, in order; none: refused (0x80).
std::string encode_suback(PacketId id, const std::vector<std::optional<Qos>>& granted);
std::string encode_unsuback(PacketId id);
std::string encode_pingresp();

}  // namespace rollcall::net::mqtt
