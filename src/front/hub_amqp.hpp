// SPDX-License-Identifier: Apache-2.0
// HubAmqp: the hub's links over AMQP 1.0, bare or inside WebSocket <-> service/hub
// (spec/real-clients.md 1.9 and 3). A device sends telemetry on one link, receives messages on
// another, and has a pair of links each for its twin and for methods.
#pragma once

#include "base/world.hpp"
#include "net/amqp_door.hpp"
#include "service/hub.hpp"

namespace rollcall::front {

class HubAmqp final : public net::AmqpHandler {
public:
    HubAmqp(service::Hub& hub, const Clock& clock, Entropy& entropy)
        : hub_(hub), clock_(clock), entropy_(entropy) {}

    /// The first link names the device. Refused with amqp:unauthorized-access for one that may not.
    Task<std::unique_ptr<net::AmqpConversation>> welcome(const net::amqp::LinkOffered& offer,
                                                         net::AmqpPeer& peer) override;

private:
    class Conversation;

    service::Hub& hub_;
    const Clock& clock_;
    Entropy& entropy_;
};

}  // namespace rollcall::front
