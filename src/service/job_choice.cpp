// SPDX-License-Identifier: Apache-2.0
// Which devices a job is for: chosen once, numbered, and kept, so that the job has the same ones
// after a crash. Until the last is kept the job has not begun, and choosing begins anew.
#include "base/limits.hpp"
#include "domain/device_query.hpp"
#include "service/device_choice.hpp"
#include "service/job_run.hpp"

#include <utility>

namespace rollcall::service {

Task<Result<Done>> drop_job_devices(store::StoreReader& reader, store::Ledger& ledger,
                                    JobHost& host, const std::string& job) {
    const store::PageRequest first{.count = limits::job_page};
    const store::JobDeviceFilter all;
    while (true) {
        CO_TRY(const auto page, co_await reader.job_devices(job, first, all));
        if (page.items.empty()) {
            co_return Done{};
        }
        domain::Changes changes;
        changes.writes.push_back(
            domain::DeleteJobDevices{job, page.items.front().number, page.items.back().number + 1});
        CO_TRY([[maybe_unused]] const auto receipt, co_await ledger.commit(changes));
        const bool goes_on = co_await host.pause(limits::job_pause);
        if (!goes_on) {
            co_return Error{ErrorKind::unavailable, "the server is about to end", "ending"};
        }
    }
}

Task<Result<Done>> JobRun::choose_devices() {
    CO_TRY([[maybe_unused]] const Done dropped,
           co_await drop_job_devices(world_.reader, world_.ledger, world_.host, id_));
    numbered_ = 0;
    if (job_.rerun_of.empty()) {
        CO_TRY([[maybe_unused]] const Done added, co_await add_chosen());
    } else {
        CO_TRY([[maybe_unused]] const Done added, co_await add_failed());
    }
    if (halted()) {
        co_return Done{};
    }
    log_event(Severity::info, "job_begins", {{"job", id_}, {"devices", std::to_string(numbered_)}});
    domain::Job begun = domain::chosen(job_, numbered_, world_.clock.now());
    co_return co_await put(std::move(begun));
}

/// The members of its group now.
Task<Result<Done>> JobRun::add_chosen() {
    CO_TRY(const auto query, domain::parse_device_query(job_.filter));
    store::PageRequest page{.count = limits::job_page};
    const store::DeviceFilter all;
    while (!halted()) {
        CO_TRY(auto devices, co_await world_.reader.noted_devices(page, all));
        CO_TRY(const auto chosen, co_await choose(world_.reader, query, std::move(devices.items)));
        std::vector<DeviceId> ids;
        for (const auto& noted : chosen) {
            ids.push_back(noted.device.id);
        }
        CO_TRY([[maybe_unused]] const Done added, co_await add_page(ids));
        if (devices.next.empty()) {
            break;
        }
        page.after = devices.next;
    }
    co_return Done{};
}

/// Those that failed in the job it runs again. That one is over: its devices stay as they are.
Task<Result<Done>> JobRun::add_failed() {
    store::PageRequest page{.count = limits::job_page};
    const store::JobDeviceFilter failed{.status = domain::JobDeviceStatus::failed};
    while (!halted()) {
        CO_TRY(const auto devices, co_await world_.reader.job_devices(job_.rerun_of, page, failed));
        std::vector<DeviceId> ids;
        for (const auto& device : devices.items) {
            ids.push_back(device.device);
        }
        CO_TRY([[maybe_unused]] const Done added, co_await add_page(ids));
        if (devices.next.empty()) {
            break;
        }
        page.after = devices.next;
    }
    co_return Done{};
}

Task<Result<Done>> JobRun::add_page(const std::vector<DeviceId>& devices) {
    if (numbered_ + devices.size() > limits::job_devices_max) {
        co_return Error{ErrorKind::too_large,
                        "a job has at most " + std::to_string(limits::job_devices_max) +
                            " devices, and its group chooses more",
                        "too-many-devices"};
    }
    domain::Changes changes;
    for (const auto& device : devices) {
        changes.writes.push_back(
            domain::PutJobDevice{{.job = id_, .number = numbered_++, .device = device}});
    }
    if (!changes.empty()) {
        CO_TRY([[maybe_unused]] const auto receipt, co_await world_.ledger.commit(changes));
    }
    co_await breathe(limits::job_pause);
    co_return Done{};
}

}  // namespace rollcall::service
