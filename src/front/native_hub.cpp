// SPDX-License-Identifier: Apache-2.0
// Native API: what an operator does with a device at its hub: connection, twin, messages, methods,
// telemetry as it came.
#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "base/utf8.hpp"
#include "front/native_routes.hpp"
#include "front/twin_change.hpp"
#include "service/dps_json.hpp"
#include "service/twin_document.hpp"

#include <charconv>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace rollcall::front {
namespace {

using service::Permission;

/// How often a question that waits looks whether something has come.
constexpr std::chrono::milliseconds look_again_after{200};

Task<Result<domain::Device>> device_of(const NativeServices& services, const Call& call) {
    const std::string& text = call.in_path("device");
    const auto id = parse_device_id(text);
    if (!id) {
        co_return service::no_device(text);
    }
    CO_TRY(auto device, co_await services.reader.device(*id));
    if (!device) {
        co_return service::no_device(text);
    }
    co_return *std::move(device);
}

Task<Result<Answer>> get_connection(const NativeServices& services, const Call& call) {
    CO_TRY(const auto device, co_await device_of(services, call));
    const auto facts = services.hub.sessions().facts_of(device.id);
    json::object body{{"connected", facts.has_value()}};
    if (facts) {
        body["protocol"] = domain::to_string(facts->protocol);
        body["address"] = facts->peer_address;
        body["userAgent"] = facts->user_agent;
        body["since"] = to_iso8601_ticks(facts->since);
    }
    Answer answer;
    answer.body = std::move(body);
    co_return answer;
}

// --- twin ---

Answer twin_answer(const domain::Twin& twin) {
    Answer answer;
    answer.body =
        json::object{{"deviceId", twin.device.str()},
                     {"etag", twin.etag.str()},
                     {"tags", service::stored_json(twin.tags)},
                     {"properties", service::stored_json(service::device_document(twin))}};
    answer.etag = twin.etag;
    return answer;
}

Task<Result<Answer>> get_twin(const NativeServices& services, const Call& call) {
    CO_TRY(const auto device, co_await device_of(services, call));
    CO_TRY(const auto twin, co_await services.hub.twin(device.id));
    co_return twin_answer(twin);
}

Task<Result<Answer>> change_twin(const NativeServices& services, const Call& call) {
    Fields fields{call.body};
    CO_TRY(const auto order, call.order(fields));
    const auto change = read_twin_change(fields);
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto twin,
           co_await services.hub.change_twin(order, call.in_path("device"), change));
    co_return twin_answer(twin);
}

// --- messages ---

/// System properties have "$." before their names.
void put_properties(json::object& into, const domain::MessageProperties& properties) {
    json::object own;
    json::object system;
    for (const auto& property : properties) {
        json::object& place = property.name.rfind("$.", 0) == 0 ? system : own;
        place[property.name] =
            property.is_null ? json::value(nullptr) : json::value(property.value);
    }
    into["properties"] = std::move(own);
    into["systemProperties"] = std::move(system);
}

void put_body(json::object& into, const std::string& body) {
    if (is_utf8(body)) {
        into["body"] = body;
    } else {
        into["bodyBase64"] = to_base64(as_bytes(body));
    }
}

json::object message_json(const domain::DeviceMessage& message) {
    json::object object{{"messageId", message.id},
                        {"number", message.number},
                        {"enqueued", to_iso8601_ticks(message.enqueued)},
                        {"expires", to_iso8601_ticks(message.expires)}};
    put_properties(object, message.properties);
    put_body(object, message.body);
    return object;
}

