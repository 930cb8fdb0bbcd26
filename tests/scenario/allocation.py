#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which hub a device gets: linked hubs and policies, and what becomes of its twin when it moves."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab import webhook as hook  # noqa: E402
from lab.device import Conversation  # noqa: E402
from lab.hubs import AWAY, AWAY2, OURS, OURS2, Hubs  # noqa: E402
from lab.scenario import main  # noqa: E402
from lab.server import Server  # noqa: E402


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


if __name__ == "__main__":
    main()
