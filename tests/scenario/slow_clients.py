#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Clients that take their time, never read, or come in crowds: each is closed when the product
says so (base/limits.hpp), and good devices come in meanwhile and afterwards."""
import concurrent.futures
import contextlib
import os
import resource
import select
import socket
import ssl
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.raw import Raw  # noqa: E402
from lab.scenario import eventually, main  # noqa: E402
from lab.server import Server  # noqa: E402
from lab.steady import Steady  # noqa: E402

PROMISED = 20  # limits::handshake_time_max, request_time_max and answer_time_max
PATIENCE = PROMISED + 60  # for a machine that has much else to do
DRIP = 0.5
OPERATORS = 256  # limits::operator_connections_max
HOST = "Host: dps.example\r\n"


def client_hello():
    """The first bytes of a handshake."""
    context = ssl.create_default_context()
    sent = ssl.MemoryBIO()
    speaker = context.wrap_bio(ssl.MemoryBIO(), sent, server_hostname="dps.example")
    with contextlib.suppress(ssl.SSLWantReadError):
        speaker.do_handshake()
    return sent.read()


def is_closed(connection):
    """Has the other side ended it? Unread bytes do not hide that."""
    poll = select.poll()
    poll.register(connection, select.POLLRDHUP)
    return bool(poll.poll(0))


def drips(connection, data):
    """Sends byte after byte, slowly, until the door closes; the seconds that took."""
    began = time.monotonic()
    for byte in data:
        if is_closed(connection):
            break
        with contextlib.suppress(OSError):
            connection.send(bytes([byte]))
        time.sleep(DRIP)
        if time.monotonic() - began > PATIENCE:
            raise TimeoutError(f"still open after {PATIENCE} s")
    return time.monotonic() - began


def waits(connection):
    """Sends nothing until the door closes; the seconds that took."""
    began = time.monotonic()
    while not is_closed(connection):
        time.sleep(DRIP)
        if time.monotonic() - began > PATIENCE:
            raise TimeoutError(f"still open after {PATIENCE} s")
    return time.monotonic() - began


class SlowClients(Steady):
    def tcp(self, door="device-https", server=None):
        return socket.create_connection((server or self.server).doors[door], 60)

    def sockets(self):
        """How many sockets the server has open."""
        where, found = f"/proc/{self.server.process.pid}/fd", 0
        for number in os.listdir(where):
            with contextlib.suppress(FileNotFoundError):
                found += os.readlink(os.path.join(where, number)).startswith("socket:")
        return found

    # --- ways to be slow; each gives the seconds until it was closed ---

    def handshake_in_drips(self):
        with self.tcp() as connection:
            return drips(connection, client_hello())

    def handshake_half_way(self):
        with self.tcp() as connection:
            connection.sendall(client_hello())
            return waits(connection)

    def handshake_and_no_more(self):
        with Raw(self.server, self.good) as raw:
            return waits(raw.socket)

    def slow_request(self, head, rest):
        """What is answered must be 408, if anything."""
        with Raw(self.server, self.good) as raw:
            raw.send(head.encode())
            took = drips(raw.socket, rest)
            status = raw.answer()
            if status not in (None, 408):
                raise AssertionError(f"answered {status}")
            return took

    def header_in_drips(self):
        return self.slow_request("GET / HTTP/1.1\r\n", b"X-Header: value\r\n" * 1000)

    def body_in_drips(self):
        return self.slow_request(f"PUT / HTTP/1.1\r\n{HOST}Content-Length: 9000\r\n\r\n",
                                 b" " * 9000)

    def chunks_in_drips(self):
        return self.slow_request(f"PUT / HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n",
                                 b"1\r\n \r\n" * 1000)

    def never_reads(self, door, request):
        """Asks on and on, and takes no answer."""
        with Raw(self.server, self.good if door == "device-https" else None, door) as raw:
            raw.socket.setblocking(False)
            began = time.monotonic()
            while not is_closed(raw.socket):
                with contextlib.suppress(ssl.SSLError, BlockingIOError, BrokenPipeError,
                                         ConnectionResetError):
                    for _ in range(1000):
                        raw.socket.send(request)
                time.sleep(DRIP)
                if time.monotonic() - began > 2 * PATIENCE:
                    raise TimeoutError("still open")
            return time.monotonic() - began

    def never_reads_a_device(self):
        return self.never_reads("device-https", f"GET /x HTTP/1.1\r\n{HOST}\r\n".encode() * 50)

    def never_reads_an_operator(self):
        return self.never_reads("operator", b"GET /api/v1/openapi.json HTTP/1.1\r\n" +
                                HOST.encode() + b"\r\n")

    def test_who_is_slow_is_closed(self):
        ways = [self.handshake_in_drips, self.handshake_half_way, self.handshake_and_no_more,
                self.header_in_drips, self.body_in_drips, self.chunks_in_drips,
                self.never_reads_a_device, self.never_reads_an_operator]
        before = self.sockets()
        with concurrent.futures.ThreadPoolExecutor(len(ways)) as pool:
            running = {way.__name__: pool.submit(way) for way in ways}
            for _ in range(3):  # meanwhile
                self.a_good_device_comes_in()
            for name, ended in running.items():
                with self.subTest(name):
                    self.assertGreater(ended.result(), PROMISED / 2, "closed before its time")
        eventually(lambda: self.sockets() <= before, "connections are given back", PATIENCE)
        self.a_good_device_comes_in()

    def test_a_crowd_at_the_devices_door(self):
        """Six hundred that never say who they are, and a hundred that never ask, all behind an
        address where a device proved itself: strangers of their own would be turned away sooner."""
        self.a_good_device_comes_in()
        before = self.sockets()
        with contextlib.ExitStack() as crowd:
            connections = [crowd.enter_context(self.tcp()) for _ in range(600)]
            connections += [crowd.enter_context(Raw(self.server)).socket for _ in range(100)]
            for _ in range(5):
                self.a_good_device_comes_in()
            for connection in connections:
                waits(connection)
        eventually(lambda: self.sockets() <= before, "connections are given back", PATIENCE)
        self.a_good_device_comes_in()

    def test_more_operators_than_the_door_takes(self):
        with contextlib.ExitStack() as crowd:
            silent = [crowd.enter_context(self.tcp("operator")) for _ in range(OPERATORS + 60)]
            eventually(lambda: sum(map(is_closed, silent)) >= 60, "somebody is turned away",
                       PATIENCE)
            # Who is turned away learns nothing; the machine's own operator has a door of his own.
            with self.assertRaises(OSError):
                self.server.api("/server")
            self.assertEqual(self.operator.ask("GET", "/server").status, 200)
            self.a_good_device_comes_in()
            for connection in silent:
                waits(connection)
        eventually(self.api_answers, "the door has room", PATIENCE)

    def api_answers(self):
        try:
            return self.server.api("/server")[0] == 200
        except OSError:
            return False

    def test_a_crowd_beyond_the_descriptors(self):
        """A server that may open no more files rests, and serves again when it may."""
        root = self.ours.root(self.own("root"))
        device = self.ours.leaf(root, self.own("dev")).credential
        with Server(os.path.join(self.scratch, "poor")) as poor:
            poor.command("group", "create", "poor")
            poor.command("group", "cert", "set", "poor", "primary", root.certificate, "--vouch")
            allowed = len(os.listdir(f"/proc/{poor.process.pid}/fd")) + 40
            resource.prlimit(poor.process.pid, resource.RLIMIT_NOFILE, (allowed, allowed))
            with contextlib.ExitStack() as crowd:
                for _ in range(100):
                    crowd.enter_context(self.tcp(server=poor))
                eventually(lambda: "accept-paused" in poor.told(), "the server says it", PATIENCE)
            kept, self.server = self.server, poor
            try:
                self.assert_assigned(self.own("dev"), device)
            finally:
                self.server = kept


if __name__ == "__main__":
    main()
