// SPDX-License-Identifier: Apache-2.0
// The cookies of people who sign in, and the proofs that a request came from our own pages.
#pragma once

#include "net/http.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace rollcall::front {

/// "__Host-": browsers take it over TLS from this host only, for all of its paths, and no
/// neighbouring domain can set it (RFC 6265bis section 4.1.3).
inline constexpr std::string_view session_cookie = "__Host-rollcall";
/// Between leaving for the OpenID provider and coming back.
inline constexpr std::string_view openid_cookie = "__Host-rollcall-openid";

enum class SameSite {
    strict,  ///< never with a request that another site caused
    lax,     ///< also when another site sends the browser here
};

/// The value of a request's cookie. None where it is absent or there twice.
std::optional<std::string> cookie_in(const net::HttpRequest& request, std::string_view name);

/// Set-Cookie's value: HttpOnly, Secure. `life` 0: until the browser is closed.
std::string set_cookie(std::string_view name, std::string_view value, SameSite same_site,
                       std::chrono::seconds life = {});
std::string clear_cookie(std::string_view name, SameSite same_site);

/// forbidden "foreign-origin" where the browser says that another site's page sent this
/// (RFC 6454 section 7). Browsers say it with every unsafe method; programs say nothing.
Result<Done> check_origin(const net::HttpRequest& request);

/// forbidden "csrf-missing", "csrf-wrong": an unsafe request that a cookie vouches for has to
/// repeat the session's csrf value, which other sites' pages can neither read nor send.
Result<Done> check_csrf(const net::HttpRequest& request, std::string_view expected);

/// GET, HEAD, OPTIONS (RFC 9110 section 9.2.1).
bool is_safe(std::string_view method);

}  // namespace rollcall::front
