# SPDX-License-Identifier: Apache-2.0
"""The vendor's default mode: sensible answers in all four dialects, computed from the request.

input tokens   = characters of prompt text ÷ 4, plus 1
output tokens  = `tokens=N` in the prompt, else 16; never more than the request's maximum

A prompt may steer its own answer with words in double brackets, which survive any relay:

    [[tokens=500 pause=0.02 cached=3 think=8 error=503 cut=20 tool=1]]

pause is between events, cut ends a stream early after so many events, tool answers with a call.
"""
import json
import re

from tests.peer.reply import Reply, sse_events

MODEL_SEEN = "-2026-01-01"      # vendors answer with a dated name; so does this one


class Ask:
    """What the request asks for, whatever its dialect."""

    def __init__(self, received):
        self.received = received
        self.body = received.json() if received.body else {}
        self.text = " ".join(_strings({k: self.body.get(k) for k in (
            "messages", "input", "instructions", "system", "contents", "content", "requests",
            "systemInstruction", "system_instruction")}))
        words = re.search(r"\[\[(.*?)\]\]", self.text)
        self.words = dict(w.split("=") for w in words.group(1).split()) if words else {}
        config = self.body.get("generationConfig") or {}
        limits = [self.body.get(k) for k in
                  ("max_tokens", "max_completion_tokens", "max_output_tokens")]
        limits = [n for n in [*limits, config.get("maxOutputTokens")] if type(n) is int and n > 0]
        self.input = len(self.text) // 4 + 1
        self.output = min([self.word("tokens", 16), *limits])
        self.cached = min(self.word("cached", 0), self.input)
        self.think = min(self.word("think", 0), self.output)
        self.tool = self._tool_name() if self.word("tool", 0) else None
        self.model = self.body.get("model") or _gemini_model(received.path)
        self.seen = self.model if self.model.endswith(MODEL_SEEN) else self.model + MODEL_SEEN

    def word(self, name, default):
        return type(default)(self.words.get(name, default))

    def _tool_name(self):
        for tool in self.body.get("tools") or []:
            for holder in (tool, tool.get("function") or {},
                           *(tool.get("functionDeclarations") or [])):
                if holder.get("name"):
                    return holder["name"]
        return None

    def tokens(self):
        return [f"w{i} " for i in range(self.output - self.think)]

    def stream(self, frames, framing="chunked", content_type=None):
        pause = self.word("pause", 0.0)
        parts = []
        for frame in frames:
            parts += [frame, pause] if pause else [frame]
        cut = self.word("cut", 0)
        reply = Reply.sse(parts, framing=framing)
        if cut:
            reply.cut = len(b"".join(frames[:cut]))
        if content_type:
            reply.content_type = content_type
        return reply


def _strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in ("role", "type", "id", "name", "data", "signature"):
                yield from _strings(item)


def _gemini_model(path):
    found = re.search(r"models/([^:]+)", path)
    return found.group(1) if found else "none"


# Chat completions

def chat_usage(ask):
    return {"prompt_tokens": ask.input, "completion_tokens": ask.output,
            "total_tokens": ask.input + ask.output,
            "prompt_tokens_details": {"cached_tokens": ask.cached},
            "completion_tokens_details": {"reasoning_tokens": ask.think}}


def _chat_call(ask):
    return {"id": "call_1", "type": "function",
            "function": {"name": ask.tool, "arguments": "{\"city\":\"Paris\"}"}}


