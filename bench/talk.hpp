// SPDX-License-Identifier: Apache-2.0
// What a device says once TLS stands, and what it makes of the answers: bytes in, bytes out, no
// sockets. For bench/load.
#pragma once

#include <chrono>
#include <memory>
#include <string>

namespace rollcall::bench {

/// What the device does next.
struct Step {
    std::string say{};  ///< after the pause
    std::chrono::seconds pause{0};
    bool done = false;  ///< status() is known
};

class Talk {
public:
    virtual ~Talk() = default;
    virtual Step begin() = 0;
    /// Takes what it has read from the front of `received`.
    virtual Step heard(std::string& received) = 0;
    /// As HTTP would say it; 0: no answer yet.
    unsigned status() const { return status_; }

protected:
    unsigned status_ = 0;
};

/// One request over HTTP; with a `poll_path` an answer 202 is asked for again until it is another.
/// In texts {id} stands for the device, {operation} for what the answer 202 named.
struct HttpWords {
    std::string host;
    std::string method = "GET";
    std::string path = "/{id}";
    std::string body{};
    std::string poll_path{};
    bool waits = false;  ///< as long as Retry-After says
};
std::unique_ptr<Talk> talk_http(const HttpWords& words, const std::string& id);

/// CONNECT with {id} in the user name. Then: goes at once; stays, saying nothing; or registers and
/// goes.
struct MqttWords {
    enum class Then { go, stay, register_first };
    std::string username{};
    Then then = Then::go;
};
std::unique_ptr<Talk> talk_mqtt(const MqttWords& words, const std::string& id);

/// A registration over AMQP 1.0; `address`, with {id} in it, is that of both links.
struct AmqpWords {
    std::string address{};
    bool stays = false;  ///< says nothing once it is registered
};
std::unique_ptr<Talk> talk_amqp(const AmqpWords& words, const std::string& id);

/// MQTT inside a WebSocket.
std::unique_ptr<Talk> in_websocket(const std::string& host, std::unique_ptr<Talk> talk);

std::string filled(std::string text, const std::string& name, const std::string& value);

}  // namespace rollcall::bench
