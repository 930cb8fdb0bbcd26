// SPDX-License-Identifier: Apache-2.0
// What is made of each of the four exports. Their shapes are those of the extension's output: the
// service's JSON as it is, and IoT Central's records with every member, null where unset.
#include "app/import_entry.hpp"

#include "base/bytes.hpp"
#include "base/files.hpp"
#include "support/pki.hpp"
#include "support/scratch_directory.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::app {
namespace {

using test::self_signed;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

json::object parsed(const std::string& text) {
    return json::parse(text).as_object();
}

json::object info(const x509::Certificate& certificate) {
    return {{"certificate", nullptr},
            {"info", json::object{{"subjectName", "CN=" + certificate.subject()},
                                  {"sha1Thumbprint", certificate.sha1_thumbprint()},
                                  {"sha256Thumbprint", certificate.sha256_thumbprint()},
                                  {"issuerName", "CN=x"},
                                  {"notBeforeUtc", to_iso8601_seconds(certificate.not_before())},
                                  {"notAfterUtc", to_iso8601_seconds(certificate.not_after())},
                                  {"serialNumber", "01"},
                                  {"version", 3}}}};
}

json::object x509(const std::string& kind, const json::value& primary,
                  const json::value& secondary) {
    json::object held{{"clientCertificates", nullptr},
                      {"signingCertificates", nullptr},
                      {"caReferences", nullptr}};
    held[kind] = json::object{{"primary", primary}, {"secondary", secondary}};
    return {{"type", "x509"}, {"x509", held}, {"tpm", nullptr}, {"symmetricKey", nullptr}};
}

class ImportEntryTest : public ::testing::Test {
protected:
    ImportEntryTest() {
        keep(first);
        keep(second);
        shelf = CertificateShelf::open(scratch.path()).value();
    }
    void keep(const x509::Certificate& certificate) {
        ASSERT_TRUE(write_file(scratch.path() / certificate.sha1_thumbprint(), certificate.pem(),
                               Secrecy::open, FileSet::Existing::refuse));
    }
    ImportPlan plan(const json::object& exported) {
        const auto kind = kind_of(exported).value();
        return plan_import(kind, exported, shelf, policy);
    }
    json::object an_enrollment(const json::object& attestation) {
        auto entry = parsed(
            R"({"registrationId":"dev-1","deviceId":"press","etag":"\"1\"","provisioningStatus":)"
            R"("enabled","allocationPolicy":null,"iotHubs":null,"createdDateTimeUtc":)"
            R"("2024-01-01T00:00:00Z","lastUpdatedDateTimeUtc":"2024-01-01T00:00:00Z",)"
            R"("reprovisionPolicy":{"migrateDeviceData":true,"updateHubAssignment":true},)"
            R"("capabilities":{"iotEdge":false},"initialTwin":{"tags":{"a":1,"count":null}},)"
            R"("registrationState":{"registrationId":"dev-1","status":"unassigned"}})");
        entry["attestation"] = attestation;
        return entry;
    }
    static std::string slot(const ImportPlan& plan, const std::string& kind,
                            const std::string& name) {
        boost::system::error_code none;
        const json::value body(*plan.body);
        const auto* const found =
            body.find_pointer("/attestation/x509/" + kind + "/" + name + "/certificate", none);
        return found == nullptr ? "" : std::string{found->as_string()};
    }

    const x509::Certificate first = self_signed("dev-1");
    const x509::Certificate second = self_signed("dev-1 later");
    const x509::Certificate other = self_signed("not on the shelf");
    test::ScratchDirectory scratch;
    CertificateShelf shelf;
    ImportPolicy policy{test::today};
};

TEST_F(ImportEntryTest, KnowsWhoseExportItIs) {
    const std::pair<const char*, ImportKind> cases[] = {
        {R"({"registrationId":"a","attestation":{}})", ImportKind::dps_enrollment},
        {R"({"enrollmentGroupId":"a","attestation":{}})", ImportKind::dps_group},
        {R"({"id":"a","displayName":"A","enabled":true,"etag":"","provisioned":true,)"
         R"("simulated":false,"template":null,"organizations":null})",
         ImportKind::central_device},
        {R"({"id":"a","displayName":"A","enabled":true,"type":"iot","attestation":{},"etag":""})",
         ImportKind::central_group},
    };
    for (const auto& [text, kind] : cases) {
        EXPECT_EQ(kind_of(parsed(text)).value(), kind) << text;
    }
    const std::pair<const char*, const char*> others[] = {
        {R"({"value":[],"nextLink":""})", "a page of a REST API"},
        {R"({"registrationId":"a","status":"assigned"})", "registrations"},
        {R"({"deviceId":"a","authentication":{}})", "a hub's devices"},
        {R"({"name":"a","properties":{}})", "rollcall ca add"},
        {R"({"hello":1})", "nobody here knows"},
        {"{}", "nobody here knows"},
    };
    for (const auto& [text, said] : others) {
        const auto refused = kind_of(parsed(text));
        ASSERT_FALSE(refused) << text;
        EXPECT_EQ(refused.error().reason, "another-export");
        EXPECT_THAT(refused.error().detail, HasSubstr(said));
        EXPECT_THAT(refused.error().detail, HasSubstr("az iot dps enrollment list"));
    }
    EXPECT_EQ(id_of(ImportKind::dps_group, parsed(R"({"enrollmentGroupId":7})")).error().reason,
              "no-id");
}

