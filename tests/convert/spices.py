# SPDX-License-Identifier: Apache-2.0
"""What a client of each dialect may add to a request: SPICES[dialect] is a list of functions
(rng, request) that change one in place. Some of it no other dialect can say: the judge knows."""
import base64

from tests.peer.recordings import CHAT, GEMINI, MESSAGES, RESPONSES

PNG = base64.b64encode(b"\x89PNG\xfb\xff").decode()
PDF = base64.b64encode(b"%PDF-1.4\n%%EOF\n").decode()
AUDIO = base64.b64encode(b"ID3\x04\xff").decode()
MARK = {"type": "ephemeral"}


def _put(key, *values):
    """A top-level key with one of these values."""
    return lambda rng, asked: asked.update({key: rng.choice(values)})


def _config(key, *values):
    return lambda rng, asked: asked["generationConfig"].update({key: rng.choice(values)})


def _tool(key, *values):
    """A key of one of the tools."""
    def change(rng, asked):
        tool = rng.choice([t for t in asked["tools"] if t.get("type") in (None, "function")])
        tool.get("function", tool)[key] = rng.choice(values)
    return change


# Chat completions

def _chat_part(*parts):
    """A further part of a user's message."""
    def change(rng, asked):
        message = rng.choice([m for m in asked["messages"] if m["role"] == "user"])
        if isinstance(message["content"], str):
            message["content"] = [{"type": "text", "text": message["content"]}]
        message["content"].insert(rng.randint(0, len(message["content"])), rng.choice(parts))
    return change


def _after_a_user(name, message):
    """A message behind one of the user's that is not a tool's result."""
    def change(rng, asked):
        at = rng.choice([n for n, m in enumerate(asked[name]) if m.get("role") == "user"])
        asked[name].insert(at + 1, message)
    return change


def _chat_name(rng, asked):
    rng.choice([m for m in asked["messages"] if m["role"] == "user"])["name"] = "ada"


def _chat_reasoning(rng, asked):
    for message in asked["messages"]:
        if message["role"] == "assistant":
            message["reasoning_content"] = "Hm " + str(rng.randint(0, 9))


# Responses

def _input_part(*parts):
    def change(rng, asked):
        item = rng.choice([i for i in asked["input"] if i.get("role") == "user"])
        if isinstance(item["content"], str):
            item["content"] = [{"type": "input_text", "text": item["content"]}]
        item["content"].insert(rng.randint(0, len(item["content"])), rng.choice(parts))
    return change


def _parted_output(rng, asked):
    outputs = [i for i in asked["input"] if i.get("type") == "function_call_output"
               and isinstance(i["output"], str)]
    if outputs:
        item = rng.choice(outputs)
        item["output"] = [{"type": "input_text", "text": item["output"]},
                          {"type": "input_image", "image_url": "data:image/png;base64," + PNG}]


def _custom_tool(_rng, asked):
    asked["tools"].append({"type": "custom", "name": "patch", "description": "Edits",
                           "format": {"type": "text"}})
    asked["input"][1:1] = [
        {"type": "custom_tool_call", "call_id": "custom_1", "name": "patch", "input": "*** \"x\""},
        {"type": "custom_tool_call_output", "call_id": "custom_1", "output": "done"}]


# Messages

def _block(*blocks):
    def change(rng, asked):
        message = asked["messages"][0]
        if isinstance(message["content"], str):
            message["content"] = [{"type": "text", "text": message["content"]}]
        message["content"].insert(rng.randint(0, len(message["content"])), rng.choice(blocks))
    return change


def _results(change):
    """Change one of the tool results, where there are some."""
    def apply(rng, asked):
        found = [b for m in asked["messages"] if isinstance(m["content"], list)
                 for b in m["content"] if b["type"] == "tool_result"]
        if found:
            change(rng.choice(found))
    return apply


def _with_image(result):
    if isinstance(result["content"], str):
        result["content"] = [{"type": "text", "text": result["content"]},
                             {"type": "image", "source": {"type": "base64", "data": PNG,
                                                          "media_type": "image/png"}}]


def _thinking(rng, asked):
    """Off, or so many tokens; an effort beside it is test_rules.py's."""
    asked["thinking"] = rng.choice([{"type": "disabled"},
                                    {"type": "enabled", "budget_tokens": 2000}])
    asked.get("output_config", {}).pop("effort", None)
    if asked.get("output_config") == {}:
        del asked["output_config"]


def _system_at_the_end(_rng, asked):
    asked["messages"].append({"role": "system", "content": "From here on be brief."})


def _cached_system(_rng, asked):
    asked["system"] = [{"type": "text", "text": asked.get("system") or "Be kind.",
                        "cache_control": MARK}]


# Gemini

def _part(*parts):
    def change(rng, asked):
        given = asked["contents"][0]["parts"]
        given.insert(rng.randint(0, len(given)), rng.choice(parts))
    return change


