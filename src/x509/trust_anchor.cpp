// SPDX-License-Identifier: Apache-2.0
#include "x509/trust_anchor.hpp"

namespace rollcall::x509 {

CertificateSet::CertificateSet(std::vector<Certificate> certificates) {
    for (const auto& certificate : certificates) {
        add(certificate);
    }
}

void CertificateSet::add(const Certificate& certificate) {
    if (by_digest_.insert(certificate.sha256()).second) {
        by_ca_.emplace(certificate.ca_key(), certificate);
        by_subject_[certificate.subject_normalised()].push_back(certificate);
    }
}

std::span<const Certificate> CertificateSet::with_subject(
    const std::string& normalised_name) const {
    const auto found = by_subject_.find(normalised_name);
    if (found == by_subject_.end()) {
        return {};
    }
    return found->second;
}

const Certificate* CertificateSet::same_ca(const CaKey& key) const {
    const auto found = by_ca_.find(key);
    return found == by_ca_.end() ? nullptr : &found->second;
}

}  // namespace rollcall::x509
