# SPDX-License-Identifier: Apache-2.0
"""A Gemini stream as one JSON array: element by element, and valid JSON however it ends."""
import json
import threading
import time
import unittest

from tests.peer import meter, splits
from tests.peer.case import LEAST_BYTES_PER_TOKEN, NANO, STREAM_ARRAY, StationCase, body_for
from tests.peer.reply import Reply
from tests.peer.wait import PATIENCE_S

BODY = body_for("gemini", maximum=100000)


def element(text, finish=None, output=1, **more):
    candidate = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "modelVersion": "gem-seen", "usageMetadata": {
        "promptTokenCount": 7, "candidatesTokenCount": output, "totalTokenCount": 7 + output},
        **more}


def written(elements, close=b"\n]\n"):
    """The parts of the array, spaced as Google does."""
    parts = [(b"[" if i == 0 else b",\r\n") + json.dumps(e, indent=2, ensure_ascii=False).encode()
             for i, e in enumerate(elements)]
    return [*parts, close]


def array(parts, **options):
    options.setdefault("framing", "chunked")
    return Reply(200, parts, content_type="application/json; charset=UTF-8", **options)


WORDS = ["seen \"]}\\", " and \u4e16\u754c [{", " weighed"]
GOOD = [*[element(w, output=i + 1) for i, w in enumerate(WORDS)], element("", "STOP", 4)]


class ArrayCase(StationCase):
    @classmethod
    def upstreams(cls):
        return [{**row, "cooldown": "0s"} for row in super().upstreams()]

    def ask(self, reply, customer=None):
        self.vendor.reply(reply)
        return (customer or self.customer()).post(STREAM_ARRAY, BODY)

    def assert_failed(self, answer, texts, status=502):
        """Valid JSON whose last element is our error, on a connection that was cut."""
        self.assertEqual(answer.status, 200)
        self.assertFalse(answer.complete, "a cut stream must not end as a success")
        *before, last = json.loads(answer.body)
        self.assertEqual([e["candidates"][0]["content"]["parts"][0]["text"] for e in before],
                         texts)
        self.assertEqual(last["error"]["code"], status)
        self.assertEqual(set(last["error"]), {"code", "message", "status"})


