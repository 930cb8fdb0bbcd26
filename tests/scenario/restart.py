#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What was answered stays true: power cuts, restarts, the lock of the data directory, ports."""
import os
import stat
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.scenario import Scenario, main  # noqa: E402
from lab.server import Server, program  # noqa: E402


class Restart(Scenario):
    def power_cut(self):
        self.server.kill()
        self.server.start()

    def test_nothing_that_was_answered_is_lost(self):
        old, new = self.ours.root(self.own("old")), self.ours.root(self.own("new"))
        group = self.group(self.own("group"), old)
        leaf = self.ours.leaf(old, self.own("dev"))
        fresh = self.ours.leaf(new, self.own("dev"))
        scope = self.server.scope
        with self.talk(leaf.credential) as talk:
            operation = talk.put(self.own("dev")).json["operationId"]
        self.power_cut()
        self.assertEqual(self.server.scope, scope)
        with self.talk(leaf.credential) as talk:
            self.assertEqual(talk.poll(self.own("dev"), operation).json["status"], "assigned")
        self.command("group", "cert", "set", group, "secondary", new.certificate)
        code = self.command("group", "cert", "code", group, "secondary").out.strip()
        self.power_cut()
        self.assert_refused(self.own("dev"), fresh.credential)
        self.command("group", "cert", "verify", group, "secondary",
                     self.ours.proof(new, code).certificate)
        self.power_cut()
        self.assert_assigned(self.own("dev"), fresh.credential)
        self.command("group", "cert", "remove", group, "primary", "--breach", "--yes")
        self.power_cut()
        self.assert_refused(self.own("dev"), leaf.credential)
        self.assertEqual(self.explained(self.own("dev"))["cause"], "distrusted-key")
        self.assert_assigned(self.own("dev"), fresh.credential)
        self.command("audit", "verify")

    def test_the_audit_chain_outlives_restarts_and_shows_a_forger(self):
        self.command("group", "create", self.own("group"), "--reason", "a first word")
        self.power_cut()
        self.command("group", "delete", self.own("group"), "--reason", "a last word", "--yes")
        self.assertEqual(self.command("audit", "verify").code, 0)
        reasons = [event["reason"] for event in self.server.listing("/audit")]
        self.assertIn("a first word", reasons)
        self.assertIn("a last word", reasons)

    def test_one_server_to_a_data_directory(self):
        second = subprocess.run(
            [program(), "serve", "--data", self.server.data, "--device-https", "127.0.0.1:0",
             "--operator", "127.0.0.1:0", "--device-mqtt", "off", "--device-amqp", "off",
             "--metrics", "off"],
            capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False)
        self.assertNotEqual(second.returncode, 0)
        self.assertRegex(second.stderr, "(?i)in use|lock")
        self.command("group", "list")

    def test_two_servers_never_share_a_port(self):
        host, port = self.server.doors["device-https"]
        other = subprocess.run(
            [program(), "serve", "--data", os.path.join(self.scratch, "another"), "--device-https",
             f"{host}:{port}", "--operator", "127.0.0.1:0", "--device-mqtt", "off",
             "--device-amqp", "off", "--metrics", "off"],
            capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False)
        self.assertNotEqual(other.returncode, 0)
        self.assertIn(str(port), other.stderr)

    def test_what_is_secret_is_for_the_owner_alone(self):
        self.assertEqual(stat.S_IMODE(os.stat(self.server.data).st_mode), 0o700)
        loose = []
        for where, _, names in os.walk(self.server.data):
            for name in names:
                path = os.path.join(where, name)
                mode = os.stat(path).st_mode
                if stat.S_IMODE(mode) & 0o077 and not path.endswith(".pem"):
                    loose.append((path, oct(stat.S_IMODE(mode))))
        self.assertEqual(loose, [])
        with open(os.path.join(self.server.data, "admin-token"), encoding="utf-8") as file:
            token = file.read().strip()
        with open(self.server.log, encoding="utf-8") as file:
            self.assertNotIn(token, file.read())

    def test_another_server_is_another_tenant(self):
        with Server(os.path.join(self.scratch, self.own("twin"))) as twin:
            self.assertNotEqual(twin.scope, self.server.scope)
            self.assertRegex(twin.scope, "^0ne[0-9A-F]{8}$")
            self.assertEqual(twin.command("group", "list", "--json").code, 0)


if __name__ == "__main__":
    main()
