// SPDX-License-Identifier: Apache-2.0
// Who sends a request to the native API: the console's users come with a cookie, everybody else as
// at the other APIs (operator_caller.hpp). Those take no cookies, so that a page of another site
// finds nothing there to abuse.
#pragma once

#include "domain/user.hpp"
#include "front/native_api.hpp"
#include "service/caller.hpp"

#include <optional>
#include <string>

namespace rollcall::front {

struct Asker {
    service::Caller caller{};
    std::optional<domain::SignedIn> signed_in{};  ///< where a cookie vouches
    std::string set_cookie{};                     ///< Set-Cookie of the answer; empty: none
};

/// An Authorization header goes before a cookie. With a cookie, unsafe methods need our own origin
/// and the session's csrf value (forbidden, see session_cookie.hpp). Errors: those of
/// Access::authenticate() and SignIn::recognise(). `request` outlives the await.
Task<Result<Asker>> who_asks(const NativeServices& services, const net::HttpRequest& request);

/// The same where `permission` is wanted: forbidden "permission-missing". With `none` nobody is
/// asked who it is.
Task<Result<Asker>> who_may(const NativeServices& services, const net::HttpRequest& request,
                            service::Permission permission);

}  // namespace rollcall::front
