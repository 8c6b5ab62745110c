# SPDX-License-Identifier: Apache-2.0
"""The measurements. Each yields Figures; a ratio is taken within a round, in which nginx and the
station ran one after the other, and the median of the rounds is what counts.
"""
import contextlib
import dataclasses
import json
import pathlib
import sqlite3
import statistics
import subprocess
import tempfile
import time

from stage import LOAD_CORE, MESSAGES, RELAY_CORE, Stage, body, core_ns, cpu_ns, rss

WHOLE = "m-1-750-0-1"              # a whole reply of about 1 KB
LONE = "m-100000-250-20000-1"      # 50 events a second, one at a time, without end
BURST = "m-200-250-0-200"          # 200 events at once
SLOW = "m-100000-250-5000000-1"    # an open stream that has little to say
MODELS = [WHOLE, LONE, BURST, SLOW]


@dataclasses.dataclass
class Figure:
    name: str
    what: str
    unit: str
    values: list      # one a round
    goal: float | None = None
    most: bool = True # the goal is a maximum
    note: str = ""    # what the figure was made of

    @property
    def value(self):
        return statistics.median(self.values)


def ratio(name, what, goal, pairs, unit="us"):
    nginx, station = zip(*pairs)
    note = (f"nginx {statistics.median(nginx):.2f} {unit}, "
            f"station {statistics.median(station):.2f} {unit}")
    return Figure(name, what, "x nginx", [s / n for n, s in pairs], goal, note=note)


class Used:
    """CPU time of the lane, the ledger and the whole of a relay, while a load counts."""

    def __init__(self, stage, target, text, *options):
        watched = {"whole": (stage.nginx.pid,)}
        if target == "station":
            watched = {"whole": (stage.station.pid,),
                       "lane": (stage.station.pid, stage.thread("lane-0")),
                       "ledger": (stage.station.pid, stage.thread("ledger"))}
        load = stage.load(target, text, *options)
        core = core_ns(RELAY_CORE)
        before = {name: cpu_ns(*who) for name, who in watched.items()}
        self.counted = load.counted()
        self.ns = {name: cpu_ns(*who) - before[name] for name, who in watched.items()}
        core = core_ns(RELAY_CORE) - core
        load.stop()
        self.busy = self.ns["whole"] / self.counted["seconds"] / 1e9
        self.others = core / self.counted["seconds"] / 1e9 - self.busy

    def us_each(self, who, what="requests"):
        return self.ns[who] / self.counted[what] / 1000


def rounds(asked, text, *options, plain="nginx"):
    """(nginx, station) of each round."""
    with Stage(asked.build, MODELS) as stage:
        return [tuple(Used(stage, target, text, "-w", 1, "-d", asked.seconds, *options)
                      for target in (plain, "station"))
                for _ in range(asked.rounds)]


def busy(pairs):
    """Below 100 % the relay was not saturated; what others took makes figures doubtful."""
    nginx, station = (min(used.busy for used in side) for side in zip(*pairs))
    others = max(used.others for pair in pairs for used in pair)
    return f"core busy {nginx:.0%} and {station:.0%}, others on it {max(0, others):.0%}"


def whole(asked, size, connections):
    return rounds(asked, body(WHOLE, size), "-c", connections)


def lane_figure(name, size, goal, pairs):
    made = ratio(name, f"lane's CPU a request of {size}", goal,
                 [(n.us_each("whole"), s.us_each("lane")) for n, s in pairs])
    made.note += f"; {busy(pairs)}"
    return made


def event_figure(name, what, goal, pairs):
    made = ratio(name, f"lane's CPU {what}", goal,
                 [(n.us_each("whole", "events"), s.us_each("lane", "events")) for n, s in pairs])
    made.note += f"; {busy(pairs)}"
    return made


