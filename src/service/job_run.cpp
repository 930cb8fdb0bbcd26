// SPDX-License-Identifier: Apache-2.0
// A run as a whole and its batches. Which devices: job_choice.cpp; one device: job_device.cpp.
#include "service/job_run.hpp"

#include "base/limits.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>

namespace rollcall::service {

JobRun::JobRun(const World& world, std::string id) : world_(world), id_(std::move(id)) {}

bool JobRun::halted() const {
    return hurried_ || ending_ || cancelled_ || trouble_;
}

/// Tries until it gets through: a store that is away comes back.
Task<void> JobRun::go() {
    const auto executor = co_await asio::this_coro::executor;
    asio::steady_timer bell{executor};
    bell_ = &bell;
    while (!ending_) {
        hurried_ = false;
        trouble_.reset();
        cancelled_ = false;
        absent_.clear();
        auto done = co_await attempt();
        if (done && !hurried_ && !ending_) {
            co_return;
        }
        if (done || done.error().kind == ErrorKind::stale) {
            co_await breathe(limits::job_pause);  // its state was changed meanwhile
            continue;
        }
        const Error error = done.error();
        log_event(Severity::warning, "job_halted",
                  {{"job", id_}, {"detail", error.detail}, {"note", error.note}});
        if (error.kind != ErrorKind::unavailable) {
            // It will not get better.
            done = co_await finish(domain::JobStatus::failed, error.detail);
            if (done) {
                co_return;
            }
        }
        co_await breathe(limits::job_retry_pause);
    }
}

Task<Result<Done>> JobRun::attempt() {
    CO_TRY(const auto job, co_await world_.reader.job(id_));
    if (!job || !domain::is_under_way(job->status)) {
        co_return Done{};
    }
    job_ = *job;
    acts_ = domain::job_acts(job_.steps);
    if (!job_.chosen) {
        CO_TRY([[maybe_unused]] const Done chosen, co_await choose_devices());
    }
    if (halted()) {
        co_return Done{};
    }
    co_return co_await work();
}

/// Batch after batch, from the first device that still has its turn to come.
Task<Result<Done>> JobRun::work() {
    const std::uint64_t size = domain::batch_size(job_);
    const store::JobDeviceFilter waiting{.status = domain::JobDeviceStatus::pending};
    const store::PageRequest one{.count = 1};
    while (!halted()) {
        CO_TRY(const auto next, co_await world_.reader.job_devices(id_, one, waiting));
        if (next.items.empty()) {
            const std::string no_fault;
            co_return co_await finish(domain::JobStatus::complete, no_fault);
        }
        const std::uint64_t first = next.items.front().number / size * size;
        const std::uint64_t end = std::min(first + size, job_.progress.total);
        CO_TRY([[maybe_unused]] const Done worked, co_await batch(first, end));
        if (trouble_) {
            co_return *trouble_;
        }
        if (cancelled_) {
            const std::string fault = std::to_string(failed_) + " of " +
                                      std::to_string(counted_of_) +
                                      " devices failed, which is more than the threshold";
            co_return co_await finish(domain::JobStatus::cancelled, fault);
        }
    }
    co_return Done{};
}

Task<Result<Done>> JobRun::batch(std::uint64_t first, std::uint64_t end) {
    if (job_.threshold) {
        const bool per_batch = job_.threshold->per_batch;
        const std::uint64_t from = per_batch ? first : 0;
        const std::uint64_t to = per_batch ? end : job_.progress.total;
        CO_TRY(const auto progress, co_await world_.reader.job_progress(id_, from, to));
        failed_ = progress.failed;
        counted_of_ = progress.total;
        // Where it was resumed at this very place.
        cancelled_ = domain::exceeded(*job_.threshold, failed_, counted_of_);
    }
    auto sent = co_await everyone(first, end);
    if (sent && !halted()) {
        sent = co_await wait_for_absent();
    }
    co_await all_back();
    co_return sent;
}

/// Each device of the batch that still has its turn to come; those that are not connected are
/// noted.
Task<Result<Done>> JobRun::everyone(std::uint64_t first, std::uint64_t end) {
    const store::JobDeviceFilter waiting{.status = domain::JobDeviceStatus::pending, .before = end};
    store::PageRequest page{.after = first == 0 ? std::string{} : std::to_string(first - 1),
                            .count = limits::job_page};
    while (!halted()) {
        CO_TRY(auto devices, co_await world_.reader.job_devices(id_, page, waiting));
        for (auto& device : devices.items) {
            if (halted()) {
                co_return Done{};
            }
            co_await send_out(std::move(device), Errand::serve);
        }
        if (devices.next.empty()) {
            break;
        }
        page.after = devices.next;
    }
    co_await all_back();
    co_return Done{};
}

/// Until all of them came or the time is over; who did not come has failed.
Task<Result<Done>> JobRun::wait_for_absent() {
    std::chrono::milliseconds waited{0};  // whatever the wall clock does meanwhile
    while (!absent_.empty() && !halted()) {
        const bool late = waited >= limits::job_connect_time;
        std::deque<domain::JobDevice> looked_at;
        looked_at.swap(absent_);
        for (auto& device : looked_at) {
            if (halted()) {
                co_return Done{};
            }
            const bool here = world_.hub.sessions().of(device.device) != nullptr;
            if (here || late) {
                const Errand errand = here ? Errand::serve : Errand::give_up;
                co_await send_out(std::move(device), errand);
            } else {
                absent_.push_back(std::move(device));
            }
        }
        co_await all_back();
        if (!absent_.empty()) {
            co_await breathe(limits::job_look_again);
            waited += limits::job_look_again;
        }
    }
    co_return Done{};
}

Task<void> JobRun::send_out(domain::JobDevice device, Errand errand) {
    co_await room_for_one();
    if (halted()) {
        co_return;
    }
    if (++since_breath_ >= limits::job_crew) {
        since_breath_ = 0;
        co_await breathe(limits::job_pause);
        if (halted()) {
            co_return;
        }
    }
    ++out_;
    world_.host.spawn("job-device", run_errand(std::move(device), errand));
}

Task<void> JobRun::breathe(std::chrono::milliseconds time) {
    const bool goes_on = co_await world_.host.pause(time);
    ending_ = ending_ || !goes_on;
}

Task<void> JobRun::room_for_one() {
    while (out_ >= limits::job_crew) {
        boost::system::error_code rung;
        bell_->expires_at(asio::steady_timer::time_point::max());
        co_await bell_->async_wait(asio::redirect_error(asio::use_awaitable, rung));
    }
}

Task<void> JobRun::all_back() {
    while (out_ > 0) {
        boost::system::error_code rung;
        bell_->expires_at(asio::steady_timer::time_point::max());
        co_await bell_->async_wait(asio::redirect_error(asio::use_awaitable, rung));
    }
}

Task<Result<Done>> JobRun::finish(domain::JobStatus how, const std::string& fault) {
    CO_TRY(const auto progress,
           co_await world_.reader.job_progress(id_, 0, limits::job_devices_max));
    domain::Job job = domain::ended(job_, how, progress, fault, world_.clock.now());
    log_event(Severity::info, "job_ended",
              {{"job", id_},
               {"status", std::string{domain::to_string(how)}},
               {"devices", std::to_string(progress.total)},
               {"failed", std::to_string(progress.failed)}});
    co_return co_await put(std::move(job));
}

/// stale: somebody else wrote the job; read it again.
Task<Result<Done>> JobRun::put(domain::Job job) {
    domain::Changes changes;
    changes.expects.push_back(domain::ExpectEtag{domain::RecordKind::job, id_, job_.etag});
    job.etag = new_etag(world_.entropy);
    changes.writes.push_back(domain::PutJob{job});
    CO_TRY([[maybe_unused]] const auto receipt, co_await world_.ledger.commit(changes));
    job_ = std::move(job);
    co_return Done{};
}

}  // namespace rollcall::service
