#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The audit log: exported, verified on any machine, held against an earlier export; what was done
to it is found and named, also by who has the server's key. Pruned logs go on."""
import base64
import calendar
import contextlib
import hashlib
import hmac
import json
import os
import shutil
import sqlite3
import stat
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.scenario import Scenario, eventually, main  # noqa: E402
from lab.server import Server, rollcall  # noqa: E402

FIELDS = ("actor", "source", "action", "object", "detail", "reason")


def number(value):
    return value.to_bytes(8, "big")


def text(value):
    return number(len(value.encode())) + value.encode()


def chained(row, previous):
    """The hash of an event, as docs/audit.md says."""
    said = (text("rollcall audit record 1") + previous + number(row["sequence"]) +
            number(row["at"]) + b"".join(text(row[name]) for name in FIELDS))
    return hashlib.sha256(said).digest()


class Store:
    """A stopped server's log, in the hands of somebody who may write anything."""

    def __init__(self, data):
        self.data = data
        self.database = sqlite3.connect(os.path.join(data, "rollcall.db"))
        self.database.row_factory = sqlite3.Row

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.database.commit()
        self.database.close()

    def run(self, sql, *values):
        self.database.execute(sql, values)

    def rewrite(self):
        """Chains the log anew and signs its end with the server's own key."""
        with open(os.path.join(self.data, "secret.key"), "rb") as file:
            key = hmac.digest(file.read(), b"audit", "sha256")
        previous, last = bytes(32), 0
        for row in self.database.execute("SELECT * FROM audit ORDER BY sequence").fetchall():
            own = chained(row, previous)
            self.run("UPDATE audit SET previous=?, hash=? WHERE sequence=?", previous, own,
                     row["sequence"])
            previous, last = own, row["sequence"]
        signature = hmac.digest(key, text("rollcall audit head 1") + number(last) + previous,
                                "sha256")
        self.run("UPDATE audit_head SET sequence=?, hash=?, signature=?", last, previous, signature)


