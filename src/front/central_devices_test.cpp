// SPDX-License-Identifier: Apache-2.0
// IoT Central's devices at their own door: lists, attestation, credentials, properties, commands,
// telemetry.
#include "base/limits.hpp"
#include "front/central_api.hpp"
#include "support/central_door.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::front {
namespace {

using test::a_root;
using test::CentralDoor;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class CentralDevicesTest : public ::testing::Test {
protected:
    static std::string certificate(const x509::Certificate& leaf) {
        return R"({"certificate":")" + to_base64(as_bytes(leaf.pem())) + R"("})";
    }
    static std::string attestation(const std::string& slots) {
        return R"({"type":"x509","x509":{"clientCertificates":{)" + slots + "}}}";
    }
    CentralDoor::Reply put(const std::string& id, const std::string& body) {
        return door.send("PUT", "/devices/" + id, body);
    }
    std::vector<std::string> listed(const std::string& query) {
        std::vector<std::string> ids;
        std::string target = "/devices" + query;
        while (!target.empty()) {
            const auto reply = door.send("GET", target);
            if (reply.status != 200) {
                return {reply.text};
            }
            for (const auto& device : reply.body.at("value").as_array()) {
                ids.emplace_back(device.at("id").as_string());
            }
            const std::string base = "http://plant.example:8443/api";
            target =
                reply.has_member("nextLink") ? reply.word("/nextLink").substr(base.size()) : "";
        }
        return ids;
    }
    domain::IndividualEnrollment enrollment() {
        return test::run(door.store.individual(RegistrationId::trusted("dev-1"))).value().value();
    }
    std::size_t events() { return door.audit().size(); }

    CentralDoor door;
    const test::Authority root = a_root("Root");
    const x509::Certificate leaf = test::self_signed("dev-1");
    const x509::Certificate next = test::self_signed("dev-1");
};

TEST_F(CentralDevicesTest, ADeviceAsTheCommandLineMakesIt) {
    const auto made = put("dev-1", R"({"displayName":"Cooler","simulated":false,"enabled":true})");
    ASSERT_EQ(made.status, 200U) << made.text;
    EXPECT_EQ(made.word("/id"), "dev-1");
    EXPECT_EQ(made.word("/displayName"), "Cooler");
    EXPECT_EQ(made.at("/provisioned"), "false");
    EXPECT_EQ(made.at("/enabled"), "true");
    EXPECT_EQ(made.at("/simulated"), "false");
    EXPECT_FALSE(made.has_member("template"));
    EXPECT_FALSE(made.has_member("organizations"));
    EXPECT_EQ(door.send("GET", "/devices/dev-1").text, made.text);
    EXPECT_EQ(door.send("GET", "/devices/DEV-1").status, 404U) << "ids have case";

    // As `az` updates: what was read, and what changes of it.
    auto read = made.body.as_object();
    read["template"] = "dtmi:plant:cooler;1";
    const auto changed = door.send("PATCH", "/devices/dev-1", test::json::serialize(read));
    ASSERT_EQ(changed.status, 200U) << changed.text;
    EXPECT_EQ(changed.word("/template"), "dtmi:plant:cooler;1");
    EXPECT_EQ(door.send("PATCH", "/devices/dev-1", test::json::serialize(read)).status, 412U);
    const auto anew = put("dev-1", R"({"organizations":["north"]})");
    EXPECT_EQ(anew.word("/displayName"), "dev-1") << "what PUT does not say is as in a new one";
    EXPECT_FALSE(anew.has_member("template"));
    EXPECT_EQ(anew.at("/organizations"), R"(["north"])");
    EXPECT_EQ(door.send("DELETE", "/devices/dev-1").status, 204U);
    EXPECT_EQ(door.send("DELETE", "/devices/dev-1").status, 404U);
}

TEST_F(CentralDevicesTest, NullTakesAway) {
    (void)put("dev-1", R"({"displayName":"Cooler","template":"dtmi:a;1","organizations":["n"]})");
    const auto changed = door.send("PATCH", "/devices/dev-1",
                                   R"({"displayName":null,"template":null,"organizations":null})");
    EXPECT_EQ(changed.word("/displayName"), "dev-1");
    EXPECT_FALSE(changed.has_member("template"));
    EXPECT_FALSE(changed.has_member("organizations"));
}

TEST_F(CentralDevicesTest, StatesAreTwoFlags) {
    door.known_device("dev-1", {}, domain::Slot::primary, root.certificate(), leaf);
    const auto flags = [&] {
        const auto device = door.send("GET", "/devices/dev-1");
        return device.at("/provisioned") + "/" + device.at("/enabled");
    };
    EXPECT_EQ(flags(), "true/true");
    EXPECT_EQ(door.send("PATCH", "/devices/dev-1", R"({"enabled":false})").status, 200U);
    EXPECT_EQ(flags(), "true/false") << "blocked: what it was is kept";
    (void)put("dev-1", R"({"displayName":"x"})");
    EXPECT_EQ(flags(), "true/false") << "no word about it unblocks nothing";
    EXPECT_EQ(
        door.send("PATCH", "/devices/dev-1", R"({"enabled":true,"provisioned":false})").status,
        200U);
    EXPECT_EQ(flags(), "true/true");
}

TEST_F(CentralDevicesTest, BadDevicesChangeNothing) {
    const std::string longest(limits::display_name_chars_max, 'n');
    const std::vector<std::string> cases{
        R"({"displayName":7})",
        R"({"displayName":")" + longest + R"(n"})",
        R"({"displayName":"a\u0000b"})",
        R"({"simulated":"no"})",
        R"({"enabled":1})",
        R"({"template":{}})",
        R"({"template":"a b"})",
        R"({"organizations":"north"})",
        R"({"organizations":["a b"]})",
        R"({"organizations":[7]})",
        R"({"id":"dev-2"})",
        R"({"etag":7})",
    };
    for (const auto& body : cases) {
        const auto refused = put("dev-1", body);
        EXPECT_EQ(refused.status, 422U) << body << refused.text;
    }
    EXPECT_EQ(put("dev-1", R"({"etag":"x"})").status, 412U);
    EXPECT_EQ(put(std::string(limits::device_id_chars_max + 1, 'd'), "{}").status, 400U);
    EXPECT_EQ(put("a%20b", "{}").status, 400U);
    EXPECT_EQ(door.send("GET", "/devices/dev-1").status, 404U);
    EXPECT_EQ(events(), 0U);
    EXPECT_EQ(put(std::string(limits::device_id_chars_max, 'd'),
                  R"({"displayName":")" + longest + R"("})")
                  .status,
              200U);
}

TEST_F(CentralDevicesTest, ListsWhatIsAskedFor) {
    for (const std::string id : {"a", "b", "c", "d"}) {
        (void)put(id, R"({"displayName":"Name )" + std::string(1, 'z' - id.front() + 'a') + "\"}");
    }
    (void)put("e", R"({"displayName":"Name w","simulated":true,"enabled":false})");
    EXPECT_THAT(listed(""), ElementsAre("a", "b", "c", "d", "e"));
    EXPECT_THAT(listed("?$top=2"), ElementsAre("a", "b", "c", "d", "e"));
    EXPECT_THAT(listed("?$filter=id%20gt%20%27b%27&$top=1"), ElementsAre("c", "d", "e"));
    EXPECT_THAT(listed("?$filter=simulated%20eq%20true"), ElementsAre("e"));
    EXPECT_THAT(listed("?$filter=id%20eq%20%27none%27"), IsEmpty());
    EXPECT_THAT(listed("?$orderby=displayName"), ElementsAre("d", "e", "c", "b", "a"));
    EXPECT_THAT(listed("?$orderby=displayName&$top=1"), ElementsAre("d", "e", "c", "b", "a"));
    EXPECT_THAT(listed("?$orderby=displayName%20desc&$top=2"),
                ElementsAre("a", "b", "c", "e", "d"));
    EXPECT_THAT(listed("?$orderby=id%20desc&$filter=enabled%20eq%20true"),
                ElementsAre("d", "c", "b", "a"));
    for (const std::string query : {"?$filter=name%20eq%201", "?$filter=", "?$orderby=template",
                                    "?$orderby=id&$skiptoken=YWJj"}) {
        const auto refused = door.send("GET", "/devices" + query);
        EXPECT_EQ(refused.status, 400U) << query << refused.text;
    }
}

