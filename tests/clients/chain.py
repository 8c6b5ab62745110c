#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""LangChain as a client, over each dialect: sdk.py with another library.

    python chain.py chat|responses|messages|gemini
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from sdk import EVENTS_BEFORE_ABORT, ROUNDS_MAX, SCHEMA, TOOLS, serve, use  # noqa: E402

LIMIT_S = 60


def openai(line, **more):
    from langchain_openai import ChatOpenAI
    return ChatOpenAI(model=line["model"], base_url=line["base"] + "/v1", api_key=line["key"],
                      max_retries=0, timeout=LIMIT_S, stream_usage=True, **more)


def responses(line):
    return openai(line, use_responses_api=True, store=False,
                  include=["reasoning.encrypted_content"])


def anthropic(line):
    from langchain_anthropic import ChatAnthropic
    return ChatAnthropic(model=line["model"], base_url=line["base"], api_key=line["key"],
                         max_retries=0, timeout=LIMIT_S, max_tokens=4000,
                         thinking={"type": "enabled", "budget_tokens": 2000})


def google(line):
    from langchain_google_genai import ChatGoogleGenerativeAI
    return ChatGoogleGenerativeAI(model=line["model"], base_url=line["base"],
                                  google_api_key=line["key"], max_retries=1, timeout=LIMIT_S,
                                  include_thoughts=True)


class Chain:
    def __init__(self, make):
        self.make = make

    def __call__(self, base, key):
        del base, key       # each line has them
        return self

    @staticmethod
    def _ask(line):
        content = [{"type": "text", "text": line["say"]}]
        if line.get("picture"):
            content.append({"type": "image", "base64": line["picture"], "mime_type": "image/png"})
        return [{"role": "user", "content": content}]

    @staticmethod
    def _told(answer):
        told, usage = answer.response_metadata, answer.usage_metadata
        end = told.get("finish_reason") or told.get("stop_reason") or \
            (told.get("incomplete_details") or {}).get("reason") or told.get("status")
        thought = [block for block in answer.content_blocks if block["type"] == "reasoning"]
        return {"text": answer.text, "think": "".join(b.get("reasoning", "") for b in thought),
                "end": end, "usage": [
                    usage["input_tokens"],
                    (usage.get("input_token_details") or {}).get("cache_read"),
                    usage["output_tokens"],
                    (usage.get("output_token_details") or {}).get("reasoning")]}

    @staticmethod
    def _whole(model, ask, stream):
        if not stream:
            return model.invoke(ask)
        total = None
        for chunk in model.stream(ask):
            total = chunk if total is None else total + chunk
        return total

    def chat(self, line, stream=False):
        return self._told(self._whole(self.make(line), self._ask(line), stream))

    def tools(self, line, stream=False):
        model = self.make(line).bind_tools([
            {"name": name, "description": text, "parameters": schema}
            for name, text, schema in TOOLS])
        ask = self._ask(line)
        for _ in range(ROUNDS_MAX):
            answer = self._whole(model, ask, stream)
            if not answer.tool_calls:
                return self._told(answer)
            ask.append(answer)
            ask += [{"role": "tool", "tool_call_id": call["id"], "name": call["name"],
                     "content": use(call["name"], call["args"])} for call in answer.tool_calls]
        raise AssertionError("it never ends")

    def schema(self, line):
        found = self.make(line).with_structured_output(
            {"title": "place", **SCHEMA}, method="json_schema",
            include_raw=True).invoke(self._ask(line))
        return self._told(found["raw"])

    def abort(self, line):
        stream = self.make(line).stream(self._ask(line))
        for _, _chunk in zip(range(EVENTS_BEFORE_ABORT), stream):
            pass
        stream.close()
        return {"text": "left"}


if __name__ == "__main__":
    serve({"chat": Chain(openai), "responses": Chain(responses), "messages": Chain(anthropic),
           "gemini": Chain(google)})
