// SPDX-License-Identifier: Apache-2.0
// The certificates API: addresses, words and statuses. What they do: service/enroller_cas_test.
#include "front/certificate_api.hpp"

#include "base/limits.hpp"
#include "support/http_reply.hpp"
#include "support/operator_desk.hpp"
#include "support/sas_maker.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::front {
namespace {

namespace json = boost::json;
using test::a_root;
using test::run;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string service =
    "/subscriptions/s-1/resourceGroups/g-1/providers/Microsoft.Devices/provisioningServices/dps";
const std::string version = "?api-version=2022-02-05";

struct Reply : test::HttpReply {
    std::string text(std::string_view pointer) const {
        boost::system::error_code error;
        const auto* const found =
            body.find_pointer(json::string_view{pointer.data(), pointer.size()}, error);
        return found != nullptr && found->is_string() ? std::string{found->as_string()} : "";
    }
    std::string code() const { return text("/error/code"); }
};

class CertificateApiTest : public ::testing::Test {
protected:
    CertificateApiTest() {
        local.local = true;
        remote.peer_address = "192.0.2.7";
    }
    Reply send(const std::string& method, const std::string& target, const std::string& body = {},
               const net::HttpHeaders& headers = {}, bool by_socket = true) {
        net::HttpRequest request;
        request.method = method;
        request.target = target;
        const auto query = target.find('?');
        request.path = target.substr(0, query);
        request.query = query == std::string::npos ? "" : target.substr(query + 1);
        request.host = "ops.example";
        request.body = body;
        request.headers = headers;
        request.connection = by_socket ? &local : &remote;
        const auto response = run(api.handle(request));
        Reply reply{{response.status, nullptr, response.headers}};
        if (!response.body.empty()) {
            reply.body = json::parse(response.body);
        }
        return reply;
    }
    static std::string place(const std::string& name, const std::string& action = {}) {
        return service + "/certificates/" + name + action + version;
    }
    static std::string upload_of(const std::string& file, json::value verified = nullptr) {
        json::object properties{{"certificate", file}};
        if (!verified.is_null()) {
            properties["isVerified"] = verified;
        }
        return json::serialize(json::object{{"properties", properties}});
    }
    static std::string base64_pem(const x509::Certificate& one) {
        return to_base64(as_bytes(one.pem()));
    }
    Reply put(const std::string& name, const x509::Certificate& uploaded) {
        return send("PUT", place(name), upload_of(base64_pem(uploaded)));
    }

