// SPDX-License-Identifier: Apache-2.0
#include "front/device_reception.hpp"

#include "base/bytes.hpp"
#include "net/websocket.hpp"

#include <string_view>

namespace rollcall::front {
namespace {

bool is_for_hub(std::string_view path) {
    constexpr std::string_view prefix = "/devices/";
    return equal_ignoring_case(path.substr(0, prefix.size()), prefix);
}

}  // namespace

Task<net::HttpResponse> DeviceReception::handle(const net::HttpRequest& request) {
    if (is_for_hub(request.path)) {
        co_return co_await hub_.handle(request);
    }
    co_return co_await provisioning_.handle(request);
}

std::optional<net::WebSocketWelcome> DeviceReception::welcome_websocket(
    const net::HttpRequest& request) {
    for (const std::string& offered : net::offered_subprotocols(request)) {
        if (equal_ignoring_case(offered, "mqtt")) {
            return net::WebSocketWelcome{&mqtt_, offered};
        }
        if (equal_ignoring_case(offered, "AMQPWSB10")) {
            return net::WebSocketWelcome{&amqp_, offered};
        }
    }
    return std::nullopt;
}

std::size_t DeviceReception::body_bytes_max_of(std::string_view target) const {
    return is_for_hub(target) ? hub_.body_bytes_max() : provisioning_.body_bytes_max();
}

net::HttpResponse DeviceReception::refuse(unsigned status, const Error& error,
                                          const net::HttpRequest& so_far) {
    return is_for_hub(so_far.path) ? hub_.refuse(status, error, so_far)
                                   : provisioning_.refuse(status, error, so_far);
}

}  // namespace rollcall::front
