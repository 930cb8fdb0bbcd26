#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The server's own certificate changes while devices come and go, and no device notices."""
import os
import re
import shutil
import ssl
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.clock import DAY, Clock  # noqa: E402
from lab.device import Conversation, register  # noqa: E402
from lab.scenario import Scenario, eventually, main  # noqa: E402
from lab.server import CommandFailed, Server  # noqa: E402

PATIENCE = 20


class Fleet:
    """Devices that register over and over until told to stop; what went wrong is kept."""

    def __init__(self, turns):
        """`turns`: a function for each device, which returns "" when all was well."""
        self.ended, self.wrong, self.done = threading.Event(), [], [0] * len(turns)
        self.threads = [threading.Thread(target=self._run, args=(number, turn))
                        for number, turn in enumerate(turns)]

    def _run(self, number, turn):
        while not self.ended.is_set():
            try:
                said = turn()
            except Exception as error:  # whatever it is, the device would not be in
                said = f"{type(error).__name__}: {error}"
            if said:
                self.wrong.append(said)
            self.done[number] += 1
            self.ended.wait(0.01)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join()

    def wait_for_rounds(self, rounds):
        """Until every device has registered so many times more."""
        goal = [done + rounds for done in self.done]
        end = time.monotonic() + 3 * PATIENCE
        while any(done < due for done, due in zip(self.done, goal)) and time.monotonic() < end:
            time.sleep(0.01)


class Common:
    def shown(self, server=None):
        """The certificate a new connection is shown, as PEM."""
        return ssl.get_server_certificate((server or self.server).doors["device-https"])

    def trusted(self, server, *names):
        """A group with a root, and devices of it: {name: leaf}."""
        root = self.ours.root(self.own("root"))
        server.command("group", "create", self.own("group"))
        server.command("group", "cert", "set", self.own("group"), "primary", root.certificate,
                       "--vouch")
        return {name: self.ours.leaf(root, name, start=-1, end=3000) for name in names}


