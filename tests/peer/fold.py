# SPDX-License-Identifier: Apache-2.0
"""A stream's events folded into the whole answer that they tell: fold(dialect, events).

Written from the vendors' documents, and lenient: it reads recorded vendor streams as well as ours.
"""
import copy
import json

from tests.peer.grammar import CHAT, GEMINI, MESSAGES, RESPONSES


class Broken(Exception):
    """The stream ended with an error, or makes no whole."""


def _texts(target, delta, names):
    for name in names:
        if isinstance(delta.get(name), str):
            target[name] = (target.get(name) or "") + delta[name]


def _chat_call(calls, delta):
    index = delta.get("index", 0)
    call = calls.setdefault(index, {"id": None, "type": "function",
                                    "function": {"name": "", "arguments": ""}})
    call["id"] = delta.get("id") or call["id"]
    if delta.get("extra_content"):
        call["extra_content"] = delta["extra_content"]
    function = delta.get("function") or {}
    call["function"]["name"] = call["function"]["name"] or function.get("name") or ""
    call["function"]["arguments"] += function.get("arguments") or ""


def _chat(events):
    whole = {"object": "chat.completion", "choices": [], "usage": None}
    choices, calls = {}, {}
    for chunk in events:
        if chunk.get("error"):
            raise Broken(json.dumps(chunk["error"]))
        for name in ("id", "created", "model", "service_tier", "system_fingerprint"):
            if chunk.get(name) is not None:
                whole.setdefault(name, chunk[name])
        whole["usage"] = chunk.get("usage") or whole["usage"]
        for part in chunk.get("choices") or []:
            index = part.get("index", 0)
            choice = choices.setdefault(index, {
                "index": index, "finish_reason": None, "logprobs": None,
                "message": {"role": "assistant", "content": None, "refusal": None}})
            delta = part.get("delta") or {}
            message = choice["message"]
            if isinstance(delta.get("content"), list):      # Mistral's reasoning
                for piece in delta["content"]:
                    thought = piece.get("thinking") or []
                    _texts(message, {"content": piece.get("text"), "reasoning_content": "".join(
                        t.get("text", "") for t in thought)}, ("content", "reasoning_content"))
            _texts(message, delta, ("content", "refusal", "reasoning_content", "reasoning"))
            for name in ("annotations", "reasoning_details"):
                if delta.get(name):
                    message[name] = message.get(name, []) + delta[name]
            for call in delta.get("tool_calls") or []:
                _chat_call(calls.setdefault(index, {}), call)
            if part.get("logprobs"):
                known = choice["logprobs"] or {"content": [], "refusal": None}
                known["content"] += part["logprobs"].get("content") or []
                choice["logprobs"] = known
            choice["finish_reason"] = part.get("finish_reason") or choice["finish_reason"]
    for index, choice in sorted(choices.items()):
        if index in calls:
            choice["message"]["tool_calls"] = [c for _, c in sorted(calls[index].items())]
            choice["message"]["content"] = choice["message"]["content"] or None
        whole["choices"].append(choice)
    if whole["usage"] is None:
        del whole["usage"]
    return whole


def _grow(item, event, kind):
    """What a delta adds to an item of a response."""
    delta = event.get("delta") or ""
    if kind == "function_call_arguments":
        item["arguments"] = item.get("arguments", "") + delta
    elif kind == "custom_tool_call_input":
        item["input"] = item.get("input", "") + delta
    elif kind == "reasoning_summary_text":
        item["summary"][event["summary_index"]]["text"] += delta
    elif kind == "reasoning_text":
        texts = item.setdefault("content", None) or []
        item["content"] = texts
        while len(texts) <= event["content_index"]:
            texts.append({"type": "reasoning_text", "text": ""})
        texts[event["content_index"]]["text"] += delta
    elif kind in ("output_text", "refusal"):
        name = "text" if kind == "output_text" else "refusal"
        item["content"][event["content_index"]][name] += delta


