// SPDX-License-Identifier: Apache-2.0
#include "app/print.hpp"

#include "base/utf8.hpp"

#include <algorithm>
#include <cstdint>
#include <ostream>

#include <boost/json/serialize.hpp>

namespace rollcall::app {

namespace {

/// Moves the cursor, hides text or turns its direction.
bool is_unsafe(char32_t c) {
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
           c == 0x061c;
}

/// "2026-11-23T18:27:30.1234560Z" without its fraction; any other text as it is.
std::string_view without_fraction(std::string_view text) {
    const bool time = text.size() == 28 && text[4] == '-' && text[10] == 'T' && text[19] == '.' &&
                      text.back() == 'Z';
    return time ? text.substr(0, 19) : text;
}

std::string hex(std::uint32_t value, std::size_t digits) {
    std::string text;
    for (; value != 0 || text.size() < digits; value >>= 4) {
        text.insert(text.begin(), "0123456789abcdef"[value & 15]);
    }
    return text;
}

void write_json(std::ostream& out, const json::value& value, const std::string& indent) {
    const std::string deeper = indent + "  ";
    if (const json::object* object = value.if_object(); object != nullptr && !object->empty()) {
        const char* before = "{\n";
        for (const auto& member : *object) {
            out << before << deeper << json::serialize(json::string{member.key()}) << ": ";
            write_json(out, member.value(), deeper);
            before = ",\n";
        }
        out << '\n' << indent << '}';
        return;
    }
    if (const json::array* array = value.if_array(); array != nullptr && !array->empty()) {
        const char* before = "[\n";
        for (const json::value& item : *array) {
            out << before << deeper;
            write_json(out, item, deeper);
            before = ",\n";
        }
        out << '\n' << indent << ']';
        return;
    }
    out << json::serialize(value);
}

}  // namespace

std::string printable(std::string_view text) {
    std::string safe;
    while (!text.empty()) {
        const CodePoint point = first_code_point(text);
        const std::size_t bytes = std::max<std::size_t>(point.bytes, 1);
        if (point.bytes == 0 || (is_unsafe(point.value) && point.value < 0x80)) {
            safe += "\\x" + hex(static_cast<unsigned char>(text[0]), 2);
        } else if (is_unsafe(point.value)) {
            safe += "\\u{" + hex(point.value, 1) + "}";
        } else {
            safe += text.substr(0, bytes);
        }
        text.remove_prefix(bytes);
    }
    return safe;
}

std::string printable_lines(std::string_view text) {
    std::string safe;
    for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
        safe += printable(text.substr(0, end)) + '\n';
        text.remove_prefix(end + 1);
    }
    return safe + printable(text);
}

std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    }));
}

const json::value* find_member(const json::value& record, std::string_view path) {
    const json::value* at = &record;
    while (!path.empty()) {
        const json::object* object = at->if_object();
        const auto dot = path.find('.');
        at = object != nullptr ? object->if_contains(path.substr(0, dot)) : nullptr;
        if (at == nullptr || dot == std::string_view::npos) {
            return at;
        }
        path.remove_prefix(dot + 1);
    }
    return at;
}

std::string shown(const json::value* value) {
    if (value == nullptr || value->is_null()) {
        return "-";
    }
    if (const json::string* text = value->if_string()) {
        const std::string_view cut = without_fraction(*text);
        return text->empty() ? "-" : printable(cut) + (cut.size() < text->size() ? "Z" : "");
    }
    if (const bool* yes = value->if_bool()) {
        return *yes ? "yes" : "no";
    }
    if (const json::array* array = value->if_array()) {
        std::string all;
        for (const json::value& item : *array) {
            all += (all.empty() ? "" : ", ") + shown(&item);
        }
        return all.empty() ? "-" : all;
    }
    return json::serialize(*value);
}

std::string shown(const json::value& record, std::string_view path) {
    return shown(find_member(record, path));
}

void print_json(std::ostream& out, const json::value& value) {
    write_json(out, value, "");
    out << '\n';
}

TablePrinter::TablePrinter(std::ostream& out, std::vector<std::string> titles)
    : out_(out), titles_(std::move(titles)), widths_(titles_.size()) {
    for (std::size_t i = 0; i < titles_.size(); ++i) {
        widths_[i] = width_of(titles_[i]);
    }
}

void TablePrinter::row(std::vector<std::string> cells) {
    cells.resize(titles_.size());
    for (std::size_t i = 0; i < cells.size(); ++i) {
        widths_[i] = std::max(widths_[i], width_of(cells[i]));
    }
    gathered_.push_back(std::move(cells));
    ++rows_;
}

void TablePrinter::line(const std::vector<std::string>& cells) {
    std::string text;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        text += cells[i];
        if (i + 1 < cells.size()) {
            text += std::string(widths_[i] - width_of(cells[i]) + 2, ' ');
        }
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out_ << text << '\n';
}

void TablePrinter::flush() {
    if (!headed_ && !gathered_.empty()) {
        line(titles_);
        headed_ = true;
    }
    for (const auto& cells : gathered_) {
        line(cells);
    }
    gathered_.clear();
}

void print_fields(std::ostream& out,
                  const std::vector<std::pair<std::string, std::string>>& fields) {
    std::size_t widest = 0;
    for (const auto& [name, value] : fields) {
        widest = std::max(widest, width_of(name));
    }
    for (const auto& [name, value] : fields) {
        out << name << ':' << std::string(widest - width_of(name) + 2, ' ');
        for (const char c : value) {
            out << c;
            if (c == '\n') {
                out << std::string(widest + 3, ' ');
            }
        }
        out << '\n';
    }
}

ArrayPrinter::ArrayPrinter(std::ostream& out) : out_(out) {}

void ArrayPrinter::item(const json::value& value) {
    out_ << (empty_ ? "[\n  " : ",\n  ");
    write_json(out_, value, "  ");
    empty_ = false;
}

void ArrayPrinter::end() {
    out_ << (empty_ ? "[]\n" : "\n]\n");
}

}  // namespace rollcall::app
