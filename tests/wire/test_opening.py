# SPDX-License-Identifier: Apache-2.0
"""The begin of a stream: a failure before any content is a status, and another upstream may answer.
Where the client has another dialect, whole answers and streams become each other.
"""
import concurrent.futures
import json
import threading
import time
import unittest

from tests.peer import dialects, grammar, meter, station
from tests.peer.case import StationCase, body_for, path_for
from tests.peer.reply import Reply
from tests.peer.wait import PATIENCE_S, until
from tests.wire.converting import DIALECTS, PAIRS, ConvertCase, path_to
from tests.wire.test_convert_failure import TOO_LONG, WORDS, in_stream

# So many events that every vendor says before it has anything to say.
PREFACES = {"chat": 1, "responses": 2, "messages": 1, "gemini": 0}


def refuses(behind, event, upstream=None):
    """A vendor (of this path) whose streams say so many events and then fail; others answer."""
    def script(received):
        reply = dialects.answer(received)
        if upstream is None or upstream in received.get("authorization", ""):
            reply.parts[behind:] = [event]
        return reply
    return script


class Same(StationCase):
    """The same dialect on both sides; each model has two upstreams, tried in their order."""

    @classmethod
    def upstreams(cls):
        return [station.upstream(cls.vendor, kind, f"{kind}-{number}", cooldown="0s",
                                 keys=[f"key-{number}"])
                for kind in ("openai", "anthropic", "gemini") for number in (1, 2)]

    @classmethod
    def models(cls):
        def routes(kind, name):
            return [{"upstream": f"{kind}-{number}", "model": name, "priority": number}
                    for number in (1, 2)]
        return [station.model("gpt", *routes("openai", "gpt")),
                station.model("claude", *routes("anthropic", "claude")),
                station.model("gem", *routes("gemini", "gem"))]

    def setUp(self):
        super().setUp()
        self.buyer = self.customer()

    def stream(self, dialect):
        return self.buyer.post(path_for(dialect, True), body_for(dialect, stream=True))

    def failures(self, answer):
        self.row(answer)
        return [row["failure"] for row in self.station.store.attempts(answer.request_id)]

    def first_fails(self, dialect, event, behind):
        def script(received):
            reply = dialects.answer(received)
            keys = [received.get(name, "") for name in ("authorization", "x-api-key",
                                                        "x-goog-api-key")]
            if any(key.endswith("key-1") for key in keys):
                reply.parts[behind:] = event
            else:
                self.answered = reply.content()
            return reply
        self.vendor.script(script)

    def test_another_upstream_answers(self):
        for dialect in DIALECTS:
            for behind in range(PREFACES[dialect] + 1):
                with self.subTest(dialect=dialect, behind=behind):
                    self.first_fails(dialect, [in_stream(dialect)], behind)
                    answer = self.stream(dialect)
                    self.assertEqual((answer.status, answer.complete), (200, True), answer)
                    self.assertIn(b"w15 ", answer.body)
                    if dialect != "chat":   # there the frame of usage is the station's own
                        self.assertEqual(answer.body, self.answered)
                    self.assert_paid(answer, meter.read(dialect, self.answered, True))
                    self.assertEqual(self.failures(answer),
                                     ["overload" if dialect == "gemini" else "vendor", ""])

    def test_a_cut_before_any_content_is_one_of_them(self):
        for dialect in DIALECTS:
            with self.subTest(dialect=dialect):
                self.first_fails(dialect, [], PREFACES[dialect])
                answer = self.stream(dialect)
                self.assertEqual((answer.status, answer.complete), (200, True), answer)
                self.assertEqual(self.failures(answer), ["cut", ""])

    def test_where_all_fail_it_is_a_status(self):
        for dialect, kind, status in (("chat", "rate_limit_error", 429),
                                      ("responses", "invalid_request_error", 400),
                                      ("messages", "overloaded_error", 529),
                                      ("messages", "invalid_request_error", 400),
                                      ("gemini", "rate_limit_error", 429)):
            with self.subTest(dialect=dialect, kind=kind):
                self.vendor.script(refuses(PREFACES[dialect], in_stream(dialect, kind)))
                answer = self.stream(dialect)
                error = self.assert_error(answer, status, dialect)
                self.assertEqual(error["message"], WORDS)
                self.assertEqual(answer.all("content-type"), ["application/json"])
                self.assertEqual(self.assert_free(answer)["end"], "vendor_error")

    def test_behind_content_it_stays_inside(self):
        for dialect in DIALECTS:
            self.vendor.script(refuses(5, in_stream(dialect)))
            answer = self.stream(dialect)
            self.assertEqual(answer.status, 200)
            self.assertFalse(answer.complete)
            self.assertIn(WORDS.encode(), answer.body)
            self.assertEqual(len(self.vendor.received), 1)
            self.vendor.reset()

    def test_codex_finds_in_the_stream_that_its_history_is_too_long(self):
        event = in_stream("responses", "context_length_exceeded", "Too much.")
        self.vendor.script(refuses(2, event))
        answer = self.stream("responses")
        self.assertEqual(answer.status, 200)
        self.assertIn(b"response.created", answer.body)
        self.assertIn(event.strip(), answer.body)

    def test_a_client_that_leaves_before_the_head_pays_for_its_prompt(self):
        """The vendor has accepted it. When the station has heard so is not seen from outside:
        tried again, and a little later, until it has."""
        gate = threading.Event()
        self.addCleanup(gate.set)

        def script(received):
            reply = dialects.answer(received)
            reply.parts.insert(1, gate)
            return reply
        self.vendor.script(script)
        pauses = iter(range(1000))

        def leaves():
            count = len(self.vendor.received)
            ended = len(self.station.log_lines("event=request"))
            with self.buyer.open(path_for("messages"),
                                 body_for("messages", "word " * 100, True)):
                self.vendor.wait_received(count + 1)
                time.sleep(next(pauses) / 100)
            line = self.station.wait_log("event=request", ended)[-1]
            return "end=client_left" in line and line
        line = until(leaves, "the station has heard the vendor's first event")
        self.assertNotIn("nano=0", line)


