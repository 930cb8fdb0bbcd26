// SPDX-License-Identifier: Apache-2.0
#include "front/host_guard.hpp"

namespace rollcall::front {

HostGuard::HostGuard(net::HttpHandler& inner, const std::set<std::string>& operator_names,
                     bool for_operators)
    : inner_(inner), operator_names_(operator_names), for_operators_(for_operators) {}

Task<net::HttpResponse> HostGuard::handle(const net::HttpRequest& request) {
    if (operator_names_.contains(request.host) == for_operators_) {
        co_return co_await inner_.handle(request);
    }
    const Error error{.kind = ErrorKind::malformed,
                      .detail = "this connection was made for another host name; connect anew",
                      .reason = "misdirected-request"};
    net::HttpResponse response = inner_.refuse(421, error, request);
    response.close = true;
    co_return response;
}

std::optional<net::WebSocketWelcome> HostGuard::welcome_websocket(const net::HttpRequest& request) {
    return operator_names_.contains(request.host) == for_operators_
               ? inner_.welcome_websocket(request)
               : std::nullopt;
}

net::HttpResponse HostGuard::refuse(unsigned status, const Error& error,
                                    const net::HttpRequest& so_far) {
    return inner_.refuse(status, error, so_far);
}

}  // namespace rollcall::front
