# SPDX-License-Identifier: Apache-2.0
"""What vendors do beside their dialects' grammar, and is read all the same: each deviation gives
the client exactly the stream that the regular one gives."""
import copy
import json
import re
import unittest

from tests.convert import answers
from tests.convert.answers import Answer
from tests.convert.fifty import TOOLS, FiftyCase, all_pairs, clients_of
from tests.convert.harness import wire
from tests.peer import grammar, meaning
from tests.peer.fold import fold
from tests.peer.recordings import CHAT, GEMINI, MESSAGES, RESPONSES
from tests.peer.reply import Reply

REGULAR = Answer([("reasoning", "So I think"), ("text", "Hello you"),
                  ("call", "call_1", "weather", '{"city":"Oslo"}')], reasoning=3)


def chunks_of(events):
    """The chunks that have a choice."""
    return [e for e in events if e["choices"]]


# Chat completions: each changes a list of chunks in place, or answers another.

def usage_in_the_last_choice(events):
    events[-2]["usage"] = events.pop()["usage"]


def usage_in_every_chunk(events):
    for event in events:
        event["usage"] = events[-1]["usage"]


def usage_in_the_choice(events):
    events[-2]["choices"][0]["usage"] = events.pop()["usage"]


def role_in_every_chunk(events):
    for event in chunks_of(events):
        event["choices"][0]["delta"]["role"] = "assistant"


def null_content_beside_reasoning(events):
    for event in chunks_of(events):
        delta = event["choices"][0]["delta"]
        if "reasoning_content" in delta or "tool_calls" in delta:
            delta["content"] = None


def reasoning_by_its_other_name(events):
    for event in chunks_of(events):
        delta = event["choices"][0]["delta"]
        if "reasoning_content" in delta:
            delta["reasoning"] = delta.pop("reasoning_content")


def filters_first(events):
    events.insert(0, {**events[0], "choices": [], "prompt_filter_results": [{"prompt_index": 0}]})


def whole_call_in_one_delta(events):
    calls = [n for n, e in enumerate(events) if e["choices"]
             and "tool_calls" in e["choices"][0]["delta"]]
    for n in reversed(calls[1:]):
        del events[n]
    events[calls[0]]["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"] = \
        '{"city":"Oslo"}'


def call_without_index(events):
    for event in chunks_of(events):
        for call in event["choices"][0]["delta"].get("tool_calls") or []:
            del call["index"]


def call_index_from_one(events):
    for event in chunks_of(events):
        for call in event["choices"][0]["delta"].get("tool_calls") or []:
            call["index"] += 1


def call_id_and_name_in_every_delta(events):
    for event in chunks_of(events):
        for call in event["choices"][0]["delta"].get("tool_calls") or []:
            call.update(id="call_1", type="function")
            call["function"]["name"] = "weather"


def empty_ids_later(events):
    first = True
    for event in chunks_of(events):
        for call in event["choices"][0]["delta"].get("tool_calls") or []:
            if not first:
                call.update(id="", type="function")
                call["function"]["name"] = ""
            first = False


def name_behind_the_id(events):
    at = next(n for n, e in enumerate(events) if e["choices"]
              and "tool_calls" in e["choices"][0]["delta"])
    named = copy.deepcopy(events[at])
    del events[at]["choices"][0]["delta"]["tool_calls"][0]["function"]["name"]
    named["choices"][0]["delta"]["tool_calls"][0].pop("id")
    events.insert(at + 1, named)


def null_arguments_first(events):
    at = next(e for e in chunks_of(events) if "tool_calls" in e["choices"][0]["delta"])
    at["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"] = None


def arguments_as_an_object(events):
    whole_call_in_one_delta(events)
    at = next(e for e in chunks_of(events) if "tool_calls" in e["choices"][0]["delta"])
    at["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"] = {"city": "Oslo"}


def finish_beside_the_last_delta(events):
    finish = events.pop(-2)["choices"][0]["finish_reason"]
    events[-2]["choices"][0]["finish_reason"] = finish


def empty_chunk_behind_the_finish(events):
    events.insert(len(events) - 1, Answer([]).chunk({"content": ""}))


def finish_twice(events):
    events.insert(len(events) - 1, copy.deepcopy(events[-2]))


def nothing_but_deltas(events):
    for event in events:
        for key in ("id", "object", "created"):
            event.pop(key, None)


def null_created(events):
    for event in events:
        event["created"] = None


def no_finish_key(events):
    for event in chunks_of(events)[:-1]:
        del event["choices"][0]["finish_reason"]


def empty_finish(events):
    for event in chunks_of(events)[:-1]:
        event["choices"][0]["finish_reason"] = ""


def keys_that_nobody_knows(events):
    for event in events:
        event.update(provider="x", x_groq={"id": "1"}, obfuscation="abc", system_fingerprint=None)