class Slow(ConvertCase):
    """What the client gets while the upstream thinks. All wait at once."""

    def wait_for(self, gate, seen, client, upstream, after, expected):
        """The client's bytes up to the head, then up to what is expected; then the rest."""
        with self.buyer.open(path_to(client, upstream, True), self.body(
                client, upstream, f"[[tokens=4]] {after}", True)) as raw:
            answer = raw.head()
            if expected:
                self.assertTrue(raw.until(answer, expected), (client, answer))
            seen.release()
            gate.wait(PATIENCE_S)
            while raw.step(answer):
                pass
            return client, expected, answer

    def test_head_and_keep_alives(self):
        gate, seen = threading.Event(), threading.Semaphore(0)
        self.addCleanup(gate.set)

        def script(received):
            reply = dialects.answer(received)
            reply.parts.insert(int(dialects.Ask(received).text.split()[-1]), gate)
            return reply
        self.vendor.script(script)
        comment, ping = b": keep-alive\n\n", b"event: ping"
        waits = [("chat", "responses", 5, comment), ("responses", "chat", 3, comment),
                 ("messages", "gemini", 2, ping), ("messages", "chat", 0, ping),
                 ("gemini", "chat", 0, None), ("messages", "messages", 1, None)]
        with concurrent.futures.ThreadPoolExecutor(len(waits)) as pool:
            done = [pool.submit(self.wait_for, gate, seen, *wait) for wait in waits]
            for _ in waits:
                self.assertTrue(seen.acquire(timeout=PATIENCE_S), "heads and keep-alives come")
            gate.set()
            for client, expected, answer in (one.result() for one in done):
                self.assertTrue(answer.complete, answer)
                if expected:
                    self.assert_stream(client, answer)
                self.assertTrue(expected or b"keep-alive" not in answer.body)


