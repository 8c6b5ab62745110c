#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The station measured, most of it against nginx as a plain proxy on the same core of this machine.

    bench/run.py [--build DIR] [--only NAME]... [--rounds N] [--seconds N] [--json FILE]
                 [--against FILE]

The station authenticates, holds, meters, charges durably and logs; nginx does none of it. --only
takes the beginning of a name; --json keeps the figures, --against compares them with such a file.
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys

from figures import MEASUREMENTS
from stage import LOAD_CORE, RELAY_CORE


def read_options():
    names = [name for _, names in MEASUREMENTS for name in names]
    parser = argparse.ArgumentParser(epilog="names: " + " ".join(names))
    parser.add_argument("--build", default="build", help="folder with the built program")
    parser.add_argument("--only", action="append", default=[], metavar="NAME")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3, help="of each run that counts")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--against", metavar="FILE")
    asked = parser.parse_args()
    for only in asked.only:
        if not any(name.startswith(only) for name in names):
            parser.error(f"there is no figure {only}; the figures are {' '.join(names)}")
    return asked


def wanted(asked, name):
    return not asked.only or any(name.startswith(only) for only in asked.only)


def verdict(figure):
    if figure.goal is None:
        return "", ""
    met = figure.value <= figure.goal if figure.most else figure.value >= figure.goal
    return f"{'<=' if figure.most else '>='} {figure.goal:,g}", "met" if met else "NOT MET"


def number(value):
    return f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"


def show(figure, before):
    goal, met = verdict(figure)
    line = (f"{figure.name:12} {number(figure.value):>9} {figure.unit:8} "
            f"[{number(min(figure.values))} .. {number(max(figure.values))}]")
    if goal:
        line += f"  goal {goal}: {met}"
    if before is not None and before.get(figure.name):
        line += f"  ({figure.value / before[figure.name]['value']:.2f} x the earlier run)"
    print(f"{line}\n             {figure.what}; {figure.note}".rstrip("; "), flush=True)


def main():
    asked = read_options()
    before = json.loads(pathlib.Path(asked.against).read_text()) if asked.against else None
    if missing := [tool for tool in ("nginx", "taskset") if shutil.which(tool) is None]:
        sys.exit(f"bench: {' and '.join(missing)} missing: run tools/setup bench")
    subprocess.run(["ninja", "-C", asked.build, "entrepot", "bench_mock", "bench_load",
                    "bench_ledger"], check=True,
                   stdout=subprocess.DEVNULL)
    control = pathlib.Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip()
    print(f"relays on core {RELAY_CORE}, mock and load on core {LOAD_CORE}; {asked.rounds} rounds "
          f"of {asked.seconds:g} s, medians [lowest .. highest]; TCP {control}; "
          f"load average {os.getloadavg()[0]:.1f} before", flush=True)
    kept = {}
    for measure, names in MEASUREMENTS:
        if not any(wanted(asked, name) for name in names):
            continue
        for figure in measure(asked):
            if wanted(asked, figure.name):
                show(figure, before)
                kept[figure.name] = {"value": figure.value, "unit": figure.unit,
                                     "values": figure.values, "goal": figure.goal,
                                     "note": figure.note}
    if asked.json:
        pathlib.Path(asked.json).write_text(json.dumps(kept, indent=1) + "\n")


main()
