// SPDX-License-Identifier: Apache-2.0
#include "store/job_rows.hpp"

#include "store/packed.hpp"
#include "store/rows.hpp"

#include <bit>
#include <limits>

namespace rollcall::store {
namespace {

// --- What a job orders, in one column --------------------------------------------------------

void put_share(Packer& packer, const domain::JobShare& share) {
    packer.count(share.percentage ? 1 : 0);
    packer.number64(std::bit_cast<std::uint64_t>(share.value));
}

domain::JobShare take_share(Unpacker& unpacker) {
    domain::JobShare share;
    share.percentage = unpacker.count() != 0;
    share.value = std::bit_cast<double>(unpacker.number64());
    return share;
}

Bytes packed_order(const domain::Job& job) {
    Bytes bytes;
    Packer packer{bytes};
    packer.count(job.batch ? 1 : 0);
    if (job.batch) {
        put_share(packer, *job.batch);
    }
    packer.count(job.threshold ? 1 : 0);
    if (job.threshold) {
        put_share(packer, job.threshold->share);
        packer.count(job.threshold->per_batch ? 1 : 0);
    }
    packer.count(job.steps.size());
    for (const auto& step : job.steps) {
        packer.count(step.kind == domain::JobStep::Kind::command ? 1 : 0);
        packer.text(step.target);
        packer.text(step.path);
        packer.text(step.value);
    }
    return bytes;
}

void read_order(Query& row, domain::Job& job) {
    Unpacker unpacker{row.blob()};
    if (unpacker.count() != 0) {
        job.batch = take_share(unpacker);
    }
    if (unpacker.count() != 0) {
        job.threshold.emplace();
        job.threshold->share = take_share(unpacker);
        job.threshold->per_batch = unpacker.count() != 0;
    }
    for (std::uint64_t left = unpacker.count(); left > 0 && unpacker.sound(); --left) {
        domain::JobStep step;
        step.kind = unpacker.count() != 0 ? domain::JobStep::Kind::command
                                          : domain::JobStep::Kind::property;
        step.target = unpacker.text();
        step.path = unpacker.text();
        step.value = unpacker.text();
        job.steps.push_back(std::move(step));
    }
    if (!unpacker.complete()) {
        row.mark_unsound();
    }
}

void bind_optional_time(Query& query, const std::optional<TimePoint>& time) {
    time ? query.bind(*time) : query.bind_null();
}

std::optional<TimePoint> read_optional_time(Query& row) {
    if (row.is_null()) {
        row.skip();
        return std::nullopt;
    }
    return row.time();
}

Result<std::size_t> count_of(Database& database, std::string_view sql) {
    TRY(const std::int64_t count, database.integer(sql));
    return static_cast<std::size_t>(count);
}

}  // namespace

// --- Device groups --------------------------------------------------------------------------

#define DEVICE_GROUP_COLUMNS "id, display_name, description, filter, etag, created, updated"

Result<Done> put_device_group(Database& database, const domain::DeviceGroup& group) {
    TRY(auto* const statement,
        database.prepared("INSERT OR REPLACE INTO device_groups (" DEVICE_GROUP_COLUMNS
                          ") VALUES (?,?,?,?,?,?,?)"));
    Query query{statement};
    query.bind(group.id).bind(group.display_name).bind(group.description).bind(group.filter);
    query.bind(group.etag.str()).bind(group.created).bind(group.updated);
    return query.run();
}

Result<Done> delete_device_group(Database& database, const std::string& id) {
    return run_for(database, "DELETE FROM device_groups WHERE id=?", id);
}

namespace {

Result<domain::DeviceGroup> read_device_group(Query& row) {
    domain::DeviceGroup group;
    group.id = row.text();
    group.display_name = row.text();
    group.description = row.text();
    group.filter = row.text();
    group.etag = ETag::trusted(row.text());
    group.created = row.time();
    group.updated = row.time();
    TRY([[maybe_unused]] const auto sound, row.sound());
    return group;
}

}  // namespace

Result<std::optional<domain::DeviceGroup>> get_device_group(Database& database,
                                                            const std::string& id) {
    TRY(auto* const statement,
        database.prepared("SELECT " DEVICE_GROUP_COLUMNS " FROM device_groups WHERE id=?"));
    Query row{statement};
    row.bind(id);
    return read_one<domain::DeviceGroup>(row, [&row] { return read_device_group(row); });
}

Result<std::vector<domain::DeviceGroup>> list_device_groups(Database& database,
                                                            const std::string& after,
                                                            std::size_t count) {
    TRY(auto* const statement,
        database.prepared("SELECT " DEVICE_GROUP_COLUMNS
                          " FROM device_groups WHERE id>? ORDER BY id LIMIT ?"));
    Query row{statement};
    row.bind(after).bind(std::uint64_t{count});
    return read_all<domain::DeviceGroup>(row, [&row] { return read_device_group(row); });
}

Result<std::size_t> count_device_groups(Database& database) {
    return count_of(database, "SELECT count(*) FROM device_groups");
}

// --- Jobs -----------------------------------------------------------------------------------

#define JOB_COLUMNS                                                                  \
    "id, display_name, description, device_group, filter, orders, rerun_of, status," \
    " chosen, total, completed, failed, fault, created_by, created, started, ended, etag"

Result<Done> put_job(Database& database, const domain::Job& job) {
    TRY(auto* const statement, database.prepared("INSERT OR REPLACE INTO jobs (" JOB_COLUMNS
                                                 ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"));
    const Bytes orders = packed_order(job);
    Query query{statement};
    query.bind(job.id).bind(job.display_name).bind(job.description).bind(job.group);
    query.bind(job.filter).bind_blob(orders).bind(job.rerun_of).bind(job.status).bind(job.chosen);
    query.bind(job.progress.total).bind(job.progress.completed).bind(job.progress.failed);
    query.bind(job.fault).bind(job.created_by).bind(job.created);
    bind_optional_time(query, job.started);
    bind_optional_time(query, job.ended);
    query.bind(job.etag.str());
    return query.run();
}

Result<Done> delete_job(Database& database, const std::string& id) {
    return run_for(database, "DELETE FROM jobs WHERE id=?", id);
}

namespace {

Result<domain::Job> read_job(Query& row) {
    domain::Job job;
    job.id = row.text();
    job.display_name = row.text();
    job.description = row.text();
    job.group = row.text();
    job.filter = row.text();
    read_order(row, job);
    job.rerun_of = row.text();
    job.status = row.enumerator(domain::JobStatus::stopped);
    job.chosen = row.flag();
    job.progress.total = row.unsigned_integer();
    job.progress.completed = row.unsigned_integer();
    job.progress.failed = row.unsigned_integer();
    job.fault = row.text();
    job.created_by = row.text();
    job.created = row.time();
    job.started = read_optional_time(row);
    job.ended = read_optional_time(row);
    job.etag = ETag::trusted(row.text());
    TRY([[maybe_unused]] const auto sound, row.sound());
    return job;
}

}  // namespace

Result<std::optional<domain::Job>> get_job(Database& database, const std::string& id) {
    TRY(auto* const statement, database.prepared("SELECT " JOB_COLUMNS " FROM jobs WHERE id=?"));
    Query row{statement};
    row.bind(id);
    return read_one<domain::Job>(row, [&row] { return read_job(row); });
}

Result<std::vector<domain::Job>> list_jobs(Database& database, const JobFilter& filter,
                                           const std::string& after, std::size_t count) {
    // 0 and 1: domain::is_under_way().
    TRY(auto* const statement,
        database.prepared(filter.under_way
                              ? "SELECT " JOB_COLUMNS
                                " FROM jobs WHERE status IN (0, 1) AND id>? ORDER BY id LIMIT ?"
                              : "SELECT " JOB_COLUMNS " FROM jobs WHERE id>? ORDER BY id LIMIT ?"));
    Query row{statement};
    row.bind(after).bind(std::uint64_t{count});
    return read_all<domain::Job>(row, [&row] { return read_job(row); });
}

Result<JobCounts> count_jobs(Database& database) {
    JobCounts counts;
    TRY(counts.under_way, count_of(database, "SELECT count(*) FROM jobs WHERE status IN (0, 1)"));
    TRY(counts.kept, count_of(database, "SELECT count(*) FROM jobs"));
    return counts;
}

// --- Their devices --------------------------------------------------------------------------

#define JOB_DEVICE_COLUMNS "job, number, device, status, done, calling, fault"

Result<Done> put_job_device(Database& database, const domain::JobDevice& device) {
    TRY(auto* const statement,
        database.prepared("INSERT INTO job_devices (" JOB_DEVICE_COLUMNS
                          ") VALUES (?,?,?,?,?,?,?) ON CONFLICT (job, number) DO UPDATE SET"
                          " device=excluded.device, status=excluded.status, done=excluded.done,"
                          " calling=excluded.calling, fault=excluded.fault"));
    Query query{statement};
    query.bind(device.job).bind(device.number).bind(device.device.str()).bind(device.status);
    query.bind(std::uint64_t{device.done}).bind(device.calling).bind(device.fault);
    return query.run();
}

Result<Done> delete_job_devices(Database& database, const domain::DeleteJobDevices& devices) {
    TRY(auto* const statement,
        database.prepared("DELETE FROM job_devices WHERE job=? AND number>=? AND number<?"));
    Query query{statement};
    query.bind(devices.job).bind(devices.from).bind(devices.to);
    return query.run();
}

Result<std::vector<domain::JobDevice>> list_job_devices(Database& database, const std::string& job,
                                                        const JobDeviceFilter& filter,
                                                        std::uint64_t from, std::size_t count) {
    TRY(auto* const statement,
        database.prepared(filter.status
                              ? "SELECT " JOB_DEVICE_COLUMNS " FROM job_devices WHERE job=?1"
                                " AND status=?5 AND number>=?2 AND number<?3"
                                " ORDER BY number LIMIT ?4"
                              : "SELECT " JOB_DEVICE_COLUMNS " FROM job_devices WHERE job=?1"
                                " AND number>=?2 AND number<?3 ORDER BY number LIMIT ?4"));
    Query row{statement};
    row.bind(job).bind(from);
    row.bind(filter.before.value_or(std::numeric_limits<std::int64_t>::max()));
    row.bind(std::uint64_t{count});
    if (filter.status) {
        row.bind(*filter.status);
    }
    return read_all<domain::JobDevice>(row, [&row]() -> Result<domain::JobDevice> {
        domain::JobDevice device;
        device.job = row.text();
        device.number = row.unsigned_integer();
        device.device = DeviceId::trusted(row.text());
        device.status = row.enumerator(domain::JobDeviceStatus::failed);
        device.done = static_cast<std::uint32_t>(row.unsigned_integer());
        device.calling = row.flag();
        device.fault = row.text();
        TRY([[maybe_unused]] const auto sound, row.sound());
        return device;
    });
}

/// By the index of states, which holds nothing else.
Result<domain::JobProgress> count_job_devices(Database& database, const std::string& job,
                                              std::uint64_t from, std::uint64_t to) {
    TRY(auto* const statement,
        database.prepared("SELECT count(*) FROM job_devices INDEXED BY job_devices_by_status"
                          " WHERE job=? AND status=? AND number>=? AND number<?"));
    const auto count = [&](domain::JobDeviceStatus status) -> Result<std::uint64_t> {
        Query row{statement};
        row.bind(job).bind(status).bind(from).bind(to);
        TRY([[maybe_unused]] const bool counted, row.step());
        const std::uint64_t devices = row.unsigned_integer();
        TRY([[maybe_unused]] const auto sound, row.sound());
        return devices;
    };
    domain::JobProgress progress;
    TRY(const std::uint64_t pending, count(domain::JobDeviceStatus::pending));
    TRY(progress.completed, count(domain::JobDeviceStatus::completed));
    TRY(progress.failed, count(domain::JobDeviceStatus::failed));
    progress.total = pending + progress.completed + progress.failed;
    return progress;
}

}  // namespace rollcall::store