class Converted(ConvertCase):
    def test_a_failure_before_content_is_a_status(self):
        for client, upstream in PAIRS:
            with self.subTest(client=client, upstream=upstream):
                event = in_stream(upstream, "rate_limit_error")
                self.vendor.script(refuses(PREFACES[upstream], event))
                answer = self.ask(client, upstream, stream=True)
                self.assertEqual(self.assert_error(answer, 429, client)["message"], WORDS)
                self.assertEqual(self.assert_free(answer)["end"], "vendor_error")

    def test_codex_is_told_in_the_stream_that_its_history_is_too_long(self):
        for upstream in ("chat", "messages", "gemini"):
            message = TOO_LONG[upstream]["error"]["message"]
            event = in_stream(upstream, "invalid_request_error", message)
            self.vendor.script(refuses(PREFACES[upstream], event))
            answer = self.ask("responses", upstream, stream=True)
            self.assertEqual((answer.status, answer.complete), (200, False), answer)
            failed = grammar.events(answer.body)[-1]
            self.assertEqual((failed["type"], failed["response"]["error"]["code"]),
                             ("response.failed", "context_length_exceeded"))

    def asked_by_itself(self, upstream, stream):
        """What the upstream would answer a client that asks so."""
        def script(received):
            value = json.loads(received.body)
            value.pop("stream", None)
            if stream and upstream != "gemini":
                value["stream"] = True
            if stream and upstream == "chat":
                value["stream_options"] = {"include_usage": True}
            received.body = json.dumps(value).encode()
            if upstream == "gemini":
                received.target = "/v1beta/models/m-gemini:" + (
                    "streamGenerateContent?alt=sse" if stream else "generateContent")
            self.sent = dialects.answer(received)
            return self.sent
        return script

    def test_a_stream_becomes_a_whole_answer(self):
        for client, upstream in PAIRS:
            with self.subTest(client=client, upstream=upstream):
                self.vendor.script(self.asked_by_itself(upstream, True))
                answer = self.ask(client, upstream)
                self.assertEqual((answer.status, answer.complete), (200, True), answer)
                self.assertEqual(answer.get("content-type"), "application/json")
                self.assertIn("w0 w1 ", answer.body.decode())
                self.assertIn("w15 ", answer.body.decode())
                usage = meter.read(upstream, self.sent.content(), True)
                self.assert_paid(answer, usage)
                shown = meter.read(client, answer.body, False)
                self.assertEqual(shown.cost(station.PRICE), usage.cost(station.PRICE))

    def test_a_whole_answer_becomes_a_stream(self):
        for client, upstream in PAIRS:
            with self.subTest(client=client, upstream=upstream):
                self.vendor.script(self.asked_by_itself(upstream, False))
                answer = self.ask(client, upstream, stream=True)
                self.assertIn("text/event-stream", answer.get("content-type"))
                self.assert_stream(client, answer)
                usage = meter.read(upstream, self.sent.content(), False)
                self.assert_paid(answer, usage)
                shown = meter.read(client, answer.body, True)
                self.assertEqual(shown.cost(station.PRICE), usage.cost(station.PRICE))

    def test_a_stream_that_calls_itself_json(self):
        for client, upstream in PAIRS:
            script = self.asked_by_itself(upstream, True)

            def lies(received, script=script):
                reply = script(received)
                reply.content_type = "application/json"
                reply.split = "every" if upstream == "chat" else None
                return reply
            for stream in (False, True):
                self.vendor.script(lies)
                answer = self.ask(client, upstream, stream=stream)
                self.assertEqual((answer.status, answer.complete), (200, True), answer)
                self.assertIn(b"w15 ", answer.body)

    def test_a_stream_for_a_whole_answer_fails_as_one(self):
        for client, upstream in PAIRS:
            for event, status in ((in_stream(upstream, "rate_limit_error"), 429), (b"", 502)):
                with self.subTest(client=client, upstream=upstream, status=status):
                    def script(received, event=event):
                        reply = self.asked_by_itself(upstream, True)(received)
                        reply.parts[5:] = [event]
                        return reply
                    self.vendor.script(script)
                    answer = self.ask(client, upstream)
                    self.assert_error(answer, status, client)
                    self.assert_free(answer)

    def test_a_client_that_leaves_a_whole_answer_pays_nothing(self):
        gate = threading.Event()
        self.addCleanup(gate.set)

        def script(received):
            reply = self.asked_by_itself("messages", True)(received)
            reply.parts.insert(6, gate)
            return reply
        self.vendor.script(script)
        with self.buyer.open(path_to("chat", "messages"), self.body("chat", "messages")):
            self.vendor.wait_received()
        self.station.wait_log("end=client_gone")
        gate.set()
        self.assertEqual(self.buyer.balance, 50 * 10**9)

    def test_what_cannot_be_read_is_502(self):
        for client, upstream in PAIRS:
            for reply in (Reply(200, b"<html>", content_type="text/html"),
                          Reply(200, b'{"nothing": 1}', content_type="application/json"),
                          Reply(200, b"", content_type="application/json"),
                          Reply.sse([b"data: nothing\n\n"])):
                for stream in (False, True):
                    with self.subTest(client=client, upstream=upstream, reply=reply.content()):
                        self.vendor.script(reply)
                        answer = self.ask(client, upstream, stream=stream)
                        self.assert_error(answer, 502, client)
                        self.assert_free(answer)


if __name__ == "__main__":
    unittest.main()
