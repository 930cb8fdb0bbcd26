// SPDX-License-Identifier: Apache-2.0
#include "store/data_directory.hpp"

#include "base/files.hpp"
#include "base/telemetry.hpp"
#include "x509/digest.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace rollcall::store {
namespace {

constexpr auto store_name = DataDirectory::store_name;
constexpr auto secret_name = DataDirectory::secret_name;
/// What may stand in a directory of ours; one of them makes it ours.
constexpr std::array our_names{"lock",          secret_name,   store_name,
                               "rollcall.toml", "admin-token", "tls"};
/// What an empty file system of its own holds.
constexpr const char* nobodys_name = "lost+found";

Error refused(const std::filesystem::path& path, const std::string& what, int code) {
    const bool forbidden = code == EACCES || code == EPERM || code == EROFS;
    return {forbidden ? ErrorKind::forbidden : ErrorKind::unavailable,
            "cannot " + what + " " + path.string() + ": " + std::strerror(code)};
}

Result<Done> make_directory(const std::filesystem::path& path) {
    std::error_code failed;
    if (std::filesystem::exists(path, failed) && !std::filesystem::is_directory(path, failed)) {
        return Error{ErrorKind::conflict, path.string() + " is not a directory", "not-a-directory"};
    }
    auto made = make_directories(path, 0700);
    if (!made) {
        Error error = std::move(made.error());
        error.detail = "cannot make the data directory " + path.string() + ": " + error.detail;
        return error;
    }
    return Done{};
}

/// Half of a backup is no data directory.
Result<Done> check_restored(const std::filesystem::path& path) {
    std::error_code failed;
    const auto unfinished = path / DataDirectory::restoring_name;
    if (std::filesystem::exists(std::filesystem::symlink_status(unfinished, failed))) {
        return Error{ErrorKind::conflict,
                     "a restore did not come to its end in " + path.string() +
                         ": empty the directory and restore again",
                     "restore-unfinished"};
    }
    return Done{};
}

/// A directory that was made for something else must not be taken over, nor its mode changed.
Result<Done> check_ours(const std::filesystem::path& path) {
    std::error_code failed;
    const std::filesystem::directory_iterator entries{path, failed};
    if (failed) {
        return refused(path, "read", failed.value());
    }
    const bool empty = std::all_of(begin(entries), end(entries), [](const auto& entry) {
        return entry.path().filename() == nobodys_name;
    });
    const bool ours = std::any_of(our_names.begin(), our_names.end(), [&](const char* name) {
        return std::filesystem::exists(std::filesystem::symlink_status(path / name, failed));
    });
    if (!empty && !ours) {
        return Error{ErrorKind::conflict,
                     path.string() +
                         " holds other files and is no data directory of rollcall: "
                         "choose an empty or a new one",
                     "not-a-data-directory"};
    }
    return Done{};
}

/// Nobody but the owner may look in.
Result<Done> tighten(const std::filesystem::path& path, mode_t mode) {
    struct stat found {};
    if (stat(path.c_str(), &found) != 0) {
        return refused(path, "look at", errno);
    }
    if (found.st_uid != geteuid()) {
        return Error{ErrorKind::forbidden, path.string() + " belongs to another user",
                     "not-our-directory"};
    }
    if ((found.st_mode & 0077) == 0) {
        return Done{};
    }
    if (chmod(path.c_str(), mode) != 0) {
        return refused(path, "tighten the mode of", errno);
    }
    log_event(Severity::warning, "mode-tightened",
              {{"path", path.string()}, {"why", "others could read what is secret"}});
    return Done{};
}

std::string holder_of(int lock) {
    char text[32]{};
    const auto got = pread(lock, text, sizeof text - 1, 0);
    std::string number{text, got > 0 ? static_cast<std::size_t>(got) : 0};
    while (!number.empty() && number.back() == '\n') {
        number.pop_back();
    }
    return number;
}

Result<int> take_lock(const std::filesystem::path& directory) {
    const auto path = directory / "lock";
    const int lock = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0) {
        return refused(path, "open", errno);
    }
    if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        const int code = errno;
        const std::string holder = holder_of(lock);
        ::close(lock);
        if (code != EWOULDBLOCK) {
            return refused(path, "lock", code);
        }
        return Error{ErrorKind::conflict,
                     "the data directory " + directory.string() + " is in use by process " +
                         (holder.empty() ? "(unknown)" : holder) +
                         "; stop that one, or choose another with --data",
                     "directory-in-use"};
    }
    const std::string number = std::to_string(getpid()) + "\n";
    if (ftruncate(lock, 0) != 0 ||
        pwrite(lock, number.data(), number.size(), 0) != static_cast<ssize_t>(number.size())) {
        const int code = errno;
        ::close(lock);
        return refused(path, "write to", code);
    }
    return lock;
}

Result<Digest> keep_secret(const std::filesystem::path& directory, Entropy& entropy) {
    const auto path = directory / secret_name;
    Digest secret;
    std::error_code failed;
    if (!std::filesystem::exists(path, failed)) {
        if (std::filesystem::exists(directory / store_name, failed)) {
            return Error{ErrorKind::conflict,
                         path.string() +
                             " is missing beside a store that was sealed with it: "
                             "put it back from the backup",
                         "secret-missing"};
        }
        entropy.fill(secret.bytes);
        TRY([[maybe_unused]] const Done written,
            write_file(path, std::string{as_text(secret.bytes)}, Secrecy::secret,
                       FileSet::Existing::refuse));
        return secret;
    }
    TRY([[maybe_unused]] const Done tight, tighten(path, 0600));
    TRY(const std::string content, read_file(path, 64));
    if (content.size() != secret.bytes.size()) {
        return Error{ErrorKind::unavailable,
                     path.string() +
                         " is damaged: it should hold 32 bytes; restore it from a "
                         "backup, the audit trail is signed with it"};
    }
    std::copy(content.begin(), content.end(), secret.bytes.begin());
    return secret;
}

}  // namespace

Result<DataDirectory> DataDirectory::open(const std::filesystem::path& path, Entropy& entropy) {
    TRY([[maybe_unused]] const Done made, make_directory(path));
    TRY([[maybe_unused]] const Done restored, check_restored(path));
    TRY([[maybe_unused]] const Done ours, check_ours(path));
    TRY([[maybe_unused]] const Done tight, tighten(path, 0700));
    TRY(const int lock, take_lock(path));
    DataDirectory directory{path, lock};
    TRY(directory.secret_, keep_secret(path, entropy));
    return directory;
}

DataDirectory::DataDirectory(DataDirectory&& other) noexcept
    : path_(std::move(other.path_)),
      lock_(std::exchange(other.lock_, -1)),
      secret_(other.secret_) {}

DataDirectory::~DataDirectory() {
    if (lock_ >= 0) {
        ::close(lock_);  // the file stays: removing it would let two processes lock two files
    }
}

Digest DataDirectory::derived_key(std::string_view purpose) const {
    return x509::hmac_sha256(secret_.bytes, as_bytes(purpose));
}

}  // namespace rollcall::store
