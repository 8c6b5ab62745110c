# SPDX-License-Identifier: Apache-2.0
"""Answers of small real models, recorded, and draws from them. Run it for the figures:

    ENTREPOT=build/entrepot python3 -m tests.assay.pilot [--runs 300]
"""
import argparse
import functools
import json
import math
import pathlib
import random

from tests.assay.driver import Driver
from tests.peer.recordings import SHARED

SAMPLES = pathlib.Path(SHARED) / "data/pilot-samples.json"
BASELINES = pathlib.Path(SHARED) / "data/one-token-baselines.json"
ALL_CELLS = ["num355_zh", "num100_en", "num10_en", "letter_en", "colour_en", "animal_en", "city_zh",
             "coin_en"]
CELLS = ["num100_en", "num10_en", "animal_en", "coin_en"]
STRINGS = ["digits", "cjk", "th", "hi", "geor", "ko", "jp"]
COPIES = [0, 1, 2, 4, 8]
# Hits in 100 of max-z over CELLS in the pilot, by target: answers of the target and the reference,
# over all cells together.
POWER = {
    "gemma/base": {(20, 20): 72, (50, 50): 100, (100, 100): 100, (100, 300): 100},
    "mix": {(20, 20): 2, (50, 50): 8, (100, 100): 9, (100, 300): 49},
    "smol/rQ4_0": {(20, 20): 4, (50, 50): 18, (100, 100): 41, (100, 300): 73},
    "smol/sys300": {(20, 20): 2, (50, 50): 1, (100, 100): 5, (100, 300): 22},
    "smol/T0.8": {(20, 20): 7, (50, 50): 18, (100, 100): 54, (100, 300): 80},
    "smol/defsamp": {(20, 20): 9, (50, 50): 31, (100, 100): 83, (100, 300): 97},
}
# The same of MMD on continuations: Hamming and 3-gram kernel, by texts of each side.
CONTINUED = {
    "gemma/base": {50: (84, 98), 100: (100, 100)},
    "smol/rQ4_0": {50: (8, 2), 100: (4, 5)},
    "smol/sys300": {50: (2, 0), 100: (2, 1)},
    "smol/T0.8": {50: (10, 33), 100: (34, 88)},
    "smol/defsamp": {50: (14, 78), 100: (58, 100)},
}
LEVEL = 0.01


@functools.cache
def samples():
    return json.loads(SAMPLES.read_text(encoding="utf-8"))


@functools.cache
def baselines():
    rows = json.loads(BASELINES.read_text(encoding="utf-8"))
    return {row["name"]: row["rawData"] for row in rows}


def pool(tag, cell):
    data = samples()["samples"]["data"]
    if tag == "smol":
        return data["smol/base"][cell] + data["smol/base2"][cell]
    return data[tag][cell]


def counted(answers, kinds):
    counts = [0] * kinds
    for answer in answers:
        counts[answer] += 1
    return counts


def two(driver, pairs, seed, permutations=999):
    """p of lists of (answers of the target, answers of the reference), a pair for each cell."""
    sides = [[], []]
    for pair in pairs:
        number = {answer: i for i, answer in enumerate(dict.fromkeys(pair[0] + pair[1]))}
        for side, answers in zip(sides, pair):
            side.append(counted([number[a] for a in answers], len(number)))
    return driver.ask("two", x=sides[0], y=sides[1], permutations=permutations, seed=seed)["p"]


def draw(chance, target, cell, n, m):
    """n answers of the target and m of the reference, which never share one."""
    reference = chance.sample(pool("smol", cell), len(pool("smol", cell)))
    if target == "smol":
        return reference[:n], reference[n:n + m]
    if target == "mix":
        other = chance.sample(pool("gemma/base", cell), n)
        mixed = [o if chance.random() < 0.25 else r for o, r in zip(other, reference)]
        return mixed, reference[n:n + m]
    return chance.sample(pool(target, cell), n), reference[:m]


def alarms(driver, target, n, m, cells=CELLS, runs=100, seed=1):
    chance = random.Random(f"{seed} {target} {n} {m}")
    n, m = n // len(cells), m // len(cells)
    return sum(two(driver, [draw(chance, target, c, n, m) for c in cells], run) <= LEVEL
               for run in range(runs))


def disjoint_alarms(driver, n, cells):
    """The reference against itself in the order of collection, no answer used twice."""
    length = min(len(pool("smol", c)) for c in cells)
    starts = range(0, length - 2 * n + 1, 2 * n)
    found = sum(two(driver, [(pool("smol", c)[at:at + n], pool("smol", c)[at + n:at + 2 * n])
                             for c in cells], at) <= LEVEL for at in starts)
    return found, len(starts)


def continued_alarms(driver, target, size, kernel, runs=100):
    chance = random.Random(f"{target} {size} {kernel}")
    data = samples()["continuations"]["data"]
    each = size // len(data["smol/base"])
    found = 0
    for run in range(runs):
        x, y = [], []
        for i, reference in enumerate(data["smol/base"]):
            drawn = chance.sample(reference, len(reference))
            x.append(drawn[:each] if target == "smol" else chance.sample(data[target][i], each))
            y.append(drawn[-each:])
        p = driver.ask("mmd", x=x, y=y, kernel=kernel, permutations=999, seed=run)["p"]
        found += p <= LEVEL
    return found


def interval(driver, k, n):
    low, high = driver.ask("share", k=k, n=n, confidence=0.95)["exact"]
    return f"{k}/{n} ({low:.4f}-{high:.4f})"


