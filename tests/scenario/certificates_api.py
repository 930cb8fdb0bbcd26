#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""CA certificates at the address where the cloud has them: requests as the cloud's command line and
its SDKs send them, what they do to devices, and all that is refused."""
import base64
import email.utils
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.operator import Door, Policy, admin_bearer  # noqa: E402
from lab.scenario import main  # noqa: E402
from lab.steady import Steady  # noqa: E402

SERVICE = ("/subscriptions/b7e6c2c4/resourceGroups/plants/providers/Microsoft.Devices/"
           "provisioningServices/dps")
VERSIONS = ("2021-10-15", "2022-02-05", "2022-12-12", "2025-02-01-preview", "2026-08-31")
ANY = {"If_Match": "*"}


def read(path):
    with open(path, "rb") as file:
        return file.read()


def base64_of(content):
    return base64.b64encode(content).decode()


class Certificates(Steady):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bearer = admin_bearer(cls.server)

    def ask(self, method, name="", body=None, version="2022-02-05", more="", authorization=None,
            service=SERVICE, **headers):
        """`name`: what follows /certificates."""
        with Door(self.server, authorization or self.bearer) as door:
            return door.ask(method, f"{service}/certificates{name}?api-version={version}{more}",
                            body, **headers)

    @staticmethod
    def upload(certificate, verified=None):
        properties = {"certificate": base64_of(read(certificate))}
        if verified is not None:
            properties["isVerified"] = verified
        return {"properties": properties}

    def put(self, name, party, verified=None, status=200, **headers):
        answer = self.ask("PUT", f"/{name}", self.upload(party.certificate, verified), **headers)
        self.assertEqual(answer.status, status, answer.text)
        return answer.json

    def code(self, name):
        answer = self.ask("POST", f"/{name}/generateVerificationCode", **ANY)
        self.assertEqual(answer.status, 200, answer.text)
        return answer.json["properties"]["verificationCode"]

    def verify(self, name, party, **headers):
        return self.ask("POST", f"/{name}/verify",
                        {"certificate": base64_of(read(party.certificate))}, **(headers or ANY))

    def assert_error(self, answer, status, code, words=r"\w"):
        self.assertEqual(answer.status, status, answer.text)
        self.assertEqual(list(answer.json), ["error"])
        self.assertEqual(answer.json["error"]["code"], code, answer.text)
        self.assertRegex(answer.json["error"]["message"], words)

    # --- as clients do ---

    def test_upload_code_verify_and_a_device(self):
        root = self.openssl.root(self.own("Root"))
        name = self.own("root")
        made = self.put(name, root)
        self.assertEqual(list(made), ["properties", "id", "name", "type", "etag"])
        properties = made["properties"]
        self.assertEqual(list(properties), ["subject", "expiry", "thumbprint", "isVerified",
                                            "created", "updated", "certificate"])
        self.assertEqual((properties["subject"], properties["isVerified"]),
                         (self.own("Root"), False))
        told = subprocess.run(["openssl", "x509", "-in", root.certificate, "-noout", "-fingerprint",
                               "-sha1", "-enddate"], capture_output=True, text=True, check=True)
        sha1 = re.search("=(.*)", told.stdout).group(1).replace(":", "")
        self.assertEqual(properties["thumbprint"], sha1)
        for date in ("expiry", "created", "updated"):
            self.assertRegex(properties[date], r"^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$")
            email.utils.parsedate_to_datetime(properties[date])
        self.assertEqual(made["id"], f"{SERVICE}/certificates/{name}")
        self.assertEqual(made["type"], "Microsoft.Devices/provisioningServices/Certificates")

        group = self.own("group")
        self.command("group", "create", group)
        self.command("group", "cert", "set", group, "primary", root.certificate)
        leaf = self.openssl.leaf(root, self.own("dev"))
        self.assert_refused(self.own("dev"), leaf.credential)  # not verified yet
        code = self.code(name)
        self.assertRegex(code, "^[0-9A-F]{48}$")
        answer = self.verify(name, self.openssl.proof(root, code))
        self.assertEqual(answer.status, 200, answer.text)
        self.assertTrue(answer.json["properties"]["isVerified"])
        self.assertNotEqual(answer.json["etag"], made["etag"])
        self.assert_assigned(self.own("dev"), leaf.credential)
        listed = {one["name"]: one for one in self.ask("GET").json["value"]}
        self.assertEqual(listed[name], answer.json)

    def test_every_api_version_and_both_forms_of_a_body(self):
        root = self.ours.root(self.own("Root"))
        name = self.own("root")
        self.put(name, root)
        text = read(root.certificate).decode()
        der = base64.b64decode("".join(text.splitlines()[1:-1]))
        forms = ({"certificate": base64_of(text.encode()), "isVerified": True},
                 {"properties": {"certificate": base64_of(der), "isVerified": True}},
                 {"properties": {"certificate": text, "isVerified": True}})
        for version in VERSIONS:
            for form in forms:
                answer = self.ask("PUT", f"/{name}", form, version, **ANY)
                self.assertEqual(answer.status, 200, answer.text)
                self.assertTrue(answer.json["properties"]["isVerified"])
                self.assertEqual(base64.b64decode(answer.json["properties"]["certificate"]), der)
            got = self.ask("GET", f"/{name}", version=version,
                           more="&certificate.name=x&certificate.purpose=clientAuthentication")
            self.assertEqual(got.json, answer.json)

    def test_any_subscription_group_and_case(self):
        root = self.ours.root(self.own("Root"))
        name = self.own("root")
        self.put(name, root)
        for service in (SERVICE.upper(), SERVICE.lower(), SERVICE.replace("b7e6c2c4", "x"),
                        SERVICE.replace("plants", "%C3%BC%20x")):
            answer = self.ask("GET", f"/{name.upper()}/", service=service)
            self.assertEqual((answer.status, answer.json["name"]), (200, name), service)

    def test_expired_and_odd_ones_are_taken_and_the_operator_is_told(self):
        """As recorded of the cloud: a CA of 2017 was taken in 2023."""
        expired = self.ours.root(self.own("Expired"), start=-30, end=-1)
        leaf = self.ours.leaf(self.root, self.own("leaf"))
        for word, party, odd in (("expired", expired, "(?i)end|expired|not.after"),
                                 ("leaf", leaf, "(?i)CA")):
            made = self.put(self.own(word), party)
            self.assertFalse(made["properties"]["isVerified"])
            self.assertRegex(self.command("ca", "show", self.own(word)).out, r"(?m)^odd: +\S")
            shown = self.command("ca", "show", self.own(word), "--json").json
            self.assertRegex(" ".join(f["detail"] for f in shown["findings"]), odd)
            self.assertFalse(shown["attests"])
            event = self.command("audit", "list", "--json").json[-1]
            self.assertRegex(" ".join(event["detail"]["findings"]), odd)

    # --- what happens to devices ---

    def in_a_group(self, word):
        """A root by this API, verified, in a group, and a device of it."""
        root = self.ours.root(self.own(word))
        self.put(self.own(word), root, True)
        self.group(self.own("group"), root, vouch=False)
        leaf = self.ours.leaf(root, self.own("dev"))
        self.assert_assigned(self.own("dev"), leaf.credential)
        return root, leaf

    def test_replaced_the_old_one_attests_no_more(self):
        _, old_leaf = self.in_a_group("Root")
        new = self.ours.root(self.own("New"))
        made = self.put(self.own("Root"), new, **ANY)
        self.assertFalse(made["properties"]["isVerified"])
        new_leaf = self.ours.leaf(new, self.own("dev-2"))
        self.assert_refused(self.own("dev"), old_leaf.credential)
        self.assert_refused(self.own("dev-2"), new_leaf.credential)
        code = self.code(self.own("Root"))
        self.assertEqual(self.verify(self.own("Root"), self.ours.proof(new, code)).status, 200)
        self.assert_assigned(self.own("dev-2"), new_leaf.credential)
        self.assert_refused(self.own("dev"), old_leaf.credential)

    def test_the_same_one_again_changes_nothing_for_devices(self):
        root, leaf = self.in_a_group("Root")
        made = self.put(self.own("Root"), root, **ANY)
        self.assertTrue(made["properties"]["isVerified"])
        renewed = self.put(self.own("Root"), self.ours.renew(root), **ANY)
        self.assertTrue(renewed["properties"]["isVerified"])
        self.assert_assigned(self.own("dev"), leaf.credential)

    def test_deleted_though_a_group_refers_to_it(self):
        root, leaf = self.in_a_group("Root")
        self.assertEqual(self.ask("DELETE", f"/{self.own('Root')}", **ANY).status, 200)
        self.assert_error(self.ask("GET", f"/{self.own('Root')}"), 404, "ResourceNotFound")
        self.assertEqual(self.ask("DELETE", f"/{self.own('Root')}", **ANY).status, 204)
        self.assert_refused(self.own("dev"), leaf.credential)
        # Put back, the slot refers to what was deleted still; the group has to be told.
        self.put(self.own("Root"), root, True)
        self.assert_refused(self.own("dev"), leaf.credential)
        self.command("group", "cert", "set", self.own("group"), "primary", root.certificate)
        self.assert_assigned(self.own("dev"), leaf.credential)

    # --- versions ---

    def test_if_match(self):
        root, other = self.ours.root(self.own("Root")), self.ours.root(self.own("Other"))
        name = self.own("root")
        made = self.put(name, root)
        other_upload = self.upload(other.certificate)
        with self.row("wrong or missing versions"):
            for how in ({}, {"If_Match": "AAAAAAExpTQ="}, {"If_Match": '""'}):
                self.assert_error(self.ask("PUT", f"/{name}", other_upload, **how), 412,
                                  "PreconditionFailed")
                self.assert_error(self.ask("DELETE", f"/{name}", **how), 412,
                                  "PreconditionFailed")
            wrong = {"If_Match": "AAAAAAExpTQ="}
            for action in ("generateVerificationCode", "verify"):
                self.assert_error(
                    self.ask("POST", f"/{name}/{action}", {"certificate": "x"}, **wrong),
                    412, "PreconditionFailed")
            self.assert_error(self.ask("GET", f"/{name}", **wrong), 412, "PreconditionFailed")
            self.assert_error(self.ask("PUT", f"/{self.own('none')}", other_upload, **ANY), 412,
                              "PreconditionFailed")
        self.assertEqual(self.ask("GET", f"/{name}").json, made)
        made = self.put(name, other, If_Match=made["etag"])
        made = self.put(name, other, If_Match=f'"{made["etag"]}"')
        made = self.put(name, other, **ANY)
        self.assertEqual(made["properties"]["subject"], self.own("Other"))
        self.assertEqual(self.ask("DELETE", f"/{name}", If_Match=made["etag"]).status, 200)

    # --- proofs ---

    def test_a_code_serves_once_and_dies_with_a_new_one(self):
        root = self.ours.root(self.own("Root"))
        name = self.own("root")
        self.put(name, root)
        first, second = self.code(name), self.code(name)
        self.assertNotEqual(first, second)
        other = self.ours.root(self.own("Other"))
        impostor = self.ours.root(self.own("Root"), key="rsa2048")
        with self.row("proofs that prove nothing"):
            for proof in (self.ours.proof(root, first), self.ours.proof(other, second),
                          self.ours.proof(impostor, second), root,
                          self.ours.proof(root, second.lower()),
                          self.ours.proof(root, second, start=-3, end=-2)):
                self.assert_error(self.verify(name, proof), 400, "BadRequest", r"\w")
            for body in ({}, {"certificate": ""}, {"certificate": None}, {"certificate": "x"}, []):
                self.assert_error(self.ask("POST", f"/{name}/verify", body, **ANY), 400,
                                  "BadRequest")
        proof = self.ours.proof(root, second)
        self.assertEqual(self.verify(name, proof).status, 200)
        self.assert_error(self.verify(name, proof), 409, "Conflict", "verified already")

    def test_without_a_code_nothing_is_proven(self):
        root = self.ours.root(self.own("Root"))
        self.put(self.own("root"), root)
        with self.row("no code"):
            self.assert_error(self.verify(self.own("root"), self.ours.proof(root, "A" * 48)), 400,
                              "BadRequest", "code")
        code = self.code(self.own("root"))
        self.put(self.own("root"), root, **ANY)  # an upload ends it
        with self.row("an ended code"):
            self.assert_error(self.verify(self.own("root"), self.ours.proof(root, code)), 400,
                              "BadRequest", "code")

    # --- what is no upload, and who may not ---

    def test_uploads_that_are_none(self):
        root = self.ours.root(self.own("Root"))
        key, certificate = read(root.key), read(root.certificate)
        p12 = os.path.join(self.scratch, self.own("p12"))
        subprocess.run(["openssl", "pkcs12", "-export", "-in", root.certificate, "-inkey", root.key,
                        "-passout", "pass:x", "-out", p12], check=True, capture_output=True)
        secret = key.decode().splitlines()[1]
        rows = {
            "a private key": (base64_of(key), "(?i)private key"),
            "a key beside the certificate": (base64_of(certificate + key), "(?i)private key"),
            "a key as it is": ((certificate + key).decode(), "(?i)private key"),
            "a container": (base64_of(read(p12)), "(?i)p12|pfx|pkcs"),
            "rubbish": (base64_of(b"rubbish"), r"\w"), "no base64": ("?!", r"\w"),
            "nothing": ("", "certificate"), "a number": (7, "certificate"),
            "null": (None, "certificate"), "a list": ([], "certificate"),
            "a cut one": (base64_of(certificate[:200]), r"\w"),
            "bytes behind it": (base64_of(base64.b64decode(
                "".join(certificate.decode().splitlines()[1:-1])) + b"x"), r"\w"),
        }
        for what, (content, words) in rows.items():
            with self.row(what):
                answer = self.ask("PUT", f"/{self.own('bad')}",
                                  {"properties": {"certificate": content}})
                self.assert_error(answer, 400, "BadRequest", words)
                self.assertNotIn(secret, answer.text)
        for what, body in (("no JSON", "{"), ("a list", "[]"), ("a text", '"x"'), ("empty", ""),
                           ("nothing in it", "{}"), ("no object", '{"properties":[]}'),
                           ("two readings", '{"properties":{"certificate":"a","certificate":"b"}}'),
                           ("deep", "[" * 500), ("no UTF-8", b'{"properties":{"\xff":1}}'),
                           ("a flag as text",
                            f'{{"certificate":"{base64_of(certificate)}","isVerified":"yes"}}')):
            with self.row(what):
                self.assert_error(self.ask("PUT", f"/{self.own('bad')}", body), 400, "BadRequest")
        with self.row("too large"):
            answer = self.ask("PUT", f"/{self.own('bad')}", b"{",
                              Content_Length=str(1024 * 1024 + 1))  # the rest is not waited for
            self.assert_error(answer, 413, "RequestEntityTooLarge")
        with self.row("a file too large"):
            self.assert_error(self.ask("PUT", f"/{self.own('bad')}",
                                       {"certificate": base64_of(b"x" * 300_000)}),
                              413, "RequestEntityTooLarge")
        self.a_good_device_comes_in()

    def test_addresses_names_and_methods(self):
        root = self.ours.root(self.own("Root"))
        upload = self.upload(root.certificate)
        rows = (("PUT", "/a%20b", 400), ("PUT", "/" + "x" * 65, 400), ("PUT", "/a%2Fb", 400),
                ("PUT", "/%zz", 400), ("PUT", "/%00", 400), ("PUT", "", 405), ("PATCH", "/a", 405),
                ("POST", "/a", 405), ("GET", "/a/verify", 405), ("DELETE", "/a/verify", 405),
                ("POST", "/a/other", 404), ("GET", "/nobody", 404), ("POST", "/nobody/verify", 404),
                ("POST", "/nobody/generateVerificationCode", 404), ("GET", "/a/b/c", 404))
        for method, name, status in rows:
            with self.row(f"{method} {name}"):
                answer = self.ask(method, name, upload)
                self.assertEqual(answer.status, status, answer.text)
                self.assertEqual(list(answer.json), ["error"])
        for version, code in (("", "InvalidApiVersionParameter"),
                              ("latest", "InvalidApiVersionParameter")):
            with self.row(f"api-version={version}"):
                self.assert_error(self.ask("GET", version=version), 400, code)
        with self.row("no api-version"):
            with Door(self.server, self.bearer) as door:
                self.assert_error(door.ask("GET", f"{SERVICE}/certificates"), 400,
                                  "MissingApiVersionParameter")
        self.a_good_device_comes_in()

    def test_certificates_that_stand_elsewhere_already(self):
        root = self.ours.root(self.own("Root"))
        self.put(self.own("one"), root)
        self.put(self.own("two"), self.ours.root(self.own("Two")))
        with self.row("the same certificate under two names"):
            self.put(self.own("three"), root, status=409)
            self.put(self.own("two"), root, status=409, **ANY)

    def test_who_may(self):
        root = self.ours.root(self.own("Root"))
        name = self.own("root")
        self.put(name, root)
        upload = self.upload(root.certificate)
        may = {"ServiceConfig": (200, 200), "EnrollmentRead": (200, 403),
               "EnrollmentWrite": (403, 403), "DeviceConnect": (403, 403),
               "RegistrationStatusRead": (403, 403), "RegistrationStatusWrite": (403, 403),
               "RegistryRead": (403, 403), "RegistryWrite": (403, 403)}
        for right, (reads, writes) in may.items():
            policy = Policy.made(self.server, self.own(right), right)
            sas = policy.token()
            self.assertEqual(self.ask("GET", f"/{name}", authorization=sas).status, reads, right)
            self.assertEqual(self.ask("GET", authorization=sas).status, reads, right)
            for method, path, body in (("PUT", f"/{name}", upload),
                                       ("POST", f"/{name}/generateVerificationCode", None)):
                answer = self.ask(method, path, body, authorization=sas, **ANY)
                self.assertEqual(answer.status, writes, f"{right} {method} {path} {answer.text}")
                if writes == 403:
                    self.assert_error(answer, 403, "AuthorizationFailed")
        owner = Policy(self.command("token", "show", "provisioningserviceowner").out)
        for keys in ("/listkeys", "/keys/provisioningserviceowner/listkeys"):
            with Door(self.server) as door:
                path = f"{SERVICE}{keys}?api-version=2022-02-05"
                self.assert_error(door.ask("POST", path, authorization=owner.token()), 403,
                                  "AuthorizationFailed")
                self.assert_error(door.ask("POST", path), 401, "AuthenticationFailed")
                shown = door.ask("POST", path, authorization=self.bearer)
                self.assertEqual(shown.status, 200)
                self.assertIn(owner.key, shown.text)
        for authorization in ("Bearer wrong", "Basic x", owner.token(end=-400),
                              owner.token(f"{self.server.name}/enrollments")):
            self.assert_error(self.ask("GET", authorization=authorization), 401,
                              "AuthenticationFailed")


if __name__ == "__main__":
    main()
