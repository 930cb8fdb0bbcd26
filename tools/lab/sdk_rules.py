# SPDX-License-Identifier: Apache-2.0
"""What the Azure SDKs make of an answer of DPS over MQTT, and what they insist on: AssertionError,
LookupError or ValueError where the SDK would fail on the answer itself. All give a Told.

Written after what their sources do; each takes the answer's topic, its body and the $rid asked
with.
"""
import collections
import json
import re

PREFIX = "$dps/registrations/res/"

# outcome: assigned, again (with the seconds the SDK waits), refused, disabled. hub, device: as the
# application is told.
Told = collections.namedtuple("Told", "outcome seconds hub device", defaults=(None, None, None))


def need(holds, why):
    if not holds:
        raise AssertionError(why)


def state_of(body):
    state = body["registrationState"]
    need(isinstance(state, dict), "registrationState is no object")
    return state


def assigned(body):
    state = state_of(body)
    hub, device = state["assignedHub"], state["deviceId"]
    need(isinstance(hub, str) and hub and isinstance(device, str) and device, "no hub or no device")
    return Told("assigned", None, hub, device)


def node(topic, payload, rid):
    """The body is parsed before anything else, of errors too; it knows no "disabled"."""
    found = re.match(r"^\$dps/registrations/res/(.*)/\?(.*)$", topic)
    need(found, "the topic does not match")
    fields = dict(part.split("=", 1) for part in found[2].split("&"))
    need(fields["$rid"] == rid, "another $rid")
    body, status = json.loads(payload), int(found[1])
    if status >= 300:
        return Told("again", int(fields["retry-after"])) if status >= 429 else Told("refused")
    if body["status"] in ("registering", "assigning"):
        return Told("again", int(fields.get("retry-after", "2")))
    if body["status"] == "assigned":
        return assigned(body)
    return Told("refused" if body["status"] == "failed" else "disabled")  # a SyntaxError to it


def csharp(topic, payload, _):
    """$rid comes first; an error's body is an object with the error in it."""
    found = re.match(r"^\$dps/registrations/res/(.*?)/\?\$rid=(.*?)$", topic)
    need(found and int(found[1]), "the topic does not match")
    need(len(payload) <= 256 * 1024, "the body is too large")
    body = json.loads(payload)
    need(isinstance(body, dict), "the body is no object")
    if int(found[1]) >= 400:
        need(isinstance(body["errorCode"], int) and body["trackingId"], "no error in the body")
        return Told("refused")
    retry = re.search(r"[&?]retry-after=(\d+)", topic)
    need(isinstance(body["operationId"], str), "no operation")
    if body["status"] in ("assigning", "unassigned"):
        return Told("again", max(2, int(retry[1])) if retry else 2)
    return outcome(body)


def outcome(body):
    if body["status"] == "assigned":
        return assigned(body)
    need(body["status"] in ("failed", "disabled"), f"status is {body['status']}")
    return Told("refused" if body["status"] == "failed" else "disabled")


def python(topic, payload, rid):
    """Two $ in the topic, every pair once, numbers in decimal."""
    need(topic.startswith(PREFIX), "another topic")
    parts = topic.split("$")
    need(len(parts) == 3, f"{len(parts) - 1} $ in the topic")
    pairs = [pair.split("=") for pair in parts[2].split("&")]
    need(all(len(pair) == 2 for pair in pairs), "a pair without value")
    fields = dict(pairs)
    need(len(fields) == len(pairs), "a key twice")
    need(fields["rid"] == rid, "another $rid")
    status, retry = int(parts[1].split("/")[3], 10), int(fields.get("retry-after", "2"), 10)
    if status >= 429:
        return Told("again", retry)
    if status >= 300:
        return Told("refused")
    body = json.loads(payload.decode())
    if body["status"] == "assigning":
        need(body["operationId"], "no operation")
        return Told("again", retry)
    return outcome(body)


def c(topic, payload, _):
    """The status stands right behind the prefix; words and members in their exact spelling."""
    need(topic.startswith(PREFIX), "another topic")
    if int(re.match(r"\d*", topic[len(PREFIX):])[0] or 0) >= 429:
        return Told("again", seconds_of(topic))
    body = json.loads(payload)
    if "status" not in body:
        return Told("refused")
    if body["status"] == "assigning":
        need(isinstance(body["operationId"], str), "no operation")
        return Told("again", seconds_of(topic))
    if body["status"] == "failed":
        state = state_of(body)
        need(isinstance(body["operationId"], str) and isinstance(state["errorCode"], int),
             "no operation or no number of the error")
        need(state["errorMessage"] and state["lastUpdatedDateTimeUtc"], "nothing about the error")
    return outcome(body)


def seconds_of(topic):
    found = re.search(r"retry-after.(\d+)", topic)
    return int(found[1]) if found and 1 <= int(found[1]) <= 300 else 1


def java(topic, payload, _):
    """The topic's status does not count; a body that is no operation is read as an error."""
    retry = [part for part in topic.split("&") if "retry-after" in part]
    seconds = int(retry[0][len("retry-after") + 1:]) if retry else 2
    body = json.loads(payload)
    if not (body.get("operationId") is not None and body.get("status")):
        need(isinstance(body["errorCode"], int) and body["message"], "neither operation nor error")
        return Told("refused")
    if "registrationState" in body:
        state = state_of(body)
        need(state["registrationId"] and state["status"], "no id or status in the state")
        for name in ("certificateInfo", "signingCertificateInfo"):
            info = state.get("x509", {}).get(name)
            need(info is None or all(info.get(member) for member in (
                "subjectName", "sha1Thumbprint", "sha256Thumbprint", "issuerName", "notBeforeUtc",
                "notAfterUtc", "serialNumber", "version")), f"half a {name}")
    if body["status"] == "assigning":
        return Told("again", seconds if 2 <= seconds <= 5 else 2)
    return outcome(body)


def embedded_c(topic, payload, _):
    """Operation and status, or an error; hub and device both or neither; a payload is an object."""
    need(topic.startswith(PREFIX), "another topic")
    status = re.match(r"(\d+)/", topic[len(PREFIX):])
    need(status, "no status")
    retry = re.search(r"retry-after=(\d+)", topic)
    body = json.loads(payload)
    need(isinstance(body, dict), "the body is no object")
    if not ("operationId" in body and "status" in body):
        need(body["errorCode"] // 1000 == int(status[1]), "the error is not that of the topic")
        return Told("refused")
    need(isinstance(body["operationId"], str), "no operation")
    state = body.get("registrationState", {})
    need(("assignedHub" in state) == ("deviceId" in state), "a hub without device or the reverse")
    need(isinstance(state.get("payload"), (dict, type(None))), "the payload is no object")
    if body["status"] == "assigning":
        return Told("again", int(retry[1]) if retry else 0)
    return outcome(body)


ALL = {"Node": node, "C#": csharp, "Python": python, "C": c, "Java": java, "Embedded C": embedded_c}
