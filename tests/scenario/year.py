#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A year in the life of a small fleet, while one server runs: what comes into validity, what ends.

The server's clock is turned under it, to the second. Days count from the test's beginning; devices
live by the machine's clock, which is as good: nobody but the server judges their certificates.
"""
import os
import ssl
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.clock import DAY, Clock  # noqa: E402
from lab.mqtt import Mqtt, at_hub, hub_user, provision  # noqa: E402
from lab.scenario import Scenario, main  # noqa: E402
from lab.server import Server  # noqa: E402

SKEW = 300  # seconds by which a device's certificate may lie in the future


def validity(party):
    """First and last second of a certificate."""
    said = subprocess.run(["openssl", "x509", "-in", party.certificate, "-noout", "-dates"],
                          text=True, check=True, capture_output=True).stdout
    return [ssl.cert_time_to_seconds(line.partition("=")[2]) for line in said.splitlines()]


def written(moment):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


class Year(Scenario):
    @classmethod
    def make_server(cls):
        cls.begin = int(time.time())
        authority = cls.openssl.root("Site CA")
        own = cls.openssl.leaf(authority, "server", extensions="subjectAltName=DNS:dps.example\n")
        server = Server(cls.scratch, "--server-cert", own.certificate, "--server-key", own.key,
                        clock=Clock(os.path.join(cls.scratch, "clock")))
        server.ca_file = authority.certificate
        return server

    def setUp(self):
        self.at(0)

    def at(self, day):
        """It is this day of the year."""
        self.second(self.begin + day * DAY)

    def second(self, moment):
        self.server.clock.stop_at(moment)

    def told(self, name, credential, words, cause="certificate-fault", fault=None):
        """The device is told 401002 alone; its operator why. What was said about it."""
        self.assert_refused(name, credential)
        refusal = self.explained(name)
        self.assertEqual(refusal["cause"], cause, refusal)
        self.assertRegex(refusal["explanation"], words)
        self.assertTrue(refusal["fix"], refusal)
        self.assertEqual(refusal["at"][:19], written(self.server.clock.now())[:19])
        if fault:
            fatal = [finding["fault"] for judged in refusal["verdict"]["path"]
                     for finding in judged["findings"] if finding["gravity"] == "fatal"]
            self.assertIn(fault, fatal, refusal["verdict"])
        for_people = " ".join(self.command("registration", "explain", name).out.split())
        self.assertIn(refusal["explanation"], for_people)
        return refusal

    def good(self, name, credential, slot=None):
        """The device is in, and its operator sees no refusal that still stands."""
        outcome = self.assert_assigned(name, credential)
        said = self.command("registration", "explain", name, "--json").json
        self.assertEqual(said["registration"]["status"], "assigned")
        if slot:
            self.assertEqual(said["registration"]["last"]["slot"], slot)
        return outcome

    def tree(self, **how):
        root = self.ours.root(self.own("root"), start=-1, **how)
        self.group(self.own("group"), root)
        return root

    # --- leaves ---

    def test_a_leaf_becomes_valid(self):
        root = self.tree()
        leaf = self.ours.leaf(root, self.own("dev"), start=10, end=300)
        start, _ = validity(leaf)
        for moment in (self.begin, start - SKEW - 1):
            self.second(moment)
            self.told(self.own("dev"), leaf.credential, f"becomes valid on {written(start)}",
                      fault="not-yet-valid")
        for moment in (start - SKEW, start, start + 1):
            self.second(moment)
            self.good(self.own("dev"), leaf.credential)

    def test_a_leaf_ends(self):
        root = self.tree()
        leaf = self.ours.leaf(root, self.own("dev"), start=-1, end=100)
        _, end = validity(leaf)
        for moment in (self.begin, end - 1, end):
            self.second(moment)
            self.good(self.own("dev"), leaf.credential)
        self.second(end + 1)
        self.told(self.own("dev"), leaf.credential, f"expired on {written(end)}", fault="expired")
        fresh = self.ours.leaf(root, self.own("dev"), start=99, end=300)
        self.good(self.own("dev"), fresh.credential)
        self.told(self.own("dev"), leaf.credential, f"expired on {written(end)}", fault="expired")

    def test_a_leaf_ends_on_an_open_connection(self):
        root = self.tree()
        name = self.own("dev")
        leaf = self.ours.leaf(root, name, start=-1, end=100)
        _, end = validity(leaf)
        with self.talk(leaf.credential) as talk:
            self.second(end)
            answer = talk.put(name)
            self.assertEqual(answer.status, 202, answer.text)
            self.second(end + 1)
            self.assertEqual(talk.poll(name, answer.json["operationId"]).json["status"], "assigned")
            answer = talk.put(name)
            self.assertEqual((answer.status, answer.json["errorCode"]), (401, 401002))
            answer = talk.ask("POST", talk.path(name), {"registrationId": name})
            self.assertEqual((answer.status, answer.json["errorCode"]), (401, 401002))
        self.assertRegex(self.explained(name)["explanation"], f"expired on {written(end)}")

    def test_a_leaf_ends_at_the_hub(self):
        root = self.tree()
        name = self.own("dev")
        leaf = self.ours.leaf(root, name, start=-1, end=100)
        _, end = validity(leaf)
        self.assertTrue(provision(self.server, name, leaf.credential).assigned)
        self.second(end)
        with at_hub(self.server, name, leaf.credential) as session:
            self.second(end + 1)
            with Mqtt(self.server, leaf.credential) as late:
                self.assertEqual(late.connect(name, hub_user(self.server, name)).code, 5)
            session.ping()  # its end closes nothing

    def test_individual_leaves_follow_one_another(self):
        name = self.own("dev")
        first = self.ours.self_signed(name, start=-1, end=100)
        second = self.ours.self_signed(name, start=90, end=300)
        self.command("enrollment", "create", name, "--primary", first.certificate, "--secondary",
                     second.certificate)
        self.at(50)
        self.good(name, first.alone, "primary")
        self.told(name, second.alone, "becomes valid on", fault="not-yet-valid")
        self.at(95)
        self.good(name, first.alone, "primary")
        self.good(name, second.alone, "secondary")
        self.second(validity(first)[1] + 1)
        self.told(name, first.alone, f"expired on {written(validity(first)[1])}", fault="expired")
        self.good(name, second.alone, "secondary")
        self.second(validity(second)[1] + 1)
        self.told(name, second.alone, "expired on", fault="expired")

    # --- CAs ---

    def test_the_ca_in_a_slot_ends_and_the_other_takes_over(self):
        old = self.tree(end=60)
        new = self.ours.root(self.own("new"), start=-1, end=400)
        name = self.own("dev")
        leaf = self.ours.leaf(old, name, start=-1, end=300)
        fresh = self.ours.leaf(new, name, start=-1, end=300)
        _, end = validity(old)
        self.second(end)
        self.good(name, leaf.credential, "primary")
        self.told(name, fresh.credential, "not known|unknown")
        self.second(end + 1)
        refusal = self.told(name, leaf.credential, f"expired on {written(end)}", fault="expired")
        self.assertIn(self.own("root"), refusal["explanation"])
        self.assertEqual(self.attesting(), {"primary": False})
        self.command("group", "cert", "set", self.own("group"), "secondary", new.certificate,
                     "--vouch")
        self.assertEqual(self.attesting(), {"primary": False, "secondary": True})
        self.good(name, fresh.credential, "secondary")
        self.told(name, leaf.credential, f"expired on {written(end)}", fault="expired")
        said = self.refused("group", "cert", "set", self.own("group"), "secondary",
                            old.certificate, "--vouch")
        self.assertIn(f"expired on {written(end)}", said)

    def attesting(self):
        """Which occupied slots of this test's group attest now."""
        slots = self.command("group", "cert", "show", self.own("group"), "--json").json
        return {slot: slots[slot]["current"]["attests"] for slot in ("primary", "secondary")
                if slots[slot]["current"]}

    def test_a_ca_ends_while_its_successor_is_pending(self):
        """Until the proof comes neither serves; the proof then brings the new one in."""
        old = self.tree(end=60)
        new = self.ours.root(self.own("new"), start=-1, end=400)
        name = self.own("dev")
        leaf = self.ours.leaf(old, name, start=-1, end=300)
        fresh = self.ours.leaf(new, name, start=-1, end=300)
        self.at(50)
        self.command("group", "cert", "set", self.own("group"), "primary", new.certificate)
        code = self.command("group", "cert", "code", self.own("group"), "primary").out.strip()
        self.good(name, leaf.credential, "primary")
        self.second(validity(old)[1] + 1)
        self.told(name, leaf.credential, "expired on", fault="expired")
        self.told(name, fresh.credential, "never verified", cause="unverified-ca")
        self.command("group", "cert", "verify", self.own("group"), "primary",
                     self.ours.proof(new, code, start=59, end=62).certificate)
        self.good(name, fresh.credential, "primary")
        self.told(name, leaf.credential, "not known here")

    def test_a_ca_that_has_not_begun(self):
        root = self.ours.root(self.own("root"), start=20, end=400)
        start, _ = validity(root)
        self.command("group", "create", self.own("group"))
        said = self.command("group", "cert", "set", self.own("group"), "primary", root.certificate,
                            "--vouch")
        self.assertIn(f"becomes valid on {written(start)}", said.err)
        self.assertIn("attests only within its validity", said.err)
        self.assertNotIn("group cert code", said.err)  # it is vouched for
        leaf = self.ours.leaf(root, self.own("dev"), start=-1, end=300)
        self.second(start - SKEW - 1)
        self.told(self.own("dev"), leaf.credential, f"becomes valid on {written(start)}",
                  fault="not-yet-valid")
        self.second(start - SKEW)
        self.good(self.own("dev"), leaf.credential)

    def test_a_ca_renewed_with_its_key(self):
        """The slot's own certificate has ended; another of the same CA is known. Put it in."""
        old = self.tree(end=60)
        renewed = self.ours.renew(old)
        name = self.own("dev")
        leaf = self.ours.leaf(old, name, start=-1, end=300)
        self.at(61)
        self.told(name, leaf.credential, "expired on", fault="expired")
        self.command("ca", "add", self.own("renewed"), renewed.certificate, "--vouch")
        self.told(name, leaf.credential, "slot is outside its validity", cause="slot-expired")
        self.command("group", "cert", "set", self.own("group"), "primary", renewed.certificate,
                     "--vouch", "--replace-now", "--yes")
        self.good(name, leaf.credential, "primary")

    def test_a_remembered_intermediate_ends(self):
        """Neither its signature, once verified, nor its copy here outlive it."""
        root = self.tree()
        sub = self.ours.intermediate(root, self.own("sub"), start=-1, end=50)
        one = self.ours.leaf(sub, self.own("one"), start=-1, end=300)
        two = self.ours.leaf(sub, self.own("two"), start=-1, end=300)
        _, end = validity(sub)
        self.at(40)
        self.told(self.own("two"), two.alone, "issuer.*not")
        self.good(self.own("one"), one.credential)
        self.good(self.own("two"), two.alone)  # completed by what the other one sent
        self.second(end)
        self.good(self.own("one"), one.credential)
        self.good(self.own("two"), two.alone)
        self.second(end + 1)
        for name, credential in ((self.own("one"), one.credential), (self.own("two"), two.alone)):
            refusal = self.told(name, credential, f"expired on {written(end)}", fault="expired")
            self.assertIn(self.own("sub"), refusal["explanation"])
        # Renewed with its key: whoever sends it brings it back for all.
        renewed = self.ours.intermediate(root, self.own("sub"), start=40, end=300, key_of=sub)
        fresh = self.ours.leaf(renewed, self.own("one"), start=-1, end=300)
        self.good(self.own("one"), fresh.credential)
        self.good(self.own("two"), two.alone)

    # --- the roll ---

    def test_an_expiry_roll_through_the_year(self):
        old = self.ours.root(self.own("old"), start=-1, end=200)
        group = self.group(self.own("group"), old)
        names = [self.own(f"dev-{n}") for n in range(5)]
        leaves = {name: self.ours.leaf(old, name, start=-1, end=200) for name in names}
        for day in (0, 90):
            self.at(day)
            for name in names:
                self.good(name, leaves[name].credential, "primary")
        # Spring: the successor is made, put beside the old one and proven.
        self.at(150)
        new = self.ours.root(self.own("new"), start=149, end=900)
        self.command("group", "cert", "set", group, "secondary", new.certificate)
        early = self.ours.leaf(new, names[0], start=149, end=500)
        self.told(names[0], early.credential, "never verified", cause="unverified-ca")
        code = self.command("group", "cert", "code", group, "secondary").out.strip()
        self.command("group", "cert", "verify", group, "secondary",
                     self.ours.proof(new, code, start=150, end=151).certificate)
        # Summer: one by one they move; the last one sleeps through it, and the server restarts.
        for number, name in enumerate(names[:-1]):
            self.at(160 + 10 * number)
            leaves[name] = self.ours.leaf(new, name, start=159 + 10 * number, end=500)
            self.good(name, leaves[name].credential, "secondary")
            self.good(names[-1], leaves[names[-1]].credential, "primary")
            if number == 2:
                self.server.kill()
                self.server.start()
        # Autumn: the old one has ended.
        self.at(201)
        for name in names[:-1]:
            self.good(name, leaves[name].credential, "secondary")
        late = names[-1]
        self.told(late, leaves[late].credential, "expired on", fault="expired")
        leaves[late] = self.ours.leaf(new, late, start=200, end=500)
        self.good(late, leaves[late].credential, "secondary")
        self.command("group", "cert", "remove", group, "primary", "--yes")
        # Winter: nobody was lost.
        self.at(365)
        for name in names:
            self.good(name, leaves[name].credential, "secondary")
        self.command("audit", "verify")

    # --- what operators hold ---

    def test_a_proof_of_possession_ends_and_its_code_does_not(self):
        root = self.ours.root(self.own("root"), start=-1, end=400)
        group = self.group(self.own("group"), root, vouch=False)
        name = self.own("dev")
        leaf = self.ours.leaf(root, name, start=-1, end=400)
        self.at(10)
        code = self.command("group", "cert", "code", group, "primary").out.strip()
        proof = self.ours.proof(root, code, start=20, end=21)
        start, end = validity(proof)

        def verify():
            return self.command("group", "cert", "verify", group, "primary", proof.certificate,
                                expect=None)
        for moment, words in ((start - SKEW - 1, "valid only from"), (end + 1, "expired on")):
            self.second(moment)
            said = verify()
            self.assertEqual(said.code, 1, said)
            self.assertRegex(said.err, words)
            self.told(name, leaf.credential, "never verified", cause="unverified-ca")
        self.at(300)
        proof = self.ours.proof(root, code, start=299, end=301)  # the code of day 10
        self.second(validity(proof)[1])
        self.assertEqual(verify().code, 0)
        self.good(name, leaf.credential)

    def test_a_token_ends(self):
        end = self.begin + 30 * DAY
        token = self.command("token", "create", self.own("token"), "--expires",
                             written(end), "--json").json["token"]
        header = {"Authorization": f"Bearer {token}"}
        for moment, status in ((end - 1, 200), (end + 1, 401), (self.begin + 300 * DAY, 401)):
            self.second(moment)
            self.assertEqual(self.server.api("/groups", headers=header)[0], status, moment)

    def test_an_operation_lives_for_a_day(self):
        name = self.own("dev")
        leaf = self.ours.leaf(self.tree(), name, start=-1, end=300)
        with self.talk(leaf.credential) as talk:
            self.at(10)
            operation = talk.put(name).json["operationId"]
            self.second(self.begin + 10 * DAY + 29)
            self.assertEqual(talk.put(name).json["operationId"], operation)
            self.second(self.begin + 11 * DAY)
            self.assertEqual(talk.poll(name, operation).json["status"], "assigned")
            self.second(self.begin + 11 * DAY + 1)
            self.assertEqual(talk.poll(name, operation).status, 404)
            self.assertNotEqual(talk.put(name).json["operationId"], operation)

    def test_a_clock_that_is_set_back(self):
        """By most of a year: devices go on, refusals are told, nothing waits for the time lost."""
        root = self.tree()
        name, stranger = self.own("dev"), self.own("stranger")
        leaf = self.ours.leaf(root, name, start=-1, end=400)
        other = self.ours.self_signed(stranger, start=-1, end=400)
        for day in (300, 20):
            self.at(day)
            self.good(name, leaf.credential)
            self.told(stranger, other.alone, "which is no trust anchor here")
            self.command("group", "disable", self.own("group"))
            self.command("group", "enable", self.own("group"))
        fresh = self.ours.leaf(root, name, start=-1, end=400)
        self.good(name, fresh.credential)
        self.command("audit", "verify")


if __name__ == "__main__":
    main()
