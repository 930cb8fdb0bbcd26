#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Certificates and proofs that the native API must refuse: the code says what they are, nothing is
stored and no code is used up. What the command line says of them: uploads.py."""
import base64
import os
import subprocess
import sys
import typing
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.scenario import main  # noqa: E402
from lab.steady import Steady  # noqa: E402

KB = 1024
PNG = (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\0\0\0\0:~\x9bU\0\0\0\nIDAT" +
       zlib.compress(b"\0\0") + b"\0\0\0\0IEND\xaeB`\x82")


def text(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def der(path):
    return base64.b64decode("".join(text(path).splitlines()[1:-1]))


def b64(data):
    return base64.b64encode(data).decode()


def pem(data, label="CERTIFICATE"):
    return f"-----BEGIN {label}-----\n{base64.encodebytes(data).decode()}-----END {label}-----\n"


class Row(typing.NamedTuple):
    """make(test) gives what is uploaded in place of a certificate."""
    what: str
    make: typing.Callable
    status: int
    code: str
    words: str


def file_of(*words):
    """What openssl makes of the root `t.odd` and its key."""
    def make(t):
        out = os.path.join(t.scratch, "made-by-openssl")
        filled = [{"CERT": t.odd.certificate, "KEY": t.odd.key}.get(word, word) for word in words]
        subprocess.run(["openssl", *filled, "-out", out], check=True, capture_output=True,
                       stdin=subprocess.DEVNULL)
        with open(out, "rb") as file:
            data = file.read()
        return data.decode() if data.startswith(b"-----") else b64(data)
    return make


def with_extension(extension):
    return lambda t: text(t.openssl.root(f"Odd {extension[:20]}", extensions=extension).certificate)


KEY_GIVEN = (400, "private-key-uploaded", "private key")
NONE_GIVEN = (400, "no-certificate", "no certificate")
BROKEN = (400, "malformed-certificate", "not a certificate")
HOPELESS = (400, "could-never-attest")
TAKEN = (409, "ca-in-other-group", "steady")
LOST = (409, "key-distrusted", "distrust list")

KEYS = [
    Row("its private key", lambda t: text(t.odd.key), *KEY_GIVEN),
    Row("certificate and key", lambda t: text(t.odd.certificate) + text(t.odd.key), *KEY_GIVEN),
    Row("key and certificate", lambda t: text(t.odd.key) + text(t.odd.certificate), *KEY_GIVEN),
    Row("a key as DER", lambda t: b64(der(t.odd.key)), *KEY_GIVEN),
    Row("an old key file", file_of("pkey", "-in", "KEY", "-traditional"), *KEY_GIVEN),
    Row("an encrypted key", file_of("pkcs8", "-topk8", "-in", "KEY", "-passout", "pass:secret"),
        *KEY_GIVEN),
    Row("a public key", file_of("pkey", "-in", "KEY", "-pubout"), *NONE_GIVEN),
]

CONTAINERS = [
    Row("a .p12", file_of("pkcs12", "-export", "-in", "CERT", "-inkey", "KEY", "-passout",
                          "pass:secret"), 400, "pkcs12-uploaded", "openssl pkcs12"),
    Row("a .p7b", file_of("crl2pkcs7", "-nocrl", "-certfile", "CERT"), 400, "pkcs7-uploaded",
        "openssl pkcs7"),
    Row("a .p7b as DER",
        file_of("crl2pkcs7", "-nocrl", "-certfile", "CERT", "-outform", "DER"), 400,
        "pkcs7-uploaded", "openssl pkcs7"),
    Row("a signing request", file_of("req", "-new", "-key", "KEY", "-subj", "/CN=x"), 400,
        "request-uploaded", "what the CA made of it"),
]

RUBBISH = [
    Row("nothing", lambda t: "", *NONE_GIVEN),
    Row("spaces", lambda t: " \r\n\t ", *NONE_GIVEN),
    Row("words", lambda t: "please take this certificate", *NONE_GIVEN),
    Row("a picture", lambda t: b64(PNG), *NONE_GIVEN),
    Row("a picture in a certificate's clothes", lambda t: pem(PNG), *BROKEN),
    Row("zeros", lambda t: b64(b"\0" * 1000), *NONE_GIVEN),
    Row("a web page", lambda t: "<!DOCTYPE html><html><body>502</body></html>", *NONE_GIVEN),
    Row("half a certificate", lambda t: b64(der(t.odd.certificate)[:200]), *BROKEN),
    Row("half a block", lambda t: text(t.odd.certificate)[:300], 400, "malformed-certificate",
        "cut short"),
    Row("bytes behind it", lambda t: b64(der(t.odd.certificate) + b"x"), 400, "trailing-bytes",
        "behind|after|follow"),
    Row("bytes behind it, within its block", lambda t: pem(der(t.odd.certificate) + b"x"), 400,
        "trailing-bytes", "behind|after|follow"),
    Row("two that differ", lambda t: text(t.odd.certificate) + text(t.other.certificate), 400,
        "too-many-certificates", "the one that is meant"),
    Row("a length that lies", lambda t: b64(b"\x30\x84\x7f\xff\xff\xff" + b"\0" * 50), *BROKEN),
    Row("nested without end", lambda t: b64(b"\x30\x80" * 5000), *BROKEN),
    Row("a file of 300 kB", lambda t: "x" * 300 * KB, 413, "file-too-large", "262144|256"),
    Row("a certificate of 40 kB", with_extension(
        "basicConstraints=critical,CA:TRUE\n1.2.3.4=ASN1:UTF8String:" + "x" * 40 * KB + "\n"), 413,
        "certificate-too-large", "32768|32"),
]

NEVER = [
    Row("a device's", lambda t: text(t.ours.leaf(t.odd, t.own("dev")).certificate), *HOPELESS,
        "CA:FALSE"),
    Row("one that has expired", lambda t: text(t.ours.root("Old", start=-9, end=-1).certificate),
        *HOPELESS, "expired on"),
    Row("one that may not sign", with_extension(
        "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,digitalSignature\n"), *HOPELESS,
        "keyCertSign"),
    Row("one with RSA-1024", lambda t: text(t.openssl.root("Weak", "rsa1024").certificate),
        *HOPELESS, "RSA 1024"),
    Row("one of P-224", lambda t: text(t.openssl.root("Weak Curve", "p224").certificate), *HOPELESS,
        "P-224"),
    Row("one for servers alone", with_extension(
        "basicConstraints=critical,CA:TRUE\nextendedKeyUsage=serverAuth\n"), *HOPELESS,
        "clientAuth"),
    Row("one in another group", lambda t: text(t.root.certificate), *TAKEN),
    Row("another group's, renewed", lambda t: text(t.ours.renew(t.root).certificate), *TAKEN),
    Row("one with a distrusted key", lambda t: text(t.lost.certificate), *LOST),
    Row("one with a distrusted key, renewed", lambda t: text(t.ours.renew(t.lost).certificate),
        *LOST),
    Row("one with a distrusted key, certified anew",
        lambda t: text(t.ours.cross(t.lost, t.other).certificate), *LOST),
]


class BadCertificates(Steady):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.odd, cls.other = cls.openssl.root("Odd Root"), cls.ours.root("Other Root")
        cls.lost = cls.ours.root("Lost Root")
        cls.server.command("group", "create", "odd")
        cls.server.command("distrust", "add", cls.lost.certificate, "--reason", "a test", "--yes")

    def assert_problem(self, answer, status, code, words):
        self.assertEqual(answer.status, status, answer.text)
        problem = answer.json
        self.assertEqual(problem["code"], code or problem["code"], answer.text)
        self.assertNotIn(problem["code"], ("", "internal"))
        self.assertRegex(problem["detail"], words or "...")

    def all_refused(self, rows, places=None):
        places = places or (("PUT", "/groups/odd/certificates/primary"),
                            ("POST", "/ca-certificates"))
        for row in rows:
            certificate = row.make(self)
            for method, path in places:
                with self.row(f"{row.what}, {method} {path}"):
                    answer = self.operator.ask(method, path,
                                               {"certificate": certificate, "vouch": True})
                    self.assert_problem(answer, row.status, row.code, row.words)
                    secret = text(self.odd.key).splitlines()[1]
                    self.assertNotIn(secret, answer.text)
        self.a_good_device_comes_in()

    def test_keys(self):
        self.all_refused(KEYS)

    def test_containers(self):
        self.all_refused(CONTAINERS)

    def test_rubbish(self):
        self.all_refused(RUBBISH)

    def test_what_could_never_attest(self):
        self.all_refused(NEVER, [("PUT", "/groups/odd/certificates/primary")])

    def test_proofs_that_prove_nothing(self):
        made = self.operator.ask("POST", "/ca-certificates",
                                 {"certificate": text(self.other.certificate)}).json
        at = f"/ca-certificates/{made['caCertificate']['id']}"
        stale = self.operator.ask("POST", at + "/code").json["code"]
        code = self.operator.ask("POST", at + "/code").json["code"]
        below = self.ours.intermediate(self.other, "Other Sub")
        namesake = self.ours.root("Other Root")
        proofs = [
            ("by another key", self.ours.proof(self.odd, code), "wrong-issuer"),
            ("by another CA of that name", self.ours.proof(namesake, code), "wrong-key"),
            ("through an intermediate", self.ours.proof(below, code), "wrong-issuer"),
            ("for an older code", self.ours.proof(self.other, stale), "wrong-code"),
            ("for the code in small letters", self.ours.leaf(self.other, code.lower()),
             "wrong-code"),
            ("for half the code", self.ours.leaf(self.other, code[:24]), "wrong-code"),
            ("for the code and more", self.ours.leaf(self.other, code + "0"), "wrong-code"),
            ("that has expired", self.ours.leaf(self.other, code, start=-9, end=-1),
             "proof-expired"),
            ("that is not valid yet", self.ours.leaf(self.other, code, start=1, end=9),
             "proof-not-yet-valid"),
            ("self-signed", self.ours.self_signed(code), "wrong-issuer"),
            ("that is the CA itself", self.other, ""),
        ]
        for what, proof, because in proofs:
            with self.row(f"a proof {what}"):
                answer = self.operator.ask("POST", at + "/verify",
                                           {"certificate": text(proof.certificate)})
                self.assert_problem(answer, 409, because, "verification certificate|itself")
        for row in (*KEYS[:1], *CONTAINERS[:1], *RUBBISH[:6]):
            with self.row(f"{row.what} as a proof"):
                answer = self.operator.ask("POST", at + "/verify", {"certificate": row.make(self)})
                self.assert_problem(answer, row.status, row.code, row.words)
        right = {"certificate": text(self.ours.proof(self.other, code).certificate)}
        self.assertEqual(self.operator.ask("POST", at + "/verify", right).status, 200)
        with self.row("the right proof again"):
            answer = self.operator.ask("POST", at + "/verify", right)
            self.assert_problem(answer, 409, "already-verified", "verified")
        self.a_good_device_comes_in()


if __name__ == "__main__":
    main()
