// SPDX-License-Identifier: Apache-2.0
#include "front/registry_api.hpp"

#include "base/limits.hpp"
#include "front/if_match.hpp"
#include "front/json_reader.hpp"
#include "front/json_response.hpp"
#include "front/operator_caller.hpp"
#include "front/operator_refusal.hpp"
#include "front/page_size.hpp"
#include "front/registry_wire.hpp"
#include "front/twin_change.hpp"
#include "front/url.hpp"

#include <algorithm>
#include <charconv>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace rollcall::front {
namespace {

namespace json = boost::json;
using service::Permission;

/// One request, understood: its caller is known and may.
struct RegistryCall {
    const net::HttpRequest& request;
    std::string id{};  ///< the device's, as it was written
    service::Order order{};
    json::object body{};
};

using RegistryHandler = Task<Result<net::HttpResponse>> (*)(const RegistryServices& services,
                                                            const RegistryCall& call);

struct RegistryRoute {
    std::string_view method;
    std::vector<std::string_view> path;  ///< "*": a device id
    Permission permission;
    bool takes_body;
    RegistryHandler handler;
};

Task<Result<RegistryDevice>> shown(const RegistryServices& services, const domain::Device& device) {
    CO_TRY(const auto registration, co_await services.reader.registration(device.registration));
    const bool by_key =
        registration && registration->last.attestation == domain::AttestationKind::symmetric_key;
    co_return RegistryDevice{device, services.hub.sessions().facts_of(device.id), by_key};
}

Task<Result<RegistryDevice>> device_named(const RegistryServices& services, const std::string& id) {
    const auto parsed = parse_device_id(id);
    if (!parsed) {
        co_return service::no_device(id);
    }
    CO_TRY(const auto device, co_await services.reader.device(*parsed));
    if (!device) {
        co_return service::no_device(id);
    }
    co_return co_await shown(services, *device);
}

net::HttpResponse identity_answer(const RegistryDevice& device) {
    net::HttpResponse response = json_response(identity_json(device));
    response.headers.emplace_back("ETag", "\"" + device.device.etag.str() + "\"");
    return response;
}

Task<Result<net::HttpResponse>> get_device(const RegistryServices& services,
                                           const RegistryCall& call) {
    CO_TRY(const auto device, co_await device_named(services, call.id));
    co_return identity_answer(device);
}

Result<std::optional<std::string>> in_query(const net::HttpRequest& request,
                                            std::string_view name) {
    TRY(const auto pairs, parse_query(request.query));
    for (const auto& [each, value] : pairs) {
        if (equal_ignoring_case(each, name)) {
            return std::optional{value};
        }
    }
    return std::optional<std::string>{};
}

Task<Result<net::HttpResponse>> list_devices(const RegistryServices& services,
                                             const RegistryCall& call) {
    CO_TRY(const auto top, in_query(call.request, "top"));
    store::PageRequest page;
    CO_TRY(page.count, read_page_size("top", top));
    const store::DeviceFilter all;
    CO_TRY(const auto found, co_await services.reader.devices(page, all));
    json::array items;
    for (const auto& device : found.items) {
        CO_TRY(const auto each, co_await shown(services, device));
        items.push_back(identity_json(each));
    }
    co_return json_response(items);
}

/// Whether it may connect is all that an operator says of a device here.
Task<Result<net::HttpResponse>> put_device(const RegistryServices& services,
                                           const RegistryCall& call) {
    Fields fields{call.body, {}, Unknown::ignored};
    const std::string id = fields.optional_text("deviceId").value_or(call.id);
    const auto enabled =
        fields.word<bool>("status", {{"enabled", true}, {"disabled", false}}).value_or(true);
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    if (id != call.id) {
        co_return Error{ErrorKind::malformed, "'deviceId' and the address name two devices",
                        "malformed-member"};
    }
    const auto before = co_await device_named(services, call.id);
    if (!before && before.error().kind == ErrorKind::not_found) {
        co_return Error{ErrorKind::unsupported,
                        "devices are not made here: they become known at their first registration; "
                        "create an enrollment",
                        "devices-register"};
    }
    if (!before) {
        co_return before.error();
    }
    CO_TRY([[maybe_unused]] const Done current, call.order.if_match.check(before->device.etag));
    if (enabled && before->device.blocked) {
        CO_TRY([[maybe_unused]] const auto done,
               co_await services.enroller.unblock_device(call.order, call.id));
    } else if (!enabled && !before->device.blocked) {
        CO_TRY([[maybe_unused]] const auto done,
               co_await services.enroller.block_device(call.order, call.id));
    }
    CO_TRY(const auto after, co_await device_named(services, call.id));
    co_return identity_answer(after);
}

Task<Result<net::HttpResponse>> delete_device(const RegistryServices& services,
                                              const RegistryCall& call) {
    CO_TRY([[maybe_unused]] const auto gone,
           co_await services.enroller.delete_device(call.order, call.id));
    co_return net::HttpResponse{204};
}

Task<Result<json::object>> twin_of(const RegistryServices& services, const RegistryDevice& device) {
    CO_TRY(const auto twin, co_await services.hub.twin(device.device.id));
    co_return registry_twin_json(device, twin);
}

Task<Result<net::HttpResponse>> get_twin(const RegistryServices& services,
                                         const RegistryCall& call) {
    CO_TRY(const auto device, co_await device_named(services, call.id));
    CO_TRY(const auto twin, co_await twin_of(services, device));
    co_return json_response(twin);
}

Task<Result<net::HttpResponse>> patch_twin(const RegistryServices& services,
                                           const RegistryCall& call) {
    Fields fields{call.body, {}, Unknown::ignored};
    const auto change = read_twin_change(fields);
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto device, co_await device_named(services, call.id));
    CO_TRY(const auto twin, co_await services.hub.change_twin(call.order, call.id, change));
    co_return json_response(registry_twin_json(device, twin));
}