/// A page may come short of what it was asked for; then it says where to go on.
TEST_F(CentralDevicesTest, AFilterLooksAtSoManyDevicesForAPage) {
    domain::Changes changes;
    for (std::size_t i = 0; i <= limits::central_filter_reads_max; ++i) {
        domain::Device device;
        std::string number = std::to_string(i);
        number.insert(0, 6 - number.size(), '0');
        device.id = DeviceId::trusted("d" + number);
        device.etag = ETag::trusted("e");
        changes.writes.push_back(domain::PutDevice{device});
    }
    (void)test::run(door.store.commit(changes)).value();
    std::string last = std::to_string(limits::central_filter_reads_max);
    last.insert(0, 6 - last.size(), '0');
    const std::string query = "?$filter=id%20eq%20%27d" + last + "%27";
    const auto page = door.send("GET", "/devices" + query);
    EXPECT_THAT(page.body.at("value").as_array(), IsEmpty());
    EXPECT_TRUE(page.has_member("nextLink"));
    EXPECT_THAT(listed(query), ElementsAre("d" + last));
    const auto sorted = door.send("GET", "/devices?$orderby=id");
    EXPECT_EQ(sorted.status, 400U) << "that many are not sorted";
    EXPECT_EQ(door.send("DELETE", "/devices/d" + last).status, 204U);
    EXPECT_EQ(door.send("GET", "/devices?$orderby=id&$top=1").status, 200U);
    EXPECT_FALSE(door.send("GET", "/devices" + query).has_member("nextLink"));
}

