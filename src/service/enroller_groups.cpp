// SPDX-License-Identifier: Apache-2.0
// The enroller's use cases about enrollment groups as wholes; their slots: enroller_slots.cpp.
#include "base/limits.hpp"
#include "service/enroller_plan.hpp"

namespace rollcall::service {
Result<Done> apply(domain::EnrollmentGroup& group, const GroupSettings& settings) {
    group.enabled = settings.enabled.value_or(group.enabled);
    group.auto_approve = settings.auto_approve.value_or(group.auto_approve);
    group.refuse_older_leaf = settings.refuse_older_leaf.value_or(group.refuse_older_leaf);
    group.reprovision.update_hub_assignment =
        settings.update_hub_assignment.value_or(group.reprovision.update_hub_assignment);
    group.reprovision.migrate_device_data =
        settings.migrate_device_data.value_or(group.reprovision.migrate_device_data);
    group.initial_twin = settings.initial_twin.value_or(group.initial_twin);
    if (settings.display_name) {
        TRY([[maybe_unused]] const Done named, domain::check_display_name(*settings.display_name));
        group.notes.display_name = *settings.display_name;
    }
    if (settings.iot_edge) {
        group.notes.iot_edge = *settings.iot_edge;
    }
    return service::apply(group.allocation, settings.allocation);
}

AuditDetail difference(const domain::EnrollmentGroup& before,
                       const domain::EnrollmentGroup& after) {
    AuditDetail detail;
    detail.change("enabled", before.enabled, after.enabled)
        .change("autoApprove", before.auto_approve, after.auto_approve)
        .change("refuseOlderLeaf", before.refuse_older_leaf, after.refuse_older_leaf)
        .change("updateHubAssignment", before.reprovision.update_hub_assignment,
                after.reprovision.update_hub_assignment)
        .change("migrateDeviceData", before.reprovision.migrate_device_data,
                after.reprovision.migrate_device_data)
        .change("initialTwin", before.initial_twin, after.initial_twin)
        .change("allocation", shown(before.allocation), shown(after.allocation))
        .change("clientNotes", to_text(before.notes), to_text(after.notes));
    return detail;
}

Task<Result<Outcome<GroupView>>> Enroller::create_group(const Order& order, const std::string& id,
                                                        const GroupSettings& settings) {
    CO_TRY(const GroupId group_id, parse_group_id(id));
    const std::string instance = new_guid(entropy_);
    const Planner planner = [&](const Snapshot& snapshot,
                                const domain::Writing& writing) -> Result<Plan> {
        if (find_group(*snapshot.trust, id)) {
            return Error{ErrorKind::conflict, "there is an enrollment group '" + id + "' already",
                         "group-exists"};
        }
        domain::EnrollmentGroup group;
        group.id = group_id;
        group.instance = instance;
        TRY([[maybe_unused]] const Done applied, apply(group, settings));
        if (settings.keys) {
            TRY([[maybe_unused]] const Done room, check_room_for_keys(*snapshot.trust));
            TRY(group.keys, new_keys(*settings.keys, *snapshot.trust, instance, entropy_));
        }
        group.etag = writing.entry_etag;
        group.created = writing.now;
        group.updated = writing.now;
        Plan plan;
        plan.action = "group.create";
        plan.object = "group/" + id;
        plan.detail = difference({}, group);
        check_hubs(plan.warnings, group.allocation, *snapshot.trust);
        if (group.keys) {
            plan.detail.text("attestation", domain::to_string(domain::kind_of(group)));
        }
        plan.changes.expects.push_back(
            domain::ExpectEtag{domain::RecordKind::group, group_id.str(), ETag{}});
        plan.changes.expects.push_back(domain::ExpectConfig{snapshot.trust->config_version()});
        plan.changes.writes.push_back(domain::PutGroup{std::move(group)});
        plan.changes.moves_config = true;
        return plan;
    };
    co_return co_await change_group(order, id, planner);
}

Task<Result<Outcome<GroupView>>> Enroller::update_group(const Order& order, const std::string& id,
                                                        const GroupSettings& settings) {
    const Planner planner = [&](const Snapshot& snapshot,
                                const domain::Writing& writing) -> Result<Plan> {
        TRY(const auto* const before, find_group(*snapshot.trust, id));
        TRY([[maybe_unused]] const Done same, order.if_match.check(before->etag));
        domain::EnrollmentGroup group = *before;
        TRY([[maybe_unused]] const Done applied, apply(group, settings));
        Plan plan;
        plan.action = "group.update";
        plan.object = "group/" + before->id.str();
        if (group == *before) {
            return plan;
        }
        plan.detail = difference(*before, group);
        check_hubs(plan.warnings, group.allocation, *snapshot.trust);
        const bool closes = before->enabled && !group.enabled;
        if (closes) {
            plan.preview.summary.push_back("Disables the group '" + before->id.str() +
                                           "': its devices are refused everywhere.");
            store::RegistrationFilter rests;
            rests.group = before->id.str();
            plan.rests.push_back(rests);
        }
        group.trust_version += 1;
        group.etag = writing.entry_etag;
        group.updated = writing.now;
        plan.changes.expects.push_back(
            domain::ExpectEtag{domain::RecordKind::group, before->id.str(), before->etag});
        plan.changes.expects.push_back(domain::ExpectConfig{snapshot.trust->config_version()});
        plan.changes.writes.push_back(domain::PutGroup{std::move(group)});
        plan.changes.moves_config = true;
        plan.changes.moves_anchors = closes;
        return plan;
    };
    co_return co_await change_group(order, id, planner);
}

Task<Result<Outcome<std::string>>> Enroller::delete_group(const Order& order,
                                                          const std::string& id) {
    const Planner planner = [&](const Snapshot& snapshot, const domain::Writing&) -> Result<Plan> {
        TRY(const auto* const group, find_group(*snapshot.trust, id));
        TRY([[maybe_unused]] const Done same, order.if_match.check(group->etag));
        Plan plan;
        plan.take(domain::delete_group(*snapshot.trust, *group));
        plan.action = "group.delete";
        plan.object = "group/" + group->id.str();
        plan.detail.text("attestation", domain::to_string(domain::kind_of(*group)));
        for (const auto slot : domain::both_slots) {
            const auto& current = group->at(slot).current;
            if (const auto* const ca = current ? snapshot.trust->ca(*current) : nullptr) {
                plan.detail.certificate(domain::to_string(slot), ca->certificate);
                plan.preview.outgoing.push_back(ca->certificate);
            }
        }
        plan.preview.summary.push_back("Deletes the group '" + group->id.str() +
                                       "'; its devices and registrations stay and no longer "
                                       "attest.");
        store::RegistrationFilter rests;
        rests.group = group->id.str();
        plan.rests.push_back(rests);
        return plan;
    };
    const Subject nothing_else;
    co_return co_await erase(order, nothing_else, planner);
}

Task<Result<Outcome<GroupView>>> Enroller::change_group(const Order& order, const std::string& id,
                                                        const Planner& planner) {
    const Subject nothing_else;
    CO_TRY(const Plan plan, co_await change(order, nothing_else, planner));
    auto outcome = told<GroupView>(order, plan);
    if (!order.dry_run) {
        CO_TRY(const auto trust, co_await trust_book_.current());
        CO_TRY(const auto* const group, find_group(*trust, id));
        outcome.record = view_of(*trust, *group, clock_.now());
    }
    co_return outcome;
}

}  // namespace rollcall::service
