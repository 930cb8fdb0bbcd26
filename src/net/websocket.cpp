// SPDX-License-Identifier: Apache-2.0
#include "net/websocket.hpp"

#include "base/limits.hpp"
#include "net/ready_socket.hpp"
#include "net/runtime.hpp"
#include "net/websocket_codec.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <openssl/sha.h>

namespace rollcall::net {
namespace {

/// What a frame's head is sent together with: a TLS record's worth.
constexpr std::size_t first_write_bytes = 16 * 1024;

// --- handshake ---

std::string_view trimmed(std::string_view text) {
    const auto begin = std::min(text.find_first_not_of(" \t"), text.size());
    const auto end = text.find_last_not_of(" \t") + 1;
    return text.substr(begin, begin < end ? end - begin : 0);
}

/// RFC 9110 section 5.6.2.
bool is_token(std::string_view text) {
    static constexpr std::string_view separators = "\"(),/:;<=>?@[\\]{}";
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return c > 0x20 && c < 0x7f && separators.find(c) == std::string_view::npos;
    });
}

/// The elements of a list, over all fields of that name, until `take` says false.
template <class Take>
void for_each_element(const HttpRequest& request, std::string_view name, Take take) {
    for (const auto& [key, value] : request.headers) {
        if (!equal_ignoring_case(key, name)) {
            continue;
        }
        std::string_view rest = value;
        while (!rest.empty()) {
            const auto comma = std::min(rest.find(','), rest.size());
            if (!take(trimmed(rest.substr(0, comma)))) {
                return;
            }
            rest.remove_prefix(std::min(comma + 1, rest.size()));
        }
    }
}

bool lists(const HttpRequest& request, std::string_view name, std::string_view token) {
    bool found = false;
    for_each_element(request, name, [&](std::string_view element) {
        found = equal_ignoring_case(element, token);
        return !found;
    });
    return found;
}

/// The only field of that name; none when there is no such field, or several.
std::optional<std::string_view> only_header(const HttpRequest& request, std::string_view name) {
    const auto fields =
        std::count_if(request.headers.begin(), request.headers.end(),
                      [name](const auto& field) { return equal_ignoring_case(field.first, name); });
    return fields == 1 ? request.header(name) : std::nullopt;
}

/// base64 of 16 bytes (RFC 6455 section 4.2.1).
bool is_key(std::string_view text) {
    if (text.size() != 24 || !text.ends_with("==")) {
        return false;
    }
    const auto bytes = parse_base64(text);
    return bytes && bytes->size() == 16;
}

/// Shows the client that it was a WebSocket server who answered (RFC 6455 section 4.2.2).
std::string accept_key(std::string_view key) {
    const std::string proof = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    std::array<std::uint8_t, SHA_DIGEST_LENGTH> digest{};
    SHA1(as_bytes(proof).data(), proof.size(), digest.data());
    return to_base64(digest);
}

HttpRefusal bad_handshake(std::string detail) {
    return {400, Error{ErrorKind::malformed, std::move(detail), "malformed-websocket-handshake"}};
}

// --- the stream ---

/// Frames go out one at a time: the writer's messages, and what the peer is owed (a pong, a close).
/// Usually the reader sends that; while the writer is at it, the writer does so afterwards. So a
/// peer that does not read what it asked for keeps no more than one pong waiting.
class WebSocketStream final : public Stream {
public:
    WebSocketStream(Core& core, Stream& below, std::string received, std::size_t message_bytes_max)
        : core_(core),
          below_(below),
          received_(std::move(received)),
          frames_(message_bytes_max),
          facts_(below.facts()) {
        facts_.websocket = true;
    }

    Task<Result<Done>> open() override { co_return Done{}; }
    Task<Result<std::size_t>> read_some(std::span<std::uint8_t> into) override;
    Task<Result<Done>> write(ByteView bytes) override;
    Task<Result<Done>> shutdown() override;
    void interrupt_read() override;
    void close() override {
        received_.clear();
        below_.close();
    }
    const ConnectionFacts& facts() const override { return facts_; }

private:
    std::size_t take_received(std::span<std::uint8_t> into);
    std::size_t unpack(std::span<std::uint8_t> bytes);
    void answer_close();
    Result<std::size_t> how_it_ended() const;
    Task<void> wait_for_turn();
    Task<Result<Done>> send(ByteView first, ByteView rest);
    Task<Result<Done>> send_owed();

