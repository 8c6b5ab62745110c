# SPDX-License-Identifier: Apache-2.0
"""The checkers of tests/peer/grammar.py, checked: each rule has a broken stream that it catches."""
import ast
import copy
import json
import unittest

from tests.peer import grammar
from tests.peer.reply import sse_events

ARGUMENTS = {"need": 1, "no": 0, "same": 1, "numbers": 2, "parses": 1}      # where the rule stands


def rules():
    """Every (class, rule) that grammar.py can name, from its own source."""
    with open(grammar.__file__, encoding="utf-8") as source:
        tree = ast.parse(source.read())
    found = set()
    for cls in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        for call in (node for node in ast.walk(cls) if isinstance(node, ast.Call)):
            name = getattr(call.func, "attr", None)
            if name in ARGUMENTS and len(call.args) > ARGUMENTS[name]:
                rule = call.args[ARGUMENTS[name]]
                if isinstance(rule, ast.Constant) and isinstance(rule.value, str):
                    found.add((cls.name, rule.value))
    return found


# Good streams

def chat(**extra):
    top = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}

    def chunk(delta, finish=None):
        return {**top, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **extra}

    def call(index, **more):
        return chunk({"tool_calls": [{"index": index, **more}]})

    return [chunk({"role": "assistant", "content": ""}), chunk({"content": "Hi"}),
            call(0, id="call_1", type="function", function={"name": "f", "arguments": ""}),
            call(0, function={"arguments": "{\"a\":"}), call(0, function={"arguments": "1}"}),
            call(1, id="call_2", type="function", function={"name": "f", "arguments": ""}),
            call(1, function={"arguments": "{}"}), chunk({}, "tool_calls")]


def chat_usage():
    last = {**chat(usage=None)[0], "choices": [], "usage": {
        "prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}}
    return chat(usage=None) + [last]


def responses():
    message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
               "content": [{"type": "output_text", "text": "Hi you", "annotations": []}]}
    call = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f",
            "arguments": "{\"a\":1}", "status": "completed"}
    custom = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_2", "name": "g",
              "input": "raw", "status": "completed"}
    thought = {"type": "reasoning", "id": "rs_1",
               "summary": [{"type": "summary_text", "text": "So"}]}
    usage = {"input_tokens": 3, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 4,
             "output_tokens_details": {"reasoning_tokens": 1}, "total_tokens": 7}

    def response(status, output=(), **more):
        return {"id": "resp_1", "object": "response", "created_at": 1, "model": "m",
                "status": status, "output": list(output), **more}

    def item(index, done, begun, *events):
        at = {"output_index": index, "item_id": done["id"]}
        return [{"type": "response.output_item.added", "output_index": index, "item": begun},
                *({"type": "response." + kind, **at, **more} for kind, more in events),
                {"type": "response.output_item.done", "output_index": index, "item": done}]

    p0, s0 = {"content_index": 0}, {"summary_index": 0}
    all_events = [
        {"type": "response.created", "response": response("in_progress")},
        {"type": "response.in_progress", "response": response("in_progress")},
        *item(0, thought, {**thought, "summary": []},
              ("reasoning_summary_part.added", {**s0, "part": {"type": "summary_text",
                                                               "text": ""}}),
              ("reasoning_summary_text.delta", {**s0, "delta": "So"}),
              ("reasoning_summary_text.done", {**s0, "text": "So"}),
              ("reasoning_summary_part.done", {**s0, "part": thought["summary"][0]})),
        *item(1, message, {**message, "content": [], "status": "in_progress"},
              ("content_part.added", {**p0, "part": {"type": "output_text", "text": ""}}),
              ("output_text.delta", {**p0, "delta": "Hi "}),
              ("output_text.delta", {**p0, "delta": "you"}),
              ("output_text.done", {**p0, "text": "Hi you"}),
              ("content_part.done", {**p0, "part": message["content"][0]})),
        *item(2, call, {**call, "arguments": "", "status": "in_progress"},
              ("function_call_arguments.delta", {"delta": "{\"a\":1}"}),
              ("function_call_arguments.done", {"arguments": "{\"a\":1}"})),
        *item(3, custom, {**custom, "input": "", "status": "in_progress"},
              ("custom_tool_call_input.delta", {"delta": "raw"}),
              ("custom_tool_call_input.done", {"input": "raw"})),
        {"type": "response.completed",
         "response": response("completed", [thought, message, call, custom], usage=usage)}]
    return numbered(copy.deepcopy(all_events))


def numbered(events):
    for number, event in enumerate(events):
        event["sequence_number"] = number
    return events


