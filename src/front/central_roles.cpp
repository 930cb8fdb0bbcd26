// SPDX-License-Identifier: Apache-2.0
#include "front/central_roles.hpp"

#include <algorithm>
#include <array>

#include <boost/json/array.hpp>

namespace rollcall::front {
namespace {

namespace json = boost::json;

struct Named {
    domain::Role role;
    const char* id;
    const char* display_name;
};
constexpr std::array named_roles{
    Named{domain::Role::administrator, "ca310b8d-2f4a-44e0-a36e-957c202cd8d4", "Administrator"},
    Named{domain::Role::builder, "344138e9-8de4-4497-8c54-5237e96d6aaf", "Builder"},
    Named{domain::Role::operator_, "ae2c9854-393b-4f97-8c42-479d70ce626e", "Operator"},
    Named{domain::Role::viewer, "5b8f6a1e-0c3d-4e7a-9d52-61c7a4f0b39d", "Viewer"}};
static_assert(named_roles.size() == domain::every_role.size());

const Named& named(domain::Role role) {
    return *std::find_if(named_roles.begin(), named_roles.end(),
                         [role](const Named& each) { return each.role == role; });
}

/// none: it is not like that.
std::optional<domain::Role> only_role(const json::object& body) {
    const auto* const roles = body.if_contains("roles");
    const auto* const array = roles != nullptr ? roles->if_array() : nullptr;
    const auto* const only =
        array != nullptr && array->size() == 1 ? array->front().if_object() : nullptr;
    const auto* const role = only != nullptr ? only->if_contains("role") : nullptr;
    if (role == nullptr || !role->is_string()) {
        return std::nullopt;
    }
    return role_of_id(std::string_view{role->get_string()});
}

bool is_within_organization(const json::object& body) {
    const auto& only = body.at("roles").get_array().front().get_object();
    const auto* const organization = only.if_contains("organization");
    return organization != nullptr && !organization->is_null();
}

}  // namespace

const char* role_id(domain::Role role) {
    return named(role).id;
}

std::optional<domain::Role> role_of_id(std::string_view id) {
    for (const auto& each : named_roles) {
        if (equal_ignoring_case(id, each.id)) {
            return each.role;
        }
    }
    return std::nullopt;
}

json::object role_json(domain::Role role) {
    return {{"id", named(role).id}, {"displayName", named(role).display_name}};
}

domain::Role read_only_role(Fields& fields, const json::object& body) {
    const auto role = only_role(body);
    if (!role) {
        fields.refuse(
            {ErrorKind::malformed,
             "'roles' holds one role by its id, [{\"role\": \"…\"}]; GET /api/roles lists "
             "them",
             "malformed-role"});
        return domain::Role::viewer;
    }
    if (is_within_organization(body)) {
        fields.refuse({ErrorKind::unsupported, "roles within an organization are not offered here",
                       "not-offered"});
    }
    return *role;
}

std::string application_of(const net::HttpRequest& request) {
    return request.host.substr(0, request.host.find('.'));
}

}  // namespace rollcall::front