Result<service::NewMessage> read_message(Fields& fields, const json::object& body) {
    service::NewMessage message;
    message.body = fields.optional_text("body").value_or("");
    if (const auto encoded = fields.optional_text("bodyBase64")) {
        const auto bytes = parse_base64(*encoded);
        if (!bytes || fields.has("body")) {
            fields.refuse({ErrorKind::malformed,
                           "'bodyBase64' is base64 and stands instead of 'body'",
                           "malformed-member"});
        } else {
            message.body.assign(bytes->begin(), bytes->end());
        }
    }
    message.id = fields.optional_text("messageId").value_or("");
    for (const auto& [member, name] : {std::pair{"correlationId", "$.cid"},
                                       {"contentType", "$.ct"},
                                       {"contentEncoding", "$.ce"}}) {
        if (const auto value = fields.optional_text(member)) {
            message.properties.push_back({name, *value, false});
        }
    }
    const auto text = fields.object_text("properties", limits::operator_body_bytes_max, 1);
    if (text && body.at("properties").is_object()) {
        for (const auto& [name, value] : body.at("properties").get_object()) {
            const auto* const said = value.if_string();
            if (said == nullptr && !value.is_null()) {
                fields.refuse(
                    {ErrorKind::malformed, "a property is a text or null", "malformed-member"});
                continue;
            }
            message.properties.push_back(
                {std::string{name}, said != nullptr ? std::string{*said} : "", said == nullptr});
        }
    }
    if (const auto seconds = fields.optional_number("timeToLiveSeconds")) {
        message.time_to_live = std::chrono::seconds{*seconds};
    }
    return message;
}

Task<Result<Answer>> send_message(const NativeServices& services, const Call& call) {
    Fields fields{call.body};
    CO_TRY(const auto order, call.order(fields));
    CO_TRY(auto message, read_message(fields, call.body));
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto queued,
           co_await services.hub.send_message(order, call.in_path("device"), std::move(message)));
    Answer answer;
    answer.status = 201;
    answer.body = message_json(queued);
    co_return answer;
}

Task<Result<Answer>> list_messages(const NativeServices& services, const Call& call) {
    CO_TRY(const auto device, co_await device_of(services, call));
    CO_TRY(const auto waiting, co_await services.hub.waiting(device.id));
    json::array items;
    for (const auto& message : waiting) {
        items.push_back(message_json(message));
    }
    Answer answer;
    answer.body = json::object{{"items", std::move(items)}};
    co_return answer;
}

Task<Result<Answer>> purge_messages(const NativeServices& services, const Call& call) {
    CO_TRY(const auto order, call.order());
    CO_TRY(const auto removed, co_await services.hub.purge_messages(order, call.in_path("device")));
    Answer answer;
    answer.body = json::object{{"removed", removed}};
    co_return answer;
}

// --- methods ---

/// A device's answer is JSON; where it is not, it is shown as the text it is.
json::value payload_json(const std::string& text) {
    if (text.empty()) {
        return nullptr;
    }
    json::parse_options options;
    options.max_depth = limits::json_depth_max;
    boost::system::error_code failed;
    json::value value = json::parse(text, failed, {}, options);
    return failed ? json::value(repaired_utf8(text)) : value;
}

Task<Result<Answer>> call_method(const NativeServices& services, const Call& call) {
    Fields fields{call.body};
    CO_TRY(const auto order, call.order(fields));
    const auto payload = fields.any_text("payload");
    const auto seconds = fields.optional_number("timeoutSeconds");
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    const std::chrono::seconds timeout{seconds.value_or(limits::method_timeout.count())};
    const std::string body = payload.value_or("");
    CO_TRY(const auto told, co_await services.hub.call(order, call.in_path("device"),
                                                       call.in_path("method"), body, timeout));
    Answer answer;
    answer.body = json::object{{"status", told.status}, {"payload", payload_json(told.payload)}};
    co_return answer;
}

// --- telemetry ---

json::object record_json(const store::TelemetryRecord& record) {
    json::object object{{"sequence", record.sequence},
                        {"deviceId", record.telemetry.device.str()},
                        {"at", to_iso8601_ticks(record.telemetry.at)}};
    put_properties(object, record.telemetry.properties);
    put_body(object, record.telemetry.body);
    return object;
}

Result<std::optional<std::uint64_t>> number_in_query(const Call& call, std::string_view name,
                                                     std::uint64_t most) {
    const auto text = call.in_query(name);
    if (!text) {
        return std::optional<std::uint64_t>{};
    }
    std::uint64_t number = 0;
    const auto* const end = text->data() + text->size();
    const auto read = std::from_chars(text->data(), end, number);
    if (read.ec != std::errc{} || read.ptr != end || number > most) {
        return Error{
            ErrorKind::malformed,
            "the parameter '" + std::string{name} + "' is a number up to " + std::to_string(most),
            "malformed-parameter"};
    }
    return std::optional{number};
}

