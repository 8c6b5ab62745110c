# SPDX-License-Identifier: Apache-2.0
"""What the operator owes its vendors: with the charge, or where nobody pays with the attempt, on
the account that the policy names for the end. Computed a second time with exact fractions."""
import hashlib
import json
import math
import re
import signal
import threading
import unittest
from fractions import Fraction

from tests.peer import station
from tests.peer.case import CHAT, StationCase, body_for
from tests.peer.reply import Reply, error, sse_events
from tests.peer.wait import PATIENCE_S

COST = {"openai": ("USD", "1.0003", "3.0007"), "spare": ("XAA", "7.0001", "9.0003")}
USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}


def owed(upstream, into, out):
    """Nano, rounded up: what is owed is never made smaller."""
    _, rate_in, rate_out = COST[upstream]
    return math.ceil((into * Fraction(rate_in) + out * Fraction(rate_out)) / 10**6 * 10**9)


def whole(text, usage=USAGE, model="gpt"):
    message = {"role": "assistant", "content": text}
    return Reply.json({"model": model, **({"usage": usage} if usage else {}), "choices": [
        {"index": 0, "finish_reason": "stop", "message": message}]})


def chunk(text=None, **more):
    choices = [] if text is None else [{"index": 0, "delta": {"content": text}}]
    return {"id": "c", "model": "gpt", "choices": choices, **more}


# Usage, and then no answer: before anything was sent, so that another upstream is tried.
FAILED = sse_events([chunk("", usage=USAGE), {"error": {"message": "overloaded", "code": 503}}])


def route(upstream, **more):
    currency, into, out = COST[upstream]
    return {"upstream": upstream, "model": "gpt", **more,
            "cost": {"currency": currency, "input": into, "output": out}}


class CostCase(StationCase):
    @classmethod
    def upstreams(cls):
        return [station.upstream(cls.vendor, "openai", name=name, cooldown="0s")
                for name in ("openai", "spare")]

    @classmethod
    def models(cls):
        cheap = {**station.PRICE, "input": "0.50", "output": "1.00"}
        dear = {**station.PRICE, "input": "50", "output": "100"}
        return [station.model("gpt", route("openai")),
                station.model("two", route("spare", priority=0), route("openai", priority=1)),
                station.model("cheap", route("openai"), price=cheap),
                station.model("dear", route("openai"), price=dear)]

    def setUp(self):
        super().setUp()
        self.buyer = self.customer()

    def ask(self, *replies, model="gpt", **more):
        self.vendor.reply(*replies)
        answer = self.buyer.post(CHAT, body_for("chat", model=model, **more))
        self.end = self.row(answer)["end"]
        return answer

    def attempts(self, answer):
        """(upstream, failure, cost, its currency, who bears it) of each."""
        return [(row["upstream"], row["failure"], row["cost"], row["cost_currency"],
                 row["cost_to"]) for row in self.station.store.attempts(answer.request_id)]

    def moved(self, answer):
        """Transfers that tell of an attempt of this request: (from, to, nano)."""
        note = self.row(answer)["rid"].hex()
        return [(row["d"], row["k"], row["nano"]) for row in self.station.store.sql(
            "SELECT d.name AS d, k.name AS k, t.nano FROM transfer t JOIN account d ON d.id=t.debit"
            " JOIN account k ON k.id=t.credit WHERE t.kind='attempt' AND t.note LIKE ?"
            " ORDER BY t.id", note + "/%")]

    def of_charge(self, charge):
        """(kind, from, to, nano) of the transfers that a charge has made for its costs."""
        return [(row["kind"], row["d"], row["k"], row["nano"]) for row in self.station.store.sql(
            "SELECT t.kind, d.name AS d, k.name AS k, t.nano FROM transfer t JOIN account d ON"
            " d.id=t.debit JOIN account k ON k.id=t.credit WHERE t.cause=? AND t.kind IN"
            " ('cost','estimate','lost') ORDER BY t.id", charge["id"])]


