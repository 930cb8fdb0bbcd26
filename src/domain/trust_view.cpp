// SPDX-License-Identifier: Apache-2.0
#include "domain/attestation.hpp"

namespace rollcall::domain {

TrustView::TrustView(TrustRecords records) : records_(std::move(records)) {
    for (const auto& ca : records_.cas) {
        cas_by_id_.emplace(ca.id, &ca);
        cas_by_digest_.emplace(ca.certificate.sha256(), &ca);
        known_cas_.add(ca.certificate);
        stored_.add(ca.certificate);
        if (ca.verified) {
            anchors_.add(ca.certificate);
        }
    }
    for (const auto& intermediate : records_.seen_intermediates) {
        stored_.add(intermediate);
    }
    for (const auto& distrusted : records_.distrusted) {
        distrusted_.insert(distrusted.spki);
        if (distrusted.certificate) {
            known_cas_.add(*distrusted.certificate);
        }
    }
    for (const auto& group : records_.groups) {
        groups_by_instance_.emplace(group.instance, &group);
        if (group.keys) {
            key_groups_.push_back(&group);
        }
        for (const Slot slot : both_slots) {
            const auto place = [&](const std::optional<CaId>& id, bool pending) {
                if (const auto* const found = id ? ca(*id) : nullptr) {
                    places_.emplace(found->certificate.ca_key(),
                                    Place{&group, slot, found, pending});
                }
            };
            place(group.at(slot).current, false);
            place(group.at(slot).pending, true);
        }
    }
}

std::vector<TrustView::Place> TrustView::places_of(const x509::CaKey& key) const {
    std::vector<Place> found;
    const auto [first, last] = places_.equal_range(key);
    for (auto it = first; it != last; ++it) {
        found.push_back(it->second);
    }
    return found;
}

const EnrollmentGroup* TrustView::group(const EntryRef& entry) const {
    const auto found = groups_by_instance_.find(entry.instance);
    return found == groups_by_instance_.end() ? nullptr : found->second;
}

const CaCertificate* TrustView::ca(const CaId& id) const {
    const auto found = cas_by_id_.find(id);
    return found == cas_by_id_.end() ? nullptr : found->second;
}

const CaCertificate* TrustView::ca_of(const x509::Certificate& certificate) const {
    const auto found = cas_by_digest_.find(certificate.sha256());
    return found == cas_by_digest_.end() ? nullptr : found->second;
}

}  // namespace rollcall::domain
