/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The invariants of the money, asked of the rows themselves. Each query returns the rows that break
 * one, as a text; an empty answer is the proof.
 */
#include "ledger/ledger_int.h"

#include <stdio.h>

#include "base/log.h"
#include "ledger/text.h"

#define ROWS_NAMED 20 /* per invariant; the count says how many more */

struct invariant {
    const char *name, *sql;
};

/* Of a row with an upstream, as accounts spell it: a name could once be longer. */
#define UPSTREAM "CAST(substr(CAST(upstream AS BLOB), 1, 100) AS TEXT)"
#define BEARER \
    "CASE cost_to WHEN '' THEN 'cogs:' || " UPSTREAM " ELSE cost_to END || ':' || cost_currency"
#define ASSET "'asset:' || " UPSTREAM " || ':' || cost_currency"

/*
 * events.def as rows: which kinds a charge has, and the forms of the two accounts as patterns of
 * GLOB. A bearer is cogs:NAME or loss:REASON.
 */
static const char legs_sql[] =
    "WITH event(name, kind, debit, credit) AS (VALUES"
#define X(event, kind, debit, credit, amount, what) \
    "('" #event "', '" kind "', '" debit "', '" credit "'),"
#include "ledger/events.def"
    "('', '', '', '')),"
    " side(name, kind, debit, credit) AS (SELECT name, kind, replace(debit, 'cost_cur', 'cur'),"
    " replace(credit, 'cost_cur', 'cur') FROM event WHERE name<>''),"
    " leg(charged, kind, debit, credit) AS MATERIALIZED (SELECT name IN ('CHARGE', 'LOST'), kind,"
    " replace(replace(debit, '{upstream}', '*'), '{bearer}', '[cl]o[gs]s:*'),"
    " replace(replace(credit, '{upstream}', '*'), '{bearer}', '[cl]o[gs]s:*') FROM side),"
    " form(id, name, form) AS (SELECT id, name, CASE WHEN kind<>'system' AND promo=0 THEN '{payer}'"
    " WHEN kind<>'system' THEN '{promo}' WHEN substr(name, -length(currency))=currency THEN"
    " substr(name, 1, length(name)-length(currency)) || '{cur}' ELSE '' END FROM account)"
    " SELECT 'transfer ' || t.id || ': ' || t.kind || ' from ' || d.name || ' to ' || k.name"
    " FROM transfer t JOIN form d ON d.id=t.debit JOIN form k ON k.id=t.credit LEFT JOIN leg"
    " ON leg.kind=t.kind AND leg.charged=(t.cause IS NOT NULL) AND d.form GLOB leg.debit"
    " AND k.form GLOB leg.credit WHERE leg.kind IS NULL AND (t.kind<>'" KIND_REVERSAL "'"
    " OR t.cause IS NULL)";

