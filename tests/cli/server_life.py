#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The life of a server: its ready line, what it makes at first start, its doors, its end."""
import http.client
import os
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.device import register  # noqa: E402
from lab.makers import Rollcall  # noqa: E402
from lab.scenario import eventually  # noqa: E402
from lab.server import Server, program, rollcall  # noqa: E402

LOOPBACK = ["--device-https", "127.0.0.1:0", "--device-mqtt", "off", "--device-amqp", "off",
            "--operator", "127.0.0.1:0", "--metrics", "off"]
PATIENCE = 60


class ServerLife(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.mkdtemp(prefix="rollcall-test-")
        self.addCleanup(shutil.rmtree, self.scratch)
        self.ours = Rollcall(os.path.join(self.scratch, "ours"))

    def server(self, *options, where="server", name="dps.example"):
        server = Server(os.path.join(self.scratch, where), *options, name=name).start()
        self.addCleanup(server.stop)
        return server

    def ended(self, *options, data="data"):
        """A serve that is expected not to start."""
        return subprocess.run(
            [program(), "serve", "--data", os.path.join(self.scratch, data), *LOOPBACK, *options],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False)

    @staticmethod
    def shown_certificate(server, sni=None):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with socket.create_connection(server.doors["device-https"]) as plain:
            with context.wrap_socket(plain, server_hostname=sni) as secure:
                return secure.getpeercert(binary_form=True)

    # --- the beginning ---

    def test_ready_line(self):
        server = self.server("--metrics", "127.0.0.1:0")
        with open(os.path.join(self.scratch, "server", "server.out"), encoding="utf-8") as file:
            said = file.read()
        self.assertRegex(said, r"\Aready scope=0ne[0-9A-F]{8} device-https=127\.0\.0\.1:\d+ "
                               r"device-mqtt=127\.0\.0\.1:\d+ device-amqp=127\.0\.0\.1:\d+ "
                               r"operator=127\.0\.0\.1:\d+ metrics=127\.0\.0\.1:\d+\n\Z")
        self.assertNotIn(":0 ", said)
        self.assertEqual(server.command("scope", "show").out, server.scope + "\n")
        self.assertEqual(server.command("scope", "show", "--json").json,
                         {"scopeId": server.scope})

    def test_closed_doors(self):
        server = self.server("--device-https", "off", "--device-mqtt", "off",
                             "--device-amqp", "off", "--operator", "off")
        self.assertEqual(server.doors, {})
        server.command("group", "list")  # the socket is always there
        self.assertIn("no device can register", server.command("doctor", expect=None).out)

    def test_first_start_makes_what_it_needs(self):
        server = self.server()
        modes = {name: stat.S_IMODE(os.stat(os.path.join(server.data, name)).st_mode)
                 for name in (".", "admin-token", "operator.sock", "tls/ca-key.pem",
                              "tls/server-key.pem", "secret.key")}
        self.assertEqual(modes.pop("."), 0o700)
        self.assertEqual(set(modes.values()), {0o600}, modes)
        with open(os.path.join(server.data, "admin-token"), encoding="utf-8") as file:
            token = file.read().strip()
        self.assertIn(os.path.join(server.data, "admin-token"), server.told())
        self.assertNotIn(token, server.told())

    def test_a_restart_keeps_everything(self):
        server = self.server()
        scope = server.scope
        kept = {}
        for name in ("admin-token", "tls/ca.pem", "tls/server.pem", "secret.key"):
            with open(os.path.join(server.data, name), encoding="latin-1") as file:
                kept[name] = file.read()
        server.command("group", "create", "kept")
        server.stop()
        server.start()
        self.assertEqual(server.scope, scope)
        for name, before in kept.items():
            with open(os.path.join(server.data, name), encoding="latin-1") as file:
                self.assertEqual(file.read(), before, name)
        server.command("group", "show", "kept")
        self.assertEqual(server.told().count("bearer token is in"), 1)

    def test_init_before_serve(self):
        data = os.path.join(self.scratch, "server", "data")
        made = rollcall("init", "--data", data, "--scope", "0ne0000ABCD", "--json").json
        self.assertEqual(made["scopeId"], "0ne0000ABCD")
        self.assertTrue(os.path.exists(made["adminToken"]))
        rollcall("init", "--data", data)  # nothing to do, nothing lost
        rollcall("init", "--data", data, "--scope", "0ne0000FFFF", expect=1)
        self.assertEqual(self.server().scope, "0ne0000ABCD")

    def test_scope_set(self):
        server = self.server()
        self.assertRegex(server.command("scope", "set", "mine-1", "--yes", expect=1).err,
                         "(?i)in use|lock")
        server.stop()
        self.assertIn("--yes", server.command("scope", "set", "mine-1").err)
        server.command("scope", "set", "mine-1", "--reason", "moved", "--yes")
        server.command("scope", "set", "no spaces", "--yes", expect=1)
        server.start()
        self.assertEqual(server.scope, "mine-1")
        last = server.command("audit", "list", "--json").json[-1]
        self.assertEqual((last["action"], last["reason"]), ("scope.set", "moved"))

    def test_deep_directories(self):
        deep = os.path.join("d" * 60, "e" * 60, "f" * 60)
        server = self.server(where=deep)
        self.assertGreater(len(server.data), 180)
        server.command("group", "create", "g")
        server.stop()
        server.start()
        server.command("group", "show", "g")

    # --- the hub's name ---

    def hub_of(self, server):
        root = self.ours.root("Root")
        server.command("group", "create", "g")
        server.command("group", "cert", "set", "g", "primary", root.certificate, "--vouch")
        outcome = register(server, "dev", self.ours.leaf(root, "dev").credential, patience=0.05)
        return outcome.state["assignedHub"]

    def test_hub_is_the_first_name(self):
        self.assertEqual(self.hub_of(self.server("--name", "second.example")), "dps.example")

    def test_hub_host_outranks(self):
        self.assertEqual(self.hub_of(self.server("--hub-host", "hub.example")), "hub.example")

    # --- certificates ---

    def given(self, *names):
        """A server certificate by another hand."""
        stem = os.path.join(self.scratch, names[0])
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-subj", f"/CN={names[0]}", "-days", "30", "-addext",
             "subjectAltName=" + ",".join(f"DNS:{name}" for name in names), "-out", stem + ".pem",
             "-keyout", stem + ".key"], check=True, capture_output=True)
        return stem + ".pem", stem + ".key"

    def test_given_certificate_is_taken_up_when_it_changes(self):
        (first, first_key), (second, second_key) = self.given("one.example"), self.given("two.example")
        here, here_key = (os.path.join(self.scratch, n) for n in ("server.pem", "server.key"))
        shutil.copy(first, here)
        shutil.copy(first_key, here_key)
        server = self.server("--server-cert", here, "--server-key", here_key)
        self.assertFalse(os.path.exists(server.ca_file))
        before = self.shown_certificate(server)
        shutil.copy(second_key, here_key)
        shutil.copy(second, here)
        eventually(lambda: self.shown_certificate(server) != before, "the new certificate")

    def test_certificate_and_key_that_do_not_fit(self):
        (first, _), (_, key) = self.given("one.example"), self.given("two.example")
        for options in (("--server-cert", first, "--server-key", key),
                        ("--server-cert", first), ("--server-cert", key, "--server-key", key),
                        ("--server-cert", first, "--server-key", first)):
            ended = self.ended(*options)
            self.assertEqual(ended.returncode, 1, options)
            self.assertEqual(ended.stdout, "")
            self.assertEqual(rollcall("config", "check", *options, expect=1).out, "")

    def test_local_certificate_says_the_names(self):
        server = self.server("--hub-host", "hub.example")
        said = subprocess.run(
            ["openssl", "x509", "-in", os.path.join(server.data, "tls", "server.pem"), "-noout",
             "-ext", "subjectAltName"], check=True, capture_output=True, text=True).stdout
        for name in ("DNS:dps.example", "DNS:hub.example", "DNS:localhost", "IP Address:127.0.0.1"):
            self.assertIn(name, said)

    # --- configuration ---

    def write(self, text):
        path = os.path.join(self.scratch, "rollcall.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def test_empty_configuration_is_good(self):
        said = rollcall("config", "check", "--config", self.write(""), "--json").json
        self.assertEqual((said["deviceHttps"], said["operator"]),
                         ("127.0.0.1:8443", "127.0.0.1:9443"))

    def test_all_problems_at_once(self):
        path = self.write('asign = "now"\nthreads = "two"\n[listen]\noperater = "off"\n')
        said = rollcall("config", "check", "--config", path, expect=1).err
        for word in ("line 1: unknown key asign", "did you mean \"assign\"", "threads is a whole",
                     "listen.operater"):
            self.assertIn(word, said)
        self.assertNotEqual(self.ended("--config", path).returncode, 0)

    def test_check_changes_nothing(self):
        data = os.path.join(self.scratch, "none")
        rollcall("config", "check", "--data", data)
        self.assertFalse(os.path.exists(data))

    def test_file_serves(self):
        data = os.path.join(self.scratch, "of-file")
        path = self.write(f'data = "{data}"\nnames = ["file.example"]\n[listen]\n'
                          'device_https = "127.0.0.1:0"\noperator = "127.0.0.1:0"\n'
                          'metrics = "off"\n')
        with subprocess.Popen([program(), "serve", "--config", path], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True) as process:
            self.assertTrue(process.stdout.readline().startswith("ready scope="))
            rollcall("--data", data, "group", "list")
            process.terminate()
            self.assertEqual(process.wait(timeout=PATIENCE), 0)

    # --- doors ---

    def test_metrics_door(self):
        server = self.server("--metrics", "127.0.0.1:0")
        host, port = server.doors["metrics"]
        with urllib.request.urlopen(f"http://{host}:{port}/metrics") as answer:
            self.assertRegex(answer.read().decode(), r"(?m)^# TYPE rollcall_\w+ ")
        for path, body in (("/healthz", b"alive\n"), ("/readyz", b"ready\n")):
            with urllib.request.urlopen(f"http://{host}:{port}{path}") as answer:
                self.assertEqual(answer.read(), body)
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://{host}:{port}/api/v1/groups")
        self.assertEqual(refused.exception.code, 404)
        refused.exception.close()

    def talk(self, server, sni, host, path="/api/v1/server"):
        context = ssl.create_default_context(cafile=server.ca_file)
        context.check_hostname = sni is not None
        with socket.create_connection(server.doors["device-https"]) as plain:
            with context.wrap_socket(plain, server_hostname=sni) as secure:
                connection = http.client.HTTPConnection("unused")
                connection.sock = secure
                with open(os.path.join(server.data, "admin-token"), encoding="utf-8") as file:
                    token = file.read().strip()
                connection.request("GET", path, headers={"Host": host,
                                                         "Authorization": f"Bearer {token}"})
                answer = connection.getresponse()
                answer.read()
                return answer.status

    def test_one_address_for_devices_and_operators(self):
        server = self.server("--operator-name", "admin.example")
        self.assertEqual(server.doors["operator"], server.doors["device-https"])
        self.assertEqual(self.talk(server, "admin.example", "admin.example"), 200)
        self.assertEqual(self.talk(server, "admin.example", "dps.example"), 421)
        self.assertEqual(self.talk(server, "dps.example", "dps.example"), 404)
        self.assertEqual(self.talk(server, "dps.example", "admin.example"), 421)
        self.assertEqual(self.talk(server, None, "127.0.0.1"), 404)
        self.assertEqual(self.hub_of(server), "dps.example")

    # --- the end ---

    def test_sigterm_is_a_good_end(self):
        server = self.server()
        process = server.process
        idle = socket.create_connection(server.doors["device-https"])
        self.addCleanup(idle.close)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=PATIENCE), 0)
        self.assertFalse(os.path.exists(os.path.join(server.data, "operator.sock")))
        server.process = None

    def test_second_signal_hurries(self):
        server = self.server("--drain-seconds", "3600")
        process = server.process
        # A request that never ends keeps the first signal waiting.
        context = ssl.create_default_context(cafile=server.ca_file)
        context.check_hostname = False
        secure = context.wrap_socket(socket.create_connection(server.doors["operator"]))
        self.addCleanup(secure.close)
        secure.sendall(b"POST /api/v1/groups HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"
                       b"Expect: 100-continue\r\n\r\n")
        self.assertTrue(secure.recv(100).startswith(b"HTTP/1.1 100 "))  # now it is under way
        process.send_signal(signal.SIGTERM)
        eventually(lambda: not self.opens(server), "the doors close")
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=PATIENCE), 0)
        server.process = None

    @staticmethod
    def opens(server):
        try:
            socket.create_connection(server.doors["device-https"]).close()
            return True
        except OSError:
            return False

    def test_left_over_socket_of_a_crash(self):
        server = self.server()
        server.kill()
        self.assertTrue(os.path.exists(os.path.join(server.data, "operator.sock")))
        self.assertIn("rollcall serve", server.command("group", "list", expect=3).err)
        server.start()
        server.command("group", "list")

    def test_no_server(self):
        nowhere = os.path.join(self.scratch, "nowhere")
        for words in (("group", "list"), ("doctor",), ("scope", "show"), ("audit", "verify")):
            said = rollcall("--data", nowhere, *words, expect=3)
            self.assertEqual(said.out, "")
            self.assertIn(nowhere, said.err)


if __name__ == "__main__":
    unittest.main(verbosity=2)