    Core& core_;
    Stream& below_;
    std::string received_;  ///< before there was a WebSocket, and not looked at yet
    WebSocketReader frames_;
    ConnectionFacts facts_;
    Bytes owed_;                             ///< control frames to be sent
    asio::steady_timer* waiting_ = nullptr;  ///< of a writer, until sending_ ends
    bool sending_ = false;
    bool answering_ = false;  ///< the reader sends what is owed
    bool closing_ = false;    ///< our close is sent or owed; nothing may follow it
    bool over_ = false;       ///< the peer closed, or was refused
    bool refused_ = false;
};

/// What is read lands in `into` at once and is unpacked there, so that an idle connection holds no
/// buffer. Frames without payload are done with before we wait on; nobody else's bytes can be in
/// `into` by then.
Task<Result<std::size_t>> WebSocketStream::read_some(std::span<std::uint8_t> into) {
    for (;;) {
        if (!owed_.empty()) {
            answering_ = true;
            const auto told = co_await send_owed();
            static_cast<void>(told);  // a lost connection shows when we read
            answering_ = false;
        }
        if (over_) {
            co_return how_it_ended();
        }
        std::size_t size = take_received(into);
        if (size == 0) {
            const auto got = co_await below_.read_some(into);
            if (!got || *got == 0) {
                co_return got;
            }
            size = *got;
        }
        const std::size_t payload = unpack(into.first(size));
        if (payload > 0) {
            co_return payload;
        }
    }
}

std::size_t WebSocketStream::take_received(std::span<std::uint8_t> into) {
    const std::size_t size = std::min(into.size(), received_.size());
    if (size > 0) {
        std::memcpy(into.data(), received_.data(), size);
        received_ = received_.substr(size);
    }
    return size;
}

/// Leaves the payload at the front of `bytes` and tells how much it is.
std::size_t WebSocketStream::unpack(std::span<std::uint8_t> bytes) {
    std::uint8_t* const front = bytes.data();
    std::size_t kept = 0;
    while (!bytes.empty() && !over_) {
        const auto progress = frames_.feed(bytes);
        switch (progress.step) {
            case WebSocketReader::Step::nothing: break;
            case WebSocketReader::Step::payload:
                std::memmove(front + kept, progress.payload.data(), progress.payload.size());
                kept += progress.payload.size();
                break;
            case WebSocketReader::Step::ping:
                if (!closing_) {
                    owed_.clear();  // the latest is enough (RFC 6455 section 5.5.3)
                    append_control_frame(owed_, WebSocketOpcode::pong, frames_.control());
                }
                break;
            case WebSocketReader::Step::close:
            case WebSocketReader::Step::refused:
                over_ = true;
                refused_ = progress.step == WebSocketReader::Step::refused;
                answer_close();
                break;
        }
        bytes = bytes.subspan(progress.consumed);
    }
    return kept;
}

void WebSocketStream::answer_close() {
    if (std::exchange(closing_, true)) {
        return;
    }
    if (refused_) {
        append_close_frame(owed_, frames_.refusal_code());
    } else {
        const auto code =
            frames_.control().first(std::min<std::size_t>(2, frames_.control().size()));
        append_control_frame(owed_, WebSocketOpcode::close, code);
    }
}

Result<std::size_t> WebSocketStream::how_it_ended() const {
    if (refused_) {
        return frames_.refusal();
    }
    return std::size_t{0};
}

