// SPDX-License-Identifier: Apache-2.0
#include "store/snapshot.hpp"

#include "base/limits.hpp"
#include "store/bookkeeping_rows.hpp"
#include "store/database.hpp"
#include "store/schema.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <sqlite3.h>
#include <unistd.h>

namespace rollcall::store {
namespace {

struct CloseDatabase {
    void operator()(sqlite3* native) const { sqlite3_close_v2(native); }
};
using PlainDatabase = std::unique_ptr<sqlite3, CloseDatabase>;

/// Tables of the first schema on, and what they are called to people.
constexpr std::array counted{
    std::pair{"groups", "SELECT count(*) FROM enrollment_groups"},
    std::pair{"enrollments", "SELECT count(*) FROM individuals"},
    std::pair{"caCertificates", "SELECT count(*) FROM cas"},
    std::pair{"registrations", "SELECT count(*) FROM registrations"},
    std::pair{"devices", "SELECT count(*) FROM devices"},
    std::pair{"auditEvents", "SELECT count(*) FROM audit"},
};

Result<SnapshotFacts> facts_of(Database& database) {
    SnapshotFacts facts;
    TRY(facts.schema, database.integer("PRAGMA user_version"));
    TRY(const std::int64_t application, database.integer("PRAGMA application_id"));
    if (application != store_application_id || facts.schema < 1) {
        return Error{ErrorKind::unsupported,
                     "the file in the data directory's place is another program's database",
                     "not-our-store"};
    }
    if (facts.schema > newest_schema()) {
        return written_by_newer(facts.schema);
    }
    TRY(const auto scope, get_setting(database, "scope"));
    facts.scope = scope.value_or("");
    for (const auto& [name, sql] : counted) {
        TRY(const std::int64_t count, database.integer(sql));
        facts.counts.emplace_back(name, static_cast<std::uint64_t>(count));
    }
    return facts;
}

/// A new file, 0600, without a log of its own: the copy is made once and then read.
Result<PlainDatabase> make_copy_file(const std::filesystem::path& to) {
    const int descriptor = ::open(to.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0) {
        return Error{ErrorKind::unavailable, to.string() + ": cannot be made", "storage-failed",
                     std::strerror(errno)};
    }
    ::close(descriptor);
    sqlite3* native = nullptr;
    const int code = sqlite3_open_v2(
        to.c_str(), &native, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
        nullptr);
    PlainDatabase copy{native};
    if (code != SQLITE_OK) {
        return database_error(code, native, "open " + to.string());
    }
    const int set = sqlite3_exec(native, "PRAGMA synchronous=OFF; PRAGMA journal_mode=OFF", nullptr,
                                 nullptr, nullptr);
    if (set != SQLITE_OK) {
        return database_error(set, native, "prepare a copy");
    }
    return copy;
}

Result<Done> copy_pages(Database& from, sqlite3* to, const SnapshotProgress& progress) {
    TRY(const std::int64_t page_bytes, from.integer("PRAGMA page_size"));
    sqlite3_backup* const backup = sqlite3_backup_init(to, "main", from.native(), "main");
    if (backup == nullptr) {
        return database_error(sqlite3_errcode(to), to, "begin a copy");
    }
    int code = SQLITE_OK;
    while (code == SQLITE_OK) {
        code = sqlite3_backup_step(backup, limits::backup_step_pages);
        const auto bytes = static_cast<std::uint64_t>(page_bytes);
        const auto all = static_cast<std::uint64_t>(sqlite3_backup_pagecount(backup)) * bytes;
        const auto left = static_cast<std::uint64_t>(sqlite3_backup_remaining(backup)) * bytes;
        if (progress && (code == SQLITE_OK || code == SQLITE_DONE)) {
            progress(all - left, all);
        }
    }
    sqlite3_backup_finish(backup);
    return code == SQLITE_DONE ? Result<Done>{Done{}} : database_error(code, to, "copy pages");
}

/// "ok", or what does not fit together.
Result<std::string> quick_check(const std::filesystem::path& file) {
    Database::Options options;
    options.file = file;
    TRY(auto database, Database::open(options));
    TRY(auto* const statement, database.prepared("PRAGMA quick_check(1)"));
    Query row{statement};
    TRY([[maybe_unused]] const bool found, row.step());
    return row.text();
}

}  // namespace

Result<SnapshotFacts> take_snapshot(const std::filesystem::path& file,
                                    const std::filesystem::path& to,
                                    const SnapshotProgress& progress) {
    std::error_code failed;
    if (!std::filesystem::is_regular_file(file, failed)) {
        return Error{ErrorKind::not_found, "there is no store at " + file.string()};
    }
    Database::Options options;
    options.file = file;
    options.query_only = true;
    TRY(auto database, Database::open(options));
    // One read transaction around all of it: the counts and every page are of one moment.
    TRY(auto moment, Transaction::begin(database, Transaction::Kind::reading));
    TRY(auto facts, facts_of(database));
    TRY(const auto copy, make_copy_file(to));
    TRY([[maybe_unused]] const Done copied, copy_pages(database, copy.get(), progress));
    TRY([[maybe_unused]] const Done ended, moment.commit());
    return facts;
}

Result<Done> check_pages(const std::filesystem::path& file) {
    const auto said = quick_check(file);
    if (said && *said == "ok") {
        return Done{};
    }
    if (!said && said.error().kind == ErrorKind::unavailable) {
        return said.error();
    }
    return Error{ErrorKind::internal, "the store is damaged: " + (said ? *said : said.error().note),
                 "store-damaged"};
}

}  // namespace rollcall::store
