# SPDX-License-Identifier: Apache-2.0
"""The time of day jumps by an hour, as when somebody sets it: nothing that was promised changes.

A station cannot know which time is right. It must not lose a charge, must not let a budget be spent
twice in a window because it has seen its end before, and must not make anybody wait for an hour.
"""
import errno
import threading
import time
import unittest

from tests.crash import shim
from tests.peer import dialects, meter, station
from tests.peer.case import CHAT, NANO, StationCase, body_for
from tests.peer.wait import PATIENCE_S, until
from tests.wire.test_convert_failure import in_stream

HOUR, DAY = 3600, 86400
SMALL = body_for("chat", "x [[tokens=100]]", maximum=100)


class ClockCase(StationCase):
    @classmethod
    def setUpClass(cls):
        if shim.why_not():
            raise unittest.SkipTest(shim.why_not())
        cls.shim = shim.Shim()
        cls.addClassCleanup(cls.shim.close)
        cls.settings = {**cls.settings, "environment": cls.shim.environment}
        super().setUpClass()

    @classmethod
    def upstreams(cls):
        return [station.upstream(cls.vendor, "openai", f"openai-{number}", cooldown="0s",
                                 keys=[f"key-{number}"]) for number in (1, 2)]

    @classmethod
    def models(cls):
        return [station.model("gpt", *({"upstream": f"openai-{number}", "model": "gpt",
                                        "priority": number} for number in (1, 2)))]

    def setUp(self):
        super().setUp()
        self.addCleanup(self.shim.clear)

    def jump(self, seconds):
        self.shim.set(clock_s=self.shim.get("clock_s") + seconds)

    def set_time_of_day(self, seconds):
        """Some day after today, at so many seconds after its begin (UTC)."""
        now = time.time()
        self.shim.set(clock_s=int(DAY - now % DAY + seconds))

    def spend(self, customer):
        """Spends until it is refused; the refusal."""
        while (answer := customer.post(CHAT, SMALL)).status == 200:
            self.row(answer)
        return answer


class Minutes(ClockCase):
    def test_a_request_counts_in_the_minute_in_which_its_body_has_come(self):
        customer = self.customer("5.00", rpm=2)
        now = time.time()
        self.shim.set(clock_s=int(90 - now % 60))       # the middle of a minute
        late = self.station.connect()
        self.addCleanup(late.close)
        head, _, body = customer.request(CHAT, SMALL,
                                         [("Expect", "100-continue")]).partition(b"\r\n\r\n")
        late.send(head + b"\r\n\r\n")
        self.assertEqual(late.interim(), 100)
        self.jump(60)
        for _ in range(2):
            self.assertEqual(customer.post(CHAT, SMALL).status, 200)
        late.send(body)
        self.assertEqual(late.response().status, 429)
        self.assertEqual(customer.post(CHAT, SMALL).status, 429)


