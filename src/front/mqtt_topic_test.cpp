// SPDX-License-Identifier: Apache-2.0
#include "front/mqtt_topic.hpp"

#include "base/limits.hpp"

#include <gtest/gtest.h>

namespace rollcall::front {
namespace {

TEST(MqttTopic, KnowsWhomAUserNameIsFor) {
    for (const auto* dps : {"0ne1/registrations/d/api-version=2019-03-31",
                            "0ne1/registrations/d/api-version=2021-06-01&ClientVersion=a%2Fb",
                            "0ne1/Registrations/d/x"}) {
        EXPECT_TRUE(names_dps(dps)) << dps;
    }
    for (const auto* hub : {"", "hub.example/d/?api-version=2021-04-12",
                            "h/registrations/?api-version=1", "h/registrations/m/?api-version=1"}) {
        EXPECT_FALSE(names_dps(hub)) << hub;
    }
}

TEST(MqttTopic, ReadsDpsUserNames) {
    const auto name = parse_dps_username(
        "0ne1/registrations/Dev-1/api-version=2019-03-31&ClientVersion="
        "azure-iot-device%2F2.14.0%28x%29");
    ASSERT_TRUE(name);
    EXPECT_EQ(name->scope.str(), "0ne1");
    EXPECT_EQ(name->id.original(), "Dev-1");
    EXPECT_EQ(name->api_version, "2019-03-31");
    EXPECT_EQ(name->user_agent, "azure-iot-device/2.14.0(x)");
    for (const auto* bad :
         {"", "0ne1/registrations/d", "0ne1/registrations/d/version=1",
          "0 ne/registrations/d/api-version=1", "0ne1/registrations/d d/api-version=1",
          "0ne1/registrations//api-version=1"}) {
        EXPECT_FALSE(parse_dps_username(bad)) << bad;
    }
}

TEST(MqttTopic, ReadsHubUserNames) {
    for (const auto* username : {"hub.example/Dev-1/?api-version=2021-04-12&DeviceClientType=a%2Fb",
                                 "hub.example/Dev-1/api-version=2021-04-12&DeviceClientType=a/b"}) {
        const auto name = parse_hub_username(username);
        ASSERT_TRUE(name) << username;
        EXPECT_EQ(name->device.str(), "Dev-1");
        EXPECT_EQ(name->api_version, "2021-04-12");
        EXPECT_EQ(name->user_agent, "a/b");
    }
    EXPECT_EQ(parse_hub_username("h/d/m/?api-version=1").error().reason, "modules");
    for (const auto* bad : {"", "h", "h/d", "h/d/", "h/d/?x=1", "h//?api-version=1"}) {
        EXPECT_FALSE(parse_hub_username(bad)) << bad;
    }
}

TEST(MqttTopic, FindsParametersAsTheyStand) {
    EXPECT_EQ(raw_parameter("?$rid=a%20b&operationId=5.x", "$rid"), "a%20b");
    EXPECT_EQ(raw_parameter("?operationId=5.x&$rid=1", "$rid"), "1");
    EXPECT_EQ(raw_parameter("?%24rid=7", "$rid"), "7");
    EXPECT_EQ(raw_parameter("?$rid=", "$rid"), "");
    EXPECT_EQ(raw_parameter("?$rid", "$rid"), std::nullopt);
    EXPECT_EQ(raw_parameter("", "$rid"), std::nullopt);
}

TEST(MqttTopic, ReadsAndWritesPropertyBags) {
    const auto bag = parse_property_bag("a=b%20c&%24.ct=application%2Fjson&null&empty=");
    ASSERT_TRUE(bag);
    const domain::MessageProperties expected{{"a", "b c", false},
                                             {"$.ct", "application/json", false},
                                             {"null", "", true},
                                             {"empty", "", false}};
    EXPECT_EQ(*bag, expected);
    EXPECT_EQ(write_property_bag(expected), "a=b%20c&%24.ct=application%2Fjson&null&empty=");
    EXPECT_TRUE(parse_property_bag("")->empty());
}

/// The C SDK escapes nothing.
TEST(MqttTopic, TakesWhatIsNotEscaped) {
    const auto bag = parse_property_bag("kind=farm & field&%24.ct=application/json&p=100%&q=%zz");
    ASSERT_TRUE(bag);
    const domain::MessageProperties expected{{"kind", "farm ", false},
                                             {" field", "", true},
                                             {"$.ct", "application/json", false},
                                             {"p", "100%", false},
                                             {"q", "%zz", false}};
    EXPECT_EQ(*bag, expected);
    EXPECT_EQ(parse_property_bag("a=%ff")->front().value, "%ff");
}

TEST(MqttTopic, BoundsProperties) {
    std::string bag;
    for (std::size_t i = 0; i < limits::message_properties_max; ++i) {
        bag += "k=v&";
    }
    EXPECT_TRUE(parse_property_bag(bag));
    EXPECT_EQ(parse_property_bag(bag + "k=v").error().reason, "too-many-properties");
}

}  // namespace
}  // namespace rollcall::front
