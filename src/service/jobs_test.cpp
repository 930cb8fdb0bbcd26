// SPDX-License-Identifier: Apache-2.0
// Jobs on the memory store: who gets what, batches, thresholds, stopping, going on, running again.
#include "service/jobs.hpp"

#include "base/limits.hpp"
#include "service/device_groups.hpp"
#include "store/memory.hpp"
#include "support/job_desk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::service {
namespace {

using namespace test;
using domain::JobDeviceStatus;
using domain::JobStatus;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class JobsTest : public ::testing::Test, protected JobDesk {
protected:
    /// The states of a job's devices, a letter each.
    std::string letters(const std::string& id = "job") {
        std::string all;
        for (const auto& device : devices_of(id)) {
            all += domain::to_string(device.status).front();
        }
        return all;
    }
    JobStatus status(const std::string& id = "job") { return run(jobs.get(id))->status; }
    std::string refusal(const Result<domain::Job>& result) {
        return result ? "" : result.error().reason;
    }
};

TEST_F(JobsTest, SetsAPropertyOfEveryDeviceOnce) {
    add_devices(40);
    const auto session = connect(device_id(3));
    create(a_property_job());
    EXPECT_EQ(status(), JobStatus::pending) << "the answer does not wait for the work";
    host.run();
    const auto job = run(jobs.get("job"));
    EXPECT_EQ(job->status, JobStatus::complete);
    EXPECT_EQ(job->progress, (domain::JobProgress{40, 40, 0}));
    EXPECT_TRUE(job->started && job->ended);
    for (std::size_t i = 0; i < 40; ++i) {
        const auto twin = run(store.twin(device_id(i)));
        EXPECT_EQ((*twin)->desired, R"({"interval":5})");
        EXPECT_EQ((*twin)->desired_version, 2U);
    }
    ASSERT_THAT(session->told, SizeIs(1));
    EXPECT_EQ(std::get<DesiredChange>(session->told.front()).patch,
              R"({"interval":5,"$version":2})");
    EXPECT_THAT(audit_actions(), ElementsAre("device-group.create", "job.create"));
}

TEST_F(JobsTest, TakesTheDevicesThatTheGroupsFilterChose) {
    add_devices(5);
    put_group("SELECT * FROM devices WHERE $id IN ['d-001', 'd-003', 'd-009']");
    create(a_property_job());
    put_group("SELECT * FROM devices");  // too late for this job
    host.run();
    const auto devices = devices_of("job");
    ASSERT_THAT(devices, SizeIs(2));
    EXPECT_EQ(devices[0].device, device_id(1));
    EXPECT_EQ(devices[1].device, device_id(3));
    EXPECT_EQ(run(store.twin(device_id(0))).value(), std::nullopt);
}

TEST_F(JobsTest, AJobForNobodyIsComplete) {
    create(a_property_job());
    host.run();
    EXPECT_EQ(status(), JobStatus::complete);
    EXPECT_EQ(run(jobs.get("job"))->progress, domain::JobProgress{});
}

TEST_F(JobsTest, CallsEveryDeviceAndCountsWhatItAnswers) {
    add_devices(4);
    connect_answering(0, 200);
    connect_answering(1, 500);
    const auto leaves = connect(device_id(2));
    leaves->on_delivery = [&](const Delivery&) { hub.leave(device_id(2), *leaves); };
    connect_answering(3, 399);
    create(a_command_job());
    host.run();
    EXPECT_EQ(status(), JobStatus::complete);
    EXPECT_EQ(letters(), "cffc");
    EXPECT_EQ(devices_of("job")[1].fault, "the device answered 500");
    EXPECT_THAT(devices_of("job")[2].fault, HasSubstr("left before it answered"));
    EXPECT_FALSE(devices_of("job")[2].calling);
}

TEST_F(JobsTest, DoesAllOfItInOrder) {
    add_devices(1);
    const auto session = connect_answering(0, 200);
    domain::Job job = a_command_job();
    job.steps.push_back({domain::JobStep::Kind::property, "", "interval", "7"});
    job.steps.push_back({domain::JobStep::Kind::command, "", "motor.stop", ""});
    create(job);
    host.run();
    EXPECT_EQ(letters(), "c");
    ASSERT_THAT(session->told, SizeIs(3));
    EXPECT_EQ(std::get<DesiredChange>(session->told[0]).patch, R"({"interval":7,"$version":2})");
    EXPECT_EQ(std::get<MethodRequest>(session->told[1]).name, "reboot");
    EXPECT_EQ(std::get<MethodRequest>(session->told[2]).name, "motor*stop");
}

TEST_F(JobsTest, WaitsForDevicesThatAreAwayAndThenGivesUp) {
    add_devices(3);
    const TimePoint before = clock.now();
    connect_answering(1, 200);
    host.on_pause = [&] {
        if (clock.now() > before + limits::job_connect_time / 2) {
            if (!sessions.of(device_id(2))) {
                connect_answering(2, 200);
            }
        }
    };
    domain::Job job = a_command_job();
    job.steps.push_back({domain::JobStep::Kind::property, "", "interval", "7"});
    create(job);
    host.run();
    EXPECT_EQ(letters(), "fcc");
    EXPECT_EQ(devices_of("job")[0].fault, "the device was not connected for 30 s");
    EXPECT_GE(clock.now(), before + limits::job_connect_time);
    EXPECT_LT(clock.now(), before + 2 * limits::job_connect_time);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(run(store.twin(device_id(i))).value()->desired_version, 2U)
            << "the property was set once, before the wait";
    }
}

