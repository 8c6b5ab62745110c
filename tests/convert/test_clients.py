# SPDX-License-Identifier: Apache-2.0
"""What the command-line clients of each dialect send on every turn, in full: usable at every
upstream, with nothing lost but what is named. The clients themselves run in tests/clients."""
import json
import unittest

from tests.convert import answers, judge
from tests.convert.answers import Answer
from tests.convert.fifty import FiftyCase, all_pairs, upstreams_of
from tests.convert.harness import MAX_OUTPUT
from tests.peer import meaning
from tests.peer.recordings import CHAT, GEMINI, MESSAGES, RESPONSES

FILES = {"type": "object", "properties": {"file_path": {"type": "string"}, "limit": {
    "type": "number", "exclusiveMinimum": 0}}, "required": ["file_path"],
    "additionalProperties": False, "$schema": "http://json-schema.org/draft-07/schema#"}
MARK = {"cache_control": {"type": "ephemeral"}}

CLAUDE_CODE = {
    "max_tokens": 128000, "thinking": {"type": "adaptive", "display": "omitted"},
    "system": [{"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1.330;"},
               {"type": "text", "text": "You are a coding assistant.", **MARK},
               {"type": "text", "text": "Work in /tmp.", **MARK}],
    "messages": [{"role": "user", "content": [{"type": "text", "text": "Fix the bug"}]},
                 {"role": "system", "content": [{"type": "text", "text": "Today is Tuesday.",
                                                 **MARK}], "output_config": {"effort": "medium"}}],
    "tools": [{"name": "Read", "description": "Reads a file", "input_schema": FILES},
              {"name": "Bash", "description": "Runs", "input_schema": FILES,
               "eager_input_streaming": True},
              {"name": "Rare", "description": "Rare", "input_schema": FILES,
               "defer_loading": True}],
    "metadata": {"user_id": json.dumps({"device_id": "d" * 64, "account_uuid": "",
                                        "session_id": "s" * 36})},
    "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
    "output_config": {"effort": "high"}}
CLAUDE_CODE_BETAS = ("claude-code-20250219,interleaved-thinking-2025-05-14,"
                     "context-management-2025-06-27,per-turn-control-2026-07-01,"
                     "effort-2025-11-24")

CODEX = {
    "store": False, "include": ["reasoning.encrypted_content"], "prompt_cache_key": "k-1",
    "parallel_tool_calls": True, "tool_choice": "auto", "client_metadata": {"originator": "codex"},
    "reasoning": {"effort": "medium", "summary": "auto"}, "text": {"verbosity": "low"},
    "input": [{"type": "message", "id": "msg_1", "role": "developer", "content": [
        {"type": "input_text", "text": "You are a coding agent."}]},
        {"type": "message", "role": "user", "content": [
            {"type": "input_text", "text": "Fix the bug"}]}],
    "tools": [{"type": "function", "name": "shell", "description": "Runs", "strict": False,
               "parameters": FILES},
              {"type": "custom", "name": "apply_patch", "description": "Edits", "format": {
                  "type": "grammar", "syntax": "lark", "definition": "start: /x+/"}},
              {"type": "tool_search", "execution": "client", "description": "Finds tools",
               "parameters": {"type": "object", "properties": {"query": {"type": "string"}}}},
              {"type": "web_search"},
              {"type": "namespace", "name": "multi_agent_v1", "description": "Agents", "tools": [
                  {"type": "function", "name": "spawn", "description": "Starts", "strict": False,
                   "parameters": FILES, "defer_loading": True}]}]}

GEMINI_CLI = {
    "contents": [{"role": "user", "parts": [{"text": "The setup"}, {"text": "Fix the bug"}]}],
    "systemInstruction": {"role": "user", "parts": [{"text": "You are a coding agent."}]},
    "tools": [{"functionDeclarations": [{"name": "read_file", "description": "Reads",
                                         "parametersJsonSchema": FILES}]}],
    "generationConfig": {"temperature": 1, "topP": 0.95, "thinkingConfig": {
        "includeThoughts": True, "thinkingBudget": 8192}}}

QWEN_CODE = {
    "messages": [{"role": "system", "content": "You are a coding agent."},
                 {"role": "user", "content": [{"type": "text", "text": "Fix the bug"}]}],
    "max_tokens": 8000, "temperature": 0.2, "top_p": 0.95,
    "tools": [{"type": "function", "function": {"name": "read_file", "description": "Reads",
                                                "parameters": FILES}}]}

