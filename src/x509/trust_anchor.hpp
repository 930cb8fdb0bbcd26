// SPDX-License-Identifier: Apache-2.0
// CertificateSet: certificates found by subject name and by fingerprint, in constant time however
// many there are. Trust anchors and the store of candidates for completion are both such sets.
#pragma once

#include "x509/certificate.hpp"

#include <map>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace rollcall::x509 {

class CertificateSet {
public:
    CertificateSet() = default;
    explicit CertificateSet(std::vector<Certificate> certificates);

    /// Adding the same certificate twice is allowed and changes nothing.
    void add(const Certificate& certificate);

    /// Certificates whose subject matches `issuer_normalised`, in the order of adding.
    std::span<const Certificate> with_subject(const std::string& normalised_name) const;
    bool contains(const Digest& sha256) const { return by_digest_.contains(sha256); }
    /// A certificate of the same authority (subject and key; the first that was added), or nullptr.
    const Certificate* same_ca(const CaKey& key) const;
    std::size_t size() const { return by_digest_.size(); }

private:
    std::unordered_map<std::string, std::vector<Certificate>> by_subject_;
    std::map<CaKey, Certificate> by_ca_;
    std::unordered_set<Digest> by_digest_;
};

/// A certification path may end at any of these. The set says nothing about who verified them.
using AnchorSet = CertificateSet;

}  // namespace rollcall::x509
