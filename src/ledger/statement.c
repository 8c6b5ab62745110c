/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pages of a statement. Charges are read by their index, balance for balance, and merged with
 * what else has moved (credits, promo, reversals: few), so that a page costs what it shows. What
 * the balances were at the beginning is what they are, less all that has moved since.
 */
#include "ledger/statement_int.h"

#include <assert.h>

#include "ledger/text.h"

#define SQL_MAX 4096
#define RANK_CHARGE 0
#define RANK_OTHER 1

static const char balances_sql[] =
    "SELECT id, currency, promo, balance FROM account WHERE id=?1 OR owner=?1 ORDER BY promo, id";

static const char charges_since_sql[] =
    "SELECT COALESCE(SUM(nano-promo), 0), COALESCE(SUM(promo), 0) FROM charge WHERE account=?1"
    " AND ts>=?2";

/* All but what a charge has made has no cause, or is a reversal. */
static const char others_since_sql[] =
    "SELECT COALESCE(SUM(moved), 0) FROM (SELECT -nano AS moved FROM transfer WHERE debit=?1 AND"
    " cause IS NULL AND ts>=?2 UNION ALL SELECT nano FROM transfer WHERE credit=?1 AND cause IS "
    "NULL"
    " AND ts>=?2 UNION ALL SELECT nano FROM transfer WHERE credit=?1 AND kind='reversal'"
    " AND ts>=?2)";

static const char charges_sql[] =
    "SELECT c.ts, c.id, c.rid, c.asked, c.sent, c.seen, COALESCE(q.end, ''), c.key, k.label, c.tag,"
    " c.in_, c.cache_read, c.cache_write_5m, c.cache_write_1h, c.out, c.reasoning, c.state, c.more,"
    " c.tier, c.price, c.factor, f.num, f.den, c.rate, r.base, r.quote, r.num, r.den, c.computed,"
    " c.nano, c.promo FROM charge c JOIN key k ON k.id=c.key LEFT JOIN factor f ON f.id=c.factor"
    " LEFT JOIN rate r ON r.id=c.rate LEFT JOIN request q ON q.rid=c.rid WHERE c.account=?1"
    " AND c.ts>=?2 AND c.ts<?4 AND (c.ts>?2 OR c.id>?3) ORDER BY c.ts, c.id LIMIT ?5";

/* The ids of the balances stand for each '?'. */
static const char others_sql[] =
    "SELECT t.ts, t.id, t.kind, t.debit, t.credit, t.nano, COALESCE(t.note, ''), c.rid FROM"
    " (SELECT id FROM transfer WHERE debit IN (?) AND cause IS NULL UNION SELECT id FROM transfer"
    " WHERE credit IN (?) AND cause IS NULL UNION SELECT id FROM transfer WHERE credit IN (?)"
    " AND kind='reversal') m JOIN transfer t ON t.id=m.id LEFT JOIN charge c ON c.id=t.cause"
    " WHERE t.ts>=@at AND t.ts<@to AND (t.ts>@at OR t.id>@id) ORDER BY t.ts, t.id LIMIT @n";

/* A source of movements, its next one at hand. */
struct source {
    struct statement *st;
    struct statement_sum *sum; /* of charges */
    bool there;
};

struct page {
    struct ledger_view *view;
    struct statement_ask *ask;
    struct buf *out;
    struct source sources[LIMIT_BALANCES + 1]; /* the others are last */
    unsigned source_count, lines;
    struct statement_place last;
};

static struct statement_sum *sum_in(struct statement_ask *a, struct currency cur)
{
    for (unsigned i = 0; i < a->sum_count; i++)
        if (strcmp(a->sums[i].currency.code, cur.code) == 0)
            return &a->sums[i];
    if (a->sum_count == LIMIT_BALANCES)
        return NULL;
    a->sums[a->sum_count] = (struct statement_sum){.currency = cur};
    return &a->sums[a->sum_count++];
}

/* What the balances are, or on a further page only which there are. */
static bool read_balances(struct ledger_view *v, const struct account *account,
                          struct statement_ask *a, struct err *e)
{
    struct statement *st = store_prepare(v->store, balances_sql, e);
    enum store_step step;
    struct currency cur;

