# SPDX-License-Identifier: Apache-2.0
"""Many at once against money for one, over three lanes: it is spent once."""
import threading
import unittest

from tests.peer import crowd, dialects, meter, station
from tests.peer.case import (BYTES_PER_TOKEN, CHAT, EXTRA_TOKENS, HOLD_IN, NANO, STEP_TOKENS,
                             StationCase, body_for)
from tests.peer.wait import PATIENCE_S, until

OUT, IN = 10000, 2500       # nano a token, by station.PRICE
COUNT = 10000
STREAMS = 60


def amount(nano):
    return f"{nano // NANO}.{nano % NANO:09}"


def held(body, tokens):
    """What is held for a request, to the nano."""
    return (len(body) // BYTES_PER_TOKEN + EXTRA_TOKENS) * HOLD_IN + tokens * OUT


class Crowds(StationCase):
    settings = {"lanes": 3}

    def setUp(self):
        super().setUp()
        self.gate = threading.Event()
        self.addCleanup(self.gate.set)

    def hold_back(self):
        """The vendor answers nobody before the gate opens."""
        def script(received):
            self.gate.wait(4 * PATIENCE_S)
            return dialects.answer(received)
        self.vendor.script(script)

    def one_of_all(self, customer, body, there):
        """All ask; the one that is answered, after every other was refused."""
        before = customer.balance
        self.assertEqual(before, there)
        everybody = crowd.Crowd(self.station.port, customer.request(CHAT, body), COUNT)
        self.addCleanup(everybody.close)
        everybody.ask()
        everybody.read(lambda all_: len(all_.answers) + len(self.vendor.received) >= COUNT,
                       "everybody is refused or at the vendor")
        self.assertEqual(everybody.statuses(), {402: COUNT - 1})
        self.assertEqual(len(self.vendor.received), 1)
        self.gate.set()
        everybody.read(lambda all_: 200 in all_.statuses(), "the one is answered")
        self.assertEqual(everybody.statuses(), {402: COUNT - 1, 200: 1})
        winner = next(data for data in everybody.answers.values() if data[9:12] == b"200")
        cost = meter.read("chat", winner.partition(b"\r\n\r\n")[2], False).cost(station.PRICE)
        self.assertEqual(customer.balance, before - cost)
        self.assertEqual(len(self.vendor.received), 1)
        self.wait_all_closed(customer)
        self.station.ledger_check()
        # Nothing is held any more: all that is left can be spent, to the last nano.
        left = customer.balance
        self.assertEqual(customer.post(CHAT, body).status, 402)
        fitting = max(n for n in range(1, 400)
                      if held(body_for("chat", "last", maximum=n), n) <= left)
        self.assertEqual(customer.post(CHAT, body_for("chat", "last", maximum=fitting)).status,
                         200)

    def wait_all_closed(self, customer):
        until(lambda: self.station.store.sql(
            "SELECT count(*) AS n FROM request r JOIN account a ON a.id = r.account"
            " WHERE a.name = ? AND r.end IN ('no_funds', 'complete')", customer.name)[0]["n"]
            >= COUNT, "every request has its row")

    @unittest.skipIf(crowd.room() < COUNT, f"{COUNT} connections are more than are allowed here")
    def test_money_for_one_is_spent_once(self):
        body = body_for("chat", "x [[tokens=100]]", maximum=400)
        there = held(body, 400)
        customer = self.customer(amount(there))
        self.hold_back()
        self.one_of_all(customer, body, there)

    @unittest.skipIf(crowd.room() < COUNT, f"{COUNT} connections are more than are allowed here")
    def test_the_same_when_a_part_lies_in_the_purse(self):
        """A request before has opened the purse: what is missing has to come from the ledger."""
        body = body_for("chat", "x [[tokens=100]]", maximum=400)
        customer = self.customer(amount(held(body, 400) + IN))
        small = body_for("chat", "a", maximum=1)
        first = customer.post(CHAT, small)
        self.assertEqual(first.status, 200)
        self.row(first)
        missing = held(body, 400) - customer.balance
        self.station.credit(customer.name, amount(missing))
        self.vendor.reset()
        self.hold_back()
        self.one_of_all(customer, body, held(body, 400))

    def test_streams_that_grow_share_what_is_left(self):
        """Each has its first step; the next is there for one at a time. Whoever gets none ends in
        order, pays for what it got, and what it gives back is the next one's."""
        body = body_for("chat", "x [[tokens=3000]]", stream=True, maximum=4000)
        there = STREAMS * held(body, STEP_TOKENS) + STEP_TOKENS * OUT
        customer = self.customer(amount(there))

        def script(received):
            reply = dialects.answer(received)
            reply.parts.insert(100, self.gate)     # before anybody needs a second step
            return reply

        self.vendor.script(script)
        everybody = crowd.Crowd(self.station.port, customer.request(CHAT, body), STREAMS)
        self.addCleanup(everybody.close)
        everybody.ask()
        everybody.read(lambda all_: len(all_.answers) == STREAMS and min(
            data.count(b"data: ") for data in all_.answers.values()) > 90, "all are on their way")
        self.gate.set()
        everybody.read(lambda all_: all(data.endswith(b"0\r\n\r\n") for data in
                                        all_.answers.values()), "all have ended")
        self.assertEqual(everybody.statuses(), {200: STREAMS})
        rows = until(lambda: (found := self.station.store.sql(
            "SELECT r.end, c.nano, c.computed FROM request r JOIN charge c ON c.rid = r.rid"
            " JOIN account a ON a.id = c.account WHERE a.name = ?", customer.name)) and
            len(found) == STREAMS and found, "every stream has its charge and its row")
        self.assertEqual(sum(row["nano"] for row in rows), there - customer.balance)
        self.assertGreaterEqual(customer.balance, 0)
        ends = {end: [row for row in rows if row["end"] == end] for end in ("complete", "limit")}
        self.assertEqual(len(ends["complete"]) + len(ends["limit"]), STREAMS, rows)
        whole = (len("x [[tokens=3000]]") // 4 + 1) * IN + 3000 * OUT
        for row in ends["complete"]:
            self.assertEqual((row["nano"], row["computed"]), (whole, whole))
        for row in ends["limit"]:
            self.assertGreater(row["nano"], 0)
            self.assertEqual(row["nano"], row["computed"])
        self.assertTrue(ends["complete"] and ends["limit"], "some and not all got what was left")
        self.station.ledger_check()


if __name__ == "__main__":
    unittest.main()