/// All there are, page by page: no other question is understood.
Task<Result<net::HttpResponse>> query_devices(const RegistryServices& services,
                                              const RegistryCall& call) {
    Fields fields{call.body, {}, Unknown::ignored};
    const std::string query = to_lower_ascii(fields.text("query"));
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    if (query != "select * from devices" && query != "select * from devices;") {
        co_return Error{ErrorKind::malformed, "the query is SELECT * FROM devices and nothing else",
                        "unknown-query"};
    }
    store::PageRequest page;
    constexpr std::string_view size = "x-ms-max-item-count";
    CO_TRY(page.count, read_page_size(size, call.request.header(size)));
    if (const auto after = call.request.header("x-ms-continuation")) {
        const auto bytes = parse_base64(*after);
        if (!bytes) {
            co_return Error{ErrorKind::malformed, "x-ms-continuation is none of ours",
                            "malformed-page"};
        }
        page.after = std::string{as_text(*bytes)};
    }
    const store::DeviceFilter all;
    CO_TRY(const auto found, co_await services.reader.devices(page, all));
    json::array items;
    for (const auto& device : found.items) {
        CO_TRY(const auto each, co_await shown(services, device));
        CO_TRY(auto twin, co_await twin_of(services, each));
        items.push_back(std::move(twin));
    }
    net::HttpResponse response = json_response(items);
    response.headers.emplace_back("x-ms-item-type", "Twin");
    if (!found.next.empty()) {
        response.headers.emplace_back("x-ms-continuation", to_base64(as_bytes(found.next)));
    }
    co_return response;
}

Task<Result<net::HttpResponse>> call_method(const RegistryServices& services,
                                            const RegistryCall& call) {
    Fields fields{call.body, {}, Unknown::ignored};
    const std::string method = fields.text("methodName");
    const std::string payload = fields.any_text("payload").value_or("");
    const auto seconds = fields.optional_number("responseTimeoutInSeconds");
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    const std::chrono::seconds timeout{seconds.value_or(limits::method_timeout.count())};
    CO_TRY(const auto told,
           co_await services.hub.call(call.order, call.id, method, payload, timeout));
    boost::system::error_code no_json;
    json::value said =
        told.payload.empty() ? json::value(nullptr) : json::parse(told.payload, no_json);
    if (no_json) {
        said = nullptr;
    }
    co_return json_response(json::object{{"status", told.status}, {"payload", std::move(said)}});
}

