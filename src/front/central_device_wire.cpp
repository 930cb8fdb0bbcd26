// SPDX-License-Identifier: Apache-2.0
#include "front/central_device_wire.hpp"

#include "base/limits.hpp"
#include "service/dps_json.hpp"

#include <set>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace rollcall::front {
namespace {

namespace json = boost::json;

/// How IoT Plug and Play marks a member of a twin as a component.
constexpr const char* component_mark = "__t";
/// The property of a message that names the component it is of.
constexpr std::string_view component_property = "$.sub";

json::string_view view(std::string_view text) {
    return {text.data(), text.size()};
}

json::object stored_object(const std::string& text) {
    auto value = service::stored_json(text);
    return value.is_object() ? std::move(value.as_object()) : json::object{};
}

bool is_component(const json::value& value) {
    const auto* const object = value.if_object();
    return object != nullptr && object->contains(component_mark);
}

/// Part of a twin's properties, of one component or the device itself.
json::object part_of(const json::object& properties, const std::string& component) {
    if (component.empty()) {
        return properties;
    }
    const auto* const member = properties.if_contains(component);
    const auto* const object = member != nullptr ? member->if_object() : nullptr;
    return object != nullptr ? *object : json::object{};
}

json::object& metadata_of(json::object& metadata, json::string_view name) {
    auto& place = metadata[name];
    if (!place.is_object()) {
        place = json::object{};
    }
    return place.get_object();
}

/// A device answers to what is desired with {"value","ac","av","ad"}.
bool put_answer(json::object& shown, json::object& metadata, json::string_view name,
                const json::value& reported) {
    const auto* const answer = reported.if_object();
    if (answer == nullptr || !answer->contains("value") || !answer->contains("ac")) {
        return false;
    }
    shown[name] = answer->at("value");
    auto& about = metadata_of(metadata, name);
    for (const auto& [word, member] :
         {std::pair{"ackVersion", "av"}, {"ackDescription", "ad"}, {"ackCode", "ac"}}) {
        if (const auto* const value = answer->if_contains(member)) {
            about[word] = *value;
        }
    }
    return true;
}

json::object joined(const json::object& desired, const json::object& reported,
                    std::uint64_t desired_version) {
    json::object shown;
    json::object metadata;
    std::set<std::string> components;
    for (const auto* const part : {&reported, &desired}) {
        for (const auto& [name, value] : *part) {
            if (is_component(value)) {
                components.emplace(name);
            }
        }
    }
    for (const auto& [name, value] : reported) {
        if (name == component_mark || components.contains(std::string{name})) {
            continue;
        }
        if (!put_answer(shown, metadata, name, value)) {
            shown[name] = value;
        }
    }
    for (const auto& [name, value] : desired) {
        if (name == component_mark || components.contains(std::string{name})) {
            continue;
        }
        auto& about = metadata_of(metadata, name);
        about["desiredValue"] = value;
        about["desiredVersion"] = desired_version;
    }
    for (const auto& name : components) {
        shown[name] = joined(part_of(desired, name), part_of(reported, name), desired_version);
    }
    if (!metadata.empty()) {
        shown["$metadata"] = std::move(metadata);
    }
    return shown;
}

std::string component_of(const domain::MessageProperties& properties) {
    for (const auto& property : properties) {
        if (property.name == component_property) {
            return property.value;
        }
    }
    return {};
}

}  // namespace

json::object device_json(const domain::NotedDevice& noted) {
    const domain::Device& device = noted.device;
    const domain::DeviceNotes& notes = noted.notes;
    json::object shown{{"id", device.id.str()},
                       {"etag", central_etag(device.etag)},
                       {"displayName", noted.name()},
                       {"simulated", notes.simulated},
                       {"provisioned", device.leaf_sha256.has_value()},
                       {"enabled", device.approved && !device.blocked}};
    if (!notes.template_id.empty()) {
        shown["template"] = notes.template_id;
    }
    if (!notes.organizations.empty()) {
        shown["organizations"] =
            json::array(notes.organizations.begin(), notes.organizations.end());
    }
    return shown;
}

service::DeviceWrite read_device_write(Fields& fields, CentralMembers members) {
    const bool all = members == CentralMembers::all;
    service::DeviceWrite write;
    write.enabled = fields.optional_flag("enabled");
    const auto text = [&fields, all](std::string_view name) {
        auto given = fields.optional_text(name);
        return !given && (all || fields.is_null(name)) ? std::optional{std::string{}} : given;
    };
    write.display_name = text("displayName");
    write.template_id = text("template");
    write.simulated = fields.optional_flag("simulated");
    if (all && !write.simulated) {
        write.simulated = false;
    }
    const bool emptied = fields.is_null("organizations");
    write.organizations = fields.optional_texts("organizations");
    if (!write.organizations && (all || emptied)) {
        write.organizations.emplace();
    }
    return write;
}

json::object properties_json(const domain::Twin& twin, const std::string& component) {
    const json::object desired = stored_object(twin.desired);
    const json::object reported = stored_object(twin.reported);
    return joined(part_of(desired, component), part_of(reported, component), twin.desired_version);
}

json::array components_json(const domain::Twin& twin) {
    std::set<std::string> names;
    for (const auto* const text : {&twin.desired, &twin.reported}) {
        for (const auto& [name, value] : stored_object(*text)) {
            if (is_component(value)) {
                names.emplace(name);
            }
        }
    }
    json::array shown;
    for (const auto& name : names) {
        shown.push_back(json::object{{"@type", "Component"}, {"name", name}});
    }
    return shown;
}

std::string desired_of(json::object body, const std::string& component) {
    body.erase("$metadata");
    if (component.empty()) {
        return json::serialize(body);
    }
    body[component_mark] = "c";
    return json::serialize(json::object{{component, std::move(body)}});
}

std::optional<json::object> telemetry_value_json(const store::TelemetryPage& page,
                                                 const std::string& component,
                                                 const std::string& name) {
    json::parse_options options;
    options.max_depth = limits::json_depth_max;
    for (auto each = page.records.rbegin(); each != page.records.rend(); ++each) {
        const domain::Telemetry& message = each->telemetry;
        if (component_of(message.properties) != component) {
            continue;
        }
        boost::system::error_code unread;
        const auto body = json::parse(message.body, unread, {}, options);
        const auto* const object = unread ? nullptr : body.if_object();
        const auto* const value = object != nullptr ? object->if_contains(view(name)) : nullptr;
        if (value != nullptr) {
            return json::object{{"timestamp", to_iso8601_ticks(message.at)}, {"value", *value}};
        }
    }
    return std::nullopt;
}

}  // namespace rollcall::front
