# SPDX-License-Identifier: Apache-2.0
"""Statements: every movement of an account's balances, and what they came to. tools/recompute.py
judges them; it shares nothing with the station, and is itself judged by errors of one nano."""
import contextlib
import copy
import csv
import importlib.util
import io
import json
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import unittest

from tests.peer import station
from tests.peer.case import CHAT, JSON, StationCase, body_for
from tests.peer.reply import Reply
from tests.peer.wait import until

TOOL = pathlib.Path(station.ROOT) / "tools" / "recompute.py"
_spec = importlib.util.spec_from_file_location("recompute", TOOL)
recompute = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(recompute)


def answer(usage, model="gpt", **more):
    message = {"role": "assistant", "content": "Hello"}
    return Reply.json({"model": model, "usage": usage, "choices": [
        {"index": 0, "finish_reason": "stop", "message": message}], **more})


def tokens(prompt, completion, cached=0, reasoning=0):
    return {"prompt_tokens": prompt, "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": cached},
            "completion_tokens_details": {"reasoning_tokens": reasoning}}


def nano(text):
    return recompute.nano(text)


class Statement(StationCase):
    """One customer with a life of its own: see `live`."""

    @classmethod
    def models(cls):
        price = {**station.PRICE, "margin": "1.07", "service_tiers": {"flex": "0.5"},
                 "tiers": [{"min_input": 1000, "input": "3.1"}]}
        return [station.model("gpt", "openai", price=price)]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls.customer("1", models="gpt")
        cls.live()

    @classmethod
    def ask(cls, usage, customer=None, headers=(), **more):
        cls.vendor.reply(answer(usage, **more))
        got = (customer or cls.buyer).post(CHAT, body_for("chat", maximum=50), headers)
        assert got.status == 200, got
        cls.station.store.wait_request(got.request_id)
        return got

    @classmethod
    def live(cls):
        """Promo, another currency, factor, rate and price that change, a debit, a reversal."""
        name, cli = cls.buyer.name, cls.station.cli
        cli("promo", "grant", name, "0.0009", "--note", "=welcome, \"you\"")
        cls.ask(tokens(100, 50, cached=30, reasoning=7), headers=[("Relay-Tag", "=1+1,\"x\"")])
        cls.ask(tokens(1200, 50), service_tier="flex")
        cli("account", "set", name, "--factor", "4/3")
        cls.ask(tokens(999, 10))
        cli("promo", "grant", name, "0.1")
        cli("promo", "lapse", name, "0.0999")
        cls.ask(tokens(321, 12))
        cls.settle_price("7.77")
        cls.ask(tokens(77, 33))
        cli("debit", name, "0.9", "--note", "taken back")
        cli("rate", "set", "USD", "CNY", "7.123")
        cli("credit", name, "3", "--currency", "CNY")
        cls.empty_first_balance()
        cls.ask(tokens(50, 49))
        cli("rate", "set", "CNY", "USD", "1/7")
        cli("account", "set", name, "--factor", "0.9")
        cls.ask(tokens(51, 48))
        cls.reverse_one()

    @classmethod
    def settle_price(cls, rate):
        text = pathlib.Path(cls.station.file).read_text()
        assert '"10.00"' in text
        pathlib.Path(cls.station.file).write_text(text.replace('"10.00"', f'"{rate}"'))
        cls.station.reload()

    @classmethod
    def empty_first_balance(cls):
        left = cls.buyer.get("/v1/account").json()["balance"]
        cls.station.cli("debit", cls.buyer.name, left)

    @classmethod
    def reverse_one(cls):
        """A charge whose closing row is gone when the station starts is given back."""
        got = cls.ask(tokens(40, 20))
        cls.station.kill()
        with contextlib.closing(sqlite3.connect(cls.station.store.path)) as books:
            books.execute("DELETE FROM request WHERE rid = (SELECT rid FROM charge ORDER BY id DESC"
                          " LIMIT 1)")
            books.commit()
        cls.station.start()
        cls.reversed = got.request_id

    # What the station says

    def statement(self, query="", customer=None, status=200):
        got = (customer or self.buyer).get(f"/v1/statement{query}")
        self.assertEqual(got.status, status, got)
        return got

    def pages(self, limit, query=""):
        pages, cursor = [], ""
        while cursor is not None:
            more = f"&cursor={cursor}" if cursor else ""
            pages.append(self.statement(f"?limit={limit}{more}{query}").json())
            self.assertLessEqual(len(pages[-1]["movements"]), limit)
            cursor = pages[-1]["next"]
        return pages

    def table(self, query=""):
        return self.statement(f"?format=csv{query}").body.decode()

    def prices(self):
        return self.buyer.get("/v1/prices?history=1").json()

    def judge(self, lines):
        """How many lines differ, and what was said of them."""
        prices = recompute.Prices([], None)
        prices.add(self.prices())
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            count = recompute.Judge(prices).run(lines)
        return count, said.getvalue()

    def rows_of(self, text):
        return list(csv.DictReader(io.StringIO(text, newline="")))

    # The whole

    def test_all_of_it_is_there_and_computes(self):
        page = self.statement().json()
        self.assertEqual(self.judge(recompute.from_json([page])), (0, ""))
        kinds = [row["kind"] for row in page["movements"]]
        self.assertEqual(kinds, ["credit", "grant", "charge", "charge", "charge", "grant", "lapse",
                                 "charge", "charge", "debit", "credit", "debit", "charge", "charge",
                                 "charge", "reversal"])
        charges = [row for row in page["movements"] if row["kind"] == "charge"]
        self.assertEqual(charges[0]["usage"], {"in": 70, "cache_read": 30, "cache_write_5m": 0,
                                               "cache_write_1h": 0, "out": 43, "reasoning": 7})
        self.assertEqual(charges[0]["promo"], charges[0]["charged"])
        self.assertEqual((charges[1]["tier"], charges[1]["end"]), ("flex", "complete"))
        self.assertNotEqual(charges[1]["promo"], "0")
        self.assertNotEqual(charges[1]["promo"], charges[1]["charged"])
        self.assertNotIn("factor_row", charges[1])
        self.assertEqual((charges[2]["factor_num"], charges[2]["factor_den"]), (4, 3))
        self.assertEqual(len({row["price_row"] for row in charges}), 2)
        self.assertEqual([row["currency"] for row in charges], ["USD"] * 5 + ["CNY"] * 3)
        self.assertEqual([(row["rate_base"], row["rate_num"]) for row in charges[5:7]],
                         [("USD", 7123), ("CNY", 1)])
        self.assertEqual(page["movements"][-1]["request"], self.reversed)
        self.assertEqual(page["movements"][-1]["note"], "crash")
        account = self.buyer.get("/v1/account").json()["balances"]
        self.assertEqual([(row["currency"], row["balance"], row["promo_balance"])
                          for row in page["closing"]],
                         [(row["currency"], row["balance"], row["promo"]) for row in account])

    def test_what_it_costs_the_operator_is_not_in_it(self):
        for text in (self.statement().body.decode(), self.table()):
            for word in ("cost", "margin", "upstream", "openai"):
                self.assertNotIn(word, text)

    def test_the_table_says_the_same(self):
        text = self.table()
        self.assertEqual(self.judge(recompute.from_csv(text)), (0, ""))
        rows = self.rows_of(text)
        page = self.statement().json()
        self.assertEqual([row["kind"] for row in rows], ["opening"] * 2 + [
            row["kind"] for row in page["movements"]] + ["closing"] * 2)
        for row, line in zip(rows[2:], page["movements"]):
            for name, value in line.items():
                if name not in ("usage", "tag", "note"):
                    self.assertEqual(row[name], str(value), name)

    def test_cells_are_no_formulas_and_end_as_the_standard_says(self):
        text = self.table()
        self.assertIn("\"'=1+1,\"\"x\"\"\"", text)
        self.assertIn("\"'=welcome, \"\"you\"\"\"", text)
        self.assertEqual(text.count("\r\n"), text.count("\n"))
        got = self.statement("?format=csv")
        self.assertIn("text/csv", got.get("content-type"))
        self.assertIn("attachment", got.get("content-disposition"))
        self.assertEqual(self.statement().json()["movements"][2]["tag"], "=1+1,\"x\"")

    def test_pages_are_the_whole_again(self):
        whole = self.statement().json()
        for limit in (1, 2, 5, 16):
            pages = self.pages(limit)
            self.assertEqual([row for page in pages for row in page["movements"]],
                             whole["movements"], limit)
            self.assertEqual(pages[-1]["closing"], whole["closing"])
            self.assertEqual(self.judge(recompute.from_json(pages)), (0, ""))
            for one, other in zip(pages, pages[1:]):
                self.assertEqual([row["balance"] for row in one["closing"]],
                                 [row["balance"] for row in other["opening"]])
        text, got = "", self.statement("?format=csv&limit=3")
        while got.get("relay-next"):
            text += got.body.decode()
            got = self.statement(f"?format=csv&limit=3&cursor={got.get('relay-next')}")
        self.assertEqual(text + got.body.decode(), self.table())

    def test_periods_are_one_behind_the_other(self):
        cut = self.statement().json()["movements"][8]["time"]
        first = self.statement(f"?from=2020-01-01&to={cut}").json()
        later = self.statement(f"?from={cut}").json()
        self.assertEqual(first["movements"] + later["movements"],
                         self.statement().json()["movements"])
        self.assertGreater(len(first["movements"]), 0)
        self.assertGreater(len(later["movements"]), 0)
        self.assertEqual([row["balance"] for row in first["closing"]],
                         [row["balance"] for row in later["opening"]])
        for page in (first, later):
            self.assertEqual(self.judge(recompute.from_json([page])), (0, ""))
        empty = self.statement("?from=2020-01-01&to=2020-02-01").json()
        self.assertEqual((empty["movements"], {row["balance"] for row in empty["closing"]}),
                         ([], {"0"}))

    def test_one_currency_alone(self):
        page = self.statement("?currency=CNY").json()
        self.assertEqual({row["currency"] for row in page["movements"]}, {"CNY"})
        self.assertEqual(len(page["closing"]), 1)
        self.assertEqual(self.judge(recompute.from_json([page])), (0, ""))

    def test_nobody_sees_what_is_others(self):
        other = self.customer("2")
        page = self.statement(customer=other).json()
        self.assertEqual([(row["kind"], row["amount"]) for row in page["movements"]],
                         [("credit", "2")])
        self.assertEqual(self.station.ask("GET", "/v1/statement", [JSON]).status, 401)

    def test_wrong_questions_are_told(self):
        for query, field in (("from=yesterday", "from"), ("to=2026-02-30", "to"),
                             ("from=2026-03-02&to=2026-03-01", "to"), ("currency=usd", "currency"),
                             ("format=xml", "format"), ("limit=0", "limit"),
                             ("limit=1001", "limit"), ("cursor=1.2", "cursor"),
                             ("cursor=1.0.0~USD:1", "cursor"),
                             ("cursor=%zz", "cursor"), ("from=2026-01-01T23:00:00.Z", "from"),
                             ("from=2026-01-01T24:00:00Z", "from")):
            error = self.assert_error(self.statement("?" + query, status=400), 400)
            self.assertIn(field, error["message"] + (error["param"] or ""), query)

    def test_a_cursor_that_does_not_fit_is_told(self):
        pages = self.pages(15)
        cursor = pages[0]["next"].replace("USD:", "USD:9")
        error = self.assert_error(self.statement(f"?cursor={cursor}", status=400), 400)
        self.assertIn("begin again", error["message"])

    # The command

    def test_the_command_follows_the_pages(self):
        name, whole = self.buyer.name, self.statement().json()
        for limit in ("1000", "3"):
            said = self.station.cli("statement", name, "--limit", limit, "--json")
            self.assertEqual(said, whole)
            text = self.station.cli("statement", name, "--limit", limit, "--format", "csv")
            self.assertEqual(text.replace("\r\n", "\n"), self.table().replace("\r\n", "\n"))
        self.assertIn("kind=reversal", self.station.cli("statement", name))
        with self.assertRaises(station.CliError) as caught:
            self.station.cli("statement", "nobody")
        self.assertIn("nobody", caught.exception.errors)

    def test_the_tool_asks_the_station_itself(self):
        base = f"http://127.0.0.1:{self.station.port}"
        done = subprocess.run([sys.executable, TOOL, base, "--key", self.buyer.key],
                              capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout.split(",")[1]), (0, " all agree\n"), done)

    def test_the_tool_reads_files(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder)
            (path / "p.json").write_text(json.dumps(self.prices()))
            (path / "s.csv").write_text(self.table(), newline="")
            page = self.statement().json()
            (path / "s.json").write_text(json.dumps(page))
            row = next(row for row in page["movements"] if row["kind"] == "charge")
            row["charged"] = recompute.decimal(nano(row["charged"]) - 1)
            (path / "bad.json").write_text(json.dumps(page))
            for name, status in (("s.csv", 0), ("s.json", 0), ("bad.json", 1)):
                done = subprocess.run([sys.executable, TOOL, path / name, "--prices",
                                       path / "p.json"], capture_output=True, text=True,
                                      check=False)
                self.assertEqual(done.returncode, status, done)
                if status:
                    self.assertIn(row["request"], done.stdout)

    def test_what_it_cannot_read_is_said_in_a_line(self):
        base, folder = f"http://127.0.0.1:{self.station.port}", self.station.folder
        with open(f"{folder}/no.json", "w", encoding="utf-8") as file:
            file.write("[{}]")
        for words, part in (((f"{folder}/none.csv",), "none.csv"),
                            ((f"{folder}/no.json",), "'opening' is missing"),
                            ((base, "--key", "ek_wrong"), "401: "),
                            ((base, "--key", self.buyer.key, "--from", "foo"), "400: from"),
                            (("http://127.0.0.1:1", "--key", "k"), "refused"), ((base,), "--key")):
            with self.subTest(words):
                done = subprocess.run([sys.executable, TOOL, *words], capture_output=True,
                                      text=True, check=False)
                self.assertEqual((done.returncode, done.stdout), (2, ""), done)
                self.assertIn(part, done.stderr)
                self.assertNotIn("Traceback", done.stderr)

    # Errors of one nano, and of one token

    def plants(self, rows):
        """(where, the rows with one thing in them changed by the least there is)."""
        for at, row in enumerate(rows):
            for name in ("computed", "charged", "promo", "amount", "promo_amount", "balance",
                         "promo_balance"):
                if row.get(name):
                    for step in (1, -1):
                        planted = copy.deepcopy(rows)
                        planted[at][name] = recompute.decimal(nano(row[name]) + step)
                        yield f"{row['kind']} {name} {step:+}", planted

    def test_a_nano_anywhere_is_found(self):
        page = self.statement().json()
        count = 0
        for what, rows in self.plants(page["movements"]):
            found, said = self.judge(recompute.from_json([{**page, "movements": rows}]))
            self.assertEqual(found, 1, f"{what}: {said}")      # and is no fault of what follows
            count += 1
        self.assertGreater(count, 100)
        for part in ("opening", "closing"):
            for what, rows in self.plants([{**row, "kind": part} for row in page[part]]):
                self.assertEqual(self.judge(recompute.from_json([{**page, part: rows}]))[0], 1,
                                 f"{part} {what}")

    def test_a_nano_anywhere_in_the_table_is_found(self):
        rows = [dict(row) for row in self.rows_of(self.table())]
        for what, planted in self.plants(rows):
            text = io.StringIO(newline="")
            out = csv.DictWriter(text, rows[0].keys())
            out.writeheader()
            out.writerows(planted)
            self.assertGreater(self.judge(recompute.from_csv(text.getvalue()))[0], 0, what)

    def test_a_token_anywhere_is_found(self):
        page = self.statement().json()
        rows = self.rows_of(self.table())
        for at, line in enumerate(page["movements"]):
            for leaf in line.get("usage", ()):
                planted = copy.deepcopy(page)
                planted["movements"][at]["usage"][leaf] += 1
                self.assertGreater(self.judge(recompute.from_json([planted]))[0], 0, leaf)
                text = io.StringIO(newline="")
                out = csv.DictWriter(text, rows[0].keys())
                out.writeheader()
                changed = copy.deepcopy(rows)
                changed[at + 2][leaf] = int(changed[at + 2][leaf]) + 1
                out.writerows(changed)
                self.assertGreater(self.judge(recompute.from_csv(text.getvalue()))[0], 0, leaf)

    def test_a_line_that_is_missing_is_found(self):
        page = self.statement().json()
        for at in range(len(page["movements"])):
            planted = copy.deepcopy(page)
            del planted["movements"][at]
            self.assertGreater(self.judge(recompute.from_json([planted]))[0], 0, at)


