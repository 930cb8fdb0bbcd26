// SPDX-License-Identifier: Apache-2.0
// The one place that uses the engine interface, which OpenSSL 3 deprecates.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "x509/legacy_keys.hpp"

#include "x509/openssl.hpp"
#include "x509/standing_curves.hpp"

#include <array>
#include <atomic>

#include <openssl/crypto.h>
#include <openssl/engine.h>
#include <openssl/evp.h>
#include <openssl/objects.h>

namespace rollcall::x509 {

#ifdef OPENSSL_NO_ENGINE

bool use_legacy_keys() {
    return false;
}
void use_decoded_keys() {}
evp_pkey_st* settled(evp_pkey_st* key) {
    return key;
}

#else

namespace {

constexpr unsigned long mended_in = 0x30200000UL;

std::atomic<bool> in_use{false};

/// Not X25519: key shares made by the older code and those made by the provider do not mix.
constexpr std::array<int, 2> kinds{EVP_PKEY_EC, EVP_PKEY_RSA};

int methods_of(ENGINE*, EVP_PKEY_METHOD** method, const int** listed, int kind) {
    if (method == nullptr) {
        *listed = kinds.data();
        return static_cast<int>(kinds.size());
    }
    *method = const_cast<EVP_PKEY_METHOD*>(EVP_PKEY_meth_find(kind));
    return *method != nullptr ? 1 : 0;
}

int readers_of(ENGINE*, EVP_PKEY_ASN1_METHOD** method, const int** listed, int kind) {
    static constexpr std::array<int, 1> ec{EVP_PKEY_EC};
    if (method == nullptr) {
        *listed = ec.data();
        return static_cast<int>(ec.size());
    }
    *method = kind == EVP_PKEY_EC ? ec_on_standing_curves() : nullptr;
    return *method != nullptr ? 1 : 0;
}

/// The older code asks for a digest by the name that providers have for it. Where that is none of
/// its own names, it goes through all there are, for each signature.
bool name_digests() {
    constexpr int kind = OBJ_NAME_TYPE_MD_METH | OBJ_NAME_ALIAS;
    return OBJ_NAME_add("SHA2-256", kind, SN_sha256) == 1 &&
           OBJ_NAME_add("SHA2-384", kind, SN_sha384) == 1 &&
           OBJ_NAME_add("SHA2-512", kind, SN_sha512) == 1;
}

/// Made at the first use and kept: OpenSSL's table of defaults refers to it.
ENGINE* our_engine() {
    static ENGINE* const engine = []() -> ENGINE* {
        ENGINE* const made = ENGINE_new();
        const bool usable = made != nullptr && ec_on_standing_curves() != nullptr &&
                            ENGINE_set_id(made, "rollcall-legacy-keys") == 1 &&
                            ENGINE_set_name(made, "built-in EC and RSA key methods") == 1 &&
                            ENGINE_set_pkey_meths(made, methods_of) == 1 &&
                            ENGINE_set_pkey_asn1_meths(made, readers_of) == 1 && name_digests();
        if (!usable) {
            ENGINE_free(made);
            forget_openssl_errors();
            return nullptr;
        }
        return made;
    }();
    return engine;
}

}  // namespace

bool use_legacy_keys() {
    if (OpenSSL_version_num() >= mended_in) {
        return false;
    }
    ENGINE* const engine = our_engine();
    if (engine == nullptr || ENGINE_set_default_pkey_meths(engine) != 1 ||
        ENGINE_set_default_pkey_asn1_meths(engine) != 1) {
        use_decoded_keys();
        forget_openssl_errors();
        return false;
    }
    in_use = true;
    return true;
}

void use_decoded_keys() {
    in_use = false;
    if (ENGINE* const engine = our_engine()) {
        ENGINE_unregister_pkey_meths(engine);
        ENGINE_unregister_pkey_asn1_meths(engine);
    }
}

evp_pkey_st* settled(evp_pkey_st* key) {
    if (!in_use) {
        return key;
    }
    PkeyHandle older{EVP_PKEY_new()};
    int done = 0;
    if (EVP_PKEY_is_a(key, "EC") == 1) {
        done = EVP_PKEY_assign_EC_KEY(older.get(), EVP_PKEY_get1_EC_KEY(key));
    } else if (EVP_PKEY_is_a(key, "RSA") == 1) {
        done = EVP_PKEY_assign_RSA(older.get(), EVP_PKEY_get1_RSA(key));
    }
    if (done != 1) {
        forget_openssl_errors();
        return key;
    }
    EVP_PKEY_free(key);
    return older.release();
}

#endif

}  // namespace rollcall::x509