class Audit(Scenario):
    def setUp(self):
        self.place = os.path.join(self.scratch, self.own("here"))
        os.makedirs(self.place)

    def file(self, name, lines=None):
        path = os.path.join(self.place, name)
        if lines is not None:
            with open(path, "w", encoding="utf-8") as out:
                out.writelines(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n"
                               for line in lines)
        return path

    def lines(self, path):
        with open(path, encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def exported(self, server, name="export.jsonl"):
        path = self.file(name)
        server.command("audit", "export", "--out", path)
        return path

    def broken_at(self, *words, server=None):
        """The number that `audit verify` names."""
        run = server.command if server else rollcall
        said = run("audit", "verify", *words, "--json", expect=1)
        self.assertFalse(said.json["intact"])
        self.assertIn(f"broken at number {said.json['brokenAt']}: ", said.err)
        return said.json["brokenAt"]

    @contextlib.contextmanager
    def a_server(self, groups=4):
        """One of the test's own with some events, stopped for the while."""
        server = Server(os.path.join(self.scratch, self.own("server")))
        with server:
            for i in range(groups):
                server.command("group", "create", f"g{i}", "--reason", f"reason {i}: é \"quoted\"")
        yield server

    # --- exports ---

    def test_an_export_is_verified_without_the_server(self):
        self.command("group", "create", self.own("g"), "--reason", "because")
        path = self.file("export.jsonl")
        said = self.command("audit", "export", "--out", path)
        self.assertEqual(said.out, "")
        self.assertRegex(said.err, r"\d+ events exported")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.assertEqual(os.listdir(self.place), ["export.jsonl"])
        printed = self.command("audit", "export").out.splitlines()
        lines = self.lines(path)
        self.assertEqual([json.loads(line) for line in printed[:-1]], lines[:-1])
        self.assertEqual(lines[-1]["head"]["sequence"], lines[-2]["sequence"])
        self.assertEqual(lines[-1]["head"]["scopeId"], self.server.scope)
        said = rollcall("audit", "verify", path)
        self.assertEqual(said.out, f"intact: {len(lines) - 1} events\n")
        self.assertIn(lines[-1]["head"]["publicKey"], said.err)

    def test_hashes_are_what_the_documentation_says(self):
        self.command("group", "create", self.own("g"), "--reason", "é")
        self.server.command("group", "update", self.own("g"), "--auto-approve", "off")
        previous = bytes(32)
        for line in self.lines(self.exported(self.server))[:-1]:
            moment, ticks = line["at"][:-1].split(".")
            seconds = calendar.timegm(time.strptime(moment, "%Y-%m-%dT%H:%M:%S"))
            detail = line["detail"]
            row = {**line, "at": seconds * 1_000_000 + int(ticks) // 10,
                   "detail": "" if detail is None else
                   json.dumps(detail, separators=(",", ":"), ensure_ascii=False)}
            self.assertEqual(line["previous"], previous.hex().upper())
            previous = chained(row, previous)
            self.assertEqual(line["hash"], previous.hex().upper())

    def test_a_tampered_export(self):
        for i in range(4):
            self.command("group", "create", self.own(f"g{i}"), "--reason", f"r{i}")
        good = self.exported(self.server)
        lines = self.lines(good)
        last = len(lines) - 1  # number of the last event
        at = last - 1          # an index, and the number before it

        def edited(change):
            copy = json.loads(json.dumps(lines))
            change(copy)
            return self.file("tampered.jsonl", copy)

        rows = {
            "edited": (lambda c: c[at].update(reason="another"), at + 1),
            "an address edited": (lambda c: c[0].update(source="192.0.2.1"), 1),
            "a detail edited": (lambda c: c[at]["detail"].update(more=1)
                                if c[at]["detail"] else c[at].update(detail={"more": 1}), at + 1),
            "removed": (lambda c: c.pop(at - 1), at),
            "the first removed": (lambda c: c.pop(0), 1),
            "the last removed": (lambda c: c.pop(-2), last),
            "reordered": (lambda c: c.insert(at - 1, c.pop(at)), at),
            "truncated": (lambda c: c.__delitem__(slice(at, None)), at + 1),
            "a head that is older": (lambda c: c[-1]["head"].update(sequence=last - 1), last - 1),
            "a foreign signature": (lambda c: c[-1]["head"].update(
                signature=base64.b64encode(bytes(64)).decode()), last),
        }
        for what, (change, due) in rows.items():
            with self.subTest(what):
                self.assertEqual(self.broken_at(edited(change)), due)
        with open(good, "rb") as file:
            whole = file.read()
        for bytes_left in (0, 10, len(whole) // 2, len(whole) - 2):
            with self.subTest(f"cut to {bytes_left}"):
                with open(self.file("cut.jsonl"), "wb") as out:
                    out.write(whole[:bytes_left])
                self.broken_at(self.file("cut.jsonl"))

    def test_files_that_are_none(self):
        good = self.exported(self.server)
        self.assertIn("cannot be read",
                      rollcall("audit", "verify", self.file("none"), expect=1).err)
        self.broken_at(self.file("empty", []))
        self.broken_at(self.file("other", [{"hello": 1}]))
        bad = self.file("edited", [{**line, **({"actor": "x"} if "actor" in line else {})}
                                   for line in self.lines(good)])
        self.assertIn("no sound export",
                      rollcall("audit", "verify", good, "--head", bad, expect=1).err)

    # --- a log that somebody wrote in ---

    def test_a_log_altered_in_its_place(self):
        rows = {
            "edited": (lambda s: s.run("UPDATE audit SET actor='x' WHERE sequence=4"), 4),
            "removed": (lambda s: s.run("DELETE FROM audit WHERE sequence=4"), 4),
            "the end removed": (lambda s: s.run("DELETE FROM audit WHERE sequence>4"), 5),
            "reordered": (lambda s: s.database.executescript(
                "UPDATE audit SET sequence=-3 WHERE sequence=3;"
                "UPDATE audit SET sequence=3 WHERE sequence=4;"
                "UPDATE audit SET sequence=4 WHERE sequence=-3;"), 3),
        }
        with self.a_server() as server:
            kept = os.path.join(self.scratch, self.own("kept"))
            shutil.copytree(server.data, kept)
            for what, (change, due) in rows.items():
                with self.subTest(what):
                    shutil.rmtree(server.data)
                    shutil.copytree(kept, server.data)
                    with Store(server.data) as store:
                        change(store)
                    with server:
                        self.assertEqual(self.broken_at(server=server), due)
                        path = self.exported(server)
                        self.assertEqual(self.broken_at(path), due)
                        said = server.command("audit", "prune", "--before", "2000-01-01", "--yes",
                                              expect=1)
                        self.assertIn("broken", said.err)

    def test_a_log_rewritten_with_the_servers_own_key(self):
        with self.a_server() as server:
            with server:
                earlier = self.exported(server, "earlier.jsonl")
                server.command("group", "create", "later")
            head = self.file("head.jsonl", self.lines(earlier)[-1:])
            last = self.lines(earlier)[-1]["head"]["sequence"]
            kept = os.path.join(self.scratch, self.own("kept"))
            shutil.copytree(server.data, kept)
            rows = {
                "edited": ("UPDATE audit SET reason='mine' WHERE sequence=4", 4, last),
                "the first edited": ("UPDATE audit SET actor='x' WHERE sequence=1", 1, last),
                "removed": ("DELETE FROM audit WHERE sequence=4;"
                            "UPDATE audit SET sequence=sequence-1 WHERE sequence>4", 4, last),
                "truncated": ("DELETE FROM audit WHERE sequence>4", 5, 5),
            }
            for what, (sql, by_export, by_head) in rows.items():
                with self.subTest(what):
                    shutil.rmtree(server.data)
                    shutil.copytree(kept, server.data)
                    with Store(server.data) as store:
                        store.database.executescript(sql)
                        store.rewrite()
                    with server:
                        said = server.command("audit", "verify")
                        self.assertIn("intact", said.out, "the server itself cannot tell")
                        self.assertEqual(self.broken_at("--head", earlier, server=server),
                                         by_export)
                        self.assertEqual(self.broken_at("--head", head, server=server), by_head)
                        now = self.exported(server)
                        rollcall("audit", "verify", now)
                        self.assertEqual(self.broken_at(now, "--head", earlier), by_export)
            with self.subTest("what came after the head may be anything"):
                shutil.rmtree(server.data)
                shutil.copytree(kept, server.data)
                with server:
                    said = server.command("audit", "verify", "--head", earlier)
                    self.assertIn("intact", said.out)

    def test_another_servers_log(self):
        with self.a_server() as server:
            with server:
                mine = self.exported(server)
                other = self.exported(self.server, "other.jsonl")
                said = server.command("audit", "verify", "--head", other, expect=1)
                self.assertIn("another key", said.err)
                self.assertIn("another key", rollcall("audit", "verify", mine, "--head", other,
                                                      expect=1).err)

    # --- pruning ---

    def test_pruned(self):
        with self.a_server() as server:
            with Store(server.data) as store:  # half of it is of last year
                store.run("UPDATE audit SET at=at-400*86400000000 WHERE sequence<=4")
                store.rewrite()
            with server:
                before = self.exported(server, "before.jsonl")
                old_head = self.file("old.jsonl", self.lines(before)[-1:])
                events = len(self.lines(before)) - 1
                day = self.lines(before)[4]["at"][:10]
                said = server.command("audit", "prune", "--before", day)
                self.assertIn("number 1 to 4", said.err)
                self.assertIn("Add --yes", said.err)
                self.assertEqual(len(server.listing("/audit")), events)
                said = server.command("audit", "prune", "--before", day, "--yes", "--reason", "old")
                self.assertIn("4 events were pruned", said.err)
                said = server.command("audit", "verify")
                self.assertEqual(said.out,
                                 f"intact: {events - 3} events, pruned up to number 4\n")
                last = server.listing("/audit")[-1]
                self.assertEqual((last["action"], last["reason"], last["detail"]["last"]),
                                 ("audit.prune", "old", "4"))
                for head in (before, old_head):
                    server.command("audit", "verify", "--head", head)
                after = self.exported(server, "after.jsonl")
                self.assertEqual(self.lines(after)[0]["checkpoint"]["sequence"], 4)
                rollcall("audit", "verify", after)
                rollcall("audit", "verify", after, "--head", before)
                self.assertIn("0 events", server.command("audit", "prune", "--before", day,
                                                         "--yes").err)
            with server:  # and after a restart
                server.command("audit", "verify", "--head", before)
                server.command("doctor", expect=None)
            with Store(server.data) as store:
                store.run("DELETE FROM audit WHERE sequence=5")
            with server:
                self.assertEqual(self.broken_at(server=server), 5)

    def test_the_server_prunes_by_itself(self):
        configuration = self.file("rollcall.toml")
        with open(configuration, "w", encoding="utf-8") as out:
            out.write("[audit]\nkeep_days = 365\n")
        with self.a_server() as server:
            with server:
                before = self.exported(server, "before.jsonl")
            with Store(server.data) as store:
                store.run("UPDATE audit SET at=at-400*86400000000 WHERE sequence<=4")
                store.rewrite()
            events = len(self.lines(before)) - 1
            with server:
                rewritten = self.exported(server, "rewritten.jsonl")
                self.assertEqual(len(server.listing("/audit")), events,
                                 "unless it is told to, it keeps all")
            server.options += ["--config", configuration]
            with server:
                eventually(lambda: server.listing("/audit")[0]["sequence"] == 5, "it prunes")
                log = server.listing("/audit")
                self.assertEqual(log[-1]["sequence"], events + 1)
                self.assertEqual((log[-1]["actor"], log[-1]["action"], log[-1]["source"]),
                                 ("server", "audit.prune", "local"))
                self.assertEqual(log[-1]["detail"],
                                 {"keepDays": "365", "first": "1", "last": "4"})
                server.command("audit", "verify", "--head", rewritten)
                rollcall("audit", "verify", self.exported(server), "--head", rewritten)
            with Store(server.data) as store:  # the next one is old too, and the log is broken
                store.run("UPDATE audit SET at=at-400*86400000000 WHERE sequence=5")
            with server:
                eventually(lambda: "audit-not-pruned" in server.told(), "it says so")
                self.assertEqual(server.listing("/audit")[0]["sequence"], 5)
                self.assertEqual(self.broken_at(server=server), 5)

    def test_prune_wants_a_date(self):
        for words in ((), ("--before", "soon"), ("--before",)):
            self.command("audit", "prune", *words, "--yes", expect=2)
        self.assertIn("yet to come", self.command("audit", "prune", "--before", "2999-01-01",
                                                  "--yes", expect=1).err)


if __name__ == "__main__":
    main()
