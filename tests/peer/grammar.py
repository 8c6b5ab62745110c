# SPDX-License-Identifier: Apache-2.0
"""The exact stream grammars of what a relay may send, one checker a dialect.

    violations(dialect, body, asked_usage=False)   -> ["rule: what is wrong", ...]

Stricter than clients need: this is for streams that the station has written itself. Each rule has
a name and, in tests/convert/test_grammar.py, one broken stream that it must catch.
"""
import json
import re

CHAT, RESPONSES, MESSAGES, GEMINI = "chat", "responses", "messages", "gemini"

FINISH = {CHAT: {"stop", "length", "tool_calls", "content_filter"},
          MESSAGES: {"end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn",
                     "refusal", "model_context_window_exceeded"},
          GEMINI: {"STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "LANGUAGE", "OTHER", "BLOCKLIST",
                   "PROHIBITED_CONTENT", "SPII", "MALFORMED_FUNCTION_CALL", "IMAGE_SAFETY",
                   "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE",
                   "MALFORMED_RESPONSE", "NO_IMAGE", "IMAGE_OTHER", "IMAGE_RECITATION",
                   "IMAGE_PROHIBITED_CONTENT"}}
DELTAS = {"text": {"text_delta", "citations_delta"}, "tool_use": {"input_json_delta"},
          "thinking": {"thinking_delta", "signature_delta"}, "redacted_thinking": set(),
          "server_tool_use": {"input_json_delta"}}


class Frame:
    """One event as it was framed."""

    def __init__(self, raw):
        self.raw = raw
        self.name, self.data, self.comments, self.other = None, None, [], []
        for line in re.split(rb"\r\n|\n|\r", raw):
            if not line:
                continue
            field, _, value = line.partition(b":")
            value = value[1:] if value[:1] == b" " else value
            if line[:1] == b":":
                self.comments.append(line)
            elif field == b"data":
                self.data = value if self.data is None else self.data + b"\n" + value
            elif field == b"event":
                self.name = value.decode("utf-8", "replace")
            else:
                self.other.append(line)


def frames(body):
    """The events of a body; a rest without its blank line is a frame, too."""
    return [Frame(raw) for raw in re.findall(rb"(?s).+?(?:\r\n\r\n|\n\n|\Z)", body)]


def events(body):
    """The JSON events of a stream, without [DONE] and what is no JSON."""
    found = []
    for frame in frames(body):
        if frame.data and frame.data.strip() not in (b"[DONE]", b""):
            try:
                found.append(json.loads(frame.data))
            except ValueError:
                pass
    return found


def array_events(body):
    """The events of a Gemini stream without alt=sse."""
    return json.loads(body)


class _Checker:
    def __init__(self, body, asked_usage):
        self.body, self.asked_usage = body, asked_usage
        self.found = []
        self.events = []        # (frame, value), JSON only
        self.done = 0           # frames that say [DONE]
        self.failed = None      # the error that ended the stream

    def no(self, rule, what=""):
        self.found.append(f"{rule}: {what}" if what else rule)

    def need(self, condition, rule, what=""):
        if not condition:
            self.no(rule, what)
        return condition

    def read(self):
        """Framing, which all dialects share."""
        self.need(self.body, "not empty")
        for frame in frames(self.body):
            self.need(re.search(rb"(\r\n\r\n|\n\n)\Z", frame.raw), "blank line at the end",
                      repr(frame.raw[-40:]))
            self.need(not frame.other, "only data, event and comment lines", str(frame.other)[:80])
            if frame.data is None:
                self.bare(frame)
                continue
            if frame.data.strip() == b"[DONE]":
                self.done += 1
                continue
            try:
                value = json.loads(frame.data.decode("utf-8"))
            except ValueError as why:
                self.no("valid JSON", f"{why} in {frame.data[:60]!r}")
                continue
            if not self.need(isinstance(value, dict), "each event is an object"):
                continue
            self.need(not self.done, "nothing behind the terminator", str(value)[:60])
            self.events.append((frame, value))

    def bare(self, frame):
        """A frame without data: comments, where they may be."""
        self.need(frame.name is None, "no event without data", str(frame.name))

    def same(self, values, rule):
        """A field that has one value throughout the stream."""
        self.need(len({json.dumps(v) for v in values}) <= 1, rule, str(values[:3])[:90])

    def numbers(self, usage, names, rule):
        if not self.need(isinstance(usage, dict), rule, str(usage)[:60]):
            return
        for name in names:
            value = usage
            for key in name.split("."):
                value = value.get(key) if isinstance(value, dict) else None
            self.need(type(value) is int and value >= 0, rule, f"{name} is {value!r}")

    def parses(self, text, rule, cut_allowed):
        if cut_allowed:
            return
        try:
            self.need(isinstance(json.loads(text or "{}"), dict), rule, text[:60])
        except ValueError:
            self.no(rule, text[:60])


