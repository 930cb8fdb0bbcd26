#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Requests that the operator's doors must refuse: status, code and words of the problem document,
nothing changed; what is uploaded in error, proofs that prove nothing, tokens that open nothing."""
import base64
import http.client
import json
import os
import ssl
import sys
import time
import typing

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.device import Answer  # noqa: E402
from lab.scenario import main  # noqa: E402
from lab.steady import Steady  # noqa: E402

GUID = "00000000-0000-4000-8000-000000000000"
KEY = "AB" * 32
JSON = {"Content-Type": "application/json"}
OLD = {"If-Match": f'"{GUID}"'}
DEEP = 40  # limits::json_depth_max is 32
KB = 1024


class Row(typing.NamedTuple):
    """{ca} stands for the id of a CA certificate that there is."""
    what: str
    method: str
    path: str
    body: object
    status: int
    code: str
    words: str
    headers: dict = {}


def nowhere(*paths):
    return [Row(f"no such address: {path[:40]}", "GET", path, None, 404, "no-such-address",
                "openapi.json") for path in paths]


def methods(path, *words):
    return [Row(f"{method} on {path}", method, path, None, 405, "method-not-allowed", "takes")
            for method in words]


def missing(code, words, *paths):
    return [Row(f"nothing under {path[:40]}", "GET", path, None, 404, code, words)
            for path in paths]


def parameters(code, words, *paths):
    return [Row(f"parameters of {path[:50]}", "GET", path, None, 400, code, words)
            for path in paths]


def bodies(code, words, *texts):
    return [Row(f"a group of {text[:40]!r}", "POST", "/groups", text, 400, code, words)
            for text in texts]


def stale(method, path, body=None):
    return Row(f"{method} {path} of another state", method, path, body, 412, "stale", "", OLD)


ADDRESSES = [
    *nowhere("/", "/group", "/Groups", "/groups/steady/more",
             "/groups/steady/certificates/primary/x", "/groups//steady", "/../groups", "/people",
             "/groups/a/b/c/d/e/f/g", "/%67roup"),
    *methods("/groups", "PUT", "PATCH", "DELETE", "get"),
    *methods("/groups/steady", "PUT", "POST"),
    *methods("/groups/steady/swap", "GET", "PUT", "DELETE"),
    *methods("/audit", "POST", "PUT", "DELETE", "PATCH"),
    *methods("/registrations/good", "PUT", "DELETE", "POST"),
    *methods("/server", "POST", "DELETE"),
    *missing("group-not-found", "no enrollment group", "/groups/nobody",
             "/groups/nobody/certificates", "/groups/nobody/certificates/primary",
             "/groups/nobody/adoption", "/groups/%20",
             f"/groups/{'a' * 4000}", "/groups/%C3%A4", "/groups/a%2Fb"),
    *missing("ca-not-found", "CA", "/ca-certificates/nobody", f"/ca-certificates/{GUID}"),
    *missing("enrollment-not-found", "enrollment", "/enrollments/nobody", "/enrollments/%20"),
    *missing("device-not-found", "device", "/devices/nobody", "/devices/%7F"),
    *missing("registration-not-found", "nobody registered", "/registrations/nobody",
             "/registrations/%20"),
    *missing("not-distrusted", "distrust", f"/distrust/{KEY}"),
    *parameters("malformed-key", "64 hex digits", "/distrust/x", f"/distrust/{KEY}AB"),
    *parameters("malformed-slot", "primary", "/groups/steady/certificates/third",
                "/groups/steady/certificates/%20"),
    *parameters("malformed-path", "broken %-escape", "/groups/%", "/groups/%zz", "/groups/a%00"),
    *parameters("malformed-path", "not UTF-8", "/groups/%FF", "/groups/%C3", "/devices/a%C0%AF",
                "/registrations/%ED%A0%80", "/enrollments/%F5%80%80%80"),
]

PARAMETERS = [
    *parameters("malformed-parameter", "1 to 1000", *(
        f"/groups?limit={limit}" for limit in (
            "", "0", "-1", "1001", "ten", "1.5", "0x10", "%2B5", "1e2", "99999999999999999999",
            "5%20", "%205"))),
    *parameters("malformed-parameter", "1 to 1000", "/devices?limit=0", "/registrations?limit=0",
                "/ca-certificates?limit=0", "/enrollments?limit=0", "/audit?limit=0",
                "/distrust?limit=0", "/tokens?limit=0", "/refusals?limit=0"),
    *parameters("malformed-parameter", "next", "/audit?after=x", "/audit?after=-1",
                f"/audit?after={'9' * 30}"),
    *parameters("malformed-parameter", "true or false", "/groups?pem=yes", "/groups?pem=",
                "/groups?pem=TRUE", "/groups/steady?pem=1"),
    *parameters("malformed-parameter", "state", "/devices?state=lost", "/devices?state="),
    *parameters("", "status", "/registrations?status=lost"),
    *parameters("unknown-parameter", "no parameter", "/groups?skip=5", "/groups?Limit=5",
                "/server?pem=true", "/groups?=", "/groups?&&a", "/groups/steady?reason=x"),
    *parameters("repeated-parameter", "twice", "/groups?limit=5&limit=5",
                "/groups?limit=5&%6Cimit=6"),
    *parameters("malformed-path", "broken %-escape", "/groups?limit=%", "/groups?after=%00"),
    Row("registrations of an unknown CA", "GET", "/registrations?ca=nobody", None, 404,
        "ca-not-found", "CA"),
    Row("a removal of no kind", "DELETE", "/groups/steady/certificates/primary?mode=gently", None,
        400, "malformed-parameter", "plain or breach"),
    Row("a dry run of no kind", "DELETE", "/groups/steady?dryRun=perhaps", None, 400,
        "malformed-parameter", "true or false"),
    *(Row(f"a reason of {text}", "DELETE", f"/groups/steady?reason={text}", None, 400,
          "malformed-path", "not UTF-8") for text in ("%FF%9B", "%C3", "a%80b")),
    Row("a reason too long", "DELETE", f"/groups/steady?reason={'x' * 1025}", None, 400,
        "reason-too-long", "1024"),
]

BODIES = [
    *bodies("malformed-json", "not JSON", "{", "}", "{} {}", "{'id':1}", '{"id":}', "nothing",
            '{"id":"a",}', '{"id":"\\ud800"}', b'{"id":"\xff"}', "\ufeff{}", "{}".encode("utf-16"),
            b'{"id":"a"}\0'),
    *bodies("malformed-json", "deeper than 32", '{"id":' + "[" * DEEP + "]" * DEEP + "}",
            "[" * 100_000),
    *bodies("not-an-object", "must be a JSON object", "[]", '"a"', "17", "null", "true",
            '["id","a"]'),
    *bodies("repeated-member", "twice", '{"id":"a","id":"b"}', '{"id":"a","i\\u0064":"b"}',
            '{"id":"a","reprovisionPolicy":{"x":1,"x":2}}', '{"":1,"":2}'),
    *bodies("unknown-member", "no member", '{"id":"a","colour":"red"}', '{"Id":"a"}',
            '{"id":"a","reprovisionPolicy":{"colour":1}}', '{"id":"a","__proto__":{}}'),
    *bodies("missing-member", "'id' is missing", "{}", " ", '{"enabled":true}'),
    *bodies("malformed-member", "must be", '{"id":17}', '{"id":null}', '{"id":["a"]}',
            '{"id":"a","enabled":"yes"}', '{"id":"a","enabled":1}',
            '{"id":"a","reprovisionPolicy":[]}', '{"id":"a","initialTwin":"text"}',
            '{"id":"a","reason":5}'),
    *bodies("malformed-id", "1 to 128", '{"id":""}', '{"id":"a b"}', '{"id":"a/b"}',
            '{"id":"a."}', '{"id":"\\u0000"}', '{"id":"ä"}', '{"id":"../x"}',
            json.dumps({"id": "a" * 129})),
    Row("a twin nested too deep", "POST", "/groups",
        '{"id":"a","initialTwin":' + '{"a":' * 11 + "1" + "}" * 12, 413, "member-too-deep", "10"),
    Row("a twin too large", "POST", "/groups",
        {"id": "a", "initialTwin": {"a": "x" * 33 * KB}}, 413, "member-too-large", "32768"),
    Row("a group that there is", "POST", "/groups", {"id": "steady"}, 409, "group-exists",
        "steady"),
    Row("a group that there is, in capitals", "POST", "/groups", {"id": "STEADY"}, 409,
        "group-exists", "STEADY"),
    Row("a body of more than a megabyte", "POST", "/groups", "{}", 413, "body-too-large",
        "1048576", {"Content-Length": str(KB * KB + 1)}),
    Row("no body at all", "POST", "/groups", None, 400, "missing-body", "JSON object"),
    Row("a body where none belongs", "GET", "/groups", "{}", 400, "unexpected-body", "no body"),
    Row("a body for a removal", "DELETE", "/groups/steady", "{}", 400, "unexpected-body",
        "no body"),
    *(Row(f"a body as {kind!r}", "POST", "/groups", '{"id":"a"}', 415, "media-type",
          "application/json", {"Content-Type": kind})
      for kind in ("", "text/plain", "text/json", "application/xml", "application/jsonp",
                   "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                   "application/merge-patch+json")),
    Row("an enrollment without a name", "POST", "/enrollments", {}, 400, "missing-member",
        "registrationId"),
    Row("an enrollment of no name", "POST", "/enrollments", {"registrationId": "a b"}, 400,
        "malformed-id", "1 to 128"),
    Row("a token without a name", "POST", "/tokens", {}, 400, "missing-member", "name"),
    Row("a token that never ends well", "POST", "/tokens", {"name": "a", "expires": "tomorrow"},
        400, "malformed-member", "expires"),
    Row("a token of yesterday", "POST", "/tokens",
        {"name": "a", "expires": "2020-01-01T00:00:00Z"}, 400, "expires-in-the-past",
        "ended before"),
    Row("a token of no role", "POST", "/tokens", {"name": "a", "role": "god"}, 400,
        "unknown-role", "role"),
    Row("a policy without a name", "POST", "/policies", {"rights": ["EnrollmentRead"]}, 400,
        "missing-member", "name"),
    Row("a policy of no name", "POST", "/policies", {"name": "a b", "rights": ["EnrollmentRead"]},
        400, "malformed-name", "letters"),
    *(Row(f"a policy that may {rights!r}", "POST", "/policies", {"name": "a", "rights": rights},
          400, code, words) for rights, code, words in (
        ([], "no-right", "at least one"), (None, "no-right", "at least one"),
        (["Root"], "unknown-right", "Root"),
        (["EnrollmentRead", "*"], "unknown-right", "EnrollmentWrite"),
        ("all", "malformed-member", "rights"), ([7], "malformed-member", "rights"))),
    Row("a policy that is a token already", "POST", "/policies",
        {"name": "admin", "rights": ["EnrollmentRead"]}, 409, "token-exists", "revoke"),
    Row("keys of no policy", "POST", "/policies/nobody/show-keys", {}, 404, "policy-not-found",
        "nobody"),
    Row("a third key", "PUT", "/policies/provisioningserviceowner/keys/third", {}, 400, "",
        "primary"),
    Row("distrust of nothing", "POST", "/distrust", {"reason": "x"}, 400, "missing-member",
        "one of"),
    Row("distrust of two", "POST", "/distrust",
        {"spkiSha256": KEY, "certificate": "x", "reason": "x"}, 400, "missing-member", "one of"),
    Row("distrust of no key", "POST", "/distrust", {"spkiSha256": "12", "reason": "x"}, 400,
        "malformed-key", "64 hex"),
    Row("distrust without a reason", "POST", "/distrust", {"spkiSha256": KEY}, 400,
        "reason-required", "reason"),
    Row("lifting what is not distrusted", "DELETE", f"/distrust/{KEY}?reason=x", None, 404,
        "not-distrusted", "distrust"),
]

STALE = [
    stale("PATCH", "/groups/steady", {"enabled": False}),
    stale("DELETE", "/groups/steady"),
    stale("POST", "/groups/steady/swap"),
    stale("DELETE", "/groups/steady/certificates/primary"),
    stale("POST", "/groups/steady/certificates/primary/code"),
    stale("DELETE", "/ca-certificates/{ca}?mode=breach&reason=x"),
    stale("DELETE", "/enrollments/lonely"),
    stale("PATCH", "/enrollments/lonely", {"enabled": False}),
    stale("PUT", "/policies/provisioningserviceowner/keys/primary", {}),
    stale("DELETE", "/policies/provisioningserviceowner"),
    stale("POST", "/devices/lonely/block"),
    stale("DELETE", "/devices/lonely"),
    *(stale("DELETE", "/groups/steady")._replace(what=f"If-Match: {tag}", headers={"If-Match": tag})
      for tag in ("", '""', "x", 'W/"{etag}"', '"{etag}x"', '"a", "b"', ",,,", "**")),
]


class BadOrders(Steady):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lonely = cls.ours.self_signed("lonely")
        cls.server.command("enrollment", "create", "lonely", "--primary", cls.lonely.certificate)

    def assert_problem(self, answer, status, code, words):
        self.assertEqual(answer.status, status, answer.text)
        self.assertEqual(answer.headers["content-type"], "application/problem+json")
        problem = answer.json
        self.assertEqual((problem["status"], problem["code"]), (status, code or problem["code"]),
                         answer.text)
        self.assertRegex(problem["detail"], words or ".")
        self.assertTrue(problem["title"] and problem["trackingId"])

    def all_refused(self, rows):
        self.assert_assigned("lonely", self.lonely.alone)
        ca = self.operator.listing("/ca-certificates")[0]["id"]
        etag = self.operator.ask("GET", "/groups/steady").headers["etag"].strip('"')
        for row in rows:
            headers = {name: value.replace("{etag}", etag) for name, value in row.headers.items()}
            with self.row(row.what):
                answer = self.operator.ask(row.method, row.path.replace("{ca}", ca), row.body,
                                           headers)
                self.assert_problem(answer, row.status, row.code, row.words)
        self.a_good_device_comes_in()

    def test_addresses(self):
        self.all_refused(ADDRESSES)

    def test_parameters(self):
        self.all_refused(PARAMETERS)

    def test_bodies(self):
        self.all_refused(BODIES)

    def test_stale_etags(self):
        self.all_refused(STALE)

    # --- the door that others can reach ---

    def by_door(self, method, path, authorization=None, body=None, source="127.0.0.1"):
        """Over TLS, as from another machine."""
        context = ssl.create_default_context(cafile=self.server.ca_file)
        context.check_hostname = False
        line = http.client.HTTPSConnection(*self.server.doors["operator"], context=context,
                                           timeout=60, source_address=(source, 0))
        headers = JSON if authorization is None else {**JSON, "Authorization": authorization}
        try:
            line.request(method, "/api/v1" + path, body, headers)
            return Answer(line.getresponse())
        finally:
            line.close()

    def made_token(self, **wish):
        answer = self.operator.ask("POST", "/tokens", {"name": self.own("token"), **wish})
        self.assertEqual(answer.status, 201, answer.text)
        return answer.json["token"]

    def test_tokens_that_open_nothing(self):
        with open(os.path.join(self.server.data, "admin-token"), encoding="utf-8") as file:
            right = file.read().strip()
        revoked = self.made_token()
        self.assertEqual(self.by_door("GET", "/groups", f"Bearer {revoked}").status, 200)
        self.operator.ask("DELETE", f"/tokens/{self.own('token')}")
        soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
        expired = self.made_token(expires=soon)
        until = time.monotonic() + 30
        while self.by_door("GET", "/groups", f"Bearer {expired}").status == 200:
            self.assertLess(time.monotonic(), until, "a token outlives its end")
            time.sleep(0.2)
        basic = base64.b64encode(f"admin:{right}".encode()).decode()
        flipped = right[:-1] + ("A" if right[-1] != "A" else "B")
        for number, (what, authorization, code) in enumerate((
                ("no token", None, "token-missing"), ("an empty one", "", ""),
                ("no scheme", right, ""), ("another scheme", f"Basic {basic}", ""),
                ("a scheme alone", "Bearer", ""), ("a scheme and a space", "Bearer ", ""),
                ("one character changed", f"Bearer {flipped}", ""),
                ("cut by one", f"Bearer {right[:-1]}", ""),
                ("longer by one", f"Bearer {right}A", ""),
                ("twice", f"Bearer {right} {right}", ""), ("quoted", f'Bearer "{right}"', ""),
                ("in a list", f"Bearer {flipped}, Bearer {right}", ""),
                ("in other letters", f"Bearer {right.swapcase()}", ""),
                ("a long one", "Bearer " + "A" * 8000, ""), ("revoked", f"Bearer {revoked}", ""),
                ("expired", f"Bearer {expired}", ""),
                ("nothing like one", "Bearer ' OR 1=1 --", ""))):
            source = f"127.0.1.{number}"  # many wrong ones from one address are told to wait
            for method, path, body in (
                    ("GET", "/groups", None), ("POST", "/groups", '{"id":"a"}'),
                    ("DELETE", "/groups/steady", None), ("GET", "/tokens", None)):
                with self.row(f"{what}, {method} {path}"):
                    answer = self.by_door(method, path, authorization, body, source)
                    self.assert_problem(answer, 401, code, "token")
                    self.assertRegex(answer.headers["www-authenticate"], "^Bearer ")
                    self.assertNotIn(right, answer.text)
        self.assertEqual(self.by_door("GET", "/groups", f"Bearer {right}").status, 200)
        self.a_good_device_comes_in()

    def test_devices_find_nothing_at_the_operators_door(self):
        register = f"/{self.server.scope}/registrations/good/register?api-version=2021-06-01"
        with self.row("registering at the operators' door"):
            answer = self.operator.ask("PUT", f"/../..{register}", "{}")
            self.assert_problem(answer, 404, "no-such-address", "nothing at this address")
        self.a_good_device_comes_in()


if __name__ == "__main__":
    main()
