/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Margin against risk. Every transfer on an account of revenue, cost or loss counts, so that the
 * totals are the accounts' balances; SQL adds them up by group, currency and rate in force, and one
 * group at a time is in memory. A sum is exchanged once for each rate, rounded toward zero.
 */
#include <stdio.h>
#include <stdlib.h>

#include "ledger/ledger_int.h"
#include "ledger/text.h"

#define DAY_US INT64_C(86400000000)
#define CURRENCIES 16 /* that one group is told in */
#define REASONS 24    /* of losses */
#define SQL_MAX 4096

enum class {
    REVENUE,
    OTHER_REVENUE,
    DISCOUNT,
    COST,
    FAILED,
    SPREAD,
    REFUND,
    LOSS,
    UNKNOWN,
    CLASSES
};
static const struct {
    const char *name;
    int sign; /* of what is credited; 0: it is told, and in no sum */
} classes[CLASSES] = {
    [REVENUE] = {"revenue", 1},          [OTHER_REVENUE] = {"other_revenue", 1},
    [DISCOUNT] = {"promo_discount", -1}, [COST] = {"cost", -1},
    [FAILED] = {"failed_attempts", -1},  [SPREAD] = {"fx_spread", -1},
    [REFUND] = {"refunds", 0},           [LOSS] = {"losses", -1},
    [UNKNOWN] = {"unknown_costs", 0}, /* no amount: how many answers they are */
};

static const struct {
    const char *name, *key;
} groups[] = {
    [MARGIN_TOTAL] = {"", "NULL"},
#define X(NAME, name, key) [MARGIN_##NAME] = {name, key},
#include "ledger/margin.def"
#undef X
};
#define GROUPS (sizeof groups / sizeof groups[0])

/* CROSS: transfers are read once in their order and not copied first, as the planner would have it.
 * Of the house's accounts: which class each is of, as they stand in `classes`, and a loss by its
 * reason. A charge whose cost nobody knows has no transfer of it: it counts as one, at the currency
 * of its customer, whose code stands where transfers have the id of an account. */
static const char margin_sql[] =
    "WITH book(id, class, item, currency) AS MATERIALIZED (SELECT id, CASE"
    " WHEN name LIKE 'rev:usage:%%' THEN 0 WHEN name LIKE 'rev:promo_discount:%%' THEN 2"
    " WHEN name LIKE 'rev:%%' THEN 1 WHEN name LIKE 'cogs:failed_attempts:%%' THEN 4"
    " WHEN name LIKE 'cogs:%%' THEN 3 WHEN name LIKE 'exp:fx_spread:%%' THEN 5"
    " WHEN name LIKE 'clear:refund:%%' THEN 6 ELSE 7 END,"
    " CASE WHEN name LIKE 'loss:%%' THEN substr(name, 6, length(name)-6-length(currency))"
    " WHEN name LIKE 'exp:%%' THEN substr(name, 5, length(name)-5-length(currency)) ELSE '' END,"
    " currency FROM account WHERE kind='system' AND (name LIKE 'rev:%%' OR name LIKE 'cogs:%%'"
    " OR name LIKE 'loss:%%' OR name LIKE 'exp:%%' OR name LIKE 'clear:refund:%%')"
    " UNION ALL SELECT currency, 8, '', currency FROM account GROUP BY currency),"
    " t(account, nano, ts, kind, cause, plan, purchase, debit, credit) AS ("
    "SELECT credit, nano, ts, kind, cause, plan, purchase, debit, credit FROM transfer"
    " WHERE ts>=?1 AND ts<?2 UNION ALL SELECT debit, -nano, ts, kind, cause, plan, purchase,"
    " debit, credit FROM transfer WHERE ts>=?1 AND ts<?2"
    " UNION ALL SELECT a.currency, 1, c.ts, '', c.id, NULL, NULL, NULL, NULL FROM charge c"
    " JOIN account a ON a.id=c.account WHERE c.cost_currency='' AND c.ts>=?1 AND c.ts<?2"
    " AND NOT EXISTS (SELECT 1 FROM transfer v WHERE v.cause=c.id AND v.kind='reversal')),"
    " sums(k, currency, class, item, rate, nano) AS (SELECT %s, b.currency, b.class, b.item,"
    " CASE WHEN ?3 NOT IN ('', b.currency) THEN (SELECT r.id FROM rate r WHERE"
    " ((r.base=b.currency AND r.quote=?3) OR (r.base=?3 AND r.quote=b.currency))"
    " AND r.from_<=t.ts ORDER BY r.from_ DESC, r.id DESC LIMIT 1) END, SUM(t.nano)"
    " FROM t CROSS JOIN book b ON b.id=t.account%s"
    " WHERE b.class<>6 OR t.kind IN ('refund', 'refund_back') GROUP BY 1, 2, 3, 4, 5)"
    " SELECT s.k, s.currency, s.class, s.item, s.nano, r.num, r.den, r.base<>s.currency,"
    " %s FROM sums s LEFT JOIN rate r ON r.id=s.rate ORDER BY s.k %s, s.currency, s.item";

