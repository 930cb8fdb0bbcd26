// SPDX-License-Identifier: Apache-2.0
// IoT Central's API at its own door: versions, errors, pages, enrollment groups and their
// certificates. Devices: central_devices_test.cpp.
#include "front/central_api.hpp"

#include "base/limits.hpp"
#include "support/central_door.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::front {
namespace {

using test::a_root;
using test::CentralDoor;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* bare_group =
    R"({"displayName":"The Fleet","attestation":{"type":"x509"},"type":"iot","enabled":true})";

class CentralApiTest : public ::testing::Test {
protected:
    /// As `az` sends it: base64 of the PEM text.
    static std::string upload(const x509::Certificate& certificate, const std::string& more = {}) {
        return R"({"certificate":")" + to_base64(as_bytes(certificate.pem())) + '"' + more + "}";
    }
    void a_group() {
        ASSERT_EQ(door.send("PUT", "/enrollmentGroups/fleet", bare_group).status, 200U);
    }
    CentralDoor::Reply put_primary(const x509::Certificate& certificate,
                                   const std::string& more = {}) {
        return door.send("PUT", primary, upload(certificate, more));
    }
    std::string shown_primary() { return door.send("GET", primary).word("/info/sha1Thumbprint"); }
    std::string etag_of_group() {
        return door.send("GET", "/enrollmentGroups/fleet").word("/etag");
    }
    std::size_t events() { return door.audit().size(); }
    std::string run_token(const service::TokenWish& wish, const service::Order& order) {
        return "Bearer " + test::run(door.access.create(order, wish)).value().secret;
    }

    CentralDoor door;
    const std::string primary = "/enrollmentGroups/fleet/certificates/primary";
    const test::Authority root = a_root("Root");
    const test::Authority other = a_root("Other Root");
};

// --- The door ---

TEST_F(CentralApiTest, SpeaksTheVersionsThatItsClientsDo) {
    for (const std::string version : {"2022-07-31", "1.0", "2022-06-30-preview",
                                      "2022-10-31-preview", "1.1-preview", "1.2-preview"}) {
        EXPECT_EQ(door.send("GET", "/enrollmentGroups?api-version=" + version).status, 200U)
            << version;
        EXPECT_EQ(
            door.send("GET", "/enrollmentGroups?api-version=" + version + "&api-version=2022-07-31")
                .status,
            200U);
    }
    for (const std::string query :
         {"?api-version=2019-03-31", "?api-version=", "?api-version=2022-07-31&api-version=x",
          "?$top=1&$top=2&api-version=2022-07-31", "?$top=0", "?$top=x", "?$skiptoken=%21",
          "?api-version=%"}) {
        const auto refused = door.send("GET", "/enrollmentGroups" + query);
        EXPECT_EQ(refused.status, 400U) << query;
        EXPECT_EQ(refused.code(), "BadRequest") << query;
    }
    auto none = door.request("GET", "/enrollmentGroups");
    none.query.clear();
    EXPECT_EQ(door.send(none).status, 400U);
}

TEST_F(CentralApiTest, ErrorsAreCentrals) {
    const auto missing = door.send("GET", "/enrollmentGroups/none");
    EXPECT_EQ(missing.status, 404U);
    EXPECT_EQ(missing.code(), "NotFound");
    EXPECT_EQ(missing.header("x-ms-error-code"), "NotFound");
    EXPECT_EQ(missing.word("/error/requestId"), missing.header("x-ms-request-id"));
    EXPECT_EQ(missing.word("/error/time"), to_http_date(door.clock.now()));
    EXPECT_THAT(missing.word("/error/message"), HasSubstr("none"));

    EXPECT_EQ(door.send("GET", "/nothing").status, 404U);
    EXPECT_EQ(door.send("GET", "/enrollmentGroups/a/b").status, 404U);
    EXPECT_EQ(door.send("GET", "").status, 404U);
    const auto method = door.send("POST", "/enrollmentGroups/fleet");
    EXPECT_EQ(method.status, 405U);
    EXPECT_EQ(method.header("allow"), "GET, PUT, PATCH, DELETE");
    EXPECT_EQ(method.code(), "MethodNotAllowed");

    auto stranger = door.request("GET", "/enrollmentGroups");
    stranger.connection = &door.remote;
    const auto unknown = door.send(stranger);
    EXPECT_EQ(unknown.status, 401U);
    EXPECT_EQ(unknown.code(), "Unauthorized");
    EXPECT_TRUE(unknown.has("www-authenticate"));

    const auto large = door.central.refuse(413, {ErrorKind::too_large, "too much", ""}, stranger);
    EXPECT_EQ(large.status, 413U);
    EXPECT_TRUE(large.close);
    EXPECT_THAT(large.body, HasSubstr("RequestBodyTooLarge"));
}

