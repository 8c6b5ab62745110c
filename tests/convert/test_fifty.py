# SPDX-License-Identifier: Apache-2.0
"""Fifty rules of conversion that relays break most often: the first twenty-one, and the table.

Each test is of one rule; its number is in its name. Those about streams and clients are here, those
about fields in test_fields.py, those about limits of vendors and failures in test_edges.py.
"""
import copy
import importlib
import json
import threading
import unittest

from tests.convert import answers
from tests.convert.answers import Answer
from tests.convert.fifty import (GEMINI_3, OTHER_CLAUDE, TOOLS, WEATHER, FiftyCase, all_pairs,
                                 clients_of, text_of, upstreams_of)
from tests.convert.harness import SPOKEN
from tests.peer import grammar, meaning
from tests.peer.fold import fold
from tests.peer.recordings import CHAT, GEMINI, MESSAGES, RESPONSES
from tests.peer.reply import Reply, sse_events
from tests.peer.wait import PATIENCE_S

HERE, FIELDS, EDGES = ("tests.convert.test_fifty.Fifty", "tests.convert.test_fields.Fields",
                       "tests.convert.test_edges.Edges")
# Where each rule is tested.
RULES = {
    **{n: HERE for n in range(1, 22)}, **{n: FIELDS for n in range(22, 37)},
    **{n: EDGES for n in range(37, 51)},
}
NOT_SOLD = {47: "images, audio and multipart are no endpoints of the station"}

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
HISTORY = Answer([("text", "I look."), ("call", "call_a", "weather", '{"city":"Oslo"}'),
                  ("call", "call_b", "weather", '{"city":"Rome"}')])


def chat_sse(*events, done=True):
    return Reply.sse(b"".join(sse_events(events, done=done)))


