# SPDX-License-Identifier: Apache-2.0
"""Devices at their hub and an operator, all at full rate, and books of what each was acknowledged:
telemetry, reported and desired properties, messages to devices."""
import collections
import http.client
import itertools
import json
import os
import ssl
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.device import Conversation, register  # noqa: E402
from lab.makers import Rollcall  # noqa: E402
from lab.mqtt import (Answer, PUBACK, at_hub, devicebound, events, publish_packet)  # noqa: E402
from lab.operator import Operator  # noqa: E402
from load import Surprise  # noqa: E402

GONE = (OSError, http.client.HTTPException, ssl.SSLError)  # the server died in the midst of it
SENDERS = ("mqtt", "mqtt-ws", "mqtt", "mqtt-ws", "https")
REPORTERS = ("mqtt", "mqtt-ws")
RECEIVERS = ("mqtt", "mqtt-ws", "https")
WEBSOCKET = {"mqtt": {}, "mqtt-ws": {"websocket": {}}}
BURST = 16  # messages on their way before the first is acknowledged
BATCH = 5
PATIENT = 60
VERSION = "api-version=2020-03-13"


class HubFleet:
    """Made once: devices by what they do and how they come."""

    def __init__(self, directory):
        ours = Rollcall(directory)
        self.root = ours.root("Hub Root")
        ways = {"sender": SENDERS, "reporter": REPORTERS, "receiver": RECEIVERS}
        self.over = {f"dev-{number}": (role, transport) for number, (role, transport) in enumerate(
            ((role, transport) for role, each in ways.items() for transport in each), 1)}
        made = ours.fleet(self.root, "dev-{}", 1, len(self.over), "hub")
        self.credentials = {device: made[device].alone for device in self.over}

    def of(self, role):
        return [device for device, (does, _) in self.over.items() if does == role]


class Number:
    """One that grows: what was asked last, what was acknowledged last and, with it, a version."""

    def __init__(self):
        self.asked = self.acknowledged = self.version = 0

    def fault(self, said, version):
        """What is wrong with it where the server says this; afterwards that is acknowledged."""
        fault = None
        if not self.acknowledged <= said <= self.asked:
            fault = f"{said}, not {self.acknowledged} to {self.asked}"
        elif version < self.version or (said == self.acknowledged and version != self.version
                                        and self.version):
            fault = f"version {version} of {said}, not {self.version}"
        self.acknowledged, self.version = said, version
        return fault


class Messages:
    """To one device, by their ids: each is in one of these sets."""

    def __init__(self):
        self.mutex = threading.Lock()
        self.asked = set()     # may be there
        self.waiting = set()   # must be there
        self.settling = set()  # the device said it is done, and was not answered
        self.done = set()      # must be gone
        self.completed = 0

    def accepted(self, name):
        with self.mutex:
            if name in self.asked:  # else the device was faster than the operator's answer
                self.asked.discard(name)
                self.waiting.add(name)

    def settles(self, name):
        with self.mutex:
            self.asked.discard(name)
            self.waiting.discard(name)
            self.settling.add(name)

    def settled(self, name):
        self.settling.discard(name)
        self.done.add(name)
        self.completed += 1

    def faults(self, there):
        """`there`: ids that wait, as the server says; afterwards that is what waits."""
        faults = [f"{name} lost" for name in self.waiting.difference(there)]
        faults += [f"{name} came back" for name in self.done.intersection(there)]
        faults += [f"{name} twice" for name, count in collections.Counter(there).items()
                   if count > 1]
        known = self.asked | self.waiting | self.settling | self.done
        faults += [f"{name} of nobody" for name in set(there) - known]
        self.asked, self.waiting, self.settling, self.done = set(), set(there), set(), set()
        return faults