class Costs(CostCase):
    def test_an_answer_costs_its_upstream_with_the_charge(self):
        answer = self.ask(whole("hello"))
        charge, cost = self.charge(answer), owed("openai", 11, 7)
        self.assertEqual((charge["cost"], charge["beyond"]), (cost, 0))
        self.assertEqual(self.of_charge(charge),
                         [("cost", "cogs:openai:USD", "asset:openai:USD", cost)])
        self.assertEqual((self.attempts(answer), self.moved(answer)), ([], []))

    def test_an_empty_answer_is_a_loss_of_its_own(self):
        answer = self.ask(whole("", {"prompt_tokens": 11, "completion_tokens": 0,
                                     "total_tokens": 11}))
        cost = owed("openai", 11, 0)
        self.assertEqual(self.end, "zero_completion")
        self.assertIsNone(self.charge(answer))
        self.assertEqual(self.attempts(answer),
                         [("openai", "", cost, "USD", "loss:zero_completion")])
        self.assertEqual(self.moved(answer),
                         [("loss:zero_completion:USD", "asset:openai:USD", cost)])

    def test_what_broke_off_behind_its_usage(self):
        frames = sse_events([chunk("a"), chunk("b"), chunk(usage=USAGE)], done=False)
        answer = self.ask(Reply.sse(frames), stream=True)
        cost = owed("openai", 11, 7)
        self.assertEqual(self.end, "upstream_broke")
        self.assertEqual(self.attempts(answer), [("openai", "cut", cost, "USD", "loss:no_usage")])
        self.assertEqual(self.moved(answer), [("loss:no_usage:USD", "asset:openai:USD", cost)])
        self.assert_free(answer)

    def test_a_vendors_error_behind_output_and_usage(self):
        frames = sse_events([chunk("a", usage=USAGE), {"error": {"message": "no", "code": 500}}],
                            done=True)
        answer = self.ask(Reply.sse(frames), stream=True)
        self.assertEqual(self.end, "vendor_error")
        self.assertEqual(self.moved(answer),
                         [("loss:no_usage:USD", "asset:openai:USD", owed("openai", 11, 7))])

    def test_what_nobody_has_told_is_unknown(self):
        answer = self.ask(Reply.sse(sse_events([chunk("a"), chunk("b")], done=False)), stream=True)
        self.assertEqual(self.end, "upstream_broke")
        self.assertEqual(self.attempts(answer), [("openai", "cut", None, None, "loss:no_usage")])
        self.assertEqual(self.moved(answer), [])
        answer = self.ask(error(400))
        self.assertEqual([row[2] for row in self.attempts(answer)], [None])

    def test_a_failed_attempt_that_told_its_usage_beside_the_one_that_answered(self):
        good = sse_events([chunk("hello"), chunk(usage=USAGE)], done=True)
        answer = self.ask(Reply.sse(FAILED), Reply.sse(good), model="two", stream=True)
        self.assertEqual((answer.status, self.end), (200, "complete"))
        cost, charge = owed("spare", 11, 7), self.charge(answer)
        tried = self.attempts(answer)
        self.assertEqual([tried[0][0], *tried[0][2:]],
                         ["spare", cost, "XAA", "cogs:failed_attempts"])
        self.assertEqual(tried[1][:4], ("openai", "", None, None))      # its charge tells it
        self.assertEqual(self.moved(answer),
                         [("cogs:failed_attempts:XAA", "asset:spare:XAA", cost)])
        self.assertEqual(charge["cost"], owed("openai", 11, 7))

    def test_all_attempts_failed(self):
        answer = self.ask(Reply.sse(FAILED), Reply.sse(FAILED), model="two", stream=True)
        self.assertEqual(self.end, "vendor_error")
        self.assertEqual([row[4] for row in self.attempts(answer)],
                         ["cogs:failed_attempts"] * 2)
        self.assertEqual([nano for _, _, nano in self.moved(answer)],
                         [owed("spare", 11, 7), owed("openai", 11, 7)])

    def test_without_usage_the_rest_is_an_estimate(self):
        answer = self.ask(whole("word " * 100, usage=None))
        charge = self.charge(answer)
        self.assertEqual(self.end, "no_usage")
        cost = owed("openai", charge["in_"], charge["out"])
        both = owed("openai", 2 * charge["in_"], 2 * charge["out"])
        self.assertGreater(charge["out"], 50)
        self.assertEqual((charge["cost"], charge["beyond"]), (cost, both - cost))
        self.assertEqual(self.of_charge(charge), [
            ("cost", "cogs:openai:USD", "asset:openai:USD", cost),
            ("estimate", "loss:no_usage:USD", "asset:openai:USD", both - cost)])

    def test_every_vendor_is_owed_what_the_rows_say(self):
        store = self.station.store
        total = {}
        for row in store.sql("SELECT upstream, cost_currency AS c, cost + beyond AS n FROM charge"
                             " WHERE cost_currency <> '' UNION ALL SELECT upstream, cost_currency,"
                             " cost FROM attempt WHERE cost > 0"):
            key = f"asset:{row['upstream']}:{row['c']}"
            total[key] = total.get(key, 0) + row["n"]
        for name, nano in total.items():
            self.assertEqual(store.balance(name), nano, name)

    # Another model than was asked for

    def test_the_cheaper_of_both_where_another_model_has_answered(self):
        cheap, dear, same = (self.charge(self.ask(whole("hello", model=name)))
                             for name in ("cheap", "dear", "gpt-2026-11-11"))
        self.assertEqual(cheap["nano"], 11 * 500 + 7 * 1000)
        self.assertEqual(dear["nano"], same["nano"])
        self.assertEqual(same["nano"], 11 * 2500 + 7 * 10000)
        rows = {row["model"]: row["price_row"]
                for row in self.buyer.get("/v1/prices").json()["prices"]}
        self.assertEqual((cheap["price"], dear["price"]), (rows["cheap"], rows["gpt"]))
        line = self.buyer.get("/v1/statement").json()["movements"][1]
        self.assertEqual((line["model"], line["seen"], line["price_row"]),
                         ("gpt", "cheap", rows["cheap"]))


