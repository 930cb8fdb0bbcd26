#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Messages to a device that fetches them over several connections at once: a lock is one's own, and
what was completed does not come again."""
import collections
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.scenario import main  # noqa: E402
from lab.steady import Steady  # noqa: E402

LOTS, LOT = 8, 50  # as many as may wait
FETCHERS = 6
VERSION = "api-version=2020-03-13"


class Messages(Steady):
    def test_each_is_given_once_to_many_connections(self):
        device = self.own("dev")
        leaf = self.ours.leaf(self.root, device).credential
        self.assert_assigned(device, leaf)
        path = f"/devices/{device}/messages/devicebound"
        given, faults = collections.Counter(), []

        def fetch(talk):
            while (answer := talk.ask("GET", f"{path}?{VERSION}")).status == 200:
                given[answer.text] += 1
                lock = answer.headers["etag"].strip('"')
                done = talk.ask("DELETE", f"{path}/{lock}?{VERSION}")
                again = talk.ask("DELETE", f"{path}/{lock}?{VERSION}")
                if (done.status, again.status) != (204, 412):
                    faults.append((done.status, again.status))
            if answer.status != 204:
                faults.append(answer.status)

        talks = [self.talk(leaf) for _ in range(FETCHERS)]
        for lot in range(LOTS):
            for number in range(LOT):
                sent = self.operator.ask("POST", f"/devices/{device}/messages",
                                         {"body": f"{lot}-{number}"})
                self.assertEqual(sent.status, 201, sent.text)
            threads = [threading.Thread(target=fetch, args=(talk,)) for talk in talks]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        for talk in talks:
            talk.http.close()
        self.assertEqual(faults, [])
        self.assertEqual({body: count for body, count in given.items() if count != 1}, {})
        self.assertEqual(len(given), LOTS * LOT)


if __name__ == "__main__":
    main()
