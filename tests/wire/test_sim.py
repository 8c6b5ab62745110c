# SPDX-License-Identifier: Apache-2.0
"""The simulated vendor as a program: what its options, its models and a request's text decide."""
import json
import subprocess
import unittest

from tests.peer import station
from tests.peer.rawhttp import ask

CHAT = "/v1/chat/completions"


def simulator(*options):
    return subprocess.Popen([station.PROGRAM, "sim", *options], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


class Simulator(unittest.TestCase):
    def setUp(self):
        if not station.available():
            self.skipTest(f"no program to test at {station.PROGRAM} (set ENTREPOT)")

    def start(self, *options):
        """The port of one that is running."""
        process = simulator("--port", "0", *options)
        self.addCleanup(process.wait)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.kill)
        line = process.stdout.readline()
        self.assertIn("http://127.0.0.1:", line)
        return int(line.rsplit(":", 1)[1].split("/")[0])

    def ask(self, port, model, text="hello"):
        body = json.dumps({"model": model, "messages": [{"role": "user", "content": text}]})
        return ask(port, "POST", CHAT, [("Content-Type", "application/json")], body.encode())

    def tokens(self, port, model, text="hello"):
        return self.ask(port, model, text).json()["usage"]["completion_tokens"]

    def test_a_model_has_its_own_defaults(self):
        port = self.start()
        self.assertEqual([self.tokens(port, m) for m in ("sim-small", "sim-large", "any")],
                         [16, 200, 16])
        self.assertEqual(self.ask(port, "sim-limited").status, 429)

    def test_options_win_over_them(self):
        port = self.start("--tokens", "5", "--reasoning", "0")
        for model in ("sim-small", "sim-large", "sim-reason", "any"):
            self.assertEqual(self.tokens(port, model), 5, model)
        self.assertEqual(self.ask(port, "sim-limited").status, 429, "what was not given stays")

    def test_also_where_they_name_the_default(self):
        port = self.start("--tokens", "16", "--error", "0")
        self.assertEqual(self.tokens(port, "sim-large"), 16)
        self.assertEqual(self.tokens(port, "sim-limited"), 16)

    def test_the_requests_text_wins_over_all(self):
        port = self.start("--tokens", "5")
        self.assertEqual(self.tokens(port, "sim-large", "sim: tokens=7"), 7)

    def test_options_that_there_are_not(self):
        for options in (("--tokens", "x"), ("--token", "5"), ("--tokens",), ("5",)):
            process = simulator("--port", "0", *options)
            _, errors = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 2, options)
            self.assertIn("usage: entrepot sim", errors)


if __name__ == "__main__":
    unittest.main()
