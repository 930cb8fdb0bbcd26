// SPDX-License-Identifier: Apache-2.0
#include "front/operator_reception.hpp"

#include "base/bytes.hpp"

namespace rollcall::front {

Task<net::HttpResponse> OperatorReception::handle(const net::HttpRequest& request) {
    co_return co_await desk_for(request.path).handle(request);
}

std::optional<net::WebSocketWelcome> OperatorReception::welcome_websocket(
    const net::HttpRequest& request) {
    return desk_for(request.path).welcome_websocket(request);
}

net::HttpResponse OperatorReception::refuse(unsigned status, const Error& error,
                                            const net::HttpRequest& so_far) {
    return desk_for(so_far.path).refuse(status, error, so_far);
}

/// A target in absolute form ("https://host/enrollments") has its path behind the host.
std::size_t OperatorReception::body_bytes_max_of(std::string_view target) const {
    if (const auto scheme = target.find("://"); !target.starts_with('/') && scheme != target.npos) {
        const auto path = target.find('/', scheme + 3);
        target = path == target.npos ? std::string_view{} : target.substr(path);
    }
    const std::string_view path = target.substr(0, target.find('?'));
    return desk_for(path).body_bytes_max_of(target);
}

net::HttpHandler& OperatorReception::desk_for(std::string_view path) const {
    if (!path.starts_with('/')) {
        return rest_;  // not known, or "*"
    }
    path.remove_prefix(1);
    for (const auto& [prefix, handler] : desks_) {
        const bool whole =
            path.size() == prefix.size() ||
            (!prefix.empty() && path.size() > prefix.size() && path[prefix.size()] == '/');
        if (whole && equal_ignoring_case(path.substr(0, prefix.size()), prefix)) {
            return handler;
        }
    }
    return rest_;
}

}  // namespace rollcall::front
