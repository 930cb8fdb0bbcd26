// SPDX-License-Identifier: Apache-2.0
#include "store/refusal_file.hpp"

#include "base/limits.hpp"
#include "store/rows.hpp"

#include <algorithm>

namespace rollcall::store {
namespace {

/// Kept beside the tables; a file of another shape is started over.
constexpr std::int64_t file_version = 1;

/// `sequence` orders by arrival: replacing a row gives it a new one.
constexpr const char* tables = R"sql(
CREATE TABLE refusals (
    sequence       INTEGER PRIMARY KEY,
    id             TEXT NOT NULL UNIQUE,
    name           TEXT NOT NULL,
    known          INTEGER NOT NULL,
    at             INTEGER NOT NULL,
    cause          INTEGER NOT NULL,
    told_code      INTEGER NOT NULL,
    told_message   TEXT NOT NULL,
    explanation    TEXT NOT NULL,
    fix            TEXT NOT NULL,
    entry_kind     INTEGER,
    entry_id       TEXT,
    entry_instance TEXT,
    verdict_json   TEXT NOT NULL,
    protocol       INTEGER NOT NULL,
    api_version    TEXT NOT NULL,
    user_agent     TEXT NOT NULL,
    tls_version    TEXT NOT NULL,
    tls_cipher     TEXT NOT NULL,
    peer_address   TEXT NOT NULL,
    bytes          INTEGER NOT NULL,
    sent           BLOB NOT NULL         -- each certificate with its length before it
) STRICT;
CREATE INDEX strangers ON refusals (known) WHERE known = 0;
)sql";

#define REFUSAL_COLUMNS                                                              \
    "name, known, at, cause, told_code, told_message, explanation, fix, entry_kind," \
    " entry_id, entry_instance, verdict_json, protocol, api_version, user_agent,"    \
    " tls_version, tls_cipher, peer_address, sent"

Bytes packed_chain(const std::vector<Bytes>& chain) {
    Bytes all;
    for (const auto& der : chain) {
        for (int shift = 24; shift >= 0; shift -= 8) {
            all.push_back(static_cast<std::uint8_t>(der.size() >> shift));
        }
        all.insert(all.end(), der.begin(), der.end());
    }
    return all;
}

std::vector<Bytes> read_chain(Query& row) {
    ByteView rest = row.blob();
    std::vector<Bytes> chain;
    while (!rest.empty()) {
        std::size_t size = 0;
        for (std::size_t i = 0; i < 4 && i < rest.size(); ++i) {
            size = (size << 8) | rest[i];
        }
        if (rest.size() < 4 || size > rest.size() - 4) {
            row.mark_unsound();
            return {};
        }
        const ByteView der = rest.subspan(4, size);
        chain.emplace_back(der.begin(), der.end());
        rest = rest.subspan(4 + size);
    }
    return chain;
}

/// What a record takes, near enough.
std::size_t size_of(const RefusalRecord& record) {
    std::size_t size = 512 + record.explanation.size() + record.fix.size() +
                       record.verdict_json.size() + record.user_agent.size() +
                       record.api_version.size() + record.told.message.size();
    for (const auto& der : record.sent) {
        size += der.size();
    }
    return size;
}

Result<Done> put_refusal(Database& database, const RefusalRecord& record) {
    TRY(auto* const statement,
        database.prepared("INSERT OR REPLACE INTO refusals (" REFUSAL_COLUMNS
                          ", id, bytes) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"));
    const Bytes chain = packed_chain(record.sent);
    Query query{statement};
    query.bind(record.id.original()).bind(record.known).bind(record.at).bind(record.cause);
    query.bind(std::int64_t{record.told.code}).bind(record.told.message);
    query.bind(record.explanation).bind(record.fix);
    if (record.entry) {
        query.bind(record.entry->kind).bind(record.entry->id).bind(record.entry->instance);
    } else {
        query.bind_null().bind_null().bind_null();
    }
    query.bind(record.verdict_json).bind(record.protocol).bind(record.api_version);
    query.bind(record.user_agent).bind(record.tls_version).bind(record.tls_cipher);
    query.bind(record.peer_address).bind_blob(chain).bind(record.id.str());
    query.bind(std::uint64_t{size_of(record)});
    return query.run();
}

Result<RefusalRecord> read_refusal(Query& row) {
    RefusalRecord record;
    record.id = RegistrationId::trusted(row.text());
    record.known = row.flag();
    record.at = row.time();
    record.cause = row.enumerator(domain::RefusalCause::wrong_attestation);
    record.told.code = static_cast<int>(row.integer());
    record.told.message = row.text();
    record.explanation = row.text();
    record.fix = row.text();
    if (row.is_null()) {
        row.skip();
        row.skip();
        row.skip();
    } else {
        record.entry.emplace();
        record.entry->kind = row.enumerator(domain::EntryRef::Kind::group);
        record.entry->id = row.text();
        record.entry->instance = row.text();
    }
    record.verdict_json = row.text();
    record.protocol = row.enumerator(domain::Protocol::amqp_ws);
    record.api_version = row.text();
    record.user_agent = row.text();
    record.tls_version = row.text();
    record.tls_cipher = row.text();
    record.peer_address = row.text();
    record.sent = read_chain(row);
    TRY([[maybe_unused]] const auto sound, row.sound());
    return record;
}

Result<std::optional<RefusalRecord>> get_refusal(Database& database, const RegistrationId& id) {
    TRY(auto* const statement,
        database.prepared("SELECT " REFUSAL_COLUMNS " FROM refusals WHERE id=?"));
    Query row{statement};
    row.bind(id.str());
    return read_one<RefusalRecord>(row, [&row] { return read_refusal(row); });
}

Result<std::vector<RefusalRecord>> list_refusals(Database& database, std::size_t count) {
    TRY(auto* const statement, database.prepared("SELECT " REFUSAL_COLUMNS
                                                 " FROM refusals ORDER BY sequence DESC LIMIT ?"));
    Query row{statement};
    row.bind(std::uint64_t{std::min(count, limits::page_max)});
    return read_all<RefusalRecord>(row, [&row] { return read_refusal(row); });
}

}  // namespace