# Chat completions

class _Chat(_Checker):
    def run(self):
        self.read()
        for frame, _ in self.events:
            self.need(frame.name is None, "no event lines", str(frame.name))
        chunks = [value for _, value in self.events]
        if chunks and "error" in chunks[-1] and "choices" not in chunks[-1]:
            self.failed = chunks.pop()
            self.need(not self.done, "no [DONE] behind an error")
        else:
            self.need(self.done == 1, "[DONE] once", f"{self.done} times")
        if not self.need(chunks or self.failed, "has chunks"):
            return
        self.heads(chunks)
        self.usage(chunks)
        by_choice = {}
        for chunk in chunks:
            for choice in chunk.get("choices") or []:
                by_choice.setdefault(choice.get("index"), []).append(choice)
        self.need(self.failed or set(by_choice) == set(range(len(by_choice))) and by_choice,
                  "choice indexes are dense", str(sorted(map(str, by_choice))))
        for choices in by_choice.values():
            self.choice(choices)

    def heads(self, chunks):
        for chunk in chunks:
            good = (isinstance(chunk.get("id"), str) and chunk["id"]
                    and chunk.get("object") == "chat.completion.chunk"
                    and type(chunk.get("created")) is int and isinstance(chunk.get("model"), str)
                    and isinstance(chunk.get("choices"), list))
            self.need(good, "each chunk has id, object, created, model and choices",
                      str({k: chunk.get(k) for k in ("id", "object", "created", "model")}))
        for name in ("id", "created", "model"):
            self.same([c.get(name) for c in chunks], "id, created and model stay the same")

    def usage(self, chunks):
        holders = [n for n, chunk in enumerate(chunks) if chunk.get("usage") is not None]
        if not self.asked_usage:
            self.need(not any("usage" in c for c in chunks), "no usage unless it was asked for")
            return
        if self.failed:
            return
        if not self.need(holders == [len(chunks) - 1], "usage in the last chunk only",
                         str(holders)):
            return
        self.need(chunks[-1].get("choices") == [], "the usage chunk has no choices")
        self.need(all("usage" in c for c in chunks), "usage:null on the other chunks")
        usage = chunks[-1]["usage"]
        self.numbers(usage, ("prompt_tokens", "completion_tokens", "total_tokens"),
                     "usage is numeric")
        if isinstance(usage, dict):
            self.need(usage.get("total_tokens") == (usage.get("prompt_tokens") or 0)
                      + (usage.get("completion_tokens") or 0), "total is the sum", str(usage)[:90])

    def choice(self, choices):
        first = choices[0].get("delta") or {}
        self.need(first.get("role") == "assistant", "the first delta has the role", str(first)[:60])
        self.need(not any("role" in (c.get("delta") or {}) for c in choices[1:]),
                  "the role comes once")
        calls = {}
        finish = []
        items = {}
        for choice in choices:
            self.need("finish_reason" in choice, "finish_reason is always there, as null")
            delta = choice.get("delta")
            if not self.need(isinstance(delta, dict), "each choice has a delta"):
                continue
            self.need(not finish, "nothing behind finish_reason", str(delta)[:60])
            content = delta.get("content")
            self.need(content is None or isinstance(content, str), "content is text or null")
            for call in delta.get("tool_calls") or []:
                self.call(calls, call)
            self.items(items, delta)
            if choice.get("finish_reason") is not None:
                finish.append(choice["finish_reason"])
                self.need(not delta, "the finish chunk has an empty delta", str(delta)[:60])
        if self.failed and not finish:
            return
        if not self.need(len(finish) == 1, "one finish_reason a choice", str(finish)):
            return
        self.need(finish[0] in FINISH[CHAT], "legal finish_reason", str(finish[0]))
        if calls:
            self.need(finish[0] != "stop", "calls finish with tool_calls", finish[0])
        self.need(finish[0] != "tool_calls" or calls, "tool_calls needs a call")
        for text in calls.values():
            self.parses(text, "arguments are JSON objects", finish[0] != "tool_calls")

    def items(self, seen, delta):
        """OpenAI's clients put lists together by their items' indexes, and fail without one."""
        for name in ("reasoning_details", "annotations"):
            for item in delta.get(name) or []:
                self.need(item.get("index") == seen.get(name, 0), "items of lists are numbered",
                          str(item)[:80])
                seen[name] = seen.get(name, 0) + 1

    def call(self, calls, call):
        index = call.get("index")
        function = call.get("function") or {}
        arguments = function.get("arguments")
        self.need(isinstance(arguments, str), "arguments are text", repr(arguments)[:60])
        if index not in calls:
            self.need(index == len(calls), "call indexes are dense", f"{index} after {len(calls)}")
            good = call.get("type") == "function" and isinstance(call.get("id"), str) \
                and call["id"] and isinstance(function.get("name"), str) and function["name"]
            self.need(good, "the first delta of a call has id, type and name", str(call)[:90])
            calls[index] = ""
        else:
            self.need("name" not in function and "id" not in call and "type" not in call,
                      "id, type and name come once", str(call)[:90])
        calls[index] += arguments if isinstance(arguments, str) else ""