static const struct invariant invariants[] = {
    {"a transfer is between accounts of its kind", legs_sql},
    {"the transfers of a charge are between its accounts",
     "SELECT 'charge ' || c.id || ': ' || t.kind FROM transfer t JOIN charge c ON c.id=t.cause"
     " JOIN account a ON a.id=c.account JOIN account d ON d.id=t.debit"
     " JOIN account k ON k.id=t.credit WHERE CASE t.kind WHEN 'charge' THEN d.id<>a.id"
     " WHEN 'promo' THEN d.owner IS NOT COALESCE(a.owner, a.id) OR d.currency<>a.currency"
     " WHEN 'discount' THEN d.currency<>a.currency WHEN 'overrun' THEN d.currency<>a.currency"
     " WHEN 'cost' THEN d.name<>" BEARER " OR k.name<>" ASSET " WHEN 'estimate' THEN k.name<>" ASSET
     " WHEN 'lost' THEN k.name<>" BEARER " WHEN '" KIND_REVERSAL
     "' THEN NOT EXISTS(SELECT 1 FROM transfer o WHERE o.cause=c.id"
     " AND o.debit=t.credit AND o.credit=t.debit AND o.nano=t.nano AND o.kind IN"
     " ('charge', 'promo', 'discount', 'overrun')) ELSE 1 END"},
    {"balance is the sum of transfers",
     "WITH flow(id, nano) AS (SELECT credit, nano FROM transfer UNION ALL"
     " SELECT debit, -nano FROM transfer), total AS (SELECT id, SUM(nano) AS nano FROM flow"
     " GROUP BY id) SELECT 'account ' || a.name || ': balance ' || a.balance || ', transfers '"
     " || COALESCE(t.nano, 0) FROM account a LEFT JOIN total t ON t.id=a.id"
     " WHERE a.balance<>COALESCE(t.nano, 0)"},
    {"no customer is below zero",
     "SELECT 'account ' || name || ': balance ' || balance FROM account"
     " WHERE kind='customer' AND balance<0"},
    {"no house is further below zero than its limit",
     "SELECT 'account ' || name || ': balance ' || balance || ', limit ' || credit_limit"
     " FROM account WHERE kind='house' AND credit_limit>0 AND balance<-credit_limit"},
    {"allotments are covered",
     "SELECT 'account ' || a.name || ': allotted ' || SUM(l.nano) || ', balance ' || a.balance"
     " FROM allotment l JOIN account a ON a.id=l.account GROUP BY a.id"
     " HAVING SUM(l.nano)>a.balance+a.credit_limit"},
    {"a charge is closed, reversed or of an epoch that runs",
     "SELECT 'charge ' || c.id FROM charge c WHERE c.computed>0 AND"
     " NOT EXISTS(SELECT 1 FROM epoch e WHERE e.id=c.epoch AND e.state<>'settled')"
     " AND NOT EXISTS(SELECT 1 FROM request r"
     " WHERE r.rid=c.rid) AND NOT EXISTS(SELECT 1 FROM transfer t WHERE t.cause=c.id"
     " AND t.kind='reversal')"},
    {"a reversed charge is not of a complete request",
     "SELECT 'charge ' || t.cause FROM transfer t JOIN charge c ON c.id=t.cause"
     " JOIN request r ON r.rid=c.rid WHERE t.kind='reversal' AND r.end='complete'"},
    {"the transfers of a charge are what it says", /* charge by charge: it needs no room */
     "SELECT 'charge ' || id || ': ' || nano || ' of ' || computed FROM (SELECT c.id, c.nano,"
     " c.computed, c.promo, c.cost, c.beyond, SUM(CASE t.kind WHEN 'charge' THEN t.nano ELSE 0 "
     "END) AS paid,"
     " SUM(CASE t.kind WHEN 'promo' THEN t.nano ELSE 0 END) AS promised,"
     " SUM(CASE t.kind WHEN 'discount' THEN t.nano ELSE 0 END) AS discount,"
     " SUM(CASE t.kind WHEN 'overrun' THEN t.nano ELSE 0 END) AS over,"
     " SUM(CASE t.kind WHEN 'cost' THEN t.nano ELSE 0 END) AS billed,"
     " SUM(CASE t.kind WHEN 'estimate' THEN t.nano ELSE 0 END) AS guessed,"
     " SUM(CASE t.kind WHEN 'lost' THEN t.nano ELSE 0 END) AS lost,"
     " SUM(CASE t.kind WHEN 'reversal' THEN t.nano ELSE 0 END) AS back"
     " FROM charge c LEFT JOIN transfer t ON t.cause=c.id GROUP BY c.id)"
     " WHERE paid<>nano-promo OR promised<>promo OR discount<>promo OR over<>computed-nano"
     " OR billed<>cost OR guessed<>beyond OR back NOT IN (0, computed+promo)"
     " OR lost NOT IN (0, cost) OR (computed>0 AND back=0 AND lost<>0)"},
    {"currencies never mix",
     "SELECT 'transfer ' || t.id FROM transfer t JOIN account d ON d.id=t.debit"
     " JOIN account k ON k.id=t.credit WHERE d.currency<>k.currency"
     " UNION ALL SELECT 'charge ' || c.id FROM charge c JOIN account a ON a.id=c.account"
     " JOIN price p ON p.id=c.price LEFT JOIN rate r ON r.id=c.rate"
     " WHERE (c.rate IS NULL AND p.currency<>a.currency) OR (c.rate IS NOT NULL"
     " AND (p.currency, a.currency) NOT IN ((r.base, r.quote), (r.quote, r.base)))"},
    {"open vouchers are what the operator owes for them",
     "WITH owed(name, nano) AS (SELECT 'liab:voucher:' || b.currency, SUM(b.nano) FROM voucher v"
     " JOIN voucher_batch b ON b.id=v.batch WHERE v.state='open' GROUP BY b.currency)"
     " SELECT 'account ' || a.name || ': balance ' || a.balance || ', open vouchers '"
     " || COALESCE(o.nano, 0) FROM account a LEFT JOIN owed o ON o.name=a.name"
     " WHERE a.name LIKE 'liab:voucher:%' AND a.balance<>COALESCE(o.nano, 0)"
     " UNION ALL SELECT 'account ' || o.name || ': none, open vouchers ' || o.nano FROM owed o"
     " WHERE NOT EXISTS(SELECT 1 FROM account a WHERE a.name=o.name)"},
    {"a voucher ends by one transfer",
     "SELECT 'batch ' || b.id || ': ' || COUNT(v.id) || ' vouchers of ' || b.count"
     " FROM voucher_batch b LEFT JOIN voucher v ON v.batch=b.id GROUP BY b.id"
     " HAVING COUNT(v.id)<>b.count"
     " UNION ALL SELECT 'voucher ' || MIN(v.id) || ': transfer ' || COALESCE(t.id, 'none')"
     " FROM voucher v JOIN voucher_batch b ON b.id=v.batch LEFT JOIN transfer t ON"
     " t.id=v.transfer LEFT JOIN account d ON d.id=t.debit WHERE v.state<>'open'"
     " GROUP BY v.transfer HAVING SUM(b.nano)<>COALESCE(t.nano, 0)"
     " OR d.name<>'liab:voucher:' || b.currency"
     " OR (v.state='redeemed' AND (t.kind<>'voucher' OR COUNT(v.id)<>1 OR t.credit<>v.account))"
     " OR (v.state='void' AND t.kind NOT IN ('voucher_void', 'breakage'))"},
    {"open refunds are what is on its way",
     "WITH owed(name, nano) AS (SELECT 'clear:refund:' || a.currency, SUM(r.nano) FROM refund r"
     " JOIN account a ON a.id=r.account WHERE r.state='requested' GROUP BY a.currency)"
     " SELECT 'account ' || a.name || ': balance ' || a.balance || ', open refunds '"
     " || COALESCE(o.nano, 0) FROM account a LEFT JOIN owed o ON o.name=a.name"
     " WHERE a.name LIKE 'clear:refund:%' AND a.balance<>COALESCE(o.nano, 0)"
     " UNION ALL SELECT 'account ' || o.name || ': none, open refunds ' || o.nano FROM owed o"
     " WHERE NOT EXISTS(SELECT 1 FROM account a WHERE a.name=o.name)"},
    {"the transfers of a refund are what it says",
     "SELECT 'refund r' || r.id || ': ' || r.state || ' ' || r.nano FROM refund r"
     " LEFT JOIN transfer t ON t.id=r.transfer LEFT JOIN transfer z ON z.id=r.end_transfer"
     " WHERE t.kind IS NOT 'refund' OR t.debit IS NOT r.account OR t.nano IS NOT r.nano"
     " OR (r.state='sent' AND (z.kind IS NOT 'refund_sent' OR z.nano IS NOT r.nano"
     " OR z.debit IS NOT t.credit)) OR (r.state='cancelled' AND (z.kind IS NOT 'refund_back'"
     " OR z.nano IS NOT r.nano OR z.credit IS NOT r.account OR z.debit IS NOT t.credit))"},
    {"the transfers of a purchase are what it says",
     "SELECT 'purchase ' || p.id FROM purchase p LEFT JOIN (SELECT t.purchase, COUNT(*) AS count,"
     " SUM(CASE WHEN t.kind='fx' THEN t.nano ELSE 0 END) AS given,"
     " SUM(CASE WHEN t.kind='fx_spread' THEN t.nano ELSE 0 END) AS spread,"
     " SUM(CASE WHEN t.kind='purchase' AND d.name='asset:' || p.upstream || ':' || p.currency"
     " AND k.name=CASE p.currency WHEN p.paid_currency THEN 'funding:' ELSE 'fx:' END || p.currency"
     " THEN t.nano ELSE 0 END) AS bought, SUM(CASE WHEN t.kind='writeoff' AND"
     " k.name='asset:' || p.upstream || ':' || p.currency THEN t.nano ELSE 0 END) AS written"
     " FROM transfer t JOIN purchase p ON p.id=t.purchase JOIN account d ON d.id=t.debit"
     " JOIN account k ON k.id=t.credit GROUP BY t.purchase) t ON t.purchase=p.id WHERE"
     " (COALESCE(t.bought, 0), COALESCE(t.written, 0), COALESCE(t.given, 0),"
     " COALESCE(t.spread, 0), COALESCE(t.count, 0))<>"
     " (CASE p.kind WHEN 'buy' THEN p.nano ELSE 0 END,"
     " CASE p.kind WHEN 'buy' THEN 0 ELSE p.nano END,"
     " CASE p.currency WHEN p.paid_currency THEN 0 ELSE p.paid-p.spread END, p.spread,"
     " 1+(p.currency<>p.paid_currency AND p.paid>p.spread)+(p.spread>0))"},
    {"money changes its currency in a purchase alone",
     "SELECT 'transfer ' || t.id FROM transfer t JOIN account a ON a.id IN (t.debit, t.credit)"
     " WHERE a.kind='system' AND (a.name LIKE 'fx:%' OR a.name LIKE 'exp:fx_spread:%')"
     " AND NOT EXISTS(SELECT 1 FROM purchase p WHERE p.id=t.purchase AND p.kind='buy'"
     " AND a.currency IN (p.currency, p.paid_currency) AND p.currency<>p.paid_currency)"},
    {"an attempt costs what its transfer says",
     "WITH moved(note, nano, name) AS (SELECT t.note, SUM(t.nano), MIN(d.name) FROM transfer t"
     " JOIN account d ON d.id=t.debit WHERE t.kind='attempt' GROUP BY t.note),"
     " told(note, nano, name) AS (SELECT lower(hex(rid)) || '/' || n, cost,"
     " " BEARER " FROM attempt WHERE cost>0)"
     " SELECT 'attempt ' || a.note || ': ' || a.nano FROM told a LEFT JOIN moved m"
     " ON m.note=a.note WHERE m.note IS NULL OR m.nano<>a.nano OR m.name<>a.name"
     " UNION ALL SELECT 'attempt ' || m.note || ': none' FROM moved m LEFT JOIN told a"
     " ON a.note=m.note WHERE a.note IS NULL"},
    {"the cost of an answer is booked once",
     "SELECT 'attempt ' || lower(hex(a.rid)) || '/' || a.n FROM attempt a JOIN charge c"
     " ON c.rid=a.rid JOIN request r ON r.rid=a.rid WHERE a.cost>0 AND a.n=r.attempts"},
    {"every answer has a charge or an end that says why not",
     "SELECT 'request ' || hex(r.rid) FROM request r WHERE r.status BETWEEN 200 AND 299 AND"
     " (r.end='' OR (r.end='complete' AND NOT EXISTS(SELECT 1 FROM charge c"
     " WHERE c.rid=r.rid)))"},
};

