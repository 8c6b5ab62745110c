# SPDX-License-Identifier: Apache-2.0
"""No key vanishes: each object of a request in each of its kinds gets each key that its dialect
knows there, also those of its other kinds, and one that nobody knows. What the key says is carried
(the vendor is asked something else than without it), named in Relay-Lossy, or refused by its path.
"""
import copy
import json
import unittest

from tests.convert.fifty import FiftyCase
from tests.convert.harness import SPOKEN
from tests.convert.judge import covers, named_paths
from tests.peer.recordings import CHAT, GEMINI, MESSAGES, RESPONSES

PNG = "iVBORw0KGgoAAAANSUhEUg=="
DATA = "data:image/png;base64," + PNG
PDF = "data:application/pdf;base64,JVBERi0xLjQK"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"],
          "additionalProperties": False}
OTHER_SCHEMA = {"type": "object", "properties": {"land": {"type": "string"}}}
MARK = {"type": "ephemeral"}
UNKNOWN = "never_heard_of"

# What says nothing that another vendor could need, and goes without a word.
SILENT = {
    # numbers and states that a vendor's own store gives to items; where a piece stood in a stream
    (RESPONSES, "items", "id"), (RESPONSES, "items", "status"), (CHAT, "calls", "index"),
    (CHAT, "details", "id"), (CHAT, "details", "index"), (CHAT, "details", "format"),
    (GEMINI, "system", "role"),
    # the station itself does it, to the answer
    (CHAT, "thinking", "exclude"),
    # the whole setting is named or refused, with all that stands in it
    (GEMINI, "safety", "method"),
}
# What the upstream is asked for in any case: {(client's dialect, site, key): upstreams}
ALWAYS = {
    # schemas of answers are strict there
    (CHAT, "schema", "strict"): {MESSAGES, GEMINI},
    (RESPONSES, "format", "strict"): {MESSAGES, GEMINI},
    # thoughts are shown
    (MESSAGES, "thinking", "display"): {RESPONSES, GEMINI},
    (RESPONSES, "reasoning", "summary"): {MESSAGES, GEMINI},
    (RESPONSES, "reasoning", "generate_summary"): {MESSAGES, GEMINI},
    (GEMINI, "thinkingConfig", "includeThoughts"): {RESPONSES, MESSAGES},
    # thinking as the model itself sees fit
    (MESSAGES, "top", "thinking"): {CHAT},
}


class Site:
    """Objects of one place.

    path    of the object in the client's request
    place   (object) -> the whole request
    kinds   {name: the object, with no more than it needs}
    keys    {key: a value that it has in one of the kinds}
    """

    def __init__(self, dialect, name, path, place, kinds, keys):
        self.dialect, self.name, self.path, self.place = dialect, name, path, place
        self.kinds, self.keys = kinds, keys

    def variants(self):
        """(what it is, key, request without it, request with it)"""
        for kind, plain in self.kinds.items():
            for key, value in {**self.keys, UNKNOWN: 1}.items():
                if key not in plain:
                    more = {**copy.deepcopy(plain), key: value}
                    yield f"{key} of {kind}", key, self.place(plain), self.place(more)


# Chat completions

CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "done"}
TOOL = {"type": "function", "function": {"name": "f", "parameters": SCHEMA}}
HI = {"role": "user", "content": "Hi"}


def chat(*messages, **more):
    return {"messages": list(messages), **more}


def chat_part(part):
    if part["type"] == "refusal":
        return chat(HI, {"role": "assistant", "content": [part]}, HI)
    return chat({"role": "assistant", "content": "Ho"}, {"role": "user", "content": [part]}, HI)


def chat_message(message):
    if message["role"] == "tool":
        return chat({"role": "assistant", "tool_calls": [CALL]}, message, HI, tools=[TOOL])
    if message.get("tool_calls"):
        return chat(HI, message, RESULT, tools=[TOOL])
    return chat(HI, message, HI, tools=[TOOL])


def chat_call(call):
    tools = [TOOL, {"type": "custom", "custom": {"name": "c"}}]
    return chat(HI, {"role": "assistant", "tool_calls": [call]}, RESULT, tools=tools)


def chat_detail(detail):
    return chat(HI, {"role": "assistant", "content": "So", "reasoning_details": [detail]}, HI)


def chat_nested(path, kind):
    """A site inside a part: the part with this object under its kind's key."""
    return lambda inner: chat_part({"type": kind, kind: inner})


