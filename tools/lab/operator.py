# SPDX-License-Identifier: Apache-2.0
"""The native API over the server's own socket, on one connection that is kept."""
import http.client
import json
import os
import socket
import time

from .device import Answer

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
            self.line.request(method, path if path.startswith(self.api) else self.api + path, body, sent)
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
