# SPDX-License-Identifier: Apache-2.0
"""Several routes to one model: who is asked, who rests, and what is never tried twice."""
import concurrent.futures
import json
import time
import unittest

from tests.peer import meter, station
from tests.peer.case import CHAT, StationCase, body_for
from tests.peer.reply import Reply, error, sse_events
from tests.peer.vendor import Vendor
from tests.peer.wait import PATIENCE_S

BODY = body_for("chat")


class TwoRoutes(StationCase):
    """`first` is asked before `second`. Each test has its own model, with channels of its own."""
    names = ("quota", "refused", "reset", "nonsense", "server", "overloaded", "key", "hint", "date",
             "limit", "both", "slow", "gone", "order", "times", "left")

    @classmethod
    def setUpClass(cls):
        cls.second = Vendor()
        cls.addClassCleanup(cls.second.close)
        super().setUpClass()
        cls.first = cls.vendor

    @classmethod
    def upstreams(cls):
        rows = super().upstreams()
        for name in cls.names:
            rows.append(station.upstream(cls.vendor, "openai", f"{name}-1"))
            rows.append(station.upstream(cls.second, "openai", f"{name}-2"))
        rows.append(station.upstream(cls.vendor, "openai", "restless-1", cooldown="0s"))
        rows.append(station.upstream(cls.second, "openai", "restless-2", cooldown="0s"))
        away = f"http://127.0.0.1:{station.free_port()}/v1"
        rows.append({"name": "away", "vendor": "openai", "base": away, "keys": ["sk-x"]})
        return rows

    @classmethod
    def models(cls):
        rows = [*super().models(),
                station.model("refuse", {"upstream": "away", "model": "m", "priority": 0},
                              {"upstream": "order-2", "model": "m", "priority": 1}),
                station.model("shared", {"upstream": "order-1", "model": "m", "weight": 3},
                              {"upstream": "order-2", "model": "m", "weight": 1})]
        for name in [*cls.names, "restless"]:
            rows.append(station.model(name, {"upstream": f"{name}-1", "model": "m1", "priority": 0},
                                      {"upstream": f"{name}-2", "model": "m2", "priority": 1}))
        return rows

    def setUp(self):
        super().setUp()
        self.second.reset()
        self.buyer = self.customer()

    def ask(self, name, stream=False):
        return self.buyer.post(CHAT, body_for("chat", model=name, stream=stream))

    def asked(self):
        """How many requests each vendor has had."""
        return len(self.first.received), len(self.second.received)

    def check_moved_on(self, name, answer, attempts=2):
        """The second vendor answered; the customer paid for its answer only, once."""
        self.assertEqual(answer.status, 200, answer)
        charge = self.charge(answer)
        self.assertEqual(charge["sent"], "m2")
        self.assert_paid(answer, meter.read("chat", answer.body, False))
        self.assertEqual(self.row(answer)["attempts"], attempts)
        rows = self.station.store.attempts(answer.request_id)
        self.assertEqual([row["n"] for row in rows], list(range(1, attempts + 1)))
        self.assertIn(f"{name}-1", [row["upstream"] for row in rows if row["failure"]])
        self.assertEqual((rows[-1]["upstream"], rows[-1]["failure"], rows[-1]["status"]),
                         (f"{name}-2", "", 200))

    def test_quota_moves_on_and_the_channel_rests(self):
        self.first.reply(error(429, headers=[("Retry-After", "60")]))
        self.check_moved_on("quota", self.ask("quota"))
        self.assertEqual(self.asked(), (1, 1))
        self.ask("quota")
        self.assertEqual(self.asked(), (1, 2), "the first channel rests")

    def test_retry_after_is_as_long_as_it_says(self):
        began = time.monotonic()
        self.first.reply(error(429, headers=[("Retry-After", "2")]))
        self.ask("hint")
        self.assertEqual(self.asked(), (1, 1))
        while self.asked()[0] == 1:     # it rests
            self.assertLess(time.monotonic() - began, PATIENCE_S, "it is never awake again")
            self.assertEqual(self.ask("hint").status, 200)
            time.sleep(0.05)
        self.assertGreater(time.monotonic() - began, 1.9)
        self.assertGreater(self.asked()[1], 0)

    def test_retry_after_as_a_date(self):
        """No more is asked than that the channel rests at all: as after any 503, for 5 s."""
        when = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 30))
        began = time.monotonic()
        self.first.reply(error(503, headers=[("Retry-After", when)]))
        answer = self.ask("date")
        self.ask("date")
        if time.monotonic() - began < 5:
            self.assertEqual(self.asked(), (1, 2))
        self.check_moved_on("date", answer)

    def test_every_attempt_has_its_status_and_times(self):
        self.first.reply(error(429, headers=[("Retry-After", "1")]))
        answer = self.ask("times")
        request = self.row(answer)
        failed, answered = self.station.store.attempts(answer.request_id)
        self.assertEqual((failed["failure"], failed["status"]), ("rate", 429))
        self.assertEqual((answered["failure"], answered["status"]), ("", 200))
        times = [request["ts"], *[row[name] for row in (failed, answered)
                                  for name in ("began", "first_us", "ts")], request["end_us"]]
        self.assertEqual(times, sorted(times))
        shown = self.station.command("usage", account=self.buyer.name)["charges"][0]
        self.assertEqual([(row["upstream"], row["failure"], row["status"])
                          for row in shown["attempts"]],
                         [("times-1", "rate", 429), ("times-2", None, 200)])
        self.assertTrue(all(row[name].endswith("Z") for row in shown["attempts"]
                            for name in ("began", "first_byte", "ended")))

    def test_an_attempt_that_nobody_waits_for_is_abandoned(self):
        self.first.reply(Reply.json({}, delay=3))
        with self.buyer.open(CHAT, body_for("chat", model="left")) as raw:
            deadline = time.monotonic() + 10
            while not self.first.received and time.monotonic() < deadline:
                time.sleep(0.02)
            self.assertEqual(self.asked(), (1, 0))
        rows = self.wait_attempts("left-1")
        self.assertEqual([(row["failure"], row["status"], row["first_us"]) for row in rows],
                         [("abandoned", 0, 0)])

    def wait_attempts(self, upstream):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            rows = self.station.store.sql("SELECT * FROM attempt WHERE upstream = ?", upstream)
            if rows:
                return rows
            time.sleep(0.02)
        return []

    def test_failures_before_the_first_byte(self):
        cases = {"server": error(500), "overloaded": error(529), "key": error(401),
                 "nonsense": Reply(raw=b"220 mail.test ESMTP\r\n", close=True)}
        for name, reply in cases.items():
            with self.subTest(name):
                self.setUp()
                self.first.reply(reply)
                self.check_moved_on(name, self.ask(name))

    def test_a_connection_that_is_closed_instead_of_an_answer(self):
        """It may be tried again on a new connection or elsewhere; both are attempts with a row."""
        self.first.reply(Reply(raw=b"", close=True))
        answer = self.ask("reset")
        self.assertEqual(answer.status, 200, answer)
        self.assert_paid(answer, meter.read("chat", answer.body, False))
        self.assertEqual(self.row(answer)["attempts"], 2)
        self.assertEqual(sum(self.asked()), 2)

    def test_nobody_listens(self):
        answer = self.ask("refuse")
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(self.row(answer)["attempts"], 2)

    def test_the_requests_own_faults_are_not_tried_again(self):
        for status in (400, 413, 422):
            self.setUp()
            self.first.reply(error(status))
            answer = self.ask("refused")
            self.assertEqual(answer.status, status)
            self.assertEqual(self.asked(), (1, 0))
            self.assertEqual(self.row(answer)["attempts"], 1)
            self.assert_free(answer)

    def test_never_after_the_first_byte(self):
        frames = sse_events([{"choices": [{"index": 0, "delta": {"content": "a"}}]}] * 3)
        for ending in ("fin", "rst"):
            self.setUp()
            reply = Reply.sse(frames, cut=len(frames[0]), ending=ending)
            self.first.reply(reply)
            body = body_for("chat", model="restless", stream=True)  # broken, its channel rests
            with self.buyer.open(CHAT, body) as raw:
                answer = raw.head()
                self.assertTrue(raw.until(answer, frames[0].rstrip()), answer)
                reply.seen.set()
                while raw.step(answer):
                    pass
            self.assertEqual(answer.status, 200)
            self.assertIn(b'"error"', answer.body)
            self.assertFalse(answer.complete)
            self.assertEqual(self.asked(), (1, 0))
            self.assert_free(answer)
            self.assertEqual(self.buyer.balance, 5 * 10**9)

    def test_both_fail(self):
        long = [("Retry-After", "300")]
        self.first.reply(error(500, "first", headers=long))
        self.second.reply(error(503, "second", headers=long))
        answer = self.ask("both")
        self.assertIn(answer.status, (500, 502, 503))
        self.assertEqual(self.asked(), (1, 1))
        self.assertEqual(self.row(answer)["attempts"], 2)
        self.assertEqual(len(self.station.store.attempts(answer.request_id)), 2)
        self.assert_free(answer)
        answer = self.ask("both")
        self.assertEqual(answer.status, 503, "all channels rest")
        self.assertGreaterEqual(int(answer.get("retry-after")), 1)

    def test_a_channel_may_be_told_never_to_rest(self):
        self.first.script(error(429, headers=[("Retry-After", "60")]))
        for _ in range(3):
            self.check_moved_on("restless", self.ask("restless"))
        self.assertEqual(self.asked(), (3, 3))

    def test_weights(self):
        for _ in range(200):
            self.assertEqual(self.ask("shared").status, 200)
        first, second = self.asked()
        self.assertEqual(first + second, 200)
        self.assertTrue(110 <= first <= 190, f"3:1 was {first}:{second}")   # 6.5 deviations

    def test_a_pooled_connection_that_died(self):
        """The vendor closed while idle: noticed before writing, not an attempt, not an error."""
        for _ in range(5):
            answer = self.ask("gone")
            self.assertEqual(answer.status, 200)
            self.assertEqual(self.row(answer)["attempts"], 1)
            self.first.drop_idle_and_wait()
        self.assertEqual(self.asked(), (5, 0))

    def test_a_vendor_that_closes_behind_each_reply(self):
        """Without a word in the head: idle connections are met dead, and no request suffers."""
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        message = {"role": "assistant", "content": "x"}
        body = json.dumps({"model": "m", "usage": usage, "choices": [
            {"index": 0, "finish_reason": "stop", "message": message}]}).encode()
        head = (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n" % len(body))
        self.first.reply(Reply(raw=head + body, close=True))
        with concurrent.futures.ThreadPoolExecutor(12) as crowd:
            answers = list(crowd.map(lambda _: self.ask("gone"), range(120)))
        self.assertEqual({answer.status for answer in answers}, {200})
        self.assertLessEqual(max(self.row(answer)["attempts"] for answer in answers), 2)

    def test_a_reload_keeps_what_rests(self):
        self.first.reply(error(429, headers=[("Retry-After", "60")]))
        self.ask("limit")
        self.station.reload()
        self.ask("limit")
        self.assertEqual(self.asked(), (1, 2))


if __name__ == "__main__":
    unittest.main()
