// SPDX-License-Identifier: Apache-2.0
// A token of the operator door, without its secret. Made and checked by service/access.
#pragma once

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/world.hpp"
#include "domain/role.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace rollcall::domain {

/// How the token is written. The values are the store's.
enum class TokenForm : std::uint8_t {
    bearer,   ///< "rct_…", sent as `Authorization: Bearer` (RFC 6750)
    central,  ///< "SharedAccessSignature sr=…&sig=…&skn=…&se=…", as IoT Central's API tokens
};

struct AccessToken {
    std::string name;  ///< as group ids; unique without case
    /// SHA-256 of the secret. The secret has 256 bits of entropy: a slow hash would add nothing.
    Digest secret_sha256{};
    Role role = Role::administrator;
    TokenForm form = TokenForm::bearer;
    std::optional<TimePoint> expires{};
    std::string created_by{};
    TimePoint created{};
    /// To within limits::token_use_step; none: never.
    std::optional<TimePoint> last_used{};
    ETag etag{};

    bool operator==(const AccessToken&) const = default;
};

}  // namespace rollcall::domain
