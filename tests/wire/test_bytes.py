# SPDX-License-Identifier: Apache-2.0
"""Every recorded answer goes through unchanged, split anywhere, and is charged as recorded.

One exchange after the other over one connection; then all charges are read at once and joined
by request id.
"""
import unittest

from tests.peer import meter, recordings, splits, station
from tests.peer.case import JSON, StationCase
from tests.peer.rawhttp import Ended
from tests.peer.reply import Reply, sse_events
from tests.peer.store import STATE_OK, rid_bytes

SMALL = 3000        # bytes of a stream that is also sent byte by byte
UPSTREAM = {recordings.CHAT: "openai", recordings.RESPONSES: "openai",
            recordings.EMBEDDINGS: "openai", recordings.MESSAGES: "anthropic",
            recordings.GEMINI: "gemini"}
PRICES = [float(station.PRICE[k]) for k in ("input", "output", "cache_read", "cache_write")]


class Replay(StationCase):
    exchanges = ()      # set by the class that knows where they come from

    @classmethod
    def upstreams(cls):
        return [{**row, "cooldown": "0s"} for row in super().upstreams()]

    @classmethod
    def models(cls):
        routes = {}
        for exchange in cls.exchanges:
            routes.setdefault(exchange.model, set()).add(UPSTREAM[exchange.dialect])
        return [station.model(name, *sorted(ups)) for name, ups in sorted(routes.items())]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls.customer("100000.00")
        cls.raw = cls.station.connect()

    @classmethod
    def tearDownClass(cls):
        cls.raw.close()
        super().tearDownClass()

    def send(self, exchange, **options):
        """The station's answer to one exchange, while the vendor plays the recording."""
        self.vendor.reset()
        self.vendor.reply(exchange.reply(**options))
        if self.raw.eof or self.raw.buffer:
            self.raw.close()
            type(self).raw = self.station.connect()
        self.raw.send(self.buyer.request(exchange.path, exchange.request))
        answer = self.raw.response()
        if answer is None or not answer.complete or "close" in answer.get("connection", ""):
            self.raw.eof = Ended.CUT    # not to be used again
        return answer

    def play(self, exchange, **options):
        with self.subTest(exchange.name, **options):
            answer = self.send(exchange, **options)
            self.assertIsNotNone(answer, "no answer")
            self.assertEqual(answer.status, exchange.status, answer)
            self.check_sent(exchange)
            want = meter.expected_client_bytes(exchange)
            if exchange.stream and not exchange.finished:
                want = b"".join(exchange.until_failure)
                self.assertTrue(answer.body.startswith(want.rstrip()), answer)
                # Only a failure that the vendor itself closed in good order may end in good order.
                if not exchange.terminated or answer.body != exchange.response:
                    self.assertFalse(answer.complete, "a stream without its end is no success")
            else:
                self.assertEqual(answer.body, want)
                self.assertTrue(answer.complete)
            return answer

    def check_sent(self, exchange):
        self.assertEqual(len(self.vendor.received), 1)
        got = self.vendor.last.body
        if exchange.dialect == recordings.CHAT and exchange.stream and not exchange.asked_for_usage:
            self.assertIn(b"include_usage", got)
            self.assertLess(len(exchange.request), len(got))
        else:
            self.assertEqual(got, exchange.request)

    # Charges

    def settle(self, pairs):
        """Compare each (exchange, answer) with what the store has."""
        self.station.store.wait_requests(a.request_id for _, a in pairs if a is not None)
        charges = self.station.store.charges()
        for exchange, answer in pairs:
            if answer is not None:
                with self.subTest(exchange.name, what="charge"):
                    self.check_charge(exchange, charges.get(rid_bytes(answer.request_id), []))

    def check_charge(self, exchange, rows):
        good = exchange.status == 200 and (not exchange.stream or exchange.finished)
        if not good or not exchange.metered:
            self.assertEqual([r["nano"] for r in rows if r["nano"]], [])
            return
        usage = meter.read(exchange.dialect, exchange.response, exchange.stream)
        nano = sum(row["nano"] for row in rows)
        self.assertLessEqual(len(rows), 1)
        cost = usage.cost(station.PRICE)
        if usage.state == meter.OK:
            allowed = {cost}
            if not usage.out + usage.reasoning and exchange.dialect != recordings.EMBEDDINGS:
                allowed.add(0)      # an empty answer is not paid for
            self.assertIn(nano, allowed, usage)
        else:
            size = len(exchange.request) + len(exchange.response)
            self.assertLessEqual(nano, int(size * max(PRICES) * 1000), "guessed upward")
            if rows:
                self.assertNotEqual(rows[0]["state"], STATE_OK, usage)
        if rows:
            seen = meter.model_seen(exchange.dialect, exchange.response, exchange.stream)
            self.assertEqual(rows[0]["seen"], seen or "")
            self.assertEqual(rows[0]["asked"], exchange.model)


