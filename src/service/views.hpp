// SPDX-License-Identifier: Apache-2.0
// Records as an operator sees them: a group with the CAs its slots mean, a CA with the slots that
// use it. Made from one TrustView, so that what is shown together was true together.
#pragma once

#include "domain/attestation.hpp"
#include "store/store.hpp"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace rollcall::service {

struct SlotCertificate {
    CaId id;
    /// None: the record was deleted; the reference dangles and attests nothing.
    std::optional<domain::CaCertificate> ca{};
    /// Devices under it can be attested now. False for a pending one.
    bool attests = false;
};

struct GroupSlotView {
    std::optional<SlotCertificate> current{};
    std::optional<SlotCertificate> pending{};
};

struct GroupView {
    domain::EnrollmentGroup group;
    std::array<GroupSlotView, 2> slots{};

    const GroupSlotView& at(domain::Slot slot) const { return slots[domain::index(slot)]; }
};

struct CaUse {
    GroupId group;
    domain::Slot slot = domain::Slot::primary;
    bool pending = false;
};

struct CaView {
    domain::CaCertificate ca;
    bool attests = false;
    std::vector<CaUse> used_by{};
    /// What is odd about the certificate, at the time of the view.
    std::vector<x509::Finding> findings{};
};

/// Can devices under this CA be attested at `now`: verified or with a path to a verified one,
/// within its validity, not distrusted, and a CA at all.
bool attests_now(const domain::TrustView& trust, const domain::CaCertificate& ca, TimePoint now);

GroupView view_of(const domain::TrustView& trust, const domain::EnrollmentGroup& group,
                  TimePoint now);
CaView view_of(const domain::TrustView& trust, const domain::CaCertificate& ca, TimePoint now);

/// Without case. not_found "group-not-found".
Result<const domain::EnrollmentGroup*> find_group(const domain::TrustView& trust,
                                                  const std::string& id);
/// By id, name or SHA-256. not_found "ca-not-found".
Result<const domain::CaCertificate*> find_ca(const domain::TrustView& trust,
                                             const std::string& text);

/// By the name alone, without case, as facades know them. not_found "ca-not-found".
Result<const domain::CaCertificate*> find_named_ca(const domain::TrustView& trust,
                                                   const std::string& name);

/// not_found "device-not-found".
Error no_device(const std::string& id);

/// In the order of the id without case; those whose id contains `part`, without case.
store::Page<GroupView> groups_page(const domain::TrustView& trust, const store::PageRequest& page,
                                   TimePoint now, const std::string& part = {});
/// In the order of the record's id; those whose name, subject or SHA-256 contains `part`.
store::Page<CaView> cas_page(const domain::TrustView& trust, const store::PageRequest& page,
                             TimePoint now, const std::string& part = {});

/// How many registrations of a group last rested on one certificate in one slot.
struct CertificateAdoption {
    domain::Slot slot = domain::Slot::primary;
    Digest sha256{};
    std::optional<x509::Certificate> certificate{};  ///< where a record of it is left
    enum class Standing : std::uint8_t { current, pending, gone } standing = Standing::gone;
    std::uint64_t devices = 0;
};

/// `counts` joined with what stands in the slots now; certificates nobody uses yet count 0.
std::vector<CertificateAdoption> adoption_of(const domain::TrustView& trust,
                                             const domain::EnrollmentGroup& group,
                                             const std::vector<store::AdoptionCount>& counts);

}  // namespace rollcall::service
