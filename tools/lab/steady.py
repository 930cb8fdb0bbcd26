# SPDX-License-Identifier: Apache-2.0
"""For tables of bad input: after each row the server holds what it held before, and in the end a
good device still comes in."""
import contextlib
import itertools
import json

from .operator import Operator
from .scenario import Scenario

# All that a server keeps for good. Refusals are not in it: that somebody was refused is noted.
LISTINGS = ("/groups", "/ca-certificates", "/enrollments", "/devices", "/registrations",
            "/distrust", "/tokens", "/policies", "/audit")
# Looking moves these, and nothing else may.
SEEN = ("lastUsed",)


class Steady(Scenario):
    """A server with a group "steady" under `root`, and `operator`, a line to its socket."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.operator = Operator(cls.server)
        cls.root = cls.ours.root("Steady Root")
        cls.server.command("group", "create", "steady")
        cls.server.command("group", "cert", "set", "steady", "primary", cls.root.certificate,
                           "--vouch")
        cls.good = cls.ours.leaf(cls.root, "good").credential
        cls.numbers = itertools.count(1)

    @classmethod
    def tearDownClass(cls):
        cls.operator.close()
        super().tearDownClass()

    def held(self):
        """Everything the server keeps, one line a record."""
        return {what: [json.dumps({name: value for name, value in record.items()
                                   if name not in SEEN}, sort_keys=True)
                       for record in self.operator.listing(what)] for what in LISTINGS}

    @contextlib.contextmanager
    def row(self, what):
        """One row of a table: it may fail alone, and it may change nothing."""
        with self.subTest(what):
            before = self.held()
            yield
            after = self.held()
            for listing in LISTINGS:
                self.assertEqual(before[listing], after[listing], f"{what} changed {listing}")

    def a_good_device_comes_in(self):
        name = f"newcomer-{next(self.numbers)}"
        self.assert_assigned(name, self.ours.leaf(self.root, name).credential)
