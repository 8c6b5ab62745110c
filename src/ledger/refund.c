/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refunds of what was paid in: requested -> sent | cancelled. The money leaves the balance with the
 * request, as a debit does, and waits on clear:refund until the operator says that it has left.
 *
 * What can be refunded is the balance without holds and without what is left of vouchers; promo is
 * no part of a balance. What is left of vouchers follows from the transfers: a charge is of voucher
 * money first, money that an operator takes back or refunds is voucher money last, and a charge
 * that was reversed never was.
 */
#include <stdio.h>

#include "base/clock.h"
#include "ledger/ledger_int.h"
#include "ledger/text.h"

static const char begin_sql[] = "SELECT MIN(transfer) FROM voucher WHERE account=?1";

/* All that moved the balance ?1 from the transfer ?2 on. */
#define MOVES                                                                             \
    "WITH moves(id, kind, nano) AS ("                                                     \
    "SELECT id, kind, -nano FROM transfer WHERE cause IS NULL AND debit=?1 AND id>=?2"    \
    " UNION ALL SELECT id, kind, nano FROM transfer WHERE cause IS NULL AND credit=?1"    \
    " AND id>=?2 UNION ALL SELECT t.id, t.kind, -t.nano FROM charge c JOIN transfer t"    \
    " ON t.cause=c.id WHERE c.account=?1 AND t.debit=?1 AND t.kind='charge' AND t.id>=?2" \
    " AND NOT EXISTS(SELECT 1 FROM transfer x WHERE x.cause=c.id AND x.kind='reversal'))"
static const char sum_sql[] = MOVES " SELECT COALESCE(SUM(nano), 0) FROM moves";
static const char moves_sql[] = MOVES " SELECT kind, nano FROM moves ORDER BY id";

static struct statement *of_balance(struct ledger *l, const char *sql, const struct account *a,
                                    int64_t from, struct err *e)
{
    struct statement *st = store_prepare(l->store, sql, e);

    if (st != NULL) {
        store_bind_i64(st, 1, a->id);
        if (from > 0)
            store_bind_i64(st, 2, from);
    }
    return st;
}

/* The one number that the query answers; null is 0. */
static bool ask_number(struct ledger *l, const char *sql, const struct account *a, int64_t from,
                       int64_t *out, struct err *e)
{
    struct statement *st = of_balance(l, sql, a, from, e);

    if (st == NULL)
        return false;
    bool ok = store_step(st) == STEP_ROW || store_failed(l->store, e);
    *out = ok ? store_i64(st, 0) : 0;
    store_drop(l->store, st);
    return ok;
}

/* From the first voucher on; before it there is nothing of one. */
static bool voucher_left(struct ledger *l, const struct account *a, int64_t *left, struct err *e)
{
    int64_t begin, since;
    enum store_step step;

    *left = 0;
    if (!ask_number(l, begin_sql, a, 0, &begin, e))
        return false;
    if (begin == 0)
        return true;
    if (!ask_number(l, sum_sql, a, begin, &since, e))
        return false;
    int64_t balance = ledger_balance(a) - since;
    struct statement *st = of_balance(l, moves_sql, a, begin, e);
    if (st == NULL)
        return false;
    while ((step = store_step(st)) == STEP_ROW) {
        struct str kind = store_text(st, 0);
        int64_t nano = store_i64(st, 1);
        balance += nano;
        if (str_eq(kind, STR("voucher")) || str_eq(kind, STR("charge")))
            *left = *left + nano > 0 ? *left + nano : 0;
        *left = *left < balance ? *left : balance;
    }
    store_drop(l->store, st);
    return step == STEP_DONE || store_failed(l->store, e);
}

struct refund {
    struct account *account;
    int64_t id, nano, ts, ended;
    struct str reference, state;
};

static void write_refund(struct buf *out, const struct refund *r)
{
    buf_addf(out, "{\"refund\":\"r%lld\",\"account\":", (long long)r->id);
    text_string(out, str_from(r->account->name));
    buf_addf(out, ",\"state\":\"%.*s\",\"currency\":\"%s\",\"amount\":", STR_ARG(r->state),
             r->account->currency.code);
    text_money(out, r->nano);
    buf_add(out, STR(",\"reference\":"));
    text_string(out, r->reference);
    buf_add(out, STR(",\"requested\":"));
    text_time(out, r->ts);
    buf_add(out, STR(",\"ended\":"));
    text_time(out, r->ended);
    buf_add(out, STR("}"));
}

