// SPDX-License-Identifier: Apache-2.0
// $filter and $orderby of IoT Central's list of devices (spec/iot-central-api.md 3.3): a small part
// of OData. Comparisons (eq ne lt le gt ge) of id, displayName, enabled, provisioned, simulated,
// template and scopes (also: organizations) with 'texts' ('' for a quote), true, false, null and
// whole numbers, which indexof(field, 'text') is compared with; and, or, not, parentheses.
#pragma once

#include "domain/device_notes.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace rollcall::front {

class CentralFilter {
public:
    /// malformed "malformed-filter", which says where; also beyond the bounds of base/limits.hpp.
    static Result<CentralFilter> parse(std::string_view text);
    bool matches(const domain::NotedDevice& device) const;

    enum class Field : std::uint8_t {
        id,
        display_name,
        template_id,
        enabled,
        provisioned,
        simulated,
        organizations,
    };
    enum class Compare : std::uint8_t { eq, ne, lt, le, gt, ge };
    /// Where the text begins in the field, from 0; -1: it is not in it.
    struct IndexOf {
        Field field;
        std::string text;
    };
    using Operand = std::variant<Field, IndexOf, std::string, bool, std::int64_t, std::monostate>;
    struct Comparison {
        Compare compare;
        Operand left;
        Operand right;
    };
    /// The first is the first child's place among the nodes, the other the second's.
    struct Both {
        std::size_t first;
        std::size_t second;
        bool all;  ///< and; else or
    };
    struct Not {
        std::size_t what;
    };
    using Node = std::variant<Comparison, Both, Not>;

private:
    bool holds(std::size_t node, const domain::NotedDevice& device) const;

    std::vector<Node> nodes_;  ///< the last is the whole
};

/// "displayName desc".
struct CentralOrder {
    bool by_name = true;  ///< else by id
    bool descending = false;
};
/// malformed "malformed-filter".
Result<CentralOrder> parse_central_order(std::string_view text);

}  // namespace rollcall::front
