// SPDX-License-Identifier: Apache-2.0
#include "x509/key_description.hpp"

#include <openssl/ec.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>

namespace rollcall::x509 {
namespace {

constexpr int rsa_bits_min = 2048;
constexpr int curve_bits_min = 256;
constexpr int hash_bytes_min = 28;

std::string object_text(const ASN1_OBJECT* object) {
    const int nid = OBJ_obj2nid(object);
    return nid == NID_undef ? dotted(object) : OBJ_nid2ln(nid);
}

JudgedKey judge_curve_key(EVP_PKEY* key, const X509_ALGOR* algorithm) {
    const ASN1_OBJECT* object = nullptr;
    int parameter_type = V_ASN1_UNDEF;
    const void* parameter = nullptr;
    X509_ALGOR_get0(&object, &parameter_type, &parameter, algorithm);
    if (parameter_type != V_ASN1_OBJECT) {
        return {{KeyKind::ec, 0, "EC key on a curve given by parameters"}, false};
    }
    const int curve = OBJ_obj2nid(static_cast<const ASN1_OBJECT*>(parameter));
    const char* nist = EC_curve_nid2nist(curve);
    KeyDescription description{KeyKind::ec, 0, nist != nullptr ? nist : OBJ_nid2sn(curve)};
    if (curve == NID_undef) {
        description.name = "unknown curve " + dotted(static_cast<const ASN1_OBJECT*>(parameter));
    }
    if (key != nullptr) {
        description.bits = EVP_PKEY_get_bits(key);
    }
    const bool strong = description.bits >= curve_bits_min;
    return {std::move(description), strong};
}

void release_all(STACK_OF(ASN1_TYPE) * values) {
    sk_ASN1_TYPE_pop_free(values, ASN1_TYPE_free);
}

/// An exponent of 1 makes every message its own signature; an even one has no inverse.
bool exponent_sound(const X509_PUBKEY* spki) {
    const unsigned char* at = nullptr;
    int size = 0;
    X509_PUBKEY_get0_param(nullptr, &at, &size, nullptr, spki);
    // RSAPublicKey (RFC 8017 A.1.1) ::= SEQUENCE { modulus INTEGER, exponent INTEGER }.
    const Handle<STACK_OF(ASN1_TYPE), release_all> numbers{
        d2i_ASN1_SEQUENCE_ANY(nullptr, &at, size)};
    if (numbers == nullptr || sk_ASN1_TYPE_num(numbers.get()) != 2) {
        forget_openssl_errors();
        return false;
    }
    const ASN1_TYPE* exponent = sk_ASN1_TYPE_value(numbers.get(), 1);
    if (exponent->type != V_ASN1_INTEGER) {
        return false;
    }
    const BignumHandle value{ASN1_INTEGER_to_BN(exponent->value.integer, nullptr)};
    return value != nullptr && BN_is_odd(value.get()) == 1 && BN_is_one(value.get()) == 0 &&
           BN_is_negative(value.get()) == 0;
}

JudgedKey judge_rsa_key(EVP_PKEY* key, const X509_PUBKEY* spki) {
    const int bits = key != nullptr ? EVP_PKEY_get_bits(key) : 0;
    return {{KeyKind::rsa, bits, "RSA " + std::to_string(bits)},
            bits >= rsa_bits_min && exponent_sound(spki)};
}

/// RFC 8017 A.2.3: the hash is a parameter, SHA-1 when it is left out.
int pss_hash(const X509_ALGOR* algorithm) {
    const ASN1_OBJECT* object = nullptr;
    int type = V_ASN1_UNDEF;
    const void* value = nullptr;
    X509_ALGOR_get0(&object, &type, &value, algorithm);
    if (type != V_ASN1_SEQUENCE) {
        return NID_undef;
    }
    const auto* sequence = static_cast<const ASN1_STRING*>(value);
    const unsigned char* at = ASN1_STRING_get0_data(sequence);
    const Handle<RSA_PSS_PARAMS, RSA_PSS_PARAMS_free> parameters{
        d2i_RSA_PSS_PARAMS(nullptr, &at, ASN1_STRING_length(sequence))};
    if (parameters == nullptr) {
        forget_openssl_errors();
        return NID_undef;
    }
    if (parameters->hashAlgorithm == nullptr) {
        return NID_sha1;
    }
    const ASN1_OBJECT* hash = nullptr;
    X509_ALGOR_get0(&hash, nullptr, nullptr, parameters->hashAlgorithm);
    return OBJ_obj2nid(hash);
}

bool is_strong_hash(int nid) {
    const EVP_MD* method = EVP_get_digestbynid(nid);
    return method != nullptr && EVP_MD_get_size(method) >= hash_bytes_min;
}

KeyKind kind_of_key(int nid) {
    switch (nid) {
        case NID_X9_62_id_ecPublicKey: return KeyKind::ec;
        case NID_rsaEncryption:
        case NID_rsassaPss: return KeyKind::rsa;
        case NID_ED25519: return KeyKind::ed25519;
        case NID_ED448: return KeyKind::ed448;
        case NID_dsa: return KeyKind::dsa;
        default: return KeyKind::other;
    }
}

}  // namespace

JudgedKey judge_key(const X509* certificate) {
    EVP_PKEY* key = X509_get0_pubkey(certificate);
    if (key == nullptr) {
        forget_openssl_errors();
    }
    const X509_PUBKEY* spki = X509_get_X509_PUBKEY(certificate);
    ASN1_OBJECT* object = nullptr;
    X509_ALGOR* algorithm = nullptr;
    X509_PUBKEY_get0_param(&object, nullptr, nullptr, &algorithm, spki);
    const int bits = key != nullptr ? EVP_PKEY_get_bits(key) : 0;
    switch (kind_of_key(OBJ_obj2nid(object))) {
        case KeyKind::ec: return judge_curve_key(key, algorithm);
        case KeyKind::rsa: return judge_rsa_key(key, spki);
        case KeyKind::ed25519: return {{KeyKind::ed25519, bits, "Ed25519"}, key != nullptr};
        case KeyKind::ed448: return {{KeyKind::ed448, bits, "Ed448"}, key != nullptr};
        case KeyKind::dsa: return {{KeyKind::dsa, bits, "DSA " + std::to_string(bits)}, false};
        case KeyKind::other: break;
    }
    return {{KeyKind::other, bits, "unknown key " + object_text(object)}, false};
}

SignatureForm signature_form(const X509_ALGOR* outer, const X509_ALGOR* inner) {
    const ASN1_OBJECT* object = nullptr;
    X509_ALGOR_get0(&object, nullptr, nullptr, outer);
    SignatureForm form{.name = object_text(object),
                       .key_kind = KeyKind::other,
                       .strong = false,
                       .consistent = X509_ALGOR_cmp(outer, inner) == 0};
    const int nid = OBJ_obj2nid(object);
    int hash = NID_undef;
    int key = NID_undef;
    if (OBJ_find_sigid_algs(nid, &hash, &key) != 1) {
        return form;
    }
    form.key_kind = kind_of_key(key);
    const bool hashes_inside = form.key_kind == KeyKind::ed25519 || form.key_kind == KeyKind::ed448;
    form.strong = hashes_inside || is_strong_hash(nid == NID_rsassaPss ? pss_hash(outer) : hash);
    return form;
}

}  // namespace rollcall::x509
