// SPDX-License-Identifier: Apache-2.0
// What both stores promise of device groups and jobs. See store_contract_test.cpp.
#include "support/store_twins.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::store {
namespace {

using namespace rollcall::domain;
using namespace rollcall::test;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class JobContract : public StoreTwins {
protected:
    std::vector<std::uint64_t> numbers(const std::string& job, const JobDeviceFilter& filter,
                                       const PageRequest& page = {}) {
        std::vector<std::uint64_t> all;
        const auto listed = run(reader_->job_devices(job, page, filter)).value();
        for (const auto& device : listed.items) {
            all.push_back(device.number);
        }
        return all;
    }
    void put_devices(const std::string& job, const std::vector<JobDeviceStatus>& states) {
        for (std::size_t i = 0; i < states.size(); ++i) {
            JobDevice device = a_job_device(job, i);
            device.status = states[i];
            put(PutJobDevice{device});
        }
    }
};

INSTANTIATE_TEST_SUITE_P(Twins, JobContract, both_stores(), store_name);

TEST_P(JobContract, ADeviceGroupComesBackWhole) {
    auto group = a_device_group("Floor_2");
    put(PutDeviceGroup{group}, PutDeviceGroup{a_device_group("floor_2")});
    EXPECT_EQ(run(reader_->device_group("Floor_2")).value(), group);
    EXPECT_EQ(run(reader_->device_group("FLOOR_2")).value(), std::nullopt) << "has case";
    group.description.clear();
    group.etag = ETag::trusted("later");
    put(PutDeviceGroup{group});
    reopen();
    EXPECT_EQ(run(reader_->device_group("Floor_2")).value(), group);
    const auto page = run(reader_->device_groups({.count = 1})).value();
    EXPECT_THAT(page.items, ElementsAre(group));
    const auto last = run(reader_->device_groups({.after = page.next})).value();
    EXPECT_THAT(last.items, ElementsAre(a_device_group("floor_2")));
    EXPECT_EQ(last.next, "");
    put(DeleteDeviceGroup{"Floor_2"});
    EXPECT_EQ(run(reader_->device_group("Floor_2")).value(), std::nullopt);
    EXPECT_NE(run(reader_->device_group("floor_2")).value(), std::nullopt);
}

TEST_P(JobContract, AJobComesBackWhole) {
    auto job = a_job("Roll-1");
    put(PutJob{job});
    EXPECT_EQ(run(reader_->job("Roll-1")).value(), job);
    EXPECT_EQ(run(reader_->job("roll-1")).value(), std::nullopt) << "has case";
    job.batch.reset();
    job.threshold.reset();
    job.started.reset();
    job.ended.reset();
    job.steps.resize(1);
    job.etag = ETag::trusted("later");
    put(PutJob{job});
    reopen();
    EXPECT_EQ(run(reader_->job("Roll-1")).value(), job);
    put(DeleteJob{"Roll-1"});
    EXPECT_EQ(run(reader_->job("Roll-1")).value(), std::nullopt);
}

TEST_P(JobContract, JobsAreListedAllOrThoseUnderWay) {
    for (int status = 0; status <= static_cast<int>(JobStatus::stopped); ++status) {
        Job job = a_job("job-" + std::to_string(status));
        job.status = static_cast<JobStatus>(status);
        put(PutJob{job});
    }
    const auto ids = [&](const PageRequest& page, bool under_way) {
        std::string all;
        const auto listed = run(reader_->jobs(page, {under_way})).value();
        for (const auto& job : listed.items) {
            all += job.id.back();
        }
        return all;
    };
    EXPECT_EQ(ids({}, false), "012345");
    EXPECT_EQ(ids({.after = "job-1", .count = 2}, false), "23");
    EXPECT_EQ(ids({}, true), "01");
}

TEST_P(JobContract, EtagsOfBothAreExpected) {
    const auto group = a_device_group("g");
    const auto job = a_job("j");
    put(PutDeviceGroup{group}, PutJob{job});
    EXPECT_EQ(refusal(ExpectEtag{RecordKind::device_group, "g", group.etag}), "");
    EXPECT_EQ(refusal(ExpectEtag{RecordKind::device_group, "g", ETag::trusted("old")}),
              "etag-moved");
    EXPECT_EQ(refusal(ExpectEtag{RecordKind::device_group, "G", {}}), "") << "has case";
    EXPECT_EQ(refusal(ExpectEtag{RecordKind::job, "j", job.etag}), "");
    EXPECT_EQ(refusal(ExpectEtag{RecordKind::job, "j", {}}), "already-exists");
    EXPECT_EQ(refusal(ExpectEtag{RecordKind::job, "J", {}}), "") << "has case";
}

TEST_P(JobContract, ThereIsRoomForSoMany) {
    EXPECT_EQ(refusal(ExpectDeviceGroupRoom{0}), "too-many-device-groups");
    EXPECT_EQ(refusal(ExpectDeviceGroupRoom{1}), "");
    put(PutDeviceGroup{a_device_group("g")});
    EXPECT_EQ(refusal(ExpectDeviceGroupRoom{1}), "too-many-device-groups");
    EXPECT_EQ(refusal(ExpectDeviceGroupRoom{2}), "");

    Job running = a_job("a");
    running.status = JobStatus::running;
    Job stopped = a_job("b");
    stopped.status = JobStatus::stopped;
    put(PutJob{running}, PutJob{stopped});
    EXPECT_EQ(refusal(ExpectJobRoom{1, 9}), "too-many-jobs-under-way");
    EXPECT_EQ(refusal(ExpectJobRoom{2, 2}), "too-many-jobs");
    EXPECT_EQ(refusal(ExpectJobRoom{2, 3}), "");
}

TEST_P(JobContract, DevicesOfAJobComeBackInTheOrderOfTheirNumbers) {
    const auto device = a_job_device("j", 11);
    put(PutJobDevice{device}, PutJobDevice{a_job_device("j", 2)},
        PutJobDevice{a_job_device("other", 3)});
    reopen();
    EXPECT_EQ(run(reader_->job_devices("j", {}, {})).value().items.back(), device);
    EXPECT_THAT(numbers("j", {}), ElementsAre(2, 11)) << "as numbers, not as texts";
    JobDevice changed = device;
    changed.status = JobDeviceStatus::completed;
    changed.calling = false;
    changed.fault.clear();
    changed.done = 3;
    put(PutJobDevice{changed});
    EXPECT_EQ(run(reader_->job_devices("j", {}, {})).value().items.back(), changed);
    EXPECT_EQ(run(reader_->job_devices("j", {.after = "x"}, {})).error().reason, "malformed-page");
}

TEST_P(JobContract, DevicesAreFoundByStateInPages) {
    using enum JobDeviceStatus;
    put_devices("j", {pending, failed, pending, completed, failed, pending});
    EXPECT_THAT(numbers("j", {}), ElementsAre(0, 1, 2, 3, 4, 5));
    EXPECT_THAT(numbers("j", {.status = pending}), ElementsAre(0, 2, 5));
    EXPECT_THAT(numbers("j", {.status = pending, .before = 5}), ElementsAre(0, 2));
    EXPECT_THAT(numbers("j", {.before = 2}), ElementsAre(0, 1));
    EXPECT_THAT(numbers("j", {.status = failed}, {.after = "1"}), ElementsAre(4));
    const auto page = run(reader_->job_devices("j", {.count = 2}, {.status = pending})).value();
    EXPECT_EQ(page.next, "2");
    EXPECT_THAT(numbers("j", {.status = pending}, {.after = "2", .count = 2}), ElementsAre(5));
    EXPECT_THAT(numbers("none", {}), IsEmpty());
}

TEST_P(JobContract, DevicesAreCounted) {
    using enum JobDeviceStatus;
    put_devices("j", {pending, failed, pending, completed, failed, pending});
    EXPECT_EQ(run(reader_->job_progress("j", 0, 100)).value(), (JobProgress{6, 1, 2}));
    EXPECT_EQ(run(reader_->job_progress("j", 1, 4)).value(), (JobProgress{3, 1, 1}));
    EXPECT_EQ(run(reader_->job_progress("none", 0, 100)).value(), JobProgress{});
}

TEST_P(JobContract, DevicesGoSomeAtATime) {
    using enum JobDeviceStatus;
    put_devices("j", {pending, failed, pending, completed});
    put_devices("other", {pending, pending});
    put(DeleteJobDevices{"j", 1, 3});
    EXPECT_THAT(numbers("j", {}), ElementsAre(0, 3));
    put(DeleteJobDevices{"j", 0, 100}, DeleteJob{"j"}, DeleteJobDevices{"none", 0, 9});
    EXPECT_THAT(numbers("j", {}), IsEmpty());
    EXPECT_THAT(numbers("other", {}), ElementsAre(0, 1));
}

}  // namespace
}  // namespace rollcall::store
