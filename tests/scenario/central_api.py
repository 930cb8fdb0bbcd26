#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The API of IoT Central as its clients use it, and bodies made from its own table of members with
one thing wrong in each: the right status, its own error body, and nothing changed."""
import argparse
import base64
import copy
import json
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.operator import Door, Operator, admin_bearer  # noqa: E402
from lab.scenario import main  # noqa: E402
from lab.steady import Steady  # noqa: E402

numbers = argparse.Namespace(seed=20261126, cases=60)
VERSION = "api-version=2022-07-31"
ROLES = {"administrator": "ca310b8d-2f4a-44e0-a36e-957c202cd8d4",
         "builder": "344138e9-8de4-4497-8c54-5237e96d6aaf",
         "operator": "ae2c9854-393b-4f97-8c42-479d70ce626e"}
# The statuses the API is documented with, and those of HTTP itself.
DOCUMENTED = {200, 201, 202, 204, 400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 429}


def base64_of(path):
    with open(path, "rb") as file:
        return base64.b64encode(file.read()).decode()


class CentralTest(Steady):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.central = Operator(cls.server, api="")

    @classmethod
    def tearDownClass(cls):
        cls.central.close()
        super().tearDownClass()

    def ask(self, method, path, body=None, headers=None):
        if "api-version" not in path:
            path += ("&" if "?" in path else "?") + VERSION
        return self.central.ask(method, "/api" + path, body, headers)

    def done(self, method, path, body=None, headers=None, status=200):
        answer = self.ask(method, path, body, headers)
        self.assertEqual(answer.status, status, answer.text)
        return answer.json if answer.text else None

    def assert_documented(self, answer, what=""):
        """An answer that the API may give; a refusal has the documented form."""
        self.assertIn(answer.status, DOCUMENTED, f"{what}: {answer.status} {answer.text}")
        if answer.status >= 400:
            error = answer.json["error"]
            self.assertEqual(list(error), ["code", "message", "requestId", "time"], what)
            self.assertEqual(answer.headers["x-ms-error-code"], error["code"], what)
            self.assertTrue(error["message"], what)
        elif answer.status != 204:
            self.assertTrue(answer.text, f"{what}: {answer.status} without a body")

    def refused(self, status, method, path, body=None, headers=None):
        answer = self.ask(method, path, body, headers)
        self.assert_documented(answer, path)
        self.assertEqual(answer.status, status, f"{method} {path}: {answer.text}")

    @staticmethod
    def file(party):
        return {"certificate": base64_of(party.certificate)}

    def new_group(self, **more):
        path = f"/enrollmentGroups/{self.own('g')}"
        self.done("PUT", path, {"displayName": "g", "type": "iot",
                                "attestation": {"type": "x509"}, **more})
        return path

    def new_device(self):
        path = f"/devices/{self.own('dev')}"
        self.done("PUT", path, {"displayName": "Cooler"})
        return path


class Stories(CentralTest):
    def test_a_group_is_one_record_for_all_apis(self):
        path = self.new_group(type="iotEdge")
        root = self.ours.root(self.own("root"))
        self.done("PUT", f"{path}/certificates/secondary", {**self.file(root), "verified": True})
        # DPS has no word for the name, and writes the rest.
        service = self.central.ask("GET", f"/enrollmentGroups/{self.own('g')}"
                                          "?api-version=2021-10-01").json
        self.assertEqual(service["capabilities"], {"iotEdge": True})
        slots = service["attestation"]["x509"]["signingCertificates"]
        self.assertEqual(
            self.done("GET", f"{path}/certificates/secondary")["info"]["sha1Thumbprint"],
            slots["secondary"]["info"]["sha1Thumbprint"])
        written = self.central.ask("PUT", f"/enrollmentGroups/{self.own('g')}"
                                          "?api-version=2021-10-01", service)
        self.assertEqual(written.status, 200, written.text)
        self.assertEqual(self.done("GET", path)["displayName"], "g")

    def test_a_device_that_was_made_before_it_comes_needs_no_approval(self):
        root = self.ours.root(self.own("root"))
        path = self.new_group()
        self.done("PUT", f"{path}/certificates/primary", {**self.file(root), "verified": True})
        self.server.command("group", "update", self.own("g"), "--auto-approve", "off")
        expected, stranger = self.own("dev"), self.own("stranger")
        device = self.new_device()
        self.assertEqual(self.done("GET", device)["provisioned"], False)
        self.assert_assigned(expected, self.ours.leaf(root, expected).credential)
        self.assertEqual(self.done("GET", device)["provisioned"], True)
        self.assertEqual(self.done("GET", device)["displayName"], "Cooler")

        credential = self.ours.leaf(root, stranger).credential
        outcome = self.register(stranger, credential)
        self.assertEqual((outcome.status, outcome.code), ("failed", 400209), outcome)
        shown = self.done("GET", f"/devices/{stranger}")
        self.assertEqual((shown["provisioned"], shown["enabled"]), (False, False))
        self.assertEqual(shown["displayName"], stranger)
        self.done("PATCH", f"/devices/{stranger}", {"enabled": True})
        self.assert_assigned(stranger, credential)

    def test_tokens_may_what_their_roles_may(self):
        tokens = {}
        for role, id_ in ROLES.items():
            made = self.done("PUT", f"/apiTokens/{self.own(role)}", {"roles": [{"role": id_}]})
            tokens[role] = made["token"]
        device = self.new_device()
        group = self.new_group()
        rows = [("GET", "/enrollmentGroups", None, (200, 200, 200)),
                ("GET", device, None, (200, 200, 200)),
                ("PATCH", device, {"displayName": "x"}, (200, 200, 200)),
                ("PATCH", group, {"displayName": "x"}, (200, 403, 403)),
                ("DELETE", "/apiTokens/nobody", None, (404, 403, 403))]
        for method, path, body, statuses in rows:
            for role, status in zip(ROLES, statuses):
                with Door(self.server, tokens[role]) as door:
                    answer = door.ask(method, f"/api{path}?{VERSION}", body)
                    self.assert_documented(answer, path)
                    self.assertEqual(answer.status, status, f"{role}: {method} {path}")
        self.assert_in_no_file([token.encode() for token in tokens.values()])
        token = tokens["administrator"]
        signature = token.index("sig=") + 8
        tampered = [token[:signature] + ("A" if token[signature] != "A" else "B")
                    + token[signature + 1:],
                    token.replace("skn=", "skn=x"), token.replace("sr=localhost", "sr=other"),
                    token[:-1] + ("1" if token[-1] != "1" else "2"),
                    token[: token.index("&se=")], "SharedAccessSignature", "Bearer " + token]
        for text in tampered:
            with self.row(text[-40:]), Door(self.server, text) as door:
                answer = door.ask("GET", f"/api/devices?{VERSION}")
                self.assert_documented(answer)
                self.assertEqual(answer.status, 401, answer.text)
        self.done("DELETE", f"/apiTokens/{self.own('administrator')}", status=204)
        with Door(self.server, token) as door:
            self.assertEqual(door.ask("GET", f"/api/devices?{VERSION}").status, 401)

    def test_the_native_api_stays_where_it_is(self):
        for path, status in (("/api/v1/groups", 200), ("/api/v1/nothing", 404),
                             ("/api/v1/devices?api-version=2022-07-31", 400)):
            answer = self.central.ask("GET", path)
            self.assertEqual(answer.status, status, answer.text)
            self.assertNotIn('"error"', answer.text, "problem details, as ever")
        for path in ("/api", "/api/", "/api/v2/groups", "/api/v1x", "/api/nothing"):
            self.assert_documented(self.central.ask("GET", f"{path}?{VERSION}"))

    def test_every_device_is_listed_once(self):
        for number in range(30):
            self.done("PUT", f"/devices/{self.own('d')}-{number:02}",
                      {"displayName": f"Name {29 - number:02}", "simulated": number % 3 == 0})
        mine = f"indexof(id, '{self.own('d')}') eq 0"
        for query, expected in (
                ({"$filter": mine}, list(range(30))),
                ({"$filter": mine, "$top": "7"}, list(range(30))),
                ({"$filter": f"{mine} and simulated eq true"}, list(range(0, 30, 3))),
                ({"$filter": mine, "$orderby": "displayName", "$top": "4"},
                 list(range(29, -1, -1)))):
            with self.subTest(query):
                path = "/devices?" + "&".join(f"{name}={value.replace(' ', '%20')}"
                                              for name, value in query.items())
                seen = []
                while path:
                    page = self.done("GET", path)
                    self.assertLessEqual(len(page["value"]), int(query.get("$top", 25)))
                    seen += [int(each["id"][-2:]) for each in page["value"]]
                    path = page.get("nextLink", "").partition("/api")[2]
                self.assertEqual(seen, expected)


class BadInput(CentralTest):
    """One thing wrong in each."""

    def bodies(self):
        """Good bodies by (method, path)."""
        name = self.own("x")
        root = self.ours.root(self.own("root"))
        leaf = self.ours.self_signed(name)
        self.done("PUT", f"/enrollmentGroups/{name}",
                  {"displayName": "x", "type": "iot", "attestation": {"type": "x509"}})
        self.done("PUT", f"/devices/{name}", {"displayName": "x"})
        group = {"displayName": "x", "enabled": True, "type": "iot",
                 "attestation": {"type": "x509"}}
        device = {"displayName": "x", "template": "dtmi:a:b;1", "simulated": False,
                  "enabled": True, "organizations": ["north"]}
        attestation = {"type": "x509", "x509": {"clientCertificates": {
            "primary": self.file(leaf)}}}
        return [("PUT", f"/enrollmentGroups/{name}", group),
                ("PATCH", f"/enrollmentGroups/{name}", group),
                ("PUT", f"/enrollmentGroups/{name}/certificates/primary",
                 {**self.file(root), "verified": True}),
                ("POST", f"/enrollmentGroups/{name}/certificates/primary/verify",
                 self.file(root)),
                ("PUT", f"/devices/{name}", device),
                ("PATCH", f"/devices/{name}", device),
                ("PUT", f"/devices/{name}/attestation", attestation),
                ("PATCH", f"/devices/{name}/attestation", attestation),
                ("PUT", f"/apiTokens/{name}", {"roles": [{"role": ROLES["operator"]}]}),
                ("POST", f"/devices/{name}/commands/c",
                 {"request": {}, "connectionTimeout": 0, "responseTimeout": 5})]

    @staticmethod
    def places(value, path=()):
        """The path of every member."""
        if isinstance(value, dict):
            for name, inner in value.items():
                yield path + (name,)
                yield from BadInput.places(inner, path + (name,))

    @staticmethod
    def spoiled(body, path, chance):
        """(what was done, the body): another type, no value, none at all, or far too much."""
        ruined = copy.deepcopy(body)
        place = ruined
        for name in path[:-1]:
            place = place[name]
        was = place[path[-1]]
        kinds = [2, -1, True, "", "x" * 5000, [], {}, [7], {"a": 1}, None, "\u0000", "\ud800", 1e308]
        choice = chance.choice([kind for kind in kinds if kind != was] + ["gone"])
        if choice == "gone":
            del place[path[-1]]
        else:
            place[path[-1]] = choice
        return f"{'.'.join(path)}: {str(choice)[:20]!r}", ruined

    def test_one_member_spoiled(self):
        chance = random.Random(numbers.seed)
        refused = taken = 0
        for method, path, body in self.bodies():
            for place in self.places(body):
                for _ in range(max(1, numbers.cases // 20)):
                    what, ruined = self.spoiled(body, place, chance)
                    before = self.held()
                    answer = self.ask(method, path, ruined)
                    self.assert_documented(answer, f"{method} {path} {what}")
                    if answer.status >= 400:
                        refused += 1
                        self.assertEqual(self.held(), before, f"{method} {path} {what}")
                    else:
                        taken += 1
                        if path.startswith("/apiTokens"):
                            self.done("DELETE", path, status=204)
        self.assertGreater(refused, 30)
        self.assertGreater(taken, 0)
        self.a_good_device_comes_in()

    def test_bodies_that_are_none(self):
        rows = [b"", b"x", b"[]", b"null", b"5", b'"x"', b"{", b"\xff\xfe", b'{"a":"\xff"}',
                b'{"a":1,"a":2}', b'{"a":' * 100 + b"1" + b"}" * 100, b"\x00", b"{}{}"]
        for method, path, _ in self.bodies():
            for body in rows:
                with self.row(f"{method} {path} {body[:20]}"):
                    self.refused(400, method, path, body, {"Content-Type": "application/json"})
            with self.row(f"{method} {path} of another type"):
                self.refused(415, method, path, b"<x/>", {"Content-Type": "text/xml"})
            with self.row(f"{method} {path} too large"):
                answer = self.ask(method, path, None, {"Content-Length": str(1024 * 1024 + 1)})
                self.assert_documented(answer)
                self.assertEqual(answer.status, 413)

    def test_files_that_are_no_certificate(self):
        root = self.ours.root(self.own("root"))
        name = self.own("x")
        self.done("PUT", f"/enrollmentGroups/{name}",
                  {"displayName": "x", "type": "iot", "attestation": {"type": "x509"}})
        self.done("PUT", f"/devices/{name}", {"displayName": "x"})
        with open(root.key, "rb") as file:
            key = file.read()
        with open(root.certificate, "rb") as file:
            certificate = file.read()
        bad = {"a picture": b"\x89PNG\r\n\x1a\n" + b"\0" * 200, "a private key": key,
               "a key behind a certificate": certificate + key,
               "a store": b"\x30\x82\x0a\x3e\x02\x01\x03\x30\x82\x0a" + b"\0" * 500,
               "half a certificate": certificate[: len(certificate) // 2],
               "two certificates": certificate * 2, "nothing": b"", "a word": b"certificate",
               "very much": certificate + b"x" * 200_000}
        for what, data in bad.items():
            text = base64.b64encode(data).decode()
            for method, path, body in (
                    ("PUT", f"/enrollmentGroups/{name}/certificates/primary",
                     {"certificate": text}),
                    ("PUT", f"/devices/{name}/attestation",
                     {"type": "x509", "x509": {"clientCertificates": {
                         "primary": {"certificate": text}}}})):
                with self.row(f"{what} into {path}"):
                    answer = self.ask(method, path, body)
                    self.assert_documented(answer, what)
                    if what == "two certificates" and answer.status == 200:
                        self.fail("of two certificates none is the one that is meant")
                    self.assertIn(answer.status, (413, 422), answer.text)
                    self.assertNotIn(key.decode().splitlines()[1], answer.text)
        self.assert_in_no_file([key.splitlines()[1]], self.server.data)

    def test_addresses_and_queries(self):
        for method, path, status in (
                ("GET", "/devices?api-version=2018-01-01", 400),
                ("GET", "/devices?api-version=2022-07-31&$top=x", 400),
                ("GET", "/devices?$top=0", 400),
                ("GET", "/devices?$filter=enabled", 400),
                ("GET", "/devices?$filter=" + "(" * 17 + "id%20eq%20'a'" + ")" * 17, 400),
                ("GET", "/devices?$filter=id%20eq%20'" + "a" * 2100 + "'", 400),
                ("GET", "/devices?$orderby=enabled", 400),
                ("GET", "/devices?$skiptoken=!", 400),
                ("GET", "/devices/%ff", 400),
                ("GET", "/devices/%2e%2e%2fx", 404),
                ("PUT", "/devices/" + "x" * 129, 400),
                ("PUT", "/devices/x%20y", 400),
                ("PUT", "/enrollmentGroups/" + "x" * 129, 400),
                ("PUT", "/enrollmentGroups/ends-in-a-dot.", 400),
                ("PUT", "/enrollmentGroups/none/certificates/primary", 404),
                ("DELETE", "/enrollmentGroups/none/certificates/primary", 404),
                ("GET", "/enrollmentGroups/none/certificates/third", 400),
                ("POST", "/enrollmentGroups", 405),
                ("DELETE", "/devices", 405),
                ("OPTIONS", "/devices/x", 405),
                ("DELETE", "/devices/nobody", 404),
                ("GET", "/devices/nobody/attestation", 404),
                ("GET", "/devices/nobody/credentials", 404),
                ("GET", "/devices/nobody/properties", 404),
                ("GET", "/devices/nobody/telemetry/x", 404),
                ("DELETE", "/apiTokens/nobody", 404),
                ("GET", "/roles/nobody", 404),
                ("GET", "/deviceTemplates", 404)):
            with self.row(f"{method} {path[:60]}"):
                body = None
                if method == "PUT":
                    body = {"displayName": "x", "type": "iot", "attestation": {"type": "x509"},
                            "certificate": "x"}
                self.refused(status, method, path, body)

    def test_conditions(self):
        group = self.new_group()
        device = self.new_device()
        for path in (group, device):
            etag = self.done("GET", path)["etag"]
            for wrong in ("x", etag[:-4], '"', "A" * 3000):
                with self.row(f"{path} {wrong[:20]}"):
                    self.refused(412, "PATCH", path, {"displayName": "y", "etag": wrong})
                    self.refused(412, "DELETE", path, None, {"If-Match": wrong})
            for number, spelled in enumerate((
                    lambda tag: tag, lambda tag: f'"{tag}"',
                    lambda tag: base64.b64decode(tag).decode(),
                    lambda tag: base64.b64decode(tag).decode().strip('"'))):
                self.done("PATCH", path, {"displayName": f"to {number}", "etag": spelled(etag)})
                etag = self.done("GET", path)["etag"]
            self.done("PATCH", path, {"displayName": "z"}, {"If-Match": "*"})

    def test_strangers_learn_nothing(self):
        self.new_group()
        for authorization in (None, "", "Bearer", "Bearer x", "Basic YTpi", "SharedAccessSignature",
                              "SharedAccessSignature sr=dps&sig=AA&skn=x&se=1",
                              "SharedAccessSignature sr=dps&sig=AA&skn=x&se=99999999999999"):
            with self.row(str(authorization)):
                for method, path in (("GET", f"/enrollmentGroups/{self.own('g')}"),
                                     ("GET", "/enrollmentGroups/none"), ("DELETE", "/devices/x"),
                                     ("PUT", "/apiTokens/x")):
                    with Door(self.server, authorization) as door:
                        answer = door.ask(method, f"/api{path}?{VERSION}")
                        self.assert_documented(answer)
                        self.assertEqual(answer.status, 401, answer.text)
        self.assertTrue(admin_bearer(self.server).startswith("Bearer "))


if __name__ == "__main__":
    main(numbers)
