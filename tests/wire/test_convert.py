# SPDX-License-Identifier: Apache-2.0
"""What the station does around a conversion: which upstream is asked, what is told and charged,
and how each dialect ends when something goes wrong. What becomes of requests and answers
themselves is in tests/convert.
"""
import concurrent.futures
import json
import unittest

from tests.convert.answers import Answer
from tests.peer import dialects, meter, station
from tests.peer.case import body_for
from tests.peer.reply import Reply
from tests.wire.converting import DIALECTS, PAIRS, ConvertCase, path_to
from tests.wire.test_stall import StallCase

COUNT_PATHS = {"responses": "/v1/responses/input_tokens",
               "messages": "/v1/messages/count_tokens?beta=true",
               "gemini": "/v1beta/models/{}:countTokens"}
COUNT_SHAPES = {"responses": {"object", "input_tokens"}, "messages": {"input_tokens"},
                "gemini": {"totalTokens"}}


class Count(ConvertCase):
    TEXT = "The quick brown fox jumps over the lazy dog. " * 20     # 10 tokens a line

    @classmethod
    def models(cls):
        return [*super().models(), *(station.model(name, ("up-chat", name)) for name in (
            "gpt-5.2", "qwen3-max"))]

    def count(self, dialect, model, body):
        path = COUNT_PATHS[dialect].format(model)
        if dialect != "gemini":
            body = json.dumps({**json.loads(body), "model": model}).encode()
        return self.buyer.post(path, body)

    def tokens(self, dialect, model, body):
        answer = self.count(dialect, model, body)
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.get("relay-estimated"), "input_tokens")
        value = answer.json()
        self.assertEqual(set(value), COUNT_SHAPES[dialect])
        self.assertEqual(self.assert_free(answer)["end"], "free")
        self.assertEqual(self.vendor.received, [])
        return value.get("input_tokens", value.get("totalTokens"))

    def test_each_dialect_is_told_an_estimate_in_its_shape(self):
        for dialect in COUNT_PATHS:
            with self.subTest(dialect=dialect):
                found = self.tokens(dialect, "gpt-5.2", body_for(dialect, self.TEXT))
                self.assertTrue(185 <= found <= 225, found)

    def test_what_is_no_conversation_is_not_counted(self):
        for dialect, key in (("messages", "messages"), ("gemini", "contents"),
                             ("responses", "input")):
            for value in (5, {}, "text", [], None):
                if dialect == "responses" and value in ("text", None):
                    continue        # a text; or the input stands at the vendor
                with self.subTest(dialect=dialect, value=value):
                    whole = {**json.loads(body_for(dialect, "Hi")), key: value}
                    answer = self.count(dialect, "gpt-5.2", json.dumps(whole).encode())
                    error = self.assert_error(answer, 400, dialect)
                    self.assertIn(key, error["message"])

    def test_the_model_behind_the_name_decides(self):
        digits = body_for("messages", "1234567890" * 50)
        self.assertGreater(self.tokens("messages", "qwen3-max", digits),
                           2 * self.tokens("messages", "gpt-5.2", digits))

    def test_tools_system_text_and_images_are_taken(self):
        tool = {"name": "find", "description": "Looks for a file by its name.",
                "input_schema": {"type": "object", "properties": {"name": {"type": "string"}}}}
        image = {"type": "image", "source": {"type": "base64", "media_type": "image/png",
                                             "data": "iVBORw0KGgo=" * 1000}}
        plain = self.tokens("messages", "gpt-5.2", body_for("messages", "Hello"))
        for more, least, most in (
                ({"tools": [tool, {"type": "web_search_20250305", "name": "web_search"}]}, 20, 90),
                ({"system": [{"type": "text", "text": self.TEXT}]}, 180, 220),
                ({"messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"},
                                                            image]}]}, 200, 1500)):
            found = self.tokens("messages", "gpt-5.2", body_for("messages", "Hello", **more))
            self.assertTrue(least <= found - plain <= most, (found, plain, list(more)))

    def test_an_upstream_that_counts_is_asked(self):
        for dialect in ("responses", "messages", "gemini"):
            self.vendor.reset()
            answer = self.count(dialect, dialect, body_for(dialect, self.TEXT))
            self.assertEqual(answer.status, 200, answer)
            self.assertIsNone(answer.get("relay-estimated"))
            self.assertEqual(len(self.vendor.received), 1)

    def test_what_is_wrong_is_refused_as_ever(self):
        for dialect in COUNT_PATHS:
            path = COUNT_PATHS[dialect].format("gpt-5.2")
            self.assert_error(self.buyer.post(path, b'{"model":"gpt-5.2",'), 400, dialect)
            answer = self.count(dialect, "no-such", body_for(dialect))
            self.assert_error(answer, 404, dialect)
        nobody = self.station.ask("POST", COUNT_PATHS["messages"], [], body_for("messages"))
        self.assert_error(nobody, 401, "messages")


