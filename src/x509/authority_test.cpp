// SPDX-License-Identifier: Apache-2.0
#include "x509/authority.hpp"

#include "x509/openssl.hpp"

#include <cstdlib>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>

namespace rollcall::x509 {
namespace {

using Kind = IssuanceProfile::Kind;

TimePoint day(const char* text) {
    return parse_iso8601(text).value();
}

IssuanceProfile a_profile(Kind kind, const std::string& name) {
    return IssuanceProfile{.common_name = name,
                           .not_before = day("2030-01-01"),
                           .not_after = day("2040-01-01"),
                           .kind = kind};
}

PrivateKey a_key(KeyType type = KeyType::p256) {
    return PrivateKey::generate(type).value();
}

/// The extension as OpenSSL prints it, "critical" first where it is; empty where absent.
std::string extension(const Certificate& certificate, int nid) {
    const int place = X509_get_ext_by_NID(certificate.native(), nid, -1);
    if (place < 0) {
        return "";
    }
    X509_EXTENSION* found = X509_get_ext(certificate.native(), place);
    const BioHandle bio{BIO_new(BIO_s_mem())};
    X509V3_EXT_print(bio.get(), found, 0, 0);
    return (X509_EXTENSION_get_critical(found) ? "critical " : "") + written(bio.get());
}

std::string octets(const ASN1_OCTET_STRING* text) {
    return text == nullptr ? ""
                           : to_hex({ASN1_STRING_get0_data(text),
                                     static_cast<std::size_t>(ASN1_STRING_length(text))});
}

std::string subject_key_id(const Certificate& certificate) {
    return octets(X509_get0_subject_key_id(certificate.native()));
}

std::string authority_key_id(const Certificate& certificate) {
    return octets(X509_get0_authority_key_id(certificate.native()));
}

bool signature_verifies(const Certificate& certificate, const Certificate& issuer) {
    const bool verifies = X509_verify(certificate.native(), X509_get0_pubkey(issuer.native())) == 1;
    ERR_clear_error();
    return verifies;
}

class Authority : public ::testing::Test {
protected:
    ScriptedEntropy entropy_{7};
    Issued root_ = issue_self_signed(a_profile(Kind::root, "Root"), a_key(), entropy_).value();
};

TEST_F(Authority, RootSaysWhatACaSays) {
    const auto& root = root_.certificate;
    EXPECT_EQ(root.subject(), "CN=Root");
    EXPECT_TRUE(root.self_issued());
    EXPECT_EQ(root.version(), 3);
    EXPECT_EQ(root.not_before(), day("2030-01-01"));
    EXPECT_EQ(root.not_after(), day("2040-01-01"));
    EXPECT_EQ(extension(root, NID_basic_constraints), "critical CA:TRUE");
    EXPECT_EQ(extension(root, NID_key_usage), "critical Certificate Sign, CRL Sign");
    EXPECT_EQ(extension(root, NID_ext_key_usage), "");
    EXPECT_EQ(subject_key_id(root).size(), 40U);
    EXPECT_TRUE(signature_verifies(root, root));
    EXPECT_TRUE(root_.key.belongs_to(root));
}

TEST_F(Authority, IntermediateHangsUnderItsIssuer) {
    auto profile = a_profile(Kind::intermediate, "Factory A");
    profile.organization = "Example";
    profile.path_length = 0;
    const auto made = issue(profile, a_key(), root_.certificate, root_.key, entropy_);
    ASSERT_TRUE(made);
    EXPECT_EQ(made->subject(), "O=Example,CN=Factory A");
    EXPECT_EQ(made->issuer(), "CN=Root");
    EXPECT_EQ(extension(*made, NID_basic_constraints), "critical CA:TRUE, pathlen:0");
    EXPECT_EQ(authority_key_id(*made), subject_key_id(root_.certificate));
    EXPECT_TRUE(signature_verifies(*made, root_.certificate));
}

TEST_F(Authority, LeavesByKind) {
    auto server = a_profile(Kind::server, "hub.example");
    server.dns_names = {"hub.example", "*.hub.example"};
    server.ip_addresses = {"127.0.0.1", "::1"};
    const struct {
        IssuanceProfile profile;
        KeyType key;
        const char* key_usage;
        const char* purposes;
        const char* names;
    } cases[] = {
        {a_profile(Kind::device, "dev-1"), KeyType::p256, "critical Digital Signature",
         "TLS Web Client Authentication", ""},
        {a_profile(Kind::verification, "ABC"), KeyType::p256, "critical Digital Signature",
         "TLS Web Client Authentication", ""},
        {server, KeyType::p256, "critical Digital Signature", "TLS Web Server Authentication",
         "DNS:hub.example, DNS:*.hub.example, IP Address:127.0.0.1, "
         "IP Address:0:0:0:0:0:0:0:1"},
        {server, KeyType::rsa2048, "critical Digital Signature, Key Encipherment",
         "TLS Web Server Authentication",
         "DNS:hub.example, DNS:*.hub.example, IP Address:127.0.0.1, "
         "IP Address:0:0:0:0:0:0:0:1"},
    };
    for (const auto& wanted : cases) {
        const auto made =
            issue(wanted.profile, a_key(wanted.key), root_.certificate, root_.key, entropy_);
        ASSERT_TRUE(made);
        EXPECT_EQ(extension(*made, NID_basic_constraints), "critical CA:FALSE");
        EXPECT_EQ(extension(*made, NID_key_usage), wanted.key_usage);
        EXPECT_EQ(extension(*made, NID_ext_key_usage), wanted.purposes);
        EXPECT_EQ(extension(*made, NID_subject_alt_name), wanted.names);
        EXPECT_EQ(authority_key_id(*made), subject_key_id(root_.certificate));
    }
}

TEST_F(Authority, ExtendedKeyUsageIsChosenOrLeftOut) {
    const struct {
        std::vector<std::string> asked;
        const char* printed;
    } cases[] = {
        {{"none"}, ""},
        {{"clientAuth", "serverAuth"},
         "TLS Web Client Authentication, TLS Web Server Authentication"},
        {{"anyExtendedKeyUsage"}, "Any Extended Key Usage"},
        {{"1.2.3.4"}, "1.2.3.4"},
    };
    for (const auto& wanted : cases) {
        auto profile = a_profile(Kind::device, "dev-1");
        profile.extended_key_usage = wanted.asked;
        const auto made = issue(profile, a_key(), root_.certificate, root_.key, entropy_);
        ASSERT_TRUE(made);
        EXPECT_EQ(extension(*made, NID_ext_key_usage), wanted.printed);
    }
}

TEST_F(Authority, NameConstraintsOfACa) {
    auto profile = a_profile(Kind::intermediate, "Fenced");
    profile.permitted_dns_subtrees = {"example.com"};
    const auto made = issue(profile, a_key(), root_.certificate, root_.key, entropy_);
    ASSERT_TRUE(made);
    EXPECT_NE(extension(*made, NID_name_constraints).find("DNS:example.com"), std::string::npos);
    EXPECT_EQ(extension(*made, NID_name_constraints).rfind("critical", 0), 0U);
}

TEST_F(Authority, SignatureFitsTheSigningKey) {
    const struct {
        KeyType key;
        int algorithm;
    } cases[] = {{KeyType::p256, NID_ecdsa_with_SHA256},
                 {KeyType::p384, NID_ecdsa_with_SHA384},
                 {KeyType::rsa2048, NID_sha256WithRSAEncryption},
                 {KeyType::ed25519, NID_ED25519}};
    for (const auto& wanted : cases) {
        const auto made =
            issue_self_signed(a_profile(Kind::root, "R"), a_key(wanted.key), entropy_);
        ASSERT_TRUE(made);
        EXPECT_EQ(X509_get_signature_nid(made->certificate.native()), wanted.algorithm);
        EXPECT_TRUE(signature_verifies(made->certificate, made->certificate));
    }
}

TEST_F(Authority, SerialsAreSixteenOctetsPositiveAndDifferent) {
    std::set<std::string> seen;
    const auto key = a_key();
    for (int i = 0; i < 50; ++i) {
        const auto made =
            issue(a_profile(Kind::device, "d"), key, root_.certificate, root_.key, entropy_);
        ASSERT_TRUE(made);
        EXPECT_EQ(made->serial().size(), 32U) << made->serial();
        EXPECT_LT(made->serial().front(), '8');
        seen.insert(made->serial());
    }
    EXPECT_EQ(seen.size(), 50U);
}

TEST_F(Authority, AnyValidityThatCanBeWritten) {
    const struct {
        const char* not_before;
        const char* not_after;
    } cases[] = {{"1949-12-31T23:59:59Z", "1950-01-01"},
                 {"2049-12-31T23:59:59Z", "2050-01-01"},
                 {"0001-01-01", "9999-12-31T23:59:59Z"},
                 {"2030-01-01", "2030-01-01"}};
    for (const auto& wanted : cases) {
        auto profile = a_profile(Kind::device, "d");
        profile.not_before = day(wanted.not_before);
        profile.not_after = day(wanted.not_after);
        const auto made = issue(profile, a_key(), root_.certificate, root_.key, entropy_);
        ASSERT_TRUE(made) << wanted.not_before;
        EXPECT_EQ(made->not_before(), profile.not_before);
        EXPECT_EQ(made->not_after(), profile.not_after);
    }
}

TEST_F(Authority, RefusesWhatCannotBeWritten) {
    const auto with = [](Kind kind, auto change) {
        auto profile = a_profile(kind, "name");
        change(profile);
        return profile;
    };
    const struct {
        const char* what;
        const char* says;
        IssuanceProfile profile;
    } cases[] = {
        {"a CA without a name", "common name",
         with(Kind::intermediate, [](auto& p) { p.common_name = ""; })},
        {"65 characters", "64",
         with(Kind::device, [](auto& p) { p.common_name = std::string(65, 'x'); })},
        {"not UTF-8", "UTF-8", with(Kind::device, [](auto& p) { p.common_name = "\xff\xfe"; })},
        {"ends before it begins", "before",
         with(Kind::device, [](auto& p) { p.not_after = p.not_before - std::chrono::seconds{1}; })},
        {"year 10000", "9999",
         with(Kind::device,
              [](auto& p) {
                  p.not_after = std::chrono::sys_days{std::chrono::year{10'000} / 1 / 1};
              })},
        {"a leaf's path length", "for a CA only",
         with(Kind::device, [](auto& p) { p.path_length = 1; })},
        {"a negative path length", "from 0",
         with(Kind::intermediate, [](auto& p) { p.path_length = -1; })},
        {"unknown EKU", "clientAuth",
         with(Kind::device, [](auto& p) { p.extended_key_usage = {"client"}; })},
        {"a name that is no purpose", "clientAuth",
         with(Kind::device, [](auto& p) { p.extended_key_usage = {"CN"}; })},
        {"a comma in a DNS name", "DNS name",
         with(Kind::server, [](auto& p) { p.dns_names = {"a.example,b.example"}; })},
        {"not an address", "address",
         with(Kind::server, [](auto& p) { p.ip_addresses = {"localhost"}; })},
    };
    const auto key = a_key();
    for (const auto& wrong : cases) {
        const auto made = issue(wrong.profile, key, root_.certificate, root_.key, entropy_);
        ASSERT_FALSE(made) << wrong.what;
        EXPECT_EQ(made.error().kind, ErrorKind::malformed) << wrong.what;
        EXPECT_THAT(made.error().detail, ::testing::HasSubstr(wrong.says)) << wrong.what;
        EXPECT_EQ(ERR_peek_error(), 0U) << wrong.what;
    }
    auto longest = a_profile(Kind::device, std::string(64, 'x'));
    EXPECT_TRUE(issue(longest, key, root_.certificate, root_.key, entropy_));
}

TEST_F(Authority, RefusesAKeyThatIsNotTheIssuers) {
    const auto made =
        issue(a_profile(Kind::device, "d"), a_key(), root_.certificate, a_key(), entropy_);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().kind, ErrorKind::conflict);
    EXPECT_EQ(made.error().reason, "wrong-key");
}

TEST_F(Authority, ALeafWithoutANameIsAllowed) {
    const auto made =
        issue(a_profile(Kind::device, ""), a_key(), root_.certificate, root_.key, entropy_);
    ASSERT_TRUE(made);
    EXPECT_EQ(made->subject(), "");
    EXPECT_EQ(made->common_name(), std::nullopt);
}

TEST_F(Authority, RenewalKeepsTheAuthority) {
    const auto renewed = reissue(root_.certificate, day("2039-01-01"), day("2050-01-01"),
                                 root_.certificate, root_.key, entropy_);
    ASSERT_TRUE(renewed);
    EXPECT_FALSE(*renewed == root_.certificate);
    EXPECT_EQ(renewed->ca_key(), root_.certificate.ca_key());
    EXPECT_EQ(renewed->not_after(), day("2050-01-01"));
    EXPECT_NE(renewed->serial(), root_.certificate.serial());
    EXPECT_EQ(subject_key_id(*renewed), subject_key_id(root_.certificate));
    EXPECT_EQ(extension(*renewed, NID_basic_constraints), "critical CA:TRUE");
    EXPECT_TRUE(signature_verifies(*renewed, root_.certificate));
}

TEST_F(Authority, CrossCertificateIsTheSameAuthorityUnderAnother) {
    const auto other =
        issue_self_signed(a_profile(Kind::root, "Other Root"), a_key(), entropy_).value();
    const auto crossed = reissue(root_.certificate, day("2030-01-01"), day("2035-01-01"),
                                 other.certificate, other.key, entropy_);
    ASSERT_TRUE(crossed);
    EXPECT_EQ(crossed->ca_key(), root_.certificate.ca_key());
    EXPECT_EQ(crossed->issuer(), "CN=Other Root");
    EXPECT_EQ(authority_key_id(*crossed), subject_key_id(other.certificate));
    EXPECT_TRUE(signature_verifies(*crossed, other.certificate));
    EXPECT_FALSE(signature_verifies(*crossed, root_.certificate));
}

TEST_F(Authority, ReissuedUnderAnotherForgetsTheOldIssuersKeyIdentifier) {
    const auto other =
        issue_self_signed(a_profile(Kind::root, "Other Root"), a_key(), entropy_).value();
    const auto factory = issue(a_profile(Kind::intermediate, "Factory"), a_key(), root_.certificate,
                               root_.key, entropy_)
                             .value();
    const auto moved = reissue(factory, day("2030-01-01"), day("2035-01-01"), other.certificate,
                               other.key, entropy_);
    ASSERT_TRUE(moved);
    EXPECT_EQ(authority_key_id(*moved), subject_key_id(other.certificate));
    EXPECT_EQ(
        X509_get_ext_by_NID(moved->native(), NID_authority_key_identifier,
                            X509_get_ext_by_NID(moved->native(), NID_authority_key_identifier, -1)),
        -1);
}

TEST_F(Authority, ReissuedWithoutAnyExtensionLeftSaysNone) {
    const auto key = a_key();
    const auto factory =
        issue(a_profile(Kind::intermediate, "Factory"), key, root_.certificate, root_.key, entropy_)
            .value();
    const X509Handle bare{X509_dup(factory.native())};
    for (const int nid : {NID_basic_constraints, NID_key_usage, NID_subject_key_identifier}) {
        const ExtensionHandle removed{
            X509_delete_ext(bare.get(), X509_get_ext_by_NID(bare.get(), nid, -1))};
    }
    ASSERT_EQ(X509_get_ext_count(bare.get()), 1);
    ASSERT_GT(X509_sign(bare.get(), key.native(), EVP_sha256()), 0);
    const auto subject = Certificate::share(bare.get());
    ASSERT_TRUE(subject);
    const auto again =
        reissue(*subject, day("2030-01-01"), day("2035-01-01"), *subject, key, entropy_);
    ASSERT_TRUE(again);
    // An empty list may not be written (RFC 5280 section 4.1: SIZE 1..MAX).
    EXPECT_EQ(X509_get0_extensions(again->native()), nullptr);
}

}  // namespace
}  // namespace rollcall::x509
