// SPDX-License-Identifier: Apache-2.0
// The fields of a performative one after another, reading and writing. For the units amqp_* that
// know what stands in which place.
#pragma once

#include "base/utf8.hpp"
#include "net/amqp_codec.hpp"

#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace rollcall::net::amqp {

inline Error wrong_type(std::string_view what) {
    return refusal(condition::decode_error, std::string{what} + " is of another type");
}

inline Error missing(std::string_view what) {
    return refusal(condition::invalid_field, std::string{what} + " is missing");
}

/// The fields of a performative, in their order.
class Fields {
public:
    explicit Fields(const Item& list) : members_(list) {}

    Result<Done> skip(int count = 1) {
        for (int i = 0; i < count; ++i) {
            TRY([[maybe_unused]] const Item skipped, members_.next());
        }
        return Done{};
    }
    Result<Item> item() { return members_.next(); }

    /// Numbers no larger than their field may be.
    template <class T>
    Result<std::optional<T>> number(std::string_view what) {
        TRY(const Item item, members_.next());
        if (item.is_null()) {
            return std::optional<T>{};
        }
        const auto value = item.number();
        if (!value || *value > std::numeric_limits<T>::max()) {
            return wrong_type(what);
        }
        return std::optional{static_cast<T>(*value)};
    }
    template <class T>
    Result<T> required(std::string_view what) {
        TRY(const auto value, number<T>(what));
        if (!value) {
            return missing(what);
        }
        return *value;
    }
    Result<std::optional<bool>> boolean(std::string_view what) {
        TRY(const Item item, members_.next());
        const auto value = item.boolean();
        if (!value && !item.is_null()) {
            return wrong_type(what);
        }
        return value;
    }
    Result<std::optional<std::string>> text(std::string_view what) {
        TRY(const Item item, members_.next());
        const auto value = item.text();
        if (!value) {
            return item.is_null() ? Result<std::optional<std::string>>{std::nullopt}
                                  : wrong_type(what);
        }
        if (!is_utf8(*value)) {
            return refusal(condition::decode_error, std::string{what} + " is not UTF-8");
        }
        return std::optional{std::string{*value}};
    }

private:
    MemberReader members_;
};

/// A described list of that kind at the start of a frame.
inline Result<Item> performative_of(ItemReader& reader) {
    TRY(const Item item, reader.next());
    if (!item.described || item.type != Type::list) {
        return refusal(condition::decode_error, "a frame without a performative");
    }
    return item;
}

/// Collects the fields of a performative.
class List {
public:
    explicit List(std::uint8_t descriptor) : descriptor_(descriptor) {}

    List& null(int count = 1) {
        for (int i = 0; i < count; ++i) {
            put_null(next());
        }
        return *this;
    }
    List& boolean(bool value) { return put_boolean(next(), value), *this; }
    List& ubyte(std::uint8_t value) { return put_ubyte(next(), value), *this; }
    List& uint(std::uint32_t value) { return put_uint(next(), value), *this; }
    List& uint(const std::optional<std::uint32_t>& value) { return value ? uint(*value) : null(); }
    List& ushort(std::uint16_t value) {
        std::string& into = next();
        into.push_back('\x60');
        into.push_back(static_cast<char>(value >> 8));
        into.push_back(static_cast<char>(value));
        return *this;
    }
    List& ulong(std::uint64_t value) { return put_ulong(next(), value), *this; }
    List& string(std::string_view text) { return put_string(next(), text), *this; }
    List& symbol(std::string_view text) { return put_symbol(next(), text), *this; }
    List& binary(std::string_view bytes) { return put_binary(next(), bytes), *this; }
    List& encoded(std::string_view value) { return next().append(value), *this; }

    std::string done() const {
        std::string whole;
        put_descriptor(whole, descriptor_);
        put_list(whole, count_, members_);
        return whole;
    }

private:
    std::string& next() {
        ++count_;
        return members_;
    }

    std::uint8_t descriptor_;
    std::uint32_t count_ = 0;
    std::string members_;
};

}  // namespace rollcall::net::amqp
