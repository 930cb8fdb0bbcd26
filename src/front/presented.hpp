// SPDX-License-Identifier: Apache-2.0
// What an operator's HTTP request shows of who sends it, for service/access.
#pragma once

#include "net/http.hpp"
#include "service/access.hpp"

namespace rollcall::front {

inline service::Presented presented_by(const net::HttpRequest& request) {
    service::Presented presented;
    if (const auto header = request.header("authorization")) {
        presented.authorization = std::string{*header};
    }
    presented.source = request.connection->peer_address;
    presented.target = {request.host, request.path};
    return presented;
}

}  // namespace rollcall::front
