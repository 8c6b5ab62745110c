# SPDX-License-Identifier: Apache-2.0
"""What an upstream may be used in a period: counted, spread over its cost, kept, and ended once."""
import calendar
import signal
import threading
import time
import unittest
from fractions import Fraction

from tests.crash import shim
from tests.peer import station
from tests.peer.case import CHAT, MESSAGES, NANO, StationCase, body_for
from tests.peer.ports import free_port
from tests.peer.reply import error
from tests.peer.wait import until

DAY = 86400
PLAN = {"amount": "0.000000100", "currency": "CNY"}     # 100 nano: parts of it are uneven


def nano(text):
    return int(Fraction(text) * NANO)


def spread(cost, units):
    """The part of each unit, so that all of them make the whole."""
    return [cost * (n + 1) // units - cost * n // units for n in range(units)]


class BudgetCase(StationCase):
    admin = True
    budgets = {}

    @classmethod
    def upstreams(cls):
        return [station.upstream(cls.vendor, "openai", name, cooldown="0s", **more)
                for name, more in cls.budgets.items()]

    @classmethod
    def models(cls):
        return [station.model(name, name) for name in cls.budgets]

    def ask(self, model, status=200, path=CHAT, dialect="chat"):
        answer = self.buyer.post(path, body_for(dialect, "x [[tokens=10]]", model=model))
        self.assertEqual(answer.status, status, answer)
        return answer

    def setUp(self):
        super().setUp()
        self.buyer = self.customer("5")

    def spend(self, model, most=20):
        """Ask until its budget is spent; how often that was answered."""
        again = body_for("chat", "x [[tokens=10]]", model=model)
        for count in range(most + 1):
            status = self.buyer.post(CHAT, again).status
            if status == 503:
                return count
            self.assertEqual(status, 200)
        return self.fail(f"{model} is not spent after {most} answers")

    def change(self, upstream, **budget):
        """Another budget of this upstream, from a reload on; until the end of the test."""
        def configure():
            self.station.configure(upstreams=self.upstreams())
            self.station.reload()
        before = self.budgets[upstream]
        self.addCleanup(configure)
        self.addCleanup(self.budgets.update, {upstream: before})
        self.budgets[upstream] = {**before, "budget": budget}
        configure()

    def plan(self, upstream):
        return self.station.store.sql("SELECT * FROM plan WHERE upstream = ? ORDER BY id DESC",
                                      upstream)[0]

    def wait_plan(self, upstream, **columns):
        """The newest period of an upstream, once these columns have these values."""
        def found():
            row = self.plan(upstream)
            return row if all(row[k] == v for k, v in columns.items()) else None
        return until(found, f"the plan of {upstream} has {columns}")

    def balance(self, name):
        rows = self.station.store.sql("SELECT balance FROM account WHERE name = ?", name)
        return rows[0]["balance"] if rows else 0

    def shown(self, upstream):
        return self.station.cli("upstream", "show", upstream, "--json")["budgets"][-1]


class Requests(BudgetCase):
    budgets = {
        "seven": {"budget": {"requests": 7, "period": "month", "cost": PLAN}},
        "failing": {"budget": {"requests": 7, "period": "none", "cost": PLAN}},
        "few": {"budget": {"requests": 2, "period": "month"}},
        "plain": {},
        "kept": {"budget": {"requests": 5, "period": "week"}},
        "crowd": {"budget": {"requests": 20, "period": "none"}},
        "over": {"budget": {"requests": 10, "period": "month", "expires": "2020-02-29"}},
        "warned": {"budget": {"requests": 20, "period": "month"}},
        "tokens": {"budget": {"tokens": 50, "period": "day", "cost": PLAN}},
        "amount": {"cost": {"currency": "CNY", "input": "3", "output": "1000"},
                   "budget": {"amount": "0.02", "currency": "CNY", "period": "month"}},
    }

    @classmethod
    def upstreams(cls):
        nobody = station.upstream(cls.vendor, "openai", "nobody", cooldown="0s",
                                  budget={"requests": 5, "period": "month", "cost": PLAN})
        return [*super().upstreams(), {**nobody, "base": f"http://127.0.0.1:{free_port()}/v1"}]

    @classmethod
    def models(cls):
        return [*super().models(),
                station.model("both", {"upstream": "few", "model": "both", "priority": 0},
                              {"upstream": "plain", "model": "both", "priority": 1}),
                station.model("dial", {"upstream": "nobody", "model": "dial", "priority": 0},
                              {"upstream": "plain", "model": "dial", "priority": 1})]

    def test_all_requests_cost_exactly_the_period(self):
        rows = [self.charge(self.ask("seven")) for _ in range(7)]
        self.assertEqual([row["cost"] for row in rows], spread(100, 7))
        self.assertEqual({row["cost_currency"] for row in rows}, {"CNY"})
        self.assertEqual(self.balance("cogs:seven:CNY"), -100)
        self.assertEqual(self.balance("asset:seven:CNY"), 100)
        row = self.wait_plan("seven", used=7, booked=7)
        self.assertEqual((row["spent"], row["closed"]), (100, 0))
        answer = self.ask("seven", 503)
        self.assertEqual(answer.json()["error"]["code"], "upstream_budget")
        self.assertEqual(answer.get("x-should-retry"), "false")
        self.assertLess(abs(time.time() + int(answer.get("retry-after")) - row["until"] / 1e6), 5)
        now = time.gmtime(row["from_"] / 10**6)
        self.assertEqual(row["until"] - row["from_"],
                         calendar.monthrange(now.tm_year, now.tm_mon)[1] * DAY * 10**6)
        error_ = self.ask("seven", 503, path=MESSAGES, dialect="messages").json()
        self.assertEqual(error_["type"], "error")
        self.assertEqual(len(self.vendor.received), 7)

    def test_what_is_bought_in_another_currency_is_warned_of(self):
        buy = ("upstream", "buy", "seven", "1")
        self.assertEqual(self.station.cli(*buy, "EUR", "--json")["warning"],
                         "its budget costs CNY, which EUR does not pay for")
        self.assertNotIn("warning", self.station.cli(*buy, "CNY", "--json"))

    def test_attempts_that_failed_cost_as_much(self):
        self.vendor.reply(error(500))
        self.ask("failing", 500)
        self.vendor.reply(error(400))
        self.ask("failing", 400)
        row = self.charge(self.ask("failing"))
        row_of = self.wait_plan("failing", used=3, booked=3)
        self.assertEqual(row_of["spent"], 100 * 3 // 7)
        parts = spread(100, 7)
        self.assertEqual(row["cost"], parts[2])
        self.assertEqual(self.balance("cogs:failed_attempts:CNY"), -sum(parts[:2]))

    def test_what_reached_nobody_does_not_count(self):
        self.ask("dial")
        self.wait_plan("nobody", used=0, booked=0)
        self.assertEqual(len(self.vendor.received), 1)

    def test_another_route_serves_when_one_is_spent(self):
        for expected in ("few", "few", "plain"):
            self.assertEqual(self.charge(self.ask("both"))["upstream"], expected)

    def test_it_is_counted_over_a_kill_a_restart_and_a_reload(self):
        for number, break_ in enumerate((lambda: (self.station.kill(), self.station.start()),
                                         self.station.restart, self.reload), 1):
            self.ask("kept")
            self.wait_plan("kept", used=number)
            break_()
        self.ask("kept")
        self.ask("kept")
        self.ask("kept", 503)
        self.assertEqual(self.plan("kept")["used"], 5)
        week = self.plan("kept")
        self.assertEqual(time.gmtime(week["from_"] / 10**6).tm_wday, 0)
        self.assertEqual(week["until"] - week["from_"], 7 * DAY * 10**6)

    def reload(self):
        before = len(self.station.log_lines("event=reloaded"))
        self.station.signal(signal.SIGHUP)
        self.station.wait_log("event=reloaded", before)

    def test_many_at_once_never_send_one_too_many(self):
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(
            self.buyer.post(CHAT, body_for("chat", "x [[tokens=2]]", model="crowd",
                                           maximum=10)).status))    # all can be held for
            for _ in range(60)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((answers.count(200), answers.count(503)), (20, 40))
        self.assertEqual(len(self.vendor.received), 20)
        self.wait_plan("crowd", used=20)

    def test_what_has_expired_does_not_come_back(self):
        answer = self.ask("over", 503)
        self.assertIsNone(answer.get("retry-after"))
        self.assertEqual(self.vendor.received, [])

    def test_warnings_come_once_and_are_shown(self):
        ratio = 'entrepot_upstream_budget_used_ratio{upstream="warned"}'
        warned = 'entrepot_upstream_budget_warned_percent{upstream="warned"}'

        def warnings():
            return [line.split("used_percent=")[1].split()[0]
                    for line in self.station.log_lines("event=upstream_budget ")
                    if "upstream=warned" in line]
        for count in range(1, 21):
            self.ask("warned")
            now = self.metrics()
            self.assertEqual(now[ratio], count / 20)
            self.assertEqual(now[warned], 95 if count >= 19 else 80 if count >= 16 else 0)
        until(lambda: warnings() == ["80", "95"], "two warnings")
        self.wait_plan("warned", used=20)
        shown = self.shown("warned")
        self.assertEqual((shown["used"], shown["left"], shown["percent"], shown["warning"]),
                         (20, 0, 100, "spent"))
        self.station.restart()
        self.assertEqual(self.metrics()[warned], 95)
        self.ask("warned", 503)
        self.assertEqual(warnings(), ["80", "95"])

    def test_tokens_count_with_their_charge(self):
        first = self.charge(self.ask("tokens"))
        tokens = first["in_"] + first["out"]
        self.assertEqual(first["cost"], 100 * min(tokens, 50) // 50)
        again = body_for("chat", "x [[tokens=10]]", model="tokens")
        while self.buyer.post(CHAT, again).status == 200:
            pass
        row = self.plan("tokens")
        self.assertGreaterEqual(row["used"], 50)
        self.assertEqual(row["spent"], 100)
        self.assertEqual(sum(c["cost"] for c in self.station.store.sql(
            "SELECT cost FROM charge WHERE upstream = 'tokens'")), 100)

    def test_an_amount_counts_by_what_answers_cost(self):
        costs = []
        while (answer := self.buyer.post(CHAT, body_for(
                "chat", "x [[tokens=10]]", model="amount"))).status == 200:
            costs.append(self.charge(answer)["cost"])
        self.assertEqual(answer.status, 503)
        self.assertGreaterEqual(sum(costs), NANO // 50)
        self.assertLess(sum(costs[:-1]), NANO // 50)
        self.assertEqual(self.plan("amount")["used"], sum(costs))
        self.assertEqual(self.shown("amount")["budget"], "0.02")


class Changes(BudgetCase):
    budgets = {"wider": {"budget": {"tokens": 100, "period": "day"}},
               "pack": {"budget": {"requests": 3, "period": "none", "cost": PLAN}},
               "month": {"budget": {"requests": 3, "period": "month", "cost": PLAN}},
               "bought": {"budget": {"requests": 3, "period": "month", "cost": PLAN}}}

    def costs(self, upstream):
        return [row["cost"] for row in self.station.store.sql(
            "SELECT cost FROM charge WHERE upstream = ? ORDER BY id", upstream)]

    def test_what_is_added_to_a_package_is_spread_over_what_is_added(self):
        self.assertEqual(self.spend("pack"), 3)
        more = {"amount": "0.000000350", "currency": "CNY"}
        self.change("pack", requests=7, period="none", cost=more)
        self.assertEqual(self.spend("pack"), 4)
        self.assertEqual(self.costs("pack"), spread(100, 3) + spread(250, 4))
        self.assertEqual(self.balance("asset:pack:CNY"), 350)
        shown = self.shown("pack")
        self.assertEqual((shown["budget"], shown["used"], shown["percent"]), (7, 7, 100))
        self.assertEqual(nano(shown["cost"]), 350)
        self.assertTrue(self.station.ledger_check()["ok"])
        # What is booked stays, whatever is said later.
        self.change("pack", requests=9, period="none", cost=PLAN)
        self.assertEqual(self.spend("pack"), 2)
        self.assertEqual(self.costs("pack")[7:], [0, 0])
        self.assertTrue(self.station.ledger_check()["ok"])

    def test_a_larger_budget_is_shown_and_a_periods_cost_stays(self):
        self.assertEqual(self.spend("month"), 3)
        more = {"amount": "0.000000350", "currency": "CNY"}
        self.change("month", requests=50, period="month", cost=more)
        self.ask("month")
        row = self.wait_plan("month", used=4)
        self.assertEqual((row["units"], row["cost"], row["spent"]), (50, 100, 100))
        shown = self.shown("month")
        self.assertEqual((shown["budget"], shown["left"], shown["percent"], shown["warning"]),
                         (50, 46, 8, None))
        self.assertEqual(
            self.metrics()['entrepot_upstream_budget_used_ratio{upstream="month"}'], 0.08)
        self.assertTrue(self.station.ledger_check()["ok"])

    def test_a_wider_period_counts_at_once(self):
        self.ask("wider")
        self.change("wider", tokens=100, period="month")
        self.assertGreater(self.spend("wider"), 1)
        self.assertGreaterEqual(self.plan("wider")["used"], 100)
        self.change("wider", tokens=100, period="day")
        self.ask("wider")       # the day has still its own


    def test_what_a_period_books_is_not_written_off_besides(self):
        self.ask("bought")
        left = nano(self.station.cli("upstream", "buy", "bought", "0.00000015", "CNY", "--json")
                    ["upstreams"][0]["left"])
        row = self.plan("bought")
        free = left - (row["cost"] - row["spent"])
        self.assertGreater(row["cost"], row["spent"])
        with self.assertRaises(station.CliError) as caught:
            self.station.cli("upstream", "writeoff", "bought", "0.00000015", "CNY")
        self.assertIn("that periods under way book by themselves", caught.exception.errors)
        self.station.cli("upstream", "writeoff", "bought", "all", "CNY")
        self.assertEqual(self.balance("loss:writeoff:CNY"), -free)
        self.assertEqual(self.balance("asset:bought:CNY"), -(row["cost"] - row["spent"]))

    def test_an_amount_that_nothing_counts_in_is_refused(self):
        usd = {"currency": "USD", "input": "1", "output": "2"}
        for more in ({}, {"cost": usd}):
            self.station.configure(upstreams=[*self.upstreams(), station.upstream(
                self.vendor, "openai", "blind", **more,
                budget={"amount": "1", "currency": "CNY", "period": "month"})],
                models=[*self.models(), station.model("unseen", "blind")])
            self.addCleanup(self.station.configure, upstreams=self.upstreams(),
                            models=self.models())
            with self.assertRaises(station.CliError) as caught:
                self.station.cli("check")
            self.assertIn("model unseen: the budget of upstream blind is in CNY",
                          caught.exception.errors)


class Periods(BudgetCase):
    budgets = {"daily": {"budget": {"requests": 7, "period": "day", "cost": PLAN}},
               "pack": {"budget": {"requests": 3, "period": "none", "cost": PLAN}},
               "bag": {"budget": {"requests": 3, "period": "none"}},
               "spoken": {"budget": {"tokens": 100, "period": "day"}},
               "last": {"budget": {"tokens": 1000, "period": "month", "cost": PLAN}}}

    @classmethod
    def setUpClass(cls):
        if shim.why_not():
            raise unittest.SkipTest(shim.why_not())
        cls.shim = shim.Shim()
        cls.addClassCleanup(cls.shim.close)
        cls.settings = {"environment": cls.shim.environment}
        super().setUpClass()

    def jump(self, seconds):
        self.shim.set(clock_s=self.shim.get("clock_s") + seconds)

    def day(self, days=0):
        now = time.time() + self.shim.get("clock_s")
        return time.strftime("%Y-%m-%d", time.gmtime(now + days * DAY))

    def begin(self, days=0):
        """When that day begins, as the store has it."""
        return calendar.timegm(time.strptime(self.day(days), "%Y-%m-%d")) * 10**6

    def losses(self, day):
        told = self.station.cli("usage", "--margin", "--by", "upstream", "--from", day, "--to", day,
                                "--json")
        return {(row["upstream"], row["currency"]): row["losses"]
                for row in told["rows"]}.get(("daily", "CNY"), {})

    def closed(self, upstream="daily"):
        return self.station.store.sql("SELECT * FROM plan WHERE upstream = ? AND closed = 1",
                                      upstream)

    def test_what_is_not_used_is_lost_once(self):
        self.shim.set(clock_s=int(DAY - time.time() % DAY + 12 * 3600))     # noon
        self.station.restart()
        for _ in range(2):
            self.row(self.ask("daily"))
        lost = self.balance("loss:unused_plan:CNY")
        ended = len(self.closed())
        day = self.day()
        self.jump(DAY)
        self.station.reload()
        self.assertEqual(len(self.closed()), ended + 1)
        self.assertEqual(self.balance("loss:unused_plan:CNY"), lost - (100 - 100 * 2 // 7))
        # It is a loss of the day that it was not used in.
        self.assertEqual(nano(self.losses(day)["unused_plan"]), 100 - 100 * 2 // 7)
        self.assertEqual(self.losses(self.day()), {})
        self.row(self.ask("daily"))
        self.assertEqual(self.plan("daily")["used"], 1)
        # While nobody runs, another period ends; two starts book it once.
        self.station.stop()
        self.jump(3 * DAY)
        self.station.start()
        self.station.restart()
        self.assertEqual(len(self.closed()), ended + 2)
        self.assertEqual(self.balance("loss:unused_plan:CNY"),
                         lost - (100 - 100 * 2 // 7) - (100 - 100 // 7))
        self.assertTrue(self.station.ledger_check()["ok"])

    def test_a_request_whose_end_nobody_saw_is_lost_by_a_crash(self):
        self.shim.set(clock_s=int(20 * DAY - time.time() % DAY + 12 * 3600))
        self.station.restart()
        lost = self.balance("loss:crash:CNY")
        self.hold_streams()
        with self.buyer.open(CHAT, body_for("chat", stream=True, model="daily")) as raw:
            self.assertTrue(raw.until(raw.head(), b"w1 "))
            self.wait_plan("daily", used=1)
            self.station.kill()
        for _ in range(2):
            self.station.start()
            row = self.plan("daily")
            self.assertEqual((row["booked"], row["spent"], row["closed"]), (1, 100 // 7, 0))
            self.assertEqual(self.balance("loss:crash:CNY"), lost - 100 // 7)
            self.station.stop()
        self.jump(DAY)
        self.station.start()
        self.assertEqual(self.balance("loss:crash:CNY"), lost - 100 // 7)
        self.assertTrue(self.station.ledger_check()["ok"])

    def test_a_request_over_a_periods_end_has_its_part(self):
        self.shim.set(clock_s=int(80 * DAY - time.time() % DAY + DAY - 600))
        self.station.restart()
        ended = len(self.closed())
        crashed = self.balance("loss:crash:CNY")
        gate = self.hold_streams()
        with self.buyer.open(CHAT, body_for("chat", stream=True, model="daily")) as raw:
            head = raw.head()
            self.assertTrue(raw.until(head, b"w1 "))
            self.wait_plan("daily", used=1)
            self.jump(1200)
            self.station.reload()
            self.assertEqual(len(self.closed()), ended)
            gate.set()
            self.assertTrue(raw.until(head, b"[DONE]"))
        row = until(lambda: self.station.store.sql(
            "SELECT c.cost, p.id FROM charge c JOIN plan p ON p.id = c.plan WHERE booked = 1"
            " AND from_ = ?", self.begin(-1)), "the charge")[0]
        self.assertEqual(row["cost"], 100 // 7)
        self.jump(7200)
        self.station.reload()
        self.assertIn(row["id"], [plan["id"] for plan in self.closed()])
        self.assertEqual(self.balance("loss:crash:CNY"), crashed)
        self.assertTrue(self.station.ledger_check()["ok"])

    def test_a_package_that_is_renewed_is_there_again(self):
        self.shim.set(clock_s=int(100 * DAY - time.time() % DAY + 12 * 3600))
        self.station.restart()
        self.change("pack", requests=3, period="none", expires=self.day(), cost=PLAN)
        self.assertEqual(self.spend("pack"), 3)
        self.jump(DAY)
        self.assertEqual(self.spend("pack"), 0)
        self.station.reload()
        self.assertEqual(len(self.closed("pack")), 1)
        self.change("pack", requests=4, period="none", expires=self.day(5), cost=PLAN)
        self.ask("pack")
        self.station.kill()
        self.station.start()
        self.assertEqual(self.spend("pack"), 3)
        self.assertEqual([row["cost"] for row in self.station.store.sql(
            "SELECT cost FROM charge WHERE upstream = 'pack' ORDER BY id")],
            spread(100, 3) + spread(100, 4))
        self.assertTrue(self.station.ledger_check()["ok"])

    def test_a_package_ends_where_the_operator_says(self):
        self.shim.set(clock_s=int(120 * DAY - time.time() % DAY + 12 * 3600))
        self.station.restart()
        self.change("bag", requests=3, period="none", expires=self.day(5), cost=PLAN)
        before = len(self.closed("bag"))
        lost = self.balance("loss:unused_plan:CNY")
        self.change("bag", requests=3, period="none", expires=self.day(-1), cost=PLAN)
        self.station.restart()
        self.assertEqual(len(self.closed("bag")), before + 1)
        self.assertEqual(self.balance("loss:unused_plan:CNY"), lost - 100)

    def test_tokens_count_while_the_clock_is_set_back(self):
        self.shim.set(clock_s=int(60 * DAY - time.time() % DAY + 600))
        self.station.restart()
        self.ask("spoken")
        self.jump(-3600)
        self.spend("spoken")
        self.jump(3600)
        self.ask("spoken", 503)
        self.assertGreaterEqual(self.plan("spoken")["used"], 100)

    def test_a_new_day_is_a_new_budget(self):
        self.shim.set(clock_s=int(40 * DAY - time.time() % DAY + 86000))
        self.station.restart()
        for _ in range(7):
            self.ask("daily")
        answer = self.ask("daily", 503)
        self.assertLessEqual(int(answer.get("retry-after")), 401)
        self.jump(401)
        self.ask("daily")       # before anybody has looked at the store again
        until(lambda: self.plan("daily")["used"] == 1, "a new row")


if __name__ == "__main__":
    unittest.main()
