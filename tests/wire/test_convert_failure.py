# SPDX-License-Identifier: Apache-2.0
"""What a client is told when the upstream of a conversion fails, in its own dialect."""
import json
import unittest

from tests.convert.answers import Answer
from tests.peer import dialects
from tests.peer.reply import Reply, sse_events
from tests.wire.converting import PAIRS, ConvertCase

WORDS = "The vendor's own words."
# The name of a status in each dialect.
NAMES = {
    "messages": {400: "invalid_request_error", 429: "rate_limit_error", 503: "api_error",
                 529: "overloaded_error", 500: "api_error"},
    "gemini": {400: "INVALID_ARGUMENT", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE",
               500: "INTERNAL"},
    "chat": {400: "invalid_request_error", 429: "rate_limit_exceeded", 503: "server_error",
             500: "server_error"},
}
NAMES["responses"] = NAMES["chat"]
# What vendors say of a prompt that does not fit.
TOO_LONG = {
    "chat": {"error": {"message": "This model's maximum context length is 8192 tokens.",
                       "type": "invalid_request_error", "param": "messages",
                       "code": "context_length_exceeded"}},
    "responses": {"error": {"message": "Your input exceeds the context window of this model.",
                            "type": "invalid_request_error", "param": "input",
                            "code": "context_length_exceeded"}},
    "messages": {"type": "error", "error": {
        "type": "invalid_request_error",
        "message": "prompt is too long: 208310 tokens > 200000 maximum"}},
    "gemini": {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message":
                         "The input token count (1200000) exceeds the maximum number of tokens "
                         "allowed (1048576)."}},
}
# How clients know it.
KNOWN_BY = {"messages": "prompt is too long", "gemini": "input token count"}


def failure(upstream, status, headers=()):
    made = dialects.failure(path_of(upstream), status, WORDS)
    return Reply.json(json.loads(made.content()), status, headers)


def path_of(upstream):
    return {"messages": "/v1/messages", "gemini": "/v1beta/models/x:generateContent"}.get(
        upstream, "/v1/chat/completions")


def in_stream(upstream, kind="server_error", message=WORDS):
    """The event with which a vendor says that it fails."""
    if upstream == "messages":
        return f'event: error\ndata: {{"type":"error","error":{{"type":"{kind}",' \
               f'"message":"{message}"}}}}\n\n'.encode()
    if upstream == "responses":
        return f'event: response.failed\ndata: {{"type":"response.failed","sequence_number":9,' \
               f'"response":{{"id":"r","status":"failed","instructions":"a context window",' \
               f'"error":{{"code":"{kind}","message":"{message}"}}}}}}\n\n'.encode()
    if upstream == "gemini":
        code = {"rate_limit_error": 429, "invalid_request_error": 400}.get(kind, 503)
        return f'data: {{"error":{{"code":{code},"message":"{message}","status":"X"}}}}\r\n\r\n' \
            .encode()
    return f'data: {{"error":{{"message":"{message}","type":"{kind}","code":null}}}}\n\n'.encode()


def breaks(behind, event):
    """A vendor whose streams say so many events and then this one."""
    def script(received):
        reply = dialects.answer(received)
        reply.parts[behind:] = [event]
        return reply
    return script