CHAT_WAYS = [v for k, v in list(globals().items()) if callable(v) and getattr(
    v, "__module__", "") == __name__ and v.__code__.co_varnames[:1] == ("events",)]


# The bytes of any stream

BYTE_WAYS = {
    "comments": lambda body, _: b": PROCESSING\n\n" + body.replace(b"\n\n", b"\n\n: x\n\n", 2),
    "CRLF": lambda body, _: body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),
    "LF": lambda body, _: body.replace(b"\r\n", b"\n"),
    "no space": lambda body, _: body.replace(b"data: ", b"data:"),
    "retry and id lines": lambda body, _: b"retry: 3000\n" + body.replace(
        b"data: ", b"id: 1\ndata: ", 1),
    "[DONE] where there is none": lambda body, d: body if d == CHAT else
    body + b"data: [DONE]\n\n",
    "no event lines": lambda body, d: body if d in (CHAT, GEMINI) else
    re.sub(rb"event: [^\n]*\n", b"", body),
    "spaces before the last brace": lambda body, _: re.sub(rb"}(\r?\n)", rb"   }\1", body),
    "data over two lines": lambda body, _: re.sub(rb"data: {", b"data: {\ndata: ", body),
}


# Responses, Messages, Gemini

def responses_queued(events):
    first = {**copy.deepcopy(events[0]), "type": "response.queued"}
    events.insert(1, first)


def responses_obfuscated(events):
    for event in events:
        if event["type"].endswith(".delta"):
            event["obfuscation"] = "xyz"


def responses_texts_in_done_alone(events):
    events[:] = [e for e in events if not e["type"].endswith(".delta")]


def responses_ids_that_rotate(events):
    for number, event in enumerate(events):
        if "item_id" in event:
            event["item_id"] = f"rotated_{number}"


def responses_strange_events(events):
    events.insert(3, {"type": "response.something_new", "sequence_number": 99})


def messages_usage_in_full(events):
    start = next(e for e in events if e["type"] == "message_start")["message"]["usage"]
    end = next(e for e in events if e["type"] == "message_delta")
    end["usage"] = {**start, **end["usage"]}


def messages_pings(events):
    for at in (5, 3, 1):
        events.insert(at, {"type": "ping"})


def messages_strange_events(events):
    events.insert(3, {"type": "something_new", "index": 0})


def messages_whole_input_at_the_start(events):
    """No vendor of ours does, but compatible ones do."""
    at = next(n for n, e in enumerate(events) if e["type"] == "content_block_start"
              and e["content_block"]["type"] == "tool_use")
    events[at]["content_block"]["input"] = {"city": "Oslo"}
    events[:] = [e for e in events if not (e["type"] == "content_block_delta"
                                           and e["delta"]["type"] == "input_json_delta")]


def gemini_no_content_at_the_end(events):
    del events[-1]["candidates"][0]["content"]


def gemini_no_parts_at_the_end(events):
    events[-1]["candidates"][0]["content"] = {"role": "model"}


def gemini_no_roles(events):
    for event in events:
        event["candidates"][0]["content"].pop("role")


def gemini_no_index(events):
    for event in events:
        event["candidates"][0].pop("index")


def gemini_chunks_of_ids_and_usage(events):
    events.insert(1, {"responseId": "r7", "modelVersion": events[0]["modelVersion"]})
    events.append({"usageMetadata": events[0]["usageMetadata"], "responseId": "r7"})


def gemini_usage_at_the_end_alone(events):
    for event in events[:-1]:
        del event["usageMetadata"]


def gemini_empty_texts(events):
    events.insert(1, copy.deepcopy(events[-1]))
    del events[1]["candidates"][0]["finishReason"]


def gemini_stop_beside_the_call(events):
    events.pop()
    events[-1]["candidates"][0]["finishReason"] = "STOP"


OTHER_WAYS = {dialect: [v for k, v in list(globals().items()) if k.startswith(dialect + "_")
                        and callable(v)] for dialect in (RESPONSES, MESSAGES, GEMINI)}


