#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The management SDK for Python, as Debian packages it (python3-azure), drives the certificates API:
upload, code, verify, list, replace, delete, unchanged but for the address and a token."""
import os
import sys

from azure.core.credentials import AccessToken
from azure.core.exceptions import (ClientAuthenticationError, HttpResponseError,
                                   ResourceNotFoundError)
from azure.mgmt.iothubprovisioningservices import IotDpsClient
from azure.mgmt.iothubprovisioningservices.models import (CertificateBodyDescription,
                                                          VerificationCodeRequest)

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.operator import Policy  # noqa: E402
from lab.scenario import Scenario, main  # noqa: E402

GROUP, SERVICE = "plants", "dps"


class Token:
    """What the SDK takes for a login: a bearer token of ours."""

    def __init__(self, text):
        self.text = text

    def get_token(self, *_scopes, **_how):
        return AccessToken(self.text, 4_000_000_000)


class ManagementSdk(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with open(os.path.join(cls.server.data, "admin-token"), encoding="utf-8") as file:
            cls.admin = file.read().strip()

    def client(self, token=None):
        port = self.server.doors["operator"][1]
        client = IotDpsClient(Token(token or self.admin), "b7e6c2c4", retry_total=0,
                              base_url=f"https://localhost:{port}",
                              connection_verify=self.server.ca_file)
        self.addCleanup(client.close)
        return client

    @staticmethod
    def content(party):
        with open(party.certificate, encoding="utf-8") as file:
            return file.read()

    def upload(self, name, party, **how):
        # The model takes a certificate as text and sends it as it is.
        body = CertificateBodyDescription(certificate=self.content(party),
                                          is_verified=how.pop("verified", None))
        return self.client().dps_certificate.create_or_update(GROUP, SERVICE, name, body, **how)

    def test_upload_code_verify_list_delete(self):
        root = self.openssl.root(self.own("Root"))
        name = self.own("root")
        certificates = self.client().dps_certificate
        made = self.upload(name, root)
        self.assertEqual((made.name, made.properties.subject), (name, self.own("Root")))
        self.assertIs(made.properties.is_verified, False)
        self.assertRegex(made.properties.thumbprint, "^[0-9A-F]{40}$")
        self.assertGreater(made.properties.expiry, made.properties.created)
        self.assertTrue(bytes(made.properties.certificate).startswith(b"\x30\x82"))
        asked = certificates.generate_verification_code(name, made.etag, GROUP, SERVICE)
        code = asked.properties.verification_code
        proof = VerificationCodeRequest(certificate=self.content(self.openssl.proof(root, code)))
        verified = certificates.verify_certificate(name, asked.etag, GROUP, SERVICE, proof)
        self.assertIs(verified.properties.is_verified, True)
        got = certificates.get(name, GROUP, SERVICE)
        self.assertEqual(got.as_dict(), verified.as_dict())
        listed = certificates.list(GROUP, SERVICE).value
        self.assertIn(name, [one.name for one in listed])
        self.group(self.own("group"), root, vouch=False)
        leaf = self.openssl.leaf(root, self.own("dev"))
        self.assert_assigned(self.own("dev"), leaf.credential)
        certificates.delete(GROUP, verified.etag, SERVICE, name)
        with self.assertRaises(ResourceNotFoundError):
            certificates.get(name, GROUP, SERVICE)
        self.assert_refused(self.own("dev"), leaf.credential)

    def test_replace(self):
        name = self.own("root")
        made = self.upload(name, self.openssl.root(self.own("Root")), verified=True)
        self.assertIs(made.properties.is_verified, True)
        other = self.openssl.root(self.own("Other"))
        for etag in (None, "AAAAAAExpTQ="):
            with self.assertRaises(HttpResponseError) as refused:
                self.upload(name, other, **({"if_match": etag} if etag else {}))
            self.assertEqual(refused.exception.status_code, 412)
            self.assertEqual(refused.exception.error.code, "PreconditionFailed")
        replaced = self.upload(name, other, if_match=made.etag)
        self.assertIs(replaced.properties.is_verified, False)
        self.assertEqual(replaced.properties.subject, self.own("Other"))

    def test_a_wrong_proof_and_a_wrong_token(self):
        root = self.openssl.root(self.own("Root"))
        made = self.upload(self.own("root"), root)
        certificates = self.client().dps_certificate
        certificates.generate_verification_code(self.own("root"), made.etag, GROUP, SERVICE)
        proof = VerificationCodeRequest(certificate=self.content(root))
        with self.assertRaises(HttpResponseError) as refused:
            certificates.verify_certificate(self.own("root"), "*", GROUP, SERVICE, proof)
        self.assertEqual((refused.exception.status_code, refused.exception.error.code),
                         (400, "BadRequest"))
        with self.assertRaises(ClientAuthenticationError):
            self.client("wrong").dps_certificate.list(GROUP, SERVICE)

    def test_the_service_and_its_keys(self):
        resources = self.client().iot_dps_resource
        found = resources.get(SERVICE, GROUP)
        self.assertEqual((found.name, found.properties.state, found.properties.id_scope),
                         (SERVICE, "Active", self.server.scope))
        self.assertEqual(found.properties.service_operations_host_name, self.server.name)
        self.assertEqual([one.properties.id_scope for one in resources.list_by_subscription()],
                         [self.server.scope])
        self.assertEqual([one.properties.id_scope
                          for one in resources.list_by_resource_group(GROUP)],
                         [self.server.scope])
        owner = Policy(self.command("token", "show", "provisioningserviceowner").out)
        keys = {key.key_name: key for key in resources.list_keys(SERVICE, GROUP)}
        self.assertEqual(keys["provisioningserviceowner"].primary_key, owner.key)
        one = resources.list_keys_for_key_name(SERVICE, "provisioningserviceowner", GROUP)
        self.assertEqual(one.primary_key, owner.key)


if __name__ == "__main__":
    main()
