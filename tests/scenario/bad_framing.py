#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 as no library would frame it: the right status, the connection closed, and never a
second request taken out of a body. RFC 9112 says what is wrong with each."""
import os
import sys
import typing

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.raw import Raw  # noqa: E402
from lab.scenario import main  # noqa: E402
from lab.steady import Steady  # noqa: E402

HOST = "Host: dps.example\r\n"
CHUNKED = "Transfer-Encoding: chunked\r\n"
# What hides in bodies: were it ever taken for a request, there would be a 404 too many.
HIDDEN = f"GET /hidden HTTP/1.1\r\n{HOST}\r\n"
KB = 1024


class Row(typing.NamedTuple):
    """{target} stands for the address of a good registration. `statuses`: all that is answered
    before the connection is closed."""
    what: str
    sent: str
    statuses: tuple
    words: str = ""


def fields(what, headers, status, words, body=""):
    return Row(what, f"PUT {{target}} HTTP/1.1\r\n{HOST}{headers}\r\n{body}", (status,), words)


def lengths(status, words, *values):
    return [fields(f"Content-Length: {value}", f"Content-Length: {value}\r\n", status, words,
                   "{}" + HIDDEN) for value in values]


def codings(status, words, *values):
    return [fields(f"Transfer-Encoding: {value!r}", f"Transfer-Encoding:{value}\r\n", status, words,
                   "0\r\n\r\n" + HIDDEN) for value in values]


def chunks(status, words, *bodies):
    return [fields(f"chunks {body[:20]!r}", CHUNKED, status, words, body + HIDDEN)
            for body in bodies]


def line(text, status, words, what=None):
    return Row(what or f"request line {text[:40]!r}", f"{text}\r\n{HOST}\r\n", (status,), words)


LENGTHS = [
    fields("a length, then a coding", "Content-Length: 4\r\n" + CHUNKED, 400, "Transfer-Encoding",
           "0\r\n\r\n" + HIDDEN),
    fields("a coding, then a length", CHUNKED + "Content-Length: 4\r\n", 400, "Content-Length",
           "0\r\n\r\n" + HIDDEN),
    fields("two lengths", f"Content-Length: 2\r\nContent-Length: {2 + len(HIDDEN)}\r\n", 400,
           "multiple Content-Length", "{}" + HIDDEN),
    *lengths(400, "Content-Length", "2, 40", "+2", "-1", "0x2", "", "2 2", "2,", "2;2", "1e1",
             "２", "9" * 24, "18446744073709551616", "2\t3"),
    *lengths(413, "98304 bytes", "18446744073709551615", "9223372036854775808", "99999999",
             str(96 * KB + 1)),
    *codings(501, "only 'chunked'", " identity", " gzip", " gzip, chunked", " chunked, gzip",
             " chunked, chunked", " xchunked", " chunkedx", ' "chunked"', "", " chunked;q=1"),
    *codings(400, "", " \x0bchunked", " chunked\r\nTransfer-Encoding: chunked",
             " identity\r\nTransfer-Encoding: chunked", "\r\n chunked", " chun\0ked"),
    fields("a space before the colon of a length", "Content-Length : 2\r\n", 400, "bad field",
           "{}" + HIDDEN),
    fields("a space before the colon of a coding", "Transfer-Encoding : chunked\r\n", 400,
           "bad field", "0\r\n\r\n" + HIDDEN),
    Row("a coding in HTTP/1.0", f"PUT {{target}} HTTP/1.0\r\n{HOST}{CHUNKED}\r\n0\r\n\r\n{HIDDEN}",
        (400,), "not allowed here"),
    fields("asks whether it may send far too much",
           "Expect: 100-continue\r\nContent-Length: 200000\r\n", 413, "98304 bytes"),
]

CHUNKS = [
    *chunks(400, "bad (chunk|line)", "zz\r\n{}\r\n0\r\n\r\n", "-2\r\n{}\r\n0\r\n\r\n",
            "0x2\r\n{}\r\n0\r\n\r\n", " 2\r\n{}\r\n0\r\n\r\n", "2 \r\n{}\r\n0\r\n\r\n",
            "\r\n{}\r\n0\r\n\r\n", "10000000000000002\r\n{}\r\n0\r\n\r\n", "2\r\n{}0\r\n\r\n",
            "2\r\n{}XX0\r\n\r\n", "1\r\n{}\r\n0\r\n\r\n", "2\n{}\r\n0\r\n\r\n",
            "2\n{}\n0\n\n", "2;a\nb\r\n{}\r\n0\r\n\r\n", "2\r\r\n{}\r\n0\r\n\r\n"),
    *chunks(413, "98304 bytes", "ffffffffffffffff\r\n{}", "7fffffff\r\n{}",
            f"{96 * KB + 1:x}\r\n{{}}", f"{96 * KB:x}\r\n{' ' * (96 * KB)}\r\n1\r\n \r\n0\r\n\r\n",
            "1\r\n \r\n" * (96 * KB + 1) + "0\r\n\r\n"),
    fields("one chunk with a long extension", CHUNKED, 400, "chunk",
           f"2;{'a=b;' * 8 * KB}\r\n{{}}\r\n0\r\n\r\n{HIDDEN}"),
    fields("many chunks with extensions", CHUNKED, 400, "framing",
           f"1;{'a' * 4000}\r\n \r\n" * 100 + "0\r\n\r\n" + HIDDEN),
    fields("many chunks with leading zeros", CHUNKED, 400, "framing",
           f"{'0' * 4000}1\r\n \r\n" * 100 + "0\r\n\r\n" + HIDDEN),
    fields("trailers without end", CHUNKED, 400, "trailer is too long",
           "2\r\n{}\r\n0\r\n" + "A: b\r\n" * 9000),
    fields("a length in the trailer", CHUNKED, 400, "Content-Length",
           "2\r\n{}\r\n0\r\nContent-Length: 50\r\n\r\n" + HIDDEN),
]

HEADERS = [
    fields("a folded field", "A: b\r\n c\r\n", 400, "folded"),
    fields("a field folded by a tab", "A: b\r\n\tc\r\n", 400, "folded"),
    fields("a bare line feed", "A: b\nC: d\r\n", 400, "line feed"),
    fields("a bare carriage return", "A: b\rC: d\r\n", 400, "carriage return"),
    fields("a NUL in a value", "A: \0\r\n", 400, "NUL"),
    fields("a NUL in a name", "A\0: b\r\n", 400, "NUL"),
    fields("a control character", "A: \x01\r\n", 400, "bad value"),
    fields("a field without a name", ": b\r\n", 400, "bad field"),
    fields("a field without a colon", "A\r\n", 400, "bad field"),
    fields("a space in a name", "A b: c\r\n", 400, "bad field"),
    fields("a name beyond ASCII", "Ä: c\r\n", 400, "bad field"),
    fields("4000 fields", "A: b\r\n" * 4000, 431, "16384 bytes"),
    fields("one long field", f"A: {'b' * 16 * KB}\r\n", 431, "16384 bytes"),
    fields("one long name", f"{'A' * 16 * KB}: b\r\n", 431, "16384 bytes"),
    fields("a header that never ends", f"A: {'b' * 300 * KB}", 431, "16384 bytes"),
    fields("a second Host", HOST, 400, "exactly one Host"),
    Row("no Host", "PUT {target} HTTP/1.1\r\n\r\n", (400,), "exactly one Host"),
    *(Row(f"Host: {host}", f"PUT {{target}} HTTP/1.1\r\nHost: {host}\r\n\r\n", (400,), "no host")
      for host in ("a b", "a, b", "a/b", "a@b", "a\\b", "a#b", "a?b", "dps.example/../x")),
    Row("ten empty lines first", "\r\n" * 10 + HIDDEN, (400,), "empty lines"),
]

LINES = [
    *(line(text, 400, "not valid HTTP") for text in (
        "GET {target}", "GET  {target} HTTP/1.1", "GET\t{target}\tHTTP/1.1",
        " GET {target} HTTP/1.1", "GET {target} HTTP/1.1 x", "GET {target} HTTP/1.2",
        "GET {target} HTTP/2.0", "GET {target} HTTP/0.9", "GET {target} HTTP/9.9",
        "GET {target} HTTP/1.11",
        "GET {target} http/1.1", "GET {target} HTTPS/1.1", "GET {target} HTTP/1,1",
        "GET {target} x HTTP/1.1", "G@T {target} HTTP/1.1", "Ä {target} HTTP/1.1",
        "HTTP/1.1 200 OK", "GET /\x7f HTTP/1.1", "GET /\x01 HTTP/1.1", "\x16\x03\x01\x02")),
    line("GET /a\0b HTTP/1.1", 400, "NUL"),
    *(line(f"PUT {target} HTTP/1.1", 400, "neither a path nor an absolute URL")
      for target in ("*", "register", "ftp://dps.example{target}", "https://{target}", "https://",
                     "https:{target}", "\\{target}", "?{target}", "dps.example:443")),
    line(f"GET /{'a' * 17 * KB} HTTP/1.1", 431, "16384 bytes", "a long target"),
    line(f"{'A' * 17 * KB} / HTTP/1.1", 431, "16384 bytes", "a long method"),
    Row("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", (400,),
        "bad version"),
]

CLOSE = "Connection: close\r\n"
GOOD = f"PUT {{target}} HTTP/1.1\r\n{HOST}Content-Length: 2\r\n\r\n{{}}"
PIPELINES = [
    Row("rubbish behind a good one", f"{GOOD}G@T / HTTP/1.1\r\n\r\n{HIDDEN}", (202, 400), "method"),
    Row("bytes behind a length", f"{GOOD}}}\r\n\r\n{HIDDEN}", (202, 400), "not valid HTTP"),
    Row("a smuggler behind a good one", f"{GOOD}PUT {{target}} HTTP/1.1\r\n{HOST}"
        f"Content-Length: 4\r\n{CHUNKED}\r\n0\r\n\r\n{HIDDEN}", (202, 400), "Transfer-Encoding"),
    Row("two good ones, then a fold", f"{GOOD}{GOOD}PUT {{target}} HTTP/1.1\r\n{HOST}A: b\r\n c\r\n"
        f"\r\n{HIDDEN}", (202, 202, 400), "folded"),
    Row("a body too large behind a good one", f"{GOOD}PUT {{target}} HTTP/1.1\r\n{HOST}"
        f"Content-Length: 98305\r\n\r\n{HIDDEN}", (202, 413), "98304"),
    Row("something behind the last one", GOOD.replace(HOST, HOST + CLOSE) + HIDDEN, (202,)),
    Row("close among other options", GOOD.replace(HOST, HOST + "Connection: x, close, te\r\n") +
        HIDDEN, (202,)),
    Row("something behind HTTP/1.0", GOOD.replace("HTTP/1.1", "HTTP/1.0") + HIDDEN, (202,)),
    # From here on the framing is right and the body is a body, whatever stands in it.
    Row("a request in a body", f"PUT {{target}} HTTP/1.1\r\n{HOST}{CLOSE}"
        f"Content-Length: {len(HIDDEN)}\r\n\r\n{HIDDEN}", (400,), "not a JSON object"),
    Row("a request in the body of a GET", f"GET {{target}} HTTP/1.1\r\n{HOST}{CLOSE}"
        f"Content-Length: {len(HIDDEN)}\r\n\r\n{HIDDEN}", (405,), "PUT only"),
    Row("a request in a chunk", f"PUT {{target}} HTTP/1.1\r\n{HOST}{CLOSE}{CHUNKED}\r\n"
        f"{len(HIDDEN):x}\r\n{HIDDEN}\r\n0\r\n\r\n", (400,), "not a JSON object"),
    Row("a request in an extension", f"PUT {{target}} HTTP/1.1\r\n{HOST}{CLOSE}{CHUNKED}\r\n"
        "2;GET=\"/hidden HTTP/1.1\"\r\n{}\r\n0\r\n\r\n", (202,)),
    Row("a request in the trailer", f"PUT {{target}} HTTP/1.1\r\n{HOST}{CLOSE}{CHUNKED}\r\n"
        "2\r\n{}\r\n0\r\nA: GET /hidden HTTP/1.1\r\nHost: b\r\n\r\n", (202,)),
    Row("an upgrade to HTTP/2", f"PUT {{target}} HTTP/1.1\r\n{HOST}Connection: close, Upgrade, "
        "HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"
        "Content-Length: 2\r\n\r\n{}", (202,)),
    Row("an upgrade to a WebSocket", f"GET / HTTP/1.1\r\n{HOST}Connection: close, Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", (404,), "nothing at this"),
    *(Row(f"{method} with a tunnel in mind", f"{method} {target} HTTP/1.1\r\n{HOST}{CLOSE}\r\n",
          (404,), "nothing at this")
      for method, target in (("CONNECT", "dps.example:443"), ("TRACE", "/"), ("OPTIONS", "*"))),
    Row("an absolute address", f"PUT https://DPS.example:443{{target}} HTTP/1.1\r\n{HOST}{CLOSE}"
        "Content-Length: 2\r\n\r\n{}", (202,)),
    Row("a fragment is not for servers", f"PUT {{target}}#x HTTP/1.1\r\n{HOST}{CLOSE}\r\n", (400,),
        "api-version"),
]


class BadFraming(Steady):
    def all_answered(self, rows):
        target = f"/{self.server.scope}/registrations/good/register?api-version=2021-06-01"
        for row in rows:
            if 202 in row.statuses:
                self.assert_assigned("good", self.good)  # repeating it at once writes nothing
            with self.row(row.what), Raw(self.server, self.good) as raw:
                raw.send(row.sent.replace("{target}", target).encode("utf-8"))
                self.assertEqual(tuple(raw.rest()), row.statuses, raw.body)
                self.assertRegex(raw.body.decode(), row.words or "^")
        self.a_good_device_comes_in()

    def test_lengths_and_codings(self):
        self.all_answered(LENGTHS)

    def test_chunks(self):
        self.all_answered(CHUNKS)

    def test_headers(self):
        self.all_answered(HEADERS)

    def test_request_lines(self):
        self.all_answered(LINES)

    def test_pipelines_and_bodies(self):
        self.all_answered(PIPELINES)

    def test_the_operators_door_frames_alike(self):
        """Hidden in these bodies is a request that would make a group, with the right token."""
        with open(os.path.join(self.server.data, "admin-token"), encoding="utf-8") as file:
            bearer = f"Authorization: Bearer {file.read().strip()}\r\n"
        wish = '{"id":"smuggled"}'
        make = (f"POST /api/v1/groups HTTP/1.1\r\n{HOST}{bearer}Content-Type: application/json\r\n"
                f"Content-Length: {len(wish)}\r\n\r\n{wish}")
        for what, headers, status in (
                ("a length and a coding", "Content-Length: 4\r\n" + CHUNKED, 400),
                ("a coding and a length", CHUNKED + "Content-Length: 4\r\n", 400),
                ("two lengths", "Content-Length: 5\r\nContent-Length: 50\r\n", 400),
                ("an unknown coding", "Transfer-Encoding: x\r\n", 501),
                ("a fold", "A: b\r\n c\r\n", 400),
                ("a body too large", "Content-Length: 1048577\r\n", 413)):
            with self.row(what), Raw(self.server, door="operator") as raw:
                raw.send(f"GET /api/v1/server HTTP/1.1\r\n{HOST}{bearer}{headers}\r\n"
                         f"0\r\n\r\n{make}".encode())
                self.assertEqual(raw.rest(), [status], raw.body)
                self.assertIn(b"urn:rollcall:problem:", raw.body)
        with self.row("a request in a body"), Raw(self.server, door="operator") as raw:
            raw.send(f"POST /api/v1/groups HTTP/1.1\r\n{HOST}{bearer}Connection: close\r\n"
                     f"Content-Type: application/json\r\nContent-Length: {len(make)}\r\n\r\n"
                     f"{make}".encode())
            self.assertEqual(raw.rest(), [400], raw.body)
        with self.row("bytes that are no text"), Raw(self.server, door="operator") as raw:
            raw.send(b"GET /api/v1/groups/\xff\xc2\x9b HTTP/1.1\r\nConnection: close\r\n" +
                     f"{HOST}{bearer}\r\n".encode())
            self.assertEqual(raw.rest(), [400], raw.body)
            self.assertIn(b"not UTF-8", raw.body)
            with open(self.server.log, encoding="utf-8") as log:  # it is still text
                self.assertNotIn("\u009b", log.read())
        with Raw(self.server, door="operator") as raw:  # the same bytes in the open do it
            raw.send(make.encode())
            self.assertEqual(raw.answer(), 201, raw.body)
        self.a_good_device_comes_in()


if __name__ == "__main__":
    main()
