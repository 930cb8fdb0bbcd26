#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Users who sign in: with curl as a browser would, over a restart, while their role changes; and
what happens to those who guess."""
import json
import os
import re
import subprocess
import sys
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from lab.operator import Door, Policy, admin_bearer  # noqa: E402
from lab.scenario import Scenario, main  # noqa: E402
from lab.server import Server, rollcall  # noqa: E402

PASSWORD = "three words and more"
# limits.hpp: source_failures_burst, name_failures_burst
FAILURES_OF_A_SOURCE = 30
FAILURES_OF_A_NAME = 5


class Browser:
    """curl with a cookie jar of its own, which keeps cookies as browsers do."""

    def __init__(self, scenario, name):
        self.server, self.name = scenario.server, scenario.server.name
        self.jar = os.path.join(scenario.scratch, f"{name}.jar")
        self.csrf = None
        self.headers = ""

    def ask(self, method, path, body=None, *more):
        host, port = self.server.doors["operator"]
        line = ["curl", "--silent", "--show-error", "--include", "--cacert", self.server.ca_file,
                "--resolve", f"{self.name}:{port}:{host}", "--cookie", self.jar,
                "--cookie-jar", self.jar, "--request", method, "--max-time", "60",
                f"https://{self.name}:{port}/api/v1{path}", *more]
        if self.csrf:
            line += ["--header", f"X-Rollcall-CSRF: {self.csrf}"]
        if body is not None:
            line += ["--header", "Content-Type: application/json", "--data-binary", "@-"]
        said = subprocess.run(line, input=None if body is None else json.dumps(body), text=True,
                              capture_output=True, check=True).stdout
        self.headers, _, text = said.partition("\n\n")
        answer = json.loads(text) if text else {}
        if isinstance(answer, dict) and answer.get("csrf"):
            self.csrf = answer["csrf"]
        return int(self.headers.split()[1]), answer

    def sign_in(self, name, password=PASSWORD):
        return self.ask("POST", "/session", {"name": name, "password": password})

    def caller(self):
        status, answer = self.ask("GET", "/session")
        return answer["caller"] if status == 200 else answer["code"]


class People(Scenario):
    """Makes users and signs them in."""

    def user(self, word, role="administrator"):
        name = self.own(word)
        self.command("user", "create", name, "--role", role, "--password-file", "-",
                     stdin=PASSWORD + "\n")
        return name

    def browser(self, name):
        browser = Browser(self, name)
        status, answer = browser.sign_in(name)
        self.assertEqual(status, 201, answer)
        return browser


class Users(People):
    def test_a_user_signs_in_works_and_signs_out(self):
        ann = self.user("ann", "operator")
        browser = self.browser(ann)
        cookie = re.search(r"(?im)^set-cookie: (.*)$", browser.headers).group(1).strip()
        self.assertRegex(cookie, r"^__Host-rollcall=rcs_[0-9a-f]{64}; Path=/; Secure; HttpOnly; "
                                 r"SameSite=Strict$")
        self.assertEqual(browser.caller(), f"user:{ann}")
        self.assertEqual(browser.ask("GET", "/devices")[0], 200)
        self.assertEqual(browser.ask("POST", "/groups", {"id": self.own("g")})[1]["code"],
                         "permission-missing")
        self.assertEqual(browser.ask("DELETE", "/session")[0], 200)
        self.assertEqual(browser.caller(), "token-missing")

    def test_a_change_needs_more_than_the_cookie(self):
        browser = self.browser(self.user("ann"))
        group = {"id": self.own("g")}
        csrf, browser.csrf = browser.csrf, None
        self.assertEqual(browser.ask("POST", "/groups", group)[1]["code"], "csrf-missing")
        browser.csrf = csrf
        self.assertEqual(browser.ask("POST", "/groups", group, "--header",
                                     "Origin: https://evil.example")[1]["code"], "foreign-origin")
        self.refused("group", "show", self.own("g"))
        host, port = browser.name, self.server.doors["operator"][1]
        self.assertEqual(browser.ask("POST", "/groups", group, "--header",
                                     f"Origin: https://{host}:{port}")[0], 201)
        self.command("group", "show", self.own("g"))

    def test_a_cookie_is_for_the_native_api_only(self):
        browser = self.browser(self.user("ann"))
        with open(browser.jar, encoding="utf-8") as jar:
            secret = re.search(r"__Host-rollcall\s+(rcs_\w+)", jar.read()).group(1)
        with Door(self.server) as door:
            cookie = f"__Host-rollcall={secret}"
            self.assertEqual(door.ask("GET", "/api/v1/groups", Cookie=cookie).status, 200)
            self.assertEqual(door.ask("GET", "/enrollments/x?api-version=2021-10-01",
                                      Cookie=cookie).status, 401)

    def test_a_role_counts_at_once_and_sessions_end_with_their_user(self):
        ann = self.user("ann", "administrator")
        browser = self.browser(ann)
        self.assertEqual(browser.ask("POST", "/groups", {"id": self.own("g1")})[0], 201)
        self.command("user", "set-role", ann, "viewer")
        self.assertEqual(browser.ask("POST", "/groups", {"id": self.own("g2")})[0], 403)
        self.assertEqual(browser.caller(), f"user:{ann}")
        self.command("user", "password", ann, "--password-file", "-", stdin="another " + PASSWORD)
        self.assertEqual(browser.caller(), "session-unknown")
        self.assertEqual(browser.sign_in(ann)[0], 401)
        self.assertEqual(browser.sign_in(ann, "another " + PASSWORD)[0], 201)
        self.command("user", "disable", ann)
        self.assertEqual(browser.caller(), "session-unknown")
        self.command("user", "enable", ann)
        self.assertEqual(browser.sign_in(ann, "another " + PASSWORD)[0], 201)
        self.command("user", "delete", ann, "--yes")
        self.assertEqual(browser.caller(), "session-unknown")

    def test_everywhere_means_everywhere(self):
        ann = self.user("ann", "viewer")
        here, there = self.browser(ann), Browser(self, self.own("there"))
        self.assertEqual(there.sign_in(ann)[0], 201)
        sessions = here.ask("GET", "/sessions")[1]["items"]
        self.assertEqual(sorted(session["current"] for session in sessions), [False, True])
        self.assertEqual(here.ask("DELETE", "/sessions")[0], 200)
        self.assertEqual(there.caller(), "session-unknown")

    def test_a_password_is_kept_nowhere_in_clear(self):
        self.user("ann")
        self.assert_in_no_file([PASSWORD.encode()])


class Restart(People):
    """Sessions outlive the server."""

    def test_a_session_goes_on_after_a_restart(self):
        ann = self.user("ann", "viewer")
        browser = self.browser(ann)
        self.server.stop()
        self.server.start()
        self.assertEqual(browser.caller(), f"user:{ann}")
        self.server.kill()
        self.server.start()
        self.assertEqual(browser.caller(), f"user:{ann}")

    def test_nobody_stays_signed_in_at_a_restored_server(self):
        browser = self.browser(self.user("ann", "viewer"))
        file = os.path.join(self.scratch, "backup.tar")
        other = Server(os.path.join(self.scratch, "other"))
        self.command("backup", file)
        rollcall("restore", file, "--data", other.data)
        with other:
            browser.server = other
            self.assertEqual(browser.ask("GET", "/session")[0], 401)
            self.assertEqual(browser.sign_in(self.own("ann"))[0], 201)


class Guessing(Scenario):
    """Each test fails from an address of its own, and all are this machine."""
    options = ("--metrics", "127.0.0.1:0")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.command(cls, "user", "create", "ann", "--role", "viewer", "--password-file", "-",
                    stdin=PASSWORD)

    def setUp(self):
        """Failures are of the address, which all tests share: a server begins with none."""
        self.server.stop()
        self.server.start()

    def wrong_tokens(self, count):
        with Door(self.server, "Bearer rct_0000") as door:
            return [door.ask("GET", "/api/v1/groups") for _ in range(count)]

    def test_wrong_tokens_are_told_to_wait_and_right_ones_come_in(self):
        *before, last = self.wrong_tokens(FAILURES_OF_A_SOURCE + 1)
        self.assertEqual({answer.status for answer in before}, {401})
        self.assertEqual((last.status, last.json["code"]), (429, "source-throttled"))
        self.assertGreaterEqual(int(last.headers["retry-after"]), 1)
        self.assertIn("correct what is sent", last.json["detail"])
        with Door(self.server, admin_bearer(self.server)) as door:
            self.assertEqual(door.ask("GET", "/api/v1/groups").status, 200)
        self.command("group", "list")

    def test_each_api_says_it_in_its_own_words(self):
        self.wrong_tokens(FAILURES_OF_A_SOURCE)
        with Door(self.server, "Bearer rct_0000") as door:
            dps = door.ask("GET", "/enrollments/x?api-version=2021-10-01")
            self.assertEqual((dps.status, dps.json["errorCode"]), (429, 429001), dps.text)
            self.assertIn("retry-after", dps.headers)
            arm = door.ask("GET", "/subscriptions/s/resourceGroups/g/providers/Microsoft.Devices"
                                  "/provisioningServices/p/certificates?api-version=2022-02-05")
            self.assertEqual(arm.status, 429, arm.text)
            self.assertIn("error", arm.json)
            hub = door.ask("GET", "/devices/x?api-version=2021-04-12")
            self.assertEqual(hub.status, 429, hub.text)
            self.assertIn("Message", hub.json)
            for answer in (dps, arm, hub):
                self.assertIn("retry-after", answer.headers)

    def test_signatures_and_passwords_count_too(self):
        policy = Policy.made(self.server, self.own("p"), "EnrollmentRead")
        with Door(self.server, policy.token(key="d3Jvbmc=")) as door:
            for _ in range(FAILURES_OF_A_SOURCE):
                self.assertEqual(door.ask("GET", "/api/v1/groups").status, 401)
            self.assertEqual(door.ask("GET", "/api/v1/groups").status, 429)
        with Door(self.server, policy.token()) as door:
            self.assertEqual(door.ask("GET", "/api/v1/groups").status, 200)
            refused = door.ask("POST", "/api/v1/session", {"name": "ann", "password": PASSWORD})
            self.assertEqual(refused.json["code"], "source-throttled")

    def test_a_name_is_tried_a_few_times(self):
        with Door(self.server) as door:
            for _ in range(FAILURES_OF_A_NAME):
                answer = door.ask("POST", "/api/v1/session", {"name": "ann", "password": "x"})
                self.assertEqual((answer.status, answer.json["code"]), (401, "sign-in-refused"))
            answer = door.ask("POST", "/api/v1/session", {"name": "ANN", "password": PASSWORD})
            self.assertEqual((answer.status, answer.json["code"]), (429, "name-throttled"))
            other = door.ask("POST", "/api/v1/session", {"name": "nobody", "password": "x"})
            self.assertEqual(other.json["code"], "sign-in-refused")

    def test_who_only_comes_without_or_late_is_no_guesser(self):
        with Door(self.server) as door:
            for _ in range(FAILURES_OF_A_SOURCE + 5):
                self.assertEqual(door.ask("GET", "/api/v1/groups").status, 401)

    def test_it_is_counted(self):
        self.wrong_tokens(FAILURES_OF_A_SOURCE + 2)
        host, port = self.server.doors["metrics"]
        with urllib.request.urlopen(f"http://{host}:{port}/metrics") as answer:
            text = answer.read().decode()
        self.assertIn(f"rollcall_operator_failures_total {FAILURES_OF_A_SOURCE + 2}\n", text)
        self.assertIn('rollcall_operator_throttled_total{bound="source"} 2\n', text)


class Pace(Scenario):
    """A caller has a pace; this server's is slow."""

    @classmethod
    def make_server(cls):
        config = os.path.join(cls.scratch, "rollcall.toml")
        with open(config, "w", encoding="utf-8") as file:
            file.write("[operators]\nrequests_per_second = 1\n")
        return Server(cls.scratch, "--config", config)

    def test_too_many_requests_of_one_caller(self):
        answers = []
        with Door(self.server, admin_bearer(self.server)) as door:
            while len(answers) < 100:
                answers.append(door.ask("GET", "/api/v1/groups"))
                if answers[-1].status != 200:
                    break
        self.assertGreaterEqual(len(answers), 11, "ten seconds' worth may come at once")
        self.assertEqual((answers[-1].status, answers[-1].json["code"]),
                         (429, "too-many-requests"))
        self.assertEqual(answers[-1].headers["retry-after"], "1")
        self.command("group", "list")


if __name__ == "__main__":
    main()
