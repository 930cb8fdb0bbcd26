// SPDX-License-Identifier: Apache-2.0
#include "domain/job.hpp"

#include "base/limits.hpp"
#include "domain/device_group.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::domain {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const TimePoint noon = parse_iso8601("2026-05-01T12:00:00Z").value();
const TimePoint later = noon + std::chrono::hours{1};

JobStep property(const std::string& path, const std::string& value) {
    return {JobStep::Kind::property, "dtmi:a;1", path, value};
}
JobStep command(const std::string& path, const std::string& payload = {}) {
    return {JobStep::Kind::command, "dtmi:a;1", path, payload};
}

Job a_job() {
    Job job;
    job.id = "job-1";
    job.group = "floor_2";
    job.filter = "SELECT * FROM devices";
    job.steps = {property("interval", "5")};
    return job;
}
Job in_state(JobStatus status, bool is_chosen = true) {
    Job job = a_job();
    job.status = status;
    job.chosen = is_chosen;
    return job;
}

TEST(Job, PropertiesAreOnePatchAndCommandsFollow) {
    const auto acts = job_acts({command("reboot", R"({"in":5})"), property("interval", "5"),
                                property("motor.speed", "2.5"), command("motor.stop"),
                                property("motor.mode", R"("slow")")});
    EXPECT_THAT(acts,
                ElementsAre(JobAct{R"({"interval":5,"motor":{"__t":"c","speed":2.5,)"
                                   R"("mode":"slow"}})",
                                   "", ""},
                            JobAct{"", "reboot", R"({"in":5})"}, JobAct{"", "motor*stop", ""}));
    EXPECT_THAT(job_acts({command("reboot")}), ElementsAre(JobAct{"", "reboot", ""}));
    EXPECT_THAT(job_acts({}), IsEmpty());
}

TEST(Job, WhatIsWrittenBadlyIsRefusedByName) {
    struct Row {
        std::string reason;
        std::function<void(Job&)> change;
    };
    const auto steps = [](std::vector<JobStep> all) {
        return [all = std::move(all)](Job& job) { job.steps = all; };
    };
    const auto batch = [](JobShare share) { return [share](Job& job) { job.batch = share; }; };
    const auto most = [](JobShare share) {
        return [share](Job& job) { job.threshold = JobThreshold{share, false}; };
    };
    const std::string name(limits::job_name_chars_max, 'x');
    const std::string long_value(limits::job_values_bytes_max, '1');
    const std::string id(limits::job_id_chars_max, 'x');
    const Row rows[] = {
        {"", [](Job&) {}},
        {"malformed-id", [](Job& job) { job.id = ""; }},
        {"malformed-id", [](Job& job) { job.id = "a/b"; }},
        {"", [&](Job& job) { job.id = id; }},
        {"malformed-id", [&](Job& job) { job.id = id + "x"; }},
        {"malformed-id", [](Job& job) { job.group = "a b"; }},
        {"", [&](Job& job) { job.display_name = name; }},
        {"text-too-long", [&](Job& job) { job.display_name = name + "x"; }},
        {"malformed-text", [](Job& job) { job.description = "a\x01"; }},
        {"malformed-text", [](Job& job) { job.description = "\xff"; }},
        {"text-too-long",
         [](Job& job) {
             job.description = std::string(limits::job_description_chars_max + 1, 'x');
         }},
        {"malformed-data", steps({})},
        {"", steps(std::vector<JobStep>(limits::job_steps_max, command("c")))},
        {"malformed-data", steps(std::vector<JobStep>(limits::job_steps_max + 1, command("c")))},
        {"malformed-step", steps({property("", "1")})},
        {"malformed-step", steps({property("a.", "1")})},
        {"malformed-step", steps({property(".a", "1")})},
        {"malformed-step", steps({property("a.b.c", "1")})},
        {"malformed-step", steps({property("a\"", "1")})},
        {"malformed-step", steps({property("$version", "1")})},
        {"", steps({command(std::string(limits::method_name_chars_max, 'c'))})},
        {"malformed-step", steps({command(std::string(limits::method_name_chars_max + 1, 'c'))})},
        {"value-missing", steps({property("a", "")})},
        {"", steps({command("c", long_value)})},
        {"value-too-large", steps({command("c", long_value + "1")})},
        {"value-too-large", steps({command("c", long_value), command("d", "1")})},
        {"", steps({property("a", std::string(limits::twin_properties_bytes_max - 1, '1'))})},
        {"value-too-large",
         steps({property("a", std::string(limits::twin_properties_bytes_max, '1'))})},
        {"property-twice", steps({property("a", "1"), property("b", "1"), property("a", "2")})},
        {"property-twice", steps({property("a", "1"), property("a.b", "2")})},
        {"property-twice", steps({property("a.b", "1"), property("a", "2")})},
        {"", steps({property("a.b", "1"), property("a.c", "2"), command("a")})},
        {"", batch({false, 1})},
        {"malformed-share", batch({false, 0})},
        {"malformed-share", batch({false, 1.5})},
        {"", batch({false, static_cast<double>(limits::job_devices_max)})},
        {"malformed-share", batch({false, static_cast<double>(limits::job_devices_max) + 1})},
        {"", batch({true, 0.5})},
        {"malformed-share", batch({true, 0})},
        {"", batch({true, 100})},
        {"malformed-share", batch({true, 100.5})},
        {"malformed-share", batch({true, std::numeric_limits<double>::quiet_NaN()})},
        {"", most({false, 0})},
        {"malformed-share", most({false, -1})},
        {"", most({true, 0})},
        {"malformed-share", most({true, 101})},
    };
    for (const auto& row : rows) {
        Job job = a_job();
        row.change(job);
        const auto checked = check_job(job);
        EXPECT_EQ(checked ? "" : checked.error().reason, row.reason)
            << "row " << (&row - rows) << (checked ? "" : checked.error().detail);
    }
}

