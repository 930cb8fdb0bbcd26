// SPDX-License-Identifier: Apache-2.0
// Reads a device group's filter. A descent of bounded depth over tokens that are views into the
// text; asking it: device_query.cpp.
#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "base/utf8.hpp"
#include "domain/device_query.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>

namespace rollcall::domain {
namespace {

enum class Kind : std::uint8_t { end, word, text, number, mark };

struct Token {
    Kind kind = Kind::end;
    std::string_view text{};   ///< as it stands there
    std::size_t position = 1;  ///< of its first byte
};

Error wrong(std::size_t position, const std::string& what) {
    return {ErrorKind::malformed, "filter, position " + std::to_string(position) + ": " + what,
            "malformed-query"};
}

Error too_large(const std::string& what) {
    return {ErrorKind::malformed, what, "query-too-large"};
}

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}
/// Names of properties have '-' in the wild; the language has no subtraction.
bool in_word(char c) {
    return is_letter(c) || is_digit(c) || c == '.' || c == '-';
}
bool in_number(char c) {
    return is_digit(c) || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E';
}

/// Cuts the text into tokens, one at a time.
class Lexer {
public:
    explicit Lexer(std::string_view text) : text_(text) {}

    Result<Token> next() {
        while (at_ < text_.size() && is_space(text_[at_])) {
            ++at_;
        }
        if (at_ == text_.size()) {
            return Token{Kind::end, {}, at_ + 1};
        }
        const char c = text_[at_];
        if (is_letter(c)) {
            return run(Kind::word, in_word);
        }
        if (is_digit(c) || c == '-') {
            return run(Kind::number, in_number);
        }
        if (c == '"' || c == '\'') {
            return quoted(c);
        }
        return mark();
    }

private:
    template <class Belongs>
    Token run(Kind kind, Belongs belongs) {
        const std::size_t from = at_;
        while (at_ < text_.size() && belongs(text_[at_])) {
            ++at_;
        }
        return {kind, text_.substr(from, at_ - from), from + 1};
    }

    /// With its quotes; a doubled quote does not end it.
    Result<Token> quoted(char quote) {
        const std::size_t from = at_++;
        while (at_ < text_.size()) {
            if (text_[at_++] != quote) {
                continue;
            }
            if (at_ == text_.size() || text_[at_] != quote) {
                return Token{Kind::text, text_.substr(from, at_ - from), from + 1};
            }
            ++at_;
        }
        return wrong(from + 1, "the quoted text does not end");
    }

    Result<Token> mark() {
        static constexpr std::array<std::string_view, 13> marks{
            "!=", "<>", "<=", ">=", "=", "<", ">", "(", ")", "[", "]", ",", "*"};
        for (const auto known : marks) {
            if (text_.substr(at_).starts_with(known)) {
                const std::size_t from = at_;
                at_ += known.size();
                return Token{Kind::mark, known, from + 1};
            }
        }
        return wrong(at_ + 1, "this character means nothing here");
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

std::string unquoted(std::string_view token) {
    const char quote = token.front();
    std::string text;
    for (std::size_t i = 1; i + 1 < token.size(); ++i) {
        text.push_back(token[i]);
        i += token[i] == quote ? 1 : 0;
    }
    return text;
}

}  // namespace

class DeviceQueryParser {
public:
    explicit DeviceQueryParser(std::string_view text) : lexer_(text) {}

    Result<DeviceQuery> parse() {
        TRY([[maybe_unused]] const Done begun, advance());
        for (const std::string_view word : {"SELECT", "*", "FROM", "devices"}) {
            TRY([[maybe_unused]] const Done there, expect(word));
        }
        if (token_.kind == Kind::end) {
            return std::move(query_);
        }
        TRY([[maybe_unused]] const Done where, expect("WHERE"));
        TRY([[maybe_unused]] const Done all, alternatives());
        if (token_.kind != Kind::end) {
            return wrong(token_.position, "expected AND, OR or the end");
        }
        return std::move(query_);
    }

private:
    using Operator = DeviceQuery::Operator;
    using Step = DeviceQuery::Step;

    bool is(std::string_view word) const {
        return (token_.kind == Kind::word || token_.kind == Kind::mark) &&
               equal_ignoring_case(token_.text, word);
    }
    Result<Done> advance() {
        TRY(token_, lexer_.next());
        return Done{};
    }
    Result<Done> expect(std::string_view word) {
        if (!is(word)) {
            return wrong(token_.position, "expected " + std::string{word});
        }
        return advance();
    }
    void put(Step step) { query_.steps_.push_back(std::move(step)); }

