# SPDX-License-Identifier: Apache-2.0
"""Several balances: promo, other currencies at a rate, factors, houses with a limit."""
import math
from fractions import Fraction

from tests.peer import station
from tests.peer.case import CHAT, NANO, StationCase, body_for

IN, OUT = Fraction("2.5") / 10**6, Fraction(10) / 10**6     # of StationCase's price, USD


class Balances(StationCase):
    def ask(self, customer, tokens=100, maximum=100, status=200):
        answer = customer.post(CHAT, body_for("chat", f"x [[tokens={tokens}]]", maximum=maximum))
        self.assertEqual(answer.status, status, answer)
        return answer

    def cost(self, row, *ratios):
        """By the price as the test's own file states it, and exact fractions."""
        sum_ = row["in_"] * IN + (row["out"] + row["reasoning"]) * OUT
        return math.floor(math.prod(ratios, start=sum_) * NANO)

    def balances(self, customer):
        rows = customer.get("/v1/account").json()["balances"]
        return {row["currency"]: (row["balance"], row["promo"]) for row in rows}

    def test_promo_is_spent_first_and_both_are_shown(self):
        customer = self.customer("1")
        self.station.cli("promo", "grant", customer.name, "0.0005", "--note", "welcome")
        row = self.charge(self.ask(customer))
        self.assertEqual(row["nano"], self.cost(row))
        self.assertEqual(row["promo"], 500000)
        balances = self.balances(customer)
        self.assertEqual(balances["USD"][1], "0")
        self.assertEqual(Fraction(balances["USD"][0]), 1 - Fraction(row["nano"] - 500000, NANO))
        usage = customer.get("/v1/usage").json()
        self.assertEqual(usage["charges"][0]["promo"], "0.0005")
        self.assertEqual(usage["balances"], [{"currency": "USD", "balance": balances["USD"][0],
                                              "promo": "0"}])

    def test_promo_alone_pays_too(self):
        customer = self.customer(None)
        self.ask(customer, status=402)
        self.station.cli("promo", "grant", customer.name, "1")
        row = self.charge(self.ask(customer))
        self.assertEqual(row["promo"], row["nano"])

    def test_another_currency_pays_at_the_rate(self):
        customer = self.customer(None, currency="XAA")
        self.station.credit(customer.name, "10")
        answer = self.ask(customer, status=403)
        self.assertIn("sold in USD, the account holds XAA", answer.json()["error"]["message"])
        self.station.cli("rate", "set", "USD", "XAA", "7.25", "--source", "a bank")
        row = self.charge(self.ask(customer))
        self.assertEqual(row["nano"], self.cost(row, Fraction("7.25")))
        # Another rate prices what comes, not what was.
        self.station.cli("rate", "set", "XAA", "USD", "1/8")
        later = self.charge(self.ask(customer))
        self.assertEqual(later["nano"], self.cost(later, 8))
        self.assertNotEqual(row["rate"], later["rate"])
        self.assertEqual(Fraction(self.balances(customer)["XAA"][0]),
                         10 - Fraction(row["nano"] + later["nano"], NANO))
        rates = [r for r in self.station.cli("rate", "list", "--json")["rates"]
                 if "XAA" in (r["base"], r["quote"])]
        self.assertEqual([(r["num"], r["den"], r["source"]) for r in rates],
                         [(29, 4, "a bank"), (1, 8, "")])

    def test_the_currency_it_is_sold_in_pays_before_others(self):
        self.station.cli("rate", "set", "USD", "XBB", "2")
        customer = self.customer("0.0021")
        self.station.cli("credit", customer.name, "5", "--currency", "XBB")
        first, second = self.charge(self.ask(customer)), self.charge(self.ask(customer))
        self.assertEqual((first["rate"], first["nano"]), (None, self.cost(first)))
        self.assertEqual(second["nano"], self.cost(second, 2))
        self.assertEqual(Fraction(self.balances(customer)["XBB"][0]),
                         5 - Fraction(second["nano"], NANO))

    def test_a_key_with_a_budget_spends_the_accounts_own_currency_alone(self):
        self.station.cli("rate", "set", "USD", "XCC", "2")
        customer = self.customer(None, budget="3")
        self.station.cli("credit", customer.name, "5", "--currency", "XCC")
        self.ask(customer, status=402)
        self.station.credit(customer.name, "1")
        self.ask(customer)

    def test_a_factor_of_the_group_and_then_of_the_account(self):
        customer = self.customer("1")
        self.station.cli("group", "set", "friends", "0.5")
        self.station.cli("account", "set", customer.name, "--group", "friends")
        row = self.charge(self.ask(customer))
        self.assertEqual(row["nano"], self.cost(row, Fraction(1, 2)))
        self.station.cli("account", "set", self.customer().name, "--group", "strangers")
        groups = self.station.cli("group", "list", "--json")["groups"]
        self.assertEqual(groups, [
            {"group": "friends", "num": 1, "den": 2, "accounts": 1},
            {"group": "strangers", "num": 1, "den": 1, "accounts": 1}])
        self.station.cli("account", "set", customer.name, "--factor", "4/3")
        row = self.charge(self.ask(customer))
        self.assertEqual(row["nano"], self.cost(row, Fraction(4, 3)))
        shown = [a for a in self.station.cli("account", "list", "--json")["accounts"]
                 if a["account"] == customer.name][0]
        self.assertEqual((shown["group"], shown["factor"]), ("friends", {"num": 4, "den": 3}))
        shown = self.station.cli("account", "set", customer.name, "--factor", "none", "--json")
        self.assertEqual((shown["group"], shown["factor"]), ("friends", {"num": 1, "den": 2}))
        row = self.charge(self.ask(customer))
        self.assertEqual(row["nano"], self.cost(row, Fraction(1, 2)))
        self.station.restart()
        row = self.charge(self.ask(customer))
        self.assertEqual(row["nano"], self.cost(row, Fraction(1, 2)))
        told = self.station.cli("account", "set", customer.name, "--factor", "1", "--json")
        self.assertEqual((told["num"], told["den"]), (1, 1))
        self.assertIn("factor_row", told)
        row = self.charge(self.ask(customer))
        self.assertEqual(row["nano"], self.cost(row, 1))

    def test_what_is_surely_mistyped_is_done_with_a_warning(self):
        customer, run = self.customer("1"), self.station.cli
        answer = run("account", "set", customer.name, "--group", "nope", "--json")
        self.assertEqual((answer["group"], answer["warning"]), (
            "nope", "the group \"nope\" has no factor: its accounts pay the price as it is"))
        self.assertIn("warning: the group", run("account", "set", customer.name, "--group", "nope"))
        for group in ("known", "none"):
            run("group", "set", "known", "0.9")
            self.assertNotIn("warning", run("account", "set", customer.name, "--group", group,
                                            "--json"))
        for words in (("credit", customer.name, "1", "--currency", "XYZ"),
                      ("account", "create", "typo", "--currency", "XYZ")):
            answer = run(*words, "--json")
            self.assertIn("nothing is sold in XYZ", answer["warning"])
            self.assertEqual(answer["currency"], "XYZ")
        run("rate", "set", "XYZ", "EUR", "2")
        for words in (("credit", customer.name, "1", "--currency", "XYZ"),
                      ("credit", customer.name, "1", "--currency", "USD"),
                      ("account", "create", "right", "--currency", "EUR")):
            self.assertNotIn("warning", run(*words, "--json"))

    def test_wrong_input_is_told(self):
        customer, promoted, house = (self.customer("1"), self.customer("1"),
                                     self.customer(None, kind="house"))
        self.station.cli("promo", "grant", promoted.name, "2")
        for words, part in [
                (("rate", "set", "USD", "USD", "1"), "two currencies"),
                (("rate", "set", "USD", "usd", "1"), "usd"),
                (("rate", "set", "USD", "EUR", "0"), "a rate needs a number above 0"),
                (("rate", "set", "USD", "EUR", "1/0"), "a rate needs a number above 0"),
                (("rate", "set", "USD", "EUR", "-1"), "a rate needs a number above 0"),
                (("rate", "set", "USD", "EUR", "1", "--from", "1000"), "now or later"),
                (("group", "set", "x", "1.0000000001"), "a factor needs"),
                (("group", "set", "none", "0.5"), "\"none\" is no group"),
                (("group", "set", "x", "1001"), "from 1/1000 to 1000"),
                (("account", "set", customer.name, "--factor", "1/1001"), "from 1/1000 to 1000"),
                (("account", "set", customer.name, "--credit-limit", "5"), "only a house"),
                (("account", "set", customer.name, "--group", "a", "--factor", "2"), "one thing"),
                (("debit", customer.name, "1", "--currency", "EUR"), "holds no EUR"),
                (("promo", "lapse", customer.name, "1"), "no promo in USD"),
                (("promo", "lapse", promoted.name, "3"), "only 2 USD of its promo is not held"),
                (("debit", promoted.name, "3"), "only 1 USD of its balance is not held"),
                (("credit", customer.name, "99999999999"), "larger than the ledger can hold"),
                (("credit", customer.name, "9x"), "nine digits after the point"),
                (("refund", house.name, "all"), "a house account gets no refunds; debit"),
                (("account", "set", house.name, "--budget", "5"), "--credit-limit says how far"),
                (("credit", "\udcff\udcfe", "1"), "word 2 is not printable UTF-8"),
                (("usage", "--by", "model"), "usage has no option '--by', but usage --margin has"),
                (("usage", "--margin", "--from", "2026-03-02", "--to", "2026-03-01"),
                 "--to needs a day that is not before --from"),
                (("promo", "grant", customer.name, "0"), "changes nothing"),
                (("credit", customer.name, "1", "--currency", "dollar"), "dollar")]:
            with self.subTest(words):
                with self.assertRaises(station.CliError) as caught:
                    self.station.cli(*words)
                self.assertIn(part, caught.exception.errors)


class House(StationCase):
    def test_a_house_with_a_limit_is_refused_at_it(self):
        self.station.create_account("lab", kind="house")
        with self.assertRaises(station.CliError) as caught:
            self.station.cli("account", "set", "lab", "--credit-limit", "0.002")
        self.assertIn("stop the station to give a limit", caught.exception.errors)
        with self.assertRaises(station.CliError) as caught:
            self.station.cli("account", "set", "lab", "--credit-limit", "0")
        self.assertIn("none for no limit", caught.exception.errors)
        self.station.stop()
        self.station.cli("account", "set", "lab", "--credit-limit", "0.002")
        self.station.start()
        key = self.station.create_key("lab")
        auth = [("Authorization", f"Bearer {key}"), ("Content-Type", "application/json")]
        body = body_for("chat", "x [[tokens=100]]", maximum=100)
        answers = [self.station.ask("POST", CHAT, auth, body).status for _ in range(3)]
        self.assertEqual(answers, [200, 402, 402])
        self.station.cli("account", "set", "lab", "--credit-limit", "1")
        self.assertEqual(self.station.ask("POST", CHAT, auth, body).status, 200)
