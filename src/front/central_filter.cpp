// SPDX-License-Identifier: Apache-2.0
#include "front/central_filter.hpp"

#include "base/bytes.hpp"
#include "base/limits.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace rollcall::front {
namespace {

using Compare = CentralFilter::Compare;
using Field = CentralFilter::Field;
using Operand = CentralFilter::Operand;

constexpr std::array fields{std::pair{std::string_view{"id"}, Field::id},
                            std::pair{std::string_view{"displayname"}, Field::display_name},
                            std::pair{std::string_view{"template"}, Field::template_id},
                            std::pair{std::string_view{"enabled"}, Field::enabled},
                            std::pair{std::string_view{"provisioned"}, Field::provisioned},
                            std::pair{std::string_view{"simulated"}, Field::simulated},
                            std::pair{std::string_view{"scopes"}, Field::organizations},
                            std::pair{std::string_view{"organizations"}, Field::organizations}};

constexpr std::array compares{
    std::pair{std::string_view{"eq"}, Compare::eq}, std::pair{std::string_view{"ne"}, Compare::ne},
    std::pair{std::string_view{"lt"}, Compare::lt}, std::pair{std::string_view{"le"}, Compare::le},
    std::pair{std::string_view{"gt"}, Compare::gt}, std::pair{std::string_view{"ge"}, Compare::ge}};

template <class Table>
auto value_of(const Table& table, std::string_view word) {
    using Value = decltype(table.front().second);
    const auto found = std::find_if(table.begin(), table.end(),
                                    [word](const auto& each) { return each.first == word; });
    return found == table.end() ? std::optional<Value>{} : std::optional<Value>{found->second};
}

Error malformed(std::string detail) {
    return {ErrorKind::malformed, "$filter: " + std::move(detail), "malformed-filter"};
}

/// A word in lower case, a mark as itself; a text or number in `value`.
struct Token {
    std::string word{};  ///< empty: a value, or the end
    std::optional<Operand> value{};
    std::size_t at = 0;

    bool is_end() const { return word.empty() && !value; }
};

class Tokens {
public:
    explicit Tokens(std::string_view text) : text_(text) {}

    Result<Token> next() {
        while (place_ < text_.size() && (text_[place_] == ' ' || text_[place_] == '\t')) {
            ++place_;
        }
        Token token;
        token.at = place_;
        if (place_ == text_.size()) {
            return token;
        }
        const char c = text_[place_];
        if (c == '\'') {
            return quoted(token);
        }
        if (c == '-' || is_digit(c)) {
            return number(token);
        }
        if (c == '(' || c == ')' || c == ',') {
            token.word = text_.substr(place_++, 1);
            return token;
        }
        while (place_ < text_.size() && (is_letter(text_[place_]) || is_digit(text_[place_]))) {
            token.word.push_back(text_[place_++]);
        }
        if (token.word.empty()) {
            return malformed("what stands at character " + std::to_string(place_ + 1) +
                             " is not understood");
        }
        token.word = to_lower_ascii(token.word);
        return token;
    }

private:
    static bool is_digit(char c) { return c >= '0' && c <= '9'; }
    static bool is_letter(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    }
    Result<Token> quoted(Token token) {
        std::string text;
        for (++place_; place_ < text_.size(); ++place_) {
            if (text_[place_] != '\'') {
                text.push_back(text_[place_]);
            } else if (place_ + 1 < text_.size() && text_[place_ + 1] == '\'') {
                text.push_back(text_[++place_]);
            } else {
                ++place_;
                token.value = std::move(text);
                return token;
            }
        }
        return malformed("the text that begins at character " + std::to_string(token.at + 1) +
                         " has no end");
    }
    Result<Token> number(Token token) {
        std::int64_t value = 0;
        const auto* const end = text_.data() + text_.size();
        const auto read = std::from_chars(text_.data() + place_, end, value);
        if (read.ec != std::errc{}) {
            return malformed("the number at character " + std::to_string(token.at + 1) +
                             " is none");
        }
        place_ = static_cast<std::size_t>(read.ptr - text_.data());
        token.value = value;
        return token;
    }