def most_alarms(runs, chance=LEVEL):
    """What an honest test exceeds once in a thousand times."""
    below, k = 0.0, -1
    while below < 0.999:
        k += 1
        below += math.comb(runs, k) * chance**k * (1 - chance)**(runs - k)
    return k


def snapshot(names):
    return [counted([a - 1 for a in baselines()[name]], 355) for name in names]


def verdict(driver, rows, answers, name):
    """Of a list of snapshots: what is said where the posterior is at least .95."""
    names = list(rows)
    posterior = driver.ask("identify", counts=list(rows.values()), answers=answers)["posterior"]
    best = max(range(len(posterior)), key=posterior.__getitem__)
    if posterior[best] < 0.95:
        return "unsure"
    return "none" if best == len(names) else "right" if names[best] == name else "wrong"


def identified(driver, n, runs):
    """Shares of verdicts on n answers of each model: of a list that has it, of one that has not."""
    chance = random.Random(2)
    pool_of = baselines()
    rows = dict(zip(pool_of, snapshot(pool_of)))
    found = [dict.fromkeys(("right", "wrong", "none", "unsure"), 0) for _ in range(2)]
    for name in pool_of:
        others = {k: row for k, row in rows.items() if k != name}
        for _ in range(runs):
            answers = [a - 1 for a in chance.sample(pool_of[name], len(pool_of[name]))]
            asked, rest = counted(answers[:n], 355), counted(answers[n:], 355)
            for where, table in zip(found, ({**others, name: rest}, others)):
                where[verdict(driver, table, asked, name)] += 1 / runs / len(pool_of)
    return found


def simulated_limit(driver, target, n, m, runs=200):
    """What stat_power promises of a swap to that target, and to one that is not known."""
    reference, other = [], []
    for cell in CELLS:
        kinds = len(samples()["samples"]["vocab"][cell])
        reference.append(counted(pool("smol", cell), kinds))
        other.append(counted(pool(target, cell), kinds))
    ask = {"reference": reference, "n": n // len(CELLS), "m": m // len(CELLS),
           "level": LEVEL, "runs": runs, "seed": 5,
           "permutations": 199}
    return [driver.ask("power", mix=mix, **ask, **more)["caught"] / runs
            for mix in (1, 0.25) for more in ({"other": other}, {})]


def deep_cpu_s(driver):
    """The statistics of a deep profile: a test over 8 cells of 100 and 300 answers, MMD of 25
    prompts of 10 and 10 texts, both of 9,999 permutations; four limits; identification."""
    chance = random.Random(1)
    parts = {}

    def timed(name, run):
        before = driver.cpu_s
        run()
        parts[name] = round(driver.cpu_s - before, 3)

    pairs = [draw(chance, "smol", c, 100, 300) for c in ALL_CELLS]
    texts = [t for prompt in samples()["continuations"]["data"]["smol/base"] for t in prompt]
    x = [texts[i:i + 10] for i in range(0, 250, 10)]
    y = [texts[i:i + 10] for i in range(100, 350, 10)]
    timed("two samples", lambda: two(driver, pairs, 1, 9999))
    timed("MMD", lambda: driver.ask("mmd", x=x, y=y, kernel="trigrams", permutations=9999, seed=1))
    timed("limits", lambda: simulated_limit(driver, "gemma/base", 400, 1200))
    timed("identify", lambda: driver.ask("identify", counts=snapshot(baselines()),
                                         answers=snapshot(["GPT-4o"])[0]))
    return parts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=300)
    runs = parser.parse_args().runs
    driver = Driver()
    print(f"false alarms at {LEVEL}, the reference against itself:")
    for n, m, cells in [(20, 20, CELLS), (50, 50, CELLS), (100, 100, CELLS), (100, 300, CELLS),
                        (400, 400, CELLS), (96, 96, ALL_CELLS)]:
        found = alarms(driver, "smol", n, m, cells, runs)
        print(f"  {len(cells)} cells {n}/{m}: {interval(driver, found, runs)}")
    for n in (24, 48):
        totals = [disjoint_alarms(driver, n, [cell]) for cell in ALL_CELLS]
        total = [sum(t) for t in zip(*totals)]
        print(f"  one cell, disjoint, in order, {n}/{n}: {interval(driver, *total)}")
    print("hits, measured/pilot of 100:")
    for target, row in POWER.items():
        figures = [f"{n}/{m}: {alarms(driver, target, n, m)}/{hits}"
                   for (n, m), hits in row.items()]
        print(f"  {target:13}", "  ".join(figures))
    print("identified, of a list with the model and without it:")
    for n in (20, 40, 80):
        print(f"  {n}:", identified(driver, n, 10))
    print("continuations, Hamming and 3-grams, measured/pilot of 100:")
    print("  smol", [continued_alarms(driver, "smol", n, k) for n in (50, 100)
                     for k in ("hamming", "trigrams")])
    for target, row in CONTINUED.items():
        figures = [f"{n}: {continued_alarms(driver, target, n, k)}/{hits}"
                   for n, both in row.items() for k, hits in zip(("hamming", "trigrams"), both)]
        print(f"  {target:13}", "  ".join(figures))
    print("detection limits (swap to gemma, to an unknown; 25 % of each):")
    for n, m in ((20, 20), (50, 50), (100, 100), (100, 300)):
        print(f"  {n}/{m}:", simulated_limit(driver, "gemma/base", n, m))
    print("CPU seconds of a deep profile:", deep_cpu_s(driver))
    driver.close()


if __name__ == "__main__":
    main()
