# SPDX-License-Identifier: Apache-2.0
"""The assay's statistics on answers of small real models, recorded by the pilot."""
import random
import unittest

from tests.assay import pilot
from tests.assay.driver import Driver

TOLERANCE = 15      # hits in 100: both the pilot's and ours are resamples of small pools
SPLITS = 400


class PilotCase(unittest.TestCase):
    def setUp(self):
        self.driver = Driver()

    def tearDown(self):
        self.assertEqual(self.driver.close(), 0)

    def tokens(self, slopes, intercept=30, claimed=None):
        y = {s: [intercept + b * k for k in pilot.COPIES] for s, b in zip(pilot.STRINGS, slopes)}
        return self.driver.ask("tokens", k=pilot.COPIES, y=y, claimed=claimed)


@unittest.skipUnless(pilot.SAMPLES.exists(), "the pilot's samples (../shared/data) are not here")
class Samples(PilotCase):
    def test_a_model_is_not_told_from_itself(self):
        for cells, n in ((pilot.CELLS, 100), (pilot.ALL_CELLS, 192)):
            found = pilot.alarms(self.driver, "smol", n, n, cells, SPLITS)
            self.assertLessEqual(found, pilot.most_alarms(SPLITS))
        totals = [pilot.disjoint_alarms(self.driver, 24, [cell]) for cell in pilot.ALL_CELLS]
        found, splits = (sum(t) for t in zip(*totals))
        self.assertLessEqual(found, pilot.most_alarms(splits))

    def test_others_are_told_as_often_as_in_the_pilot(self):
        for target, sizes in (("gemma/base", [(20, 20), (50, 50)]), ("mix", [(100, 300)]),
                              ("smol/rQ4_0", [(100, 300)]), ("smol/T0.8", [(100, 300)]),
                              ("smol/defsamp", [(50, 50), (100, 300)]),
                              ("smol/sys300", [(20, 20), (100, 300)])):
            for n, m in sizes:
                found = pilot.alarms(self.driver, target, n, m, runs=200) / 2
                self.assertLess(abs(found - pilot.POWER[target][n, m]), TOLERANCE, (target, n, m))

    def test_what_a_run_is_said_to_catch_is_what_it_catches(self):
        for n, m in ((20, 20), (100, 100), (100, 300), (400, 400)):
            swap, _, mixed, _ = pilot.simulated_limit(self.driver, "gemma/base", n, m)
            for share, target in ((swap, "gemma/base"), (mixed, "mix")):
                found = pilot.alarms(self.driver, target, n, m, runs=200) / 2
                self.assertLess(abs(found - 100 * share), TOLERANCE, (target, n, m))

    def test_tokenizers_are_known_from_slopes(self):
        slopes = pilot.samples()["slope"]["b_exact"]
        for model, family in (("gemma", "gemma3"), ("qwen", "qwen3")):
            found = self.tokens(slopes[model])
            self.assertEqual((found["state"], found["family"], found["distance"]),
                             ("family", family, 0))
            bill = self.tokens([1.15 * b for b in slopes[model]], claimed=family)
            self.assertEqual((bill["state"], bill["family"]), ("multiplied", family))
            self.assertAlmostEqual(bill["multiplier"], 1.15)
            other = self.tokens(slopes[model], claimed="o200k")
            self.assertEqual((other["state"], other["family"]), ("family", family))
        for claimed in (None, "claude2", "llama3"):
            none = self.tokens(slopes["smol"], claimed=claimed)
            self.assertEqual((none["state"], none["distance"]), ("none", 117))

    def test_a_nonce_of_random_length_is_no_crooked_bill(self):
        bills = pilot.samples()["smol_usage_hex_nonce"]
        found = {name: self.driver.ask("tokens", k=bills["k"], y=bills[name])
                 for name in ("clean", "sys300", "short")}
        for answer in found.values():
            self.assertEqual(answer["state"], "none")
            self.assertGreater(answer["worst"], 1)
        exact = pilot.samples()["slope"]["hidden_prompt_delta"]["smol"]
        for name in ("sys300", "short"):
            hidden = found[name]["intercept"] - found["clean"]["intercept"]
            self.assertAlmostEqual(hidden, exact[name], delta=1)

    def test_log_probabilities_tell_4_bits_and_a_prompt_but_not_8_bits(self):
        references = ["base_cold", "base_warm", "base_reversed_order", "base_nocache"]

        def judged(target):
            cells = [{"target": [list(enumerate(cell[target]))],
                      "reference": [list(enumerate(cell[r])) for r in references if r != target]}
                     for cell in pilot.samples()["smol_logprobs"].values()]
            return self.driver.ask("logprobs", cells=cells)

        for target in ("rQ4_0", "rQ4_0_nocache", "sys300", "sysshort"):
            self.assertTrue(judged(target)["differs"], (target, judged(target)))
        for target in ("rQ8_0", "rQ8_0_nocache", "base_earlier_process", *references):
            self.assertFalse(judged(target)["differs"], (target, judged(target)))

    def test_continuations_tell_samplers_and_models(self):
        self.assertLessEqual(pilot.continued_alarms(self.driver, "smol", 100, "trigrams"),
                             pilot.most_alarms(100))
        for target, size in (("gemma/base", 50), ("smol/T0.8", 100), ("smol/defsamp", 50),
                             ("smol/rQ4_0", 100)):
            hits = pilot.CONTINUED[target][size]
            for kernel, expected in zip(("hamming", "trigrams"), hits):
                found = pilot.continued_alarms(self.driver, target, size, kernel)
                self.assertLess(abs(found - expected), TOLERANCE, (target, size, kernel))


@unittest.skipUnless(pilot.BASELINES.exists(), "the baselines (../shared/data) are not here")
class Baselines(PilotCase):
    def test_models_are_told_from_a_snapshot(self):
        """The pool's full swap, 20 answers against 300: .93 in the pilot, .81 against 20."""
        chance = random.Random(1)
        names = list(pilot.baselines())
        for m, expected in ((300, 93), (20, 81)):
            found = honest = 0
            pairs = [chance.sample(names, 2) for _ in range(300)]
            for seed, (one, other) in enumerate(pairs):
                reference = chance.sample(pilot.baselines()[one], len(pilot.baselines()[one]))
                m_here = min(m, len(reference) - 20)
                target = chance.sample(pilot.baselines()[other], 20)
                found += pilot.two(self.driver, [(target, reference[:m_here])], seed) <= pilot.LEVEL
                honest += pilot.two(self.driver, [(reference[-20:], reference[:m_here])],
                                    seed) <= pilot.LEVEL
            self.assertLess(abs(found / 3 - expected), 7, m)
            self.assertLessEqual(honest, pilot.most_alarms(300))

    def test_a_model_is_identified_or_is_none(self):
        """40 answers of each of 29 models. Siblings are what is taken for another; of a list
        without the model the nearest is often named, which therefore says little."""
        known, stranger = pilot.identified(self.driver, 40, 5)
        self.assertGreater(known["right"], 0.85)
        self.assertLess(known["wrong"], 0.05)
        self.assertLess(known["none"], 0.05)
        self.assertGreater(stranger["none"], 0.3)
        self.assertLess(stranger["wrong"], 0.4)


if __name__ == "__main__":
    unittest.main()
