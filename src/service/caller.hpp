// SPDX-License-Identifier: Apache-2.0
// Who asks for a change, and under which conditions. Comes with every use case of the enroller
// and with every audit event.
#pragma once

#include "base/ids.hpp"
#include "domain/access_token.hpp"
#include "domain/sas_policy.hpp"

#include <string>
#include <variant>
#include <vector>

namespace rollcall::service {

/// An operator whom service/access has recognised.
struct Caller {
    std::string name{};    ///< "local administrator", "token:ci", "policy:ci"
    std::string source{};  ///< address, or "local"
    /// What a policy or a token gives; service/access says what follows. Nothing, unless told.
    std::variant<domain::SasRights, domain::Role> grants{};

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

/// stale "if-match-missing" where no version was named: asked for by facades whose clients must say
/// which one they replace or delete.
Result<Done> want_if_match(const Order& order);

}  // namespace rollcall::service