def requests_1k(asked):
    pairs = whole(asked, 1024, 512)
    yield lane_figure("cpu-1k", "1 KB", 0.90, pairs)
    yield ratio("process-1k", "whole process's CPU a request of 1 KB", 1.30,
                [(n.us_each("whole"), s.us_each("whole")) for n, s in pairs])
    yield Figure("charges", "charges at saturation", "/s", most=False,
                 values=[s.counted["requests"] / s.counted["seconds"] for _, s in pairs],
                 note="with the lane on the same core")
    yield Figure("cpu-charge", "ledger thread's CPU a charge", "us",
                 [s.us_each("ledger") for _, s in pairs])


def requests_64k(asked):
    yield lane_figure("cpu-64k", "64 KB", 1.00, whole(asked, 64 << 10, 512))


def requests_1m(asked):
    yield lane_figure("cpu-1m", "1 MB", 1.20, whole(asked, 1 << 20, 64))


def events_lone(asked):
    yield event_figure("sse-lone", "a lone event", 0.80,
                       rounds(asked, body(LONE, stream=True), "-c", 500, plain="nginx_unbuffered"))


def events_burst(asked):
    yield event_figure("sse-burst", "an event of a burst", 0.40,
                       rounds(asked, body(BURST, stream=True), "-c", 32, plain="nginx_unbuffered"))


def converted(asked, text, *options):
    """(passed, converted) of each round, by the station alone."""
    with Stage(asked.build, MODELS) as stage:
        return [tuple(Used(stage, "station", text, "-w", 1, "-d", asked.seconds, *options, *path)
                      for path in ((), MESSAGES))
                for _ in range(asked.rounds)]


def conversion(asked):
    """What another dialect costs, as a multiple of passing bytes."""
    for name, what, goal, text, connections, count in (
            ("convert-1k", "a request of 1 KB", 2.0, body(WHOLE), 512, "requests"),
            ("convert-burst", "an event of a burst", 3.0, body(BURST, stream=True), 32,
             "requests")):
        pairs = converted(asked, text, "-c", connections)
        each = [(p.us_each("lane", count), c.us_each("lane", count)) for p, c in pairs]
        made = ratio(name, f"lane's CPU {what}, converted", goal, each)
        made.unit = "x passed"
        made.note = made.note.replace("nginx", "passed").replace("station", "converted")
        yield made


def latency(asked):
    """What a relay adds to the mock's own latency, at a rate far below saturation."""
    seen = {"mock": [], "nginx": [], "station": []}
    with Stage(asked.build, MODELS) as stage:
        for _ in range(asked.rounds):
            for target, figures in seen.items():
                load = stage.load(target, body(WHOLE), "-w", 1, "-d", asked.seconds, "-r", 2000,
                                  "-c", 64)
                figures.append(load.counted())
                load.stop()
    for name, key in (("latency-p50", "p50_us"), ("latency-p99", "p99_us")):
        direct, nginx, station = ([f[key] for f in seen[t]] for t in seen)
        plain = statistics.median(n - d for n, d in zip(nginx, direct))
        yield Figure(name, f"latency added at 2,000 a second, {name[-3:]}", "us",
                     [s - d for s, d in zip(station, direct)],
                     note=f"nginx adds {plain:.0f} us; direct {statistics.median(direct):.0f} us")


def memory_each(asked, target, text, count):
    """Bytes a connection, in a process that has served a little before."""
    with Stage(asked.build, MODELS) as stage:
        process = stage.station if target == "station" else stage.nginx
        warm = stage.load(target, body(WHOLE), "-c", 4, "-w", 0, "-n", 200)
        warm.counted()
        warm.stop()
        before = rss(process.pid)
        load = stage.load(target, text, "-H", "-c", count)
        time.sleep(1)
        grown = rss(process.pid) - before
        load.stop()
        return grown / count


def memory(asked, name, what, goal, text):
    count = 5000
    own = [memory_each(asked, "station", text, count) for _ in range(asked.rounds)]
    plain = memory_each(asked, "nginx_unbuffered", text, count)
    yield Figure(name, f"RSS {what}, at {count:,}", "bytes", own, goal,
                 note=f"nginx {plain:.0f} bytes")


def memory_stream(asked):
    yield from memory(asked, "rss-stream", "an open stream", 1024, body(SLOW, stream=True))


