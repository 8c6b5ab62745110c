# SPDX-License-Identifier: Apache-2.0
"""What a stranger who tried every pair found: the opposite of a wish, a client that fails, words of
the vendor's that did not arrive."""
import json
import unittest

from tests.convert import answers, judge
from tests.convert.answers import Answer
from tests.convert.fifty import (ADAPTIVE_CLAUDE, OTHER_CLAUDE, FiftyCase, all_pairs, clients_of,
                                 upstreams_of)
from tests.convert.harness import Bench
from tests.peer import grammar
from tests.peer.recordings import CHAT, GEMINI, MESSAGES, RESPONSES
from tests.peer.reply import Reply, sse_events

# "Do not reason", and the path of it.
OFF = {
    CHAT: ({"reasoning_effort": "none"}, "reasoning_effort"),
    RESPONSES: ({"reasoning": {"effort": "none"}}, "reasoning.effort"),
    MESSAGES: ({"thinking": {"type": "disabled"}}, "thinking"),
    GEMINI: ({"generationConfig": {"thinkingConfig": {"thinkingBudget": 0}}},
             "generationConfig.thinkingConfig.thinkingBudget"),
}


def asked_off(client):
    return {**answers.request(client, "Hi"), **OFF[client][0]}


class Wishes(FiftyCase):

    @clients_of(CHAT)
    def test_no_reasoning_is_not_made_much_of_it(self, client):
        self.refused(client, CHAT, asked_off(client), OFF[client][1], name="grok")

    def test_where_the_operator_allows_it_the_least_is_asked_for(self):
        with Bench(hosts={"grok": ("xai", CHAT, "/v1")},
                   lossy=["reasoning that cannot be switched off"]) as bench:
            got = bench.ask(MESSAGES, CHAT, asked_off(MESSAGES), name="grok")
            self.assertEqual((got.status, got.asked["reasoning_effort"]), (200, "low"))
            self.assertEqual(got.lossy, ["thinking"])

    SAMPLED = {
        CHAT: {"temperature": 0.2, "top_p": 0.5, "reasoning_effort": "high"},
        RESPONSES: {"temperature": 0.2, "top_p": 0.5, "reasoning": {"effort": "high"}},
        GEMINI: {"generationConfig": {"temperature": 0.2, "topP": 0.5, "topK": 20,
                                      "thinkingConfig": {"thinkingBudget": 2000}}},
    }

    @clients_of(MESSAGES, CHAT, RESPONSES, GEMINI)
    def test_models_that_reason_are_sampled_their_own_way(self, client):
        for model in (OTHER_CLAUDE, ADAPTIVE_CLAUDE):
            got = self.ask(client, MESSAGES, {**answers.request(client, "Hi"),
                                              **self.SAMPLED[client]}, vendor_model=model)
            self.assertIn(got.asked["thinking"]["type"], ("enabled", "adaptive"))
            for name in ("temperature", "top_p", "top_k"):
                self.assertNotIn(name, got.asked)
            paths = ["temperature", "top_p"] if client != GEMINI else [
                f"generationConfig.{name}" for name in ("temperature", "topP", "topK")]
            for path in paths:
                self.assertIn(path, got.lossy)

    @clients_of(MESSAGES, CHAT)
    def test_what_may_stand_beside_reasoning_does(self, client):
        asked = {**answers.request(client, "Hi"), "reasoning_effort": "high"}
        for top_p in (0.95, 0.99, 1):
            got = self.ask(client, MESSAGES, {**asked, "temperature": 1.0, "top_p": top_p})
            self.assertEqual((got.asked["temperature"], got.asked["top_p"]), (1, top_p))
        for more in ({"temperature": 1.00001}, {"temperature": 0.999}, {"top_p": 0.949}):
            got = self.ask(client, MESSAGES, {**asked, **more})
            self.assertFalse(set(more) & set(got.asked), more)

    @clients_of(MESSAGES, CHAT)
    def test_without_reasoning_nothing_of_it_is_lost(self, client):
        asked = {**answers.request(client, "Hi"), "temperature": 0.2, "top_p": 0.5}
        self.assertEqual(self.ask(client, MESSAGES, asked).lossy, [])


def accumulate(into, delta):
    """As the client of OpenAI's own package puts deltas together (lib/streaming/_deltas.py)."""
    for key, value in delta.items():
        if key not in into or into[key] is None or key in ("index", "type"):
            into[key] = value
        elif isinstance(value, str):
            into[key] += value
        elif isinstance(value, dict):
            accumulate(into[key], value)
        elif isinstance(value, list):
            for item in value:
                if item["index"] < len(into[key]):
                    accumulate(into[key][item["index"]], item)
                else:
                    into[key].insert(item["index"], item)
    return into


