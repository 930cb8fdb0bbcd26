// SPDX-License-Identifier: Apache-2.0
// The client's side of a WebSocket, for tests: requests as real clients send them, masked frames,
// and a reader of what the server sends. Also makes frames that no client would send.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rollcall::test {

inline constexpr std::string_view websocket_key = "dGhlIHNhbXBsZSBub25jZQ==";
inline constexpr std::string_view websocket_accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// "\x01\x02", counted, zero bytes included.
inline std::string big_endian(std::uint64_t value, int bytes) {
    std::string text;
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
        text.push_back(static_cast<char>(value >> shift));
    }
    return text;
}

/// A frame with any first byte (0x82: a whole binary message), its length written the short way.
inline std::string client_frame(unsigned first, std::string_view payload,
                                std::string_view mask = "\x37\xfa\x21\x3d") {
    std::string wire(1, static_cast<char>(first));
    if (payload.size() <= 125) {
        wire += big_endian(0x80 | payload.size(), 1);
    } else if (payload.size() <= 0xffff) {
        wire += big_endian(0x80 | 126, 1) + big_endian(payload.size(), 2);
    } else {
        wire += big_endian(0x80 | 127, 1) + big_endian(payload.size(), 8);
    }
    wire += mask;
    for (std::size_t i = 0; i < payload.size(); ++i) {
        wire.push_back(static_cast<char>(payload[i] ^ mask[i % mask.size()]));
    }
    return wire;
}

inline std::string binary(std::string_view payload) {
    return client_frame(0x82, payload);
}
inline std::string ping(std::string_view payload) {
    return client_frame(0x89, payload);
}
inline std::string closing(std::uint64_t code, std::string_view reason = "") {
    return client_frame(0x88, big_endian(code, 2) + std::string(reason));
}

/// What a server sent: the first byte and the payload. A frame with first == 0 is the end.
struct ServerFrame {
    unsigned first = 0;
    std::string payload{};

    bool operator==(const ServerFrame&) const = default;
    /// "82 hello", "88 1000": how tests write it.
    std::string str() const {
        constexpr std::string_view digits = "0123456789abcdef";
        std::string text{digits[first >> 4], digits[first & 0xf], ' '};
        if (first == 0x88 && payload.size() == 2) {
            const auto high = static_cast<unsigned char>(payload[0]);
            const auto low = static_cast<unsigned char>(payload[1]);
            return text + std::to_string(high * 256 + low);
        }
        return text + payload;
    }
};

/// Takes the first frame off `held`; none when it is not whole yet.
inline std::optional<ServerFrame> take_frame(std::string& held) {
    const auto byte = [&held](std::size_t at) {
        return static_cast<std::uint64_t>(static_cast<unsigned char>(held[at]));
    };
    if (held.size() < 2) {
        return std::nullopt;
    }
    std::uint64_t size = byte(1);  // a server's frame has no mask bit
    const std::size_t extra = size == 126 ? 2 : size == 127 ? 8 : 0;
    if (held.size() < 2 + extra) {
        return std::nullopt;
    }
    if (extra > 0) {
        size = 0;
        for (std::size_t i = 0; i < extra; ++i) {
            size = size << 8 | byte(2 + i);
        }
    }
    if (held.size() < 2 + extra + size) {
        return std::nullopt;
    }
    const ServerFrame frame{.first = static_cast<unsigned>(byte(0)),
                            .payload = held.substr(2 + extra, size)};
    held.erase(0, 2 + extra + size);
    return frame;
}

/// Speaks WebSocket over a WireClient or a TlsClient.
template <class Client>
class WebSocketClient {
public:
    explicit WebSocketClient(Client& client) : client_(client) {}

    /// Sends the request and gives the answer's head, with its empty line.
    std::string ask(std::string_view wire) {
        client_.send(wire);
        while (held_.find("\r\n\r\n") == std::string::npos) {
            if (!more()) {
                return "";
            }
        }
        const auto end = held_.find("\r\n\r\n") + 4;
        std::string head = held_.substr(0, end);
        held_.erase(0, end);
        return head;
    }
    bool send(std::string_view wire) { return client_.send(wire); }
    ServerFrame next() {
        for (;;) {
            if (auto frame = take_frame(held_)) {
                return *std::move(frame);
            }
            if (!more()) {
                return ServerFrame{};
            }
        }
    }
    std::string next_str() { return next().str(); }

private:
    bool more() {
        const std::string got = client_.receive();
        held_ += got;
        return !got.empty();
    }
    Client& client_;
    std::string held_;
};

/// A handshake as the Node SDK sends it; `fields` come on top.
inline std::string websocket_request(std::string_view path, std::string_view fields = "") {
    return "GET " + std::string(path) +
           " HTTP/1.1\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " +
           std::string(websocket_key) +
           "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nHost: dps.example\r\n" +
           std::string(fields) + "\r\n";
}

}  // namespace rollcall::test
