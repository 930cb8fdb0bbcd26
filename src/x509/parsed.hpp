// SPDX-License-Identifier: Apache-2.0
// What a Certificate holds, for x509's own units.
#pragma once

#include "base/bytes.hpp"
#include "x509/certificate.hpp"
#include "x509/extensions.hpp"
#include "x509/openssl.hpp"

#include <optional>
#include <string>

namespace rollcall::x509 {

/// How a signature was made, as far as the rules ask.
struct SignatureForm {
    std::string name;
    /// The kind of key that makes such signatures.
    KeyKind key_kind = KeyKind::other;
    /// A hash of 224 bits or more, or a scheme that hashes inside (EdDSA).
    bool strong = false;
    /// RFC 5280 section 4.1.1.2: the algorithm outside the signature equals the one under it.
    bool consistent = false;
};

struct Certificate::Parsed {
    X509Handle native;
    Bytes der;
    Digest sha256;
    Digest spki_sha256;
    std::string subject_normalised;
    std::string issuer_normalised;
    std::optional<std::string> common_name;
    std::vector<std::string> subject_emails;
    int version = 1;
    TimePoint not_before;
    TimePoint not_after;
    KeyDescription key;
    /// Strong enough to stand on a path (PRODUCT section 3.7).
    bool key_strong = false;
    SignatureForm signature;
    Extensions extensions;
};

/// The public key for signature checks; nullptr when it could not be decoded.
EVP_PKEY* public_key(const Certificate& certificate);

}  // namespace rollcall::x509
