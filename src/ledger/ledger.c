/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ledger_int.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"

_Static_assert(offsetof(struct purse, account) == 0, "an account is the head of its purse");

void condition_init(pthread_cond_t *c)
{
    pthread_condattr_t how;

    pthread_condattr_init(&how);
    (void)pthread_condattr_setclock(&how, CLOCK_MONOTONIC);
    pthread_cond_init(c, &how);
    pthread_condattr_destroy(&how);
}

struct timespec condition_time(int64_t mono_ns)
{
    return (struct timespec){mono_ns / 1000000000, mono_ns % 1000000000};
}

struct str id_bytes(const int64_t *id)
{
    return str_slice((const char *)id, sizeof *id);
}

struct purse *purse_by_id(struct ledger *l, int64_t id)
{
    struct purse *p = map_get(l->accounts, id_bytes(&id));

    assert(p != NULL); /* a foreign key of the store */
    return p;
}

struct purse *purse_by_name(struct ledger *l, const char *name)
{
    return (struct purse *)(void *)directory_account(l->directory, str_from(name));
}

struct key *key_by_id(struct ledger *l, int64_t id)
{
    return map_get(l->keys, id_bytes(&id));
}

struct purse *purse_add(struct ledger *l, int64_t id, struct str name, uint8_t kind,
                        struct currency cur, int64_t balance, int64_t credit_limit,
                        struct purse *owner)
{
    struct purse *p = aligned_alloc(_Alignof(struct purse), sizeof *p);

    /* The row is in the store already; without it in memory no sum would be right. */
    if (p == NULL)
        abort();
    assert(name.n < sizeof p->account.name);
    memset(p, 0, sizeof *p);
    p->account.id = id;
    memcpy(p->account.name, name.p, name.n);
    p->account.currency = cur;
    p->account.kind = kind;
    p->account.owner = owner != NULL ? &owner->account : &p->account;
    p->account.shared = &l->shared;
    p->account.limited = kind == ACCOUNT_CUSTOMER || credit_limit > 0;
    atomic_init(&p->account.credit_limit, credit_limit);
    atomic_init(&p->account.balance, balance);
    atomic_init(&p->account.unallotted, p->account.limited ? balance + credit_limit : 0);
    map_put(l->accounts, id_bytes(&p->account.id), p);
    directory_add_account(l->directory, &p->account);
    return p;
}

static enum store_step insert_system(struct ledger *l, const char *name, struct currency cur)
{
    struct statement *st = l->sql[SQL_INSERT_ACCOUNT];

    store_bind_text(st, 1, str_from(name));
    store_bind_text(st, 2, str_from(cur.code));
    store_bind_text(st, 3, STR("system"));
    store_bind_i64(st, 4, clock_wall_us());
    store_bind_i64(st, 5, 0);
    store_bind_text(st, 6, STR("m"));
    return store_step(st);
}

struct purse *system_account(struct ledger *l, const char *name, struct currency cur, struct err *e)
{
    struct purse *p = purse_by_name(l, name);

    if (p != NULL)
        return p;
    enum store_step step = insert_system(l, name, cur);
    if (step == STEP_DONE)
        return purse_add(l, store_last_id(l->store), str_from(name), ACCOUNT_SYSTEM, cur, 0, 0,
                         NULL);
    /* Another station on the store was quicker: it is there. */
    if (step != STEP_CONSTRAINT || !share_look(l, e) || (p = purse_by_name(l, name)) == NULL)
        store_failed(l->store, e);
    return p;
}

void balance_attach(struct purse *p, bool promo)
{
    struct account *a = p->account.owner;

    if (promo) {
        atomic_store(&ledger_balance_in(a, p->account.currency)->promo, &p->account);
        return;
    }
    while (atomic_load(&a->next) != NULL)
        a = atomic_load(&a->next);
    atomic_store(&a->next, &p->account);
}

static bool prepare_all(struct ledger *l, struct err *e)
{
    for (int i = 0; i < SQL_COUNT; i++) {
        l->sql[i] = store_prepare(l->store, ledger_sql[i], e);
        if (l->sql[i] == NULL)
            return false;
    }
    return true;
}

static void free_entries(struct map *m)
{
    size_t at = 0;
    struct str id;
    void *entry;

    while (m != NULL && map_next(m, &at, &id, &entry))
        free(entry);
    map_free(m);
}

static void destroy(struct ledger *l)
{
    store_close(l->store);
    directory_free(l->directory);
    free_entries(l->accounts);
    free_entries(l->keys);
    factors_free(l);
    rates_free(l);
    pthread_cond_destroy(&l->wake);
    pthread_mutex_destroy(&l->mutex);
    free(l);
}

static bool open_store(struct ledger *l, const char *path, bool beside, struct err *e)
{
    l->store = beside ? store_open_beside(path, e) : store_open(path, e);
    l->own_view = (struct ledger_view){.store = l->store, .directory = l->directory};
    return l->store != NULL && store_migrate(l->store, ledger_schema, ledger_schema_count, e) &&
           prepare_all(l, e) && ledger_start(l, beside, e);
}

bool ledger_run(struct ledger *l, struct err *e)
{
    return thread_start(l, e) && readers_start(l, e);
}

static struct ledger *open_one(const char *path, bool run, bool beside, struct err *e)
{
    struct ledger *l = calloc(1, sizeof *l);

    if (l == NULL || sodium_init() < 0) {
        free(l);
        err_set(e, "out of memory");
        return NULL;
    }
    pthread_mutex_init(&l->mutex, NULL);
    condition_init(&l->wake);
    l->directory = directory_new();
    l->accounts = map_new();
    l->keys = map_new();
    l->groups = map_new();
    l->factors = map_new();
    if (!open_store(l, path, beside, e) || (run && !ledger_run(l, e))) {
        readers_stop(l);
        thread_stop(l);
        destroy(l);
        return NULL;
    }
    return l;
}

struct ledger *ledger_open(const char *path, bool run, struct err *e)
{
    return open_one(path, run, false, e);
}

struct ledger *ledger_open_beside(const char *path, struct err *e)
{
    return open_one(path, false, true, e);
}

void ledger_close(struct ledger *l)
{
    struct err e;
    char sql[80];

    if (l == NULL)
        return;
    readers_stop(l);
    thread_stop(l);
    snprintf(sql, sizeof sql, "DELETE FROM allotment WHERE epoch=%lld", (long long)l->epoch);
    if (!store_exec(l->store, sql, &e)) /* the next start does the same */
        log_event(LOG_WARN, "allotments_not_returned", "error=\"%s\"", e.text);
    destroy(l);
}

struct key *ledger_key(struct ledger *l, struct str raw)
{
    uint8_t hash[crypto_hash_sha256_BYTES];

    crypto_hash_sha256(hash, (const unsigned char *)raw.p, raw.n);
    return directory_key(l->directory, hash);
}

bool ledger_has_house(struct ledger *l)
{
    size_t at = 0;
    struct str id;
    void *entry;

    while (map_next(l->accounts, &at, &id, &entry))
        if (((const struct purse *)entry)->account.kind == ACCOUNT_HOUSE)
            return true;
    return false;
}
