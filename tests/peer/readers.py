# SPDX-License-Identifier: Apache-2.0
"""The four readers of meaning.py: a request of each dialect, taken apart."""
import base64
import re

from tests.peer.recordings import CHAT, GEMINI, MESSAGES, RESPONSES
from tests.peer.values import (Reader, Tool, arguments, blob, link, result_text, schema,
                               tool_schema)


# Chat completions

class _Chat(Reader):
    PARTS_OF_MESSAGE = ("role", "content", "tool_calls", "tool_call_id", "refusal", "audio",
                        "reasoning_content", "reasoning")

    def read(self):
        for index, message in enumerate(self.top.pop("messages", None) or []):
            self.message(message, f"messages[{index}]")
        for index, tool in enumerate(self.top.pop("tools", None) or []):
            self.tool(tool, f"tools[{index}]")
        self.simple(self.top, "", {
            "model": "model", "max": "max_completion_tokens", "temperature": "temperature",
            "top_p": "top_p", "top_k": "top_k", "seed": "seed", "n": ("n", (None, 1)),
            "frequency_penalty": ("frequency_penalty", (None, 0, 0.0)),
            "presence_penalty": ("presence_penalty", (None, 0, 0.0)),
            "logit_bias": ("logit_bias", (None, {})), "logprobs": ("logprobs", (None, False)),
            "top_logprobs": "top_logprobs", "parallel": ("parallel_tool_calls", (None, True)),
            "verbosity": "verbosity", "user": "user", "store": "store",
            "metadata": ("metadata", (None, {})),
            "tier": ("service_tier", (None, "auto")), "cache_key": "prompt_cache_key",
            "modalities": ("modalities", (None, ["text"])), "stream": ("stream", (None, False))})
        if "max_tokens" in self.top:
            self.setting("max", self.top.pop("max_tokens"), "max_tokens")
        if "safety_identifier" in self.top:
            self.setting("user", self.top.pop("safety_identifier"), "safety_identifier")
        self.top.pop("stream_options", None)
        stop = self.top.pop("stop", None)
        self.setting("stop", [stop] if isinstance(stop, str) else stop, "stop", (None, []))
        self.reasoning()
        self.choice(self.top.pop("tool_choice", None))
        self.form(self.top.pop("response_format", None))
        return self.finish()

    def reasoning(self):
        """OpenAI's one key, and what other hosts call it."""
        self.setting("effort", self.top.pop("reasoning_effort", None), "reasoning_effort")
        other = self.top.pop("reasoning", None) or {}
        self.setting("effort", other.get("effort"), "reasoning")
        self.setting("budget", other.get("max_tokens"), "reasoning.max_tokens")
        thinking = (self.top.pop("thinking", None) or {}).get("type")
        if thinking == "disabled":
            self.setting("effort", "none", "thinking")
        elif thinking:
            self.setting("adaptive", True, "thinking")

    def form(self, value):
        kind = (value or {}).get("type", "text")
        if kind == "json_schema":
            inner = value.get("json_schema") or {}
            self.setting("format", ["schema", schema(inner.get("schema"))], "response_format")
        elif kind == "json_object":
            self.setting("format", ["json"], "response_format")

    def choice(self, value):
        if isinstance(value, dict):
            kind = value.get("type")
            if kind == "allowed_tools":
                allowed = value.get("allowed_tools") or {}
                names = [(t.get("function") or t.get("custom") or t).get("name")
                         for t in allowed.get("tools") or []]
                value = ["allowed", allowed.get("mode"), names]
            else:
                value = ["tool", (value.get("function") or value.get("custom") or {}).get("name")]
        self.setting("choice", value, "tool_choice", (None, "auto"))

    def tool(self, tool, path):
        kind = tool.get("type")
        inner = tool.get(kind) or {}
        if kind in ("function", "custom"):
            self.out.tools.append(Tool(inner.get("name"), path, inner.get("description"),
                                       tool_schema(inner.get("parameters")), inner.get("strict"),
                                       kind))
            tool.pop(kind)
            tool.pop("type")
            self.rest(tool, path + ".")
        else:
            self.out.tools.append(Tool(tool.get("name", kind), path, kind=str(kind)))

    def message(self, message, path):
        role = message.get("role")
        content = message.get("content")
        if role == "tool":
            number = self.number(message.get("tool_call_id"), path)
            self.result(content, number, path + ".content")
        else:
            if role in ("system", "developer"):
                what, role = "system", "system"
            else:
                what = "text"
            for name in ("reasoning_content", "reasoning"):
                if message.get(name):
                    self.item("reasoning", role, message[name], f"{path}.{name}")
            if isinstance(content, str):
                if content:
                    self.item(what, role, content, path + ".content")
            else:
                for index, part in enumerate(content or []):
                    self.part(part, what, role, f"{path}.content[{index}]")
            if message.get("refusal"):
                self.item("refusal", role, message["refusal"], path + ".refusal")
            for index, call in enumerate(message.get("tool_calls") or []):
                at = f"{path}.tool_calls[{index}]"
                if call.get("custom"):
                    self.call(call.get("id"), call["custom"].get("name"),
                              {"input": call["custom"].get("input")}, at)
                else:
                    function = call.get("function") or {}
                    self.call(call.get("id"), function.get("name"),
                              arguments(function.get("arguments")), at)
        self.rest({k: v for k, v in message.items() if k not in self.PARTS_OF_MESSAGE}, path + ".")

    def result(self, content, number, path):
        if not isinstance(content, str):
            content = "".join(part.get("text") or "" for part in content or [])
        self.item("result", "user", result_text(content), path, call=number)

    def part(self, part, what, role, path):
        kind = part.pop("type", None)
        if kind in ("text", "input_text", "output_text"):
            if part.get("text"):
                self.item(what, role, part.pop("text"), path)
            part.pop("text", None)
        elif kind == "refusal":
            self.item("refusal", role, part.pop("refusal"), path)
        elif kind == "image_url":
            inner = part.pop("image_url")
            self.item("image", role, link(inner.get("url")), path)
            if inner.get("detail") not in (None, "auto"):
                self.out.extras[path + ".image_url.detail"] = inner["detail"]
        elif kind == "video_url":
            self.item("file", role, link((part.pop("video_url") or {}).get("url")), path)
        elif kind == "input_audio":
            inner = part.pop("input_audio")
            self.item("audio", role, [inner.get("format"), blob("", inner.get("data"))[2]], path)
        elif kind == "file":
            inner = part.pop("file")
            value = link(inner["file_data"]) if inner.get("file_data") else ["id",
                                                                             inner.get("file_id")]
            self.item("file", role, value, path)
            if inner.get("filename"):
                self.out.extras[path + ".file.filename"] = inner["filename"]
        else:
            self.item("other", role, {"type": kind}, path)
            return
        self.rest(part, path + ".")


