// SPDX-License-Identifier: Apache-2.0
// Does a certificate speak for a name (RFC 9525)? For `rollcall pki verify` only: devices are known
// by their common name, which no rule here reads.
#pragma once

#include "x509/certificate.hpp"

#include <string_view>

namespace rollcall::x509 {

/// `name`: a DNS name, an IP address or an e-mail address, looked for in subjectAltName; the
/// common name never counts. A star stands for exactly one whole label, the leftmost.
bool speaks_for(const Certificate& certificate, std::string_view name);

}  // namespace rollcall::x509
