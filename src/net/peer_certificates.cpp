// SPDX-License-Identifier: Apache-2.0
#include "net/peer_certificates.hpp"

#include <algorithm>
#include <optional>

#include <openssl/x509.h>

namespace rollcall::net {
namespace {

std::string_view signature_of(const X509* native) {
    const ASN1_BIT_STRING* signature = nullptr;
    X509_get0_signature(&signature, nullptr, native);
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(signature)),
            static_cast<std::size_t>(ASN1_STRING_length(signature))};
}

bool same_bytes(const X509* native, ByteView der) {
    thread_local Bytes encoded;
    const int size = i2d_X509(native, nullptr);
    if (size <= 0 || static_cast<std::size_t>(size) != der.size()) {
        return false;
    }
    encoded.resize(der.size());
    unsigned char* at = encoded.data();
    i2d_X509(native, &at);
    return std::equal(der.begin(), der.end(), encoded.begin());
}

}  // namespace

PeerCertificates::PeerCertificates(std::size_t generation_max) : generation_max_(generation_max) {}

Result<x509::Certificate> PeerCertificates::intern(x509_st* native) {
    const std::string_view signature = signature_of(native);
    std::optional<x509::Certificate> known;
    {
        const std::lock_guard lock(mutex_);
        if (const auto* found = find(signature)) {
            known = *found;
        }
    }
    if (known && same_bytes(native, known->der())) {
        return *std::move(known);
    }
    TRY(const auto certificate, x509::Certificate::share(native));
    if (!known) {
        const std::lock_guard lock(mutex_);
        keep(signature, certificate);
    }
    return certificate;
}

const x509::Certificate* PeerCertificates::find(std::string_view signature) {
    if (const auto found = young_.find(signature); found != young_.end()) {
        return &found->second;
    }
    const auto found = old_.find(signature);
    if (found == old_.end()) {
        return nullptr;
    }
    const x509::Certificate certificate = found->second;
    keep(signature, certificate);
    return &young_.find(signature)->second;
}

void PeerCertificates::keep(std::string_view signature, const x509::Certificate& certificate) {
    if (young_.size() >= generation_max_) {
        old_ = std::exchange(young_, {});
    }
    young_.emplace(signature, certificate);
}

}  // namespace rollcall::net
