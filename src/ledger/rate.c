/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rates of exchange: dated rows, which any thread looks up. Entries are never taken away, so that a
 * list with one atomic head does; a start loads only those that can be in force again.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "ledger/ledger_int.h"
#include "ledger/text.h"

#define SOURCE_BYTES 100
#define SET_BACK_US INT64_C(86400000000) /* a clock that was wrong by more is no clock */

struct rate_entry {
    struct rate rate;
    struct rate_entry *older;
};

void rate_add(struct ledger *l, const struct rate *r)
{
    struct rate_entry *entry = malloc(sizeof *entry);

    if (entry == NULL)
        abort(); /* the row is in the store already */
    *entry = (struct rate_entry){*r, atomic_load(&l->rates)};
    atomic_store(&l->rates, entry);
}

void rates_free(struct ledger *l)
{
    struct rate_entry *entry = atomic_load(&l->rates);

    while (entry != NULL) {
        struct rate_entry *older = entry->older;
        free(entry);
        entry = older;
    }
}

static bool same(struct currency a, struct currency b)
{
    return strcmp(a.code, b.code) == 0;
}

bool ledger_rate(struct ledger *l, struct currency from, struct currency to, int64_t at_us,
                 struct rate *out)
{
    const struct rate *best = NULL;

    for (const struct rate_entry *entry = atomic_load(&l->rates); entry != NULL;
         entry = entry->older) {
        const struct rate *r = &entry->rate;
        bool pair = (same(r->base, from) && same(r->quote, to)) ||
                    (same(r->base, to) && same(r->quote, from));
        if (pair && r->from_us <= at_us &&
            (best == NULL || r->from_us > best->from_us ||
             (r->from_us == best->from_us && r->id > best->id)))
            best = r;
    }
    if (best == NULL)
        return false;
    *out = *best;
    if (!same(best->base, from))
        out->ratio = (struct ratio){best->ratio.den, best->ratio.num};
    return true;
}

/* Those in force of each pair, and all that are yet to come: as of a day ago, since the clock may
 * be set back, and then an older rate is in force again. */
static const char load_sql[] =
    "SELECT id, base, quote, num, den, from_ FROM rate r WHERE NOT EXISTS(SELECT 1 FROM rate n"
    " WHERE n.base=r.base AND n.quote=r.quote AND n.from_<=?1"
    " AND (n.from_>r.from_ OR (n.from_=r.from_ AND n.id>r.id)))";

bool rates_load(struct ledger *l, struct err *e)
{
    struct statement *st = store_prepare(l->store, load_sql, e);
    enum store_step step;

    if (st == NULL)
        return false;
    store_bind_i64(st, 1, clock_wall_us() - SET_BACK_US);
    while ((step = store_step(st)) == STEP_ROW) {
        struct rate r = {.id = store_i64(st, 0),
                         .ratio = {store_i64(st, 3), store_i64(st, 4)},
                         .from_us = store_i64(st, 5)};
        if (!currency_parse(store_text(st, 1), &r.base) ||
            !currency_parse(store_text(st, 2), &r.quote)) {
            store_reset(st);
            return err_set(e, "store: rate %lld is malformed", (long long)r.id);
        }
        rate_add(l, &r);
    }
    return step == STEP_DONE || store_failed(l->store, e);
}

bool ledger_rate_set(struct ledger *l, struct currency base, struct currency quote,
                     struct ratio ratio, int64_t from_us, struct str source, struct buf *out,
                     struct err *e)
{
    struct statement *st = l->sql[SQL_INSERT_RATE];
    int64_t now_us = clock_wall_us();
    struct rate r = {.base = base, .quote = quote, .ratio = ratio, .from_us = from_us};

    if (same(base, quote))
        return err_set(e, "a rate is between two currencies");
    if (source.n > SOURCE_BYTES || !text_is_printable(source))
        return err_set(e, "a source is at most %d bytes of printable text", SOURCE_BYTES);
    if (from_us != 0 && from_us < now_us)
        return err_set(e, "a rate begins now or later: what was charged is not priced again");
    r.from_us = from_us == 0 ? now_us : from_us;
    store_bind_text(st, 1, str_from(base.code));
    store_bind_text(st, 2, str_from(quote.code));
    store_bind_i64(st, 3, ratio.num);
    store_bind_i64(st, 4, ratio.den);
    store_bind_i64(st, 5, r.from_us);
    store_bind_text(st, 6, source);
    store_bind_i64(st, 7, now_us);
    if (store_step(st) != STEP_DONE)
        return store_failed(l->store, e);
    r.id = store_last_id(l->store);
    rate_add(l, &r);
    text_rate(out, &r, source);
    return true;
}

bool ledger_currency_used(struct ledger *l, struct currency cur, bool *used, struct err *e)
{
    struct statement *st = store_prepare(l->store,
                                         "SELECT EXISTS(SELECT 1 FROM price WHERE currency=?1)"
                                         " OR EXISTS(SELECT 1 FROM rate WHERE ?1 IN (base, quote))"
                                         " OR NOT EXISTS(SELECT 1 FROM price)",
                                         e);

    if (st == NULL)
        return false;
    store_bind_text(st, 1, str_from(cur.code));
    bool ok = store_step(st) == STEP_ROW;
    *used = ok && store_i64(st, 0) != 0;
    store_drop(l->store, st);
    return ok || store_failed(l->store, e);
}
