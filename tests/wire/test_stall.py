# SPDX-License-Identifier: Apache-2.0
"""A disk that stalls while an operation of a request is in the ledger's hands: nothing is lost,
nothing is paid twice, and the station lives on."""
import unittest

from tests.crash import shim
from tests.peer import station
from tests.peer.case import CHAT, NANO, StationCase, body_for
from tests.peer.wait import until

STALL_MS = 4000     # longer than a deadline of these tests, even where machines are slow


class StallCase(StationCase):
    stall_ms = STALL_MS

    @classmethod
    def setUpClass(cls):
        if shim.why_not():
            raise unittest.SkipTest(shim.why_not())
        cls.shim = shim.Shim()
        cls.addClassCleanup(cls.shim.close)
        # Freed memory is no longer what it was.
        cls.settings = {**cls.settings,
                        "environment": {**cls.shim.environment, "MALLOC_PERTURB_": "165"}}
        super().setUpClass()

    def stall(self):
        self.shim.set(sync_ms=self.stall_ms)
        self.addCleanup(self.shim.clear)

    def lives(self, buyer):
        self.shim.clear()
        until(lambda: buyer.post(CHAT, body_for("chat", maximum=100)).status == 200,
              "requests are answered again")
        self.assertIsNone(self.station.process.poll(), "the station died")
        self.station.ledger_check()


class Waiting(StallCase):
    settings = {"timeouts": station.timeouts(total=1.5)}

    def test_the_deadline_passes_while_an_allotment_is_awaited(self):
        buyer = self.customer("1.00")
        self.stall()
        small = body_for("chat", maximum=100)
        answers = [buyer.post(CHAT, small).status for _ in range(3)]
        self.assertEqual(answers[0] // 100, 5)
        self.lives(buyer)


class Growing(StallCase):
    stall_ms = 1500

    def test_a_stream_ends_while_its_extension_is_awaited(self):
        buyer = self.customer("0.10")
        opened = buyer.post(CHAT, body_for("chat", maximum=100))
        self.assertEqual(opened.status, 200)    # the purse is open
        before = buyer.balance
        self.stall()
        body = body_for("chat", "x [[tokens=2500]]", stream=True, maximum=4000)
        answer = buyer.post(CHAT, body)
        self.assertTrue(answer.complete)
        charge = self.charge(answer)
        self.assertEqual(buyer.balance, before - charge["nano"])
        self.assertGreater(charge["nano"], 2000 * NANO // 100000)
        self.lives(buyer)

    def test_a_limit_is_seen_though_the_vendor_has_fallen_silent(self):
        """What was said while more was asked of the ledger is looked at when it answers."""
        buyer = self.customer("0.03")
        opened = buyer.post(CHAT, body_for("chat", maximum=100))
        self.assertEqual(opened.status, 200)    # the purse is open
        gate = self.hold_streams(after=14000)   # its end never comes
        self.stall()
        answer = buyer.post(CHAT, body_for("chat", "x [[tokens=15000]]", stream=True,
                                           maximum=20000))
        gate.set()
        self.assertTrue(answer.complete)
        self.assertIn(b'"finish_reason":"length"', answer.body)
        self.assertEqual(self.row(answer)["end"], "limit")
        self.lives(self.customer())


if __name__ == "__main__":
    unittest.main()