def overloaded(received):
    return dialects.failure(received.path, 529 if "/messages" in received.path else 503)


class Choice(ConvertCase):
    """Which route is taken, where some speak the client's dialect and some do not."""

    @classmethod
    def models(cls):
        def model(name, *routes):
            return station.model(name, *({"upstream": "up-" + d, "model": d, "priority": priority}
                                         for d, priority in routes))
        return [*super().models(),
                model("same", ("chat", 0), ("responses", 0), ("messages", 0), ("gemini", 0)),
                model("converted-first", ("messages", 0), ("chat", 1)),
                model("native-first", ("chat", 0), ("messages", 1)),
                model("narrow-first", ("responses", 0), ("chat", 1), ("gemini", 2)),
                model("narrow-last", ("gemini", 0), ("responses", 1)),
                model("own-then-narrow", ("chat", 0), ("responses", 1))]

    def asked(self):
        """The models of the attempts, which are named for their dialects, in their order."""
        return [dialects.Ask(received).model.removeprefix("models/")
                for received in self.vendor.received]

    def test_at_the_same_priority_the_own_dialect_is_taken(self):
        for client in DIALECTS:
            for _ in range(5):
                self.vendor.reset()
                answer = self.ask(client, "same")
                self.assertEqual((answer.status, self.asked()), (200, [client]))
                self.assertNotIn("dialect", answer.edits)

    def test_a_lower_priority_is_taken_though_it_is_converted(self):
        answer = self.ask("chat", "converted-first")
        self.assertEqual((answer.status, self.asked()), (200, ["messages"]))
        self.assertIn("dialect", answer.edits)

    def test_failover_goes_both_ways(self):
        for model, order in (("native-first", ["chat", "messages"]),
                             ("converted-first", ["messages", "chat"])):
            for stream in (False, True):
                with self.subTest(model=model, stream=stream):
                    self.vendor.reset()
                    self.vendor.script(lambda received, first=order[0]: overloaded(received)
                                       if dialects.Ask(received).model == first
                                       else dialects.answer(received))
                    answer = self.ask("chat", model, stream=stream)
                    self.assertEqual((answer.status, answer.complete), (200, True), answer)
                    self.assertEqual(self.asked(), order)
                    self.assertEqual("dialect" in answer.edits, order[1] == "messages")
                    self.assertIn(b"w15 ", answer.body)
                    row = self.row(answer)
                    self.assertEqual((row["upstream"], row["end"]), ("up-" + order[1], "complete"))
                    self.assertEqual([one["failure"] for one in self.station.store.attempts(
                        answer.request_id)], ["overload", ""])

    def test_the_last_of_several_failures_is_told(self):
        self.vendor.script(overloaded)
        for model in ("native-first", "converted-first"):
            error = self.assert_error(self.ask("chat", model), 503)
            self.assertEqual(error["message"], "The vendor refuses.")

    def test_a_failure_is_told_as_its_own_routes_where_the_next_cannot_carry_the_request(self):
        for client, stop in (("chat", "stop"), ("messages", "stop_sequences")):
            for stream in (False, True):
                with self.subTest(client=client, stream=stream):
                    self.vendor.reset()
                    self.vendor.script(overloaded)
                    answer = self.ask(client, "narrow-last", stream=stream, **{stop: ["x"]})
                    error = self.assert_error(answer, 503, client)
                    self.assertEqual(error["message"], "The vendor refuses.")
                    self.assertEqual(answer.all("content-type"), ["application/json"])
                    self.assertEqual(self.asked(), ["gemini"])
                    self.assertIn("dialect", answer.edits)
                    self.assertEqual(self.row(answer)["upstream"], "up-gemini")
                    line, = self.station.wait_log("event=request id=" + answer.request_id)
                    self.assertIn(" sent=gemini ", line)

    def test_a_failure_in_the_clients_own_dialect_stays_as_the_vendor_wrote_it(self):
        self.vendor.script(overloaded)
        answer = self.ask("chat", "own-then-narrow", stop=["x"])
        self.assertEqual((answer.status, self.asked()), (503, ["chat"]))
        self.assertEqual(answer.body, dialects.failure("/v1/chat/completions", 503).content())
        self.assertEqual(answer.all("content-type"), ["application/json"])
        self.assertNotIn("dialect", answer.edits)

    def test_what_one_route_cannot_carry_goes_to_the_next(self):
        answer = self.ask("chat", "narrow-first", stop=["x"])
        self.assertEqual((answer.status, self.asked()), (200, ["chat"]))
        self.vendor.reset()
        answer = self.ask("messages", "narrow-first", stop_sequences=["x"])
        self.assertEqual((answer.status, self.asked()), (200, ["chat"]))
        self.vendor.reset()
        answer = self.ask("messages", "narrow-first", top_k=5)
        self.assertEqual((answer.status, self.asked()), (200, ["gemini"]))

    def test_what_none_can_carry_is_refused_and_asks_nobody(self):
        answer = self.ask("responses", "native-first", previous_response_id="resp_1")
        error = self.assert_error(answer, 400, "responses")
        self.assertEqual(error["param"], "previous_response_id")
        self.assertEqual(self.vendor.received, [])
        self.assertEqual(self.assert_free(answer)["end"], "uncarried")

    def test_what_is_lost_is_named_in_the_answer_and_in_its_row(self):
        for stream in (False, True):
            answer = self.ask("chat", "messages", stream=stream, seed=7,
                              metadata={"a": "b"})
            self.assertEqual(answer.status, 200, answer)
            lossy = {path.strip() for path in answer.get("relay-lossy", "").split(",")}
            self.assertIn("seed", lossy)
            self.assertEqual(self.row(answer)["lossy"], answer.get("relay-lossy"))
            told = self.buyer.get("/v1/usage").json()["charges"][0]
            self.assertEqual((told["id"], told["lossy"]),
                             (answer.request_id, answer.get("relay-lossy")))
        self.assertIsNone(self.ask("chat", "messages").get("relay-lossy"))


