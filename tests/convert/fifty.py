# SPDX-License-Identifier: Apache-2.0
"""The base of the fifty rules' tests: one bench with every kind of upstream, and what to expect."""
import functools
import json
import os
import unittest

from tests.convert import pairs
from tests.convert.harness import SPOKEN, Bench
from tests.peer import grammar, meaning, spec, station
from tests.peer.recordings import CHAT, GEMINI, MESSAGES, RESPONSES

WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [("weather", WEATHER)]
GEMINI_3, OTHER_GEMINI = "gemini-3-pro-preview", "gemini-3-flash-preview"
OTHER_CLAUDE, BUDGET_CLAUDE, ADAPTIVE_CLAUDE = ("claude-sonnet-4-5", "claude-sonnet-4-5",
                                                "claude-opus-4-8")
NAMES = [(GEMINI, GEMINI_3), (GEMINI, OTHER_GEMINI), (MESSAGES, OTHER_CLAUDE),
         (MESSAGES, ADAPTIVE_CLAUDE), (RESPONSES, "gpt-5.5"), (CHAT, "gpt-4o")]
HOSTS = {"deepseek-v4": ("deepseek", CHAT, ""), "kimi-k2": ("moonshot", CHAT, "/v1"),
         "local": ("openai-compatible", CHAT, "/v1"), "glm-5": ("zai", CHAT, "/api/paas/v4"),
         "minimax-m2": ("minimax", CHAT, "/v1"), "grok": ("xai", CHAT, "/v1")}


def waiting(why):
    """A rule that the station does not keep yet: run where ENTREPOT_STRICT is set."""
    return unittest.skipUnless(os.environ.get("ENTREPOT_STRICT"), "not kept yet: " + why)


def _each(wanted, which):
    """Runs a test for each of these pairs that is converted, as a subTest of its own."""
    def decorate(test):
        @functools.wraps(test)
        def run(self):
            found = [pair for pair in wanted if pair in self.sold]
            if not found:
                self.skipTest("none of its pairs is converted yet")
            for pair in found:
                with self.subTest(client=pair[0], upstream=pair[1]):
                    test(self, *which(pair))
        return run
    return decorate


def clients_of(upstream, *only):
    """The test gets `client`: each dialect that is converted to this upstream's."""
    return _each([(a, upstream) for a in only or SPOKEN], lambda pair: pair[:1])


def upstreams_of(client, *only):
    """The test gets `upstream`: each dialect that this client's is converted to."""
    return _each([(client, b) for b in only or SPOKEN], lambda pair: pair[1:])


def all_pairs(test):
    """The test gets `client, upstream`."""
    return _each([(a, b) for a in SPOKEN for b in SPOKEN], lambda pair: pair)(test)


class FiftyCase(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        if not station.available():
            raise unittest.SkipTest(f"no station to test at {station.PROGRAM} (set ENTREPOT)")
        cls.bench = cls.enterClassContext(Bench(NAMES, HOSTS))
        cls.sold = cls.bench.sold()

    def need(self, client, upstream):
        if (client, upstream) not in self.sold:
            self.skipTest(f"{client} to {upstream} is not converted yet")

    # Asking

    def ask(self, client, upstream, request, answer=None, stream=False, status=200, **more):
        """The harness's Answer, of this status."""
        got = self.bench.ask(client, upstream, request, answer, stream, **more)
        self.assertIsNotNone(got.response)
        self.assertEqual(got.status, status, got.body[:400])
        return got

    def sent(self, client, upstream, request, **more):
        """What the vendor was asked. It is a request that the vendor's schema takes, unless the
        test says schema=False."""
        schema = more.pop("schema", True)
        got = self.ask(client, upstream, request, **more)
        if schema and spec.available():
            self.assertEqual(spec.validate(upstream, "request", got.asked), [], got.asked)
        return got.asked

    def whole(self, client, got, stream=False):
        """The whole answer that the client has. It breaks no rule of its dialect."""
        faults, whole = pairs.reply_of(client, got, stream) if spec.available() else (
            [], pairs.whole_of(client, got, stream))
        self.assertEqual([str(f) for f in faults], [], got.body[-1500:])
        return whole

    def replies(self, client, upstream, request, answer, **more):
        """(whole answer, its meaning, Answer) for the answer whole and streamed."""
        for stream in (False, True):
            got = self.ask(client, upstream, request, answer.either(upstream, stream), stream,
                           **more)
            whole = self.whole(client, got, stream)
            yield whole, meaning.reply(client, whole), got

    def refused(self, client, upstream, request, path, **more):
        """A 400 in the client's dialect that names the path; nothing was sent to the vendor."""
        got = self.ask(client, upstream, request, status=400, **more)
        self.assertIsNone(got.received)
        faults = [str(f) for f in pairs.judge.error_shape(got.json(), client, 400)]
        self.assertEqual(faults, [])
        named = pairs.judge.named_paths(got.json())
        self.assertTrue(any(pairs.judge.covers(path, n) for n in named), (path, got.body[:300]))
        return got

    def events(self, got, client):
        self.assertEqual(grammar.violations(client, got.body, True), [])
        return grammar.events(got.body)


def text_of(value):
    """All text of a value, for "is it in there at all"."""
    return json.dumps(value, ensure_ascii=False)
