// SPDX-License-Identifier: Apache-2.0
// SymmetricKey: a secret that an entry and its devices share (spec/dps-device-api.md 1.11). Held in
// clear in memory, since tokens are judged by it; sealed in the store (x509/secret_box.hpp). What
// names a key in records, lists and logs is its id.
#pragma once

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/world.hpp"

#include <array>
#include <string>
#include <string_view>

namespace rollcall::domain {

class SymmetricKey {
public:
    /// No key: for members that are filled in later.
    SymmetricKey() = default;

    ByteView bytes() const { return bytes_; }
    /// SHA-256 over a label and the key. Stands where a certificate's digests stand in records.
    const Digest& id() const { return id_; }
    /// As operators and devices are given it.
    std::string base64() const { return to_base64(bytes_); }
    bool operator==(const SymmetricKey& other) const { return id_ == other.id_; }

private:
    explicit SymmetricKey(Bytes bytes);
    friend Result<SymmetricKey> symmetric_key_of(Bytes bytes);
    friend SymmetricKey derived_device_key(const SymmetricKey& group, const RegistrationId& id);

    Bytes bytes_{};
    Digest id_{};
};

/// Both slots of an entry: as in the cloud neither is ever empty.
using SymmetricKeys = std::array<SymmetricKey, 2>;

/// malformed "malformed-key" for fewer than limits::symmetric_key_bytes_min or more than
/// limits::symmetric_key_bytes_max bytes.
Result<SymmetricKey> symmetric_key_of(Bytes bytes);
/// The same from base64, as it stands in a file or a request.
Result<SymmetricKey> parse_symmetric_key(std::string_view base64);
/// 64 bytes, as the cloud makes them.
SymmetricKey new_symmetric_key(Entropy& entropy);
/// The key that a group's device has: HMAC-SHA-256 of the registration id, in lower case, under
/// the group's key.
SymmetricKey derived_device_key(const SymmetricKey& group, const RegistrationId& id);

}  // namespace rollcall::domain
