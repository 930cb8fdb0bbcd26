# SPDX-License-Identifier: Apache-2.0
"""MQTT 3.1.1 from the client's side, over TLS or inside a WebSocket, packet by packet, so that wrong
ones can be sent too; and what devices do with it: register, speak with their hub."""
import collections
import itertools
import json
import ssl
import struct
import time

from .device import API_VERSION, POLLS_MAX, Outcome, connect, context_of
from .websocket import WebSocket

(CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, SUBACK, UNSUBSCRIBE,
 UNSUBACK, PINGREQ, PINGRESP, DISCONNECT) = range(1, 15)
# How long anything that must come may take on a busy machine.
PATIENCE = 60
REFUSED = 0x80  # in a SUBACK
HUB_VERSION = "2021-04-12"
DPS_ANSWERS = "$dps/registrations/res/#"


# --- packets, as bytes ---

def field(value):
    """A text or bytes with its length before it."""
    value = value.encode() if isinstance(value, str) else bytes(value)
    return struct.pack(">H", len(value)) + value


def packet(kind, body=b"", flags=0):
    """`kind`: a number above; flags: the lower four bits of the first byte."""
    size, length = len(body), b""
    while True:
        size, low = divmod(size, 128)
        length += bytes((low | (0x80 if size else 0),))
        if not size:
            return bytes((kind << 4 | flags,)) + length + body


def connect_packet(client_id="", username=None, password=None, clean=True, keep_alive=0, will=None,
                   level=4, protocol="MQTT", flags=None):
    """`will`: (topic, payload[, qos[, retain]]). `flags`: instead of the true ones."""
    bits, body = (2 if clean else 0), field(client_id)
    if will is not None:
        topic, payload, qos, retain = (*will, *(0, False)[len(will) - 2:])
        bits |= 4 | qos << 3 | (0x20 if retain else 0)
        body += field(topic) + field(payload)
    if username is not None:
        bits |= 0x80
        body += field(username)
    if password is not None:
        bits |= 0x40
        body += field(password)
    bits = bits if flags is None else flags
    return packet(CONNECT, field(protocol) + bytes((level, bits)) +
                  struct.pack(">H", keep_alive) + body)


def publish_packet(topic, payload=b"", qos=0, number=None, retain=False, duplicate=False):
    payload = payload.encode() if isinstance(payload, str) else payload
    flags = (8 if duplicate else 0) | qos << 1 | (1 if retain else 0)
    number = b"" if number is None else struct.pack(">H", number)
    return packet(PUBLISH, field(topic) + number + payload, flags)


def subscribe_packet(number, *wishes):
    """`wishes`: (filter, qos)."""
    body = b"".join(field(name) + bytes((qos,)) for name, qos in wishes)
    return packet(SUBSCRIBE, struct.pack(">H", number) + body, 2)


def unsubscribe_packet(number, *filters):
    return packet(UNSUBSCRIBE, struct.pack(">H", number) + b"".join(map(field, filters)), 2)


def ack_packet(number):
    return packet(PUBACK, struct.pack(">H", number))


class Packet:
    """One that a server sent. Of a PUBLISH: topic, payload, qos, number, retain, duplicate; number
    of the acknowledgements; codes of a SUBACK; code and present of a CONNACK."""

    def __init__(self, first, body):
        self.kind, self.flags, self.body, self.number = first >> 4, first & 15, body, None
        if self.kind == PUBLISH:
            size = struct.unpack(">H", body[:2])[0]
            self.topic, rest = body[2:2 + size].decode(), body[2 + size:]
            self.qos, self.retain = self.flags >> 1 & 3, bool(self.flags & 1)
            self.duplicate = bool(self.flags & 8)
            self.number = struct.unpack(">H", rest[:2])[0] if self.qos else None
            self.payload = rest[2:] if self.qos else rest
        elif self.kind in (PUBACK, SUBACK, UNSUBACK):
            self.number, self.codes = struct.unpack(">H", body[:2])[0], list(body[2:])
        elif self.kind == CONNACK:
            self.present, self.code = bool(body[0] & 1), body[1]

    @property
    def json(self):
        return json.loads(self.payload)

    def __repr__(self):
        return f"<packet {self.kind} {self.flags} {self.body[:200]!r}>"


