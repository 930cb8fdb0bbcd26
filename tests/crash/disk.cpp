// SPDX-License-Identifier: Apache-2.0
// A disk to be held to account, laid under a program with LD_PRELOAD. Of the files below
// ROLLCALL_DISK it keeps an image in ROLLCALL_DISK_IMAGE: what a power cut would leave, when the
// disk forgets whatever it may. Bytes and sizes get there with fsync or fdatasync of the file;
// names that were made, moved or taken away, with that of their directory. And it lets calls fail,
// or the program die before one, as told by the mapped file ROLLCALL_DISK_CONTROL.
// tests/crash/disk.py is its other side.
#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <map>
#include <mutex>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace {

enum Kind { opens, reads, writes, truncates, syncs, renames, unlinks, mkdirs, kinds };

/// Shared with the driver, which knows this layout.
struct Control {
    std::array<std::uint64_t, kinds> calls;  ///< so far, of the files that are watched
    std::uint64_t matching;                  ///< bit by Kind: which may fail
    std::uint64_t wait;                      ///< matching calls that still succeed
    std::uint64_t number;                    ///< 0: nothing fails; an errno; `death`
    std::uint64_t lasting;                   ///< from then on, not once
    std::uint64_t given;                     ///< faults so far
    std::uint64_t lying;                     ///< syncs succeed and bring nothing to the disk
    std::array<char, 32> suffix;             ///< only files with this end; empty: all
};
constexpr std::uint64_t death = 1'000;

/// One file, whatever it is called.
struct File {
    std::string object;  ///< its image; empty: a directory
    std::string path;    ///< as it was opened
    off_t dirty_from = 0;
    off_t dirty_to = 0;
    bool synced_writes = false;
};

// Never destroyed: the program still closes files while it ends.
std::recursive_mutex& mutex = *new std::recursive_mutex;
std::string& root = *new std::string;   // what is watched
std::string& image = *new std::string;  // empty: none is kept
Control* control = nullptr;
std::map<ino_t, File*>& files = *new std::map<ino_t, File*>;  // those that have a name
std::array<std::atomic<File*>, 65'536> by_number;             // the open ones; never freed
unsigned objects = 0;

template <class Function>
Function* real(const char* name) {
    return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}
#define REAL(name)                                                    \
    (*[] {                                                            \
        static auto* const libc_##name = real<decltype(name)>(#name); \
        return libc_##name;                                           \
    }())

[[noreturn]] void give_up(const char* what, const std::string& about) {
    std::fprintf(stderr, "crash disk: %s %s: %s\n", what, about.c_str(), std::strerror(errno));
    std::abort();
}

std::string absolute(const char* path) {
    if (control == nullptr) {
        return {};  // not begun, or nothing to watch: no allocation, which may be too early
    }
    if (path[0] == '/') {
        return path;
    }
    std::array<char, 4096> here{};
    return std::string{getcwd(here.data(), here.size())} + "/" + path;
}

/// "" for the watched directory itself, "/data/lock" below it, none elsewhere.
const char* below(const std::string& path) {
    if (control == nullptr || path.compare(0, root.size(), root) != 0) {
        return nullptr;
    }
    const char* rest = path.c_str() + root.size();
    return *rest == '\0' || *rest == '/' ? rest : nullptr;
}

// --- Faults ---------------------------------------------------------------------------------

/// true: this call fails, errno says how.
bool fails(Kind kind, const std::string& path) {
    const std::lock_guard lock{mutex};
    ++control->calls[kind];
    const std::string suffix{control->suffix.data()};
    const bool meant = ((control->matching >> kind) & 1U) != 0 && path.size() >= suffix.size() &&
                       path.compare(path.size() - suffix.size(), suffix.size(), suffix) == 0;
    if (control->number == 0 || !meant) {
        return false;
    }
    if (control->wait > 0) {
        --control->wait;
        return false;
    }
    ++control->given;
    if (control->number == death) {
        kill(getpid(), SIGKILL);
        pause();
    }
    errno = static_cast<int>(control->number);
    if (control->lasting == 0) {
        control->number = 0;
    }
    return true;
}

// --- The image ------------------------------------------------------------------------------

bool is_there(const std::string& path) {
    struct stat found {};
    return lstat(path.c_str(), &found) == 0;
}

/// The image of a directory; one whose own name is not durable waits apart.
std::string image_of_directory(const std::string& rest) {
    const std::string reached = image + "/tree" + rest;
    if (is_there(reached)) {
        return reached;
    }
    const std::string apart = image + "/apart" + rest;
    for (std::size_t at = image.size() + 1; at != std::string::npos;) {
        at = apart.find('/', at + 1);
        REAL(mkdir)(apart.substr(0, at).c_str(), 0700);
    }
    return apart;
}