# Responses

class _Responses(Reader):
    def read(self):
        instructions = self.top.pop("instructions", None)
        if instructions:
            self.item("system", "system", instructions, "instructions")
        given = self.top.pop("input", None)
        if isinstance(given, str):
            self.item("text", "user", given, "input")
            given = []
        for index, item in enumerate(given or []):
            self.one(item, f"input[{index}]")
        for index, tool in enumerate(self.top.pop("tools", None) or []):
            self.tool(tool, f"tools[{index}]")
        self.simple(self.top, "", {
            "model": "model", "max": "max_output_tokens", "temperature": "temperature",
            "top_p": "top_p", "top_logprobs": ("top_logprobs", (None, 0)),
            "parallel": ("parallel_tool_calls", (None, True)), "store": "store", "user": "user",
            "metadata": ("metadata", (None, {})),
            "tier": ("service_tier", (None, "auto")), "cache_key": "prompt_cache_key",
            "truncation": ("truncation", (None, "disabled")), "stream": ("stream", (None, False)),
            "background": ("background", (None, False)),
            "previous": "previous_response_id", "max_tool_calls": "max_tool_calls"})
        if "safety_identifier" in self.top:
            self.setting("user", self.top.pop("safety_identifier"), "safety_identifier")
        self.top.pop("stream_options", None)
        include = self.top.pop("include", None) or []
        if "message.output_text.logprobs" in include:
            self.setting("logprobs", True, "include")
        hidden = [i for i in include if i not in ("message.output_text.logprobs",
                                                  "reasoning.encrypted_content")]
        if hidden:
            self.out.extras["include"] = hidden
        reasoning = self.top.pop("reasoning", None) or {}
        self.simple(reasoning, "reasoning.", {"effort": "effort", "summary": "summary"})
        self.rest(reasoning, "reasoning.")
        text = self.top.pop("text", None) or {}
        self.form(text.pop("format", None))
        self.simple(text, "text.", {"verbosity": "verbosity"})
        self.choice(self.top.pop("tool_choice", None))
        return self.finish()

    def form(self, value):
        kind = (value or {}).get("type", "text")
        if kind == "json_schema":
            self.setting("format", ["schema", schema(value.get("schema"))], "text.format")
        elif kind == "json_object":
            self.setting("format", ["json"], "text.format")

    def choice(self, value):
        if isinstance(value, dict):
            if value.get("type") == "allowed_tools":
                names = [t.get("name") for t in value.get("tools") or []]
                value = ["allowed", value.get("mode"), names]
            else:
                value = ["tool", value.get("name", value.get("type"))]
        self.setting("choice", value, "tool_choice", (None, "auto"))

    def tool(self, tool, path):
        kind = tool.pop("type", None)
        if kind in ("function", "custom"):
            self.out.tools.append(Tool(tool.pop("name"), path, tool.pop("description", None),
                                       tool_schema(tool.pop("parameters", None)),
                                       tool.pop("strict", None), kind))
            self.rest(tool, path + ".")
        elif kind == "namespace":
            for index, inner in enumerate(tool.get("tools") or []):
                self.out.tools.append(Tool(f"{tool.get('name')}__{inner.get('name')}",
                                           f"{path}.tools[{index}]", inner.get("description"),
                                           tool_schema(inner.get("parameters")),
                                           inner.get("strict"), inner.get("type")))
        else:
            self.out.tools.append(Tool(kind, path, kind=str(kind)))

    def one(self, item, path):
        kind = item.get("type", "message")
        if kind == "message":
            self.message(item, path)
        elif kind == "function_call":
            self.call(item.get("call_id"), self.full_name(item), arguments(item.get("arguments")),
                      path)
        elif kind == "custom_tool_call":
            self.call(item.get("call_id"), self.full_name(item), {"input": item.get("input")}, path)
        elif kind in ("function_call_output", "custom_tool_call_output"):
            self.output(item, path)
        elif kind == "tool_search_call" and item.get("execution") == "client":
            self.call(item.get("call_id"), "tool_search", item.get("arguments"), path)
        elif kind == "tool_search_output" and item.get("execution") == "client":
            number = self.number(item.get("call_id"), path)
            names = [self.full_name(tool) for tool in item.get("tools") or []]
            self.item("result", "user", "\n".join(names), path, call=number)
            for index, tool in enumerate(item.get("tools") or []):
                self.tool(dict(tool), f"{path}.tools[{index}]")
        elif kind == "additional_tools":
            for index, tool in enumerate(item.get("tools") or []):
                self.tool(dict(tool), f"{path}.tools[{index}]")
        elif kind == "reasoning":
            texts = [s.get("text") for s in (item.get("content") or item.get("summary") or [])]
            if any(texts):
                self.item("reasoning", "assistant", "\n\n".join(texts), path)
            if item.get("encrypted_content"):
                self.item("opaque", "assistant", item["encrypted_content"], path)
        else:
            self.item("other", "assistant", {"type": kind}, path)

    @staticmethod
    def full_name(item):
        return (item["namespace"] + "__" if item.get("namespace") else "") + str(item.get("name"))

    def message(self, item, path):
        role = item.get("role")
        what = "text"
        if role in ("system", "developer"):
            what, role = "system", "system"
        content = item.get("content")
        if isinstance(content, str):
            if content:
                self.item(what, role, content, path + ".content")
            return
        for index, part in enumerate(content or []):
            self.part(part, what, role, f"{path}.content[{index}]")

    def part(self, part, what, role, path):
        kind = part.get("type")
        if kind in ("input_text", "output_text", "text"):
            if part.get("text"):
                self.item(what, role, part["text"], path)
        elif kind == "refusal":
            self.item("refusal", role, part.get("refusal"), path)
        elif kind == "input_image":
            value = link(part["image_url"]) if part.get("image_url") else ["id",
                                                                           part.get("file_id")]
            self.item("image", role, value, path)
            if part.get("detail") not in (None, "auto"):
                self.out.extras[path + ".detail"] = part["detail"]
        elif kind == "input_file":
            value = (link(part["file_data"]) if part.get("file_data") else
                     ["url", part["file_url"]] if part.get("file_url") else
                     ["id", part.get("file_id")])
            self.item("file", role, value, path)
            if part.get("filename"):
                self.out.extras[path + ".filename"] = part["filename"]
        else:
            self.item("other", role, {"type": kind}, path)

    def output(self, item, path):
        number = self.number(item.get("call_id"), path)
        output = item.get("output")
        if isinstance(output, str):
            self.item("result", "user", result_text(output), path + ".output", call=number)
            return
        texts = [p.get("text") or "" for p in output or [] if "text" in p]
        self.item("result", "user", result_text("".join(texts)), path + ".output", call=number)
        for index, part in enumerate(output or []):
            if "text" not in part:
                self.part(part, "text", "user", f"{path}.output[{index}]")


