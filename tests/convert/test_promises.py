# SPDX-License-Identifier: Apache-2.0
"""The station's promises where an answer is converted: money, failover, losses allowed by a route,
no content left behind, the end of a balance."""
import base64
import json
import os
import unittest

from tests.convert import answers, judge
from tests.convert.answers import Answer
from tests.convert.harness import PATHS, PLAIN, SPOKEN, VENDOR_OF, Bench, wire
from tests.peer import grammar, meaning, meter, station
from tests.peer.case import StationCase
from tests.peer.fold import fold
from tests.peer.recordings import CHAT, GEMINI, MESSAGES, RESPONSES
from tests.peer.reply import Reply

CANARY = "Canary-5b1f0c7e-in-the-mine"
PAIRS = [(a, b) for a in SPOKEN for b in SPOKEN if a != b]


class Promises(StationCase):

    @classmethod
    def upstreams(cls):
        rows = [station.upstream(cls.vendor, VENDOR_OF[d], "up-" + d, dialects=[d], cooldown="0s")
                for d in SPOKEN]
        return rows + [station.upstream(cls.vendor, "openai", "spare", dialects=[CHAT],
                                        cooldown="0s")]

    @classmethod
    def models(cls):
        plain = [station.model(d, ("up-" + d, PLAIN[d])) for d in SPOKEN]
        both = station.model("both", {"upstream": "up-messages", "model": "first", "priority": 0},
                             {"upstream": "spare", "model": "second", "priority": 1})
        lossy = [station.model("lossy-" + d, {
            "upstream": "up-" + d, "model": PLAIN[d],
            "lossy": ["stop", "top_k", "logit_bias", "hosted tools"]}) for d in SPOKEN]
        return plain + [both] + lossy

    def post(self, buyer, client, model, request, stream=False):
        target, body = Bench.place(client, model, request, stream)
        return buyer.post(target, body)

    def test_each_answer_is_paid_once_and_exactly(self):
        buyer = self.customer("50.00")
        for client, upstream in PAIRS:
            for stream in (False, True):
                with self.subTest(client=client, upstream=upstream, stream=stream):
                    counts = {"total_in": 1000, "read": 400, "out": 70, "reasoning": 30,
                              "write": 0 if upstream == GEMINI else 100}
                    answer = Answer([("reasoning", "So"), ("text", "Hello")], **counts)
                    self.vendor.reset()
                    self.vendor.script(lambda _, w=wire(upstream, answer.either(
                        upstream, stream)): w)
                    response = self.post(buyer, client, upstream, answers.request(client, "Hi"),
                                         stream)
                    self.assertEqual(response.status, 200, response)
                    self.assertTrue(response.complete)
                    usage = meter.READERS[upstream](answers.usage(upstream, **counts))
                    charge = self.assert_paid(response, usage)
                    self.assertEqual(charge["seen"], answers.MODEL)

    def test_what_breaks_off_costs_nothing(self):
        buyer = self.customer()
        for client, upstream in PAIRS:
            with self.subTest(client=client, upstream=upstream):
                reply = wire(upstream, Answer([("text", "Hello you")]).stream(upstream))
                reply.cut = len(reply.content()) // 2
                self.vendor.reset()
                self.vendor.script(lambda _, r=reply: r)
                response = self.post(buyer, client, upstream, answers.request(client, "Hi"), True)
                self.assertFalse(response.complete)
                self.assert_free(response)

    def test_a_refusal_costs_nothing_and_asks_nobody(self):
        buyer = self.customer()
        for client, upstream in PAIRS:
            with self.subTest(client=client, upstream=upstream):
                self.vendor.reset()
                response = self.post(buyer, client, upstream,
                                     answers.request(client, "Hi", something_new=1))
                self.assertEqual(response.status, 400)
                self.assertEqual(self.vendor.received, [])
                row = self.assert_free(response)
                self.assertEqual(row["status"], 400)
                self.assertEqual(self.station.store.attempts(response.request_id), [])

    def test_failover_to_an_upstream_of_another_dialect(self):
        buyer = self.customer()
        answer = Answer([("text", "Hello")])

        def script(received):
            if received.path.endswith("/messages"):
                return Reply.json({"type": "error", "error": {
                    "type": "overloaded_error", "message": "Overloaded"}}, 529)
            return wire(CHAT, answer.either(CHAT, bool(received.json().get("stream"))))

        for client in SPOKEN:
            for stream in (False, True):
                with self.subTest(client=client, stream=stream):
                    self.vendor.reset()
                    self.vendor.script(script)
                    response = self.post(buyer, client, "both",
                                         answers.request(client, "Hi", system="Be brief."), stream)
                    self.assertEqual(response.status, 200, response)
                    whole = fold(client, grammar.events(response.body)) if stream \
                        else response.json()
                    self.assertEqual(meaning.reply(client, whole).text, "Hello")
                    self.assertEqual([r.path.rpartition("/")[2] for r in self.vendor.received],
                                     ["messages", "completions"])
                    second = meaning.request(CHAT, self.vendor.received[1].json())
                    self.assertEqual([i.value for i in second.items], ["Be brief.", "Hi"])
                    self.assertEqual(self.vendor.received[1].json()["model"], "second")

    def test_a_route_may_allow_a_loss_and_it_is_named(self):
        buyer = self.customer()
        for client, upstream, more, path in (
                (CHAT, RESPONSES, {"stop": ["x"]}, "stop"),
                (MESSAGES, RESPONSES, {"stop_sequences": ["x"]}, "stop_sequences"),
                (MESSAGES, CHAT, {"top_k": 5}, "top_k"),
                (CHAT, MESSAGES, {"logit_bias": {"5": 1}}, "logit_bias"),
                (CHAT, GEMINI, {"logit_bias": {"5": 1}}, "logit_bias"),
                (RESPONSES, GEMINI, {"hosted": {"type": "code_interpreter", "container": {
                    "type": "auto"}}}, "tools[0]")):
            with self.subTest(client=client, upstream=upstream, path=path):
                request = answers.request(client, "Hi", **more)
                if "hosted" in more:
                    request["tools"] = [request.pop("hosted")]
                response = self.post(buyer, client, upstream, request)
                self.assertEqual(response.status, 400, response)
                self.vendor.reset()
                response = self.post(buyer, client, "lossy-" + upstream, request)
                self.assertEqual(response.status, 200, response)
                lossy = [p.strip() for p in response.get("relay-lossy", "").split(",")]
                self.assertTrue(judge.is_declared(path, lossy), lossy)
                sent = self.vendor.last.json()
                self.assertFalse({"stop", "top_k", "logit_bias", "tools"} & set(sent), sent)

    def test_nothing_of_it_is_left_behind(self):
        buyer = self.customer()
        answer = Answer([("reasoning", CANARY), ("text", CANARY),
                         ("call", "call_1", "f", json.dumps({"x": CANARY}))])
        for client, upstream in PAIRS:
            for stream in (False, True):
                self.vendor.reset()
                self.vendor.script(lambda _, w=wire(upstream, answer.either(upstream, stream)): w)
                request = answers.request(client, CANARY, system=CANARY)
                response = self.post(buyer, client, upstream, request, stream)
                whole = fold(client, grammar.events(response.body)) if stream \
                    else response.json()
                self.assertEqual(meaning.reply(client, whole).text, CANARY)
                self.row(response)
        self.post(buyer, MESSAGES, CHAT, answers.request(MESSAGES, CANARY, some_key=CANARY))
        for folder, _, names in os.walk(self.station.folder):
            for name in names:
                path = os.path.join(folder, name)
                if not os.path.isfile(path):
                    continue
                with open(path, "rb") as file:
                    self.assertNotIn(CANARY.encode(), file.read(), name)

    def test_the_end_of_a_balance_is_an_end_of_length(self):
        for client, upstream in ((CHAT, MESSAGES), (RESPONSES, CHAT), (MESSAGES, GEMINI),
                                 (GEMINI, RESPONSES)):
            with self.subTest(client=client, upstream=upstream):
                buyer = self.customer("0.03")       # one step of output, not two
                self.vendor.reset()         # its own answer: a word a token, a delta a word
                response = self.post(buyer, client, upstream, answers.request(
                    client, "Hi [[tokens=30000 pause=0.0001]]", maximum=100000), True)
                self.assertEqual(response.status, 200, response)
                self.assertEqual(grammar.violations(client, response.body, True), [],
                                 response.body[-600:])
                whole = fold(client, grammar.events(response.body))
                self.assertEqual(meaning.reply(client, whole).finish, "length")
                self.assertEqual(self.row(response)["end"], "limit")
                self.assertGreater(self.station.store.net(response.request_id), 0)

    def test_large_bodies(self):
        buyer = self.customer("50.00")
        data = base64.b64encode(os.urandom(6_000_000)).decode()
        request = answers.request(CHAT, "What is this?")
        request["messages"][0]["content"] = [
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64," + data}}]
        for upstream in (RESPONSES, MESSAGES, GEMINI):
            with self.subTest(upstream=upstream):
                self.vendor.reset()
                response = self.post(buyer, CHAT, upstream, request)
                self.assertEqual(response.status, 200, response)
                self.assertIn(data, self.vendor.last.body.decode())

    def test_counting_tokens_is_answered_or_refused_in_the_client_s_words(self):
        buyer = self.customer()
        request = answers.request(MESSAGES, "Hi")
        del request["max_tokens"]
        for upstream in (CHAT, RESPONSES, GEMINI):
            with self.subTest(upstream=upstream):
                response = buyer.post(PATHS[MESSAGES] + "/count_tokens",
                                      {"model": upstream, **request})
                if response.status == 200:
                    self.assertIsInstance(response.json()["input_tokens"], int)
                else:
                    self.assertIn(response.status, (400, 404, 501))
                    faults = judge.error_shape(response.json(), MESSAGES, response.status)
                    self.assertEqual([str(f) for f in faults], [])


if __name__ == "__main__":
    unittest.main()
