/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the operator has at its vendors: money that was paid in, in whichever currency, what answers
 * used of it, and what was written off. An asset is owed to the operator: its account's balance is
 * below zero by what is left.
 */
#include <stdio.h>

#include "base/clock.h"
#include "ledger/ledger_int.h"
#include "ledger/text.h"

#define NOTE_BYTES 100

static bool same(struct currency a, struct currency b)
{
    return strcmp(a.code, b.code) == 0;
}

static bool insert_purchase(struct ledger *l, const char *kind, const struct purchase *p)
{
    struct statement *st = l->sql[SQL_INSERT_PURCHASE];

    store_bind_text(st, 1, str_from(kind));
    store_bind_text(st, 2, p->upstream);
    store_bind_text(st, 3, str_from(p->currency.code));
    store_bind_i64(st, 4, p->nano);
    store_bind_text(st, 5, str_from(p->paid_currency.code));
    store_bind_i64(st, 6, p->paid);
    store_bind_i64(st, 7, p->spread);
    store_bind_text(st, 8, p->note.n > 0 ? p->note : STR(""));
    store_bind_i64(st, 9, clock_wall_us());
    return store_step(st) == STEP_DONE;
}

/* The row and its transfers, in one commit. */
static bool record(struct ledger *l, enum event event, const struct purchase *p,
                   struct reference *r, struct err *e)
{
    struct batch b = {.ledger = l};
    struct event_purses purses;
    struct event_facts facts = {.cur = p->paid_currency,
                                .cost_cur = p->currency,
                                .upstream = p->upstream,
                                .amount = {[AMOUNT_PAID] = p->paid - p->spread,
                                           [AMOUNT_SPREAD] = p->spread,
                                           [AMOUNT_COST] = p->nano}};

    if (!event_prepare(l, event, &facts, &purses, e) || !share_begin(l, e))
        return false;
    bool ok = insert_purchase(l, event == EVENT_WRITEOFF ? "writeoff" : "buy", p);
    b.purchase = ok ? store_last_id(l->store) : 0;
    ok = ok && event_post(l, &b, event, &facts, &purses, 0, p->note);
    bool told = ok && !reference_keep(l, r, store_last_id(l->store), e);
    if (!ok || told || !batch_flush(l, &b)) {
        if (!told)
            batch_failed(&b, e);
        store_rollback(l->store);
        batch_drop(&b);
        return false;
    }
    if (!store_commit(l->store, e)) {
        batch_drop(&b);
        return false;
    }
    batch_apply(&b);
    return true;
}

static bool check_purchase(const struct purchase *p, struct err *e)
{
    if (p->upstream.n < 1 || p->upstream.n > LIMIT_UPSTREAM || !text_is_printable(p->upstream))
        return err_set(e, "an upstream's name is 1 to %d bytes of printable text", LIMIT_UPSTREAM);
    return (p->note.n <= NOTE_BYTES && text_is_printable(p->note)) ||
           err_set(e, "a note is at most %d bytes of printable text", NOTE_BYTES);
}

static bool buy_once(struct ledger *l, enum event event, const struct purchase *p, struct err *e)
{
    char scope[LIMIT_NAME], room[160];
    struct buf what = {.p = room, .cap = sizeof room, .max = sizeof room};
    bool known;

    reference_what(&what, "buy", p->nano, p->currency);
    if (event == EVENT_EXCHANGE) {
        reference_what(&what, " for", p->paid, p->paid_currency);
        reference_what(&what, " with a spread of", p->spread, p->paid_currency);
    }
    int n = snprintf(scope, sizeof scope, "upstream:%.*s", STR_ARG(p->upstream));
    struct reference r = {str_slice(scope, (size_t)n), p->reference, buf_str(&what)};
    return reference_known(l, &r, &known, e) && (known || record(l, event, p, &r, e));
}

