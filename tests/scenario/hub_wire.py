#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The hub over MQTT as its devices must not use it, and as they may: topics, subscriptions, wills,
silence, rivals, and devices that may no longer speak. After each the hub holds what it should."""
import concurrent.futures
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab import mqtt  # noqa: E402
from lab.mqtt import (Mqtt, devicebound, events, hub_user, publish_packet,  # noqa: E402
                      subscribe_packet)
from lab.scenario import main  # noqa: E402
from lab.wire import Wire  # noqa: E402

KB = 1024
TWIN_ANSWERS = "$iothub/twin/res/#"
DESIRED = "$iothub/twin/PATCH/properties/desired/#"
METHODS = "$iothub/methods/POST/#"


class HubWire(Wire):
    def closed(self, what, sent):
        """Nothing comes but that the door closes, and nothing is kept."""
        before = self.kept()
        with self.subTest(what), self.hub() as device:
            device.send(sent)
            self.assertEqual(device.rest(), [])
        self.assertEqual(self.kept(), before, what)
        self.bystander.ping()

    # --- topics ---

    def test_topics_that_are_none(self):
        for topic in ("x", "/", "devices", "devices/good", "devices/good/messages",
                      "devices/good/messages/event", "devices/good/messages/eventsx",
                      "devices/good/messages/devicebound/", "devices/good/files",
                      "Devices/good/messages/events/", "/" + events("good"),
                      events("bystander"), events("good2"), events("GOOD"), events(""),
                      "devices/good/modules/m/messages/events/",
                      "$iothub", "$iothub/twin", "$iothub/twin/GET", "$iothub/twin/GET/",
                      "$iothub/twin/GET/?$rid", "$iothub/twin/GET/?rid=1",
                      "$iothub/twin/GET/?$rid=" + "x" * 513, "$iothub/twin/PUT/?$rid=1",
                      "$iothub/twin/res/200/?$rid=1", "$iothub/twin/PATCH/properties/reported/",
                      "$iothub/twin/PATCH/properties/desired/?$rid=1",
                      "$iothub/methods/POST/reboot/?$rid=1", "$iothub/methods/res/",
                      "$iothub/methods/res/x/?$rid=1", "$iothub/methods/res/200",
                      "$iothub/methods/res/200/", "$iothub/methods/res/2e2/?$rid=1",
                      "$iothub/methods/res/99999999999/?$rid=1",
                      "$iothub/credentials/POST/issueCertificate/?$rid=1",
                      mqtt.register_topic(1), "$SYS/broker", "$share/a/b"):
            for qos in (0, 1):
                self.closed(f"{topic[:60]} at {qos}",
                            publish_packet(topic, "{}", qos, qos or None))
        self.closed("129 properties", publish_packet(
            events("good", "&".join(f"p{n}={n}" for n in range(129))), "x", 1, 1))
        self.closed("256 KB and a byte", publish_packet(events("good"), bytes(256 * KB + 1), 1, 1))
        self.a_good_device_comes_in()

    def test_what_came_before_is_kept(self):
        name, credential = self.provisioned()
        for last in (publish_packet(events("bystander"), "x", 1, 9), b"\x30\xff\xff\xff\xff\1",
                     publish_packet(events(name), bytes(256 * KB + 1), 1, 9),
                     publish_packet(events(name), "x", 2, 9)):
            with self.hub(name, credential) as device:
                device.send(publish_packet(events(name), "kept", 1, 7) +
                            publish_packet(events(name, "a=b"), "kept") + last)
                self.assertEqual([(came.kind, came.number) for came in device.rest()],
                                 [(mqtt.PUBACK, 7)])
        self.assertEqual([each["body"] for each in self.telemetry(name)], ["kept"] * 8)

    def test_telemetry_as_it_may_be(self):
        name, credential = self.provisioned()
        topic = events(name)
        with self.hub(name, credential) as device:
            for sent, body, own, system in (
                    (publish_packet(topic, "a", 1, 1), "a", {}, {}),
                    (publish_packet(topic[:-1], "b", 1, 2), "b", {}, {}),
                    (publish_packet(topic, "", 1, 3), "", {}, {}),
                    (publish_packet(topic, "c", 1, 4, retain=True), "c", {"mqtt-retain": "true"},
                     {}),
                    (publish_packet(topic, "d", 1, 5, duplicate=True), "d", {}, {}),
                    (publish_packet(topic + "%24.mid=1%202&$.ct=text&a=%F0%9F%98%80&b=&c&=&%=%zz",
                                    "e", 1, 6), "e",
                     {"a": "😀", "b": "", "c": None, "": "", "%": "%zz"},
                     {"$.mid": "1 2", "$.ct": "text"}),
                    (publish_packet(topic + "&".join(f"p{n}=" for n in range(128)), "f", 1, 7), "f",
                     {f"p{n}": "" for n in range(128)}, {})):
                device.send(sent)
                device.wait_for(mqtt.PUBACK)
                last = self.telemetry(name)[-1]
                self.assertEqual((last["body"], last["properties"], last["systemProperties"]),
                                 (body, own, system))
            device.publish(topic, bytes(256 * KB))
            device.publish(topic, b"\xff\xfe")
            self.assertEqual(self.telemetry(name)[-1]["bodyBase64"], "//4=")
            for number in range(100):  # all at once, acknowledged in order
                device.send(publish_packet(topic, str(number), 1, 100 + number))
            self.assertEqual([device.next().number for _ in range(100)], list(range(100, 200)))

    # --- subscriptions ---

    def test_subscriptions(self):
        with self.hub() as device:
            for filters, codes in (
                    ((devicebound("good"),), [1]),
                    ((devicebound("good"), devicebound("good")), [1, 1]),
                    ((TWIN_ANSWERS, DESIRED, METHODS), [1, 1, 1]),
                    ((devicebound("+"),), [1]),  # azure-sdk-for-c
                    ((devicebound("bystander"), devicebound("GOOD"), "devices/+/+/#"), [128] * 3),
                    (("#", "+", "$iothub/#", "devices/#", "devices/+/messages/#"), [128] * 5),
                    (("devices/good/messages/devicebound/", "devices/good/messages/events/#",
                      "$iothub/twin/res/+", "$iothub/twin/PATCH/#", "$SYS/#"), [128] * 5),
                    ((DESIRED,) * 6, [1] * 5 + [128]),
                    (("x",) * 5 + (DESIRED,), [128] * 6),
                    (("x",) * 1000, [128] * 1000)):
                with self.row(filters[:3]):
                    self.assertEqual(device.subscribe(*filters), codes)
            self.assertEqual(device.subscribe(DESIRED, qos=2), [1])
            self.command("device", "twin", "good", "--desired", '{"once":1}')
            self.assertEqual(device.message().json["once"], 1)
            device.ping()  # however many filters matched, once [MQTT-3.3.5-1] is allowed
            device.unsubscribe(DESIRED, "x")
            self.command("device", "twin", "good", "--desired", '{"once":2}')
            device.ping()
            self.assertFalse(device.inbox)

    def test_a_flood_of_subscriptions(self):
        with self.hub(clean=False) as device:
            for number in range(1, 1001):
                device.send(subscribe_packet(number, (DESIRED, number % 2), ("x", 0)))
                if number % 100 == 0:
                    self.bystander.ping()
            self.assertEqual([device.next().codes for _ in range(1000)],
                             [[number % 2, 128] for number in range(1, 1001)])
            device.ping()
            self.bystander.publish(events("bystander"), "still here")
        with self.hub(clean=True) as device:
            self.assertFalse(device.connack.present)

    # --- wills, silence, rivals ---

    def test_wills(self):
        name, credential = self.provisioned()
        topic = events(name, "a=b")
        for will, own in (((topic, "gone"), {"a": "b"}), ((topic, "gone", 1, True),
                                                         {"a": "b", "mqtt-retain": "true"})):
            before = len(self.telemetry(name))
            self.hub(name, credential, will=will).disconnect()  # no will is due [MQTT-3.14.4-3]
            with self.hub(name, credential, will=will):
                pass
            last = self.telemetry(name, before + 1)
            self.assertEqual(len(last), before + 1)
            self.assertEqual((last[-1]["body"], last[-1]["properties"]),
                             ("gone", {**own, "iothub-MessageType": "Will"}))
        with self.hub(name, credential, will=(topic, "broken")) as device:
            device.send(publish_packet("nowhere"))
            self.assertEqual(device.rest(), [])
        self.assertEqual(self.telemetry(name, 3)[-1]["body"], "broken")

    def test_silence(self):
        name, credential = self.provisioned()
        with self.hub(keep_alive=0) as for_ever, \
                self.hub(name, credential, keep_alive=1, will=(events(name), "silent")) as brief:
            began = time.monotonic()
            self.assertEqual(brief.rest(), [])
            self.assertGreater(time.monotonic() - began, 1)  # one and a half; never too early
            self.assertEqual(self.telemetry(name, 1)[-1]["body"], "silent")
            for_ever.ping()

    def test_a_rival_takes_over(self):
        name, credential = self.provisioned()
        for websocket in (None, {}):
            with self.hub(name, credential, clean=False, will=(events(name), "taken over")) as old:
                old.subscribe(DESIRED)
                with self.hub(name, credential, clean=False, websocket=websocket) as new:
                    self.assertTrue(new.connack.present)
                    self.assertEqual(old.rest(), [])
                    new.publish(events(name), "mine")
                    self.command("device", "twin", name, "--desired", '{"a":1}')
                    self.assertEqual(new.message().json["a"], 1)
                    self.assertTrue(self.of(name, "connection")["connected"])
        self.assertEqual(sorted(each["body"] for each in self.telemetry(name, 4)),
                         ["mine", "mine", "taken over", "taken over"])
        with self.subTest("many at once"), concurrent.futures.ThreadPoolExecutor(8) as pool:
            rivals = list(pool.map(lambda _: self.hub(name, credential), range(16)))
            served = 0
            for rival in rivals:
                rival.send(mqtt.packet(mqtt.PINGREQ))
                served += any(came for came in self.until_quiet(rival))
                rival.close()
            self.assertEqual(served, 1)

    @staticmethod
    def until_quiet(device):
        """A PINGRESP of who was left, nothing of who was closed."""
        came = device.next()
        return [] if came is None else [came]

    # --- what ends a session ---

    def test_devices_that_may_no_longer(self):
        """Each was let in once; then something happened, which also ended its session."""
        def came_in(name, root=None):
            credential = self.provisioned(name, root)[1]
            return self.hub(name, credential), credential

        def stays_out(name, credential, session, code=5):
            self.assertEqual(session.rest(), [])
            session.close()
            with self.row(name), Mqtt(self.server, credential) as device:
                self.assertEqual(device.connect(name, hub_user(self.server, name)).code, code)
                self.assertEqual(device.rest(), [])

        session, credential = came_in("to-block")
        self.command("device", "block", "to-block", "--yes")
        stays_out("to-block", credential, session)
        session, credential = came_in("to-delete")
        self.command("device", "delete", "to-delete", "--yes")
        stays_out("to-delete", credential, session)
        root = self.ours.root("Doomed Root")
        self.group("doomed", root)
        session, credential = came_in("to-distrust", root)
        self.command("group", "cert", "remove", "doomed", "primary", "--breach", "--yes")
        stays_out("to-distrust", credential, session)
        # An old leaf, after the device came with a new one: its session goes on, PRODUCT 3.13.
        session, old = came_in("renewed")
        new = self.ours.leaf(self.root, "renewed").credential
        self.assertTrue(mqtt.provision(self.server, "renewed", new).assigned)
        session.ping()
        with self.row("the older leaf"), Mqtt(self.server, old) as device:
            self.assertEqual(device.connect("renewed", hub_user(self.server, "renewed")).code, 5)
        session.ping()
        self.hub("renewed", new).close()
        self.assertEqual(session.rest(), [])  # taken over
        session.close()
        # Who waits for approval is told so, and not let in.
        root = self.ours.root("Careful Root")
        self.group("careful", root)
        self.command("group", "update", "careful", "--auto-approve", "off")
        waits = self.ours.leaf(root, "to-approve").credential
        outcome = mqtt.provision(self.server, "to-approve", waits)
        self.assertEqual((outcome.status, outcome.code), ("failed", 400209))
        with self.row("waits for approval"), Mqtt(self.server, waits) as device:
            self.assertEqual(
                device.connect("to-approve", hub_user(self.server, "to-approve")).code, 5)
        self.command("device", "approve", "to-approve")
        self.assertTrue(mqtt.provision(self.server, "to-approve", waits).assigned)
        self.hub("to-approve", waits).close()
        self.everybody_is_served()


if __name__ == "__main__":
    main()
