/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A key that replaces another. Both are counted as one: requests a minute and at once and what the
 * budget has spent are those of the first of them, so that an overlap doubles nothing. The new one
 * has every limit of the old, its expiry, too: who holds a key makes it neither wider nor longer.
 */
#include <sodium.h>

#include "base/clock.h"
#include "ledger/ledger_int.h"
#include "ledger/text.h"

#define US_PER_DAY INT64_C(86400000000)

static const char rotations_sql[] =
    "SELECT COUNT(*) FILTER (WHERE id>?2 AND revoked=0), COUNT(*) FILTER (WHERE created>?3)"
    " FROM key WHERE root=?1";

/* A key that was replaced makes no further ones, unless what replaced it was revoked: whoever found
 * an old key in its overlap must not get a new one by it. */
static enum rotate_result may_rotate(struct ledger *l, const struct key *k, int64_t now_us,
                                     struct err *e)
{
    struct statement *st = store_prepare(l->store, rotations_sql, e);
    enum rotate_result result = ROTATE_DONE;

    if (st == NULL)
        return ROTATE_FAILED;
    store_bind_i64(st, 1, k->root != NULL ? k->root->id : k->id);
    store_bind_i64(st, 2, k->id);
    store_bind_i64(st, 3, now_us - US_PER_DAY);
    if (store_step(st) != STEP_ROW) {
        store_failed(l->store, e);
        result = ROTATE_FAILED;
    } else if (store_i64(st, 0) > 0) {
        err_set(e, "this key was replaced already; use the one that replaced it, or have that"
                   " revoked by the operator");
        result = ROTATE_REFUSED;
    } else if (store_i64(st, 1) >= LIMIT_ROTATIONS) {
        err_set(e, "a key is replaced at most %d times a day", LIMIT_ROTATIONS);
        result = ROTATE_OFTEN;
    }
    store_drop(l->store, st);
    return result;
}

static bool insert_key(struct ledger *l, const struct key *k, const uint8_t hash[32],
                       int64_t now_us, int64_t *id, struct err *e)
{
    struct statement *st = store_prepare(
        l->store,
        "INSERT INTO key(hash, label, account, models, expires, rpm, concurrency, budget,"
        " budget_period, created, root) SELECT ?1, label, account, models, expires, rpm,"
        " concurrency, budget, budget_period, ?2, COALESCE(root, id) FROM key WHERE id=?3",
        e);
    if (st == NULL)
        return false;
    store_bind_blob(st, 1, hash, 32);
    store_bind_i64(st, 2, now_us);
    store_bind_i64(st, 3, k->id);
    bool ok = store_step(st) == STEP_DONE && store_changes(l->store) == 1;
    *id = store_last_id(l->store);
    if (!ok)
        store_failed(l->store, e);
    store_drop(l->store, st);
    return ok;
}

static bool set_expiry(struct ledger *l, const struct key *k, int64_t expires_us, struct err *e)
{
    struct statement *st = store_prepare(l->store, "UPDATE key SET expires=? WHERE id=?", e);

    if (st == NULL)
        return false;
    store_bind_i64(st, 1, expires_us);
    store_bind_i64(st, 2, k->id);
    bool ok = store_step(st) == STEP_DONE;
    if (!ok)
        store_failed(l->store, e);
    store_drop(l->store, st);
    return ok;
}

/* Both keys' rows in one transaction. */
static bool store_both(struct ledger *l, const struct key *k, const uint8_t hash[32],
                       int64_t now_us, int64_t old_expires_us, int64_t *id, struct err *e)
{
    if (!store_begin(l->store, e))
        return false;
    if (!insert_key(l, k, hash, now_us, id, e) || !set_expiry(l, k, old_expires_us, e)) {
        store_rollback(l->store);
        return false;
    }
    return store_commit(l->store, e);
}

static void write_both(struct buf *out, const struct key *next, struct str raw,
                       const struct key *old)
{
    buf_add(out, STR("{\"new\":"));
    text_key(out, next, raw);
    buf_add(out, STR(",\"old\":"));
    text_key(out, old, STR(""));
    buf_add(out, STR("}"));
}

enum rotate_result ledger_key_rotate(struct ledger *l, struct key *k, int64_t overlap_us,
                                     struct buf *out, struct err *e)
{
    int64_t now_us = clock_wall_us();
    int64_t until = now_us + overlap_us, id;
    int64_t expires = atomic_load(&k->expires_us);
    char raw[KEY_RAW];
    uint8_t hash[32];

    if (!key_valid(k, now_us)) {
        err_set(e, "this key is revoked or expired");
        return ROTATE_REFUSED;
    }
    enum rotate_result result = may_rotate(l, k, now_us, e);
    if (result != ROTATE_DONE)
        return result;
    until = expires != 0 && expires < until ? expires : until;
    key_make(raw, hash);
    struct key *next = NULL;
    if (store_both(l, k, hash, now_us, until, &id, e)) {
        atomic_store(&k->expires_us, until);
        next = key_load_new(l, id, e);
    }
    if (next != NULL)
        write_both(out, next, str_slice(raw, sizeof raw), k);
    explicit_bzero(raw, sizeof raw);
    return next != NULL ? ROTATE_DONE : ROTATE_FAILED;
}

bool ledger_key_rotate_id(struct ledger *l, struct str id, int64_t overlap_us, struct buf *out,
                          struct err *e)
{
    struct key *k = key_named(l, id, e);

    return k != NULL && ledger_key_rotate(l, k, overlap_us, out, e) == ROTATE_DONE;
}
