// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 bytes <-> messages: a value that is fed bytes, without sockets and without a clock.
// Beast's parser reads; what it lets pass and RFC 9112 does not (sections 2.2, 5.2, 6.1) is
// refused here, because a message with two readings is how requests are smuggled.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/world.hpp"
#include "net/http.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace rollcall::net {

struct HttpBounds {
    std::size_t header_bytes_max;  ///< request line, fields and the empty line together
    std::size_t body_bytes_max;
    /// Where it is there: the bound of a body sent to that target, instead of body_bytes_max.
    std::function<std::size_t(std::string_view target)> body_bytes_max_of{};
};

/// Why a request cannot be served; the connection ends after telling it.
struct HttpRefusal {
    unsigned status = 0;
    Error error{};
};

/// Reads requests, one after the other.
class HttpRequestReader {
public:
    enum class Step {
        need_more,      ///< everything was eaten, the request goes on
        send_continue,  ///< the same, and the client waits for "100 Continue"
        complete,       ///< take() it; bytes that were not consumed belong to the next one
        refused,        ///< see refusal(); feed no more
    };
    struct Progress {
        Step step;
        std::size_t consumed;
    };

    explicit HttpRequestReader(const HttpBounds& bounds);
    ~HttpRequestReader();
    HttpRequestReader(const HttpRequestReader&) = delete;
    HttpRequestReader& operator=(const HttpRequestReader&) = delete;

    Progress feed(ByteView bytes);

    /// Has a byte of the next request been seen?
    bool started() const;
    /// The complete request. The reader begins anew.
    HttpRequest take();
    /// What is known of a request that is not complete.
    const HttpRequest& so_far() const;
    /// Of the request that feed() completed or began last (until feed() reads the next head).
    bool keep_alive() const;
    bool http_1_0() const;
    const HttpRefusal& refusal() const;

private:
    struct Parser;
    std::unique_ptr<Parser> parser_;
};

/// How an answer is put on the wire.
struct HttpFraming {
    bool to_head = false;  ///< answers HEAD: the body is measured, not sent
    bool http_1_0 = false;
    bool keep_alive = true;
};

/// The whole answer: status line, fields, Date, Content-Length, Connection where it says
/// something, and the body. Control characters in field values become spaces.
std::string encode_response(const HttpResponse& response, const HttpFraming& framing,
                            TimePoint now);

inline constexpr std::string_view http_continue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace rollcall::net
