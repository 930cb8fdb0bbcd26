// SPDX-License-Identifier: Apache-2.0
// SHA-256 and HMAC-SHA-256, for fingerprints, the audit chain and tokens.
#pragma once

#include "base/bytes.hpp"

namespace rollcall::x509 {

Digest sha256(ByteView bytes);
Digest hmac_sha256(ByteView key, ByteView bytes);

}  // namespace rollcall::x509
