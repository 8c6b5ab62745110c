# SPDX-License-Identifier: Apache-2.0
"""A price book of the operator's own, what a change of it would change, and lists of others."""
import json
import os
import pathlib
import subprocess
import unittest
from decimal import Decimal

from tests.peer import station
from tests.peer.case import StationCase

LIST = pathlib.Path(station.ROOT).parent / "shared" / "data" / "prices-genai.json"
FIELDS = {"input_mtok": "input", "output_mtok": "output", "cache_read_mtok": "cache_read"}


class Book(StationCase):
    @classmethod
    def models(cls):
        return [station.model("mini", ("openai", "gpt-5-mini"), price={"from": "book"}),
                station.model("own", ("openai", "my-finetune"), price={"from": "book"})]

    @classmethod
    def setUpClass(cls):
        original = station.Station.configure

        def with_book(self, *words, **changes):
            write(self.folder, BOOK)
            original(self, *words, **changes)

        cls.settings = {"price_book": "prices.json"}
        station.Station.configure = with_book
        try:
            super().setUpClass()
        finally:
            station.Station.configure = original

    def prices(self):
        answer = self.customer().get("/v1/prices")
        return {row["model"]: row for row in answer.json()["prices"]}

    def changes(self):
        return {(row["model"], row["what"]): (row["now"], row["then"]) for row in
                self.station.cli("price", "diff", "--json")["changes"]}

    def test_it_stands_before_the_built_in_one_and_says_what_would_change(self):
        own = self.prices()["own"]
        self.assertEqual((own["input"], own["tiers"][0]["output"]), ("0.7", "9"))
        self.assertEqual(self.prices()["mini"]["input"], "0.25")
        self.assertEqual(self.changes(), {})
        self.assertEqual(self.station.cli("price", "diff"), "nothing changes\n")
        more = {"prices": [*BOOK["prices"], {
            "vendor": "openai", "model": "gpt-5-mini", "source": "a contract",
            "price": {"currency": "USD", "input": "0.2", "output": "2", "cache_read": "0.025"}}, {
            "vendor": "openai", "model": "gpt-5-mini", "from": "2099-01-01",
            "price": {"currency": "USD", "input": "7", "output": "7"}}]}
        write(self.station.folder, more)
        self.addCleanup(write, self.station.folder, BOOK)
        self.assertEqual(self.changes(), {
            ("mini", "input"): ("0.25", "0.2"), ("mini", "service_tiers.batch"): ("1/2", ""),
            ("mini", "service_tiers.flex"): ("1/2", ""),
            ("mini", "service_tiers.fast"): ("9/5", ""),
            ("mini", "service_tiers.priority"): ("9/5", "")})
        self.assertEqual(self.prices()["mini"]["input"], "0.25")    # nothing was changed by asking
        self.station.reload()
        self.assertEqual(self.prices()["mini"]["input"], "0.2")
        self.assertEqual(self.changes(), {})
        rows = self.station.cli("price", "history", "mini", "--json")["prices"]
        self.assertEqual([(row["input"], row["until"] is None) for row in rows],
                         [("0.25", False), ("0.2", False), ("7", True)])
        self.assertEqual(rows[1]["source"], "a contract")
        self.assertTrue(rows[2]["from"].startswith("2099-01-01T00:00:00"))
        self.assertEqual(rows[1]["until"], rows[2]["from"])
        sold = self.station.cli("price", "list", "--json")["prices"]
        self.assertEqual([r["input"] for r in sold if r["model"] == "mini"], ["0.2"])

    def test_lists_and_what_is_deep_are_told_apart_in_text(self):
        text = self.station.cli("price", "show", "own")
        self.assertRegex(
            text, r"  tiers=\[\{min_input=1000  input=0\.7  [^{}]*output=9  [^{}]*\}\]  ")
        self.assertRegex(self.station.cli("price", "history", "mini"),
                         r"  service_tiers=\{[a-z]+=\[\d, \d\]  [^{}]*priority=\[9, 5\]")
        self.assertRegex(self.station.cli("ledger", "check"), r"\nchecked: [a-z ]+, [a-z ]+, ")

    def test_mistakes_are_named_where_they_are(self):
        other = station.Station(price_book="other.yaml")
        self.addCleanup(other.close)
        path = os.path.join(other.folder, "other.yaml")
        for text, said in (
                ("prices: [{vendor: openia, model: m, price: {currency: USD, input: 1, "
                 "output: 1}}]",
                 "other.yaml:1:10: there is no vendor 'openia', did you mean 'openai'?"),
                ("prices:\n- {vendor: openai, model: m, from: 2026-02-29, price: {from: book}}",
                 "other.yaml:2:36: from must be a day such as 2026-08-21, not '2026-02-29'"),
                ("prices: [{vendor: openai, model: m, price: {from: book}}]",
                 "other.yaml:1:44: a row of a price book is written out"),
                ("prices: [{vendor: openai, model: m}]", "other.yaml:1:10: a row needs 'price'"),
                ("prices: [", "other.yaml:2:1: "), (None, "other.yaml: No such file")):
            if text is None:
                os.unlink(path)
            else:
                pathlib.Path(path).write_text(text + "\n", encoding="utf-8")
            with self.assertRaises(station.CliError) as caught:
                other.command("check")
            self.assertIn(said, caught.exception.errors)


