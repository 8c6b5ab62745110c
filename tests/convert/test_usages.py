# SPDX-License-Identifier: Apache-2.0
"""Usage as vendors really send it: what the station reads out of 1,577 bodies.

Two judges: what others extract from the same bodies, where we agree that this is right (OTHERWISE
says where not, and why), and a reader of our own in Python, also over bodies whose numbers have
been changed.
"""
import json
import os
import pathlib
import random
import subprocess
import unittest

from tests.peer import meter, recordings, station
from tests.peer.leaves import INCONSISTENT, KINDS, OK, leaves
from tests.peer.recordings import (CHAT, EMBEDDINGS, GEMINI, MESSAGES, RESPONSES, SHARED)

FILE = os.path.join(SHARED, "data", "usages.json")
ABSENT = "the bodies (../shared/data/usages.json) are not here"

# Who of those that extract from such a body reads it as its own vendor means it.
EXTRACTORS = {CHAT: ("openai/chat", "aws/default", "cohere/default"),
              RESPONSES: ("openai/responses",), MESSAGES: ("anthropic/default",),
              GEMINI: ("google/default",), EMBEDDINGS: ("openai/embeddings", "cohere/embeddings")}
VENDORS = {CHAT: "openai", RESPONSES: "openai", MESSAGES: "anthropic", GEMINI: "gemini",
           EMBEDDINGS: "openai"}


def dialect_of(body):
    """The dialect whose reply this is; Bedrock's and Cohere's counters stand in a chat's place."""
    if "usageMetadata" in body:
        return GEMINI
    if "meta" in body:
        return EMBEDDINGS
    usage = body["usage"]
    if "prompt_tokens" in usage:
        return CHAT if "completion_tokens" in usage else EMBEDDINGS
    if "input_tokens" in usage:
        return RESPONSES if "total_tokens" in usage else MESSAGES
    return CHAT


def usage_of(body):
    return (body.get("usageMetadata") or body.get("usage")
            or (body.get("meta") or {}).get("billed_units"))


