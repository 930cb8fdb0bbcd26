// SPDX-License-Identifier: Apache-2.0
#include "net/http_codec.hpp"

#include <algorithm>

namespace rollcall::net {
namespace {

/// RFC 9110 section 15; a client may not rely on these words, people read them.
std::string_view reason_phrase(unsigned status) {
    switch (status) {
        case 101: return "Switching Protocols";
        case 200: return "OK";
        case 201: return "Created";
        case 202: return "Accepted";
        case 204: return "No Content";
        case 302: return "Found";
        case 303: return "See Other";
        case 304: return "Not Modified";
        case 307: return "Temporary Redirect";
        case 308: return "Permanent Redirect";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 406: return "Not Acceptable";
        case 408: return "Request Timeout";
        case 409: return "Conflict";
        case 410: return "Gone";
        case 411: return "Length Required";
        case 412: return "Precondition Failed";
        case 413: return "Content Too Large";
        case 415: return "Unsupported Media Type";
        case 421: return "Misdirected Request";
        case 422: return "Unprocessable Content";
        case 426: return "Upgrade Required";
        case 428: return "Precondition Required";
        case 429: return "Too Many Requests";
        case 431: return "Request Header Fields Too Large";
        case 500: return "Internal Server Error";
        case 501: return "Not Implemented";
        case 503: return "Service Unavailable";
        case 504: return "Gateway Timeout";
        default: return "Answer";
    }
}

/// A value that came from a stranger must not be able to end its line.
void append_value(std::string& wire, std::string_view value) {
    for (const char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        wire.push_back((byte < 0x20 && c != '\t') || byte == 0x7f ? ' ' : c);
    }
}

/// "Date: ...\r\n", written anew once a second on each thread.
std::string_view date_field(TimePoint now) {
    thread_local std::chrono::sys_seconds written{};
    thread_local std::string field;
    const auto second = std::chrono::floor<std::chrono::seconds>(now);
    if (field.empty() || second != written) {
        field = "Date: " + to_http_date(now) + "\r\n";
        written = second;
    }
    return field;
}

}  // namespace

std::string encode_response(const HttpResponse& response, const HttpFraming& framing,
                            TimePoint now) {
    std::string wire;
    wire.reserve(256 + response.body.size() + 64 * response.headers.size());
    wire.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
    wire.append(reason_phrase(response.status)).append("\r\n");
    wire.append(date_field(now));
    for (const auto& [name, value] : response.headers) {
        wire.append(name).append(": ");
        append_value(wire, value);
        wire.append("\r\n");
    }
    const bool bodyless = response.status < 200 || response.status == 204 || response.status == 304;
    if (!bodyless) {
        wire.append("Content-Length: ").append(std::to_string(response.body.size()));
        wire.append("\r\n");
    }
    if (!framing.keep_alive) {
        wire.append("Connection: close\r\n");
    } else if (framing.http_1_0) {
        wire.append("Connection: keep-alive\r\n");
    }
    wire.append("\r\n");
    if (!bodyless && !framing.to_head) {
        wire.append(response.body);
    }
    return wire;
}

}  // namespace rollcall::net
