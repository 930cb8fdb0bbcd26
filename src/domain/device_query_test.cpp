// SPDX-License-Identifier: Apache-2.0
#include "domain/device_query.hpp"

#include "base/limits.hpp"

#include <map>

#include <gtest/gtest.h>

namespace rollcall::domain {
namespace {

const std::string all = "SELECT * FROM devices";

/// A thermostat on the second floor.
QueryValue of_thermostat(const QueryField& field) {
    using Kind = QueryField::Kind;
    static const std::map<std::string, QueryValue> properties{
        {"temperature", 21.5}, {"site", "floor 2"},     {"heating", true},
        {"info.model", "T-1"}, {"it's", "a \"word\""},  {"zero", 0.0},
        {"firm-ware", "1.10"}, {"empty", std::string{}}};
    switch (field.kind) {
        case Kind::id: return "dev-7";
        case Kind::display_name: return "Thermostat 7";
        case Kind::model: return "dtmi:plant:thermostat;1";
        case Kind::provisioned: return true;
        case Kind::simulated: return false;
        case Kind::enabled: return true;
        case Kind::property: break;
    }
    std::string path;
    for (const auto& name : field.path) {
        path += (path.empty() ? "" : ".") + name;
    }
    const auto found = properties.find(path);
    return found == properties.end() ? QueryValue{} : found->second;
}

bool chosen(const std::string& where) {
    const auto query = parse_device_query(all + " WHERE " + where);
    EXPECT_TRUE(query) << where << ": " << query.error().detail;
    return query && query->matches(of_thermostat);
}

TEST(DeviceQuery, WithoutAConditionEveryDeviceIsChosen) {
    EXPECT_TRUE(DeviceQuery{}.matches(of_thermostat));
    for (const std::string text : {"SELECT * FROM devices", " select *\n from DEVICES "}) {
        const auto query = parse_device_query(text);
        ASSERT_TRUE(query) << text;
        EXPECT_EQ(*query, DeviceQuery{});
    }
}

TEST(DeviceQuery, ChoosesByWhatADeviceIs) {
    const std::vector<std::string> yes{
        R"($template = "dtmi:plant:thermostat;1" AND $provisioned = true)",
        "$id = 'dev-7'",
        "$id IN ['dev-6', 'dev-7']",
        "$id in ('dev-7')",
        "$id NOT IN ['dev-6']",
        "$displayName = 'Thermostat 7'",
        "STARTS_WITH($id, 'dev-')",
        "startswith($id, 'dev-')",
        "ENDS_WITH($id, '7')",
        "CONTAINS($template, 'thermostat')",
        "$provisioned AND NOT $simulated",
        "$enabled <> false",
        "temperature > 21 AND temperature < 22",
        "temperature >= 21.5 AND temperature <= 21.5",
        "temperature != 2.15e2",
        "zero = -0",
        "info.model = 'T-1'",
        "firm-ware = '1.10'",
        "site > 'floor 1' AND site < 'floor 3'",
        "heating",
        "heating = true",
        "empty = ''",
        "IS_DEFINED(site) AND NOT IS_DEFINED(cellar)",
        "cellar = null AND site != NULL",
        "NOT (site = 'floor 1' OR site = 'floor 3')",
        "site = 'floor 1' OR $id = 'dev-7' AND temperature > 20",
        "(site = 'floor 1' OR $id = 'dev-7') AND temperature > 20",
        "NOT NOT $provisioned",
    };
    for (const auto& where : yes) {
        EXPECT_TRUE(chosen(where)) << where;
    }
    const std::vector<std::string> no{
        "$id = 'DEV-7'",
        "$id IN ['dev-6']",
        "$template != 'dtmi:plant:thermostat;1'",
        "$simulated",
        "temperature > 21.5",
        "site = 'floor 2' AND zero",
        "NOT heating",
        "(site = 'floor 1' OR $id = 'dev-7') AND temperature > 30",
        "CONTAINS(site, 'cellar')",
    };
    for (const auto& where : no) {
        EXPECT_FALSE(chosen(where)) << where;
    }
}

TEST(DeviceQuery, WhatIsNotKnownChoosesNobody) {
    for (const std::string unknown :
         {"cellar = 1", "cellar != 1", "cellar IN [1]", "CONTAINS(cellar, 'x')", "cellar",
          "site = 2", "site > 2", "site", "heating > false", "STARTS_WITH(temperature, '2')"}) {
        EXPECT_FALSE(chosen(unknown)) << unknown;
        EXPECT_FALSE(chosen("NOT (" + unknown + ")")) << unknown;
        EXPECT_TRUE(chosen(unknown + " OR $provisioned")) << unknown;
        EXPECT_FALSE(chosen(unknown + " AND $provisioned")) << unknown;
        EXPECT_TRUE(chosen("NOT (" + unknown + " AND $simulated)")) << unknown;
    }
}

TEST(DeviceQuery, QuotesAreDoubledWithinTheirOwnKind) {
    const auto query = parse_device_query(all + R"( WHERE a = 'it''s "so"' AND b = "a ""b"" 'c'")");
    ASSERT_TRUE(query) << query.error().detail;
    EXPECT_TRUE(query->matches([](const QueryField& field) -> QueryValue {
        return field.path.front() == "a" ? R"(it's "so")" : R"(a "b" 'c')";
    }));
}

TEST(DeviceQuery, SaysWhetherPropertiesAreAskedFor) {
    EXPECT_FALSE(parse_device_query(all)->asks_for_properties());
    EXPECT_FALSE(parse_device_query(all + " WHERE $id='a' OR NOT $enabled")->asks_for_properties());
    EXPECT_TRUE(parse_device_query(all + " WHERE $id='a' OR x=1")->asks_for_properties());
}

TEST(DeviceQuery, SaysWhereItIsWrong) {
    struct Row {
        std::string text;
        std::string detail;
    };
    const Row rows[] = {
        {"", "position 1: expected SELECT"},
        {"SELECT id FROM devices", "position 8: expected *"},
        {"SELECT * FROM dtmi:a;1", "position 15: expected devices"},
        {"SELECT * FROM devices ORDER BY x", "position 23: expected WHERE"},
        {all + " WHERE", "position 28: expected the name of a property"},
        {all + " WHERE a = ", "position 33: expected a quoted text"},
        {all + " WHERE a = b", "position 33: expected a quoted text"},
        {all + " WHERE a = 'b", "position 33: the quoted text does not end"},
        {all + " WHERE a = 1 b", "position 35: expected AND, OR or the end"},
        {all + " WHERE a = 1 AND", "position 38: expected the name"},
        {all + " WHERE a = 1x", "position 34: expected AND"},
        {all + " WHERE a = 1.2.3", "position 33: '1.2.3' is not a number"},
        {all + " WHERE a = 1e999", "position 33: '1e999' is not a number"},
        {all + " WHERE a == 1", "position 32: expected a quoted text"},
        {all + " WHERE a eq 1", "position 31: expected AND"},
        {all + " WHERE (a = 1", "position 35: expected )"},
        {all + " WHERE a = 1)", "position 34: expected AND"},
        {all + " WHERE a < null", "position 33: null can only be"},
        {all + " WHERE a IN [1, null]", "position 38: null is in no list"},
        {all + " WHERE a IN []", "position 35: expected a quoted text"},
        {all + " WHERE a IN [1)", "position 36: expected ]"},
        {all + " WHERE $name = 1", "position 29: a device has no '$name'"},
        {all + " WHERE a..b = 1", "position 29: a name in 'a..b' is empty"},
        {all + " WHERE CONTAINS(a, 1)", "position 41: expected a quoted text"},
        {all + " WHERE CONTAINS(a)", "position 39: expected ,"},
        {all + " WHERE DROP(a)", "position 29: there is no function 'DROP'"},
        {all + " WHERE and = 1", "position 29: expected the name of a property"},
        {all + " WHERE a = 1; DELETE", "position 34: this character means nothing here"},
        {all + " WHERE a = '\xff'", "position 1: this is not UTF-8"},
    };
    for (const auto& row : rows) {
        const auto query = parse_device_query(row.text);
        ASSERT_FALSE(query) << row.text;
        EXPECT_EQ(query.error().kind, ErrorKind::malformed) << row.text;
        EXPECT_EQ(query.error().reason, "malformed-query") << row.text;
        EXPECT_TRUE(query.error().detail.starts_with("filter, " + row.detail))
            << row.text << ": " << query.error().detail;
    }
}

TEST(DeviceQuery, EveryBoundIsMetOnBothSides) {
    const auto reason = [](const std::string& where) {
        const auto query = parse_device_query(all + " WHERE " + where);
        return query ? std::string{} : query.error().reason;
    };
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '(') + "a" + std::string(depth, ')');
    };
    EXPECT_EQ(reason(nested(limits::device_query_depth_max)), "");
    EXPECT_EQ(reason(nested(limits::device_query_depth_max + 1)), "query-too-large");

