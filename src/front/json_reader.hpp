// SPDX-License-Identifier: Apache-2.0
// Request bodies: bounded JSON objects whose members are asked for by name.
// Repeated and unknown members are refused by name, wrong types say which member.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace rollcall::front {

/// Where a member's name may not stand twice; elsewhere the last one counts.
enum class Unique { everywhere, at_the_top };

/// malformed: "malformed-json", "not-an-object", "repeated-member"; depth is bounded by
/// limits::json_depth_max. Empty text and white space count as {}.
Result<boost::json::object> parse_json_object(std::string_view text,
                                              Unique unique = Unique::everywhere);

/// What becomes of members that nobody asks for. `ignored` are the cloud's manners: null counts as
/// not given, too.
enum class Unknown { refused, ignored };

/// Takes members out of an object. The first mistake is kept and told by check(), so that a
/// handler reads all it wants and checks once; what it read before is then not to be used.
class Fields {
public:
    explicit Fields(const boost::json::object& object, std::string prefix = {},
                    Unknown unknown = Unknown::refused);

    /// A text that must be there.
    std::string text(std::string_view name);
    std::optional<std::string> optional_text(std::string_view name);
    /// Outer none: not given; inner none: null.
    std::optional<std::optional<std::string>> nullable_text(std::string_view name);
    std::optional<bool> optional_flag(std::string_view name);
    bool flag(std::string_view name, bool otherwise);
    /// A whole number that is not negative.
    std::optional<std::int64_t> optional_number(std::string_view name);
    /// A list of texts; null counts as an empty one.
    std::optional<std::vector<std::string>> optional_texts(std::string_view name);
    /// A list that must be there, of anything; an empty one where it is missing or none.
    const boost::json::array& array(std::string_view name);
    /// Any JSON value, as text.
    std::optional<std::string> any_text(std::string_view name);
    /// A member that is an object itself; `read` is not called when it is not given.
    void object(std::string_view name, const std::function<void(Fields&)>& read);
    /// The same where null may stand as well: true where it does.
    bool nullable_object(std::string_view name, const std::function<void(Fields&)>& read);
    /// An object as JSON text, "" for null; none when not given. too_large beyond the bounds.
    std::optional<std::string> object_text(std::string_view name, std::size_t bytes_max,
                                           std::size_t depth_max);

    /// One of a closed list of words.
    template <class Value>
    std::optional<Value> word(std::string_view name,
                              const std::vector<std::pair<std::string_view, Value>>& words) {
        const auto text = optional_text(name);
        if (!text) {
            return std::nullopt;
        }
        std::string known;
        for (const auto& [word, value] : words) {
            if (*text == word) {
                return value;
            }
            known.append(known.empty() ? "" : ", ").append(word);
        }
        refuse({ErrorKind::malformed, "'" + full_name(name) + "' is one of: " + known,
                "malformed-member"});
        return std::nullopt;
    }

    bool has(std::string_view name) const { return object_.contains(name); }
    bool is_null(std::string_view name) const;
    /// A mistake of the handler's own finding; the first one counts.
    void refuse(Error error);
    /// A member that nobody asked for, or the first mistake.
    Result<Done> check() const;

private:
    const boost::json::value* take(std::string_view name);
    void wrong_type(std::string_view name, std::string_view wanted);
    std::string full_name(std::string_view name) const;

    const boost::json::object& object_;
    std::string prefix_;
    Unknown unknown_;
    std::vector<std::string_view> taken_;
    std::optional<Error> mistake_;
};

}  // namespace rollcall::front