def ask(lines):
    """What the station reads out of (dialect, bodies); several bodies are a stream's events."""
    program = pathlib.Path(station.PROGRAM).resolve().parent / "usage_of"
    text = "".join("\t".join([dialect, VENDORS[dialect], *map(json.dumps, bodies)]) + "\n"
                   for dialect, bodies in lines)
    done = subprocess.run([program], input=text.encode(), stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def split(answer):
    """Leaves and state of what the station says."""
    found = dict(answer)
    state = found.pop("state")
    found.pop("tier")
    return found, state


def sums(found):
    """Leaves in the words of those who extract: each word includes what is more particular."""
    get = lambda *names: sum(found.get(n, 0) for n in names)
    reads = ["cache_read"] + ["cache_read_" + k for k in KINDS]
    writes = ["cache_write_5m", "cache_write_1h", "cache_write_other"]
    told = {"input_tokens": get("in", "in_tool", *("in_" + k for k in KINDS), *reads, *writes),
            "cache_read_tokens": get(*reads), "cache_write_tokens": get(*writes),
            "cache_write_5m_tokens": get("cache_write_5m"),
            "cache_write_1h_tokens": get("cache_write_1h"), "input_tool_tokens": get("in_tool"),
            "output_tokens": get("out", "reasoning", *("out_" + k for k in KINDS)),
            "output_reasoning_tokens": get("reasoning"), "web_searches": get("web_search")}
    for k in KINDS:
        told[f"input_{k}_tokens"] = get("in_" + k, "cache_read_" + k)
        told[f"cache_{k}_read_tokens"] = get("cache_read_" + k)
        told[f"output_{k}_tokens"] = get("out_" + k)
    return {k: n for k, n in told.items() if n}


def text_fits(want, found):
    """Text has no leaf of its own: it is the rest, which is as large where all has a kind."""
    for side, word, names in (("input", "input_text_tokens", ("in", "in_tool", "cache_read")),
                              ("cache", "cache_text_read_tokens", ("cache_read",)),
                              ("output", "output_text_tokens", ("out",))):
        all_kinds = sum(n for k, n in want.items() if k.startswith(side) and
                        any(kind in k for kind in ("text", "reasoning") + KINDS) and "tool" not in k
                        and ("read" in k) == (side == "cache"))
        rest = sum(found.get(n, 0) for n in names)
        total = want.get("cache_read_tokens" if side == "cache" else side + "_tokens", 0)
        if want.get(word, 0) > rest or (all_kinds == total and want.get(word, 0) != rest):
            return False
    return True


# ---- where what others extract is wrong: a name, which bodies, and what is right ----

def compaction(body, want):
    """Billed, and in no total: "sum across all entries in usage.iterations", as the vendor says."""
    rounds = [r for r in usage_of(body).get("iterations") or [] if r["type"] == "compaction"]
    for r in rounds:
        more, _ = leaves(MESSAGES, r)
        for word, n in sums(more).items():
            want[word] = want.get(word, 0) + n
    return bool(rounds)


def cached_by_another_name(body, want):
    """Mistral's num_cached_tokens, Kimi's and Qwen's cached_tokens: a price of their own."""
    usage = usage_of(body)
    details = (usage.get("prompt_tokens_details") or {}).get("cached_tokens")
    cached = usage.get("num_cached_tokens") or usage.get("cached_tokens")
    if not cached or details or "prompt_tokens" not in usage:
        return False
    want["cache_read_tokens"] = cached
    return True


def kinds_in_details(body, want):
    """Image and video tokens have their own count in a chat's details; the extractors read audio
    alone."""
    usage = usage_of(body)
    applies = False
    for side, group in (("input", "prompt_tokens_details"),
                        ("output", "completion_tokens_details")):
        for kind in ("image", "video"):
            n = (usage.get(group) or {}).get(kind + "_tokens") if "prompt_tokens" in usage else 0
            if n:
                want[f"{side}_{kind}_tokens"] = n
                applies = True
    return applies


def bedrock_ages(body, want):
    """Bedrock tells the age of what it wrote to a cache, and an hour costs more."""
    applies = False
    for age in usage_of(body).get("cacheDetails") or []:
        if age["inputTokens"]:
            want[f"cache_write_{age['ttl']}_tokens"] = age["inputTokens"]
            applies = True
    return applies


OTHERWISE = (compaction, cached_by_another_name, kinds_in_details, bedrock_ages)

# ---- where the leaves are as extracted, and the usage contradicts itself ----

def another_model(body):
    """An advisor's or a fallback's tokens: at another model's price, and in no total."""
    return any(r["type"] not in ("message", "compaction")
               for r in usage_of(body).get("iterations") or [])


def total_above_its_parts(body):
    """Gemini's OpenAI dialect counts thoughts in total_tokens alone."""
    usage = usage_of(body)
    return ("prompt_tokens" in usage and usage.get("completion_tokens") is not None
            and usage["total_tokens"] > usage["prompt_tokens"] + usage["completion_tokens"]
            + ((usage.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0))


CONTRADICT = (another_model, total_above_its_parts)


# ---- the same bodies, otherwise ----

def numbers(value):
    """Every place of an integer in a JSON value, as (holder, key)."""
    for key, item in (value.items() if isinstance(value, dict) else
                      enumerate(value) if isinstance(value, list) else ()):
        if isinstance(item, int) and not isinstance(item, bool):
            yield value, key
        else:
            yield from numbers(item)


def changed(body, rng):
    """A copy with some other numbers in it."""
    body = json.loads(json.dumps(body))
    places = list(numbers(body))
    for holder, key in rng.sample(places, min(len(places), rng.randint(1, 3))):
        n = holder[key]
        holder[key] = rng.choice((0, 1, n + 1, max(n - 1, 0), n // 2, 2 * n, rng.randint(0, 9999)))
    return body


def as_stream(dialect, body):
    """Events that end in this usage, after some that say less."""
    usage = usage_of(body)
    if dialect == CHAT:
        return [{"model": "m", "choices": [{"index": 0, "delta": {"content": "a"}}]},
                {"choices": [{"index": 0, "delta": {}}],
                 "usage": {"prompt_tokens": 1, "completion_tokens": 1}},
                {"choices": [], "usage": usage}]
    if dialect == RESPONSES:
        return [{"type": "response.created", "response": {"model": "m", "usage": None}},
                {"type": "response.completed", "response": body}]
    if dialect == GEMINI:
        part = {k: usage[k] for k in ("promptTokenCount", "promptTokensDetails") if k in usage}
        return [{"candidates": [], "usageMetadata": {**part, "candidatesTokenCount": 1}}, body]
    begun = {"input_tokens": 1, "output_tokens": 1,
             **{k: usage[k] for k in ("cache_creation", "service_tier") if k in usage}}
    last = {k: v for k, v in usage.items() if k not in begun or k.endswith("put_tokens")}
    return [{"type": "message_start", "message": {"model": "m", "usage": begun}},
            {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 2}},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": last}]


@unittest.skipUnless(os.path.exists(FILE), ABSENT)
class Usages(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        with open(FILE, encoding="utf-8") as file:
            cls.entries = json.load(file)
        cls.bodies = [e["body"] for e in cls.entries]
        cls.dialects = [dialect_of(b) for b in cls.bodies]
        cls.answers = ask([(d, [b]) for d, b in zip(cls.dialects, cls.bodies)])

    def expected(self, entry, dialect):
        """What the vendor's own extractor says of this body."""
        for name in EXTRACTORS[dialect]:
            for way in entry["extracted"]:
                if any(f"{x['provider_id']}/{x['api_flavor']}" == name for x in way["extractors"]):
                    return dict(way["usage"])
        self.fail(f"nobody extracts from {entry['body']}")

    def test_as_others_extract(self):
        self.assertEqual(len(self.answers), len(self.entries))
        used = dict.fromkeys(OTHERWISE, 0)
        for entry, dialect, answer in zip(self.entries, self.dialects, self.answers):
            body = entry["body"]
            want = self.expected(entry, dialect)
            for rule in OTHERWISE:
                before = dict(want)
                if rule(body, want):
                    self.assertNotEqual(before, want, f"{rule.__name__} changes nothing: {body}")
                    used[rule] += 1
            found, state = split(answer)
            plain = {k: n for k, n in want.items() if "text" not in k and n}
            self.assertEqual(plain, sums(found), f"{dialect}: {json.dumps(body)}")
            self.assertTrue(text_fits(want, found), json.dumps(body))
            self.assertEqual(state, INCONSISTENT if any(c(body) for c in CONTRADICT) else OK,
                             json.dumps(body))
        self.assertTrue(all(used.values()), "a rule of OTHERWISE that no body needs")

    def test_as_our_own_reader(self):
        for body, dialect, answer in zip(self.bodies, self.dialects, self.answers):
            self.assertEqual(split(answer), leaves(dialect, usage_of(body)), json.dumps(body))

    def test_as_our_own_reader_with_other_numbers(self):
        rng = random.Random(3)
        bodies = [changed(b, rng) for b in self.bodies for _ in range(4)]
        dialects = [d for d in self.dialects for _ in range(4)]
        answers = ask([(d, [b]) for d, b in zip(dialects, bodies)])
        states = {OK: 0, INCONSISTENT: 0}
        for body, dialect, answer in zip(bodies, dialects, answers):
            self.assertEqual(split(answer), leaves(dialect, usage_of(body)), json.dumps(body))
            states[answer["state"]] += 1
        self.assertGreater(min(states.values()), len(bodies) // 10, states)

    def test_a_stream_as_a_whole(self):
        streams = [(d, b, a) for d, b, a in zip(self.dialects, self.bodies, self.answers)
                   if d != EMBEDDINGS]
        answers = ask([(d, as_stream(d, b)) for d, b, _ in streams])
        for (dialect, body, whole), stream in zip(streams, answers):
            self.assertEqual(stream, whole, f"{dialect}: {json.dumps(body)}")


def billed_tools(events):
    """Calls of OpenAI's own tools, each counted once, by the items that are done."""
    names = {"web_search_call": "web_search", "file_search_call": "file_search",
             "code_interpreter_call": "code", "image_generation_call": "images"}
    done = [e["item"] for e in events if e.get("type") == "response.output_item.done"]
    if not done:
        done = (events[-1].get("response") or events[-1]).get("output") or []
    found = {}
    for item in done:
        searched = (item.get("action") or {}).get("type", "search") == "search"
        if item["type"] in names and searched and item.get("status") != "failed":
            found[names[item["type"]]] = found.get(names[item["type"]], 0) + 1
    return found


@unittest.skipUnless(recordings.present(), recordings.ABSENT)
class Recorded(unittest.TestCase):
    """Whole exchanges, most of them streams, as vendors sent them."""

    def test_every_answer_with_usage(self):
        asked = []
        for exchange in recordings.http():
            if not exchange.metered or exchange.status >= 400:
                continue
            events = meter.objects(exchange.response, exchange.stream)
            usage = meter.raw_usage(exchange.dialect, events) if events else None
            if usage:
                asked.append((exchange, events, usage))
        self.assertGreater(len(asked), 500)
        answers = ask([(x.dialect, events) for x, events, _ in asked])
        tools = 0
        for (exchange, events, usage), answer in zip(asked, answers):
            found, state = leaves(exchange.dialect, usage)
            if exchange.dialect == RESPONSES:
                called = billed_tools(events)
                found.update(called)
                tools += len(called)
            self.assertEqual(split(answer), (found, state), exchange.name)
        self.assertGreater(tools, 5)


if __name__ == "__main__":
    unittest.main()
