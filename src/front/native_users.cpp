// SPDX-License-Identifier: Apache-2.0
// Native API: users. Passwords come in and never go out, nor do their hashes.
#include "front/native_routes.hpp"
#include "service/users.hpp"

namespace rollcall::front {
namespace {

using service::Permission;

Answer shown(const domain::User& user) {
    Answer answer;
    answer.body = to_json(user);
    answer.etag = user.etag;
    return answer;
}

Task<Result<Answer>> list_users(const NativeServices& services, const Call& call) {
    CO_TRY(const auto request, call.page());
    CO_TRY(const auto all, co_await services.users.list());
    const auto key_of = [](const auto& user) { return to_lower_ascii(user.name); };
    Answer answer;
    answer.body = page_of_all(all, request, key_of);
    co_return answer;
}

Task<Result<Answer>> create_user(const NativeServices& services, const Call& call) {
    Fields fields{call.body};
    service::NewUser asked;
    asked.name = fields.text("name");
    asked.kind = fields
                     .word<domain::UserKind>("kind", {{"local", domain::UserKind::local},
                                                      {"openid", domain::UserKind::openid}})
                     .value_or(domain::UserKind::local);
    const auto role = read_role(fields);
    asked.password = fields.optional_text("password").value_or("");
    if (!role) {
        fields.refuse({ErrorKind::malformed, "the member 'role' is missing", "missing-member"});
    }
    CO_TRY(const auto order, call.order(fields));
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    asked.role = *role;
    CO_TRY(const auto made, co_await services.users.create(order, asked));
    Answer answer = shown(made);
    answer.status = 201;
    answer.location = location_of("/users", made.name);
    co_return answer;
}

Task<Result<Answer>> get_user(const NativeServices& services, const Call& call) {
    CO_TRY(const auto user, co_await services.users.named(call.in_path("user")));
    co_return shown(user);
}

Task<Result<Answer>> update_user(const NativeServices& services, const Call& call) {
    Fields fields{call.body};
    service::UserChange asked;
    asked.role = read_role(fields);
    asked.enabled = fields.optional_flag("enabled");
    asked.password = fields.optional_text("password");
    CO_TRY(const auto order, call.order(fields));
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto before, co_await services.users.named(call.in_path("user")));
    CO_TRY(const auto after, co_await services.users.change(order, before, asked));
    co_return shown(after);
}

Task<Result<Answer>> delete_user(const NativeServices& services, const Call& call) {
    CO_TRY(const auto order, call.order());
    CO_TRY(const auto before, co_await services.users.named(call.in_path("user")));
    CO_TRY(const auto gone, co_await services.users.remove(order, before));
    Answer answer;
    answer.body = json::object{{"deleted", "user/" + gone.name}, {"warnings", json::array{}}};
    co_return answer;
}

Task<Result<Answer>> end_user_sessions(const NativeServices& services, const Call& call) {
    CO_TRY(const auto order, call.order());
    CO_TRY(const auto user, co_await services.users.named(call.in_path("user")));
    CO_TRY([[maybe_unused]] const Done ended, co_await services.users.end_sessions(order, user));
    Answer answer;
    answer.body =
        json::object{{"deleted", "user/" + user.name + "/sessions"}, {"warnings", json::array{}}};
    co_return answer;
}

}  // namespace

std::optional<domain::Role> read_role(Fields& fields) {
    const auto text = fields.optional_text("role");
    if (!text) {
        return std::nullopt;
    }
    const auto role = domain::parse_role(*text);
    if (!role) {
        fields.refuse(role.error());
        return std::nullopt;
    }
    return *role;
}

void add_user_routes(std::vector<Route>& routes) {
    const auto read = Permission::user_read;
    const auto write = Permission::user_write;
    routes.push_back(
        {"GET", "/users", "listUsers", read, {"limit", "after"}, Body::none, list_users});
    routes.push_back({"POST", "/users", "createUser", write, {}, Body::required, create_user});
    routes.push_back({"GET", "/users/{user}", "getUser", read, {}, Body::none, get_user});
    routes.push_back(
        {"PATCH", "/users/{user}", "updateUser", write, {}, Body::required, update_user});
    routes.push_back(
        {"DELETE", "/users/{user}", "deleteUser", write, {"reason"}, Body::none, delete_user});
    routes.push_back({"DELETE",
                      "/users/{user}/sessions",
                      "endUserSessions",
                      write,
                      {"reason"},
                      Body::none,
                      end_user_sessions});
}

}  // namespace rollcall::front
