// SPDX-License-Identifier: Apache-2.0
#include "x509/signing.hpp"

#include "x509/openssl.hpp"

namespace rollcall::x509 {
namespace {

using DigestContext = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;

constexpr std::size_t signature_bytes = 64;

PkeyHandle secret_key(const Digest& secret) {
    PkeyHandle key{EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, secret.bytes.data(),
                                                secret.bytes.size())};
    INVARIANT(key != nullptr);
    return key;
}

}  // namespace

Digest public_key_of(const Digest& secret) {
    Digest known;
    std::size_t size = known.bytes.size();
    const PkeyHandle key = secret_key(secret);
    const bool done = EVP_PKEY_get_raw_public_key(key.get(), known.bytes.data(), &size) == 1;
    INVARIANT(done && size == known.bytes.size());
    return known;
}

Bytes sign(const Digest& secret, ByteView bytes) {
    const PkeyHandle key = secret_key(secret);
    const DigestContext context{EVP_MD_CTX_new()};
    Bytes signature(signature_bytes);
    std::size_t size = signature.size();
    const bool done =
        context != nullptr &&
        EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
        EVP_DigestSign(context.get(), signature.data(), &size, bytes.data(), bytes.size()) == 1;
    INVARIANT(done && size == signature_bytes);
    return signature;
}

bool is_signed(const Digest& public_key, ByteView bytes, ByteView signature) {
    const PkeyHandle key{EVP_PKEY_new_raw_public_key(
        EVP_PKEY_ED25519, nullptr, public_key.bytes.data(), public_key.bytes.size())};
    const DigestContext context{EVP_MD_CTX_new()};
    const bool sound =
        key != nullptr && context != nullptr && signature.size() == signature_bytes &&
        EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
        EVP_DigestVerify(context.get(), signature.data(), signature.size(), bytes.data(),
                         bytes.size()) == 1;
    forget_openssl_errors();
    return sound;
}

}  // namespace rollcall::x509