CHAT_MESSAGES = {
    "system": {"role": "system", "content": "Be brief."},
    "developer": {"role": "developer", "content": "Be brief."},
    "user": {"role": "user", "content": "Ho"},
    "parts of the user": {"role": "user", "content": [{"type": "text", "text": "Ho"}]},
    "assistant": {"role": "assistant", "content": "Ho"},
    "calls": {"role": "assistant", "tool_calls": [CALL]},
    "tool": RESULT,
    "marked": {"role": "user", "content": [{"type": "text", "text": "Ho", "cache_control": {
        "type": "ephemeral", "ttl": "1h"}}]},
}
CHAT_SITES = [
    Site(CHAT, "parts", "messages[1].content[0]", chat_part, {
        "text": {"type": "text", "text": "Ho"}, "refusal": {"type": "refusal", "refusal": "No"},
        "image": {"type": "image_url", "image_url": {"url": DATA}},
        "audio": {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
        "video": {"type": "video_url", "video_url": {"url": "data:video/mp4;base64,AAAA"}},
        "file": {"type": "file", "file": {"file_data": PDF, "filename": "a.pdf"}},
    }, {"text": "More", "refusal": "Never", "image_url": {"url": DATA}, "cache_control": MARK,
        "input_audio": {"data": "AAAA", "format": "wav"}, "file": {"file_data": PDF},
        "video_url": {"url": "data:video/mp4;base64,AAAA"},
        "prompt_cache_breakpoint": {"mode": "explicit"}}),
    Site(CHAT, "image", "messages[1].content[0].image_url", chat_nested("image", "image_url"),
         {"data": {"url": DATA}, "url": {"url": "https://a.example/b.png"}}, {"detail": "low"}),
    Site(CHAT, "video", "messages[1].content[0].video_url", chat_nested("video", "video_url"),
         {"data": {"url": "data:video/mp4;base64,AAAA"}}, {"detail": "low"}),
    Site(CHAT, "audio", "messages[1].content[0].input_audio", chat_nested("audio", "input_audio"),
         {"wav": {"data": "AAAA", "format": "wav"}}, {}),
    Site(CHAT, "file", "messages[1].content[0].file", chat_nested("file", "file"),
         {"data": {"file_data": PDF}, "id": {"file_id": "file-1"}},
         {"file_data": PDF, "file_id": "file-1", "filename": "b.pdf"}),
    Site(CHAT, "messages", "messages[1]", chat_message, CHAT_MESSAGES, {
        "name": "Ann", "tool_calls": [CALL], "tool_call_id": "call_1",
        "refusal": "No", "reasoning_content": "So it is", "reasoning": "Thus it is",
        "reasoning_details": [{"type": "reasoning.text", "text": "Hence"}], "prefix": True,
        "annotations": [{"type": "url_citation", "url_citation": {"url": "https://a.example"}}],
        "audio": {"id": "audio_1"}, "cache_control": MARK}),
    Site(CHAT, "thoughts", "messages[1]", chat_message, {
        "content": {"role": "assistant", "content": "Ho", "reasoning_content": "So"},
        "details": {"role": "assistant", "content": "Ho", "reasoning_details": [
            {"type": "reasoning.text", "text": "So"}]},
        "word": {"role": "assistant", "content": "Ho", "reasoning": "So"},
    }, {"reasoning_content": "Thus it is", "reasoning": "Hence it is",
        "reasoning_details": [{"type": "reasoning.text", "text": "Whence"}]}),
    Site(CHAT, "calls", "messages[1].tool_calls[0]", chat_call, {
        "function": CALL,
        "custom": {"id": "call_1", "type": "custom", "custom": {"name": "c", "input": "x"}},
    }, {"index": 0, "function": {"name": "g", "arguments": "{\"a\":1}"},
        "custom": {"name": "d", "input": "y"},
        "extra_content": {"google": {"thought_signature": "c2ln"}}}),
    Site(CHAT, "extra", "messages[1].tool_calls[0].extra_content",
         lambda extra: chat_call({**CALL, "extra_content": extra}),
         {"google": {"google": {}}}, {"other": {"state": 1}}),
    Site(CHAT, "google", "messages[1].tool_calls[0].extra_content.google",
         lambda extra: chat_call({**CALL, "extra_content": {"google": extra}}),
         {"google": {}}, {"thought_signature": "c2ln"}),
    Site(CHAT, "function of a call", "messages[1].tool_calls[0].function",
         lambda inner: chat_call({**CALL, "function": inner}),
         {"function": {"name": "f"}}, {"arguments": "{\"a\":1}", "input": "x"}),
    Site(CHAT, "custom of a call", "messages[1].tool_calls[0].custom",
         lambda inner: chat_call({"id": "call_1", "type": "custom", "custom": inner}),
         {"custom": {"name": "c", "input": "x"}}, {"arguments": "{\"a\":1}"}),
    Site(CHAT, "details", "messages[1].reasoning_details[0]", chat_detail, {
        "text": {"type": "reasoning.text", "text": "So"},
        "summary": {"type": "reasoning.summary", "summary": "So"},
        "encrypted": {"type": "reasoning.encrypted", "data": "c2ln"},
    }, {"text": "Thus", "summary": "In short", "data": "c2ln", "signature": "c2lo", "id": "r1",
        "format": "unknown", "index": 0}),
    Site(CHAT, "tools", "tools[0]", lambda tool: chat(HI, tools=[tool]), {
        "function": TOOL, "custom": {"type": "custom", "custom": {"name": "c"}},
    }, {"function": {"name": "g", "description": "Another."}, "cache_control": MARK,
        "custom": {"name": "d", "description": "Another."}}),
    Site(CHAT, "function", "tools[0].function",
         lambda inner: chat(HI, tools=[{"type": "function", "function": inner}]),
         {"function": {"name": "f"}},
         {"description": "What for.", "parameters": SCHEMA, "strict": True,
          "format": {"type": "text"}}),
    Site(CHAT, "custom", "tools[0].custom",
         lambda inner: chat(HI, tools=[{"type": "custom", "custom": inner}]),
         {"custom": {"name": "c"}},
         {"description": "What for.", "parameters": SCHEMA, "strict": True,
          "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: X"}}}),
    Site(CHAT, "choice", "tool_choice",
         lambda choice: chat(HI, tools=[TOOL], tool_choice=choice), {
             "function": {"type": "function", "function": {"name": "f"}},
             "allowed": {"type": "allowed_tools", "allowed_tools": {
                 "mode": "auto", "tools": [{"type": "function", "function": {"name": "f"}}]}}},
         {"function": {"name": "g"}, "custom": {"name": "g"},
          "allowed_tools": {"mode": "auto", "tools": []}}),
    Site(CHAT, "named", "tool_choice.function",
         lambda inner: chat(HI, tools=[TOOL], tool_choice={"type": "function", "function": inner}),
         {"function": {"name": "f"}}, {}),
    Site(CHAT, "allowed", "tool_choice.allowed_tools",
         lambda inner: chat(HI, tools=[TOOL], tool_choice={
             "type": "allowed_tools", "allowed_tools": inner}),
         {"allowed": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "f"}}]}},
         {}),
    Site(CHAT, "format", "response_format", lambda form: chat(HI, response_format=form), {
        "text": {"type": "text"}, "object": {"type": "json_object"},
        "schema": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}},
    }, {"json_schema": {"name": "n", "schema": SCHEMA}, "schema": SCHEMA}),
    Site(CHAT, "schema", "response_format.json_schema",
         lambda inner: chat(HI, response_format={"type": "json_schema", "json_schema": inner}),
         {"schema": {"name": "n", "schema": SCHEMA}}, {"description": "What for.", "strict": True}),
    Site(CHAT, "top", "", lambda more: chat(HI, **more),
         {"plain": {}, "limit": {"max_completion_tokens": 900}},
         {"max_tokens": 800, "stop": ["x"], "reasoning_effort": "low", "prefix": "x",
          "thinking": {"type": "enabled"}, "enable_thinking": True, "thinking_budget": 2000,
          "reasoning": {"effort": "low"}, "web_search_options": {}}),
    Site(CHAT, "thinking", "thinking", lambda inner: chat(HI, thinking=inner), {
        "on": {"type": "enabled"}, "off": {"type": "disabled"}},
        {"budget_tokens": 5000, "clear_thinking": False, "exclude": True}),
    Site(CHAT, "stream_options", "stream_options",
         lambda inner: chat(HI, stream_options=inner), {"plain": {"include_usage": True}},
         {"include_obfuscation": True}),
]

