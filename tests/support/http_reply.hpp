// SPDX-License-Identifier: Apache-2.0
// An answer of an API that a test called as a value.
#pragma once

#include "base/bytes.hpp"
#include "net/http.hpp"

#include <string>
#include <string_view>

#include <boost/json/value.hpp>

namespace rollcall::test {

struct HttpReply {
    unsigned status = 0;
    boost::json::value body{};
    net::HttpHeaders headers{};

    /// The first of that name; empty where there is none.
    std::string header(std::string_view name) const {
        for (const auto& [each, value] : headers) {
            if (equal_ignoring_case(each, name)) {
                return value;
            }
        }
        return {};
    }
    bool has(std::string_view name) const {
        for (const auto& [each, value] : headers) {
            if (equal_ignoring_case(each, name)) {
                return true;
            }
        }
        return false;
    }
};

}  // namespace rollcall::test
