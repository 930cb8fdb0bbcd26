// SPDX-License-Identifier: Apache-2.0
// DeclaredRoute: what an operators' API says of each of its routes, so that one test can walk all
// of them with every role.
#pragma once

#include "service/permission.hpp"

#include <string>
#include <vector>

namespace rollcall::front {

struct DeclaredRoute {
    std::string method;
    /// As requested, with query where one is needed; each name in it is "x".
    std::string target;
    service::Permission permission = service::Permission::none;
};

using DeclaredRoutes = std::vector<DeclaredRoute>;

}  // namespace rollcall::front