class Replaced(Common, Scenario):
    """Certificate files that the operator replaces."""

    @classmethod
    def make_server(cls):
        cls.authority = cls.openssl.root("Site CA")
        cls.files = [os.path.join(cls.scratch, name) for name in ("server.pem", "server.key")]
        cls.put(cls.certificate("first"))
        server = Server(cls.scratch, "--server-cert", cls.files[0], "--server-key", cls.files[1])
        server.ca_file = cls.authority.certificate
        return server

    @classmethod
    def certificate(cls, word, **how):
        return cls.openssl.leaf(cls.authority, word, extensions="subjectAltName=DNS:dps.example\n",
                                **how)

    @classmethod
    def put(cls, party, order=(0, 1), pause=0.0):
        shutil.copy((party.certificate, party.key)[order[0]], cls.files[order[0]])
        time.sleep(pause)
        shutil.copy((party.certificate, party.key)[order[1]], cls.files[order[1]])

    def fleet(self, count):
        leaves = self.trusted(self.server, *(self.own(f"dev-{n}") for n in range(count)))

        def turn_of(name, leaf):
            def turn():
                outcome = register(self.server, name, leaf.credential, patience=0.02)
                return "" if outcome.assigned else f"{name}: {outcome}"
            return turn
        return Fleet([turn_of(name, leaf) for name, leaf in leaves.items()])

    def assert_shown_soon(self, party):
        with open(party.certificate, encoding="ascii") as file:
            wanted = file.read()
        eventually(lambda: self.shown() == wanted, f"{party.certificate} is shown",
                   PATIENCE)

    def test_replaced_under_load(self):
        name = self.own("stays")
        stays = self.trusted(self.server, name)[name]
        self.command("group", "delete", self.own("group"), "--yes")
        with self.fleet(4) as fleet, Conversation(self.server, stays.credential) as living:
            before = living.socket.getpeercert(binary_form=True)
            fleet.wait_for_rounds(5)
            # The last two are so far apart that the pair is looked at while it does not fit.
            for key, order, pause in (("rsa2048", (0, 1), 0), ("p256", (0, 1), 2.5),
                                      ("p384", (1, 0), 2.5)):
                party = self.certificate("next", key=key)
                self.put(party, order, pause)
                self.assert_shown_soon(party)
                fleet.wait_for_rounds(3)
                self.assertEqual(living.poll(name, "5.0.nothing").status, 404)
            self.assertEqual(living.socket.getpeercert(binary_form=True), before)
        self.assertEqual(fleet.wrong, [])
        self.assertGreater(sum(fleet.done), 60)
        self.assertIn("server-certificate-not-reloaded", self.server.told())

    def test_links_that_are_swung(self):
        """As certificate managers do it: both files change in one step, by renaming a link."""
        homes = []
        for word in ("one", "two"):
            party = self.certificate(word)
            homes.append((os.path.join(self.scratch, self.own(word)), party))
            os.mkdir(homes[-1][0])
            for path, name in ((party.certificate, "server.pem"), (party.key, "server.key")):
                shutil.copy2(path, os.path.join(homes[-1][0], name))
        current = os.path.join(self.scratch, self.own("current"))

        def swing(home):
            os.symlink(home, current + ".new")
            os.replace(current + ".new", current)
        swing(homes[0][0])
        with Server(os.path.join(self.scratch, self.own("server")), "--server-cert",
                    os.path.join(current, "server.pem"), "--server-key",
                    os.path.join(current, "server.key")) as server:
            for home, party in (homes[1], homes[0]):
                swing(home)
                with open(party.certificate, encoding="ascii") as file:
                    wanted = file.read()
                eventually(lambda wanted=wanted: self.shown(server) == wanted, home,
                           PATIENCE)

    def test_rubbish_is_not_taken_up(self):
        good = self.certificate("good")
        self.put(good)
        self.assert_shown_soon(good)
        with open(good.certificate, encoding="ascii") as file:
            text = file.read()
        with self.fleet(2) as fleet:
            for rubbish in (text[:200], text + text[:300]):
                told = self.server.told().count("not-reloaded")
                with open(self.files[0], "w", encoding="ascii") as file:
                    file.write(rubbish)
                eventually(lambda told=told: self.server.told().count("not-reloaded") > told,
                           "a word about it", PATIENCE)
                self.assertEqual(self.shown(), text)
            os.remove(self.files[0])
            fleet.wait_for_rounds(5)
            self.assertEqual(self.shown(), text)
            after = self.certificate("after")
            self.put(after)
            self.assert_shown_soon(after)
        self.assertEqual(fleet.wrong, [])