    const auto listed = [](std::size_t count) {
        std::string list = "$id IN ['d'";
        for (std::size_t i = 1; i < count; ++i) {
            list += ",'d'";
        }
        return list + "]";
    };
    EXPECT_EQ(reason(listed(limits::device_query_values_max)), "");
    EXPECT_EQ(reason(listed(limits::device_query_values_max + 1)), "query-too-large");
    std::string flags = "a";
    for (std::size_t i = 1; i < limits::device_query_values_max; ++i) {
        flags += " OR a";
    }
    EXPECT_EQ(reason(flags), "");
    EXPECT_EQ(reason(flags + " OR a"), "query-too-large");

    std::string path = "a";
    for (std::size_t i = 1; i < limits::device_query_path_max; ++i) {
        path += ".a";
    }
    EXPECT_EQ(reason(path), "");
    EXPECT_EQ(reason(path + ".a"), "query-too-large");

    const std::string start = all + " WHERE a = '";
    const std::size_t room = limits::device_query_bytes_max - start.size() - 1;
    EXPECT_TRUE(parse_device_query(start + std::string(room, 'x') + "'"));
    EXPECT_EQ(parse_device_query(start + std::string(room + 1, 'x') + "'").error().reason,
              "query-too-large");
}

}  // namespace
}  // namespace rollcall::domain
