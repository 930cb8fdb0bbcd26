// SPDX-License-Identifier: Apache-2.0
#include "service/device_choice.hpp"

#include "base/limits.hpp"

#include <boost/json.hpp>

namespace rollcall::service {
namespace {

namespace json = boost::json;

json::object parsed(const std::string& text) {
    json::parse_options options;
    options.max_depth = limits::json_depth_max;
    boost::system::error_code failed;
    json::value value = json::parse(text, failed, {}, options);
    return !failed && value.is_object() ? std::move(value.get_object()) : json::object{};
}

const json::value* member_at(const json::object& object, const std::vector<std::string>& path) {
    const json::object* place = &object;
    const json::value* found = nullptr;
    for (const auto& name : path) {
        if (place == nullptr) {
            return nullptr;
        }
        found = place->if_contains(name);
        if (found == nullptr) {
            return nullptr;
        }
        place = found->if_object();
    }
    return found;
}

/// Plug and Play: a device acknowledges a desired property with its value and how it went.
const json::value& without_acknowledgement(const json::value& value) {
    const auto* const object = value.if_object();
    if (object == nullptr || !object->contains("ac")) {
        return value;
    }
    const auto* const inner = object->if_contains("value");
    return inner == nullptr ? value : *inner;
}

domain::QueryValue query_value(const json::value& value) {
    switch (value.kind()) {
        case json::kind::bool_: return value.get_bool();
        case json::kind::int64: return static_cast<double>(value.get_int64());
        case json::kind::uint64: return static_cast<double>(value.get_uint64());
        case json::kind::double_: return value.get_double();
        case json::kind::string: return std::string{value.get_string()};
        default: return {};
    }
}

/// Both documents of a twin, parsed once for all that a filter asks.
struct Properties {
    json::object reported{};
    json::object desired{};

    explicit Properties(const std::optional<domain::Twin>& twin) {
        if (twin) {
            reported = parsed(twin->reported);
            desired = parsed(twin->desired);
        }
    }
    domain::QueryValue at(const std::vector<std::string>& path) const {
        if (const auto* const value = member_at(reported, path)) {
            return query_value(without_acknowledgement(*value));
        }
        const auto* const value = member_at(desired, path);
        return value == nullptr ? domain::QueryValue{} : query_value(*value);
    }
};

domain::QueryValue value_in(const domain::NotedDevice& noted, const Properties& properties,
                            const domain::QueryField& field) {
    using Kind = domain::QueryField::Kind;
    const auto& notes = noted.notes;
    const auto state = domain::state_of(noted.device);
    switch (field.kind) {
        case Kind::id: return noted.device.id.str();
        case Kind::display_name: return noted.name();
        case Kind::model:
            return notes.template_id.empty() ? domain::QueryValue{} : notes.template_id;
        case Kind::provisioned: return noted.device.leaf_sha256.has_value();
        case Kind::simulated: return notes.simulated;
        case Kind::enabled:
            return state == domain::DeviceState::registered ||
                   state == domain::DeviceState::provisioned;
        case Kind::property: return properties.at(field.path);
    }
    return {};
}

}  // namespace

domain::QueryValue value_of(const domain::NotedDevice& noted,
                            const std::optional<domain::Twin>& twin,
                            const domain::QueryField& field) {
    return value_in(noted, Properties{twin}, field);
}

Task<Result<std::vector<domain::NotedDevice>>> choose(store::StoreReader& reader,
                                                      const domain::DeviceQuery& query,
                                                      std::vector<domain::NotedDevice> devices) {
    std::vector<domain::NotedDevice> chosen;
    for (auto& noted : devices) {
        std::optional<domain::Twin> twin;
        if (query.asks_for_properties()) {
            CO_TRY(twin, co_await reader.twin(noted.device.id));
        }
        const Properties properties{twin};
        const auto lookup = [&](const domain::QueryField& field) {
            return value_in(noted, properties, field);
        };
        if (query.matches(lookup)) {
            chosen.push_back(std::move(noted));
        }
    }
    co_return chosen;
}

}  // namespace rollcall::service
