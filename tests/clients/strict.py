# SPDX-License-Identifier: Apache-2.0
"""What a vendor would refuse in a request although its schema allows it.

    complaints(talk, scene) -> list of texts

The rules are those that vendors answer 400 to: what must stand beside what, what must have come
from the vendor itself. They hold for what a client sends its own vendor, and so for what the
station makes of another dialect. The schemas (tests/peer/spec.py) are asked, too, where they are
at hand and `converted` says that the station wrote the request.
"""
import base64
import binascii
import json
import re

from tests.peer import spec

NAME = {"chat": r"[\w-]{1,64}", "responses": r"[\w-]{1,64}", "messages": r"[\w-]{1,128}",
        "gemini": r"[A-Za-z_][\w.:-]{0,127}"}
SENTINEL = "skip_thought_signature_validator"   # Google's own word for "there was none"
OLD_SCHEMA_WORDS = {"$schema", "$ref", "$defs", "additionalProperties", "const", "oneOf", "allOf",
                    "exclusiveMinimum", "exclusiveMaximum", "patternProperties", "not"}


def complaints(talk, scene, converted=False):
    found = []
    if converted and spec.available():
        found += [f"schema: {problem}" for problem in
                  spec.validate(talk.dialect, "request", _body(talk))]
    for name in talk.tools:
        if not re.fullmatch(NAME[talk.dialect], name):
            found.append(f"the tool name {name!r}")
    found += _joined(talk)
    found += globals()["_" + talk.dialect](talk, scene)
    if converted and talk.dialect == "responses":
        found += _reasoning_alone(talk)
        found += [f"tools[{n}]: no word on strict, which means true here" for n, tool in
                  enumerate(talk.body.get("tools") or [])
                  if tool["type"] == "function" and tool.get("strict") is None]
    return found


def _body(talk):
    return {**talk.body, "model": "models/m"} if talk.dialect == "gemini" else talk.body


def _joined(talk):
    """Each call has its result, and each result its call."""
    if talk.dialect == "gemini":
        return
    calls = [item.id for item in talk.items if item.kind == "call"]
    results = [item.id for item in talk.items if item.kind == "result"]
    for doubles in (calls, results):
        if len(set(doubles)) != len(doubles):
            yield f"two of one id among {doubles}"
    for each in set(calls) ^ set(results):
        yield f"{'call' if each in calls else 'result'} {each!r} stands alone"


def _is_object(text):
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _seals(talk, scene):
    """Thoughts that come back are whole and ours."""
    ours = {scene.seal(step): scene.think(step).text for step in range(10)}
    for item in scene.since:
        if item.seal and item.seal != SENTINEL and item.seal not in ours:
            yield f"a proof of thought that is not ours: {item.seal[:60]!r}"
        elif item.kind == "think" and item.seal and item.text and ours.get(item.seal) != item.text:
            yield f"a thought was changed: {item.text[:80]!r}"


def _chat(talk, _scene):
    open_ids = []
    for n, message in enumerate(talk.body["messages"]):
        if message["role"] == "tool":
            if message.get("tool_call_id") not in open_ids:
                yield f"messages[{n}]: a tool's message that does not follow its call"
            else:
                open_ids.remove(message["tool_call_id"])
            continue
        if open_ids:
            yield f"messages[{n}]: {message['role']} where the results of {open_ids} should be"
        calls = message.get("tool_calls") or []
        open_ids = [call["id"] for call in calls]
        for call in calls:
            if call["type"] == "function" and not _is_object(call["function"]["arguments"]):
                yield f"messages[{n}]: arguments {call['function']['arguments'][:80]!r}"
        if message["role"] == "assistant" and not calls and not message.get("content"):
            yield f"messages[{n}]: an assistant that says nothing"
    if open_ids:
        yield f"no results of {open_ids}"


def _responses(talk, scene):
    yield from _seals(talk, scene)
    items = talk.body.get("input")
    for n, item in enumerate(items if isinstance(items, list) else []):
        if item.get("type") == "reasoning":
            if not item.get("encrypted_content"):
                yield f"input[{n}]: reasoning that nobody stored, without encrypted_content"
        if item.get("type") == "function_call" and not _is_object(item["arguments"]):
            yield f"input[{n}]: arguments {item['arguments'][:80]!r}"


