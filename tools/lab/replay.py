# SPDX-License-Identifier: Apache-2.0
"""Holds a recorded conversation (lab.traces) with a server, in the client's place."""
import concurrent.futures
import http.client
import itertools
import json
import re

from . import amqp, keys, mqtt, sdk_rules, traces
from .device import connect, context_of

KINDS = {"open": amqp.OPEN, "begin": amqp.BEGIN, "attach": amqp.ATTACH, "flow": amqp.FLOW,
         "transfer": amqp.TRANSFER, "disposition": amqp.DISPOSITION,
         "mechanisms": amqp.MECHANISMS, "outcome": amqp.OUTCOME}
# The field with the handle, the delivery or the code.
ABOUT = {amqp.ATTACH: 1, amqp.FLOW: 4, amqp.TRANSFER: 0, amqp.DISPOSITION: 1, amqp.OUTCOME: 0}
# With these a server answers a client that ends, which looks at none of them.
ENDS = (amqp.DETACH, amqp.END, amqp.CLOSE)


class Replay:
    """One conversation of a device with a server; `answers`: topic and body of each of DPS',
    `rejections`: condition and body. `key`: what it signs with, instead of a certificate."""

    def __init__(self, scenario, trace, device, credential, door, handshake=None, key=None):
        self.scenario, self.server, self.trace, self.door = scenario, scenario.server, trace, door
        self.known = {"id": device, "scope": self.server.scope, "host": self.server.name}
        self.context = context_of(self.server, credential, trace.tls)
        self.handshake, self.key = handshake, key
        self.answers, self.rejections = [], []
        self.operator = concurrent.futures.ThreadPoolExecutor(1)
        self.call = None

    def run(self):
        with self.operator:
            if self.door == "https":
                self.over_https()
            elif self.door in ("amqp", "amqp-ws"):
                self.over_amqp()
            else:
                self.over_mqtt()
        return self

    def connected(self, kind):
        """Mqtt or Amqp, by its own port or inside a WebSocket."""
        if self.handshake is None:
            return kind(self.server, context=self.context)
        request = self.handshake.request(self.known)
        key = request.decode().partition("Sec-WebSocket-Key: ")[2].partition("\r\n")[0]
        client = kind(self.server, context=self.context, websocket={"request": (request, key)})
        self.scenario.assertIn(  # in the client's spelling
            b"-Protocol: " + client.socket.field("sec-websocket-protocol").encode(),
            request.replace(b"-protocol", b"-Protocol"))
        return client

    def over_mqtt(self):
        with self.connected(mqtt.Mqtt) as client:
            for step in self.trace.steps:
                if step.kind == ">":
                    client.send(step.bytes(self.known))
                elif step.kind == "!":
                    self.operate(step)
                else:
                    self.expect(step, client.next())
            left = client.rest()  # the last step is a DISCONNECT
        self.scenario.assertEqual(left, [], "the client did not ask for that")

    def expect(self, step, came):
        self.scenario.assertIsNotNone(came, f"the door closed where this was due: {step}")
        taken = step.take(mqtt.packet(came.kind, came.body, came.flags), self.known)
        self.scenario.assertIsNotNone(taken, f"{step}: {step.lines}\nbut what came is {came}")
        text = taken.pop("json", None)
        if text is not None:
            self.answers.append((came.topic, text.encode()))
            taken["operation"] = json.loads(text).get("operationId", "")
        taken.pop("status", None)  # of this answer only
        self.known.update(taken)

    # --- AMQP ---

    def over_amqp(self):
        came = []  # and not asked for yet
        with self.connected(amqp.Amqp) as client:
            for step in self.trace.steps:
                if step.kind == ">":
                    self.sign(step)
                    client.send(step.frame(self.known))
                elif step.kind == "!":
                    self.operate(step)
                elif step.words.endswith("header"):
                    self.scenario.assertEqual(client.read(8), step.frame(self.known))
                else:
                    self.expect_frame(step, self.due(step, client, came))
            while (last := client.frame()) is not None:
                came.append(last)
        self.scenario.assertEqual([each for each in came if each.kind not in ENDS], [],
                                  "the client did not ask for that")

    def due(self, step, client, came):
        """The frame that the step names, taken out of what came."""
        kind, about, *_ = [*step.words.split(" "), None]
        kind, about = KINDS[kind], about and int(about)
        for seen in itertools.count():
            if seen == len(came):
                came.append(client.frame())
                self.scenario.assertIsNotNone(came[-1], f"the door closed where this was due: {step}")
            fields = came[seen].fields
            if came[seen].kind == kind and (about is None or fields[ABOUT[kind]] == about):
                return came.pop(seen)
        return None

    def expect_frame(self, step, came):
        due = dict(line.split(" ", 1) for line in step.lines)
        equal = self.scenario.assertEqual
        if came.kind == amqp.ATTACH:
            self.scenario.assertNotIn(None, came.fields[5:7], f"{step}: refused")
            self.scenario.assertTrue(came.fields[10], f"{step}: max-message-size")
        elif came.kind == amqp.DISPOSITION:
            outcome = {"accepted": amqp.ACCEPTED, "rejected": amqp.REJECTED}[step.words.split()[-1]]
            equal(came.fields[4].descriptor, outcome, f"{step}, but {came.fields[4]}")
            if outcome == amqp.REJECTED:
                condition, text = came.fields[4].value[0].value
                equal(condition, due["error"])
                self.rejections.append((condition, json.loads(text)))
        elif came.kind == amqp.TRANSFER:
            message = amqp.Message(came.payload)
            equal(message.annotations, json.loads(due.get("annotations", "{}")), step)
            equal(message.properties, json.loads(due.get("properties", "{}")), step)
            if due.get("correlation") == "ident":
                self.known["ident"] = message.correlation
            elif "correlation" in due:
                equal(str(message.correlation), due["correlation"], step)
            self.expect_body(due.get("body", "''").strip("'"), message)

    def expect_body(self, due, message):
        """An answer of DPS is told as over MQTT, so that the same rules read it."""
        if due != "<json>":
            self.scenario.assertEqual(message.body.decode(), traces.filled(due, self.known))
            return
        wait = message.properties.get("retry-after")
        self.answers.append((f"{sdk_rules.PREFIX}{202 if wait else 200}/?$rid=1" +
                             (f"&retry-after={wait}" if wait else ""), message.body))
        self.known["operation"] = message.json["operationId"]

    def sign(self, step):
        """<signature> and <end> of the resource that a token in this step is for, escaped as C does."""
        resource = re.search(r"sr=([^&']*)", " ".join(step.lines))
        if resource:
            token = keys.token(self.key, traces.filled(resource[1], self.known), encoded=False)
            signature, _, self.known["end"] = token.partition("&sig=")[2].partition("&se=")
            self.known["signature"] = re.sub("%..", lambda escaped: escaped[0].lower(), signature)

    # --- HTTPS ---

    def over_https(self):
        with connect(self.server, self.context) as socket:
            answer = None
            for step in self.trace.steps:
                if step.kind == ">":
                    head, end, body = step.request(self.known).partition(b"\r\n\r\n")
                    socket.sendall(head + end)
                    if body:
                        socket.sendall(body)
                elif step.kind == "!":
                    self.operate(step)
                else:
                    answer = http.client.HTTPResponse(socket)
                    answer.begin()
                    self.expect_answer(step, answer, answer.read())

    def expect_answer(self, step, answer, body):
        """Status, headers, body."""
        status, *lines = step.lines
        self.scenario.assertEqual(str(answer.status), status, f"{step}: {body}")
        for line in lines:
            if line.startswith("|"):
                name, _, value = line[1:].strip().partition(": ")
                heard = traces.Step("<", name)
                heard.lines = [f"'{value}'"]
                taken = heard.take(answer.headers[name].encode(), self.known)
                self.scenario.assertIsNotNone(taken, f"{line}, but {answer.headers[name]}")
                self.known.update(taken)
            elif line == "'<json>'":  # told as over MQTT, so that the same rules read it
                self.answers.append((f"{sdk_rules.PREFIX}{status}/?$rid=1&retry-after="
                                     f"{answer.headers.get('Retry-After', '2')}", body))
                self.known["operation"] = json.loads(body)["operationId"]
            else:
                self.scenario.assertEqual(f"'{body.decode()}'", line)

    # --- the operator ---

    def operate(self, step):
        """desired JSON; call METHOD JSON and, once it was answered, called STATUS JSON; send BODY,
        and NAME=VALUE if need be."""
        verb, rest = step.words.split(" ", 1)
        device, command = self.known["id"], self.server.command
        if verb == "desired":
            command("device", "twin", device, "--desired", rest)
        elif verb == "call":
            self.call = self.operator.submit(command, "device", "call", device, *rest.split(" ", 1))
        elif verb == "called":
            status, body = rest.split(" ", 1)
            said = self.call.result(mqtt.PATIENCE).out.strip().split(" ", 1)
            self.scenario.assertEqual((said[0], json.loads(said[1])), (status, json.loads(body)))
        else:
            body, *bag = rest.split(" ")
            command("device", "send", device, body, *(each for one in bag
                                                      for each in ("--property", one)))
