// SPDX-License-Identifier: Apache-2.0
#include "front/central_api.hpp"

#include "base/limits.hpp"
#include "front/central_routes.hpp"
#include "front/if_match.hpp"
#include "front/json_response.hpp"
#include "front/operator_caller.hpp"
#include "front/operator_refusal.hpp"
#include "front/page_size.hpp"
#include "front/url.hpp"

#include <algorithm>
#include <array>

namespace rollcall::front {
namespace {

namespace json = boost::json;
using Names = std::map<std::string, std::string, std::less<>>;

/// What the command line, the SDKs' samples and the documents ask for.
constexpr std::array<std::string_view, 6> api_versions{
    "2022-07-31", "1.0", "2022-06-30-preview", "2022-10-31-preview", "1.1-preview", "1.2-preview"};
constexpr std::string_view root = "api";
constexpr std::string_view where_to_go_on = "$skiptoken";

struct Match {
    const CentralRoute* route = nullptr;
    Names path{};
    std::string allowed{};  ///< methods of that path
};
Result<Match> find_route(const net::HttpRequest& request);

struct Query {
    Names values{};
    std::string api_version{};
};
Result<Query> read_query(const net::HttpRequest& request);
Result<json::object> read_body(const net::HttpRequest& request);
service::EtagCondition read_condition(const net::HttpRequest& request);

}  // namespace

// --- A call ---

const std::string& CentralCall::in_path(std::string_view name) const {
    const auto found = path.find(name);
    INVARIANT(found != path.end());
    return found->second;
}

std::optional<std::string> CentralCall::in_query(std::string_view name) const {
    const auto found = query.find(name);
    return found == query.end() ? std::nullopt : std::optional{found->second};
}

Result<domain::Slot> CentralCall::slot() const {
    const std::string& text = in_path("entry");
    for (const auto slot : domain::both_slots) {
        if (equal_ignoring_case(text, domain::to_string(slot))) {
            return slot;
        }
    }
    return Error{ErrorKind::malformed, "a certificate's entry is 'primary' or 'secondary'",
                 "malformed-path"};
}

Result<store::PageRequest> CentralCall::page() const {
    store::PageRequest page;
    page.count = limits::central_page_default;
    for (const std::string_view name : {"$top", "maxpagesize"}) {
        if (const auto text = in_query(name)) {
            TRY(page.count, read_page_size(name, *text));
        }
    }
    page.count = std::min(page.count, limits::central_page_max);
    if (const auto token = in_query(where_to_go_on)) {
        const auto bytes = parse_base64(*token);
        if (!bytes) {
            return Error{ErrorKind::malformed, "$skiptoken is none that a page came with",
                         "malformed-page"};
        }
        page.after = std::string{as_text(*bytes)};
    }
    return page;
}

service::Order CentralCall::order_with(const std::optional<CentralTag>& tag) const {
    service::Order with = order;
    if (tag && with.if_match.one_of.empty()) {
        with.if_match.one_of = {tag->of_certificate ? std::string{} : tag->etag};
    }
    return with;
}

json::object central_page(const CentralCall& call, json::array items, const std::string& next) {
    json::object page{{"value", std::move(items)}};
    if (next.empty()) {
        return page;
    }
    const auto host = call.request.header("host").value_or(call.request.host);
    const std::string scheme = call.request.connection->tls_version.empty() ? "http" : "https";
    std::string link =
        scheme + "://" + std::string{host} + call.request.path + "?api-version=" + call.api_version;
    for (const auto& [name, value] : call.query) {
        if (name != where_to_go_on) {
            link.append("&").append(name).append("=").append(escape_url(value));
        }
    }
    link.append("&").append(where_to_go_on).append("=");
    page["nextLink"] = link + escape_url(to_base64(as_bytes(next)));
    return page;
}

// --- The door ---

DeclaredRoutes CentralApi::declared_routes() {
    DeclaredRoutes declared;
    for (const auto& route : central_routes()) {
        std::string target = "/api";
        for (std::string_view rest = route.path; !rest.empty();) {
            rest.remove_prefix(1);  // the slash
            const auto part = rest.substr(0, rest.find('/'));
            target += "/" + std::string{part.starts_with('{') ? "x" : part};
            rest.remove_prefix(part.size());
        }
        declared.push_back({std::string{route.method},
                            target + "?api-version=" + std::string{api_versions.front()},
                            route.permission});
    }
    return declared;
}

std::size_t CentralApi::body_bytes_max() const {
    return limits::operator_body_bytes_max;
}

Task<net::HttpResponse> CentralApi::handle(const net::HttpRequest& request) {
    auto answered = co_await answer(request);
    if (!answered) {
        co_return refusal(answered.error(), request);
    }
    co_return *std::move(answered);
}

net::HttpResponse CentralApi::refuse(unsigned status, const Error& error,
                                     const net::HttpRequest& so_far) {
    auto response = refusal(error, so_far, status);
    response.close = true;
    return response;
}

Task<Result<net::HttpResponse>> CentralApi::answer(const net::HttpRequest& request) {
    CO_TRY(auto match, find_route(request));
    if (match.route == nullptr) {
        const Error error{ErrorKind::malformed, "this address takes " + match.allowed + " only",
                          "method-not-allowed"};
        auto response = refusal(error, request, 405);
        response.headers.emplace_back("Allow", match.allowed);
        co_return response;
    }
    const CentralRoute& route = *match.route;
    CO_TRY(auto caller, co_await recognise(services_.access, request, route.permission));
    CO_TRY(auto query, read_query(request));
    CentralCall call{route, request};
    call.order.caller = std::move(caller);
    call.order.if_match = read_condition(request);
    call.path = std::move(match.path);
    call.query = std::move(query.values);
    call.api_version = std::move(query.api_version);
    if (route.body == CentralBody::required) {
        CO_TRY(call.body, read_body(request));
    }
    CO_TRY(const auto answered, co_await route.handler(services_, call));
    net::HttpResponse response;
    if (answered.status != 204) {
        response = json_response(answered.body);
    }
    response.status = answered.status;
    response.headers.emplace_back("Cache-Control", "no-store");
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    co_return response;
}

net::HttpResponse CentralApi::refusal(const Error& error, const net::HttpRequest& request,
                                      unsigned status) const {
    const std::string request_id = new_guid(services_.entropy);
    const auto told = to_central_error(error, !request.body.empty(), status);
    auto response = json_response(to_json(told, request_id, services_.clock.now()));
    response.status = told.status;
    response.headers.emplace_back("x-ms-error-code", told.code);
    response.headers.emplace_back("x-ms-request-id", request_id);
    response.headers.emplace_back("Cache-Control", "no-store");
    if (told.status == 401) {
        response.headers.emplace_back("WWW-Authenticate", R"(Bearer realm="rollcall")");
    }
    if (told.status == 503 || told.status == 429) {
        response.headers.emplace_back("Retry-After", "1");
    }
    log_operator_refusal(error, told.status, request_id, request);
    return response;
}

const std::vector<CentralRoute>& central_routes() {
    static const std::vector<CentralRoute> routes = [] {
        std::vector<CentralRoute> all;
        add_central_group_routes(all);
        add_central_device_routes(all);
        add_central_attestation_routes(all);
        add_central_hub_routes(all);
        add_central_access_routes(all);
        add_central_user_routes(all);
        add_central_job_routes(all);
        return all;
    }();
    return routes;
}

namespace {

/// `segments` begin with "api". Words compare without case.
bool fits(std::string_view pattern, const std::vector<std::string>& segments, Names& names) {
    for (std::size_t i = 1; i < segments.size(); ++i) {
        if (pattern.empty()) {
            return false;
        }
        pattern.remove_prefix(1);  // the slash
        const auto part = pattern.substr(0, pattern.find('/'));
        pattern.remove_prefix(part.size());
        if (part.starts_with('{')) {
            names.emplace(part.substr(1, part.size() - 2), segments[i]);
        } else if (!equal_ignoring_case(part, segments[i])) {
            return false;
        }
    }
    return pattern.empty();
}

Result<Match> find_route(const net::HttpRequest& request) {
    const Error unknown{ErrorKind::not_found, "there is nothing at this address",
                        "no-such-address"};
    TRY(const auto segments, split_path(request.path));
    if (segments.empty() || !equal_ignoring_case(segments.front(), root)) {
        return unknown;
    }
    const std::string method = request.method == "HEAD" ? "GET" : request.method;
    Match match;
    for (const auto& route : central_routes()) {
        Names names;
        if (!fits(route.path, segments, names)) {
            continue;
        }
        match.allowed.append(match.allowed.empty() ? "" : ", ").append(route.method);
        if (route.method == method) {
            match.route = &route;
            match.path = std::move(names);
        }
    }
    if (match.allowed.empty()) {
        return unknown;
    }
    return match;
}

/// Clients put api-version into a nextLink that has it already (spec/iot-central-api.md 3.1).
Result<Query> read_query(const net::HttpRequest& request) {
    TRY(auto pairs, parse_query(request.query));
    Query query;
    for (auto& [name, value] : pairs) {
        std::string folded = to_lower_ascii(name);
        if (folded == "api-version") {
            if (std::find(api_versions.begin(), api_versions.end(), value) == api_versions.end()) {
                return Error{ErrorKind::unsupported,
                             "the api-version '" + value.substr(0, 40) +
                                 "' is not spoken here; use 2022-07-31",
                             "api-version"};
            }
            if (query.api_version.empty()) {
                query.api_version = std::move(value);
            }
            continue;
        }
        if (!query.values.emplace(folded, std::move(value)).second) {
            return Error{ErrorKind::malformed, "the parameter '" + folded + "' stands there twice",
                         "malformed-parameter"};
        }
    }
    if (query.api_version.empty()) {
        return Error{ErrorKind::malformed, "api-version is missing; use ?api-version=2022-07-31",
                     "api-version"};
    }
    return query;
}

Result<json::object> read_body(const net::HttpRequest& request) {
    if (request.body.empty()) {
        return Error{ErrorKind::malformed, "this request needs a JSON object as its body",
                     "missing-body"};
    }
    const auto type = request.header("content-type").value_or("");
    auto essence = type.substr(0, type.find(';'));
    essence = essence.substr(0, essence.find_last_not_of(" \t") + 1);
    if (!equal_ignoring_case(essence, "application/json") &&
        !equal_ignoring_case(essence, "application/merge-patch+json")) {
        return Error{ErrorKind::unsupported,
                     "send the body as application/json or application/merge-patch+json",
                     "media-type"};
    }
    return parse_json_object(request.body);
}

service::EtagCondition read_condition(const net::HttpRequest& request) {
    service::EtagCondition condition = read_if_match(request);
    for (auto& tag : condition.one_of) {
        if (tag != "*") {
            tag = read_central_tag(tag).etag;
        }
    }
    return condition;
}

}  // namespace
}  // namespace rollcall::front
