# SPDX-License-Identifier: Apache-2.0
"""Answers of vendors in all four dialects, from one list of parts: whole, and as a stream.

    Answer([("reasoning", "So"), ("text", "Hi"), ("call", "id", "f", '{"a":1}')]).whole("messages")
    ... .stream("messages")      a list of events

Also what a client of each dialect sends next: `next_turn(dialect, request, whole, results)`.
"""
import copy
import json

from tests.peer.recordings import CHAT, GEMINI, MESSAGES, RESPONSES

MODEL = "vendor-model-1"
FINISHES = {
    CHAT: {"stop": "stop", "tool": "tool_calls", "length": "length", "filter": "content_filter"},
    RESPONSES: {"stop": None, "tool": None, "length": "max_output_tokens",
                "filter": "content_filter"},
    MESSAGES: {"stop": "end_turn", "tool": "tool_use", "length": "max_tokens", "filter": "refusal"},
    GEMINI: {"stop": "STOP", "tool": "STOP", "length": "MAX_TOKENS", "filter": "SAFETY"},
}


def usage(dialect, total_in=20, out=9, read=0, write=0, reasoning=0):
    """The same usage in each dialect's words; `total_in` holds read and write, `out` reasoning."""
    if dialect == CHAT:
        return {"prompt_tokens": total_in, "completion_tokens": out,
                "total_tokens": total_in + out,
                "prompt_tokens_details": {"cached_tokens": read, "cache_write_tokens": write},
                "completion_tokens_details": {"reasoning_tokens": reasoning}}
    if dialect == RESPONSES:
        return {"input_tokens": total_in, "output_tokens": out, "total_tokens": total_in + out,
                "input_tokens_details": {"cached_tokens": read, "cache_write_tokens": write},
                "output_tokens_details": {"reasoning_tokens": reasoning}}
    if dialect == MESSAGES:
        return {"input_tokens": total_in - read - write, "cache_read_input_tokens": read,
                "cache_creation_input_tokens": write, "output_tokens": out,
                "output_tokens_details": {"thinking_tokens": reasoning}}
    return {"promptTokenCount": total_in, "cachedContentTokenCount": read,
            "candidatesTokenCount": out - reasoning, "thoughtsTokenCount": reasoning,
            "totalTokenCount": total_in + out}


def parsed(arguments):
    """As an object; one that was cut is none yet."""
    try:
        return json.loads(arguments or "{}")
    except ValueError:
        return {}


def halves(text):
    """Two pieces of a text; one when it is short."""
    middle = len(text) // 2
    return [text[:middle], text[middle:]] if middle else [text]


