// SPDX-License-Identifier: Apache-2.0
#include "store/archive.hpp"

#include "x509/digest_stream.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace rollcall::store {
namespace {

constexpr std::size_t block_bytes = 512;
constexpr std::size_t copied_bytes = 256 * 1024;

/// The fields of a header we know (IEEE 1003.1, pax, "ustar Interchange Format").
struct Field {
    std::size_t at;
    std::size_t size;
};
constexpr Field name_field{0, 100};
constexpr Field mode_field{100, 8};
constexpr Field owner_field{108, 8};
constexpr Field group_field{116, 8};
constexpr Field size_field{124, 12};
constexpr Field time_field{136, 12};
constexpr Field checksum_field{148, 8};
constexpr Field type_field{156, 1};
constexpr Field magic_field{257, 8};
constexpr std::string_view magic{"ustar\00000", 8};
constexpr char regular_file = '0';
/// Sizes beyond eleven octal digits are eleven bytes behind this one.
constexpr auto binary_mark = static_cast<char>(0x80);
constexpr std::uint64_t octal_end = std::uint64_t{1} << 33;

using Header = std::array<char, block_bytes>;

Error failed(const std::filesystem::path& path, const char* what, int number) {
    ErrorKind kind = ErrorKind::unavailable;
    if (number == ENOENT || number == ENOTDIR) {
        kind = ErrorKind::not_found;
    } else if (number == EACCES || number == EPERM || number == EROFS) {
        kind = ErrorKind::forbidden;
    }
    return {kind, path.string() + ": " + what + ": " + std::strerror(number)};
}

void put(Header& header, Field field, std::string_view text) {
    std::copy_n(text.begin(), std::min(text.size(), field.size), header.begin() + field.at);
}

/// Octal digits with a zero byte behind them.
void put_number(Header& header, Field field, std::uint64_t number) {
    std::string digits(field.size - 1, '0');
    for (auto place = digits.rbegin(); place != digits.rend(); ++place) {
        *place = static_cast<char>('0' + (number & 7));
        number >>= 3;
    }
    put(header, field, digits);
}

void put_size(Header& header, std::uint64_t bytes) {
    if (bytes < octal_end) {
        put_number(header, size_field, bytes);
        return;
    }
    header[size_field.at] = binary_mark;
    for (std::size_t i = size_field.size - 1; i > 0; --i) {
        header[size_field.at + i] = static_cast<char>(bytes & 0xff);
        bytes >>= 8;
    }
}

/// The sum of all bytes, those of the sum itself taken as blanks.
std::uint64_t checksum(Header header) {
    std::fill_n(header.begin() + checksum_field.at, checksum_field.size, ' ');
    std::uint64_t sum = 0;
    for (const char c : header) {
        sum += static_cast<unsigned char>(c);
    }
    return sum;
}

std::optional<std::uint64_t> number_in(const Header& header, Field field) {
    const char* const text = header.data() + field.at;
    std::uint64_t number = 0;
    if (field.size == size_field.size && text[0] == binary_mark) {
        for (std::size_t i = 1; i < field.size; ++i) {
            if (number >> 55 != 0) {
                return std::nullopt;
            }
            number = number << 8 | static_cast<unsigned char>(text[i]);
        }
        return number;
    }
    std::size_t digits = 0;
    for (std::size_t i = 0; i < field.size && text[i] != '\0' && text[i] != ' '; ++i, ++digits) {
        if (text[i] < '0' || text[i] > '7') {
            return std::nullopt;
        }
        number = number << 3 | static_cast<std::uint64_t>(text[i] - '0');
    }
    return digits == 0 ? std::nullopt : std::optional{number};
}

std::uint64_t padding_of(std::uint64_t bytes) {
    return (block_bytes - bytes % block_bytes) % block_bytes;
}

/// Reads up to `bytes`; fewer only at the end of the file.
Result<std::size_t> read_some(int descriptor, const std::filesystem::path& path, char* into,
                              std::size_t bytes) {
    std::size_t done = 0;
    while (done < bytes) {
        const ssize_t count = ::read(descriptor, into + done, bytes - done);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return failed(path, "cannot be read", errno);
        }
        if (count == 0) {
            break;
        }
        done += static_cast<std::size_t>(count);
    }
    return done;
}

Result<Done> write_all(int descriptor, const std::filesystem::path& path, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return failed(path, "cannot be written", errno);
        }
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return Done{};
}