class Money(StationCase):
    def test_vouchers_and_refunds_are_in_it(self):
        buyer, cli = self.customer("2"), self.station.cli
        code = cli("voucher", "create", "1", "--currency", "EUR", "--json")["vouchers"][0]["code"]
        self.assertEqual(buyer.post("/v1/redeem", {"code": code}).status, 200)
        first = cli("refund", buyer.name, "0.5", "--json")["refund"]
        cli("refund", "cancel", first)
        cli("refund", "sent", cli("refund", buyer.name, "0.25", "--json")["refund"])
        page = buyer.get("/v1/statement").json()
        self.assertEqual([(row["kind"], row["currency"], row["amount"], row["balance"])
                          for row in page["movements"]],
                         [("credit", "USD", "2", "2"), ("voucher", "EUR", "1", "1"),
                          ("refund", "USD", "-0.5", "1.5"), ("refund_back", "USD", "0.5", "2"),
                          ("refund", "USD", "-0.25", "1.75")])
        self.assertEqual(recompute.Judge(recompute.Prices([], None)).run(
            recompute.from_json([page])), 0)
        self.assertEqual([row["balance"] for row in page["closing"]], ["1.75", "1"])


class Tags(StationCase):
    def test_a_tag_is_text(self):
        """What is no text would make every list that it stands in unreadable."""
        buyer = self.customer("1")
        for tag in ("\xff\xfe", "\xc2\x85", "\xc3"):
            error = self.assert_error(buyer.post(CHAT, body_for("chat"), [("Relay-Tag", tag)]), 400)
            self.assertEqual(error["param"], "Relay-Tag")
        self.assertEqual(self.vendor.received, [])
        long = "x" * 127 + "\u00e9\u00e9"     # cut between two characters
        for tag in ("caf\u00e9 \U0001f600", long):
            sent = tag.encode().decode("latin-1")
            self.row(buyer.post(CHAT, body_for("chat"), [("Relay-Tag", sent)]))
        tags = [row["tag"] for row in buyer.get("/v1/statement").json()["movements"][1:]]
        self.assertEqual(tags, ["caf\u00e9 \U0001f600", "x" * 127])
        rows = csv.DictReader(io.StringIO(
            buyer.get("/v1/statement?format=csv").body.decode(), newline=""))
        self.assertEqual([row["tag"] for row in rows if row["kind"] == "charge"], tags)


class UnderLoad(StationCase):
    def test_pages_while_charges_come_are_the_books_at_their_end(self):
        buyer = self.customer("5")
        for _ in range(6):
            self.assertEqual(buyer.post(CHAT, body_for("chat")).status, 200)
        pages, cursor, query = [], None, ""
        while not pages or cursor:
            pages.append(buyer.get(f"/v1/statement?limit=2{query}").json())
            cursor = pages[-1]["next"]
            query = f"&cursor={cursor}"
            if len(pages) < 6:
                self.assertEqual(buyer.post(CHAT, body_for("chat")).status, 200)
        prices = recompute.Prices([], None)
        prices.add(buyer.get("/v1/prices").json())
        self.assertEqual(recompute.Judge(prices).run(recompute.from_json(pages)), 0)
        self.assertEqual(sum(len(page["movements"]) for page in pages), 12)
        until(lambda: pages[-1]["closing"][0]["balance"] == buyer.get(
            "/v1/account").json()["balance"], "the same balance")


if __name__ == "__main__":
    unittest.main()
