// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 on a Stream: reads requests, asks the handler, writes answers, in order. A request that
// becomes a WebSocket gives the connection to a StreamHandler. Also HttpDoor, which stands behind a
// Listener and joins TLS, session and handler.
#pragma once

#include "base/limits.hpp"
#include "base/telemetry.hpp"
#include "base/world.hpp"
#include "net/deadline.hpp"
#include "net/http.hpp"
#include "net/listener.hpp"
#include "net/tls.hpp"

#include <chrono>
#include <functional>
#include <memory>

namespace rollcall::net {

/// Bounds of a session; tests inject small ones.
struct HttpSettings {
    std::chrono::milliseconds handshake_time = limits::handshake_time_max;
    std::chrono::milliseconds request_time = limits::request_time_max;
    std::chrono::milliseconds idle_time = limits::idle_time_max;
    std::chrono::milliseconds answer_time = limits::answer_time_max;
    std::size_t header_bytes_max = limits::http_header_bytes_max;
    std::size_t websocket_message_bytes_max = limits::websocket_message_bytes_max;
};

/// Which handler serves a connection, decided once it is open (by sni or certificate_requested).
using HandlerChoice = std::function<HttpHandler&(const ConnectionFacts&)>;

/// Serves an accepted connection from handshake to end. Everything it refers to outlives it.
class HttpDoor final : public ConnectionHandler {
public:
    /// With TLS. `ask` as in TlsServer::stream.
    HttpDoor(TlsServer& tls, AskForCertificate ask, HandlerChoice choose, const Clock& clock,
             Metrics& metrics, const HttpSettings& settings = {});
    /// Without.
    HttpDoor(HandlerChoice choose, const Clock& clock, Metrics& metrics,
             const HttpSettings& settings = {});
    ~HttpDoor() override;

    Task<void> serve(Core& core, AcceptedSocket socket) override;

    struct Held;  ///< what its sessions share

private:
    std::unique_ptr<Held> held_;
};

}  // namespace rollcall::net
