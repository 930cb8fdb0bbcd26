// SPDX-License-Identifier: Apache-2.0
#include "x509/digest.hpp"

#include "x509/openssl.hpp"

#include <openssl/hmac.h>

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
    // HMAC() takes a null key as "the one before"; an empty key must still be a key.
    static constexpr std::uint8_t nothing = 0;
    Digest digest;
    unsigned int size = 0;
    const auto* made =
        HMAC(EVP_sha256(), key.empty() ? &nothing : key.data(), static_cast<int>(key.size()),
             bytes.data(), bytes.size(), digest.bytes.data(), &size);
    INVARIANT(made != nullptr && size == digest.bytes.size());
    return digest;
}

}  // namespace rollcall::x509
