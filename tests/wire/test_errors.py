# SPDX-License-Identifier: Apache-2.0
"""Errors: the station's own in each dialect's shape and words; the vendor's as they came."""
import json
import threading
import unittest

from tests.peer import dialects, station
from tests.peer.case import (CHAT, DIALECT_PATHS, GENERATE, JSON, MESSAGES, StationCase, body_for,
                             path_for)
from tests.peer.rawhttp import request_bytes
from tests.peer.reply import Reply
from tests.peer.wait import within_one

DIALECTS = ("chat", "responses", "messages", "gemini")
# What the dialect calls each status: error.type for messages, error.status for Gemini.
MESSAGES_WORDS = {400: "invalid_request_error", 401: "authentication_error", 402: "billing_error",
                  403: "permission_error", 404: "not_found_error", 413: "request_too_large",
                  429: "rate_limit_error", 502: "api_error", 504: "timeout_error"}
GEMINI_WORDS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED",
                404: "NOT_FOUND", 413: "INVALID_ARGUMENT", 429: "RESOURCE_EXHAUSTED",
                502: "UNAVAILABLE", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED"}


class OwnErrors(StationCase):
    @classmethod
    def models(cls):
        return [*super().models(), station.model("other", "openai")]

    def check(self, answer, status, dialect):
        error = self.assert_error(answer, status, dialect)
        if dialect == "messages" and status in MESSAGES_WORDS:
            self.assertEqual(error["type"], MESSAGES_WORDS[status])
        if dialect == "gemini" and status in GEMINI_WORDS:
            self.assertEqual(error["status"], GEMINI_WORDS[status])
        self.assertTrue(answer.get("content-type").startswith("application/json"))
        self.assertIsNotNone(answer.request_id)
        return error

    def test_400_bodies(self):
        customer = self.customer()
        for dialect in DIALECTS:
            for body in (b"", b"{", b"[]", b"null", b'{"model"', b'{"a":1}}', b"\xff{}",
                         b"[" * 100000):
                with self.subTest(dialect=dialect, body=body[:20]):
                    answer = customer.post(path_for(dialect), body)
                    self.check(answer, 400, dialect)
                    self.assert_free(answer)
        self.assertEqual(self.vendor.received, [])

    def test_400_names_the_field(self):
        customer = self.customer()
        for body, field in ((b'{"messages":[]}', "model"), (b'{"model":7,"messages":[]}', "model"),
                            (b'{"model":"gpt","stream":"true","messages":[]}', "stream")):
            error = self.check(customer.post(CHAT, body), 400, "chat")
            self.assertEqual(error["param"], field)
            self.assertEqual(error["type"], "invalid_request_error")

    def test_404_of_paths_that_are_not_there(self):
        """In the words of the dialect whose they would be."""
        customer = self.customer()
        version = [("anthropic-version", "2023-06-01")]
        google = [("x-goog-api-key", customer.key)]
        for path, headers, dialect in (
                ("/v1/messages/batches", [], "messages"), ("/v1/files", version, "messages"),
                ("/v1beta/cachedContents", [], "gemini"), ("/v1/files", google, "gemini"),
                ("/v1/files", [], "chat"), ("/v1/chat/completions/x", [], "chat")):
            with self.subTest(path=path, dialect=dialect):
                self.check(customer.post(path, b"{}", headers=headers), 404, dialect)

    def test_401(self):
        for dialect in DIALECTS:
            for headers in ([], [("Authorization", "Bearer ek_wrong")], [("x-api-key", "ek_")],
                            [("Authorization", "Basic eHg=")]):
                answer = self.station.ask("POST", path_for(dialect), [*headers, JSON],
                                          body_for(dialect))
                error = self.check(answer, 401, dialect)
                if dialect in ("chat", "responses"):
                    self.assertEqual(error["code"], "invalid_api_key")
                self.assertNotIn("ek_wrong", answer.body.decode())
        self.assertEqual(self.vendor.received, [])

    def test_402(self):
        for dialect in ("chat", "responses", "messages"):
            answer = self.customer("0").post(path_for(dialect), body_for(dialect))
            self.check(answer, 402, dialect)
            self.assert_free(answer)
        answer = self.customer("0").post(GENERATE, body_for("gemini"))
        self.assertEqual((answer.status, answer.json()["error"]["code"]), (402, 402))
        self.assertEqual(self.vendor.received, [])

    def test_403_model_not_in_the_keys_scope(self):
        customer = self.customer(models="other")
        for dialect in DIALECTS:
            self.check(customer.post(path_for(dialect), body_for(dialect)), 403, dialect)

    def test_404_model(self):
        customer = self.customer()
        for dialect in ("chat", "responses", "messages"):
            body = body_for(dialect, model="no-such-model")
            error = self.check(customer.post(path_for(dialect), body), 404, dialect)
            self.assertIn("no-such-model", error["message"])
            if dialect != "messages":
                self.assertEqual(error["code"], "model_not_found")
        answer = customer.post(GENERATE.replace("/gem:", "/no-such-model:"), body_for("gemini"))
        self.check(answer, 404, "gemini")

    def test_404_and_405_paths(self):
        customer = self.customer()
        for path in ("/v1/nothing", "/v1/chat", "/v2/chat/completions", "/v1/chat/completions/x"):
            self.assertEqual(customer.post(path, b"{}").status, 404, path)
        self.assertEqual(customer.post(GENERATE.replace("generate", "invent"), b"{}").status, 404)
        for path in DIALECT_PATHS.values():
            answer = customer.get(path)
            self.assertIn(answer.status, (404, 405), path)
            self.assertNotEqual(answer.body, b"")

    def test_413(self):
        customer = self.customer()
        for dialect in DIALECTS:
            with self.station.connect() as raw:
                raw.send(request_bytes("POST", path_for(dialect), [customer.auth, JSON, (
                    "Content-Length", str(100 << 20))]))
                error = self.check(raw.response(), 413, dialect)
                self.assertIn("32 MB", error["message"])

    def test_415(self):
        customer = self.customer()
        for dialect in DIALECTS:
            for coding in ("br", "compress", "gzip, br", "x-unknown"):
                answer = customer.post(path_for(dialect), b"....", [("Content-Encoding", coding)])
                self.check(answer, 415, dialect)

    def test_429_requests_a_minute(self):
        for dialect in DIALECTS:
            *answers, last = within_one(60, lambda: self.three_in_a_minute(dialect))
            self.assertEqual([a.status for a in answers], [200, 200])
            self.check(last, 429, dialect)
            self.assertLessEqual(int(last.get("retry-after")), 60)

    def three_in_a_minute(self, dialect):
        customer = self.customer(rpm=2)
        return [customer.post(path_for(dialect), body_for(dialect)) for _ in range(3)]


