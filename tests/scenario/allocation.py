#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which hub a device gets: linked hubs, policies, a webhook that is slow, down, lying, redirecting,
and what becomes of a device's twin when it moves."""
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab import webhook as hook  # noqa: E402
from lab.device import Conversation, outcome_of  # noqa: E402
from lab.keys import (at_hub, device_token, register_https, register_mqtt,  # noqa: E402
                      registration_token)
from lab.makers import Party  # noqa: E402
from lab.scenario import Scenario, main  # noqa: E402
from lab.server import Server, rollcall  # noqa: E402

OURS, OURS2 = "dps.example", "second.example"  # both are this server
AWAY, AWAY2 = "away.example", "away2.example"
TEXT = "Custom allocation failed with status code: "


def server_certificate(directory, issuer=None):
    """For 127.0.0.1 and nothing else."""
    stem = os.path.join(directory, "hook" if issuer else "self-signed-hook")
    rollcall("pki", "leaf", "--cn", "hook", "--eku", "serverAuth", "--ip", "127.0.0.1", "--out",
             stem, *(["--issuer", issuer.certificate.removesuffix(".pem")] if issuer
                     else ["--self-signed"]))
    return Party(stem + ".pem", stem + ".key", issuer)


class Hubs(Scenario):
    """A server with two names of its own and two hubs elsewhere."""

    @classmethod
    def make_server(cls):
        cls.authority = cls.ours.root("webhook-ca")
        cls.webhook = hook.Webhook(server_certificate(cls.scratch, cls.authority))
        return Server(cls.scratch, "--webhook-ca", cls.authority.certificate, *cls.options)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.command("hub", "add", OURS2, "--own")
        cls.server.command("hub", "add", AWAY)
        cls.server.command("hub", "add", AWAY2)

    @classmethod
    def tearDownClass(cls):
        cls.webhook.close()
        super().tearDownClass()

    def fleet(self, *options):
        """A group of the test's own, and a device of it that has not come yet."""
        self.root = self.ours.root(self.own("root"))
        group = self.group(self.own("group"), self.root)
        if options:
            self.command("group", "update", group, *options)
        self.device = self.ours.leaf(self.root, self.own("dev")).credential
        return group, self.device

    def again(self, credential, name=None, payload=None, version="2021-10-01"):
        """Registers, whether or not it did just now."""
        name = name or self.own("dev")
        body = {"registrationId": name, **({"payload": payload} if payload else {})}
        with Conversation(self.server, credential) as talk:
            path = talk.path(name, "/register", version) + "&forceRegistration=true"
            answer = talk.ask("PUT", path, body)
            if answer.status == 202:
                answer = talk.poll(name, answer.json["operationId"], version)
            return outcome_of(answer)

    def assert_at(self, outcome, hub, substatus=None):
        self.assertEqual((outcome.status, outcome.state.get("assignedHub")), ("assigned", hub),
                         str(outcome))
        if substatus:
            self.assertEqual(outcome.state["substatus"], substatus)

    def assert_failed(self, outcome, code, text):
        self.assertEqual((outcome.status, outcome.code), ("failed", code), str(outcome))
        self.assertTrue(outcome.message.startswith(text), outcome.message)

    def hooked(self, *behaviours):
        """A device of a group whose webhook behaves so."""
        url = self.webhook.script(self.own("hook"), *behaviours)
        return self.fleet("--allocation", "custom", "--webhook", url)

    def calls(self):
        return self.webhook.calls.get(self.own("hook"), [])


