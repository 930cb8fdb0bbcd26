// SPDX-License-Identifier: Apache-2.0
// What only the store on SQLite promises: durability, failing disks, migrations. What it shares
// with its twin is in store_contract_test.cpp.
#include "store/sqlite.hpp"

#include "base/limits.hpp"
#include "store/audit_chain.hpp"
#include "store/schema.hpp"
#include "support/failing_disk.hpp"
#include "support/full_records.hpp"
#include "support/run_task.hpp"
#include "support/scratch_directory.hpp"

#include <fstream>
#include <functional>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::store {
namespace {

using namespace rollcall::domain;
using namespace rollcall::test;
using Failure = FailingDisk::Failure;
using ::testing::HasSubstr;

const Digest audit_key = digest_of("audit key");

class SqliteStores : public ::testing::Test {
protected:
    SqliteStores() {
        FailingDisk::install();
        settings_.file = directory_.path() / "rollcall.db";
        settings_.audit_key = audit_key;
        settings_.vfs = FailingDisk::name();
    }
    Result<std::unique_ptr<SqliteStore>> try_open() {
        return SqliteStore::open(settings_, metrics_, day("2026-01-01"));
    }
    std::unique_ptr<SqliteStore> open() {
        auto store = try_open();
        INVARIANT(store.has_value());
        return *std::move(store);
    }
    /// Runs SQL of the test's own on the closed file.
    void tamper(const char* sql) {
        auto database = Database::open({.file = settings_.file});
        ASSERT_TRUE(database);
        const auto done = database->execute(sql);
        ASSERT_TRUE(done) << done.error().note;
    }
    std::int64_t asked(const char* sql) {
        auto database = Database::open({.file = settings_.file});
        return database ? database->integer(sql).value_or(-1) : -1;
    }
    std::string bytes_on_disk() {
        std::string bytes;
        for (const auto& file : std::filesystem::directory_iterator{directory_.path()}) {
            std::ifstream in{file.path(), std::ios::binary};
            bytes.append(std::istreambuf_iterator<char>{in}, {});
        }
        return bytes;
    }
    static Result<Receipt> put_setting(SqliteStore& store, const std::string& value) {
        const Changes changes{.writes = {PutSetting{"key", value}}};
        return run(store.commit(changes));
    }
    static std::optional<std::string> setting(SqliteStore& store) {
        return run(store.setting("key")).value();
    }

