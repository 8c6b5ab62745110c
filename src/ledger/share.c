/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several stations on one store, as while one takes over from another. Each has an epoch, whose
 * seat beside the store says that it lives. Alone, a station's memory is the truth and the disk
 * follows. As soon as another may spend, too, the disk decides: each transaction begins with what
 * the others have committed, what is allotted is what is wanted, and what no request holds goes
 * back at once, so that no money lies where it cannot be spent. SQLite's lock for writing puts all
 * transactions in one order; the allotments of all epochs never exceed a balance.
 *
 * A station that spends alone says so in its epoch's row, and nobody starts beside it. It begins to
 * share in one transaction, and ends in one in which it sees no other: so nobody slips in between.
 */
#include "ledger/ledger_int.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"

#define IDLE_ROUNDS 5 /* a lane takes what it was given sooner; else it asks again */

static bool ask_number(struct ledger *l, enum sql sql, int64_t *out, struct err *e)
{
    if (store_step(l->sql[sql]) != STEP_ROW)
        return store_failed(l->store, e);
    *out = store_i64(l->sql[sql], 0);
    store_reset(l->sql[sql]);
    return true;
}

static bool drop_rows(struct ledger *l, enum sql sql, int64_t epoch, struct err *e)
{
    store_bind_i64(l->sql[sql], 1, epoch);
    return store_step(l->sql[sql]) == STEP_DONE || store_failed(l->store, e);
}

static bool set_state(struct ledger *l, int64_t epoch, const char *state, struct err *e)
{
    struct statement *st = l->sql[SQL_SET_EPOCH];

    store_bind_text(st, 1, str_from(state));
    store_bind_i64(st, 2, epoch);
    return store_step(st) == STEP_DONE || store_failed(l->store, e);
}

/* A key that was revoked elsewhere may still stand on a connection that is kept here. */
static bool learn_revoked(struct ledger *l, struct err *e)
{
    struct statement *st = l->sql[SQL_REVOKED];
    enum store_step step;

    while ((step = store_step(st)) == STEP_ROW) {
        struct key *k = key_by_id(l, store_i64(st, 0));
        if (k != NULL)
            atomic_store(&k->revoked, true);
    }
    return step == STEP_DONE || store_failed(l->store, e);
}

/* From here on whatever others commit is new. Inside a transaction. */
static bool mark_seen(struct ledger *l, struct err *e)
{
    l->generation++;
    return ask_number(l, SQL_DATA_VERSION, &l->seen.version, e) &&
           ask_number(l, SQL_LAST_ACCOUNT, &l->seen.account, e) &&
           ask_number(l, SQL_LAST_KEY, &l->seen.key, e) &&
           ask_number(l, SQL_LAST_CHARGE, &l->seen.charge, e) &&
           ask_number(l, SQL_LAST_TRANSFER, &l->seen.transfer, e);
}

/* One row of a query after the last that was seen. */
typedef bool row_fn(struct ledger *l, struct statement *row, struct err *e);

static bool each_new(struct ledger *l, enum sql sql, int64_t *seen, row_fn *fn, struct err *e)
{
    struct statement *st = l->sql[sql];
    enum store_step step;

    store_bind_i64(st, 1, *seen);
    while ((step = store_step(st)) == STEP_ROW) {
        int64_t id = store_i64(st, 0);
        if (!fn(l, st, e)) {
            store_reset(st);
            return false;
        }
        *seen = id;
    }
    return step == STEP_DONE || store_failed(l->store, e);
}

static bool new_account(struct ledger *l, struct statement *row, struct err *e)
{
    int64_t id = store_i64(row, 0);

    return map_get(l->accounts, id_bytes(&id)) != NULL || ledger_load_account(l, row, e);
}

static bool new_key(struct ledger *l, struct statement *row, struct err *e)
{
    return key_by_id(l, store_i64(row, 0)) != NULL || ledger_load_key(l, row) ||
           err_set(e, "store: a key is malformed");
}

/* Their charges count in the budgets here, which are of an account's first balance. */
static void count_other(struct ledger *l, struct statement *row, int64_t sign)
{
    struct key *k = key_by_id(l, store_i64(row, 1));

    if (k != NULL && store_i64(row, 4) != l->epoch && k->account->id == store_i64(row, 2))
        key_budget_charge(k, 0, sign * store_i64(row, 3), store_i64(row, 5));
}

static bool new_charge(struct ledger *l, struct statement *row, struct err *e)
{
    (void)e;
    count_other(l, row, 1);
    return true;
}

/* Whose balance it moved is known anew; a reversal (its rows stand together) is seen once. */
static bool new_transfer(struct ledger *l, struct statement *row, struct err *e)
{
    if (store_i64(row, 8) != 0 && store_i64(row, 6) != l->seen.reversed) {
        l->seen.reversed = store_i64(row, 6);
        count_other(l, row, -1);
    }
    return share_refresh(l, purse_by_id(l, store_i64(row, 7)), e) &&
           share_refresh(l, purse_by_id(l, store_i64(row, 9)), e);
}

/* What others have committed since it was looked at last. Inside a transaction that has written
 * nothing yet. */
