// SPDX-License-Identifier: Apache-2.0
// The one writing connection: carries batches of Changes out, each batch one transaction. Lives on
// the ledger's thread.
#pragma once

#include "base/telemetry.hpp"
#include "store/device_rows.hpp"
#include "store/ledger.hpp"

#include <atomic>

namespace rollcall::store {

class SqliteWriter final : public GroupCommit::Writer {
public:
    struct Settings {
        Database::Options database{};
        Digest audit_key{};
        /// Pages in the write-ahead log from which it is copied into the database file.
        int checkpoint_pages = 20'000;
    };
    /// Opens the file and brings its schema up to date.
    /// `now`: for the audit record that says so when the log's end is not signed with our key.
    static Result<std::unique_ptr<SqliteWriter>> open(Settings settings, Metrics& metrics,
                                                      TimePoint now);

    void write(std::span<const GroupCommit::Entry> batch) override;
    void rest() override;

    /// The newest durable config_version; from any thread.
    std::uint64_t config_version() const { return config_version_.load(); }

private:
    /// What a batch moves beside records; the committed ones are kept until COMMIT returned.
    struct Heads {
        Receipt versions{};
        AuditHead audit{};
    };
    using Answers = std::vector<Result<Receipt>>;

    SqliteWriter(Settings settings, Metrics& metrics);

    Result<Done> connect();
    Result<Done> check_audit(TimePoint now);
    Result<Answers> transact(std::span<const GroupCommit::Entry> batch);
    Result<Done> apply(const domain::Changes& changes, Heads& heads, CountChanges& counts);
    Result<Done> save_heads(const Heads& heads);
    void fail(std::span<const GroupCommit::Entry> batch, const Error& error);
    Result<Done> checkpoint();

    Settings settings_;
    std::optional<Database> database_{};  ///< none: lost, to be opened again
    Heads committed_{};
    std::atomic<std::uint64_t> config_version_{0};
    bool failing_ = false;    ///< was said in the log already
    int log_pages_ = 0;       ///< in the write-ahead log after the last commit
    int checkpoint_due_ = 0;  ///< pages at which the next checkpoint is tried

    Counter& transactions_;
    Counter& changes_;
    Counter& refusals_;
    Counter& failures_;
    Gauge& log_size_;
};

}  // namespace rollcall::store
