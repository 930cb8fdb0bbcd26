// SPDX-License-Identifier: Apache-2.0
#include "x509/legacy_keys.hpp"

#include "x509/authority.hpp"
#include "x509/openssl.hpp"
#include "x509/signature_checker.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

namespace rollcall::x509 {
namespace {

TimePoint day(const char* text) {
    return parse_iso8601(text).value();
}

PkeyHandle generate(int kind, const std::function<void(EVP_PKEY_CTX*)>& choose) {
    const PkeyContextHandle context{EVP_PKEY_CTX_new_id(kind, nullptr)};
    EVP_PKEY_keygen_init(context.get());
    choose(context.get());
    EVP_PKEY* key = nullptr;
    EVP_PKEY_keygen(context.get(), &key);
    return PkeyHandle{key};
}

PkeyHandle ec_key(int curve) {
    return generate(EVP_PKEY_EC, [curve](EVP_PKEY_CTX* context) {
        EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, curve);
    });
}
PkeyHandle spelt_out_p256() {
    return generate(EVP_PKEY_EC, [](EVP_PKEY_CTX* context) {
        EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1);
        EVP_PKEY_CTX_set_ec_param_enc(context, OPENSSL_EC_EXPLICIT_CURVE);
    });
}
PkeyHandle compressed_p256() {
    PkeyHandle key = ec_key(NID_X9_62_prime256v1);
    EVP_PKEY_set_utf8_string_param(key.get(), OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                   OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_COMPRESSED);
    return key;
}
PkeyHandle rsa_key(int bits, int kind = EVP_PKEY_RSA) {
    return generate(
        kind, [bits](EVP_PKEY_CTX* context) { EVP_PKEY_CTX_set_rsa_keygen_bits(context, bits); });
}
PkeyHandle plain_key(int kind) {
    return generate(kind, [](EVP_PKEY_CTX*) {});
}

/// A self-signed certificate for any key OpenSSL can make.
Bytes self_signed(EVP_PKEY* key, const EVP_MD* digest) {
    const X509Handle made{X509_new()};
    X509_set_version(made.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 7);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("k"), 1, -1, 0);
    X509_set_issuer_name(made.get(), X509_get_subject_name(made.get()));
    ASN1_TIME_set_string(X509_getm_notBefore(made.get()), "20300101000000Z");
    ASN1_TIME_set_string(X509_getm_notAfter(made.get()), "20400101000000Z");
    X509_set_pubkey(made.get(), key);
    X509_sign(made.get(), key, digest);
    unsigned char* bytes = nullptr;
    const int size = i2d_X509(made.get(), &bytes);
    const Bytes der{bytes, bytes + size};
    OPENSSL_free(bytes);
    return der;
}

/// Everything about a certificate that depends on how its key is read.
struct Verdict {
    bool parsed = false;
    std::string key{};
    bool key_usable = false;
    int signature = 0;     ///< of the certificate under its own key
    bool checked = false;  ///< what our own search says of it
    std::string printed{};
    Bytes encoded{};
    int equal = 0;  ///< to the key that is read from `encoded`
    int bits = 0;
    int size = 0;

    bool operator==(const Verdict&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Verdict& verdict) {
    return out << verdict.parsed << " '" << verdict.key << "' " << verdict.key_usable << " "
               << verdict.signature << " " << verdict.equal << " " << verdict.bits << " "
               << verdict.size << " " << to_hex(verdict.encoded) << "\n"
               << verdict.printed;
}

std::string printed(EVP_PKEY* key) {
    const BioHandle text{BIO_new(BIO_s_mem())};
    EVP_PKEY_print_public(text.get(), key, 2, nullptr);
    return written(text.get());
}

Bytes encoded(EVP_PKEY* key) {
    unsigned char* bytes = nullptr;
    const int size = i2d_PUBKEY(key, &bytes);
    const Bytes der{bytes, bytes + std::max(size, 0)};
    OPENSSL_free(bytes);
    return der;
}

PkeyHandle read_key(const Bytes& der) {
    const unsigned char* at = der.data();
    return PkeyHandle{d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size()))};
}

