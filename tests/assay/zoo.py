# SPDX-License-Identifier: Apache-2.0
"""The assay over the zoo: every cheat and every honest variant of the simulated vendor, with and
without an honest reference, and what was made of each. Run it for the figures:

    ENTREPOT=build/entrepot python3 -m tests.assay.zoo --runs 5 --profile standard
"""
import argparse
import collections
import concurrent.futures
import json
import math
import os
import subprocess
import tempfile
import time

from tests.peer import station

STATES = ("consistent", "inconsistent", "inconclusive", "not testable", "not tested")
KEY = "sk-zoo-5f1c"
# A mid-priced model's list price, in USD for a million tokens: what a run would cost.
INPUT_USD, OUTPUT_USD = 2.50, 10.00

OPEN = ("gpt-4o-sim", "qwen3-32b-sim", "llama-3.3-70b-sim", "deepseek-v3-sim", "gpt-4.1-mini-sim")
CLAUDE = ("claude-opus-4-8-sim", "claude-sonnet-4-5-sim")
THINKING = ("gpt-5-sim", "gemini-2.5-flash-sim")
ALL = OPEN + CLAUDE + THINKING
CLAIMED = tuple(m for m in ALL if m not in CLAUDE)

Variant = collections.namedtuple("Variant", "name cheats models dialect kind hits")


def honest(name, cheats=(), models=ALL, dialect="auto", kind=None):
    return Variant(name, cheats, models, dialect, kind, None)


def cheat(name, cheats, hits, models=OPEN, dialect="auto"):
    """hits: the claims of which it is right to be called inconsistent with them."""
    return Variant(name, cheats, models, dialect, None, set(hits.split()))


SWAPPED = "identity input_billing prompt"
HONEST = [
    honest("plain"),
    honest("azure", ["azure"], OPEN[:1] + OPEN[4:], "chat"),
    honest("bedrock", ["bedrock"], CLAUDE, "messages"),
    honest("vertex", ["vertex"], CLAUDE, "messages"),
    honest("vertex gemini", ["vertex"], THINKING[1:], "gemini"),
    honest("template", ["template"]),
    honest("slow", ["slow=30"]),
    honest("limited", ["limited"]),
    honest("date", ["date"]),
    honest("template 36, date", ["template=36", "date"]),
    honest("burst", ["burst"]),
    honest("hide-reasoning", ["hide-reasoning"], CLAUDE + THINKING),
    honest("estimate", ["estimate"]),
    honest("estimate, uneven", ["estimate=3", "uneven=2"]),
    honest("recount", ["recount"]),
    honest("recount 0.33", ["recount=0.33"]),
    honest("crlf", ["crlf"]),
    honest("uneven", ["uneven"]),
    honest("uneven 60", ["uneven=60"]),
    honest("all at once", ["burst", "limited=7", "date", "template"]),
    # Our own station, that converts from the first to the second.
    honest("gateway messages>chat", models=OPEN[1:3], dialect="messages", kind="openai"),
    honest("gateway chat>messages", models=CLAUDE, dialect="chat", kind="anthropic"),
    honest("gateway responses>messages", models=OPEN[1:3], dialect="responses", kind="anthropic"),
    honest("gateway chat>gemini", models=THINKING[1:], dialect="chat", kind="gemini"),
]
CHEATS = [
    cheat("swap", ["swap=claude-opus-4-8-sim"], SWAPPED),
    cheat("swap, same tokenizer", ["swap=gpt-4.1-mini-sim"], SWAPPED, OPEN[:1]),
    cheat("swap, another Claude", ["swap=claude-sonnet-4-5-sim"], "identity", CLAUDE[:1],
          "messages"),
    cheat("mix 0.25", ["mix"], SWAPPED + " output_billing", OPEN[:1]),
    cheat("mix 0.5", ["mix=0.5"], SWAPPED + " output_billing", OPEN[:1]),
    cheat("hidden 300", ["hidden"], "prompt identity"),
    # Nobody published its tokenizer: what it counts beforehand tells.
    cheat("hidden 300, Claude", ["hidden"], "prompt identity", CLAUDE, "messages"),
    cheat("hidden 60", ["hidden=60"], "prompt identity"),
    cheat("usage 1.15", ["usage"], "input_billing output_billing prompt"),
    cheat("fake-stream", ["fake-stream"], "streaming"),
    cheat("cut-head", ["cut-head"], "context"),
    cheat("cut-middle", ["cut-middle"], "context"),
    cheat("cut-head, bill-uncut", ["cut-head", "bill-uncut"], "context"),
    cheat("cut-middle, bill-uncut", ["cut-middle", "bill-uncut"], "context"),
    cheat("cached", ["cached"], "stability identity"),
    cheat("ignore-temperature", ["ignore-temperature"], "features identity"),
    cheat("cache-on-first-sight", ["cache-on-first-sight"], "cache_billing"),
    cheat("strip-thinking", ["strip-thinking"], "output_billing features", CLAUDE),
    cheat("edit-tools", ["edit-tools"], "tool_integrity"),
    cheat("bad-tools 0.5", ["bad-tools"], "features"),
    cheat("bad-tools 1", ["bad-tools=1"], "features"),
    cheat("adaptive 20, swap", ["adaptive=20", "swap=claude-opus-4-8-sim"],
          SWAPPED + " output_billing context", OPEN[:1]),
    cheat("adaptive 50, swap", ["adaptive=50", "swap=claude-opus-4-8-sim"],
          SWAPPED + " output_billing context", OPEN[:1]),
    cheat("adaptive 20, hidden", ["adaptive=20", "hidden"], "prompt identity input_billing"),
]


