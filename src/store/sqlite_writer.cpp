// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite_writer.hpp"

#include "base/files.hpp"
#include "store/allocation_rows.hpp"
#include "store/audit_chain.hpp"
#include "store/authority_rows.hpp"
#include "store/bookkeeping_rows.hpp"
#include "store/expectation_rows.hpp"
#include "store/expectations.hpp"
#include "store/hub_rows.hpp"
#include "store/individual_rows.hpp"
#include "store/job_rows.hpp"
#include "store/schema.hpp"
#include "store/user_rows.hpp"

#include <sqlite3.h>

namespace rollcall::store {
namespace {

/// A log this many times the checkpoint's size means that readers kept it from starting over: then
/// the writer waits for them (they are short) instead of letting the log grow.
constexpr int overgrown = 4;

/// Sets the pages of the log after each commit.
int note_log_pages(void* pages, sqlite3*, const char*, int count) {
    *static_cast<int*>(pages) = count;
    return SQLITE_OK;
}

}  // namespace

SqliteWriter::SqliteWriter(Settings settings, Metrics& metrics)
    : settings_(std::move(settings)),
      checkpoint_due_(settings_.checkpoint_pages),
      transactions_(metrics.counter("rollcall_ledger_transactions_total",
                                    "Transactions committed by the ledger")),
      changes_(metrics.counter("rollcall_ledger_changes_total", "Changes made durable")),
      refusals_(metrics.counter("rollcall_ledger_refusals_total",
                                "Changes refused because what they expected had moved")),
      failures_(metrics.counter("rollcall_ledger_failures_total",
                                "Changes lost to a full or failing disk")),
      log_size_(metrics.gauge("rollcall_ledger_log_pages", "Pages in the write-ahead log")) {}

Result<std::unique_ptr<SqliteWriter>> SqliteWriter::open(Settings settings, Metrics& metrics,
                                                         TimePoint now) {
    std::unique_ptr<SqliteWriter> writer{new SqliteWriter(std::move(settings), metrics)};
    TRY([[maybe_unused]] const auto connected, writer->connect());
    TRY([[maybe_unused]] const auto checked, writer->check_audit(now));
    return writer;
}

/// Opens the file (again) and reads what the writer keeps in memory.
Result<Done> SqliteWriter::connect() {
    database_.reset();
    TRY(auto database, Database::open(settings_.database));
    TRY([[maybe_unused]] const auto migrated,
        migrate(database, signed_head(0, Digest{}, settings_.audit_key)));
    // SQLite syncs the directory when it begins a log, and tells nobody when that failed: the log
    // would be synced at every commit and yet be gone, name and all, after a power cut.
    TRY([[maybe_unused]] const auto named, sync_directory(settings_.database.file.parent_path()));
    Heads heads;
    TRY(heads.versions, get_versions(database));
    TRY(const auto audit, get_audit_head(database));
    heads.audit = audit.value_or(AuditHead{});
    sqlite3_wal_hook(database.native(), note_log_pages, &log_pages_);
    database_ = std::move(database);
    committed_ = heads;
    config_version_ = heads.versions.config_version;
    return Done{};
}

/// A head that is not signed with our key must not be signed over as if nothing were: a record of
/// it goes into the log, which verify_audit() reports from then on.
Result<Done> SqliteWriter::check_audit(TimePoint now) {
    Heads heads = committed_;
    const auto& stored = heads.audit;
    if (stored == signed_head(stored.sequence, stored.hash, settings_.audit_key)) {
        return Done{};
    }
    log_event(Severity::error, "audit_log_altered",
              {{"sequence", std::to_string(stored.sequence)}});
    TRY(auto transaction, Transaction::begin(*database_, Transaction::Kind::writing));
    TRY(const std::int64_t newest,
        database_->integer("SELECT coalesce(max(sequence), 0) FROM audit"));
    heads.audit.sequence = std::max(stored.sequence, static_cast<std::uint64_t>(newest));
    auto [record, head] = chain_audit(heads.audit, audit_broken(now), settings_.audit_key);
    TRY([[maybe_unused]] const auto appended, append_audit(*database_, record));
    heads.audit = head;
    TRY([[maybe_unused]] const auto saved, save_heads(heads));
    TRY([[maybe_unused]] const auto done, transaction.commit());
    committed_ = heads;
    return Done{};
}

void SqliteWriter::write(std::span<const GroupCommit::Entry> batch) {
    if (!database_) {
        if (const auto connected = connect(); !connected) {
            fail(batch, connected.error());
            return;
        }
    }
    auto answers = transact(batch);
    if (answers) {
        for (std::size_t i = 0; i < batch.size(); ++i) {
            batch[i].answer = std::move((*answers)[i]);
        }
        return;
    }
    const bool storage_is_away = answers.error().kind == ErrorKind::unavailable;
    if (batch.size() > 1 && !storage_is_away) {
        // One of them cannot be written: alone, each gets its own answer.
        for (std::size_t i = 0; i < batch.size(); ++i) {
            write(batch.subspan(i, 1));
        }
        return;
    }
    fail(batch, answers.error());
}

/// Answers with `error`. The connection is kept where it still works: opening the file anew could
/// find a transaction in the log whose sync failed, and make it true after all.
void SqliteWriter::fail(std::span<const GroupCommit::Entry> batch, const Error& error) {
    for (const auto& entry : batch) {
        entry.answer = error;
    }
    if (error.kind != ErrorKind::unavailable && error.kind != ErrorKind::internal) {
        return;
    }
    failures_.add(static_cast<double>(batch.size()));
    if (!std::exchange(failing_, true)) {
        log_event(Severity::error, "ledger_failed",
                  {{"reason", error.reason},
                   {"note", error.note},
                   {"changes", std::to_string(batch.size())}});
    }
    if (database_ && !Transaction::begin(*database_, Transaction::Kind::writing)) {
        database_.reset();
    }
}

/// One transaction. An Error: nothing of the batch was written.
Result<SqliteWriter::Answers> SqliteWriter::transact(std::span<const GroupCommit::Entry> batch) {
    TRY(auto transaction, Transaction::begin(*database_, Transaction::Kind::writing));
    Heads heads = committed_;
    CountChanges counts;
    Answers answers;
    answers.reserve(batch.size());
    std::size_t refused = 0;
    for (const auto& entry : batch) {
        TRY(auto broken, find_broken(*database_, entry.changes.expects, heads.versions));
        if (broken) {
            answers.emplace_back(*std::move(broken));
            ++refused;
            continue;
        }
        TRY([[maybe_unused]] const auto applied, apply(entry.changes, heads, counts));
        answers.emplace_back(heads.versions);
    }
    TRY([[maybe_unused]] const auto counted, apply_counts(*database_, counts));
    TRY([[maybe_unused]] const auto saved, save_heads(heads));
    TRY([[maybe_unused]] const auto durable, transaction.commit());
    committed_ = heads;
    config_version_ = heads.versions.config_version;
    if (refused < batch.size() && std::exchange(failing_, false)) {
        log_event(Severity::info, "ledger_works_again", {});
    }
    transactions_.add();
    changes_.add(static_cast<double>(batch.size() - refused));
    refusals_.add(static_cast<double>(refused));
    return answers;
}

namespace {

/// Carries out one write of a Changes.
class Applier {
public:
    Applier(Database& database, CountChanges& counts, const Digest& audit_key)
        : database_(database), counts_(counts), audit_key_(audit_key) {}