def memory_idle(asked):
    yield from memory(asked, "rss-idle", "an idle connection after a request", 512, body(WHOLE))


def ledger_alone(asked, accounts, batch, batches):
    """What bench/ledger.c says, a dict a round."""
    said = []
    for _ in range(asked.rounds):
        with tempfile.TemporaryDirectory(prefix="entrepot-bench-", dir="/var/tmp") as folder:
            done = subprocess.run(
                ["taskset", "-c", f"{RELAY_CORE},{LOAD_CORE}",
                 pathlib.Path(asked.build, "bench_ledger"), folder, str(accounts), str(batch),
                 str(batch * batches)], stdout=subprocess.PIPE, check=True)
            said.append(json.loads(done.stdout) | charge_bytes(folder))
    return said


def charge_bytes(folder):
    """Bytes a charge, its transfers and all indexes of both; nothing where SQLite cannot say."""
    with contextlib.closing(sqlite3.connect(f"{folder}/station.db")) as store:
        with contextlib.suppress(sqlite3.OperationalError):
            return {"charge_bytes": store.execute(
                "SELECT sum(d.pgsize) * 1.0 / (SELECT count(*) FROM charge) FROM dbstat d"
                " JOIN sqlite_schema s ON s.name = d.name"
                " WHERE s.tbl_name IN ('charge', 'transfer')").fetchone()[0]}
    return {}


def ledger_batches(asked):
    for batch in (1, 8, 64, 256):
        said = ledger_alone(asked, 1000, batch, 400)
        p99 = statistics.median(s["p99_us"] for s in said)
        yield Figure(f"commit-{batch}", f"commit of {batch} charges, p50", "us",
                     [s["p50_us"] for s in said],
                     note=f"p99 {p99:,.0f} us; ledger's CPU "
                          f"{statistics.median(s['charge_us'] for s in said):.1f} us a charge")
        if batch == 64:
            yield Figure("ledger-cpu", "ledger's CPU a charge at batch 64", "us",
                         [s["charge_us"] for s in said], 13.0, note="its closing row "
                         f"{statistics.median(s['close_us'] for s in said):.1f} us more")
            if "charge_bytes" in said[0]:
                yield Figure("ledger-bytes", "on disk a charge with its transfers", "bytes",
                             [s["charge_bytes"] for s in said], 400,
                             note="with the closing row "
                                  f"{statistics.median(s['bytes'] for s in said):.0f}")


def ledger_accounts(asked):
    for accounts, name in ((10, "10"), (1000, "1k"), (100000, "100k")):
        said = ledger_alone(asked, accounts, 64, 400)
        yield Figure(f"accounts-{name}", f"ledger's CPU a charge with {accounts:,} accounts", "us",
                     [s["charge_us"] for s in said])


def ledger_check(asked):
    said = ledger_alone(asked, 1000, 256, 4000)
    quiet, beside = (statistics.median(s[key] for s in said) for key in ("p99_us", "beside_p99_us"))
    yield Figure("check-1m", "a check of the books after a million charges", "s",
                 [s["check_s"] for s in said],
                 note=f"commits of 256 beside it p99 {beside:,.0f} us, without {quiet:,.0f} us")


# What measures which figures.
MEASUREMENTS = [
    (requests_1k, ["cpu-1k", "process-1k", "charges", "cpu-charge"]),
    (requests_64k, ["cpu-64k"]),
    (requests_1m, ["cpu-1m"]),
    (events_lone, ["sse-lone"]),
    (events_burst, ["sse-burst"]),
    (conversion, ["convert-1k", "convert-burst"]),
    (latency, ["latency-p50", "latency-p99"]),
    (memory_stream, ["rss-stream"]),
    (memory_idle, ["rss-idle"]),
    (ledger_batches, ["commit-1", "commit-8", "commit-64", "commit-256", "ledger-cpu",
                      "ledger-bytes"]),
    (ledger_accounts, ["accounts-10", "accounts-1k", "accounts-100k"]),
    (ledger_check, ["check-1m"]),
]
