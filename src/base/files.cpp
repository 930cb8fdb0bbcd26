// SPDX-License-Identifier: Apache-2.0
#include "base/files.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace rollcall {
namespace {

namespace fs = std::filesystem;

/// Names tried for a temporary file; others may be left from a process that was killed.
constexpr int temporary_names_max = 100;

/// A file descriptor that closes itself.
class Descriptor {
public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor() { close(); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    int number() const { return number_; }
    bool open() const { return number_ >= 0; }
    int close() {
        const int closed = number_ > STDERR_FILENO ? ::close(number_) : 0;
        number_ = -1;
        return closed;
    }

private:
    int number_;
};

Error failed(const fs::path& path, const char* what, int number) {
    ErrorKind kind = ErrorKind::unavailable;
    if (number == ENOENT || number == ENOTDIR) {
        kind = ErrorKind::not_found;
    } else if (number == EACCES || number == EPERM || number == EROFS) {
        kind = ErrorKind::forbidden;
    }
    return Error{kind, path.string() + ": " + what + ": " + std::strerror(number)};
}

Error taken(const fs::path& path) {
    return Error{ErrorKind::conflict, path.string() + " exists already", "file-exists"};
}

Result<Done> write_all(int descriptor, const std::string& content, const fs::path& path) {
    std::size_t done = 0;
    while (done < content.size()) {
        const ssize_t count = ::write(descriptor, content.data() + done, content.size() - done);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return failed(path, "cannot be written", errno);
        }
        done += static_cast<std::size_t>(count);
    }
    return Done{};
}

/// Unlinks the temporary files that were not renamed, and on failure the new ones that were.
class Undo {
public:
    Undo() = default;
    ~Undo() {
        for (const auto& path : paths_) {
            ::unlink(path.c_str());
        }
    }
    Undo(const Undo&) = delete;
    Undo& operator=(const Undo&) = delete;

    void add(const fs::path& path) { paths_.push_back(path); }
    void forget(const fs::path& path) { std::erase(paths_, path); }
    void forget_all() { paths_.clear(); }

private:
    std::vector<fs::path> paths_;
};

Result<fs::path> write_temporary(const fs::path& place, const std::string& content, Secrecy secrecy,
                                 bool durable, Undo& undo) {
    // Made with its mode: a secret is never open for a moment, and the umask is the kernel's work.
    const mode_t mode = secrecy == Secrecy::secret ? 0600 : 0644;
    fs::path temporary;
    int number = -1;
    for (int attempt = 0; number < 0 && attempt < temporary_names_max; ++attempt) {
        std::string name = place.string();
        name.append(".").append(std::to_string(::getpid()));
        name.append("-").append(std::to_string(attempt)).append(".tmp");
        temporary = name;
        number = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (number < 0 && errno != EEXIST) {
            break;
        }
    }
    Descriptor file{number};
    if (!file.open()) {
        return failed(place, "cannot be made", errno);
    }
    undo.add(temporary);
    TRY([[maybe_unused]] const auto whole, write_all(file.number(), content, place));
    if (durable && ::fsync(file.number()) != 0) {
        return failed(place, "cannot be brought to the disk", errno);
    }
    if (file.close() != 0) {
        return failed(place, "cannot be written", errno);
    }
    return temporary;
}

Result<Done> put_in_place(const fs::path& temporary, const fs::path& place,
                          FileSet::Existing existing) {
    if (existing == FileSet::Existing::replace) {
        return ::rename(temporary.c_str(), place.c_str()) == 0
                   ? Result<Done>{Done{}}
                   : failed(place, "cannot be put in place", errno);
    }
    if (::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, place.c_str(), RENAME_NOREPLACE) == 0) {
        return Done{};
    }
    if (errno == EEXIST) {
        return taken(place);
    }
    if (errno != EINVAL && errno != ENOSYS) {
        return failed(place, "cannot be put in place", errno);
    }
    // A file system without that kind of rename (some network ones): two steps must do.
    if (fs::exists(place)) {
        return taken(place);
    }
    return put_in_place(temporary, place, FileSet::Existing::replace);
}