class Sim:
    def __init__(self, seed, cheats=(), rhythm=()):
        words = [station.PROGRAM, "sim", "--port", "0", "--seed", str(seed), *rhythm]
        for name in cheats:
            words += ["--cheat", name]
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        text=True)
        self.base = self.process.stdout.readline().split()[-1].removesuffix("/v1")

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def gateway(sim, kind, model):
    """Our own station in front: (itself, its address, a customer's key)."""
    s = station.Station(
        upstreams=[{"name": "up", "vendor": kind, "base": sim.base + station.BASES[kind],
                    "keys": ["sk-up"]}],
        models=[station.model(model, "up")])
    s.start()
    s.create_account("alice")
    s.credit("alice", "50")
    return s, f"http://127.0.0.1:{s.port}/v1", s.create_key("alice")


Run = collections.namedtuple("Run", "variant model reference seed status states findings cost "
                                    "calls seconds errors")


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def assay(variant, reference, seed, profile="standard", rhythm=(), only=None):
    """One run. The reference is an honest vendor of the same model, with its own chance. `only`:
    the probes that ask; all without it."""
    model = variant.models[seed % len(variant.models)]
    open_, started = [Sim(seed, variant.cheats, rhythm)], time.monotonic()
    try:
        url, key = open_[0].base + "/v1", KEY
        if variant.kind:
            s, url, key = gateway(open_[0], variant.kind, model)
            open_.append(s)
        with tempfile.TemporaryDirectory(prefix="zoo-", dir=station.FOLDER) as folder:
            path = os.path.join(folder, "report.json")
            words = [station.PROGRAM, "assay", url, "--model", model, "--key-env", "TARGET_KEY",
                     "--dialect", variant.dialect, "--profile", profile, "--seed", str(seed),
                     "--concurrency", "4", "--json", path, "-y"]
            if only:
                words += ["--only", only]
            if reference:
                open_.append(Sim(seed + 1000003, (), rhythm))
                words += ["--reference", open_[-1].base + "/v1", "--reference-key-env",
                          "REFERENCE_KEY"]
            started = time.monotonic()
            done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  env={**os.environ, "TARGET_KEY": key, "REFERENCE_KEY": KEY},
                                  timeout=600)
            seconds = time.monotonic() - started
            report = read(path) if os.path.exists(path) else None
    finally:
        for one in reversed(open_):
            one.close()
    if report is None:
        return Run(variant, model, reference, seed, done.returncode, {}, [], 0, 0, seconds,
                   done.stderr)
    calls = report["calls"]
    cost = (calls["input_tokens"] * INPUT_USD + calls["output_tokens"] * OUTPUT_USD) / 1e6
    findings = [(c["claim"], f) for c in report["claims"] for f in c["findings"]]
    return Run(variant, model, reference, seed, done.returncode,
               {c["claim"]: c["state"] for c in report["claims"]}, findings, cost, calls["made"],
               seconds, done.stderr)


def accused(run):
    return {c for c, s in run.states.items() if s == "inconsistent"}


def tail(k, n, p):
    """The chance of k or more of n. By logarithms: the chance of none of a thousand is no float."""
    def log_chance(i):
        return (math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1)
                + i * math.log(p) + (n - i) * math.log1p(-p))
    return 1 - math.fsum(math.exp(log_chance(i)) for i in range(k))


