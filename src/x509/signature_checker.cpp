// SPDX-License-Identifier: Apache-2.0
#include "x509/signature_checker.hpp"

#include "x509/crl.hpp"
#include "x509/parsed.hpp"

namespace rollcall::x509 {
namespace {

/// What can be told without arithmetic.
bool could_have_signed(const Certificate& issuer, const SignatureForm& signature) {
    return signature.consistent && signature.key_kind == issuer.key().kind &&
           signature.key_kind != KeyKind::other && public_key(issuer) != nullptr;
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
    const bool good = X509_verify(certificate.native(), public_key(issuer)) == 1;
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
