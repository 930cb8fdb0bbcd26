// SPDX-License-Identifier: Apache-2.0
// One device's turn in a job. What it is sent and the record that it was are one change.
#include "base/limits.hpp"
#include "service/job_run.hpp"

#include <algorithm>
#include <utility>

namespace rollcall::service {
namespace {

using domain::JobDevice;
using domain::JobDeviceStatus;

/// Is it the device's matter, or is something wrong that all devices will meet?
bool is_of_device(const Error& error) {
    switch (error.kind) {
        case ErrorKind::internal: return false;
        case ErrorKind::unavailable:
            return error.reason == "device-left" || error.reason == "twin-raced";
        default: return true;
    }
}

/// A device says how a command went in HTTP's numbers.
bool went_well(const MethodAnswer& answer) {
    return answer.status < 400;
}

/// Only where both are known: a device without a template may be any.
bool is_for_others(const domain::Job& job, const domain::DeviceNotes& notes) {
    return !notes.template_id.empty() &&
           std::any_of(job.steps.begin(), job.steps.end(), [&notes](const auto& step) {
               return !step.target.empty() && step.target != notes.template_id;
           });
}

JobDevice one_done(JobDevice device, std::size_t acts) {
    ++device.done;
    device.calling = false;
    device.status = device.done == acts ? JobDeviceStatus::completed : JobDeviceStatus::pending;
    return device;
}

domain::Changes keeping(const JobDevice& device) {
    domain::Changes changes;
    changes.writes.push_back(domain::PutJobDevice{device});
    return changes;
}

}  // namespace

Task<void> JobRun::run_errand(JobDevice device, Errand errand) {
    auto done = errand == Errand::serve ? turn(device) : give_up(device);
    const auto turned = co_await std::move(done);
    if (!turned) {
        if (!trouble_) {
            trouble_ = turned.error();
        }
    } else if (*turned == Turn::absent) {
        absent_.push_back(std::move(device));
    }
    --out_;
    bell_->cancel();
}

Task<Result<JobRun::Turn>> JobRun::turn(JobDevice& device) {
    if (device.calling) {
        const std::string fault =
            "the server stopped while the command was on its way: it may have reached the device, "
            "and its answer is not known";
        co_return co_await fail(device, fault);
    }
    CO_TRY(const auto record, co_await world_.reader.device(device.device));
    if (!record) {
        const std::string fault = "the device was deleted";
        co_return co_await fail(device, fault);
    }
    CO_TRY(const auto notes, co_await world_.reader.device_notes(device.device));
    if (is_for_others(job_, notes)) {
        const std::string fault =
            "the device has the template " + notes.template_id + ", and the job is for another";
        co_return co_await fail(device, fault);
    }
    while (device.status == JobDeviceStatus::pending) {
        INVARIANT(device.done < acts_.size());
        CO_TRY(const Turn turned, co_await act(device, acts_[device.done]));
        if (turned == Turn::absent) {
            co_return Turn::absent;
        }
    }
    co_return Turn::over;
}

Task<Result<JobRun::Turn>> JobRun::give_up(JobDevice& device) {
    const std::string fault = "the device was not connected for " +
                              std::to_string(limits::job_connect_time.count()) + " s";
    co_return co_await fail(device, fault);
}

/// `device` as it stands after it.
Task<Result<JobRun::Turn>> JobRun::act(JobDevice& device, const domain::JobAct& act) {
    if (act.patch.empty()) {
        co_return co_await call(device, act);
    }
    JobDevice after = one_done(device, acts_.size());
    const domain::Changes together = keeping(after);
    const auto set = co_await world_.hub.set_desired(device.device, act.patch, together);
    if (set) {
        device = std::move(after);
        co_return Turn::over;
    }
    if (!is_of_device(set.error())) {
        co_return set.error();
    }
    co_return co_await fail(device, set.error().detail);
}

Task<Result<JobRun::Turn>> JobRun::call(JobDevice& device, const domain::JobAct& act) {
    if (!world_.hub.sessions().of(device.device)) {
        co_return Turn::absent;
    }
    JobDevice on_its_way = device;
    on_its_way.calling = true;
    const domain::Changes together = keeping(on_its_way);
    const auto answer = co_await world_.hub.call_with(device.device, act.method, act.payload,
                                                      limits::method_timeout, together);
    if (answer && went_well(*answer)) {
        device = one_done(device, acts_.size());
        CO_TRY([[maybe_unused]] const Done kept, co_await keep(device));
        co_return Turn::over;
    }
    if (answer) {
        const std::string fault = "the device answered " + std::to_string(answer->status);
        co_return co_await fail(device, fault);
    }
    const Error& error = answer.error();
    if (error.reason == "device-not-connected" || error.reason == "too-many-calls") {
        // It may stand there as on its way, and is not.
        CO_TRY([[maybe_unused]] const Done kept, co_await keep(device));
        co_return Turn::absent;
    }
    if (!is_of_device(error)) {
        co_return error;
    }
    co_return co_await fail(device, error.detail);
}

Task<Result<JobRun::Turn>> JobRun::fail(JobDevice& device, const std::string& fault) {
    device.status = JobDeviceStatus::failed;
    device.calling = false;
    device.fault = fault;
    CO_TRY([[maybe_unused]] const Done kept, co_await keep(device));
    count_failure();
    co_return Turn::over;
}

/// What is known of a device is not given up because the store is away for a moment.
Task<Result<Done>> JobRun::keep(const JobDevice& device) {
    const domain::Changes changes = keeping(device);
    while (true) {
        const auto receipt = co_await world_.ledger.commit(changes);
        if (receipt) {
            co_return Done{};
        }
        if (receipt.error().kind != ErrorKind::unavailable || ending_) {
            co_return receipt.error();
        }
        co_await breathe(limits::job_retry_pause);
    }
}

void JobRun::count_failure() {
    ++failed_;
    if (job_.threshold && domain::exceeded(*job_.threshold, failed_, counted_of_)) {
        cancelled_ = true;
    }
}

}  // namespace rollcall::service
