// SPDX-License-Identifier: Apache-2.0
// Owning handles for SQLite's objects, and its result codes as Errors. Used by this floor's
// sources only: no header that another floor includes lets SQLite's names out.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/world.hpp"
#include "x509/secret_box.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

struct sqlite3;
struct sqlite3_stmt;

namespace rollcall::store {

/// One use of a prepared statement: values are bound in order, then rows are read column by
/// column in order. Bound text and blobs are not copied: they must outlive the Query.
class Query {
public:
    explicit Query(sqlite3_stmt* statement) : statement_(statement) {}
    ~Query();
    Query(const Query&) = delete;
    Query& operator=(const Query&) = delete;

    Query& bind(std::int64_t value);
    Query& bind(std::string_view value);
    Query& bind(std::string&& value) = delete;
    Query& bind(const char*) = delete;
    Query& bind_blob(ByteView value);
    Query& bind(const Digest& value) { return bind_blob(value.bytes); }
    Query& bind(Digest&& value) = delete;
    Query& bind(const std::optional<Digest>& value);
    Query& bind(std::optional<Digest>&& value) = delete;
    Query& bind(const std::optional<TimePoint>& value);
    Query& bind(TimePoint value) { return bind(std::int64_t{value.time_since_epoch().count()}); }
    Query& bind(bool value) { return bind(std::int64_t{value ? 1 : 0}); }
    Query& bind(std::uint64_t value) { return bind(static_cast<std::int64_t>(value)); }
    template <class Enum>
    requires std::is_enum_v<Enum> Query& bind(Enum value) {
        return bind(static_cast<std::int64_t>(value));
    }
    Query& bind_null();

    /// true: a row can be read.
    Result<bool> step();
    /// Steps to the end; rows, if any, are skipped.
    Result<Done> run();

    bool is_null() const;  ///< of the next column; does not move on
    void skip() { ++column_; }
    std::int64_t integer();
    std::uint64_t unsigned_integer() { return static_cast<std::uint64_t>(integer()); }
    bool flag() { return integer() != 0; }
    std::string text();
    /// Valid until the next step().
    ByteView blob();
    Digest digest();
    std::optional<Digest> optional_digest();
    std::optional<TimePoint> optional_time();
    TimePoint time() { return TimePoint{std::chrono::microseconds{integer()}}; }
    /// An enumerator up to `last`; anything else makes the row unsound.
    template <class Enum>
    Enum enumerator(Enum last) {
        const std::int64_t value = integer();
        if (value < 0 || value > static_cast<std::int64_t>(last)) {
            sound_ = false;
            return Enum{};
        }
        return static_cast<Enum>(value);
    }
    /// For values that were read but break a rule of their type.
    void mark_unsound() { sound_ = false; }
    /// internal when a column so far was not what its type demands.
    Result<Done> sound() const;

private:
    sqlite3_stmt* statement_;
    int parameter_ = 0;
    int column_ = 0;
    int bound_ = 0;  ///< first result code of a bind that failed
    bool sound_ = true;
};

/// One connection, used by one thread at a time (NOMUTEX). Statements are prepared once and kept.
class Database {
public:
    struct Options {
        std::filesystem::path file{};
        std::int64_t cache_kib = 16 * 1024;
        std::int64_t mmap_bytes = 0;
        /// NORMAL and OFF trade durability; only the refusal log does.
        std::string_view synchronous = "FULL";
        bool query_only = false;
        std::string vfs{};     ///< SQLite's name of another file layer; tests give one that fails
        Digest sealing_key{};  ///< of secrets in rows
    };
    static Result<Database> open(const Options& options);

    Database(Database&& other) noexcept;
    Database& operator=(Database&& other) noexcept;
    ~Database();

    /// The statement for `sql`, prepared at the first call. `sql` must be a literal or live as long
    /// as the program: never text with foreign bytes in it.
    Result<sqlite3_stmt*> prepared(std::string_view sql);
    /// Runs one or more statements without parameters.
    Result<Done> execute(const char* sql);
    /// The only column of the only row of `sql`.
    Result<std::int64_t> integer(std::string_view sql);
    /// Rows changed by the last statement.
    std::int64_t changed() const;
    bool in_transaction() const;
    sqlite3* native() const { return native_; }
    /// Seals the secrets that stand in rows.
    const x509::SecretBox& box() const { return box_; }

private:
    Database(sqlite3* native, const Digest& sealing_key) : native_(native), box_(sealing_key) {}
    void close() noexcept;

    sqlite3* native_;
    x509::SecretBox box_;
    std::unordered_map<std::string_view, sqlite3_stmt*> statements_;
};

/// Rolls back unless committed. BEGIN DEFERRED for `reading`, IMMEDIATE otherwise.
class Transaction {
public:
    enum class Kind { reading, writing };
    static Result<Transaction> begin(Database& database, Kind kind);
    Transaction(Transaction&& other) noexcept
        : database_(std::exchange(other.database_, nullptr)) {}
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();

    Result<Done> commit();

private:
    explicit Transaction(Database& database) : database_(&database) {}
    Database* database_;
};

/// What SQLite's `code` means to a caller: unavailable for a full or failing disk ("disk-full",
/// "storage-failed"), conflict for a broken constraint, internal otherwise. Its words: the note.
Error database_error(int code, sqlite3* native, std::string_view doing);

/// A row that cannot be what we wrote.
Error unreadable_record(std::string_view note);

}  // namespace rollcall::store