class Budgets(ClockCase):
    def spent(self, customer):
        return 5 * NANO - customer.balance

    def budgeted(self, **options):
        return self.customer("5.00", budget="0.01", period="day", **options)

    def refused(self, customer):
        answer = customer.post(CHAT, SMALL)
        self.assertEqual(self.assert_error(answer, 429)["code"], "budget_exceeded")
        self.assertLessEqual(self.spent(customer), NANO // 100, "more than the budget was spent")
        return answer

    def test_within_a_day_it_stays_spent(self):
        self.set_time_of_day(12 * HOUR)
        customer = self.budgeted()
        self.spend(customer)
        for seconds in (HOUR, -2 * HOUR, HOUR):
            self.jump(seconds)
            self.refused(customer)

    def test_back_over_midnight_it_is_not_there_again(self):
        self.set_time_of_day(10 * 60)
        customer = self.budgeted()
        self.spend(customer)
        self.jump(-HOUR)                    # yesterday, 23:10
        answer = self.refused(customer)
        # The day that it is spent in has not even begun.
        self.assertTrue(DAY + 40 * 60 < int(answer.get("retry-after")) <= DAY + 51 * 60, answer)
        self.station.restart()
        self.refused(customer)
        self.jump(HOUR)
        self.refused(customer)

    def test_what_is_spent_before_midnight_for_the_second_time_counts(self):
        self.set_time_of_day(10 * 60)
        customer = self.budgeted()
        self.assertEqual(customer.post(CHAT, SMALL).status, 200)    # the new day's window is open
        self.jump(-HOUR)
        self.spend(customer)
        self.refused(customer)
        self.jump(HOUR)
        self.refused(customer)

    def test_a_new_day_is_a_new_budget(self):
        self.set_time_of_day(DAY - 10 * 60)
        customer = self.budgeted()
        self.spend(customer)
        self.refused(customer)
        self.jump(HOUR)
        self.assertEqual(customer.post(CHAT, SMALL).status, 200)

    def test_an_accounts_budget_as_well(self):
        self.set_time_of_day(10 * 60)
        customer = self.customer("5.00")
        self.station.cli("account", "set", customer.name, "--budget", "0.01", "--budget-period",
                         "day")
        self.spend(customer)
        self.jump(-HOUR)
        self.refused(customer)


class Keys(ClockCase):
    def test_a_key_ends_by_the_clock_as_it_is(self):
        customer = self.customer(expires="30m")
        for seconds, status in ((0, 200), (HOUR, 401), (-HOUR, 200), (-HOUR, 200), (HOUR, 200)):
            self.jump(seconds)
            self.assertEqual(customer.post(CHAT, SMALL).status, status)


class Running(ClockCase):
    def test_streams_and_charges_go_on(self):
        for seconds in (HOUR, -HOUR):
            with self.subTest(seconds):
                customer = self.customer()
                gate = self.hold_streams()
                raw = customer.open(CHAT, body_for("chat", stream=True, maximum=100))
                self.addCleanup(raw.close)
                answer = raw.head()
                self.jump(seconds)
                gate.set()
                while raw.step(answer):
                    pass
                self.assertTrue(answer.complete)
                self.assertEqual(self.row(answer)["end"], "complete")
                charge = self.charge(answer)
                self.assertGreater(charge["nano"], 0)
                self.assertEqual(5 * NANO - customer.balance, charge["nano"])
                self.station.restart()      # nothing of a younger time is taken for an orphan
                self.assertEqual(5 * NANO - customer.balance, charge["nano"])
                self.station.ledger_check()
                self.shim.clear()
                self.vendor.reset()

    def test_another_upstream_has_the_time_that_is_left(self):
        """The deadline of a request whose first upstream failed after the jump."""
        reached, gate = threading.Event(), threading.Event()
        self.addCleanup(gate.set)

        def script(received):
            reply = dialects.answer(received)
            if received.get("authorization", "").endswith("key-1"):
                reply.parts[1:] = [gate, in_stream("chat")]
                reached.set()
            else:
                reply.parts.insert(0, 0.3)
                self.answered = reply.content()
            return reply

        self.vendor.script(script)
        customer = self.customer()
        raw = customer.open(CHAT, body_for("chat", stream=True, maximum=100))
        self.addCleanup(raw.close)
        self.assertTrue(reached.wait(PATIENCE_S))
        self.jump(HOUR)
        gate.set()
        answer = raw.response()
        self.assertEqual((answer.status, answer.complete), (200, True), answer)
        self.assert_paid(answer, meter.read("chat", self.answered, True))

    def test_a_store_that_failed_is_tried_again_soon(self):
        customer = self.customer()
        for seconds in (HOUR, -2 * HOUR):
            self.shim.set(sync_errno=errno.EIO)
            self.assertEqual(customer.post(CHAT, SMALL).status, 503)
            self.assertFalse(self.station.ready())
            self.jump(seconds)
            self.shim.set(sync_errno=0)
            until(self.station.ready, "the station admits again", 20)
            self.assertEqual(customer.post(CHAT, SMALL).status, 200)


if __name__ == "__main__":
    unittest.main()
