// SPDX-License-Identifier: Apache-2.0
#include "store/snapshot.hpp"

#include "base/limits.hpp"
#include "store/schema.hpp"
#include "support/store_twins.hpp"

#include <fstream>
#include <sqlite3.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::store {
namespace {

using namespace rollcall::domain;
using namespace rollcall::test;
using ::testing::Contains;
using ::testing::Pair;

class SnapshotTest : public ::testing::Test {
protected:
    std::unique_ptr<SqliteStore> open(const std::filesystem::path& file) {
        SqliteStore::Settings settings;
        settings.file = file;
        settings.audit_key = digest_of("key");
        return SqliteStore::open(settings, metrics_, day("2026-01-01")).value();
    }
    void put_devices(SqliteStore& store, int from, int to) {
        Changes changes;
        for (int i = from; i < to; ++i) {
            changes.writes.push_back(PutDevice{a_device("dev-" + std::to_string(i))});
        }
        ASSERT_TRUE(run(store.commit(changes)));
    }
    static std::size_t devices(SqliteStore& store) {
        return run(store.devices({.count = 1'000}, {})).value().items.size();
    }

    ScratchDirectory directory_;
    Metrics metrics_;
    const std::filesystem::path live_ = directory_.path() / "rollcall.db";
    const std::filesystem::path copy_ = directory_.path() / "copy.db";
};

TEST_F(SnapshotTest, IsOfOneMomentWhileTheStoreGoesOn) {
    auto store = open(live_);
    put_devices(*store, 0, 500);
    Changes rest{.writes = {PutSetting{"scope", "0ne12345678"}}};
    // More than is copied in one step, so that there is a time between two.
    const std::string ballast(std::size_t{4096} * limits::backup_step_pages / 8, 'x');
    for (int i = 0; i < 12; ++i) {
        rest.writes.push_back(PutSetting{"ballast-" + std::to_string(i), ballast});
    }
    ASSERT_TRUE(run(store->commit(rest)));
    bool wrote = false;
    const auto go_on = [&](std::uint64_t done, std::uint64_t all) {
        EXPECT_LE(done, all);
        if (done < all && !std::exchange(wrote, true)) {
            put_devices(*store, 500, 600);
        }
    };
    const auto facts = take_snapshot(live_, copy_, go_on).value();
    EXPECT_TRUE(wrote);
    EXPECT_EQ(facts.scope, "0ne12345678");
    EXPECT_EQ(facts.schema, newest_schema());
    EXPECT_THAT(facts.counts, Contains(Pair("devices", 500U)));
    EXPECT_EQ(devices(*store), 600U);
    auto copied = open(copy_);
    EXPECT_EQ(devices(*copied), 500U);
}

TEST_F(SnapshotTest, WhatIsNoStoreIsRefusedAndNotMade) {
    EXPECT_EQ(take_snapshot(live_, copy_, {}).error().kind, ErrorKind::not_found);
    EXPECT_FALSE(std::filesystem::exists(live_));
    std::ofstream{live_} << "hello, this is no database at all";
    EXPECT_FALSE(take_snapshot(live_, copy_, {}));
    std::filesystem::remove(live_);
    sqlite3* other = nullptr;
    ASSERT_EQ(sqlite3_open(live_.c_str(), &other), SQLITE_OK);
    ASSERT_EQ(
        sqlite3_exec(other, "CREATE TABLE t (a); PRAGMA user_version=1", nullptr, nullptr, nullptr),
        SQLITE_OK);
    sqlite3_close(other);
    EXPECT_EQ(take_snapshot(live_, copy_, {}).error().reason, "not-our-store");
    EXPECT_FALSE(std::filesystem::exists(copy_));
}

TEST_F(SnapshotTest, ANewerStoreIsRefused) {
    open(live_);
    sqlite3* other = nullptr;
    ASSERT_EQ(sqlite3_open(live_.c_str(), &other), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(other, "PRAGMA user_version=999", nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(other);
    EXPECT_EQ(take_snapshot(live_, copy_, {}).error().reason, "schema-newer");
}

TEST_F(SnapshotTest, DamagedPagesAreSeen) {
    {
        auto store = open(live_);
        put_devices(*store, 0, 900);
    }
    EXPECT_TRUE(check_pages(live_));
    const auto bytes = std::filesystem::file_size(live_);
    std::fstream file{live_, std::ios::binary | std::ios::in | std::ios::out};
    file.seekp(static_cast<std::streamoff>(bytes / 2 / 4096 * 4096));
    file << std::string(8 * 4096, 'x');
    file.close();
    EXPECT_FALSE(check_pages(live_));
}

}  // namespace
}  // namespace rollcall::store
