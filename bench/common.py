# SPDX-License-Identifier: Apache-2.0
"""What bench/run, bench/mqtt and bench/hostile share: servers on one core, the load on the other."""
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(TOP, "build", "release")
LOAD = os.path.join(BUILD, "bench", "bench_load")
ROLLCALL = os.path.join(BUILD, "rollcall")
SERVER_CORE, LOAD_CORE = "0", "1"


def build():
    subprocess.run(["cmake", "--preset", "release"], cwd=TOP, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", "--preset", "release", "--target", "bench", "rollcall"],
                   cwd=TOP, check=True, stdout=subprocess.DEVNULL)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(command, **more):
    return subprocess.Popen(["taskset", "-c", SERVER_CORE] + command, cwd=TOP, **more)


def wait_for_port(port, process):
    for _ in range(500):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if process.poll() is not None:
            sys.exit(f"{process.args} ended with {process.returncode}")
        time.sleep(0.02)
    sys.exit(f"nobody listens on {port}")


class Server:
    """A running server; words() is what its load is told to ask."""
    method, path, body = "GET", "/{id}", ""

    def __init__(self, name, work, pki):
        self.name, self.work, self.pki = name, os.path.join(work, name), pki
        self.asked = 0
        os.makedirs(self.work)
        self.port = 0
        self.launch()

    def words(self):
        return ["--method", self.method, "--path", self.path, "--body", self.body]

    def scheduled(self):
        """Seconds that the process, its threads and its children ran, and that they waited for a
        core, from the scheduler's own account."""
        ran, waited = 0, 0
        for pid in family(self.process.pid):
            for task in os.listdir(f"/proc/{pid}/task"):
                with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{task}/schedstat") as f:
                    account = f.read().split()
                    ran, waited = ran + int(account[0]), waited + int(account[1])
        return ran / 1e9, waited / 1e9

    def cpu_seconds(self):
        return self.scheduled()[0]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


class Rollcall(Server):
    """Real registrations of devices never seen before, into an empty store that syncs."""
    method = "PUT"
    body = '{"registrationId":"{id}"}'
    options = ()

    def launch(self):
        self.data = data = self.work + "/data"
        self.process = start(
            [ROLLCALL, "serve", "--data", data, "--device-https", "127.0.0.1:0", "--device-mqtt",
             "127.0.0.1:0", "--device-amqp", "127.0.0.1:0", "--operator", "off", "--metrics", "off",
             "--threads", "1", "--server-cert", self.pki + "/server.pem", "--server-key",
             self.pki + "/server.key", *self.options],
            stdout=subprocess.PIPE, text=True)
        ready = dict(word.split("=", 1) for word in self.process.stdout.readline().split()[1:])
        self.scope = ready["scope"]
        self.port, self.mqtt_port, self.amqp_port = (
            int(ready[door].rsplit(":", 1)[1])
            for door in ("device-https", "device-mqtt", "device-amqp"))
        self.path = f"/{self.scope}/registrations/{{id}}/register?api-version=2019-03-31"
        for words in (["group", "create", "bench"],
                      ["group", "cert", "set", "bench", "primary", self.pki + "/root.pem",
                       "--vouch"]):
            subprocess.run([ROLLCALL] + words + ["--data", data, "--yes"], check=True,
                           stdout=subprocess.DEVNULL)


def family(pid):
    found = [pid]
    for other in os.listdir("/proc"):
        if other.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{other}/stat") as file:
                if int(file.read().rsplit(")", 1)[1].split()[1]) == pid:
                    found += family(int(other))
    return found


def make_pki(directory):
    subprocess.run([LOAD, "--make-pki", directory], check=True)


def start_load(server, *words, pki=None):
    """A load of `server` that is ready and waits for a line. `pki`: whose devices they are, where
    that is not the server's."""
    load = subprocess.Popen(
        [LOAD, "--pki", pki or server.pki, "--port", str(server.port), "--core", LOAD_CORE, *words],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if load.stdout.readline() != "ready\n":
        sys.exit("the load did not get ready")
    return load


def visit(server, requests, in_flight):
    """CPU microseconds of the server for each of `requests` visits by new devices."""
    return timed_visit(server, requests, in_flight)[1]


def timed_visit(server, requests, in_flight):
    """(visits a second, CPU microseconds of the server for each)."""
    load = start_load(server, *server.words(), "--requests", str(requests), "--first",
                      str(server.asked), "--in-flight", str(in_flight))
    server.asked += requests
    before, begun = server.cpu_seconds(), time.monotonic()
    answers, _ = load.communicate("go\n")
    took, spent = time.monotonic() - begun, server.cpu_seconds() - before
    if load.returncode != 0:
        sys.exit(f"{server.name} answered {answers.strip()}")
    return requests / took, spent / requests * 1e6


def in_turn(servers, rounds, requests, in_flight):
    """What visits cost each of them, round after round."""
    costs = {server.name: [] for server in servers}
    for server in servers:
        visit(server, 200, in_flight)
    for _ in range(rounds):
        for server in servers:
            costs[server.name].append(visit(server, requests, in_flight))
    return costs
