/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One commit for many operations. Rows are written one by one, balances and allotments once per
 * account with the sum. Memory follows after the commit.
 */
#include "ledger/ledger_int.h"

#include <stdio.h>

#include <assert.h>

#include "base/clock.h"
#include "base/log.h"

struct purse *batch_touch(struct batch *b, struct purse *p)
{
    if (!p->dirty) {
        p->dirty = true;
        p->next_dirty = b->dirty;
        b->dirty = p;
    }
    return p;
}

void bind_row(struct statement *st, int at, int64_t id)
{
    if (id == 0)
        store_bind_null(st, at);
    else
        store_bind_i64(st, at, id);
}

static bool insert_transfer(struct ledger *l, const struct batch *b, const struct purse *debit,
                            const struct purse *credit, int64_t nano, const char *kind,
                            int64_t cause, struct str note)
{
    struct statement *st = l->sql[SQL_INSERT_TRANSFER];

    store_bind_i64(st, 1, debit->account.id);
    store_bind_i64(st, 2, credit->account.id);
    store_bind_i64(st, 3, nano);
    store_bind_text(st, 4, str_from(kind));
    bind_row(st, 5, cause);
    if (note.n == 0)
        store_bind_null(st, 6);
    else
        store_bind_text(st, 6, note);
    store_bind_i64(st, 7, b->ts_us > 0 ? b->ts_us : clock_wall_us());
    bind_row(st, 8, b->purchase);
    bind_row(st, 9, b->plan);
    return store_step(st) == STEP_DONE;
}

/* Neither the sums of a batch nor the balances that they lead to may be too large to be stored. */
static bool fits(struct batch *b, const struct purse *p)
{
    int64_t sum;

    if (money_add(&sum, atomic_load(&p->account.balance), p->delta))
        return true;
    b->full = p;
    return false;
}

bool batch_failed(const struct batch *b, struct err *e)
{
    if (b->full == NULL)
        return store_failed(b->ledger->store, e);
    return err_set(e, "the account %s would be further from 0 than the %lld %s that it can hold",
                   b->full->account.name, (long long)(INT64_MAX / NANO_PER_UNIT),
                   b->full->account.currency.code);
}

bool batch_transfer(struct ledger *l, struct batch *b, struct purse *debit, struct purse *credit,
                    int64_t nano, const char *kind, int64_t cause, struct str note)
{
    assert(nano >= 0);
    assert(strcmp(debit->account.currency.code, credit->account.currency.code) == 0);
    if (nano == 0)
        return true;
    batch_touch(b, debit);
    batch_touch(b, credit);
    if (!money_sub(&debit->delta, debit->delta, nano) ||
        !money_add(&credit->delta, credit->delta, nano) || !fits(b, debit) || !fits(b, credit) ||
        !insert_transfer(l, b, debit, credit, nano, kind, cause, note)) {
        b->broken = true;
        return false;
    }
    return true;
}

/* A guarded update must hit exactly its one row. */
static bool update_one(struct ledger *l, struct statement *st)
{
    return store_step(st) == STEP_DONE && store_changes(l->store) == 1;
}

static bool flush_allotment(struct ledger *l, struct purse *p)
{
    struct statement *st = l->sql[SQL_INSERT_ALLOTMENT];

    if (!p->has_row) {
        store_bind_i64(st, 1, l->epoch);
        store_bind_i64(st, 2, p->account.id);
        if (store_step(st) != STEP_DONE)
            return false;
    }
    st = l->sql[SQL_UPDATE_ALLOTMENT];
    store_bind_i64(st, 1, p->given - p->spent - p->returned);
    store_bind_i64(st, 2, l->epoch);
    store_bind_i64(st, 3, p->account.id);
    return update_one(l, st);
}

bool batch_flush(struct ledger *l, struct batch *b)
{
    struct statement *st = l->sql[SQL_UPDATE_BALANCE];

    for (struct purse *p = b->dirty; p != NULL && !b->broken; p = p->next_dirty) {
        if (p->delta != 0) {
            store_bind_i64(st, 1, p->delta);
            store_bind_i64(st, 2, p->account.id);
            b->broken = !update_one(l, st);
        }
        if (!b->broken && p->given != p->spent + p->returned)
            b->broken = !flush_allotment(l, p);
    }
    return !b->broken;
}

static void clean(struct purse *p)
{
    p->dirty = false;
    p->delta = 0;
    p->given = 0;
    p->spent = 0;
    p->returned = 0;
}

void batch_apply(struct batch *b)
{
    for (struct purse *p = b->dirty; p != NULL; p = p->next_dirty) {
        struct account *a = &p->account;
        atomic_fetch_add(&a->balance, p->delta);
        if (a->limited) {
            /* In this order: see take_exactly. */
            atomic_fetch_add(&a->free, p->given);
            atomic_fetch_add(&a->unallotted, p->delta + p->spent + p->returned - p->given);
        }
        p->has_row = p->has_row || p->given != p->spent + p->returned;
        clean(p);
    }
    b->dirty = NULL;
}

void batch_drop(struct batch *b)
{
    for (struct purse *p = b->dirty; p != NULL; p = p->next_dirty)
        clean(p);
    b->dirty = NULL;
}

