// SPDX-License-Identifier: Apache-2.0
#include "front/hub_amqp_message.hpp"

#include "base/limits.hpp"
#include "base/utf8.hpp"
#include "base/world.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <iterator>
#include <utility>

namespace rollcall::front {

namespace amqp = net::amqp;

namespace {

constexpr amqp::MessageBounds bounds{.annotations_max = limits::amqp_annotations_max,
                                     .properties_max = limits::message_properties_max,
                                     .sections_max = limits::amqp_batch_messages_max};

/// Annotations that are system properties, and their names in a property bag
/// (spec/hub-mqtt.md 4.3).
constexpr std::array<std::pair<std::string_view, std::string_view>, 2> system_annotations{
    {{"iothub-interface-id", "$.ifid"}, {"dt-subject", "$.sub"}}};

Error too_large(std::string detail) {
    return {ErrorKind::too_large, std::move(detail), "message-too-large"};
}

TimePoint time_of(std::int64_t milliseconds) {
    return TimePoint{
        std::chrono::duration_cast<TimePoint::duration>(std::chrono::milliseconds{milliseconds})};
}

/// Years 1970 to 9999; of others nothing is kept.
bool can_be_told(std::int64_t milliseconds) {
    constexpr std::int64_t milliseconds_max = 253'402'300'799'999;
    return milliseconds >= 0 && milliseconds <= milliseconds_max;
}

Result<domain::Telemetry> telemetry_of(const amqp::Message& message, const DeviceId& device) {
    domain::Telemetry telemetry;
    telemetry.device = device;
    telemetry.body = body_of(message);
    if (telemetry.body.size() > limits::telemetry_body_bytes_max) {
        return too_large("a message has more than 256 KB");
    }
    auto& properties = telemetry.properties;
    const auto add = [&properties](std::string_view name, std::string_view value) {
        if (!value.empty()) {
            properties.push_back({std::string{name}, std::string{value}, false});
        }
    };
    add("$.mid", message.id.text);
    add("$.cid", message.correlation_id.text);
    if (is_utf8(message.user_id)) {
        add("$.uid", message.user_id);
    }
    add("$.to", message.to);
    add("$.ct", message.content_type);
    add("$.ce", message.content_encoding);
    if (message.expires && can_be_told(*message.expires)) {
        add("$.exp", to_iso8601_ticks(time_of(*message.expires)));
    }
    for (const auto& [annotation, name] : system_annotations) {
        add(name, amqp::text_of(message.annotations, annotation));
    }
    for (const auto& [name, value] : message.properties) {
        const auto text = amqp::to_text(value);
        properties.push_back({name, text.value_or(""), !text});
    }
    std::size_t bytes = 0;
    for (const auto& property : properties) {
        bytes += property.name.size() + property.value.size();
    }
    if (properties.size() > limits::message_properties_max ||
        bytes > limits::message_properties_bytes_max) {
        return too_large("a message has too many or too long properties");
    }
    return telemetry;
}

}  // namespace

Result<amqp::Message> read_hub_message(std::string_view encoded) {
    return amqp::parse_message(encoded, bounds);
}

std::string body_of(const amqp::Message& message) {
    std::string body;
    for (const auto& section : message.body) {
        body += section;
    }
    return body;
}

Result<Done> add_telemetry(std::string_view encoded, std::uint32_t format, const DeviceId& device,
                           std::vector<domain::Telemetry>& into) {
    TRY(const amqp::Message message, read_hub_message(encoded));
    if (format != batch_format) {
        TRY(domain::Telemetry telemetry, telemetry_of(message, device));
        into.push_back(std::move(telemetry));
        return Done{};
    }
    std::vector<domain::Telemetry> batch;
    for (const auto& section : message.body) {
        TRY(const amqp::Message inner, read_hub_message(section));
        TRY(domain::Telemetry telemetry, telemetry_of(inner, device));
        batch.push_back(std::move(telemetry));
    }
    into.insert(into.end(), std::make_move_iterator(batch.begin()),
                std::make_move_iterator(batch.end()));
    return Done{};
}

std::string write_device_message(const domain::DeviceMessage& message) {
    amqp::Message told;
    for (const auto& property : message.properties) {
        const auto is = [&property](std::string_view name) { return property.name == name; };
        if (is("$.mid")) {
            told.id = amqp::MessageId::of_text(property.value);
        } else if (is("$.cid")) {
            told.correlation_id = amqp::MessageId::of_text(property.value);
        } else if (is("$.uid")) {
            told.user_id = property.value;
        } else if (is("$.to")) {
            told.to = property.value;
        } else if (is("$.ct")) {
            told.content_type = property.value;
        } else if (is("$.ce")) {
            told.content_encoding = property.value;
        } else if (property.name.substr(0, 2) != "$.") {
            told.properties.emplace_back(
                property.name, property.is_null ? amqp::Scalar{} : amqp::Scalar{property.value});
        }
    }
    told.expires =
        std::chrono::duration_cast<std::chrono::milliseconds>(message.expires.time_since_epoch())
            .count();
    told.body.push_back(message.body);
    return amqp::encode(told);
}

std::string write_method(std::uint64_t id, std::string_view name, std::string_view payload) {
    std::array<std::uint8_t, 16> uuid{};
    for (std::size_t i = 0; i < 8; ++i) {
        uuid[15 - i] = static_cast<std::uint8_t>(id >> (8 * i));
    }
    amqp::Message call;
    call.correlation_id = amqp::MessageId::of_uuid(uuid);
    call.properties.emplace_back("IoThub-methodname", std::string{name});
    call.body.emplace_back(payload);
    return amqp::encode(call);
}

std::optional<std::uint64_t> method_of(const amqp::MessageId& correlation) {
    constexpr std::string_view front_half = "00000000-0000-0000-";
    const std::string_view text = correlation.text;
    if (text.size() != 36 || text.substr(0, front_half.size()) != front_half || text[23] != '-') {
        return std::nullopt;
    }
    const std::string digits = std::string{text.substr(19, 4)} + std::string{text.substr(24)};
    std::uint64_t id = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), id, 16);
    return read.ec == std::errc{} && read.ptr == digits.data() + digits.size() ? std::optional{id}
                                                                               : std::nullopt;
}

}  // namespace rollcall::front