#define INVARIANTS (sizeof invariants / sizeof invariants[0])

struct report {
    struct ledger_view *view;
    struct buf *out;
    unsigned count, named; /* rows of all invariants; those of the one at hand in out */
};

/* Admissions stop with the first row, not at the end of what may take minutes. */
static void stop_admissions(const struct ledger_view *v)
{
    if (v->broken != NULL)
        atomic_store(v->broken, true);
}

static void log_row(const char *invariant, struct str row)
{
    char space[512];
    struct buf line = {.p = space, .cap = sizeof space, .max = sizeof space};

    log_begin(&line, LOG_ERROR, "invariant_broken");
    log_pair(&line, "invariant", str_from(invariant));
    log_pair(&line, "row", row);
    log_end(&line);
}

static void name_row(struct report *r, const char *invariant, struct str row)
{
    stop_admissions(r->view);
    r->count++;
    if (r->named++ >= ROWS_NAMED)
        return;
    if (r->view->broken != NULL)
        log_row(invariant, row);
    buf_add(r->out, r->count == 1 ? STR("") : STR(","));
    buf_add(r->out, STR("{\"invariant\":"));
    text_string(r->out, str_from(invariant));
    buf_add(r->out, STR(",\"row\":"));
    text_string(r->out, row);
    buf_add(r->out, STR("}"));
}