void describe(EVP_PKEY* key, Verdict& verdict) {
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC) {  // of RSA keys the headings differ
        verdict.printed = printed(key);
    }
    verdict.encoded = encoded(key);
    const PkeyHandle again = read_key(verdict.encoded);
    verdict.equal = again ? EVP_PKEY_eq(key, again.get()) : 0;
    verdict.bits = EVP_PKEY_get_bits(key);
    verdict.size = EVP_PKEY_get_size(key);
}

Verdict judge(const Bytes& der) {
    Verdict verdict;
    const auto certificate = Certificate::parse_der(der);
    if (certificate) {
        verdict.parsed = true;
        verdict.key = certificate->key().name;
        EVP_PKEY* const key = X509_get0_pubkey(certificate->native());
        verdict.key_usable = key != nullptr;
        verdict.signature = key == nullptr ? 0 : X509_verify(certificate->native(), key);
        if (key != nullptr) {
            describe(key, verdict);
        }
        SignatureChecker checker{1, nullptr};
        verdict.checked =
            checker.check(*certificate, *certificate, false) == SignatureChecker::Outcome::good;
        EXPECT_EQ(verdict.checked, verdict.signature == 1) << verdict.key;
    }
    forget_openssl_errors();
    return verdict;
}

class LegacyKeys : public ::testing::Test {
protected:
    ~LegacyKeys() override { use_decoded_keys(); }

    static Verdict judge_decoded(const Bytes& der) {
        use_decoded_keys();
        return judge(der);
    }
    static Verdict judge_legacy(const Bytes& der) {
        use_legacy_keys();
        return judge(der);
    }
};

struct Kind {
    const char* name;
    Bytes der;
    bool good = true;
};

std::vector<Kind> kinds_of_keys() {
    const EVP_MD* sha256 = EVP_sha256();
    return {
        {"P-256", self_signed(ec_key(NID_X9_62_prime256v1).get(), sha256)},
        {"P-384", self_signed(ec_key(NID_secp384r1).get(), sha256)},
        {"P-521", self_signed(ec_key(NID_secp521r1).get(), sha256)},
        {"secp256k1", self_signed(ec_key(NID_secp256k1).get(), sha256)},
        {"brainpool", self_signed(ec_key(NID_brainpoolP256r1).get(), sha256)},
        {"P-224", self_signed(ec_key(NID_secp224r1).get(), sha256)},
        {"P-256, spelt out", self_signed(spelt_out_p256().get(), sha256)},
        {"P-256, compressed", self_signed(compressed_p256().get(), sha256)},
        {"RSA 1024", self_signed(rsa_key(1024).get(), sha256)},
        {"RSA 2048, SHA-1", self_signed(rsa_key(2048).get(), EVP_sha1())},
        {"RSA-PSS", self_signed(rsa_key(2048, EVP_PKEY_RSA_PSS).get(), sha256)},
        {"Ed25519", self_signed(plain_key(EVP_PKEY_ED25519).get(), nullptr)},
        {"Ed448", self_signed(plain_key(EVP_PKEY_ED448).get(), nullptr)},
    };
}

TEST_F(LegacyKeys, AreInUseOnThisLibraryOrNotNeeded) {
    EXPECT_EQ(use_legacy_keys(), OpenSSL_version_num() < 0x30200000UL);
}

TEST_F(LegacyKeys, GiveTheSameVerdictOnEveryKindOfKey) {
    for (const auto& [name, der, good] : kinds_of_keys()) {
        const Verdict decoded = judge_decoded(der);
        EXPECT_TRUE(decoded.parsed && decoded.key_usable && decoded.signature == 1) << name;
        EXPECT_EQ(judge_legacy(der), decoded) << name;
        EXPECT_EQ(decoded.equal, 1) << name;
    }
}

/// Where the SubjectPublicKeyInfo lies in a certificate.
std::pair<std::size_t, std::size_t> key_place(const Bytes& der) {
    const auto certificate = Certificate::parse_der(der).value();
    unsigned char* bytes = nullptr;
    const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate.native()), &bytes);
    const auto found = std::search(der.begin(), der.end(), bytes, bytes + size);
    OPENSSL_free(bytes);
    return {static_cast<std::size_t>(found - der.begin()), static_cast<std::size_t>(size)};
}