# Responses


def responses(*items, **more):
    return {"input": list(items), **more}


ASK = {"role": "user", "content": "Hi"}
R_CALL = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}
R_CUSTOM = {"type": "custom_tool_call", "call_id": "call_1", "name": "c", "input": "x"}
R_SEARCH = {"type": "tool_search_call", "call_id": "call_1", "execution": "client",
            "arguments": {"query": "q"}}
R_RESULT = {"type": "function_call_output", "call_id": "call_1", "output": "done"}
R_TOOL = {"type": "function", "name": "f", "parameters": SCHEMA, "strict": True}
R_TOOLS = [R_TOOL, {"type": "custom", "name": "c"},
           {"type": "tool_search", "execution": "client", "parameters": SCHEMA}]
FOUND = [{"type": "function", "name": "g", "parameters": SCHEMA, "strict": True}]
R_CALLS = {"function_call": R_CALL, "custom_tool_call": R_CUSTOM, "tool_search_call": R_SEARCH}
R_RESULTS = {"function_call_output": R_RESULT,
             "custom_tool_call_output": {**R_RESULT, "type": "custom_tool_call_output"},
             "tool_search_output": {"type": "tool_search_output", "call_id": "call_1",
                                    "execution": "client", "tools": FOUND}}


def responses_item(item):
    kind = item.get("type")
    before = {"custom_tool_call_output": R_CUSTOM, "tool_search_output": R_SEARCH}
    if kind in R_CALLS:
        return responses(ASK, item, R_RESULT, ASK, tools=R_TOOLS)
    if kind in R_RESULTS:
        return responses(before.get(kind, R_CALL), item, ASK, tools=R_TOOLS)
    return responses(ASK, item, ASK, tools=R_TOOLS)


