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

}  // namespace

Digest sha256(ByteView bytes) {
    Digest digest;
    unsigned int size = 0;
    const int done = EVP_Digest(bytes.data(), bytes.size(), digest.bytes.data(), &size,
                                sha256_method(), nullptr);
    INVARIANT(done == 1 && size == digest.bytes.size());
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
