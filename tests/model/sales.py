# SPDX-License-Identifier: Apache-2.0
"""Vouchers, refunds, what is bought from vendors, keys that replace others: what they should come
to, and their operations in a game of one lane."""
from tests.model.auditor import Plan, require

HOUR_US = 3600 * 10**6


class Voucher:
    def __init__(self, batch, code, currency, nano, expires):
        self.batch, self.code = batch, code
        self.currency, self.nano, self.expires = currency, nano, expires
        self.state, self.balance = "open", None


def decide_redeem(auditor, account, voucher):
    if voucher.state == "void":
        return "void"
    if voucher.state == "redeemed":
        return "ok" if voucher.balance.owner is account else "used"
    if voucher.expires and voucher.expires <= auditor.now:
        return "expired"
    found = auditor.balance_of(account, voucher.currency, False, True)
    return "ok" if found else "refused"


def apply_redeem(auditor, account, voucher):
    if voucher.state == "open":
        voucher.state = "redeemed"
        voucher.balance = auditor.balance_of(account, voucher.currency, False, True)
        auditor.post([(f"liab:voucher:{voucher.currency}", voucher.balance.name, voucher.nano,
                       "voucher")])


def left_of_vouchers(moves):
    """Of a balance's (kind, signed nano), in order, without charges that were reversed: they are
    spent first by charges, and last by whatever else takes money away."""
    balance = left = 0
    for kind, nano in moves:
        balance += nano
        if kind == "voucher":
            left += nano
        elif kind == "charge":
            left = max(0, left + nano)
        left = min(left, balance)
    return left


MOVES = """SELECT t.kind, CASE WHEN t.debit = b.id THEN -t.nano ELSE t.nano END
FROM account b JOIN transfer t ON b.id IN (t.debit, t.credit) WHERE b.name = ?
AND (t.cause IS NULL OR t.kind = 'charge' AND t.cause NOT IN
(SELECT cause FROM transfer WHERE kind = 'reversal')) ORDER BY t.id"""