    ScratchDirectory directory_;
    Metrics metrics_;
    SqliteStore::Settings settings_;
};

TEST_F(SqliteStores, WhatWasAnsweredIsThereAfterAKill) {
    const pid_t child = ::fork();
    if (child == 0) {
        const auto store = open();
        const Changes changes{.writes = {PutRegistration{a_registration("dev")}},
                              .audit = {an_event("one")},
                              .moves_config = true};
        const auto receipt = run(store->commit(changes));
        ::_exit(receipt ? 0 : 1);  // nothing is closed, no destructor runs
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
    const auto store = open();
    EXPECT_EQ(run(store->registration(RegistrationId::trusted("dev"))).value(),
              a_registration("dev"));
    EXPECT_EQ(store->config_version(), 2U);
    EXPECT_EQ(run(verify_audit(*store, audit_key)).value().records, 1U);
}

TEST_F(SqliteStores, EveryAnswerCameAfterASync) {
    const auto store = open();
    for (int i = 0; i < 5; ++i) {
        const int before = FailingDisk::log_syncs();
        ASSERT_TRUE(put_setting(*store, std::to_string(i)));
        EXPECT_GT(FailingDisk::log_syncs(), before);
    }
}

TEST_F(SqliteStores, ManyWaitersShareASync) {
    const auto store = open();
    constexpr int count = 2'000;
    std::vector<Changes> all(count);
    std::vector<Task<Result<Receipt>>> tasks;
    for (int i = 0; i < count; ++i) {
        all[i].writes = {PutSetting{std::to_string(i), "x"}};
        tasks.push_back(store->commit(all[i]));
    }
    const int before = FailingDisk::log_syncs();
    for (const auto& answer : run_together(std::move(tasks))) {
        EXPECT_TRUE(answer);
    }
    const int syncs = FailingDisk::log_syncs() - before;
    EXPECT_GE(syncs, count / static_cast<int>(limits::ledger_batch_max));
    EXPECT_LT(syncs, count / 4);
}

TEST_F(SqliteStores, AFullDiskIsSaidAndLeavesNothingHalfWritten) {
    const auto store = open();
    ASSERT_TRUE(put_setting(*store, "before"));
    FailingDisk::failure() = Failure::full;
    for (int i = 0; i < 3; ++i) {
        const Changes changes{.writes = {PutSetting{"key", "lost"}, PutDevice{a_device("dev")}},
                              .audit = {an_event("lost")},
                              .moves_config = true};
        const auto refused = run(store->commit(changes));
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().kind, ErrorKind::unavailable);
        EXPECT_EQ(refused.error().reason, "disk-full");
        EXPECT_EQ(setting(*store), "before") << "questions are still answered";
        EXPECT_EQ(store->config_version(), 1U);
    }
    FailingDisk::failure() = Failure::none;
    ASSERT_TRUE(put_setting(*store, "after"));
    EXPECT_EQ(setting(*store), "after");
    EXPECT_EQ(run(store->device(DeviceId::trusted("dev"))).value(), std::nullopt);
    EXPECT_EQ(run(verify_audit(*store, audit_key)).value().records, 0U);
}

TEST_F(SqliteStores, AFailedSyncIsNoReceipt) {
    const auto store = open();
    ASSERT_TRUE(put_setting(*store, "before"));
    FailingDisk::failure() = Failure::sync;
    const auto refused = put_setting(*store, "lost");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().reason, "storage-failed");
    EXPECT_EQ(setting(*store), "before");
    FailingDisk::failure() = Failure::none;
    ASSERT_TRUE(put_setting(*store, "after"));
    EXPECT_EQ(setting(*store), "after");
    EXPECT_EQ(setting(*open()), "after");
}

TEST_F(SqliteStores, AReaderRecovers) {
    open();
    const auto store = open();
    FailingDisk::failure() = Failure::read;
    EXPECT_EQ(run(store->setting("key")).error().kind, ErrorKind::unavailable);
    FailingDisk::failure() = Failure::none;
    EXPECT_EQ(setting(*store), std::nullopt);
}

TEST_F(SqliteStores, TheLogIsCopiedBackAndStartsOver) {
    settings_.checkpoint_pages = 50;
    const auto store = open();
    const std::string large(40'000, 'x');
    std::uintmax_t largest = 0;
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(put_setting(*store, large + std::to_string(i)));
        largest = std::max(largest, std::filesystem::file_size(settings_.file.string() + "-wal"));
    }
    // Ten pages a commit: without checkpoints the log would hold a thousand.
    EXPECT_LT(largest, 100U * 4'200U);
    EXPECT_EQ(setting(*store), large + "99");
}

TEST_F(SqliteStores, ThreadsAskWhileTheLedgerWrites) {
    const auto store = open();
    std::atomic<bool> done{false};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
        threads.emplace_back([&] {
            std::string last;
            while (!done) {
                const auto found = setting(*store).value_or("");
                EXPECT_GE(found, last) << "never back in time";
                last = found;
            }
        });
    }
    for (int i = 100; i < 300; ++i) {
        ASSERT_TRUE(put_setting(*store, std::to_string(i)));
        ASSERT_EQ(setting(*store), std::to_string(i)) << "own writes are seen";
    }
    done = true;
    for (auto& thread : threads) {
        thread.join();
    }
}

