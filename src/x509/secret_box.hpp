// SPDX-License-Identifier: Apache-2.0
// SecretBox: secrets that have to be kept in a form they can be used from, sealed with AES-256-GCM
// under a key of the data directory (PRODUCT section 7).
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <string_view>

namespace rollcall::x509 {

class SecretBox {
public:
    /// `secret`: store::DataDirectory::derived_key() for this purpose.
    explicit SecretBox(const Digest& secret);

    /// `context` names the record the secret stands in: what was sealed for one opens in no other.
    /// The nonce is made from secret and context under a key of its own (as in RFC 8452), so that
    /// sealing needs no chance and never uses one twice for different texts.
    Bytes seal(ByteView plain, std::string_view context) const;
    /// internal "cannot-unseal" for what this box did not seal for that context.
    Result<Bytes> open(ByteView sealed, std::string_view context) const;

private:
    Digest cipher_key_;
    Digest nonce_key_;
};

}  // namespace rollcall::x509
