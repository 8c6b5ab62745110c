# SPDX-License-Identifier: Apache-2.0
"""One request walks through the house, in every dialect: bytes, edits, charge, balance."""
import json
import re
import threading
import unittest

from tests.peer import meter, station
from tests.peer.case import (CHAT, GENERATE, JSON, MESSAGES, NANO, RESPONSES, STREAM, STREAM_ARRAY,
                             StationCase, body_for, path_for)
from tests.peer.reply import Reply

DECLARED = {"model", "auth", "stream_options.include_usage", "accept-encoding"}
DIALECTS = ("chat", "responses", "messages", "gemini")


class WholeAnswers(StationCase):
    def test_bytes_both_ways_and_the_charge(self):
        for dialect in DIALECTS:
            with self.subTest(dialect):
                customer = self.customer("5.00")
                body = body_for(dialect, "Grüße [[tokens=9 cached=2 think=4]]", maximum=50)
                answer = customer.post(path_for(dialect), body)
                self.assertEqual(answer.status, 200, answer)
                self.assertTrue(answer.complete)
                got = self.vendor.last
                self.assertEqual(got.body, body)
                self.assertLessEqual(answer.edits, DECLARED)
                self.assertIn("auth", answer.edits)
                self.assertNotIn("model", answer.edits)
                usage = meter.read(dialect, answer.body, False)
                self.assertEqual((usage.read, usage.out + usage.reasoning), (2, 9))
                charge = self.assert_paid(answer, usage)
                self.assertEqual(customer.balance, 5 * NANO - charge["nano"])

    def test_the_answer_is_the_vendors_bytes(self):
        odd = (b'{"id" :"x","object":"chat.completion", "created":1,\n"model":"gpt-9",'
               b'"choices":[{"index":0,"message":{"role":"assistant","content":"\\u00fc \xc3\xbc"},'
               b'"finish_reason":"stop"}],"unknown_key":1.50e0,'
               b'"usage":{"prompt_tokens":10,"completion_tokens":3,"total_tokens":13} }\n')
        customer = self.customer()
        for framing in ("length", "chunked", "close"):
            self.vendor.reply(Reply(200, odd, framing=framing, content_type="application/json"))
            answer = customer.post(CHAT, body_for("chat"))
            self.assertEqual(answer.body, odd)
            self.assertTrue(answer.complete, framing)
            self.assert_paid(answer, meter.read("chat", odd, False))

    def test_whitespace_order_and_numbers_of_the_request_stay(self):
        body = (b' {"zeta": 1.0e0,\r\n\t"model" : "gpt" ,"messages":[{"content":"\\u0041\xc3\xa9",'
                b'"role":"user"}],"temperature":0.70,"x_unknown":{"b":1,"a":[ ]}}\n')
        answer = self.customer().post(CHAT, body)
        self.assertEqual(answer.status, 200)
        self.assertEqual(self.vendor.last.body, body)

    def test_an_answer_of_three_megabytes(self):
        text = "word " * 600000
        value = {"model": "gpt-9", "choices": [{"index": 0, "finish_reason": "stop", "message": {
            "role": "assistant", "content": text}}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 6, "total_tokens": 16}}
        reply = Reply.json(value)
        for framing in ("length", "chunked"):
            self.vendor.reply(Reply(200, reply.content(), framing=framing))
            answer = self.customer().post(CHAT, body_for("chat"))
            self.assertEqual(answer.body, reply.content())
            self.assert_paid(answer, meter.read("chat", reply.content(), False))