TEST_F(JobsTest, ABatchEndsBeforeTheNextBegins) {
    add_devices(7);
    std::vector<std::string> seen;
    for (std::size_t i = 0; i < 7; ++i) {
        const auto session = connect_answering(i, 200);
        session->on_answer = [&, i] { seen.push_back(letters() + ":" + std::to_string(i)); };
    }
    domain::Job job = a_command_job();
    job.batch = domain::JobShare{false, 3};
    create(job);
    host.run();
    ASSERT_THAT(seen, SizeIs(7));
    for (const auto& each : seen) {
        const std::size_t number = each.back() - '0';
        const std::size_t batch_begin = number / 3 * 3;
        EXPECT_EQ(each.substr(0, batch_begin), std::string(batch_begin, 'c')) << each;
        const std::size_t batch_end = std::min<std::size_t>(batch_begin + 3, 7);
        EXPECT_EQ(each.substr(batch_end, 7 - batch_end), std::string(7 - batch_end, 'p')) << each;
    }
}

TEST_F(JobsTest, TooManyFailuresCancelIt) {
    add_devices(100);
    for (std::size_t i = 0; i < 100; ++i) {
        connect_answering(i, i % 2 == 0 ? 500 : 200);
    }
    domain::Job job = a_command_job();
    job.threshold = domain::JobThreshold{{true, 10}, false};
    create(job);
    host.run();
    const auto over = run(jobs.get("job"));
    EXPECT_EQ(over->status, JobStatus::cancelled);
    EXPECT_GT(over->progress.failed, 10U);
    EXPECT_LE(over->progress.failed, 10 + limits::job_crew) << "those under way end as they end";
    EXPECT_GT(over->progress.pending(), 0U);
    EXPECT_THAT(over->fault, HasSubstr("more than the threshold"));
    EXPECT_EQ(refusal(run(jobs.resume(order, "job"))), "job-not-stopped");
    EXPECT_EQ(refusal(run(jobs.stop(order, "job"))), "job-not-running");
}

TEST_F(JobsTest, AsManyFailuresAsAllowedDoNot) {
    add_devices(20);
    for (std::size_t i = 0; i < 20; ++i) {
        connect_answering(i, i < 2 ? 500 : 200);
    }
    domain::Job job = a_command_job();
    job.threshold = domain::JobThreshold{{true, 10}, false};
    create(job);
    host.run();
    EXPECT_EQ(status(), JobStatus::complete);
}

TEST_F(JobsTest, FailuresMayCountForEachBatch) {
    add_devices(30);
    for (std::size_t i = 0; i < 30; ++i) {
        // Two of each batch of ten, and three of the last one.
        connect_answering(i, i % 10 < 2 || i == 29 ? 500 : 200);
    }
    domain::Job job = a_command_job();
    job.batch = domain::JobShare{false, 10};
    job.threshold = domain::JobThreshold{{false, 2}, true};
    create(job);
    host.run();
    EXPECT_EQ(status(), JobStatus::cancelled);
    EXPECT_EQ(run(jobs.get("job"))->progress.failed, 7U);
    EXPECT_THAT(run(jobs.get("job"))->fault, HasSubstr("3 of 10 devices"));
}

TEST_F(JobsTest, DevicesThatAreAwayCountToo) {
    add_devices(10);
    domain::Job job = a_command_job();
    job.threshold = domain::JobThreshold{{false, 3}, false};
    create(job);
    host.run();
    EXPECT_EQ(status(), JobStatus::cancelled);
    EXPECT_EQ(letters(), "ffffpppppp");
}