static bool ask(struct ledger_view *v, const struct invariant *i, struct report *r, struct err *e)
{
    struct statement *st = store_prepare(v->store, i->sql, e);
    enum store_step step;

    r->named = 0;
    if (st == NULL)
        return false;
    while ((step = store_step(st)) == STEP_ROW)
        name_row(r, i->name, store_text(st, 0));
    store_drop(v->store, st);
    return step == STEP_DONE || store_failed(v->store, e);
}

static const char recompute_sql[] =
    "SELECT c.id, c.computed, c.price, c.in_, c.cache_read, c.cache_write_5m, c.cache_write_1h,"
    " c.out, c.reasoning, c.state, c.more, c.tier, p.terms, p.margin_num, p.margin_den, f.num, "
    "f.den,"
    " r.num, r.den, r.base<>p.currency FROM charge c LEFT JOIN price p ON p.id=c.price"
    " LEFT JOIN factor f ON f.id=c.factor LEFT JOIN rate r ON r.id=c.rate";

/* The factor and the rate of a charge, where it has them, in columns 15 to 19. */
static size_t read_ratios(struct statement *st, struct ratio out[2])
{
    size_t n = 0;

    if (!store_null(st, 15))
        out[n++] = (struct ratio){store_i64(st, 15), store_i64(st, 16)};
    if (!store_null(st, 17)) {
        bool turned = store_i64(st, 19) != 0;
        out[n++] = (struct ratio){store_i64(st, turned ? 18 : 17), store_i64(st, turned ? 17 : 18)};
    }
    return n;
}

