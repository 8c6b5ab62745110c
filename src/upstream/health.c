/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What outlives a configuration, by name: the health of channels and the numbers of hosts. A short
 * lock guards the maps; the entries themselves are atomics or never change.
 */
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "upstream/upstream.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct map *healths, *hosts;

struct host {
    unsigned number;
};

/* The entry of this name, made on first use and kept for ever. */
static void *entry(struct map **map, struct str name, size_t size, bool *made)
{
    if (*map == NULL) {
        *map = map_new();
    }
    void *found = map_get(*map, name);
    *made = found == NULL;
    if (*made) {
        found = calloc(1, size);
        assert(found != NULL);
        map_put(*map, name, found);
    }
    return found;
}

static struct health *health_of(const struct route *r, unsigned key)
{
    struct buf name;
    bool made;

    buf_init(&name, 1024);
    buf_addf(&name, "%.*s %u %.*s", STR_ARG(r->upstream->name), key, STR_ARG(r->model));
    struct health *h = entry(&healths, buf_str(&name), sizeof(*h), &made);
    buf_release(&name);
    return h;
}

static unsigned host_number(const struct upstream *u)
{
    static unsigned count;
    struct buf name;
    bool made;

    buf_init(&name, 2048);
    buf_addf(&name, "%.*s:%u %d %.*s", STR_ARG(u->host), u->port, u->tls, STR_ARG(u->ca));
    struct host *h = entry(&hosts, buf_str(&name), sizeof(*h), &made);
    if (made) {
        h->number = count++;
    }
    buf_release(&name);
    return h->number;
}

static unsigned channel_count_of(const struct route *r)
{
    return r->upstream->key_count > 0 ? r->upstream->key_count : 1;
}

static size_t all_channels(const struct config *c)
{
    size_t count = 0;

    for (unsigned i = 0; i < c->model_count; i++) {
        for (unsigned k = 0; k < c->models[i].route_count; k++) {
            count += channel_count_of(&c->models[i].routes[k]);
        }
    }
    return count;
}

static struct health **fill_route(struct route *r, struct health **at)
{
    r->health = at;
    for (unsigned key = 0; key < channel_count_of(r); key++) {
        *at++ = health_of(r, key);
    }
    return at;
}

void channels_prepare(struct config *c)
{
    c->healths = calloc(all_channels(c) + 1, sizeof(struct health *));
    assert(c->healths != NULL);
    struct health **at = c->healths;

    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < c->upstream_count; i++) {
        c->upstreams[i].host_number = host_number(&c->upstreams[i]);
    }
    for (unsigned i = 0; i < c->model_count; i++) {
        for (unsigned k = 0; k < c->models[i].route_count; k++) {
            at = fill_route(&c->models[i].routes[k], at);
        }
    }
    pthread_mutex_unlock(&lock);
}
