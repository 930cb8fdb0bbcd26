// SPDX-License-Identifier: Apache-2.0
#include "front/mqtt_topic.hpp"

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "base/utf8.hpp"

#include <vector>

namespace rollcall::front {
namespace {

std::vector<std::string_view> split(std::string_view text, char at) {
    std::vector<std::string_view> parts;
    for (;;) {
        const auto end = text.find(at);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) {
            return parts;
        }
        text.remove_prefix(end + 1);
    }
}

int hex_digit(char digit) {
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    const char lower = static_cast<char>(digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// Leaves alone what is no escape, and what would not be text.
std::string unescaped(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
            hex_digit(text[i + 2]) >= 0) {
            result.push_back(
                static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])));
            i += 2;
        } else {
            result.push_back(text[i]);
        }
    }
    return is_utf8(result) ? result : std::string{text};
}

/// What may stand in a topic's property bag as it is.
bool plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~' || c == '!' || c == '*' || c == '(' || c == ')' ||
           c == '\'';
}

void put_escaped(std::string& into, std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    for (const char c : text) {
        if (plain(c)) {
            into.push_back(c);
        } else {
            const auto byte = static_cast<std::uint8_t>(c);
            into.push_back('%');
            into.push_back(digits[byte >> 4]);
            into.push_back(digits[byte & 0x0f]);
        }
    }
}

struct Parameter {
    std::string name;
    std::string_view raw;  ///< value as it stands
    bool has_value;
};

std::vector<Parameter> parameters_of(std::string_view tail) {
    std::vector<Parameter> parameters;
    if (!tail.empty() && tail.front() == '?') {
        tail.remove_prefix(1);
    }
    if (tail.empty()) {
        return parameters;
    }
    for (const auto part : split(tail, '&')) {
        const auto equals = part.find('=');
        const bool has_value = equals != std::string_view::npos;
        parameters.push_back({unescaped(part.substr(0, equals)),
                              has_value ? part.substr(equals + 1) : std::string_view{}, has_value});
    }
    return parameters;
}

Error bad_username(std::string detail) {
    return {ErrorKind::malformed, std::move(detail), "malformed-username"};
}

bool begins_parameters(std::string_view text) {
    if (!text.empty() && text.front() == '?') {
        text.remove_prefix(1);
    }
    constexpr std::string_view key = "api-version=";
    return equal_ignoring_case(text.substr(0, key.size()), key);
}

std::string parameter(std::string_view tail, std::string_view key) {
    const auto raw = raw_parameter(tail, key);
    return raw ? repaired_utf8(unescaped(*raw)).substr(0, limits::user_agent_chars_max)
               : std::string{};
}

}  // namespace

std::optional<std::string> raw_parameter(std::string_view tail, std::string_view key) {
    for (const auto& each : parameters_of(tail)) {
        if (each.has_value && equal_ignoring_case(each.name, key)) {
            return std::string{each.raw};
        }
    }
    return std::nullopt;
}

bool names_dps(std::string_view username) {
    const auto parts = split(username, '/');
    return parts.size() >= 4 && equal_ignoring_case(parts[1], "registrations") &&
           parts[3].substr(0, 1) != "?";
}

Result<DpsUsername> parse_dps_username(std::string_view username) {
    const auto parts = split(username, '/');
    if (parts.size() < 4 || !begins_parameters(parts[3])) {
        return bad_username("the user name is not SCOPE/registrations/ID/api-version=...");
    }
    const auto tail = username.substr(static_cast<std::size_t>(parts[3].data() - username.data()));
    DpsUsername name;
    TRY(name.scope, parse_scope_id(unescaped(parts[0])));
    TRY(name.id, parse_registration_id(unescaped(parts[2])));
    name.api_version = parameter(tail, "api-version");
    name.user_agent = parameter(tail, "ClientVersion");
    return name;
}

Result<HubUsername> parse_hub_username(std::string_view username) {
    const auto parts = split(username, '/');
    if (parts.size() < 3) {
        return bad_username("the user name is not HOST/DEVICE/?api-version=...");
    }
    if (!begins_parameters(parts[2])) {
        if (parts.size() > 3 && begins_parameters(parts[3])) {
            return Error{ErrorKind::unsupported, "modules are not offered", "modules"};
        }
        return bad_username("the user name is not HOST/DEVICE/?api-version=...");
    }
    const auto tail = username.substr(static_cast<std::size_t>(parts[2].data() - username.data()));
    HubUsername name;
    TRY(name.device, parse_device_id(unescaped(parts[1])));
    name.api_version = parameter(tail, "api-version");
    name.user_agent = parameter(tail, "DeviceClientType");
    name.model_id = parameter(tail, "model-id");
    return name;
}

Result<domain::MessageProperties> parse_property_bag(std::string_view bag) {
    domain::MessageProperties properties;
    for (const auto& each : parameters_of(bag)) {
        if (each.name.empty() && !each.has_value) {
            continue;
        }
        properties.push_back({each.name, unescaped(each.raw), !each.has_value});
    }
    if (properties.size() > limits::message_properties_max) {
        return Error{ErrorKind::too_large,
                     "a message has at most " + std::to_string(limits::message_properties_max) +
                         " properties",
                     "too-many-properties"};
    }
    return properties;
}

std::string write_property_bag(const domain::MessageProperties& properties) {
    std::string bag;
    for (const auto& property : properties) {
        if (!bag.empty()) {
            bag.push_back('&');
        }
        put_escaped(bag, property.name);
        if (!property.is_null) {
            bag.push_back('=');
            put_escaped(bag, property.value);
        }
    }
    return bag;
}

}  // namespace rollcall::front
