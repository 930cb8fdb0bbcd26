# SPDX-License-Identifier: Apache-2.0
"""What stories about MQTT share: a device that DPS and hub know, and another one that must not be
disturbed while bad bytes come from all sides."""
import json
import time

from . import mqtt
from .mqtt import Mqtt, at_hub, dps_user
from .steady import Steady


class Wire(Steady):
    """`good`, provisioned, and `bystander`, a session of another device that stays."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        mqtt.provision(cls.server, "good", cls.good)
        credential = cls.ours.leaf(cls.root, "bystander").credential
        mqtt.provision(cls.server, "bystander", credential)
        cls.bystander = at_hub(cls.server, "bystander", credential)

    @classmethod
    def tearDownClass(cls):
        cls.bystander.close()
        super().tearDownClass()

    def everybody_is_served(self):
        self.bystander.ping()
        self.provisioned(f"mqtt-{next(self.numbers)}")
        self.a_good_device_comes_in()

    # --- DPS ---

    def at_dps(self, credential=None, username=None, registration="good", subscribed=True, qos=1,
               **how):
        """A connection that DPS let in."""
        device = Mqtt(self.server, credential or self.good, **how)
        connack = device.connect(registration, username or dps_user(self.server, registration))
        self.assertEqual(connack and connack.code, 0, username)
        if subscribed:
            device.subscribe(mqtt.DPS_ANSWERS, qos=qos)
        return device

    def provisioned(self, name=None, root=None):
        """The name and the credential of a device that was assigned."""
        name = name or self.own("d")
        credential = self.ours.leaf(root or self.root, name).credential
        outcome = mqtt.provision(self.server, name, credential)
        self.assertTrue(outcome.assigned, outcome)
        return name, credential

    # --- the hub ---

    def hub(self, name="good", credential=None, **how):
        return at_hub(self.server, name, credential or self.good, **how)

    def of(self, device, what):
        """Of the native API: /devices/DEVICE/WHAT."""
        answer = self.operator.ask("GET", f"/devices/{device}/{what}")
        self.assertEqual(answer.status, 200, answer.text)
        return answer.json

    def telemetry(self, device, count=0):
        """All that is kept of it; waits until that is `count` at the least."""
        items, after, until = [], 0, time.monotonic() + mqtt.PATIENCE
        while True:
            page = self.of(device, f"telemetry?after={after}&limit=1000" +
                           ("&wait=5" if len(items) < count else ""))
            items, after = items + page["items"], page["next"]
            if (len(items) >= count and not page["items"]) or time.monotonic() > until:
                return items

    def kept(self):
        """What `good` has at the hub."""
        return json.dumps([self.of("good", "twin"), self.of("good", "messages"),
                           self.of("good", "telemetry?after=0&limit=1000")["items"]])
