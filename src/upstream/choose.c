/* SPDX-License-Identifier: Apache-2.0 */
/* The choice of a channel: pure, but for the health it reads. */
#include <limits.h>

#include "upstream/upstream.h"

struct candidate {
    const struct route *route;
    unsigned key;
    struct health *health;
};

#define MINUTE_MS 60000

/* Milliseconds until this key may be used again: it rests, or its minute is full. 0: now. */
static int64_t busy_ms(const struct health *h, uint32_t rpm, int64_t now_ms)
{
    int64_t until = atomic_load_explicit(&h->rest_until_ms, memory_order_relaxed);
    uint64_t count = atomic_load_explicit(&h->minute_count, memory_order_relaxed);

    if (until > now_ms) {
        return until - now_ms;
    }
    bool full = rpm > 0 && count >> 32 == (uint64_t)(now_ms / MINUTE_MS) && (uint32_t)count >= rpm;
    return full ? MINUTE_MS - now_ms % MINUTE_MS : 0;
}

void channel_count(const struct channel *c, int64_t now_ms)
{
    uint64_t minute = (uint64_t)(now_ms / MINUTE_MS);
    uint_fast64_t before = atomic_load(&c->health->minute_count);
    uint_fast64_t after;

    do {
        after = (before >> 32 == minute ? before : minute << 32) + 1;
    } while (!atomic_compare_exchange_weak(&c->health->minute_count, &before, after));
}

static bool was_tried(const struct choice *by, const struct health *h)
{
    for (unsigned i = 0; i < by->tried_count; i++) {
        if (by->tried[i] == h) {
            return true;
        }
    }
    return false;
}

/* The key of this route that is awake, from a random start so that keys share the load. */
static bool awake_key(const struct choice *by, const struct route *r, struct candidate *c,
                      int64_t *rest_ms)
{
    unsigned keys = r->upstream->key_count > 0 ? r->upstream->key_count : 1;

    for (unsigned i = 0; i < keys; i++) {
        unsigned key = (unsigned)((by->random >> 32) + i) % keys;
        struct health *h = r->health[key];
        uint32_t rpm = r->upstream->key_count > 0 ? r->upstream->keys[key].rpm : 0;
        int64_t busy = busy_ms(h, rpm, by->now_ms);

        if (was_tried(by, h)) {
            continue;
        }
        if (busy == 0) {
            *c = (struct candidate){r, key, h};
            return true;
        }
        if (*rest_ms == 0 || busy < *rest_ms) {
            *rest_ms = busy;
        }
    }
    return false;
}

static const struct candidate *pick(const struct candidate *found, unsigned count, uint64_t random)
{
    uint64_t weights = 0;

    for (unsigned i = 0; i < count; i++) {
        weights += found[i].route->weight;
    }
    uint64_t at = weights > 0 ? (random & 0xffffffffU) % weights : 0;
    while (count > 1 && at >= found->route->weight) {
        at -= found->route->weight;
        found++;
        count--;
    }
    return found;
}

bool channel_choose(const struct choice *by, struct channel *out, int64_t *rest_ms)
{
    struct candidate found[LIMIT_ROUTES];
    unsigned count = 0;
    int best = INT_MAX;

    *rest_ms = 0;
    for (unsigned i = 0; i < by->model->route_count; i++) {
        const struct route *r = &by->model->routes[i];
        struct candidate c;

        bool own = (by->dialects[i] & by->own) != 0;
        int rank = r->priority * 2 + (own ? 0 : 1);
        if ((!own && (by->dialects[i] & by->others) == 0) || rank > best || by->spent_ms[i] != 0 ||
            !awake_key(by, r, &c, rest_ms)) {
            continue;
        }
        count = rank < best ? 0 : count;
        best = rank;
        found[count++] = c;
    }
    if (count == 0) {
        return false;
    }
    const struct candidate *c = pick(found, count, by->random);
    *out = (struct channel){c->route, c->route->upstream, c->key, c->route->model, c->health};
    return true;
}