const std::vector<RegistryRoute>& routes() {
    const auto read = Permission::device_read;
    const auto write = Permission::device_write;
    static const std::vector<RegistryRoute> all{
        {"GET", {"devices"}, read, false, list_devices},
        {"POST", {"devices", "query"}, read, true, query_devices},
        {"GET", {"devices", "*"}, read, false, get_device},
        {"PUT", {"devices", "*"}, write, true, put_device},
        {"DELETE", {"devices", "*"}, write, false, delete_device},
        {"GET", {"twins", "*"}, read, false, get_twin},
        {"PATCH", {"twins", "*"}, write, true, patch_twin},
        {"POST", {"twins", "*", "methods"}, write, true, call_method}};
    return all;
}

bool fits(const RegistryRoute& route, const std::vector<std::string>& parts) {
    if (route.path.size() != parts.size()) {
        return false;
    }
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (route.path[i] != "*" && !equal_ignoring_case(route.path[i], parts[i])) {
            return false;
        }
    }
    return true;
}

/// A device "query" cannot be asked for by POST, and nothing else can be asked of it so.
struct Match {
    const RegistryRoute* route = nullptr;
    std::string allowed{};
};
Match find_route(const net::HttpRequest& request, const std::vector<std::string>& parts) {
    Match match;
    for (const auto& route : routes()) {
        if (!fits(route, parts)) {
            continue;
        }
        if (route.method == request.method) {
            match.route = &route;
            return match;
        }
        match.allowed.append(match.allowed.empty() ? "" : ", ").append(route.method);
    }
    return match;
}

}  // namespace

DeclaredRoutes RegistryApi::declared_routes() {
    DeclaredRoutes declared;
    for (const auto& route : routes()) {
        declared.push_back({std::string{route.method},
                            sample_path(route.path) + "?api-version=2021-04-12", route.permission});
    }
    return declared;
}

std::size_t RegistryApi::body_bytes_max() const {
    return limits::operator_body_bytes_max;
}

Task<net::HttpResponse> RegistryApi::handle(const net::HttpRequest& request) {
    auto answered = co_await answer(request);
    if (!answered) {
        co_return refusal(answered.error(), request);
    }
    co_return *std::move(answered);
}

net::HttpResponse RegistryApi::refuse(unsigned status, const Error& error,
                                      const net::HttpRequest& so_far) {
    net::HttpResponse response = refusal(error, so_far, status);
    response.close = true;
    return response;
}

Task<Result<net::HttpResponse>> RegistryApi::answer(const net::HttpRequest& request) {
    CO_TRY(const auto parts, split_path(request.path));
    const Match match = find_route(request, parts);
    if (match.route == nullptr && match.allowed.empty()) {
        co_return Error{ErrorKind::not_found, "there is nothing at this address",
                        "no-such-address"};
    }
    if (match.route == nullptr) {
        const Error error{ErrorKind::malformed, "this address takes " + match.allowed + " only"};
        net::HttpResponse response = refusal(error, request, 405);
        response.headers.emplace_back("Allow", match.allowed);
        co_return response;
    }
    RegistryCall call{request};
    call.id = parts.size() > 1 ? parts[1] : "";
    CO_TRY(call.order.caller,
           co_await recognise(services_.access, request, match.route->permission));
    call.order.if_match = read_if_match(request);
    if (match.route->takes_body) {
        CO_TRY(call.body, parse_json_object(request.body));
    }
    co_return co_await match.route->handler(services_, call);
}

net::HttpResponse RegistryApi::refusal(const Error& error, const net::HttpRequest& request,
                                       unsigned status) const {
    const RegistryError told = to_registry_error(error, status);
    const std::string tracking_id = new_guid(services_.entropy);
    const json::object body{{"Message", "ErrorCode:" + told.word + ";" + told.message},
                            {"ExceptionMessage", "Tracking ID:" + tracking_id + "-TimeStamp:" +
                                                     to_iso8601_ticks(services_.clock.now())}};
    net::HttpResponse response = json_response(body);
    response.status = told.status;
    response.headers.emplace_back("iothub-errorcode", told.word);
    if (told.status == 401) {
        response.headers.emplace_back("WWW-Authenticate", R"(Bearer realm="rollcall")");
    }
    if (told.status == 503 || told.status == 429) {
        response.headers.emplace_back("Retry-After", retry_after_of(error));
    }
    log_operator_refusal(error, told.status, tracking_id, request);
    return response;
}

}  // namespace rollcall::front
