// SPDX-License-Identifier: Apache-2.0
#include "service/views.hpp"

#include "base/limits.hpp"
#include "domain/slots.hpp"
#include "store/whole_list.hpp"
#include "x509/path.hpp"

#include <algorithm>

namespace rollcall::service {
namespace {

using domain::TrustView;

std::optional<SlotCertificate> slot_certificate(const TrustView& trust,
                                                const std::optional<CaId>& id, bool pending,
                                                TimePoint now) {
    if (!id) {
        return std::nullopt;
    }
    SlotCertificate view{*id};
    if (const auto* const ca = trust.ca(*id)) {
        view.ca = *ca;
        view.attests = !pending && attests_now(trust, *ca, now);
    }
    return view;
}

}  // namespace

namespace {

/// No CA, or a key too weak: as facades take it. Of time the other rules judge, with their skew.
bool could_never_attest(const x509::Certificate& certificate, TimePoint now) {
    const auto findings = x509::examine_ca(certificate, now);
    return std::any_of(findings.begin(), findings.end(), [](const x509::Finding& finding) {
        return finding.gravity == x509::Gravity::fatal && finding.fault != x509::Fault::expired &&
               finding.fault != x509::Fault::not_yet_valid;
    });
}

}  // namespace

bool attests_now(const TrustView& trust, const domain::CaCertificate& ca, TimePoint now) {
    const auto& certificate = ca.certificate;
    return certificate.not_before() <= now + limits::clock_skew && now <= certificate.not_after() &&
           !could_never_attest(certificate, now) &&
           !trust.distrusted().contains(certificate.spki_sha256()) &&
           domain::slot_attests(trust, ca, now);
}

GroupView view_of(const TrustView& trust, const domain::EnrollmentGroup& group, TimePoint now) {
    GroupView view{group};
    for (const auto slot : domain::both_slots) {
        view.slots[domain::index(slot)] = {
            slot_certificate(trust, group.at(slot).current, false, now),
            slot_certificate(trust, group.at(slot).pending, true, now)};
    }
    return view;
}

CaView view_of(const TrustView& trust, const domain::CaCertificate& ca, TimePoint now) {
    CaView view{ca, attests_now(trust, ca, now)};
    for (const auto& place : trust.places_of(ca.certificate.ca_key())) {
        if (place.ca->id == ca.id) {
            view.used_by.push_back({place.group->id, place.slot, place.pending});
        }
    }
    std::sort(view.used_by.begin(), view.used_by.end(), [](const CaUse& a, const CaUse& b) {
        return std::tuple{a.group.str(), a.slot, a.pending} <
               std::tuple{b.group.str(), b.slot, b.pending};
    });
    view.findings = x509::examine_ca(ca.certificate, now);
    return view;
}

Result<const domain::EnrollmentGroup*> find_group(const TrustView& trust, const std::string& id) {
    for (const auto& group : trust.records().groups) {
        if (equal_ignoring_case(group.id.str(), id)) {
            return &group;
        }
    }
    return Error{ErrorKind::not_found, "there is no enrollment group '" + id + "'",
                 "group-not-found"};
}

Result<const domain::CaCertificate*> find_ca(const TrustView& trust, const std::string& text) {
    if (const auto* const by_id = trust.ca(CaId::trusted(text))) {
        return by_id;
    }
    const auto digest = parse_digest(text);
    for (const auto& ca : trust.records().cas) {
        const bool named = !text.empty() && equal_ignoring_case(ca.name, text);
        if (named || (digest && ca.certificate.sha256() == *digest)) {
            return &ca;
        }
    }
    return Error{ErrorKind::not_found,
                 "there is no CA certificate '" + text + "'; give its name, its id or its SHA-256",
                 "ca-not-found"};
}

Error no_device(const std::string& id) {
    return {ErrorKind::not_found,
            "there is no device '" + id + "'; devices become known at their first registration",
            "device-not-found"};
}

Result<const domain::CaCertificate*> find_named_ca(const TrustView& trust,
                                                   const std::string& name) {
    for (const auto& ca : trust.records().cas) {
        if (!name.empty() && equal_ignoring_case(ca.name, name)) {
            return &ca;
        }
    }
    return Error{ErrorKind::not_found, "there is no CA certificate of the name '" + name + "'",
                 "ca-not-found"};
}

store::Page<GroupView> groups_page(const TrustView& trust, const store::PageRequest& page,
                                   TimePoint now, const std::string& part) {
    const auto key_of = [](const auto& group) { return to_lower_ascii(group.id.str()); };
    const auto keep = [&part](const auto& group) { return store::has_part(group.id.str(), part); };
    auto found = store::page_of_whole(trust.records().groups, page, key_of, keep);
    store::Page<GroupView> views{{}, std::move(found.next)};
    for (const auto* const group : found.items) {
        views.items.push_back(view_of(trust, *group, now));
    }
    return views;
}

store::Page<CaView> cas_page(const TrustView& trust, const store::PageRequest& page, TimePoint now,
                             const std::string& part) {
    const auto key_of = [](const auto& ca) { return ca.id.str(); };
    const auto keep = [&part](const auto& ca) {
        return store::has_part(ca.name, part) || store::has_part(ca.certificate.subject(), part) ||
               store::has_part(to_upper_hex(ca.certificate.sha256().bytes), part);
    };
    auto found = store::page_of_whole(trust.records().cas, page, key_of, keep);
    store::Page<CaView> views{{}, std::move(found.next)};
    for (const auto* const ca : found.items) {
        views.items.push_back(view_of(trust, *ca, now));
    }
    return views;
}

std::vector<CertificateAdoption> adoption_of(const TrustView& trust,
                                             const domain::EnrollmentGroup& group,
                                             const std::vector<store::AdoptionCount>& counts) {
    std::vector<CertificateAdoption> adoptions;
    const auto entry = [&adoptions](domain::Slot slot, const Digest& sha256) -> auto& {
        for (auto& adoption : adoptions) {
            if (adoption.slot == slot && adoption.sha256 == sha256) {
                return adoption;
            }
        }
        return adoptions.emplace_back(CertificateAdoption{slot, sha256});
    };
    using Standing = CertificateAdoption::Standing;
    for (const auto slot : domain::both_slots) {
        const auto stands = [&](const std::optional<CaId>& id, Standing standing) {
            if (const auto* const ca = id ? trust.ca(*id) : nullptr) {
                auto& adoption = entry(slot, ca->certificate.sha256());
                adoption.standing = standing;
                adoption.certificate = ca->certificate;
            }
        };
        stands(group.at(slot).current, Standing::current);
        stands(group.at(slot).pending, Standing::pending);
        if (group.keys) {
            entry(slot, group.keys->at(domain::index(slot)).id()).standing = Standing::current;
        }
    }
    for (const auto& count : counts) {
        entry(count.slot, count.ca_sha256).devices = count.devices;
    }
    for (auto& adoption : adoptions) {
        for (const auto& ca : trust.records().cas) {
            if (!adoption.certificate && ca.certificate.sha256() == adoption.sha256) {
                adoption.certificate = ca.certificate;
            }
        }
    }
    return adoptions;
}

}  // namespace rollcall::service