SPICES = {
    CHAT: [
        _put("stop", "x", ["x"], ["a", "b"]), _put("seed", 7), _put("n", 1, 2),
        _put("frequency_penalty", 0, 0.5), _put("presence_penalty", 0, -1), _put("top_p", 0.5),
        _put("logit_bias", {}, {"5": 1}), _put("logprobs", False, True), _put("user", "u-1"),
        _put("safety_identifier", "s-1"), _put("metadata", {}, {"a": "b"}),
        _put("service_tier", "auto", "flex"), _put("parallel_tool_calls", True, False),
        _put("verbosity", "low"), _put("store", False, True), _put("prompt_cache_key", "k"),
        _put("modalities", ["text"], ["text", "audio"]), _put("something_new", 1, None),
        _put("prediction", {"type": "content", "content": "x"}), _put("temperature", 1.5),
        _put("tool_choice", "none", "auto", "required",
             {"type": "function", "function": {"name": "f"}}),
        _put("response_format", {"type": "text"}, {"type": "json_object"}),
        _tool("strict", True, False), _tool("description", "What it does"),
        _chat_part({"type": "image_url", "image_url": {"url": "data:image/png;base64," + PNG}},
                   {"type": "image_url", "image_url": {"url": "https://e.org/a.png",
                                                       "detail": "high"}},
                   {"type": "file", "file": {"filename": "a.pdf",
                                             "file_data": "data:application/pdf;base64," + PDF}},
                   {"type": "file", "file": {"file_id": "file-1"}},
                   {"type": "input_audio", "input_audio": {"data": AUDIO, "format": "wav"}},
                   {"type": "text", "text": "marked", "cache_control": MARK},
                   {"type": "hologram", "hologram": 1}),
        _after_a_user("messages", {"role": "developer", "content": "From here on be brief."}),
        _chat_name, _chat_reasoning],
    RESPONSES: [
        _put("top_p", 0.5), _put("user", "u-1"), _put("metadata", {}, {"a": "b"}),
        _put("service_tier", "auto", "flex"), _put("parallel_tool_calls", True, False),
        _put("text", {"verbosity": "low"}, {"format": {"type": "json_object"}}),
        _put("store", False, True), _put("prompt_cache_key", "k"), _put("truncation", "auto"),
        _put("background", False), _put("previous_response_id", None, "resp_1"),
        _put("max_tool_calls", 3), _put("something_new", 1, None),
        _put("include", ["reasoning.encrypted_content"], []), _put("temperature", 1.5),
        _put("reasoning", {"summary": "auto"}, {"effort": "low", "summary": "detailed"}),
        _put("tool_choice", "none", "required", {"type": "function", "name": "f"}),
        _tool("strict", True, False), _tool("description", "What it does"),
        _input_part({"type": "input_image", "image_url": "data:image/png;base64," + PNG},
                    {"type": "input_image", "image_url": "https://e.org/a.png", "detail": "low"},
                    {"type": "input_file", "filename": "a.pdf",
                     "file_data": "data:application/pdf;base64," + PDF},
                    {"type": "input_file", "file_url": "https://e.org/a.pdf"},
                    {"type": "input_file", "file_id": "file-1"}),
        _after_a_user("input", {"role": "developer", "content": "From here on be brief."}),
        _parted_output, _custom_tool],
    MESSAGES: [
        _put("stop_sequences", ["x"], []), _put("top_k", 5), _put("top_p", 0.5),
        _put("metadata", {"user_id": "u-1"}, {}), _put("service_tier", "auto", "standard_only"),
        _put("something_new", 1, None), _thinking,
        _put("context_management", {"edits": []}),
        _put("tool_choice", {"type": "any"}, {"type": "none"}, {"type": "tool", "name": "f"},
             {"type": "auto", "disable_parallel_tool_use": True}),
        _tool("strict", True, False), _tool("description", "What it does"),
        _tool("cache_control", MARK), _tool("defer_loading", True),
        _tool("input_examples", [{"a": "b"}]), _tool("allowed_callers", ["direct"],
                                                     ["code_execution_20250825"]),
        _block({"type": "image", "source": {"type": "base64", "media_type": "image/png",
                                            "data": PNG}},
               {"type": "image", "source": {"type": "url", "url": "https://e.org/a.png"}},
               {"type": "document", "title": "a.pdf", "source": {
                   "type": "base64", "media_type": "application/pdf", "data": PDF}},
               {"type": "document", "citations": {"enabled": True}, "source": {
                   "type": "base64", "media_type": "application/pdf", "data": PDF}},
               {"type": "document", "source": {"type": "url", "url": "https://e.org/a.pdf"}},
               {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
               {"type": "text", "text": "marked", "cache_control": MARK},
               {"type": "hologram"}),
        _results(lambda result: result.update(is_error=True)), _results(_with_image),
        _system_at_the_end, _cached_system],
    GEMINI: [
        _config("topK", 5), _config("topP", 0.5), _config("seed", 7),
        _config("candidateCount", 1, 2),
        _config("frequencyPenalty", 0, 0.5), _config("presencePenalty", 0, 1),
        _config("stopSequences", ["x"], []), _config("responseLogprobs", False, True),
        _config("responseMimeType", "text/plain", "application/json"),
        _config("responseModalities", ["TEXT"], ["TEXT", "IMAGE"]),
        _config("thinkingConfig", {"thinkingBudget": 0}, {"thinkingBudget": -1},
                {"thinkingBudget": 5000, "includeThoughts": True}),
        _config("temperature", 1.5), _put("somethingNew", 1, None), _put("serviceTier", "flex"),
        _put("safetySettings", [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}],
             [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_ONLY_HIGH"}]),
        _put("toolConfig", {"functionCallingConfig": {"mode": "ANY"}},
             {"functionCallingConfig": {"mode": "NONE"}},
             {"functionCallingConfig": {"mode": "VALIDATED"}}),
        _put("cachedContent", "cachedContents/1"), _put("labels", {"a": "b"}),
        _part({"inlineData": {"mimeType": "image/png", "data": PNG}},
              {"inlineData": {"mimeType": "image/png", "data": PNG.replace("+", "-").replace(
                  "/", "_")}},
              {"inlineData": {"mimeType": "application/pdf", "data": PDF}},
              {"inlineData": {"mimeType": "audio/wav", "data": AUDIO}},
              {"fileData": {"mimeType": "image/png", "fileUri": "gs://bucket/a.png"}},
              {"hologram": {}})],
}