TEST_F(SqliteStores, CommitsFromManyThreads) {
    const auto store = open();
    std::vector<std::thread> threads;
    std::atomic<int> granted{0};
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            std::vector<Changes> all(100);
            std::vector<Task<Result<Receipt>>> tasks;
            for (std::size_t i = 0; i < all.size(); ++i) {
                const std::string id = std::to_string(t) + "-" + std::to_string(i);
                all[i].writes = {PutRegistration{a_registration(id)}};
                tasks.push_back(store->commit(all[i]));
            }
            for (const auto& answer : run_together(std::move(tasks))) {
                granted += answer ? 1 : 0;
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(granted, 400);
    EXPECT_EQ(run(store->registration_count({})).value(), 400U);
}

TEST_F(SqliteStores, AClosedLedgerSaysSo) {
    const auto store = open();
    store->close();
    EXPECT_EQ(put_setting(*store, "x").error().reason, "ledger-closed");
}

// --- Files of others and of other times ----------------------------------------------------

TEST_F(SqliteStores, ANewerSchemaIsRefused) {
    open();
    const std::string newer = "PRAGMA user_version=" + std::to_string(newest_schema() + 1);
    tamper(newer.c_str());
    const auto refused = try_open();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().reason, "schema-newer");
    EXPECT_THAT(refused.error().detail, HasSubstr("newer rollcall"));
}

TEST_F(SqliteStores, AnotherProgramsDatabaseIsRefused) {
    tamper("CREATE TABLE songs (name TEXT)");
    EXPECT_EQ(try_open().error().reason, "not-our-store");
}

TEST_F(SqliteStores, OpeningAgainMigratesNothingTwice) {
    ASSERT_TRUE(put_setting(*open(), "x"));
    EXPECT_EQ(setting(*open()), "x");
}

/// Takes back what step 11 made.
#define WITHOUT_USERS "DROP TABLE users; DROP TABLE sessions;"

/// And step 10.
#define WITHOUT_JOBS \
    WITHOUT_USERS    \
    "DROP TABLE device_groups; DROP TABLE jobs; DROP TABLE job_devices;"

/// And step 9.
#define WITHOUT_DEVICE_NOTES \
    WITHOUT_JOBS             \
    "DROP TABLE device_notes;"

/// And step 8.
#define WITHOUT_TOKEN_FORMS                \
    WITHOUT_DEVICE_NOTES                   \
    "ALTER TABLE tokens DROP COLUMN form;" \
    "ALTER TABLE tokens DROP COLUMN last_used;"

/// And step 7.
#define WITHOUT_NOTES                                  \
    WITHOUT_TOKEN_FORMS                                \
    "ALTER TABLE enrollment_groups DROP COLUMN notes;" \
    "ALTER TABLE individuals DROP COLUMN notes;"

/// And step 6.
#define WITHOUT_POLICIES \
    WITHOUT_NOTES        \
    "DROP TABLE sas_policies;"

/// And step 5.
#define WITHOUT_LINKED_HUBS                                 \
    WITHOUT_POLICIES                                        \
    "DROP TABLE linked_hubs;"                               \
    "ALTER TABLE enrollment_groups DROP COLUMN allocation;" \
    "ALTER TABLE individuals DROP COLUMN allocation;"       \
    "ALTER TABLE registrations DROP COLUMN payload;"

/// And step 4.
#define WITHOUT_STEP_4                                \
    WITHOUT_LINKED_HUBS                               \
    "ALTER TABLE enrollment_groups DROP COLUMN keys;" \
    "ALTER TABLE individuals DROP COLUMN keys;"       \
    "ALTER TABLE adoptions DROP COLUMN attestation;"

TEST_F(SqliteStores, AFirstSchemaIsBroughtUpToDate) {
    ASSERT_TRUE(put_setting(*open(), "x"));
    tamper(
        "DROP INDEX devices_by_state;"
        "CREATE INDEX devices_by_state ON devices (state, id);"
        "CREATE INDEX registrations_by_ca ON registrations (ca_sha256, id);"
        "DROP TABLE twins; DROP TABLE device_messages; DROP TABLE subscriptions;" WITHOUT_STEP_4
        "PRAGMA user_version=1");
    EXPECT_EQ(setting(*open()), "x");
    EXPECT_EQ(asked("SELECT count(*) FROM sqlite_master WHERE name='registrations_by_ca'"), 0);
    EXPECT_EQ(asked("PRAGMA user_version"), newest_schema());
}

