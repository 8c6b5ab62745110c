#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Crashes the station under load and asks whether anybody lost or gained money.

    tests/crash/run.py --rounds 200 --seed 7    kill -9 at random moments, a third in a fault
    tests/crash/run.py --faults --long          full and failing disks, a lock, a clock that jumps
    tests/crash/run.py --sigstop                stopped and continued
    tests/crash/run.py --takeover               process follows process, and one of two is killed
    tests/crash/run.py --disk-full              a small file system that fills up (needs root)
    tests/crash/run.py --slow-fsync 2           an fsync of 2 s under 500 open streams

Each prints its seed and one summary line, and exits 1 when a promise was broken.
"""
import argparse
import asyncio
import collections
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

if __package__ in (None, ""):
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from tests.crash import faults, handover, shim, ticker  # noqa: E402
from tests.crash.load import Books, Clients, Faults, VendorProcess, settings  # noqa: E402
from tests.peer import station  # noqa: E402
from tests.peer.case import CHAT, JSON  # noqa: E402
from tests.peer.rawhttp import request_bytes  # noqa: E402
from tests.peer.wait import PATIENCE_S, until  # noqa: E402

ACCOUNTS = 3
STORE_ROUNDS = 50       # on one store: the join of all that was ever asked takes longer and longer
CREDIT = "100000.00"


class Bench:
    """A station on a real disk, a vendor beside it, accounts with money."""

    def __init__(self, folder=None, faulty=False):
        self.shim = shim.Shim() if faulty else None
        self.vendor = VendorProcess()
        upstreams, models = settings(self.vendor)
        self.station = station.Station(upstreams, models, self.shim and self.shim.environment,
                                       folder=folder or disk())
        self.accounts = [f"load{n}" for n in range(ACCOUNTS)]

    def start(self):
        self.station.start()
        for name in self.accounts:
            self.station.create_account(name)
            self.station.credit(name, CREDIT)
        self.keys = [self.station.create_key(name) for name in self.accounts]
        self.books = Books(self.station, self.accounts)
        return self

    def clients(self, seed, count=8, leaving=0.0):
        return Clients(self.station.port, self.keys, seed, count, leaving).start()

    def settle(self, records):
        """Wait until each of the requests that got a name has its closing row."""
        self.station.store.wait_requests({r.rid for r in records if r.rid})

    def close(self):
        self.station.close()
        self.vendor.close()
        if self.shim:
            self.shim.close()


def disk():
    """A folder that is not in memory."""
    return os.environ.get("ENTREPOT_CRASH_DIR") or "/var/tmp"


def kill_once(bench, clients, rng):
    """A kill at a random moment, of which a third are in the middle of a fault. (its name or "",
    since when closing rows may have been missing)."""
    time.sleep(rng.uniform(0.05, 0.7))
    kind = rng.choice(list(faults.KINDS)) if bench.shim and rng.random() < 1 / 3 else ""
    since = time.monotonic()
    with contextlib.ExitStack() as disturbed:
        if kind:
            disturbed.enter_context(faults.fault(bench, faults.KINDS[kind](rng)[0]))
            time.sleep(rng.uniform(0, 0.5))
        bench.station.kill()
    return kind, since


def kill_on_one_store(options, rng, first, last):
    """Rounds first to last, and an orderly stop. Counts of what happened."""
    disturbed = 0
    bench = Bench(faulty=not shim.why_not()).start()
    try:
        for number in range(first, last):
            clients = bench.clients(f"{options.seed}/{number}", options.clients, leaving=0.05)
            kind, since = kill_once(bench, clients, rng)
            disturbed += bool(kind)
            clients.stop()
            bench.books.take(clients.records)
            bench.station.start()
            try:
                bench.books.verify(since, options.window)
            except Faults as found:
                raise Faults(f"round {number} ({kind or 'a kill alone'}): {found}") from None
        stop_in_order(bench, f"{options.seed}/{last}", options.clients)
        reversals = len(bench.station.store.sql("SELECT 1 FROM transfer WHERE kind = 'reversal' "
                                                "GROUP BY cause"))
        return collections.Counter(
            disturbed=disturbed, asked=bench.books.asked, complete=len(bench.books.complete),
            left=len(bench.books.left), reversed=reversals, given=len(bench.books.given_away)
        ), bench.books.oldest
    finally:
        bench.close()


def kill_rounds(options, rng):
    total, oldest = collections.Counter(), 0.0
    for first in range(0, options.rounds, STORE_ROUNDS):
        last = min(first + STORE_ROUNDS, options.rounds)
        counts, age = kill_on_one_store(options, rng, first, last)
        total, oldest = total + counts, max(oldest, age)
        if last < options.rounds:
            print(f"  round {last}: {dict(total)}", flush=True)
    return (f"{options.rounds} kills, {total['disturbed']} of them during a fault, "
            f"{total['asked']} requests, {total['complete']} complete, {total['left']} left by "
            f"their client, {total['reversed']} charges reversed at start, {total['given']} "
            f"complete answers given away by the crash (the oldest {oldest * 1000:.0f} ms before "
            "it)")


def fault_rounds(options, rng):
    if shim.why_not():
        raise Faults(shim.why_not())
    bench = Bench(faulty=True).start()
    try:
        return faults.fault_rounds(bench, options, rng)
    finally:
        bench.close()


def stop_in_order(bench, seed, count):
    """SIGTERM under load, and a start: not one complete answer is given away."""
    clients = bench.clients(seed, count)
    until(lambda: len(clients.records) > 10 * count, "requests are answered")
    clients.stop()
    status = bench.station.stop()
    if status != 0:
        raise Faults(f"SIGTERM: exit status {status}")
    bench.books.take(clients.records)
    bench.station.start()
    bench.books.verify()


def sigstop_rounds(options, rng):
    bench = Bench().start()
    try:
        for number in range(options.rounds):
            clients = bench.clients(f"{options.seed}/{number}", options.clients)
            for _ in range(3):
                time.sleep(rng.uniform(0.02, 0.3))
                bench.station.signal(signal.SIGSTOP)
                time.sleep(rng.choice((0.01, 0.2, 1.5)))
                bench.station.signal(signal.SIGCONT)
            time.sleep(0.1)
            clients.stop()
            bench.settle(clients.records)
            bench.books.take(clients.records)
            lost = [r for r in clients.records if not r.complete]
            if lost:
                raise Faults(f"round {number}: {len(lost)} requests failed over a mere pause")
            bench.books.verify()
        return (f"{3 * options.rounds} stops, {bench.books.asked} requests, "
                f"{len(bench.books.complete)} complete")
    finally:
        bench.close()


def takeover(options, rng):
    bench = Bench().start()
    try:
        return handover.takeover_rounds(bench, options, rng)
    finally:
        bench.close()


class SmallDisk:
    """A small file system for the data, and a file that fills it."""
    size = 96 << 20     # three times what the log of SQLite grows to before it is copied

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="entrepot-full-")
        try:
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self.size}", "tmpfs",
                            self.folder], check=True)
        except (subprocess.CalledProcessError, OSError):
            os.rmdir(self.folder)
            raise
        self.filler = os.path.join(self.folder, "filler")

    def fill(self):
        """Take every free byte."""
        try:
            with open(self.filler, "ab", buffering=0) as out:
                for size in (65536, 4096, 1):
                    try:
                        while out.write(b"\0" * size) == size:
                            pass
                    except OSError:
                        pass
        except OSError:
            pass

    def release(self):
        os.remove(self.filler)

    def close(self):
        subprocess.run(["umount", "-l", self.folder], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


def disk_full(options, rng):
    small = SmallDisk()
    bench = None
    try:
        bench = Bench(folder=small.folder).start()
        refused = while_full = 0
        for number in range(options.rounds):
            clients = bench.clients(f"{options.seed}/{number}", options.clients)
            time.sleep(0.3)
            small.fill()
            full_at = time.monotonic()
            time.sleep(rng.uniform(1.0, 2.0))
            until(lambda: any(not r.complete for r in clients.records), "the disk is full")
            small.release()
            free_at = time.monotonic()
            until(lambda: any(r.complete and r.at > free_at for r in clients.records),
                  "something is answered after there is room again", 2 * PATIENCE_S)
            clients.stop()
            bench.settle(clients.records)
            if bench.station.process.poll() is not None:
                raise Faults(f"round {number}: the station died:\n{bench.station.log()[-2000:]}")
            bench.books.take(clients.records)
            refused += sum(not r.complete for r in clients.records)
            while_full += sum(r.complete and full_at + 0.5 < r.at < free_at
                              for r in clients.records)
            bench.books.verify()
        return (f"{options.rounds} times full, {bench.books.asked} requests, {refused} failed, "
                f"{len(bench.books.complete)} complete ({while_full} while full)")
    finally:
        if bench:
            bench.close()
        small.close()


def tick_request(key):
    body = json.dumps({"model": "tick", "stream": True, "stream_options": {"include_usage": True},
                       "messages": [{"role": "user", "content": "tick"}]}).encode()
    return request_bytes("POST", CHAT, [("Authorization", f"Bearer {key}"), JSON], body)


def slow_fsync(options, _rng):
    """500 streams tick while every fsync takes seconds and other clients cause commits."""
    bench = Bench(faulty=True)
    source = subprocess.Popen([sys.executable, ticker.__file__, "--events", str(options.events)],
                              stdout=subprocess.PIPE, text=True)
    clients = None
    try:
        base = source.stdout.readline().strip()
        upstreams, models = bench.station.settings["upstreams"], bench.station.settings["models"]
        upstreams.append({"name": "ticker", "vendor": "openai", "base": base + "/v1",
                          "keys": ["sk-t"], "dialects": ["chat"]})
        models.append(station.model("tick", "ticker"))
        bench.station.configure()
        bench.start()
        port = int(base.rpartition(":")[2])
        request = tick_request(bench.keys[0])
        direct, _ = asyncio.run(ticker.measure(port, request, options.streams))
        bench.shim.set(sync_ms=int(options.slow_fsync * 1000))
        clients = bench.clients(options.seed, 3)
        late, ended = asyncio.run(ticker.measure(bench.station.port, request, options.streams))
        clients.stop()
        bench.shim.clear()
        p99, plain = ticker.percentile(late, 0.99), ticker.percentile(direct, 0.99)
        text = (f"fsync {options.slow_fsync} s, {options.streams} streams, {len(late)} events: "
                f"late p50 {ticker.percentile(late, 0.5):.1f} ms, p99 {p99:.1f} ms, "
                f"max {max(late, default=0):.1f} ms (without the station p99 {plain:.1f} ms); "
                f"{ended} ended well, {len(clients.records)} other requests meanwhile")
        expected = options.streams * options.events
        if len(late) != expected:
            raise Faults(f"{len(late)} of {expected} events came; {text}")
        if ended != options.streams:
            raise Faults(f"only {ended} streams ended well; {text}")
        if p99 > options.p99_ms:
            raise Faults(f"p99 above {options.p99_ms} ms; {text}")
        return text
    finally:
        if clients:
            clients.stop()
        source.kill()
        source.wait()
        source.stdout.close()
        bench.close()


def parse(words):
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--window", type=float, default=0.5, metavar="S",
                        help="a crash may give back answers at most so much older (default 0.5 s)")
    parser.add_argument("--sigstop", action="store_true")
    parser.add_argument("--takeover", action="store_true")
    parser.add_argument("--disk-full", action="store_true")
    parser.add_argument("--faults", action="store_true")
    parser.add_argument("--long", action="store_true", help="faults that outlast every wait, too")
    parser.add_argument("--slow-fsync", type=lambda text: float(text.rstrip("s")), metavar="S")
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument("--events", type=int, default=40)
    parser.add_argument("--p99-ms", type=float, default=50.0)
    return parser.parse_args(words)


def run(words=None):
    """Runs what the words ask for. (ok, summary)."""
    options = parse(words)
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(10**6)
    name, mode = (("slow-fsync", slow_fsync) if options.slow_fsync else
                  ("faults", fault_rounds) if options.faults else
                  ("disk-full", disk_full) if options.disk_full else
                  ("takeover", takeover) if options.takeover else
                  ("sigstop", sigstop_rounds) if options.sigstop else ("kill", kill_rounds))
    print(f"{name}: seed {options.seed}, {station.LANES} lanes", flush=True)
    try:
        return True, f"{name} ok: {mode(options, random.Random(options.seed))}"
    except (Faults, AssertionError) as found:
        return False, f"{name} FAILED (seed {options.seed}): {found}"


def main():
    if not station.available():
        sys.exit(f"no station to test at {station.PROGRAM} (set ENTREPOT)")
    ok, summary = run()
    print(summary)
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
