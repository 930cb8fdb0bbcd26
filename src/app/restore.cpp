// SPDX-License-Identifier: Apache-2.0
// The way back of app/backup.hpp: parts are put together and looked at in DIR/.restoring; only what
// is whole comes into its place, the store last.
#include "app/await_now.hpp"
#include "app/backup.hpp"
#include "app/instance.hpp"
#include "base/files.hpp"
#include "base/limits.hpp"
#include "store/archive.hpp"
#include "store/audit_chain.hpp"
#include "store/data_directory.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace rollcall::app {
namespace {

namespace fs = std::filesystem;
using store::DataDirectory;

Error damaged(const fs::path& file, const std::string& why) {
    return {ErrorKind::malformed, file.string() + " is damaged: " + why, "backup-damaged"};
}

bool is_locked(const fs::path& data) {
    const int lock = ::open((data / "lock").c_str(), O_RDONLY | O_CLOEXEC);
    if (lock < 0) {
        return false;
    }
    const bool taken = ::flock(lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    ::close(lock);
    return taken;
}

/// The directory to restore into, with the place where parts are put together. Whatever was made in
/// it goes again unless all came to its end.
class Target {
public:
    explicit Target(fs::path data)
        : data_(std::move(data)), staging_(data_ / DataDirectory::restoring_name) {}
    ~Target() {
        std::error_code ignored;
        if (begun_) {
            fs::remove_all(staging_, ignored);
        }
        for (const auto& name : placed_) {
            fs::remove_all(data_ / name, ignored);
        }
        if (made_) {
            fs::remove(data_, ignored);
        }
    }
    Target(const Target&) = delete;
    Target& operator=(const Target&) = delete;

    const fs::path& staging() const { return staging_; }
    Result<Done> begin();
    Result<Done> finish();

private:
    Result<Done> check_empty() const;

    fs::path data_;
    fs::path staging_;
    bool made_ = false;
    bool begun_ = false;
    std::vector<std::string> placed_{};
};

Result<Done> Target::check_empty() const {
    if (is_locked(data_)) {
        return Error{ErrorKind::conflict,
                     "a server runs on " + data_.string() +
                         ": restore into an empty directory, or a new one",
                     "directory-in-use"};
    }
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator{data_, failed}) {
        if (entry.path().filename() != "lost+found") {
            return Error{
                ErrorKind::conflict,
                data_.string() + " is not empty: restore into an empty directory, or a new one",
                "directory-not-empty"};
        }
    }
    if (failed) {
        return Error{ErrorKind::forbidden,
                     data_.string() + ": cannot be read: " + failed.message()};
    }
    return Done{};
}

Result<Done> Target::begin() {
    std::error_code failed;
    if (fs::exists(fs::symlink_status(data_, failed))) {
        if (!fs::is_directory(data_, failed)) {
            return Error{ErrorKind::conflict, data_.string() + " is not a directory",
                         "not-a-directory"};
        }
        TRY([[maybe_unused]] const Done empty, check_empty());
    } else {
        TRY([[maybe_unused]] const Done made, make_directories(data_, 0700));
        made_ = true;
    }
    if (::mkdir(staging_.c_str(), 0700) != 0) {
        return Error{ErrorKind::unavailable,
                     staging_.string() + ": cannot be made: " + std::strerror(errno)};
    }
    begun_ = true;
    return Done{};
}

/// Everything from the staging place to where it belongs; the store last, since a directory without
/// it is nobody's data.
Result<Done> Target::finish() {
    std::error_code failed;
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator{staging_, failed}) {
        names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end(), [](const auto& a, const auto& b) {
        const bool a_last = a == DataDirectory::store_name;
        const bool b_last = b == DataDirectory::store_name;
        return a_last != b_last ? b_last : a < b;
    });
    for (const auto& name : names) {
        if (!failed) {
            placed_.push_back(name);
            fs::rename(staging_ / name, data_ / name, failed);
        }
    }
    if (!failed) {
        fs::remove(staging_, failed);
    }
    if (failed || ::chmod(data_.c_str(), 0700) != 0) {
        return Error{ErrorKind::unavailable,
                     data_.string() + ": what was restored cannot be put in place: " +
                         (failed ? failed.message() : std::strerror(errno))};
    }
    TRY([[maybe_unused]] const Done synced, sync_directory(data_));
    begun_ = made_ = false;
    placed_.clear();
    return Done{};
}