TEST_F(SqliteStores, ASecondSchemaIsBroughtUpToDate) {
    ASSERT_TRUE(put_setting(*open(), "x"));
    tamper("DROP TABLE twins; DROP TABLE device_messages; DROP TABLE subscriptions;" WITHOUT_STEP_4
           "PRAGMA user_version=2");
    const auto device = DeviceId::trusted("dev");
    {
        const auto store = open();
        EXPECT_EQ(setting(*store), "x");
        const Changes changes{.writes = {PutTwin{{.device = device}},
                                         QueueMessage{{.device = device}},
                                         PutSubscriptions{device, {.messages = 1}}}};
        ASSERT_TRUE(run(store->commit(changes)));
        EXPECT_TRUE(run(store->twin(device)).value());
        EXPECT_EQ(run(store->messages(device)).value().size(), 1U);
        EXPECT_EQ(run(store->subscriptions(device)).value().messages, 1);
    }
    EXPECT_EQ(asked("PRAGMA user_version"), newest_schema());
}

/// What was written before there were symmetric keys reads as certificates, and says nothing of
/// hubs.
TEST_F(SqliteStores, AThirdSchemaIsBroughtUpToDate) {
    auto group = a_group("g");
    auto individual = an_individual("i");
    auto registration = a_registration("dev");
    {
        const Changes changes{
            .writes = {PutGroup{group}, PutIndividual{individual}, PutRegistration{registration}}};
        ASSERT_TRUE(run(open()->commit(changes)));
    }
    tamper(WITHOUT_STEP_4 "PRAGMA user_version=3");
    const auto store = open();
    group.keys.reset();
    individual.keys.reset();
    registration.last.attestation = AttestationKind::x509;
    group.allocation = {};
    group.notes = {};
    individual.allocation = {};
    individual.notes = {};
    registration.payload.clear();
    EXPECT_EQ(run(store->group(group.id)).value(), group);
    EXPECT_EQ(run(store->individual(individual.id)).value(), individual);
    EXPECT_EQ(run(store->registration(registration.id)).value(), registration);
}

/// What was written before there were notes has none.
TEST_F(SqliteStores, ASixthSchemaIsBroughtUpToDate) {
    auto group = a_group("g");
    auto individual = an_individual("i");
    {
        const Changes changes{.writes = {PutGroup{group}, PutIndividual{individual}}};
        ASSERT_TRUE(run(open()->commit(changes)));
    }
    tamper(WITHOUT_NOTES "PRAGMA user_version=6");
    const auto store = open();
    group.notes = {};
    individual.notes = {};
    EXPECT_EQ(run(store->group(group.id)).value(), group);
    EXPECT_EQ(run(store->individual(individual.id)).value(), individual);
}

TEST_F(SqliteStores, AnEighthSchemaIsBroughtUpToDate) {
    const auto device = a_device("dev");
    ASSERT_TRUE(run(open()->commit({.writes = {PutDevice{device}}})));
    tamper(WITHOUT_DEVICE_NOTES "PRAGMA user_version=8");
    const DeviceNotes notes{"Cooler"};
    {
        const auto store = open();
        EXPECT_EQ(run(store->noted_devices({}, {})).value().items,
                  std::vector<NotedDevice>{{device}});
        ASSERT_TRUE(run(store->commit({.writes = {PutDeviceNotes{device.id, notes}}})));
    }
    EXPECT_EQ(run(open()->device_notes(device.id)).value(), notes);
    EXPECT_EQ(asked("PRAGMA user_version"), newest_schema());
}

TEST_F(SqliteStores, ANinthSchemaIsBroughtUpToDate) {
    ASSERT_TRUE(run(open()->commit({.writes = {PutDevice{a_device("dev")}}})));
    tamper(WITHOUT_JOBS "PRAGMA user_version=9");
    const auto job = a_job("job");
    ASSERT_TRUE(run(open()->commit({.writes = {PutJob{job}}})));
    EXPECT_EQ(run(open()->job("job")).value(), job);
    EXPECT_EQ(asked("PRAGMA user_version"), newest_schema());
}

