/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two open-addressed tables of atomic pointers. The writer fills a slot by one store, and grows by
 * publishing a bigger copy; the tables it leaves behind live on, since a reader may still walk
 * them.
 */
#include "identity/identity.h"

#include <stdlib.h>

#define FIRST_SLOTS 64

struct table {
    struct table *older;
    size_t mask;
    size_t count;
    _Atomic(void *) slots[];
};

struct directory {
    _Atomic(struct table *) keys;
    _Atomic(struct table *) accounts;
};

/* A directory that cannot grow would forget a key that is in the store: better to stop. */
static void *must(void *p)
{
    if (p == NULL)
        abort();
    return p;
}

static struct table *table_new(size_t slots, struct table *older)
{
    struct table *t = must(calloc(1, sizeof *t + slots * sizeof t->slots[0]));

    t->mask = slots - 1;
    t->older = older;
    return t;
}

static void table_free(struct table *t)
{
    while (t != NULL) {
        struct table *older = t->older;
        free(t);
        t = older;
    }
}

static size_t hash_of_key(const uint8_t hash[32])
{
    size_t h;

    memcpy(&h, hash, sizeof h);
    return h;
}

static size_t hash_of_name(struct str name)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < name.n; i++)
        h = (h ^ (uint8_t)name.p[i]) * UINT64_C(1099511628211);
    return (size_t)(h ^ h >> 32);
}

static size_t hash_of_key_entry(const void *entry)
{
    return hash_of_key(((const struct key *)entry)->hash);
}

static size_t hash_of_account_entry(const void *entry)
{
    return hash_of_name(str_from(((const struct account *)entry)->name));
}

static void table_put(struct table *t, size_t hash, void *entry)
{
    size_t at = hash & t->mask;

    while (atomic_load_explicit(&t->slots[at], memory_order_relaxed) != NULL)
        at = (at + 1) & t->mask;
    atomic_store_explicit(&t->slots[at], entry, memory_order_release);
    t->count++;
}

static void add(_Atomic(struct table *) *where, void *entry, size_t (*hash)(const void *))
{
    struct table *t = atomic_load(where);

    if ((t->count + 1) * 2 > t->mask) {
        struct table *bigger = table_new((t->mask + 1) * 2, t);
        for (size_t i = 0; i <= t->mask; i++) {
            void *old = atomic_load(&t->slots[i]);
            if (old != NULL)
                table_put(bigger, hash(old), old);
        }
        atomic_store_explicit(where, bigger, memory_order_release);
        t = bigger;
    }
    table_put(t, hash(entry), entry);
}

struct directory *directory_new(void)
{
    struct directory *d = must(calloc(1, sizeof *d));

    atomic_init(&d->keys, table_new(FIRST_SLOTS, NULL));
    atomic_init(&d->accounts, table_new(FIRST_SLOTS, NULL));
    return d;
}

void directory_free(struct directory *d)
{
    if (d == NULL)
        return;
    table_free(atomic_load(&d->keys));
    table_free(atomic_load(&d->accounts));
    free(d);
}

void directory_add_key(struct directory *d, struct key *k)
{
    add(&d->keys, k, hash_of_key_entry);
}

void directory_add_account(struct directory *d, struct account *a)
{
    add(&d->accounts, a, hash_of_account_entry);
}

struct key *directory_key(const struct directory *d, const uint8_t hash[32])
{
    const struct table *t = atomic_load_explicit(&d->keys, memory_order_acquire);

    for (size_t at = hash_of_key(hash) & t->mask;; at = (at + 1) & t->mask) {
        struct key *k = atomic_load_explicit(&t->slots[at], memory_order_acquire);
        if (k == NULL || memcmp(k->hash, hash, sizeof k->hash) == 0)
            return k;
    }
}

struct account *directory_account(const struct directory *d, struct str name)
{
    const struct table *t = atomic_load_explicit(&d->accounts, memory_order_acquire);

    for (size_t at = hash_of_name(name) & t->mask;; at = (at + 1) & t->mask) {
        struct account *a = atomic_load_explicit(&t->slots[at], memory_order_acquire);
        if (a == NULL || str_eq(str_from(a->name), name))
            return a;
    }
}