class Sales:
    """Of a game: see play.py."""

    def failing(self, text, ok, said="refused"):
        """One operation, with a commit that fails now and then; whether it is done."""
        fails = self.rng.random() < 0.1
        if fails:
            self.add("failing 1", "ok")
        self.add(text, said if ok and fails else ok or "refused")
        if fails:
            self.add("failing 0", "ok")
        return bool(ok) and not fails

    def voucher(self):
        rng, auditor = self.rng, self.auditor
        currency, nano = rng.choice(self.CURRENCIES), rng.randint(1, 20_000)
        count = rng.randint(1, 3)
        expires = rng.choice([0, 0, auditor.now + HOUR_US, auditor.now])
        self.flush()
        note = self.name()
        reply = self.driver.one(f"0 voucher {currency} {nano} {count} {expires} {note}")
        self.count += 1
        if expires == auditor.now:
            require(reply.startswith("refused"), "vouchers that have expired:", reply)
            return
        codes = reply.split()[1:]
        require(reply.startswith("ok") and len(codes) == count, "voucher ->", reply)
        batch = max([v.batch for v in auditor.vouchers.values()], default=0) + 1
        for code in codes:
            voucher = Voucher(batch, code, currency, nano, expires)
            auditor.vouchers[len(auditor.vouchers) + 1] = voucher
        auditor.post([("funding:" + currency, "liab:voucher:" + currency, nano * count,
                       "voucher_sold")], note=note)

    def redeem(self):
        if not self.auditor.vouchers:
            return
        self.go()
        voucher = self.rng.choice(list(self.auditor.vouchers.values())[-6:])
        account = self.some_account()
        was = voucher.state
        reply = decide_redeem(self.auditor, account, voucher)
        if reply == "ok" and was == "open":
            if self.failing(f"redeem {account.name} {voucher.code}", "ok", "failed"):
                apply_redeem(self.auditor, account, voucher)
        else:
            self.add(f"redeem {account.name} {voucher.code}", reply)

    def void(self):
        if not self.auditor.vouchers:
            return
        self.go()
        voucher = self.rng.choice(list(self.auditor.vouchers.values())[-6:])
        whole, kept = self.rng.random() < 0.5, self.rng.random() < 0.5
        which = [v for v in self.auditor.vouchers.values() if v.state == "open" and
                 (v.batch == voucher.batch if whole else v is voucher)]
        expired = voucher.expires and voucher.expires <= self.auditor.now
        ok = which and (expired or not kept)
        name = voucher.batch if whole else voucher.code
        if self.failing(f"void {name} {int(kept)}", ok and "ok 0"):
            for one in which:
                one.state = "void"
            to = f"rev:breakage:{voucher.currency}" if kept else f"funding:{voucher.currency}"
            self.auditor.post([(f"liab:voucher:{voucher.currency}", to, voucher.nano * len(which),
                                "breakage" if kept else "voucher_void")])

    def refund(self):
        account = self.some_account()
        balance = self.rng.choice(account.balances)
        self.flush()
        with self.books.open() as db:
            most = balance.balance - left_of_vouchers(db.execute(MOVES, (balance.name,)))
        most = min(most, balance.free)
        nano = self.rng.choice([0, 1, max(1, most), max(1, most + 1), max(1, most // 2)])
        ok = account.kind == "customer" and most > 0 and nano <= most
        note = self.name()
        if self.failing(f"refund {account.name} {balance.currency} {nano} {note}", ok and "ok 0"):
            nano = nano or most
            self.auditor.refunds[len(self.auditor.refunds) + 1] = [balance, nano, "requested"]
            self.auditor.post([(balance.name, f"clear:refund:{balance.currency}", nano, "refund")],
                              note=note)

    def end(self):
        if not self.auditor.refunds:
            return
        self.go()
        number = self.rng.choice(list(self.auditor.refunds)[-4:])
        balance, nano, state = row = self.auditor.refunds[number]
        sent = self.rng.random() < 0.5
        if self.failing(f"end r{number} {int(sent)}", state == "requested" and "ok 0"):
            row[2] = "sent" if sent else "cancelled"
            to = f"funding:{balance.currency}" if sent else balance.name
            self.auditor.post([(f"clear:refund:{balance.currency}", to, nano,
                                "refund_sent" if sent else "refund_back")])

    def rotate(self):
        key = self.rng.choice(list(self.auditor.keys.values()))
        overlap = self.rng.choice([0, 10**6, HOUR_US])
        self.go()
        number = len(self.auditor.keys) + 1
        ok = self.auditor.decide_rotate(key)
        if self.failing(f"rotate {key.number} {overlap}", ok and f"ok {number}"):
            self.auditor.apply_rotate(key, number, overlap)

    def new_plan(self):
        """The last three are used."""
        rng, number = self.rng, len(self.auditor.plans)
        units, cost = rng.choice([1, 3, 7, 1000]), rng.choice([1, 10, 999_999, 7_900_000_000])
        currency = rng.choice(self.CURRENCIES)
        until = self.auditor.now + rng.choice([10**6, HOUR_US, 24 * HOUR_US])
        plan = Plan(number, f"plan{number}", units, cost, currency, until)
        self.auditor.plans.append(plan)
        self.add(self.plan_line(plan), "ok 0")

    @staticmethod
    def plan_line(plan):
        return (f"plan {plan.index} {plan.upstream} {plan.units} {plan.cost} {plan.currency} "
                f"1 {plan.until}")

    def open_plans(self):
        return self.auditor.plans[-3:]

    def periods(self):
        """Those that have ended are booked whole, once."""
        self.go()
        self.add("periods", "ok 0")
        for plan in self.auditor.plans:
            if plan.known and not plan.closed and plan.until <= self.auditor.now:
                at = plan.currency
                if left := plan.end():
                    self.auditor.post([(f"loss:unused_plan:{at}", f"asset:{plan.upstream}:{at}",
                                        left, "plan")], note="period ended")

    def attempted(self, slot):
        """What the vendor bills for one that failed; the note names it."""
        nano, at, bearer = slot.attempt
        self.auditor.post([(f"{bearer}:{at}", f"asset:lab:{at}", nano, "attempt")],
                          note=f"{slot.rid.hex()}/1")

    def failed(self, plan, nano):
        """An attempt that nobody pays for."""
        at = plan.currency
        if nano:
            self.auditor.post([(f"cogs:failed_attempts:{at}", f"asset:{plan.upstream}:{at}", nano,
                                "plan")], note="connect")

    def buy(self):
        rng = self.rng
        upstream, nano, note = rng.choice(["lab", "forge"]), rng.randint(1, 10**6), self.name()
        currency, paid_in = rng.choices(self.CURRENCIES, k=2)
        paid = nano if currency == paid_in else rng.randint(1, 10**6)
        spread = rng.choice([0, 1, paid, paid + 1])
        ok = spread == 0 if currency == paid_in else spread <= paid
        self.go()
        if not self.failing(f"buy {upstream} {currency} {nano} {paid_in} {paid} {spread} {note}",
                            ok and "ok 0"):
            return
        asset, funding = f"asset:{upstream}:{currency}", f"funding:{paid_in}"
        legs = [(asset, funding, nano, "purchase")]
        if currency != paid_in:
            legs = [(f"fx:{paid_in}", funding, paid - spread, "fx"),
                    (f"exp:fx_spread:{paid_in}", funding, spread, "fx_spread"),
                    (asset, f"fx:{currency}", nano, "purchase")]
        self.auditor.post([leg for leg in legs if leg[2]], note=note)

    def writeoff(self):
        upstream, currency = self.rng.choice(["lab", "forge"]), self.rng.choice(self.CURRENCIES)
        self.go()
        asset = self.auditor.at(f"asset:{upstream}:{currency}")
        left, note = -asset.balance, self.name()
        nano = self.rng.choice([0, 1, max(1, left), max(1, left + 1)])
        ok = left > 0 and nano <= left
        if self.failing(f"writeoff {upstream} {currency} {nano} {note}", ok and "ok 0"):
            self.auditor.post([(f"loss:writeoff:{currency}", asset.name, nano or left, "writeoff")],
                              note=note)
