// SPDX-License-Identifier: Apache-2.0
#include "front/native_api.hpp"

#include "base/limits.hpp"
#include "front/if_match.hpp"
#include "front/native_caller.hpp"
#include "front/native_routes.hpp"
#include "front/operator_refusal.hpp"
#include "front/problem.hpp"
#include "front/url.hpp"

#include <algorithm>
#include <span>

#include <boost/json/serialize.hpp>

namespace rollcall::front {
namespace {

constexpr std::string_view root = "/api/v1";

/// A route and the values of its path's names.
struct Match {
    const Route* route = nullptr;
    std::map<std::string, std::string, std::less<>> path{};
    std::string allowed{};  ///< methods of that path, for Allow
};

bool fits(std::string_view pattern, const std::vector<std::string>& segments,
          std::map<std::string, std::string, std::less<>>& names);
Result<Match> find_route(const net::HttpRequest& request);
Result<std::map<std::string, std::string, std::less<>>> read_query(const net::HttpRequest& request,
                                                                   const Route& route);
Result<json::object> read_body(const net::HttpRequest& request, const Route& route);
net::HttpResponse to_response(const Answer& answer);
void add_safety_headers(net::HttpResponse& response, const net::ConnectionFacts& connection,
                        const std::string& host);

}  // namespace

NativeApi::NativeApi(const NativeServices& services) : services_(services) {}
NativeApi::~NativeApi() = default;

DeclaredRoutes NativeApi::declared_routes() {
    DeclaredRoutes declared;
    for (const auto& route : native_routes()) {
        std::string target{root};
        for (std::string_view rest = route.path; !rest.empty();) {
            const auto part = rest.substr(0, rest.find('/', 1));
            target += part.starts_with("/{") ? "/x" : part;
            rest.remove_prefix(part.size());
        }
        declared.push_back({std::string{route.method}, target, route.permission});
    }
    return declared;
}

std::size_t NativeApi::body_bytes_max() const {
    return limits::operator_body_bytes_max;
}

Task<net::HttpResponse> NativeApi::handle(const net::HttpRequest& request) {
    const std::string tracking_id = new_guid(services_.entropy);
    net::HttpResponse response = co_await answer(request, tracking_id);
    add_safety_headers(response, *request.connection, request.host);
    co_return response;
}

net::HttpResponse NativeApi::refuse(unsigned status, const Error& error,
                                    const net::HttpRequest& so_far) {
    const std::string tracking_id = new_guid(services_.entropy);
    net::HttpResponse response = refusal(error, tracking_id, so_far, status);
    add_safety_headers(response, *so_far.connection, so_far.host);
    response.close = true;
    return response;
}

Task<net::HttpResponse> NativeApi::answer(const net::HttpRequest& request,
                                          const std::string& tracking_id) {
    auto match = find_route(request);
    if (!match) {
        co_return refusal(match.error(), tracking_id, request);
    }
    if (request.method == "OPTIONS") {
        co_return net::HttpResponse{204, {{"Allow", match->allowed}}};
    }
    if (match->route == nullptr) {
        const Error error{ErrorKind::malformed, "this address takes " + match->allowed + " only",
                          "method-not-allowed"};
        net::HttpResponse response = refusal(error, tracking_id, request, 405);
        response.headers.emplace_back("Allow", match->allowed);
        co_return response;
    }
    const Route& route = *match->route;
    auto asker = co_await who_may(services_, request, route.permission);
    if (!asker) {
        co_return refusal(asker.error(), tracking_id, request);
    }
    auto query = read_query(request, route);
    if (!query) {
        co_return refusal(query.error(), tracking_id, request);
    }
    auto body = read_body(request, route);
    if (!body) {
        const bool media = body.error().reason == "media-type";
        co_return refusal(body.error(), tracking_id, request, media ? 415 : 0);
    }
    const Call call{route,
                    std::move(match->path),
                    *std::move(query),
                    *std::move(body),
                    std::move(asker->caller),
                    read_if_match(request),
                    std::move(asker->signed_in),
                    &request};
    const auto answered = co_await route.handler(services_, call);
    net::HttpResponse response =
        answered ? to_response(*answered) : refusal(answered.error(), tracking_id, request);
    if (!asker->set_cookie.empty()) {
        response.headers.emplace_back("Set-Cookie", asker->set_cookie);
    }
    co_return response;
}

net::HttpResponse NativeApi::refusal(const Error& error, const std::string& tracking_id,
                                     const net::HttpRequest& request, unsigned status) const {
    net::HttpResponse response = problem_response(error, tracking_id, status);
    log_operator_refusal(error, response.status, tracking_id, request);
    return response;
}

const std::vector<Route>& native_routes() {
    static const std::vector<Route> routes = [] {
        std::vector<Route> all;
        add_server_routes(all);
        add_ca_routes(all);
        add_allocation_routes(all);
        add_group_routes(all);
        add_slot_routes(all);
        add_enrollment_routes(all);
        add_key_routes(all);
        add_device_routes(all);
        add_hub_routes(all);
        add_registration_routes(all);
        add_distrust_routes(all);
        add_audit_routes(all);
        add_token_routes(all);
        add_policy_routes(all);
        add_user_routes(all);
        add_session_routes(all);
        add_import_routes(all);
        add_overview_routes(all);
        return all;
    }();
    return routes;
}

namespace {

bool fits(std::string_view pattern, const std::vector<std::string>& segments,
          std::map<std::string, std::string, std::less<>>& names) {
    names.clear();
    for (const auto& segment : segments) {
        if (pattern.empty()) {
            return false;
        }
        pattern.remove_prefix(1);  // the slash
        const auto part = pattern.substr(0, pattern.find('/'));
        pattern.remove_prefix(part.size());
        if (part.starts_with('{')) {
            names.emplace(part.substr(1, part.size() - 2), segment);
        } else if (part != segment) {
            return false;
        }
    }
    return pattern.empty();
}

Result<Match> find_route(const net::HttpRequest& request) {
    const Error unknown{ErrorKind::not_found,
                        "there is nothing at this address; " + std::string{root} +
                            "/openapi.json lists what there is",
                        "no-such-address"};
    if (!request.path.starts_with(root)) {
        return unknown;
    }
    const std::string_view rest = std::string_view{request.path}.substr(root.size());
    if (!rest.empty() && !rest.starts_with('/')) {
        return unknown;
    }
    TRY(const auto segments, split_path(rest));
    std::string_view method = request.method;
    if (method == "HEAD") {
        method = "GET";
    }
    Match found;
    for (const auto& route : native_routes()) {
        std::map<std::string, std::string, std::less<>> names;
        if (!fits(route.path, segments, names)) {
            continue;
        }
        found.allowed += std::string{route.method} + ", ";
        if (route.method == "GET") {
            found.allowed += "HEAD, ";
        }
        if (route.method == method) {
            found.route = &route;
            found.path = std::move(names);
        }
    }
    if (found.allowed.empty()) {
        return unknown;
    }
    found.allowed += "OPTIONS";
    return found;
}

Result<std::map<std::string, std::string, std::less<>>> read_query(const net::HttpRequest& request,
                                                                   const Route& route) {
    std::map<std::string, std::string, std::less<>> values;
    TRY(auto pairs, parse_query(request.query));
    for (auto& [name, value] : pairs) {
        if (std::find(route.query.begin(), route.query.end(), name) == route.query.end()) {
            return Error{ErrorKind::malformed, "there is no parameter '" + name + "' here",
                         "unknown-parameter"};
        }
        if (!values.emplace(name, std::move(value)).second) {
            return Error{ErrorKind::malformed, "the parameter '" + name + "' stands there twice",
                         "repeated-parameter"};
        }
    }
    return values;
}

bool is_json(const net::HttpRequest& request) {
    const auto type = request.header("content-type");
    if (!type) {
        return false;
    }
    auto essence = type->substr(0, type->find(';'));
    essence = essence.substr(0, essence.find_last_not_of(" \t") + 1);
    return equal_ignoring_case(essence, "application/json") ||
           (request.method == "PATCH" &&
            equal_ignoring_case(essence, "application/merge-patch+json"));
}

Result<json::object> read_body(const net::HttpRequest& request, const Route& route) {
    if (request.body.empty()) {
        if (route.body == Body::required) {
            return Error{ErrorKind::malformed, "this request needs a JSON object as its body",
                         "missing-body"};
        }
        return json::object{};
    }
    if (route.body == Body::none) {
        return Error{ErrorKind::malformed, "this request takes no body", "unexpected-body"};
    }
    if (!is_json(request)) {
        return Error{ErrorKind::malformed, "send the body as application/json", "media-type"};
    }
    return parse_json_object(request.body);
}

net::HttpResponse to_response(const Answer& answer) {
    net::HttpResponse response;
    response.status = answer.status;
    response.headers.emplace_back("Content-Type", "application/json");
    if (!answer.etag.empty()) {
        response.headers.emplace_back("ETag", '"' + answer.etag.str() + '"');
    }
    if (!answer.location.empty()) {
        response.headers.emplace_back("Location", std::string{root} + answer.location);
    }
    response.headers.insert(response.headers.end(), answer.headers.begin(), answer.headers.end());
    response.body =
        answer.document.empty() ? json::serialize(answer.body) : std::string{answer.document};
    return response;
}

/// Strict transport security is not told to "localhost", where it would bind every other program's
/// ports too.
void add_safety_headers(net::HttpResponse& response, const net::ConnectionFacts& connection,
                        const std::string& host) {
    response.headers.emplace_back("Cache-Control", "no-store");
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    if (!connection.tls_version.empty() && host != "localhost") {
        response.headers.emplace_back("Strict-Transport-Security", "max-age=31536000");
    }
}

}  // namespace
}  // namespace rollcall::front
