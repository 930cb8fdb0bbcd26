// SPDX-License-Identifier: Apache-2.0
#include "service/twin_document.hpp"

#include "base/limits.hpp"

#include <boost/json.hpp>

namespace rollcall::service {
namespace {

namespace json = boost::json;

constexpr std::string_view version_key = "$version";
constexpr std::string_view metadata_key = "$metadata";

Error malformed(const char* reason, std::string detail) {
    return {ErrorKind::malformed, std::move(detail), reason};
}

std::size_t bytes_max_of(TwinPart part) {
    return part == TwinPart::tags ? limits::twin_tags_bytes_max : limits::twin_properties_bytes_max;
}

bool good_key(std::string_view key) {
    if (key.empty() || key.size() > limits::twin_key_bytes_max) {
        return false;
    }
    for (const char c : key) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte <= 0x20 || byte == 0x7f || c == '.' || c == '$') {
            return false;
        }
    }
    return true;
}

Error too_deep() {
    return malformed("twin-too-deep", "objects stand more than " +
                                          std::to_string(limits::twin_depth_max) +
                                          " deep within each other");
}

Result<Done> check(const json::value& value, int depth) {
    if (depth > limits::twin_depth_max) {
        return too_deep();
    }
    if (const auto* const object = value.if_object()) {
        for (const auto& [key, member] : *object) {
            if (!good_key(key)) {
                return malformed("twin-bad-key",
                                 "a name is empty, too long, or has a dot, a '$', a space or a "
                                 "control character");
            }
            TRY([[maybe_unused]] const Done sound, check(member, depth + 1));
        }
    } else if (const auto* const array = value.if_array()) {
        for (const auto& element : *array) {
            TRY([[maybe_unused]] const Done sound, check(element, depth + 1));
        }
    }
    return Done{};
}

/// RFC 7396.
void merge(json::object& target, const json::object& patch) {
    for (const auto& [key, change] : patch) {
        if (change.is_null()) {
            target.erase(key);
            continue;
        }
        const auto* const inner = change.if_object();
        if (inner == nullptr) {
            target[key] = change;
            continue;
        }
        auto& place = target[key];
        if (!place.is_object()) {
            place = json::object{};
        }
        merge(place.get_object(), *inner);
    }
}

Result<json::object> parse_object(std::string_view text) {
    json::parse_options options;
    options.max_depth = limits::json_depth_max;
    boost::system::error_code failed;
    const json::value value = json::parse({text.data(), text.size()}, failed, {}, options);
    if (failed == json::error::too_deep) {
        return too_deep();
    }
    if (failed) {
        return malformed("twin-not-json", "the body is not JSON");
    }
    if (!value.is_object()) {
        return malformed("twin-not-object", "the body is not a JSON object");
    }
    return value.get_object();
}

/// What we wrote ourselves.
json::object stored_object(const std::string& text) {
    auto object = parse_object(text);
    return object ? *std::move(object) : json::object{};
}

}  // namespace

Result<std::string> merge_into(TwinPart part, const std::string& document, std::string_view patch) {
    const std::size_t bytes_max = bytes_max_of(part);
    const Error too_large{ErrorKind::too_large,
                          "the bound is " + std::to_string(bytes_max) + " bytes of JSON",
                          "twin-too-large"};
    if (patch.size() > 2 * bytes_max) {  // deleting takes bytes, too
        return too_large;
    }
    TRY(json::object change, parse_object(patch));
    change.erase(version_key);
    change.erase(metadata_key);
    TRY([[maybe_unused]] const Done sound, check(change, 0));
    json::object merged = stored_object(document);
    merge(merged, change);
    std::string text = json::serialize(merged);
    if (text.size() > bytes_max) {
        return too_large;
    }
    return text;
}

namespace {

/// Makes `wanted` a patch that takes away what `document` has beside it.
void complete(json::object& wanted, const json::object& document) {
    for (const auto& [key, value] : document) {
        auto* const place = wanted.if_contains(key);
        if (place == nullptr) {
            wanted[key] = nullptr;
        } else if (place->is_object() && value.is_object()) {
            complete(place->get_object(), value.get_object());
        }
    }
}

}  // namespace

Result<std::string> patch_for(TwinWrite write, const std::string& document,
                              std::string_view wanted) {
    if (write == TwinWrite::patch) {
        return std::string{wanted};
    }
    TRY(json::object patch, parse_object(wanted));
    patch.erase(version_key);
    patch.erase(metadata_key);
    TRY([[maybe_unused]] const Done sound, check(patch, 0));
    const json::object stored = stored_object(document);
    if (write == TwinWrite::whole) {
        complete(patch, stored);
        return json::serialize(patch);
    }
    for (auto& member : patch) {
        const auto* const held = stored.if_contains(member.key());
        if (held != nullptr && held->is_object() && member.value().is_object()) {
            complete(member.value().get_object(), held->get_object());
        }
    }
    return json::serialize(patch);
}

std::string with_version(std::string_view patch, std::uint64_t version) {
    json::object object = stored_object(std::string{patch});
    object.erase(metadata_key);
    object[version_key] = version;
    return json::serialize(object);
}

std::string device_document(const domain::Twin& twin) {
    return "{\"desired\":" + with_version(twin.desired, twin.desired_version) +
           ",\"reported\":" + with_version(twin.reported, twin.reported_version) + "}";
}

domain::TwinContents parse_initial_twin(const std::string& text) {
    domain::TwinContents initial;
    if (text.empty()) {
        return initial;
    }
    const json::object object = stored_object(text);
    if (const auto* const tags = object.if_contains("tags"); tags != nullptr && tags->is_object()) {
        initial.tags = json::serialize(*tags);
    }
    const auto* const properties = object.if_contains("properties");
    if (properties != nullptr && properties->is_object()) {
        const auto* const desired = properties->get_object().if_contains("desired");
        if (desired != nullptr && desired->is_object()) {
            json::object kept = desired->get_object();
            kept.erase(version_key);
            kept.erase(metadata_key);
            initial.desired = json::serialize(kept);
        }
    }
    return initial;
}

}  // namespace rollcall::service
