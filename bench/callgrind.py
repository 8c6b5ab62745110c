#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Instructions a request of the lane in user space, counted by valgrind: free of noise, so that two
commits can be compared by them.

    bench/callgrind.py [--build DIR] [--what 1k|64k|1m|burst] [--convert] [--requests N]
                       [--connections N]

With one connection (the default) the count is the same to a per mille from run to run. It says
nothing of the kernel, which is the larger part of what a request costs.
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys

from figures import BURST, MODELS, WHOLE
from stage import MESSAGES, Stage, body

TEXTS = {"1k": body(WHOLE), "64k": body(WHOLE, 64 << 10), "1m": body(WHOLE, 1 << 20),
         "burst": body(BURST, stream=True)}
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
TOP = 25


def run_load(stage, asked, count):
    path = MESSAGES if asked.convert else ()
    load = stage.load("station", TEXTS[asked.what], "-w", 0, "-d", 3600, "-c", asked.connections,
                      "-n", count, *path)
    load.counted()
    load.stop()


class Dump:
    """What callgrind wrote of one thread: instructions of each function, alone and with callees."""

    def __init__(self, path):
        self.total, self.alone, self.within, self.names = 0, {}, {}, {"fn": {}, "ob": {}, "fl": {}}
        function = library = file = callee = None
        called = False
        for line in path.read_text().splitlines():
            if found := re.match(r"(c?)(fn|ob|fl|fi|fe)=\((\d+)\)(?: (.*))?", line):
                is_callee, kind, number, name = found.groups()
                table = self.names[kind if kind in self.names else "fl"]
                if name:
                    table[number] = name if kind == "fn" else pathlib.Path(name).name
                if kind == "fn" and is_callee:
                    callee = number
                elif kind == "fn":
                    function = number
                elif not is_callee:
                    library, file = (number if kind == "ob" else library,
                                     number if kind == "fl" else file)
            elif line.startswith("calls="):
                called = True
            elif found := re.match(r"[+*-]?\d* (\d+)$", line):
                key, cost = (function, library, file), int(found[1])
                if not called:
                    self.alone[key] = self.alone.get(key, 0) + cost
                if not called or callee != function:
                    self.within[key] = self.within.get(key, 0) + cost
                called = False
            elif line.startswith("summary:"):
                self.total = int(line.split()[1])

    def name(self, key):
        function, library, file = key
        library, file = self.names["ob"][library], self.names["fl"][file]
        return f"{self.names['fn'][function]}  {file if library == 'entrepot' else library}"

    def top(self, costs):
        rows = ((cost, self.name(key)) for key, cost in costs.items() if cost < self.total)
        return sorted(rows, reverse=True)[:TOP]

    def is_lane(self):
        return "lane_run" in self.names["fn"].values()


def measure(asked):
    """The dump of the lane thread, over exactly that many requests."""
    under = ["valgrind", "--quiet", "--tool=callgrind", "--separate-threads=yes",
             "--fair-sched=yes", "--callgrind-out-file=callgrind.out"]
    with Stage(asked.build, MODELS, under) as stage:
        pid = str(stage.station.pid)
        run_load(stage, asked, 50)
        subprocess.run(["callgrind_control", "-z", pid], check=True, **QUIET)
        run_load(stage, asked, asked.requests)
        subprocess.run(["callgrind_control", "-d", pid], check=True, **QUIET)
        for path in stage.at.glob("callgrind.out.1-*"):
            if (dump := Dump(path)).is_lane():
                return dump
        sys.exit("callgrind: there is no dump of the lane")


def show(title, rows, requests):
    print(f"\n{title}")
    for count, name in rows:
        print(f"{count / requests:12,.0f}  {name}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--what", choices=TEXTS, default="1k")
    parser.add_argument("--convert", action="store_true", help="ask in another dialect")
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--connections", type=int, default=1)
    asked = parser.parse_args()
    if shutil.which("valgrind") is None:
        sys.exit("callgrind: valgrind is missing: run tools/setup bench")
    subprocess.run(["ninja", "-C", asked.build, "entrepot", "bench_mock", "bench_load"], check=True,
                   stdout=subprocess.DEVNULL)
    dump = measure(asked)
    print(f"lane: {dump.total / asked.requests:,.0f} instructions a request ({asked.what}, "
          f"{asked.requests} requests over {asked.connections} connections)")
    show("with what they call", dump.top(dump.within), asked.requests)
    show("alone", dump.top(dump.alone), asked.requests)


main()
