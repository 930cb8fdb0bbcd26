# SPDX-License-Identifier: Apache-2.0
"""Symmetric keys as devices use them: shared access signatures made by hand, and what a device does
with one at its provisioning service and at its hub."""
import base64
import hashlib
import hmac
import json
import time
import urllib.parse

from .device import API_VERSION, Conversation, outcome_of
from .mqtt import (DPS_ANSWERS, Answer, Mqtt, dps_user, hub_user, register_topic)
from .device import Outcome

HOUR = 3600


def derived(key, registration):
    """The key, in base64, of a group's device."""
    made = hmac.new(base64.b64decode(key), registration.lower().encode(), hashlib.sha256)
    return base64.b64encode(made.digest()).decode()


def token(key, resource, end=HOUR, name=None, encoded=True):
    """`resource` is signed and sent percent-encoded unless told otherwise; `end`: seconds from now,
    or a text as it is to be sent."""
    resource = urllib.parse.quote(resource, safe="") if encoded else resource
    end = end if isinstance(end, str) else str(int(time.time() + end))
    made = hmac.new(base64.b64decode(key), f"{resource}\n{end}".encode(), hashlib.sha256)
    signature = urllib.parse.quote(base64.b64encode(made.digest()).decode(), safe="")
    tail = "" if name is None else f"&skn={name}"
    return f"SharedAccessSignature sr={resource}&sig={signature}&se={end}{tail}"


def registration_token(server, registration, key, end=HOUR, scope=None, name="registration",
                       encoded=True):
    return token(key, f"{scope or server.scope}/registrations/{registration}", end, name, encoded)


def device_token(server, device, key, end=HOUR, hub=None):
    return token(key, f"{hub or server.name}/devices/{device}", end)


def register_https(server, registration, sas, version=API_VERSION):
    """One registration with this token, to its end: an Outcome."""
    with Conversation(server) as conversation:
        answer = conversation.ask("PUT", conversation.path(registration, "/register", version),
                                  {"registrationId": registration}, Authorization=sas)
        while answer.status < 300 and answer.json.get("status") == "assigning":
            operation = answer.json["operationId"]
            path = conversation.path(registration, f"/operations/{operation}", version)
            answer = conversation.ask("GET", path, Authorization=sas)
        return outcome_of(answer)


def register_mqtt(server, registration, sas, **how):
    """The same over MQTT; a CONNACK that says no is an Outcome too. `how`: as of Mqtt."""
    with Mqtt(server, **how) as device:
        connack = device.connect(registration, dps_user(server, registration), password=sas)
        if connack is None or connack.code:
            return Outcome("refused", message=f"CONNACK {connack and connack.code}")
        device.subscribe(DPS_ANSWERS)
        device.publish(register_topic(1), json.dumps({"registrationId": registration}))
        answer = Answer(device.message())
        device.disconnect()
    body = answer.json
    if answer.status >= 300:
        return Outcome("refused", body.get("errorCode", 0), body.get("message", ""),
                       http_status=answer.status)
    state = body.get("registrationState", {})
    return Outcome(body["status"], state.get("errorCode", 0), state.get("errorMessage", ""), state,
                   answer.status, body.get("operationId", ""))


def at_hub(server, device, sas, **how):
    """A device at its hub over MQTT; ConnectionRefusedError when the hub does not want it."""
    mqtt = Mqtt(server, **how)
    connack = mqtt.connect(device, hub_user(server, device), password=sas)
    if connack is None or connack.code:
        mqtt.close()
        raise ConnectionRefusedError(f"CONNACK {connack and connack.code}")
    return mqtt
