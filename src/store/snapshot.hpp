// SPDX-License-Identifier: Apache-2.0
// A copy of a store as it is at one moment, taken beside a server that goes on writing: whatever
// was acknowledged before the copy began is in it.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace rollcall::store {

struct SnapshotFacts {
    std::int64_t schema = 0;
    std::string scope{};
    /// How many records of each kind, "registrations" and so on.
    std::vector<std::pair<std::string, std::uint64_t>> counts{};
};

/// Told in bytes: how much is copied, of how much.
using SnapshotProgress = std::function<void(std::uint64_t done, std::uint64_t all)>;

/// Copies `file` to `to`, which must not be there. The server's writer is not waited for and does
/// not wait; its log cannot start over until the copy is made. unsupported "schema-newer" and
/// "not-our-store" as migrate(); not_found where there is no store.
Result<SnapshotFacts> take_snapshot(const std::filesystem::path& file,
                                    const std::filesystem::path& to,
                                    const SnapshotProgress& progress);

/// internal "store-damaged" with SQLite's words where the file's pages do not fit together.
Result<Done> check_pages(const std::filesystem::path& file);

}  // namespace rollcall::store
