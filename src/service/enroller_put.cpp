// SPDX-License-Identifier: Apache-2.0
// The enroller's use cases that write an entry as a whole, "make it so": one commit each, whatever
// it changes. What becomes of the slots is domain/entry_put.hpp's.
#include "base/limits.hpp"
#include "domain/key_slots.hpp"
#include "service/enroller_plan.hpp"

namespace rollcall::service {

namespace {

using domain::EnrollmentGroup;
using domain::IndividualEnrollment;

/// Certificates of one upload, as a device may send them; the first counts.
constexpr std::size_t bundle_max = limits::peer_certificates_max;

}  // namespace

Error other_kind(domain::AttestationKind kind) {
    return {ErrorKind::malformed,
            "the enrollment attests by " + std::string{domain::to_string(kind)} +
                ", and that cannot be changed: delete it and make another one",
            "attestation-type"};
}

template <class Entry>
Result<Done> apply_keys(Entry& entry, const std::optional<KeyUploads>& uploads, bool is_new,
                        Entropy& entropy) {
    if (!is_new && entry.keys.has_value() != uploads.has_value()) {
        return other_kind(domain::kind_of(entry));
    }
    if (!uploads) {
        return Done{};
    }
    domain::SymmetricKeys keys;
    for (const auto slot : domain::both_slots) {
        const auto& given = uploads->slots.at(domain::index(slot));
        auto& key = keys.at(domain::index(slot));
        if (!given && entry.keys) {
            key = entry.keys->at(domain::index(slot));
        } else {
            TRY(key, given_or_new(given, entropy));
        }
    }
    entry.keys = keys;
    return Done{};
}

template <class Entry>
void tell_keys(AuditDetail& detail, const Entry& before, const Entry& after) {
    if (!after.keys) {
        return;
    }
    if (!before.keys) {
        detail.text("attestation", domain::to_string(domain::kind_of(after)));
        return;
    }
    for (const auto slot : domain::both_slots) {
        detail.change(shown(slot) + "KeyId",
                      to_upper_hex(before.keys->at(domain::index(slot)).id().bytes),
                      to_upper_hex(after.keys->at(domain::index(slot)).id().bytes));
    }
}

template Result<Done> apply_keys(EnrollmentGroup& entry, const std::optional<KeyUploads>& uploads,
                                 bool is_new, Entropy& entropy);
template Result<Done> apply_keys(IndividualEnrollment& entry,
                                 const std::optional<KeyUploads>& uploads, bool is_new,
                                 Entropy& entropy);
template void tell_keys(AuditDetail& detail, const EnrollmentGroup& before,
                        const EnrollmentGroup& after);
template void tell_keys(AuditDetail& detail, const IndividualEnrollment& before,
                        const IndividualEnrollment& after);

void tell_findings(AuditDetail& detail, const std::vector<x509::Finding>& findings) {
    std::vector<std::string> told;
    for (const auto& finding : findings) {
        if (finding.gravity == x509::Gravity::fatal) {
            told.push_back(finding.detail);
        }
    }
    if (!told.empty()) {
        detail.texts("findings", told);
    }
}

const std::optional<CaId>& shown_in(const domain::GroupSlot& slot) {
    return slot.pending ? slot.pending : slot.current;
}

Result<domain::SlotWishes> read_wishes(const EntryWish& wish) {
    domain::SlotWishes wishes;
    for (const auto slot : domain::both_slots) {
        const WishedSlot& asked = wish.slots.at(domain::index(slot));
        domain::SlotWish& read = wishes.at(domain::index(slot));
        if (const auto* const upload = std::get_if<UploadedCertificate>(&asked)) {
            TRY(const auto bundle, x509::read_certificates(upload->text, bundle_max));
            read = bundle.front();
        } else if (const auto* const kept = std::get_if<domain::KeptCertificate>(&asked)) {
            read = *kept;
        } else if (const auto* const reference = std::get_if<domain::CaReference>(&asked)) {
            read = *reference;
        }
    }
    return wishes;
}

Task<Result<Outcome<GroupView>>> Enroller::put_group(const Order& order, const std::string& id,
                                                     const EntryWish& wish, PutMode mode) {
    CO_TRY([[maybe_unused]] const GroupId group_id, parse_group_id(id));
    CO_TRY(auto slots, read_wishes(wish));
    const Put put{order, wish, mode, id, new_guid(entropy_), std::move(slots)};
    const Planner planner = [&](const Snapshot& snapshot,
                                const domain::Writing& writing) -> Result<Plan> {
        const auto found = find_group(*snapshot.trust, id);
        return plan_put(put, snapshot, found ? *found : nullptr, writing);
    };
    co_return co_await change_group(order, id, planner);
}

Result<Enroller::Plan> Enroller::plan_put(const Put& put, const Snapshot& snapshot,
                                          const EnrollmentGroup* stored,
                                          const domain::Writing& writing) {
    const Error exists{ErrorKind::conflict, "there is an enrollment group '" + put.id + "' already",
                       "group-exists"};
    const Error missing{ErrorKind::not_found, "there is no enrollment group '" + put.id + "'",
                        "group-not-found"};
    TRY([[maybe_unused]] const Done may, may_put(put.order, put.mode, stored, exists, missing));
    const domain::TrustView& trust = *snapshot.trust;
    EnrollmentGroup fresh;
    fresh.id = GroupId::trusted(put.id);
    fresh.instance = put.instance;
    fresh.trust_version = 0;
    fresh.created = writing.now;
    const EnrollmentGroup& before = stored != nullptr ? *stored : fresh;
    EnrollmentGroup edited = before;
    TRY([[maybe_unused]] const Done applied, apply_wish(edited, put.wish));
    TRY([[maybe_unused]] const Done keyed,
        apply_keys(edited, put.wish.keys, stored == nullptr, entropy_));
    if (edited.keys && stored == nullptr) {
        TRY([[maybe_unused]] const Done room, check_room_for_keys(trust));
    }
    TRY(auto outcome, edited.keys ? domain::put_group_keys(trust, before, edited, writing)
                                  : domain::put_group(trust, before, edited, put.slots, writing));
    TRY(Plan plan, plan_slots(trust, before, std::move(outcome)));
    const auto& after = plan.written<domain::PutGroup>()->group;
    plan.changes.moves_anchors |= before.enabled && !after.enabled;
    plan.action = stored == nullptr ? "group.create" : "group.update";
    AuditDetail detail = difference(stored != nullptr ? before : EnrollmentGroup{}, after);
    for (const auto slot : domain::both_slots) {
        const auto was = certificate_of(trust, {}, shown_in(before.at(slot)));
        const auto is = certificate_of(trust, plan.changes, shown_in(after.at(slot)));
        if (was != is) {
            detail.certificate(shown(slot) + "Before", was).certificate(shown(slot) + "After", is);
        }
    }
    if (!plan.preview.outgoing.empty() && !plan.preview.pending) {
        detail.text("mode", word_of(domain::Removal::immediate));
    }
    tell_keys(detail, before, after);
    tell_findings(detail, plan.findings);
    if (plan.preview.pending) {
        detail.flag("pending", true);
    }
    plan.detail = std::move(detail);
    check_hubs(plan.warnings, after.allocation, trust);
    return plan;
}

Task<Result<Outcome<IndividualEnrollment>>> Enroller::put_individual(const Order& order,
                                                                     const std::string& id,
                                                                     const EntryWish& wish,
                                                                     PutMode mode) {
    CO_TRY([[maybe_unused]] const RegistrationId registration_id, parse_registration_id(id));
    CO_TRY(auto slots, read_wishes(wish));
    const Put put{order, wish, mode, id, new_guid(entropy_), std::move(slots)};
    const Planner planner = [&](const Snapshot& snapshot,
                                const domain::Writing& writing) -> Result<Plan> {
        const auto& stored = snapshot.individual;
        return plan_put(put, snapshot, stored ? &*stored : nullptr, writing);
    };
    co_return co_await change_individual(order, id, planner);
}

Result<Enroller::Plan> Enroller::plan_put(const Put& put, const Snapshot& snapshot,
                                          const IndividualEnrollment* stored,
                                          const domain::Writing& writing) {
    const Error exists{ErrorKind::conflict,
                       "there is an individual enrollment '" + put.id + "' already",
                       "enrollment-exists"};
    TRY([[maybe_unused]] const Done may,
        may_put(put.order, put.mode, stored, exists, no_enrollment(put.id)));
    const domain::TrustView& trust = *snapshot.trust;
    IndividualEnrollment fresh;
    fresh.id = RegistrationId::trusted(put.id);
    fresh.instance = put.instance;
    fresh.trust_version = 0;
    fresh.created = writing.now;
    const IndividualEnrollment& before = stored != nullptr ? *stored : fresh;
    IndividualEnrollment edited = before;
    TRY([[maybe_unused]] const Done applied, apply_wish(edited, put.wish));
    edited.device_id.reset();
    if (!put.wish.device_id.empty()) {
        TRY(edited.device_id, parse_device_id(put.wish.device_id));
    }
    TRY([[maybe_unused]] const Done keyed,
        apply_keys(edited, put.wish.keys, stored == nullptr, entropy_));
    TRY(auto outcome, edited.keys
                          ? domain::put_individual_keys(trust, before, edited, writing)
                          : domain::put_individual(trust, before, edited, put.slots, writing));
    Plan plan;
    plan.take(std::move(outcome));
    plan.changes.expects.push_back(domain::ExpectConfig{trust.config_version()});
    plan.action = stored == nullptr ? "enrollment.create" : "enrollment.update";
    plan.object = "enrollment/" + edited.id.original();
    const auto& after = plan.written<domain::PutIndividual>()->enrollment;
    plan.detail = difference(stored != nullptr ? before : IndividualEnrollment{}, after);
    if (before.slots != after.slots) {
        plan.detail.text("mode", word_of(domain::Removal::immediate));
    }
    tell_keys(plan.detail, before, after);
    tell_findings(plan.detail, plan.findings);
    check_hubs(plan.warnings, after.allocation, trust);
    return plan;
}

}  // namespace rollcall::service
