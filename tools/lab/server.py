# SPDX-License-Identifier: Apache-2.0
"""One Rollcall on loopback with its data in a scratch directory."""
import http.client
import json
import os
import ssl
import subprocess
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
START_SECONDS = 60


def program():
    """The binary under test: what ROLLCALL_PROGRAM says, else the release build's."""
    return os.environ.get("ROLLCALL_PROGRAM") or os.path.join(TOP, "build", "release", "rollcall")


class CommandFailed(Exception):
    """A command line ended otherwise than it should have."""


class Command:
    """What a `rollcall …` printed and how it ended: 0 done, 1 refused, 2 usage, 3 unreachable."""

    def __init__(self, arguments, ended):
        self.line = "rollcall " + " ".join(arguments)
        self.code, self.out, self.err = ended.returncode, ended.stdout, ended.stderr

    @property
    def json(self):
        return json.loads(self.out)

    def __str__(self):
        return f"$ {self.line}\n[exit {self.code}]\n{self.out}{self.err}"


def rollcall(*arguments, stdin=None, expect=0, where=None, clock=None, alone=False):
    """Runs the program; `expect` is the exit code it must end with, None for any. `alone`: without a
    terminal to ask at."""
    arguments = [str(a) for a in arguments]
    ended = subprocess.run([program(), *arguments], input=stdin, text=True, capture_output=True,
                           stdin=subprocess.DEVNULL if stdin is None else None, cwd=where,
                           env=clock.environment() if clock else None, timeout=120,
                           start_new_session=alone)
    command = Command(arguments, ended)
    if expect is not None and command.code != expect:
        raise CommandFailed(f"exit {command.code} where {expect} was due\n{command}")
    return command


class Server:
    """Started by start(), or as a context manager; doors are the real addresses it listens on.
    `clock`: the one it lives by; commands to it too."""

    def __init__(self, directory, *options, name="dps.example", clock=None):
        os.makedirs(directory, exist_ok=True)
        self.data = os.path.join(directory, "data")
        self.log = os.path.join(directory, "server.log")
        self.name = name
        self.clock = clock
        self._ca_file = None
        self.options = [str(o) for o in options]
        self.doors, self.scope, self.process = {}, None, None
        self.environment = {}  # beside the caller's own
        self.code = None  # how the last process had ended when stop() came; None: it still ran

    @property
    def ca_file(self):
        """What devices and operators must trust to know this server: its own CA, or what was set."""
        return self._ca_file or os.path.join(self.data, "tls", "ca.pem")

    @ca_file.setter
    def ca_file(self, path):
        self._ca_file = path

    def start(self):
        given = set(self.options)
        doors = {"--device-https": "127.0.0.1:0", "--device-mqtt": "127.0.0.1:0",
                 "--device-amqp": "127.0.0.1:0", "--operator": "127.0.0.1:0", "--metrics": "off"}
        defaults = [w for option, value in doors.items() if option not in given
                    for w in (option, value)]
        out = os.path.join(os.path.dirname(self.log), "server.out")
        with open(self.log, "ab") as log, open(out, "wb") as ready:
            self.process = subprocess.Popen(
                [program(), "serve", "--data", self.data, "--name", self.name, *defaults,
                 *self.options],
                stdin=subprocess.DEVNULL, stdout=ready, stderr=log, start_new_session=True,
                env={**os.environ, **(self.clock.environment() if self.clock else {}),
                     **self.environment})
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            with open(out, encoding="utf-8") as file:
                for line in file:
                    if line.startswith("ready ") and line.endswith("\n"):
                        self._read_ready(line)
                        return self
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        self.stop()
        raise CommandFailed(f"the server did not get ready:\n{self.told()}")

    def _read_ready(self, line):
        said = dict(word.split("=", 1) for word in line.split()[1:])
        self.scope = said.pop("scope")
        for door, address in said.items():
            host, _, port = address.rpartition(":")
            if port.isdigit():
                self.doors[door] = (host.strip("[]"), int(port))

    def told(self):
        """The end of the server's log."""
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-40:])

    def stop(self):
        """SIGTERM and wait; a server that does not end, or ends badly, is a failure."""
        if self.process is None:
            return
        process, self.process = self.process, None
        self.code = process.poll()
        if self.code is None:
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise CommandFailed(f"the server did not stop on SIGTERM:\n{self.told()}") from None
        if process.returncode not in (0, -15):
            raise CommandFailed(f"the server ended with {process.returncode}:\n{self.told()}")

    def kill(self):
        """As a power cut would: no farewell."""
        self.process.kill()
        self.process.wait()
        if self.clock:
            self.clock.clear_after(self.process.pid)
        self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def command(self, *arguments, **how):
        """A command to this server, over its socket: rollcall --data DIR …"""
        return rollcall("--data", self.data, *arguments, clock=self.clock, **how)

    def api(self, path, method="GET", body=None, headers=None):
        """The native API over the operator's door: (status, parsed body)."""
        with open(os.path.join(self.data, "admin-token"), encoding="utf-8") as file:
            token = file.read().strip()
        host, port = self.doors["operator"]
        context = ssl.create_default_context(cafile=self.ca_file)
        context.check_hostname = False
        connection = http.client.HTTPSConnection(host, port, context=context, timeout=30)
        try:
            sent = {"Authorization": f"Bearer {token}", **(headers or {})}
            if body is not None:
                body = json.dumps(body)
                sent["Content-Type"] = "application/json"
            connection.request(method, "/api/v1" + path, body, sent)
            answer = connection.getresponse()
            text = answer.read().decode()
            return answer.status, json.loads(text) if text else None
        finally:
            connection.close()

    def listing(self, path):
        """All records of a paged listing."""
        items, next_ = [], None
        while True:
            status, page = self.api(path + (f"?after={next_}" if next_ else ""))
            if status != 200:
                raise CommandFailed(f"GET {path}: {status} {page}")
            items += page["items"]
            next_ = page.get("next")
            if not next_:
                return items