# Messages

class _Messages(Reader):
    def read(self):
        system = self.top.pop("system", None)
        if isinstance(system, str):
            if system:
                self.item("system", "system", system, "system")
        else:
            for index, block in enumerate(system or []):
                self.block(block, "system", "system", f"system[{index}]")
        for index, message in enumerate(self.top.pop("messages", None) or []):
            self.message(message, f"messages[{index}]")
        for index, tool in enumerate(self.top.pop("tools", None) or []):
            self.tool(tool, f"tools[{index}]")
        self.simple(self.top, "", {
            "model": "model", "max": "max_tokens", "temperature": "temperature", "top_p": "top_p",
            "top_k": "top_k", "stop": ("stop_sequences", (None, [])),
            "tier": ("service_tier", (None, "auto")), "stream": ("stream", (None, False)),
            "context_management": "context_management"})
        metadata = self.top.pop("metadata", None) or {}
        self.simple(metadata, "metadata.", {"user": "user_id"})
        self.rest(metadata, "metadata.")
        output = self.top.pop("output_config", None) or {}
        self.simple(output, "output_config.", {"effort": "effort"})
        self.thinking(self.top.pop("thinking", None) or {})     # off is off, whatever the effort
        self.form(output.pop("format", None), "output_config.format")
        self.form(self.top.pop("output_format", None), "output_format")
        self.rest(output, "output_config.")
        self.choice(self.top.pop("tool_choice", None) or {})
        return self.finish()

    def thinking(self, value):
        kind = value.get("type")
        if kind == "disabled":
            self.setting("effort", "none", "thinking")
        elif kind == "enabled":
            self.setting("budget", value.get("budget_tokens"), "thinking.budget_tokens")
        elif kind == "adaptive":
            self.setting("adaptive", True, "thinking")

    def form(self, value, path):
        if value:
            self.setting("format", ["schema", schema(value.get("schema"))], path)

    def choice(self, value):
        kind = value.get("type")
        if value.get("disable_parallel_tool_use"):
            self.setting("parallel", False, "tool_choice.disable_parallel_tool_use")
        choice = {"any": "required", "tool": ["tool", value.get("name")]}.get(kind, kind)
        self.setting("choice", choice, "tool_choice", (None, "auto"))

    def tool(self, tool, path):
        kind = tool.pop("type", None)
        name = tool.pop("name", None)
        if kind in (None, "custom"):
            self.out.tools.append(Tool(name, path, tool.pop("description", None),
                                       tool_schema(tool.pop("input_schema", None)),
                                       tool.pop("strict", None)))
            self.rest(tool, path + ".")
        else:
            self.out.tools.append(Tool(name, path, kind=kind))

    def message(self, message, path):
        role = message.get("role")
        what = "system" if role == "system" else "text"
        content = message.get("content")
        if isinstance(content, str):
            if content:
                self.item(what, role, content, path + ".content")
        else:
            for index, block in enumerate(content or []):
                self.block(block, what, role, f"{path}.content[{index}]")
        if message.get("output_config"):
            self.simple(message["output_config"], path + ".output_config.", {"effort": "effort"})

    def block(self, block, what, role, path):
        kind = block.pop("type", None)
        if kind in ("text", "mid_conv_system"):
            if block.get("text"):
                self.item(what, role, block.pop("text"), path)
            block.pop("citations", None)
        elif kind in ("image", "document"):
            self.media(block, role, path, "image" if kind == "image" else "file")
        elif kind == "tool_use":
            self.call(block.pop("id", None), block.pop("name", None), block.pop("input", None),
                      path)
        elif kind == "tool_result":
            self.result(block, path)
        elif kind == "thinking":
            if block.get("thinking"):
                self.item("reasoning", role, block["thinking"], path)
            if block.get("signature"):
                self.item("opaque", role, block["signature"], path)
            return
        elif kind == "redacted_thinking":
            self.item("opaque", role, block.get("data"), path)
            return
        else:
            self.item("other", role, {"type": kind}, path)
            return
        self.rest(block, path + ".")

    def media(self, block, role, path, what):
        source = block.pop("source", None) or {}
        kind = source.get("type")
        if kind == "base64":
            value = blob(source.get("media_type"), source.get("data"))
        elif kind == "text":
            plain = base64.b64encode((source.get("data") or "").encode()).decode()
            value = blob(source.get("media_type", "text/plain"), plain)
        elif kind == "url":
            value = ["url", source.get("url")]
        else:
            value = [kind, source.get("file_id")]
        self.item(what, role, value, path)

    def result(self, block, path):
        number = self.number(block.pop("tool_use_id", None), path)
        content = block.pop("content", None)
        failed = bool(block.pop("is_error", False))
        if isinstance(content, list):
            texts = [p.get("text") or "" for p in content if p.get("type") == "text"]
        else:
            texts = [content or ""]
        self.item("result", "user", result_text("".join(texts)), path, call=number, failed=failed)
        for index, part in enumerate(content if isinstance(content, list) else []):
            if part.get("type") != "text":
                self.block(part, "text", "user", f"{path}.content[{index}]")


