/* SPDX-License-Identifier: Apache-2.0 */
/* Lists for people and for the API: accounts, keys, and what an account used. */
#include "ledger/ledger_int.h"

#include <assert.h>

#include "base/clock.h"
#include "ledger/text.h"

/* Rows of which the directory does not know yet are left out: their command is under way. */
static bool list_account(struct ledger_view *v, struct statement *row, struct str comma,
                         struct buf *out)
{
    const struct account *a = directory_account(v->directory, store_text(row, 0));

    if (a == NULL)
        return false;
    buf_add(out, comma);
    text_account(out, a, store_i64(row, 1));
    return true;
}

static bool list_key(struct ledger_view *v, struct statement *row, struct str comma,
                     struct buf *out)
{
    struct str hash = store_blob(row, 0);
    const struct key *k =
        hash.n == sizeof k->hash ? directory_key(v->directory, (const uint8_t *)hash.p) : NULL;

    if (k == NULL)
        return false;
    buf_add(out, comma);
    text_key(out, k, STR(""));
    return true;
}

static bool list_rate(struct ledger_view *v, struct statement *row, struct str comma,
                      struct buf *out)
{
    struct rate r = {.id = store_i64(row, 0),
                     .ratio = {store_i64(row, 3), store_i64(row, 4)},
                     .from_us = store_i64(row, 5)};

    (void)v;
    if (!currency_parse(store_text(row, 1), &r.base) ||
        !currency_parse(store_text(row, 2), &r.quote))
        return false;
    buf_add(out, comma);
    text_rate(out, &r, store_text(row, 6));
    return true;
}

static bool list_group(struct ledger_view *v, struct statement *row, struct str comma,
                       struct buf *out)
{
    (void)v;
    buf_add(out, comma);
    buf_add(out, STR("{\"group\":"));
    text_string(out, store_text(row, 0));
    buf_addf(out, ",\"num\":%lld,\"den\":%lld,\"accounts\":%lld}", (long long)store_i64(row, 1),
             (long long)store_i64(row, 2), (long long)store_i64(row, 3));
    return true;
}

static const struct listing {
    const char *name, *sql;
    bool (*row)(struct ledger_view *v, struct statement *row, struct str comma, struct buf *out);
} listings[] = {
    {"accounts", "SELECT name, balance FROM account WHERE kind<>'system' ORDER BY id",
     list_account},
    {"keys", "SELECT hash FROM key ORDER BY id", list_key},
    {"groups",
     "SELECT g.name, COALESCE(f.num, 1), COALESCE(f.den, 1), (SELECT COUNT(*) FROM account a"
     " WHERE a.group_=g.name) FROM (SELECT name FROM factor WHERE scope='group' UNION"
     " SELECT group_ FROM account WHERE group_<>'') g LEFT JOIN factor f ON f.id=(SELECT MAX(id)"
     " FROM factor WHERE scope='group' AND name=g.name) ORDER BY g.name",
     list_group},
    {"rates", "SELECT id, base, quote, num, den, from_, source FROM rate ORDER BY id", list_rate},
};

static bool fits(const struct buf *out, struct err *e)
{
    return !out->overflow || err_set(e, "the list is too long");
}

static bool write_list(struct ledger_view *v, const struct listing *list, struct buf *out,
                       struct err *e)
{
    struct statement *st = store_prepare(v->store, list->sql, e);
    struct str comma = STR("");
    enum store_step step;

    if (st == NULL)
        return false;
    buf_addf(out, "{\"%s\":[", list->name);
    while ((step = store_step(st)) == STEP_ROW)
        if (list->row(v, st, comma, out))
            comma = STR(",");
    buf_add(out, STR("]}"));
    store_drop(v->store, st);
    return step == STEP_DONE ? fits(out, e) : store_failed(v->store, e);
}

bool ledger_list(struct ledger_view *v, struct str what, struct buf *out, struct err *e)
{
    for (size_t i = 0; i < sizeof listings / sizeof listings[0]; i++)
        if (str_eq(what, str_from(listings[i].name)))
            return write_list(v, &listings[i], out, e);
    return err_set(e, "accounts, keys, groups and rates can be listed");
}

/* Of all balances of an account, whose ids stand for the '?': an account with one balance, as most
 * are, is read by its index. */
static const char usage_sql[] =
    "SELECT c.rid, c.ts, c.asked, c.sent, c.seen, c.upstream, c.key, c.tag, c.in_, c.cache_read,"
    " c.cache_write_5m, c.cache_write_1h, c.out, c.reasoning, c.state, c.computed, c.nano,"
    " COALESCE(r.end, ''), EXISTS(SELECT 1 FROM transfer t WHERE t.cause=c.id"
    " AND t.kind='reversal'), r.status, r.ts, r.first_us, r.end_us,"
    " c.more, c.tier, a.currency, c.promo, COALESCE(r.lossy, ''), c.price"
    " FROM charge c JOIN account a ON a.id=c.account LEFT JOIN request r ON r.rid=c.rid"
    " WHERE c.account IN (?) ORDER BY c.ts DESC, c.id DESC LIMIT ?1";