/// Every part the manifest names, in its order, and nothing else.
Result<Done> read_parts(const fs::path& file, store::ArchiveReader& archive,
                        const BackupManifest& manifest, const fs::path& into) {
    for (const auto& part : manifest.parts) {
        TRY(const auto member, archive.next());
        if (!member || member->name != part.name || member->bytes != part.bytes) {
            return damaged(file, part.name + " is missing");
        }
        const fs::path place = into / part.name;
        TRY([[maybe_unused]] const Done made, make_directories(place.parent_path(), 0700));
        TRY(const auto copied, archive.copy_to(place));
        if (copied.sha256 != part.sha256) {
            return damaged(file, part.name + " is not what was written");
        }
    }
    TRY(const auto more, archive.next());
    return more ? damaged(file, "it holds " + more->name + ", which its manifest does not name")
                : Result<Done>{Done{}};
}

domain::AuditEvent restored_event(const BackupManifest& manifest, TimePoint now) {
    domain::AuditEvent event;
    event.at = now;
    event.actor = "local administrator";
    event.source = "local";
    event.action = "server.restore";
    event.object = "server";
    event.detail = boost::json::serialize(boost::json::object{
        {"takenAt", to_iso8601_ticks(manifest.taken)}, {"rollcall", manifest.program}});
    return event;
}

/// Opens what was put together as a server would: the secret fits, the store is brought to today's
/// schema, and its audit log goes on with the restore.
Result<Restored> open_restored(const BackupManifest& manifest, const fs::path& staging) {
    TRY([[maybe_unused]] const Done pages, store::check_pages(staging / DataDirectory::store_name));
    const SystemClock clock;
    SystemEntropy entropy;
    Metrics metrics;
    TRY(const auto instance, Instance::open(staging, std::nullopt, metrics, clock, entropy));
    if (instance->scope().str() != manifest.store.scope) {
        return Error{ErrorKind::malformed,
                     "the backup is damaged: its store is that of " + instance->scope().str() +
                         ", its manifest that of " + manifest.store.scope,
                     "backup-damaged"};
    }
    TRY(const auto check, await_now(store::verify_audit(instance->store(), instance->audit_key())));
    domain::Changes changes;
    changes.audit.push_back(restored_event(manifest, clock.now()));
    // Whoever signed out, or was signed out, after the backup stays so.
    TRY(const auto users, await_now(instance->store().users()));
    for (const auto& user : users) {
        changes.writes.push_back(domain::DeleteSessionsOf{user.id});
    }
    TRY([[maybe_unused]] const auto receipt, await_now(instance->store().commit(changes)));
    instance->close();
    return Restored{manifest, check.records, check.fault ? check.fault->what : std::string{}};
}

/// What opening it has left, and a server makes again.
void tidy_up(const fs::path& staging) {
    std::error_code ignored;
    for (const char* const name : {"lock", "refusals.db", "refusals.db-wal", "refusals.db-shm"}) {
        fs::remove(staging / name, ignored);
    }
}

Result<BackupManifest> read_manifest(const fs::path& file, store::ArchiveReader& archive) {
    TRY(const auto first, archive.next());
    if (!first || first->name != manifest_name) {
        return Error{ErrorKind::malformed,
                     file.string() + " is no backup of rollcall: it begins with no manifest",
                     "no-backup"};
    }
    TRY(const auto text, archive.text(limits::backup_manifest_bytes_max));
    auto manifest = parse_manifest(text);
    if (!manifest) {
        Error error = manifest.error();
        error.detail = file.string() + ": " + error.detail;
        return error;
    }
    return manifest;
}

}  // namespace

Result<Restored> restore_backup(const fs::path& file, const fs::path& data) {
    TRY(auto archive, store::ArchiveReader::open(file));
    TRY(const auto manifest, read_manifest(file, archive));
    Target target{data};
    TRY([[maybe_unused]] const Done begun, target.begin());
    TRY([[maybe_unused]] const Done read, read_parts(file, archive, manifest, target.staging()));
    TRY(auto restored, open_restored(manifest, target.staging()));
    tidy_up(target.staging());
    TRY([[maybe_unused]] const Done done, target.finish());
    return restored;
}

}  // namespace rollcall::app
