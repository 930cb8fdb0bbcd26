// SPDX-License-Identifier: Apache-2.0
// The MQTT 3.1.1 conversation of one client as a state machine, the server's side: bytes and the
// front's decisions go in, events for the front and bytes for the client come out. No sockets, no
// clock. It polices the rules that hold for every use; what may be published or subscribed to is
// the front's to say. net/mqtt_door drives it on a Stream.
#pragma once

#include "net/mqtt_codec.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace rollcall::net::mqtt {

struct SessionBounds {
    std::size_t connect_bytes_max;  ///< of CONNECT; nothing else comes before it
    std::size_t packet_bytes_max;   ///< of every later packet
    /// Sent at least once and not acknowledged; more wait in the session.
    std::size_t unacknowledged_max;
    /// Bytes that wait for a client that reads slowly.
    std::size_t outgoing_bytes_max;
};

/// What the server publishes to its client. With at_least_once its PUBACK comes back as
/// Acknowledged with the same token.
struct Outgoing {
    std::string topic{};
    std::string payload{};
    Qos qos = Qos::at_most_once;
    std::uint64_t token = 0;
    bool duplicate = false;
};

/// The client has what was published with that token.
struct Acknowledged {
    std::uint64_t token = 0;
    bool operator==(const Acknowledged&) const = default;
};

/// What the front has to deal with, in order. A CONNECT is answered with accept() or refuse()
/// before the next event is asked for.
using Event = std::variant<Connect, Publish, Subscribe, Unsubscribe, Acknowledged, Disconnect>;

class Session {
public:
    explicit Session(const SessionBounds& bounds);

    // --- What came ---
    void received(ByteView bytes) { reader_.feed(bytes); }

    /// The next event; none while more bytes are needed. After an error nothing more may be asked:
    /// outgoing() is sent and the connection closed. Errors: those of PacketReader, and malformed
    /// "mqtt-no-connect" [MQTT-3.1.0-1], "mqtt-second-connect" [MQTT-3.1.0-2],
    /// "mqtt-no-client-id" [MQTT-3.1.3-8]; unsupported "mqtt-version", "mqtt-exactly-once".
    Result<std::optional<Event>> next();

    // --- The front's decisions ---
    void accept(bool session_present);
    void refuse(ConnectAnswer why);
    void acknowledge(PacketId id);
    /// One answer per wish; none: refused.
    void grant(PacketId id, const std::vector<std::optional<Qos>>& granted);
    void release(PacketId id);  ///< answers UNSUBSCRIBE
    /// Queues it, in order. too_large ("client-too-slow") beyond outgoing_bytes_max: close.
    Result<Done> publish(Outgoing message);

    // --- What goes out ---
    bool has_outgoing() const { return !outgoing_.empty(); }
    std::size_t outgoing_bytes() const { return outgoing_.size(); }
    std::string take_outgoing();

    bool connected() const { return phase_ == Phase::connected; }
    /// Has a part of a packet been seen?
    bool in_packet() const { return reader_.in_packet(); }
    /// After this much silence the client is gone [MQTT-3.1.2-24]: one and a half times the
    /// keep-alive, which counts as `cap` where it is 0 or greater.
    std::chrono::milliseconds silence_max(std::chrono::seconds cap) const;

private:
    enum class Phase : std::uint8_t { waiting, deciding, connected, ended };
    struct Unacknowledged {
        PacketId id;
        std::uint64_t token;
    };

    Result<std::optional<Event>> opened(Connect connect);
    Result<std::optional<Event>> taken(Packet packet);
    std::optional<Event> acknowledged(PacketId id);
    PacketId fresh_id();
    void send(Outgoing& message);

    SessionBounds bounds_;
    PacketReader reader_;
    Phase phase_ = Phase::waiting;
    std::uint16_t keep_alive_seconds_ = 0;
    PacketId last_id_ = 0;
    std::string outgoing_;
    std::vector<Unacknowledged> unacknowledged_;
    /// Allocated while something waits only: an empty deque holds half a kilobyte.
    std::optional<std::deque<Outgoing>> waiting_;
    std::size_t waiting_bytes_ = 0;
};

}  // namespace rollcall::net::mqtt