def _responses(events):
    items, whole = {}, None
    for event in events:
        kind = event["type"].removeprefix("response.")
        if kind == "failed" or event["type"] == "error":
            raise Broken(json.dumps(event)[:300])
        if "response" in event:
            whole = copy.deepcopy(event["response"])
            continue
        stem, _, verb = kind.rpartition(".")
        index = event.get("output_index")
        if kind == "output_item.added":
            items[index] = copy.deepcopy(event["item"])
        elif kind == "output_item.done":
            # All of an item but its texts comes with its end.
            grown = items.get(index, {})
            items[index] = {**copy.deepcopy(event["item"]),
                            **{k: grown[k] for k in ("arguments", "input") if grown.get(k)}}
            if grown.get("type") == "message" and grown.get("content"):
                for own, end in zip(items[index]["content"], grown["content"]):
                    own.update({k: end[k] for k in ("text", "refusal") if end.get(k)})
        elif kind == "content_part.added" and items[index].get("type") == "message":
            items[index]["content"].append(copy.deepcopy(event["part"]))
        elif kind == "reasoning_summary_part.added":
            items[index]["summary"].append(copy.deepcopy(event["part"]))
        elif verb == "delta":
            _grow(items[index], event, stem)
        elif kind == "output_text.annotation.added":
            part = items[index]["content"][event["content_index"]]
            part.setdefault("annotations", []).append(event["annotation"])
    if whole is None:
        raise Broken("no response in the stream")
    whole["output"] = [item for _, item in sorted(items.items())]
    return whole


def _block_delta(block, delta):
    kind = delta.get("type")
    if kind == "text_delta":
        block["text"] += delta["text"]
    elif kind == "thinking_delta":
        block["thinking"] += delta["thinking"]
    elif kind == "signature_delta":
        block["signature"] = delta["signature"]
    elif kind == "input_json_delta":
        block["json"] = block.get("json", "") + delta["partial_json"]
    elif kind == "citations_delta":
        block["citations"] = (block.get("citations") or []) + [delta["citation"]]


def _messages(events):
    whole, blocks = None, {}
    for event in events:
        kind = event.get("type")
        if kind == "error":
            raise Broken(json.dumps(event.get("error")))
        if kind == "message_start":
            whole = copy.deepcopy(event["message"])
        elif kind == "content_block_start":
            blocks[event["index"]] = copy.deepcopy(event["content_block"])
        elif kind == "content_block_delta":
            _block_delta(blocks[event["index"]], event["delta"])
        elif kind == "message_delta":
            whole.update(event["delta"])
            usage = {k: v for k, v in (event.get("usage") or {}).items() if v is not None}
            whole["usage"] = {**(whole.get("usage") or {}), **usage}
    if whole is None:
        raise Broken("no message in the stream")
    for block in blocks.values():
        if "json" in block:
            try:
                block["input"] = json.loads(block.pop("json") or "{}")
            except ValueError:
                block["input"] = None
    whole["content"] = [block for _, block in sorted(blocks.items())]
    return whole


def _same_kind(a, b):
    return ("text" in a and "text" in b and bool(a.get("thought")) == bool(b.get("thought"))
            and "thoughtSignature" not in a)


def _gemini(events):
    whole, candidates = {}, {}
    for chunk in events:
        if chunk.get("error"):
            raise Broken(json.dumps(chunk["error"]))
        for name in ("responseId", "modelVersion", "usageMetadata", "promptFeedback"):
            if chunk.get(name) is not None:
                whole[name] = chunk[name]
        for part in chunk.get("candidates") or []:
            index = part.get("index", 0)
            candidate = candidates.setdefault(index, {"index": index, "content": {
                "role": "model", "parts": []}})
            candidate.update({k: v for k, v in part.items() if k not in ("content", "index")})
            parts = candidate["content"]["parts"]
            for piece in (part.get("content") or {}).get("parts") or []:
                if parts and _same_kind(parts[-1], piece):
                    parts[-1] = {**piece, "text": parts[-1]["text"] + piece["text"]}
                elif piece.get("text") != "" or "thoughtSignature" in piece:
                    parts.append(dict(piece))
    whole["candidates"] = [c for _, c in sorted(candidates.items())]
    return whole


FOLDS = {CHAT: _chat, RESPONSES: _responses, MESSAGES: _messages, GEMINI: _gemini}


def fold(dialect, events):
    """The whole answer. Raises Broken where the stream has none."""
    return FOLDS[dialect](events)
