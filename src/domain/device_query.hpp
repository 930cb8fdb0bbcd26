// SPDX-License-Identifier: Apache-2.0
// The filter of a device group, as the cloud's tools write it:
//
//   SELECT * FROM devices WHERE $template = "dtmi:a:b;1" AND $provisioned = true
//
// Read once, asked of many devices. Pure: what a device has is looked up by the caller. The
// language is the cloud's WHERE clause (= != <> < <= > >=, IN, AND, OR) with NOT, parentheses,
// STARTS_WITH, ENDS_WITH, CONTAINS and IS_DEFINED beside it (docs/jobs.md).
//
// A device that does not have what is asked for is not chosen, neither by a comparison nor by its
// NOT: nobody gets a command because we know nothing of it.
#pragma once

#include "base/result.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace rollcall::domain {

/// What filters compare; the first: there is no such thing (or it is null, an object, a list).
using QueryValue = std::variant<std::monostate, bool, double, std::string>;

/// What is asked of a device.
struct QueryField {
    enum class Kind : std::uint8_t {
        id,            ///< $id
        display_name,  ///< $displayName
        model,         ///< $template
        provisioned,   ///< $provisioned
        simulated,     ///< $simulated
        enabled,       ///< $enabled
        property,      ///< any other name: a property, of a component where the path has dots
    };
    Kind kind = Kind::property;
    std::vector<std::string> path{};  ///< of a property; 1 to limits::device_query_path_max names

    bool operator==(const QueryField&) const = default;
};

class DeviceQuery {
public:
    using Lookup = std::function<QueryValue(const QueryField& field)>;

    /// Every device.
    DeviceQuery() = default;

    bool matches(const Lookup& lookup) const;
    /// Does it ask for properties, for which a device's twin has to be read?
    bool asks_for_properties() const;

    bool operator==(const DeviceQuery&) const = default;

private:
    friend class DeviceQueryParser;

    enum class Operator : std::uint8_t {
        equal,
        not_equal,
        less,
        less_or_equal,
        greater,
        greater_or_equal,
        starts_with,
        ends_with,
        contains,
        one_of,
        defined,
        // of the steps before:
        negate,
        both,
        either,
    };
    /// In reverse Polish order: a flat list needs no recursion to be asked, copied or dropped.
    struct Step {
        Operator op = Operator::equal;
        QueryField field{};
        std::vector<QueryValue> values{};

        bool operator==(const Step&) const = default;
    };
    enum class Truth : std::uint8_t { no, unknown, yes };

    static Truth judge(const Step& step, const QueryValue& value);
    static Truth compare(Operator op, const QueryValue& left, const QueryValue& right);

    std::vector<Step> steps_;
};

/// malformed: "malformed-query", with the position of what is wrong, in bytes from 1; or
/// "query-too-large" where a bound of base/limits.hpp is met.
Result<DeviceQuery> parse_device_query(std::string_view text);

}  // namespace rollcall::domain
