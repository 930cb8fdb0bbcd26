// SPDX-License-Identifier: Apache-2.0
// Device groups and jobs in the words of IoT Central.
#include "support/central_door.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::test {
namespace {

class CentralJobs : public ::testing::Test, protected CentralDoor {
protected:
    CentralJobs() {
        domain::Changes changes;
        for (const auto* const id : {"dev-1", "dev-2", "dev-3"}) {
            domain::Device device;
            device.id = DeviceId::trusted(id);
            device.registration = RegistrationId::trusted(id);
            device.etag = ETag::trusted("e");
            changes.writes.emplace_back(domain::PutDevice{device});
        }
        EXPECT_TRUE(run(store.commit(changes)));
    }
    Reply put_group(const std::string& id = "all") {
        return send("PUT", "/deviceGroups/" + id,
                    R"({"displayName":"All","filter":"SELECT * FROM devices"})");
    }
    Reply put_job(const std::string& id, const std::string& more = {}) {
        return send("PUT", "/jobs/" + id,
                    R"({"displayName":"Job","group":"all","data":[{"type":"property",)"
                    R"("target":"dtmi:a;1","path":"interval","value":5}])" +
                        more + "}");
    }
};

TEST_F(CentralJobs, AGroupIsPutReadChangedAndDeleted) {
    const auto made = send("PUT", "/deviceGroups/g_1",
                           R"({"displayName":"G","description":"d","filter":)"
                           R"("SELECT * FROM devices WHERE $template = \"dtmi:a;1\""})");
    ASSERT_EQ(made.status, 200) << made.text;
    EXPECT_EQ(made.word("/id"), "g_1");
    EXPECT_EQ(made.word("/filter"), R"(SELECT * FROM devices WHERE $template = "dtmi:a;1")");
    EXPECT_EQ(made.word("/description"), "d");
    EXPECT_EQ(send("GET", "/devicegroups/g_1").text, made.text) << "paths have no case";
    EXPECT_EQ(send("GET", "/deviceGroups/G_1").status, 404U) << "ids have";

    const auto changed = send("PATCH", "/deviceGroups/g_1", R"({"displayName":"H"})");
    EXPECT_EQ(changed.word("/displayName"), "H");
    EXPECT_EQ(changed.word("/description"), "d");
    const std::string old = R"({"displayName":"I","etag":)" + made.at("/etag") + "}";
    EXPECT_EQ(send("PATCH", "/deviceGroups/g_1", old).status, 412U);
    const std::string now = R"({"displayName":"I","etag":)" + changed.at("/etag") + "}";
    EXPECT_EQ(send("PATCH", "/deviceGroups/g_1", now).status, 200U);
    EXPECT_EQ(send("DELETE", "/deviceGroups/g_1").status, 204U);
    EXPECT_EQ(send("GET", "/deviceGroups/g_1").code(), "NotFound");
}

TEST_F(CentralJobs, GroupsAndMembersComeInPages) {
    put_group("a");
    put_group("b");
    const auto first = send("GET", "/deviceGroups?maxpagesize=1");
    EXPECT_EQ(first.word("/value/0/id"), "a");
    EXPECT_NE(first.word("/nextLink").find("/api/deviceGroups?api-version=2022-07-31"),
              std::string::npos);
    const auto members = send("GET", "/deviceGroups/a/devices?maxpagesize=2");
    EXPECT_EQ(members.body.at("value").as_array().size(), 2U);
    EXPECT_EQ(members.word("/value/1/id"), "dev-2");
    EXPECT_TRUE(members.has_member("nextLink"));
    EXPECT_FALSE(send("GET", "/deviceGroups/a/devices").has_member("nextLink"));
}

