#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What unmodified Azure SDKs send, replayed byte for byte, and what they make of the answers."""
import concurrent.futures
import http.client
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab import mqtt, sdk_rules, traces  # noqa: E402
from lab.device import connect, context_of  # noqa: E402
from lab.scenario import Scenario, main  # noqa: E402
from lab.server import TOP  # noqa: E402

TRACES = os.path.join(TOP, "tests", "data", "traces")
CLIENTS = {name.removesuffix(".trace"): traces.read(os.path.join(TRACES, name)) for name in (
    "c.trace", "csharp.trace", "embedded-c.trace", "java.trace", "python.trace")}


class Replay:
    """One conversation of a device with a server; `answers`: topic and body of each of DPS'."""

    def __init__(self, scenario, trace, device, credential, door, handshake=None):
        self.scenario, self.server, self.trace, self.door = scenario, scenario.server, trace, door
        self.known = {"id": device, "scope": self.server.scope, "host": self.server.name}
        self.context = context_of(self.server, credential, trace.tls)
        self.handshake = handshake
        self.answers = []
        self.operator = concurrent.futures.ThreadPoolExecutor(1)
        self.call = None

    def run(self):
        with self.operator:
            if self.door == "https":
                self.over_https()
            else:
                self.over_mqtt()
        return self

    def over_mqtt(self):
        how = {"context": self.context}
        if self.door == "mqtt-ws":
            request = self.handshake.request(self.known)
            key = request.decode().partition("Sec-WebSocket-Key: ")[2].partition("\r\n")[0]
            how["websocket"] = {"request": (request, key)}
        with mqtt.Mqtt(self.server, **how) as client:
            if self.door == "mqtt-ws":  # in the client's spelling
                self.scenario.assertIn(
                    b"-Protocol: " + client.socket.field("sec-websocket-protocol").encode(),
                    request.replace(b"-protocol", b"-Protocol"))
            for step in self.trace.steps:
                if step.kind == ">":
                    client.send(step.bytes(self.known))
                elif step.kind == "!":
                    self.operate(step)
                else:
                    self.expect(step, client.next())
            left = client.rest()  # the last step is a DISCONNECT
        self.scenario.assertEqual(left, [], "the client did not ask for that")

    def expect(self, step, came):
        self.scenario.assertIsNotNone(came, f"the door closed where this was due: {step}")
        taken = step.take(mqtt.packet(came.kind, came.body, came.flags), self.known)
        self.scenario.assertIsNotNone(taken, f"{step}: {step.lines}\nbut what came is {came}")
        text = taken.pop("json", None)
        if text is not None:
            self.answers.append((came.topic, text.encode()))
            taken["operation"] = json.loads(text).get("operationId", "")
        taken.pop("status", None)  # of this answer only
        self.known.update(taken)

    def over_https(self):
        with connect(self.server, self.context) as socket:
            answer = None
            for step in self.trace.steps:
                if step.kind == ">":
                    head, end, body = step.request(self.known).partition(b"\r\n\r\n")
                    socket.sendall(head + end)
                    if body:
                        socket.sendall(body)
                elif step.kind == "!":
                    self.operate(step)
                else:
                    answer = http.client.HTTPResponse(socket)
                    answer.begin()
                    self.expect_answer(step, answer, answer.read())

    def expect_answer(self, step, answer, body):
        """Status, headers, body."""
        status, *lines = step.lines
        self.scenario.assertEqual(str(answer.status), status, f"{step}: {body}")
        for line in lines:
            if line.startswith("|"):
                name, _, value = line[1:].strip().partition(": ")
                heard = traces.Step("<", name)
                heard.lines = [f"'{value}'"]
                taken = heard.take(answer.headers[name].encode(), self.known)
                self.scenario.assertIsNotNone(taken, f"{line}, but {answer.headers[name]}")
                self.known.update(taken)
            elif line == "'<json>'":  # told as over MQTT, so that the same rules read it
                self.answers.append((f"{sdk_rules.PREFIX}{status}/?$rid=1&retry-after="
                                     f"{answer.headers.get('Retry-After', '2')}", body))
                self.known["operation"] = json.loads(body)["operationId"]
            else:
                self.scenario.assertEqual(f"'{body.decode()}'", line)

    def operate(self, step):
        """desired JSON; call METHOD JSON and, once it was answered, called STATUS JSON; send BODY
        NAME=VALUE."""
        verb, rest = step.words.split(" ", 1)
        device, command = self.known["id"], self.server.command
        if verb == "desired":
            command("device", "twin", device, "--desired", rest)
        elif verb == "call":
            self.call = self.operator.submit(command, "device", "call", device, *rest.split(" ", 1))
        elif verb == "called":
            status, body = rest.split(" ", 1)
            said = self.call.result(mqtt.PATIENCE).out.strip().split(" ", 1)
            self.scenario.assertEqual((said[0], json.loads(said[1])), (status, json.loads(body)))
        else:
            body, bag = rest.split(" ")
            command("device", "send", device, body, "--property", bag)


