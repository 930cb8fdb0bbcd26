# SPDX-License-Identifier: Apache-2.0
"""Those who manage a server: the local administrator on its own socket, and tools from elsewhere at
the operators' door, with a bearer token or a shared access policy."""
import http.client
import json
import os
import socket
import time

from .device import Answer, connect, context_of
from .keys import token

API = "/api/v1"
# The server closes a line that nothing was said on for a minute.
STALE_SECONDS = 30


class _Line(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Operator:
    """The local administrator, who needs no token. `api`: what all paths begin with; "" for those
    that other APIs have."""

    def __init__(self, server, api=API):
        self.api = api
        self.line = _Line(os.path.join(server.data, "operator.sock"))
        self.last = 0

    def close(self):
        self.line.close()

    def ask(self, method, path, body=None, headers=None):
        """An Answer. A body that is no text or bytes goes as JSON."""
        sent = {"Content-Type": "application/json"} if body is not None else {}
        sent.update(headers or {})
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        now = time.monotonic()
        if now - self.last > STALE_SECONDS:
            self.line.close()
        self.last = now
        try:
            path = path if path.startswith(self.api) else self.api + path
            self.line.request(method, path, body, sent)
            return Answer(self.line.getresponse())
        except BaseException:
            self.line.close()  # the next one asks on a new connection
            raise

    def listing(self, path):
        """All records of a paged listing."""
        items, after = [], ""
        while True:
            answer = self.ask("GET", f"{path}?limit=1000{after}")
            if answer.status != 200:
                raise ConnectionError(f"GET {path}: {answer.status} {answer.text}")
            items += answer.json["items"]
            if not answer.json.get("next"):
                return items
            after = f"&after={answer.json['next']}"


class Door:
    """A tool's connection to the operators' door, by TLS; `authorization` goes with every request.
    Usable for a `with`."""

    def __init__(self, server, authorization=None, name=None, door="operator"):
        self.name = name or server.name
        self.authorization = authorization
        self.line = http.client.HTTPConnection(self.name)
        self.line.sock = connect(server, context_of(server), self.name, door)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.line.close()

    def ask(self, method, path, body=None, authorization=None, **headers):
        """An Answer. A body that is no text or bytes goes as JSON."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        told = authorization or self.authorization
        if told:
            sent["Authorization"] = told
        if body is not None:
            sent.setdefault("Content-Type", "application/json; charset=utf-8")
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        self.line.request(method, path, body, sent)
        return Answer(self.line.getresponse())


def admin_bearer(server):
    """What the token of the first start is sent as."""
    with open(os.path.join(server.data, "admin-token"), encoding="utf-8") as file:
        return f"Bearer {file.read().strip()}"


class Policy:
    """A shared access policy of the server's, from the connection string it prints."""

    def __init__(self, connection_string):
        parts = dict(part.split("=", 1) for part in connection_string.strip().split(";"))
        self.host, self.name = parts["HostName"], parts["SharedAccessKeyName"]
        self.key = parts["SharedAccessKey"]

    @classmethod
    def made(cls, server, name, rights):
        return cls(server.command("token", "create", name, "--sas-policy", rights).out)

    def token(self, resource=None, end=3600, name=None, key=None):
        return token(key or self.key, resource or self.host, end,
                     self.name if name is None else name)
