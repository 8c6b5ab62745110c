# SPDX-License-Identifier: Apache-2.0
"""The station's own endpoints for operators and customers, and what it counts."""
import json
import time
import unittest

from tests.peer import station
from tests.peer.case import CHAT, StationCase, body_for
from tests.peer.rawhttp import ask
from tests.peer.reply import Reply


def requests_ended(end):
    return f'entrepot_requests_total{{end="{end}"}}'


class Own(StationCase):
    admin_port = station.free_port()
    settings = {"admin": f"127.0.0.1:{admin_port}"}

    @classmethod
    def upstreams(cls):
        rows = super().upstreams()
        return [*rows, station.upstream(cls.vendor, "openai", name="slow",
                                        keys=[{"value": "sk-slow-1", "rpm": 2}])]

    @classmethod
    def models(cls):
        return [*super().models(), station.model("limited", "slow"),
                station.model("known", ("openai", "gpt-5.4"))]

    def metrics(self):
        answer = ask(self.admin_port, "GET", "/metrics")
        self.assertEqual(answer.status, 200)
        lines = [line.split(" ") for line in answer.body.decode().splitlines()
                 if not line.startswith("#")]
        return {name: int(value) for name, value in lines}

    def settled_metrics(self, name, value):
        """The counters once `name` has come to value: a client has its answer a moment before."""
        deadline = time.monotonic() + 10
        while True:
            found = self.metrics()
            if found[name] >= value or time.monotonic() > deadline:
                return found
            time.sleep(0.02)

    def test_metrics_are_for_the_admin_listener_alone(self):
        self.assertEqual(self.station.ask("GET", "/metrics").status, 404)
        before = self.metrics()
        buyer = self.customer()
        self.assertEqual(buyer.post(CHAT, body_for("chat")).status, 200)
        self.assertEqual(buyer.post(CHAT, b"{").status, 400)
        after = self.settled_metrics(requests_ended("bad_json"),
                                     before[requests_ended("bad_json")] + 1)
        for end in ("complete", "bad_json"):
            name = requests_ended(end)
            self.assertEqual(after[name], before[name] + 1, end)
        self.assertEqual(after["entrepot_charges_total"], before["entrepot_charges_total"] + 1)
        self.assertEqual(after["entrepot_request_bytes"], 0)

    def test_another_model_is_counted_and_a_dated_name_is_not(self):
        buyer = self.customer()
        before = self.metrics()
        complete, mismatches = requests_ended("complete"), "entrepot_model_mismatches_total"
        for number, (seen, more) in enumerate((("gpt-2026-01-01", 0), ("cheaper", 1))):
            self.vendor.reply(Reply.json({"model": seen, "choices": [
                {"index": 0, "finish_reason": "stop",
                 "message": {"role": "assistant", "content": "x"}}],
                "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}))
            self.assertEqual(buyer.post(CHAT, body_for("chat")).status, 200)
            self.vendor.reset()
            after = self.settled_metrics(complete, before[complete] + number + 1)
            self.assertEqual(after[mismatches], before[mismatches] + more)

    def test_prices(self):
        answer = self.customer().get("/v1/prices")
        rows = {row["model"]: row for row in json.loads(answer.body)["prices"]}
        self.assertEqual(rows["gpt"]["input"], "2.5")
        self.assertEqual(rows["gpt"]["output"], "10")
        self.assertEqual(rows["gpt"]["currency"], "USD")

    def test_what_the_vendor_takes_is_booked_in_its_currency(self):
        usage = {"prompt_tokens": 1001, "completion_tokens": 7, "total_tokens": 1008}
        self.vendor.reply(Reply.json({"model": "gpt-5.4", "usage": usage, "choices": [
            {"index": 0, "finish_reason": "stop",
             "message": {"role": "assistant", "content": "x"}}]}))
        body = body_for("chat").replace(b'"gpt"', b'"known"')
        answer = self.customer().post(CHAT, body)
        self.assertEqual(answer.status, 200)
        charge = self.charge(answer)
        # The price book: 2.50 and 15 USD a million tokens.
        self.assertEqual(charge["cost"], 1001 * 2500 + 7 * 15000)
        self.assertEqual(charge["cost_currency"], "USD")

    def test_an_upstream_key_keeps_its_requests_a_minute(self):
        buyer = self.customer()
        body = body_for("chat").replace(b'"gpt"', b'"limited"')
        self.assertIn(b'"limited"', body)
        statuses = [buyer.post(CHAT, body) for _ in range(6)]
        # A minute may end in between; it lets two more through, not four.
        passed = [answer for answer in statuses if answer.status == 200]
        self.assertIn(len(passed), (2, 3, 4))
        self.assertEqual(statuses[-1].status, 503)
        self.assertTrue(0 < int(statuses[-1].get("retry-after")) <= 60)
        for answer in passed:
            self.row(answer)


if __name__ == "__main__":
    unittest.main()
