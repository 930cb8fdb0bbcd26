// SPDX-License-Identifier: Apache-2.0
#include "x509/digest_stream.hpp"

#include "x509/openssl.hpp"

namespace rollcall::x509 {

DigestStream::DigestStream() : context_(EVP_MD_CTX_new()) {
    INVARIANT(context_ != nullptr && EVP_DigestInit_ex(context_, EVP_sha256(), nullptr) == 1);
}

DigestStream::~DigestStream() {
    EVP_MD_CTX_free(context_);
}

void DigestStream::add(ByteView bytes) {
    INVARIANT(EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1);
}

Digest DigestStream::finish() {
    Digest digest;
    INVARIANT(EVP_DigestFinal_ex(context_, digest.bytes.data(), nullptr) == 1);
    return digest;
}

}  // namespace rollcall::x509
