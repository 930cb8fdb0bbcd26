// SPDX-License-Identifier: Apache-2.0
#include "front/hub_https.hpp"

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "base/utf8.hpp"
#include "front/device_token.hpp"
#include "front/dps_wire.hpp"
#include "front/url.hpp"

#include <algorithm>
#include <array>

#include <boost/json.hpp>

namespace rollcall::front {

namespace json = boost::json;

struct HubHttps::Route {
    enum class What { send, fetch, complete, abandon } what = What::send;
    DeviceId device{};
    std::string token{};
};

namespace {

constexpr std::string_view batch_type = "application/vnd.microsoft.iothub.json";
constexpr std::string_view application_prefix = "iothub-app-";

/// Headers of system properties, and their names in a property bag (spec/hub-mqtt.md 4.3, 4.7).
constexpr std::array<std::pair<std::string_view, std::string_view>, 7> system_headers{{
    {"iothub-messageid", "$.mid"},
    {"iothub-correlationid", "$.cid"},
    {"iothub-userid", "$.uid"},
    {"iothub-to", "$.to"},
    {"iothub-contenttype", "$.ct"},
    {"iothub-contentencoding", "$.ce"},
    {"iothub-expiry", "$.exp"},
}};

void add_property(domain::MessageProperties& properties, std::string_view header,
                  std::string_view value) {
    const std::string text = repaired_utf8(value);
    if (equal_ignoring_case(header.substr(0, application_prefix.size()), application_prefix)) {
        const auto name = header.substr(application_prefix.size());
        properties.push_back({repaired_utf8(name), text, false});
        return;
    }
    for (const auto& [known, name] : system_headers) {
        if (equal_ignoring_case(header, known)) {
            properties.push_back({std::string{name}, text, false});
        }
    }
}

Error bad_batch() {
    return {ErrorKind::malformed, "A batch is an array of {\"body\":BASE64,\"properties\":{}}.",
            "malformed-batch"};
}

Result<domain::Telemetry> batched(const json::value& element, const DeviceId& device) {
    const auto* const object = element.if_object();
    const auto* const body = object != nullptr ? object->if_contains("body") : nullptr;
    if (body == nullptr || !body->is_string()) {
        return bad_batch();
    }
    domain::Telemetry telemetry;
    telemetry.device = device;
    const auto* const encoded = object->if_contains("base64Encoded");
    const bool plain = encoded != nullptr && encoded->is_bool() && !encoded->get_bool();
    const std::string_view text{body->get_string().data(), body->get_string().size()};
    if (plain) {
        telemetry.body = std::string{text};
    } else {
        const auto bytes = parse_base64(text);
        if (!bytes) {
            return bad_batch();
        }
        telemetry.body.assign(bytes->begin(), bytes->end());
    }
    const auto* const properties = object->if_contains("properties");
    if (properties != nullptr && properties->is_object()) {
        for (const auto& [name, value] : properties->get_object()) {
            if (const auto* const said = value.if_string()) {
                add_property(telemetry.properties, {name.data(), name.size()},
                             {said->data(), said->size()});
            }
        }
    }
    return telemetry;
}

Result<std::vector<domain::Telemetry>> telemetry_of(const net::HttpRequest& request,
                                                    const DeviceId& device) {
    std::vector<domain::Telemetry> messages;
    const auto type = request.header("content-type").value_or("");
    if (!equal_ignoring_case(type.substr(0, batch_type.size()), batch_type)) {
        domain::Telemetry& telemetry = messages.emplace_back();
        telemetry.device = device;
        telemetry.body = request.body;
        for (const auto& [name, value] : request.headers) {
            add_property(telemetry.properties, name, value);
        }
    } else {
        json::parse_options options;
        options.max_depth = limits::json_depth_max;
        boost::system::error_code failed;
        const json::value batch = json::parse(request.body, failed, {}, options);
        if (failed || !batch.is_array()) {
            return bad_batch();
        }
        for (const auto& element : batch.get_array()) {
            TRY(auto telemetry, batched(element, device));
            messages.push_back(std::move(telemetry));
        }
    }
    for (const auto& telemetry : messages) {
        if (telemetry.properties.size() > limits::message_properties_max) {
            return Error{ErrorKind::too_large, "A message has too many properties.",
                         "too-many-properties"};
        }
    }
    return messages;
}

bool holds(const std::vector<domain::DeviceMessage>& messages, std::uint64_t number) {
    return std::any_of(messages.begin(), messages.end(),
                       [number](const auto& message) { return message.number == number; });
}

net::HttpResponse no_content() {
    net::HttpResponse response;
    response.status = 204;
    return response;
}

/// Can a field be called that (RFC 9110 section 5.6.2)? A name with a line end would begin another.
bool is_token(std::string_view name) {
    constexpr std::string_view separators = "\"(),/:;<=>?@[\\]{}";
    return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
        return c > 0x20 && c < 0x7f && separators.find(c) == std::string_view::npos;
    });
}

