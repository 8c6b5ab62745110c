/* SPDX-License-Identifier: Apache-2.0 */
/* Reads of prices: what is sold, what was, and any row that a charge names. */
#include "ledger/ledger_int.h"

#include "base/clock.h"
#include "ledger/text.h"

#define COLUMNS "p.id, p.model, p.currency, p.terms, p.margin_num, p.margin_den, p.source, p.ts"

/* An offer counts until one that was made later counts; one that never did is left out. */
#define OFFERS                                                                                 \
    "SELECT " COLUMNS ", o.from_, (SELECT MIN(l.from_) FROM offer l WHERE l.model=o.model AND" \
    " l.id>o.id) AS until FROM offer o JOIN price p ON p.id=o.price"                           \
    " WHERE ?1 IN ('', o.model) AND ?2=?2 AND (until IS NULL OR until>o.from_)"
#define ORDER " ORDER BY o.model, o.from_, o.id"

static const char *const queries[] = {
    [PRICES_BRIEF] = OFFERS " AND o.from_<=?2 AND (until IS NULL OR until>?2)" ORDER,
    [PRICES_SOLD] = OFFERS " AND o.from_<=?2 AND (until IS NULL OR until>?2)" ORDER,
    [PRICES_EVER] = OFFERS ORDER,
    [PRICES_ROW] = "SELECT " COLUMNS ", p.ts, NULL FROM price p WHERE ?1=?1 AND p.id=?2",
};

static bool write_row(struct buf *out, struct statement *st, struct str comma, bool brief)
{
    struct price p = {.margin = {store_i64(st, 4), store_i64(st, 5)}};

    if (!price_terms_parse(store_text(st, 3), &p, NULL) ||
        !currency_parse(store_text(st, 2), &p.currency))
        return false;
    buf_add(out, comma);
    buf_add(out, STR("{\"model\":"));
    text_string(out, store_text(st, 1));
    buf_addf(out, ",\"price_row\":%lld,", (long long)store_i64(st, 0));
    (brief ? price_write_brief : price_write)(out, &p);
    buf_add(out, STR(",\"from\":"));
    text_time(out, store_i64(st, 8));
    buf_add(out, STR(",\"until\":"));
    text_time(out, store_null(st, 9) ? 0 : store_i64(st, 9));
    buf_add(out, STR(",\"source\":"));
    text_string(out, store_text(st, 6));
    buf_add(out, STR("}"));
    return true;
}

bool ledger_prices(struct ledger_view *v, enum ledger_prices which, struct str model, int64_t row,
                   struct buf *out, struct err *e)
{
    struct statement *st = store_prepare(v->store, queries[which], e);
    struct str comma = STR("");
    enum store_step step = STEP_ROW;
    bool ok = true;

    if (st == NULL)
        return false;
    store_bind_text(st, 1, model.p == NULL ? STR("") : model);
    store_bind_i64(st, 2, which == PRICES_ROW ? row : clock_wall_us());
    buf_add(out, STR("{\"per\":1000000,\"prices\":["));
    while (ok && (step = store_step(st)) == STEP_ROW) {
        ok = write_row(out, st, comma, which == PRICES_BRIEF);
        comma = STR(",");
    }
    buf_add(out, STR("]}"));
    if (!ok)
        err_set(e, "price row %lld is no price", (long long)store_i64(st, 0));
    else if (step != STEP_DONE)
        store_failed(v->store, e);
    store_drop(v->store, st);
    if (out->overflow)
        return err_set(e, "the list is too long");
    return ok && step == STEP_DONE;
}
