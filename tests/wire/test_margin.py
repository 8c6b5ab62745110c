# SPDX-License-Identifier: Apache-2.0
"""Margin against risk: each figure a second time in Python, from the transfers; and accounts."""
import collections
import sqlite3
import unittest
from fractions import Fraction

from tests.peer import margin, station
from tests.peer.case import CHAT, GENERATE, MESSAGES, NANO, StationCase, body_for
from tests.peer.reply import error
from tests.peer.wait import until

COST = {"currency": "CNY", "input": "3", "output": "9"}
NAMES = ("revenue", "promo_discount", "cost", "failed_attempts", "fx_spread", "refunds", "left")
BYS = ("", "request", "model", "customer", "group", "upstream", "key", "day")


def nano(text):
    value = Fraction(text) * NANO
    assert value.denominator == 1, text
    return int(value)


def said(rows, by):
    """What a report says, as margin.rows has it."""
    out = {}
    for row in rows:
        cell = collections.Counter({name: nano(row[name]) for name in NAMES})
        cell["other_revenue"] = nano(row.get("other_revenue", "0"))
        cell["unknown_costs"] = row.get("unknown_costs", 0)
        for reason, amount in row["losses"].items():
            cell["losses." + reason] = nano(amount)
        key = (row[by] if by else None, row["currency"])
        assert key not in out, key
        out[key] = cell
    return out