/// A file descriptor that closes itself.
struct Opened {
    int number;
    explicit Opened(int opened) : number(opened) {}
    ~Opened() {
        if (number >= 0) {
            ::close(number);
        }
    }
    Opened(const Opened&) = delete;
    Opened& operator=(const Opened&) = delete;
};

/// Calls `take` with the file piece by piece.
Result<Done> each_piece(const std::filesystem::path& file,
                        const std::function<Result<Done>(std::string_view)>& take) {
    const Opened opened{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
    if (opened.number < 0) {
        return failed(file, "cannot be read", errno);
    }
    std::string piece(copied_bytes, '\0');
    while (true) {
        TRY(const std::size_t count, read_some(opened.number, file, piece.data(), piece.size()));
        if (count == 0) {
            return Done{};
        }
        TRY([[maybe_unused]] const Done taken, take({piece.data(), count}));
    }
}

}  // namespace

Result<CopiedFile> measure_file(const std::filesystem::path& file) {
    x509::DigestStream digest;
    CopiedFile measured;
    TRY([[maybe_unused]] const Done read,
        each_piece(file, [&](std::string_view piece) -> Result<Done> {
            digest.add(as_bytes(piece));
            measured.bytes += piece.size();
            return Done{};
        }));
    measured.sha256 = digest.finish();
    return measured;
}

// --- Writing --------------------------------------------------------------------------------

Result<ArchiveWriter> ArchiveWriter::create(const std::filesystem::path& path) {
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0 && errno == EEXIST) {
        return Error{ErrorKind::conflict, path.string() + " exists already", "file-exists"};
    }
    if (descriptor < 0) {
        return failed(path, "cannot be made", errno);
    }
    return ArchiveWriter{path, descriptor};
}

ArchiveWriter::ArchiveWriter(ArchiveWriter&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

ArchiveWriter::~ArchiveWriter() {
    if (descriptor_ >= 0) {
        ::close(descriptor_);
    }
}

Result<Done> ArchiveWriter::write(std::string_view bytes) {
    return write_all(descriptor_, path_, bytes);
}

Result<Done> ArchiveWriter::begin(std::string_view name, std::uint64_t bytes, std::int64_t at) {
    INVARIANT(!name.empty() && name.size() <= name_field.size);
    Header header{};
    put(header, name_field, name);
    put_number(header, mode_field, 0600);
    put_number(header, owner_field, 0);
    put_number(header, group_field, 0);
    put_size(header, bytes);
    put_number(header, time_field, static_cast<std::uint64_t>(std::max<std::int64_t>(at, 0)));
    header[type_field.at] = regular_file;
    put(header, magic_field, magic);
    put_number(header, {checksum_field.at, checksum_field.size - 1}, checksum(header));
    header[checksum_field.at + checksum_field.size - 1] = ' ';
    return write({header.data(), header.size()});
}

Result<Done> ArchiveWriter::pad(std::uint64_t bytes) {
    return write(std::string(padding_of(bytes), '\0'));
}

Result<Done> ArchiveWriter::add(std::string_view name, std::string_view content, std::int64_t at) {
    TRY([[maybe_unused]] const Done begun, begin(name, content.size(), at));
    TRY([[maybe_unused]] const Done written, write(content));
    return pad(content.size());
}

Result<Done> ArchiveWriter::add_file(std::string_view name, const std::filesystem::path& file,
                                     std::uint64_t bytes, std::int64_t at) {
    TRY([[maybe_unused]] const Done begun, begin(name, bytes, at));
    std::uint64_t copied = 0;
    TRY([[maybe_unused]] const Done read,
        each_piece(file, [&](std::string_view piece) -> Result<Done> {
            copied += piece.size();
            return write(piece);
        }));
    if (copied != bytes) {
        return Error{ErrorKind::unavailable, file.string() + " changed while it was copied"};
    }
    return pad(bytes);
}

Result<Done> ArchiveWriter::finish() {
    TRY([[maybe_unused]] const Done ended, write(std::string(2 * block_bytes, '\0')));
    if (::fsync(descriptor_) != 0) {
        return failed(path_, "cannot be brought to the disk", errno);
    }
    if (::close(std::exchange(descriptor_, -1)) != 0) {
        return failed(path_, "cannot be written", errno);
    }
    return Done{};
}

// --- Reading --------------------------------------------------------------------------------

Result<ArchiveReader> ArchiveReader::open(const std::filesystem::path& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return failed(path, "cannot be read", errno);
    }
    return ArchiveReader{path, descriptor};
}

