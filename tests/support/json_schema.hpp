// SPDX-License-Identifier: Apache-2.0
// Holds a JSON value against a schema of our OpenAPI document. Knows the words that the document
// uses and fails on any other; members that a schema does not name are faults.
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <boost/json.hpp>

namespace rollcall::test {

namespace json = boost::json;

class JsonSchema {
public:
    explicit JsonSchema(const json::value& document) : document_(document) {}

    /// What does not fit, each with its place; empty when all does.
    std::vector<std::string> faults(const json::value& value, const json::object& schema) const {
        std::vector<std::string> found;
        check(value, schema, "$", found);
        return found;
    }

private:
    using Faults = std::vector<std::string>;

    const json::object& resolve(const json::object& schema) const {
        const auto* const reference = schema.if_contains("$ref");
        if (reference == nullptr) {
            return schema;
        }
        const std::string pointer{reference->as_string().subview(1)};
        return resolve(document_.at_pointer(pointer).as_object());
    }

    void check(const json::value& value, const json::object& raw, const std::string& at,
               Faults& found) const {
        const auto& schema = resolve(raw);
        check_words(schema, at, found);
        if (const auto* const options = schema.if_contains("oneOf")) {
            check_one_of(value, options->as_array(), at, found);
            return;
        }
        if (const auto* const words = schema.if_contains("enum")) {
            const auto& list = words->as_array();
            if (std::find(list.begin(), list.end(), value) == list.end()) {
                found.push_back(at + ": " + json::serialize(value) + " is not of the enum");
            }
        }
        if (const auto* const only = schema.if_contains("const"); only && *only != value) {
            found.push_back(at + ": is not the const");
        }
        if (!type_fits(value, schema)) {
            found.push_back(at + ": wrong type " + json::serialize(value));
            return;
        }
        if (value.is_object()) {
            check_object(value.as_object(), schema, at, found);
        }
        if (value.is_array() && schema.contains("items")) {
            std::size_t index = 0;
            for (const auto& item : value.as_array()) {
                check(item, schema.at("items").as_object(),
                      at + "[" + std::to_string(index++) + "]", found);
            }
        }
    }

    void check_one_of(const json::value& value, const json::array& options, const std::string& at,
                      Faults& found) const {
        Faults last;
        for (const auto& option : options) {
            Faults inner;
            check(value, option.as_object(), at, inner);
            if (inner.empty()) {
                return;
            }
            if (inner.size() < last.size() || last.empty()) {
                last = inner;
            }
        }
        found.push_back(at + ": none of oneOf");
        found.insert(found.end(), last.begin(), last.end());
    }

    static bool is_of(const json::value& value, const json::string& type) {
        return (type == "null" && value.is_null()) || (type == "string" && value.is_string()) ||
               (type == "boolean" && value.is_bool()) || (type == "array" && value.is_array()) ||
               (type == "object" && value.is_object()) ||
               (type == "integer" && (value.is_int64() || value.is_uint64()));
    }

    static bool type_fits(const json::value& value, const json::object& schema) {
        const auto* const type = schema.if_contains("type");
        if (type == nullptr) {
            return true;
        }
        if (type->is_string()) {
            return is_of(value, type->as_string());
        }
        const auto& types = type->as_array();
        return std::any_of(types.begin(), types.end(),
                           [&](const json::value& each) { return is_of(value, each.as_string()); });
    }

    /// Properties and required names, those of allOf included.
    void gather(const json::object& raw, json::object& properties,
                std::set<std::string>& required) const {
        const auto& schema = resolve(raw);
        if (const auto* const parts = schema.if_contains("allOf")) {
            for (const auto& part : parts->as_array()) {
                gather(part.as_object(), properties, required);
            }
        }
        if (const auto* const own = schema.if_contains("properties")) {
            for (const auto& property : own->as_object()) {
                properties[property.key()] = property.value();
            }
        }
        if (const auto* const names = schema.if_contains("required")) {
            for (const auto& name : names->as_array()) {
                required.emplace(name.as_string());
            }
        }
    }

    void check_object(const json::object& value, const json::object& schema, const std::string& at,
                      Faults& found) const {
        json::object properties;
        std::set<std::string> required;
        gather(schema, properties, required);
        if (properties.empty()) {
            return;  // any object
        }
        for (const auto& name : required) {
            if (!value.contains(name)) {
                found.push_back(at + ": lacks '" + name + "'");
            }
        }
        for (const auto& member : value) {
            const auto* const property = properties.if_contains(member.key());
            const std::string place = at + "." + std::string{member.key()};
            if (property == nullptr) {
                found.push_back(place + ": is not in the schema");
            } else {
                check(member.value(), property->as_object(), place, found);
            }
        }
    }

    static void check_words(const json::object& schema, const std::string& at, Faults& found) {
        static const std::set<std::string_view> known{"$ref",
                                                      "type",
                                                      "description",
                                                      "properties",
                                                      "required",
                                                      "items",
                                                      "enum",
                                                      "const",
                                                      "oneOf",
                                                      "allOf",
                                                      "format",
                                                      "default",
                                                      "additionalProperties",
                                                      "minLength",
                                                      "maxLength",
                                                      "minimum",
                                                      "maximum"};
        for (const auto& member : schema) {
            if (!known.contains(std::string_view{member.key().data(), member.key().size()})) {
                found.push_back(at + ": this checker does not know the word " +
                                std::string{member.key()});
            }
        }
    }

    const json::value& document_;
};

}  // namespace rollcall::test
