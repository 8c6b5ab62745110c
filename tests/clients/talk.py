# SPDX-License-Identifier: Apache-2.0
"""What a conversation says, whatever dialect it is written in: a flat list of items in their order.

This shares nothing with the station. It reads leniently; what a vendor would refuse is strict.py's.
"""
import base64
import binascii
import dataclasses
import json
import re


@dataclasses.dataclass
class Item:
    kind: str               # text, image, call, result, think
    role: str               # system, user, assistant
    text: str = ""          # also a call's arguments and a result's text, as they came
    name: str = ""          # of the tool that is called
    id: str = ""            # that joins a call and its result
    data: bytes = b""       # of an image
    seal: str = ""          # the vendor's opaque proof of a thought


@dataclasses.dataclass
class Tool:
    name: str
    kind: str               # function, custom, or a hosted tool's type
    schema: object = None
    space: str = ""         # the namespace that the dialect keeps apart from the name


def dialect_of(path):
    if path.endswith("/chat/completions"):
        return "chat"
    if "/responses" in path:
        return "responses"
    if "/messages" in path:
        return "messages"
    return "gemini" if "models/" in path else None


def picture(text):
    """The bytes of base64; a mark where it is none. The URL-safe alphabet is not base64 here."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b"not base64: " + text[:40].encode()


def of_data_url(url):
    found = re.fullmatch(r"data:([\w/+.-]+);base64,(.*)", url or "", re.DOTALL)
    return picture(found[2]) if found else b"by address: " + (url or "").encode()


def as_text(value):
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


class Talk:
    def __init__(self, received):
        self.dialect = dialect_of(received.path)
        self.received = received
        self.body = received.json() if received.body else {}
        self.stream = bool(self.body.get("stream")) or "streamGenerate" in received.path
        found = re.search(r"models/([^:]+)", received.path)
        self.model = self.body.get("model") or (found[1] if found else "")
        self.items, self.tools = [], {}
        if self.dialect and self.body:
            getattr(self, "_" + self.dialect)(self.body)

    def add(self, kind, role, text="", **more):
        self.items.append(Item(kind, role, text or "", **more))

    def offer(self, name, kind="function", schema=None, space=""):
        self.tools[name] = Tool(name, kind, schema, space)

    # Chat Completions

    def _chat(self, body):
        for message in body.get("messages") or []:
            role = {"developer": "system"}.get(message["role"], message["role"])
            if role == "tool":
                text = self._chat_text(message.get("content"))
                self.add("result", "user", text, id=message.get("tool_call_id", ""))
                continue
            if message.get("reasoning_content") or message.get("reasoning"):
                self.add("think", role, message.get("reasoning_content") or message["reasoning"])
            self._chat_parts(role, message.get("content"))
            for call in message.get("tool_calls") or []:
                inner = call.get("function") or call.get("custom") or {}
                self.add("call", role, inner.get("arguments", inner.get("input", "")),
                         name=inner.get("name", ""), id=call.get("id", ""))
        for tool in body.get("tools") or []:
            inner = tool.get("function") or tool.get("custom") or {}
            self.offer(inner.get("name", ""), tool.get("type"), inner.get("parameters"))

    def _chat_text(self, content):
        if isinstance(content, list):
            return "".join(part.get("text", "") for part in content)
        return content or ""

    def _chat_parts(self, role, content):
        for part in [{"type": "text", "text": content}] if isinstance(content, str) \
                else content or []:
            if part["type"] == "image_url":
                self.add("image", role, data=of_data_url(part["image_url"]["url"]))
            else:
                self.add("text", role, part.get("text") or part.get("refusal"))

    # Responses

    def _responses(self, body):
        if body.get("instructions"):
            self.add("text", "system", body["instructions"])
        given = body.get("input")
        for item in [{"role": "user", "content": given}] if isinstance(given, str) else given or []:
            self._responses_item(item, item.get("type", "message"))
        for tool in body.get("tools") or []:
            if tool["type"] == "namespace":
                for inner in tool.get("tools") or []:
                    self.offer(inner["name"], inner["type"], inner.get("parameters"), tool["name"])
            else:
                self.offer(tool.get("name", tool["type"]), tool["type"], tool.get("parameters"))

    def _responses_item(self, item, kind):
        if kind == "message":
            role = {"developer": "system"}.get(item["role"], item["role"])
            self._responses_parts(role, item.get("content"))
        elif kind in ("function_call", "custom_tool_call"):
            self.add("call", "assistant", item.get("arguments", item.get("input", "")),
                     name=item["name"], id=item["call_id"])
        elif kind in ("function_call_output", "custom_tool_call_output"):
            output = item.get("output")
            text = output if isinstance(output, str) else "".join(
                part.get("text", "") for part in output or [])
            self.add("result", "user", text, id=item["call_id"])
            if isinstance(output, list):
                self._responses_parts("user", [p for p in output if p["type"] == "input_image"])
        elif kind == "reasoning":
            self.add("think", "assistant", "".join(p.get("text", "") for p in item["summary"]),
                     seal=item.get("encrypted_content") or "")

    def _responses_parts(self, role, content):
        for part in [{"type": "input_text", "text": content}] if isinstance(content, str) \
                else content or []:
            if part["type"] == "input_image":
                self.add("image", role, data=of_data_url(part.get("image_url")))
            else:
                self.add("text", role, part.get("text") or part.get("refusal"))

    # Messages

    def _messages(self, body):
        self._blocks("system", body.get("system"))
        for message in body.get("messages") or []:
            self._blocks(message["role"], message.get("content"))
        for tool in body.get("tools") or []:
            self.offer(tool["name"], tool.get("type") or "function", tool.get("input_schema"))

    def _blocks(self, role, content):
        for block in [{"type": "text", "text": content}] if isinstance(content, str) \
                else content or []:
            kind = block["type"]
            if kind == "text":
                self.add("text", role, block["text"])
            elif kind == "image":
                self.add("image", role, data=picture(block["source"].get("data", "")))
            elif kind == "thinking":
                self.add("think", role, block["thinking"], seal=block.get("signature", ""))
            elif kind == "tool_use":
                self.add("call", role, as_text(block["input"]), name=block["name"], id=block["id"])
            elif kind == "tool_result":
                inner = block.get("content")
                text = inner if isinstance(inner, str) else "".join(
                    part.get("text", "") for part in inner or [])
                self.add("result", "user", text, id=block["tool_use_id"])
                if isinstance(inner, list):
                    self._blocks("user", [part for part in inner if part["type"] == "image"])

    # Gemini

    def _gemini(self, body):
        system = body.get("systemInstruction") or body.get("system_instruction") or {}
        self._parts("system", system.get("parts"))
        contents = body.get("contents") or []
        for content in contents if isinstance(contents, list) else [contents]:
            role = {"model": "assistant"}.get(content.get("role"), "user")
            self._parts(role, content.get("parts"))
        for tool in body.get("tools") or []:
            for name, inner in tool.items():
                if name in ("functionDeclarations", "function_declarations"):
                    for one in inner:
                        self.offer(one["name"], "function",
                                   one.get("parametersJsonSchema", one.get("parameters")))
                else:
                    self.offer(name, name)

    def _parts(self, role, parts):
        for part in parts or []:
            seal = part.get("thoughtSignature", "")
            if "functionCall" in part:
                call = part["functionCall"]
                self.add("call", role, as_text(call.get("args", {})), name=call["name"],
                         id=call.get("id", ""), seal=seal)
            elif "functionResponse" in part:
                answer = part["functionResponse"]
                self.add("result", "user", as_text(answer.get("response")), name=answer["name"],
                         id=answer.get("id", ""))
                self._parts("user", answer.get("parts"))
            elif "inlineData" in part:
                # Google takes the URL-safe alphabet, too, and its own SDK sends it.
                data = part["inlineData"]["data"].replace("-", "+").replace("_", "/")
                self.add("image", role, data=picture(data))
            elif part.get("thought"):
                self.add("think", role, part.get("text"), seal=seal)
            else:
                self.add("text", role, part.get("text"), seal=seal)
