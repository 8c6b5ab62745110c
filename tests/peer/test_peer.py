# SPDX-License-Identifier: Apache-2.0
"""The tools of the tests, tested: the vendor against the raw client and against urllib."""
import gzip
import json
import pathlib
import socket
import ssl
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request
from fractions import Fraction

from tests.peer import meter, price, recordings, splits, station, tls
from tests.peer.ports import free_port
from tests.peer.rawhttp import Ended, Malformed, Raw, ask, chunked
from tests.peer.reply import Reply, error, sse_events
from tests.peer.vendor import Vendor
from tests.peer.wait import PATIENCE_S, until, within_one

CHAT = "/v1/chat/completions"
BODY = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}


def post(vendor, path, value, **options):
    return ask(vendor.port, "POST", path, [("Content-Type", "application/json")],
               json.dumps(value).encode(), **options)


class VendorTest(unittest.TestCase):
    def setUp(self):
        self.vendor = Vendor()
        self.addCleanup(self.vendor.close)

    def test_records_what_it_receives(self):
        with Raw(self.vendor.port) as raw:
            for number in (1, 2):
                raw.send(b"POST /v1/x?a=b HTTP/1.1\r\nHost:  h \r\nX-Odd:1\r\nx-odd: 2\r\n"
                         b"Transfer-Encoding: chunked\r\n\r\n" + chunked(b"{\"a\"", b":1}"))
                self.assertEqual(raw.response().status, 404)
                got = self.vendor.received[number - 1]
                self.assertEqual(got.connection, 1)
                self.assertEqual(got.all("X-ODD"), ["1", "2"])
                self.assertEqual(got.json(), {"a": 1})
                self.assertEqual(got.raw_body, b"4\r\n{\"a\"\r\n3\r\n:1}\r\n0\r\n\r\n")
                self.assertIn(b"Host:  h \r\n", got.head)
        ask(self.vendor.port, "GET", "/v1/models")
        self.assertEqual(self.vendor.last.connection, 2)

    def test_urllib_agrees(self):
        self.vendor.reply(Reply(200, [b"ab", b"cd"], framing="chunked"), error(429, headers=[
            ("Retry-After", "7")]), Reply.json({"z": 1}, zipped=True))
        url = self.vendor.base + "/any"
        with urllib.request.urlopen(url) as got:
            self.assertEqual(got.read(), b"abcd")
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(url)
        self.assertEqual((caught.exception.code, caught.exception.headers["Retry-After"]),
                         (429, "7"))
        caught.exception.close()
        with urllib.request.urlopen(url) as got:
            self.assertEqual(gzip.decompress(got.read()), b'{"z":1}')

    def test_every_split_gives_the_same_bytes(self):
        frames = sse_events([{"t": "Grüße \u20ac", "usage": {"x_tokens": 123}}, {"a": "b\\n"}],
                            end="\r\n\r\n", done=True)
        for framing in ("chunked", "length", "close"):
            for kind in [*splits.KINDS, 7, [1, 5], None]:
                self.vendor.reply(Reply.sse(frames, framing=framing, split=kind, head_split=kind))
                got = ask(self.vendor.port, "GET", "/any")
                self.assertEqual(got.body, b"".join(frames), (framing, kind))
                self.assertEqual(got.ended, {"chunked": Ended.LAST_CHUNK, "length": Ended.LENGTH,
                                             "close": Ended.CLOSE}[framing])

    def test_cuts_are_seen_as_cuts(self):
        parts = [b"data: one\n\n", b"data: two\n\n"]
        cases = [(dict(cut=5), b"data:", Ended.CUT), (dict(cut=b"one"), b"data: one", Ended.CUT),
                 (dict(cut=11, framing="length"), parts[0], Ended.CUT),
                 (dict(wire_cut=1), b"", Ended.CUT),
                 (dict(wire_cut=len(chunked(*parts)) - 2), b"".join(parts), Ended.CUT)]
        for options, body, ended in cases:
            self.vendor.reply(Reply.sse(parts, **options))
            got = ask(self.vendor.port, "GET", "/any")
            self.assertEqual((got.body, got.ended), (body, ended), options)
            self.assertFalse(got.complete)

    def test_a_reset_and_a_silence_come_behind_what_was_sent(self):
        for ending, ended in (("rst", Ended.RESET), ("hang", Ended.TIMEOUT)):
            reply = Reply.sse([b"data: one\n\n"], cut=3, ending=ending)
            self.vendor.reply(reply)
            with Raw(self.vendor.port) as raw:
                raw.request("GET", "/any")
                got = raw.head()
                self.assertTrue(raw.until(got, b"dat"))
                reply.seen.set()
                while raw.step(got, 0.3 if ending == "hang" else None):
                    pass
                self.assertEqual((got.body, got.ended), (b"dat", ended))

    def test_pauses_events_and_a_client_that_leaves(self):
        go = threading.Event()
        self.vendor.reply(Reply.sse([b"data: 1\n\n", go, b"data: 2\n\n", 0.1, b"data: 3\n\n"]),
                          Reply.sse([b"data: 1\n\n", 30.0, b"data: 2\n\n"]))
        with Raw(self.vendor.port) as raw:
            raw.request("GET", "/any")
            head = raw.head()
            self.assertTrue(raw.until(head, b"1\n\n"))
            self.assertTrue(raw.silent(0.1))
            began = time.monotonic()
            go.set()
            self.assertTrue(raw.until(head, b"3\n\n"))
            self.assertGreater(time.monotonic() - began, 0.09)
        with Raw(self.vendor.port) as raw:
            raw.request("GET", "/any")
            raw.until(raw.head(), b"1\n\n")
        self.assertTrue(self.vendor.last.done.wait(PATIENCE_S))
        self.assertEqual(self.vendor.last.outcome, "client left")

    def test_tls(self):
        with tempfile.TemporaryDirectory() as folder:
            authority = tls.Authority(folder)
            with Vendor(certificate=authority.issue("vendor")) as vendor:
                context = tls.client_context(authority.ca, ssl.TLSVersion.TLSv1_3)
                with Raw(vendor.port, tls=context) as raw:
                    raw.request("POST", CHAT, (), json.dumps(BODY).encode())
                    self.assertEqual(raw.response().status, 200)


