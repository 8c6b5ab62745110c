# SPDX-License-Identifier: Apache-2.0
"""Runs every trick of bypass.py and bypass_answers.py as a test of its own."""
import json
import unittest

from tests.peer import meter, station
from tests.peer.case import JSON, StationCase
from tests.peer.rawhttp import ask
from tests.peer.store import STATE_OK
from tests.wire import bypass, bypass_answers

DEAR = {"currency": "USD", "input": "25", "output": "100", "cache_read": "2.5",
        "cache_write": "31.25"}


class Bypass(StationCase):
    """The verdicts that tricks end with. `gpt` is cheap and `dear` is not."""
    price = station.PRICE
    dear_price = DEAR

    @classmethod
    def upstreams(cls):
        return [{**row, "cooldown": "0s"} for row in super().upstreams()]

    @classmethod
    def models(cls):
        return [*super().models(),
                station.model("dear", "openai", "anthropic", "gemini", price=DEAR,
                              aliases=["dear-alias"])]

    def setUp(self):
        super().setUp()
        self.buyer = self.customer("50.00")
        self.start = self.buyer.balance

    def metered(self, answer, dialect="chat", stream=False):
        """It was answered, and charged exactly: the vendor is asked again, without the station,
        what this request uses."""
        self.assertEqual(answer.status, 200, answer)
        got = self.vendor.last
        direct = ask(self.vendor.port, got.method, got.target, [JSON], got.body)
        usage = meter.read(dialect, direct.body, stream or b"data:" in direct.body[:200])
        self.assertEqual(usage.state, meter.OK, "the station did not ask for usage")
        self.assertGreater(usage.cost(self.price), 0)
        self.assert_paid(answer, usage)

    def refused(self, answer, statuses):
        """It was refused before the vendor heard of it, and nobody paid."""
        self.assertIsNotNone(answer, "no answer")
        self.assertIn(answer.status, statuses, answer)
        self.assertIsInstance(json.loads(answer.body), dict)
        self.assertEqual(self.vendor.received, [])
        if answer.request_id:
            self.assertEqual(self.station.store.net(answer.request_id), 0)
        self.assertEqual(self.buyer.balance, self.start)

    def metered_or_refused(self, answer, statuses, dialect="chat", stream=False):
        if answer.status == 200:
            self.metered(answer, dialect, stream)
            self.start = self.buyer.balance
            self.vendor.reset()
        else:
            self.refused(answer, statuses)

    def assert_doubtful(self, answer):
        """Usage that cannot be trusted is marked, never billed upward, never below zero."""
        charge = self.charge(answer)
        if charge is None:
            self.assertTrue(self.row(answer)["end"] is not None)
            return
        self.assertNotEqual(charge["state"], STATE_OK)
        self.assertGreaterEqual(charge["nano"], 0)
        self.assertLess(charge["nano"], 10**8, "guessed upward")
        self.assertGreater(self.buyer.balance, 0)


def _test(function):
    def run(self):
        function(self)
    run.__doc__ = function.__doc__
    return run


for name, function in bypass.TRICKS.items():
    setattr(Bypass, "test_" + name, _test(function))


class Count(unittest.TestCase):
    def test_there_are_enough_tricks(self):
        self.assertGreaterEqual(len(bypass.TRICKS), 25)
        self.assertIn(bypass_answers.usage_in_content, bypass.TRICKS.values())


if __name__ == "__main__":
    unittest.main()
