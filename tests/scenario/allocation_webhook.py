#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A webhook says which hub: what it is asked, and that it is slow, down, lying, redirecting."""
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab import webhook as hook  # noqa: E402
from lab.hubs import AWAY, AWAY2, OURS, OURS2, TEXT, Hubs, server_certificate  # noqa: E402
from lab.keys import (at_hub, device_token, register_https, register_mqtt,  # noqa: E402
                      registration_token)
from lab.scenario import main  # noqa: E402


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

    def test_the_key_in_its_address_stands_nowhere_in_clear(self):
        secret = "code=not-to-be-found"
        asked = []

        def behave(handler):
            asked.append(handler.path)
            hook.assigns(AWAY)(handler)
        group, device = self.fleet("--allocation", "custom", "--webhook", self.webhook.script(
            self.own("hook"), behave) + "?" + secret)
        self.assert_at(self.again(device), AWAY)
        alone = self.own("alone")
        self.command("enrollment", "create", alone, "--primary", self.ours.leaf(
            self.root, alone).certificate, "--allocation", "custom", "--webhook",
                     "https://127.0.0.1:1/?" + secret)
        told = [self.command("group", "show", group).out, self.command("audit", "list").out,
                self.command("enrollment", "show", alone).out]
        for text in told:
            self.assertNotIn(secret, text)
        self.server.stop()
        try:
            self.assert_in_no_file([secret.encode()])
        finally:
            self.server.start()
        self.assert_at(self.again(device), AWAY)
        self.assertEqual([path.partition("?")[2] for path in asked], [secret, secret])

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
