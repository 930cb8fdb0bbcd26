#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The mission in one scenario: 200 devices on mixed transports are connected and send without a
pause, while their root is rolled because it expires, while an intermediate of theirs is lost, and
while the server is killed. Nobody is refused who should not be, no connection closes that need not,
and nothing that was acknowledged is lost."""
import argparse
import collections
import http.client
import itertools
import json
import os
import queue
import ssl
import sys
import threading
import time
from concurrent.futures import Future

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.device import Conversation, register  # noqa: E402
from lab.mqtt import at_hub, events, provision  # noqa: E402
from lab.operator import Operator  # noqa: E402
from lab.scenario import Scenario, eventually, main  # noqa: E402
from lab.screen import Screen  # noqa: E402

OPTIONS = argparse.Namespace(devices=200, seed=1)
PROVISIONING = ("https", "mqtt", "mqtt-ws")
HUB = ("mqtt", "mqtt-ws", "mqtt", "mqtt-ws", "https")
WEBSOCKET = {"mqtt": {}, "mqtt-ws": {"websocket": {}}}
PAUSE = 0.25  # between a device's messages
AT_ONCE = 8  # devices that register or connect
LAGGARDS = 6  # devices that a roll finds asleep, of each branch
MORE = 3  # messages, to see that a device sends on
PATIENCE = 120
GONE = (OSError, http.client.HTTPException, ssl.SSLError)


class Refused(Exception):
    """By a server that was there: CONNACK with a code, 401, an error of DPS."""


class MqttLine:
    def __init__(self, server, name, credential, transport):
        try:
            self.mqtt = at_hub(server, name, credential, **WEBSOCKET[transport])
        except ConnectionRefusedError as error:
            if error.errno:  # nobody listens
                raise
            raise Refused(str(error)) from None
        self.topic = events(name)
        self.close = self.mqtt.disconnect

    def send(self, body):
        self.mqtt.publish(self.topic, body)


class HttpsLine:
    """No session: the hub looks at every message afresh."""

    def __init__(self, server, name, credential, _):
        self.talk = Conversation(server, credential)
        self.path = f"/devices/{name}/messages/events?api-version=2020-03-13"
        self.close = self.talk.http.close

    def send(self, body):
        status = self.talk.ask("POST", self.path, body).status
        if status != 204:
            raise Refused(f"HTTP {status}")


class Device(threading.Thread):
    """Sends as long as it has a line; between two messages it does what the story asks for."""

    def __init__(self, server, number, name, credential):
        super().__init__(daemon=True)
        self.server, self.name_at_hub = server, name
        self.credential = credential
        self.by = PROVISIONING[number % len(PROVISIONING)]
        self.over = HUB[number % len(HUB)]
        self.orders = queue.SimpleQueue()
        self.line, self.since = None, None
        self.persistent = False  # connects again by itself
        self.sent, self.acknowledged = 0, []
        self.closed = []  # what ended a line that nobody wanted to end
        self.faults = []
        self.in_vain = 0  # attempts while nobody was there

    # --- the device's own thread ---

    def run(self):
        while True:
            try:
                order, future = self.orders.get(timeout=PAUSE if self.line else None)
            except queue.Empty:
                self._send()
                continue
            if order is None:
                return self._leave()
            try:
                future.set_result(order())
            except Exception as error:  # whoever asked gets to see it
                future.set_exception(error)

    def _send(self):
        number = self.sent
        self.sent += 1
        try:
            self.line.send(json.dumps({"device": self.name_at_hub, "n": number}))
            self.acknowledged.append(number)
        except (*GONE, Refused) as error:
            self._leave()
            self.closed.append(f"{self.name_at_hub} over {self.over}: {error!r}")
            if self.persistent:
                self._come_back()
        except Exception as error:  # the story looks at these in the end
            self._leave()
            self.faults.append(f"{self.name_at_hub} over {self.over}: {error!r}")

    def _leave(self):
        line, self.line = self.line, None
        if line:
            line.close()

    def _come_back(self):
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                return self._connect()
            except GONE:
                self.in_vain += 1
                time.sleep(PAUSE)
            except Refused as error:
                return self.faults.append(f"{self.name_at_hub} came back and was refused: {error}")
        return self.faults.append(f"{self.name_at_hub} did not come back")

    def _register(self, credential):
        if self.by == "https":
            outcome = register(self.server, self.name_at_hub, credential, patience=0.05)
        else:
            outcome = provision(self.server, self.name_at_hub, credential, patience=0.05,
                                **WEBSOCKET[self.by])
        if not outcome.assigned:
            raise Refused(f"{outcome.http_status} {outcome.code}")
        return outcome

    def _connect(self, credential=None):
        make = HttpsLine if self.over == "https" else MqttLine
        self.line = make(self.server, self.name_at_hub, credential or self.credential, self.over)

    def _move(self, credential):
        """A new leaf: the device registers with it, while it still sends with the old one."""
        self._register(credential)
        self.credential = credential
        self._leave()
        self._connect()

    def _try_in_vain(self):
        """(how it was refused as it registered, how as it spoke to its hub)."""
        said = []
        for attempt in (lambda: self._register(self.credential), self._second_line):
            try:
                attempt()
                said.append("let in")
            except Refused as error:
                said.append(str(error))
        return tuple(said)

    def _second_line(self):
        """Another connection, beside the one it may have."""
        make = HttpsLine if self.over == "https" else MqttLine
        line = make(self.server, self.name_at_hub, self.credential, self.over)
        if self.over == "https":
            line.send("second")
        line.close()

    # --- the story's thread ---

    def ask(self, order, *arguments):
        future = Future()
        self.orders.put(((lambda: order(*arguments)), future))
        return future

    def end(self):
        self.orders.put((None, None))


class Fleet(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Devices come back to the addresses they know.
        for door, address in cls.server.doors.items():
            cls.server.options += [f"--{door}", ":".join(map(str, address))]
        cls.rows, cls.wrongly = [], []

    def told(self, what, count, well, expected=None):
        """A row of the table."""
        self.rows.append((what, count, well))
        self.assertEqual(well, count if expected is None else expected, what)

    def all_do(self, devices, order, argument=None):
        """Each of them, a few at once; what came of it, an exception where it raised one.
        `argument`: a function of the device."""
        results, running = {}, collections.deque()
        for device in devices:
            running.append((device, order(device, *([argument(device)] if argument else []))))
            if len(running) >= AT_ONCE:
                self._collect(results, *running.popleft())
        for device, future in running:
            self._collect(results, device, future)
        return results

    @staticmethod
    def _collect(results, device, future):
        error = future.exception(PATIENCE)
        results[device] = error if error else future.result()

    def must(self, what, devices, order, argument=None):
        """Every one of them succeeds."""
        failed = [f"{what}: {device.name_at_hub}: {result!r}"
                  for device, result in self.all_do(devices, order, argument).items()
                  if isinstance(result, Exception)]
        self.wrongly += failed
        self.told(what, len(devices), len(devices) - len(failed))

    def connections(self, devices):
        """What the operator sees: since when each is connected; None: not."""
        return {device: self.operator.ask("GET", f"/devices/{device.name_at_hub}/connection")
                .json.get("since") for device in devices}

    def note_connections(self, devices):
        for device, since in self.connections(devices).items():
            device.since = (since, device.line)

    def intact(self, what, devices):
        """They have the connection they had when it was noted, and send on over it."""
        told = {device: len(device.acknowledged) for device in devices}
        eventually(lambda: all(device.closed or len(device.acknowledged) >= told[device] + MORE
                               for device in devices), f"{what}: all send on", PATIENCE)
        seen = self.connections(devices)
        closed = [device.name_at_hub for device in devices
                  if device.closed or (seen[device], device.line) != device.since or
                  (seen[device] is None) != (device.over == "https")]
        self.rows.append((f"{what}: send on as before", len(devices), len(devices) - len(closed)))
        self.assertEqual(closed, [])

    # --- the story ---

    def test_roll_breach_and_crash(self):
        self.operator = Operator(self.server)
        try:
            self.setting_out()
            self.expiry_roll()
            self.breach_of_an_intermediate()
            self.killed_in_between()
            self.nothing_is_lost()
        finally:
            for device in self.fleet:
                device.end()
            self.operator.close()
            Screen(self.scratch).table(("what", "devices", "well"), self.rows)
            print("   refused that should not have been: "
                  f"{len(self.wrongly) + sum(len(device.faults) for device in self.fleet)}; "
                  f"tried while the server was down: {sum(d.in_vain for d in self.fleet)}",
                  flush=True)

    def branches(self, root, *names):
        """{branch: (intermediate, {device's name: its leaf})}."""
        made = {}
        for name in names:
            branch = name.split()[0].lower()
            ca = self.ours.intermediate(root, name)
            made[branch] = (ca, self.ours.fleet(ca, f"{branch}-{{}}", 1, OPTIONS.devices // 2,
                                                name.replace(" ", "-")))
        return made

    def setting_out(self):
        self.fleet = []
        self.old = self.ours.root("Fleet Root 1")
        leaves = self.branches(self.old, "North 1", "South 1")
        self.command("group", "create", "fleet")
        self.command("group", "cert", "set", "fleet", "primary", self.old.certificate)
        self.prove("fleet", "primary", self.old)
        names = [name for pair in zip(*(made for _, made in leaves.values())) for name in pair]
        for number, name in enumerate(names):
            leaf = leaves[name.split("-")[0]][1][name]
            self.fleet.append(Device(self.server, number // 2, name, leaf.credential))
        self.of = {branch: [d for d in self.fleet if d.name_at_hub.startswith(branch)]
                   for branch in leaves}
        for device in self.fleet:
            device.start()
        registering = lambda device: device.ask(device._register, device.credential)  # noqa: E731
        for by in PROVISIONING:
            self.must(f"provisioned over {by}", [d for d in self.fleet if d.by == by], registering)
        for over in dict.fromkeys(HUB):
            self.must(f"at the hub over {over}", [d for d in self.fleet if d.over == over],
                      lambda device: device.ask(device._connect))
        self.note_connections(self.fleet)

    def expiry_roll(self):
        new = self.ours.root("Fleet Root 2")
        self.branch = self.branches(new, "North 2", "South 2")
        self.command("group", "cert", "set", "fleet", "secondary", new.certificate)
        self.prove("fleet", "secondary", new)
        self.intact("second root put in and proved", self.fleet)
        late = [device for branch in self.of.values() for device in branch[-LAGGARDS:]]
        early = [device for device in self.fleet if device not in late]
        self.must("moved to the second root", early, self.moving, self.leaf_of)
        self.note_connections(early)
        self.command("group", "cert", "remove", "fleet", "primary", "--yes")
        # Without a session every message is a connect.
        asking = [device for device in late if device.over == "https"]
        lasting = [device for device in late if device not in asking]
        self.intact("first root plainly removed", early + lasting)
        eventually(lambda: all(device.line is None for device in asking),
                   "late ones over HTTPS notice", PATIENCE)
        self.refused_in_vain("late, with the old leaf", late)
        self.intact("late, refused another connection", lasting)
        for device in asking:
            self.assertEqual(len(device.closed), 1)
            device.closed.clear()
        self.must("late ones moved", late, self.moving, self.leaf_of)
        self.note_connections(late)
        self.command("group", "cert", "swap", "fleet")
        self.intact("slots swapped", self.fleet)

    @staticmethod
    def moving(device, credential):
        return device.ask(device._move, credential)

    def leaf_of(self, device):
        return self.branch[device.name_at_hub.split("-")[0]][1][device.name_at_hub].credential

    def refused_in_vain(self, what, devices):
        """As they register and at the hub, in the words that SDKs know."""
        said = self.all_do(devices, lambda device: device.ask(device._try_in_vain))
        right = [device for device in devices if said[device] == (
            "401 401002", "HTTP 401" if device.over == "https" else "CONNACK 5")]
        self.told(f"{what}: refused 401 and by the hub", len(devices), len(right))

    def breach_of_an_intermediate(self):
        lost, kept = self.of["north"], self.of["south"]
        lasting = [device for device in lost if device.over != "https"]
        self.command("distrust", "add", self.branch["north"][0].certificate, "--reason", "lost",
                     "--yes")
        still = [device for device, since in self.connections(lasting).items() if since]
        self.told("intermediate lost: its sessions closed", len(lasting),
                  len(lasting) - len(still))
        eventually(lambda: all(device.line is None for device in lost), "all of them notice",
                   PATIENCE)
        self.assertEqual([len(device.closed) for device in lost], [1] * len(lost))
        self.intact("intermediate lost: the other branch", kept)
        self.refused_in_vain("lost branch", lost)
        for device in lost:
            device.closed.clear()
        self.branch = self.branches(self.branch["north"][0].issuer, "North 3")
        self.must("lost branch back under a new intermediate", lost, self.moving, self.leaf_of)
        self.note_connections(lost)
        self.intact("after the breach", self.fleet)

    def killed_in_between(self):
        for device in self.fleet:
            device.persistent = True
        told = {device: len(device.acknowledged) for device in self.fleet}
        eventually(lambda: sum(len(d.acknowledged) - told[d] for d in self.fleet) > len(self.fleet),
                   "in the midst of sending", PATIENCE)
        self.server.kill()
        self.operator.close()
        told = {device: len(device.acknowledged) for device in self.fleet}
        self.server.start()
        eventually(lambda: all(device.faults or len(device.acknowledged) >= told[device] + MORE
                               for device in self.fleet), "all send again after the crash",
                   PATIENCE)
        self.told("server killed: came back by themselves", len(self.fleet),
                  sum(not device.faults and len(device.closed) == 1 for device in self.fleet))
        for device in self.fleet:
            device.closed.clear()
        self.note_connections(self.fleet)
        self.intact("after the crash", self.fleet)

    def nothing_is_lost(self):
        for device in self.fleet:
            device.end()
        for device in self.fleet:
            device.join(PATIENCE)
        kept = self.kept()
        sent = sum(device.sent for device in self.fleet)
        acknowledged = sum(len(device.acknowledged) for device in self.fleet)
        lost = [(device.name_at_hub, number) for device in self.fleet
                for number in set(device.acknowledged) - set(kept[device.name_at_hub])]
        strange = [name for name, numbers in kept.items() if numbers != sorted(set(numbers))]
        print(f"   telemetry: {sent} sent, {acknowledged} acknowledged, "
              f"{sum(map(len, kept.values()))} kept; acknowledged and lost: {len(lost)}", flush=True)
        self.assertEqual(lost, [])
        self.assertEqual(strange, [])  # neither twice nor out of order
        self.assertEqual(set(kept), {device.name_at_hub for device in self.fleet})
        self.assertEqual([fault for device in self.fleet for fault in device.faults], [])
        self.assertEqual(self.wrongly, [])
        for device in self.fleet[:len(HUB) * 2:2]:
            shown = self.command("device", "watch", device.name_at_hub, "--from-start", "--count",
                                 len(kept[device.name_at_hub]), "--json").out.splitlines()
            self.assertEqual([json.loads(json.loads(line)["body"])["n"] for line in shown],
                             kept[device.name_at_hub])

    def kept(self):
        """{device: the numbers of its messages, in order}."""
        numbers, after = collections.defaultdict(list), 0
        for _ in itertools.count():
            page = self.operator.ask("GET", f"/telemetry?after={after}&limit=1000").json
            for item in page["items"]:
                body = json.loads(item["body"])
                self.assertEqual(body["device"], item["deviceId"])
                numbers[item["deviceId"]].append(body["n"])
            if page["next"] == after:
                return numbers
            after = page["next"]


if __name__ == "__main__":
    main(OPTIONS)
