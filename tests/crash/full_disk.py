#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A data directory on a file system without room: writes are refused in words, reads go on, and
with room again all works, without a restart. The file system is a small one in memory, in a user
and mount namespace of its own; as root where there are none, in a mount namespace. Not getting one
is a failure, not a skip."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from books import Books, faults_of  # noqa: E402
from lab.server import CommandFailed, Server  # noqa: E402
from load import Fleet, Load, Operator, is_refusal_of_an_operator, prepare, states_of  # noqa: E402

INSIDE = "ROLLCALL_TEST_NAMESPACE"
ROOM = "4m"
DEVICES = 24
MANY = 1000


def enter_namespace():
    """Starts this program again where it may mount."""
    for words in (["-rm"], ["-m"] if os.geteuid() == 0 else []):
        if words and subprocess.run(["unshare", *words, "true"], stderr=subprocess.DEVNULL,
                                    check=False).returncode == 0:
            os.environ[INSIDE] = "1"
            os.execvp("unshare", ["unshare", *words, sys.executable, *sys.argv])
    sys.exit("no namespace of our own (unshare -rm fails): nothing can be mounted")


class FullDisk(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.mkdtemp(prefix="rollcall-test-")
        self.addCleanup(shutil.rmtree, self.scratch)
        self.fleet = Fleet(os.path.join(self.scratch, "fleet"), DEVICES)
        self.disk = os.path.join(self.scratch, "disk")
        os.mkdir(self.disk, 0o700)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", self.disk],
                       check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", self.disk], check=True)
        self.server = Server(self.scratch)
        self.server.data = os.path.join(self.disk, "data")
        self.addCleanup(self.server.stop)
        self.books = Books()
        self.ballast = os.path.join(self.scratch, "disk", "ballast")

    def fill(self, left=0):
        """Takes the room, but for so many bytes."""
        with open(self.ballast, "ab", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
            file.truncate(max(0, os.fstat(file.fileno()).st_size - left))

    def make_room(self):
        os.unlink(self.ballast)

    def sound(self):
        self.assertEqual(faults_of(self.server.data, self.books), ([], []))

    def until_full(self, load, operator):
        """Registers and changes until both were refused for want of room."""
        turn = device = 0
        while load.register(self.fleet.devices[device % DEVICES], device // DEVICES % 2):
            device += 1
            self.assertLess(device, MANY, "never full")
        while load.change(operator, turn):
            turn += 1
            self.assertLess(turn, MANY, "never full")
        status, problem = operator.ask("POST", "/groups", {"id": "one-more"})
        self.assertTrue(is_refusal_of_an_operator(status, problem), problem)
        self.assertEqual(problem["code"], "disk-full")
        self.assertRegex(problem["detail"], "(?i)disk .*full")
        return device + turn

    def test_full_while_it_works(self):
        self.server.start()
        prepare(self.server, self.fleet, self.books)
        taken = 0
        for number in range(3):
            load = Load(self.server, self.fleet, self.books, number, faulty=True)
            self.fill(left=0 if number == 1 else 200 * 1024)
            with Operator(self.server) as operator:
                taken += self.until_full(load, operator)
                # Who was let in before is still known: reading needs no room.
                device = next(iter(self.books.operations))
                self.assertEqual(operator.ask("GET", f"/registrations/{device}")[0], 200)
                self.assertEqual(operator.ask("GET", "/audit/verification")[1]["intact"], True)
                self.assertEqual(self.server.command("group", "list").code, 0)
                refused = self.server.command("group", "create", "by-command", expect=1)
                self.assertRegex(refused.err, "(?i)disk .*full")
                self.make_room()
                # With room again the next request is served; nobody has to restart anything.
                self.assertTrue(load.register(device, number % 2, polls=True))
                self.assertTrue(load.change(operator, 1000))
            self.assertEqual(self.books.settle(states_of(self.server, self.books)), [])
        self.server.kill()
        self.sound()
        self.server.start()
        self.server.command("audit", "verify")
        print(f"a full disk: 3 times, {taken} acknowledged until then, "
              f"{self.books.refused} refused; lost 0", flush=True)

    def test_full_at_the_first_start(self):
        """With too little room for the first files, and for ever more of them."""
        refused = 0
        for left in range(0, 800 * 1024, 48 * 1024):
            self.fill(left)
            try:
                self.server.start()
                self.server.stop()
            except CommandFailed:
                refused += 1
                told = self.server.told().splitlines()[-1]
                self.assertIn(self.server.data, told)
                self.assertRegex(told, "(?i)full|no space")
            self.make_room()
            self.server.start()
            self.server.command("audit", "verify")
            self.server.stop()
            self.sound()
            shutil.rmtree(self.server.data)
        self.assertGreater(refused, 0)
        print(f"full at the first start: refused {refused} times", flush=True)

    def test_full_at_a_later_start(self):
        """A server that was killed starts on a full disk or says why not; nothing is lost."""
        self.server.start()
        prepare(self.server, self.fleet, self.books)
        load = Load(self.server, self.fleet, self.books, "before")
        for device in self.fleet.devices:
            load.register(device, 0)
        self.server.kill()
        self.fill()
        try:
            self.server.start()
            with Operator(self.server) as operator:
                self.assertEqual(operator.ask("GET", "/groups")[0], 200)
            self.server.kill()
        except CommandFailed:
            told = self.server.told().splitlines()[-1]
            self.assertIn(self.server.data, told)
            self.assertRegex(told, "(?i)full|no space")
        self.make_room()
        self.server.start()
        self.assertTrue(load.register(self.fleet.devices[0], 1, polls=True))
        self.server.stop()
        self.sound()


if __name__ == "__main__":
    if INSIDE not in os.environ:
        enter_namespace()
    unittest.main(verbosity=2)
