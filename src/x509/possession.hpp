// SPDX-License-Identifier: Apache-2.0
// Proof of possession (PRODUCT section 3.12, spec/dps-service-api.md 2.8): whoever uploads a CA
// certificate shows that it holds the key, by signing our code as a certificate's CN.
#pragma once

#include "x509/certificate.hpp"

#include <chrono>
#include <string>

namespace rollcall::x509 {

/// 48 upper-case hex characters.
std::string new_possession_code(Entropy& entropy);

/// Checks a verification certificate against the CA and the pending code. conflict with a reason
/// otherwise, nothing assumed of extensions or version: "wrong-code" (CN is not the code),
/// "wrong-issuer" (names another issuer, or came through an intermediate), "wrong-key"
/// (signature by another key), "proof-expired", "proof-not-yet-valid".
/// The code is compared in constant time.
Result<Done> check_possession(const Certificate& ca, const std::string& code,
                              const Certificate& proof, TimePoint at,
                              std::chrono::seconds tolerance);

}  // namespace rollcall::x509
