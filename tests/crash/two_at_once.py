#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Many devices under one id at once, while an operator changes what they are judged by.

    python3 tests/crash/two_at_once.py                     a few hundred times, as ./test does
    python3 tests/crash/two_at_once.py --times 5000 --seed 3
"""
import argparse
import collections
import itertools
import os
import random
import shutil
import sys
import tempfile
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.device import Conversation, context_of  # noqa: E402
from lab.makers import Rollcall  # noqa: E402
from lab.scenario import main  # noqa: E402
from lab.server import Server  # noqa: E402
from load import Operator  # noqa: E402

OPTIONS = argparse.Namespace(times=200, seed=1)
CONTENDERS = 6
ASKS = 3
PATIENCE = 60

ASSIGNED, RACED, REFUSED, DISABLED = "assigned", "409203", "401002", "disabled"

# One request of a device: when it was sent and answered, with which leaf, and what came.
Asked = collections.namedtuple("Asked", "sent answered leaf told operation")
# The group after a change of the operator: CAs that attest, and whether it is enabled. `since` is
# when the change was sent, `sure` when it was acknowledged; the next one's `sure` ends it. `known`:
# operations in the record just after. `lost`: CAs whose key is distrusted.
State = collections.namedtuple("State", "since sure primary secondary enabled known lost")


class Stage:
    """An id with leaves under three CAs, and a group of its own."""

    def __init__(self, ours, number):
        self.id, self.group = f"dev-{number}", f"group-{number}"
        self.roots = {name: ours.root(f"{name} {number}") for name in "ABC"}
        self.pem = {name: self._read(root.certificate) for name, root in self.roots.items()}
        # Two leaves of one CA are two certificates of one device.
        self.leaves = {name: ours.leaf(self.roots[name[0]], self.id).alone
                       for name in ("A1", "A2", "B1", "C1")}
        self.contexts = {}

    @staticmethod
    def _read(path):
        with open(path, encoding="utf-8") as file:
            return file.read()


def outcome(state, leaf):
    """What a device with this leaf is told while the group is so."""
    if leaf[0] not in (state.primary, state.secondary):
        return REFUSED
    return ASSIGNED if state.enabled else DISABLED


def told(answer):
    """(what the device was told, operation); any other answer is a failure."""
    body = answer.json
    if answer.status == 202 and body["status"] == "assigning":
        return ASSIGNED, body["operationId"]
    if answer.status == 200 and body["status"] == "disabled":
        return DISABLED, None
    if (answer.status, body.get("errorCode")) in ((409, 409203), (401, 401002)):
        return str(body["errorCode"]), None
    raise AssertionError(f"never an answer here: {answer.status} {answer.text}")


class TwoAtOnce(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.mkdtemp(prefix="rollcall-test-")
        ours = Rollcall(os.path.join(cls.scratch, "ours"))
        cls.stages = [Stage(ours, number) for number in range(4)]
        cls.server = Server(cls.scratch).start()
        for stage in cls.stages:
            stage.contexts = {name: context_of(cls.server, credential)
                              for name, credential in stage.leaves.items()}
        cls.operator = Operator(cls.server)
        cls.reasons, cls.audited = [], []
        for stage in cls.stages:
            cls.does("POST", "/groups", {"id": stage.group})

    @classmethod
    def tearDownClass(cls):
        cls.operator.http.close()
        cls.server.stop()
        shutil.rmtree(cls.scratch)

    @classmethod
    def does(cls, method, path, body=None, allowed=(200, 201)):
        """A change of the operator, with a reason of its own."""
        reason = f"change-{len(cls.reasons)}"
        if method == "DELETE":
            path += f"{'&' if '?' in path else '?'}reason={reason}"
        else:
            body = {**(body or {}), "reason": reason}
        status, answer = cls.operator.ask(method, path, body)
        if status not in allowed:
            raise AssertionError(f"{method} {path}: {status} {answer}")
        cls.reasons.append(reason)
        return reason

    def set_up(self, stage):
        """As before the first device: A and B attest, nobody is known."""
        for entry in self.server_says("/distrust")["items"]:
            self.does("DELETE", f"/distrust/{entry['spkiSha256']}")
        self.does("DELETE", f"/devices/{stage.id}", allowed=(200, 404))
        self.does("PUT", f"/groups/{stage.group}/certificates",
                  {"primary": stage.pem["A"], "secondary": stage.pem["B"], "mode": "replaceNow",
                   "vouch": True})
        self.does("PATCH", f"/groups/{stage.group}", {"enabled": True})
        return State(0, 0, "A", "B", True, set(), "")

    def server_says(self, path):
        status, body = self.operator.ask("GET", path)
        self.assertEqual(status, 200, body)
        return body

    # --- who acts ---

    @staticmethod
    def contend(server, stage, leaf, start, pauses):
        asked = []
        with Conversation(server, context=stage.contexts[leaf]) as talk:
            start.wait(PATIENCE)
            for pause in pauses:
                time.sleep(pause)
                sent = time.monotonic()
                answer = talk.put(stage.id)
                asked.append(Asked(sent, time.monotonic(), leaf, *told(answer)))
        return asked

    def operate(self, stage, state, start, pauses):
        states = [state]
        start.wait(PATIENCE)
        for pause in pauses:
            time.sleep(pause)
            change, request = self.chance.choice(list(self.changes(stage, states[-1])))
            sent = time.monotonic()
            self.audited.append(self.does(*request))
            sure = time.monotonic()
            _, record = self.operator.ask("GET", f"/registrations/{stage.id}")
            known = {adoption["operationId"] for adoption in record.get("history", ())}
            states.append(states[-1]._replace(since=sent, sure=sure, known=known, **change))
        return states

    @staticmethod
    def changes(stage, state):
        """What an operator may do now: (what becomes of the state, request)."""
        group = f"/groups/{stage.group}"
        yield {"enabled": not state.enabled}, ("PATCH", group, {"enabled": not state.enabled})
        yield ({"primary": state.secondary, "secondary": state.primary},
               ("POST", group + "/swap", {}))
        for slot, held in (("primary", state.primary), ("secondary", state.secondary)):
            place = f"{group}/certificates/{slot}"
            if held is None:
                continue
            free = "C" not in (state.primary, state.secondary, *state.lost)
            for mode, lost in (("plain", ""), ("breach", held)):
                now = {slot: None, "lost": state.lost + lost}
                yield now, ("DELETE", f"{place}?mode={mode}")
            for mode, lost in (("replaceNow", ""), ("breach", held)) if free else ():
                now = {slot: "C", "lost": state.lost + lost}
                yield now, ("PUT", place, {"certificate": stage.pem["C"], "mode": mode,
                                           "vouch": True})

    # --- what must hold ---

    def judge_answers(self, asked, states, alone):
        """Each answer is one that some state, which may have held meanwhile, gives."""
        ends = [state.sure for state in states[1:]] + [float("inf")]
        for ask in asked:
            may_hold = [state for state, end in zip(states, ends)
                        if state.since <= ask.answered and end >= ask.sent]
            allowed = {outcome(state, ask.leaf) for state in may_hold}
            if len(may_hold) > 1 or not alone:
                allowed.add(RACED)
            self.assertIn(ask.told, allowed, f"{ask}\n{states}")

    def judge_commits(self, asked, states):
        """Nothing is committed under what was withdrawn before: not even what was judged earlier
        and asked earlier."""
        for state, after in zip(states, [*states[1:], None]):
            for ask in asked:
                late = ask.told == ASSIGNED and ask.operation not in state.known
                if not late or after and ask.operation not in after.known:
                    continue
                may_hold = [state, after] if after else [state]
                self.assertIn(ASSIGNED, {outcome(held, ask.leaf) for held in may_hold},
                              f"{ask}\n{states}")

    def judge_record(self, stage, asked):
        """One registration, made of the acknowledged answers and nothing else, in their order."""
        taken = [ask for ask in asked if ask.told == ASSIGNED]
        status, record = self.operator.ask("GET", f"/registrations/{stage.id}")
        if not taken:
            self.assertEqual(status, 404, record)
            return
        self.assertEqual(status, 200, record)
        history = [adoption["operationId"] for adoption in reversed(record["history"])]
        self.assertEqual(set(history), {ask.operation for ask in taken})
        self.assertEqual((len(history), record["last"]["operationId"]),
                         (record["registrations"], history[-1]))
        for earlier, later in itertools.permutations(taken, 2):
            if earlier.answered < later.sent:
                self.assertLessEqual(history.index(earlier.operation),
                                     history.index(later.operation), f"{earlier}\n{later}")
        for operation in history:
            self.assertEqual(len({ask.leaf for ask in taken if ask.operation == operation}), 1)
        _, device = self.operator.ask("GET", f"/devices/{stage.id}")
        self.assertEqual(device["leafSha256Thumbprint"], record["last"]["leafSha256Thumbprint"])

    def judge_polls(self, stage, asked, states):
        """What was taken and then withdrawn at once is told as failed."""
        last = {ask.leaf: ask for ask in asked if ask.told == ASSIGNED}
        for leaf, ask in last.items():
            with Conversation(self.server, context=stage.contexts[leaf]) as talk:
                said = talk.poll(stage.id, ask.operation).json["status"]
            if outcome(states[-1], leaf) == ASSIGNED:
                self.assertEqual(said, "assigned", ask)
            elif outcome(states[-1], leaf) == DISABLED:
                self.assertEqual(said, "failed", ask)

    def judge_chain(self):
        said = self.server_says("/audit/verification")
        self.assertTrue(said["intact"], said)

    def test_two_at_once(self):
        self.chance = random.Random(f"{OPTIONS.seed}")
        counts = collections.Counter()
        with ThreadPoolExecutor(CONTENDERS + 1) as pool:
            for number in range(OPTIONS.times):
                stage = self.stages[number % len(self.stages)]
                state = self.set_up(stage)
                alone = number % 3 == 0
                leaves = ["A1"] if alone else ["A1", "A2", "B1", "C1"]
                start = threading.Barrier(CONTENDERS + 1)
                contenders = [
                    pool.submit(self.contend, self.server, stage, leaf, start,
                                [self.chance.uniform(0, 0.01) for _ in range(ASKS)])
                    for leaf in itertools.islice(itertools.cycle(leaves), CONTENDERS)]
                operator = pool.submit(
                    self.operate, stage, state, start,
                    [self.chance.uniform(0, 0.02) for _ in range(self.chance.randrange(4))])
                asked = [ask for contender in contenders for ask in contender.result(PATIENCE)]
                states = operator.result(PATIENCE)
                counts.update(ask.told for ask in asked)
                self.judge_answers(asked, states, alone)
                self.judge_commits(asked, states)
                self.judge_record(stage, asked)
                self.judge_polls(stage, asked, states)
                if OPTIONS.times <= 500 or number % 50 == 0:
                    self.judge_chain()
        self.judge_chain()
        # Setting up may find nothing to change; what the operator did meanwhile is all there.
        kept = [e["reason"] for e in self.server.listing("/audit") if e["reason"]]
        self.assertEqual(kept, sorted(set(kept), key=self.reasons.index))
        self.assertEqual([reason for reason in kept if reason in set(self.audited)], self.audited)
        print(f"{OPTIONS.times} times, {sum(counts.values())} requests and "
              f"{len(self.reasons)} changes: " +
              ", ".join(f"{count} {word}" for word, count in counts.most_common()), flush=True)


if __name__ == "__main__":
    main(OPTIONS)
