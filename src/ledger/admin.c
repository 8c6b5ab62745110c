/* SPDX-License-Identifier: Apache-2.0 */
/* Administration: each change is a transaction of its own; memory follows after its commit. */
#include "ledger/ledger_int.h"

#include <sodium.h>

#include "base/clock.h"
#include "ledger/text.h"

#define KEY_BYTES 32
#define KEY_TEXT (KEY_RAW - 3) /* base64url of them, without padding */
#define NAME_BYTES 100

static bool failed(struct ledger *l, struct err *e)
{
    store_failed(l->store, e);
    store_rollback(l->store);
    return false;
}

struct account *account_named(struct ledger *l, struct str name, struct err *e)
{
    struct account *a = directory_account(l->directory, name);

    if (a != NULL && a->kind != ACCOUNT_SYSTEM && a->owner == a)
        return a;
    err_set(e, "there is no account \"%.*s\"", text_is_printable(name) ? (int)name.n : 0, name.p);
    return NULL;
}

static bool check_name(struct str name, struct err *e)
{
    if (name.n < 1 || name.n > NAME_BYTES || !text_is_printable(name))
        return err_set(e, "an account's name is 1 to %d bytes of printable UTF-8", NAME_BYTES);
    if (!text_is_name(name))
        return err_set(e, "an account's name holds nothing that is not seen, such as a no-break"
                          " blank or a mark of direction");
    static const char never[] = ":= \"'"; /* ':' is in the ledger's own, the others confuse lists */
    for (const char *c = never; *c != '\0'; c++)
        if (str_find_byte(name, *c) != name.n)
            return err_set(e, "an account's name holds no blank, ':', '=' or quote");
    return true;
}

static bool check_budget(bool house, int64_t nano, char period, struct err *e)
{
    if (nano < 0)
        return err_set(e, "a budget is a positive amount");
    if (nano > 0 && period != 'd' && period != 'm')
        return err_set(e, "a budget's period is day or month");
    if (nano > 0 && house)
        return err_set(e, "a house account takes no budget; --credit-limit says how far it may go");
    return true;
}

bool ledger_account_create(struct ledger *l, struct str name, struct str kind, struct currency cur,
                           int64_t budget_nano, char budget_period, struct buf *out, struct err *e)
{
    struct statement *st = l->sql[SQL_INSERT_ACCOUNT];
    bool house = str_eq(kind, STR("house"));
    struct currency valid;

    if (!check_name(name, e))
        return false;
    if (!house && !str_eq(kind, STR("customer")))
        return err_set(e, "an account's kind is customer or house");
    if (!currency_parse(str_from(cur.code), &valid))
        return err_set(e, "a currency is 3 to 8 capitals or digits");
    if (directory_account(l->directory, name) != NULL)
        return err_set(e, "the account \"%.*s\" exists already", STR_ARG(name));
    if (!check_budget(house, budget_nano, budget_period, e))
        return false;
    char period = budget_period == 'd' ? 'd' : 'm';
    store_bind_text(st, 1, name);
    store_bind_text(st, 2, str_from(valid.code));
    store_bind_text(st, 3, kind);
    store_bind_i64(st, 4, clock_wall_us());
    store_bind_i64(st, 5, budget_nano);
    store_bind_text(st, 6, str_slice(&period, 1));
    if (store_step(st) != STEP_DONE)
        return failed(l, e);
    struct purse *p = purse_add(l, store_last_id(l->store), name,
                                house ? ACCOUNT_HOUSE : ACCOUNT_CUSTOMER, valid, 0, 0, NULL);
    budget_set(&p->account.budget, budget_nano, period, 0, clock_wall_us());
    text_account(out, &p->account, 0);
    return true;
}

bool ledger_account_budget(struct ledger *l, struct str name, int64_t nano, char period,
                           struct buf *out, struct err *e)
{
    struct statement *st = l->sql[SQL_SET_BUDGET];
    struct account *a = account_named(l, name, e);
    int64_t now_us = clock_wall_us();
    int64_t spent = 0;

    if (a == NULL)
        return false;
    nano = nano < 0 ? atomic_load(&a->budget.limit) : nano;
    period = period == 0 ? atomic_load(&a->budget.period) : period;
    if (!check_budget(a->kind == ACCOUNT_HOUSE, nano, period, e))
        return false;
    /* Nobody has counted for an account without a budget, or with one of another period. */
    if (nano > 0 && !ledger_spent(l, a->id, period, &now_us, &spent, e))
        return false;
    store_bind_i64(st, 1, nano);
    store_bind_text(st, 2, str_slice(&period, 1));
    store_bind_i64(st, 3, a->id);
    if (store_step(st) != STEP_DONE)
        return failed(l, e);
    budget_set(&a->budget, nano, period, spent, now_us);
    text_account(out, a, ledger_balance(a));
    return true;
}

