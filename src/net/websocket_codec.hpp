// SPDX-License-Identifier: Apache-2.0
// WebSocket frames <-> bytes, the server's side (RFC 6455 section 5): a value that is fed bytes,
// without sockets. Payload goes through where it lies, unmasked in place; of a message nothing is
// collected. Strict: what the standard tells an endpoint to fail the connection for, fails it.
// net/websocket puts it behind a Stream.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace rollcall::net {

/// RFC 6455 section 5.2.
enum class WebSocketOpcode : std::uint8_t {
    continuation = 0x0,
    text = 0x1,
    binary = 0x2,
    close = 0x8,
    ping = 0x9,
    pong = 0xa,
};

/// What we say when we close (RFC 6455 section 7.4.1).
enum class WebSocketClose : std::uint16_t {
    normal = 1000,
    going_away = 1001,
    protocol_error = 1002,
    unsupported_data = 1003,
    invalid_text = 1007,
    message_too_big = 1009,
};

/// Reads the frames of a client.
class WebSocketReader {
public:
    enum class Step {
        nothing,  ///< nothing to tell; the rest may hold something
        payload,  ///< bytes of a binary message
        ping,     ///< control() is to be sent back as a pong
        close,    ///< the peer closes: control() is its code and words, or empty; feed no more
        refused,  ///< see refusal(); feed no more
    };
    struct Progress {
        Step step = Step::nothing;
        std::size_t consumed = 0;
        std::span<std::uint8_t> payload{};  ///< within what was fed
    };

    /// Larger messages are refused, whether they come in one frame or in many.
    explicit WebSocketReader(std::size_t message_bytes_max);

    /// Takes of `bytes` up to the first thing worth telling. Unmasks where they lie.
    Progress feed(std::span<std::uint8_t> bytes);

    /// The payload of the ping or close that feed() has just told of.
    ByteView control() const { return {control_.data(), control_size_}; }

    WebSocketClose refusal_code() const { return refusal_; }
    /// malformed, unsupported (text) or too_large.
    Error refusal() const;

private:
    void unmask(std::span<std::uint8_t> payload);
    bool read_head(std::span<std::uint8_t> bytes, std::size_t& eaten);
    bool begin_frame();
    bool check_kind();
    Step end_frame();
    bool check_close();
    bool refuse(WebSocketClose code, std::string_view why);

    bool is_control() const { return (head_[0] & 0x08) != 0; }
    bool is_final() const { return (head_[0] & 0x80) != 0; }
    WebSocketOpcode opcode() const { return WebSocketOpcode(head_[0] & 0x0f); }

    const std::size_t message_bytes_max_;
    std::size_t message_bytes_ = 0;  ///< of the message under way, this frame included
    std::uint64_t remaining_ = 0;    ///< of the frame's payload
    std::string_view why_{};
    WebSocketClose refusal_ = WebSocketClose::normal;
    bool in_message_ = false;  ///< a fragment was the last data frame, not the final one
    bool in_payload_ = false;  ///< the head is complete
    std::uint8_t head_size_ = 0;
    std::uint8_t mask_at_ = 0;
    std::uint8_t control_size_ = 0;
    std::array<std::uint8_t, 14> head_{};
    std::array<std::uint8_t, 125> control_{};
};

/// The beginning of a frame we send: final, not masked.
void append_frame_head(Bytes& wire, WebSocketOpcode opcode, std::size_t payload_size);

/// A whole control frame; `payload` has 125 bytes at most.
void append_control_frame(Bytes& wire, WebSocketOpcode opcode, ByteView payload);
void append_close_frame(Bytes& wire, WebSocketClose code);

}  // namespace rollcall::net
