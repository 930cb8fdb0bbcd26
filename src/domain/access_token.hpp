// SPDX-License-Identifier: Apache-2.0
// A bearer token of the operator door, without its secret. Made and checked by service/access.
#pragma once

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/world.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rollcall::domain {

/// What a caller may do. Only one so far; a closed list, so that none is granted by a misspelling.
enum class Role : std::uint8_t { administrator };
std::string_view to_string(Role role);
Result<Role> parse_role(std::string_view text);

struct AccessToken {
    std::string name;  ///< as group ids; unique without case
    /// SHA-256 of the secret. The secret has 256 bits of entropy: a slow hash would add nothing.
    Digest secret_sha256{};
    Role role = Role::administrator;
    std::optional<TimePoint> expires{};
    std::string created_by{};
    TimePoint created{};
    ETag etag{};

    bool operator==(const AccessToken&) const = default;
};

}  // namespace rollcall::domain