    /// a OR b OR c
    Result<Done> alternatives() {
        TRY([[maybe_unused]] const Done first, conditions());
        while (is("OR")) {
            TRY([[maybe_unused]] const Done past, advance());
            TRY([[maybe_unused]] const Done more, conditions());
            put({Operator::either});
        }
        return Done{};
    }

    /// a AND b AND c
    Result<Done> conditions() {
        TRY([[maybe_unused]] const Done first, condition());
        while (is("AND")) {
            TRY([[maybe_unused]] const Done past, advance());
            TRY([[maybe_unused]] const Done more, condition());
            put({Operator::both});
        }
        return Done{};
    }

    Result<Done> condition() {
        const bool negated = is("NOT");
        if (!negated && !is("(")) {
            return comparison();
        }
        if (++depth_ > limits::device_query_depth_max) {
            return too_large("a filter has at most " +
                             std::to_string(limits::device_query_depth_max) +
                             " parentheses and NOTs within each other");
        }
        TRY([[maybe_unused]] const Done past, advance());
        if (negated) {
            TRY([[maybe_unused]] const Done one, condition());
            put({Operator::negate});
        } else {
            TRY([[maybe_unused]] const Done all, alternatives());
            TRY([[maybe_unused]] const Done closed, expect(")"));
        }
        --depth_;
        return Done{};
    }

    /// A function, a field with what it is compared with, or a field that is true.
    Result<Done> comparison() {
        if (token_.kind != Kind::word) {
            return wrong(token_.position, "expected the name of a property");
        }
        static constexpr std::array<std::pair<std::string_view, Operator>, 5> functions{{
            {"STARTS_WITH", Operator::starts_with},
            {"STARTSWITH", Operator::starts_with},
            {"ENDS_WITH", Operator::ends_with},
            {"ENDSWITH", Operator::ends_with},
            {"CONTAINS", Operator::contains},
        }};
        const Token name = token_;
        TRY([[maybe_unused]] const Done past, advance());
        if (is("(")) {
            for (const auto& [word, op] : functions) {
                if (equal_ignoring_case(name.text, word)) {
                    return function(op);
                }
            }
            if (equal_ignoring_case(name.text, "IS_DEFINED")) {
                return function(Operator::defined);
            }
            return wrong(name.position, "there is no function '" + std::string{name.text} + "'");
        }
        Step step;
        TRY(step.field, field(name));
        return compared(std::move(step));
    }

    /// From its parenthesis on.
    Result<Done> function(Operator op) {
        TRY([[maybe_unused]] const Done past, advance());
        const Token name = token_;
        if (name.kind != Kind::word) {
            return wrong(name.position, "expected the name of a property");
        }
        Step step{op};
        TRY(step.field, field(name));
        TRY([[maybe_unused]] const Done named, advance());
        if (op != Operator::defined) {
            TRY([[maybe_unused]] const Done comma, expect(","));
            const std::size_t position = token_.position;
            TRY(QueryValue part, value());
            if (!std::holds_alternative<std::string>(part)) {
                return wrong(position, "expected a quoted text");
            }
            step.values.push_back(std::move(part));
        }
        put(std::move(step));
        return expect(")");
    }

    Result<Done> compared(Step step) {
        static constexpr std::array<std::pair<std::string_view, Operator>, 7> operators{{
            {"=", Operator::equal},
            {"!=", Operator::not_equal},
            {"<>", Operator::not_equal},
            {"<", Operator::less},
            {"<=", Operator::less_or_equal},
            {">", Operator::greater},
            {">=", Operator::greater_or_equal},
        }};
        for (const auto& [mark, op] : operators) {
            if (is(mark)) {
                TRY([[maybe_unused]] const Done past, advance());
                return with_value(std::move(step), op);
            }
        }
        if (is("IN")) {
            return one_of(std::move(step));
        }
        if (is("NOT")) {
            TRY([[maybe_unused]] const Done past, advance());
            TRY([[maybe_unused]] const Done listed, one_of(std::move(step)));
            put({Operator::negate});
            return Done{};
        }
        // "WHERE $provisioned AND …"
        step.values.emplace_back(true);
        put(std::move(step));
        return count_value();
    }

    /// Null is compared with to ask whether there is anything.
    Result<Done> with_value(Step step, Operator op) {
        const std::size_t position = token_.position;
        TRY(QueryValue right, value());
        step.op = op;
        if (!std::holds_alternative<std::monostate>(right)) {
            step.values.push_back(std::move(right));
            put(std::move(step));
            return Done{};
        }
        if (op != Operator::equal && op != Operator::not_equal) {
            return wrong(position, "null can only be equal or not equal");
        }
        step.op = Operator::defined;
        put(std::move(step));
        if (op == Operator::equal) {
            put({Operator::negate});
        }
        return Done{};
    }