class Money(ConvertCase):
    def test_whole_and_streamed_answers_cost_and_show_the_same(self):
        for client, upstream in PAIRS:
            with self.subTest(client=client, upstream=upstream):
                paid, shown = set(), set()
                for stream in (False, True):
                    answer = self.ask(client, upstream, "x [[tokens=40 cached=1]]", stream)
                    self.assertEqual(answer.status, 200, answer)
                    paid.add(self.charge(answer)["nano"])
                    usage = meter.read(client, answer.body, stream)
                    shown.add((usage.cost(station.PRICE), usage.out + usage.reasoning))
                self.assertEqual((len(paid), len(shown)), (1, 1), (paid, shown))
                self.assertEqual(paid.pop(), shown.pop()[0])

    def test_a_whole_answer_shows_what_is_charged_for_it(self):
        """Also where the vendor has told no usage."""
        for client, upstream in PAIRS:
            with self.subTest(client=client, upstream=upstream):
                value = Answer([("text", "word " * 40)]).whole(upstream)
                del value["usageMetadata" if upstream == "gemini" else "usage"]
                self.vendor.reply(Reply.json(value))
                answer = self.ask(client, upstream, "many words " * 20)
                self.assertEqual(answer.status, 200, answer)
                self.assertEqual(self.row(answer)["end"], "no_usage")
                shown = meter.read(client, answer.body, False)
                self.assertGreater(min(shown.fresh, shown.out), 0)
                self.assert_paid(answer, shown)

    def test_a_client_that_leaves_pays_for_what_it_got(self):
        for client, upstream in PAIRS:
            with self.subTest(client=client, upstream=upstream):
                gate = self.hold_streams(after=8)
                with self.buyer.open(path_to(client, upstream, True),
                                     self.body(client, upstream, stream=True)) as raw:
                    answer = raw.head()
                    self.assertTrue(raw.until(answer, b"w1 "))
                for _ in range(5):      # whoever has answered these has seen it leave
                    self.station.ask("GET", "/healthz")
                gate.set()
                row = self.row(answer)
                self.assertEqual(row["end"], "client_left")
                charge = self.charge(answer)
                self.assertGreater(charge["nano"], 0)
                # Sixteen words at most, and two at least.
                self.assertLess(charge["nano"], 16 * 10_000 + 100 * 2_500)

    def test_a_balance_that_runs_dry_ends_each_dialect_as_length(self):
        words = {"chat": b'"finish_reason":"length"', "responses": b"response.incomplete",
                 "messages": b'"max_tokens"', "gemini": b'"MAX_TOKENS"'}
        for client, upstream in PAIRS:
            with self.subTest(client=client, upstream=upstream):
                buyer = self.customer("0.03")
                more = {"max_tokens": 20000} if client in ("chat", "messages") else \
                    {"max_output_tokens": 20000} if client == "responses" else \
                    {"generationConfig": {"maxOutputTokens": 20000}}
                gate = self.hold_streams(after=14000)       # its end never comes
                answer = self.ask(client, upstream, "x [[tokens=15000]]", True, buyer=buyer, **more)
                gate.set()
                self.assert_stream(client, answer)
                self.assertIn(words[client], answer.body)
                self.assertEqual(self.row(answer)["end"], "limit")
                self.assertGreater(self.charge(answer)["nano"], 0)
                self.assertGreaterEqual(buyer.balance, 0)


