/* SPDX-License-Identifier: Apache-2.0 */
/* The choice of a channel: pure, but for the health it reads. */
#include <limits.h>

#include "upstream/upstream.h"

struct candidate {
    unsigned route, key;
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

/* The key of this route that is awake, preferring a random start so that keys share the load. */
static bool awake_key(const struct route *r, int64_t now_ms, uint64_t random, struct candidate *c,
                      int64_t *rest_ms)
{
    unsigned keys = r->upstream->key_count > 0 ? r->upstream->key_count : 1;

    for (unsigned i = 0; i < keys; i++) {
        unsigned key = (unsigned)((random >> 32) + i) % keys;
        struct health *h = health_get(r->upstream->name, key, r->model);
        uint32_t rpm = r->upstream->key_count > 0 ? r->upstream->keys[key].rpm : 0;
        int64_t busy = busy_ms(h, rpm, now_ms);

        if (busy == 0) {
            c->key = key;
            c->health = h;
            return true;
        }
        if (*rest_ms == 0 || busy < *rest_ms) {
            *rest_ms = busy;
        }
    }
    return false;
}

bool channel_choose(const struct model *m, const uint32_t *dialects, unsigned dialect,
                    uint32_t tried, int64_t now_ms, uint64_t random, struct channel *out,
                    int64_t *rest_ms)
{
    struct candidate found[LIMIT_ROUTES];
    unsigned count = 0;
    uint64_t weights = 0;
    int best = INT_MAX;

    *rest_ms = 0;
    for (unsigned i = 0; i < m->route_count; i++) {
        const struct route *r = &m->routes[i];
        struct candidate c = {.route = i};

        if ((tried & (1U << i)) != 0 || (dialects[i] & (1U << dialect)) == 0 ||
            r->priority > best || !awake_key(r, now_ms, random, &c, rest_ms)) {
            continue;
        }
        if (r->priority < best) {
            best = r->priority;
            count = 0;
            weights = 0;
        }
        found[count++] = c;
        weights += r->weight;
    }
    if (count == 0) {
        return false;
    }
    uint64_t at = weights > 0 ? (random & 0xffffffffU) % weights : 0;
    unsigned pick = 0;
    while (pick + 1 < count && at >= m->routes[found[pick].route].weight) {
        at -= m->routes[found[pick].route].weight;
        pick++;
    }
    const struct route *r = &m->routes[found[pick].route];
    *out = (struct channel){r->upstream, found[pick].key, r->model, found[pick].health,
                            found[pick].route};
    return true;
}
