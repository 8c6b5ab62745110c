# SPDX-License-Identifier: Apache-2.0
"""Prices: tiers, fees and costs; each bill is computed again from the row that it names."""
import json
import unittest

from tests.peer import price as judge
from tests.peer import station
from tests.peer.case import CHAT, RESPONSES, StationCase, body_for
from tests.peer.reply import Reply
from tests.peer.wait import until

LONG = 200001
TIERED = {"currency": "USD", "input": "1.25", "output": "10", "cache_read": "0.125",
          "request": "0.0001", "margin": "1.05", "service_tiers": {"batch": "0.5", "priority": 2},
          "tiers": [{"min_input": LONG, "input": "2.5", "output": "15"},
                    {"min_input": 2 * LONG, "cache_read": "7"}]}
PLAIN = {"currency": "USD", "input": "1", "output": "2"}
SPOKEN = {"currency": "USD", "input": "1", "input_audio": "8", "output": "2", "web_search": "0.01",
          "service_tiers": {"flex": "0.5", "priority": "1.75"}}
DEAR = {"currency": "USD", "input": "3.000001", "output": "4"}


class Prices(StationCase):
    @classmethod
    def upstreams(cls):
        return [*super().upstreams(),
                station.upstream(cls.vendor, "openai", name="cheap",
                                 cost={"from": "book", "factor": "0.8"})]

    @classmethod
    def models(cls):
        owed = {"currency": "CNY", "input": "9", "output": "27",
                "tiers": [{"min_input": LONG, "input": "18.000001"}]}
        return [*super().models(),
                station.model("tiered", {"upstream": "openai", "model": "any", "cost": owed},
                              price=TIERED),
                station.model("booked", ("cheap", "gpt-5.4"),
                              price={"from": "book", "margin": "1.1"}),
                station.model("spoken", "openai", price=SPOKEN),
                station.model("changing", "openai", price=PLAIN)]

    def setUp(self):
        super().setUp()
        self.buyer = self.customer("100.00")

    def buy(self, model, more=None, **usage):
        """One answer for which the vendor counts this."""
        counts = {"prompt_tokens": 10, "completion_tokens": 1, **usage}
        counts["total_tokens"] = counts["prompt_tokens"] + counts["completion_tokens"]
        self.vendor.reply(Reply.json({"model": model, "usage": counts, **(more or {}), "choices": [
            {"index": 0, "finish_reason": "stop",
             "message": {"role": "assistant", "content": "x"}}]}))
        answer = self.buyer.post(CHAT, body_for("chat", model=model))
        self.assertEqual(answer.status, 200, answer)
        return self.charge(answer)

    def rows(self, query=""):
        answer = self.buyer.get("/v1/prices" + query)
        self.assertEqual(answer.status, 200, answer)
        return answer.json()["prices"]

    def row(self, number):
        found = self.rows(f"?row={number}")
        self.assertEqual(len(found), 1)
        self.assertEqual(found[0]["price_row"], number)
        return found[0]

    def price(self, model):
        return next(row for row in self.rows() if row["model"] == model)

    def assert_explained(self, charge):
        """Its row, fetched by its number, and its usage give its amount."""
        row = self.row(charge["price"])
        usage = {"in": charge["in_"], **{name: charge[name] for name in (
            "cache_read", "cache_write_5m", "cache_write_1h", "out", "reasoning")}}
        for pair in charge["more"].split():
            leaf, _, count = pair.partition("=")
            usage[leaf] = int(count)
        self.assertEqual(charge["nano"], judge.cost(
            row["terms"], usage, margin=(row["margin_num"], row["margin_den"]),
            service=charge["tier"]))
        return row

    def test_a_tier_begins_at_its_number(self):
        last = 0
        for tokens in (LONG - 2, LONG - 1, LONG, LONG + 1, 2 * LONG - 1, 2 * LONG):
            charge = self.buy("tiered", prompt_tokens=tokens, completion_tokens=100,
                              prompt_tokens_details={"cached_tokens": 1000})
            self.assert_explained(charge)
            self.assertGreater(charge["nano"], last)
            last = charge["nano"]
        # Below: 1.25 and 0.125 and 10 a million, and the fee; above: 2.5, still 0.125, and 15.
        def nano(tokens, rates):
            fresh, cached, out = rates
            return (((tokens - 1000) * fresh + 1000 * cached + 100 * out + 10**8) * 105 // 100
                    // 1000)
        for tokens, rates in ((LONG - 1, (1250000, 125000, 10000000)),
                              (LONG, (2500000, 125000, 15000000)),
                              (2 * LONG, (2500000, 7000000, 15000000))):
            charge = self.buy("tiered", prompt_tokens=tokens, completion_tokens=100,
                              prompt_tokens_details={"cached_tokens": 1000})
            self.assertEqual(charge["nano"], nano(tokens, rates), tokens)

    def test_the_tier_that_served_and_what_is_counted_in_pieces(self):
        sound = {"prompt_tokens_details": {"audio_tokens": 400, "cached_tokens": 100},
                 "completion_tokens_details": {"reasoning_tokens": 30}}
        plain = 600 * 1000 + 400 * 8000 + 40 * 2000     # what a cache had costs as input here
        for served, num, den in (("default", 1, 1), ("flex", 1, 2), ("priority", 7, 4),
                                 ("scale", 1, 1), ("lunch", 1, 1), (None, 1, 1)):
            charge = self.buy("spoken", {"service_tier": served}, prompt_tokens=1000,
                              completion_tokens=40, **sound)
            self.assertEqual(charge["nano"], plain * num // den, served)
            self.assert_explained(charge)
        # Two searches cost what they cost, whichever tier has served.
        self.vendor.reply(Reply.json({
            "id": "r", "object": "response", "model": "any", "status": "completed",
            "service_tier": "flex",
            "output": [{"type": "web_search_call", "id": f"w{n}", "status": "completed",
                        "action": {"type": "search", "query": "q"}} for n in range(2)],
            "usage": {"input_tokens": 1000, "output_tokens": 10, "total_tokens": 1010}}))
        answer = self.buyer.post(RESPONSES, body_for("responses", model="spoken"))
        self.assertEqual(answer.status, 200, answer)
        charge = self.charge(answer)
        self.assertEqual(charge["nano"], (1000 * 1000 + 10 * 2000) // 2 + 2 * 10**7)
        self.assert_explained(charge)

    def test_a_route_costs_what_it_says(self):
        charge = self.buy("tiered", prompt_tokens=10, completion_tokens=3)
        self.assertEqual((charge["cost"], charge["cost_currency"]), (10 * 9000 + 3 * 27000, "CNY"))
        charge = self.buy("tiered", prompt_tokens=LONG, completion_tokens=1)
        pico = LONG * 18000001 + 27000000
        self.assertEqual(charge["cost"], -(-pico // 1000))      # what is owed is rounded up

    def test_the_book_with_a_factor_and_a_margin(self):
        charge = self.buy("booked", prompt_tokens=1000, completion_tokens=10)
        self.assertEqual(charge["nano"], (1000 * 2500 + 10 * 15000) * 11 // 10)
        self.assertEqual(charge["cost"], (1000 * 2500 + 10 * 15000) * 8 // 10)
        charge = self.buy("booked", prompt_tokens=272001, completion_tokens=10)
        self.assertEqual(charge["nano"], (272001 * 5000 + 10 * 22500) * 11 // 10)
        row = self.assert_explained(charge)
        self.assertEqual(row["service_tiers"]["batch"], [1, 2])
        self.assertEqual(row["tiers"][0]["min_input"], 272001)
        self.assertRegex(row["source"], r"^price book, 20\d\d-\d\d-\d\d: https://")

    def test_a_hold_is_of_the_dearest_tier_that_may_be_reached(self):
        # It may be as many tokens as bytes, if hardly so; and all of them read from the cache.
        for size, below, rate in ((3 * LONG // 2, 1.25, 2.5), (2 * LONG, 2.5, 7)):
            body = body_for("chat", text="a" * size, model="tiered", maximum=10)
            for per_million, status in ((below, 402), (rate, 200)):
                buyer = self.customer(f"{size / 3 * per_million * 1e-6 * 1.2:.6f}")
                answer = buyer.post(CHAT, body)
                self.assertEqual(answer.status, status, answer)

    def test_a_tier_of_service_that_is_asked_for_is_held(self):
        tokens = 30000
        buyer = self.customer(f"{tokens * 10e-6 * 1.2:.6f}")
        for service, status in (("default", 200), ("priority", 402), ("auto", 402)):
            answer = buyer.post(CHAT, body_for("chat", model="tiered", maximum=tokens,
                                               service_tier=service))
            self.assertEqual(answer.status, status, service)

    def test_what_has_begun_is_paid_by_the_price_of_its_beginning(self):
        before = self.buy("changing", prompt_tokens=1000, completion_tokens=10)
        self.assertEqual(before["nano"], 1000 * 1000 + 10 * 2000)
        gate = self.hold_streams()
        body = body_for("chat", model="changing", stream=True,
                        stream_options={"include_usage": True})
        with self.buyer.open(CHAT, body) as raw:
            until(lambda: any(json.loads(r.body)["model"] == "changing" and
                              json.loads(r.body).get("stream") for r in self.vendor.received),
                  "the vendor has it")
            models = [*self.models()[:-1], station.model("changing", "openai", price=DEAR)]
            self.station.configure(models=models)
            self.addCleanup(lambda: (self.station.configure(models=self.models()),
                                     self.station.reload()))
            self.station.reload()
            after = self.buy("changing", prompt_tokens=1000, completion_tokens=10)
            gate.set()
            answer = raw.response()
        during = self.charge(answer)
        self.assertEqual(during["price"], before["price"])
        self.assertNotEqual(after["price"], before["price"])
        self.assertEqual(after["nano"], (1000 * 3000001 + 10 * 4000000) // 1000)
        for charge in (before, during, after):
            self.assert_explained(charge)
        self.assertEqual(self.price("changing")["price_row"], after["price"])
        # The store says when which counted, and the one before it can be had for ever.
        rows = self.station.cli("price", "history", "changing", "--json")["prices"]
        self.assertEqual([row["price_row"] for row in rows][-2:],
                         [before["price"], after["price"]])
        self.assertEqual(rows[-2]["until"], rows[-1]["from"])
        self.assertIsNone(rows[-1]["until"])
        self.station.ledger_check()

    def test_a_refused_configuration_changes_no_price(self):
        before = self.station.cli("price", "history", "--json")
        broken = station.model("z", ("openai", "nobody"), price={"from": "book"})
        models = [*self.models()[:-1], station.model("changing", "openai", price=DEAR), broken]
        self.station.configure(models=models)
        self.addCleanup(lambda: (self.station.configure(models=self.models()),
                                 self.station.reload()))
        self.assertIn("the price book has no price", self.station.reload("reload_refused"))
        self.assertEqual(self.station.cli("price", "history", "--json")["prices"],
                         before["prices"])

    def test_what_is_no_longer_sold_is_not_listed(self):
        def listed():
            return {row["model"]: row["price_row"]
                    for row in self.station.cli("price", "list", "--json")["prices"]}

        before = listed()
        self.station.configure(models=[m for m in self.models() if m["name"] != "spoken"])
        self.addCleanup(lambda: (self.station.configure(models=self.models()),
                                 self.station.reload()))
        changes = self.station.cli("price", "diff", "--json")["changes"]
        self.assertEqual({(c["model"], c["then"]) for c in changes}, {("spoken", "")})
        self.station.reload()
        self.assertEqual(before.keys() - listed().keys(), {"spoken"})
        last = self.station.cli("price", "history", "spoken", "--json")["prices"][-1]
        self.assertIsNotNone(last["until"])
        self.assertEqual(self.row(before["spoken"])["model"], "spoken")     # for its charges
        self.station.configure(models=self.models())
        changes = self.station.cli("price", "diff", "--json")["changes"]
        self.assertEqual({(c["model"], c["now"]) for c in changes}, {("spoken", "")})
        self.station.reload()
        self.assertEqual(listed(), before)      # the same row again

    def test_commands(self):
        names = {"gpt", "claude", "gem", "tiered", "booked", "changing", "spoken"}
        brief = {row["model"]: row for row in
                 self.station.cli("price", "list", "--json")["prices"]}
        sold = {row["model"]: row for row in
                self.station.cli("price", "show", "--json")["prices"]}
        self.assertEqual((set(brief), set(sold)), (names, names))
        self.assertEqual({key: brief["tiered"][key] for key in ("input", "tiers", "margin")},
                         {"input": "1.25", "tiers": 3, "margin": "1.05"})
        for row in self.rows():
            same = sold[row["model"]]
            self.assertEqual({key: same[key] for key in row}, row)
        shown = self.station.cli("price", "show", "booked", "--json")
        self.assertEqual(shown["prices"], [sold["booked"]])
        route = shown["routes"][0]
        self.assertEqual(route["upstream"], "cheap")
        self.assertEqual(route["cost"]["tiers"][0]["input"], "5")
        # 0.8 of the list bought, 1.1 of it sold: 3/11 is left.
        self.assertEqual(route["input_left_percent"], "27.27")
        self.assertNotIn("input_left_percent",
                         self.station.cli("price", "show", "tiered", "--json")["routes"][0])
        self.assertIn("no model", self.station.cli("price", "show", "lunch", "--json",
                                                   check=False)["error"]["message"])
        self.assertIn("tiered", self.station.cli("price", "list"))

    def test_rows_are_asked_for_by_number(self):
        self.assertEqual(self.rows("?row=999999"), [])
        self.assertGreaterEqual(len(self.rows("?history=1")), len(self.rows()))
        for wrong in ("0", "-1", "x", "", "99999999999999999999"):
            answer = self.buyer.get(f"/v1/prices?row={wrong}")
            self.assertEqual(answer.status, 400, wrong)

    def test_mistakes_are_named_with_their_place(self):
        text = "models:\n  - name: m\n    routes: [{upstream: a, model: nobody}]\n    price: %s\n"
        text += "upstreams: [{name: a, vendor: openai, keys: [sk-1]}]\n"
        for price, said in (("{from: book}", ":4:12: model m: the price book has no price"),
                            ("{currency: USD, input: 1, output: 2, tiers: [{input: 1}]}",
                             ":4:57: a tier needs 'min_input'")):
            other = station.Station()
            self.addCleanup(other.close)
            other.configure(text % price)
            with self.assertRaises(station.CliError) as caught:
                other.command("check")
            self.assertIn(said, caught.exception.errors)


if __name__ == "__main__":
    unittest.main()
