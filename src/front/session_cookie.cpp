// SPDX-License-Identifier: Apache-2.0
#include "front/session_cookie.hpp"

#include "base/bytes.hpp"

namespace rollcall::front {
namespace {

constexpr std::string_view csrf_header = "X-Rollcall-CSRF";

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string_view word(SameSite same_site) {
    return same_site == SameSite::strict ? "Strict" : "Lax";
}

}  // namespace

std::optional<std::string> cookie_in(const net::HttpRequest& request, std::string_view name) {
    std::optional<std::string> value;
    for (const auto& [field, content] : request.headers) {
        if (!equal_ignoring_case(field, "cookie")) {
            continue;
        }
        std::string_view rest = content;
        while (!rest.empty()) {
            const auto pair = trimmed(rest.substr(0, rest.find(';')));
            rest.remove_prefix(std::min(rest.find(';'), rest.size() - 1) + 1);
            const auto equals = pair.find('=');
            if (equals == std::string_view::npos || pair.substr(0, equals) != name) {
                continue;
            }
            if (value) {
                return std::nullopt;
            }
            value = std::string{pair.substr(equals + 1)};
        }
    }
    return value;
}

std::string set_cookie(std::string_view name, std::string_view value, SameSite same_site,
                       std::chrono::seconds life) {
    std::string text{name};
    text.append("=").append(value).append("; Path=/; Secure; HttpOnly; SameSite=");
    text.append(word(same_site));
    if (life.count() > 0) {
        text.append("; Max-Age=").append(std::to_string(life.count()));
    }
    return text;
}

std::string clear_cookie(std::string_view name, SameSite same_site) {
    return set_cookie(name, "", same_site) + "; Max-Age=0";
}

Result<Done> check_origin(const net::HttpRequest& request) {
    const auto origin = request.header("origin");
    if (!origin) {
        return Done{};
    }
    const auto host = request.header("host");
    const bool secure = !request.connection->tls_version.empty();
    const std::string ours =
        (secure ? "https://" : "http://") + to_lower_ascii(host.value_or(std::string_view{}));
    if (host && to_lower_ascii(*origin) == ours) {
        return Done{};
    }
    return Error{ErrorKind::forbidden,
                 "a page of another site sent this (Origin: " + std::string{*origin} + ")",
                 "foreign-origin"};
}

Result<Done> check_csrf(const net::HttpRequest& request, std::string_view expected) {
    const auto sent = request.header(csrf_header);
    if (!sent) {
        return Error{ErrorKind::forbidden,
                     "a change made with a cookie needs the header " + std::string{csrf_header} +
                         " with the `csrf` of GET /api/v1/session",
                     "csrf-missing"};
    }
    if (expected.empty() || !equal_in_constant_time(as_bytes(*sent), as_bytes(expected))) {
        return Error{ErrorKind::forbidden,
                     "the header " + std::string{csrf_header} +
                         " is not of this session; ask GET /api/v1/session again",
                     "csrf-wrong"};
    }
    return Done{};
}

bool is_safe(std::string_view method) {
    return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

}  // namespace rollcall::front