def messages():
    def block(index, begun, *deltas):
        return [{"type": "content_block_start", "index": index, "content_block": begun},
                *({"type": "content_block_delta", "index": index, "delta": d} for d in deltas),
                {"type": "content_block_stop", "index": index}]

    return [
        {"type": "message_start", "message": {
            "id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [],
            "stop_reason": None, "stop_sequence": None,
            "usage": {"input_tokens": 3, "output_tokens": 0}}},
        *block(0, {"type": "thinking", "thinking": "", "signature": ""},
               {"type": "thinking_delta", "thinking": "So"},
               {"type": "signature_delta", "signature": "xyz"}),
        {"type": "ping"},
        *block(1, {"type": "redacted_thinking", "data": "abc"}),
        *block(2, {"type": "text", "text": ""}, {"type": "text_delta", "text": "Hi"}),
        *block(3, {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}},
               {"type": "input_json_delta", "partial_json": "{\"a\":"},
               {"type": "input_json_delta", "partial_json": "1}"}),
        {"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": None},
         "usage": {"input_tokens": 3, "output_tokens": 4}},
        {"type": "message_stop"}]


def gemini():
    def chunk(parts, finish=None):
        candidate = {"index": 0, "content": {"role": "model", "parts": parts}}
        if finish:
            candidate["finishReason"] = finish
        return {"candidates": [candidate], "responseId": "r", "modelVersion": "m",
                "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 4,
                                  "totalTokenCount": 7}}

    return [chunk([{"text": "Hi"}]), chunk([{"functionCall": {"name": "f", "args": {"a": 1}}}]),
            chunk([{"text": ""}], "STOP")]


def framed(dialect, events):
    if dialect == "gemini array":
        return json.dumps(events).encode()
    return b"".join(sse_events(events, named=dialect in ("responses", "messages"),
                               done=dialect == "chat",
                               end="\r\n\r\n" if dialect == "gemini" else "\n\n"))


GOOD = {"chat": chat, "responses": responses, "messages": messages, "gemini": gemini,
        "gemini array": gemini}


# Ways to break them. A breaker changes the events in place (or answers others); one that calls its
# argument `body` gets the bytes.

def put(path, value):
    """events -> events, with a value at the path."""
    def change(events):
        place = events
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
    return change


def drop(path):
    def change(events):
        place = events
        for key in path[:-1]:
            place = place[key]
        del place[path[-1]]
    return change


def insert(at, event, renumber=False):
    def change(events):
        events.insert(at if at >= 0 else len(events) + 1 + at, copy.deepcopy(event))
        if renumber:
            numbered(events)
    return change


def remove(at):
    def change(events):
        del events[at]
        if events and "sequence_number" in events[0]:
            numbered(events)
    return change


def swap(a, b):
    def change(events):
        events[a], events[b] = events[b], events[a]
        if "sequence_number" in events[0]:
            numbered(events)
    return change


def find(events, kind, nth=0):
    return [n for n, e in enumerate(events) if e["type"].endswith(kind)][nth]


def at(kind, path, value, nth=0):
    """Change the nth event of this type."""
    return lambda events: put([find(events, kind, nth), *path], value)(events)


def without(kind, nth=0):
    return lambda events: remove(find(events, kind, nth))(events)


def twice(kind, nth=0):
    def change(events):
        n = find(events, kind, nth)
        insert(n, events[n], "sequence_number" in events[0])(events)
    return change


def before(kind, other):
    """Move the first event of a type in front of the first of another."""
    def change(events):
        event = events.pop(find(events, kind))
        events.insert(find(events, other), event)
        if "sequence_number" in events[0]:
            numbered(events)
    return change


def raw(old, new):
    return lambda body: body.replace(old, new, 1)


ERROR = {"error": {"message": "died", "type": "server_error", "param": None, "code": None}}
D = ("choices", 0, "delta")
CALL = {"index": 0, "function": {"arguments": ""}}

