# SPDX-License-Identifier: Apache-2.0
"""One seed's game with the ledger: operations by chance, and what each must come to.

A game is batches. Most are of one lane, so that every reply and every sum is known before; some are
races of several lanes over little money, where what must hold does; some of these end in kill -9.
"""
import collections
import json
import os
import random
import shutil
import tempfile
import time

from tests.model import books, sales
from tests.model.auditor import (DAY_US, LARGEST, LATE, Account, Auditor, Budget, Charge, Failure,
                                 Key, Plan, Price, Slot, require)
from tests.model.driver import Driver
from tests.model.fight import Fight

HOUR_US = 3600 * 10**6
BEGIN_US = 1_764_460_800_000_000        # half a day before the last day of a month ends
CURRENCIES = ("USD", "CNY", "EURX")
MARGINS = [(1, 1), (21, 20), (1, 3), (3, 1), (999_999_999_989, 1_000_000_000_000)]
RATIOS = [(1, 1), (9, 10), (7, 3), (29, 4), (1, 7), (10**12, 10**12 - 1)]
UPSTREAMS = ["lab", "forge"]
SERVICES = ["", "", "", "standard", "batch", "priority"]
LANES = 4
GROUP = 40          # of one commit; the ledger's own maximum is 256
OPEN = 40           # requests under way at once


class Line:
    """What is sent, what is expected, and which operation it is."""

    def __init__(self, lane, text, expected=None, act=()):
        self.lane, self.text, self.expected, self.act = lane, text, expected, act

    def __str__(self):
        return f"{self.lane} {self.text}"


