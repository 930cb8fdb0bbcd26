// SPDX-License-Identifier: Apache-2.0
// A job: desired properties set and commands called on every device of a group, in batches, until
// too many fail (spec/iot-central-api.md 3.5). Values and the rules of their states; who carries a
// job out is service/job_runner.
//
//   pending --> running --> complete
//      |           |------> cancelled   more failures than the threshold
//      |           |------> failed      it could not be carried out (see `fault`)
//      '--> stopped <--'
//             '--> pending or running again (resume)
#pragma once

#include "base/ids.hpp"
#include "base/world.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rollcall::domain {

/// What is done to each device.
struct JobStep {
    enum class Kind : std::uint8_t { property, command };
    Kind kind = Kind::property;
    std::string target{};  ///< the device template it is meant for; told, and compared where known
    std::string path{};    ///< "name" or "component.name"
    std::string value{};   ///< JSON text; of a command: its payload, empty for none

    bool operator==(const JobStep&) const = default;
};

/// A number of devices, or a percentage of them.
struct JobShare {
    bool percentage = false;
    double value = 0;

    bool operator==(const JobShare&) const = default;
};

/// More failures than this cancel the job; counted in each batch or over the whole job.
struct JobThreshold {
    JobShare share{};
    bool per_batch = false;

    bool operator==(const JobThreshold&) const = default;
};

/// The cloud's words.
enum class JobStatus : std::uint8_t { pending, running, complete, cancelled, failed, stopped };
std::string_view to_string(JobStatus status);

enum class JobDeviceStatus : std::uint8_t { pending, completed, failed };
std::string_view to_string(JobDeviceStatus status);

struct JobProgress {
    std::uint64_t total = 0;
    std::uint64_t completed = 0;
    std::uint64_t failed = 0;

    std::uint64_t pending() const { return total - completed - failed; }
    bool operator==(const JobProgress&) const = default;
};

struct Job {
    std::string id;  ///< check_job_id(); case matters
    std::string display_name{};
    std::string description{};
    std::string group{};   ///< the device group's id
    std::string filter{};  ///< the group's when the job was made: later changes do not matter
    std::optional<JobShare> batch{};
    std::optional<JobThreshold> threshold{};
    std::vector<JobStep> steps{};
    /// Of a rerun: the job whose failed devices it takes; empty otherwise.
    std::string rerun_of{};
    JobStatus status = JobStatus::pending;
    /// Its devices are known and numbered; the total of `progress` counts from then on.
    bool chosen = false;
    /// As it stood at the last change of status; while the job is under way, the store counts.
    JobProgress progress{};
    std::string fault{};       ///< why it failed or was cancelled
    std::string created_by{};  ///< audit name of who ordered it
    TimePoint created{};
    std::optional<TimePoint> started{};
    std::optional<TimePoint> ended{};
    ETag etag{};

    bool operator==(const Job&) const = default;
};

/// One device of a job.
struct JobDevice {
    std::string job;
    std::uint64_t number = 0;  ///< from 0, without gaps; batches are made of neighbours
    DeviceId device{};
    JobDeviceStatus status = JobDeviceStatus::pending;
    /// Acts (job_acts()) that are done.
    std::uint32_t done = 0;
    /// A command is on its way: after a crash it may have reached the device, or not.
    bool calling = false;
    std::string fault{};  ///< why it failed

    bool operator==(const JobDevice&) const = default;
};

/// What is done to a device in one go: all properties together, then each command.
struct JobAct {
    /// A merge patch of desired properties as JSON text; empty: a command.
    std::string patch{};
    std::string method{};
    std::string payload{};

    bool operator==(const JobAct&) const = default;
};
std::vector<JobAct> job_acts(const std::vector<JobStep>& steps);

/// Everything an operator writes of a job: names, a group, 1 to limits::job_steps_max steps, shares
/// within their bounds. malformed or too_large, with a reason of its own for each.
Result<Done> check_job(const Job& job);
/// Do two jobs ask for the same? States, times and versions aside.
bool same_order(const Job& a, const Job& b);

// --- States --------------------------------------------------------------------------------

bool is_under_way(JobStatus status);
bool is_over(JobStatus status);

/// conflict "job-not-running" where it is over. One that is stopped already stays so.
Result<Job> stopped(Job job, const JobProgress& progress);
/// conflict "job-not-stopped". One that is under way already stays so.
Result<Job> resumed(Job job);
/// A new job for the failed devices of one that is over; conflict "job-not-over", "no-failures".
Result<Job> rerun_of(const Job& job, std::string id, TimePoint now);
/// Its devices are known.
Job chosen(Job job, std::uint64_t total, TimePoint now);
Job ended(Job job, JobStatus how, const JobProgress& progress, std::string fault, TimePoint now);

// --- Batches and thresholds -----------------------------------------------------------------

/// Devices of one batch, at least one; all of them where the job has no batches.
std::uint64_t batch_size(const Job& job);
/// Are `failed` of `devices` too many? `devices`: those of the batch, or of the whole job.
bool exceeded(const JobThreshold& threshold, std::uint64_t failed, std::uint64_t devices);

}  // namespace rollcall::domain
