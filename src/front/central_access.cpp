// SPDX-License-Identifier: Apache-2.0
// Who may do what, in the words of IoT Central: roles and API tokens (spec/iot-central-api.md 3.4).
// Its tokens and ours are one list; those made here have its form.
#include "front/central_roles.hpp"
#include "front/central_routes.hpp"

#include <boost/json/array.hpp>

namespace rollcall::front {
namespace {

namespace json = boost::json;
using service::Permission;

// --- Roles ---

Task<Result<CentralAnswer>> list_roles(const CentralServices&, const CentralCall&) {
    json::array roles;
    for (const auto role : domain::every_role) {
        roles.push_back(role_json(role));
    }
    co_return CentralAnswer{200, json::object{{"value", std::move(roles)}}};
}

Task<Result<CentralAnswer>> get_role(const CentralServices&, const CentralCall& call) {
    const auto role = role_of_id(call.in_path("role"));
    if (!role) {
        co_return Error{ErrorKind::not_found, "there is no role of that id", "role-not-found"};
    }
    co_return CentralAnswer{200, role_json(*role)};
}

// --- API tokens ---

json::object token_json(const domain::AccessToken& token) {
    json::object shown{{"id", token.name},
                       {"roles", json::array{json::object{{"role", role_id(token.role)}}}}};
    if (token.expires) {
        shown["expiry"] = to_iso8601_ticks(*token.expires);
    }
    return shown;
}

Task<Result<CentralAnswer>> list_tokens(const CentralServices& services, const CentralCall& call) {
    CO_TRY(const auto tokens, co_await services.access.list());
    co_return central_page_by_name(
        call, tokens, [](const auto& token) { return token.name; }, token_json);
}

Task<Result<CentralAnswer>> get_token(const CentralServices& services, const CentralCall& call) {
    CO_TRY(const auto token, co_await services.access.token_named(call.in_path("token")));
    co_return CentralAnswer{200, token_json(token)};
}

/// The token's own text is in this answer and nowhere else. 200, as `az` reads no body of a 201.
Task<Result<CentralAnswer>> put_token(const CentralServices& services, const CentralCall& call) {
    Fields fields = call.fields();
    service::TokenWish wish;
    wish.name = call.in_path("token");
    wish.form = domain::TokenForm::central;
    wish.application = application_of(call.request);
    check_body_id(fields, wish.name);
    wish.role = read_only_role(fields, call.body);
    if (const auto expiry = fields.optional_text("expiry")) {
        const auto at = parse_iso8601(*expiry);
        if (at) {
            wish.expires = *at;
        } else {
            fields.refuse({ErrorKind::malformed, "'expiry' is a time, '2027-01-31T00:00:00Z'",
                           "malformed-member"});
        }
    }
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto made, co_await services.access.create(call.order, wish));
    json::object shown = token_json(made.token);
    shown["token"] = made.secret;
    co_return CentralAnswer{200, std::move(shown)};
}

Task<Result<CentralAnswer>> delete_token(const CentralServices& services, const CentralCall& call) {
    CO_TRY([[maybe_unused]] const auto gone,
           co_await services.access.revoke(call.order, call.in_path("token")));
    co_return CentralAnswer{204};
}

}  // namespace

void add_central_access_routes(std::vector<CentralRoute>& routes) {
    constexpr auto read = Permission::token_read;
    constexpr auto write = Permission::token_write;
    const std::vector<CentralRoute> own{
        {"GET", "/roles", Permission::server_read, CentralBody::none, list_roles},
        {"GET", "/roles/{role}", Permission::server_read, CentralBody::none, get_role},
        {"GET", "/apiTokens", read, CentralBody::none, list_tokens},
        {"GET", "/apiTokens/{token}", read, CentralBody::none, get_token},
        {"PUT", "/apiTokens/{token}", write, CentralBody::required, put_token},
        {"DELETE", "/apiTokens/{token}", write, CentralBody::none, delete_token}};
    routes.insert(routes.end(), own.begin(), own.end());
}

}  // namespace rollcall::front
