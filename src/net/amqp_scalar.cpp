// SPDX-License-Identifier: Apache-2.0
#include "net/amqp_scalar.hpp"

#include "base/utf8.hpp"

#include <array>
#include <charconv>

namespace rollcall::net::amqp {
namespace {

Result<std::string> utf8_of(ByteView bytes) {
    if (!is_utf8(as_text(bytes))) {
        return refusal(condition::decode_error, "a text is not UTF-8");
    }
    return std::string{as_text(bytes)};
}

Result<Scalar> scalar_of(const Item& item) {
    switch (item.type) {
        case Type::null: return Scalar{};
        case Type::boolean: return Scalar{*item.boolean()};
        case Type::unsigned_int: return Scalar{*item.number()};
        case Type::signed_int:
            if (item.code == 0x55 || item.code == 0x81) {  // long
                return Scalar{*item.integer()};
            }
            return Scalar{static_cast<std::int32_t>(*item.integer())};
        case Type::timestamp: return Scalar{*item.integer()};
        case Type::floating: return Scalar{*item.floating()};
        case Type::uuid: return Scalar{uuid_text(item.body)};
        case Type::string:
        case Type::symbol: {
            TRY(std::string text, utf8_of(item.body));
            return Scalar{std::move(text)};
        }
        default: return refusal(condition::decode_error, "a property's value is not a simple one");
    }
}

}  // namespace

std::string uuid_text(ByteView sixteen) {
    const std::string hex = to_hex(sixteen);
    return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" +
           hex.substr(16, 4) + "-" + hex.substr(20);
}

std::optional<std::string> to_text(const Scalar& value) {
    struct Writer {
        std::optional<std::string> operator()(std::monostate) const { return std::nullopt; }
        std::optional<std::string> operator()(bool is) const { return is ? "true" : "false"; }
        std::optional<std::string> operator()(std::int32_t number) const {
            return std::to_string(number);
        }
        std::optional<std::string> operator()(std::int64_t number) const {
            return std::to_string(number);
        }
        std::optional<std::string> operator()(std::uint64_t number) const {
            return std::to_string(number);
        }
        std::optional<std::string> operator()(double number) const {
            std::array<char, 32> digits{};
            const auto written = std::to_chars(digits.begin(), digits.end(), number);
            return std::string{digits.data(), written.ptr};
        }
        std::optional<std::string> operator()(const std::string& text) const { return text; }
    };
    return std::visit(Writer{}, value);
}

std::string text_of(const Scalars& scalars, std::string_view name) {
    for (const auto& [key, value] : scalars) {
        if (key == name) {
            const auto* const text = std::get_if<std::string>(&value);
            return text == nullptr ? std::string{} : *text;
        }
    }
    return {};
}

Result<Scalars> read_scalars(const Item& map, std::size_t members_max) {
    if (map.type != Type::map || map.count % 2 != 0) {
        return refusal(condition::decode_error, "not a map");
    }
    if (map.count / 2 > members_max) {
        return refusal(condition::resource_limit,
                       "more than " + std::to_string(members_max) + " properties");
    }
    Scalars scalars;
    MemberReader members{map};
    while (!members.done()) {
        TRY(const Item key, members.next());
        if (!key.text()) {
            return refusal(condition::decode_error, "a property's name is no text");
        }
        TRY(std::string name, utf8_of(key.body));
        TRY(const Item value, members.next());
        TRY(Scalar scalar, scalar_of(value));
        scalars.emplace_back(std::move(name), std::move(scalar));
    }
    return scalars;
}

}  // namespace rollcall::net::amqp
