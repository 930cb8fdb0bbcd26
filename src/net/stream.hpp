// SPDX-License-Identifier: Apache-2.0
// Stream: the one thing a session reads from and writes to, whether TLS, plain TCP or a
// unix-domain socket lies below. Made by net/tls, net/listener and net/websocket; HTTP, MQTT and
// AMQP sessions include this and nothing of sockets.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/task.hpp"
#include "x509/certificate.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace rollcall::net {

class Core;

/// What is known of a connection. Complete once Stream::open() is done; constant afterwards.
struct ConnectionFacts {
    /// The door it came in by, as the listener was named ("device-https").
    std::string door{};
    /// Textual IP address without port ("127.0.0.1", "::1"); empty for a unix-domain socket.
    std::string peer_address{};
    std::uint16_t peer_port = 0;
    /// A unix-domain socket: whoever is there may open a file only the server's user may.
    bool local = false;
    /// The bytes come in WebSocket messages.
    bool websocket = false;

    /// "TLSv1.3", "TLSv1.2"; empty without TLS.
    std::string tls_version{};
    /// OpenSSL's name of the suite, "TLS_AES_128_GCM_SHA256".
    std::string cipher{};
    /// The name the client asked for, lower case without a trailing dot; empty when it named none.
    std::string sni{};
    /// Whether we asked for a client certificate (by door, or by SNI on a shared one).
    bool certificate_requested = false;

    /// What the client sent, end entity first; its private key was proved in this handshake, and
    /// nothing else about it was judged. Empty when it sent none, or with peer_error.
    x509::PeerChain peer{};
    /// The client did send certificates, but not such as we can look at: too_large
    /// ("too-many-certificates") or malformed ("malformed-certificate"). The handshake stands, so
    /// that the refusal can be told in the protocol's own words.
    std::optional<Error> peer_error{};
};

/// One connection, used from its core only. At most one read and one write are under way.
class Stream {
public:
    virtual ~Stream() = default;
    Stream() = default;
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    /// Finishes what must come before the first byte: the TLS handshake. Called once, first.
    virtual Task<Result<Done>> open() = 0;

    /// Waits for bytes and puts at least one into `into`; 0 when the peer has ended.
    /// Errors: deadline (interrupt_read() was called), unavailable (connection lost or closed).
    /// `into` is written only in the step in which the call returns, so a scratch buffer that
    /// all sessions of a thread share may be lent, if it is used up before the next co_await.
    virtual Task<Result<std::size_t>> read_some(std::span<std::uint8_t> into) = 0;

    /// Writes all of `bytes`, which stay the caller's until it returns. unavailable on loss.
    virtual Task<Result<Done>> write(ByteView bytes) = 0;

    /// Tells the peer that nothing more will come (close_notify, FIN); reading stays possible.
    virtual Task<Result<Done>> shutdown() = 0;

    /// Ends the pending read, or the next one, with a deadline error; writing stays possible.
    virtual void interrupt_read() = 0;

    /// Ends everything at once; what is pending returns unavailable. May be called repeatedly.
    virtual void close() = 0;

    virtual const ConnectionFacts& facts() const = 0;
};

/// Whoever speaks a protocol on streams, whatever carries them. Shared by all connections.
class StreamHandler {
public:
    virtual ~StreamHandler() = default;

    /// Speaks on an open stream until it ends. The stream outlives the call; drain and close are
    /// its own business (it is a Resident).
    virtual Task<void> serve(Core& core, Stream& stream) = 0;
};

}  // namespace rollcall::net
