// SPDX-License-Identifier: Apache-2.0
#include "domain/job.hpp"

#include "base/limits.hpp"
#include "domain/device_group.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace rollcall::domain {
namespace {

Error malformed(std::string detail, std::string reason) {
    return {ErrorKind::malformed, std::move(detail), std::move(reason)};
}

/// A name that is a member of a twin or a method: the hub's own rules for both.
bool good_name(std::string_view name) {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-';
    });
}

/// "component.name": the part before the dot, empty where there is none; and the name.
std::pair<std::string_view, std::string_view> parts_of(std::string_view path) {
    const std::size_t dot = path.find('.');
    if (dot == std::string_view::npos) {
        return {{}, path};
    }
    return {path.substr(0, dot), path.substr(dot + 1)};
}

/// Plug and Play's convention: a component's command is called "component*command".
std::string method_of(std::string_view path) {
    const auto [component, name] = parts_of(path);
    return component.empty() ? std::string{name} : std::string{component} + "*" + std::string{name};
}

Result<Done> check_step(const JobStep& step) {
    const auto [component, name] = parts_of(step.path);
    const bool has_component = step.path.find('.') != std::string::npos;
    if (!good_name(name) || (has_component && !good_name(component))) {
        return malformed(
            "the path of a job's step is 'name' or 'component.name', of letters, "
            "digits, '_' and '-'",
            "malformed-step");
    }
    if (step.kind == JobStep::Kind::property && step.value.empty()) {
        return malformed("the property '" + step.path + "' has no value", "value-missing");
    }
    if (method_of(step.path).size() > limits::method_name_chars_max) {
        return malformed("the path of a job's step has at most " +
                             std::to_string(limits::method_name_chars_max) + " characters",
                         "malformed-step");
    }
    return check_words("target", step.target, limits::job_name_chars_max);
}

/// One property at two steps would make the order matter, which one patch does not keep.
Result<Done> check_steps(const std::vector<JobStep>& steps) {
    if (steps.empty() || steps.size() > limits::job_steps_max) {
        return malformed("a job does 1 to " + std::to_string(limits::job_steps_max) + " things",
                         "malformed-data");
    }
    std::vector<std::string_view> properties;
    std::size_t bytes = 0;
    std::size_t all_bytes = 0;
    for (const auto& step : steps) {
        TRY([[maybe_unused]] const Done good, check_step(step));
        all_bytes += step.value.size();
        if (step.kind == JobStep::Kind::command) {
            continue;
        }
        bytes += step.path.size() + step.value.size();
        for (const auto other : properties) {
            // Also "a" and "a.b": the one would replace what the other sets.
            if (other == step.path || parts_of(other).first == step.path ||
                parts_of(step.path).first == other) {
                return malformed("the property '" + step.path + "' is set twice", "property-twice");
            }
        }
        properties.push_back(step.path);
    }
    if (all_bytes > limits::job_values_bytes_max) {
        return Error{ErrorKind::too_large,
                     "the values of a job have at most " +
                         std::to_string(limits::job_values_bytes_max) + " bytes together",
                     "value-too-large"};
    }
    if (bytes > limits::twin_properties_bytes_max) {
        return Error{ErrorKind::too_large,
                     "the properties of a job have at most " +
                         std::to_string(limits::twin_properties_bytes_max) + " bytes together",
                     "value-too-large"};
    }
    return Done{};
}

Result<Done> check_share(std::string_view what, const JobShare& share, double least) {
    const double most = share.percentage ? 100.0 : static_cast<double>(limits::job_devices_max);
    const bool whole = share.percentage || share.value == std::floor(share.value);
    if (!(share.value >= least && share.value <= most) || !whole) {
        const std::string range = share.percentage && least > 0
                                      ? "more than 0 and at most 100"
                                      : std::to_string(static_cast<int>(least)) + " to " +
                                            std::to_string(static_cast<int>(most));
        return malformed("the value of " + std::string{what} + " is " + range, "malformed-share");
    }
    return Done{};
}

}  // namespace

std::string_view to_string(JobStatus status) {
    switch (status) {
        case JobStatus::pending: return "pending";
        case JobStatus::running: return "running";
        case JobStatus::complete: return "complete";
        case JobStatus::cancelled: return "cancelled";
        case JobStatus::failed: return "failed";
        case JobStatus::stopped: return "stopped";
    }
    return "";
}

std::string_view to_string(JobDeviceStatus status) {
    switch (status) {
        case JobDeviceStatus::pending: return "pending";
        case JobDeviceStatus::completed: return "completed";
        case JobDeviceStatus::failed: return "failed";
    }
    return "";
}

