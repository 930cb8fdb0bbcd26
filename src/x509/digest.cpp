// SPDX-License-Identifier: Apache-2.0
#include "x509/digest.hpp"

#include "x509/openssl.hpp"

#include <openssl/core_names.h>
#include <openssl/params.h>

namespace rollcall::x509 {
namespace {

/// Fetched once: an implicit fetch at every call costs a look-up under a lock.
const EVP_MD* sha256_method() {
    static const EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    INVARIANT(method != nullptr);
    return method;
}

/// One per thread: making a context costs as much as hashing a name.
EVP_MD_CTX* sha256_context() {
    thread_local const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context{EVP_MD_CTX_new()};
    INVARIANT(context != nullptr);
    return context.get();
}

/// One per thread for the same reason, with SHA-256 chosen once: a device's token may be tried
/// against the keys of a hundred groups.
EVP_MAC_CTX* hmac_context() {
    thread_local const Handle<EVP_MAC_CTX, EVP_MAC_CTX_free> context = [] {
        const Handle<EVP_MAC, EVP_MAC_free> method{EVP_MAC_fetch(nullptr, "HMAC", nullptr)};
        Handle<EVP_MAC_CTX, EVP_MAC_CTX_free> made{EVP_MAC_CTX_new(method.get())};
        std::string digest = "SHA256";
        const OSSL_PARAM parameters[] = {
            OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), digest.size()),
            OSSL_PARAM_construct_end()};
        INVARIANT(made != nullptr && EVP_MAC_CTX_set_params(made.get(), parameters) == 1);
        return made;
    }();
    return context.get();
}

}  // namespace

Digest sha256(ByteView bytes) {
    Digest digest;
    unsigned int size = 0;
    EVP_MD_CTX* const context = sha256_context();
    const bool done = EVP_DigestInit_ex2(context, sha256_method(), nullptr) == 1 &&
                      EVP_DigestUpdate(context, bytes.data(), bytes.size()) == 1 &&
                      EVP_DigestFinal_ex(context, digest.bytes.data(), &size) == 1;
    INVARIANT(done && size == digest.bytes.size());
    return digest;
}

Digest hmac_sha256(ByteView key, ByteView bytes) {
    // No key at all means "the one before"; an empty key must still be a key.
    static constexpr std::uint8_t nothing = 0;
    Digest digest;
    std::size_t size = 0;
    EVP_MAC_CTX* const context = hmac_context();
    const bool done =
        EVP_MAC_init(context, key.empty() ? &nothing : key.data(), key.size(), nullptr) == 1 &&
        EVP_MAC_update(context, bytes.data(), bytes.size()) == 1 &&
        EVP_MAC_final(context, digest.bytes.data(), &size, digest.bytes.size()) == 1;
    INVARIANT(done && size == digest.bytes.size());
    return digest;
}

}  // namespace rollcall::x509
