# SPDX-License-Identifier: Apache-2.0
"""A server with hubs of its own and elsewhere, and an allocation webhook that behaves as told."""
import os

from . import webhook as hook
from .device import Conversation, outcome_of
from .makers import Party
from .scenario import Scenario
from .server import Server, rollcall

OURS, OURS2 = "dps.example", "second.example"  # both are this server
AWAY, AWAY2 = "away.example", "away2.example"
TEXT = "Custom allocation failed with status code: "


def server_certificate(directory, issuer=None):
    """For 127.0.0.1 and nothing else."""
    stem = os.path.join(directory, "hook" if issuer else "self-signed-hook")
    rollcall("pki", "leaf", "--cn", "hook", "--eku", "serverAuth", "--ip", "127.0.0.1", "--out",
             stem, *(["--issuer", issuer.certificate.removesuffix(".pem")] if issuer
                     else ["--self-signed"]))
    return Party(stem + ".pem", stem + ".key", issuer)


class Hubs(Scenario):
    """A server with two names of its own and two hubs elsewhere."""

    @classmethod
    def make_server(cls):
        cls.authority = cls.ours.root("webhook-ca")
        cls.webhook = hook.Webhook(server_certificate(cls.scratch, cls.authority))
        return Server(cls.scratch, "--webhook-ca", cls.authority.certificate, *cls.options)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.command("hub", "add", OURS2, "--own")
        cls.server.command("hub", "add", AWAY)
        cls.server.command("hub", "add", AWAY2)

    @classmethod
    def tearDownClass(cls):
        cls.webhook.close()
        super().tearDownClass()

    def fleet(self, *options):
        """A group of the test's own, and a device of it that has not come yet."""
        self.root = self.ours.root(self.own("root"))
        group = self.group(self.own("group"), self.root)
        if options:
            self.command("group", "update", group, *options)
        self.device = self.ours.leaf(self.root, self.own("dev")).credential
        return group, self.device

    def again(self, credential, name=None, payload=None, version="2021-10-01"):
        """Registers, whether or not it did just now."""
        name = name or self.own("dev")
        body = {"registrationId": name, **({"payload": payload} if payload else {})}
        with Conversation(self.server, credential) as talk:
            path = talk.path(name, "/register", version) + "&forceRegistration=true"
            answer = talk.ask("PUT", path, body)
            if answer.status == 202:
                answer = talk.poll(name, answer.json["operationId"], version)
            return outcome_of(answer)

    def assert_at(self, outcome, hub, substatus=None):
        self.assertEqual((outcome.status, outcome.state.get("assignedHub")), ("assigned", hub),
                         str(outcome))
        if substatus:
            self.assertEqual(outcome.state["substatus"], substatus)

    def assert_failed(self, outcome, code, text):
        self.assertEqual((outcome.status, outcome.code), ("failed", code), str(outcome))
        self.assertTrue(outcome.message.startswith(text), outcome.message)

    def hooked(self, *behaviours):
        """A device of a group whose webhook behaves so."""
        url = self.webhook.script(self.own("hook"), *behaviours)
        return self.fleet("--allocation", "custom", "--webhook", url)

    def calls(self):
        return self.webhook.calls.get(self.own("hook"), [])