    Result<Done> operator()(const domain::PutCa& write) const {
        auto put = put_ca(database_, write.ca);
        if (!put && put.error().kind == ErrorKind::conflict) {
            return ca_already_known();
        }
        return put;
    }
    Result<Done> operator()(const domain::DeleteCa& write) const {
        return delete_ca(database_, write.id);
    }
    Result<Done> operator()(const domain::PutGroup& write) const {
        return put_group(database_, write.group);
    }
    Result<Done> operator()(const domain::DeleteGroup& write) const {
        return delete_group(database_, write.id);
    }
    Result<Done> operator()(const domain::PutIndividual& write) const {
        return put_individual(database_, write.enrollment);
    }
    Result<Done> operator()(const domain::DeleteIndividual& write) const {
        return delete_individual(database_, write.id);
    }
    Result<Done> operator()(const domain::PutRegistration& write) const {
        return put_registration(database_, write.registration, counts_);
    }
    Result<Done> operator()(const domain::DeleteRegistration& write) const {
        return delete_registration(database_, write.id, counts_);
    }
    Result<Done> operator()(const domain::PutDevice& write) const {
        return put_device(database_, write.device);
    }
    Result<Done> operator()(const domain::DeleteDevice& write) const {
        TRY([[maybe_unused]] const auto kept, delete_hub_rows(database_, write.id));
        TRY([[maybe_unused]] const auto noted, delete_device_notes(database_, write.id));
        return delete_device(database_, write.id);
    }
    Result<Done> operator()(const domain::PutDistrusted& write) const {
        return put_distrusted(database_, write.distrusted);
    }
    Result<Done> operator()(const domain::LiftDistrusted& write) const {
        return lift_distrusted(database_, write.spki);
    }
    Result<Done> operator()(const domain::RememberIntermediate& write) const {
        return remember_intermediate(database_, write.certificate, write.at);
    }
    Result<Done> operator()(const domain::PutSetting& write) const {
        return put_setting(database_, write.key, write.value);
    }
    Result<Done> operator()(const domain::PutToken& write) const {
        auto put = put_token(database_, write.token);
        if (!put && put.error().kind == ErrorKind::conflict) {
            return token_already_known();
        }
        return put;
    }
    Result<Done> operator()(const domain::TouchToken& write) const {
        return touch_token(database_, write.name, write.at);
    }
    Result<Done> operator()(const domain::DeleteToken& write) const {
        return delete_token(database_, write.name);
    }
    Result<Done> operator()(const domain::PutPolicy& write) const {
        return put_policy(database_, write.policy);
    }
    Result<Done> operator()(const domain::DeletePolicy& write) const {
        return delete_policy(database_, write.name);
    }
    Result<Done> operator()(const domain::PutUser& write) const {
        auto put = put_user(database_, write.user);
        if (!put && put.error().kind == ErrorKind::conflict) {
            return identity_taken();
        }
        return put;
    }
    Result<Done> operator()(const domain::DeleteUser& write) const {
        return delete_user(database_, write.id);
    }
    Result<Done> operator()(const domain::PutSession& write) const {
        return put_session(database_, write);
    }
    Result<Done> operator()(const domain::DeleteSession& write) const {
        return delete_session(database_, write.id);
    }
    Result<Done> operator()(const domain::DeleteSessionsOf& write) const {
        return delete_sessions_of(database_, write.user_id);
    }
    Result<Done> operator()(const domain::PutTwin& write) const {
        return put_twin(database_, write.twin);
    }
    Result<Done> operator()(const domain::ResetTwin& write) const {
        return reset_twin(database_, write);
    }
    Result<Done> operator()(const domain::PutHub& write) const {
        return put_hub(database_, write.hub);
    }
    Result<Done> operator()(const domain::DeleteHub& write) const {
        return delete_hub(database_, write.name);
    }
    Result<Done> operator()(const domain::QueueMessage& write) const {
        return queue_message(database_, write.message);
    }
    Result<Done> operator()(const domain::RemoveMessage& write) const {
        return remove_message(database_, write.device, write.number);
    }
    Result<Done> operator()(const domain::PutDeviceNotes& write) const {
        return put_device_notes(database_, write.device, write.notes);
    }
    Result<Done> operator()(const domain::PutSubscriptions& write) const {
        return put_subscriptions(database_, write.device, write.subscriptions);
    }
    Result<Done> operator()(const domain::PutDeviceGroup& write) const {
        return put_device_group(database_, write.group);
    }
    Result<Done> operator()(const domain::DeleteDeviceGroup& write) const {
        return delete_device_group(database_, write.id);
    }
    Result<Done> operator()(const domain::PutJob& write) const {
        return put_job(database_, write.job);
    }
    Result<Done> operator()(const domain::DeleteJob& write) const {
        return delete_job(database_, write.id);
    }
    Result<Done> operator()(const domain::PutJobDevice& write) const {
        return put_job_device(database_, write.device);
    }
    Result<Done> operator()(const domain::DeleteJobDevices& write) const {
        return delete_job_devices(database_, write);
    }
    Result<Done> operator()(const domain::PruneAudit& write) const {
        return prune_audit(database_, write.up_to, audit_key_);
    }

private:
    Database& database_;
    CountChanges& counts_;
    const Digest& audit_key_;
};

}  // namespace

Result<Done> SqliteWriter::apply(const domain::Changes& changes, Heads& heads,
                                 CountChanges& counts) {
    const Applier applier{*database_, counts, settings_.audit_key};
    for (const auto& write : changes.writes) {
        TRY([[maybe_unused]] const auto written, std::visit(applier, write));
    }
    for (const auto& event : changes.audit) {
        auto [record, head] = chain_audit(heads.audit, event, settings_.audit_key);
        TRY([[maybe_unused]] const auto appended, append_audit(*database_, record));
        heads.audit = head;
    }
    heads.versions.config_version += changes.moves_config ? 1 : 0;
    heads.versions.anchors_version += changes.moves_anchors ? 1 : 0;
    return Done{};
}

Result<Done> SqliteWriter::save_heads(const Heads& heads) {
    if (heads.audit != committed_.audit) {
        TRY([[maybe_unused]] const auto head, put_audit_head(*database_, heads.audit));
    }
    if (heads.versions != committed_.versions) {
        TRY([[maybe_unused]] const auto versions, put_versions(*database_, heads.versions));
    }
    return Done{};
}

void SqliteWriter::rest() {
    log_size_.set(log_pages_);
    if (!database_ || log_pages_ < checkpoint_due_) {
        return;
    }
    if (const auto copied = checkpoint(); !copied) {
        // Nothing is lost: the log only grows until the next try.
        checkpoint_due_ = log_pages_ + settings_.checkpoint_pages / overgrown;
        log_event(Severity::warning, "checkpoint_failed",
                  {{"note", copied.error().note}, {"pages", std::to_string(log_pages_)}});
    }
}

/// Copies the log into the database file, so that the next commit can start the log over.
Result<Done> SqliteWriter::checkpoint() {
    const bool wait = log_pages_ >= settings_.checkpoint_pages * overgrown;
    int pages = 0;
    int copied = 0;
    const int code = sqlite3_wal_checkpoint_v2(
        database_->native(), nullptr, wait ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE,
        &pages, &copied);
    if (code != SQLITE_OK) {
        return database_error(code, database_->native(), "checkpoint");
    }
    checkpoint_due_ = copied == pages ? settings_.checkpoint_pages
                                      : pages + settings_.checkpoint_pages / overgrown;
    return Done{};
}

}  // namespace rollcall::store