def bounds(k, n, level=0.95):
    """Clopper and Pearson's, by halving."""
    def solve(f):
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if f(middle) else (low, middle)
        return low
    miss = (1 - level) / 2
    return (0.0 if k == 0 else solve(lambda p: tail(k, n, p) < miss),
            1.0 if k == n else solve(lambda p: 1 - tail(k + 1, n, p) > miss))


def share(k, n):
    low, high = bounds(k, n)
    return f"{k}/{n} [{100 * low:.1f}, {100 * high:.1f}]"


def wrongly(run):
    """What is said against this run that is not so."""
    return accused(run) - (run.variant.hits or set())


def table(runs):
    """A row a variant: who was accused, of what, and what else was noticed."""
    lines = ["| variant | reference | accused, % [95 %] | inconsistent | inconclusive |",
             "|---|---|---|---|---|"]
    for (name, reference), of in grouped(runs).items():
        hit = sum(bool(accused(r)) for r in of)
        counts = {state: collections.Counter(c for r in of for c, s in r.states.items()
                                             if s == state) for state in STATES}
        def named(state, of=of, counts=counts):
            return ", ".join(f"{c} {k}" if k < len(of) else c
                             for c, k in sorted(counts[state].items())) or "-"
        lines.append(f"| {name} | {'yes' if reference else 'no'} | {share(hit, len(of))} | "
                     f"{named('inconsistent')} | {named('inconclusive')} |")
    return "\n".join(lines)


def grouped(runs):
    rows = collections.defaultdict(list)
    told = [r for r in runs if r.states]
    for run in sorted(told, key=lambda r: ((HONEST + CHEATS).index(r.variant), r.reference)):
        rows[run.variant.name, run.reference].append(run)
    return rows


def summary(runs):
    lines = []
    clean = [r for r in runs if r.variant.hits is None and r.states]
    false = [r for r in clean if accused(r)]
    if clean:
        lines.append(f"honest runs accused: {share(len(false), len(clean))} %")
    for reference in (False, True):
        of = [r for r in runs if r.reference == reference and r.states]
        if of:
            lines.append(
                f"{'with' if reference else 'without'} a reference: {len(of)} runs, "
                f"{sum(r.calls for r in of) / len(of):.0f} calls, "
                f"{sum(r.cost for r in of) / len(of):.3f} USD, "
                f"{sum(r.seconds for r in of) / len(of):.1f} s each")
    for r in runs:
        if not r.states:
            lines.append(f"NO REPORT {r.variant.name} {r.model} seed {r.seed}: {r.errors}")
        for claim, f in r.findings:
            if claim in wrongly(r) and f["state"] == "inconsistent":
                lines.append(f"WRONG {r.variant.name} {r.model} reference {r.reference} "
                             f"seed {r.seed}: {claim}: {f['text']}")
    return "\n".join(lines)


def run_all(variants, runs, seed, profile="standard", workers=4, references=(False, True),
            rhythm=(), only=None):
    jobs = [(v, reference, seed + i) for i in range(runs) for v in variants
            for reference in references]
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(assay, v, reference, s, profile, rhythm, only)
                   for v, reference, s in jobs]
        return [f.result() for f in futures]


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--runs", type=int, default=1, help="of each variant, with and without")
    options.add_argument("--profile", default="standard")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--workers", type=int, default=4)
    options.add_argument("--only", default="", help="a part of the variants' names")
    options.add_argument("--kind", choices=("honest", "cheats", "all"), default="all")
    options.add_argument("--with", dest="references", choices=("no", "yes", "both"),
                         default="both", help="a reference")
    options.add_argument("--no-rhythm", action="store_true", help="answers come at once")
    chosen = options.parse_args()
    variants = {"honest": HONEST, "cheats": CHEATS, "all": HONEST + CHEATS}[chosen.kind]
    started = time.monotonic()
    runs = run_all([v for v in variants if chosen.only in v.name], chosen.runs, chosen.seed,
                   chosen.profile, chosen.workers,
                   {"no": [False], "yes": [True], "both": [False, True]}[chosen.references],
                   rhythm=("--delay", "0") if chosen.no_rhythm else ())
    print(table(runs))
    print()
    print(summary(runs))
    print(f"{time.strftime('%Y-%m-%d', time.gmtime())}, profile {chosen.profile}, seeds "
          f"{chosen.seed} to {chosen.seed + chosen.runs - 1}, {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