TEST_F(CentralApiTest, BodiesAreJsonObjects) {
    const std::string group = "/enrollmentGroups/fleet";
    const std::vector<std::pair<std::string, unsigned>> cases{
        {"", 400}, {"{", 400}, {"[]", 400}, {"null", 400}, {R"({"a":1,"a":2})", 400}, {"{}", 422}};
    for (const auto& [body, status] : cases) {
        EXPECT_EQ(door.send("PUT", group, body).status, status) << body;
    }
    const auto typed = [&](const std::string& type) {
        return door.send("PUT", group, bare_group, {{"Content-Type", type}}).status;
    };
    EXPECT_EQ(typed("text/plain"), 415U);
    EXPECT_EQ(events(), 0U);
    EXPECT_EQ(typed("application/merge-patch+json"), 200U);
    EXPECT_EQ(typed("Application/JSON; charset=utf-8"), 200U);
}

// --- Groups ---

TEST_F(CentralApiTest, AGroupAsTheCommandLineMakesIt) {
    const auto made = door.send("PUT", "/enrollmentGroups/fleet", bare_group);
    ASSERT_EQ(made.status, 200U) << made.text;
    EXPECT_EQ(made.word("/id"), "fleet");
    EXPECT_EQ(made.word("/displayName"), "The Fleet");
    EXPECT_EQ(made.at("/enabled"), "true");
    EXPECT_EQ(made.word("/type"), "iot");
    EXPECT_EQ(made.at("/attestation"), R"({"type":"x509","x509":{"signingCertificates":{}}})");
    EXPECT_EQ(made.word("/etag"),
              to_base64(as_bytes("\"" + door.group("fleet").etag.str() + "\"")));
    EXPECT_EQ(door.send("GET", "/ENROLLMENTGROUPS/FLEET").text, made.text);
    EXPECT_EQ(door.send("GET", "/enrollmentGroups").at("/value"), "[" + made.text + "]");
}

TEST_F(CentralApiTest, PatchLeavesAloneWhatItDoesNotName) {
    a_group();
    ASSERT_EQ(put_primary(root.certificate(), R"(,"verified":true)").status, 200U);
    const auto changed = door.send("PATCH", "/enrollmentGroups/fleet", R"({"enabled":false})");
    ASSERT_EQ(changed.status, 200U) << changed.text;
    EXPECT_EQ(changed.at("/enabled"), "false");
    EXPECT_EQ(changed.word("/displayName"), "The Fleet");
    EXPECT_EQ(changed.at("/attestation/x509/signingCertificates/primary/verified"), "true");
    EXPECT_EQ(
        door.send("PATCH", "/enrollmentGroups/fleet", R"({"displayName":"New"})").at("/enabled"),
        "false");
    EXPECT_EQ(door.send("PATCH", "/enrollmentGroups/none", R"({"enabled":true})").status, 404U);
    // Written anew it is enabled, and keeps its certificates: those have an address of their own.
    const auto anew = door.send("PUT", "/enrollmentGroups/fleet", bare_group);
    EXPECT_EQ(anew.at("/enabled"), "true");
    EXPECT_EQ(anew.at("/attestation/x509/signingCertificates/primary/verified"), "true");
    EXPECT_EQ(door.send("DELETE", "/enrollmentGroups/fleet").status, 204U);
    EXPECT_EQ(door.send("DELETE", "/enrollmentGroups/fleet").status, 404U);
}

