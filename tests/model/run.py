#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plays seeds against the real ledger, and shows the shortest beginning of one that fails.

    tests/model/run.py --build build                      100 seeds of 10,000 operations each
    tests/model/run.py --build build --seed 17 --seeds 1  one of them again
    tests/model/run.py --folder /dev/shm                  where the stores are
"""
import argparse
import os
import sys
import time

if __package__ in (None, ""):
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


def play(seed, operations, folder=None, stop_after=None):
    """(what is wrong or None, the game), which is closed."""
    from tests.model import auditor, play as games
    game = games.Game(seed, folder, stop_after)
    try:
        game.run(operations)
        return None, game
    except auditor.Failure as failure:
        return str(failure), game
    finally:
        game.close()


def shortest(seed, operations, game, folder):
    """How many operations show it at least, by halves: between the last look that found nothing
    and the one that did. Races are as they are, and may not come again."""
    good, bad, why, last = game.compared, game.count, None, game
    while good + 1 < bad:
        middle = (good + bad) // 2
        found, again = play(seed, operations, folder, middle)
        if found:
            bad, why, last = min(bad - 1, again.count), found, again
        else:
            good = middle
    return bad, why, last


def told(seed, operations, why, game, folder):
    count, again, last = shortest(seed, operations, game, folder)
    lines = "\n".join(f"    {line}" for line in last.tail())
    return (f"seed {seed}: {again or why}\n  shown by its first {count} operations"
            f"{'' if again else ' (once; a race)'}; the last of them:\n{lines}")


def main():
    parser = argparse.ArgumentParser(usage="see the top of tests/model/run.py")
    parser.add_argument("--build")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--operations", type=int, default=10_000)
    parser.add_argument("--folder")
    parser.add_argument("--as-it-is", action="store_true", help="a failure is not made shorter")
    asked = parser.parse_args()
    if asked.build:
        os.environ["ENTREPOT_MODEL_DRIVER"] = os.path.join(asked.build, "model_driver")
    began, operations, races, kills = time.monotonic(), 0, 0, 0
    for seed in range(asked.seed, asked.seed + asked.seeds):
        why, game = play(seed, asked.operations, asked.folder)
        if why and asked.as_it_is:
            print(f"seed {seed}: {why}")
            return 1
        if why:
            print(told(seed, asked.operations, why, game, asked.folder))
            return 1
        operations += game.count
        races += game.races
        kills += game.kills
        if seed % 10 == 0:
            print(f"  seed {seed}: {operations} operations", flush=True)
    print(f"{operations} operations of {asked.seeds} seeds in {time.monotonic() - began:.0f} s, "
          f"{races} races, {kills} kills; everything is as it must be")
    return 0


if __name__ == "__main__":
    sys.exit(main())
