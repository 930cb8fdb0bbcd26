// SPDX-License-Identifier: Apache-2.0
// JSON Web Tokens (RFC 7519) signed with public keys, and the key sets they are checked with
// (RFC 7517). Only what a signature vouches for is let out.
#pragma once

#include "base/result.hpp"
#include "x509/signature_key.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

namespace rollcall::service {

namespace json = boost::json;

/// Base64url without padding (RFC 7515 section 2).
std::string to_base64url(ByteView bytes);
Result<Bytes> parse_base64url(std::string_view text);

/// One public key of a set.
struct SetKey {
    std::string id{};         ///< `kid`; may be empty
    std::string algorithm{};  ///< `alg`: the only one it is for; may be empty
    x509::SignatureKey key;
};
/// The keys that may verify signatures; those of other kinds are left out. malformed
/// "malformed-key-set", too_large.
Result<std::vector<SetKey>> parse_key_set(std::string_view text);

/// Does the set have a key of that id? With an empty one: any key at all.
bool has_key(const std::vector<SetKey>& keys, std::string_view id);
/// `kid` of the token's header, believed by nobody; empty where it has none.
std::string key_id_of(std::string_view token);

/// The claims, once a key of the set fits. Refused are tokens without a signature or by a shared
/// secret (`alg` none, HS256), with an algorithm that is not the key's, and with critical headers.
/// unauthenticated "token-malformed", "token-forged".
Result<json::object> verified_claims(std::string_view token, const std::vector<SetKey>& keys);

}  // namespace rollcall::service