BROKEN = {
    "chat": [
        ("not empty", lambda body: b""),
        ("blank line at the end", lambda body: body[:-1]),
        ("only data, event and comment lines", lambda body: b"id: 1\n" + body),
        ("valid JSON", lambda body: b"data: {\"a\":\n\n" + body),
        ("each event is an object", lambda body: b"data: []\n\n" + body),
        ("nothing behind the terminator", lambda body: body + body.split(b"\n\n")[0] + b"\n\n"),
        ("no event without data", lambda body: b"event: x\n\n" + body),
        ("no event lines", lambda body: b"event: x\n" + body),
        ("no [DONE] behind an error", insert(-1, ERROR)),
        ("[DONE] once", lambda body: body + b"data: [DONE]\n\n"),
        ("[DONE] once", raw(b"data: [DONE]\n\n", b"")),
        ("has chunks", lambda events: []),
        ("choice indexes are dense", put([1, "choices", 0, "index"], 2)),
        ("each chunk has id, object, created, model and choices", drop([1, "id"])),
        ("each chunk has id, object, created, model and choices", put([1, "created"], None)),
        ("id, created and model stay the same", put([2, "id"], "other")),
        ("no usage unless it was asked for", put([1, "usage"], None)),
        ("the first delta has the role", drop([0, *D, "role"])),
        ("the role comes once", put([1, *D, "role"], "assistant")),
        ("finish_reason is always there, as null", drop([1, "choices", 0, "finish_reason"])),
        ("each choice has a delta", put([1, *D], None)),
        ("nothing behind finish_reason", swap(-1, -2)),
        ("content is text or null", put([1, *D, "content"], [])),
        ("the finish chunk has an empty delta", put([-1, *D], {"content": "x"})),
        ("one finish_reason a choice", put([-1, "choices", 0, "finish_reason"], None)),
        ("legal finish_reason", put([-1, "choices", 0, "finish_reason"], "end_turn")),
        ("calls finish with tool_calls", put([-1, "choices", 0, "finish_reason"], "stop")),
        ("tool_calls needs a call", lambda events: events[:2] + events[-1:]),
        ("arguments are JSON objects", remove(4)),
        ("arguments are text", put([3, *D, "tool_calls", 0, "function", "arguments"], {})),
        ("items of lists are numbered",
         put([1, *D, "reasoning_details"], [{"type": "reasoning.encrypted", "data": "x"}])),
        ("call indexes are dense", put([5, *D, "tool_calls", 0, "index"], 4)),
        ("the first delta of a call has id, type and name", drop([2, *D, "tool_calls", 0, "id"])),
        ("the first delta of a call has id, type and name", drop([2, *D, "tool_calls", 0, "type"])),
        ("id, type and name come once", put([3, *D, "tool_calls", 0, "function", "name"], "f")),
        ("id, type and name come once", put([3, *D, "tool_calls", 0, "id"], "call_1")),
    ],
    "chat with usage": [
        ("usage in the last chunk only", lambda events: events[:-1]),
        ("the usage chunk has no choices", lambda events: [*events[:-2], {**events[-2], **{
            "usage": events[-1]["usage"]}}]),
        ("usage:null on the other chunks", drop([1, "usage"])),
        ("usage is numeric", put([-1, "usage", "prompt_tokens"], None)),
        ("usage is numeric", put([-1, "usage"], "none")),
        ("total is the sum", put([-1, "usage", "total_tokens"], 8)),
    ],
    "responses": [
        ("no [DONE]", lambda body: body + b"data: [DONE]\n\n"),
        ("has events", lambda body: b": nothing\n\n"),
        ("the event line is the type", raw(b"event: response.created", b"event: response.create")),
        ("the event line is the type", raw(b"event: response.created\n", b"")),
        ("sequence numbers count from 0", put([3, "sequence_number"], 9)),
        ("created first", remove(0)),
        ("in_progress second", remove(1)),
        ("one end", remove(-1)),
        ("one end", twice("response.completed")),
        ("the end is last", before("response.completed", "output_item.done")),
        ("id, created_at and model stay the same", put([0, "response", "id"], "resp_2")),
        ("output indexes are dense", at("output_item.added", ["output_index"], 5, 1)),
        ("items have ids of their own", at("output_item.added", ["item", "id"], "rs_1", 1)),
        ("events are inside their item", before("output_item.done", "summary_text.delta")),
        ("item_id is the item's", at("output_text.delta", ["item_id"], "msg_2")),
        ("a call begins with empty arguments",
         at("output_item.added", ["item", "arguments"], "{}", 2)),
        ("a call begins with empty arguments", at("output_item.added", ["item", "input"], "r", 3)),
        ("a call has call_id and name", at("output_item.added", ["item", "call_id"], "", 2)),
        ("a message begins empty", at("output_item.added", ["item", "content"], None, 1)),
        ("reasoning begins with an empty summary",
         at("output_item.added", ["item", "summary"], None, 0)),
        ("text is inside its part", without("content_part.added")),
        ("no delta behind done", before("output_text.done", "output_text.delta")),
        ("no delta behind done",
         before("function_call_arguments.done", "function_call_arguments.delta")),
        ("done repeats the deltas", at("output_text.done", ["text"], "Hi")),
        ("done repeats the deltas", at("function_call_arguments.done", ["arguments"], "{}")),
        ("done repeats the deltas", at("content_part.done", ["part", "text"], "Hi")),
        ("part indexes are dense", at("content_part.added", ["content_index"], 1)),
        ("a part ends once, after it began", twice("content_part.done")),
        ("text done before its part is done", without("output_text.done")),
        ("an item ends once, after it began", twice("output_item.done")),
        ("an item keeps id and type", at("output_item.done", ["item", "id"], "x", 1)),
        ("parts end before their item", without("content_part.done")),
        ("the item holds what was streamed", at("output_item.done", ["item", "content"], [], 1)),
        ("the item holds what was streamed", at("output_item.done", ["item", "arguments"], "", 2)),
        ("the item holds what was streamed", at("output_item.done", ["item", "summary"], [], 0)),
        ("a call has its done event", without("function_call_arguments.done")),
        ("a call keeps its name", at("output_item.done", ["item", "name"], "h", 2)),
        ("arguments are JSON objects", lambda body: body.replace(rb'{\"a\":1}', rb'{\"a\":1')),
        ("the status is the end's", put([-1, "response", "status"], "in_progress")),
        ("a failure says why", put([-1, "type"], "response.failed")),
        ("every item is done", without("output_item.done")),
        ("output is what was done", put([-1, "response", "output"], [])),
        ("usage is numeric", put([-1, "response", "usage"], None)),
        ("usage is numeric", drop([-1, "response", "usage", "output_tokens_details"])),
        ("total is the sum", put([-1, "response", "usage", "total_tokens"], 0)),
        ("incomplete says why, completed does not", put([-1, "type"], "response.incomplete")),
        ("a completed response has completed items",
         at("output_item.done", ["item", "status"], "in_progress", 1)),
    ],
    "messages": [
        ("keep-alive is a ping, no comment", lambda body: b": keep-alive\n\n" + body),
        ("no [DONE]", lambda body: body + b"data: [DONE]\n\n"),
        ("has events", lambda body: b"\n\n"),
        ("the event line is the type", raw(b"event: message_start\n", b"")),
        ("a failure says why", insert(-1, {"type": "error", "error": {}})),
        ("message_start first", remove(0)),
        ("one message_start", twice("message_start")),
        ("one message_delta", without("message_delta")),
        ("message_delta and message_stop last", remove(-1)),
        ("one message_stop", twice("message_stop")),
        ("no message_stop behind an error",
         insert(-1, {"type": "error", "error": {"type": "api_error", "message": "died"}})),
        ("every block is closed", without("content_block_stop", 3)),
        ("tool_use needs a call", lambda events: events[:9] + events[-2:]),
        ("calls stop with tool_use", put([-2, "delta", "stop_reason"], "end_turn")),
        ("known event", insert(3, {"type": "message_ping"})),
        ("message_start is an empty message", put([0, "message", "content"], None)),
        ("message_start is an empty message", put([0, "message", "stop_reason"], "end_turn")),
        ("usage is numeric", drop([0, "message", "usage"])),
        ("usage is numeric", put([-2, "usage"], {"output_tokens": 4})),
        ("blocks never overlap", before("content_block_start", "content_block_start")),
        ("blocks never overlap", without("content_block_stop")),
        ("block indexes are dense", put([1, "index"], 1)),
        ("known block", put([1, "content_block", "type"], "thought")),
        ("blocks begin empty", at("content_block_start", ["content_block", "input"], {"a": 1}, 3)),
        ("a call has a legal id and a name",
         at("content_block_start", ["content_block", "id"], "call:1", 3)),
        ("redacted_thinking has its data",
         at("content_block_start", ["content_block", "data"], "", 1)),
        ("deltas are inside their block", at("content_block_delta", ["index"], 7, 2)),
        ("deltas are inside their block", without("content_block_start")),
        ("deltas fit their block", at("content_block_delta", ["delta"], {
            "type": "thinking_delta", "thinking": "x"}, 2)),
        ("the signature is the last of its block", swap(2, 3)),
        ("the signature is text", put([3, "delta", "signature"], None)),
        ("a block stops once, after it began", twice("content_block_stop")),
        ("one signature a thinking block", remove(3)),
        ("no empty text block", without("content_block_delta", 2)),
        ("legal stop_reason", put([-2, "delta", "stop_reason"], "stop")),
        ("legal stop_reason", put([-2, "delta", "stop_reason"], None)),
        ("stop_sequence is always there", drop([-2, "delta", "stop_sequence"])),
        ("arguments are JSON objects", without("content_block_delta", 4)),
    ],
    "gemini": [
        ("no comments", lambda body: b": keep-alive\r\n\r\n" + body),
        ("no comments", lambda body: b": keep-alive\r\n" + body),
        ("no [DONE]", lambda body: body + b"data: [DONE]\r\n\r\n"),
        ("CRLF everywhere", lambda body: body.replace(b"\r\n", b"\n")),
        ("no event lines", lambda body: b"event: x\r\n" + body),
        ("has chunks", lambda body: b"\r\n\r\n"),
        ("a failure says code, message and status", insert(-1, ERROR)),
        ("ids stay the same", put([1, "responseId"], "s")),
        ("each chunk has responseId and modelVersion", drop([1, "modelVersion"])),
        ("a finishReason at the end", remove(-1)),
        ("the last chunk has the finishReason", insert(-1, {
            "usageMetadata": {}, "responseId": "r", "modelVersion": "m"})),
        ("usage is numeric", drop([-1, "usageMetadata"])),
        ("total is the sum", put([-1, "usageMetadata", "totalTokenCount"], 9)),
        ("nothing behind finishReason", swap(-1, -2)),
        ("legal finishReason", put([-1, "candidates", 0, "finishReason"], "stop")),
        ("content has the role", drop([0, "candidates", 0, "content", "role"])),
        ("a part is one thing", put([0, "candidates", 0, "content", "parts", 0], {})),
        ("no empty text parts", put([0, "candidates", 0, "content", "parts", 0, "text"], "")),
        ("a call has a name and an object of args", put(
            [1, "candidates", 0, "content", "parts", 0, "functionCall", "args"], "{}")),
    ],
    "gemini array": [
        ("valid JSON", lambda body: body[:-1]),
        ("an array", lambda body: b"{}"),
        ("a finishReason at the end", remove(-1)),
    ],
}