/* At most so much of what no purse has; INT64_MAX: all of it. */
static void give(struct batch *b, struct account *a, int64_t nano)
{
    struct purse *p = (struct purse *)(void *)a;
    int64_t available = atomic_load(&a->unallotted) - p->given;

    if (a->limited && available > 0 && nano > 0)
        batch_touch(b, p)->given += nano < available ? nano : available;
}

static int64_t not_given(const struct account *a)
{
    return atomic_load(&a->unallotted) - ((const struct purse *)(const void *)a)->given;
}

static int64_t in_purse(const struct account *a)
{
    return atomic_load(&a->free) + ((const struct purse *)(const void *)a)->given;
}

/* Where others spend, too: what is wanted, first of the promo, or nothing. */
static bool allot_shared(struct ledger *l, struct batch *b, struct ledger_op *op)
{
    struct account *own = op->account;
    struct account *promo = atomic_load(&own->promo);
    int64_t nano = op->nano;
    int64_t of_promo = 0;

    if ((promo != NULL && !share_refresh(l, (struct purse *)(void *)promo, NULL)) ||
        !share_refresh(l, (struct purse *)(void *)own, NULL)) {
        b->broken = true;
        return false;
    }
    if (promo != NULL)
        of_promo = in_purse(promo) + not_given(promo);
    if (of_promo + in_purse(own) + not_given(own) < nano)
        return true;
    if (promo != NULL)
        give(b, promo, nano - in_purse(promo));
    give(b, own, nano - (of_promo < nano ? of_promo : nano));
    return true;
}

/* What was wanted or a quarter of what is there, whichever is more: a busy account asks rarely. */
static bool allot(struct ledger *l, struct batch *b, struct ledger_op *op)
{
    struct account *promo = atomic_load(&op->account->promo);
    int64_t quarter = atomic_load(&op->account->unallotted) / 4;

    if (atomic_load(&l->shared))
        return allot_shared(l, b, op);
    if (promo != NULL)
        give(b, promo, INT64_MAX);
    give(b, op->account, quarter > op->nano ? quarter : op->nano);
    return true;
}

static bool write_one(struct ledger *l, struct batch *b, struct item *it)
{
    struct ledger_op *op = it->op;
    int64_t id, nano;

    switch ((enum ledger_op_kind)op->kind) {
    case LEDGER_ALLOT: return allot(l, b, op);
    case LEDGER_CHARGE: return charge_write(l, b, it);
    case LEDGER_CLOSE: return closing_write(l, b, op->closing);
    case LEDGER_USE: return plan_use(l, b, op->plan, op->nano, 0, &id, &nano);
    case LEDGER_REVERSE: return charge_reverse(l, b, &op->rid, STR("late"), it);
    case LEDGER_CALL:
    case LEDGER_READ:
    case LEDGER_REPORT: break;
    }
    return false;
}

static bool write_all(struct ledger *l, struct batch *b, struct item *items, size_t count,
                      struct err *e)
{
    if (!share_begin(l, e))
        return false;
    for (size_t i = 0; i < count && !b->broken; i++)
        if (items[i].op->ok) /* else its preparation failed */
            items[i].op->ok = write_one(l, b, &items[i]);
    if (b->broken || !batch_flush(l, b)) {
        batch_failed(b, e);
        store_rollback(l->store);
        return false;
    }
    return store_commit(l->store, e);
}

/* All of them in one transaction, or none. */
static bool run_once(struct ledger *l, struct item *items, size_t count, struct err *e)
{
    struct batch b = {.ledger = l};

    for (size_t i = 0; i < count; i++) {
        struct ledger_op *op = items[i].op;
        op->ok = charge_prepare(l, &items[i]);
        items[i].undone = !op->ok;
    }
    bool done = write_all(l, &b, items, count, e);
    /* Charges are settled first: what a shortfall takes must never lie in the purse for a lane to
     * take, too. In between the purse looks poorer by it; the sum with what is unallotted is right.
     */
    for (size_t i = 0; i < count; i++) {
        items[i].op->ok = items[i].op->ok && done;
        items[i].undone = items[i].undone || !done;
        charge_settle(&items[i], items[i].op->ok);
    }
    if (done)
        batch_apply(&b);
    else
        batch_drop(&b);
    if (!done && atomic_load(&l->shared))
        holds_forget(l, -1);
    return done;
}

void batch_run(struct ledger *l, struct item *items, size_t count)
{
    struct err e = {{0}};
    bool done = run_once(l, items, count, &e);

    if (!done) {
        /* Nobody is let in: where another process has the store, each try takes seconds. */
        atomic_store(&l->failing, true);
        log_event(LOG_ERROR, "ledger_commit_failed", "operations=%zu error=\"%s\"", count, e.text);
    }
    /* One operation must not take the others with it: each once more, by itself. */
    if (!done && count > 1) {
        done = true;
        for (size_t i = 0; i < count; i++) {
            items[i] = (struct item){.op = items[i].op};
            done = run_once(l, &items[i], 1, &e) && done;
        }
    }
    atomic_store(&l->failing, !done);
}

bool batch_probe(struct ledger *l)
{
    struct err e;
    char sql[80];

    snprintf(sql, sizeof sql, "UPDATE epoch SET started=started WHERE id=%lld",
             (long long)l->epoch);
    atomic_store(&l->failing, !store_exec(l->store, sql, &e));
    return !atomic_load(&l->failing);
}
