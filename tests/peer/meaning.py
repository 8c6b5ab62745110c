# SPDX-License-Identifier: Apache-2.0
"""What a request or a whole answer means, whatever its dialect.

    request(dialect, value)  -> Request: items of the conversation, tools, settings, and what has
                                no meaning here by its path ("extras")
    reply(dialect, value)    -> Reply: texts, reasoning, calls, finish, usage leaves

Every piece keeps the JSON path where it stood, so that a loss can be named as the client names it.
Written from the vendors' documents. It shares nothing with the station.
"""
from tests.peer import meter
from tests.peer.readers import READERS
from tests.peer.recordings import CHAT, GEMINI, MESSAGES, RESPONSES
from tests.peer.values import Reply, arguments, effort_of, link, tool_schema

__all__ = ["effort_of", "reply", "request", "tool_schema"]


def request(dialect, value):
    return READERS[dialect](dialect, value).read()


# Whole answers

def _reply_chat(value, out):
    choice = (value.get("choices") or [{}])[0]
    message = choice.get("message") or {}
    thought = message.get("reasoning_content") or message.get("reasoning")
    if thought:
        out.parts.append(("reasoning", thought))
    content = message.get("content")
    for part in content if isinstance(content, list) else []:
        if part.get("type") == "thinking":
            out.parts.append(("reasoning", "".join(
                t.get("text", "") for t in part.get("thinking") or [] if isinstance(t, dict))))
        elif part.get("text"):
            out.parts.append(("text", part["text"]))
    if isinstance(content, str) and content:
        out.parts.append(("text", content))
    for note in message.get("annotations") or []:
        if note.get("type") == "url_citation":
            out.parts.append(("citation", (note.get("url_citation") or {}).get("url")))
    for image in message.get("images") or []:
        out.parts.append(("image", link((image.get("image_url") or {}).get("url"))[-1]))
    if message.get("refusal"):
        out.parts.append(("refusal", message["refusal"]))
    for call in message.get("tool_calls") or []:
        if call.get("custom"):
            out.parts.append(("call", [call["custom"].get("name"),
                                       {"input": call["custom"].get("input")}]))
            continue
        function = call.get("function") or {}
        out.parts.append(("call", [function.get("name"),
                                   arguments(function.get("arguments") or "{}")]))
    finish = choice.get("finish_reason")
    out.finish = {"tool_calls": "tool", "function_call": "tool", "length": "length",
                  "content_filter": "filter", "eos": "stop"}.get(finish, finish)


def _reply_responses(value, out):
    for item in value.get("output") or []:
        kind = item.get("type")
        if kind == "reasoning":
            texts = item.get("summary") or item.get("content") or []
            if any(t.get("text") for t in texts):
                out.parts.append(("reasoning", "\n\n".join(t.get("text") or "" for t in texts)))
        elif kind == "message":
            for part in item.get("content") or []:
                if part.get("type") == "refusal":
                    out.parts.append(("refusal", part.get("refusal")))
                elif part.get("text"):
                    out.parts.append(("text", part["text"]))
                for note in part.get("annotations") or []:
                    if note.get("type") == "url_citation":
                        out.parts.append(("citation", note.get("url")))
        elif kind == "function_call":
            out.parts.append(("call", [item.get("name"), arguments(item.get("arguments"))]))
        elif kind == "custom_tool_call":
            out.parts.append(("call", [item.get("name"), {"input": item.get("input")}]))
        else:
            out.parts.append(("hosted", kind))
    reason = (value.get("incomplete_details") or {}).get("reason")
    out.finish = {"max_output_tokens": "length", "content_filter": "filter"}.get(reason)
    if out.finish is None:
        out.finish = "tool" if out.all("call") else "stop"
    if value.get("status") in ("failed", "cancelled"):
        out.finish = "failed"


def _reply_messages(value, out):
    for block in value.get("content") or []:
        kind = block.get("type")
        if kind == "text":
            if block.get("text"):
                out.parts.append(("text", block["text"]))
            for note in block.get("citations") or []:
                if note.get("type") == "web_search_result_location":
                    out.parts.append(("citation", note.get("url")))
        elif kind == "thinking":
            if block.get("thinking"):
                out.parts.append(("reasoning", block["thinking"]))
        elif kind == "tool_use":
            out.parts.append(("call", [block.get("name"), block.get("input")]))
        elif kind != "redacted_thinking":
            out.parts.append(("hosted", kind))
    out.finish = {"end_turn": "stop", "stop_sequence": "stop", "pause_turn": "stop",
                  "tool_use": "tool", "max_tokens": "length", "refusal": "filter",
                  "model_context_window_exceeded": "length"}.get(value.get("stop_reason"))


def _reply_gemini(value, out):
    candidate = (value.get("candidates") or [{}])[0]
    for part in (candidate.get("content") or {}).get("parts") or []:
        if part.get("text"):
            out.parts.append(("reasoning" if part.get("thought") else "text", part["text"]))
        elif "functionCall" in part:
            call = part["functionCall"]
            out.parts.append(("call", [call.get("name"), call.get("args") or {}]))
        elif "inlineData" in part:
            out.parts.append(("image", part["inlineData"].get("data")))
        elif set(part) - {"text", "thoughtSignature", "thought"}:
            out.parts.append(("hosted", next(iter(part))))
    grounding = candidate.get("groundingMetadata") or {}
    chunks = grounding.get("groundingChunks") or []
    for support in grounding.get("groundingSupports") or []:
        for index in support.get("groundingChunkIndices") or []:
            if index < len(chunks) and "web" in chunks[index]:
                out.parts.append(("citation", chunks[index]["web"].get("uri")))
    finish = candidate.get("finishReason")
    blocked = (value.get("promptFeedback") or {}).get("blockReason")
    if finish == "STOP":
        out.finish = "tool" if out.all("call") else "stop"
    elif finish == "MAX_TOKENS":
        out.finish = "length"
    elif finish in ("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE",
                    "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION") or blocked:
        out.finish = "filter"
    else:
        out.finish = finish and "bad call"


def reply(dialect, value):
    """The meaning of a whole answer (of its first choice or candidate)."""
    out = Reply(dialect)
    {CHAT: _reply_chat, RESPONSES: _reply_responses, MESSAGES: _reply_messages,
     GEMINI: _reply_gemini}[dialect](value, out)
    usage = value.get("usageMetadata" if dialect == GEMINI else "usage")
    out.usage = meter.READERS[dialect](usage) if usage else None
    out.model = value.get("modelVersion") if dialect == GEMINI else value.get("model")
    return out
