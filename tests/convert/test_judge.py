# SPDX-License-Identifier: Apache-2.0
"""The judge of conversions, judged: what was kept passes, and each kind of loss is caught."""
import copy
import unittest

from tests.convert import judge
from tests.peer import cases, meaning

CHAT, RESPONSES, MESSAGES, GEMINI = cases.DIALECTS
PNG = "iVBORw0KGgo="
SCHEMA = {"type": "object", "properties": {"city": {"type": "string", "minLength": 2}},
          "required": ["city"]}

# The same conversation in all four.
CHAT_REQUEST = {
    "model": "m", "max_completion_tokens": 5000, "temperature": 0.5, "top_p": 0.9,
    "reasoning_effort": "high",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [
            {"type": "text", "text": "What is  this?"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64," + PNG}}]},
        {"role": "assistant", "content": "I look.", "tool_calls": [
            {"id": "call_1", "type": "function", "function": {
                "name": "f", "arguments": "{\"city\": \"Paris\"}"}},
            {"id": "call_2", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
        {"role": "tool", "tool_call_id": "call_2", "content": "sun"},
        {"role": "user", "content": "And now?"}],
    "tools": [{"type": "function", "function": {
        "name": "f", "description": "Weather", "parameters": SCHEMA, "strict": False}}],
    "tool_choice": "required",
    "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}}
RESPONSES_REQUEST = {
    "model": "m", "max_output_tokens": 5000, "temperature": 0.5, "top_p": 0.9, "store": False,
    "reasoning": {"effort": "high"}, "instructions": "Be brief.",
    "input": [
        {"role": "user", "content": [
            {"type": "input_text", "text": "What is  this?"},
            {"type": "input_image", "image_url": "data:image/png;base64," + PNG}]},
        {"role": "assistant", "content": [{"type": "output_text", "text": "I look."}]},
        {"type": "function_call", "call_id": "call_1", "name": "f",
         "arguments": "{\"city\": \"Paris\"}"},
        {"type": "function_call", "call_id": "call_2", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "rain"},
        {"type": "function_call_output", "call_id": "call_2", "output": "sun"},
        {"role": "user", "content": "And now?"}],
    "tools": [{"type": "function", "name": "f", "description": "Weather", "parameters": SCHEMA,
               "strict": False}],
    "tool_choice": "required",
    "text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA}}}
MESSAGES_REQUEST = {
    "model": "m", "max_tokens": 5000, "temperature": 0.5, "top_p": 0.9, "system": "Be brief.",
    "thinking": {"type": "adaptive"},
    "output_config": {"effort": "high", "format": {"type": "json_schema", "schema": SCHEMA}},
    "messages": [
        {"role": "user", "content": [
            {"type": "text", "text": "What is  this?"},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png",
                                         "data": PNG}}]},
        {"role": "assistant", "content": [
            {"type": "text", "text": "I look."},
            {"type": "tool_use", "id": "call_1", "name": "f", "input": {"city": "Paris"}},
            {"type": "tool_use", "id": "call_2", "name": "f", "input": {}}]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "call_1", "content": "rain"},
            {"type": "tool_result", "tool_use_id": "call_2", "content": "sun"},
            {"type": "text", "text": "And now?"}]}],
    "tools": [{"name": "f", "description": "Weather", "input_schema": SCHEMA}],
    "tool_choice": {"type": "any"}}
GEMINI_REQUEST = {
    "systemInstruction": {"parts": [{"text": "Be brief."}]},
    "contents": [
        {"role": "user", "parts": [{"text": "What is  this?"},
                                   {"inlineData": {"mimeType": "image/png", "data": PNG}}]},
        {"role": "model", "parts": [{"text": "I look."},
                                    {"functionCall": {"name": "f", "args": {"city": "Paris"}}},
                                    {"functionCall": {"name": "f", "args": {}}}]},
        {"role": "user", "parts": [
            {"functionResponse": {"name": "f", "response": {"output": "rain"}}},
            {"functionResponse": {"name": "f", "response": {"output": "sun"}}},
            {"text": "And now?"}]}],
    "tools": [{"functionDeclarations": [{"name": "f", "description": "Weather",
                                         "parametersJsonSchema": SCHEMA}]}],
    "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
    "generationConfig": {"maxOutputTokens": 5000, "temperature": 0.5, "topP": 0.9,
                         "thinkingConfig": {"thinkingBudget": 16384},
                         "responseMimeType": "application/json", "responseJsonSchema": SCHEMA}}
SAME = {CHAT: CHAT_REQUEST, RESPONSES: RESPONSES_REQUEST, MESSAGES: MESSAGES_REQUEST,
        GEMINI: GEMINI_REQUEST}

# (dialect of what was sent, path, new value or ..., the rule that catches it)
LOSSES = [
    (CHAT, ["messages", 0], ..., "conversation lost"),
    (CHAT, ["messages", 1, "content", 0, "text"], "What is this?", "text altered"),
    (CHAT, ["messages", 1, "content", 1], ..., "conversation lost"),
    (CHAT, ["messages", 2, "tool_calls", 0, "function", "arguments"], "{}", "conversation lost"),
    (CHAT, ["messages", 2, "tool_calls", 0, "function", "arguments"], "{\"c", "broken request"),
    (CHAT, ["messages", 3, "tool_call_id"], "call_9", "broken request"),
    (CHAT, ["messages", 3, "content"], "snow", "conversation lost"),
    (CHAT, ["messages", 5, "role"], "assistant", "conversation lost"),
    (CHAT, ["tools", 0, "function", "parameters", "properties", "city"], {"type": "string"},
     "tool schema changed"),
    (CHAT, ["tools"], [], "tool lost"),
    (CHAT, ["tools", 0, "function", "description"], "x", "tool description changed"),
    (CHAT, ["max_completion_tokens"], ..., "limit changed"),
    (CHAT, ["temperature"], 1, "setting changed"),
    (CHAT, ["seed"], 4, "setting invented"),
    (CHAT, ["reasoning_effort"], ..., "effort changed"),
    (CHAT, ["tool_choice"], "auto", "tool choice changed"),
    (CHAT, ["response_format"], {"type": "json_object"}, "format changed"),
    (RESPONSES, ["instructions"], "Be", "conversation lost"),
    (RESPONSES, ["input", 0, "content", 1], ..., "conversation lost"),
    (RESPONSES, ["input", 2, "arguments"], "{}", "conversation lost"),
    (RESPONSES, ["input", 4, "call_id"], "call_2", "conversation lost"),
    (RESPONSES, ["tools", 0, "strict"], ..., "strict must be said"),
    (RESPONSES, ["tools", 0, "parameters", "required"], ..., "tool schema changed"),
    (RESPONSES, ["text", "format", "schema"], {"type": "object"}, "format changed"),
    (RESPONSES, ["max_output_tokens"], 16, "limit changed"),
    (MESSAGES, ["system"], ..., "conversation lost"),
    (MESSAGES, ["messages", 2, "content", 1], ..., "conversation lost"),
    (MESSAGES, ["messages", 1, "content", 1, "input"], {}, "conversation lost"),
    (MESSAGES, ["messages", 2, "content", 0, "tool_use_id"], "call_3", "broken request"),
    (MESSAGES, ["tool_choice", "type"], "auto", "tool choice changed"),
    (MESSAGES, ["tool_choice", "disable_parallel_tool_use"], True, "setting invented"),
    (MESSAGES, ["output_config", "effort"], "low", "effort changed"),
    (MESSAGES, ["stop_sequences"], ["x"], "setting invented"),
    (GEMINI, ["systemInstruction"], ..., "conversation lost"),
    (GEMINI, ["contents", 0, "parts", 1], ..., "conversation lost"),
    (GEMINI, ["contents", 1, "parts", 1, "functionCall", "args"], {}, "conversation lost"),
    (GEMINI, ["contents", 2, "parts", 1, "functionResponse", "response"], {"output": ""},
     "conversation lost"),
    (GEMINI, ["toolConfig"], ..., "tool choice changed"),
    (GEMINI, ["generationConfig", "thinkingConfig"], ..., "effort changed"),
    (GEMINI, ["generationConfig", "responseJsonSchema"], ..., "format changed"),
]

# What a client may add, and what the judge then says when it is not in what was sent.
REFUSED = [("stop", ["x"], RESPONSES), ("n", 2, MESSAGES), ("logprobs", True, MESSAGES),
           ("logit_bias", {"5": 1}, GEMINI), ("presence_penalty", 1, MESSAGES),
           ("parallel_tool_calls", False, GEMINI), ("modalities", ["text", "audio"], MESSAGES),
           ("something_new", 1, MESSAGES)]

REPLIES = {
    CHAT: {"model": "m", "choices": [{"finish_reason": "tool_calls", "message": {
        "role": "assistant", "content": "Hi", "reasoning_content": "So", "tool_calls": [
            {"id": "c", "type": "function",
             "function": {"name": "f", "arguments": "{\"a\":1}"}}]}}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15,
                  "prompt_tokens_details": {"cached_tokens": 3},
                  "completion_tokens_details": {"reasoning_tokens": 2}}},
    RESPONSES: {"model": "m", "status": "completed", "output": [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "So"}]},
        {"type": "message", "content": [{"type": "output_text", "text": "Hi"}]},
        {"type": "function_call", "name": "f", "arguments": "{\"a\":1}"}],
        "usage": {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15,
                  "input_tokens_details": {"cached_tokens": 3},
                  "output_tokens_details": {"reasoning_tokens": 2}}},
    MESSAGES: {"model": "m", "stop_reason": "tool_use", "content": [
        {"type": "thinking", "thinking": "So", "signature": "x"}, {"type": "text", "text": "Hi"},
        {"type": "tool_use", "id": "c", "name": "f", "input": {"a": 1}}],
        "usage": {"input_tokens": 7, "cache_read_input_tokens": 3, "output_tokens": 5,
                  "output_tokens_details": {"thinking_tokens": 2}}},
    GEMINI: {"modelVersion": "m", "candidates": [{"finishReason": "STOP", "content": {"parts": [
        {"text": "So", "thought": True}, {"text": "Hi"},
        {"functionCall": {"name": "f", "args": {"a": 1}}}]}}],
        "usageMetadata": {"promptTokenCount": 10, "cachedContentTokenCount": 3,
                          "candidatesTokenCount": 3, "thoughtsTokenCount": 2,
                          "totalTokenCount": 15}},
}
REPLY_LOSSES = [
    (CHAT, ["choices", 0, "message", "content"], "Hi ", "text changed"),
    (CHAT, ["choices", 0, "message", "reasoning_content"], None, "reasoning changed"),
    (CHAT, ["choices", 0, "finish_reason"], "stop", "finish changed"),
    (CHAT, ["usage", "prompt_tokens"], 7, "usage changed"),
    (CHAT, ["usage", "completion_tokens_details"], {}, "usage changed"),
    (RESPONSES, ["output", 2, "arguments"], "{}", "calls changed"),
    (RESPONSES, ["output", 0], ..., "reasoning changed"),
    (RESPONSES, ["usage"], None, "usage lost"),
    (MESSAGES, ["content", 2], ..., "calls changed"),
    (MESSAGES, ["stop_reason"], "max_tokens", "finish changed"),
    (MESSAGES, ["usage", "cache_read_input_tokens"], 0, "usage changed"),
    (GEMINI, ["modelVersion"], "other", "model changed"),
    (GEMINI, ["candidates", 0, "content", "parts", 1], ..., "text changed"),
    (GEMINI, ["usageMetadata", "totalTokenCount"], 10, "usage is inconsistent"),
]


