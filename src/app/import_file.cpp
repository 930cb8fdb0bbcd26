// SPDX-License-Identifier: Apache-2.0
#include "app/import_file.hpp"

#include "base/limits.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <boost/json/parse.hpp>

namespace rollcall::app {
namespace {

constexpr int end_of_file = std::char_traits<char>::eof();

bool is_blank(int c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

}  // namespace

Result<ImportFile> ImportFile::open(const std::filesystem::path& path) {
    std::error_code failed;
    if (std::filesystem::is_directory(path, failed)) {
        return Error{ErrorKind::malformed, path.string() + " is a directory, not an export"};
    }
    errno = 0;
    std::ifstream in{path, std::ios::binary};
    if (!in) {
        const auto kind = errno == EACCES ? ErrorKind::forbidden : ErrorKind::not_found;
        return Error{kind, path.string() + ": cannot be read: " + std::strerror(errno)};
    }
    return ImportFile{path, std::move(in)};
}

Error ImportFile::refused(const std::string& what, const std::string& reason) const {
    std::string place = path_.string() + " line " + std::to_string(line_);
    if (entries_ > 0 && state_ == State::list) {
        place += " (entry " + std::to_string(entries_) + ")";
    }
    return {ErrorKind::malformed, place + ": " + what, reason};
}

Error ImportFile::truncated() const {
    return refused(
        "the file ends too early: it was cut short, or the export did not come to its "
        "end",
        "import-truncated");
}

int ImportFile::peek() {
    return in_.rdbuf()->sgetc();
}

int ImportFile::take() {
    const int c = in_.rdbuf()->sbumpc();
    line_ += c == '\n' ? 1 : 0;
    return c;
}

void ImportFile::skip_blanks() {
    while (is_blank(peek())) {
        take();
    }
}

Result<Done> ImportFile::begin() {
    if (peek() == 0xEF) {  // a byte order mark in UTF-8, as Windows' tools put it
        constexpr std::array<int, 3> mark{0xEF, 0xBB, 0xBF};
        for (const int byte : mark) {
            if (take() != byte) {
                return refused("this is no JSON");
            }
        }
    }
    const int first = peek();
    if (first == 0xFF || first == 0xFE || first == 0) {
        return refused(
            "the file is UTF-16, as Windows PowerShell writes it: convert it to UTF-8 "
            "(iconv -f UTF-16 -t UTF-8), or export with cmd or a newer PowerShell");
    }
    skip_blanks();
    if (peek() == end_of_file) {
        return refused("the file is empty");
    }
    if (peek() == '[') {
        take();
        state_ = State::list;
        return Done{};
    }
    if (peek() == '{') {
        state_ = State::single;
        single_ = true;
        return Done{};
    }
    return refused("this is no JSON: export with the tool's own output format (az … -o json)");
}

Result<std::optional<ImportFile::Entry>> ImportFile::next() {
    if (state_ == State::begin) {
        TRY([[maybe_unused]] const Done begun, begin());
        if (state_ == State::single) {
            TRY(auto only, entry());
            state_ = State::end;
            return std::optional{std::move(only)};
        }
    }
    if (state_ == State::end) {
        return end();
    }
    skip_blanks();
    if (peek() == ']') {
        take();
        state_ = State::end;
        return end();
    }
    if (entries_ > 0) {
        if (peek() == end_of_file) {
            return truncated();
        }
        if (take() != ',') {
            return refused("a comma or the end of the list is due behind this entry");
        }
        skip_blanks();
    }
    if (entries_ == limits::import_entries_max) {
        return Error{ErrorKind::too_large,
                     path_.string() + " has more than " +
                         std::to_string(limits::import_entries_max) + " entries: split it",
                     "import-too-large"};
    }
    TRY(auto one, entry());
    return std::optional{std::move(one)};
}

Result<ImportFile::Entry> ImportFile::entry() {
    entries_ += 1;
    Entry entry{{}, entries_, line_};
    if (peek() == end_of_file) {
        return truncated();
    }
    if (peek() != '{') {
        return refused("an entry is an object, and something else stands here");
    }
    TRY(const std::string text, object_text());
    json::parse_options options;
    options.max_depth = limits::json_depth_max;
    boost::system::error_code failed;
    json::value value = json::parse(text, failed, {}, options);
    if (failed || !value.is_object()) {
        return refused("this entry is no JSON: " + failed.message());
    }
    entry.object = std::move(value.get_object());
    return entry;
}

Result<std::string> ImportFile::object_text() {
    std::string text;
    std::size_t depth = 0;
    bool quoted = false;
    bool escaped = false;
    while (true) {
        const int c = take();
        if (c == end_of_file) {
            return truncated();
        }
        if (text.size() == limits::import_entry_bytes_max) {
            return Error{ErrorKind::too_large,
                         refused("this entry has more than " +
                                 std::to_string(limits::import_entry_bytes_max) + " bytes")
                             .detail,
                         "import-too-large"};
        }
        text.push_back(static_cast<char>(c));
        if (quoted) {
            quoted = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        quoted = c == '"';
        depth += c == '{' || c == '[' ? 1 : 0;
        if (c == '}' || c == ']') {
            depth -= 1;
            if (depth == 0) {
                return text;
            }
        }
    }
}

Result<std::optional<ImportFile::Entry>> ImportFile::end() {
    skip_blanks();
    if (peek() != end_of_file) {
        return refused("something stands behind the end of the JSON");
    }
    if (in_.bad()) {
        return Error{ErrorKind::unavailable, path_.string() + ": cannot be read to its end"};
    }
    return std::optional<Entry>{};
}

}  // namespace rollcall::app
