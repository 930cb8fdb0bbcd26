// SPDX-License-Identifier: Apache-2.0
// The enroller's use cases about the slots of enrollment groups: the rolls of PRODUCT section 3.
#include "service/enroller_plan.hpp"
#include "x509/possession.hpp"

#include <algorithm>

namespace rollcall::service {
namespace {

using domain::TrustView;
using x509::Certificate;

std::optional<Certificate> current_of(const TrustView& trust, const domain::EnrollmentGroup& group,
                                      domain::Slot slot) {
    return certificate_of(trust, {}, group.at(slot).current);
}

bool holds(const std::vector<Certificate>& certificates, const Certificate& one) {
    return std::find(certificates.begin(), certificates.end(), one) != certificates.end();
}

bool holds_authority(const std::vector<Certificate>& certificates, const x509::CaKey& key) {
    return std::any_of(certificates.begin(), certificates.end(),
                       [&key](const auto& each) { return each.ca_key() == key; });
}

std::vector<Digest> distrusted_by(const domain::Changes& changes) {
    std::vector<Digest> keys;
    for (const auto& write : changes.writes) {
        if (const auto* const put = std::get_if<domain::PutDistrusted>(&write)) {
            keys.push_back(put->distrusted.spki);
        }
    }
    return keys;
}

/// The unverified CA of a slot: what waits in it, else what stands in it.
Result<const domain::CaCertificate*> to_be_verified(const TrustView& trust,
                                                    const domain::EnrollmentGroup& group,
                                                    domain::Slot slot) {
    const auto& place = group.at(slot);
    const auto& id = place.pending ? place.pending : place.current;
    const auto* const ca = id ? trust.ca(*id) : nullptr;
    if (ca == nullptr) {
        return Error{ErrorKind::not_found,
                     "the " + shown(slot) + " slot of '" + group.id.str() +
                         "' holds no certificate; put one in first",
                     "slot-empty"};
    }
    return ca;
}

std::string sentence(const domain::EnrollmentGroup& group, domain::Slot slot,
                     const std::optional<Certificate>& before, const Certificate& after,
                     domain::Replacement replacement, bool pending) {
    const std::string place = "the " + shown(slot) + " slot of the group '" + group.id.str() + "'";
    std::string text = "Puts " + shown(after) + " into " + place;
    if (!before) {
        return text + ", which is empty.";
    }
    if (pending) {
        return text + "; " + shown(*before) + " attests until the new one is verified.";
    }
    text += " instead of " + shown(*before);
    switch (replacement) {
        case domain::Replacement::staged: return text + ".";
        case domain::Replacement::immediate:
            return text + " at once; trust in the old one is withdrawn.";
        case domain::Replacement::breach: break;
    }
    return text + " at once; the old key goes on the distrust list.";
}

}  // namespace

std::optional<Certificate> certificate_of(const TrustView& trust, const domain::Changes& changes,
                                          const std::optional<CaId>& id) {
    if (!id) {
        return std::nullopt;
    }
    for (const auto& write : changes.writes) {
        const auto* const put = std::get_if<domain::PutCa>(&write);
        if (put != nullptr && put->ca.id == *id) {
            return put->ca.certificate;
        }
    }
    const auto* const ca = trust.ca(*id);
    return ca == nullptr ? std::nullopt : std::optional{ca->certificate};
}

/// What a change of slots means: what comes, what goes, and who rests on what goes.
Result<Enroller::Plan> Enroller::plan_slots(const TrustView& trust,
                                            const domain::EnrollmentGroup& before,
                                            domain::SlotOutcome outcome) {
    Plan plan;
    plan.take(std::move(outcome));
    plan.object = "group/" + before.id.str();
    const auto* const put = plan.written<domain::PutGroup>();
    const domain::EnrollmentGroup& after = put != nullptr ? put->group : before;
    std::vector<Certificate> was;
    std::vector<Certificate> will_be;
    for (const auto slot : domain::both_slots) {
        const auto& place = after.at(slot);
        if (const auto old = current_of(trust, before, slot)) {
            was.push_back(*old);
        }
        const auto& id = place.pending ? place.pending : place.current;
        if (const auto fresh = certificate_of(trust, plan.changes, id)) {
            will_be.push_back(*fresh);
        }
    }
    const auto lost_keys = distrusted_by(plan.changes);
    std::vector<std::string> lost;
    for (const auto& key : lost_keys) {
        store::RegistrationFilter rests;
        rests.spki = key;
        plan.rests.push_back(rests);
        lost.push_back(to_upper_hex(key.bytes));
    }
    for (const auto& certificate : will_be) {
        if (!holds(was, certificate) && !holds(plan.preview.incoming, certificate)) {
            plan.preview.incoming.push_back(certificate);
        }
    }
    for (const auto& certificate : was) {
        if (holds(will_be, certificate) || holds(plan.preview.outgoing, certificate)) {
            continue;
        }
        const bool covered = std::find(lost_keys.begin(), lost_keys.end(),
                                       certificate.spki_sha256()) != lost_keys.end() ||
                             holds_authority(will_be, certificate.ca_key()) ||
                             holds_authority(plan.preview.outgoing, certificate.ca_key());
        plan.preview.outgoing.push_back(certificate);
        if (!covered) {
            store::RegistrationFilter rests;
            rests.group = before.id.str();
            rests.ca = certificate.ca_key();
            plan.rests.push_back(rests);
        }
    }
    if (!lost.empty()) {
        plan.detail.texts("distrusted", lost);
    }
    if (plan.preview.pending) {
        plan.detail.flag("pending", true);
    }
    return plan;
}

Task<Result<Outcome<GroupView>>> Enroller::set_group_slot(const Order& order, const std::string& id,
                                                          domain::Slot slot,
                                                          const SlotUpload& upload) {
    CO_TRY(const auto certificate, x509::read_one_certificate(upload.certificate));
    const Planner planner = [&](const Snapshot& snapshot,
                                const domain::Writing& writing) -> Result<Plan> {
        TRY(const auto* const group, find_group(*snapshot.trust, id));
        TRY([[maybe_unused]] const Done same, order.if_match.check(group->etag));
        TRY(auto outcome,
            domain::set_group_slot(*snapshot.trust, *group, slot, certificate, upload.replacement,
                                   upload.vouch, upload.force, writing));
        const auto old = current_of(*snapshot.trust, *group, slot);
        TRY(Plan plan, plan_slots(*snapshot.trust, *group, std::move(outcome)));
        plan.action = "group.certificate.set";
        plan.preview.change = class_of(old, certificate);
        plan.preview.summary.push_back(
            sentence(*group, slot, old, certificate, upload.replacement, plan.preview.pending));
        plan.detail.text("slot", domain::to_string(slot))
            .text("mode", word_of(upload.replacement))
            .flag("vouched", upload.vouch)
            .flag("forced", upload.force)
            .certificate("before", old)
            .certificate("after", certificate);
        return plan;
    };
    co_return co_await change_group(order, id, planner);
}

Task<Result<Outcome<GroupView>>> Enroller::set_both_group_slots(const Order& order,
                                                                const std::string& id,
                                                                const SlotUpload& primary,
                                                                const std::string& secondary) {
    CO_TRY(const auto first, x509::read_one_certificate(primary.certificate));
    CO_TRY(const auto second, x509::read_one_certificate(secondary));
    const Planner planner = [&](const Snapshot& snapshot,
                                const domain::Writing& writing) -> Result<Plan> {
        TRY(const auto* const group, find_group(*snapshot.trust, id));
        TRY([[maybe_unused]] const Done same, order.if_match.check(group->etag));
        TRY(auto outcome, domain::set_both_group_slots(*snapshot.trust, *group, first, second,
                                                       primary.replacement, primary.vouch,
                                                       primary.force, writing));
        TRY(Plan plan, plan_slots(*snapshot.trust, *group, std::move(outcome)));
        plan.action = "group.certificates.set";
        plan.detail.text("mode", word_of(primary.replacement)).flag("vouched", primary.vouch);
        for (const auto slot : domain::both_slots) {
            const auto& fresh = slot == domain::Slot::primary ? first : second;
            const auto old = current_of(*snapshot.trust, *group, slot);
            if (plan.preview.change == ChangeClass::none) {
                plan.preview.change = class_of(old, fresh);
            }
            plan.preview.summary.push_back(
                sentence(*group, slot, old, fresh, primary.replacement, false));
            plan.detail.certificate(shown(slot) + "Before", old)
                .certificate(shown(slot) + "After", fresh);
        }
        return plan;
    };
    co_return co_await change_group(order, id, planner);
}

Task<Result<Outcome<GroupView>>> Enroller::remove_group_slot(const Order& order,
                                                             const std::string& id,
                                                             domain::Slot slot,
                                                             domain::Removal removal,
                                                             bool pending_only) {
    const Planner planner = [&](const Snapshot& snapshot,
                                const domain::Writing& writing) -> Result<Plan> {
        TRY(const auto* const group, find_group(*snapshot.trust, id));
        TRY([[maybe_unused]] const Done same, order.if_match.check(group->etag));
        TRY(auto outcome, domain::remove_group_slot(*snapshot.trust, *group, slot, removal,
                                                    pending_only, writing));
        const auto old = pending_only ? certificate_of(*snapshot.trust, {}, group->at(slot).pending)
                                      : current_of(*snapshot.trust, *group, slot);
        TRY(Plan plan, plan_slots(*snapshot.trust, *group, std::move(outcome)));
        plan.action = "group.certificate.remove";
        plan.preview.change = ChangeClass::removal;
        plan.preview.summary.push_back(
            "Takes " + (old ? shown(*old) : std::string{"what stands there"}) + " out of the " +
            shown(slot) + " slot of the group '" + group->id.str() + "'" +
            (removal == domain::Removal::breach ? "; its key goes on the distrust list." : "."));
        plan.detail.text("slot", domain::to_string(slot))
            .text("mode", word_of(removal))
            .flag("pendingOnly", pending_only)
            .certificate("before", old);
        return plan;
    };
    co_return co_await change_group(order, id, planner);
}

Task<Result<Outcome<GroupView>>> Enroller::swap_group_slots(const Order& order,
                                                            const std::string& id) {
    const Planner planner = [&](const Snapshot& snapshot,
                                const domain::Writing& writing) -> Result<Plan> {
        TRY(const auto* const group, find_group(*snapshot.trust, id));
        TRY([[maybe_unused]] const Done same, order.if_match.check(group->etag));
        TRY(auto outcome, domain::swap_group_slots(*snapshot.trust, *group, writing));
        TRY(Plan plan, plan_slots(*snapshot.trust, *group, std::move(outcome)));
        plan.action = "group.certificates.swap";
        plan.detail
            .certificate("before", current_of(*snapshot.trust, *group, domain::Slot::primary))
            .certificate("after", current_of(*snapshot.trust, *group, domain::Slot::secondary));
        return plan;
    };
    co_return co_await change_group(order, id, planner);
}

Task<Result<PossessionCode>> Enroller::ask_slot_code(const Order& order, const std::string& id,
                                                     domain::Slot slot) {
    const std::string code = x509::new_possession_code(entropy_);
    ETag group_etag;
    const Planner planner = [&](const Snapshot& snapshot,
                                const domain::Writing& writing) -> Result<Plan> {
        TRY(const auto* const group, find_group(*snapshot.trust, id));
        TRY([[maybe_unused]] const Done same, order.if_match.check(group->etag));
        TRY(const auto* const ca, to_be_verified(*snapshot.trust, *group, slot));
        group_etag = group->etag;
        TRY(Plan plan, plan_code(*snapshot.trust, *ca, code, writing));
        plan.action = "group.certificate.code";
        plan.object = "group/" + group->id.str();
        plan.detail.text("slot", domain::to_string(slot));
        return plan;
    };
    const Subject nothing_else;
    CO_TRY(const Plan plan, co_await change(order, nothing_else, planner));
    const auto& record = plan.written<domain::PutCa>()->ca;
    co_return PossessionCode{code, record.id, record.certificate.sha256(), group_etag};
}

Task<Result<Outcome<GroupView>>> Enroller::verify_group_slot(const Order& order,
                                                             const std::string& id,
                                                             domain::Slot slot,
                                                             const CaProof& proof) {
    const Planner planner = [&](const Snapshot& snapshot,
                                const domain::Writing& writing) -> Result<Plan> {
        TRY(const auto* const group, find_group(*snapshot.trust, id));
        TRY([[maybe_unused]] const Done same, order.if_match.check(group->etag));
        TRY(const auto* const ca, to_be_verified(*snapshot.trust, *group, slot));
        TRY(Plan plan, plan_verification(*snapshot.trust, *ca, proof, writing));
        plan.action = "group.certificate.verify";
        plan.object = "group/" + group->id.str();
        plan.detail.text("slot", domain::to_string(slot));
        return plan;
    };
    co_return co_await change_group(order, id, planner);
}

}  // namespace rollcall::service
