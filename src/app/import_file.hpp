// SPDX-License-Identifier: Apache-2.0
// ImportFile: what a tool exported, a JSON list of objects or one object, read entry by entry: a
// list of any length is never held whole.
#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include <boost/json/object.hpp>

namespace rollcall::app {

namespace json = boost::json;

class ImportFile {
public:
    struct Entry {
        json::object object;
        std::size_t number = 0;  ///< from 1 on
        std::size_t line = 0;    ///< where it begins
    };

    /// not_found, forbidden where it cannot be read.
    static Result<ImportFile> open(const std::filesystem::path& path);

    /// The next one; none behind the last. malformed, with the file, line and entry: what is no
    /// JSON, "import-truncated" where it was cut short; too_large: an entry beyond
    /// limits::import_entry_bytes_max, more than limits::import_entries_max of them. After an
    /// error it is not to be asked again.
    Result<std::optional<Entry>> next();

    /// One object that stands alone; known after the first next().
    bool is_single() const { return single_; }

    Error refused(const std::string& what, const std::string& reason = "malformed-import") const;

private:
    enum class State { begin, list, single, end };

    ImportFile(std::filesystem::path path, std::ifstream in)
        : path_(std::move(path)), in_(std::move(in)) {}

    int peek();
    int take();
    void skip_blanks();
    Result<Done> begin();
    /// The text of an object, whose first brace is next.
    Result<std::string> object_text();
    Result<Entry> entry();
    Result<std::optional<Entry>> end();
    Error truncated() const;

    std::filesystem::path path_;
    std::ifstream in_;
    State state_ = State::begin;
    bool single_ = false;
    std::size_t line_ = 1;
    std::size_t entries_ = 0;
};

}  // namespace rollcall::app
