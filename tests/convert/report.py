# SPDX-License-Identifier: Apache-2.0
"""Every recorded case through every pair of dialects, as a table and, below it, what is wrong.

    python3 -m tests.convert.report --build DIR [--pair chat messages] [--cases] [--all] [-v]

--cases runs the cases alone (without the other recordings); --all prints every fault, not the
first of each kind.
"""
import argparse
import collections
import os
import re
import sys


def table(counts):
    heads = ["pair", "runs", "pass", "lossy", "refused", "fault", "off"]
    print("  ".join(f"{h:>8}" if n else f"{h:22}" for n, h in enumerate(heads)))
    for (client, upstream), row in counts.items():
        cells = [sum(row.values())] + [row[name] for name in heads[2:]]
        print(f"{client + ' -> ' + upstream:22}  " + "  ".join(f"{n:>8}" for n in cells))


def kind(line):
    """What a fault is, without the names of its case and its values."""
    return re.sub(r"\[\d+\]", "[]", line.partition(": ")[2])[:60]


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--build", default="build")
    parser.add_argument("--pair", nargs=2)
    parser.add_argument("--cases", action="store_true")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("-v", action="store_true", help="also the losses and refusals")
    asked = parser.parse_args()
    os.environ["ENTREPOT"] = os.path.join(asked.build, "entrepot")
    from tests.convert import pairs     # it finds the program when it is loaded

    counts = collections.OrderedDict()
    faults = collections.OrderedDict()
    told = collections.Counter()
    with pairs.bench() as bench:
        for client, upstream in pairs.PAIRS:
            if asked.pair and [client, upstream] != asked.pair:
                continue
            run = pairs.case_results if asked.cases else pairs.all_results
            row = counts[client, upstream] = collections.Counter()
            for result in run(bench, client, upstream):
                row[result.verdict] += 1
                if result.verdict == pairs.OFF:
                    break
                for line in result.lines():
                    faults.setdefault((client, upstream, kind(line.partition(" ")[2])),
                                      []).append(line)
                if result.verdict == pairs.REFUSED:
                    told[client, upstream, "refused: " + result.words] += 1
                for path in result.lossy:
                    told[client, upstream, "lossy: " + re.sub(r"\[\d+\]", "[]", path)] += 1
    table(counts)
    for lines in sorted(faults.values(), key=lambda found: -len(found)):
        for line in lines if asked.all else lines[:1]:
            print(f"{len(lines):4} x {line}")
    if asked.v:
        for (client, upstream, words), count in told.most_common():
            print(f"{count:4} x {client}->{upstream} {words}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