class Rules(unittest.TestCase):
    """The rules of sdk_rules find fault with what is known to break the SDK."""

    def test_what_each_sdk_does_not_take(self):
        topic, operation = sdk_rules.PREFIX + "200/?$rid=1", "5.a.b"
        good = {"operationId": operation, "status": "assigned", "registrationState": {
            "registrationId": "d", "status": "assigned", "assignedHub": "h", "deviceId": "d"}}
        state = good["registrationState"]
        for sdk, bad_topic, body in (
                ("Node", topic.replace("/?", "?"), good),
                ("Node", topic, None),
                ("C#", sdk_rules.PREFIX + "200/?retry-after=3&$rid=1", good),
                ("C#", topic, [good]),
                ("C#", sdk_rules.PREFIX + "401/?$rid=1", good),
                ("Python", topic + "&retry-after=3&retry-after=3", good),
                ("Python", topic + "&flag", good),
                ("Python", topic, {**good, "status": "Assigned"}),
                ("C", topic, {**good, "status": "failed"}),
                ("C", topic, {"status": "assigning"}),
                ("Java", topic + "&retry-after=soon", good),
                ("Java", topic, {**good, "registrationState": {**state, "status": None}}),
                ("Java", topic, {**good, "registrationState": {
                    **state, "x509": {"certificateInfo": {"subjectName": "CN=d"}}}}),
                ("Embedded C", topic, {"status": "assigned", "errorCode": 401002}),
                ("Embedded C", topic, {**good, "registrationState": {"deviceId": "d"}}),
                ("Embedded C", topic, {**good, "registrationState": {**state, "payload": "text"}})):
            with self.subTest(sdk=sdk, topic=bad_topic, body=body):
                rule = sdk_rules.ALL[sdk]
                told = rule(topic, json.dumps(good).encode(), "1")
                self.assertEqual(told, ("assigned", None, "h", "d"))
                with self.assertRaises((AssertionError, ValueError, LookupError, TypeError)):
                    rule(bad_topic, b"" if body is None else json.dumps(body).encode(), "1")