    if (st == NULL)
        return false;
    store_bind_i64(st, 1, account->id);
    while ((step = store_step(st)) == STEP_ROW) {
        bool promo = store_i64(st, 2) != 0;
        if (!currency_parse(store_text(st, 1), &cur) ||
            (a->currency.code[0] != '\0' && strcmp(a->currency.code, cur.code) != 0))
            continue;
        struct statement_sum *sum = sum_in(a, cur);
        if (sum == NULL)
            continue;
        *(promo ? &sum->promo_id : &sum->id) = store_i64(st, 0);
        if (!a->goes_on)
            *(promo ? &sum->promo : &sum->balance) = store_i64(st, 3);
    }
    store_drop(v->store, st);
    return step == STEP_DONE || store_failed(v->store, e);
}

/* Takes what has moved since then off the sum. */
static bool rewind_by(struct ledger_view *v, const char *sql, int64_t account, int64_t since_us,
                      int64_t out[2], struct err *e)
{
    struct statement *st = store_prepare(v->store, sql, e);

    if (st == NULL)
        return false;
    store_bind_i64(st, 1, account);
    store_bind_i64(st, 2, since_us);
    bool ok = store_step(st) == STEP_ROW;
    out[0] = ok ? store_i64(st, 0) : 0;
    out[1] = ok && sql == charges_since_sql ? store_i64(st, 1) : 0;
    store_drop(v->store, st);
    return ok || store_failed(v->store, e);
}

static bool rewind_sum(struct ledger_view *v, struct statement_sum *s, int64_t since_us,
                       struct err *e)
{
    int64_t charged[2], moved[2], promo[2];

    if (!rewind_by(v, charges_since_sql, s->id, since_us, charged, e) ||
        !rewind_by(v, others_since_sql, s->id, since_us, moved, e) ||
        !rewind_by(v, others_since_sql, s->promo_id, since_us, promo, e))
        return false;
    s->balance += charged[0] - moved[0];
    s->promo += charged[1] - promo[0];
    return true;
}

static bool rewind_all(struct ledger_view *v, struct statement_ask *a, int64_t since_us,
                       struct err *e)
{
    for (unsigned i = 0; i < a->sum_count; i++)
        if (!rewind_sum(v, &a->sums[i], since_us, e))
            return false;
    return true;
}

static bool step_source(struct page *p, struct source *s, struct err *e)
{
    enum store_step step = store_step(s->st);

    s->there = step == STEP_ROW;
    return s->there || step == STEP_DONE || store_failed(p->view->store, e);
}

static bool begin_charges(struct page *p, struct statement_sum *sum, struct err *e)
{
    const struct statement_place *after = &p->ask->after;
    struct source *s = &p->sources[p->source_count++];

    *s = (struct source){.st = store_prepare(p->view->store, charges_sql, e), .sum = sum};
    if (s->st == NULL)
        return false;
    store_bind_i64(s->st, 1, sum->id);
    store_bind_i64(s->st, 2, after->us);
    store_bind_i64(s->st, 3, after->rank == RANK_CHARGE ? after->id : INT64_MAX);
    store_bind_i64(s->st, 4, p->ask->to_us);
    store_bind_i64(s->st, 5, p->ask->limit + 1);
    return step_source(p, s, e);
}

static void add_ids(struct buf *sql, const struct statement_ask *a)
{
    buf_add(sql, STR("0"));
    for (unsigned i = 0; i < a->sum_count; i++)
        buf_addf(sql, ",%lld,%lld", (long long)a->sums[i].id, (long long)a->sums[i].promo_id);
}

static bool begin_others(struct page *p, struct err *e)
{
    const struct statement_place *after = &p->ask->after;
    struct source *s = &p->sources[p->source_count++];
    struct str rest = str_from(others_sql);
    struct buf sql;

    *s = (struct source){.st = NULL};
    buf_init(&sql, SQL_MAX);
    for (struct str part = str_cut(&rest, '?'); rest.n > 0; part = str_cut(&rest, '?')) {
        buf_add(&sql, part);
        add_ids(&sql, p->ask);
        if (str_find_byte(rest, '?') == rest.n) {
            buf_add(&sql, rest);
            break;
        }
    }
    buf_add_byte(&sql, '\0');
    assert(!sql.overflow);
    s->st = store_prepare(p->view->store, sql.p, e);
    buf_release(&sql);
    if (s->st == NULL)
        return false;
    store_bind_i64(s->st, 1, after->us);
    store_bind_i64(s->st, 2, p->ask->to_us);
    store_bind_i64(s->st, 3, after->rank == RANK_OTHER ? after->id : 0);
    store_bind_i64(s->st, 4, p->ask->limit + 1);
    return step_source(p, s, e);
}

