// SPDX-License-Identifier: Apache-2.0
#include "domain/role.hpp"

#include <string>

namespace rollcall::domain {

std::string_view to_string(Role role) {
    switch (role) {
        case Role::administrator: return "administrator";
        case Role::builder: return "builder";
        case Role::operator_: return "operator";
        case Role::viewer: return "viewer";
    }
    return "";
}

Result<Role> parse_role(std::string_view text) {
    for (const Role role : every_role) {
        if (text == to_string(role)) {
            return role;
        }
    }
    return Error{ErrorKind::malformed,
                 "there is no role '" + std::string{text} +
                     "'; there are administrator, builder, operator and viewer",
                 "unknown-role"};
}

bool includes(Role role, Role other) {
    return role <= other;
}

}  // namespace rollcall::domain
