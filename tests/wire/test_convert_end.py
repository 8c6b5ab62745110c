# SPDX-License-Identifier: Apache-2.0
"""When a converted stream has ended: by the word of its vendor, neither before nor without it."""
import contextlib
import threading
import unittest

from tests.convert import answers
from tests.convert.answers import Answer
from tests.peer.recordings import CHAT, GEMINI, MESSAGES, RESPONSES
from tests.peer.reply import Reply, sse_events
from tests.wire.converting import ConvertCase, path_to

TOOLS = [("weather", {"type": "object", "properties": {"city": {"type": "string"}}})]
MARK = "the one that is waited for"


def chunks(*deltas):
    """Chat events of (text, finish) each."""
    return [Answer([]).chunk({} if text is None else {"content": text}, finish)
            for text, finish in deltas]


def behind(events, kind, gate):
    """A stream's parts with a gate behind the first event of this kind."""
    at = next(n for n, event in enumerate(events) if event["type"] == kind) + 1
    named = [*sse_events(events[:at], named=True), gate, *sse_events(events[at:], named=True)]
    return Reply.sse(named)


class Late(ConvertCase):
    """What comes later than a vendor that has finished is waited for."""

    def setUp(self):
        super().setUp()
        self.gate, self.never = threading.Event(), threading.Event()
        self.addCleanup(self.never.set)
        self.addCleanup(self.gate.set)

    def outlast(self):
        """Returns when a stream that has said its finish, and nothing behind it, was ended."""
        answer = self.ask(MESSAGES, CHAT, MARK, stream=True)
        self.assert_stream(MESSAGES, answer)

    def play(self, reply):
        """The vendor answers so; and with a finish, and then nothing, who asks for that."""
        finished = Reply.sse([*sse_events(chunks(("x", None), (None, "stop"))), self.never])
        self.vendor.script(lambda received: finished if MARK.encode() in received.body else reply)

    def test_a_call_may_follow_a_text(self):
        events = Answer([("text", "I look"), ("call", "call_1", "weather", '{"city":"Oslo"}')])
        reply = behind(events.stream(RESPONSES), "response.output_text.done", self.gate)
        self.play(reply)
        with contextlib.ExitStack() as stack:
            opened = []
            for client in (CHAT, MESSAGES, GEMINI):
                tools = answers.request(client, "Hi", tools=TOOLS)["tools"]
                raw = stack.enter_context(self.buyer.open(
                    path_to(client, RESPONSES, True),
                    self.body(client, RESPONSES, stream=True, tools=tools)))
                answer = raw.head()
                self.assertTrue(raw.until(answer, b"ook"), answer)
                opened.append((client, raw, answer))
            self.outlast()
            self.gate.set()
            for client, raw, answer in opened:
                with self.subTest(client=client):
                    while raw.step(answer):
                        pass
                    self.assert_stream(client, answer)
                    self.assertIn(b"weather", answer.body)
                    self.assertIn(b"Oslo", answer.body)
                    self.assertEqual(self.row(answer)["end"], "complete")

    def test_text_may_follow_a_finish(self):
        self.play(Reply.sse([*sse_events(chunks(("one", None), (None, "stop"), ("two", None))),
                             self.gate, *sse_events(chunks(("three", None), (None, "stop")),
                                                    done=True)]))
        with self.buyer.open(path_to(MESSAGES, CHAT), self.body(MESSAGES, CHAT, stream=True)) \
                as raw:
            answer = raw.head()
            self.assertTrue(raw.until(answer, b"two"))
            self.outlast()
            self.gate.set()
            while raw.step(answer):
                pass
        self.assert_stream(MESSAGES, answer)
        self.assertIn(b"three", answer.body)

    def test_a_reason_to_stop_is_enough(self):
        """Whether the vendor closes behind it or says nothing more."""
        for upstream in (CHAT, MESSAGES):
            events = Answer([("text", "Hello")]).stream(upstream)[:-1]
            frames = sse_events(events, named=upstream == MESSAGES)
            for rest in ([], [self.never]):
                with self.subTest(upstream=upstream, hangs=bool(rest)):
                    self.vendor.reply(Reply.sse([*frames, *rest]))
                    answer = self.ask(RESPONSES, upstream, stream=True)
                    self.assert_stream(RESPONSES, answer)
                    self.assertIn(b'"completed"', answer.body)


if __name__ == "__main__":
    unittest.main()