static bool catch_up(struct ledger *l, struct err *e)
{
    int64_t version = l->seen.version;

    if (!ask_number(l, SQL_DATA_VERSION, &version, e))
        return false;
    if (version == l->seen.version)
        return true;
    l->generation++;
    if (!each_new(l, SQL_NEW_ACCOUNTS, &l->seen.account, new_account, e) ||
        !each_new(l, SQL_NEW_KEYS, &l->seen.key, new_key, e) ||
        !each_new(l, SQL_NEW_CHARGES, &l->seen.charge, new_charge, e) ||
        !each_new(l, SQL_NEW_TRANSFERS, &l->seen.transfer, new_transfer, e) || !holds_hear(l, e))
        return false;
    l->seen.version = version;
    return true;
}

bool share_begin(struct ledger *l, struct err *e)
{
    if (!store_begin(l->store, e))
        return false;
    if (!atomic_load(&l->shared) || catch_up(l, e))
        return true;
    store_rollback(l->store);
    return false;
}

bool share_look(struct ledger *l, struct err *e)
{
    if (store_in_transaction(l->store))
        return true; /* it has looked when it began */
    if (!share_begin(l, e))
        return false;
    store_rollback(l->store);
    return true;
}

bool share_refresh(struct ledger *l, struct purse *p, struct err *e)
{
    struct statement *st = l->sql[SQL_PURSE];
    struct account *a = &p->account;

    if (!atomic_load(&l->shared) || p->generation == l->generation)
        return true;
    store_bind_i64(st, 1, a->id);
    if (store_step(st) != STEP_ROW)
        return store_failed(l->store, e);
    int64_t balance = store_i64(st, 0);
    int64_t limit = store_i64(st, 1);
    int64_t allotted = store_i64(st, 2);
    store_reset(st);
    atomic_store(&a->balance, balance);
    atomic_store(&a->credit_limit, limit);
    atomic_store(&a->unallotted, a->limited ? balance + limit - allotted : 0);
    p->generation = l->generation;
    return true;
}

bool share_now(struct ledger *l, struct account *a, struct err *e)
{
    if (!atomic_load(&l->shared))
        return true;
    if (!share_begin(l, e))
        return false;
    bool ok = share_refresh(l, (struct purse *)(void *)a, e);
    store_rollback(l->store);
    return ok;
}

static bool refresh_all(struct ledger *l, struct err *e)
{
    size_t at = 0;
    struct str id;
    void *entry;

    while (map_next(l->accounts, &at, &id, &entry))
        if (!share_refresh(l, entry, e))
            return false;
    return true;
}

/* What the purse can do without, as no request is about to take it: it was there for some time. */
static int64_t idle(struct purse *p)
{
    int64_t there = atomic_load(&p->account.free);

    p->idle = p->idle_rounds == 0 || there < p->idle ? there : p->idle;
    p->idle_rounds = there > 0 ? p->idle_rounds + 1 : 0;
    if (p->idle_rounds < IDLE_ROUNDS)
        return 0;
    p->idle_rounds = 0;
    return p->idle;
}

/* What is idle goes back, or all that no request holds. */
static void sweep(struct ledger *l, struct batch *b, bool all)
{
    size_t at = 0;
    struct str id;
    void *entry;

    while (map_next(l->accounts, &at, &id, &entry)) {
        struct purse *p = entry;
        int64_t nano = !p->account.limited ? 0 : all ? INT64_MAX : idle(p);
        if (nano > 0)
            p->swept = purse_take(&p->account, nano);
        if (p->swept > 0)
            batch_touch(b, p)->returned += p->swept;
    }
}

static void swept(struct batch *b, bool done)
{
    for (struct purse *p = b->dirty; p != NULL; p = p->next_dirty) {
        if (done)
            atomic_fetch_sub(&p->account.held, p->swept);
        else if (p->swept > 0)
            purse_give_back(&p->account, p->swept);
        p->swept = 0;
    }
}

/* Its allotments go back, and what it charged without a closing row is reversed. */
static bool settle(struct ledger *l, struct batch *b, int64_t epoch, int64_t mark, struct err *e)
{
    l->generation++; /* more is there to be allotted */
    return drop_rows(l, SQL_DROP_ALLOTMENTS, epoch, e) &&
           drop_rows(l, SQL_DROP_BUDGET_HOLDS, epoch, e) && charges_of_dead(l, b, epoch, mark, e) &&
           set_state(l, epoch, "settled", e);
}

/* The next epoch behind *id that is not settled, and not this one; 0: there is none. */
static bool next_open(struct ledger *l, int64_t *id, int64_t *mark, bool *shares, struct err *e)
{
    struct statement *st = l->sql[SQL_OPEN_EPOCH];

    store_bind_i64(st, 1, *id);
    store_bind_i64(st, 2, l->epoch);
    enum store_step step = store_step(st);
    if (step == STEP_FAIL || step == STEP_CONSTRAINT)
        return store_failed(l->store, e);
    *id = step == STEP_ROW ? store_i64(st, 0) : 0;
    *mark = step == STEP_ROW ? store_i64(st, 1) : 0;
    *shares = step == STEP_ROW && str_eq(store_text(st, 2), STR("shared"));
    store_reset(st);
    return true;
}

