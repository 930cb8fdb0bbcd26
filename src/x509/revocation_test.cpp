// SPDX-License-Identifier: Apache-2.0
#include "support/handmade.hpp"
#include "x509/crl.hpp"
#include "x509/path.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::x509 {
namespace {

using testing::HasSubstr;
using namespace rollcall::test;  // NOLINT: the builders' words are the test's language

struct HandmadeCrl {
    TimePoint this_update = today - 1h;
    TimePoint next_update = today + 1h;
    const Certificate* revoked = nullptr;
    std::vector<std::pair<int, std::string>> extensions{};
    const EVP_MD* hash = EVP_sha256();
    const PrivateKey* signer = nullptr;  ///< the issuer's where there is none
};

Asn1TimeHandle asn1_time(TimePoint at) {
    Asn1TimeHandle time{ASN1_TIME_new()};
    set_time(time.get(), at);
    return time;
}

void add_entry(X509_CRL* list, const Certificate& revoked) {
    Handle<X509_REVOKED, X509_REVOKED_free> entry{X509_REVOKED_new()};
    X509_REVOKED_set_serialNumber(entry.get(), X509_get_serialNumber(revoked.native()));
    X509_REVOKED_set_revocationDate(entry.get(), asn1_time(today - 24h).get());
    X509_CRL_add0_revoked(list, entry.release());
}

Crl a_crl(const Authority& issuer, const HandmadeCrl& wanted = {}) {
    const CrlHandle list{X509_CRL_new()};
    X509_CRL_set_version(list.get(), X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(issuer.certificate().native()));
    X509_CRL_set1_lastUpdate(list.get(), asn1_time(wanted.this_update).get());
    X509_CRL_set1_nextUpdate(list.get(), asn1_time(wanted.next_update).get());
    if (wanted.revoked != nullptr) {
        add_entry(list.get(), *wanted.revoked);
    }
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer.certificate().native(), nullptr, nullptr, list.get(), 0);
    const Handle<CONF, NCONF_free> configuration{NCONF_new(nullptr)};
    X509V3_set_nconf(&context, configuration.get());
    for (const auto& [nid, value] : wanted.extensions) {
        const ExtensionHandle extension{X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str())};
        INVARIANT(extension != nullptr);
        X509_CRL_add_ext(list.get(), extension.get(), -1);
    }
    const PrivateKey& signer = wanted.signer == nullptr ? issuer.key() : *wanted.signer;
    INVARIANT(X509_CRL_sign(list.get(), signer.native(), wanted.hash) > 0);
    unsigned char* der = nullptr;
    const int size = i2d_X509_CRL(list.get(), &der);
    auto crl = Crl::parse_der({der, static_cast<std::size_t>(size)});
    OPENSSL_free(der);
    INVARIANT(crl.has_value());
    return *std::move(crl);
}

/// Root, factory and a device, judged with the lists.
class Revocations : public testing::Test {
protected:
    PathVerdict judged(const std::vector<Crl>& crls) const {
        PathRules rules;
        rules.at = today;
        rules.crls = crls;
        rules.revocation_required = true;
        const std::vector<Certificate> sent{factory.certificate()};
        return verify_path({leaf, sent, nullptr, anchors}, rules);
    }
    std::string reason(const std::vector<Crl>& crls) const { return judged(crls).reason; }
    std::string reason(const HandmadeCrl& factory_list) const {
        return reason({a_crl(root), a_crl(factory, factory_list)});
    }

    const Authority root = a_root("Root");
    const Authority factory = root.intermediate("Factory");
    const Certificate leaf = factory.leaf("dev-1");
    const AnchorSet anchors{{root.certificate()}};
};

