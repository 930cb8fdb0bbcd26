#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""MQTT inside WebSocket as no library would send it (RFC 6455; numbers are its sections), and as
devices really do. And all that is slow: half-open connections are closed, slow ones served."""
import base64
import os
import ssl
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab import mqtt  # noqa: E402
from lab.device import connect, context_of  # noqa: E402
from lab.mqtt import Mqtt, connect_packet, dps_user, hub_user, packet  # noqa: E402
from lab.raw import Raw  # noqa: E402
from lab.scenario import main  # noqa: E402
from lab.websocket import (CLOSE, CONTINUATION, PING, PONG, TEXT,  # noqa: E402
                           NoUpgrade, WebSocket, frame, handshake)
from lab.wire import Wire  # noqa: E402

KB = 1024
PROTOCOL_ERROR, UNSUPPORTED, INVALID_TEXT, TOO_BIG = 1002, 1003, 1007, 1009
PINGREQ = packet(mqtt.PINGREQ)


class WebSocketWire(Wire):
    def test_handshakes_that_are_none(self):
        key = base64.b64encode(bytes(16)).decode()
        for what, sent, status, words in (
                *((f"version {version}", handshake(version=version)[0], 426, b"version 13")
                  for version in ("8", "12", "14", "0", "", "13, 8", None)),
                ("two versions", handshake(more="Sec-WebSocket-Version: 13\r\n")[0], 426, b"13"),
                *((f"key {bad!r}", handshake(key=bad)[0], 400, b"Sec-WebSocket-Key") for bad in (
                    "", "x", "A" * 24, base64.b64encode(bytes(15)).decode(),
                    base64.b64encode(bytes(17)).decode(), key[:-1], "!" * 22 + "==")),
                ("two keys", handshake(more=f"Sec-WebSocket-Key: {key}\r\n")[0], 400, b"Key"),
                ("POST", handshake()[0].replace(b"GET", b"POST"), 400, b"GET"),
                ("no Connection: Upgrade", handshake()[0].replace(
                    b"Connection: Upgrade", b"Connection: keep-alive"), 400, b"Connection"),
                *((f"subprotocol {name!r}", handshake(
                    protocol=name, more="Connection: close\r\n")[0], 404, b"nothing at this")
                  for name in (None, "", "mqttv3.1", "mqtt5", "AMQPWSB10", "chat, soap",
                               "m qtt", '"mqtt"')),
                ("no Upgrade", handshake(more="Connection: close\r\n")[0].replace(
                    b"Upgrade: websocket", b"Upgrade: h2c"), 404, b"nothing at this"),
                ("HTTP/1.0", handshake()[0].replace(b"HTTP/1.1", b"HTTP/1.0"), 404, b"")):
            with self.row(what), Raw(self.server, self.good) as raw:
                raw.send(sent)
                self.assertEqual(raw.rest(), [status], raw.body)
                self.assertIn(words, raw.body)
        self.everybody_is_served()

    def test_handshakes_that_will_do(self):
        for how, chosen in (
                ({}, "mqtt"), ({"protocol": "MQTT"}, "MQTT"), ({"protocol": "mQtT"}, "mQtT"),
                ({"protocol": "AMQPWSB10, MQTT, mqtt"}, "MQTT"), ({"path": "/$iothub/websocket"},
                                                                  "mqtt"),
                ({"path": "/$iothub/websocket?iothub-no-client-cert=true"}, "mqtt"),
                ({"path": "/any/path/at%20all?x=y"}, "mqtt"),
                ({"path": "https://dps.example/"}, "mqtt"),
                ({"path": "/devices/good/messages/events"}, "mqtt"),
                ({"more": "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, "
                  "x-webkit-deflate-frame\r\nOrigin: https://elsewhere.example\r\n"}, "mqtt"),
                ({"more": "Sec-WebSocket-Protocol: other\r\n"}, "mqtt")):
            with self.subTest(how=how), self.hub(websocket=how) as device:
                self.assertEqual(device.socket.field("sec-websocket-protocol"), chosen)
                self.assertIsNone(device.socket.field("sec-websocket-extensions"))  # declined
                device.ping()
        with Raw(self.server, self.good) as raw:  # after a request, and together with CONNECT
            raw.send(b"GET /nothing HTTP/1.1\r\nHost: dps.example\r\n\r\n")
            self.assertEqual(raw.answer(), 404)
            raw.send(handshake()[0] + frame(connect_packet("good", hub_user(self.server, "good"))))
            self.assertEqual(raw.answer(), 101)
            while len(raw.unread) < 6:
                raw.unread += raw.socket.recv(100)
            self.assertEqual(raw.unread, b"\x82\4\x20\2\0\0")

    def test_frames_that_may_not_be(self):
        ping = frame(PINGREQ)
        for what, code, *frames in (
                ("not masked", PROTOCOL_ERROR, frame(PINGREQ, masked=False)),  # 5.1
                ("not masked, later", PROTOCOL_ERROR, ping, frame(PINGREQ, masked=False)),
                ("a close that is not masked", PROTOCOL_ERROR, frame(b"", CLOSE, masked=False)),
                *((f"reserved bits {bits}", PROTOCOL_ERROR, frame(PINGREQ, reserved=bits))
                  for bits in (1, 2, 4, 7)),  # 5.2; 4: compressed
                *((f"opcode {opcode}", PROTOCOL_ERROR, frame(PINGREQ, opcode))
                  for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)),
                ("text", UNSUPPORTED, frame(PINGREQ, TEXT)),
                ("a part of a text", UNSUPPORTED, frame(b"", TEXT, final=False)),
                ("something to continue nothing", PROTOCOL_ERROR, frame(PINGREQ, CONTINUATION)),
                ("a message within a message", PROTOCOL_ERROR, frame(PINGREQ[:1], final=False),
                 frame(PINGREQ[1:])),  # 5.4
                ("a text within a message", PROTOCOL_ERROR, frame(PINGREQ[:1], final=False),
                 frame(b"x", TEXT)),
                ("a continuation behind the end", PROTOCOL_ERROR, frame(PINGREQ[:1], final=False),
                 frame(PINGREQ[1:], CONTINUATION), frame(PINGREQ, CONTINUATION)),
                *((f"a control frame {opcode} in parts", PROTOCOL_ERROR,
                   frame(b"x", opcode, final=False)) for opcode in (CLOSE, PING, PONG)),  # 5.5
                *((f"a control frame {opcode} of 126 bytes", PROTOCOL_ERROR,
                   frame(bytes(126), opcode)) for opcode in (CLOSE, PING, PONG)),
                ("a length longer than need be", PROTOCOL_ERROR,
                 frame(PINGREQ, length=(16, 2))),
                ("the longest length for a little", PROTOCOL_ERROR, frame(PINGREQ, length=(64, 2))),
                ("a length below nothing", PROTOCOL_ERROR, frame(b"", length=(64, 1 << 63))),
                ("512 KB and a byte", TOO_BIG, frame(b"", length=(64, 512 * KB + 1))),
                ("all there is", TOO_BIG, frame(b"", length=(64, (1 << 63) - 1))),
                ("too much in parts", TOO_BIG, frame(PINGREQ * 128 * KB, final=False),
                 frame(PINGREQ * 128 * KB, CONTINUATION, final=False),
                 frame(b"x", CONTINUATION)),
                ("a close of one byte", PROTOCOL_ERROR, frame(b"\3", CLOSE)),  # 5.5.1
                *((f"a close with {code}", PROTOCOL_ERROR, frame(code.to_bytes(2, "big"), CLOSE))
                  for code in (0, 999, 1004, 1005, 1006, 1015, 2999, 5000)),
                ("a close whose words are none", INVALID_TEXT, frame(b"\3\xe8\xff", CLOSE))):
            with self.subTest(what), self.hub(websocket={}) as device:
                device.socket.send_frames(*frames)
                self.assertLessEqual({came.kind for came in device.rest()}, {mqtt.PINGRESP})
                self.assertEqual(device.socket.close_code, code)
            self.bystander.ping()
        self.everybody_is_served()

    def test_mqtt_that_may_not_be_closes_the_websocket(self):
        for sent in (connect_packet("x"), PINGREQ[:1] + b"\1\0", b"GET / HTTP/1.1\r\n\r\n"):
            with self.row(sent[:10]), self.hub(websocket={}) as device:
                device.send(sent)
                self.assertEqual(device.rest(), [])

    def test_frames_as_they_may_be(self):
        with self.hub(websocket={}) as device:
            socket = device.socket
            for frames, pings in (
                    ((frame(PINGREQ[:1]), frame(PINGREQ[1:])), 1),  # packets know no frames
                    ((frame(PINGREQ * 3),), 3),
                    ((frame(b""), frame(PINGREQ), frame(b"")), 1),
                    ((frame(PINGREQ[:1], final=False), frame(b"", CONTINUATION, final=False),
                      frame(PINGREQ[1:], CONTINUATION)), 1),
                    ((frame(PINGREQ[:1], final=False), frame(b"are you there", PING),
                      frame(b"", PONG), frame(PINGREQ[1:] + PINGREQ, CONTINUATION)), 2)):
                socket.send_frames(*frames)
                for _ in range(pings):
                    self.assertEqual(device.next().kind, mqtt.PINGRESP)
            self.assertEqual(socket.control, [(PONG, b"are you there")])
            for byte in frame(PINGREQ[:1], final=False) + frame(PINGREQ[1:], CONTINUATION):
                socket.send_frames(bytes((byte,)))
            self.assertEqual(device.next().kind, mqtt.PINGRESP)
            device.publish(mqtt.events("good"), bytes(256 * KB))
            socket.send_frames(frame((1000).to_bytes(2, "big") + b"bye", CLOSE))
            self.assertEqual(device.rest(), [])
            self.assertEqual(socket.close_code, 1000)
        with self.hub(websocket={}) as device:
            device.send(packet(mqtt.DISCONNECT))
            self.assertEqual((device.rest(), device.socket.close_code), ([], 1000))

    def test_pings_that_nobody_reads(self):
        """A client that asks and never reads is no burden for the others."""
        with self.hub(websocket={}) as device:
            device.socket.settimeout(2)
            try:
                for _ in range(2000):
                    device.socket.send_frames(frame(bytes(125), PING) * 100)
            except (TimeoutError, ConnectionError, ssl.SSLError):
                pass  # it is not read on, or closed
            self.bystander.ping()
        self.everybody_is_served()

    def test_half_open_and_slow(self):
        """Closed when the product says so (base/limits.hpp: 20 s for a CONNECT, 30 s for a
        registration); meanwhile one that is slow and comes to an end is served."""
        good = connect_packet("good", dps_user(self.server, "good"))

        def opened(sent, **how):
            device = Mqtt(self.server, self.good, **how)
            device.send(sent)
            return device

        waiting = [opened(sent, websocket=how) for how in (None, {}) for sent in (
            b"", b"\x10", b"\x10\xff\xff", good[:-1])]
        waiting.append(opened(b"", websocket={}))
        waiting[-1].socket.send_frames(frame(good, length=(7, len(good) + 1))[:-1])
        tcp = connect(self.server, context_of(self.server, self.good))
        tcp.sendall(handshake()[0][:-2])  # a handshake that does not end
        idle = self.at_dps()  # never registers
        idle.ping()
        slow = Mqtt(self.server, self.good, websocket={})
        for byte in frame(good):
            slow.socket.send_frames(bytes((byte,)))
            self.bystander.ping()
        self.assertEqual(slow.next().code, 0)
        slow.close()
        with self.row("all are closed"):
            for device in waiting:
                self.assertEqual(device.rest(), [])
                device.close()
            self.assertEqual(idle.rest(), [])
            idle.close()
            tcp.settimeout(mqtt.PATIENCE)
            self.assertRegex(tcp.recv(1000), rb"^HTTP/1.1 408 ")
            tcp.close()
        self.everybody_is_served()

    def test_no_upgrade_is_told(self):
        with connect(self.server, context_of(self.server, self.good)) as socket:
            with self.assertRaises(NoUpgrade) as refusal:
                WebSocket(socket, version="8")
            self.assertEqual(refusal.exception.status, 426)
            self.assertIn("Sec-WebSocket-Version: 13", refusal.exception.head)


if __name__ == "__main__":
    main()
