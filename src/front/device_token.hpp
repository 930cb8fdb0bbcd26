// SPDX-License-Identifier: Apache-2.0
// The shared access signature in a device's HTTP request, if it brought one.
#pragma once

#include "domain/sas.hpp"
#include "net/http.hpp"

#include <string>

namespace rollcall::front {

/// As it stands in the Authorization header; empty where there is none, or another scheme's.
inline std::string token_of(const net::HttpRequest& request) {
    const auto header = request.header("authorization").value_or("");
    return domain::looks_like_sas(header) ? std::string{header} : std::string{};
}

}  // namespace rollcall::front
