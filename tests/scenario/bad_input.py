#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Requests that the device door must refuse: the right status, code and words, nothing changed."""
import os
import sys
import typing

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.scenario import main  # noqa: E402
from lab.steady import Steady  # noqa: E402

V = "?api-version=2021-06-01"
HERE = "/{scope}/registrations/{id}"
REGISTER = HERE + "/register" + V
LOOKUP = HERE + V
POLL = HERE + "/operations/5.0.none" + V
DEEP = 40  # limits::json_depth_max is 32


class Row(typing.NamedTuple):
    """{scope} and {id} stand for the server's scope and the device's registration id."""
    what: str
    method: str
    path: str
    body: object
    status: int
    code: int
    words: str
    headers: dict = {}


def versions(*texts):
    return [Row(f"api-version {text!r}", "PUT", f"{HERE}/register?api-version={text}", {}, 400,
                400001, "api-version") for text in texts]


def methods(path, allowed, *words):
    return [Row(f"{method} on {path}", method, path, None, 405, 405001, f"takes {allowed} only")
            for method in words]


def nowhere(*paths):
    return [Row(f"no such address: {path}", "GET", path, None, 404, 404001, "nothing at this")
            for path in paths]


def ids(*texts):
    return [Row(f"registration id {text[:30]!r}", "PUT",
                f"/{{scope}}/registrations/{text}/register{V}", {}, 400, 400001,
                "registration id|broken %-escape") for text in texts]


def bodies(*texts):
    return [Row(f"body {text[:30]!r}", "PUT", REGISTER, text, 400, 400001, "not a JSON object")
            for text in texts]


def media(*types):
    return [Row(f"body as {type_}", "PUT", REGISTER, "{}", 415, 415001, "application/json",
                {"Content-Type": type_}) for type_ in types]


ADDRESSES = [
    Row("unknown scope", "PUT", f"/0ne00000000/registrations/{{id}}/register{V}", {}, 404, 404001,
        "No such scope"),
    Row("unknown scope, polling", "GET", f"/0ne00000000/registrations/{{id}}/operations/x{V}", None,
        404, 404001, "No such scope"),
    Row("unknown scope, looking up", "POST", f"/0ne00000000/registrations/{{id}}{V}", {}, 404,
        404001, "No such scope"),
    Row("a scope that cannot be one", "PUT", f"/0ne%20/registrations/{{id}}/register{V}", {}, 400,
        400001, "scope id"),
    Row("an empty scope", "PUT", f"//registrations/{{id}}/register{V}", {}, 400, 400001,
        "scope id"),
    Row("no api-version", "PUT", HERE + "/register", {}, 400, 400001, "api-version"),
    Row("no api-version when polling", "GET", HERE + "/operations/x", None, 400, 400001,
        "api-version"),
    Row("a broken escape in the query", "PUT", HERE + "/register?api-version=%2", {}, 400, 400001,
        "broken %-escape"),
    *versions("", "latest", "2021", "2021-06", "2021-6-1", "2021-06-01-beta", "2021-06-01-previewx",
              "2021/06/01", "20210601", "2021-06-01%20", "-2021-06-01", "%EF%BC%92021-06-01"),
    *methods(REGISTER, "PUT", "GET", "POST", "DELETE", "PATCH", "OPTIONS", "put"),
    *methods(LOOKUP, "POST", "GET", "PUT", "DELETE"),
    *methods(POLL, "GET", "POST", "PUT", "DELETE"),
    *nowhere("/", "/{scope}", "/{scope}/registrations", HERE + "/other" + V,
             HERE + "/register/more" + V, HERE + "/operations/a/b/c" + V,
             f"/{{scope}}/devices/{{id}}/register{V}", "/api/v1/groups", "/metrics", "/healthz",
             "/etc/passwd", "/../../etc/passwd"),
    Row("an operation that never was", "GET", POLL, None, 404, 404203, "Operation not found"),
    Row("an operation with a NUL", "GET", HERE + "/operations/%00" + V, None, 400, 400001,
        "broken %-escape"),
    Row("an operation of 8000 characters", "GET", f"{HERE}/operations/{'5' * 8000}{V}", None, 404,
        404203, "Operation not found"),
    Row("looking up who never registered", "POST", LOOKUP, {}, 404, 404202,
        "Registration not found"),
    *ids("a%20b", "a%2Fb", "a%00b", "a%zz", "a.", "a_", "..", ".", "", "-" * 129, "a" * 129,
         "a" * 5000, "%C3%A4", "a'or'1", "a;b", "{}", "a%0d%0aX", "a%3Fb"),
    *(Row(f"registration id {text}", "PUT", f"/{{scope}}/registrations/{text}/register{V}", {}, 400,
          400001, "not UTF-8") for text in ("a%FF", "%C3", "%C0%AF")),
]