TEST_F(ImportEntryTest, AnEnrollmentByCertificate) {
    const auto made = plan(an_enrollment(x509("clientCertificates", info(first), info(second))));
    ASSERT_TRUE(made.body) << made.supply;
    EXPECT_EQ(made.id, "dev-1");
    EXPECT_EQ(slot(made, "clientCertificates", "primary"), first.pem());
    EXPECT_EQ(slot(made, "clientCertificates", "secondary"), second.pem());
    EXPECT_EQ(made.body->at("deviceId"), "press");
    EXPECT_EQ(made.body->at("initialTwin").at("tags").at("a"), 1);
    EXPECT_FALSE(made.body->contains("etag"));
    EXPECT_FALSE(made.body->contains("registrationState"));
    EXPECT_THAT(made.notes, IsEmpty());
    EXPECT_THAT(made.not_carried, IsEmpty()) << "a state that says nothing is not lost";
}

TEST_F(ImportEntryTest, TheMirrorOfThePrimaryIsNoSecondary) {
    const auto made = plan(an_enrollment(x509("clientCertificates", info(first), info(first))));
    EXPECT_EQ(slot(made, "clientCertificates", "primary"), first.pem());
    EXPECT_EQ(slot(made, "clientCertificates", "secondary"), "");
}

TEST_F(ImportEntryTest, WhatIsMissingIsAskedFor) {
    struct Case {
        const char* what;
        json::value primary;
        json::value secondary;
        bool allow;
        bool taken;
        const char* told;
    };
    auto ended = info(other);
    ended["info"].as_object()["notAfterUtc"] = "2020-01-01T00:00:00Z";
    const std::vector<Case> cases{
        {"none is there", info(other), nullptr, false, false, "--certificates"},
        {"one is there", info(first), info(other), false, false,
         "the secondary certificate (SHA-256"},
        {"one is there, and that is enough", info(first), info(other), true, true, "left out"},
        {"none is there, and one would be enough", info(other), nullptr, true, false, "missing"},
        {"the other has ended", ended, info(second), false, true, "ended on 2020-01-01T00:00:00Z"},
        {"the only one has ended", ended, nullptr, false, false, "no certificate that is valid"},
        {"there are none", nullptr, nullptr, false, false, "no certificate"},
    };
    for (const auto& each : cases) {
        policy.allow_missing = each.allow;
        const auto planned =
            plan(an_enrollment(x509("clientCertificates", each.primary, each.secondary)));
        EXPECT_EQ(planned.body.has_value(), each.taken) << each.what;
        EXPECT_EQ(planned.missing, each.taken ? "" : "certificate-missing") << each.what;
        const std::string told = planned.supply + (planned.notes.empty() ? "" : planned.notes[0]);
        EXPECT_THAT(told, HasSubstr(each.told)) << each.what;
    }
}

TEST_F(ImportEntryTest, OneThatIsDisabledKeepsItsDeviceOut) {
    auto entry = an_enrollment(x509("clientCertificates", info(other), nullptr));
    entry["provisioningStatus"] = "disabled";
    const auto made = plan(entry);
    ASSERT_TRUE(made.body);
    EXPECT_EQ(slot(made, "clientCertificates", "primary"), "");
    EXPECT_THAT(made.notes, ElementsAre(HasSubstr("keeps its device out")));
}

TEST_F(ImportEntryTest, KeysComeFromShow) {
    const auto by_key = [this](const std::string& keys) {
        return plan(
            an_enrollment(parsed(R"({"type":"symmetricKey","symmetricKey":)" + keys + "}")));
    };
    for (const char* const none :
         {"null", "{}", R"({"primaryKey":"","secondaryKey":""})", R"({"primaryKey":"a"})"}) {
        const auto refused = by_key(none);
        EXPECT_FALSE(refused.body) << none;
        EXPECT_EQ(refused.missing, "keys-missing");
        EXPECT_THAT(refused.supply, HasSubstr("show --enrollment-id dev-1 --show-keys"));
    }
    const auto made = by_key(R"({"primaryKey":"YQ==","secondaryKey":"Yg=="})");
    ASSERT_TRUE(made.body);
    EXPECT_EQ(made.body->at("attestation").at("symmetricKey").at("secondaryKey"), "Yg==");
}