class Policies(Hubs):
    def test_static_names_the_hub(self):
        group, device = self.fleet("--allocation", "static", "--hub", AWAY)
        self.assert_at(self.again(device), AWAY, "initialAssignment")
        shown = self.command("registration", "show", self.own("dev"), "--json").json
        self.assertEqual(shown["assignedHub"], AWAY)
        self.assertEqual(self.command("group", "show", group, "--json").json["iotHubs"], [AWAY])

    def test_latency_takes_the_first_that_takes_devices(self):
        _, device = self.fleet("--allocation", "latency", "--hub", "unlinked.example", "--hub",
                               AWAY2, "--hub", AWAY)
        self.command("hub", "update", AWAY2, "--allocate", "off")
        try:
            self.assert_at(self.again(device), AWAY)
        finally:
            self.command("hub", "update", AWAY2, "--allocate", "on")
        self.assert_at(self.again(device), AWAY2, "deviceDataMigrated")

    def test_hashed_spreads_and_follows_the_weight(self):
        root = self.ours.root(self.own("root"))
        self.group(self.own("group"), root)
        self.command("group", "update", self.own("group"), "--allocation", "hashed", "--hub", AWAY,
                     "--hub", AWAY2)
        devices = self.ours.fleet(root, self.own("dev-{}"), 1, 24, self.own("fleet"))
        def places():
            return {name: self.again(party.credential, name).state["assignedHub"]
                    for name, party in devices.items()}
        before = places()
        self.assertEqual(set(before.values()), {AWAY, AWAY2})
        self.command("hub", "update", AWAY, "--weight", "1000")
        try:
            after = places()
        finally:
            self.command("hub", "update", AWAY, "--weight", "1")
        self.assertTrue(all(after[name] == AWAY for name, hub in before.items() if hub == AWAY))
        self.assertGreater(list(after.values()).count(AWAY), list(before.values()).count(AWAY))
        self.assertEqual(places(), before)

    def test_an_entry_without_a_policy_follows_the_servers(self):
        _, device = self.fleet()
        self.command("hub", "default", "--allocation", "static", "--hub", AWAY)
        try:
            self.assert_at(self.again(device), AWAY)
            said = self.command("hub", "default", "--json").json
            self.assertEqual((said["allocationPolicy"], said["iotHubs"]), ("static", [AWAY]))
        finally:
            self.command("hub", "default", "--allocation", "hashed", "--hub", "all")
        self.assertIn("custom", self.server.api(
            "/allocation", "PATCH", {"allocationPolicy": "custom",
                                     "customAllocationDefinition":
                                     {"webhookUrl": "https://a/"}})[1]["detail"])

    def test_without_a_hub_the_registration_fails(self):
        group, device = self.fleet("--allocation", "static", "--hub", "unlinked.example")
        self.assert_failed(self.again(device), 400208, "There is no linked hub")
        self.command("group", "update", group, "--hub", AWAY)
        self.assert_at(self.again(device), AWAY, "initialAssignment")

    def test_an_individual_enrollment_has_its_own(self):
        leaf = self.ours.self_signed(self.own("dev"))
        self.command("enrollment", "create", self.own("dev"), "--primary", leaf.certificate,
                     "--allocation", "static", "--hub", AWAY)
        self.assert_at(self.again(leaf.alone), AWAY)
        shown = self.command("enrollment", "show", self.own("dev"), "--json").json
        self.assertEqual((shown["allocationPolicy"], shown["iotHubs"]), ("static", [AWAY]))
        self.command("enrollment", "update", self.own("dev"), "--allocation", "default", "--hub",
                     "all", "--reprovision", "never")
        self.assert_at(self.again(leaf.alone), AWAY, "reprovisionedToInitialAssignment")

    def test_a_repeat_gets_the_same_answer_until_the_hub_changes(self):
        group, device = self.fleet("--allocation", "static", "--hub", AWAY)
        first = self.assert_assigned(self.own("dev"), device)
        self.assertEqual(self.assert_assigned(self.own("dev"), device).operation, first.operation)
        self.command("group", "update", group, "--hub", AWAY2)
        second = self.assert_assigned(self.own("dev"), device)
        self.assertEqual(second.state["assignedHub"], AWAY2)