class Unreachable(StationCase):
    """Vendors that are away or talk nonsense. No route has an alternative here."""

    @classmethod
    def upstreams(cls):
        rows = super().upstreams()
        for row in rows:
            row["cooldown"] = "0s"      # each test starts with every channel awake
        nobody = {"name": "nobody", "vendor": "openai", "keys": ["sk-x"], "cooldown": "0s",
                  "base": f"http://127.0.0.1:{station.free_port()}/v1"}
        return [*rows, nobody]

    @classmethod
    def models(cls):
        return [*super().models(), station.model("away", "nobody")]

    def test_502_nobody_there(self):
        answer = self.customer().post(CHAT, body_for("chat", model="away"))
        self.assertIn(answer.status, (502, 503))
        self.assert_error(answer, answer.status)
        self.assert_free(answer)

    def test_502_nonsense(self):
        nonsense = [Reply(raw=b"SSH-2.0-OpenSSH\r\n", close=True), Reply(raw=b"", close=True),
                    Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", close=True),
                    Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
                              b"Content-Length: 3\r\n\r\nabc"),
                    Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
                              b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"),
                    Reply(raw=b"HTTP/1.1 200 OK\nContent-Length: 2\n\nab"),
                    Reply(raw=b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100000 + b"\r\n\r\n"),
                    Reply(200, b"<html>welcome</html>", content_type="text/html"),
                    Reply(200, b'{"cut":', content_type="application/json")]
        customer = self.customer()
        for dialect in DIALECTS:
            for reply in nonsense:
                with self.subTest(dialect=dialect, reply=(reply.raw or reply.content())[:40]):
                    self.vendor.script(reply)
                    answer = customer.post(path_for(dialect), body_for(dialect))
                    self.assert_error(answer, 502, dialect)
                    self.assert_free(answer)

    def test_the_vendor_refuses_the_operators_key(self):
        secret = station.VENDOR_KEY["openai"]
        self.vendor.script(Reply.json({"error": {"message": f"Incorrect API key: {secret}",
                                                 "type": "invalid_request_error", "param": None,
                                                 "code": "invalid_api_key"}}, 401))
        answer = self.customer().post(CHAT, body_for("chat"))
        self.assertIn(answer.status, (502, 503))
        self.assertNotIn(secret, answer.body.decode())
        self.assert_error(answer, answer.status)
        self.assert_free(answer)


class SlowClient(StationCase):
    settings = {"timeouts": station.timeouts(body=0.5)}

    def test_408_body_that_does_not_come(self):
        customer = self.customer()
        for dialect in DIALECTS:
            with self.station.connect() as raw:
                raw.send(request_bytes("POST", path_for(dialect), [customer.auth, JSON, (
                    "Content-Length", "500")]) + b"{")
                self.assert_error(raw.response(), 408, dialect)


class SilentVendor(StationCase):
    """The deadline leaves a busy machine enough time to reach the vendor."""
    settings = {"timeouts": station.timeouts(total=3.0)}

    def test_504_silence(self):
        self.vendor.script(Reply(200, b"{}", delay=100.0))
        customers = {dialect: self.customer() for dialect in DIALECTS}
        answers = {}

        def ask(dialect):
            answers[dialect] = customers[dialect].post(path_for(dialect), body_for(dialect))

        threads = [threading.Thread(target=ask, args=(dialect,)) for dialect in DIALECTS]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for dialect in DIALECTS:
            self.assert_error(answers[dialect], 504, dialect)
            self.assert_free(answers[dialect])


