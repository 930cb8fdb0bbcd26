#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command line as scripts see it: what goes where, exit codes, JSON, help, ways to a server."""
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.scenario import Scenario, main  # noqa: E402
from lab.server import program, rollcall  # noqa: E402

NOUNS = ["serve", "init", "config", "scope", "group", "hub", "ca", "enrollment", "device",
         "registration", "pki", "distrust", "doctor", "token", "user", "audit", "backup",
         "restore", "import", "completion", "man"]
VERBS = {
    "group": "list show create update enable disable delete",
    "group cert": "show set code verify remove swap",
    "hub": "list show add update remove default",
    "ca": "list show add code verify delete",
    "enrollment": "list show create update enable disable delete",
    "enrollment cert": "set remove swap",
    "device": "list show approve block unblock delete",
    "registration": "list show explain",
    "pki": "ca intermediate leaf verification inspect verify",
    "distrust": "list add lift",
    "token": "create list show rotate revoke",
    "user": "list create set-role password enable disable delete",
    "audit": "list verify export prune",
    "scope": "show set",
    "config": "check",
}


class Help(Scenario):
    @classmethod
    def setUpClass(cls):
        """Help needs no server."""

    @classmethod
    def tearDownClass(cls):
        pass

    def test_every_noun_and_verb_has_help_with_examples(self):
        first = rollcall("help").out
        for noun in NOUNS:
            self.assertRegex(first, rf"(?m)^  {noun}\s")
            self.assertIn("Examples:", rollcall("help", noun).out)
        for words, verbs in VERBS.items():
            for verb in verbs.split():
                for line in ([*words.split(), verb, "--help"], ["help", *words.split(), verb]):
                    said = rollcall(*line)
                    self.assertIn("Examples:\n  rollcall ", said.out, line)
                    self.assertEqual(said.err, "", line)

    def test_commands_of_later_versions_are_not_listed(self):
        first = rollcall("help").out
        for noun in ("roll", "fleet"):
            self.assertNotRegex(first, rf"(?m)^  {noun}\s")
            rollcall(noun, expect=2)

    def test_version(self):
        self.assertRegex(rollcall("--version").out, r"^rollcall \d+\.\d+\.\d+\n$")

    def test_usage(self):
        for words in ((), ("nothing",), ("group",), ("group", "lst"), ("group", "show"),
                      ("group", "list", "--nonsense"), ("help", "nothing"),
                      ("device", "list", "--state", "odd"), ("group", "cert", "code", "g", "both"),
                      ("token", "create", "x", "--expires", "tomorrow"),
                      ("token", "create", "x", "--sas-policy", "all", "--expires", "2040-01-01"),
                      ("token", "rotate", "x"), ("token", "rotate", "x", "third"),
                      ("group", "cert", "set", "g", "both", "x.pem"),
                      ("group", "cert", "set", "g", "primary"),
                      ("group", "cert", "set", "g", "primary", "x", "--breach", "--replace-now"),
                      ("enrollment", "cert", "set", "e"), ("distrust", "lift", "x", "--reason", "y"),
                      ("--url", "http://elsewhere.example", "group", "list")):
            said = rollcall(*words, expect=2)
            if words:
                self.assertEqual(said.out, "", words)
                self.assertTrue(said.err.startswith("rollcall: "), words)


