// SPDX-License-Identifier: Apache-2.0
#include "x509/certificate.hpp"

#include "base/limits.hpp"
#include "support/handmade.hpp"
#include "x509/parsed.hpp"
#include "x509/path.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/core_names.h>

namespace rollcall::x509 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace rollcall::test;  // NOLINT: the builders' words are the test's language

TEST(Certificate, TellsWhatItSays) {
    const Certificate certificate = handmade({.name = "dev-1", .email = "ops@example.com"});
    EXPECT_EQ(certificate.subject(), "CN=dev-1,emailAddress=ops@example.com");
    EXPECT_EQ(certificate.issuer(), certificate.subject());
    EXPECT_EQ(certificate.common_name(), "dev-1");
    EXPECT_TRUE(certificate.self_issued());
    EXPECT_EQ(certificate.serial(), "07");
    EXPECT_EQ(certificate.version(), 3);
    EXPECT_EQ(certificate.not_before(), today - 24h * 365);
    EXPECT_EQ(certificate.not_after(), today + 24h * 365);
    EXPECT_EQ(certificate.key(), (KeyDescription{KeyKind::ec, 256, "P-256"}));
    EXPECT_EQ(certificate.signature_algorithm(), "ecdsa-with-SHA256");
    EXPECT_EQ(certificate.ca_flag(), std::nullopt);
    EXPECT_EQ(certificate.sha1_thumbprint().size(), 40U);
    EXPECT_EQ(to_lower_ascii(certificate.sha256_thumbprint()), certificate.sha256().hex());
}

TEST(Certificate, ComesBackFromItsOwnPem) {
    const Certificate certificate = a_root("Root").certificate();
    EXPECT_EQ(read_one_certificate(certificate.pem()).value(), certificate);
    EXPECT_EQ(Certificate::parse_der(certificate.der()).value(), certificate);
    EXPECT_EQ(Certificate::share(certificate.native()).value(), certificate);
}

TEST(Certificate, IsTheSameAuthorityByNameAndKey) {
    const Authority root = a_root("Root");
    const Authority renewed = a_root("  ROOT ", {today, today + 1h}, "Root");
    EXPECT_EQ(root.certificate().ca_key(), renewed.certificate().ca_key());
    EXPECT_FALSE(root.certificate() == renewed.certificate());
    EXPECT_NE(root.certificate().ca_key(), a_root("Root", {}, "other").certificate().ca_key());
    EXPECT_NE(root.certificate().ca_key(), a_root("Other", {}, "Root").certificate().ca_key());
}

TEST(Certificate, KeepsNamesThatNobodyShouldUse) {
    EXPECT_EQ(handmade({.name = "Grün, & \"Co\"+"}).subject(), R"(CN=Grün\, & \"Co\"\+)");
    EXPECT_EQ(handmade({.name = std::string("a\0b", 3), .key_name = "k"}).common_name(),
              std::nullopt);
    EXPECT_THAT(handmade({.name = "a\nb", .key_name = "k"}).subject(), HasSubstr("\\0A"));
    const Certificate nameless = handmade({.name = "", .key_name = "k"});
    EXPECT_EQ(nameless.subject(), "");
    EXPECT_EQ(nameless.subject_normalised(), "");
    EXPECT_EQ(nameless.common_name(), std::nullopt);
}

TEST(Certificate, IsReadFromDerAlone) {
    const Certificate certificate = a_root("Root").certificate();
    Bytes der(certificate.der().begin(), certificate.der().end());
    const auto reason = [](const Bytes& bytes) {
        const auto parsed = Certificate::parse_der(bytes);
        return parsed ? "" : parsed.error().reason;
    };
    EXPECT_EQ(reason(der), "");
    Bytes trailing = der;
    trailing.push_back(0);
    EXPECT_EQ(reason(trailing), "trailing-bytes");
    Bytes cut{der.begin(), der.end() - 1};
    EXPECT_EQ(reason(cut), "malformed-certificate");
    EXPECT_EQ(reason({}), "malformed-certificate");
    // The outer length in more octets than it needs is BER, not DER.
    Bytes longer{0x30, 0x83, 0x00, der[2], der[3]};
    ASSERT_EQ(der[1], 0x82);
    longer.insert(longer.end(), der.begin() + 4, der.end());
    EXPECT_EQ(reason(longer), "malformed-certificate");
    EXPECT_EQ(reason(Bytes(limits::certificate_bytes_max + 1)), "certificate-too-large");
    EXPECT_EQ(reason(Bytes(limits::certificate_bytes_max)), "malformed-certificate");
}

