// SPDX-License-Identifier: Apache-2.0
// What the parts of DpsServiceApi share, for dps_service_*.cpp only.
#pragma once

#include "front/dps_service_api.hpp"
#include "front/dps_service_reader.hpp"
#include "front/json_response.hpp"

#include <boost/json/object.hpp>

namespace rollcall::front {

/// What an address and a method ask for.
struct DpsServiceApi::Target {
    DpsCollection collection = DpsCollection::enrollments;
    Operation operation = Operation::get;
    std::string id{};       ///< empty for a bulk operation and a query of entries
    std::string allowed{};  ///< not empty: another method was due, one of these
};

/// One request, understood: its caller is known and may.
struct DpsServiceApi::Call {
    const net::HttpRequest& request;
    Target target;
    std::string api_version;
    service::Order order;
    json::object body{};
};

/// Which part of a list is asked for.
struct DpsServiceApi::Page {
    store::PageRequest request;
};

}  // namespace rollcall::front