class Fifty(FiftyCase):

    @upstreams_of(MESSAGES)
    def test_01_reasoning_then_text_are_blocks_of_their_own(self, upstream):
        answer = Answer([("reasoning", "So I think"), ("text", "Hello you")], reasoning=4)
        got = self.ask(MESSAGES, upstream, answers.request(MESSAGES, "Hi"),
                       answer.stream(upstream), stream=True)
        starts = [(e["index"], e["content_block"]["type"]) for e in self.events(got, MESSAGES)
                  if e["type"] == "content_block_start"]
        self.assertEqual(starts, [(0, "thinking"), (1, "text")])

    def test_02_one_message_start(self):
        first = Answer([]).chunk({"role": "assistant", "content": ""})
        chunks = Answer([("text", "Hello")]).stream(CHAT)
        for events in ([first, first, *chunks], [{**first, "choices": []}, *chunks],
                       [c if not c["choices"] else {**c, "choices": [
                           {**c["choices"][0], "delta": {"role": "assistant",
                                                         **c["choices"][0]["delta"]}}]}
                        for c in chunks]):
            self.need(MESSAGES, CHAT)
            got = self.ask(MESSAGES, CHAT, answers.request(MESSAGES, "Hi"), events, stream=True)
            kinds = [e["type"] for e in self.events(got, MESSAGES)]
            self.assertEqual(kinds.count("message_start"), 1)
            self.assertEqual(fold(MESSAGES, grammar.events(got.body))["content"],
                             [{"type": "text", "text": "Hello"}])

    @clients_of(CHAT)
    def test_03_no_usage_after_the_finish(self, client):
        """Neither its absence nor a vendor that then says nothing at all keeps the end back."""
        chunks = Answer([("text", "Hello")]).stream(CHAT)[:-1]      # without the usage chunk
        marks = {MESSAGES: b"message_stop", RESPONSES: b"response.completed", GEMINI: b'"STOP"'}
        got = self.ask(client, CHAT, answers.request(client, "Hi"), chunks, stream=True)
        self.assertEqual(meaning.reply(client, self.whole(client, got, True)).text, "Hello")
        gate = threading.Event()
        self.addCleanup(gate.set)
        reply = Reply.sse([*sse_events(chunks), gate])
        raw, response = self.bench.open(client, CHAT, answers.request(client, "Hi"), reply)
        with raw:
            self.assertTrue(raw.until(response, marks[client], PATIENCE_S), response)
        gate.set()

    @clients_of(GEMINI)
    def test_04_a_gemini_call_and_the_stop_behind_it(self, client):
        chunks = Answer([("call", None, "weather", '{"city":"Oslo"}')]).stream(GEMINI)
        chunks[-1]["candidates"][0]["content"] = {"role": "model"}
        self.assertEqual(chunks[-1]["candidates"][0]["finishReason"], "STOP")
        got = self.ask(client, GEMINI, answers.request(client, "Hi", tools=TOOLS), chunks,
                       stream=True)
        self.assertEqual(meaning.reply(client, self.whole(client, got, True)).finish, "tool")

    @clients_of(GEMINI)
    def test_05_three_gemini_calls_one_a_chunk(self, client):
        answer = Answer([("call", None, "weather", json.dumps({"city": c})) for c in "ABC"])
        for whole, read, _ in self.replies(client, GEMINI,
                                           answers.request(client, "Hi", tools=TOOLS), answer):
            self.assertEqual(read.all("call"), [["weather", {"city": c}] for c in "ABC"])
            self.assertEqual(len(set(call_ids(client, whole))), 3, whole)

    @clients_of(GEMINI)
    def test_06_thought_signatures_survive_three_turns(self, client):
        """Through any client, and to the model that made them."""
        asked = answers.request(client, "Hi", tools=TOOLS)
        made = []
        for turn in range(3):
            made.append(f"c2lnbmF0dXJl{turn}AAA")
            answer = Answer([("call", None, "weather", '{"city":"Oslo"}', made[-1])])
            got = self.ask(client, GEMINI, asked, answer.either(GEMINI, turn % 2 == 1),
                           stream=turn % 2 == 1, vendor_model=GEMINI_3)
            whole = self.whole(client, got, turn % 2 == 1)
            asked = answers.next_turn(client, asked, whole, ["rain"])
        sent = self.sent(client, GEMINI, asked, vendor_model=GEMINI_3)
        self.assertEqual(signatures(sent), made)

    @clients_of(GEMINI)
    def test_06_history_without_signatures_has_the_sentinel_once_a_step(self, client):
        asked = answers.next_turn(client, answers.request(client, "Hi", tools=TOOLS),
                                  HISTORY.whole(client), ["rain", "sun"])
        sent = self.sent(client, GEMINI, asked, vendor_model=GEMINI_3)
        calls = [p for c in sent["contents"] for p in c["parts"] if "functionCall" in p]
        self.assertEqual([p.get("thoughtSignature") for p in calls],
                         ["skip_thought_signature_validator", None])

    @clients_of(MESSAGES)
    def test_07_thinking_comes_back_to_its_model_alone(self, client):
        answer = Answer([("reasoning", "So I think", "c2lnbmVk"),
                         ("call", "toolu_1", "weather", '{"city":"Oslo"}')])
        asked = answers.request(client, "Hi", tools=TOOLS)
        if client == GEMINI:
            asked["generationConfig"]["thinkingConfig"] = {"includeThoughts": True}
        for whole, read, _ in self.replies(client, MESSAGES, asked, answer):
            self.assertEqual(read.reasoning, "So I think")
            later = answers.next_turn(client, asked, whole, ["rain"])
            sent = self.sent(client, MESSAGES, later)
            self.assertEqual(sent["messages"][1]["content"][0], {
                "type": "thinking", "thinking": "So I think", "signature": "c2lnbmVk"})
            sent = self.sent(client, MESSAGES, later, vendor_model=OTHER_CLAUDE)
            self.assertEqual([b["type"] for b in sent["messages"][1]["content"]], ["tool_use"])
            self.assertNotIn("c2lnbmVk", text_of(sent))

    @clients_of(CHAT, MESSAGES, RESPONSES)
    def test_08_reasoning_content_comes_back_on_every_turn(self, client):
        for model in ("deepseek-v4", "kimi-k2"):
            asked = answers.request(client, "Hi", tools=TOOLS)
            if client == MESSAGES:
                asked["thinking"] = {"type": "enabled", "budget_tokens": 1024}
            else:
                asked["include"] = ["reasoning.encrypted_content"]
            for turn in range(3):
                answer = Answer([("reasoning", f"Thought {turn}"),
                                 ("call", f"call_{turn}", "weather", '{"city":"Oslo"}')],
                                model=model)
                got = self.ask(client, CHAT, asked, answer.stream(CHAT), stream=True,
                               name=model)
                whole = self.whole(client, got, True)
                asked = answers.next_turn(client, asked, whole, ["rain"])
            sent = self.ask(client, CHAT, asked, Answer([("text", "x")]).whole(CHAT),
                            name=model).asked
            thoughts = [m.get("reasoning_content") for m in sent["messages"]
                        if m["role"] == "assistant"]
            self.assertEqual(thoughts, ["Thought 0", "Thought 1", "Thought 2"], model)

    @clients_of(CHAT, MESSAGES, RESPONSES)
    def test_08_a_client_that_drops_reasoning_does_not_break_the_loop(self, client):
        asked = answers.next_turn(client, answers.request(client, "Hi", tools=TOOLS),
                                  HISTORY.whole(client), ["rain", "sun"])
        sent = self.ask(client, CHAT, asked, Answer([("text", "x")]).whole(CHAT),
                        name="deepseek-v4").asked
        turns = [m for m in sent["messages"] if m["role"] == "assistant"]
        self.assertTrue(all(isinstance(m.get("reasoning_content"), str) for m in turns), turns)

    PATCH = "*** Begin Patch\n*** Update File: a.py\n-x = \"1\"\n+x = \"2\"\n*** End Patch\n"

    def patch_tool(self, name="apply_patch"):
        return {"type": "custom", "name": name, "description": "Edits files",
                "format": {"type": "grammar", "syntax": "lark", "definition": "start: /x+/"}}

    @upstreams_of(RESPONSES)
    def test_09_freeform_tools(self, upstream):
        asked = answers.request(RESPONSES, "Hi")
        asked["tools"] = [self.patch_tool()]
        sent = self.sent(RESPONSES, upstream, asked)
        tool = meaning.request(upstream, sent).tools[0]
        self.assertEqual(tool.name, "apply_patch")
        self.assertEqual(tool.schema["properties"]["input"]["type"], "string")
        self.assertEqual(list(tool.schema["properties"]), ["input"])
        answer = Answer([("call", "call_1", "apply_patch", json.dumps({"input": self.PATCH}))])
        for whole, _, _ in self.replies(RESPONSES, upstream, asked, answer):
            item = whole["output"][-1]
            self.assertEqual((item["type"], item["name"], item["input"]),
                             ("custom_tool_call", "apply_patch", self.PATCH))
            later = answers.next_turn(RESPONSES, asked, whole, ["done"])
            back = meaning.request(upstream, self.sent(RESPONSES, upstream, later))
            self.assertIn(["apply_patch", {"input": self.PATCH}],
                          [i.value for i in back.items if i.what == "call"])

    @upstreams_of(RESPONSES)
    def test_09_freeform_tools_in_a_namespace(self, upstream):
        asked = answers.request(RESPONSES, "Hi")
        asked["tools"] = [{"type": "namespace", "name": "files", "description": "Files",
                           "tools": [self.patch_tool("patch"),
                                     {"type": "function", "name": "read",
                                      "description": "Reads", "strict": False,
                                      "parameters": WEATHER}]}]
        sent = self.sent(RESPONSES, upstream, asked)
        names = [t.name for t in meaning.request(upstream, sent).tools]
        self.assertEqual(len(names), 2)
        answer = Answer([("call", "call_1", names[0], json.dumps({"input": self.PATCH})),
                         ("call", "call_2", names[1], '{"city":"Oslo"}')])
        for whole, _, _ in self.replies(RESPONSES, upstream, asked, answer):
            kinds = [(i["type"], i["name"], i.get("namespace")) for i in whole["output"]]
            self.assertEqual(kinds, [("custom_tool_call", "patch", "files"),
                                     ("function_call", "read", "files")])
            self.assertEqual(whole["output"][0]["input"], self.PATCH)

    @upstreams_of(RESPONSES)
    def test_10_the_whole_list_of_tools_that_codex_sends(self, upstream):
        asked = answers.request(RESPONSES, "Hi", tools=TOOLS)
        asked["tools"] += [
            self.patch_tool(), {"type": "web_search"},
            {"type": "tool_search", "execution": "client", "description": "Finds tools",
             "parameters": WEATHER},
            {"type": "namespace", "name": "agents", "description": "Agents", "tools": [
                {"type": "function", "name": "spawn", "description": "Starts one",
                 "strict": False, "parameters": WEATHER}]}]
        got = self.ask(RESPONSES, upstream, asked)
        names = {t.name for t in meaning.request(upstream, got.asked).tools}
        self.assertLessEqual({"weather", "apply_patch"}, names)
        self.assertTrue(any("spawn" in name for name in names), names)
        self.assertIn("tools[2]", [path[:8] for path in got.lossy])

    @upstreams_of(MESSAGES)
    def test_11_system_in_the_middle_stays_there(self, upstream):
        asked = answers.request(MESSAGES, "One", system="First.")
        asked["messages"] += [{"role": "assistant", "content": "Yes."},
                              {"role": "user", "content": "Two"},
                              {"role": "system", "content": [{"type": "text", "text": "LATER"}]}]
        items = meaning.request(upstream, self.sent(MESSAGES, upstream, asked)).items
        texts = [i.value for i in items]
        at = next(n for n, text in enumerate(texts) if "LATER" in text)
        self.assertEqual(at, len(texts) - 1, texts)
        self.assertNotIn("LATER", texts[0])

    @upstreams_of(MESSAGES, CHAT, RESPONSES)
    def test_12_output_config_of_a_message_passes(self, upstream):
        asked = answers.request(MESSAGES, "One")
        asked["messages"].append({"role": "system", "content": "Now think.",
                                  "output_config": {"effort": "low"}})
        beta = ("anthropic-beta", "per-turn-control-2026-07-01")
        got = self.ask(MESSAGES, MESSAGES, asked, headers=[beta])
        self.assertEqual(got.asked["messages"], asked["messages"])
        self.assertEqual(got.received.get("anthropic-beta"), beta[1])
        sent = meaning.request(upstream, self.sent(MESSAGES, upstream, asked, headers=[beta]))
        self.assertEqual(sent.get("effort"), "low")

    @upstreams_of(MESSAGES)
    def test_13_images_in_results_are_seen(self, upstream):
        asked = answers.next_turn(MESSAGES, answers.request(MESSAGES, "Hi", tools=TOOLS),
                                  HISTORY.whole(MESSAGES), ["rain", "sun"])
        asked["messages"][-1]["content"][0]["content"] = [
            {"type": "text", "text": "a picture"},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png",
                                         "data": PNG + "=="}}]
        sent = self.sent(MESSAGES, upstream, asked)
        items = meaning.request(upstream, sent).items
        images = [i.value for i in items if i.what == "image"]
        self.assertEqual([value[1] for value in images], ["image/png"], sent)
        self.assertIn("a picture", text_of([i.value for i in items if i.what == "result"]))
        self.assertEqual(meaning.request(upstream, sent).faults, [])

    @upstreams_of(MESSAGES, CHAT)
    def test_14_results_come_before_the_text_of_their_turn(self, _upstream):
        asked = answers.next_turn(MESSAGES, answers.request(MESSAGES, "Hi", tools=TOOLS),
                                  HISTORY.whole(MESSAGES), ["rain", "sun"])
        asked["messages"][-1]["content"].insert(0, {"type": "text", "text": "By the way"})
        roles = [m["role"] for m in self.sent(MESSAGES, CHAT, asked)["messages"]]
        self.assertEqual(roles, ["user", "assistant", "tool", "tool", "user"])

    @clients_of(MESSAGES, CHAT, RESPONSES)
    def test_15_results_and_text_are_one_message(self, client):
        asked = answers.next_turn(client, answers.request(client, "Hi", tools=TOOLS),
                                  HISTORY.whole(client), ["rain", "sun"], "And now?")
        sent = self.sent(client, MESSAGES, asked)
        self.assertEqual([m["role"] for m in sent["messages"]], ["user", "assistant", "user"])
        self.assertEqual([b["type"] for b in sent["messages"][-1]["content"]],
                         ["tool_result", "tool_result", "text"])
        self.assertEqual([b.get("tool_use_id") for b in sent["messages"][-1]["content"][:2]],
                         [b["id"] for b in sent["messages"][1]["content"][-2:]])

    @all_pairs
    def test_16_a_vendor_that_dies_is_no_success(self, client, upstream):
        answer = Answer([("text", "Hello you, there is more to come")])
        events = answer.stream(upstream)
        frames = sse_events(events, named=upstream in (RESPONSES, MESSAGES))
        for last in {GEMINI: (1, 2), RESPONSES: (3, 4)}.get(upstream, (2, 3)):  # with content
            dying = Reply.sse(b"".join(frames), cut=len(b"".join(frames[:last])))
            got = self.ask(client, upstream, answers.request(client, "Hi"), dying, stream=True)
            found, failed = grammar.check(client, got.body, True)
            self.assertEqual(found, [], got.body[-400:])
            self.assertIsNotNone(failed, got.body[-400:])
            self.assertFalse(got.response.complete)
            for word in (b"end_turn", b'"finish_reason":"', b"response.completed", b'"STOP"'):
                self.assertNotIn(word, got.body)

    @all_pairs
    def test_16_a_vendor_that_says_so_is_no_success(self, client, upstream):
        frames = sse_events(Answer([("text", "Hello you")]).stream(upstream),
                            named=upstream in (RESPONSES, MESSAGES),
                            end="\r\n\r\n" if upstream == GEMINI else "\n\n")[:4]
        frames.append(FAILURES[upstream])
        got = self.ask(client, upstream, answers.request(client, "Hi"),
                       Reply.sse(b"".join(frames)), stream=True)
        found, failed = grammar.check(client, got.body, True)
        self.assertEqual(found, [], got.body[-400:])
        self.assertIn("it died inside", text_of(failed))

    @clients_of(RESPONSES)
    def test_17_no_done_behind_a_response(self, client):
        for whole, read, got in self.replies(client, RESPONSES, answers.request(client, "Hi"),
                                             Answer([("text", "Hello")])):
            self.assertEqual((read.text, read.finish), ("Hello", "stop"))
            self.assertTrue(got.response.complete)

    @upstreams_of(RESPONSES)
    def test_18_responses_that_strict_clients_take(self, upstream):
        answer = Answer([("reasoning", "So"), ("text", "Hello"),
                         ("call", "call_1", "weather", '{"city":"Oslo"}')], reasoning=3, read=5)
        got = self.ask(RESPONSES, upstream, answers.request(RESPONSES, "Hi", tools=TOOLS),
                       answer.stream(upstream), stream=True)
        events = self.events(got, RESPONSES)
        kinds = [e["type"].removeprefix("response.") for e in events]
        for kind in ("output_text.done", "content_part.done", "output_item.done",
                     "function_call_arguments.done"):
            self.assertIn(kind, kinds)
        end = events[-1]["response"]
        self.assertTrue(end["id"].startswith("resp_"))
        self.assertEqual([i["id"].partition("_")[0] for i in end["output"]],
                         ["rs", "msg", "fc"])
        self.assertEqual(end["usage"]["output_tokens_details"]["reasoning_tokens"], 3)
        self.assertEqual(end["usage"]["input_tokens_details"]["cached_tokens"], 5)

    @all_pairs
    def test_19_every_end_is_legal_and_counted(self, client, upstream):
        """Also where the vendor's word is none of its dialect's."""
        odd = {CHAT: ["eos", "", "function_call", "end_turn", "MODEL_ARMOR"],
               MESSAGES: ["", "max_output"], GEMINI: ["MODEL_ARMOR", "OTHER", "stop"],
               RESPONSES: [None]}
        for word in odd[upstream]:
            events = Answer([("text", "Hello")]).stream(upstream)
            if upstream == CHAT:
                events[-2]["choices"][0]["finish_reason"] = word
            elif upstream == MESSAGES:
                events[-2]["delta"]["stop_reason"] = word
            elif upstream == GEMINI:
                events[-1]["candidates"][0]["finishReason"] = word
            got = self.ask(client, upstream, answers.request(client, "Hi"), events, stream=True)
            self.assertEqual(grammar.violations(client, got.body, True), [],
                             (word, got.body[-300:]))

    @all_pairs
    def test_20_cached_input_is_counted_once(self, client, upstream):
        counts = {"total_in": 1000, "read": 600, "write": 150, "out": 50, "reasoning": 20}
        if upstream == GEMINI:
            counts = {**counts, "write": 0}     # it has no such count
        else:
            counts = {**counts, "write": 150}
        answer = Answer([("reasoning", "So"), ("text", "Hello")], **counts)
        for whole, read, _ in self.replies(client, upstream, answers.request(client, "Hi"),
                                           answer):
            expected = answers.usage(client, **counts)
            name = "usageMetadata" if client == GEMINI else "usage"
            for key, value in leaves(expected).items():
                self.assertEqual(leaves(whole[name]).get(key, 0), value, (key, whole[name]))

    @clients_of(GEMINI)
    def test_21_gemini_counts(self, client):
        answer = Answer([("text", "Hello")], total_in=100, out=30, reasoning=30)
        for stream in (False, True):
            given = copy.deepcopy(answer.either(GEMINI, stream))
            for chunk in given if stream else [given]:
                del chunk["usageMetadata"]["candidatesTokenCount"]
            got = self.ask(client, GEMINI, answers.request(client, "Hi"), given, stream)
            usage = meaning.reply(client, self.whole(client, got, stream)).usage
            self.assertEqual((usage.fresh, usage.out, usage.reasoning, usage.state),
                             (100, 0, 30, "ok"))

    def test_all_fifty_are_here(self):
        for number in range(1, 51):
            if number in NOT_SOLD:
                continue
            module, _, name = RULES[number].rpartition(".")
            case = getattr(importlib.import_module(module), name)
            self.assertTrue([m for m in dir(case) if m.startswith(f"test_{number:02}_")], number)