// --- Attestation ---

TEST_F(CentralDevicesTest, AnAttestationIsAnIndividualEnrollment) {
    (void)put("dev-1", "{}");
    const std::string address = "/devices/dev-1/attestation";
    EXPECT_EQ(door.send("GET", address).status, 404U);
    EXPECT_EQ(
        door.send("PATCH", address, attestation(R"("secondary":)" + certificate(next))).status,
        404U);
    const auto made = door.send("PUT", address, attestation(R"("primary":)" + certificate(leaf)));
    ASSERT_EQ(made.status, 200U) << made.text;
    EXPECT_EQ(made.text, R"({"type":"x509","x509":{"clientCertificates":{"primary":{"info":)"
                         R"({"sha1Thumbprint":")" +
                             leaf.sha1_thumbprint() + R"("}}}}})");
    // Only the secondary; type and the rest may be left out.
    const auto patched =
        door.send("PATCH", address,
                  R"({"x509":{"clientCertificates":{"secondary":)" + certificate(next) + "}}}");
    ASSERT_EQ(patched.status, 200U) << patched.text;
    EXPECT_EQ(enrollment().at(domain::Slot::primary), leaf);
    EXPECT_EQ(enrollment().at(domain::Slot::secondary), next);
    EXPECT_EQ(door.send("GET", address).text, patched.text);

    // What was read may come back, and a PUT without a secondary takes it away.
    EXPECT_EQ(door.send("PUT", address, patched.text).text, patched.text);
    const auto one = door.send("PUT", address, attestation(R"("primary":)" + certificate(next)));
    EXPECT_EQ(enrollment().at(domain::Slot::primary), next);
    EXPECT_FALSE(enrollment().at(domain::Slot::secondary));
    EXPECT_EQ(enrollment().withdrawn, std::vector<Digest>{leaf.sha256()});
    EXPECT_EQ(door.send("DELETE", address).status, 204U);
    EXPECT_EQ(door.send("DELETE", address).status, 404U);
    EXPECT_EQ(door.send("GET", "/devices/none/attestation").status, 404U);
    EXPECT_EQ(door.send("PUT", "/devices/none/attestation", one.text).status, 404U);
}