TEST_F(CentralApiTest, BadGroupsChangeNothing) {
    a_group();
    const auto before = door.group("fleet");
    const std::size_t told = events();
    const std::vector<std::pair<std::string, unsigned>> cases{
        {R"({"attestation":{"type":"x509"},"type":"iot"})", 422},
        {R"({"displayName":"a","type":"iot"})", 422},
        {R"({"displayName":"a","attestation":{"type":"x509"}})", 422},
        {R"({"displayName":"a","attestation":{},"type":"iot"})", 422},
        {R"({"displayName":"a","attestation":[],"type":"iot"})", 422},
        {R"({"displayName":"a","attestation":{"type":"tpm"},"type":"iot"})", 422},
        {R"({"displayName":"a","attestation":{"type":"x"},"type":"iot"})", 422},
        {R"({"displayName":"a","attestation":{"type":"symmetricKey"},"type":"iot"})", 422},
        {R"({"displayName":"a","attestation":{"type":"x509"},"type":"edge"})", 422},
        {R"({"displayName":7,"attestation":{"type":"x509"},"type":"iot"})", 422},
        {R"({"displayName":"","attestation":{"type":"x509"},"type":"iot"})", 422},
        {R"({"displayName":"a\u0007","attestation":{"type":"x509"},"type":"iot"})", 422},
        {R"({"displayName":"a","attestation":{"type":"x509"},"type":"iot","enabled":"yes"})", 422},
        {R"({"id":"other","displayName":"a","attestation":{"type":"x509"},"type":"iot"})", 422},
        {R"({"etag":"x","displayName":"a","attestation":{"type":"x509"},"type":"iot"})", 412},
        {R"({"displayName":"a","attestation":{"type":"x509","x509":{"signingCertificates":)"
         R"({"primary":{"certificate":"bm9uZQ=="}}}},"type":"iot"})",
         422},
    };
    for (const auto& [body, status] : cases) {
        const auto refused = door.send("PUT", "/enrollmentGroups/fleet", body);
        EXPECT_EQ(refused.status, status) << body << refused.text;
        EXPECT_FALSE(refused.code().empty());
    }
    EXPECT_EQ(door.group("fleet"), before);
    EXPECT_EQ(events(), told);
    const std::string longest(limits::group_id_chars_max, 'g');
    EXPECT_EQ(door.send("PUT", "/enrollmentGroups/" + longest + "g", bare_group).status, 400U);
    EXPECT_EQ(door.send("PUT", "/enrollmentGroups/a%20b", bare_group).status, 400U);
    EXPECT_EQ(events(), told);
    EXPECT_EQ(door.send("PUT", "/enrollmentGroups/" + longest, bare_group).status, 200U);
}

TEST_F(CentralApiTest, OneEtagServesAGroupAndThenItsCertificate) {
    a_group();
    ASSERT_EQ(put_primary(root.certificate()).status, 200U);
    const std::string etag =
        R"("etag":)" + test::json::serialize(test::json::string(etag_of_group()));
    const std::string patch = R"({"displayName":"New",)" + etag + "}";
    ASSERT_EQ(door.send("PATCH", "/enrollmentGroups/fleet", patch).status, 200U);
    EXPECT_EQ(door.send("PATCH", "/enrollmentGroups/fleet", patch).status, 412U) << "it moved";
    EXPECT_EQ(put_primary(other.certificate(), "," + etag).status, 200U)
        << "what az sends here was the group's";
}