class Mqtt:
    """One connection. What comes is read in order; while one kind is waited for, messages gather in
    `inbox`. `websocket`: how to ask for one (see lab.websocket.handshake), {} for the usual way."""

    def __init__(self, server, credential=None, websocket=None, context=None, name=None):
        context = context or context_of(server, credential)
        door = "device-mqtt" if websocket is None else "device-https"
        self.socket = connect(server, context, name, door)
        if websocket is not None:
            try:
                self.socket = WebSocket(self.socket, **websocket)
            except BaseException:
                self.socket.close()
                raise
        self.unread = b""
        self.inbox = collections.deque()
        self.numbers = itertools.cycle(range(1, 65536))
        self.connack = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Without DISCONNECT: the will is due."""
        self.socket.close()

    def disconnect(self):
        self.send(packet(DISCONNECT))
        self.close()

    # --- bytes ---

    def send(self, data):
        """All of it, or as much as the door takes before it closes."""
        try:
            self.socket.sendall(data)
        except (ConnectionError, ssl.SSLError):
            pass

    def next(self, within=PATIENCE):
        """The next packet, None when the door closed instead; TimeoutError when nothing comes."""
        until = time.monotonic() + within
        while (whole := self._cut()) is None:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"nothing came within {within} seconds")
            self.socket.settimeout(left)
            try:
                more = self.socket.recv(65536)
            except (ConnectionError, ssl.SSLEOFError):
                more = b""
            if not more:
                if self.unread:
                    raise ConnectionError(f"the door closed within a packet: {self.unread!r}")
                return None
            self.unread += more
        return whole

    def _cut(self):
        size = 0
        for at in range(1, min(len(self.unread), 5)):
            size |= (self.unread[at] & 0x7F) << 7 * (at - 1)
            if self.unread[at] < 0x80:
                end = at + 1 + size
                if len(self.unread) < end:
                    return None
                cut, self.unread = self.unread[:end], self.unread[end:]
                return Packet(cut[0], cut[at + 1:])
        return None

    def wait_for(self, kind, number=None, within=PATIENCE):
        """The next packet of a kind; messages that come before it are kept."""
        until = time.monotonic() + within
        while True:
            came = self.next(max(0.001, until - time.monotonic()))
            if came is None:
                raise ConnectionError(f"the door closed where a packet {kind} was due")
            if came.kind == kind and number in (None, came.number):
                return came
            if came.kind != PUBLISH:
                raise AssertionError(f"{came} where a packet {kind} was due")
            self.inbox.append(came)

    def rest(self, within=PATIENCE):
        """All packets until the door closes."""
        until, packets = time.monotonic() + within, []
        while (came := self.next(max(0.001, until - time.monotonic()))) is not None:
            packets.append(came)
        return packets

    # --- conversation ---

    def connect(self, client_id="", username=None, **how):
        """The CONNACK; None when the door closed instead."""
        self.send(connect_packet(client_id, username, **how))
        self.connack = self.next()
        return self.connack

    def subscribe(self, *filters, qos=1):
        """The codes granted."""
        number = next(self.numbers)
        self.send(subscribe_packet(number, *((name, qos) for name in filters)))
        return self.wait_for(SUBACK, number).codes

    def unsubscribe(self, *filters):
        number = next(self.numbers)
        self.send(unsubscribe_packet(number, *filters))
        self.wait_for(UNSUBACK, number)

    def publish(self, topic, payload=b"", qos=1, within=PATIENCE, **how):
        """Waits for the PUBACK at quality of service 1."""
        number = next(self.numbers) if qos else None
        self.send(publish_packet(topic, payload, qos, number, **how))
        if qos:
            self.wait_for(PUBACK, number, within)

    def message(self, within=PATIENCE, acknowledge=True):
        """The next message to us, acknowledged where that is due; None when the door closed."""
        came = self.inbox.popleft() if self.inbox else self.next(within)
        if came is None:
            return None
        if came.kind != PUBLISH:
            raise AssertionError(f"{came} where a message was due")
        if came.qos and acknowledge:
            self.send(ack_packet(came.number))
        return came

    def ping(self, within=PATIENCE):
        """There and back: whatever was sent before has been dealt with."""
        self.send(packet(PINGREQ))
        self.wait_for(PINGRESP, within=within)


# --- a device at its provisioning service ---

def dps_user(server, registration, version=API_VERSION, scope=None):
    return f"{scope or server.scope}/registrations/{registration}/api-version={version}"


def register_topic(rid):
    return f"$dps/registrations/PUT/iotdps-register/?$rid={rid}"


def poll_topic(rid, operation):
    return f"$dps/registrations/GET/iotdps-get-operationstatus/?$rid={rid}&operationId={operation}"


class Answer:
    """What stands in the topic of a DPS or twin answer, and its payload."""

    def __init__(self, message):
        head, _, tail = message.topic.partition("/?")
        self.status = int(head.rpartition("/")[2])
        self.fields = dict(part.partition("=")[::2] for part in tail.split("&"))
        self.rid, self.topic, self.payload = self.fields.get("$rid"), message.topic, message.payload
        self.qos = message.qos

    @property
    def json(self):
        return json.loads(self.payload) if self.payload else {}


def provision(server, registration, credential, patience=1.0, **how):
    """One registration as an SDK does it over MQTT: an Outcome. `how`: as of Mqtt."""
    with Mqtt(server, credential, **how) as device:
        connack = device.connect(registration, dps_user(server, registration))
        if connack is None or connack.code:
            return Outcome("refused", message=f"CONNACK {connack and connack.code}")
        device.subscribe(DPS_ANSWERS)
        topic, payload = register_topic(1), json.dumps({"registrationId": registration})
        for rid in range(2, POLLS_MAX + 2):
            device.publish(topic, payload)
            answer = Answer(device.message())
            if answer.status != 202:
                break
            time.sleep(float(answer.fields.get("retry-after", 2)) * patience)
            topic, payload = poll_topic(rid, answer.json["operationId"]), b" "
        device.disconnect()
        body = answer.json
        if answer.status >= 300:
            return Outcome("refused", body.get("errorCode", 0), body.get("message", ""),
                           http_status=answer.status)
        state = body.get("registrationState", {})
        return Outcome(body["status"], state.get("errorCode", 0), state.get("errorMessage", ""),
                       state, answer.status, body.get("operationId", ""))


# --- a device at its hub ---

def hub_user(server, device, version=HUB_VERSION):
    return f"{server.name}/{device}/?api-version={version}"


def events(device, bag=""):
    return f"devices/{device}/messages/events/{bag}"


def devicebound(device):
    return f"devices/{device}/messages/devicebound/#"


def at_hub(server, device, credential, clean=True, keep_alive=0, will=None, **how):
    """A device that is connected to its hub; ConnectionRefusedError when the hub does not want it.
    `how`: as of Mqtt."""
    mqtt = Mqtt(server, credential, **how)
    connack = mqtt.connect(device, hub_user(server, device), clean=clean, keep_alive=keep_alive,
                           will=will)
    if connack is None or connack.code:
        mqtt.close()
        raise ConnectionRefusedError(f"CONNACK {connack and connack.code}")
    return mqtt
