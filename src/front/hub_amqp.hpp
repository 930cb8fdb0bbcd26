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
    /// One to $cbs may come first and bring a token (hub_amqp_cbs).
    Task<std::unique_ptr<net::AmqpConversation>> welcome(const net::amqp::LinkOffered& offer,
                                                         net::AmqpPeer& peer) override;

    /// The same for a link of the device's own, with the shared access signature that was brought;
    /// empty: none.
    Task<std::unique_ptr<net::AmqpConversation>> let_in(const net::amqp::LinkOffered& offer,
                                                        net::AmqpPeer& peer,
                                                        const std::string& sas);
    /// May the token's device speak? Its session then ends with the token.
    Task<Result<Done>> check_token(const std::string& sas, net::AmqpPeer& peer);

private:
    class Conversation;

    void limit_life(const std::optional<TimePoint>& until, net::AmqpPeer& peer);

    service::Hub& hub_;
    const Clock& clock_;
    Entropy& entropy_;
};

}  // namespace rollcall::front
