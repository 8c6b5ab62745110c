# SPDX-License-Identifier: Apache-2.0
"""Rules of the money, each broken on purpose by a small change of the source.

(name, [(file, text, what it becomes), ...], wire tests that could see it). A text stands in its
file once; one that does not is told, so that the list keeps up with the source.
"""
CHARGE, PURSE, START = "src/ledger/charge.c", "src/ledger/purse.c", "src/ledger/start.c"
BATCH, MOVE, COST = "src/ledger/batch.c", "src/ledger/move.c", "src/price/cost.c"
BUDGET, RATE, VOUCHER = "src/identity/budget.c", "src/ledger/rate.c", "src/ledger/voucher.c"

MUTANTS = [
    ("a charge is rounded up",
     [(COST, "if (up && rest)", "if (rest)")], []),
    ("a cost is rounded down",
     [(COST, "cost(p, u, NULL, 0, true, nano);", "cost(p, u, NULL, 0, false, nano);")], []),
    ("a tier begins one token late",
     [(COST, "(uint64_t)p->tiers[i].min_input <= input)",
       "(i == 0 || (uint64_t)p->tiers[i].min_input < input))")], []),
    ("the factor of a service tier is left out",
     [(COST, "big_multiply(&b, service.num);", "big_multiply(&b, service.den);")], []),
    ("promo pays last",
     [(CHARGE, "    it->promo.paid = c->computed < promo_has ? c->computed : promo_has;\n"
               "    it->own.paid = c->computed - it->promo.paid;\n",
       "    int64_t own_has = it->own.held + it->own.taken + it->own.given;\n"
       "    it->own.paid = c->computed < own_has ? c->computed : own_has;\n"
       "    it->promo.paid = c->computed - it->own.paid;\n"
       "    it->promo.paid = it->promo.paid < promo_has ? it->promo.paid : promo_has;\n"
       "    it->own.paid = c->computed - it->promo.paid;\n")], []),
    ("what was never held is nobody's loss",
     [(CHARGE, "[AMOUNT_OVERRUN] = c->computed - c->charged", "[AMOUNT_OVERRUN] = 0")], []),
    ("the customer pays what it does not have",
     [(CHARGE, "it->own.paid -= lacking;", "it->own.paid -= 0;")], []),
    ("a charge beyond its hold takes nothing that is free",
     [(CHARGE, "share->taken = purse_take(a, nano);", "share->taken = 0 * purse_take(a, 0);")], []),
    ("a charge is reversed twice",
     [("src/ledger/schema.c", "kind IN ('reversal','lost')\",", "kind='never'\","),
      ("src/ledger/schema.c", "UNIQUE INDEX transfer_reversal", "INDEX transfer_reversal")],
     []),
    ("a reversal takes back the vendor's bill, too",
     [(CHARGE, "ok = str_eq(store_text(st, 3), STR(\"cost\"))",
       "ok = str_eq(store_text(st, 3), STR(\"never\"))")], []),
    ("what is refused by the purse stays held in the budget",
     [(PURSE, "if (r != HOLD_HELD && counted)", "if (r == HOLD_WAIT && counted && nano < 0)")], []),
    ("what is refused by the account's budget stays held in the key's",
     [(PURSE, "    budget_release(key_budget(k), nano);\n", "")], []),
    ("promo stays held when the balance cannot pay the rest",
     [(PURSE, "        if (first > 0)\n            purse_give_back(promo, first);\n", "")], []),
    ("a hold may take one more than there is",
     [(PURSE, "        if (available < nano) {", "        if (available + 1 < nano) {")], []),
    ("a charge that fails uses its hold up",
     [(CHARGE, "share->taken + (done ? share->held : 0)", "share->taken + share->held")], []),
    ("a budget forgets the window that is open",
     [(BUDGET, "return window <= atomic_load(&b->spent_window)",
       "return window < atomic_load(&b->spent_window)")], []),
    ("a budget is new when the clock was set back",
     [(BUDGET, "(charged > 0 && was_set_back(b,", "(charged < 0 && was_set_back(b,")], []),
    ("a start forgets what was spent",
     [(START, "budget_charge(b, 0, nano, now);", "budget_charge(b, 0, 0 * nano, now);")], []),
    ("what was reversed still counts in the budget",
     [(CHARGE, "key_budget_charge(it->key, 0, -it->refunded, it->ts_us);",
       "key_budget_charge(it->key, 0, 0 * -it->refunded, it->ts_us);")], []),
    ("a group's factor comes before the account's own",
     [("src/ledger/factor.c", "p->own_factor != NULL ? p->own_factor : of_group",
       "of_group != NULL ? of_group : p->own_factor")], []),
    ("the relay leaves the factor out",
     [("src/relay/hold.c", "r->ratios[r->ratio_count++] = r->factor->ratio;",
       "r->ratios[r->ratio_count] = r->factor->ratio;")], ["balances"]),
    ("a rate is read the wrong way round",
     [(RATE, "if (!same(best->base, from))", "if (same(best->base, from))")], []),
    ("a rate is in force before its time",
     [(RATE, "if (pair && r->from_us <= at_us &&", "if (pair &&")], []),
    ("a start keeps the charges that nobody has closed",
     [(START, "AND c.epoch<? AND NOT EXISTS\"", "AND c.epoch<? AND EXISTS\"")], []),
    ("a start keeps the allotments of before",
     [(START, "\"DELETE FROM allotment\"", "\"DELETE FROM allotment WHERE epoch<0\"")], []),
    ("a house's limit is off by one",
     [(MOVE, "ledger_balance(a) + nano < 0", "ledger_balance(a) + nano <= 0")], []),
    ("a debit takes what requests hold",
     [(MOVE, "    if (*taken < rest)\n        return false;\n", "")], []),
    ("an operation is done though its commit failed",
     [(BATCH, "= items[i].op->ok && done;", "= items[i].op->ok;")], []),
    ("what is allotted stays to be allotted",
     [(BATCH, "p->delta + p->spent - p->given);", "p->delta + p->spent);")], []),
    ("promo that is spent is revenue",
     [("src/ledger/events.def", '"discount", "rev:promo_discount:{cur}", "promo:{cur}"',
       '"discount", "promo:{cur}", "rev:promo_discount:{cur}"')], []),
    ("a voucher is redeemed twice",
     [(VOUCHER, "\" WHERE id=?5 AND state='open'\"", "\" WHERE id=?5\""),
      (VOUCHER, "if (v.open)\n        result = credit", "if (!v.voided)\n        result = credit")],
     ["vouchers"]),
    ("a refund that is sent may be cancelled",
     [("src/ledger/refund.c", "if (!str_eq(r.state, STR(\"requested\")))\n", "if (r.id < 0)\n"),
      ("src/ledger/refund.c", "WHERE id=? AND\"\n                      \" state='requested'\"",
       "WHERE id=?\"")], ["refunds"]),
    ("a leaf below nothing is taken for none",
     [("src/dialect/counts.c", "(parts > n[COUNT_OUT])", "(parts > n[COUNT_OUT] + 1000000)")], []),
    ("the answer's end comes before its charge",
     [("src/relay/steps.c", "    fill_charge(r, nano);\n    r->op.charge",
       "    fill_charge(r, nano);\n    stream_release_tail(r);\n    r->op.charge")],
     ["full", "money"]),
]

# Headers and lists: the files that are to be compiled again.
USERS = {"src/ledger/events.def": ["src/ledger/event.c"]}