static const char price_times_usage[] = "a charge is price times usage";

/* The price of the row before: most charges have the same few. */
struct known {
    int64_t id;
    struct price price;
};

static bool know_price(struct statement *st, struct known *k)
{
    if (k->id == store_i64(st, 2))
        return true;
    k->id = 0;
    k->price = (struct price){.margin = {store_i64(st, 13), store_i64(st, 14)}};
    if (!price_terms_parse(store_text(st, 12), &k->price, NULL))
        return false;
    k->id = store_i64(st, 2);
    return true;
}

static bool row_computes(struct statement *st, struct known *k)
{
    struct ratio ratios[2];
    struct usage u;
    int64_t nano;

    if (!leaves_read(st, 3, 10, &u))
        return false;
    if (store_null(st, 2))
        return store_i64(st, 1) == 0; /* without a price nothing is charged */
    return know_price(st, k) && price_cost(&k->price, &u, ratios, read_ratios(st, ratios), &nano) &&
           nano == store_i64(st, 1);
}

static bool ask_prices(struct ledger_view *v, struct report *r, struct err *e)
{
    struct statement *st = store_prepare(v->store, recompute_sql, e);
    struct known known = {0};
    enum store_step step;
    char row[40];

    r->named = 0;
    if (st == NULL)
        return false;
    while ((step = store_step(st)) == STEP_ROW)
        if (!row_computes(st, &known)) {
            int n = snprintf(row, sizeof row, "charge %lld", (long long)store_i64(st, 0));
            name_row(r, price_times_usage, str_slice(row, (size_t)n));
        }
    store_drop(v->store, st);
    return step == STEP_DONE || store_failed(v->store, e);
}

static const char plans_sql[] =
    "SELECT p.id, p.units, p.cost, p.booked, p.spent, p.closed,"
    " COALESCE((SELECT SUM(c.cost) FROM charge c WHERE c.plan=p.id AND p.cost>0), 0)+"
    "COALESCE((SELECT SUM(t.nano) FROM transfer t WHERE t.plan=p.id), 0), p.unit='amount' AND"
    " p.used<>(SELECT COALESCE(SUM(c.cost), 0) FROM charge c WHERE c.plan=p.id AND"
    " c.cost_currency=p.currency), p.base_booked, p.base_spent FROM plan p";