class Answer:
    """
    parts    ("text", words) ("reasoning", words[, opaque]) ("refusal", words)
             ("call", id, name, arguments as text[, opaque]) ("redacted", data)
    finish   stop, tool, length, filter; by default what the parts say
    """

    def __init__(self, parts, finish=None, model=MODEL, **counts):
        self.parts = [(*part, None, None, None) for part in parts]
        self.finish = finish or ("tool" if any(p[0] == "call" for p in parts) else "stop")
        self.model, self.counts = model, counts

    def whole(self, dialect):
        return getattr(self, "_whole_" + dialect)()

    def stream(self, dialect):
        return getattr(self, "_stream_" + dialect)()

    def either(self, dialect, stream):
        return self.stream(dialect) if stream else self.whole(dialect)

    def _texts(self, kind):
        return "".join(part[1] for part in self.parts if part[0] == kind)

    # Chat completions

    def _chat_calls(self):
        return [{"id": p[1], "type": "function", "function": {"name": p[2], "arguments": p[3]}}
                for p in self.parts if p[0] == "call"]

    def _whole_chat(self):
        message = {"role": "assistant", "content": self._texts("text") or None,
                   "refusal": self._texts("refusal") or None}
        if self._texts("reasoning"):
            message["reasoning_content"] = self._texts("reasoning")
        if self._chat_calls():
            message["tool_calls"] = self._chat_calls()
        return {"id": "chatcmpl-7", "object": "chat.completion", "created": 1767225600,
                "model": self.model, "usage": usage(CHAT, **self.counts), "choices": [
                    {"index": 0, "message": message, "logprobs": None,
                     "finish_reason": FINISHES[CHAT][self.finish]}]}

    def chunk(self, delta, finish=None, **more):
        return {"id": "chatcmpl-7", "object": "chat.completion.chunk", "created": 1767225600,
                "model": self.model, "choices": [
                    {"index": 0, "delta": delta, "finish_reason": finish}], **more}

    def _stream_chat(self):
        events = [self.chunk({"role": "assistant", "content": ""})]
        index = 0
        for part in self.parts:
            name = {"text": "content", "reasoning": "reasoning_content",
                    "refusal": "refusal"}.get(part[0])
            if name:
                events += [self.chunk({name: piece}) for piece in halves(part[1])]
            elif part[0] == "call":
                events.append(self.chunk({"tool_calls": [
                    {"index": index, "id": part[1], "type": "function",
                     "function": {"name": part[2], "arguments": ""}}]}))
                events += [self.chunk({"tool_calls": [
                    {"index": index, "function": {"arguments": piece}}]})
                    for piece in halves(part[3])]
                index += 1
        events.append(self.chunk({}, FINISHES[CHAT][self.finish]))
        events.append({**self.chunk({}), "choices": [], "usage": usage(CHAT, **self.counts)})
        return events

    # Responses

    def _items(self):
        items = []
        for number, part in enumerate(self.parts):
            if part[0] in ("text", "refusal"):
                inner = {"type": "output_text", "text": part[1], "annotations": [],
                         "logprobs": []} if part[0] == "text" else {"type": "refusal",
                                                                    "refusal": part[1]}
                items.append({"type": "message", "id": f"msg_{number}", "role": "assistant",
                              "status": "completed", "content": [inner]})
            elif part[0] == "reasoning":
                items.append({"type": "reasoning", "id": f"rs_{number}", "summary": [
                    {"type": "summary_text", "text": part[1]}],
                    "encrypted_content": part[2]})
            elif part[0] == "call":
                items.append({"type": "function_call", "id": f"fc_{number}", "call_id": part[1],
                              "name": part[2], "arguments": part[3], "status": "completed"})
        return items

    def _response(self, status, items, counts=True):
        reason = FINISHES[RESPONSES][self.finish]
        return {"id": "resp_7", "object": "response", "created_at": 1767225600, "status": status,
                "model": self.model, "output": items, "error": None, "instructions": None,
                "incomplete_details": {"reason": reason} if status == "incomplete" else None,
                "metadata": {}, "parallel_tool_calls": True, "temperature": 1.0, "top_p": 1.0,
                "tool_choice": "auto", "tools": [],
                "usage": usage(RESPONSES, **self.counts) if counts else None}

    @property
    def _status(self):
        return "incomplete" if FINISHES[RESPONSES][self.finish] else "completed"

    def _whole_responses(self):
        return self._response(self._status, self._items())

    def _stream_responses(self):
        started = self._response("in_progress", [], counts=False)
        events = [{"type": "response.created", "response": started},
                  {"type": "response.in_progress", "response": started}]
        items = self._items()
        for index, item in enumerate(items):
            events += self._item_events(index, item)
        events.append({"type": "response." + self._status,
                       "response": self._response(self._status, items)})
        for number, event in enumerate(events):
            event["sequence_number"] = number
        return copy.deepcopy(events)

    @staticmethod
    def _item_events(index, item):
        at = {"output_index": index, "item_id": item["id"]}
        begun, events = {**item, "status": "in_progress"}, []

        def add(kind, **more):
            events.append({"type": "response." + kind, **at, **more})

        if item["type"] == "message":
            begun["content"] = []
            part = item["content"][0]
            name = "text" if part["type"] == "output_text" else "refusal"
            stem = part["type"]
            add("content_part.added", content_index=0, part={**part, name: ""})
            for piece in halves(part[name]):
                add(stem + ".delta", content_index=0, delta=piece,
                    **({"logprobs": []} if name == "text" else {}))
            add(stem + ".done", content_index=0, **{name: part[name]},
                **({"logprobs": []} if name == "text" else {}))
            add("content_part.done", content_index=0, part=part)
        elif item["type"] == "reasoning":
            begun = {**item, "summary": []}
            begun.pop("encrypted_content")
            part = item["summary"][0]
            add("reasoning_summary_part.added", summary_index=0, part={**part, "text": ""})
            for piece in halves(part["text"]):
                add("reasoning_summary_text.delta", summary_index=0, delta=piece)
            add("reasoning_summary_text.done", summary_index=0, text=part["text"])
            add("reasoning_summary_part.done", summary_index=0, part=part)
        else:
            begun["arguments"] = ""
            for piece in halves(item["arguments"]):
                add("function_call_arguments.delta", delta=piece)
            add("function_call_arguments.done", arguments=item["arguments"], name=item["name"])
        return [{"type": "response.output_item.added", "output_index": index, "item": begun},
                *events,
                {"type": "response.output_item.done", "output_index": index, "item": item}]

    # Messages

    def _blocks(self):
        blocks = []
        for part in self.parts:
            if part[0] == "text" or part[0] == "refusal":
                blocks.append({"type": "text", "text": part[1]})
            elif part[0] == "reasoning":
                blocks.append({"type": "thinking", "thinking": part[1],
                               "signature": part[2] or "c2lnbmF0dXJl"})
            elif part[0] == "redacted":
                blocks.append({"type": "redacted_thinking", "data": part[1]})
            elif part[0] == "call":
                blocks.append({"type": "tool_use", "id": part[1], "name": part[2],
                               "input": parsed(part[3])})
        return blocks

    def _message(self, blocks, stop, counts):
        return {"id": "msg_7", "type": "message", "role": "assistant", "model": self.model,
                "content": blocks, "stop_reason": stop, "stop_sequence": None, "usage": counts}

    def _whole_messages(self):
        return self._message(self._blocks(), FINISHES[MESSAGES][self.finish],
                             usage(MESSAGES, **self.counts))

    def _stream_messages(self):
        counts = usage(MESSAGES, **self.counts)
        events = [{"type": "message_start", "message": self._message(
            [], None, {**counts, "output_tokens": 1})}]
        blocks = self._blocks()
        calls = iter([p for p in self.parts if p[0] == "call"])
        for index, block in enumerate(blocks):
            kind = block["type"]
            begun, deltas = dict(block), []
            if kind == "text":
                begun["text"] = ""
                deltas = [{"type": "text_delta", "text": t} for t in halves(block["text"])]
            elif kind == "thinking":
                begun.update(thinking="", signature="")
                deltas = [{"type": "thinking_delta", "thinking": t}
                          for t in halves(block["thinking"])]
                deltas.append({"type": "signature_delta", "signature": block["signature"]})
            elif kind == "tool_use":
                begun["input"] = {}
                deltas = [{"type": "input_json_delta", "partial_json": t}
                          for t in halves(next(calls)[3])]
            events.append({"type": "content_block_start", "index": index, "content_block": begun})
            if index == 0:
                events.append({"type": "ping"})
            events += [{"type": "content_block_delta", "index": index, "delta": d} for d in deltas]
            events.append({"type": "content_block_stop", "index": index})
        events += [{"type": "message_delta", "delta": {
            "stop_reason": FINISHES[MESSAGES][self.finish], "stop_sequence": None},
            "usage": {"output_tokens": counts["output_tokens"]}}, {"type": "message_stop"}]
        if counts["output_tokens_details"]["thinking_tokens"]:
            events[-2]["usage"]["output_tokens_details"] = counts["output_tokens_details"]
        return events

    # Gemini

    def _gemini_parts(self):
        out = []
        for part in self.parts:
            if part[0] in ("text", "refusal"):
                out.append({"text": part[1]})
            elif part[0] == "reasoning":
                out.append({"text": part[1], "thought": True})
            elif part[0] == "call":
                call = {"name": part[2], "args": parsed(part[3])}
                if part[1]:
                    call["id"] = part[1]
                out.append({"functionCall": call,
                            **({"thoughtSignature": part[4]} if part[4] else {})})
        return out

    def _gemini_chunk(self, parts, finish=None):
        candidate = {"index": 0, "content": {"role": "model", "parts": parts}}
        if finish:
            candidate["finishReason"] = finish
        return {"candidates": [candidate], "modelVersion": self.model, "responseId": "r7",
                "usageMetadata": usage(GEMINI, **self.counts)}

    def _whole_gemini(self):
        return self._gemini_chunk(self._gemini_parts(), FINISHES[GEMINI][self.finish])

    def _stream_gemini(self):
        events = []
        for part in self._gemini_parts():
            pieces = [part]
            if "text" in part:
                pieces = [{**part, "text": text} for text in halves(part["text"])]
            events += [self._gemini_chunk([piece]) for piece in pieces]
        return events + [self._gemini_chunk([{"text": ""}], FINISHES[GEMINI][self.finish])]