bool StrangerPace::admit(TimePoint at) {
    constexpr auto burst = static_cast<double>(limits::stranger_refusals_burst);
    if (!filled_) {
        tokens_ = burst;
    } else if (at > *filled_) {
        const std::chrono::duration<double> passed = at - *filled_;
        tokens_ += passed.count() * static_cast<double>(limits::stranger_refusals_per_second);
        tokens_ = std::min(tokens_, burst);
    }
    filled_ = at;
    if (tokens_ < 1) {
        return false;
    }
    tokens_ -= 1;
    return true;
}

RefusalFile::RefusalFile(std::filesystem::path file, Metrics& metrics)
    : path_(std::move(file)),
      dropped_(metrics.counter("rollcall_refusals_dropped_total",
                               "Refusals that were not kept: too many, or too fast")),
      written_(metrics.counter("rollcall_refusals_kept_total", "Refusals kept for explaining")) {}

Result<std::unique_ptr<RefusalFile>> RefusalFile::open(std::filesystem::path file,
                                                       Metrics& metrics) {
    std::unique_ptr<RefusalFile> log{new RefusalFile(std::move(file), metrics)};
    if (auto connected = log->connect(); !connected) {
        log_event(Severity::warning, "refusals_started_over", {{"note", connected.error().note}});
        TRY([[maybe_unused]] const auto anew, log->start_over());
    }
    return log;
}

RefusalFile::~RefusalFile() {
    close();
}

void RefusalFile::close() {
    {
        const std::scoped_lock lock{mutex_};
        closed_ = true;
    }
    lane_.join();
}

// --- Any thread -----------------------------------------------------------------------------

void RefusalFile::note(RefusalRecord record) {
    if (!enqueue(std::move(record))) {
        dropped_.add();
    }
}

bool RefusalFile::enqueue(RefusalRecord record) {
    const std::size_t size = size_of(record);
    const std::scoped_lock lock{mutex_};
    if (closed_ || queue_.size() >= limits::refusal_queue_max ||
        queue_bytes_ + size > limits::refusal_queue_bytes_max ||
        (!record.known && !pace_.admit(record.at))) {
        return false;
    }
    queue_.push_back(std::move(record));
    queue_bytes_ += size;
    if (!drain_is_due_) {
        drain_is_due_ = true;
        asio::post(lane_.executor(), [this] { drain(); });
    }
    return true;
}

Task<Result<std::optional<RefusalRecord>>> RefusalFile::last(const RegistrationId& id) {
    // The lane has one thread: what was noted before is written before.
    const auto question = [this, &id]() -> Result<std::optional<RefusalRecord>> {
        TRY([[maybe_unused]] const auto connected, connect());
        return get_refusal(*database_, id);
    };
    co_return co_await on_lane(lane_, question);
}

