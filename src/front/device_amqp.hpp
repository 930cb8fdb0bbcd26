// SPDX-License-Identifier: Apache-2.0
// DeviceAmqp: DPS over AMQP 1.0, bare or inside WebSocket (spec/dps-device-api.md 1.8, PRODUCT
// section 4). A device sends on one link and is answered on another of the same address; a refusal
// is the rejection of its message, with the JSON error as description, so that every SDK can tell
// it.
#pragma once

#include "front/dps_messages.hpp"
#include "net/amqp_door.hpp"

namespace rollcall::front {

class DeviceAmqp final : public net::AmqpHandler {
public:
    explicit DeviceAmqp(DpsMessages& messages) : messages_(messages) {}

    Task<std::unique_ptr<net::AmqpConversation>> welcome(const net::amqp::LinkOffered& offer,
                                                         net::AmqpPeer& peer) override;

private:
    class Conversation;

    DpsMessages& messages_;
};

}  // namespace rollcall::front