class Margin(StationCase):
    @classmethod
    def upstreams(cls):
        plan = {"requests": 7, "period": "month", "cost": {"amount": "0.50", "currency": "CNY"}}
        return [station.upstream(cls.vendor, "openai", cost=COST, cooldown="0s"),
                station.upstream(cls.vendor, "anthropic", cooldown="0s", budget=plan),
                station.upstream(cls.vendor, "anthropic", "spare", cooldown="0s"),
                station.upstream(cls.vendor, "gemini")]

    @classmethod
    def models(cls):
        routes = [{"upstream": name, "model": "claude", "priority": number}
                  for number, name in enumerate(("anthropic", "spare"))]
        return [*super().models(), station.model("two", *routes)]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.vendor.reset()
        run = cls.station.cli
        first, second = cls.customer("5"), cls.customer("5")
        run("account", "set", first.name, "--group", "friends")
        run("promo", "grant", first.name, "0.001")
        run("upstream", "buy", "openai", "100", "CNY", "--paid", "14", "USD", "--spread", "0.06")
        answers = [who.post(CHAT, body_for("chat", f"x [[tokens={tokens}]]"))
                   for tokens in (10, 100, 17) for who in (first, second)]
        run("rate", "set", "USD", "CNY", "7.13")
        answers += [first.post(CHAT, body_for("chat", "x [[tokens=33]]"))]
        run("rate", "set", "CNY", "USD", "1/7")
        run("rate", "set", "USD", "EUR", "0.9")
        answers += [second.post(CHAT, body_for("chat", "x [[tokens=33]]"))]
        answers += [second.post(MESSAGES, body_for("messages")) for _ in range(2)]
        assert {answer.status for answer in answers} == {200}
        cls.vendor.reply(error(500))
        answers.append(first.post(MESSAGES, body_for("messages")))
        cls.vendor.reply(error(500))
        answers.append(first.post(MESSAGES, body_for("messages", model="two")))
        run("upstream", "writeoff", "openai", "1.000000001", "CNY")
        cls.station.store.wait_requests([answer.request_id for answer in answers])
        until(lambda: cls.station.store.sql("SELECT 1 FROM transfer WHERE kind = 'plan'"), "a plan")
        cls.first = first

    def report(self, *words):
        return self.station.cli("usage", "--margin", *words, "--json")

    def test_every_figure_is_that_of_the_transfers(self):
        for by in BYS:
            for currency in (None, "USD", "CNY", "EUR"):
                words = [*(["--by", by] if by else []),
                         *(["--currency", currency] if currency else [])]
                with self.subTest(words):
                    report = self.report(*words)
                    wanted = margin.rows(self.station.store, "", currency)
                    self.assertEqual(said(report["total"], ""), wanted)
                    if by:
                        wanted = margin.rows(self.station.store, by, currency)
                        self.assertEqual(said(report["rows"], by), wanted)
                        self.assertFalse(report["more"])

    def test_totals_are_the_balances_of_the_accounts(self):
        self.assertTrue(self.station.ledger_check()["ok"])
        total = said(self.report()["total"], "")
        sums = collections.defaultdict(collections.Counter)
        for row in self.station.store.sql("SELECT * FROM account WHERE kind = 'system'"):
            what = margin.meaning(row["name"])
            if what:
                sums[None, row["currency"]][what[0]] += what[1] * row["balance"]
        self.assertGreater(sums[None, "USD"]["revenue"], 0)
        self.assertGreater(sums[None, "USD"]["promo_discount"], 0)
        self.assertGreater(sums[None, "CNY"]["failed_attempts"], 0)
        self.assertEqual(sums[None, "CNY"]["losses.writeoff"], 1000000001)
        for key, cell in sums.items():
            self.assertEqual({k: n for k, n in cell.items() if n},
                             {k: n for k, n in total[key].items()
                              if n and k not in ("left", "unknown_costs")})

    def test_what_has_no_rate_is_told_in_its_own(self):
        """The first answers came before there was a rate."""
        report = self.report("--currency", "USD")
        self.assertEqual({row["currency"] for row in report["total"]}, {"USD", "CNY"})
        self.assertIn("What is told in CNY had no rate to USD", report["answer"])

    def test_days_are_borders(self):
        days = [row["day"][:10] for row in self.report("--by", "day")["rows"]]
        whole = self.report()["total"]
        self.assertEqual(self.report("--from", min(days), "--to", max(days))["total"], whole)
        self.assertEqual(self.report("--from", "2999-01-01")["total"], [])
        empty = self.report("--to", "2000-01-01")
        self.assertEqual((empty["total"], empty["answer"]), ([], "Nothing was earned or lost."))

    def test_the_answer_is_in_words(self):
        report = self.report()
        text = self.station.cli("usage", "--margin")
        self.assertTrue(text.rstrip().splitlines()[-1].startswith("answer: No"), text)
        for row in report["total"]:
            lost = row["left"].startswith("-")
            self.assertIn(f" {row['left'].lstrip('-')} {row['currency']} is "
                          f"{'missing' if lost else 'left'}"
                          + (f", {row['percent']} % of revenue." if row["percent"] else "."),
                          report["answer"])
        self.assertIn(" was lost;", report["answer"])

    def test_a_cost_that_nobody_told_is_unknown(self):
        before = said(self.report("--by", "model")["rows"], "model")
        buyer = self.customer("5")
        answer = buyer.post(GENERATE, body_for("gemini"))
        self.assertEqual(answer.status, 200)
        self.assertEqual(self.charge(answer)["cost_currency"], "")
        report = self.report("--by", "model")
        after, key = said(report["rows"], "model"), ("gem", "USD")
        known = before.get(key, {"unknown_costs": 0})["unknown_costs"]
        self.assertEqual(after[key]["unknown_costs"], known + 1)
        self.assertEqual(after[key]["cost"], 0)
        total = sum(row.get("unknown_costs", 0) for row in report["total"])
        self.assertIn(f"The cost of {total} answer", report["answer"])
        self.assertIn("unknown_costs=", self.station.cli("usage", "--margin"))

    def test_only_the_owner_sees_it(self):
        with open(f"{self.station.data}/owner.key", encoding="utf-8") as file:
            owner = ("Authorization", f"Bearer {file.read().strip()}")
        answer = self.station.ask("GET", "/v1/margin?by=model&currency=USD", [owner])
        self.assertEqual(answer.json(), self.report("--by", "model", "--currency", "USD"))
        for query, field in (("by=moon", "by"), ("from=yesterday", "from"), ("to=2026-02-30", "to"),
                             ("from=2026-03-02&to=2026-03-01", "to"),
                             ("currency=usd", "currency")):
            answer = self.station.ask("GET", "/v1/margin?" + query, [owner])
            self.assertEqual(answer.status, 400)
            self.assertIn(f'"{field}"', answer.body.decode())
        house = self.customer(None, kind="house")
        for other in (self.first, house):
            answer = other.get("/v1/margin")
            self.assertEqual(answer.status, 403)
            self.assertNotIn(b"revenue", answer.body)

    def test_mistakes_are_named(self):
        for words, text in ((("--by", "moon"), "told by request, model"),
                            (("--from", "x"), "--from needs a day"),
                            (("--to", "2026-13-01"), "--to needs a day"),
                            (("--currency", "usd"), "--currency needs")):
            with self.assertRaises(station.CliError) as caught:
                self.station.cli("usage", "--margin", *words)
            self.assertIn(text, caught.exception.errors)
        self.assertIn("--currency CODE", self.station.cli("usage", "--margin", "--help"))
        self.assertIn("usage --margin [--by WHAT]", self.station.cli("usage", "--help"))

    def test_a_reversed_charge_is_no_revenue(self):
        """As after a crash between a charge and its closing row: its cost is a loss."""
        buyer = self.customer("5")
        row = self.charge(buyer.post(CHAT, body_for("chat")))
        before = said(self.report()["total"], "")
        self.station.stop()
        books = sqlite3.connect(self.station.store.path)
        with books:
            books.execute("DELETE FROM request WHERE rid = ?", (row["rid"],))
        books.close()
        self.station.start()
        after = said(self.report()["total"], "")
        self.assertEqual(after, margin.rows(self.station.store))
        usd, cny = (None, "USD"), (None, "CNY")
        self.assertEqual(after[usd]["revenue"], before[usd]["revenue"] - row["nano"])
        self.assertEqual(after[cny]["losses.crash"], before[cny]["losses.crash"] + row["cost"])
        self.assertEqual(after[cny]["cost"], before[cny]["cost"] - row["cost"])


if __name__ == "__main__":
    unittest.main()
