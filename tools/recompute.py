#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Computes a statement again: every charge from its usage and its price row, every balance from the
movements before it. Knows nothing of the station but what it publishes; Python's own library only.

    recompute.py STATEMENT --prices FILE...          a file, JSON or CSV (all its pages, in order)
    recompute.py URL --key KEY [--from DAY] [--to DAY] [--currency CODE]

FILE is what /v1/prices answers: today's prices, ?history=1, or ?row=N. With a URL (of the station)
each price row that a charge names is asked for. Each line that differs is printed, once; the exit
status is then 1. It is 2 where nothing could be read.
"""
import argparse
import csv
import http.client
import io
import json
import os
import re
import sys
import urllib.error
import urllib.parse
import urllib.request

# What is counted, and which rate counts where a price does not name one of its own.
INPUT = {"in": None, "in_audio": "in", "in_image": "in", "in_video": "in", "in_tool": "in",
         "cache_read": "in", "cache_read_audio": "cache_read", "cache_read_image": "cache_read",
         "cache_read_video": "cache_read", "cache_write_5m": "in",
         "cache_write_1h": "cache_write_5m", "cache_write_other": "cache_write_5m"}
OUTPUT = {"out": None, "out_audio": "out", "out_image": "out", "out_video": "out",
          "reasoning": "out"}
COUNTERS = {"web_search": None, "web_fetch": None, "file_search": None, "code": None,
            "images": None}
LEAVES = {**INPUT, **OUTPUT, **COUNTERS}
NANO = 10**9
AMOUNT = re.compile(r"(-?)(\d+)(?:\.(\d{1,9}))?$", re.ASCII)
BALANCES = (("amount", "balance"), ("promo_amount", "promo_balance"))


class Wrong(Exception):
    """What a line says is not so."""


FAULTS = (Wrong, KeyError, ValueError, IndexError, TypeError)


def nano(text):
    """A decimal with at most nine digits behind the point, as an integer of nano."""
    found = AMOUNT.match(text)
    if not found:
        raise Wrong(f"{text!r} is no amount in nano")
    sign, units, parts = found.groups()
    value = int(units) * NANO + int((parts or "").ljust(9, "0"))
    return -value if sign else value


def decimal(value):
    digits = f"{abs(value):010d}"
    return ("-" if value < 0 else "") + f"{digits[:-9]}.{digits[-9:]}".rstrip("0").rstrip(".")


def rate(tier, leaf):
    while leaf is not None:
        if leaf in tier:
            return tier[leaf]
        leaf = LEAVES[leaf]
    return 0


def cost(price, usage, service, ratios):
    """Nano, rounded down once: all tokens by the tier that all of the input reaches, times the
    factor of the service; what is counted in pieces and the request itself beside them."""
    terms, used = price["terms"], [leaf for leaf in LEAVES if usage.get(leaf)]
    reached = sum(usage.get(leaf, 0) for leaf in INPUT)
    tier = [t for t in terms["tiers"] if t["min_input"] <= reached][-1]
    num, den = terms.get("service", {}).get(service, (1, 1))
    pico = sum(usage[leaf] * rate(tier, leaf) for leaf in used if leaf not in COUNTERS) * num
    pico += sum(usage[leaf] * rate(tier, leaf) for leaf in used if leaf in COUNTERS) * den
    pico += terms.get("request", 0) * den
    for up, down in ((price["margin_num"], price["margin_den"]), *ratios):
        pico, den = pico * up, den * down
    return pico // (den * 1000)


class Prices:
    def __init__(self, files, station):
        self.rows, self.station = {}, station
        for name in files:
            with open(name, encoding="utf-8") as text:
                self.add(json.load(text))

    def add(self, answer):
        for row in answer["prices"]:
            self.rows[int(row["price_row"])] = row

    def row(self, number):
        if number not in self.rows and self.station:
            self.add(json.loads(self.station.get("/v1/prices", row=number)[0]))
        if number not in self.rows:
            raise Wrong(f"no price row {number} is known here")
        return self.rows[number]


class Station:
    def __init__(self, base, key):
        self.base, self.key = base.rstrip("/"), key

    def get(self, path, **query):
        query = urllib.parse.urlencode({k: v for k, v in query.items() if v})
        request = urllib.request.Request(f"{self.base}{path}?{query}",
                                         headers={"Authorization": f"Bearer {self.key}"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read().decode(), answer.headers

    def pages(self, **query):
        cursor = None
        while True:
            page = json.loads(self.get("/v1/statement", cursor=cursor, **query)[0])
            yield page
            cursor = page["next"]
            if cursor is None:
                return


def from_json(pages):
    """Lines as (place, kind, fields): what a page says at its begin and end, and its movements."""
    for number, page in enumerate(pages, 1):
        for row in page["opening"]:
            yield f"page {number}, opening", row
        for at, row in enumerate(page["movements"], 1):
            yield f"page {number}, movement {at}", row
        for row in page["closing"]:
            yield f"page {number}, closing", row


def from_csv(text):
    for at, row in enumerate(csv.DictReader(io.StringIO(text, newline="")), 2):
        row = {name: value for name, value in row.items() if value != ""}
        if row["kind"] == "charge":
            row["usage"] = {leaf: int(row[leaf]) for leaf in LEAVES if leaf in row}
        yield f"row {at}", row


def read_file(name):
    with open(name, encoding="utf-8", newline="") as file:
        text = file.read()
    if not text.lstrip().startswith(("{", "[")):
        return from_csv(text)
    pages = json.loads(text)
    return from_json(pages if isinstance(pages, list) else [pages])


class Judge:
    def __init__(self, prices):
        self.prices = prices
        # (currency, "balance" or "promo_balance"): nano. Behind a fault there are two: the one that
        # is said and the one that is computed, since nobody knows which of them is right.
        self.balances = {}
        self.charges = {}           # request: what its charge has taken, and what came back
        self.differences = self.lines = 0

    def same(self, what, said, found):
        if nano(said) != found:
            raise Wrong(f"{what} is {said}, computed {decimal(found)}")

    def ratios(self, row, price):
        if row.get("factor_row"):
            yield int(row["factor_num"]), int(row["factor_den"])
        if row.get("rate_row"):
            ratio = (int(row["rate_num"]), int(row["rate_den"]))
            pair = (row["rate_base"], row["rate_quote"])
            if pair == (price["currency"], row["currency"]):
                yield ratio
            elif pair == (row["currency"], price["currency"]):
                yield ratio[1], ratio[0]
            else:
                raise Wrong(f"a rate from {pair[0]} to {pair[1]} is not the one it takes")
        elif price["currency"] != row["currency"]:
            raise Wrong(f"a price in {price['currency']} and no rate")

    def charge(self, row):
        unknown = set(row["usage"]) - set(LEAVES)
        if unknown:
            raise Wrong(f"{', '.join(sorted(unknown))} is counted, and nothing here knows it")
        price = self.prices.row(int(row["price_row"]))
        computed = cost(price, row["usage"], row.get("tier", ""), self.ratios(row, price))
        self.same("computed", row["computed"], computed)
        charged, promo = nano(row["charged"]), nano(row["promo"])
        if not 0 <= promo <= charged <= computed:
            raise Wrong("promo, charged and computed are not in this order")
        self.same("amount", row["amount"], promo - charged)
        self.same("promo_amount", row["promo_amount"], -promo)
        self.charges[row["request"]] = [promo - charged, -promo]

    def reversal(self, row):
        taken = self.charges.get(row["request"])        # else its charge is of an earlier period
        if taken is None:
            return
        for at, (name, _) in enumerate(BALANCES):
            taken[at] += nano(row[name])
            if taken[at] > 0:
                raise Wrong(f"{name} gives back more than was charged")

    def balance(self, row, change, total):
        key, moves = (row["currency"], total), row["kind"] not in ("opening", "closing")
        if row["kind"] == "opening" and key not in self.balances:
            self.balances[key] = [nano(row[total])]
            return
        step = nano(row[change]) if moves else 0
        found = [before + step for before in self.balances.get(key, [0])]
        self.balances[key] = found
        said = nano(row[total])
        self.balances[key] = [said] if said in found else [said, found[0]]
        if said not in found:
            raise Wrong(f"{total} is {row[total]}, computed {decimal(found[0])}")

    def line(self, row):
        """Goes over all of a line, so that later ones stand on it, and raises its first fault."""
        own = {"charge": self.charge, "reversal": self.reversal}.get(row.get("kind"))
        faults = []
        for check, names in ((own, ()), *((self.balance, names) for names in BALANCES)):
            try:
                if check:
                    check(row, *names)
            except FAULTS as why:
                faults.append(why)
        if faults:
            raise faults[0]

    def run(self, lines):
        closed = False
        for place, row in lines:
            self.lines += 1
            closed = row.get("kind") == "closing"
            try:
                self.line(row)
            except FAULTS as why:
                self.differences += 1
                name = row.get("request") or row.get("currency")
                print(f"{place}: {row.get('kind')} {name}: {why}"
                      if isinstance(why, Wrong) else f"{place}: not readable: {why!r}")
        if not closed:
            self.differences += 1
            print("the statement has no closing balance: it is not whole")
        return self.differences


def said_by(why):
    """In a line what went wrong; of the station's refusals, its own words."""
    if isinstance(why, urllib.error.HTTPError):
        body = why.read().decode(errors="replace")
        try:
            return f"{why.url}: {why.code}: {json.loads(body)['error']['message']}"
        except (ValueError, KeyError, TypeError):
            return f"{why.url}: {why.code} {why.reason}"
    if isinstance(why, KeyError):
        return f"this is no statement or price list of a station: {why} is missing"
    if isinstance(why, (json.JSONDecodeError, TypeError)):
        return f"this is no JSON of a station: {why}"
    return str(why)