class HubBooks:
    def __init__(self, fleet):
        self.sent = {device: 0 for device in fleet.of("sender")}
        self.acknowledged = {device: set() for device in self.sent}  # since they were looked at
        self.there = {device: set() for device in self.sent}
        self.count = 0  # of messages acknowledged, in all
        self.kept = {}  # sequence -> (device, number), as it was seen first
        self.seen = 0   # the last sequence looked at
        self.reported = {device: Number() for device in fleet.of("reporter")}
        self.desired = {device: Number() for device in self.reported}
        self.messages = {device: Messages() for device in fleet.of("receiver")}

    def settle(self, operator):
        """What is otherwise than acknowledged."""
        faults = self._read_on(operator)
        for device, numbers in self.acknowledged.items():
            lost = sorted(numbers - self.there[device])
            faults += [f"telemetry {device} {number}" for number in lost]
            numbers.clear()  # from now on changed() looks after them
        for device in self.reported:
            parts = operator.ask("GET", f"/devices/{device}/twin").json["properties"]
            for part, books in (("reported", self.reported), ("desired", self.desired)):
                fault = books[device].fault(parts[part].get("n", 0), parts[part]["$version"])
                faults += [f"{part} {device}: {fault}"] if fault else []
        for device, messages in self.messages.items():
            items = operator.ask("GET", f"/devices/{device}/messages").json["items"]
            faults += [f"message {device}: {fault}" for fault in
                       messages.faults([item["messageId"] for item in items])]
        return faults

    def _read_on(self, operator):
        faults = []
        for sequence, (device, number) in pages(operator, self.seen):
            if number in self.there[device] or number >= self.sent[device]:
                faults.append(f"telemetry {device} {number}: twice, or never sent")
            self.there[device].add(number)
            self.kept[sequence] = (device, number)
            self.seen = sequence
        return faults

    def changed(self, operator):
        """Records that are otherwise than when they were seen first."""
        now = dict(pages(operator, 0))
        return [f"record {sequence}: {now.get(sequence)}, not {record}"
                for sequence, record in self.kept.items() if now.get(sequence) != record]


def pages(operator, after):
    """(sequence, (device, number)) of all telemetry after that sequence."""
    while True:
        page = operator.ask("GET", f"/telemetry?after={after}&limit=1000").json
        for item in page["items"]:
            yield item["sequence"], (item["deviceId"], int(item["body"]))
        if page["next"] <= after:
            return
        after = page["next"]


def prepare_hub(server, fleet):
    """The group, and every device registered: {device: its operation}."""
    operator = Operator(server)
    operator.ask("POST", "/groups", {"id": "hub"})
    with open(fleet.root.certificate, encoding="utf-8") as file:
        put = operator.ask("PUT", "/groups/hub/certificates/primary",
                           {"certificate": file.read(), "vouch": True})
    operator.close()
    if put.status != 200:
        raise Surprise(f"slot: {put.status} {put.text}")
    outcomes = {device: register(server, device, credential, patience=0.05)
                for device, credential in fleet.credentials.items()}
    bad = [f"{device}: {outcome}" for device, outcome in outcomes.items() if not outcome.assigned]
    if bad:
        raise Surprise(bad[0])
    return {device: outcome.operation for device, outcome in outcomes.items()}


