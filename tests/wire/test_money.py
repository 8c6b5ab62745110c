# SPDX-License-Identifier: Apache-2.0
"""Money: hold, refuse, extend, limit, charge, give back."""
import json
import re
import sqlite3
import threading
import unittest

from tests.peer import meter, station
from tests.peer.case import (BYTES_PER_TOKEN, CHAT, EXTRA_TOKENS, HOLD_IN, NANO, RESPONSES,
                             STEP_TOKENS, StationCase, body_for, path_for)
from tests.peer.reply import Reply, sse_events
from tests.peer.store import rid_bytes
from tests.peer.wait import PATIENCE_S, until

OUT = 10000         # nano for an output token at 10 USD a million
IN = 2500
DIALECTS = ("chat", "responses", "messages", "gemini")


class Holds(StationCase):
    def test_402_names_the_maximum_that_would_fit(self):
        for dialect in ("chat", "responses", "messages"):
            with self.subTest(dialect):
                customer = self.customer("0.05")
                answer = customer.post(path_for(dialect), body_for(dialect, maximum=100000))
                self.assert_error(answer, 402, dialect)
                numbers = [int(n.replace(",", "")) for n in
                           re.findall(r"\d[\d,]*", answer.json()["error"]["message"])]
                room = 5 * NANO // 100 // OUT
                fitting = [n for n in numbers if room - 100 <= n <= room]
                self.assertTrue(fitting, f"no maximum near {room} in {answer.body!r}")
                self.assertEqual(self.vendor.received, [])
                fits = max(fitting)
                body = body_for(dialect, maximum=fits)
                self.assertEqual(customer.post(path_for(dialect), body).status, 200)
                self.vendor.reset()

    def test_a_hold_leaves_no_trace(self):
        """What was held and not used is free again, to the last nano."""
        customer = self.customer("0.03")
        for _ in range(5):
            answer = customer.post(CHAT, body_for("chat", "x [[tokens=1]]", maximum=2500))
            self.assertEqual(answer.status, 200, answer)
        self.vendor.reply(Reply.json({"error": {"message": "no"}}, 400))
        answer = customer.post(CHAT, body_for("chat", maximum=2500))
        self.assertEqual(answer.status, 400)
        self.row(answer)
        self.assertEqual(customer.post(CHAT, body_for("chat", maximum=2500)).status, 200)

    def test_to_the_last_nano(self):
        """A balance of exactly the cost is spent to zero, and the next one is refused."""
        text = "x [[tokens=100]]"
        body = body_for("messages", text, maximum=100)
        cost = (len(text) // 4 + 1) * IN + 100 * OUT
        held = (len(body) // BYTES_PER_TOKEN + EXTRA_TOKENS) * HOLD_IN + 100 * OUT
        customer = self.customer(f"{held / NANO:.9f}")
        answer = customer.post(path_for("messages"), body)
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(self.charge(answer)["nano"], cost)
        self.assertEqual(customer.balance, held - cost)
        self.assertEqual(customer.post(path_for("messages"), body).status, 402)

    def test_a_stream_holds_one_step_not_the_maximum(self):
        """A client that asks for 128,000 tokens may stream on 5 dollars, and on less."""
        step = STEP_TOKENS * OUT + 1000 * IN
        customer = self.customer(f"{step / NANO:.9f}")
        for dialect in DIALECTS:
            body = body_for(dialect, "x [[tokens=10]]", stream=True, maximum=128000)
            answer = customer.post(path_for(dialect, True), body)
            self.assertEqual(answer.status, 200, (dialect, answer))
            self.assertTrue(answer.complete)
            self.station.credit(customer.name, "0.001")

    def test_credit_is_seen_at_once(self):
        customer = self.customer("0")
        self.assertEqual(customer.post(CHAT, body_for("chat", maximum=10)).status, 402)
        self.station.credit(customer.name, "0.01")
        self.assertEqual(customer.post(CHAT, body_for("chat", maximum=10)).status, 200)

    def test_holds_of_open_streams_count(self):
        step = STEP_TOKENS * OUT + 500 * IN
        customer = self.customer(f"{step / NANO:.9f}")
        gate = self.hold_streams()
        slow = body_for("chat", stream=True)
        with customer.open(CHAT, slow) as raw:
            answer = raw.head()
            self.assertEqual(answer.status, 200)
            self.assertEqual(customer.post(CHAT, slow).status, 402)
            gate.set()
            while raw.step(answer):
                pass
        self.row(answer)
        self.assertEqual(customer.post(CHAT, body_for("chat", maximum=10)).status, 200)


class Elsewhere(StationCase):
    """Requests whose content does not lie in their bodies."""
    context = 200_000

    @classmethod
    def models(cls):
        return [station.model("gpt", "openai", context=cls.context),
                station.model("claude", "anthropic"), station.model("gem", "gemini")]

    def answered(self, tokens):
        usage = {"input_tokens": tokens, "input_tokens_details": {"cached_tokens": 0},
                 "output_tokens": 10, "output_tokens_details": {"reasoning_tokens": 0},
                 "total_tokens": tokens + 10}
        item = {"type": "message", "id": "m", "status": "completed", "role": "assistant",
                "content": [{"type": "output_text", "text": "ok", "annotations": []}]}
        return Reply.json({"id": "resp_1", "object": "response", "created_at": 1, "model": "gpt",
                           "status": "completed", "output": [item], "usage": usage})

    def test_they_are_held_for_as_the_context(self):
        """A small balance pays for as many at once as it can pay."""
        body = body_for("responses", maximum=10, previous_response_id="resp_0")
        held = self.context * HOLD_IN + 10 * OUT
        customer = self.customer(f"{(held - 1) / NANO:.9f}")
        answer = customer.post(RESPONSES, body)
        error = self.assert_error(answer, 402, "responses")
        self.assertIn(f"held for as {self.context} tokens of input", error["message"])
        self.station.credit(customer.name, "0.000000001")
        self.vendor.reply(self.answered(self.context - 10))
        answer = customer.post(RESPONSES, body)
        self.assertEqual(answer.status, 200, answer)
        charge = self.charge(answer)
        self.assertEqual(charge["nano"], charge["computed"])
        self.assertEqual(charge["nano"], (self.context - 10) * IN + 10 * OUT)

    def test_what_goes_beyond_a_hold_leaves_budgets_as_they_are(self):
        """The vendor counts more than anybody could know: a budget is not overspent by it."""
        customer = self.customer("200", budget="1", period="day")
        self.vendor.reply(self.answered(900_000))
        answer = customer.post(RESPONSES, body_for("responses", maximum=10))
        charge = self.charge(answer)
        self.assertEqual(charge["computed"], 900_000 * IN + 10 * OUT)
        self.assertEqual(charge["nano"], NANO)
        self.assertEqual(customer.balance, 199 * NANO)


class Streams(StationCase):
    def test_a_long_stream_is_extended(self):
        for dialect in DIALECTS:
            customer = self.customer("1.00")
            body = body_for(dialect, "x [[tokens=6000]]", stream=True, maximum=100000)
            answer = customer.post(path_for(dialect, True), body)
            self.assertTrue(answer.complete, dialect)
            usage = meter.read(dialect, answer.body, True)
            charge = self.charge(answer)
            self.assertGreaterEqual(charge["nano"], 6000 * OUT)
            if dialect != "chat":
                self.assertEqual(charge["nano"], usage.cost(station.PRICE))

    def test_a_stream_that_outgrows_its_purse_ends_like_a_length(self):
        ends = {"chat": (b'"finish_reason":"length"', b"data: [DONE]"),
                "responses": (b"event: response.incomplete", b"max_output_tokens"),
                "messages": (b'"stop_reason":"max_tokens"', b"event: message_stop"),
                "gemini": (b'"finishReason":"MAX_TOKENS"',)}
        for dialect, marks in ends.items():
            with self.subTest(dialect):
                customer = self.customer("0.03")
                body = body_for(dialect, "x [[tokens=30000 pause=0.0001]]", stream=True,
                                maximum=100000)
                answer = customer.post(path_for(dialect, True), body)
                self.assertEqual(answer.status, 200)
                for mark in marks:
                    self.assertIn(mark, answer.body.replace(b'": ', b'":'))
                self.assertTrue(answer.complete, "this is the dialect's own ending")
                self.assertEqual(self.row(answer)["end"], "limit")
                charge = self.charge(answer)
                self.assertTrue(0 < charge["nano"] <= 3 * NANO // 100)
                self.assertGreaterEqual(customer.balance, 0)
                self.assertTrue(self.vendor.last.done.wait(PATIENCE_S), "the vendor goes on")
                self.vendor.reset()

    def test_a_stream_whose_maximum_is_held_is_not_cut(self):
        body = body_for("chat", "x [[tokens=40]]", stream=True, maximum=40)
        nano = (len(body) // BYTES_PER_TOKEN + EXTRA_TOKENS) * HOLD_IN + 40 * OUT
        customer = self.customer(f"{nano / NANO:.9f}")
        answer = customer.post(CHAT, body)
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(self.row(answer)["end"], "complete")
        self.assertIn(b"w39 ", answer.body)

    def test_the_end_waits_for_the_charge(self):
        """When the last bytes arrive, the charge can be read from the disk."""
        for dialect in DIALECTS:
            for stream in (False, True):
                customer = self.customer()
                body = body_for(dialect, stream=stream)
                with customer.open(path_for(dialect, stream), body) as raw:
                    answer = raw.response()
                charge = self.station.store.charge(answer.request_id)
                self.assertIsNotNone(charge, (dialect, stream))
                self.assertEqual(customer.balance, 5 * NANO - charge["nano"])

    def test_the_terminal_bytes_are_what_waits(self):
        """What comes before the dialect's end passes while the vendor is still silent about it; the
        end itself comes with the charge."""
        gate = threading.Event()
        frames = sse_events([{"type": "message_start", "message": {"model": "claude", "usage": {
            "input_tokens": 5, "output_tokens": 1}}},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text",
                                                                          "text": ""}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta",
                                                                  "text": "seen"}},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"},
             "usage": {"output_tokens": 2}}], named=True)
        end = sse_events([{"type": "message_stop"}], named=True)
        self.vendor.reply(Reply.sse([*frames, gate, *end]))
        body = body_for("messages", stream=True)
        with self.customer().open(path_for("messages", True), body) as raw:
            answer = raw.head()
            self.assertTrue(raw.until(answer, b"message_delta"))
            self.assertEqual(self.station.store.charges(answer.request_id), [])
            gate.set()
            self.assertTrue(raw.until(answer, b"message_stop"))
            self.assertEqual(len(self.station.store.charges(answer.request_id)), 1)
            while raw.step(answer):
                pass
        self.assertTrue(answer.complete)
        self.assertEqual(self.charge(answer)["nano"], 5 * IN + 2 * OUT)


