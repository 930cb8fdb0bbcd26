#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The DPS service API as its clients speak it: what `az iot dps` sends, bodies made from the API's
own table of members with one thing wrong in each, and what stays as it was after a refusal."""
import argparse
import base64
import copy
import http.client
import json
import os
import random
import ssl
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.device import Answer  # noqa: E402
from lab.operator import Operator  # noqa: E402
from lab.scenario import main  # noqa: E402
from lab.steady import Steady  # noqa: E402

numbers = argparse.Namespace(seed=20261126, cases=400)
VERSION = "?api-version=2021-10-01"
# The statuses the API is documented with.
DOCUMENTED = {200, 204, 400, 401, 403, 404, 405, 409, 412, 415, 429}


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read().rstrip()


class ServiceTest(Steady):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service = Operator(cls.server, api="")
        cls.factory = cls.ours.root("Service Factory")
        cls.server.command("ca", "add", "factory", cls.factory.certificate, "--vouch")

    @classmethod
    def tearDownClass(cls):
        cls.service.close()
        super().tearDownClass()

    def ask(self, method, path, body=None, headers=None):
        return self.service.ask(method, path if "?" in path else path + VERSION, body, headers)

    def done(self, method, path, body=None, headers=None, status=200):
        answer = self.ask(method, path, body, headers)
        self.assertEqual(answer.status, status, answer.text)
        return answer.json if answer.text else None

    def assert_documented(self, answer, what=""):
        """An answer that the API may give; a refusal has the documented form."""
        self.assertIn(answer.status, DOCUMENTED, f"{what}: {answer.status} {answer.text}")
        if answer.status >= 400:
            self.assertEqual(list(answer.json),
                             ["errorCode", "trackingId", "message", "timestampUtc", "info"], what)
            self.assertEqual(answer.json["errorCode"] // 1000, answer.status, what)
            self.assertEqual(answer.headers["x-ms-error-code"], str(answer.json["errorCode"]))
            self.assertTrue(answer.json["message"], what)

    def plant(self, word="plant"):
        """An intermediate under the verified root, with a device's leaf."""
        ca = self.ours.intermediate(self.factory, self.own(word))
        return ca, self.ours.leaf(ca, self.own("dev"))

    @staticmethod
    def slot(party):
        return {"certificate": text_of(party.certificate)}

    def group_body(self, primary, secondary=None):
        slots = {"primary": self.slot(primary)}
        if secondary:
            slots["secondary"] = self.slot(secondary)
        return {"attestation": {"type": "x509", "x509": {"signingCertificates": slots}}}


