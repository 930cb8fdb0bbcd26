#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""IoT Hub's registry, request by request: what nobody should send is refused in the registry's own
words, changes nothing, and is never a 5xx."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.operator import Operator  # noqa: E402
from lab.scenario import main  # noqa: E402
from lab.steady import Steady  # noqa: E402

VERSION = "?api-version=2021-04-12"


class Registry(Steady):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service = Operator(cls.server, api="")
        root = cls.ours.root("Registry Root")
        cls.server.command("group", "create", "registry")
        cls.server.command("group", "cert", "set", "registry", "primary", root.certificate,
                           "--vouch")
        cls.leaf = cls.ours.leaf(root, "kept").credential

    @classmethod
    def tearDownClass(cls):
        cls.service.close()
        super().tearDownClass()

    def ask(self, method, path, body=None, headers=None):
        return self.service.ask(method, path + VERSION, body, headers)

    def state(self):
        return [self.ask("GET", path).json for path in ("/devices/kept", "/twins/kept")]

    def assert_refused_as(self, answer, status, word):
        self.assertEqual(answer.status, status, answer.text)
        self.assertTrue(answer.json["Message"].startswith(f"ErrorCode:{word};"), answer.text)
        self.assertRegex(answer.json["ExceptionMessage"], "^Tracking ID:[0-9a-f-]{36}-TimeStamp:")

    def test_bad_requests_change_nothing(self):
        self.assert_assigned("kept", self.leaf)
        deep = {"a": 1}
        for _ in range(40):
            deep = {"a": deep}
        rows = [
            ("GET", "/devices/nobody", None, 404, "DeviceNotFound"),
            ("GET", "/devices/no%20id", None, 404, "DeviceNotFound"),
            ("GET", "/devices/no%00id", None, 400, "ArgumentInvalid"),
            ("GET", "/twins/nobody", None, 404, "DeviceNotFound"),
            ("DELETE", "/devices/nobody", None, 404, "DeviceNotFound"),
            ("GET", "/devices/kept/keys", None, 404, "NotFound"),
            ("POST", "/devices/kept", {}, 405, "ArgumentInvalid"),
            ("PUT", "/twins/kept", {}, 405, "ArgumentInvalid"),
            ("PUT", "/devices/new", {"deviceId": "new"}, 400, "ArgumentInvalid"),
            ("PUT", "/devices/kept", {"deviceId": "other"}, 400, "ArgumentInvalid"),
            ("PUT", "/devices/kept", {"status": "maybe"}, 400, "ArgumentInvalid"),
            ("PUT", "/devices/kept", {"status": 1}, 400, "ArgumentInvalid"),
            ("PUT", "/devices/kept", "nothing", 400, "ArgumentInvalid"),
            ("PATCH", "/twins/kept", {"tags": 7}, 400, "ArgumentInvalid"),
            ("PATCH", "/twins/kept", {"properties": {"desired": [1]}}, 400, "ArgumentInvalid"),
            ("PATCH", "/twins/kept", {"tags": {"a.b": 1}}, 400, "ArgumentInvalid"),
            ("PATCH", "/twins/kept", {"tags": deep}, 400, "ArgumentInvalid"),
            ("PATCH", "/twins/kept", {"tags": {"a": "x" * 9000}}, 413, "MessageTooLarge"),
            ("POST", "/devices/query", {}, 400, "ArgumentInvalid"),
            ("POST", "/devices/query", {"query": 7}, 400, "ArgumentInvalid"),
            ("POST", "/devices/query", {"query": "DROP TABLE devices"}, 400, "ArgumentInvalid"),
            ("POST", "/twins/kept/methods", {}, 400, "ArgumentInvalid"),
            ("POST", "/twins/kept/methods", {"methodName": "a"}, 404, "DeviceNotOnline"),
            ("POST", "/twins/nobody/methods", {"methodName": "a"}, 404, "DeviceNotFound"),
        ]
        before = self.state()
        for method, path, body, status, word in rows:
            with self.row(f"{method} {path} {json.dumps(body)[:60]}"):
                self.assert_refused_as(self.ask(method, path, body), status, word)
        self.assertEqual(self.state(), before)

    def test_pages(self):
        query = {"query": "SELECT * FROM devices"}
        for headers in ({"x-ms-max-item-count": "0"}, {"x-ms-max-item-count": "many"},
                        {"x-ms-continuation": "!"}):
            with self.row(str(headers)):
                self.assert_refused_as(self.ask("POST", "/devices/query", query, headers), 400,
                                       "ArgumentInvalid")
        self.assert_refused_as(self.service.ask("GET", "/devices?top=-1"), 400, "ArgumentInvalid")

    def test_another_etag(self):
        self.assert_assigned("kept", self.leaf)
        before = self.state()
        for method, path, body in (("PUT", "/devices/kept", {"status": "disabled"}),
                                   ("DELETE", "/devices/kept", None),
                                   ("PATCH", "/twins/kept", {"tags": {"a": 1}})):
            with self.row(f"{method} {path}"):
                answer = self.ask(method, path, body, {"If-Match": '"another"'})
                self.assert_refused_as(answer, 412, "PreconditionFailed")
        self.assertEqual(self.state(), before)


if __name__ == "__main__":
    main()