bool ledger_upstream_buy(struct ledger *l, const struct purchase *p, struct buf *out, struct err *e)
{
    bool exchanged = !same(p->currency, p->paid_currency);

    if (!check_purchase(p, e) || !reference_check(p->reference, e))
        return false;
    if (p->nano <= 0 || p->paid <= 0 || p->spread < 0)
        return err_set(e, "what is bought is a positive amount");
    if (!exchanged && (p->paid != p->nano || p->spread != 0))
        return err_set(e, "what is paid in the same currency is what arrives, without a spread");
    if (p->spread > p->paid)
        return err_set(e, "the spread is a part of what was paid, and not more than it");
    return buy_once(l, exchanged ? EVENT_EXCHANGE : EVENT_BUY, p, e) &&
           ledger_upstreams(&l->own_view, p->upstream, out, e);
}

/* What periods that go on have still to book there, used or not. */
static bool planned(struct ledger *l, const struct purchase *p, int64_t *nano, struct err *e)
{
    struct statement *st = store_prepare(l->store,
                                         "SELECT COALESCE(SUM(cost-spent), 0) FROM plan"
                                         " WHERE closed=0 AND upstream=? AND currency=?",
                                         e);

    if (st == NULL)
        return false;
    store_bind_text(st, 1, p->upstream);
    store_bind_text(st, 2, str_from(p->currency.code));
    bool ok = store_step(st) == STEP_ROW;
    *nano = ok ? store_i64(st, 0) : 0;
    store_drop(l->store, st);
    return ok || store_failed(l->store, e);
}

static bool too_little(const struct purchase *p, int64_t left, int64_t plans, struct err *e)
{
    struct buf b;

    buf_init(&b, 256);
    buf_add(&b, STR("only "));
    decimal_write(&b, left > 0 ? left : 0, 9);
    buf_addf(&b, " %s are left there", p->currency.code);
    if (plans > 0) {
        buf_add(&b, STR(", beside "));
        decimal_write(&b, plans, 9);
        buf_addf(&b, " %s that periods under way book by themselves, used or not",
                 p->currency.code);
    }
    err_set(e, "%.*s", STR_ARG(buf_str(&b)));
    buf_release(&b);
    return false;
}

bool ledger_upstream_writeoff(struct ledger *l, const struct purchase *p, struct buf *out,
                              struct err *e)
{
    struct purchase all = *p;
    char name[LIMIT_NAME];
    int64_t plans;

    if (!check_purchase(p, e) || !planned(l, p, &plans, e))
        return false;
    snprintf(name, sizeof name, "asset:%.*s:%s", STR_ARG(p->upstream), p->currency.code);
    const struct purse *asset = purse_by_name(l, name);
    int64_t left = (asset != NULL ? -ledger_balance(&asset->account) : 0) - plans;
    all.nano = p->nano == 0 ? left : p->nano;
    all.paid = all.nano;
    all.paid_currency = p->currency;
    if (left <= 0 || all.nano > left)
        return too_little(p, left, plans, e);
    return record(l, EVENT_WRITEOFF, &all, &(struct reference){0}, e) &&
           ledger_upstreams(&l->own_view, p->upstream, out, e);
}

/* By account, so that upstreams are here of which nothing was ever bought. ?1 empty: all. */
static const char assets_sql[] =
    "WITH asset(upstream, currency, left_) AS (SELECT substr(name, 7, length(name)-7"
    "-length(currency)), currency, -balance FROM account WHERE kind='system'"
    " AND name LIKE 'asset:%') SELECT a.upstream, a.currency, a.left_,"
    " COALESCE(SUM(CASE p.kind WHEN 'buy' THEN p.nano END), 0),"
    " COALESCE(SUM(CASE p.kind WHEN 'writeoff' THEN p.nano END), 0) FROM asset a LEFT JOIN"
    " purchase p ON p.upstream=a.upstream AND p.currency=a.currency WHERE ?1 IN ('', a.upstream)"
    " GROUP BY a.upstream, a.currency ORDER BY a.upstream, a.currency";

