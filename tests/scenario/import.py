#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `az iot dps` and `az iot central` export, taken over: from one server, by the requests of
the extension and as it prints them, to another, whose devices then come in. Files that are none,
imports that were interrupted, and what has to be supplied."""
import hashlib
import json
import os
import random
import shutil
import sqlite3
import ssl
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.operator import Operator  # noqa: E402
from lab.scenario import Scenario, main  # noqa: E402
from lab.server import Server, program  # noqa: E402

VERSION = "?api-version=2021-10-01"


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class Import(Scenario):
    def setUp(self):
        self.place = os.path.join(self.scratch, self.own("here"))
        os.makedirs(self.place)

    def file(self, name, content):
        path = os.path.join(self.place, name)
        mode, kind = ("wb", {}) if isinstance(content, bytes) else ("w", {"encoding": "utf-8"})
        with open(path, mode, **kind) as out:
            out.write(content if isinstance(content, (bytes, str)) else
                      json.dumps(content, indent=2))
        return path

    def taken(self, *words, server=None, expect=0):
        """`rollcall import … --json`: (the counts of the first file, the report)."""
        run = (server or self.server).command
        report = run("import", *words, "--json", expect=expect).json
        counts = {name: count for name, count in report["files"][0]["counts"].items() if count}
        return counts, report

    def events(self, server=None):
        return len((server or self.server).listing("/audit"))

    def enrollment(self, name, party=None, **members):
        """As `az iot dps enrollment list` prints it."""
        slots = {"primary": None, "secondary": None}
        if party:
            slots["primary"] = {"certificate": None, "info": self.info(party)}
        return {"registrationId": name, "etag": "\"1\"", "provisioningStatus": "enabled",
                "attestation": {"type": "x509", "tpm": None, "x509": {
                    "clientCertificates": slots, "signingCertificates": None,
                    "caReferences": None}}, **members}

    @staticmethod
    def info(party):
        der = ssl.PEM_cert_to_DER_cert(text_of(party.certificate))
        return {"subjectName": "CN=x", "sha1Thumbprint": hashlib.sha1(der).hexdigest().upper(),
                "sha256Thumbprint": hashlib.sha256(der).hexdigest().upper(), "version": 3}

    def shelf(self, *parties):
        directory = os.path.join(self.place, "certificates")
        os.makedirs(directory, exist_ok=True)
        for party in parties:
            shutil.copy(party.certificate, directory)
        return directory

    # --- from one server to another ---

    def test_from_one_server_to_another(self):
        factory, plant, spare = (self.ours.root(name) for name in ("Factory", "Plant", "Spare"))
        line = self.ours.intermediate(factory, "Line")
        own = {name: self.ours.self_signed(name) for name in ("own-1", "own-2", "own-3")}
        later = self.ours.self_signed("own-1")
        devices = [("line-1", self.ours.leaf(line, "line-1")),
                   ("plant-1", self.ours.leaf(plant, "plant-1")),
                   ("spare-1", self.ours.leaf(spare, "spare-1")), ("own-1", own["own-1"]),
                   ("own-1", later), ("own-2", own["own-2"])]
        with Server(os.path.join(self.scratch, self.own("source"))) as source:
            source.command("ca", "add", "factory", factory.certificate, "--vouch")
            service = Operator(source, api="")

            def put(path, body):
                answer = service.ask("PUT", path + VERSION, body)
                self.assertEqual(answer.status, 200, answer.text)
                return answer.json

            def slot(party):
                return {"certificate": text_of(party.certificate)}

            def x509(kind, **slots):
                return {"type": "x509", "x509": {kind: slots}}

            twin = {"tags": {"site": "a"}, "properties": {"desired": {"interval": 5}}}
            put("/enrollmentGroups/lines", {"attestation": x509("caReferences", primary="factory"),
                                            "initialTwin": twin})
            put("/enrollmentGroups/plants", {"attestation": x509(
                "signingCertificates", primary=slot(plant), secondary=slot(spare)),
                "reprovisionPolicy": {"updateHubAssignment": False, "migrateDeviceData": True}})
            put("/enrollmentGroups/keys", {"attestation": {"type": "symmetricKey"}})
            put("/enrollments/Own-1", {"attestation": x509(
                "clientCertificates", primary=slot(own["own-1"]), secondary=slot(later)),
                "deviceId": "press-1", "optionalDeviceInformation": {"line": 4}})
            put("/enrollments/own-2", {"attestation": x509("clientCertificates",
                                                           primary=slot(own["own-2"]))})
            put("/enrollments/own-3", {"attestation": x509(
                "clientCertificates", primary=slot(own["own-3"])), "provisioningStatus": "disabled"})
            put("/enrollments/own-4", {"attestation": {"type": "symmetricKey"}})

            def listed(kind):
                return service.ask("POST", f"/{kind}/query" + VERSION, {"query": "SELECT *"}).json

            def with_keys(kind, name):  # … show --show-keys
                shown = service.ask("GET", f"/{kind}/{name}" + VERSION).json
                shown["attestation"] = service.ask(
                    "POST", f"/{kind}/{name}/attestationmechanism" + VERSION).json
                return shown

            groups = self.file("groups.json", listed("enrollmentGroups"))
            enrollments = self.file("enrollments.json", listed("enrollments"))
            keys = self.file("keys.json", with_keys("enrollmentGroups", "keys"))
            own_4 = self.file("own-4.json", with_keys("enrollments", "own-4"))
            service.close()
            held = source.command("group", "key", "show", "keys", "primary").out
        self.assertNotIn("BEGIN CERTIFICATE", text_of(enrollments))
        shelf = self.shelf(plant, spare, later, *own.values())
        files = (groups, enrollments, keys, own_4, "--certificates", shelf)

        with self.subTest("something is wanted first"):
            before = self.events()
            counts, report = self.taken(*files, "--yes", "--vouch", expect=1)
            self.assertEqual(counts, {"made": 2, "refused": 1})
            refused = [e for e in report["files"][0]["entries"] if e["outcome"] == "refused"]
            self.assertEqual([(e["id"], e["code"]) for e in refused], [("lines", "no-such-ca")])
            self.assertGreater(self.events(), before)
        self.command("ca", "add", "factory", factory.certificate, "--vouch")
        with self.subTest("a dry run tells it all and changes nothing"):
            before = self.events()
            said = self.command("import", *files, "--dry-run")
            self.assertIn("1 enrollment group would be made\n    lines\n", said.out)
            self.assertIn("2 enrollment groups there already", said.out)
            self.assertIn("Nothing was changed", said.err)
            self.assertEqual(self.events(), before)
        with self.subTest("run again"):
            counts, report = self.taken(*files, "--yes", "--vouch")
            self.assertEqual(counts, {"made": 1, "there": 2})
            self.assertEqual(report["files"][1]["counts"]["there"], 4)
        with self.subTest("and again"):
            before = self.events()
            counts, report = self.taken(*files, "--yes", "--vouch")
            self.assertEqual(counts, {"there": 3})
            self.assertEqual(report["files"][1]["counts"]["there"], 4)
            self.assertTrue(report["complete"])
            self.assertEqual(self.events(), before)
        with self.subTest("the devices come in"):
            for name, party in devices:
                self.assert_assigned(name, party.credential)
            self.assertEqual(self.register("own-3", own["own-3"].credential).status, "disabled")
            self.assertEqual(self.command("group", "key", "show", "keys", "primary").out, held)
        with self.subTest("with all that was said of them"):
            status, lines = self.server.api("/groups/lines")
            self.assertEqual(status, 200)
            self.assertEqual(lines["initialTwin"]["tags"], {"site": "a"})
            status, one = self.server.api("/enrollments/own-1")
            self.assertEqual((status, one["deviceId"]), (200, "press-1"))
            service = Operator(self.server, api="")
            shown = service.ask("GET", "/enrollments/own-1" + VERSION).json
            service.close()
            self.assertEqual(shown["optionalDeviceInformation"], {"line": 4})
        with self.subTest("every one of them is in the audit log"):
            made = [e for e in self.server.listing("/audit")
                    if e["action"] in ("group.create", "enrollment.create")]
            self.assertLessEqual({"group/lines", "group/plants", "group/keys", "enrollment/Own-1",
                                  "enrollment/own-4"}, {e["object"] for e in made})

    def test_central(self):
        root = self.ours.root("Central Root")
        leaf = self.ours.leaf(root, "shaft-1")
        sha1 = self.info(root)["sha1Thumbprint"]
        groups = self.file("groups.json", [
            {"attestation": {"type": "x509", "x509": {"signingCertificates": {"primary": {
                "verified": True, "info": {"sha1Thumbprint": sha1.lower()}, "etag": "x"}}}},
             "displayName": "Shafts", "enabled": True, "etag": "x", "id": "shafts", "type": "iot"},
            {"attestation": {"type": "symmetricKey", "symmetricKey": {
                "primaryKey": "cHJpbWFyeSBrZXkgb2YgMTYgYnl0ZXM=",
                "secondaryKey": "c2Vjb25kIGtleSBvZiAxNiBieXRlcw=="}},
             "displayName": "SAS-IoT-Devices", "enabled": True, "etag": "x", "id": "sas",
             "type": "iot"}])
        devices = self.file("devices.json", [
            {"displayName": "Shaft 1", "enabled": True, "etag": "x", "id": "shaft-1",
             "organizations": None, "provisioned": True, "simulated": False, "template": "dtmi:a;1"},
            {"displayName": "Shaft 2", "enabled": False, "etag": "x", "id": "shaft-2",
             "organizations": None, "provisioned": True, "simulated": False, "template": None}])
        counts, report = self.taken(groups, devices, "--certificates", self.shelf(root), "--vouch",
                                    "--yes")
        self.assertEqual(counts, {"made": 2})
        self.assertEqual(report["files"][1]["counts"]["made"], 2)
        self.assertEqual([(lost["member"], lost["entries"]) for lost in report["notCarried"]],
                         [("displayName", 2)])
        self.assert_assigned("shaft-1", leaf.credential)
        blocked = self.ours.leaf(root, "shaft-2")
        outcome = self.register("shaft-2", blocked.credential)
        self.assertEqual((outcome.status, outcome.code), ("failed", 400209), outcome)

    def test_what_is_missing_is_asked_for_and_taken_later(self):
        one, two = self.ours.self_signed("one"), self.ours.self_signed("two")
        path = self.file("list.json", [self.enrollment(self.own("1"), one),
                                       self.enrollment(self.own("2"), two),
                                       self.enrollment(self.own("3"), None, attestation={
                                           "type": "tpm", "tpm": {"endorsementKey": "x"}})])
        shelf = self.shelf(one)
        said = self.command("import", path, "--certificates", shelf, "--yes", expect=1)
        self.assertIn("1 individual enrollment made", said.out)
        self.assertIn("2 individual enrollments left out", said.out)
        self.assertIn(self.info(two)["sha256Thumbprint"], said.out)
        self.assertIn("TPM", said.out)
        self.assertIn("2 entries were not taken", said.err)
        self.shelf(two)
        counts, _ = self.taken(path, "--certificates", shelf, "--yes", expect=1)
        self.assertEqual(counts, {"made": 1, "there": 1, "leftOut": 1})

    # --- files that are none ---

    def test_files_that_are_none(self):
        good = [self.enrollment(self.own(str(n)), None, provisioningStatus="disabled")
                for n in range(3)]
        text = json.dumps(good, indent=2)
        rows = {
            "nothing": ("", "is empty"),
            "a table": ("RegistrationId    Status\n----------  -----\n", "no JSON"),
            "a warning first": ("WARNING: This command is in preview\n" + text, "no JSON"),
            "cut in an entry": (text[:len(text) // 2], "cut short"),
            "cut between entries": (text[:text.rindex("},") + 2], "cut short"),
            "cut at the end": (text[:-1], "cut short"),
            "UTF-16": (text.encode("utf-16"), "UTF-16"),
            "more behind it": (text + text, "behind the end"),
            "no list": ("7", "no JSON"),
            "an entry that is none": (json.dumps([*good, "x"]), "(entry 4)"),
            "an entry without an id": (json.dumps([*good, {**good[0], "registrationId": None}]),
                                       "'registrationId' is missing"),
            "twice": (json.dumps([*good, {**good[1], "registrationId":
                                          good[1]["registrationId"].upper()}]),
                      "it is also entry 2"),
            "two commands": (json.dumps([*good, {"enrollmentGroupId": "g", "attestation": {}}]),
                             "of another command"),
            "a hub's devices": (json.dumps([{"deviceId": "a", "authenticationType": "sas"}]),
                                "a hub's devices"),
            "registrations": (json.dumps([{"registrationId": "a", "status": "assigned"}]),
                              "registrations"),
            "a page of REST": (json.dumps({"value": good}), "a page of a REST API"),
            "another program's": (json.dumps([{"hello": 1}]), "nobody here knows"),
            "a large entry": (json.dumps([{**good[0], "x": "y" * 300_000}]), "more than 262144"),
            "a deep entry": (json.dumps([good[0]])[:-2] + ',"x":' + "[" * 40 + "]" * 40 + "}]",
                             "no JSON"),
            "broken text": (json.dumps([good[0]]).encode()[:-2] + b',"x":"\xff"}]', "no JSON"),
        }
        before = self.events()
        for what, (content, word) in rows.items():
            with self.subTest(what):
                path = self.file("bad.json", content)
                said = self.command("import", path, "--yes", expect=1)
                self.assertIn(word, said.err)
                self.assertIn("bad.json", said.err)
                self.assertNotIn("INVARIANT", said.err)
        with self.subTest("in two files"):
            first, second = self.file("a.json", good), self.file("b.json", good[:1])
            said = self.command("import", first, second, "--yes", expect=1)
            self.assertIn("a.json, entry 1", said.err)
        with self.subTest("one good file does not come in before the bad one"):
            said = self.command("import", self.file("a.json", good), self.file("b.json", "x"),
                                "--yes", expect=1)
        self.command("import", os.path.join(self.place, "none.json"), "--yes", expect=1)
        self.command("import", self.place, "--yes", expect=1)
        self.command("import", first, "--certificates", os.path.join(self.place, "no"), "--yes",
                     expect=1)
        self.command("import", "--yes", expect=2)
        self.assertEqual(self.events(), before)
        self.assertEqual([each for each in self.server.listing("/enrollments")
                          if each["registrationId"].startswith(self.own(""))], [])

    def test_bytes_that_were_turned(self):
        """A good export with one byte changed: refused with a place, or taken as it says."""
        good = json.dumps([self.enrollment(f"{self.own('t')}-{n}", None,
                                           provisioningStatus="disabled") for n in range(3)]).encode()
        chance = random.Random(20261126)
        for turn in range(60):
            content = bytearray(good)
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
            path = self.file("turned.json", bytes(content))
            said = self.command("import", path, expect=None)
            self.assertIn(said.code, (0, 1), said)
            self.assertNotIn("INVARIANT", said.err)
            self.assertIsNone(self.server.process.poll())

    # --- many, and interrupted ---

    def test_one_that_was_interrupted_goes_on(self):
        count = 20_000
        path = self.file("many.json", [self.enrollment(f"many-{n}", None,
                                                       provisioningStatus="disabled")
                                       for n in range(count)])
        with Server(os.path.join(self.scratch, self.own("server"))) as server:
            database = os.path.join(server.data, "rollcall.db")

            def there():
                with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as store:
                    return store.execute("SELECT count(*) FROM individuals").fetchone()[0]

            with subprocess.Popen(
                    [program(), "--data", server.data, "import", path, "--yes"],
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
                until = time.monotonic() + 60
                while there() < 250 and time.monotonic() < until:
                    time.sleep(0.002)
                server.kill()
                _, said = running.communicate(timeout=60)
            self.assertEqual(running.returncode, 3, said)
            self.assertIn("run the same again", said)
            half = there()
            self.assertGreater(half, 0)
            self.assertLess(half, count)
            self.assertEqual(half % 250, 0, "a request is written whole or not at all")
            server.start()
            counts, report = self.taken(path, "--yes", server=server)
            self.assertEqual(counts, {"made": count - half, "there": half})
            self.assertTrue(report["complete"])
            self.assertEqual(there(), count)
            server.command("audit", "verify")

    def test_progress_is_told(self):
        path = self.file("many.json", [self.enrollment(f"told-{n}", None,
                                                       provisioningStatus="disabled")
                                       for n in range(10_001)])
        said = self.command("import", path, "--yes")
        self.assertIn("10000 of 10001 entries\n", said.err)
        self.assertIn("10001 individual enrollments made", said.out)
        self.assertIn("... and 9981 more; --json tells of all", said.out)


if __name__ == "__main__":
    main()