class Passing(ArrayCase):
    def test_bytes_are_the_vendors(self):
        parts = written(GOOD)
        whole = b"".join(parts)
        for framing in ("chunked", "length", "close"):
            for split in splits.KINDS:
                answer = self.ask(array(parts, framing=framing, split=split))
                self.assertEqual((answer.status, answer.body), (200, whole), (framing, split))
                self.assertTrue(answer.complete)
                usage = meter.read("gemini", answer.body, True)
                self.assertEqual((usage.state, usage.out), (meter.OK, 4))
                self.assert_paid(answer, usage)
                self.assertEqual(self.row(answer)["end"], "complete")

    def test_cut_in_two_at_every_byte(self):
        whole = b"".join(written(GOOD[1:]))
        customer = self.customer()
        for at in range(1, len(whole)):
            answer = self.ask(array([whole[:at], whole[at:]]), customer)
            self.assertEqual(answer.body, whole, at)
            self.assertTrue(answer.complete, at)

    def test_other_spacings(self):
        for parts in ([b" \r\n[", json.dumps(GOOD[0]).encode(), b",", json.dumps(GOOD[3]).encode(),
                       b"]"],
                      [b"[\n\n", json.dumps(GOOD[0]).encode(), b"\n", b"\n,\n",
                       json.dumps(GOOD[3]).encode(), b"\n", b"]", b"\n\n"]):
            answer = self.ask(array(parts))
            self.assertEqual((answer.body, answer.complete), (b"".join(parts), True))
            self.assertEqual(self.row(answer)["end"], "complete")

    def test_a_whole_reply_of_very_many_elements(self):
        """Each is met once: half a million steps, not ten billion."""
        whole = json.dumps([element("x", output=3)] + [{"a": {"b": 1}}] * 150000).encode()
        self.vendor.reply(Reply(200, whole))
        before = time.monotonic()
        answer = self.customer().post(STREAM_ARRAY.replace("streamG", "g"), BODY)
        self.assertEqual((answer.status, answer.body), (200, whole))
        self.assert_paid(answer, meter.Usage(meter.OK, 7, out=3))
        self.assertLess(time.monotonic() - before, 10)

    def test_elements_pass_as_they_come_and_the_last_waits_for_its_charge(self):
        gates = [threading.Event() for _ in range(3)]
        parts = written(GOOD)
        body = [parts[0], gates[0], parts[1], gates[1], parts[2], parts[3], gates[2], parts[4]]
        self.vendor.reply(array(body))
        with self.customer().open(STREAM_ARRAY, BODY) as raw:
            answer = raw.head()
            self.assertTrue(raw.until(answer, parts[0]))
            gates[0].set()
            self.assertTrue(raw.until(answer, parts[1]))
            gates[1].set()
            self.assertTrue(raw.until(answer, parts[2]))
            self.assertTrue(raw.silent(), "the last element must wait")
            self.assertEqual(self.station.store.charges(answer.request_id), [])
            gates[2].set()
            while raw.step(answer):
                pass
        self.assertEqual((answer.body, answer.complete), (b"".join(parts), True))
        self.assertIsNotNone(self.charge(answer))

    def test_what_counts_after_the_end(self):
        """Usage may come behind the finishReason."""
        late = {"usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 9,
                                  "totalTokenCount": 16}, "modelVersion": "gem-seen"}
        answer = self.ask(array(written([*GOOD, late])))
        self.assertTrue(answer.complete)
        self.assertEqual(len(json.loads(answer.body)), 5)
        self.assertEqual(self.charge(answer)["nano"], 7 * 2500 + 9 * 10000)

    def test_the_connection_goes_on(self):
        customer = self.customer()
        with self.station.connect() as raw:
            for _ in range(3):
                self.vendor.reply(array(written(GOOD)))
                raw.send(customer.request(STREAM_ARRAY, BODY))
                self.assertTrue(raw.response().complete)

    def test_a_long_stream_is_extended(self):
        answer = self.customer("1.00").post(STREAM_ARRAY, body_for(
            "gemini", "x [[tokens=6000]]", maximum=100000))
        self.assertTrue(answer.complete)
        self.assert_paid(answer, meter.read("gemini", answer.body, True))

    def test_a_large_element(self):
        parts = written([element("x" * (3 << 20)), element("", "STOP", 4)])
        answer = self.ask(array(parts), self.customer("50.00"))
        self.assertEqual((answer.body == b"".join(parts), answer.complete), (True, True))

    def test_one_object_is_a_whole_answer(self):
        value = element("all of it", "STOP", 3)
        answer = self.ask(Reply.json(value))
        self.assertEqual((answer.json(), answer.framing), (value, "length"))
        self.assertEqual(self.charge(answer)["nano"], 7 * 2500 + 3 * 10000)


