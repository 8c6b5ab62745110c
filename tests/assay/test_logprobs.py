# SPDX-License-Identifier: Apache-2.0
"""Log probabilities: of real small models, recorded, as sellers of them would give them; and of
made up ones, in all dialects that have them. Nobody is accused by them."""
import random
import unittest

from tests.assay import pilot
from tests.assay.case import AssayCase
from tests.assay.seller import Seller, places_wanted

QUESTIONS = {"Flip a coin": "coin_en", "from 1 to 10.": "num10_en", "from 1 to 100": "num100_en",
             "letter": "letter_en", "colour": "colour_en", "animal": "animal_en",
             "city": "city_zh", "random word": "num355_zh"}
DIALECTS = ("chat", "responses", "gemini")
NOISE = 0.05


def cell_of(text):
    return next((cell for part, cell in QUESTIONS.items() if part in text), "coin_en")


def recorded(*variants):
    """Rows of one recorded model, in another state of its cache with each call."""
    calls = {}

    def likely(text):
        cell = pilot.samples()["smol_logprobs"][cell_of(text)]
        n = calls[text] = calls.get(text, -1) + 1
        return sorted(zip(cell["tokens"], cell[variants[n % len(variants)]]),
                      key=lambda row: -row[1])
    return likely


def made_up(model, noise=NOISE, share=1.0, other="nobody", sure=False):
    """A model's own rows, each call a little uneven; those of `other` in some of the calls."""
    chance = random.Random(model)

    def likely(text):
        own = random.Random(f"{model if chance.random() < share else other} {cell_of(text)}")
        rows = sorted((own.uniform(-6, -1) for _ in range(20)), reverse=True)
        tokens = own.sample([chr(i) for i in range(0x4E00, 0x4E00 + 30)], 20)
        if sure:
            return [(tokens[0], -0.0)] + [(t, -9999.0) for t in tokens[1:]]
        return [(t, min(0, p + chance.uniform(-noise, noise))) for t, p in zip(tokens, rows)]
    return likely


class LogprobsCase(AssayCase):
    def of(self, target, reference, *options, profile="standard", here=None, there=None,
           only="tokens,logprobs"):
        with Seller(likely=target, **here or {}) as t, \
                Seller(likely=reference, **there or {}) as r:
            done = self.assay(t.base, "--concurrency", "4", *options, profile=profile,
                              reference=r.base, only=only)
            self.asked = [places_wanted(body) for _, _, body in t.requests]
        found = [(c["claim"], f) for c in done.report["claims"] for f in c["findings"]
                 if f["probe"] == "logprobs"]
        self.assertLessEqual(len(found), 1)
        self.assertNotEqual(done.status, 3, done.out)
        return (done, *found[0]) if found else (done, None, None)


@unittest.skipUnless(pilot.SAMPLES.exists(), "the pilot's samples (../shared/data) are not here")
class Recorded(LogprobsCase):
    STATES = ("base_cold", "base_reversed_order", "base_nocache")

    def judge(self, *variants):
        return self.of(recorded(*variants), recorded(*self.STATES), "--dialect", "chat")

    def test_the_same_model_behind_other_calls(self):
        for variants in (self.STATES, ("base_earlier_process",)):
            _, claim, found = self.judge(*variants)
            self.assertEqual((claim, found["state"]), ("identity", "consistent"), found)
            self.assertGreaterEqual(found["numbers"]["floor"], 0.04, "measured, not nothing")
            self.assertLess(found["numbers"]["floor"], 0.11)
            self.assertIn("8-bit", found["would_miss"])

    def test_8_bits_are_as_small_as_the_noise(self):
        self.assertEqual(self.judge("rQ8_0_nocache")[2]["state"], "consistent")

    def test_4_bits_and_prompts_are_seen_and_not_accused(self):
        for variant in ("rQ4_0_nocache", "sysshort"):
            done, claim, found = self.judge(variant)
            self.assertEqual((claim, found["state"]), ("identity", "inconclusive"), found)
            self.assertEqual(done.states()["identity"], "inconclusive",
                             "though the tokenizer is the right one")
            self.assertIn("quantisation", found["benign"])


class MadeUp(LogprobsCase):
    def test_the_same_in_each_dialect(self):
        for dialect in DIALECTS:
            done, claim, found = self.of(made_up("a"), made_up("a"), "--dialect", dialect)
            self.assertEqual((claim, found["state"]), ("identity", "consistent"), found)
            self.assertEqual((found["numbers"]["rows"], found["numbers"]["far"]), (16, 0))
            self.assertEqual(done.status, 0)

    def test_another(self):
        _, claim, found = self.of(made_up("b"), made_up("a"))
        self.assertEqual((claim, found["state"]), ("identity", "inconclusive"), found)
        self.assertEqual(found["numbers"]["far"], 16)

    def test_another_in_some_of_the_calls(self):
        _, _, found = self.of(made_up("a", share=0.6, other="b"), made_up("a"), profile="deep")
        self.assertEqual(found["state"], "inconclusive", found)
        self.assertTrue(0 < found["numbers"]["far"] < found["numbers"]["rows"] == 24, found)
        self.assertLess(found["numbers"]["distance"], 0.2)

    def test_fewer_are_asked_for_where_many_are_refused(self):
        for side in ("here", "there"):
            _, _, found = self.of(made_up("a"), made_up("a"), **{side: {"most_likely": 5}})
            self.assertEqual(found["state"], "consistent", found)
            self.assertEqual(found["numbers"]["rows"], 16)
            if side == "here":
                self.assertEqual({n: self.asked.count(n) for n in (20, 5)}, {20: 16, 5: 16})

    def test_an_uneven_reference_vouches_for_nobody(self):
        _, _, found = self.of(made_up("a"), made_up("a", noise=2.0))
        self.assertEqual(found["state"], "inconclusive", found)
        self.assertIn("too uneven", found["benign"])

    def test_probabilities_of_a_sampler_that_is_sure_tell_nothing(self):
        _, claim, found = self.of(made_up("b", sure=True), made_up("a"))
        self.assertEqual((claim, found["state"]), ("identity", "not testable"), found)

    def test_who_gives_none_while_the_reference_does(self):
        for target, most, words in ((None, 20, "0 were refused"),
                                    (made_up("a"), 0, "32 were refused")):
            done, claim, found = self.of(target, made_up("a"), here={"most_likely": most},
                                         only=None)
            self.assertEqual((claim, found["state"]), ("features", "inconclusive"), found)
            self.assertIn(words, found["text"])
            self.assertEqual(done.states()["features"], "inconclusive")

    def test_neither_gives_any(self):
        done, claim, found = self.of(None, None)
        self.assertEqual((claim, found["state"]), ("identity", "not testable"), found)
        self.assertEqual(done.states()["identity"], "consistent")

    def test_it_is_not_asked_for_nothing(self):
        """Without a reference, and where the dialect has no such thing."""
        self.of(made_up("a"), made_up("a"), "--dialect", "messages")
        self.assertEqual(set(self.asked), {0})
        with Seller(likely=made_up("a")) as s:
            self.assay(s.base, profile="standard", only="tokens,logprobs")
            self.assertEqual({places_wanted(body) for _, _, body in s.requests}, {0})


if __name__ == "__main__":
    unittest.main()
