// SPDX-License-Identifier: Apache-2.0
#include "front/json_reader.hpp"

#include "base/limits.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <unordered_set>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace rollcall::front {
namespace {

namespace json = boost::json;
using json::error_code;

/// Sees every member's name as the parser goes; the parser's own values keep the last of several
/// members with one name without a word.
class RepeatFinder {
public:
    static constexpr std::size_t max_object_size = std::size_t(-1);
    static constexpr std::size_t max_array_size = std::size_t(-1);
    static constexpr std::size_t max_key_size = std::size_t(-1);
    static constexpr std::size_t max_string_size = std::size_t(-1);

    Unique unique = Unique::everywhere;
    std::optional<std::string> repeated{};
    bool overflown = false;  ///< a number was more than a double holds

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_object_begin(error_code&) {
        names_.emplace_back();
        return true;
    }
    bool on_object_end(std::size_t, error_code&) {
        names_.pop_back();
        return true;
    }
    bool on_array_begin(error_code&) { return true; }
    bool on_array_end(std::size_t, error_code&) { return true; }
    bool on_key_part(json::string_view part, std::size_t, error_code&) {
        key_.append(part.data(), part.size());
        return true;
    }
    bool on_key(json::string_view part, std::size_t, error_code& error) {
        key_.append(part.data(), part.size());
        const bool counts = unique == Unique::everywhere || names_.size() == 1;
        const bool fresh = !counts || names_.back().insert(key_).second;
        if (!fresh) {
            repeated = key_;
            error = json::error::extra_data;
        }
        key_.clear();
        return fresh;
    }
    bool on_string_part(json::string_view, std::size_t, error_code&) { return true; }
    bool on_string(json::string_view, std::size_t, error_code&) { return true; }
    bool on_number_part(json::string_view, error_code&) { return true; }
    bool on_int64(std::int64_t, json::string_view, error_code&) { return true; }
    bool on_uint64(std::uint64_t, json::string_view, error_code&) { return true; }
    bool on_double(double number, json::string_view, error_code&) {
        overflown = overflown || !std::isfinite(number);
        return true;
    }
    bool on_bool(bool, error_code&) { return true; }
    bool on_null(error_code&) { return true; }
    bool on_comment_part(json::string_view, error_code&) { return true; }
    bool on_comment(json::string_view, error_code&) { return true; }

private:
    std::vector<std::unordered_set<std::string>> names_;
    std::string key_;
};

json::parse_options options() {
    json::parse_options options;
    options.max_depth = limits::json_depth_max;
    return options;
}

/// Objects and arrays within each other; the parser has bounded them already.
std::size_t depth_of(const json::value& value) {
    std::size_t inner = 0;
    if (const auto* const object = value.if_object()) {
        for (const auto& member : *object) {
            inner = std::max(inner, depth_of(member.value()));
        }
    } else if (const auto* const array = value.if_array()) {
        for (const auto& element : *array) {
            inner = std::max(inner, depth_of(element));
        }
    } else {
        return 0;
    }
    return inner + 1;
}

Error malformed_json(const error_code& error) {
    if (error == json::error::too_deep) {
        return {ErrorKind::malformed,
                "the JSON body is nested deeper than " + std::to_string(limits::json_depth_max),
                "malformed-json"};
    }
    return {ErrorKind::malformed, "the body is not JSON: " + error.message(), "malformed-json"};
}

}  // namespace

Result<json::object> parse_json_object(std::string_view text, Unique unique) {
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
        return json::object{};
    }
    json::basic_parser<RepeatFinder> finder{options()};
    finder.handler().unique = unique;
    error_code error;
    finder.write_some(false, text.data(), text.size(), error);
    if (const auto& repeated = finder.handler().repeated) {
        return Error{ErrorKind::malformed, "the member '" + *repeated + "' stands there twice",
                     "repeated-member"};
    }
    if (finder.handler().overflown) {  // it would be written as one that nobody can read
        return Error{ErrorKind::malformed, "a number in the JSON body is too large",
                     "malformed-json"};
    }
    error.clear();
    json::value value =
        json::parse(json::string_view{text.data(), text.size()}, error, {}, options());
    if (error) {
        return malformed_json(error);
    }
    if (!value.is_object()) {
        return Error{ErrorKind::malformed, "the body must be a JSON object", "not-an-object"};
    }
    return std::move(value.as_object());
}

Fields::Fields(const json::object& object, std::string prefix, Unknown unknown)
    : object_(object), prefix_(std::move(prefix)), unknown_(unknown) {}

bool Fields::is_null(std::string_view name) const {
    const auto* const value = object_.if_contains(json::string_view{name.data(), name.size()});
    return value != nullptr && value->is_null();
}

std::string Fields::text(std::string_view name) {
    auto value = optional_text(name);
    if (!value && !mistake_) {
        refuse({ErrorKind::malformed, "'" + full_name(name) + "' is missing", "missing-member"});
    }
    return std::move(value).value_or(std::string{});
}

std::optional<std::string> Fields::optional_text(std::string_view name) {
    const json::value* const value = take(name);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (!value->is_string()) {
        wrong_type(name, "a text");
        return std::nullopt;
    }
    return std::string{value->as_string()};
}

