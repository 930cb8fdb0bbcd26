#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Devices that prove themselves by symmetric key, at the provisioning service and at the hub: who
is let in, who is not and why, how keys are rolled, and that no key stands anywhere in clear."""
import base64
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab import mqtt  # noqa: E402
from lab.keys import (HOUR, at_hub, derived, device_token, register_https,  # noqa: E402
                      register_mqtt, registration_token, token)
from lab.scenario import Scenario, main  # noqa: E402

SKEW = 300
SLOTS = ("primary", "secondary")


def on_websocket(server, registration, sas):
    return register_mqtt(server, registration, sas, websocket={})


WAYS = {"https": register_https, "mqtt": register_mqtt, "mqtt-ws": on_websocket}


class Keys(Scenario):
    def group_with_keys(self, word="group", **files):
        """A group's name and its two keys."""
        name = self.own(word)
        options = [w for slot, file in files.items() for w in (f"--{slot}-key", file)]
        self.command("group", "create", name, "--symmetric-key", *options)
        return name, [self.command("group", "key", "show", name, slot).out.strip() for slot in SLOTS]

    def enrollment_with_keys(self, word="dev"):
        name = self.own(word)
        self.command("enrollment", "create", name, "--symmetric-key")
        return name, [self.command("enrollment", "key", "show", name, slot).out.strip()
                      for slot in SLOTS]

    def good(self, name, key, way="https"):
        outcome = WAYS[way](self.server, name, registration_token(self.server, name, key))
        self.assertEqual(outcome.status, "assigned", f"{name} over {way}: {outcome}")
        return outcome

    def bad(self, name, sas, cause, code=401000):
        """Over every transport, and as the operator sees it."""
        for way, register in WAYS.items():
            outcome = register(self.server, name, sas)
            self.assertEqual((outcome.status, outcome.code, outcome.message),
                             ("refused", code, "Unauthorized"), f"{way}: {sas}: {outcome}")
        refusal = self.explained(name)
        self.assertEqual(refusal["cause"], cause)
        self.assertNotIn("sig=", str(refusal))
        return refusal

    def file(self, word, text):
        path = os.path.join(self.scratch, self.own(word))
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        return path

    # --- who is let in ---

    def test_group_and_individual_over_every_transport(self):
        group, keys = self.group_with_keys()
        for way in WAYS:
            for slot, key in zip(SLOTS, keys):
                name = self.own(f"{way}-{slot}")
                own = derived(key, name)
                self.assertEqual(
                    own, self.command("group", "key", "derive", group, name, slot).out.strip())
                state = self.good(name, own, way).state
                self.assertEqual(state["symmetricKey"], {"enrollmentGroupId": group})
                self.assertEqual((state["deviceId"], state["assignedHub"]),
                                 (name, self.server.name))
                self.assertNotIn("x509", state)
                last = self.command("registration", "show", name, "--json").json["last"]
                self.assertEqual((last["slot"], last["attestation"], last["protocol"]),
                                 (slot, "symmetricKey", way))
            name, own = self.enrollment_with_keys(f"alone-{way}")
            for slot, key in zip(SLOTS, own):
                self.assertEqual(self.good(name, key, way).state["symmetricKey"], {})
                last = self.command("registration", "show", name, "--json").json["last"]
                self.assertEqual(last["slot"], slot)

    def test_spellings_that_sdks_send(self):
        _, (key, _) = self.group_with_keys()
        name = self.own("Dev")
        own = derived(key, name)
        sas = lambda **how: registration_token(self.server, name, own, **how)  # noqa: E731
        good = sas()
        parts = good.removeprefix("SharedAccessSignature ").split("&")
        spellings = [good, sas(name=None), sas(name=""), sas(encoded=False, name=""),
                     "SharedAccessSignature " + "&".join(reversed(parts)),
                     registration_token(self.server, name.upper(), own),
                     sas(end="99999999999999999999")]
        for spelling in spellings:
            for way, register in WAYS.items():
                outcome = register(self.server, name, spelling)
                self.assertEqual(outcome.status, "assigned", f"{way}: {spelling}: {outcome}")
        self.assertEqual(register_https(self.server, name.lower(), good).status, "assigned")

    def test_own_keys_are_taken(self):
        keys = [base64.b64encode(bytes([n]) * size).decode() for n, size in ((1, 16), (2, 64))]
        group, shown = self.group_with_keys(primary=self.file("p", keys[0] + "\n"),
                                            secondary=self.file("s", keys[1]))
        self.assertEqual(shown, keys)
        for word, text in (("short", base64.b64encode(bytes(15)).decode()),
                           ("long", base64.b64encode(bytes(65)).decode()),
                           ("garbage", "not a key!"), ("empty", "")):
            said = self.refused("group", "create", self.own(word), "--symmetric-key",
                                "--primary-key", self.file(word, text))
            self.assertIn("16 to 64 bytes", said)
            if text:
                self.assertNotIn(text, said)
            status, _ = self.server.api(f"/groups/{self.own(word)}")
            self.assertEqual(status, 404)
        said = self.refused("group", "create", self.own("twice"), "--symmetric-key",
                            "--primary-key", self.file("again", keys[0]))
        self.assertIn(f"the same key stands in the group '{group}'", said)
        made = [self.group_with_keys(word)[1] for word in ("made", "made-too")]
        self.assertEqual(len({key for pair in made for key in pair}), 4)
        self.assertEqual({len(base64.b64decode(key)) for pair in made for key in pair}, {64})

    # --- who is not ---

    def test_bad_tokens(self):
        group, (key, _) = self.group_with_keys()
        name = self.own("dev")
        own = derived(key, name)
        sas = lambda **how: registration_token(self.server, name, own, **how)  # noqa: E731
        good = sas()
        self.good(name, own)  # from here on the source has a wide bound
        for text in (good[:40], good[:good.index("&se")], good[:good.index("&sig") + 20],
                     good + "&se=1", good + "&x=y", good.replace("%2F", "%2", 1),
                     good.replace("sr=", "sr"), "SharedAccessSignature", "SharedAccessSignature ",
                     "SharedAccessSignature " + "x" * 3000, sas(end="soon"), sas(end="-1")):
            self.bad(name, text, "token-malformed")
        self.bad(name, sas(scope="0neFFFFFFFF"), "token-resource")
        self.bad(name, sas(name="provisioningserviceowner"), "token-resource")
        self.bad(name, registration_token(self.server, self.own("other"), own), "token-resource")
        self.bad(name, device_token(self.server, name, own), "token-resource")
        self.bad(name, sas(end=-SKEW - 60), "token-expired")
        refusal = self.bad(name, registration_token(self.server, name, key), "token-wrong-key")
        self.assertEqual(refusal["entry"], {"kind": "group", "id": group})
        self.assertIn("itself", refusal["explanation"])
        for wrong in (derived(key, self.own("other")), base64.b64encode(bytes(64)).decode()):
            self.bad(name, registration_token(self.server, name, wrong), "token-wrong-key")
        self.good(name, own)

    def test_clock_skew(self):
        _, (key, _) = self.group_with_keys()
        name = self.own("dev")
        own = derived(key, name)
        for way, register in WAYS.items():
            late = registration_token(self.server, name, own, end=-SKEW + 120)
            self.assertEqual(register(self.server, name, late).status, "assigned", way)
            # A device whose clock is ahead signs for a time that is far away: no harm in that.
            ahead = registration_token(self.server, name, own, end=400 * 24 * HOUR)
            self.assertEqual(register(self.server, name, ahead).status, "assigned", way)

    def test_entries_decide_by_their_kind(self):
        _, (key, _) = self.group_with_keys()
        root = self.ours.root(self.own("root"))
        self.group(self.own("certified"), root)
        certified, keyed = self.own("certified-dev"), self.own("keyed-dev")
        leaf, other = self.ours.leaf(root, certified), self.ours.leaf(root, keyed)
        self.command("enrollment", "create", certified, "--primary", leaf.certificate)
        self.command("enrollment", "create", keyed, "--symmetric-key")
        own = self.command("enrollment", "key", "show", keyed, "primary").out.strip()
        self.bad(certified, registration_token(self.server, certified, derived(key, certified)),
                 "wrong-attestation")
        self.assert_refused(keyed, other.credential, code=401000)
        self.assertEqual(self.explained(keyed)["cause"], "token-missing")
        self.bad(keyed, registration_token(self.server, keyed, derived(key, keyed)),
                 "token-wrong-key")
        self.assert_assigned(certified, leaf.credential)
        self.good(keyed, own)
        # Neither kind of slot takes the other's credential.
        said = self.refused("enrollment", "cert", "set", keyed, "primary", other.certificate)
        self.assertIn("attests by symmetric key", said)
        said = self.refused("enrollment", "key", "show", certified, "primary")
        self.assertIn("attests by certificate", said)

    def test_disabled_is_an_answer(self):
        group, (key, _) = self.group_with_keys()
        name = self.own("dev")
        own = derived(key, name)
        self.good(name, own)
        self.command("group", "disable", group)
        for way, register in WAYS.items():
            outcome = register(self.server, name, registration_token(self.server, name, own))
            self.assertEqual((outcome.status, outcome.http_status), ("disabled", 200), way)
        with self.assertRaises(ConnectionRefusedError):
            at_hub(self.server, name, device_token(self.server, name, own))
        self.command("group", "enable", group)
        self.good(name, own)

    def test_without_any_proof(self):
        name = self.own("dev")
        with self.talk() as device:
            answer = device.put(name)
            self.assertEqual((answer.status, answer.json["errorCode"]), (401, 401002))
            answer = device.ask("PUT", device.path(name, "/register"), {}, Authorization="Basic eA==")
            self.assertEqual(answer.status, 401)
        for password in (None, "", "secret"):
            with mqtt.Mqtt(self.server) as device:
                connack = device.connect(name, mqtt.dps_user(self.server, name), password=password)
                self.assertEqual(connack.code, 5)

    def test_a_poll_needs_the_key_that_registered(self):
        _, keys = self.group_with_keys()
        name = self.own("dev")
        sas = [registration_token(self.server, name, derived(key, name)) for key in keys]
        with self.talk() as device:
            path = device.path(name, "/register")
            answer = device.ask("PUT", path, {"registrationId": name}, Authorization=sas[0])
            self.assertEqual(answer.status, 202)
            operation = device.path(name, f"/operations/{answer.json['operationId']}")
            for how, status in (({"Authorization": sas[1]}, 401), ({}, 401),
                                ({"Authorization": sas[0][:-60]}, 401),
                                ({"Authorization": sas[0]}, 200)):
                self.assertEqual(device.ask("GET", operation, **how).status, status, how)

    def test_tpm_is_told_what_is_offered(self):
        name = self.own("dev")
        with self.talk() as device:
            answer = device.put(name, {"registrationId": name, "tpm": {"endorsementKey": "AAAA"}})
            self.assertEqual((answer.status, answer.json["errorCode"]), (400, 400002))
            self.assertIn("TPM", answer.json["message"])

    # --- at the hub ---

    def test_the_hub_takes_the_key_of_either_slot(self):
        _, keys = self.group_with_keys()
        group_device = self.own("dev")
        own = [derived(key, group_device) for key in keys]
        self.good(group_device, own[0])
        alone, alone_keys = self.enrollment_with_keys("alone")
        self.good(alone, alone_keys[0])
        for name, each in ((group_device, own), (alone, alone_keys)):
            for key in each:
                for how in ({}, {"websocket": {}}):
                    with at_hub(self.server, name, device_token(self.server, name, key),
                                **how) as device:
                        device.publish(mqtt.events(name), b"hello")
                        device.disconnect()
                with self.talk() as device:
                    sas = device_token(self.server, name, key)
                    path = f"/devices/{name}/messages/events?api-version=2020-03-13"
                    self.assertEqual(device.ask("POST", path, b"x", Authorization=sas).status, 204)

    def test_the_hub_refuses(self):
        _, (key, _) = self.group_with_keys()
        name, other = self.own("dev"), self.own("other")
        own = derived(key, name)
        self.good(name, own)
        self.good(other, derived(key, other))
        good = device_token(self.server, name, own)
        refused = (good[:50], good + "&se=1", device_token(self.server, name, key),
                   device_token(self.server, other, own), device_token(self.server, name, own, -600),
                   device_token(self.server, name, own, hub="elsewhere.example"),
                   device_token(self.server, name, derived(key, other)),
                   registration_token(self.server, name, own), token(own, self.server.name), None)
        for sas in refused:
            with self.assertRaises(ConnectionRefusedError, msg=sas):
                at_hub(self.server, name, sas).close()
            with self.talk() as device:
                how = {} if sas is None else {"Authorization": sas}
                path = f"/devices/{name}/messages/events?api-version=2020-03-13"
                self.assertEqual(device.ask("POST", path, b"x", **how).status, 401, sas)
        with self.assertRaises(ConnectionRefusedError):  # it never registered
            stranger = self.own("stranger")
            at_hub(self.server, stranger, device_token(self.server, stranger, derived(key, stranger)))
        at_hub(self.server, name, good).disconnect()

    def test_a_session_ends_with_its_token(self):
        _, (key, _) = self.group_with_keys()
        name = self.own("dev")
        own = derived(key, name)
        self.good(name, own)
        short = at_hub(self.server, name, device_token(self.server, name, own, end=-SKEW + 8))
        self.assertIsNone(short.next())
        short.close()

    # --- rolling ---

    def test_one_key_is_regenerated_while_the_other_serves(self):
        group, keys = self.group_with_keys()
        name, follower = self.own("dev"), self.own("follower")
        old, second = (derived(key, name) for key in keys)
        self.good(name, old)
        self.good(follower, derived(keys[1], follower))
        session = at_hub(self.server, name, device_token(self.server, name, old))
        self.command("group", "key", "regenerate", group, "primary")
        fresh = self.command("group", "key", "derive", group, name).out.strip()
        self.assertNotIn(fresh, (old, second))
        # Plainly: what is connected stays, what is not has to come with a key that stands.
        session.publish(mqtt.events(name), b"still here")
        session.disconnect()
        self.bad(name, registration_token(self.server, name, old), "token-wrong-key")
        with self.assertRaises(ConnectionRefusedError):
            at_hub(self.server, name, device_token(self.server, name, old))
        for key in (second, fresh):
            at_hub(self.server, name, device_token(self.server, name, key)).disconnect()
            self.good(name, key)
        self.good(follower, derived(keys[1], follower))
        adoption = self.server.api(f"/groups/{group}/adoption")[1]
        self.assertEqual(sorted((each["slot"], each["standing"], each["devices"])
                                for each in adoption["certificates"]),
                         [("primary", "current", 1), ("secondary", "current", 1)])

    def test_swapped_slots_change_nothing(self):
        group, keys = self.group_with_keys()
        name = self.own("dev")
        self.command("group", "cert", "swap", group)
        for slot, key in zip(SLOTS, reversed(keys)):
            self.assertEqual(self.command("group", "key", "show", group, slot).out.strip(), key)
            self.good(name, derived(key, name))

    def test_a_breach_ends_what_rests_on_the_lost_key_alone(self):
        group, keys = self.group_with_keys()
        lost, kept = self.own("lost"), self.own("kept")
        lost_key, kept_key = derived(keys[0], lost), derived(keys[1], kept)
        self.good(lost, lost_key)
        self.good(kept, kept_key)
        gone = at_hub(self.server, lost, device_token(self.server, lost, lost_key))
        stays = at_hub(self.server, kept, device_token(self.server, kept, kept_key))
        shown = self.command("group", "key", "regenerate", group, "primary", "--breach", "--json")
        self.assertEqual(shown.json["impact"], {"devices": 1, "first": [lost]})
        gone.publish(mqtt.events(lost), b"nothing happened yet")
        self.command("group", "key", "regenerate", group, "primary", "--breach", "--yes",
                     "--reason", "lost in a taxi")
        self.assertIsNone(gone.next())
        gone.close()
        stays.publish(mqtt.events(kept), b"undisturbed")
        stays.disconnect()
        self.bad(lost, registration_token(self.server, lost, lost_key), "token-wrong-key")
        distrusted = self.command("distrust", "list", "--json").json
        self.assertIn(f"symmetric key of the group '{group}', primary slot",
                      [each["subject"] for each in distrusted])
        said = self.refused("group", "key", "regenerate", group, "secondary", "--key",
                            self.file("back", keys[0]))
        self.assertIn("distrust list", said)
        self.good(lost, self.command("group", "key", "derive", group, lost).out.strip())

    def test_an_individual_key_is_replaced_now(self):
        name, keys = self.enrollment_with_keys()
        self.good(name, keys[0])
        session = at_hub(self.server, name, device_token(self.server, name, keys[0]))
        self.command("enrollment", "key", "regenerate", name, "secondary")
        session.publish(mqtt.events(name), b"still here")
        self.command("enrollment", "key", "regenerate", name, "primary", "--replace-now", "--yes")
        self.assertIsNone(session.next())
        session.close()
        for key in keys:
            self.bad(name, registration_token(self.server, name, key), "token-wrong-key")
        self.good(name, self.command("enrollment", "key", "show", name, "primary").out.strip())
        # Withdrawn is not distrusted: the same key can be put back.
        self.command("enrollment", "key", "regenerate", name, "primary", "--key",
                     self.file("back", keys[0]))
        self.good(name, keys[0])

    # --- secrets ---

    def test_keys_stand_nowhere_in_clear(self):
        group, keys = self.group_with_keys()
        alone, alone_keys = self.enrollment_with_keys("alone")
        name = self.own("dev")
        own = [derived(key, name) for key in keys]
        for key in own:
            self.good(name, key)
            at_hub(self.server, name, device_token(self.server, name, key)).disconnect()
        self.bad(name, registration_token(self.server, name, keys[0]), "token-wrong-key")
        self.good(alone, alone_keys[0])
        self.command("group", "key", "regenerate", group, "primary", "--breach", "--yes")
        secrets = [*keys, *own, *alone_keys,
                   self.command("group", "key", "show", group, "primary").out.strip()]
        told = [str(self.server.api(path)) for path in (
            "/groups", f"/groups/{group}", f"/groups/{group}/certificates",
            f"/groups/{group}/adoption", "/enrollments", f"/enrollments/{alone}",
            f"/registrations/{name}", f"/registrations/{name}/explanation", "/refusals", "/audit",
            "/distrust")]
        told += [self.command("group", "show", group).out, self.command("audit", "list").out]
        events = [each["action"] for each in self.server.listing("/audit")
                  if each["object"] == f"group/{group}"]
        self.assertIn("group.key.show", events)
        self.assertIn("group.key.set", events)
        for secret in secrets:
            for text in told:
                self.assertNotIn(secret, text)
        clear = [spelling for secret in secrets for spelling in (
            secret.encode(), base64.b64decode(secret), base64.b64decode(secret).hex().encode())]
        self.server.stop()
        try:
            self.assert_in_no_file(clear)
            self.assertEqual(os.stat(os.path.join(self.server.data, "secret.key")).st_mode & 0o777,
                             0o600)
        finally:
            self.server.start()
        # They are all there again after a restart.
        self.assertEqual(self.command("enrollment", "key", "show", alone, "primary").out.strip(),
                         alone_keys[0])
        self.good(alone, alone_keys[0])


if __name__ == "__main__":
    main()