def chat(ask):
    top = {"id": "chatcmpl-1", "created": 1767225600, "model": ask.seen}
    finish = "tool_calls" if ask.tool else "stop"
    if not ask.body.get("stream"):
        message = {"role": "assistant", "content": "".join(ask.tokens()), "refusal": None}
        if ask.tool:
            message.update(content=None, tool_calls=[_chat_call(ask)])
        return Reply.json({**top, "object": "chat.completion", "choices": [
            {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}],
            "usage": chat_usage(ask)})
    asked = (ask.body.get("stream_options") or {}).get("include_usage")
    top.update(object="chat.completion.chunk", **({"usage": None} if asked else {}))
    deltas = [{"role": "assistant", "content": ""}]
    deltas += ([{"tool_calls": [{"index": 0, **_chat_call(ask)}]}] if ask.tool else
               [{"content": word} for word in ask.tokens()])
    events = [{**top, "choices": [{"index": 0, "delta": d, "finish_reason": None}]}
              for d in deltas]
    events.append({**top, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    if asked:
        events.append({**top, "choices": [], "usage": chat_usage(ask)})
    return ask.stream(sse_events(events, done=True))


# Responses

def responses_usage(ask):
    return {"input_tokens": ask.input, "input_tokens_details": {"cached_tokens": ask.cached},
            "output_tokens": ask.output, "output_tokens_details": {"reasoning_tokens": ask.think},
            "total_tokens": ask.input + ask.output}


def _response(ask, status, output):
    return {"id": "resp_1", "object": "response", "created_at": 1767225600, "status": status,
            "error": None, "incomplete_details": None, "instructions": None, "model": ask.seen,
            "output": output, "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
            "temperature": 1.0, "top_p": 1.0, "metadata": {},
            "usage": responses_usage(ask) if status == "completed" else None}


def responses(ask):
    text = "".join(ask.tokens())
    part = {"type": "output_text", "text": text, "annotations": []}
    item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed",
            "content": [part]}
    at = {"output_index": 0, "item_id": "msg_1"}
    if ask.tool:
        item = {"id": "fc_1", "type": "function_call", "status": "completed", "call_id": "call_1",
                "name": ask.tool, "arguments": "{\"city\":\"Paris\"}"}
        at = {"output_index": 0, "item_id": "fc_1"}
    if not ask.body.get("stream"):
        return Reply.json(_response(ask, "completed", [item]))
    started = _response(ask, "in_progress", [])
    events = [{"type": "response.created", "response": started},
              {"type": "response.in_progress", "response": started}]
    if ask.tool:
        middle = [{"type": "response.function_call_arguments.delta", **at,
                   "delta": item["arguments"]},
                  {"type": "response.function_call_arguments.done", **at,
                   "arguments": item["arguments"]}]
        bare = {**item, "arguments": "", "status": "in_progress"}
    else:
        here = {**at, "content_index": 0}
        middle = [{"type": "response.content_part.added", **here, "part": {**part, "text": ""}}]
        middle += [{"type": "response.output_text.delta", **here, "delta": word, "logprobs": []}
                   for word in ask.tokens()]
        middle += [{"type": "response.output_text.done", **here, "text": text, "logprobs": []},
                   {"type": "response.content_part.done", **here, "part": part}]
        bare = {**item, "content": [], "status": "in_progress"}
    events += [{"type": "response.output_item.added", "output_index": 0, "item": bare}, *middle,
               {"type": "response.output_item.done", "output_index": 0, "item": item},
               {"type": "response.completed", "response": _response(ask, "completed", [item])}]
    for number, event in enumerate(events):
        event["sequence_number"] = number
    return ask.stream(sse_events(events, named=True))


# Messages

def messages_usage(ask):
    return {"input_tokens": ask.input - ask.cached, "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": ask.cached, "output_tokens": ask.output}


def messages(ask):
    block = {"type": "text", "text": "".join(ask.tokens())}
    if ask.tool:
        block = {"type": "tool_use", "id": "toolu_1", "name": ask.tool, "input": {"city": "Paris"}}
    stop = "tool_use" if ask.tool else "end_turn"
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": ask.seen,
               "content": [block], "stop_reason": stop, "stop_sequence": None,
               "usage": messages_usage(ask)}
    if not ask.body.get("stream"):
        return Reply.json(message)
    first = {**message, "content": [], "stop_reason": None,
             "usage": {**messages_usage(ask), "output_tokens": 1}}
    if ask.tool:
        bare = {**block, "input": {}}
        deltas = [{"type": "input_json_delta", "partial_json": json.dumps(block["input"])}]
    else:
        bare = {"type": "text", "text": ""}
        deltas = [{"type": "text_delta", "text": word} for word in ask.tokens()]
    events = [{"type": "message_start", "message": first},
              {"type": "content_block_start", "index": 0, "content_block": bare},
              {"type": "ping"}]
    events += [{"type": "content_block_delta", "index": 0, "delta": d} for d in deltas]
    events += [{"type": "content_block_stop", "index": 0},
               {"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None},
                "usage": {"output_tokens": ask.output}},
               {"type": "message_stop"}]
    return ask.stream(sse_events(events, named=True))


