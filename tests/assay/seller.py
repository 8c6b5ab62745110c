# SPDX-License-Identifier: Apache-2.0
"""A seller of models, honest or not, that shares nothing with the product: counts of tokens come
from tables of its own, by line of text. Its answers are short and made up.

    with Seller(family="o200k", hidden=300) as s:
        ... s.base, s.requests
"""
import base64
import json
import random
import re
import sys
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.assay import picture

ORDER = ("o200k", "cl100k", "claude2", "gemma3", "gemma1", "llama3", "qwen3", "deepseek3", "kimi")
# Tokens of a line with its line feed, in that order.
LINES = {
    "31415926535897932384626433832795": (12, 12, 14, 33, 33, 12, 33, 12, 12),
    "他们在中华人民共和国成立后的第一个五年计划期间加强了基础设施建设":
        (17, 36, 33, 13, 14, 19, 14, 11, 10),
    "สวัสดีครับวันนี้อากาศดีมากเราไปเดินเล่นกันเถอะ": (20, 44, 83, 15, 19, 24, 25, 20, 38),
    "नमस्ते आज मौसम बहुत अच्छा है चलो टहलने चलते हैं": (17, 50, 51, 13, 20, 27, 48, 30, 30),
    "საქართველო ლამაზი ქვეყანაა": (8, 51, 32, 13, 23, 51, 27, 23, 23),
    "안녕하세요 오늘 날씨가 정말 좋네요 산책하러 갑시다": (17, 35, 38, 15, 22, 17, 21, 24, 33),
    "東京タワーから富士山が見えますので、ぜひお越しください": (20, 31, 32, 15, 13, 20, 19, 18, 21),
}
DIGITS_ALONE = ("gemma3", "gemma1", "qwen3")


