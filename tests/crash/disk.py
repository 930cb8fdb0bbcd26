# SPDX-License-Identifier: Apache-2.0
"""The other side of disk.cpp: a directory whose disk fails when told, whose power can be cut."""
import mmap
import os
import shutil
import struct

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KINDS = ("open", "read", "write", "truncate", "sync", "rename", "unlink", "mkdir")
CHANGING = tuple(kind for kind in KINDS if kind != "read")
DEATH = 1000  # in an errno's place: the program is killed before the call
SECTOR = 512  # what a disk writes whole

# struct Control of disk.cpp
LAYOUT = struct.Struct(f"={len(KINDS)}Q6Q32s")
CALLS = struct.Struct(f"={len(KINDS)}Q")


def library():
    """The library to preload: what ROLLCALL_CRASH_DISK says, else the release build's."""
    return (os.environ.get("ROLLCALL_CRASH_DISK") or
            os.path.join(TOP, "build", "release", "tests", "crash", "crash_disk.so"))


class Disk:
    """`directory`: what stands on it. `image`: keeps what a power cut would leave."""

    def __init__(self, scratch, image=True):
        scratch = os.path.realpath(scratch)
        self.directory = os.path.join(scratch, "disk")
        self.image = os.path.join(scratch, "image") if image else None
        os.makedirs(self.directory)
        path = os.path.join(scratch, "control")
        with open(path, "wb") as file:
            file.write(bytes(LAYOUT.size))
        with open(path, "r+b") as file:
            self.control = mmap.mmap(file.fileno(), LAYOUT.size)
        self.environment = {"LD_PRELOAD": library(), "ROLLCALL_DISK": self.directory,
                            "ROLLCALL_DISK_CONTROL": path}
        if image:
            self.environment["ROLLCALL_DISK_IMAGE"] = self.image

    def close(self):
        self.control.close()

    # --- faults ---

    def fail(self, number, kinds=KINDS, after=0, lasting=False, suffix=""):
        """After so many more calls of these kinds, one fails with this errno; or all do."""
        matching = sum(1 << KINDS.index(kind) for kind in kinds)
        self._order(matching, after, number, lasting, suffix)

    def die(self, kinds=CHANGING, after=0, suffix=""):
        self.fail(DEATH, kinds, after, suffix=suffix)

    def mend(self):
        self._order(0, 0, 0, 0)

    def lie(self, lying=True):
        """Syncs bring nothing to the disk from now on, and say they did."""
        struct.pack_into("=Q", self.control, CALLS.size + 5 * 8, lying)

    def _order(self, matching, wait, number, lasting, suffix=""):
        at = CALLS.size
        struct.pack_into("=Q", self.control, at + 2 * 8, 0)  # nothing fails meanwhile
        struct.pack_into("=32s", self.control, at + 6 * 8, suffix.encode())
        struct.pack_into("=2Q", self.control, at, matching, wait)
        struct.pack_into("=2Q", self.control, at + 3 * 8, lasting, 0)
        struct.pack_into("=Q", self.control, at + 2 * 8, number)

    @property
    def given(self):
        """Faults since the last order."""
        return struct.unpack_from("=Q", self.control, CALLS.size + 4 * 8)[0]

    def calls(self, kinds=KINDS):
        """How many calls of these kinds there were."""
        made = dict(zip(KINDS, CALLS.unpack_from(self.control)))
        return sum(made[kind] for kind in kinds)

    # --- power ---

    def begin(self):
        """Before the program starts: what is there is durable."""
        if self.image:
            shutil.rmtree(self.image, ignore_errors=True)
        self.mend()
        self.lie(False)

    def cut(self, chance=None):
        """After the program was killed: the directory becomes what the disk kept. With `chance`
        (a Random), of what need not be there each sector or name may be."""
        kept = os.path.join(self.image, "tree")
        after = self.directory + ".after"
        self._merge(kept, self.directory, after, chance)
        shutil.rmtree(self.directory)
        os.rename(after, self.directory)

    def _merge(self, kept, live, after, chance):
        names = os.listdir(kept)
        if chance and chance.random() < 0.5:  # the directory itself got there unasked
            names = [n for n in os.listdir(live) if self._is_plain(os.path.join(live, n))]
        os.makedirs(after)
        shutil.copymode(kept, after)
        for name in names:
            was, now, new = (os.path.join(where, name) for where in (kept, live, after))
            if os.path.isdir(was) or os.path.isdir(now):
                apart = was.replace("/tree", "/apart", 1)
                was = was if os.path.isdir(was) else apart
                if os.path.isdir(was) and os.path.isdir(now):
                    self._merge(was, now, new, chance)
                elif os.path.isdir(was):
                    shutil.copytree(was, new)
                else:
                    os.mkdir(new, 0o755)
                continue
            durable = was if os.path.exists(was) else self._object_of(now)
            with open(durable, "rb") as file:
                content = file.read()
            if chance and os.path.exists(now) and os.path.samefile(durable, self._object_of(now)):
                with open(now, "rb") as file:
                    content = mixed(content, file.read(), chance)
            with open(new, "wb") as file:
                file.write(content)
            shutil.copymode(durable if os.path.exists(was) else now, new)

    def _object_of(self, live):
        """The image of the bytes of a file: objects are called NUMBER.INODE, the newest counts."""
        inode = f".{os.stat(live).st_ino}"
        objects = os.path.join(self.image, "objects")
        found = [o for o in os.listdir(objects) if o.endswith(inode)]
        return os.path.join(objects, max(found, key=lambda o: int(o.split(".")[0])))

    @staticmethod
    def _is_plain(path):
        return os.path.isdir(path) or os.path.isfile(path)


def mixed(durable, live, chance):
    """Each sector as it was synced last or as it was written last."""
    size = chance.choice((len(durable), len(live)))
    durable, live = durable.ljust(size, b"\0")[:size], live.ljust(size, b"\0")[:size]
    if durable == live:
        return live
    share = chance.random()
    return b"".join((live if chance.random() < share else durable)[at:at + SECTOR]
                    for at in range(0, size, SECTOR))