class WaitTest(unittest.TestCase):
    def test_until(self):
        values = iter([0, None, "", 7])
        self.assertEqual(until(lambda: next(values), "a value"), 7)
        with self.assertRaisesRegex(AssertionError, "the moon"):
            until(lambda: False, "the moon", 0.01)

    def test_within_one(self):
        times = iter([59, 60, 61, 62])      # the first attempt crosses a minute
        attempts = iter("ab")
        self.assertEqual(within_one(60, lambda: next(attempts), lambda: next(times)), "b")

    def test_a_port_is_given_once_and_may_be_listened_on(self):
        port = free_port()
        with self.assertRaises(OSError):
            with socket.socket() as other:
                other.bind(("127.0.0.1", port))
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
        with Vendor(port) as vendor:
            self.assertEqual(post(vendor, CHAT, BODY).status, 200)
        self.assertNotIn(port, [free_port() for _ in range(20)])


class DialectsTest(unittest.TestCase):
    def test_usage_is_computed_from_the_request(self):
        with Vendor() as vendor:
            text = "Hello [[tokens=7 cached=2 think=3]]"
            contents = {"contents": [{"parts": [{"text": text}]}]}
            for dialect, path, body in (
                    ("chat", CHAT, {"messages": [{"role": "user", "content": text}]}),
                    ("responses", "/v1/responses", {"input": text}),
                    ("messages", "/v1/messages", {"max_tokens": 9, "messages": [
                        {"role": "user", "content": [{"type": "text", "text": text}]}]})):
                for stream in (False, True):
                    got = post(vendor, path, {"model": "m", "stream": stream, **body,
                                              "stream_options": {"include_usage": True}})
                    self.check(dialect, got, stream, text)
            for method in ("generateContent", "streamGenerateContent",
                           "streamGenerateContent?alt=sse"):
                got = post(vendor, f"/v1beta/models/m:{method}", contents)
                self.check("gemini", got, "stream" in method, text)

    def check(self, dialect, got, stream, text):
        self.assertTrue(got.complete)
        usage = meter.read(dialect, got.body, stream)
        self.assertEqual(usage.state, meter.OK)
        self.assertEqual(usage.fresh + usage.read, len(text) // 4 + 1)
        self.assertEqual((usage.read, usage.out + usage.reasoning), (2, 7), dialect)
        self.assertEqual(meter.model_seen(dialect, got.body, stream), "m-2026-01-01")

    def test_steering(self):
        with Vendor() as vendor:
            said = [{"role": "user", "content": "x [[error=429]]"}]
            self.assertEqual(post(vendor, CHAT, {"messages": said}).status, 429)
            said = [{"role": "user", "content": "x [[tokens=50 cut=3]]"}]
            got = post(vendor, CHAT, {"messages": said, "stream": True})
            self.assertEqual((got.ended, got.body.count(b"data:")), (Ended.CUT, 3))


class RawTest(unittest.TestCase):
    def test_sloppy_answers_are_malformed(self):
        for raw in (b"HTTP/1.1 200 OK\nA: b\n\n", b"HTTP/1.0 200 OK\r\n\r\n",
                    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
                    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                    b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
                    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n",
                    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n"):
            with Vendor() as vendor:
                vendor.reply(Reply(raw=raw, close=True))
                with self.assertRaises(Malformed, msg=raw):
                    ask(vendor.port, "GET", "/")

    def test_interim_answers_and_silence(self):
        with Vendor() as vendor:
            vendor.reply(Reply(raw=b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"
                                   b"Content-Length: 0\r\n\r\n"))
            with Raw(vendor.port) as raw:
                self.assertTrue(raw.silent(0.05))
                raw.request("GET", "/")
                got = raw.response()
                self.assertEqual((got.interim, got.ended), ([100], Ended.EMPTY))
                self.assertFalse(raw.closed(0.05))
                vendor.drop_idle()
                self.assertTrue(raw.closed())


class PriceTest(unittest.TestCase):
    def test_a_leaf_costs_as_what_it_falls_back_to(self):
        terms = {"tiers": [{"min_input": 0, "in": 7, "cache_write_5m": 9, "out": 5}]}
        for leaf, rate in (("in_audio", 7), ("cache_read_video", 7), ("cache_write_1h", 9),
                           ("cache_write_other", 9), ("reasoning", 5), ("web_search", 0)):
            self.assertEqual(price.cost(terms, {leaf: 1000}), rate, leaf)

    def test_rounding(self):
        terms = {"tiers": [{"min_input": 0, "in": 1, "out": 0}]}
        self.assertEqual((price.cost(terms, {"in": 999}), price.cost_up(terms, {"in": 1})), (0, 1))
        self.assertEqual(price.cost(terms, {"in": 3000}, margin=(1, 3)), 1)
        self.assertEqual(price.cost(terms, {"in": 2999}, margin=(1, 3)), 0)

    def test_the_vectors_are_what_this_writes(self):
        path = pathlib.Path(station.ROOT) / "tests" / "fixtures" / "price_costs.txt"
        self.assertEqual(path.read_text(encoding="ascii").splitlines(), list(price.vectors()))

    def test_worked_examples(self):
        """Bills that vendors' consoles have shown."""
        path = pathlib.Path(station.ROOT).parent / "shared" / "data" / "prices-sample.json"
        if not path.exists():
            self.skipTest(f"{path} is not there")
        sample = json.loads(path.read_text(encoding="utf-8"))
        models = {model["id"]: model for model in sample["models"]}
        for example in sample["worked_examples"]:
            row = models[example["model"]]["rates"][example["rate_row"]]
            tier = {leaf: int(Fraction(rate) * 10**6) for leaf, rate in row.items()
                    if leaf in price.TOKENS}
            cost = price.cost({"tiers": [{"min_input": 0, **tier}]}, example["usage"])
            self.assertEqual(cost, int(example["nano_floor"]), example["name"])


class MeterTest(unittest.TestCase):
    def test_cost_rounds_down_once(self):
        price = {"input": "0.0001", "output": "0.3333", "cache_read": "1", "cache_write": "3.75"}
        usage = meter.read_chat({"prompt_tokens": 19, "completion_tokens": 1, "total_tokens": 20})
        self.assertEqual(usage.cost(price), 335)        # 1.9 + 333.3 nano
        usage = meter.read_messages({"input_tokens": 0, "output_tokens": 550,
                                     "cache_creation_input_tokens": 12304})
        self.assertEqual(usage.cost({"input": "3", "output": "15", "cache_write": "3.75"}),
                         54390000)

    @unittest.skipUnless(recordings.present(), recordings.ABSENT)
    def test_recordings_are_read(self):
        counts = {}
        for exchange in recordings.everything():
            self.assertTrue(json.loads(exchange.request), exchange)
            if exchange.stream:
                self.assertEqual(b"".join(exchange.frames), exchange.response, exchange)
            if exchange.status == 200 and exchange.metered:
                usage = meter.read(exchange.dialect, exchange.response, exchange.stream)
                counts[usage.state] = counts.get(usage.state, 0) + 1
        self.assertGreater(counts["ok"], 1000)
        self.assertLess(counts["missing"], 40)
        self.assertLess(counts["inconsistent"], 10)

    @unittest.skipUnless(recordings.present(), recordings.ABSENT)
    def test_a_recording_plays(self):
        path = recordings.FOLDER + "/http/openai.jsonl"
        first = next(x for x in recordings.http_file(path) if x.dialect == "chat" and x.stream)
        with Vendor() as vendor:
            vendor.script(recordings.player(path))
            got = ask(vendor.port, "POST", first.path, (), first.request)
            self.assertEqual(got.body, first.response)


if __name__ == "__main__":
    unittest.main()
