// SPDX-License-Identifier: Apache-2.0
// Files read with a bound and written whole or not at all. Used by the command line, for the
// server's own keys and certificates, and by the data directory.
#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace rollcall {

/// The whole file; "-" is standard input. not_found, forbidden, too_large above `bytes_max`,
/// unavailable for other failures; the detail names the file.
Result<std::string> read_file(const std::filesystem::path& path, std::size_t bytes_max);

/// Makes the directories that are missing on the way to `path`, the last one with `mode`, under the
/// umask. `durable`: their names are on the disk when this returns.
Result<Done> make_directories(const std::filesystem::path& path, unsigned mode = 0777,
                              bool durable = true);

/// Brings the names in a directory to the disk: files made in it, renamed or removed.
Result<Done> sync_directory(const std::filesystem::path& directory);

enum class Secrecy {
    open,    ///< 0644 under the umask
    secret,  ///< 0600 from its first byte on
};

/// Files that appear together: each is written beside its place under a temporary name, then all
/// are renamed. Where one fails, those that replaced nothing are removed again, and no place ever
/// holds half a file.
class FileSet {
public:
    enum class Existing { refuse, replace };

    void add(std::filesystem::path path, std::string content, Secrecy secrecy);

    /// conflict ("file-exists") where a place is taken and `existing` is refuse. Missing parent
    /// directories are made. `durable`: on the disk when this returns.
    Result<Done> write(Existing existing, bool durable = true) const;

private:
    struct File {
        std::filesystem::path path;
        std::string content;
        Secrecy secrecy;
    };
    std::vector<File> files_;
};

/// A FileSet of one.
Result<Done> write_file(const std::filesystem::path& path, std::string content, Secrecy secrecy,
                        FileSet::Existing existing);

}  // namespace rollcall
