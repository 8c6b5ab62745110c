# SPDX-License-Identifier: Apache-2.0
"""Compressed requests: the vendor gets the text, the books count the text, damage is refused."""
import gzip
import json
import unittest

from tests.peer import meter
from tests.peer.case import CHAT, GENERATE, JSON, MESSAGES, STREAM, StationCase, body_for
from tests.peer.coding import CODERS, gzip_repeated, zstd, zstd_repeated
from tests.peer.rawhttp import chunked, request_bytes
from tests.wire.test_front import TINY

BODY = body_for("chat", "Gr\u00fc\u00dfe " * 40)


def coded(name):
    return [("Content-Encoding", name)]


class Decoded(StationCase):
    def test_the_vendor_gets_the_text(self):
        customer = self.customer()
        for name, code in CODERS.items():
            answer = customer.post(CHAT, code(BODY), coded(name))
            self.assertEqual(answer.status, 200, answer)
            self.assertEqual(self.vendor.last.body, BODY)
            self.assertEqual(self.vendor.last.get("content-length"), str(len(BODY)))
            self.assertIsNone(self.vendor.last.get("content-encoding"))
            self.assertIn("content-encoding", answer.get("relay-edits").split(", "))
            self.assert_paid(answer, meter.read("chat", answer.body, False))
            self.assertEqual(self.row(answer)["bytes_in"], len(BODY))
            self.assertIn("content-encoding", self.row(answer)["edits"])

    def test_every_dialect(self):
        customer = self.customer()
        for dialect, path in (("messages", MESSAGES), ("gemini", GENERATE), ("gemini", STREAM)):
            body = body_for(dialect, stream=True)
            answer = customer.post(path, zstd(body), coded("zstd"))
            self.assertEqual(answer.status, 200, answer)
            self.assertEqual(self.vendor.last.body, body)

    def test_names(self):
        customer = self.customer()
        for name in ("GZIP", "x-gzip", " gzip "):
            self.assertEqual(customer.post(CHAT, gzip.compress(BODY), coded(name)).status, 200)
        answer = customer.post(CHAT, BODY, coded("identity"))
        self.assertEqual((answer.status, self.vendor.last.body), (200, BODY))
        self.assertNotIn("content-encoding", answer.get("relay-edits"))

    def test_edits_are_made_in_the_text(self):
        body = body_for("chat", model="gpt-alias", stream=True)
        answer = self.customer().post(CHAT, gzip.compress(body), coded("gzip"))
        self.assertEqual(answer.status, 200)
        sent = self.vendor.last.json()
        self.assertEqual((sent["model"], sent["stream_options"]), ("gpt", {"include_usage": True}))
        self.assertEqual(set(answer.get("relay-edits").split(", ")), {
            "auth", "accept-encoding", "content-encoding", "stream_options.include_usage", "model"})

    def test_at_any_split(self):
        customer = self.customer()
        body = body_for("chat")
        for name, code in CODERS.items():
            data = code(body)
            head = request_bytes("POST", CHAT, [customer.auth, JSON, *coded(name),
                                                ("Transfer-Encoding", "chunked")])
            for cut in range(1, len(data)):
                with self.station.connect() as raw:
                    raw.send(head + chunked(data[:cut], data[cut:]))
                    self.assertEqual(raw.response().status, 200, (name, cut))
                self.assertEqual(self.vendor.last.body, body, (name, cut))

    def test_byte_by_byte_and_on_one_connection(self):
        customer = self.customer()
        with self.station.connect() as raw:
            for name, code in CODERS.items():
                data = customer.request(CHAT, code(body_for("chat")), coded(name))
                for at in range(len(data)):
                    raw.send(data[at:at + 1])
                self.assertEqual(raw.response().status, 200)
                self.assertEqual(self.vendor.last.body, body_for("chat"))
                raw.send(customer.request(CHAT, BODY) + customer.request(CHAT, BODY))
                self.assertEqual([raw.response().status for _ in range(2)], [200, 200])

    def test_several_members(self):
        customer = self.customer()
        for name in ("gzip", "zstd"):
            data = CODERS[name](BODY[:100]) + CODERS[name](BODY[100:])
            answer = customer.post(CHAT, data, coded(name))
            self.assertEqual((answer.status, self.vendor.last.body), (200, BODY), name)

    def test_six_megabytes(self):
        customer = self.customer("100.00")
        body = body_for("chat", "x" * (6 << 20))
        self.vendor.script(TINY)
        for name, code in CODERS.items():
            answer = customer.post(CHAT, code(body), coded(name))
            self.assertEqual((answer.status, self.vendor.last.body == body), (200, True), name)

    def test_the_text_is_held_for(self):
        """A kilobyte of gzip that is megabytes of text costs what the text costs."""
        body = gzip.compress(body_for("chat", "x" * (6 << 20)))
        answer = self.customer("0.10").post(CHAT, body, coded("gzip"))
        self.assert_error(answer, 402)
        self.assertEqual(self.vendor.received, [])


