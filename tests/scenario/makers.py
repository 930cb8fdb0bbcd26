#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Devices whose certificates come from OpenSSL, GnuTLS and ourselves, with every kind of key, over
TLS 1.2 and 1.3, speaking through curl, openssl s_client and gnutls-cli."""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.scenario import Scenario, main  # noqa: E402

KEYS = ("p256", "p384", "rsa2048", "ed25519")
VERSION = "2021-06-01"


class Makers(Scenario):
    def curl(self, credential, name, *options, path="/register", method="PUT", body=None,
             environment=None):
        """curl as the README shows it: (status, body)."""
        host, port = self.server.doors["device-https"]
        url = (f"https://dps.example:{port}/{self.server.scope}/registrations/{name}{path}"
               f"?api-version={VERSION}")
        ended = subprocess.run(
            ["curl", "--silent", "--show-error", "--max-time", "60",
             "--resolve", f"dps.example:{port}:{host}", "--cacert", self.server.ca_file,
             "--cert", credential.chain, "--key", credential.key, "-X", method,
             "-H", "Content-Type: application/json", "--write-out", "\n%{http_code}",
             *(["-d", json.dumps(body)] if body is not None else []), *options, url],
            text=True, capture_output=True, check=False,
            env={**os.environ, **(environment or {})})
        self.assertEqual(ended.returncode, 0, ended.stderr)
        text, _, status = ended.stdout.rpartition("\n")
        return int(status), json.loads(text)

    def provisions_by_curl(self, name, credential, *options):
        status, body = self.curl(credential, name, *options, body={"registrationId": name})
        self.assertEqual((status, body.get("status")), (202, "assigning"), body)
        status, body = self.curl(credential, name, *options, method="GET",
                                 path=f"/operations/{body['operationId']}")
        self.assertEqual((status, body.get("status")), (200, "assigned"), body)
        return body

    def each_maker_and_key(self, below):
        """Every maker with every kind of key at both TLS versions; `below`: intermediates."""
        for maker_name, maker in (("ours", self.ours), ("openssl", self.openssl),
                                  ("certtool", self.certtool)):
            for key in KEYS:
                with self.subTest(maker=maker_name, key=key):
                    stem = f"{maker_name}-{key}-{below}"
                    root = issuer = maker.root(f"Root {stem}", key)
                    self.group(f"group-{stem}", root, vouch=False)
                    for level in range(below):
                        issuer = maker.intermediate(issuer, f"Sub {level} {stem}", key)
                    self.prove(f"group-{stem}", "primary", root, maker)
                    for tls in ("1.2", "1.3"):
                        name = f"dev-{stem}-{tls}"
                        leaf = maker.leaf(issuer, name, key).credential
                        self.provisions_by_curl(name, leaf, f"--tlsv{tls}", "--tls-max", tls)
                        seen = self.command("registration", "show", name, "--json").json
                        self.assertIn(tls, seen["last"]["tlsVersion"])
                        self.assertEqual(seen["last"]["chainLength"], below + 1)

    def test_leaf_straight_under_the_root(self):
        self.each_maker_and_key(0)

    def test_leaf_under_an_intermediate(self):
        self.each_maker_and_key(1)

    def test_individual_self_signed(self):
        for maker_name, maker in (("openssl", self.openssl), ("certtool", self.certtool)):
            for key in KEYS:
                with self.subTest(maker=maker_name, key=key):
                    name = f"lone-{maker_name}-{key}"
                    leaf = maker.self_signed(name, key)
                    self.command("enrollment", "create", name, "--primary", leaf.certificate)
                    for tls in ("1.2", "1.3"):
                        self.provisions_by_curl(name, leaf.alone, f"--tlsv{tls}", "--tls-max", tls)

    def test_makers_mixed_in_one_chain(self):
        root = self.certtool.root("Mixed Root", "rsa2048")
        self.group("mixed", root)
        low = self.ours.intermediate(self.openssl.intermediate(root, "Mixed High", "p384"),
                                     "Mixed Low")
        leaf = self.certtool.leaf(low, "mixed-dev", "ed25519")
        self.provisions_by_curl("mixed-dev", leaf.credential)

    def test_bare_certificates(self):
        """Version 1, no extensions at all: makers of devices do that."""
        root = self.openssl.root("Bare Root", extensions="")
        self.group("bare", root)
        leaf = self.openssl.leaf(root, "bare-dev", extensions="")
        self.provisions_by_curl("bare-dev", leaf.credential)

    def refuses_by_curl(self, name, credential):
        status, body = self.curl(credential, name, body={"registrationId": name})
        self.assertEqual((status, body["errorCode"]), (401, 401002), body)

    def test_what_no_maker_gets_in(self):
        root = self.openssl.root("Strict Root", "rsa2048")
        self.group("strict", root)
        weak = self.openssl.leaf(root, "weak-dev", "rsa1024")
        # Our door takes the handshake; curl's own OpenSSL has to be talked into a weak key.
        self.refuses_by_curl_weak("weak-dev", weak.alone)
        sha1 = self.openssl.leaf(root, "sha1-dev", "rsa2048", digest="sha1")
        self.refuses_by_curl_weak("sha1-dev", sha1.alone)
        expired = self.certtool.leaf(root, "old-dev", start=-20, end=-1)
        self.refuses_by_curl("old-dev", expired.alone)

    def refuses_by_curl_weak(self, name, credential):
        with tempfile.NamedTemporaryFile("w", suffix=".cnf") as lenient:
            lenient.write("openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\n"
                          "system_default = lenient\n[lenient]\n"
                          "CipherString = DEFAULT@SECLEVEL=0\n")
            lenient.flush()
            status, body = self.curl(credential, name, "--tls-max", "1.2",
                                     body={"registrationId": name},
                                     environment={"OPENSSL_CONF": lenient.name})
        self.assertEqual((status, body["errorCode"]), (401, 401002), body)

    def by_hand(self, words, name):
        """A TLS client that is given its request on stdin."""
        body = json.dumps({"registrationId": name})
        request = (f"PUT /{self.server.scope}/registrations/{name}/register?api-version={VERSION} "
                   f"HTTP/1.1\r\nHost: dps.example\r\nContent-Type: application/json\r\n"
                   f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}")
        ended = subprocess.run(words, input=request, text=True, capture_output=True, timeout=60,
                               check=False)
        return ended.stdout + ended.stderr

    def test_openssl_s_client(self):
        host, port = self.server.doors["device-https"]
        root = self.openssl.root("Client Root")
        self.group("clients", root)
        leaf = self.openssl.leaf(self.openssl.intermediate(root, "Client Sub"), "s-client-dev")
        for version in ("-tls1_2", "-tls1_3"):
            said = self.by_hand(
                ["openssl", "s_client", "-connect", f"{host}:{port}", "-servername", "dps.example",
                 "-CAfile", self.server.ca_file, "-cert", leaf.certificate, "-key", leaf.key,
                 "-cert_chain", leaf.chain(*leaf.above), "-ign_eof", version], "s-client-dev")
            self.assertIn("HTTP/1.1 202 ", said)
        said = self.by_hand(
            ["openssl", "s_client", "-connect", f"{host}:{port}", "-servername", "dps.example",
             "-CAfile", self.server.ca_file, "-ign_eof"], "s-client-dev")
        self.assertIn("HTTP/1.1 401 ", said)

    def test_gnutls_cli(self):
        host, port = self.server.doors["device-https"]
        root = self.certtool.root("GnuTLS Root")
        self.group("gnutls", root)
        leaf = self.certtool.leaf(self.certtool.intermediate(root, "GnuTLS Sub"), "gnutls-dev")
        for priority in ("NORMAL:-VERS-ALL:+VERS-TLS1.2", "NORMAL:-VERS-ALL:+VERS-TLS1.3"):
            said = self.by_hand(
                ["gnutls-cli", "--port", str(port), "--x509cafile", self.server.ca_file,
                 "--x509certfile", leaf.credential.chain, "--x509keyfile", leaf.key,
                 "--sni-hostname", "dps.example", "--verify-hostname", "dps.example",
                 "--priority", priority, host], "gnutls-dev")
            self.assertIn("HTTP/1.1 202 ", said)


if __name__ == "__main__":
    main()