def responses_part(part):
    role = "assistant" if part["type"] in ("output_text", "refusal") else "user"
    return responses({"role": "assistant", "content": "Ho"}, {"role": role, "content": [part]}, ASK)


RESPONSES_SITES = [
    Site(RESPONSES, "parts", "input[1].content[0]", responses_part, {
        "input_text": {"type": "input_text", "text": "Ho"},
        "output_text": {"type": "output_text", "text": "Ho"},
        "refusal": {"type": "refusal", "refusal": "No"},
        "image": {"type": "input_image", "image_url": DATA},
        "image by id": {"type": "input_image", "file_id": "file-1"},
        "file": {"type": "input_file", "file_data": PDF, "filename": "a.pdf"},
        "file by url": {"type": "input_file", "file_url": "https://a.example/b.pdf"},
    }, {"text": "More", "refusal": "Never", "image_url": DATA, "detail": "low", "file_data": PDF,
        "file_url": "https://a.example/c.pdf", "file_id": "file-2", "filename": "b.pdf",
        "annotations": [{"type": "url_citation", "url": "https://a.example", "title": "A",
                         "start_index": 0, "end_index": 1}],
        "logprobs": [{"token": "Ho", "logprob": -0.1}], "input_audio": {"data": "AAAA"},
        "cache_control": MARK, "prompt_cache_breakpoint": {"mode": "explicit"}}),
    Site(RESPONSES, "items", "input[1]", responses_item, {
        "user": {"role": "user", "content": "Ho"},
        "system": {"type": "message", "role": "system", "content": "Be brief."},
        "developer": {"type": "message", "role": "developer", "content": "Be brief."},
        "assistant": {"type": "message", "role": "assistant", "content": "Ho"},
        "reasoning": {"type": "reasoning", "summary": [{"type": "summary_text", "text": "So"}]},
        "reasoning in full": {"type": "reasoning", "content": [
            {"type": "reasoning_text", "text": "So it is"}]},
        "additional_tools": {"type": "additional_tools", "role": "developer", "tools": FOUND},
        **R_CALLS, **R_RESULTS,
    }, {"id": "msg_1", "status": "completed", "role": "user",
        "content": [{"type": "input_text", "text": "More"}], "phase": "commentary",
        "call_id": "call_7", "name": "g", "namespace": "n", "arguments": "{\"a\":1}",
        "input": "more", "output": "more", "summary": [{"type": "summary_text", "text": "Thus"}],
        "encrypted_content": "c2ln", "execution": "client", "tools": [
            {"type": "function", "name": "h", "parameters": SCHEMA, "strict": True}],
        "caller": {"type": "program", "caller_id": "c"}, "cache_control": MARK}),
    Site(RESPONSES, "summary", "input[1].summary[0]",
         lambda inner: responses(ASK, {"type": "reasoning", "summary": [inner]},
                                 {"role": "assistant", "content": "Ho"}, ASK),
         {"summary": {"type": "summary_text", "text": "So"}}, {}),
    Site(RESPONSES, "tools", "tools[0]", lambda tool: responses(ASK, tools=[tool]), {
        "function": R_TOOL, "custom": {"type": "custom", "name": "c"},
        "namespace": {"type": "namespace", "name": "n", "tools": [R_TOOL]},
        "tool_search": {"type": "tool_search", "execution": "client"},
    }, {"name": "x", "description": "What for.", "parameters": OTHER_SCHEMA, "strict": True,
        "format": {"type": "grammar", "syntax": "lark", "definition": "start: X"},
        "defer_loading": True, "output_schema": SCHEMA, "allowed_callers": ["programmatic"],
        "cache_control": MARK, "tools": FOUND, "execution": "client"}),
    Site(RESPONSES, "choice", "tool_choice",
         lambda choice: responses(ASK, tools=R_TOOLS, tool_choice=choice), {
             "function": {"type": "function", "name": "f"},
             "custom": {"type": "custom", "name": "c"},
             "allowed": {"type": "allowed_tools", "mode": "auto", "tools": [
                 {"type": "function", "name": "f"}]}},
         {"name": "g", "mode": "required", "tools": [{"type": "function", "name": "f"}]}),
    Site(RESPONSES, "format", "text.format", lambda form: responses(ASK, text={"format": form}), {
        "text": {"type": "text"}, "object": {"type": "json_object"},
        "schema": {"type": "json_schema", "name": "n", "schema": SCHEMA},
    }, {"name": "m", "description": "What for.", "schema": SCHEMA, "strict": True}),
    Site(RESPONSES, "reasoning", "reasoning", lambda inner: responses(ASK, reasoning=inner),
         {"effort": {"effort": "low"}},
         {"summary": "auto", "generate_summary": "auto", "context": "all_turns", "mode": "pro"}),
    Site(RESPONSES, "top", "", lambda more: responses(ASK, tools=[R_TOOL], **more),
         {"plain": {}},
         {"instructions": "Be brief.", "max_output_tokens": 900,
          "include": ["web_search_call.results"], "previous_response_id": "resp_1",
          "parallel_tool_calls": False}),
]