/// Looks again until something has come, or `rounds` are over.
Task<Result<store::TelemetryPage>> read_or_wait(store::TelemetryReader& telemetry,
                                                store::TelemetryQuery query, std::uint64_t rounds) {
    asio::steady_timer timer{co_await asio::this_coro::executor};
    for (;;) {
        CO_TRY(auto page, co_await telemetry.read(query));
        const bool at_the_end = page.next >= telemetry.newest_sequence();
        if (!page.records.empty() || (at_the_end && rounds == 0)) {
            co_return page;
        }
        query.after = page.next;
        if (at_the_end) {
            --rounds;
            timer.expires_after(look_again_after);
            boost::system::error_code cancelled;
            co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
        }
    }
}

Task<Result<Answer>> read_telemetry(const NativeServices& services, const Call& call,
                                    std::optional<DeviceId> device) {
    constexpr std::uint64_t any = ~std::uint64_t{0} >> 1;
    CO_TRY(const auto after, number_in_query(call, "after", any));
    CO_TRY(const auto limit, number_in_query(call, "limit", limits::page_max));
    CO_TRY(const auto wait, number_in_query(call, "wait", limits::telemetry_wait_max.count()));
    store::TelemetryQuery query;
    query.after = after.value_or(0);
    query.count = limit.value_or(limits::page_default);
    query.device = std::move(device);
    store::TelemetryPage page;
    if (after) {
        const std::uint64_t rounds = wait.value_or(0) * 1000 / look_again_after.count();
        CO_TRY(page, co_await read_or_wait(services.telemetry, query, rounds));
    } else {
        CO_TRY(page, co_await services.telemetry.newest(query));
    }
    json::array items;
    for (const auto& record : page.records) {
        items.push_back(record_json(record));
    }
    Answer answer;
    answer.body =
        json::object{{"items", std::move(items)}, {"next", page.next}, {"oldest", page.oldest}};
    co_return answer;
}

Task<Result<Answer>> all_telemetry(const NativeServices& services, const Call& call) {
    co_return co_await read_telemetry(services, call, std::nullopt);
}

Task<Result<Answer>> device_telemetry(const NativeServices& services, const Call& call) {
    CO_TRY(const auto device, co_await device_of(services, call));
    co_return co_await read_telemetry(services, call, device.id);
}

}  // namespace

void add_hub_routes(std::vector<Route>& routes) {
    const auto read = Permission::device_read;
    const auto write = Permission::device_write;
    routes.push_back({"GET",
                      "/devices/{device}/connection",
                      "getDeviceConnection",
                      read,
                      {},
                      Body::none,
                      get_connection});
    routes.push_back(
        {"GET", "/devices/{device}/twin", "getDeviceTwin", read, {}, Body::none, get_twin});
    routes.push_back({"PATCH",
                      "/devices/{device}/twin",
                      "changeDeviceTwin",
                      write,
                      {},
                      Body::required,
                      change_twin});
    routes.push_back({"GET",
                      "/devices/{device}/messages",
                      "listDeviceMessages",
                      read,
                      {},
                      Body::none,
                      list_messages});
    routes.push_back({"POST",
                      "/devices/{device}/messages",
                      "sendDeviceMessage",
                      write,
                      {},
                      Body::required,
                      send_message});
    routes.push_back({"DELETE",
                      "/devices/{device}/messages",
                      "purgeDeviceMessages",
                      write,
                      {"reason"},
                      Body::none,
                      purge_messages});
    routes.push_back({"POST",
                      "/devices/{device}/methods/{method}",
                      "callDeviceMethod",
                      write,
                      {},
                      Body::optional,
                      call_method});
    routes.push_back({"GET",
                      "/devices/{device}/telemetry",
                      "listDeviceTelemetry",
                      read,
                      {"limit", "after", "wait"},
                      Body::none,
                      device_telemetry});
    routes.push_back({"GET",
                      "/telemetry",
                      "listTelemetry",
                      read,
                      {"limit", "after", "wait"},
                      Body::none,
                      all_telemetry});
}

}  // namespace rollcall::front
