# SPDX-License-Identifier: Apache-2.0
"""Compares what the auditor expects with the ledger's memory and with the rows of its store.

The invariants are asked in SQL of its own, not in that of `ledger check`.
"""
import collections
import contextlib
import json
import sqlite3

from tests.model import sales
from tests.model.auditor import CRASH, LATE, require
from tests.peer import price

# Each finds rows that break one.
INVARIANTS = {
    "a balance is what came in less what went out":
        "SELECT name, balance, (SELECT coalesce(sum(nano), 0) FROM transfer WHERE credit = a.id) - "
        "(SELECT coalesce(sum(nano), 0) FROM transfer WHERE debit = a.id) AS flow "
        "FROM account a WHERE balance <> flow",
    "all of a currency together is nothing":
        "SELECT currency, sum(balance) AS s FROM account GROUP BY currency HAVING s <> 0",
    "no customer owes":
        "SELECT name, balance FROM account WHERE kind = 'customer' AND balance < 0",
    "no house owes more than its limit":
        "SELECT name FROM account WHERE kind = 'house' AND credit_limit > 0 "
        "AND balance + credit_limit < 0",
    "allotments are of the last epoch":
        "SELECT account FROM allotment WHERE epoch <> (SELECT max(id) FROM epoch)",
    "allotments are covered":
        "SELECT a.name FROM account a JOIN allotment l ON l.account = a.id "
        "GROUP BY a.id HAVING sum(l.nano) > a.balance + a.credit_limit OR min(l.nano) < 0",
    "a charge is closed, reversed, or of this epoch":
        "SELECT id FROM charge WHERE computed > 0 AND epoch <> (SELECT max(id) FROM epoch) "
        "AND rid NOT IN (SELECT rid FROM request) "
        "AND id NOT IN (SELECT cause FROM transfer WHERE kind = 'reversal')",
    "a complete answer stays charged":
        "SELECT c.id FROM charge c JOIN request r USING (rid) JOIN transfer t ON t.cause = c.id "
        "WHERE r.end = 'complete' AND t.kind IN ('reversal', 'lost')",
    "a complete answer has a charge":
        "SELECT hex(rid) FROM request WHERE end = 'complete' AND rid NOT IN "
        "(SELECT rid FROM charge)",
    "both sides of a transfer are of one currency":
        "SELECT t.id FROM transfer t, account d, account c WHERE d.id = t.debit "
        "AND c.id = t.credit AND d.currency <> c.currency",
    "a charge is of its price's currency, or has the rate between the two":
        "SELECT c.id FROM charge c JOIN account a ON a.id = c.account "
        "JOIN price p ON p.id = c.price LEFT JOIN rate r ON r.id = c.rate "
        "WHERE CASE WHEN c.rate IS NULL THEN p.currency <> a.currency "
        "ELSE NOT (p.currency IN (r.base, r.quote) AND a.currency IN (r.base, r.quote) "
        "AND p.currency <> a.currency) END",
    "vouchers that are open are what is owed for them":
        "SELECT a.name, a.balance FROM account a WHERE a.name LIKE 'liab:voucher:%' "
        "AND a.balance <> "
        "(SELECT coalesce(sum(b.nano), 0) FROM voucher v JOIN voucher_batch b ON b.id = v.batch "
        "WHERE v.state = 'open' AND b.currency = a.currency)",
    "refunds under way are what clears":
        "SELECT a.name, a.balance FROM account a WHERE a.name LIKE 'clear:refund:%' "
        "AND a.balance <> "
        "(SELECT coalesce(sum(r.nano), 0) FROM refund r JOIN account b ON b.id = r.account "
        "WHERE r.state = 'requested' AND b.currency = a.currency)",
    "currencies are linked by purchases alone":
        "SELECT t.id FROM transfer t, account d, account c WHERE d.id = t.debit "
        "AND c.id = t.credit AND (d.name LIKE 'fx:%' OR c.name LIKE 'fx:%') AND t.purchase IS NULL",
    "a rate was in force when it was used":
        "SELECT c.id FROM charge c JOIN rate r ON r.id = c.rate WHERE r.from_ > c.ts",
}


