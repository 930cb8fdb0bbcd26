// SPDX-License-Identifier: Apache-2.0
// AMQP 1.0 values and frames: bytes <-> values (OASIS AMQP 1.0, parts 1 and 2.3). Nothing is
// decoded before it is asked for: a value is a view of its bytes, a list is walked, what nobody
// wants is stepped over by its length, so that no input costs more memory than it has bytes. Knows
// no performatives and no connection. Used by amqp_performative, amqp_message and amqp_engine.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rollcall::net::amqp {

/// The conditions of the standard and of Azure that are told to a client.
namespace condition {
inline constexpr std::string_view decode_error = "amqp:decode-error";
inline constexpr std::string_view framing_error = "amqp:connection:framing-error";
inline constexpr std::string_view forced = "amqp:connection:forced";
inline constexpr std::string_view frame_size_too_small = "amqp:frame-size-too-small";
inline constexpr std::string_view illegal_state = "amqp:illegal-state";
inline constexpr std::string_view invalid_field = "amqp:invalid-field";
inline constexpr std::string_view not_allowed = "amqp:not-allowed";
inline constexpr std::string_view not_found = "amqp:not-found";
inline constexpr std::string_view not_implemented = "amqp:not-implemented";
inline constexpr std::string_view precondition_failed = "amqp:precondition-failed";
inline constexpr std::string_view resource_limit = "amqp:resource-limit-exceeded";
inline constexpr std::string_view unauthorized = "amqp:unauthorized-access";
inline constexpr std::string_view window_violation = "amqp:session:window-violation";
inline constexpr std::string_view errant_link = "amqp:session:errant-link";
inline constexpr std::string_view handle_in_use = "amqp:session:handle-in-use";
inline constexpr std::string_view unattached_handle = "amqp:session:unattached-handle";
inline constexpr std::string_view transfer_limit = "amqp:link:transfer-limit-exceeded";
inline constexpr std::string_view stolen = "amqp:link:stolen";
inline constexpr std::string_view message_size = "amqp:link:message-size-exceeded";
inline constexpr std::string_view argument_error = "com.microsoft:argument-error";
inline constexpr std::string_view throttled = "com.microsoft:device-container-throttled";
inline constexpr std::string_view timeout = "com.microsoft:timeout";
}  // namespace condition

/// `reason` is the condition a client is to be told.
Error refusal(std::string_view condition, std::string detail);

enum class Type : std::uint8_t {
    null,
    boolean,
    unsigned_int,  ///< ubyte, ushort, uint, ulong
    signed_int,    ///< byte, short, int, long
    floating,      ///< float, double
    other,         ///< char, decimals: stepped over only
    timestamp,
    uuid,
    binary,
    string,
    symbol,
    list,
    map,
    array,
};

/// One encoded value; views its bytes. Descriptors are numbers (symbolic ones count as 0, which
/// nothing here is described by).
struct Item {
    Type type = Type::null;
    std::uint8_t code = 0x40;  ///< constructor
    bool described = false;
    std::uint64_t descriptor = 0;
    ByteView body{};          ///< after constructor, size and count
    std::uint32_t count = 0;  ///< of members: list, map
    ByteView whole{};         ///< with descriptor and constructor

    bool is_null() const { return type == Type::null; }
    /// Each none where it is of another type.
    std::optional<bool> boolean() const;
    std::optional<std::uint64_t> number() const;  ///< unsigned_int
    std::optional<std::int64_t> integer() const;  ///< signed_int, timestamp
    std::optional<double> floating() const;
    std::optional<std::string_view> text() const;  ///< string or symbol; not checked to be UTF-8
    std::optional<ByteView> bytes() const;         ///< binary or uuid
};

/// Walks encoded values that follow one another.
class ItemReader {
public:
    explicit ItemReader(ByteView bytes) : left_(bytes) {}

    bool done() const { return left_.empty(); }
    ByteView rest() const { return left_; }
    /// decode_error when no whole value of a known type is there.
    Result<Item> next();

private:
    Result<Item> constructed();

    ByteView left_;
};

/// The members of a list or map one after another; those that are missing at the end are null.
class MemberReader {
public:
    explicit MemberReader(const Item& compound) : reader_(compound.body), left_(compound.count) {}

    bool done() const { return left_ == 0; }
    Result<Item> next();

private:
    ItemReader reader_;
    std::uint32_t left_;
};

// --- Writing -------------------------------------------------------------------------------------

void put_null(std::string& into);
void put_boolean(std::string& into, bool value);
void put_ubyte(std::string& into, std::uint8_t value);
void put_uint(std::string& into, std::uint32_t value);
void put_ulong(std::string& into, std::uint64_t value);
void put_int(std::string& into, std::int32_t value);
void put_long(std::string& into, std::int64_t value);
void put_double(std::string& into, double value);
void put_timestamp(std::string& into, std::int64_t milliseconds);
void put_uuid(std::string& into, ByteView sixteen);
void put_binary(std::string& into, std::string_view bytes);
void put_string(std::string& into, std::string_view text);
void put_symbol(std::string& into, std::string_view text);
/// `members`: encoded, one after another.
void put_list(std::string& into, std::uint32_t count, std::string_view members);
void put_map(std::string& into, std::uint32_t count, std::string_view members);
void put_descriptor(std::string& into, std::uint8_t descriptor);

// --- Frames --------------------------------------------------------------------------------------

inline constexpr std::string_view amqp_header{"AMQP\0\1\0\0", 8};
inline constexpr std::string_view sasl_header{"AMQP\3\1\0\0", 8};

enum class FrameType : std::uint8_t { amqp = 0, sasl = 1 };

struct Frame {
    std::uint16_t channel = 0;
    std::string body{};  ///< empty: only says that the peer is there
};

/// Cuts what comes into headers and frames.
class FrameReader {
public:
    void feed(ByteView bytes);

    /// The next eight bytes, once they are there.
    std::optional<std::string> header();
    /// framing_error: not a frame of that type, or one of more than `bytes_max` (told from its
    /// first four bytes).
    Result<std::optional<Frame>> frame(FrameType type, std::size_t bytes_max);
    bool empty() const { return at_ == bytes_.size(); }

private:
    std::string_view waiting() const { return std::string_view{bytes_}.substr(at_); }
    void used(std::size_t bytes);

    std::string bytes_;
    std::size_t at_ = 0;
};

/// Puts a frame: `performative` and what follows it.
void put_frame(std::string& into, FrameType type, std::uint16_t channel,
               std::string_view performative, std::string_view payload = {});

}  // namespace rollcall::net::amqp
