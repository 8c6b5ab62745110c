# SPDX-License-Identifier: Apache-2.0
"""A few runs over the zoo, quickly: zoo.py makes many."""
import unittest

from tests.assay import zoo
from tests.peer import station

QUICK = ("--delay", "0")


def chosen(names):
    """Honest variants of these names; whoever is told to wait is told so seldom."""
    return [v._replace(cheats=["limited=29" if c == "limited=7" else c for c in v.cheats])
            for v in zoo.HONEST if v.name in names]


class Bounds(unittest.TestCase):
    def test_they_are_clopper_and_pearsons(self):
        for (k, n), expected in (((0, 300), (0, 0.0122)), ((3, 10), (0.0667, 0.6525)),
                                 ((20, 20), (0.8316, 1)), ((1, 2), (0.0126, 0.9874)),
                                   ((760, 1000), (0.7323, 0.7862)), ((999, 1000), (0.9944, 1))):
            for found, bound in zip(zoo.bounds(k, n), expected):
                self.assertAlmostEqual(found, bound, delta=0.0001)


class Zoo(unittest.TestCase):
    def setUp(self):
        if not station.available():
            self.skipTest(f"no program to test at {station.PROGRAM} (set ENTREPOT)")

    def runs(self, variants, seed, rhythm=QUICK, **more):
        return zoo.run_all(variants, 1, seed, workers=2, rhythm=rhythm, **more)

    def test_no_honest_variant_is_accused(self):
        names = ("plain", "azure", "vertex", "vertex gemini", "hide-reasoning", "all at once",
                 "gateway messages>chat")
        for run in self.runs(chosen(names), 7, references=[False]):
            self.assertEqual((zoo.accused(run), run.status), (set(), 0), run)
            kept, = [f for _, f in run.findings if f["probe"] == "toolset"]
            self.assertEqual((kept["state"], kept["numbers"]["right"], kept["numbers"]["kept"]),
                             ("consistent", 24, 16), run)

    def test_nor_beside_an_honest_reference(self):
        names = ("all at once", "gateway chat>messages", "template 36, date", "estimate", "crlf",
                 "uneven")
        for run in self.runs(chosen(names), 7, references=[True]):
            self.assertEqual((zoo.accused(run), run.status), (set(), 0), run)

    def test_cheats_are_noticed(self):
        claims = {"swap": "identity", "hidden 300": "prompt", "usage 1.15": "input_billing",
                  "cut-head": "context", "edit-tools": "tool_integrity", "mix 0.5": "identity",
                  "adaptive 20, swap": "identity", "adaptive 20, hidden": "prompt",
                  "cached": "stability", "cache-on-first-sight": "cache_billing",
                  "ignore-temperature": "features", "hidden 300, Claude": "prompt"}
        for run in self.runs([v for v in zoo.CHEATS if v.name in claims], 7, references=[False]):
            self.assertEqual(run.states[claims[run.variant.name]], "inconsistent", run)
            self.assertEqual(zoo.wrongly(run), set(), run)

    def test_streams_of_a_whole_answer_are_noticed(self):
        """Which takes the rhythm: those that are held back on the way look alike by time."""
        rows = [v for v in zoo.HONEST + zoo.CHEATS if v.name in ("fake-stream", "burst", "slow")]
        said = {r.variant.name: r.states["streaming"]
                for r in self.runs(rows, 7, rhythm=(), references=[False], only="stream")}
        self.assertEqual(said.pop("fake-stream"), "inconsistent")
        self.assertNotIn("inconsistent", said.values())

    def test_thoughts_tell_of_claude(self):
        named = {v.name: v for v in zoo.CHEATS + zoo.HONEST}
        run, = self.runs([named["strip-thinking"]], 8, references=[False])
        self.assertEqual(zoo.accused(run), {"features"}, run)
        run, = self.runs([named["swap, another Claude"]], 8, references=[True])
        self.assertEqual(zoo.accused(run), {"identity"}, run)
        said = {(c, f["state"], f["tier"]) for c, f in run.findings if f["probe"] == "thoughts"}
        self.assertIn(("identity", "inconsistent", 1), said, run)
        for run in self.runs([named[name] for name in ("hide-reasoning", "bedrock", "vertex")], 8,
                             references=[True]):
            said = {(c, f["state"], f["tier"]) for c, f in run.findings if f["probe"] == "thoughts"}
            self.assertEqual((zoo.accused(run), run.status), (set(), 0), run)
            self.assertIn(("provenance", "consistent", 1), said, run)

    def findings(self, probe, *cheats, models=("gpt-4o-sim",), reference=True):
        variant = zoo.Variant(" ".join(cheats), cheats, models, "auto", None, None)
        run, = self.runs([variant], 5, references=[reference])
        self.assertTrue(run.states, run)
        return run, [f for _, f in run.findings if f["probe"] == probe]

    def test_who_sees_and_who_does_not(self):
        for model, state in (("gemini-2.5-flash-sim", "consistent"), ("gpt-5-sim", "consistent"),
                             ("claude-opus-4-8-sim", "consistent"),
                             ("qwen3-32b-sim", "not testable")):
            run, (found,) = self.findings("vision", models=(model,), reference=False)
            self.assertEqual((found["state"], run.status), (state, 0), found)
            self.assertEqual(found["numbers"].get("picture_tokens"),
                             found["numbers"].get("formula"))
        _, (found,) = self.findings("vision", "swap", reference=False)
        self.assertEqual(found["state"], "inconclusive", "what is sold can see")

    def test_log_probabilities_see_what_the_tokenizer_does_not(self):
        for cheats, state, far in (((), "consistent", range(1)),
                                   (("swap=gpt-4.1-mini-sim",), "inconclusive", range(16, 17)),
                                   (("swap=gpt-4.1-mini-sim", "mix=0.4"), "inconclusive",
                                    range(1, 16))):
            run, (found,) = self.findings("logprobs", *cheats)
            self.assertEqual(found["state"], state, found)
            self.assertIn(found["numbers"]["far"], far)
            self.assertEqual(found["numbers"]["rows"], 16)

    def test_beside_a_reference_more_is_seen(self):
        """What is cut out of three texts and billed is told, and accuses nobody."""
        chosen = {"bad-tools 1": ("features", "inconsistent"),
                  "cut-head, bill-uncut": ("context", "inconclusive"),
                  "cut-middle, bill-uncut": ("context", "inconclusive")}
        for run in self.runs([v for v in zoo.CHEATS if v.name in chosen], 7, references=[True]):
            claim, state = chosen[run.variant.name]
            self.assertEqual(run.states[claim], state, run)
            self.assertEqual(zoo.wrongly(run), set(), run)
            said = [f["text"] for _, f in run.findings if f["probe"] == "context"]
            self.assertEqual("The reference knows all codes" in str(said), claim == "context", run)

    def test_a_prompt_before_some_requests_is_no_other_tokenizer(self):
        rows = [v for v in zoo.CHEATS if v.name == "adaptive 20, hidden"]
        for seed in (31, 32):
            run, = self.runs(rows, seed, references=[True])
            said = {(c, f["state"]) for c, f in run.findings if f["probe"] == "tokens"}
            self.assertIn(("prompt", "inconsistent"), said, run)
            self.assertNotIn(("identity", "inconsistent"), said, run)


if __name__ == "__main__":
    unittest.main()
