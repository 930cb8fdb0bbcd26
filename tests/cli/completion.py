#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Completion as real shells do it, and the manual page as man reads it."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.server import TOP, rollcall  # noqa: E402

# What is typed, the last word unfinished -> some of what must be offered, and what must not.
ROWS = (
    ("", "group serve audit backup", "create --yes"),
    ("gr", "group", "serve"),
    ("group ", "list show create cert", "g serve"),
    ("group cert ", "set remove code", "create"),
    ("--data /tmp group ", "list create", "serve"),
    ("--data=/tmp group ", "list create", "serve"),
    ("--json group cert s", "show set swap", "code"),
    ("group create plant-a ", "", "list create"),
    ("group create --", "--auto-approve --json --data", "--expires"),
    ("group create --au", "--auto-approve", "--json"),
    ("group update g --auto-approve ", "on off", "list"),
    ("group cert set g ", "primary secondary", "list"),
    ("group cert set g primary r", "root.pem", "primary"),
    ("ca add name --re", "--reason", "--json"),
    ("audit verify --head ro", "root.pem", "list"),
    ("audit export --out ", "root.pem", "list"),
    ("pki verify --chain root.pem --an", "--anchors", "--issuer"),
    ("pki leaf --chain --cn x --iss", "--issuer", "--anchors"),
    ("token create x --expires ", "", "root.pem list"),
    ("completion ", "bash zsh fish", "root.pem"),
    ("--ca ro", "root.pem", "group"),
    ("nonsense ", "", "group"),
    ("group list --limit 5 nonsense ", "", "create"),
)

BASH = r"""
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
_rollcall
printf '%s\n' "${COMPREPLY[@]}"
"""
# The parts of zsh's completion that offer something, replaced by ones that print it.
ZSH = r"""
compdef() { : }
compadd() { shift; print -rl -- ${(M)@:#${words[CURRENT]}*} }
_files() { print -rl -- *(N) | grep "^${words[CURRENT]}" }
_describe() { local -a all; all=(${(P)2}); print -rl -- ${(M)${all%%:*}:#${words[CURRENT]}*} }
script=$1; shift
source $script
words=("$@"); CURRENT=$#
_rollcall
true
"""


def split(typed):
    """As a shell has it on its command line; bash breaks at = too."""
    words = ["rollcall", *typed.split(" ")]
    return words


class Completion(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.mkdtemp(prefix="rollcall-completion-")
        with open(os.path.join(cls.scratch, "root.pem"), "w", encoding="utf-8"):
            pass
        cls.scripts = {}
        for shell in ("bash", "zsh", "fish"):
            cls.scripts[shell] = os.path.join(tempfile.mkdtemp(dir=cls.scratch), "script." + shell)
            said = rollcall("completion", shell)
            with open(cls.scripts[shell], "w", encoding="utf-8") as out:
                out.write(said.out)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.scratch)

    def shell(self, *words, stdin=None):
        ended = subprocess.run(words, text=True, capture_output=True, cwd=self.scratch, timeout=60,
                               stdin=subprocess.DEVNULL if stdin is None else None, input=stdin,
                               env={**os.environ, "HOME": self.scratch, "LC_ALL": "C.UTF-8"},
                               check=False)
        self.assertEqual((ended.returncode, ended.stderr), (0, ""), words[-2:])
        return ended.stdout.splitlines()

    def check(self, offered_for):
        for typed, wanted, unwanted in ROWS:
            with self.subTest(typed):
                offered = offered_for(typed)
                for word in wanted.split():
                    self.assertIn(word, offered)
                for word in unwanted.split():
                    self.assertNotIn(word, offered)

    def test_bash(self):
        self.shell("bash", "-n", self.scripts["bash"])

        def offered(typed):
            words = typed.replace("=", " = ").split(" ")
            return self.shell("bash", "--norc", "-c", BASH, "bash", self.scripts["bash"],
                              "rollcall", *words)
        self.check(offered)

    def test_bash_offers_every_command(self):
        for line in rollcall("help").out.splitlines():
            if line.startswith("  ") and line[2].isalpha() and not line.startswith("  rollcall"):
                noun = line.split()[0]
                offered = self.shell("bash", "--norc", "-c", BASH, "bash", self.scripts["bash"],
                                     "rollcall", noun)
                self.assertIn(noun, offered)

    def test_zsh(self):
        self.shell("zsh", "-n", self.scripts["zsh"])
        self.check(lambda typed: [each for each in self.shell(
            "zsh", "-f", "-c", ZSH, "zsh", self.scripts["zsh"], *split(typed)) if each])

    def test_fish(self):
        self.shell("fish", "-n", self.scripts["fish"])

        def offered(typed):
            lines = self.shell("fish", "-N", "-c", f"source {self.scripts['fish']}; "
                               f"complete -C 'rollcall {typed}'")
            return [line.split("\t")[0].split("=")[-1] for line in lines]
        self.check(offered)

    def test_unknown_shells(self):
        rollcall("completion", "tcsh", expect=2)
        rollcall("completion", expect=2)


class Manual(unittest.TestCase):
    def test_the_page_in_the_repository_is_this_one(self):
        with open(os.path.join(TOP, "docs", "rollcall.1"), encoding="utf-8") as kept:
            self.assertEqual(kept.read(), rollcall("man").out,
                             "make it anew: build/release/rollcall man > docs/rollcall.1")


if __name__ == "__main__":
    unittest.main(verbosity=2)
