// SPDX-License-Identifier: Apache-2.0
// Makes certificates: roots, intermediates, leaves, verification certificates, server
// certificates. Used by `rollcall pki`, the demo, tests and the server's own local CA.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "x509/certificate.hpp"
#include "x509/key.hpp"

namespace rollcall::x509 {

/// What a certificate to be made says. Times are written as given, also in the past or future.
struct IssuanceProfile {
    std::string common_name;
    std::string organization{};  ///< O=, left out when empty
    TimePoint not_before;
    TimePoint not_after;
    enum class Kind { root, intermediate, device, server, verification } kind = Kind::device;
    std::optional<int> path_length{};        ///< pathLenConstraint of a CA
    std::vector<std::string> dns_names{};    ///< subjectAltName of a server
    std::vector<std::string> ip_addresses{}; ///< the same, textual IPv4/IPv6
    /// EKU of a leaf: clientAuth for devices and serverAuth for servers by default.
    std::vector<std::string> extended_key_usage{};  ///< "clientAuth", "serverAuth", "codeSigning" or an OID
    std::vector<std::string> permitted_dns_subtrees{};  ///< nameConstraints of a CA
};

struct Issued {
    Certificate certificate;
    PrivateKey key;
};

/// A self-signed certificate (a root, or a device's own).
Result<Issued> issue_self_signed(const IssuanceProfile& profile, const PrivateKey& key,
                                 Entropy& entropy);

/// Signed by `issuer`. SHA-256 for P-256 and RSA, SHA-384 for P-384; random 128-bit serial;
/// subject and authority key identifiers.
Result<Certificate> issue(const IssuanceProfile& profile, const PrivateKey& subject_key,
                          const Certificate& issuer, const PrivateKey& issuer_key,
                          Entropy& entropy);

/// The issuer's certificate again, same subject and key, other dates or another signer
/// (renewal, cross-certificate).
Result<Certificate> reissue(const Certificate& subject, TimePoint not_before, TimePoint not_after,
                            const Certificate& issuer, const PrivateKey& issuer_key,
                            Entropy& entropy);

}  // namespace rollcall::x509