class Refused(ConvertCase):
    def told(self, client, answer, status):
        error = self.assert_error(answer, status, client)
        name = error["status"] if client == "gemini" else error["type"]
        self.assertEqual(name, NAMES[client][status])
        return error

    def test_a_status_is_told_by_each_dialects_name(self):
        for client, upstream in PAIRS:
            for status in (400, 429, 500, 503):
                for stream in (False, True):
                    with self.subTest(client=client, upstream=upstream, status=status):
                        self.vendor.reply(failure(upstream, status))
                        answer = self.ask(client, upstream, stream=stream)
                        error = self.told(client, answer, status)
                        self.assertEqual(error["message"], WORDS)
                        self.assertEqual(answer.get("content-type"), "application/json")
                        self.assertEqual(self.assert_free(answer)["end"], "vendor_error")

    def test_529_is_known_to_messages_alone(self):
        self.vendor.script(failure("messages", 529))
        for client in ("chat", "responses", "gemini"):
            self.told(client, self.ask(client, "messages"), 503)

    def test_hints_about_trying_again_come_along(self):
        hints = [("Retry-After", "7"), ("x-should-retry", "false")]
        for client, upstream in PAIRS:
            self.vendor.reply(failure(upstream, 429, hints))
            answer = self.ask(client, upstream)
            self.assertEqual(answer.status, 429)
            self.assertEqual(answer.all("retry-after"), ["7"])
            self.assertEqual(answer.get("x-should-retry"), "false")

    def test_geminis_delay_is_a_header_elsewhere(self):
        info = {"@type": "type.googleapis.com/google.rpc.RetryInfo"}
        for delay, seconds in (("12s", "12"), ("12.4s", "13"), ("0s", "0"), ("soon", None)):
            body = {"error": {"code": 429, "message": WORDS, "status": "RESOURCE_EXHAUSTED",
                              "details": [{"@type": "x"}, {**info, "retryDelay": delay}]}}
            for client in ("chat", "responses", "messages"):
                self.vendor.reply(Reply.json(body, 429))
                answer = self.ask(client, "gemini")
                self.assertEqual((answer.status, answer.get("retry-after")), (429, seconds))
            self.vendor.reply(Reply.json(body, 429, [("retry-after-ms", "900")]))
            self.assertEqual(self.ask("chat", "gemini").get("retry-after"), seconds)
            self.vendor.reply(Reply.json(body, 429, [("retry-after", "3")]))
            self.assertEqual(self.ask("chat", "gemini").all("retry-after"), ["3"])

    def test_a_prompt_that_is_too_long_is_told_so_that_clients_shorten_it(self):
        for client, upstream in PAIRS:
            with self.subTest(client=client, upstream=upstream):
                self.vendor.reply(Reply.json(TOO_LONG[upstream], 400))
                error = self.told(client, self.ask(client, upstream), 400)
                self.assertIn(KNOWN_BY.get(client, ""), error["message"])
                vendors = TOO_LONG[upstream]["error"]["message"]
                self.assertIn(vendors, error["message"])
                if client in ("chat", "responses"):
                    self.assertEqual(error["code"], "context_length_exceeded")

    def test_codex_is_told_by_a_failed_response(self):
        for upstream in ("chat", "messages", "gemini"):
            self.vendor.reply(Reply.json(TOO_LONG[upstream], 400))
            answer = self.ask("responses", upstream, stream=True)
            self.assertEqual(answer.status, 200)
            self.assertIn("text/event-stream", answer.get("content-type"))
            event = json.loads(answer.body.partition(b"data: ")[2])
            self.assertEqual(event["type"], "response.failed")
            self.assertEqual(event["response"]["error"]["code"], "context_length_exceeded")
            self.assertEqual(self.assert_free(answer)["end"], "vendor_error")

    def test_other_hosts_ways_to_say_too_long(self):
        for body, status in (
                ({"object": "error", "message": "This model's maximum context length is 4096 "
                  "tokens. However, you requested 5000 tokens.", "code": 400}, 400),
                ({"error": {"code": 400, "message": "Provider returned error", "metadata": {
                    "raw": "prompt is too long: 9 tokens > 8 maximum"}}}, 400),
                ({"error": {"code": "1261", "message": "Prompt exceeds max length"}}, 400),
                ({"error": "prompt too long; exceeded max context length by 4 tokens"}, 400),
                ({"detail": [{"loc": ["body"], "msg": "Input Tokens Exceeded"}]}, 422)):
            self.vendor.reply(Reply.json(body, status))
            error = self.told("messages", self.ask("messages", "chat"), 400)
            self.assertTrue(error["message"].startswith("prompt is too long"), error)

    def test_words_of_the_request_do_not_make_it_too_long(self):
        body = {"error": {"message": WORDS, "type": "invalid_request_error"},
                "input": "the context window of this prompt is too long"}
        self.vendor.reply(Reply.json(body, 400))
        self.assertEqual(self.told("messages", self.ask("messages", "chat"), 400)["message"],
                         WORDS)

    def test_words_about_length_do_not_make_another_failure_one(self):
        for status, words, kind in (
                (429, "Rate limit of models with a 1M context window.", "rate_limit_error"),
                (500, "failed on: 'explain what a context window is'", "server_error")):
            for client, upstream in PAIRS:
                with self.subTest(client=client, upstream=upstream, status=status):
                    body = {"error": {"message": words, "type": kind, "code": None}}
                    self.vendor.reply(Reply.json(body, status))
                    error = self.told(client, self.ask(client, upstream), status)
                    self.assertEqual(error["message"], words)
        self.vendor.reply(Reply.json({"error": {
            "message": "Rate limit of the 1M context window.", "code": 429}}))
        self.told("messages", self.ask("messages", "chat"), 429)
        far = {"message": "x" * 100000 + " context window", "type": "invalid_request_error"}
        self.vendor.reply(Reply.json({"error": far}, 400))
        error = self.told("messages", self.ask("messages", "chat"), 400)
        self.assertTrue(error["message"].startswith("xxx"), error["message"][:80])

    def test_a_code_makes_it_one_whatever_the_status(self):
        self.vendor.reply(Reply.json({"error": {"message": "No.", "type": "server_error",
                                                "code": "context_length_exceeded"}}, 500))
        error = self.told("messages", self.ask("messages", "chat"), 400)
        self.assertEqual(error["message"], "prompt is too long: No.")

    def test_a_long_message_is_cut(self):
        body = {"error": {"message": "\u00e9" * 100000, "type": "invalid_request_error"}}
        self.vendor.reply(Reply.json(body, 400))
        message = self.told("messages", self.ask("messages", "chat"), 400)["message"]
        self.assertEqual(set(message), {"\u00e9"})
        self.assertLess(len(message), 10000)

    def test_an_error_under_status_200_is_one(self):
        for client, upstream in PAIRS:
            self.vendor.reply(Reply.json({"error": {"message": WORDS, "code": 429}}))
            self.assertEqual(self.told(client, self.ask(client, upstream), 429)["message"], WORDS)


