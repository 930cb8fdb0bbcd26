// SPDX-License-Identifier: Apache-2.0
// A method for a kind of key is what OpenSSL 3 deprecates together with the engines that carry it.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "x509/standing_curves.hpp"

#include "x509/openssl.hpp"

#include <array>

#include <openssl/ec.h>
#include <openssl/ecdsa.h>

namespace rollcall::x509 {
namespace {

using Curve = Handle<EC_GROUP, EC_GROUP_free>;
using EcKey = Handle<EC_KEY, EC_KEY_free>;

/// Memory that OpenSSL allocated.
struct Buffer {
    unsigned char* bytes = nullptr;

    Buffer() = default;
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer() { OPENSSL_free(bytes); }
};

/// Null for a curve that devices do not come with.
const EC_GROUP* standing_curve(int nid) {
    static const std::array<Curve, 3> curves{
        Curve{EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1)},
        Curve{EC_GROUP_new_by_curve_name(NID_secp384r1)},
        Curve{EC_GROUP_new_by_curve_name(NID_secp521r1)}};
    for (const auto& curve : curves) {
        if (curve && EC_GROUP_get_curve_name(curve.get()) == nid) {
            return curve.get();
        }
    }
    return nullptr;
}

/// A key without its point; null when its curve cannot be read. By name (RFC 5480 section 2.1.1) or
/// spelt out (RFC 3279 section 2.3.5).
EcKey key_on_curve(const X509_ALGOR* algorithm) {
    int kind = V_ASN1_UNDEF;
    const void* value = nullptr;
    X509_ALGOR_get0(nullptr, &kind, &value, algorithm);
    if (kind == V_ASN1_OBJECT) {
        const int nid = OBJ_obj2nid(static_cast<const ASN1_OBJECT*>(value));
        const EC_GROUP* const standing = standing_curve(nid);
        if (standing == nullptr) {
            return EcKey{EC_KEY_new_by_curve_name(nid)};
        }
        EcKey key{EC_KEY_new()};
        return key && EC_KEY_set_group(key.get(), standing) == 1 ? std::move(key) : EcKey{};
    }
    if (kind == V_ASN1_SEQUENCE) {
        const auto* const spelt_out = static_cast<const ASN1_STRING*>(value);
        const unsigned char* bytes = ASN1_STRING_get0_data(spelt_out);
        return EcKey{d2i_ECParameters(nullptr, &bytes, ASN1_STRING_length(spelt_out))};
    }
    return nullptr;
}

int read_public(EVP_PKEY* into, const X509_PUBKEY* from) {
    const unsigned char* point = nullptr;
    int size = 0;
    X509_ALGOR* algorithm = nullptr;
    if (X509_PUBKEY_get0_param(nullptr, &point, &size, &algorithm, from) != 1) {
        return 0;
    }
    EcKey key = key_on_curve(algorithm);
    if (!key || EC_KEY_oct2key(key.get(), point, static_cast<std::size_t>(size), nullptr) != 1 ||
        EVP_PKEY_assign_EC_KEY(into, key.get()) != 1) {
        return 0;
    }
    static_cast<void>(key.release());  // the key's owner is `into` now
    return 1;
}

int write_public(X509_PUBKEY* into, const EVP_PKEY* from) {
    const EC_KEY* const key = EVP_PKEY_get0_EC_KEY(from);
    const EC_GROUP* const curve = EC_KEY_get0_group(key);
    Buffer point;
    const std::size_t size = EC_KEY_key2buf(key, EC_KEY_get_conv_form(key), &point.bytes, nullptr);
    if (size == 0) {
        return 0;
    }
    const auto put = [&](int kind, void* parameters) {
        const int done = X509_PUBKEY_set0_param(into, OBJ_nid2obj(EVP_PKEY_EC), kind, parameters,
                                                point.bytes, static_cast<int>(size));
        point.bytes = done == 1 ? nullptr : point.bytes;
        return done;
    };
    const int nid = EC_GROUP_get_curve_name(curve);
    if (nid != NID_undef && EC_GROUP_get_asn1_flag(curve) == OPENSSL_EC_NAMED_CURVE) {
        return put(V_ASN1_OBJECT, OBJ_nid2obj(nid));
    }
    Buffer parameters;
    const int length = i2d_ECParameters(key, &parameters.bytes);
    Asn1StringHandle spelt_out{ASN1_STRING_new()};
    if (length <= 0 || !spelt_out ||
        ASN1_STRING_set(spelt_out.get(), parameters.bytes, length) != 1 ||
        put(V_ASN1_SEQUENCE, spelt_out.get()) != 1) {
        return 0;
    }
    static_cast<void>(spelt_out.release());
    return 1;
}

/// 1 equal, 0 not, -2 cannot be told.
int same_public(const EVP_PKEY* one, const EVP_PKEY* other) {
    const EC_KEY* const first = EVP_PKEY_get0_EC_KEY(one);
    const EC_KEY* const second = EVP_PKEY_get0_EC_KEY(other);
    const EC_POINT* const point = EC_KEY_get0_public_key(first);
    const EC_POINT* const other_point = EC_KEY_get0_public_key(second);
    constexpr int unknown = -2;
    if (point == nullptr || other_point == nullptr) {
        return unknown;
    }
    switch (EC_POINT_cmp(EC_KEY_get0_group(second), point, other_point, nullptr)) {
        case 0: return 1;
        case 1: return 0;
        default: return unknown;
    }
}

int print_public(BIO* out, const EVP_PKEY* key, int indent, ASN1_PCTX*) {
    // A key of its own, since of one that has a private half EC_KEY_print tells that too.
    const EC_KEY* const whole = EVP_PKEY_get0_EC_KEY(key);
    const EcKey half{EC_KEY_new()};
    if (!half || EC_KEY_set_group(half.get(), EC_KEY_get0_group(whole)) != 1 ||
        EC_KEY_set_public_key(half.get(), EC_KEY_get0_public_key(whole)) != 1) {
        return 0;
    }
    EC_KEY_set_conv_form(half.get(), EC_KEY_get_conv_form(whole));
    return EC_KEY_print(out, half.get(), indent);
}

int signature_size(const EVP_PKEY* key) {
    return ECDSA_size(EVP_PKEY_get0_EC_KEY(key));
}

int bits(const EVP_PKEY* key) {
    return EC_GROUP_order_bits(EC_KEY_get0_group(EVP_PKEY_get0_EC_KEY(key)));
}

EVP_PKEY_ASN1_METHOD* make_method() {
    const EVP_PKEY_ASN1_METHOD* const theirs = EVP_PKEY_asn1_find(nullptr, EVP_PKEY_EC);
    EVP_PKEY_ASN1_METHOD* const ours =
        EVP_PKEY_asn1_new(EVP_PKEY_EC, 0, "EC", "EC keys on standing curves");
    if (theirs == nullptr || ours == nullptr) {
        EVP_PKEY_asn1_free(ours);
        return nullptr;
    }
    EVP_PKEY_asn1_copy(ours, theirs);
    EVP_PKEY_asn1_set_public(ours, read_public, write_public, same_public, print_public,
                             signature_size, bits);
    return ours;
}

}  // namespace

evp_pkey_asn1_method_st* ec_on_standing_curves() {
    static EVP_PKEY_ASN1_METHOD* const method = make_method();
    return method;
}

}  // namespace rollcall::x509
