// SPDX-License-Identifier: Apache-2.0
// The DPS service API at its own door: addresses, answers as they were recorded, conditions, pages,
// bulk operations, refusals.
#include "front/dps_service_api.hpp"

#include "support/service_door.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::front {
namespace {

using test::a_root;
using test::ServiceDoor;
using ::testing::HasSubstr;
using ::testing::Not;

class DpsServiceApiTest : public ::testing::Test {
protected:
    DpsServiceApiTest() {
        const service::NewCa verified{"factory-root", root.certificate().pem(), true};
        (void)run(door.enroller.add_ca(ServiceDoor::order(), verified)).value();
    }
    template <class T>
    static T run(Task<T> task) {
        return test::run(std::move(task));
    }
    static std::string certificates(const std::string& kind, const x509::Certificate& primary) {
        const test::json::object body{
            {"attestation",
             {{"type", "x509"},
              {"x509", {{kind, {{"primary", {{"certificate", primary.pem()}}}}}}}}}};
        return test::json::serialize(body);
    }
    std::string group_body() const {
        return certificates("signingCertificates", plant.certificate());
    }
    std::string device_body() const { return certificates("clientCertificates", leaf); }
    /// The members of an object, in their order.
    static std::vector<std::string> names(const test::json::value& value) {
        std::vector<std::string> found;
        for (const auto& member : value.as_object()) {
            found.emplace_back(member.key());
        }
        return found;
    }
    std::size_t events() { return door.audit().size(); }

