// SPDX-License-Identifier: Apache-2.0
// What kind of key and signature a certificate has, and whether PRODUCT section 3.7 lets them
// stand on a path. Inside x509 only.
#pragma once

#include "x509/certificate.hpp"
#include "x509/openssl.hpp"
#include "x509/parsed.hpp"

namespace rollcall::x509 {

struct JudgedKey {
    KeyDescription description;
    bool strong = false;
};

/// Strong: RSA of 2048 bits and more with an odd exponent above 1, a named curve of 256 bits and
/// more, Ed25519, Ed448. Curves spelled out by their parameters are never strong: whoever writes
/// the parameters can own the key (CVE-2020-0601).
JudgedKey judge_key(const X509* certificate);

/// Reads an AlgorithmIdentifier pair of a certificate or CRL.
SignatureForm signature_form(const X509_ALGOR* outer, const X509_ALGOR* inner);

}  // namespace rollcall::x509