class Game(sales.Sales):
    CURRENCIES = CURRENCIES

    def __init__(self, seed, folder=None, stop_after=None):
        self.seed, self.stop_after = seed, stop_after
        self.rng = random.Random(f"model/{seed}")
        self.folder = tempfile.mkdtemp(prefix="entrepot-model-", dir=folder)
        self.store = os.path.join(self.folder, "store.db")
        self.auditor = Auditor(BEGIN_US)
        self.books = books.Books(self.store)
        self.driver = Driver(self.store, BEGIN_US)
        self.lines = []
        self.sent = collections.deque(maxlen=400)
        self.group = []             # gathered: (kind, slot, line)
        self.free_slots = list(range(1000))
        self.count = 0              # operations so far
        self.compared = 0           # of them, those that led to what was compared
        self.names = 0
        self.racing = False
        self.kills = self.races = 0

    def close(self):
        try:
            self.driver.kill()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, operations):
        """Plays at least so many, or until stop_after."""
        self.found()
        self.look()
        while self.count < operations:
            draw = self.rng.random()
            if draw < 0.4:
                self.race(kill=draw < 0.12)
            else:
                self.play(self.rng.choice([10, 60, 150, 300]))
            self.look()
            if self.stop_after is not None and self.count >= self.stop_after:
                return
        self.play_restart()
        self.look()
        require(self.driver.one("0 check").startswith("ok"), "its own check finds something")

    # One lane: everything is known before

    def add(self, text, expected=None):
        self.lines.append(Line(0, text, expected))
        self.count += 1
        return self.lines[-1]

    def done(self):
        return self.stop_after is not None and self.count >= self.stop_after

    def flush(self):
        """What waits is sent, and each reply compared."""
        self.go()
        lines, self.lines = self.lines, []
        replies = self.driver.batch([str(line) for line in lines])
        for line, reply in zip(lines, replies):
            expected = line.expected
            same = reply == expected or expected == "refused" and reply.startswith("refused")
            if expected is not None and not same:
                self.sent.extend(map(str, lines[:lines.index(line) + 1]))
                raise Failure(f"{line} -> {reply} expected: {expected}")
        self.sent.extend(map(str, lines))

    def tail(self):
        """The last operations that were sent."""
        return list(self.sent)[-30:]

    def look(self):
        self.flush()
        self.books.compare(self.auditor, self.driver.one("0 state"))
        self.compared = self.count

    def found(self):
        """Accounts, keys, prices and rates to begin with."""
        self.new_account("house", "house", "USD")
        self.new_account("limited", "house", "USD")
        for n in range(3):
            self.new_account(f"a{n}", "customer", CURRENCIES[n % 2])
        for account in list(self.auditor.accounts.values()):
            self.new_key(account)
        for n in range(4):
            self.new_price(n)
        self.new_rate()
        for _ in range(6):
            self.credit()
        self.offline()

    def name(self):
        self.names += 1
        return f"n{self.names}"

    def new_account(self, name, kind, currency):
        limit, period = self.some_budget() if kind == "customer" else (0, "m")
        self.add(f"account {name} {kind} {currency} {limit} {period}", "ok 0")
        account = Account(name, currency, kind)
        account.budget = Budget(limit, period)
        account.budget.load([], self.auditor.now)
        self.auditor.accounts[name] = self.auditor.all[name] = account

    def some_budget(self):
        return self.rng.choice([(0, "m"), (0, "d"), (self.rng.randint(1, 200_000), "d"),
                                (self.rng.randint(1, 400_000), "m")])

    def new_key(self, account):
        limit, period = self.some_budget() if account.kind == "customer" else (0, "d")
        number = len(self.auditor.keys) + 1
        self.add(f"key {account.name} {limit} {period}", f"ok {number}")
        self.auditor.keys[number] = Key(number, account, Budget(limit, period))

    def some_terms(self):
        rng = self.rng
        tiers = []
        for start in [0, *sorted(rng.sample([100, 1000, 20_000], rng.choice([0, 0, 1, 2])))]:
            rates = {"in": rng.choice([1000, 999, 3625, 1_000_000])}
            for leaf, other in (("cache_read", 100), ("cache_write_5m", 1250),
                                ("cache_write_1h", 2001)):
                if rng.random() < 0.5:
                    rates[leaf] = other
            rates["out"] = rng.choice([1000, 5001, 15_000])
            if rng.random() < 0.3:
                rates["reasoning"] = 7
            if rng.random() < 0.3:
                rates["web_search"] = 10_000_000
            tiers.append({"min_input": start, **rates})
        terms = {"tiers": tiers}
        if rng.random() < 0.3:
            terms["request"] = rng.choice([1, 999, 5_000_000])
        if rng.random() < 0.5:
            terms["service"] = {"batch": [1, 2], "priority": [7, 4]}
        return terms

    def new_price(self, index):
        terms, currency = self.some_terms(), self.rng.choice(CURRENCIES)
        margin, model = self.rng.choice(MARGINS), f"m{index % 2}"
        text = json.dumps(terms, separators=(",", ":"))
        row = (model, currency, *margin, text)
        number = self.auditor.price_ids.setdefault(row, len(self.auditor.price_ids) + 1)
        self.add(f"price {index} {model} {currency} {margin[0]} {margin[1]} {text}", f"ok {number}")
        self.auditor.prices[index] = Price(number, index, model, currency, margin, terms)

    def change_price(self):
        self.new_price(self.rng.choice(list(self.auditor.prices)))

    def offer(self):
        price, then = self.rng.choices(list(self.auditor.prices.values()), k=2)
        later = (then.number, self.auditor.now + HOUR_US) if self.rng.random() < 0.3 else (0, 0)
        self.add(f"offer {price.model} {price.number} {later[0]} {later[1]}", "ok 0")
        self.auditor.apply_offer(price.model, price.number, *later)

    def new_rate(self):
        base, quote = self.rng.sample(CURRENCIES, 2)
        num, den = self.rng.choice(RATIOS)
        start = self.auditor.now + self.rng.choice([0, 0, -1, 1, HOUR_US])
        given = 0 if start == self.auditor.now and self.rng.random() < 0.5 else start
        number = len(self.auditor.rates) + 1
        past = start < self.auditor.now
        self.add(f"rate {base} {quote} {num} {den} {given} bank",
                 "refused" if past else f"ok {number}")
        if not past:
            self.auditor.rates[number] = (base, quote, num, den, start)

    def new_factor(self):
        scope, name = self.rng.choice([("account", self.some_account().name), ("group", "vip"),
                                       ("group", "std")])
        num, den = self.rng.choice(RATIOS)
        number = len(self.auditor.factors) + 1
        self.add(f"factor {scope} {name} {num} {den}", f"ok {number}")
        self.auditor.factors[number] = (scope, name, num, den)

    def join(self):
        account, group = self.some_account(), self.rng.choice(["vip", "std", ""])
        self.add(f"group {account.name} {group or '-'}", "ok 0")
        account.group = group

    def some_account(self):
        return self.rng.choice(list(self.auditor.accounts.values()))

    def customer(self):
        return self.rng.choice([a for a in self.auditor.accounts.values() if a.kind == "customer"])

    def some_amount(self, limit):
        rng = self.rng
        return rng.choice([1, max(1, limit), max(1, limit + 1), max(1, limit // 3),
                           rng.randint(1, 50_000), rng.randint(1, 1000)])

    def moved(self, verb, account, currency, promo, nano, ok, apply):
        """Commits fail around some of them: then nothing has happened."""
        note = self.name()
        fails = self.rng.random() < 0.1
        if fails:
            self.add("failing 1", "ok")
        said = "-" if currency == account.currency and self.rng.random() < 0.5 else currency
        self.add(f"{verb} {account.name} {said} {int(promo)} {nano} {note}",
                 "ok 0" if ok and not fails else "refused")
        if fails:
            self.add("failing 0", "ok")
        if ok and not fails:
            apply(account, currency, promo, nano, note)

    def credit(self):
        account = self.some_account()
        if account.name == "limited" and self.rng.random() < 0.8:
            return              # else it would never come to its limit
        self.go()               # what is gathered changes what is there
        currency = self.rng.choice([account.currency, account.currency, *CURRENCIES])
        promo = self.rng.random() < 0.3
        nano = self.some_amount(100_000)
        if account.limited and account.balance > 0 and self.rng.random() < 0.02:
            currency, promo, nano = account.currency, False, LARGEST    # more than can be
        ok = self.auditor.decide_credit(account, currency, promo, nano)
        self.moved("credit", account, currency, promo, nano, ok, self.auditor.apply_credit)

    def debit(self):
        account = self.some_account()
        balance = self.rng.choice(account.balances)
        promo = self.rng.random() < 0.3
        source = balance.promo if promo and balance.promo else balance
        self.go()
        nano = self.some_amount(source.free)
        ok = self.auditor.decide_debit(account, balance.currency, promo, nano)
        self.moved("debit", account, balance.currency, promo, nano, ok, self.auditor.apply_debit)

    def limit(self):
        account = self.auditor.accounts["limited"]
        if self.rng.random() < 0.1:
            account = self.some_account()
        self.go()
        used = account.held - account.balance
        nano = self.rng.choice([0, 1, max(0, used - 1), max(0, used), max(0, used + 1),
                                self.rng.randint(1, 200_000)])
        ok = self.auditor.decide_limit(account, nano)
        self.add(f"limit {account.name} {nano}", "ok 0" if ok else "refused")
        if ok:
            self.auditor.apply_limit(account, nano)

    def budget(self):
        account = self.some_account()
        self.go()
        nano, period = self.some_budget()
        nano = self.rng.choice([nano, nano, -1])
        period = self.rng.choice([period, ""])
        ok = self.auditor.decide_budget(account, nano, period)
        self.add(f"budget {account.name} {nano} {period or '-'}", "ok 0" if ok else "refused")
        if ok:
            self.auditor.apply_budget(account, nano, period)

    def clock(self):
        now = self.auditor.now
        self.go()
        to_midnight = DAY_US - now % DAY_US
        jump = self.rng.choice([1, 1000, 10**6, 60 * 10**6, HOUR_US, -HOUR_US, to_midnight,
                                to_midnight - 1, -HOUR_US, DAY_US // 2])
        self.auditor.now = now + jump
        self.add(f"clock {self.auditor.now}", "ok")

    # Requests

    def rid(self):
        return self.rng.getrandbits(128).to_bytes(16, "big")

    def begin(self, key=None, lane=0):
        """A slot for a request of this key, and the line that opens it."""
        rng, auditor = self.rng, self.auditor
        key = key or rng.choice(list(auditor.keys.values()))
        payer = rng.choice(key.account.balances)
        price = rng.choice(list(auditor.prices.values()))
        known = list(auditor.charges)[-20:]
        again = not self.racing and known and rng.random() < 0.02
        slot = Slot(self.free_slots.pop(), rng.choice(known) if again else self.rid(), key, payer,
                    price, auditor.now)
        line = f"open {slot.number} {slot.rid.hex()} {key.number} {payer.name} {price.index}"
        return slot, line

    def open(self):
        if len(self.auditor.slots) >= OPEN:
            self.settle()
            return
        slot, line = self.begin()
        reply = self.auditor.decide_open(slot)
        self.add(line, reply)
        self.auditor.apply_open(slot, reply)
        if reply == "none":
            self.free_slots.append(slot.number)
        else:
            self.hold(slot)

    def pick(self, wanted):
        found = [slot for slot in self.auditor.slots.values() if wanted(slot)]
        return self.rng.choice(found) if found else None

    def hold(self, slot=None):
        slot = slot or self.pick(lambda s: not s.charge)
        if not slot:
            return
        payer = slot.payer
        rest = payer.free + (payer.promo.free if payer.promo else 0) if payer.limited else 10_000
        nano = self.rng.choice([0, 1, max(0, rest), max(0, rest + 1), max(0, rest // 3),
                                self.rng.randint(0, 3000), self.rng.randint(0, 3000)])
        reply = self.auditor.decide_hold(slot, nano)
        self.add(f"hold {slot.number} {nano}", reply)
        self.auditor.apply_hold(slot, nano, reply)

    def release(self):
        if slot := self.pick(lambda s: not s.charge):
            self.add(f"release {slot.number}", "ok")
            self.auditor.release(slot)
            if self.rng.random() < 0.5:
                self.close_unpaid(slot)

    def some_usage(self, slot):
        """Tokens for about what is held, and often exactly at a tier's begin."""
        rng = self.rng
        about = rng.choice([0, 1, slot.held, slot.held, slot.held + 1, slot.held // 2,
                            rng.randint(0, 3000)])
        usage = {"in": min(about, 10**9)}
        for leaf in rng.sample(["cache_read", "cache_write_5m", "cache_write_1h", "out",
                                "reasoning", "in_audio", "web_search"], rng.choice([0, 1, 2, 4])):
            usage[leaf] = rng.choice([0, 1, 2, 999, rng.randint(0, 2000)])
        starts = [t["min_input"] for t in slot.price.terms["tiers"] if t["min_input"]]
        if starts and rng.random() < 0.4:
            usage = {"in": rng.choice(starts) - 1, "cache_read": rng.choice([0, 1, 2]), "out": 3}
        if about == 0 and rng.random() < 0.5:
            usage = {"in": 0}
        return usage

    def charge_line(self, slot):
        rng = self.rng
        usage, service = self.some_usage(slot), rng.choice(SERVICES)
        cost = rng.choice([None, *self.auditor.prices.values()])
        upstream = rng.choice(UPSTREAMS)
        if not self.racing and self.open_plans() and rng.random() < 0.2:
            cost = rng.choice(self.open_plans())
            upstream = cost.upstream
        beyond = rng.choice([0, 0, 0, 1, 777]) if isinstance(cost, Price) else 0
        word = f"{cost.index}+{beyond}" if cost else "-"
        if isinstance(cost, Plan):
            word = f"p{cost.index}"
        leaves = " ".join(f"{leaf}={n}" for leaf, n in usage.items())
        return ((slot, usage, service, cost, upstream, beyond),
                f"charge {slot.number} {word} {upstream} {service or '-'} {leaves}")

    def charge(self):
        slot = self.pick(lambda s: not s.charge)
        if not slot:
            return
        facts, text = self.charge_line(slot)
        slot.charge = Charge(*facts)
        self.group.append(("charge", slot, self.add(text)))
        if self.rng.random() < 0.1 and slot.rid not in self.auditor.charges:
            self.reverse(slot)
        if len(self.group) >= GROUP:
            self.go()

    def reverse(self, slot=None):
        ending = {s.rid for kind, s, _ in self.group if kind == "close"}
        slot = slot or self.pick(lambda s: s.rid not in ending and s.rid not in self.auditor.closed
                                 and (s.charged or not s.charge))
        if slot:
            self.group.append(("reverse", slot, self.add(f"reverse {slot.number}")))

    def close_slot(self, slot, end, status):
        """Its closing row; the slot is free again once all of that is written."""
        text = f"close {slot.number} {end} {status}"
        if status == 402 and self.open_plans() and self.rng.random() < 0.5:
            slot.failed = self.rng.choice(self.open_plans())
            text += f" p{slot.failed.index}"
        elif status == 402 and self.rng.random() < 0.5:
            slot.attempt = (self.rng.randint(1, 5000), self.rng.choice(CURRENCIES),
                            self.rng.choice(["cogs:failed_attempts", "loss:zero_completion"]))
            text += " {} {} {}".format(*slot.attempt)
        self.group.append(("close", slot, self.add(text, "ok")))
        slot.end = (end, status)
        del self.auditor.slots[slot.number]

    def close_unpaid(self, slot):
        """A request whose id another has had leaves no second row."""
        if slot.rid not in self.auditor.charges:
            self.close_slot(slot, "no_funds", 402)
        else:
            del self.auditor.slots[slot.number]
            self.free_slots.append(slot.number)

    def finish(self):
        slot = self.pick(lambda s: s.charged)
        if not slot:
            return
        standing = not self.auditor.charges[slot.rid].reversed
        # The answer may have been handed over, or its client may be gone.
        pending = any(s.rid == slot.rid for _, s, _ in self.group)
        if standing and not pending and slot.charge is self.auditor.charges[slot.rid]:
            self.close_slot(slot, self.rng.choice(["complete", "client_closed"]), 200)
        else:
            self.close_slot(slot, "commit_late", 504)

    def settle(self):
        self.go()
        for slot in list(self.auditor.slots.values()):
            if slot.charged:
                self.finish()
            elif self.rng.random() < 0.5 and not slot.held:
                self.close_unpaid(slot)

    def go(self):
        """Sends what is gathered as one commit, of which the first so many may fail."""
        if not self.group:
            return
        fails = self.rng.choice([1, 1, 2, 5]) if self.rng.random() < 0.08 else 0
        if any(slot.failed for _, slot, _ in self.group):
            fails = 0       # rows that are kept are written in an order of their own
        self.add(f"go {fails}", "ok")
        group, self.group = self.group, []
        if fails:
            self.add("settle", "ok")    # the closing rows that were kept
        self.commit(group, fails)
        for kind, slot, _ in group:
            if kind == "close":
                self.free_slots.append(slot.number)
            elif kind == "charge" and not slot.charged:
                # Refused: what it held is still held, and goes back.
                slot.charge = None
                self.add(f"release {slot.number}", "ok")
                self.auditor.release(slot)

    def commit(self, group, fails):
        if fails == 0:
            self.commit_one(group)
        elif len(group) > 1:        # once all together, then each by itself
            for item in group:
                fails -= 1
                self.commit_one([item], failed=fails > 0)
        else:
            self.commit_one(group, failed=True)

    def commit_one(self, group, failed=False):
        """Each is decided by what was before the commit; then all of them are true at once."""
        auditor, pool, there = self.auditor, collections.Counter(), set(self.auditor.charges)
        acts = []
        for kind, slot, line in group:
            if kind == "close":
                # After a failure it is written later, but it is.
                acts.append(lambda s=slot: auditor.closed.setdefault(s.rid, s.end))
                if slot.attempt:
                    acts.append(lambda s=slot: self.attempted(s))
                if slot.failed:
                    acts.append(lambda s=slot, n=slot.failed.part(): self.failed(s.failed, n))
            elif failed:
                line.expected = "refused"
            elif kind == "reverse":
                line.expected = "ok"
                acts.append(lambda s=slot: auditor.apply_reverse(s.rid, LATE))
            else:
                charge = slot.charge
                if charge.plan:
                    charge.plan.known = True
                if charge.plan and slot.rid not in there:
                    charge.cost = charge.plan.part()
                charged, promo = auditor.decide_charge(charge, slot, pool)
                auditor.check_charge(charge, slot, charged, promo)
                line.expected = "refused"
                if slot.rid not in there:
                    there.add(slot.rid)
                    line.expected = f"ok {charge.computed} {charged} {promo} {charge.cost}"
                    acts.append(lambda a=(charge, slot, charged, promo): auditor.apply_charge(*a))
        for act in acts:
            act()

    # Stops

    def stopped(self):
        self.auditor.restart()
        self.free_slots = list(range(1000))

    def play_restart(self):
        self.go()
        self.add("restart", "ok")
        self.stopped()

    def offline(self):
        """Limits of credit come and go only while nobody serves."""
        self.go()
        self.add("offline", "ok")
        self.stopped()
        self.auditor.serving = False
        for _ in range(self.rng.randint(1, 3)):
            self.rng.choice([self.limit, self.limit, self.credit, self.debit, self.new_factor])()
        self.add("serve", "ok")
        self.auditor.serving = True

    CHOICES = [("open", 26), ("hold", 10), ("charge", 24), ("go", 7), ("reverse", 4),
               ("finish", 22), ("release", 4), ("credit", 6), ("debit", 3), ("new_factor", 1),
               ("join", 1), ("new_rate", 1), ("change_price", 1), ("offer", 1), ("limit", 1),
               ("budget", 1), ("clock", 3), ("voucher", 0.7), ("redeem", 1), ("void", 0.4),
               ("refund", 1), ("end", 1), ("rotate", 0.4), ("new_plan", 0.5), ("periods", 0.5),
               ("buy", 0.5), ("writeoff", 0.4),
               ("play_restart", 0.15), ("offline", 0.1)]

    def play(self, size):
        verbs, weights = zip(*self.CHOICES)
        end = self.count + size
        while self.count < end and not self.done():
            getattr(self, self.rng.choices(verbs, weights)[0])()

    # Races: what was replied is taken as a fact, and checked for what must hold whoever was first

    def race(self, kill):
        self.flush()
        self.racing = True
        self.races += 1
        keys = self.rng.sample(list(self.auditor.keys.values()), 2)
        lines = []
        for lane in range(1, self.rng.randint(2, LANES) + 1):
            lines += self.script(lane, keys, self.rng.randint(2, 12))
        lines += self.meddling(keys)
        lines += self.redeemers(keys)
        self.racing = False
        self.count += len(lines)
        self.sent.extend(map(str, lines))
        if not kill:
            replies = dict(enumerate(self.driver.batch([str(line) for line in lines])))
            self.take(lines, replies)
            return
        self.kills += 1
        self.driver.send([str(line) for line in lines], "flush")
        replies = self.driver.replies(kill_after=self.rng.randint(0, len(lines)))
        self.revive()
        pending = self.take(lines, replies, killed=True)
        books.adopt(self.auditor, self.books, pending)
        self.stopped()

    def revive(self):
        """Once more, or twice: a start may be killed, too."""
        self.driver.kill()
        self.driver = Driver(self.store, self.auditor.now)
        if self.rng.random() < 0.3:
            time.sleep(self.rng.random() * 0.01)
            self.driver.kill()
            self.driver = Driver(self.store, self.auditor.now)
        for price in self.auditor.prices.values():      # the driver has forgotten them, too
            margin, text = price.margin, json.dumps(price.terms, separators=(",", ":"))
            self.lines.append(Line(0, f"price {price.index} {price.model} {price.currency} "
                                      f"{margin[0]} {margin[1]} {text}", f"ok {price.number}"))

        for plan in self.auditor.plans:
            self.lines.append(Line(0, self.plan_line(plan), "ok 0"))

    def payable(self, slot):
        return slot.price.currency == slot.payer.currency or \
            self.auditor.rate_at(slot.price.currency, slot.payer.currency, self.auditor.now)

    def script(self, lane, keys, requests):
        """Requests that are valid whatever becomes of their holds."""
        rng, ends = self.rng, []
        for _ in range(requests):
            slot, text = self.begin(rng.choice(keys))
            if not self.payable(slot):
                self.free_slots.append(slot.number)
                continue
            yield Line(lane, text, act=("open", slot))
            for _ in range(rng.randint(1, 3)):
                nano = rng.choice([0, 1, max(0, slot.payer.free) // 3, rng.randint(0, 3000)])
                yield Line(lane, f"hold {slot.number} {nano}", act=("hold", slot, nano))
            if rng.random() < 0.15:
                yield Line(lane, f"release {slot.number}", act=("release", slot))
                continue
            facts, text = self.charge_line(slot)
            yield Line(lane, text, act=("charge", *facts))
            end = rng.choice([("complete", 200), ("client_closed", 200), None])
            if rng.random() < 0.15:
                yield Line(lane, f"reverse {slot.number}", act=("reverse", slot))
                end = ("commit_late", 504)
            ends.append((slot, end))
            if rng.random() < 0.7:
                yield from self.endings(lane, ends)
        yield from self.endings(lane, ends)

    @staticmethod
    def endings(lane, ends):
        """A commit, and then the closing rows, but for some."""
        yield Line(lane, "go", act=("go",))
        for slot, end in ends:
            if end:
                yield Line(lane, f"close {slot.number} {end[0]} {end[1]}", act=("close", slot, end))
        ends.clear()

    def meddling(self, keys):
        """The operator is at work at the same time."""
        for _ in range(self.rng.randint(0, 4)):
            account = self.rng.choice(keys).account
            balance = self.rng.choice(account.balances)
            verb = self.rng.choice(["credit", "debit", "factor", "rate"])
            if verb == "factor":
                row = ("account", account.name, *self.rng.choice(RATIOS))
                yield Line(1, "factor {} {} {} {}".format(*row), act=("factor", row))
            elif verb == "rate":
                row = (*self.rng.sample(CURRENCIES, 2), *self.rng.choice(RATIOS), self.auditor.now)
                yield Line(1, "rate {} {} {} {} 0 bank".format(*row), act=("rate", row))
            else:
                promo = balance.promo is not None and self.rng.random() < 0.5
                move = (account, balance.currency, promo, self.some_amount(5000), self.name())
                yield Line(1, f"{verb} {account.name} {move[1]} {int(promo)} {move[3]} {move[4]}",
                           act=(verb, *move))

    def redeemers(self, keys):
        """Several bring the same code."""
        codes = [v for v in list(self.auditor.vouchers.values())[-4:]
                 if v.state == "open" and not 0 < v.expires <= self.auditor.now]
        for voucher in codes:
            for lane in range(1, LANES + 1):
                account = self.rng.choice(keys).account
                if voucher.currency in {b.currency for b in account.balances}:
                    yield Line(lane, f"redeem {account.name} {voucher.code}",
                               act=("redeem", account, voucher))

    def take(self, lines, replies, killed=False):
        """Books all replies. What had none is pending: for books.adopt."""
        rows = (self.auditor.factors, self.auditor.rates)
        for number, line in enumerate(lines):
            if line.act[0] in ("factor", "rate") and number in replies:
                require(replies[number].startswith("ok"), line, replies[number])
                rows[line.act[0] == "rate"][int(replies[number].split()[1])] = line.act[1]
        if killed:
            books.adopt_rows(self.auditor, self.books,
                             [line.act for n, line in enumerate(lines) if n not in replies])
        free = {b.name: b.free for b in self.auditor.balances()}
        fight = Fight(self.auditor, free)
        for number, line in enumerate(lines):
            try:
                fight.take(line.act, replies.get(number), killed)
            except Failure as failure:
                raise Failure(f"{line} -> {replies.get(number)}: {failure}") from None
        if not killed:
            fight.judge()
            for slot in fight.slots.values():
                if slot.rid in self.auditor.closed or not slot.charge:
                    self.auditor.slots.pop(slot.number, None)
                    self.free_slots.append(slot.number)
        return fight.pending
