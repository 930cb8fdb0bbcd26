// SPDX-License-Identifier: Apache-2.0
// What a Crl holds (RFC 5280 section 5), and distribution points of certificates. Inside x509 only.
#pragma once

#include "x509/extensions.hpp"
#include "x509/openssl.hpp"
#include "x509/parsed.hpp"
#include "x509/path.hpp"

#include <optional>
#include <string>
#include <vector>

namespace rollcall::x509 {

using CrlHandle = std::unique_ptr<X509_CRL, FreeWith<X509_CRL_free>>;

/// The reasons of RFC 5280 section 4.2.1.13 as bits; a status is known once all are covered.
using Reasons = std::uint32_t;
inline constexpr Reasons all_reasons = 0x1fe;

/// A distribution point's names: form and value, made comparable.
using PointNames = std::vector<std::pair<NameForm, std::string>>;

struct DistributionPoint {
    PointNames names{};
    /// Normal forms of the CRL issuers' names; empty when the certificate's issuer is meant.
    std::vector<std::string> crl_issuers{};
    Reasons reasons = all_reasons;
};

/// issuingDistributionPoint: what the list speaks for (RFC 5280 section 5.2.5).
struct CrlScope {
    PointNames names;
    bool user_certificates_only = false;
    bool ca_certificates_only = false;
    bool attribute_certificates_only = false;
    bool indirect = false;
    Reasons reasons = all_reasons;
};

struct Crl::Parsed {
    CrlHandle native;
    Digest sha256;
    std::string issuer;
    std::string issuer_normalised;
    TimePoint this_update;
    std::optional<TimePoint> next_update;
    SignatureForm signature;
    CrlScope scope;
    /// The scope's own octets: a delta list and its base must have the same.
    Bytes scope_der;
    /// CRL numbers as big-endian octets; deltas name the base they build on.
    std::optional<Bytes> number;
    std::optional<Bytes> delta_base;
    /// Why the list cannot be used; empty when it can.
    std::string flaw;
};

/// cRLDistributionPoints; nullopt when the extension cannot be read. Names relative to the CRL
/// issuer are completed with the certificate's issuer.
std::optional<std::vector<DistributionPoint>> distribution_points(const Certificate& certificate);

enum class EntryKind { none, revoked, removed };

/// What the list says of the certificate: by serial number and, on indirect lists, issuer.
struct CrlEntry {
    EntryKind kind = EntryKind::none;
    std::optional<TimePoint> since;
};
CrlEntry entry_for(const Crl& crl, const Certificate& certificate);

}  // namespace rollcall::x509
