# SPDX-License-Identifier: Apache-2.0
"""Margin against risk, computed a second time: from the transfers as the store has them, one by
one, in exact fractions. Of how the station adds up nothing is used here, only what accounts mean.

    rows(store, by="model", currency="USD")     {(group, currency): {"revenue": nano, ...}}
"""
import collections
import datetime
from fractions import Fraction

LOST = ("failed_attempts", "fx_spread")
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def meaning(name):
    """(what a house account's balance is of the margin, the sign of it), or None."""
    parts = name.split(":")[:-1]
    if parts[0] == "rev":
        known = {"usage": ("revenue", 1), "promo_discount": ("promo_discount", -1)}
        return known.get(parts[1], ("other_revenue", 1))
    if parts[0] == "cogs":
        return ("failed_attempts" if parts[1:] == ["failed_attempts"] else "cost", -1)
    if parts == ["exp", "fx_spread"]:
        return ("fx_spread", -1)
    if parts[0] in ("loss", "exp"):
        return ("losses." + ":".join(parts[1:]), -1)
    return None


def rid_text(rid):
    number, text = int.from_bytes(rid, "big"), ""
    for _ in range(26):
        text = ALPHABET[number % 32] + text
        number //= 32
    return text


class Books:
    def __init__(self, store):
        self.accounts = {row["id"]: row for row in store.sql("SELECT * FROM account")}
        self.charges = {row["id"]: row for row in store.sql("SELECT * FROM charge")}
        self.transfers = store.sql("SELECT * FROM transfer ORDER BY id")
        self.rates = store.sql("SELECT * FROM rate")
        self.plans = {row["id"]: row for row in store.sql("SELECT * FROM plan")}
        self.purchases = {row["id"]: row for row in store.sql("SELECT * FROM purchase")}

    def group(self, transfer, by):
        charge = self.charges.get(transfer["cause"])
        if by == "":
            return None
        if by == "day":
            at = datetime.datetime.fromtimestamp(transfer["ts"] // 10**6, datetime.timezone.utc)
            return at.strftime("%Y-%m-%dT00:00:00.000Z")
        if by == "upstream":
            for row in (charge, self.plans.get(transfer["plan"]),
                        self.purchases.get(transfer["purchase"])):
                if row:
                    return row["upstream"]
            name = self.accounts[transfer["credit"]]["name"]
            return ":".join(name.split(":")[1:-1]) if name.startswith("asset:") else None
        payer = self.accounts[charge["account"]] if charge else None
        if transfer["kind"] == "refund":
            payer = self.accounts[transfer["debit"]]
        if transfer["kind"] == "refund_back":
            payer = self.accounts[transfer["credit"]]
        if by in ("customer", "group"):
            owner = payer and self.accounts[payer["owner"] or payer["id"]]
            return owner and owner["name" if by == "customer" else "group_"]
        if charge is None:
            return None
        return {"request": lambda: rid_text(charge["rid"]), "model": lambda: charge["asked"],
                "key": lambda: str(charge["key"])}[by]()

    def rate(self, base, quote, at):
        """What one of base is in quote at that time; None: nobody has said."""
        known = [row for row in self.rates
                 if {row["base"], row["quote"]} == {base, quote} and row["from_"] <= at]
        if not known:
            return None
        row = max(known, key=lambda row: (row["from_"], row["id"]))
        ratio = Fraction(row["num"], row["den"])
        return row["id"], ratio if row["base"] == base else 1 / ratio

    def unknown(self):
        """As transfers of nothing: the charges that stand and whose cost nobody knows."""
        reversed_ = {row["cause"] for row in self.transfers if row["kind"] == "reversal"}
        for number, charge in self.charges.items():
            if charge["cost_currency"] == "" and number not in reversed_:
                yield {"ts": charge["ts"], "cause": number, "plan": None, "purchase": None,
                       "kind": "", "currency": self.accounts[charge["account"]]["currency"]}

    def flows(self, transfer):
        for side, sign in (("credit", 1), ("debit", -1)):
            account = self.accounts[transfer[side]]
            if account["kind"] != "system":
                continue
            if account["name"].startswith("clear:refund:"):
                if transfer["kind"] in ("refund", "refund_back"):
                    yield "refunds", sign * transfer["nano"], account["currency"]
                continue
            what = meaning(account["name"])
            if what:
                yield what[0], what[1] * sign * transfer["nano"], account["currency"]


def rows(store, by="", currency=None, begin=0, end=2**63):
    """By group and currency; sums that were exchanged are rounded toward zero once a rate."""
    books, sums = Books(store), collections.Counter()
    for transfer in books.transfers:
        if not begin <= transfer["ts"] < end:
            continue
        for what, nano, cur in books.flows(transfer):
            found = None
            if currency not in (None, cur):
                found = books.rate(cur, currency, transfer["ts"])
            sums[books.group(transfer, by), cur, what, found] += nano
    out = collections.defaultdict(collections.Counter)
    for row in books.unknown():
        if begin <= row["ts"] < end:
            cur = row["currency"]
            found = currency not in (None, cur) and books.rate(cur, currency, row["ts"])
            out[books.group(row, by), currency if found else cur]["unknown_costs"] += 1
    for (group, cur, what, found), nano in sums.items():
        out[group, currency if found else cur][what] += int(nano * found[1]) if found else nano
    for cell in out.values():
        kept = cell["revenue"] + cell["other_revenue"] - cell["promo_discount"] - cell["cost"]
        cell["left"] = kept - sum(n for what, n in cell.items()
                                  if what in LOST or what.startswith("losses."))
    return dict(out)
