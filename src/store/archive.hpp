// SPDX-License-Identifier: Apache-2.0
// Archive: several files in one, in the format of tar (POSIX ustar; sizes from 8 GiB on as GNU tar
// writes them), so that a backup can be looked into without us. Written and read in order, never
// held in memory. The reader takes regular files only and writes nothing by their names.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace rollcall::store {

/// What a copied file turned out to be.
struct CopiedFile {
    std::uint64_t bytes = 0;
    Digest sha256{};
};

/// SHA-256 and size of a file. Errors as those of read_file().
Result<CopiedFile> measure_file(const std::filesystem::path& file);

class ArchiveWriter {
public:
    /// Makes the file, 0600. conflict "file-exists" where one is there.
    static Result<ArchiveWriter> create(const std::filesystem::path& path);
    ArchiveWriter(ArchiveWriter&& other) noexcept;
    ArchiveWriter& operator=(ArchiveWriter&&) = delete;
    ~ArchiveWriter();

    /// `name`: at most 100 characters. `at`: seconds since 1970.
    Result<Done> add(std::string_view name, std::string_view content, std::int64_t at);
    /// A file that holds `bytes`; unavailable where it turns out to hold more or fewer.
    Result<Done> add_file(std::string_view name, const std::filesystem::path& file,
                          std::uint64_t bytes, std::int64_t at);
    /// Ends the archive and brings it to the disk.
    Result<Done> finish();

private:
    ArchiveWriter(std::filesystem::path path, int descriptor)
        : path_(std::move(path)), descriptor_(descriptor) {}
    Result<Done> write(std::string_view bytes);
    Result<Done> begin(std::string_view name, std::uint64_t bytes, std::int64_t at);
    Result<Done> pad(std::uint64_t bytes);

    std::filesystem::path path_;
    int descriptor_;
};

class ArchiveReader {
public:
    struct Member {
        std::string name;
        std::uint64_t bytes = 0;
    };
    static Result<ArchiveReader> open(const std::filesystem::path& path);
    ArchiveReader(ArchiveReader&& other) noexcept;
    ArchiveReader& operator=(ArchiveReader&&) = delete;
    ~ArchiveReader();

    /// The next member; none behind the last. What of the one before was not read is skipped.
    /// malformed "no-archive" for what is no archive of regular files, "archive-truncated" where it
    /// ends too early, "archive-damaged" for what stands behind its end.
    Result<std::optional<Member>> next();
    /// The member as text; too_large beyond `bytes_max`.
    Result<std::string> text(std::size_t bytes_max);
    /// The member into a new file, 0600, which is on the disk when this returns.
    Result<CopiedFile> copy_to(const std::filesystem::path& file);

private:
    ArchiveReader(std::filesystem::path path, int descriptor)
        : path_(std::move(path)), descriptor_(descriptor) {}
    Result<std::size_t> read(char* into, std::size_t bytes);
    Result<Done> read_whole(char* into, std::size_t bytes);
    Result<Done> each_block(const std::function<Result<Done>(std::string_view)>& take);
    Result<Done> end();
    Error refused(const std::string& what, const std::string& reason) const;

    std::filesystem::path path_;
    int descriptor_;
    std::uint64_t left_ = 0;     ///< of the member, unread
    std::uint64_t padding_ = 0;  ///< behind it
};

}  // namespace rollcall::store
