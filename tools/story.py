#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The story of Rollcall, played for real: ./run builds the program and starts this.

A server on loopback with its store in a scratch directory, a fleet of devices with certificates of
their own and real mutual TLS; an expiry roll and a breach roll of a group, and both of an
individual enrollment. Ends with who is on which certificate, as the server tells it, and with how
many attempts went otherwise than they should have: exit 1 unless none.
"""
import argparse
import collections
import concurrent.futures
import os
import shutil
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab.device import register  # noqa: E402
from lab.makers import Rollcall  # noqa: E402
from lab.screen import Screen, bold, dim, green, red  # noqa: E402
from lab.server import CommandFailed, Server, rollcall  # noqa: E402

AT_ONCE = 12  # devices that talk to the server at the same time
GROUP = "harbour"
LONE = "gate-1"


class Device:
    def __init__(self, name, credential):
        self.name, self.credential = name, credential
        self.lock = threading.Lock()  # one device is in one place at a time


class Tally:
    """Every attempt, against what should have become of it."""

    def __init__(self):
        self.lock = threading.Lock()
        self.accepted = self.refused = 0
        self.lost, self.let_in = [], []

    def add(self, name, outcome, should_succeed):
        well = outcome.assigned == should_succeed
        with self.lock:
            if well and should_succeed:
                self.accepted += 1
            elif well:
                self.refused += 1
            else:
                (self.lost if should_succeed else self.let_in).append((name, str(outcome)))
        return well


class Traffic:
    """Devices that go on registering while the operator works: what a roll must not disturb."""

    def __init__(self, story, devices):
        self.story, self.devices = story, devices
        self.over = threading.Event()
        self.count = 0
        self.threads = [threading.Thread(target=self._go, args=(n,), daemon=True) for n in range(2)]

    def _go(self, start):
        at = start
        while not self.over.is_set():
            device = self.devices[at % len(self.devices)]
            self.story.attempt(device, None, True, patience=0.05)
            self.count += 1
            at += len(self.threads)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, kind, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()
        if kind is None:
            self.story.screen.good(f"{self.count} registrations of other devices meanwhile")


class Story:
    def __init__(self, scratch, options):
        self.screen = Screen(scratch)
        self.maker = Rollcall(os.path.join(scratch, "pki"), self._shown)
        self.server = Server(scratch)
        self.tally = Tally()
        self.patience = 0.05 if options.fast else 1.0
        self.size = options.devices
        self.fleet, self.lone = [], None

    def _shown(self, words):
        self.screen.command(words)

    # --- what is done again and again ---

    def command(self, *words, show=True, expect=0):
        if show:
            self.screen.command(["rollcall", *words])
        return self.server.command(*words, expect=expect)

    def attempt(self, device, credential, should_succeed, patience=None):
        """One registration; counted against what should become of it. None: its current one."""
        with device.lock:
            try:
                outcome = register(self.server, device.name, credential or device.credential,
                                   patience=self.patience if patience is None else patience)
            except OSError as error:
                outcome = register_failed(error)
        return self.tally.add(device.name, outcome, should_succeed), outcome

    def wave(self, label, devices, should_succeed=True, credential_of=lambda device: None,
             moves=False):
        """Many devices at once. `moves`: what they succeed with becomes their certificate."""
        bar = self.screen.progress(label, len(devices))

        def one(device):
            credential = credential_of(device)
            well, outcome = self.attempt(device, credential, should_succeed)
            if moves and outcome.assigned:
                device.credential = credential
            bar.step(well)
            return outcome
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(one, devices))

    def explain(self, name):
        """Why a device was refused, in the server's words."""
        said = self.command("registration", "explain", name, "--json").json
        refusal = said["refusal"]
        self.screen.refused(f"device was told: {refusal['errorCode']} {refusal['errorMessage']}")
        self.screen.refused(f"operator is told: {refusal['explanation']}")
        if refusal["fix"]:
            self.screen.refused(f"what would mend it: {refusal['fix']}")

    def prove(self, slot, root):
        """Proof of possession: the root signs a code that only this server knows."""
        code = self.command("group", "cert", "code", GROUP, slot).out.strip()
        self.screen.told(dim(code))
        proof = self.maker.proof(root, code)
        self.command("group", "cert", "verify", GROUP, slot, proof.certificate)

    def leaves(self, devices, root, factory, directory):
        """New leaf certificates: three in four devices bring their intermediate, the others have a
        leaf straight from the root. {device: credential}"""
        by_number = {device.name: device for device in devices}
        pattern = devices[0].name.rpartition("-")[0] + "-{}"
        below = len(devices) - len(devices) // 4 if factory else 0
        made = {}
        if below:
            made |= self.maker.fleet(factory, pattern, 1, below, directory)
        if below < len(devices):
            made |= self.maker.fleet(root, pattern, below + 1, len(devices) - below, directory)
        return {by_number[name]: party.credential for name, party in made.items()}

    # --- the chapters ---

    def two_roots(self):
        self.screen.chapter("Two roots, and a server that trusts neither yet")
        self.root_a = self.maker.root("Harbour Root A")
        self.root_b = self.maker.root("Harbour Root B")
        self.factory_a = self.maker.intermediate(self.root_a, "Factory under A")
        self.factory_b = self.maker.intermediate(self.root_b, "Factory under B")

    def fleet_arrives(self):
        self.screen.chapter(f"An enrollment group, and {self.size} devices provision over HTTPS")
        self.command("group", "create", GROUP)
        self.command("group", "cert", "set", GROUP, "primary", self.root_a.certificate)
        self.prove("primary", self.root_a)
        self.fleet = [Device(f"sensor-{n}", None) for n in range(1, self.size + 1)]
        made = self.leaves(self.fleet, self.root_a, self.factory_a, "under-a")
        self.wave("mutual TLS, register, 202, poll, assigned", self.fleet,
                  credential_of=made.get, moves=True)
        self.screen.told("and one device with an individual enrollment:")
        self.lone_first = self.maker.self_signed(LONE)
        self.command("enrollment", "create", LONE, "--primary", self.lone_first.certificate)
        self.lone = Device(LONE, None)
        self.wave(f"{LONE} provisions", [self.lone], moves=True,
                  credential_of=lambda _: self.lone_first.alone)

    def expiry_of_the_group(self):
        self.screen.chapter("Expiry roll of the group: root A nears its end, B takes over")
        made = self.leaves(self.fleet, self.root_b, self.factory_b, "under-b")
        early = self.fleet[0]
        with Traffic(self, self.fleet[1:] + [self.lone]):
            self.command("group", "cert", "set", GROUP, "secondary", self.root_b.certificate)
            self.wave("B is in the slot but unproven: refused", [early], False, made.get)
            self.explain(early.name)
            self.prove("secondary", self.root_b)
            half = self.fleet[: max(1, self.size // 2)]
            self.wave("both roots accepted: half come with B", half, True, made.get, moves=True)
            self.wave("… and the others still with A", self.fleet[len(half):] or half)
            self.wave("the rest move to B", self.fleet[len(half):], True, made.get, moves=True)
            self.adoption()
            self.command("group", "cert", "remove", GROUP, "primary", "--yes")
        old = self.maker.leaf(self.factory_a, early.name, show=False).credential
        self.wave("root A is retired: a leaf of A is refused", [early], False, lambda _: old)
        self.explain(early.name)

    def adoption(self):
        """Who rests on which root, while both are accepted."""
        status, told = self.server.api(f"/groups/{GROUP}/adoption")
        if status != 200:
            raise CommandFailed(f"adoption of {GROUP}: {status} {told}")
        for one in told["certificates"]:
            subject = (one["certificate"] or {}).get("subject", one["sha256Thumbprint"])
            self.screen.told(f"{one['devices']:4} devices on {subject} ({one['slot']})")

    def breach_of_the_group(self):
        self.screen.chapter("Breach roll of the group: the key of root B is lost")
        self.root_c = self.maker.root("Harbour Root C")
        spare = self.maker.root("Spare Root D")
        others = [Device(f"buoy-{n}", None) for n in range(1, max(2, self.size // 5) + 1)]
        self.screen.told("part of the fleet is on another root, in the other slot:")
        self.command("group", "cert", "set", GROUP, "primary", spare.certificate, "--vouch")
        buoys = self.leaves(others, spare, None, "under-d")
        self.wave("they provision", others, credential_of=buoys.get, moves=True)
        with Traffic(self, [*others, self.lone]):
            self.command("group", "cert", "set", GROUP, "secondary", self.root_c.certificate,
                         "--breach", "--yes")
            self.wave("devices on B: refused from this moment", self.fleet, False)
            self.explain(self.fleet[0].name)
            thief = self.maker.leaf(self.root_b, self.fleet[-1].name, show=False)
            self.wave("who holds B's key makes a new leaf: refused", [self.fleet[-1]], False,
                      lambda _: thief.credential)
            self.wave("devices on D: untouched", others)
            self.prove("secondary", self.root_c)
            made = self.leaves(self.fleet, self.root_c, None, "under-c")
            self.wave("with them they come back", self.fleet, True, made.get, moves=True)
        self.wave("B's leaves stay out", self.fleet[:3], False,
                  lambda device: self.maker.leaf(self.factory_b, device.name,
                                                 show=False).credential)
        self.fleet_others = others

    def lone_rolls(self):
        self.screen.chapter("Expiry roll of the individual enrollment")
        first, second = self.lone.credential, self.maker.self_signed(LONE)
        with Traffic(self, self.fleet):
            self.wave("the new leaf before it is in a slot: refused", [self.lone], False,
                      lambda _: second.alone)
            self.command("enrollment", "cert", "set", LONE, "secondary", second.certificate)
            self.wave("both accepted: the old one", [self.lone], True)
            self.wave("both accepted: the new one", [self.lone], True, lambda _: second.alone,
                      moves=True)
            self.command("enrollment", "cert", "remove", LONE, "primary", "--yes")
            self.wave("the old one is retired: refused", [self.lone], False, lambda _: first)

        self.screen.chapter("Breach roll of the individual enrollment: its key was copied")
        third = self.maker.self_signed(LONE)
        with Traffic(self, self.fleet):
            self.command("enrollment", "cert", "set", LONE, "secondary", third.certificate,
                         "--breach", "--yes")
            self.wave("the copied key: refused at once", [self.lone], False)
            self.explain(LONE)
            self.wave("with the new certificate it comes back", [self.lone], True,
                      lambda _: third.alone, moves=True)
            self.wave("the copied key stays out", [self.lone], False, lambda _: second.alone)

    def finale(self):
        self.screen.chapter("Who is on which certificate, as the server tells it")
        rows = self.who_is_where()
        self.screen.table(["entry", "slot", "certificate", "sha-256", "devices", "which"], rows)
        told = self.command("audit", "verify", expect=None)
        self.screen.told((told.out + told.err).strip())
        tally = self.tally
        self.screen.line()
        self.screen.table(["attempts", "count"], [
            ["accepted, as they should be", tally.accepted],
            ["refused, as they should be", tally.refused],
            ["refused that should have succeeded", len(tally.lost)],
            ["accepted that should have been refused", len(tally.let_in)]])
        for name, outcome in (tally.lost + tally.let_in)[:20]:
            self.screen.bad(f"{name}: {outcome}")
        expected = self.size + len(self.fleet_others) + 1
        counted = sum(row[4] for row in rows)
        if counted != expected:
            self.screen.bad(f"{counted} devices in the table, {expected} were provisioned")
        return not tally.lost and not tally.let_in and told.code == 0 and counted == expected

    def who_is_where(self):
        """From the API alone: registrations, and the certificates that slots hold."""
        subjects = {}
        for group in self.server.listing("/groups"):
            for slot in ("primary", "secondary"):
                current = (group["certificates"].get(slot) or {}).get("current")
                if current and current.get("certificate"):
                    held = current["certificate"]
                    subjects[held["sha256Thumbprint"].lower()] = held["subject"]
        on = collections.defaultdict(list)
        for registration in self.server.listing("/registrations"):
            last = registration["last"]
            on[last["entry"]["kind"], last["entry"]["id"], last["slot"],
               last["caSha256Thumbprint"].lower()].append(registration["registrationId"])
        return [[f"{kind} {entry}", slot,
                 subjects.get(ca, "its own leaf" if kind == "individual" else "gone from its slot"),
                 ca[:12] + "…", len(ids), in_short(ids)]
                for (kind, entry, slot, ca), ids in sorted(on.items())]


def register_failed(error):
    from lab.device import Outcome
    return Outcome("no answer", message=str(error))


def in_short(ids):
    ids = sorted(ids, key=lambda name: (len(name), name))
    return ids[0] if len(ids) == 1 else f"{ids[0]} … {ids[-1]}"


def arguments():
    parser = argparse.ArgumentParser(
        prog="./run", description="Plays the story of Rollcall against a server of its own.")
    parser.add_argument("--devices", type=int, default=40, metavar="N",
                        help="devices in the group (default 40)")
    parser.add_argument("--keep", action="store_true",
                        help="leave the server running, and say how to talk to it")
    parser.add_argument("--fast", action="store_true",
                        help="devices poll at once instead of after Retry-After")
    options = parser.parse_args()
    if not 2 <= options.devices <= 2000:
        parser.error("--devices: from 2 to 2000")
    return options


def play(story, options):
    story.screen.line(bold("Rollcall") + " " + rollcall("--version").out.strip().split()[-1] +
                      dim(f"   scratch directory $S = {story.screen.scratch}"))
    story.server.start()
    (host, port), (_, operator) = story.server.doors["device-https"], story.server.doors["operator"]
    story.screen.told(f"devices on https://{host}:{port}, operator on https://{host}:{operator}, "
                      f"scope {story.server.scope}")
    story.two_roots()
    story.fleet_arrives()
    story.expiry_of_the_group()
    story.breach_of_the_group()
    story.lone_rolls()
    return story.finale()


def main():
    options = arguments()
    scratch = tempfile.mkdtemp(prefix="rollcall-run-")
    story = Story(scratch, options)
    began = time.monotonic()
    well, keep = False, options.keep
    try:
        well = play(story, options)
    except (CommandFailed, RuntimeError) as error:
        story.screen.bad(str(error))
    except KeyboardInterrupt:
        keep = False
    if not well:
        story.screen.line(red("Something went otherwise than it should have.") +
                          f" The server's log: {story.server.log}")
    else:
        story.screen.line()
        story.screen.line(green("Nobody was lost, nobody got in.") +
                          f" {time.monotonic() - began:.0f} s.")
    if keep and story.server.process is not None:
        tell_how_to_go_on(story)
    else:
        story.server.stop()
        if well:
            shutil.rmtree(scratch)
    return 0 if well else 1


def tell_how_to_go_on(story):
    from lab.server import program
    data = story.server.data
    story.screen.line()
    story.screen.line(f"The server is still running (process {story.server.process.pid}). Try:")
    story.screen.told(f"{program()} --data {data} group cert show {GROUP} primary")
    story.screen.told(f"{program()} --data {data} device list")
    story.screen.told(f"{program()} --data {data} registration explain sensor-1")
    story.screen.told(f"kill {story.server.process.pid}; rm -r {story.screen.scratch}")


if __name__ == "__main__":
    sys.exit(main())
