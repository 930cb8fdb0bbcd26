// SPDX-License-Identifier: Apache-2.0
// How records and lists look: aligned tables and records for people, indented JSON for programs.
// Texts that strangers chose (subjects, user agents) cannot move the cursor or forge a line.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

namespace rollcall::app {

namespace json = boost::json;

/// Control characters, bidirectional marks and broken UTF-8 as \xNN or \u{N}; the rest as it is.
std::string printable(std::string_view text);
/// The same for a text of several lines, which stay lines.
std::string printable_lines(std::string_view text);

/// Columns a terminal needs for it: one for each code point.
std::size_t width_of(std::string_view text);

/// The member that a dotted path names, or nullptr: "certificates.primary.current".
const json::value* find_member(const json::value& record, std::string_view path);

/// For people: strings printable, times to the second, true "yes", false "no", null or absent or
/// empty "-", arrays with ", " between.
std::string shown(const json::value* value);
std::string shown(const json::value& record, std::string_view path);

/// Two spaces an indentation, a line end at the end.
void print_json(std::ostream& out, const json::value& value);

struct Column {
    std::string title;
    std::string path;
};

/// Prints rows as they come, page by page: widths are fitted to the first page and grow with later
/// ones, so that a list of any length is never held whole.
class TablePrinter {
public:
    TablePrinter(std::ostream& out, std::vector<std::string> titles);
    void row(std::vector<std::string> cells);
    /// Writes what has gathered.
    void flush();
    std::size_t rows() const { return rows_; }

private:
    void line(const std::vector<std::string>& cells);

    std::ostream& out_;
    std::vector<std::string> titles_;
    std::vector<std::vector<std::string>> gathered_;
    std::vector<std::size_t> widths_;
    std::size_t rows_ = 0;
    bool headed_ = false;
};

/// "name:   value" lines, values in one column; a value's own lines are indented alike.
void print_fields(std::ostream& out,
                  const std::vector<std::pair<std::string, std::string>>& fields);

/// A JSON array printed as its items come.
class ArrayPrinter {
public:
    explicit ArrayPrinter(std::ostream& out);
    void item(const json::value& value);
    void end();

private:
    std::ostream& out_;
    bool empty_ = true;
};

}  // namespace rollcall::app
