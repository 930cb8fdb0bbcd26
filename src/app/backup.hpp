// SPDX-License-Identifier: Apache-2.0
// A backup: what a data directory holds, in one file, taken beside a server that goes on serving;
// and back again into an empty directory. Telemetry and refusals are not in it: the first has its
// own files and its own life, the second is a convenience.
#pragma once

#include "app/backup_manifest.hpp"

#include <filesystem>
#include <functional>

namespace rollcall::app {

/// Told now and then while much is copied.
using BackupProgress = store::SnapshotProgress;

/// Writes the data directory's backup to `file`, 0600, whole or not at all. conflict "file-exists"
/// unless it may be replaced; not_found where there is no data directory.
Result<BackupManifest> take_backup(const std::filesystem::path& data,
                                   const std::filesystem::path& file, bool replace,
                                   const BackupProgress& progress);

/// What a restore found and did.
struct Restored {
    BackupManifest manifest;
    std::uint64_t audit_events = 0;
    std::string audit_fault{};  ///< empty: the log is whole
};

/// Makes `data` what it was when the backup was taken, its store brought to the schema of today.
/// Refused, with nothing left behind: a directory that holds anything ("directory-not-empty") or is
/// in use ("directory-in-use"); a file that is no backup, damaged, cut short ("backup-damaged",
/// archive.hpp's and parse_manifest()'s reasons) or newer.
Result<Restored> restore_backup(const std::filesystem::path& file,
                                const std::filesystem::path& data);

}  // namespace rollcall::app
