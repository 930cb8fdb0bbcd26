// SPDX-License-Identifier: Apache-2.0
// Ed25519 (RFC 8032) with a key that is made from 32 secret bytes: what the server signs so that
// others can check it who have no secret of its.
#pragma once

#include "base/bytes.hpp"

namespace rollcall::x509 {

/// What others know the key by: its 32 bytes, as RFC 8032 has them.
Digest public_key_of(const Digest& secret);

/// 64 bytes.
Bytes sign(const Digest& secret, ByteView bytes);

/// False too for a signature or a public key that is none.
bool is_signed(const Digest& public_key, ByteView bytes, ByteView signature);

}  // namespace rollcall::x509
