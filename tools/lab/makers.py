# SPDX-License-Identifier: Apache-2.0
"""Certificates by three hands: `rollcall pki`, OpenSSL and GnuTLS' certtool.

All give the same things: root(), intermediate(), leaf(), self_signed(), proof(). Times are days
from now and may lie in the past; OpenSSL 3.0's command line cannot back-date.
"""
import datetime
import os
import re
import subprocess

from .device import Credential
from .server import rollcall


class Party:
    """Somebody with a certificate and its key: a CA or a device. `issuer`: None for a self-signed
    one."""

    def __init__(self, certificate, key, issuer=None):
        self.certificate, self.key, self.issuer = certificate, key, issuer

    @property
    def above(self):
        """The intermediates, nearest first; never the root."""
        found, at = [], self.issuer
        while at is not None and at.issuer is not None:
            found.append(at)
            at = at.issuer
        return found

    def chain(self, *parts):
        """A file with the certificates of these parties one after the other."""
        parts = parts or (self, *self.above)
        path = self.certificate.removesuffix(".pem") + ".chain.pem"
        with open(path, "w", encoding="utf-8") as out:
            for part in parts:
                with open(part.certificate, encoding="utf-8") as file:
                    text = file.read()
                out.write("".join(re.findall(
                    r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", text, re.S)))
        return path

    @property
    def credential(self):
        """Leaf and intermediates, as a device is set up."""
        return Credential(self.chain(), self.key)

    @property
    def alone(self):
        """The leaf and nothing else."""
        return Credential(self.certificate, self.key)


class Maker:
    """What the three hands have in common: where files go and what they are called."""

    def __init__(self, directory):
        self.directory = directory
        os.makedirs(directory, exist_ok=True)
        self.stems = set()

    def _stem(self, name):
        """A path of this maker's directory that nothing else uses, named after the subject."""
        slug = re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-")[:60]
        stem, number = slug, 1
        while stem in self.stems:
            number += 1
            stem = f"{slug}.{number}"
        self.stems.add(stem)
        return os.path.join(self.directory, stem)

    def _files(self, name):
        stem = self._stem(name)
        return stem + ".pem", stem + ".key"

    @staticmethod
    def _run(*words, stdin=None):
        ended = subprocess.run(words, text=True, capture_output=True, input=stdin, check=False)
        if ended.returncode:
            raise RuntimeError(f"{' '.join(words)}\n{ended.stdout}{ended.stderr}")
        return ended.stdout


class Rollcall(Maker):
    """rollcall pki. `shown`: called with the words of each command, for who reads along."""

    def __init__(self, directory, shown=None):
        super().__init__(directory)
        self.shown = shown

    def _pki(self, *words, show=True):
        if self.shown and show:
            self.shown(["rollcall", "pki", *words])
        rollcall("pki", *words)

    @staticmethod
    def _times(start, end):
        return [*(["--not-before", f"{start:+d}d"] if start else []),
                *(["--not-after", f"{end:+d}d"] if end is not None else [])]

    def root(self, name, key=None, start=0, end=None, show=True):
        stem = self._stem(name)
        self._pki("ca", "--cn", name, *(["--key", key] if key else []), *self._times(start, end),
                  "--out", stem, show=show)
        return Party(stem + ".pem", stem + ".key")

    def intermediate(self, issuer, name, key=None, start=0, end=None, key_of=None, show=True):
        """`key_of`: whose key it certifies, where that is not a new one."""
        stem = self._stem(name)
        self._pki("intermediate", "--cn", name, *(["--key", key] if key else []),
                  *(["--key-file", key_of.key] if key_of else []), *self._issuer(issuer),
                  *self._times(start, end), "--out", stem, show=show)
        return Party(stem + ".pem", key_of.key if key_of else stem + ".key", issuer)

    @staticmethod
    def _issuer(issuer):
        return ["--issuer", issuer.certificate.removesuffix(".pem")]

    def leaf(self, issuer, name, key=None, start=0, end=None, show=True, key_file=None):
        stem = self._stem(name)
        self._pki("leaf", "--cn", name, *(["--key", key] if key else []),
                  *(["--key-file", key_file] if key_file else []), *self._issuer(issuer),
                  *self._times(start, end), "--out", stem, show=show)
        return Party(stem + ".pem", key_file or stem + ".key", issuer)

    def fleet(self, issuer, pattern, first, count, directory):
        """Leaves by the number: "sensor-{}" gives {"sensor-1": Party, ...}, by one command."""
        out = os.path.join(self.directory, directory, pattern)
        self._pki("leaf", "--cn", pattern, "--first", first, "--count", count,
                  *self._issuer(issuer), "--chain", "--out", out)
        numbers = range(first, first + count)
        return {pattern.format(n): Party(out.format(n) + ".pem", out.format(n) + ".key", issuer)
                for n in numbers}

    def self_signed(self, name, key=None, start=0, end=None, show=True):
        stem = self._stem(name)
        self._pki("leaf", "--cn", name, "--self-signed", *(["--key", key] if key else []),
                  *self._times(start, end), "--out", stem, show=show)
        return Party(stem + ".pem", stem + ".key")

    def proof(self, issuer, code, start=0, end=None, show=True):
        stem = self._stem("proof")
        self._pki("verification", "--code", code, *self._issuer(issuer), *self._times(start, end),
                  "--out", stem + ".pem", show=show)
        return Party(stem + ".pem", None, issuer)

    def cross(self, subject, issuer):
        """The subject's name and key certified by another CA."""
        stem = self._stem(os.path.basename(subject.certificate) + "-cross")
        self._pki("intermediate", "--subject-cert", subject.certificate, *self._issuer(issuer),
                  "--out", stem)
        return Party(stem + ".pem", subject.key, issuer)

    def renew(self, party, kind="ca"):
        """A self-signed certificate (a root, or kind="leaf") again, with its old key."""
        name = self._run("openssl", "x509", "-in", party.certificate, "-noout", "-subject",
                         "-nameopt", "multiline,-esc_msb,utf8").rpartition("= ")[2].strip()
        stem = self._stem(name + "-renewed")
        words = ["ca"] if kind == "ca" else ["leaf", "--self-signed"]
        self._pki(*words, "--cn", name, "--key-file", party.key, "--out", stem)
        return Party(stem + ".pem", party.key)


class OpenSsl(Maker):
    """openssl req and x509."""
    KEYS = {"p256": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
            "p384": ["EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
            "rsa2048": ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
            "rsa1024": ["RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
            "p224": ["EC", "-pkeyopt", "ec_paramgen_curve:P-224"],
            "ed25519": ["ED25519"]}
    ROOT = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
    LEAF = "basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\n" \
           "extendedKeyUsage=clientAuth\n"

    def _make(self, name, key, extensions, issuer=None, days=365, digest="sha256"):
        certificate, key_file = self._files(name)
        self._run("openssl", "genpkey", "-algorithm", *self.KEYS[key], "-out", key_file)
        os.chmod(key_file, 0o600)
        request = certificate + ".csr"
        self._run("openssl", "req", "-new", "-utf8", "-key", key_file, "-subj", f"/CN={name}",
                  "-out", request)
        with open(certificate + ".ext", "w", encoding="utf-8") as file:
            file.write(extensions)
        signer = (["-signkey", key_file] if issuer is None else
                  ["-CA", issuer.certificate, "-CAkey", issuer.key, "-CAcreateserial"])
        self._run("openssl", "x509", "-req", "-in", request, *signer, "-days", str(days),
                  *(["-extfile", certificate + ".ext"] if extensions else []),
                  f"-{digest}", "-out", certificate)
        return certificate, key_file

    def root(self, name, key="p256", extensions=ROOT, **how):
        return Party(*self._make(name, key, extensions, **how))

    def intermediate(self, issuer, name, key="p256", extensions=ROOT, **how):
        return Party(*self._make(name, key, extensions, issuer, **how), issuer)

    def leaf(self, issuer, name, key="p256", extensions=LEAF, **how):
        return Party(*self._make(name, key, extensions, issuer, **how), issuer)

    def self_signed(self, name, key="p256", **how):
        return Party(*self._make(name, key, self.LEAF, **how))

    def proof(self, issuer, code):
        return self.leaf(issuer, code)


class CertTool(Maker):
    """GnuTLS' certtool, from templates."""
    KEYS = {"p256": ["--key-type=ecdsa", "--curve=secp256r1"],
            "p384": ["--key-type=ecdsa", "--curve=secp384r1"],
            "rsa2048": ["--key-type=rsa", "--bits=2048"],
            "ed25519": ["--key-type=ed25519"]}

    def _make(self, name, key, lines, issuer=None, start=0, end=365):
        certificate, key_file = self._files(name)
        self._run("certtool", "--generate-privkey", *self.KEYS[key], "--outfile", key_file)
        os.chmod(key_file, 0o600)
        template = certificate + ".template"
        with open(template, "w", encoding="utf-8") as file:
            file.write(f'cn = "{name}"\n' + "".join(f"{line}\n" for line in lines) +
                       f'activation_date = "{_day(start)}"\nexpiration_date = "{_day(end)}"\n')
        how = (["--generate-self-signed"] if issuer is None else
               ["--generate-certificate", "--load-ca-certificate", issuer.certificate,
                "--load-ca-privkey", issuer.key])
        self._run("certtool", *how, "--load-privkey", key_file, "--template", template,
                  "--outfile", certificate)
        return certificate, key_file

    def root(self, name, key="p256", **how):
        return Party(*self._make(name, key, ["ca", "cert_signing_key", "crl_signing_key"], **how))

    def intermediate(self, issuer, name, key="p256", **how):
        return Party(*self._make(name, key, ["ca", "cert_signing_key"], issuer, **how), issuer)

    def leaf(self, issuer, name, key="p256", lines=("signing_key", "tls_www_client"), **how):
        return Party(*self._make(name, key, lines, issuer, **how), issuer)

    def self_signed(self, name, key="p256", **how):
        return Party(*self._make(name, key, ["signing_key", "tls_www_client"], **how))

    def proof(self, issuer, code):
        return self.leaf(issuer, code)


def _day(days):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")