TEST_F(CentralApiTest, ACertificatesOwnEtagIsHeld) {
    a_group();
    const std::string first = put_primary(root.certificate(), R"(,"verified":true)").word("/etag");
    const auto with = [](const std::string& etag) { return R"(,"etag":")" + etag + '"'; };
    const std::string second = put_primary(other.certificate(), with(first)).word("/etag");
    EXPECT_NE(first, second);
    EXPECT_EQ(put_primary(root.certificate(), with(first)).status, 412U);
    EXPECT_EQ(door.send("DELETE", primary, {}, {{"If-Match", first}}).status, 412U);
    EXPECT_EQ(
        door.send("PATCH", "/enrollmentGroups/fleet", R"({"enabled":true)" + with(second) + "}")
            .status,
        412U)
        << "it is no group's";
    EXPECT_EQ(door.send("DELETE", primary, {}, {{"If-Match", '"' + second + '"'}}).status, 204U);
}

TEST_F(CentralApiTest, EverySpellingOfACertificateIsTaken) {
    const auto& certificate = root.certificate();
    for (const std::string& text : {certificate.pem(), to_base64(as_bytes(certificate.pem())),
                                    to_base64(certificate.der())}) {
        a_group();
        const test::json::object body{{"certificate", text}};
        const auto put = door.send("PUT", primary, test::json::serialize(body));
        EXPECT_EQ(put.status, 200U) << put.text;
        EXPECT_EQ(put.at("/verified"), "false");
        EXPECT_EQ(put.word("/info/sha1Thumbprint"), certificate.sha1_thumbprint());
        EXPECT_THAT(put.text, Not(HasSubstr("CERTIFICATE")));
        EXPECT_EQ(door.send("DELETE", "/enrollmentGroups/fleet").status, 204U);
    }
}

