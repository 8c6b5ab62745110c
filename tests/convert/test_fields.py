# SPDX-License-Identifier: Apache-2.0
"""Rules 22 to 36 of test_fifty.py: what becomes of the fields of a request."""
import json
import unittest

from tests.convert import answers, judge
from tests.convert.answers import Answer
from tests.convert.fifty import (ADAPTIVE_CLAUDE, BUDGET_CLAUDE, TOOLS, WEATHER, FiftyCase,
                                 all_pairs, clients_of, text_of, upstreams_of)
from tests.convert.harness import MAX_OUTPUT
from tests.peer import meaning
from tests.peer.recordings import CHAT, GEMINI, MESSAGES, RESPONSES

HARD_SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#", "type": "object",
    "additionalProperties": False, "required": ["mode", "who"],
    "$defs": {"person": {"type": "object", "properties": {"name": {"type": "string"}}}},
    "properties": {
        "mode": {"const": "fast"}, "who": {"$ref": "#/$defs/person"},
        "count": {"type": "integer", "exclusiveMinimum": 0},
        "either": {"oneOf": [{"type": "string"}, {"type": "number"}]},
        "maybe": {"type": ["string", "null"]}}}
FORMAT_SCHEMA = {"type": "object", "additionalProperties": False, "required": ["a"],
                 "properties": {"a": {"type": "string", "enum": ["x", "y"]}}}
HELLO = Answer([("text", "Hello")])


def choose_some(dialect, asked, names):
    """Restrict the tools that may be called to these."""
    if dialect == CHAT:
        asked["tool_choice"] = {"type": "allowed_tools", "allowed_tools": {
            "mode": "required", "tools": [{"type": "function", "function": {"name": n}}
                                          for n in names]}}
    elif dialect == RESPONSES:
        asked["tool_choice"] = {"type": "allowed_tools", "mode": "required",
                                "tools": [{"type": "function", "name": n} for n in names]}
    else:
        asked["toolConfig"] = {"functionCallingConfig": {"mode": "ANY",
                                                         "allowedFunctionNames": names}}
    return asked