    std::string_view text_;
    std::size_t place_ = 0;
};

enum class Type { text, flag, number, list, none };

Type type_of(Field field) {
    switch (field) {
        case Field::id:
        case Field::display_name:
        case Field::template_id: return Type::text;
        case Field::enabled:
        case Field::provisioned:
        case Field::simulated: return Type::flag;
        case Field::organizations: break;
    }
    return Type::list;
}

Type type_of(const Operand& operand) {
    struct Visitor {
        Type operator()(Field field) const { return type_of(field); }
        Type operator()(const CentralFilter::IndexOf&) const { return Type::number; }
        Type operator()(const std::string&) const { return Type::text; }
        Type operator()(bool) const { return Type::flag; }
        Type operator()(std::int64_t) const { return Type::number; }
        Type operator()(std::monostate) const { return Type::none; }
    };
    return std::visit(Visitor{}, operand);
}

/// Can these be compared so?
bool fits(Type left, Compare compare, Type right) {
    const bool equality = compare == Compare::eq || compare == Compare::ne;
    if (left == Type::list || right == Type::list) {
        return equality && left == Type::list && right == Type::text;
    }
    if (left == Type::none || right == Type::none) {
        return equality;
    }
    return left == right && (equality || left != Type::flag);
}

/// Recursive descent; what it makes goes to the end of `nodes`, and its place comes back.
class Parser {
public:
    Parser(std::string_view text, std::vector<CentralFilter::Node>& nodes)
        : tokens_(text), nodes_(nodes) {}

    Result<Done> whole() {
        TRY([[maybe_unused]] const Done first, advance());
        TRY([[maybe_unused]] const auto root, any_of(0));
        if (!now_.is_end()) {
            return unexpected("and, or, or the end");
        }
        return Done{};
    }

private:
    Result<Done> advance() {
        TRY(now_, tokens_.next());
        return Done{};
    }
    Error unexpected(const std::string& wanted) const {
        return malformed("at character " + std::to_string(now_.at + 1) + " should come " + wanted);
    }
    std::size_t add(CentralFilter::Node node) {
        nodes_.push_back(std::move(node));
        return nodes_.size() - 1;
    }

    Result<std::size_t> any_of(std::size_t depth) {
        TRY(std::size_t first, all_of(depth));
        while (now_.word == "or") {
            TRY([[maybe_unused]] const Done taken, advance());
            TRY(const std::size_t second, all_of(depth));
            first = add(CentralFilter::Both{first, second, false});
        }
        return first;
    }
    Result<std::size_t> all_of(std::size_t depth) {
        TRY(std::size_t first, one(depth));
        while (now_.word == "and") {
            TRY([[maybe_unused]] const Done taken, advance());
            TRY(const std::size_t second, one(depth));
            first = add(CentralFilter::Both{first, second, true});
        }
        return first;
    }
    Result<std::size_t> one(std::size_t depth) {
        if (depth > limits::central_filter_depth_max) {
            return malformed("it is nested deeper than " +
                             std::to_string(limits::central_filter_depth_max));
        }
        if (now_.word == "not") {
            TRY([[maybe_unused]] const Done taken, advance());
            TRY(const std::size_t what, one(depth + 1));
            return add(CentralFilter::Not{what});
        }
        if (now_.word != "(") {
            return comparison();
        }
        TRY([[maybe_unused]] const Done taken, advance());
        TRY(const std::size_t inner, any_of(depth + 1));
        TRY([[maybe_unused]] const Done closed, expect(")"));
        return inner;
    }
    Result<Done> expect(std::string_view mark) {
        if (now_.word != mark) {
            return unexpected("'" + std::string{mark} + "'");
        }
        return advance();
    }
    Result<std::size_t> comparison() {
        const std::size_t at = now_.at;
        TRY(auto left, operand());
        const auto compare = value_of(compares, now_.word);
        if (!compare) {
            return unexpected("one of eq, ne, lt, le, gt, ge");
        }
        TRY([[maybe_unused]] const Done taken, advance());
        TRY(auto right, operand());
        if (!fits(type_of(left), *compare, type_of(right))) {
            return malformed("the comparison at character " + std::to_string(at + 1) +
                             " is of two things that cannot be compared so");
        }
        return add(CentralFilter::Comparison{*compare, std::move(left), std::move(right)});
    }
    Result<Operand> operand() {
        if (now_.value) {
            Operand value = *std::move(now_.value);
            TRY([[maybe_unused]] const Done taken, advance());
            return value;
        }
        const std::string word = now_.word;
        if (word == "indexof") {
            return index_of();
        }
        Operand value = std::monostate{};
        if (word == "true" || word == "false") {
            value = word == "true";
        } else if (const auto field = value_of(fields, word)) {
            value = *field;
        } else if (word != "null") {
            return unexpected(
                "a field (id, displayName, template, enabled, provisioned, simulated, scopes), "
                "indexof(…), a 'text', a number, true, false or null");
        }
        TRY([[maybe_unused]] const Done taken, advance());
        return value;
    }
    Result<Operand> index_of() {
        TRY([[maybe_unused]] const Done taken, advance());
        TRY([[maybe_unused]] const Done opened, expect("("));
        const auto field = value_of(fields, now_.word);
        if (!field || type_of(*field) != Type::text) {
            return unexpected("id, displayName or template");
        }
        TRY([[maybe_unused]] const Done named, advance());
        TRY([[maybe_unused]] const Done parted, expect(","));
        const auto* const text = now_.value ? std::get_if<std::string>(&*now_.value) : nullptr;
        if (text == nullptr) {
            return unexpected("a 'text'");
        }
        Operand made = CentralFilter::IndexOf{*field, *text};
        TRY([[maybe_unused]] const Done read, advance());
        TRY([[maybe_unused]] const Done closed, expect(")"));
        return made;
    }