class Az(ServiceTest):
    """The requests of `az iot dps …`, as they were recorded: its headers, its If-Match, its query
    that is a printed Python object, its whole objects written back."""

    def send(self, method, path, body=None, if_match=None):
        token = text_of(os.path.join(self.server.data, "admin-token"))
        headers = {"User-Agent": "python/3.11.2 (Linux-6.1) msrest/0.6.21 IoTPlatformCliExtension",
                   "Accept-Encoding": "gzip, deflate", "Accept": "application/json",
                   "Connection": "keep-alive", "accept-language": "en-US",
                   "x-ms-client-request-id": "a2b4c6d8-0000-1111-2222-333344445555",
                   "Authorization": f"Bearer {token}"}
        if body is not None:
            body = json.dumps(body)
            headers["Content-Type"] = "application/json; charset=utf-8"
        elif method == "POST":
            headers["Content-Length"] = "0"
        if if_match is not None:
            headers["If-Match"] = if_match
        host, port = self.server.doors["operator"]
        context = ssl.create_default_context(cafile=self.server.ca_file)
        context.check_hostname = False
        line = http.client.HTTPSConnection(host, port, context=context, timeout=30)
        try:
            line.request(method, path + VERSION, body, headers)
            return Answer(line.getresponse())
        finally:
            line.close()

    def test_enrollment_group_create_update_delete(self):
        (old, old_leaf), (new, new_leaf) = self.plant("old"), self.plant("new")
        path = f"/enrollmentGroups/{self.own('g')}"
        made = self.send("PUT", path, {
            "enrollmentGroupId": self.own("g"),
            "attestation": {"type": "x509", "x509": {
                "signingCertificates": {"primary": self.slot(old)}}},
            "capabilities": {"iotEdge": False},
            "initialTwin": {"tags": {}, "properties": {"desired": {}}},
            "provisioningStatus": "enabled",
            "reprovisionPolicy": {"updateHubAssignment": True, "migrateDeviceData": True}})
        self.assertEqual(made.status, 200, made.text)
        self.assertEqual(made.headers["content-type"], "application/json; charset=utf-8")
        self.assertEqual(made.headers["strict-transport-security"],
                         "max-age=31536000; includeSubDomains")
        self.assertNotIn("etag", made.headers)
        self.assert_assigned(self.own("dev"), old_leaf.credential)
        # az … update --certificate-path new: what was read, with one certificate instead of info.
        record = self.send("GET", path).json
        record["attestation"]["x509"]["signingCertificates"]["primary"] = self.slot(new)
        changed = self.send("PUT", path, record, if_match="*")
        self.assertEqual(changed.status, 200, changed.text)
        slots = changed.json["attestation"]["x509"]["signingCertificates"]
        self.assertEqual(slots["primary"], slots["secondary"], "the old one moved to no slot")
        self.assert_refused(self.own("dev"), old_leaf.credential)
        self.assert_assigned(self.own("dev"), new_leaf.credential)
        self.assertEqual(self.send("DELETE", path, if_match="*").status, 204)
        self.assertEqual(self.send("GET", path).status, 404)
        self.assert_refused(self.own("dev"), new_leaf.credential)

    def test_enrollment_group_secondary_and_swap(self):
        (first, first_leaf), (second, second_leaf) = self.plant("first"), self.plant("second")
        path = f"/enrollmentGroups/{self.own('g')}"
        self.send("PUT", path, self.group_body(first))
        record = self.send("GET", path).json
        record["attestation"]["x509"]["signingCertificates"]["secondary"] = self.slot(second)
        self.assertEqual(self.send("PUT", path, record, if_match="*").status, 200)
        self.assert_assigned(self.own("dev"), first_leaf.credential)
        self.assert_assigned(self.own("dev"), second_leaf.credential)
        record = self.send("GET", path).json
        slots = record["attestation"]["x509"]["signingCertificates"]
        slots["primary"], slots["secondary"] = slots["secondary"], slots["primary"]
        swapped = self.send("PUT", path, record, if_match=record["etag"])
        self.assertEqual(swapped.json["attestation"], record["attestation"])
        # --remove-certificate: the Python serializer leaves the slot out.
        removed = swapped.json
        del removed["attestation"]["x509"]["signingCertificates"]["secondary"]
        self.assertEqual(self.send("PUT", path, removed, if_match="*").status, 200)
        self.assert_refused(self.own("dev"), first_leaf.credential)
        self.assert_assigned(self.own("dev"), second_leaf.credential)

    def test_group_switches_to_a_reference_and_back(self):
        plant, leaf = self.plant()
        path = f"/enrollmentGroups/{self.own('g')}"
        self.send("PUT", path, self.group_body(plant))
        record = self.send("GET", path).json
        record["attestation"]["x509"] = {"caReferences": {"primary": "factory"},
                                         "signingCertificates": None, "clientCertificates": None}
        changed = self.send("PUT", path, record, if_match="*")
        self.assertEqual(changed.json["attestation"]["x509"],
                         {"caReferences": {"primary": "factory"}})
        self.assert_assigned(self.own("dev"), leaf.credential)
        record["attestation"]["x509"] = self.group_body(plant)["attestation"]["x509"]
        self.assertEqual(self.send("PUT", path, record, if_match="*").status, 200)
        self.assert_assigned(self.own("dev"), leaf.credential)
        record["attestation"]["x509"] = {"caReferences": {"primary": "nobody"}}
        refused = self.send("PUT", path, record, if_match="*")
        self.assertEqual(refused.status, 400)
        self.assertIn("'nobody'", refused.json["message"])
        self.send("DELETE", path)

    def test_enrollment_create_list_update_delete(self):
        first, second = (self.ours.self_signed(self.own("dev")) for _ in range(2))
        path = f"/enrollments/{self.own('dev')}"
        made = self.send("PUT", path, {
            "registrationId": self.own("dev"), "deviceId": None,
            "attestation": {"type": "x509", "x509": {
                "clientCertificates": {"primary": self.slot(first)}}},
            "capabilities": {"iotEdge": False}, "initialTwin": None,
            "provisioningStatus": "enabled", "reprovisionPolicy": None})
        self.assertEqual(made.status, 200, made.text)
        self.assertNotIn("reprovisionPolicy", made.json)
        self.assertEqual(made.json["capabilities"], {"iotEdge": False})
        listed = self.send("POST", "/enrollments/query", {
            "query": "{'additional_properties': {}, 'query': 'SELECT *'}"})
        self.assertEqual(listed.status, 200, listed.text)
        self.assertIn(made.json, listed.json)
        self.assertNotIn("x-ms-continuation", listed.headers)
        self.assertEqual(listed.headers["x-ms-item-type"], "Enrollment")
        self.assert_assigned(self.own("dev"), first.credential)
        record = self.send("GET", path).json
        self.assertEqual(record["registrationState"]["status"], "assigned")
        record["attestation"]["x509"]["clientCertificates"]["secondary"] = self.slot(second)
        self.assertEqual(self.send("PUT", path, record, if_match="*").status, 200)
        self.assert_assigned(self.own("dev"), second.credential)
        stale = self.send("PUT", path, record, if_match=record["etag"])
        self.assertEqual((stale.status, stale.json["errorCode"]), (412, 412001))
        self.assertEqual(self.send("DELETE", path, if_match=record["etag"]).status, 412)
        self.assertEqual(self.send("DELETE", path, if_match="*").status, 204)

    def test_group_registrations(self):
        plant, leaf = self.plant()
        path = f"/enrollmentGroups/{self.own('g')}"
        self.send("PUT", path, self.group_body(plant))
        query = f"/registrations/{self.own('g')}/query"
        self.assertEqual(self.send("POST", query).text, "[]")
        self.assert_assigned(self.own("dev"), leaf.credential)
        listed = self.send("POST", query)
        self.assertEqual(listed.headers["x-ms-item-type"], "DeviceRegistration")
        state = self.send("GET", f"/registrations/{self.own('dev')}").json
        self.assertEqual(listed.json, [state])
        self.assertEqual(list(state), ["registrationId", "createdDateTimeUtc", "assignedHub",
                                       "deviceId", "status", "substatus",
                                       "lastUpdatedDateTimeUtc", "etag"])
        gone = self.send("DELETE", f"/registrations/{self.own('dev')}", if_match=state["etag"])
        self.assertEqual(gone.status, 204)
        self.assertEqual(self.send("POST", query).text, "[]")
        self.assert_assigned(self.own("dev"), leaf.credential)

    def test_keys(self):
        path = f"/enrollments/{self.own('dev')}"
        made = self.send("PUT", path, {"attestation": {"type": "symmetricKey"}}).json
        keys = made["attestation"]["symmetricKey"]
        self.assertEqual(len(base64.b64decode(keys["primaryKey"])), 64)
        record = self.send("GET", path).json
        self.assertEqual(record["attestation"], {"type": "symmetricKey"})
        told = self.send("POST", path + "/attestationmechanism").json
        self.assertEqual(told, {"type": "symmetricKey", "symmetricKey": keys})
        again = self.send("PUT", path, record, if_match="*").json
        self.assertEqual(again["attestation"]["symmetricKey"], keys, "not sent: they stay")
        record["attestation"]["symmetricKey"] = {"primaryKey": base64.b64encode(b"k" * 32).decode()}
        changed = self.send("PUT", path, record, if_match="*").json["attestation"]["symmetricKey"]
        self.assertEqual(changed["secondaryKey"], keys["secondaryKey"])
        self.assertNotEqual(changed["primaryKey"], keys["primaryKey"])

    def test_strangers(self):
        host, port = self.server.doors["operator"]
        context = ssl.create_default_context(cafile=self.server.ca_file)
        context.check_hostname = False
        for token in (None, "Bearer nonsense", "Basic eDp5", "SharedAccessSignature sr=x",
                      "SharedAccessSignature sr=svc&sig=AAAA&se=1&skn=provisioningserviceowner"):
            line = http.client.HTTPSConnection(host, port, context=context, timeout=30)
            line.request("POST", "/enrollments/query" + VERSION, '{"query":"SELECT *"}',
                         {"Content-Type": "application/json",
                          **({"Authorization": token} if token else {})})
            answer = Answer(line.getresponse())
            line.close()
            self.assert_documented(answer, token)
            self.assertEqual(answer.json["errorCode"] // 1000, 401, token)


class Trust(ServiceTest):
    """What a PUT does to the trust of devices (PRODUCT sections 3.1, 3.10, 3.13)."""

    def test_an_unverified_certificate_attests_nothing(self):
        root = self.ours.root(self.own("root"))
        leaf = self.ours.leaf(root, self.own("dev"))
        path = f"/enrollmentGroups/{self.own('g')}"
        self.done("PUT", path, self.group_body(root))
        self.assert_refused(self.own("dev"), leaf.credential)
        self.prove(self.own("g"), "primary", root)
        self.assert_assigned(self.own("dev"), leaf.credential)

    def test_what_waits_does_not_interrupt(self):
        plant, leaf = self.plant()
        root = self.ours.root(self.own("new-root"))
        new_leaf = self.ours.leaf(root, self.own("dev"))
        path = f"/enrollmentGroups/{self.own('g')}"
        self.done("PUT", path, self.group_body(plant))
        shown = self.done("PUT", path, self.group_body(root))
        info = shown["attestation"]["x509"]["signingCertificates"]["primary"]["info"]
        self.assertIn(self.own("new-root"), info["subjectName"], "the new one is shown")
        self.assert_assigned(self.own("dev"), leaf.credential)
        self.assertEqual(self.done("PUT", path, shown)["attestation"], shown["attestation"])
        self.assert_assigned(self.own("dev"), leaf.credential)
        self.prove(self.own("g"), "primary", root)
        self.assert_refused(self.own("dev"), leaf.credential)
        self.assert_assigned(self.own("dev"), new_leaf.credential)

    def test_the_last_certificate_is_not_removed(self):
        plant, _ = self.plant()
        path = f"/enrollmentGroups/{self.own('g')}"
        record = self.done("PUT", path, self.group_body(plant))
        for x509 in ({}, {"signingCertificates": {}}, {"signingCertificates": None},
                     {"caReferences": {}}, None):
            with self.row(str(x509)):
                refused = self.ask("PUT", path, {**record,
                                                 "attestation": {"type": "x509", "x509": x509}})
                self.assertEqual(refused.status, 400)

    def test_a_disabled_entry_is_disabled(self):
        plant, leaf = self.plant()
        path = f"/enrollmentGroups/{self.own('g')}"
        record = self.done("PUT", path, self.group_body(plant))
        record["provisioningStatus"] = "disabled"
        self.done("PUT", path, record)
        self.assertEqual(self.register(self.own("dev"), leaf.credential).status, "disabled")


# The API's own table of members: where, and a good value. An entry's attestation is added.
SHARED = {
    "etag": None, "provisioningStatus": "enabled", "allocationPolicy": "hashed",
    "capabilities": {"iotEdge": True}, "iotHubs": None, "iotHubHostName": None,
    "initialTwin": {"tags": {"t": 1}, "properties": {"desired": {"d": {"e": 2}}}},
    "reprovisionPolicy": {"updateHubAssignment": True, "migrateDeviceData": False},
    "customAllocationDefinition": None, "createdDateTimeUtc": "2026-01-01T00:00:00Z",
    "lastUpdatedDateTimeUtc": "2026-01-01T00:00:00Z",
}
STRANGE = [None, True, False, 0, -1, 1.5, 10 ** 30, "", " ", "x", "x" * 5000, "\u0000", "ä\u202e\U0001f600",
           "*", "../..", "%00", "';--", [], [None], [[]], ["x"] * 3000, {}, {"x": None},
           {"primary": {"certificate": "x"}}, {"certificate": "-----BEGIN CERTIFICATE-----"},
           "LS0tLS1CRUdJTg==", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"]


def places(value, path=()):
    """Every place of a body."""
    yield path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from places(inner, (*path, name))


def put_at(body, path, value):
    at = body
    for name in path[:-1]:
        at = at[name]
    at[path[-1]] = value


class BadInput(ServiceTest):
    """Random bodies by a seed that is told: `--seed N --cases N`."""

    def bases(self):
        plant, _ = self.plant()
        leaf = self.ours.self_signed(self.own("dev"))
        slots = {"primary": self.slot(plant), "secondary": None}
        yield "/enrollmentGroups/", {
            **SHARED, "enrollmentGroupId": self.own("g"), "attestation": {
                "type": "x509", "x509": {"signingCertificates": slots, "caReferences": None}}}
        yield "/enrollments/", {
            **SHARED, "registrationId": self.own("dev"), "deviceId": "some-device",
            "optionalDeviceInformation": {"a": 1}, "attestation": {
                "type": "x509", "x509": {"clientCertificates": {"primary": self.slot(leaf)}}}}
        yield "/enrollments/", {
            **SHARED, "registrationId": self.own("key"), "attestation": {
                "type": "symmetricKey", "symmetricKey": {"primaryKey": "a2V5" * 8,
                                                         "secondaryKey": "a2V6" * 8}}}

    def test_one_thing_wrong(self):
        chance = random.Random(numbers.seed)
        taken = refused = 0
        for collection, base in self.bases():
            name = base.get("enrollmentGroupId") or base["registrationId"]
            self.done("PUT", collection + name, base)
            everywhere = [path for path in places(base) if path]
            for _ in range(numbers.cases):
                body = copy.deepcopy(base)
                path = chance.choice(everywhere)
                kind = chance.choice(("wrong", "wrong", "wrong", "missing", "extra"))
                if kind == "missing":
                    at = body
                    for part in path[:-1]:
                        at = at[part]
                    del at[path[-1]]
                elif kind == "extra":
                    body[chance.choice(("x", "Attestation", "registrationState", "ä"))] = \
                        chance.choice(STRANGE)
                else:
                    put_at(body, path, chance.choice(STRANGE))
                what = f"{collection}{name} {kind} {path} {json.dumps(body)[:300]}"
                before = self.ask("GET", collection + name).text
                answer = self.ask("PUT", collection + name, body)
                self.assert_documented(answer, what)
                after = self.ask("GET", collection + name).text
                if answer.status == 200:
                    taken += 1
                    self.done("PUT", collection + name, base)
                else:
                    refused += 1
                    self.assertEqual(before, after, what)
        self.assertGreater(taken, 0)
        self.assertGreater(refused, 0)
        self.a_good_device_comes_in()

    def test_bodies_that_are_none(self):
        deep = "[" * 5000 + "]" * 5000
        deeper = '{"attestation":' + '{"x509":' * 100 + "{}" + "}" * 101
        rows = [b"", b"x", b"[]", b"null", b"5", b'"x"', b"{", b"\xff\xfe", b'{"a":"\xff"}',
                b'{"a":1,"a":2}', deep.encode(), deeper.encode(), b"\x00", b"{}{}"]
        for collection in ("/enrollments", "/enrollmentGroups"):
            for path in (f"{collection}/x", collection, f"{collection}/query"):
                for body in rows:
                    with self.row(f"{path} {body[:40]}"):
                        answer = self.ask("PUT" if path.endswith("/x") else "POST", path, body,
                                          {"Content-Type": "application/json"})
                        self.assert_documented(answer)
                        self.assertEqual(answer.status, 400)
        with self.row("no JSON by its type"):
            answer = self.ask("PUT", "/enrollments/x", b"<x/>", {"Content-Type": "text/xml"})
            self.assert_documented(answer)
            self.assertEqual(answer.status, 415)
        with self.row("too large"):
            answer = self.ask("PUT", "/enrollments/x", None,
                              {"Content-Length": str(1024 * 1024 + 1)})
            self.assertEqual(answer.status, 413)
            self.assertEqual(answer.json["errorCode"], 413001)

    def test_addresses(self):
        for method, path, status in (
                ("GET", "/enrollments/x?api-version=2018-01-01", 400),
                ("GET", "/enrollments/x?x=y", 400),
                ("GET", "/enrollments/%ff", 400),
                ("GET", "/enrollments/%2e%2e%2fx", 404),
                ("PUT", "/enrollments/x%20y", 400),
                ("PUT", "/enrollments/" + "x" * 129, 400),
                ("PUT", "/enrollments/ends-in-a-dot.", 400),
                ("GET", "/enrollments//", 405),
                ("GET", "/enrollments///x/y", 404),
                ("DELETE", "/enrollments", 405),
                ("OPTIONS", "/enrollments/x", 405),
                ("DELETE", "/enrollments/nobody", 404),
                ("DELETE", "/registrations/nobody", 404)):
            with self.row(f"{method} {path}"):
                body = {"attestation": {"type": "symmetricKey"}} if method == "PUT" else None
                answer = self.ask(method, path, body)
                self.assert_documented(answer)
                self.assertEqual(answer.status, status, answer.text)

    def test_queries(self):
        chance = random.Random(numbers.seed)
        words = ["SELECT", "*", "FROM", "enrollments", "WHERE", "a", "=", "'1'", ";", "--", "DROP",
                 "{", "'query':", "ORDER BY", "TOP 1", "\u0000", "x" * 2000, "ä"]
        for _ in range(150):
            query = " ".join(chance.choices(words, k=chance.randrange(6)))
            with self.row(query[:80]):
                answer = self.ask("POST", "/enrollments/query", {"query": query})
                self.assert_documented(answer, query)
                plain = query.strip(" ;").split()
                # Whatever is answered at all is the plain question for everything.
                if answer.status == 200:
                    self.assertEqual(plain[:2], ["SELECT", "*"], query)
                    self.assertIn(len(plain), (2, 4), query)

    def test_conditions(self):
        plant, _ = self.plant()
        path = f"/enrollmentGroups/{self.own('g')}"
        body = self.group_body(plant)
        etag = self.done("PUT", path, body)["etag"]
        for spelling in ("{}", '"{}"', '"x", {}', " {} ", "*", '"*"'):
            self.done("PUT", path, body, {"If-Match": spelling.format(etag)})
            etag = self.done("GET", path)["etag"]
        inner = base64.b64decode(etag).decode()
        for spelling in (inner, inner.strip('"')):
            self.assertEqual(self.ask("DELETE", "/enrollments/nobody", None,
                                      {"If-Match": spelling}).status, 404)
        self.done("PUT", path, body, {"If-Match": inner})
        etag = self.done("GET", path)["etag"]
        for tag in ("x", '"', '""', f'W/"{etag}"', etag[:-4], "ä".encode().decode("latin-1"),
                    "A" * 3000, "a,b,c"):
            with self.row(tag[:40]):
                for method in ("PUT", "DELETE"):
                    answer = self.ask(method, path, body if method == "PUT" else None,
                                      {"If-Match": tag})
                    self.assert_documented(answer, tag)
                    self.assertEqual(answer.status, 412, tag)

    def test_half_of_a_bulk_fails(self):
        chance = random.Random(numbers.seed)
        leaf = self.ours.self_signed(self.own("bulk"))
        good = {"attestation": {"type": "x509", "x509": {
            "clientCertificates": {"primary": self.slot(leaf)}}}}
        for number in range(20):
            entries, expected = [], []
            for place in range(10):
                name = f"{self.own('d')}-{number}-{place}"
                entry = {"registrationId": name, **copy.deepcopy(good)}
                if chance.random() < 0.5:
                    expected.append(name)
                    put_at(entry, chance.choice((("attestation", "type"), ("attestation", "x509"),
                                                 ("attestation",))), chance.choice((5, [], "x")))
                entries.append(entry)
            answer = self.ask("POST", "/enrollments/", {"mode": "create", "enrollments": entries})
            self.assert_documented(answer)
            self.assertEqual([e["registrationId"] for e in answer.json["errors"]], expected)
            self.assertEqual(answer.json["isSuccessful"], not expected)
            for error in answer.json["errors"]:
                self.assertEqual(error["errorCode"] // 1000, 400)
                self.assertTrue(error["errorStatus"])
            for entry in entries:
                status = self.ask("GET", f"/enrollments/{entry['registrationId']}").status
                self.assertEqual(status, 404 if entry["registrationId"] in expected else 200)
            gone = self.done("POST", "/enrollments", {"mode": "delete", "enrollments": entries})
            self.assertEqual(len(gone["errors"]), len(expected))

    def test_whole_bulks_that_are_refused(self):
        leaf = self.ours.self_signed(self.own("bulk"))
        good = {"registrationId": self.own("d"), "attestation": {"type": "x509", "x509": {
            "clientCertificates": {"primary": self.slot(leaf)}}}}
        for body in ({}, {"mode": "create"}, {"mode": "create", "enrollments": {}},
                     {"mode": "merge", "enrollments": [good]}, {"enrollments": [good]},
                     {"mode": 5, "enrollments": [good]}, {"mode": "create", "enrollments": []},
                     {"mode": "create", "enrollments": [good] * 11},
                     {"mode": "create", "enrollments": [good, 5]},
                     {"mode": "create", "enrollments": [good, {"registrationId": 5}]},
                     {"mode": "create", "enrollmentGroups": [good]}):
            with self.row(json.dumps(body)[:60]):
                answer = self.ask("POST", "/enrollments", body)
                self.assert_documented(answer)
                self.assertEqual(answer.status, 400)

    def test_private_keys_are_refused_and_not_told(self):
        root = self.ours.root(self.own("root"))
        key = text_of(root.key)
        for text in (key, text_of(root.certificate) + "\n" + key,
                     base64.b64encode(key.encode()).decode()):
            with self.row(text[:30]):
                body = {"attestation": {"type": "x509", "x509": {
                    "signingCertificates": {"primary": {"certificate": text}}}}}
                answer = self.ask("PUT", f"/enrollmentGroups/{self.own('g')}", body)
                self.assert_documented(answer)
                self.assertEqual(answer.status, 400)
                self.assertIn("private key", answer.json["message"])
        self.assertNotIn(key.splitlines()[1], self.server.told())

    def test_certificates_in_every_spelling(self):
        plant, leaf = self.plant()
        pem = text_of(plant.certificate)
        der = ssl.PEM_cert_to_DER_cert(pem)
        path = f"/enrollmentGroups/{self.own('g')}"
        for text in (pem, pem.replace("\n", "\r\n"), base64.b64encode(der).decode(),
                     base64.b64encode(pem.encode()).decode(),
                     pem + "\n" + text_of(self.factory.certificate)):
            body = {"attestation": {"type": "x509", "x509": {
                "signingCertificates": {"primary": {"certificate": text}}}}}
            made = self.done("PUT", path, body)
            info = made["attestation"]["x509"]["signingCertificates"]["primary"]["info"]
            self.assertIn(self.own("plant"), info["subjectName"])
            self.assert_assigned(self.own("dev"), leaf.credential)


if __name__ == "__main__":
    main(numbers)
