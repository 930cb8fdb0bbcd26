// SPDX-License-Identifier: Apache-2.0
#include "front/dps_service_api.hpp"

#include "base/limits.hpp"
#include "front/dps_service_call.hpp"
#include "front/json_reader.hpp"
#include "front/operator_caller.hpp"
#include "front/operator_refusal.hpp"
#include "front/url.hpp"

#include <algorithm>
#include <array>

namespace rollcall::front {
namespace {

constexpr std::array<std::string_view, 3> api_versions{"2019-03-31", "2021-10-01",
                                                       "2025-07-01-preview"};

Result<std::string> read_api_version(const net::HttpRequest& request);
Result<json::object> read_body(const net::HttpRequest& request, bool optional);
void add_safety_headers(net::HttpResponse& response, const net::HttpRequest& request);

}  // namespace

std::size_t DpsServiceApi::body_bytes_max() const {
    return limits::operator_body_bytes_max;
}

Task<net::HttpResponse> DpsServiceApi::handle(const net::HttpRequest& request) {
    auto answered = co_await answer(request);
    if (!answered) {
        net::HttpResponse refused = refusal(answered.error(), request);
        add_safety_headers(refused, request);
        co_return refused;
    }
    add_safety_headers(*answered, request);
    co_return *std::move(answered);
}

net::HttpResponse DpsServiceApi::refuse(unsigned status, const Error& error,
                                        const net::HttpRequest& so_far) {
    net::HttpResponse response = refusal(error, so_far, status);
    add_safety_headers(response, so_far);
    response.close = true;
    return response;
}

Task<Result<net::HttpResponse>> DpsServiceApi::answer(const net::HttpRequest& request) {
    CO_TRY(const Target target, find_target(request));
    if (!target.allowed.empty()) {
        const Error error{ErrorKind::malformed, "this address takes " + target.allowed + " only"};
        net::HttpResponse response = refusal(error, request, 405);
        response.headers.emplace_back("Allow", target.allowed);
        co_return response;
    }
    CO_TRY(auto caller, co_await recognise(services_.access, request, permission_of(target)));
    CO_TRY(auto api_version, read_api_version(request));
    service::Order order;
    order.caller = std::move(caller);
    order.if_match = read_condition(request);
    Call call{request, target, std::move(api_version), std::move(order)};
    const bool takes_body = target.operation == Operation::put ||
                            target.operation == Operation::bulk ||
                            target.operation == Operation::query;
    if (takes_body) {
        CO_TRY(call.body, read_body(request, target.collection == DpsCollection::registrations));
    }
    co_return co_await dispatch(call);
}

service::Permission DpsServiceApi::permission_of(const Target& target) {
    using service::Permission;
    const bool reads = target.operation == Operation::get || target.operation == Operation::query;
    const bool shows = target.operation == Operation::mechanism;
    switch (target.collection) {
        case DpsCollection::groups:
            return shows   ? Permission::group_key_show
                   : reads ? Permission::group_read
                           : Permission::group_write;
        case DpsCollection::registrations:
            return reads ? Permission::registration_read : Permission::registration_write;
        case DpsCollection::enrollments: break;
    }
    return shows   ? Permission::key_show
           : reads ? Permission::enrollment_read
                   : Permission::enrollment_write;
}

/// Found as requests are, so that none is declared that is not answered.
DeclaredRoutes DpsServiceApi::declared_routes() {
    DeclaredRoutes declared;
    for (const std::string collection : {"enrollments", "enrollmentGroups", "registrations"}) {
        for (const std::string rest : {"", "/x", "/query", "/x/attestationmechanism", "/x/query"}) {
            for (const std::string method : {"GET", "PUT", "POST", "DELETE"}) {
                net::HttpRequest request;
                request.method = method;
                request.path = "/" + collection + rest;
                const auto target = find_target(request);
                const bool an_id = rest == "/query" && method != "POST";  // "/x" is one already
                if (target && target->allowed.empty() && !an_id) {
                    declared.push_back(
                        {method, request.path + "?api-version=2021-10-01", permission_of(*target)});
                }
            }
        }
    }
    return declared;
}

Task<Result<net::HttpResponse>> DpsServiceApi::dispatch(const Call& call) {
    switch (call.target.operation) {
        case Operation::get: co_return co_await get(call);
        case Operation::put: co_return co_await put(call);
        case Operation::erase: co_return co_await erase(call);
        case Operation::query: co_return co_await query(call);
        case Operation::mechanism: co_return co_await mechanism(call);
        case Operation::bulk: break;
    }
    co_return co_await bulk(call);
}

/// Paths compare without case, and may end in a slash (spec/dps-service-api.md 2.1).
Result<DpsServiceApi::Target> DpsServiceApi::find_target(const net::HttpRequest& request) {
    const Error unknown{ErrorKind::not_found, "there is nothing at this address",
                        "no-such-address"};
    TRY(const auto parts, split_path(request.path));
    Target target;
    if (parts.empty() || parts.size() > 3) {
        return unknown;
    }
    if (equal_ignoring_case(parts[0], "enrollmentGroups")) {
        target.collection = DpsCollection::groups;
    } else if (equal_ignoring_case(parts[0], "registrations")) {
        target.collection = DpsCollection::registrations;
    }
    const bool registrations = target.collection == DpsCollection::registrations;
    const std::string method = request.method == "HEAD" ? "GET" : request.method;
    const auto only_post = [&](Operation operation) {
        target.operation = operation;
        target.allowed = method == "POST" ? "" : "POST";
        return target;
    };
    if (parts.size() == 1) {
        return registrations ? Result<Target>{unknown} : only_post(Operation::bulk);
    }
    target.id = parts[1];
    if (parts.size() == 3) {
        const std::string_view last = registrations ? "query" : "attestationmechanism";
        return equal_ignoring_case(parts[2], last)
                   ? only_post(registrations ? Operation::query : Operation::mechanism)
                   : Result<Target>{unknown};
    }
    if (method == "POST" && !registrations && equal_ignoring_case(target.id, "query")) {
        target.id.clear();
        return only_post(Operation::query);
    }
    if (method == "GET") {
        target.operation = Operation::get;
    } else if (method == "PUT" && !registrations) {
        target.operation = Operation::put;
    } else if (method == "DELETE") {
        target.operation = Operation::erase;
    } else {
        target.allowed = registrations ? "GET, HEAD, DELETE" : "GET, HEAD, PUT, DELETE";
    }
    return target;
}

net::HttpResponse DpsServiceApi::refusal(const Error& error, const net::HttpRequest& request,
                                         unsigned status) const {
    if (status == 0 && error.kind == ErrorKind::unsupported && error.reason == "media-type") {
        status = 415;
    }
    const std::string tracking_id = new_guid(services_.entropy);
    const DpsServiceError told = to_service_error(error, status);
    net::HttpResponse response = json_response(to_json(told, tracking_id, services_.clock.now()));
    response.status = told.status;
    response.headers.emplace_back("x-ms-error-code", std::to_string(told.code));
    if (told.status == 401) {
        response.headers.emplace_back("WWW-Authenticate", R"(Bearer realm="rollcall")");
    }
    if (told.status == 503 || told.status == 429) {
        response.headers.emplace_back("Retry-After", retry_after_of(error));
    }
    log_operator_refusal(error, told.status, tracking_id, request);
    return response;
}

namespace {

Result<std::string> read_api_version(const net::HttpRequest& request) {
    TRY(const auto pairs, parse_query(request.query));
    for (const auto& [name, value] : pairs) {
        if (!equal_ignoring_case(name, "api-version")) {
            continue;
        }
        if (std::find(api_versions.begin(), api_versions.end(), value) != api_versions.end()) {
            return value;
        }
        return Error{ErrorKind::unsupported,
                     "the api-version '" + value.substr(0, 40) +
                         "' is not spoken here; use 2021-10-01 or 2019-03-31",
                     "api-version"};
    }
    return Error{ErrorKind::malformed, "api-version is missing; use ?api-version=2021-10-01",
                 "api-version"};
}

Result<json::object> read_body(const net::HttpRequest& request, bool optional) {
    if (request.body.empty()) {
        if (optional) {
            return json::object{};
        }
        return Error{ErrorKind::malformed, "this request needs a JSON object as its body",
                     "missing-body"};
    }
    const auto type = request.header("content-type").value_or("");
    auto essence = type.substr(0, type.find(';'));
    essence = essence.substr(0, essence.find_last_not_of(" \t") + 1);
    if (!equal_ignoring_case(essence, "application/json")) {
        return Error{ErrorKind::unsupported, "send the body as application/json", "media-type"};
    }
    return parse_json_object(request.body);
}

/// As recorded; strict transport security is not told to "localhost", where it would bind every
/// other program's ports too.
void add_safety_headers(net::HttpResponse& response, const net::HttpRequest& request) {
    response.headers.emplace_back("Cache-Control", "no-store");
    if (!request.connection->tls_version.empty() && request.host != "localhost") {
        response.headers.emplace_back("Strict-Transport-Security",
                                      "max-age=31536000; includeSubDomains");
    }
}

}  // namespace
}  // namespace rollcall::front