Task<Result<Done>> WebSocketStream::write(ByteView bytes) {
    if (bytes.empty()) {
        co_return Done{};
    }
    co_await wait_for_turn();
    if (closing_) {  // the speaker goes now; the peer is told why
        const auto told = co_await send_owed();
        static_cast<void>(told);
        co_return connection_lost("the WebSocket is closed");
    }
    Bytes first = std::exchange(owed_, {});
    first.reserve(std::min(first_write_bytes, bytes.size() + 256));
    append_frame_head(first, WebSocketOpcode::binary, bytes.size());
    const std::size_t together = std::min(bytes.size(), first_write_bytes - first.size());
    first.insert(first.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(together));
    CO_TRY([[maybe_unused]] const auto sent, co_await send(first, bytes.subspan(together)));
    co_return co_await send_owed();
}

Task<Result<Done>> WebSocketStream::shutdown() {
    co_await wait_for_turn();
    if (!std::exchange(closing_, true)) {
        append_close_frame(owed_,
                           core_.draining() ? WebSocketClose::going_away : WebSocketClose::normal);
    }
    co_return co_await send_owed();
}

void WebSocketStream::interrupt_read() {
    // A reader that waits to send its answer has a peer that does not read, and half a frame can
    // neither be taken back nor left: there is nothing more to say.
    if (answering_) {
        below_.close();
    } else {
        below_.interrupt_read();
    }
}

/// For the writer, when the reader is sending.
Task<void> WebSocketStream::wait_for_turn() {
    while (sending_) {
        asio::steady_timer timer(core_.context(), asio::steady_timer::time_point::max());
        waiting_ = &timer;
        boost::system::error_code woken;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
        waiting_ = nullptr;
    }
}

Task<Result<Done>> WebSocketStream::send(ByteView first, ByteView rest) {
    sending_ = true;
    Result<Done> sent = co_await below_.write(first);
    if (sent && !rest.empty()) {
        sent = co_await below_.write(rest);
    }
    sending_ = false;
    if (waiting_ != nullptr) {
        waiting_->cancel();
    }
    co_return sent;
}

/// Unless somebody is sending already, who then goes on with it.
Task<Result<Done>> WebSocketStream::send_owed() {
    while (!owed_.empty() && !sending_) {
        const Bytes frames = std::exchange(owed_, {});
        CO_TRY([[maybe_unused]] const auto sent, co_await send(frames, ByteView()));
    }
    co_return Done{};
}

}  // namespace

bool asks_for_websocket(const HttpRequest& request) {
    return lists(request, "upgrade", "websocket");
}

std::vector<std::string> offered_subprotocols(const HttpRequest& request) {
    std::vector<std::string> offered;
    for_each_element(request, "sec-websocket-protocol", [&offered](std::string_view element) {
        if (is_token(element)) {
            offered.emplace_back(element);
        }
        return offered.size() < limits::websocket_subprotocols_max;
    });
    return offered;
}

std::optional<HttpRefusal> check_websocket_handshake(const HttpRequest& request) {
    if (request.method != "GET") {
        return bad_handshake("a WebSocket begins with GET");
    }
    if (!lists(request, "connection", "upgrade")) {
        return bad_handshake("the Connection field does not say Upgrade");
    }
    if (only_header(request, "sec-websocket-version") != "13") {
        return HttpRefusal{426, Error{ErrorKind::unsupported, "only version 13 is understood",
                                      "unsupported-websocket-version"}};
    }
    const auto key = only_header(request, "sec-websocket-key");
    if (!key || !is_key(*key)) {
        return bad_handshake("Sec-WebSocket-Key is not 16 bytes in base64");
    }
    return std::nullopt;
}

HttpResponse accept_websocket(const HttpRequest& request, std::string_view subprotocol) {
    HttpResponse response{.status = 101};
    response.headers = {
        {"Upgrade", "websocket"},
        {"Connection", "Upgrade"},
        {"Sec-WebSocket-Accept", accept_key(request.header("sec-websocket-key").value_or(""))}};
    if (!subprotocol.empty()) {
        response.headers.emplace_back("Sec-WebSocket-Protocol", subprotocol);
    }
    return response;
}

std::unique_ptr<Stream> websocket_stream(Core& core, Stream& below, std::string received,
                                         std::size_t message_bytes_max) {
    return std::make_unique<WebSocketStream>(core, below, std::move(received), message_bytes_max);
}

}  // namespace rollcall::net
