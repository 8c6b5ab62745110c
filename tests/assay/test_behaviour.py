# SPDX-License-Identifier: Apache-2.0
"""Streams, answers that are sold twice, settings, arguments of tools, long input: of honest sellers
and of others, in all dialects."""
import time
import unittest

from tests.assay.case import AssayCase
from tests.assay.seller import Seller

ALL = {"cache_billing": "consistent",
       "output_billing": "consistent",
       "streaming": "consistent", "stability": "consistent", "features": "consistent",
       "tool_integrity": "consistent", "context": "consistent"}
PAUSE = 0.007       # a story of about 90 words then takes half a second and more
EVEN = 0.014        # as long, in pieces of 12 characters
# Their judges look at short answers, too.
CACHE, AGAIN = "tokens,cache", "tokens,again"
FEATURES = "errors,settings,tools,toolset,vision,folk"      # all that this claim rests on


class Behaviour(AssayCase):
    def of(self, *options, pause=0.0, only=None, **kind):
        with Seller(pause=pause, **kind) as s:
            return self.assay(s.base, "--concurrency", "4", *options, profile="standard",
                              only=only)

    def test_honest_in_each_dialect(self):
        for dialect in ("chat", "responses", "messages", "gemini"):
            done = self.of("--dialect", dialect, pause=PAUSE)
            states = done.states()
            self.assertEqual({c: states.get(c) for c in ALL}, ALL, (dialect, done.out))
            self.assertEqual({line["dialect"] for line in done.lines()[1:-1]}, {dialect})
            self.assertEqual(done.status, 0)

    def finding(self, done, claim, probe):
        return next(f for f in done.claim(claim)["findings"] if f["probe"] == probe)

    def test_ids_that_hold_their_time(self):
        done = self.of("--dialect", "chat", only="tokens", openai_ids=0)
        self.assertEqual(self.finding(done, "provenance", "ids")["state"], "consistent", done.out)
        done = self.of("--dialect", "chat", only="tokens", openai_ids=-86400)
        self.assertEqual(done.states()["provenance"], "inconclusive", done.out)
        self.assertIn("made by somebody else, or earlier", str(done.report))

    def test_output_times_a_factor(self):
        for family, factor in (("o200k", 1.15), ("o200k", 1.5)):
            done = self.of(only="tokens,output", family=family, out_factor=factor)
            self.assertEqual(done.states()["output_billing"], "inconsistent", done.out)
            numbers = self.finding(done, "output_billing", "output")["numbers"]
            self.assertAlmostEqual(numbers["factor"], factor, delta=0.02)
            self.assertEqual(done.states()["input_billing"], "consistent", done.out)

    def test_thoughts_that_are_not_shown_accuse_nobody(self):
        for _ in range(3):
            done = self.of(only="tokens,output", thoughts=400)
            self.assertEqual(done.states()["output_billing"], "inconclusive", done.out)

    def test_prompts_that_are_kept(self):
        done = self.of("--dialect", "messages", only=CACHE, cold=True)
        self.assertEqual(done.states()["cache_billing"], "inconclusive", done.out)
        for ahead, state in ((3, "consistent"), (1024, "inconclusive")):
            warmed = self.of("--dialect", "chat", only=CACHE, ahead=ahead)
            self.assertEqual(warmed.states()["cache_billing"], state, (ahead, warmed.out))
        pairs = [line for line in done.lines() if line.get("probe") == "cache"]
        self.assertEqual(sorted(line["k"] for line in pairs), [0, 0, 0, 1, 1, 1])
        self.assertIn('"cache_control"', str(pairs[0]["request"]).replace("'", '"'))
        said = [line for pair in pairs if pair["k"] == 0
                for line in pair["request"]["system"][0]["text"].splitlines()]
        self.assertEqual(len(set(said)), len(said), "also where a server keeps any stretch")

    def test_prompts_that_are_read_before_they_were_sent(self):
        for dialect in ("chat", "responses", "messages", "gemini"):
            done = self.of("--dialect", dialect, only=CACHE, stale=3)
            self.assertEqual(done.states()["cache_billing"], "inconsistent", (dialect, done.out))
        for less in (1, 2):
            done = self.of("--dialect", "chat", only=CACHE, stale=less)
            self.assertEqual(done.states()["cache_billing"], "inconclusive", done.out)

    def test_a_seed_does_not_find_its_own_prompts_again(self):
        with Seller() as s:
            for _ in range(2):
                done = self.assay(s.base, "--seed", "7", profile="standard", only=CACHE)
                self.assertEqual(done.states()["cache_billing"], "consistent", done.out)

    def test_a_prompt_that_was_sent_twice_by_ourselves(self):
        broken = set()

        def before(_, __, ___, body):
            text = str(body)
            if "weighed at the gate" in text and text not in broken:
                broken.add(text)
                return 500, {"error": {"message": "later"}}, [("Retry-After", "0")]
            return None
        done = self.of(only=CACHE, stale=3, before=before)
        self.assertEqual(done.states()["cache_billing"], "inconclusive", done.out)

    def test_a_long_prompt_of_the_sellers_own_that_is_kept(self):
        """Also where what was read from a cache is not counted as input."""
        for kind in ({"dialect": "chat"}, {"dialect": "messages"}, {"dialect": "gemini"},
                     {"dialect": "chat", "exclusive": True}):
            dialect = kind.pop("dialect")
            done = self.of("--dialect", dialect, only=CACHE, hidden=2100, ahead=2100, cold=True,
                           **kind)
            self.assertNotEqual(done.states()["cache_billing"], "inconsistent", done.out)

    def test_streams_that_come_at_once_accuse_nobody(self):
        done = self.of(pause=PAUSE, at_once=True)
        self.assertEqual(done.states()["streaming"], "inconclusive", done.out)
        self.assertIn("3 almost at once", self.finding(done, "streaming", "stream")["text"])
        self.assertEqual(done.status, 0)

    def test_a_whole_answer_that_is_cut_into_a_stream(self):
        for dialect in ("chat", "responses", "messages", "gemini"):
            done = self.of("--dialect", dialect, only="stream", pause=EVEN, at_once=True, even=12)
            self.assertEqual(done.states()["streaming"], "inconsistent", (dialect, done.out))
            self.assertIn("In 3 of 3 streams", str(done.claim("streaming")["findings"]))
        done = self.of(only="stream", pause=EVEN, at_once=True, even=12,
                       early=True)
        self.assertEqual(done.states()["streaming"], "inconsistent", "behind a line of its own")

    def test_even_pieces_alone_accuse_nobody(self):
        """A gateway that cuts anew what comes: as it comes, also of a model that thinks before, or
        of a quick vendor behind a queue."""
        def think(_, __, ___, body):
            if "story" in str(body):
                time.sleep(0.5)
        for kind in ({"pause": EVEN}, {"pause": EVEN, "before": think},
                     {"queue": 0.6, "at_once": True}):
            done = self.of(only="stream", even=12, **kind)
            self.assertEqual(done.states()["streaming"], "inconclusive", (kind, done.out))

    def test_large_pieces_accuse_nobody(self):
        for characters, pause in ((50, 0.05), (200, 0.12), (1000, 0.16)):
            done = self.of(only="stream", even=characters, pause=pause, at_once=True)
            self.assertEqual(done.states()["streaming"], "inconclusive", (characters, done.out))

    def test_quick_streams_tell_nothing(self):
        done = self.of(only="stream")
        self.assertIn("3 were too short or too quick",
                      self.finding(done, "streaming", "stream")["text"])

    def test_streams_that_cost_more_are_told(self):
        done = self.of(only="tokens,stream", stream_more=40)
        texts = [f["text"] for f in done.claim("input_billing")["findings"]]
        self.assertTrue(any("as whole answers" in t for t in texts), texts)

    def test_answers_that_are_sold_twice(self):
        done = self.of(only=AGAIN, cached=True)
        self.assertEqual(done.states()["stability"], "inconsistent", done.out)
        self.assertEqual(done.status, 3)

    def test_a_deterministic_server_is_not_accused(self):
        for same_ids in (False, True):
            done = self.of(only=AGAIN, deterministic=True, same_ids=same_ids)
            self.assertEqual(done.states()["stability"], "inconclusive", done.out)

    def test_answers_that_are_kept_for_another_number(self):
        done = self.of(only=AGAIN, kept=True)
        self.assertEqual(done.states()["stability"], "inconsistent", done.out)
        self.assertIn("3 hold the number of another request", str(done.report))

    def test_kept_answers_without_a_number_come_too_fast(self):
        done = self.of("--concurrency", "1", only=AGAIN, kept=True, deaf=True, labour=0.9)
        self.assertEqual(done.states()["stability"], "inconsistent", done.out)
        done = self.of(only=AGAIN, kept=True, deaf=True)
        self.assertEqual(done.states()["stability"], "inconclusive", done.out)

    def test_a_deaf_and_deterministic_server_is_not_accused(self):
        slow = []

        def before(_, __, ___, body):
            if "Begin with the number" in str(body) and not slow:
                slow.append(time.sleep(0.5))

        def others(_, __, ___, body):
            time.sleep(0 if "Begin with the number" in str(body) else 0.02)
        for more in ({}, {"labour": 0.1}, {"labour": 0.05, "before": before}, {"before": others}):
            done = self.of("--concurrency", "1", only=AGAIN, deaf=True, deterministic=True, **more)
            self.assertEqual(done.states()["stability"], "inconclusive", (more, done.out))
            self.assertIn("3 answers were the same", str(done.report))

    def test_a_seed(self):
        """It is a best effort: who keeps none is told of, and no more."""
        for dialect in ("chat", "gemini"):
            for kind, said in (({}, "0 of 3 answers differ"), ({"no_seed": True}, "2 of 3")):
                done = self.of("--dialect", dialect, "--only", "settings", **kind)
                self.assertIn(f"With one seed at temperature 1 {said}", str(done.report))
                self.assertEqual(done.states()["features"], "consistent", done.out)
        done = self.of("--dialect", "messages", "--only", "settings")
        self.assertNotIn("seed", {line.get("cell") for line in done.lines()})

    def test_a_temperature_that_is_not_kept_accuses_nobody(self):
        for kind in ({"no_temperature": True}, {"deterministic": True}):
            done = self.of(only="tokens," + FEATURES, **kind)
            self.assertEqual(done.states()["features"], "inconclusive", done.out)
            self.assertEqual(done.status, 0)

    def test_a_model_that_takes_no_temperature(self):
        def before(_, __, ___, body):
            if "temperature" in str(body):
                return 400, {"error": {"message": "temperature is not supported"}}
        done = self.of("--dialect", "chat", only=FEATURES, before=before)
        self.assertEqual(done.states()["features"], "consistent", done.out)

    def test_a_stop_that_is_not_kept(self):
        done = self.of(only=FEATURES, no_stop=True)
        self.assertIn("goes on beyond", str(done.claim("features")["findings"]))
        self.assertEqual(done.states()["features"], "inconclusive", "though a tool is called")
        self.assertEqual(done.status, 0)

    def test_settings_that_are_all_dropped(self):
        done = self.of("--dialect", "chat", only=FEATURES, no_stop=True, no_limit=True)
        self.assertEqual(done.states()["features"], "inconsistent", done.out)
        done = self.of("--dialect", "chat", only=FEATURES, no_limit=True)
        self.assertEqual(done.states()["features"], "inconclusive", done.out)

    def test_input_that_is_cut(self):
        done = self.of(only="context", cut=200)
        self.assertEqual(done.states()["context"], "inconsistent", done.out)
        self.assertIn("3 of those at its beginning, 0 of those at its end",
                      self.finding(done, "context", "context")["text"])

    def test_a_middle_that_is_left_out(self):
        done = self.of(only="context", middle=100)
        self.assertEqual(done.states()["context"], "inconsistent", done.out)
        self.assertIn("0 of those at its beginning, 0 of those at its end",
                      self.finding(done, "context", "context")["text"])

    def forgets(self, lost, billed, **kind):
        """A model that never finds some codes, and a seller that bills a part of long input."""
        class Other(Seller):
            texts = []

            def say(self, text, body):
                said = super().say(text, body)
                if "Answer with the amber code" not in text or len(text) < 20000:
                    return said
                self.texts.append(text)
                gone = lost(len(self.texts))
                return " ".join(c for i, c in enumerate(said.split()) if i not in gone)

            def count(self, text):
                return int(super().count(text) * (billed if len(text) > 20000 else 1))
        with Other(**kind) as s:
            return self.assay(s.base, "--dialect", "chat", "--only", "context",
                              profile="standard")

    def test_a_short_bill_and_a_model_that_forgets(self):
        """Tokens out of a cache may go uncounted: what was cut off is unknown in each text, and as
        much of it as is missing from the bill."""
        for lost, billed, state in ((lambda n: {4} if n == 2 else (), 0.85, "inconclusive"),
                                    (lambda n: {n}, 0.85, "inconclusive"),
                                    (lambda n: {4}, 0.85, "inconclusive"),
                                    (lambda n: {1, 4}, 0.5, "inconclusive"),
                                    (lambda n: {2, 3, 4}, 0.1, "inconclusive"),
                                    (lambda n: {2, 3, 4}, 0.55, "inconsistent"),
                                    (lambda n: {0}, 0.88, "inconsistent"),
                                    (lambda n: {0, 1}, 0.8, "inconsistent")):
            done = self.forgets(lost, billed)
            self.assertEqual(done.states()["context"], state, (billed, done.out))

    def test_what_was_sent_twice_may_have_been_read_before(self):
        broken = set()

        def before(_, __, ___, body):
            text = str(body)
            if "amber code" in text and text not in broken:
                broken.add(text)
                return 500, {"error": {"message": "later"}}, [("Retry-After", "0")]
            return None
        done = self.forgets(lambda n: {0, 1}, 0.8, before=before)
        self.assertEqual(done.states()["context"], "inconclusive", done.out)

    def test_a_forgetful_model_is_not_accused(self):
        done = self.of(only="context", forgetful=True)
        self.assertEqual(done.states()["context"], "inconclusive")


if __name__ == "__main__":
    unittest.main()