class Broken(ConvertCase):
    """In the middle of a stream."""

    def test_a_vendors_failure_is_told_in_its_words(self):
        for client, upstream in PAIRS:
            with self.subTest(client=client, upstream=upstream):
                self.vendor.script(breaks(5, in_stream(upstream, "overloaded_error")))
                answer = self.ask(client, upstream, stream=True)
                failed = self.assert_failed_stream(client, answer)
                self.assertIn(WORDS, json.dumps(failed))
                self.assertEqual(self.assert_free(answer)["end"], "vendor_error")
                attempts = self.station.store.attempts(answer.request_id)
                self.assertEqual([row["failure"] for row in attempts], ["overload"])

    def test_codes_that_clients_act_on(self):
        for kind, message, code in (
                ("rate_limit_error", WORDS, "rate_limit_exceeded"),
                ("invalid_request_error", WORDS, "invalid_prompt"),
                ("invalid_request_error", "prompt is too long: 9 tokens > 8 maximum",
                 "context_length_exceeded"),
                ("api_error", WORDS, "server_error")):
            self.vendor.script(breaks(5, in_stream("messages", kind, message)))
            answer = self.ask("responses", "messages", stream=True)
            self.assert_failed_stream("responses", answer)
            event = json.loads(answer.body.split(b"data: ")[-1])
            self.assertEqual(event["response"]["error"]["code"], code)

    def test_the_stations_own_quota_is_no_business_of_the_client(self):
        event = in_stream("responses", "insufficient_quota", "You have no money, org-123.")
        self.vendor.script(breaks(5, event))
        answer = self.ask("messages", "responses", stream=True)
        failed = self.assert_failed_stream("messages", answer)
        self.assertNotIn("org-123", json.dumps(failed))

    def test_a_cut_is_no_end(self):
        for client, upstream in PAIRS:
            with self.subTest(client=client, upstream=upstream):
                self.vendor.script(breaks(5, b""))
                answer = self.ask(client, upstream, stream=True)
                self.assert_failed_stream(client, answer)
                self.assertEqual(self.assert_free(answer)["end"], "upstream_broke")

    def failures(self, answer):
        return [row["failure"] for row in self.station.store.attempts(answer.request_id)]

    def no_answer(self, client, upstream, reply, end, failure, words=""):
        """Neither streamed nor folded, and nobody pays."""
        for stream in (True, False):
            with self.subTest(client=client, upstream=upstream, stream=stream):
                self.vendor.reply(Reply.sse(reply))
                answer = self.ask(client, upstream, stream=True) if stream else \
                    self.ask(client, upstream)
                if stream:
                    told = self.assert_failed_stream(client, answer)
                    self.assertEqual(self.assert_free(answer)["end"], end)
                    self.assertEqual(self.failures(answer), [failure])
                else:
                    told = self.assert_error(answer, 502, client)
                    self.assert_free(answer)
                self.assertIn(words, json.dumps(told))

    def test_a_terminator_alone_is_no_end(self):
        """The vendor has not said why it stopped: the answer may be half of it."""
        answer = Answer([("text", "Hello you")])
        chat = [e for e in answer.stream("chat") if not (
            e["choices"] and e["choices"][0]["finish_reason"])]
        messages = [e for e in answer.stream("messages") if e["type"] != "message_delta"]
        for client, upstream in PAIRS:
            if upstream in ("chat", "messages"):
                frames = sse_events(chat, done=True) if upstream == "chat" else \
                    sse_events(messages, named=True)
                self.no_answer(client, upstream, frames, "upstream_broke", "bad_reply")

    def test_an_event_that_cannot_be_read_is_missed(self):
        for client, upstream in PAIRS:
            events = Answer([("text", "Hello you")]).stream(upstream)
            frames = sse_events(events, named=upstream in ("responses", "messages"),
                                done=upstream == "chat")
            at = next(n for n, frame in enumerate(frames) if b"lo y" in frame or b"o you" in frame)
            frames[at] = frames[at].rstrip()[:-3] + b"\n\n"
            with self.subTest(client=client, upstream=upstream):
                self.vendor.reply(Reply.sse(frames))
                answer = self.ask(client, upstream, stream=True)
                self.assert_failed_stream(client, answer)
                self.assertEqual(self.assert_free(answer)["end"], "upstream_broke")
                self.assertEqual(self.failures(answer), ["bad_reply"])

    def test_the_log_tells_what_was_wrong_with_a_stream(self):
        """No JSON is another trouble than too much of it, at its begin and further on."""
        good = sse_events(Answer([("text", "Hello you")]).stream("chat"), done=True)
        for frames in ([b'data: {"choices":\n\n'], [*good[:2], b"data: {no json\n\n"]):
            self.vendor.reply(Reply.sse(frames))
            answer = self.ask("messages", "chat", stream=True)
            self.assert_free(answer)
            self.assertEqual(self.failures(answer), ["bad_reply"])
            line, = self.station.wait_log("attempt_failed id=" + answer.get("relay-request-id"))
            self.assertIn('why="an event that cannot be converted"', line)

    def test_a_call_that_cannot_be_read_is_no_answer(self):
        events = Answer([("text", "Hello you")]).stream("gemini")
        events[-1]["candidates"][0]["finishReason"] = "MALFORMED_FUNCTION_CALL"
        for client in ("chat", "responses", "messages"):
            self.no_answer(client, "gemini", sse_events(events, end="\r\n\r\n"), "vendor_error",
                           "model", "tool call that cannot be read")


if __name__ == "__main__":
    unittest.main()
