# SPDX-License-Identifier: Apache-2.0
"""What MQTT 3.1.1 forbids a client, for mqtt_wire.py: before and after CONNECT. [MQTT-…] and numbers
are marks of the standard."""
import typing

from lab import mqtt
from lab.mqtt import (connect_packet, field, packet, publish_packet, subscribe_packet,
                      unsubscribe_packet)

KB = 1024
# Texts that are none [MQTT-1.5.3-1] [MQTT-1.5.3-2]: not UTF-8, overlong, surrogates, beyond
# Unicode, cut short, with U+0000.
NO_TEXTS = (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xf4\x90\x80\x80", b"a\xc3",
            b"\x80", b"a\0b", b"\0")
BAD_FILTERS = ("", "a#", "#/a", "a/#/b", "+a", "a+", "a/b+/c", "##", "++", "a/#b")  # [MQTT-4.7.1-2]


class Row(typing.NamedTuple):
    """`kinds`: of the packets that come before the door closes."""
    what: str
    sent: bytes
    kinds: tuple = ()


def flags(kind, name, body, right):
    """Every value but the right one of a first byte's lower half [MQTT-2.2.2-2]."""
    return [Row(f"{name} with flags {bits}", packet(kind, body, bits))
            for bits in range(16) if bits != right]


def connects(words, *packets):
    return [Row(f"CONNECT {words}, {number}", sent) for number, sent in enumerate(packets)]


HEAD = field("MQTT") + b"\4"
LONG = b"\xff\xff\xff\xff\1"  # a remaining length of five bytes
FIRST = [
    *flags(mqtt.CONNECT, "CONNECT", connect_packet("x")[2:], 0),
    *(Row(f"a packet {kind} first", packet(kind, field("a") + b"\0\1", bits)) for kind, bits in (
        (0, 0), (2, 0), (3, 0), (4, 0), (8, 2), (10, 2), (15, 0))),  # [MQTT-3.1.0-1]
    Row("PINGREQ first", packet(mqtt.PINGREQ)),
    Row("DISCONNECT first", packet(mqtt.DISCONNECT)),
    Row("a length of five bytes", b"\x10" + LONG),
    Row("HTTP", b"GET / HTTP/1.1\r\nHost: dps.example\r\n\r\n"),
    Row("zeros", bytes(64)),
    *connects("of another protocol", *(connect_packet("x", protocol=name) for name in (
        "", "mqtt", "MQTt", "MQT", "MQTTT", "AMQP", "MQIsdpp", b"\xff"))),  # [MQTT-3.1.2-1]
    *connects("with flags that may not be", *(connect_packet("x", flags=bits) for bits in (
        0x01, 0x03,  # reserved [MQTT-3.1.2-3]
        0x08, 0x10, 0x18, 0x20, 0x28)),  # will parts without a will [MQTT-3.1.2-13, 15]
        packet(1, HEAD + b"\x1c\0\0" + field("x") + field("t") + field("p")),  # will of QoS 3
        packet(1, HEAD + b"\x42\0\0" + field("x") + field("p"))),  # a password alone [3.1.2-22]
    *connects("cut short", *(packet(1, connect_packet("x", "user", "word", will=("t", "p"))[2:end])
                             for end in range(2, len(connect_packet(
                                 "x", "user", "word", will=("t", "p")))))),
    *connects("with bytes behind", connect_packet("x")[:1] + b"\x0e" + connect_packet("x")[2:] +
              b"\0", packet(1, connect_packet("x", "u", will=("t", "p"))[2:] + b"more")),
    *connects("with a text that is none", *(connect_packet(text) for text in NO_TEXTS),
              *(connect_packet("x", text) for text in NO_TEXTS),
              *(connect_packet("x", "u", will=(text, "p")) for text in NO_TEXTS)),
    *connects("with a will nowhere", *(connect_packet("x", "u", will=(topic, "p"))
                                       for topic in ("", "a/+", "#"))),
    *connects("with a will exactly once", connect_packet("x", "u", will=("t", "p", 2))),
    *connects("too large", connect_packet("x", "u", b"p" * 16 * KB), packet(1, bytes(20 * KB)),
              b"\x10\xff\xff\xff\x7f"),
    Row("a lasting session of nobody", connect_packet("", clean=False), (mqtt.CONNACK,)),
]


def after(kind, name, *bodies, bits=0):
    return [Row(f"{name} {body[:20]!r}", packet(kind, body, bits)) for body in bodies]


