# SPDX-License-Identifier: Apache-2.0
"""AMQP 1.0 from the client's side, frame by frame, so that wrong ones can be sent too; and what
devices do with it: register, speak with their hub."""
import collections
import json
import struct

from .device import connect, context_of
from .websocket import WebSocket

HEADER, SASL_HEADER = b"AMQP\0\1\0\0", b"AMQP\3\1\0\0"
(OPEN, BEGIN, ATTACH, FLOW, TRANSFER, DISPOSITION, DETACH, END, CLOSE) = range(0x10, 0x19)
ERROR, ACCEPTED, REJECTED, RELEASED, SOURCE, TARGET = 0x1d, 0x24, 0x25, 0x26, 0x28, 0x29
MECHANISMS, INIT, OUTCOME = 0x40, 0x41, 0x44
ANNOTATIONS, PROPERTIES, APPLICATION, DATA, VALUE = 0x72, 0x73, 0x74, 0x75, 0x77
BATCH = 0x80013700
API_VERSION = "2021-06-01"


# --- values, as bytes ---

class Raw(bytes):
    """Encoded already."""


class Symbol(str):
    pass


class Uint(int):
    pass


class Ubyte(int):
    pass


class Ulong(int):
    pass


class Int(int):
    pass


def described(descriptor, value):
    return Raw(b"\0\x53" + bytes((descriptor,)) + encode(value))


def sized(code, data):
    """With a length of four bytes, as no SDK bothers to avoid."""
    return bytes((code,)) + struct.pack(">I", len(data)) + data


def compound(code, values):
    body = b"".join(map(encode, values))
    return bytes((code,)) + struct.pack(">II", len(body) + 4, len(values)) + body


def encode(value):
    if isinstance(value, Raw):
        return bytes(value)
    if value is None:
        return b"\x40"
    if isinstance(value, bool):
        return b"\x41" if value else b"\x42"
    if isinstance(value, Ubyte):
        return b"\x50" + bytes((value,))
    if isinstance(value, Uint):
        return b"\x70" + struct.pack(">I", value)
    if isinstance(value, Ulong):
        return b"\x80" + struct.pack(">Q", value)
    if isinstance(value, Int):
        return b"\x71" + struct.pack(">i", value)
    if isinstance(value, int):
        return b"\x81" + struct.pack(">q", value)
    if isinstance(value, Symbol):
        return sized(0xb3, value.encode())
    if isinstance(value, str):
        return sized(0xb1, value.encode())
    if isinstance(value, bytes):
        return sized(0xb0, value)
    if isinstance(value, dict):
        return compound(0xd1, [each for pair in value.items() for each in pair])
    return compound(0xd0, list(value))


class Described(collections.namedtuple("Described", "descriptor value")):
    pass