static bool check_key(const struct account *a, struct str label, struct str models,
                      int64_t expires_us, int64_t budget, char period, struct err *e)
{
    if (label.n > NAME_BYTES || !text_is_printable(label))
        return err_set(e, "a key's label is at most %d bytes of printable text", NAME_BYTES);
    if (models.n >= sizeof((struct key *)0)->models || !text_is_printable(models))
        return err_set(e, "a key's models are a comma list of at most %zu bytes",
                       sizeof((struct key *)0)->models - 1);
    if (expires_us != 0 && expires_us <= clock_wall_us())
        return err_set(e, "a key's expiry lies in the future");
    return check_budget(a->kind == ACCOUNT_HOUSE, budget, period, e);
}

void key_make(char raw[KEY_RAW], uint8_t hash[32])
{
    uint8_t secret[KEY_BYTES];
    char text[KEY_TEXT + 1];

    randombytes_buf(secret, sizeof secret);
    sodium_bin2base64(text, sizeof text, secret, sizeof secret,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    memcpy(raw, "ek_", 3);
    memcpy(raw + 3, text, KEY_TEXT);
    crypto_hash_sha256(hash, (const unsigned char *)raw, KEY_RAW);
    explicit_bzero(secret, sizeof secret);
    explicit_bzero(text, sizeof text);
}

struct key *key_load_new(struct ledger *l, int64_t id, struct err *e)
{
    struct statement *st =
        store_prepare(l->store,
                      "SELECT id, hash, label, account, models, expires, rpm, concurrency,"
                      " budget, budget_period, revoked, root FROM key WHERE id=?",
                      e);
    if (st == NULL)
        return NULL;
    store_bind_i64(st, 1, id);
    bool loaded = store_step(st) == STEP_ROW && ledger_load_key(l, st);
    store_drop(l->store, st);
    if (!loaded) {
        err_set(e, "the key was made but could not be loaded; restart the station");
        return NULL;
    }
    return key_by_id(l, id);
}

bool ledger_key_create(struct ledger *l, struct str account, struct str label, struct str models,
                       int64_t expires_us, uint32_t rpm, uint32_t concurrency, int64_t budget_nano,
                       char budget_period, struct buf *out, struct err *e)
{
    struct statement *st = l->sql[SQL_INSERT_KEY];
    struct account *a = account_named(l, account, e);
    char period = budget_period == 'm' ? 'm' : 'd';
    char raw[KEY_RAW];
    uint8_t hash[32];

    if (a == NULL || !check_key(a, label, models, expires_us, budget_nano, budget_period, e))
        return false;
    key_make(raw, hash);
    store_bind_blob(st, 1, hash, sizeof hash);
    store_bind_text(st, 2, label);
    store_bind_i64(st, 3, a->id);
    store_bind_text(st, 4, models);
    store_bind_i64(st, 5, expires_us);
    store_bind_i64(st, 6, rpm);
    store_bind_i64(st, 7, concurrency);
    store_bind_i64(st, 8, budget_nano);
    store_bind_text(st, 9, str_slice(&period, 1));
    store_bind_i64(st, 10, clock_wall_us());
    const struct key *k = NULL;
    if (store_step(st) != STEP_DONE)
        failed(l, e);
    else
        k = key_load_new(l, store_last_id(l->store), e);
    if (k != NULL)
        text_key(out, k, str_slice(raw, sizeof raw));
    explicit_bzero(raw, sizeof raw);
    return k != NULL;
}

struct key *key_named(struct ledger *l, struct str id, struct err *e)
{
    uint64_t n;
    struct key *k = NULL;

    if (str_to_u64(id, &n) && n <= INT64_MAX)
        k = key_by_id(l, (int64_t)n);
    if (k == NULL)
        err_set(e, "there is no key \"%.*s\"", text_is_printable(id) ? (int)id.n : 0, id.p);
    return k;
}

bool ledger_key_revoke(struct ledger *l, struct str id, struct buf *out, struct err *e)
{
    struct statement *st = l->sql[SQL_REVOKE_KEY];
    struct key *k = key_named(l, id, e);

    if (k == NULL)
        return false;
    store_bind_i64(st, 1, k->id);
    if (store_step(st) != STEP_DONE)
        return failed(l, e);
    atomic_store(&k->revoked, true);
    text_key(out, k, STR(""));
    return true;
}
