// SPDX-License-Identifier: Apache-2.0
#include "front/openid_door.hpp"

#include "front/operator_refusal.hpp"
#include "front/problem.hpp"
#include "front/session_cookie.hpp"
#include "front/url.hpp"

#include <map>

namespace rollcall::front {
namespace {

constexpr std::string_view start_path = "/auth/oidc/start";
constexpr std::string_view callback_path = "/auth/oidc/callback";
constexpr std::string_view console_path = "/ui/";

using Query = std::map<std::string, std::string, std::less<>>;

/// Of a parameter that stands there twice neither is believed.
Result<Query> read_query(const net::HttpRequest& request) {
    TRY(auto pairs, parse_query(request.query));
    Query query;
    for (auto& [name, value] : pairs) {
        if (!query.emplace(name, std::move(value)).second) {
            return Error{ErrorKind::malformed, "the parameter '" + name + "' stands there twice",
                         "repeated-parameter"};
        }
    }
    return query;
}

std::optional<std::string> found(const Query& query, std::string_view name) {
    const auto place = query.find(name);
    return place == query.end() ? std::nullopt : std::optional{place->second};
}

std::string escaped_html(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '&': out += "&amp;"; break;
            case '"': out += "&quot;"; break;
            default: out.push_back(c);
        }
    }
    return out;
}

net::HttpResponse go_to(const std::string& url) {
    net::HttpResponse response;
    response.status = 303;
    response.headers.emplace_back("Location", url);
    response.headers.emplace_back("Cache-Control", "no-store");
    response.headers.emplace_back("Referrer-Policy", "no-referrer");
    return response;
}

}  // namespace

Task<net::HttpResponse> OpenidDoor::handle(const net::HttpRequest& request) {
    const bool starts = request.path == start_path;
    if (!starts && request.path != callback_path) {
        const Error error{ErrorKind::not_found, "there is nothing at this address",
                          "no-such-address"};
        co_return page(error, request, 0);
    }
    if (request.method != "GET") {
        const Error error{ErrorKind::malformed, "this address takes GET only",
                          "method-not-allowed"};
        net::HttpResponse response = page(error, request, 405);
        response.headers.emplace_back("Allow", "GET");
        co_return response;
    }
    Result<net::HttpResponse> answered = net::HttpResponse{};
    if (starts) {
        answered = co_await start(request);
    } else {
        answered = co_await callback(request);
    }
    if (!answered) {
        net::HttpResponse response = page(answered.error(), request, 0);
        if (!starts) {
            response.headers.emplace_back("Set-Cookie", clear_cookie(openid_cookie, SameSite::lax));
        }
        co_return response;
    }
    co_return *std::move(answered);
}

Task<Result<net::HttpResponse>> OpenidDoor::start(const net::HttpRequest& request) {
    CO_TRY(const auto query, read_query(request));
    const std::string return_to = found(query, "return").value_or(std::string{console_path});
    const std::string back = redirect_uri(request);
    CO_TRY(const auto departure, co_await openid_.depart(return_to, back));
    net::HttpResponse response = go_to(departure.url);
    response.headers.emplace_back(
        "Set-Cookie",
        set_cookie(openid_cookie, departure.cookie, SameSite::lax, limits::openid_sign_in_time));
    co_return response;
}

Task<Result<net::HttpResponse>> OpenidDoor::callback(const net::HttpRequest& request) {
    CO_TRY(const auto query, read_query(request));
    service::Homecoming home;
    home.cookie = cookie_in(request, openid_cookie).value_or("");
    home.state = found(query, "state").value_or("");
    home.code = found(query, "code").value_or("");
    home.issuer = found(query, "iss");
    home.error = found(query, "error");
    const service::Browser browser{
        request.connection->peer_address,
        std::string{request.header("user-agent").value_or(std::string_view{})}};
    CO_TRY(const auto arrival, co_await openid_.arrive(home, browser));
    net::HttpResponse response = go_to(arrival.return_to);
    response.headers.emplace_back(
        "Set-Cookie", set_cookie(session_cookie, arrival.session.secret, SameSite::strict));
    response.headers.emplace_back("Set-Cookie", clear_cookie(openid_cookie, SameSite::lax));
    co_return response;
}

/// The provider sends browsers only to addresses it was told of: a Host that somebody made up leads
/// nowhere.
std::string OpenidDoor::redirect_uri(const net::HttpRequest& request) const {
    std::string base = openid_.settings().public_url;
    if (base.empty()) {
        base = request.connection->tls_version.empty() ? "http://" : "https://";
        base.append(request.header("host").value_or(std::string_view{}));
    }
    return base.append(callback_path);
}

net::HttpResponse OpenidDoor::refuse(unsigned status, const Error& error,
                                     const net::HttpRequest& so_far) {
    net::HttpResponse response = page(error, so_far, status);
    response.close = true;
    return response;
}

net::HttpResponse OpenidDoor::page(const Error& error, const net::HttpRequest& request,
                                   unsigned status) {
    const std::string tracking_id = new_guid(entropy_);
    net::HttpResponse response = problem_response(error, tracking_id, status);
    log_operator_refusal(error, response.status, tracking_id, request);
    const std::string detail = error.kind == ErrorKind::internal || error.detail.empty()
                                   ? "Something went wrong here; the log tells more."
                                   : error.detail;
    std::erase_if(response.headers, [](const auto& header) {
        return header.first == "Content-Type" || header.first == "WWW-Authenticate";
    });
    response.headers.emplace_back("Content-Type", "text/html; charset=utf-8");
    response.headers.emplace_back("Cache-Control", "no-store");
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    response.headers.emplace_back("Content-Security-Policy",
                                  "default-src 'none'; frame-ancestors 'none'");
    response.body =
        "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\">"
        "<title>Not signed in</title>\n<h1>Not signed in</h1>\n<p>" +
        escaped_html(detail) + "</p>\n<p><a href=\"" + std::string{start_path} +
        "\">Sign in again</a> or <a href=\"" + std::string{console_path} +
        "\">go to the console</a>.</p>\n<p>Tracking id " + tracking_id + "</p></html>\n";
    return response;
}

}  // namespace rollcall::front