    ServiceDoor door;
    const test::Authority root = a_root("Factory Root");
    const test::Authority plant = root.intermediate("Plant");
    const x509::Certificate leaf = test::self_signed("dev-1");
};

TEST_F(DpsServiceApiTest, AnswersAGroupAsRecorded) {
    const auto made = door.send(
        "PUT", "/enrollmentGroups/Fleet",
        R"({"enrollmentGroupId":"Fleet","attestation":{"type":"x509","x509":)"
        R"({"signingCertificates":{"primary":{"certificate":)" +
            test::json::serialize(test::json::string(plant.certificate().pem())) +
            R"(}}}},"allocationPolicy":"hashed","capabilities":null,"provisioningStatus":)"
            R"("enabled","reprovisionPolicy":{"migrateDeviceData":true,"updateHubAssignment":)"
            R"(true},"iotHubs":null,"iotHubHostName":null,"initialTwin":null,)"
            R"("customAllocationDefinition":null})");
    ASSERT_EQ(made.status, 200u) << made.text;
    EXPECT_EQ(names(made.body), (std::vector<std::string>{
                                    "enrollmentGroupId", "attestation", "etag",
                                    "provisioningStatus", "reprovisionPolicy", "createdDateTimeUtc",
                                    "lastUpdatedDateTimeUtc", "allocationPolicy"}));
    EXPECT_EQ(made.at("/enrollmentGroupId"), R"("Fleet")");
    const auto& primary = made.body.at_pointer("/attestation/x509/signingCertificates/primary");
    EXPECT_EQ(names(primary), std::vector<std::string>{"info"}) << "no certificate comes back";
    EXPECT_EQ(
        names(primary.at("info")),
        (std::vector<std::string>{"subjectName", "sha1Thumbprint", "sha256Thumbprint", "issuerName",
                                  "notBeforeUtc", "notAfterUtc", "serialNumber", "version"}));
    EXPECT_EQ(made.at("/attestation/x509/signingCertificates/primary/info/subjectName"),
              R"("CN=Plant")");
    EXPECT_EQ(made.at("/attestation/x509/signingCertificates/primary/info/version"), "3");
    EXPECT_EQ(made.body.at_pointer("/attestation/x509/signingCertificates/secondary"), primary)
        << "the mirror of an absent secondary";
    EXPECT_EQ(made.header("Content-Type"), "application/json; charset=utf-8");
    EXPECT_FALSE(made.has("ETag"));
    const auto read = door.send("GET", "/enrollmentGroups/fleet");
    EXPECT_EQ(read.text, made.text) << "GET tells what PUT told";
}

TEST_F(DpsServiceApiTest, AnswersAnEnrollmentAsRecorded) {
    const auto made = door.send("PUT", "/enrollments/Dev-1", device_body());
    ASSERT_EQ(made.status, 200u) << made.text;
    EXPECT_EQ(names(made.body), (std::vector<std::string>{
                                    "registrationId", "attestation", "etag", "provisioningStatus",
                                    "createdDateTimeUtc", "lastUpdatedDateTimeUtc"}));
    EXPECT_EQ(made.body.at_pointer("/attestation/x509/clientCertificates/primary"),
              made.body.at_pointer("/attestation/x509/clientCertificates/secondary"));
    const auto read = door.send("GET", "/enrollments/dev-1");
    EXPECT_EQ(read.at("/registrationState"), R"({"registrationId":"Dev-1","status":"unassigned"})");
    const auto listed = door.send("POST", "/enrollments/query", R"({"query":"SELECT *"})");
    EXPECT_EQ(listed.body.as_array().at(0), made.body) << "a query tells no state";
}

TEST_F(DpsServiceApiTest, GivesBackWhatClientsKeepWithAnEnrollment) {
    auto body = test::json::parse(device_body()).as_object();
    body["deviceId"] = "Press-4";
    body["optionalDeviceInformation"] = {{"line", 4}};
    body["capabilities"] = {{"iotEdge", true}};
    body["initialTwin"] = {{"properties", {{"desired", {{"a", 1}}}}}};
    body["provisioningStatus"] = nullptr;
    body["reprovisionPolicy"] = {{"updateHubAssignment", true}, {"migrateDeviceData", false}};
    body["allocationPolicy"] = "custom";
    body["iotHubs"] = {"hub.example"};
    body["customAllocationDefinition"] = {{"webhookUrl", "https://f.example/a?code=secret"},
                                          {"apiVersion", "2021-10-01"}};
    body["unheardOf"] = {1, 2};
    (void)door.send("PUT", "/enrollments/dev-1", test::json::serialize(body));
    const auto read = door.send("GET", "/enrollments/dev-1");
    EXPECT_EQ(names(read.body),
              (std::vector<std::string>{
                  "registrationId", "deviceId", "registrationState", "optionalDeviceInformation",
                  "attestation", "capabilities", "initialTwin", "etag", "provisioningStatus",
                  "reprovisionPolicy", "createdDateTimeUtc", "lastUpdatedDateTimeUtc",
                  "allocationPolicy", "iotHubs", "customAllocationDefinition"}));
    for (const auto* const name :
         {"deviceId", "optionalDeviceInformation", "capabilities", "initialTwin",
          "provisioningStatus", "reprovisionPolicy", "allocationPolicy", "iotHubs"}) {
        EXPECT_EQ(read.body.at(name), body.at(name)) << name;
    }
    EXPECT_THAT(read.text, Not(HasSubstr("secret")));
    EXPECT_THAT(read.text, Not(HasSubstr("unheardOf")));
}

TEST_F(DpsServiceApiTest, ShowsReferencesByTheirNames) {
    const auto by_name = R"({"attestation":{"type":"x509","x509":{"caReferences":)"
                         R"({"primary":"Factory-Root"}}}})";
    const auto made = door.send("PUT", "/enrollmentGroups/g", by_name);
    EXPECT_EQ(made.at("/attestation"),
              R"({"type":"x509","x509":{"caReferences":{"primary":"factory-root"}}})");
    const auto inlined = door.send("PUT", "/enrollmentGroups/g",
                                   certificates("signingCertificates", root.certificate()));
    EXPECT_EQ(inlined.at("/attestation/x509/signingCertificates/primary/info/subjectName"),
              R"("CN=Factory Root")")
        << "switched in one PUT, though a record has the name";
    EXPECT_EQ(door.send("PUT", "/enrollmentGroups/g", by_name).text.find("signing"),
              std::string::npos);
    const auto unknown = door.send("PUT", "/enrollmentGroups/g",
                                   R"({"attestation":{"type":"x509","x509":{"caReferences":)"
                                   R"({"primary":"nobody"}}}})");
    EXPECT_EQ(unknown.status, 400u);
}

TEST_F(DpsServiceApiTest, WrittenBackAsReadEverythingStays) {
    (void)door.send("PUT", "/enrollmentGroups/g", group_body());
    (void)door.send("PUT", "/enrollments/dev-1", device_body());
    for (const std::string address : {"/enrollmentGroups/g", "/enrollments/dev-1"}) {
        const auto read = door.send("GET", address);
        const auto written =
            door.send("PUT", address, read.text,
                      {{"If-Match", std::string{read.body.at("etag").as_string()}}});
        ASSERT_EQ(written.status, 200u) << written.text;
        EXPECT_EQ(written.at("/attestation"), read.at("/attestation"));
        EXPECT_NE(written.at("/etag"), read.at("/etag"));
    }
    EXPECT_FALSE(door.group("g").slots[1].current) << "the mirror did not become a certificate";
}

TEST_F(DpsServiceApiTest, TellsKeysWhereTheyWereRecordedOnly) {
    for (const std::string address : {"/enrollmentGroups/k", "/enrollments/k"}) {
        const auto made = door.send("PUT", address, R"({"attestation":{"type":"symmetricKey"}})");
        const std::string keys = made.at("/attestation/symmetricKey");
        EXPECT_EQ(made.body.at_pointer("/attestation/symmetricKey/primaryKey").as_string().size(),
                  88u);
        EXPECT_EQ(door.send("GET", address).at("/attestation"), R"({"type":"symmetricKey"})");
        const auto list = address.substr(0, address.size() - 2) + "/query";
        EXPECT_THAT(door.send("POST", list, R"({"query":"SELECT *"})").text,
                    HasSubstr(R"("attestation":{"type":"symmetricKey"},)"));
        const auto told = door.send("POST", address + "/attestationmechanism");
        EXPECT_EQ(told.text, R"({"type":"symmetricKey","symmetricKey":)" + keys + "}");
        EXPECT_THAT(door.last_event().action, HasSubstr("key.show"));
    }
    (void)door.send("PUT", "/enrollmentGroups/g", group_body());
    EXPECT_EQ(door.send("POST", "/enrollmentgroups/g/attestationmechanism").at("/type"),
              R"("x509")");
}

TEST_F(DpsServiceApiTest, AddressesComeInEveryCaseAndWithASlash) {
    (void)door.send("PUT", "/enrollmentGroups/Fleet", group_body());
    (void)door.send("PUT", "/enrollments/dev%2D1", device_body());
    struct Case {
        std::string method;
        std::string path;
        std::string body;
        unsigned status;
    };
    const std::string all = R"({"query":"SELECT *"})";
    const std::string bulk = R"({"mode":"delete","enrollments":[{"registrationId":"nobody"}]})";
    const std::vector<Case> cases{
        {"GET", "/ENROLLMENTGROUPS/fleet", "", 200},
        {"GET", "/enrollmentgroups/FLEET/", "", 200},
        {"HEAD", "/enrollmentgroups/fleet", "", 200},
        {"GET", "/Enrollments/DEV-1", "", 200},
        {"POST", "/enrollments/QUERY/", all, 200},
        {"POST", "/EnrollmentGroups/query", all, 200},
        {"POST", "/enrollments/?api-version=2019-03-31", bulk, 200},
        {"POST", "/enrollments?API-Version=2021-10-01&other=1", bulk, 200},
        {"POST", "/registrations/Fleet/Query", "", 200},
        {"POST", "/registrations/nobody/query/", "{}", 200},
        {"GET", "/enrollments/dev-1?api-version=2025-07-01-preview", "", 200},
        {"GET", "/enrollments/nobody", "", 404},
        {"GET", "/enrollments/not an id", "", 404},
        {"GET", "/enrollmentGroups/nobody", "", 404},
        {"GET", "/registrations/nobody", "", 404},
        {"GET", "/registrations/not%20an%20id", "", 404},
        {"POST", "/registrations", "", 404},
        {"POST", "/registrations/x/attestationmechanism", "", 404},
        {"POST", "/enrollments/x/query", "", 404},
        {"GET", "/enrollments/a/b/c", "", 404},
        {"POST", "/enrollments/nobody/attestationMechanism", "", 404},
        {"GET", "/enrollments", "", 405},
        {"PATCH", "/enrollments/dev-1", "{}", 405},
        {"POST", "/enrollments/dev-1", "{}", 405},
        {"PUT", "/registrations/dev-1", "{}", 405},
        {"GET", "/enrollments/dev-1/attestationmechanism", "", 405},
        {"GET", "/registrations/fleet/query", "", 405},
        {"GET", "/enrollments/%zz", "", 400},
        {"GET", "/enrollments/dev-1?", "", 400},
        {"GET", "/enrollments/dev-1?api-version=", "", 400},
        {"GET", "/enrollments/dev-1?api-version=2018-04-01", "", 400},
        {"GET", "/enrollments/dev-1?api-version=%zz", "", 400},
    };
    for (const auto& each : cases) {
        const auto reply = door.send(each.method, each.path, each.body);
        EXPECT_EQ(reply.status, each.status) << each.method << ' ' << each.path << reply.text;
        if (each.status >= 400) {
            EXPECT_EQ(reply.code() / 1000, each.status) << reply.text;
            EXPECT_EQ(reply.header("x-ms-error-code"), std::to_string(reply.code()));
            EXPECT_EQ(names(reply.body),
                      (std::vector<std::string>{"errorCode", "trackingId", "message",
                                                "timestampUtc", "info"}));
        }
        EXPECT_EQ(reply.has("Allow"), each.status == 405);
    }
}

TEST_F(DpsServiceApiTest, IfMatchComesInEveryQuoting) {
    const auto etag = [&] {
        return std::string{door.send("GET", "/enrollmentGroups/g").body.at("etag").as_string()};
    };
    (void)door.send("PUT", "/enrollmentGroups/g", group_body());
    const std::string first = etag();
    const auto put = [&](const std::string& if_match) {
        return door.send("PUT", "/enrollmentGroups/g", group_body(), {{"If-Match", if_match}})
            .status;
    };
    EXPECT_EQ(put(etag()), 200u);
    EXPECT_EQ(put('"' + etag() + '"'), 200u);
    EXPECT_EQ(put("*"), 200u);
    EXPECT_EQ(put("\"*\""), 200u);
    const auto before = events();
    EXPECT_EQ(put(first), 412u);
    EXPECT_EQ(put("W/\"" + etag() + "\""), 412u);
    EXPECT_EQ(put(""), 412u);
    EXPECT_EQ(put("\xff\xfe"), 412u);
    EXPECT_EQ(events(), before);
    auto stale_body = test::json::parse(group_body()).as_object();
    stale_body["etag"] = first;
    EXPECT_EQ(door.send("PUT", "/enrollmentGroups/g", test::json::serialize(stale_body)).status,
              200u)
        << "the body's etag is not enforced";
    EXPECT_EQ(door.send("DELETE", "/enrollmentGroups/g", "", {{"If-Match", first}}).status, 412u);
    const auto gone = door.send("DELETE", "/enrollmentGroups/g", "", {{"If-Match", "*"}});
    EXPECT_EQ(gone.status, 204u);
    EXPECT_FALSE(gone.has("Content-Type"));
    EXPECT_EQ(put("*"), 412u) << "there is none to match";
    EXPECT_EQ(door.send("DELETE", "/enrollmentGroups/g").status, 404u);
}

TEST_F(DpsServiceApiTest, PagesEndWithoutAContinuation) {
    for (const auto* const id : {"a", "b", "c", "d", "e"}) {
        (void)door.send("PUT", std::string{"/enrollments/"} + id, device_body());
        (void)door.send("PUT", std::string{"/enrollmentGroups/"} + id,
                        R"({"attestation":{"type":"symmetricKey"}})");
    }
    for (const std::string list : {"/enrollments/query", "/enrollmentGroups/query"}) {
        std::string ids;
        std::string token;
        std::size_t seen = 0;
        do {
            const auto reply =
                door.send("POST", list, R"({"query":"SELECT * FROM enrollments"})",
                          {{"x-ms-max-item-count", "2"}, {"x-ms-continuation", token}});
            for (const auto& item : reply.body.as_array()) {
                ids += std::string{item.as_object().begin()->value().as_string()};
            }
            EXPECT_EQ(reply.header("X-Content-Type-Options"), "nosniff");
            EXPECT_THAT(reply.header("x-ms-item-type"), testing::StartsWith("Enrollment"));
            token = reply.header("x-ms-continuation");
            seen += reply.body.as_array().size();
            EXPECT_EQ(reply.has("x-ms-continuation"), seen < 5) << "never an empty one";
            ids += ' ';
        } while (!token.empty());
        EXPECT_EQ(ids, "ab cd e ");
        EXPECT_EQ(door.send("POST", list, R"({"query":"SELECT *"})").body.as_array().size(), 5u);
        EXPECT_EQ(
            door.send("POST", list, R"({"query":"SELECT *"})", {{"x-ms-max-item-count", "99999"}})
                .status,
            200u);
    }
    for (const auto* const bad : {"0", "-1", "x", "1.5", "99999999999999999999999"}) {
        EXPECT_EQ(door.send("POST", "/enrollments/query", R"({"query":"SELECT *"})",
                            {{"x-ms-max-item-count", bad}})
                      .status,
                  400u)
            << bad;
    }
    EXPECT_EQ(door.send("POST", "/enrollments/query", R"({"query":"SELECT *"})",
                        {{"x-ms-continuation", "garbage"}})
                  .status,
              400u);
}

TEST_F(DpsServiceApiTest, BulkOperationsSucceedInPart) {
    const auto entry = [&](const std::string& id, const std::string& etag = {}) {
        auto body = test::json::parse(device_body()).as_object();
        body["registrationId"] = id;
        if (!etag.empty()) {
            body["etag"] = etag;
        }
        return body;
    };
    const auto bulk = [&](const std::string& mode, test::json::array entries) {
        return door
            .send("POST", "/enrollments/",
                  test::json::serialize(
                      test::json::object{{"mode", mode}, {"enrollments", std::move(entries)}}))
            .text;
    };
    const std::string done = R"({"errors":[],"isSuccessful":true})";
    EXPECT_EQ(bulk("create", {entry("a"), entry("b")}), done);
    const std::string exists = R"({"registrationId":"a","errorCode":409201,"errorStatus":)"
                               R"("Enrollment already exists."})";
    EXPECT_EQ(bulk("create", {entry("a"), entry("c")}),
              R"({"errors":[)" + exists + R"(],"isSuccessful":false})");
    EXPECT_EQ(door.send("GET", "/enrollments/c").status, 200u) << "the other one was made";
    EXPECT_EQ(bulk("update", {entry("a")}),
              R"({"errors":[)" + exists + R"(],"isSuccessful":false})")
        << "without its etag, as recorded";
    EXPECT_THAT(bulk("update", {entry("nobody")}), HasSubstr("404201"));
    const std::string etag{door.send("GET", "/enrollments/a").body.at("etag").as_string()};
    EXPECT_EQ(bulk("UPDATE", {entry("a", etag)}), done);
    EXPECT_EQ(bulk("update", {entry("a", etag)}), done) << "whatever etag it is";
    EXPECT_THAT(bulk("updateIfMatchEtag", {entry("a", etag)}), HasSubstr("412001"));
    EXPECT_THAT(bulk("updateIfMatchETag", {entry("a")}), HasSubstr("400001"));
    const std::string newest{door.send("GET", "/enrollments/a").body.at("etag").as_string()};
    EXPECT_EQ(bulk("updateIfMatchETag", {entry("a", newest)}), done);
    EXPECT_THAT(bulk("create", {entry("bad id!"), entry("d")}),
                HasSubstr(R"({"registrationId":"bad id!","errorCode":400001)"));
    EXPECT_EQ(door.send("GET", "/enrollments/d").status, 200u);
    EXPECT_THAT(bulk("delete", {entry("a"), entry("nobody"), entry("b")}),
                HasSubstr(R"({"errors":[{"registrationId":"nobody","errorCode":404201)"));
    EXPECT_EQ(door.send("GET", "/enrollments/b").status, 404u);
    const std::string group = R"({"enrollmentGroupId":"g","attestation":{"type":"symmetricKey"}})";
    const std::string groups =
        R"({"mode":"create","enrollmentGroups":[)" + group + "," + group + "]}";
    EXPECT_EQ(door.send("POST", "/enrollmentGroups", groups).text,
              R"({"errors":[{"enrollmentGroupId":"g","errorCode":409202,"errorStatus":)"
              R"("EnrollmentGroup already exists."}],"isSuccessful":false})");
}

TEST_F(DpsServiceApiTest, RegistrationsAreReadListedAndForgotten) {
    (void)door.send("PUT", "/enrollmentGroups/fleet", group_body());
    const auto group = door.group("fleet");
    for (const auto* const id : {"Dev-1", "dev-2", "dev-3"}) {
        door.known_device(id, domain::entry_of(group), domain::Slot::primary, plant.certificate(),
                          leaf);
    }
    const auto read = door.send("GET", "/registrations/dev-1");
    EXPECT_EQ(
        names(read.body),
        (std::vector<std::string>{"registrationId", "createdDateTimeUtc", "assignedHub", "deviceId",
                                  "status", "substatus", "lastUpdatedDateTimeUtc", "etag"}));
    EXPECT_EQ(read.at("/substatus"), R"("initialAssignment")");
    const auto listed =
        door.send("POST", "/registrations/Fleet/query", "", {{"x-ms-max-item-count", "2"}});
    EXPECT_EQ(listed.body.as_array().at(0), read.body);
    EXPECT_EQ(listed.body.as_array().size(), 2u);
    EXPECT_EQ(listed.header("x-ms-item-type"), "DeviceRegistration");
    const auto rest = door.send("POST", "/registrations/fleet/query", "",
                                {{"x-ms-continuation", listed.header("x-ms-continuation")}});
    EXPECT_EQ(rest.body.as_array().size(), 1u);
    EXPECT_FALSE(rest.has("x-ms-continuation"));
    EXPECT_EQ(door.send("POST", "/registrations/nobody/query").text, "[]");
    EXPECT_EQ(door.send("DELETE", "/registrations/dev-1", "", {{"If-Match", "x"}}).status, 412u);
    const std::string etag{read.body.at("etag").as_string()};
    EXPECT_EQ(door.send("DELETE", "/registrations/dev-1", "", {{"If-Match", etag}}).status, 204u);
    EXPECT_EQ(door.send("GET", "/registrations/dev-1").status, 404u);
    EXPECT_EQ(door.send("POST", "/registrations/fleet/query").body.as_array().size(), 2u);
}

TEST_F(DpsServiceApiTest, BodiesThatAreNoneAreRefused) {
    const auto before = events();
    const auto put = [&](const std::string& body, const std::string& type = "application/json") {
        return door.send("PUT", "/enrollmentGroups/g", body, {{"Content-Type", type}}).status;
    };
    EXPECT_EQ(put(""), 400u);
    EXPECT_EQ(put("[]"), 400u);
    EXPECT_EQ(put("{"), 400u);
    EXPECT_EQ(put("null"), 400u);
    EXPECT_EQ(put("{\"a\":\"\xff\"}"), 400u);
    EXPECT_EQ(put(std::string(100, '[')), 400u);
    EXPECT_EQ(put(R"({"attestation":{"type":"x509"},"attestation":{"type":"x509"}})"), 400u);
    EXPECT_EQ(put(group_body(), "text/plain"), 415u);
    EXPECT_EQ(events(), before);
    EXPECT_EQ(put(group_body(), "Application/JSON;charset=UTF-8"), 200u);
}

TEST_F(DpsServiceApiTest, StrangersAreTurnedAwayInTheApisOwnWords) {
    const std::vector<std::pair<std::string, std::string>> operations{
        {"GET", "/enrollments/a"},         {"PUT", "/enrollments/a"},
        {"DELETE", "/enrollments/a"},      {"POST", "/enrollments/query"},
        {"POST", "/enrollments"},          {"POST", "/enrollments/a/attestationmechanism"},
        {"GET", "/enrollmentGroups/a"},    {"PUT", "/enrollmentGroups/a"},
        {"POST", "/enrollmentGroups"},     {"POST", "/enrollmentGroups/a/attestationmechanism"},
        {"GET", "/registrations/a"},       {"DELETE", "/registrations/a"},
        {"POST", "/registrations/a/query"}};
    for (const auto& [method, path] : operations) {
        auto request = door.request(method, path);
        request.connection = &door.remote;
        const auto reply = door.send(request);
        EXPECT_EQ(reply.status, 401u) << method << path;
        EXPECT_EQ(reply.code(), 401002);
        EXPECT_TRUE(reply.has("WWW-Authenticate"));
        EXPECT_EQ(reply.header("Strict-Transport-Security"), "max-age=31536000; includeSubDomains");
    }
}

TEST_F(DpsServiceApiTest, TheProtocolsOwnRefusalsHaveTheSameForm) {
    const auto request = door.request("PUT", "/enrollments/a");
    const Error error{ErrorKind::too_large, "the body is too large"};
    const auto refused = door.api.refuse(413, error, request);
    EXPECT_EQ(refused.status, 413u);
    EXPECT_THAT(refused.body, HasSubstr(R"("errorCode":413001)"));
    EXPECT_TRUE(refused.close);
}

}  // namespace
}  // namespace rollcall::front