class Streams(StationCase):
    def test_bytes_both_ways_and_the_charge(self):
        for dialect in DIALECTS:
            with self.subTest(dialect):
                customer = self.customer("5.00")
                body = body_for(dialect, "Hello [[tokens=40 cached=3]]", stream=True)
                answer = customer.post(path_for(dialect, True), body)
                self.assertEqual((answer.status, answer.framing), (200, "chunked"), answer)
                self.assertTrue(answer.complete)
                self.assertTrue(answer.get("content-type").startswith("text/event-stream"))
                usage = self.check_bytes(dialect, body, answer)
                charge = self.assert_paid(answer, usage)
                self.assertEqual(customer.balance, 5 * NANO - charge["nano"])

    def check_bytes(self, dialect, body, answer):
        """Ask the vendor the same without the station, and compare. Answers the usage."""
        got = self.vendor.last
        direct = station.ask(self.vendor.port, "POST", got.target, [JSON], got.body)
        usage = meter.read(dialect, direct.body, True)
        if dialect != "chat":
            self.assertEqual(got.body, body)
            self.assertEqual(answer.body, direct.body)
            return usage
        asked = rb',?"stream_options":\{"include_usage":true\},?'
        self.assertEqual(re.sub(asked, b"", got.body), body)
        self.assertIn("stream_options.include_usage", answer.edits)
        frames = [f + b"\n\n" for f in direct.body.split(b"\n\n") if f]
        self.assertEqual(answer.body, b"".join(f for f in frames if not meter.is_usage_frame(f)))
        self.assertNotIn(b'"total_tokens"', answer.body)
        return usage

    def test_usage_that_was_asked_for_stays(self):
        body = body_for("chat", stream=True, stream_options={"include_usage": True})
        answer = self.customer().post(CHAT, body)
        self.assertEqual(self.vendor.last.body, body)
        self.assertNotIn("stream_options.include_usage", answer.edits)
        self.assertIn(b'"total_tokens"', answer.body)
        self.assertTrue(answer.body.endswith(b"data: [DONE]\n\n"))
        self.assert_paid(answer, meter.read("chat", answer.body, True))

    def test_stream_options_with_other_keys_keep_them(self):
        body = body_for("chat", stream=True, stream_options={"include_obfuscation": False})
        answer = self.customer().post(CHAT, body)
        self.assertEqual(self.vendor.last.json()["stream_options"],
                         {"include_obfuscation": False, "include_usage": True})
        self.assertNotIn(b'"total_tokens"', answer.body)
        self.assertGreater(self.charge(answer)["nano"], 0)

    def test_gemini_streams_as_one_array(self):
        answer = self.customer().post(STREAM_ARRAY, body_for("gemini", "Hi [[tokens=6]]"))
        self.assertEqual(len(json.loads(answer.body)), 7)
        self.assertNotIn("alt=sse", self.vendor.last.target)
        self.assert_paid(answer, meter.read("gemini", answer.body, True))

    def test_events_are_not_held_back(self):
        """Each event reaches the client before the vendor sends the next one."""
        gates = [threading.Event() for _ in range(3)]
        frames = [b'data: {"choices":[{"index":0,"delta":{"content":"%d"}}]}\n\n' % i
                  for i in range(4)]
        last = (b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
                b'data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4,'
                b'"total_tokens":13}}\n\ndata: [DONE]\n\n')
        parts = [frames[0]]
        for gate, frame in zip(gates, frames[1:]):
            parts += [gate, frame]
        self.vendor.reply(Reply.sse([*parts, last]))
        with self.customer().open(CHAT, body_for("chat", stream=True)) as raw:
            answer = raw.head()
            for i, frame in enumerate(frames):
                self.assertTrue(raw.until(answer, frame), f"event {i} was held back")
                if i < len(gates):
                    gates[i].set()
            while raw.step(answer):
                pass
        self.assertTrue(answer.complete)


class Names(StationCase):
    """Model names: what was asked, what was sent, what the vendor's answer names."""

    @classmethod
    def models(cls):
        return [station.model("gpt", ("openai", "gpt-vendor-name"), aliases=["short"]),
                station.model("claude", ("anthropic", "claude-vendor-name"), aliases=["c"]),
                station.model("gem", ("gemini", "gem-vendor-name"), aliases=["g"])]

    def check(self, answer, asked, sent):
        self.assertEqual(answer.status, 200, answer)
        charge = self.charge(answer)
        self.assertEqual((charge["asked"], charge["sent"], charge["seen"]),
                         (asked, sent, sent + "-2026-01-01"))
        self.assertIn("model", answer.edits)

    def test_alias_is_spliced_into_the_body(self):
        customer = self.customer()
        for name, dialect, sent in (("short", "chat", "gpt-vendor-name"),
                                    ("gpt", "responses", "gpt-vendor-name"),
                                    ("c", "messages", "claude-vendor-name")):
            with self.subTest(name):
                body = body_for(dialect, model=name)
                answer = customer.post(path_for(dialect), body)
                spliced = body.replace(b'"model": "%s"' % name.encode(),
                                       b'"model": "%s"' % sent.encode())
                self.assertEqual(self.vendor.last.body, spliced)
                self.check(answer, name, sent)

    def test_alias_is_spliced_into_the_path(self):
        answer = self.customer().post(GENERATE.replace("/gem:", "/g:"), body_for("gemini"))
        self.assertTrue(self.vendor.last.path.endswith("/models/gem-vendor-name:generateContent"))
        self.check(answer, "g", "gem-vendor-name")