# Requests

def request(dialect, *texts, tools=(), system=None, maximum=2000, **more):
    """A request with user texts. tools: (name, schema)."""
    if dialect == CHAT:
        out = {"messages": [{"role": "system", "content": system}] if system else []}
        out["messages"] += [{"role": "user", "content": text} for text in texts]
        declared = [{"type": "function", "function": {"name": n, "parameters": s}}
                    for n, s in tools]
        out["max_completion_tokens"] = maximum
    elif dialect == RESPONSES:
        out = {"input": [{"role": "user", "content": text} for text in texts],
               "max_output_tokens": maximum, "store": False}
        if system:
            out["instructions"] = system
        declared = [{"type": "function", "name": n, "parameters": s, "strict": False}
                    for n, s in tools]
    elif dialect == MESSAGES:
        out = {"messages": [{"role": "user", "content": text} for text in texts],
               "max_tokens": maximum}
        if system:
            out["system"] = system
        declared = [{"name": n, "input_schema": s} for n, s in tools]
    else:
        out = {"contents": [{"role": "user", "parts": [{"text": text}]} for text in texts],
               "generationConfig": {"maxOutputTokens": maximum}}
        if system:
            out["systemInstruction"] = {"parts": [{"text": system}]}
        declared = [{"functionDeclarations": [
            {"name": n, "parametersJsonSchema": s} for n, s in tools]}] if tools else []
    if declared:
        out["tools"] = declared
    return {**out, **more}


