/* SPDX-License-Identifier: Apache-2.0 */
/* The snapshot: its defaults, its references, the look-up of a model. */
#include <assert.h>
#include <stdlib.h>

#include "config/options.h"

struct config *config_new(void)
{
    struct config *c = calloc(1, sizeof(*c));
    if (c == NULL) {
        abort();
    }
    atomic_init(&c->refs, 1);
    arena_init(&c->memory, LIMIT_CONFIG_MEMORY);
    c->by_name = map_new();
    c->listen = STR("127.0.0.1:8080");
    c->store_path = STR("data/station.db");
    c->data_dir = STR("data");
    c->head_ms = LIMIT_HEAD_MS;
    c->body_ms = LIMIT_BODY_MS;
    c->idle_ms = LIMIT_IDLE_MS;
    c->total_ms = LIMIT_TOTAL_MS;
    return c;
}

struct config *config_ref(struct config *c)
{
    int before = atomic_fetch_add(&c->refs, 1);
    assert(before > 0);
    return c;
}

void config_unref(struct config *c)
{
    if (c == NULL) {
        return;
    }
    int before = atomic_fetch_sub(&c->refs, 1);
    assert(before > 0);
    if (before == 1) {
        map_free(c->by_name);
        arena_release(&c->memory);
        free(c->healths);
        free(c);
    }
}

const struct model *config_model(const struct config *c, struct str name)
{
    return map_get(c->by_name, name);
}

const struct dated_price *prices_at(const struct prices *p, int64_t wall_us)
{
    const struct dated_price *now = p == NULL ? NULL : &p->rows[0];

    for (unsigned i = 1; p != NULL && i < p->count; i++) {
        now = p->rows[i].from_us <= wall_us ? &p->rows[i] : now;
    }
    return now;
}