/* What each group needs beside the transfer. */
static const char joins_sql[] =
    " LEFT JOIN charge c ON c.id=t.cause LEFT JOIN account a ON a.id=COALESCE(c.account,"
    " CASE t.kind WHEN 'refund' THEN t.debit WHEN 'refund_back' THEN t.credit END)"
    " LEFT JOIN account o ON o.id=COALESCE(a.owner, a.id) LEFT JOIN plan p ON p.id=t.plan"
    " LEFT JOIN purchase u ON u.id=t.purchase"
    " LEFT JOIN account x ON x.id=t.credit AND x.kind='system' AND x.name LIKE 'asset:%'";

/* What is told of one group in one currency. */
struct cell {
    struct currency currency;
    int64_t sums[CLASSES]; /* by their signs: what was lost is above zero */
    struct {
        char reason[LIMIT_NAME];
        int64_t nano;
    } losses[REASONS];
    unsigned loss_count;
};

struct margin {
    const struct margin_query *query;
    struct buf *out;
    struct cell cells[CURRENCIES]; /* of the group at hand */
    unsigned count, rows;
};

bool margin_by_parse(struct str name, enum margin_by *out, struct err *e)
{
    for (size_t i = 0; i < GROUPS; i++)
        if (str_eq(name, str_from(groups[i].name))) {
            *out = (enum margin_by)i;
            return true;
        }
    return err_set(e,
                   "the margin is told by request, model, customer, group, upstream, key or day");
}

static struct cell *cell_of(struct margin *m, struct currency cur)
{
    for (unsigned i = 0; i < m->count; i++)
        if (strcmp(m->cells[i].currency.code, cur.code) == 0)
            return &m->cells[i];
    if (m->count == CURRENCIES)
        return NULL;
    m->cells[m->count] = (struct cell){.currency = cur};
    return &m->cells[m->count++];
}

static bool add_loss(struct cell *c, struct str reason, int64_t nano)
{
    unsigned i = 0;

    while (i < c->loss_count && !str_eq(reason, str_from(c->losses[i].reason)))
        i++;
    if (i == REASONS || reason.n >= LIMIT_NAME)
        return false;
    if (i == c->loss_count) {
        memcpy(c->losses[i].reason, reason.p, reason.n);
        c->loss_count++;
    }
    return money_add(&c->losses[i].nano, c->losses[i].nano, nano);
}

/* A row of the query into the group's cell of its currency, or of the one that all is told in. */
static bool take(struct margin *m, struct statement *st, struct err *e)
{
    int64_t class = store_i64(st, 2), nano = store_i64(st, 4);
    struct currency cur;
    bool ok = currency_parse(store_text(st, 1), &cur) && class >= 0 && class < CLASSES;

    if (ok && !store_null(st, 5)) {
        bool turned = store_i64(st, 7) != 0;
        int64_t num = store_i64(st, turned ? 6 : 5), den = store_i64(st, turned ? 5 : 6);
        ok = class == UNKNOWN || money_part(&nano, nano, num, den);
        cur = m->query->currency;
    }
    struct cell *c = ok ? cell_of(m, cur) : NULL;
    if (c == NULL)
        return err_set(e, "the margin is larger than can be told");
    if (classes[class].sign < 0)
        nano = -nano;
    return (money_add(&c->sums[class], c->sums[class], nano) &&
            (class != LOSS || add_loss(c, store_text(st, 3), nano))) ||
           err_set(e, "the margin is larger than can be told");
}

/* Sales after discounts and what they cost; and what risk took of it. */
static bool add_up(const struct cell *c, int64_t *margin, int64_t *risk, int64_t *left)
{
    const int64_t *s = c->sums;

    return money_add(margin, s[REVENUE], s[OTHER_REVENUE]) &&
           money_sub(margin, *margin, s[DISCOUNT]) && money_sub(margin, *margin, s[COST]) &&
           money_add(risk, s[FAILED], s[LOSS]) && money_add(risk, *risk, s[SPREAD]) &&
           money_sub(left, *margin, *risk);
}

static bool percent(const struct cell *c, int64_t left, int64_t *hundredths)
{
    return c->sums[REVENUE] > 0 && money_part(hundredths, left, 10000, c->sums[REVENUE]);
}