# Messages


def messages(*turns, **more):
    return {"max_tokens": 1024, "messages": list(turns), **more}


M_CALL = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
M_RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "done"}
M_TOOL = {"name": "f", "input_schema": SCHEMA}
M_HO = {"role": "assistant", "content": "Ho"}


def messages_block(block):
    kind = block["type"]
    if kind == "tool_use":
        return messages(HI, {"role": "assistant", "content": [block]},
                        {"role": "user", "content": [M_RESULT]}, tools=[M_TOOL])
    if kind == "tool_result":
        return messages({"role": "assistant", "content": [M_CALL]},
                        {"role": "user", "content": [block]}, tools=[M_TOOL])
    if kind.endswith("thinking"):
        said = [block, {"type": "text", "text": "Ho"}]
        return messages(HI, {"role": "assistant", "content": said}, HI, max_tokens=4096,
                        thinking={"type": "enabled", "budget_tokens": 1024})
    return messages(M_HO, {"role": "user", "content": [block]})


def messages_source(kind):
    return lambda source: messages_block({"type": kind, "source": source})


MESSAGES_SITES = [
    Site(MESSAGES, "blocks", "messages[1].content[0]", messages_block, {
        "text": {"type": "text", "text": "Ho"},
        "image": {"type": "image", "source": {
            "type": "base64", "media_type": "image/png", "data": PNG}},
        "document": {"type": "document", "source": {
            "type": "base64", "media_type": "application/pdf", "data": "JVBERi0xLjQK"}},
        "text document": {"type": "document", "source": {
            "type": "text", "media_type": "text/plain", "data": "Ho"}},
        "tool_use": M_CALL, "tool_result": M_RESULT,
        "thinking": {"type": "thinking", "thinking": "So", "signature": ""},
        "redacted_thinking": {"type": "redacted_thinking", "data": "c2ln"},
        "search_result": {"type": "search_result", "source": "https://a.example", "title": "A",
                          "content": [{"type": "text", "text": "Ho"}]},
    }, {"text": "More", "thinking": "Thus", "signature": "c2ln", "data": "c2lo", "id": "toolu_9",
        "name": "g", "tool_use_id": "toolu_9", "is_error": True, "title": "B", "context": "C",
        "caller": {"type": "code_execution_20250825", "tool_id": "x"},
        "citations": {"enabled": True}, "cache_control": MARK, "input": {"a": 1},
        "source": {"type": "base64", "media_type": "image/png", "data": PNG},
        "content": [{"type": "text", "text": "More"}]}),
    Site(MESSAGES, "image source", "messages[1].content[0].source", messages_source("image"), {
        "base64": {"type": "base64", "media_type": "image/png", "data": PNG},
        "url": {"type": "url", "url": "https://a.example/b.png"},
        "file": {"type": "file", "file_id": "file_1"},
    }, {"media_type": "image/jpeg", "data": PNG, "url": "https://a.example/c.png",
        "file_id": "file_2", "content": [{"type": "text", "text": "More"}]}),
    Site(MESSAGES, "document", "messages[1].content[0].source", messages_source("document"), {
        "base64": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0xLjQK"},
        "url": {"type": "url", "url": "https://a.example/b.pdf"},
        "text": {"type": "text", "media_type": "text/plain", "data": "Ho"},
        "content": {"type": "content", "content": [{"type": "text", "text": "Ho"}]},
    }, {"data": "QQ==", "url": "https://a.example/c.pdf", "file_id": "file_2",
        "content": [{"type": "text", "text": "More"}]}),
    Site(MESSAGES, "messages", "messages[1]", lambda turn: messages(HI, turn, HI), {
        "user": {"role": "user", "content": "Ho"}, "assistant": M_HO,
        "system": {"role": "system", "content": "Be brief."},
    }, {"output_config": {"effort": "low"}}),
    Site(MESSAGES, "wishes of a turn", "messages[1].output_config",
         lambda wish: messages(HI, {"role": "system", "content": "Ho", "output_config": wish}, HI),
         {"effort": {"effort": "low"}}, {"format": {"type": "json_schema", "schema": SCHEMA}}),
    Site(MESSAGES, "tools", "tools[0]", lambda tool: messages(HI, tools=[tool]),
         {"function": M_TOOL, "custom": {**M_TOOL, "type": "custom"}},
         {"description": "What for.", "strict": True, "cache_control": MARK, "defer_loading": True,
          "eager_input_streaming": True, "input_examples": [{"city": "Oslo"}],
          "allowed_callers": ["code_execution_20250825"]}),
    Site(MESSAGES, "choice", "tool_choice",
         lambda choice: messages(HI, tools=[M_TOOL], tool_choice=choice), {
             "auto": {"type": "auto"}, "any": {"type": "any"}, "none": {"type": "none"},
             "tool": {"type": "tool", "name": "f"}},
         {"name": "f", "disable_parallel_tool_use": True}),
    Site(MESSAGES, "thinking", "thinking",
         lambda inner: messages(HI, thinking=inner, max_tokens=4096), {
             "disabled": {"type": "disabled"}, "adaptive": {"type": "adaptive"},
             "enabled": {"type": "enabled", "budget_tokens": 2000}},
         {"budget_tokens": 3000, "display": "summarized"}),
    Site(MESSAGES, "format", "output_config.format",
         lambda form: messages(HI, output_config={"format": form}),
         {"schema": {"type": "json_schema", "schema": SCHEMA}}, {}),
    Site(MESSAGES, "top", "", lambda more: messages(HI, **more), {"plain": {}},
         {"system": "Be brief.", "stop_sequences": ["x"], "thinking": {"type": "adaptive"},
          "output_config": {"effort": "low"}, "metadata": {"user_id": "u"}, "cache_control": MARK,
          "service_tier": "standard_only", "mcp_servers": [{"url": "https://a.example"}]}),
]

