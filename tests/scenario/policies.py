#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shared access policies: what each right opens, what a signature must be, and keys that are rotated
while tools work on."""
import base64
import os
import sys
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.operator import Door, Policy, admin_bearer  # noqa: E402
from lab.scenario import main  # noqa: E402
from lab.server import Server  # noqa: E402
from lab.steady import Steady  # noqa: E402

RIGHTS = ("ServiceConfig", "EnrollmentRead", "EnrollmentWrite", "DeviceConnect",
          "RegistrationStatusRead", "RegistrationStatusWrite", "RegistryRead", "RegistryWrite")
# A request of each kind that a right may open; what it asks for need not be there.
READS_GROUPS = ("GET", "/api/v1/groups", None)
READS_ENROLLMENTS = ("GET", "/api/v1/enrollments", None)
READS_CAS = ("GET", "/api/v1/ca-certificates", None)
READS_SERVER = ("GET", "/api/v1/server", None)
READS_REGISTRATIONS = ("GET", "/api/v1/registrations", None)
WRITES_GROUPS = ("DELETE", "/api/v1/groups/nobody", None)
WRITES_ENROLLMENTS = ("DELETE", "/api/v1/enrollments/nobody", None)
WRITES_CAS = ("DELETE", "/api/v1/ca-certificates/nobody", None)
WRITES_HUBS = ("DELETE", "/api/v1/hubs/nobody", None)
READS_DEVICES = ("GET", "/api/v1/devices", None)
WRITES_DEVICES = ("DELETE", "/api/v1/devices/nobody", None)
SHOWS_KEYS = ("POST", "/api/v1/groups/nobody/show-keys", {})
# What no right opens.
CLOSED = (("GET", "/api/v1/tokens", None), ("POST", "/api/v1/tokens", {"name": "thief"}),
          ("DELETE", "/api/v1/tokens/admin", None), ("GET", "/api/v1/policies", None),
          ("POST", "/api/v1/policies", {"name": "thief", "rights": ["EnrollmentWrite"]}),
          ("POST", "/api/v1/policies/provisioningserviceowner/show-keys", {}),
          ("PUT", "/api/v1/policies/provisioningserviceowner/keys/primary", {}),
          ("DELETE", "/api/v1/policies/provisioningserviceowner", None),
          ("GET", "/api/v1/audit", None), ("GET", "/api/v1/distrust", None),
          ("POST", "/api/v1/distrust", {"spkiSha256": "A" * 64, "reason": "x"}))
OPENS = {
    "ServiceConfig": (READS_SERVER, READS_CAS, WRITES_CAS, WRITES_HUBS),
    "EnrollmentRead": (READS_GROUPS, READS_ENROLLMENTS, READS_CAS),
    "EnrollmentWrite": (WRITES_GROUPS, WRITES_ENROLLMENTS, SHOWS_KEYS),
    "DeviceConnect": (),
    "RegistrationStatusRead": (READS_REGISTRATIONS,),
    "RegistrationStatusWrite": (),
    "RegistryRead": (READS_DEVICES,),
    "RegistryWrite": (WRITES_DEVICES,),
}
ALL = (READS_GROUPS, READS_ENROLLMENTS, READS_CAS, READS_SERVER, READS_REGISTRATIONS,
       WRITES_GROUPS, WRITES_ENROLLMENTS, WRITES_CAS, WRITES_HUBS, READS_DEVICES, WRITES_DEVICES)


class Policies(Steady):
    def asked(self, authorization, method, path, body=None, **headers):
        with Door(self.server, authorization) as door:
            return door.ask(method, path, body, **headers)

    def status(self, authorization, path="/api/v1/groups"):
        return self.asked(authorization, "GET", path).status

    def assert_refused_as(self, answer, status, code):
        self.assertEqual((answer.status, answer.json.get("code")), (status, code), answer.text)

    def test_every_right_opens_its_own(self):
        for right in RIGHTS:
            policy = Policy.made(self.server, self.own(right), right)
            for request in (*ALL, SHOWS_KEYS, *CLOSED):
                method, path, body = request
                with self.row(f"{right}: {method} {path}"):
                    answer = self.asked(policy.token(), method, path, body)
                    if request in OPENS[right]:
                        self.assertIn(answer.status, (200, 404), answer.text)
                    else:
                        self.assert_refused_as(answer, 403, "permission-missing")

    def test_all_rights_are_not_an_administrator(self):
        """The owner's are DPS' six; the hub's two are given by name, or by `all`."""
        owner = Policy(self.command("token", "show", "provisioningserviceowner").out)
        self.assertEqual(owner.host, self.server.name)
        for method, path, body in CLOSED:
            with self.row(f"{method} {path}"):
                self.assert_refused_as(self.asked(owner.token(), method, path, body), 403,
                                       "permission-missing")
        everything = Policy.made(self.server, self.own("all"), "all")
        for method, path, body in CLOSED:
            self.assert_refused_as(self.asked(everything.token(), method, path, body), 403,
                                   "permission-missing")
        for request in ALL:
            method, path, body = request
            with self.row(f"{method} {path}"):
                self.assertIn(self.asked(everything.token(), method, path, body).status,
                              (200, 404))
                of_the_hub = request in (READS_DEVICES, WRITES_DEVICES)
                self.assertIn(self.asked(owner.token(), method, path, body).status,
                              (403,) if of_the_hub else (200, 404))
        self.assertEqual(self.status(admin_bearer(self.server), "/api/v1/tokens"), 200)

    def test_what_a_policy_did_stands_in_the_audit_log(self):
        policy = Policy.made(self.server, self.own("ci"), "EnrollmentWrite")
        answer = self.asked(policy.token(), "POST", "/api/v1/groups", {"id": self.own("g")})
        self.assertEqual(answer.status, 201, answer.text)
        last = self.command("audit", "list", "--json").json[-1]
        self.assertEqual((last["actor"], last["action"]),
                         (f"policy:{self.own('ci')}", "group.create"))

    def test_signatures_that_open_nothing(self):
        policy = Policy.made(self.server, self.own("ci"), "EnrollmentRead")
        other = Policy.made(self.server, self.own("other"), "EnrollmentRead")
        good = policy.token()
        sr, sig, se, skn = good.split(" ", 1)[1].split("&")
        host = self.server.name
        longer_lived = str(int(se[3:]) + 60)
        rows = {
            "the scheme alone": ("SharedAccessSignature", "malformed-sas"),
            "no resource": (f"SharedAccessSignature {sig}&{se}&{skn}", "malformed-sas"),
            "no signature": (f"SharedAccessSignature {sr}&{se}&{skn}", "malformed-sas"),
            "no end": (f"SharedAccessSignature {sr}&{sig}&{skn}", "malformed-sas"),
            "two ends": (f"{good}&{se}", "malformed-sas"),
            "an end that is no number": (policy.token(end="tomorrow"), "malformed-sas"),
            "something more": (f"{good}&admin=true", "malformed-sas"),
            "a signature of rubbish": (f"SharedAccessSignature {sr}&sig=rubbish&{se}&{skn}",
                                       "malformed-sas"),
            "no policy's name": (f"SharedAccessSignature {sr}&{sig}&{se}", "sas-refused"),
            "an unknown policy": (policy.token(name="nobody"), "sas-refused"),
            "a token's name": (policy.token(name="admin"), "sas-refused"),
            "another policy's name": (policy.token(name=other.name), "sas-refused"),
            "another policy's key": (policy.token(key=other.key), "sas-refused"),
            "an end moved": (f"SharedAccessSignature {sr}&{sig}&se={longer_lived}&{skn}",
                             "sas-refused"),
            "a resource moved": (f"SharedAccessSignature sr=localhost&{sig}&{se}&{skn}",
                                 "sas-refused"),
            "for another host": (policy.token("other.example"), "sas-refused"),
            "for another path": (policy.token(f"{host}/enrollments"), "sas-refused"),
            "for a path that only begins alike": (policy.token(f"{host}/api/v1/group"),
                                                  "sas-refused"),
            "for more than was asked": (policy.token(f"{host}/api/v1/groups/a"), "sas-refused"),
            "ended": (policy.token(end=-301), "sas-expired"),
            "a device's token": (policy.token(f"{self.server.scope}/registrations/a",
                                              name="registration"), "sas-refused"),
            "too long": (good + "&" + "x" * 3000, "malformed-sas"),
        }
        details = set()
        for what, (authorization, code) in rows.items():
            with self.row(what):
                answer = self.asked(authorization, "GET", "/api/v1/groups")
                self.assert_refused_as(answer, 401, code)
                self.assertNotIn(policy.key, answer.text)
                if code == "sas-refused":
                    details.add(answer.json["detail"])
        self.assertEqual(len(details), 1, "refusals tell which policies there are")
        self.assertEqual(self.status(good), 200)

    def test_spellings_that_clients_send(self):
        policy = Policy.made(self.server, self.own("ci"), "EnrollmentRead")
        sr, sig, se, skn = policy.token().split(" ", 1)[1].split("&")
        for order in ((sr, sig, skn, se), (sr, sig, se, skn), (sig, se, skn, sr),
                      (skn, se, sig, sr)):
            self.assertEqual(self.status("SharedAccessSignature " + "&".join(order)), 200, order)
        host = self.server.name
        for resource in (host, host.upper(), f"{host}:443", f"{host}/", f"{host}/api",
                         f"{host}/API/V1/Groups", f"{host}/api/v1/groups/"):
            self.assertEqual(self.status(policy.token(resource)), 200, resource)
        raw = policy.token().replace(sig, urllib.parse.unquote(sig))
        self.assertEqual(self.status(raw), 200, "base64 that is not escaped")
        self.assertEqual(self.status(policy.token(end=-200)), 200, "a clock that is slow")
        self.assertEqual(self.status(policy.token(name=policy.name.upper())), 200)

    def test_either_key_is_rotated_while_the_other_serves(self):
        name = self.own("ci")
        primary = Policy.made(self.server, name, "EnrollmentRead")
        secondary = Policy(self.command("token", "show", name, "secondary").out)
        for slot, moved, stays in (("primary", primary, secondary),
                                   ("secondary", secondary, primary)):
            old = moved.token()
            moved.key = Policy(self.command("token", "rotate", name, slot).out).key
            self.assertEqual(self.status(old), 401)
            self.assertEqual(self.status(moved.token()), 200)
            self.assertEqual(self.status(stays.token()), 200)

    def test_revoked_is_at_once_and_for_open_connections(self):
        policy = Policy.made(self.server, self.own("ci"), "EnrollmentRead")
        with Door(self.server, policy.token()) as door:
            self.assertEqual(door.ask("GET", "/api/v1/groups").status, 200)
            self.command("token", "revoke", self.own("ci"), "--yes")
            self.assert_refused_as(door.ask("GET", "/api/v1/groups"), 401, "sas-refused")
        again = Policy.made(self.server, self.own("ci"), "EnrollmentRead")
        self.assertEqual(self.status(policy.token()), 401, "a new policy of the name, the old key")
        self.assertEqual(self.status(again.token()), 200)

    def test_the_owners_policy_is_made_once(self):
        with Server(os.path.join(self.scratch, self.own("server"))) as server:
            first = server.command("token", "show", "provisioningserviceowner").out
        with server:
            self.assertEqual(server.command("token", "show", "provisioningserviceowner").out,
                             first)
            server.command("token", "revoke", "provisioningserviceowner", "--yes")
        with server:
            server.command("token", "show", "provisioningserviceowner", expect=1)

    def test_keys_stand_nowhere_in_clear(self):
        policy = Policy.made(self.server, self.own("ci"), "EnrollmentRead")
        self.assertEqual(self.status(policy.token()), 200)
        self.assertEqual(self.status(policy.token(name="nobody")), 401)
        self.assert_in_no_file([policy.key.encode(), base64.b64decode(policy.key),
                                policy.token().encode()])


if __name__ == "__main__":
    main()