TEST_F(JobsTest, StopsAndGoesOnWithoutDoingAnythingTwice) {
    add_devices(60);
    std::size_t answered = 0;
    for (std::size_t i = 0; i < 60; ++i) {
        const auto session = connect_answering(i, 200);
        session->on_answer = [&] {
            if (++answered == 20) {
                EXPECT_TRUE(run(jobs.stop(order, "job")));
            }
        };
    }
    create(a_command_job());
    host.run();
    const auto stopped = run(jobs.get("job"));
    EXPECT_EQ(stopped->status, JobStatus::stopped);
    EXPECT_EQ(stopped->ended, std::nullopt);
    EXPECT_GE(stopped->progress.completed, 20U);
    EXPECT_LT(stopped->progress.completed, 20 + limits::job_crew);
    EXPECT_EQ(answered, stopped->progress.completed);
    EXPECT_TRUE(run(jobs.stop(order, "job"))) << "once more changes nothing";
    host.run();
    EXPECT_EQ(status(), JobStatus::stopped);

    EXPECT_TRUE(run(jobs.resume(order, "job")));
    EXPECT_EQ(status(), JobStatus::running);
    host.run();
    EXPECT_EQ(status(), JobStatus::complete);
    EXPECT_EQ(answered, 60U);
    EXPECT_THAT(audit_actions(),
                ElementsAre("device-group.create", "job.create", "job.stop", "job.resume"));
}

TEST_F(JobsTest, IsStoppedBeforeItChoseItsDevices) {
    add_devices(3);
    create(a_property_job());
    EXPECT_TRUE(run(jobs.stop(order, "job")));
    host.run();
    EXPECT_EQ(status(), JobStatus::stopped);
    EXPECT_THAT(devices_of("job"), IsEmpty());
    EXPECT_TRUE(run(jobs.resume(order, "job")));
    EXPECT_EQ(status(), JobStatus::pending);
    host.run();
    EXPECT_EQ(letters(), "ccc");
}

TEST_F(JobsTest, ResumedWhileItStillWindsDown) {
    add_devices(40);
    bool done = false;
    for (std::size_t i = 0; i < 40; ++i) {
        const auto session = connect_answering(i, 200);
        session->on_answer = [&] {
            if (!std::exchange(done, true)) {
                EXPECT_TRUE(run(jobs.stop(order, "job")));
                EXPECT_TRUE(run(jobs.resume(order, "job")));
            }
        };
    }
    create(a_command_job());
    host.run();
    EXPECT_EQ(status(), JobStatus::complete);
    EXPECT_EQ(letters(), std::string(40, 'c'));
}

TEST_F(JobsTest, GoesOnAfterTheServerEndedAnywhere) {
    for (int pauses = 0; pauses < 12; ++pauses) {
        JobDesk desk;
        desk.add_devices(250);
        desk.create(desk.a_property_job());
        desk.host.pauses_left = pauses;
        desk.host.run();
        desk.host.pauses_left = -1;
        // Another life on what the store has.
        Jobs next{desk.world};
        desk.host.spawn("go on", next.keep_house());
        desk.host.on_pause = [&] {
            const auto job = run(next.get("job"));
            if (job && domain::is_over(job->status)) {
                desk.host.pauses_left = 0;
            }
        };
        desk.host.run();
        const auto job = run(next.get("job"));
        EXPECT_EQ(job->status, JobStatus::complete) << "after " << pauses;
        EXPECT_EQ(job->progress, (domain::JobProgress{250, 250, 0}));
        for (std::size_t i = 0; i < 250; ++i) {
            ASSERT_EQ(run(desk.store.twin(device_id(i))).value()->desired_version, 2U)
                << i << " after " << pauses;
        }
    }
}

TEST_F(JobsTest, ACommandWhoseAnswerWasLostIsNotSentAgain) {
    add_devices(3);
    std::vector<std::shared_ptr<Answering>> all;
    for (std::size_t i = 0; i < 3; ++i) {
        all.push_back(connect_answering(i, 200));
    }
    domain::Job job = a_command_job();
    job.filter = "SELECT * FROM devices";
    job = domain::chosen(job, 3, clock.now());
    domain::Changes as_killed;
    as_killed.writes.push_back(domain::PutJob{job});
    for (std::uint64_t i = 0; i < 3; ++i) {
        as_killed.writes.push_back(domain::PutJobDevice{
            {.job = "job", .number = i, .device = device_id(i), .calling = i == 1}});
    }
    ASSERT_TRUE(run(store.commit(as_killed)));
    host.spawn("house", jobs.keep_house());
    host.on_pause = [&] { host.pauses_left = domain::is_over(status()) ? 0 : -1; };
    host.run();
    EXPECT_EQ(letters(), "cfc");
    EXPECT_THAT(devices_of("job")[1].fault, HasSubstr("may have reached the device"));
    EXPECT_THAT(all[1]->told, IsEmpty());
    EXPECT_THAT(all[2]->told, SizeIs(1));
}

