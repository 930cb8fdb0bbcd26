#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A data directory on a file system without room: writes are refused in words, reads go on, and
with room again all works, without a restart. The file system is a small one in memory, mounted in
a namespace of our own; where none can be had (some containers), the disk beneath the program says
that it is full."""
import errno
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from books import Books, faults_of  # noqa: E402
from disk import Disk  # noqa: E402
from lab.server import CommandFailed, Server  # noqa: E402
from load import Fleet, Load, Operator, is_refusal_of_an_operator, prepare, states_of  # noqa: E402

INSIDE = "ROLLCALL_TEST_NAMESPACE"  # "mounts" or "none"
ROOM = "4m"
PAGE = 4096
DEVICES = 24
MANY = 1000
# In a chroot the root directory is no mount point, so its propagation cannot be changed.
NAMESPACES = (("-rm",), ("-m",), ("-m", "--propagation", "unchanged"))


def enter_namespace():
    """Starts this program again where it may mount, if there is such a place."""
    for words in NAMESPACES:
        if subprocess.run(["unshare", *words, "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
                          stderr=subprocess.DEVNULL, check=False).returncode == 0:
            os.environ[INSIDE] = "mounts"
            os.execvp("unshare", ["unshare", *words, sys.executable, *sys.argv])
    print("nothing can be mounted here: the disk is told to say that it is full", flush=True)
    os.environ[INSIDE] = "none"


class MountedDisk:
    """A file system in memory that is as small as ROOM."""

    environment = {}

    def __init__(self, scratch):
        self.directory = os.path.join(scratch, "disk")
        self.ballast = os.path.join(self.directory, "ballast")
        os.mkdir(self.directory, 0o700)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", self.directory],
                       check=True)

    def fill(self, left=0):
        """Takes the room, but for so many bytes."""
        with open(self.ballast, "ab", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(PAGE))
            except OSError:
                pass
            file.truncate(max(0, os.fstat(file.fileno()).st_size - left))

    def make_room(self):
        os.unlink(self.ballast)

    def close(self):
        subprocess.run(["umount", "-l", self.directory], check=True)


class ToldDisk:
    """The disk of crash.py, told to be full: stricter, for it refuses to overwrite as well."""

    def __init__(self, scratch):
        self.disk = Disk(scratch, image=False)
        self.directory = self.disk.directory
        self.environment = self.disk.environment
        self.disk.begin()

    def fill(self, left=0):
        self.disk.fail(errno.ENOSPC, ("write", "truncate", "mkdir"), after=left // PAGE,
                       lasting=True)

    def make_room(self):
        self.disk.mend()

    def close(self):
        self.disk.close()


class FullDisk(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.mkdtemp(prefix="rollcall-test-")
        self.addCleanup(shutil.rmtree, self.scratch)
        self.fleet = Fleet(os.path.join(self.scratch, "fleet"), DEVICES)
        self.disk = (MountedDisk if os.environ[INSIDE] == "mounts" else ToldDisk)(self.scratch)
        self.addCleanup(self.disk.close)
        self.server = Server(self.scratch)
        self.server.environment = self.disk.environment
        self.server.data = os.path.join(self.disk.directory, "data")
        self.addCleanup(self.server.stop)
        self.books = Books()

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
            self.disk.fill(left=0 if number == 1 else 200 * 1024)
            with Operator(self.server) as operator:
                taken += self.until_full(load, operator)
                # Who was let in before is still known: reading needs no room.
                device = next(iter(self.books.operations))
                self.assertEqual(operator.ask("GET", f"/registrations/{device}")[0], 200)
                self.assertEqual(operator.ask("GET", "/audit/verification")[1]["intact"], True)
                self.assertEqual(self.server.command("group", "list").code, 0)
                refused = self.server.command("group", "create", "by-command", expect=1)
                self.assertRegex(refused.err, "(?i)disk .*full")
                self.disk.make_room()
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
            self.disk.fill(left)
            try:
                self.server.start()
                self.server.stop()
            except CommandFailed:
                refused += 1
                told = self.server.told().splitlines()[-1]
                self.assertIn(self.server.data, told)
                self.assertRegex(told, "(?i)full|no space")
            self.disk.make_room()
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
        self.disk.fill()
        try:
            self.server.start()
            with Operator(self.server) as operator:
                self.assertEqual(operator.ask("GET", "/groups")[0], 200)
            self.server.kill()
        except CommandFailed:
            told = self.server.told().splitlines()[-1]
            self.assertIn(self.server.data, told)
            self.assertRegex(told, "(?i)full|no space")
        self.disk.make_room()
        self.server.start()
        self.assertTrue(load.register(self.fleet.devices[0], 1, polls=True))
        self.server.stop()
        self.sound()


if __name__ == "__main__":
    if INSIDE not in os.environ:
        enter_namespace()
    unittest.main(verbosity=2)