def with_format(dialect, asked, schema=FORMAT_SCHEMA):
    if dialect == CHAT:
        asked["response_format"] = {"type": "json_schema", "json_schema": {
            "name": "answer", "strict": True, "schema": schema}}
    elif dialect == RESPONSES:
        asked["text"] = {"format": {"type": "json_schema", "name": "answer", "strict": True,
                                    "schema": schema}}
    elif dialect == MESSAGES:
        asked["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
    else:
        asked["generationConfig"].update(responseMimeType="application/json",
                                         responseJsonSchema=schema)
    return asked


def with_effort(dialect, asked, effort):
    if dialect == CHAT:
        asked["reasoning_effort"] = effort
    elif dialect == RESPONSES:
        asked["reasoning"] = {"effort": effort}
    elif dialect == MESSAGES:
        asked["thinking"] = {"type": "adaptive"}
        asked["output_config"] = {"effort": effort}
    else:
        asked["generationConfig"]["thinkingConfig"] = {"thinkingLevel": effort.upper()}
    return asked


class Fields(FiftyCase):

    def read(self, upstream, sent):
        return meaning.request(upstream, sent)

    @clients_of(GEMINI)
    def test_22_schemas_keep_their_constraints(self, client):
        sent = self.sent(client, GEMINI, answers.request(client, "Hi",
                                                         tools=[("f", HARD_SCHEMA)]))
        row = sent["tools"][0]["functionDeclarations"][0]
        self.assertEqual(row.get("parametersJsonSchema"), HARD_SCHEMA)
        self.assertNotIn("parameters", row)

    @all_pairs
    def test_22_schemas_are_carried_key_by_key(self, client, upstream):
        sent = self.sent(client, upstream, answers.request(client, "Hi",
                                                           tools=[("f", HARD_SCHEMA)]))
        self.assertEqual(self.read(upstream, sent).tools[0].schema,
                         meaning.tool_schema(HARD_SCHEMA))

    @all_pairs
    def test_23_strict(self, client, upstream):
        if client == GEMINI:
            return
        # Not said is best effort in Responses: its vendor falls back where a schema is not strict.
        for strict in (False, True) if client == RESPONSES else (None, False, True):
            asked = answers.request(client, "Hi", tools=TOOLS)
            holder = asked["tools"][0].get("function", asked["tools"][0])
            holder.pop("strict", None)
            if strict is not None:
                holder["strict"] = strict
            effective = bool(strict)
            sent = self.sent(client, upstream, asked, schema=strict is not True)
            tool = self.read(upstream, sent).tools[0]
            if upstream == RESPONSES:
                self.assertIs(tool.strict, effective)
            elif upstream == GEMINI:
                mode = (sent.get("toolConfig") or {}).get("functionCallingConfig", {}).get("mode")
                self.assertEqual(mode == "VALIDATED", effective)
            else:
                self.assertEqual(bool(tool.strict), effective)

    @upstreams_of(CHAT, RESPONSES, MESSAGES)
    def test_24_one_call_at_a_time(self, upstream):
        asked = answers.request(CHAT, "Hi", tools=TOOLS, parallel_tool_calls=False)
        sent = self.sent(CHAT, upstream, asked)
        self.assertIs(self.read(upstream, sent).get("parallel"), False)
        if upstream == MESSAGES:
            self.assertEqual(sent["tool_choice"],
                             {"type": "auto", "disable_parallel_tool_use": True})

    @clients_of(MESSAGES, CHAT, RESPONSES)
    def test_24_one_call_at_a_time_with_each_choice(self, client):
        named = {"type": "function", "name": "weather"} if client == RESPONSES else {
            "type": "function", "function": {"name": "weather"}}
        for choice, kind in (("required", "any"), (named, "tool"), ("auto", "auto")):
            asked = answers.request(client, "Hi", tools=TOOLS, parallel_tool_calls=False,
                                    tool_choice=choice)
            sent = self.sent(client, MESSAGES, asked)
            self.assertEqual(sent["tool_choice"]["type"], kind)
            self.assertIs(sent["tool_choice"]["disable_parallel_tool_use"], True)

    @clients_of(GEMINI)
    def test_24_gemini_cannot_do_it(self, client):
        asked = answers.request(client, "Hi", tools=TOOLS)
        if client == MESSAGES:
            asked["tool_choice"] = {"type": "auto", "disable_parallel_tool_use": True}
            self.refused(client, GEMINI, asked, "tool_choice.disable_parallel_tool_use")
        else:
            asked["parallel_tool_calls"] = False
            self.refused(client, GEMINI, asked, "parallel_tool_calls")

    @all_pairs
    def test_25_some_of_the_tools(self, client, upstream):
        if client == MESSAGES:
            return
        asked = choose_some(client, answers.request(
            client, "Hi", tools=[("f", WEATHER), ("g", WEATHER), ("h", WEATHER)]), ["f", "h"])
        got = self.ask(client, upstream, asked)
        if upstream == MESSAGES:
            self.assertEqual([t["name"] for t in got.asked["tools"]], ["f", "h"])
            self.assertEqual(got.asked["tool_choice"]["type"], "any")
            self.assertTrue(got.lossy, "the cache's prefix changes: that is to be said")
        else:
            self.assertEqual(self.read(upstream, got.asked).get("choice"),
                             ["allowed", "required", ["f", "h"]])
            self.assertEqual(len(self.read(upstream, got.asked).tools), 3)

    @all_pairs
    def test_26_stop_sequences(self, client, upstream):
        if client == RESPONSES:
            return
        asked = answers.request(client, "Hi")
        path = {CHAT: "stop", MESSAGES: "stop_sequences",
                GEMINI: "generationConfig.stopSequences"}[client]
        for value in (["x"], "x") if client == CHAT else (["x"],):
            if client == GEMINI:
                asked["generationConfig"]["stopSequences"] = value
            else:
                asked[path] = value
            if upstream == RESPONSES:
                self.refused(client, upstream, asked, path)
                continue
            sent = self.sent(client, upstream, asked)
            holder = sent["generationConfig"] if upstream == GEMINI else sent
            name = {CHAT: "stop", MESSAGES: "stop_sequences", GEMINI: "stopSequences"}[upstream]
            self.assertEqual(holder[name], ["x"])

    @clients_of(CHAT)
    def test_27_the_limit_by_the_name_that_the_host_knows(self, client):
        asked = answers.request(client, "Hi", maximum=777)
        sent = self.sent(client, CHAT, asked)
        self.assertEqual((sent.get("max_completion_tokens"), sent.get("max_tokens")), (777, None))
        sent = self.ask(client, CHAT, asked, name="deepseek-v4").asked
        self.assertEqual((sent.get("max_tokens"), sent.get("max_completion_tokens")), (777, None))

    @clients_of(RESPONSES)
    def test_27_no_limit_below_16(self, client):
        for value in (1, 15, 16):
            got = self.ask(client, RESPONSES, answers.request(client, "Hi", maximum=value))
            self.assertEqual(got.asked["max_output_tokens"], 16)
            self.assertEqual(bool(got.lossy), value < 16, got.lossy)

    @clients_of(MESSAGES)
    def test_28_without_a_limit_the_model_has_its_own(self, client):
        asked = answers.request(client, "Hi")
        for name in ("max_completion_tokens", "max_output_tokens"):
            asked.pop(name, None)
        asked.get("generationConfig", {}).pop("maxOutputTokens", None)
        self.assertEqual(self.sent(client, MESSAGES, asked)["max_tokens"], MAX_OUTPUT)
        cut = Answer([("text", "Hello")], finish="length")
        for _, read, _ in self.replies(client, MESSAGES, asked, cut):
            self.assertEqual(read.finish, "length")

    @all_pairs
    def test_29_efforts(self, client, upstream):
        for effort in ("low", "medium", "high"):
            asked = with_effort(client, answers.request(client, "Hi", maximum=20000), effort)
            sent = self.read(upstream, self.sent(client, upstream, asked))
            faults = judge.compare_requests(self.read(client, asked), sent, [])
            self.assertEqual([f for f in faults if f.rule.startswith("effort")], [], effort)

    @clients_of(MESSAGES)
    def test_29_budgets_and_adaptive_models(self, client):
        asked = with_effort(client, answers.request(client, "Hi", maximum=20000), "high")
        sent = self.sent(client, MESSAGES, asked, vendor_model=ADAPTIVE_CLAUDE)
        self.assertEqual((sent["thinking"]["type"], sent["output_config"]["effort"]),
                         ("adaptive", "high"))
        sent = self.sent(client, MESSAGES, asked, vendor_model=BUDGET_CLAUDE)
        self.assertEqual((sent["thinking"]["type"], sent["thinking"]["budget_tokens"]),
                         ("enabled", 16384))
        # A budget stays below the limit, and is named when it had to be cut.
        asked = with_effort(client, answers.request(client, "Hi", maximum=2000), "high")
        got = self.ask(client, MESSAGES, asked, vendor_model=BUDGET_CLAUDE)
        self.assertEqual(got.asked["thinking"]["budget_tokens"], 1999)
        self.assertTrue(got.lossy)
        asked = with_effort(client, answers.request(client, "Hi", maximum=500), "high")
        got = self.ask(client, MESSAGES, asked, vendor_model=BUDGET_CLAUDE)
        self.assertNotEqual((got.asked.get("thinking") or {}).get("type"), "enabled")
        self.assertTrue(got.lossy)

    @upstreams_of(MESSAGES)
    def test_29_budgets_are_efforts_elsewhere(self, upstream):
        for budget, effort in ((1024, "low"), (5000, "medium"), (16384, "high")):
            asked = answers.request(MESSAGES, "Hi", maximum=30000,
                                    thinking={"type": "enabled", "budget_tokens": budget})
            sent = self.read(upstream, self.sent(MESSAGES, upstream, asked))
            if upstream == GEMINI and sent.get("budget") is not None:
                self.assertEqual(sent.get("budget"), budget)
            else:
                self.assertEqual(sent.get("effort"), effort)

    @upstreams_of(MESSAGES)
    def test_29_off_is_said(self, upstream):
        asked = answers.request(MESSAGES, "Hi", thinking={"type": "disabled"})
        sent = self.read(upstream, self.sent(MESSAGES, upstream, asked))
        said = sent.get("effort") or ("none" if sent.get("budget") == 0 else None)
        self.assertIn(said, ("none", "minimal"))

    @clients_of(MESSAGES, CHAT, RESPONSES)
    def test_30_forced_calls_while_thinking(self, client):
        for model in (BUDGET_CLAUDE, ADAPTIVE_CLAUDE):
            asked = with_effort(client, answers.request(client, "Hi", tools=TOOLS, maximum=20000),
                                "high")
            asked["tool_choice"] = "required"
            got = self.bench.ask(client, MESSAGES, asked, None, vendor_model=model)
            if got.status == 200:
                self.assertEqual(got.asked["tool_choice"]["type"], "any")
                self.assertIn(got.asked.get("thinking"), (None, {"type": "disabled"}))
                self.assertTrue(got.lossy)
            else:
                self.refused(client, MESSAGES, asked, "tool_choice", vendor_model=model)

    @clients_of(RESPONSES)
    def test_31_encrypted_reasoning_comes_back(self, client):
        answer = Answer([("reasoning", "So I think", "gAAAsecret"),
                         ("call", "call_1", "weather", '{"city":"Oslo"}')])
        asked = answers.request(client, "Hi", tools=TOOLS)
        if client == GEMINI:
            asked["generationConfig"]["thinkingConfig"] = {"includeThoughts": True}
        for whole, _, got in self.replies(client, RESPONSES, asked, answer):
            self.assertIs(got.asked["store"], False)
            self.assertIn("reasoning.encrypted_content", got.asked["include"])
            sent = self.sent(client, RESPONSES, answers.next_turn(client, asked, whole, ["rain"]))
            items = [i for i in sent["input"] if i.get("type") in ("reasoning", "function_call")]
            self.assertEqual([i["type"] for i in items], ["reasoning", "function_call"])
            self.assertEqual(items[0]["encrypted_content"], "gAAAsecret")
            self.assertNotIn("content", items[0])
            self.assertIsInstance(items[0]["summary"], list)

    @clients_of(RESPONSES)
    def test_31_without_it_the_item_is_left_out(self, client):
        history = Answer([("reasoning", "So I think", "foreign"),
                          ("call", "call_1", "weather", '{"city":"Oslo"}')])
        whole = history.whole(client)
        asked = answers.next_turn(client, answers.request(client, "Hi", tools=TOOLS), whole,
                                  ["rain"])
        sent = self.sent(client, RESPONSES, asked)
        kinds = [i.get("type", "message") for i in sent["input"]]
        self.assertEqual(kinds, ["message", "function_call", "function_call_output"])

    @upstreams_of(RESPONSES)
    def test_32_nothing_is_answered_without_its_history(self, upstream):
        for name, value in (("previous_response_id", "resp_123"), ("conversation", "conv_1")):
            self.refused(RESPONSES, upstream, answers.request(RESPONSES, "Hi", **{name: value}),
                         name)
        asked = answers.request(RESPONSES, "Hi")
        asked["input"].insert(0, {"type": "item_reference", "id": "msg_1"})
        self.refused(RESPONSES, upstream, asked, "input[0]")

    def marked(self, client):
        """A request with a mark of a cache on system, tool, message and result."""
        mark = {"cache_control": {"type": "ephemeral"}}
        asked = answers.next_turn(client, answers.request(client, "Hi", tools=TOOLS), Answer(
            [("call", "call_1", "weather", '{"city":"Oslo"}')]).whole(client), ["rain"])
        if client == MESSAGES:
            asked["system"] = [{"type": "text", "text": "Be brief.", **mark}]
            asked["messages"][0]["content"] = [{"type": "text", "text": "Hi", **mark}]
            asked["messages"][-1]["content"][-1].update(mark)
            asked["tools"][0].update(mark)
        else:
            asked["messages"].insert(0, {"role": "system", "content": [
                {"type": "text", "text": "Be brief.", **mark}]})
            asked["messages"][1]["content"] = [{"type": "text", "text": "Hi", **mark}]
        return asked

    def test_33_cache_marks_survive(self):
        asked = self.marked(MESSAGES)
        self.assertEqual({**self.ask(MESSAGES, MESSAGES, asked).asked, "model": 0},
                         {**asked, "model": 0})
        self.need(CHAT, MESSAGES)
        sent = self.sent(CHAT, MESSAGES, self.marked(CHAT))
        self.assertEqual(sent["system"][-1]["cache_control"], {"type": "ephemeral"})
        self.assertEqual(sent["messages"][0]["content"][-1]["cache_control"],
                         {"type": "ephemeral"})

    @upstreams_of(MESSAGES)
    def test_33_cache_marks_that_are_lost_are_named(self, upstream):
        got = self.ask(MESSAGES, upstream, self.marked(MESSAGES))
        if "cache_control" not in text_of(got.asked) and "breakpoint" not in text_of(got.asked):
            for path in ("system[0]", "messages[0].content[0]", "messages[2].content[0]",
                         "tools[0]"):
                self.assertTrue(judge.is_declared(path, got.lossy), (path, got.lossy))

    @all_pairs
    def test_33_the_same_request_is_the_same_bytes(self, client, upstream):
        asked = answers.next_turn(client, answers.request(
            client, "Hi", tools=[("f", HARD_SCHEMA), *TOOLS], system="Be brief."), Answer(
                [("text", "I look"), ("call", "call_1", "weather", '{"city":"Oslo"}')]).whole(
                    client), ["rain"], "And now?")
        bodies = {self.ask(client, upstream, asked).received.body for _ in range(3)}
        self.assertEqual(len(bodies), 1)
        longer = json.loads(json.dumps(asked))
        more = answers.request(client, "More")
        name = {CHAT: "messages", RESPONSES: "input", MESSAGES: "messages", GEMINI: "contents"}
        longer[name[client]] += [*answers_turn(client), *more[name[client]]]
        longer_body = self.ask(client, upstream, longer).asked
        shorter = json.loads(bodies.pop())[name[upstream]]
        self.assertEqual(longer_body[name[upstream]][:len(shorter)], shorter)

    def test_34_unknown_keys_pass_in_one_dialect(self):
        more = {"prompt_cache_key": "k", "store": True, "safety_identifier": "s", "future_key": {
            "a": [1.50, 1e2]}}
        for dialect in (CHAT, RESPONSES):
            asked = answers.request(dialect, "Hi", **more)
            self.assertEqual({**self.ask(dialect, dialect, asked).asked, "model": 0},
                             {**asked, "model": 0})

    @all_pairs
    def test_34_unknown_keys_are_refused_elsewhere(self, client, upstream):
        self.refused(client, upstream, answers.request(client, "Hi", future_key=1), "future_key")

    def test_35_betas_pass_to_anthropic_alone(self):
        betas = [("anthropic-beta", "context-management-2025-06-27, future-beta-2027-01-01"),
                 ("anthropic-version", "2023-06-01")]
        edits = {"edits": [{"type": "clear_tool_uses_20250919"}]}
        asked = answers.request(MESSAGES, "Hi", context_management=edits)
        got = self.ask(MESSAGES, MESSAGES, asked, headers=betas)
        self.assertEqual(got.received.get("anthropic-beta"), betas[0][1])
        self.assertIn("context_management", got.asked)
        for upstream in (CHAT, RESPONSES, GEMINI):
            if (MESSAGES, upstream) in self.sold:
                got = self.ask(MESSAGES, upstream, asked, headers=betas)
                self.assertIsNone(got.received.get("anthropic-beta"))
                self.assertIsNone(got.received.get("anthropic-version"))
                self.assertNotIn("context_management", got.asked)

    @all_pairs
    def test_36_formats(self, client, upstream):
        asked = with_format(client, answers.request(client, "Hi"))
        sent = self.sent(client, upstream, asked)
        self.assertEqual(self.read(upstream, sent).get("format"), ["schema", FORMAT_SCHEMA])
        if upstream in (CHAT, RESPONSES):
            place = sent.get("response_format", {}).get("json_schema") or sent["text"]["format"]
            self.assertRegex(place["name"], r"^[A-Za-z0-9_-]{1,64}$")

    @clients_of(MESSAGES, CHAT, RESPONSES, GEMINI)
    def test_36_any_json_is_no_schema(self, client):
        asked = answers.request(client, "Give JSON")
        if client == CHAT:
            asked["response_format"] = {"type": "json_object"}
        elif client == RESPONSES:
            asked["text"] = {"format": {"type": "json_object"}}
        else:
            asked["generationConfig"]["responseMimeType"] = "application/json"
        got = self.bench.ask(client, MESSAGES, asked, HELLO.whole(MESSAGES))
        if got.status == 200:
            self.assertTrue(got.lossy)
        else:
            self.assertEqual(got.status, 400)


def answers_turn(dialect):
    """The assistant's turn in between, in the client's words."""
    if dialect == GEMINI:
        return [{"role": "model", "parts": [{"text": "Fine."}]}]
    return [{"role": "assistant", "content": "Fine."}]


if __name__ == "__main__":
    unittest.main()