def topics(words, *names):
    return [Row(f"PUBLISH to {words} {name!r}", publish_packet(name, "x", 1, 7)) for name in names]


LATER = [
    Row("a second CONNECT", connect_packet("x")),  # [MQTT-3.1.0-2]
    Row("a ping, then a second CONNECT", packet(mqtt.PINGREQ) + connect_packet("y", level=5),
        (mqtt.PINGRESP,)),
    *(Row(f"a packet {kind}, which servers send", packet(kind, b"\0\1\0")) for kind in (2, 9, 11)),
    Row("PINGRESP", packet(mqtt.PINGRESP)),
    *(Row(f"a packet {kind}, which is none", packet(kind)) for kind in (0, 15)),
    Row("a length of five bytes", b"\x30" + LONG),
    # QoS 2 is not offered; 3 is none [MQTT-3.3.1-4].
    Row("PUBLISH exactly once", publish_packet("a", "x", 2, 7)),
    Row("PUBLISH at QoS 3", publish_packet("a", "x", 3, 7)),
    *(Row(f"a packet {kind}, of exactly once", packet(kind, b"\0\7", bits))
      for kind, bits in ((5, 0), (6, 2), (7, 0))),
    *flags(mqtt.PUBREL, "PUBREL", b"\0\7", 2),
    Row("PUBLISH at QoS 0, again", publish_packet("a", "x", 0, duplicate=True)),  # [3.3.1-2]
    Row("PUBLISH without a number", publish_packet("a", b"", 1)),
    Row("PUBLISH with number 0", publish_packet("a", "x", 1, 0)),  # [MQTT-2.3.1-1]
    Row("PUBLISH with half a number", publish_packet("a", b"\1", 1)),
    *after(mqtt.PUBLISH, "PUBLISH", b"", b"\0", b"\0\5abc", b"\xff\xffabc"),
    *topics("wildcards", "+", "#", "a/#", "a/+/b", "a+"),  # [MQTT-3.3.2-2]
    *topics("no text", "", *NO_TEXTS),
    Row("PUBLISH of 264 KB and a byte", b"\x30\x81\xc0\x10"),
    Row("PUBLISH of 256 MB", b"\x30\xff\xff\xff\x7f"),
    *flags(mqtt.PUBACK, "PUBACK", b"\0\7", 0),
    *after(mqtt.PUBACK, "PUBACK", b"", b"\1", b"\0\0", b"\0\1\0"),
    *flags(mqtt.SUBSCRIBE, "SUBSCRIBE", subscribe_packet(7, ("a", 0))[2:], 2),  # [3.8.1-1]
    *after(mqtt.SUBSCRIBE, "SUBSCRIBE", b"", b"\7", b"\0\7",  # without a filter [3.8.3-3]
           b"\0\7\0\1a", b"\0\7\0\5a\0", b"\0\0\0\1a\0", b"\0\7\0\1a\3", b"\0\7\0\1a\x80",
           b"\0\7\0\1a\0\0", bits=2),  # reserved bits of a QoS [MQTT-3-8.3-4]
    *(Row(f"SUBSCRIBE to {name!r}", subscribe_packet(7, ("good", 0), (name, 0)))
      for name in (*BAD_FILTERS, *NO_TEXTS)),
    *flags(mqtt.UNSUBSCRIBE, "UNSUBSCRIBE", unsubscribe_packet(7, "a")[2:], 2),
    *after(mqtt.UNSUBSCRIBE, "UNSUBSCRIBE", b"", b"\7", b"\0\7", b"\0\0\0\1a", b"\0\7\0\5a",
           b"\0\7\0\1a\0", bits=2),  # [MQTT-3.10.3-2]
    *(Row(f"UNSUBSCRIBE from {name!r}", unsubscribe_packet(7, name))
      for name in (*BAD_FILTERS, *NO_TEXTS)),
    *flags(mqtt.PINGREQ, "PINGREQ", b"", 0),
    Row("PINGREQ with a body", packet(mqtt.PINGREQ, b"\0")),
    *flags(mqtt.DISCONNECT, "DISCONNECT", b"", 0),  # [MQTT-3.14.1-1]
    Row("DISCONNECT with a body", packet(mqtt.DISCONNECT, b"\0")),
    Row("something behind DISCONNECT", packet(mqtt.DISCONNECT) + packet(mqtt.PINGREQ)),
]
