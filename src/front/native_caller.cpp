// SPDX-License-Identifier: Apache-2.0
#include "front/native_caller.hpp"

#include "front/operator_caller.hpp"
#include "front/session_cookie.hpp"

namespace rollcall::front {

Task<Result<Asker>> who_asks(const NativeServices& services, const net::HttpRequest& request) {
    Asker asker;
    const auto secret =
        request.header("authorization") ? std::nullopt : cookie_in(request, session_cookie);
    if (!secret) {
        CO_TRY(asker.caller, co_await identify(services.access, request));
        co_return asker;
    }
    const std::string source = request.connection->peer_address;
    CO_TRY(const auto recognised, co_await services.sign_in.recognise(*secret, source));
    if (!is_safe(request.method)) {
        CO_TRY([[maybe_unused]] const Done ours, check_origin(request));
        CO_TRY([[maybe_unused]] const Done proved,
               check_csrf(request, recognised.signed_in.session.csrf));
    }
    asker.caller = service::SignIn::caller_of(recognised.signed_in, source);
    asker.signed_in = recognised.signed_in;
    if (!recognised.fresh_secret.empty()) {
        asker.set_cookie = set_cookie(session_cookie, recognised.fresh_secret, SameSite::strict);
    }
    co_return asker;
}

Task<Result<Asker>> who_may(const NativeServices& services, const net::HttpRequest& request,
                            service::Permission permission) {
    if (permission == service::Permission::none) {
        co_return Asker{{"anyone", request.connection->peer_address}, std::nullopt, ""};
    }
    CO_TRY(auto asker, co_await who_asks(services, request));
    CO_TRY([[maybe_unused]] const Done allowed, check_permission(asker.caller, permission));
    co_return asker;
}

}  // namespace rollcall::front
