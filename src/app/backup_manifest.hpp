// SPDX-License-Identifier: Apache-2.0
// What a backup says of itself, as its first part: who wrote it, of which server, and what each
// part holds. JSON, for people and for `restore`.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/world.hpp"
#include "store/snapshot.hpp"

#include <string>
#include <vector>

namespace rollcall::app {

inline constexpr const char* manifest_name = "manifest.json";

struct BackupPart {
    std::string name;  ///< path under the data directory
    std::uint64_t bytes = 0;
    Digest sha256{};

    bool operator==(const BackupPart&) const = default;
};

struct BackupManifest {
    std::string program{};  ///< version of the rollcall that wrote it
    TimePoint taken{};
    store::SnapshotFacts store{};
    std::vector<BackupPart> parts{};
};

/// May a file of that name be part of a backup? No other is written by `restore`.
bool is_part_name(const std::string& name);

std::string to_text(const BackupManifest& manifest);

/// malformed "no-backup" for what is no manifest of ours, unsupported "backup-newer" for one of a
/// later form, "schema-newer" for a store that this program does not know.
Result<BackupManifest> parse_manifest(const std::string& text);

}  // namespace rollcall::app
