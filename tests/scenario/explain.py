#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A refused device is told 401002; its operator is told why, which certificate, and what helps."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.scenario import Scenario, main  # noqa: E402


class Explain(Scenario):
    def told(self, name, credential, words, cause=None, status="refused"):
        """The device is refused, and the operator's explanation holds these words (a regex)."""
        outcome = self.register(name, credential)
        self.assertEqual(outcome.status, status, f"{name}: {outcome}")
        if status == "refused":
            self.assertEqual((outcome.http_status, outcome.code), (401, 401002))
        refusal = self.explained(name)
        said = f"{refusal['explanation']} {refusal['verdict']['reason']}"
        self.assertRegex(said, re.compile(words, re.I), refusal)
        self.assertTrue(refusal["fix"], f"no fix is offered: {refusal}")
        if cause:
            self.assertEqual(refusal["cause"], cause, refusal)
        for_people = self.command("registration", "explain", name).out
        self.assertIn(refusal["explanation"], " ".join(for_people.split()))
        return refusal

    def tree(self):
        """A verified root in a group of this test's own, and an intermediate below it."""
        root = self.ours.root(self.own("root"))
        self.group(self.own("group"), root)
        return root, self.ours.intermediate(root, self.own("sub"))

    def test_gap_in_the_chain(self):
        root, sub = self.tree()
        below = self.ours.intermediate(sub, self.own("below"))
        leaf = self.ours.leaf(below, self.own("dev"))
        refusal = self.told(self.own("dev"), leaf.alone, "issuer|intermediate|missing|gap")
        self.assertEqual(len(refusal["verdict"]["sent"]), 1)
        self.assertIn(self.own("below"), str(refusal), "the missing issuer is not named")
        self.assert_assigned(self.own("dev"), leaf.credential)

    def test_expired_leaf(self):
        _, sub = self.tree()
        leaf = self.ours.leaf(sub, self.own("dev"), start=-20, end=-1)
        refusal = self.told(self.own("dev"), leaf.credential, "expired")
        self.assertEqual(refusal["verdict"]["path"][0]["findings"][0]["gravity"], "fatal")

    def test_expired_ca(self):
        root = self.ours.root(self.own("root"))
        self.group(self.own("group"), root)
        sub = self.ours.intermediate(root, self.own("sub"), start=-20, end=-1)
        leaf = self.ours.leaf(sub, self.own("dev"), start=-10)
        refusal = self.told(self.own("dev"), leaf.credential, "expired")
        self.assertIn(self.own("sub"), refusal["explanation"])

    def test_expired_root_in_the_slot(self):
        root = self.ours.root(self.own("root"), start=-20, end=-1)
        self.command("group", "create", self.own("group"))
        said = self.refused("group", "cert", "set", self.own("group"), "primary", root.certificate,
                            "--vouch")
        self.assertRegex(said, "(?i)expired")
        self.command("group", "cert", "set", self.own("group"), "primary", root.certificate,
                     "--vouch", "--force")
        leaf = self.ours.leaf(root, self.own("dev"), start=-10)
        self.told(self.own("dev"), leaf.credential, "expired")

    def test_not_yet_valid(self):
        _, sub = self.tree()
        leaf = self.ours.leaf(sub, self.own("dev"), start=2, end=30)
        self.told(self.own("dev"), leaf.credential, "becomes valid on")

    def test_wrong_eku(self):
        root = self.openssl.root(self.own("root"))
        self.group(self.own("group"), root)
        leaf = self.openssl.leaf(root, self.own("dev"), extensions="extendedKeyUsage=serverAuth\n")
        self.told(self.own("dev"), leaf.credential, "clientAuth|client authentication|usage")

    def test_cn_mismatch(self):
        _, sub = self.tree()
        leaf = self.ours.leaf(sub, self.own("other"))
        refusal = self.told(self.own("dev"), leaf.credential, self.own("other"), "name-mismatch")
        self.assertIn(self.own("dev"), refusal["explanation"])

    def test_unverified_ca(self):
        root = self.ours.root(self.own("root"))
        self.group(self.own("group"), root, vouch=False)
        leaf = self.ours.leaf(root, self.own("dev"))
        refusal = self.told(self.own("dev"), leaf.credential, "verif|prov", "unverified-ca")
        self.assertRegex(refusal["fix"], "(?i)code|verif")
        self.prove(self.own("group"), "primary", root)
        self.assert_assigned(self.own("dev"), leaf.credential)

    def test_unknown_root(self):
        root = self.ours.root(self.own("root"))
        leaf = self.ours.leaf(self.ours.intermediate(root, self.own("sub")), self.own("dev"))
        refusal = self.told(self.own("dev"), leaf.credential, "unknown|no .*(ca|root|anchor)|not .*known")
        self.assertIn(self.own("root"), str(refusal), "the unknown root is not named")

    def test_same_named_root_with_another_key(self):
        root, _ = self.tree()
        namesake = self.ours.root(self.own("root"))
        leaf = self.ours.leaf(namesake, self.own("dev"))
        self.told(self.own("dev"), leaf.alone, "same name|another key|other key|different key|signature")
        self.told(self.own("dev"), self.with_root(leaf, namesake),
                  "same name|another key|other key|different key|signature")
        self.assert_assigned(self.own("dev"), self.ours.leaf(root, self.own("dev")).alone)

    @staticmethod
    def with_root(leaf, root):
        """The chain with the root in it, as some devices are set up."""
        credential = leaf.credential
        credential.chain = leaf.chain(leaf, *leaf.above, root)
        return credential

    def test_distrusted_key(self):
        root, sub = self.tree()
        leaf = self.ours.leaf(sub, self.own("dev"))
        self.assert_assigned(self.own("dev"), leaf.credential)
        self.command("distrust", "add", sub.certificate, "--reason", "factory broken into", "--yes")
        self.told(self.own("dev"), leaf.credential, "distrust", "distrusted-key")
        other = self.ours.leaf(self.ours.intermediate(root, self.own("other")), self.own("dev"))
        self.assert_assigned(self.own("dev"), other.credential)

    def test_disabled_individual(self):
        leaf = self.ours.self_signed(self.own("dev"))
        self.command("enrollment", "create", self.own("dev"), "--primary", leaf.certificate)
        self.assert_assigned(self.own("dev"), leaf.alone)
        self.command("enrollment", "disable", self.own("dev"))
        self.told(self.own("dev"), leaf.alone, "disabled", "individual-disabled", "disabled")
        self.command("enrollment", "enable", self.own("dev"))
        self.assert_assigned(self.own("dev"), leaf.alone)

    def test_disabled_group(self):
        _, sub = self.tree()
        leaf = self.ours.leaf(sub, self.own("dev"))
        self.command("group", "disable", self.own("group"))
        self.told(self.own("dev"), leaf.credential, "disabled", "group-disabled", "disabled")

    def test_another_leaf_than_the_enrollments(self):
        first, second = self.ours.self_signed(self.own("dev")), self.ours.self_signed(self.own("dev"))
        self.command("enrollment", "create", self.own("dev"), "--primary", first.certificate)
        self.told(self.own("dev"), second.alone, "enrollment|slot", "not-in-a-slot")

    def test_certificate_missing(self):
        outcome = self.register(self.own("dev"), None)
        self.assertEqual((outcome.http_status, outcome.code), (401, 401002))

    def test_never_seen(self):
        said = self.command("registration", "explain", self.own("nobody"), expect=None)
        self.assertIn(self.own("nobody"), said.out + said.err)

    def test_issuer_that_is_no_ca(self):
        _, sub = self.tree()
        device = self.ours.leaf(sub, self.own("device-as-issuer"))
        forged = self.ours.leaf(device, self.own("dev"))
        self.told(self.own("dev"), forged.credential, "not a CA|CA:FALSE|may not (sign|issue)|no CA")

    def test_a_good_registration_explains_itself(self):
        _, sub = self.tree()
        leaf = self.ours.leaf(sub, self.own("dev"))
        self.assert_assigned(self.own("dev"), leaf.credential)
        told = self.command("registration", "explain", self.own("dev"), "--json").json
        self.assertIsNone(told["refusal"])
        self.assertEqual(told["registration"]["status"], "assigned")


if __name__ == "__main__":
    main()
