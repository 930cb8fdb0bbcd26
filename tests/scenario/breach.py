#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A breach roll stays closed, whoever vouches for the lost key afterwards."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.scenario import Scenario, main  # noqa: E402


class Breach(Scenario):
    def breached(self):
        """A group whose root was lost and replaced with --breach: (old, new, a leaf under old)."""
        old, new = self.ours.root(self.own("old")), self.ours.root(self.own("new"))
        self.group(self.own("group"), old)
        leaf = self.ours.leaf(old, self.own("dev"))
        self.assert_assigned(self.own("dev"), leaf.credential)
        self.command("group", "cert", "set", self.own("group"), "primary", new.certificate,
                     "--vouch", "--breach", "--yes")
        self.assert_refused(self.own("dev"), leaf.credential)
        return old, new, leaf

    def stays_out(self, *credentials):
        for credential in credentials:
            self.assert_refused(self.own("dev"), credential)
            self.assertEqual(self.explained(self.own("dev"))["cause"], "distrusted-key")

    def test_old_leaves_stay_out_and_new_ones_come_in(self):
        old, new, _ = self.breached()
        self.stays_out(self.ours.leaf(old, self.own("dev")).credential)
        fresh = self.ours.leaf(new, self.own("dev"))
        self.assert_assigned(self.own("dev"), fresh.credential)

    def test_cross_certificate_of_the_old_key_under_the_new_root(self):
        old, new, leaf = self.breached()
        cross = self.ours.cross(old, new)
        chain = self.with_chain(leaf, leaf, cross)
        self.stays_out(chain, self.with_chain(leaf, leaf, cross, new),
                       self.with_chain(leaf, leaf, old, cross))

    def test_cross_certificate_put_into_the_other_slot(self):
        old, new, leaf = self.breached()
        cross = self.ours.cross(old, new)
        said = self.refused("group", "cert", "set", self.own("group"), "secondary",
                            cross.certificate, "--vouch")
        self.assertRegex(said, "(?i)distrust")
        self.stays_out(self.with_chain(leaf, leaf, cross))

    def test_renewal_with_the_old_key(self):
        old, _, leaf = self.breached()
        renewed = self.ours.renew(old)
        for words in (["secondary"], ["primary", "--breach", "--yes"], ["primary", "--replace-now",
                                                                       "--yes"]):
            said = self.refused("group", "cert", "set", self.own("group"), words[0],
                                renewed.certificate, "--vouch", *words[1:])
            self.assertRegex(said, "(?i)distrust")
        self.stays_out(leaf.credential, self.with_chain(leaf, leaf, renewed))

    def test_the_replacement_may_not_have_the_lost_key(self):
        root = self.ours.root(self.own("root"))
        self.group(self.own("group"), root)
        leaf = self.ours.leaf(root, self.own("dev"))
        self.assert_assigned(self.own("dev"), leaf.credential)
        renewed = self.ours.renew(root)
        self.refused("group", "cert", "set", self.own("group"), "primary", renewed.certificate,
                     "--vouch", "--breach", "--yes")
        self.assert_assigned(self.own("dev"), leaf.credential)

    def test_an_intermediate_below_the_lost_root_stays_out_alone(self):
        old, new = self.ours.root(self.own("old")), self.ours.root(self.own("new"))
        sub = self.ours.intermediate(old, self.own("sub"))
        self.group(self.own("group"), old)
        leaf = self.ours.leaf(sub, self.own("dev"))
        self.assert_assigned(self.own("dev"), leaf.credential)
        self.command("group", "cert", "set", self.own("group"), "primary", new.certificate,
                     "--vouch", "--breach", "--yes")
        self.assert_refused(self.own("dev"), leaf.credential)
        # The intermediate's own key is not lost: under the new root it may serve again.
        cross = self.ours.cross(sub, new)
        self.assert_assigned(self.own("dev"), self.with_chain(leaf, leaf, cross))

    def test_no_other_group_takes_the_lost_key(self):
        old, _, leaf = self.breached()
        self.command("group", "create", self.own("elsewhere"))
        self.refused("group", "cert", "set", self.own("elsewhere"), "primary", old.certificate,
                     "--vouch")
        self.stays_out(leaf.credential)

    def test_removal_for_a_breach_closes_and_distrusts(self):
        root = self.ours.root(self.own("root"))
        self.group(self.own("group"), root)
        leaf = self.ours.leaf(root, self.own("dev"))
        self.assert_assigned(self.own("dev"), leaf.credential)
        self.command("group", "cert", "remove", self.own("group"), "primary", "--breach", "--yes")
        self.stays_out(leaf.credential)
        self.refused("group", "cert", "set", self.own("group"), "primary", root.certificate)

    def test_only_a_lift_with_a_reason_lets_it_back(self):
        root = self.ours.root(self.own("root"))
        self.group(self.own("group"), root)
        leaf = self.ours.leaf(root, self.own("dev"))
        self.command("group", "cert", "remove", self.own("group"), "primary", "--breach", "--yes")
        key = next(entry["spkiSha256"] for entry in self.server.listing("/distrust")
                   if self.own("root") in entry["subject"])
        self.command("distrust", "lift", key, "--reason", "false alarm", "--yes")
        self.command("group", "cert", "set", self.own("group"), "primary", root.certificate,
                     "--vouch")
        self.assert_assigned(self.own("dev"), leaf.credential)
        said = [e for e in self.server.listing("/audit") if e["reason"] == "false alarm"]
        self.assertEqual(len(said), 1)

    def test_individual_leaf(self):
        old, new = self.ours.self_signed(self.own("dev")), self.ours.self_signed(self.own("dev"))
        self.command("enrollment", "create", self.own("dev"), "--primary", old.certificate)
        self.assert_assigned(self.own("dev"), old.alone)
        self.command("enrollment", "cert", "set", self.own("dev"), "primary", new.certificate,
                     "--breach", "--yes")
        self.stays_out(old.alone)
        self.refused("enrollment", "cert", "set", self.own("dev"), "secondary", old.certificate)
        self.refused("enrollment", "cert", "set", self.own("dev"), "secondary",
                     self.ours.renew(old, "leaf").certificate)
        self.assert_assigned(self.own("dev"), new.alone)

    def test_without_yes_nothing_happens(self):
        root, new = self.ours.root(self.own("root")), self.ours.root(self.own("new"))
        self.group(self.own("group"), root)
        leaf = self.ours.leaf(root, self.own("dev"))
        self.assert_assigned(self.own("dev"), leaf.credential)
        before = self.server.listing("/audit")
        shown = self.command("group", "cert", "set", self.own("group"), "primary", new.certificate,
                             "--vouch", "--breach", expect=None)
        self.assertRegex(shown.out + shown.err, "--yes")
        self.assertEqual(self.server.listing("/audit"), before)
        self.assert_assigned(self.own("dev"), leaf.credential)

    @staticmethod
    def with_chain(leaf, *parts):
        credential = leaf.alone
        credential.chain = leaf.chain(*parts)
        return credential


if __name__ == "__main__":
    main()