/// What was written before there were linked hubs keeps its keys.
TEST_F(SqliteStores, AFourthSchemaIsBroughtUpToDate) {
    auto group = a_group("g");
    auto individual = an_individual("i");
    auto registration = a_registration("dev");
    {
        const Changes changes{
            .writes = {PutGroup{group}, PutIndividual{individual}, PutRegistration{registration}}};
        ASSERT_TRUE(run(open()->commit(changes)));
    }
    tamper(WITHOUT_LINKED_HUBS "PRAGMA user_version=4");
    const auto store = open();
    group.allocation = {};
    group.notes = {};
    individual.allocation = {};
    individual.notes = {};
    registration.payload.clear();
    EXPECT_EQ(run(store->group(group.id)).value(), group);
    EXPECT_EQ(run(store->individual(individual.id)).value(), individual);
    EXPECT_EQ(run(store->registration(registration.id)).value(), registration);
    EXPECT_EQ(asked("PRAGMA user_version"), newest_schema());
}

TEST_F(SqliteStores, AFifthSchemaIsBroughtUpToDate) {
    ASSERT_TRUE(put_setting(*open(), "x"));
    tamper(WITHOUT_POLICIES "PRAGMA user_version=5");
    const auto policy = a_policy("owner");
    {
        const auto store = open();
        EXPECT_EQ(setting(*store), "x");
        const Changes changes{.writes = {PutPolicy{policy}}};
        ASSERT_TRUE(run(store->commit(changes)));
    }
    EXPECT_EQ(run(open()->policy("owner")).value(), policy);
    EXPECT_EQ(asked("PRAGMA user_version"), newest_schema());
}

TEST_F(SqliteStores, KeysOfPoliciesAreSealed) {
    settings_.sealing_key = digest_of("sealing key");
    const auto policy = a_policy("Owner");
    {
        const auto store = open();
        const Changes changes{.writes = {PutPolicy{policy}, PutPolicy{a_policy("other")}}};
        ASSERT_TRUE(run(store->commit(changes)));
    }
    for (const auto& key : policy.keys) {
        EXPECT_EQ(bytes_on_disk().find(as_text(key.bytes())), std::string::npos);
        EXPECT_EQ(bytes_on_disk().find(key.base64()), std::string::npos);
    }
    EXPECT_EQ(run(open()->policy("owner")).value(), policy);
    tamper(
        "UPDATE sas_policies SET keys=(SELECT keys FROM sas_policies WHERE id='other')"
        " WHERE id='owner'");
    EXPECT_EQ(run(open()->policy("owner")).error().reason, "cannot-unseal");
    tamper("UPDATE sas_policies SET rights=256 WHERE id='other'");
    EXPECT_EQ(run(open()->policy("other")).error().kind, ErrorKind::internal);
}

TEST_F(SqliteStores, KeysAreSealed) {
    settings_.sealing_key = digest_of("sealing key");
    const auto group = a_group("g");
    const auto individual = an_individual("i");
    {
        const auto store = open();
        const Changes changes{.writes = {PutGroup{group}, PutIndividual{individual}}};
        ASSERT_TRUE(run(store->commit(changes)));
    }
    const std::string bytes = bytes_on_disk();
    for (const auto& key : {group.keys->front(), group.keys->back(), individual.keys->front()}) {
        EXPECT_EQ(bytes.find(as_text(key.bytes())), std::string::npos);
        EXPECT_EQ(bytes.find(key.base64()), std::string::npos);
    }
    EXPECT_EQ(run(open()->group(group.id)).value()->keys, group.keys);
    tamper("UPDATE individuals SET keys=(SELECT keys FROM enrollment_groups)");
    EXPECT_EQ(run(open()->individual(individual.id)).error().reason, "cannot-unseal");
    settings_.sealing_key = digest_of("another key");
    EXPECT_EQ(run(open()->group(group.id)).error().reason, "cannot-unseal");
    EXPECT_EQ(run(open()->trust_records()).error().reason, "cannot-unseal");
}

TEST_F(SqliteStores, OnlyTheOwnerReadsTheFiles) {
    const auto store = open();
    for (const auto* end : {"", "-wal", "-shm"}) {
        const auto mode = std::filesystem::status(settings_.file.string() + end).permissions();
        EXPECT_EQ(mode, std::filesystem::perms{0600}) << end;
    }
}

