# SPDX-License-Identifier: Apache-2.0
"""A clock that the test turns under programs that run, by libfaketime.

A program sees the machine's time moved by an offset, or standing still at a moment. With
`monotonic`, the clock that timers go by moves too, as when time really passes; without it only the
wall clock does, as when somebody sets it. A moment is only for the latter.
"""
import glob
import os
import time

DAY = 24 * 60 * 60


class Clock:
    """Turned by set() and stop_at(); environment() is for the programs that live by it."""
    # jemalloc asks for the time before libfaketime can answer: the C library's malloc goes first.
    PRELOAD = "/usr/$LIB/faketime/libfaketimeMT.so.1 libstdc++.so.6 libc.so.6"

    def __init__(self, file, monotonic=False):
        if not glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1"):
            raise FileNotFoundError("no libfaketime: tools/setup installs it")
        self.file, self.monotonic = file, monotonic
        self.offset, self.stopped = 0, None
        self.set(0)

    def set(self, days=0, seconds=0):
        """So far from the machine's time; goes on from there."""
        self.offset, self.stopped = days * DAY + seconds, None
        self._write(f"{self.offset:+d}")

    def stop_at(self, moment):
        """Stands still at this second since 1970."""
        if self.monotonic:
            raise ValueError("timers cannot stand still")
        self.stopped = int(moment)
        self._write(str(self.stopped))

    def now(self):
        return time.time() + self.offset if self.stopped is None else self.stopped

    def _write(self, text):
        """Whole or not at all: it is read at every look at the clock."""
        with open(self.file + ".new", "w", encoding="ascii") as file:
            file.write(text + "\n")
        os.replace(self.file + ".new", self.file)

    @staticmethod
    def clear_after(process):
        """What libfaketime leaves of a killed process would hinder the next of its number."""
        for name in (f"faketime_shm_{process}", f"sem.faketime_sem_{process}"):
            try:
                os.remove(os.path.join("/dev/shm", name))
            except FileNotFoundError:
                pass

    def environment(self):
        return {**os.environ, "LD_PRELOAD": self.PRELOAD, "FAKETIME_TIMESTAMP_FILE": self.file,
                "FAKETIME_NO_CACHE": "1", "FAKETIME_FMT": "%s", "NO_FAKE_STAT": "1", "TZ": "UTC",
                "FAKETIME_DONT_FAKE_MONOTONIC": "0" if self.monotonic else "1"}
