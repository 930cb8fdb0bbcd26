// SPDX-License-Identifier: Apache-2.0
#include "store/database.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>
#include <utility>

namespace rollcall::store {
namespace {

/// How long a statement waits for another connection's lock. Readers and the writer do not block
/// each other under WAL; what is left (recovery, a checkpoint's last step) is short.
constexpr int lock_wait_milliseconds = 1'000;

/// SQLite says FULL of the database and its log only; of its other files, that they failed.
bool is_out_of_room(int code, sqlite3* native) {
    const int kind = code & 0xff;
    if (kind != SQLITE_IOERR && kind != SQLITE_CANTOPEN) {
        return kind == SQLITE_FULL;
    }
    const int number = native != nullptr ? sqlite3_system_errno(native) : 0;
    return number == ENOSPC || number == EDQUOT;
}

}  // namespace

Error database_error(int code, sqlite3* native, std::string_view doing) {
    Error error{ErrorKind::internal, "the store failed", "", std::string{doing} + ": "};
    error.note += sqlite3_errstr(code);
    if (native != nullptr) {
        error.note += " (" + std::to_string(sqlite3_extended_errcode(native)) + "): ";
        error.note += sqlite3_errmsg(native);
    }
    if (is_out_of_room(code, native)) {
        error.kind = ErrorKind::unavailable;
        error.detail = "the disk that holds the data directory is full";
        error.reason = "disk-full";
        return error;
    }
    switch (code & 0xff) {
        case SQLITE_IOERR:
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_CANTOPEN:
        case SQLITE_READONLY:
        case SQLITE_PROTOCOL:
        case SQLITE_NOMEM:
            error.kind = ErrorKind::unavailable;
            error.detail = "the store cannot read or write its files";
            error.reason = "storage-failed";
            break;
        case SQLITE_CONSTRAINT:
            error.kind = ErrorKind::conflict;
            error.detail = "the change contradicts another record";
            error.reason = "record-conflict";
            break;
        default: break;
    }
    return error;
}

Error unreadable_record(std::string_view note) {
    return {ErrorKind::internal, "a stored record cannot be read", "unreadable-record",
            std::string{note}};
}

// --- Query ----------------------------------------------------------------------------------

Query::~Query() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
}

Query& Query::bind(std::int64_t value) {
    const int code = sqlite3_bind_int64(statement_, ++parameter_, value);
    bound_ = bound_ == SQLITE_OK ? code : bound_;
    return *this;
}

Query& Query::bind(std::string_view value) {
    // A null pointer would bind NULL; an empty text is a text.
    const char* data = value.data() == nullptr ? "" : value.data();
    const int code = sqlite3_bind_text64(statement_, ++parameter_, data, value.size(),
                                         SQLITE_STATIC, SQLITE_UTF8);
    bound_ = bound_ == SQLITE_OK ? code : bound_;
    return *this;
}

Query& Query::bind_blob(ByteView value) {
    const void* data = value.data() == nullptr ? static_cast<const void*>("") : value.data();
    const int code =
        sqlite3_bind_blob64(statement_, ++parameter_, data, value.size(), SQLITE_STATIC);
    bound_ = bound_ == SQLITE_OK ? code : bound_;
    return *this;
}

Query& Query::bind(const std::optional<Digest>& value) {
    return value ? bind_blob(value->bytes) : bind_null();
}

Query& Query::bind(const std::optional<TimePoint>& value) {
    return value ? bind(*value) : bind_null();
}

Query& Query::bind_null() {
    const int code = sqlite3_bind_null(statement_, ++parameter_);
    bound_ = bound_ == SQLITE_OK ? code : bound_;
    return *this;
}

Result<bool> Query::step() {
    if (bound_ != SQLITE_OK) {
        return database_error(bound_, sqlite3_db_handle(statement_), sqlite3_sql(statement_));
    }
    column_ = 0;
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) {
        return true;
    }
    if (code == SQLITE_DONE) {
        return false;
    }
    return database_error(code, sqlite3_db_handle(statement_), sqlite3_sql(statement_));
}

Result<Done> Query::run() {
    while (true) {
        TRY(const bool row, step());
        if (!row) {
            return Done{};
        }
    }
}

bool Query::is_null() const {
    return sqlite3_column_type(statement_, column_) == SQLITE_NULL;
}

std::int64_t Query::integer() {
    if (sqlite3_column_type(statement_, column_) != SQLITE_INTEGER) {
        sound_ = false;
    }
    return sqlite3_column_int64(statement_, column_++);
}

std::string Query::text() {
    if (sqlite3_column_type(statement_, column_) != SQLITE_TEXT) {
        sound_ = false;
        ++column_;
        return {};
    }
    const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column_));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column_));
    ++column_;
    return data == nullptr ? std::string{} : std::string(data, size);
}

ByteView Query::blob() {
    if (sqlite3_column_type(statement_, column_) != SQLITE_BLOB) {
        sound_ = false;
        ++column_;
        return {};
    }
    const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column_));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column_));
    ++column_;
    return data == nullptr ? ByteView{} : ByteView{data, size};
}