/* Settles the dead; how many others live, and how many were dead. */
static bool look_round(struct ledger *l, struct batch *b, unsigned *live, unsigned *dead,
                       struct err *e)
{
    int64_t id = 0, mark;
    bool shares;

    *live = *dead = 0;
    for (;;) {
        if (!next_open(l, &id, &mark, &shares, e))
            return false;
        if (id == 0)
            return true;
        if (store_seat_taken(l->store, id))
            (*live)++;
        else if (++*dead, !settle(l, b, id, mark, e))
            return false;
    }
}

bool share_start(struct ledger *l, bool beside, struct err *e)
{
    struct statement *st = l->sql[SQL_INSERT_EPOCH];
    int64_t id = 0, mark;
    bool shares, live = beside;

    for (;;) {
        if (!next_open(l, &id, &mark, &shares, e))
            return false;
        if (id == 0)
            break;
        if (!store_seat_taken(l->store, id))
            continue;
        if (!shares)
            return err_set(e, "the store is in use by a station that does not share it");
        live = true;
    }
    l->pinned = beside;
    atomic_store(&l->shared, live);
    store_bind_i64(st, 1, clock_wall_us());
    store_bind_text(st, 2, atomic_load(&l->shared) ? STR("shared") : STR("alone"));
    if (store_step(st) != STEP_DONE)
        return store_failed(l->store, e);
    l->epoch = store_last_id(l->store);
    return store_take_seat(l->store, l->epoch) || err_set(e, "cannot take a seat at the store");
}

bool share_started(struct ledger *l, struct batch *b, struct err *e)
{
    unsigned live, dead;

    return look_round(l, b, &live, &dead, e);
}

bool share_loaded(struct ledger *l, struct err *e)
{
    return !atomic_load(&l->shared) || (mark_seen(l, e) && holds_hear(l, e));
}

bool ledger_shared(const struct ledger *l)
{
    return atomic_load(&l->shared);
}

bool ledger_lead(struct ledger *l, struct err *e)
{
    return store_lead(l->store, e);
}

void ledger_yield(struct ledger *l)
{
    store_yield(l->store);
}

/* The transaction that share_begin began: its end, in memory as on the disk. */
static bool finish(struct ledger *l, struct batch *b, bool ok, struct err *e)
{
    if (!ok)
        store_rollback(l->store);
    ok = ok && store_commit(l->store, e);
    swept(b, ok);
    if (ok) {
        batch_apply(b);
    } else {
        batch_drop(b);
        holds_forget(l, -1);
    }
    return ok;
}

/* All that is in purses goes back with it: what requests are about to take they ask for again. */
bool ledger_share(struct ledger *l, bool on, struct err *e)
{
    struct batch b = {.ledger = l};

    l->pinned = on;
    if (!on || atomic_load(&l->shared))
        return true;
    if (!store_begin(l->store, e))
        return false;
    sweep(l, &b, true);
    bool ok = mark_seen(l, e) && set_state(l, l->epoch, "shared", e) && holds_tell(l, e) &&
              (batch_flush(l, &b) || store_failed(l->store, e));
    if (!finish(l, &b, ok, e))
        return false;
    atomic_store(&l->shared, true);
    return true;
}

/* Alone again only in a round that had nothing to do: what it did is seen by the next. */
static bool round_inside(struct ledger *l, struct batch *b, bool *alone, struct err *e)
{
    unsigned live, dead;

    sweep(l, b, false);
    if (l->seen.revoked != l->generation && !learn_revoked(l, e))
        return false;
    l->seen.revoked = l->generation;
    if (!look_round(l, b, &live, &dead, e))
        return false;
    *alone = live == 0 && dead == 0 && b->dirty == NULL && !l->pinned;
    if (dead > 0)
        l->seen.version = -1; /* its reversals count in the budgets here as others' do */
    if (*alone)
        return refresh_all(l, e) && set_state(l, l->epoch, "alone", e) &&
               drop_rows(l, SQL_DROP_BUDGET_HOLDS, l->epoch, e);
    return holds_tell(l, e) && (batch_flush(l, b) || store_failed(l->store, e));
}

void share_round(struct ledger *l)
{
    int64_t now_ns = clock_mono_ns();
    struct batch b = {.ledger = l};
    struct err e = {""};
    bool alone = false;

    if (!atomic_load(&l->shared) || atomic_load(&l->failing) ||
        now_ns - l->round_ns < SHARE_ROUND_NS)
        return;
    l->round_ns = now_ns;
    bool done = share_begin(l, &e) && finish(l, &b, round_inside(l, &b, &alone, &e), &e);
    if (!done) {
        log_event(LOG_ERROR, "ledger_commit_failed", "operations=0 error=\"%s\"", e.text);
        atomic_store(&l->failing, true);
    }
    if (done && alone) {
        holds_forget(l, 0);
        atomic_store(&l->shared, false);
        log_event(LOG_INFO, "store_alone", "epoch=%lld", (long long)l->epoch);
    }
}