class Failing(ArrayCase):
    def test_cut_anywhere(self):
        """At every byte: what was whole passes, then the failure; never half an element."""
        parts = written(GOOD[1:])
        whole = b"".join(parts)
        ends = [sum(map(len, parts[:i + 1])) for i in range(2)]
        closing = whole.rindex(b"]")
        customer = self.customer()
        for at in range(1, closing + 1, 3):
            answer = self.ask(array(whole, framing="chunked", cut=at), customer)
            if answer.status != 200:
                self.assert_error(answer, 502, "gemini")
                continue
            self.assert_failed(answer, [w for w, end in zip(WORDS[1:], ends) if at >= end])
        self.assertEqual(customer.balance, 5 * NANO)

    def test_cut_behind_the_bracket(self):
        """All of the answer is there; only the framing around it broke off."""
        whole = b"".join(written(GOOD, close=b"\n]"))
        answer = self.ask(array(whole + b"\n\n", cut=len(whole)))
        self.assertEqual((json.loads(answer.body), answer.complete), (GOOD, True))
        self.assertIsNotNone(self.charge(answer))

    def test_cut_before_the_first_element(self):
        answer = self.ask(array(b"[\n{\"candidates\"", framing="length", cut=5))
        self.assert_error(answer, 502, "gemini")
        self.assert_free(answer)

    def test_an_end_without_a_last_word(self):
        answer = self.ask(array(written(GOOD[:2])))
        self.assert_failed(answer, WORDS[:2])
        self.assert_free(answer)
        answer = self.ask(array(b"[]"))
        self.assert_error(answer, 502, "gemini")
        self.assert_free(answer)

    def test_an_error_in_the_stream(self):
        broken = {"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}
        answer = self.ask(array(written([GOOD[0], broken])))
        self.assertFalse(answer.complete)
        self.assertEqual(json.loads(answer.body)[:2], [GOOD[0], broken])
        self.assert_free(answer)

    def test_what_is_no_array_of_objects(self):
        first = json.dumps(GOOD[0]).encode()
        for rest in (b"{}]", b",1]", b"]]", b",]", b"] null"):
            answer = self.ask(array([b"[" + first, rest]))
            self.assert_failed(answer, WORDS[:1])
            self.assert_free(answer)

    def test_errors_before_the_array_are_retried_or_passed_on(self):
        body = b'[{"error":{"code":400,"message":"no","status":"INVALID_ARGUMENT"}}]'
        self.vendor.reply(Reply(400, body))
        answer = self.customer().post(STREAM_ARRAY, BODY)
        self.assertEqual((answer.status, answer.body), (400, body))

    def test_a_vendor_that_resets(self):
        reply = array(written(GOOD[:1], b""), cut=10**6, ending="rst")
        self.vendor.reply(reply)
        with self.customer().open(STREAM_ARRAY, BODY) as raw:
            answer = raw.head()
            self.assertTrue(raw.until(answer, b"}"))
            reply.seen.set()
            while raw.step(answer):
                pass
        self.assert_failed(answer, WORDS[:1])


class Leaving(ArrayCase):
    def test_a_client_that_leaves_pays_for_what_it_got(self):
        for reset in (False, True):
            customer = self.customer()
            body = body_for("gemini", "x [[tokens=60 pause=0.02]]")
            raw = customer.open(STREAM_ARRAY, body)
            answer = raw.head()
            self.assertTrue(raw.until(answer, b"w20 "))
            raw.abort() if reset else raw.close()
            self.assertIn(self.row(answer)["end"], ("client_left", "complete"))
            least = sum(len(f"w{i} ") for i in range(20)) // LEAST_BYTES_PER_TOKEN
            self.assertGreaterEqual(self.station.store.net(answer.request_id), least * 10000)
            self.vendor.reset()

    def test_a_purse_that_runs_dry(self):
        for amount, least in (("0.03", 100), ("0.021", 1)):
            customer = self.customer(amount)
            body = body_for("gemini", "x [[tokens=30000 pause=0.0001]]", maximum=100000)
            answer = customer.post(STREAM_ARRAY, body)
            self.assertEqual(answer.status, 200, answer)
            self.assertTrue(answer.complete, "this is the dialect's own ending")
            elements = json.loads(answer.body)
            self.assertGreater(len(elements), least)
            self.assertEqual(elements[-1]["candidates"][0]["finishReason"], "MAX_TOKENS")
            self.assertEqual(self.row(answer)["end"], "limit")
            self.assertGreaterEqual(customer.balance, 0)
            self.assertTrue(self.vendor.last.done.wait(PATIENCE_S), "the vendor goes on")
            self.vendor.reset()


if __name__ == "__main__":
    unittest.main()
