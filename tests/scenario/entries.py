#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which entry decides: individual before group, nearest group first, disabled wins."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.scenario import Scenario, main  # noqa: E402


class Entries(Scenario):
    def entry_of(self, name):
        return self.command("registration", "show", name, "--json").json["last"]["entry"]

    def test_an_individual_enrollment_decides_before_a_group(self):
        root = self.ours.root(self.own("root"))
        self.group(self.own("group"), root)
        in_group = self.ours.leaf(root, self.own("dev"))
        own_leaf = self.ours.self_signed(self.own("dev"))
        self.assert_assigned(self.own("dev"), in_group.credential)
        self.command("enrollment", "create", self.own("dev"), "--primary", own_leaf.certificate)
        self.assert_refused(self.own("dev"), in_group.credential)
        self.assert_assigned(self.own("dev"), own_leaf.alone)
        self.assertEqual(self.entry_of(self.own("dev"))["kind"], "individual")
        self.command("enrollment", "delete", self.own("dev"), "--yes")
        self.assert_assigned(self.own("dev"), in_group.credential)
        self.assertEqual(self.entry_of(self.own("dev"))["kind"], "group")

    def test_the_group_nearest_the_leaf_decides(self):
        root = self.ours.root(self.own("root"))
        sub = self.ours.intermediate(root, self.own("sub"))
        self.group(self.own("wide"), root)
        self.group(self.own("near"), sub)
        leaf = self.ours.leaf(sub, self.own("dev"))
        self.assert_assigned(self.own("dev"), leaf.credential)
        self.assertEqual(self.entry_of(self.own("dev"))["id"], self.own("near"))
        self.command("group", "disable", self.own("near"))
        self.assertEqual(self.register(self.own("dev"), leaf.credential).status, "disabled")
        other = self.ours.leaf(self.ours.intermediate(root, self.own("other")), self.own("fine"))
        self.assert_assigned(self.own("fine"), other.credential)

    def test_a_disabled_individual_keeps_one_device_out(self):
        root = self.ours.root(self.own("root"))
        self.group(self.own("group"), root)
        leaf, other = (self.ours.leaf(root, self.own(name)) for name in ("dev", "other"))
        self.command("enrollment", "create", self.own("dev"), "--primary", leaf.certificate)
        self.command("enrollment", "disable", self.own("dev"))
        self.assertEqual(self.register(self.own("dev"), leaf.credential).status, "disabled")
        self.assert_assigned(self.own("other"), other.credential)

    def test_blocked_and_unblocked(self):
        root = self.ours.root(self.own("root"))
        self.group(self.own("group"), root)
        leaf = self.ours.leaf(root, self.own("dev"))
        self.assert_assigned(self.own("dev"), leaf.credential)
        self.command("device", "block", self.own("dev"), "--yes")
        self.assertFalse(self.register(self.own("dev"), leaf.credential).assigned)
        self.command("device", "unblock", self.own("dev"))
        self.assert_assigned(self.own("dev"), leaf.credential)

    def test_waiting_for_approval(self):
        root = self.ours.root(self.own("root"))
        self.command("group", "create", self.own("group"), "--auto-approve", "off")
        self.command("group", "cert", "set", self.own("group"), "primary", root.certificate,
                     "--vouch")
        leaf = self.ours.leaf(root, self.own("dev"))
        outcome = self.register(self.own("dev"), leaf.credential)
        self.assertEqual((outcome.status, outcome.code), ("failed", 400209))
        self.command("device", "approve", self.own("dev"))
        self.assert_assigned(self.own("dev"), leaf.credential)

    def test_registration_ids_compare_without_case(self):
        root = self.ours.root(self.own("root"))
        self.group(self.own("group"), root)
        leaf = self.ours.leaf(root, self.own("Dev").upper())
        self.assert_assigned(self.own("dev").lower(), leaf.credential)

    def test_an_individual_leaf_may_have_another_name(self):
        leaf = self.ours.self_signed(self.own("somebody"))
        said = self.command("enrollment", "create", self.own("dev"), "--primary", leaf.certificate)
        self.assertRegex(said.out + said.err, "(?i)CN|name")
        self.assert_assigned(self.own("dev"), leaf.alone)

    def test_an_individual_leaf_needs_no_path(self):
        unknown = self.ours.root(self.own("unknown"))
        leaf = self.ours.leaf(unknown, self.own("dev"))
        self.command("enrollment", "create", self.own("dev"), "--primary", leaf.certificate)
        self.assert_assigned(self.own("dev"), leaf.alone)
        expired = self.ours.leaf(unknown, self.own("gone"), start=-20, end=-1)
        self.command("enrollment", "create", self.own("gone"), "--primary", expired.certificate,
                     "--force")
        self.assert_refused(self.own("gone"), expired.alone)

    def test_deleting_a_group_keeps_devices_that_no_longer_attest(self):
        root = self.ours.root(self.own("root"))
        group = self.group(self.own("group"), root)
        leaf = self.ours.leaf(root, self.own("dev"))
        self.assert_assigned(self.own("dev"), leaf.credential)
        self.command("group", "delete", group, "--yes")
        self.assert_refused(self.own("dev"), leaf.credential)
        self.assertEqual(self.command("device", "show", self.own("dev"), "--json").json["id"],
                         self.own("dev"))

    def test_chains_in_any_order_with_duplicates_and_spares(self):
        root = self.ours.root(self.own("root"))
        low = self.ours.intermediate(self.ours.intermediate(root, self.own("high")),
                                     self.own("low"))
        self.group(self.own("group"), root)
        high = low.issuer
        stranger = self.ours.root(self.own("stranger"))
        leaf = self.ours.leaf(low, self.own("dev"))
        for parts in ((leaf, low, high), (leaf, high, low), (leaf, low, high, root),
                      (leaf, stranger, high, root, low, low)):
            credential = leaf.alone
            credential.chain = leaf.chain(*parts)
            self.assert_assigned(self.own("dev"), credential)


if __name__ == "__main__":
    main()
