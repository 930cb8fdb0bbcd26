// SPDX-License-Identifier: Apache-2.0
// Certificate: immutable, parsed once, cheap to copy (shared). OpenSSL decodes; this unit reads
// every field the path rules need, so that no floor above sees OpenSSL.
#pragma once

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"
#include "base/world.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct x509_st;

namespace rollcall::x509 {

enum class KeyKind { ec, rsa, ed25519, ed448, dsa, other };

/// A public key as an operator reads it.
struct KeyDescription {
    KeyKind kind = KeyKind::other;
    /// RSA and DSA: modulus; curves: field size. 0 where the key cannot be decoded.
    int bits = 0;
    /// "P-256", "RSA 2048", "Ed25519", "unknown key 1.2.3".
    std::string name;

    bool operator==(const KeyDescription&) const = default;
};

/// Identity of a certification authority (PRODUCT section 3.3): equal subject and equal public
/// key. Two certificates with one CaKey are the same authority; a name alone never is.
struct CaKey {
    Digest subject;  ///< SHA-256 of the normalised subject name
    Digest spki;     ///< SHA-256 of the SubjectPublicKeyInfo DER

    auto operator<=>(const CaKey&) const = default;
};

class Certificate {
public:
    /// One DER certificate and nothing after it. malformed ("malformed-certificate") otherwise,
    /// too_large above limits::certificate_bytes_max.
    static Result<Certificate> parse_der(ByteView der);

    /// Shares an OpenSSL certificate that a handshake parsed (its reference count goes up).
    static Result<Certificate> share(x509_st* native);

    ByteView der() const;
    std::string pem() const;
    const Digest& sha256() const;
    /// 40 upper-case hex characters, as Azure's tools print thumbprints.
    std::string sha1_thumbprint() const;
    std::string sha256_thumbprint() const;

    /// "CN=dev-1,O=Example" in the order the certificate has them (as DPS shows subjects). Written
    /// anew at each call: what judges devices compares the normalised names.
    std::string subject() const;
    std::string issuer() const;
    /// The last (most specific) commonName of the subject, as UTF-8; none when absent or
    /// undecodable.
    const std::optional<std::string>& common_name() const;

    /// Names normalised for comparison (RFC 5280 section 7.1: case folded, inner white space
    /// collapsed, string types unified): equal strings are matching names.
    const std::string& subject_normalised() const;
    const std::string& issuer_normalised() const;
    bool self_issued() const { return subject_normalised() == issuer_normalised(); }

    /// Upper-case hex as DPS prints it, at least two characters.
    std::string serial() const;
    /// 1, 2 or 3.
    int version() const;
    TimePoint not_before() const;
    /// Inclusive (RFC 5280 section 4.1.2.5).
    TimePoint not_after() const;

    const KeyDescription& key() const;
    const Digest& spki_sha256() const;
    CaKey ca_key() const;
    /// "ecdsa-with-SHA256" and the like.
    const std::string& signature_algorithm() const;

    /// basicConstraints cA; none when the extension is absent.
    std::optional<bool> ca_flag() const;

    /// The same certificate, byte for byte.
    bool operator==(const Certificate& other) const { return sha256() == other.sha256(); }

    /// What x509's own units read; opaque above this floor.
    struct Parsed;
    const Parsed& parsed() const { return *parsed_; }
    /// For the TLS floor and signature checks; valid as long as this Certificate.
    x509_st* native() const;

private:
    explicit Certificate(std::shared_ptr<const Parsed> parsed) : parsed_(std::move(parsed)) {}
    std::shared_ptr<const Parsed> parsed_;
};

/// What a device sent in its handshake: end entity first as TLS has it, the rest in any order.
struct PeerChain {
    std::vector<Certificate> certificates;

    bool empty() const { return certificates.empty(); }
    const Certificate& end_entity() const { return certificates.front(); }
};

/// Reads an uploaded file or field in any of the spellings clients use: PEM (text around the
/// blocks is skipped, CRLF allowed), DER, base64 of DER, base64 of PEM text
/// (spec/real-clients.md 1.18). In the file's order, duplicates kept.
/// Refused (malformed) with a reason and a message that says what to upload instead:
/// "private-key-uploaded", "pkcs12-uploaded", "pkcs7-uploaded", "request-uploaded" (a CSR),
/// "trailing-bytes", "no-certificate", "malformed-certificate"; too_large beyond
/// `bytes_max` or `count_max` certificates.
Result<std::vector<Certificate>> read_certificates(
    std::string_view file, std::size_t count_max,
    std::size_t bytes_max = limits::certificate_file_bytes_max);

/// As read_certificates, for places that take exactly one ("too-many-certificates" otherwise).
Result<Certificate> read_one_certificate(std::string_view file);

}  // namespace rollcall::x509