TEST_F(JobsTest, AStoreThatWasAwayIsWaitedFor) {
    add_devices(30);
    create(a_property_job());
    int pauses = 0;
    host.on_pause = [&] {
        ++pauses;
        store.fail_commits(pauses > 1 && pauses < 5);
    };
    host.run();
    EXPECT_EQ(status(), JobStatus::complete);
    EXPECT_EQ(letters(), std::string(30, 'c'));
    EXPECT_GE(pauses, 5);
}

TEST_F(JobsTest, AnAnswerIsKeptThoughTheStoreIsAwayForAMoment) {
    add_devices(1);
    const auto session = connect_answering(0, 200);
    session->on_answer = [&] { store.fail_commits(true); };
    int pauses = 0;
    create(a_command_job());
    host.on_pause = [&] {
        if (session->told.size() == 1 && ++pauses == 3) {
            store.fail_commits(false);
        }
    };
    host.run();
    EXPECT_EQ(letters(), "c");
    EXPECT_THAT(session->told, SizeIs(1));
}

TEST_F(JobsTest, ADeviceThatWasDeletedHasFailed) {
    add_devices(2);
    domain::Job job = a_property_job();
    create(job);
    bool gone = false;
    host.on_pause = [&] {
        if (run(jobs.get("job"))->chosen && !std::exchange(gone, true)) {
            domain::Changes changes;
            changes.writes.push_back(domain::DeleteDevice{device_id(1)});
            EXPECT_TRUE(run(store.commit(changes)));
        }
    };
    host.on_spawn = host.on_pause;
    host.run();
    EXPECT_EQ(letters(), "cf");
    EXPECT_EQ(devices_of("job")[1].fault, "the device was deleted");
}

TEST_F(JobsTest, ADeviceOfAnotherTemplateIsNotTouched) {
    add_devices(3);
    domain::Changes changes;
    changes.writes.push_back(domain::PutDeviceNotes{device_id(0), {.template_id = "dtmi:a;1"}});
    changes.writes.push_back(domain::PutDeviceNotes{device_id(1), {.template_id = "dtmi:b;1"}});
    ASSERT_TRUE(run(store.commit(changes)));
    domain::Job job = a_property_job();
    job.steps.front().target = "dtmi:a;1";
    create(job);
    host.run();
    EXPECT_EQ(letters(), "cfc") << "and one that has none may be any";
    EXPECT_THAT(devices_of("job")[1].fault, HasSubstr("the template dtmi:b;1"));
    EXPECT_EQ(run(store.twin(device_id(1))).value(), std::nullopt);
}

TEST_F(JobsTest, IsRunAgainWhereItFailed) {
    add_devices(6);
    for (std::size_t i = 0; i < 6; ++i) {
        connect_answering(i, i % 2 == 0 ? 500 : 200);
    }
    create(a_command_job());
    EXPECT_EQ(refusal(run(jobs.rerun(order, "job", "again"))), "job-not-over");
    host.run();
    EXPECT_EQ(letters(), "fcfcfc");
    connect_answering(0, 200);
    connect_answering(4, 200);
    EXPECT_EQ(refusal(run(jobs.rerun(order, "job", "job"))), "job-exists");
    EXPECT_EQ(refusal(run(jobs.rerun(order, "none", "again"))), "job-not-found");
    EXPECT_EQ(refusal(run(jobs.rerun(order, "job", "a/b"))), "malformed-id");
    const auto again = run(jobs.rerun(order, "job", "again"));
    ASSERT_TRUE(again) << again.error().detail;
    EXPECT_EQ(run(jobs.rerun(order, "job", "again"))->etag, again->etag) << "the same once more";
    host.run();
    EXPECT_EQ(letters("again"), "cfc");
    EXPECT_EQ(devices_of("again")[1].device, device_id(2));
    EXPECT_EQ(letters("job"), "fcfcfc") << "what was, stays";
    EXPECT_EQ(run(jobs.get("again"))->rerun_of, "job");
    const auto third = run(jobs.rerun(order, "again", "third"));
    ASSERT_TRUE(third);
    host.run();
    EXPECT_EQ(letters("third"), "f");
}