def tokens_of(text, family):
    total = 0
    for line in text.split("\n"):
        if line in LINES:
            total += LINES[line][ORDER.index(family)]
        elif re.fullmatch(r"\d{8}", line):
            total += 9 if family in DIGITS_ALONE else 4
        else:
            total += -(-len(line.encode()) // 4)
    return total


def texts_of(value):
    """All text that a request holds, whatever the dialect."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [t for item in value for t in texts_of(item)]
    if isinstance(value, dict):
        return [t for key in ("system", "systemInstruction", "instructions", "messages", "input",
                              "contents", "content", "parts", "text") if key in value
                for t in texts_of(value[key])]
    return []


def pictures_of(value):
    """All PNGs that a request holds, whatever the dialect."""
    if isinstance(value, dict):
        value = [*value.values()]
    if isinstance(value, list):
        return [p for item in value for p in pictures_of(item)]
    data = value.rpartition(",")[2] if isinstance(value, str) else ""
    return [base64.b64decode(data, validate=True)] if data.startswith("iVBORw0KGgo") else []


def places_wanted(body):
    """How many of the likeliest tokens a request wants; 0: none."""
    config = body.get("generationConfig", {})
    if body.get("logprobs") is True or "message.output_text.logprobs" in body.get("include", ()):
        return body.get("top_logprobs", 0)
    return config.get("logprobs", 0) if config.get("responseLogprobs") else 0


NO_ARGUMENTS = {"type": "object", "properties": {}, "required": []}


def tools_of(body):
    """What is offered, as (name, schema), whatever the dialect."""
    found = []
    for tool in body.get("tools", ()):
        for one in tool.get("functionDeclarations") or [tool.get("function", tool)]:
            found.append((one["name"], next((one[k] for k in (
                "parameters", "input_schema", "parametersJsonSchema") if k in one), NO_ARGUMENTS)))
    return found


def value_of(schema, text):
    """What keeps the schema; a text is what was to be said exactly, else the last word."""
    kind = schema["type"]
    if "enum" in schema:
        return random.choice(schema["enum"])
    if kind == "object":
        return {name: value_of(schema["properties"][name], text) for name in schema["required"]}
    if kind == "array":
        return [value_of(schema["items"], text)
                for _ in range(random.randint(schema.get("minItems", 0), 2) or 1)]
    if kind == "string":
        return text.partition("as it stands: ")[2] or text.split()[-1]
    if kind == "boolean":
        return True
    return random.randint(schema.get("minimum", 0), schema.get("maximum", 9))


STORY = "Ships came and went, and the tide with them, as it always had in that place. " * 6
LINE = "Ships of every flag lie in the harbour and wait for the tide."


BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def openai_id(seconds):
    """What stands behind chatcmpl- of an answer of that time."""
    head, n = "", seconds - 1576800000
    for _ in range(5):
        head, n = BASE62[n % 62] + head, n // 62
    return head + "".join(random.choices(BASE62, k=24))


class Seller:
    """What it is asked it does, as well as a model would; `cheats` are the exceptions:
    cached (the first answer to a text is sold again), at_once (streams are collected), cut=N (only
    the last N lines of the input arrive), middle=N (only the first and last N; `uncut`: all of it
    is billed), odd=N (each seventh call is billed N tokens more), no_stop, no_limit,
    no_temperature, no_seed, even=N (streams are cut into N characters), queue=S (each stream waits
    so long),
    early (a stream has a line before its silence), kept (long free texts are sold again for any
    number), deaf (they do not heed the number), labour=S (they take so long to make, and what is
    short a tenth), stale=N (the first N new prompts are billed as read from a cache), ahead=N (so
    many tokens that stand first are read from it in all requests; they are no input with
    `exclusive`), lax (what is wrong is answered). Of tools: edited (arguments are replaced; a part
    of a text: only such; with `texts` also where it is to be repeated), blurred (a weak model: it
    leaves out digits), untooled=P (so often none is called), broken=P (so often a call keeps no
    schema, or names no tool).

    `counts`: what its count path says: "true" (the request as it
    was sent), "billed" (as it will be billed), "text" (without the template), "bytes" (an estimate
    from their number), None (there is no such path). `genuine`: answers have all that its vendor's
    have. `headers`: of each answer, or a function of its number.

    sight: how it looks at pictures: "sees", "blind" (says so), "refuses", "misreads", "text" (reads
    what is written and sees nothing else), "drops" (an empty answer). likely: makes of a text the
    likeliest [(token, log probability)], of which it gives most_likely; more are refused."""

    def __init__(self, family="o200k", template=7, hidden=0, factor=1.0, model=None,
                 dialects=("chat", "responses", "messages", "gemini"), before=None, answer="pong",
                 by_length=False, silent=False, choices=None, mix=0.0, others=None, pause=0.0,
                 same_ids=False, deterministic=False, forgetful=0, counts="true", genuine=False,
                 headers=(), sight="sees", picture_tokens=255, likely=None,
                 most_likely=20, **cheats):
        self.family, self.template, self.hidden, self.factor = family, template, hidden, factor
        self.model, self.dialects, self.before, self.answer = model, dialects, before, answer
        self.by_length, self.silent = by_length, silent
        # Short answers by question: {part of it: [(answer, weight)]}, and, for a share `mix` of
        # the requests, those of another model.
        self.choices, self.mix, self.others = choices or {}, mix, others or {}
        self.pause, self.same_ids, self.deterministic = pause, same_ids, deterministic
        self.forgetful, self.counted = forgetful, 0
        self.counts, self.genuine, self.headers = counts, genuine, headers
        self.sight, self.picture_tokens = sight, picture_tokens
        self.likely, self.most_likely = likely, most_likely
        self.cheats = cheats
        self.kept, self.seen = {}, set()
        self.requests = []          # (path, headers, body)
        self.lock = threading.Lock()
        self.broken = []            # what no answer was made of
        handler = type("Handler", (_Handler,), {"seller": self})
        self.server = _Server(("127.0.0.1", 0), handler)
        self.server.broken = self.broken
        self.base = f"http://127.0.0.1:{self.server.server_address[1]}/v1"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, kind, *_):
        self.server.shutdown()
        self.server.server_close()
        assert kind or not self.broken, self.broken[0]

    def arrived(self, body):
        text = "\n".join(texts_of(body))
        cut, ends = self.cheats.get("cut"), self.cheats.get("middle")
        lines = text.split("\n")
        if ends and len(lines) > 2 * ends:
            lines = lines[:ends] + lines[-ends:]
        return "\n".join(lines[-cut:] if cut else lines)

    def count(self, text):
        own = -(-len(text.encode()) // 4) if self.by_length else tokens_of(text, self.family)
        self.counted += 1
        odd = self.cheats.get("odd", 0) if self.counted % 7 == 0 else 0
        return int((own + self.template + self.hidden + odd) * self.factor + 0.5)

    def count_path(self, path, body):
        """What the dialect's own path says of a request before it is made."""
        text = "\n".join(texts_of(body))
        own = -(-len(text.encode()) // 4) if self.by_length else tokens_of(text, self.family)
        n = {"true": own + self.template, "text": own, "bytes": len(json.dumps(body)) // 4,
             "billed": int((own + self.template + self.hidden) * self.factor + 0.5)}[self.counts]
        return {"totalTokens": n} if "countTokens" in path else {"input_tokens": n}

    def wrong(self, path, body):
        """What an honest server refuses, and how."""
        settings = {**body, **body.get("generationConfig", {})}
        limit = next((settings[k] for k in ("max_tokens", "max_completion_tokens",
                      "max_output_tokens", "maxOutputTokens") if k in settings), 1)
        said = next((body[k] for k in ("messages", "input", "contents") if k in body), None)
        if "no-such-model" in str(body.get("model")) + path:
            return 404, self.refusal(404, "model_not_found", "model", "no such model")
        for wrong, param in ((body == {}, None), (not said, "messages"), (limit > 10**6, "limit"),
                             (settings.get("temperature", 1) < 0, "temperature"),
                             ('"properties": 7' in json.dumps(body), "tools")):
            if wrong:
                return 400, self.refusal(400, "bad_request", param, f"invalid: {param}")
        return None

    def refusal(self, status, code, param, text):
        return {"error": {"type": "invalid_request_error", "code": code, "param": param,
                          "message": text}}

    def look(self, png):
        digits, colour = picture.read(png)
        return {"sees": f"{digits} {colour}", "text": f"{digits} white", "drops": "",
                "misreads": f"{(int(digits) + 1) % 10**6:06} {colour}",
                "blind": "I cannot see any image; please attach it."}[self.sight]

    def refuses(self, body):
        if self.sight == "refuses" and pictures_of(body):
            return "this model does not take image input"
        if places_wanted(body) > self.most_likely:
            return f"top_logprobs must be at most {self.most_likely}"
        return None

    def say(self, text, body):
        for png in pictures_of(body):
            return self.look(png)
        choices = self.others if random.random() < self.mix else self.choices
        for part, answers in choices.items():
            if part in text:
                return random.choices(*zip(*answers))[0]
        if "exactly as it stands, and say nothing else: " in text:
            own = text.partition("nothing else: ")[2]
            return self.edit(own) if "texts" in self.cheats else own
        if "Answer with the amber code" in text:
            return " ".join(code for code in re.findall(r"code is (\d{8})", text)
                            if random.random() >= self.forgetful)
        if "Count from 1 to" in text:
            stop, last = self.stop_of(body), int(re.search(r"Count from 1 to (\d+)", text)[1])
            numbers = ", ".join(map(str, range(1, last + 1)))
            if stop:
                return numbers.partition(stop)[0]
            return numbers if last < 100 or "no_limit" in self.cheats else numbers[:60]
        if text.startswith("Repeat the following lines"):
            return text.partition(":\n")[2]
        if "12 words" in text:
            cold = self.temperature_of(body) == 0 and "no_temperature" not in self.cheats
            seed = body.get("seed", body.get("generationConfig", {}).get("seed"))
            if seed is not None and "no_seed" not in self.cheats:
                return f"Waves {seed}"
            return "Waves" if cold or self.deterministic else f"Waves {random.random()}"
        if "story" in text:
            return STORY
        if "Begin with the number" in text:
            return self.fresh(text)
        if "four lines" in text:
            return STORY if self.deterministic else f"{random.random()} {STORY}"
        return self.answer

    def fresh(self, text):
        number = "" if "deaf" in self.cheats else re.search(r"\b\d{8}\b", text)[0]
        made = f"{number} {'' if self.deterministic else random.random()} {STORY}"
        if "kept" in self.cheats:
            with self.lock:
                if "fresh" in self.kept:
                    return self.kept["fresh"]
                self.kept["fresh"] = made
        time.sleep(self.cheats.get("labour", 0))
        return made

    @staticmethod
    def temperature_of(body):
        return body.get("temperature", body.get("generationConfig", {}).get("temperature"))

    def edit(self, own):
        """What becomes of an argument that was to be copied."""
        edited = self.cheats.get("edited", False)
        if edited is True:
            return "evil.example.com"
        return own.replace("quilt", "quiIt").replace("0x", "0xbad") if edited and edited in own \
            else own

    def call(self, text, body):
        """(tool, arguments), or None: what is meant has its name, or a word of it, in the text."""
        meant = [(name, schema) for name, schema in tools_of(body)
                 if any(len(w) > 3 and w in text.lower() for w in name.split("_"))]
        if not meant or random.random() < self.cheats.get("untooled", 0):
            return None
        name, schema = meant[0]
        arguments = value_of(schema, text)
        if "Lisbon" in text:
            arguments["city"] = "Lisbon"
        if "as it stands: " in text:
            field, = arguments
            arguments[field] = self.edit(arguments[field])
            if "blurred" in self.cheats:
                arguments[field] = re.sub(r"\d(\d\d)", r"\1", arguments[field])
        if random.random() < self.cheats.get("broken", 0):
            return ("functions", arguments) if random.random() < 0.5 else (name, {"value": [1]})
        return name, arguments

    def stop_of(self, body):
        if "no_stop" in self.cheats:
            return None
        places = (body.get("stop"), body.get("stop_sequences"),
                  body.get("generationConfig", {}).get("stopSequences"))
        return next((p[0] for p in places if p), None)

    def reply(self, dialect, body):
        text = self.arrived(body)
        sent = "\n".join(texts_of(body)) if "uncut" in self.cheats else text
        n, answer = self.count(sent), self.say(text, body)
        if len(answer) < 100:
            time.sleep(self.cheats.get("labour", 0) / 10)
        n += self.picture_tokens * len(pictures_of(body))
        name = self.model or body.get("model") or "gemini-2.5-flash"
        number = 1 if self.same_ids else random.randrange(10**12)
        if self.cheats.get("openai_ids") is not None:
            number = openai_id(int(time.time()) + self.cheats["openai_ids"])
        call = self.call(text, body) if "tools" in body else None
        made = WHOLE[dialect](answer, call, n, name, number, self.written(answer))
        if self.likely and places_wanted(body):
            PLACED[dialect](made, self.likely(text)[:places_wanted(body)])
        self.keep_prompt(dialect, text, made)
        if self.silent:
            made.pop("usage", None)
            made.pop("usageMetadata", None)
        if self.genuine:
            DRESSED[dialect](made)
        if "cached" in self.cheats:
            return self.kept.setdefault((text, *pictures_of(body)), made)
        return made

    def keep_prompt(self, dialect, text, made):
        """Long prompts are kept: behind the first they cost a tenth. `cold` keeps none."""
        usage, ahead = made.get("usage") or made["usageMetadata"], self.cheats.get("ahead", 0)
        if ahead:
            self.read_from_cache(dialect, usage, ahead, "exclusive" not in self.cheats)
        if len(text) < 4000 or "cold" in self.cheats:
            return
        with self.lock:
            first = text not in self.seen
            self.seen.add(text)
            new = sum("weighed at the gate" in one for one in self.seen)
            stale = first and "weighed at the gate" in text and new <= self.cheats.get("stale", 0)
        if not first or stale:
            self.read_from_cache(dialect, usage, usage[INPUT[dialect]] - 5, True)

    @staticmethod
    def read_from_cache(dialect, usage, n, inclusive):
        if dialect == "messages":
            usage["cache_read_input_tokens"] = n
            usage["input_tokens"] -= n
        elif dialect == "gemini":
            usage["cachedContentTokenCount"] = n
        else:
            name = "prompt_tokens_details" if dialect == "chat" else "input_tokens_details"
            usage[name] = {"cached_tokens": n}
        if not inclusive:
            usage[INPUT[dialect]] -= n
            usage["total_tokens"] -= n

    def written(self, answer):
        """Tokens of output as they are billed."""
        own = tokens_of(answer, self.family) if answer.split("\n")[0] in LINES else len(answer) // 4
        return int((own + 1) * self.cheats.get("out_factor", 1)
                   + random.randrange(self.cheats.get("thoughts", 0) + 1) + 0.5)

    def events(self, dialect, body):
        """The same as a stream's events."""
        text = self.arrived(body)
        n, answer = self.count(text) + self.cheats.get("stream_more", 0), self.say(text, body)
        pieces = re.findall(f"(?s).{{1,{self.cheats.get('even')}}}" if "even" in self.cheats
                            else r"\S+\s*", answer) or [""]
        call = self.call(text, body) if "tools" in body else None
        yield from STREAMED[dialect](pieces, n, body.get("model") or "gemini-2.5-flash", call)


def _chat(answer, call, n, name, number, out=1):
    message = {"role": "assistant", "content": None if call else answer}
    if call:
        message["tool_calls"] = [{"id": "c1", "type": "function", "function": {
            "name": call[0], "arguments": json.dumps(call[1])}}]
    return {"id": f"chatcmpl-{number}", "object": "chat.completion", "created": 1, "model": name,
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": n, "completion_tokens": out, "total_tokens": n + out}}


def _responses(answer, call, n, name, number, out=1):
    item = {"type": "message", "role": "assistant", "content": [
        {"type": "output_text", "text": answer}]}
    if call:
        item = {"type": "function_call", "name": call[0], "call_id": "c1",
                "arguments": json.dumps(call[1])}
    return {"id": f"resp_{number}", "object": "response", "status": "completed", "model": name,
            "output": [item],
            "usage": {"input_tokens": n, "output_tokens": out, "total_tokens": n + out}}


def _messages(answer, call, n, name, number, out=1):
    part = {"type": "text", "text": answer}
    if call:
        part = {"type": "tool_use", "id": "t1", "name": call[0], "input": call[1]}
    return {"id": f"msg_{number}", "type": "message", "role": "assistant", "model": name,
            "content": [part], "stop_reason": "end_turn",
            "usage": {"input_tokens": n, "output_tokens": out}}


def _gemini(answer, call, n, name, number, out=1):
    part = {"functionCall": {"name": call[0], "args": call[1]}} if call else {"text": answer}
    return {"responseId": f"r{number}", "modelVersion": name,
            "candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP"}],
            "usageMetadata": {"promptTokenCount": n, "candidatesTokenCount": out,
                              "totalTokenCount": n + out}}


def base58(number):
    text = ""
    while number:
        text, number = ("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[number % 58]
                        + text, number // 58)
    return text


def _dress_chat(made):
    """As OpenAI writes it."""
    made.update(service_tier="default", system_fingerprint="fp_0123456789")
    if len(made["id"]) < 38:
        made["id"] = "chatcmpl-" + openai_id(int(time.time()))
    made["choices"][0]["message"]["refusal"] = None
    if "usage" in made:
        made["usage"].setdefault("prompt_tokens_details", {"cached_tokens": 0})["audio_tokens"] = 0
        made["usage"]["completion_tokens_details"] = dict.fromkeys(
            ("reasoning_tokens", "audio_tokens", "accepted_prediction_tokens",
             "rejected_prediction_tokens"), 0)


def _dress_responses(made):
    made.update(id="resp_" + "ab" * 8 + f"00{int(time.time()):08x}" + "cd" * 12,
                service_tier="default")
    made["usage"]["output_tokens_details"] = {"reasoning_tokens": 0}


def _dress_messages(made):
    """As Anthropic writes it."""
    ms = int(time.time() * 1000)
    made.update(id="msg_01" + base58(ms << 80 | 7 << 76 | 2 << 62 | random.getrandbits(60)),
                stop_sequence=None)
    made["usage"].update(cache_creation={"ephemeral_5m_input_tokens": 0}, service_tier="standard")


def _dress_gemini(made):
    made["responseId"] = base64.urlsafe_b64encode(
        int(time.time()).to_bytes(4, "little") + random.randbytes(12)).decode().rstrip("=")
    made["usageMetadata"]["promptTokensDetails"] = [{"modality": "TEXT", "tokenCount": 1}]


DRESSED = {"chat": _dress_chat, "responses": _dress_responses, "messages": _dress_messages,
           "gemini": _dress_gemini}


def _places(rows):
    top = [{"token": t, "bytes": list(t.encode()), "logprob": p} for t, p in rows]
    return [{**top[0], "top_logprobs": top}]


def _place_chat(made, rows):
    made["choices"][0]["logprobs"] = {"content": _places(rows), "refusal": None}


def _place_responses(made, rows):
    made["output"][0]["content"][0]["logprobs"] = _places(rows)


def _place_gemini(made, rows):
    top = [{"token": t, "tokenId": i, "logProbability": p} for i, (t, p) in enumerate(rows)]
    made["candidates"][0]["logprobsResult"] = {"topCandidates": [{"candidates": top}],
                                               "chosenCandidates": top[:1]}


PLACED = {"chat": _place_chat, "responses": _place_responses, "gemini": _place_gemini}


def _frame(value, name=None):
    return (f"event: {name}\n" if name else "") + f"data: {json.dumps(value)}\n\n"


def halves(arguments):
    text = json.dumps(arguments)
    return text[:len(text) // 2], text[len(text) // 2:]


def _chat_events(pieces, n, name, call):
    head = {"id": "chatcmpl-s", "object": "chat.completion.chunk", "created": 1, "model": name}
    if call:
        pieces = []
        for function in ({"name": call[0], "arguments": ""},
                         *({"arguments": half} for half in halves(call[1]))):
            yield _frame({**head, "choices": [{"index": 0, "delta": {
                "tool_calls": [{"index": 0, "function": function}]}}]})
    for piece in pieces:
        yield _frame({**head, "choices": [{"index": 0, "delta": {"content": piece}}]})
    yield _frame({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    yield _frame({**head, "choices": [], "usage": {
        "prompt_tokens": n, "completion_tokens": len(pieces), "total_tokens": n + len(pieces)}})
    yield "data: [DONE]\n\n"


def _responses_events(pieces, n, name, call):
    if call:
        pieces = []
        item = {"type": "function_call", "name": call[0], "call_id": "c1", "arguments": ""}
        yield _frame({"type": "response.output_item.added", "output_index": 1, "item": item},
                     "response.output_item.added")
        for half in halves(call[1]):
            yield _frame({"type": "response.function_call_arguments.delta", "output_index": 1,
                          "delta": half}, "response.function_call_arguments.delta")
    for i, piece in enumerate(pieces):
        yield _frame({"type": "response.output_text.delta", "sequence_number": i, "delta": piece},
                     "response.output_text.delta")
    yield _frame({"type": "response.completed", "response": {
        **_responses("".join(pieces), call, n, name, 2)}}, "response.completed")


def _messages_events(pieces, n, name, call):
    yield _frame({"type": "message_start", "message": {**_messages("", None, n, name, 2),
                                                       "content": []}}, "message_start")
    block = {"type": "text", "text": ""}
    deltas = [{"type": "text_delta", "text": piece} for piece in pieces]
    if call:
        block = {"type": "tool_use", "id": "t1", "name": call[0], "input": {}}
        deltas = [{"type": "input_json_delta", "partial_json": half} for half in halves(call[1])]
    yield _frame({"type": "content_block_start", "index": 0, "content_block": block},
                 "content_block_start")
    for delta in deltas:
        yield _frame({"type": "content_block_delta", "index": 0, "delta": delta},
                     "content_block_delta")
    yield _frame({"type": "content_block_stop", "index": 0}, "content_block_stop")
    yield _frame({"type": "message_delta", "delta": {"stop_reason": "end_turn"},
                  "usage": {"output_tokens": len(pieces)}}, "message_delta")
    yield _frame({"type": "message_stop"}, "message_stop")


def _gemini_events(pieces, n, name, call):
    if call:
        yield _frame(_gemini("", call, n, name, 2))
        return
    for i, piece in enumerate(pieces):
        made = _gemini(piece, None, n, name, 2)
        if i + 1 < len(pieces):
            del made["candidates"][0]["finishReason"]
        yield _frame(made)


INPUT = {"chat": "prompt_tokens", "responses": "input_tokens", "messages": "input_tokens",
         "gemini": "promptTokenCount"}
WHOLE = {"chat": _chat, "responses": _responses, "messages": _messages, "gemini": _gemini}
STREAMED = {"chat": _chat_events, "responses": _responses_events, "messages": _messages_events,
            "gemini": _gemini_events}


def dialect_of(path):
    if path.endswith("/chat/completions"):
        return "chat"
    if path.endswith("/responses"):
        return "responses"
    if path.endswith("/messages"):
        return "messages"
    return "gemini" if "enerateContent" in path else None


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        if not isinstance(sys.exc_info()[1], ConnectionError):      # clients may leave
            self.broken.append(traceback.format_exc())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body are two packets, and the second would wait 40 ms for word of the first.
    disable_nagle_algorithm = True
    seller = None

    def log_message(self, *_):
        pass

    def do_POST(self):
        s = self.seller
        try:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        except ValueError:
            body = {}
        with s.lock:
            number = len(s.requests)
            s.requests.append((self.path, dict(self.headers), body))
        special = s.before(number, self.path, dict(self.headers), body) if s.before else None
        dialect = dialect_of(self.path)
        if special is not None:
            return self.send(*special)
        if dialect is None and s.counts and re.search(r"/(count|input)_tokens|:countTokens",
                                                      self.path):
            return self.send(200, s.count_path(self.path, body))
        if dialect not in s.dialects:
            return self.send(404, {"error": {"message": "no such path"}})
        if "lax" not in s.cheats and s.wrong(self.path, body):
            return self.send(*s.wrong(self.path, body))
        if s.refuses(body):
            return self.send(400, {"error": {"message": s.refuses(body)}})
        if body.get("stream") or ":stream" in self.path:
            return self.stream(s.events(dialect, body))
        return self.send(200, s.reply(dialect, body))

    def stream(self, events):
        s = self.seller
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        early = [": wait\n\n"] if "early" in s.cheats else []
        events = [*early, *events]
        try:
            if early:
                self.event(events.pop(0))
            time.sleep(s.cheats.get("queue", 0))
            if "at_once" in s.cheats:
                time.sleep(s.pause * len(events))
            for event in events:
                if "at_once" not in s.cheats:
                    time.sleep(s.pause)
                self.event(event)
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.close_connection = True

    def event(self, text):
        data = text.encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def send(self, status, body, headers=()):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        own = self.seller.headers
        for name, value in (*headers, *(own(len(self.seller.requests)) if callable(own) else own)):
            self.send_header(name, value)
        try:
            self.end_headers()
            self.wfile.write(data)
        except OSError:     # the client has left
            self.close_connection = True
