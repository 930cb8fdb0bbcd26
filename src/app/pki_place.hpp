// SPDX-License-Identifier: Apache-2.0
// Where `rollcall pki` keeps things: PREFIX.pem (certificate), PREFIX.key (private key, 0600) and
// PREFIX.chain.pem (the certificate and what stands above it, without the root).
#pragma once

#include "base/result.hpp"
#include "x509/certificate.hpp"
#include "x509/key.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace rollcall::app {

struct PkiPlace {
    std::filesystem::path certificate;
    std::filesystem::path key;
    std::filesystem::path chain;
};

/// `prefix` may also be the certificate's own file name (.pem, .crt, .cer).
PkiPlace place_of(const std::string& prefix);

/// A CA that can sign.
struct Signer {
    x509::Certificate certificate;
    x509::PrivateKey key;
    /// What a device below sends after its leaf: this CA and those above it, without the root.
    std::vector<x509::Certificate> chain;
};

/// `issuer` is a prefix or a certificate's file; the key stands beside it unless `key_file` says
/// where. conflict ("wrong-key") where the two do not belong together.
Result<Signer> load_signer(const std::string& issuer, const std::optional<std::string>& key_file);

Result<x509::PrivateKey> load_key(const std::filesystem::path& file);

/// The first certificate of the file.
Result<x509::Certificate> load_certificate(const std::filesystem::path& file);

/// The certificates' PEM blocks one after the other.
std::string bundle(const std::vector<x509::Certificate>& certificates);

}  // namespace rollcall::app
