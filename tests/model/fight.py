# SPDX-License-Identifier: Apache-2.0
"""The replies of a race. Who was first nobody knows, so each is taken as a fact, and checked for
what holds in every order."""
import collections

from tests.model import sales
from tests.model.auditor import LATE, Charge, Failure, require


class Fight:
    """The replies of one race, lane by lane."""

    def __init__(self, auditor, free):
        self.auditor, self.free = auditor, free
        self.asked = collections.Counter()      # of a balance, by all together
        self.budgets = collections.Counter()    # of a key or account
        self.refused = []
        self.slots = {}
        self.pending = ({}, {}, {}, set(), [])  # charges, moves, closings, reversals, redeemed
        self.late = []              # who came too late with a voucher

    def take(self, act, reply, killed):
        verb, *words = act
        if reply is None and not killed:
            raise Failure("no reply")
        if verb == "charge":
            self.charge(words, reply)
        elif verb in ("credit", "debit"):
            self.move(verb, words, reply)
        elif verb == "redeem":
            self.redeem(*words, reply)
        elif verb == "close":
            slot, end = words
            if not killed:
                self.auditor.closed[slot.rid] = end
            else:
                self.pending[2][slot.rid] = end
        elif verb == "reverse":
            if reply is None:
                self.pending[3].add(words[0].rid)
            else:
                require(reply == "ok", "a reversal never fails")
                self.auditor.apply_reverse(words[0].rid, LATE)
        elif reply is not None:
            getattr(self, verb)(words, reply)

    def open(self, words, reply):
        slot, = words
        require(reply != "none", "there is a rate")
        factor, rate = map(int, reply.split()[1:])
        named = self.auditor.factors.get(factor)
        account = slot.key.account
        require(not factor or named and named[:2] in
                (("account", account.name), ("group", account.group)), "another's factor")
        row = self.auditor.rates.get(rate)
        same = slot.price.currency == slot.payer.currency
        require(same if not rate else row and {row[0], row[1]} ==
                {slot.price.currency, slot.payer.currency} and row[4] <= slot.ts, "a wrong rate")
        self.auditor.apply_open(slot, reply)
        self.slots[slot.number] = slot

    def hold(self, words, reply):
        slot, nano = words
        self.asked[slot.payer.name] += nano
        if slot.counted:
            self.budgets[slot.key.number] += nano
            self.budgets[slot.payer.name] += nano
        if not reply.startswith("held"):
            self.refused.append((slot, reply))
        self.auditor.apply_hold(slot, nano, reply)

    def release(self, words, reply):
        self.auditor.release(words[0])
        require(reply == "ok", "a release never fails")

    def charge(self, words, reply):
        slot = words[0]
        if slot.number not in self.slots:
            return                      # killed before it was opened
        charge = slot.charge = Charge(*words)
        self.asked[slot.payer.name] += charge.computed
        if slot.counted:
            self.budgets[slot.key.number] += charge.computed
            self.budgets[slot.payer.name] += charge.computed
        if reply is None:
            self.pending[0][slot.rid] = (charge, slot)
            return
        require(reply.startswith("ok"), "a charge that may be made")
        computed, charged, promo, cost = map(int, reply.split()[1:])
        require((computed, cost) == (charge.computed, charge.cost), "computed, cost; expected:",
                charge.computed, charge.cost)
        self.auditor.check_charge(charge, slot, charged, promo)
        if charged < computed:
            self.refused.append((slot, "beyond the hold"))
        self.auditor.apply_charge(charge, slot, charged, promo)

    def move(self, verb, words, reply):
        account, currency, promo, nano, note = words
        apply = getattr(self.auditor, f"apply_{verb}")
        if reply is None:
            self.pending[1][note] = lambda: apply(*words)
        elif reply.startswith("ok"):
            apply(*words)
        else:
            require(verb == "debit", "a credit that may be given")
        if verb == "debit":
            balance = self.auditor.balance_of(account, currency, promo, False)
            self.asked[balance.name] += nano

    def redeem(self, account, voucher, reply):
        if reply is None:
            self.pending[4].append((account, voucher))
        elif reply == "ok":
            require(voucher.state == "open" or voucher.balance.owner is account,
                    "a voucher is redeemed twice")
            sales.apply_redeem(self.auditor, account, voucher)
        else:
            require(reply == "used", "an open voucher")
            self.late.append((account, voucher))

    @staticmethod
    def go(words, reply):
        require(reply == "ok" and not words, "go")

    def factor(self, words, reply):
        """Taken before."""

    rate = factor

    def judge(self):
        """Nobody was refused who cannot have been too late, however the others were first."""
        for account, voucher in self.late:
            require(voucher.state == "redeemed" and voucher.balance.owner is not account,
                    "a voucher is said to be used:", voucher.code)
        for slot, why in self.refused:
            money = slot.payer.limited and (self.asked[slot.payer.name] >
                                            self.free[slot.payer.name])
            own = slot.counted and self.is_short(slot.key.budget, slot.key.number)
            whole = slot.counted and self.is_short(slot.payer.budget, slot.payer.name)
            if why in ("no_funds", "wait"):
                require(money, slot.payer.name, "refuses though there is enough for all")
            elif why == "beyond the hold":
                require(money or own or whole, slot.payer.name, "does not pay, but could")
            else:
                require(own if why == "budget" else whole,
                        "a budget refuses though there is enough for all")

    def is_short(self, budget, name):
        return budget.limit and self.budgets[name] + budget.spent + budget.held > budget.limit
