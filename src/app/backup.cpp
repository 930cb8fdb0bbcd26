// SPDX-License-Identifier: Apache-2.0
#include "app/backup.hpp"

#include "app/version.hpp"
#include "base/files.hpp"
#include "base/limits.hpp"
#include "store/archive.hpp"
#include "store/data_directory.hpp"
#include "x509/digest_stream.hpp"

#include <algorithm>
#include <unistd.h>

namespace rollcall::app {
namespace {

namespace fs = std::filesystem;
using store::DataDirectory;

/// A file that goes unless it was kept.
class Draft {
public:
    explicit Draft(fs::path path) : path_(std::move(path)) {}
    ~Draft() {
        if (!kept_) {
            std::error_code ignored;
            fs::remove(path_, ignored);
        }
    }
    Draft(const Draft&) = delete;
    Draft& operator=(const Draft&) = delete;
    const fs::path& path() const { return path_; }
    void keep() { kept_ = true; }

private:
    fs::path path_;
    bool kept_ = false;
};

struct SmallPart {
    std::string name;
    std::string content;
};

Result<Done> add_small(std::vector<SmallPart>& parts, const fs::path& data,
                       const std::string& name) {
    TRY(auto content, read_file(data / name, limits::backup_file_bytes_max));
    parts.push_back({name, std::move(content)});
    return Done{};
}

/// Everything beside the store. The secret must be there; the rest where it is.
Result<std::vector<SmallPart>> read_small_parts(const fs::path& data) {
    std::vector<SmallPart> parts;
    TRY([[maybe_unused]] const Done secret, add_small(parts, data, DataDirectory::secret_name));
    std::vector<std::string> names{"admin-token", "rollcall.toml"};
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator{data / "tls", failed}) {
        names.push_back("tls/" + entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    for (const auto& name : names) {
        if (fs::is_regular_file(data / name, failed) && is_part_name(name)) {
            TRY([[maybe_unused]] const Done added, add_small(parts, data, name));
        }
    }
    return parts;
}

std::int64_t seconds_of(TimePoint at) {
    return std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
}

Result<Done> write_archive(const fs::path& to, const BackupManifest& manifest,
                           const std::vector<SmallPart>& small, const fs::path& copy) {
    const std::int64_t at = seconds_of(manifest.taken);
    TRY(auto archive, store::ArchiveWriter::create(to));
    TRY([[maybe_unused]] const Done first, archive.add(manifest_name, to_text(manifest), at));
    TRY([[maybe_unused]] const Done whole,
        archive.add_file(DataDirectory::store_name, copy, manifest.parts.front().bytes, at));
    for (const auto& part : small) {
        TRY([[maybe_unused]] const Done added, archive.add(part.name, part.content, at));
    }
    return archive.finish();
}

Digest digest_of(const std::string& content) {
    x509::DigestStream digest;
    digest.add(as_bytes(content));
    return digest.finish();
}

fs::path beside(const fs::path& file, const char* what) {
    return fs::path{file.string() + "." + std::to_string(::getpid()) + what};
}

}  // namespace

Result<BackupManifest> take_backup(const fs::path& data, const fs::path& file, bool replace,
                                   const BackupProgress& progress) {
    std::error_code failed;
    if (!fs::is_regular_file(data / DataDirectory::store_name, failed)) {
        return Error{ErrorKind::not_found, "there is no data directory of rollcall at " +
                                               data.string() + "; name it with --data DIR"};
    }
    if (!replace && fs::exists(fs::symlink_status(file, failed))) {
        return Error{ErrorKind::conflict, file.string() + " exists already", "file-exists"};
    }
    const Draft copy{beside(file, ".db")};
    Draft draft{beside(file, ".part")};
    BackupManifest manifest;
    manifest.program = std::string{version};
    manifest.taken = SystemClock{}.now();
    TRY(manifest.store,
        store::take_snapshot(data / DataDirectory::store_name, copy.path(), progress));
    TRY(const auto small, read_small_parts(data));
    TRY(const auto measured, store::measure_file(copy.path()));
    manifest.parts.push_back({DataDirectory::store_name, measured.bytes, measured.sha256});
    for (const auto& part : small) {
        manifest.parts.push_back({part.name, part.content.size(), digest_of(part.content)});
    }
    TRY([[maybe_unused]] const Done written,
        write_archive(draft.path(), manifest, small, copy.path()));
    fs::rename(draft.path(), file, failed);
    if (failed) {
        return Error{ErrorKind::unavailable,
                     file.string() + ": cannot be put in place: " + failed.message()};
    }
    draft.keep();
    TRY([[maybe_unused]] const Done synced, sync_directory(file.parent_path()));
    return manifest;
}

}  // namespace rollcall::app
