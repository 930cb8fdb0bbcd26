// SPDX-License-Identifier: Apache-2.0
// AmqpReception: one door for two tongues. The address of a client's first link says whether a
// device wants to be provisioned or to speak with its hub (PRODUCT section 2).
#pragma once

#include "front/amqp_address.hpp"
#include "net/amqp_door.hpp"

namespace rollcall::front {

class AmqpReception final : public net::AmqpHandler {
public:
    AmqpReception(net::AmqpHandler& provisioning, net::AmqpHandler& hub)
        : provisioning_(provisioning), hub_(hub) {}

    Task<std::unique_ptr<net::AmqpConversation>> welcome(const net::amqp::LinkOffered& offer,
                                                         net::AmqpPeer& peer) override {
        return names_hub_link(offer.attach.address().value_or(""))
                   ? hub_.welcome(offer, peer)
                   : provisioning_.welcome(offer, peer);
    }

private:
    net::AmqpHandler& provisioning_;
    net::AmqpHandler& hub_;
};

}  // namespace rollcall::front
