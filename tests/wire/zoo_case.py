# SPDX-License-Identifier: Apache-2.0
"""A simulator with its zoo, for a test."""
import subprocess
import unittest

from tests.peer import station, zoo


def start_simulator(*options):
    """The process, and its port."""
    process = subprocess.Popen(
        [station.PROGRAM, "sim", "--port", "0", "--seed", "11", *options],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    return process, int(process.stdout.readline().rsplit(":", 1)[1].split("/")[0])


def stop_simulator(process):
    process.kill()
    process.stdout.close()
    process.wait()


class ZooCase(unittest.TestCase):
    def setUp(self):
        if not station.available():
            self.skipTest(f"no program to test at {station.PROGRAM} (set ENTREPOT)")

    def start(self, *options, cheats=()):
        """The port of one that is running."""
        words = [w for cheat in cheats for w in ("--cheat", cheat)]
        process, port = start_simulator(*words, *options)
        self.addCleanup(stop_simulator, process)
        return port

    def say(self, port, dialect, model, text, **settings):
        return zoo.say(port, dialect, model, text, **settings)

    def resend(self, port, blocks, model="claude-opus-4-8-sim"):
        """The next turn after an answer of thought and text."""
        turns = [{"role": "user", "content": "hello"}, {"role": "assistant", "content": blocks},
                 {"role": "user", "content": "and then?"}]
        return zoo.say(port, "messages", model, "", messages=turns, thinking=True)
