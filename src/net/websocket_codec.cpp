// SPDX-License-Identifier: Apache-2.0
#include "net/websocket_codec.hpp"

#include "base/invariant.hpp"
#include "base/utf8.hpp"

#include <algorithm>
#include <string>

namespace rollcall::net {
namespace {

/// RFC 6455 section 5.5: what fits the seven bits of the second byte.
constexpr std::size_t control_bytes_max = 125;
constexpr std::size_t mask_size = 4;

bool is_known(WebSocketOpcode opcode) {
    switch (opcode) {
        case WebSocketOpcode::continuation:
        case WebSocketOpcode::text:
        case WebSocketOpcode::binary:
        case WebSocketOpcode::close:
        case WebSocketOpcode::ping:
        case WebSocketOpcode::pong: return true;
    }
    return false;
}

/// Bytes of the length that follow the second byte (RFC 6455 section 5.2).
std::size_t length_size(std::uint8_t second) {
    const unsigned length = second & 0x7fU;
    return length == 126 ? 2 : length == 127 ? 8 : 0;
}

std::uint64_t big_endian(ByteView bytes) {
    std::uint64_t value = 0;
    for (const auto byte : bytes) {
        value = (value << 8) | byte;
    }
    return value;
}

void append_big_endian(Bytes& wire, std::uint64_t value, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
        wire.push_back(static_cast<std::uint8_t>(value >> shift));
    }
}

/// May a close frame carry it? RFC 6455 section 7.4 and the registry: 1004 to 1006 and 1015 never
/// stand in a frame, from 3000 on they are others' business.
bool is_close_code(std::uint64_t code) {
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

}  // namespace

WebSocketReader::WebSocketReader(std::size_t message_bytes_max)
    : message_bytes_max_(message_bytes_max) {}

WebSocketReader::Progress WebSocketReader::feed(std::span<std::uint8_t> bytes) {
    std::size_t eaten = 0;
    if (!in_payload_) {
        if (!read_head(bytes, eaten)) {
            return {.step = Step::refused, .consumed = eaten};
        }
        if (!in_payload_) {
            return {.step = Step::nothing, .consumed = eaten};
        }
    }
    const auto size =
        static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, bytes.size() - eaten));
    const auto payload = bytes.subspan(eaten, size);
    unmask(payload);
    remaining_ -= size;
    if (is_control()) {
        std::copy(payload.begin(), payload.end(), control_.begin() + control_size_);
        control_size_ = static_cast<std::uint8_t>(control_size_ + size);
        const Step step = remaining_ == 0 ? end_frame() : Step::nothing;
        return {.step = step, .consumed = eaten + size};
    }
    if (remaining_ == 0) {
        end_frame();
    }
    return {.step = size > 0 ? Step::payload : Step::nothing,
            .consumed = eaten + size,
            .payload = payload};
}

/// RFC 6455 section 5.3. The key comes last in the head.
void WebSocketReader::unmask(std::span<std::uint8_t> payload) {
    std::array<std::uint8_t, mask_size> key{};  // a copy: payload might be anything, also head_
    for (std::size_t i = 0; i < mask_size; ++i) {
        key[i] = head_[head_size_ - mask_size + (mask_at_ + i) % mask_size];
    }
    for (std::size_t i = 0; i < payload.size(); ++i) {
        payload[i] = static_cast<std::uint8_t>(payload[i] ^ key[i % mask_size]);
    }
    mask_at_ = static_cast<std::uint8_t>((mask_at_ + payload.size()) % mask_size);
}

/// Takes what belongs to the frame's head; false when it is refused.
bool WebSocketReader::read_head(std::span<std::uint8_t> bytes, std::size_t& eaten) {
    std::size_t wanted = 2;
    for (;;) {
        if (head_size_ >= 2) {
            wanted = 2 + length_size(head_[1]) + mask_size;
        }
        if (head_size_ == wanted) {
            return begin_frame();
        }
        if (eaten == bytes.size()) {
            return true;
        }
        head_[head_size_++] = bytes[eaten++];
        if (head_size_ == 2 && !check_kind()) {
            return false;
        }
    }
}