class CommandLine(Scenario):
    def test_lists_and_records_as_json(self):
        root = self.ours.root(self.own("root"))
        group = self.group(self.own("group"), root)
        leaf = self.ours.leaf(root, self.own("dev"))
        self.assert_assigned(self.own("dev"), leaf.credential)
        self.command("ca", "add", self.own("ca"), self.ours.root("Another").certificate)
        self.command("enrollment", "create", self.own("lone"), "--primary",
                     self.ours.self_signed(self.own("lone")).certificate)
        for noun, key in (("group", "id"), ("ca", "id"), ("enrollment", "registrationId"),
                          ("device", "id"), ("registration", "registrationId")):
            items = self.command(noun, "list", "--json").json
            self.assertIsInstance(items, list)
            self.assertTrue(items, noun)
            one = self.command(noun, "show", items[0][key], "--json").json
            self.assertEqual(one[key], items[0][key])
            for words in ((noun, "list"), (noun, "show", items[0][key])):
                said = self.command(*words)
                self.assertIn(items[0][key], said.out)
                self.assertEqual(said.err, "", words)
        slots = self.command("group", "cert", "show", group, "--json").json
        self.assertTrue(slots["primary"]["current"]["attests"])
        slot = self.command("group", "cert", "show", group, "primary", "--json").json
        self.assertEqual(slot["slot"], "primary")
        self.assertIn("1", self.command("group", "cert", "show", group, "primary").out)
        pem = self.command("group", "cert", "show", group, "primary", "--pem").out
        self.assertTrue(pem.startswith("-----BEGIN CERTIFICATE-----"))
        explained = self.command("registration", "explain", self.own("dev"), "--json").json
        self.assertIsNone(explained["refusal"])
        self.assertIsInstance(self.command("doctor", "--json", expect=None).json, list)
        for words in (("distrust", "list"), ("token", "list"), ("audit", "list")):
            self.assertIsInstance(self.command(*words, "--json").json, list)

    def test_filters(self):
        root = self.ours.root(self.own("root"))
        self.group(self.own("group"), root)
        self.assert_assigned(self.own("dev"), self.ours.leaf(root, self.own("dev")).credential)
        here = self.command("registration", "list", "--group", self.own("group"), "--json").json
        self.assertEqual([r["registrationId"] for r in here], [self.own("dev")])
        ca = self.command("group", "show", self.own("group"), "--json").json[
            "certificates"]["primary"]["current"]["certificate"]["sha256Thumbprint"]
        on = self.command("registration", "list", "--on", ca, "--json").json
        self.assertEqual([r["registrationId"] for r in on], [self.own("dev")])
        self.assertEqual(
            self.command("registration", "list", "--status", "failed", "--group",
                         self.own("group"), "--json").json, [])
        devices = self.command("device", "list", "--prefix", self.own("dev"), "--json").json
        self.assertEqual([d["state"] for d in devices], ["provisioned"])

    def test_what_goes_where(self):
        root = self.ours.root(self.own("root"))
        said = self.command("group", "create", self.own("group"))
        self.assertEqual(said.out, "")
        self.assertIn(self.own("group"), said.err)
        created = self.command("group", "create", self.own("other"), "--json")
        self.assertEqual(created.json["group"]["id"], self.own("other"))
        said = self.command("group", "cert", "set", self.own("group"), "primary", root.certificate)
        self.assertIn("rollcall group cert code", said.err)
        code = self.command("group", "cert", "code", self.own("group"), "primary")
        self.assertRegex(code.out, r"^[0-9A-F]{48}\n$")
        with_json = self.command("group", "cert", "code", self.own("group"), "primary", "--json")
        self.assertNotEqual(with_json.json["code"], code.out.strip())  # a re-ask replaces it
        none = self.command("registration", "list", "--group", self.own("group"))
        self.assertEqual((none.out, none.err), ("", "No registration.\n"))

    def test_global_options_before_and_after(self):
        data = self.server.data
        for words in (("--data", data, "--json", "group", "list"),
                      ("group", "list", "--json", "--data", data),
                      ("group", "--json", "list", f"--data={data}")):
            self.assertIsInstance(rollcall(*words).json, list)

    def test_environment_stands_in(self):
        run = subprocess.run([program(), "scope", "show"], text=True, capture_output=True,
                             env={**os.environ, "ROLLCALL_DATA": self.server.data}, check=True)
        self.assertEqual(run.stdout, self.server.scope + "\n")

    def test_by_url(self):
        host, port = self.server.doors["operator"]
        url = f"https://{host}:{port}"
        token = os.path.join(self.server.data, "admin-token")
        ca = self.server.ca_file
        rollcall("--url", url, "--token", f"@{token}", "--ca", ca, "group", "list")
        with open(token, encoding="utf-8") as file:
            rollcall("--url", url, "--token", file.read().strip(), "--ca", ca, "group", "list")
        rollcall("--url", url, "--data", self.server.data, "group", "list")
        said = rollcall("--url", url, "--token", "wrong", "--ca", ca, "group", "list", expect=1)
        self.assertIn("--token", said.err)
        said = rollcall("--url", url, "--token", f"@{token}", "group", "list", expect=3)
        self.assertIn("--ca", said.err)
        said = rollcall("--url", "https://127.0.0.1:1", "group", "list", expect=3)
        self.assertIn("--url", said.err)

    def test_users(self):
        name = self.own("ann")
        file = os.path.join(self.scratch, "password")
        with open(file, "w", encoding="utf-8") as opened:
            opened.write("a long enough password\r\nand a second line\n")
        made = self.command("user", "create", name, "--role", "viewer", "--password-file", file,
                            "--json").json
        self.assertEqual((made["name"], made["kind"], made["role"]), (name, "local", "viewer"))
        self.assertNotIn("argon2", json.dumps(made))
        self.assertRegex(self.command("user", "list").out, rf"(?m)^{name} +local +viewer +yes")
        self.assertIn("already", self.refused("user", "create", name, "--role", "viewer",
                                              "--password-file", file))
        self.assertIn("at least 12", self.command(
            "user", "create", "x", "--role", "viewer", "--password-file", "-", stdin="short",
            expect=1).err)
        email = self.own("bob") + "@example.com"
        self.command("user", "create", email, "--role", "operator", "--oidc")
        self.command("user", "create", "c@example.com", "--role", "operator", "--oidc",
                     "--password-file", file, expect=2)
        self.command("user", "create", "x", "--role", "owner", "--oidc", expect=2)
        self.command("user", "set-role", name, "builder")
        self.command("user", "password", name, "--password-file", file)
        self.refused("user", "password", email, "--password-file", file)
        self.command("user", "disable", name)
        listed = {user["name"]: user for user in self.command("user", "list", "--json").json}
        self.assertEqual((listed[name]["role"], listed[name]["enabled"]), ("builder", False))
        self.assertEqual(listed[email]["kind"], "openid")
        self.command("user", "enable", name)
        self.assertIn("--yes", self.command("user", "delete", name).err)
        self.command("user", "delete", name.upper(), "--yes")
        self.refused("user", "delete", name, "--yes")
        self.refused("user", "delete", name)

    def test_a_password_is_asked_for_on_the_terminal_only(self):
        """There is none here, and none is taken from the command line."""
        said = self.command("user", "create", "ann", "--role", "viewer", expect=2, alone=True)
        self.assertIn("--password-file", said.err)
        self.command("user", "create", "ann", "--role", "viewer", "--password", "x", expect=2)

    def test_tokens(self):
        host, port = self.server.doors["operator"]
        reach = ["--url", f"https://{host}:{port}", "--ca", self.server.ca_file]
        made = self.command("token", "create", self.own("t"), "--reason", "a test")
        secret = made.out.strip()
        self.assertRegex(secret, r"^\S{32,}$")
        rollcall(*reach, "--token", secret, "group", "list")
        listed = self.command("token", "list", "--json").json
        self.assertIn(self.own("t"), [token["name"] for token in listed])
        self.assertNotIn(secret, json.dumps(listed))
        shown = self.command("token", "revoke", self.own("t"))
        self.assertIn("--yes", shown.err)
        rollcall(*reach, "--token", secret, "group", "list")
        self.command("token", "revoke", self.own("t"), "--yes")
        rollcall(*reach, "--token", secret, "group", "list", expect=1)
        self.refused("token", "revoke", self.own("t"))
        for event in self.command("audit", "list", "--json").json:
            self.assertNotIn(secret, json.dumps(event))

    def test_shared_access_policies(self):
        name = self.own("p")
        made = self.command("token", "create", name, "--sas-policy",
                            "EnrollmentRead,registrationstatusread").out
        shape = r"^HostName=dps\.example;SharedAccessKeyName=%s;SharedAccessKey=(\S{88})\n$" % name
        primary = re.match(shape, made).group(1)
        self.assertEqual(self.command("token", "show", name).out, made)
        secondary = re.match(shape, self.command("token", "show", name, "secondary").out).group(1)
        rotated = re.match(shape, self.command("token", "rotate", name, "secondary").out).group(1)
        self.assertEqual(len({primary, secondary, rotated}), 3)
        self.assertEqual(self.command("token", "show", name).out, made)
        keys = self.command("token", "show", name, "--json").json
        self.assertEqual((keys["primaryKey"], keys["secondaryKey"]), (primary, rotated))
        listed = {token["name"]: token for token in self.command("token", "list", "--json").json}
        self.assertEqual((listed[name]["kind"], listed[name]["rights"]),
                         ("sas", ["EnrollmentRead", "RegistrationStatusRead"]))
        self.assertEqual(listed["admin"]["kind"], "bearer")
        self.assertEqual(len(listed["provisioningserviceowner"]["rights"]), 6)
        self.assertRegex(self.command("token", "list").out,
                         rf"(?m)^{name} +sas +EnrollmentRead, RegistrationStatusRead ")
        self.assertIn("already", self.refused("token", "create", name))
        self.assertIn("no right 'Root'", self.refused("token", "create", "x", "--sas-policy",
                                                      "Root"))
        self.assertIn("--yes", self.command("token", "revoke", name).err)
        self.assertEqual(self.command("token", "show", name).out, made)
        self.command("token", "revoke", name.upper(), "--yes")
        self.refused("token", "show", name)
        self.refused("token", "revoke", name, "--yes")
        told = json.dumps([listed, self.command("audit", "list", "--json").json])
        for key in (primary, secondary, rotated):
            self.assertNotIn(key, told)

    def test_destructive_verbs_show_until_yes(self):
        root = self.ours.root(self.own("root"))
        group = self.group(self.own("group"), root)
        leaf = self.ours.leaf(root, self.own("dev"))
        self.assert_assigned(self.own("dev"), leaf.credential)
        lone = self.ours.self_signed(self.own("lone"))
        self.command("enrollment", "create", self.own("lone"), "--primary", lone.certificate)
        other = self.ours.root(self.own("other")).certificate
        before = self.command("audit", "list").out
        for words in (("group", "delete", group), ("group", "cert", "remove", group, "primary"),
                      ("group", "cert", "remove", group, "primary", "--breach"),
                      ("group", "cert", "set", group, "primary", other, "--vouch", "--replace-now"),
                      ("group", "cert", "set", group, "both", "--primary", other, "--secondary",
                       self.ours.root(self.own("third")).certificate, "--vouch", "--breach"),
                      ("enrollment", "delete", self.own("lone")),
                      ("enrollment", "cert", "remove", self.own("lone"), "primary"),
                      ("device", "delete", self.own("dev")),
                      ("distrust", "add", root.certificate, "--reason", "x")):
            said = self.command(*words)
            self.assertEqual(said.out, "", words)
            self.assertIn("This would happen:", said.err, words)
            self.assertIn("Nothing was changed. Add --yes", said.err, words)
            self.assertTrue(self.command(*words, "--json").json["dryRun"], words)
        self.assertEqual(self.command("audit", "list").out, before)
        self.assert_assigned(self.own("dev"), leaf.credential)

    def test_plain_changes_that_would_lose_a_device_are_refused(self):
        first, second = (self.ours.self_signed(self.own("dev")) for _ in range(2))
        self.command("enrollment", "create", self.own("dev"), "--primary", first.certificate)
        self.assert_assigned(self.own("dev"), first.alone)
        said = self.refused("enrollment", "cert", "set", self.own("dev"), "primary",
                            second.certificate)
        self.assertIn("--yes", said)
        self.assert_assigned(self.own("dev"), first.alone)
        self.command("enrollment", "cert", "set", self.own("dev"), "secondary", second.certificate)
        self.assert_assigned(self.own("dev"), second.alone)
        # Now that it has moved, the old slot may be set without a word.
        third = self.ours.self_signed(self.own("dev"))
        self.command("enrollment", "cert", "set", self.own("dev"), "primary", third.certificate)

    def test_breach_of_both_leaves_in_one_change(self):
        leaves = [self.ours.self_signed(self.own("dev")) for _ in range(4)]
        name = self.own("dev")
        self.command("enrollment", "create", name, "--primary", leaves[0].certificate,
                     "--secondary", leaves[1].certificate)
        self.command("enrollment", "cert", "set", name, "--primary", leaves[2].certificate,
                     "--secondary", leaves[3].certificate, "--breach", "--yes")
        for leaf in leaves[:2]:
            self.assert_refused(name, leaf.alone)
        for leaf in leaves[2:]:
            self.assert_assigned(name, leaf.alone)
        events = self.command("audit", "list", "--json").json
        self.assertEqual(
            sum(event["object"].endswith(name) for event in events), 2)  # created, breached

    def test_stale_etag_is_refused(self):
        self.command("group", "create", self.own("group"))
        etag = self.command("group", "show", self.own("group"), "--json").json["etag"]
        self.command("group", "update", self.own("group"), "--auto-approve", "off", "--etag", etag)
        self.refused("group", "update", self.own("group"), "--auto-approve", "on", "--etag", etag)

    def test_settings(self):
        group = self.own("group")
        twin = os.path.join(self.scratch, "twin.json")
        with open(twin, "w", encoding="utf-8") as file:
            json.dump({"tags": {"plant": "a"}, "properties": {"desired": {"rate": 5}}}, file)
        self.command("group", "create", group, "--initial-twin", twin, "--reprovision", "never",
                     "--auto-approve", "off", "--refuse-older-leaf", "on", "--disabled")
        made = self.command("group", "show", group, "--json").json
        self.assertEqual(made["initialTwin"]["tags"], {"plant": "a"})
        self.assertEqual(made["reprovisionPolicy"],
                         {"updateHubAssignment": False, "migrateDeviceData": False})
        self.assertEqual((made["autoApprove"], made["refuseOlderLeaf"], made["enabled"]),
                         (False, True, False))
        self.command("group", "update", group, "--initial-twin", "none", "--reprovision", "reset")
        self.command("group", "enable", group)
        made = self.command("group", "show", group, "--json").json
        self.assertIsNone(made["initialTwin"])
        self.assertEqual(made["reprovisionPolicy"],
                         {"updateHubAssignment": True, "migrateDeviceData": False})
        self.assertTrue(made["enabled"])

    def test_explain_for_people(self):
        root, stranger = self.ours.root(self.own("root")), self.ours.root(self.own("stranger"))
        self.group(self.own("group"), root)
        self.assert_refused(self.own("dev"), self.ours.leaf(stranger, self.own("dev")).credential)
        page = self.command("registration", "explain", self.own("dev")).out
        for word in ("what happened:", "what mends it:", "The chain as the device sent it",
                     f"CN={self.own('dev')}", "device was told:   401002"):
            self.assertIn(word, page)
        self.refused("registration", "explain", self.own("nobody"))

    def test_strangers_cannot_write_on_the_operators_screen(self):
        name = self.own("dev")
        mean = self.openssl.self_signed(f"{name}\x1b[2J")
        self.register(name, mean.alone)
        page = self.command("registration", "explain", name).out
        self.assertNotIn("\x1b", page)

    def test_audit(self):
        self.command("group", "create", self.own("group"), "--reason", "because")
        said = self.command("audit", "verify")
        self.assertRegex(said.out, r"^intact: \d+ events\n$")
        lines = self.command("audit", "export").out.splitlines()
        events = [json.loads(line) for line in lines[:-1]]
        self.assertEqual(json.loads(lines[-1])["head"]["hash"], events[-1]["hash"])
        self.assertEqual([event["sequence"] for event in events],
                         list(range(1, len(events) + 1)))
        for before, after in zip(events, events[1:]):
            self.assertEqual(after["previous"], before["hash"])
        self.assertEqual(events[-1]["reason"], "because")
        self.assertEqual(
            [e["sequence"] for e in self.command("audit", "list", "--after", len(events) - 1,
                                                 "--json").json], [len(events)])

    def test_doctor(self):
        group = self.own("group")
        self.command("group", "create", group)
        said = self.command("doctor", expect=1)
        self.assertRegex(said.out, rf"BAD +group {re.escape(group)} +no slot attests")
        self.command("group", "disable", group)
        near = self.ours.root(self.own("near"), end=10)
        self.command("group", "create", self.own("near"))
        self.command("group", "cert", "set", self.own("near"), "primary", near.certificate,
                     "--vouch")
        self.assertRegex(self.command("doctor", expect=None).out,
                         rf"warning +group {re.escape(self.own('near'))} primary .* in 9 days")

    def test_closed_pipe_is_no_traceback(self):
        ended = subprocess.run(f"'{program()}' help | true", shell=True, capture_output=True,
                               text=True, check=False)
        self.assertEqual(ended.stderr, "")


if __name__ == "__main__":
    main()
