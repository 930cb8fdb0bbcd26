// SPDX-License-Identifier: Apache-2.0
#include "front/device_https.hpp"

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "base/utf8.hpp"
#include "front/device_token.hpp"
#include "front/dps_wire.hpp"
#include "front/url.hpp"

#include <array>
#include <optional>
#include <vector>

namespace rollcall::front {

/// One of the three operations, with what its address names.
struct DeviceHttps::Route {
    enum class What { registering, polling, looking_up } what;
    ScopeId scope;
    RegistrationId id;
    OperationId operation;
    std::string api_version;
    bool force = false;
};

namespace {

constexpr std::string_view json_type = "application/json; charset=utf-8";

/// Devices send JSON; anything else that says so is refused, silence is not.
Result<Done> check_media_type(const net::HttpRequest& request) {
    const auto type = request.header("content-type");
    if (request.body.empty() || !type) {
        return Done{};
    }
    const auto essence = type->substr(0, type->find(';'));
    const auto end = essence.find_last_not_of(" \t");
    if (!equal_ignoring_case(essence.substr(0, end + 1), "application/json")) {
        return Error{ErrorKind::unsupported, "Send the body as application/json.", "media-type"};
    }
    return Done{};
}

Error wrong_method(std::string allowed) {
    return {ErrorKind::malformed, "This address takes " + allowed + " only.", "wrong-method",
            std::move(allowed)};
}

}  // namespace

DeviceHttps::DeviceHttps(service::Registrar& registrar, const Clock& clock, Entropy& entropy,
                         DeviceHttpsSettings settings)
    : registrar_(registrar), clock_(clock), entropy_(entropy), settings_(settings) {}

Task<net::HttpResponse> DeviceHttps::handle(const net::HttpRequest& request) {
    const auto route = route_of(request);
    if (!route) {
        co_return refusal(route.error());
    }
    switch (route->what) {
        case Route::What::registering: co_return co_await do_register(request, *route);
        case Route::What::polling: co_return co_await do_poll(request, *route);
        case Route::What::looking_up: break;
    }
    co_return co_await do_lookup(request, *route);
}

net::HttpResponse DeviceHttps::refuse(unsigned status, const Error& error,
                                      const net::HttpRequest&) {
    DpsError told = to_dps_error(error);
    told.status = status;
    told.code = static_cast<int>(status) * 1000 + 1;
    const std::string tracking_id = new_guid(entropy_);
    net::HttpResponse response = answer(status, error_body(told, tracking_id, clock_.now()));
    response.headers.emplace_back("x-ms-request-id", tracking_id);
    response.close = true;
    return response;
}

std::size_t DeviceHttps::body_bytes_max() const {
    return limits::device_body_bytes_max;
}

/// 202 while there is something to poll for; a disabled entry has nothing more to say, so that it
/// is told at once (spec/dps-device-api.md 1.5).
Task<net::HttpResponse> DeviceHttps::do_register(const net::HttpRequest& request,
                                                 const Route& route) {
    const auto wish = read(request, route, true);
    if (!wish) {
        co_return refusal(wish.error());
    }
    const auto answered = co_await registrar_.register_device(*wish);
    if (!answered) {
        co_return refusal(answered.error());
    }
    const bool disabled = answered->registration.status == domain::RegistrationStatus::disabled;
    net::HttpResponse response = disabled
                                     ? answer(200, operation_body(*answered, route.api_version))
                                     : answer(202, assigning_body(*answered));
    if (!disabled) {
        response.headers.emplace_back("Retry-After", std::to_string(settings_.retry_after.count()));
        response.headers.emplace_back("Location", request.path);
    }
    response.headers.emplace_back("x-ms-request-id", new_guid(entropy_));
    co_return response;
}

Task<net::HttpResponse> DeviceHttps::do_poll(const net::HttpRequest& request, const Route& route) {
    const auto wish = read(request, route, false);
    if (!wish) {
        co_return refusal(wish.error());
    }
    const auto answered = co_await registrar_.operation_status(*wish, route.operation);
    if (!answered) {
        co_return refusal(answered.error());
    }
    net::HttpResponse response = answer(200, operation_body(*answered, route.api_version));
    response.headers.emplace_back("x-ms-request-id", new_guid(entropy_));
    co_return response;
}

Task<net::HttpResponse> DeviceHttps::do_lookup(const net::HttpRequest& request,
                                               const Route& route) {
    const auto wish = read(request, route, true);
    if (!wish) {
        co_return refusal(wish.error());
    }
    const auto answered = co_await registrar_.lookup(*wish);
    if (!answered) {
        co_return refusal(answered.error());
    }
    net::HttpResponse response =
        answer(200, registration_body(answered->registration, route.api_version));
    response.headers.emplace_back("x-ms-request-id", new_guid(entropy_));
    co_return response;
}

/// /{scope}/registrations/{id}[/register | /operations/{operation}]; words without case.
Result<DeviceHttps::Route> DeviceHttps::route_of(const net::HttpRequest& request) const {
    const Error unknown{ErrorKind::not_found, "There is nothing at this address.", "no-route"};
    TRY(const auto parts, split_path(request.path));
    if (parts.size() < 3 || parts.size() > 5 || !equal_ignoring_case(parts[1], "registrations")) {
        return unknown;
    }
    Route route{Route::What::looking_up, {}, {}, {}, {}};
    std::string method = "POST";
    if (parts.size() == 4 && equal_ignoring_case(parts[3], "register")) {
        route.what = Route::What::registering;
        method = "PUT";
    } else if (parts.size() == 5 && equal_ignoring_case(parts[3], "operations")) {
        route.what = Route::What::polling;
        route.operation = OperationId::trusted(parts[4]);
        method = "GET";
    } else if (parts.size() != 3) {
        return unknown;
    }
    if (request.method != method) {
        return wrong_method(method);
    }
    TRY(route.scope, parse_scope_id(parts[0]));
    TRY(route.id, parse_registration_id(parts[2]));
    TRY(const auto query, parse_query(request.query));
    for (const auto& [key, value] : query) {
        if (equal_ignoring_case(key, "api-version")) {
            route.api_version = value;
        } else if (equal_ignoring_case(key, "forceRegistration")) {
            route.force = equal_ignoring_case(value, "true");
        }
    }
    TRY([[maybe_unused]] const Done version, check_api_version(route.api_version));
    return route;
}

Result<domain::RegistrationRequest> DeviceHttps::read(const net::HttpRequest& request,
                                                      const Route& route, bool with_body) const {
    domain::RegistrationRequest wish;
    if (with_body) {
        TRY([[maybe_unused]] const Done type, check_media_type(request));
        TRY(const auto said, parse_device_registration(request.body, route.id));
        wish.payload = said.payload;
    }
    const net::ConnectionFacts& connection = *request.connection;
    wish.scope = route.scope;
    wish.id = route.id;
    wish.peer = connection.peer;
    wish.peer_error = connection.peer_error;
    wish.sas = token_of(request);
    wish.force = route.force;
    wish.protocol = domain::Protocol::https;
    wish.api_version = route.api_version;
    const std::string_view agent =
        request.header("user-agent").value_or(request.header("useragent").value_or(""));
    wish.user_agent = repaired_utf8(agent.substr(0, limits::user_agent_chars_max));
    wish.tls_version = connection.tls_version;
    wish.tls_cipher = connection.cipher;
    wish.peer_address = connection.peer_address;
    return wish;
}

net::HttpResponse DeviceHttps::answer(unsigned status, std::string body) {
    net::HttpResponse response;
    response.status = status;
    response.headers.reserve(6);
    response.headers.emplace_back("Content-Type", json_type);
    response.headers.emplace_back("Strict-Transport-Security",
                                  "max-age=31536000; includeSubDomains");
    response.body = std::move(body);
    return response;
}

net::HttpResponse DeviceHttps::refusal(const Error& error) {
    if (error.kind == ErrorKind::internal || error.kind == ErrorKind::unavailable) {
        log_event(Severity::error, "device-request-failed",
                  {{"kind", std::string{to_string(error.kind)}},
                   {"detail", error.detail},
                   {"note", error.note}});
    }
    const DpsError told = to_dps_error(error);
    const std::string tracking_id = new_guid(entropy_);
    net::HttpResponse response = answer(told.status, error_body(told, tracking_id, clock_.now()));
    response.headers.emplace_back("x-ms-request-id", tracking_id);
    response.headers.emplace_back("x-ms-error-code", std::to_string(told.code));
    if (told.status == 405) {
        response.headers.emplace_back("Allow", error.note);
    }
    if (told.status == 503 || told.status == 429) {
        response.headers.emplace_back("Retry-After", "5");
    }
    response.close = told.status == 429;
    return response;
}

}  // namespace rollcall::front