TEST(Certificate, SurvivesAnyChangedByte) {
    const Certificate certificate =
        handmade({.name = "dev-1",
                  .extensions = {{NID_subject_alt_name, "DNS:a.example,IP:192.0.2.1"},
                                 {NID_name_constraints, "permitted;email:.example.com"},
                                 {NID_certificate_policies, "1.2.3"},
                                 {NID_ext_key_usage, "clientAuth"}}});
    ScriptedEntropy chance{1};
    const AnchorSet anchors{{certificate}};
    for (std::size_t at = 0; at < certificate.der().size(); ++at) {
        Bytes der(certificate.der().begin(), certificate.der().end());
        std::array<std::uint8_t, 1> change{};
        chance.fill(change);
        der[at] = static_cast<std::uint8_t>(der[at] ^ (change[0] | 1));
        if (const auto parsed = Certificate::parse_der(der)) {
            PathRules rules;
            rules.at = today;
            EXPECT_FALSE(verify_path({*parsed, {}, nullptr, anchors}, rules).valid) << at;
            EXPECT_NE(parsed->sha256(), certificate.sha256()) << at;
        }
    }
}

// --- keys and signatures -------------------------------------------------------------------------

Certificate with_key(const char* kind, int bits) {
    const PkeyHandle key{std::string_view{kind} == "EC"
                             ? EVP_EC_gen(bits == 224 ? "P-224" : "P-521")
                             : EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t(bits))};
    const X509Handle copy{X509_dup(a_root("Root").certificate().native())};
    X509_set_pubkey(copy.get(), key.get());
    X509_sign(copy.get(), key_named("Root").native(), EVP_sha256());
    return Certificate::share(copy.get()).value();
}

TEST(Certificate, KnowsStrongKeysFromWeak) {
    const std::vector<std::tuple<const char*, int, const char*, bool>> table{
        {"RSA", 2048, "RSA 2048", true},
        {"RSA", 1024, "RSA 1024", false},
        {"EC", 521, "P-521", true},
        {"EC", 224, "P-224", false},
    };
    for (const auto& [kind, bits, name, strong] : table) {
        const Certificate certificate = with_key(kind, bits);
        EXPECT_EQ(certificate.key().name, name);
        EXPECT_EQ(certificate.key().bits, bits);
        EXPECT_EQ(certificate.parsed().key_strong, strong) << name;
    }
}

/// Whoever chooses the parameters can own the key (CVE-2020-0601).
TEST(Certificate, RefusesCurvesSpelledOut) {
    const PkeyHandle key{EVP_EC_gen("P-256")};
    EVP_PKEY_set_utf8_string_param(key.get(), OSSL_PKEY_PARAM_EC_ENCODING, "explicit");
    const X509Handle copy{X509_dup(a_root("Root").certificate().native())};
    ASSERT_EQ(X509_set_pubkey(copy.get(), key.get()), 1);
    ASSERT_GT(X509_sign(copy.get(), key_named("Root").native(), EVP_sha256()), 0);
    const Certificate certificate = Certificate::share(copy.get()).value();
    EXPECT_EQ(certificate.key().kind, KeyKind::ec);
    EXPECT_FALSE(certificate.parsed().key_strong);
}

/// With an exponent of 1 every message is its own signature.
TEST(Certificate, RefusesAnRsaExponentOfOne) {
    const PkeyHandle rsa{EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048})};
    const X509Handle copy{X509_dup(a_root("Root").certificate().native())};
    ASSERT_EQ(X509_set_pubkey(copy.get(), rsa.get()), 1);
    ASSERT_GT(X509_sign(copy.get(), key_named("Root").native(), EVP_sha256()), 0);
    Bytes der;
    {
        const Certificate sound = Certificate::share(copy.get()).value();
        EXPECT_TRUE(sound.parsed().key_strong);
        der.assign(sound.der().begin(), sound.der().end());
    }
    // INTEGER 65537 becomes an INTEGER of the same length... 1 would be shorter: take 65536, even.
    const Bytes exponent{0x02, 0x03, 0x01, 0x00, 0x01};
    const auto found = std::search(der.begin(), der.end(), exponent.begin(), exponent.end());
    ASSERT_NE(found, der.end());
    *(found + 4) = 0x00;
    EXPECT_FALSE(Certificate::parse_der(der).value().parsed().key_strong);
}

