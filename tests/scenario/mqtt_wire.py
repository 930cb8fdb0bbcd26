#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""MQTT 3.1.1 as no library would speak it, bare and inside WebSocket, and the refusals of DPS and hub
over it: what must come, nothing changed, and everybody else is served on."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab import mqtt  # noqa: E402
from lab.mqtt import (Answer, Mqtt, at_hub, connect_packet, dps_user, field,  # noqa: E402
                      hub_user, packet, poll_topic, publish_packet, register_topic,
                      subscribe_packet)
from lab.scenario import main  # noqa: E402
from lab.server import Server  # noqa: E402
from lab.wire import Wire  # noqa: E402
from mqtt_rules import FIRST, LATER  # noqa: E402

KB = 1024


class MqttWire(Wire):
    def all_closed(self, rows, connected):
        with self.row("all of them"):
            for row in rows:
                for websocket in (None, {}):
                    with self.subTest(row.what, websocket=websocket), \
                            (self.at_dps(subscribed=False, websocket=websocket) if connected else
                             Mqtt(self.server, self.good, websocket=websocket)) as device:
                        device.send(row.sent)
                        self.assertEqual(tuple(came.kind for came in device.rest()), row.kinds)
                self.bystander.ping()
        self.everybody_is_served()

    def test_rules_of_the_standard(self):
        self.all_closed(FIRST, connected=False)

    def test_rules_of_the_standard_later(self):
        self.all_closed(LATER, connected=True)

    def test_what_the_standard_allows(self):
        with self.at_dps(subscribed=False) as device:
            device.send(mqtt.ack_packet(77))  # for nothing that was sent
            self.assertEqual(device.subscribe(mqtt.DPS_ANSWERS, qos=2), [1])
            self.assertEqual(device.subscribe("a", "+/b", "#", "/", mqtt.DPS_ANSWERS, qos=0),
                             [128, 128, 128, 128, 0])
            device.unsubscribe("a", "#", "never/subscribed")
            for number in (1, 65535):
                device.send(publish_packet(register_topic("x"), b"", 1, number, duplicate=True))
                self.assertEqual(device.next().number, number)
                self.assertEqual(device.message().qos, 0)
            for byte in packet(mqtt.PINGREQ) + packet(mqtt.PINGREQ):
                device.send(bytes((byte,)))
            self.assertEqual([device.next().kind for _ in range(2)], [mqtt.PINGRESP] * 2)
        with Mqtt(self.server, self.good) as device:  # CONNECT and more together, byte by byte
            for byte in (connect_packet("good", dps_user(self.server, "good")) +
                         subscribe_packet(1, (mqtt.DPS_ANSWERS, 0))):
                device.send(bytes((byte,)))
            self.assertEqual([device.next().kind for _ in range(2)], [mqtt.CONNACK, mqtt.SUBACK])

    def test_other_versions(self):
        for what, sent, answer in (
                ("MQTT 5", connect_packet("x", level=5), b"\0\x84\0"),
                ("MQTT 5 as it really comes", packet(1, field("MQTT") + b"\5\xc2\0\x3c" +
                 b"\5\x11\0\0\0\x0a" + field("x") + field("u") + field("p")), b"\0\x84\0"),
                ("MQTT 3.1", connect_packet("x", protocol="MQIsdp", level=3), b"\0\1"),
                ("levels of no version", connect_packet("x", level=0), b"\0\1"),
                ("one that asks a bridge", connect_packet("x", level=0x84), b"\0\1"),
                ("one to come", connect_packet("x", level=6), b"\0\1"),
                ("3 under the newer name", connect_packet("x", level=3), b"\0\1")):
            for websocket in (None, {}):
                with self.row(what), Mqtt(self.server, self.good, websocket=websocket) as device:
                    device.send(sent + packet(mqtt.PINGREQ))
                    came = device.rest()
                    self.assertEqual([(each.kind, each.body) for each in came],
                                     [(mqtt.CONNACK, answer)])
        self.everybody_is_served()

    # --- DPS ---

    def refused_by_dps(self, what, status, code, words="", topic=None, payload=b"", **how):
        with self.row(what), self.at_dps(**how) as device:
            device.publish(topic or register_topic(5), payload)
            answer = Answer(device.message())
            self.assertEqual(answer.topic, f"$dps/registrations/res/{status}/?$rid=5")
            self.assertEqual(answer.json["errorCode"], code)
            self.assertRegex(answer.json["message"], words or "^.")
            self.assertEqual(set(answer.json),
                             {"errorCode", "trackingId", "message", "timestampUtc"})
            device.ping()  # nothing more came, and the session goes on

    def test_dps_user_names(self):
        scope = self.server.scope
        for username, code in (
                (None, 4), ("", 4), ("x", 4), (f"{scope}/registrations/good", 4),
                (f"{scope}/registrations/good/", 4), (f"{scope}/registrations/good/x=1", 4),
                (f"{scope}/registrations/good/?api-version=2021-06-01", 4),
                (f"{scope}/registrations//api-version=2021-06-01", 4),
                ("/registrations/good/api-version=2021-06-01", 4),
                (f"{scope}/registrations/g%20d/api-version=2021-06-01", 4),
                (f"{scope}/registrations/{'g' * 129}/api-version=2021-06-01", 4),
                (f"{scope}/registrations/good/api-version=", 0),
                (f"{scope}/registrations/GOOD/api-version=2021-06-01", 0),
                (f"{scope}/Registrations/good/API-version=2021-06-01&ClientVersion=a%2Fb", 0),
                (f"{scope}/registrations/good/api-version=2099-01-01&a=b/c&&=", 0)):
            with self.row(f"user name {username!r}"), Mqtt(self.server, self.good) as device:
                self.assertEqual(device.connect("good", username, password="").code
                                 if username is not None else device.connect("good").code, code)
                if code:
                    self.assertEqual(device.rest(), [])
                else:
                    self.assertFalse(device.connack.present)
                    device.ping()
        with self.row("no certificate"), Mqtt(self.server) as device:
            self.assertEqual(device.connect("good", dps_user(self.server, "good")).code, 5)
            self.assertEqual(device.rest(), [])
        for clean in (False, True, False):  # nothing is kept
            with self.row("any client id"), Mqtt(self.server, self.good) as device:
                device.connect("another", dps_user(self.server, "good"), clean=clean)
                self.assertEqual((device.connack.code, device.connack.present), (0, False))
                device.subscribe(mqtt.DPS_ANSWERS)
        self.everybody_is_served()

    def test_dps_refusals(self):
        stranger = self.openssl.self_signed("good").credential
        for what, status, code, words, how in (
                ("a stranger", 401, 401002, "", {"credential": stranger}),
                ("another CN", 401, 401002, "", {"registration": "somebody"}),
                ("a scope unknown", 404, 404001, "No such scope",
                 {"username": dps_user(self.server, "good", scope="0ne00000000")}),
                *((f"api-version {version!r}", 400, 400001, "api-version",
                   {"username": dps_user(self.server, "good", version)})
                  for version in ("", "latest", "2021-6-1", "2021-06-01-beta", "20210601")),
                ("another's id in the body", 400, 400001, "registrationId in the body",
                 {"payload": '{"registrationId":"other"}'}),
                ("an id that is no text", 400, 400001, "registrationId in the body",
                 {"payload": '{"registrationId":1}'}),
                ("a member twice", 400, 400001, "twice", {"payload": '{"payload":1,"payload":2}'}),
                *((f"payload {text[:20]!r}", 400, 400001, "not a JSON object", {"payload": text})
                  for text in ("x", "[]", '"good"', "1", "null", "{", "{}{}", "{\"a\":}", "\0",
                               b"\xff", b'{"a":"\xff"}', "{'a':1}",
                               '{"payload":' + '[' * 40 + ']' * 40 + "}")),
                ("a payload of 96 KB and a byte", 413, 413001, "98304 bytes",
                 {"payload": '{"payload":"' + "x" * (96 * KB - 13) + '"}' }),
                ("TPM", 400, 400002, "TPM", {"payload": '{"tpm":{"endorsementKey":"eA=="}}'}),
                ("a wish for a certificate", 400, 400002, "issued", {"payload": '{"csr":"eA=="}'})):
            self.refused_by_dps(what, status, code, words, **how)
        for what, status, code, words, topic in (
                ("an operation unknown", 404, 404203, "", poll_topic(5, "5.0.none")),
                ("an operation that cannot be", 404, 404203, "", poll_topic(5, "%00")),
                ("no operation", 400, 400001, "operationId", poll_topic(5, "")),
                ("no operation at all", 400, 400001, "operationId",
                 poll_topic(5, "").partition("&")[0])):
            self.refused_by_dps(what, status, code, words, topic)
        self.refused_by_dps("polling with a garbled api-version", 400, 400001, "api-version",
                            poll_topic(5, "5.0.none"),
                            username=dps_user(self.server, "good", "latest"))
        self.everybody_is_served()

    def test_dps_closes_where_nothing_is(self):
        for topic in ("x", "$dps", "$dps/registrations/PUT/iotdps-register",
                      "$dps/registrations/PUT/iotdps-register/",
                      "$dps/registrations/PUT/iotdps-register/?rid=1",
                      "$dps/registrations/PUT/iotdps-register/?$rid",
                      "$dps/registrations/PUT/iotdps-Register/?$rid=1",
                      "/" + register_topic(1), "$dps/registrations/GET/iotdps-register/?$rid=1",
                      "$dps/registrations/res/200/?$rid=1", register_topic("x" * 513),
                      "$dps/registrations/GET/iotdps-get-registration/?$rid=1",
                      mqtt.events("good"), "$iothub/twin/GET/?$rid=1"):
            for qos in (0, 1):
                with self.row(f"{topic[:60]} at {qos}"), self.at_dps() as device:
                    device.send(publish_packet(topic, "{}", qos, qos and 9 or None))
                    self.assertEqual(device.rest(), [])
        with self.row("retained"), self.at_dps() as device:
            device.send(publish_packet(register_topic(1), "{}", 1, 9, retain=True))
            self.assertEqual(device.rest(), [])
        self.everybody_is_served()

    def test_dps_answers_once_after_puback(self):
        for rid in ("1", "1", "", "a b", "%24x", "%", "ä", "a/b?c", "==", "a=b", "😀", "x" * 512,
                    "1&$rid=2", "1&retain=x", "\u0001"):
            with self.subTest(rid=rid[:20]), self.at_dps() as device:
                device.send(publish_packet(register_topic(rid), b"", 1, 9))
                ack, answer = device.next(), device.message()
                self.assertEqual((ack.kind, ack.number), (mqtt.PUBACK, 9))
                self.assertEqual(answer.topic,
                                 f"$dps/registrations/res/200/?$rid={rid.partition('&')[0]}")
                self.assertEqual(answer.json["status"], "assigned")
                device.ping()  # nothing more
        with self.at_dps() as device:
            for rid in (4, 4):  # repeated on one connection; together
                device.send(publish_packet(register_topic(rid), " ", 0) * 2)
                self.assertEqual([Answer(device.message()).rid for _ in range(2)], ["4", "4"])
            device.unsubscribe(mqtt.DPS_ANSWERS)
            device.publish(register_topic(5))
            device.ping()  # no answer to who does not want it

    def test_dps_payloads_and_qualities(self):
        full = json.dumps({"registrationId": "good"})
        for payload in ("", " ", "{}", full, '{"payload":null,"registrationId":"GOOD"}',
                        '{"payload":"a text"}', '{"registrationId":null,"payload":{"a":[1]}}',
                        '{"payload":"' + "x" * (96 * KB - 14) + '"}', ' {"tpm":null,"csr":null}\n'):
            with self.subTest(payload=payload[:20]), self.at_dps() as device:
                device.publish(register_topic(1), payload)
                answer = Answer(device.message())
                self.assertEqual((answer.status, answer.json["status"]), (200, "assigned"))
                for polled in (b" ", b"", full.encode(), b"not JSON"):
                    device.publish(poll_topic(2, answer.json["operationId"]), polled)
                    again = Answer(device.message())
                    self.assertEqual((again.status, again.json["status"]), (200, "assigned"))
        for wanted, granted in ((0, 0), (1, 1), (2, 1)):
            for qos in (0, 1):
                with self.subTest(wanted=wanted, qos=qos), \
                        self.at_dps(subscribed=False) as device:
                    self.assertEqual(device.subscribe(mqtt.DPS_ANSWERS, qos=wanted), [granted])
                    device.publish(register_topic(1), qos=qos)
                    self.assertEqual(device.message().qos, granted)
                    device.ping()
        with self.row("a second subscription"), self.at_dps() as device:
            self.assertEqual(device.subscribe("$dps/#", "$dps/registrations/res/+",
                                              mqtt.devicebound("good")), [128] * 3)

    def test_dps_states(self):
        root = self.ours.root("Shut Root")
        self.group("shut", root)
        shut = self.ours.leaf(root, "shut-one").credential
        self.assertTrue(mqtt.provision(self.server, "shut-one", shut).assigned)
        self.command("group", "disable", "shut", "--yes")
        with self.row("a disabled group"), \
                self.at_dps(shut, dps_user(self.server, "shut-one")) as device:
            device.publish(register_topic(1))
            answer = Answer(device.message())
            self.assertEqual((answer.status, answer.json["status"]), (200, "disabled"))
            self.assertNotIn("assignedHub", answer.json["registrationState"])
        alone = self.ours.self_signed("alone").credential
        self.command("enrollment", "create", "alone", "--primary", alone.chain)
        self.assertTrue(mqtt.provision(self.server, "alone", alone).assigned)
        self.command("enrollment", "disable", "alone", "--yes")
        self.assertEqual(mqtt.provision(self.server, "alone", alone).status, "disabled")

    def test_the_clouds_pace_where_it_is_wanted(self):
        with Server(os.path.join(self.scratch, "slow"), "--assign", "poll") as slow:
            slow.command("group", "create", "g")
            slow.command("group", "cert", "set", "g", "primary", self.root.certificate, "--vouch")
            with Mqtt(slow, self.good) as device:
                device.connect("good", dps_user(slow, "good"))
                device.subscribe(mqtt.DPS_ANSWERS)
                device.publish(register_topic("a b"))
                answer = Answer(device.message())
                self.assertEqual(answer.topic,
                                 "$dps/registrations/res/202/?$rid=a b&retry-after=3")
                self.assertEqual(answer.json["status"], "assigning")
                device.publish(poll_topic(2, answer.json["operationId"]), " ")
                answer = Answer(device.message())
                self.assertEqual(answer.topic, "$dps/registrations/res/200/?$rid=2")
                self.assertEqual(answer.json["registrationState"]["assignedHub"], slow.name)

    # --- the hub ---

    def test_hub_refusals(self):
        """2: the client id; 4: the user name; 5: the device may not."""
        stranger = self.openssl.self_signed("good").credential
        sibling = self.ours.leaf(self.root, "good").credential  # never registered with
        newcomer = self.ours.leaf(self.root, "unheard-of").credential
        good, host = hub_user(self.server, "good"), self.server.name
        for what, code, client_id, username, how in (
                *((f"user name {username!r}", 4, "good", username, {}) for username in (
                    None, "", "good", "/", f"{host}/good", f"{host}/good/", f"{host}/good/x=1",
                    f"{host}/good/?api", f"{host}//?api-version=2021-04-12",
                    f"{host}/good/module/?api-version=2021-04-12",
                    f"{host}/g d/?api-version=2021-04-12",
                    f"{host}/{'g' * 129}/?api-version=2021-04-12")),
                *((f"client id {client_id[:20]!r}", 2, client_id, good, {})
                  for client_id in ("", "GOOD", "good/module", "bystander", "g" * 1000)),
                ("a device unheard of", 5, "unheard-of", hub_user(self.server, "unheard-of"),
                 {"credential": newcomer}),
                ("no certificate", 5, "good", good, {"credential": None}),
                ("a stranger's certificate", 5, "good", good, {"credential": stranger}),
                ("a leaf that never registered", 5, "good", good, {"credential": sibling}),
                ("another device's certificate", 5, "bystander",
                 hub_user(self.server, "bystander"), {}),
                ("another case", 5, "GOOD", hub_user(self.server, "GOOD"), {}),
                *((f"a will to {topic!r}", 5, "good", good, {"will": (topic, "x")}) for topic in (
                    "x", "devices/bystander/messages/events/", "$iothub/twin/GET/?$rid=1",
                    "devices/good/messages/eventsx", "$dps/registrations/res/200/",
                    mqtt.events("good", "&".join(f"p{n}=" for n in range(129)))))):
            credential = how.get("credential", self.good)
            for websocket in (None, {}):
                with self.row(what), Mqtt(self.server, credential, websocket=websocket) as device:
                    device.connect(client_id, username, clean=False if client_id else True,
                                   will=how.get("will"))
                    self.assertEqual((device.connack.code, device.connack.present), (code, False))
                    self.assertEqual(device.rest(), [])
        self.everybody_is_served()

    def test_hub_user_names_that_will_do(self):
        host = self.server.name
        for username in (f"{host}/good/?api-version=2021-04-12", f"{host}/good/api-version=x",
                         "/good/?api-version=", "other.example/good/?API-version=1&x",
                         f"{host}/g%6Fod/?api-version=1&DeviceClientType=a%2Fb&model-id=dtmi:a;1"):
            with self.row(username), Mqtt(self.server, self.good) as device:
                device.connect("good", username, password=b"\0\xff", keep_alive=65535)
                self.assertEqual(device.connack.code, 0)
                device.ping()

    def test_a_lasting_session_outlives_the_server(self):
        name = "lasting"
        with Server(os.path.join(self.scratch, "mortal")) as mortal:
            mortal.command("group", "create", "g")
            mortal.command("group", "cert", "set", "g", "primary", self.root.certificate, "--vouch")
            credential = self.ours.leaf(self.root, name).credential
            mqtt.provision(mortal, name, credential)
            with at_hub(mortal, name, credential, clean=False) as device:
                self.assertFalse(device.connack.present)
                device.subscribe(mqtt.devicebound(name), "$iothub/methods/POST/#")
                mortal.command("device", "send", name, "one")
                first = device.message(acknowledge=False)
            mortal.command("device", "send", name, "two")
            for end in (mortal.kill, mortal.stop):
                end()
                mortal.start()
                with at_hub(mortal, name, credential, clean=False) as device:
                    self.assertTrue(device.connack.present)  # [MQTT-3.2.2-2]
                    came = [device.message(acknowledge=False) for _ in range(2)]
                    self.assertEqual([each.payload for each in came], [b"one", b"two"])
                    self.assertEqual(len({each.number for each in came}), 2)
                    self.assertEqual(came[0].topic, first.topic)
                    device.ping()
            with at_hub(mortal, name, credential, clean=False) as device:
                for _ in range(2):
                    device.message()
                device.unsubscribe(mqtt.devicebound(name))
            for end in (mortal.kill, mortal.stop):
                end()
                mortal.start()
                with at_hub(mortal, name, credential, clean=False) as device:
                    self.assertTrue(device.connack.present)  # of methods
                    device.ping()
                    self.assertFalse(device.inbox)
            with at_hub(mortal, name, credential, clean=True) as device:
                self.assertFalse(device.connack.present)
            with at_hub(mortal, name, credential, clean=False) as device:
                self.assertFalse(device.connack.present)  # [MQTT-3.1.2-6]


if __name__ == "__main__":
    main()
