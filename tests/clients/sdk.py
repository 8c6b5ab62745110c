#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The official SDKs for Python as clients: plays the scenes that it is told on standard input.

    python sdk.py openai-chat|openai-responses|anthropic|google

A line is {"do", "base", "key", "model", "say", "picture"}; the answer is a line with what the SDK
made of the vendor's: {"text", "end", "usage", "error"}. No SDK may ask twice by itself.
"""
import base64
import json
import sys

SCHEMA = {"type": "object",
          "properties": {"city": {"type": "string"}, "count": {"type": "integer"}},
          "required": ["city", "count"], "additionalProperties": False}
WEATHER = {"type": "object", "properties": {"city": {"type": "string"}, "big": {"type": "integer"}},
           "required": ["city"], "additionalProperties": False}
NOTHING = {"type": "object", "properties": {}}
TOOLS = (("weather", "Tells the weather.", WEATHER), ("clock", "Tells the time.", NOTHING))
ROUNDS_MAX = 6
EVENTS_BEFORE_ABORT = 12


def use(name, args):
    """The tools: only the exact arguments give the right answer."""
    if name == "clock":
        return "clock-12" if args == {} else f"clock-0 {args}"
    if args == {"city": "Paris"}:
        return "weather-18"
    return "weather-19" if args == {"city": "Łódź", "big": 1234567890123456} else \
        f"weather-0 {args}"


class OpenAIChat:
    def __init__(self, base, key):
        import openai
        self.client = openai.OpenAI(base_url=base + "/v1", api_key=key, max_retries=0, timeout=60)

    def _ask(self, line, **more):
        content = line["say"]
        if line.get("picture"):
            content = [{"type": "text", "text": content}, {"type": "image_url", "image_url": {
                "url": "data:image/png;base64," + line["picture"]}}]
        return {"model": line["model"], "messages": [{"role": "user", "content": content}], **more}

    @staticmethod
    def _told(message, end, usage):
        details, thought = usage.prompt_tokens_details, usage.completion_tokens_details
        return {"text": message.content, "end": end, "usage": [
            usage.prompt_tokens, details.cached_tokens if details else None,
            usage.completion_tokens, thought.reasoning_tokens if thought else None]}

    def _whole(self, ask, stream):
        if not stream:
            answer = self.client.chat.completions.create(**ask)
            return answer.choices[0].message, answer.choices[0].finish_reason, answer.usage
        with self.client.chat.completions.stream(
                **ask, stream_options={"include_usage": True}) as events:
            for _ in events:
                pass
            final = events.get_final_completion()
        return final.choices[0].message, final.choices[0].finish_reason, final.usage

    def chat(self, line, stream=False):
        return self._told(*self._whole(self._ask(line), stream))

    def tools(self, line, stream=False):
        ask = self._ask(line, tools=[{"type": "function", "function": {
            "name": name, "description": text, "parameters": schema}}
            for name, text, schema in TOOLS])
        for _ in range(ROUNDS_MAX):
            message, end, usage = self._whole(ask, stream)
            if not message.tool_calls:
                return self._told(message, end, usage)
            assert end == "tool_calls", end
            ask["messages"].append(message.model_dump(exclude_none=True, exclude={"parsed"}))
            for call in message.tool_calls:
                ask["messages"].append({
                    "role": "tool", "tool_call_id": call.id,
                    "content": use(call.function.name, json.loads(call.function.arguments))})
        raise AssertionError("it never ends")

    def schema(self, line):
        return self._told(*self._whole(self._ask(line, response_format={
            "type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA,
                                                   "strict": True}}), False))

    def abort(self, line):
        with self.client.chat.completions.create(**self._ask(line), stream=True) as stream:
            for _, _event in zip(range(EVENTS_BEFORE_ABORT), stream):
                pass
        return {"text": "left"}

    def models(self, _line):
        return {"text": " ".join(model.id for model in self.client.models.list())}


class OpenAIResponses(OpenAIChat):
    def _ask(self, line, **more):
        content = [{"type": "input_text", "text": line["say"]}]
        if line.get("picture"):
            content.append({"type": "input_image", "detail": "auto",
                            "image_url": "data:image/png;base64," + line["picture"]})
        return {"model": line["model"], "input": [{"role": "user", "content": content}],
                "store": False, "include": ["reasoning.encrypted_content"], **more}

    @staticmethod
    def _told(answer):
        reason = answer.incomplete_details and answer.incomplete_details.reason
        usage = answer.usage
        return {"text": answer.output_text, "end": reason or answer.status, "usage": [
            usage.input_tokens, usage.input_tokens_details.cached_tokens, usage.output_tokens,
            usage.output_tokens_details.reasoning_tokens]}

    def _whole(self, ask, stream):
        if not stream:
            return self.client.responses.create(**ask)
        with self.client.responses.stream(**ask) as events:
            for event in events:
                if event.type in ("response.failed", "error"):
                    raise RuntimeError(str(event))
            return events.get_final_response()

    def chat(self, line, stream=False):
        return self._told(self._whole(self._ask(line), stream))

    def tools(self, line, stream=False):
        ask = self._ask(line, tools=[{
            "type": "function", "name": name, "description": text, "parameters": schema,
            "strict": False} for name, text, schema in TOOLS])
        for _ in range(ROUNDS_MAX):
            answer = self._whole(ask, stream)
            calls = [item for item in answer.output if item.type == "function_call"]
            if not calls:
                return self._told(answer)
            ask["input"] += [item.model_dump(exclude_none=True, exclude={"parsed_arguments"})
                             for item in answer.output]
            ask["input"] += [{"type": "function_call_output", "call_id": call.call_id,
                              "output": use(call.name, json.loads(call.arguments))}
                             for call in calls]
        raise AssertionError("it never ends")

    def schema(self, line):
        return self._told(self._whole(self._ask(line, text={"format": {
            "type": "json_schema", "name": "place", "schema": SCHEMA, "strict": True}}), False))

    def abort(self, line):
        with self.client.responses.create(**self._ask(line), stream=True) as stream:
            for _, _event in zip(range(EVENTS_BEFORE_ABORT), stream):
                pass
        return {"text": "left"}

    def count(self, line):
        ask = self._ask(line)
        return {"text": str(self.client.responses.input_tokens.count(
            model=ask["model"], input=ask["input"]).input_tokens)}


class Anthropic:
    def __init__(self, base, key):
        import anthropic
        self.client = anthropic.Anthropic(base_url=base, api_key=key, max_retries=0, timeout=60)

    def _ask(self, line, **more):
        content = [{"type": "text", "text": line["say"]}]
        if line.get("picture"):
            content.insert(0, {"type": "image", "source": {
                "type": "base64", "media_type": "image/png", "data": line["picture"]}})
        return {"model": line["model"], "max_tokens": 4000,
                "thinking": {"type": "enabled", "budget_tokens": 2000},
                "messages": [{"role": "user", "content": content}], **more}

    @staticmethod
    def _told(answer):
        usage = answer.usage
        cached = usage.cache_read_input_tokens or 0
        details = getattr(usage, "output_tokens_details", None)
        return {"text": "".join(b.text for b in answer.content if b.type == "text"),
                "think": "".join(b.thinking for b in answer.content if b.type == "thinking"),
                "end": answer.stop_reason, "usage": [
                    usage.input_tokens + cached + (usage.cache_creation_input_tokens or 0),
                    cached, usage.output_tokens, getattr(details, "thinking_tokens", None)]}

    def _whole(self, ask, stream):
        if not stream:
            return self.client.messages.create(**ask)
        with self.client.messages.stream(**ask) as events:
            return events.get_final_message()

    def chat(self, line, stream=False):
        return self._told(self._whole(self._ask(line), stream))

    def tools(self, line, stream=False):
        ask = self._ask(line, tools=[{"name": name, "description": text, "input_schema": schema}
                                     for name, text, schema in TOOLS])
        for _ in range(ROUNDS_MAX):
            answer = self._whole(ask, stream)
            calls = [block for block in answer.content if block.type == "tool_use"]
            if not calls:
                return self._told(answer)
            assert answer.stop_reason == "tool_use", answer.stop_reason
            kept = [block.model_dump(exclude_none=True, include={
                "type", "text", "thinking", "signature", "data", "id", "name", "input"})
                for block in answer.content]
            results = [{"type": "tool_result", "tool_use_id": call.id,
                        "content": use(call.name, call.input)} for call in calls]
            ask["messages"] += [{"role": "assistant", "content": kept},
                                {"role": "user", "content": results}]
        raise AssertionError("it never ends")

    def schema(self, line):
        return self._told(self._whole(self._ask(line, output_config={
            "format": {"type": "json_schema", "schema": SCHEMA}}), False))

    def abort(self, line):
        with self.client.messages.stream(**self._ask(line)) as stream:
            for _, _event in zip(range(EVENTS_BEFORE_ABORT), stream):
                pass
        return {"text": "left"}

    def count(self, line):
        ask = self._ask(line)
        return {"text": str(self.client.messages.count_tokens(
            model=ask["model"], messages=ask["messages"]).input_tokens)}

    def models(self, _line):
        return {"text": " ".join(model.id for model in self.client.models.list())}


class Google:
    def __init__(self, base, key):
        from google import genai
        self.client = genai.Client(api_key=key, http_options={"base_url": base, "timeout": 60000})

    def _ask(self, line, **more):
        parts = [{"text": line["say"]}]
        if line.get("picture"):
            parts.append({"inline_data": {"mime_type": "image/png",
                                          "data": base64.b64decode(line["picture"])}})
        return {"model": line["model"], "contents": [{"role": "user", "parts": parts}],
                "config": {"thinking_config": {"include_thoughts": True}, **more}}

    @staticmethod
    def _told(parts, end, usage):
        return {"text": "".join(p.text or "" for p in parts if not p.thought),
                "think": "".join(p.text or "" for p in parts if p.thought), "end": end.name,
                "usage": [usage.prompt_token_count, usage.cached_content_token_count,
                          (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0),
                          usage.thoughts_token_count]}

    def _whole(self, ask, stream):
        models = self.client.models
        answers = models.generate_content_stream(**ask) if stream else \
            [models.generate_content(**ask)]
        parts, end, usage = [], None, None
        for answer in answers:
            candidate = answer.candidates[0] if answer.candidates else None
            parts += candidate.content.parts or [] if candidate and candidate.content else []
            end = candidate.finish_reason or end if candidate else end
            usage = answer.usage_metadata or usage
        return parts, end, usage

    def chat(self, line, stream=False):
        return self._told(*self._whole(self._ask(line), stream))

    def tools(self, line, stream=False):
        ask = self._ask(line, tools=[{"function_declarations": [
            {"name": name, "description": text,
             **({"parameters_json_schema": schema} if schema["properties"] else {})}
            for name, text, schema in TOOLS]}], automatic_function_calling={"disable": True})
        for _ in range(ROUNDS_MAX):
            parts, end, usage = self._whole(ask, stream)
            calls = [part.function_call for part in parts if part.function_call]
            if not calls:
                return self._told(parts, end, usage)
            ask["contents"] += [{"role": "model", "parts": parts}, {"role": "user", "parts": [
                {"function_response": {"id": call.id, "name": call.name, "response": {
                    "output": use(call.name, call.args or {})}}} for call in calls]}]
        raise AssertionError("it never ends")

    def schema(self, line):
        return self._told(*self._whole(self._ask(
            line, response_mime_type="application/json", response_json_schema=SCHEMA), False))

    def abort(self, line):
        stream = self.client.models.generate_content_stream(**self._ask(line))
        for _, _event in zip(range(EVENTS_BEFORE_ABORT), stream):
            pass
        stream.close()
        return {"text": "left"}

    def count(self, line):
        ask = self._ask(line)
        return {"text": str(self.client.models.count_tokens(
            model=ask["model"], contents=ask["contents"]).total_tokens)}

    def models(self, _line):
        return {"text": " ".join(m.name for m in self.client.models.list())}


KINDS = {"openai-chat": OpenAIChat, "openai-responses": OpenAIResponses, "anthropic": Anthropic,
         "google": Google}


def status_of(error):
    return getattr(error, "status_code", None) or getattr(error, "code", None)


def serve(kinds):
    """Plays line after line; whatever the SDK raises is part of the answer."""
    kind = kinds[sys.argv[1]]
    for text in sys.stdin:
        line = json.loads(text)
        try:
            client = kind(line["base"], line["key"])
            what, _, how = line["do"].partition("+")
            told = getattr(client, what)(line, *([True] if how == "stream" else []))
        except Exception as error:      # every SDK has its own kinds
            told = {"error": type(error).__name__, "message": str(error)[:600],
                    "status": status_of(error) or status_of(error.__cause__)}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    serve(KINDS)
