# SPDX-License-Identifier: Apache-2.0
"""The test's own meter: usage out of vendor bytes, and cost out of usage and a price.

Written from the vendors' documents, not from the station's code. Cost is in nano (1e-9 of the
currency), rounded down once, with prices in decimals per million tokens.
"""
import json
from fractions import Fraction

from tests.peer.recordings import CHAT, EMBEDDINGS, GEMINI, MESSAGES, RESPONSES

OK, MISSING, INCONSISTENT = "ok", "missing", "inconsistent"


class Usage:
    """Disjoint leaves, and whether the vendor's numbers agree with themselves."""

    def __init__(self, state=MISSING, fresh=0, read=0, write=0, out=0, reasoning=0):
        self.state = state
        self.fresh = fresh              # input that no cache had
        self.read, self.write = read, write     # cache read, cache write of any age
        self.out, self.reasoning = out, reasoning
        self.readings = [self]          # when inconsistent: each way to read it

    def cost(self, price):
        def per_token(name, fallback="input"):
            return Fraction(price.get(name) or price[fallback]) / 1000000
        total = (self.fresh * per_token("input") + self.read * per_token("cache_read")
                 + self.write * per_token("cache_write")
                 + (self.out + self.reasoning) * per_token("output"))
        return int(total * 10**9)       # positive, so int() rounds down

    def __repr__(self):
        return (f"<{self.state} fresh {self.fresh} read {self.read} write {self.write} "
                f"out {self.out} reasoning {self.reasoning}>")


def _leaves(total_in, read, write, total_out, reasoning, total=None):
    state = OK
    if min(total_in - read - write, total_out - reasoning) < 0:
        state = INCONSISTENT
    if total is not None and total != total_in + total_out:
        state = INCONSISTENT
    return Usage(state, total_in - read - write, read, write, total_out - reasoning, reasoning)


def _detail(usage, group, name):
    return (usage.get(group) or {}).get(name) or 0


def read_chat(u):
    read = (_detail(u, "prompt_tokens_details", "cached_tokens") or u.get("cached_tokens")
            or u.get("prompt_cache_hit_tokens") or u.get("num_cached_tokens") or 0)
    return _leaves(u.get("prompt_tokens") or 0, read,
                   _detail(u, "prompt_tokens_details", "cache_write_tokens"),
                   u.get("completion_tokens") or 0,
                   _detail(u, "completion_tokens_details", "reasoning_tokens"),
                   u.get("total_tokens"))


def read_embeddings(u):
    tokens = u.get("prompt_tokens", u.get("total_tokens")) or 0
    return _leaves(tokens, 0, 0, 0, 0, u.get("total_tokens"))


def read_responses(u):
    return _leaves(u.get("input_tokens") or 0, _detail(u, "input_tokens_details", "cached_tokens"),
                   _detail(u, "input_tokens_details", "cache_write_tokens"),
                   u.get("output_tokens") or 0,
                   _detail(u, "output_tokens_details", "reasoning_tokens"), u.get("total_tokens"))


def read_messages(u):
    read = u.get("cache_read_input_tokens") or 0
    write = u.get("cache_creation_input_tokens") or 0
    return _leaves((u.get("input_tokens") or 0) + read + write, read, write,
                   u.get("output_tokens") or 0,
                   _detail(u, "output_tokens_details", "thinking_tokens"))


def read_gemini(u):
    return _leaves((u.get("promptTokenCount") or 0) + (u.get("toolUsePromptTokenCount") or 0),
                   u.get("cachedContentTokenCount") or 0, 0,
                   (u.get("candidatesTokenCount") or 0) + (u.get("thoughtsTokenCount") or 0),
                   u.get("thoughtsTokenCount") or 0, u.get("totalTokenCount"))


READERS = {CHAT: read_chat, EMBEDDINGS: read_embeddings, RESPONSES: read_responses,
           MESSAGES: read_messages, GEMINI: read_gemini}


# Where usage and model stand in an answer

def sse_data(body):
    """The JSON of each event of an SSE body; [DONE] and comments are left out."""
    events = []
    for block in body.replace(b"\r\n", b"\n").split(b"\n\n"):
        data = b"\n".join(line[5:].removeprefix(b" ") for line in block.split(b"\n")
                          if line.startswith(b"data:"))
        if data.strip() and data.strip() != b"[DONE]":
            events.append(json.loads(data))
    return events


def objects(exchange_body, stream):
    """All JSON objects of an answer: one when whole, one an event when streamed."""
    if not stream:
        return [json.loads(exchange_body)]
    if exchange_body.lstrip()[:1] in (b"[", b"{"):
        value = json.loads(exchange_body)
        return value if isinstance(value, list) else [value]
    return sse_data(exchange_body)


def raw_usage(dialect, events):
    """The vendor's usage object, as the dialect says where it stands and which one counts."""
    if dialect == MESSAGES:
        merged = {}
        for event in events:
            holder = event.get("message") if event.get("type") == "message_start" else event
            merged.update({k: v for k, v in (holder.get("usage") or {}).items() if v is not None})
        return merged or None
    found = None
    for event in events:
        if dialect == GEMINI:
            found = event.get("usageMetadata") or found
        elif dialect == RESPONSES:
            found = (event.get("response") or event).get("usage") or found
        else:
            found = (event.get("usage") or (event.get("x_groq") or {}).get("usage")
                     or next((c["usage"] for c in event.get("choices") or [] if c.get("usage")),
                             None) or found)
    return found


def read(dialect, body, stream):
    """Usage of an answer."""
    usage = raw_usage(dialect, objects(body, stream))
    return READERS[dialect](usage) if usage else Usage()


def model_seen(dialect, body, stream):
    """The model that the vendor's answer names, the last word when it names several."""
    seen = None
    for event in objects(body, stream):
        if dialect == GEMINI:
            seen = event.get("modelVersion") or seen
        elif dialect == RESPONSES:
            seen = (event.get("response") or event).get("model") or seen
        elif dialect == MESSAGES:
            seen = (event.get("message") or event).get("model") or seen
        else:
            seen = event.get("model") or seen
    return seen


# The one frame that may be missing from what the client gets

def is_usage_frame(frame):
    data = b"".join(line[5:] for line in frame.splitlines() if line.startswith(b"data:")).strip()
    if not data.startswith(b"{"):
        return False
    event = json.loads(data)
    return event.get("choices") == [] and isinstance(event.get("usage"), dict)


def expected_client_bytes(exchange):
    """What a client must get: the vendor's bytes, minus the usage frame that it did not ask for."""
    if exchange.dialect != CHAT or not exchange.stream or exchange.asked_for_usage:
        return exchange.response
    return b"".join(f for f in exchange.frames if not is_usage_frame(f))
