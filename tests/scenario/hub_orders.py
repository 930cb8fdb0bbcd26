#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Twins, direct methods and messages that may not be, from the device's side and the operator's:
refused with their reasons, nothing changed; and what may be, up to the bounds."""
import concurrent.futures
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab import mqtt  # noqa: E402
from lab.mqtt import Answer, devicebound  # noqa: E402
from lab.operator import Operator  # noqa: E402
from lab.scenario import main  # noqa: E402
from lab.wire import Wire  # noqa: E402

KB = 1024
TWIN_ANSWERS = "$iothub/twin/res/#"
METHODS = "$iothub/methods/POST/#"
REPORT = "$iothub/twin/PATCH/properties/reported/?$rid=r"


def nested(depth):
    return '{"a":' * depth + "1" + "}" * depth


class HubOrders(Wire):
    # --- twins ---

    def test_twins_that_may_not_be(self):
        big = json.dumps({"a": "x" * (32 * KB)})
        with self.hub() as device:
            device.subscribe(TWIN_ANSWERS, qos=0)
            device.publish(REPORT, '{"before":1}')
            self.assertEqual(Answer(device.message()).status, 204)
            for patch, status, words in (
                    *((text, 400, "not JSON") for text in (
                        "", " ", "x", "{", '{"a":}', "{'a':1}", "{}{}", '{"a":1,}', "\0",
                        b'{"a":"\xff"}', '{"a":NaN}', '{"a":01}')),
                    *((text, 400, "not a JSON object") for text in (
                        "[]", "1", "null", "true", '"text"', "[{}]")),
                    *((text, 400, "deep") for text in (
                        nested(11), nested(31), nested(40), nested(4000),
                        '{"a":' + "[" * 11 + "]" * 11 + "}")),
                    *((json.dumps({name: 1}), 400, "name is") for name in (
                        "", "a.b", "$a", "a$", "$metadata.x", "a b", "a\0", "a\x1f", "a\x7f",
                        "x" * 1025)),
                    ('{"a":{"b":[{"c.d":null}]}}', 400, "name is"),
                    (big, 413, "32768 bytes"), ("x" * 65537, 413, "32768 bytes"),
                    ("[" * 200 * KB, 413, "32768 bytes")):
                with self.row(f"{patch[:40]!r} of {len(patch)}"):
                    before = self.of("good", "twin")
                    device.publish(REPORT, patch)
                    answer = Answer(device.message())
                    self.assertEqual((answer.status, answer.rid), (status, "r"))
                    self.assertEqual(answer.json["errorCode"] // 1000, status)
                    self.assertRegex(answer.json["message"], words)
                    self.assertEqual(self.of("good", "twin"), before)
                    if len(patch) < 64 * KB and isinstance(patch, str):  # the operator's way
                        answer = self.operator.ask(
                            "PATCH", "/devices/good/twin",
                            '{"properties":{"desired":' + (patch or '""') + "}}")
                        self.assertIn(answer.status, (400, status), answer.text)
                        self.assertIn("code", answer.json)
                        self.assertEqual(self.of("good", "twin"), before)
        self.bystander.ping()

    def test_twins_up_to_their_bounds(self):
        name, credential = self.provisioned()
        fits = json.dumps({"a": "x" * (32 * KB - 8)}, separators=(",", ":"))
        self.assertEqual(len(fits), 32 * KB)
        with self.hub(name, credential) as device:
            device.subscribe(TWIN_ANSWERS)
            for version, patch in enumerate((nested(10), json.dumps({"x" * 1024: 1}), '{"a":null}',
                                             '{"' + "x" * 1024 + '":null}', fits,
                                             '{"$version":77,"b":null}'), 2):
                device.publish(REPORT.replace("=r", "=a%b/?c "), patch)
                answer = device.message()
                self.assertEqual(answer.topic,
                                 f"$iothub/twin/res/204/?$rid=a%b/?c &$version={version}")
                self.assertEqual(answer.payload, b"")
            device.publish("$iothub/twin/GET/?$rid=g", " ", qos=0)
            twin = Answer(device.message())
            self.assertEqual((twin.status, twin.rid), (200, "g"))
            self.assertEqual(twin.json["reported"], {**json.loads(fits), "$version": 7})
            self.assertEqual(twin.json["desired"], {"$version": 1})
            device.unsubscribe(TWIN_ANSWERS)
            device.publish("$iothub/twin/GET/?$rid=g")
            device.ping()
            self.assertFalse(device.inbox)  # nothing to who does not listen

    def test_many_questions_at_once(self):
        name, credential = self.provisioned()
        large = json.dumps({"a": "x" * (30 * KB)}, separators=(",", ":"))
        with self.hub(name, credential) as device:
            device.subscribe(TWIN_ANSWERS, qos=0)
            device.publish(REPORT, large)
            self.assertEqual(Answer(device.message()).status, 204)
            # More than may wait for a client that does not read; this one reads.
            device.send(b"".join(mqtt.publish_packet(f"$iothub/twin/GET/?$rid={number}")
                                 for number in range(300)))
            for number in range(300):
                answer = Answer(device.message())
                self.assertEqual((answer.status, answer.rid), (200, str(number)))
            device.ping()

    # --- methods ---

    def call(self, device, method, payload=None, timeout=None):
        body = {} if payload is None else {"payload": payload}
        if timeout is not None:
            body["timeoutSeconds"] = timeout
        with_own_line = Operator(self.server)
        try:
            return with_own_line.ask("POST", f"/devices/{device}/methods/{method}", body)
        finally:
            with_own_line.close()

    def test_methods_that_cannot_be(self):
        name, credential = self.provisioned()
        with self.row("nobody is there"):
            answer = self.call(name, "reboot")
            self.assertEqual((answer.status, answer.json["code"]), (409, "device-not-connected"))
            self.assertIn("not connected", self.refused("device", "call", name, "reboot"))
        with self.row("nobody has that name"):
            answer = self.call("nobody", "reboot")
            self.assertEqual((answer.status, answer.json["code"]), (404, "device-not-found"))
            self.assertIn("no device 'nobody'", self.refused("device", "call", "nobody", "reboot"))
        with self.hub(name, credential):
            for method, payload, timeout, status in (
                    ("a%20b", None, None, 400), ("a%2Fb", None, None, 400), ("%23", None, None, 400),
                    ("%2B", None, None, 400), ("x" * 101, None, None, 400),
                    ("%FF", None, None, 400), ("reboot", None, 0, 400), ("reboot", None, -1, 400),
                    ("reboot", None, 301, 400), ("reboot", "x" * 128 * KB, None, 413)):
                with self.row(f"{method[:20]} for {timeout}"):
                    answer = self.call(name, method, payload, timeout)
                    self.assertEqual(answer.status, status, answer.text)
            answer = self.call(name, "reboot", timeout=1)  # it does not listen
            self.assertEqual((answer.status, answer.json["code"]), (504, "method-timeout"))

    def test_methods_and_their_answers(self):
        name, credential = self.provisioned()
        with self.hub(name, credential) as device, \
                concurrent.futures.ThreadPoolExecutor() as pool:
            device.subscribe(METHODS)
            for status, payload, seen in (
                    (200, '{"a":[1]}', {"a": [1]}), (200, "", None), (404, "null", None),
                    (-1, "not JSON", "not JSON"), (500, b"\xff", "�"),
                    (200, "[" * 40 + "]" * 40, "[" * 40 + "]" * 40)):
                asked = pool.submit(self.call, name, "reboot", {"in": 5})
                request = device.message()
                head, _, rid = request.topic.partition("?$rid=")
                self.assertEqual((head, request.json), ("$iothub/methods/POST/reboot/", {"in": 5}))
                self.bystander.publish(f"$iothub/methods/res/299/?$rid={rid}", '"forged"')
                device.publish("$iothub/methods/res/299/?$rid=nobody", "{}")
                device.publish(f"$iothub/methods/res/299/?$rid={rid}0", "{}")
                device.publish(f"$iothub/methods/res/{status}/?$rid={rid}", payload)
                device.publish(f"$iothub/methods/res/298/?$rid={rid}", '"too late"')
                answer = asked.result()
                self.assertEqual((answer.status, answer.json),
                                 (200, {"status": status, "payload": seen}))
            asked = pool.submit(self.call, name, "reboot")
            self.assertEqual(device.message().payload, b"null")
            device.close()
            answer = asked.result()
            self.assertEqual((answer.status, answer.json["code"]), (503, "device-left"))

    # --- messages ---

    def test_messages_that_may_not_be(self):
        for what, body, status, code in (
                ("64 KB and a byte", {"body": "x" * (64 * KB + 1)}, 413, "message-too-large"),
                ("129 properties", {"properties": {f"p{n}": "" for n in range(129)}}, 413,
                 "too-many-properties"),
                ("properties of 16 KB", {"properties": {"a": "x" * 16 * KB}}, 413,
                 "properties-too-large"),
                ("no name", {"properties": {"": "x"}}, 400, "malformed-property"),
                ("a number", {"properties": {"a": 1}}, 400, "malformed-member"),
                *((f"{ttl} seconds", {"timeToLiveSeconds": ttl}, 400, "malformed-time-to-live")
                  for ttl in (0, 172801, 2**40)),
                ("less than no time", {"timeToLiveSeconds": -1}, 400, "malformed-member"),
                ("two bodies", {"body": "a", "bodyBase64": "YQ=="}, 400, "malformed-member"),
                ("no base64", {"bodyBase64": "%"}, 400, "malformed-member")):
            with self.row(what):
                before = self.kept()
                answer = self.operator.ask("POST", "/devices/good/messages", body)
                self.assertEqual((answer.status, answer.json["code"]), (status, code))
                self.assertEqual(self.kept(), before)
        self.assertEqual(self.operator.ask("POST", "/devices/nobody/messages", {}).status, 404)
        self.assertIn("seconds", self.refused("device", "send", "good", "x", "--ttl", "0"))

    def test_a_queue_that_is_full(self):
        name, credential = self.provisioned()
        for number in range(50):
            answer = self.operator.ask("POST", f"/devices/{name}/messages", {"body": str(number)})
            self.assertEqual(answer.status, 201, answer.text)
        with self.row("the 51st"):
            answer = self.operator.ask("POST", f"/devices/{name}/messages", {"body": "50"})
            self.assertEqual((answer.status, answer.json["code"]), (409, "queue-full"))
            self.assertIn("50", self.refused("device", "send", name, "50"))
        with self.hub(name, credential, clean=False) as device:
            device.subscribe(devicebound(name))
            held = [device.message(acknowledge=False) for _ in range(32)]
            self.assertEqual([each.payload for each in held], [b"%d" % n for n in range(32)])
            device.ping()  # no more than that unacknowledged
            self.assertFalse(device.inbox)
            for each in held:
                device.send(mqtt.ack_packet(each.number))
            self.assertEqual([device.message().payload for _ in range(18)],
                             [b"%d" % n for n in range(32, 50)])
            device.ping()
        self.assertEqual(self.of(name, "messages")["items"], [])

    def test_a_queue_full_of_the_largest(self):
        largest = {"body": "x" * 64 * KB, "properties": {"a": "%" * (16 * KB - 200)}}
        for qos in (0, 1):
            name, credential = self.provisioned(self.own(f"q{qos}"))
            for number in range(50):
                answer = self.operator.ask("POST", f"/devices/{name}/messages",
                                           {**largest, "messageId": str(number)})
                self.assertEqual(answer.status, 201, answer.text)
            with self.subTest(qos=qos), self.hub(name, credential, clean=False) as device:
                device.subscribe(devicebound(name), qos=qos)
                for number in range(50):
                    message = device.message()
                    self.assertIsNotNone(message, number)
                    self.assertIn(f"&%24.mid={number}&", message.topic)
                device.ping()
                self.assertFalse(device.inbox)
                self.assertEqual(self.of(name, "messages")["items"], [])

    def test_messages_at_least_once_and_at_most(self):
        name, credential = self.provisioned()
        odd = {"a b": "c=d&e", "ä#+/": "%", "empty": "", "null": None}
        self.operator.ask("POST", f"/devices/{name}/messages",
                          {"body": "one", "properties": odd, "messageId": "m/1"})
        for _ in range(3):  # until it is acknowledged
            with self.hub(name, credential, clean=False) as device:
                device.subscribe(devicebound(name))
                message = device.message(acknowledge=False)
                self.assertEqual((message.payload, message.qos), (b"one", 1))
                self.assertEqual(message.topic, f"devices/{name}/messages/devicebound/"
                                 "a%20b=c%3Dd%26e&%C3%A4%23%2B%2F=%25&empty=&null&%24.mid=m%2F1"
                                 f"&%24.to=%2Fdevices%2F{name}%2Fmessages%2Fdevicebound")
        with self.hub(name, credential, clean=False) as device:
            device.message()
            device.ping()
        with self.hub(name, credential, clean=False) as device:
            device.ping()
            self.assertFalse(device.inbox)
            self.assertEqual(device.subscribe(devicebound(name), qos=0), [0])
            self.command("device", "send", name, "two")
            self.assertEqual(device.message().qos, 0)
            device.ping()
        self.assertEqual(self.of(name, "messages")["items"], [])
        self.command("device", "send", name, "for whoever comes")  # a clean session too
        with self.hub(name, credential, clean=True) as device:
            device.ping()
            self.assertFalse(device.inbox)
            device.subscribe(devicebound(name))
            self.assertEqual(device.message().payload, b"for whoever comes")
            device.ping()
        self.operator.ask("POST", f"/devices/{name}/messages",
                          {"body": "short-lived", "timeToLiveSeconds": 1})
        until = time.monotonic() + mqtt.PATIENCE
        while self.of(name, "messages")["items"] and time.monotonic() < until:
            time.sleep(0.05)
        with self.hub(name, credential, clean=False) as device:
            device.ping()
            self.assertFalse(device.inbox)


if __name__ == "__main__":
    main()