TEST_F(JobsTest, FiveAreUnderWayAtOnce) {
    add_devices(1);
    for (std::size_t i = 0; i < limits::jobs_under_way_max; ++i) {
        create(a_property_job("job-" + std::to_string(i)));
    }
    EXPECT_EQ(refusal(run(jobs.create(order, a_property_job("one-more")))),
              "too-many-jobs-under-way");
    EXPECT_TRUE(run(jobs.stop(order, "job-0")));
    create(a_property_job("one-more"));
    EXPECT_EQ(refusal(run(jobs.resume(order, "job-0"))), "too-many-jobs-under-way");
    host.run();
    EXPECT_TRUE(run(jobs.resume(order, "job-0")));
    host.run();
    EXPECT_EQ(status("job-0"), JobStatus::complete);
}

TEST_F(JobsTest, TheSameOrderTwiceIsOneJob) {
    add_devices(1);
    create(a_property_job());
    EXPECT_TRUE(run(jobs.create(order, a_property_job())));
    host.run();
    EXPECT_EQ(run(jobs.create(order, a_property_job()))->status, JobStatus::complete);
    domain::Job other = a_property_job();
    other.steps.front().value = "6";
    EXPECT_EQ(refusal(run(jobs.create(order, other))), "job-exists");
    EXPECT_EQ(run(store.twin(device_id(0))).value()->desired, R"({"interval":5})");
}

TEST_F(JobsTest, RefusesWhatItCannotDo) {
    domain::Job job = a_property_job();
    job.group = "nobody";
    EXPECT_EQ(refusal(run(jobs.create(order, job))), "device-group-not-found");
    job = a_property_job("a b");
    EXPECT_EQ(refusal(run(jobs.create(order, job))), "malformed-id");
    for (const auto& result :
         {run(jobs.get("none")), run(jobs.stop(order, "none")), run(jobs.resume(order, "none"))}) {
        EXPECT_EQ(refusal(result), "job-not-found");
    }
    EXPECT_EQ(run(jobs.devices("none", {})).error().reason, "job-not-found");
    EXPECT_THAT(audit_actions(), ElementsAre("device-group.create"));
}

TEST_F(JobsTest, AValueThatNoTwinTakesFailsOnTheDevice) {
    add_devices(1);
    domain::Job job = a_property_job();
    job.steps.front().value = R"({"a":{"b.c":1}})";
    create(job);
    host.run();
    EXPECT_EQ(letters(), "f");
    EXPECT_THAT(devices_of("job")[0].fault, HasSubstr("a dot"));
}

TEST_F(JobsTest, AGroupOfMoreDevicesThanAJobTakesFails) {
    add_devices(limits::job_devices_max);
    domain::Job job = a_property_job();
    job.threshold = domain::JobThreshold{};
    create(job);
    host.on_pause = [&] {
        const auto now = run(jobs.get("job"));
        if (now->chosen && now->status == JobStatus::running) {
            EXPECT_TRUE(run(jobs.stop(order, "job")));
        }
    };
    host.run();
    EXPECT_EQ(run(jobs.get("job"))->progress.total, limits::job_devices_max);
    host.on_pause = {};
    add_devices(1, "one-more-");
    create(a_property_job("second"));
    host.run();
    EXPECT_EQ(status("second"), JobStatus::failed);
    EXPECT_THAT(run(jobs.get("second"))->fault, HasSubstr("at most 200000 devices"));
}

TEST_F(JobsTest, OldJobsGoWithTheirDevices) {
    add_devices(3);
    create(a_property_job("old"));
    host.run();
    clock.advance(limits::job_life);
    create(a_property_job("new"));
    host.run();
    host.spawn("house", jobs.keep_house());
    int pauses = 0;
    host.on_pause = [&] { host.pauses_left = ++pauses > 20 ? 0 : -1; };
    host.run();
    EXPECT_EQ(refusal(run(jobs.get("old"))), "job-not-found");
    EXPECT_THAT(devices_of("old"), IsEmpty());
    EXPECT_EQ(letters("new"), "ccc");
}

TEST_F(JobsTest, ListsJobsWithTheirProgress) {
    add_devices(2);
    create(a_property_job("a"));
    create(a_property_job("b"));
    host.run();
    const auto page = run(jobs.list({.count = 1}));
    ASSERT_THAT(page->items, SizeIs(1));
    EXPECT_EQ(page->items.front().progress, (domain::JobProgress{2, 2, 0}));
    EXPECT_EQ(run(jobs.list({.after = page->next}))->items.front().id, "b");
    const auto devices = run(jobs.devices("a", {.count = 1}));
    EXPECT_EQ(devices->items.front().device, device_id(0));
    EXPECT_EQ(devices->next, "0");
}

}  // namespace
}  // namespace rollcall::service
