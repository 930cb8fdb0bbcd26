// SPDX-License-Identifier: Apache-2.0
// Fuzz target: a client's WebSocket frames as bytes. However they are cut into pieces (the first
// byte says how), the same payload must come out, the same pings and the same end; and never more
// of a message than may be.
#include "base/invariant.hpp"
#include "net/websocket_codec.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

namespace rollcall {
namespace {

using Step = net::WebSocketReader::Step;

constexpr std::size_t message_bytes_max = 2'048;

/// What the reader tells, payload joined to payload.
std::string read_all(ByteView bytes, std::size_t piece) {
    net::WebSocketReader reader{message_bytes_max};
    std::string seen;
    while (!bytes.empty()) {
        const auto part = bytes.first(std::min(piece, bytes.size()));
        Bytes copy(part.begin(), part.end());  // it unmasks in place
        const auto progress = reader.feed(copy);
        INVARIANT(progress.consumed <= copy.size());
        INVARIANT(progress.payload.size() <= message_bytes_max);
        switch (progress.step) {
            case Step::nothing: break;
            case Step::payload: seen += as_text(progress.payload); break;
            case Step::ping: seen += "\nping " + to_hex(reader.control()) + "\n"; break;
            case Step::close: return seen + "\nclose " + to_hex(reader.control());
            case Step::refused:
                INVARIANT(!reader.refusal().detail.empty());
                return seen + "\nrefused " + std::to_string(int(reader.refusal_code()));
        }
        INVARIANT(progress.consumed > 0);
        bytes = bytes.subspan(progress.consumed);
    }
    return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) {
        return 0;
    }
    const ByteView bytes{data + 1, size - 1};
    const auto whole = read_all(bytes, bytes.size());
    const auto pieces = read_all(bytes, std::size_t{1} + data[0] % 64);
    INVARIANT(whole == pieces);
    return 0;
}

}  // namespace rollcall
