# SPDX-License-Identifier: Apache-2.0
"""WebSocket from the client's side (RFC 6455), frame by frame, so that wrong ones can be sent too."""
import base64
import hashlib
import os
import re
import struct

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
HEAD_END = b"\r\n\r\n"


class NoUpgrade(ConnectionError):
    """The door answered something else than 101, or nothing (status None)."""

    def __init__(self, status, head):
        super().__init__(f"no WebSocket: {status}")
        self.status, self.head = status, head


def frame(payload=b"", opcode=BINARY, final=True, masked=True, reserved=0, length=None):
    """One frame. `length`: written instead of the true one, as (kind, value): kind 7, 16 or 64 bits.
    `reserved`: the three bits before the opcode."""
    kind, said = length or (7 if len(payload) < 126 else 16 if len(payload) < 65536 else 64,
                            len(payload))
    first = (0x80 if final else 0) | reserved << 4 | opcode
    second = 0x80 if masked else 0
    if kind == 7:
        head = bytes((first, second | said))
    elif kind == 16:
        head = bytes((first, second | 126)) + struct.pack(">H", said)
    else:
        head = bytes((first, second | 127)) + struct.pack(">Q", said)
    if not masked:
        return head + payload
    key = os.urandom(4)
    many = (key * (len(payload) // 4 + 1))[:len(payload)]
    mixed = (int.from_bytes(payload, "big") ^ int.from_bytes(many, "big")).to_bytes(
        len(payload), "big")
    return head + key + mixed


def handshake(path="/", host="dps.example", protocol="mqtt", key=None, version="13", more=""):
    """The request, as bytes, and its key. What is None is left out."""
    key = base64.b64encode(os.urandom(16)).decode() if key is None else key
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: Upgrade", "Upgrade: websocket"]
    for name, value in (("Version", version), ("Key", key or None), ("Protocol", protocol)):
        if value is not None:
            lines.append(f"Sec-WebSocket-{name}: {value}")
    return ("\r\n".join(lines) + "\r\n" + more + "\r\n").encode(), key


class WebSocket:
    """Over a TLS socket that is connected; used like one: sendall() is a message of its own, recv()
    gives what binary messages hold, b"" once the peer closed (`close_code` says how). `request`: the
    bytes to ask with and their key, instead of handshake()'s."""

    def __init__(self, socket, request=None, **how):
        self.socket = socket
        self.unread = b""
        self.payload = b""
        self.control = []  # (opcode, payload) of pongs that came
        self.close_code = None
        request, key = request or handshake(**how)
        socket.sendall(request)
        while HEAD_END not in self.unread:
            self._more(NoUpgrade(None, b""))
        self.head, _, self.unread = self.unread.partition(HEAD_END)
        status = int(re.match(rb"HTTP/1\.1 (\d{3}) ", self.head)[1])
        if status != 101:
            raise NoUpgrade(status, self.head.decode())
        proof = base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()
        if self.field("sec-websocket-accept") != proof:
            raise ConnectionError("Sec-WebSocket-Accept does not fit the key")

    def field(self, name):
        """A header field of the answer, None without it."""
        found = re.search(rf"(?im)^{name}: *(.*?)\r?$", self.head.decode())
        return found[1] if found else None

    def sendall(self, data):
        self.socket.sendall(frame(data))

    def send_frames(self, *frames):
        """Together, as they are."""
        self.socket.sendall(b"".join(frames))

    def recv(self, size):
        while not self.payload:
            if self.close_code is not None:
                return b""
            opcode, payload = self._frame()
            if opcode is None:
                return b""
            if opcode == CLOSE:
                self.close_code = struct.unpack(">H", payload[:2])[0] if payload else 1005
            elif opcode == PING:
                self.socket.sendall(frame(payload, PONG))
            elif opcode == PONG:
                self.control.append((opcode, payload))
            else:
                self.payload += payload
        taken, self.payload = self.payload[:size], self.payload[size:]
        return taken

    def settimeout(self, seconds):
        self.socket.settimeout(seconds)

    def close(self):
        self.socket.close()

    def _frame(self):
        """The next frame; opcode None when the connection ended before one began."""
        while True:
            if len(self.unread) >= 2:
                size, at = self.unread[1] & 0x7F, 2
                if self.unread[1] & 0x80:
                    raise ConnectionError("a server's frame is masked")
                wide = {126: 2, 127: 8}.get(size, 0)
                at += wide
                if len(self.unread) >= at:
                    if wide:
                        size = int.from_bytes(self.unread[2:at], "big")
                    if len(self.unread) >= at + size:
                        opcode, payload = self.unread[0] & 15, self.unread[at:at + size]
                        self.unread = self.unread[at + size:]
                        return opcode, payload
            if not self._more():
                return None, b""

    def _more(self, otherwise=None):
        try:
            more = self.socket.recv(65536)
        except (ConnectionResetError, BrokenPipeError):
            more = b""
        if not more and otherwise:
            raise otherwise
        self.unread += more
        return more
