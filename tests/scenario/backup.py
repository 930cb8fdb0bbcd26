#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A backup taken while devices register at full rate, brought to life elsewhere; and what is no
backup, leaving nothing behind."""
import copy
import hashlib
import io
import json
import os
import shutil
import sqlite3
import stat
import sys
import tarfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "crash"))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tools"))
from books import Books, faults_of  # noqa: E402
from lab.operator import Operator  # noqa: E402
from lab.scenario import Scenario, main  # noqa: E402
from lab.server import Server, rollcall  # noqa: E402
from load import Fleet, Load, prepare, states_of  # noqa: E402

# What takes the steps of the schema back, by their numbers, from the sixth on.
UNDO = [()] * 6 + [
    ("DROP TABLE sas_policies",),
    ("ALTER TABLE individuals DROP COLUMN notes",
     "ALTER TABLE enrollment_groups DROP COLUMN notes"),
    ("ALTER TABLE tokens DROP COLUMN form", "ALTER TABLE tokens DROP COLUMN last_used"),
    ("DROP TABLE device_notes",),
    ("DROP TABLE device_groups", "DROP TABLE jobs", "DROP TABLE job_devices"),
    ("DROP TABLE users", "DROP TABLE sessions"),
]
DEVICES = 48
BACKUPS = 4
BALLAST = 2_000


def members_of(file):
    """(name, content) of every part, in order."""
    with tarfile.open(file) as tar:
        return [(member.name, tar.extractfile(member).read()) for member in tar]


def write_members(file, members):
    with tarfile.open(file, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o600
            tar.addfile(info, io.BytesIO(content))
    return file


def forged(members, file, change):
    """The backup with its manifest changed, and its parts' sizes and sums made to fit."""
    parts = dict(members)
    manifest = json.loads(parts.pop("manifest.json"))
    change(manifest, parts)
    for part in manifest["parts"] or []:
        content = parts.get(part["name"])
        if content is not None:
            part["bytes"], part["sha256"] = len(content), hashlib.sha256(content).hexdigest()
    return write_members(file, [("manifest.json", json.dumps(manifest).encode()),
                                *parts.items()])


class UnderLoad(Scenario):
    def test_nothing_acknowledged_before_it_is_missing(self):
        fleet, books = Fleet(os.path.join(self.scratch, "fleet"), DEVICES), Books()
        prepare(self.server, fleet, books)
        self.ballast()
        load = Load(self.server, fleet, books, "load").start()
        meanwhile = 0
        try:
            for turn in range(BACKUPS):
                before = books.registrations
                until = time.monotonic() + 60
                while books.registrations < before + DEVICES and time.monotonic() < until:
                    time.sleep(0.01)
                with books.mutex:
                    known = Books()
                    known.operations = copy.deepcopy(books.operations)
                    known.reasons = set(books.reasons)
                acknowledged = books.registrations
                file = os.path.join(self.scratch, f"backup-{turn}.tar")
                said = self.command("backup", file, "--json").json
                meanwhile += books.registrations - acknowledged
                with self.subTest(turn):
                    self.assertGreater(acknowledged, before, "the load stands still")
                    restored = self.restored(file, f"restored-{turn}")
                    self.assertEqual(said["scopeId"], self.server.scope)
                    lost, half = faults_of(restored, known)
                    self.assertEqual((lost, half), ([], []))
        finally:
            load.end()
        self.assertGreater(meanwhile, 0, "devices register while a backup is taken")
        self.live_elsewhere(os.path.join(self.scratch, f"restored-{BACKUPS - 1}"), fleet)
        self.assertEqual(books.settle(states_of(self.server, books)), [],
                         "and the server itself lost nothing over it")

    def ballast(self):
        """Enough in the store that a copy takes its time, and the writer's log grows meanwhile."""
        operator = Operator(self.server)
        twin = {"tags": {"filler": "x" * 30_000}}
        for first in range(0, BALLAST, 25):
            entries = [{"registrationId": f"ballast-{number}", "provisioningStatus": "disabled",
                        "attestation": {"type": "x509"}, "initialTwin": twin}
                       for number in range(first, first + 25)]
            answer = operator.ask("POST", "/import/enrollments", {"entries": entries})
            self.assertEqual(answer.status, 200, answer.text)
            self.assertEqual(answer.json["entries"][-1]["outcome"], "made", answer.text[-500:])
        operator.close()

    def restored(self, file, name):
        data = os.path.join(self.scratch, name)
        rollcall("restore", file, "--data", data)
        return data

    def live_elsewhere(self, data, fleet):
        """The restored server is the same server: to devices, to operators, to the audit."""
        other = Server(os.path.join(self.scratch, "other"))
        other.data = data
        with other:
            self.assertEqual(other.scope, self.server.scope)
            here, there = ([each["id"] for each in server.listing("/devices")]
                           for server in (self.server, other))
            self.assertEqual(sorted(here), sorted(there))
            with open(os.path.join(self.server.data, "tls", "ca.pem"), "rb") as ca:
                with open(os.path.join(data, "tls", "ca.pem"), "rb") as same:
                    self.assertEqual(ca.read(), same.read())
            books = Books()
            load = Load(other, fleet, books, "elsewhere")
            self.assertTrue(load.register(fleet.devices[0], 0, polls=True))
            other.command("audit", "verify")
            last = other.command("audit", "list", "--json").json[-1]
            self.assertEqual((last["action"], last["actor"]),
                             ("server.restore", "local administrator"))
            self.assertIn("takenAt", last["detail"])


