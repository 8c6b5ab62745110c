# SPDX-License-Identifier: Apache-2.0
"""One answer, written in each of the four dialects, whole or as a stream.

An answer is a list of parts (Think, Said, Call) and the reason why it ends: stop, tool or length.
Everything is said as the vendors say it in recorded traffic; the usage is the same everywhere.
"""
import dataclasses
import json

from tests.peer.reply import Reply

INPUT, CACHED, OUTPUT, THOUGHT = 120, 20, 30, 7     # input and output are the totals
CREATED = 1767225600


@dataclasses.dataclass
class Think:
    text: str
    seal: str           # the opaque proof that has to come back as it is


@dataclasses.dataclass
class Said:
    text: str


@dataclasses.dataclass
class Call:
    name: str
    args: dict
    id: str
    custom: bool = False    # freeform: the one string of its arguments is its input
    space: str = ""


def pieces(text, size=6):
    return [text[i:i + size] for i in range(0, len(text), size)] or [""]


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def sse_events(events, named=False, end="\n\n", done=False):
    """Frames with text as it is: vendors escape nothing that need not be."""
    line = end[:len(end) // 2]
    frames = [(f"event: {event['type']}{line}" if named else "") + f"data: {compact(event)}{end}"
              for event in events]
    return [frame.encode() for frame in frames + (["data: [DONE]" + end] if done else [])]


def write(talk, parts, end, pause=0.0):
    frames = globals()["_" + talk.dialect](talk, parts, end)
    if isinstance(frames, Reply):
        return frames
    if pause:
        frames = [step for frame in frames for step in (frame, pause)]
    return Reply.sse(frames)


# Chat Completions

CHAT_END = {"stop": "stop", "tool": "tool_calls", "length": "length"}
CHAT_USAGE = {"prompt_tokens": INPUT, "completion_tokens": OUTPUT, "total_tokens": INPUT + OUTPUT,
              "prompt_tokens_details": {"cached_tokens": CACHED},
              "completion_tokens_details": {"reasoning_tokens": THOUGHT}}


def _chat_call(call):
    if call.custom:
        return {"id": call.id, "type": "custom",
                "custom": {"name": call.name, "input": call.args["input"]}}
    return {"id": call.id, "type": "function",
            "function": {"name": call.name, "arguments": compact(call.args)}}


def _chat(talk, parts, end):
    think = "".join(p.text for p in parts if isinstance(p, Think))
    text = "".join(p.text for p in parts if isinstance(p, Said))
    calls = [_chat_call(p) for p in parts if isinstance(p, Call)]
    base = {"id": "chatcmpl-1", "object": "chat.completion", "created": CREATED,
            "model": talk.model}
    if not talk.stream:
        message = {"role": "assistant", "content": text or None, "refusal": None}
        if think:
            message["reasoning_content"] = think
        if calls:
            message["tool_calls"] = calls
        return Reply.json({**base, "usage": CHAT_USAGE, "choices": [
            {"index": 0, "message": message, "logprobs": None, "finish_reason": CHAT_END[end]}]})
    base["object"] = "chat.completion.chunk"
    deltas = [{"role": "assistant", "content": ""}]
    deltas += [{"reasoning_content": piece} for piece in pieces(think) if piece]
    deltas += [{"content": piece} for piece in pieces(text) if piece]
    for index, call in enumerate(calls):
        kind = call["type"]
        inner = dict(call[kind])
        field = "arguments" if kind == "function" else "input"
        whole = inner.pop(field)
        deltas.append({"tool_calls": [{"index": index, "id": call["id"], "type": kind,
                                       kind: {**inner, field: ""}}]})
        deltas += [{"tool_calls": [{"index": index, kind: {field: piece}}]}
                   for piece in pieces(whole)]
    rows = [(delta, None) for delta in deltas] + [({}, CHAT_END[end])]
    events = [{**base, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
              for delta, finish in rows]
    if (talk.body.get("stream_options") or {}).get("include_usage"):
        events.append({**base, "choices": [], "usage": CHAT_USAGE})
    return sse_events(events, done=True)


# Responses

RESPONSES_USAGE = {"input_tokens": INPUT, "input_tokens_details": {"cached_tokens": CACHED},
                   "output_tokens": OUTPUT, "output_tokens_details": {"reasoning_tokens": THOUGHT},
                   "total_tokens": INPUT + OUTPUT}


def _response(talk, status, output, end="stop"):
    body = talk.body
    done = status != "in_progress"
    return {"id": "resp_1", "object": "response", "created_at": CREATED, "status": status,
            "background": False, "error": None,
            "incomplete_details": {"reason": "max_output_tokens"} if end == "length" else None,
            "instructions": body.get("instructions"), "max_output_tokens": None,
            "model": talk.model, "output": output, "previous_response_id": None,
            "parallel_tool_calls": body.get("parallel_tool_calls", True),
            "reasoning": {"effort": None, "summary": None}, "store": body.get("store", True),
            "temperature": 1.0, "text": {"format": {"type": "text"}}, "tool_choice": "auto",
            "tools": [], "top_p": 1.0, "truncation": "disabled", "user": None, "metadata": {},
            "usage": RESPONSES_USAGE if done else None}


def _responses_item(part, number):
    if isinstance(part, Think):
        return {"id": f"rs_{number}", "type": "reasoning", "encrypted_content": part.seal,
                "summary": [{"type": "summary_text", "text": part.text}]}
    if isinstance(part, Said):
        return {"id": f"msg_{number}", "type": "message", "status": "completed",
                "role": "assistant",
                "content": [{"type": "output_text", "text": part.text, "annotations": [],
                             "logprobs": []}]}
    item = {"id": f"fc_{number}", "type": "function_call", "status": "completed",
            "call_id": part.id, "name": part.name, "arguments": compact(part.args)}
    if part.custom:
        del item["arguments"]
        item.update(id=f"ctc_{number}", type="custom_tool_call", input=part.args["input"])
    if part.space:
        item["namespace"] = part.space
    return item


def _responses_bare(item):
    """The item as it is announced."""
    bare = {**item, "status": "in_progress"}
    bare.update({key: "" for key in ("arguments", "input") if key in item})
    if item["type"] == "reasoning":
        bare.update(summary=[], encrypted_content="")
        del bare["status"]
    elif item["type"] == "message":
        bare["content"] = []
    return bare


def _responses_middle(item, at):
    kind = item["type"]
    if kind == "reasoning":
        part = item["summary"][0]
        here = {**at, "summary_index": 0}
        bare = {**part, "text": ""}
        yield {"type": "response.reasoning_summary_part.added", **here, "part": bare}
        for piece in pieces(part["text"]):
            yield {"type": "response.reasoning_summary_text.delta", **here, "delta": piece}
        yield {"type": "response.reasoning_summary_text.done", **here, "text": part["text"]}
        yield {"type": "response.reasoning_summary_part.done", **here, "part": part}
    elif kind == "message":
        part = item["content"][0]
        here = {**at, "content_index": 0}
        yield {"type": "response.content_part.added", **here, "part": {**part, "text": ""}}
        for piece in pieces(part["text"]):
            yield {"type": "response.output_text.delta", **here, "delta": piece, "logprobs": []}
        yield {"type": "response.output_text.done", **here, "text": part["text"], "logprobs": []}
        yield {"type": "response.content_part.done", **here, "part": part}
    else:
        name, field = (("function_call_arguments", "arguments") if kind == "function_call"
                       else ("custom_tool_call_input", "input"))
        for piece in pieces(item[field]):
            yield {"type": f"response.{name}.delta", **at, "delta": piece}
        yield {"type": f"response.{name}.done", **at, field: item[field]}


def _responses(talk, parts, end):
    status = "incomplete" if end == "length" else "completed"
    items = [_responses_item(part, n) for n, part in enumerate(parts)]
    if not talk.stream:
        return Reply.json(_response(talk, status, items, end))
    started = _response(talk, "in_progress", [])
    events = [{"type": "response.created", "response": started},
              {"type": "response.in_progress", "response": started}]
    for index, item in enumerate(items):
        at = {"output_index": index, "item_id": item["id"]}
        events.append({"type": "response.output_item.added", "output_index": index,
                       "item": _responses_bare(item)})
        events += _responses_middle(item, at)
        events.append({"type": "response.output_item.done", "output_index": index, "item": item})
    events.append({"type": "response." + status,
                   "response": _response(talk, status, items, end)})
    for number, event in enumerate(events):
        event["sequence_number"] = number
    return sse_events(events, named=True)


# Messages

MESSAGES_END = {"stop": "end_turn", "tool": "tool_use", "length": "max_tokens"}
MESSAGES_USAGE = {"input_tokens": INPUT - CACHED, "cache_creation_input_tokens": 0,
                  "cache_read_input_tokens": CACHED, "output_tokens": OUTPUT}


def _block(part):
    if isinstance(part, Think):
        return {"type": "thinking", "thinking": part.text, "signature": part.seal}
    if isinstance(part, Said):
        return {"type": "text", "text": part.text}
    return {"type": "tool_use", "id": part.id, "name": part.name, "input": part.args}


def _messages(talk, parts, end):
    blocks = [_block(part) for part in parts]
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": talk.model,
               "content": blocks, "stop_reason": MESSAGES_END[end], "stop_sequence": None,
               "usage": MESSAGES_USAGE}
    if not talk.stream:
        return Reply.json(message)
    events = [{"type": "message_start", "message": {
        **message, "content": [], "stop_reason": None,
        "usage": {**MESSAGES_USAGE, "output_tokens": 1}}}]
    for index, block in enumerate(blocks):
        kind = block["type"]
        if kind == "thinking":
            bare = {**block, "thinking": "", "signature": ""}
            deltas = [{"type": "thinking_delta", "thinking": p} for p in pieces(block["thinking"])]
            deltas.append({"type": "signature_delta", "signature": block["signature"]})
        elif kind == "text":
            bare = {**block, "text": ""}
            deltas = [{"type": "text_delta", "text": p} for p in pieces(block["text"])]
        else:
            bare = {**block, "input": {}}
            deltas = [{"type": "input_json_delta", "partial_json": p}
                      for p in ["", *pieces(compact(block["input"]))]]
        events.append({"type": "content_block_start", "index": index, "content_block": bare})
        if index == 0:
            events.append({"type": "ping"})
        events += [{"type": "content_block_delta", "index": index, "delta": d} for d in deltas]
        events.append({"type": "content_block_stop", "index": index})
    events += [{"type": "message_delta",
                "delta": {"stop_reason": MESSAGES_END[end], "stop_sequence": None},
                "usage": MESSAGES_USAGE},
               {"type": "message_stop"}]
    return sse_events(events, named=True)


# Gemini

GEMINI_END = {"stop": "STOP", "tool": "STOP", "length": "MAX_TOKENS"}
GEMINI_USAGE = {"promptTokenCount": INPUT, "candidatesTokenCount": OUTPUT - THOUGHT,
                "thoughtsTokenCount": THOUGHT, "cachedContentTokenCount": CACHED,
                "totalTokenCount": INPUT + OUTPUT}


def _gemini_parts(parts, size=None):
    """A thought's seal stands on the first call, or on the text where none is called. Calls have
    no id, as the vendor's older models have none."""
    bearer = next((p for p in parts if isinstance(p, Call)), parts[-1])
    seal = next((p.seal for p in parts if isinstance(p, Think)), None)
    for part in parts:
        if isinstance(part, Call):
            rows = [{"functionCall": {"name": part.name, "args": part.args}}]
        else:
            rows = [{"text": text, **({"thought": True} if isinstance(part, Think) else {})}
                    for text in pieces(part.text, size or len(part.text) or 1)]
        if seal and part is bearer:
            rows[-1]["thoughtSignature"] = seal
        yield from rows


def _gemini_event(talk, parts, finish=None):
    candidate = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "usageMetadata": GEMINI_USAGE,
            "modelVersion": talk.model, "responseId": "r1"}


def _gemini(talk, parts, end):
    if not talk.stream:
        return Reply.json(_gemini_event(talk, list(_gemini_parts(parts)), GEMINI_END[end]),
                          content_type="application/json; charset=UTF-8")
    events = [_gemini_event(talk, [part]) for part in _gemini_parts(parts, 6)]
    events.append(_gemini_event(talk, [{"text": ""}], GEMINI_END[end]))
    if "alt=sse" in talk.received.target:
        return sse_events(events, end="\r\n\r\n")
    frames = [(b"[" if n == 0 else b",\r\n") + json.dumps(event, indent=2).encode()
              for n, event in enumerate(events)]
    return Reply(200, [*frames, b"]"], content_type="application/json; charset=UTF-8",
                 framing="chunked")
