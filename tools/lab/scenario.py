# SPDX-License-Identifier: Apache-2.0
"""What the scenario tests stand on: a server of their own, makers, and the words of a story."""
import argparse
import os
import shutil
import sys
import tempfile
import time
import unittest

from .device import Conversation, register
from .makers import CertTool, OpenSsl, Rollcall
from .server import Server


def eventually(holds, what, patience=60):
    """Waits for what another process does in its own time."""
    end = time.monotonic() + patience
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(f"not within {patience} seconds: {what}")
        time.sleep(0.02)


class Scenario(unittest.TestCase):
    """One server for the class; each test uses names of its own (self.own("dev"))."""
    options = ()

    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.mkdtemp(prefix="rollcall-test-")
        cls.ours = Rollcall(os.path.join(cls.scratch, "ours"))
        cls.openssl = OpenSsl(os.path.join(cls.scratch, "openssl"))
        cls.certtool = CertTool(os.path.join(cls.scratch, "certtool"))
        cls.failed = False
        cls.server = cls.make_server().start()

    @classmethod
    def make_server(cls):
        return Server(cls.scratch, *cls.options)

    @classmethod
    def tearDownClass(cls):
        try:
            cls.server.stop()
        except BaseException:
            cls.failed = True
            raise
        finally:
            if cls.failed:
                print(f"kept for a look: {cls.scratch}", file=sys.stderr)
            else:
                shutil.rmtree(cls.scratch)

    def tearDown(self):
        result = self._outcome.result
        blamed = result.failures + result.errors
        if any(getattr(case, "test_case", case) is self for case, _ in blamed):
            type(self).failed = True

    def own(self, word):
        """A name that no other test of the class uses: "dev" -> "expired-leaf-dev"."""
        return f"{self._testMethodName.removeprefix('test_').replace('_', '-')}-{word}"[:60]

    # --- the operator ---

    def command(self, *words, **how):
        return self.server.command(*words, **how)

    def refused(self, *words):
        """A command that must be refused; what it said."""
        return self.command(*words, expect=1).err

    def group(self, name, primary=None, secondary=None, vouch=True):
        """A group with these CAs in its slots; vouched for unless told otherwise."""
        self.command("group", "create", name)
        for slot, party in (("primary", primary), ("secondary", secondary)):
            if party is not None:
                self.command("group", "cert", "set", name, slot, party.certificate,
                             *(["--vouch"] if vouch else []))
        return name

    def prove(self, group, slot, root, maker=None):
        code = self.command("group", "cert", "code", group, slot).out.strip()
        proof = (maker or self.ours).proof(root, code)
        self.command("group", "cert", "verify", group, slot, proof.certificate)
        return code

    def explained(self, name):
        """The last refusal of this registration id, as the operator sees it."""
        return self.command("registration", "explain", name, "--json").json["refusal"]

    def assert_in_no_file(self, secrets, where=None):
        """None of these bytes stands in a file of the server or of the class, or of `where`."""
        searched = 0
        for folder, _, files in os.walk(where or self.scratch):
            for file in files:
                path = os.path.join(folder, file)
                if not os.path.isfile(path):  # a socket
                    continue
                with open(path, "rb") as opened:
                    content = opened.read()
                searched += 1
                for secret in secrets:
                    self.assertNotIn(secret, content, file)
        self.assertGreater(searched, 3)

    # --- the device ---

    def register(self, name, credential, **how):
        return register(self.server, name, credential, patience=0.05, **how)

    def talk(self, credential=None, **how):
        return Conversation(self.server, credential, **how)

    def assert_assigned(self, name, credential, **how):
        outcome = self.register(name, credential, **how)
        self.assertEqual(outcome.status, "assigned", f"{name}: {outcome}")
        return outcome

    def assert_refused(self, name, credential, code=401002, **how):
        outcome = self.register(name, credential, **how)
        self.assertEqual((outcome.status, outcome.code), ("refused", code), f"{name}: {outcome}")
        return outcome


def main(options=None):
    """Runs the file's tests. `options`: a namespace of numbers with their defaults; each may be
    given as --name N, whatever unittest itself takes stays as it is."""
    rest = sys.argv[1:]
    if options is not None:
        parser = argparse.ArgumentParser(add_help=False)
        for name, default in vars(options).items():
            parser.add_argument(f"--{name}", type=int, default=default)
        _, rest = parser.parse_known_args(namespace=options)
        print(f"seed {options.seed}", flush=True)
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)