Digest Query::digest() {
    const ByteView bytes = blob();
    Digest digest;
    if (bytes.size() != digest.bytes.size()) {
        sound_ = false;
        return digest;
    }
    std::copy(bytes.begin(), bytes.end(), digest.bytes.begin());
    return digest;
}

std::optional<Digest> Query::optional_digest() {
    if (is_null()) {
        skip();
        return std::nullopt;
    }
    return digest();
}

std::optional<TimePoint> Query::optional_time() {
    if (is_null()) {
        skip();
        return std::nullopt;
    }
    return time();
}

Result<Done> Query::sound() const {
    if (!sound_) {
        return unreadable_record(sqlite3_sql(statement_));
    }
    return Done{};
}

// --- Database -------------------------------------------------------------------------------

namespace {

/// SQLite would make the file 0644. Only where there is none: closing a second descriptor of a
/// file that is open drops the locks SQLite holds on it.
Result<Done> make_private(const std::filesystem::path& file) {
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor >= 0) {
        ::close(descriptor);
        return Done{};
    }
    if (errno == EEXIST) {
        return Done{};
    }
    return Error{ErrorKind::unavailable, file.string() + ": cannot be made", "storage-failed",
                 std::strerror(errno)};
}

}  // namespace

Result<Database> Database::open(const Options& options) {
    TRY([[maybe_unused]] const auto made, make_private(options.file));
    sqlite3* native = nullptr;
    const int code =
        sqlite3_open_v2(options.file.c_str(), &native,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                        options.vfs.empty() ? nullptr : options.vfs.c_str());
    Database database{native,
                      options.sealing_key};  // closes the handle, which exists even after a failure
    if (code != SQLITE_OK) {
        return database_error(code, native, "open " + options.file.string());
    }
    sqlite3_busy_timeout(native, lock_wait_milliseconds);
    // Text of ours is never a trigger, view or path that a crafted file could run.
    sqlite3_db_config(native, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(native, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    std::string settings = "PRAGMA journal_mode=WAL; PRAGMA synchronous=";
    settings += options.synchronous;
    settings += "; PRAGMA cache_size=-" + std::to_string(options.cache_kib);
    settings += "; PRAGMA mmap_size=" + std::to_string(options.mmap_bytes);
    settings += "; PRAGMA temp_store=MEMORY";
    settings += options.query_only ? "; PRAGMA query_only=1;" : ";";
    TRY([[maybe_unused]] const auto set, database.execute(settings.c_str()));
    return database;
}

Database::Database(Database&& other) noexcept
    : native_(std::exchange(other.native_, nullptr)),
      box_(other.box_),
      statements_(std::move(other.statements_)) {
    other.statements_.clear();
}

Database& Database::operator=(Database&& other) noexcept {
    if (this != &other) {
        close();
        native_ = std::exchange(other.native_, nullptr);
        box_ = other.box_;
        statements_ = std::move(other.statements_);
        other.statements_.clear();
    }
    return *this;
}

Database::~Database() {
    close();
}

void Database::close() noexcept {
    for (const auto& [sql, statement] : statements_) {
        sqlite3_finalize(statement);
    }
    statements_.clear();
    sqlite3_close_v2(native_);
    native_ = nullptr;
}

Result<sqlite3_stmt*> Database::prepared(std::string_view sql) {
    const auto found = statements_.find(sql);
    if (found != statements_.end()) {
        return found->second;
    }
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(native_, sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) {
        return database_error(code, native_, sql);
    }
    statements_.emplace(sql, statement);
    return statement;
}

Result<Done> Database::execute(const char* sql) {
    const int code = sqlite3_exec(native_, sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) {
        return database_error(code, native_, sql);
    }
    return Done{};
}

Result<std::int64_t> Database::integer(std::string_view sql) {
    TRY(auto* const statement, prepared(sql));
    Query query{statement};
    TRY(const bool row, query.step());
    if (!row) {
        return unreadable_record(sql);
    }
    const std::int64_t value = query.integer();
    TRY([[maybe_unused]] const auto sound, query.sound());
    return value;
}

std::int64_t Database::changed() const {
    return sqlite3_changes64(native_);
}

bool Database::in_transaction() const {
    return sqlite3_get_autocommit(native_) == 0;
}

// --- Transaction ----------------------------------------------------------------------------

Result<Transaction> Transaction::begin(Database& database, Kind kind) {
    TRY(auto* const statement,
        database.prepared(kind == Kind::reading ? "BEGIN DEFERRED" : "BEGIN IMMEDIATE"));
    Query query{statement};
    TRY([[maybe_unused]] const auto begun, query.run());
    return Transaction{database};
}

Transaction::~Transaction() {
    // A failed COMMIT or a full disk may have rolled back already.
    if (database_ != nullptr && database_->in_transaction()) {
        if (const auto statement = database_->prepared("ROLLBACK")) {
            // A rollback can only fail where the connection is lost; its owner reopens it.
            [[maybe_unused]] const auto rolled = Query{*statement}.run();
        }
    }
}

Result<Done> Transaction::commit() {
    TRY(auto* const statement, database_->prepared("COMMIT"));
    Query query{statement};
    return query.run();
}

}  // namespace rollcall::store
