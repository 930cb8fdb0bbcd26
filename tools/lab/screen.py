# SPDX-License-Identifier: Apache-2.0
"""What the reader of ./run sees: chapters, commands, progress, tables. Plain text when piped."""
import os
import re
import shlex
import sys
import threading

TTY = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
COLOUR = TTY and "NO_COLOR" not in os.environ
BAR = 24


def paint(text, code):
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


def bold(text):
    return paint(text, "1")


def dim(text):
    return paint(text, "2")


def green(text):
    return paint(text, "32")


def red(text):
    return paint(text, "31")


class Screen:
    """Written to from one thread at a time, but for progress bars, which lock."""

    def __init__(self, scratch):
        self.scratch = scratch  # shortened in what is shown
        self.chapters = 0

    def line(self, text=""):
        print(text, flush=True)

    def chapter(self, title):
        self.chapters += 1
        self.line()
        self.line(bold(f"{self.chapters}. {title}"))

    def told(self, text):
        self.line("   " + text)

    def command(self, words):
        """A command as the reader would type it, with the scratch directory as $S."""
        shown = " ".join(shlex.quote(str(w)).replace(self.scratch, "$S") for w in words)
        self.line("   " + dim("$ " + shown))

    def good(self, text):
        self.line("   " + green("✓") + " " + text)

    def bad(self, text):
        self.line("   " + red("✗") + " " + text)

    def refused(self, text):
        self.line("   " + paint("⊘", "33") + " " + text)

    def progress(self, label, total):
        return Progress(label, total)

    def table(self, heads, rows):
        widths = [max(len(str(row[i])) for row in [heads, *rows]) for i in range(len(heads))]

        def written(row):
            cells = [str(cell).rjust(w) if re.fullmatch(r"\d+", str(cell)) else str(cell).ljust(w)
                     for cell, w in zip(row, widths)]
            return ("   " + "  ".join(cells)).rstrip()
        self.line(bold(written(heads)))
        self.line("   " + "  ".join("─" * w for w in widths))
        for row in rows:
            self.line(written(row))


class Progress:
    """A bar that fills on a terminal, one line at its end elsewhere. Safe from several threads."""

    def __init__(self, label, total):
        self.label, self.total, self.done, self.failed = label, total, 0, 0
        self.lock = threading.Lock()
        self._draw()

    def step(self, well=True):
        with self.lock:
            self.done += 1
            self.failed += not well
            self._draw()

    def _text(self):
        filled = BAR * self.done // max(1, self.total)
        bar = "█" * filled + "░" * (BAR - filled)
        wrong = red(f"  {self.failed} not as expected") if self.failed else ""
        return f"   {self.label:<44} {bar} {self.done}/{self.total}{wrong}"

    def _draw(self):
        if TTY:
            end = "\n" if self.done == self.total else ""
            print("\r" + self._text(), end=end, flush=True)
        elif self.done == self.total:
            print(self._text(), flush=True)