fs::path directory_of(const fs::path& place) {
    return place.parent_path().empty() ? fs::path{"."} : place.parent_path();
}

Result<Done> prepare_place(const fs::path& place, FileSet::Existing existing, bool durable) {
    std::error_code error;
    if (existing == FileSet::Existing::refuse && fs::exists(fs::symlink_status(place, error))) {
        return taken(place);
    }
    return make_directories(directory_of(place), 0777, durable);
}

}  // namespace

Result<Done> make_directories(const fs::path& path, unsigned mode, bool durable) {
    std::error_code error;
    if (fs::is_directory(path, error)) {
        return Done{};
    }
    if (!path.has_filename()) {  // "a/b/" is made as "a/b"
        return make_directories(path.parent_path(), mode, durable);
    }
    const fs::path parent = directory_of(path);
    TRY([[maybe_unused]] const auto above, make_directories(parent, 0777, durable));
    if (::mkdir(path.c_str(), mode) != 0 && (errno != EEXIST || !fs::is_directory(path, error))) {
        return failed(path, "cannot be made", errno);
    }
    if (!durable) {
        return Done{};
    }
    auto synced = sync_directory(parent);
    // One may make names in a directory that one may not read.
    const bool hidden = !synced && synced.error().kind == ErrorKind::forbidden;
    return hidden ? Result<Done>{Done{}} : synced;
}

Result<Done> sync_directory(const fs::path& directory) {
    const fs::path path = directory.empty() ? fs::path{"."} : directory;
    const Descriptor opened{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!opened.open() || ::fsync(opened.number()) != 0) {
        return failed(path, "cannot be brought to the disk", errno);
    }
    return Done{};
}

Result<std::string> read_file(const fs::path& path, std::size_t bytes_max) {
    const bool standard_input = path == "-";
    const Descriptor file{standard_input ? STDIN_FILENO
                                         : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!file.open()) {
        return failed(path, "cannot be read", errno);
    }
    std::string content;
    std::array<char, 16 * 1024> block{};
    for (;;) {
        const ssize_t count = ::read(file.number(), block.data(), block.size());
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return failed(path, "cannot be read", errno);
        }
        if (count == 0) {
            return content;
        }
        if (content.size() + static_cast<std::size_t>(count) > bytes_max) {
            return Error{ErrorKind::too_large,
                         path.string() + ": larger than " + std::to_string(bytes_max) + " bytes"};
        }
        content.append(block.data(), static_cast<std::size_t>(count));
    }
}

void FileSet::add(fs::path path, std::string content, Secrecy secrecy) {
    files_.push_back(File{std::move(path), std::move(content), secrecy});
}

Result<Done> FileSet::write(Existing existing, bool durable) const {
    for (const auto& file : files_) {
        TRY([[maybe_unused]] const auto prepared, prepare_place(file.path, existing, durable));
    }
    Undo undo;
    std::vector<fs::path> temporaries;
    for (const auto& file : files_) {
        TRY(auto temporary, write_temporary(file.path, file.content, file.secrecy, durable, undo));
        temporaries.push_back(std::move(temporary));
    }
    for (std::size_t i = 0; i < files_.size(); ++i) {
        TRY([[maybe_unused]] const auto placed,
            put_in_place(temporaries[i], files_[i].path, existing));
        undo.forget(temporaries[i]);
        if (existing == Existing::refuse) {
            undo.add(files_[i].path);
        }
    }
    if (durable) {
        for (const auto& file : files_) {
            TRY([[maybe_unused]] const auto synced, sync_directory(directory_of(file.path)));
        }
    }
    undo.forget_all();
    return Done{};
}

Result<Done> write_file(const fs::path& path, std::string content, Secrecy secrecy,
                        FileSet::Existing existing) {
    FileSet files;
    files.add(path, std::move(content), secrecy);
    return files.write(existing);
}

}  // namespace rollcall
