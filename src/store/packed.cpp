// SPDX-License-Identifier: Apache-2.0
#include "store/packed.hpp"

namespace rollcall::store {
namespace {

constexpr unsigned bits_of_count = 7;
constexpr std::uint8_t more_follow = 0x80;

/// A value's length and one; zero is a null value, which is not an empty one.
std::uint64_t mark_of(const domain::MessageProperty& property) {
    return property.is_null ? 0 : std::uint64_t{property.value.size()} + 1;
}

std::size_t count_size(std::uint64_t value) {
    std::size_t size = 1;
    while (value >= more_follow) {
        value >>= bits_of_count;
        ++size;
    }
    return size;
}

}  // namespace

// --- Writing --------------------------------------------------------------------------------

void Packer::fixed(std::uint64_t value, int size) {
    for (int i = 0; i < size; ++i) {
        bytes_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    }
}

void Packer::number32(std::uint32_t value) {
    fixed(value, sizeof value);
}

void Packer::number64(std::uint64_t value) {
    fixed(value, sizeof value);
}

void Packer::count(std::uint64_t value) {
    while (value >= more_follow) {
        bytes_.push_back(static_cast<std::uint8_t>(value | more_follow));
        value >>= bits_of_count;
    }
    bytes_.push_back(static_cast<std::uint8_t>(value));
}

void Packer::text(std::string_view value) {
    count(value.size());
    rest(value);
}

void Packer::rest(std::string_view value) {
    bytes_.insert(bytes_.end(), value.begin(), value.end());
}

void Packer::properties(const domain::MessageProperties& properties) {
    count(properties.size());
    for (const auto& property : properties) {
        text(property.name);
        count(mark_of(property));
        if (!property.is_null) {
            rest(property.value);
        }
    }
}

std::size_t packed_size(std::string_view text) {
    return count_size(text.size()) + text.size();
}

std::size_t packed_size(const domain::MessageProperties& properties) {
    std::size_t size = count_size(properties.size());
    for (const auto& property : properties) {
        size += packed_size(property.name) + count_size(mark_of(property));
        size += property.is_null ? 0 : property.value.size();
    }
    return size;
}

Bytes packed(const domain::MessageProperties& properties) {
    Bytes bytes;
    bytes.reserve(packed_size(properties));
    Packer{bytes}.properties(properties);
    return bytes;
}

// --- Reading --------------------------------------------------------------------------------

ByteView Unpacker::take(std::uint64_t size) {
    if (!sound_ || size > left_.size()) {
        sound_ = false;
        return {};
    }
    const ByteView taken = left_.first(static_cast<std::size_t>(size));
    left_ = left_.subspan(taken.size());
    return taken;
}

std::uint64_t Unpacker::fixed(std::size_t size) {
    std::uint64_t value = 0;
    unsigned place = 0;
    for (const std::uint8_t byte : take(size)) {
        value |= std::uint64_t{byte} << place;
        place += 8;
    }
    return value;
}

std::uint64_t Unpacker::count() {
    constexpr unsigned places_max = 63;  // more would not fit
    std::uint64_t value = 0;
    for (unsigned place = 0; place < places_max; place += bits_of_count) {
        const ByteView byte = take(1);
        if (byte.empty()) {
            return 0;
        }
        value |= std::uint64_t{byte[0] & (more_follow - 1U)} << place;
        if (byte[0] < more_follow) {
            return value;
        }
    }
    sound_ = false;
    return 0;
}

std::string Unpacker::text() {
    return std::string{as_text(take(count()))};
}

std::string Unpacker::rest() {
    return std::string{as_text(take(left_.size()))};
}

domain::MessageProperties Unpacker::properties() {
    domain::MessageProperties properties;
    // Each takes two bytes at least, so that a wrong count ends here and not in memory.
    for (std::uint64_t left = count(); left > 0 && sound_; --left) {
        domain::MessageProperty property;
        property.name = text();
        const std::uint64_t mark = count();
        property.is_null = mark == 0;
        if (!property.is_null) {
            property.value = as_text(take(mark - 1));
        }
        properties.push_back(std::move(property));
    }
    if (!sound_) {
        properties.clear();
    }
    return properties;
}

Result<domain::MessageProperties> unpack_properties(ByteView bytes) {
    Unpacker unpacker{bytes};
    auto properties = unpacker.properties();
    if (!unpacker.complete()) {
        return Error{ErrorKind::internal, "a stored record cannot be read", "unreadable-record",
                     "message properties"};
    }
    return properties;
}

}  // namespace rollcall::store
