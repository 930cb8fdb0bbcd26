// SPDX-License-Identifier: Apache-2.0
#include "net/http_codec.hpp"

#include <gtest/gtest.h>

namespace rollcall::net {
namespace {

using Step = HttpRequestReader::Step;
using namespace std::string_view_literals;

const HttpBounds bounds{.header_bytes_max = 512, .body_bytes_max = 16};

/// Feeds `wire` in pieces of `piece` bytes, each after what the reader left of the one before.
struct Fed {
    Step step = Step::need_more;
    std::string left{};
    bool asked_to_continue = false;
};
Fed feed(HttpRequestReader& reader, std::string_view wire, std::size_t piece) {
    Fed fed;
    while (!wire.empty() && (fed.step == Step::need_more || fed.step == Step::send_continue)) {
        const auto now = wire.substr(0, piece);
        const auto progress = reader.feed(as_bytes(now));
        fed.step = progress.step;
        fed.asked_to_continue |= progress.step == Step::send_continue;
        wire.remove_prefix(progress.step == Step::refused ? 0 : progress.consumed);
    }
    fed.left = wire;
    return fed;
}

HttpRequest read_whole(std::string_view wire, std::size_t piece) {
    HttpRequestReader reader(bounds);
    const Fed fed = feed(reader, wire, piece);
    EXPECT_EQ(fed.step, Step::complete) << wire << "\n" << reader.refusal().error.detail;
    EXPECT_EQ(fed.left, "");
    return reader.take();
}

struct Good {
    std::string_view name;
    std::string_view wire;
    HttpRequest wanted;
};

const Good good_requests[] = {
    {"plain",
     "GET /a/b?c=d&e HTTP/1.1\r\nHost: Dps.Example:443\r\nX:  y \r\n\r\n",
     {.method = "GET",
      .target = "/a/b?c=d&e",
      .path = "/a/b",
      .query = "c=d&e",
      .host = "dps.example",
      .headers = {{"Host", "Dps.Example:443"}, {"X", "y"}}}},
    {"GET with a body, as the Node poller sends",
     "GET /op HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}",
     {.method = "GET",
      .target = "/op",
      .path = "/op",
      .host = "h",
      .headers = {{"Host", "h"}, {"Content-Length", "2"}},
      .body = "{}"}},
    {"chunked, with extension and trailer",
     "POST / HTTP/1.1\r\nHost: [::1]:8\r\nTransfer-Encoding: Chunked\r\n\r\n"
     "3;x=y\r\nabc\r\n00a\r\n0123456789\r\n0\r\nAuthorization: late\r\n\r\n",
     {.method = "POST",
      .target = "/",
      .path = "/",
      .host = "[::1]",
      .headers = {{"Host", "[::1]:8"}, {"Transfer-Encoding", "Chunked"}},
      .body = "abc0123456789"}},
    {"absolute target wins over Host",
     "GET http://Other.example:80/p?q HTTP/1.1\r\nHost: h\r\n\r\n",
     {.method = "GET",
      .target = "http://Other.example:80/p?q",
      .path = "/p",
      .query = "q",
      .host = "other.example",
      .headers = {{"Host", "h"}}}},
    {"absolute target without a path",
     "GET HTTPS://o?q HTTP/1.1\r\nHost: h\r\n\r\n",
     {.method = "GET",
      .target = "HTTPS://o?q",
      .path = "/",
      .query = "q",
      .host = "o",
      .headers = {{"Host", "h"}}}},
    {"OPTIONS *",
     "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
     {.method = "OPTIONS", .target = "*", .path = "*", .host = "h", .headers = {{"Host", "h"}}}},
    {"an empty line before it, HTTP/1.0 without Host",
     "\r\nGET /%2f HTTP/1.0\r\n\r\n",
     {.method = "GET", .target = "/%2f", .path = "/%2f"}},
    {"the same length twice",
     "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
     {.method = "PUT",
      .target = "/",
      .path = "/",
      .host = "h",
      .headers = {{"Host", "h"}, {"Content-Length", "1"}, {"Content-Length", "1"}},
      .body = "x"}},
};

TEST(HttpRequestReader, ReadsRequestsHoweverTheyAreCut) {
    for (const auto& [name, wire, wanted] : good_requests) {
        for (std::size_t piece = 1; piece <= wire.size(); ++piece) {
            SCOPED_TRACE(std::string(name) + ", pieces of " + std::to_string(piece));
            const HttpRequest read = read_whole(wire, piece);
            EXPECT_EQ(read.method, wanted.method);
            EXPECT_EQ(read.target, wanted.target);
            EXPECT_EQ(read.path, wanted.path);
            EXPECT_EQ(read.query, wanted.query);
            EXPECT_EQ(read.host, wanted.host);
            EXPECT_EQ(read.headers, wanted.headers);
            EXPECT_EQ(read.body, wanted.body);
        }
    }
}

TEST(HttpRequestReader, FindsHeadersWithoutCase) {
    const HttpRequest read = read_whole("GET / HTTP/1.1\r\nhOST: h\r\nA: 1\r\na: 2\r\n\r\n", 99);
    EXPECT_EQ(read.header("HOST"), "h");
    EXPECT_EQ(read.header("A"), "1");
    EXPECT_EQ(read.header("B"), std::nullopt);
}

struct Bad {
    std::string_view name;
    std::string_view wire;
    unsigned status = 400;
};

const Bad bad_requests[] = {
    {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
    {"TLS on a plain door", "\x16\x03\x01\x00\xa5\x01\x00\x00\r\n\r\n"sv},
    {"unknown version", "GET / HTTP/1.2\r\nHost: h\r\n\r\n"},
    {"no version", "GET /\r\n\r\n"},
    {"no target", "GET  HTTP/1.1\r\nHost: h\r\n\r\n"},
    {"target of no form", "GET a HTTP/1.1\r\nHost: h\r\n\r\n"},
    {"star for GET", "GET * HTTP/1.1\r\nHost: h\r\n\r\n"},
    {"space in the target", "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n"},
    {"no Host", "GET / HTTP/1.1\r\n\r\n"},
    {"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"},
    {"two names in one Host", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"},
    {"a path in Host", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"},
    {"a user in Host", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"},
    {"absolute target without a host", "GET http:///p HTTP/1.1\r\nHost: h\r\n\r\n"},
    {"length and coding",
     "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n"
     "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {"coding and length",
     "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
     "Content-Length: 4\r\n\r\n0\r\n\r\n"},
    {"two lengths", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"},
    {"two lengths in a list", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1, 2\r\n\r\n"},
    {"signed length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\nx"},
    {"negative length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n"},
    {"hex length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x1\r\n\r\nx"},
    {"overflowing length",
     "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551617\r\n\r\n"},
    {"empty length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \r\n\r\n"},
    {"coding in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {"two codings",
     "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n"
     "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {"unknown coding", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
    {"listed coding", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
     501},
    {"chunked not last", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, x\r\n\r\n",
     501},
    {"folded field", "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n"},
    {"field folded by a tab", "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n\tc\r\n\r\n"},
    {"first field begins with a space", "GET / HTTP/1.1\r\n Host: h\r\n\r\n"},
    {"space before the colon", "GET / HTTP/1.1\r\nHost : h\r\n\r\n"},
    {"empty field name", "GET / HTTP/1.1\r\nHost: h\r\n: x\r\n\r\n"},
    {"no colon", "GET / HTTP/1.1\r\nHost: h\r\nabc\r\n\r\n"},
    {"bare line feeds", "GET / HTTP/1.1\nHost: h\n\n\r\n\r\n"},
    {"one bare line feed", "GET / HTTP/1.1\r\nHost: h\nA: b\r\n\r\n"},
    {"bare carriage return", "GET / HTTP/1.1\r\nHost: h\rA: b\r\n\r\n"},
    {"NUL in a value", "GET / HTTP/1.1\r\nHost: h\r\nA: b\0c\r\n\r\n"sv},
    {"control character in a value", "GET / HTTP/1.1\r\nHost: h\r\nA: b\x01\r\n\r\n"},
    {"no chunk size", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n\r\nabc"},
    {"chunk size not hex",
     "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nx\r\nabc\r\n0\r\n\r\n"},
    {"chunk size with 0x",
     "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n"},
    {"chunk longer than it says",
     "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n"},
    {"chunk ended by a bare line feed",
     "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n"},
    {"overflowing chunk size",
     "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
     "10000000000000001\r\na\r\n0\r\n\r\n"},
    {"declared body too large", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 17\r\n\r\n", 413},
    {"chunked body too large",
     "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n01234567\r\n9\r\n", 413},
    {"empty lines for ever", "\r\n\r\n\r\n\r\n\r\n"},
};

TEST(HttpRequestReader, RefusesWhatHasTwoReadings) {
    for (const auto& [name, wire, status] : bad_requests) {
        for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, wire.size()}) {
            SCOPED_TRACE(std::string(name) + ", pieces of " + std::to_string(piece));
            HttpRequestReader reader(bounds);
            EXPECT_EQ(feed(reader, wire, piece).step, Step::refused);
            EXPECT_EQ(reader.refusal().status, status);
            EXPECT_NE(reader.refusal().error.detail, "");
        }
    }
}

TEST(HttpRequestReader, TellsWhatARefusedRequestWasAbout) {
    HttpRequestReader reader(bounds);
    feed(reader, "PUT /s/registrations/r HTTP/1.1\r\nHost: h\r\nContent-Length: 17\r\n\r\n", 99);
    EXPECT_EQ(reader.so_far().method, "PUT");
    EXPECT_EQ(reader.so_far().path, "/s/registrations/r");
}

/// A GET whose head has exactly `size` bytes.
std::string head_of(std::size_t size) {
    const std::string start = "GET / HTTP/1.1\r\nHost: h\r\nA: ";
    return start + std::string(size - start.size() - 4, 'x') + "\r\n\r\n";
}

TEST(HttpRequestReader, BoundsTheHead) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{100}, std::size_t{1000}}) {
        HttpRequestReader allowed(bounds);
        EXPECT_EQ(feed(allowed, head_of(512), piece).step, Step::complete);
        HttpRequestReader refused(bounds);
        EXPECT_EQ(feed(refused, head_of(513), piece).step, Step::refused);
        EXPECT_EQ(refused.refusal().status, 431U);
    }
}

TEST(HttpRequestReader, BoundsTheBody) {
    const std::string chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    EXPECT_EQ(
        read_whole("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 16\r\n\r\n0123456789abcdef", 99)
            .body,
        "0123456789abcdef");
    EXPECT_EQ(read_whole(chunked + "8\r\n01234567\r\n8\r\n89abcdef\r\n0\r\n\r\n", 99).body,
              "0123456789abcdef");
    // The far side of both is in the table above.
}

TEST(HttpRequestReader, BoundsTheFramingOfChunks) {
    const std::string chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    HttpRequestReader extension(bounds);
    EXPECT_EQ(feed(extension, chunked + "1;x=" + std::string(600, 'y'), 50).step, Step::refused);
    HttpRequestReader trailer(bounds);
    EXPECT_EQ(feed(trailer, chunked + "0\r\nA: " + std::string(600, 'y'), 50).step, Step::refused);
    std::string flood = chunked;
    std::string bytewise = chunked;
    for (std::size_t i = 0; i < bounds.body_bytes_max; ++i) {
        flood += "1;x=" + std::string(100, 'y') + "\r\nz\r\n";
        bytewise += "1\r\nz\r\n";
    }
    HttpRequestReader many_extensions(bounds);
    EXPECT_EQ(feed(many_extensions, flood, 50).step, Step::refused);
    EXPECT_EQ(read_whole(bytewise + "0\r\n\r\n", 50).body, std::string(bounds.body_bytes_max, 'z'));
}

TEST(HttpRequestReader, LeavesTheNextRequestAlone) {
    const std::string first = "PUT /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc";
    const std::string second =
        "POST /2 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n";
    const std::string third = "GET /3 HTTP/1.1\r\nHost: h\r\n\r\n";
    for (std::size_t piece = 1; piece < 200; ++piece) {
        HttpRequestReader reader(bounds);
        std::string wire = first + second + third;
        for (const auto* path : {"/1", "/2", "/3"}) {
            const Fed fed = feed(reader, wire, piece);
            ASSERT_EQ(fed.step, Step::complete) << piece;
            EXPECT_EQ(reader.take().path, path);
            EXPECT_FALSE(reader.started());
            wire = fed.left;
        }
        EXPECT_EQ(wire, "");
    }
}

TEST(HttpRequestReader, AsksForTheBodyOnlyWhenTheClientWaitsForThat) {
    const std::string head =
        "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nExpect: 100-Continue\r\n\r\n";
    HttpRequestReader waits(bounds);
    EXPECT_TRUE(feed(waits, head, 99).asked_to_continue);
    EXPECT_EQ(feed(waits, "x", 1).step, Step::complete);
    HttpRequestReader sent_at_once(bounds);
    EXPECT_FALSE(feed(sent_at_once, head + "x", 999).asked_to_continue);
    HttpRequestReader too_large(bounds);
    const Fed refused = feed(
        too_large,
        "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 99\r\nExpect: 100-continue\r\n\r\n", 999);
    EXPECT_FALSE(refused.asked_to_continue);
    EXPECT_EQ(refused.step, Step::refused);
}

TEST(HttpRequestReader, KnowsWhoKeepsTheConnection) {
    const std::pair<std::string, bool> rows[] = {
        {"GET / HTTP/1.1\r\nHost: h\r\n\r\n", true},
        {"GET / HTTP/1.1\r\nHost: h\r\nConnection: Close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nHost: h\r\nConnection: x, close\r\n\r\n", false},
        {"GET / HTTP/1.0\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true},
    };
    for (const auto& [wire, kept] : rows) {
        HttpRequestReader reader(bounds);
        feed(reader, wire, 99);
        EXPECT_EQ(reader.keep_alive(), kept) << wire;
    }
}

const TimePoint evening = parse_iso8601("2026-11-23T18:27:30Z").value();

TEST(EncodeResponse, WritesHeaderAndBodyInOne) {
    const HttpResponse response{
        .status = 202, .headers = {{"Content-Type", "text/plain"}}, .body = "hello"};
    EXPECT_EQ(encode_response(response, {}, evening),
              "HTTP/1.1 202 Accepted\r\nDate: Mon, 23 Nov 2026 18:27:30 GMT\r\n"
              "Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello");
}

TEST(EncodeResponse, SaysHowTheConnectionGoesOn) {
    const HttpResponse response{.status = 200, .headers = {}, .body = "x"};
    const auto ends_with = [&](const HttpFraming& framing, std::string_view end) {
        return encode_response(response, framing, evening).ends_with(end);
    };
    EXPECT_TRUE(
        ends_with({.keep_alive = false}, "Content-Length: 1\r\nConnection: close\r\n\r\nx"));
    EXPECT_TRUE(
        ends_with({.http_1_0 = true}, "Content-Length: 1\r\nConnection: keep-alive\r\n\r\nx"));
    EXPECT_TRUE(ends_with({.to_head = true}, "Content-Length: 1\r\n\r\n"));
}

TEST(EncodeResponse, SendsNoBodyWhereNoneMayBe) {
    const HttpResponse response{.status = 204, .headers = {}, .body = ""};
    EXPECT_EQ(encode_response(response, {}, evening),
              "HTTP/1.1 204 No Content\r\nDate: Mon, 23 Nov 2026 18:27:30 GMT\r\n\r\n");
}

TEST(EncodeResponse, LetsNoValueEndItsLine) {
    const HttpResponse response{.status = 200, .headers = {{"X", "a\r\nSet-Cookie: b"}}};
    EXPECT_NE(encode_response(response, {}, evening).find("X: a  Set-Cookie: b\r\n"),
              std::string::npos);
}

TEST(EncodeResponse, WritesTheDateAnewEachSecond) {
    const HttpResponse response;
    const auto first = encode_response(response, {}, evening);
    const auto later = encode_response(response, {}, evening + std::chrono::seconds{1});
    EXPECT_NE(first.find("18:27:30 GMT"), std::string::npos);
    EXPECT_NE(later.find("18:27:31 GMT"), std::string::npos);
}

}  // namespace
}  // namespace rollcall::net