static void write_asset(struct statement *st, struct buf *out)
{
    int64_t left = store_i64(st, 2), bought = store_i64(st, 3), written = store_i64(st, 4);

    buf_add(out, STR("{\"upstream\":"));
    text_string(out, store_text(st, 0));
    buf_add(out, STR(",\"currency\":"));
    text_string(out, store_text(st, 1));
    buf_add(out, STR(",\"bought\":"));
    text_money(out, bought);
    buf_add(out, STR(",\"used\":"));
    text_money(out, bought - written - left);
    buf_add(out, STR(",\"written_off\":"));
    text_money(out, written);
    buf_add(out, STR(",\"left\":"));
    text_money(out, left);
    buf_add(out, STR("}"));
}

/* Periods that are open, or not booked to their end. */
static const char plans_sql[] =
    "SELECT upstream, unit, used, units, until, cost, spent, currency FROM plan WHERE closed=0"
    " AND ?1 IN ('', upstream) ORDER BY upstream, from_, unit, currency";

static void write_units(struct buf *out, bool money, const char *name, int64_t n)
{
    buf_addf(out, ",\"%s\":", name);
    if (money)
        text_money(out, n);
    else
        buf_addf(out, "%lld", (long long)n);
}

static void write_plan(struct statement *st, struct buf *out)
{
    struct str unit = store_text(st, 1);
    bool amount = str_eq(unit, STR("amount"));
    int64_t used = store_i64(st, 2), units = store_i64(st, 3), until = store_i64(st, 4);
    int64_t percent;

    if (!money_part(&percent, used, 100, units))
        percent = INT64_MAX;

    buf_add(out, STR("{\"upstream\":"));
    text_string(out, store_text(st, 0));
    buf_add(out, STR(",\"unit\":"));
    text_string(out, unit);
    write_units(out, amount, "budget", units);
    write_units(out, amount, "used", used);
    write_units(out, amount, "left", used < units ? units - used : 0);
    buf_addf(out, ",\"percent\":%lld,\"warning\":%s,\"ends\":", (long long)percent,
             percent >= 100  ? "\"spent\""
             : percent >= 95 ? "\"95 % used\""
             : percent >= 80 ? "\"80 % used\""
                             : "null");
    text_time(out, until == INT64_MAX ? 0 : until);
    if (store_text(st, 7).n > 0) {
        buf_add(out, STR(",\"currency\":"));
        text_string(out, store_text(st, 7));
    }
    if (!amount && store_i64(st, 5) > 0) {
        write_units(out, true, "cost", store_i64(st, 5));
        write_units(out, true, "booked", store_i64(st, 6));
    }
    buf_add(out, STR("}"));
}

static bool write_rows(struct ledger_view *v, const char *sql, struct str name,
                       void (*write)(struct statement *, struct buf *), struct buf *out,
                       struct err *e)
{
    struct statement *st = store_prepare(v->store, sql, e);
    enum store_step step;
    bool first = true;

    if (st == NULL)
        return false;
    store_bind_text(st, 1, name.n > 0 ? name : STR(""));
    while ((step = store_step(st)) == STEP_ROW) {
        buf_add(out, first ? STR("") : STR(","));
        write(st, out);
        first = false;
    }
    store_drop(v->store, st);
    return step == STEP_DONE || store_failed(v->store, e);
}

bool ledger_upstreams(struct ledger_view *v, struct str name, struct buf *out, struct err *e)
{
    buf_add(out, STR("{\"upstreams\":["));
    if (!write_rows(v, assets_sql, name, write_asset, out, e))
        return false;
    buf_add(out, STR("],\"budgets\":["));
    if (!write_rows(v, plans_sql, name, write_plan, out, e))
        return false;
    buf_add(out, STR("]}"));
    return !out->overflow || err_set(e, "the list is too long");
}
