// SPDX-License-Identifier: Apache-2.0
// HubMqtt: the hub's topics over MQTT, bare or inside WebSocket <-> service/hub
// (spec/hub-mqtt.md 4.1 to 4.4).
#pragma once

#include "base/world.hpp"
#include "front/mqtt_topic.hpp"
#include "net/mqtt_door.hpp"
#include "service/hub.hpp"

namespace rollcall::front {

class HubMqtt final : public net::MqttHandler {
public:
    HubMqtt(service::Hub& hub, const Clock& clock, Entropy& entropy)
        : hub_(hub), clock_(clock), entropy_(entropy) {}

    /// CONNACK 5 for a device that may not, 3 where that could not be found out, 4 for a user name
    /// of another form, 2 for a client id that is not the device's.
    Task<net::MqttWelcome> welcome(const net::mqtt::Connect& connect, net::MqttPeer& peer) override;

private:
    class Conversation;

    Task<net::MqttWelcome> let_in(const net::mqtt::Connect& connect, net::MqttPeer& peer,
                                  const HubUsername& name);

    service::Hub& hub_;
    const Clock& clock_;
    Entropy& entropy_;
};

}  // namespace rollcall::front
