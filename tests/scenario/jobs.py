#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mass rolls: jobs over device groups, as the cloud's tools order them, while devices connect; too
many failures, stopping, going on, a power cut in the middle, running again; and bad orders."""
import concurrent.futures
import itertools
import json
import os
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab import keys  # noqa: E402
from lab.operator import Operator  # noqa: E402
from lab.scenario import Scenario, main  # noqa: E402
from lab.steady import Steady  # noqa: E402

VERSION = "api-version=2022-07-31"
METHODS = "$iothub/methods/POST/#"
DESIRED = "$iothub/twin/PATCH/properties/desired/#"
ALL = "SELECT * FROM devices"
PATIENCE = 120


class Device(threading.Thread):
    """A connected device that answers every method with `status`, once it may; notes what came."""

    def __init__(self, server, name, sas, status=200, may=None):
        super().__init__(daemon=True)
        self.status, self.may, self.methods, self.desired = status, may, [], []
        self.mqtt = keys.at_hub(server, name, sas)
        self.mqtt.subscribe(METHODS, DESIRED)
        self.start()

    def run(self):
        try:
            while (came := self.mqtt.message(within=PATIENCE)) is not None:
                self.take(came)
        except (OSError, ValueError):
            pass  # one of us left

    def take(self, came):
        if not came.topic.startswith("$iothub/methods/POST/"):
            self.desired.append(came.json)
            return
        name, _, rid = came.topic.removeprefix("$iothub/methods/POST/").partition("/?$rid=")
        self.methods.append((name, came.json))
        if self.may is not None:
            self.may.wait(PATIENCE)
        self.mqtt.publish(f"$iothub/methods/res/{self.status}/?$rid={rid}", "{}", qos=0)

    def leave(self):
        try:
            self.mqtt.socket.shutdown(socket.SHUT_RDWR)  # what the thread waits in, returns
        except OSError:
            pass  # the server closed it before
        self.mqtt.close()
        self.join(PATIENCE)


class Central:
    """The cloud's API at the local administrator's socket."""

    def __init__(self, server):
        self.operator = Operator(server, api="/api")

    def close(self):
        self.operator.close()

    def ask(self, method, path, body=None, headers=None):
        joint = "&" if "?" in path else "?"
        return self.operator.ask(method, f"{path}{joint}{VERSION}", body, headers)

    def all(self, path, size=7):
        """All of a listing, over small pages and their nextLinks."""
        items, path = [], f"{path}?maxpagesize={size}"
        while path:
            answer = self.ask("GET", path)
            assert answer.status == 200, answer.text
            items += answer.json["value"]
            link = answer.json.get("nextLink")
            path = link and link.partition("/api")[2]  # it names the version already
        return items


class Fleet:
    """Devices under one group key, which cost no certificates."""

    def bring_up(self, count, prefix):
        self.command("group", "create", prefix, "--symmetric-key")
        key = self.command("group", "key", "show", prefix, "primary").out.strip()
        names = [f"{prefix}-{number:03}" for number in range(count)]
        self.keys = getattr(self, "keys", {})
        self.keys.update({name: keys.derived(key, name) for name in names})

        def come(name):
            sas = keys.registration_token(self.server, name, self.keys[name])
            outcome = keys.register_https(self.server, name, sas)
            assert outcome.assigned, outcome
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(come, names))
        return names

    def connect(self, name, **how):
        device = Device(self.server, name,
                        keys.device_token(self.server, name, self.keys[name]), **how)
        self.addCleanup(device.leave)
        return device


class Jobs(Scenario, Fleet):
    def setUp(self):
        self.central = Central(self.server)
        self.addCleanup(lambda: self.central.close())

    def put_group(self, name, where):
        answer = self.central.ask("PUT", f"/deviceGroups/{name}", {
            "displayName": f"Group {name}", "filter": f"{ALL} WHERE {where}"})
        self.assertEqual(answer.status, 200, answer.text)
        return name

    def put_job(self, name, group, data, **more):
        answer = self.central.ask("PUT", f"/jobs/{name}", {
            "displayName": f"Job {name}", "group": group, "data": data, **more})
        self.assertEqual(answer.status, 200, answer.text)
        self.assertEqual(answer.json["status"], "pending")
        return answer.json

    def job(self, name):
        return self.central.ask("GET", f"/jobs/{name}").json

    def until(self, name, *statuses):
        end = time.monotonic() + PATIENCE
        while (job := self.job(name))["status"] not in statuses:
            self.assertLess(time.monotonic(), end, job)
            time.sleep(0.05)
        return job

    def states(self, name):
        return {each["id"]: each["status"] for each in self.central.all(f"/jobs/{name}/devices")}

    def desired(self, name):
        return self.command("device", "twin", name, "--json").json["properties"]["desired"]

    def test_devices_get_it_as_they_connect(self):
        names = self.bring_up(24, self.own("dev"))
        early = [self.connect(name) for name in names[::2]]
        group = self.put_group(self.own("group"), f"STARTS_WITH($id, '{self.own('dev')}')")
        members = self.central.all(f"/deviceGroups/{group}/devices")
        self.assertEqual([member["id"] for member in members], names)
        name = self.own("job")
        self.put_job(name, group, [
            {"type": "property", "target": "dtmi:x;1", "path": "interval", "value": 5},
            {"type": "PropertyJobData", "path": "motor.speed", "value": 2.5},
            {"type": "command", "path": "reboot", "value": {"in": 3}}])
        late = []
        for each in names[1::2]:
            late.append(self.connect(each))
            time.sleep(0.02)
        job = self.until(name, "complete", "cancelled", "failed")
        self.assertEqual(job["progress"],
                         {"total": 24, "pending": 0, "completed": 24, "failed": 0}, job)
        self.assertEqual(job["status"], "complete")
        for device in early + late:
            self.assertEqual(device.methods, [("reboot", {"in": 3})])
        for device in early:
            self.assertEqual([patch["interval"] for patch in device.desired], [5])
        for each in names:
            desired = self.desired(each)
            self.assertEqual((desired["interval"], desired["motor"]["speed"], desired["$version"]),
                             (5, 2.5, 2))
        self.assertEqual(self.states(name), dict.fromkeys(names, "completed"))

    def test_too_many_failures_cancel_it_and_the_failed_run_again(self):
        names = self.bring_up(40, self.own("dev"))
        devices = {name: self.connect(name, status=500 if number % 2 else 200)
                   for number, name in enumerate(names)}
        group = self.put_group(self.own("group"), f"STARTS_WITH($id, '{self.own('dev')}')")
        name = self.own("job")
        order = [{"type": "command", "path": "update"}]
        self.put_job(name, group, order, batch={"type": "number", "value": 10},
                     cancellationThreshold={"type": "percentage", "value": 20, "batch": False})
        job = self.until(name, "complete", "cancelled", "failed")
        self.assertEqual(job["status"], "cancelled")
        self.assertIn("threshold", job["statusMessage"])
        self.assertGreater(job["progress"]["failed"], 8)
        self.assertGreaterEqual(job["progress"]["pending"], 20, "the last batches never began")
        for each in names[20:]:
            self.assertEqual(devices[each].methods, [])
        listed = self.central.all(f"/jobs/{name}/devices")
        self.assertEqual({each.get("statusMessage") for each in listed
                          if each["status"] == "failed"}, {"the device answered 500"})

        failed = [each for each, status in self.states(name).items() if status == "failed"]
        for each in failed:
            devices[each].status = 200
        again = self.own("again")
        answer = self.central.ask("PUT", f"/jobs/{name}/rerun/{again}")
        self.assertEqual((answer.status, answer.json["id"]), (200, again), answer.text)
        self.until(again, "complete")
        self.assertEqual(self.states(again), dict.fromkeys(failed, "completed"))
        self.assertEqual(self.central.ask("PUT", f"/jobs/{again}/rerun/x").status, 409)

    def test_it_stops_and_goes_on(self):
        names = self.bring_up(12, self.own("dev"))
        may = threading.Event()
        devices = [self.connect(name, may=may) for name in names]
        group = self.put_group(self.own("group"), f"STARTS_WITH($id, '{self.own('dev')}')")
        name = self.own("job")
        self.put_job(name, group, [{"type": "command", "path": "update"}],
                     batch={"type": "percentage", "value": 25})
        end = time.monotonic() + PATIENCE
        while sum(len(device.methods) for device in devices) < 3:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)
        self.assertEqual(self.central.ask("POST", f"/jobs/{name}/stop").status, 204)
        may.set()
        self.assertEqual(self.job(name)["status"], "stopped")
        self.assertEqual(self.central.ask("POST", f"/jobs/{name}/resume").status, 204)
        job = self.until(name, "complete")
        self.assertEqual(job["progress"]["completed"], 12)
        for device in devices:
            self.assertEqual(device.methods, [("update", None)], "once, whatever happened")
        self.assertEqual(self.central.ask("POST", f"/jobs/{name}/resume").status, 409)
        self.assertEqual(self.central.ask("POST", f"/jobs/{name}/stop").status, 409)

    def test_a_power_cut_in_the_middle(self):
        names = self.bring_up(150, self.own("dev"))
        group = self.put_group(self.own("group"), f"STARTS_WITH($id, '{self.own('dev')}')")
        name = self.own("job")
        cuts = 0
        self.put_job(name, group, [{"type": "property", "path": "interval", "value": 9}],
                     batch={"type": "number", "value": 20})
        for wait in (0.0, 0.03, 0.06, 0.1):
            if self.job(name)["status"] not in ("pending", "running"):
                break
            time.sleep(wait)
            self.server.kill()
            self.server.start()
            self.central.close()
            self.central = Central(self.server)
            cuts += 1
        self.assertGreater(cuts, 0)
        job = self.until(name, "complete", "failed", "cancelled")
        self.assertEqual((job["status"], job["progress"]["completed"]), ("complete", 150), job)
        for each in names:
            desired = self.desired(each)
            self.assertEqual((desired["interval"], desired["$version"]), (9, 2), each)

    def test_a_command_whose_answer_a_power_cut_took_is_told_of(self):
        names = self.bring_up(6, self.own("dev"))
        never = threading.Event()
        devices = [self.connect(name, may=never) for name in names]
        self.addCleanup(never.set)
        group = self.put_group(self.own("group"), f"STARTS_WITH($id, '{self.own('dev')}')")
        name = self.own("job")
        self.put_job(name, group, [{"type": "command", "path": "update"}],
                     batch={"type": "number", "value": 2})
        end = time.monotonic() + PATIENCE
        while sum(len(device.methods) for device in devices) < 2:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)
        self.server.kill()
        self.server.start()
        self.central.close()
        self.central = Central(self.server)
        again = [self.connect(each) for each in names]
        job = self.until(name, "complete")
        self.assertEqual(job["progress"], {"total": 6, "pending": 0, "completed": 4, "failed": 2})
        for device, second, each in zip(devices, again, self.central.all(f"/jobs/{name}/devices")):
            if device.methods:
                self.assertEqual((each["status"], second.methods), ("failed", []))
                self.assertIn("may have reached the device", each["statusMessage"])
            else:
                self.assertEqual((each["status"], second.methods), ("completed",
                                                                    [("update", None)]))


class BadOrders(Steady):
    def setUp(self):
        self.central = Central(self.server)
        self.addCleanup(self.central.close)

    def rows(self, rows):
        for method, path, body, status, code in rows:
            with self.row(f"{method} {path} {json.dumps(body)[:80]}"):
                before = [self.central.ask("GET", each).json for each in ("/deviceGroups", "/jobs")]
                answer = self.central.ask(method, path, body)
                self.assertEqual(answer.status, status, answer.text)
                self.assertEqual(answer.json["error"]["code"], code, answer.text)
                self.assertTrue(answer.json["error"]["message"])
                self.assertEqual(answer.headers["x-ms-error-code"], code)
                after = [self.central.ask("GET", each).json for each in ("/deviceGroups", "/jobs")]
                self.assertEqual(before, after)

    def test_device_groups_that_may_not_be(self):
        good = {"displayName": "G", "filter": ALL}
        self.rows([
            ("GET", "/deviceGroups/nobody", None, 404, "NotFound"),
            ("DELETE", "/deviceGroups/nobody", None, 404, "NotFound"),
            ("PATCH", "/deviceGroups/nobody", {"displayName": "G"}, 404, "NotFound"),
            ("GET", "/deviceGroups/nobody/devices", None, 404, "NotFound"),
            ("POST", "/deviceGroups/a", good, 405, "MethodNotAllowed"),
            ("PUT", "/deviceGroups/a", {}, 422, "InvalidBody"),
            ("PUT", "/deviceGroups/a", {"displayName": "G"}, 422, "InvalidBody"),
            ("PUT", "/deviceGroups/a", {"filter": ALL}, 422, "InvalidBody"),
            ("PUT", "/deviceGroups/a", {**good, "displayName": 7}, 422, "InvalidBody"),
            ("PUT", "/deviceGroups/a", {**good, "displayName": "x" * 257}, 422, "InvalidBody"),
            ("PUT", "/deviceGroups/a", {**good, "displayName": "\x01"}, 422, "InvalidBody"),
            ("PUT", "/deviceGroups/a", {**good, "id": "b"}, 422, "InvalidBody"),
            ("PUT", "/deviceGroups/a", {**good, "etag": "W/1"}, 412, "PreconditionFailed"),
            ("PUT", "/deviceGroups/a", {**good, "organizations": ["o"]}, 422, "NotOffered"),
            ("PUT", "/deviceGroups/a%20b", good, 400, "BadRequest"),
            ("PUT", "/deviceGroups/" + "a" * 256, good, 400, "BadRequest"),
            ("PUT", "/deviceGroups/a", "[", 400, "BadRequest"),
            *(("PUT", "/deviceGroups/a", {**good, "filter": text}, 422, "InvalidBody")
              for text in ("", "x", "SELECT", "SELECT id FROM devices", ALL + " WHERE",
                           ALL + " WHERE $x = 1", ALL + " WHERE a = 'b", ALL + "; DROP TABLE jobs",
                           ALL + " WHERE " + "(" * 4000 + "a" + ")" * 4000,
                           ALL + " WHERE a IN [" + "1," * 600 + "1]",
                           ALL + " WHERE a = '" + "x" * 17000 + "'", ALL + " WHERE a = '\0'x")),
        ])

    def test_jobs_that_may_not_be(self):
        self.central.ask("PUT", "/deviceGroups/all", {"displayName": "All", "filter": ALL})
        step = {"type": "property", "path": "a", "value": 1}
        good = {"group": "all", "data": [step]}
        bad_data = (
            None, {}, [], [1], ["a"], [{}], [{"type": "property"}], [{**step, "type": "magic"}],
            [{**step, "type": 7}], [{**step, "path": 7}], [{**step, "path": ""}],
            [{**step, "path": "a.b.c"}], [{**step, "path": "$a"}], [{**step, "target": 1}],
            [{"type": "property", "path": "a"}], [step, step], [step, {**step, "path": "a.b"}],
            [step] * 21)
        bad_shares = ({}, 7, {"type": "number"}, {"value": 1}, {"type": "some", "value": 1},
                      {"type": "number", "value": "1"}, {"type": "number", "value": -1},
                      {"type": "number", "value": 1.5}, {"type": "percentage", "value": 101},
                      {"type": "number", "value": 1e300})
        self.rows([
            ("GET", "/jobs/nobody", None, 404, "NotFound"),
            ("GET", "/jobs/nobody/devices", None, 404, "NotFound"),
            ("POST", "/jobs/nobody/stop", None, 404, "NotFound"),
            ("POST", "/jobs/nobody/resume", None, 404, "NotFound"),
            ("PUT", "/jobs/nobody/rerun/a", None, 404, "NotFound"),
            ("PUT", "/jobs/nobody/rerun/a%20b", None, 400, "BadRequest"),
            ("DELETE", "/jobs/a", None, 405, "MethodNotAllowed"),
            ("GET", "/jobs/nobody/stop", None, 405, "MethodNotAllowed"),
            ("PUT", "/jobs/a%2Fb", good, 400, "BadRequest"),
            ("PUT", "/jobs/a", {"data": [step]}, 422, "InvalidBody"),
            ("PUT", "/jobs/a", {**good, "group": "nobody"}, 422, "InvalidBody"),
            ("PUT", "/jobs/a", {**good, "group": 7}, 422, "InvalidBody"),
            ("PUT", "/jobs/a", {**good, "id": "b"}, 422, "InvalidBody"),
            ("PUT", "/jobs/a", {**good, "displayName": ["x"]}, 422, "InvalidBody"),
            ("PUT", "/jobs/a", {**good, "organizations": ["o"]}, 422, "NotOffered"),
            *(("PUT", "/jobs/a", {**good, "data": data}, 422, "InvalidBody") for data in bad_data),
            *(("PUT", "/jobs/a", {**good, "data": [{**step, "type": kind}]}, 422, "NotOffered")
              for kind in ("cloudProperty", "CloudPropertyJobData", "deviceTemplateMigration",
                           "deviceManifestMigration")),
            *(("PUT", "/jobs/a", {**good, "batch": share}, 422, "InvalidBody")
              for share in (*bad_shares, {"type": "number", "value": 0})),
            *(("PUT", "/jobs/a", {**good, "cancellationThreshold": share}, 422, "InvalidBody")
              for share in bad_shares),
            ("PUT", "/jobs/a", {**good, "cancellationThreshold": {
                "type": "number", "value": 1, "batch": "yes"}}, 422, "InvalidBody"),
            ("PUT", "/jobs/a", {**good, "data": [{**step, "value": "x" * 140000}]}, 413,
             "RequestBodyTooLarge"),
        ])
        self.central.ask("DELETE", "/deviceGroups/all")
        self.a_good_device_comes_in()

    def test_groups_and_jobs_up_to_their_bounds(self):
        number = itertools.count()
        for _ in range(500):
            answer = self.central.ask("PUT", f"/deviceGroups/g-{next(number)}",
                                      {"displayName": "G", "filter": ALL})
            self.assertEqual(answer.status, 200, answer.text)
        self.rows([("PUT", "/deviceGroups/one-more", {"displayName": "G", "filter": ALL}, 409,
                    "Conflict")])
        for each in range(500):
            self.assertEqual(self.central.ask("DELETE", f"/deviceGroups/g-{each}").status, 204)
        self.assertEqual(self.central.all("/deviceGroups"), [])


if __name__ == "__main__":
    main()