TEST_F(CentralJobs, AJobIsOrderedAndWatched) {
    put_group();
    const auto made =
        put_job("job-1", R"(,"batch":{"type":"percentage","value":25},"cancellationThreshold":)"
                         R"({"type":"number","value":1.0,"batch":null},"description":"why")");
    ASSERT_EQ(made.status, 200) << made.text;
    EXPECT_EQ(made.word("/status"), "pending");
    EXPECT_EQ(made.at("/batch"), R"({"type":"percentage","value":25})");
    EXPECT_EQ(made.at("/cancellationThreshold"), R"({"type":"number","value":1,"batch":false})");
    EXPECT_EQ(made.at("/data"),
              R"([{"type":"property","target":"dtmi:a;1","path":"interval","value":5}])");
    EXPECT_FALSE(made.has_member("start"));
    job_host.run();
    const auto over = send("GET", "/jobs/job-1");
    EXPECT_EQ(over.word("/status"), "complete");
    EXPECT_EQ(over.at("/progress"), R"({"total":3,"pending":0,"completed":3,"failed":0})");
    EXPECT_TRUE(over.has_member("start") && over.has_member("end"));
    const auto devices = send("GET", "/jobs/job-1/devices?maxpagesize=2");
    EXPECT_EQ(devices.at("/value/0"), R"({"id":"dev-1","status":"completed"})");
    EXPECT_TRUE(devices.has_member("nextLink"));
    EXPECT_EQ(send("GET", "/jobs").word("/value/0/id"), "job-1");
}

TEST_F(CentralJobs, ItIsStoppedResumedAndRunAgain) {
    put_group();
    const auto made =
        send("PUT", "/jobs/job-1",
             R"({"group":"all","data":[{"type":"CommandJobData","path":"m.reboot"}]})");
    ASSERT_EQ(made.status, 200) << made.text;
    EXPECT_EQ(made.word("/displayName"), "job-1");
    EXPECT_EQ(made.at("/data"), R"([{"type":"command","target":"","path":"m.reboot"}])");
    EXPECT_EQ(send("POST", "/jobs/job-1/stop").status, 204U);
    EXPECT_EQ(send("GET", "/jobs/job-1").word("/status"), "stopped");
    EXPECT_EQ(send("PUT", "/jobs/job-1/rerun/again").code(), "Conflict");
    EXPECT_EQ(send("POST", "/jobs/job-1/resume").status, 204U);
    job_host.run();
    EXPECT_EQ(send("GET", "/jobs/job-1").at("/progress/failed"), "3");
    EXPECT_EQ(send("GET", "/jobs/job-1/devices").word("/value/0/statusMessage"),
              "the device was not connected for 30 s");
    const auto again = send("PUT", "/jobs/job-1/rerun/again");
    ASSERT_EQ(again.status, 200) << again.text;
    EXPECT_EQ(again.word("/id"), "again");
    EXPECT_EQ(again.word("/status"), "pending");
    EXPECT_EQ(send("POST", "/jobs/job-1/resume").status, 409U);
}

TEST_F(CentralJobs, NullIsAValueOfAProperty) {
    put_group();
    const auto made =
        send("PUT", "/jobs/job-1",
             R"({"group":"all","data":[{"type":"property","path":"a","value":null}]})");
    ASSERT_EQ(made.status, 200) << made.text;
    EXPECT_EQ(made.at("/data/0/value"), "null");
    EXPECT_EQ(
        send("PUT", "/jobs/job-2", R"({"group":"all","data":[{"type":"property","path":"a"}]})")
            .status,
        422U);
}

TEST_F(CentralJobs, WhatIsNotOfferedIsRefusedByName) {
    put_group();
    for (const std::string type : {"cloudProperty", "CloudPropertyJobData",
                                   "deviceTemplateMigration", "deviceManifestMigration"}) {
        const auto reply =
            send("PUT", "/jobs/job-1",
                 R"({"group":"all","data":[{"type":")" + type + R"(","path":"a","value":1}]})");
        EXPECT_EQ(reply.status, 422U) << type;
        EXPECT_EQ(reply.code(), "NotOffered") << type;
        EXPECT_NE(reply.text.find(type), std::string::npos);
    }
    EXPECT_EQ(put_job("job-1", R"(,"organizations":["o"])").code(), "NotOffered");
    EXPECT_EQ(put_job("job-1", R"(,"organizations":[])").status, 200U);
}

}  // namespace
}  // namespace rollcall::test