# Gemini

def gemini_usage(ask, output):
    return {"promptTokenCount": ask.input, "candidatesTokenCount": output - ask.think,
            "thoughtsTokenCount": ask.think, "cachedContentTokenCount": ask.cached,
            "totalTokenCount": ask.input + output}


def _gemini_event(ask, parts, output, finish=None):
    candidate = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "usageMetadata": gemini_usage(ask, output),
            "modelVersion": ask.seen, "responseId": "r1"}


def gemini(ask):
    parts = [{"text": word} for word in ask.tokens()]
    if ask.tool:
        parts = [{"functionCall": {"name": ask.tool, "args": {"city": "Paris"}}}]
    if ":generateContent" in ask.received.target:
        joined = parts if ask.tool else [{"text": "".join(ask.tokens())}]
        return Reply.json(_gemini_event(ask, joined, ask.output, "STOP"),
                          content_type="application/json; charset=UTF-8")
    events = [_gemini_event(ask, [part], min(ask.think + i + 1, ask.output))
              for i, part in enumerate(parts)]
    events.append(_gemini_event(ask, [{"text": ""}], ask.output, "STOP"))
    if "alt=sse" in ask.received.target:
        return ask.stream(sse_events(events, end="\r\n\r\n"))
    frames = [(b"[" if i == 0 else b",\r\n") + json.dumps(event, indent=2).encode()
              for i, event in enumerate(events)]
    return ask.stream([*frames, b"]"], content_type="application/json; charset=UTF-8")


# What carries no answer

def _embedding(ask):
    many = ask.body.get("input")
    many = many if isinstance(many, list) else [many]
    return Reply.json({"object": "list", "model": ask.seen, "data": [
        {"object": "embedding", "index": i, "embedding": [0.25, -0.5]} for i in range(len(many))],
        "usage": {"prompt_tokens": ask.input, "total_tokens": ask.input}})


def _models(_ask):
    return Reply.json({"object": "list", "data": [
        {"id": "vendor-model", "object": "model", "created": 1767225600, "owned_by": "vendor"}]})


ROUTES = (
    ("/chat/completions", chat),
    ("/responses/input_tokens",
     lambda a: Reply.json({"object": "response.input_tokens", "input_tokens": a.input})),
    ("/responses", responses),
    ("/messages/count_tokens", lambda a: Reply.json({"input_tokens": a.input})),
    ("/messages", messages),
    (":generateContent", gemini),
    (":streamGenerateContent", gemini),
    (":countTokens", lambda a: Reply.json({"totalTokens": a.input})),
    (":embedContent", lambda a: Reply.json(
        {"embedding": {"values": [0.25, -0.5]}, "usageMetadata": {"promptTokenCount": a.input}})),
    (":batchEmbedContents", lambda a: Reply.json(
        {"embeddings": [{"values": [0.25, -0.5]} for _ in a.body["requests"]],
         "usageMetadata": {"promptTokenCount": a.input}})),
    ("/embeddings", _embedding),
    ("/models", _models),
)


def answer(received):
    ask = Ask(received)
    status = ask.word("error", 0)
    if status:
        return failure(received.path, status)
    for ending, make in ROUTES:
        if received.path.endswith(ending):
            return make(ask)
    return failure(received.path, 404)


def failure(path, status, message="The vendor refuses."):
    """An error in the shape of the dialect that `path` belongs to."""
    if "/messages" in path:
        kind = {401: "authentication_error", 429: "rate_limit_error",
                529: "overloaded_error"}.get(status, "api_error")
        return Reply.json({"type": "error", "error": {"type": kind, "message": message},
                           "request_id": "req_1"}, status)
    if "models/" in path:
        name = {401: "UNAUTHENTICATED", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}
        return Reply.json({"error": {"code": status, "message": message,
                                     "status": name.get(status, "INTERNAL")}}, status)
    return Reply.json({"error": {"message": message, "type": "server_error", "param": None,
                                 "code": None}}, status)
