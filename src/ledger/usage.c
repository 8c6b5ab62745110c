/* SPDX-License-Identifier: Apache-2.0 */
/* Lists for people and for the API: accounts, keys, and what an account used. */
#include "ledger/ledger_int.h"

#include "base/clock.h"
#include "ledger/text.h"

static void list_accounts(struct ledger *l, struct buf *out)
{
    size_t at = 0;
    struct str id;
    void *entry;
    bool first = true;

    while (map_next(l->accounts, &at, &id, &entry)) {
        const struct purse *p = entry;
        if (p->account.kind == ACCOUNT_SYSTEM)
            continue;
        buf_add(out, first ? STR("") : STR(","));
        text_account(out, &p->account);
        first = false;
    }
}

static void list_keys(struct ledger *l, struct buf *out)
{
    size_t at = 0;
    struct str id;
    void *entry;
    bool first = true;

    while (map_next(l->keys, &at, &id, &entry)) {
        buf_add(out, first ? STR("") : STR(","));
        text_key(out, entry, STR(""));
        first = false;
    }
}

static bool fits(const struct buf *out, struct err *e)
{
    return !out->overflow || err_set(e, "the list is too long");
}

bool ledger_list(struct ledger *l, struct str what, struct buf *out, struct err *e)
{
    bool accounts = str_eq(what, STR("accounts"));

    if (!accounts && !str_eq(what, STR("keys")))
        return err_set(e, "accounts and keys can be listed");
    buf_addf(out, "{\"%s\":[", accounts ? "accounts" : "keys");
    if (accounts)
        list_accounts(l, out);
    else
        list_keys(l, out);
    buf_add(out, STR("]}"));
    return fits(out, e);
}

static const char usage_sql[] =
    "SELECT c.rid, c.ts, c.asked, c.sent, c.seen, c.upstream, c.key, c.tag, c.in_, c.cache_read,"
    " c.cache_write_5m, c.cache_write_1h, c.out, c.reasoning, c.state, c.computed, c.nano,"
    " COALESCE(r.end, ''), EXISTS(SELECT 1 FROM transfer t WHERE t.cause=c.id"
    " AND t.kind='reversal'), r.status, r.ts, r.first_us, r.end_us"
    " FROM charge c LEFT JOIN request r ON r.rid=c.rid WHERE c.account=? ORDER BY c.ts DESC, c.id "
    "DESC LIMIT ?";

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

/* Each attempt of the request at hand. Without rows of their own there was one, which answered. */
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
    if (first)
        write_attempt(out, store_text(request, 5), STR(""), request, 19);
    buf_add(out, STR("]"));
    return step == STEP_DONE;
}

static bool write_row(struct buf *out, struct statement *st, struct statement *attempts)
{
    static const char *const texts[] = {"model", "sent", "seen", "upstream"};
    static const char *const leaves[] = {"in",  "cache_read", "cache_write_5m", "cache_write_1h",
                                         "out", "reasoning"};
    static const char *const states[] = {"ok", "inconsistent", "missing"};
    struct str bytes = store_blob(st, 0);
    struct rid rid = {{0}};
    char id[RID_TEXT + 1];
    int64_t state = store_i64(st, 14);

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
    buf_add(out, STR(",\"usage\":{"));
    for (int i = 0; i < 6; i++)
        buf_addf(out, "%s\"%s\":%lld", i == 0 ? "" : ",", leaves[i],
                 (long long)store_i64(st, 8 + i));
    buf_addf(out, "},\"usage_state\":\"%s\",\"computed\":",
             state >= 0 && state < 3 ? states[state] : "unknown");
    text_money(out, store_i64(st, 15));
    buf_add(out, STR(",\"charged\":"));
    text_money(out, store_i64(st, 16));
    buf_add(out, STR(",\"end\":"));
    text_string(out, store_text(st, 17));
    buf_addf(out, ",\"reversed\":%s", store_i64(st, 18) != 0 ? "true" : "false");
    bool ok = write_attempts(out, st, attempts, bytes);
    buf_add(out, STR("}"));
    return ok;
}

#define DAYS 31
#define DAY_US INT64_C(86400000000)

static const char days_sql[] =
    "SELECT c.ts/86400000000, c.asked, SUM(c.nano), COUNT(*) FROM charge c WHERE c.account=?"
    " AND c.ts>=? AND NOT EXISTS(SELECT 1 FROM transfer t WHERE t.cause=c.id"
    " AND t.kind='reversal') GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 2000";

/* What was spent by day (UTC) and model, reversals left out. */
static bool write_days(struct ledger *l, const struct account *a, struct buf *out, struct err *e)
{
    struct statement *st = store_prepare(l->store, days_sql, e);
    enum store_step step;
    bool first = true;

    if (st == NULL)
        return false;
    store_bind_i64(st, 1, a->id);
    store_bind_i64(st, 2, (clock_day(clock_wall_us()) - DAYS + 1) * DAY_US);
    buf_add(out, STR(",\"days\":["));
    while ((step = store_step(st)) == STEP_ROW) {
        buf_add(out, first ? STR("{\"day\":") : STR(",{\"day\":"));
        text_time(out, store_i64(st, 0) * DAY_US);
        buf_add(out, STR(",\"model\":"));
        text_string(out, store_text(st, 1));
        buf_add(out, STR(",\"charged\":"));
        text_money(out, store_i64(st, 2));
        buf_addf(out, ",\"requests\":%lld}", (long long)store_i64(st, 3));
        first = false;
    }
    buf_add(out, STR("]"));
    store_drop(l->store, st);
    return step == STEP_DONE || err_set(e, "store: %s", store_error(l->store));
}

static bool write_charges(struct ledger *l, const struct account *a, unsigned limit,
                          struct buf *out, struct err *e)
{
    struct statement *st = store_prepare(l->store, usage_sql, e);
    struct statement *attempts = store_prepare(l->store, attempts_sql, e);
    enum store_step step = STEP_FAIL;
    bool ok = st != NULL && attempts != NULL;

    buf_add(out, STR(",\"charges\":["));
    if (ok) {
        store_bind_i64(st, 1, a->id);
        store_bind_i64(st, 2, limit);
    }
    for (bool first = true; ok && (step = store_step(st)) == STEP_ROW; first = false) {
        buf_add(out, first ? STR("") : STR(","));
        ok = write_row(out, st, attempts);
    }
    buf_add(out, STR("]"));
    if (st != NULL && attempts != NULL && step != STEP_DONE)
        err_set(e, "store: %s", store_error(l->store));
    store_drop(l->store, st);
    store_drop(l->store, attempts);
    return step == STEP_DONE;
}

bool ledger_usage(struct ledger *l, struct str account, unsigned limit, struct buf *out,
                  struct err *e)
{
    const struct account *a = directory_account(l->directory, account);

    if (a == NULL || a->kind == ACCOUNT_SYSTEM)
        return err_set(e, "there is no account \"%.*s\"",
                       text_is_printable(account) ? (int)account.n : 0, account.p);
    buf_add(out, STR("{\"account\":"));
    text_string(out, str_from(a->name));
    buf_addf(out, ",\"currency\":\"%s\",\"balance\":", a->currency.code);
    text_money(out, ledger_balance(a));
    if (!write_charges(l, a, limit, out, e) || !write_days(l, a, out, e))
        return false;
    buf_add(out, STR("}"));
    return fits(out, e);
}
