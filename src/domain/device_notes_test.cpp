// SPDX-License-Identifier: Apache-2.0
#include "domain/device_notes.hpp"

#include "base/limits.hpp"

#include <gtest/gtest.h>

namespace rollcall::domain {
namespace {

std::string reason(const DeviceNotes& notes) {
    const auto checked = check_notes(notes);
    return checked ? "" : checked.error().reason;
}

std::string times(std::size_t count, const std::string& text) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i) {
        all += text;
    }
    return all;
}

TEST(DeviceNotes, NamesHaveBounds) {
    const std::size_t most = limits::display_name_chars_max;
    const std::vector<std::pair<std::string, std::string>> cases{
        {"", ""},
        {"Cooler 7", ""},
        {times(most, "ü"), ""},
        {times(most + 1, "ü"), "malformed-name"},
        {"a\nb", "malformed-name"},
        {"a\x7f", "malformed-name"},
        {"\xff", "malformed-name"},
    };
    for (const auto& [name, expected] : cases) {
        EXPECT_EQ(reason({name}), expected) << name;
    }
    EXPECT_EQ(check_display_name("").error().reason, "malformed-name");
    EXPECT_TRUE(check_display_name("x"));
}

TEST(DeviceNotes, TemplatesHaveBounds) {
    const std::size_t most = limits::template_id_chars_max;
    const std::vector<std::pair<std::string, std::string>> cases{
        {"dtmi:plant:cooler;1", ""},
        {times(most, "x"), ""},
        {times(most + 1, "x"), "malformed-template"},
        {"dtmi:a b;1", "malformed-template"},
        {"dtmi:\t;1", "malformed-template"},
    };
    for (const auto& [id, expected] : cases) {
        EXPECT_EQ(reason({"", id}), expected) << id;
    }
}

TEST(DeviceNotes, OrganizationsHaveBounds) {
    const std::string longest = times(limits::organization_id_chars_max, "a");
    const std::size_t most = limits::device_organizations_max;
    const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
        {{}, ""},
        {{"north-1", longest}, ""},
        {{longest + "a"}, "malformed-organization"},
        {{""}, "malformed-organization"},
        {{"a b"}, "malformed-organization"},
        {std::vector<std::string>(most, "x"), ""},
        {std::vector<std::string>(most + 1, "x"), "malformed-organization"},
    };
    for (const auto& [ids, expected] : cases) {
        EXPECT_EQ(reason({"", "", false, ids}), expected) << ids.size();
    }
}

TEST(DeviceNotes, ADeviceIsCalledByItsIdUntilItHasAName) {
    NotedDevice noted;
    noted.device.id = DeviceId::trusted("dev-1");
    EXPECT_EQ(noted.name(), "dev-1");
    noted.notes.display_name = "Cooler";
    EXPECT_EQ(noted.name(), "Cooler");
}

}  // namespace
}  // namespace rollcall::domain
