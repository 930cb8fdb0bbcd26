// SPDX-License-Identifier: Apache-2.0
// Users in the words of IoT Central (spec/iot-central-api.md 3.4). "email" is somebody who signs in
// at the OpenID provider; service principals and directory groups are kept and do not sign in.
// Local users, which the cloud has not, are shown with a type of our own and made elsewhere.
#include "front/central_roles.hpp"
#include "front/central_routes.hpp"
#include "service/users.hpp"

#include <boost/json/array.hpp>

namespace rollcall::front {
namespace {

namespace json = boost::json;
using domain::User;
using domain::UserKind;
using service::AdministratorLeft;
using service::Permission;

const std::vector<std::pair<std::string_view, UserKind>> types{
    {"email", UserKind::openid},
    {"servicePrincipal", UserKind::service_principal},
    {"adGroup", UserKind::directory_group},
    {"local", UserKind::local}};

json::object user_json(const User& user) {
    json::object shown{{"id", user.id},
                       {"roles", json::array{json::object{{"role", role_id(user.role)}}}}};
    for (const auto& [word, kind] : types) {
        if (kind == user.kind) {
            shown["type"] = word;
        }
    }
    switch (user.kind) {
        case UserKind::local: shown["name"] = user.name; break;
        case UserKind::openid: shown["email"] = user.name; break;
        case UserKind::service_principal:
        case UserKind::directory_group:
            shown["tenantId"] = user.tenant_id;
            shown["objectId"] = user.object_id;
    }
    return shown;
}

/// What a body says of who somebody is. Only a new user needs all of it.
struct Identity {
    std::optional<UserKind> kind{};
    std::optional<std::string> email{};
    std::optional<std::string> tenant_id{};
    std::optional<std::string> object_id{};
};

Identity read_identity(Fields& fields) {
    Identity said;
    said.kind = fields.word<UserKind>("type", types);
    said.email = fields.optional_text("email");
    said.tenant_id = fields.optional_text("tenantId");
    said.object_id = fields.optional_text("objectId");
    return said;
}

/// Who somebody is stays: what is said must be what is known.
Result<Done> check_same(const Identity& said, const User& known) {
    const auto other = [](const std::optional<std::string>& text, const std::string& kept) {
        return text && !equal_ignoring_case(*text, kept);
    };
    const bool same = said.kind.value_or(known.kind) == known.kind &&
                      !other(said.email, known.name) && !other(said.tenant_id, known.tenant_id) &&
                      !other(said.object_id, known.object_id);
    if (same) {
        return Done{};
    }
    return Error{ErrorKind::conflict,
                 "a user of that id is somebody else; type, email, tenantId and objectId stay: "
                 "delete the user first",
                 "user-exists"};
}

Task<Result<CentralAnswer>> list_users(const CentralServices& services, const CentralCall& call) {
    CO_TRY(const auto users, co_await services.users.list());
    co_return central_page_by_name(
        call, users, [](const User& user) { return user.name; }, user_json);
}

Task<Result<CentralAnswer>> get_user(const CentralServices& services, const CentralCall& call) {
    CO_TRY(const auto user, co_await services.users.with_id(call.in_path("user")));
    co_return CentralAnswer{200, user_json(user)};
}

Task<Result<User>> with_role(const CentralServices& services, const CentralCall& call,
                             const User& before, domain::Role role) {
    service::UserChange asked;
    asked.role = role;
    co_return co_await services.users.change(call.order, before, asked, AdministratorLeft::users);
}

Task<Result<User>> create(const CentralServices& services, const CentralCall& call,
                          const Identity& said, domain::Role role) {
    if (!said.kind || *said.kind == UserKind::local) {
        co_return Error{ErrorKind::malformed,
                        "'type' is one of: email, servicePrincipal, adGroup; users with a password "
                        "are made by 'rollcall user create'",
                        "malformed-member"};
    }
    const bool in_directory = *said.kind != UserKind::openid;
    if (in_directory &&
        (said.tenant_id.value_or("").empty() || said.object_id.value_or("").empty())) {
        co_return Error{ErrorKind::malformed,
                        "a user of a directory has its 'tenantId' and 'objectId'",
                        "malformed-member"};
    }
    service::NewUser asked;
    asked.id = call.in_path("user");
    asked.kind = *said.kind;
    asked.role = role;
    asked.tenant_id = said.tenant_id.value_or("");
    asked.object_id = said.object_id.value_or("");
    if (!in_directory) {
        asked.name = said.email.value_or("");
    }
    co_return co_await services.users.create(call.order, asked);
}

/// 200, as `az` reads no body of a 201.
Task<Result<CentralAnswer>> put_user(const CentralServices& services, const CentralCall& call) {
    Fields fields = call.fields();
    check_body_id(fields, call.in_path("user"));
    const Identity said = read_identity(fields);
    const auto role = read_only_role(fields, call.body);
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    const auto before = co_await services.users.with_id(call.in_path("user"));
    if (!before && before.error().kind != ErrorKind::not_found) {
        co_return before.error();
    }
    if (!before) {
        CO_TRY(const auto made, co_await create(services, call, said, role));
        co_return CentralAnswer{200, user_json(made)};
    }
    CO_TRY([[maybe_unused]] const Done same, check_same(said, *before));
    CO_TRY(const auto after, co_await with_role(services, call, *before, role));
    co_return CentralAnswer{200, user_json(after)};
}

/// `az` sends an empty list where no role was given to it.
bool says_a_role(const json::object& body) {
    const auto* const roles = body.if_contains("roles");
    const auto* const array = roles != nullptr ? roles->if_array() : nullptr;
    return roles != nullptr && !roles->is_null() && (array == nullptr || !array->empty());
}

Task<Result<CentralAnswer>> patch_user(const CentralServices& services, const CentralCall& call) {
    Fields fields = call.fields();
    check_body_id(fields, call.in_path("user"));
    const Identity said = read_identity(fields);
    std::optional<domain::Role> role;
    if (says_a_role(call.body)) {
        role = read_only_role(fields, call.body);
    }
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto before, co_await services.users.with_id(call.in_path("user")));
    CO_TRY([[maybe_unused]] const Done same, check_same(said, before));
    CO_TRY(const auto after,
           co_await with_role(services, call, before, role.value_or(before.role)));
    co_return CentralAnswer{200, user_json(after)};
}

Task<Result<CentralAnswer>> delete_user(const CentralServices& services, const CentralCall& call) {
    CO_TRY(const auto before, co_await services.users.with_id(call.in_path("user")));
    CO_TRY([[maybe_unused]] const auto gone,
           co_await services.users.remove(call.order, before, AdministratorLeft::users));
    co_return CentralAnswer{204};
}

/// There are none: names of organizations at devices are words that no rule looks at.
Task<Result<CentralAnswer>> list_organizations(const CentralServices&, const CentralCall& call) {
    CO_TRY([[maybe_unused]] const auto page, call.page());
    co_return CentralAnswer{200, json::object{{"value", json::array{}}}};
}

}  // namespace

void add_central_user_routes(std::vector<CentralRoute>& routes) {
    constexpr auto read = Permission::user_read;
    constexpr auto write = Permission::user_write;
    const std::vector<CentralRoute> own{
        {"GET", "/users", read, CentralBody::none, list_users},
        {"GET", "/users/{user}", read, CentralBody::none, get_user},
        {"PUT", "/users/{user}", write, CentralBody::required, put_user},
        {"PATCH", "/users/{user}", write, CentralBody::required, patch_user},
        {"DELETE", "/users/{user}", write, CentralBody::none, delete_user},
        {"GET", "/organizations", Permission::server_read, CentralBody::none, list_organizations}};
    routes.insert(routes.end(), own.begin(), own.end());
}

}  // namespace rollcall::front