class Traces(Scenario):
    """Registrations are answered at once."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.root = cls.ours.root("traces root")
        cls.server.command("group", "create", "traces")
        cls.server.command("group", "cert", "set", "traces", "primary", cls.root.certificate,
                           "--vouch")

    def leaf(self, name, root=None):
        return self.ours.leaf(root or self.root, name).credential

    def replay(self, client, name, device, credential, door):
        conversations = CLIENTS[client]
        handshake = conversations["websocket"].steps[0] if door == "mqtt-ws" else None
        return Replay(self, conversations[name], device, credential, door, handshake).run()

    def each(self, kind, check):
        """check(replay, device), where replay(proof) is one of the conversations of this kind
        at one of its doors and `device` a name for who holds it; so for all of them."""
        for client, conversations in CLIENTS.items():
            for name, trace in conversations.items():
                for door in trace.doors if kind(name) else ():
                    device = self.own(f"{client}-{name}-{door}")
                    with self.subTest(client=client, conversation=name, door=door):
                        check(lambda proof: self.replay(client, name, device, proof, door), device)

    def told(self, answer):
        """What the SDKs make of an answer: all the same, or it is not in their form. And how long
        each waits before it asks again."""
        topic, payload = answer
        rid = topic.partition("$rid=")[2].partition("&")[0]
        told = {sdk: rule(topic, payload, rid) for sdk, rule in sdk_rules.ALL.items()}
        same = {one._replace(seconds=None) for one in told.values()}
        self.assertEqual(len(same), 1, f"{told}\n{answer}")
        return same.pop(), {one.seconds for one in told.values()}

    def assert_told(self, answer, outcome, seconds=None):
        told, waits = self.told(answer)
        self.assertEqual(told.outcome, outcome, answer)
        self.assertEqual(waits, {seconds}, answer)

    def assert_assigned_by_all(self, answer, device):
        told, _ = self.told(answer)
        self.assertEqual((told.outcome, told.hub, told.device),
                         ("assigned", self.server.name, device), answer)

    # --- registrations ---

    def test_registrations(self):
        def check(replay, device):
            answers = replay(self.leaf(device)).answers
            self.assertEqual(len(answers), 1)
            self.assert_assigned_by_all(answers[0], device)
        self.each(lambda name: name in ("dps", "pnp-dps"), check)

    def test_registrations_over_https(self):
        def check(replay, device):
            first, last = replay(self.leaf(device)).answers
            self.assertEqual(self.told(first)[0].outcome, "again")
            self.assert_assigned_by_all(last, device)
        self.each(lambda name: name == "dps-https", check)

    def test_a_certificate_of_nobody_is_refused(self):
        """The same bytes as any registration; the SDKs read the refusal from the answer."""
        stranger = self.ours.root(self.own("root"))

        def check(replay, device):
            topic, payload = answer = replay(self.leaf(device, stranger)).answers[0]
            self.assertTrue(topic.startswith("$dps/registrations/res/401/?$rid="), topic)
            self.assertEqual(json.loads(payload)["errorCode"], 401002)
            self.assert_told(answer, "refused")
        self.each(lambda name: name == "dps", check)

    def test_a_disabled_device_is_told_so(self):
        def check(replay, device):
            own = self.ours.self_signed(device)
            self.command("enrollment", "create", device, "--primary", own.certificate)
            self.command("enrollment", "disable", device)
            topic, _ = answer = replay(own.credential).answers[0]
            self.assertTrue(topic.startswith("$dps/registrations/res/200/?$rid="), topic)
            self.assert_told(answer, "disabled")
        self.each(lambda name: name == "dps", check)

    # --- the hub ---

    def test_at_the_hub(self):
        def check(replay, device):
            credential = self.leaf(device)
            self.assert_assigned(device, credential)
            replay(credential)
        self.each(lambda name: "hub" in name, check)

    def test_telemetry_of_them_all(self):
        """Bodies and properties as the SDK's application gave them; C escapes nothing."""
        as_given = {"kind": "farm & field"}
        for client, name, door, count, properties in (
                ("python", "hub", "mqtt", 2, as_given), ("c", "hub-https", "https", 1, as_given),
                ("c", "hub", "mqtt-ws", 2, {"kind": "farm ", " field": None}),
                ("embedded-c", "hub-telemetry", "mqtt", 2, {})):
            with self.subTest(client=client, name=name):
                device = self.own(f"{client}-{name}")
                credential = self.leaf(device)
                self.assert_assigned(device, credential)
                self.replay(client, name, device, credential, door)
                lines = self.command("device", "watch", device, "--from-start", "--count", count,
                                     "--json").out.splitlines()
                kept = [json.loads(line) for line in lines]
                self.assertEqual([message["properties"] for message in kept], [properties] * count)
                if properties:
                    system = kept[0]["systemProperties"]
                    self.assertEqual((system["$.mid"], system["$.ct"], system["$.ce"]),
                                     ("m0", "application/json", "utf-8"))
                    self.assertEqual(kept[0]["body"], '{"temp":20}')

    def test_a_wildcard_brings_nobody_elses_messages(self):
        """azure-sdk-for-c asks for devices/+/...; another device's message is not for it."""
        other, device = self.own("other"), self.own("dev")
        credential = self.leaf(device)
        self.assert_assigned(other, self.leaf(other))
        self.assert_assigned(device, credential)
        self.command("device", "send", other, "not for you")
        self.replay("embedded-c", "hub-messages", device, credential, "mqtt")


class Polled(Traces):
    """The cloud's pace: 202 first, and the SDK asks again."""
    options = ("--assign", "poll")

    def test_registrations(self):
        def check(replay, device):
            first, last = replay(self.leaf(device)).answers
            self.assert_told(first, "again", 3)
            self.assert_assigned_by_all(last, device)
        self.each(lambda name: name == "dps-polled", check)

    test_a_certificate_of_nobody_is_refused = None
    test_at_the_hub = None
    test_telemetry_of_them_all = None
    test_a_wildcard_brings_nobody_elses_messages = None


if __name__ == "__main__":
    main()
