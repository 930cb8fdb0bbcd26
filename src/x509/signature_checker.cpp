// SPDX-License-Identifier: Apache-2.0
#include "x509/signature_checker.hpp"

#include "x509/crl.hpp"
#include "x509/digest.hpp"
#include "x509/parsed.hpp"

#include <algorithm>

namespace rollcall::x509 {
namespace {

/// What can be told without arithmetic.
bool could_have_signed(const Certificate& issuer, const SignatureForm& signature) {
    return signature.consistent && signature.key_kind == issuer.key().kind &&
           signature.key_kind != KeyKind::other && public_key(issuer) != nullptr;
}

/// What the signature is over: the first element of the outer sequence (RFC 5280 section 4.1.1.1),
/// as it was sent. Empty for what is no certificate.
ByteView to_be_signed(ByteView certificate) {
    const auto enter = [](const unsigned char*& at, const unsigned char* end) {
        long size = 0;
        int tag = 0;
        int tag_class = 0;
        const int form = ASN1_get_object(&at, &size, &tag, &tag_class, end - at);
        return form == V_ASN1_CONSTRUCTED && tag == V_ASN1_SEQUENCE ? size : -1L;
    };
    const unsigned char* at = certificate.data();
    if (enter(at, at + certificate.size()) < 0) {
        return {};
    }
    const auto start = static_cast<std::size_t>(at - certificate.data());
    const long size = enter(at, certificate.data() + certificate.size());
    const auto end = static_cast<std::size_t>(at - certificate.data()) +
                     static_cast<std::size_t>(std::max(size, 0L));
    return size < 0 ? ByteView{} : certificate.subspan(start, end - start);
}

/// X509_verify for ECDSA over SHA-256, without the contexts that it makes and throws away: they
/// cost two fifths of the arithmetic.
bool verified_directly(const Certificate& certificate, EVP_PKEY* key) {
    const ASN1_BIT_STRING* signature = nullptr;
    X509_get0_signature(&signature, nullptr, certificate.native());
    const ByteView signed_part = to_be_signed(certificate.der());
    constexpr long unused_bits = 0x07;
    if (signed_part.empty() || (signature->flags & unused_bits) != 0) {
        return false;
    }
    const Digest digest = sha256(signed_part);
    const PkeyContextHandle context{EVP_PKEY_CTX_new(key, nullptr)};
    return context && EVP_PKEY_verify_init(context.get()) == 1 &&
           EVP_PKEY_verify(context.get(), signature->data,
                           static_cast<std::size_t>(signature->length), digest.bytes.data(),
                           digest.bytes.size()) == 1;
}

bool verified(const Certificate& certificate, EVP_PKEY* key) {
    return certificate.parsed().signature.ecdsa_with_sha256 &&
                   EVP_PKEY_get_base_id(key) == EVP_PKEY_EC
               ? verified_directly(certificate, key)
               : X509_verify(certificate.native(), key) == 1;
}

}  // namespace

SignatureChecker::Outcome SignatureChecker::check(const Certificate& certificate,
                                                  const Certificate& issuer, bool lasting) {
    if (!could_have_signed(issuer, certificate.parsed().signature)) {
        return Outcome::bad;
    }
    const Pair pair{certificate.sha256(), issuer.spki_sha256()};
    if (const auto found = known_.find(pair); found != known_.end()) {
        return found->second ? Outcome::good : Outcome::bad;
    }
    if (lasting && memory_ != nullptr && memory_->knows(pair.first, pair.second)) {
        known_.emplace(pair, true);
        return Outcome::good;
    }
    if (spent_ >= checks_max_) {
        return Outcome::unaffordable;
    }
    ++spent_;
    const bool good = verified(certificate, public_key(issuer));
    if (!good) {
        forget_openssl_errors();
    }
    known_.emplace(pair, good);
    if (good && lasting && memory_ != nullptr) {
        memory_->remember(pair.first, pair.second);
    }
    return good ? Outcome::good : Outcome::bad;
}

SignatureChecker::Outcome SignatureChecker::check(const Crl& crl, const Certificate& signer) {
    if (!could_have_signed(signer, crl.parsed().signature)) {
        return Outcome::bad;
    }
    const Pair pair{crl.parsed().sha256, signer.spki_sha256()};
    if (const auto found = known_.find(pair); found != known_.end()) {
        return found->second ? Outcome::good : Outcome::bad;
    }
    if (spent_ >= checks_max_) {
        return Outcome::unaffordable;
    }
    ++spent_;
    const bool good = X509_CRL_verify(crl.parsed().native.get(), public_key(signer)) == 1;
    if (!good) {
        forget_openssl_errors();
    }
    known_.emplace(pair, good);
    return good ? Outcome::good : Outcome::bad;
}

}  // namespace rollcall::x509
