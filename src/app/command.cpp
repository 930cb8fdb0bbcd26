// SPDX-License-Identifier: Apache-2.0
#include "app/command.hpp"

#include <charconv>

namespace rollcall::app {

Parameter& Parameter::may_repeat() {
    repeated = true;
    return *this;
}
Parameter& Parameter::must_be_given() {
    required = true;
    return *this;
}
Parameter& Parameter::may_be_left_out() {
    required = false;
    return *this;
}
Parameter& Parameter::is_number() {
    number = true;
    return *this;
}
Parameter& Parameter::one_of(std::vector<std::string> words) {
    choices = std::move(words);
    return *this;
}

Parameter positional(std::string name, std::string help) {
    Parameter made;
    made.kind = Parameter::Kind::positional;
    made.name = std::move(name);
    made.help = std::move(help);
    made.required = true;
    return made;
}

Parameter option(std::string_view spelling, std::string help) {
    const auto space = spelling.find(' ');
    INVARIANT(spelling.starts_with("--") && space != std::string_view::npos);
    Parameter made;
    made.kind = Parameter::Kind::option;
    made.name = spelling.substr(0, space);
    made.value = spelling.substr(space + 1);
    made.help = std::move(help);
    return made;
}

Parameter flag(std::string name, std::string help) {
    INVARIANT(name.starts_with("--"));
    Parameter made;
    made.name = std::move(name);
    made.help = std::move(help);
    return made;
}

bool Invocation::has(std::string_view name) const {
    return values_.contains(name);
}

const std::string& Invocation::text(std::string_view name) const {
    const auto found = values_.find(name);
    INVARIANT(found != values_.end());
    return found->second.back();
}

std::string Invocation::text_or(std::string_view name, std::string otherwise) const {
    return has(name) ? text(name) : std::move(otherwise);
}

std::optional<std::string> Invocation::maybe(std::string_view name) const {
    return has(name) ? std::optional{text(name)} : std::nullopt;
}

std::int64_t Invocation::number_or(std::string_view name, std::int64_t otherwise) const {
    if (!has(name)) {
        return otherwise;
    }
    const std::string& given = text(name);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), number);
    INVARIANT(error == std::errc{} && end == given.data() + given.size());
    return number;
}

const std::vector<std::string>& Invocation::all(std::string_view name) const {
    static const std::vector<std::string> none;
    const auto found = values_.find(name);
    return found == values_.end() ? none : found->second;
}

void Invocation::add(const std::string& name, std::string value) {
    values_[name].push_back(std::move(value));
}

Error usage_error(std::string detail) {
    return Error{.kind = ErrorKind::malformed, .detail = std::move(detail), .reason = "usage"};
}

}  // namespace rollcall::app
