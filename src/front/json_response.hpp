// SPDX-License-Identifier: Apache-2.0
// A JSON answer of the APIs that existing tools speak.
#pragma once

#include "net/http.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace rollcall::front {

/// 200, as the cloud writes its content type.
inline net::HttpResponse json_response(const boost::json::value& body) {
    net::HttpResponse response;
    response.headers.emplace_back("Content-Type", "application/json; charset=utf-8");
    response.body = boost::json::serialize(body);
    return response;
}

}  // namespace rollcall::front
