# SPDX-License-Identifier: Apache-2.0
"""The assay's statistics once more, by numpy and scipy, from their definitions. Nothing here was
made of the C code but the order in which a generator's numbers are used."""
import numpy as np
from scipy import special

MASK = 2**64 - 1


class Xoshiro:
    """xoshiro256** with splitmix64, as published."""

    def __init__(self, seed):
        self.s = []
        for _ in range(4):
            seed = (seed + 0x9e3779b97f4a7c15) & MASK
            z = ((seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9) & MASK
            z = ((z ^ (z >> 27)) * 0x94d049bb133111eb) & MASK
            self.s.append(z ^ (z >> 31))

    def next(self):
        def rotate(x, k):
            return ((x << k) | (x >> (64 - k))) & MASK
        s0, s1, s2, s3 = self.s
        result = (rotate((s1 * 5) & MASK, 7) * 9) & MASK
        t = (s1 << 17) & MASK
        s2 ^= s0
        s3 ^= s1
        s1 ^= s2
        s0 ^= s3
        s2 ^= t
        self.s = [s0, s1, s2, rotate(s3, 45)]
        return result

    def below(self, n):
        while True:
            product = (self.next() >> 32) * n
            if product % 2**32 >= 2**32 % n:
                return product >> 32

    def shuffle_front(self, items, n):
        """The first n places get any of the items."""
        for i in range(n):
            at = i + self.below(len(items) - i)
            items[i], items[at] = items[at], items[i]


def chi_and_u(x, y):
    x, y = np.asarray(x, float), np.asarray(y, float)
    n, m = x.sum(), y.sum()
    expected = n * (x + y) / (n + m)
    chi = ((x - expected)**2 / (expected + 1)).sum()
    u = 0.0
    if n > 1 and m > 1:
        u = (x * (x - 1) / (n * (n - 1)) + y * (y - 1) / (m * (m - 1)) - 2 * x * y / (n * m)).sum()
    return np.array([chi, u * n * m / (n + m)])


def at_least(values, seen):
    return values >= seen - 1e-9 * (1 + abs(seen))


def standard(rows):
    """The larger of the standardised columns; a column without spread says nothing."""
    spread = rows.std(axis=0)
    flat = spread <= 1e-9 * (1 + abs(rows.mean(axis=0)))
    return np.where(flat, 0, (rows - rows.mean(axis=0)) / np.where(flat, 1, spread))


def two_samples(xs, ys, permutations, seed):
    random = Xoshiro(seed)
    urns = []
    for x, y in zip(xs, ys):
        small, large = (x, y) if sum(x) <= sum(y) else (y, x)
        if sum(small) > 0:
            urn = [a for a, c in enumerate(np.add(x, y)) for _ in range(c)]
            urns.append((urn, sum(small), small is x, len(x), np.add(x, y), chi_and_u(x, y)))
    rows = [sum(urn[5] for urn in urns)]
    for _ in range(permutations):
        total = np.zeros(2)
        for urn, n, is_x, kinds, both, _ in urns:
            random.shuffle_front(urn, n)
            drawn = np.bincount(urn[:n], minlength=kinds)
            total += chi_and_u(drawn, both - drawn) if is_x else chi_and_u(both - drawn, drawn)
        rows.append(total)
    rows = np.array(rows)
    z = standard(rows)
    z_max = z.max(axis=1)
    p = (1 + at_least(z_max[1:], z_max[0]).sum()) / (1 + permutations)
    return {"chi": rows[0, 0], "u": rows[0, 1], "z_chi": z[0, 0], "z_u": z[0, 1], "z": z_max[0],
            "p": p}


def grams(text):
    points = list(text)
    if len(points) < 3:
        return {tuple(points): 1}
    found = {}
    for i in range(len(points) - 2):
        gram = tuple(points[i:i + 3])
        found[gram] = found.get(gram, 0) + 1
    return found


def trigrams(a, b):
    a, b = grams(a), grams(b)
    norm = np.sqrt(sum(c * c for c in a.values()) * sum(c * c for c in b.values()))
    return sum(c * b.get(gram, 0) for gram, c in a.items()) / norm


def hamming(a, b):
    if not a or not b:
        return float(a == b)
    return sum(x == y for x, y in zip(a, b)) / np.sqrt(len(a) * len(b))


def mmd(xs, ys, kernel, permutations, seed):
    random = Xoshiro(seed)
    kernel = {"hamming": hamming, "trigrams": trigrams}[kernel]
    prompts = []
    for x, y in zip(xs, ys):
        if len(x) < 2 or len(y) < 2:
            continue
        small = x if len(x) <= len(y) else y
        texts = small + (y if small is x else x)
        gram = np.array([[kernel(a, b) for b in texts] for a in texts])
        prompts.append((gram, list(range(len(texts))), len(small), small is x))

    def mmd2():
        sums, pairs = np.zeros(3), np.zeros(3)
        for gram, order, n, is_x in prompts:
            sides = [order[:n], order[n:]] if is_x else [order[n:], order[:n]]
            for k, side in enumerate(sides):
                part = gram[np.ix_(side, side)]
                sums[k] += part.sum() - np.trace(part)
                pairs[k] += len(side) * (len(side) - 1)
            sums[2] += gram[np.ix_(*sides)].sum()
            pairs[2] += len(sides[0]) * len(sides[1])
        x, y, between = sums / pairs
        return x + y - 2 * between

    seen = mmd2()
    as_far = 0
    for _ in range(permutations):
        for _, order, n, _ in prompts:
            random.shuffle_front(order, n)
        as_far += mmd2() >= seen - 1e-9
    return {"mmd2": seen, "p": (1 + as_far) / (1 + permutations)}


def log_predictive(counts, base, weight, answers):
    alpha = counts + weight * base
    return (special.gammaln(alpha.sum()) - special.gammaln(alpha.sum() + answers.sum())
            + (special.gammaln(alpha + answers) - special.gammaln(alpha)).sum())


def identify(counts, answers):
    counts, answers = np.asarray(counts, float), np.asarray(answers, float)
    shares = counts / counts.sum(axis=1, keepdims=True)
    base = 0.5 * shares.mean(axis=0) + 0.5 / counts.shape[1]
    once, seen = (counts == 1).sum(axis=1), counts.sum(axis=1)
    weights = [300 if a == b else np.clip(a * b / (b - a), 3, 300) for a, b in zip(once, seen)]
    logs = [log_predictive(row, base, w, answers) for row, w in zip(counts, weights)]
    unknown = [log_predictive(np.zeros_like(base), base, w, answers) for w in (3, 30, 300)]
    logs.append(special.logsumexp(unknown) - np.log(3))
    return special.softmax(logs)


def row_distance(a, b):
    a, b = dict(a), dict(b)
    return np.mean([abs(a.get(t, min(a.values())) - b.get(t, min(b.values()))) for t in {*a, *b}])


def power(reference, other, n, m, mix, runs, permutations, seed):
    """The share that max-z catches at 1 %, one cell, of models whose shares are known."""
    random = np.random.default_rng(seed)
    caught = 0
    for _ in range(runs):
        swapped = random.binomial(n, mix)
        x = random.multinomial(swapped, other) + random.multinomial(n - swapped, reference)
        y = random.multinomial(m, reference)
        drawn = random.multivariate_hypergeometric(x + y, n, size=permutations)
        rows = np.array([chi_and_u(x, y)] + [chi_and_u(d, x + y - d) for d in drawn])
        z = standard(rows).max(axis=1)
        caught += (1 + at_least(z[1:], z[0]).sum()) / (1 + permutations) <= 0.01
    return caught
