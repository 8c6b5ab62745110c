# SPDX-License-Identifier: Apache-2.0
"""A client of the simulator's zoo: one question in each dialect, and what came back.

It writes and reads the four dialects by itself, and knows of the zoo only what its documentation
says.
"""
import json
import time

from tests.peer.rawhttp import Raw, request_bytes

PATHS = {"chat": "/v1/chat/completions", "responses": "/v1/responses", "messages": "/v1/messages"}


class Said:
    """One answer, or the error in its place."""

    def __init__(self, dialect, response, began):
        self.dialect, self.status, self.response = dialect, response.status, response
        self.head = {name.lower(): value for name, value in response.headers}
        self.began = began
        self.events = []        # (seconds since it was asked, name, data)
        self.text, self.thinking, self.signature = "", "", None
        self.arguments, self.tool, self.finish = None, None, None
        self.input = self.output = self.cached = self.created = self.reasoning = 0
        self.root = None
        if response.get("content-type") == "text/event-stream":
            self._stream(response)
        else:
            self.root = json.loads(response.body)
            if self.status == 200:
                getattr(self, "_" + dialect)(self.root)

    # Whole answers

    def _chat(self, root):
        choice = root["choices"][0]
        message = choice["message"]
        self.id, self.finish, self.text = root["id"], choice["finish_reason"], message["content"]
        for call in message.get("tool_calls", []):
            self.tool, self.arguments = call["function"]["name"], call["function"]["arguments"]
        self._chat_usage(root["usage"])

    def _chat_usage(self, usage):
        self.usage = usage
        self.input, self.output = usage["prompt_tokens"], usage["completion_tokens"]
        self.cached = usage["prompt_tokens_details"]["cached_tokens"]
        self.reasoning = usage.get("completion_tokens_details", {}).get("reasoning_tokens", 0)
        assert usage["total_tokens"] == self.input + self.output

    def _responses(self, root):
        self.id, self.finish = root["id"], root["status"]
        self.items = root["output"]
        for item in self.items:
            if item["type"] == "message":
                self.text = item["content"][0]["text"]
            elif item["type"] == "function_call":
                self.tool, self.arguments = item["name"], item["arguments"]
        self.usage = usage = root["usage"]
        self.input, self.output = usage["input_tokens"], usage["output_tokens"]
        self.cached = usage["input_tokens_details"]["cached_tokens"]
        self.reasoning = usage["output_tokens_details"]["reasoning_tokens"]
        assert usage["total_tokens"] == self.input + self.output

    def _messages(self, root):
        self.id, self.finish, self.blocks = root["id"], root["stop_reason"], root["content"]
        for block in root["content"]:
            if block["type"] == "text":
                self.text += block["text"]
            elif block["type"] == "thinking":
                self.thinking, self.signature = block["thinking"], block["signature"]
            elif block["type"] == "tool_use":
                self.tool = block["name"]
                self.arguments = json.dumps(block["input"])
        self._messages_usage(root["usage"])

    def _messages_usage(self, usage):
        self.usage = usage
        self.created = usage.get("cache_creation_input_tokens", 0)
        self.cached = usage.get("cache_read_input_tokens", 0)
        self.input = usage["input_tokens"] + self.created + self.cached
        self.output = usage["output_tokens"]

    def _count(self, root):
        self.input = root["input_tokens"]

    def _gemini(self, root):
        candidate = root["candidates"][0]
        self.id, self.finish = root["responseId"], candidate.get("finishReason")
        for part in candidate["content"]["parts"]:
            self.text += part.get("text", "")
            if "functionCall" in part:
                self.tool = part["functionCall"]["name"]
                self.arguments = json.dumps(part["functionCall"]["args"])
        self.usage = usage = root["usageMetadata"]
        self.input = usage["promptTokenCount"]
        self.reasoning = usage.get("thoughtsTokenCount", 0)
        self.output = usage.get("candidatesTokenCount", 0) + self.reasoning
        self.cached = usage.get("cachedContentTokenCount", 0)
        assert usage["totalTokenCount"] == self.input + self.output

    # Streams

    def _stream(self, response):
        pending = b""
        end = b"\r\n\r\n" if self.dialect == "gemini" else b"\n\n"
        for at, data in response.chunks:
            pending += data
            while end in pending:
                raw, pending = pending.split(end, 1)
                lines = dict(line.split(": ", 1) for line in raw.decode().splitlines())
                self.events.append((at - self.began, lines.get("event"), lines["data"]))
        assert not pending, pending
        for _, name, data in self.events:
            getattr(self, "_on_" + self.dialect)(name, data)

    def _on_chat(self, _, data):
        if data == "[DONE]":
            return
        root = json.loads(data)
        for choice in root["choices"]:
            delta = choice.get("delta", {})
            self.text += delta.get("content") or ""
            self.finish = choice.get("finish_reason") or self.finish
            for call in delta.get("tool_calls", []):
                self.tool = call["function"].get("name", self.tool)
                self.arguments = (self.arguments or "") + call["function"]["arguments"]
        self.id = root["id"]
        if root.get("usage"):
            self._chat_usage(root["usage"])

    def _on_responses(self, name, data):
        root = json.loads(data)
        assert root["type"] == name
        if name in ("response.completed", "response.incomplete"):
            self._responses(root["response"])

    def _on_messages(self, name, data):
        root = json.loads(data)
        assert root["type"] == name
        if name == "message_start":
            self.id = root["message"]["id"]
        elif name == "content_block_start" and root["content_block"]["type"] == "tool_use":
            self.tool, self.arguments = root["content_block"]["name"], ""
        elif name == "content_block_delta":
            delta = root["delta"]
            self.text += delta.get("text", "")
            self.thinking += delta.get("thinking", "")
            self.signature = delta.get("signature", self.signature)
            if "partial_json" in delta:
                self.arguments += delta["partial_json"]
        elif name == "message_delta":
            self.finish = root["delta"]["stop_reason"]
            self._messages_usage(root["usage"])

    def _on_gemini(self, _, data):
        text = self.text
        self.text = ""
        self._gemini(json.loads(data))
        self.text = text + self.text

    # Rhythm

    @property
    def times(self):
        return [at for at, _, _ in self.events]

    @property
    def first(self):
        return self.times[0]

    @property
    def last(self):
        return self.times[-1]


