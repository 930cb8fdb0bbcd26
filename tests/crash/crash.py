#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What was acknowledged outlives kill -9, power cuts and failing disks.

    python3 tests/crash/crash.py                  a dozen rounds, as ./test plays them
    python3 tests/crash/crash.py --rounds 200 --every 1 --seed 7
                                                  200 rounds of each kind, every call swept
"""
import argparse
import errno
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from books import Books, faults_of  # noqa: E402
from disk import CHANGING, KINDS, Disk  # noqa: E402
from lab.scenario import main  # noqa: E402
from lab.server import CommandFailed, Server  # noqa: E402
from load import Fleet, Load, prepare, states_of  # noqa: E402

OPTIONS = argparse.Namespace(rounds=6, every=0, seed=1)
DEVICES = 48
BALLAST = 32_000  # so that the log soon has the 20,000 pages from which it is copied
FAST = "/dev/shm"


class Trial:
    """One server with its disk and its books."""

    def __init__(self, scratch, fleet, disk=True, image=True):
        self.scratch, self.fleet = scratch, fleet
        self.disk = Disk(scratch, image) if disk else None
        self.server = Server(scratch)
        if disk:
            self.server.data = os.path.join(self.disk.directory, "data")
            self.server.environment = self.disk.environment
        self.books = Books()
        self.known = None  # scope, CA and token: what must stay
        self.lost, self.half, self.rounds = [], [], 0

    def start(self, armed=None):
        """`armed`: called before the program starts; tells the disk what to do to it."""
        if self.disk:
            self.disk.begin()
            if armed:
                armed()
        self.server.start()
        return self

    def begin(self):
        self.start()
        prepare(self.server, self.fleet, self.books)
        self.known = self.identity()
        return self

    def identity(self):
        said = [self.server.scope]
        for path in (self.server.ca_file, os.path.join(self.server.data, "admin-token")):
            with open(path, "rb") as file:
                said.append(file.read())
        return said

    def kill(self):
        if self.server.process is not None:
            self.server.kill()

    def cut(self, chance=None):
        self.kill()
        self.disk.cut(chance)

    def examine(self):
        """The store as the crash left it, before anything mends it."""
        lost, half = faults_of(self.server.data, self.books)
        self.lost += lost
        self.half += half

    def confirm(self):
        """The running server says what it acknowledged, and takes more."""
        if self.known != self.identity():
            self.lost.append("scope, CA or token")
        self.lost += self.books.settle(states_of(self.server, self.books))
        if self.server.command("audit", "verify", expect=None).code != 0:
            self.half.append("the audit does not verify")
        load = Load(self.server, self.fleet, self.books, "after", faulty=False)
        # Two leaves by turns: one of them is new to the store, not the repeat of a moment ago.
        device = self.fleet.devices[self.rounds % DEVICES]
        for root in (0, 1):
            load.register(device, root, polls=True)
        self.rounds += 1


class Crash(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        where = FAST if os.access(FAST, os.W_OK) else None
        cls.scratch = tempfile.mkdtemp(prefix="rollcall-test-", dir=where)
        cls.fleet = Fleet(os.path.join(cls.scratch, "fleet"), DEVICES)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.scratch)

    def setUp(self):
        self.chance = random.Random(f"{OPTIONS.seed} {self._testMethodName}")
        self.trials = []

    def tearDown(self):
        for trial in self.trials:
            trial.kill()
            if trial.disk:
                trial.disk.close()

    def trial(self, **how):
        scratch = os.path.join(self.scratch, f"{self._testMethodName}-{len(self.trials)}")
        os.makedirs(scratch)
        self.trials.append(Trial(scratch, self.fleet, **how))
        return self.trials[-1]

    def conclude(self, trial, what):
        """The figures, and the verdict."""
        books = trial.books
        print(f"{what}: {trial.rounds} rounds, {books.registrations} registrations and "
              f"{books.changes} changes acknowledged, {books.refused} refused; "
              f"lost {len(trial.lost)}, half-written {len(trial.half)}", flush=True)
        self.assertEqual((trial.lost[:20], trial.half[:20]), ([], []))

    # --- rounds ---

    def loaded(self, trial, number):
        load = Load(trial.server, self.fleet, trial.books, number).start()
        time.sleep(self.chance.uniform(0.02, 0.5))
        return load

    def test_kill(self):
        trial = self.trial(disk=False).begin()
        for number in range(OPTIONS.rounds):
            load = self.loaded(trial, number)
            load.stop.set()
            if self.chance.random() < 0.25:
                trial.server.process.send_signal(signal.SIGTERM)
                time.sleep(self.chance.uniform(0, 0.1))
            trial.kill()
            load.end()
            trial.examine()
            trial.start().confirm()
        trial.server.stop()
        trial.examine()
        self.conclude(trial, "kill -9")

    def power_cuts(self, trial):
        """Rounds of load, ended by a cut in the midst of it, while stopping or while starting."""
        for number in range(OPTIONS.rounds):
            forgetful = None if number % 2 == 0 else self.chance
            moment = self.chance.choice(("work", "work", "stop", "start"))
            load = self.loaded(trial, number)
            load.stop.set()
            if moment == "stop":
                trial.disk.die(after=self.chance.randrange(40))
                trial.server.process.send_signal(signal.SIGTERM)
                trial.server.process.wait(timeout=60)
            trial.cut(forgetful)
            load.end()
            trial.examine()
            if moment == "start":
                after = self.chance.randrange(30)
                try:
                    trial.start(lambda n=after: trial.disk.die(after=n))
                    trial.disk.mend()
                except CommandFailed:
                    pass
                trial.cut(forgetful)
                trial.examine()
            trial.start().confirm()

    def test_power_cut(self):
        trial = self.trial().begin()
        self.power_cuts(trial)
        trial.server.stop()
        trial.disk.cut()
        trial.examine()
        self.conclude(trial, "power cut")

    def test_power_cut_at_a_checkpoint(self):
        """While the log is copied into the database: nothing else writes to that file."""
        trial = self.trial().begin()
        for number in range(max(1, OPTIONS.rounds // 6)):
            trial.disk.die(("write", "sync"), self.chance.randrange(300), "rollcall.db")
            load = Load(trial.server, self.fleet, trial.books, number, ballast=BALLAST)
            load.mortal = True
            load.start(devices=2)
            trial.server.process.wait(timeout=120)
            load.stop.set()
            trial.cut(self.chance if number % 2 else None)
            load.end()
            trial.examine()
            trial.start().confirm()
            # And at the one that ends a server.
            trial.disk.die(("write", "sync", "unlink"), self.chance.randrange(20))
            trial.server.process.send_signal(signal.SIGTERM)
            trial.server.process.wait(timeout=60)
            trial.cut(self.chance if number % 2 else None)
            trial.examine()
            trial.start().confirm()
        self.conclude(trial, "power cut at a checkpoint")

    def test_the_disk_itself(self):
        """A disk that lies about syncs must be seen to lose; an honest one to keep every byte."""
        trial = self.trial().begin()
        load = self.loaded(trial, "honest")
        load.end()
        trial.server.stop()
        with open(os.path.join(trial.server.data, "rollcall.db"), "rb") as file:
            stopped = file.read()
        trial.cut()
        with open(os.path.join(trial.server.data, "rollcall.db"), "rb") as file:
            self.assertEqual(file.read(), stopped)
        trial.start()
        trial.disk.lie()
        load = self.loaded(trial, "lying")
        load.stop.set()
        trial.cut()
        load.end()
        trial.examine()
        self.assertNotEqual(trial.lost, [])
        self.assertEqual(trial.half, [])
        print(f"a disk that lies: lost {len(trial.lost)}, as it must be", flush=True)

    # --- sweeps ---

    def sweep(self, count, wanted):
        """Calls out of `count` to try: every so many, or `wanted` of them by chance."""
        if OPTIONS.every:
            return range(self.chance.randrange(OPTIONS.every), count, OPTIONS.every)
        return sorted(self.chance.sample(range(count), min(wanted, count)))

    def first_start(self):
        """How many calls of each kind a first start makes."""
        trial = self.trial()
        trial.start()
        trial.kill()
        return trial.disk

    def test_death_at_calls_of_the_first_start(self):
        """By kill -9, by a power cut, by one after which some of what was not synced is there."""
        count = self.first_start().calls(CHANGING)
        tried = self.sweep(count, 8)
        for at in tried:
            for how in ("kill", "cut", "some"):
                trial = self.trial()
                with self.subTest(call=at, how=how):
                    with self.assertRaises(CommandFailed):
                        trial.start(lambda n=at, t=trial: t.disk.die(after=n))
                    if how != "kill":
                        trial.cut(self.chance if how == "some" else None)
                    trial.begin().confirm()
                    trial.cut()
                    trial.examine()
                    trial.start().confirm()
                    self.assertEqual((trial.lost, trial.half), ([], []))
        print(f"death at a call of the first start: {len(tried)} of {count} calls, 3 ways",
              flush=True)

    def test_death_between_names_of_the_first_start(self):
        """Files that belong together get their names one after the other."""
        seen = self.first_start()
        for kind in ("rename", "mkdir"):
            for at in range(seen.calls([kind])):
                trial = self.trial(image=False)
                with self.subTest(call=at, kind=kind):
                    with self.assertRaises(CommandFailed):
                        trial.start(lambda n=at, k=kind, t=trial: t.disk.die((k,), n))
                    trial.begin().confirm()
                    trial.server.stop()

    def fault(self, kinds=KINDS):
        """Of one kind: what a disk may answer it with."""
        kind = self.chance.choice(kinds)
        may_be_full = kind in ("open", "write", "truncate", "mkdir", "rename")
        number = self.chance.choice((errno.EIO, errno.ENOSPC) if may_be_full else (errno.EIO,))
        return {"kinds": (kind,), "number": number, "lasting": self.chance.random() < 0.5}

    def assert_clear(self, trial, fault, code):
        """A server that did not start, or ended badly, says which file and what happened."""
        told = trial.server.told()
        self.assertIn(code, (0, 1), told)
        if code == 1:
            last = told.splitlines()[-1]
            self.assertIn(trial.server.data, last)
            words = "no space|full"
            if fault["number"] != errno.ENOSPC or fault["kinds"] != ("write",):
                # SQLite takes a read that fails for a damaged file.
                words += "|input/output error|i/o error|unable to open|malformed"
            self.assertRegex(last, f"(?i){words}")

    def test_faults_at_the_first_start(self):
        seen = self.first_start()
        refused = tolerated = 0
        for kind in KINDS:
            count = seen.calls([kind])
            for at in self.sweep(count, 3) if count else ():
                fault = self.fault((kind,))
                trial = self.trial(image=False)
                with self.subTest(call=at, **fault):
                    try:
                        trial.start(lambda n=at, f=fault, t=trial: t.disk.fail(after=n, **f))
                        tolerated += 1
                    except CommandFailed:
                        refused += 1
                        self.assert_clear(trial, fault, trial.server.code)
                    trial.disk.mend()
                    trial.kill()
                    trial.begin().confirm()
                    trial.server.stop()
                    trial.examine()
                    self.assertEqual((trial.lost, trial.half), ([], []))
        print(f"a fault at the first start: {refused} refused to start, {tolerated} started",
              flush=True)

    def test_power_cut_after_a_sync_that_failed(self):
        """One of the first syncs after a clean start, when the log gets its name. SQLite tells
        nobody what became of the sync of the directory."""
        trial = self.trial().begin()
        for number in range(8):
            trial.server.stop()
            with self.subTest(sync=number):
                fault = {"number": errno.EIO, "kinds": ["sync"], "after": number}
                try:
                    trial.start(lambda f=fault: trial.disk.fail(**f))
                except CommandFailed:
                    self.assert_clear(trial, fault, trial.server.code)
                    trial.start()
                load = Load(trial.server, self.fleet, trial.books, number, faulty=True)
                for device in self.fleet.devices[:8]:
                    load.register(device, number % 2)
                trial.confirm()
                trial.cut()
                trial.examine()
                trial.start().confirm()
        trial.server.stop()
        self.conclude(trial, "power cut after a sync that failed")

    def test_faults_at_work(self):
        """Refused in words while it lasts; then it works again, without a restart."""
        trial = self.trial().begin()
        given = 0
        for number in range(OPTIONS.rounds * 2):
            fault = self.fault(("write", "sync", "open", "read", "truncate"))
            fault["after"] = self.chance.randrange(60)
            with self.subTest(round=number, **fault):
                load = Load(trial.server, self.fleet, trial.books, number, faulty=True).start()
                time.sleep(self.chance.uniform(0.02, 0.1))
                trial.disk.fail(**fault)
                time.sleep(self.chance.uniform(0.05, 0.3))
                given += trial.disk.given
                trial.disk.mend()
                time.sleep(0.05)
                load.end()
                self.assertIsNone(trial.server.process.poll(), trial.server.told())
                trial.confirm()
                if number % 3 == 2:
                    trial.cut(self.chance if number % 2 else None)
                    trial.examine()
                    trial.start().confirm()
        trial.server.stop()
        trial.examine()
        self.conclude(trial, f"{given} faults at work")

    def test_faults_at_the_end(self):
        trial = self.trial().begin()
        for number in range(OPTIONS.rounds):
            self.loaded(trial, number).end()
            fault = self.fault(("write", "sync", "open", "read", "truncate", "unlink"))
            fault["after"] = self.chance.randrange(20)
            with self.subTest(round=number, **fault):
                trial.disk.fail(**fault)
                trial.server.process.send_signal(signal.SIGTERM)
                self.assert_clear(trial, fault, trial.server.process.wait(timeout=60))
                trial.cut(self.chance)
                trial.examine()
                trial.start().confirm()
        self.conclude(trial, "faults while stopping")


if __name__ == "__main__":
    main(OPTIONS)