TEST_F(ImportEntryTest, WhatIsNotOfferedIsSaid) {
    EXPECT_EQ(plan(an_enrollment(parsed(R"({"type":"tpm","tpm":{"endorsementKey":"x"}})"))).missing,
              "tpm");
    EXPECT_EQ(plan(an_enrollment(parsed(R"({"type":"none"})"))).missing, "no-attestation");
    EXPECT_EQ(plan(an_enrollment({})).missing, "no-attestation");
    auto entry = an_enrollment(x509("clientCertificates", info(first), nullptr));
    entry["registrationState"] = json::object{{"status", "assigned"}, {"assignedHub", "h"}};
    entry["credentialPolicyName"] = "p";
    entry["somethingNew"] = 1;
    entry["somethingEmpty"] = json::array{};
    EXPECT_THAT(plan(entry).not_carried,
                ElementsAre("credentialPolicyName", "registrationState", "somethingNew"));
}

TEST_F(ImportEntryTest, AGroupOfDps) {
    json::object entry{{"enrollmentGroupId", "fleet"},
                       {"attestation", x509("signingCertificates", info(first), info(other))},
                       {"provisioningStatus", "disabled"},
                       {"etag", "x"}};
    const auto made = plan(entry);
    ASSERT_TRUE(made.body);
    EXPECT_EQ(slot(made, "signingCertificates", "primary"), first.pem());
    EXPECT_EQ(slot(made, "signingCertificates", "secondary"), "");
    EXPECT_EQ(made.body->at("provisioningStatus"), "disabled");
    EXPECT_THAT(made.notes, ElementsAre(HasSubstr("rollcall group cert set fleet")));

    entry["attestation"] = x509("caReferences", "plant", "plant");
    EXPECT_EQ(json::serialize(plan(entry).body->at("attestation")),
              R"({"type":"x509","x509":{"caReferences":{"primary":"plant"}}})");
    entry["attestation"] = x509("caReferences", "plant", "spare");
    EXPECT_EQ(json::serialize(plan(entry).body->at("attestation")),
              R"({"type":"x509","x509":{"caReferences":{"primary":"plant","secondary":"spare"}}})");
    entry["attestation"] = parsed(R"({"type":"symmetricKey","symmetricKey":null})");
    EXPECT_THAT(plan(entry).supply, HasSubstr("enrollment-group show --group-id fleet"));
}

TEST_F(ImportEntryTest, AGroupOfCentral) {
    const json::object sha1_only{
        {"verified", true},
        {"info", json::object{{"sha1Thumbprint", to_lower_ascii(first.sha1_thumbprint())}}},
        {"etag", "x"}};
    json::object entry{
        {"id", "edges"},    {"displayName", "Edge devices"},
        {"enabled", false}, {"type", "iotEdge"},
        {"etag", "x"},      {"attestation", x509("signingCertificates", sha1_only, nullptr)}};
    const auto made = plan(entry);
    ASSERT_TRUE(made.body);
    EXPECT_EQ(made.body->at("enrollmentGroupId"), "edges");
    EXPECT_EQ(made.body->at("provisioningStatus"), "disabled");
    EXPECT_EQ(made.body->at("capabilities").at("iotEdge"), true);
    EXPECT_EQ(slot(made, "signingCertificates", "primary"), first.pem());
    EXPECT_THAT(made.not_carried, ElementsAre("displayName"));

    // As `enrollment-group show --certificate-entry primary` prints it.
    entry["attestation"] = parsed(R"({"type":"x509"})");
    EXPECT_EQ(slot(plan(entry), "signingCertificates", "primary"), "");
    entry["x509"] = sha1_only;
    EXPECT_EQ(slot(plan(entry), "signingCertificates", "primary"), first.pem());

    entry["attestation"] = parsed(
        R"({"type":"symmetricKey","symmetricKey":{"primaryKey":"YQ==","secondaryKey":"Yg=="}})");
    EXPECT_EQ(plan(entry).body->at("attestation").at("symmetricKey").at("primaryKey"), "YQ==");
}

TEST_F(ImportEntryTest, ADeviceOfCentral) {
    auto entry = parsed(
        R"({"id":"dev-9","displayName":"Press 9","enabled":true,"etag":"x","provisioned":true,)"
        R"("simulated":false,"template":"dtmi:a;1","organizations":null})");
    const auto known = plan(entry);
    ASSERT_TRUE(known.body);
    EXPECT_EQ(known.missing, "");
    EXPECT_EQ(json::serialize(*known.body),
              R"({"id":"dev-9","displayName":"Press 9","enabled":true,"template":"dtmi:a;1",)"
              R"("simulated":false})");
    EXPECT_TRUE(known.not_carried.empty());
    entry["enabled"] = false;
    entry["cloudOnly"] = "x";
    const auto blocked = plan(entry);
    EXPECT_EQ(blocked.body->at("enabled"), false);
    EXPECT_THAT(blocked.not_carried, ElementsAre("cloudOnly"));
}

}  // namespace
}  // namespace rollcall::app