std::optional<std::optional<std::string>> Fields::nullable_text(std::string_view name) {
    const json::value* const value = take(name);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (value->is_null()) {
        return std::optional<std::string>{};
    }
    if (!value->is_string()) {
        wrong_type(name, "a text or null");
        return std::nullopt;
    }
    return std::optional{std::string{value->as_string()}};
}

std::optional<bool> Fields::optional_flag(std::string_view name) {
    const json::value* const value = take(name);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (!value->is_bool()) {
        wrong_type(name, "true or false");
        return std::nullopt;
    }
    return value->as_bool();
}

std::optional<std::int64_t> Fields::optional_number(std::string_view name) {
    const json::value* const value = take(name);
    if (value == nullptr) {
        return std::nullopt;
    }
    const auto* const number = value->if_int64();
    if (number == nullptr || *number < 0) {
        wrong_type(name, "a whole number");
        return std::nullopt;
    }
    return *number;
}

std::optional<std::vector<std::string>> Fields::optional_texts(std::string_view name) {
    const json::value* const value = take(name);
    if (value == nullptr) {
        return std::nullopt;
    }
    std::vector<std::string> texts;
    if (value->is_null()) {
        return texts;
    }
    const auto* const array = value->if_array();
    const bool good = array != nullptr && std::all_of(array->begin(), array->end(),
                                                      [](const auto& e) { return e.is_string(); });
    if (!good) {
        wrong_type(name, "a list of texts");
        return std::nullopt;
    }
    for (const auto& element : *array) {
        texts.emplace_back(element.get_string());
    }
    return texts;
}

const json::array& Fields::array(std::string_view name) {
    static const json::array none;
    const json::value* const value = take(name);
    if (value == nullptr) {
        refuse({ErrorKind::malformed, "'" + full_name(name) + "' is missing", "missing-member"});
        return none;
    }
    if (!value->is_array()) {
        wrong_type(name, "a list");
        return none;
    }
    return value->get_array();
}

std::optional<std::string> Fields::any_text(std::string_view name) {
    const json::value* const value = take(name);
    return value == nullptr ? std::nullopt : std::optional{json::serialize(*value)};
}

bool Fields::flag(std::string_view name, bool otherwise) {
    return optional_flag(name).value_or(otherwise);
}

void Fields::object(std::string_view name, const std::function<void(Fields&)>& read) {
    const json::value* const value = take(name);
    if (value == nullptr) {
        return;
    }
    if (!value->is_object()) {
        wrong_type(name, "an object");
        return;
    }
    Fields inner{value->as_object(), full_name(name) + ".", unknown_};
    read(inner);
    const auto checked = inner.check();
    if (!checked) {
        refuse(checked.error());
    }
}

bool Fields::nullable_object(std::string_view name, const std::function<void(Fields&)>& read) {
    const auto* const value = object_.if_contains(json::string_view{name.data(), name.size()});
    if (value != nullptr && value->is_null()) {
        taken_.push_back(name);
        return true;
    }
    object(name, read);
    return false;
}

std::optional<std::string> Fields::object_text(std::string_view name, std::size_t bytes_max,
                                               std::size_t depth_max) {
    const json::value* const value = take(name);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (value->is_null()) {
        return std::string{};
    }
    if (!value->is_object()) {
        wrong_type(name, "an object or null");
        return std::nullopt;
    }
    if (depth_of(*value) > depth_max) {
        refuse({ErrorKind::too_large,
                "'" + full_name(name) + "' is nested deeper than " + std::to_string(depth_max),
                "member-too-deep"});
        return std::nullopt;
    }
    std::string text = json::serialize(*value);
    if (text.size() > bytes_max) {
        refuse({ErrorKind::too_large,
                "'" + full_name(name) + "' has " + std::to_string(text.size()) +
                    " bytes; the bound is " + std::to_string(bytes_max),
                "member-too-large"});
    }
    return text;
}

void Fields::refuse(Error error) {
    if (!mistake_) {
        mistake_ = std::move(error);
    }
}

Result<Done> Fields::check() const {
    // A misspelt member says more than that another one is missing.
    for (const auto& member : object_) {
        const std::string_view name{member.key().data(), member.key().size()};
        if (unknown_ == Unknown::refused &&
            std::find(taken_.begin(), taken_.end(), name) == taken_.end()) {
            return Error{ErrorKind::malformed,
                         "there is no member '" + full_name(name) +
                             "' here; openapi.json lists those there are",
                         "unknown-member"};
        }
    }
    if (mistake_) {
        return *mistake_;
    }
    return Done{};
}

const json::value* Fields::take(std::string_view name) {
    taken_.push_back(name);
    if (unknown_ == Unknown::ignored && is_null(name)) {
        return nullptr;
    }
    return object_.if_contains(json::string_view{name.data(), name.size()});
}

void Fields::wrong_type(std::string_view name, std::string_view wanted) {
    refuse({ErrorKind::malformed, "'" + full_name(name) + "' must be " + std::string{wanted},
            "malformed-member"});
}

std::string Fields::full_name(std::string_view name) const {
    return prefix_ + std::string{name};
}

}  // namespace rollcall::front