class Backups(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.root = cls.ours.root("Root")
        cls.server.command("group", "create", "g")
        cls.server.command("group", "cert", "set", "g", "primary", cls.root.certificate, "--vouch")
        cls.server.command("group", "create", "keys", "--symmetric-key")
        cls.good = os.path.join(cls.scratch, "good.tar")
        cls.server.command("backup", cls.good)

    def assert_refused(self, file, *words, data=None):
        """Refused with one of these words, and nothing is left behind."""
        where = data or os.path.join(self.scratch, self.own("target"))
        there = os.path.exists(where)
        before = sorted(os.listdir(where)) if there else None
        said = rollcall("restore", file, "--data", where, expect=1)
        for word in words:
            self.assertIn(word, said.err)
        self.assertNotIn("INVARIANT", said.err)
        self.assertEqual(os.path.exists(where), there, said.err)
        if there:
            self.assertEqual(sorted(os.listdir(where)), before)
        return said

    def test_it_holds_what_it_says(self):
        file = os.path.join(self.scratch, "told.tar")
        said = self.command("backup", file)
        self.assertIn("holds the server's secrets", said.err)
        self.assertIn("Telemetry", said.err)
        self.assertIn(self.server.scope, said.out)
        self.assertEqual(stat.S_IMODE(os.stat(file).st_mode), 0o600)
        members = members_of(file)
        names = [name for name, _ in members]
        self.assertEqual(names[:3], ["manifest.json", "rollcall.db", "secret.key"])
        self.assertIn("tls/ca.pem", names)
        self.assertIn("admin-token", names)
        manifest = json.loads(members[0][1])
        self.assertEqual(manifest["counts"]["groups"], 2)
        self.assertEqual([part["name"] for part in manifest["parts"]], names[1:])
        for part, (_, content) in zip(manifest["parts"], members[1:]):
            self.assertEqual(part["sha256"], hashlib.sha256(content).hexdigest())
        self.assertEqual([left for left in os.listdir(self.scratch) if left.startswith("told.tar")],
                         ["told.tar"], "temporary files stay")

    def test_a_file_is_not_overwritten_unasked(self):
        file = os.path.join(self.scratch, self.own("file"))
        with open(file, "w", encoding="utf-8") as out:
            out.write("precious")
        self.assertIn("exists already", self.refused("backup", file))
        with open(file, encoding="utf-8") as kept:
            self.assertEqual(kept.read(), "precious")
        self.command("backup", file, "--force")
        rollcall("restore", file, "--data", os.path.join(self.scratch, self.own("target")))

    def test_no_place_for_it(self):
        nowhere = os.path.join(self.scratch, "nowhere", "file.tar")
        self.refused("backup", nowhere)
        self.assertFalse(os.path.exists(os.path.dirname(nowhere)))
        empty = os.path.join(self.scratch, self.own("empty"))
        self.assertIn("no data directory", rollcall("backup", os.path.join(self.scratch, "x.tar"),
                                                    "--data", empty, expect=1).err)
        self.assertFalse(os.path.exists(empty))
        rollcall("backup", "x.tar", "--url", "https://127.0.0.1:1", expect=2)

    def test_of_a_stopped_server(self):
        with Server(os.path.join(self.scratch, self.own("server"))) as server:
            server.command("group", "create", "mine")
        file = os.path.join(self.scratch, self.own("file"))
        server.command("backup", file)
        target = os.path.join(self.scratch, self.own("target"))
        said = rollcall("restore", file, "--data", target, "--json").json
        self.assertTrue(said["auditIntact"])
        self.assertEqual(stat.S_IMODE(os.stat(target).st_mode), 0o700)
        server.data = target
        with server:
            self.assertEqual([group["id"] for group in server.listing("/groups")], ["mine"])

    def test_a_part_has_a_bound(self):
        with Server(os.path.join(self.scratch, self.own("server"))) as server:
            pass
        configuration = os.path.join(server.data, "rollcall.toml")
        file = os.path.join(self.scratch, self.own("file"))
        for size, code in ((1024 * 1024, 0), (1024 * 1024 + 1, 1)):
            with open(configuration, "w", encoding="utf-8") as out:
                out.write("#" * size)
            said = server.command("backup", f"{file}-{code}", expect=code)
            self.assertEqual(os.path.exists(f"{file}-{code}"), code == 0)
            self.assertEqual("larger than" in said.err, code == 1)
        target = os.path.join(self.scratch, self.own("target"))
        rollcall("restore", f"{file}-0", "--data", target)
        self.assertEqual(os.path.getsize(os.path.join(target, "rollcall.toml")), 1024 * 1024)

    def test_secrets_come_along(self):
        target = os.path.join(self.scratch, self.own("target"))
        rollcall("restore", self.good, "--data", target)
        for name in ("secret.key", "admin-token", "rollcall.db", "tls/ca-key.pem"):
            self.assertEqual(stat.S_IMODE(os.stat(os.path.join(target, name)).st_mode), 0o600, name)
        self.assertEqual(sorted(os.listdir(target)),
                         ["admin-token", "rollcall.db", "secret.key", "tls"])
        other = Server(os.path.join(self.scratch, self.own("server")))
        other.data = target
        with other:
            keys = ("group", "key", "show", "keys", "primary")
            self.assertEqual(other.command(*keys).out, self.command(*keys).out)

    def test_only_into_an_empty_directory(self):
        target = os.path.join(self.scratch, self.own("empty"))
        os.makedirs(target)
        rollcall("restore", self.good, "--data", target)
        self.assert_refused(self.good, "not empty", data=target)
        other = os.path.join(self.scratch, self.own("other"))
        os.makedirs(other)
        with open(os.path.join(other, "letter.txt"), "w", encoding="utf-8") as out:
            out.write("mine")
        self.assert_refused(self.good, "not empty", data=other)
        self.assert_refused(self.good, "a server runs on", data=self.server.data)
        self.assertEqual(self.command("group", "list", "--json").json[0]["id"], "g")
        letter = os.path.join(other, "letter.txt")
        self.assertIn("not a directory",
                      rollcall("restore", self.good, "--data", letter, expect=1).err)
        with open(letter, encoding="utf-8") as kept:
            self.assertEqual(kept.read(), "mine")

    def test_cut_anywhere(self):
        with open(self.good, "rb") as file:
            whole = file.read()
        cut = os.path.join(self.scratch, self.own("file"))
        for bytes_left in (0, 1, 511, 512, 1024, 5000, len(whole) // 2, len(whole) - 1024,
                           len(whole) - 513, len(whole) - 1):
            with self.subTest(bytes_left):
                with open(cut, "wb") as out:
                    out.write(whole[:bytes_left])
                self.assert_refused(cut, "cut short")

    def test_damaged_anywhere(self):
        with open(self.good, "rb") as file:
            whole = bytearray(file.read())
        offsets, at = {}, 0
        for name, content in members_of(self.good):
            offsets[name] = at + 512
            at += 512 + -(-len(content) // 512) * 512
        turned = os.path.join(self.scratch, self.own("file"))
        for name, offset in offsets.items():
            for where in (offset - 512, offset + 20):
                with self.subTest(f"{name} at {where}"):
                    damaged = bytearray(whole)
                    damaged[where] ^= 0x20
                    with open(turned, "wb") as out:
                        out.write(damaged)
                    self.assert_refused(turned)
        with open(turned, "wb") as out:
            out.write(whole + b"more")
        self.assert_refused(turned, "damaged")

    def test_foreign_files(self):
        file = os.path.join(self.scratch, self.own("file"))
        rows = {"text": b"hello\n" * 1000, "zeros": bytes(4096), "nothing": b""}
        with open(os.path.join(self.server.data, "rollcall.db"), "rb") as database:
            rows["a store"] = database.read()
        for what, content in rows.items():
            with self.subTest(what):
                with open(file, "wb") as out:
                    out.write(content)
                self.assert_refused(file)
        with self.subTest("another program's archive"):
            write_members(file, [("README", b"hello"), ("manifest.json", b"{}")])
            self.assert_refused(file, "no backup of rollcall")
        with self.subTest("another manifest"):
            write_members(file, [("manifest.json", b'{"format":"other"}')])
            self.assert_refused(file, "no backup of rollcall")
        with self.subTest("a large manifest"):
            write_members(file, [("manifest.json", b" " * (64 * 1024 + 1))])
            self.assert_refused(file)
        self.assert_refused(os.path.join(self.scratch, "none.tar"))

    def test_manifests_that_lie(self):
        members = members_of(self.good)

        def renamed(part, to):
            def change(manifest, parts):
                for each in manifest["parts"]:
                    if each["name"] == part:
                        each["name"] = to
                parts[to] = parts.pop(part)
            return change

        def without(part):
            def change(manifest, parts):
                manifest["parts"] = [p for p in manifest["parts"] if p["name"] != part]
                parts.pop(part)
            return change

        def other_store(manifest, parts):
            path = os.path.join(self.scratch, self.own("db"))
            database = sqlite3.connect(path)
            database.execute("CREATE TABLE letters (text)")
            database.commit()
            database.close()
            with open(path, "rb") as file:
                parts["rollcall.db"] = file.read()
            os.remove(path)

        def broken_pages(manifest, parts):
            content = bytearray(parts["rollcall.db"])
            middle = len(content) // 2 // 4096 * 4096
            content[middle:middle + 8192] = b"x" * 8192
            parts["rollcall.db"] = bytes(content)

        def set_to(name, value):
            return lambda manifest, parts: manifest.update({name: value})

        rows = {
            "a place outside": (renamed("admin-token", "../admin-token"), "no backup of rollcall"),
            "a path from the root": (renamed("admin-token", "/tmp/token"), "no backup of rollcall"),
            "a place outside of tls": (renamed("tls/ca.pem", "tls/../x"), "no backup of rollcall"),
            "a hidden name": (renamed("tls/ca.pem", "tls/.x"), "no backup of rollcall"),
            "no store": (without("rollcall.db"), "no store"),
            "no secret": (without("secret.key"), "no store or no secret"),
            "a secret of three bytes": (lambda m, p: p.update({"secret.key": b"abc"}), "secret"),
            "another program's store": (other_store, "another program's"),
            "a store of broken pages": (broken_pages, "damaged"),
            "another scope": (set_to("scopeId", "0neFFFFFFFF"), "damaged"),
            "no counts": (set_to("counts", []), "malformed"),
            "no parts": (set_to("parts", None), "no parts"),
            "a later form": (set_to("formatVersion", 2), "does not know"),
            "a newer schema": (set_to("schema", 999), "newer rollcall"),
            "a newer store under an old schema": (self.newer_store, "newer rollcall"),
        }
        for what, (change, word) in rows.items():
            with self.subTest(what):
                file = forged(members, os.path.join(self.scratch, self.own("file")), change)
                self.assert_refused(file, word)
        file = forged(members, os.path.join(self.scratch, self.own("file")), lambda m, p: None)
        rollcall("restore", file, "--data", os.path.join(self.scratch, self.own("sound")))

    def edited(self, content, *statements):
        """The store's file with SQL run on it."""
        path = os.path.join(self.scratch, self.own("edit"))
        with open(path, "wb") as out:
            out.write(content)
        database = sqlite3.connect(path)
        for statement in statements:
            database.execute(statement)
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()
        with open(path, "rb") as file:
            edited = file.read()
        os.remove(path)
        return edited

    def newer_store(self, manifest, parts):
        parts["rollcall.db"] = self.edited(parts["rollcall.db"], "PRAGMA user_version=999")

    def test_an_older_schema_is_brought_up(self):
        def older(manifest, parts):
            undo = UNDO[6:manifest["schema"] + 1]
            manifest["schema"] = 5
            parts["rollcall.db"] = self.edited(
                parts["rollcall.db"], *(sql for step in reversed(undo) for sql in step),
                "PRAGMA user_version=5")
        members = members_of(self.good)
        newest = json.loads(members[0][1])["schema"]
        self.assertLess(newest, len(UNDO), "say in UNDO how the newest step is taken back")
        file = forged(members, os.path.join(self.scratch, self.own("file")), older)
        target = os.path.join(self.scratch, self.own("target"))
        rollcall("restore", file, "--data", target)
        other = Server(os.path.join(self.scratch, self.own("server")))
        other.data = target
        with other:
            self.assertEqual([g["id"] for g in other.listing("/groups")], ["g", "keys"])
            other.command("token", "create", "tool", "--sas-policy", "EnrollmentRead")

    def test_a_broken_audit_log_comes_back_with_a_word(self):
        def altered(manifest, parts):
            parts["rollcall.db"] = self.edited(
                parts["rollcall.db"], "UPDATE audit SET reason='another' WHERE sequence=2")
        file = forged(members_of(self.good), os.path.join(self.scratch, self.own("file")), altered)
        target = os.path.join(self.scratch, self.own("target"))
        said = rollcall("restore", file, "--data", target)
        self.assertIn("warning: the audit log was broken", said.err)

    def test_a_restore_that_died_is_not_served(self):
        target = os.path.join(self.scratch, self.own("target"))
        rollcall("restore", self.good, "--data", target)
        os.remove(os.path.join(target, "rollcall.db"))
        os.makedirs(os.path.join(target, ".restoring"))
        said = rollcall("init", "--data", target, expect=1)
        self.assertIn("restore again", said.err)
        shutil.rmtree(os.path.join(target, ".restoring"))


if __name__ == "__main__":
    main()