TEST(Job, GroupsAreCheckedWithTheirFilter) {
    DeviceGroup group{.id = "g", .display_name = "G", .filter = "SELECT * FROM devices"};
    EXPECT_TRUE(check_device_group(group));
    group.display_name.clear();
    EXPECT_EQ(check_device_group(group).error().reason, "display-name-missing");
    group.display_name = "G";
    group.filter = "SELECT";
    EXPECT_EQ(check_device_group(group).error().reason, "malformed-query");
    group.id = "";
    EXPECT_EQ(check_device_group(group).error().reason, "malformed-id");
}

TEST(Job, StopsAndGoesOn) {
    const JobProgress progress{10, 3, 1};
    for (const auto status : {JobStatus::pending, JobStatus::running, JobStatus::stopped}) {
        const auto job = stopped(in_state(status), progress);
        ASSERT_TRUE(job);
        EXPECT_EQ(job->status, JobStatus::stopped);
        EXPECT_EQ(job->progress, progress);
        EXPECT_EQ(resumed(*job)->status, JobStatus::running);
    }
    EXPECT_EQ(resumed(in_state(JobStatus::stopped, false))->status, JobStatus::pending)
        << "its devices are not known yet";
    for (const auto over : {JobStatus::complete, JobStatus::cancelled, JobStatus::failed}) {
        EXPECT_EQ(stopped(in_state(over), progress).error().reason, "job-not-running");
        EXPECT_EQ(resumed(in_state(over)).error().reason, "job-not-stopped");
    }
}

TEST(Job, ItsLifeIsTold) {
    const Job begun = chosen(in_state(JobStatus::pending, false), 7, noon);
    EXPECT_EQ(begun.status, JobStatus::running);
    EXPECT_EQ(begun.started, noon);
    EXPECT_EQ(begun.progress.pending(), 7U);
    const Job over = ended(begun, JobStatus::cancelled, {7, 1, 2}, "too many", later);
    EXPECT_EQ(over.ended, later);
    EXPECT_EQ(over.progress.pending(), 4U);
    EXPECT_EQ(over.fault, "too many");
    EXPECT_EQ(to_string(over.status), "cancelled");
}

TEST(Job, IsRunAgainForTheFailedWhenItIsOver) {
    Job job = in_state(JobStatus::complete);
    job.progress = {3, 3, 0};
    EXPECT_EQ(rerun_of(job, "again", later).error().reason, "no-failures");
    job.progress = {3, 1, 1};
    job.fault = "too many";
    job.ended = noon;
    for (const auto going : {JobStatus::pending, JobStatus::running, JobStatus::stopped}) {
        job.status = going;
        EXPECT_EQ(rerun_of(job, "again", later).error().reason, "job-not-over");
    }
    job.status = JobStatus::cancelled;
    const auto again = rerun_of(job, "again", later);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->id, "again");
    EXPECT_EQ(again->rerun_of, "job-1");
    EXPECT_EQ(again->steps, job.steps);
    EXPECT_EQ(again->status, JobStatus::pending);
    EXPECT_FALSE(again->chosen);
    EXPECT_EQ(again->progress, JobProgress{});
    EXPECT_EQ(again->fault, "");
    EXPECT_EQ(again->ended, std::nullopt);
}

TEST(Job, TheSameOrderIsTheSameWhateverBecameOfIt) {
    const Job job = a_job();
    EXPECT_TRUE(same_order(job, ended(chosen(job, 1, noon), JobStatus::complete, {}, "", later)));
    Job other = job;
    other.steps.front().value = "6";
    EXPECT_FALSE(same_order(job, other));
    other = job;
    other.threshold = JobThreshold{};
    EXPECT_FALSE(same_order(job, other));
}

TEST(Job, BatchesAreNumbersOrPercentagesRoundedUp) {
    struct Row {
        std::optional<JobShare> share;
        std::uint64_t total;
        std::uint64_t size;
    };
    const Row rows[] = {
        {{}, 10, 10},           {{}, 0, 1},
        {{{false, 3}}, 10, 3},  {{{false, 30}}, 10, 10},
        {{{true, 25}}, 10, 3},  {{{true, 100}}, 10, 10},
        {{{true, 0.5}}, 10, 1}, {{{true, 50}}, 0, 1},
    };
    for (const auto& row : rows) {
        Job job = a_job();
        job.batch = row.share;
        job.progress.total = row.total;
        EXPECT_EQ(batch_size(job), row.size) << "row " << (&row - rows);
    }
}

TEST(Job, ThresholdsAreExceededByOneMore) {
    EXPECT_FALSE(exceeded({{false, 2}}, 2, 100));
    EXPECT_TRUE(exceeded({{false, 2}}, 3, 100));
    EXPECT_TRUE(exceeded({{false, 0}}, 1, 100));
    EXPECT_FALSE(exceeded({{true, 10}}, 5, 50));
    EXPECT_TRUE(exceeded({{true, 10}}, 6, 50));
    EXPECT_TRUE(exceeded({{true, 0}}, 1, 50));
    EXPECT_FALSE(exceeded({{true, 100}}, 50, 50));
}

}  // namespace
}  // namespace rollcall::domain
