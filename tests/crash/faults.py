# SPDX-License-Identifier: Apache-2.0
"""Ways in which a disk and a clock go wrong under a serving station, each with its end."""
import contextlib
import errno
import sqlite3
import time

from tests.crash.load import Faults
from tests.peer.wait import PATIENCE_S, until

LOCK = None     # instead of what the shim is to do: another process writes to the store
HOUR = 3600


def room(rng):
    """Bytes that still find a place: a failure comes in the middle of a commit, too."""
    return rng.randrange(200000)


# Each fault: what the shim is to do, and for how many seconds.
KINDS = {
    "full": lambda rng: ({"write_errno": errno.ENOSPC, "write_room": room(rng)},
                         rng.uniform(0.3, 1.5)),
    "writes fail": lambda rng: ({"write_errno": errno.EIO, "write_room": room(rng)},
                                rng.uniform(0.3, 1.5)),
    "syncs fail": lambda rng: ({"sync_errno": errno.EIO}, rng.uniform(0.3, 1.5)),
    "slow": lambda rng: ({"sync_ms": rng.choice((20, 200, 1500))}, rng.uniform(0.3, 1.5)),
    "short writes": lambda rng: ({"write_most": rng.choice((1, 100, 4095))},
                                 rng.uniform(0.3, 0.8)),
    "locked": lambda rng: (LOCK, rng.choice((0.3, 1.5))),
    "clock forward": lambda rng: ({"clock_s": HOUR}, rng.uniform(0.3, 0.8)),
    "clock back": lambda rng: ({"clock_s": -HOUR}, rng.uniform(0.3, 0.8)),
}
# Those that outlast what a station waits for: 5 s for a lock, 10 s for a commit.
LONG = {
    "locked for long": lambda rng: (LOCK, rng.uniform(5.5, 12)),
    "very slow": lambda rng: ({"sync_ms": 11000}, 12),
}
HARMLESS = ("short writes", "locked", "clock forward", "clock back")     # nobody may notice


@contextlib.contextmanager
def locked(path):
    other = sqlite3.connect(path, timeout=PATIENCE_S, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
    finally:
        other.close()


@contextlib.contextmanager
def fault(bench, values):
    if values is LOCK:
        with locked(bench.station.store.path):
            yield
        return
    bench.shim.set(**values)
    try:
        yield
    finally:
        bench.shim.clear()


def endure(bench, kind, rng):
    """The fault comes, stays for its time and goes; it has to have had something to do."""
    values, seconds = {**KINDS, **LONG}[kind](rng)
    before = bench.shim.get("hits")
    with fault(bench, values):
        time.sleep(seconds)
        if values is not LOCK and "clock_s" not in values:
            until(lambda: bench.shim.get("hits") > before, f"something is hit: {kind}")


def one_round(bench, kind, clients, rng):
    """A fault under load, the join after it, and a start. How many requests failed meanwhile."""
    time.sleep(rng.uniform(0.1, 0.4))
    try:
        endure(bench, kind, rng)
        cleared = time.monotonic()
        until(lambda: any(r.complete and r.at > cleared for r in clients.records),
              "something is answered after it", 2 * PATIENCE_S)
        until(bench.station.ready, "the station admits again")
    finally:
        clients.stop()
    if bench.station.process.poll() is not None:
        raise Faults(f"the station died:\n{bench.station.log()[-2000:]}")
    bench.settle(clients.records)
    bench.books.take(clients.records)
    bench.books.verify()
    if rng.random() < 0.5:
        bench.station.kill()
    else:
        bench.station.stop()
    bench.station.start()
    bench.books.verify()
    return sum(not r.complete and not r.left for r in clients.records)


def fault_rounds(bench, options, rng):
    """Each kind in turn. The figures, as a line."""
    kinds = [*KINDS, *LONG] if options.long else [*KINDS]
    failed = {}
    for number in range(options.rounds):
        kind = kinds[number % len(kinds)]
        clients = bench.clients(f"{options.seed}/{number}", options.clients, leaving=0.1)
        try:
            lost = one_round(bench, kind, clients, rng)
        except (Faults, AssertionError) as found:
            raise Faults(f"round {number} ({kind}): {found}") from None
        if lost and kind in HARMLESS:
            raise Faults(f"round {number}: {lost} requests failed over a mere {kind}")
        failed[kind] = failed.get(kind, 0) + lost
    return (f"{options.rounds} faults, {bench.books.asked} requests, "
            f"{len(bench.books.complete)} complete, {len(bench.books.left)} left by their client; "
            "failed: " + ", ".join(f"{kind} {count}" for kind, count in failed.items()))
