// SPDX-License-Identifier: Apache-2.0
// The enroller's use cases about individual enrollments and their leaf certificates.
#include "service/enroller_plan.hpp"

#include <algorithm>

namespace rollcall::service {
namespace {

using domain::IndividualEnrollment;
using x509::Certificate;

Result<std::vector<domain::LeafChange>> read_leaves(const LeafUploads& uploads) {
    std::vector<domain::LeafChange> changes;
    for (const auto slot : domain::both_slots) {
        const auto& upload = uploads.slots[domain::index(slot)];
        if (!upload) {
            continue;
        }
        domain::LeafChange change{slot, std::nullopt};
        if (*upload) {
            TRY(change.certificate, x509::read_one_certificate(**upload));
        }
        changes.push_back(std::move(change));
    }
    return changes;
}

bool holds(const IndividualEnrollment& enrollment, const Digest& leaf) {
    return std::any_of(enrollment.slots.begin(), enrollment.slots.end(),
                       [&leaf](const auto& held) { return held && held->sha256() == leaf; });
}

bool rests_on(const std::optional<domain::Registration>& registration,
              const IndividualEnrollment& enrollment) {
    return registration && registration->last.entry == domain::entry_of(enrollment);
}

/// What comes, what goes, and whether the device is cut off.
void fill_preview(Preview& preview, const IndividualEnrollment& before,
                  const IndividualEnrollment& after,
                  const std::optional<domain::Registration>& registration) {
    for (const auto slot : domain::both_slots) {
        const auto& was = before.at(slot);
        const auto& will_be = after.at(slot);
        if (was == will_be) {
            continue;
        }
        const std::string place = "the " + std::string{domain::to_string(slot)} + " slot of '" +
                                  after.id.original() + "'";
        if (preview.change == ChangeClass::none) {
            preview.change = class_of(was, will_be);
        }
        if (will_be) {
            preview.incoming.push_back(*will_be);
            preview.summary.push_back("Puts " + shown(*will_be) + " into " + place + ".");
        }
        if (was && !holds(after, was->sha256())) {
            preview.outgoing.push_back(*was);
            preview.summary.push_back("Takes " + shown(*was) + " out of " + place + ".");
        }
    }
    if (before.enabled && !after.enabled) {
        preview.summary.push_back("Disables the enrollment '" + after.id.original() +
                                  "': the device is refused, whatever a group says.");
    }
    const bool cut_off =
        rests_on(registration, before) &&
        ((before.enabled && !after.enabled) || (holds(before, registration->last.leaf_sha256) &&
                                                !holds(after, registration->last.leaf_sha256)));
    if (cut_off) {
        preview.impact = {1, {registration->id.original()}};
    }
}

}  // namespace

Result<Done> apply(IndividualEnrollment& enrollment, const IndividualSettings& settings) {
    enrollment.enabled = settings.enabled.value_or(enrollment.enabled);
    enrollment.reprovision.update_hub_assignment =
        settings.update_hub_assignment.value_or(enrollment.reprovision.update_hub_assignment);
    enrollment.reprovision.migrate_device_data =
        settings.migrate_device_data.value_or(enrollment.reprovision.migrate_device_data);
    enrollment.initial_twin = settings.initial_twin.value_or(enrollment.initial_twin);
    TRY([[maybe_unused]] const Done allocated,
        service::apply(enrollment.allocation, settings.allocation));
    if (settings.device_id && settings.device_id->empty()) {
        enrollment.device_id.reset();
    } else if (settings.device_id) {
        TRY(enrollment.device_id, parse_device_id(*settings.device_id));
    }
    return Done{};
}

AuditDetail difference(const IndividualEnrollment& before, const IndividualEnrollment& after) {
    const auto device = [](const IndividualEnrollment& each) {
        return each.device_id ? each.device_id->str() : std::string{};
    };
    AuditDetail detail;
    detail.change("enabled", before.enabled, after.enabled)
        .change("deviceId", device(before), device(after))
        .change("updateHubAssignment", before.reprovision.update_hub_assignment,
                after.reprovision.update_hub_assignment)
        .change("migrateDeviceData", before.reprovision.migrate_device_data,
                after.reprovision.migrate_device_data)
        .change("initialTwin", before.initial_twin, after.initial_twin)
        .change("allocation", shown(before.allocation), shown(after.allocation))
        .change("clientNotes", to_text(before.notes), to_text(after.notes));
    for (const auto slot : domain::both_slots) {
        if (before.at(slot) != after.at(slot)) {
            detail.certificate(std::string{domain::to_string(slot)} + "Before", before.at(slot))
                .certificate(std::string{domain::to_string(slot)} + "After", after.at(slot));
        }
    }
    return detail;
}

Error no_enrollment(const std::string& id) {
    return {ErrorKind::not_found, "there is no individual enrollment '" + id + "'",
            "enrollment-not-found"};
}

Task<Result<Outcome<IndividualEnrollment>>> Enroller::create_individual(
    const Order& order, const std::string& id, const IndividualSettings& settings,
    const LeafUploads& uploads) {
    CO_TRY(const RegistrationId registration_id, parse_registration_id(id));
    CO_TRY(const auto leaves, read_leaves(uploads));
    IndividualEnrollment fresh;
    fresh.id = registration_id;
    fresh.instance = new_guid(entropy_);
    fresh.trust_version = 0;
    CO_TRY([[maybe_unused]] const Done applied, apply(fresh, settings));
    const Planner planner = [&](const Snapshot& snapshot,
                                const domain::Writing& writing) -> Result<Plan> {
        if (snapshot.individual) {
            return Error{ErrorKind::conflict,
                         "there is an individual enrollment '" + id + "' already",
                         "enrollment-exists"};
        }
        fresh.created = writing.now;
        if (settings.keys) {
            TRY(fresh.keys, new_keys(*settings.keys, *snapshot.trust, {}, entropy_));
        }
        IndividualEnrollment blank;  // so that the audit log tells of every setting
        blank.id = fresh.id;
        TRY(Plan plan, plan_individual(snapshot, blank, fresh, leaves, uploads, writing));
        plan.action = "enrollment.create";
        if (fresh.keys) {
            plan.detail.text("attestation", domain::to_string(domain::kind_of(fresh)));
        }
        if (!fresh.keys && leaves.empty()) {
            plan.warnings.emplace_back(
                "the enrollment holds no certificate: the device is refused until it does");
        }
        if (snapshot.registration &&
            snapshot.registration->last.entry.kind == domain::EntryRef::Kind::group) {
            plan.warnings.push_back("the device registered through the group '" +
                                    snapshot.registration->last.entry.id +
                                    "' before; from now on this enrollment decides alone");
        }
        return plan;
    };
    co_return co_await change_individual(order, id, planner);
}

Task<Result<Outcome<IndividualEnrollment>>> Enroller::update_individual(
    const Order& order, const std::string& id, const IndividualSettings& settings,
    const LeafUploads& uploads) {
    CO_TRY(const auto leaves, read_leaves(uploads));
    const Planner planner = [&](const Snapshot& snapshot,
                                const domain::Writing& writing) -> Result<Plan> {
        if (!snapshot.individual) {
            return no_enrollment(id);
        }
        const IndividualEnrollment& before = *snapshot.individual;
        TRY([[maybe_unused]] const Done same, order.if_match.check(before.etag));
        IndividualEnrollment edited = before;
        TRY([[maybe_unused]] const Done applied, apply(edited, settings));
        if (edited == before && leaves.empty()) {
            Plan nothing;
            nothing.changes.writes.clear();
            return nothing;
        }
        TRY(Plan plan, plan_individual(snapshot, before, edited, leaves, uploads, writing));
        plan.action = "enrollment.update";
        return plan;
    };
    co_return co_await change_individual(order, id, planner);
}

Task<Result<Outcome<IndividualEnrollment>>> Enroller::swap_individual_slots(const Order& order,
                                                                            const std::string& id) {
    const LeafUploads uploads;
    const Planner planner = [&](const Snapshot& snapshot,
                                const domain::Writing& writing) -> Result<Plan> {
        if (!snapshot.individual) {
            return no_enrollment(id);
        }
        const IndividualEnrollment& before = *snapshot.individual;
        TRY([[maybe_unused]] const Done same, order.if_match.check(before.etag));
        IndividualEnrollment swapped = before;
        std::swap(swapped.slots[0], swapped.slots[1]);
        if (swapped.keys) {
            std::swap(swapped.keys->front(), swapped.keys->back());
        }
        TRY(Plan plan, plan_individual(snapshot, before, swapped, {}, uploads, writing));
        plan.action = "enrollment.certificates.swap";
        return plan;
    };
    co_return co_await change_individual(order, id, planner);
}

/// `edited`: `before` with its settings changed already.
Result<Enroller::Plan> Enroller::plan_individual(const Snapshot& snapshot,
                                                 const IndividualEnrollment& before,
                                                 const IndividualEnrollment& edited,
                                                 const std::vector<domain::LeafChange>& leaves,
                                                 const LeafUploads& uploads,
                                                 const domain::Writing& writing) {
    TRY(auto outcome, domain::change_individual_slots(*snapshot.trust, edited, leaves,
                                                      uploads.removal, uploads.force, writing));
    Plan plan;
    plan.take(std::move(outcome));
    plan.changes.expects.push_back(domain::ExpectConfig{snapshot.trust->config_version()});
    plan.object = "enrollment/" + edited.id.original();
    const IndividualEnrollment& after = plan.written<domain::PutIndividual>()->enrollment;
    plan.detail = difference(before, after);
    check_hubs(plan.warnings, after.allocation, *snapshot.trust);
    if (!leaves.empty()) {
        plan.detail.text("mode", word_of(uploads.removal)).flag("forced", uploads.force);
    }
    fill_preview(plan.preview, before, after, snapshot.registration);
    for (const auto& write : plan.changes.writes) {
        if (const auto* const lost = std::get_if<domain::PutDistrusted>(&write)) {
            plan.preview.impact = {};  // counted by key instead, with all others who have it
            store::RegistrationFilter rests;
            rests.spki = lost->distrusted.spki;
            plan.rests.push_back(rests);
            plan.preview.summary.push_back("The key of '" + lost->distrusted.subject +
                                           "' goes on the distrust list.");
        }
    }
    return plan;
}

Task<Result<Outcome<IndividualEnrollment>>> Enroller::change_individual(const Order& order,
                                                                        const std::string& id,
                                                                        const Planner& planner) {
    Subject subject;
    const auto registration_id = parse_registration_id(id);
    if (!registration_id) {
        co_return no_enrollment(id);
    }
    subject.individual = *registration_id;
    CO_TRY(const Plan plan, co_await change(order, subject, planner));
    auto outcome = told<IndividualEnrollment>(order, plan);
    if (order.dry_run) {
        co_return outcome;
    }
    if (const auto* const put = plan.written<domain::PutIndividual>()) {
        outcome.record = put->enrollment;
    } else {
        CO_TRY(outcome.record, co_await reader_.individual(*registration_id));
    }
    if (!outcome.record) {
        co_return no_enrollment(id);
    }
    co_return outcome;
}

Task<Result<Outcome<std::string>>> Enroller::delete_individual(const Order& order,
                                                               const std::string& id) {
    Subject subject;
    const auto registration_id = parse_registration_id(id);
    if (!registration_id) {
        co_return no_enrollment(id);
    }
    subject.individual = *registration_id;
    const Planner planner = [&](const Snapshot& snapshot, const domain::Writing&) -> Result<Plan> {
        if (!snapshot.individual) {
            return no_enrollment(id);
        }
        const IndividualEnrollment& before = *snapshot.individual;
        TRY([[maybe_unused]] const Done same, order.if_match.check(before.etag));
        Plan plan;
        plan.action = "enrollment.delete";
        plan.object = "enrollment/" + before.id.original();
        plan.detail.text("attestation", domain::to_string(domain::kind_of(before)));
        for (const auto slot : domain::both_slots) {
            plan.detail.certificate(domain::to_string(slot), before.at(slot));
            if (before.at(slot)) {
                plan.preview.outgoing.push_back(*before.at(slot));
            }
        }
        plan.preview.summary.push_back("Deletes the enrollment '" + before.id.original() +
                                       "'; from then on a group may let the device in.");
        if (rests_on(snapshot.registration, before)) {
            plan.preview.impact = {1, {before.id.original()}};
        }
        plan.changes.expects.push_back(
            domain::ExpectEtag{domain::RecordKind::individual, before.id.str(), before.etag});
        plan.changes.writes.push_back(domain::DeleteIndividual{before.id});
        return plan;
    };
    co_return co_await erase(order, subject, planner);
}

}  // namespace rollcall::service