BOOK = {"prices": [{"vendor": "openai", "model": "my-finetune", "price": {
    "currency": "USD", "input": "0.7", "output": "3",
    "tiers": [{"min_input": 1000, "output": "9"}]}}]}


def write(folder, book):
    with open(os.path.join(folder, "prices.json"), "w", encoding="utf-8") as out:
        json.dump(book, out, indent=1)


class Import(unittest.TestCase):
    def setUp(self):
        if not station.available():
            self.skipTest(f"no station to test at {station.PROGRAM} (set ENTREPOT)")
        self.station = station.Station()
        self.addCleanup(self.station.close)
        self.list = os.path.join(self.station.folder, "list.json")
        self.written = os.path.join(self.station.folder, "prices.json")

    def run_import(self, *words, value=None, status=0):
        if value is not None:
            pathlib.Path(self.list).write_text(json.dumps(value), encoding="utf-8")
        done = subprocess.run([station.PROGRAM, "price", "import", *words, "--json"], text=True,
                              capture_output=True, check=False)
        self.assertEqual(done.returncode, status, done)
        return json.loads(done.stdout)

    def test_mistakes_are_named(self):
        told = self.run_import(self.list, "--vendor", "bogus", value=[], status=1)
        self.assertIn("there is no vendor 'bogus'", told["error"]["message"])
        for value in ({"listen": "127.0.0.1:1"}, []):
            told = self.run_import(self.list, value=value, status=1)
            self.assertTrue(told["error"]["message"].startswith(f"{self.list}: "), told)
        pathlib.Path(self.list).write_text("listen: 1\n", encoding="utf-8")
        told = self.run_import(self.list, status=1)
        self.assertTrue(told["error"]["message"].startswith(f"{self.list}: "), told)

    def test_what_is_left_out_is_of_the_vendor_that_was_asked_for(self):
        good = {"id": "m", "prices": {"input_mtok": 1, "output_mtok": 2}}
        odd = {"id": "n", "prices": {"input_mtok": 1, "moon_mtok": 2}}
        value = [{"id": "openai", "models": [good]}, {"id": "anthropic", "models": [odd, good]}]
        for words, left_out in (((), 1), (("--vendor", "openai"), 0),
                                (("--vendor", "anthropic"), 1)):
            self.assertEqual(self.run_import(self.list, *words, value=value)["left_out"], left_out)

    def test_differences_are_told_and_written_for_review(self):
        value = [{"id": "openai", "models": [
            {"id": "gpt-5-mini", "prices": {"input_mtok": 0.3, "output_mtok": 2,
                                            "cache_read_mtok": 0.025}},
            {"id": "gpt-5", "prices": {"input_mtok": 1.25, "output_mtok": 10,
                                       "cache_read_mtok": 0.125}},
            {"id": "brand-new", "prices": {"input_mtok": 1, "output_mtok": 2}}]}]
        told = self.run_import(self.list, "--write", self.written, value=value)
        self.assertEqual(told, {"differences": [
            {"vendor": "openai", "model": "gpt-5-mini", "what": "input", "book": "0.25",
             "list": "0.3"}], "same": 1, "differ": 1, "not_in_book": 1, "left_out": 0})
        rows = json.loads(pathlib.Path(self.written).read_text(encoding="utf-8"))["prices"]
        self.assertEqual([(r["model"], r["price"]["input"], r["source"]) for r in rows],
                         [("gpt-5-mini", "0.3", "list.json")])
        self.assertEqual(rows[0]["price"]["service_tiers"]["priority"], "1.8")  # of the book
        again = self.run_import(self.list, "--write", self.written, status=1)
        self.assertIn("File exists", again["error"]["message"])
        # What was written is a price book.
        self.station.configure(
            price_book="prices.json",
            upstreams=[{"name": "o", "vendor": "openai", "keys": ["sk-1"]}],
            models=[station.model("m", ("o", "gpt-5-mini"), price={"from": "book"})])
        self.station.command("check")
        changes = self.station.cli("price", "diff", "--json")["changes"]
        self.assertIn({"model": "m", "what": "input", "now": "", "then": "0.3"}, changes)

    def test_what_is_no_list_is_refused(self):
        self.assertIn("neither", self.run_import(self.list, value=[], status=1)["error"]["message"])
        self.run_import("/nowhere/list.json", status=1)
        self.run_import(status=2)

    def test_a_whole_list(self):
        if not LIST.exists():
            self.skipTest(f"{LIST} is not there")
        told = self.run_import(str(LIST), "--vendor", "moonshot", "--write", self.written)
        rows = json.loads(pathlib.Path(self.written).read_text(encoding="utf-8"))["prices"]
        providers = json.loads(LIST.read_text(encoding="utf-8"), parse_float=Decimal)
        theirs = {model["id"]: model for provider in providers
                  if provider["id"] == "moonshotai" for model in provider["models"]}
        self.assertEqual(told["same"] + told["differ"] + told["not_in_book"] + told["left_out"],
                         len(theirs) + told["left_out"])
        self.assertGreater(len(rows), 3)
        for row in rows:
            prices = theirs[row["model"]]["prices"]
            for field, name in FIELDS.items():
                if field in prices:
                    self.assertEqual(Decimal(row["price"][name]), prices[field], row)


if __name__ == "__main__":
    unittest.main()
