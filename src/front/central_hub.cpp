// SPDX-License-Identifier: Apache-2.0
// What operators of IoT Central do with a device at its hub: properties, commands, the last value
// of its telemetry (spec/iot-central-api.md 3.3). Of components, as IoT Plug and Play has them,
// too; devices here have no modules.
#include "base/limits.hpp"
#include "front/central_device_wire.hpp"
#include "front/central_routes.hpp"
#include "service/dps_json.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/json/parse.hpp>

namespace rollcall::front {
namespace {

namespace json = boost::json;
using service::Permission;

/// How often a command that waits for its device looks whether it is connected.
constexpr std::chrono::milliseconds look_again_after{200};

std::string component_in(const CentralCall& call) {
    const auto found = call.path.find("component");
    return found == call.path.end() ? std::string{} : found->second;
}

// --- Properties ---

Task<Result<CentralAnswer>> get_properties(const CentralServices& services,
                                           const CentralCall& call) {
    CO_TRY(const auto device, co_await central_device(services, call));
    CO_TRY(const auto twin, co_await services.hub.twin(device.id));
    co_return CentralAnswer{200, properties_json(twin, component_in(call))};
}

Task<Result<CentralAnswer>> write_properties(const CentralServices& services,
                                             const CentralCall& call, service::TwinWrite how) {
    const std::string component = component_in(call);
    service::TwinChange change;
    change.desired = desired_of(call.body, component);
    change.desired_is = how;
    if (how == service::TwinWrite::whole && !component.empty()) {
        change.desired_is = service::TwinWrite::members;
    }
    CO_TRY(const auto twin,
           co_await services.hub.change_twin(call.order, call.in_path("device"), change));
    co_return CentralAnswer{202, properties_json(twin, component)};
}

Task<Result<CentralAnswer>> put_properties(const CentralServices& services,
                                           const CentralCall& call) {
    co_return co_await write_properties(services, call, service::TwinWrite::whole);
}

Task<Result<CentralAnswer>> patch_properties(const CentralServices& services,
                                             const CentralCall& call) {
    co_return co_await write_properties(services, call, service::TwinWrite::patch);
}

Task<Result<CentralAnswer>> list_components(const CentralServices& services,
                                            const CentralCall& call) {
    CO_TRY(const auto device, co_await central_device(services, call));
    CO_TRY(const auto twin, co_await services.hub.twin(device.id));
    co_return CentralAnswer{200, json::object{{"value", components_json(twin)}}};
}

/// A device has none.
Task<Result<CentralAnswer>> list_modules(const CentralServices& services, const CentralCall& call) {
    CO_TRY([[maybe_unused]] const auto device, co_await central_device(services, call));
    co_return CentralAnswer{200, json::object{{"value", json::array{}}}};
}

// --- Commands ---

/// Waits for the device to be connected, for so long at the most.
Task<void> await_connection(const CentralServices& services, const domain::Device& device,
                            std::chrono::seconds longest) {
    asio::steady_timer timer{co_await asio::this_coro::executor};
    const auto rounds = std::chrono::milliseconds{longest} / look_again_after;
    for (std::int64_t round = 0; round < rounds; ++round) {
        if (services.hub.sessions().facts_of(device.id)) {
            co_return;
        }
        timer.expires_after(look_again_after);
        boost::system::error_code cancelled;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    }
}

Result<std::chrono::seconds> read_timeout(std::optional<std::int64_t> given, std::string_view name,
                                          std::chrono::seconds otherwise) {
    const std::chrono::seconds timeout{given.value_or(otherwise.count())};
    if (timeout > limits::method_timeout_max) {
        return Error{ErrorKind::malformed,
                     "'" + std::string{name} + "' is at most " +
                         std::to_string(limits::method_timeout_max.count()) + " seconds",
                     "malformed-timeout"};
    }
    return timeout;
}

json::value response_of(const std::string& payload) {
    json::parse_options options;
    options.max_depth = limits::json_depth_max;
    boost::system::error_code unread;
    auto value = payload.empty() ? json::value{} : json::parse(payload, unread, {}, options);
    return unread ? json::value{} : value;
}

Task<Result<CentralAnswer>> run_command(const CentralServices& services, const CentralCall& call) {
    Fields fields = call.fields();
    const auto connect = fields.optional_number("connectionTimeout");
    const auto respond = fields.optional_number("responseTimeout");
    const std::string payload = fields.any_text("request").value_or("");
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    constexpr std::chrono::seconds at_once{0};
    CO_TRY(const auto connection, read_timeout(connect, "connectionTimeout", at_once));
    CO_TRY(const auto response, read_timeout(respond, "responseTimeout", limits::method_timeout));
    CO_TRY(const auto device, co_await central_device(services, call));
    const std::string component = component_in(call);
    const std::string& command = call.in_path("command");
    const std::string method = component.empty() ? command : component + "*" + command;
    co_await await_connection(services, device, connection);
    CO_TRY(const auto told,
           co_await services.hub.call(call.order, device.id.str(), method, payload, response));
    co_return CentralAnswer{201, json::object{{"id", new_guid(services.entropy)},
                                              {"response", response_of(told.payload)},
                                              {"responseCode", told.status}}};
}

// --- Telemetry ---

Task<Result<CentralAnswer>> get_telemetry(const CentralServices& services,
                                          const CentralCall& call) {
    CO_TRY(const auto device, co_await central_device(services, call));
    store::TelemetryQuery query;
    query.count = limits::page_max;
    query.device = device.id;
    CO_TRY(const auto page, co_await services.telemetry.newest(query));
    const std::string& name = call.in_path("telemetry");
    auto shown = telemetry_value_json(page, component_in(call), name);
    if (!shown) {
        co_return Error{ErrorKind::not_found,
                        "none of the last " + std::to_string(query.count) +
                            " messages of that device has a value '" + name + "'",
                        "no-telemetry"};
    }
    co_return CentralAnswer{200, *std::move(shown)};
}

}  // namespace

void add_central_hub_routes(std::vector<CentralRoute>& routes) {
    constexpr auto read = Permission::device_read;
    constexpr auto write = Permission::device_write;
    const std::vector<CentralRoute> own{
        {"GET", "/devices/{device}/components", read, CentralBody::none, list_components},
        {"GET", "/devices/{device}/modules", read, CentralBody::none, list_modules},
        {"GET", "/devices/{device}/properties", read, CentralBody::none, get_properties},
        {"PUT", "/devices/{device}/properties", write, CentralBody::required, put_properties},
        {"PATCH", "/devices/{device}/properties", write, CentralBody::required, patch_properties},
        {"POST", "/devices/{device}/commands/{command}", write, CentralBody::required, run_command},
        {"GET", "/devices/{device}/telemetry/{telemetry}", read, CentralBody::none, get_telemetry},
        {"GET", "/devices/{device}/components/{component}/properties", read, CentralBody::none,
         get_properties},
        {"PUT", "/devices/{device}/components/{component}/properties", write, CentralBody::required,
         put_properties},
        {"PATCH", "/devices/{device}/components/{component}/properties", write,
         CentralBody::required, patch_properties},
        {"POST", "/devices/{device}/components/{component}/commands/{command}", write,
         CentralBody::required, run_command},
        {"GET", "/devices/{device}/components/{component}/telemetry/{telemetry}", read,
         CentralBody::none, get_telemetry}};
    routes.insert(routes.end(), own.begin(), own.end());
}

}  // namespace rollcall::front