TEST(Certificate, KnowsStrongSignaturesFromWeak) {
    EXPECT_TRUE(handmade({.name = "a", .hash = EVP_sha384()}).parsed().signature.strong);
    EXPECT_TRUE(handmade({.name = "a", .hash = EVP_sha224()}).parsed().signature.strong);
    EXPECT_FALSE(handmade({.name = "a", .hash = EVP_sha1()}).parsed().signature.strong);
}

// --- extensions ----------------------------------------------------------------------------------

std::vector<std::string> flaws(const Handmade& wanted) {
    std::vector<std::string> words;
    const Certificate certificate = handmade(wanted);
    for (const auto& flaw : certificate.parsed().extensions.flaws) {
        words.push_back(std::string{to_string(flaw.fault)} + ": " + flaw.detail);
    }
    return words;
}

TEST(Extensions, AreReadOnceAndTheirFlawsKept) {
    EXPECT_THAT(flaws({.extensions = {{NID_basic_constraints, "critical,CA:TRUE,pathlen:3"},
                                      {NID_key_usage, "keyCertSign"}}}),
                IsEmpty());
    EXPECT_THAT(
        flaws({.extensions = {{NID_netscape_comment, "critical,hello"}}}),
        ElementsAre("unknown-critical-extension: nsComment is critical and not known here"));
    EXPECT_THAT(flaws({.extensions = {{NID_netscape_comment, "hello"}}}), IsEmpty());
    EXPECT_THAT(flaws({.extensions = {{NID_key_usage, "keyCertSign"},
                                      {NID_key_usage, "digitalSignature"}}}),
                ElementsAre("duplicate-extension: keyUsage stands there twice"));
    EXPECT_THAT(flaws({.extensions = {{NID_basic_constraints, "DER:3000AA"}}}),
                ElementsAre("malformed-extension: basicConstraints cannot be read"))
        << "bytes left over";
    EXPECT_THAT(flaws({.extensions = {{NID_basic_constraints, "DER:30060101FF0201FF"}}}),
                ElementsAre("malformed-extension: basicConstraints cannot be read"))
        << "a negative pathLenConstraint";
    EXPECT_THAT(flaws({.extensions = {{NID_name_constraints, "DER:3000"}}}),
                ElementsAre("malformed-extension: nameConstraints cannot be read"));
    EXPECT_THAT(flaws({.extensions = {{NID_policy_mappings, "1.2.3:2.5.29.32.0"}}}),
                ElementsAre("malformed-extension: policyMappings cannot be read"))
        << "any-policy is not mapped to";
    EXPECT_THAT(flaws({.extensions = {{NID_key_usage, "keyCertSign"}}, .version = 1}),
                ElementsAre("malformed-extension: extensions need X.509 version 3"));
}

/// BoringSSL's suite has such a chain: "unknown-critical-policy-qualifier".
TEST(Extensions, RefuseAnUnknownQualifierOfCriticalPoliciesOnly) {
    const std::string unknown = "DER:3013301106022A03300B300906032A03040C026869";
    EXPECT_THAT(flaws({.extensions = {{NID_certificate_policies, "critical," + unknown}}}),
                ElementsAre("unknown-critical-extension: certificatePolicies is critical and its "
                            "qualifier 1.2.3.4 not known here"));
    EXPECT_THAT(flaws({.extensions = {{NID_certificate_policies, unknown}}}), IsEmpty());
    const std::string known =
        "critical,DER:301A301806022A0330123010"
        "06082B06010505070201160468747470";
    EXPECT_THAT(flaws({.extensions = {{NID_certificate_policies, known}}}), IsEmpty());
}

TEST(Extensions, CountWhatIsTooLargeToCount) {
    const Certificate certificate = handmade(
        {.extensions = {{NID_basic_constraints, "DER:300F0101FF020A00FFFFFFFFFFFFFFFFFF"}}});
    const auto& extensions = certificate.parsed().extensions;
    ASSERT_TRUE(extensions.basic_constraints.has_value());
    EXPECT_GT(extensions.basic_constraints->path_length, 1'000'000U);
}

}  // namespace
}  // namespace rollcall::x509
