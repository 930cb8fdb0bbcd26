# SPDX-License-Identifier: Apache-2.0
"""Traces: what a real client sends, byte for byte, and what it was answered, as readable files.

    == dps over mqtt mqtt-ws        a conversation, and the doors it is held at
    > CONNECT, keep-alive 60        the client sends this; the words are for people
      10 * +'MQTT' 04 80 003c +'<id>' +'<scope>/registrations/<id>/api-version=2019-03-31'
    < CONNACK                       and waits for this
      20 02 0000
    ! call reboot {"in":1}          what the operator does meanwhile

Bytes stand in hex, text in '...'. `*` is MQTT's remaining length and `+'...'` a text with its
length in two bytes before it: both are counted, so that names may have any length. `<name>` in a
text is put in when sent. When it is received it must be what is known under that name, or becomes
known; `<json>` is an answer's body. `number` is what the server gave the last packet that it wants
acknowledged. Over HTTPS, lines after `|` end in CRLF and `<length>` is that of the text after them;
the answer's lines are its status, headers that it must have, and its body.

Over AMQP `*` is a frame's size and `+'...'` a text with its length in one byte; what stands in ( )
is counted in one byte before it, in (( )) in four. `ident` is the id of a call of a method. What is
waited for is decoded: the kind of frame, which link or delivery it is about, then lines as in
`< transfer 3` with `annotations JSON`, `properties JSON`, `correlation TEXT`, `body 'TEXT'`. Frames
about something else may come before it, and are due later.
"""
import re
import ssl

from .mqtt import packet

TOKEN = re.compile(r"(?P<count>\*)|(?P<sized>\+?)'(?P<text>[^']*)'|(?P<number>number|ident)\b"
                   r"|(?P<opens>\(\(?)|(?P<closes>\)\)?)|(?P<hex>(?:[0-9a-f]{2})+)\b")
NAME = re.compile(r"<([a-z0-9-]+)>")


class Step:
    """`kind`: > < or !; `words` beside it; `lines` below it."""

    def __init__(self, kind, words):
        self.kind, self.words, self.lines = kind, words, []

    def __str__(self):
        return f"{self.kind} {self.words}"

    def tokens(self):
        for line in self.lines:
            at = 0
            while at < len(line):
                if line[at] == " ":
                    at += 1
                    continue
                token = TOKEN.match(line, at)
                if not token:
                    raise ValueError(f"{self}: what is {line[at:]!r}?")
                at = token.end()
                yield token

    def bytes(self, known):
        """An MQTT packet to send."""
        before, parts, counted = b"", b"", False
        for token in self.tokens():
            if token["count"]:
                before, parts, counted = parts, b"", True
            elif token["text"] is not None:
                text = filled(token["text"], known).encode()
                parts += (len(text).to_bytes(2, "big") if token["sized"] else b"") + text
            else:
                parts += known["number"] if token["number"] else bytes.fromhex(token["hex"])
        if not counted:
            return parts
        return packet(before[0] >> 4, parts, before[0] & 15)

    def frame(self, known):
        """An AMQP frame to send, or a protocol header."""
        parts, counted = [b""], False  # innermost last
        for token in self.tokens():
            if token["count"]:
                counted = True
            elif token["opens"]:
                parts.append(b"")
            elif token["closes"]:
                inner = parts.pop()
                parts[-1] += len(inner).to_bytes(1 if token["closes"] == ")" else 4, "big") + inner
            elif token["text"] is not None:
                text = filled(token["text"], known).encode()
                parts[-1] += (bytes((len(text),)) if token["sized"] else b"") + text
            else:
                parts[-1] += known["ident"] if token["number"] else bytes.fromhex(token["hex"])
        whole, = parts
        return (len(whole) + 4).to_bytes(4, "big") + whole if counted else whole

    def take(self, came, known):
        """The names that become known by this packet; None when it is another one."""
        pattern, names = b"", []
        for token in self.tokens():
            if token["count"]:
                pattern += rb"[\x80-\xff]{0,3}[\x00-\x7f]"
            elif token["text"] is not None:
                pattern += b".." if token["sized"] else b""
                pattern += expected(token["text"], known, names)
            elif token["number"]:
                pattern, names = pattern + b"(..)", [*names, "number"]
            else:
                pattern += re.escape(bytes.fromhex(token["hex"]))
        found = re.fullmatch(pattern, came, re.S)
        if not found:
            return None
        return {name: value if name == "number" else value.decode()
                for name, value in zip(names, found.groups())}

    def request(self, known):
        """An HTTP request to send."""
        head = [line[1:].lstrip(" ") for line in self.lines if line.startswith("|")]
        body = "".join(token["text"] for token in self.body_tokens())
        body = filled(body, known).encode()
        text = "\r\n".join([*head, "", ""]) if head else ""
        return filled(text, {**known, "length": str(len(body))}).encode() + body

    def body_tokens(self):
        rest = Step(self.kind, self.words)
        rest.lines = [line for line in self.lines if not line.startswith("|")]
        return rest.tokens()


class Trace:
    """One conversation of a client. `tls`: the only version it speaks, or None."""

    def __init__(self, client, tls, heading):
        self.client, self.tls = client, tls
        self.name, _, over = heading.partition(" over ")
        self.doors = over.split()
        self.steps = []


def filled(text, known):
    return NAME.sub(lambda name: known[name[1]], text)


def expected(text, known, names):
    """A pattern for the bytes of `text`; names not known yet are added to `names`, in order."""
    pattern, at = b"", 0
    for name in NAME.finditer(text):
        pattern += re.escape(text[at:name.start()].encode())
        if name[1] in known:
            pattern += re.escape(known[name[1]].encode())
        else:
            names.append(name[1])
            pattern += b"(.*)" if name[1] == "json" else b"([^&/?]+)"
        at = name.end()
    return pattern + re.escape(text[at:].encode())


def read(path):
    """The conversations of a file, {name: Trace}."""
    traces, client, tls, trace = {}, "", None, None
    with open(path, encoding="ascii") as file:
        for number, line in enumerate(file, 1):
            line = line.rstrip("\n")
            if not line or line.startswith("#"):
                continue
            if line.startswith("client "):
                client = line.removeprefix("client ")
            elif line == "tls 1.2":
                tls = ssl.TLSVersion.TLSv1_2
            elif line.startswith("== "):
                trace = Trace(client, tls, line[3:])
                traces[trace.name] = trace
            elif line[0] in "><!":
                trace.steps.append(Step(line[0], line[1:].strip()))
            elif line.startswith("  "):
                trace.steps[-1].lines.append(line.strip(" ") if line[2] != "|" else line[2:])
            else:
                raise ValueError(f"{path}:{number}: what is {line!r}?")
    return traces
