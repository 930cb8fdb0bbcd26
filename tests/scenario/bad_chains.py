#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every fault a chain can have: the device is told 401002, its operator what is wrong; nothing is
stored, and searches that were made to be long disturb nobody."""
import base64
import concurrent.futures
import os
import random
import re
import ssl
import sys
import time
import typing

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.device import Credential  # noqa: E402
from lab.makers import Party  # noqa: E402
from lab.scenario import main  # noqa: E402
from lab.steady import Steady  # noqa: E402

CA = "basicConstraints=critical,CA:TRUE{}\nkeyUsage=critical,keyCertSign,cRLSign\n"
LEAF = "basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\n"
NO_CA = "CA certificate not found."
CLIENT = LEAF + "extendedKeyUsage=clientAuth\n"


class Row(typing.NamedTuple):
    """make(test, name) gives the credential of a device `name`; `words`: in the explanation that
    the operator reads; `told`: all that the device learns."""
    what: str
    make: typing.Callable
    words: str
    told: str = "Invalid certificate."


def leaf(**how):
    """A leaf straight under the good root, by OpenSSL."""
    return lambda t, name: t.openssl.leaf(t.top, name, **how).credential


def under(extensions=CA.format(""), below=0, **how):
    """A good leaf under an intermediate with these extensions; `below`: CAs between the two."""
    def make(t, name):
        issuer = t.openssl.intermediate(t.top, f"{name} sub", extensions=extensions, **how)
        for level in range(below):
            issuer = t.openssl.intermediate(issuer, f"{name} sub {level}")
        return t.openssl.leaf(issuer, name).credential
    return make


def dated(start, end, ca_start=0, ca_end=None):
    def make(t, name):
        sub = t.ours.intermediate(t.top_ours, f"{name} sub", start=ca_start, end=ca_end)
        return t.ours.leaf(sub, name, start=start, end=end).credential
    return make


def spoiled(party):
    """The same certificate with another signature."""
    with open(party.certificate, encoding="utf-8") as file:
        text = re.search("-----BEGIN CERTIFICATE-----(.*?)-----END", file.read(), re.S)[1]
    der = bytearray(base64.b64decode(text))
    der[-3] ^= 1
    path = party.certificate.removesuffix(".pem") + ".spoiled.pem"
    with open(path, "w", encoding="utf-8") as file:
        file.write("-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(der).decode() +
                   "-----END CERTIFICATE-----\n")
    return Party(path, party.key, party.issuer)


def spoiled_leaf(t, name):
    return spoiled(t.ours.leaf(t.top_ours, name)).credential


def spoiled_issuer(t, name):
    sub = t.ours.intermediate(t.top_ours, f"{name} sub")
    return Credential(*chain_of(t.ours.leaf(sub, name), spoiled(sub)))


def chain_of(first, *others):
    return first.chain(first, *others), first.key


def with_chain(first, *others):
    return Credential(*chain_of(first, *others))


def gap(t, name):
    low = t.ours.intermediate(t.ours.intermediate(t.top_ours, f"{name} high"), f"{name} low")
    return with_chain(t.ours.leaf(low, name), low)


def gap_at_the_leaf(t, name):
    high = t.ours.intermediate(t.top_ours, f"{name} high")
    return with_chain(t.ours.leaf(t.ours.intermediate(high, f"{name} low"), name), high, t.top_ours)


def loop(t, name):
    """Two CAs that certify each other, and nothing above them."""
    one, two = t.ours.root(f"{name} one"), t.ours.root(f"{name} two")
    return with_chain(t.ours.leaf(one, name), t.ours.cross(one, two), t.ours.cross(two, one))


def loop_on_itself(t, name):
    root = t.ours.root(f"{name} root")
    return with_chain(t.ours.leaf(root, name), *[root] * 20)


def namesake(t, name):
    """A root of the good one's name, with a key of its own."""
    root = t.ours.root("Chains Ours")
    return with_chain(t.ours.leaf(root, name), root, t.top_ours)


