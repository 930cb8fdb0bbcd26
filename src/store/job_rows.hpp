// SPDX-License-Identifier: Apache-2.0
// Rows and values of device groups, jobs and the devices of jobs. See rows.hpp.
#pragma once

#include "domain/changes.hpp"
#include "store/database.hpp"
#include "store/store.hpp"

#include <vector>

namespace rollcall::store {

Result<Done> put_device_group(Database& database, const domain::DeviceGroup& group);
Result<Done> delete_device_group(Database& database, const std::string& id);
Result<std::optional<domain::DeviceGroup>> get_device_group(Database& database,
                                                            const std::string& id);
Result<std::vector<domain::DeviceGroup>> list_device_groups(Database& database,
                                                            const std::string& after,
                                                            std::size_t count);
Result<std::size_t> count_device_groups(Database& database);

Result<Done> put_job(Database& database, const domain::Job& job);
Result<Done> delete_job(Database& database, const std::string& id);
Result<std::optional<domain::Job>> get_job(Database& database, const std::string& id);
Result<std::vector<domain::Job>> list_jobs(Database& database, const JobFilter& filter,
                                           const std::string& after, std::size_t count);
struct JobCounts {
    std::size_t under_way = 0;
    std::size_t kept = 0;
};
Result<JobCounts> count_jobs(Database& database);

Result<Done> put_job_device(Database& database, const domain::JobDevice& device);
Result<Done> delete_job_devices(Database& database, const domain::DeleteJobDevices& devices);
Result<std::vector<domain::JobDevice>> list_job_devices(Database& database, const std::string& job,
                                                        const JobDeviceFilter& filter,
                                                        std::uint64_t from, std::size_t count);
Result<domain::JobProgress> count_job_devices(Database& database, const std::string& job,
                                              std::uint64_t from, std::uint64_t to);

}  // namespace rollcall::store