class Reader:
    """What a server wrote: lists, maps, numbers, texts."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        self.at += size
        if self.at > len(self.data):
            raise ConnectionError("a value is cut")
        return self.data[self.at - size:self.at]

    def done(self):
        return self.at == len(self.data)

    def next(self):
        code = self.take(1)[0]
        if code == 0:
            return Described(self.next(), self.next())
        if code in (0x40, 0x41, 0x42, 0x43, 0x44, 0x45):
            return {0x40: None, 0x41: True, 0x42: False, 0x43: 0, 0x44: 0, 0x45: []}[code]
        fixed = {0x50: ">B", 0x52: ">B", 0x53: ">B", 0x54: ">b", 0x55: ">b", 0x56: ">?", 0x60: ">H",
                 0x70: ">I", 0x71: ">i", 0x80: ">Q", 0x81: ">q", 0x82: ">d", 0x83: ">q"}
        if code in fixed:
            return struct.unpack(fixed[code], self.take(struct.calcsize(fixed[code])))[0]
        if code == 0x98:
            return self.take(16)
        width = ">B" if code >> 4 in (0xa, 0xc, 0xe) else ">I"
        size = struct.unpack(width, self.take(struct.calcsize(width)))[0]
        data = self.take(size)
        if code >> 4 in (0xa, 0xb):
            return data if code & 0xf == 0 else data.decode()
        inner = Reader(data)
        count = struct.unpack(width, inner.take(struct.calcsize(width)))[0]
        if code >> 4 in (0xe, 0xf):
            return inner.data[inner.at:]  # an array, as it is
        values = [inner.next() for _ in range(count)]
        return dict(zip(values[::2], values[1::2])) if code & 0xf == 1 else values


# --- frames and messages, as bytes ---

def frame(body=b"", channel=0, kind=0, size=None, offset=2):
    """`size`: said instead of the true one."""
    return struct.pack(">IBBH", len(body) + 8 if size is None else size, offset, kind,
                       channel) + body


def performative(descriptor, *fields, payload=b"", channel=0):
    return frame(described(descriptor, list(fields)) + payload, channel)


def open_frame(container="lab", hostname="dps.example", frame_max=None, channel_max=None,
               idle=None):
    return performative(OPEN, container, hostname, frame_max and Uint(frame_max), channel_max,
                        idle and Uint(idle))


def begin_frame(channel=0, window=1000):
    return performative(BEGIN, None, Uint(0), Uint(window), Uint(window), channel=channel)


def attach_frame(name, handle, receives, address, properties=None, channel=0, settles=Ubyte(2)):
    terminus = [described(SOURCE, [address] if receives else []),
                described(TARGET, [] if receives else [address])]
    return performative(ATTACH, name, Uint(handle), receives, settles, Ubyte(0), *terminus, None,
                        None, None if receives else Uint(0), None, None, None,
                        None if properties is None else
                        {Symbol(key): value for key, value in properties.items()},
                        channel=channel)


def flow_frame(handle=None, credit=100, count=0, window=1000, incoming=0, channel=0, drain=False,
               echo=False):
    return performative(FLOW, Uint(incoming), Uint(window), Uint(0), Uint(window),
                        None if handle is None else Uint(handle), Uint(count), Uint(credit),
                        Uint(0), drain, echo, channel=channel)


def transfer_frame(handle, number, payload, more=False, settled=False, form=0, aborted=None,
                   channel=0, tag=None):
    return performative(TRANSFER, Uint(handle), None if number is None else Uint(number),
                        struct.pack(">I", number or 0) if tag is None else tag, Uint(form), settled,
                        more, None, None, None, aborted, payload=payload, channel=channel)


def message(body=b"", correlation=None, properties=None, annotations=None, ident=None,
            content_type=None, value=None):
    """`body`: bytes or a list of them, a data section each. `value`: instead of data."""
    told = b""
    if annotations:
        told += described(ANNOTATIONS, {Symbol(k): v for k, v in annotations.items()})
    if any(each is not None for each in (correlation, ident, content_type)):
        told += described(PROPERTIES, [ident, None, None, None, None, correlation,
                                       content_type and Symbol(content_type)])
    if properties:
        told += described(APPLICATION, properties)
    if value is not None:
        return told + described(VALUE, value)
    for section in body if isinstance(body, list) else [body]:
        told += described(DATA, section)
    return told


class Message:
    """One that a server sent: annotations, correlation, properties, body."""

    def __init__(self, data):
        self.annotations, self.properties, self.body, reader = {}, {}, b"", Reader(data)
        self.ident = self.correlation = None
        while not reader.done():
            descriptor, value = reader.next()
            if descriptor == ANNOTATIONS:
                self.annotations = value
            elif descriptor == PROPERTIES:
                value += [None] * 6
                self.ident, self.correlation = value[0], value[5]
            elif descriptor == APPLICATION:
                self.properties = value
            elif descriptor == DATA:
                self.body += value

    @property
    def json(self):
        return json.loads(self.body)


Frame = collections.namedtuple("Frame", "channel kind fields payload")


class Amqp:
    """One connection, its TLS done and nothing said. `websocket`: as of Mqtt."""

    def __init__(self, server, credential=None, context=None, websocket=None):
        self.server = server
        door = "device-amqp" if websocket is None else "device-https"
        self.socket = connect(server, context or context_of(server, credential), None, door)
        if websocket is not None:
            try:
                self.socket = WebSocket(self.socket, **websocket)
            except BaseException:
                self.socket.close()
                raise
        self.unread = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *data):
        """All of it, or as much as the door takes before it closes."""
        try:
            self.socket.sendall(b"".join(data))
        except OSError:  # TLS has words of its own for it
            pass

    def read(self, size):
        """None when the door closed instead."""
        while len(self.unread) < size:
            try:
                more = self.socket.recv(65536)
            except ConnectionResetError:
                more = b""
            if not more:
                return None
            self.unread += more
        taken, self.unread = self.unread[:size], self.unread[size:]
        return taken

    def frame(self):
        """The next that is not empty; None when the door closed."""
        while True:
            head = self.read(8)
            if head is None:
                return None
            size, offset, _, channel = struct.unpack(">IBBH", head)
            body = self.read(size - 8)[offset * 4 - 8:]
            if body:
                reader = Reader(body)
                kind, fields = reader.next()
                fields = fields + [None] * (16 - len(fields))
                return Frame(channel, kind, fields, body[reader.at:])

    def until(self, *kinds):
        """The next frame of these kinds; what comes before is dropped."""
        while (found := self.frame()) is not None and found.kind not in kinds:
            if found.kind in (CLOSE, END, DETACH):
                raise ConnectionError(f"not {kinds}: {found}")
        return found

    def closes(self):
        """The condition with which the door closed; None: without one."""
        condition = None
        while (found := self.frame()) is not None:
            if found.kind == CLOSE:
                condition = error_of(found.fields[0])
        return condition

    # --- what good clients do ---

    def start(self, **opening):
        """Headers, open, one session."""
        self.send(HEADER, open_frame(**opening), begin_frame())
        if self.read(8) != HEADER:
            raise ConnectionError("no AMQP header")
        self.opened = self.until(OPEN)
        self.until(BEGIN)
        return self

    def attach(self, handle, receives, address, credit=100, **how):
        """The attach that came back; a refused link raises Refused."""
        self.send(attach_frame(f"link-{handle}", handle, receives, address, **how))
        answer = self.until(ATTACH)
        if answer.fields[5 if receives else 6] is None:
            detach = self.until(DETACH)
            raise Refused(error_of(detach.fields[2]))
        if receives:
            self.send(flow_frame(handle, credit))
        else:
            self.until(FLOW)
        return answer

    def request(self, handle, number, payload, **how):
        """Sends a message; how it was settled: None for accepted, else its condition and words."""
        self.send(transfer_frame(handle, number, payload, **how))
        state = self.until(DISPOSITION).fields[4]
        return None if state.descriptor == ACCEPTED else state.value[0].value

    def answer(self):
        """The next message."""
        data = b""
        while True:
            found = self.until(TRANSFER)
            if found is None:
                raise ConnectionError("no answer")
            data += found.payload
            if not found.fields[5]:
                return Message(data)


class Refused(ConnectionError):
    """A link was; `condition` says why."""

    def __init__(self, condition):
        super().__init__(condition)
        self.condition = condition


def error_of(value):
    return None if value is None else value.value[0]


def registered(amqp, registration, form="{scope}/registrations/{id}", correlation=None,
               version=API_VERSION):
    """What the C SDK does to register. The answer, or the rejection: (condition, JSON)."""
    address = form.format(scope=amqp.server.scope, id=registration)
    amqp.attach(0, True, address)
    amqp.attach(1, False, address, properties={"com.microsoft:api-version": version})
    rejection = amqp.request(1, 0, message(
        json.dumps({"registrationId": registration}).encode(), correlation,
        {"iotdps-operation-type": "iotdps-register"}))
    if rejection is not None:
        return rejection[0], json.loads(rejection[1])
    return amqp.answer()