    Tokens tokens_;
    Token now_;
    std::vector<CentralFilter::Node>& nodes_;
};

/// What an operand is for a device; monostate: nothing.
using Value = std::variant<std::monostate, std::string, bool, std::int64_t>;

std::string text_in(Field field, const domain::NotedDevice& device) {
    switch (field) {
        case Field::id: return device.device.id.str();
        case Field::display_name: return device.name();
        default: return device.notes.template_id;
    }
}

Value value_in(Field field, const domain::NotedDevice& device) {
    switch (field) {
        case Field::enabled: return device.device.approved && !device.device.blocked;
        case Field::provisioned: return device.device.leaf_sha256.has_value();
        case Field::simulated: return device.notes.simulated;
        default: break;
    }
    std::string text = text_in(field, device);
    return text.empty() ? Value{} : Value{std::move(text)};
}

Value value_for(const Operand& operand, const domain::NotedDevice& device) {
    struct Visitor {
        const domain::NotedDevice& device;
        Value operator()(Field field) const { return value_in(field, device); }
        Value operator()(const CentralFilter::IndexOf& index) const {
            const auto place = text_in(index.field, device).find(index.text);
            return place == std::string::npos ? std::int64_t{-1} : static_cast<std::int64_t>(place);
        }
        Value operator()(const std::string& text) const { return text; }
        Value operator()(bool flag) const { return flag; }
        Value operator()(std::int64_t number) const { return number; }
        Value operator()(std::monostate) const { return {}; }
    };
    return std::visit(Visitor{device}, operand);
}

/// Nothing is equal to nothing, and neither less nor greater than anything.
bool compared(const Value& left, Compare compare, const Value& right) {
    const bool ordered = left.index() == right.index() && left.index() != 0;
    switch (compare) {
        case Compare::eq: return left == right;
        case Compare::ne: return left != right;
        case Compare::lt: return ordered && left < right;
        case Compare::le: return ordered && left <= right;
        case Compare::gt: return ordered && left > right;
        case Compare::ge: return ordered && left >= right;
    }
    return false;
}

}  // namespace

Result<CentralFilter> CentralFilter::parse(std::string_view text) {
    if (text.size() > limits::central_filter_bytes_max) {
        return malformed("it has more than " + std::to_string(limits::central_filter_bytes_max) +
                         " bytes");
    }
    CentralFilter filter;
    Parser parser{text, filter.nodes_};
    TRY([[maybe_unused]] const Done parsed, parser.whole());
    return filter;
}

bool CentralFilter::matches(const domain::NotedDevice& device) const {
    return holds(nodes_.size() - 1, device);
}

bool CentralFilter::holds(std::size_t node, const domain::NotedDevice& device) const {
    const Node& here = nodes_.at(node);
    if (const auto* const both = std::get_if<Both>(&here)) {
        return both->all ? holds(both->first, device) && holds(both->second, device)
                         : holds(both->first, device) || holds(both->second, device);
    }
    if (const auto* const negated = std::get_if<Not>(&here)) {
        return !holds(negated->what, device);
    }
    const auto& comparison = std::get<Comparison>(here);
    if (type_of(comparison.left) == Type::list) {
        const auto& of = device.notes.organizations;
        const bool among =
            std::find(of.begin(), of.end(), std::get<std::string>(comparison.right)) != of.end();
        return among == (comparison.compare == Compare::eq);
    }
    return compared(value_for(comparison.left, device), comparison.compare,
                    value_for(comparison.right, device));
}

Result<CentralOrder> parse_central_order(std::string_view text) {
    std::vector<std::string> words;
    while (!text.empty()) {
        const auto word = text.substr(0, text.find(' '));
        if (!word.empty()) {
            words.push_back(to_lower_ascii(word));
        }
        text.remove_prefix(std::min(text.size(), word.size() + 1));
    }
    const bool known = !words.empty() && (words[0] == "displayname" || words[0] == "id");
    const bool way =
        words.size() == 1 || (words.size() == 2 && (words[1] == "asc" || words[1] == "desc"));
    if (!known || !way) {
        return Error{ErrorKind::malformed, "$orderby is 'displayName' or 'id', then asc or desc",
                     "malformed-filter"};
    }
    return CentralOrder{words[0] != "id", words.size() == 2 && words[1] == "desc"};
}

}  // namespace rollcall::front