BODIES = [
    *bodies("{", "}", "[]", "null", "true", "0", '"text"', "{} {}", "{}x", "{,}", "{'a':1}",
            '{"a":NaN}', '{"a":01}', "// words\n{}", '{"a":1,}', '\ufeff{}', b'{"a":"\xff\xfe"}',
            "{}".encode("utf-16"), b"{}\0", b"\0", "<xml/>", "registrationId=x",
            '{"registrationId":"', '{"payload":"\\ud800"}', '{"payload":"\\x"}',
            '{"payload":"a\nb"}'),
    *(Row(f"{what} nested too deep", "PUT", REGISTER, text, 400, 400001, "not a JSON object")
      for what, text in (("arrays", '{"payload":' + "[" * DEEP + "]" * DEEP + "}"),
                         ("objects", '{"payload":' + '{"a":' * DEEP + "1" + "}" * DEEP + "}"),
                         ("40000 brackets", "[" * 40_000))),
    *(Row(f"registrationId {text}", "PUT", REGISTER, '{"registrationId":' + text + "}", 400, 400001,
          "not the one in the address")
      for text in ('"another"', '""', '" {id}"', "17", "true", "[]", '{"a":1}', '"{id}\\u0000"')),
    *(Row(f"twice in {text}", "PUT", REGISTER, text, 400, 400001, "twice")
      for text in ('{"registrationId":"{id}","registrationId":"another"}',
                   '{"registrationId":"another","registrationId":"{id}"}',
                   '{"registrationId":"{id}","registrationI\\u0064":"{id}"}',
                   '{"":1,"":2,"registrationId":"another","registrationId":"{id}"}',
                   '{"payload":1,"payload":2}')),
    Row("another id in a lookup", "POST", LOOKUP, {"registrationId": "another"}, 400, 400001,
        "not the one in the address"),
    Row("a TPM", "PUT", REGISTER, {"tpm": {"endorsementKey": "AA=="}}, 400, 400002, "TPM"),
    Row("a signing request", "PUT", REGISTER, {"csr": "AA=="}, 400, 400002, "not issued"),
    Row("a signing request in a lookup", "POST", LOOKUP, {"csr": "AA=="}, 400, 400002,
        "not issued"),
    *media("text/xml", "text/plain", "application/xml", "application/x-www-form-urlencoded",
           "multipart/form-data; boundary=x", "application/jsonx", "application/json-patch+json",
           "json", "", "application/octet-stream; charset=utf-8"),
    Row("one byte too many", "PUT", REGISTER, " " * (96 * 1024 + 1), 413, 413001, "98304 bytes"),
    Row("far too many", "PUT", REGISTER, " " * 400_000, 413, 413001, "98304 bytes"),
    Row("too many for an unknown address", "POST", "/nothing", " " * 400_000, 413, 413001,
        "98304 bytes"),
]


class BadInput(Steady):
    def asks(self, row, name, credential):
        """What the door answers to a row, told as this device."""
        def filled(text):
            return text.replace("{scope}", self.server.scope).replace("{id}", name)
        body = filled(row.body).encode() if isinstance(row.body, str) else row.body
        with self.talk(credential) as talk:
            return talk.ask(row.method, filled(row.path), body, **row.headers)

    def assert_refused_as(self, row, answer):
        self.assertEqual((answer.status, answer.json["errorCode"]), (row.status, row.code),
                         answer.text)
        self.assertRegex(answer.json["message"], row.words)
        self.assertEqual(answer.json["trackingId"], answer.headers["x-ms-request-id"])
        if row.status == 405:
            self.assertIn(answer.headers["allow"], ("PUT", "POST", "GET"))

    def all_refused(self, rows):
        name = "good"
        for row in rows:
            with self.row(row.what):
                self.assert_refused_as(row, self.asks(row, name, self.good))
        self.a_good_device_comes_in()

    def test_addresses(self):
        self.all_refused(ADDRESSES)

    def test_bodies(self):
        self.all_refused(BODIES)

    def test_who_shows_no_certificate(self):
        for method, path in (("PUT", REGISTER), ("POST", LOOKUP), ("GET", POLL)):
            row = Row(f"{method} without a certificate", method, path, None, 401, 401002,
                      "Invalid certificate")
            with self.row(row.what):
                self.assert_refused_as(row, self.asks(row, "good", None))
        self.a_good_device_comes_in()

    def test_who_is_somebody_else(self):
        """The path, the body and the certificate must name one device."""
        for method, path in (("PUT", REGISTER), ("POST", LOOKUP)):
            for name in ("another", "goo", "good1", "good-", "g%6Fod.x"):
                row = Row(f"{method} as {name}", method, path, None, 401, 401002, "ertificate")
                with self.row(row.what):
                    self.assert_refused_as(row, self.asks(row, name, self.good))
        self.a_good_device_comes_in()

    def test_a_user_agent_that_is_no_text(self):
        """What a device calls itself is kept and shown: it must not spoil what is shown with it."""
        agents = {"bytes": "a\xff\xfe\x9b2Jb", "half": "a\xc3", "cut": "\xc3\xa4" * 200,
                  "cut-elsewhere": "a" + "\xc3\xa4" * 200, "text": "\xc3\xa4"}
        for word, agent in agents.items():
            known, stranger = f"agent-{word}", f"stranger-{word}"
            credential = self.ours.leaf(self.root, known).credential
            for name, shown, status in ((known, credential, 202),
                                        (stranger, self.ours.self_signed(stranger).alone, 401)):
                with self.subTest(name), self.talk(shown) as talk:
                    answer = talk.ask("PUT", talk.path(name, "/register"), {},
                                      **{"User-Agent": agent})
                    self.assertEqual(answer.status, status, answer.text)
                    for path in (f"/registrations/{name}/explanation", "/registrations",
                                 "/refusals"):
                        answer = self.operator.ask("GET", path)
                        self.assertEqual(answer.status, 200)
                        self.assertTrue(answer.json)
                    self.assertIn(name, self.command("registration", "explain", name).out)
        self.assertIn("\u00e4", self.command("registration", "show", "agent-text").out)
        self.a_good_device_comes_in()

    def test_the_bound_of_a_body_from_below(self):
        with self.talk(self.good) as talk:
            answer = talk.put("good", "{}" + " " * (96 * 1024 - 2))
        self.assertEqual(answer.status, 202, answer.text)


if __name__ == "__main__":
    main()