TEST_F(CentralDevicesTest, BadAttestationsChangeNothing) {
    (void)put("dev-1", "{}");
    const std::string address = "/devices/dev-1/attestation";
    (void)door.send(
        "PUT", address,
        attestation(R"("primary":)" + certificate(leaf) + R"(,"secondary":)" + certificate(next)));
    const auto before = enrollment();
    const std::size_t told = events();
    const std::vector<std::string> cases{
        "{}",
        R"({"type":"x509"})",
        R"({"type":"tpm","tpm":{"endorsementKey":"a"}})",
        R"({"type":"symmetricKey"})",
        attestation(""),
        attestation(R"("secondary":)" + certificate(next)),
        attestation(R"("primary":null)"),
        attestation(R"("primary":{})"),
        attestation(R"("primary":{"certificate":"bm9uZQ=="})"),
        attestation(R"("primary":{"certificate":7})"),
        attestation(R"("primary":)" + certificate(next) + R"(,"secondary":{"certificate":"x"})"),
    };
    for (const auto& body : cases) {
        const auto refused = door.send("PUT", address, body);
        EXPECT_EQ(refused.status, 422U) << body << refused.text;
    }
    EXPECT_EQ(
        door.send("PATCH", address, R"({"x509":{"clientCertificates":{"primary":null}}})").status,
        422U);
    EXPECT_EQ(enrollment(), before);
    EXPECT_EQ(events(), told);
    EXPECT_EQ(
        door.send("PATCH", address, R"({"x509":{"clientCertificates":{"secondary":null}}})").status,
        200U);
    EXPECT_FALSE(enrollment().at(domain::Slot::secondary));
}

TEST_F(CentralDevicesTest, CredentialsAreWhatADeviceConnectsWith) {
    (void)put("dev-1", "{}");
    const std::string address = "/devices/dev-1/credentials";
    EXPECT_EQ(door.send("GET", address).text, R"({"idScope":"0ne12345678"})");
    ASSERT_EQ(door.send("PUT", "/enrollmentGroups/SAS-IoT-Devices",
                        R"({"displayName":"k","attestation":{"type":"symmetricKey"},"type":"iot"})")
                  .status,
              200U);
    const auto derived = domain::derived_device_key(door.group("SAS-IoT-Devices").keys->front(),
                                                    RegistrationId::trusted("dev-1"));
    EXPECT_EQ(door.send("GET", address).word("/symmetricKey/primaryKey"), derived.base64());
    (void)door.send("PUT", "/devices/dev-1/attestation",
                    R"({"type":"symmetricKey","symmetricKey":{"primaryKey":")" +
                        to_base64(Bytes(32, 7)) + R"("}})");
    EXPECT_EQ(door.send("GET", address).word("/symmetricKey/primaryKey"), to_base64(Bytes(32, 7)));
    EXPECT_EQ(door.send("DELETE", "/devices/dev-1/attestation").status, 204U);
    (void)door.send("PUT", "/devices/dev-1/attestation",
                    attestation(R"("primary":)" + certificate(leaf)));
    const auto by_leaf = door.send("GET", address);
    EXPECT_FALSE(by_leaf.has_member("symmetricKey"));
    EXPECT_EQ(by_leaf.word("/x509/clientCertificates/primary/info/sha1Thumbprint"),
              leaf.sha1_thumbprint());
}

// --- The hub ---