class Refused(StationCase):
    def tearDown(self):
        self.assertEqual(self.vendor.received, [])
        answer = self.station.ask("GET", "/healthz")
        self.assertEqual(answer.status, 200)

    def test_damage(self):
        customer = self.customer()
        for name, code in CODERS.items():
            good = code(BODY)
            for body in (good[:-1], good[:len(good) // 2], good[:2], b"", good + b"x", BODY):
                answer = customer.post(CHAT, body, coded(name))
                error = self.assert_error(answer, 400)
                self.assertEqual(error["param"], "content-encoding")
                self.assertIn("content-encoding", error["message"])

    def test_the_same_in_the_other_dialects(self):
        customer = self.customer()
        for dialect, path in (("messages", MESSAGES), ("gemini", GENERATE)):
            body = gzip.compress(body_for(dialect))[:-3]
            error = self.assert_error(customer.post(path, body, coded("gzip")), 400, dialect)
            self.assertIn("content-encoding", error["message"])

    def test_bombs(self):
        customer = self.customer()
        for name, bomb in (("gzip", gzip_repeated(b" ", 200)),
                           ("zstd", zstd_repeated(b" ", 100000))):
            for _ in range(3):
                answer = customer.post(CHAT, bomb, coded(name))
                self.assert_error(answer, 413)

    def test_no_bytes_from_many(self):
        """Members that hold nothing: the limit counts what comes, too."""
        customer = self.customer()
        empty = zstd(b"") * 100000
        with self.station.connect() as raw:
            try:
                raw.send(request_bytes("POST", CHAT, [customer.auth, JSON, *coded("zstd"), (
                    "Transfer-Encoding", "chunked")]))
                for _ in range(40):
                    raw.send(chunked(empty)[:-5])
            except OSError:
                pass                    # the station may close first
            answer = raw.response()
            if answer is not None:
                self.assert_error(answer, 413)

    def test_other_codings(self):
        customer = self.customer()
        for headers in (coded("br"), coded("gzip, gzip"), coded("identity, gzip"),
                        coded("gzip") + coded("gzip"), coded("identity") + coded("gzip")):
            answer = customer.post(CHAT, gzip.compress(BODY), headers)
            self.assert_error(answer, 415)
            self.assertEqual(answer.get("accept-encoding"), "gzip, deflate, zstd")

    def test_what_is_inside_is_checked(self):
        answer = self.customer().post(CHAT, gzip.compress(json.dumps([BODY.decode()]).encode()),
                                      coded("gzip"))
        self.assert_error(answer, 400)
        answer = self.customer().post(CHAT, gzip.compress(b"{"), coded("gzip"))
        self.assertNotEqual(self.assert_error(answer, 400)["param"], "content-encoding")

    def test_nobody_without_a_key_has_it_decoded(self):
        answer = self.station.ask("POST", CHAT, [JSON, *coded("gzip")], b"not gzip")
        self.assert_error(answer, 401)


if __name__ == "__main__":
    unittest.main()
