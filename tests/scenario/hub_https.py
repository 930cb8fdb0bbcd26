#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The hub over HTTPS: telemetry alone and in batches, messages under locks, and what it refuses: the
right status, the hub's own form of an error, nothing kept."""
import base64
import contextlib
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.mqtt import provision  # noqa: E402
from lab.raw import Raw  # noqa: E402
from lab.scenario import main  # noqa: E402
from lab.wire import Wire  # noqa: E402

KB = 1024
V = "?api-version=2020-03-13"
BATCH = {"Content-Type": "application/vnd.microsoft.iothub.json"}
EVENTS = f"/devices/good/messages/events{V}"
BOUND = f"/devices/good/messages/devicebound{V}"


def settled(token, rest="", query=""):
    """The address of a message by its lock."""
    return f"/devices/good/messages/devicebound/{token}{rest}{V}{query}"


class HubHttps(Wire):
    def refused(self, answer, status, word, *allow):
        self.assertEqual(answer.status, status, answer.text)
        self.assertEqual(set(answer.json), {"Message"})
        self.assertTrue(answer.json["Message"].startswith(f"ErrorCode:{word};"), answer.text)
        self.assertEqual(answer.headers["iothub-errorcode"], word)
        self.assertEqual(tuple(filter(None, (answer.headers.get("allow"),))), allow)

    @contextlib.contextmanager
    def nothing_kept(self, what):
        with self.subTest(what):
            before = self.kept()
            yield
            self.assertEqual(self.kept(), before, what)

    def test_who_may_not(self):
        stranger = self.openssl.self_signed("good").credential
        sibling = self.ours.leaf(self.root, "good").credential
        newcomer = self.ours.leaf(self.root, "unheard-of").credential
        for what, credential, device in (
                ("no certificate", None, "good"), ("a stranger", stranger, "good"),
                ("a leaf that never registered", sibling, "good"),
                ("another device", self.good, "bystander"), ("another case", self.good, "GOOD"),
                ("nobody", self.good, "nobody"), ("an unheard-of device", newcomer, "unheard-of")):
            for method, rest in (("POST", "events"), ("GET", "devicebound"),
                                 ("DELETE", "devicebound/x"), ("POST", "devicebound/x/abandon")):
                with self.nothing_kept(f"{what}, {method} {rest}"), self.talk(credential) as talk:
                    answer = talk.ask(method, f"/devices/{device}/messages/{rest}{V}", "x")
                    self.refused(answer, 401, "IotHubUnauthorized")
                    self.assertEqual(answer.headers["connection"], "close")
        self.everybody_is_served()

    def test_addresses(self):
        with self.row("all addresses"), self.talk(self.good) as talk:
            for path in ("/devices/", "/devices/good", "/devices/good/messages", "/devices/good/x/y",
                         "/devices/good/messages/event", "/devices/good/messages/events/x",
                         "/devices/good/messages/devicebound/x/y",
                         "/devices/good/messages/devicebound/x/abandon/z",
                         "/devices/good/modules/m/messages/events", "/devices/good/files",
                         "/devices/good/messages/../messages/events/x"):
                for method in ("GET", "POST", "DELETE"):
                    with self.nothing_kept(f"{method} {path}"):
                        self.refused(talk.ask(method, path + V), 404, "NotFound")
            for path, allowed in ((EVENTS, "POST"), (BOUND, "GET"), (settled("x"), "DELETE"),
                                  (settled("x", "/abandon"), "POST")):
                for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} - {allowed}:
                    with self.nothing_kept(f"{method} {path}"):
                        self.refused(talk.ask(method, path), 405, "ArgumentInvalid", allowed)
            for device in ("a%20b", "%FF", "%00", "g" * 129, "%2F", "a%"):
                with self.nothing_kept(device[:10]):
                    self.refused(talk.ask("POST", f"/devices/{device}/messages/events{V}", "x"),
                                 400, "ArgumentInvalid")
            self.assertEqual(talk.ask("POST", EVENTS, "in step").status, 204)

    def test_telemetry(self):
        before = len(self.telemetry("good"))
        with self.talk(self.good) as talk:
            for number, (body, headers, own, system) in enumerate((
                    (b"", {}, {}, {}), (b"text", {"iothub-app-a": "1", "IoTHub-App-B": "2 3"},
                                        {"a": "1", "B": "2 3"}, {}),
                    (b"\xff", {"IoTHub-MessageId": "m", "iothub-correlationid": "c",
                               "iothub-contenttype": "t", "iothub-contentencoding": "e",
                               "iothub-unknown": "x"}, {},
                     {"$.mid": "m", "$.cid": "c", "$.ct": "t", "$.ce": "e"}),
                    (bytes(256 * KB), {}, {}, {}))):
                answer = talk.ask("POST", EVENTS, body, **headers)
                self.assertEqual((answer.status, answer.text), (204, ""))
                self.assertNotIn("content-length", answer.headers)
                kept = self.telemetry("good")[before + number]
                self.assertEqual((kept["properties"], kept["systemProperties"]), (own, system))
            self.assertEqual(talk.ask("post".upper(), EVENTS.upper().replace("GOOD", "good"),
                                      "x").status, 204)
        with Raw(self.server, self.good) as raw:  # in chunks
            raw.send(f"POST {EVENTS} HTTP/1.1\r\nHost: dps.example\r\nTransfer-Encoding: chunked\r\n"
                     "\r\n3;x=y\r\nin \r\n6\r\nchunks\r\n0\r\nTrailer: x\r\n\r\n".encode())
            self.assertEqual(raw.answer(), 204)
        self.assertEqual(self.telemetry("good")[-1]["body"], "in chunks")

    def test_bodies_too_large(self):
        head = f"POST {EVENTS} HTTP/1.1\r\nHost: dps.example\r\n"
        chunk = f"{128 * KB:x}\r\n".encode() + bytes(128 * KB) + b"\r\n"
        for what, sent in (
                ("256 KB and a byte", f"{head}Content-Length: {256 * KB + 1}\r\n\r\n".encode()),
                ("as much as there is", f"{head}Content-Length: {2**63}\r\n\r\n".encode()),
                ("in chunks", f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunk * 2 +
                 b"1\r\nx\r\n0\r\n\r\n")):
            with self.nothing_kept(what), Raw(self.server, self.good) as raw:
                raw.send(sent)
                self.assertEqual(raw.rest(), [413], raw.body)
                self.assertIn(b"262144 bytes", raw.body)
        with self.nothing_kept("129 properties"), self.talk(self.good) as talk:
            answer = talk.ask("POST", EVENTS, "x",
                              **{f"iothub-app-{number}": "x" for number in range(129)})
            self.refused(answer, 413, "ArgumentInvalid")
        with self.talk(self.good) as talk:
            self.assertEqual(talk.ask("POST", EVENTS, "x", **{
                f"iothub-app-{number}": "x" for number in range(128)}).status, 204)
        self.everybody_is_served()

    def test_batches(self):
        good = {"body": base64.b64encode(b"one").decode()}
        with self.talk(self.good) as talk:
            for batch in ("", "{", "{}", "1", "null", '"x"', "[1]", "[null]", "[[]]", "[{}]",
                          '[{"body":1}]', '[{"body":null}]', '[{"body":"%"}]', '[{"body":"Y"}]',
                          "[" * 40 + "]" * 40, b'[{"body":"\xff"}]',
                          json.dumps([good, good, {"body": "no base64!"}]),
                          json.dumps([good]) + "x"):
                with self.nothing_kept(f"batch {batch[:40]!r}"):
                    self.refused(talk.ask("POST", EVENTS, batch, **BATCH), 400, "ArgumentInvalid")
            with self.nothing_kept("a batch with a message of 129 properties"):
                many = {**good, "properties": {f"iothub-app-{n}": "" for n in range(129)}}
                self.refused(talk.ask("POST", EVENTS, json.dumps([good, many]), **BATCH), 413,
                             "ArgumentInvalid")
            self.assertEqual(talk.ask("POST", EVENTS, "[]", **BATCH).status, 204)
            before = len(self.telemetry("good"))
            batch = [good, {"body": "two", "base64Encoded": False,
                            "properties": {"iothub-app-a": "b", "iothub-messageid": "m", "x": 1}}]
            self.assertEqual(talk.ask("POST", EVENTS, json.dumps(batch), **BATCH).status, 204)
            one, two = self.telemetry("good")[before:]
            self.assertEqual((one["body"], two["body"]), ("one", "two"))
            self.assertEqual((two["properties"], two["systemProperties"]),
                             ({"a": "b"}, {"$.mid": "m"}))

    def test_messages_and_their_locks(self):
        with self.talk(self.good) as talk:
            def fetched():
                return talk.ask("GET", BOUND)
            self.assertEqual(fetched().status, 204)
            self.command("device", "send", "good", "one", "--property", "a=b c", "--id", "m 1",
                         "--content-type", "text/plain")
            self.command("device", "send", "good", "two")
            one = fetched()
            self.assertEqual((one.status, one.text), (200, "one"))
            self.assertEqual((one.headers["iothub-app-a"], one.headers["iothub-messageid"],
                              one.headers["iothub-contenttype"]), ("b c", "m 1", "text/plain"))
            lock = one.headers["etag"].strip('"')
            two = fetched()
            self.assertEqual(two.text, "two")
            self.assertEqual(fetched().status, 204)  # both are locked
            for what, method, path in (
                    ("no such lock", "DELETE", settled("x")), ("an empty one", "DELETE",
                                                               settled("%20")),
                    ("a guessed one", "DELETE", settled("00000000-0000-0000-0000-000000000000")),
                    ("abandoning without a lock", "POST", settled("x", "/abandon")),
                    ("rejecting without a lock", "DELETE", settled("x", "", "&reject")),
                    ("a lock cut short", "DELETE", settled(lock[:-1]))):
                with self.nothing_kept(what):
                    self.refused(talk.ask(method, path), 412, "DeviceMessageLockLost")
            with self.subTest("another device's lock"), \
                    self.talk(self.provisioned()[1]) as other:
                name = self.own("d")
                self.refused(other.ask("DELETE", settled(lock).replace("good", name)), 412,
                             "DeviceMessageLockLost")
            answer = talk.ask("POST", settled(lock, "/abandon"))
            self.assertEqual((answer.status, answer.text), (204, ""))
            self.refused(talk.ask("DELETE", settled(lock)), 412, "DeviceMessageLockLost")
            again = fetched()
            self.assertEqual(again.text, "one")  # under another lock
            self.assertNotEqual(again.headers["etag"], one.headers["etag"])
            lock = again.headers["etag"].strip('"')
            self.assertEqual(talk.ask("DELETE", settled(lock)).status, 204)
            self.refused(talk.ask("DELETE", settled(lock)), 412, "DeviceMessageLockLost")
            lock = two.headers["etag"].strip('"')
            self.assertEqual(talk.ask("DELETE", settled(lock, "", "&reject")).status, 204)
            self.assertEqual(self.of("good", "messages")["items"], [])

    def test_properties_that_are_no_header(self):
        """They must not break the answer, nor add to it."""
        self.operator.ask("POST", "/devices/good/messages", {"body": "odd", "properties": {
            "a\r\nInjected": "x", "b": "x\r\nInjected: y\r\n\r\nz", "c d": "1", "ä": "ö", "n": None,
            "e:f": "1", "\0": "1", "d\x7f": "1", "ok!": "kept"}})
        with self.talk(self.good) as talk:
            answer = talk.ask("GET", BOUND)
            self.assertEqual((answer.status, answer.text), (200, "odd"))
            self.assertEqual({name: value for name, value in answer.headers.items()
                              if name.startswith("iothub-app-") or "inject" in name},
                             {"iothub-app-b": "x  Injected: y    z", "iothub-app-n": "",
                              "iothub-app-ok!": "kept"})
            lock = answer.headers["etag"].strip('"')
            self.assertEqual(talk.ask("DELETE", settled(lock)).status, 204)

    def test_https_beside_a_session(self):
        name, credential = self.provisioned()
        with self.hub(name, credential) as session, self.talk(credential) as talk:
            answer = talk.ask("POST", f"/devices/{name}/messages/events{V}", "x")
            self.assertEqual(answer.status, 204)
            session.ping()  # nobody was taken over
        self.assertTrue(provision(self.server, name, credential, websocket={}).assigned)


if __name__ == "__main__":
    main()
