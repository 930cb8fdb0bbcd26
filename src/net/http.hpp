// SPDX-License-Identifier: Apache-2.0
// HTTP messages as values, and HttpHandler: the seam where a front answers. No sockets, no Beast.
#pragma once

#include "base/result.hpp"
#include "base/task.hpp"
#include "net/stream.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rollcall::net {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
    std::string method{};   ///< as sent: "GET", "PUT"
    std::string target{};   ///< as sent; may be in absolute form
    std::string path{};     ///< of the target, percent-encoding untouched; "*" for OPTIONS *
    std::string query{};    ///< after the first '?', untouched; empty without one
    std::string host{};     ///< Host (or the absolute target's authority), lower case, no port
    HttpHeaders headers{};  ///< in order, values trimmed; trailers of a chunked body are left out
    std::string body{};
    const ConnectionFacts* connection = nullptr;  ///< never null in a handler

    /// The first field of that name, compared without case; none when absent.
    std::optional<std::string_view> header(std::string_view name) const;
};

struct HttpResponse {
    unsigned status = 200;
    /// Without Content-Length, Date and Connection: the session writes those.
    HttpHeaders headers{};
    /// For an answer to HEAD it is measured, not sent.
    std::string body{};
    /// End the connection after this answer.
    bool close = false;

    bool operator==(const HttpResponse&) const = default;
};

/// Who goes on speaking when a request becomes a WebSocket.
struct WebSocketWelcome {
    StreamHandler* speaker = nullptr;  ///< never null; outlives the session
    /// One of those the client offers, spelled as it did; empty: none.
    std::string subprotocol{};
};

/// Answers the requests of one kind of client. Shared by all sessions on all cores.
class HttpHandler {
public:
    virtual ~HttpHandler() = default;

    /// One answer. `request` lives until it is given.
    virtual Task<HttpResponse> handle(const HttpRequest& request) = 0;

    /// Asked first when a request wants to become a WebSocket (net/websocket.hpp has
    /// offered_subprotocols). None: it is a request like any other, for handle().
    virtual std::optional<WebSocketWelcome> welcome_websocket(const HttpRequest& request);

    /// The wording of a refusal that the protocol itself demands, before or instead of handle();
    /// the session picks `status` (400, 408, 413, 426, 431, 500, 501, 503) and closes afterwards.
    /// Error::kind: malformed, deadline, too_large, unsupported, internal, unavailable (503, the
    /// server stops and begins no WebSocket). `so_far` holds what
    /// could be read, always with its connection; method and path are empty where they are unknown.
    virtual HttpResponse refuse(unsigned status, const Error& error, const HttpRequest& so_far) = 0;

    /// Larger bodies are refused with 413.
    virtual std::size_t body_bytes_max() const = 0;
    /// The same where it depends on the address; `target` as sent.
    virtual std::size_t body_bytes_max_of(std::string_view target) const;
};

}  // namespace rollcall::net