class VendorErrors(StationCase):
    """One route, so what the vendor says is what the customer reads."""

    @classmethod
    def upstreams(cls):
        return [{**row, "cooldown": "0s"} for row in super().upstreams()]

    def test_they_pass_byte_for_byte(self):
        bodies = {
            "chat": b'{"error":{"message":"too long","type":"invalid_request_error",'
                    b'"param":"messages","code":"context_length_exceeded"} }\n',
            "responses": b'{ "error": {"message": "No", "type": "x", "param": null, "code": "y"}}',
            "messages": b'{"type":"error","error":{"type":"invalid_request_error","message":'
                        b'"prompt is too long: 5 tokens > 4 maximum"},"request_id":"req_1"}',
            "gemini": b'{\n  "error": {\n    "code": 400,\n    "message": "\xc3\x9c",\n'
                      b'    "status": "INVALID_ARGUMENT"\n  }\n}\n'}
        customer = self.customer()
        for dialect in DIALECTS:
            for status in (400, 404, 422, 429, 500, 503, 529):
                for stream in (False, True):
                    with self.subTest(dialect=dialect, status=status, stream=stream):
                        self.vendor.script(Reply(status, bodies[dialect]))
                        answer = customer.post(path_for(dialect, stream),
                                               body_for(dialect, stream=stream))
                        self.assertEqual((answer.status, answer.body), (status, bodies[dialect]))
                        self.assert_free(answer)

    def test_retry_hints_pass(self):
        self.vendor.script(Reply.json({"error": {"message": "slow down"}}, 429,
                                      [("Retry-After", "17"), ("retry-after-ms", "17000")]))
        answer = self.customer().post(CHAT, body_for("chat"))
        self.assertEqual(answer.get("retry-after"), "17")

    def test_in_a_stream_they_end_it_without_the_last_chunk(self):
        ends = {"chat": (b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n',
                         b'data: {"error":{"message":"boom","type":"server_error"}}\n\n'),
                "responses": (b'event: response.output_text.delta\ndata: {"type":'
                              b'"response.output_text.delta","delta":"a"}\n\n',
                              b'event: response.failed\ndata: {"type":"response.failed","response":'
                              b'{"id":"r","status":"failed","error":{"code":"server_error"}}}\n\n'),
                "messages": (b'event: content_block_start\ndata: {"type":"content_block_start",'
                             b'"index":0,"content_block":{"type":"text","text":""}}\n\n',
                             b'event: error\ndata: {"type":"error","error":{"type":'
                             b'"overloaded_error","message":"Overloaded"}}\n\n'),
                "gemini": (b'data: {"candidates":[{"content":{"parts":[{"text":"a"}]}}]}\r\n\r\n',
                           b'data: {"error":{"code":503,"message":"x","status":"UNAVAILABLE"}}'
                           b'\r\n\r\n')}
        for dialect, frames in ends.items():
            with self.subTest(dialect):
                self.vendor.script(Reply.sse(list(frames)))
                answer = self.customer().post(path_for(dialect, True),
                                              body_for(dialect, stream=True))
                self.assertEqual(answer.status, 200)
                self.assertTrue(answer.body.startswith(b"".join(frames).rstrip()), answer)
                self.assertFalse(answer.complete, "a failed stream must not end as success")
                self.assert_free(answer)

    def test_cut_streams_get_the_dialects_failure(self):
        marks = {"chat": b'"error"', "responses": b"response.failed", "messages": b"event: error",
                 "gemini": b'"error"'}
        for dialect, mark in marks.items():
            for ending in ("fin", "rst"):
                with self.subTest(dialect=dialect, ending=ending):
                    self.cut(dialect, ending, mark)

    def cut(self, dialect, ending, mark):
        replies = []

        def script(received):
            reply = dialects.answer(received)
            reply.cut = len(b"".join(p for p in reply.parts[:4] if isinstance(p, bytes)))
            reply.ending = ending
            replies.append(reply)
            return reply

        self.vendor.script(script)
        path, body = path_for(dialect, True), body_for(dialect, stream=True)
        with self.customer().open(path, body) as raw:
            answer = raw.head()
            sent = replies[0].content()[:replies[0].cut]
            self.assertTrue(raw.until(answer, sent.rstrip()), answer)
            replies[0].seen.set()
            while raw.step(answer):
                pass
        self.assertTrue(answer.body.startswith(sent.rstrip()), answer)
        tail = answer.body[len(sent):]
        self.assertIn(mark, tail)
        self.assertNotIn(b"[DONE]", tail)
        for line in tail.splitlines():
            if line.startswith(b"data:"):
                self.assertIsInstance(json.loads(line[5:]), dict)
        self.assertFalse(answer.complete)
        self.assert_free(answer)


class Shapes(StationCase):
    def test_the_asker_decides_the_shape_even_on_unknown_paths(self):
        customer = self.customer("0")
        answer = customer.post(MESSAGES, b"{")
        self.assertEqual(answer.json()["type"], "error")
        self.assertEqual(answer.json()["request_id"], answer.request_id)


if __name__ == "__main__":
    unittest.main()
