// SPDX-License-Identifier: Apache-2.0
// DeviceMqtt: DPS over MQTT, bare or inside WebSocket (spec/dps-device-api.md 1.7, PRODUCT
// section 4). One PUBACK and then one answer for each request; a refusal comes as res/401 and not
// as a closed connection, so that every SDK can tell it.
#pragma once

#include "base/world.hpp"
#include "net/mqtt_door.hpp"
#include "service/registrar.hpp"

namespace rollcall::front {

struct DeviceMqttSettings {
    /// A registration is answered 202 and polled for, as the cloud does; else 200 at once.
    bool poll = false;
};

class DeviceMqtt final : public net::MqttHandler {
public:
    DeviceMqtt(service::Registrar& registrar, const Clock& clock, Entropy& entropy,
               DeviceMqttSettings settings)
        : registrar_(registrar), clock_(clock), entropy_(entropy), settings_(settings) {}

    Task<net::MqttWelcome> welcome(const net::mqtt::Connect& connect, net::MqttPeer& peer) override;

private:
    class Conversation;

    service::Registrar& registrar_;
    const Clock& clock_;
    Entropy& entropy_;
    const DeviceMqttSettings settings_;
};

}  // namespace rollcall::front