# Gemini

G_CALL = {"functionCall": {"id": "c1", "name": "f", "args": {}}}
G_RESULT = {"functionResponse": {"id": "c1", "name": "f", "response": {"output": "done"}}}
G_HI = {"role": "user", "parts": [{"text": "Hi"}]}
BLOB = {"mimeType": "image/png", "data": PNG}
STORED = {"mimeType": "image/png", "fileUri": "https://a.example/b.png"}
DECLARED = {"name": "f", "parametersJsonSchema": SCHEMA}


def gemini(*contents, **more):
    return {"contents": list(contents), **more}


def gemini_part(part):
    tools = [{"functionDeclarations": [DECLARED]}]
    if "functionCall" in part and "functionResponse" not in part:
        return gemini(G_HI, {"role": "model", "parts": [part]},
                      {"role": "user", "parts": [G_RESULT]}, tools=tools)
    if "functionResponse" in part:
        return gemini({"role": "model", "parts": [G_CALL]}, {"role": "user", "parts": [part]},
                      tools=tools)
    if "thought" in part:
        return gemini(G_HI, {"role": "model", "parts": [part, {"text": "Ho"}]}, G_HI, tools=tools)
    return gemini({"role": "model", "parts": [{"text": "Ho"}]}, {"role": "user", "parts": [part]},
                  tools=tools)


