/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a start does, in one transaction: a new epoch, accounts, keys and spent budgets loaded, and
 * each epoch that is not settled and whose station lives no more is settled: its allotments are
 * returned, and every charge of it without its request row is reversed. It charged nothing below
 * its mark.
 */
#include "ledger/ledger_int.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"

static uint8_t kind_of(struct str kind)
{
    if (str_eq(kind, STR("customer")))
        return ACCOUNT_CUSTOMER;
    return str_eq(kind, STR("house")) ? ACCOUNT_HOUSE : ACCOUNT_SYSTEM;
}

/* The limit and, in the next column, its period. */
static void load_budget(struct budget *b, struct statement *row, int at)
{
    atomic_init(&b->limit, store_i64(row, at));
    atomic_init(&b->period, str_eq(store_text(row, at + 1), STR("m")) ? 'm' : 'd');
}

bool ledger_load_account(struct ledger *l, struct statement *row, struct err *e)
{
    struct str name = store_text(row, 1);
    struct currency cur;

    if (name.n >= LIMIT_NAME || !currency_parse(store_text(row, 2), &cur))
        return err_set(e, "store: account %lld is malformed", (long long)store_i64(row, 0));
    /* An owner is older than its balances. */
    struct purse *owner = store_null(row, 9) ? NULL : purse_by_id(l, store_i64(row, 9));
    struct purse *p = purse_add(l, store_i64(row, 0), name, kind_of(store_text(row, 3)), cur,
                                store_i64(row, 4), store_i64(row, 7), owner);
    load_budget(&p->account.budget, row, 5);
    group_join(l, p, store_text(row, 8));
    if (owner != NULL)
        balance_attach(p, store_i64(row, 10) != 0);
    return true;
}

static bool load_accounts(struct ledger *l, struct err *e)
{
    struct statement *st = l->sql[SQL_NEW_ACCOUNTS];
    enum store_step step;

    store_bind_i64(st, 1, 0);
    while ((step = store_step(st)) == STEP_ROW)
        if (!ledger_load_account(l, st, e)) {
            store_reset(st);
            return false;
        }
    return step == STEP_DONE || store_failed(l->store, e);
}

static void copy_text(char *out, size_t size, struct str s)
{
    size_t n = s.n < size ? s.n : size - 1;

    if (n > 0)
        memcpy(out, s.p, n);
    out[n] = '\0';
}

bool ledger_load_key(struct ledger *l, struct statement *row)
{
    struct key *k = aligned_alloc(_Alignof(struct key), sizeof *k);
    struct str hash = store_blob(row, 1);

    if (k == NULL || hash.n != sizeof k->hash) {
        free(k);
        return false;
    }
    memset(k, 0, sizeof *k);
    k->id = store_i64(row, 0);
    memcpy(k->hash, hash.p, hash.n);
    copy_text(k->label, sizeof k->label, store_text(row, 2));
    k->account = &purse_by_id(l, store_i64(row, 3))->account;
    copy_text(k->models, sizeof k->models, store_text(row, 4));
    atomic_init(&k->expires_us, store_i64(row, 5));
    k->rpm = (uint32_t)store_i64(row, 6);
    k->concurrency = (uint32_t)store_i64(row, 7);
    load_budget(&k->budget, row, 8);
    atomic_init(&k->revoked, store_i64(row, 10) != 0);
    if (!store_null(row, 11)) /* a key is older than what replaced it */
        k->root = key_by_id(l, store_i64(row, 11));
    map_put(l->keys, id_bytes(&k->id), k);
    directory_add_key(l->directory, k);
    return true;
}

static bool load_keys(struct ledger *l, struct err *e)
{
    struct statement *st = l->sql[SQL_NEW_KEYS];
    enum store_step step;

    store_bind_i64(st, 1, 0);
    while ((step = store_step(st)) == STEP_ROW)
        if (!ledger_load_key(l, st)) {
            store_reset(st);
            return err_set(e, "store: a key is malformed");
        }
    return step == STEP_DONE || store_failed(l->store, e);
}

bool ledger_spent(struct ledger *l, int64_t account, char period, int64_t *at_us, int64_t *nano,
                  struct err *e)
{
    struct statement *st = l->sql[SQL_SPENT];

    store_bind_i64(st, 1, account);
    store_bind_i64(st, 2, budget_window_us(period, *at_us));
    if (store_step(st) != STEP_ROW)
        return store_failed(l->store, e);
    *nano = store_i64(st, 0);
    *at_us = store_i64(st, 1) > *at_us ? store_i64(st, 1) : *at_us;
    store_reset(st);
    return true;
}

/* What was charged since the month began, and since the day did. */
struct spent {
    int64_t month, day, at_us; /* now, or of the last of it where that is later */
};

