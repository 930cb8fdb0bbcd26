// SPDX-License-Identifier: Apache-2.0
#include "front/dps_service_wire.hpp"

#include "base/bytes.hpp"
#include "front/dps_service_reader.hpp"
#include "support/pki.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::front {
namespace {

using ::testing::HasSubstr;

json::object object(std::string_view text) {
    return json::parse(json::string_view{text.data(), text.size()}).as_object();
}

TEST(ServiceErrors, HaveTheirNumbers) {
    const std::vector<std::pair<Error, int>> cases{
        {{ErrorKind::malformed, "x"}, 400001},
        {{ErrorKind::unsupported, "x", "not-offered"}, 400002},
        {{ErrorKind::too_large, "x"}, 400003},
        {{ErrorKind::unauthenticated, "x"}, 401002},
        {{ErrorKind::forbidden, "x"}, 403001},
        {{ErrorKind::not_found, "x", "enrollment-not-found"}, 404201},
        {{ErrorKind::not_found, "x", "group-not-found"}, 404202},
        {{ErrorKind::not_found, "x", "registration-not-found"}, 404201},
        {{ErrorKind::not_found, "x", "no-such-address"}, 404001},
        {{ErrorKind::conflict, "x", "enrollment-exists"}, 409201},
        {{ErrorKind::conflict, "x", "group-exists"}, 409202},
        {{ErrorKind::conflict, "x", "ca-in-other-group"}, 409001},
        {{ErrorKind::stale, "x"}, 412001},
        {{ErrorKind::throttled, "x"}, 429001},
        {{ErrorKind::internal, "secret"}, 500001},
        {{ErrorKind::unavailable, "secret"}, 503001},
    };
    for (const auto& [error, code] : cases) {
        const auto told = to_service_error(error);
        EXPECT_EQ(told.code, code);
        EXPECT_EQ(told.status, static_cast<unsigned>(code / 1000));
        EXPECT_NE(told.message, "secret");
    }
    EXPECT_EQ(to_service_error({ErrorKind::too_large, "x"}, 413).code, 413001);
}

TEST(ServiceErrors, AreWrittenAsDocumented) {
    const auto at = parse_iso8601("2026-11-26T01:02:03.5Z").value();
    EXPECT_EQ(json::serialize(to_json(DpsServiceError{412, 412001, "Stale."}, "guid", at)),
              R"({"errorCode":412001,"trackingId":"guid","message":"Stale.",)"
              R"("timestampUtc":"2026-11-26T01:02:03.5000000Z","info":{}})");
}

TEST(ServiceTimes, LoseTheirTrailingZeros) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"2023-05-19T23:10:50.80811Z", "2023-05-19T23:10:50.80811Z"},
        {"2023-05-19T23:10:47.686968Z", "2023-05-19T23:10:47.686968Z"},
        {"2023-05-19T23:10:50Z", "2023-05-19T23:10:50Z"},
        {"2023-05-19T23:10:50.1Z", "2023-05-19T23:10:50.1Z"},
    };
    for (const auto& [at, text] : cases) {
        EXPECT_EQ(to_iso8601_cut(parse_iso8601(at).value()), text);
    }
}

TEST(ServiceEtags, AreReadInEverySpelling) {
    const ETag etag = ETag::trusted("000019ed-0000-0800-0000-646801f30000");
    const std::string wire = wire_etag(etag);
    EXPECT_EQ(wire, to_base64(as_bytes("\"000019ed-0000-0800-0000-646801f30000\"")));
    for (const std::string& spelling :
         {wire, '"' + wire + '"', etag.str(), '"' + etag.str() + '"'}) {
        EXPECT_EQ(plain_etag(spelling), etag.str()) << spelling;
    }
    EXPECT_EQ(plain_etag("*"), "*");
    EXPECT_EQ(plain_etag("W/\"" + wire + "\""), "W/\"" + wire + "\"") << "a weak one matches none";
    net::HttpRequest request;
    EXPECT_TRUE(read_condition(request).one_of.empty());
    request.headers = {{"IF-MATCH", " \"" + wire + "\" , *"}};
    EXPECT_EQ(read_condition(request).one_of, (std::vector<std::string>{etag.str(), "*"}));
    request.headers = {{"If-Match", ""}};
    EXPECT_EQ(read_condition(request).one_of, std::vector<std::string>{""});
}

TEST(ServicePages, GoOnInTheirOwnListOnly) {
    const auto token = continuation(DpsCollection::groups, "fleet-a");
    EXPECT_EQ(read_continuation(DpsCollection::groups, token).value(), "fleet-a");
    const std::vector<std::string> bad{"",
                                       "x",
                                       "fleet-a",
                                       to_base64(as_bytes("[]")),
                                       to_base64(as_bytes("[\"EnrollmentGroup\",1]")),
                                       to_base64(as_bytes("{}"))};
    for (const auto& each : bad) {
        EXPECT_EQ(read_continuation(DpsCollection::groups, each).error().reason, "malformed-page");
    }
    EXPECT_FALSE(read_continuation(DpsCollection::enrollments, token));
}