def body(dialect, model, text, system=None, max_tokens=None, temperature=None, stream=False,
         tool=None, force=False, thinking=False, **more):
    """The request, with whatever else as members of it."""
    turn = {"role": "user", "content": text}
    if dialect == "gemini":
        root = {"contents": [{"role": "user", "parts": [{"text": text}]}]}
        config = {"maxOutputTokens": max_tokens, "temperature": temperature,
                  "stopSequences": more.pop("stop", None), "seed": more.pop("seed", None)}
        if system:
            root["systemInstruction"] = {"parts": [{"text": system}]}
        root["generationConfig"] = {k: v for k, v in config.items() if v is not None}
        if tool:
            root["tools"] = [{"functionDeclarations": [{"name": tool[0], "parameters": tool[1]}]}]
            root["toolConfig"] = {"functionCallingConfig": {"mode": "ANY" if force else "AUTO"}}
        root.update(more)
        return root
    root = {"model": model, **more}
    if dialect == "chat":
        root["messages"] = ([{"role": "system", "content": system}] if system else []) + [turn]
        root["max_tokens"] = max_tokens
        if stream:
            root["stream_options"] = {"include_usage": True}
        if tool:
            root["tools"] = [{"type": "function",
                              "function": {"name": tool[0], "parameters": tool[1]}}]
            root["tool_choice"] = "required" if force else "auto"
    elif dialect == "responses":
        root["input"] = [turn]
        root["instructions"] = system
        root["max_output_tokens"] = max_tokens
        if tool:
            root["tools"] = [{"type": "function", "name": tool[0], "parameters": tool[1]}]
            root["tool_choice"] = "required" if force else "auto"
    else:
        root.setdefault("messages", [turn])
        root["system"] = system
        root["max_tokens"] = max_tokens or 1000
        if thinking:
            root["thinking"] = {"type": "enabled", "budget_tokens": 1024}
        if tool:
            root["tools"] = [{"name": tool[0], "input_schema": tool[1]}]
            root["tool_choice"] = {"type": "any" if force else "auto"}
    root["temperature"], root["stream"] = temperature, stream or None
    return {k: v for k, v in root.items() if v is not None}


def path(dialect, model, stream=False, count=False):
    if dialect == "gemini":
        return f"/v1beta/models/{model}:" + (
            "countTokens" if count else
            "streamGenerateContent?alt=sse" if stream else "generateContent")
    suffix = {"messages": "/count_tokens", "responses": "/input_tokens"}.get(dialect, "")
    return PATHS[dialect] + (suffix if count else "")


def say(port, dialect, model, text, stream=False, **settings):
    root = body(dialect, model, text, stream=stream, **settings)
    return send(port, dialect, path(dialect, model, stream), root)


def send(port, dialect, target, root):
    data = json.dumps(root, ensure_ascii=False).encode()
    with Raw(port) as raw:
        began = time.monotonic()
        raw.send(request_bytes("POST", target, [("Content-Type", "application/json"),
                                                ("Connection", "close")], data))
        return Said(dialect, raw.response("POST"), began)
