# SPDX-License-Identifier: Apache-2.0
"""The assay over real small models, served on this machine over HTTP: told from each other, from
what was made of them, and not from themselves. It needs an environment with the packages of
requirements.txt (which says how), and takes about three minutes a run on two cores:

    ENTREPOT=build/entrepot nice python3 -m tests.assay.real --python build/venv-real/bin/python \\
        --folder build/real --runs 2

All evidence is kept in the folder, and a further call adds to it; --runs 0 only judges what is
there once more, with the program as it is now, and prints the table.
"""
import argparse
import collections
import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import time
import urllib.request

from tests.assay import zoo
from tests.assay.front import Front
from tests.peer import station
from tests.peer.ports import free_port

HELPER = pathlib.Path(__file__).with_name("real_serve.py")
KEY = "sk-real-5f1c"
SHORT = "You are a helpful assistant."
PROMPT = "\n".join([
    "You are a coding assistant that works in a terminal on somebody's repository.",
    *[f"Rule {i}: {rule}" for i, rule in enumerate([
        "read a file before you change it, and change no more than what was asked for.",
        "run the tests after each change, and say which of them failed and why.",
        "never print a secret, a key or the content of an environment variable.",
        "prefer small functions with plain names to clever ones with long comments.",
        "ask before you delete a file, force a push or install a package.",
        "keep answers under four lines unless the user asks for an explanation.",
        "do not praise the user, do not apologise, and do not use emoji.",
        "cite a place in the code as path and line, so that it can be opened.",
        "when a command fails, read its output to the end before you try another.",
        "write commit messages in the imperative, with a reason behind the first line.",
        "where two ways are equally good, take the one that the code already uses.",
        "stop when the task is done, and list what you did not do.",
    ], 1)]])
DEFAULTS = {"temperature": 0.8, "top_k": 40, "top_p": 0.95, "min_p": 0.05}

# sold: the model that is served; mix: another that serves a quarter; front: what a Front is told;
# through: a dialect, spoken with our own station in front.
Pair = collections.namedtuple("Pair", "name reference sold honest through mix front profile",
                              defaults=(True, None, None, None, "standard"))
PAIRS = [
    Pair("smol, itself", "smol", "smol"),
    Pair("gemma, itself", "gemma", "gemma"),
    Pair("smol through our station", "smol", "smol", True, "chat"),
    Pair("smol through our station, messages", "smol", "smol", True, "messages"),
    Pair("smol on a host of other defaults", "smol", "smol", True, None, None,
         {"defaults": DEFAULTS}),
    Pair("gemma sold as smol", "smol", "gemma", False),
    Pair("smol sold as gemma", "gemma", "smol", False),
    Pair("smol with a quarter gemma", "smol", "smol", False, None, "gemma"),
    Pair("smol, prompt of 12 rules", "smol", "smol", False, None, None, {"prompt": PROMPT}),
    Pair("the same through our station", "smol", "smol", False, "messages", None,
         {"prompt": PROMPT}),
    Pair("smol, prompt of a line", "smol", "smol", False, None, None, {"prompt": SHORT}),
    Pair("smol, usage x 1.15", "smol", "smol", False, None, None, {"factor": 1.15}),
    Pair("smol at temperature 0.8", "smol", "smol", False, None, None,
         {"settings": {"temperature": 0.8}}),
    Pair("smol, settings put in their place", "smol", "smol", False, None, None,
         {"settings": DEFAULTS}),
    Pair("smol as Q4_0", "smol", "smol-Q4_0", False),
    Pair("smol as Q8_0", "smol", "smol-Q8_0", False),
    Pair("quick: smol, itself", "smol", "smol", profile="quick"),
    Pair("quick: smol, prompt of 12 rules", "smol", "smol", False, None, None,
         {"prompt": PROMPT}, "quick"),
    Pair("quick: the same through our station", "smol", "smol", False, "messages", None,
         {"prompt": PROMPT}, "quick"),
    Pair("quick: smol, prompt of a line", "smol", "smol", False, None, None, {"prompt": SHORT},
         "quick"),
    Pair("quick: smol, usage x 1.15", "smol", "smol", False, None, None, {"factor": 1.15},
         "quick"),
    Pair("deep: smol, itself", "smol", "smol", profile="deep"),
    Pair("deep: smol as Q4_0", "smol", "smol-Q4_0", False, profile="deep"),
    Pair("deep: smol at temperature 0.8", "smol", "smol", False, None, None,
         {"settings": {"temperature": 0.8}}, "deep"),
]
# What is told by chance alone, many times: the short answers, without all else.
PAIRS += [p._replace(name=f"answers: {p.name}", profile="answers") for p in PAIRS
          if p.profile == "standard" and not p.through and "factor" not in (p.front or {})]
