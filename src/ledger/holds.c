/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Budgets where several stations spend from one store: what requests there hold counts here, since
 * it may be charged any moment. Each tells it in rows of its epoch, some times a second and with
 * each charge; where a key and its account have no budget nobody needs to know.
 */
#include "ledger/ledger_int.h"

/* The key's and its account's: what requests there may still be charged. */
static void set_heard(struct ledger *l)
{
    size_t at = 0;
    struct str id;
    void *entry;

    while (map_next(l->accounts, &at, &id, &entry))
        ((struct purse *)entry)->heard = 0;
    at = 0;
    while (map_next(l->keys, &at, &id, &entry)) {
        struct key *k = entry;
        atomic_store(&k->budget.elsewhere, k->heard); /* 0 where another key counts for it */
        ((struct purse *)(void *)k->account)->heard += k->heard;
        k->heard = 0;
    }
    at = 0;
    while (map_next(l->accounts, &at, &id, &entry)) {
        struct purse *p = entry;
        atomic_store(&p->account.budget.elsewhere, p->heard);
    }
}

bool holds_hear(struct ledger *l, struct err *e)
{
    struct statement *st = l->sql[SQL_BUDGET_HOLDS];
    bool any = false;
    enum store_step step;

    store_bind_i64(st, 1, l->epoch);
    for (; (step = store_step(st)) == STEP_ROW; any = true) {
        struct key *k = key_by_id(l, store_i64(st, 0));
        if (k != NULL)
            k->heard = store_i64(st, 1);
    }
    if (any || l->seen.holds)
        set_heard(l);
    l->seen.holds = any;
    return step == STEP_DONE || store_failed(l->store, e);
}

static bool tell(struct ledger *l, struct key *k, int64_t nano)
{
    struct statement *st = l->sql[SQL_TELL_BUDGET_HOLD];

    store_bind_i64(st, 1, l->epoch);
    store_bind_i64(st, 2, k->id);
    store_bind_i64(st, 3, nano);
    k->told = nano;
    return store_step(st) == STEP_DONE;
}

bool holds_tell_less(struct ledger *l, struct key *k, int64_t nano)
{
    k = k->root != NULL ? k->root : k;
    if (!atomic_load(&l->shared) || k->told <= 0)
        return true;
    return tell(l, k, k->told > nano ? k->told - nano : 0);
}

bool holds_tell(struct ledger *l, struct err *e)
{
    size_t at = 0;
    struct str id;
    void *entry;

    while (map_next(l->keys, &at, &id, &entry)) {
        struct key *k = entry;
        bool counts = k->root == NULL && (atomic_load(&k->budget.limit) != 0 ||
                                          atomic_load(&k->account->budget.limit) != 0);
        int64_t held = counts ? atomic_load(&k->budget.held) : 0;
        if (held != k->told && !tell(l, k, held))
            return store_failed(l->store, e);
    }
    return true;
}

void holds_forget(struct ledger *l, int64_t told)
{
    size_t at = 0;
    struct str id;
    void *entry;

    while (map_next(l->keys, &at, &id, &entry))
        ((struct key *)entry)->told = told;
}
