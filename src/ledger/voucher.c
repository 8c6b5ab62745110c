/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vouchers: money that was paid by whoever sells them and is owed to whoever brings the code. One
 * guarded update ends a voucher, in the transaction that moves its money, and the ledger thread
 * alone does it: of many who bring one code, one gets it.
 */
#include <sodium.h>

#include "base/clock.h"
#include "ledger/ledger_int.h"
#include "ledger/text.h"

#define SECRET_BYTES 32
#define HMAC_BYTES crypto_auth_hmacsha256_BYTES

/* DONE: no voucher was ever made. */
static enum store_step read_secret(struct ledger *l, uint8_t out[SECRET_BYTES], struct err *e)
{
    struct statement *st =
        store_prepare(l->store, "SELECT bytes FROM secret WHERE name='voucher'", e);

    if (st == NULL)
        return STEP_FAIL;
    enum store_step step = store_step(st);
    if (step == STEP_ROW)
        memcpy(out, store_blob(st, 0).p, SECRET_BYTES); /* its length is the table's check */
    else if (step != STEP_DONE)
        store_failed(l->store, e);
    store_drop(l->store, st);
    return step;
}

static bool make_secret(struct ledger *l, struct err *e)
{
    uint8_t bytes[SECRET_BYTES];
    struct statement *st = store_prepare(
        l->store, "INSERT OR IGNORE INTO secret(name, bytes, ts) VALUES('voucher', ?, ?)", e);

    if (st == NULL)
        return false;
    randombytes_buf(bytes, sizeof bytes);
    store_bind_blob(st, 1, bytes, sizeof bytes);
    store_bind_i64(st, 2, clock_wall_us());
    bool ok = store_step(st) == STEP_DONE || store_failed(l->store, e);
    store_drop(l->store, st);
    explicit_bzero(bytes, sizeof bytes);
    return ok;
}

static void hmac_of(const uint8_t secret[SECRET_BYTES], const struct voucher_code *code,
                    uint8_t out[HMAC_BYTES])
{
    crypto_auth_hmacsha256(out, code->b, sizeof code->b, secret);
}

/* What a batch is, and what is made of it. */
struct making {
    struct currency cur;
    int64_t nano, expires_us, id;
    unsigned count;
    struct str note;
    struct buf *out;
};

static bool insert_batch(struct ledger *l, struct making *m, int64_t transfer, struct err *e)
{
    struct statement *st =
        store_prepare(l->store,
                      "INSERT INTO voucher_batch(currency, nano, count, expires, note, ts,"
                      " transfer) VALUES(?,?,?,?,?,?,?)",
                      e);
    if (st == NULL)
        return false;
    store_bind_text(st, 1, str_from(m->cur.code));
    store_bind_i64(st, 2, m->nano);
    store_bind_i64(st, 3, m->count);
    store_bind_i64(st, 4, m->expires_us);
    store_bind_text(st, 5, m->note.n > 0 ? m->note : STR(""));
    store_bind_i64(st, 6, clock_wall_us());
    store_bind_i64(st, 7, transfer);
    bool ok = store_step(st) == STEP_DONE || store_failed(l->store, e);
    m->id = store_last_id(l->store);
    store_drop(l->store, st);
    return ok;
}

static bool insert_voucher(struct ledger *l, struct statement *st, const struct making *m,
                           const uint8_t secret[SECRET_BYTES], bool first, struct err *e)
{
    char text[CODE_TEXT + 1];
    uint8_t hmac[HMAC_BYTES];
    struct voucher_code code;

    randombytes_buf(code.b, sizeof code.b);
    hmac_of(secret, &code, hmac);
    store_bind_i64(st, 1, m->id);
    store_bind_blob(st, 2, hmac, sizeof hmac);
    if (store_step(st) != STEP_DONE)
        return store_failed(l->store, e);
    code_write(text, &code);
    buf_cat(m->out, first ? STR("{\"code\":\"") : STR(",{\"code\":\""), str_from(text), STR("\"}"));
    explicit_bzero(text, sizeof text);
    explicit_bzero(&code, sizeof code);
    return true;
}

static bool insert_all(struct ledger *l, void *ctx, int64_t transfer, struct err *e)
{
    struct making *m = ctx;
    uint8_t secret[SECRET_BYTES];

    if (!insert_batch(l, m, transfer, e) || read_secret(l, secret, e) != STEP_ROW)
        return false;
    struct statement *st =
        store_prepare(l->store, "INSERT INTO voucher(batch, hmac) VALUES(?,?)", e);
    bool ok = st != NULL;
    for (unsigned i = 0; i < m->count && ok; i++)
        ok = insert_voucher(l, st, m, secret, i == 0, e);
    store_drop(l->store, st);
    explicit_bzero(secret, sizeof secret);
    return ok;
}

