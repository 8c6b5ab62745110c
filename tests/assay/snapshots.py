# SPDX-License-Identifier: Apache-2.0
"""What the assay makes of random numbers that models were recorded to give. Run it for the figures:

    ENTREPOT=build/entrepot python3 -m tests.assay.snapshots [--runs 20]
"""
import argparse
import collections
import json
import os
import random
import re
import subprocess
import tempfile

from tests.assay import pilot
from tests.peer import station

DEFINITIONS = os.path.join(station.ROOT, "src", "assay", "snapshots.def")
ROW = r'^SNAPSHOT\("(.*?)", "(.*?)", "(.*?)", (DIRECT|GATEWAY), (\d+), "(.*)"\)$'
Snapshot = collections.namedtuple("Snapshot", "name model day way answers counts")
TIMES = 40
# What is told by the text of the finding, and in this order of the test.
FOUND = {"most likely": "itself", "far less likely": "another", "of no model": "none",
         "perhaps": "unclear", "so widely": "too even", "are one": "too few",
         "never recorded": "unknown"}


def shipped():
    with open(DEFINITIONS, encoding="utf-8") as file:
        rows = re.findall(ROW, file.read(), re.M)
    return [Snapshot(*row[:4], int(row[4]), {
        int(n): int(times or 1) for n, times in re.findall(r"(\d+)(?::(\d+))?", row[5])})
        for row in rows]


def reply(said):
    return json.dumps({"id": "x", "object": "chat.completion", "created": 1, "model": "m",
                       "choices": [{"index": 0, "finish_reason": "stop", "message": {
                           "role": "assistant", "content": said}}]})


def evidence(model, answers, seed=1):
    """The lines of a run in which that model gave these answers."""
    lines = [{"assay": 1, "version": "0", "target": {"url": "http://h/v1", "model": model},
              "profile": "standard", "seed": seed, "started_us": 1, "planned": len(answers)}]
    lines += [{"seq": k, "side": "target", "probe": "snapshot", "cell": "random", "k": k,
               "max_tokens": 16, "dialect": "chat", "status": 200, "failure": "", "sent_us": 1,
               "headers": "", "body": reply(str(said))} for k, said in enumerate(answers)]
    return "".join(json.dumps(line) + "\n" for line in (*lines, {"end": "complete"}))


def judged(model, answers, seed=1):
    """(state of the identity, its finding, the exit status)."""
    with tempfile.TemporaryDirectory(prefix="snapshots-", dir=station.FOLDER) as folder:
        with open(os.path.join(folder, "calls.jsonl"), "w", encoding="utf-8") as file:
            file.write(evidence(model, answers, seed))
        done = subprocess.run([station.PROGRAM, "assay", "--recompute", folder, "--json", "-"],
                              capture_output=True, text=True, timeout=60)
    claim = next(c for c in json.loads(done.stdout)["claims"] if c["claim"] == "identity")
    return claim["state"], claim["findings"][0], done.returncode


def found(model, answers, seed=1):
    state, finding, _ = judged(model, answers, seed)
    kinds = [kind for words, kind in FOUND.items() if words in finding["text"]]
    assert len(kinds) == 1, finding["text"]
    return kinds[0], state


def afresh(chance, snapshot, n=TIMES):
    """Answers as that model would give them again, of which some are new: as many as Good and
    Turing expect, of any number."""
    new = [a for a in range(1, 356) if a not in snapshot.counts]
    once = sum(times == 1 for times in snapshot.counts.values()) / snapshot.answers
    known = chance.choices(*zip(*snapshot.counts.items()), k=n)
    return [chance.choice(new) if new and chance.random() < once else a for a in known]


def of_itself(runs, seed=1):
    """What is made of a model's own answers under its name: {model: {(found, state): times}}."""
    chance = random.Random(seed)
    return {s.name: collections.Counter(found(s.model, afresh(chance, s), run)
                                        for run in range(runs)) for s in shipped()}


def of_others(pairs, seed=1, mix=1.0):
    """The same of pairs at random, of which the second gives a share of the answers under the name
    of the first."""
    chance = random.Random(seed)
    total = collections.Counter()
    for run in range(pairs):
        sold, served = chance.sample(shipped(), 2)
        own, others = afresh(chance, sold), afresh(chance, served)
        answers = [b if chance.random() < mix else a for a, b in zip(own, others)]
        total[found(sold.model, answers, run)] += 1
    return total


def held_out(driver, runs, n=TIMES, ordered=True, seed=1):
    """The same by the statistic alone, with a snapshot of the first half: (right, of all), and by
    model what else it was taken for."""
    chance = random.Random(seed)
    rows = {s.name: pilot.baselines()[s.name] for s in shipped()}
    full = {name: pilot.counted([a - 1 for a in answers], 355) for name, answers in rows.items()}
    names, right, taken = list(rows), 0, collections.defaultdict(collections.Counter)
    for name, answers in rows.items():
        for _ in range(runs):
            order = answers if ordered else chance.sample(answers, len(answers))
            half = len(order) // 2
            drawn = chance.sample(order[half:], n)
            first = {**full, name: pilot.counted([a - 1 for a in order[:half]], 355)}
            posterior = driver.ask("identify", counts=list(first.values()), answers=pilot.counted(
                [a - 1 for a in drawn], 355))["posterior"]
            best = max(range(len(posterior)), key=posterior.__getitem__)
            best = names[best] if best < len(names) else "none"
            right += best == name
            taken[name][best] += best != name
    return right, runs * len(rows), {k: +v for k, v in taken.items() if +v}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=20)
    runs = parser.parse_args().runs
    driver = pilot.Driver()
    for n in (20, TIMES, 80):
        for ordered in (True, False):
            right, of, taken = held_out(driver, runs, n, ordered)
            print(f"{n} answers of a held-out half, {'in' if ordered else 'out of'} order: "
                  f"{pilot.interval(driver, right, of)}")
            if n == TIMES:
                print("  taken for others:", {k: dict(v) for k, v in taken.items()})
    driver.close()
    total = collections.Counter()
    for name, kinds in of_itself(runs).items():
        total += kinds
        print(f"  {name:26}", ", ".join(f"{k} {n}" for (k, _), n in kinds.most_common()))
    for what, counts in (("a model's own answers", total), ("another's", of_others(20 * runs)),
                         ("a quarter another's", of_others(20 * runs, mix=0.25))):
        print(f"{what}:", {f"{kind}, {state}": n for (kind, state), n in counts.most_common()})


if __name__ == "__main__":
    main()