class LinkedHubs(Hubs):
    def test_a_hub_with_devices_shows_them_before_it_goes(self):
        hub = self.own("hub.example")
        self.command("hub", "add", hub, "--weight", "3")
        group, device = self.fleet("--allocation", "static", "--hub", hub)
        self.assert_at(self.again(device), hub)
        shown = self.command("hub", "show", hub.upper(), "--json").json
        self.assertEqual((shown["weight"], shown["devices"], shown["own"]), (3, 1, False))
        told = self.command("hub", "remove", hub).err
        self.assertIn("1 known device is assigned to it", told)
        self.assertIn(self.own("dev"), told)
        self.assertIn(f"the group '{group}' names this hub", told)
        self.assertEqual(self.command("hub", "show", hub, "--json").json["name"], hub)
        self.command("hub", "remove", hub, "--yes", "--reason", "closed")
        self.refused("hub", "show", hub)
        self.assert_failed(self.again(device), 400208, "There is no linked hub")
        event = self.command("audit", "list", "--json").json[-1]
        self.assertEqual((event["action"], event["object"]), ("hub.remove", "hub/" + hub))

    def test_the_name_the_server_runs_under_stays(self):
        self.assertIn("own name", self.refused("hub", "remove", OURS, "--yes"))
        shown = self.command("hub", "list", "--json").json
        self.assertEqual([h["name"] for h in shown if h["own"]], [OURS, OURS2])

    def test_bad_orders_change_nothing(self):
        before = self.command("hub", "list", "--json").out
        self.refused("hub", "add", AWAY)
        self.refused("hub", "add", AWAY.upper())
        self.refused("hub", "add", "https://a.example")
        self.refused("hub", "add", "a.example:443")
        self.refused("hub", "add", self.own("x"), "--weight", "0")
        self.refused("hub", "add", self.own("x"), "--weight", "1001")
        self.refused("hub", "update", "none.example", "--weight", "2")
        self.refused("hub", "update", AWAY, "--weight", "2", "--etag", "old")
        self.refused("hub", "remove", "none.example", "--yes")
        self.assertEqual(self.command("hub", "list", "--json").out, before)
        group, _ = self.fleet()
        before = self.command("group", "show", group, "--json").json
        for words in (["--allocation", "static"],
                      ["--allocation", "static", "--hub", AWAY, "--hub", AWAY2],
                      ["--allocation", "hashed", "--hub", "a/b"],
                      ["--allocation", "hashed", "--hub", AWAY, "--hub", AWAY],
                      ["--allocation", "custom"],
                      ["--allocation", "custom", "--webhook", "http://hook.example/"],
                      ["--allocation", "custom", "--webhook", "ftp://hook.example/"],
                      ["--allocation", "custom", "--webhook", "https://u:p@hook.example/"],
                      ["--allocation", "custom", "--webhook", "https://h/", "--webhook-version",
                       "soon"],
                      ["--webhook", "https://hook.example/"]):
            self.refused("group", "update", group, *words)
        self.assertEqual(self.command("group", "show", group, "--json").json, before)

    def test_the_key_in_a_webhooks_address_is_not_shown(self):
        url = "https://hook.example/api?code=SECRET-KEY"
        group, _ = self.fleet("--allocation", "custom", "--webhook", url)
        shown = self.command("group", "show", group, "--json")
        self.assertEqual(shown.json["customAllocationDefinition"],
                         {"webhookUrl": "https://hook.example/api?****",
                          "apiVersion": "2021-10-01"})
        # What is shown stands for what is there; of another address it stands for nothing.
        self.command("group", "update", group, "--webhook", "https://hook.example/api?****",
                     "--webhook-version", "2025-07-01-preview")
        self.refused("group", "update", group, "--webhook", "https://other.example/api?****")
        everything = self.command("audit", "list", "--json").out + self.server.told() + shown.out
        self.assertNotIn("SECRET-KEY", everything)

    def test_a_new_name_keeps_the_old_one_while_devices_have_it(self):
        own = Server(os.path.join(self.scratch, self.own("server")))
        own.start()
        root = self.ours.root(self.own("root"))
        own.command("group", "create", "g")
        own.command("group", "cert", "set", "g", "primary", root.certificate, "--vouch")
        device = self.ours.leaf(root, "dev").credential
        def come():
            with Conversation(own, device) as talk:
                path = talk.path("dev", "/register", "2021-10-01") + "&forceRegistration=true"
                answer = talk.ask("PUT", path, {})
                return talk.poll("dev", answer.json["operationId"]).json["registrationState"]
        def hubs():
            return [(h["name"], h["own"], h["allocate"])
                    for h in own.command("hub", "list", "--json").json]
        try:
            self.assertEqual(come()["assignedHub"], OURS)
            for name, linked in (("new.example", [(OURS, True, False), ("new.example", True, True)]),
                                 ("newer.example", [(OURS, True, False),
                                                    ("newer.example", True, True)])):
                own.stop()
                own.options = ["--hub-host", name]
                own.start()
                self.assertEqual(sorted(hubs()), sorted(linked))
            moved = come()
            self.assertEqual((moved["assignedHub"], moved["substatus"]),
                             ("newer.example", "deviceDataMigrated"))
            own.command("hub", "remove", OURS, "--yes")
        finally:
            own.stop()


