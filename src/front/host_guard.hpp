// SPDX-License-Identifier: Apache-2.0
// HostGuard: where devices and operators share one address, TLS decides by SNI which of the two a
// connection is for; a Host of the other class is then answered 421 (PRODUCT section 2, RFC 9110
// section 15.5.20), so that a connection made for one is never used for the other.
#pragma once

#include "net/http.hpp"

#include <set>
#include <string>

namespace rollcall::front {

class HostGuard final : public net::HttpHandler {
public:
    /// `operator_names`: lower case. `for_operators`: which class `inner` answers. All outlive it.
    HostGuard(net::HttpHandler& inner, const std::set<std::string>& operator_names,
              bool for_operators);

    Task<net::HttpResponse> handle(const net::HttpRequest& request) override;
    net::HttpResponse refuse(unsigned status, const Error& error,
                             const net::HttpRequest& so_far) override;
    std::size_t body_bytes_max() const override { return inner_.body_bytes_max(); }
    std::size_t body_bytes_max_of(std::string_view target) const override {
        return inner_.body_bytes_max_of(target);
    }
    std::optional<net::WebSocketWelcome> welcome_websocket(
        const net::HttpRequest& request) override;

private:
    net::HttpHandler& inner_;
    const std::set<std::string>& operator_names_;
    bool for_operators_;
};

}  // namespace rollcall::front