class Renewed(Common, Scenario):
    """The local CA's certificate, which renews itself. Devices look at the same clock, by curl."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.stop()

    def born(self, monotonic, start=0):
        """A server of this test's own, whose clock stands at this day."""
        clock = Clock(os.path.join(self.scratch, self.own("clock")), monotonic)
        clock.set(start)
        server = Server(os.path.join(self.scratch, self.own("server")), clock=clock).start()
        self.addCleanup(server.stop)
        return server, clock

    def turn_of(self, server, name, leaf):
        """One registration by curl under the server's clock: "" or what went wrong."""
        def ask(path, *more):
            host, port = server.doors["device-https"]
            ended = subprocess.run(
                ["curl", "-sS", "--max-time", "20", "--resolve", f"{server.name}:{port}:{host}",
                 "--cacert", server.ca_file, "--cert", leaf.chain(), "--key", leaf.key, *more,
                 f"https://{server.name}:{port}/{server.scope}/registrations/{name}{path}"
                 "?api-version=2021-06-01"],
                text=True, capture_output=True, timeout=60, stdin=subprocess.DEVNULL, check=False,
                env=server.clock.environment())
            return ended.stdout + ended.stderr

        def once():
            said = ask("/register", "-X", "PUT", "-H", "Content-Type: application/json", "-d", "{}")
            operation = re.search('"operationId":"([^"]+)"', said)
            return ask(f"/operations/{operation.group(1)}") if operation else said

        def turn():
            said = once()
            if "404203" in said:  # the clock was turned between the two: the operation is too old
                said = once()
            return "" if '"status":"assigned"' in said else f"{name}: {said}"
        return turn

    def device(self, server):
        name = self.own("dev")
        return self.turn_of(server, name, self.trusted(server, name)[name])

    def validity(self, server):
        """notBefore and notAfter of what is shown, in days from the machine's now."""
        context = ssl.create_default_context(cafile=server.ca_file)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        said = subprocess.run(["openssl", "x509", "-noout", "-dates"], text=True, check=True,
                              capture_output=True, input=self.shown(server)).stdout
        return [(ssl.cert_time_to_seconds(text) - time.time()) / DAY
                for text in re.findall("=(.*)", said)]

    def assert_valid_soon(self, server, patience=PATIENCE):
        now = server.clock.offset / DAY

        def holds():
            start, end = self.validity(server)
            return start <= now < end
        eventually(holds, f"a certificate that is valid on day {now}", patience)

    def test_a_year_of_renewals(self):
        server, clock = self.born(monotonic=True)
        device = self.device(server)
        shown = set()
        for day in range(0, 366, 18):
            clock.set(day)
            self.assertEqual(device(), "", f"day {day}")
            eventually(lambda day=day: day < self.validity(server)[1] - 30,
                       f"a renewal at two thirds of 90 days, by day {day}", PATIENCE)
            self.assertEqual(device(), "", f"day {day}")
            shown.add(self.shown(server))
        self.assertEqual(len(shown), 6)
        self.assertNotIn("not-renewed", server.told())

    def test_renewed_under_load(self):
        server, clock = self.born(monotonic=False)
        leaves = self.trusted(server, self.own("a"), self.own("b"))
        with Fleet([self.turn_of(server, *each) for each in leaves.items()]) as fleet:
            fleet.wait_for_rounds(3)
            before = self.shown(server)
            clock.set(62)
            eventually(lambda: self.shown(server) != before, "a renewal", PATIENCE)
            fleet.wait_for_rounds(5)
        self.assertEqual(fleet.wrong, [])

    def test_a_start_after_the_end(self):
        server, clock = self.born(monotonic=False)
        device = self.device(server)
        with open(server.ca_file, encoding="ascii") as file:
            pinned = file.read()
        server.stop()
        clock.set(100)
        server.start()
        self.assertEqual(device(), "")
        with open(server.ca_file, encoding="ascii") as file:
            self.assertEqual(file.read(), pinned)

    def test_a_clock_set_right_after_the_start(self):
        """A machine without a battery comes up in the past, or anywhere; later its clock is set."""
        server, clock = self.born(monotonic=False)
        device = self.device(server)
        self.assertEqual(device(), "")
        for day in (900, 400):  # it has expired; it has not begun
            with self.subTest(day):
                clock.set(day)
                self.assert_valid_soon(server)
                self.assertEqual(device(), "")

    def test_a_ca_made_while_the_clock_ran_ahead(self):
        """No device can take it, and nothing mends itself; the doctor says what to do."""
        server, clock = self.born(monotonic=False, start=900)
        clock.set(0)
        said = server.command("doctor", expect=1)
        self.assertRegex(" ".join(said.out.split()), "local CA begins only on .*remove .*tls")
        clock.set(901)
        self.assertNotIn("begins only", server.command("doctor").out)

    def test_the_end_of_the_local_ca(self):
        server, clock = self.born(monotonic=False)
        server.stop()
        clock.set(21 * 365)
        with self.assertRaisesRegex(CommandFailed, r"ca\.pem expired on .*; remove the directory"):
            server.start()


if __name__ == "__main__":
    main()
