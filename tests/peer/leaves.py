# SPDX-License-Identifier: Apache-2.0
"""Leaves out of a vendor's usage object a second time, written from the vendors' documents.

`leaves(dialect, usage)` gives the disjoint leaves that are not zero, and the state. What cannot be
true (a part above its whole, a total that is none) makes a side plain: all that is particular about
it and dearer is forgotten.
"""
from fractions import Fraction

from tests.peer.recordings import CHAT, EMBEDDINGS, GEMINI, MESSAGES, RESPONSES

OK, INCONSISTENT, MISSING = "ok", "inconsistent", "missing"
KINDS = ("audio", "image", "video")


class Books:
    """One object on its way to leaves."""

    def __init__(self, total_in=0, total_out=0, cached=0, reasoning=0, tool=0, writes=None):
        self.total_in, self.total_out = total_in, total_out
        self.cached, self.reasoning, self.tool = cached, reasoning, tool
        self.writes = writes or {}
        self.kinds = {"in": {}, "cache_read": {}, "out": {}, "tool": {}}
        self.extra = {}
        self.good = True

    def require(self, holds):
        self.good = self.good and holds

    def settle(self):
        found = dict(self.extra)
        for side in (self._input(), self._output()):
            for name, n in side.items():
                found[name] = found.get(name, 0) + n
        return {k: n for k, n in found.items() if n}, OK if self.good else INCONSISTENT

    def _input(self):
        kinds = self.kinds
        fresh = {k: kinds["in"].get(k, 0) - kinds["cache_read"].get(k, 0) for k in KINDS}
        side = {"cache_read_" + k: kinds["cache_read"].get(k, 0) for k in KINDS}
        side["cache_read"] = self.cached - sum(side.values())
        side["in_tool"] = self.tool - sum(kinds["tool"].values())
        side.update(self.writes)
        possible = min(fresh.values()) >= 0
        side.update({"in_" + k: fresh[k] + kinds["tool"].get(k, 0) for k in KINDS})
        side["in"] = self.total_in - sum(side.values())
        if possible and min(side.values()) >= 0:
            return side
        self.good = False
        cached = min(self.cached, self.total_in)
        return {"cache_read": cached, "in": self.total_in - cached}

    def _output(self):
        side = {"out_" + k: self.kinds["out"].get(k, 0) for k in KINDS}
        side["reasoning"] = self.reasoning
        side["out"] = self.total_out - sum(side.values())
        if side["out"] >= 0:
            return side
        self.good = False
        thought = min(self.reasoning, self.total_out)
        return {"reasoning": thought, "out": self.total_out - thought}

    def against(self, total):
        if total is None or total == self.total_in + self.total_out:
            return
        self.good = False
        if 0 < total < self.total_in + self.total_out:
            self.total_in = min(self.total_in, total)
            self.total_out = total - self.total_in


def first(*numbers):
    return next((n for n in numbers if n), 0)


def _ages(total, five, hour):
    """Writes by age, and whether they can be true."""
    if total is None:
        total = five + hour
    if five + hour > total:
        return {"cache_write_other": total}, total, False
    return {"cache_write_5m": five, "cache_write_1h": hour,
            "cache_write_other": total - five - hour}, total, True


def read_chat(u):
    if "inputTokens" in u or "outputTokens" in u:
        return read_converse(u)
    if "billed_units" in u and "prompt_tokens" not in u:
        billed = u["billed_units"]
        return Books(billed.get("input_tokens") or 0, billed.get("output_tokens") or 0)
    into = u.get("prompt_tokens_details") or {}
    outof = u.get("completion_tokens_details") or {}
    b = Books(u.get("prompt_tokens") or 0, u.get("completion_tokens") or 0,
              first(into.get("cached_tokens"),
                    (u.get("prompt_token_details") or {}).get("cached_tokens"),
                    u.get("cached_tokens"), u.get("prompt_cache_hit_tokens"),
                    u.get("num_cached_tokens")),
              outof.get("reasoning_tokens") or 0,
              writes={"cache_write_other": first(into.get("cache_write_tokens"),
                                                 into.get("cache_creation_input_tokens"),
                                                 u.get("cache_creation_input_tokens"))})
    for side, group in (("in", into), ("out", outof)):
        b.kinds[side] = {k: group.get(k + "_tokens") or 0 for k in KINDS}
    b.extra["web_search"] = (u.get("server_tool_use") or {}).get("web_search_requests") or 0
    total = u.get("total_tokens")
    if b.reasoning and total == b.total_in + b.total_out + b.reasoning:
        b.total_out += b.reasoning
    b.against(total)
    if u.get("prompt_cache_miss_tokens") is not None:
        b.require(u["prompt_cache_miss_tokens"] + b.cached == b.total_in)
    b.require(u.get("prompt_tokens") is not None and u.get("completion_tokens") is not None)
    return b