def config(**inner):
    return gemini(G_HI, generationConfig=inner)


GEMINI_SITES = [
    Site(GEMINI, "parts", "contents[1].parts[0]", gemini_part, {
        "text": {"text": "Ho"}, "thought": {"text": "So", "thought": True},
        "inlineData": {"inlineData": BLOB}, "fileData": {"fileData": STORED},
        "functionCall": G_CALL, "functionResponse": G_RESULT,
    }, {"text": "More", "thought": True, "thoughtSignature": "c2ln", "inlineData": BLOB,
        "fileData": STORED, "functionCall": {"name": "g", "args": {}},
        "functionResponse": {"name": "f", "response": {"output": "x"}},
        "mediaResolution": {"level": "MEDIA_RESOLUTION_LOW"},
        "videoMetadata": {"fps": 1}, "partMetadata": {"a": 1},
        "executableCode": {"language": "PYTHON", "code": "1"},
        "codeExecutionResult": {"outcome": "OUTCOME_OK"}, "toolCall": {"id": "x"},
        "toolResponse": {"id": "x"}}),
    Site(GEMINI, "inlineData", "contents[1].parts[0].inlineData",
         lambda inner: gemini_part({"inlineData": inner}), {
             "image": BLOB, "file": {"mimeType": "application/pdf", "data": "JVBERi0xLjQK"}},
         {"fileUri": "https://a.example/c.png", "displayName": "b"}),
    Site(GEMINI, "fileData", "contents[1].parts[0].fileData",
         lambda inner: gemini_part({"fileData": inner}), {"image": STORED},
         {"data": PNG, "displayName": "b"}),
    Site(GEMINI, "resolution", "contents[1].parts[0].mediaResolution",
         lambda inner: gemini_part({"inlineData": BLOB, "mediaResolution": inner}),
         {"level": {"level": "MEDIA_RESOLUTION_LOW"}}, {"numTokens": 7}),
    Site(GEMINI, "call", "contents[1].parts[0].functionCall",
         lambda inner: gemini_part({"functionCall": inner}), {"call": G_CALL["functionCall"]},
         {"partialArgs": [{"jsonPath": "$.a"}], "response": {"a": 1}, "willContinue": True}),
    Site(GEMINI, "response", "contents[1].parts[0].functionResponse",
         lambda inner: gemini_part({"functionResponse": inner}),
         {"response": G_RESULT["functionResponse"]},
         {"parts": [{"inlineData": BLOB}], "willContinue": True, "scheduling": "SILENT",
          "args": {"a": 1}}),
    Site(GEMINI, "contents", "contents[1]", lambda content: gemini(G_HI, content, G_HI),
         {"user": {"role": "user", "parts": [{"text": "Ho"}]},
          "model": {"role": "model", "parts": [{"text": "Ho"}]}}, {}),
    Site(GEMINI, "system", "systemInstruction",
         lambda content: gemini(G_HI, systemInstruction=content),
         {"system": {"parts": [{"text": "Be brief."}]}}, {"role": "model"}),
    Site(GEMINI, "declarations", "tools[0].functionDeclarations[0]",
         lambda inner: gemini(G_HI, tools=[{"functionDeclarations": [inner]}]),
         {"JSON": DECLARED, "own": {"name": "f", "parameters": {
             "type": "OBJECT", "properties": {"city": {"type": "STRING"}}}}},
         {"description": "What for.", "parametersJsonSchema": OTHER_SCHEMA, "parameters": {
             "type": "OBJECT", "properties": {"land": {"type": "STRING"}}},
          "response": {"type": "OBJECT"}, "responseJsonSchema": SCHEMA, "behavior": "BLOCKING"}),
    Site(GEMINI, "calling", "toolConfig.functionCallingConfig",
         lambda inner: gemini(G_HI, tools=[{"functionDeclarations": [DECLARED]}], toolConfig={
             "functionCallingConfig": inner}),
         {"auto": {"mode": "AUTO"}, "any": {"mode": "ANY"}, "none": {"mode": "NONE"}},
         {"allowedFunctionNames": ["f"], "streamFunctionCallArguments": True}),
    Site(GEMINI, "thinkingConfig", "generationConfig.thinkingConfig",
         lambda inner: config(thinkingConfig=inner),
         {"budget": {"thinkingBudget": 2000}, "level": {"thinkingLevel": "LOW"}},
         {"thinkingBudget": 24000, "thinkingLevel": "HIGH", "includeThoughts": True}),
    Site(GEMINI, "generationConfig", "generationConfig", lambda inner: config(**inner), {
        "plain": {}, "JSON": {"responseMimeType": "application/json"},
        "own": {"responseMimeType": "application/json", "responseSchema": {
            "type": "OBJECT", "properties": {"city": {"type": "STRING"}}}},
        "schema": {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA},
    }, {"responseSchema": {"type": "OBJECT", "properties": {"land": {"type": "STRING"}}},
        "responseJsonSchema": OTHER_SCHEMA, "_responseJsonSchema": OTHER_SCHEMA,
        "responseFormat": {"text": {"mimeType": "APPLICATION_JSON", "schema": OTHER_SCHEMA}},
        "maxOutputTokens": 900, "stopSequences": ["x"]}),
    Site(GEMINI, "safety", "safetySettings[0]", lambda inner: gemini(G_HI, safetySettings=[inner]),
         {"off": {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}},
         {"method": "SEVERITY"}),
    Site(GEMINI, "toolConfig", "toolConfig", lambda inner: gemini(G_HI, toolConfig=inner),
         {"plain": {"functionCallingConfig": {"mode": "AUTO"}}},
         {"retrievalConfig": {"languageCode": "en"}, "includeServerSideToolInvocations": True}),
    Site(GEMINI, "top", "",
         lambda more: gemini(G_HI, tools=[{"functionDeclarations": [DECLARED]}], **more),
         {"plain": {}},
         {"systemInstruction": {"parts": [{"text": "Be brief."}]}, "serviceTier": "flex",
          "store": True, "toolConfig": {"functionCallingConfig": {"mode": "NONE"}}}),
]