class Stalled(StallCase, ConvertCase):
    stall_ms = 12000        # longer than the station waits for a commit

    def test_no_answer_is_complete_whose_charge_is_not_durable(self):
        for client in DIALECTS:
            self.assertEqual(self.ask(client, client).status, 200)      # the purse is open
        self.stall()
        waits = [(client, upstream, stream) for client, upstream in PAIRS[::2]
                 for stream in (False, True)]
        with concurrent.futures.ThreadPoolExecutor(len(waits)) as pool:
            done = [pool.submit(self.ask, client, upstream, stream=stream)
                    for client, upstream, stream in waits]
            answers = [one.result() for one in done]
        self.shim.clear()
        for (client, upstream, stream), answer in zip(waits, answers):
            with self.subTest(client=client, upstream=upstream, stream=stream):
                if stream:
                    self.assert_failed_stream(client, answer)
                else:
                    self.assert_error(answer, 503, client)
                self.assertEqual(self.row(answer)["end"], "ledger_late")
                self.assertEqual(self.station.store.net(answer.request_id), 0)


SEARCH = {"responses": {"type": "web_search"},
          "messages": {"type": "web_search_20250305", "name": "web_search", "max_uses": 8}}
OTHER = {"responses": {"type": "code_interpreter", "container": {"type": "auto"}},
         "messages": {"type": "code_execution_20250825", "name": "code_execution"}}
TOOL = {"responses": {"type": "function", "name": "find", "parameters": {"type": "object"}},
        "messages": {"name": "find", "input_schema": {"type": "object"}}}
FORCED = {"responses": ["required", {"type": "web_search"}],
          "messages": [{"type": "any"}, {"type": "tool", "name": "web_search"}]}
AGENTS = {"responses": [("User-Agent", "codex_cli_rs/0.169.0 (Debian)")],
          "messages": [("User-Agent", "claude-cli/2.1.330 (external, cli)")]}


class Agents(ConvertCase):
    """What coding agents offer with every turn does not keep them from other vendors."""

    def turn(self, client, tools, headers, **more):
        self.vendor.reset()
        return self.ask(client, "chat", headers=headers, tools=tools, **more)

    def test_a_hosted_tool_beside_others_is_left_out_by_name(self):
        for client, headers in AGENTS.items():
            for hosted in (SEARCH[client], OTHER[client]):
                for choice in ({}, {"tool_choice": "auto" if client == "responses" else
                                    {"type": "auto"}}):
                    with self.subTest(client=client, hosted=hosted):
                        answer = self.turn(client, [TOOL[client], hosted], headers, **choice)
                        self.assertEqual(answer.status, 200, answer)
                        self.assertIn("tools[1]", answer.get("relay-lossy"))
                        self.assertEqual([tool["function"]["name"] for tool in
                                          self.vendor.last.json()["tools"]], ["find"])

    def test_codex_is_known_by_its_originator_too(self):
        tools = [TOOL["responses"], OTHER["responses"]]
        for headers, status in (([("originator", "codex_vscode")], 200),
                                ([("originator", "other")], 400), ([], 400),
                                ([("User-Agent", "python claude-cli/1")], 400)):
            self.assertEqual(self.turn("responses", tools, headers).status, status, headers)

    def test_what_a_turn_is_about_is_not_left_out(self):
        for client, headers in AGENTS.items():
            answer = self.turn(client, [SEARCH[client]], headers)
            self.assert_error(answer, 400, client)
            for forced in FORCED[client]:
                with self.subTest(client=client, forced=forced):
                    answer = self.turn(client, [TOOL[client], OTHER[client]], headers,
                                       tool_choice=forced)
                    self.assert_error(answer, 400, client)
            self.assertEqual(self.vendor.received, [])


if __name__ == "__main__":
    unittest.main()
