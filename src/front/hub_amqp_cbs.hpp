// SPDX-License-Identifier: Apache-2.0
// HubAmqpLobby: devices whose shared access signature comes in a message ("claims-based security",
// AMQP CBS): put-token on a pair of links to $cbs, then the links of hub_amqp, which it hands on.
// Tokens are renewed the same way.
#pragma once

#include "front/hub_amqp.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rollcall::front {

inline constexpr std::string_view cbs_address = "$cbs";

class HubAmqpLobby final : public net::AmqpConversation {
public:
    HubAmqpLobby(HubAmqp& front, net::AmqpPeer& peer) : front_(front), peer_(peer) {}

    Task<Result<Done>> offered(const net::amqp::LinkOffered& offer) override;
    Task<Result<Done>> delivered(std::vector<net::amqp::Delivered>& batch) override;
    Task<Result<Done>> settled(const net::amqp::Settled& settled) override;
    Task<Result<Done>> gone(net::amqp::LinkId link) override;
    Task<Result<Done>> woken() override;
    Task<void> ended() override;

private:
    Task<Result<Done>> take_token(const net::amqp::Delivered& delivered);

    HubAmqp& front_;
    net::AmqpPeer& peer_;
    std::optional<net::amqp::LinkId> requests_;
    std::optional<net::amqp::LinkId> answers_;
    std::string token_;  ///< the last that was good; empty: none
    std::unique_ptr<net::AmqpConversation> device_;
};

}  // namespace rollcall::front
