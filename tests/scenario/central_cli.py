#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`az iot central …` as it was recorded, byte for byte: its headers in their order, its bodies with
their blanks, its certificates as base64 of PEM text, its one --etag for two requests."""
import base64
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.operator import admin_bearer  # noqa: E402
from lab.raw import Raw  # noqa: E402
from lab.scenario import Scenario, main  # noqa: E402

ADMINISTRATOR = "ca310b8d-2f4a-44e0-a36e-957c202cd8d4"
OPERATOR = "ae2c9854-393b-4f97-8c42-479d70ce626e"


def as_az_sends(file):
    """The file as it comes in a body: carriage returns gone, one newline at the end, base64."""
    with open(file, encoding="utf-8") as opened:
        text = opened.read().replace("\r", "").rstrip("\n") + "\n"
    return base64.b64encode(text.encode()).decode()


class AzCentral(Scenario):
    """The server is the application "dps" of the suffix "example"."""

    def setUp(self):
        super().setUp()
        self.token = admin_bearer(self.server)
        made = self.az("PUT", f"/api/apiTokens/{self.own('t')}",
                       f'{{"roles": [{{"role": "{ADMINISTRATOR}"}}]}}')
        self.token = made["token"]
        self.assertRegex(self.token, r"^SharedAccessSignature sr=dps&sig=[^&]+&skn=[^&]+&se=\d{13}$")

    def send(self, method, path, body=None, version="2022-07-31"):
        """(status, text), over a connection of its own. `body`: the text as it goes."""
        separator = "&" if "?" in path else "?"
        lines = [f"{method} {path}{separator}api-version={version} HTTP/1.1",
                 "Host: dps.example",
                 "User-Agent: IoTPlatformCliExtension/0.23.1",
                 "Accept-Encoding: gzip, deflate",
                 "Accept: */*",
                 "Connection: keep-alive",
                 f"Authorization: {self.token}",
                 "x-ms-client-request-id: 5f2d6dc8-cc63-11f0-9d3e-02420a000002"]
        if body is not None:
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        elif method in ("POST", "DELETE"):
            lines.append("Content-Length: 0")
        with Raw(self.server, door="operator", name="dps.example") as raw:
            raw.send(("\r\n".join(lines) + "\r\n\r\n" + (body or "")).encode())
            return raw.answer(), raw.body.decode()

    def az(self, method, path, body=None, **how):
        """What `az` makes of the answer: 201 and 204 are success, all else has to be JSON without
        an error."""
        status, text = self.send(method, path, body, **how)
        if status in (201, 204):
            return {"result": "success"}
        answer = json.loads(text)
        self.assertNotIn("error", answer)
        return answer

    def refused(self, status, method, path, body=None):
        got, text = self.send(method, path, body)
        self.assertEqual(got, status, text)
        return json.loads(text)["error"]

    def certificate(self, party, entry, more=""):
        return self.az("PUT", f"/api/enrollmentGroups/{self.own('g')}/certificates/{entry}",
                       f'{{"certificate": "{as_az_sends(party.certificate)}"{more}}}')

    def create_group(self):
        return self.az("PUT", f"/api/enrollmentGroups/{self.own('g')}",
                       f'{{"displayName": "{self.own("g")}", "attestation": {{"type": "x509"}}, '
                       '"type": "iot", "enabled": true}')

    def verify(self, party, entry):
        path = f"/api/enrollmentGroups/{self.own('g')}/certificates/{entry}"
        code = self.az("POST", f"{path}/generateVerificationCode")["verificationCode"]
        self.assertRegex(code, r"^[0-9A-F]{48}$")
        proof = self.ours.proof(party, code)
        answer = self.az("POST", f"{path}/verify",
                         f'{{"certificate": "{as_az_sends(proof.certificate)}"}}')
        self.assertEqual(answer, {"result": "success"})

    def test_enrollment_group_create_to_delete(self):
        root = self.ours.root(self.own("root"))
        device = self.ours.leaf(root, self.own("dev")).credential
        group = f"/api/enrollmentGroups/{self.own('g')}"
        made = self.create_group()
        self.assertEqual(made["attestation"], {"type": "x509", "x509": {"signingCertificates": {}}})
        self.assert_refused(self.own("dev"), device)
        shown = self.certificate(root, "primary")
        self.assertEqual(list(shown), ["verified", "info", "etag"])
        self.assertFalse(shown["verified"])
        self.assert_refused(self.own("dev"), device)
        self.verify(root, "primary")
        self.assert_assigned(self.own("dev"), device)

        shown = self.az("GET", f"{group}/certificates/primary")
        self.assertTrue(shown["verified"])
        self.assertRegex(shown["info"]["sha1Thumbprint"], r"^[0-9A-F]{40}$")
        listed = self.az("GET", "/api/enrollmentGroups")["value"]
        self.assertIn(self.own("g"), [each["id"] for each in listed])
        # update --remove-x509 --entry primary: the only one may go.
        self.assertEqual(self.az("DELETE", f"{group}/certificates/primary"), {"result": "success"})
        self.assert_refused(self.own("dev"), device)
        self.assertEqual(self.az("DELETE", group), {"result": "success"})
        self.assertEqual(self.refused(404, "GET", group)["code"], "NotFound")

    def test_update_with_one_etag_for_two_requests(self):
        old, new = self.ours.root(self.own("old")), self.ours.root(self.own("new"))
        group = f"/api/enrollmentGroups/{self.own('g')}"
        etag = json.dumps(self.create_group()["etag"])
        self.certificate(old, "primary")
        self.verify(old, "primary")
        device = self.ours.leaf(old, self.own("dev")).credential
        self.assert_assigned(self.own("dev"), device)
        etag = json.dumps(self.az("GET", group)["etag"])
        changed = self.az("PATCH", group,
                          f'{{"enabled": true, "displayName": "New", "etag": {etag}}}')
        self.assertEqual(changed["displayName"], "New")
        self.certificate(new, "primary", f', "etag": {etag}')
        self.assert_assigned(self.own("dev"), device)  # the old one serves until the proof
        self.verify(new, "primary")
        self.assert_refused(self.own("dev"), device)
        error = self.refused(412, "PATCH", group, f'{{"displayName": "Newer", "etag": {etag}}}')
        self.assertEqual(error["code"], "PreconditionFailed")

    def test_update_enables_what_was_blocked_and_the_audit_tells(self):
        group = f"/api/enrollmentGroups/{self.own('g')}"
        self.create_group()
        self.assertFalse(self.az("PATCH", group, '{"enabled": false}')["enabled"])
        self.assertTrue(self.az("PATCH", group, '{"enabled": true}')["enabled"])
        events = [each for each in self.command("audit", "list", "--json").json
                  if each["object"] == f"group/{self.own('g')}"]
        self.assertIn("enabled", json.dumps(events[-1]))

    def test_device_attestation(self):
        name = self.own("dev")
        first, second = self.ours.self_signed(name), self.ours.self_signed(name)
        device = f"/api/devices/{name}"
        made = self.az("PUT", device, f'{{"displayName": "{name}", "simulated": false, '
                                      '"enabled": true}')
        self.assertFalse(made["provisioned"])
        self.refused(404, "GET", f"{device}/attestation")
        attestation = (f'{{"type": "x509", "x509": {{"clientCertificates": {{"primary": '
                       f'{{"certificate": "{as_az_sends(first.certificate)}"}}}}}}}}')
        shown = self.az("PUT", f"{device}/attestation", attestation)
        self.assertEqual(list(shown["x509"]["clientCertificates"]), ["primary"])
        self.assertEqual(list(shown["x509"]["clientCertificates"]["primary"]), ["info"])
        self.assert_assigned(name, first.credential)
        self.assert_refused(name, second.credential)
        self.az("PATCH", f"{device}/attestation",
                f'{{"type": "x509", "x509": {{"clientCertificates": {{"secondary": '
                f'{{"certificate": "{as_az_sends(second.certificate)}"}}}}}}}}')
        self.assert_assigned(name, first.credential)
        self.assert_assigned(name, second.credential)
        self.assertEqual(self.az("GET", device)["provisioned"], True)
        credentials = self.az("GET", f"{device}/credentials")
        self.assertEqual(credentials["idScope"], self.server.scope)
        listed = self.az("GET", "/api/devices", version="2022-06-30-preview")["value"]
        self.assertIn(name, [each["id"] for each in listed])
        self.assertEqual(self.az("DELETE", f"{device}/attestation"), {"result": "success"})
        self.assert_refused(name, first.credential)
        self.assertEqual(self.az("DELETE", device), {"result": "success"})

    def test_lists_that_are_asked_for_by_the_way(self):
        roles = self.az("GET", "/api/roles")["value"]
        self.assertIn({"id": OPERATOR, "displayName": "Operator"}, roles)
        tokens = self.az("GET", "/api/apiTokens")["value"]
        self.assertIn(self.own("t"), [each["id"] for each in tokens])
        self.assertNotIn("sig=", json.dumps(tokens))
        # nextLink is asked for with another api-version behind it.
        for number in range(3):
            self.az("PUT", f"/api/devices/{self.own('d')}-{number}", '{"displayName": "d"}')
        page = self.az("GET", "/api/devices?$top=1")
        link = page["nextLink"]
        self.assertTrue(link.startswith("https://dps.example/api/devices?"), link)
        seen = len(page["value"])
        while link:
            page = self.az("GET", link.removeprefix("https://dps.example"))
            seen += len(page["value"])
            link = page.get("nextLink")
        self.assertGreaterEqual(seen, 3)


if __name__ == "__main__":
    main()