def options():
    parser = argparse.ArgumentParser(
        description="Computes a statement again: every charge and every balance. Prints each line "
                    "that differs. Exit status: 0 all agree, 1 something differs, 2 not readable.")
    parser.add_argument("statement", help="a file (JSON or CSV), or the URL of the station")
    parser.add_argument("--prices", nargs="*", default=[], metavar="FILE",
                        help="what /v1/prices answers; with a URL it is asked for")
    parser.add_argument("--key", default=os.environ.get("ENTREPOT_KEY"),
                        help="the customer's key, with a URL (the variable ENTREPOT_KEY)")
    parser.add_argument("--from", dest="from_", metavar="DAY",
                        help="with a URL: the first day of UTC, such as 2026-11-01 (of this month)")
    parser.add_argument("--to", metavar="DAY", help="with a URL: up to this day, without it")
    parser.add_argument("--currency", metavar="CODE", help="with a URL: one balance alone (all)")
    return parser


def judge(asked):
    """(differences, lines)"""
    station = None
    if asked.statement.startswith(("http://", "https://")):
        station = Station(asked.statement, asked.key)
        lines = from_json(station.pages(**{"from": asked.from_, "to": asked.to,
                                           "currency": asked.currency}))
    else:
        lines = read_file(asked.statement)
    found = Judge(Prices(asked.prices, station))
    return found.run(lines), found.lines


def main():
    parser = options()
    asked = parser.parse_args()
    if asked.statement.startswith(("http://", "https://")) and not asked.key:
        parser.error("a station wants the customer's key: --key KEY")
    try:
        wrong, lines = judge(asked)
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as why:
        print(f"recompute: {said_by(why)}", file=sys.stderr)
        return 2
    print(f"{lines} lines, {wrong} differ" if wrong else f"{lines} lines, all agree")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
