#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The device HTTPS door as clients meet it: answers, headers, error bodies, odd and slow clients."""
import concurrent.futures
import json
import os
import socket
import ssl
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.device import Conversation  # noqa: E402
from lab.scenario import Scenario, main  # noqa: E402
from lab.server import Server  # noqa: E402

GUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
TICKS = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$"


class Wire(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.root = cls.ours.root("Wire Root")
        cls.server.command("group", "create", "wire")
        cls.server.command("group", "cert", "set", "wire", "primary", cls.root.certificate,
                           "--vouch")

    def device(self, word="dev"):
        return self.own(word), self.ours.leaf(self.root, self.own(word)).credential

    def assert_common_headers(self, answer):
        self.assertEqual(answer.headers["content-type"], "application/json; charset=utf-8")
        self.assertEqual(answer.headers["strict-transport-security"],
                         "max-age=31536000; includeSubDomains")
        self.assertRegex(answer.headers["x-ms-request-id"], f"^{GUID}$")
        self.assertEqual(int(answer.headers["content-length"]), len(answer.text.encode()))

    def assert_error(self, answer, status, code):
        self.assertEqual((answer.status, answer.json["errorCode"]), (status, code), answer.text)
        self.assert_common_headers(answer)
        body = answer.json
        self.assertEqual(set(body), {"errorCode", "trackingId", "message", "timestampUtc"})
        self.assertEqual(body["trackingId"], answer.headers["x-ms-request-id"])
        self.assertRegex(body["timestampUtc"], TICKS)
        self.assertTrue(body["message"])

    # --- the good way ---

    def test_register_poll_assigned(self):
        name, credential = self.device()
        with self.talk(credential) as talk:
            answer = talk.put(name)
            self.assertEqual(answer.status, 202)
            self.assert_common_headers(answer)
            self.assertEqual(answer.headers["retry-after"], "1")
            self.assertRegex(answer.headers["location"], f"/{name}/register$")
            body = answer.json
            self.assertEqual(body["status"], "assigning")
            self.assertRegex(body["operationId"], rf"^\d\.[0-9a-f]{{16}}\.{GUID}$")
            self.assertEqual(body["registrationState"],
                             {"registrationId": name, "status": "assigning"})
            answer = talk.poll(name, body["operationId"])
        self.assertEqual(answer.status, 200)
        self.assert_common_headers(answer)
        state = answer.json["registrationState"]
        self.assertEqual(answer.json["operationId"], body["operationId"])
        self.assertEqual(answer.json["status"], "assigned")
        self.assertEqual(state["x509"], {"enrollmentGroupId": "wire"})
        self.assertEqual((state["registrationId"], state["deviceId"]), (name, name))
        self.assertEqual((state["status"], state["substatus"]), ("assigned", "initialAssignment"))
        self.assertEqual(state["assignedHub"], self.server.name)
        for moment in ("createdDateTimeUtc", "lastUpdatedDateTimeUtc"):
            self.assertRegex(state[moment], TICKS)
        self.assertTrue(state["etag"])

    def test_lookup(self):
        name, credential = self.device()
        with self.talk(credential) as talk:
            answer = talk.ask("POST", talk.path(name), {"registrationId": name})
            self.assertEqual(answer.status, 404, answer.text)
            operation = talk.put(name).json["operationId"]
            talk.poll(name, operation)
            answer = talk.ask("POST", talk.path(name), {"registrationId": name})
        self.assertEqual((answer.status, answer.json["status"]), (200, "assigned"), answer.text)
        self.assertNotIn("operationId", answer.json)

    def test_substatus_follows_the_api_version(self):
        name, credential = self.device()
        self.assert_assigned(name, credential)
        for version, word in (("2019-03-31", "initialAssignment"), ("2021-06-01", "initialAssignment"),
                              ("2021-10-01", "reprovisionedToInitialAssignment")):
            fresh = self.ours.leaf(self.root, name).credential
            outcome = self.assert_assigned(name, fresh, version=version)
            self.assertEqual(outcome.state["substatus"], word, version)

    def test_the_same_leaf_gets_the_same_operation(self):
        name, credential = self.device()
        with self.talk(credential) as one, self.talk(credential) as two:
            first, second = one.put(name).json, two.put(name).json
        self.assertEqual(first["operationId"], second["operationId"])

    def test_the_clouds_pace_where_it_is_wanted(self):
        name, credential = self.device()
        with Server(os.path.join(self.scratch, "slow"), "--assign", "poll") as slow:
            slow.command("group", "create", "wire")
            slow.command("group", "cert", "set", "wire", "primary", self.root.certificate,
                         "--vouch")
            with Conversation(slow, credential) as talk:
                answer = talk.put(name)
                self.assertEqual((answer.status, answer.headers["retry-after"]), (202, "3"))
                self.assertEqual(talk.poll(name, answer.json["operationId"]).json["status"],
                                 "assigned")

    # --- quirks of real clients ---

    def test_node_polls_with_a_body(self):
        name, credential = self.device()
        with self.talk(credential) as talk:
            operation = talk.put(name, version="2019-03-31").json["operationId"]
            answer = talk.ask("GET", talk.path(name, f"/operations/{operation}", "2019-03-31"), "{}")
            self.assertEqual(answer.json["status"], "assigned")
            again = talk.poll(name, operation)  # the connection is still in step
            self.assertEqual(again.json, answer.json)

    def test_iot_edge_wants_202(self):
        name, credential = self.device()
        for _ in range(2):  # at first contact and when it returns
            with self.talk(credential) as talk:
                answer = talk.put(name, {"registrationId": name, "payload": None})
            self.assertEqual(answer.status, 202)
            self.assertEqual(answer.json["registrationState"]["registrationId"], name)

    def test_bodies_that_clients_send(self):
        name, credential = self.device()
        with self.talk(credential) as talk:
            for body in ("", " ", "{}", {"registrationId": name, "payload": None},
                         {"registrationId": name.upper(), "payload": {"modelId": "dtmi:a:b;1"}},
                         {"registrationId": name, "payload": "a string"},
                         {"registrationId": name, "unknown": [1, 2]}):
                self.assertEqual(talk.put(name, body).status, 202, body)

    def test_c_sdk_spelling_and_chunked_bodies(self):
        name, credential = self.device()
        with self.talk(credential) as talk:
            answer = talk.ask("PUT", talk.path(name, "/register"), b'{"registrationId":"%s"}' %
                              name.encode(), UserAgent="prov_device_client/1.0",
                              Connection="keep-alive", Host="dps.example:443")
            self.assertEqual(answer.status, 202)
            body = iter([b'{"registr', b'ationId":', json.dumps(name).encode(), b"}"])
            talk.http.request("PUT", talk.path(name, "/register"), body,
                              {"Content-Type": "application/json"}, encode_chunked=True)
            response = talk.http.getresponse()
            self.assertEqual((response.status, response.read() != b""), (202, True))

    def test_words_of_the_path_without_case(self):
        name, credential = self.device()
        with self.talk(credential) as talk:
            answer = talk.ask("PUT", f"/{self.server.scope}/Registrations/{name}/Register"
                                     "?API-Version=2019-03-31&forceRegistration=true", {})
        self.assertEqual(answer.status, 202, answer.text)

    def test_future_and_preview_versions(self):
        name, credential = self.device()
        with self.talk(credential) as talk:
            for version in ("2017-08-31-preview", "2021-11-01-preview", "2099-01-01"):
                self.assertEqual(talk.put(name, version=version).status, 202, version)

    # --- what is refused ---

    def test_refusals_in_the_azure_form(self):
        """One of each code, on one connection; all that is refused: bad_input.py."""
        name, credential = self.device()
        with self.talk(credential) as talk:
            good = talk.path(name, "/register")
            cases = [
                ("PUT", talk.path(self.own("other"), "/register"), {}, 401, 401002),
                ("PUT", good, "{", 400, 400001),
                ("GET", talk.path(name, "/operations/5.0.nothing"), None, 404, 404203),
                ("DELETE", good, None, 405, 405001),
                ("GET", "/", None, 404, 404001),
            ]
            for method, path, body, status, code in cases:
                with self.subTest(path=path, body=body):
                    self.assert_error(talk.ask(method, path, body), status, code)
            answer = talk.ask("PUT", good, "<a/>", **{"Content-Type": "text/xml"})
            self.assert_error(answer, 415, 415001)
            self.assertEqual(talk.put(name).status, 202)  # the same connection still serves

    def test_no_client_certificate(self):
        with self.talk() as talk:
            self.assert_error(talk.put(self.own("dev")), 401, 401002)

    def test_a_poll_needs_the_leaf_that_registered(self):
        name, credential = self.device()
        other = self.ours.leaf(self.root, name).credential
        with self.talk(credential) as talk:
            operation = talk.put(name).json["operationId"]
        with self.talk(other) as talk:
            answer = talk.poll(name, operation)
            self.assertIn(answer.status, (401, 404), answer.text)
            self.assertNotIn("assignedHub", answer.text)
        stranger, its_own = self.device("stranger")
        with self.talk(its_own) as talk:
            for path_name in (name, stranger):
                answer = talk.poll(path_name, operation)
                self.assertIn(answer.status, (401, 404), answer.text)
        with self.talk() as talk:
            self.assertIn(talk.poll(name, operation).status, (401, 404))
        with self.talk(credential) as talk:
            self.assertEqual(talk.poll(name, operation).json["status"], "assigned")

    def test_a_poll_checks_trust_again(self):
        root = self.ours.root(self.own("root"))
        self.group(self.own("group"), root)
        leaf = self.ours.leaf(root, self.own("dev")).credential
        with self.talk(leaf) as talk:
            operation = talk.put(self.own("dev")).json["operationId"]
            self.command("group", "cert", "remove", self.own("group"), "primary", "--breach",
                         "--yes")
            answer = talk.poll(self.own("dev"), operation)
        self.assertEqual((answer.status, answer.json["status"]), (200, "failed"), answer.text)
        self.assertEqual(answer.json["registrationState"]["errorCode"], 401002)

    def test_bounds(self):
        name, credential = self.device()
        with self.talk(credential) as talk:
            answer = talk.put(name, {"payload": "x" * (80 * 1024)})
            self.assertEqual(answer.status, 202)
            self.assert_error(talk.put(name, {"payload": "x" * (97 * 1024)}), 413, 413001)
        with self.talk(credential) as talk:
            answer = talk.ask("PUT", talk.path(name, "/register"), {}, **{"X-Long": "y" * 20_000})
            self.assertIn(answer.status, (400, 413, 431), answer.text)
        with self.talk(credential) as talk:
            deep = "[" * 200 + "]" * 200
            self.assert_error(talk.put(name, '{"payload":' + deep + "}"), 400, 400001)

    # --- slow and rude clients ---

    def plain(self, credential=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.server.ca_file)
        if credential:
            context.load_cert_chain(credential.chain, credential.key)
        raw = socket.create_connection(self.server.doors["device-https"], timeout=60)
        return context.wrap_socket(raw, server_hostname=self.server.name)

    def test_a_request_in_single_bytes(self):
        name, credential = self.device()
        request = (f"PUT /{self.server.scope}/registrations/{name}/register?api-version=2019-03-31 "
                   f"HTTP/1.1\r\nHost: dps.example\r\nContent-Length: 2\r\n\r\n{{}}").encode()
        with self.plain(credential) as connection:
            for byte in request:
                connection.sendall(bytes([byte]))
            self.assertRegex(connection.recv(4096), b"^HTTP/1.1 202 ")

    def test_two_requests_in_one_packet(self):
        name, credential = self.device()
        one = (f"PUT /{self.server.scope}/registrations/{name}/register?api-version=2019-03-31 "
               f"HTTP/1.1\r\nHost: dps.example\r\nContent-Length: 2\r\n\r\n{{}}").encode()
        with self.plain(credential) as connection:
            connection.sendall(one + one)
            got = b""
            while got.count(b"HTTP/1.1 202 ") < 2:
                more = connection.recv(4096)
                self.assertTrue(more, got)
                got += more

    def test_who_never_finishes_is_closed_and_disturbs_nobody(self):
        name, credential = self.device()
        with self.plain(credential) as half, \
                socket.create_connection(self.server.doors["device-https"], 60) as silent:
            half.sendall(b"PUT /x HTTP/1.1\r\nHost: dps.example\r\nX-Never: ")
            self.assert_assigned(name, credential)
            silent.settimeout(60)
            self.assertEqual(silent.recv(1), b"", "a connection without handshake is not closed")
            half.settimeout(60)
            said = half.recv(4096)
            self.assertTrue(said == b"" or said.startswith(b"HTTP/1.1 408 "), said)

    def test_plain_http_and_rubbish(self):
        for first in (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", bytes(range(256)), b"\x16\x03\x01\xff\xff"):
            with socket.create_connection(self.server.doors["device-https"], 60) as rude:
                rude.sendall(first)
                rude.shutdown(socket.SHUT_WR)
                try:
                    while rude.recv(4096):
                        pass
                except ConnectionResetError:
                    pass
        name, credential = self.device()
        self.assert_assigned(name, credential)

    def test_many_at_once(self):
        devices = [self.device(f"d{n}") for n in range(24)]
        with concurrent.futures.ThreadPoolExecutor(24) as pool:
            outcomes = list(pool.map(lambda d: self.register(*d), devices))
        self.assertEqual([str(o) for o in outcomes if not o.assigned], [])

    # --- TLS ---

    def test_tls_as_promised(self):
        host, port = self.server.doors["device-https"]

        def s_client(*options):
            return subprocess.run(
                ["openssl", "s_client", "-connect", f"{host}:{port}", "-servername", "dps.example",
                 "-CAfile", self.server.ca_file, "-verify_return_error", *options],
                input="", text=True, capture_output=True, timeout=60, check=False)
        for version in ("-tls1_2", "-tls1_3"):
            said = s_client(version).stdout
            self.assertIn("Verify return code: 0 (ok)", said)
            self.assertIn("No client certificate CA names sent", said)
            self.assertRegex(said, "(?i)client certificate types|Requested Signature Algorithms")
        self.assertNotEqual(s_client("-tls1_1", "-cipher", "ALL:@SECLEVEL=0").returncode, 0)
        for group in ("X25519", "P-256", "P-384", "P-521"):
            self.assertEqual(s_client("-groups", group).returncode, 0, group)
        self.assertNotIn("New Session Ticket", s_client("-tls1_3", "-msg").stdout)


if __name__ == "__main__":
    main()
