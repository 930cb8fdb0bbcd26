#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The pages a stranger follows: their commands exist, their links lead somewhere, and the README's
own first steps work as they stand."""
import glob
import os
import re
import shlex
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.scenario import Scenario, main  # noqa: E402
from lab.server import TOP, program, rollcall  # noqa: E402

GLOBALS = {"--data", "--url", "--token", "--ca", "--json", "--yes", "--help", "--version"}


def pages():
    for path in [*glob.glob(os.path.join(TOP, "*.md")),
                 *glob.glob(os.path.join(TOP, "docs", "**", "*.md"), recursive=True)]:
        with open(path, encoding="utf-8") as file:
            yield os.path.relpath(path, TOP), file.read()


def blocks(text):
    """Fenced blocks without a language, as a shell would get them."""
    return re.findall(r"^```\n(.*?)^```$", text, re.M | re.S)


def commands(text):
    """Every `rollcall …` of a page, in blocks and in running text."""
    spans = re.findall(r"`(rollcall [^`]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S))
    lines = [line for block in blocks(text) for line in block.splitlines()]
    inner = [found for line in lines for found in re.findall(r"\$\((rollcall [^)]+)\)", line)]
    for line in [" ".join(span.split()) for span in spans] + lines + inner:
        if line.startswith("rollcall "):
            yield line.rstrip(" &")


class Documents(Scenario):
    def test_commands_exist_with_their_options(self):
        seen = 0
        for page, text in pages():
            for line in commands(text):
                words = shlex.split(line.replace("…", "x"), comments=True)[1:]
                plain = [w for w in words if not w.startswith("-")]
                if words[0] in ("help", "pki", "group", "registration") and len(plain) == 1 or \
                        words[0] == "help":
                    self.assertEqual(rollcall("help", *plain[words[0] == "help":]).code, 0, line)
                    continue
                for length in (3, 2, 1):
                    told = rollcall("help", *plain[:length], expect=None)
                    if told.code == 0 and "\nUsage: " in told.out:
                        break
                self.assertEqual(told.code, 0, f"{page}: no such command: {line}")
                options = {w.split("=")[0] for w in words if w.startswith("--")} - GLOBALS
                known = set(re.findall(r"--[a-z-]+", told.out))
                self.assertLessEqual(options, known, f"{page}: {line}")
                seen += 1
        self.assertGreater(seen, 40)

    def test_links_lead_somewhere(self):
        for page, text in pages():
            for target in re.findall(r"\]\(([^)\s]+)\)", text):
                path, _, anchor = target.partition("#")
                if "://" in path:
                    continue
                where = os.path.normpath(os.path.join(TOP, os.path.dirname(page), path)) if path \
                    else os.path.join(TOP, page)
                self.assertTrue(os.path.exists(where), f"{page}: {target}")
                if anchor:
                    with open(where, encoding="utf-8") as file:
                        heads = [re.sub(r"[^\w -]", "", head).strip().lower().replace(" ", "-")
                                 for head in re.findall(r"^#+ (.*)$", file.read(), re.M)]
                    self.assertIn(anchor, heads, f"{page}: {target}")

    def test_files_named_in_the_life_of_a_registration(self):
        with open(os.path.join(TOP, "docs", "LIFE-OF-A-REGISTRATION.md"), encoding="utf-8") as file:
            text = file.read()
        floors = "base|x509|domain|store|service|net|front|app"
        for name in re.findall(rf"`((?:{floors})/[\w./-]*)`", text):
            stem = os.path.join(TOP, "src", name)
            self.assertTrue(any(os.path.exists(stem + end) for end in ("", ".hpp", ".cpp")), name)

    def test_named_tests_exist(self):
        """`file: test` in the pages that say which test shows what."""
        seen = 0
        for page, text in pages():
            for path, name in re.findall(r"`((?:tests|src)/[\w/.]+\.(?:py|cpp)): (\w+)`", text):
                with open(os.path.join(TOP, path), encoding="utf-8") as file:
                    head = f"def {name}(" if path.endswith(".py") else f", {name}) {{"
                    self.assertIn(head, file.read(), f"{page}: {path}: {name}")
                seen += 1
        self.assertGreater(seen, 90)

    def test_the_readmes_first_steps(self):
        """Typed as they stand; only the ports are this server's, `serve` runs already, and nobody is
        there to be asked for a password."""
        with open(os.path.join(TOP, "README.md"), encoding="utf-8") as file:
            text = file.read()
        steps = blocks(text[text.index("## For real"):text.index("## Read on")])
        self.assertGreaterEqual(len(steps), 5)
        self.assertIn("serve &", steps[0])
        home = os.path.join(self.scratch, "readme")
        os.makedirs(home)
        port = self.server.doors["device-https"][1]
        script = "\n".join(steps[1:]).replace("8443", str(port))
        self.assertIn("OPERATION", script)
        script = re.sub(r"(?m)^curl (.*\\\n.*)$", r"answer=$(curl -sS \1)", script, count=1)
        script = script.replace("OPERATION", "$(expr match \"$answer\" '.*\"operationId\":\"\\([^\"]*\\)')")
        script = script.replace("alias rollcall=", "#").replace("\ncurl ", "\ncurl -sS ")
        script = re.sub(r"(?m)^(rollcall user create .*)$",
                        r"echo 'three words and more' | \1 --password-file -", script)
        os.makedirs(os.path.join(home, "bin"))
        os.symlink(program(), os.path.join(home, "bin", "rollcall"))
        ended = subprocess.run(
            ["bash", "-e", "-u", "-o", "pipefail", "-c", script], cwd=home, text=True,
            capture_output=True, stdin=subprocess.DEVNULL, timeout=120, check=False,
            env={**os.environ, "ROLLCALL_DATA": self.server.data,
                 "PATH": os.path.join(home, "bin") + ":" + os.environ["PATH"]})
        told = ended.stdout + ended.stderr
        self.assertEqual(ended.returncode, 0, script + told)
        self.assertIn('"status":"assigned"', told)


if __name__ == "__main__":
    main()