static bool check_batch(const struct making *m, int64_t *total, struct err *e)
{
    if (m->nano <= 0)
        return err_set(e, "a voucher is a positive amount");
    if (m->count < 1 || m->count > LIMIT_VOUCHERS)
        return err_set(e, "a batch is of 1 to %d vouchers", LIMIT_VOUCHERS);
    if (m->nano > INT64_MAX / 4 / (int64_t)m->count)
        return err_set(e, "the batch is worth more than the ledger can hold");
    if (m->expires_us != 0 && m->expires_us <= clock_wall_us())
        return err_set(e, "vouchers expire in the future");
    *total = m->nano * (int64_t)m->count;
    return check_note(m->note, e);
}

static void write_terms(struct buf *out, struct str currency, int64_t nano, int64_t expires_us,
                        struct str note)
{
    buf_add(out, STR(",\"amount\":"));
    text_money(out, nano);
    buf_cat(out, STR(",\"currency\":\""), currency, STR("\",\"expires\":"));
    text_time(out, expires_us);
    buf_add(out, STR(",\"note\":"));
    text_string(out, note);
}

bool ledger_voucher_create(struct ledger *l, int64_t nano, struct currency cur, unsigned count,
                           int64_t expires_us, struct str note, struct buf *out, struct err *e)
{
    struct buf codes;
    struct making m = {.cur = cur,
                       .nano = nano,
                       .expires_us = expires_us,
                       .count = count,
                       .note = note,
                       .out = &codes};
    int64_t total = 0;

    if (!check_batch(&m, &total, e) || !make_secret(l, e))
        return false;
    struct event_facts facts = {.cur = cur, .amount = {[AMOUNT_PAID] = total}};
    buf_init(&codes, 1 << 20);
    bool ok = move_commit(l, EVENT_VOUCHER_SOLD, &facts, NULL, note, insert_all, &m, e);
    if (ok) {
        buf_addf(out, "{\"batch\":\"%lld\",\"count\":%u", (long long)m.id, count);
        write_terms(out, str_from(cur.code), nano, expires_us, note);
        buf_cat(out, STR(",\"vouchers\":["), buf_str(&codes), STR("]}"));
    }
    buf_release(&codes);
    return ok;
}

struct found {
    int64_t id, nano, expires_us, account, ts;
    struct currency cur;
    bool open, voided;
};

static const char find_sql[] =
    "SELECT v.id, b.nano, b.expires, COALESCE(v.account, 0), v.ts, b.currency, v.state FROM voucher"
    " v JOIN voucher_batch b ON b.id=v.batch WHERE v.hmac=?";

static enum store_step find(struct ledger *l, const struct voucher_code *code, struct found *out,
                            struct err *e)
{
    uint8_t secret[SECRET_BYTES], hmac[HMAC_BYTES];
    enum store_step step = read_secret(l, secret, e);

    if (step != STEP_ROW)
        return step;
    hmac_of(secret, code, hmac);
    explicit_bzero(secret, sizeof secret);
    struct statement *st = store_prepare(l->store, find_sql, e);
    if (st == NULL)
        return STEP_FAIL;
    store_bind_blob(st, 1, hmac, sizeof hmac);
    step = store_step(st);
    if (step == STEP_ROW) {
        *out = (struct found){.id = store_i64(st, 0),
                              .nano = store_i64(st, 1),
                              .expires_us = store_i64(st, 2),
                              .account = store_i64(st, 3),
                              .ts = store_i64(st, 4),
                              .open = str_eq(store_text(st, 6), STR("open")),
                              .voided = str_eq(store_text(st, 6), STR("void"))};
        bool valid = currency_parse(store_text(st, 5), &out->cur);
        step = valid ? STEP_ROW : STEP_FAIL;
    }
    if (step == STEP_FAIL)
        store_failed(l->store, e);
    store_drop(l->store, st);
    return step;
}

/* How some open vouchers end. */
struct ending {
    const char *which; /* "id" or "batch" */
    int64_t of, account, ts, count;
    bool redeemed;
};

static bool end_vouchers(struct ledger *l, void *ctx, int64_t transfer, struct err *e)
{
    const struct ending *end = ctx;
    struct statement *st =
        store_prepare(l->store,
                      str_eq(str_from(end->which), STR("id"))
                          ? "UPDATE voucher SET state=?1, account=?2, transfer=?3, ts=?4"
                            " WHERE id=?5 AND state='open'"
                          : "UPDATE voucher SET state=?1, account=?2, transfer=?3, ts=?4"
                            " WHERE batch=?5 AND state='open'",
                      e);
    if (st == NULL)
        return false;
    store_bind_text(st, 1, end->redeemed ? STR("redeemed") : STR("void"));
    if (end->redeemed)
        store_bind_i64(st, 2, end->account);
    else
        store_bind_null(st, 2);
    store_bind_i64(st, 3, transfer);
    store_bind_i64(st, 4, end->ts);
    store_bind_i64(st, 5, end->of);
    bool ok = store_step(st) == STEP_DONE && store_changes(l->store) == end->count;
    if (!ok)
        store_failed(l->store, e);
    store_drop(l->store, st);
    return ok;
}