static const char plan_spread[] = "a period's cost is spread over what was used of it";

static bool plan_holds(struct statement *st)
{
    struct plan_terms terms = {store_i64(st, 1), store_i64(st, 2), store_i64(st, 8),
                               store_i64(st, 9)};
    bool closed = store_i64(st, 5) != 0;

    return store_i64(st, 4) == (closed ? terms.cost : plan_due(&terms, store_i64(st, 3))) &&
           store_i64(st, 6) == store_i64(st, 4) && store_i64(st, 7) == 0;
}

static bool ask_plans(struct ledger_view *v, struct report *r, struct err *e)
{
    struct statement *st = store_prepare(v->store, plans_sql, e);
    enum store_step step;
    char row[40];

    r->named = 0;
    if (st == NULL)
        return false;
    while ((step = store_step(st)) == STEP_ROW)
        if (!plan_holds(st)) {
            int n = snprintf(row, sizeof row, "plan %lld", (long long)store_i64(st, 0));
            name_row(r, plan_spread, str_slice(row, (size_t)n));
        }
    store_drop(v->store, st);
    return step == STEP_DONE || store_failed(v->store, e);
}

static bool ask_all(struct ledger_view *v, struct report *r, struct err *e)
{
    for (size_t i = 0; i < INVARIANTS; i++)
        if (!ask(v, &invariants[i], r, e))
            return false;
    return ask_prices(v, r, e) && ask_plans(v, r, e);
}

static void write_checked(struct buf *out)
{
    buf_add(out, STR("\"checked\":["));
    for (size_t i = 0; i < INVARIANTS; i++) {
        text_string(out, str_from(invariants[i].name));
        buf_add(out, STR(","));
    }
    text_string(out, str_from(price_times_usage));
    buf_add(out, STR(","));
    text_string(out, str_from(plan_spread));
    buf_add(out, STR("]"));
}

/* After a check of all: what was stopped goes on where nothing is broken any more. */
static void tell_admissions(const struct ledger_view *v, unsigned count)
{
    if (v->broken == NULL)
        return;
    if (count > 0)
        log_event(LOG_ERROR, "admissions_stopped", "broken=%u", count);
    else if (atomic_exchange(v->broken, false))
        log_event(LOG_INFO, "admissions_resumed", "reason=\"every invariant holds\"");
}

/* False: it could not be made. */
static bool check(struct ledger_view *v, struct buf *out, unsigned *count, struct err *e)
{
    struct report r = {.view = v, .out = out};

    if (!view_begin(v, e))
        return false;
    buf_add(out, STR("{\"broken\":["));
    bool ok = ask_all(v, &r, e);
    view_end(v);
    buf_addf(out, "],\"count\":%u,\"ok\":%s,", r.count, ok && r.count == 0 ? "true" : "false");
    write_checked(out);
    buf_add(out, STR("}"));
    *count = r.count;
    if (ok)
        tell_admissions(v, r.count);
    return ok;
}

bool ledger_check(struct ledger_view *v, struct buf *out, struct err *e)
{
    unsigned count = 0;

    return check(v, out, &count, e) &&
           (count == 0 || err_set(e, "the ledger breaks its invariants in %u places", count));
}

bool check_alone(struct ledger_view *v, struct err *e)
{
    unsigned count = 0;
    struct buf out;

    buf_init(&out, 1 << 20); /* of each invariant some rows */
    bool made = check(v, &out, &count, e);
    buf_release(&out);
    return made;
}

bool ledger_backup(struct ledger_view *v, const char *to, struct buf *out, struct err *e)
{
    if (!view_begin(v, e))
        return false;
    bool ok = store_backup(v->store, to, e);
    view_end(v);
    if (!ok)
        return false;
    buf_add(out, STR("{\"backup\":"));
    text_string(out, str_from(to));
    buf_add(out, STR("}"));
    return true;
}
