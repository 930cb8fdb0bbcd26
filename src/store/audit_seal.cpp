// SPDX-License-Identifier: Apache-2.0
#include "store/audit_seal.hpp"

#include "x509/digest.hpp"
#include "x509/signing.hpp"

namespace rollcall::store {
namespace {

constexpr std::string_view key_purpose = "rollcall audit signing key 1";
constexpr std::string_view seal_format = "rollcall audit seal 1";

/// What is signed: a line for each member, none of which holds a line's end.
std::string signed_text(const AuditSeal& seal) {
    std::string text{seal_format};
    for (const auto& part :
         {std::string{to_string(seal.kind)}, seal.scope, std::to_string(seal.sequence),
          seal.hash.hex(), std::to_string(seal.at.time_since_epoch().count())}) {
        text.append("\n").append(part);
    }
    return text;
}

}  // namespace

std::string_view to_string(AuditSeal::Kind kind) {
    return kind == AuditSeal::Kind::head ? "head" : "checkpoint";
}

AuditSeal sealed(AuditSeal::Kind kind, const std::string& scope, const AuditHead& place,
                 TimePoint at, const Digest& key) {
    const Digest secret = x509::hmac_sha256(key.bytes, as_bytes(key_purpose));
    AuditSeal seal{kind, scope, place.sequence, place.hash, at, x509::public_key_of(secret), {}};
    seal.signature = x509::sign(secret, as_bytes(signed_text(seal)));
    return seal;
}

bool is_genuine(const AuditSeal& seal) {
    return x509::is_signed(seal.public_key, as_bytes(signed_text(seal)), seal.signature);
}

}  // namespace rollcall::store
