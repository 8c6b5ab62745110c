# SPDX-License-Identifier: Apache-2.0
"""The assay's statistics as the program computes them, asked line by line."""
import json
import pathlib
import subprocess

from tests.peer import station

PROGRAM = pathlib.Path(station.PROGRAM).resolve().parent / "stat_driver"


class Driver:
    def __init__(self):
        self.process = subprocess.Popen([PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, encoding="utf-8")
        self.cpu_s = 0.0        # of the statistics alone, without the reading

    def ask(self, what, **case):
        self.process.stdin.write(json.dumps({"do": what, **case}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        self.cpu_s += answer["cpu"]
        return answer

    def close(self):
        self.process.communicate()
        return self.process.returncode