/// A file that was just made, or was there before the program.
File* new_file(const std::string& path, const struct stat& found) {
    auto* const file = new File;
    file->path = path;
    if (!image.empty()) {
        // Named after both, so that the driver can tell which file is whose image.
        file->object =
            image + "/objects/" + std::to_string(++objects) + "." + std::to_string(found.st_ino);
        const int made =
            REAL(open)(file->object.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (made < 0) {
            give_up("cannot make", file->object);
        }
        REAL(close)(made);
    }
    files[found.st_ino] = file;
    return file;
}

/// Whether a file's name now stands where the image's directory says.
void link_name(const std::string& object, const std::string& place) {
    struct stat is {};
    struct stat should {};
    if (lstat(object.c_str(), &should) != 0) {
        give_up("lost", object);
    }
    if (lstat(place.c_str(), &is) == 0 && is.st_ino == should.st_ino) {
        return;
    }
    const std::string beside = image + "/beside";
    REAL(unlink)(beside.c_str());
    if (link(object.c_str(), beside.c_str()) != 0 ||
        REAL(rename)(beside.c_str(), place.c_str()) != 0) {
        give_up("cannot name", place);
    }
}

struct Entry {
    std::string name;
    struct stat found;
};

std::vector<Entry> entries_of(const std::string& path) {
    std::vector<Entry> entries;
    DIR* const directory = opendir(path.c_str());
    if (directory == nullptr) {
        give_up("cannot list", path);
    }
    while (const dirent* const next = readdir(directory)) {
        Entry entry{next->d_name, {}};
        const bool counts = entry.name != "." && entry.name != "..";
        if (counts && lstat((path + "/" + entry.name).c_str(), &entry.found) == 0) {
            entries.push_back(entry);
        }
    }
    closedir(directory);
    return entries;
}

/// All names of a directory become durable as they are now.
void sync_directory(const std::string& rest) {
    const std::string live = root + rest;
    const std::string kept = image_of_directory(rest);
    std::map<std::string, bool> named;
    for (const auto& [name, found] : entries_of(live)) {
        const std::string place = kept + "/" + name;
        named[name] = true;
        if (S_ISDIR(found.st_mode)) {
            const std::string apart = image + "/apart" + rest + "/" + name;
            if (!is_there(place) && REAL(rename)(apart.c_str(), place.c_str()) != 0) {
                REAL(mkdir)(place.c_str(), 0700);
            }
            chmod(place.c_str(), found.st_mode & 07777);
        } else if (S_ISREG(found.st_mode)) {
            auto at = files.find(found.st_ino);
            File* const file = at != files.end() ? at->second : new_file(place, found);
            chmod(file->object.c_str(), found.st_mode & 07777);
            link_name(file->object, place);
        }
    }
    for (const auto& [name, found] : entries_of(kept)) {
        if (!named.contains(name)) {
            const std::string place = kept + "/" + name;
            S_ISDIR(found.st_mode) ? rmdir(place.c_str()) : REAL(unlink)(place.c_str());
        }
    }
}

/// Through the descriptor itself where it can be read: closing a second one of the same file would
/// drop the locks SQLite holds on it.
ssize_t read_back(int number, void* to, std::size_t size, off_t at) {
    const ssize_t got = REAL(pread64)(number, to, size, at);
    if (got >= 0 || errno != EBADF) {
        return got;
    }
    const std::string again = "/proc/self/fd/" + std::to_string(number);
    const int reading = REAL(open)(again.c_str(), O_RDONLY | O_CLOEXEC);
    const ssize_t read = REAL(pread64)(reading, to, size, at);
    REAL(close)(reading);
    return read;
}

/// Bytes and size become durable. Killed in the midst of it, a part of them is: as on a disk.
void sync_file(int number, File& file) {
    struct stat found {};
    if (fstat(number, &found) != 0) {
        give_up("cannot look at", file.path);
    }
    const int kept = REAL(open)(file.object.c_str(), O_WRONLY | O_CLOEXEC);
    if (kept < 0) {
        give_up("lost", file.object);
    }
    std::vector<char> block(64 * 1024);
    const off_t end = std::min(file.dirty_to, found.st_size);
    for (off_t at = file.dirty_from; at < end;) {
        const auto size = std::min<std::size_t>(block.size(), static_cast<std::size_t>(end - at));
        const ssize_t got = read_back(number, block.data(), size, at);
        if (got <= 0 ||
            REAL(pwrite64)(kept, block.data(), static_cast<std::size_t>(got), at) != got) {
            give_up("cannot keep", file.path);
        }
        at += got;
    }
    if (REAL(ftruncate64)(kept, found.st_size) != 0) {
        give_up("cannot keep", file.path);
    }
    REAL(close)(kept);
    file.dirty_from = file.dirty_to = 0;
}

void touch(File& file, off_t from, off_t to) {
    const bool clean = file.dirty_from == file.dirty_to;
    file.dirty_from = clean ? from : std::min(file.dirty_from, from);
    file.dirty_to = clean ? to : std::max(file.dirty_to, to);
}

int sync_number(int number, int (*call)(int)) {
    File* const file = by_number[static_cast<std::size_t>(number)];
    if (file == nullptr) {
        return call(number);
    }
    const std::lock_guard lock{mutex};
    if (fails(syncs, file->path)) {
        file->dirty_from = file->dirty_to = 0;  // Linux: not written, and clean from now on
        return -1;
    }
    if (image.empty() || control->lying != 0) {
        return 0;  // the real disk need not work for it
    }
    file->object.empty() ? sync_directory(below(file->path)) : sync_file(number, *file);
    return 0;
}

/// After a successful write or truncation.
void changed(int number, File& file, off_t from, off_t to) {
    const std::lock_guard lock{mutex};
    touch(file, from, to);
    if (file.synced_writes && !image.empty()) {
        sync_file(number, file);
    }
}

// --- Beginning ------------------------------------------------------------------------------

/// What is there before the program starts is durable.
void take_over(const std::string& rest) {
    for (const auto& [name, found] : entries_of(root + rest)) {
        const std::string below_root = rest + "/" + name;
        const std::string path = root + below_root;
        if (S_ISDIR(found.st_mode)) {
            take_over(below_root);
        } else if (S_ISREG(found.st_mode)) {
            File* const file = new_file(path, found);
            touch(*file, 0, found.st_size);
            const int number = REAL(open)(path.c_str(), O_RDONLY | O_CLOEXEC);
            sync_file(number, *file);
            REAL(close)(number);
        }
    }
}

void take_over_names(const std::string& rest) {
    sync_directory(rest);
    for (const auto& [name, found] : entries_of(root + rest)) {
        if (S_ISDIR(found.st_mode)) {
            take_over_names(rest + "/" + name);
        }
    }
}

bool begin() {
    const char* const watched = std::getenv("ROLLCALL_DISK");
    const char* const commands = std::getenv("ROLLCALL_DISK_CONTROL");
    const char* const kept = std::getenv("ROLLCALL_DISK_IMAGE");
    if (watched == nullptr || commands == nullptr) {
        return false;
    }
    const int number = REAL(open)(commands, O_RDWR | O_CLOEXEC);
    void* const mapped =
        mmap(nullptr, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, number, 0);
    if (number < 0 || mapped == MAP_FAILED) {
        give_up("cannot map", commands);
    }
    REAL(close)(number);
    root = watched;
    control = static_cast<Control*>(mapped);
    if (kept != nullptr) {
        image = kept;
        for (const char* part : {"", "/objects", "/tree", "/apart"}) {
            REAL(mkdir)((image + part).c_str(), 0700);
        }
        take_over("");
        take_over_names("");
    }
    return true;
}
[[maybe_unused]] const bool begun = begin();  // the last: it needs what stands above

template <class Open>
int open_watched(const std::string& path, int flags, Open call) {
    if (below(path) == nullptr) {
        return call();
    }
    const std::lock_guard lock{mutex};
    if (fails(opens, path)) {
        return -1;
    }
    const bool was_there = is_there(path);
    const int number = call();
    if (number < 0 || static_cast<std::size_t>(number) >= by_number.size()) {
        return number;
    }
    struct stat found {};
    if (fstat(number, &found) != 0) {
        give_up("cannot look at", path);
    }
    File* file = nullptr;
    if (S_ISDIR(found.st_mode)) {
        file = new File;
        file->path = path;
    } else {
        const auto known = files.find(found.st_ino);
        file = was_there && known != files.end() ? known->second : new_file(path, found);
        file->path = path;
        file->synced_writes = file->synced_writes || (flags & O_DSYNC) != 0;
        if ((flags & O_TRUNC) != 0) {
            changed(number, *file, 0, 0);
        }
    }
    by_number[static_cast<std::size_t>(number)] = file;
    return number;
}

template <class Write>
ssize_t write_watched(int number, off_t at, Write call) {
    File* const file = number < 0 ? nullptr : by_number[static_cast<std::size_t>(number)].load();
    if (file == nullptr) {
        return call();
    }
    if (fails(writes, file->path)) {
        return -1;
    }
    const ssize_t written = call();
    if (written > 0) {
        const off_t from = at >= 0 ? at : lseek(number, 0, SEEK_CUR) - written;
        changed(number, *file, from, from + written);
    }
    return written;
}

template <class Read>
ssize_t read_watched(int number, Read call) {
    File* const file = number < 0 ? nullptr : by_number[static_cast<std::size_t>(number)].load();
    return file != nullptr && fails(reads, file->path) ? -1 : call();
}

template <class Truncate>
int truncate_watched(int number, off_t size, Truncate call) {
    File* const file = number < 0 ? nullptr : by_number[static_cast<std::size_t>(number)].load();
    if (file == nullptr) {
        return call();
    }
    if (fails(truncates, file->path)) {
        return -1;
    }
    struct stat before {};
    fstat(number, &before);
    const int done = call();
    if (done == 0) {
        changed(number, *file, std::min(size, before.st_size), std::max(size, before.st_size));
    }
    return done;
}

template <class Call>
int on_name(Kind kind, const char* path, Call call) {
    const std::string whole = absolute(path);
    return below(whole) != nullptr && fails(kind, whole) ? -1 : call();
}

}  // namespace

