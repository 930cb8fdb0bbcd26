#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mosquitto_pub and mosquitto_sub as devices at the hub: no SDK, no code of ours."""
import contextlib
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.mqtt import devicebound, events  # noqa: E402
from lab.scenario import main  # noqa: E402
from lab.server import Server  # noqa: E402
from lab.wire import Wire  # noqa: E402

PATIENCE = 60


class Mosquitto(Wire):
    @classmethod
    def make_server(cls):
        return Server(cls.scratch, name="localhost")

    def words(self, tool, device, credential, *more, client_id=None, user=None):
        _, port = self.server.doors["device-mqtt"]
        return [tool, "-h", "127.0.0.1", "-p", str(port), "--cafile", self.server.ca_file,
                *(["--cert", credential.chain, "--key", credential.key] if credential else []),
                "-i", client_id or device, "-u", user or f"localhost/{device}/?api-version=2021-04-12",
                "-V", "mqttv311", *more]

    def run_tool(self, *words, stdin="", expect=0):
        ended = subprocess.run(words, input=stdin, text=True, capture_output=True, check=False,
                               timeout=PATIENCE)
        self.assertIn(ended.returncode, expect if isinstance(expect, tuple) else (expect,),
                      f"{words}\n{ended.stdout}{ended.stderr}")
        return ended.stdout + ended.stderr

    @contextlib.contextmanager
    def running(self, *words):
        """A tool that goes on; a function that gives its next line which holds a word."""
        process = subprocess.Popen(["stdbuf", "-oL", *words], text=True, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

        def line_with(word):
            seen = []
            for line in process.stdout:
                seen.append(line)
                if word in line:
                    return line.strip()
            raise AssertionError(f"{words} ended with {process.wait()} before '{word}': {seen}")

        try:
            yield line_with
        finally:
            process.kill()
            process.communicate()

    def test_telemetry(self):
        name, credential = self.provisioned()
        large = os.path.join(self.scratch, "large")
        with open(large, "wb") as file:
            file.write(b"x" * 200_000)
        for quality in ("0", "1"):
            self.run_tool(*self.words("mosquitto_pub", name, credential, "-q", quality, "-t",
                                      events(name, f"q={quality}"), "-m", "21 degrees"))
        self.run_tool(*self.words("mosquitto_pub", name, credential, "-q", "1", "-t", events(name),
                                  "-f", large))
        self.run_tool(*self.words("mosquitto_pub", name, credential, "-q", "1", "-t", events(name),
                                  "-r", "-l"), stdin="".join(f"{n}\n" for n in range(100)))
        kept = self.telemetry(name, 103)
        self.assertEqual([each["body"] for each in kept],
                         ["21 degrees"] * 2 + ["x" * 200_000] + [str(n) for n in range(100)])
        self.assertEqual([each["properties"] for each in kept[:4]],
                         [{"q": "0"}, {"q": "1"}, {}, {"mqtt-retain": "true"}])

    def test_messages(self):
        for quality in ("0", "1"):
            name, credential = self.provisioned(self.own(f"q{quality}"))
            self.command("device", "send", name, "waited", "--property", "a=b")
            with self.running(*self.words("mosquitto_sub", name, credential, "-c", "-q", quality,
                                          "-t", devicebound(name), "-F", "%q %p %t")) as line_with:
                line = line_with("waited")
                self.assertTrue(line.startswith(
                    f"{quality} waited devices/{name}/messages/devicebound/a=b&%24.mid="), line)
                self.command("device", "send", name, "at once")
                self.assertTrue(line_with("at once").startswith(quality))
        # Both were acknowledged: nothing waits for the one who comes again.
        self.command("device", "send", name, "last")
        said = self.run_tool(*self.words("mosquitto_sub", name, credential, "-c", "-q", "1", "-C",
                                         "1", "-t", devicebound(name), "-F", "%p"))
        self.assertEqual(said, "last\n")

    def test_a_will(self):
        name, credential = self.provisioned()
        with self.running(*self.words("mosquitto_sub", name, credential, "-d", "-t",
                                      devicebound(name), "--will-topic", events(name),
                                      "--will-payload", "gone")) as line_with:
            line_with("Subscribed")
        [will] = self.telemetry(name, 1)
        self.assertEqual((will["body"], will["properties"]), ("gone",
                                                              {"iothub-MessageType": "Will"}))

    def test_two_with_one_id(self):
        """The one that comes later stays; the other notices."""
        name, credential = self.provisioned()
        words = self.words("mosquitto_sub", name, credential, "-d", "-t", devicebound(name), "-q",
                           "1")
        with self.running(*words) as older:
            older("Subscribed")
            with self.running(*words) as rival:
                rival("Subscribed")
                older("connection was lost")
                self.command("device", "send", name, "to the rival")
                rival("to the rival")
                self.run_tool(*self.words("mosquitto_pub", name, credential, "-q", "1", "-t",
                                          events(name), "-m", "from a third"))
                rival("connection was lost")
        self.assertEqual(self.telemetry(name, 1)[0]["body"], "from a third")

    def test_refusals(self):
        name, credential = self.provisioned()
        stranger = self.openssl.self_signed(name).credential
        hello = ["-t", events(name), "-m", "x", "-q", "1"]
        for what, who, how, code, word in (
                ("no certificate", None, {}, 5, "not authorised"),
                ("a stranger's certificate", stranger, {}, 5, "not authorised"),
                ("another's certificate", self.good, {}, 5, "not authorised"),
                ("another client id", credential, {"client_id": "x"}, 2, "identifier rejected"),
                ("another user name", credential, {"user": "me"}, 4, "bad user name or password")):
            with self.row(what):
                said = self.run_tool(*self.words("mosquitto_pub", name, who, *hello, **how),
                                     expect=code)
                self.assertIn(word, said)
        for version, code, word in (("mqttv31", 1, "unacceptable protocol version"),
                                    ("mqttv5", 132, "Unsupported protocol version")):
            with self.row(version):
                said = self.run_tool(*self.words("mosquitto_pub", name, credential, *hello, "-V",
                                                 version), expect=code)
                self.assertIn(word.lower(), said.lower())
        with self.row("a server it does not know"):
            words = self.words("mosquitto_pub", name, credential, *hello)
            words[words.index("--cafile") + 1] = self.root.certificate
            self.assertIn("TLS error", self.run_tool(*words, expect=(1, 8)))
        self.assertEqual(self.telemetry(name), [])
        self.everybody_is_served()


if __name__ == "__main__":
    main()