BODIES = {MESSAGES: CLAUDE_CODE, RESPONSES: CODEX, GEMINI: GEMINI_CLI, CHAT: QWEN_CODE}
FIRST_TOOL = {MESSAGES: "Read", RESPONSES: "shell", GEMINI: "read_file", CHAT: "read_file"}


class Clients(FiftyCase):

    @all_pairs
    def test_a_loop_of_three_calls(self, client, upstream):
        """As these clients work: a call a turn, each answered, then the end. All streamed."""
        asked = json.loads(json.dumps(BODIES[client]))
        headers = [("anthropic-beta", CLAUDE_CODE_BETAS)] if client == MESSAGES else []
        for turn in range(3):
            answer = Answer([("reasoning", f"Thought {turn}", "c2lnbmVk"),
                             ("text", f"Step {turn}"),
                             ("call", f"call_{turn}", FIRST_TOOL[client],
                              '{"file_path":"a%d.py"}' % turn)], reasoning=3)
            got = self.ask(client, upstream, asked, answer.stream(upstream), True, headers=headers)
            self.judge(client, upstream, asked, got)
            whole = self.whole(client, got, True)
            read = meaning.reply(client, whole)
            self.assertEqual((read.text, read.all("call"), read.finish), (
                f"Step {turn}", [[FIRST_TOOL[client], {"file_path": f"a{turn}.py"}]], "tool"))
            asked = answers.next_turn(client, asked, whole, [f"result {turn}"])
        got = self.ask(client, upstream, asked, Answer([("text", "Done")]).stream(upstream), True,
                       headers=headers)
        self.judge(client, upstream, asked, got)
        calls = [i for i in meaning.request(upstream, got.asked).items if i.what == "call"]
        self.assertEqual([i.value[1]["file_path"] for i in calls], ["a0.py", "a1.py", "a2.py"])

    def judge(self, client, upstream, asked, got):
        """The vendor was asked all of it, but for what was named."""
        given, sent = meaning.request(client, asked), meaning.request(upstream, got.asked)
        faults = [f for f in judge.compare_requests(given, sent, got.lossy, asked)
                  # `omitted` and the turn's own effort have tests of their own
                  if not f.path.startswith("thinking") and f.rule != "effort changed"]
        self.assertEqual([str(f) for f in faults], [])

    @upstreams_of(MESSAGES)
    def test_what_claude_code_wants_most(self, upstream):
        got = self.ask(MESSAGES, upstream, CLAUDE_CODE,
                       headers=[("anthropic-beta", CLAUDE_CODE_BETAS)])
        sent = meaning.request(upstream, got.asked)
        self.assertIn(sent.get("max"), (MAX_OUTPUT, 128000))
        self.assertIsNone(got.received.get("anthropic-beta"))
        self.assertEqual({t.name for t in sent.tools}, {"Read", "Bash", "Rare"})

    @upstreams_of(MESSAGES, CHAT, RESPONSES)
    def test_long_users_are_hashed(self, upstream):
        got = self.ask(MESSAGES, upstream, CLAUDE_CODE)
        user = got.asked.get("user") or got.asked.get("safety_identifier")
        self.assertTrue(user)
        self.assertLessEqual(len(user), 64)
        self.assertIn("metadata.user_id", got.lossy)

    @upstreams_of(RESPONSES)
    def test_what_codex_wants_most(self, upstream):
        got = self.ask(RESPONSES, upstream, CODEX, Answer([("reasoning", "Hm", "c2ln"),
                                                           ("text", "Hi")]).whole(upstream))
        reasoning = got.json()["output"][0]
        self.assertEqual(reasoning["type"], "reasoning")
        self.assertTrue(reasoning["encrypted_content"])
        self.assertIsInstance(reasoning["summary"], list)
        self.assertIs(got.json()["store"], False)

    @upstreams_of(GEMINI)
    def test_what_gemini_cli_wants_most(self, upstream):
        got = self.ask(GEMINI, upstream, GEMINI_CLI)
        sent = meaning.request(upstream, got.asked)
        self.assertIn(sent.get("effort") or sent.get("budget"), ("medium", "high", 8191, 8192))


if __name__ == "__main__":
    unittest.main()
