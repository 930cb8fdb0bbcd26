// SPDX-License-Identifier: Apache-2.0
// Role: what an operator is here, in the cloud's words (spec/iot-central-api.md 3.4). Each includes
// all that the ones after it may; service/permission says what that is.
#pragma once

#include "base/result.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace rollcall::domain {

/// A closed list, so that none is granted by a misspelling. The values are the store's.
enum class Role : std::uint8_t {
    administrator,  ///< everything
    builder,        ///< devices, and how they are grouped
    operator_,      ///< devices, one by one and by jobs
    viewer,         ///< reads, and sees no secret
};
inline constexpr std::array every_role{Role::administrator, Role::builder, Role::operator_,
                                       Role::viewer};

/// "operator".
std::string_view to_string(Role role);
/// malformed "unknown-role"; the detail names those there are.
Result<Role> parse_role(std::string_view text);
/// Is it `other`, or one that includes it?
bool includes(Role role, Role other);

}  // namespace rollcall::domain
