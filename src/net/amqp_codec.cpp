// SPDX-License-Identifier: Apache-2.0
#include "net/amqp_codec.hpp"

#include <bit>
#include <utility>

namespace rollcall::net::amqp {
namespace {

std::uint64_t big_endian(ByteView bytes) {
    std::uint64_t value = 0;
    for (const std::uint8_t byte : bytes) {
        value = (value << 8) | byte;
    }
    return value;
}

void put_big_endian(std::string& into, std::uint64_t value, std::size_t bytes) {
    while (bytes-- > 0) {
        into.push_back(static_cast<char>(value >> (8 * bytes)));
    }
}

Error not_a_value() {
    return refusal(condition::decode_error, "the bytes are no AMQP value");
}

/// Bytes of a value's body by the upper half of its constructor (part 1, 1.2); sized ones have a
/// length of `size_bytes`.
struct Shape {
    std::size_t fixed_bytes = 0;
    std::size_t size_bytes = 0;
    std::size_t count_bytes = 0;
};

std::optional<Shape> shape_of(std::uint8_t code) {
    switch (code >> 4) {
        case 0x4: return Shape{0, 0, 0};
        case 0x5: return Shape{1, 0, 0};
        case 0x6: return Shape{2, 0, 0};
        case 0x7: return Shape{4, 0, 0};
        case 0x8: return Shape{8, 0, 0};
        case 0x9: return Shape{16, 0, 0};
        case 0xa: return Shape{0, 1, 0};
        case 0xb: return Shape{0, 4, 0};
        case 0xc: return Shape{0, 1, 1};
        case 0xd: return Shape{0, 4, 4};
        case 0xe: return Shape{0, 1, 1};
        case 0xf: return Shape{0, 4, 4};
        default: return std::nullopt;
    }
}

std::optional<Type> type_of(std::uint8_t code) {
    switch (code) {
        case 0x40: return Type::null;
        case 0x41:
        case 0x42:
        case 0x56: return Type::boolean;
        case 0x43:
        case 0x44:
        case 0x50:
        case 0x52:
        case 0x53:
        case 0x60:
        case 0x70:
        case 0x80: return Type::unsigned_int;
        case 0x51:
        case 0x54:
        case 0x55:
        case 0x61:
        case 0x71:
        case 0x81: return Type::signed_int;
        case 0x72:
        case 0x82: return Type::floating;
        case 0x73:
        case 0x74:
        case 0x84:
        case 0x94: return Type::other;
        case 0x83: return Type::timestamp;
        case 0x98: return Type::uuid;
        case 0xa0:
        case 0xb0: return Type::binary;
        case 0xa1:
        case 0xb1: return Type::string;
        case 0xa3:
        case 0xb3: return Type::symbol;
        case 0x45:
        case 0xc0:
        case 0xd0: return Type::list;
        case 0xc1:
        case 0xd1: return Type::map;
        case 0xe0:
        case 0xf0: return Type::array;
        default: return std::nullopt;
    }
}

void put_sized(std::string& into, std::uint8_t short_code, std::uint8_t long_code,
               std::string_view bytes) {
    constexpr std::size_t short_max = 255;
    const bool fits = bytes.size() <= short_max;
    into.push_back(static_cast<char>(fits ? short_code : long_code));
    put_big_endian(into, bytes.size(), fits ? 1 : 4);
    into.append(bytes);
}

void put_compound(std::string& into, std::uint8_t short_code, std::uint8_t long_code,
                  std::uint32_t count, std::string_view members) {
    constexpr std::size_t short_max = 254;
    const bool fits = members.size() <= short_max && count <= short_max;
    const std::size_t width = fits ? 1 : 4;
    into.push_back(static_cast<char>(fits ? short_code : long_code));
    put_big_endian(into, members.size() + width, width);
    put_big_endian(into, count, width);
    into.append(members);
}

}  // namespace

Error refusal(std::string_view condition, std::string detail) {
    return {ErrorKind::malformed, std::move(detail), std::string{condition}};
}

// --- Reading -------------------------------------------------------------------------------------

std::optional<bool> Item::boolean() const {
    if (type != Type::boolean) {
        return std::nullopt;
    }
    return code == 0x56 ? body[0] != 0 : code == 0x41;
}

std::optional<std::uint64_t> Item::number() const {
    return type == Type::unsigned_int ? std::optional{big_endian(body)} : std::nullopt;
}

std::optional<std::int64_t> Item::integer() const {
    if (type != Type::signed_int && type != Type::timestamp) {
        return std::nullopt;
    }
    const std::uint64_t value = big_endian(body);
    switch (body.size()) {
        case 1: return static_cast<std::int8_t>(value);
        case 2: return static_cast<std::int16_t>(value);
        case 4: return static_cast<std::int32_t>(value);
        default: return static_cast<std::int64_t>(value);
    }
}

std::optional<double> Item::floating() const {
    if (type != Type::floating) {
        return std::nullopt;
    }
    const std::uint64_t value = big_endian(body);
    return body.size() == 4 ? double{std::bit_cast<float>(static_cast<std::uint32_t>(value))}
                            : std::bit_cast<double>(value);
}

std::optional<std::string_view> Item::text() const {
    return type == Type::string || type == Type::symbol ? std::optional{as_text(body)}
                                                        : std::nullopt;
}

std::optional<ByteView> Item::bytes() const {
    return type == Type::binary || type == Type::uuid ? std::optional{body} : std::nullopt;
}

/// A value, described once or not at all: no performative and no message section has more.
Result<Item> ItemReader::next() {
    if (left_.empty()) {
        return not_a_value();
    }
    const ByteView all = left_;
    const bool described = left_[0] == 0x00;
    std::uint64_t descriptor = 0;
    if (described) {
        left_ = left_.subspan(1);
        TRY(const Item name, constructed());
        if (name.type != Type::symbol && name.type != Type::unsigned_int) {
            return not_a_value();
        }
        descriptor = name.number().value_or(0);
    }
    TRY(Item item, constructed());
    item.described = described;
    item.descriptor = descriptor;
    item.whole = all.first(all.size() - left_.size());
    return item;
}

Result<Item> ItemReader::constructed() {
    if (left_.empty()) {
        return not_a_value();
    }
    Item item;
    item.code = left_[0];
    const auto type = type_of(item.code);
    const auto shape = shape_of(item.code);
    if (!type || !shape || left_.size() < 1 + shape->size_bytes) {
        return not_a_value();
    }
    item.type = *type;
    left_ = left_.subspan(1);
    std::size_t bytes = shape->fixed_bytes;
    if (shape->size_bytes > 0) {
        bytes = static_cast<std::size_t>(big_endian(left_.first(shape->size_bytes)));
        left_ = left_.subspan(shape->size_bytes);
    }
    if (bytes > left_.size() || bytes < shape->count_bytes) {
        return not_a_value();
    }
    item.body = left_.first(bytes);
    left_ = left_.subspan(bytes);
    if (shape->count_bytes > 0) {
        item.count = static_cast<std::uint32_t>(big_endian(item.body.first(shape->count_bytes)));
        item.body = item.body.subspan(shape->count_bytes);
        // Each member of a list or map takes a byte at least.
        if (item.type != Type::array && item.count > item.body.size()) {
            return not_a_value();
        }
    }
    return item;
}

Result<Item> MemberReader::next() {
    if (left_ == 0) {
        return Item{};
    }
    --left_;
    return reader_.next();
}

// --- Writing -------------------------------------------------------------------------------------

void put_null(std::string& into) {
    into.push_back('\x40');
}

void put_boolean(std::string& into, bool value) {
    into.push_back(value ? '\x41' : '\x42');
}

void put_ubyte(std::string& into, std::uint8_t value) {
    into.push_back('\x50');
    into.push_back(static_cast<char>(value));
}

void put_uint(std::string& into, std::uint32_t value) {
    if (value == 0) {
        into.push_back('\x43');
    } else if (value <= 0xff) {
        into.push_back('\x52');
        into.push_back(static_cast<char>(value));
    } else {
        into.push_back('\x70');
        put_big_endian(into, value, 4);
    }
}

void put_ulong(std::string& into, std::uint64_t value) {
    into.push_back('\x80');
    put_big_endian(into, value, 8);
}

void put_int(std::string& into, std::int32_t value) {
    into.push_back('\x71');
    put_big_endian(into, static_cast<std::uint32_t>(value), 4);
}

void put_long(std::string& into, std::int64_t value) {
    into.push_back('\x81');
    put_big_endian(into, static_cast<std::uint64_t>(value), 8);
}

void put_double(std::string& into, double value) {
    into.push_back('\x82');
    put_big_endian(into, std::bit_cast<std::uint64_t>(value), 8);
}

void put_timestamp(std::string& into, std::int64_t milliseconds) {
    into.push_back('\x83');
    put_big_endian(into, static_cast<std::uint64_t>(milliseconds), 8);
}

void put_uuid(std::string& into, ByteView sixteen) {
    INVARIANT(sixteen.size() == 16);
    into.push_back('\x98');
    into.append(as_text(sixteen));
}

void put_binary(std::string& into, std::string_view bytes) {
    put_sized(into, 0xa0, 0xb0, bytes);
}

void put_string(std::string& into, std::string_view text) {
    put_sized(into, 0xa1, 0xb1, text);
}

void put_symbol(std::string& into, std::string_view text) {
    put_sized(into, 0xa3, 0xb3, text);
}

void put_list(std::string& into, std::uint32_t count, std::string_view members) {
    put_compound(into, 0xc0, 0xd0, count, members);
}

void put_map(std::string& into, std::uint32_t count, std::string_view members) {
    put_compound(into, 0xc1, 0xd1, count, members);
}

void put_descriptor(std::string& into, std::uint8_t descriptor) {
    into.push_back('\0');
    into.push_back('\x53');
    into.push_back(static_cast<char>(descriptor));
}

// --- Frames --------------------------------------------------------------------------------------

void FrameReader::feed(ByteView bytes) {
    bytes_.append(as_text(bytes));
}

void FrameReader::used(std::size_t bytes) {
    at_ += bytes;
    if (at_ == bytes_.size()) {
        constexpr std::size_t kept_bytes = 4'096;  // a quiet connection holds no large frame's room
        if (bytes_.capacity() > kept_bytes) {
            bytes_ = std::string{};
        }
        bytes_.clear();
        at_ = 0;
    } else if (at_ > bytes_.size() / 2) {
        bytes_.erase(0, at_);
        at_ = 0;
    }
}

std::optional<std::string> FrameReader::header() {
    if (waiting().size() < amqp_header.size()) {
        return std::nullopt;
    }
    std::string header{waiting().substr(0, amqp_header.size())};
    used(header.size());
    return header;
}

Result<std::optional<Frame>> FrameReader::frame(FrameType type, std::size_t bytes_max) {
    constexpr std::size_t head = 8;
    const ByteView bytes = as_bytes(waiting());
    if (bytes.size() < 4) {
        return std::optional<Frame>{};
    }
    const auto size = static_cast<std::size_t>(big_endian(bytes.first(4)));
    if (size < head || size > bytes_max) {
        return refusal(condition::framing_error, "a frame of " + std::to_string(size) + " bytes; " +
                                                     std::to_string(bytes_max) + " are taken");
    }
    if (bytes.size() < size) {
        return std::optional<Frame>{};
    }
    const std::size_t offset = std::size_t{bytes[4]} * 4;
    if (offset < head || offset > size || bytes[5] != static_cast<std::uint8_t>(type)) {
        return refusal(condition::framing_error, "a frame of another form or type");
    }
    Frame frame;
    frame.channel = static_cast<std::uint16_t>(big_endian(bytes.subspan(6, 2)));
    frame.body = as_text(bytes.subspan(offset, size - offset));
    used(size);
    return std::optional{std::move(frame)};
}

void put_frame(std::string& into, FrameType type, std::uint16_t channel,
               std::string_view performative, std::string_view payload) {
    constexpr std::size_t head = 8;
    put_big_endian(into, head + performative.size() + payload.size(), 4);
    into.push_back('\2');
    into.push_back(static_cast<char>(type));
    put_big_endian(into, channel, 2);
    into.append(performative);
    into.append(payload);
}

}  // namespace rollcall::net::amqp
