// SPDX-License-Identifier: Apache-2.0
// Private keys of our own making: test fleets (`rollcall pki`), the server's certificate, later
// the issuing CA. Never logged, never returned by an API; written to disk 0600 only.
#pragma once

#include "base/result.hpp"
#include "x509/certificate.hpp"

#include <memory>
#include <string>
#include <string_view>

struct evp_pkey_st;

namespace rollcall::x509 {

enum class KeyType { p256, p384, rsa2048, rsa3072, rsa4096, ed25519 };

/// "p256", "p384", "rsa2048", "rsa3072", "rsa4096", "ed25519".
Result<KeyType> parse_key_type(std::string_view text);
/// The same word back.
std::string_view to_string(KeyType type);

class PrivateKey {
public:
    static Result<PrivateKey> generate(KeyType type);
    /// PKCS#8 or traditional PEM without a pass phrase; other blocks and text around it are
    /// skipped. malformed otherwise ("encrypted-private-key", "no-private-key",
    /// "malformed-private-key"); never asks a terminal.
    static Result<PrivateKey> parse_pem(std::string_view pem);

    /// PKCS#8 PEM. Whoever calls it writes the file 0600.
    std::string pem() const;
    /// Does this key belong to the certificate?
    bool belongs_to(const Certificate& certificate) const;
    /// What an operator may see of it: kind, size, and the fingerprint that certificates for this
    /// key have as spki_sha256().
    KeyDescription description() const;
    Digest spki_sha256() const;
    evp_pkey_st* native() const { return key_.get(); }

private:
    explicit PrivateKey(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}
    std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace rollcall::x509