TEST_F(CentralDevicesTest, PropertiesAreTheTwin) {
    (void)put("dev-1", "{}");
    const std::string address = "/devices/dev-1/properties";
    EXPECT_EQ(door.send("GET", address).text, "{}");
    const auto written = door.send("PATCH", address, R"({"target":65.5,"mode":"eco"})");
    EXPECT_EQ(written.status, 202U);
    EXPECT_EQ(written.at("/$metadata/target/desiredValue"), "6.55E1");
    const std::string reported =
        R"({"serial":"s-1","target":{"value":60,"ac":202,"av":2,"ad":"on its way"},)"
        R"("pump":{"__t":"c","rpm":900}})";
    (void)test::run(door.hub.report(DeviceId::trusted("dev-1"), reported)).value();
    const auto read = door.send("GET", address);
    EXPECT_EQ(read.word("/serial"), "s-1");
    EXPECT_EQ(read.at("/target"), "60");
    EXPECT_EQ(read.at("/$metadata/target/ackCode"), "202");
    EXPECT_EQ(read.word("/$metadata/mode/desiredValue"), "eco");
    EXPECT_EQ(read.at("/pump"), R"({"rpm":900})");

    EXPECT_EQ(door.send("GET", "/devices/dev-1/components").at("/value/0/name"), R"("pump")");
    EXPECT_EQ(door.send("GET", "/devices/dev-1/modules").at("/value"), "[]");
    const std::string pump = "/devices/dev-1/components/pump/properties";
    EXPECT_EQ(door.send("PATCH", pump, R"({"rpm":1000,"on":true})").status, 202U);
    EXPECT_EQ(door.send("PUT", pump, R"({"rpm":1100})").status, 202U);
    const auto twin = test::run(door.hub.twin(DeviceId::trusted("dev-1"))).value();
    EXPECT_EQ(test::json::parse(twin.desired),
              test::json::parse(R"({"target":65.5,"mode":"eco","pump":{"__t":"c","rpm":1100}})"));
    EXPECT_EQ(door.send("GET", pump).at("/$metadata/rpm/desiredValue"), "1100");

    EXPECT_EQ(door.send("PUT", address, R"({"mode":"off"})").status, 202U);
    EXPECT_EQ(test::run(door.hub.twin(DeviceId::trusted("dev-1"))).value().desired,
              R"({"mode":"off"})");
    for (const std::string body : {R"({"a b":1})", R"({"a.b":1})"}) {
        EXPECT_EQ(door.send("PATCH", address, body).status, 422U) << body;
    }
    EXPECT_EQ(door.send("GET", "/devices/none/properties").status, 404U);
}

TEST_F(CentralDevicesTest, ACommandNeedsAConnectedDevice) {
    (void)put("dev-1", "{}");
    const std::string address = "/devices/dev-1/commands/reboot";
    const auto absent = door.send("POST", address, R"({"request":{"after":5}})");
    EXPECT_EQ(absent.status, 404U) << absent.text;
    EXPECT_EQ(absent.code(), "DeviceNotOnline");
    for (const std::string body :
         {R"({"responseTimeout":-1})", R"({"responseTimeout":301})", R"({"connectionTimeout":301})",
          R"({"connectionTimeout":"1"})"}) {
        EXPECT_EQ(door.send("POST", address, body).status, 422U) << body;
    }
    EXPECT_EQ(door.send("POST", "/devices/dev-1/commands/a%20b", "{}").status, 422U);
    EXPECT_EQ(door.send("POST", "/devices/none/commands/reboot", "{}").status, 404U);
}

TEST_F(CentralDevicesTest, TheLastValueOfATelemetry) {
    (void)put("dev-1", "{}");
    const auto say = [&](const std::string& body, const std::string& component = {}) {
        domain::Telemetry message{DeviceId::trusted("dev-1"), door.clock.now(), {}, body};
        if (!component.empty()) {
            message.properties.push_back({"$.sub", component});
        }
        (void)test::run(door.telemetry.append({&message, 1})).value();
    };
    say(R"({"temperature":20.5})");
    say(R"({"temperature":21,"humidity":40})");
    say(R"({"temperature":90})", "pump");
    say("not json");
    const auto last = door.send("GET", "/devices/dev-1/telemetry/temperature");
    EXPECT_EQ(last.at("/value"), "21");
    EXPECT_EQ(last.word("/timestamp"), to_iso8601_ticks(door.clock.now()));
    EXPECT_EQ(door.send("GET", "/devices/dev-1/components/pump/telemetry/temperature").at("/value"),
              "90");
    EXPECT_EQ(door.send("GET", "/devices/dev-1/telemetry/pressure").status, 404U);
    EXPECT_EQ(door.send("GET", "/devices/none/telemetry/temperature").status, 404U);
}

}  // namespace
}  // namespace rollcall::front