# Responses

class _Item:
    """An output item while it streams."""

    def __init__(self, item):
        self.item, self.parts, self.done = item, {}, None
        self.text = ""          # arguments or input
        self.text_done = False


class _Responses(_Checker):
    ENDS = ("response.completed", "response.incomplete", "response.failed")

    def run(self):
        self.read()
        self.need(not self.done, "no [DONE]")
        self.items = {}
        values = [value for _, value in self.events]
        if not self.need(values, "has events"):
            return
        for number, (frame, value) in enumerate(self.events):
            self.need(frame.name == value.get("type"), "the event line is the type",
                      f"{frame.name} {value.get('type')}")
            self.need(value.get("sequence_number") == number, "sequence numbers count from 0",
                      f"{value.get('sequence_number')} at {number}")
        types = [value.get("type") for value in values]
        self.need(types[0] in ("response.created", "response.queued"), "created first", types[0])
        self.need("response.in_progress" in types[1:3], "in_progress second", str(types[:3]))
        ends = [t for t in types if t in self.ENDS]
        self.need(len(ends) == 1, "one end", str(ends))
        self.need(types[-1] in self.ENDS, "the end is last", str(types[-1]))
        for value in values:
            self.one(value)
        responses = [v["response"] for v in values if isinstance(v.get("response"), dict)]
        for name in ("id", "created_at", "model"):
            self.same([r.get(name) for r in responses], "id, created_at and model stay the same")
        if values[-1].get("type") in self.ENDS and isinstance(values[-1].get("response"), dict):
            self.end(values[-1])

    def one(self, value):
        kind = value.get("type", "")
        if kind == "response.output_item.added":
            index, item = value.get("output_index"), value.get("item") or {}
            self.need(index == len(self.items), "output indexes are dense", str(index))
            taken = [i.item.get("id") for i in self.items.values()]
            self.need(item.get("id") and item["id"] not in taken, "items have ids of their own")
            self.start(index, item)
        elif kind == "response.output_item.done":
            self.item_done(value)
        elif "output_index" in value:
            item = self.items.get(value["output_index"])
            if not self.need(item and item.done is None, "events are inside their item", kind):
                return
            self.need(value.get("item_id") == item.item.get("id"), "item_id is the item's", kind)
            self.inside(kind, value, item)

    def start(self, index, item):
        self.items[index] = _Item(item)
        kind = item.get("type")
        if kind == "function_call":
            self.need(item.get("arguments") == "", "a call begins with empty arguments")
        if kind == "custom_tool_call":
            self.need(item.get("input") == "", "a call begins with empty arguments")
        if kind in ("function_call", "custom_tool_call"):
            self.need(item.get("call_id") and item.get("name"), "a call has call_id and name",
                      str(item)[:90])
        if kind == "message":
            self.need(item.get("content") == [] and item.get("role") == "assistant",
                      "a message begins empty")
        if kind == "reasoning":
            self.need(item.get("summary") == [], "reasoning begins with an empty summary")

    PARTS = {"response.content_part": ("content_index", "part"),
             "response.reasoning_summary_part": ("summary_index", "part")}
    TEXTS = {"response.output_text": ("content_index", "text"),
             "response.refusal": ("content_index", "refusal"),
             "response.reasoning_summary_text": ("summary_index", "text"),
             "response.reasoning_text": ("content_index", "text")}
    CALLS = {"response.function_call_arguments": "arguments",
             "response.custom_tool_call_input": "input"}

    def inside(self, kind, value, item):
        stem, _, verb = kind.rpartition(".")
        if stem in self.PARTS:
            self.part(stem, verb, value, item)
        elif stem in self.TEXTS:
            index, field = self.TEXTS[stem]
            key = (index, value.get(index))
            if stem == "response.reasoning_text" and key not in item.parts:
                item.parts[key] = {"text": "", "done": False, "open": True}
            part = item.parts.get(key)
            if not self.need(part and part["open"], "text is inside its part", kind):
                return
            self.need(not part["done"], "no delta behind done", kind)
            if verb == "delta":
                part["text"] += value.get("delta") or ""
            elif verb == "done":
                part["done"] = True
                self.need(value.get(field) == part["text"], "done repeats the deltas",
                          f"{kind} {value.get(field)!r:.40} {part['text']!r:.40}")
        elif stem in self.CALLS:
            self.need(not item.text_done, "no delta behind done", kind)
            if verb == "delta":
                item.text += value.get("delta") or ""
            else:
                item.text_done = True
                self.need(value.get(self.CALLS[stem]) == item.text, "done repeats the deltas", kind)

    def part(self, stem, verb, value, item):
        index, field = self.PARTS[stem]
        key = (index, value.get(index))
        if verb == "added":
            count = sum(1 for name, _ in item.parts if name == index)
            self.need(value.get(index) == count, "part indexes are dense", str(value.get(index)))
            item.parts[key] = {"text": "", "done": False, "open": True}
            return
        part = item.parts.get(key)
        if not self.need(part and part["open"], "a part ends once, after it began"):
            return
        part["open"] = False
        self.need(part["done"], "text done before its part is done")
        whole = value.get(field) or {}
        self.need(whole.get("text", whole.get("refusal")) == part["text"],
                  "done repeats the deltas", stem)

    def item_done(self, value):
        item = self.items.get(value.get("output_index"))
        if not self.need(item and item.done is None, "an item ends once, after it began"):
            return
        item.done = done = value.get("item") or {}
        self.need((done.get("id"), done.get("type")) ==
                  (item.item.get("id"), item.item.get("type")), "an item keeps id and type")
        self.need(not any(p["open"] for (n, _), p in item.parts.items() if n != "reasoning")
                  or done.get("type") == "reasoning", "parts end before their item")
        if done.get("type") == "message":
            texts = [p["text"] for p in item.parts.values()]
            have = [c.get("text", c.get("refusal")) for c in done.get("content") or []]
            self.need(have == texts, "the item holds what was streamed", str(have)[:90])
        elif done.get("type") in ("function_call", "custom_tool_call"):
            field = "arguments" if done["type"] == "function_call" else "input"
            self.need(done.get(field) == item.text, "the item holds what was streamed",
                      str(done.get(field))[:90])
            self.need(item.text_done or done.get("status") == "incomplete",
                      "a call has its done event")
            self.need((done.get("call_id"), done.get("name")) ==
                      (item.item.get("call_id"), item.item.get("name")), "a call keeps its name")
            if field == "arguments":
                self.parses(item.text, "arguments are JSON objects",
                            done.get("status") == "incomplete")
        elif done.get("type") == "reasoning":
            texts = [p["text"] for (n, _), p in item.parts.items() if n == "summary_index"]
            have = [s.get("text") for s in done.get("summary") or []]
            self.need(have == texts, "the item holds what was streamed", str(have)[:90])

    def end(self, event):
        response, kind = event["response"], event["type"]
        self.need(response.get("status") == kind.rpartition(".")[2], "the status is the end's",
                  str(response.get("status")))
        if kind == "response.failed":
            error = response.get("error") or {}
            self.need(error.get("code") and error.get("message"), "a failure says why")
            self.failed = error
            return
        self.need(all(i.done is not None for i in self.items.values()), "every item is done")
        done = [i.done for _, i in sorted(self.items.items())]
        self.need(response.get("output") == done, "output is what was done",
                  f"{len(response.get('output') or [])} of {len(done)}")
        self.numbers(response.get("usage"), (
            "input_tokens", "output_tokens", "total_tokens", "input_tokens_details.cached_tokens",
            "output_tokens_details.reasoning_tokens"), "usage is numeric")
        usage = response.get("usage") or {}
        self.need(usage.get("total_tokens") == (usage.get("input_tokens") or 0)
                  + (usage.get("output_tokens") or 0), "total is the sum", str(usage)[:90])
        incomplete = kind == "response.incomplete"
        reason = (response.get("incomplete_details") or {}).get("reason")
        self.need(reason in ("max_output_tokens", "content_filter") if incomplete
                  else reason is None, "incomplete says why, completed does not", str(reason))
        cut = [d for d in done if d and d.get("status") not in (None, "completed")]
        self.need(incomplete or not cut, "a completed response has completed items")


