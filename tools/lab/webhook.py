# SPDX-License-Identifier: Apache-2.0
"""An allocation webhook over TLS that behaves as it is told: well, slowly, badly."""
import http.server
import json
import socket
import ssl
import struct
import threading

WAIT = 60  # of a webhook that hangs; it ends earlier when it is closed


class Webhook:
    """Each path has a list of behaviours, one for each call; the last one stays. A behaviour is
    called with the request's handler. `calls` are the bodies that came, by path."""

    def __init__(self, party=None, host="127.0.0.1"):
        self.calls, self._scripts, self._lock = {}, {}, threading.Lock()
        self.stopping = threading.Event()
        self._came = threading.Condition()
        self.server = _Server((host, 0), _Handler)
        self.server.webhook = self
        self.scheme = "http"
        if party is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(party.certificate, party.key)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                     do_handshake_on_connect=False)
            self.scheme = "https"
        self._thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def port(self):
        return self.server.server_address[1]

    def url(self, path, host="127.0.0.1"):
        return f"{self.scheme}://{host}:{self.port}/{path}"

    def script(self, path, *behaviours):
        """From now on; returns the address."""
        with self._lock:
            self._scripts[path] = list(behaviours)
        return self.url(path)

    def next(self, path, body):
        with self._came:
            self.calls.setdefault(path, []).append(body)
            self._came.notify_all()
        with self._lock:
            script = self._scripts.get(path)
            if not script:
                return status(404)
            return script.pop(0) if len(script) > 1 else script[0]

    def wait_for(self, path, count=1):
        """Until so many calls came."""
        with self._came:
            if not self._came.wait_for(lambda: len(self.calls.get(path, [])) >= count, WAIT):
                raise TimeoutError(f"{path} was not called {count} times")

    def close(self):
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # clients that give up are what is tested here


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = self.path.lstrip("/").partition("?")[0]
        self.server.webhook.next(path, json.loads(body))(self)

    def send(self, code, body=b"", **headers):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


# --- Behaviours ---

def says(answer):
    """200 with this body: JSON, or bytes as they are."""
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return lambda handler: handler.send(200, body, Content_Type="application/json")


def assigns(hub, **more):
    return says({"iotHubHostName": hub, **more})


def status(code, body=b"", **headers):
    return lambda handler: handler.send(code, body, **headers)


def hangs(handler):
    """Takes the question and never says anything."""
    handler.server.webhook.stopping.wait(WAIT)


def waits_for(event, then):
    """Answers when the test says so."""
    def behave(handler):
        event.wait(WAIT)
        then(handler)
    return behave


def hangs_midway(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "100")
    handler.end_headers()
    handler.wfile.write(b'{"iotHubHostName":')
    handler.wfile.flush()
    handler.server.webhook.stopping.wait(WAIT)


def floods(handler):
    """An answer without an end."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    while not handler.server.webhook.stopping.is_set():
        handler.wfile.write(b"1000\r\n" + b" " * 4096 + b"\r\n")


def floods_headers(handler):
    handler.send_response(200)
    while not handler.server.webhook.stopping.is_set():
        handler.send_header("X-More", "x" * 1000)
        handler.flush_headers()


def breaks_off(handler):
    """Closes without an answer, by a reset."""
    plain = handler.connection
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    plain.close()


def nobody_port():
    """A port of this machine where nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