    test::OperatorDesk desk;
    ArmService facts{"0ne12345678", "ops.example", "dps.example"};
    CertificateApi api{{desk.enroller, desk.access, desk.trust_book, desk.entropy, facts}};
    net::ConnectionFacts local{};
    net::ConnectionFacts remote{};
    const test::Authority root = a_root("Plant Root");
    const x509::Certificate certificate = root.certificate();
};

TEST_F(CertificateApiTest, ACertificateIsShownAsTheCloudShowsIt) {
    const auto made = put("plant", certificate);
    EXPECT_EQ(made.status, 200U);
    const json::object expected{
        {"properties", json::object{{"subject", "Plant Root"},
                                    {"expiry", to_http_date(certificate.not_after())},
                                    {"thumbprint", certificate.sha1_thumbprint()},
                                    {"isVerified", false},
                                    {"created", to_http_date(desk.clock.now())},
                                    {"updated", to_http_date(desk.clock.now())},
                                    {"certificate", to_base64(certificate.der())}}},
        {"id", service + "/certificates/plant"},
        {"name", "plant"},
        {"type", "Microsoft.Devices/provisioningServices/Certificates"},
        {"etag", made.text("/etag")}};
    EXPECT_EQ(json::serialize(made.body), json::serialize(expected)) << "the order counts too";
    EXPECT_EQ(made.text("/properties/thumbprint").size(), 40U);
    EXPECT_THAT(made.text("/properties/expiry"), ::testing::EndsWith(" GMT"));
    EXPECT_EQ(made.header("Content-Type"), "application/json; charset=utf-8");
    const auto shown = send("GET", place("PLANT"));
    EXPECT_EQ(shown.body, made.body);
    const auto list = send("GET", service + "/certificates" + version);
    EXPECT_EQ(list.body, (json::value{{"value", json::array{made.body}}}));
}

TEST_F(CertificateApiTest, OnlyNamedOnesAreListedByName) {
    (void)put("b", a_root("B").certificate());
    (void)put("A", a_root("A").certificate());
    desk.group_with("g", a_root("Inline").certificate());
    const auto list = send("GET", service + "/certificates" + version).body.at("value").as_array();
    ASSERT_EQ(list.size(), 2U);
    EXPECT_EQ(list.at(0).at("name"), "A");
    EXPECT_EQ(list.at(1).at("name"), "b");
}

TEST_F(CertificateApiTest, UploadsComeInEveryForm) {
    const auto put_text = [this](const std::string& name, const std::string& body) {
        return send("PUT", place(name), body).status;
    };
    const auto one = a_root("1").certificate();
    const auto two = a_root("2").certificate();
    const auto three = a_root("3").certificate();
    const auto four = a_root("4").certificate();
    EXPECT_EQ(put_text("pem", upload_of(one.pem())), 200U);
    EXPECT_EQ(put_text("der", upload_of(to_base64(two.der()))), 200U);
    const std::string flat =
        json::serialize(json::object{{"certificate", base64_pem(three)}, {"isVerified", true}});
    EXPECT_EQ(put_text("flat", flat), 200U);
    EXPECT_TRUE(send("GET", place("flat")).body.at_pointer("/properties/isVerified").as_bool());
    // Clients send back what they read.
    const std::string whole = json::serialize(json::object{
        {"id", "x"},
        {"etag", nullptr},
        {"type", 1},
        {"properties",
         {{"certificate", base64_pem(four)}, {"subject", "x"}, {"isVerified", nullptr}}}});
    EXPECT_EQ(put_text("whole", whole), 200U);
}

TEST_F(CertificateApiTest, UploadsThatAreNone) {
    struct Case {
        const char* what;
        std::string body;
    };
    const std::vector<Case> cases{
        {"nothing", ""},
        {"no JSON", "{"},
        {"a list", "[]"},
        {"no certificate", "{}"},
        {"empty properties", R"({"properties":{}})"},
        {"properties that are none", R"({"properties":7})"},
        {"null", R"({"properties":{"certificate":null}})"},
        {"a number", R"({"properties":{"certificate":7}})"},
        {"an empty one", R"({"properties":{"certificate":""}})"},
        {"rubbish", R"({"properties":{"certificate":"rubbish"}})"},
        {"a flag as text", upload_of(certificate.pem(), "true")},
        {"a private key",
         upload_of(certificate.pem() +
                   "-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----\n")}};
    for (const auto& each : cases) {
        const auto reply = send("PUT", place("bad"), each.body);
        EXPECT_EQ(reply.status, 400U) << each.what;
        EXPECT_EQ(reply.code(), "BadRequest") << each.what;
        EXPECT_NE(reply.text("/error/message"), "") << each.what;
    }
    EXPECT_EQ(send("GET", place("bad")).status, 404U);
}

TEST_F(CertificateApiTest, NamesHaveABound) {
    const std::string longest(limits::arm_certificate_name_chars_max, 'x');
    EXPECT_EQ(put(longest, certificate).status, 200U);
    EXPECT_EQ(put(longest + "x", a_root("Other").certificate()).status, 400U);
    for (const std::string name : {"a%20b", "a%2Fb", "%C3%BC", "a+b"}) {
        EXPECT_EQ(put(name, a_root("Other").certificate()).status, 400U) << name;
    }
    EXPECT_EQ(put("aZ0-._", a_root("Other").certificate()).status, 200U);
}

TEST_F(CertificateApiTest, IfMatchDecidesWhichVersionIsMeant) {
    const auto made = put("plant", certificate);
    const std::string etag = made.text("/etag");
    const std::string other = upload_of(base64_pem(a_root("Other").certificate()));
    const auto put_under = [&](const net::HttpHeaders& headers) {
        return send("PUT", place("plant"), other, headers);
    };
    EXPECT_EQ(put_under({}).code(), "PreconditionFailed");
    EXPECT_EQ(put_under({{"If-Match", "AAAAAAExpTQ="}}).status, 412U);
    EXPECT_EQ(send("PUT", place("none"), other, {{"If-Match", "*"}}).status, 412U);
    EXPECT_EQ(send("GET", place("plant"), "", {{"If-Match", "other"}}).status, 412U);
    EXPECT_EQ(send("GET", place("plant"), "", {{"If-Match", etag}}).status, 200U);
    EXPECT_EQ(send("DELETE", place("plant")).status, 412U);
    EXPECT_EQ(send("DELETE", place("plant"), "", {{"If-Match", "other"}}).status, 412U);
    for (const auto* action : {"/generateVerificationCode", "/verify"}) {
        const auto reply = send("POST", place("plant", action), upload_of(certificate.pem()),
                                {{"If-Match", "other"}});
        EXPECT_NE(reply.status, 200U);
    }
    EXPECT_EQ(send("GET", place("plant")).body, made.body) << "something was changed";
    const auto replaced = put_under({{"If-Match", '"' + etag + '"'}});
    EXPECT_EQ(replaced.status, 200U);
    EXPECT_EQ(replaced.text("/properties/subject"), "Other");
    EXPECT_EQ(put_under({{"If-Match", etag}}).status, 412U);
    EXPECT_EQ(put_under({{"If-Match", "*"}}).status, 200U);
    EXPECT_EQ(send("DELETE", place("plant"), "", {{"If-Match", "*"}}).status, 200U);
    EXPECT_EQ(send("DELETE", place("plant"), "", {{"If-Match", "*"}}).status, 204U);
    EXPECT_EQ(send("GET", place("plant")).code(), "ResourceNotFound");
}

TEST_F(CertificateApiTest, PossessionIsProvenWithTheNewestCode) {
    (void)put("plant", certificate);
    const auto asked = send("POST", place("plant", "/generateVerificationCode"));
    EXPECT_EQ(asked.status, 200U);
    const std::string first = asked.text("/properties/verificationCode");
    EXPECT_THAT(first, ::testing::MatchesRegex("[0-9A-F]+"));
    EXPECT_EQ(first.size(), 48U);
    EXPECT_EQ(asked.text("/properties/subject"), "Plant Root");
    EXPECT_EQ(asked.text("/etag"), send("GET", place("plant")).text("/etag"));
    const std::string second = send("POST", place("plant", "/GENERATEverificationcode"))
                                   .text("/properties/verificationCode");
    const auto verify = [this](const x509::Certificate& proof, const std::string& etag = "*") {
        const json::object body{{"certificate", base64_pem(proof)}};
        return send("POST", place("plant", "/verify"), json::serialize(body), {{"If-Match", etag}});
    };
    for (const auto& wrong : {root.proof(first), a_root("Other").proof(second), certificate}) {
        const auto refused = verify(wrong);
        EXPECT_EQ(refused.status, 400U);
        EXPECT_EQ(refused.code(), "BadRequest");
    }
    const std::string etag = send("GET", place("plant")).text("/etag");
    const auto verified = verify(root.proof(second), etag);
    EXPECT_EQ(verified.status, 200U) << json::serialize(verified.body);
    EXPECT_TRUE(verified.body.at_pointer("/properties/isVerified").as_bool());
    EXPECT_NE(verified.text("/etag"), etag);
    EXPECT_EQ(verified.text("/properties/verificationCode"), "");
    EXPECT_EQ(verify(root.proof(second)).status, 409U);
    EXPECT_EQ(send("POST", place("plant", "/generateVerificationCode")).status, 409U);
    EXPECT_EQ(send("POST", place("none", "/generateVerificationCode")).status, 404U);
    EXPECT_EQ(send("POST", place("none", "/verify"), R"({"certificate":"x"})").status, 404U);
}

TEST_F(CertificateApiTest, AddressesAreOfAnySubscriptionAndInAnyCase) {
    (void)put("plant", certificate);
    const std::string other =
        "/SUBSCRIPTIONS/x/resourcegroups/Y/Providers/microsoft.devices/ProvisioningServices/z";
    const auto shown = send("GET", other + "/Certificates/plant/" + version);
    EXPECT_EQ(shown.status, 200U);
    EXPECT_EQ(shown.text("/id"),
              "/subscriptions/x/resourceGroups/Y/providers/Microsoft.Devices/"
              "provisioningServices/z/certificates/plant");
    for (const std::string nowhere :
         {"/subscriptions", "/subscriptions/s", "/subscriptions/s/resourceGroups/g",
          "/subscriptions/s/resourceGroups/g/providers/Microsoft.Devices/IotHubs/h",
          "/subscriptions/s/resourceGroups//providers/Microsoft.Devices/provisioningServices",
          "/subscriptions/s/providers/Microsoft.Devices/provisioningServices/dps"}) {
        EXPECT_EQ(send("GET", nowhere + version).status, 404U) << nowhere;
    }
    for (const std::string rest : {"/certificate", "/certificates/plant/verify/x", "/keys/x"}) {
        EXPECT_EQ(send("GET", service + rest + version).status, 404U) << rest;
    }
    const auto wrong = send("PATCH", place("plant"));
    EXPECT_EQ(wrong.status, 405U);
    EXPECT_EQ(wrong.header("Allow"), "GET, PUT, DELETE");
    EXPECT_EQ(send("GET", place("%zz")).status, 400U);
}

TEST_F(CertificateApiTest, EveryApiVersionIsTakenAndOneIsNeeded) {
    for (const auto* each : {"2021-10-15", "2022-02-05", "2022-12-12", "2025-02-01-preview",
                             "2026-08-31", "2017-11-15"}) {
        const auto target = service + "/certificates?certificate.name=x&API-Version=" + each;
        EXPECT_EQ(send("GET", target).status, 200U) << each;
    }
    EXPECT_EQ(send("GET", service + "/certificates").code(), "MissingApiVersionParameter");
    EXPECT_EQ(send("GET", service + "/certificates?api-version=new").code(),
              "InvalidApiVersionParameter");
}

TEST_F(CertificateApiTest, TheServiceAndItsKeysAreFound) {
    const auto found = send("GET", service + version);
    EXPECT_EQ(found.text("/properties/state"), "Active");
    EXPECT_EQ(found.text("/properties/idScope"), "0ne12345678");
    EXPECT_EQ(found.text("/properties/serviceOperationsHostName"), "ops.example");
    EXPECT_EQ(found.text("/properties/deviceProvisioningHostName"), "dps.example");
    EXPECT_EQ(found.text("/properties/allocationPolicy"), "Hashed");
    EXPECT_EQ(found.text("/type"), "Microsoft.Devices/provisioningServices");
    for (const std::string list :
         {"/subscriptions/s/providers/Microsoft.Devices/provisioningServices",
          "/subscriptions/s/resourceGroups/g/providers/Microsoft.Devices/provisioningServices"}) {
        EXPECT_EQ(send("GET", list + version).text("/value/0/name"), "ops") << list;
    }
    (void)run(desk.access.ensure_owner_policy()).value();
    const auto keys = send("POST", service + "/listkeys" + version);
    EXPECT_EQ(keys.text("/value/0/keyName"), "provisioningserviceowner");
    EXPECT_EQ(keys.text("/value/0/rights"),
              "ServiceConfig, EnrollmentRead, EnrollmentWrite, DeviceConnect, "
              "RegistrationStatusRead, RegistrationStatusWrite");
    EXPECT_EQ(desk.last_event().action, "policy.show");
    const std::string one = service + "/keys/provisioningserviceowner/listkeys" + version;
    EXPECT_EQ(send("POST", one).text("/primaryKey"), keys.text("/value/0/primaryKey"));
    EXPECT_EQ(send("POST", service + "/keys/none/listkeys" + version).status, 404U);
}

TEST_F(CertificateApiTest, WhoMayWhat) {
    const auto everything = domain::SasRights::all();
    (void)put("plant", certificate);
    const auto header_of = [this](const std::string& name, const domain::SasRights& rights) {
        const auto policy =
            run(desk.access.create_policy(test::OperatorDesk::order(), name, rights)).value();
        return net::HttpHeaders{
            {"Authorization",
             test::sas_of(policy.keys.front(), "ops.example",
                          desk.clock.now() + std::chrono::hours{1}, "&skn=" + name)}};
    };
    const auto reader = header_of("reader", {domain::SasRight::enrollment_read});
    const auto config = header_of("config", {domain::SasRight::service_config});
    const auto all = header_of("all", everything);
    const auto status = [this](const std::string& method, const std::string& target,
                               const net::HttpHeaders& headers) {
        return send(method, target, "", headers, false).status;
    };
    EXPECT_EQ(status("GET", place("plant"), reader), 200U);
    EXPECT_EQ(status("POST", place("plant", "/generateVerificationCode"), reader), 403U);
    EXPECT_EQ(status("PUT", place("plant"), reader), 403U);
    EXPECT_EQ(status("DELETE", place("plant"), reader), 403U);
    EXPECT_EQ(status("GET", service + version, reader), 403U);
    EXPECT_EQ(status("GET", service + version, config), 200U);
    EXPECT_EQ(status("POST", place("plant", "/generateVerificationCode"), config), 200U);
    EXPECT_EQ(status("POST", service + "/listkeys" + version, all), 403U);
    EXPECT_EQ(status("POST", service + "/keys/all/listkeys" + version, all), 403U);
    const auto stranger = send("GET", place("plant"), "", {}, false);
    EXPECT_EQ(stranger.status, 401U);
    EXPECT_EQ(stranger.code(), "AuthenticationFailed");
    EXPECT_THAT(stranger.header("WWW-Authenticate"), HasSubstr("Bearer"));
}

TEST_F(CertificateApiTest, RefusalsOfTheProtocolAreWordedAlike) {
    net::HttpRequest request;
    request.connection = &remote;
    const auto response = api.refuse(413, {ErrorKind::too_large, "the body is too large"}, request);
    EXPECT_EQ(response.status, 413U);
    EXPECT_TRUE(response.close);
    EXPECT_EQ(json::parse(response.body).at_pointer("/error/code"), "RequestEntityTooLarge");
    const auto fault = api.refuse(500, {ErrorKind::internal, "secret detail"}, request);
    EXPECT_EQ(fault.body.find("secret detail"), std::string::npos);
}

}  // namespace
}  // namespace rollcall::front