TEST_F(LegacyKeys, GiveTheSameVerdictOnEveryKeyWithABrokenBit) {
    for (const auto& kind : kinds_of_keys()) {
        const auto [start, size] = key_place(kind.der);
        ASSERT_LE(start + size, kind.der.size());
        // All of the algorithm and the key's framing; of long keys' inner bytes some.
        for (std::size_t at = start; at < start + size; at += at < start + 40 ? 1 : 13) {
            for (int bit = 0; bit < 8; bit += 3) {
                Bytes broken = kind.der;
                broken[at] = static_cast<std::uint8_t>(broken[at] ^ (1U << bit));
                EXPECT_EQ(judge_legacy(broken), judge_decoded(broken))
                    << kind.name << " byte " << at - start << " bit " << bit;
            }
        }
    }
}

TEST_F(LegacyKeys, RefuseEverySignatureWithABrokenBitAndEveryOtherText) {
    for (const auto& kind : kinds_of_keys()) {
        const auto [start, size] = key_place(kind.der);
        const Bytes seven{V_ASN1_INTEGER, 1, 7};  // the serial number, before every other such
        const auto found =
            std::search(kind.der.begin(), kind.der.end(), seven.begin(), seven.end());
        ASSERT_NE(found, kind.der.end()) << kind.name;
        for (std::size_t at = start + size; at < kind.der.size(); at += 3) {
            Bytes broken = kind.der;
            broken[at] ^= 0x10U;
            EXPECT_FALSE(judge_legacy(broken).checked) << kind.name << " byte " << at;
            EXPECT_EQ(judge_legacy(broken), judge_decoded(broken)) << kind.name << " byte " << at;
        }
        Bytes other = kind.der;
        other[static_cast<std::size_t>(found - kind.der.begin()) + 2] = 8;
        EXPECT_TRUE(judge_legacy(other).parsed) << kind.name;
        EXPECT_FALSE(judge_legacy(other).checked) << kind.name;
    }
}

TEST_F(LegacyKeys, TellKeysApart) {
    use_legacy_keys();
    const auto read = [](const PkeyHandle& made) { return read_key(encoded(made.get())); };
    const PkeyHandle made = ec_key(NID_X9_62_prime256v1);
    const PkeyHandle key = read(made);
    EXPECT_EQ(EVP_PKEY_eq(key.get(), read(made).get()), 1);
    EXPECT_EQ(EVP_PKEY_eq(key.get(), read(ec_key(NID_X9_62_prime256v1)).get()), 0);
    EXPECT_NE(EVP_PKEY_eq(key.get(), read(ec_key(NID_secp256k1)).get()), 1);
    EXPECT_NE(EVP_PKEY_eq(key.get(), read(rsa_key(2048)).get()), 1);
}

TEST_F(LegacyKeys, VerifyAndSignWhatTheOtherWayMade) {
    ScriptedEntropy entropy{3};
    for (const KeyType type : {KeyType::p256, KeyType::p384, KeyType::rsa2048, KeyType::ed25519}) {
        use_decoded_keys();
        const auto key = PrivateKey::generate(type).value();
        const IssuanceProfile root{.common_name = "Root",
                                   .not_before = day("2030-01-01"),
                                   .not_after = day("2040-01-01"),
                                   .kind = IssuanceProfile::Kind::root};
        const auto issued = issue_self_signed(root, key, entropy).value();
        const Bytes der{issued.certificate.der().begin(), issued.certificate.der().end()};

        use_legacy_keys();
        const auto again = PrivateKey::parse_pem(key.pem()).value();
        EXPECT_TRUE(again.belongs_to(Certificate::parse_der(der).value())) << to_string(type);
        EXPECT_EQ(printed(again.native()).find("priv"), std::string::npos) << to_string(type);
        const auto legacy_made = issue_self_signed(root, again, entropy).value();
        const auto fresh = PrivateKey::generate(type).value();
        const auto fresh_made = issue_self_signed(root, fresh, entropy).value();

        for (const auto* made : {&legacy_made, &fresh_made}) {
            const Bytes bytes{made->certificate.der().begin(), made->certificate.der().end()};
            EXPECT_EQ(judge_decoded(bytes).signature, 1) << to_string(type);
            EXPECT_EQ(judge_legacy(bytes).signature, 1) << to_string(type);
        }
    }
}

}  // namespace
}  // namespace rollcall::x509
