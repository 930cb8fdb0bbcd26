// SPDX-License-Identifier: Apache-2.0
// Who asks for a change, and under which conditions. Comes with every use case of the enroller
// and with every audit event.
#pragma once

#include "base/ids.hpp"
#include "domain/access_token.hpp"

#include <string>
#include <vector>

namespace rollcall::service {

/// An operator whom service/access has recognised.
struct Caller {
    std::string name{};    ///< "local administrator", "token:ci"
    std::string source{};  ///< address, or "local"
    domain::Role role = domain::Role::administrator;

    bool operator==(const Caller&) const = default;
};

/// If-Match (RFC 9110 section 13.1.1): the record must be one of these. The default asks nothing.
struct EtagCondition {
    std::vector<std::string> one_of{};

    /// stale when `etag` is none of them.
    Result<Done> check(const ETag& etag) const;
};

/// What comes with every change beside its own arguments.
struct Order {
    Caller caller{};
    std::string reason{};  ///< the operator's own words, for the audit event
    EtagCondition if_match{};
    /// Say what would happen and change nothing.
    bool dry_run = false;
};

}  // namespace rollcall::service