class Limits(FiftyCase):
    """Numbers of the vendors' rows, by their documents."""
    STOPS = {"gpt-4o": (CHAT, 4), "deepseek-v4": (CHAT, 16), "kimi-k2": (CHAT, 5),
             "glm-5": (CHAT, 1), "gemini": (GEMINI, 5)}

    @upstreams_of(MESSAGES, CHAT, GEMINI)
    def test_stop_sequences(self, upstream):
        for name, (dialect, most) in self.STOPS.items():
            if dialect != upstream:
                continue
            where = {"vendor_model": name} if name == "gpt-4o" else {} if name == "gemini" else {
                "name": name}
            asked = {**answers.request(MESSAGES, "Hi"),
                     "stop_sequences": [f"end {n}" for n in range(most)]}
            self.ask(MESSAGES, upstream, asked, **where)
            asked["stop_sequences"].append("one more")
            got = self.refused(MESSAGES, upstream, asked, f"stop_sequences[{most}]", **where)
            self.assertIn(str(most), got.json()["error"]["message"])


class Streams(FiftyCase):

    def test_several_thoughts_in_a_stream(self):
        blocks = [({"type": "thinking", "thinking": "", "signature": ""},
                   {"type": "thinking_delta", "thinking": "So"},
                   {"type": "signature_delta", "signature": "c2ln"}),
                  ({"type": "redacted_thinking", "data": "aGlk"},),
                  ({"type": "redacted_thinking", "data": "bW9yZQ"},),
                  ({"type": "text", "text": ""}, {"type": "text_delta", "text": "Hi"})]
        stream = Answer([("text", "Hi")]).stream(MESSAGES)
        inside = []
        for index, (begun, *deltas) in enumerate(blocks):
            inside.append({"type": "content_block_start", "index": index, "content_block": begun})
            inside += [{"type": "content_block_delta", "index": index, "delta": d} for d in deltas]
            inside.append({"type": "content_block_stop", "index": index})
        stream = [stream[0], *inside, *stream[-2:]]
        got = self.ask(CHAT, MESSAGES, answers.request(CHAT, "Hi"), stream, True)
        message = {}
        for chunk in self.events(got, CHAT):
            for choice in chunk["choices"]:
                accumulate(message, choice["delta"])
        self.assertEqual(message["content"], "Hi")
        self.assertEqual(len(message["reasoning_details"]), 3)
        back = answers.request(CHAT, "Hi")
        back["messages"] += [message, {"role": "user", "content": "And?"}]
        turn = self.ask(CHAT, MESSAGES, back).asked["messages"][1]["content"]
        self.assertEqual([b["type"] for b in turn],
                         ["thinking", "redacted_thinking", "redacted_thinking", "text"])

    def test_several_texts_with_sources_in_a_stream(self):
        stream = Answer([("text", "Hi"), ("text", "you")]).stream(RESPONSES)
        for event in stream:
            items = [event.get("item") or {}, *(event.get("response") or {}).get("output", [])]
            for part in [p for i in items for p in i.get("content") or []]:
                if event["type"] != "response.output_item.added":
                    part["annotations"] = [{"type": "url_citation", "start_index": 0,
                                            "end_index": 2, "title": "A",
                                            "url": "https://a.example/" + part["text"]}]
        got = self.ask(CHAT, RESPONSES, answers.request(CHAT, "Hi"), stream, True)
        message = {}
        for chunk in self.events(got, CHAT):
            for choice in chunk["choices"]:
                accumulate(message, choice["delta"])
        self.assertEqual([a["url_citation"]["url"][-3:] for a in message["annotations"]],
                         ["/Hi", "you"])

    @upstreams_of(RESPONSES)
    def test_a_text_that_was_cut_is_not_done(self, upstream):
        stream = Answer([("text", "Hello there")]).stream(upstream)
        at = next(n for n, e in enumerate(stream) if "Hello" in json.dumps(e))
        body = b"".join(sse_events(stream[:at + 1], named=upstream == MESSAGES, done=False))
        got = self.ask(RESPONSES, upstream, answers.request(RESPONSES, "Hi"), Reply.sse(body),
                       True)
        kinds = [e["type"] for e in grammar.events(got.body)]
        self.assertEqual(kinds[-1], "response.failed")
        self.assertNotIn("response.output_text.done", kinds)
        self.assertFalse(got.response.complete)


