// SPDX-License-Identifier: Apache-2.0
// Native API: signing in and out, and who asks. To sign in needs no permission: who does has none
// yet. What the other routes show and end is the caller's own.
#include "front/native_routes.hpp"
#include "front/session_cookie.hpp"
#include "service/sign_in.hpp"

namespace rollcall::front {
namespace {

using service::Permission;

service::Browser browser_of(const Call& call) {
    const auto agent = call.request->header("user-agent").value_or(std::string_view{});
    return {call.request->connection->peer_address, std::string{agent}};
}

json::object shown(const domain::Session& session, bool current) {
    return {{"id", session.id},
            {"source", session.source},
            {"userAgent", session.user_agent},
            {"created", to_iso8601_ticks(session.created)},
            {"used", to_iso8601_ticks(session.used)},
            {"current", current}};
}

/// Who asks, and what that may.
json::object shown(const service::Caller& caller,
                   const std::optional<domain::SignedIn>& signed_in) {
    json::array permissions;
    for (std::size_t i = 0; i < service::permission_count; ++i) {
        const auto permission = static_cast<Permission>(i);
        if (permission != Permission::none && service::may(caller, permission)) {
            const auto word = service::to_string(permission);
            permissions.emplace_back(json::string_view{word.data(), word.size()});
        }
    }
    const auto* const role = std::get_if<domain::Role>(&caller.grants);
    json::object body{{"caller", caller.name},
                      {"role", role != nullptr ? json::value(domain::to_string(*role)) : nullptr},
                      {"permissions", std::move(permissions)},
                      {"user", nullptr},
                      {"session", nullptr},
                      {"csrf", nullptr}};
    if (signed_in) {
        body["user"] = to_json(signed_in->user);
        body["session"] = shown(signed_in->session, true);
        body["csrf"] = signed_in->session.csrf;
    }
    return body;
}

Answer opened(const service::OpenedSession& session, const Call& call) {
    const auto caller =
        service::SignIn::caller_of(session.signed_in, call.request->connection->peer_address);
    Answer answer;
    answer.body = shown(caller, session.signed_in);
    answer.headers.emplace_back("Set-Cookie",
                                set_cookie(session_cookie, session.secret, SameSite::strict));
    return answer;
}

/// The caller's own session; conflict "no-session" for those who have come otherwise.
Result<domain::SignedIn> own_session(const Call& call) {
    if (!call.signed_in) {
        return Error{ErrorKind::conflict,
                     call.caller.name + " has not signed in, and has no session", "no-session"};
    }
    return *call.signed_in;
}

Answer signed_out(const std::string& what) {
    Answer answer;
    answer.body = json::object{{"deleted", what}, {"warnings", json::array{}}};
    answer.headers.emplace_back("Set-Cookie", clear_cookie(session_cookie, SameSite::strict));
    return answer;
}

Task<Result<Answer>> create_session(const NativeServices& services, const Call& call) {
    Fields fields{call.body};
    const std::string name = fields.text("name");
    const std::string password = fields.text("password");
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    // A page of another site must not sign somebody in as somebody else.
    CO_TRY([[maybe_unused]] const Done ours, check_origin(*call.request));
    const service::Browser browser = browser_of(call);
    CO_TRY(const auto session, co_await services.sign_in.by_password(name, password, browser));
    Answer answer = opened(session, call);
    answer.status = 201;
    answer.location = "/session";
    co_return answer;
}

Task<Result<Answer>> get_session(const NativeServices&, const Call& call) {
    Answer answer;
    answer.body = shown(call.caller, call.signed_in);
    co_return answer;
}

Task<Result<Answer>> delete_session(const NativeServices& services, const Call& call) {
    CO_TRY(const auto signed_in, own_session(call));
    CO_TRY([[maybe_unused]] const Done gone, co_await services.sign_in.sign_out(signed_in));
    co_return signed_out("session/" + signed_in.session.id);
}

Task<Result<Answer>> change_password(const NativeServices& services, const Call& call) {
    Fields fields{call.body};
    const std::string current = fields.text("current");
    const std::string fresh = fields.text("password");
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto signed_in, own_session(call));
    const service::Browser browser = browser_of(call);
    CO_TRY(const auto session,
           co_await services.sign_in.change_password(signed_in, current, fresh, browser));
    co_return opened(session, call);
}

Task<Result<Answer>> list_sessions(const NativeServices& services, const Call& call) {
    json::array items;
    if (call.signed_in) {
        CO_TRY(const auto all, co_await services.sign_in.sessions_of(call.signed_in->user));
        for (const auto& session : all) {
            items.push_back(shown(session, session.id == call.signed_in->session.id));
        }
    }
    Answer answer;
    answer.body = page_json(std::move(items), "");
    co_return answer;
}

Task<Result<Answer>> delete_sessions(const NativeServices& services, const Call& call) {
    CO_TRY(const auto signed_in, own_session(call));
    CO_TRY([[maybe_unused]] const Done gone,
           co_await services.sign_in.sign_out_everywhere(signed_in));
    co_return signed_out("user/" + signed_in.user.name + "/sessions");
}

}  // namespace

void add_session_routes(std::vector<Route>& routes) {
    const auto read = Permission::session_read;
    const auto write = Permission::session_write;
    routes.push_back({"POST",
                      "/session",
                      "createSession",
                      Permission::none,
                      {},
                      Body::required,
                      create_session});
    routes.push_back({"GET", "/session", "getSession", read, {}, Body::none, get_session});
    routes.push_back(
        {"DELETE", "/session", "deleteSession", write, {}, Body::none, delete_session});
    routes.push_back({"PUT",
                      "/session/password",
                      "changeOwnPassword",
                      write,
                      {},
                      Body::required,
                      change_password});
    routes.push_back({"GET", "/sessions", "listSessions", read, {}, Body::none, list_sessions});
    routes.push_back(
        {"DELETE", "/sessions", "deleteSessions", write, {}, Body::none, delete_sessions});
}

}  // namespace rollcall::front