FAILURES = {
    CHAT: b'data: {"error":{"message":"it died inside","type":"server_error","param":null,'
          b'"code":null}}\n\n',
    RESPONSES: b'event: response.failed\ndata: {"type":"response.failed","sequence_number":4,'
               b'"response":{"id":"resp_7","object":"response","status":"failed","output":[],'
               b'"error":{"code":"server_error","message":"it died inside"}}}\n\n',
    MESSAGES: b'event: error\ndata: {"type":"error","error":{"type":"api_error",'
              b'"message":"it died inside"}}\n\n',
    GEMINI: b'data: {"error":{"code":500,"message":"it died inside","status":"INTERNAL"}}\r\n\r\n',
}


def call_ids(dialect, whole):
    if dialect == CHAT:
        return [c["id"] for c in whole["choices"][0]["message"]["tool_calls"]]
    if dialect == RESPONSES:
        return [i["call_id"] for i in whole["output"] if "call_id" in i]
    return [b["id"] for b in whole["content"] if b["type"] == "tool_use"]


def leaves(usage):
    """Every number of a usage object by its path; what is not said is zero."""
    out = {}
    for key, value in usage.items():
        if isinstance(value, dict):
            out.update({f"{key}.{k}": v for k, v in value.items() if v is not None})
        else:
            out[key] = value or 0
    return out


def signatures(sent):
    """The signatures of a Gemini request's calls."""
    return [p.get("thoughtSignature") for c in sent["contents"] for p in c["parts"]
            if "functionCall" in p]


assert set(RULES) == set(range(1, 51)) and len(SPOKEN) == 4

if __name__ == "__main__":
    unittest.main()