static void count_spent(struct budget *b, const struct spent *s)
{
    if (atomic_load(&b->limit) > 0)
        budget_charge(b, 0, atomic_load(&b->period) == 'm' ? s->month : s->day, s->at_us);
}

/* An account and all its keys by one walk over its charges, however many keys there are. */
static bool load_spent(struct ledger *l, struct account *a, struct err *e)
{
    struct statement *st = l->sql[SQL_SPENT_BY_KEY];
    int64_t now_us = clock_wall_us();
    struct spent all = {.at_us = now_us};
    enum store_step step;

    store_bind_i64(st, 1, a->id);
    store_bind_i64(st, 2, budget_window_us('m', now_us));
    store_bind_i64(st, 3, budget_window_us('d', now_us));
    while ((step = store_step(st)) == STEP_ROW) {
        struct spent s = {store_i64(st, 1), store_i64(st, 2), store_i64(st, 3)};
        s.at_us = s.at_us > now_us ? s.at_us : now_us;
        count_spent(&key_by_id(l, store_i64(st, 0))->budget, &s);
        all.month += s.month;
        all.day += s.day;
        all.at_us = s.at_us > all.at_us ? s.at_us : all.at_us;
    }
    count_spent(&a->budget, &all);
    return step == STEP_DONE || store_failed(l->store, e);
}

static bool load_budgets(struct ledger *l, struct err *e)
{
    int64_t now_us = clock_wall_us();
    size_t at = 0;
    struct str id;
    void *entry;

    /* First which accounts they are: most have none. */
    while (map_next(l->keys, &at, &id, &entry)) {
        struct key *k = entry;
        if (k->root != NULL || atomic_load(&k->budget.limit) == 0)
            continue;
        budget_charge(&k->budget, 0, 0, now_us); /* its window is open, whatever was charged */
        ((struct purse *)(void *)k->account)->budgeted = true;
    }
    at = 0;
    while (map_next(l->accounts, &at, &id, &entry)) {
        struct purse *p = entry;
        bool any = p->budgeted || atomic_load(&p->account.budget.limit) > 0;
        if (any && !load_spent(l, &p->account, e))
            return false;
    }
    return true;
}

/* One at a time: the reversal of one takes it out of what the query finds. */
static bool reverse_orphans(struct ledger *l, struct batch *b, struct statement *st, int64_t epoch,
                            int64_t mark, struct err *e)
{
    unsigned count = 0;

    for (;; count++) {
        struct item it = {0};
        struct rid rid;
        store_bind_i64(st, 1, mark);
        store_bind_i64(st, 2, epoch);
        enum store_step step = store_step(st);
        if (step == STEP_DONE)
            break;
        struct str bytes = step == STEP_ROW ? store_blob(st, 1) : STR("");
        if (bytes.n != sizeof rid.b)
            return store_failed(l->store, e);
        memcpy(rid.b, bytes.p, bytes.n);
        mark = store_i64(st, 0);
        store_reset(st);
        if (!charge_reverse(l, b, &rid, STR("crash"), &it))
            return store_failed(l->store, e);
    }
    if (count > 0)
        log_event(LOG_WARN, "charges_reversed", "count=%u reason=crash", count);
    return true;
}

bool charges_of_dead(struct ledger *l, struct batch *b, int64_t epoch, int64_t mark, struct err *e)
{
    struct statement *st =
        store_prepare(l->store,
                      "SELECT c.id, c.rid FROM charge c WHERE c.id>? AND c.epoch=? AND NOT EXISTS"
                      "(SELECT 1 FROM request r WHERE r.rid=c.rid) AND NOT EXISTS"
                      "(SELECT 1 FROM transfer t WHERE t.cause=c.id"
                      " AND t.kind IN ('reversal','lost')) ORDER BY c.id LIMIT 1",
                      e);
    if (st == NULL)
        return false;
    bool ok = reverse_orphans(l, b, st, epoch, mark, e);
    store_drop(l->store, st);
    return ok;
}

static bool start_inside(struct ledger *l, struct batch *b, bool beside, struct err *e)
{
    if (!share_start(l, beside, e) || !load_accounts(l, e) || !load_keys(l, e) ||
        !factors_load(l, e) || !rates_load(l, e) || !share_started(l, b, e) ||
        !load_budgets(l, e) || !share_loaded(l, e))
        return false;
    return batch_flush(l, b) || store_failed(l->store, e);
}

bool ledger_start(struct ledger *l, bool beside, struct err *e)
{
    struct batch b = {.ledger = l};

    if (!store_begin(l->store, e))
        return false;
    if (!start_inside(l, &b, beside, e)) {
        store_rollback(l->store);
        return false;
    }
    if (!store_commit(l->store, e))
        return false;
    batch_apply(&b);
    return true;
}
