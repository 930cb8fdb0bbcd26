// SPDX-License-Identifier: Apache-2.0
// OperatorReception: who answers on the operator door. How the path begins tells the APIs that
// existing tools speak from our own, which answers everything else.
#pragma once

#include "net/http.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace rollcall::front {

class OperatorReception final : public net::HttpHandler {
public:
    /// An API by the first parts of its paths: "enrollments", "api/v1", in any case; "" is the root
    /// alone. The first desk that fits has it: longer prefixes stand before shorter ones.
    struct Desk {
        std::string prefix;
        net::HttpHandler& handler;
    };

    /// All outlive it.
    OperatorReception(std::vector<Desk> desks, net::HttpHandler& rest)
        : desks_(std::move(desks)), rest_(rest) {}

    Task<net::HttpResponse> handle(const net::HttpRequest& request) override;
    std::optional<net::WebSocketWelcome> welcome_websocket(
        const net::HttpRequest& request) override;
    net::HttpResponse refuse(unsigned status, const Error& error,
                             const net::HttpRequest& so_far) override;
    std::size_t body_bytes_max() const override { return rest_.body_bytes_max(); }
    std::size_t body_bytes_max_of(std::string_view target) const override;

private:
    net::HttpHandler& desk_for(std::string_view path) const;

    std::vector<Desk> desks_;
    net::HttpHandler& rest_;
};

}  // namespace rollcall::front