class Leavers(StationCase):
    settings = {"lanes": 1}     # so that what is sent later is seen later

    def seen(self):
        self.assertEqual(self.station.ask("GET", "/healthz").status, 200)

    def test_nobody_pays_for_a_whole_answer_that_nobody_was_handed(self):
        """Its client leaves while its charge waits for the disk."""
        customer = self.customer("5")
        self.charge(customer.post(CHAT, body_for("chat")))
        before = customer.balance
        books = sqlite3.connect(self.station.store.path, isolation_level=None)
        self.addCleanup(books.close)
        books.execute("BEGIN IMMEDIATE")        # nothing is committed meanwhile
        with customer.open(CHAT, body_for("chat")):
            self.assertTrue(self.vendor.wait_received(2))
            self.assertTrue(self.vendor.last.done.wait(PATIENCE_S))
            self.seen()
        self.seen()
        books.execute("ROLLBACK")
        self.station.wait_log("end=client_gone")
        rows = until(lambda: len(rows := self.station.store.sql(
            "SELECT rid, end FROM request ORDER BY ts")) == 2 and rows, "the closing row")
        self.assertEqual(rows[1]["end"], "client_gone")
        nets = self.station.store.nets()
        self.assertEqual(nets[rows[1]["rid"]], 0)       # charged, and given back
        self.assertGreater(nets[rows[0]["rid"]], 0)
        self.assertEqual(customer.balance, before)