static bool begin_sources(struct page *p, struct err *e)
{
    for (unsigned i = 0; i < p->ask->sum_count; i++)
        if (p->ask->sums[i].id != 0 && !begin_charges(p, &p->ask->sums[i], e))
            return false;
    return begin_others(p, e);
}

static struct statement_place place_of(const struct source *s)
{
    return (struct statement_place){store_i64(s->st, 0), s->sum != NULL ? RANK_CHARGE : RANK_OTHER,
                                    store_i64(s->st, 1)};
}

static bool before(struct statement_place a, struct statement_place b)
{
    if (a.us != b.us)
        return a.us < b.us;
    return a.rank != b.rank ? a.rank < b.rank : a.id < b.id;
}

/* The source of the next movement, or NULL. */
static struct source *first_source(struct page *p)
{
    struct source *first = NULL;

    for (unsigned i = 0; i < p->source_count; i++) {
        struct source *s = &p->sources[i];
        if (s->there && (first == NULL || before(place_of(s), place_of(first))))
            first = s;
    }
    return first;
}

static void write_line(struct page *p, const struct statement_line *line)
{
    if (!p->ask->csv && p->lines > 0)
        buf_add_byte(p->out, ',');
    statement_write_line(p->out, p->ask->csv, line);
    p->lines++;
}

static void write_charge(struct page *p, struct source *s)
{
    int64_t promo = store_i64(s->st, CHARGE_PROMO);
    int64_t paid = store_i64(s->st, CHARGE_CHARGED) - promo;

    s->sum->balance -= paid;
    s->sum->promo -= promo;
    write_line(p, &(struct statement_line){.us = p->last.us,
                                           .kind = STR("charge"),
                                           .charge = s->st,
                                           .sum = s->sum,
                                           .moves = true,
                                           .amount = -paid,
                                           .promo_amount = -promo});
}

/* One side of a transfer, where it is a balance of this account. */
static void write_side(struct page *p, struct source *s, int64_t account, int64_t nano)
{
    for (unsigned i = 0; i < p->ask->sum_count; i++) {
        struct statement_sum *sum = &p->ask->sums[i];
        bool promo = account == sum->promo_id;
        if (account != sum->id && !promo)
            continue;
        *(promo ? &sum->promo : &sum->balance) += nano;
        write_line(p, &(struct statement_line){.us = p->last.us,
                                               .kind = store_text(s->st, 2),
                                               .cause = store_blob(s->st, 7),
                                               .note = store_text(s->st, 6),
                                               .sum = sum,
                                               .moves = true,
                                               .amount = promo ? 0 : nano,
                                               .promo_amount = promo ? nano : 0});
    }
}

static bool write_movements(struct page *p, struct err *e)
{
    struct source *s;

    while ((s = first_source(p)) != NULL && p->lines < p->ask->limit && !p->out->overflow) {
        p->last = place_of(s);
        if (s->sum != NULL) {
            write_charge(p, s);
        } else {
            write_side(p, s, store_i64(s->st, 3), -store_i64(s->st, 5));
            write_side(p, s, store_i64(s->st, 4), store_i64(s->st, 5));
        }
        if (!step_source(p, s, e))
            return false;
    }
    return true;
}

static void write_sums(struct page *p, const char *name, int64_t us)
{
    const struct statement_ask *a = p->ask;

    if (!a->csv)
        buf_addf(p->out, ",\"%s\":[", name);
    for (unsigned i = 0; i < a->sum_count; i++) {
        struct statement_line line = {.us = us, .kind = str_from(name), .sum = &a->sums[i]};
        buf_add(p->out, a->csv || i == 0 ? STR("") : STR(","));
        statement_write_line(p->out, a->csv, &line);
    }
    if (!a->csv)
        buf_add_byte(p->out, ']');
}

static int64_t end_of(const struct statement_ask *a)
{
    return a->to_us == INT64_MAX ? 0 : a->to_us; /* nothing: until now */
}

