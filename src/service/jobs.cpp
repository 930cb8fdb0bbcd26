// SPDX-License-Identifier: Apache-2.0
#include "service/jobs.hpp"

#include "base/limits.hpp"
#include "service/audit_detail.hpp"

#include <utility>

namespace rollcall::service {
namespace {

Error no_job(const std::string& id) {
    return {ErrorKind::not_found,
            "there is no job '" + id.substr(0, limits::job_id_chars_max) + "'", "job-not-found"};
}

Error job_exists(const std::string& id) {
    return {ErrorKind::conflict, "there is a job '" + id + "' already, and it does something else",
            "job-exists"};
}

/// What it does, without the values: a command's payload may hold a secret.
AuditDetail told(const domain::Job& job) {
    std::vector<std::string> steps;
    for (const auto& step : job.steps) {
        const bool command = step.kind == domain::JobStep::Kind::command;
        steps.push_back((command ? "command:" : "property:") + step.path);
    }
    AuditDetail detail;
    detail.text("deviceGroup", job.group).text("filter", job.filter).texts("data", steps);
    if (!job.rerun_of.empty()) {
        detail.text("rerunOf", job.rerun_of);
    }
    return detail;
}

Result<domain::Job> resume_job(domain::Job job, const domain::JobProgress&) {
    return domain::resumed(std::move(job));
}

}  // namespace

// --- What operators order -------------------------------------------------------------------

Task<Result<domain::Job>> Jobs::create(const Order& order, domain::Job wish) {
    CO_TRY([[maybe_unused]] const Done good, domain::check_job(wish));
    CO_TRY(const auto there, co_await world_.reader.job(wish.id));
    if (there) {
        if (!domain::same_order(*there, wish)) {
            co_return job_exists(wish.id);
        }
        co_return co_await with_progress(*there);
    }
    CO_TRY(const auto group, co_await world_.reader.device_group(wish.group));
    if (!group) {
        co_return Error{ErrorKind::malformed, "there is no device group '" + wish.group + "'",
                        "device-group-not-found"};
    }
    wish.filter = group->filter;
    wish.created = world_.clock.now();
    domain::Changes expects;
    expects.expects.push_back(
        domain::ExpectEtag{domain::RecordKind::device_group, group->id, group->etag});
    co_return co_await put_new(order, std::move(wish), expects);
}

Task<Result<domain::Job>> Jobs::rerun(const Order& order, const std::string& id,
                                      const std::string& rerun) {
    CO_TRY([[maybe_unused]] const Done named, domain::check_job_id(rerun));
    CO_TRY(const auto job, co_await world_.reader.job(id));
    if (!job) {
        co_return no_job(id);
    }
    CO_TRY(const auto there, co_await world_.reader.job(rerun));
    if (there) {
        if (there->rerun_of != id) {
            co_return job_exists(rerun);
        }
        co_return co_await with_progress(*there);
    }
    CO_TRY(auto again, domain::rerun_of(*job, rerun, world_.clock.now()));
    domain::Changes expects;  // its failed devices are read from the job that is over
    expects.expects.push_back(domain::ExpectEtag{domain::RecordKind::job, id, job->etag});
    co_return co_await put_new(order, std::move(again), expects);
}

/// stale comes out: what was read has moved, and a second try would be about something else.
Task<Result<domain::Job>> Jobs::put_new(const Order& order, domain::Job job,
                                        const domain::Changes& expects) {
    job.created_by = order.caller.name;
    job.etag = new_etag(world_.entropy);
    domain::Changes changes = expects;
    changes.expects.push_back(domain::ExpectEtag{domain::RecordKind::job, job.id, ETag{}});
    changes.expects.push_back(domain::ExpectJobRoom{limits::jobs_under_way_max, limits::jobs_max});
    const auto detail = told(job);
    changes.audit.push_back(audit_event(order, job.rerun_of.empty() ? "job.create" : "job.rerun",
                                        "job/" + job.id, detail, job.created));
    changes.writes.push_back(domain::PutJob{job});
    CO_TRY([[maybe_unused]] const auto receipt, co_await world_.ledger.commit(changes));
    begin(job.id);
    co_return job;
}

Task<Result<domain::Job>> Jobs::stop(const Order& order, const std::string& id) {
    auto stopped = co_await change(order, id, "job.stop", domain::stopped);
    if (stopped) {
        hurry(id);
    }
    co_return stopped;
}

Task<Result<domain::Job>> Jobs::resume(const Order& order, const std::string& id) {
    auto resumed = co_await change(order, id, "job.resume", resume_job);
    if (resumed) {
        begin(id);
    }
    co_return resumed;
}

Task<Result<domain::Job>> Jobs::change(const Order& order, const std::string& id,
                                       std::string_view action, Change next) {
    Error moved;
    for (int attempt = 0; attempt < limits::change_attempts_max; ++attempt) {
        CO_TRY(const auto before, co_await world_.reader.job(id));
        if (!before) {
            co_return no_job(id);
        }
        CO_TRY(const auto progress,
               co_await world_.reader.job_progress(id, 0, limits::job_devices_max));
        CO_TRY(domain::Job job, next(*before, progress));
        if (job.status == before->status) {
            co_return job;
        }
        domain::Changes changes;
        changes.expects.push_back(domain::ExpectEtag{domain::RecordKind::job, id, before->etag});
        if (domain::is_under_way(job.status)) {
            changes.expects.push_back(
                domain::ExpectJobRoom{limits::jobs_under_way_max, limits::jobs_max + 1});
        }
        job.etag = new_etag(world_.entropy);
        AuditDetail detail;
        detail.change("status", domain::to_string(before->status), domain::to_string(job.status));
        changes.audit.push_back(
            audit_event(order, std::string{action}, "job/" + id, detail, world_.clock.now()));
        changes.writes.push_back(domain::PutJob{job});
        const auto receipt = co_await world_.ledger.commit(changes);
        if (receipt) {
            co_return job;
        }
        if (receipt.error().kind != ErrorKind::stale) {
            co_return receipt.error();
        }
        moved = receipt.error();
    }
    co_return moved;
}

// --- What operators see ---------------------------------------------------------------------

Task<Result<domain::Job>> Jobs::with_progress(domain::Job job) {
    if (domain::is_over(job.status)) {
        co_return job;
    }
    CO_TRY(const auto progress,
           co_await world_.reader.job_progress(job.id, 0, limits::job_devices_max));
    if (job.chosen) {
        job.progress = progress;
    }
    co_return job;
}

Task<Result<domain::Job>> Jobs::get(const std::string& id) {
    CO_TRY(const auto job, co_await world_.reader.job(id));
    if (!job) {
        co_return no_job(id);
    }
    co_return co_await with_progress(*job);
}

Task<Result<store::Page<domain::Job>>> Jobs::list(const store::PageRequest& page) {
    const store::JobFilter all;
    CO_TRY(auto jobs, co_await world_.reader.jobs(page, all));
    for (auto& job : jobs.items) {
        CO_TRY(auto counted, co_await with_progress(job));
        job = std::move(counted);
    }
    co_return jobs;
}

Task<Result<store::Page<domain::JobDevice>>> Jobs::devices(const std::string& id,
                                                           const store::PageRequest& page) {
    CO_TRY(const auto job, co_await world_.reader.job(id));
    if (!job) {
        co_return no_job(id);
    }
    if (!job->chosen) {
        co_return store::Page<domain::JobDevice>{};
    }
    const store::JobDeviceFilter all;
    co_return co_await world_.reader.job_devices(id, page, all);
}

// --- Runs -----------------------------------------------------------------------------------

/// A run that is about to end looks once more instead of a second one beside it.
void Jobs::begin(const std::string& id) {
    std::shared_ptr<Run> run;
    {
        const std::lock_guard lock(mutex_);
        auto& place = runs_[id];
        if (place) {
            place->again = true;
            return;
        }
        place = run = std::make_shared<Run>(world_, id);
    }
    world_.host.spawn("job", drive(id, std::move(run)));
}

void Jobs::hurry(const std::string& id) {
    const std::lock_guard lock(mutex_);
    if (const auto found = runs_.find(id); found != runs_.end()) {
        found->second->run.hurry();
    }
}

Task<void> Jobs::drive(std::string id, std::shared_ptr<Run> run) {
    while (true) {
        co_await run->run.go();
        const std::lock_guard lock(mutex_);
        if (!std::exchange(run->again, false)) {
            runs_.erase(id);
            co_return;
        }
    }
}

Task<void> Jobs::keep_house() {
    constexpr auto between = std::chrono::hours{1};
    bool begun = false;
    std::chrono::milliseconds time{0};
    while (co_await world_.host.pause(time)) {
        Result<Done> done = Done{};
        if (!begun) {
            done = co_await go_on();
            begun = done.has_value();
        }
        if (done) {
            done = co_await drop_old();
        }
        if (!done) {
            log_event(Severity::warning, "jobs_not_kept",
                      {{"detail", done.error().detail}, {"note", done.error().note}});
        }
        time = done ? std::chrono::milliseconds{between} : limits::job_retry_pause;
    }
}

Task<Result<Done>> Jobs::go_on() {
    const store::PageRequest page{.count = limits::page_max};
    const store::JobFilter under_way{.under_way = true};
    CO_TRY(const auto jobs, co_await world_.reader.jobs(page, under_way));
    for (const auto& job : jobs.items) {
        begin(job.id);
    }
    co_return Done{};
}

/// Jobs whose failed devices have yet to be read.
Task<Result<std::set<std::string>>> Jobs::needed_by_reruns() {
    store::PageRequest page{.count = limits::job_page};
    const store::JobFilter all;
    std::set<std::string> needed;
    while (true) {
        CO_TRY(const auto jobs, co_await world_.reader.jobs(page, all));
        for (const auto& job : jobs.items) {
            if (!domain::is_over(job.status) && !job.chosen) {
                needed.insert(job.rerun_of);
            }
        }
        if (jobs.next.empty()) {
            co_return needed;
        }
        page.after = jobs.next;
    }
}

/// First its devices, some at a time; then it.
Task<Result<Done>> Jobs::drop_old() {
    store::PageRequest page{.count = limits::job_page};
    const store::JobFilter all;
    const TimePoint since = world_.clock.now() - limits::job_life;
    CO_TRY(const auto needed, co_await needed_by_reruns());
    while (true) {
        CO_TRY(const auto jobs, co_await world_.reader.jobs(page, all));
        for (const auto& job : jobs.items) {
            const bool old =
                domain::is_over(job.status) && job.ended.value_or(job.created) <= since;
            if (!old || needed.contains(job.id)) {
                continue;
            }
            CO_TRY([[maybe_unused]] const Done dropped,
                   co_await drop_job_devices(world_.reader, world_.ledger, world_.host, job.id));
            domain::Changes changes;
            changes.expects.push_back(
                domain::ExpectEtag{domain::RecordKind::job, job.id, job.etag});
            changes.writes.push_back(domain::DeleteJob{job.id});
            CO_TRY([[maybe_unused]] const auto receipt, co_await world_.ledger.commit(changes));
        }
        if (jobs.next.empty()) {
            co_return Done{};
        }
        page.after = jobs.next;
    }
}

}  // namespace rollcall::service
