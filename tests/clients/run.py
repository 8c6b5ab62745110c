#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real clients against the station, with upstreams of each dialect: a table, and what differs.

    tests/clients/run.py [--client WORD] [--upstream DIALECT] [--scene NAME] [--own] [--evidence]

Each row is one client, one dialect of the upstream and one scene (upstream.py). It holds when the
client said what the scene is about, when the vendor got exactly as many requests as the client
needs (a further one is a silent retry that somebody pays), when each answer was charged once, when
the vendor would have taken what it got (strict.py), and when no name was looked up: everything runs
in a network without a way out (sandbox.py). What passed in a failed row is kept in
build/clients/evidence.
"""
import argparse
import collections
import os
import pathlib
import re
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.clients import sandbox, tap  # noqa: E402
from tests.clients.cells import ANY, MODELS, cells_of, clients  # noqa: E402
from tests.clients.upstream import Upstream  # noqa: E402
from tests.peer import station  # noqa: E402
from tests.peer.wait import until  # noqa: E402

EVIDENCE = ROOT / "build/clients/evidence"
DIALECTS = ("chat", "responses", "messages", "gemini")
# Which vendor, and by which name, a model goes to in each dialect.
VENDORS = {"chat": ("openai", "deepseek-chat"), "responses": ("openai", "gpt-5.5"),
           "messages": ("anthropic", "claude-sonnet-4-5"),
           "gemini": ("gemini", "gemini-3-pro-preview")}
SETTLED_S = 20      # the closing row comes a moment after the answer


class House:
    """A station whose models are all with one vendor, and the tap in front of it."""

    def __init__(self, dialect):
        self.dialect = dialect
        self.upstream = Upstream(dialect)
        kind, name = VENDORS[dialect]
        row = station.upstream(self.upstream.vendor, kind, "vendor", dialects=[dialect],
                               cooldown="0s")
        # For its titles opencode wants no reasoning, which this one's model cannot do without.
        lossy = ["reasoning that cannot be switched off"] if dialect == "gemini" else []
        route = {"upstream": "vendor", "model": name, "lossy": lossy}
        models = [station.model(each, route) for each in MODELS.values()]
        self.station = station.Station([row], models).start()
        self.tap = tap.Tap(self.station.port)
        self.accounts = 0

    def customer(self):
        self.accounts += 1
        name = f"customer{self.accounts}"
        self.station.create_account(name)
        self.station.credit(name, "50.00")
        return name, self.station.create_key(name)

    def charges(self, name):
        """How many answers the customer has paid for in the end."""
        rows = self.station.store.sql(
            "SELECT c.rid FROM charge c JOIN account a ON a.id = c.account WHERE a.name = ?", name)
        nets = self.station.store.nets() if rows else {}
        return sum(nets[row["rid"]] > 0 for row in rows)

    def close(self):
        self.station.ledger_check()
        self.station.close()
        self.upstream.vendor.close()


def play(house, client, cell, names):
    """One row: what differs from what is expected, and the counts."""
    account, key = house.customer()
    house.upstream.reset()
    house.upstream.converted = house.dialect != client.dialect
    house.tap.take()
    names.take()
    differs = []
    said = client.play(cell, house, key)
    for received in house.upstream.vendor.received:
        received.done.wait(SETTLED_S)
    if cell.expect and not re.search(cell.expect, said.text):
        differs.append(f"said {said.text[-200:]!r} {said.trouble[-300:]!r}")
    differs += said.differs
    requests = len(house.upstream.generations)
    if requests != cell.requests and cell.requests != ANY:
        differs.append("the vendor got " + ", ".join(house.upstream.played))
    try:
        until(lambda: house.charges(account) >= cell.charges, "charges",
              SETTLED_S if requests >= cell.charges else 1)
    except AssertionError:
        pass
    charges = house.charges(account)
    if charges != cell.charges:
        differs.append(f"{charges} charges")
    differs += dict.fromkeys(house.upstream.complaints)
    looked_up = names.take()
    if looked_up:
        differs.append("looked up " + ", ".join(looked_up))
    log = house.tap.take()
    lossy = sorted({path.strip() for value in tap.answered(log, "relay-lossy")
                    for path in value.split(",")})
    if cell.requests > 1 and house.upstream.thoughts:
        lossy.insert(0, f"({house.upstream.thoughts} thoughts came back)")
    wanted = "-" if cell.requests == ANY else cell.requests
    return differs, f"{requests}/{wanted}", f"{charges}/{cell.charges}", lossy, log


def keep(house, client, cell, log):
    EVIDENCE.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"\W+", "-", f"{client.name} {house.dialect} {cell.name}")
    with open(EVIDENCE / f"{name}.txt", "wb") as out:
        out.write(b"What passed between the client (>) and the station (<):\n" + tap.text(log))
        out.write(b"\n\nWhat the vendor got:\n")
        for received in house.upstream.vendor.received:
            out.write(b"\n" + received.head + received.body + b"\n")
        out.write(b"\n\nThe station's log:\n" + house.station.log().encode()[-4000:])
    return EVIDENCE / f"{name}.txt"


def main():
    parser = argparse.ArgumentParser(usage="see the top of tests/clients/run.py")
    parser.add_argument("--client", action="append", default=[])
    parser.add_argument("--upstream", action="append", default=[], choices=DIALECTS)
    parser.add_argument("--scene", action="append", default=[])
    parser.add_argument("--own", action="store_true", help="only upstreams of the client's dialect")
    parser.add_argument("--evidence", action="store_true", help="keep what passed in every row")
    asked = parser.parse_args()
    if not station.available():
        sys.exit(f"clients: no station at {station.PROGRAM}")
    sandbox.enter()
    names = sandbox.Names()
    houses = {d: House(d) for d in asked.upstream or DIALECTS}
    totals = collections.Counter()
    verdicts = {}
    for client in clients():
        if asked.client and not any(w.lower() in client.name.lower() for w in asked.client):
            continue
        if missing := client.missing():
            print(f"SKIP  {client.name}: {missing}", flush=True)
            totals["skipped"] += 1
            continue
        for house in houses.values():
            if asked.own and house.dialect != client.dialect:
                continue
            for cell in cells_of(client):
                if asked.scene and cell.name not in asked.scene:
                    continue
                row(house, client, cell, names, totals, verdicts, asked.evidence)
        client.close()
    for house in houses.values():
        house.close()
    summary(verdicts)
    skipped = f", {totals['skipped']} skipped" if totals["skipped"] else ""
    print(f"{totals['passed']} passed, {totals['failed']} failed{skipped}")
    return 1 if totals["failed"] or not totals["passed"] else 0


def row(house, client, cell, names, totals, verdicts, evidence):
    began = time.monotonic()
    differs, requests, charges, lossy, log = play(house, client, cell, names)
    good = not differs
    totals["passed" if good else "failed"] += 1
    verdicts.setdefault((client.name, client.dialect), {}).setdefault(
        house.dialect, []).append((cell.name, good))
    print(f"{'ok' if good else 'FAIL':4}  {client.name:28} {house.dialect:9}  {cell.name:10}  "
          f"requests {requests:4} charges {charges:4} "
          f"{time.monotonic() - began:4.1f} s"
          + (f"  lossy: {', '.join(lossy)}" if lossy else ""), flush=True)
    for what in differs:
        print(f"        | {what}")
    if differs or evidence:
        kept = os.path.relpath(keep(house, client, cell, log), ROOT)
        print(f"        | kept: {kept}", flush=True)


def summary(verdicts):
    """Client by dialect of the upstream: how many of the scenes held, and which did not."""
    print(f"\n{'client':30} {'speaks':10}" + "".join(f"{d:>12}" for d in DIALECTS))
    for (name, own), by_dialect in verdicts.items():
        line = f"{name:30} {own:10}"
        bad = []
        for dialect in DIALECTS:
            rows = by_dialect.get(dialect, [])
            held = sum(good for _, good in rows)
            line += f"{f'{held} of {len(rows)}' if rows else '-':>12}"
            bad += [f"{dialect}/{cell}" for cell, good in rows if not good]
        print(line + ("   not: " + " ".join(bad) if bad else ""))


if __name__ == "__main__":
    sys.exit(main())