// --- What the program calls -----------------------------------------------------------------
// Which they are is seen with `nm -D` of the program, libsqlite3 and libstdc++.

#define TAKE_MODE(flags)                                                   \
    va_list rest;                                                          \
    va_start(rest, flags);                                                 \
    const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0; \
    va_end(rest)

extern "C" {

int open(const char* path, int flags, ...) {
    TAKE_MODE(flags);
    return open_watched(absolute(path), flags, [&] { return REAL(open)(path, flags, mode); });
}
int open64(const char* path, int flags, ...) {
    TAKE_MODE(flags);
    return open_watched(absolute(path), flags, [&] { return REAL(open64)(path, flags, mode); });
}
int openat(int directory, const char* path, int flags, ...) {
    TAKE_MODE(flags);
    const auto call = [&] { return REAL(openat)(directory, path, flags, mode); };
    return directory == AT_FDCWD || path[0] == '/' ? open_watched(absolute(path), flags, call)
                                                   : call();
}
FILE* fopen64(const char* path, const char* mode) {
    if (below(absolute(path)) != nullptr && std::strpbrk(mode, "wa+") != nullptr) {
        give_up("a stream is written that is not watched:", path);
    }
    return REAL(fopen64)(path, mode);
}
int close(int number) {
    if (number >= 0 && static_cast<std::size_t>(number) < by_number.size()) {
        by_number[static_cast<std::size_t>(number)] = nullptr;
    }
    return REAL(close)(number);
}

ssize_t read(int number, void* to, size_t size) {
    return read_watched(number, [&] { return REAL(read)(number, to, size); });
}
ssize_t pread(int number, void* to, size_t size, off_t at) {
    return read_watched(number, [&] { return REAL(pread)(number, to, size, at); });
}
ssize_t pread64(int number, void* to, size_t size, off64_t at) {
    return read_watched(number, [&] { return REAL(pread64)(number, to, size, at); });
}
ssize_t write(int number, const void* from, size_t size) {
    return write_watched(number, -1, [&] { return REAL(write)(number, from, size); });
}
ssize_t pwrite(int number, const void* from, size_t size, off_t at) {
    return write_watched(number, at, [&] { return REAL(pwrite)(number, from, size, at); });
}
ssize_t pwrite64(int number, const void* from, size_t size, off64_t at) {
    return write_watched(number, at, [&] { return REAL(pwrite64)(number, from, size, at); });
}
int ftruncate(int number, off_t size) noexcept {
    return truncate_watched(number, size, [&] { return REAL(ftruncate)(number, size); });
}
int ftruncate64(int number, off64_t size) noexcept {
    return truncate_watched(number, size, [&] { return REAL(ftruncate64)(number, size); });
}
int fsync(int number) {
    return sync_number(number, REAL(fsync));
}
int fdatasync(int number) {
    return sync_number(number, REAL(fdatasync));
}

int rename(const char* from, const char* to) noexcept {
    return on_name(renames, to, [&] { return REAL(rename)(from, to); });
}
int renameat2(int there, const char* from, int here, const char* to, unsigned flags) noexcept {
    return on_name(renames, to, [&] { return REAL(renameat2)(there, from, here, to, flags); });
}
int unlink(const char* path) noexcept {
    return on_name(unlinks, path, [&] { return REAL(unlink)(path); });
}
int remove(const char* path) noexcept {
    return on_name(unlinks, path, [&] { return REAL(remove)(path); });
}
int mkdir(const char* path, mode_t mode) noexcept {
    return on_name(mkdirs, path, [&] { return REAL(mkdir)(path, mode); });
}

}  // extern "C"
