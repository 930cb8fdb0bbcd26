// SPDX-License-Identifier: Apache-2.0
#include "service/permission.hpp"

#include "service/caller.hpp"

#include <variant>

namespace rollcall::service {
namespace {

using domain::Role;
using domain::SasRight;

struct Row {
    Permission permission;
    std::string_view word;
    Role least;
};

/// Who reads sees everything but secrets. Operators run devices, one by one and by jobs, and their
/// individual enrollments; builders also say which devices belong together. What all devices rest
/// on (groups, CAs, hubs, distrust) and who may come in is the administrators' (the cloud's
/// Administration and Permissions pages).
constexpr std::array<Row, permission_count> matrix{{
    {Permission::none, "none", Role::viewer},
    {Permission::server_read, "server.read", Role::viewer},
    {Permission::hub_write, "hub.write", Role::administrator},
    {Permission::ca_read, "ca.read", Role::viewer},
    {Permission::ca_write, "ca.write", Role::administrator},
    {Permission::group_read, "group.read", Role::viewer},
    {Permission::group_write, "group.write", Role::administrator},
    {Permission::enrollment_read, "enrollment.read", Role::viewer},
    {Permission::enrollment_write, "enrollment.write", Role::operator_},
    {Permission::device_read, "device.read", Role::viewer},
    {Permission::device_write, "device.write", Role::operator_},
    {Permission::registration_read, "registration.read", Role::viewer},
    {Permission::registration_write, "registration.write", Role::operator_},
    {Permission::distrust_read, "distrust.read", Role::viewer},
    {Permission::distrust_write, "distrust.write", Role::administrator},
    {Permission::audit_read, "audit.read", Role::viewer},
    {Permission::audit_write, "audit.write", Role::administrator},
    {Permission::token_read, "token.read", Role::viewer},
    {Permission::token_write, "token.write", Role::administrator},
    {Permission::token_show, "token.show", Role::administrator},
    {Permission::key_show, "key.show", Role::operator_},
    {Permission::group_key_show, "group-key.show", Role::administrator},
    {Permission::user_read, "user.read", Role::viewer},
    {Permission::user_write, "user.write", Role::administrator},
    {Permission::device_group_read, "device-group.read", Role::viewer},
    {Permission::device_group_write, "device-group.write", Role::builder},
    {Permission::job_read, "job.read", Role::viewer},
    {Permission::job_write, "job.write", Role::operator_},
    {Permission::session_read, "session.read", Role::viewer},
    {Permission::session_write, "session.write", Role::viewer},
}};

constexpr bool in_order() {
    for (std::size_t i = 0; i < matrix.size(); ++i) {
        if (static_cast<std::size_t>(matrix[i].permission) != i) {
            return false;
        }
    }
    return true;
}
static_assert(in_order(), "a row for each permission, in their order");

const Row& row_of(Permission permission) {
    return matrix.at(static_cast<std::size_t>(permission));
}

/// What each right gives (spec/dps-service-api.md 2.6). Reading a group means reading its CAs.
/// Whoever may write entries is told their keys by every write, as in the cloud. DeviceConnect is
/// about devices' doors, which know no policies.
constexpr std::array granted{
    std::pair{SasRight::service_config, Permission::server_read},
    std::pair{SasRight::service_config, Permission::hub_write},
    std::pair{SasRight::service_config, Permission::ca_read},
    std::pair{SasRight::service_config, Permission::ca_write},
    std::pair{SasRight::enrollment_read, Permission::group_read},
    std::pair{SasRight::enrollment_read, Permission::enrollment_read},
    std::pair{SasRight::enrollment_read, Permission::ca_read},
    std::pair{SasRight::enrollment_write, Permission::group_write},
    std::pair{SasRight::enrollment_write, Permission::enrollment_write},
    std::pair{SasRight::enrollment_write, Permission::key_show},
    std::pair{SasRight::enrollment_write, Permission::group_key_show},
    std::pair{SasRight::registration_status_read, Permission::registration_read},
    std::pair{SasRight::registration_status_write, Permission::registration_write},
    std::pair{SasRight::registry_read, Permission::device_read},
    std::pair{SasRight::registry_write, Permission::device_write}};

}  // namespace

std::string_view to_string(Permission permission) {
    return row_of(permission).word;
}

domain::Role least_role(Permission permission) {
    return row_of(permission).least;
}

bool may(domain::Role role, Permission permission) {
    return domain::includes(role, least_role(permission));
}

bool may(const domain::SasRights& rights, Permission permission) {
    for (const auto& [right, each] : granted) {
        if (each == permission && rights.has(right)) {
            return true;
        }
    }
    return permission == Permission::none;
}

bool may(const Caller& caller, Permission permission) {
    return std::visit([permission](const auto& grants) { return may(grants, permission); },
                      caller.grants);
}

}  // namespace rollcall::service