static void write_begin(struct page *p, const struct account *account)
{
    struct buf *out = p->out;

    if (p->ask->csv) {
        if (!p->ask->goes_on) {
            statement_write_header(out);
            write_sums(p, "opening", p->ask->from_us);
        }
        return;
    }
    buf_add(out, STR("{\"account\":"));
    text_string(out, str_from(account->name));
    buf_add(out, STR(",\"from\":"));
    text_time(out, p->ask->from_us);
    buf_add(out, STR(",\"to\":"));
    text_time(out, end_of(p->ask));
    write_sums(p, "opening", p->ask->goes_on ? p->ask->after.us : p->ask->from_us);
    buf_add(out, STR(",\"movements\":["));
}

static void write_next(struct statement_ask *a, const struct statement_place *last)
{
    struct buf b = {.p = a->next, .cap = sizeof a->next - 1, .max = sizeof a->next - 1};

    buf_addf(&b, "%lld.%lld.%lld", (long long)last->us, (long long)last->rank, (long long)last->id);
    for (unsigned i = 0; i < a->sum_count; i++)
        buf_addf(&b, "~%s:%lld:%lld", a->sums[i].currency.code, (long long)a->sums[i].balance,
                 (long long)a->sums[i].promo);
    assert(!b.overflow);
    a->next[b.n] = '\0';
}

static void write_end(struct page *p, bool more)
{
    if (more)
        write_next(p->ask, &p->last);
    if (p->ask->csv) {
        if (!more)
            write_sums(p, "closing", end_of(p->ask));
        return;
    }
    buf_add_byte(p->out, ']');
    write_sums(p, "closing", more ? p->last.us : end_of(p->ask));
    buf_add(p->out, STR(",\"next\":"));
    if (more)
        buf_cat(p->out, STR("\""), str_from(p->ask->next), STR("\"}"));
    else
        buf_add(p->out, STR("null}"));
}

/* What a cursor says the sums are must come to what the books say they are at the end. */
static bool agrees(struct ledger_view *v, const struct account *account, struct statement_ask *a,
                   struct err *e)
{
    struct statement_ask now = {.currency = a->currency};

    if (!read_balances(v, account, &now, e) ||
        (a->to_us != INT64_MAX && !rewind_all(v, &now, a->to_us, e)))
        return false;
    for (unsigned i = 0; i < now.sum_count; i++) {
        const struct statement_sum *s = &now.sums[i];
        for (unsigned k = 0; k < a->sum_count; k++)
            if (a->sums[k].id == s->id &&
                (a->sums[k].balance != s->balance || a->sums[k].promo != s->promo))
                a->stale = true;
    }
    return !a->stale || err_set(e, "cursor does not fit the books; begin again without it");
}

static bool write_page(struct ledger_view *v, const struct account *account,
                       struct statement_ask *a, struct buf *out, struct err *e)
{
    struct page p = {.view = v, .ask = a, .out = out};

    if (!a->goes_on)
        a->after = (struct statement_place){a->from_us, RANK_CHARGE, 0};
    bool ok = read_balances(v, account, a, e) && (a->goes_on || rewind_all(v, a, a->from_us, e));
    ok = ok && begin_sources(&p, e);
    if (ok) {
        write_begin(&p, account);
        ok = write_movements(&p, e);
    }
    bool more = ok && first_source(&p) != NULL;
    if (ok && !more && a->goes_on)
        ok = agrees(v, account, a, e);
    if (ok)
        write_end(&p, more);
    for (unsigned i = 0; i < p.source_count; i++)
        store_drop(v->store, p.sources[i].st);
    return ok;
}

bool ledger_statement(struct ledger_view *v, struct str account, struct statement_ask *ask,
                      struct buf *out, struct err *e)
{
    const struct account *a = directory_account(v->directory, account);

    if (a == NULL || a->kind == ACCOUNT_SYSTEM || a->owner != a)
        return err_set(e, "there is no account \"%.*s\"",
                       text_is_printable(account) ? (int)account.n : 0, account.p);
    if (!view_begin(v, e))
        return false;
    bool ok = write_page(v, a, ask, out, e);
    view_end(v);
    return ok && (!out->overflow || err_set(e, "the page is too long; ask for a lower limit"));
}
