// SPDX-License-Identifier: Apache-2.0
// If-Match of an operator's request, for every API on the operator door.
#pragma once

#include "net/http.hpp"
#include "service/caller.hpp"

namespace rollcall::front {

/// RFC 9110 section 13.1.1; tags without quotes are taken too, weak ones never match.
service::EtagCondition read_if_match(const net::HttpRequest& request);

}  // namespace rollcall::front