static void write_losses(struct buf *out, const struct cell *c)
{
    buf_add(out, STR(",\"losses\":{"));
    for (unsigned i = 0; i < c->loss_count; i++) {
        buf_add(out, i == 0 ? STR("") : STR(","));
        text_string(out, str_from(c->losses[i].reason));
        buf_add(out, STR(":"));
        text_money(out, c->losses[i].nano);
    }
    buf_add(out, STR("}"));
}

static bool write_cell(struct buf *out, const struct cell *c, struct err *e)
{
    int64_t margin, risk, left, share;

    if (!add_up(c, &margin, &risk, &left))
        return err_set(e, "the margin is larger than can be told");
    buf_addf(out, "\"currency\":\"%s\"", c->currency.code);
    for (int i = 0; i < LOSS; i++) {
        if (i == OTHER_REVENUE && c->sums[i] == 0)
            continue;
        buf_addf(out, ",\"%s\":", classes[i].name);
        text_money(out, c->sums[i]);
    }
    write_losses(out, c);
    if (c->sums[UNKNOWN] != 0)
        buf_addf(out, ",\"%s\":%lld", classes[UNKNOWN].name, (long long)c->sums[UNKNOWN]);
    buf_add(out, STR(",\"left\":"));
    text_money(out, left);
    buf_add(out, STR(",\"percent\":"));
    if (percent(c, left, &share)) {
        buf_add(out, STR("\""));
        decimal_write(out, share, 2);
        buf_add(out, STR("\""));
    } else {
        buf_add(out, STR("null"));
    }
    return true;
}

static void write_name(struct buf *out, enum margin_by by, struct statement *st)
{
    struct rid rid = {{0}};
    char id[RID_TEXT + 1];
    struct str bytes;

    switch (by) {
    case MARGIN_REQUEST:
        bytes = store_blob(st, 8);
        memcpy(rid.b, bytes.p, bytes.n == sizeof rid.b ? bytes.n : 0);
        rid_text(id, &rid);
        text_string(out, str_from(id));
        break;
    case MARGIN_KEY: buf_addf(out, "\"%lld\"", (long long)store_i64(st, 0)); break;
    case MARGIN_DAY: text_time(out, store_i64(st, 0) * DAY_US); break;
    default: text_string(out, store_text(st, 0)); break;
    }
}

/* The group's own name; what belongs to none is null. */
static void write_key(struct buf *out, const struct margin *m, struct statement *st)
{
    buf_addf(out, "{\"%s\":", groups[m->query->by].name);
    if (store_null(st, 0))
        buf_add(out, STR("null"));
    else
        write_name(out, m->query->by, st);
    buf_add(out, STR(","));
}

/* All currencies of a group, each a row that begins with its name. */
static bool flush(struct margin *m, struct str key, struct err *e)
{
    bool ok = true;

    for (unsigned i = 0; i < m->count && ok; i++) {
        buf_add(m->out, m->rows == 0 ? STR("") : STR(","));
        buf_add(m->out, key);
        ok = write_cell(m->out, &m->cells[i], e);
        buf_add(m->out, STR("}"));
        m->rows++;
    }
    m->count = 0;
    return ok;
}

static struct statement *prepare(struct ledger_view *v, const struct margin_query *q,
                                 enum margin_by by, struct err *e)
{
    char sql[SQL_MAX];
    bool simple = by == MARGIN_TOTAL || by == MARGIN_DAY;
    bool request = by == MARGIN_REQUEST;

    snprintf(sql, sizeof sql, margin_sql, groups[by].key, simple ? "" : joins_sql,
             request ? "(SELECT c.rid FROM charge c WHERE c.id=s.k)" : "NULL",
             request ? "DESC" : "");
    struct statement *st = store_prepare(v->store, sql, e);
    if (st != NULL) {
        store_bind_i64(st, 1, q->from_us);
        store_bind_i64(st, 2, q->to_us);
        store_bind_text(st, 3, str_from(q->currency.code));
    }
    return st;
}

/* The groups, the last ones left out where there are too many. */
static bool write_groups(struct margin *m, struct statement *st, bool *more, struct err *e)
{
    struct buf key, last;
    unsigned count = 0;
    enum store_step step;
    bool ok = true;

    buf_init(&key, 8 * LIMIT_NAME);
    buf_init(&last, 8 * LIMIT_NAME);
    while (ok && (step = store_step(st)) == STEP_ROW) {
        buf_clear(&key);
        write_key(&key, m, st);
        if (!str_eq(buf_str(&key), buf_str(&last))) {
            ok = flush(m, buf_str(&last), e);
            buf_clear(&last);
            buf_add(&last, buf_str(&key));
            *more = count++ == LIMIT_MARGIN_ROWS;
        }
        if (*more)
            break;
        ok = ok && take(m, st, e);
    }
    ok = ok && (*more || step == STEP_DONE || err_set(e, "store: %s", "the margin cannot be read"));
    ok = ok && flush(m, buf_str(&last), e);
    buf_release(&key);
    buf_release(&last);
    return ok;
}

