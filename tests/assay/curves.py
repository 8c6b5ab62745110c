# SPDX-License-Identifier: Apache-2.0
"""How strong the test of short answers is, as tables beside what others measured: over answers of
small models that the pilot recorded, and over a pool of 29 hosted models. For the figures, in five
minutes:

    ENTREPOT=build/entrepot python3 -m tests.assay.curves [--runs 1000]
"""
import argparse
import random
import time

from tests.assay import pilot, zoo
from tests.assay.driver import Driver

# Shares of models of the pool that were caught at 1 %, by answers of the target: with 300 of the
# reference by a smoothed chi-square (swaps of 20 from a table of its own), and with as many.
SIZES = (20, 40, 80, 160)
MEASURED = {("swap", 300): {20: .93, 40: .98, 80: 1.00, 160: 1.00}, ("swap", 0): {20: .81},
            ("mix", 300): {20: .33, 40: .50, 80: .65, 160: .77}, ("mix", 0): {20: .06}}
NAMES = {"swap": "another model", "mix": "a quarter of another", "itself": "itself"}


def share(k, n):
    low, high = zoo.bounds(k, n)
    return f"{k / n:.2f} ({low:.2f}-{high:.2f})"


def drawn(chance, target, n, m):
    """n answers of the target and m of the reference, drawn as often as they were recorded."""
    reference, other = (pilot.baselines()[name]
                        for name in chance.sample(list(pilot.baselines()), 2))
    x = [chance.choice(other if target == "swap" or target == "mix" and chance.random() < 0.25
                       else reference) for _ in range(n)]
    return x, chance.choices(reference, k=m)


def caught(driver, target, n, m, runs):
    chance = random.Random(f"{target} {n} {m}")
    return sum(pilot.two(driver, [drawn(chance, target, n, m)], run) <= pilot.LEVEL
               for run in range(runs))


def pool_table(driver, runs):
    yield "| served, of the pool | " + " | ".join(f"n = {n}" for n in SIZES) + " |"
    yield "|---" * (len(SIZES) + 1) + "|"
    for target in ("swap", "mix", "itself"):
        for m in (300, 0):
            cells = []
            for n in SIZES:
                beside = MEASURED.get((target, m), {}).get(n)
                cells.append(share(caught(driver, target, n, m or n, runs), runs)
                             + (f"; {beside:.2f}" if beside else ""))
            yield f"| {NAMES[target]}, m = {m or 'n'} | " + " | ".join(cells) + " |"


def pilot_table(driver, runs):
    sizes = list(pilot.POWER["mix"])
    yield "| served | " + " | ".join(f"{n}/{m}" for n, m in sizes) + " |"
    yield "|---" * (len(sizes) + 1) + "|"
    for target in ("smol", *pilot.POWER):
        cells = []
        for n, m in sizes:
            beside = pilot.POWER.get(target, {}).get((n, m))
            cells.append(share(pilot.alarms(driver, target, n, m, runs=runs), runs)
                         + (f"; {beside / 100:.2f}" if beside is not None else ""))
        yield f"| {target} | " + " | ".join(cells) + " |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000)
    runs = parser.parse_args().runs
    driver, started = Driver(), time.monotonic()
    for table in (pilot_table(driver, runs), pool_table(driver, runs)):
        print("\n".join(table), "\n")
    print(f"{runs} runs each, caught at {pilot.LEVEL} (95 %); others' figure; "
          f"{time.monotonic() - started:.0f} s, {driver.cpu_s:.0f} s of them in the statistics")
    driver.close()


if __name__ == "__main__":
    main()