class HubLoad:
    """Until the server dies; `dying` is set before it does."""

    def __init__(self, server, fleet, books, name):
        self.server, self.fleet, self.books, self.name = server, fleet, books, name
        self.dying, self.surprises, self.threads = threading.Event(), [], []

    def start(self):
        works = {"sender": self._send, "reporter": self._report, "receiver": self._receive}
        for device, (role, transport) in self.fleet.over.items():
            work = self._by_https(role) if transport == "https" else works[role]
            self._thread(work, device, WEBSOCKET.get(transport))
        self._thread(self._order)
        return self

    def _by_https(self, role):
        return self._send_by_https if role == "sender" else self._receive_by_https

    def end(self):
        for thread in self.threads:
            thread.join(PATIENT)
            if thread.is_alive():
                raise Surprise("a device does not notice that the server is gone")
        if self.surprises:
            raise self.surprises[0]

    def _thread(self, work, *arguments):
        def run():
            try:
                work(*arguments)
            except GONE as gone:
                if not self.dying.is_set():
                    self.surprises.append(gone)
            except Exception as surprise:  # shown by end()
                self.surprises.append(surprise)
        self.threads.append(threading.Thread(target=run, daemon=True))
        self.threads[-1].start()

    def _at_hub(self, device, way):
        return at_hub(self.server, device, self.fleet.credentials[device], **way)

    # --- telemetry ---

    def _next(self, device, count):
        first = self.books.sent[device]
        self.books.sent[device] += count
        return range(first, first + count)

    def _acknowledged(self, device, numbers):
        self.books.acknowledged[device].update(numbers)
        self.books.count += len(numbers)

    def _send(self, device, way):
        with self._at_hub(device, way) as line:
            while True:
                numbers = self._next(device, BURST)
                line.send(b"".join(publish_packet(events(device), str(number), 1, at)
                                   for at, number in enumerate(numbers, 1)))
                for at, number in enumerate(numbers, 1):
                    line.wait_for(PUBACK, at)
                    self._acknowledged(device, [number])

    def _send_by_https(self, device, _):
        path = f"/devices/{device}/messages/events?{VERSION}"
        with Conversation(self.server, self.fleet.credentials[device]) as talk:
            for alone in itertools.cycle((True, False)):
                numbers = self._next(device, 1 if alone else BATCH)
                body, how = str(numbers[0]), {}
                if not alone:
                    body = json.dumps([{"body": str(n), "base64Encoded": False} for n in numbers])
                    how = {"Content-Type": "application/vnd.microsoft.iothub.json"}
                self._must(talk.ask("POST", path, body, **how), 204)
                self._acknowledged(device, numbers)

    @staticmethod
    def _must(answer, *allowed):
        if answer.status not in allowed:
            raise Surprise(f"{answer.status} {answer.text}")
        return answer

    # --- twins ---

    def _report(self, device, way):
        number = self.books.reported[device]
        with self._at_hub(device, way) as line:
            line.subscribe("$iothub/twin/res/#")
            while True:
                number.asked += 1
                asked = number.asked
                line.publish(f"$iothub/twin/PATCH/properties/reported/?$rid={asked}",
                             json.dumps({"n": asked}))
                answer = line.message()
                if answer is None:
                    raise ConnectionError("the door closed")
                answer = Answer(answer)
                if (answer.status, answer.rid) != (204, str(asked)):
                    raise Surprise(f"{device}: {answer.topic} {answer.payload}")
                number.acknowledged = asked
                number.version = int(answer.fields["$version"])

    # --- messages to devices ---

    def _receive(self, device, way):
        """Done for good once a ping has come back: the server takes packets in order."""
        messages = self.books.messages[device]
        with self._at_hub(device, way) as line:
            line.subscribe(devicebound(device))
            while True:
                message = line.message(acknowledge=False)
                if message is None:
                    raise ConnectionError("the door closed")
                name = message.payload.decode()
                messages.settles(name)
                line.send(b"\x40\x02" + message.number.to_bytes(2, "big"))
                line.ping()
                messages.settled(name)

    def _receive_by_https(self, device, _):
        messages, path = self.books.messages[device], f"/devices/{device}/messages/devicebound"
        with Conversation(self.server, self.fleet.credentials[device]) as talk:
            while True:
                answer = self._must(talk.ask("GET", f"{path}?{VERSION}"), 200, 204)
                if answer.status == 204:
                    continue
                name, lock = answer.text, answer.headers["etag"].strip('"')
                messages.settles(name)
                self._must(talk.ask("DELETE", f"{path}/{lock}?{VERSION}"), 204)
                messages.settled(name)

    # --- the operator ---

    def _order(self):
        operator = Operator(self.server)
        try:
            for turn in itertools.count():
                for device, messages in self.books.messages.items():
                    name = f"{self.name}-{turn}"
                    messages.asked.add(name)
                    answer = operator.ask("POST", f"/devices/{device}/messages",
                                          {"messageId": name, "body": name})
                    self._must(answer, 201, 409)  # fifty wait
                    if answer.status == 409:
                        messages.asked.discard(name)
                    else:
                        messages.accepted(name)
                for device, number in self.books.desired.items():
                    number.asked += 1
                    answer = self._must(operator.ask("PATCH", f"/devices/{device}/twin",
                                                     {"properties": {"desired": {
                                                         "n": number.asked}}}), 200)
                    number.acknowledged = number.asked
                    number.version = answer.json["properties"]["desired"]["$version"]
        finally:
            operator.close()
