// SPDX-License-Identifier: Apache-2.0
// WebSocket on the server's side (RFC 6455): the handshake as functions of an HTTP request, and the
// Stream that the connection becomes. net/http_session joins the two; handlers that welcome
// WebSockets ask here what a client offers. Extensions (compression) are never agreed on.
#pragma once

#include "net/http.hpp"
#include "net/http_codec.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rollcall::net {

/// Does it want to become a WebSocket? Whether it asks rightly is another question.
bool asks_for_websocket(const HttpRequest& request);

/// As the client spelled them and in its order; what is no token is left out, and what comes after
/// limits::websocket_subprotocols_max of them.
std::vector<std::string> offered_subprotocols(const HttpRequest& request);

/// What is wrong with the handshake of a request that asks: 426 for its version, 400 for the rest.
std::optional<HttpRefusal> check_websocket_handshake(const HttpRequest& request);

/// 101, for a handshake that was found right. No subprotocol is named when it is empty.
HttpResponse accept_websocket(const HttpRequest& request, std::string_view subprotocol);

/// The stream after the answer. Reading gives the payload of binary messages without their bounds;
/// pings are answered and the peer's close too, while somebody reads. A write is a message of its
/// own, and an empty one nothing. shutdown() sends our close; reading on shows when the peer's has
/// come (0). Errors of reading, after the peer was told: malformed, unsupported (text),
/// too_large. `below` outlives it; `received` has already been read from there.
std::unique_ptr<Stream> websocket_stream(Core& core, Stream& below, std::string received,
                                         std::size_t message_bytes_max);

}  // namespace rollcall::net
