#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Slots as an operator changes them: staged replacement, proof of possession, going back."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.scenario import Scenario, main  # noqa: E402


class Staged(Scenario):
    def slot(self, group, slot):
        return self.command("group", "show", group, "--json").json["certificates"][slot]

    def test_staged_replacement_interrupts_nobody(self):
        old, new = self.ours.root(self.own("old")), self.ours.root(self.own("new"))
        group = self.group(self.own("group"), old)
        old_leaf, new_leaf = (self.ours.leaf(r, self.own("dev")) for r in (old, new))
        self.assert_assigned(self.own("dev"), old_leaf.credential)
        self.command("group", "cert", "set", group, "primary", new.certificate, "--yes")
        slot = self.slot(group, "primary")
        self.assertIn(self.own("old"), slot["current"]["certificate"]["subject"])
        self.assertIn(self.own("new"), slot["pending"]["certificate"]["subject"])
        self.assertFalse(slot["pending"]["verified"])
        self.assert_assigned(self.own("dev"), old_leaf.credential)
        self.assert_refused(self.own("dev"), new_leaf.credential)
        self.prove(group, "primary", new)
        slot = self.slot(group, "primary")
        self.assertIn(self.own("new"), slot["current"]["certificate"]["subject"])
        self.assertIsNone(slot["pending"])
        self.assert_refused(self.own("dev"), old_leaf.credential)
        self.assert_assigned(self.own("dev"), new_leaf.credential)

    def test_a_staged_replacement_can_be_taken_back(self):
        old, new = self.ours.root(self.own("old")), self.ours.root(self.own("new"))
        group = self.group(self.own("group"), old)
        leaf = self.ours.leaf(old, self.own("dev"))
        self.command("group", "cert", "set", group, "primary", new.certificate, "--yes")
        self.command("group", "cert", "remove", group, "primary", "--pending", "--yes")
        self.assertIsNone(self.slot(group, "primary")["pending"])
        self.assert_assigned(self.own("dev"), leaf.credential)

    def test_replace_now_needs_no_proof_of_the_old(self):
        old, new = self.ours.root(self.own("old")), self.ours.root(self.own("new"))
        group = self.group(self.own("group"), old)
        old_leaf, new_leaf = (self.ours.leaf(r, self.own("dev")) for r in (old, new))
        self.assert_assigned(self.own("dev"), old_leaf.credential)
        self.command("group", "cert", "set", group, "primary", new.certificate, "--vouch",
                     "--replace-now", "--yes")
        self.assert_refused(self.own("dev"), old_leaf.credential)
        self.assert_assigned(self.own("dev"), new_leaf.credential)
        # The old key is not distrusted: the same CA can be put back.
        self.command("group", "cert", "set", group, "secondary", old.certificate, "--vouch")
        self.assert_assigned(self.own("dev"), old_leaf.credential)

    def test_a_code_serves_once_and_dies_with_a_new_one(self):
        root = self.ours.root(self.own("root"))
        group = self.group(self.own("group"), root, vouch=False)
        first = self.command("group", "cert", "code", group, "primary").out.strip()
        second = self.command("group", "cert", "code", group, "primary").out.strip()
        self.assertRegex(first, r"^[0-9A-F]{48}$")
        self.assertNotEqual(first, second)
        stale, fresh = self.ours.proof(root, first), self.ours.proof(root, second)
        self.refused("group", "cert", "verify", group, "primary", stale.certificate)
        self.assertFalse(self.slot(group, "primary")["current"]["verified"])
        self.command("group", "cert", "verify", group, "primary", fresh.certificate)
        self.assertTrue(self.slot(group, "primary")["current"]["verified"])
        self.refused("group", "cert", "verify", group, "primary", fresh.certificate)

    def test_a_failed_proof_changes_nothing(self):
        root, other = self.ours.root(self.own("root")), self.ours.root(self.own("other"))
        group = self.group(self.own("group"), root, vouch=False)
        code = self.command("group", "cert", "code", group, "primary").out.strip()
        below = self.ours.intermediate(root, self.own("sub"))
        namesake = self.ours.root(self.own("root"))
        for wrong in (self.ours.proof(other, code), self.ours.proof(below, code),
                      self.ours.proof(namesake, code), self.ours.leaf(root, code.lower()),
                      self.ours.leaf(root, code, start=-20, end=-1), root):
            self.refused("group", "cert", "verify", group, "primary", wrong.certificate)
        self.command("group", "cert", "verify", group, "primary",
                     self.ours.proof(root, code).certificate)
        leaf = self.ours.leaf(below, self.own("dev"))
        self.assert_assigned(self.own("dev"), leaf.credential)

    def test_proofs_by_openssl_and_certtool(self):
        for name, maker in (("openssl", self.openssl), ("certtool", self.certtool)):
            root = maker.root(self.own(f"{name}-root"))
            group = self.group(self.own(f"{name}-group"), root, vouch=False)
            leaf = maker.leaf(root, self.own(f"{name}-dev"))
            self.assert_refused(self.own(f"{name}-dev"), leaf.credential)
            self.prove(group, "primary", root, maker)
            self.assert_assigned(self.own(f"{name}-dev"), leaf.credential)

    def test_an_unverified_intermediate_attests_through_a_verified_root(self):
        root = self.ours.root(self.own("root"))
        sub = self.ours.intermediate(root, self.own("sub"))
        self.command("ca", "add", self.own("ca"), root.certificate, "--vouch")
        self.group(self.own("group"), sub, vouch=False)
        leaf = self.ours.leaf(sub, self.own("dev"))
        self.assert_assigned(self.own("dev"), leaf.alone)
        # A leaf straight under the root is under no group.
        straight = self.ours.leaf(root, self.own("straight"))
        self.assert_refused(self.own("straight"), straight.credential)

    def test_swapping_the_slots_changes_nothing(self):
        one, two = self.ours.root(self.own("one")), self.ours.root(self.own("two"))
        group = self.group(self.own("group"), one, two)
        self.command("group", "cert", "swap", group)
        self.assertIn(self.own("two"), self.slot(group, "primary")["current"]["certificate"]["subject"])
        for root in (one, two):
            leaf = self.ours.leaf(root, self.own("dev"))
            self.assert_assigned(self.own("dev"), leaf.credential)

    def test_going_back_is_recorded_and_can_be_refused(self):
        old, new = self.ours.root(self.own("old")), self.ours.root(self.own("new"))
        group = self.group(self.own("group"), old, new)
        old_leaf = self.ours.leaf(old, self.own("dev"), start=-30)
        new_leaf = self.ours.leaf(new, self.own("dev"), start=-1)
        self.assert_assigned(self.own("dev"), old_leaf.credential)
        self.assert_assigned(self.own("dev"), new_leaf.credential)
        self.assert_assigned(self.own("dev"), old_leaf.credential)
        shown = self.command("registration", "show", self.own("dev"), "--json").json
        self.assertTrue(shown["last"]["wentBack"])
        self.assert_assigned(self.own("dev"), new_leaf.credential)
        self.command("group", "update", group, "--refuse-older-leaf", "on")
        self.assert_refused(self.own("dev"), old_leaf.credential)
        self.assertEqual(self.explained(self.own("dev"))["cause"], "older-leaf")
        self.assert_assigned(self.own("dev"), new_leaf.credential)

    def test_the_same_ca_in_two_groups_is_refused(self):
        root = self.ours.root(self.own("root"))
        self.group(self.own("group"), root)
        self.command("group", "create", self.own("second"))
        self.refused("group", "cert", "set", self.own("second"), "primary", root.certificate,
                     "--vouch")
        # In both slots of one group it is allowed, with a warning.
        said = self.command("group", "cert", "set", self.own("group"), "secondary",
                            root.certificate, "--vouch")
        self.assertRegex(said.out + said.err, "(?i)both slots|same CA")

    def test_a_ca_renewed_with_its_own_key_is_the_same_authority(self):
        root = self.ours.root(self.own("root"))
        group = self.group(self.own("group"), root)
        leaf = self.ours.leaf(root, self.own("dev"))
        self.assert_assigned(self.own("dev"), leaf.credential)
        renewed = self.ours.renew(root)
        self.command("group", "cert", "set", group, "primary", renewed.certificate, "--vouch",
                     "--yes")
        self.assert_assigned(self.own("dev"), leaf.credential)

    def test_both_slots_in_one_change(self):
        one, two = self.ours.root(self.own("one")), self.ours.root(self.own("two"))
        group = self.group(self.own("group"), one, two)
        leaves = [self.ours.leaf(root, self.own("dev")) for root in (one, two)]
        for leaf in leaves:
            self.assert_assigned(self.own("dev"), leaf.credential)
        three, four = self.ours.root(self.own("three")), self.ours.root(self.own("four"))
        self.command("group", "cert", "set", group, "both", "--primary", three.certificate,
                     "--secondary", four.certificate, "--vouch", "--breach", "--yes")
        for leaf in leaves:
            self.assert_refused(self.own("dev"), leaf.credential)
        for root in (three, four):
            self.assert_assigned(self.own("dev"), self.ours.leaf(root, self.own("dev")).credential)
        events = [e for e in self.server.listing("/audit") if e["object"] == f"group/{group}"]
        self.assertEqual(len(events), 4, [e["action"] for e in events])


if __name__ == "__main__":
    main()
