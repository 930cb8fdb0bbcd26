// SPDX-License-Identifier: Apache-2.0
#include "x509/signature_key.hpp"

#include "x509/openssl.hpp"

#include <algorithm>
#include <array>

#include <openssl/ec.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>

namespace rollcall::x509 {
namespace {

using SpkiHandle = Handle<X509_PUBKEY, X509_PUBKEY_free>;
using IntegerHandle = Handle<ASN1_INTEGER, ASN1_INTEGER_free>;
using DigestContextHandle = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;
using EcdsaHandle = Handle<ECDSA_SIG, ECDSA_SIG_free>;

constexpr int rsa_bits_min = 2048;
constexpr int rsa_bits_max = 16'384;

struct Curve {
    std::string_view word;
    int id;
    std::size_t bytes;
};
constexpr std::array curves{Curve{"P-256", NID_X9_62_prime256v1, 32},
                            Curve{"P-384", NID_secp384r1, 48}, Curve{"P-521", NID_secp521r1, 66}};

struct Algorithm {
    std::string_view word;
    std::string_view curve;  ///< empty: RSA
    bool pss;
    const char* digest;
};
constexpr std::array algorithms{
    Algorithm{"RS256", "", false, "SHA256"},      Algorithm{"RS384", "", false, "SHA384"},
    Algorithm{"RS512", "", false, "SHA512"},      Algorithm{"PS256", "", true, "SHA256"},
    Algorithm{"PS384", "", true, "SHA384"},       Algorithm{"PS512", "", true, "SHA512"},
    Algorithm{"ES256", "P-256", false, "SHA256"}, Algorithm{"ES384", "P-384", false, "SHA384"},
    Algorithm{"ES512", "P-521", false, "SHA512"}};

Error malformed_key() {
    return openssl_error(ErrorKind::malformed, "this is no public key", "malformed-key");
}

BignumHandle number(ByteView bytes) {
    return BignumHandle{BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr)};
}

/// A key read as those of certificates are (SubjectPublicKeyInfo, RFC 5280 section 4.1.2.7), which
/// holds whichever way keys are read (legacy_keys.hpp), and says no to a point off its curve.
Result<std::shared_ptr<EVP_PKEY>> from_spki(int algorithm, int parameter_type,
                                            ASN1_OBJECT* parameter, const Bytes& key) {
    const SpkiHandle spki{X509_PUBKEY_new()};
    auto* const held = static_cast<unsigned char*>(OPENSSL_memdup(key.data(), key.size()));
    if (!spki || held == nullptr ||
        X509_PUBKEY_set0_param(spki.get(), OBJ_nid2obj(algorithm), parameter_type, parameter, held,
                               static_cast<int>(key.size())) != 1) {
        OPENSSL_free(held);
        return malformed_key();
    }
    unsigned char* der = nullptr;
    const int size = i2d_X509_PUBKEY(spki.get(), &der);
    const unsigned char* at = der;
    EVP_PKEY* const read = size > 0 ? d2i_PUBKEY(nullptr, &at, size) : nullptr;
    OPENSSL_free(der);
    if (read == nullptr) {
        return malformed_key();
    }
    return std::shared_ptr<EVP_PKEY>{read, EVP_PKEY_free};
}

Bytes der_of(const BIGNUM* value) {
    const IntegerHandle integer{BN_to_ASN1_INTEGER(value, nullptr)};
    unsigned char* bytes = nullptr;
    const int size = integer ? i2d_ASN1_INTEGER(integer.get(), &bytes) : 0;
    Bytes der(bytes, bytes + std::max(size, 0));
    OPENSSL_free(bytes);
    return der;
}

/// RSAPublicKey (RFC 8017 appendix A.1.1).
Bytes rsa_public_key(const BIGNUM* modulus, const BIGNUM* exponent) {
    const Bytes n = der_of(modulus);
    const Bytes e = der_of(exponent);
    const int inside = static_cast<int>(n.size() + e.size());
    Bytes der(static_cast<std::size_t>(ASN1_object_size(1, inside, V_ASN1_SEQUENCE)));
    auto* at = der.data();
    ASN1_put_object(&at, 1, inside, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
    at = std::copy(n.begin(), n.end(), at);
    std::copy(e.begin(), e.end(), at);
    return der;
}

/// The DER of a signature that came as two numbers one behind the other (RFC 7518 section 3.4).
/// Empty where it is none.
Bytes der_of(ByteView signature, std::size_t number_bytes) {
    if (signature.size() != 2 * number_bytes) {
        return {};
    }
    auto r = number(signature.first(number_bytes));
    auto s = number(signature.subspan(number_bytes));
    const EcdsaHandle pair{ECDSA_SIG_new()};
    if (!r || !s || !pair || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) {
        return {};
    }
    (void)r.release();  // the pair's
    (void)s.release();
    const int size = i2d_ECDSA_SIG(pair.get(), nullptr);
    Bytes der(static_cast<std::size_t>(std::max(size, 0)));
    auto* at = der.data();
    return i2d_ECDSA_SIG(pair.get(), &at) == size ? der : Bytes{};
}

}  // namespace

Result<SignatureKey> SignatureKey::rsa(ByteView modulus, ByteView exponent) {
    constexpr std::size_t bytes_max = rsa_bits_max / 8 + 1;
    if (modulus.size() > bytes_max || exponent.empty() || exponent.size() > 8) {
        return malformed_key();
    }
    const auto n = number(modulus);
    const auto e = number(exponent);
    if (!n || !e || BN_num_bits(n.get()) < rsa_bits_min) {
        return Error{ErrorKind::forbidden, "an RSA key has at least 2048 bits", "weak-key"};
    }
    if (BN_is_odd(n.get()) != 1 || BN_is_odd(e.get()) != 1 || BN_is_one(e.get()) == 1) {
        return malformed_key();
    }
    const Bytes public_key = rsa_public_key(n.get(), e.get());
    TRY(auto key, from_spki(NID_rsaEncryption, V_ASN1_NULL, nullptr, public_key));
    return SignatureKey{std::move(key), ""};
}

Result<SignatureKey> SignatureKey::elliptic(std::string_view curve, ByteView x, ByteView y) {
    for (const auto& each : curves) {
        if (each.word != curve || x.size() != each.bytes || y.size() != each.bytes) {
            continue;
        }
        Bytes point{POINT_CONVERSION_UNCOMPRESSED};
        point.insert(point.end(), x.begin(), x.end());
        point.insert(point.end(), y.begin(), y.end());
        TRY(auto key,
            from_spki(NID_X9_62_id_ecPublicKey, V_ASN1_OBJECT, OBJ_nid2obj(each.id), point));
        return SignatureKey{std::move(key), each.word};
    }
    return malformed_key();
}

bool SignatureKey::verifies(std::string_view algorithm, ByteView text, ByteView signature) const {
    const auto* const found =
        std::find_if(algorithms.begin(), algorithms.end(),
                     [algorithm](const auto& each) { return each.word == algorithm; });
    if (found == algorithms.end() || found->curve != curve_) {
        return false;
    }
    Bytes der;
    for (const auto& each : curves) {
        if (each.word == curve_) {
            der = der_of(signature, each.bytes);
            signature = der;
        }
    }
    const DigestContextHandle context{EVP_MD_CTX_new()};
    EVP_PKEY_CTX* padding = nullptr;
    bool good = context && EVP_DigestVerifyInit_ex(context.get(), &padding, found->digest, nullptr,
                                                   nullptr, key_.get(), nullptr) == 1;
    if (good && found->pss) {
        good = EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, RSA_PSS_SALTLEN_DIGEST) == 1;
    }
    good = good && !signature.empty() &&
           EVP_DigestVerify(context.get(), signature.data(), signature.size(), text.data(),
                            text.size()) == 1;
    forget_openssl_errors();
    return good;
}

}  // namespace rollcall::x509