class Failures(FiftyCase):
    """A failure has the same words whole and streamed."""

    FAILED = {"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "output": [],
              "status": "failed", "error": {"code": "server_error", "message": "boom"},
              "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}}

    @clients_of(RESPONSES)
    def test_a_response_that_failed(self, client):
        for whole in (self.FAILED, {**self.FAILED, "usage": None}):
            got = self.ask(client, RESPONSES, answers.request(client, "Hi"), Reply.json(whole),
                           status=500)
            self.assertEqual([str(f) for f in judge.error_shape(got.json(), client, 500)], [])
            self.assertEqual(got.json()["error"]["message"], "boom")

    @clients_of(GEMINI)
    def test_a_call_that_cannot_be_read(self, client):
        broken = Answer([]).whole(GEMINI)
        broken["candidates"][0]["finishReason"] = "MALFORMED_FUNCTION_CALL"
        got = self.ask(client, GEMINI, answers.request(client, "Hi"), Reply.json(broken),
                       status=502)
        self.assertEqual([str(f) for f in judge.error_shape(got.json(), client, 502)], [])
        self.assertEqual(got.json()["error"]["message"],
                         "The model made a tool call that cannot be read.")
        self.assertEqual(len(self.bench.vendor.received), 1)


# What says something wrong: (client, more of the request, path, what the message says).
PLAIN = {"type": "object", "properties": {"a": {"type": "string"}}}
WRONG = [
    (CHAT, {"messages": [{"role": "user", "content": 5}]}, "messages[0].content",
     "a string or an array"),
    (CHAT, {"messages": [{"role": "user"}]}, "messages[0].content", "nothing"),
    (CHAT, {"messages": [{"role": "user", "content": None}]}, "messages[0].content", "nothing"),
    (CHAT, {"messages": [{"role": "user", "content": []}]}, "messages[0].content", "nothing"),
    (CHAT, {"temperature": "hot"}, "temperature", "a number"),
    (CHAT, {"tool_choice": "required"}, "tool_choice", "no tool"),
    (RESPONSES, {"input": 5}, "input", "a string or an array"),
    (RESPONSES, {"input": [{"role": "user", "content": []}]}, "input[0].content", "nothing"),
    (MESSAGES, {"system": 5}, "system", "a string or an array"),
    (MESSAGES, {"messages": [{"role": "user", "content": 5}]}, "messages[0].content",
     "a string or an array"),
    (MESSAGES, {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
     "messages[0].content[0].text", "missing"),
    (MESSAGES, {"messages": [{"role": "user", "content": []}]}, "messages[0].content", "nothing"),
    (GEMINI, {"contents": [{"role": "user", "parts": [{}]}]}, "contents[0].parts[0]", "nothing"),
    (GEMINI, {"contents": [{"role": "user", "parts": []}]}, "contents[0].parts", "nothing"),
    (GEMINI, {"generationConfig": {"maxOutputTokens": "12"}}, "generationConfig.maxOutputTokens",
     "a whole number"),
]


class Words(FiftyCase):

    @all_pairs
    def test_what_is_wrong_is_told_by_its_path(self, client, upstream):
        for asker, more, path, words in WRONG:
            if asker == client:
                with self.subTest(path=path, words=words):
                    got = self.refused(client, upstream,
                                       {**answers.request(client, "Hi"), **more}, path)
                    error = got.json()["error"]
                    self.assertIn(path, error["message"])
                    self.assertIn(words, error["message"])
                    if client in (CHAT, RESPONSES):
                        self.assertEqual(error["code"], "invalid_value")

    @clients_of(MESSAGES, CHAT, GEMINI)
    def test_a_text_that_is_empty(self, client):
        asked = answers.request(client, "", system="Be brief.")
        path = "messages[0].content" if client == CHAT else "contents"
        if client == CHAT:
            path = next(f"messages[{n}].content" for n, m in enumerate(asked["messages"])
                        if m["role"] == "user")
        self.refused(client, MESSAGES, asked, path)

    @clients_of(MESSAGES, CHAT)
    def test_what_the_dialect_lacks_has_another_code(self, client):
        for more in ({"logit_bias": {"1": 5}}, {"unheard_of": 1}):
            got = self.refused(client, MESSAGES, {**answers.request(client, "Hi"), **more},
                               next(iter(more)))
            self.assertEqual(got.json()["error"]["code"], "unsupported_parameter")

    @clients_of(MESSAGES, CHAT)
    def test_arguments_that_are_json_but_no_object(self, client):
        call = {"id": "call_1", "type": "function",
                "function": {"name": "f", "arguments": "[1]"}}
        asked = {"messages": [{"role": "user", "content": "Hi"},
                              {"role": "assistant", "content": None, "tool_calls": [call]},
                              {"role": "tool", "tool_call_id": "call_1", "content": "x"}]}
        got = self.refused(client, MESSAGES, asked,
                           "messages[1].tool_calls[0].function.arguments")
        self.assertIn("no JSON object", got.json()["error"]["message"])

    @clients_of(MESSAGES, CHAT, RESPONSES, GEMINI)
    def test_any_json_has_no_schema_there(self, client):
        asked = answers.request(client, "Hi")
        path = {CHAT: "response_format", RESPONSES: "text.format",
                GEMINI: "generationConfig.responseMimeType"}[client]
        if client == CHAT:
            asked["response_format"] = {"type": "json_object"}
        elif client == RESPONSES:
            asked["text"] = {"format": {"type": "json_object"}}
        else:
            asked["generationConfig"] = {"responseMimeType": "application/json"}
        self.refused(client, MESSAGES, asked, path)


class Names(FiftyCase):
    """Relay-Lossy names the path that docs/conversion.md names."""

    @upstreams_of(MESSAGES, CHAT, RESPONSES)
    def test_a_result_that_failed(self, upstream):
        call = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
        result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "x",
                  "is_error": True}
        asked = answers.request(MESSAGES, "Hi")
        asked["messages"] += [{"role": "assistant", "content": [call]},
                              {"role": "user", "content": [result]}]
        self.assertEqual(self.ask(MESSAGES, upstream, asked).lossy,
                         ["messages[2].content[0].is_error"])

    @clients_of(RESPONSES)
    def test_a_tool_that_is_renamed(self, client):
        name = "f" * 70
        if client == CHAT:
            tool = {"type": "function", "function": {"name": name, "parameters": PLAIN}}
            path = "tools[0].function.name"
        elif client == MESSAGES:
            tool, path = {"name": name, "input_schema": PLAIN}, "tools[0].name"
        else:
            tool = {"functionDeclarations": [{"name": name, "parametersJsonSchema": PLAIN}]}
            path = "tools[0].functionDeclarations[0].name"
        asked = {**answers.request(client, "Hi"), "tools": [tool]}
        self.assertEqual(self.ask(client, RESPONSES, asked).lossy, [path])

    REFUSED = {
        CHAT: ([{"role": "user", "content": "a"}, {"role": "assistant", "refusal": "No."},
                {"role": "user", "content": "c"}], "messages[1].refusal"),
        RESPONSES: ([{"role": "user", "content": "a"},
                     {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
                     {"role": "user", "content": "c"}], "input[1].content[0].refusal"),
    }

    @all_pairs
    def test_refusals_of_earlier_turns(self, client, upstream):
        if client not in self.REFUSED:
            return
        turns, path = self.REFUSED[client]
        got = self.ask(client, upstream, {"messages" if client == CHAT else "input": turns})
        self.assertEqual(got.lossy, [] if upstream == RESPONSES else [path])
        self.assertIn("No.", json.dumps(got.asked))

    @upstreams_of(MESSAGES)
    def test_features_asked_for_by_a_header(self, upstream):
        asked = answers.request(MESSAGES, "Hi")
        beta = ("anthropic-beta", "context-1m-2025-08-07")
        self.assertEqual(self.ask(MESSAGES, upstream, asked, headers=[beta]).lossy,
                         ["anthropic-beta"])
        self.assertEqual(self.ask(MESSAGES, upstream, asked).lossy, [])

    def test_no_servers_are_none(self):
        asked = {**answers.request(MESSAGES, "Hi"), "mcp_servers": []}
        self.assertEqual(self.ask(MESSAGES, CHAT, asked).lossy, [])
        server = {"type": "url", "url": "https://a.example", "name": "a"}
        self.refused(MESSAGES, CHAT, {**asked, "mcp_servers": [server]}, "mcp_servers")

    def test_a_tool_without_arguments_is_not_strict(self):
        tool = {"type": "function", "name": "f", "parameters": {}}
        got = self.ask(RESPONSES, CHAT, {"input": "Hi", "tools": [tool]})
        self.assertNotIn("strict", got.asked["tools"][0]["function"])
        self.assertEqual(got.lossy, ["tools[0]"])


class Ends(FiftyCase):

    @clients_of(GEMINI)
    def test_an_answer_that_gemini_does_not_give(self, client):
        answer = Answer([("text", "Hal")])
        want = {CHAT: "content_filter", RESPONSES: "content_filter", MESSAGES: "refusal"}[client]
        for stream in (False, True):
            said = json.dumps(answer.either(GEMINI, stream)).replace('"STOP"', '"OTHER"')
            got = self.ask(client, GEMINI, answers.request(client, "Hi"), json.loads(said), stream)
            self.assertIn(want, json.dumps(self.whole(client, got, stream)))

    @upstreams_of(MESSAGES, CHAT, RESPONSES)
    def test_refusals_end_as_such(self, upstream):
        answer = Answer([("refusal", "I may not.")])
        for whole, read, _ in self.replies(MESSAGES, upstream, answers.request(MESSAGES, "Hi"),
                                           answer):
            self.assertEqual((whole["stop_reason"], read.text), ("refusal", "I may not."))


if __name__ == "__main__":
    unittest.main()
