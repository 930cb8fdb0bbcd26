#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The device AMQP door frame by frame: what the C SDK sends and the Node SDK does not, and what
nobody should send. Each bad thing ends its link or its connection with a condition that says why,
and changes nothing."""
import json
import os
import struct
import sys
import typing

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab import amqp  # noqa: E402
from lab.amqp import (  # noqa: E402
    HEADER, SASL_HEADER, Amqp, Raw, Ubyte, Uint, attach_frame, begin_frame, described, flow_frame,
    frame, message, open_frame, performative, registered, transfer_frame)
from lab.scenario import main  # noqa: E402
from lab.steady import Steady  # noqa: E402

KB = 1024


class Row(typing.NamedTuple):
    what: str
    sent: bytes
    condition: str | None  # with which the door closes; None: it closes without a word


def init(mechanism, response=None):
    return SASL_HEADER + frame(described(amqp.INIT, [amqp.Symbol(mechanism), response]), kind=1)


def plain(response):
    return init("PLAIN", response)


DEEP = b"\0" * 5000 + b"\x40"  # a descriptor described by a descriptor described by ...

BEFORE_OPEN = [
    Row("HTTP", b"GET / HTTP/1.1\r\n\r\n", None),
    Row("TLS inside TLS", b"AMQP\2\1\0\0", None),
    Row("AMQP 0-9-1", b"AMQP\0\0\x09\1", None),
    Row("SASL twice", plain(b"\0u\0p") + SASL_HEADER, None),
    Row("an unknown mechanism", init("SCRAM-SHA-1", b"n,,n=u"), None),
    Row("PLAIN without a password", plain(b"\0u"), None),
    Row("PLAIN for somebody else", plain(b"other\0u\0p"), None),
    Row("PLAIN with a text", plain("\0u\0p"), None),
    Row("a SASL frame that is none", SASL_HEADER + frame(b"\0\x53\x40\x45", kind=1), None),
    Row("an AMQP frame within SASL", SASL_HEADER + open_frame(), None),
    Row("a SASL frame that never ends", SASL_HEADER + frame(b"", kind=1, size=1 << 30), None),
    Row("begin before open", HEADER + begin_frame(), "amqp:illegal-state"),
    Row("close before open", HEADER + performative(amqp.CLOSE), "amqp:illegal-state"),
    Row("a frame of 4 GB", HEADER + struct.pack(">IBBH", 0xffffffff, 2, 0, 0),
        "amqp:connection:framing-error"),
    Row("a frame of 7 bytes", HEADER + struct.pack(">IBBH", 7, 2, 0, 0),
        "amqp:connection:framing-error"),
    Row("a large frame before open", HEADER + frame(b"x" * (8 * KB)),
        "amqp:connection:framing-error"),
    Row("an offset of 1", HEADER + frame(b"\0\x53\x10\x45", offset=1),
        "amqp:connection:framing-error"),
    Row("an offset beyond the frame", HEADER + frame(b"\0\x53\x10\x45", offset=4),
        "amqp:connection:framing-error"),
    Row("a SASL frame after it", HEADER + frame(b"\0\x53\x41\x45", kind=1),
        "amqp:connection:framing-error"),
    Row("open without a container", HEADER + performative(amqp.OPEN), "amqp:invalid-field"),
    Row("open with a number for a name", HEADER + performative(amqp.OPEN, 7), "amqp:decode-error"),
    Row("open that is a map", HEADER + frame(b"\0\x53\x10\xc1\1\0"), "amqp:decode-error"),
    Row("open cut short", HEADER + frame(b"\0\x53\x10\xc0\x20\1\xa1"), "amqp:decode-error"),
    Row("open with more members than bytes", HEADER + frame(b"\0\x53\x10\xd0\0\0\0\4\xff\xff\xff\xff"),
        "amqp:decode-error"),
    Row("a container that is no text", HEADER + performative(amqp.OPEN, Raw(b"\xa1\2\xff\xfe")),
        "amqp:decode-error"),
    Row("descriptors without end", HEADER + frame(DEEP), "amqp:decode-error"),
    Row("a value without a descriptor", HEADER + frame(b"\x45"), "amqp:decode-error"),
    Row("an unknown performative", HEADER + frame(b"\0\x53\x19\x45") , "amqp:decode-error"),
    Row("a tiny max-frame-size", HEADER + open_frame(frame_max=100), "amqp:invalid-field"),
    Row("an idle-time-out of a millisecond", HEADER + open_frame(idle=1), "amqp:invalid-field"),
]

def after_begin(address):
    """Once a session has begun; `address` is a good one."""
    link = attach_frame("l", 0, False, address)
    return [
        Row("a second open", open_frame(), "amqp:illegal-state"),
        Row("a second begin", begin_frame(), "amqp:illegal-state"),
        Row("a channel beyond ours", begin_frame(channel=9), "amqp:not-allowed"),
        Row("an answer to a begin of ours", performative(amqp.BEGIN, 0, Uint(0), Uint(1), Uint(1)),
            "amqp:decode-error"),
        Row("a session that has not begun", attach_frame("l", 0, False, "x", channel=3),
            "amqp:illegal-state"),
        Row("sessions without end", b"".join(begin_frame(channel=n) for n in range(1, 9)),
            "amqp:not-allowed"),
        Row("a transfer on no link", transfer_frame(5, 0, b"x"), "amqp:session:unattached-handle"),
        Row("a detach of no link", performative(amqp.DETACH, Uint(5), True),
            "amqp:session:unattached-handle"),
        Row("a flow for no link", flow_frame(5), "amqp:session:unattached-handle"),
        Row("a handle beyond ours", attach_frame("l", 99, False, address), "amqp:not-allowed"),
        Row("one handle twice", link + link, "amqp:session:handle-in-use"),
        Row("links without end",
            b"".join(attach_frame(f"l{n}", n, False, address) for n in range(32)) +
            begin_frame(channel=1) + attach_frame("more", 0, False, address, channel=1),
            "amqp:resource-limit-exceeded"),
        Row("refused links without end",
            b"".join(attach_frame(f"l{n}", n, False, "nowhere") for n in range(16)),
            "amqp:resource-limit-exceeded"),
        Row("a link's name of 600 bytes", attach_frame("n" * 600, 0, False, address),
            "amqp:invalid-field"),
        Row("a link with a hundred properties",
            attach_frame("l", 0, False, address, {f"p{n}": "v" for n in range(100)}),
            "amqp:resource-limit-exceeded"),
        Row("a link with a list as a property",
            attach_frame("l", 0, False, address, {"p": ["v"]}), "amqp:decode-error"),
        Row("a link without a role", performative(amqp.ATTACH, "l", Uint(0)), "amqp:invalid-field"),
        Row("a settle mode of 7", attach_frame("l", 0, False, address, settles=Ubyte(7)),
            "amqp:invalid-field"),
        Row("a handle that is a text", performative(amqp.ATTACH, "l", "0", False), "amqp:decode-error"),
        Row("more messages than there is credit for",
            link + b"".join(transfer_frame(0, n, b"") for n in range(11)) +
            performative(amqp.CLOSE), None),
        Row("a transfer without a delivery id", link + transfer_frame(0, None, b"x", more=True),
            "amqp:invalid-field"),
        Row("another delivery id within a message",
            link + transfer_frame(0, 0, b"x", more=True) + transfer_frame(0, 1, b"x"),
            "amqp:invalid-field"),
        Row("a delivery tag of 33 bytes", link + transfer_frame(0, 0, b"x", tag=b"t" * 33),
            "amqp:decode-error"),
        Row("a transfer where the client receives",
            attach_frame("l", 0, True, address) + transfer_frame(0, 0, b"x"), "amqp:not-allowed"),
        Row("a disposition that ends before it begins",
            performative(amqp.DISPOSITION, True, Uint(9), Uint(2), True), "amqp:invalid-field"),
        Row("a disposition without a role", performative(amqp.DISPOSITION, None, Uint(0)),
            "amqp:invalid-field"),
    ]


class AmqpWire(Steady):
    def device(self, word="dev"):
        return self.own(word), self.ours.leaf(self.root, self.own(word)).credential

    def amqp(self, credential=None):
        return Amqp(self.server, credential or self.good)

    def answer(self, name, credential, **how):
        with self.amqp(credential) as device:
            return registered(device.start(), name, **how)

    # --- what the C SDK does ---

    def test_both_forms_of_an_address(self):
        for number, form in enumerate(("{scope}/registrations/{id}",
                                       "amqps://dps.example/{scope}/registrations/{id}")):
            name, credential = self.device(f"dev{number}")
            answer = self.answer(name, credential, form=form)
            self.assertEqual(answer.json["status"], "assigned", answer.body)
            self.assertIsNone(answer.correlation)
            self.assertEqual(answer.json["registrationState"]["deviceId"], name)

    def test_a_correlation_id_comes_back_as_it_was(self):
        uuid = Raw(b"\x98" + bytes(range(16)))
        for number, (sent, back) in enumerate(((amqp.Ulong(7), 7), ("abc", "abc"), (b"\0\xff", b"\0\xff"),
                                               (uuid, bytes(range(16))))):
            name, credential = self.device(f"dev{number}")
            self.assertEqual(self.answer(name, credential, correlation=sent).correlation, back)

    def test_refusals_reject_with_our_body(self):
        stranger = self.ours.self_signed(self.own("stranger"))
        condition, body = self.answer(self.own("stranger"), stranger.credential)
        self.assertEqual((condition, body["errorCode"]), ("amqp:unauthorized-access", 401002))
        name, credential = self.device()
        for version, code in (("", 400001), ("yesterday", 400001)):
            condition, body = self.answer(name, credential, version=version)
            self.assertEqual((condition, body["errorCode"]),
                             ("com.microsoft:argument-error", code))

    def test_bad_requests_are_rejected_and_the_next_is_taken(self):
        name, credential = self.device()
        address = f"{self.server.scope}/registrations/{name}"
        kind = {"iotdps-operation-type": "iotdps-register"}
        many = {f"p{n}": "v" for n in range(200)}
        rows = [
            ("no operation", message(b"{}"), "com.microsoft:argument-error"),
            ("an unknown one", message(b"{}", properties={"iotdps-operation-type": "x"}),
             "com.microsoft:argument-error"),
            ("an operation that is a number", message(b"{}", properties={"iotdps-operation-type": 7}),
             "com.microsoft:argument-error"),
            ("no JSON", message(b"{", properties=kind), "com.microsoft:argument-error"),
            ("another id", message(b'{"registrationId":"other"}', properties=kind),
             "com.microsoft:argument-error"),
            ("no sections", b"\x40", "com.microsoft:argument-error"),
            ("a section twice", message(b"{}", properties=kind) * 2, "com.microsoft:argument-error"),
            ("a cut section", message(b"{}", properties=kind)[:-1], "com.microsoft:argument-error"),
            ("a body that is a list", message(value=[1], properties=kind),
             "com.microsoft:argument-error"),
            ("two hundred properties", message(b"{}", properties={**kind, **many}),
             "com.microsoft:argument-error"),
            ("a list as a property", message(b"{}", properties={**kind, "x": [1]}),
             "com.microsoft:argument-error"),
            ("an operation nobody knows",
             message(value="", properties={"iotdps-operation-type": "iotdps-get-operationstatus",
                                           "iotdps-operation-id": "4.x"}), "amqp:not-found"),
            ("no operation id",
             message(value="", properties={"iotdps-operation-type": "iotdps-get-operationstatus"}),
             "com.microsoft:argument-error"),
        ]
        with self.amqp(credential) as device:
            device.start()
            device.attach(0, True, address)
            device.attach(1, False, address, properties={"com.microsoft:api-version": "2021-06-01"})
            for number, (what, sent, condition) in enumerate(rows):
                with self.row(what):
                    rejection = device.request(1, number, sent)
                    self.assertIsNotNone(rejection, "accepted")
                    self.assertEqual(rejection[0], condition)
            self.assertIsNone(device.request(1, len(rows), message(b"{}", properties=kind)))
            answer = device.answer().json
            self.assertEqual(answer["status"], "assigned")
            self.assertIsNone(device.request(1, len(rows) + 1, message(value="", properties={
                "iotdps-operation-type": "iotdps-get-operationstatus",
                "iotdps-operation-id": answer["operationId"]})))
            self.assertEqual(device.answer().json["status"], "assigned")

    def test_what_a_link_may_be(self):
        name, credential = self.device()
        refused = [(f"{self.server.scope}/registrations/", "amqp:not-found"), ("", "amqp:not-found"),
                   ("devices", "amqp:not-found"), (f"/devices/{name}", "amqp:not-found"),
                   (f"/devices/{name}/messages/events", "amqp:unauthorized-access"),
                   (f"/devices/{name}/modules/m/messages/events", "amqp:not-found"),
                   ("$management", "amqp:not-found")]
        for address, condition in refused:
            with self.amqp(credential) as device:
                device.start()
                with self.assertRaises(amqp.Refused) as refusal:
                    device.attach(0, False, address)
                self.assertEqual(refusal.exception.condition, condition, address)
        with Amqp(self.server) as device:  # without a certificate
            device.start()
            with self.assertRaises(amqp.Refused) as refusal:
                device.attach(0, False, f"{self.server.scope}/registrations/{name}")
            self.assertEqual(refusal.exception.condition, "amqp:unauthorized-access")
        with self.amqp(credential) as device:  # one connection is for one registration
            device.start()
            device.attach(0, False, f"{self.server.scope}/registrations/{name}")
            with self.assertRaises(amqp.Refused) as refusal:
                device.attach(1, False, f"{self.server.scope}/registrations/other")
            self.assertEqual(refusal.exception.condition, "amqp:not-allowed")

    def test_sasl(self):
        for mechanism, response in (("PLAIN", b"\0user\0secret"), ("PLAIN", b"user\0user\0secret"),
                                    ("EXTERNAL", None), ("EXTERNAL", b""), ("ANONYMOUS", b"me"),
                                    ("MSSBCBS", None)):
            name, credential = self.device(f"{mechanism.lower()}-{len(response or b'')}")
            with self.amqp(credential) as device:
                device.send(init(mechanism, response))
                self.assertEqual(device.read(8), SASL_HEADER)
                self.assertIn(b"PLAIN", device.frame().fields[0])
                outcome = device.frame()
                self.assertEqual((outcome.kind, outcome.fields[0]), (amqp.OUTCOME, 0))
                self.assertEqual(registered(device.start(), name).json["status"], "assigned")

    # --- the hub ---

    def test_tokens_put_to_cbs(self):
        name, credential = self.device()
        self.answer(name, credential)
        with Amqp(self.server) as device:  # without a certificate
            device.start()
            device.attach(0, False, "$cbs")
            device.attach(1, True, "$cbs")
            put = {"operation": "put-token", "type": "servicebus.windows.net:sastoken"}
            good = "SharedAccessSignature sr=dps.example%2Fdevices%2F" + name + "&sig=" + \
                "A" * 43 + "%3D&se=4000000000"
            for number, token in enumerate(("", "x", "SharedAccessSignature", good, good[:60],
                                            good.replace("devices", "other"))):
                self.assertIsNone(device.request(0, number, message(value=token, ident=f"m{number}",
                                                                    properties=put)))
                answer = device.answer()
                self.assertEqual((answer.correlation, answer.properties["status-code"]),
                                 (f"m{number}", 401), token)
            for number, sent in enumerate((b"", b"\x40", message(value=good), message(
                    value=good, properties={"operation": "get-token"}))):
                self.assertEqual(device.request(0, 10 + number, sent)[0],
                                 "com.microsoft:argument-error")
            with self.assertRaises(amqp.Refused) as refusal:
                device.attach(2, False, f"/devices/{name}/messages/events")
            self.assertEqual(refusal.exception.condition, "amqp:unauthorized-access")

    def hub(self, word="dev"):
        """A device that has registered, and its session."""
        name, credential = self.device(word)
        self.assertEqual(self.answer(name, credential).json["status"], "assigned")
        device = self.amqp(credential)
        self.addCleanup(device.socket.close)
        return name, device.start()

    def bodies(self, name, count):
        lines = self.server.command("device", "watch", name, "--from-start", "--count", str(count),
                                    "--json").out.splitlines()
        return [json.loads(line)["body"] for line in lines]

    def test_batches_as_the_c_sdk_sends_them(self):
        name, device = self.hub()
        attach = device.attach(0, False, f"amqps://hub.example/devices/{name}/messages/events")
        self.assertGreaterEqual(attach.fields[10], 256 * KB)
        inner = []
        for number in range(3):  # properties, application properties, annotations, data
            inner.append(
                described(amqp.PROPERTIES, [f"m{number}"]) +
                described(amqp.APPLICATION, {"kind": "farm & field"}) +
                described(amqp.ANNOTATIONS, {amqp.Symbol("x"): "y"}) +
                described(amqp.DATA, f"body {number}".encode()))
        self.assertIsNone(device.request(0, 0, message(inner), form=amqp.BATCH))
        self.assertEqual(self.bodies(name, 3), ["body 0", "body 1", "body 2"])
        for what, sent in (("one of them is none", message([inner[0], b"nonsense"])),
                           ("one of them is too large",
                            message([message(b"a"), message(b"b" * (257 * KB))]))):
            rejection = device.request(0, 1, sent, form=amqp.BATCH) if len(sent) < 60 * KB else \
                self.in_parts(device, 0, 1, sent, amqp.BATCH)
            self.assertIsNotNone(rejection, what)
        self.assertIsNone(device.request(0, 2, message(b"after")))
        self.assertEqual(self.bodies(name, 4)[-1], "after")  # nothing of a bad batch was kept

    @staticmethod
    def in_parts(device, handle, number, sent, form=0):
        parts = [sent[at:at + 60 * KB] for at in range(0, len(sent), 60 * KB)]
        for part in parts[:-1]:
            device.send(transfer_frame(handle, number, part, more=True, form=form))
        return device.request(handle, number, parts[-1], form=form)

    def test_large_messages_come_in_parts(self):
        name, device = self.hub()
        device.attach(0, False, f"/devices/{name}/messages/events")
        self.assertIsNone(self.in_parts(device, 0, 0, message(b"x" * (200 * KB))))
        device.send(transfer_frame(0, 1, b"half", more=True),
                    transfer_frame(0, 1, b"", aborted=True))
        self.assertIsNone(device.request(0, 2, message(b"y")))
        self.assertEqual([len(body) for body in self.bodies(name, 2)], [200 * KB, 1])

    def test_messages_beyond_the_bound_end_their_link(self):
        name, device = self.hub()
        device.attach(0, False, f"/devices/{name}/messages/events")
        for _ in range(6):
            device.send(transfer_frame(0, 0, b"x" * (60 * KB), more=True))
        detach = device.frame()
        while detach.kind != amqp.DETACH:
            detach = device.frame()
        self.assertEqual(amqp.error_of(detach.fields[2]), "amqp:link:message-size-exceeded")
        device.send(performative(amqp.DETACH, Uint(0), True))
        device.attach(1, False, f"/devices/{name}/messages/events")
        self.assertIsNone(device.request(1, 1, message(b"still here")))

    def test_without_credit_nothing_is_sent(self):
        name, device = self.hub()
        self.command("device", "send", name, "waits")
        device.attach(2, True, f"/devices/{name}/messages/devicebound", credit=0)
        device.send(flow_frame(2, 0, echo=True))
        self.assertEqual(device.frame().kind, amqp.FLOW)  # no credit, no message
        device.send(flow_frame(2, 1))
        self.assertEqual(device.answer().body, b"waits")

    def test_a_twin_over_amqp(self):
        name, device = self.hub()
        address = f"amqps://hub.example/devices/{name}/twin/"
        device.attach(0, False, address)
        device.attach(1, True, address)

        def ask(number, operation, resource=None, body=b" "):
            annotations = {"operation": operation}
            if resource is not None:
                annotations["resource"] = resource
            self.assertIsNone(device.request(0, number, message(body, "c", annotations=annotations)))
            return device.answer()

        twin = ask(0, "GET")
        self.assertEqual((twin.annotations, twin.correlation), ({"status": 200}, "c"))
        self.assertEqual(twin.json["reported"]["$version"], 1)
        told = ask(1, "PATCH", "/properties/reported", b'{"fan":1}')
        self.assertEqual(told.annotations, {"status": 200, "version": 2})
        self.assertEqual(ask(2, "PATCH", "/properties/reported", b"[").annotations["status"], 400)
        self.assertEqual(ask(3, "PATCH", "/elsewhere", b"{}").annotations["status"], 400)
        self.assertEqual(ask(4, "PUT", "/notifications/twin/properties/desired").annotations,
                         {"status": 200})
        self.command("device", "twin", name, "--desired", '{"a":1}')
        change = device.answer()
        self.assertEqual((change.json["a"], change.correlation), (1, None))
        self.assertEqual(change.annotations["version"], 2)

    def test_a_second_connection_takes_over(self):
        name, credential = self.device()
        self.answer(name, credential)
        address = f"/devices/{name}/messages/events"
        with self.amqp(credential) as first, self.amqp(credential) as second:
            first.start().attach(0, False, address)
            second.start().attach(0, False, address)
            self.assertEqual(first.closes(), "amqp:link:stolen")
            self.assertIsNone(second.request(0, 0, message(b"still here")))

    # --- what nobody should send ---

    def test_before_open(self):
        for row in BEFORE_OPEN:
            with self.row(row.what), self.amqp() as device:
                device.send(row.sent)
                self.closes(device, row)
        self.a_good_device_comes_in()

    def closes(self, device, row):
        first = device.read(8)
        self.assertIn(first, (HEADER, SASL_HEADER))
        if first == SASL_HEADER:
            while device.read(1) is not None:
                pass
            self.assertIsNone(row.condition)
        else:
            self.assertEqual(device.closes(), row.condition)

    def test_after_begin(self):
        address = f"{self.server.scope}/registrations/good"
        for row in after_begin(address):
            with self.row(row.what), self.amqp() as device:
                device.start().send(row.sent)
                self.assertEqual(device.closes(), row.condition)
        self.a_good_device_comes_in()

    def test_frames_beyond_the_bound(self):
        with self.amqp() as device:
            device.start()
            self.assertEqual(device.opened.fields[2], 64 * KB)
            device.send(transfer_frame(0, 0, b"x" * (64 * KB)))
            self.assertEqual(device.closes(), "amqp:connection:framing-error")

    def test_a_flood_of_transfers_meets_the_window(self):
        """Settled messages to nowhere: the session's window is counted for each of them."""
        with self.amqp() as device:
            device.start()
            device.send(attach_frame("l", 0, False, "nowhere"))
            self.assertEqual(device.until(amqp.ATTACH).kind, amqp.ATTACH)
            device.send(*(transfer_frame(0, n, b"", settled=True) for n in range(5000)))
            device.send(performative(amqp.CLOSE))
            self.assertIsNone(device.closes())
        self.a_good_device_comes_in()

    def test_more_than_there_is_credit_for_ends_the_link(self):
        """What was acknowledged before that is kept."""
        name, device = self.hub()
        credit = 100
        device.attach(0, False, f"/devices/{name}/messages/events")
        device.send(b"".join(transfer_frame(0, n, message(str(n).encode()))
                             for n in range(2 * credit)))
        settled, ended = 0, None
        while ended is None:
            heard = device.frame()
            if heard.kind == amqp.DETACH:
                ended = amqp.error_of(heard.fields[2])
            elif heard.kind == amqp.DISPOSITION:
                settled = 1 + (heard.fields[2] if heard.fields[2] is not None else heard.fields[1])
        self.assertEqual(ended, "amqp:link:transfer-limit-exceeded")
        self.assertLess(settled, 2 * credit)
        device.send(performative(amqp.DETACH, Uint(0), True))
        device.attach(1, False, f"/devices/{name}/messages/events")
        self.assertIsNone(device.request(1, 2 * credit, message(b"still here")))
        self.assertEqual(self.bodies(name, settled), [str(n) for n in range(settled)])

    def test_an_empty_frame_keeps_a_connection_and_heartbeats_come(self):
        with self.amqp() as device:
            device.start(idle=2000)
            self.assertEqual(struct.unpack(">I", device.read(8)[:4])[0], 8)  # a heartbeat
            device.send(frame(), frame())
            self.assertEqual(struct.unpack(">I", device.read(8)[:4])[0], 8)

    def test_a_client_that_closes_is_answered(self):
        with self.amqp() as device:
            device.start()
            device.send(performative(amqp.END))
            self.assertEqual(device.frame().kind, amqp.END)
            device.send(begin_frame(), performative(amqp.CLOSE))
            self.assertEqual(device.frame().kind, amqp.BEGIN)
            self.assertEqual(device.frame().kind, amqp.CLOSE)
            self.assertIsNone(device.read(1))


if __name__ == "__main__":
    main()
