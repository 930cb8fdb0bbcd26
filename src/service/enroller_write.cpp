// SPDX-License-Identifier: Apache-2.0
// The enroller's use cases in the manner of IoT Central (spec/iot-central-api.md 3.2, 3.3): make it
// or change it, and leave alone what was not said. One commit each.
#include "base/limits.hpp"
#include "service/enroller_plan.hpp"

namespace rollcall::service {
namespace {

using domain::Device;
using domain::DeviceNotes;
using domain::EnrollmentGroup;
using domain::IndividualEnrollment;

Result<std::vector<domain::SlotChange>> read_slots(const GroupWrite& write) {
    std::vector<domain::SlotChange> changes;
    for (const auto slot : domain::both_slots) {
        if (const auto& upload = write.slots.at(domain::index(slot))) {
            TRY(const auto certificate, x509::read_one_certificate(upload->certificate));
            changes.push_back(
                {slot, certificate, upload->replacement, upload->vouch, upload->force});
        }
    }
    return changes;
}

/// Only what becomes another: writing what stands there is no change.
Result<std::vector<domain::LeafChange>> read_leaves(const IndividualWrite& write,
                                                    const IndividualEnrollment& before) {
    std::vector<domain::LeafChange> changes;
    for (const auto slot : domain::both_slots) {
        const auto& upload = write.leaves.slots.at(domain::index(slot));
        if (!upload) {
            continue;
        }
        domain::LeafChange change{slot, std::nullopt};
        if (*upload) {
            TRY(change.certificate, x509::read_one_certificate(**upload));
        }
        if (change.certificate != before.at(slot)) {
            changes.push_back(std::move(change));
        }
    }
    return changes;
}

/// The entry with its settings changed. Keys that are not asked for stay.
template <class Entry, class Write>
Result<Entry> edited_by(const Entry& before, const Write& write, Entropy& entropy) {
    using Kind = domain::AttestationKind;
    const bool is_new = before.etag.empty();
    const Kind kind = is_new ? write.attestation.value_or(Kind::x509) : domain::kind_of(before);
    if (write.attestation && *write.attestation != kind) {
        return other_kind(kind);
    }
    Entry edited = before;
    TRY([[maybe_unused]] const Done applied, service::apply(edited, write.settings));
    std::optional<KeyUploads> keys = write.settings.keys;
    if (kind == Kind::symmetric_key && !keys) {
        keys.emplace();
    }
    TRY([[maybe_unused]] const Done keyed, apply_keys(edited, keys, is_new, entropy));
    return edited;
}

void apply(DeviceNotes& notes, const DeviceWrite& write) {
    notes.display_name = write.display_name.value_or(notes.display_name);
    notes.template_id = write.template_id.value_or(notes.template_id);
    notes.simulated = write.simulated.value_or(notes.simulated);
    notes.organizations = write.organizations.value_or(notes.organizations);
}

std::string joined(const std::vector<std::string>& texts) {
    std::string all;
    for (const auto& text : texts) {
        all.append(all.empty() ? "" : ", ").append(text);
    }
    return all;
}

void tell(AuditDetail& detail, const DeviceNotes& before, const DeviceNotes& after) {
    detail.change("displayName", before.display_name, after.display_name)
        .change("template", before.template_id, after.template_id)
        .change("simulated", before.simulated, after.simulated)
        .change("organizations", joined(before.organizations), joined(after.organizations));
}

Device new_device(const DeviceId& id, const RegistrationId& registration, TimePoint now) {
    Device device;
    device.id = id;
    device.registration = registration;
    device.created = now;
    return device;
}

}  // namespace

Task<Result<Outcome<GroupView>>> Enroller::write_group(const Order& order, const std::string& id,
                                                       const GroupWrite& write, PutMode mode) {
    const Error exists{ErrorKind::conflict, "there is an enrollment group '" + id + "' already",
                       "group-exists"};
    const Error missing{ErrorKind::not_found, "there is no enrollment group '" + id + "'",
                        "group-not-found"};
    EnrollmentGroup fresh;
    fresh.instance = new_guid(entropy_);
    fresh.trust_version = 0;
    if (mode != PutMode::change) {
        CO_TRY(fresh.id, parse_group_id(id));
    }
    const Planner planner = [&](const Snapshot& snapshot,
                                const domain::Writing& writing) -> Result<Plan> {
        const auto found = find_group(*snapshot.trust, id);
        const EnrollmentGroup* const stored = found ? *found : nullptr;
        TRY([[maybe_unused]] const Done may, may_put(order, mode, stored, exists, missing));
        fresh.created = writing.now;
        return plan_write(snapshot, stored != nullptr ? *stored : fresh, write, writing);
    };
    co_return co_await change_group(order, id, planner);
}

Result<Enroller::Plan> Enroller::plan_write(const Snapshot& snapshot, const EnrollmentGroup& before,
                                            const GroupWrite& write,
                                            const domain::Writing& writing) {
    const domain::TrustView& trust = *snapshot.trust;
    const bool is_new = before.etag.empty();
    TRY(const EnrollmentGroup edited, edited_by(before, write, entropy_));
    TRY(const auto slots, read_slots(write));
    Plan plan;
    plan.object = "group/" + before.id.str();
    if (!is_new && slots.empty() && edited == before) {
        return plan;
    }
    if (is_new && edited.keys) {
        TRY([[maybe_unused]] const Done room, check_room_for_keys(trust));
    }
    const bool by_key = edited.keys && slots.empty();
    TRY(auto outcome, by_key ? domain::put_group_keys(trust, before, edited, writing)
                             : domain::edit_group(trust, before, edited, slots, writing));
    TRY(plan, plan_slots(trust, before, std::move(outcome)));
    plan.action = is_new ? "group.create" : "group.update";
    const auto& after = plan.written<domain::PutGroup>()->group;
    plan.changes.moves_anchors |= before.enabled && !after.enabled;
    AuditDetail detail = difference(is_new ? EnrollmentGroup{} : before, after);
    for (const auto& slot : slots) {
        detail
            .certificate(shown(slot.slot) + "Before",
                         certificate_of(trust, {}, before.at(slot.slot).current))
            .certificate(shown(slot.slot) + "After", slot.certificate)
            .flag("vouched", slot.vouch);
    }
    if (plan.preview.pending) {
        detail.flag("pending", true);
    }
    tell_keys(detail, before, after);
    tell_findings(detail, plan.findings);
    plan.detail = std::move(detail);
    check_hubs(plan.warnings, after.allocation, trust);
    return plan;
}

Task<Result<Outcome<IndividualEnrollment>>> Enroller::write_individual(const Order& order,
                                                                       const std::string& id,
                                                                       const IndividualWrite& write,
                                                                       PutMode mode) {
    const Error exists{ErrorKind::conflict,
                       "there is an individual enrollment '" + id + "' already",
                       "enrollment-exists"};
    IndividualEnrollment fresh;
    CO_TRY(fresh.id, parse_registration_id(id));
    fresh.instance = new_guid(entropy_);
    fresh.trust_version = 0;
    const Planner planner = [&](const Snapshot& snapshot,
                                const domain::Writing& writing) -> Result<Plan> {
        const auto* const stored = snapshot.individual ? &*snapshot.individual : nullptr;
        TRY([[maybe_unused]] const Done may,
            may_put(order, mode, stored, exists, no_enrollment(id)));
        fresh.created = writing.now;
        return plan_write(snapshot, stored != nullptr ? *stored : fresh, write, writing);
    };
    co_return co_await change_individual(order, id, planner);
}

Result<Enroller::Plan> Enroller::plan_write(const Snapshot& snapshot,
                                            const IndividualEnrollment& before,
                                            const IndividualWrite& write,
                                            const domain::Writing& writing) {
    const domain::TrustView& trust = *snapshot.trust;
    const bool is_new = before.etag.empty();
    TRY(const IndividualEnrollment edited, edited_by(before, write, entropy_));
    TRY(const auto leaves, read_leaves(write, before));
    if (is_new && !edited.keys && leaves.empty()) {
        return domain::no_certificate();
    }
    if (!is_new && leaves.empty() && edited == before) {
        return Plan{};
    }
    Plan plan;
    if (edited.keys && leaves.empty()) {
        TRY(auto outcome, domain::put_individual_keys(trust, before, edited, writing));
        plan.take(std::move(outcome));
        plan.changes.expects.push_back(domain::ExpectConfig{trust.config_version()});
        plan.object = "enrollment/" + edited.id.original();
        plan.detail = difference(is_new ? IndividualEnrollment{} : before, edited);
    } else {
        TRY(plan, plan_individual(snapshot, before, edited, leaves, write.leaves, writing));
    }
    plan.action = is_new ? "enrollment.create" : "enrollment.update";
    tell_keys(plan.detail, before, plan.written<domain::PutIndividual>()->enrollment);
    tell_findings(plan.detail, plan.findings);
    return plan;
}

Task<Result<Outcome<domain::NotedDevice>>> Enroller::write_device(const Order& order,
                                                                  const std::string& id,
                                                                  const DeviceWrite& write,
                                                                  PutMode mode) {
    const auto device_id = parse_device_id(id);
    if (!device_id && mode == PutMode::change) {
        co_return no_device(id);
    }
    if (!device_id) {
        co_return device_id.error();
    }
    Subject subject;
    subject.device = *device_id;
    subject.device_notes = true;
    if (const auto registration = parse_registration_id(id)) {
        subject.individual = *registration;  // what a device of that name was answered
    }
    const Planner planner = [&](const Snapshot& snapshot,
                                const domain::Writing& writing) -> Result<Plan> {
        const Error exists{ErrorKind::conflict, "there is a device '" + id + "' already",
                           "device-exists"};
        const auto* const stored = snapshot.device ? &*snapshot.device : nullptr;
        TRY([[maybe_unused]] const Done may, may_put(order, mode, stored, exists, no_device(id)));
        return plan_write(snapshot, id, write, writing);
    };
    CO_TRY(const Plan plan, co_await change(order, subject, planner));
    auto outcome = told<domain::NotedDevice>(order, plan);
    if (order.dry_run) {
        co_return outcome;
    }
    CO_TRY(const auto device, co_await reader_.device(*device_id));
    if (!device) {
        co_return no_device(id);
    }
    CO_TRY(auto notes, co_await reader_.device_notes(*device_id));
    outcome.record = domain::NotedDevice{*device, std::move(notes)};
    co_return outcome;
}

Result<Enroller::Plan> Enroller::plan_write(const Snapshot& snapshot, const std::string& id,
                                            const DeviceWrite& write,
                                            const domain::Writing& writing) {
    Plan plan;
    const auto& stored = snapshot.device;
    Device device;
    if (stored) {
        device = *stored;
    } else {
        TRY(const auto registration, parse_registration_id(id));
        const auto& known = snapshot.registration;
        if (known && known->device_id.str() != id &&
            equal_ignoring_case(known->device_id.str(), id)) {
            return Error{ErrorKind::conflict,
                         "that device is known as '" + known->device_id.str() + "'",
                         "device-exists"};
        }
        device = new_device(DeviceId::trusted(id), registration, writing.now);
    }
    if (write.enabled) {
        device.approved = device.approved || *write.enabled;
        device.blocked = !*write.enabled;
    }
    DeviceNotes notes = snapshot.device_notes;
    apply(notes, write);
    TRY([[maybe_unused]] const Done sound, domain::check_notes(notes));
    plan.object = "device/" + device.id.str();
    if (stored && device == *stored && notes == snapshot.device_notes) {
        return plan;
    }
    plan.action = stored ? "device.update" : "device.create";
    plan.detail.change("state", stored ? domain::to_string(domain::state_of(*stored)) : "",
                       domain::to_string(domain::state_of(device)));
    tell(plan.detail, snapshot.device_notes, notes);
    device.etag = writing.entry_etag;
    device.updated = writing.now;
    plan.changes.expects.push_back(domain::ExpectEtag{domain::RecordKind::device, device.id.str(),
                                                      stored ? stored->etag : ETag{}});
    if (notes != snapshot.device_notes) {
        plan.changes.writes.push_back(domain::PutDeviceNotes{device.id, notes});
    }
    plan.changes.writes.push_back(domain::PutDevice{std::move(device)});
    return plan;
}

}  // namespace rollcall::service