TEST_F(Revocations, WantAListForEveryCertificateBelowTheAnchor) {
    EXPECT_EQ(reason({a_crl(root), a_crl(factory)}), "");
    EXPECT_THAT(reason({a_crl(factory)}), HasSubstr("unknown-revocation: CN=Factory"));
    EXPECT_THAT(reason({a_crl(root)}), HasSubstr("unknown-revocation: CN=dev-1"));
    EXPECT_THAT(reason(std::vector<Crl>{}), HasSubstr("unknown-revocation: CN=dev-1"));
}

TEST_F(Revocations, RefuseWhatIsRevoked) {
    EXPECT_THAT(reason({.revoked = &leaf}),
                HasSubstr("revoked: CN=dev-1 was revoked on 2030-06-14T00:00:00Z"));
    EXPECT_THAT(reason({a_crl(root, {.revoked = &factory.certificate()}), a_crl(factory)}),
                HasSubstr("revoked: CN=Factory"));
    const Certificate other = factory.leaf("dev-2");
    EXPECT_EQ(reason({.revoked = &other}), "");
    EXPECT_EQ(reason({a_crl(root, {.revoked = &leaf}), a_crl(factory)}), "")
        << "the serial number on another issuer's list";
}

TEST_F(Revocations, TakeOnlyListsThatAreCurrentAndSigned) {
    const std::vector<std::pair<const char*, HandmadeCrl>> unusable{
        {"of tomorrow", {.this_update = today + 1s}},
        {"of yesterday", {.next_update = today - 1s}},
        {"by another key", {.signer = &root.key()}},
        {"with SHA-1", {.hash = EVP_sha1()}},
        {"unknown and critical", {.extensions = {{NID_crl_number, "critical,DER:020101"}}}},
        {"for CAs only",
         {.extensions = {{NID_issuing_distribution_point, "critical,DER:30038201FF"}}}},
        {"scope unreadable",
         {.extensions = {{NID_issuing_distribution_point, "critical,DER:3000AA"}}}},
    };
    for (const auto& [what, list] : unusable) {
        EXPECT_THAT(reason(list), HasSubstr("unknown-revocation: CN=dev-1")) << what;
    }
    EXPECT_EQ(reason({.this_update = today, .next_update = today}), "") << "both ends inclusive";
    EXPECT_EQ(reason({.extensions = {{NID_crl_number, "DER:020101"}}}), "");
    EXPECT_EQ(reason({.extensions = {{NID_issuing_distribution_point, "critical,DER:30038101FF"}}}),
              "")
        << "for end entities only";
}

TEST_F(Revocations, WantTheRightToSignLists) {
    const Authority mute = a_handmade_ca(
        {.name = "Mute", .issuer = &root, .extensions = {{NID_key_usage, "keyCertSign"}}});
    const Certificate below = handmade({.name = "dev-1", .issuer = &mute});
    PathRules rules;
    rules.at = today;
    const std::vector<Crl> crls{a_crl(root), a_crl(mute)};
    rules.crls = crls;
    const std::vector<Certificate> sent{mute.certificate()};
    const auto verdict = verify_path({below, sent, nullptr, anchors}, rules);
    EXPECT_THAT(verdict.reason, HasSubstr("unknown-revocation: CN=dev-1"));
}

TEST(Crls, AreReadFromPemAndDer) {
    const Authority root = a_root("Root");
    const Crl crl = a_crl(root);
    unsigned char* der = nullptr;
    const int size = i2d_X509_CRL(crl.parsed().native.get(), &der);
    const std::string bytes{reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)};
    OPENSSL_free(der);
    EXPECT_EQ(read_crls(bytes).value().size(), 1U);
    const std::string pem = "text\n-----BEGIN X509 CRL-----\n" + to_base64(as_bytes(bytes)) +
                            "\n-----END X509 CRL-----\n";
    EXPECT_EQ(read_crls(pem + root.certificate().pem() + pem).value().size(), 2U);
    EXPECT_EQ(read_crls(bytes + "x").error().reason, "malformed-crl");
    EXPECT_EQ(read_crls("").error().reason, "malformed-crl");
}

}  // namespace
}  // namespace rollcall::x509
