# SPDX-License-Identifier: Apache-2.0
"""Process after process takes over under load, and one of the two is killed at a random moment:
before, while and after the station changes hands."""
import collections
import time

from tests.crash.load import Faults
from tests.peer.wait import PATIENCE_S, until

KILLS = ("nobody", "old", "new", "both")


def starts(bench):
    """A new process that takes over where somebody serves, else starts; it may find the one it asks
    dying. (it, the one before)."""
    one = bench.station
    for _ in range(20):
        old, before = one.process, len(one.log_lines("entrepot is at"))
        one.start(wait=False, words=["--takeover"])
        until(lambda: one.process.poll() is not None
              or len(one.log_lines("entrepot is at")) > before, "it serves or has given up")
        if one.process.poll() is None:
            return one.process, old
        one.process = old if old.poll() is None else one.process
    raise Faults(f"nobody takes over:\n{one.log()[-2000:]}")


def alone(bench, processes):
    """Wait until all but the last to serve are gone, and settled."""
    for process in processes:
        if process is not bench.station.process:
            process.wait(PATIENCE_S)
    until(lambda: [row["state"] for row in bench.station.store.sql(
        "SELECT state FROM epoch WHERE state <> 'settled'")] == ["alone"], "the others are settled")


def one_round(bench, clients, kind, rng, processes):
    """Adds to the processes; since when closing rows may be missing, or None."""
    one = bench.station
    time.sleep(rng.uniform(0.05, 0.3))
    old, killed_at = one.process, None
    one.start(wait=False, words=["--takeover"])
    new = one.process
    processes += [old, new]
    time.sleep(rng.choice((0, 0.02, 0.05, 0.1, 0.3)) * rng.random())
    for process in {"nobody": (), "old": (old,), "new": (new,), "both": (old, new)}[kind]:
        killed_at = killed_at or time.monotonic()
        process.kill()
        process.wait()
    if kind in ("new", "both"):
        # Where the old one still leads it is taken over from once more.
        one.process = old
        processes.append(starts(bench)[0])
    else:
        before = len(clients.records)
        until(lambda: new.poll() is not None or any(r.complete for r in clients.records[before:]),
              "requests are answered")
        if new.poll() is not None:      # the old one died while it was asked
            processes.append(starts(bench)[0])
    before = len(clients.records)
    until(lambda: sum(r.complete for r in clients.records[before:]) > 30, "requests are answered")
    return killed_at


def takeover_rounds(bench, options, rng):
    kinds = collections.Counter()
    for number in range(options.rounds):
        kind = KILLS[number % len(KILLS)]
        clients = bench.clients(f"{options.seed}/{number}", options.clients)
        processes = []
        try:
            killed_at = one_round(bench, clients, kind, rng, processes)
            clients.stop()
            alone(bench, processes)
        finally:
            clients.stop()
            for process in processes:
                if process is not bench.station.process:
                    process.kill()
        kinds[kind] += 1
        lost = [r for r in clients.records if not r.complete]
        if kind == "nobody" and lost:
            raise Faults(f"round {number}: {len(lost)} requests failed over a mere takeover")
        bench.books.take(clients.records)
        try:
            bench.books.verify(killed_at, options.window)
        except Faults as found:
            raise Faults(f"round {number} ({kind} killed): {found}") from None
    reversed_ = len(bench.station.store.sql(
        "SELECT 1 FROM transfer WHERE kind = 'reversal' GROUP BY cause"))
    return (f"{options.rounds} takeovers, killed: {dict(kinds)}, {bench.books.asked} requests, "
            f"{len(bench.books.complete)} complete, {reversed_} charges reversed")