static void write_redeemed(struct buf *out, const struct found *v)
{
    buf_addf(out, "{\"voucher\":\"%lld\",\"currency\":\"%s\",\"amount\":", (long long)v->id,
             v->cur.code);
    text_money(out, v->nano);
    buf_add(out, STR(",\"redeemed\":"));
    text_time(out, v->ts);
    buf_add(out, STR("}"));
}

static enum redeem_result credit_voucher(struct ledger *l, struct account *owner, struct found *v,
                                         struct err *e)
{
    int64_t sum;

    if (!balance_allowed(owner, v->cur, false, e))
        return REDEEM_REFUSED;
    struct account *a = balance_find(l, str_from(owner->name), v->cur, false, true, e);
    if (a == NULL)
        return REDEEM_FAILED;
    if (!money_add(&sum, ledger_balance(a), v->nano) ||
        !money_add(&sum, sum, atomic_load(&a->credit_limit))) {
        err_set(e, "the balance would be larger than the ledger can hold");
        return REDEEM_REFUSED;
    }
    v->ts = clock_wall_us();
    struct ending end = {
        .which = "id", .of = v->id, .account = a->id, .ts = v->ts, .count = 1, .redeemed = true};
    struct event_facts facts = {.payer = a, .amount = {[AMOUNT_PAID] = v->nano}};
    return move_commit(l, EVENT_VOUCHER_REDEEMED, &facts, NULL, STR(""), end_vouchers, &end, e)
               ? REDEEM_DONE
               : REDEEM_FAILED;
}

enum redeem_result ledger_redeem(struct ledger *l, struct account *owner,
                                 const struct voucher_code *code, struct buf *out, struct err *e)
{
    struct found v;
    enum store_step step = find(l, code, &v, e);
    enum redeem_result result = REDEEM_DONE;

    if (step != STEP_ROW)
        return step == STEP_DONE ? REDEEM_UNKNOWN : REDEEM_FAILED;
    if (v.voided)
        return REDEEM_VOID;
    if (!v.open && purse_by_id(l, v.account)->account.owner != owner)
        return REDEEM_USED;
    if (v.open && v.expires_us != 0 && v.expires_us <= clock_wall_us())
        return REDEEM_EXPIRED;
    if (v.open)
        result = credit_voucher(l, owner, &v, e);
    if (result == REDEEM_DONE)
        write_redeemed(out, &v);
    return result;
}

/* Of a whole batch: what is open of it. */
static bool find_batch(struct ledger *l, int64_t id, struct found *out, int64_t *open,
                       struct err *e)
{
    struct statement *st =
        store_prepare(l->store,
                      "SELECT nano, expires, currency, (SELECT COUNT(*) FROM voucher v"
                      " WHERE v.batch=b.id AND v.state='open') FROM voucher_batch b WHERE id=?",
                      e);
    if (st == NULL)
        return false;
    store_bind_i64(st, 1, id);
    enum store_step step = store_step(st);
    *out = (struct found){.id = id, .open = true};
    bool ok = step == STEP_ROW && currency_parse(store_text(st, 2), &out->cur);
    if (ok) {
        out->nano = store_i64(st, 0);
        out->expires_us = store_i64(st, 1);
        *open = store_i64(st, 3);
    } else if (step == STEP_DONE) {
        err_set(e, "there is no batch %lld of vouchers", (long long)id);
    } else {
        store_failed(l->store, e);
    }
    store_drop(l->store, st);
    return ok;
}

/* A batch by its number, or one voucher by its code. */
static bool find_either(struct ledger *l, struct str text, struct found *v, struct ending *end,
                        struct err *e)
{
    struct voucher_code code;
    uint64_t id;

    if (str_to_u64(text, &id) && text.n < 19) {
        end->which = "batch";
        end->of = (int64_t)id;
        return find_batch(l, end->of, v, &end->count, e) &&
               (end->count > 0 || err_set(e, "no voucher of batch %lld is open", (long long)id));
    }
    enum code_fault fault = code_parse(text, &code);
    if (fault != CODE_GOOD)
        return err_set(e, fault == CODE_TYPO ? "this code has a wrong letter or digit in it"
                                             : "this is neither a batch's number nor a code");
    enum store_step step = find(l, &code, v, e);
    if (step == STEP_DONE)
        return err_set(e, "there is no voucher of this code");
    *end = (struct ending){.which = "id", .of = v->id, .count = 1};
    return step == STEP_ROW &&
           (v->open || err_set(e, "this voucher is %s already", v->voided ? "void" : "redeemed"));
}