ArchiveReader::ArchiveReader(ArchiveReader&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      left_(other.left_),
      padding_(other.padding_) {}

ArchiveReader::~ArchiveReader() {
    if (descriptor_ >= 0) {
        ::close(descriptor_);
    }
}

Error ArchiveReader::refused(const std::string& what, const std::string& reason) const {
    return {ErrorKind::malformed, path_.string() + " " + what, reason};
}

Result<std::size_t> ArchiveReader::read(char* into, std::size_t bytes) {
    return read_some(descriptor_, path_, into, bytes);
}

Result<Done> ArchiveReader::read_whole(char* into, std::size_t bytes) {
    TRY(const std::size_t count, read(into, bytes));
    return count == bytes ? Result<Done>{Done{}}
                          : refused("ends too early: it was cut short", "archive-truncated");
}

Result<Done> ArchiveReader::each_block(const std::function<Result<Done>(std::string_view)>& take) {
    std::string piece(copied_bytes, '\0');
    while (left_ > 0) {
        const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left_, piece.size()));
        TRY([[maybe_unused]] const Done read, read_whole(piece.data(), count));
        left_ -= count;
        TRY([[maybe_unused]] const Done taken, take({piece.data(), count}));
    }
    std::array<char, block_bytes> padding{};
    const auto count = static_cast<std::size_t>(std::exchange(padding_, 0));
    return read_whole(padding.data(), count);
}

Result<std::optional<ArchiveReader::Member>> ArchiveReader::next() {
    TRY([[maybe_unused]] const Done skipped,
        each_block([](std::string_view) -> Result<Done> { return Done{}; }));
    Header header{};
    TRY([[maybe_unused]] const Done read, read_whole(header.data(), header.size()));
    if (std::all_of(header.begin(), header.end(), [](char c) { return c == '\0'; })) {
        TRY([[maybe_unused]] const Done ended, end());
        return std::optional<Member>{};
    }
    const std::string_view text{header.data(), header.size()};
    const auto sum = number_in(header, checksum_field);
    const auto bytes = number_in(header, size_field);
    const std::string_view name = text.substr(name_field.at, name_field.size);
    const bool known = text.substr(magic_field.at, 5) == magic.substr(0, 5) && sum && bytes &&
                       *sum == checksum(header) && header[type_field.at] == regular_file;
    if (!known) {
        return refused("is no backup of rollcall, or it is damaged", "no-archive");
    }
    left_ = *bytes;
    padding_ = padding_of(*bytes);
    return std::optional{Member{std::string{name.substr(0, name.find('\0'))}, *bytes}};
}

/// Behind the first block of zeros: another one at least, and nothing but zeros (tar pads its
/// files).
Result<Done> ArchiveReader::end() {
    Header block{};
    TRY([[maybe_unused]] const Done second, read_whole(block.data(), block.size()));
    for (std::size_t count = block.size(); count > 0;) {
        if (std::any_of(block.begin(), block.begin() + count, [](char c) { return c != '\0'; })) {
            return refused("goes on behind its end: it is damaged", "archive-damaged");
        }
        TRY(count, read(block.data(), block.size()));
    }
    return Done{};
}

Result<std::string> ArchiveReader::text(std::size_t bytes_max) {
    if (left_ > bytes_max) {
        return Error{ErrorKind::too_large, path_.string() + ": a part is larger than " +
                                               std::to_string(bytes_max) + " bytes"};
    }
    std::string content;
    TRY([[maybe_unused]] const Done read, each_block([&](std::string_view piece) -> Result<Done> {
            content += piece;
            return Done{};
        }));
    return content;
}

Result<CopiedFile> ArchiveReader::copy_to(const std::filesystem::path& file) {
    const Opened out{::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
    if (out.number < 0) {
        return failed(file, "cannot be made", errno);
    }
    x509::DigestStream digest;
    CopiedFile copied;
    TRY([[maybe_unused]] const Done read, each_block([&](std::string_view piece) -> Result<Done> {
            digest.add(as_bytes(piece));
            copied.bytes += piece.size();
            return write_all(out.number, file, piece);
        }));
    if (::fsync(out.number) != 0) {
        return failed(file, "cannot be brought to the disk", errno);
    }
    copied.sha256 = digest.finish();
    return copied;
}

}  // namespace rollcall::store