def strangers_leaf(t, name):
    """Another's certificates behind a leaf that they did not sign."""
    return with_chain(t.ours.self_signed(name), t.ours.intermediate(t.top_ours, f"{name} sub"),
                      t.top_ours)


def ca_as_device(t, name):
    return Credential(t.top_ours.certificate, t.top_ours.key)


def unverified(t, name):
    root = t.ours.root(f"{name} root")
    t.group(name, root, vouch=False)
    return t.ours.leaf(root, name).credential


def device_as_issuer(t, name):
    device = t.ours.leaf(t.top_ours, f"{name}-device")
    return with_chain(t.ours.leaf(device, name), device)


def distrusted(t, name):
    sub = t.ours.intermediate(t.top_ours, f"{name} sub")
    t.command("distrust", "add", sub.certificate, "--reason", "a test", "--yes")
    return t.ours.leaf(sub, name).credential


def distrusted_device(t, name):
    """One device's key was stolen: its siblings stay."""
    party = t.ours.leaf(t.top_ours, name)
    t.command("distrust", "add", party.certificate, "--reason", "a test", "--yes")
    return t.ours.leaf(t.top_ours, name, key_file=party.key).credential


def other_subject(subject):
    """A leaf with this subject and no other name."""
    return lambda t, name: t.ours.leaf(t.top_ours, subject.format(name)).credential


def many(t, name, count):
    """A good chain with its root in it so often that there are `count` certificates."""
    sub = t.ours.intermediate(t.top_ours, f"{name} sub")
    return with_chain(t.ours.leaf(sub, name), sub, *[t.top_ours] * (count - 2))


def mesh(t, name, count):
    """So many CAs, each certified by each other one: (the CAs, their cross-certificates)."""
    cas = [t.ours.root(f"{name} {n}") for n in range(count)]
    return cas, [t.ours.cross(a, b) for a in cas for b in cas if a is not b]


VALIDITY = [
    Row("the leaf has expired", dated(-20, -1), "expired"),
    Row("leaf and issuer have expired", dated(-20, -2, -20, -1), "expired"),
    Row("the leaf is not valid yet", dated(1, 20), "becomes valid"),
    Row("the leaf's issuer has expired", dated(-10, 10, -20, -1), "expired"),
    Row("the leaf's issuer is not valid yet", dated(0, 10, 1, 20), "becomes valid"),
]

PURPOSE = [
    Row("for servers only", leaf(extensions=LEAF + "extendedKeyUsage=serverAuth\n"), "clientAuth"),
    Row("for mail and code only", leaf(extensions=LEAF + "extendedKeyUsage="
                                       "emailProtection,codeSigning\n"), "clientAuth"),
    Row("an issuer for servers only", under(CA.format("") + "extendedKeyUsage=serverAuth\n"),
        "clientAuth"),
    Row("a critical extension of nobody's", leaf(extensions=CLIENT +
                                                 "1.2.3.4.5=critical,ASN1:NULL\n"), "critical"),
    Row("an issuer with a critical extension of nobody's",
        under(CA.format("") + "1.2.3.4.5=critical,ASN1:NULL\n"), "critical"),
    Row("an issuer that says CA:FALSE", under("basicConstraints=critical,CA:FALSE\n"),
        "not a CA|no CA"),
    Row("an issuer that says nothing", under(""), "not a CA|no CA"),
    Row("an issuer that may not sign certificates",
        under("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,digitalSignature\n"),
        "keyUsage"),
    Row("a device as issuer", device_as_issuer, "not a CA|no CA"),
    Row("the CA itself as device", ca_as_device, "Chains Ours"),
    Row("no CA may stand below", under(CA.format(",pathlen:0"), below=1), "pathLen"),
    Row("one CA may stand below", under(CA.format(",pathlen:1"), below=2), "pathLen"),
    Row("another name is permitted",
        under(CA.format("") + "nameConstraints=critical,permitted;dirName:elsewhere\n[elsewhere]\n"
              "O=Elsewhere\n"), "name constraint|not permitted|permitted"),
    Row("its name is excluded",
        under(CA.format("") + "nameConstraints=critical,excluded;dirName:everybody\n[everybody]\n"),
        "name constraint|excluded"),
    Row("a policy is demanded that nobody has",
        under(CA.format("") + "policyConstraints=critical,requireExplicitPolicy:0\n"), "polic"),
]

