/* SPDX-License-Identifier: Apache-2.0 */
/* Prices in the store: immutable rows, and which of them a model is offered at from when. */
#include "ledger/ledger_int.h"

#include "base/clock.h"
#include "ledger/text.h"

bool ledger_begin(struct ledger *l, struct err *e)
{
    return share_begin(l, e);
}

bool ledger_commit(struct ledger *l, struct err *e)
{
    return store_commit(l->store, e);
}

static void bind_price(struct statement *st, struct str model, const struct price *p,
                       struct str terms)
{
    store_bind_text(st, 1, model);
    store_bind_text(st, 2, str_from(p->currency.code));
    store_bind_text(st, 3, terms);
    store_bind_i64(st, 4, p->margin.num);
    store_bind_i64(st, 5, p->margin.den);
}

static bool find_or_insert(struct ledger *l, struct str model, const struct price *p,
                           struct str terms, int64_t *id, struct err *e)
{
    struct statement *st = l->sql[SQL_FIND_PRICE];

    bind_price(st, model, p, terms);
    enum store_step step = store_step(st);
    if (step == STEP_ROW) {
        *id = store_i64(st, 0);
        store_reset(st);
        return true;
    }
    if (step != STEP_DONE)
        return store_failed(l->store, e);
    st = l->sql[SQL_INSERT_PRICE];
    bind_price(st, model, p, terms);
    store_bind_text(st, 6, p->source.p == NULL ? STR("") : p->source);
    store_bind_i64(st, 7, clock_wall_us());
    if (store_step(st) != STEP_DONE)
        return store_failed(l->store, e);
    *id = store_last_id(l->store);
    return true;
}

bool ledger_price_row(struct ledger *l, struct str model, const struct price *p, int64_t *id,
                      struct err *e)
{
    struct buf terms;

    if (!price_valid(p))
        return err_set(e, "the price is out of range");
    buf_init(&terms, PRICE_TERMS_MAX);
    price_terms_write(&terms, p);
    bool ok = terms.overflow ? err_set(e, "the price has too many rates")
                             : find_or_insert(l, model, p, buf_str(&terms), id, e);
    buf_release(&terms);
    return ok;
}

/* The first column of the first row, or 0; the second into *second where there is one. */
static bool ask(struct ledger *l, struct statement *st, int64_t *first, int64_t *second,
                struct err *e)
{
    enum store_step step = store_step(st);

    *first = 0;
    if (step == STEP_ROW) {
        *first = store_i64(st, 0);
        if (second != NULL)
            *second = store_i64(st, 1);
        store_reset(st);
        return true;
    }
    return step == STEP_DONE || store_failed(l->store, e);
}

static bool offer(struct ledger *l, struct str model, int64_t price, int64_t from_us,
                  int64_t now_us, struct err *e)
{
    struct statement *st = l->sql[SQL_INSERT_OFFER];

    store_bind_text(st, 1, model);
    if (price == 0)
        store_bind_null(st, 2);
    else
        store_bind_i64(st, 2, price);
    store_bind_i64(st, 3, from_us);
    store_bind_i64(st, 4, now_us);
    return store_step(st) == STEP_DONE || store_failed(l->store, e);
}

bool ledger_offer(struct ledger *l, struct str model, int64_t price, int64_t next, int64_t next_us,
                  struct err *e)
{
    struct statement *st = l->sql[SQL_OFFERED];
    int64_t now_us = clock_wall_us(), current, last, last_us = 0;

    store_bind_text(st, 1, model);
    store_bind_i64(st, 2, now_us);
    if (!ask(l, st, &current, NULL, e))
        return false;
    st = l->sql[SQL_LAST_OFFER];
    store_bind_text(st, 1, model);
    if (!ask(l, st, &last, &last_us, e))
        return false;
    bool same =
        current == price && (next != 0 ? last == next && last_us == next_us : last_us <= now_us);
    if (same)
        return true;
    return offer(l, model, price, now_us, now_us, e) &&
           (next == 0 || offer(l, model, next, next_us, now_us, e));
}

bool ledger_withdraw(struct ledger *l, bool (*sold)(void *ctx, struct str model), void *ctx,
                     struct err *e)
{
    struct statement *st = l->sql[SQL_ALL_OFFERED];
    int64_t now_us = clock_wall_us();
    enum store_step step;

    while ((step = store_step(st)) == STEP_ROW) {
        struct str model = store_text(st, 0);
        if (!sold(ctx, model) && !offer(l, model, 0, now_us, now_us, e)) {
            store_reset(st);
            return false;
        }
    }
    return step == STEP_DONE || store_failed(l->store, e);
}
