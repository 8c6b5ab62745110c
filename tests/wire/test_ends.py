# SPDX-License-Identifier: Apache-2.0
"""Every way a request can end is reached, by a real cause, and is counted under its own name.

The ways are read from src/relay/ends.def: a new row fails with its name, until it has a cause in
ends.py or ends_ledger.py.
"""
import contextlib
import os
import re
import sqlite3
import unittest

from tests.peer import station
from tests.peer.case import CHAT, StationCase, body_for
from tests.wire import ends, ends_ledger

DEFINED = {name: int(status) for name, status in re.findall(
    r'^X\(\w+, "(\w+)", \w+, \w+, (\d+),', open(os.path.join(
        station.ROOT, "src/relay/ends.def"), encoding="utf-8").read(), re.MULTILINE)}
IN_TIME = ("timeout", "total_time", "ledger_late")      # want a station with short deadlines


class EndsCase(StationCase):
    admin = True

    @classmethod
    def upstreams(cls):
        return [*({**row, "cooldown": "0s"} for row in super().upstreams()),
                station.upstream(cls.vendor, "openai", name="resting"),
                station.upstream(cls.vendor, "openai", name="planned",
                                 budget={"requests": 1, "period": "month"})]

    @classmethod
    def models(cls):
        unpriced = station.model("unpriced", "openai")
        del unpriced["price"]
        return [*super().models(), station.model("resting", "resting"),
                station.model("planned", "planned"), unpriced]

    def setUp(self):
        super().setUp()
        self.buyer = self.customer("50.00")
        self.assertEqual(self.buyer.post(CHAT, body_for("chat")).status, 200)   # fills its purse
        self.vendor.reset()

    @contextlib.contextmanager
    def stalled_ledger(self):
        """Another process writes in the store and does not end: nothing is committed meanwhile."""
        other = sqlite3.connect(self.station.store.path, isolation_level=None, timeout=30)
        with contextlib.closing(other):
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")

    def reach(self, end):
        name = f'entrepot_requests_total{{end="{end}"}}'
        before = self.metrics()[name]
        answer = ends.CAUSES[end](self)
        self.wait_metrics(lambda now: now[name] > before, f"a request ends as {end}")
        if answer is not None:
            self.assertEqual(answer.status, DEFINED[end], answer)


class Ends(EndsCase):
    def test_all_that_are_defined_have_a_cause(self):
        self.assertGreater(len(DEFINED), 30)
        self.assertIs(ends.CAUSES["limit"], ends_ledger.limit)
        # The end of the station itself leaves nobody to ask for its counters: see test_operator.
        self.assertEqual(set(DEFINED) ^ set(ends.CAUSES), {"station_stopped"})


class EndsInTime(EndsCase):
    settings = {"timeouts": station.timeouts(body=2.0, total=3.0)}


def _test(end):
    return lambda self: self.reach(end)


for _end in ends.CAUSES:
    setattr(EndsInTime if _end in IN_TIME else Ends, "test_" + _end, _test(_end))


if __name__ == "__main__":
    unittest.main()
