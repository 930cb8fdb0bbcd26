#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""TLS at both doors, as the world's own tools see it: sslscan, nmap, testssl.sh, s_client, GnuTLS.

And by hand, what no honest tool sends: nonsense, oversized chains, a proof by SHA-1.
"""
import http.client
import json
import os
import random
import re
import select
import socket
import ssl
import subprocess
import sys
import threading
import urllib.request
import xml.etree.ElementTree as xml

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.device import Answer, Credential, context_of  # noqa: E402
from lab.operator import Door, admin_bearer  # noqa: E402
from lab.scenario import Scenario, eventually, main  # noqa: E402
from lab.server import Server  # noqa: E402

DOORS = ("device-https", "operator")
SUITES_13 = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}
# What Azure lists. CBC with SHA-2 is for devices that have nothing better.
SUITES_12 = {"ECDHE-{}-AES128-GCM-SHA256", "ECDHE-{}-AES256-GCM-SHA384",
             "ECDHE-{}-CHACHA20-POLY1305", "ECDHE-{}-AES128-SHA256", "ECDHE-{}-AES256-SHA384"}
GROUPS = {"X25519", "P-256", "P-384", "P-521"}
# Findings of testssl.sh at HIGH or CRITICAL that are as they should be.
EXPLAINED = {"cert_revocation": "a local CA has no revocation service; its servers live 90 days"}
# And at WARN, which says that the tool could not look.
NOT_LOOKED_AT = {"engine_problem": "no GOST in this OpenSSL",
                 "RC4": "no RC4 in this OpenSSL; sslscan's and nmap's lists hold none"}
ALERT = {"unexpected_message": 10, "record_overflow": 22, "handshake_failure": 40,
         "bad_certificate": 42, "illegal_parameter": 47, "decode_error": 50,
         "protocol_version": 70}
# What testssl.sh must have looked at and found good.
CHECKS = {"operator": ("heartbleed", "secure_renego", "secure_client_renego", "CRIME_TLS")}
CHECKS["device-https"] = (*CHECKS["operator"], "CCS", "ticketbleed", "ROBOT", "POODLE_SSL",
                          "SWEET32", "FREAK", "DROWN", "LOGJAM", "BEAST")
REQUEST = "GET / HTTP/1.1\r\nHost: dps.example\r\nConnection: close\r\n\r\n"


def tool(*words, stdin="", **how):
    return subprocess.run(words, input=stdin, text=True, capture_output=True, timeout=120,
                          errors="replace", check=False, **how)


class Testssl:
    """testssl.sh against one door; it takes its time, so it is started early and asked late."""

    def __init__(self, scratch, door, address, *checks):
        self.json = os.path.join(scratch, f"testssl.{door}.json")
        self.out = os.path.join(scratch, f"testssl.{door}.out")
        with open(self.out, "wb") as out:
            self.process = subprocess.Popen(
                ["testssl", "--fast", "--quiet", "--color", "0", "--warnings", "off", "--nodns",
                 "none", "--connect-timeout", "5", "--openssl-timeout", "5", *checks,
                 "--jsonfile", self.json, "{}:{}".format(*address)],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=scratch)

    def findings(self):
        self.process.wait(timeout=200)
        with open(self.json, encoding="utf-8") as file:
            return json.load(file)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Tls(Scenario):
    options = ("--metrics", "127.0.0.1:0")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.testssl = {
            "device-https": Testssl(cls.scratch, "device", cls.server.doors["device-https"], "-S",
                                    "-U", "--add-ca", cls.server.ca_file),
            # What it has besides sslscan and nmap: the same code serves both doors.
            "operator": Testssl(cls.scratch, "operator", cls.server.doors["operator"], "-H", "-R",
                                "-C")}
        cls.addClassCleanup(lambda: [running.end() for running in cls.testssl.values()])
        cls.root = cls.ours.root("TLS Root")
        cls.server.command("group", "create", "tls")
        cls.server.command("group", "cert", "set", "tls", "primary", cls.root.certificate,
                           "--vouch")

    def device(self, word="dev", **how):
        return self.own(word), self.ours.leaf(self.root, self.own(word), **how).credential

    def s_client(self, door, *options, stdin="", server=None):
        """What s_client said, and its exit status."""
        server = server or self.server
        ended = tool("openssl", "s_client", "-connect", "{}:{}".format(*server.doors[door]),
                     *([] if "-noservername" in options or "-servername" in options
                       else ["-servername", server.name]),
                     "-CAfile", server.ca_file, *options, stdin=stdin)
        return ended.stdout + ended.stderr, ended.returncode

    def gnutls(self, door, *options, stdin=""):
        host, port = self.server.doors[door]
        ended = tool("gnutls-cli", "--port", str(port), "--x509cafile", self.server.ca_file,
                     "--sni-hostname", self.server.name, "--verify-hostname", self.server.name,
                     *options, host, stdin=stdin)
        return ended.stdout + ended.stderr, ended.returncode

    def count(self, metric):
        """A counter's value; 0 before it counts."""
        host, port = self.server.doors["metrics"]
        with urllib.request.urlopen(f"http://{host}:{port}/metrics") as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith(metric + " "):
                    return float(line.rpartition(" ")[2])
        return 0

    # --- what is offered ---

    def assert_sslscan(self, address, key):
        found = xml.fromstring(tool("sslscan", "--no-colour", "--xml=-",
                                    "{}:{}".format(*address)).stdout).find("ssltest")
        versions = {p.get("type") + p.get("version") for p in found.findall("protocol")
                    if p.get("enabled") == "1"}
        self.assertEqual(versions, {"tls1.2", "tls1.3"})
        suites = {c.get("cipher"): c for c in found.findall("cipher")}
        self.assertEqual(set(suites), SUITES_13 | {s.format(key) for s in SUITES_12})
        preferred = {n for n, c in suites.items() if c.get("status") == "preferred"}
        self.assertEqual(preferred,
                         {"TLS_AES_128_GCM_SHA256", f"ECDHE-{key}-AES128-GCM-SHA256"})
        groups = {re.sub(r".*NIST |\)", "", g.get("name")).upper() for g in found.findall("group")
                  if g.get("sslversion") == "TLSv1.3"}
        self.assertEqual(groups, GROUPS)
        self.assertEqual(found.find("renegotiation").attrib, {"supported": "0", "secure": "0"})
        self.assertEqual({h.get("vulnerable") for h in found.findall("heartbleed")}, {"0"})
        return found

    def assert_nmap(self, address, key):
        host, port = address
        found = xml.fromstring(tool("nmap", "-Pn", "-n", "-p", str(port), "--script",
                                    "ssl-enum-ciphers", "-oX", "-", host).stdout)
        script = found.find(".//script[@id='ssl-enum-ciphers']")
        versions = {t.get("key"): t for t in script.findall("table")}
        self.assertEqual(set(versions), {"TLSv1.2", "TLSv1.3"})
        older = {e.text for e in versions["TLSv1.2"].iterfind("table[@key='ciphers']/table/"
                                                              "elem[@key='name']")}
        self.assertEqual({name for name in older if not name.startswith(f"TLS_ECDHE_{key}_WITH_")},
                         set())
        self.assertEqual(len(older), len(SUITES_12))
        compressors = [e.text for e in versions["TLSv1.2"].iterfind("table[@key='compressors']/*")]
        self.assertEqual(compressors, ["NULL"])
        for version in versions.values():
            self.assertEqual(version.find("elem[@key='cipher preference']").text, "server")
        self.assertEqual(script.find("elem[@key='least strength']").text, "A")

    def test_versions_suites_and_groups(self):
        for door in DOORS:
            with self.subTest(door):
                self.assert_sslscan(self.server.doors[door], "ECDSA")
                self.assert_nmap(self.server.doors[door], "ECDSA")

    def test_a_server_with_an_rsa_certificate(self):
        """No exchange of a key by RSA, and no finite fields either."""
        root = self.openssl.root(self.own("root"))
        own = self.openssl.leaf(root, "rsa.example", key="rsa2048",
                                extensions="subjectAltName=DNS:rsa.example\n")
        with Server(os.path.join(self.scratch, self.own("server")), "--server-cert",
                    own.certificate, "--server-key", own.key) as server:
            found = self.assert_sslscan(server.doors["device-https"], "RSA")
            self.assertEqual(found.find("certificates/certificate/pk").get("type"), "RSA")
            self.assert_nmap(server.doors["device-https"], "RSA")

    def test_older_versions_are_told_so(self):
        for door in DOORS:
            for version in ("-tls1", "-tls1_1"):
                said, code = self.s_client(door, version, "-cipher", "ALL:@SECLEVEL=0")
                self.assertNotEqual(code, 0)
                self.assertIn(f"SSL alert number {ALERT['protocol_version']}", said)
            said, code = self.gnutls(door, "--priority",
                                     "NORMAL:-VERS-ALL:+VERS-TLS1.1:+VERS-TLS1.0")
            self.assertNotEqual(code, 0)
            self.assertRegex(said, r"Received alert \[70\]")

    def test_what_gnutls_may_choose(self):
        name, credential = self.device()
        request = (f"PUT /{self.server.scope}/registrations/{name}/register?api-version=2019-03-31 "
                   "HTTP/1.1\r\nHost: dps.example\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
                   "{}")
        for version in ("1.2", "1.3"):
            base = f"NORMAL:-VERS-ALL:+VERS-TLS{version}"
            for group in ("X25519", "SECP256R1", "SECP384R1", "SECP521R1"):
                # Over TLS 1.2 they are also the curves a certificate may be on: ours is on P-256.
                others = ":+GROUP-SECP256R1" if version == "1.2" else ""
                said, _ = self.gnutls(
                    "device-https", "--priority", f"{base}:-GROUP-ALL:+GROUP-{group}{others}",
                    "--x509certfile", credential.chain, "--x509keyfile", credential.key,
                    stdin=request)
                self.assertIn(f"(TLS{version}", said)
                self.assertIn("HTTP/1.1 202", said, f"{version} {group}")
        for nothing in ("NORMAL:-GROUP-ALL:+GROUP-X448", "NORMAL:-GROUP-ALL:+GROUP-FFDHE3072",
                        "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA",
                        "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+DHE-RSA",
                        "NORMAL:-VERS-ALL:+VERS-TLS1.2:-MAC-ALL:+SHA1"):
            said, code = self.gnutls("device-https", "--priority", nothing)
            self.assertNotEqual(code, 0, nothing)
            self.assertRegex(said, r"Received alert \[40\]", nothing)

    def test_a_second_hello_where_the_first_guessed_wrong(self):
        name, credential = self.device()
        said, _ = self.s_client("device-https", "-tls1_3", "-groups", "X448:P-384", "-msg", "-cert",
                                credential.chain, "-key", credential.key, "-ign_eof", stdin=REQUEST)
        self.assertEqual(said.count(", ClientHello"), 2)
        self.assertIn("HTTP/1.1 404", said)
        self.assert_assigned(name, credential)

    def test_weak_proofs_of_the_server_are_not_given(self):
        said, code = self.s_client("device-https", "-tls1_2", "-cipher", "ALL:@SECLEVEL=0",
                                   "-sigalgs", "ECDSA+SHA1:RSA+SHA1")
        self.assertNotEqual(code, 0, said)

    # --- what is not ---

    def test_nothing_is_resumed(self):
        _, credential = self.device()
        shown = ["-cert", credential.chain, "-key", credential.key]
        kept = os.path.join(self.scratch, self.own("session"))
        for door in DOORS:
            said, _ = self.s_client(door, "-tls1_2", "-reconnect", "-tlsextdebug", *shown)
            self.assertEqual(len(re.findall(r"(?m)^New, TLSv1\.2", said)), 6)
            self.assertNotRegex(said, r"(?m)^Reused|session ticket|Session-ID: \w")
            said, _ = self.s_client(door, "-tls1_3", "-sess_out", kept, "-msg", "-ign_eof", *shown,
                                    stdin=REQUEST)
            self.assertRegex(said, "HTTP/1.1 [24]")
            self.assertNotIn("NewSessionTicket", said)
            self.assertFalse(os.path.exists(kept))
            for version in ("1.2", "1.3"):
                said, _ = self.gnutls(door, "--resume", "--priority",
                                      f"NORMAL:-VERS-ALL:+VERS-TLS{version}", stdin=REQUEST)
                self.assertIn("trying to resume", said)
                self.assertNotIn("This is a resumed session", said)

    def test_nobody_renegotiates(self):
        for door in DOORS:
            before = self.count("rollcall_tls_handshakes_total")
            said, _ = self.s_client(door, "-tls1_2", "-msg", stdin="R\n")
            self.assertIn("Secure Renegotiation IS supported", said)  # the extension, not the act
            self.assertIn("RENEGOTIATING", said)
            self.assertIn("no renegotiation", said)
            self.assertEqual(said.count(", ServerHello\n"), 1)
            said, code = self.gnutls(door, "--rehandshake", "--priority",
                                     "NORMAL:-VERS-ALL:+VERS-TLS1.2")
            self.assertNotEqual(code, 0)
            self.assertRegex(said, r"Received alert \[100\]")
            self.assertEqual(self.count("rollcall_tls_handshakes_total"), before + 2)

    def test_nothing_is_compressed(self):
        for door in DOORS:
            for version in ("-tls1_2", "-tls1_3"):
                said, _ = self.s_client(door, version, "-comp")
                self.assertIn("Compression: NONE", said)

    # --- client certificates ---

    def test_a_certificate_is_asked_of_devices_alone(self):
        for version in ("-tls1_2", "-tls1_3"):
            said, _ = self.s_client("device-https", version, "-msg")
            self.assertIn(", CertificateRequest", said)
            self.assertIn("No client certificate CA names sent", said)
            said, _ = self.s_client("operator", version, "-msg")
            self.assertIn(", Finished", said)
            self.assertNotIn(", CertificateRequest", said)

    def test_no_certificate_is_judged_in_the_handshake(self):
        stranger = self.openssl.root(self.own("stranger"))
        name = self.own("dev")
        shown = [
            self.ours.leaf(self.root, name, start=-20, end=-1),
            self.ours.leaf(self.root, name, start=20, end=30),
            self.ours.self_signed(name),
            self.ours.root(name),
            self.openssl.leaf(stranger, name, extensions="extendedKeyUsage=serverAuth\n"),
            self.openssl.leaf(stranger, name, extensions="1.2.3.4=critical,DER:0500\n"),
            self.openssl.self_signed(name, key="rsa1024", digest="sha1"),
            self.openssl.self_signed(name, key="ed25519"),
        ]
        request = (f"PUT /{self.server.scope}/registrations/{name}/register?api-version=2019-03-31 "
                   "HTTP/1.1\r\nHost: dps.example\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
                   "{}")
        for version in ("-tls1_2", "-tls1_3"):
            for party in shown:
                said, _ = self.s_client("device-https", version, "-cipher", "ALL:@SECLEVEL=0",
                                        "-cert", party.certificate, "-key", party.key, "-ign_eof",
                                        stdin=request)
                self.assertIn("HTTP/1.1 401", said, party.certificate)
                self.assertIn("401002", said)

    def chain_of(self, credential, count):
        """The leaf and so many certificates more, as one file."""
        path = os.path.join(self.scratch, self.own(f"chain-of-{count}.pem"))
        with open(credential.chain, encoding="ascii") as file:
            text = file.read()
        with open(self.root.certificate, encoding="ascii") as file:
            text += file.read() * count
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        return Credential(path, credential.key)

    def test_how_many_certificates_a_device_may_send(self):
        name, credential = self.device()
        why = 'rollcall_tls_peer_chains_unusable_total{why="too-many-certificates"}'
        for tls in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            self.assert_assigned(name, self.chain_of(credential, 31), tls=tls)
            before = self.count(why)
            self.assert_refused(name, self.chain_of(credential, 32), tls=tls)
            self.assert_refused(name, self.chain_of(credential, 100), tls=tls)
            self.assertEqual(self.explained(name)["cause"], "too-many-certificates")
            self.assertEqual(self.count(why), before + 2)

    def large_leaf(self, names):
        """A leaf with so many names of 100 bytes."""
        extensions = "subjectAltName=@names\n[names]\n" + "".join(
            f"DNS.{n}={n:04}.{'x' * 60}.{'y' * 28}.z\n" for n in range(names))
        return self.openssl.leaf(self.root, self.own("dev"), extensions=extensions).alone

    def test_how_large_a_certificate_may_be(self):
        name = self.own("dev")
        self.assert_assigned(name, self.large_leaf(300))
        for tls in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            self.assert_refused(name, self.large_leaf(400), tls=tls)
            refusal = self.explained(name)
            self.assertEqual(refusal["cause"], "unreadable-certificate")
            self.assertRegex(refusal["fix"], "smaller")
            why = 'rollcall_tls_handshake_failures_total{why="certificate"}'
            before = self.count(why)
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                self.register(name, self.large_leaf(800), tls=tls)
            self.assertEqual(self.count(why), before + 1)
        self.assertRegex(self.server.told(), "tls-handshake-failed .*door=device-https .*"
                                             "why=certificate .*excessive message size")

    # --- what no client sends: changed between the two ---

    def between(self, to_client=bytes, to_server=bytes):
        """A handshake of TLS 1.2 whose flights somebody changes on the way; the alerts it ends
        in."""
        _, credential = self.device()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.load_cert_chain(credential.chain, credential.key)
        coming, going = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = context.wrap_bio(coming, going)
        with socket.create_connection(self.server.doors["device-https"], 20) as server:
            while True:
                try:
                    client.do_handshake()
                    return []
                except ssl.SSLWantReadError:
                    server.sendall(to_server(going.read()))
                flight = server.recv(65536)
                if not flight or flight[0] == 21:
                    return alerts(flight)
                coming.write(to_client(flight))

    def test_a_proof_by_sha1_is_none(self):
        """A device that is made to believe that the server can do no better."""
        def weakened(flight):
            # All that the server takes as a proof: one list, which begins with ECDSA and SHA-256.
            offered = re.search(rb"\x03\x01\x02\x40(..)\x04\x03", flight, re.S)
            if not offered:
                return flight
            at, size = offered.end() - 2, int.from_bytes(offered.group(1), "big")
            return flight[:at] + b"\x02\x03" * (size // 2) + flight[at + size:]
        self.assertEqual(self.between(to_client=weakened), [ALERT["handshake_failure"]])
        self.assertRegex(self.server.told(), "tls-handshake-failed .*wrong signature type")

    def test_certificates_that_cannot_be_read(self):
        """OpenSSL refuses them itself: an alert, a counter and a line in the log say so."""
        why = 'rollcall_tls_handshake_failures_total{why="certificate"}'
        self.assertEqual(self.between(), [])
        for place, bytes_, said in ((15, b"\x31", "bad_certificate decode_error"),
                                    (12, b"\x00\x00\x01", "bad_certificate decode_error"),
                                    (9, b"\x00\x00\x01", "decode_error"),
                                    (12, b"\xff\xff\xff", "decode_error")):
            with self.subTest(place=place, bytes=bytes_):
                before = self.count(why)
                told = self.between(to_server=torn_certificate(place, bytes_))
                self.assertIn(told, [[ALERT[word]] for word in said.split()])
                # The alert is on its way before it is counted.
                eventually(lambda: self.count(why) > before, why)
                self.assertEqual(self.count(why), before + 1)
        self.assertRegex(self.server.told(), "tls-handshake-failed door=device-https .*"
                                             "why=certificate")

    def test_rubbish_hides_no_line_of_the_log(self):
        """What strangers may write is bounded; a device in trouble is told of all the same."""
        for _ in range(3):  # one of them within a second
            lines = self.refused_certificates_told()
            for _ in range(30):
                self.reply(b"\x17\x03\x03\x00\x05hello")
            self.between(to_server=torn_certificate(15, b"\x31"))
            self.assertEqual(self.refused_certificates_told(), lines + 1)

    def refused_certificates_told(self):
        with open(self.server.log, encoding="utf-8") as file:
            return file.read().count("why=certificate")

    # --- names ---

    def test_names_that_clients_ask_for(self):
        shown = None
        for name in ("dps.example", "DPS.EXAMPLE", "dps.example.", "unknown.example", "localhost",
                     "xn--bcher-kva.example", "a" * 63 + ".example", ".".join(["a" * 60] * 4)):
            said, code = self.s_client("device-https", "-servername", name)
            self.assertEqual(code, 0, name)
            certificate = re.search("-----BEGIN.*?-----END", said, re.S).group(0)
            self.assertEqual(certificate, shown or certificate, name)
            shown = certificate
        said, code = self.s_client("device-https", "-noservername")
        self.assertEqual(code, 0)
        self.assertIn(shown, said)

    def test_one_address_for_two_classes_of_names(self):
        with Server(os.path.join(self.scratch, self.own("server")), "--operator-name",
                    "admin.example") as server:
            for version in ("-tls1_2", "-tls1_3"):
                for name in ("admin.example", "ADMIN.example", "admin.example."):
                    said, _ = self.s_client("device-https", version, "-servername", name, "-msg",
                                            server=server)
                    self.assertIn(", Finished", said)
                    self.assertNotIn(", CertificateRequest", said, name)
                for named in (["-servername", "dps.example"], ["-noservername"],
                              ["-servername", "admin.example.org"]):
                    said, _ = self.s_client("device-https", version, *named, "-msg", server=server)
                    self.assertIn(", CertificateRequest", said, named)

    def test_one_address_keeps_the_classes_apart(self):
        """Operators' routes under operators' names, devices' under all others; one port."""
        with Server(os.path.join(self.scratch, self.own("server")), "--operator-name",
                    "admin.example") as server:
            self.assertEqual(server.doors["operator"], server.doors["device-https"])
            bearer = admin_bearer(server)
            arm = ("/subscriptions/s/resourceGroups/g/providers/Microsoft.Devices/"
                   "provisioningServices/p/certificates?api-version=2022-02-05")
            operators = ("/api/v1/groups", arm)
            device = f"/{server.scope}/registrations/dev/operations/5?api-version=2021-06-01"
            for path in operators:
                with Door(server, bearer, "admin.example") as door:
                    self.assertEqual(door.ask("GET", path).status, 200, path)
                    misdirected = door.ask("GET", path, Host=server.name)
                    self.assertEqual((misdirected.status, misdirected.headers["connection"]),
                                     (421, "close"))
                with Door(server, bearer) as door:  # a device's name: no such routes
                    self.assertIn(door.ask("GET", path).status, (400, 404), path)
                    self.assertEqual(door.ask("GET", path, Host="admin.example").status, 421, path)
            with Door(server, name="admin.example") as door:
                self.assertEqual(door.ask("GET", device).json.get("errorCode"), None)
                self.assertEqual(door.ask("GET", device, Host=server.name).status, 421)
            with Door(server) as door:
                self.assertEqual(door.ask("GET", device).status, 401)
                # Further requests on the line are judged one by one.
                self.assertEqual(door.ask("GET", device, Host=f"{server.name}:443").status, 401)
                self.assertEqual(door.ask("GET", device, Host="ADMIN.example:443").status, 421)
            nameless = context_of(server)
            nameless.check_hostname = False
            with socket.create_connection(server.doors["device-https"], 30) as plain:
                line = http.client.HTTPConnection("dps.example")
                line.sock = nameless.wrap_socket(plain)  # no SNI: a device
                for host, path, status in (("dps.example", device, 401),
                                           ("admin.example", operators[0], 421)):
                    line.request("GET", path, headers={"Host": host})
                    self.assertEqual(Answer(line.getresponse()).status, status, host)

    # --- nonsense ---

    def reply(self, *parts, door="device-https"):
        """All that the door says to these bytes until it closes."""
        said = b""
        with socket.create_connection(self.server.doors[door], 30) as rude:
            try:
                for part in parts:
                    rude.sendall(part)
                rude.shutdown(socket.SHUT_WR)
                while more := rude.recv(65536):
                    said += more
            except (ConnectionResetError, BrokenPipeError):
                pass  # it hung up with our bytes unread
        return said

    def test_nonsense_is_answered_by_an_alert(self):
        hello = client_hello()
        rows = [
            ("version 1.1", with_version(hello, b"\x03\x02"), "protocol_version"),
            ("version 2.0, as SSL 2 says it", b"\x80\x1f\x01\x00\x02\x00\x06\x00\x00\x00\x10"
             b"\x01\x00\x80\x02\x00\x80" + bytes(16), "protocol_version"),
            ("no suite we have", with_suites(hello, b"\x00\x2f\x00\x35\xc0\x13\x00\x0a"),
             "handshake_failure"),
            ("no suite at all", with_suites(hello, b""), "illegal_parameter decode_error"),
            ("a record too long", b"\x16\x03\x01\xff\xff" + bytes(2000), "record_overflow"),
            ("a hello of 16 MiB", b"\x16\x03\x01\x00\x06\x01\xff\xff\xff\x03\x03",
             "illegal_parameter"),
            ("application data first", b"\x17\x03\x03\x00\x05hello", "unexpected_message"),
            ("a change of ciphers first", b"\x14\x03\x03\x00\x01\x01", "unexpected_message"),
            ("a heartbeat first", b"\x18\x03\x03\x00\x03\x01\x40\x00", "unexpected_message"),
            ("a finish first", b"\x16\x03\x03\x00\x10\x14\x00\x00\x0c" + bytes(12),
             "unexpected_message"),
            ("empty records without end", b"\x16\x03\x01\x00\x00" * 100, "unexpected_message"),
            ("warnings without end", b"\x15\x03\x01\x00\x02\x01\x5a" * 100, "unexpected_message"),
            ("an extension cut off", hello_of(hello[9:-1]), "decode_error"),
        ]
        for door in DOORS:
            for what, sent, expected in rows:
                with self.subTest(what, door=door):
                    said = self.reply(sent, door=door)
                    codes = [ALERT[word] for word in expected.split()]
                    # A reset overtakes the alert where bytes of ours were left unread.
                    if said or len(sent) < 100:
                        self.assertEqual(len(alerts(said)), 1, said)
                        self.assertIn(alerts(said)[0], codes)
        name, credential = self.device()
        self.assert_assigned(name, credential)

    def test_a_hello_in_single_bytes(self):
        hello = client_hello()
        broken = [b"\x16\x03\x01\x00\x01" + bytes([byte]) for byte in hello[5:]]
        said = self.reply(*broken)
        self.assertEqual(said[:1], b"\x16", said[:16])

    def test_hellos_with_broken_bytes(self):
        chance = random.Random(20)
        hellos = [client_hello(), client_hello(ssl.TLSVersion.TLSv1_2)]
        failed = []

        def storm():
            for _ in range(100):
                broken = bytearray(chance.choice(hellos))
                for _ in range(chance.choice((1, 1, 3, 10))):
                    broken[chance.randrange(len(broken))] = chance.randrange(256)
                cut = bytes(broken[:chance.choice((len(broken), chance.randrange(len(broken))))])
                try:
                    said = self.reply(cut)
                    if said[:1] not in (b"", b"\x15", b"\x16"):
                        failed.append((cut, said))
                except OSError as error:
                    failed.append((cut, error))
        storms = [threading.Thread(target=storm) for _ in range(4)]
        for running in storms:
            running.start()
        for running in storms:
            running.join()
        self.assertEqual(failed, [])
        self.assertIsNone(self.server.process.poll())
        name, credential = self.device()
        self.assert_assigned(name, credential)

    def test_who_stops_in_the_middle_of_a_handshake(self):
        """A ServerHello is taken and nothing comes back: closed in time, and nobody waits."""
        with socket.create_connection(self.server.doors["device-https"], 60) as half:
            half.sendall(client_hello())
            self.assertTrue(half.recv(65536).startswith(b"\x16"))
            name, credential = self.device()
            self.assert_assigned(name, credential)
            self.assertTrue(select.select([half], [], [], 40)[0], "still open after 40 s")

    # --- all the rest that the world looks for ---

    def test_z_testssl_finds_nothing(self):
        for door, running in self.testssl.items():
            with self.subTest(door):
                findings = {f["id"]: f for f in running.findings()}
                grave = {name: f["finding"] for name, f in findings.items()
                         if f["severity"] in ("HIGH", "CRITICAL", "MEDIUM", "FATAL")
                         and name not in EXPLAINED}
                self.assertEqual(grave, {})
                unseen = {name: f["finding"] for name, f in findings.items()
                          if f["severity"] in ("WARN", "DEBUG") and name not in NOT_LOOKED_AT}
                self.assertEqual(unseen, {})
                for check in CHECKS[door]:
                    self.assertEqual(findings[check]["severity"], "OK", findings[check])
        seen = {f["id"]: f["finding"] for f in self.testssl["device-https"].findings()}
        self.assertEqual(seen["sessionresumption_ticket"], "not supported")
        self.assertIn("no resumption", seen["sessionresumption_ID"])
        self.assertIn("no --", seen["TLS_session_ticket"])


def torn_certificate(place, bytes_):
    """Changes a flight that begins with a Certificate of TLS 1.2: record, message, list, the first
    one's length, its DER."""
    def torn(flight):
        return (flight[:place] + bytes_ + flight[place + len(bytes_):] if flight[5:6] == b"\x0b"
                else flight)
    return torn


def client_hello(version=ssl.TLSVersion.TLSv1_3):
    """What a client of this version says first, as one record."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.maximum_version = version
    out = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), out, server_hostname="dps.example").do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


def hello_of(body):
    return (b"\x16\x03\x01" + (len(body) + 4).to_bytes(2, "big") +
            b"\x01" + len(body).to_bytes(3, "big") + body)


def with_version(hello, version):
    """The hello of an old client: that version, and no extensions to say otherwise."""
    body = hello[9:]
    session = 34 + 1 + body[34]
    suites = session + 2 + int.from_bytes(body[session:session + 2], "big")
    return hello_of(version + body[2:suites + 1 + body[suites]])


def with_suites(hello, suites):
    """The hello of a TLS 1.2 client with these suites alone."""
    body = with_version(hello, b"\x03\x03")[9:]
    session = 34 + 1 + body[34]
    return hello_of(body[:session] + len(suites).to_bytes(2, "big") + suites + b"\x01\x00")


def alerts(said):
    """The fatal alerts in these records; none where there is anything else."""
    found = []
    while said:
        kind, size = said[0], int.from_bytes(said[3:5], "big")
        if kind != 21 or size != 2 or said[5] != 2:
            return []
        found.append(said[6])
        said = said[5 + size:]
    return found


if __name__ == "__main__":
    main()