# Messages

class _Messages(_Checker):
    def bare(self, frame):
        super().bare(frame)
        self.need(not frame.comments, "keep-alive is a ping, no comment", str(frame.comments)[:60])

    def run(self):
        self.read()
        self.need(not self.done, "no [DONE]")
        self.block, self.count, self.kinds, self.stop = None, 0, [], None
        values = [value for _, value in self.events]
        if not self.need(values, "has events"):
            return
        for frame, value in self.events:
            self.need(frame.name == value.get("type"), "the event line is the type",
                      f"{frame.name} {value.get('type')}")
        if values[-1].get("type") == "error":
            self.failed = values.pop()
            error = self.failed.get("error") or {}
            self.need(error.get("type") and error.get("message"), "a failure says why")
        kinds = [value.get("type") for value in values if value.get("type") != "ping"]
        self.need(kinds[:1] == ["message_start"] or self.failed and not kinds,
                  "message_start first", str(kinds[:1]))
        self.need(kinds.count("message_start") <= 1, "one message_start")
        if not self.failed:
            self.need(kinds.count("message_delta") == 1, "one message_delta")
            self.need(kinds[-2:] == ["message_delta", "message_stop"],
                      "message_delta and message_stop last", str(kinds[-2:]))
            self.need(kinds.count("message_stop") == 1, "one message_stop")
        else:
            self.need("message_stop" not in kinds, "no message_stop behind an error")
        for value in values:
            self.one(value)
        if not self.failed:
            self.need(self.block is None, "every block is closed")
            self.need(self.stop != "tool_use" or "tool_use" in self.kinds, "tool_use needs a call")
            self.need(self.stop != "end_turn" or "tool_use" not in self.kinds,
                      "calls stop with tool_use")

    def one(self, value):
        kind = value.get("type")
        if kind == "message_start":
            self.start(value.get("message") or {})
        elif kind == "content_block_start":
            self.block_start(value)
        elif kind == "content_block_delta":
            self.delta(value)
        elif kind == "content_block_stop":
            self.block_stop(value)
        elif kind == "message_delta":
            self.message_delta(value)
        else:
            self.need(kind in ("ping", "message_stop", "error"), "known event", str(kind))

    def start(self, message):
        good = (message.get("type") == "message" and message.get("role") == "assistant"
                and message.get("id") and isinstance(message.get("model"), str)
                and message.get("content") == [] and message.get("stop_reason", 0) is None
                and message.get("stop_sequence", 0) is None)
        self.need(good, "message_start is an empty message", str(message)[:90])
        self.numbers(message.get("usage"), ("input_tokens", "output_tokens"), "usage is numeric")

    def block_start(self, value):
        block = value.get("content_block") or {}
        self.need(self.block is None, "blocks never overlap", str(block)[:60])
        self.need(value.get("index") == self.count, "block indexes are dense",
                  f"{value.get('index')} at {self.count}")
        kind = block.get("type")
        self.need(kind in DELTAS or str(kind).endswith("_tool_result"), "known block", str(kind))
        self.block = {"type": kind, "index": value.get("index"), "text": "", "signatures": 0}
        self.count += 1
        self.kinds.append(kind)
        empty = {"text": block.get("text") == "", "thinking": block.get("thinking") == "",
                 "tool_use": block.get("input") == {}}.get(kind, True)
        self.need(empty, "blocks begin empty", str(block)[:90])
        if kind == "tool_use":
            self.need(re.fullmatch(r"[A-Za-z0-9_-]+", str(block.get("id") or "")) and
                      block.get("name"), "a call has a legal id and a name", str(block)[:90])
        if kind == "redacted_thinking":
            self.need(block.get("data"), "redacted_thinking has its data")

    def delta(self, value):
        delta = value.get("delta") or {}
        block = self.block
        if not self.need(block and value.get("index") == block["index"],
                         "deltas are inside their block", str(value)[:90]):
            return
        self.need(delta.get("type") in DELTAS.get(block["type"], ()), "deltas fit their block",
                  f"{delta.get('type')} in {block['type']}")
        self.need(not block["signatures"], "the signature is the last of its block",
                  str(delta.get("type")))
        if delta.get("type") == "signature_delta":
            block["signatures"] += 1
            self.need(isinstance(delta.get("signature"), str), "the signature is text")
        text = delta.get("text", delta.get("partial_json", delta.get("thinking")))
        block["text"] += text if isinstance(text, str) else ""

    def block_stop(self, value):
        block, self.block = self.block, None
        if not self.need(block and value.get("index") == block["index"],
                         "a block stops once, after it began", str(value)):
            return
        if block["type"] == "thinking":
            self.need(block["signatures"] == 1, "one signature a thinking block",
                      str(block["signatures"]))
        if block["type"] == "text":
            self.need(block["text"], "no empty text block")
        if block["type"] == "tool_use":
            self.call_text = block["text"]
            self.calls = getattr(self, "calls", []) + [block["text"]]

    def message_delta(self, value):
        delta = value.get("delta") or {}
        self.stop = delta.get("stop_reason")
        self.need(self.stop in FINISH[MESSAGES], "legal stop_reason", str(self.stop))
        self.need("stop_sequence" in delta, "stop_sequence is always there")
        self.numbers(value.get("usage"), ("input_tokens", "output_tokens"), "usage is numeric")
        for text in getattr(self, "calls", []):
            self.parses(text, "arguments are JSON objects", self.stop != "tool_use")