# Gemini

def camel(value, free=()):
    """Google reads both spellings of its names; one is enough here."""
    if isinstance(value, list):
        return [camel(item) for item in value]
    if not isinstance(value, dict):
        return value
    out = {}
    for key, item in value.items():
        name = re.sub(r"_([a-z])", lambda m: m[1].upper(), key) if key[:1] != "_" else key
        keep = name in ("args", "response", "parameters", "parametersJsonSchema",
                        "responseJsonSchema", "responseSchema", "_responseJsonSchema")
        out[name] = item if keep else camel(item)
    return out


class _Gemini(Reader):
    def read(self):
        self.top = camel(self.top)
        system = self.top.pop("systemInstruction", None)
        if isinstance(system, str):
            system = {"parts": [{"text": system}]}
        for index, part in enumerate((system or {}).get("parts") or []):
            if part.get("text"):
                self.item("system", "system", part["text"], f"systemInstruction.parts[{index}]")
        contents = self.top.pop("contents", None) or []
        contents = contents if isinstance(contents, list) else [contents]
        self.waiting = []       # numbers of calls without their results
        for index, content in enumerate(contents):
            role = "assistant" if content.get("role") == "model" else "user"
            for number, part in enumerate(content.get("parts") or []):
                self.part(part, role, f"contents[{index}].parts[{number}]")
        tools = self.top.pop("tools", None) or []
        for index, tool in enumerate(tools if isinstance(tools, list) else [tools]):
            self.tool(tool, f"tools[{index}]")
        self.config(self.top.pop("generationConfig", None) or {})
        choice = (self.top.pop("toolConfig", None) or {})
        self.choice(choice.pop("functionCallingConfig", None) or {})
        self.rest(choice, "toolConfig.")
        self.simple(self.top, "", {"model": "model", "tier": ("serviceTier", (None, "standard"))})
        return self.finish()

    def config(self, config):
        path = "generationConfig."
        self.simple(config, path, {
            "max": "maxOutputTokens", "temperature": "temperature", "top_p": "topP",
            "top_k": "topK", "seed": "seed", "n": ("candidateCount", (None, 1)),
            "frequency_penalty": ("frequencyPenalty", (None, 0, 0.0)),
            "presence_penalty": ("presencePenalty", (None, 0, 0.0)),
            "stop": ("stopSequences", (None, [])), "logprobs": ("responseLogprobs", (None, False)),
            "top_logprobs": "logprobs", "modalities": ("responseModalities", (None, ["TEXT"]))})
        thinking = config.pop("thinkingConfig", None) or {}
        level = thinking.pop("thinkingLevel", None)
        if level:
            self.setting("effort", level.lower(), path + "thinkingConfig.thinkingLevel")
        self.simple(thinking, path + "thinkingConfig.", {"budget": "thinkingBudget",
                                                         "summary": "includeThoughts"})
        mime = config.pop("responseMimeType", None)
        for name in ("responseJsonSchema", "responseSchema", "_responseJsonSchema"):
            if config.get(name) is not None:
                self.setting("format", ["schema", schema(config.pop(name))], path + name)
                mime = None
        if mime == "application/json":
            self.setting("format", ["json"], path + "responseMimeType")
        elif mime not in (None, "text/plain"):
            self.out.extras[path + "responseMimeType"] = mime
        self.rest(config, path)

    def choice(self, value):
        mode = value.get("mode")
        names = value.get("allowedFunctionNames")
        choice = {"AUTO": "auto", "NONE": "none", "ANY": "required", "VALIDATED": "auto"}.get(mode)
        if names and mode == "ANY":
            choice = ["tool", names[0]] if len(names) == 1 else ["allowed", "required", names]
        elif names:
            choice = ["allowed", "auto", names]
        self.setting("choice", choice, "toolConfig.functionCallingConfig", (None, "auto"))
        if mode == "VALIDATED":
            self.setting("validated", True, "toolConfig.functionCallingConfig.mode")

    def tool(self, tool, path):
        for index, row in enumerate(tool.pop("functionDeclarations", None) or []):
            parameters = row.pop("parametersJsonSchema", None) or row.pop("parameters", None)
            at = f"{path}.functionDeclarations[{index}]"
            self.out.tools.append(Tool(row.pop("name", None), at, row.pop("description", None),
                                       tool_schema(parameters)))
            self.rest(row, at + ".")
        for kind in tool:
            self.out.tools.append(Tool(kind, f"{path}.{kind}", kind=kind))

    def part(self, part, role, path):
        signature = part.pop("thoughtSignature", None)
        if part.get("thought"):
            if part.get("text"):
                self.item("reasoning", role, part["text"], path)
        elif part.get("text"):
            self.item("text", role, part["text"], path)
        elif "inlineData" in part:
            data = part["inlineData"]
            mime = data.get("mimeType") or ""
            value = blob(mime, data.get("data"))
            what = mime.partition("/")[0]
            if what == "audio":
                form = mime.partition("/")[2]
                value = [{"mpeg": "mp3", "x-wav": "wav"}.get(form, form), value[2]]
            self.item(what if what in ("image", "audio") else "file", role, value, path)
        elif "fileData" in part:
            mime = part["fileData"].get("mimeType") or ""
            self.item("image" if mime.startswith("image/") else "file", role,
                      ["url", part["fileData"].get("fileUri")], path)
        elif "functionCall" in part:
            call = part["functionCall"]
            self.call(call.get("id"), call.get("name"), call.get("args") or {}, path)
            self.waiting.append(len(self.calls) - 1)
        elif "functionResponse" in part:
            self.response(part["functionResponse"], path)
        elif "text" not in part and not signature:
            self.item("other", role, {"type": next(iter(part), None)}, path)
        if signature:
            self.item("opaque", role, signature, path)

    def response(self, value, path):
        number = next((n for n in self.waiting if value.get("id") and
                       self.calls[n][0] == value["id"]), None)
        if number is None:
            number = next((n for n in self.waiting if self.calls[n][1] == value.get("name")), None)
        if number is None:
            self.out.faults.append(f"{path}: a result without its call ({value.get('name')})")
        else:
            self.waiting.remove(number)
        response = value.get("response") or {}
        self.item("result", "user", result_text(response), path, call=number,
                  failed=set(response) == {"error"})
        for index, part in enumerate(value.get("parts") or []):
            self.part(part, "user", f"{path}.functionResponse.parts[{index}]")


READERS = {CHAT: _Chat, RESPONSES: _Responses, MESSAGES: _Messages, GEMINI: _Gemini}
