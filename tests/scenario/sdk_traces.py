#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What unmodified Azure SDKs send, replayed byte for byte, and what they make of the answers."""
import itertools
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab import sdk_rules, traces  # noqa: E402
from lab.replay import Replay  # noqa: E402
from lab.scenario import Scenario, main  # noqa: E402
from lab.server import TOP  # noqa: E402

TRACES = os.path.join(TOP, "tests", "data", "traces")
CLIENTS = {name.removesuffix(".trace"): traces.read(os.path.join(TRACES, name)) for name in (
    "c.trace", "csharp.trace", "embedded-c.trace", "java.trace", "python.trace")}


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
        cls.numbers = itertools.count(1)

    def named(self, *words, door):
        """A device's name; short where the SDK counted it in one byte, thrice in a list."""
        return f"{door}-{next(self.numbers)}" if "amqp" in door else self.own("-".join([*words, door]))

    def leaf(self, name, root=None):
        return self.ours.leaf(root or self.root, name).credential

    def replay(self, client, name, device, credential, door, key=None):
        conversations = CLIENTS[client]
        handshakes = {"mqtt-ws": "websocket", "amqp-ws": "websocket-amqp"}
        handshake = conversations[handshakes[door]].steps[0] if door in handshakes else None
        return Replay(self, conversations[name], device, credential, door, handshake, key).run()

    def each(self, kind, check):
        """check(replay, device), where replay(proof) is one of the conversations of this kind
        at one of its doors and `device` a name for who holds it; so for all of them."""
        for client, conversations in CLIENTS.items():
            for name, trace in conversations.items():
                for door in trace.doors if kind(name) else ():
                    device = self.named(client, name, door=door)
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
        self.each(lambda name: name in ("dps", "pnp-dps", "dps-amqp"), check)

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
        self.each(lambda name: name in ("dps", "dps-amqp"), check)

    def test_over_amqp_a_refusal_is_a_rejection(self):
        stranger = self.ours.root(self.own("root"))

        def check(replay, device):
            (condition, body), = replay(self.leaf(device, stranger)).rejections
            self.assertEqual((condition, body["errorCode"]), ("amqp:unauthorized-access", 401002))
        self.each(lambda name: name == "dps-amqp-refused", check)

    def test_with_a_symmetric_key_over_amqp(self):
        """To DPS its token comes by SASL PLAIN, to the hub by $cbs after SASL MSSBCBS."""
        group = self.own("group")
        self.command("group", "create", group, "--symmetric-key")
        for door in CLIENTS["c"]["dps-amqp-key"].doors:
            with self.subTest(door=door):
                device = self.named(door=door)
                key = self.command("group", "key", "derive", group, device).out.strip()
                answer, = self.replay("c", "dps-amqp-key", device, None, door, key).answers
                self.assert_assigned_by_all(answer, device)
                self.replay("c", "hub-amqp-key", device, None, door, key)

    # --- the hub ---

    def test_at_the_hub(self):
        def check(replay, device):
            credential = self.leaf(device)
            self.assert_assigned(device, credential)
            replay(credential)
        self.each(lambda name: "hub" in name and "key" not in name, check)

    def test_telemetry_of_them_all(self):
        """Bodies and properties as the SDK's application gave them; C escapes nothing."""
        as_given = {"kind": "farm & field"}
        for client, name, door, count, properties in (
                ("python", "hub", "mqtt", 2, as_given), ("c", "hub-https", "https", 1, as_given),
                ("c", "hub", "mqtt-ws", 2, {"kind": "farm ", " field": None}),
                ("c", "hub-amqp", "amqp", 4, as_given),
                ("embedded-c", "hub-telemetry", "mqtt", 2, {})):
            with self.subTest(client=client, name=name):
                device = self.named(client, name, door=door)
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
        self.each(lambda name: name in ("dps-polled", "dps-amqp-polled"), check)

    test_a_certificate_of_nobody_is_refused = None
    test_over_amqp_a_refusal_is_a_rejection = None
    test_with_a_symmetric_key_over_amqp = None
    test_at_the_hub = None
    test_telemetry_of_them_all = None
    test_a_wildcard_brings_nobody_elses_messages = None


if __name__ == "__main__":
    main()