class Stopped(CostCase):
    def hold_after_usage(self):
        """The vendor's answer tells its usage, then "b", and goes on when the gate is set."""
        gate = threading.Event()
        self.addCleanup(gate.set)
        reply = Reply.sse(sse_events([chunk("a", usage=USAGE), chunk("b"), chunk("c")], done=True))
        reply.parts.insert(2, gate)
        self.vendor.reply(reply)
        return gate

    def test_what_a_stop_cuts_off(self):
        """Twice SIGTERM: what runs is cut off; its vendor had told usage before."""
        self.hold_after_usage()
        with self.buyer.open(CHAT, body_for("chat", stream=True)) as raw:
            answer = raw.head()
            self.assertTrue(raw.until(answer, b'"b"'))
            for event in ("draining", "cut_off"):
                self.station.signal(signal.SIGTERM)
                self.station.wait_log("event=" + event)
            while raw.step(answer):
                pass
        self.assertEqual(self.station.process.wait(PATIENCE_S), 0)
        self.station.start()
        cost = owed("openai", 11, 7)
        self.assertEqual(self.row(answer)["end"], "station_stopped")
        self.assert_free(answer)
        self.assertEqual(self.attempts(answer), [("openai", "", cost, "USD", "loss:crash")])
        self.assertEqual(self.moved(answer), [("loss:crash:USD", "asset:openai:USD", cost)])

    def test_a_client_who_left_pays_and_its_answer_costs_the_upstream(self):
        gate = self.hold_after_usage()
        with self.buyer.open(CHAT, body_for("chat", stream=True)) as raw:
            answer = raw.head()
            self.assertTrue(raw.until(answer, b'"b"'))
        gate.set()
        self.assertEqual(self.row(answer)["end"], "client_left")
        charge = self.charge(answer)
        self.assertGreater(charge["nano"], 0)
        self.assertEqual(self.of_charge(charge), [
            ("cost", "cogs:openai:USD", "asset:openai:USD", owed("openai", 11, 7))])
        self.assertEqual(self.moved(answer), [])


class Policy(CostCase):
    def test_it_is_public_and_names_itself(self):
        answer = self.station.ask("GET", "/v1/policy")
        self.assertEqual(answer.status, 200)
        text = answer.body.decode()
        policy = text[text.index('"policy":') + len('"policy":'):-1]
        said = answer.json()
        self.assertEqual(said["version"], hashlib.sha256(policy.encode()).hexdigest())
        self.assertEqual(json.loads(policy), said["policy"])

    def test_it_is_the_table_that_the_station_goes_by(self):
        with open(station.ROOT + "/src/relay/ends.def", encoding="utf-8") as table:
            rows = re.findall(r'^X\(\w+, "(\w+)", (\w+), (\w+), (\d+),', table.read(), re.MULTILINE)
        pays = {"CUSTOMER": "computed", "LOWER": "lower_bound", "NOBODY": "nothing"}
        to = {"NONE": None, "COGS": "cogs:{upstream}", "FAILED": "cogs:failed_attempts",
              "NO_USAGE": "loss:no_usage", "ZERO": "loss:zero_completion", "CRASH": "loss:crash"}
        said = self.station.ask("GET", "/v1/policy").json()["policy"]["ends"]
        self.assertEqual([(row["end"], row["customer_pays"], row["cost_to"], row["status"])
                          for row in said],
                         [(name, pays[who], to[bearer], int(status) or None)
                          for name, who, bearer, status in rows])


if __name__ == "__main__":
    unittest.main()
