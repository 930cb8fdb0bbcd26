// SPDX-License-Identifier: Apache-2.0
#include "domain/symmetric_key.hpp"

#include "base/limits.hpp"
#include "x509/digest.hpp"

namespace rollcall::domain {
namespace {

/// With a line end, which no registration id has: an id can never be a device's derived key.
constexpr std::string_view id_label = "rollcall symmetric key\n";

Error bad_key() {
    return {ErrorKind::malformed,
            "a symmetric key is " + std::to_string(limits::symmetric_key_bytes_min) + " to " +
                std::to_string(limits::symmetric_key_bytes_max) + " bytes in base64",
            "malformed-key"};
}

}  // namespace

SymmetricKey::SymmetricKey(Bytes bytes) : bytes_(std::move(bytes)) {
    Bytes labelled{as_bytes(id_label).begin(), as_bytes(id_label).end()};
    labelled.insert(labelled.end(), bytes_.begin(), bytes_.end());
    id_ = x509::sha256(labelled);
}

Result<SymmetricKey> symmetric_key_of(Bytes bytes) {
    if (bytes.size() < limits::symmetric_key_bytes_min ||
        bytes.size() > limits::symmetric_key_bytes_max) {
        return bad_key();
    }
    return SymmetricKey{std::move(bytes)};
}

Result<SymmetricKey> parse_symmetric_key(std::string_view base64) {
    auto bytes = parse_base64(base64);
    if (!bytes) {
        return bad_key();
    }
    return symmetric_key_of(std::move(*bytes));
}

SymmetricKey new_symmetric_key(Entropy& entropy) {
    Bytes bytes(limits::symmetric_key_bytes_max);
    entropy.fill(bytes);
    return *symmetric_key_of(std::move(bytes));
}

SymmetricKey derived_device_key(const SymmetricKey& group, const RegistrationId& id) {
    const Digest made = x509::hmac_sha256(group.bytes(), as_bytes(id.str()));
    return SymmetricKey{Bytes{made.bytes.begin(), made.bytes.end()}};
}

}  // namespace rollcall::domain