/// Judges the first two bytes of a frame, each rule as RFC 6455 has it.
bool WebSocketReader::check_kind() {
    if ((head_[0] & 0x70) != 0) {  // 5.2: no extension was agreed on that would use them
        return refuse(WebSocketClose::protocol_error, "reserved bits are set");
    }
    if (!is_known(opcode())) {
        return refuse(WebSocketClose::protocol_error, "the opcode is unknown");
    }
    if ((head_[1] & 0x80) == 0) {  // 5.1
        return refuse(WebSocketClose::protocol_error, "a client's frame is not masked");
    }
    if (is_control()) {  // 5.5
        if (!is_final()) {
            return refuse(WebSocketClose::protocol_error, "a control frame is fragmented");
        }
        if ((head_[1] & 0x7fU) > control_bytes_max) {
            return refuse(WebSocketClose::protocol_error, "a control frame is too long");
        }
        return true;
    }
    if (in_message_ != (opcode() == WebSocketOpcode::continuation)) {  // 5.4
        return refuse(WebSocketClose::protocol_error,
                      in_message_ ? "a message begins within another"
                                  : "a continuation has nothing to continue");
    }
    if (opcode() == WebSocketOpcode::text) {  // both MQTT and AMQP are binary
        return refuse(WebSocketClose::unsupported_data, "messages must be binary");
    }
    return true;
}

/// The head is complete: how long is it, and may it be?
bool WebSocketReader::begin_frame() {
    const std::size_t size = length_size(head_[1]);
    const ByteView length = ByteView(head_).subspan(2, size);
    remaining_ = size == 0 ? head_[1] & 0x7fU : big_endian(length);
    // 5.2: the shortest way must be used, and the highest bit is 0.
    if ((size == 2 && remaining_ <= control_bytes_max) || (size == 8 && remaining_ <= 0xffff) ||
        (remaining_ >> 63) != 0) {
        return refuse(WebSocketClose::protocol_error, "the length is not written as it must be");
    }
    if (is_control()) {
        control_size_ = 0;
    } else {
        if (!in_message_) {
            message_bytes_ = 0;
        }
        if (remaining_ > message_bytes_max_ - message_bytes_) {
            return refuse(WebSocketClose::message_too_big, "the message is too large");
        }
        message_bytes_ += static_cast<std::size_t>(remaining_);
        in_message_ = !is_final();
    }
    mask_at_ = 0;
    in_payload_ = true;
    return true;
}

WebSocketReader::Step WebSocketReader::end_frame() {
    in_payload_ = false;
    head_size_ = 0;
    switch (opcode()) {
        case WebSocketOpcode::ping: return Step::ping;
        case WebSocketOpcode::close: return check_close() ? Step::close : Step::refused;
        default: return Step::nothing;  // a pong we did not ask for is no fault (5.5.3)
    }
}

/// RFC 6455 section 5.5.1: nothing, or a code and words for people.
bool WebSocketReader::check_close() {
    if (control_size_ == 0) {
        return true;
    }
    if (control_size_ == 1 || !is_close_code(big_endian(control().first(2)))) {
        return refuse(WebSocketClose::protocol_error, "the close code is none");
    }
    if (!is_utf8(as_text(control().subspan(2)))) {
        return refuse(WebSocketClose::invalid_text, "the reason of the close is not UTF-8");
    }
    return true;
}

bool WebSocketReader::refuse(WebSocketClose code, std::string_view why) {
    refusal_ = code;
    why_ = why;
    return false;
}

Error WebSocketReader::refusal() const {
    switch (refusal_) {
        case WebSocketClose::unsupported_data:
            return {ErrorKind::unsupported, std::string(why_), "websocket-text"};
        case WebSocketClose::message_too_big:
            return {ErrorKind::too_large,
                    "a message may have " + std::to_string(message_bytes_max_) + " bytes",
                    "websocket-message-too-large"};
        default: return {ErrorKind::malformed, std::string(why_), "websocket-malformed"};
    }
}

void append_frame_head(Bytes& wire, WebSocketOpcode opcode, std::size_t payload_size) {
    wire.push_back(static_cast<std::uint8_t>(0x80 | static_cast<std::uint8_t>(opcode)));
    if (payload_size <= control_bytes_max) {
        wire.push_back(static_cast<std::uint8_t>(payload_size));
    } else if (payload_size <= 0xffff) {
        wire.push_back(126);
        append_big_endian(wire, payload_size, 2);
    } else {
        wire.push_back(127);
        append_big_endian(wire, payload_size, 8);
    }
}

void append_control_frame(Bytes& wire, WebSocketOpcode opcode, ByteView payload) {
    INVARIANT(payload.size() <= control_bytes_max);
    append_frame_head(wire, opcode, payload.size());
    wire.insert(wire.end(), payload.begin(), payload.end());
}

void append_close_frame(Bytes& wire, WebSocketClose code) {
    append_frame_head(wire, WebSocketOpcode::close, 2);
    append_big_endian(wire, static_cast<std::uint16_t>(code), 2);
}

}  // namespace rollcall::net
