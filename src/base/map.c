/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

struct entry {
    char *key;
    size_t n;
    void *value; /* NULL: free, or a grave when key is set */
    uint64_t hash;
};

struct map {
    struct entry *entries;
    size_t size, count, used; /* used counts graves too */
    unsigned char secret[crypto_shorthash_KEYBYTES];
};

static uint64_t hash_of(const struct map *m, struct str key)
{
    uint64_t h;
    crypto_shorthash((unsigned char *)&h, (const unsigned char *)key.p, key.n, m->secret);
    return h;
}

struct map *map_new(void)
{
    struct map *m = calloc(1, sizeof(*m));

    assert(m != NULL);
    randombytes_buf(m->secret, sizeof(m->secret));
    return m;
}

void map_free(struct map *m)
{
    if (m == NULL) {
        return;
    }
    for (size_t i = 0; i < m->size; i++) {
        free(m->entries[i].key);
    }
    free(m->entries);
    free(m);
}

static struct entry *find(const struct map *m, struct str key, uint64_t hash)
{
    for (size_t i = hash & (m->size - 1); m->size > 0; i = (i + 1) & (m->size - 1)) {
        struct entry *e = &m->entries[i];
        if (e->key == NULL) {
            return NULL;
        }
        if (e->value != NULL && e->hash == hash && str_eq(str_slice(e->key, e->n), key)) {
            return e;
        }
    }
    return NULL;
}

void *map_get(const struct map *m, struct str key)
{
    struct entry *e = find(m, key, hash_of(m, key));
    return e != NULL ? e->value : NULL;
}

static void place(struct map *m, struct entry new)
{
    size_t i = new.hash &(m->size - 1);

    while (m->entries[i].key != NULL) {
        i = (i + 1) & (m->size - 1);
    }
    m->entries[i] = new;
    m->used++;
}

static void grow(struct map *m)
{
    struct entry *old = m->entries;
    size_t size = m->size;

    m->size = m->count * 4 < 16 ? 16 : size * (m->count * 2 >= size ? 2 : 1);
    m->entries = calloc(m->size, sizeof(*m->entries));
    assert(m->entries != NULL);
    m->used = 0;
    for (size_t i = 0; i < size; i++) {
        if (old[i].value != NULL) {
            place(m, old[i]);
        } else {
            free(old[i].key);
        }
    }
    free(old);
}

void *map_put(struct map *m, struct str key, void *value)
{
    uint64_t hash = hash_of(m, key);
    struct entry *e = find(m, key, hash);

    assert(value != NULL);
    if (e != NULL) {
        void *before = e->value;
        e->value = value;
        return before;
    }
    if ((m->used + 1) * 4 > m->size * 3) {
        grow(m);
    }
    char *copy = malloc(key.n + 1);
    assert(copy != NULL);
    if (key.n > 0) {
        memcpy(copy, key.p, key.n);
    }
    copy[key.n] = '\0';
    place(m, (struct entry){copy, key.n, value, hash});
    m->count++;
    return NULL;
}

void *map_remove(struct map *m, struct str key)
{
    struct entry *e = find(m, key, hash_of(m, key));
    void *before = e != NULL ? e->value : NULL;

    if (e != NULL) {
        e->value = NULL;
        m->count--;
    }
    return before;
}

size_t map_count(const struct map *m)
{
    return m->count;
}

bool map_next(const struct map *m, size_t *at, struct str *key, void **value)
{
    while (*at < m->size) {
        const struct entry *e = &m->entries[(*at)++];
        if (e->value != NULL) {
            *key = str_slice(e->key, e->n);
            *value = e->value;
            return true;
        }
    }
    return false;
}