def next_turn(dialect, asked, whole, results=(), text=None):
    """What a client sends next: all it was answered, the results of its calls, a further text."""
    out = copy.deepcopy(asked)
    results = iter(results)
    if dialect == CHAT:
        message = whole["choices"][0]["message"]
        out["messages"].append({k: v for k, v in message.items()
                                if v is not None or k == "content"})
        for call in message.get("tool_calls") or []:
            out["messages"].append({"role": "tool", "tool_call_id": call["id"],
                                    "content": next(results)})
        if text:
            out["messages"].append({"role": "user", "content": text})
    elif dialect == RESPONSES:
        out["input"] += whole["output"]
        for item in whole["output"]:
            if item["type"] in ("function_call", "custom_tool_call"):
                out["input"].append({"type": item["type"] + "_output", "call_id": item["call_id"],
                                     "output": next(results)})
        if text:
            out["input"].append({"role": "user", "content": text})
    elif dialect == MESSAGES:
        out["messages"].append({"role": "assistant", "content": whole["content"]})
        blocks = [{"type": "tool_result", "tool_use_id": block["id"], "content": next(results)}
                  for block in whole["content"] if block["type"] == "tool_use"]
        if text:
            blocks.append({"type": "text", "text": text})
        out["messages"].append({"role": "user", "content": blocks})
    else:
        content = whole["candidates"][0]["content"]
        out["contents"].append(content)
        parts = []
        for part in content["parts"]:
            if "functionCall" in part:
                call = part["functionCall"]
                back = {"name": call["name"], "response": {"output": next(results)}}
                if "id" in call:
                    back["id"] = call["id"]
                parts.append({"functionResponse": back})
        if text:
            parts.append({"text": text})
        out["contents"].append({"role": "user", "parts": parts})
    return out
