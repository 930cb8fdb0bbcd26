// SPDX-License-Identifier: Apache-2.0
// The enroller's use cases about entries that attest by symmetric key. No key comes near an audit
// event: AuditDetail is given ids only.
#include "base/limits.hpp"
#include "domain/key_slots.hpp"
#include "service/enroller_plan.hpp"

#include <algorithm>

namespace rollcall::service {
namespace {

using domain::SymmetricKey;
using domain::SymmetricKeys;

std::string sentence(const std::string& what, domain::Slot slot, domain::Removal removal) {
    const std::string start = "Gives the " + shown(slot) + " slot of " + what + " another key";
    switch (removal) {
        case domain::Removal::plain:
            return start +
                   ": devices that have the old one need the new one, or the other slot's, "
                   "the next time they come.";
        case domain::Removal::immediate:
            return start + " at once; trust in the old one is withdrawn.";
        case domain::Removal::breach: break;
    }
    return start + " at once; the old key goes on the distrust list.";
}

Error no_such_enrollment(const std::string& id) {
    return {ErrorKind::not_found, "there is no individual enrollment '" + id + "'",
            "enrollment-not-found"};
}

Error no_keys(const std::string& what) {
    return {ErrorKind::conflict, what + " attests by certificate and has no symmetric keys",
            "attests-by-certificate"};
}

}  // namespace

Result<SymmetricKey> given_or_new(const std::optional<std::string>& given, Entropy& entropy) {
    return given ? domain::parse_symmetric_key(*given)
                 : Result<SymmetricKey>{domain::new_symmetric_key(entropy)};
}

Result<SymmetricKeys> new_keys(const KeyUploads& uploads, const domain::TrustView& trust,
                               const std::string& group_instance, Entropy& entropy) {
    SymmetricKeys keys;
    for (const auto slot : domain::both_slots) {
        auto& key = keys.at(domain::index(slot));
        TRY(key, given_or_new(uploads.slots.at(domain::index(slot)), entropy));
        TRY([[maybe_unused]] const Done free, domain::check_key(trust, key, group_instance));
    }
    return keys;
}

Result<Done> check_room_for_keys(const domain::TrustView& trust) {
    if (trust.key_groups().size() >= limits::symmetric_key_groups_max) {
        return Error{ErrorKind::conflict,
                     "there are " + std::to_string(limits::symmetric_key_groups_max) +
                         " enrollment groups with symmetric keys already, which is the bound",
                     "too-many-key-groups"};
    }
    return Done{};
}

Task<Result<Outcome<GroupView>>> Enroller::set_group_key(const Order& order, const std::string& id,
                                                         domain::Slot slot,
                                                         const KeyUpload& upload) {
    CO_TRY(const SymmetricKey key, given_or_new(upload.key, entropy_));
    const Planner planner = [&](const Snapshot& snapshot,
                                const domain::Writing& writing) -> Result<Plan> {
        TRY(const auto* const before, find_group(*snapshot.trust, id));
        TRY([[maybe_unused]] const Done same, order.if_match.check(before->etag));
        TRY(auto outcome,
            domain::set_group_key(*snapshot.trust, *before, slot, key, upload.removal, writing));
        Plan plan;
        plan.take(std::move(outcome));
        plan.action = "group.key.set";
        plan.object = "group/" + before->id.str();
        const Digest old = before->keys->at(domain::index(slot)).id();
        plan.detail.text("slot", domain::to_string(slot))
            .text("mode", word_of(upload.removal))
            .text("keyIdBefore", to_upper_hex(old.bytes))
            .text("keyIdAfter", to_upper_hex(key.id().bytes));
        plan.preview.summary.push_back(
            sentence("the group '" + before->id.str() + "'", slot, upload.removal));
        store::RegistrationFilter rests;
        rests.group = before->id.str();
        rests.ca = x509::CaKey{Digest{}, old};
        plan.rests.push_back(rests);
        return plan;
    };
    co_return co_await change_group(order, id, planner);
}

Task<Result<Outcome<domain::IndividualEnrollment>>> Enroller::set_individual_key(
    const Order& order, const std::string& id, domain::Slot slot, const KeyUpload& upload) {
    CO_TRY(const SymmetricKey key, given_or_new(upload.key, entropy_));
    const Planner planner = [&](const Snapshot& snapshot,
                                const domain::Writing& writing) -> Result<Plan> {
        if (!snapshot.individual) {
            return no_such_enrollment(id);
        }
        const auto& before = *snapshot.individual;
        TRY([[maybe_unused]] const Done same, order.if_match.check(before.etag));
        TRY(auto outcome, domain::set_individual_key(*snapshot.trust, before, slot, key,
                                                     upload.removal, writing));
        Plan plan;
        plan.take(std::move(outcome));
        plan.action = "enrollment.key.set";
        plan.object = "enrollment/" + before.id.original();
        const Digest old = before.keys->at(domain::index(slot)).id();
        plan.detail.text("slot", domain::to_string(slot))
            .text("mode", word_of(upload.removal))
            .text("keyIdBefore", to_upper_hex(old.bytes))
            .text("keyIdAfter", to_upper_hex(key.id().bytes));
        plan.preview.summary.push_back(
            sentence("the enrollment '" + before.id.original() + "'", slot, upload.removal));
        const auto& registration = snapshot.registration;
        if (registration && registration->last.entry == domain::entry_of(before) &&
            registration->last.leaf_sha256 == old) {
            plan.preview.impact = {1, {before.id.original()}};
        }
        return plan;
    };
    co_return co_await change_individual(order, id, planner);
}

/// Nothing changes, and that it was asked stands in the audit log before the keys are told.
Task<Result<SymmetricKeys>> Enroller::show_group_keys(
    const Order& order, const std::string& id, const std::optional<RegistrationId>& derived_for) {
    SymmetricKeys keys;
    const Planner planner = [&](const Snapshot& snapshot, const domain::Writing&) -> Result<Plan> {
        TRY(const auto* const group, find_group(*snapshot.trust, id));
        if (!group->keys) {
            return no_keys("the group '" + group->id.str() + "'");
        }
        keys = *group->keys;
        Plan plan;
        plan.audited_alone = true;
        plan.action = derived_for ? "group.key.derive" : "group.key.show";
        plan.object = "group/" + group->id.str();
        if (derived_for) {
            plan.detail.text("registrationId", derived_for->original());
            for (auto& key : keys) {
                key = domain::derived_device_key(key, *derived_for);
            }
        }
        return plan;
    };
    const Subject subject;
    CO_TRY([[maybe_unused]] const Plan plan, co_await change(order, subject, planner));
    co_return keys;
}

Task<Result<SymmetricKeys>> Enroller::show_individual_keys(const Order& order,
                                                           const std::string& id) {
    Subject subject;
    const auto registration_id = parse_registration_id(id);
    if (!registration_id) {
        co_return no_such_enrollment(id);
    }
    subject.individual = *registration_id;
    SymmetricKeys keys;
    const Planner planner = [&](const Snapshot& snapshot, const domain::Writing&) -> Result<Plan> {
        if (!snapshot.individual) {
            return no_such_enrollment(id);
        }
        const auto& enrollment = *snapshot.individual;
        if (!enrollment.keys) {
            return no_keys("the enrollment '" + enrollment.id.original() + "'");
        }
        keys = *enrollment.keys;
        Plan plan;
        plan.audited_alone = true;
        plan.action = "enrollment.key.show";
        plan.object = "enrollment/" + enrollment.id.original();
        return plan;
    };
    CO_TRY([[maybe_unused]] const Plan plan, co_await change(order, subject, planner));
    co_return keys;
}

}  // namespace rollcall::service
