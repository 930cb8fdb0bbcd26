// SPDX-License-Identifier: Apache-2.0
// The batch form of `rollcall pki verify`: JSON in, JSON out, one object a line.
#include "app/pki_verify.hpp"
#include "base/limits.hpp"

#include <cmath>
#include <istream>
#include <ostream>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/stream_parser.hpp>

namespace rollcall::app {
namespace {

namespace json = boost::json;

Error unfit(std::string detail) {
    return {ErrorKind::malformed, std::move(detail)};
}

/// What is to be echoed. A line that is no JSON may still have an id to be read.
json::value id_in(std::string_view line) {
    constexpr std::string_view key = "\"id\"";
    const std::size_t found = line.find(key);
    if (found == line.npos) {
        return nullptr;
    }
    line.remove_prefix(found + key.size());
    const std::size_t colon = line.find_first_not_of(" \t");
    if (colon == line.npos || line[colon] != ':') {
        return nullptr;
    }
    line.remove_prefix(colon + 1);
    json::stream_parser parser;
    json::error_code error;
    parser.write_some(line.data(), line.size(), error);
    if (error || !parser.done()) {
        return nullptr;
    }
    json::value id = parser.release();
    return id.is_structured() ? json::value(nullptr) : id;
}

const json::value* present(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    return value == nullptr || value->is_null() ? nullptr : value;
}

/// An array of texts, or one text.
Result<std::vector<std::string>> texts(const json::object& object, std::string_view name) {
    std::vector<std::string> result;
    const auto* value = present(object, name);
    if (value == nullptr) {
        return result;
    }
    if (const auto* text = value->if_string()) {
        result.emplace_back(*text);
        return result;
    }
    const auto* array = value->if_array();
    if (array == nullptr) {
        return unfit("\"" + std::string{name} + "\" is not an array of texts");
    }
    for (const auto& element : *array) {
        const auto* text = element.if_string();
        if (text == nullptr) {
            return unfit("\"" + std::string{name} + "\" is not an array of texts");
        }
        result.emplace_back(*text);
    }
    return result;
}

/// Unix seconds, perhaps with a fraction; ISO 8601 text is taken as well.
Result<TimePoint> time_of(const json::value& value) {
    if (const auto* text = value.if_string()) {
        return parse_iso8601(std::string_view{*text});
    }
    json::error_code error;
    const double seconds = value.is_number() ? value.to_number<double>(error) : std::nan("");
    if (error) {
        return unfit("\"at\" is not a Unix time");
    }
    return time_from_unix(seconds);
}

Result<Done> read_options(const json::object& object, VerifyRequest& request) {
    if (const auto* at = present(object, "at")) {
        TRY(request.at, time_of(*at));
    }
    if (const auto* purpose = present(object, "purpose")) {
        if (!purpose->is_string()) {
            return unfit("\"purpose\" is not a text");
        }
        TRY(request.purpose, parse_purpose(purpose->get_string()));
    }
    if (const auto* depth = present(object, "max_depth")) {
        json::error_code error;
        const auto count = depth->is_number() ? depth->to_number<std::int64_t>(error) : -1;
        if (error || count < 0) {
            return unfit("\"max_depth\" is not a count");
        }
        request.intermediates_max = static_cast<std::size_t>(count);
    }
    if (const auto* name = present(object, "name")) {
        if (!name->is_string()) {
            return unfit("\"name\" is not a text");
        }
        request.name = std::string{name->get_string()};
    }
    return Done{};
}

Result<Judgement> judge_object(const json::object& object, const Clock& clock) {
    VerifyRequest request;
    request.at = clock.now();
    TRY([[maybe_unused]] const auto done, read_options(object, request));
    TRY(request.anchors, texts(object, "anchors"));
    TRY(request.chain, texts(object, "chain"));
    TRY(request.crls, texts(object, "crls"));
    return judge(request);
}

/// Up to the next newline. False at the end; `whole` is false for a line past the bound, the rest
/// of which is read and dropped.
bool next_line(std::istream& in, std::string& line, bool& whole) {
    line.clear();
    whole = true;
    auto* buffer = in.rdbuf();
    constexpr auto end = std::istream::traits_type::eof();
    auto next = buffer->sbumpc();
    if (next == end) {
        return false;
    }
    for (; next != end && next != '\n'; next = buffer->sbumpc()) {
        if (line.size() < limits::pki_verify_line_bytes_max) {
            line.push_back(static_cast<char>(next));
        } else {
            whole = false;
        }
    }
    return true;
}

std::string skipped(const json::value& id, std::string_view why) {
    return json::serialize(json::object{{"id", id}, {"skip", why}});
}

}  // namespace

std::string judge_line(std::string_view line, const Clock& clock) {
    json::parse_options options;
    options.max_depth = limits::json_depth_max;
    json::error_code error;
    const json::value value = json::parse(line, error, {}, options);
    const auto* object = error ? nullptr : value.if_object();
    if (object == nullptr) {
        return skipped(id_in(line), error ? "the line is not JSON: " + error.message()
                                          : "the line is not a JSON object");
    }
    const auto* given_id = object->if_contains("id");
    const json::value id = given_id == nullptr ? json::value(nullptr) : *given_id;
    const auto judgement = judge_object(*object, clock);
    if (!judgement) {
        return skipped(id, judgement.error().detail);
    }
    return json::serialize(
        json::object{{"id", id}, {"valid", judgement->valid}, {"reason", judgement->reason}});
}

void verify_batch(std::istream& in, std::ostream& out, const Clock& clock) {
    std::string line;
    bool whole = true;
    while (next_line(in, line, whole)) {
        if (line.find_first_not_of(" \t\r") == line.npos) {
            continue;
        }
        out << (whole ? judge_line(line, clock) : skipped(id_in(line), "the line is too long"))
            << '\n'
            << std::flush;
    }
}

}  // namespace rollcall::app