/// An answer's fields may not hold everything a property may: values are repaired by the session,
/// properties whose names no field can have are left out.
net::HttpResponse message_response(const domain::DeviceMessage& message, const std::string& token) {
    net::HttpResponse response;
    response.headers.emplace_back("ETag", "\"" + token + "\"");
    response.headers.emplace_back("iothub-sequencenumber", std::to_string(message.number));
    response.headers.emplace_back("iothub-enqueuedtime", to_iso8601_ticks(message.enqueued));
    response.headers.emplace_back("iothub-expiry", to_iso8601_ticks(message.expires));
    for (const auto& property : message.properties) {
        const auto known =
            std::find_if(system_headers.begin(), system_headers.end(),
                         [&](const auto& each) { return each.second == property.name; });
        if (known != system_headers.end()) {
            response.headers.emplace_back(known->first, property.value);
        } else if (is_token(property.name)) {
            response.headers.emplace_back(std::string{application_prefix} + property.name,
                                          property.value);
        }
    }
    response.body = message.body;
    return response;
}

}  // namespace

std::size_t HubHttps::body_bytes_max() const {
    return limits::telemetry_body_bytes_max;
}

/// /devices/{id}/messages/events | devicebound[/{lock}[/abandon]]
Result<HubHttps::Route> HubHttps::route_of(const net::HttpRequest& request) const {
    const Error unknown{ErrorKind::not_found, "There is nothing at this address.", "no-route"};
    TRY(const auto parts, split_path(request.path));
    if (parts.size() < 4 || parts.size() > 6 || !equal_ignoring_case(parts[2], "messages")) {
        return unknown;
    }
    Route route;
    std::string method = "POST";
    const bool bound = equal_ignoring_case(parts[3], "devicebound");
    if (parts.size() == 4 && equal_ignoring_case(parts[3], "events")) {
        route.what = Route::What::send;
    } else if (bound && parts.size() == 4) {
        route.what = Route::What::fetch;
        method = "GET";
    } else if (bound && parts.size() == 5) {
        route.what = Route::What::complete;
        method = "DELETE";
    } else if (bound && parts.size() == 6 && equal_ignoring_case(parts[5], "abandon")) {
        route.what = Route::What::abandon;
    } else {
        return unknown;
    }
    if (request.method != method) {
        return Error{ErrorKind::malformed, "This address takes " + method + " only.",
                     "wrong-method", method};
    }
    if (parts.size() > 4) {
        route.token = parts[4];
    }
    TRY(route.device, parse_device_id(parts[1]));
    return route;
}

Task<net::HttpResponse> HubHttps::handle(const net::HttpRequest& request) {
    const auto route = route_of(request);
    if (!route) {
        co_return refusal(route.error());
    }
    auto response = co_await answer(request, *route);
    if (!response) {
        co_return refusal(response.error());
    }
    co_return *std::move(response);
}

Task<Result<net::HttpResponse>> HubHttps::answer(const net::HttpRequest& request,
                                                 const Route& route) {
    const net::ConnectionFacts& connection = *request.connection;
    service::HubRequest asks;
    asks.device = route.device;
    asks.peer = connection.peer;
    asks.sas = token_of(request);
    asks.protocol = domain::Protocol::https;
    asks.peer_address = connection.peer_address;
    CO_TRY([[maybe_unused]] const auto facts, co_await hub_.admit(asks));
    switch (route.what) {
        case Route::What::send: co_return co_await send(request, route);
        case Route::What::fetch: co_return co_await fetch(route);
        default: break;
    }
    co_return co_await settle(route);
}

Task<Result<net::HttpResponse>> HubHttps::send(const net::HttpRequest& request,
                                               const Route& route) {
    CO_TRY(auto messages, telemetry_of(request, route.device));
    if (!messages.empty()) {
        CO_TRY([[maybe_unused]] const Done kept, co_await hub_.send(messages));
    }
    co_return no_content();
}

