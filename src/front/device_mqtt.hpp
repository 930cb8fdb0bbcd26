// SPDX-License-Identifier: Apache-2.0
// DeviceMqtt: DPS over MQTT, bare or inside WebSocket (spec/dps-device-api.md 1.7, PRODUCT
// section 4). One PUBACK and then one answer for each request; a refusal comes as res/401 and not
// as a closed connection, so that every SDK can tell it.
#pragma once

#include "front/dps_messages.hpp"
#include "net/mqtt_door.hpp"

namespace rollcall::front {

class DeviceMqtt final : public net::MqttHandler {
public:
    explicit DeviceMqtt(DpsMessages& messages) : messages_(messages) {}

    Task<net::MqttWelcome> welcome(const net::mqtt::Connect& connect, net::MqttPeer& peer) override;

private:
    class Conversation;

    DpsMessages& messages_;
};

}  // namespace rollcall::front