class Reprovisioning(Hubs):
    def twin(self):
        twin = self.command("device", "twin", self.own("dev"), "--json").json
        return twin["tags"], twin["properties"]["desired"]

    def initial(self):
        path = os.path.join(self.scratch, self.own("twin.json"))
        with open(path, "w", encoding="utf-8") as file:
            file.write('{"tags":{"t":"initial"},"properties":{"desired":{"d":"initial"}}}')
        return path

    def story(self, policy, first, second):
        """A device at the first hub gets a changed twin, then moves to the second."""
        group, device = self.fleet("--allocation", "static", "--hub", first, "--reprovision",
                                   policy, "--initial-twin", self.initial())
        self.assert_at(self.again(device), first, "initialAssignment")
        self.command("device", "twin", self.own("dev"), "--tags", '{"t":"changed"}', "--desired",
                     '{"d":"changed"}')
        self.command("group", "update", group, "--hub", second)
        return self.again(device)

    def assert_twin(self, word):
        tags, desired = self.twin()
        self.assertEqual((tags["t"], desired["d"]), (word, word))

    def test_migrate_moves_the_twin(self):
        self.assert_at(self.story("migrate", OURS, OURS2), OURS2, "deviceDataMigrated")
        self.assert_twin("changed")

    def test_reset_begins_the_twin_anew(self):
        self.assert_at(self.story("reset", OURS, OURS2), OURS2, "deviceDataReset")
        self.assert_twin("initial")
        self.assertGreater(self.twin()[1]["$version"], 2)

    def test_reset_at_the_same_hub_does_too(self):
        self.assert_at(self.story("reset", OURS, OURS), OURS, "reprovisionedToInitialAssignment")
        self.assert_twin("initial")

    def test_migrate_at_the_same_hub_leaves_it(self):
        self.assert_at(self.story("migrate", OURS, OURS), OURS, "reprovisionedToInitialAssignment")
        self.assert_twin("changed")

    def test_never_stays(self):
        self.assert_at(self.story("never", OURS, AWAY), OURS, "reprovisionedToInitialAssignment")
        self.assert_twin("changed")

    def test_what_migrated_away_comes_back_with_its_twin(self):
        self.assert_at(self.story("migrate", OURS, AWAY), AWAY, "deviceDataMigrated")
        self.command("group", "update", self.own("group"), "--hub", OURS)
        self.assert_at(self.again(self.device), OURS, "deviceDataMigrated")
        self.assert_twin("changed")

    def test_what_was_reset_on_its_way_comes_back_new(self):
        self.assert_at(self.story("reset", OURS, AWAY), AWAY, "deviceDataReset")
        self.command("group", "update", self.own("group"), "--hub", OURS)
        self.assert_at(self.again(self.device), OURS, "deviceDataReset")
        self.assert_twin("initial")

    def test_at_another_hub_the_device_has_no_business_here(self):
        group, device = self.fleet("--allocation", "static", "--hub", OURS)
        self.assert_at(self.again(device), OURS)
        events = f"/devices/{self.own('dev')}/messages/events?api-version=2021-04-12"
        with Conversation(self.server, device) as talk:
            self.assertEqual(talk.ask("POST", events, b"x").status, 204)
        self.command("group", "update", group, "--hub", AWAY)
        self.assert_at(self.again(device), AWAY)
        with Conversation(self.server, device) as talk:
            self.assertEqual(talk.ask("POST", events, b"x").status, 401)
        self.command("group", "update", group, "--hub", OURS2)
        self.assert_at(self.again(device), OURS2)
        with Conversation(self.server, device) as talk:
            self.assertEqual(talk.ask("POST", events, b"x").status, 204)