TEST_F(CentralApiTest, BadCertificatesChangeNothing) {
    a_group();
    ASSERT_EQ(put_primary(root.certificate(), R"(,"verified":true)").status, 200U);
    const auto before = door.group("fleet");
    const std::size_t told = events();
    const std::string key = "-----BEGIN PRIVATE KEY-----\nMC4CAQ==\n-----END PRIVATE KEY-----\n";
    const auto body = [](const std::string& text) {
        return R"({"certificate":")" + to_base64(as_bytes(text)) + R"("})";
    };
    const std::vector<std::string> cases{
        "{}",
        R"({"certificate":""})",
        R"({"certificate":7})",
        R"({"certificate":"not base64!"})",
        body("\x89PNG\r\n\x1a\n"),
        body(key),
        body("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        body(root.certificate().pem() + other.certificate().pem()),
        upload(other.certificate(), R"(,"verified":"yes")"),
    };
    for (const auto& bad : cases) {
        const auto refused = door.send("PUT", primary, bad);
        EXPECT_EQ(refused.status, 422U) << bad << refused.text;
        EXPECT_EQ(refused.code(), "InvalidBody") << bad;
        EXPECT_THAT(refused.text, Not(HasSubstr("MC4CAQ=="))) << "a private key is not echoed";
    }
    EXPECT_EQ(
        door.send("PUT", "/enrollmentGroups/fleet/certificates/third", upload(root.certificate()))
            .status,
        400U);
    EXPECT_EQ(
        door.send("PUT", "/enrollmentGroups/none/certificates/primary", upload(root.certificate()))
            .status,
        404U);
    EXPECT_EQ(door.group("fleet"), before);
    EXPECT_EQ(events(), told);
}

TEST_F(CentralApiTest, ANewCertificateWaitsForItsProof) {
    a_group();
    ASSERT_EQ(put_primary(root.certificate(), R"(,"verified":true)").status, 200U);
    const auto staged = put_primary(other.certificate());
    EXPECT_EQ(staged.at("/verified"), "false");
    EXPECT_EQ(shown_primary(), other.certificate().sha1_thumbprint()) << "as in the cloud";
    EXPECT_EQ(door.group("fleet").at(domain::Slot::primary).pending.has_value(), true);

    const auto asked = door.send("POST", primary + "/generateVerificationCode");
    ASSERT_EQ(asked.status, 200U) << asked.text;
    const std::string code = asked.word("/verificationCode");
    EXPECT_EQ(code.size(), 48U);
    const auto proof = other.proof(code);
    const auto wrong = door.send("POST", primary + "/verify", upload(root.proof(code)));
    EXPECT_EQ(wrong.status, 422U) << wrong.text;
    EXPECT_EQ(door.send("POST", primary + "/verify", "{}").status, 422U);
    EXPECT_EQ(door.send("POST", primary + "/verify", upload(proof)).status, 204U);
    EXPECT_EQ(door.send("GET", primary).at("/verified"), "true");
    EXPECT_FALSE(door.group("fleet").at(domain::Slot::primary).pending);
    EXPECT_EQ(door.send("POST", primary + "/verify", upload(proof)).status, 409U);
    EXPECT_EQ(door.send("POST", primary + "/generateVerificationCode").status, 409U);
}

TEST_F(CentralApiTest, TheLastCertificateMayGo) {
    a_group();
    EXPECT_EQ(door.send("GET", primary).status, 404U);
    EXPECT_EQ(door.send("POST", primary + "/generateVerificationCode").status, 404U);
    ASSERT_EQ(put_primary(root.certificate(), R"(,"verified":true)").status, 200U);
    EXPECT_EQ(door.send("DELETE", primary).status, 204U);
    EXPECT_EQ(door.group("fleet").withdrawn.size(), 1U) << "a facade's removal withdraws trust";
    EXPECT_EQ(door.send("DELETE", primary).status, 404U);
}

TEST_F(CentralApiTest, KeysAreShownToWhoMaySeeThem) {
    const auto made = door.send("PUT", "/enrollmentGroups/keys",
                                R"({"displayName":"k","attestation":{"type":"symmetricKey"},)"
                                R"("type":"iotEdge"})");
    ASSERT_EQ(made.status, 200U) << made.text;
    EXPECT_EQ(made.word("/type"), "iotEdge");
    const auto keys = door.group("keys").keys.value();
    EXPECT_EQ(made.word("/attestation/symmetricKey/primaryKey"), keys.front().base64());
    EXPECT_EQ(made.word("/attestation/symmetricKey/secondaryKey"), keys.back().base64());
    EXPECT_EQ(door.last_event().action, "group.key.show");
    EXPECT_EQ(door.send("GET", "/enrollmentGroups").at("/value/0/attestation"),
              made.at("/attestation"));

    const auto order = test::OperatorDesk::order();
    service::TokenWish wish;
    wish.name = "viewer";
    wish.role = domain::Role::viewer;
    const auto viewer = run_token(wish, order);
    auto request = door.request("GET", "/enrollmentGroups/keys", {}, {{"Authorization", viewer}});
    request.connection = &door.remote;
    const auto read = door.send(request);
    EXPECT_EQ(read.status, 200U) << read.text;
    EXPECT_EQ(read.at("/attestation"), R"({"type":"symmetricKey"})");
}

TEST_F(CentralApiTest, PagesLeadOnByWholeAddresses) {
    for (const std::string id : {"a", "b", "c", "d", "e"}) {
        ASSERT_EQ(door.send("PUT", "/enrollmentGroups/" + id, bare_group).status, 200U);
    }
    std::vector<std::string> seen;
    std::string target = "/enrollmentGroups?$top=2";
    for (int page = 0; page < 4 && !target.empty(); ++page) {
        const auto reply = door.send("GET", target);
        ASSERT_EQ(reply.status, 200U) << reply.text;
        for (const auto& group : reply.body.at("value").as_array()) {
            seen.emplace_back(group.at("id").as_string());
        }
        target.clear();
        if (reply.has_member("nextLink")) {
            const std::string link = reply.word("/nextLink");
            const std::string base = "http://plant.example:8443/api";
            ASSERT_EQ(link.substr(0, base.size()), base);
            target = link.substr(base.size()) + "&api-version=2022-07-31";
        }
    }
    EXPECT_THAT(seen, ElementsAre("a", "b", "c", "d", "e"));
    EXPECT_FALSE(door.send("GET", "/enrollmentGroups?maxpagesize=5").has_member("nextLink"));
    const auto most = std::to_string(limits::central_page_max + 1);
    EXPECT_EQ(door.send("GET", "/enrollmentGroups?$top=" + most).status, 200U);
}

// --- Roles and tokens ---

TEST_F(CentralApiTest, RolesHaveTheirIds) {
    const auto roles = door.send("GET", "/roles");
    EXPECT_EQ(roles.body.at("value").as_array().size(), 4U);
    EXPECT_EQ(roles.word("/value/0/id"), "ca310b8d-2f4a-44e0-a36e-957c202cd8d4");
    EXPECT_EQ(door.send("GET", "/roles/AE2C9854-393b-4f97-8c42-479d70ce626e").word("/displayName"),
              "Operator");
    EXPECT_EQ(door.send("GET", "/roles/x").status, 404U);
}

TEST_F(CentralApiTest, ATokenIsToldOnce) {
    const std::string body = R"({"roles":[{"role":"344138e9-8de4-4497-8c54-5237e96d6aaf"}]})";
    const auto made = door.send("PUT", "/apiTokens/ci", body);
    ASSERT_EQ(made.status, 200U) << made.text;
    const std::string token = made.word("/token");
    EXPECT_THAT(token, HasSubstr("SharedAccessSignature sr=plant&sig="));
    EXPECT_THAT(token, HasSubstr("&skn=ci&se="));
    EXPECT_EQ(made.word("/roles/0/role"), "344138e9-8de4-4497-8c54-5237e96d6aaf");
    EXPECT_TRUE(made.has_member("expiry"));
    const auto read = door.send("GET", "/apiTokens/ci");
    EXPECT_FALSE(read.has_member("token"));
    EXPECT_EQ(door.send("GET", "/apiTokens").at("/value"), "[" + read.text + "]");

    auto request = door.request("GET", "/enrollmentGroups", {}, {{"Authorization", token}});
    request.connection = &door.remote;
    EXPECT_EQ(door.send(request).status, 200U);
    request = door.request("DELETE", "/apiTokens/ci", {}, {{"Authorization", token}});
    request.connection = &door.remote;
    EXPECT_EQ(door.send(request).status, 403U) << "a builder administers nothing";
    EXPECT_EQ(door.send("PUT", "/apiTokens/ci", body).status, 409U);
    EXPECT_EQ(door.send("DELETE", "/apiTokens/ci").status, 204U);
    EXPECT_EQ(door.send("DELETE", "/apiTokens/ci").status, 404U);
    request = door.request("GET", "/enrollmentGroups", {}, {{"Authorization", token}});
    request.connection = &door.remote;
    EXPECT_EQ(door.send(request).status, 401U);
}

TEST_F(CentralApiTest, BadTokensAreNotMade) {
    const std::string role = R"("roles":[{"role":"ae2c9854-393b-4f97-8c42-479d70ce626e"}])";
    const std::vector<std::string> cases{
        "{}",
        R"({"roles":[]})",
        R"({"roles":"operator"})",
        R"({"roles":[{"role":"operator"}]})",
        R"({"roles":[{"role":7}]})",
        R"({"roles":[{"role":"ae2c9854-393b-4f97-8c42-479d70ce626e"},{"role":"x"}]})",
        R"({"roles":[{"role":"ae2c9854-393b-4f97-8c42-479d70ce626e","organization":"north"}]})",
        "{" + role + R"(,"expiry":"soon"})",
        "{" + role + R"(,"expiry":"2001-01-01T00:00:00Z"})",
        "{" + role + R"(,"id":"other"})"};
    for (const auto& body : cases) {
        EXPECT_EQ(door.send("PUT", "/apiTokens/ci", body).status, 422U) << body;
    }
    EXPECT_EQ(events(), 0U);
    EXPECT_EQ(door.send("GET", "/apiTokens/ci").status, 404U);
}

}  // namespace
}  // namespace rollcall::front
