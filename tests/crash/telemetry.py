#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the hub acknowledged outlives kill -9 and power cuts: telemetry, twins, messages to devices.

    python3 tests/crash/telemetry.py                  a few rounds, as ./test plays them
    python3 tests/crash/telemetry.py --rounds 100     100 of each kind
"""
import argparse
import contextlib
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
from crash import FAST, Trial  # noqa: E402
from hub_load import HubBooks, HubFleet, HubLoad, prepare_hub  # noqa: E402
from lab.operator import Operator  # noqa: E402
from lab.scenario import main  # noqa: E402
from lab.server import CommandFailed  # noqa: E402

OPTIONS = argparse.Namespace(rounds=4, seed=1)


class HubTrial(Trial):
    """One server with its disk, its books and the hub's."""

    def __init__(self, scratch, fleet, disk=True):
        super().__init__(scratch, fleet, disk)
        self.hub = HubBooks(fleet)

    def begin(self):
        self.start()
        for device, operation in prepare_hub(self.server, self.fleet).items():
            self.books.registered(device, operation)
        self.known = self.identity()
        return self

    def confirm(self):
        """The running server says what it acknowledged."""
        if self.known != self.identity():
            self.lost.append("scope, CA or token")
        with contextlib.closing(Operator(self.server)) as operator:
            self.lost += self.hub.settle(operator)
        self.rounds += 1

    def load(self, number):
        return HubLoad(self.server, self.fleet, self.hub, number).start()


class Telemetry(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        where = FAST if os.access(FAST, os.W_OK) else None
        cls.scratch = tempfile.mkdtemp(prefix="rollcall-test-", dir=where)
        cls.fleet = HubFleet(os.path.join(cls.scratch, "fleet"))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.scratch)

    def setUp(self):
        self.chance = random.Random(f"{OPTIONS.seed} {self._testMethodName}")

    def trial(self, **how):
        scratch = os.path.join(self.scratch, self._testMethodName)
        os.makedirs(scratch)
        trial = HubTrial(scratch, self.fleet, **how)
        self.addCleanup(self.clean, trial)
        return trial.begin()

    @staticmethod
    def clean(trial):
        trial.kill()
        if trial.disk:
            trial.disk.close()

    def work(self):
        time.sleep(self.chance.uniform(0.05, 0.5))

    def conclude(self, trial, what):
        """The last start shows what the first saw; the figures, and the verdict."""
        with contextlib.closing(Operator(trial.server)) as operator:
            trial.lost += trial.hub.changed(operator)
        trial.server.stop()
        trial.examine()
        hub = trial.hub
        print(f"{what}: {trial.rounds} rounds; acknowledged: {hub.count} messages of "
              f"{sum(hub.sent.values())}, {sum(n.acknowledged for n in hub.reported.values())} "
              f"reports, {sum(n.acknowledged for n in hub.desired.values())} desired changes, "
              f"{sum(m.completed for m in hub.messages.values())} messages to devices completed; "
              f"lost {len(trial.lost)}, half-written {len(trial.half)}", flush=True)
        self.assertGreater(hub.count, 0)
        self.assertEqual((trial.lost[:20], trial.half[:20]), ([], []))

    def test_kill(self):
        trial = self.trial(disk=False)
        for number in range(OPTIONS.rounds):
            load = trial.load(number)
            self.work()
            load.dying.set()
            if self.chance.random() < 0.25:
                trial.server.process.send_signal(signal.SIGTERM)
                time.sleep(self.chance.uniform(0, 0.1))
            trial.kill()
            load.end()
            trial.examine()
            trial.start().confirm()
        self.conclude(trial, "kill -9")

    def test_power_cut(self):
        """At any moment of the work, at a write or sync of the telemetry log, while stopping, while
        starting; what was not synced is gone, or in every second round some of it."""
        trial = self.trial()
        for number in range(OPTIONS.rounds):
            forgetful = self.chance if number % 2 else None
            moment = self.chance.choice(("work", "log", "stop", "start"))
            load = trial.load(number)
            self.work()
            load.dying.set()
            if moment == "log":
                trial.disk.die(("write", "sync"), self.chance.randrange(20), ".log")
                trial.server.process.wait(timeout=60)
            elif moment == "stop":
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
        self.conclude(trial, "power cut")

    def test_a_lying_disk_is_seen_to_lose(self):
        """Else the rounds above would show nothing."""
        trial = self.trial()
        trial.disk.lie()
        load = trial.load("lying")
        while trial.hub.count < 100:
            time.sleep(0.02)
        load.dying.set()
        trial.cut()
        load.end()
        trial.start().confirm()
        self.assertIn("telemetry", " ".join(trial.lost))


if __name__ == "__main__":
    main(OPTIONS)
