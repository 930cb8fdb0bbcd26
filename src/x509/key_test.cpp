// SPDX-License-Identifier: Apache-2.0
#include "x509/key.hpp"

#include "base/limits.hpp"
#include "x509/authority.hpp"
#include "x509/openssl.hpp"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/pem.h>

namespace rollcall::x509 {
namespace {

TEST(KeyType, EveryNameReadsBack) {
    for (const auto* name : {"p256", "p384", "rsa2048", "rsa3072", "rsa4096", "ed25519"}) {
        const auto type = parse_key_type(name);
        ASSERT_TRUE(type) << name;
        EXPECT_EQ(to_string(*type), name);
    }
    EXPECT_EQ(parse_key_type("P256").value(), KeyType::p256);
}

TEST(KeyType, OthersAreRefusedWithTheChoice) {
    for (const auto* name : {"", "rsa", "rsa1024", "p-256", "secp256k1"}) {
        const auto type = parse_key_type(name);
        ASSERT_FALSE(type) << name;
        EXPECT_EQ(type.error().kind, ErrorKind::malformed);
        EXPECT_NE(type.error().detail.find("p384"), std::string::npos);
    }
}

TEST(PrivateKey, GeneratesTheKindAskedFor) {
    const struct {
        KeyType type;
        const char* algorithm;
        int bits;
    } cases[] = {{KeyType::p256, "EC", 256},
                 {KeyType::p384, "EC", 384},
                 {KeyType::rsa2048, "RSA", 2048},
                 {KeyType::ed25519, "ED25519", 256}};
    for (const auto& wanted : cases) {
        const auto key = PrivateKey::generate(wanted.type);
        ASSERT_TRUE(key);
        EXPECT_EQ(EVP_PKEY_is_a(key->native(), wanted.algorithm), 1);
        if (wanted.type != KeyType::ed25519) {
            EXPECT_EQ(EVP_PKEY_get_bits(key->native()), wanted.bits);
        }
    }
}

TEST(PrivateKey, PemReadsBackAsTheSameKey) {
    const auto key = PrivateKey::generate(KeyType::p256).value();
    const std::string pem = key.pem();
    EXPECT_EQ(pem.rfind("-----BEGIN PRIVATE KEY-----\n", 0), 0U);
    const auto again = PrivateKey::parse_pem(pem);
    ASSERT_TRUE(again);
    EXPECT_EQ(EVP_PKEY_eq(key.native(), again->native()), 1);
    EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST(PrivateKey, OtherBlocksAroundItAreSkipped) {
    const auto key = PrivateKey::generate(KeyType::ed25519).value();
    const auto again = PrivateKey::parse_pem(
        "some text\n-----BEGIN EC PARAMETERS-----\n"
        "BggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" +
        key.pem() + "null");
    ASSERT_TRUE(again) << again.error().detail;
    EXPECT_EQ(EVP_PKEY_eq(key.native(), again->native()), 1);
}

TEST(PrivateKey, RefusesWhatIsNoneAndSaysWhy) {
    const struct {
        std::string pem;
        const char* reason;
    } cases[] = {
        {"", "no-private-key"},
        {"hello", "no-private-key"},
        {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no-private-key"},
        {"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "malformed-private-key"},
        {"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
         "encrypted-private-key"},
    };
    for (const auto& wrong : cases) {
        const auto key = PrivateKey::parse_pem(wrong.pem);
        ASSERT_FALSE(key) << wrong.pem;
        EXPECT_EQ(key.error().kind, ErrorKind::malformed);
        EXPECT_EQ(key.error().reason, wrong.reason) << wrong.pem;
        EXPECT_EQ(ERR_peek_error(), 0U);
    }
}

TEST(PrivateKey, EncryptedByOpenSslIsRefusedWithoutAskingATerminal) {
    const auto key = PrivateKey::generate(KeyType::p256).value();
    const BioHandle bio{BIO_new(BIO_s_mem())};
    char pass_phrase[] = "secret";
    ASSERT_EQ(PEM_write_bio_PKCS8PrivateKey(bio.get(), key.native(), EVP_aes_128_cbc(), pass_phrase,
                                            6, nullptr, nullptr),
              1);
    const auto refused = PrivateKey::parse_pem(written(bio.get()));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().reason, "encrypted-private-key");
}

TEST(PrivateKey, SizeIsBounded) {
    const auto key = PrivateKey::generate(KeyType::p256).value();
    const std::string pem = key.pem();
    std::string file(limits::private_key_file_bytes_max - pem.size() - 1, 'x');
    file += "\n" + pem;
    EXPECT_EQ(file.size(), limits::private_key_file_bytes_max);
    EXPECT_TRUE(PrivateKey::parse_pem(file));
    const auto refused = PrivateKey::parse_pem("x" + file);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::too_large);
}

TEST(PrivateKey, KnowsItsCertificate) {
    ScriptedEntropy entropy{1};
    const auto key = PrivateKey::generate(KeyType::p256).value();
    const auto other = PrivateKey::generate(KeyType::p256).value();
    const auto other_kind = PrivateKey::generate(KeyType::rsa2048).value();
    const IssuanceProfile profile{.common_name = "dev-1",
                                  .not_before = parse_iso8601("2030-01-01").value(),
                                  .not_after = parse_iso8601("2031-01-01").value()};
    const auto issued = issue_self_signed(profile, key, entropy);
    ASSERT_TRUE(issued);
    EXPECT_TRUE(key.belongs_to(issued->certificate));
    EXPECT_FALSE(other.belongs_to(issued->certificate));
    EXPECT_FALSE(other_kind.belongs_to(issued->certificate));
    EXPECT_EQ(key.spki_sha256(), issued->certificate.spki_sha256());
    EXPECT_EQ(key.description(), issued->certificate.key());
    EXPECT_EQ(other_kind.description().name, "RSA 2048");
    EXPECT_EQ(ERR_peek_error(), 0U);
}

}  // namespace
}  // namespace rollcall::x509