# Gemini

class _Gemini(_Checker):
    ENDINGS = {"MAX_TOKENS"}

    def bare(self, frame):
        super().bare(frame)
        self.need(not frame.comments, "no comments", str(frame.comments)[:60])

    def run(self):
        self.read()
        self.need(not self.done, "no [DONE]")
        self.need(b"\n" not in self.body.replace(b"\r\n", b""), "CRLF everywhere")
        for frame, _ in self.events:
            self.need(frame.name is None, "no event lines", str(frame.name))
            self.need(not frame.comments, "no comments", str(frame.comments)[:60])
        self.chunks([value for _, value in self.events])

    def chunks(self, chunks):
        if not self.need(chunks, "has chunks"):
            return
        if "error" in chunks[-1]:
            self.failed = chunks.pop()["error"]
            good = type(self.failed.get("code")) is int and self.failed.get("message") \
                and self.failed.get("status")
            self.need(good, "a failure says code, message and status", str(self.failed)[:60])
        for name in ("responseId", "modelVersion"):
            self.same([c[name] for c in chunks if name in c], "ids stay the same")
            self.need(all(name in c for c in chunks), "each chunk has responseId and modelVersion")
        finish = {}
        for chunk in chunks:
            for candidate in chunk.get("candidates") or []:
                self.candidate(candidate, finish)
        if self.failed or not chunks:
            return
        blocked = any((c.get("promptFeedback") or {}).get("blockReason") for c in chunks)
        self.need(finish and all(finish.values()) or blocked, "a finishReason at the end",
                  str(finish))
        self.need(blocked or any(c.get("finishReason") for c in chunks[-1].get("candidates") or []),
                  "the last chunk has the finishReason")
        usage = chunks[-1].get("usageMetadata")
        self.numbers(usage, ("promptTokenCount", "totalTokenCount"), "usage is numeric")
        if isinstance(usage, dict):
            parts = [usage.get(n) or 0 for n in ("promptTokenCount", "candidatesTokenCount",
                                                 "thoughtsTokenCount", "toolUsePromptTokenCount")]
            self.need(usage.get("totalTokenCount") == sum(parts), "total is the sum",
                      str(usage)[:90])

    def candidate(self, candidate, finish):
        index = candidate.get("index", 0)
        self.need(not finish.get(index), "nothing behind finishReason")
        reason = candidate.get("finishReason")
        finish[index] = reason
        self.need(reason is None or reason in FINISH[GEMINI], "legal finishReason", str(reason))
        content = candidate.get("content")
        if content is None:
            return
        self.need(content.get("role") == "model", "content has the role", str(content)[:60])
        for part in content.get("parts") or []:
            kinds = [k for k in ("text", "functionCall", "inlineData", "fileData",
                                 "executableCode", "codeExecutionResult") if k in part]
            self.need(len(kinds) == 1, "a part is one thing", str(part)[:60])
            if part.get("text") == "":
                self.need(reason or "thoughtSignature" in part, "no empty text parts")
            call = part.get("functionCall")
            if call is not None:
                self.need(call.get("name") and isinstance(call.get("args"), dict),
                          "a call has a name and an object of args", str(call)[:60])


class _GeminiArray(_Gemini):
    """The same without alt=sse: one JSON array."""

    def run(self):
        try:
            value = json.loads(self.body)
        except ValueError as why:
            self.no("valid JSON", str(why))
            return
        if self.need(isinstance(value, list), "an array"):
            self.chunks(list(value))


CHECKERS = {CHAT: _Chat, RESPONSES: _Responses, MESSAGES: _Messages, GEMINI: _Gemini,
            "gemini array": _GeminiArray}


def check(dialect, body, asked_usage=False):
    """(violations, the error that ended the stream or None)"""
    checker = CHECKERS[dialect](body, asked_usage)
    checker.run()
    return list(dict.fromkeys(checker.found)), checker.failed


def violations(dialect, body, asked_usage=False):
    """What is wrong with a stream that should be complete."""
    found, failed = check(dialect, body, asked_usage)
    return found + ([f"ended with an error: {json.dumps(failed)[:120]}"] if failed else [])
