// SPDX-License-Identifier: Apache-2.0
// Makes certificates: roots, intermediates, leaves, verification certificates, server
// certificates. Used by `rollcall pki`, the demo, tests and the server's own local CA.
#pragma once

#include "x509/certificate.hpp"
#include "x509/key.hpp"

#include <optional>
#include <string>
#include <vector>

namespace rollcall::x509 {

/// What a certificate to be made says. Times are written as given, also in the past or future.
struct IssuanceProfile {
    std::string common_name;
    std::string organization{};  ///< O=, left out when empty
    TimePoint not_before;
    TimePoint not_after;
    enum class Kind { root, intermediate, device, server, verification } kind = Kind::device;
    std::optional<int> path_length{};         ///< pathLenConstraint of a CA
    std::vector<std::string> dns_names{};     ///< subjectAltName of a server
    std::vector<std::string> ip_addresses{};  ///< the same, textual IPv4/IPv6
    /// EKU of a leaf, names as in RFC 5280 section 4.2.1.12 ("clientAuth", "anyExtendedKeyUsage")
    /// or dotted OIDs. Empty: clientAuth for devices and verification, serverAuth for servers.
    /// {"none"}: no such extension.
    std::vector<std::string> extended_key_usage{};
    std::vector<std::string> permitted_dns_subtrees{};  ///< nameConstraints of a CA
};

struct Issued {
    Certificate certificate;
    PrivateKey key;
};

/// A self-signed certificate (a root, or a device's own). malformed where the profile cannot be
/// written down: a CA without a common name, a name above RFC 5280's upper bound, not_after before
/// not_before, a year outside 0000 to 9999, an unknown EKU, a bad DNS name or address.
Result<Issued> issue_self_signed(const IssuanceProfile& profile, const PrivateKey& key,
                                 Entropy& entropy);

/// Signed by `issuer`. SHA-256 for P-256 and RSA, SHA-384 for P-384; random 128-bit serial;
/// subject and authority key identifiers. conflict ("wrong-key") where `issuer_key` is not the
/// issuer's. Whether the issuer may issue is not asked: tests make wrong chains with it.
Result<Certificate> issue(const IssuanceProfile& profile, const PrivateKey& subject_key,
                          const Certificate& issuer, const PrivateKey& issuer_key,
                          Entropy& entropy);

/// `subject` again: same subject, key and extensions, with a new serial, other dates or another
/// signer (renewal, cross-certificate). For a self-signed one `issuer` is `subject` itself.
Result<Certificate> reissue(const Certificate& subject, TimePoint not_before, TimePoint not_after,
                            const Certificate& issuer, const PrivateKey& issuer_key,
                            Entropy& entropy);

}  // namespace rollcall::x509