class GrammarTest(unittest.TestCase):

    def broken(self, dialect, breaker):
        """The bytes of a stream that was broken this way."""
        usage = dialect == "chat with usage"
        name = "chat" if usage else dialect
        events = chat_usage() if usage else GOOD[name]()
        if breaker.__code__.co_varnames[0] == "body":
            return breaker(framed(name, events))
        changed = breaker(events)
        return framed(name, events if changed is None else changed)

    def test_good_streams_have_no_violations(self):
        for dialect, make in GOOD.items():
            self.assertEqual(grammar.violations(dialect, framed(dialect, make())), [], dialect)
        self.assertEqual(grammar.violations("chat", framed("chat", chat_usage()), True), [])

    def test_each_broken_stream_is_caught_by_its_rule(self):
        for dialect, breakers in BROKEN.items():
            for number, (rule, breaker) in enumerate(breakers):
                with self.subTest(dialect=dialect, rule=rule, number=number):
                    usage = dialect == "chat with usage"
                    body = self.broken(dialect, breaker)
                    found = grammar.violations("chat" if usage else dialect, body, usage)
                    self.assertIn(rule, [v.partition(": ")[0] for v in found], body.decode())

    def test_every_rule_has_a_broken_stream(self):
        shown = {"chat": "_Chat", "chat with usage": "_Chat", "responses": "_Responses",
                 "messages": "_Messages", "gemini": "_Gemini", "gemini array": "_GeminiArray"}
        broken = {(shown[dialect], rule) for dialect, breakers in BROKEN.items()
                  for rule, _ in breakers}
        shared = {rule for _, rule in broken}
        missing = [(cls, rule) for cls, rule in rules()
                   if (cls, rule) not in broken and not (cls == "_Checker" and rule in shared)]
        self.assertEqual(sorted(missing), [])

    def test_failures_end_a_stream(self):
        """A stream that says so has failed, and is not complete."""
        body = b"".join(sse_events([*chat()[:2], ERROR]))
        self.assertEqual(grammar.check("chat", body), ([], ERROR))
        self.assertTrue(grammar.violations("chat", body))
        error = {"type": "error", "error": {"type": "api_error", "message": "died"}}
        body = b"".join(sse_events([*messages()[:3], error], named=True))
        self.assertEqual(grammar.check("messages", body), ([], error))
        error = {"error": {"code": 500, "message": "died", "status": "INTERNAL"}}
        body = b"".join(sse_events([gemini()[0], error], end="\r\n\r\n"))
        self.assertEqual(grammar.check("gemini", body), ([], error["error"]))
        events = responses()[:6] + responses()[-1:]
        events[-1]["type"] = "response.failed"
        events[-1]["response"].update(status="failed", error={"code": "x", "message": "died"})
        body = b"".join(sse_events(numbered(events), named=True))
        self.assertEqual(grammar.check("responses", body),
                         ([], {"code": "x", "message": "died"}))


if __name__ == "__main__":
    unittest.main()
