// SPDX-License-Identifier: Apache-2.0
// MQTT on a Stream: drives net/mqtt_session with what is read, asks the front, writes. MqttDoor
// stands behind a Listener or behind a WebSocket; the front stands behind MqttHandler.
#pragma once

#include "base/limits.hpp"
#include "base/telemetry.hpp"
#include "net/listener.hpp"
#include "net/mqtt_session.hpp"
#include "net/stream.hpp"
#include "net/tls.hpp"

#include <chrono>
#include <memory>
#include <string_view>
#include <vector>

namespace rollcall::net {

/// A front's hold on its client. Lives as long as the conversation; used on its core only.
class MqttPeer {
public:
    virtual ~MqttPeer() = default;

    virtual const ConnectionFacts& facts() const = 0;
    /// Where other threads post what they want done here. What they posted may run after the
    /// conversation has gone: it must find that out by itself.
    virtual asio::any_io_executor executor() = 0;

    /// PUBACK; nothing for a publish that wants none.
    virtual void acknowledge(const mqtt::Publish& publish) = 0;
    virtual void grant(mqtt::PacketId id, const std::vector<std::optional<mqtt::Qos>>& granted) = 0;
    virtual void release(mqtt::PacketId id) = 0;
    /// A client that does not read what it is sent is closed.
    virtual void publish(mqtt::Outgoing message) = 0;

    /// Has the conversation's woken() called soon, between two packets. On the core, at any time;
    /// everything else here is for use within the conversation's calls.
    virtual void wake() = 0;
    /// The connection ends then, whatever comes.
    virtual void end_in(std::chrono::milliseconds time) = 0;
    /// It lasts as long as the client keeps it alive.
    virtual void end_by_silence() = 0;
    /// The connection ends then at the latest, beside what the two above say.
    virtual void end_at_latest_in(std::chrono::milliseconds time) = 0;
    /// At once; may be called at any time.
    virtual void close() = 0;
};

/// One accepted client. Its calls come one after the other, in the order of what was received. An
/// error closes the connection: MQTT 3.1.1 has no other way to refuse.
class MqttConversation {
public:
    virtual ~MqttConversation() = default;

    /// CONNACK is on its way.
    virtual Task<Result<Done>> begin() = 0;
    /// Publishes that came together. Each is acknowledged here, when it is time to.
    virtual Task<Result<Done>> published(std::vector<mqtt::Publish>& batch) = 0;
    virtual Task<Result<Done>> subscribed(const mqtt::Subscribe& subscribe) = 0;
    virtual Task<Result<Done>> unsubscribed(const mqtt::Unsubscribe& unsubscribe) = 0;
    virtual Task<Result<Done>> acknowledged(std::uint64_t token) = 0;
    /// MqttPeer::wake() was called, once or more.
    virtual Task<Result<Done>> woken() = 0;
    /// The last call. `gracefully`: by DISCONNECT, so that there is no will [MQTT-3.14.4-3].
    virtual Task<void> ended(bool gracefully) = 0;
};

/// What a front says to a CONNECT: a conversation, or why not.
struct MqttWelcome {
    std::unique_ptr<MqttConversation> conversation{};
    bool session_present = false;
    mqtt::ConnectAnswer refusal = mqtt::ConnectAnswer::not_authorized;
};

/// Answers the clients of a door. Shared by all sessions on all cores.
class MqttHandler {
public:
    virtual ~MqttHandler() = default;
    virtual Task<MqttWelcome> welcome(const mqtt::Connect& connect, MqttPeer& peer) = 0;
};

/// Bounds of a session; tests inject small ones.
struct MqttSettings {
    std::chrono::milliseconds handshake_time = limits::handshake_time_max;
    std::chrono::milliseconds connect_time = limits::request_time_max;
    std::chrono::seconds keep_alive_max = limits::mqtt_keep_alive_max;
    std::chrono::milliseconds answer_time = limits::answer_time_max;
    mqtt::SessionBounds session{.connect_bytes_max = limits::mqtt_connect_bytes_max,
                                .packet_bytes_max = limits::mqtt_packet_bytes_max,
                                .unacknowledged_max = limits::mqtt_unacknowledged_max,
                                .outgoing_bytes_max = limits::mqtt_outgoing_bytes_max};
};

/// Serves an accepted connection from handshake to end. Everything it refers to outlives it.
class MqttDoor final : public ConnectionHandler, public StreamHandler {
public:
    MqttDoor(TlsServer& tls, MqttHandler& handler, Metrics& metrics,
             const MqttSettings& settings = {});
    ~MqttDoor() override;

    Task<void> serve(Core& core, AcceptedSocket socket) override;
    /// On a stream that is open already.
    Task<void> serve(Core& core, Stream& stream) override;

    struct Held;  ///< what its sessions share

private:
    const AskForCertificate ask_;
    TlsServer& tls_;
    std::unique_ptr<Held> held_;
};

}  // namespace rollcall::net