def check_invariants(db):
    for name, query in INVARIANTS.items():
        rows = db.execute(query).fetchmany(3)
        require(not rows, f"the store: {name}:", rows)


class Books:
    """What was seen of a store, so that a look reads what is new."""

    def __init__(self, path):
        self.path = path
        self.last_transfer = self.last_charge = 0
        self.running = collections.Counter()        # balances of customers, transfer by transfer

    @contextlib.contextmanager
    def open(self):
        db = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=10)
        try:
            yield db
        finally:
            db.close()

    def compare(self, auditor, state):
        allotted = compare_memory(auditor, state)
        with self.open() as db:
            names = self._accounts(auditor, db)
            self._transfers(auditor, db, names)
            self._charges(auditor, db, names)
            self._requests(auditor, db)
            self._rows(auditor, db)
            found = {names[a]: n for a, n in db.execute("SELECT account, nano FROM allotment")}
            require(+collections.Counter(found) == +collections.Counter(allotted),
                    "allotments:", found, "in memory:", allotted)
            check_invariants(db)

    def _accounts(self, auditor, db):
        names = {}
        for row in db.execute(
                "SELECT a.id, a.name, a.currency, a.kind, a.balance, a.promo, a.credit_limit, "
                "a.group_, a.budget, a.budget_period, o.name FROM account a "
                "LEFT JOIN account o ON o.id = a.owner"):
            names[row[0]] = row[1]
            known = auditor.all.get(row[1])
            require(known or row[4] == 0, "an account that nobody made:", row)
            if not known:
                continue
            owner = None if known.owner is known else known.owner.name
            expected = (known.currency, known.kind, known.balance, int(known.is_promo), known.limit)
            require(row[2:7] == expected and row[10] == owner, "account:", row, "expected:",
                    expected)
            if row[1] in auditor.accounts:
                expected = (known.group, known.budget.limit, known.budget.period)
                require(row[7:10] == expected, "account", row, "expected:", expected)
        there = set(names.values())
        missing = [b.name for b in auditor.all.values() if b.balance and b.name not in there]
        require(not missing, "accounts that are not there:", missing)
        return names

    def _transfers(self, auditor, db, names):
        found = collections.Counter()
        for number, debit, credit, nano, kind, rid, note in db.execute(
                "SELECT t.id, t.debit, t.credit, t.nano, t.kind, c.rid, t.note FROM transfer t "
                "LEFT JOIN charge c ON c.id = t.cause WHERE t.id > ? ORDER BY t.id",
                (self.last_transfer,)):
            self.last_transfer = number
            debit, credit = names[debit], names[credit]
            found[debit, credit, nano, kind, rid, note] += 1
            self.running[debit] -= nano
            self.running[credit] += nano
            require(auditor.at(debit).kind != "customer" or self.running[debit] >= 0,
                    f"transfer {number} takes {debit} to {self.running[debit]}")
        require(found == auditor.transfers, "transfers that should not be there:",
                list(found - auditor.transfers)[:5], "that should:",
                list(auditor.transfers - found)[:5])
        auditor.transfers.clear()

    def _charges(self, auditor, db, names):
        rows = db.execute(
            "SELECT c.id, c.rid, c.account, c.key, c.upstream, c.price, c.factor, c.rate, c.in_, "
            "c.cache_read, c.cache_write_5m, c.cache_write_1h, c.out, c.reasoning, c.more, c.tier, "
            "c.cost, c.cost_currency, c.computed, c.nano, c.promo, c.ts, p.terms, "
            "p.margin_num, p.margin_den, c.beyond FROM charge c JOIN price p ON p.id = c.price "
            "WHERE c.id > ? ORDER BY c.id", (self.last_charge,)).fetchall()
        for row in rows:
            self.last_charge = row[0]
            known = auditor.charges.get(row[1])
            require(known, "a charge that nobody made:", row)
            usage = dict(zip(("in", "cache_read", "cache_write_5m", "cache_write_1h", "out",
                              "reasoning"), row[8:14]))
            for pair in row[14].split():
                leaf, _, count = pair.partition("=")
                usage[leaf] = int(count)
            usage = {leaf: n for leaf, n in usage.items() if n}
            found = (names[row[2]], *row[3:6], row[6] or 0, row[7] or 0, usage, *row[15:22],
                     row[25])
            expected = (known.payer.name, known.key.number, known.upstream, known.price.number,
                        known.factor, known.rate, {k: n for k, n in known.usage.items() if n},
                        known.service, known.cost, known.cost_currency, known.computed,
                        known.charged, known.promo, known.ts, known.beyond)
            require(found == expected, "charge", row[0], found, "expected:", expected)
            require(price.cost(json.loads(row[22]), usage, margin=row[23:25], service=row[15],
                               ratios=self._ratios(db, row)) == row[18], "charge", row[0],
                    "is not its price times its usage")
        count, = db.execute("SELECT count(*) FROM charge").fetchone()
        require(count == len(auditor.charges), count, "charges, expected:", len(auditor.charges))

    @staticmethod
    def _ratios(db, row):
        """Of the rows that the charge names, as the store has them."""
        ratios = db.execute("SELECT num, den FROM factor WHERE id = ?", (row[6],)).fetchall()
        for base, num, den, own in db.execute(
                "SELECT r.base, r.num, r.den, p.currency FROM rate r, price p "
                "WHERE r.id = ? AND p.id = ?", (row[7], row[5])):
            ratios.append((num, den) if base == own else (den, num))
        return ratios

    @staticmethod
    def _requests(auditor, db):
        found = {row[0]: row[1:] for row in db.execute("SELECT rid, end, status FROM request")}
        require(found == auditor.closed, "closing rows:",
                [x for x in set(found.items()) ^ set(auditor.closed.items())][:5])

    @staticmethod
    def _rows(auditor, db):
        for what, query, expected in (
                ("rates", "SELECT id, base, quote, num, den, from_ FROM rate", auditor.rates),
                ("factors", "SELECT id, scope, name, num, den FROM factor", auditor.factors),
                ("prices", "SELECT id, model, currency, margin_num, margin_den, terms FROM price",
                 {n: row for row, n in auditor.price_ids.items()})):
            found = {row[0]: row[1:] for row in db.execute(query)}
            require(found == expected, what, "differ:", found, "expected:", expected)
        found = {row[0]: row[1:] for row in db.execute(
            "SELECT upstream, units, cost, currency, booked, spent, closed FROM plan")}
        expected = {p.upstream: (p.units, p.cost, p.currency, p.booked, p.spent, int(p.closed))
                    for p in auditor.plans if p.known}
        require(found == expected, "plans:", found, "expected:", expected)
        found = {row[0]: row[1:] for row in db.execute(
            "SELECT k.id, a.name, k.expires, k.budget, coalesce(k.root, k.id) FROM key k "
            "JOIN account a ON a.id = k.account")}
        expected = {n: (k.account.name, k.expires, k.budget.limit, k.root.number)
                    for n, k in auditor.keys.items()}
        require(found == expected, "keys:", found, "expected:", expected)
        found = {row[0]: row[1:] for row in db.execute(
            "SELECT v.id, v.batch, b.currency, b.nano, b.expires, v.state, a.name FROM voucher v "
            "JOIN voucher_batch b ON b.id = v.batch LEFT JOIN account a ON a.id = v.account")}
        expected = {n: (v.batch, v.currency, v.nano, v.expires, v.state,
                        v.balance and v.balance.name) for n, v in auditor.vouchers.items()}
        require(found == expected, "vouchers:", found, "expected:", expected)
        found = {row[0]: row[1:] for row in db.execute(
            "SELECT r.id, a.name, r.nano, r.state FROM refund r "
            "JOIN account a ON a.id = r.account")}
        expected = {n: (r[0].name, *r[1:]) for n, r in auditor.refunds.items()}
        require(found == expected, "refunds:", found, "expected:", expected)
        found = db.execute("SELECT model, price, from_ FROM offer ORDER BY id").fetchall()
        require(found == auditor.offers, "offers:", found, "expected:", auditor.offers)