std::vector<JobAct> job_acts(const std::vector<JobStep>& steps) {
    // Members of a component stand together, with the mark that makes it one ("__t": "c").
    std::vector<std::pair<std::string, std::string>> members;
    std::vector<JobAct> commands;
    for (const auto& step : steps) {
        const auto [component, name] = parts_of(step.path);
        if (step.kind == JobStep::Kind::command) {
            commands.push_back({{}, method_of(step.path), step.value});
            continue;
        }
        const std::string member = "\"" + std::string{name} + "\":" + step.value;
        const std::string owner{component};
        const auto known = std::find_if(members.begin(), members.end(), [&owner](auto& each) {
            return !owner.empty() && each.first == owner;
        });
        if (known == members.end()) {
            members.emplace_back(owner, member);
        } else {
            known->second += "," + member;
        }
    }
    std::vector<JobAct> acts;
    if (!members.empty()) {
        std::string patch;
        for (const auto& [owner, inner] : members) {
            patch += patch.empty() ? "{" : ",";
            patch += owner.empty() ? inner : "\"" + owner + "\":{\"__t\":\"c\"," + inner + "}";
        }
        acts.push_back({patch + "}", {}, {}});
    }
    acts.insert(acts.end(), commands.begin(), commands.end());
    return acts;
}

Result<Done> check_job(const Job& job) {
    TRY([[maybe_unused]] const Done named, check_job_id(job.id));
    TRY([[maybe_unused]] const Done name,
        check_words("displayName", job.display_name, limits::job_name_chars_max));
    TRY([[maybe_unused]] const Done description,
        check_words("description", job.description, limits::job_description_chars_max));
    TRY([[maybe_unused]] const Done group, check_job_id(job.group));
    TRY([[maybe_unused]] const Done steps, check_steps(job.steps));
    if (job.batch) {
        // A percentage may be small, but not nothing.
        const double least = job.batch->percentage ? 0.001 : 1;
        TRY([[maybe_unused]] const Done batch, check_share("batch", *job.batch, least));
    }
    if (job.threshold) {
        TRY([[maybe_unused]] const Done threshold,
            check_share("cancellationThreshold", job.threshold->share, 0));
    }
    return Done{};
}

bool same_order(const Job& a, const Job& b) {
    const auto order = [](const Job& job) {
        return std::tie(job.id, job.display_name, job.description, job.group, job.batch,
                        job.threshold, job.steps, job.rerun_of);
    };
    return order(a) == order(b);
}

bool is_under_way(JobStatus status) {
    return status == JobStatus::pending || status == JobStatus::running;
}

bool is_over(JobStatus status) {
    return !is_under_way(status) && status != JobStatus::stopped;
}

Result<Job> stopped(Job job, const JobProgress& progress) {
    if (is_over(job.status)) {
        return Error{ErrorKind::conflict,
                     "the job is over: its status is " + std::string{to_string(job.status)},
                     "job-not-running"};
    }
    job.status = JobStatus::stopped;
    job.progress = progress;
    return job;
}

Result<Job> resumed(Job job) {
    if (is_over(job.status)) {
        return Error{ErrorKind::conflict,
                     "only a stopped job goes on, and this one's status is " +
                         std::string{to_string(job.status)},
                     "job-not-stopped"};
    }
    job.status = job.chosen ? JobStatus::running : JobStatus::pending;
    return job;
}

Result<Job> rerun_of(const Job& job, std::string id, TimePoint now) {
    if (!is_over(job.status)) {
        return Error{ErrorKind::conflict,
                     "the job is not over: its status is " + std::string{to_string(job.status)},
                     "job-not-over"};
    }
    if (job.progress.failed == 0) {
        return Error{ErrorKind::conflict, "the job failed on no device", "no-failures"};
    }
    Job rerun = job;
    rerun.rerun_of = job.id;
    rerun.id = std::move(id);
    rerun.status = JobStatus::pending;
    rerun.chosen = false;
    rerun.progress = {};
    rerun.fault.clear();
    rerun.created = now;
    rerun.started.reset();
    rerun.ended.reset();
    return rerun;
}

Job chosen(Job job, std::uint64_t total, TimePoint now) {
    job.chosen = true;
    job.status = JobStatus::running;
    job.progress = {total, 0, 0};
    job.started = now;
    return job;
}

Job ended(Job job, JobStatus how, const JobProgress& progress, std::string fault, TimePoint now) {
    job.status = how;
    job.progress = progress;
    job.fault = std::move(fault);
    job.ended = now;
    return job;
}

std::uint64_t batch_size(const Job& job) {
    const std::uint64_t total = std::max<std::uint64_t>(job.progress.total, 1);
    if (!job.batch) {
        return total;
    }
    const double devices = job.batch->percentage
                               ? static_cast<double>(total) * job.batch->value / 100.0
                               : job.batch->value;
    return std::clamp<std::uint64_t>(static_cast<std::uint64_t>(std::ceil(devices)), 1, total);
}

bool exceeded(const JobThreshold& threshold, std::uint64_t failed, std::uint64_t devices) {
    const double most = threshold.share.percentage
                            ? static_cast<double>(devices) * threshold.share.value / 100.0
                            : threshold.share.value;
    return static_cast<double>(failed) > most;
}

}  // namespace rollcall::domain