SIGNATURES = [
    Row("the leaf's signature is false", spoiled_leaf, "signature"),
    Row("its issuer's signature is false", spoiled_issuer, "signature"),
    Row("a root of the same name", namesake, "same name|another key|other key|signature", NO_CA),
    Row("a good chain behind another leaf", strangers_leaf, "issue|unknown|self-signed|anchor",
        NO_CA),
    Row("a leaf with RSA-1024", leaf(key="rsa1024"), "1024|RSA"),
    Row("an issuer with RSA-1024", under(key="rsa1024"), "1024|RSA"),
    Row("an issuer on P-224", under(key="p224"), "224|curve"),
    Row("a leaf signed with SHA-1", leaf(digest="sha1"), "SHA-?1"),
    Row("an issuer signed with SHA-1", under(digest="sha1"), "SHA-?1"),
    Row("an issuer signed with MD5", lambda t, name: t.openssl.leaf(t.openssl.intermediate(
        t.top_rsa, f"{name} sub", digest="md5"), name).credential, "MD5"),
]

PATHS = [
    Row("a gap above", gap, "high", NO_CA),
    Row("a gap at the leaf", gap_at_the_leaf, "low", NO_CA),
    Row("two CAs in a circle", loop, "loop"),
    Row("twenty times one unknown root", loop_on_itself, "unknown|known", NO_CA),
    Row("a self-signed leaf", lambda t, name: t.ours.self_signed(name).alone, "unknown|self-signed",
        NO_CA),
    Row("a root nobody verified", unverified, "verif|prov", NO_CA),
    Row("a distrusted key", distrusted, "distrust"),
    Row("its own key is distrusted", distrusted_device, "distrust"),
    Row("another device's certificate", other_subject("{}-other"), "-other"),
    Row("the id with more behind it", other_subject("{} x"), " x"),
    Row("33 certificates", lambda t, name: many(t, name, 33), "32"),
    Row("64 certificates", lambda t, name: many(t, name, 64), "32"),
    Row("65 certificates", lambda t, name: many(t, name, 65), "32"),
]