class CustomAllocation(Hubs):
    def test_the_documented_question_and_answer(self):
        group, device = self.hooked(hook.assigns(
            OURS2, payload={"model": 7},
            initialTwin={"tags": {"from": "hook"}, "properties": {"desired": {"n": 1}}}))
        first = self.again(device, payload={"modelId": "dtmi:a:b;1"})
        self.assert_at(first, OURS2, "initialAssignment")
        self.assertEqual(first.state["payload"], {"model": 7})
        asked = self.calls()[0]
        self.assertEqual(set(asked["linkedHubs"]), {OURS, OURS2, AWAY, AWAY2})
        entry, context = asked["enrollmentGroup"], asked["deviceRuntimeContext"]
        self.assertEqual(entry["enrollmentGroupId"], group)
        self.assertEqual(entry["attestation"]["type"], "x509")
        self.assertEqual(entry["allocationPolicy"], "custom")
        self.assertEqual(entry["reprovisionPolicy"],
                         {"updateHubAssignment": True, "migrateDeviceData": True})
        self.assertEqual(entry["customAllocationDefinition"]["apiVersion"], "2021-10-01")
        self.assertEqual(context["registrationId"], self.own("dev"))
        self.assertEqual(context["payload"], {"modelId": "dtmi:a:b;1"})
        info = context["x509"]["clientCertificates"]["primary"]["info"]
        self.assertIn(self.own("dev"), info["subjectName"])
        self.assertNotIn("currentIotHubHostName", context)
        twin = self.command("device", "twin", self.own("dev"), "--json").json
        self.assertEqual((twin["tags"], twin["properties"]["desired"]["n"]), ({"from": "hook"}, 1))
        self.again(device)
        context = self.calls()[1]["deviceRuntimeContext"]
        self.assertEqual(context["currentIotHubHostName"], OURS2)
        self.assertEqual(context["currentDeviceId"], self.own("dev"))
        lookup = self.command("registration", "show", self.own("dev"), "--json").json
        self.assertEqual(lookup["payload"], {"model": 7})

    def test_an_individual_enrollment_is_shown_to_it(self):
        leaf = self.ours.self_signed(self.own("dev"))
        url = self.webhook.script(self.own("hook"), hook.assigns(AWAY)) + "?code=KEY"
        self.command("enrollment", "create", self.own("dev"), "--primary", leaf.certificate,
                     "--allocation", "custom", "--webhook", url, "--hub", AWAY, "--hub", AWAY2)
        self.assert_at(self.again(leaf.alone), AWAY)
        asked = self.calls()[0]
        self.assertEqual(asked["linkedHubs"], [AWAY, AWAY2])
        entry = asked["individualEnrollment"]
        self.assertEqual(entry["registrationId"], self.own("dev"))
        self.assertEqual(entry["iotHubs"], [AWAY, AWAY2])
        self.assertTrue(entry["customAllocationDefinition"]["webhookUrl"].endswith("?****"))

    def test_a_device_with_a_key_is_allocated_too(self):
        url = self.webhook.script(self.own("hook"), hook.assigns(OURS2, payload={"p": 1}))
        group, name = self.own("group"), self.own("dev")
        self.command("group", "create", group, "--symmetric-key", "--allocation", "custom",
                     "--webhook", url)
        key = self.command("group", "key", "derive", group, name).out.strip()
        for register in (register_https, register_mqtt):
            outcome = register(self.server, name, registration_token(self.server, name, key))
            self.assert_at(outcome, OURS2, "initialAssignment")
            self.assertEqual(outcome.state["payload"], {"p": 1})
        self.assertEqual(len(self.calls()), 1, "the same device came again")
        asked = self.calls()[0]
        self.assertEqual(asked["enrollmentGroup"]["attestation"], {"type": "symmetricKey"})
        context = asked["deviceRuntimeContext"]
        self.assertEqual((context["symmetricKey"], context.get("x509")), ({}, None))
        for secret in (key, self.command("group", "key", "show", group, "primary").out.strip()):
            self.assertNotIn(secret, str(asked))
        # Its tokens are for the hub that it was told, until that is elsewhere.
        told = device_token(self.server, name, key, hub=OURS2)
        session = at_hub(self.server, name, told)
        self.command("group", "update", group, "--allocation", "static", "--hub", AWAY)
        self.assert_at(register_https(self.server, name,
                                      registration_token(self.server, name, key)), AWAY)
        self.assertIsNone(session.next())
        session.close()
        for hub in (OURS2, OURS, AWAY):
            with self.assertRaises(ConnectionRefusedError, msg=hub):
                at_hub(self.server, name, device_token(self.server, name, key, hub=hub))

    def test_never_asks_and_stays(self):
        group, device = self.hooked(hook.assigns(OURS), hook.assigns(AWAY, payload={"p": 1}))
        self.assert_at(self.again(device), OURS)
        self.command("group", "update", group, "--reprovision", "never")
        stays = self.again(device)
        self.assert_at(stays, OURS)
        self.assertEqual(stays.state["payload"], {"p": 1})
        self.assertEqual(len(self.calls()), 2)

    def test_what_it_refuses_fails_with_its_status(self):
        self.hooked(hook.status(404))
        for code in (400, 401, 403, 404, 501):
            with self.subTest(code=code):
                name = self.own(str(code))
                self.webhook.script(self.own("hook"), hook.status(code))
                outcome = self.again(self.ours.leaf(self.root, name).credential, name)
                self.assert_failed(outcome, 400207, TEXT + str(code))
                self.assertEqual(outcome.message, TEXT + str(code))
        self.assertEqual(len(self.calls()), 5, "it was asked again")

    def test_it_is_asked_again_where_that_helps(self):
        _, device = self.hooked(hook.status(503), hook.breaks_off, hook.assigns(AWAY))
        self.assert_at(self.again(device), AWAY)
        self.assertEqual(len(self.calls()), 3)
        self.webhook.script(self.own("hook"), hook.status(500))
        self.assert_failed(self.again(device), 400207, TEXT + "500")
        self.assertEqual(len(self.calls()), 6)
        # It failed; what the device had, it has.
        shown = self.command("registration", "show", self.own("dev"), "--json").json
        self.assertEqual((shown["status"], shown["assignedHub"]), ("failed", AWAY))
        self.webhook.script(self.own("hook"), hook.assigns(AWAY))
        self.assert_at(self.again(device), AWAY, "reprovisionedToInitialAssignment")

    def test_it_lies(self):
        lies = [b"", b"no json", b"[]", b"null", b"{", b"\xff\xfe", b'{"iotHubHostName":7}',
                b'{"iotHubHostName":null}', b'{"iotHubHostName":""}', b"{}", b"[" * 100_000,
                {"iotHubHostName": "nowhere.example"}, {"iotHubHostName": AWAY + "/"},
                {"iotHubHostName": OURS, "payload": "text"},
                {"iotHubHostName": OURS, "payload": [1]},
                {"iotHubHostName": OURS, "initialTwin": 7},
                {"iotHubHostName": OURS, "initialTwin": {"tags": 7}},
                {"iotHubHostName": OURS, "initialTwin": {"properties": []}},
                {"iotHubHostName": OURS, "initialTwin": {"properties": {"desired": 1}}},
                {"iotHubHostName": OURS, "initialTwin": {"tags": {"a.b": 1}}},
                {"iotHubHostName": OURS,
                 "initialTwin": {"properties": {"desired": {"a": "x" * 40_000}}}}]
        _, device = self.hooked(hook.status(404))
        for lie in lies:
            with self.subTest(lie=str(lie)[:60]):
                self.webhook.script(self.own("hook"), hook.says(lie))
                outcome = self.again(device)
                self.assert_failed(outcome, 400207, TEXT + "502")
                self.assertNotIn("nowhere", outcome.message)
        self.assertEqual(len(self.calls()), len(lies))
        # Spelling of names is no lie; nor are nulls.
        self.webhook.script(self.own("hook"), hook.says(
            {"iotHubHostname": OURS.upper(), "payload": None, "initialTwin": None, "more": 1}))
        self.assert_at(self.again(device), OURS)

    def test_it_redirects(self):
        elsewhere = self.webhook.script(self.own("elsewhere"), hook.assigns(AWAY))
        _, device = self.hooked(hook.status(404))
        for code in (301, 302, 303, 307, 308):
            with self.subTest(code=code):
                self.webhook.script(self.own("hook"), hook.status(code, Location=elsewhere))
                self.assert_failed(self.again(device), 400207, TEXT + str(code))
        self.assertNotIn(self.own("elsewhere"), self.webhook.calls)

    def test_it_is_down(self):
        _, device = self.fleet("--allocation", "custom", "--webhook",
                               f"https://127.0.0.1:{hook.nobody_port()}/")
        self.assert_failed(self.again(device), 400207, TEXT + "502")
        self.assertIn("webhook-failed", self.server.told())

    def test_its_certificate_is_another(self):
        stranger = hook.Webhook(server_certificate(self.scratch))
        try:
            stranger.script("a", hook.assigns(AWAY))
            self.webhook.script(self.own("hook"), hook.assigns(AWAY))
            group, device = self.fleet("--allocation", "custom", "--webhook", stranger.url("a"))
            self.assert_failed(self.again(device), 400207, TEXT + "502")
            self.command("group", "update", group, "--webhook",
                         self.webhook.url(self.own("hook"), "localhost"))  # not its name
            self.assert_failed(self.again(device), 400207, TEXT + "502")
            self.assertEqual((stranger.calls, self.calls()), ({}, []))
        finally:
            stranger.close()

    def test_plain_http_is_not_asked(self):
        plain = hook.Webhook()
        try:
            group, device = self.fleet("--allocation", "custom", "--webhook",
                                       plain.script("a", hook.assigns(AWAY)))
            self.assert_failed(self.again(device), 400207, TEXT + "502")
            self.assertEqual(plain.calls, {})
        finally:
            plain.close()

    def test_it_floods(self):
        _, device = self.hooked(hook.status(404))
        for word, flood in (("body", hook.floods), ("headers", hook.floods_headers)):
            with self.subTest(what=word):
                self.webhook.script(self.own("hook"), flood)
                self.assert_failed(self.again(device), 400207, TEXT + "502")

    def test_it_hangs_and_nobody_else_waits(self):
        outcomes = {}
        devices = {}
        for word, behaviour in (("silent", hook.hangs), ("midway", hook.hangs_midway)):
            root = self.ours.root(self.own(word + "-root"))
            self.group(self.own(word), root)
            self.command("group", "update", self.own(word), "--allocation", "custom", "--webhook",
                         self.webhook.script(self.own(word), behaviour))
            devices[word] = self.ours.leaf(root, self.own(word)).credential
        root = self.ours.root(self.own("quick"))
        self.group(self.own("quick"), root)
        quick = self.ours.leaf(root, self.own("quick")).credential
        threads = [threading.Thread(target=lambda w=word, d=device: outcomes.__setitem__(
            w, self.again(d, self.own(w)))) for word, device in devices.items()]
        for thread in threads:
            thread.start()
        for word in devices:
            self.webhook.wait_for(self.own(word))
        self.assert_assigned(self.own("quick"), quick)
        self.assertEqual(outcomes, {}, "the hanging ones were answered before")
        for thread in threads:
            thread.join()
        for word, outcome in outcomes.items():
            self.assert_failed(outcome, 400207, TEXT + "504")
            self.assertEqual(len(self.webhook.calls[self.own(word)]), 1, "asked again in vain")

    def test_trust_that_goes_while_it_thinks_is_noticed(self):
        said = threading.Event()
        group, device = self.hooked(hook.waits_for(said, hook.assigns(AWAY)))
        outcomes = []
        thread = threading.Thread(target=lambda: outcomes.append(self.again(device)))
        thread.start()
        self.webhook.wait_for(self.own("hook"))
        self.command("group", "disable", group)
        said.set()
        thread.join()
        self.assertEqual(outcomes[0].status, "disabled")

    def test_its_hub_that_goes_while_it_thinks_is_noticed(self):
        said = threading.Event()
        hub = self.own("hub.example")
        self.command("hub", "add", hub)
        _, device = self.hooked(hook.waits_for(said, hook.assigns(hub)))
        outcomes = []
        thread = threading.Thread(target=lambda: outcomes.append(self.again(device)))
        thread.start()
        self.webhook.wait_for(self.own("hook"))
        self.command("hub", "remove", hub, "--yes")
        said.set()
        thread.join()
        self.assert_failed(outcomes[0], 400207, TEXT + "502")


class PlainWebhook(Hubs):
    options = ("--webhook-loopback-http",)

    def test_plain_http_on_this_machine_where_it_is_allowed(self):
        plain = hook.Webhook()
        try:
            _, device = self.fleet("--allocation", "custom", "--webhook",
                                   plain.script("a", hook.assigns(AWAY)))
            self.assert_at(self.again(device), AWAY)
        finally:
            plain.close()


if __name__ == "__main__":
    main()
