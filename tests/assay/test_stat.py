# SPDX-License-Identifier: Apache-2.0
"""numpy and scipy judge the assay's statistics: same numbers, p on the same permutations."""
import random
import unittest

import numpy as np
from scipy import stats

from tests.assay import judge
from tests.assay.driver import Driver

EXACT = 1e-9
KINDS = "abcdeéßи中文🙂 \n"


class Statistics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.driver = Driver()

    @classmethod
    def tearDownClass(cls):
        assert cls.driver.close() == 0

    def setUp(self):
        self.chance = random.Random(self.id())

    def ask(self, what, **case):
        answer = self.driver.ask(what, **case)
        self.assertTrue(answer["ok"], (what, case))
        return answer

    def same(self, ours, theirs, case=None):
        np.testing.assert_allclose(ours, theirs, rtol=EXACT, atol=EXACT, err_msg=str(case)[:2000])

    def test_the_generator_is_the_published_one(self):
        for seed in (0, 1, 2**63, 2**64 - 1, self.chance.getrandbits(64)):
            theirs = judge.Xoshiro(seed)
            self.assertEqual(self.ask("random", seed=seed, n=50)["drawn"],
                             [theirs.next() for _ in range(50)])
            for below in (1, 2, 7, 1000, 3 << 30, 2**32 - 1):
                theirs = judge.Xoshiro(seed)
                self.assertEqual(self.ask("random", seed=seed, n=50, below=below)["drawn"],
                                 [theirs.below(below) for _ in range(50)])

    def test_lines(self):
        for _ in range(50):
            n = self.chance.randint(3, 12)
            k = [self.chance.randint(0, 9) for _ in range(n - 1)] + [10]
            y = [self.chance.uniform(-500, 500) for _ in range(n)]
            ours, theirs = self.ask("fit", k=k, y=y), stats.linregress(k, y)
            residuals = np.array(y) - theirs.intercept - theirs.slope * np.array(k)
            self.same([ours["a"], ours["b"], ours["r2"], ours["worst"]],
                      [theirs.intercept, theirs.slope, theirs.rvalue**2, abs(residuals).max()])
            self.same(ours["residuals"], residuals)

    def counts(self, kinds, most):
        return [self.chance.choice([0, 0, 1, self.chance.randint(0, most)]) for _ in range(kinds)]

    def test_two_samples_on_the_same_permutations(self):
        for seed in range(40):
            shapes = [(self.chance.randint(2, 12), self.chance.randint(1, 9))
                      for _ in range(self.chance.randint(1, 4))]
            x = [[*self.counts(*shape), 1] for shape in shapes]
            y = [[*self.counts(*shape), self.chance.randint(1, 3)] for shape in shapes]
            if seed % 5 == 0:
                x[0] = [0] * len(x[0])
                x.append([3, 4])
                y.append([1, 9])
            ours = self.ask("two", x=x, y=y, permutations=199, seed=seed)
            theirs = judge.two_samples(x, y, 199, seed)
            for name, value in theirs.items():
                self.same(ours[name], value, (name, x, y))

    def test_standardised_as_by_permutations_of_scipy(self):
        """Another program's permutations have the same mean and spread, within their error."""
        for seed in range(5):
            pool = [self.chance.choice("abcdefgh") for _ in range(30)]
            other = [self.chance.choice("abcdeiii") for _ in range(30)]
            kinds = sorted({*pool, *other})
            labels = [[kinds.index(a) for a in side] for side in (pool, other)]

            def chi(a, b):
                a, b = (np.bincount(s.astype(int), minlength=len(kinds)) for s in (a, b))
                return judge.chi_and_u(a, b)[0]

            drawn = stats.permutation_test(labels, chi, permutation_type="independent",
                                           n_resamples=1999, alternative="greater",
                                           vectorized=False,
                                           random_state=np.random.default_rng(seed))
            ours = self.ask("two", x=[np.bincount(labels[0], minlength=len(kinds)).tolist()],
                            y=[np.bincount(labels[1], minlength=len(kinds)).tolist()],
                            permutations=9999, seed=seed)
            null = drawn.null_distribution
            z = (drawn.statistic - null.mean()) / null.std()
            self.assertAlmostEqual(ours["z_chi"], z, delta=0.05 * abs(z) + 0.1)

    def test_texts_on_the_same_permutations(self):
        def text():
            return "".join(self.chance.choices(KINDS, k=self.chance.choice([0, 1, 2, 3, 8, 30])))

        for seed in range(12):
            sizes = [(self.chance.randint(1, 7), self.chance.randint(2, 7)) for _ in range(3)]
            sizes.append((4, 3))
            x = [[text() for _ in range(n)] for n, _ in sizes]
            y = [[text() for _ in range(m)] for _, m in sizes]
            for kernel in ("trigrams", "hamming"):
                ours = self.ask("mmd", x=x, y=y, kernel=kernel, permutations=99, seed=seed)
                theirs = judge.mmd(x, y, kernel, 99, seed)
                self.same([ours["mmd2"], ours["p"]], [theirs["mmd2"], theirs["p"]], (kernel, x, y))

    def test_models(self):
        for _ in range(30):
            kinds = self.chance.randint(2, 40)
            counts = [[*self.counts(kinds, 60), 1] for _ in range(self.chance.randint(1, 8))]
            answers = [*self.counts(kinds, 5), 0]
            self.same(self.ask("identify", counts=counts, answers=answers)["posterior"],
                      judge.identify(counts, answers), (counts, answers))

    def test_log_probabilities(self):
        def row():
            tokens = self.chance.sample(range(30), self.chance.randint(1, 20))
            return [[t, self.chance.uniform(-9, 0)] for t in tokens]

        for _ in range(30):
            cells = [{"target": [row() for _ in range(self.chance.randint(1, 3))],
                      "reference": [row() for _ in range(self.chance.randint(2, 3))]}
                     for _ in range(self.chance.randint(1, 5))]
            ours = self.ask("logprobs", cells=cells)
            nearest = [min(judge.row_distance(t, r) for t in c["target"] for r in c["reference"])
                       for c in cells]
            apart = [judge.row_distance(a, b) for c in cells for a in c["reference"]
                     for b in c["reference"]]
            self.same([ours["distance"], ours["floor"]], [np.median(nearest), max(apart)], cells)
            bound = 2 * max(*apart, 0.1)
            self.assertEqual(ours["differs"], bool(np.median(nearest) > bound))
            each = [min(judge.row_distance(t, r) for r in c["reference"])
                    for c in cells for t in c["target"]]
            self.assertEqual((ours["rows"], ours["far"]),
                             (len(each), sum(d > bound for d in each)))

    def test_shares(self):
        for _ in range(200):
            n = self.chance.choice([1, 5, 40, 300, 3000])
            k = self.chance.choice([0, n, self.chance.randint(0, n)])
            confidence = self.chance.choice([0.9, 0.95, 0.99, 0.999])
            ours = self.ask("share", k=k, n=n, confidence=confidence)
            test = stats.binomtest(k, n)
            for name in ("exact", "wilson"):
                self.same(ours[name], test.proportion_ci(confidence, name), (k, n, confidence))

    def test_pairs_claims_and_cells(self):
        for b, c in ((0, 0), (3, 9), (9, 3), (50, 21), (400, 300)):
            theirs = stats.binomtest(b, b + c).pvalue if b + c else 1
            self.same(self.ask("mcnemar", b=b, c=c)["p"], [theirs], (b, c))
        for _ in range(30):
            p = [self.chance.random()**3 for _ in range(self.chance.randint(1, 12))]
            order = np.argsort(p)
            steps = np.sort(p) * np.arange(len(p), 0, -1)
            adjusted = np.empty(len(p))
            adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
            self.same(self.ask("holm", p=p)["p"], adjusted, p)

    def test_power_is_that_of_another_simulation(self):
        reference, other = np.array([8, 5, 3, 2, 1, 1]) / 20, np.array([1, 2, 4, 6, 5, 2]) / 20
        counts = [[int(c * 20000) for c in shares] for shares in (reference, other)]
        for n, m, mix in ((20, 20, 1), (40, 120, 0.5), (60, 60, 0.5), (30, 30, 0)):
            ours = self.ask("power", reference=[counts[0]], other=[counts[1]], n=n, m=m, mix=mix,
                            level=0.01, runs=1000, permutations=199, seed=1)
            theirs = judge.power(reference, other, n, m, mix, 300, 199, 1) / 300
            ours = ours["caught"] / 1000
            error = np.sqrt(max(theirs * (1 - theirs), 0.01) * (1 / 300 + 1 / 1000))
            self.assertLess(abs(ours - theirs), 4 * error, (n, m, mix, ours, theirs))

    def test_power_of_few_answers_is_not_that_of_their_plain_shares(self):
        """Half of four answers: .41 of all, whose square is their 1 in 6 chance to agree."""
        unseen = 400
        rest = np.full(unseen, (1 - np.sqrt(1 / 6)) / unseen)
        shares = np.zeros((2, 2 + 2 * unseen))
        shares[0, 0] = shares[1, 1] = np.sqrt(1 / 6)
        shares[0, 2:2 + unseen] = shares[1, 2 + unseen:] = rest
        theirs = judge.power(*shares, 12, 12, 1, 300, 199, 1) / 300
        ours = self.ask("power", reference=[[2, 0, 1, 1, 0, 0]], other=[[0, 2, 0, 0, 1, 1]], n=12,
                        m=12, mix=1, level=0.01, runs=1000, permutations=199, seed=1)
        ours = ours["caught"] / 1000
        error = np.sqrt(theirs * (1 - theirs) * (1 / 300 + 1 / 1000))
        self.assertLess(abs(ours - theirs), 4 * error, (ours, theirs))


if __name__ == "__main__":
    unittest.main()
