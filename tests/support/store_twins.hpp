// SPDX-License-Identifier: Apache-2.0
// What a test of both stores begins with: each test of a StoreTwins runs once against either.
#pragma once

#include "store/memory.hpp"
#include "store/sqlite.hpp"
#include "support/full_records.hpp"
#include "support/run_task.hpp"
#include "support/scratch_directory.hpp"

#include <gtest/gtest.h>

namespace rollcall::test {

enum class StoreTwin { sqlite, memory };

class StoreTwins : public ::testing::TestWithParam<StoreTwin> {
protected:
    StoreTwins() { open(); }

    void open() {
        if (GetParam() == StoreTwin::memory) {
            auto store = std::make_unique<store::MemoryStore>(audit_key_);
            reader_ = store.get();
            fleet_ = store.get();
            ledger_ = store.get();
            memory_ = std::move(store);
            return;
        }
        store::SqliteStore::Settings settings;
        settings.file = directory_.path() / "rollcall.db";
        settings.audit_key = audit_key_;
        auto store = store::SqliteStore::open(settings, metrics_, day("2026-01-01"));
        ASSERT_TRUE(store) << store.error().detail << store.error().note;
        sqlite_ = *std::move(store);
        reader_ = sqlite_.get();
        fleet_ = sqlite_.get();
        ledger_ = sqlite_.get();
    }
    /// As after a restart, where there is something to restart from.
    void reopen() {
        if (sqlite_) {
            sqlite_.reset();
            open();
        }
    }

    Result<store::Receipt> commit(const domain::Changes& changes) {
        return run(ledger_->commit(changes));
    }
    void must_commit(const domain::Changes& changes) {
        const auto receipt = commit(changes);
        ASSERT_TRUE(receipt) << receipt.error().detail << receipt.error().note;
    }
    template <class... W>
    void put(W... writes) {
        must_commit({.writes = {writes...}});
    }
    /// The reason of a refusal to commit nothing but expectations; "" when they hold.
    std::string refusal(domain::Expectation expected) {
        const auto receipt = commit({.expects = {std::move(expected)}});
        return receipt ? "" : receipt.error().reason;
    }

    const Digest audit_key_ = digest_of("audit key");
    ScratchDirectory directory_;
    Metrics metrics_;
    std::unique_ptr<store::SqliteStore> sqlite_;
    std::unique_ptr<store::MemoryStore> memory_;
    store::StoreReader* reader_ = nullptr;
    store::FleetReader* fleet_ = nullptr;
    store::Ledger* ledger_ = nullptr;
};

inline auto both_stores() {
    return ::testing::Values(StoreTwin::sqlite, StoreTwin::memory);
}
inline std::string store_name(const ::testing::TestParamInfo<StoreTwin>& each) {
    return each.param == StoreTwin::sqlite ? "Sqlite" : "Memory";
}

}  // namespace rollcall::test
