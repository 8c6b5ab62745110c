/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The purse: what this node may spend of an account, without asking the disk. free + held =
 * allotment - charged since. Only customers have one; a house account is never refused.
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
static enum hold_result take_exactly(struct account *a, int64_t nano)
{
    /* Read first: an allotment reaches free before it leaves unallotted, so no sum comes out
     * short. */
    int64_t unallotted = atomic_load(&a->unallotted);
    int_fast64_t available = atomic_load(&a->free);
    int64_t reach;

    do {
        if (available < nano) {
            if (!money_add(&reach, available, unallotted) || reach >= nano)
                return HOLD_WAIT;
            return HOLD_NO_FUNDS;
        }
    } while (!atomic_compare_exchange_weak(&a->free, &available, available - nano));
    atomic_fetch_add(&a->held, nano);
    return HOLD_HELD;
}

/* The account's and the key's own. */
static enum hold_result hold_budgets(struct account *a, struct key *k, int64_t nano)
{
    int64_t now_us = clock_wall_us();

    if (!budget_hold(&k->budget, nano, now_us))
        return HOLD_OVER_BUDGET;
    if (budget_hold(&a->budget, nano, now_us))
        return HOLD_HELD;
    budget_release(&k->budget, nano);
    return HOLD_OVER_ACCOUNT_BUDGET;
}

enum hold_result ledger_hold(struct account *a, struct key *k, int64_t nano)
{
    assert(nano >= 0 && k->account == a);
    enum hold_result r = hold_budgets(a, k, nano);
    if (r != HOLD_HELD)
        return r;
    if (a->kind != ACCOUNT_CUSTOMER) {
        atomic_fetch_add(&a->held, nano);
        return HOLD_HELD;
    }
    r = take_exactly(a, nano);
    if (r != HOLD_HELD)
        key_budget_release(k, nano);
    return r;
}

void ledger_release(struct account *a, struct key *k, int64_t nano)
{
    int_fast64_t before = atomic_fetch_sub(&a->held, nano);

    assert(nano >= 0 && before >= nano);
    if (a->kind == ACCOUNT_CUSTOMER)
        atomic_fetch_add(&a->free, nano);
    key_budget_release(k, nano);
}

int64_t ledger_balance(const struct account *a)
{
    return atomic_load(&a->balance);
}