static const char attempts_sql[] = "SELECT upstream, failure, status, began, first_us, ts"
                                   " FROM attempt WHERE rid=? ORDER BY n";

/* The failure of an attempt that answered is null. Status and three times start at column at. */
static void write_attempt(struct buf *out, struct str upstream, struct str failure,
                          struct statement *st, int at)
{
    static const char *const times[] = {"began", "first_byte", "ended"};

    buf_add(out, STR("{\"upstream\":"));
    text_string(out, upstream);
    buf_add(out, STR(",\"failure\":"));
    if (failure.n == 0)
        buf_add(out, STR("null"));
    else
        text_string(out, failure);
    buf_addf(out, ",\"status\":%lld", (long long)store_i64(st, at));
    for (int i = 0; i < 3; i++) {
        buf_addf(out, ",\"%s\":", times[i]);
        text_time(out, store_i64(st, at + 1 + i));
    }
    buf_add(out, STR("}"));
}

/* Each attempt of the request at hand. Without rows of their own there was one, which answered; a
 * request that has no row yet tells of none. */
static bool write_attempts(struct buf *out, struct statement *request, struct statement *st,
                           struct str rid)
{
    enum store_step step;
    bool first = true;

    store_bind_blob(st, 1, rid.p, rid.n);
    buf_add(out, STR(",\"attempts\":["));
    while ((step = store_step(st)) == STEP_ROW) {
        buf_add(out, first ? STR("") : STR(","));
        write_attempt(out, store_text(st, 0), store_text(st, 1), st, 2);
        first = false;
    }
    if (first && !store_null(request, 19))
        write_attempt(out, store_text(request, 5), STR(""), request, 19);
    buf_add(out, STR("]"));
    return step == STEP_DONE;
}

static bool write_row(struct buf *out, struct statement *st, struct statement *attempts)
{
    static const char *const texts[] = {"model", "sent", "seen", "upstream"};
    struct str bytes = store_blob(st, 0);
    struct rid rid = {{0}};
    char id[RID_TEXT + 1];
    struct usage u;

    if (bytes.n == sizeof rid.b)
        memcpy(rid.b, bytes.p, bytes.n);
    rid_text(id, &rid);
    buf_addf(out, "{\"id\":\"%s\",\"time\":", id);
    text_time(out, store_i64(st, 1));
    for (int i = 0; i < 4; i++) {
        buf_addf(out, ",\"%s\":", texts[i]);
        text_string(out, store_text(st, 2 + i));
    }
    buf_addf(out, ",\"key\":\"%lld\",\"tag\":", (long long)store_i64(st, 6));
    text_string(out, store_text(st, 7));
    (void)leaves_read(st, 8, 23, &u); /* what is wrong with a row, ledger check says */
    buf_add(out, STR(",\"usage\":"));
    leaves_text(out, &u);
    buf_add(out, STR(",\"tier\":"));
    text_string(out, store_text(st, 24));
    buf_addf(out, ",\"usage_state\":\"%s\",\"computed\":", text_usage_state(store_i64(st, 14)));
    text_money(out, store_i64(st, 15));
    buf_add(out, STR(",\"charged\":"));
    text_money(out, store_i64(st, 16));
    buf_add(out, STR(",\"promo\":"));
    text_money(out, store_i64(st, 26));
    buf_add(out, STR(",\"currency\":"));
    text_string(out, store_text(st, 25));
    buf_add(out, STR(",\"end\":"));
    text_string(out, store_text(st, 17));
    if (store_null(st, 28))
        buf_add(out, STR(",\"price_row\":null"));
    else
        buf_addf(out, ",\"price_row\":%lld", (long long)store_i64(st, 28));
    buf_addf(out, ",\"reversed\":%s,\"lossy\":", store_i64(st, 18) != 0 ? "true" : "false");
    text_string(out, store_text(st, 27));
    bool ok = write_attempts(out, st, attempts, bytes);
    buf_add(out, STR("}"));
    return ok;
}

#define DAYS 31
#define DAY_US INT64_C(86400000000)

static const char days_sql[] =
    "SELECT c.ts/86400000000, c.asked, a.currency, SUM(c.nano), COUNT(*) FROM charge c"
    " JOIN account a ON a.id=c.account WHERE c.account IN (?) AND c.ts>=?1 AND NOT EXISTS(SELECT 1 "
    "FROM transfer t WHERE t.cause=c.id"
    " AND t.kind='reversal') GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 LIMIT 2000";

#define SQL_MAX 1024

/* The statement with the ids of the account's balances in it. */
static struct statement *prepare_of(struct ledger_view *v, const char *sql, const struct account *a,
                                    struct err *e)
{
    char room[SQL_MAX];
    struct buf b = {.p = room, .cap = sizeof room - 1, .max = sizeof room - 1};
    struct str rest = str_from(sql);