def compare_budget(name, budget, words):
    limit, held, spent, window = int(words[0]), *map(int, words[2:5])
    require((limit, words[1], held) == (budget.limit, budget.period, budget.held), "budget of",
            name, words, "expected:", vars(budget))
    if limit:
        require((spent, window) == (budget.spent, budget.window), "budget of", name, words,
                "expected:", vars(budget))


def compare_memory(auditor, state):
    """What is allotted, by account."""
    allotted = {}
    seen = set()
    for line in state.split(";")[1:]:
        what, name, *words = line.split(" ")
        if what == "key":
            compare_budget(f"key {name}", auditor.keys[int(name)].budget, words)
            continue
        balance, free, held, unallotted, limit, limited = map(int, words[:6])
        known = auditor.all.get(name)
        require(known or balance == 0, "memory has an account that nobody made:", line)
        if not known:
            continue
        seen.add(name)
        require((balance, held, limit, limited) ==
                (known.balance, known.held, known.limit, int(known.limited)), "memory:", line,
                "expected:", known.balance, known.held, known.limit, known.limited)
        if known.limited:
            require(free >= 0 and unallotted >= 0 and free + unallotted == known.free,
                    "the purse:", line, "expected free:", known.free)
            allotted[name] = free + held
        if name in auditor.accounts:
            compare_budget(name, known.budget, words[6:])
    missing = [b.name for b in auditor.balances() if b.name not in seen]
    require(not missing, "balances that are not in memory:", missing)
    return allotted


