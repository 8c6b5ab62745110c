# SPDX-License-Identifier: Apache-2.0
"""A few short games with the ledger; long ones are started by hand (run.py)."""
import os
import unittest

from tests.model import driver, run
from tests.peer import station

SEEDS = range(1, 5)
OPERATIONS = 2500
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None     # an fsync there takes no time


@unittest.skipUnless(driver.available(), f"no driver at {driver.PROGRAM}, beside {station.PROGRAM}")
class Model(unittest.TestCase):
    def test_seeds(self):
        for seed in SEEDS:
            with self.subTest(seed=seed):
                why, game = run.play(seed, OPERATIONS, MEMORY)
                if why:
                    self.fail(run.told(seed, OPERATIONS, why, game, MEMORY))
                self.assertGreater(game.races, 0)
                self.assertGreater(len(game.auditor.charges), OPERATIONS // 20)


if __name__ == "__main__":
    unittest.main()
