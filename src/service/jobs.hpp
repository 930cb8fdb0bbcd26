// SPDX-License-Identifier: Apache-2.0
// Jobs: an operator has the devices of a group set properties or called, watches how it goes, stops
// it, lets it go on, runs it again where it failed. Any core asks; runs live on the host's.
// Errors of all: the store's.
#pragma once

#include "service/caller.hpp"
#include "service/job_run.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

namespace rollcall::service {

class Jobs {
public:
    explicit Jobs(const JobRun::World& world) : world_(world) {}

    /// Makes a job and begins it. The same once more answers what became of the first. Errors
    /// beside domain::check_job(): malformed "device-group-not-found"; conflict "job-exists" (with
    /// another order), "too-many-jobs-under-way", "too-many-jobs".
    Task<Result<domain::Job>> create(const Order& order, domain::Job wish);
    /// Errors of these three: not_found "job-not-found"; conflict as domain/job.hpp says.
    Task<Result<domain::Job>> stop(const Order& order, const std::string& id);
    /// Also conflict "too-many-jobs-under-way".
    Task<Result<domain::Job>> resume(const Order& order, const std::string& id);
    /// A new job, `rerun`, for the devices `id` failed on. Also "job-exists", and the bounds.
    Task<Result<domain::Job>> rerun(const Order& order, const std::string& id,
                                    const std::string& rerun);

    /// With its progress as it is now. not_found.
    Task<Result<domain::Job>> get(const std::string& id);
    Task<Result<store::Page<domain::Job>>> list(const store::PageRequest& page);
    /// In the order of their numbers. not_found.
    Task<Result<store::Page<domain::JobDevice>>> devices(const std::string& id,
                                                         const store::PageRequest& page);

    /// For the program's life, on the host's thread: what was under way goes on, and jobs that are
    /// long over are dropped.
    Task<void> keep_house();

private:
    struct Run {
        explicit Run(const JobRun::World& world, const std::string& id) : run(world, id) {}
        JobRun run;
        bool again = false;  ///< it was begun while it ended
    };

    Task<Result<domain::Job>> put_new(const Order& order, domain::Job job,
                                      const domain::Changes& expects);
    using Change = Result<domain::Job> (*)(domain::Job job, const domain::JobProgress& progress);
    Task<Result<domain::Job>> change(const Order& order, const std::string& id,
                                     std::string_view action, Change next);
    Task<Result<domain::Job>> with_progress(domain::Job job);
    void begin(const std::string& id);
    void hurry(const std::string& id);
    Task<void> drive(std::string id, std::shared_ptr<Run> run);
    Task<Result<Done>> go_on();
    Task<Result<Done>> drop_old();
    Task<Result<std::set<std::string>>> needed_by_reruns();

    const JobRun::World world_;
    std::mutex mutex_;
    std::map<std::string, std::shared_ptr<Run>> runs_;
};

}  // namespace rollcall::service