TEST(ServiceQueries, AreForAllThereIs) {
    const std::vector<std::string> good{
        "SELECT *",
        "select *",
        " Select\t*\n",
        "SELECT*",
        "SELECT * FROM enrollments",
        "select * from enrollmentGroups;",
        "{'additional_properties': {}, 'query': 'SELECT *'}",
    };
    for (const auto& query : good) {
        EXPECT_TRUE(check_query({{"query", query}}, false)) << query;
    }
    const std::vector<std::string> bad{"",
                                       "SELECT",
                                       "SELECT a",
                                       "SELECT * WHERE a = 1",
                                       "SELECT * FROM enrollments WHERE a = 1",
                                       "SELECT * FROM 1",
                                       "SELECT * FROM",
                                       "DELETE *",
                                       "* SELECT",
                                       "SELECT * *",
                                       "{'query': 'DROP'}",
                                       "{'query': '",
                                       std::string(100'000, '*')};
    for (const auto& query : bad) {
        EXPECT_EQ(check_query({{"query", query}}, true).error().reason, "malformed-query") << query;
    }
    EXPECT_FALSE(check_query({}, false));
    EXPECT_FALSE(check_query(object(R"({"query":null})"), false));
    EXPECT_TRUE(check_query({}, true));
    EXPECT_EQ(check_query({{"query", 5}}, true).error().reason, "malformed-member");
}

service::EntryWish group_of(std::string_view body) {
    return read_entry(DpsCollection::groups, object(body), "g").value();
}
std::string reason_of(DpsCollection collection, std::string_view body) {
    const auto read = read_entry(collection, object(body), "g");
    return read ? "" : read.error().reason;
}

/// What the recorded client of the cloud sent.
TEST(ServiceBodies, AreReadAsRecorded) {
    const auto wish = group_of(
        R"({"enrollmentGroupId":"g","attestation":{"type":"x509","x509":{"signingCertificates":)"
        R"({"primary":{"certificate":"PEM"}}}},"allocationPolicy":"hashed","capabilities":null,)"
        R"("provisioningStatus":"enabled","reprovisionPolicy":{"migrateDeviceData":true,)"
        R"("updateHubAssignment":true},"iotHubs":null,"iotHubHostName":null,"initialTwin":null,)"
        R"("customAllocationDefinition":null})");
    EXPECT_EQ(std::get<service::UploadedCertificate>(wish.slots[0]).text, "PEM");
    EXPECT_TRUE(std::holds_alternative<std::monostate>(wish.slots[1]));
    EXPECT_EQ(wish.policy, domain::AllocationPolicy::hashed);
    EXPECT_TRUE(wish.hubs.empty());
    EXPECT_TRUE(wish.initial_twin.empty());
    domain::ClientNotes notes;
    notes.inline_certificates = true;
    EXPECT_EQ(wish.notes, notes);
}

TEST(ServiceBodies, NullIsTheSameAsAbsent) {
    const auto wish = group_of(
        R"({"etag":null,"provisioningStatus":null,"reprovisionPolicy":null,"attestation":)"
        R"({"type":"x509","tpm":null,"symmetricKey":null,"x509":{"clientCertificates":null,)"
        R"("caReferences":null,"signingCertificates":{"primary":{"certificate":null,"info":)"
        R"({"sha1Thumbprint":"AB","sha256Thumbprint":null,"version":3}},"secondary":null}}}})");
    EXPECT_TRUE(wish.enabled);
    EXPECT_TRUE(wish.notes.null_status);
    EXPECT_TRUE(wish.notes.no_reprovision_policy);
    EXPECT_EQ(std::get<domain::KeptCertificate>(wish.slots[0]).sha1, "AB");
    EXPECT_TRUE(std::holds_alternative<std::monostate>(wish.slots[1]));
}

TEST(ServiceBodies, AreWholeInEveryMember) {
    const auto wish =
        read_entry(DpsCollection::enrollments,
                   object(R"({"registrationId":"G","deviceId":"D 1","optionalDeviceInformation":)"
                          R"({"a":1,"version":null},"capabilities":{"iotEdge":true},)"
                          R"("provisioningStatus":"disabled","iotHubHostName":"hub.example",)"
                          R"("initialTwin":{"tags":{"count":null,"t":[1]},"properties":)"
                          R"({"desired":{"x":{"y":2}},"unknown":1}},"reprovisionPolicy":)"
                          R"({"updateHubAssignment":false},"attestation":{"type":"SymmetricKey",)"
                          R"("symmetricKey":{"primaryKey":"","secondaryKey":"S"}}})"),
                   "g")
            .value();
    EXPECT_EQ(wish.device_id, "D 1");
    EXPECT_EQ(wish.notes.device_information, R"({"a":1})");
    EXPECT_EQ(wish.notes.iot_edge, true);
    EXPECT_FALSE(wish.enabled);
    EXPECT_EQ(wish.hubs, std::vector<std::string>{"hub.example"});
    EXPECT_EQ(wish.policy, domain::AllocationPolicy::static_hub);
    EXPECT_EQ(wish.initial_twin, R"({"tags":{"t":[1]},"properties":{"desired":{"x":{"y":2}}}})");
    EXPECT_EQ(wish.reprovision, (domain::ReprovisionPolicy{false, true}));
    EXPECT_FALSE(wish.keys->slots[0]) << "an empty key is to be made up";
    EXPECT_EQ(wish.keys->slots[1], "S");
}

TEST(ServiceBodies, OfOtherShapesAreRefused) {
    struct Case {
        std::string body;
        std::string reason;
    };
    const auto x509 = [](const std::string& inner) {
        return R"({"attestation":{"type":"x509","x509":{)" + inner + "}}}";
    };
    const std::vector<Case> cases{
        {"{}", "missing-member"},
        {R"({"attestation":null})", "missing-member"},
        {R"({"attestation":1})", "malformed-member"},
        {R"({"attestation":{}})", "missing-member"},
        {R"({"attestation":{"type":"none"}})", "attestation"},
        {R"({"attestation":{"type":"tpm","tpm":{"endorsementKey":"x"}}})", "not-offered"},
        {R"({"attestation":{"type":5}})", "malformed-member"},
        {R"({"enrollmentGroupId":"h","attestation":{"type":"x509"}})", "other-id"},
        {R"({"provisioningStatus":"on","attestation":{"type":"x509"}})", "malformed-member"},
        {R"({"allocationPolicy":"best","attestation":{"type":"x509"}})", "malformed-member"},
        {R"({"iotHubs":"h","attestation":{"type":"x509"}})", "malformed-member"},
        {R"({"initialTwin":[],"attestation":{"type":"x509"}})", "malformed-member"},
        {R"({"initialTwin":{"tags":"x"},"attestation":{"type":"x509"}})", "malformed-member"},
        {R"({"capabilities":{"iotEdge":"yes"},"attestation":{"type":"x509"}})", "malformed-member"},
        {R"({"attestation":{"type":"symmetricKey","symmetricKey":{"primaryKey":1}}})",
         "malformed-member"},
        {x509(R"("signingCertificates":{"primary":{}})"), "malformed-member"},
        {x509(R"("signingCertificates":{"primary":{"info":{}}})"), "malformed-member"},
        {x509(R"("signingCertificates":{"primary":"PEM"})"), "malformed-member"},
        {x509(R"("clientCertificates":{"primary":{"certificate":"PEM"}})"), "attestation"},
        {x509(R"("signingCertificates":{"primary":{"certificate":"PEM"}},)"
              R"("caReferences":{"primary":"x"})"),
         "attestation"},
        {x509(R"("caReferences":{"primary":{"name":"x"}})"), "malformed-member"},
    };
    for (const auto& each : cases) {
        EXPECT_EQ(reason_of(DpsCollection::groups, each.body), each.reason) << each.body;
    }
    EXPECT_EQ(reason_of(DpsCollection::enrollments,
                        x509(R"("signingCertificates":{"primary":{"certificate":"PEM"}})")),
              "attestation");
}

TEST(ServiceBodies, HaveBounds) {
    const auto twin_of = [](std::size_t bytes) {
        return R"({"initialTwin":{"tags":{"a":")" + std::string(bytes, 'x') +
               R"("}},"attestation":{"type":"x509"}})";
    };
    EXPECT_EQ(reason_of(DpsCollection::groups, twin_of(30'000)), "");
    EXPECT_EQ(reason_of(DpsCollection::groups, twin_of(33'000)), "member-too-large");
}

TEST(ServiceBulk, IsReadBeforeAnythingIsDone) {
    const auto read = [](std::string_view body) {
        const auto parsed = object(body);
        const auto bulk = read_bulk(DpsCollection::enrollments, parsed);
        return bulk ? std::to_string(bulk->entries.size()) : bulk.error().reason;
    };
    const auto entries = [](std::size_t count) {
        std::string list;
        for (std::size_t i = 0; i < count; ++i) {
            list += std::string{i == 0 ? "" : ","} + R"({"registrationId":"d"})";
        }
        return R"({"mode":"updateIfMatchEtag","enrollments":[)" + list + "]}";
    };
    EXPECT_EQ(read(entries(1)), "1");
    EXPECT_EQ(read(entries(10)), "10");
    EXPECT_EQ(read(entries(11)), "too-many-entries");
    EXPECT_EQ(read(entries(0)), "too-many-entries");
    EXPECT_EQ(read(R"({"mode":"merge","enrollments":[]})"), "malformed-member");
    EXPECT_EQ(read(R"({"enrollments":[]})"), "missing-member");
    EXPECT_EQ(read(R"({"mode":"create"})"), "malformed-member");
    EXPECT_EQ(read(R"({"mode":"create","enrollmentGroups":[{}]})"), "malformed-member");
    EXPECT_EQ(read(R"({"mode":"create","enrollments":[5]})"), "malformed-member");
    EXPECT_EQ(read(R"({"mode":"create","enrollments":[{}]})"), "missing-member");
    EXPECT_EQ(read(R"({"mode":"create","enrollments":[{"registrationId":5}]})"),
              "malformed-member");
}

}  // namespace
}  // namespace rollcall::front
