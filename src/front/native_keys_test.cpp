// SPDX-License-Identifier: Apache-2.0
#include "support/native_door.hpp"
#include "support/sas_maker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::front {
namespace {

using test::a_key;
using test::NativeDoor;
using ::testing::HasSubstr;
using ::testing::Not;

class NativeKeysTest : public ::testing::Test {
protected:
    void SetUp() override {
        const json::object keys{{"primaryKey", a_key(1).base64()}, {"secondaryKey", nullptr}};
        EXPECT_EQ(
            door.send("POST", "/groups", json::object{{"id", "g"}, {"symmetricKey", keys}}).status,
            201u);
        EXPECT_EQ(door.send("POST", "/enrollments",
                            json::object{{"registrationId", "dev"}, {"symmetricKey", keys}})
                      .status,
                  201u);
    }
    NativeDoor door;
};

TEST_F(NativeKeysTest, ListingsTellIdsAndNoKeys) {
    for (const auto* place : {"/groups", "/groups/g", "/groups/g/adoption",
                              "/groups/g/certificates", "/enrollments", "/enrollments/dev"}) {
        const auto reply = door.send("GET", place);
        EXPECT_EQ(reply.status, 200u) << place;
        EXPECT_THAT(json::serialize(reply.body), Not(HasSubstr(a_key(1).base64()))) << place;
    }
    const auto group = door.send("GET", "/groups/g");
    EXPECT_EQ(group.text("/attestation"), "symmetricKey");
    EXPECT_EQ(group.text("/keyIds/primary"), to_upper_hex(a_key(1).id().bytes));
    EXPECT_EQ(door.send("GET", "/enrollments/dev").text("/keyIds/primary"),
              to_upper_hex(a_key(1).id().bytes));
}

TEST_F(NativeKeysTest, AreShownWhereTheyAreAskedFor) {
    EXPECT_EQ(door.send("POST", "/groups/g/show-keys").text("/primaryKey"), a_key(1).base64());
    EXPECT_EQ(door.last_event().action, "group.key.show");
    EXPECT_EQ(door.send("POST", "/enrollments/dev/show-keys").text("/primaryKey"),
              a_key(1).base64());
    EXPECT_EQ(door.last_event().action, "enrollment.key.show");
    const auto derived =
        door.send("POST", "/groups/g/derive-keys", json::object{{"registrationId", "Dev-1"}});
    const auto device = RegistrationId::trusted("dev-1");
    EXPECT_EQ(derived.text("/primaryKey"), domain::derived_device_key(a_key(1), device).base64());
    EXPECT_EQ(
        door.send("POST", "/groups/g/derive-keys", json::object{{"registrationId", "a b"}}).status,
        400u);
    EXPECT_EQ(door.send("POST", "/groups/none/show-keys").code(), "group-not-found");
    EXPECT_EQ(door.send("GET", "/groups/g/show-keys").status, 405u);
    EXPECT_EQ(door.send("POST", "/groups/g/show-keys?dryRun=true").status, 400u);
}

TEST_F(NativeKeysTest, AreReplacedOneByOne) {
    const json::object own{{"key", a_key(2).base64()}, {"mode", "breach"}, {"reason", "lost"}};
    EXPECT_EQ(door.send("PUT", "/groups/g/keys/primary?dryRun=true", own).status, 200u);
    EXPECT_EQ(door.send("PUT", "/groups/g/keys/primary", own).status, 200u);
    EXPECT_EQ(door.send("POST", "/groups/g/show-keys").text("/primaryKey"), a_key(2).base64());
    EXPECT_THAT(door.send("GET", "/distrust").text("/items/0/subject"),
                HasSubstr("symmetric key of the group 'g'"));
    EXPECT_EQ(
        door.send("PUT", "/groups/g/keys/primary", json::object{{"key", a_key(1).base64()}}).code(),
        "key-distrusted");
    EXPECT_EQ(door.send("PUT", "/enrollments/dev/keys/secondary").status, 200u);
    EXPECT_EQ(door.send("PUT", "/enrollments/dev/keys/secondary?dryRun=true").status, 200u);
    EXPECT_EQ(door.send("PUT", "/groups/g/keys/third").status, 400u);
    const json::object bad{{"key", "AAAA"}};
    EXPECT_EQ(door.send("PUT", "/groups/g/keys/primary", bad).code(), "malformed-key");
    EXPECT_EQ(door.send("PUT", "/enrollments/dev/keys/primary", bad).code(), "malformed-key");
}

}  // namespace
}  // namespace rollcall::front
