# SPDX-License-Identifier: Apache-2.0
"""Bytes as no HTTP library would send them, and what a door answers to them."""
import re

from .device import connect, context_of

HEAD_END = b"\r\n\r\n"


class Raw:
    """One TLS connection to a door, without HTTP."""

    def __init__(self, server, credential=None, door="device-https", name=None, **how):
        self.socket = connect(server, context_of(server, credential, **how), name, door)
        self.unread = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """All of it, or as much as the door takes before it closes."""
        try:
            self.socket.sendall(data)
        except OSError:  # TLS has words of its own for it
            pass

    def answer(self):
        """The status of the next answer, or None when the door closed instead."""
        while HEAD_END not in self.unread:
            if not self._read():
                return None
        head, _, self.unread = self.unread.partition(HEAD_END)
        status = int(re.match(rb"HTTP/1\.1 (\d{3}) ", head)[1])
        length = re.search(rb"(?i)\ncontent-length: *(\d+)", head)
        size = int(length[1]) if length else 0
        while len(self.unread) < size:
            if not self._read():
                raise ConnectionError(f"the door closed within an answer {status}")
        self.body, self.unread = self.unread[:size], self.unread[size:]
        return status

    def rest(self):
        """The statuses of all answers until the door closes."""
        statuses = []
        while (status := self.answer()) is not None:
            statuses.append(status)
        return statuses

    def _read(self):
        try:
            more = self.socket.recv(65536)
        except ConnectionResetError:
            more = b""
        self.unread += more
        return more
