# SPDX-License-Identifier: Apache-2.0
"""A device as the DPS device API knows it: mutual TLS, register, 202, poll, assigned."""
import dataclasses
import http.client
import json
import socket
import ssl
import time

API_VERSION = "2021-06-01"
POLLS_MAX = 30


@dataclasses.dataclass
class Outcome:
    """How a registration ended for the device."""
    status: str  # assigned, disabled, failed, refused
    code: int = 0  # DPS' error code, 401002
    message: str = ""
    state: dict = dataclasses.field(default_factory=dict)  # registrationState
    http_status: int = 200
    operation: str = ""

    @property
    def assigned(self):
        return self.status == "assigned"

    def __str__(self):
        if self.assigned:
            return f"assigned to {self.state.get('assignedHub')}"
        return f"{self.status} {self.code} {self.message}".strip()


@dataclasses.dataclass
class Credential:
    """A certificate (with its intermediates, leaf first) and its key, as files."""
    chain: str
    key: str


class Answer:
    """An HTTP answer, read whole."""

    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.text = response.read().decode()

    @property
    def json(self):
        return json.loads(self.text) if self.text else {}


def context_of(server, credential=None, tls=None, lax=False):
    """What a device knows of TLS; may serve many conversations. `lax`: the client's own library
    lets weak keys and digests pass."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(server.ca_file)
    if lax:
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        tls = tls or ssl.TLSVersion.TLSv1_2  # 1.3 has no words for old digests
    if tls:
        context.minimum_version = context.maximum_version = tls
    if credential:
        context.load_cert_chain(credential.chain, credential.key)
    return context


def connect(server, context, name=None, door="device-https"):
    """A TLS socket to a door."""
    plain = socket.create_connection(server.doors[door], timeout=60)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # head and body go apart
    try:
        return context.wrap_socket(plain, server_hostname=name or server.name)
    except BaseException:
        plain.close()
        raise


class Conversation:
    """One TLS connection of one device to the device HTTPS door."""

    def __init__(self, server, credential=None, tls=None, name=None, lax=False, context=None):
        self.server = server
        self.socket = connect(server, context or context_of(server, credential, tls, lax), name)
        # Not HTTPSConnection: that one would read all CAs of this machine first, 40 ms.
        self.http = http.client.HTTPConnection(name or server.name)
        self.http.sock = self.socket

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.close()

    def ask(self, method, path, body=None, **headers):
        sent = {"Accept": "application/json", "User-Agent": "rollcall-lab/1", **headers}
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        if body is not None:
            sent.setdefault("Content-Type", "application/json; charset=utf-8")
        self.http.request(method, path, body, sent)
        return Answer(self.http.getresponse())

    def path(self, registration, rest="", version=API_VERSION):
        return f"/{self.server.scope}/registrations/{registration}{rest}?api-version={version}"

    def put(self, registration, body=None, version=API_VERSION):
        body = {"registrationId": registration} if body is None else body
        return self.ask("PUT", self.path(registration, "/register", version), body)

    def poll(self, registration, operation, version=API_VERSION):
        return self.ask("GET", self.path(registration, f"/operations/{operation}", version))


def outcome_of(answer):
    """What a terminal answer means."""
    body = answer.json
    if answer.status >= 300:
        return Outcome("refused", body.get("errorCode", 0), body.get("message", ""),
                       http_status=answer.status)
    state = body.get("registrationState", {})
    return Outcome(body["status"], state.get("errorCode", 0), state.get("errorMessage", ""), state,
                   answer.status, body.get("operationId", ""))


def register(server, registration, credential, tls=None, patience=1.0, version=API_VERSION,
             lax=False):
    """One registration as any SDK does it. `patience` scales the waits that Retry-After asks."""
    with Conversation(server, credential, tls, lax=lax) as conversation:
        answer = conversation.put(registration, version=version)
        for _ in range(POLLS_MAX):
            if answer.status >= 300 or answer.json.get("status") != "assigning":
                return outcome_of(answer)
            time.sleep(float(answer.headers.get("retry-after", 2)) * patience)
            answer = conversation.poll(registration, answer.json["operationId"], version)
        return Outcome("assigning", message="still assigning when the device gave up")
