// SPDX-License-Identifier: Apache-2.0
#include "domain/access_token.hpp"

namespace rollcall::domain {

std::string_view to_string(Role role) {
    switch (role) {
        case Role::administrator: return "administrator";
    }
    return "";
}

Result<Role> parse_role(std::string_view text) {
    if (text == to_string(Role::administrator)) {
        return Role::administrator;
    }
    return Error{ErrorKind::malformed,
                 "there is no role '" + std::string{text} + "'; the only one is 'administrator'",
                 "unknown-role"};
}

}  // namespace rollcall::domain
