# SPDX-License-Identifier: Apache-2.0
"""A short turn of each mode of run.py; long ones are started by hand.

Nothing here measures the machine. How long before a crash an answer may be given away is a matter
of the disk: what a short run can promise is that none is after an orderly stop. And a stream waits
for no fsync: late by much less than one, whoever else needs the processor.
"""
import os
import subprocess
import unittest

from tests.crash import run, shim
from tests.peer import station

TIME_LIMIT_S = 600
RUN_ALONE = True


@unittest.skipUnless(station.available(), f"no station to test at {station.PROGRAM} (set ENTREPOT)")
class Crash(unittest.TestCase):
    def check(self, *words):
        ok, summary = run.run(["--seed", "1", *words])
        print(summary)
        self.assertTrue(ok, summary)

    def test_kill(self):
        self.check("--rounds", "12", "--window", "30")

    @unittest.skipIf(shim.why_not(), shim.why_not())
    def test_faults(self):
        self.check("--faults", "--rounds", "8")

    def test_sigstop(self):
        self.check("--sigstop", "--rounds", "2")

    def test_takeover(self):
        self.check("--takeover", "--rounds", "8", "--window", "30")

    @unittest.skipUnless(os.geteuid() == 0, "a small file system needs root")
    def test_disk_full(self):
        try:
            run.SmallDisk().close()
        except (subprocess.CalledProcessError, OSError):
            self.skipTest("file systems may not be mounted here")
        self.check("--disk-full", "--rounds", "2")

    @unittest.skipIf(shim.why_not(), shim.why_not())
    def test_slow_fsync(self):
        self.check("--slow-fsync", "1.5", "--events", "24", "--streams", "200", "--p99-ms", "700")


if __name__ == "__main__":
    unittest.main()
