// SPDX-License-Identifier: Apache-2.0
// The enroller's use cases about devices: who may come in, whatever its certificate says.
#include "service/enroller_plan.hpp"

namespace rollcall::service {

using domain::Device;

/// Sets one of a device's switches.
Result<Enroller::Plan> Enroller::plan_switch(const Order& order, const Snapshot& snapshot,
                                             const std::string& id, bool Device::*which, bool value,
                                             const domain::Writing& writing) {
    if (!snapshot.device) {
        return no_device(id);
    }
    TRY([[maybe_unused]] const Done same, order.if_match.check(snapshot.device->etag));
    Plan plan;
    plan.object = "device/" + snapshot.device->id.str();
    Device device = *snapshot.device;
    if (device.*which == value) {
        return plan;
    }
    plan.detail.text("before", domain::to_string(domain::state_of(device)));
    device.*which = value;
    plan.detail.text("after", domain::to_string(domain::state_of(device)));
    device.etag = writing.entry_etag;
    device.updated = writing.now;
    plan.changes.expects.push_back(
        domain::ExpectEtag{domain::RecordKind::device, device.id.str(), snapshot.device->etag});
    plan.changes.writes.push_back(domain::PutDevice{std::move(device)});
    return plan;
}

Task<Result<Outcome<Device>>> Enroller::approve_device(const Order& order, const std::string& id) {
    const Planner planner = [&](const Snapshot& snapshot,
                                const domain::Writing& writing) -> Result<Plan> {
        TRY(Plan plan, plan_switch(order, snapshot, id, &Device::approved, true, writing));
        plan.action = "device.approve";
        return plan;
    };
    co_return co_await change_device(order, id, planner);
}

Task<Result<Outcome<Device>>> Enroller::block_device(const Order& order, const std::string& id) {
    const Planner planner = [&](const Snapshot& snapshot,
                                const domain::Writing& writing) -> Result<Plan> {
        TRY(Plan plan, plan_switch(order, snapshot, id, &Device::blocked, true, writing));
        plan.action = "device.block";
        plan.preview.summary.push_back("Blocks the device '" + id +
                                       "': it is refused until it is unblocked.");
        if (snapshot.registration) {
            plan.preview.impact = {1, {snapshot.registration->id.original()}};
        }
        return plan;
    };
    co_return co_await change_device(order, id, planner);
}

Task<Result<Outcome<Device>>> Enroller::unblock_device(const Order& order, const std::string& id) {
    const Planner planner = [&](const Snapshot& snapshot,
                                const domain::Writing& writing) -> Result<Plan> {
        TRY(Plan plan, plan_switch(order, snapshot, id, &Device::blocked, false, writing));
        plan.action = "device.unblock";
        return plan;
    };
    co_return co_await change_device(order, id, planner);
}

Task<Result<Outcome<Device>>> Enroller::change_device(const Order& order, const std::string& id,
                                                      const Planner& planner) {
    Subject subject;
    const auto device_id = parse_device_id(id);
    if (!device_id) {
        co_return no_device(id);
    }
    subject.device = *device_id;
    CO_TRY(const Plan plan, co_await change(order, subject, planner));
    auto outcome = told<Device>(order, plan);
    if (order.dry_run) {
        co_return outcome;
    }
    if (const auto* const put = plan.written<domain::PutDevice>()) {
        outcome.record = put->device;
    } else {
        CO_TRY(outcome.record, co_await reader_.device(*device_id));
    }
    if (!outcome.record) {
        co_return no_device(id);
    }
    co_return outcome;
}

Task<Result<Outcome<std::string>>> Enroller::delete_device(const Order& order,
                                                           const std::string& id,
                                                           DeviceEntry entry) {
    Subject subject;
    const auto device_id = parse_device_id(id);
    if (!device_id) {
        co_return no_device(id);
    }
    if (entry == DeviceEntry::goes) {
        CO_TRY(const auto device, co_await reader_.device(*device_id));
        if (!device) {
            co_return no_device(id);
        }
        subject.individual = device->registration;
    }
    subject.device = *device_id;
    const Planner planner = [&](const Snapshot& snapshot, const domain::Writing&) -> Result<Plan> {
        if (!snapshot.device) {
            return no_device(id);
        }
        const Device& device = *snapshot.device;
        TRY([[maybe_unused]] const Done same, order.if_match.check(device.etag));
        Plan plan;
        plan.action = "device.delete";
        plan.object = "device/" + device.id.str();
        plan.detail.text("registrationId", device.registration.original())
            .text("state", domain::to_string(domain::state_of(device)));
        plan.preview.summary.push_back("Forgets the device '" + device.id.str() +
                                       "' with its registration and history.");
        plan.changes.expects.push_back(
            domain::ExpectEtag{domain::RecordKind::device, device.id.str(), device.etag});
        plan.changes.writes.push_back(domain::DeleteDevice{device.id});
        const auto& registration = snapshot.registration;
        if (registration && registration->device_id == device.id) {
            plan.preview.impact = {1, {registration->id.original()}};
            plan.changes.expects.push_back(domain::ExpectEtag{
                domain::RecordKind::registration, registration->id.str(), registration->etag});
            plan.changes.writes.push_back(domain::DeleteRegistration{registration->id});
        }
        if (const auto& enrollment = snapshot.individual) {
            plan.detail.text("enrollment", enrollment->id.original());
            plan.preview.summary.push_back("Deletes its enrollment '" + enrollment->id.original() +
                                           "' with it.");
            plan.changes.expects.push_back(domain::ExpectEtag{
                domain::RecordKind::individual, enrollment->id.str(), enrollment->etag});
            plan.changes.writes.push_back(domain::DeleteIndividual{enrollment->id});
        }
        return plan;
    };
    co_return co_await erase(order, subject, planner);
}

Task<Result<Outcome<std::string>>> Enroller::delete_registration(const Order& order,
                                                                 const std::string& id) {
    const Error unknown{ErrorKind::not_found, "there is no registration '" + id + "'",
                        "registration-not-found"};
    Subject subject;
    const auto registration_id = parse_registration_id(id);
    if (!registration_id) {
        co_return unknown;
    }
    subject.individual = *registration_id;
    const Planner planner = [&](const Snapshot& snapshot, const domain::Writing&) -> Result<Plan> {
        const auto& registration = snapshot.registration;
        if (!registration) {
            return unknown;
        }
        TRY([[maybe_unused]] const Done same, order.if_match.check(registration->etag));
        Plan plan;
        plan.action = "registration.delete";
        plan.object = "registration/" + registration->id.original();
        plan.detail.text("deviceId", registration->device_id.str())
            .text("assignedHub", registration->assigned_hub);
        plan.preview.summary.push_back("Forgets the registration of '" +
                                       registration->id.original() +
                                       "'; the device has to register again.");
        plan.preview.impact = {1, {registration->id.original()}};
        plan.changes.expects.push_back(domain::ExpectEtag{
            domain::RecordKind::registration, registration->id.str(), registration->etag});
        plan.changes.writes.push_back(domain::DeleteRegistration{registration->id});
        return plan;
    };
    co_return co_await erase(order, subject, planner);
}

}  // namespace rollcall::service