def read_converse(u):
    ages = u.get("cacheDetails") or []
    writes, total, good = _ages(
        u.get("cacheWriteInputTokens"),
        sum(a["inputTokens"] for a in ages if a["ttl"] == "5m"),
        sum(a["inputTokens"] for a in ages if a["ttl"] == "1h"))
    cached = u.get("cacheReadInputTokens") or 0
    b = Books((u.get("inputTokens") or 0) + cached + total, u.get("outputTokens") or 0, cached,
              writes=writes)
    b.require(good)
    b.against(u.get("totalTokens"))
    return b


def read_responses(u):
    into = u.get("input_tokens_details") or {}
    b = Books(u.get("input_tokens") or 0, u.get("output_tokens") or 0,
              into.get("cached_tokens") or 0,
              (u.get("output_tokens_details") or {}).get("reasoning_tokens") or 0,
              writes={"cache_write_other": into.get("cache_write_tokens") or 0})
    total = u.get("total_tokens")
    if b.reasoning and total == b.total_in + b.total_out + b.reasoning:
        b.total_out += b.reasoning
    b.against(total)
    return b


def _round(u):
    """Totals of a messages object, whatever it is the total of."""
    split = u.get("cache_creation") or {}
    writes, total, good = _ages(u.get("cache_creation_input_tokens"),
                                split.get("ephemeral_5m_input_tokens") or 0,
                                split.get("ephemeral_1h_input_tokens") or 0)
    cached = u.get("cache_read_input_tokens") or 0
    b = Books((u.get("input_tokens") or 0) + cached + total, u.get("output_tokens") or 0, cached,
              (u.get("output_tokens_details") or {}).get("thinking_tokens") or 0, writes=writes)
    b.require(good)
    return b


def read_messages(u):
    b = _round(u)
    tools = u.get("server_tool_use") or {}
    b.extra = {"web_search": tools.get("web_search_requests") or 0,
               "web_fetch": tools.get("web_fetch_requests") or 0}
    rounds = u.get("iterations") or []
    own = [r for r in rounds if r["type"] == "message"]
    b.require(all(r["type"] in ("message", "compaction") for r in rounds))
    if own:
        for name in ("input_tokens", "output_tokens"):
            b.require(sum(r[name] for r in own) == u[name])
    for r in rounds:
        if r["type"] == "compaction":
            found, state = _round(r).settle()
            b.require(state == OK)
            for name, n in found.items():
                b.extra[name] = b.extra.get(name, 0) + n
    return b


def _by_kind(list_):
    found = dict.fromkeys(KINDS, 0)
    for entry in list_ or []:
        kind = entry["modality"].lower().replace("document", "image")
        if kind in found:
            found[kind] += entry.get("tokenCount") or 0
    return found


def read_gemini(u):
    thoughts = u.get("thoughtsTokenCount") or 0
    tool = u.get("toolUsePromptTokenCount") or 0
    b = Books((u.get("promptTokenCount") or 0) + tool,
              (u.get("candidatesTokenCount") or 0) + thoughts,
              u.get("cachedContentTokenCount") or 0, thoughts, tool)
    b.kinds = {"in": _by_kind(u.get("promptTokensDetails") or u.get("promptTokenDetails")),
               "tool": _by_kind(u.get("toolUsePromptTokensDetails")),
               "cache_read": _by_kind(u.get("cacheTokensDetails")),
               "out": _by_kind(u.get("candidatesTokensDetails"))}
    b.against(u.get("totalTokenCount"))
    return b


def read_embeddings(u):
    total = u.get("total_tokens")
    tokens = first(u.get("prompt_tokens"), u.get("input_tokens"))
    b = Books(tokens if "prompt_tokens" in u or "input_tokens" in u else total or 0)
    b.against(total)
    return b


READERS = {CHAT: read_chat, RESPONSES: read_responses, MESSAGES: read_messages,
           GEMINI: read_gemini, EMBEDDINGS: read_embeddings}


def leaves(dialect, usage):
    return READERS[dialect](usage).settle()


FALLBACK = {"cache_write_other": "cache_write", "cache_write_5m": "cache_write",
            "cache_write_1h": "cache_write", "reasoning": "output"}


def cost(found, price):
    """Nano of these leaves by a price in decimals per million tokens, rounded down; counters cost
    nothing. A leaf of a kind costs as the leaf of its side."""
    total = Fraction(0)
    for name, n in found.items():
        word = FALLBACK.get(name) or next(
            (rate for start, rate in (("cache_read", "cache_read"), ("in", "input"),
                                      ("out", "output")) if name == start
             or name.startswith(start + "_")), None)
        if word:
            total += Fraction(price.get(word) or price["input"]) * n * 1000
    return int(total)
