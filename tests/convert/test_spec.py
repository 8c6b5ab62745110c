# SPDX-License-Identifier: Apache-2.0
"""The schema judge of tests/peer/spec.py, judged: vendors' own words pass, broken ones do not."""
import collections
import copy
import json
import unittest

from tests.peer import cases, spec

CHAT, RESPONSES, MESSAGES, GEMINI = cases.DIALECTS
PASS_AT_LEAST = 0.93    # of what was recorded; the rest are hosted tools newer than the documents

GOOD = {
    (CHAT, "request"): {"model": "m", "messages": [
        {"role": "user", "content": [{"type": "text", "text": "a"}]}], "stop": ["x"]},
    (RESPONSES, "request"): {"model": "m", "input": [
        {"role": "user", "content": [{"type": "input_text", "text": "a"}]},
        {"role": "assistant", "content": [{"type": "output_text", "text": "b"}]}]},
    (MESSAGES, "request"): {"model": "m", "max_tokens": 9, "messages": [
        {"role": "user", "content": [{"type": "text", "text": "a"}]}]},
    (GEMINI, "request"): {"contents": [{"role": "user", "parts": [{"text": "a"}]}],
                          "generationConfig": {"topK": 3}},
    (CHAT, "reply"): {"id": "c", "object": "chat.completion", "created": 1, "model": "m",
                      "choices": [{"index": 0, "finish_reason": "stop", "logprobs": None,
                                   "message": {"role": "assistant", "content": "a",
                                               "refusal": None}}]},
    (MESSAGES, "reply"): {"id": "c", "type": "message", "role": "assistant", "model": "m",
                          "content": [{"type": "text", "text": "a"}], "stop_reason": "end_turn",
                          "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1}},
    (GEMINI, "reply"): {"candidates": [{"content": {"role": "model", "parts": [{"text": "a"}]},
                                        "finishReason": "STOP", "index": 0}]},
    (MESSAGES, "event"): {"type": "content_block_delta", "index": 0,
                          "delta": {"type": "text_delta", "text": "a"}},
    (CHAT, "event"): {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
                      "choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": None}]},
    (RESPONSES, "event"): {"type": "response.output_text.delta", "item_id": "i", "delta": "a",
                           "output_index": 0, "content_index": 0, "sequence_number": 3,
                           "logprobs": []},
}
# (what, path to a place, its new value or ... to remove it, words of the problem)
BROKEN = [
    ((CHAT, "request"), ["metadata_x"], 1, "unknown key"),
    ((CHAT, "request"), ["messages", 0, "content", 0, "type"], "input_text", "not known"),
    ((CHAT, "request"), ["messages", 0, "role"], "model", "is none of"),
    ((CHAT, "request"), ["messages"], ..., "missing"),
    ((CHAT, "request"), ["stop"], 5, "is no"),
    ((CHAT, "request"), ["temperature"], 2.5, "above"),
    ((RESPONSES, "request"), ["stop"], ["x"], "unknown key"),
    ((RESPONSES, "request"), ["input", 1, "content", 0, "type"], "text", ""),
    ((RESPONSES, "request"), ["max_output_tokens"], 4, "below"),
    ((MESSAGES, "request"), ["stop"], ["x"], "unknown key"),
    ((MESSAGES, "request"), ["max_tokens"], ..., "missing"),
    ((MESSAGES, "request"), ["messages", 0, "content", 0, "extra"], 1, "unknown key"),
    ((MESSAGES, "request"), ["messages", 0, "role"], "tool", "is none of"),
    ((MESSAGES, "request"), ["temperature"], 1.5, "above"),
    ((GEMINI, "request"), ["contents", 0, "parts", 0, "type"], "text", "unknown key"),
    ((GEMINI, "request"), ["generationConfig", "max_tokens"], 3, "unknown key"),
    ((GEMINI, "request"), ["generationConfig", "topK"], 3.5, "is no integer"),
    ((CHAT, "reply"), ["choices", 0, "finish_reason"], "end_turn", "is none of"),
    ((CHAT, "reply"), ["choices", 0, "message", "refusal"], ..., "missing"),
    ((CHAT, "reply"), ["created"], None, "is no integer"),
    ((CHAT, "event"), ["choices", 0, "finish_reason"], ..., "missing"),
    ((MESSAGES, "reply"), ["stop_reason"], "stop", "is none of"),
    ((MESSAGES, "reply"), ["usage", "input_tokens"], None, "is no integer"),
    ((MESSAGES, "event"), ["delta", "type"], "text", "not known"),
    ((MESSAGES, "event"), ["type"], "content_delta", "not known"),
    ((GEMINI, "reply"), ["candidates", 0, "finishReason"], "stop", "is none of"),
    ((RESPONSES, "event"), ["item_id"], ..., "missing"),
    ((RESPONSES, "event"), ["type"], "response.text.delta", "not known"),
]


def own_hosts(pair):
    """Only what the schema's own vendor said; others speak dialects of the dialect."""
    host = pair.name.partition(".")[0]
    return host == "openai" if pair.dialect in (CHAT, RESPONSES) else True


@unittest.skipUnless(spec.available(), spec.ABSENT)
class SpecTest(unittest.TestCase):

    def test_good_values_pass(self):
        for (dialect, what), value in GOOD.items():
            self.assertEqual(spec.validate(dialect, what, value), [], (dialect, what))

    def test_broken_values_are_caught(self):
        for (dialect, what), path, new, words in BROKEN:
            with self.subTest(dialect=dialect, what=what, path=path):
                value = copy.deepcopy(GOOD[dialect, what])
                place = value
                for key in path[:-1]:
                    place = place[key]
                if new is ...:
                    del place[path[-1]]
                else:
                    place[path[-1]] = new
                problems = spec.validate(dialect, what, value)
                self.assertTrue(any(words in p for p in problems), problems)

    @unittest.skipUnless(cases.available(), cases.ABSENT)
    def test_what_vendors_said_passes(self):
        good, bad, lags = collections.Counter(), collections.defaultdict(list), set()

        def judge(name, dialect, what, value):
            problems = spec.validate(dialect, what, value)
            for number, (where, kind, words, _) in enumerate(spec.LAGS):
                if any(where == dialect and kind in ("", what) and spec.re.search(words, p)
                       for p in problems):
                    lags.add(number)
            problems = [p for p in problems if not spec.is_lag(dialect, what, p)]
            if problems:
                bad[dialect, what].append((name, problems[:2]))
            else:
                good[dialect, what] += 1

        items = [*cases.every().values(), *filter(own_hosts, cases.recorded())]
        for item in items:
            judge(str(item), item.dialect, "request", item.request)
            if item.whole:
                judge(str(item), item.dialect, "reply", item.whole)
            for event in item.stream or []:
                judge(str(item), item.dialect, "event", event)
        for key in ((d, w) for d in cases.DIALECTS for w in ("request", "reply", "event")):
            share = good[key] / max(1, good[key] + len(bad[key]))
            self.assertGreater(good[key], 50, key)
            self.assertGreater(share, PASS_AT_LEAST, json.dumps([key, bad[key]], indent=1))
        unused = [lag for number, lag in enumerate(spec.LAGS) if number not in lags]
        self.assertEqual(unused, [], "lags that no recording shows any more")


if __name__ == "__main__":
    unittest.main()