class AcceptsTest(FiftyCase):

    def client_has(self, client, upstream, reply, stream=True):
        """(parts, finish, usage) of what the client got; a stream that breaks no rule."""
        asked = answers.request(client, "Hi", tools=TOOLS)
        if client == GEMINI:
            asked["generationConfig"]["thinkingConfig"] = {"includeThoughts": True}
        got = self.ask(client, upstream, asked, reply, stream)
        read = meaning.reply(client, self.whole(client, got, stream))
        return read.reasoning, read.text, read.all("call"), read.finish, str(read.usage)

    EXPECTED = ("So I think", "Hello you", [["weather", {"city": "Oslo"}]], "tool")

    @clients_of(CHAT)
    def test_chat_vendors(self, client):
        for way in CHAT_WAYS:
            with self.subTest(way=way.__name__, client=client):
                events = REGULAR.stream(CHAT)
                way(events)
                self.assertEqual(self.client_has(client, CHAT, events)[:4], self.EXPECTED)

    @clients_of(RESPONSES)
    def test_responses_vendors(self, client):
        self.others(client, RESPONSES)

    @clients_of(MESSAGES)
    def test_messages_vendors(self, client):
        self.others(client, MESSAGES)

    @clients_of(GEMINI)
    def test_gemini_vendors(self, client):
        self.others(client, GEMINI)

    def others(self, client, upstream):
        regular = self.client_has(client, upstream, REGULAR.stream(upstream))
        self.assertEqual(regular[:4], self.EXPECTED)
        for way in OTHER_WAYS[upstream]:
            with self.subTest(way=way.__name__, client=client):
                events = REGULAR.stream(upstream)
                way(events)
                self.assertEqual(self.client_has(client, upstream, events), regular)

    @all_pairs
    def test_bytes_of_streams(self, client, upstream):
        body = wire(upstream, REGULAR.stream(upstream)).content()
        regular = self.client_has(client, upstream, Reply.sse(body))
        for name, way in BYTE_WAYS.items():
            with self.subTest(way=name, client=client, upstream=upstream):
                reply = Reply.sse(way(body, upstream))
                self.assertEqual(self.client_has(client, upstream, reply), regular)

    @all_pairs
    def test_a_whole_answer_to_who_asked_for_a_stream(self, client, upstream):
        reply = Reply.json(REGULAR.whole(upstream))
        self.assertEqual(self.client_has(client, upstream, reply)[:4], self.EXPECTED)

    @all_pairs
    def test_a_stream_to_who_asked_for_a_whole_answer(self, client, upstream):
        reply = wire(upstream, REGULAR.stream(upstream))
        self.assertEqual(self.client_has(client, upstream, reply, False)[:4], self.EXPECTED)

    @all_pairs
    def test_content_types_that_lie(self, client, upstream):
        body = wire(upstream, REGULAR.stream(upstream)).content()
        reply = Reply(200, body, content_type="application/json", framing="chunked")
        self.assertEqual(self.client_has(client, upstream, reply)[:4], self.EXPECTED)

    @clients_of(GEMINI)
    def test_gemini_arrays(self, client):
        body = json.dumps(REGULAR.stream(GEMINI), indent=2).encode()
        reply = Reply(200, body, content_type="application/json; charset=UTF-8")
        for stream in (True, False):
            self.assertEqual(self.client_has(client, GEMINI, reply, stream)[:4], self.EXPECTED)

    @clients_of(CHAT)
    def test_calls_that_interleave(self, client):
        """A client whose dialect cannot interleave gets one call after the other."""
        make = Answer([], finish="tool").chunk

        def piece(index, text=None, call_id=None):
            call = {"index": index, "function": {"arguments": text or ""}}
            if call_id:
                call.update(id=call_id, type="function")
                call["function"]["name"] = "weather"
            return make({"tool_calls": [call]})

        events = [make({"role": "assistant", "content": ""}), piece(0, call_id="call_a"),
                  piece(1, call_id="call_b"), piece(0, '{"city":'), piece(1, '{"city":'),
                  make({"content": "Wait"}), piece(1, '"B"}'), piece(0, '"A"}'),
                  make({}, "tool_calls")]
        got = self.client_has(client, CHAT, events)
        self.assertEqual(got[1:4], ("Wait", [["weather", {"city": "A"}],
                                             ["weather", {"city": "B"}]], "tool"))

    @clients_of(CHAT)
    def test_no_done_behind_a_finish(self, client):
        body = wire(CHAT, REGULAR.stream(CHAT)).content().replace(b"data: [DONE]\n\n", b"")
        self.assertEqual(self.client_has(client, CHAT, Reply.sse(body))[:4], self.EXPECTED)

    @clients_of(CHAT)
    def test_content_behind_the_finish(self, client):
        """Not lost, where the client's dialect has not ended."""
        events = Answer([("text", "Hello")]).stream(CHAT)
        events.insert(len(events) - 1, Answer([]).chunk({"content": " you"}))
        got = self.ask(client, CHAT, answers.request(client, "Hi"), events, stream=True)
        self.assertEqual(grammar.violations(client, got.body, True), [])
        self.assertIn(meaning.reply(client, fold(client, grammar.events(got.body))).text,
                      ("Hello", "Hello you"))

    @clients_of(RESPONSES)
    def test_several_parts_and_items(self, client):
        events = Answer([("text", "One "), ("text", "two")]).stream(RESPONSES)
        got = self.ask(client, RESPONSES, answers.request(client, "Hi"), events, stream=True)
        read = meaning.reply(client, self.whole(client, got, True))
        self.assertEqual(read.text.replace("\n", ""), "One two")


assert len(CHAT_WAYS) >= 20 and all(OTHER_WAYS.values())

if __name__ == "__main__":
    unittest.main()
