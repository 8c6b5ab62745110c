# SPDX-License-Identifier: Apache-2.0
"""What the ledger should say and hold, computed from requests and replies alone.

Nothing of the product's code is here: the rules are those of docs and of the table of events, the
arithmetic is Python's. `decide` says what a reply must be when nobody else is at work; `apply`
takes a reply as a fact (which is all that races leave) and books it. Operations and their words
are named as in driver.c.
"""
import collections
import datetime

from tests.peer import price

LARGEST = 2**63 - 1
DAY_US = 86400 * 10**6
LATE, CRASH = "late", "crash"


class Failure(Exception):
    """The ledger did or said something else than it should."""


def require(holds, *words):
    if not holds:
        raise Failure(" ".join(str(word) for word in words))


def window_start(period, now):
    if period == "d":
        return now - now % DAY_US
    day = datetime.datetime(1970, 1, 1) + datetime.timedelta(days=now // DAY_US)
    return (day.replace(day=1) - datetime.datetime(1970, 1, 1)).days * DAY_US


class Budget:
    """What may be spent in a window, which moves on with the first charge in it, and never back."""

    def __init__(self, limit=0, period="m"):
        self.limit, self.period = limit, period
        self.held = self.spent = self.window = 0

    def allows(self, nano, now):
        return self.limit == 0 or nano <= self.left(now)

    def left(self, now):
        unspent = window_start(self.period, now) > self.window
        return self.limit - (0 if unspent else self.spent) - self.held

    def charge(self, nano, at, now):
        """Charged at that time, told now. A charge of a window before the one that is open counts
        only where the clock was set back behind its begin."""
        window = window_start(self.period, at)
        if window > self.window:
            self.window, self.spent = window, max(nano, 0)
        elif window == self.window or (nano > 0 and
                                       window_start(self.period, now) < self.window):
            self.spent += nano

    def load(self, charges, now):
        """As a start finds it: what was charged since the window of now began."""
        mine = [c for c in charges if c.ts >= window_start(self.period, now)]
        self.window = window_start(self.period, max([now] + [c.ts for c in mine]))
        self.spent = sum(c.charged for c in mine)


class Balance:
    def __init__(self, name, currency, kind="system", owner=None):
        self.name, self.currency, self.kind = name, currency, kind
        self.owner = owner or self
        self.balance = self.held = self.limit = 0
        self.limited = kind == "customer"
        self.promo = None
        self.is_promo = False

    @property
    def free(self):
        """What neither is held nor owed."""
        return self.balance + self.limit - self.held


class Account(Balance):
    def __init__(self, name, currency, kind):
        super().__init__(name, currency, kind)
        self.balances = [self]
        self.budget = Budget()
        self.group = ""
        self.factor = None


class Key:
    """One that replaced another is counted with it: they have one budget."""

    def __init__(self, number, account, budget, made=0, root=None):
        self.number, self.account, self.budget = number, account, budget
        self.made, self.root = made, root or self
        self.expires = 0


class Plan:
    """A period that is paid for as a whole: after n of its requests floor(cost x n / all) is
    booked, of more than all of them the whole."""

    def __init__(self, index, upstream, units, cost, currency, until):
        self.index, self.upstream, self.units = index, upstream, units
        self.cost, self.currency, self.until = cost, currency, until
        self.booked = self.spent = 0
        self.closed = self.known = False

    def part(self):
        """What one more of its requests costs."""
        self.known = True           # has a row
        self.booked += 1
        if self.closed:
            return 0
        nano = self.cost * min(self.booked, self.units) // self.units - self.spent
        self.spent += nano
        return nano

    def end(self):
        """What nobody used is a loss."""
        left, self.spent, self.closed = self.cost - self.spent, self.cost, True
        return left


class Charge:
    """A row of the store, and what became of it."""

    def __init__(self, slot, usage, service, cost_price, upstream, beyond=0):
        self.rid, self.key, self.payer, self.ts = slot.rid, slot.key, slot.payer, slot.ts
        self.price, self.factor, self.rate = slot.price, slot.factor, slot.rate
        self.usage, self.service = usage, service
        self.upstream = upstream
        self.cost_currency = cost_price.currency if cost_price else ""
        self.plan = cost_price if isinstance(cost_price, Plan) else None
        self.beyond = beyond
        self.cost = 0               # of a plan's it is known when it is written
        if cost_price and not self.plan:
            self.cost = price.cost_up(cost_price.terms, usage, margin=cost_price.margin,
                                      service=service)
        self.computed = price.cost(slot.price.terms, usage, margin=slot.price.margin,
                                   service=service, ratios=slot.ratios)
        self.charged = self.promo = 0
        self.reversed = None        # why

    @property
    def legs(self):
        """(debit, credit, nano, kind) of what it moves: the chart of accounts, once more."""
        cur, payer = self.payer.currency, self.payer
        bearer, at = f"cogs:{self.upstream}", self.cost_currency
        legs = [(payer.name, f"rev:usage:{cur}", self.charged - self.promo, "charge")]
        if self.promo:
            legs += [(payer.promo.name, f"rev:usage:{cur}", self.promo, "promo"),
                     (f"rev:promo_discount:{cur}", f"promo:{cur}", self.promo, "discount")]
        legs.append((f"loss:overrun:{cur}", f"rev:usage:{cur}", self.computed - self.charged,
                     "overrun"))
        legs.append((f"{bearer}:{at}", f"asset:{self.upstream}:{at}", self.cost, "cost"))
        legs.append((f"loss:no_usage:{at}", f"asset:{self.upstream}:{at}", self.beyond, "estimate"))
        return [leg for leg in legs if leg[2] > 0]

    @property
    def legs_back(self):
        """All of it the other way round, but that the vendor bills its cost all the same;
        and an estimate was nobody's cost but the operator's."""
        return [(credit, debit, nano, "reversal") if kind != "cost" else
                (f"loss:crash:{self.cost_currency}", debit, nano, "lost")
                for debit, credit, nano, kind in self.legs if kind != "estimate"]


class Slot:
    """A request under way."""

    def __init__(self, number, rid, key, payer, price_, ts):
        self.number, self.rid, self.key, self.payer = number, rid, key, payer
        self.price, self.ts = price_, ts
        self.factor = self.rate = None
        self.ratios = ()
        self.promo = self.paid = 0
        self.charge = None          # gathered
        self.charged = False        # and done
        self.reversed = False
        self.failed = None          # the plan of an attempt that failed
        self.attempt = None         # or its (cost, currency, bearer)

    @property
    def held(self):
        return self.promo + self.paid

    @property
    def counted(self):
        """Budgets count what comes from the account's first balance."""
        return self.payer is self.key.account


class Price:
    def __init__(self, number, index, model, currency, margin, terms):
        self.number, self.index, self.model = number, index, model
        self.currency, self.margin, self.terms = currency, margin, terms


class Auditor:
    def __init__(self, now):
        self.now = now
        self.all = {}               # name -> Balance, those of the system too
        self.accounts = {}
        self.keys = {}
        self.prices = {}            # by index
        self.price_ids = {}         # (model, currency, margin, text of terms) -> id
        self.rates = {}             # id -> (base, quote, num, den, from)
        self.factors = {}           # id -> (scope, name, num, den)
        self.offers = []            # (model, price id, from)
        self.vouchers = {}          # by number
        self.plans = []
        self.refunds = {}           # number -> [balance, nano, state]
        self.slots = {}
        self.charges = {}           # by request id
        self.closed = {}            # request id -> (end, status)
        self.transfers = collections.Counter()      # that are new since the last look
        self.serving = True

    # Where money is

    def at(self, name):
        if name not in self.all:
            self.all[name] = Balance(name, name.rpartition(":")[2])
        return self.all[name]

    def post(self, legs, rid=None, note=None):
        for debit, credit, nano, kind in legs:
            self.at(debit).balance -= nano
            self.at(credit).balance += nano
            self.transfers[debit, credit, nano, kind, rid, note] += 1

    def balances(self):
        for account in self.accounts.values():
            for balance in account.balances:
                yield balance
                if balance.promo:
                    yield balance.promo

    # What prices are multiplied with

    def factor_of(self, account):
        named = [n for n, row in self.factors.items() if row[:2] == ("account", account.name)] or \
                [n for n, row in self.factors.items()
                 if account.group and row[:2] == ("group", account.group)]
        return max(named) if named else 0

    def rate_at(self, base, quote, at):
        """The id of the rate in force."""
        found = [(row[4], n) for n, row in self.rates.items()
                 if {row[0], row[1]} == {base, quote} and row[4] <= at]
        return max(found)[1] if found else 0

    def pin(self, slot, factor, rate):
        """Which rows make the price of this request from now on."""
        slot.factor, slot.rate = factor, rate
        ratios = [self.factors[factor][2:4]] if factor else []
        if rate:
            base, _, num, den, _ = self.rates[rate]
            ratios.append((num, den) if base == slot.price.currency else (den, num))
        slot.ratios = tuple(ratios)

    def decide_open(self, slot):
        factor = self.factor_of(slot.key.account)
        rate = 0
        if slot.price.currency != slot.payer.currency:
            rate = self.rate_at(slot.price.currency, slot.payer.currency, self.now)
            if not rate:
                return "none"
        return f"ok {factor} {rate}"

    def apply_open(self, slot, reply):
        if reply == "none":
            return
        self.pin(slot, *map(int, reply.split()[1:]))
        self.slots[slot.number] = slot

    # Holds

    def decide_hold(self, slot, nano):
        payer = slot.payer
        if slot.counted and not slot.key.budget.allows(nano, self.now):
            return "budget"
        if slot.counted and not payer.budget.allows(nano, self.now):
            return "account_budget"
        promo = min(payer.promo.free, nano) if payer.promo else 0
        if payer.limited and nano - promo > payer.free:
            return "no_funds"
        return f"held {promo} {nano - promo}"

    def apply_hold(self, slot, nano, reply):
        if not reply.startswith("held"):
            return
        promo, paid = map(int, reply.split()[1:])
        require(promo >= 0 and paid >= 0 and promo + paid == nano, "held", reply, "of", nano)
        require(promo == 0 or slot.payer.promo, "promo of an account that has none")
        self._hold(slot, promo, paid)

    def _hold(self, slot, promo, paid):
        slot.promo += promo
        slot.paid += paid
        slot.payer.held += paid
        if promo:
            slot.payer.promo.held += promo
        if slot.counted:
            slot.key.budget.held += promo + paid
            slot.payer.budget.held += promo + paid

    def release(self, slot):
        self._hold(slot, -slot.promo, -slot.paid)

    # Charges

    def decide_charge(self, charge, slot, pool):
        """(charged, promo): promo first, then the balance; what was not held, out of what is free.
        pool says what of that earlier ones of the same commit have taken."""
        payer, promo = slot.payer, slot.payer.promo
        due = charge.computed - self.over_budget(charge, slot, pool)
        lacking = due - slot.held
        shares = {"promo": slot.promo, "own": slot.paid}
        for which, source in (("promo", promo), ("own", payer if payer.limited else None)):
            if lacking > 0 and source:
                taken = max(0, min(lacking, source.free - pool[source.name]))
                pool[source.name] += taken
                shares[which] += taken
                lacking -= taken
        from_promo = min(due, shares["promo"])
        own = due - from_promo
        if payer.limited:
            own = min(own, shares["own"])
        return from_promo + own, from_promo

    def over_budget(self, charge, slot, pool):
        """What lies beyond the hold, and beyond what both budgets have left: nobody pays it."""
        beyond = charge.computed - slot.held
        if beyond <= 0 or charge.payer is not charge.key.account:
            return 0
        budgets = (charge.key.budget, charge.payer.budget)
        within = max(0, min([beyond] + [b.left(self.now) - pool[id(b)]
                                        for b in budgets if b.limit]))
        for budget in budgets:
            pool[id(budget)] += within
        return beyond - within

    def check_charge(self, charge, slot, charged, promo):
        """What must be true of a charge whoever else was at work."""
        require(min(charge.computed, slot.held) <= charged <= charge.computed,
                "charged", charged, "of", charge.computed, "with", slot.held, "held")
        require(min(charge.computed, slot.promo) <= promo <= charged, "promo pays", promo)
        budgets = (charge.key.budget, charge.key.account.budget)
        require(slot.payer.limited or charged == charge.computed or any(b.limit for b in budgets),
                "an unlimited account pays all")

    def apply_charge(self, charge, slot, charged, promo):
        charge.charged, charge.promo = charged, promo
        self.charges[charge.rid] = charge
        self.post(charge.legs, charge.rid)
        if slot:
            held = slot.held
            self._hold(slot, -slot.promo, -slot.paid)
            slot.charged = True
            require(held >= 0, "held less than nothing")
        if charge.payer is charge.key.account:
            for budget in (charge.key.budget, charge.payer.budget):
                budget.charge(charged, charge.ts, self.now)

    def apply_reverse(self, rid, why):
        """Nothing where there is no charge that stands."""
        charge = self.charges.get(rid)
        if charge is None or charge.reversed:
            return
        charge.reversed = why
        self.post(charge.legs_back, rid, why)
        if charge.payer is charge.key.account:
            for budget in (charge.key.budget, charge.payer.budget):
                budget.charge(-charge.charged, charge.ts, self.now)

    def standing(self):
        """What nobody was to pay stands, too: no transfer takes it back."""
        return [c for c in self.charges.values() if not c.reversed or c.computed == 0]

    # A stop and a start

    def restart(self):
        """Holds are gone, and what has no closing row is paid by nobody."""
        for balance in self.balances():
            balance.held = 0
        self.slots.clear()
        for charge in self.charges.values():
            if charge.rid not in self.closed and not charge.reversed:
                self.apply_reverse(charge.rid, CRASH)
        for account in self.accounts.values():
            self.load_budget(account.budget, account)
        for key in self.keys.values():
            self.load_budget(key.budget, key.account, key)

    def load_budget(self, budget, account, key=None):
        budget.held = budget.spent = budget.window = 0
        if budget.limit:
            budget.load([c for c in self.standing()
                         if c.payer is account and (not key or c.key.root is key.root)], self.now)

    # Administration: decide says whether it is done; apply does it.

    def balance_of(self, account, currency, promo, make):
        """The balance that is meant, made where it may be; None: refused."""
        if account.kind == "house" and (promo or currency != account.currency):
            return None
        found = next((b for b in account.balances if b.currency == currency), None)
        if not found and make:
            found = Balance(f"{account.name}:{currency}", currency, account.kind, account)
            self.all[found.name] = found
            account.balances.append(found)
        if found and promo:
            if not found.promo and make:
                found.promo = Balance(f"{account.name}:{currency}:promo", currency, account.kind,
                                      account)
                found.promo.is_promo = True
                self.all[found.promo.name] = found.promo
            found = found.promo
        return found

    def decide_credit(self, account, currency, promo, nano):
        balance = self.balance_of(account, currency, promo, True)
        return balance is not None and nano > 0 and \
            balance.balance + nano + balance.limit <= LARGEST

    def apply_credit(self, account, currency, promo, nano, note):
        balance = self.balance_of(account, currency, promo, True)
        source = f"promo:{currency}" if promo else f"funding:{currency}"
        self.post([(source, balance.name, nano, "grant" if promo else "credit")], note=note)

    def decide_debit(self, account, currency, promo, nano):
        balance = self.balance_of(account, currency, promo, False)
        return balance is not None and nano > 0 and (not balance.limited or nano <= balance.free) \
            and balance.balance - nano >= -LARGEST - 1

    def apply_debit(self, account, currency, promo, nano, note):
        balance = self.balance_of(account, currency, promo, False)
        to = f"promo:{currency}" if promo else f"funding:{currency}"
        self.post([(balance.name, to, nano, "lapse" if promo else "debit")], note=note)

    def decide_limit(self, account, nano):
        """A limit comes and goes only while nobody serves; it is never above what is used of it."""
        if account.kind != "house" or nano < 0 or account.balance + nano > LARGEST:
            return False
        if self.serving and account.limited != (nano > 0):
            return False
        return nano == 0 or account.balance - account.held + nano >= 0

    def apply_limit(self, account, nano):
        account.limit, account.limited = nano, nano > 0

    def decide_budget(self, account, nano, period):
        limit = account.budget.limit if nano < 0 else nano
        return not (limit > 0 and account.kind == "house")

    def apply_budget(self, account, nano, period):
        budget = account.budget
        budget.limit = budget.limit if nano < 0 else nano
        budget.period = period or budget.period
        held = budget.held
        self.load_budget(budget, account)
        budget.held = held
        if not budget.limit:
            budget.window = window_start(budget.period, self.now)

    ROTATIONS = 10      # a day

    def decide_rotate(self, key):
        """An old key makes no second successor, and none once it has expired."""
        heirs = [k for k in self.keys.values() if k.root is key.root and k is not key.root]
        return not 0 < key.expires <= self.now and \
            not any(k.number > key.number for k in heirs) and \
            sum(k.made > self.now - DAY_US for k in heirs) < self.ROTATIONS

    def apply_rotate(self, key, number, overlap):
        heir = Key(number, key.account, key.budget, self.now, key.root)
        heir.expires = key.expires
        until = self.now + overlap
        key.expires = min(key.expires, until) if key.expires else until
        self.keys[number] = heir

    def offered(self, model, at):
        found = [row for row in self.offers if row[0] == model and row[2] <= at]
        return found[-1][1] if found else 0

    def apply_offer(self, model, number, then, then_us):
        mine = [row for row in self.offers if row[0] == model]
        same = self.offered(model, self.now) == number and (
            mine[-1][1:] == (then, then_us) if then else mine[-1][2] <= self.now)
        if not same:
            self.offers.append((model, number, self.now))
            if then:
                self.offers.append((model, then, then_us))
