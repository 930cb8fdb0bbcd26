// SPDX-License-Identifier: Apache-2.0
#include "front/hub_amqp_message.hpp"

#include "base/limits.hpp"
#include "front/amqp_address.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::front {
namespace {

namespace amqp = net::amqp;

const DeviceId device = DeviceId::trusted("d");

std::vector<domain::Telemetry> telemetry_of(const amqp::Message& message, std::uint32_t form = 0) {
    std::vector<domain::Telemetry> taken;
    EXPECT_TRUE(add_telemetry(amqp::encode(message), form, device, taken));
    return taken;
}

amqp::Message saying(std::string body) {
    amqp::Message message;
    message.body.push_back(std::move(body));
    return message;
}

TEST(AmqpAddress, OfBothForms) {
    for (const auto* const address :
         {"0ne00000001/registrations/D-1", "/0ne00000001/registrations/D-1",
          "amqps://dps.example/0ne00000001/registrations/D-1",
          "amqps://dps.example:5671/0ne00000001/Registrations/D-1/"}) {
        const auto link = parse_dps_link(address);
        ASSERT_TRUE(link) << address;
        EXPECT_EQ(link->scope.str(), "0ne00000001");
        EXPECT_EQ(link->id.original(), "D-1");
        EXPECT_FALSE(names_hub_link(address));
    }
    for (const auto* const address :
         {"/devices/a%23b/messages/events", "amqps://h/devices/a%23b/Messages/Events/",
          "devices/a%23b/messages/events"}) {
        const auto link = parse_hub_link(address);
        ASSERT_TRUE(link) << address;
        EXPECT_EQ(link->device.str(), "a#b");
        EXPECT_EQ(link->endpoint, "messages/events");
        EXPECT_TRUE(names_hub_link(address));
    }
}

TEST(AmqpAddress, OfNoForm) {
    for (const auto* const address :
         {"", "/", "amqps://h", "a/b", "a/registrations/", "a/registrations/b/c",
          "%zz/registrations/b", "a//b", "\xff/registrations/b"}) {
        EXPECT_FALSE(parse_dps_link(address)) << address;
    }
    for (const auto* const address :
         {"", "/devices", "/devices/d", "/devices//twin", "/twin/d/x"}) {
        EXPECT_FALSE(parse_hub_link(address)) << address;
    }
    EXPECT_EQ(parse_hub_link("/devices/d/modules/m/twin").error().reason, "modules");
}

TEST(HubAmqpMessage, SystemPropertiesGetTheirNames) {
    amqp::Message message = saying("body");
    message.annotations = {{"iothub-interface-id", std::string{"i"}}, {"other", true}};
    message.id = amqp::MessageId::of_text("m");
    message.correlation_id = amqp::MessageId::of_text("c");
    message.user_id = "u";
    message.to = "t";
    message.content_type = "application/json";
    message.content_encoding = "utf-8";
    message.expires = 1'000;
    message.properties = {
        {"a", std::string{"b"}}, {"n", std::int64_t{7}}, {"none", amqp::Scalar{}}};
    const auto taken = telemetry_of(message);
    ASSERT_EQ(taken.size(), 1U);
    EXPECT_EQ(taken[0].body, "body");
    EXPECT_EQ(taken[0].properties,
              (domain::MessageProperties{{"$.mid", "m"},
                                         {"$.cid", "c"},
                                         {"$.uid", "u"},
                                         {"$.to", "t"},
                                         {"$.ct", "application/json"},
                                         {"$.ce", "utf-8"},
                                         {"$.exp", "1970-01-01T00:00:01.0000000Z"},
                                         {"$.ifid", "i"},
                                         {"a", "b"},
                                         {"n", "7"},
                                         {"none", "", true}}));
}

TEST(HubAmqpMessage, BatchesAreTakenWholeOrNotAtAll) {
    amqp::Message batch;
    batch.body = {amqp::encode(saying("1")), amqp::encode(saying("2"))};
    EXPECT_EQ(telemetry_of(batch, batch_format).size(), 2U);
    EXPECT_EQ(telemetry_of(batch).size(), 1U);
    batch.body.emplace_back("nonsense");
    std::vector<domain::Telemetry> taken;
    EXPECT_FALSE(add_telemetry(amqp::encode(batch), batch_format, device, taken));
    EXPECT_TRUE(taken.empty());
}

TEST(HubAmqpMessage, HasTheHubsBounds) {
    const auto taken = [](const amqp::Message& message) {
        std::vector<domain::Telemetry> into;
        return add_telemetry(amqp::encode(message), 0, device, into).has_value();
    };
    EXPECT_TRUE(taken(saying(std::string(limits::telemetry_body_bytes_max, 'x'))));
    EXPECT_FALSE(taken(saying(std::string(limits::telemetry_body_bytes_max + 1, 'x'))));
    amqp::Message message = saying("");
    message.properties = {{"k", std::string(limits::message_properties_bytes_max - 1, 'x')}};
    EXPECT_TRUE(taken(message));
    message.properties = {{"k", std::string(limits::message_properties_bytes_max, 'x')}};
    EXPECT_FALSE(taken(message));
    message.properties.clear();
    for (std::size_t i = 0; i < limits::message_properties_max; ++i) {
        message.properties.emplace_back("k" + std::to_string(i), true);
    }
    EXPECT_TRUE(taken(message));
    message.id = amqp::MessageId::of_text("one more");
    EXPECT_FALSE(taken(message));
}

TEST(HubAmqpMessage, AMessageToADevice) {
    domain::DeviceMessage message;
    message.properties = {{"$.mid", "m"}, {"$.ack", "full"}, {"a", "b"}, {"n", "", true}};
    message.body = "body";
    const auto told = read_hub_message(write_device_message(message));
    ASSERT_TRUE(told);
    EXPECT_EQ(told->id.text, "m");
    EXPECT_EQ(told->properties, (amqp::Scalars{{"a", std::string{"b"}}, {"n", amqp::Scalar{}}}));
    EXPECT_EQ(body_of(*told), "body");
}

TEST(HubAmqpMessage, AMethodsNumberComesBack) {
    const auto call = read_hub_message(write_method(0x0123456789abcdef, "reboot", "{}"));
    ASSERT_TRUE(call);
    EXPECT_EQ(amqp::text_of(call->properties, "IoThub-methodname"), "reboot");
    EXPECT_EQ(method_of(call->correlation_id), 0x0123456789abcdef);
    EXPECT_EQ(method_of(amqp::MessageId::of_text("00000000-0000-0000-0123-456789abcdef")),
              0x0123456789abcdef);
    for (const auto* const text :
         {"", "7", "10000000-0000-0000-0123-456789abcdef", "00000000-0000-0000-012x-456789abcdef",
          "00000000-0000-0000-0123x456789abcdef"}) {
        EXPECT_FALSE(method_of(amqp::MessageId::of_text(text))) << text;
    }
}

}  // namespace
}  // namespace rollcall::front