class BadChains(Steady):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.top = cls.openssl.root("Chains OpenSSL")
        cls.top_rsa = cls.openssl.root("Chains RSA", "rsa2048")
        cls.top_ours = cls.ours.root("Chains Ours")
        for name, root in (("openssl", cls.top), ("rsa", cls.top_rsa), ("ours", cls.top_ours)):
            cls.server.command("group", "create", name)
            cls.server.command("group", "cert", "set", name, "primary", root.certificate, "--vouch")

    def explanation(self, name):
        refusal = self.explained(name)
        return f"{refusal['explanation']} {refusal['verdict']['reason']}"

    def all_refused(self, rows):
        for number, row in enumerate(rows):
            name = self.own(f"dev-{number}")
            credential = row.make(self, name)
            with self.row(row.what):
                outcome = self.assert_refused(name, credential, lax=True)
                self.assertEqual((outcome.http_status, outcome.message),
                                 (401, row.told))
                self.assertRegex(self.explanation(name), re.compile(row.words, re.I))
        self.a_good_device_comes_in()

    def test_validity(self):
        self.all_refused(VALIDITY)

    def test_purpose(self):
        self.all_refused(PURPOSE)

    def test_signatures(self):
        self.all_refused(SIGNATURES)

    def test_paths(self):
        self.all_refused(PATHS)

    # --- how much is too much ---

    def test_bounds_from_below(self):
        name = self.own("dev")
        self.assert_assigned(name, many(self, name, 32))
        # A path may have 32 certificates, the stored root among them.
        deep = self.own("deep")
        issuer = self.top_ours
        for level in range(30):
            issuer = self.ours.intermediate(issuer, f"{deep} {level}")
        self.assert_assigned(deep, self.ours.leaf(issuer, deep).credential)
        deeper = self.own("deeper")
        one_more = self.ours.intermediate(issuer, f"{deeper} last")
        with self.row("a path of 33"):
            self.assert_refused(deeper, self.ours.leaf(one_more, deeper).credential)
            self.assertRegex(self.explanation(deeper), "(?i)32|long|deep")
        self.a_good_device_comes_in()

    def heavy(self, name, copies):
        """A leaf behind as many certificates of 9 kB, and one of the good root's."""
        names = ",".join(f"DNS:{n:04}.{'x' * 50}.example" for n in range(140))
        big = self.openssl.intermediate(self.top, f"{name} sub", extensions=CA.format("") +
                                        f"subjectAltName={names}\n")
        return with_chain(self.openssl.leaf(big, name), *[big] * copies)

    def test_64_kib_of_certificates(self):
        """OpenSSL itself ends such a handshake; the log says so, as no registration can."""
        self.assert_assigned(self.own("dev"), self.heavy(self.own("dev"), 6))
        credential = self.heavy(self.own("dev-2"), 8)
        with self.row("64 KiB of certificates"):
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                self.register(self.own("dev-2"), credential)
            said = re.compile("tls-handshake-failed .*why=certificate .*excessive")
            until = time.monotonic() + 30  # the alert is sent before the line is written
            while not said.search(self.server.told()):
                self.assertLess(time.monotonic(), until, self.server.told())
                time.sleep(0.05)
        self.a_good_device_comes_in()

    def test_searches_that_cannot_end_well(self):
        """Six CAs that all certify each other: every order of them is a path, and none ends."""
        cas, crosses = mesh(self, self.own("ca"), 6)
        names = [self.own(f"dev-{n}") for n in range(8)]
        shuffle = random.Random(7).sample
        lost = [with_chain(self.ours.leaf(cas[0], name), *shuffle(crosses, len(crosses)))
                for name in names]
        with self.row("a mesh of CAs"), concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
            for outcome in pool.map(self.register, names, lost):
                self.assertEqual((outcome.status, outcome.code), ("refused", 401002), outcome)
        # One certificate leads out of it, wherever it stands among the others.
        way_out = self.ours.cross(cas[-1], self.top_ours)
        for number in range(6):
            name = self.own(f"escape-{number}")
            others = shuffle(crosses, len(crosses))
            others.insert(len(others) - number * 6, way_out)
            self.assert_assigned(name, with_chain(self.ours.leaf(cas[0], name), *others))
        self.a_good_device_comes_in()

    def test_issuers_that_only_share_a_name(self):
        """Five levels, each with six CAs of one name and different keys: one of them signed."""
        def bush(name, top):
            level, sent = top, []
            for depth in range(5):
                twins = [self.ours.intermediate(level, f"{name} level {depth}") for _ in range(6)]
                level = twins[3]
                sent += twins
            return self.ours.leaf(level, name), sent
        good, bad = self.own("good"), self.own("bad")
        leaf, sent = bush(good, self.top_ours)
        self.assert_assigned(good, with_chain(leaf, *reversed(sent)))
        leaf, sent = bush(bad, self.ours.root(self.own("nobody")))
        with self.row("a bush under an unknown root"):
            self.assert_refused(bad, with_chain(leaf, *reversed(sent)))
        self.a_good_device_comes_in()


if __name__ == "__main__":
    main()