PROFILES = {"quick": ["quick"], "standard": ["standard"], "deep": ["deep"],
            "answers": ["standard", "--only", "answers,logprobs"]}


class Server:
    """One model, one thread. Its name is its own, so that an answer of another server that holds
    the port is known: llama.cpp says "ready" on a port that is taken."""

    def __init__(self, options, model):
        self.port = free_port()
        self.name = f"{model}-{self.port}"
        file = options.folder / "models" / f"{model}.gguf"
        self.process = subprocess.Popen(
            [options.python, HELPER, "serve", file, str(self.port), self.name,
             str(options.context)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.base = f"http://127.0.0.1:{self.port}"
        if not self.process.stdout.readline().startswith("ready"):
            raise RuntimeError(f"{model} cannot be served")
        with urllib.request.urlopen(self.base + "/v1/models", timeout=60) as got:
            found = json.load(got)["data"][0]["id"]
        if found != self.name:
            raise RuntimeError(f"port {self.port} is {found}'s, not {self.name}'s")

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def behind_station(stack, base, model):
    s = station.Station(
        upstreams=[{"name": "up", "vendor": "openai-compatible", "base": base + "/v1",
                    "keys": ["sk-up"], "dialects": ["chat"]}],
        models=[station.model(model, "up")])
    stack.callback(s.close)
    s.start()
    s.create_account("alice")
    s.credit("alice", "50")
    return f"http://127.0.0.1:{s.port}", s.create_key("alice")


def models_seen(folder):
    """Which models answered, by side, as they name themselves."""
    found = collections.defaultdict(set)
    with open(folder / "evidence" / "calls.jsonl", encoding="utf-8") as file:
        for line in map(json.loads, file):
            if line.get("status") == 200 and line["body"].startswith("{"):
                found[line["side"]].add(json.loads(line["body"]).get("model"))
    for names in found.values():
        names.discard(None)     # counts of tokens are nobody's
    return found


def run(options, pair, seed):
    folder = options.folder / "runs" / f"{pair.name} {seed}".replace(":", "").replace(" ", "-")
    if (folder / "meta.json").exists():
        return
    shutil.rmtree(folder, ignore_errors=True)       # what was begun and not finished
    folder.mkdir(parents=True)
    model = {"smol": "smollm2-135m-instruct", "gemma": "gemma-3-270m"}[pair.reference]
    with contextlib.ExitStack() as stack:
        def serve(name):
            server = Server(options, name)
            stack.callback(server.close)
            return server
        sold, reference = serve(pair.sold), serve(pair.reference)
        other = serve(pair.mix) if pair.mix else None
        more = {"mix": (other.base, 0.25)} if other else {}
        front = stack.enter_context(Front(sold.base, seed=seed, **(pair.front or {}), **more))
        base, key = front.base, KEY
        if pair.through:
            base, key = behind_station(stack, front.base, model)
        started = time.monotonic()
        done = subprocess.run(
            [station.PROGRAM, "assay", base + "/v1", "--model", model, "--key-env", "TARGET_KEY",
             "--reference", reference.base + "/v1", "--reference-key-env", "REFERENCE_KEY",
             "--dialect", pair.through or "chat", "--profile", *PROFILES[pair.profile], "--seed",
             str(seed), "--concurrency", "2", "--evidence", folder / "evidence", "-y"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            env={**os.environ, "TARGET_KEY": key, "REFERENCE_KEY": KEY}, timeout=3600)
        seconds = time.monotonic() - started
    wanted = {sold.name} | ({other.name} if other else set())
    if front.names != wanted or models_seen(folder)["reference"] != {reference.name}:
        raise RuntimeError(f"{pair.name}: others answered: {front.names}, {models_seen(folder)}; "
                           f"{done.stderr}")
    meta = {"pair": pair.name, "seed": seed, "seconds": round(seconds)}
    (folder / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
    print(f"{pair.name} {seed}: {seconds:.0f} s, status {done.returncode}", flush=True)


def judged(folder):
    """The report of what is kept, as the program makes it now."""
    report = folder / "report.json"
    subprocess.run([station.PROGRAM, "assay", "--recompute", folder / "evidence", "--json", report],
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=600)
    return {**zoo.read(folder / "meta.json"), "report": zoo.read(report)}


def table(runs):
    lines = ["| sold, against | accused, % [95 %] | inconsistent | inconclusive | calls | s |",
             "|---|---|---|---|---|---|"]
    for pair in PAIRS:
        of = [r for r in runs if r["pair"] == pair.name]
        states = [{c["claim"]: c["state"] for c in r["report"]["claims"]} for r in of]
        if not of:
            continue
        hits = sum("inconsistent" in s.values() for s in states)
        def named(state, states=states):
            counts = collections.Counter(c for s in states for c in s if s[c] == state)
            return ", ".join(f"{c} {n}" for c, n in sorted(counts.items())) or "-"
        lines.append(f"| {pair.name} | {zoo.share(hits, len(of))} | {named('inconsistent')} | "
                     f"{named('inconclusive')} | "
                     f"{sum(r['report']['calls']['made'] for r in of) // len(of)} | "
                     f"{sum(r['seconds'] for r in of) // len(of)} |")
    return "\n".join(lines)


def details(runs):
    """What decided, of honest ones that are accused, and the p of each test of identity."""
    honest = {p.name for p in PAIRS if p.honest}
    lines = []
    for r in runs:
        for claim in r["report"]["claims"]:
            for f in claim["findings"]:
                if f["probe"] in ("answers", "texts"):
                    lines.append(f"{r['pair']} {r['seed']}: {f['probe']} p {f.get('p')} "
                                 f"{f.get('numbers')}")
                elif f["state"] == "inconsistent":
                    wrong = "WRONG " if r["pair"] in honest else ""
                    lines.append(f"{wrong}{r['pair']} {r['seed']}: {claim['claim']}: {f['text']}")
    clean = [r for r in runs if r["pair"] in honest]
    false = [r for r in clean if any(c["state"] == "inconsistent" for c in r["report"]["claims"])]
    if clean:
        lines.append(f"models against themselves, accused: {zoo.share(len(false), len(clean))} %")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default="build/venv-real/bin/python")
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("build/real"))
    parser.add_argument("--runs", type=int, default=1, help="of each pair, beyond what is there")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--context", type=int, default=4096,
                        help="tokens that the servers take: the long input has 7,000, and two "
                             "minutes go by over it")
    parser.add_argument("--only", default="", help="what the pairs' names hold: a pattern")
    parser.add_argument("--profile", default="standard", choices=PROFILES)
    options = parser.parse_args()
    chosen = [p for p in PAIRS if re.search(options.only, p.name) and p.profile == options.profile]
    if options.runs:
        subprocess.run([options.python, HELPER, "make", options.folder / "models"], check=True)
    with concurrent.futures.ThreadPoolExecutor(options.workers) as pool:
        futures = [pool.submit(run, options, p, options.seed + i) for i in range(options.runs)
                   for p in chosen]
        for f in futures:
            if f.exception():
                print("VOID", f.exception(), flush=True)
    folders = sorted((options.folder / "runs").glob("*/meta.json"))
    runs = [judged(f.parent) for f in folders]
    print(table(runs))
    print()
    print(details(runs))


if __name__ == "__main__":
    main()