SITES = CHAT_SITES + RESPONSES_SITES + MESSAGES_SITES + GEMINI_SITES


class ForeignKeys(FiftyCase):

    def test_each_key_in_each_kind_is_carried_named_or_refused(self):
        vanished, asked = [], 0
        for site in SITES:
            for upstream in SPOKEN:
                if (site.dialect, upstream) in self.sold:
                    for row in site.variants():
                        asked += 1
                        vanished += self.fate(site, upstream, *row)
        self.assertGreater(asked, 2500)
        self.assertEqual("\n".join(vanished), "")

    def fate(self, site, upstream, what, key, without, request):
        """What is wrong with this key's fate, as lines. A refusal may as well name the other key
        of the object that it does not go with."""
        if (site.dialect, site.name, key) in SILENT \
                or upstream in ALWAYS.get((site.dialect, site.name, key), ()):
            return []
        path = f"{site.path}.{key}".lstrip(".")
        line = f"{site.dialect}->{upstream} {site.name}: {what}"
        plain = self.answer(site, upstream, without)
        if plain.status == 400:     # this kind is none of the upstream's
            return []
        self.assertEqual(plain.status, 200, (line, plain.body[:300]))
        got = self.answer(site, upstream, request)
        if got.status == 400:
            kinds = {key, *(other for kind in site.kinds.values() for other in kind)}
            named = any(covers(f"{site.path}.{k}".lstrip("."), word)
                        for word in named_paths(got.json()) for k in kinds)
            return [] if named else [f"{line}: refused, but not by name: {got.body[:200]}"]
        self.assertEqual(got.status, 200, (line, got.body[:300]))
        named = any(covers(path, lost) for lost in set(got.lossy) - set(plain.lossy)) \
            or path in got.lossy
        return [] if named or got.asked != plain.asked else [f"{line} vanished"]

    def answer(self, site, upstream, request):
        key = (site.dialect, upstream, json.dumps(request))
        if key not in self.kept:
            self.kept[key] = self.bench.ask(site.dialect, upstream, request)
        return self.kept[key]

    def setUp(self):
        self.kept = {}


if __name__ == "__main__":
    unittest.main()
