// SPDX-License-Identifier: Apache-2.0
#include "x509/signature_key.hpp"

#include "x509/openssl.hpp"

#include <algorithm>
#include <array>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

namespace rollcall::x509 {
namespace {

using ParamsHandle = Handle<OSSL_PARAM, OSSL_PARAM_free>;
using ParamBuilderHandle = Handle<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using DigestContextHandle = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;
using EcdsaHandle = Handle<ECDSA_SIG, ECDSA_SIG_free>;

constexpr int rsa_bits_min = 2048;
constexpr int rsa_bits_max = 16'384;

struct Curve {
    std::string_view word;
    const char* name;
    std::size_t bytes;
};
constexpr std::array curves{Curve{"P-256", "P-256", 32}, Curve{"P-384", "P-384", 48},
                            Curve{"P-521", "P-521", 66}};

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

Result<PkeyHandle> from_params(const char* type, OSSL_PARAM_BLD* builder) {
    const ParamsHandle params{OSSL_PARAM_BLD_to_param(builder)};
    const PkeyContextHandle context{EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr)};
    EVP_PKEY* key = nullptr;
    if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
        return malformed_key();
    }
    return PkeyHandle{key};
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
    const ParamBuilderHandle builder{OSSL_PARAM_BLD_new()};
    if (!builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
        return malformed_key();
    }
    TRY(auto key, from_params("RSA", builder.get()));
    return SignatureKey{std::shared_ptr<EVP_PKEY>{key.release(), EVP_PKEY_free}, ""};
}

Result<SignatureKey> SignatureKey::elliptic(std::string_view curve, ByteView x, ByteView y) {
    for (const auto& each : curves) {
        if (each.word != curve || x.size() != each.bytes || y.size() != each.bytes) {
            continue;
        }
        Bytes point{POINT_CONVERSION_UNCOMPRESSED};
        point.insert(point.end(), x.begin(), x.end());
        point.insert(point.end(), y.begin(), y.end());
        const ParamBuilderHandle builder{OSSL_PARAM_BLD_new()};
        if (!builder ||
            OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, each.name,
                                            0) != 1 ||
            OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                             point.size()) != 1) {
            return malformed_key();
        }
        TRY(auto key, from_params("EC", builder.get()));
        const PkeyContextHandle check{EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr)};
        if (!check || EVP_PKEY_public_check(check.get()) != 1) {
            return malformed_key();
        }
        return SignatureKey{std::shared_ptr<EVP_PKEY>{key.release(), EVP_PKEY_free}, each.word};
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