    /// IN ['a', 'b'], with brackets or parentheses.
    Result<Done> one_of(Step step) {
        TRY([[maybe_unused]] const Done past, expect("IN"));
        const bool parentheses = is("(");
        TRY([[maybe_unused]] const Done opened, expect(parentheses ? "(" : "["));
        step.op = Operator::one_of;
        while (true) {
            const std::size_t position = token_.position;
            TRY(QueryValue each, value());
            if (std::holds_alternative<std::monostate>(each)) {
                return wrong(position, "null is in no list");
            }
            step.values.push_back(std::move(each));
            if (!is(",")) {
                break;
            }
            TRY([[maybe_unused]] const Done comma, advance());
        }
        put(std::move(step));
        return expect(parentheses ? ")" : "]");
    }

    Result<QueryValue> value() {
        TRY([[maybe_unused]] const Done counted, count_value());
        const Token token = token_;
        std::optional<QueryValue> found;
        if (token.kind == Kind::text) {
            found = unquoted(token.text);
        } else if (token.kind == Kind::number) {
            TRY(found, number(token));
        } else if (is("true") || is("false")) {
            found = is("true");
        } else if (is("null")) {
            found = std::monostate{};
        } else {
            return wrong(token.position, "expected a quoted text, a number, true, false or null");
        }
        TRY([[maybe_unused]] const Done past, advance());
        return *std::move(found);
    }

    static Result<QueryValue> number(const Token& token) {
        double number = 0;
        const char* const end = token.text.data() + token.text.size();
        const auto [stop, failed] = std::from_chars(token.text.data(), end, number);
        if (failed != std::errc{} || stop != end || !std::isfinite(number)) {
            return wrong(token.position, "'" + std::string{token.text} + "' is not a number");
        }
        return QueryValue{number};
    }

    Result<Done> count_value() {
        if (++values_ > limits::device_query_values_max) {
            return too_large("a filter compares with at most " +
                             std::to_string(limits::device_query_values_max) + " values");
        }
        return Done{};
    }

    static Result<QueryField> field(const Token& token) {
        using FieldKind = QueryField::Kind;
        static constexpr std::array<std::pair<std::string_view, FieldKind>, 6> own{{
            {"$id", FieldKind::id},
            {"$displayName", FieldKind::display_name},
            {"$template", FieldKind::model},
            {"$provisioned", FieldKind::provisioned},
            {"$simulated", FieldKind::simulated},
            {"$enabled", FieldKind::enabled},
        }};
        for (const auto& [word, kind] : own) {
            if (token.text == word) {
                return QueryField{kind};
            }
        }
        if (token.text.starts_with('$')) {
            return wrong(token.position,
                         "a device has no '" + std::string{token.text} +
                             "', but $id, $displayName, $template, $provisioned, $simulated and "
                             "$enabled");
        }
        static constexpr std::array<std::string_view, 10> reserved{
            "SELECT", "FROM", "WHERE", "AND", "OR", "NOT", "IN", "TRUE", "FALSE", "NULL"};
        for (const auto word : reserved) {
            if (equal_ignoring_case(token.text, word)) {
                return wrong(token.position, "expected the name of a property");
            }
        }
        QueryField property;
        std::string_view rest = token.text;
        while (true) {
            const std::size_t dot = rest.find('.');
            property.path.emplace_back(rest.substr(0, dot));
            if (property.path.back().empty()) {
                return wrong(token.position,
                             "a name in '" + std::string{token.text} + "' is empty");
            }
            if (dot == std::string_view::npos) {
                break;
            }
            rest.remove_prefix(dot + 1);
        }
        if (property.path.size() > limits::device_query_path_max) {
            return too_large("the path of a property has at most " +
                             std::to_string(limits::device_query_path_max) + " names");
        }
        return property;
    }

    Lexer lexer_;
    Token token_;
    DeviceQuery query_;
    std::size_t depth_ = 0;
    std::size_t values_ = 0;
};

Result<DeviceQuery> parse_device_query(std::string_view text) {
    if (text.size() > limits::device_query_bytes_max) {
        return too_large("a filter has at most " + std::to_string(limits::device_query_bytes_max) +
                         " bytes");
    }
    if (!is_utf8(text)) {
        return wrong(1, "this is not UTF-8");
    }
    return DeviceQueryParser{text}.parse();
}

}  // namespace rollcall::domain
