#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What operators hand in by mistake: keys, bundles, containers, certificates that cannot attest."""
import base64
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.scenario import Scenario, main  # noqa: E402
from lab.server import rollcall  # noqa: E402


class Uploads(Scenario):
    def file(self, word, content):
        path = os.path.join(self.scratch, self.own(word))
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return path

    def openssl_makes(self, word, *words):
        path = os.path.join(self.scratch, self.own(word))
        subprocess.run(["openssl", *words, "-out", path], check=True, capture_output=True,
                       stdin=subprocess.DEVNULL)
        return path

    @staticmethod
    def read(path):
        with open(path, encoding="utf-8") as file:
            return file.read()

    def refuses(self, path, words):
        self.command("group", "create", self.own("group"), expect=None)
        said = self.refused("group", "cert", "set", self.own("group"), "primary", path, "--vouch")
        self.assertRegex(said, words)
        return said

    def test_a_private_key_is_refused_and_kept_nowhere(self):
        root = self.ours.root(self.own("root"))
        key = self.read(root.key)
        secret = key.splitlines()[1]
        for path in (root.key, self.file("both.pem", self.read(root.certificate) + key),
                     self.file("both-2.pem", key + self.read(root.certificate))):
            said = self.refuses(path, "(?i)private key")
            self.assertNotIn(secret, said)
            self.refused("enrollment", "create", self.own("dev"), "--primary", path)
        status, _ = self.server.api(f"/groups/{self.own('group')}/certificates/primary", "PUT",
                                    {"certificate": self.read(root.certificate) + key})
        self.assertEqual(status, 400)
        self.assert_in_no_file([secret.encode()], self.server.data)
        self.assertNotIn(secret, self.read(self.server.log))

    def test_containers_are_named(self):
        root = self.openssl.root(self.own("root"))
        p12 = self.openssl_makes("root.p12", "pkcs12", "-export", "-in", root.certificate, "-inkey",
                                 root.key, "-passout", "pass:x")
        p7b = self.openssl_makes("root.p7b", "crl2pkcs7", "-nocrl", "-certfile", root.certificate)
        p7d = self.openssl_makes("root.p7d", "crl2pkcs7", "-nocrl", "-certfile", root.certificate,
                                 "-outform", "DER")
        csr = self.openssl_makes("root.csr", "req", "-new", "-key", root.key, "-subj", "/CN=x")
        for path, words in ((p12, "(?i)p12|pfx|pkcs ?#?12"), (p7b, "(?i)p7b|pkcs ?#?7"),
                            (p7d, "(?i)p7b|pkcs ?#?7"), (csr, "(?i)request|csr")):
            self.refuses(path, words)

    def test_rubbish(self):
        root = self.ours.root(self.own("root"))
        pem = self.read(root.certificate)
        der = base64.b64decode("".join(pem.splitlines()[1:-1]))
        for word, content in (("empty", ""), ("text", "hello"), ("html", "<html></html>"),
                              ("cut", pem[:200]), ("trailing", der + b"x"), ("zeros", b"\0" * 64)):
            path = self.file(word, content)
            self.command("group", "create", self.own("group"), expect=None)
            said = self.refused("group", "cert", "set", self.own("group"), "primary", path)
            self.assertTrue(said.strip())

    def test_spellings_of_a_good_one(self):
        root = self.ours.root(self.own("root"))
        pem = self.read(root.certificate)
        der = base64.b64decode("".join(pem.splitlines()[1:-1]))
        self.command("group", "create", self.own("group"))
        for word, content in (("pem", pem), ("crlf", pem.replace("\n", "\r\n")), ("der", der),
                              ("base64", base64.b64encode(der)),
                              ("base64-pem", base64.b64encode(pem.encode())),
                              ("text", f"subject=x\n\n{pem}\nnull")):
            path = self.file(word, content)
            self.command("group", "cert", "set", self.own("group"), "primary", path, "--vouch",
                         "--yes")
        leaf = self.ours.leaf(root, self.own("dev"))
        self.assert_assigned(self.own("dev"), leaf.credential)

    def test_what_could_never_attest_is_refused_unless_forced(self):
        root = self.ours.root(self.own("root"))
        device = self.ours.leaf(root, self.own("device"))
        expired = self.ours.root(self.own("expired"), start=-20, end=-1)
        for party, words in ((device, "(?i)CA"), (expired, "(?i)expired")):
            self.refuses(party.certificate, words)
        self.command("group", "cert", "set", self.own("group"), "primary", expired.certificate,
                     "--force")

    def test_names_that_would_steer_a_terminal(self):
        """Escapes, also those of one character beyond ASCII, and marks that turn the direction."""
        root = self.openssl.root("a\x1b[2J\x07b\u009b2J\u202ec")
        self.command("ca", "add", self.own("ca"), root.certificate)
        stranger = self.openssl.leaf(self.openssl.root("d\x1be\u009bf\u202eg"), "x\u009by")
        for said in (rollcall("pki", "inspect", root.certificate), self.command("ca", "list"),
                     rollcall("pki", "verify", "--anchors", root.certificate, "--chain",
                              stranger.certificate, "--at", int(time.time()), expect=1),
                     self.command("ca", "show", self.own("ca")),
                     self.command("distrust", "add", root.certificate, "--reason", "x", "--yes"),
                     self.command("ca", "add", self.own("again"), root.certificate, expect=1)):
            for sign in "\x1b\x07\u009b\u202e":
                self.assertNotIn(sign, said.out + said.err, said.line)

    def test_exit_codes(self):
        self.command("group", "show", self.own("nobody"), expect=1)
        self.command("group", "frobnicate", expect=2)
        self.command("group", "cert", "set", "g", "third", "x.pem", expect=2)
        rollcall("--data", os.path.join(self.scratch, "no-server"), "group", "list", expect=3)


if __name__ == "__main__":
    main()