def changed(value, path, new):
    value = copy.deepcopy(value)
    place = value
    for key in path[:-1]:
        place = place[key]
    if new is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = new
    return value


def compare(client, given, upstream, sent, lossy=()):
    return judge.compare_requests(meaning.request(client, given), meaning.request(upstream, sent),
                                  list(lossy), given)


class JudgeTest(unittest.TestCase):

    def test_one_conversation_is_the_same_in_all_dialects(self):
        for a, given in SAME.items():
            for b, sent in SAME.items():
                faults = [f for f in compare(a, given, b, sent) if f.path != "store"]
                self.assertEqual([str(f) for f in faults], [], (a, b))

    def test_each_loss_of_a_request_is_caught(self):
        for number, (dialect, path, new, rule) in enumerate(LOSSES):
            for client in cases.DIALECTS:
                with self.subTest(number=number, dialect=dialect, path=path, client=client):
                    sent = changed(SAME[dialect], path, new)
                    rules = [f.rule for f in compare(client, SAME[client], dialect, sent)]
                    if rule == "strict must be said" and client == RESPONSES:
                        continue
                    self.assertIn(rule, rules)

    def test_what_must_be_refused_may_not_vanish(self):
        for name, value, upstream in REFUSED:
            given = {**CHAT_REQUEST, name: value}
            rules = [f.rule for f in compare(CHAT, given, upstream, SAME[upstream])]
            self.assertTrue(any(r.startswith("must be refused") for r in rules), (name, rules))
            reasons = judge.refusable(meaning.request(CHAT, given), upstream)
            self.assertIn(name, [path for _, path in reasons])

    def test_a_declared_loss_is_none_and_has_to_name_a_path(self):
        given = {**CHAT_REQUEST, "metadata": {"a": "b"}}
        self.assertTrue(compare(CHAT, given, MESSAGES, MESSAGES_REQUEST))
        self.assertEqual(compare(CHAT, given, MESSAGES, MESSAGES_REQUEST, ["metadata"]), [])
        faults = compare(CHAT, given, MESSAGES, MESSAGES_REQUEST, ["metadata", "messages[9].x"])
        self.assertEqual([f.path for f in faults], ["messages[9].x"])

    def test_one_answer_is_the_same_in_all_dialects(self):
        for a, ours in REPLIES.items():
            for b, theirs in REPLIES.items():
                faults = judge.compare_replies(meaning.reply(a, ours), meaning.reply(b, theirs))
                self.assertEqual([str(f) for f in faults], [], (a, b))

    def test_each_loss_of_an_answer_is_caught(self):
        for dialect, path, new, rule in REPLY_LOSSES:
            for vendor in cases.DIALECTS:
                with self.subTest(dialect=dialect, path=path, vendor=vendor):
                    faults = judge.compare_replies(
                        meaning.reply(vendor, REPLIES[vendor]),
                        meaning.reply(dialect, changed(REPLIES[dialect], path, new)))
                    self.assertIn(rule, [f.rule for f in faults])

    def test_paths(self):
        value = {"a": [{"b": 1}], "generationConfig": {"top_k": 3}}
        self.assertTrue(judge.exists(value, "a[0].b"))
        self.assertTrue(judge.exists(value, "generationConfig.topK"))
        self.assertFalse(judge.exists(value, "a[1]"))
        self.assertFalse(judge.exists(value, "a[0].c"))
        self.assertTrue(judge.covers("a[0]", "a[0].b") and judge.covers("a[0].b", "a"))
        self.assertFalse(judge.covers("a[1]", "a[10]"))


if __name__ == "__main__":
    unittest.main()