@unittest.skipUnless(recordings.present(), recordings.ABSENT)
class Recorded(Replay):
    @classmethod
    def setUpClass(cls):
        spellings = (b'"background": true', b'"background":true')    # not sold: cannot be billed
        cls.exchanges = [x for x in recordings.everything()
                         if not any(word in x.request for word in spellings)]
        super().setUpClass()

    def of(self, dialect, stream):
        found = [x for x in self.exchanges if x.dialect == dialect and x.stream == stream]
        self.assertTrue(found)
        return found

    def whole(self, dialect):
        framings = ("length", "chunked", "close")
        self.settle([(x, self.play(x, framing=framings[i % 3]))
                     for i, x in enumerate(self.of(dialect, False))])

    def streams(self, dialect, extra=()):
        pairs = []
        for exchange in [*self.of(dialect, True), *extra]:
            kinds = [k for k in splits.KINDS if k != "every" or len(exchange.response) < SMALL]
            if dialect != recordings.CHAT:
                kinds = kinds if len(exchange.response) < 10 * SMALL else ["whole", "chunk_size"]
            pairs += [(exchange, self.play(exchange, split=kind)) for kind in kinds]
            pairs.append((exchange, self.play(exchange, framing="close", split="frame")))
        self.settle(pairs)

    def test_chat_whole(self):
        self.whole(recordings.CHAT)

    def test_chat_streams(self):
        self.streams(recordings.CHAT)

    def test_responses_whole(self):
        self.whole(recordings.RESPONSES)

    def test_responses_streams(self):
        self.streams(recordings.RESPONSES)

    def test_messages_whole(self):
        self.whole(recordings.MESSAGES)

    def test_messages_streams(self):
        self.streams(recordings.MESSAGES)

    def test_gemini_whole(self):
        self.whole(recordings.GEMINI)

    def test_gemini_streams(self):
        arrays = [recordings.gemini_array(x) for x in self.of(recordings.GEMINI, True)
                  if x.finished]
        self.streams(recordings.GEMINI, arrays)

    def test_embeddings(self):
        self.whole(recordings.EMBEDDINGS)