static bool twice(const struct refund *r, struct err *e)
{
    return err_set(e, "there is a refund of this account with the reference \"%.*s\"",
                   STR_ARG(r->reference));
}

/* A retry hears so before it hears that there is nothing left. */
static bool check_reference(struct ledger *l, const struct refund *r, struct err *e)
{
    if (!reference_check(r->reference, e))
        return false;
    if (r->reference.n == 0)
        return true;
    struct statement *st = store_prepare(
        l->store, "SELECT 1 FROM refund WHERE account=? AND reference=? AND state<>'cancelled'", e);
    if (st == NULL)
        return false;
    store_bind_i64(st, 1, r->account->id);
    store_bind_text(st, 2, r->reference);
    enum store_step step = store_step(st);
    store_drop(l->store, st);
    if (step == STEP_ROW)
        return twice(r, e);
    return step == STEP_DONE || store_failed(l->store, e);
}

static bool insert_refund(struct ledger *l, void *ctx, int64_t transfer, struct err *e)
{
    struct refund *r = ctx;
    struct statement *st = store_prepare(
        l->store, "INSERT INTO refund(account, nano, reference, ts, transfer) VALUES(?,?,?,?,?)",
        e);
    if (st == NULL)
        return false;
    store_bind_i64(st, 1, r->account->id);
    store_bind_i64(st, 2, r->nano);
    store_bind_text(st, 3, r->reference);
    store_bind_i64(st, 4, r->ts);
    store_bind_i64(st, 5, transfer);
    enum store_step step = store_step(st);
    r->id = store_last_id(l->store);
    store_drop(l->store, st);
    if (step == STEP_CONSTRAINT) /* a retry must not refund twice */
        return twice(r, e);
    return step == STEP_DONE || store_failed(l->store, e);
}

static bool only(const struct account *a, int64_t nano, struct err *e)
{
    struct buf b;

    buf_init(&b, 64);
    decimal_write(&b, nano > 0 ? nano : 0, 9);
    err_set(e,
            "only %.*s %s can be refunded: of what was paid in, not spent and not held; what"
            " came by vouchers is spent first and not refunded",
            STR_ARG(buf_str(&b)), a->currency.code);
    buf_release(&b);
    return false;
}

/* What the refund is of, and how much. */
static bool prepare(struct ledger *l, struct refund *r, struct err *e)
{
    struct account *a = r->account;
    int64_t left;

    if (a->kind != ACCOUNT_CUSTOMER)
        return err_set(e, "a house account gets no refunds; debit takes back what was credited");
    if (!check_reference(l, r, e) || !share_now(l, a, e) || !voucher_left(l, a, &left, e))
        return false;
    int64_t most = ledger_balance(a) - left;
    int64_t there = atomic_load(&a->unallotted) + atomic_load(&a->free);
    most = most < there ? most : there;
    if (most <= 0 || r->nano > most)
        return only(a, most, e);
    r->nano = r->nano > 0 ? r->nano : most;
    return true;
}

bool ledger_refund(struct ledger *l, struct str account, struct currency cur, int64_t nano,
                   struct str reference, struct buf *out, struct err *e)
{
    struct refund r = {.account = balance_find(l, account, cur, false, false, e),
                       .nano = nano,
                       .ts = clock_wall_us(),
                       .reference = reference.n > 0 ? reference : STR(""),
                       .state = STR("requested")};

    if (r.account == NULL || !prepare(l, &r, e))
        return false;
    struct event_facts facts = {.payer = r.account, .amount = {[AMOUNT_PAID] = r.nano}};
    if (!move_commit(l, EVENT_REFUND, &facts, r.account, r.reference, insert_refund, &r, e))
        return false;
    write_refund(out, &r);
    return true;
}

static const char columns[] = "SELECT id, account, nano, reference, state, ts, ended FROM refund";

/* The texts live until the statement's next step. */
static bool read_refund(struct statement *st, struct account *a, struct refund *out)
{
    *out = (struct refund){.account = a,
                           .id = store_i64(st, 0),
                           .nano = store_i64(st, 2),
                           .reference = store_text(st, 3),
                           .state = store_text(st, 4),
                           .ts = store_i64(st, 5),
                           .ended = store_i64(st, 6)};
    return a != NULL;
}

struct ending {
    int64_t id, ts;
    bool sent;
};

