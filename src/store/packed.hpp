// SPDX-License-Identifier: Apache-2.0
// Texts and numbers one behind the other in bytes, and message properties in that form: what a
// column of hub_rows and a record of the telemetry log hold. A count or length takes as many bytes
// as it needs (seven bits in each, the lowest first); fixed numbers are little-endian.
#pragma once

#include "base/bytes.hpp"
#include "domain/twin.hpp"

#include <string>

namespace rollcall::store {

/// Writes at the end of `bytes`, which outlives it.
class Packer {
public:
    explicit Packer(Bytes& bytes) : bytes_(bytes) {}

    void number32(std::uint32_t value);
    void number64(std::uint64_t value);
    void count(std::uint64_t value);
    void text(std::string_view value);
    void properties(const domain::MessageProperties& properties);
    /// Without a length: the reader takes what is left.
    void rest(std::string_view value);

private:
    void fixed(std::uint64_t value, int size);

    Bytes& bytes_;
};

/// Reads what a Packer wrote. After a value that cannot be there everything reads as empty, and
/// sound() says so.
class Unpacker {
public:
    explicit Unpacker(ByteView bytes) : left_(bytes) {}

    std::uint32_t number32() { return static_cast<std::uint32_t>(fixed(sizeof(std::uint32_t))); }
    std::uint64_t number64() { return fixed(sizeof(std::uint64_t)); }
    std::uint64_t count();
    std::string text();
    domain::MessageProperties properties();
    std::string rest();

    bool sound() const { return sound_; }
    /// Sound, and nothing is left.
    bool complete() const { return sound_ && left_.empty(); }

private:
    ByteView take(std::uint64_t size);
    std::uint64_t fixed(std::size_t size);

    ByteView left_;
    bool sound_ = true;
};

/// What the Packer's functions of these names will write.
std::size_t packed_size(std::string_view text);
std::size_t packed_size(const domain::MessageProperties& properties);

Bytes packed(const domain::MessageProperties& properties);
/// internal for bytes that packed() does not give.
Result<domain::MessageProperties> unpack_properties(ByteView bytes);

}  // namespace rollcall::store