Task<Result<std::vector<RefusalRecord>>> RefusalFile::newest(std::size_t count) {
    const auto question = [this, &count]() -> Result<std::vector<RefusalRecord>> {
        TRY([[maybe_unused]] const auto connected, connect());
        return list_refusals(*database_, count);
    };
    co_return co_await on_lane(lane_, question);
}

// --- The lane -------------------------------------------------------------------------------

void RefusalFile::drain() {
    std::vector<RefusalRecord> batch;
    {
        const std::scoped_lock lock{mutex_};
        batch.swap(queue_);
        queue_bytes_ = 0;
        drain_is_due_ = false;
    }
    auto written = write(batch);
    if (!written && written.error().kind == ErrorKind::internal) {
        log_event(Severity::warning, "refusals_started_over", {{"note", written.error().note}});
        if (start_over()) {
            written = write(batch);
        }
    }
    if (written) {
        failing_ = false;
        written_.add(static_cast<double>(batch.size()));
        return;
    }
    dropped_.add(static_cast<double>(batch.size()));
    if (!failing_) {
        failing_ = true;
        log_event(Severity::warning, "refusals_not_kept", {{"note", written.error().note}});
    }
}

Result<Done> RefusalFile::connect() {
    if (database_) {
        return Done{};
    }
    TRY(auto database, Database::open({.file = path_, .cache_kib = 2'048, .synchronous = "OFF"}));
    TRY(const std::int64_t version, database.integer("PRAGMA user_version"));
    if (version == 0) {
        TRY(auto transaction, Transaction::begin(database, Transaction::Kind::writing));
        TRY([[maybe_unused]] const auto made, database.execute(tables));
        const std::string mark = "PRAGMA user_version=" + std::to_string(file_version);
        TRY([[maybe_unused]] const auto marked, database.execute(mark.c_str()));
        TRY([[maybe_unused]] const auto done, transaction.commit());
    } else if (version != file_version) {
        return unreadable_record("another version of the refusals file");
    }
    TRY(strangers_.count, database.integer("SELECT count(*) FROM refusals WHERE known=0"));
    TRY(strangers_.bytes,
        database.integer("SELECT coalesce(sum(bytes), 0) FROM refusals WHERE known=0"));
    database_ = std::move(database);
    return Done{};
}

/// A new file in place of one that cannot be read.
Result<Done> RefusalFile::start_over() {
    database_.reset();
    for (const auto* end : {"", "-wal", "-shm"}) {
        std::error_code ignored;  // what cannot be removed fails in connect()
        std::filesystem::remove(path_.string() + end, ignored);
    }
    return connect();
}

Result<Done> RefusalFile::write(const std::vector<RefusalRecord>& batch) {
    TRY([[maybe_unused]] const auto connected, connect());
    TRY(auto transaction, Transaction::begin(*database_, Transaction::Kind::writing));
    Strangers strangers = strangers_;
    for (const auto& record : batch) {
        TRY([[maybe_unused]] const auto written, put(record, strangers));
    }
    TRY([[maybe_unused]] const auto bounded, bound(strangers));
    TRY([[maybe_unused]] const auto done, transaction.commit());
    strangers_ = strangers;
    return Done{};
}

Result<Done> RefusalFile::put(const RefusalRecord& record, Strangers& strangers) {
    {
        TRY(auto* const statement,
            database_->prepared("SELECT bytes FROM refusals WHERE id=? AND known=0"));
        Query before{statement};
        before.bind(record.id.str());
        TRY(const bool replaces_stranger, before.step());
        if (replaces_stranger) {
            strangers.count -= 1;
            strangers.bytes -= before.integer();
        }
    }
    if (!record.known) {
        strangers.count += 1;
        strangers.bytes += static_cast<std::int64_t>(size_of(record));
    }
    return put_refusal(*database_, record);
}

/// The oldest strangers go where there are too many, or where they take too much.
Result<Done> RefusalFile::bound(Strangers& strangers) {
    while (strangers.count > static_cast<std::int64_t>(limits::stranger_refusals_max) ||
           strangers.bytes > static_cast<std::int64_t>(limits::stranger_refusal_bytes_max)) {
        TRY(auto* const statement,
            database_->prepared("DELETE FROM refusals WHERE sequence=(SELECT sequence FROM refusals"
                                " WHERE known=0 ORDER BY sequence LIMIT 1) RETURNING bytes"));
        Query row{statement};
        TRY(const bool gone, row.step());
        if (!gone) {
            return unreadable_record("strangers counted wrongly");
        }
        strangers.count -= 1;
        strangers.bytes -= row.integer();
        TRY([[maybe_unused]] const auto done, row.run());
    }
    return Done{};
}

}  // namespace rollcall::store