static bool end_refund(struct ledger *l, void *ctx, int64_t transfer, struct err *e)
{
    const struct ending *end = ctx;
    struct statement *st =
        store_prepare(l->store,
                      "UPDATE refund SET state=?, ended=?, end_transfer=? WHERE id=? AND"
                      " state='requested'",
                      e);
    if (st == NULL)
        return false;
    store_bind_text(st, 1, end->sent ? STR("sent") : STR("cancelled"));
    store_bind_i64(st, 2, end->ts);
    store_bind_i64(st, 3, transfer);
    store_bind_i64(st, 4, end->id);
    bool ok =
        (store_step(st) == STEP_DONE && store_changes(l->store) == 1) || store_failed(l->store, e);
    store_drop(l->store, st);
    return ok;
}

/* A refund has a letter before its number, so that no amount is taken for one. */
static bool parse_id(struct str text, int64_t *id, struct err *e)
{
    uint64_t n;

    if (text.n < 2 || text.p[0] != 'r' || !str_to_u64(str_skip(text, 1), &n) || n > INT64_MAX)
        return err_set(e, "a refund is named as refund list shows it, such as r7");
    *id = (int64_t)n;
    return true;
}

static bool end_one(struct ledger *l, struct statement *st, struct ending *end, struct buf *out,
                    struct err *e)
{
    struct refund r;

    store_bind_i64(st, 1, end->id);
    enum store_step step = store_step(st);
    if (step == STEP_DONE)
        return err_set(e, "there is no refund r%lld", (long long)end->id);
    if (step != STEP_ROW || !read_refund(st, &purse_by_id(l, store_i64(st, 1))->account, &r))
        return store_failed(l->store, e);
    if (!str_eq(r.state, STR("requested")))
        return err_set(e, "the refund r%lld is %.*s already", (long long)r.id, STR_ARG(r.state));
    struct buf text;
    buf_init(&text, 4096);
    r.state = end->sent ? STR("sent") : STR("cancelled");
    r.ended = end->ts;
    write_refund(&text, &r);
    store_reset(st); /* what it reads goes before the row changes */
    struct event_facts facts = {.payer = r.account, .amount = {[AMOUNT_PAID] = r.nano}};
    bool ok = move_commit(l, end->sent ? EVENT_REFUND_SENT : EVENT_REFUND_CANCELLED, &facts, NULL,
                          STR(""), end_refund, end, e);
    if (ok)
        buf_add(out, buf_str(&text));
    buf_release(&text);
    return ok;
}

bool ledger_refund_end(struct ledger *l, struct str id, bool sent, struct buf *out, struct err *e)
{
    struct ending end = {.ts = clock_wall_us(), .sent = sent};
    char sql[sizeof columns + 20];

    if (!parse_id(id, &end.id, e))
        return false;
    snprintf(sql, sizeof sql, "%s WHERE id=?", columns);
    struct statement *st = store_prepare(l->store, sql, e);
    bool ok = st != NULL && end_one(l, st, &end, out, e);
    store_drop(l->store, st);
    return ok;
}

/* Of all balances of an account, or of all accounts. */
static const char list_sql[] =
    "SELECT r.id, a.name, r.nano, r.reference, r.state, r.ts, r.ended FROM refund r JOIN account a"
    " ON a.id=r.account WHERE ?1='' OR a.name=?1 OR a.owner=(SELECT id FROM account WHERE name=?1)"
    " ORDER BY r.id";

bool ledger_refunds(struct ledger_view *v, struct str account, struct buf *out, struct err *e)
{
    struct str comma = STR("");
    struct refund r;
    enum store_step step = STEP_FAIL;

    if (account.n > 0 && directory_account(v->directory, account) == NULL)
        return err_set(e, "there is no account \"%.*s\"",
                       text_is_printable(account) ? (int)account.n : 0, account.p);
    if (!view_begin(v, e))
        return false;
    struct statement *st = store_prepare(v->store, list_sql, e);
    if (st != NULL)
        store_bind_text(st, 1, account.n > 0 ? account : STR(""));
    buf_add(out, STR("{\"refunds\":["));
    while (st != NULL && (step = store_step(st)) == STEP_ROW) {
        if (!read_refund(st, directory_account(v->directory, store_text(st, 1)), &r))
            continue;
        buf_add(out, comma);
        write_refund(out, &r);
        comma = STR(",");
    }
    buf_add(out, STR("]}"));
    if (st != NULL && step != STEP_DONE)
        store_failed(v->store, e);
    store_drop(v->store, st);
    view_end(v);
    return step == STEP_DONE;
}