    buf_add(&b, str_cut(&rest, '?'));
    for (const char *comma = ""; a != NULL; a = atomic_load(&a->next), comma = ",")
        buf_addf(&b, "%s%lld", comma, (long long)a->id);
    buf_add(&b, rest);
    assert(!b.overflow);
    room[b.n] = '\0';
    return store_prepare(v->store, room, e);
}

/* What was spent by day (UTC), model and currency, reversals left out. */
static bool write_days(struct ledger_view *v, const struct account *a, struct buf *out,
                       struct err *e)
{
    struct statement *st = prepare_of(v, days_sql, a, e);
    enum store_step step;
    bool first = true;

    if (st == NULL)
        return false;
    store_bind_i64(st, 1, (clock_day(clock_wall_us()) - DAYS + 1) * DAY_US);
    buf_add(out, STR(",\"days\":["));
    while ((step = store_step(st)) == STEP_ROW) {
        buf_add(out, first ? STR("{\"day\":") : STR(",{\"day\":"));
        text_time(out, store_i64(st, 0) * DAY_US);
        buf_add(out, STR(",\"model\":"));
        text_string(out, store_text(st, 1));
        buf_add(out, STR(",\"currency\":"));
        text_string(out, store_text(st, 2));
        buf_add(out, STR(",\"charged\":"));
        text_money(out, store_i64(st, 3));
        buf_addf(out, ",\"requests\":%lld}", (long long)store_i64(st, 4));
        first = false;
    }
    buf_add(out, STR("]"));
    store_drop(v->store, st);
    return step == STEP_DONE || store_failed(v->store, e);
}

static bool write_charges(struct ledger_view *v, const struct account *a, unsigned limit,
                          struct buf *out, struct err *e)
{
    struct statement *st = prepare_of(v, usage_sql, a, e);
    struct statement *attempts = store_prepare(v->store, attempts_sql, e);
    enum store_step step = STEP_FAIL;
    bool ok = st != NULL && attempts != NULL;

    buf_add(out, STR(",\"charges\":["));
    if (ok) {
        store_bind_i64(st, 1, limit);
    }
    for (bool first = true; ok && (step = store_step(st)) == STEP_ROW; first = false) {
        buf_add(out, first ? STR("") : STR(","));
        ok = write_row(out, st, attempts);
    }
    buf_add(out, STR("]"));
    if (st != NULL && attempts != NULL && step != STEP_DONE)
        store_failed(v->store, e);
    store_drop(v->store, st);
    store_drop(v->store, attempts);
    return step == STEP_DONE;
}

/* The balance of the account's own currency, and all of them with their promo. */
static const char balances_sql[] =
    "SELECT a.balance, a.currency, COALESCE((SELECT p.balance FROM account p WHERE p.owner=?1"
    " AND p.currency=a.currency AND p.promo=1), 0) FROM account a WHERE a.id=?1 OR (a.owner=?1"
    " AND a.promo=0) ORDER BY a.id";

static bool write_balances(struct ledger_view *v, const struct account *a, struct buf *out,
                           struct err *e)
{
    struct statement *st = store_prepare(v->store, balances_sql, e);
    enum store_step step;
    bool first = true;

    if (st == NULL)
        return false;
    store_bind_i64(st, 1, a->id);
    while ((step = store_step(st)) == STEP_ROW) {
        if (first) {
            text_money(out, store_i64(st, 0));
            buf_add(out, STR(",\"balances\":["));
        }
        buf_add(out, first ? STR("{\"currency\":") : STR(",{\"currency\":"));
        text_string(out, store_text(st, 1));
        buf_add(out, STR(",\"balance\":"));
        text_money(out, store_i64(st, 0));
        buf_add(out, STR(",\"promo\":"));
        text_money(out, store_i64(st, 2));
        buf_add(out, STR("}"));
        first = false;
    }
    buf_add(out, STR("]"));
    store_drop(v->store, st);
    return step == STEP_DONE || store_failed(v->store, e);
}

bool ledger_usage(struct ledger_view *v, struct str account, unsigned limit, struct buf *out,
                  struct err *e)
{
    const struct account *a = directory_account(v->directory, account);

    if (a == NULL || a->kind == ACCOUNT_SYSTEM || a->owner != a)
        return err_set(e, "there is no account \"%.*s\"",
                       text_is_printable(account) ? (int)account.n : 0, account.p);
    if (!view_begin(v, e))
        return false;
    buf_add(out, STR("{\"account\":"));
    text_string(out, str_from(a->name));
    buf_addf(out, ",\"currency\":\"%s\",\"balance\":", a->currency.code);
    bool ok = write_balances(v, a, out, e) && write_charges(v, a, limit, out, e) &&
              write_days(v, a, out, e);
    view_end(v);
    buf_add(out, STR("}"));
    return ok && fits(out, e);
}
