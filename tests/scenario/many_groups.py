#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ten thousand groups: they are listed page by page, one more is made, and devices register.

A group made through the API costs a look at all there are, so that ten thousand of them one by one
take minutes. A first thousand is made that way; the others are copies, put into the database while
the server is down."""
import contextlib
import os
import sqlite3
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.operator import Operator  # noqa: E402
from lab.scenario import Scenario, main  # noqa: E402

MADE, GROUPS = 1_000, 10_000


class ManyGroups(Scenario):
    def name(self, number):
        return f"plant-{number:05}"

    def made(self):
        with contextlib.closing(Operator(self.server)) as operator:
            for number in range(MADE):
                answer = operator.ask("POST", "/groups", {"id": self.name(number)})
                self.assertEqual(answer.status, 201, answer.text)

    def copied(self):
        path = os.path.join(self.server.data, "rollcall.db")
        with contextlib.closing(sqlite3.connect(path)) as db:
            rows = db.execute("SELECT * FROM enrollment_groups WHERE id LIKE 'plant-%'")
            names = [column[0] for column in rows.description]
            kept = rows.fetchall()
            for number in range(MADE, GROUPS):
                row = dict(zip(names, kept[number % MADE]))
                row["id"] = row["name"] = self.name(number)
                row["instance"] = f"{number:08}-0000-4000-8000-000000000000"
                db.execute(f"INSERT INTO enrollment_groups ({','.join(names)}) VALUES "
                           f"({','.join('?' * len(names))})", list(row.values()))
            db.commit()

    def listed(self, operator, limit):
        """All groups in pages of this size."""
        seen, after = [], ""
        while True:
            page = operator.ask("GET", f"/groups?limit={limit}{after}").json
            self.assertLessEqual(len(page["items"]), limit)
            seen += [group["id"] for group in page["items"]]
            if not page["next"]:
                return seen
            after = f"&after={page['next']}"

    def test_ten_thousand(self):
        self.made()
        self.server.stop()
        self.copied()
        self.server.start()
        everyone = [self.name(number) for number in range(GROUPS)]
        with contextlib.closing(Operator(self.server)) as operator:
            self.assertEqual(self.listed(operator, 1000), everyone)
            self.assertEqual(self.listed(operator, 777), everyone)
            self.assertEqual(operator.ask("POST", "/groups", {"id": self.name(5)}).status, 409)
            for number in (0, MADE + 1, GROUPS - 1):
                root = self.ours.root(f"Root {number}")
                self.command("group", "cert", "set", self.name(number), "primary",
                             root.certificate, "--vouch")
                for device in (f"dev-{number}-a", f"dev-{number}-b"):
                    outcome = self.assert_assigned(device, self.ours.leaf(root, device).credential)
                    self.assertEqual(outcome.state["x509"],
                                     {"enrollmentGroupId": self.name(number)})
            self.assertEqual(operator.ask("POST", "/groups", {"id": self.name(GROUPS)}).status, 201)
            self.assertEqual(operator.ask("DELETE", f"/groups/{self.name(1)}").status, 200)
            self.assertEqual(self.listed(operator, 1000),
                             [name for name in everyone if name != self.name(1)] +
                             [self.name(GROUPS)])
        stranger = self.ours.leaf(self.ours.root("Nobody"), "stranger").credential
        self.assert_refused("stranger", stranger)
        self.command("audit", "verify")


if __name__ == "__main__":
    main()