class Headers(StationCase):
    def test_the_clients_key_never_goes_upstream(self):
        customer = self.customer()
        forms = ([("Authorization", f"Bearer {customer.key}")], [("x-api-key", customer.key)],
                 [("x-goog-api-key", customer.key)], None)
        for dialect in DIALECTS:
            for form in forms:
                path = path_for(dialect)
                if form is None:
                    path, form = f"{path}?key={customer.key}&x=1", []
                answer = self.station.ask("POST", path, [*form, JSON], body_for(dialect))
                self.assertEqual(answer.status, 200, (dialect, form, answer))
                got = self.vendor.last
                self.assertNotIn(customer.key.encode(), got.head + got.body)
                kind = {"chat": "openai", "responses": "openai", "messages": "anthropic"}
                secret = station.VENDOR_KEY[kind.get(dialect, "gemini")]
                self.assertEqual(got.head.count(secret.encode()), 1)

    def test_what_is_forwarded(self):
        customer = self.customer()
        customer.post(MESSAGES + "?beta=true", body_for("messages"), [
            ("anthropic-version", "2023-06-01"), ("anthropic-beta", "a-2025-01-01,b-2025-02-02"),
            ("Cookie", "secret=1"), ("X-Forwarded-For", "192.0.2.1"), ("Accept-Encoding", "gzip")])
        got = self.vendor.last
        self.assertEqual(got.all("anthropic-beta"), ["a-2025-01-01,b-2025-02-02"])
        self.assertEqual(got.all("anthropic-version"), ["2023-06-01"])
        self.assertTrue(got.target.endswith("?beta=true"))
        self.assertIsNone(got.get("cookie"))
        self.assertIsNone(got.get("x-forwarded-for"))
        self.assertEqual(got.get("accept-encoding", "identity"), "identity")
        customer.post(MESSAGES, body_for("messages"))
        self.assertEqual(self.vendor.last.all("anthropic-version"), ["2023-06-01"])
        customer.post(CHAT, body_for("chat"), [("OpenAI-Beta", "x=v1")])
        self.assertEqual(self.vendor.last.get("openai-beta"), "x=v1")

    def test_the_vendors_request_id_comes_back(self):
        self.vendor.reply(Reply.json({"model": "m", "choices": [], "usage": {
            "prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}},
            headers=[("x-request-id", "req_vendor_7"), ("x-ratelimit-remaining-requests", "3"),
                     ("Set-Cookie", "a=b")]))
        answer = self.customer().post(CHAT, body_for("chat"))
        self.assertIn("req_vendor_7", [v for _, v in answer.headers])
        self.assertIsNone(answer.get("set-cookie"))
        self.assertNotEqual(answer.request_id, "req_vendor_7")

    def test_request_ids_are_unique(self):
        customer = self.customer()
        ids = {customer.post(CHAT, body_for("chat")).request_id for _ in range(20)}
        self.assertEqual(len(ids), 20)
        self.assertNotIn(None, ids)


class OtherEndpoints(StationCase):
    def test_counting_is_free_and_passes(self):
        customer = self.customer("0.01")
        for path, dialect, key in (("/v1/messages/count_tokens", "messages", "input_tokens"),
                                   ("/v1/responses/input_tokens", "responses", "input_tokens"),
                                   (GENERATE.replace("generateContent", "countTokens"), "gemini",
                                    "totalTokens")):
            with self.subTest(path):
                body = body_for(dialect)
                answer = customer.post(path, body)
                self.assertEqual(answer.status, 200, answer)
                self.assertGreater(answer.json()[key], 0)
                self.assertEqual(self.vendor.last.body, body)
                self.assert_free(answer)
        self.assertEqual(customer.balance, NANO // 100)

    def test_embeddings_are_charged(self):
        customer = self.customer()
        body = {"model": "gpt", "input": ["one", "two words"]}
        answer = customer.post("/v1/embeddings", body)
        self.assertEqual(len(answer.json()["data"]), 2)
        self.assert_paid(answer, meter.read("embeddings", answer.body, False))
        content = {"content": {"parts": [{"text": "one two"}]}}
        for method, body in (("embedContent", content), ("batchEmbedContents", {
                "requests": [{"model": "models/gem", **content}]})):
            answer = customer.post(GENERATE.replace("generateContent", method), body)
            self.assertEqual(answer.status, 200, answer)
            self.assert_paid(answer, meter.read("gemini", answer.body, False))

    def test_models_are_shaped_for_the_asker(self):
        customer = self.customer()
        listed = customer.get("/v1/models").json()
        self.assertEqual(listed["object"], "list")
        self.assertLessEqual({"gpt", "claude", "gem"}, {m["id"] for m in listed["data"]})
        listed = customer.get("/v1/models", [("anthropic-version", "2023-06-01")]).json()
        self.assertIn("has_more", listed)
        self.assertEqual({m["type"] for m in listed["data"]}, {"model"})
        for path in ("/v1beta/models", "/v1/models"):
            listed = self.station.ask("GET", path, [("x-goog-api-key", customer.key)]).json()
            self.assertIn("models/gem", [m["name"] for m in listed["models"]])
        self.assertEqual(self.vendor.received, [])

    def test_other_spellings_of_the_paths(self):
        customer = self.customer()
        for path, dialect in (("/chat/completions", "chat"), ("/v1/v1/messages", "messages"),
                              ("/v1/models/gem:generateContent", "gemini"),
                              (RESPONSES[3:], "responses")):
            answer = customer.post(path, body_for(dialect))
            self.assertEqual(answer.status, 200, path)
            self.assertGreater(self.charge(answer)["nano"], 0)

    def test_own_pages_answer(self):
        for path in ("/healthz", "/readyz", "/"):
            self.assertEqual(self.station.ask("GET", path).status, 200, path)
        customer = self.customer("1.25")
        answer = customer.post(STREAM, body_for("gemini"))
        self.assertGreater(self.charge(answer)["nano"], 0)
        for path in ("/v1/account", "/v1/usage"):
            self.assertEqual(customer.get(path).status, 200, path)


if __name__ == "__main__":
    unittest.main()