bool ledger_voucher_void(struct ledger *l, struct str batch_or_code, bool broken, struct buf *out,
                         struct err *e)
{
    struct ending end = {.ts = clock_wall_us()};
    struct found v;

    if (!find_either(l, batch_or_code, &v, &end, e))
        return false;
    end.ts = clock_wall_us();
    if (broken && (v.expires_us == 0 || v.expires_us > end.ts))
        return err_set(e, "only what has expired can be kept; void it without --to");
    struct event_facts facts = {.cur = v.cur, .amount = {[AMOUNT_PAID] = v.nano * end.count}};
    if (!move_commit(l, broken ? EVENT_VOUCHER_BROKEN : EVENT_VOUCHER_VOIDED, &facts, NULL, STR(""),
                     end_vouchers, &end, e))
        return false;
    buf_addf(out, "{\"%s\":\"%lld\",\"voided\":%lld,\"currency\":\"%s\",\"amount\":",
             v.id == end.of && end.which[0] == 'b' ? "batch" : "voucher", (long long)v.id,
             (long long)end.count, v.cur.code);
    text_money(out, v.nano * end.count);
    buf_add(out, STR("}"));
    return true;
}

static const char batches_sql[] =
    "SELECT b.id, b.currency, b.nano, b.expires, b.note, b.count, b.ts,"
    " SUM(v.state='open'), SUM(v.state='redeemed'), SUM(v.state='void')"
    " FROM voucher_batch b JOIN voucher v ON v.batch=b.id GROUP BY b.id ORDER BY b.id";

static void list_batch(struct statement *st, struct buf *out)
{
    buf_addf(out, "{\"batch\":\"%lld\",\"count\":%lld", (long long)store_i64(st, 0),
             (long long)store_i64(st, 5));
    write_terms(out, store_text(st, 1), store_i64(st, 2), store_i64(st, 3), store_text(st, 4));
    buf_addf(out, ",\"open\":%lld,\"redeemed\":%lld,\"void\":%lld,\"made\":",
             (long long)store_i64(st, 7), (long long)store_i64(st, 8), (long long)store_i64(st, 9));
    text_time(out, store_i64(st, 6));
    buf_add(out, STR("}"));
}

static const char vouchers_sql[] =
    "SELECT v.id, v.state, v.ts, COALESCE(a.name, '') FROM voucher v LEFT JOIN account a"
    " ON a.id=v.account WHERE v.batch=? ORDER BY v.id";

static void list_voucher(struct statement *st, struct buf *out)
{
    buf_addf(out, "{\"voucher\":\"%lld\",\"state\":\"%.*s\"", (long long)store_i64(st, 0),
             STR_ARG(store_text(st, 1)));
    if (store_text(st, 3).n > 0) {
        buf_add(out, STR(",\"account\":"));
        text_string(out, store_text(st, 3));
    }
    buf_add(out, STR(",\"ended\":"));
    text_time(out, store_i64(st, 2));
    buf_add(out, STR("}"));
}

bool ledger_vouchers(struct ledger_view *v, struct str batch, struct buf *out, struct err *e)
{
    uint64_t id = 0;
    enum store_step step = STEP_FAIL;
    bool first = true;

    if (batch.n > 0 && (!str_to_u64(batch, &id) || id > INT64_MAX))
        return err_set(e, "a batch has a number, as voucher list shows it");
    if (!view_begin(v, e))
        return false;
    struct statement *st = store_prepare(v->store, batch.n > 0 ? vouchers_sql : batches_sql, e);
    if (st != NULL && batch.n > 0)
        store_bind_i64(st, 1, (int64_t)id);
    buf_add(out, batch.n > 0 ? STR("{\"vouchers\":[") : STR("{\"batches\":["));
    while (st != NULL && (step = store_step(st)) == STEP_ROW) {
        buf_add(out, first ? STR("") : STR(","));
        first = false;
        batch.n > 0 ? list_voucher(st, out) : list_batch(st, out);
    }
    buf_add(out, STR("]}"));
    if (st != NULL && step != STEP_DONE)
        store_failed(v->store, e);
    store_drop(v->store, st);
    view_end(v);
    if (step == STEP_DONE && batch.n > 0 && first)
        return err_set(e, "there is no batch %llu", (unsigned long long)id);
    return step == STEP_DONE;
}
