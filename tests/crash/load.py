# SPDX-License-Identifier: Apache-2.0
"""Devices and an operator at full rate, who write down what they were answered."""
import http.client
import itertools
import json
import os
import ssl
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.device import Conversation, context_of  # noqa: E402
from lab.makers import Rollcall  # noqa: E402

GONE = (OSError, http.client.HTTPException, ssl.SSLError)  # the server died in the midst of it
FLEET, SLOTS = "fleet", "slots"
PATIENT = 60


class Fleet:
    """Made once: devices with a leaf under each of two roots, and CAs for an operator to put in."""

    def __init__(self, directory, count):
        ours = Rollcall(directory)
        self.roots = [ours.root(f"Root {letter}") for letter in "AB"]
        self.spare = [ours.root(f"Spare {number}") for number in range(4)]
        leaves = [ours.fleet(root, "dev-{}", 1, count, f"under-{number}")
                  for number, root in enumerate(self.roots)]
        self.devices = list(leaves[0])
        self.credentials = {device: [made[device].alone for made in leaves]
                            for device in self.devices}

    @staticmethod
    def pem(party):
        with open(party.certificate, encoding="utf-8") as file:
            return file.read()


class Surprise(Exception):
    """An answer that is not among those allowed."""


class Operator:
    """The native API on one connection."""

    def __init__(self, server):
        with open(os.path.join(server.data, "admin-token"), encoding="utf-8") as file:
            self.token = file.read().strip()
        context = ssl.create_default_context(cafile=server.ca_file)
        context.check_hostname = False
        host, port = server.doors["operator"]
        self.http = http.client.HTTPSConnection(host, port, context=context, timeout=PATIENT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.close()

    def ask(self, method, path, body=None):
        sent = {"Authorization": f"Bearer {self.token}"}
        if body is not None:
            sent["Content-Type"] = "application/json"
        self.http.request(method, "/api/v1" + path, None if body is None else json.dumps(body),
                          sent)
        answer = self.http.getresponse()
        text = answer.read().decode()
        return answer.status, json.loads(text) if text else None


def is_refusal_of_a_device(answer):
    """503 with DPS' error body, a time to come back, and nothing about our disk; 500 where SQLite
    takes a read that failed for a damaged file."""
    body = answer.json
    if "disk" in body["message"] or not body["trackingId"]:
        return False
    return ((answer.status, body["errorCode"]) == (500, 500001) or
            (answer.status, body["errorCode"]) == (503, 503001) and "retry-after" in answer.headers)


def is_refusal_of_an_operator(status, body):
    """503 with the problem in words; 500 as above."""
    codes = {503: ("disk-full", "storage-failed"), 500: ("internal",)}
    return body["code"] in codes.get(status, ()) and body["detail"] and body["trackingId"]


class Load:
    """`names`: makes reasons and groups of this load its own. `faulty`: refusals for a failing
    disk are allowed; else the first one is a surprise. `ballast`: the operator changes the twin
    alone, and makes it so large."""

    def __init__(self, server, fleet, books, names, faulty=False, ballast=0):
        self.server, self.fleet, self.books = server, fleet, books
        self.names, self.faulty, self.ballast = names, faulty, ballast
        self.stop, self.surprises, self.threads = threading.Event(), [], []
        self.mortal = False  # the server may die before stop is set

    def start(self, devices=4):
        for number in range(devices):
            self._thread(self._register_all, self.fleet.devices[number::devices])
        self._thread(self._change_all)
        return self

    def end(self):
        """Waits for who is in the midst of something."""
        self.stop.set()
        for thread in self.threads:
            thread.join(PATIENT)
        if self.surprises:
            raise self.surprises[0]

    def _thread(self, work, *arguments):
        def run():
            try:
                work(*arguments)
            except GONE as gone:
                if not self.stop.is_set() and not self.mortal:
                    self.surprises.append(gone)
            except Exception as surprise:  # shown by end()
                self.surprises.append(surprise)
        self.threads.append(threading.Thread(target=run, daemon=True))
        self.threads[-1].start()

    # --- devices ---

    def _register_all(self, devices):
        for turn, device in enumerate(itertools.cycle(devices)):
            if self.stop.is_set():
                return
            self.register(device, turn // len(devices) % 2, turn % 4 == 0)

    def register(self, device, root, polls=False):
        """True: acknowledged."""
        credential = self.fleet.credentials[device][root]
        contexts = self.books.contexts
        if credential.chain not in contexts:
            contexts[credential.chain] = context_of(self.server, credential)
        context = contexts[credential.chain]
        with Conversation(self.server, context=context) as talk:
            answer = talk.put(device)
            if answer.status != 202:
                return self._refused(device, answer)
            operation = answer.json["operationId"]
            self.books.registered(device, operation)
            if polls:
                answer = talk.poll(device, operation)
                if answer.status != 200 or answer.json["status"] != "assigned":
                    return self._refused(device, answer)
        return True

    def _refused(self, device, answer):
        raced = answer.status == 409 and answer.json.get("errorCode") == 409203
        if not raced and not (self.faulty and is_refusal_of_a_device(answer)):
            raise Surprise(f"{device}: {answer.status} {answer.text}")
        self.books.refused += 1
        return False

    # --- the operator ---

    def _change_all(self):
        with Operator(self.server) as operator:
            for turn in itertools.count(3, 5) if self.ballast else itertools.count():
                if self.stop.is_set():
                    return
                self.change(operator, turn)

    def change(self, operator, turn):
        """The next of a row of changes; True: acknowledged."""
        group = f"group-{self.names}-{turn // 5}"
        spare = self.fleet.spare[turn // 5 % len(self.fleet.spare)]
        tag = f"{self.names}-{turn}"
        twin = {"tags": {"is": tag, "ballast": "x" * self.ballast}}
        about, value, method, path, body = (
            (group, True, "POST", "/groups", {"id": group}),
            ("slot", os.path.basename(spare.certificate), "PUT",
             f"/groups/{SLOTS}/certificates/primary",
             {"certificate": self.fleet.pem(spare), "mode": "replaceNow", "vouch": True}),
            ("enabled", turn // 5 % 2 == 0, "PATCH", f"/groups/{SLOTS}",
             {"enabled": turn // 5 % 2 == 0}),
            ("tag", tag, "PATCH", f"/groups/{FLEET}", {"initialTwin": twin}),
            (group, None, "DELETE", f"/groups/{group}?reason=change-{tag}", None),
        )[turn % 5]
        reason = f"change-{tag}"
        if body is not None:
            body["reason"] = reason
        before = self.books.asks(about, value)
        status, told = operator.ask(method, path, body)
        if status in (200, 201):
            self.books.changed(about, value, reason, before)
            return True
        if status == 404 and self.faulty and method == "DELETE":
            self.books.changed(about, None, reason, [None])  # it was never made
            return False
        if not (self.faulty and is_refusal_of_an_operator(status, told)):
            raise Surprise(f"{method} {path}: {status} {told}")
        self.books.refused += 1  # what was refused may come true: its sync failed, not its write
        return False


def prepare(server, fleet, books):
    """The groups that devices and the operator of a Load work with."""
    books.states = {"enabled": [True], "tag": [None],
                    "slot": [os.path.basename(fleet.spare[0].certificate)]}
    with Operator(server) as operator:
        for name, slots in ((FLEET, fleet.roots), (SLOTS, fleet.spare[:1])):
            status, told = operator.ask("POST", "/groups", {"id": name})
            if status not in (201, 409):
                raise Surprise(f"group {name}: {status} {told}")
            for slot, root in zip(("primary", "secondary"), slots):
                status, told = operator.ask(
                    "PUT", f"/groups/{name}/certificates/{slot}",
                    {"certificate": fleet.pem(root), "vouch": True})
                if status != 200:
                    raise Surprise(f"slot of {name}: {status} {told}")


def states_of(server, books):
    """What the server says of all that a Load changes; to be held against Books.states."""
    with Operator(server) as operator:
        listed, after = {}, ""
        while after is not None:
            _, page = operator.ask("GET", f"/groups?limit=100&after={after}")
            listed.update({item["id"]: item for item in page["items"]})
            after = page["next"]
    if SLOTS not in listed:
        return dict.fromkeys(books.states)  # all is lost
    slots, twin = listed[SLOTS], listed[FLEET]["initialTwin"]
    current = slots["certificates"]["primary"]["current"]
    said = {"enabled": slots["enabled"], "tag": twin["tags"]["is"] if twin else None,
            "slot": current["certificate"]["commonName"].lower().replace(" ", "-") + ".pem"}
    return {about: said[about] if about in said else (True if about in listed else None)
            for about in books.states}
