// SPDX-License-Identifier: Apache-2.0
// ASN.1 times of certificates and CRLs. Inside x509 only.
#pragma once

#include "base/world.hpp"
#include "x509/openssl.hpp"

#include <optional>

namespace rollcall::x509 {

/// RFC 5280 section 4.1.2.5: YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ and nothing else.
std::optional<TimePoint> read_time(const ASN1_TIME* time);

}  // namespace rollcall::x509
