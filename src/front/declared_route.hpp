// SPDX-License-Identifier: Apache-2.0
// DeclaredRoute: what an operators' API says of each of its routes, so that one test can walk all
// of them with every role.
#pragma once

#include "service/permission.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace rollcall::front {

struct DeclaredRoute {
    std::string method;
    /// As requested, with query where one is needed; each name in it is "x".
    std::string target;
    service::Permission permission = service::Permission::none;
};

using DeclaredRoutes = std::vector<DeclaredRoute>;

/// The path of a pattern's parts, in which "*" is a name.
inline std::string sample_path(const std::vector<std::string_view>& parts) {
    std::string path;
    for (const auto part : parts) {
        path += "/" + std::string{part == "*" ? "x" : part};
    }
    return path;
}

}  // namespace rollcall::front