class Handwritten(Replay):
    """The deviations that vendors were seen to send; these need no folder beside the tree."""
    text = "Gr\u00fc\u00dfe, \u4e16\u754c \U0001f600 \\u00e9"
    usage = {"prompt_tokens": 1234, "completion_tokens": 56, "total_tokens": 1290,
             "prompt_tokens_details": {"cached_tokens": 1000}}

    @classmethod
    def setUpClass(cls):
        cls.exchanges = list(cls.make())
        super().setUpClass()

    @classmethod
    def chunk(cls, content=None, finish=None, **more):
        delta = {} if content is None else {"content": content}
        return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "seen-1",
                "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}

    @classmethod
    def make(cls):
        last = {**cls.chunk(), "choices": [], "usage": cls.usage}
        plain = [cls.chunk(cls.text), cls.chunk(finish="stop"), last]
        every = [cls.chunk(cls.text, usage={"prompt_tokens": 1, "completion_tokens": 1,
                                            "total_tokens": 2}),
                 cls.chunk(finish="stop", usage=cls.usage)]
        azure = {"choices": [], "prompt_filter_results": [], "model": "seen-1"}
        bodies = {
            "crlf": sse_events(plain, end="\r\n\r\n", done=True),
            "no space after the colon": [f.replace(b"data: ", b"data:") for f in
                                         sse_events(plain, done=True)],
            "comments": [b": OPENROUTER PROCESSING\n\n", *sse_events(plain[:1]),
                         b": keep-alive\n\n", b"\n", *sse_events(plain[1:], done=True)],
            "usage in every chunk": sse_events(every, done=True),
            "azure's first chunk": sse_events([azure, *plain], done=True),
            "usage null elsewhere": sse_events([{**plain[0], "usage": None}, *plain[1:]],
                                               done=True),
            "a line of 3 MB": sse_events([cls.chunk("x" * (3 << 20)), *plain[1:]], done=True),
            "two data lines": [b'data: {"model":"seen-1",\ndata: "choices":[{"index":0,"delta":'
                               b'{"content":"a"},"finish_reason":null}]}\n\n',
                               *sse_events(plain[1:], done=True)],
            "event and id lines": [b"id: 1\nevent: message\nretry: 3\n" + f
                                   for f in sse_events(plain, done=True)],
            "byte order mark": [b"\xef\xbb\xbf", *sse_events(plain, done=True)],
        }
        request = (b'{"model":"hand","stream":true,"messages":[{"role":"user",'
                   b'"content":"hi"}],"stream_options":{"include_usage":true}}')
        silent = request.replace(b',"stream_options":{"include_usage":true}', b"")
        for name, frames in bodies.items():
            for asked, sent in (("asked", request), ("not asked", silent)):
                yield recordings.Exchange(
                    f"{name}, usage {asked}", recordings.CHAT, "/v1/chat/completions", "hand",
                    sent, b"".join(frames), stream=True, frames=frames)

    def test_all_splits(self):
        pairs = []
        for exchange in self.exchanges:
            large = len(exchange.response) > 100000
            for kind in ("whole", 60000) if large else splits.KINDS:
                pairs.append((exchange, self.play(exchange, split=kind)))
        self.settle(pairs)

    def test_frames_join_and_part_in_chunks(self):
        """Chunk borders of the vendor's framing are not event borders."""
        for exchange in self.exchanges:
            if len(exchange.response) > 100000:
                continue
            for size in (1, 7, 1000):
                parts = splits.pieces(size, exchange.response)
                moved = recordings.Exchange(exchange.name, exchange.dialect, exchange.path, "hand",
                                            exchange.request, exchange.response, stream=True,
                                            frames=parts)
                self.vendor.reset()
                with self.subTest(exchange.name, size=size):
                    answer = self.send(moved)
                    self.assertEqual(answer.body, meter.expected_client_bytes(exchange))

    def test_gemini_stream_with_keepalive_lines(self):
        event = {"candidates": [{"content": {"parts": [{"text": "a"}]}}], "modelVersion": "g-1"}
        end = {"candidates": [{"content": {"parts": [{"text": ""}]}, "finishReason": "STOP"}],
               "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 2,
                                 "totalTokenCount": 7}, "modelVersion": "g-1"}
        frames = sse_events([event, event, end], end="\r\n\r\n")
        body = b"\r\n".join([frames[0], b"", frames[1], frames[2]])
        self.vendor.reset()
        self.vendor.reply(Reply.sse([body]))
        path = "/v1beta/models/hand-gem:streamGenerateContent?alt=sse"
        answer = self.station.ask("POST", path, [self.buyer.auth, JSON],
                                  b'{"contents":[{"parts":[{"text":"x"}]}]}')
        self.assertEqual(answer.body, body)
        self.assertNotIn(b"\n:", answer.body)
        self.assertNotIn(b"[DONE]", answer.body)

    @classmethod
    def models(cls):
        return [*super().models(), station.model("hand-gem", "gemini")]


if __name__ == "__main__":
    unittest.main()