class Restarts(StationCase):
    def test_balances_survive_kill_9(self):
        customer = self.customer("1.00")
        paid = 0
        for _ in range(3):
            answer = customer.post(CHAT, body_for("chat"))
            paid += self.charge(answer)["nano"]
            self.station.restart()
            self.assertEqual(customer.balance, NANO - paid)
        self.assertEqual(self.station.store.net(answer.request_id), self.charge(answer)["nano"])

    def test_an_open_stream_dies_unpaid(self):
        customer = self.customer("1.00")
        self.hold_streams(5)
        with customer.open(CHAT, body_for("chat", stream=True)) as raw:
            answer = raw.head()
            self.assertTrue(raw.until(answer, b"w3 "))
            self.station.kill()
            while raw.step(answer):
                pass
        self.assertFalse(answer.complete)
        self.station.start()
        self.assertEqual(self.station.store.net(answer.request_id), 0)
        self.assertEqual(customer.balance, NANO)
        self.assertEqual(customer.post(CHAT, body_for("chat")).status, 200)

    def test_a_charge_without_its_row_is_given_back_at_start(self):
        """The closing row is taken away, as if the crash had come between the two."""
        customer = self.customer("1.00")
        answer = customer.post(CHAT, body_for("chat"))
        nano = self.charge(answer)["nano"]
        self.station.kill()
        store = self.station.store
        database = sqlite3.connect(store.path)
        database.execute("DELETE FROM request WHERE rid = ?", (rid_bytes(answer.request_id),))
        database.commit()
        self.assertEqual(database.total_changes, 1)
        database.close()
        self.assertEqual(customer.balance, NANO - nano)
        self.station.start()
        self.assertEqual(customer.balance, NANO)
        self.assertEqual(store.net(answer.request_id), 0)
        self.assertEqual(len(store.charges(answer.request_id)), 1, "charges are never deleted")
        self.station.restart()
        self.assertEqual(customer.balance, NANO, "it is given back once")

    def test_a_second_station_on_the_same_store_is_refused(self):
        other = station.Station(self.upstreams(), self.models())
        self.addCleanup(other.close)
        other.configure(store=self.station.settings["store"])
        other.start(wait=False)
        self.assertNotEqual(other.process.wait(PATIENCE_S), 0)
        self.station.wait_ready()

    def test_administration_without_a_running_station(self):
        customer = self.customer("1.00")
        self.station.kill()
        self.station.credit(customer.name, "0.50")
        self.station.ledger_check()
        self.station.start()
        self.assertEqual(customer.balance, 3 * NANO // 2)
        self.assertEqual(customer.post(CHAT, body_for("chat")).status, 200)


class Books(StationCase):
    def test_check_finds_what_was_tampered_with(self):
        customer = self.customer("1.00")
        self.row(customer.post(CHAT, body_for("chat")))
        self.station.ledger_check()
        self.station.kill()
        database = sqlite3.connect(self.station.store.path)
        database.execute("UPDATE account SET balance = balance + 1 WHERE name = ?",
                         (customer.name,))
        database.commit()
        with self.assertRaises(station.CliError) as caught:
            self.station.ledger_check()
        self.assertIn(customer.name, caught.exception.output + caught.exception.errors)
        database.execute("UPDATE account SET balance = balance - 1 WHERE name = ?",
                         (customer.name,))
        database.commit()
        database.close()
        self.station.start()
        self.station.ledger_check()

    def test_credits_are_exact_and_odd_ones_are_refused(self):
        customer = self.customer("0.000000001")
        self.assertEqual(customer.balance, 1)
        self.station.credit(customer.name, "1234567.987654321")
        self.assertEqual(customer.balance, 1234567987654322)
        for amount in ("0", "-1", "1e3", "0.0000000001", "1,5", "x", "", "99999999999999999999"):
            with self.assertRaises(station.CliError, msg=amount):
                self.station.credit(customer.name, amount)
        self.assertEqual(customer.balance, 1234567987654322)

    def test_all_credits_together_have_a_maximum(self):
        for name in ("rich", "richer"):
            self.station.cli("account", "create", name, "--currency", "XAU")
        self.station.cli("credit", "rich", "9000000000")
        with self.assertRaises(station.CliError) as caught:
            self.station.cli("credit", "richer", "9000000000")
        self.assertIn("the account funding:XAU would be further from 0 than the 9223372036 XAU",
                      caught.exception.errors)
        self.station.cli("credit", "richer", "200000000")
        self.assertTrue(self.station.ledger_check()["ok"])

    def test_one_reference_is_booked_once(self):
        customer = self.customer("0")

        def command(words):
            return self.station.cli(*words.split(), "--json")

        for _ in range(3):      # as someone does whose line broke
            self.assertEqual(command(f"credit {customer.name} 5 --reference p1")["balance"], "5")
        self.station.restart()
        self.assertEqual(command(f"credit {customer.name} 5 --reference p1")["balance"], "5")
        for words in ("credit {} 6", "credit {} 5 --currency CNY", "debit {} 5",
                      "promo grant {} 5"):
            with self.assertRaises(station.CliError) as caught:
                command(words.format(customer.name) + " --reference p1")
            self.assertIn("is that of another booking: credit 5 USD", caught.exception.output)
        for _ in range(2):      # the second, though no more is there
            self.assertEqual(command(f"debit {customer.name} 5 --reference p2")["balance"], "0")
        for _ in range(2):
            self.assertEqual(
                command(f"promo grant {customer.name} 2 --reference p3")["balance"], "2")
        other = self.customer("0")
        self.assertEqual(command(f"credit {other.name} 6 --reference p1")["balance"], "6")
        self.assertEqual(command(f"credit {other.name} 6")["balance"], "12")
        self.station.ledger_check()

    def test_usage_is_shown(self):
        customer = self.customer("1.00")
        answer = customer.post(CHAT, body_for("chat"))
        self.row(answer)
        shown = json.dumps(self.station.command("usage", account=customer.name))
        self.assertIn(answer.request_id, shown)
        own = customer.get("/v1/usage")
        self.assertIn(answer.request_id, own.body.decode())
        stranger = self.customer("1.00")
        self.assertNotIn(answer.request_id, stranger.get("/v1/usage").body.decode())

    def test_balance_is_shown_to_its_owner(self):
        customer = self.customer("1.25")
        text = customer.get("/v1/account").body.decode()
        self.assertTrue("1.25" in text or "1250000000" in text, text)


if __name__ == "__main__":
    unittest.main()
