// SPDX-License-Identifier: Apache-2.0
#include "x509/secret_box.hpp"

#include "x509/digest.hpp"
#include "x509/openssl.hpp"

#include <algorithm>

namespace rollcall::x509 {
namespace {

/// What was sealed begins with this, so that another scheme can follow one day.
constexpr std::uint8_t scheme = 1;
constexpr std::size_t nonce_size = 12;
constexpr std::size_t tag_size = 16;
constexpr std::size_t head_size = 1 + nonce_size;

using CipherContext = Handle<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;

/// Ready for the text; the context's name is authenticated beside it.
CipherContext begin(const Digest& key, ByteView nonce, ByteView context, bool sealing) {
    CipherContext cipher{EVP_CIPHER_CTX_new()};
    INVARIANT(cipher != nullptr);
    int done = 0;
    const bool ready = EVP_CipherInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key.bytes.data(),
                                         nonce.data(), sealing ? 1 : 0) == 1 &&
                       EVP_CipherUpdate(cipher.get(), nullptr, &done, context.data(),
                                        static_cast<int>(context.size())) == 1;
    INVARIANT(ready);
    return cipher;
}

Error cannot_unseal() {
    return {ErrorKind::internal,
            "a sealed secret cannot be opened: the store was altered, or secret.key is not the one "
            "it was sealed with",
            "cannot-unseal"};
}

}  // namespace

SecretBox::SecretBox(const Digest& secret)
    : cipher_key_(hmac_sha256(secret.bytes, as_bytes("secret box: cipher"))),
      nonce_key_(hmac_sha256(secret.bytes, as_bytes("secret box: nonce"))) {}

Bytes SecretBox::seal(ByteView plain, std::string_view context) const {
    const Digest of_context = sha256(as_bytes(context));
    Bytes named{of_context.bytes.begin(), of_context.bytes.end()};
    named.insert(named.end(), plain.begin(), plain.end());
    const Digest nonce = hmac_sha256(nonce_key_.bytes, named);

    Bytes sealed(head_size + plain.size() + tag_size);
    sealed.front() = scheme;
    std::copy_n(nonce.bytes.begin(), nonce_size, sealed.begin() + 1);
    const auto cipher =
        begin(cipher_key_, ByteView{sealed}.subspan(1, nonce_size), as_bytes(context), true);
    int size = 0;
    auto* const text = sealed.data() + head_size;
    const bool done =
        EVP_CipherUpdate(cipher.get(), text, &size, plain.data(), static_cast<int>(plain.size())) ==
            1 &&
        EVP_CipherFinal_ex(cipher.get(), text + size, &size) == 1 &&
        EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, tag_size, text + plain.size()) == 1;
    INVARIANT(done);
    std::fill(named.begin(), named.end(), std::uint8_t{0});
    return sealed;
}

Result<Bytes> SecretBox::open(ByteView sealed, std::string_view context) const {
    if (sealed.size() < head_size + tag_size || sealed.front() != scheme) {
        return cannot_unseal();
    }
    const auto text = sealed.subspan(head_size, sealed.size() - head_size - tag_size);
    Bytes tag{sealed.end() - tag_size, sealed.end()};
    const auto cipher = begin(cipher_key_, sealed.subspan(1, nonce_size), as_bytes(context), false);
    Bytes plain(text.size());
    int size = 0;
    const bool opened =
        EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, tag_size, tag.data()) == 1 &&
        EVP_CipherUpdate(cipher.get(), plain.data(), &size, text.data(),
                         static_cast<int>(text.size())) == 1 &&
        EVP_CipherFinal_ex(cipher.get(), plain.data() + size, &size) == 1;
    if (!opened) {
        forget_openssl_errors();
        return cannot_unseal();
    }
    return plain;
}

}  // namespace rollcall::x509