def adopt(auditor, books, pending):
    """After a kill: which of the operations without a reply the store has. pending: {request id:
    (charge, slot)}, {note: apply}, closings {request id: row}, request ids to be reversed, and
    (account, voucher) that were brought."""
    charges, moves, closings, reversals, redeemed = pending
    with books.open() as db:
        rows = db.execute("SELECT rid, nano, promo FROM charge WHERE id > ? ORDER BY id",
                          (books.last_charge,)).fetchall()
        for rid, nano, promo in rows:
            if rid in auditor.charges:
                continue
            require(rid in charges, "a charge that nobody asked for:", rid.hex())
            charge, slot = charges[rid]
            auditor.check_charge(charge, slot, nano, promo)
            auditor.apply_charge(charge, None, nano, promo)
        for note, in db.execute("SELECT note FROM transfer WHERE id > ? AND cause IS NULL",
                                (books.last_transfer,)).fetchall():
            if note in moves:
                moves.pop(note)()
        for number, name in db.execute(
                "SELECT v.id, a.name FROM voucher v JOIN account a ON a.id = v.account").fetchall():
            voucher, owner = auditor.vouchers[number], auditor.all[name].owner
            if voucher.state == "open":
                require((owner, voucher) in redeemed, "a voucher that nobody brought:", number)
                sales.apply_redeem(auditor, owner, voucher)
        for rid, end, status in db.execute("SELECT rid, end, status FROM request").fetchall():
            if rid not in auditor.closed and closings.get(rid) == (end, status):
                auditor.closed[rid] = (end, status)
        for rid, note in db.execute(
                "SELECT c.rid, t.note FROM transfer t JOIN charge c ON c.id = t.cause "
                "WHERE t.id > ? AND t.kind IN ('reversal', 'lost')",
                (books.last_transfer,)).fetchall():
            if note == LATE and rid in reversals:
                auditor.apply_reverse(rid, LATE)
            require(note in (LATE, CRASH), "a reversal because of", note)


def adopt_rows(auditor, books, acts):
    """Factors and rates that were made without a reply."""
    with books.open() as db:
        for verb, known, query in (
                ("factor", auditor.factors, "SELECT id, scope, name, num, den FROM factor"),
                ("rate", auditor.rates, "SELECT id, base, quote, num, den, from_ FROM rate")):
            asked = [act[1] for act in acts if act[0] == verb]
            for number, *row in db.execute(query):
                if number not in known:
                    require(tuple(row) in asked, f"a {verb} that nobody set:", row)
                    asked.remove(tuple(row))
                    known[number] = tuple(row)
