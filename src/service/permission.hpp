// SPDX-License-Identifier: Apache-2.0
// Permission: what a route of the operator door needs, and who has it: the matrix of roles, and the
// rights of shared access policies. docs/access.md shows both; a test holds it against this unit.
#pragma once

#include "domain/role.hpp"
#include "domain/sas_policy.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace rollcall::service {

struct Caller;

/// What a route needs. `none`: anyone may ask.
enum class Permission : std::uint8_t {
    none,
    server_read,
    hub_write,
    ca_read,
    ca_write,
    group_read,
    group_write,
    enrollment_read,
    enrollment_write,
    device_read,
    device_write,
    registration_read,
    registration_write,
    distrust_read,
    distrust_write,
    audit_read,
    audit_write,
    token_read,
    token_write,
    token_show,      ///< keys of shared access policies in clear: all that these may, and more
    key_show,        ///< symmetric keys of individual enrollments in clear
    group_key_show,  ///< those of groups: whoever has one can be any device of it
    user_read,
    user_write,
    device_group_read,
    device_group_write,
    job_read,
    job_write,
    session_read,  ///< who asks, and its own sessions
    session_write,
};
inline constexpr std::size_t permission_count =
    static_cast<std::size_t>(Permission::session_write) + 1;

/// "group.write".
std::string_view to_string(Permission permission);

/// The least of the roles that has it; that of `none` is the least of all.
domain::Role least_role(Permission permission);

bool may(domain::Role role, Permission permission);
/// No right lets anyone make or see tokens, policies and users.
bool may(const domain::SasRights& rights, Permission permission);
/// By a role or a policy's rights.
bool may(const Caller& caller, Permission permission);

}  // namespace rollcall::service
