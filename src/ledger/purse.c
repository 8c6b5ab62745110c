/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The purse: what this node may spend of a balance, without asking the disk. free + held =
 * allotment - charged since. Who is not limited has none and is never refused.
 */
#include "ledger/ledger_int.h"

#include <assert.h>

#include "base/clock.h"

int64_t purse_take(struct account *a, int64_t nano)
{
    int_fast64_t available = atomic_load(&a->free);
    int64_t taken;

    assert(nano >= 0);
    do {
        taken = available < nano ? available : nano;
        taken = taken > 0 ? taken : 0;
    } while (taken > 0 && !atomic_compare_exchange_weak(&a->free, &available, available - taken));
    if (taken > 0)
        atomic_fetch_add(&a->held, taken);
    return taken;
}

void purse_give_back(struct account *a, int64_t nano)
{
    int_fast64_t before = atomic_fetch_sub(&a->held, nano);

    assert(nano >= 0 && before >= nano);
    atomic_fetch_add(&a->free, nano);
}

/* All or nothing, and why not. */
static enum hold_result take_exactly(struct account *a, int64_t nano, bool ask)
{
    /* Read first: an allotment reaches free before it leaves unallotted, so no sum comes out
     * short. */
    int64_t unallotted = atomic_load(&a->unallotted);
    int_fast64_t available = atomic_load(&a->free);
    int64_t reach;

    do {
        if (available < nano) {
            if (ask || !money_add(&reach, available, unallotted) || reach >= nano)
                return HOLD_WAIT;
            return HOLD_NO_FUNDS;
        }
    } while (!atomic_compare_exchange_weak(&a->free, &available, available - nano));
    atomic_fetch_add(&a->held, nano);
    return HOLD_HELD;
}

/* Promo first. It is allotted whole, so that what no purse has is waited for but once. */
static enum hold_result take(struct hold *h, int64_t nano)
{
    struct account *promo = atomic_load(&h->from->promo);
    int64_t first = 0;
    /* Another station may have spent or returned some since. */
    bool ask = atomic_load(h->from->shared) && !h->asked;

    if (promo != NULL) {
        if ((ask || atomic_load(&promo->unallotted) > 0) && atomic_load(&promo->free) < nano)
            return HOLD_WAIT;
        first = purse_take(promo, nano);
    }
    enum hold_result r = first == nano ? HOLD_HELD : take_exactly(h->from, nano - first, ask);
    if (r != HOLD_HELD) {
        if (first > 0)
            purse_give_back(promo, first);
        return r;
    }
    h->promo += first;
    h->paid += nano - first;
    h->asked = false;
    return HOLD_HELD;
}

/* The account's and the key's own. */
static enum hold_result hold_budgets(struct account *a, struct key *k, int64_t nano)
{
    int64_t now_us = clock_wall_us();

    if (!budget_hold(key_budget(k), nano, now_us))
        return HOLD_OVER_BUDGET;
    if (budget_hold(&a->budget, nano, now_us))
        return HOLD_HELD;
    budget_release(key_budget(k), nano);
    return HOLD_OVER_ACCOUNT_BUDGET;
}

enum hold_result ledger_hold(struct hold *h, struct key *k, int64_t nano)
{
    assert(nano >= 0 && h->from->owner == k->account);
    bool counted = h->from == k->account;
    enum hold_result r = counted ? hold_budgets(k->account, k, nano) : HOLD_HELD;
    if (r != HOLD_HELD) /* others may have charged or released some of it since */
        return atomic_load(h->from->shared) && !h->asked ? HOLD_WAIT : r;
    if (!h->from->limited) {
        atomic_fetch_add(&h->from->held, nano);
        h->paid += nano;
        return HOLD_HELD;
    }
    r = take(h, nano);
    if (r != HOLD_HELD && counted)
        key_budget_release(k, nano);
    return r;
}

void ledger_release(struct hold *h, struct key *k)
{
    if (h->promo > 0)
        purse_give_back(atomic_load(&h->from->promo), h->promo);
    int_fast64_t before = atomic_fetch_sub(&h->from->held, h->paid);
    assert(h->paid >= 0 && before >= h->paid);
    if (h->from->limited)
        atomic_fetch_add(&h->from->free, h->paid);
    if (h->from == k->account)
        key_budget_release(k, hold_total(h));
    h->promo = h->paid = 0;
}

int64_t ledger_available(const struct account *a)
{
    const struct account *promo = atomic_load(&a->promo);
    int64_t sum = atomic_load(&a->free) + atomic_load(&a->unallotted);

    if (!a->limited)
        return INT64_MAX;
    return promo == NULL ? sum : sum + atomic_load(&promo->free) + atomic_load(&promo->unallotted);
}

struct account *ledger_balance_in(struct account *owner, struct currency cur)
{
    struct account *a = owner;

    while (a != NULL && strcmp(a->currency.code, cur.code) != 0)
        a = atomic_load(&a->next);
    return a;
}

int64_t ledger_balance(const struct account *a)
{
    return atomic_load(&a->balance);
}
