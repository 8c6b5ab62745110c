# SPDX-License-Identifier: Apache-2.0
"""The station's own endpoints for operators and customers, and what it counts."""
import json
import time
import unittest

from tests.peer import station
from tests.peer.case import CHAT, RESPONSES, StationCase, body_for
from tests.peer.reply import Reply
from tests.peer.wait import within_one


class Metrics(StationCase):
    """Each request is counted before the next begins: the counters are known all the way."""
    admin = True

    def ended(self, end, count):
        """The counters once so many requests have ended so: a client has its answer before."""
        name = f'entrepot_requests_total{{end="{end}"}}'
        found = self.wait_metrics(lambda now: now[name] >= count, f"{count} of {name}")
        self.assertEqual(found[name], count)
        return found

    def seen(self, model):
        self.vendor.reply(Reply.json({"model": model, "choices": [
            {"index": 0, "finish_reason": "stop",
             "message": {"role": "assistant", "content": "x"}}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}))

    def test_what_is_counted(self):
        buyer = self.customer()
        self.assertEqual(self.station.ask("GET", "/metrics").status, 404, "not for customers")
        self.ended("no_route", 1)
        self.assertEqual(buyer.post(CHAT, b"{").status, 400)
        found = self.ended("bad_json", 1)
        self.assertEqual(found["entrepot_charges_total"], 0)
        for number, (seen, mismatches) in enumerate((
                ("gpt-2026-01-01", 0), ("cheaper", 1), ("gpt", 1)), 1):
            self.seen(seen)
            self.assertEqual(buyer.post(CHAT, body_for("chat")).status, 200)
            found = self.ended("complete", number)
            self.assertEqual(found["entrepot_charges_total"], number)
            self.assertEqual(found["entrepot_model_mismatches_total"], mismatches, seen)
            self.assertEqual(found["entrepot_request_bytes"], 0)


class Head(StationCase):
    def test_like_get_without_a_body(self):
        auth = self.customer().auth
        for path in ("/", "/healthz", "/readyz", "/v1/models", "/v1/account"):
            with self.station.connect() as raw:
                raw.request("GET", path, [auth])
                got = raw.response("GET")
                for _ in range(2):      # on one connection: no byte of a body is left over
                    raw.request("HEAD", path, [auth])
                    head = raw.response("HEAD")
                    self.assertEqual((head.status, head.body), (200, b""), path)
                    for name in ("content-type", "content-length"):
                        self.assertEqual(head.get(name), got.get(name), path)
                raw.request("GET", path, [auth])
                self.assertEqual(raw.response("GET").body, got.body)

    def test_errors_have_no_body_either(self):
        auth = self.customer().auth
        with self.station.connect() as raw:
            for path, headers, status in ((CHAT, [auth], 405), ("/v1/nothing", [auth], 404),
                                          ("/v1/models", [], 401)):
                raw.request("HEAD", path, headers)
                answer = raw.response("HEAD")
                self.assertEqual(answer.status, status, path)
                self.assertGreater(int(answer.get("content-length")), 0)
            raw.request("GET", "/healthz")
            self.assertEqual(raw.response("GET").status, 200)

    def test_what_takes_no_body_says_so(self):
        with self.station.connect() as raw:
            raw.request("GET", "/healthz", [("Content-Length", "1")])
            error = self.assert_error(raw.response(), 413, "chat")
            self.assertIn("no body", error["message"])

    def test_405_names_both(self):
        answer = self.customer().post("/healthz", b"")
        self.assertEqual((answer.status, answer.get("allow")), (405, "GET, HEAD"))

    def test_websocket_is_told_to_come_by_post(self):
        """Codex goes on with POST in the same turn, on the same connection if it likes."""
        customer = self.customer()
        upgrade = [customer.auth, ("Connection", "Upgrade"), ("Upgrade", "websocket"),
                   ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZQ==")]
        with self.station.connect() as raw:
            for path in (RESPONSES, "/responses"):
                raw.request("GET", path, upgrade)
                answer = raw.response("GET")
                error = self.assert_error(answer, 426, "responses")
                self.assertIn("supports_websockets", error["message"])
                self.assertEqual(answer.get("upgrade"), "HTTP/1.1")
                self.assertIn("upgrade", answer.get("connection"))
            raw.send(customer.request(RESPONSES, body_for("responses")))
            self.assertEqual(raw.response().status, 200)

    def test_only_responses_and_only_a_websocket_is_told_so(self):
        customer = self.customer()
        for path, headers in ((RESPONSES, []), (RESPONSES, [("Upgrade", "h2c")]),
                              (CHAT, [("Connection", "Upgrade"), ("Upgrade", "websocket")])):
            answer = customer.get(path, headers)
            self.assert_error(answer, 405)
            self.assertEqual(answer.get("allow"), "POST")


class Own(StationCase):
    limited = [f"limited{number}" for number in range(5)]

    @classmethod
    def upstreams(cls):
        keys = [{"value": "sk-slow-1", "rpm": 2}]
        return [*super().upstreams(), *(station.upstream(cls.vendor, "openai", name=name, keys=keys)
                                        for name in cls.limited)]

    @classmethod
    def models(cls):
        return [*super().models(), *(station.model(name, name) for name in cls.limited),
                station.model("known", ("openai", "gpt-5.4")), station.model("n" * 127, "openai")]

    def test_a_longer_name_is_no_other_model(self):
        buyer = self.customer()
        for length, status in ((127, 200), (128, 404), (129, 400)):
            answer = buyer.post(CHAT, body_for("chat").replace(b'"gpt"', b'"%s"' % (b"n" * length)))
            self.assertEqual(answer.status, status, length)

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
        fresh = iter(self.limited)      # an attempt that a minute's end cut in two is made anew

        def four():
            body = body_for("chat", model=next(fresh))
            return [buyer.post(CHAT, body) for _ in range(4)]

        answers = within_one(60, four, time.monotonic)
        self.assertEqual([a.status for a in answers], [200, 200, 503, 503])
        self.assertTrue(0 < int(answers[-1].get("retry-after")) <= 60)


if __name__ == "__main__":
    unittest.main()