static bool total(struct margin *m, struct statement *st, struct err *e)
{
    enum store_step step;
    bool ok = true;

    while (ok && (step = store_step(st)) == STEP_ROW)
        ok = take(m, st, e);
    return ok && (step == STEP_DONE || err_set(e, "store: %s", "the margin cannot be read"));
}

static void amount(struct buf *out, int64_t nano, const struct cell *c)
{
    decimal_write(out, nano, 9);
    buf_addf(out, " %s", c->currency.code);
}

/* -1: it does not cover it, 1: it does, 0: there is nothing to say. */
static int say_cell(struct buf *words, const struct cell *c)
{
    int64_t margin, risk, left, share;

    if (!add_up(c, &margin, &risk, &left) || (margin == 0 && risk == 0 && c->sums[UNKNOWN] == 0))
        return 0;
    buf_add(words, STR(" After discounts and cost "));
    amount(words, margin < 0 ? -margin : margin, c);
    buf_add(words, margin < 0 ? STR(" was lost") : STR(" was earned"));
    buf_add(words, STR("; failed attempts, losses and exchange took "));
    amount(words, risk, c);
    buf_add(words, STR("; "));
    amount(words, left < 0 ? -left : left, c);
    buf_add(words, left < 0 ? STR(" is missing") : STR(" is left"));
    if (percent(c, left, &share)) {
        buf_add(words, STR(", "));
        decimal_write(words, share, 2);
        buf_add(words, STR(" % of revenue"));
    }
    buf_add(words, STR("."));
    return left >= 0 ? 1 : -1;
}

static void say(struct buf *out, const struct margin *m)
{
    static const char *const yes[] = {"Yes, the margin covers the risk.",
                                      "The margin covers the risk as far as costs are known."};
    struct buf words;
    struct str code = str_from(m->query->currency.code);
    unsigned told = 0, covered = 0;
    int64_t unknown = 0;

    buf_init(&words, 8192);
    for (unsigned i = 0; i < m->count; i++) {
        int verdict = say_cell(&words, &m->cells[i]);
        told += verdict != 0;
        covered += verdict > 0;
        unknown += m->cells[i].sums[UNKNOWN];
        if (verdict != 0 && code.n > 0 && !str_eq(code, str_from(m->cells[i].currency.code))) {
            buf_addf(&words, " What is told in %s had no rate to %s at its time.",
                     m->cells[i].currency.code, m->query->currency.code);
        }
    }
    if (unknown > 0)
        buf_addf(&words,
                 " The cost of %lld answer%s is unknown and in no sum: nobody told it, and no price"
                 " of the upstream is known.",
                 (long long)unknown, unknown == 1 ? "" : "s");
    const char *first = told == 0                   ? "Nothing was earned or lost."
                        : covered == told           ? yes[unknown > 0]
                        : told == 1 || covered == 0 ? "No, the margin does not cover the risk."
                                                    : "It cannot be said in one currency.";
    buf_clear(out);
    buf_add(out, str_from(first));
    buf_add(out, buf_str(&words));
    buf_release(&words);
}

static bool write_all(struct ledger_view *v, struct margin *m, struct err *e)
{
    struct statement *st = NULL;
    bool more = false, ok = true;
    struct buf words;

    buf_addf(m->out, "{\"by\":\"%s\",\"rows\":[", groups[m->query->by].name);
    if (m->query->by != MARGIN_TOTAL) {
        st = prepare(v, m->query, m->query->by, e);
        ok = st != NULL && write_groups(m, st, &more, e);
        store_drop(v->store, st);
    }
    buf_addf(m->out, "],\"more\":%s,\"total\":[", more ? "true" : "false");
    st = ok ? prepare(v, m->query, MARGIN_TOTAL, e) : NULL;
    m->count = m->rows = 0;
    ok = st != NULL && total(m, st, e);
    store_drop(v->store, st);
    buf_init(&words, 16384);
    say(&words, m);
    ok = ok && flush(m, STR("{"), e);
    buf_add(m->out, STR("],\"answer\":"));
    text_string(m->out, buf_str(&words));
    buf_add(m->out, STR("}"));
    buf_release(&words);
    return ok;
}

bool ledger_margin(struct ledger_view *v, const struct margin_query *q, struct buf *out,
                   struct err *e)
{
    struct margin *m = calloc(1, sizeof *m);

    if (m == NULL)
        return err_set(e, "out of memory");
    m->query = q;
    m->out = out;
    bool ok = view_begin(v, e);
    if (ok) {
        ok = write_all(v, m, e);
        view_end(v);
    }
    free(m);
    return ok && (!out->overflow || err_set(e, "the report is too long"));
}
