// SPDX-License-Identifier: Apache-2.0
// MqttReception: one door for two tongues. The CONNECT's user name says whether a device wants to
// be provisioned or to speak with its hub (PRODUCT section 2).
#pragma once

#include "front/mqtt_topic.hpp"
#include "net/mqtt_door.hpp"

namespace rollcall::front {

class MqttReception final : public net::MqttHandler {
public:
    MqttReception(net::MqttHandler& provisioning, net::MqttHandler& hub)
        : provisioning_(provisioning), hub_(hub) {}

    Task<net::MqttWelcome> welcome(const net::mqtt::Connect& connect,
                                   net::MqttPeer& peer) override {
        return names_dps(connect.username.value_or("")) ? provisioning_.welcome(connect, peer)
                                                        : hub_.welcome(connect, peer);
    }

private:
    net::MqttHandler& provisioning_;
    net::MqttHandler& hub_;
};

}  // namespace rollcall::front
