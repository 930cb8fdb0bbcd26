// SPDX-License-Identifier: Apache-2.0
#include "x509/description.hpp"

#include "x509/authority.hpp"
#include "x509/openssl.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::x509 {
namespace {

using Kind = IssuanceProfile::Kind;
using ::testing::ElementsAre;

Certificate a_certificate(IssuanceProfile profile) {
    ScriptedEntropy entropy{1};
    profile.not_before = parse_iso8601("2030-01-01").value();
    profile.not_after = parse_iso8601("2031-01-01").value();
    const auto key = PrivateKey::generate(KeyType::p256).value();
    return issue_self_signed(profile, key, entropy).value().certificate;
}

TEST(Description, OfACa) {
    IssuanceProfile profile{.common_name = "CA", .not_before = {}, .not_after = {}};
    profile.kind = Kind::root;
    profile.path_length = 2;
    profile.permitted_dns_subtrees = {"example.com"};
    const auto words = describe_extensions(a_certificate(profile));
    EXPECT_EQ(words.ca, true);
    EXPECT_EQ(words.path_length, 2U);
    EXPECT_THAT(words.key_usage, ElementsAre("keyCertSign", "cRLSign"));
    EXPECT_THAT(words.extended_key_usage, ElementsAre());
    EXPECT_THAT(words.name_constraints, ElementsAre("permitted DNS:example.com"));
    EXPECT_EQ(words.subject_key_id.size(), 40U);
    EXPECT_EQ(words.authority_key_id, "");
    EXPECT_THAT(words.all, ElementsAre("basicConstraints (critical)", "keyUsage (critical)",
                                       "nameConstraints (critical)", "subjectKeyIdentifier"));
}

TEST(Description, OfAServer) {
    IssuanceProfile profile{.common_name = "s", .not_before = {}, .not_after = {}};
    profile.kind = Kind::server;
    profile.dns_names = {"a.example"};
    profile.ip_addresses = {"127.0.0.1", "::1"};
    profile.extended_key_usage = {"serverAuth", "1.2.3.4"};
    const auto words = describe_extensions(a_certificate(profile));
    EXPECT_EQ(words.ca, false);
    EXPECT_EQ(words.path_length, std::nullopt);
    EXPECT_THAT(words.key_usage, ElementsAre("digitalSignature"));
    EXPECT_THAT(words.extended_key_usage, ElementsAre("serverAuth", "1.2.3.4"));
    EXPECT_THAT(words.subject_alt_names, ElementsAre("DNS:a.example", "IP:127.0.0.1", "IP:::1"));
}

/// `certificate` with one more extension, as OpenSSL's configuration files spell it.
Certificate with(const Certificate& certificate, int nid, const char* value) {
    const X509Handle changed{X509_dup(certificate.native())};
    const ExtensionHandle extension{X509V3_EXT_conf_nid(nullptr, nullptr, nid, value)};
    EXPECT_NE(extension, nullptr);
    EXPECT_EQ(X509_add_ext(changed.get(), extension.get(), -1), 1);
    const auto key = PrivateKey::generate(KeyType::p256).value();
    EXPECT_GT(X509_sign(changed.get(), key.native(), EVP_sha256()), 0);
    return Certificate::share(changed.get()).value();
}

TEST(Description, StrangersBytesStayVisible) {
    const auto plain = a_certificate({.common_name = "d", .not_before = {}, .not_after = {}});
    const auto words =
        describe_extensions(with(plain, NID_subject_alt_name, "DNS:a\x1b[31mb,URI:urn:\xc3\xa9"));
    EXPECT_THAT(words.subject_alt_names, ElementsAre("DNS:a\\x1b[31mb", "URI:urn:\\xc3\\xa9"));
}

TEST(Description, AddressRangesAndExclusions) {
    const auto plain = a_certificate({.common_name = "d", .not_before = {}, .not_after = {}});
    const auto words = describe_extensions(
        with(plain, NID_name_constraints, "excluded;IP:10.0.0.0/255.0.0.0,permitted;email:a.b"));
    EXPECT_THAT(words.name_constraints,
                ElementsAre("permitted email:a.b", "excluded IP:10.0.0.0/255.0.0.0"));
}

TEST(Description, WithoutExtensionsThereAreNoWords) {
    const X509Handle bare{
        X509_dup(a_certificate({.common_name = "d", .not_before = {}, .not_after = {}}).native())};
    while (X509_get_ext_count(bare.get()) > 0) {
        const ExtensionHandle removed{X509_delete_ext(bare.get(), 0)};
    }
    X509_set_version(bare.get(), X509_VERSION_1);
    const auto key = PrivateKey::generate(KeyType::p256).value();
    ASSERT_GT(X509_sign(bare.get(), key.native(), EVP_sha256()), 0);
    const auto words = describe_extensions(Certificate::share(bare.get()).value());
    EXPECT_EQ(words.ca, std::nullopt);
    EXPECT_THAT(words.all, ElementsAre());
    EXPECT_THAT(words.key_usage, ElementsAre());
}

}  // namespace
}  // namespace rollcall::x509
