# SPDX-License-Identifier: Apache-2.0
"""What an operator has at its vendors: bought, used, left, written off; in several currencies."""
from tests.peer import station
from tests.peer.case import CHAT, NANO, StationCase, body_for

COST = {"currency": "CNY", "input": "3", "output": "9"}
NOTHING = {"bought": "0", "used": "0", "written_off": "0", "left": "0"}


class Purchases(StationCase):
    @classmethod
    def upstreams(cls):
        return [station.upstream(cls.vendor, kind, **({"cost": COST} if kind == "openai" else {}))
                for kind in ("openai", "anthropic", "gemini")]

    def assets(self, upstream):
        found = self.station.cli("upstream", "show", upstream, "--json")["upstreams"]
        return {row["currency"]: {k: row[k] for k in NOTHING} for row in found}

    def balances(self):
        return {row["name"]: row["balance"] for row in self.station.store.sql(
            "SELECT name, balance FROM account WHERE kind = 'system'")}

    def moved(self, before):
        """What has moved on the house's accounts since, in nano."""
        now = self.balances()
        return {name: now[name] - before.get(name, 0) for name in now
                if now[name] != before.get(name, 0)}

    def refused(self, *words):
        before = self.station.store.sql("SELECT COUNT(*) AS n FROM transfer")
        with self.assertRaises(station.CliError) as caught:
            self.station.cli(*words)
        self.assertEqual(self.station.store.sql("SELECT COUNT(*) AS n FROM transfer"), before)
        return caught.exception.errors

    def test_what_is_bought_used_and_left(self):
        self.station.cli("upstream", "buy", "openai", "100", "CNY", "--note", "June")
        self.assertEqual(self.assets("openai"), {"CNY": {**NOTHING, "bought": "100",
                                                         "left": "100"}})
        answer = self.customer("5").post(CHAT, body_for("chat", "x [[tokens=100]]"))
        row = self.charge(answer)
        cost = row["in_"] * 3000 + (row["out"] + row["reasoning"]) * 9000   # nano, exact
        self.assertEqual((row["cost"], row["cost_currency"]), (cost, "CNY"))
        left = 100 * NANO - cost
        text = f"{left // NANO}.{left % NANO:09d}".rstrip("0")
        shown = self.assets("openai")["CNY"]
        self.assertEqual((shown["bought"], shown["left"]), ("100", text))
        self.station.cli("upstream", "writeoff", "openai", "1.5", "CNY", "--note", "expired")
        self.assertEqual(self.assets("openai")["CNY"]["written_off"], "1.5")
        self.assertEqual(self.balances()["loss:writeoff:CNY"], -1500000000)
        self.assertIn("only 98.", self.refused("upstream", "writeoff", "openai", "99", "CNY"))
        self.station.cli("upstream", "writeoff", "openai", "all", "CNY")
        self.assertEqual(self.assets("openai")["CNY"]["left"], "0")
        self.assertIn("only 0 CNY", self.refused("upstream", "writeoff", "openai", "all", "CNY"))

    def test_across_currencies_the_spread_is_a_transfer_of_its_own(self):
        before = self.balances()
        self.station.cli("upstream", "buy", "anthropic", "1000", "CNY", "--paid", "140", "USD",
                         "--spread", "0.60")
        self.assertEqual(self.moved(before), {
            "asset:anthropic:CNY": -1000 * NANO, "fx:CNY": 1000 * NANO,
            "fx:USD": -139400000000, "exp:fx_spread:USD": -600000000, "funding:USD": 140 * NANO})
        rows = self.station.store.sql(
            "SELECT DISTINCT p.* FROM purchase p JOIN transfer t ON t.purchase = p.id"
            " WHERE p.upstream = 'anthropic'")
        self.assertEqual(len(rows), 1)
        self.assertEqual((rows[0]["nano"], rows[0]["paid"], rows[0]["spread"]),
                         (1000 * NANO, 140 * NANO, 600000000))

    def test_one_reference_is_bought_once(self):
        words = ("upstream", "buy", "gemini", "10", "CNY", "--paid", "1.5", "USD",
                 "--reference", "invoice 7")
        first = self.station.cli(*words, "--json")
        before = self.balances()
        self.assertEqual(self.station.cli(*words, "--json"), first)
        self.assertEqual(self.moved(before), {})
        self.assertEqual(self.assets("gemini")["CNY"]["bought"], "10")
        for amount, paid in (("11", "1.5"), ("10", "1.6")):
            self.assertIn("another booking: buy 10 CNY for 1.5 USD", self.refused(
                *words[:3], amount, "CNY", "--paid", paid, *words[7:]))
        self.station.cli("upstream", "buy", "anthropic", "1", "EUR", "--reference", "invoice 7")
        self.assertEqual(self.moved(before), {"asset:anthropic:EUR": -NANO, "funding:EUR": NANO})

    def test_mistakes_are_named(self):
        for words, said in (
                (("nobody", "1", "USD"), "no upstream 'nobody'"),
                (("gemini", "x", "USD"), "needs an amount"),
                (("gemini", "0", "USD"), "positive amount"),
                (("gemini", "1", "usd"), "needs a currency"),
                (("gemini", "1", "USD", "--paid", "2", "us"), "--paid needs a currency"),
                (("gemini", "1", "USD", "--paid", "2", "USD"), "same currency"),
                (("gemini", "1", "USD", "--spread", "1"), "same currency"),
                (("gemini", "1", "USD", "--paid", "2", "CNY", "--spread", "3"), "spread"),
                (("gemini", "1", "USD", "--paid", "2"), "--paid needs AMOUNT CURRENCY"),
                (("gemini", "1", "USD", "--reference", "x" * 101), "a reference is"),
                (("gemini", "1", "USD", "--note", "x" * 101), "a note is")):
            self.assertIn(said, self.refused("upstream", "buy", *words), words)

    def test_each_explains_itself(self):
        for words in ("buy", "writeoff", "list", "show"):
            self.assertIn(f"entrepot upstream {words}",
                          self.station.cli("upstream", words, "--help"))
