// SPDX-License-Identifier: Apache-2.0
// DeviceReception: who answers on the device HTTPS door. Addresses tell provisioning from hub; a
// WebSocket goes to whoever speaks the subprotocol, whatever its path is (PRODUCT section 2).
#pragma once

#include "net/http.hpp"

namespace rollcall::front {

class DeviceReception final : public net::HttpHandler {
public:
    /// All outlive it.
    DeviceReception(net::HttpHandler& provisioning, net::HttpHandler& hub, net::StreamHandler& mqtt,
                    net::StreamHandler& amqp)
        : provisioning_(provisioning), hub_(hub), mqtt_(mqtt), amqp_(amqp) {}

    Task<net::HttpResponse> handle(const net::HttpRequest& request) override;
    std::optional<net::WebSocketWelcome> welcome_websocket(
        const net::HttpRequest& request) override;
    net::HttpResponse refuse(unsigned status, const Error& error,
                             const net::HttpRequest& so_far) override;
    std::size_t body_bytes_max() const override { return provisioning_.body_bytes_max(); }
    std::size_t body_bytes_max_of(std::string_view target) const override;

private:
    net::HttpHandler& provisioning_;
    net::HttpHandler& hub_;
    net::StreamHandler& mqtt_;
    net::StreamHandler& amqp_;
};

}  // namespace rollcall::front
