// SPDX-License-Identifier: Apache-2.0
// Certificates for tests that x509/authority would not make: weak keys, old hashes, odd curves,
// exact sizes. Ordinary ones come from the authority.
#pragma once

#include "x509/openssl.hpp"

#include <functional>
#include <string>

#include <openssl/ec.h>
#include <openssl/rsa.h>

namespace rollcall::test {

using x509::PkeyContextHandle;
using x509::PkeyHandle;
using x509::X509Handle;

inline PkeyHandle a_key(int kind, const std::function<void(EVP_PKEY_CTX*)>& choose) {
    const PkeyContextHandle context{EVP_PKEY_CTX_new_id(kind, nullptr)};
    EVP_PKEY_keygen_init(context.get());
    choose(context.get());
    EVP_PKEY* key = nullptr;
    EVP_PKEY_keygen(context.get(), &key);
    return PkeyHandle{key};
}
inline PkeyHandle ec_key(int curve) {
    return a_key(EVP_PKEY_EC, [curve](EVP_PKEY_CTX* context) {
        EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, curve);
    });
}
inline PkeyHandle rsa_key(int bits) {
    return a_key(EVP_PKEY_RSA, [bits](EVP_PKEY_CTX* context) {
        EVP_PKEY_CTX_set_rsa_keygen_bits(context, bits);
    });
}
inline PkeyHandle plain_key(int kind) {
    return a_key(kind, [](EVP_PKEY_CTX*) {});
}

struct RawProfile {
    std::string common_name = "raw";
    std::string not_before = "20250101000000Z";
    std::string not_after = "20850101000000Z";
    long version = X509_VERSION_3;
    const EVP_MD* digest = EVP_sha256();  ///< nullptr for Ed25519 and Ed448
    std::string comment{};                ///< an extension of any length
};

/// Self-signed, or signed by `issuer_key` in the name of `issuer`.
inline X509Handle raw_certificate(EVP_PKEY* key, const RawProfile& profile,
                                  const X509* issuer = nullptr, EVP_PKEY* issuer_key = nullptr) {
    static long serial = 0;
    X509Handle made{X509_new()};
    X509_set_version(made.get(), profile.version);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), ++serial);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(profile.common_name.c_str()),
                               -1, -1, 0);
    X509_set_issuer_name(made.get(), X509_get_subject_name(issuer ? issuer : made.get()));
    ASN1_TIME_set_string(X509_getm_notBefore(made.get()), profile.not_before.c_str());
    ASN1_TIME_set_string(X509_getm_notAfter(made.get()), profile.not_after.c_str());
    X509_set_pubkey(made.get(), key);
    if (!profile.comment.empty()) {
        const x509::Asn1StringHandle text{ASN1_STRING_type_new(V_ASN1_OCTET_STRING)};
        ASN1_STRING_set(text.get(), profile.comment.data(), int(profile.comment.size()));
        const x509::Asn1ObjectHandle kind{OBJ_txt2obj("1.3.6.1.4.1.55555.1", 1)};
        const x509::ExtensionHandle extension{
            X509_EXTENSION_create_by_OBJ(nullptr, kind.get(), 0, text.get())};
        X509_add_ext(made.get(), extension.get(), -1);
    }
    X509_sign(made.get(), issuer_key ? issuer_key : key, profile.digest);
    return made;
}

/// A self-signed certificate of exactly `size` bytes (2,000 to 32,000). An RSA signature always
/// has the same length.
inline X509Handle certificate_of_size(EVP_PKEY* rsa, int size) {
    RawProfile profile;
    profile.comment.assign(1000, 'x');
    const X509Handle first = raw_certificate(rsa, profile);
    for (int more = size - i2d_X509(first.get(), nullptr) + 1000; more > 0; --more) {
        profile.comment.assign(std::size_t(more), 'x');
        X509Handle made = raw_certificate(rsa, profile);
        if (i2d_X509(made.get(), nullptr) == size) {
            return made;
        }
    }
    return nullptr;
}

}  // namespace rollcall::test
