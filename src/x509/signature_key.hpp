// SPDX-License-Identifier: Apache-2.0
// SignatureKey: a public key that came as numbers (JSON Web Keys, RFC 7517), and the signatures of
// JSON Web Signatures (RFC 7518 section 3). Trusts nothing: who the key belongs to is the caller's.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <memory>
#include <string_view>

struct evp_pkey_st;

namespace rollcall::x509 {

class SignatureKey {
public:
    /// Big-endian numbers. malformed "malformed-key"; forbidden "weak-key" under 2048 bits.
    static Result<SignatureKey> rsa(ByteView modulus, ByteView exponent);
    /// `curve` as in JSON Web Keys: "P-256", "P-384", "P-521". malformed "malformed-key" for
    /// another or a point that is not on it.
    static Result<SignatureKey> elliptic(std::string_view curve, ByteView x, ByteView y);

    /// Is `signature` by this key? `algorithm`: RS256, RS384, RS512, PS256, PS384, PS512, ES256,
    /// ES384, ES512. Any other, and one that is not for keys of this kind and curve, is no.
    bool verifies(std::string_view algorithm, ByteView text, ByteView signature) const;

private:
    explicit SignatureKey(std::shared_ptr<evp_pkey_st> key, std::string_view curve)
        : key_(std::move(key)), curve_(curve) {}

    std::shared_ptr<evp_pkey_st> key_;
    std::string_view curve_;  ///< a literal; empty: RSA
};

}  // namespace rollcall::x509
