// SPDX-License-Identifier: Apache-2.0
// Fuzz target: what may pass for a backup. Its members are read in every way there is, and what
// its manifest says is never a place outside of a data directory.
#include "store/archive.hpp"

#include "app/backup_manifest.hpp"
#include "base/invariant.hpp"

#include <cstdint>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

namespace rollcall {
namespace {

constexpr std::size_t text_bytes_max = 64 * 1024;

/// The input as a file that is in memory only.
class InputFile {
public:
    InputFile(const std::uint8_t* data, std::size_t size) : descriptor_(::memfd_create("in", 0)) {
        INVARIANT(descriptor_ >= 0);
        INVARIANT(::write(descriptor_, data, size) == static_cast<ssize_t>(size));
    }
    ~InputFile() { ::close(descriptor_); }
    InputFile(const InputFile&) = delete;
    InputFile& operator=(const InputFile&) = delete;
    std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

private:
    int descriptor_;
};

void check_manifest(const std::string& text) {
    const auto manifest = app::parse_manifest(text);
    if (!manifest) {
        INVARIANT(!manifest.error().detail.empty());
        return;
    }
    for (const auto& part : manifest->parts) {
        INVARIANT(app::is_part_name(part.name));
        INVARIANT(!part.name.starts_with("/") && part.name.find("..") != 0 &&
                  part.name.find("/..") == std::string::npos);
    }
    const auto again = app::parse_manifest(app::to_text(*manifest));
    INVARIANT(again && again->parts.size() == manifest->parts.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const InputFile file{data, size};
    auto reader = store::ArchiveReader::open(file.path());
    INVARIANT(reader);
    std::size_t read = 0;
    std::size_t count = 0;
    while (true) {
        const auto member = reader->next();
        if (!member || !*member) {
            return 0;
        }
        count += 1;
        INVARIANT(count * 512 <= size);
        if (count % 3 == 0) {
            continue;  // left unread
        }
        const auto text = reader->text(text_bytes_max);
        if (!text) {
            continue;
        }
        INVARIANT(text->size() == (*member)->bytes);
        read += text->size();
        INVARIANT(read <= size);
        if (count == 1) {
            check_manifest(*text);
        }
    }
}

}  // namespace rollcall
