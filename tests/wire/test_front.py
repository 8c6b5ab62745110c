# SPDX-License-Identifier: Apache-2.0
"""The front: strict HTTP/1.1, one request after the other, deadlines, drain, reload."""
import signal
import time
import unittest

from tests.peer import station
from tests.peer.case import CHAT, JSON, StationCase, body_for
from tests.peer.rawhttp import Malformed, chunked, request_bytes
from tests.peer.reply import Reply
from tests.peer.wait import PATIENCE_S, until

BODY = body_for("chat")
TINY = Reply.json({"model": "gpt", "choices": [{"index": 0, "finish_reason": "stop", "message": {
    "role": "assistant", "content": "ok"}}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6}})


class Strict(StationCase):
    """Whatever two HTTP parsers could read differently is refused before anything happens."""

    def refused(self, data, statuses=(400,)):
        with self.station.connect() as raw:
            try:
                raw.send(data)
            except ConnectionError:
                pass                    # refused before all of it was sent
            try:
                answer = raw.response()
            except Malformed as broken:
                self.fail(f"not an answer: {broken}")
            if answer is not None:      # closing without a word is a refusal, too
                self.assertIn(answer.status, statuses, answer)
                self.assertTrue(answer.complete)
            self.assertTrue(raw.closed(), "the connection must not be used again")
        self.assertEqual(self.vendor.received, [], "it must not reach the vendor")

    def head(self, *lines, body=b""):
        auth = f"Authorization: Bearer {self.customer('1.00').key}"
        lines = [f"POST {CHAT} HTTP/1.1", "Host: x", auth, "Content-Type: application/json", *lines]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def test_two_framings(self):
        self.refused(self.head(f"Content-Length: {len(BODY)}", "Transfer-Encoding: chunked",
                               body=chunked(BODY)))
        self.refused(self.head("Transfer-Encoding: chunked", "Content-Length: 5",
                               body=chunked(BODY)))

    def test_two_lengths(self):
        size = f"Content-Length: {len(BODY)}"
        self.refused(self.head(size, size, body=BODY))
        self.refused(self.head(size, "Content-Length: 3", body=BODY))
        self.refused(self.head(f"{size}, {len(BODY)}", body=BODY))

    def test_odd_lengths(self):
        for length in ("-1", "+5", "0x10", "5 5", "", "99999999999999999999"):
            self.refused(self.head(f"Content-Length: {length}", body=BODY), (400, 413))

    def test_odd_transfer_codings(self):
        for coding in ("gzip, chunked", "chunked, identity", "xchunked", "identity", "chunked\x0b"):
            self.refused(self.head(f"Transfer-Encoding: {coding}", body=chunked(BODY)), (400, 501))

    def test_bare_line_feeds(self):
        good = self.head(f"Content-Length: {len(BODY)}", body=BODY)
        self.refused(good.replace(b"\r\n", b"\n"))
        self.refused(good.replace(b"Host: x\r\n", b"Host: x\n"))
        self.refused(self.head("Transfer-Encoding: chunked",
                               body=chunked(BODY).replace(b"\r\n", b"\n")))

    def test_folded_and_spaced_headers(self):
        for line in ("X-Odd: a\r\n b", "X-Odd : a", " X-Odd: a", "X-Odd", "X\0Odd: a", ": a",
                     "X-Odd: a\0b", "X-Odd: a\rb"):
            self.refused(self.head(line, f"Content-Length: {len(BODY)}", body=BODY))

    def test_bad_chunks(self):
        for body in (b"zz\r\n", b"-1\r\n", b"0x5\r\nhello\r\n0\r\n\r\n",
                     b"5\r\nhelloX\r\n0\r\n\r\n", b"fffffffffffffffff\r\n"):
            self.refused(self.head("Transfer-Encoding: chunked", body=body), (400, 413))

    def test_request_lines(self):
        rest = b" HTTP/1.1\r\nHost: x\r\n\r\n"
        for line in (b"GET /\x00" + rest, b"G\xc3\xa9T /" + rest,
                     b"GET /healthz HTTP/2.0\r\nHost: x\r\n\r\n",
                     b"GET /healthz\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"):
            self.refused(line, (400, 505))

    def test_no_host_or_two(self):
        self.refused(b"GET /healthz HTTP/1.1\r\n\r\n")
        self.refused(b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")

    def test_head_too_large(self):
        self.refused(self.head("X-Long: " + "a" * 40000), (431, 413, 400))
        self.refused(self.head(*[f"X-{i}: a" for i in range(200)]), (431, 400))
        self.refused(b"GET /" + b"a" * 40000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", (414, 431, 400))


class KeepAlive(StationCase):
    def test_many_requests_on_one_connection(self):
        customer = self.customer()
        with self.station.connect() as raw:
            for number in range(20):
                raw.send(customer.request(CHAT, BODY))
                self.assertEqual(raw.response().status, 200, number)
        self.assertEqual(len(self.vendor.received), 20)
        self.assertLessEqual(self.vendor.connections, 4, "the station pools its connections")

    def test_errors_keep_the_connection(self):
        customer = self.customer()
        with self.station.connect() as raw:
            raw.send(customer.request(CHAT, b"{"))
            self.assertEqual(raw.response().status, 400)
            raw.send(customer.request(CHAT, BODY))
            self.assertEqual(raw.response().status, 200)

    def test_connection_close(self):
        with self.station.connect() as raw:
            raw.send(self.customer().request(CHAT, BODY, [("Connection", "close")]))
            self.assertEqual(raw.response().status, 200)
            self.assertTrue(raw.closed())

    def test_a_second_request_waits_unread(self):
        customer = self.customer()
        gate = self.hold_streams()
        both = customer.request(CHAT, body_for("chat", "first", stream=True))
        both += customer.request(CHAT, body_for("chat", "second"))
        with self.station.connect() as raw:
            raw.send(both)
            first = raw.head()
            self.assertTrue(raw.until(first, b"w1 "))
            self.assertTrue(raw.silent())
            self.assertEqual(len(self.vendor.received), 1, "the second was read too early")
            gate.set()
            while raw.step(first):
                pass
            self.assertTrue(first.complete)
            self.assertEqual(raw.response().status, 200)
        self.assertEqual(len(self.vendor.received), 2)
        self.assertNotEqual(first.request_id, None)

    def test_bytes_one_by_one(self):
        data = self.customer().request(CHAT, BODY)
        with self.station.connect() as raw:
            for at in range(len(data)):
                raw.send(data[at:at + 1])
            self.assertEqual(raw.response().status, 200)
        self.assertEqual(self.vendor.last.body, BODY)

    def test_http_1_0_gets_no_chunks(self):
        data = self.customer().request(CHAT, body_for("chat", stream=True))
        with self.station.connect() as raw:
            raw.send(data.replace(b"HTTP/1.1", b"HTTP/1.0"))
            answer = raw.response()
            if answer.status == 200:
                self.assertEqual(answer.framing, "close")
                self.assertTrue(answer.body.endswith(b"[DONE]\n\n"))
            else:
                self.assertIn(answer.status, (400, 426, 505))


class Bodies(StationCase):
    def test_chunked_request(self):
        customer = self.customer()
        for pieces in ([BODY], [BODY[i:i + 1] for i in range(len(BODY))]):
            with self.station.connect() as raw:
                raw.send(request_bytes("POST", CHAT, [customer.auth, JSON, (
                    "Transfer-Encoding", "chunked")]) + chunked(*pieces))
                self.assertEqual(raw.response().status, 200)
            self.assertEqual(self.vendor.last.body, BODY)

    def test_expect_100_continue(self):
        customer = self.customer()
        head = [customer.auth, JSON, ("Content-Length", str(len(BODY))),
                ("Expect", "100-continue")]
        with self.station.connect() as raw:
            raw.send(request_bytes("POST", CHAT, head))
            self.assertEqual(raw.interim(), 100)
            raw.send(BODY)
            answer = raw.response()
            self.assertEqual((answer.interim, answer.status), ([], 200))

    def test_expect_is_not_answered_when_refused(self):
        with self.station.connect() as raw:
            raw.send(request_bytes("POST", CHAT, [self.customer().auth, JSON, (
                "Content-Length", str(50 << 20)), ("Expect", "100-continue")]))
            answer = raw.response()
            self.assertEqual((answer.interim, answer.status), ([], 413))

    def test_too_large(self):
        customer = self.customer()
        with self.station.connect() as raw:
            raw.send(request_bytes("POST", CHAT, [customer.auth, JSON, (
                "Content-Length", str(33 << 20))]) + b"{")
            self.assert_error(raw.response(), 413)
        with self.station.connect() as raw:
            try:
                raw.send(request_bytes("POST", CHAT, [customer.auth, JSON, (
                    "Transfer-Encoding", "chunked")]))
                for _ in range(34):
                    raw.send(b"100000\r\n" + b" " * (1 << 20) + b"\r\n")
            except OSError:
                pass                    # the station may close first
            answer = raw.response()
            if answer is not None:
                self.assert_error(answer, 413)
        self.assertEqual(self.vendor.received, [])

    def test_six_megabytes_pass(self):
        body = body_for("chat", "x" * (6 << 20))
        self.vendor.script(TINY)
        answer = self.customer("100.00").post(CHAT, body)
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(self.vendor.last.body, body)


class Deadlines(StationCase):
    """Without these settings the deadlines are 15 s at least: what ends before, ends by them."""
    settings = {"timeouts": station.timeouts(head=1.5, body=1.5, idle=1.5)}
    DEFAULT_S = 14

    def gone(self, raw):
        """The status of an answer (or None), once the connection is closed in time."""
        answer = raw.response(timeout=self.DEFAULT_S)
        self.assertTrue(raw.closed(self.DEFAULT_S))
        return answer and answer.status

    def test_slow_head(self):
        with self.station.connect() as raw:
            raw.send(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n")
            self.assertIn(self.gone(raw), (408, None))

    def test_a_drip_does_not_extend_the_head(self):
        with self.station.connect() as raw:
            start = time.monotonic()
            raw.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: ")
            try:
                while raw.silent(0.03):
                    self.assertLess(time.monotonic() - start, self.DEFAULT_S)
                    raw.send(b"a")
            except OSError:
                pass
            self.assertGreater(time.monotonic() - start, 1.4)

    def test_slow_body(self):
        with self.station.connect() as raw:
            raw.send(request_bytes("POST", CHAT, [self.customer().auth, JSON, (
                "Content-Length", "100")]) + b"{")
            self.assertEqual(self.gone(raw), 408)

    def test_idle_connection(self):
        with self.station.connect() as raw:
            raw.request("GET", "/healthz")
            self.assertEqual(raw.response().status, 200)
            self.assertIsNone(self.gone(raw))

    def test_a_silent_connection(self):
        with self.station.connect() as raw:
            self.assertIn(self.gone(raw), (408, None))


class Signals(StationCase):
    def test_a_bad_file_keeps_the_old_one(self):
        customer = self.customer()
        self.station.configure("listen: 127.0.0.1:1\nupstraems: []\n")
        self.assertIn("upstraems", self.station.reload("reload_refused"), "the log says why")
        self.assertEqual(customer.post(CHAT, BODY).status, 200)
        self.station.configure()

    def test_a_good_file_is_taken(self):
        customer = self.customer()
        body = body_for("chat", model="brand-new")
        self.assertEqual(customer.post(CHAT, body).status, 404)
        self.station.configure(models=[*self.models(), station.model("brand-new", "openai")])
        self.station.reload()
        self.assertEqual(customer.post(CHAT, body).status, 200)
        self.station.configure(models=self.models())

    def is_shut(self):
        try:
            return self.station.ask("GET", "/healthz", timeout=5) is None
        except OSError:
            return True

    def test_sigterm_drains(self):
        customer = self.customer()
        gate = self.hold_streams()
        with customer.open(CHAT, body_for("chat", stream=True)) as raw:
            answer = raw.head()
            self.assertTrue(raw.until(answer, b"w1 "))
            self.station.signal(signal.SIGTERM)
            until(self.is_shut, "a station that drains takes no new connection")
            self.assertIsNone(self.station.process.poll())
            gate.set()
            while raw.step(answer):
                pass
        self.assertTrue(answer.complete, "a stream under way is finished")
        self.assertTrue(answer.body.endswith(b"[DONE]\n\n"))
        self.assertEqual(self.station.process.wait(PATIENCE_S), 0)
        self.assertGreater(self.station.store.net(answer.request_id), 0)
        self.station.start()

    def test_the_log_holds_lines_and_no_content(self):
        secret = "canary-5f1e0c"
        customer = self.customer()
        answer = customer.post(CHAT, body_for("chat", secret))
        self.row(answer)
        self.assertEqual(len(self.station.wait_log(answer.request_id)), 1, "one line a request")
        for path in (self.station.log_path, self.station.store.path,
                     self.station.store.path + "-wal"):
            with open(path, "rb") as file:
                data = file.read()
            self.assertNotIn(secret.encode(), data, path)
            self.assertNotIn(customer.key.encode(), data, path)
            self.assertNotIn(station.VENDOR_KEY["openai"].encode(), data, path)


if __name__ == "__main__":
    unittest.main()