TEST_F(SqliteStores, ARecordThatCannotBeReadIsAnError) {
    const auto device = DeviceId::trusted("dev");
    {
        const auto store = open();
        const Changes changes{.writes = {PutRegistration{a_registration("dev")},
                                         PutCa{a_ca("root")}, QueueMessage{{.device = device}},
                                         PutSubscriptions{device, {.messages = 1}}}};
        ASSERT_TRUE(run(store->commit(changes)));
    }
    tamper(
        "UPDATE registrations SET status=99; UPDATE cas SET der=x'3000';"
        "UPDATE device_messages SET properties=x'01'; UPDATE subscriptions SET methods=3");
    const auto store = open();
    EXPECT_EQ(run(store->registration(RegistrationId::trusted("dev"))).error().kind,
              ErrorKind::internal);
    EXPECT_EQ(run(store->ca(CaId::trusted("ca-root"))).error().reason, "unreadable-record");
    EXPECT_EQ(run(store->trust_records()).error().kind, ErrorKind::internal);
    EXPECT_EQ(run(store->messages(device)).error().reason, "unreadable-record");
    EXPECT_EQ(run(store->subscriptions(device)).error().reason, "unreadable-record");
}

// --- The audit log -------------------------------------------------------------------------

TEST_F(SqliteStores, AnAlteredAuditLogStaysAltered) {
    const std::vector<std::pair<const char*, std::uint64_t>> cases{
        {"UPDATE audit SET reason='x' WHERE sequence=2", 2},
        {"DELETE FROM audit WHERE sequence=2", 2},
        {"DELETE FROM audit WHERE sequence=3", 3},
        // Cut short, with a head to match but without the key: the server's next record must not
        // sign it over.
        {"DELETE FROM audit WHERE sequence=3; UPDATE audit_head SET sequence=2,"
         " hash=(SELECT hash FROM audit WHERE sequence=2)",
         3},
        {"DELETE FROM audit; DELETE FROM audit_head; DELETE FROM settings", 1},
    };
    for (const auto& [sql, sequence] : cases) {
        std::filesystem::remove(settings_.file);
        {
            const auto store = open();
            const Changes changes{.audit = {an_event("one"), an_event("two"), an_event("three")}};
            ASSERT_TRUE(run(store->commit(changes)));
        }
        tamper(sql);
        const auto store = open();
        const Changes more{.audit = {an_event("four")}};
        ASSERT_TRUE(run(store->commit(more)));
        const auto check = run(verify_audit(*store, audit_key)).value();
        ASSERT_TRUE(check.fault) << sql;
        EXPECT_EQ(check.fault->sequence, sequence) << sql;
        EXPECT_EQ(check.records, sequence - 1) << sql;
    }
}

// --- Counts that the ledger keeps beside the records ---------------------------------------

TEST_F(SqliteStores, KeptCountsAreWhatCountingGives) {
    std::uint64_t state = 7;
    const auto chance = [&state](std::uint64_t below) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        return (state >> 33U) % below;
    };
    {
        const auto store = open();
        for (int i = 0; i < 400; ++i) {
            const std::string id = "dev-" + std::to_string(chance(20));
            Changes changes;
            if (chance(5) == 0) {
                changes.writes = {DeleteRegistration{RegistrationId::trusted(id)}};
            } else {
                auto registration =
                    a_registration(id, chance(2) == 0 ? "g" : "h", std::to_string(chance(3)));
                registration.last.slot = both_slots[chance(2)];
                changes.writes = {PutRegistration{registration}};
            }
            ASSERT_TRUE(run(store->commit(changes)));
        }
    }
    auto database = Database::open({.file = settings_.file}).value();
    EXPECT_EQ(database
                  .integer("SELECT count(*) FROM (SELECT entry_kind, entry_id, entry_instance,"
                           " ca_sha256, slot, count(*) AS devices FROM registrations GROUP BY"
                           " 1,2,3,4,5 EXCEPT SELECT * FROM adoption_counts)")
                  .value(),
              0);
    EXPECT_EQ(database.integer("SELECT count(*) FROM adoption_counts WHERE devices<=0").value(), 0)
        << "counts of nobody are not kept";
    EXPECT_EQ(database
                  .integer("SELECT (SELECT sum(devices) FROM adoption_counts) -"
                           " (SELECT count(*) FROM registrations)")
                  .value(),
              0);
}

}  // namespace
}  // namespace rollcall::store
