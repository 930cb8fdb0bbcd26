// SPDX-License-Identifier: Apache-2.0
// The data directory of one server: mode 0700, locked while in use, with the secret all its other
// secrets are derived from. Opened first by whatever touches the store.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/world.hpp"

#include <filesystem>
#include <string_view>

namespace rollcall::store {

class DataDirectory {
public:
    /// Where `restore` puts a backup together; it is gone when all is in its place.
    static constexpr const char* restoring_name = ".restoring";
    static constexpr const char* store_name = "rollcall.db";
    static constexpr const char* secret_name = "secret.key";

    /// Opens or makes the directory, takes its lock and reads or makes DIR/secret.key (32 random
    /// bytes, 0600). Looser modes of either are tightened, with a warning in the log. conflict
    /// "directory-in-use" while another process holds the lock (its number is in the detail),
    /// "not-a-data-directory" where it holds other things and none of ours, "secret-missing" beside
    /// a store that was sealed with it, "restore-unfinished"; forbidden "not-our-directory" for
    /// another user's; forbidden or unavailable where the system refuses.
    static Result<DataDirectory> open(const std::filesystem::path& path, Entropy& entropy);

    DataDirectory(DataDirectory&& other) noexcept;
    DataDirectory& operator=(DataDirectory&&) = delete;
    ~DataDirectory();

    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path store_file() const { return path_ / store_name; }
    std::filesystem::path refusals_file() const { return path_ / "refusals.db"; }

    /// A key for one purpose ("audit"), so that no two uses share one. HMAC-SHA-256 of the
    /// purpose under the directory's secret.
    Digest derived_key(std::string_view purpose) const;

private:
    DataDirectory(std::filesystem::path path, int lock) : path_(std::move(path)), lock_(lock) {}

    std::filesystem::path path_;
    int lock_;
    Digest secret_{};
};

}  // namespace rollcall::store
