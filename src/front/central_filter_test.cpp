// SPDX-License-Identifier: Apache-2.0
#include "front/central_filter.hpp"

#include "base/limits.hpp"

#include <gtest/gtest.h>

namespace rollcall::front {
namespace {

domain::NotedDevice a_device() {
    domain::NotedDevice noted;
    noted.device.id = DeviceId::trusted("dev-7");
    noted.device.leaf_sha256 = Digest{};
    noted.notes = {"Cooler 'B'", "dtmi:plant:cooler;1", false, {"north", "plant-1"}};
    return noted;
}

TEST(CentralFilter, ComparesWhatADeviceIs) {
    const auto device = a_device();
    const std::vector<std::pair<std::string, bool>> cases{
        {"id eq 'dev-7'", true},
        {"id eq 'DEV-7'", false},
        {"ID EQ 'dev-7'", true},
        {"'dev-7' eq id", true},
        {"id ne 'dev-7'", false},
        {"id gt 'dev-6'", true},
        {"id ge 'dev-7'", true},
        {"id lt 'dev-7'", false},
        {"id le 'dev-7'", true},
        {"displayName eq 'Cooler ''B'''", true},
        {"enabled eq true", true},
        {"enabled ne true", false},
        {"provisioned eq false", false},
        {"simulated eq false", true},
        {"template eq 'dtmi:plant:cooler;1'", true},
        {"template eq null", false},
        {"template ne null", true},
        {"null eq template", false},
        {"scopes eq 'north'", true},
        {"organizations eq 'plant-1'", true},
        {"scopes eq 'plant'", false},
        {"scopes ne 'north'", false},
        {"scopes ne 'south'", true},
        {"indexof(displayName, 'oo') eq 1", true},
        {"indexof(displayName,'oo') ge 0", true},
        {"indexof(template, 'cooler') ne -1", true},
        {"indexof(displayName, 'x') eq -1", true},
        {"indexof(id, '') eq 0", true},
    };
    for (const auto& [text, expected] : cases) {
        const auto filter = CentralFilter::parse(text);
        ASSERT_TRUE(filter) << text << ": " << filter.error().detail;
        EXPECT_EQ(filter->matches(device), expected) << text;
    }
}

TEST(CentralFilter, AndBindsCloserThanOr) {
    const auto device = a_device();
    const std::vector<std::pair<std::string, bool>> cases{
        {"enabled eq true and simulated eq true", false},
        {"enabled eq true or simulated eq true", true},
        {"enabled eq true or simulated eq true and simulated eq true", true},
        {"(enabled eq true or simulated eq true) and simulated eq true", false},
        {"simulated eq true and simulated eq true or enabled eq true", true},
        {"not simulated eq true", true},
        {"not (enabled eq true)", false},
        {"not not enabled eq true", true},
        {"not enabled eq true or enabled eq true", true},
        {"not (enabled eq true or enabled eq true)", false},
    };
    for (const auto& [text, expected] : cases) {
        const auto filter = CentralFilter::parse(text);
        ASSERT_TRUE(filter) << text << ": " << filter.error().detail;
        EXPECT_EQ(filter->matches(device), expected) << text;
    }
}

TEST(CentralFilter, NothingIsNeitherLessNorGreater) {
    auto device = a_device();
    device.notes = {};
    device.device.blocked = true;
    device.device.leaf_sha256.reset();
    const std::vector<std::pair<std::string, bool>> cases{
        {"template eq null", true},       {"template ne null", false},
        {"template lt 'z'", false},       {"template ge 'a'", false},
        {"template ne 'a'", true},        {"indexof(template, 'a') eq -1", true},
        {"displayName eq 'dev-7'", true}, {"enabled eq false", true},
        {"provisioned eq true", false},   {"scopes eq 'north'", false},
    };
    for (const auto& [text, expected] : cases) {
        EXPECT_EQ(CentralFilter::parse(text).value().matches(device), expected) << text;
    }
    device.device.blocked = false;
    device.device.approved = false;
    EXPECT_TRUE(CentralFilter::parse("enabled eq false").value().matches(device));
}

TEST(CentralFilter, RefusesWhatItCannotCompare) {
    for (const std::string text : {"",
                                   " ",
                                   "id",
                                   "id eq",
                                   "eq 'a'",
                                   "id eq 'a",
                                   "id is 'a'",
                                   "id eq 1",
                                   "id eq true",
                                   "id eq dev",
                                   "enabled eq 'true'",
                                   "enabled lt true",
                                   "enabled eq 1",
                                   "enabled",
                                   "scopes lt 'a'",
                                   "'north' eq scopes",
                                   "scopes eq scopes",
                                   "scopes eq null",
                                   "null lt id",
                                   "name eq 'a'",
                                   "indexof(id) eq 0",
                                   "indexof('a', id) eq 0",
                                   "indexof(enabled, 'a') eq 0",
                                   "indexof(id, 'a' eq 0",
                                   "indexof(id, 'a') eq '0'",
                                   "(id eq 'a'",
                                   "id eq 'a')",
                                   "id eq 'a' and",
                                   "id eq 'a' or or id eq 'b'",
                                   "id eq 'a' id eq 'b'",
                                   "not",
                                   "()",
                                   "id eq -",
                                   "id eq 99999999999999999999",
                                   "id == 'a'",
                                   "id eq \"a\"",
                                   "id eq 'a' #"}) {
        const auto filter = CentralFilter::parse(text);
        ASSERT_FALSE(filter) << text;
        EXPECT_EQ(filter.error().reason, "malformed-filter") << text;
        EXPECT_EQ(filter.error().kind, ErrorKind::malformed) << text;
    }
}

TEST(CentralFilter, HasBounds) {
    const std::string plain = "id eq 'a'";
    std::string longest = plain;
    while (longest.size() + 13 <= limits::central_filter_bytes_max) {
        longest += " or " + plain;
    }
    longest.append(limits::central_filter_bytes_max - longest.size(), ' ');
    EXPECT_TRUE(CentralFilter::parse(longest));
    EXPECT_FALSE(CentralFilter::parse(longest + ' '));
    const auto nested = [&](std::size_t depth) {
        return std::string(depth, '(') + plain + std::string(depth, ')');
    };
    EXPECT_TRUE(CentralFilter::parse(nested(limits::central_filter_depth_max)));
    EXPECT_FALSE(CentralFilter::parse(nested(limits::central_filter_depth_max + 1)));
    const auto negated = [&](std::size_t depth) {
        std::string text;
        for (std::size_t i = 0; i < depth; ++i) {
            text += "not ";
        }
        return text + plain;
    };
    EXPECT_TRUE(CentralFilter::parse(negated(limits::central_filter_depth_max)));
    EXPECT_FALSE(CentralFilter::parse(negated(limits::central_filter_depth_max + 1)));
}

TEST(CentralOrder, IsByNameOrId) {
    const auto order = parse_central_order("displayName").value();
    EXPECT_TRUE(order.by_name);
    EXPECT_FALSE(order.descending);
    EXPECT_TRUE(parse_central_order(" DisplayName  desc ").value().descending);
    EXPECT_FALSE(parse_central_order("id asc").value().by_name);
    for (const std::string text : {"", "template", "displayName down", "id asc desc", "asc"}) {
        EXPECT_EQ(parse_central_order(text).error().reason, "malformed-filter") << text;
    }
}

}  // namespace
}  // namespace rollcall::front