/// Who holds a lock looks once more: the message may have been completed, and its lock given back,
/// after the list was read.
Task<Result<net::HttpResponse>> HubHttps::fetch(const Route& route) {
    CO_TRY(auto messages, co_await hub_.waiting(route.device));
    for (std::size_t at = 0; at < messages.size();) {
        const auto message = messages[at];
        const auto token = lock(route.device, message.number);
        if (!token) {
            ++at;
            continue;
        }
        auto now = co_await hub_.waiting(route.device);
        if (now && holds(*now, message.number)) {
            co_return message_response(message, *token);
        }
        unlock(route.device, message.number, *token);
        if (!now) {
            co_return now.error();
        }
        messages = *std::move(now);
        at = 0;
    }
    co_return no_content();
}

/// Rejecting is completing: there is no dead-letter queue. The lock is kept until the message is
/// gone for good, so that nobody is given it meanwhile.
Task<Result<net::HttpResponse>> HubHttps::settle(const Route& route) {
    const auto number = locked_by(route.device, route.token);
    if (!number) {
        co_return Error{ErrorKind::stale, "The lock is lost; the message comes again.",
                        "lock-lost"};
    }
    if (route.what == Route::What::complete) {
        CO_TRY([[maybe_unused]] const Done done, co_await hub_.complete(route.device, *number));
    }
    unlock(route.device, *number, route.token);
    co_return no_content();
}

std::optional<std::string> HubHttps::lock(const DeviceId& device, std::uint64_t number) {
    const TimePoint now = clock_.now();
    const std::lock_guard guard(mutex_);
    if (locks_.size() > limits::message_locks_max) {
        std::erase_if(locks_, [now](const auto& each) { return each.second.until <= now; });
    }
    Lock& held = locks_[{device, number}];
    if (held.until > now) {
        return std::nullopt;
    }
    held = {new_guid(entropy_), now + limits::message_lock_time};
    return held.token;
}

std::optional<std::uint64_t> HubHttps::locked_by(const DeviceId& device, const std::string& token) {
    const TimePoint now = clock_.now();
    const std::lock_guard guard(mutex_);
    for (auto held = locks_.lower_bound({device, 0});
         held != locks_.end() && held->first.first == device; ++held) {
        if (held->second.token == token && held->second.until > now) {
            return held->first.second;
        }
    }
    return std::nullopt;
}

void HubHttps::unlock(const DeviceId& device, std::uint64_t number, const std::string& token) {
    const std::lock_guard guard(mutex_);
    const auto held = locks_.find({device, number});
    if (held != locks_.end() && held->second.token == token) {
        locks_.erase(held);
    }
}

net::HttpResponse HubHttps::refuse(unsigned status, const Error& error, const net::HttpRequest&) {
    DpsError told = to_dps_error(error);
    told.status = status;
    told.code = static_cast<int>(status) * 1000 + 1;
    net::HttpResponse response;
    response.status = status;
    response.headers.emplace_back("Content-Type", "application/json; charset=utf-8");
    response.body = error_body(told, new_guid(entropy_), clock_.now());
    response.close = true;
    return response;
}

/// The hub's own manner: {"Message":...}; 401 for a device that may not speak.
net::HttpResponse HubHttps::refusal(const Error& error) {
    const DpsError told = to_dps_error(error);
    net::HttpResponse response;
    response.status = error.kind == ErrorKind::forbidden ? 401
                      : error.reason == "lock-lost"      ? 412
                                                         : told.status;
    response.headers.emplace_back("Content-Type", "application/json; charset=utf-8");
    if (told.status == 405) {
        response.headers.emplace_back("Allow", error.note);
    }
    if (told.status == 503 || told.status == 429) {
        response.headers.emplace_back("Retry-After", "5");
    }
    const std::string word = response.status == 401   ? "IotHubUnauthorized"
                             : response.status == 412 ? "DeviceMessageLockLost"
                             : response.status == 404 ? "NotFound"
                             : response.status == 429 ? "ThrottlingException"
                             : response.status >= 500 ? "ServerError"
                                                      : "ArgumentInvalid";
    response.headers.emplace_back("iothub-errorcode", word);
    const json::object body{{"Message", "ErrorCode:" + word + ";" + told.message}};
    response.body = json::serialize(body);
    response.close = response.status == 401 || response.status == 429;
    return response;
}

}  // namespace rollcall::front