def _reasoning_alone(talk):
    """Codex itself keeps what an answer that failed had thought, and sends it again like this."""
    items = talk.body.get("input")
    for n, item in enumerate(items if isinstance(items, list) else []):
        after = items[n + 1] if n + 1 < len(items) else {}
        if item.get("type") == "reasoning" and after.get("role") != "assistant" and \
                after.get("type") not in ("function_call", "custom_tool_call", "reasoning"):
            yield f"input[{n}]: reasoning without the item that it led to"


def _messages(talk, scene):
    yield from _seals(talk, scene)
    if not talk.received.get("anthropic-version"):
        yield "no anthropic-version"
    body = talk.body
    thinking = (body.get("thinking") or {}).get("type")
    if thinking == "enabled" and not 1024 <= body["thinking"]["budget_tokens"] < body["max_tokens"]:
        yield f"budget_tokens {body['thinking']['budget_tokens']}, max_tokens {body['max_tokens']}"
    if thinking in ("enabled", "adaptive") and \
            (body.get("tool_choice") or {}).get("type") in ("any", "tool"):
        yield "a forced tool while it thinks"
    if json.dumps(body).count('"cache_control"') > 4:
        yield "more than 4 cache breakpoints"
    yield from _messages_turns(body, thinking)


def _messages_turns(body, thinking):
    wanted = []
    for n, message in enumerate(body["messages"]):
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        kinds = [block["type"] for block in blocks]
        if not blocks or any(b["type"] == "text" and not b["text"] for b in blocks):
            yield f"messages[{n}]: an empty text"
        if n == 0 and message["role"] != "user":
            yield "messages[0] is not the user's"
        results = [b["tool_use_id"] for b in blocks if b["type"] == "tool_result"]
        if sorted(results) != sorted(wanted) and message["role"] != "system":
            yield f"messages[{n}]: results {results} where {wanted} were asked for"
        if results and set(kinds[:len(results)]) != {"tool_result"}:
            yield f"messages[{n}]: results do not come first: {kinds}"
        if message["role"] != "system":
            wanted = [b["id"] for b in blocks if b["type"] == "tool_use"]
        if "thinking" in kinds[1:] and kinds[0] != "thinking":
            yield f"messages[{n}]: thinking does not come first: {kinds}"
        if wanted and thinking == "enabled" and kinds[0] not in ("thinking", "redacted_thinking"):
            yield f"messages[{n}]: with thinking on, a turn with tools begins with it, not {kinds}"


def _gemini(talk, scene):
    yield from _seals(talk, scene)
    wanted = []
    for n, content in enumerate(talk.body["contents"]):
        parts = content.get("parts") or []
        answers = [p["functionResponse"]["name"] for p in parts if "functionResponse" in p]
        if sorted(answers) != sorted(wanted):
            yield f"contents[{n}]: responses of {answers} where {wanted} were called"
        calls = [part for part in parts if "functionCall" in part]
        wanted = [part["functionCall"]["name"] for part in calls]
        if calls and not calls[0].get("thoughtSignature"):
            yield f"contents[{n}]: a function call without a thought_signature"
        for part in parts:
            if not part:
                yield f"contents[{n}]: an empty part"
            if not _is_base64((part.get("inlineData") or {}).get("data", "")):
                yield f"contents[{n}]: inlineData is not base64"
    for tool in talk.body.get("tools") or []:
        for one in tool.get("functionDeclarations") or []:
            if words := OLD_SCHEMA_WORDS & set(_words(one.get("parameters"))):
                yield f"{one['name']}: parameters with {sorted(words)}"


def _words(schema):
    if isinstance(schema, dict):
        for key, value in schema.items():
            yield key
            if key == "properties":
                for inner in (value or {}).values():
                    yield from _words(inner)
            else:
                yield from _words(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _words(value)


def _is_base64(text):
    """Google takes both alphabets."""
    try:
        base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4),
                         validate=True)
        return True
    except (binascii.Error, ValueError):
        return False
