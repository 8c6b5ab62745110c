# SPDX-License-Identifier: Apache-2.0
"""A process of model_driver (driver.c): batches of lines in, one reply a line."""
import contextlib
import os
import subprocess

from tests.model.auditor import Failure
from tests.peer import station

PROGRAM = os.environ.get("ENTREPOT_MODEL_DRIVER") or \
    os.path.join(os.path.dirname(station.PROGRAM), "model_driver")


def available():
    return os.access(PROGRAM, os.X_OK)


class Driver:
    def __init__(self, store, now):
        self.log = open(store + ".log", "ab")       # pylint: disable=consider-using-with
        self.process = subprocess.Popen([PROGRAM, store, str(now)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.log)

    def send(self, lines, how="run"):
        try:
            self.process.stdin.write(("\n".join([*lines, how]) + "\n").encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            pass        # the missing replies will tell

    def replies(self, kill_after=None):
        """{number of the line: reply}; all of them, or those before it was killed."""
        found = {}
        while True:
            if kill_after is not None and len(found) >= kill_after:
                self.process.kill()
                kill_after = None
            line = self.process.stdout.readline()
            if line == b"done\n" and self.process.poll() is None:
                return found
            if not line.endswith(b"\n"):
                return found
            if line != b"done\n":
                number, _, reply = line[:-1].decode().partition(" ")
                found[int(number)] = reply

    def batch(self, lines):
        """The replies, in order."""
        self.send(lines)
        found = self.replies()
        if len(found) < len(lines):
            self.process.wait()
            raise Failure(f"the driver ended with status {self.process.returncode}: {self.said()}")
        return [found[i] for i in range(len(lines))]

    def one(self, line):
        return self.batch([line])[0]

    def said(self):
        with open(self.log.name, errors="replace", encoding="utf-8") as file:
            return file.read()[-800:]

    def kill(self):
        self.process.kill()
        self.close()

    def close(self):
        """Orderly where it still runs: the ledger closes at the end of its input."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()
        status = self.process.wait()
        self.log.close()
        return status
