/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The budgets of upstreams. A counter and the begin of its window change together, under a lock of
 * a few instructions; upstreams without a budget never come here.
 */
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "upstream/upstream.h"

#define DAY_US INT64_C(86400000000)
#define MONDAY 3 /* days from a Monday to the day that days are counted from */
#define PARTS 10000

struct spend {
    pthread_mutex_t lock;
    bool loaded;
    int64_t from_us, used;
    unsigned warned; /* percent; in this window */
};

static pthread_mutex_t names_lock = PTHREAD_MUTEX_INITIALIZER;
static struct map *names;

/* A budget of something else, or of another period, counts something else. */
static struct spend *spend_of(const struct upstream *u)
{
    struct buf name;

    buf_init(&name, 512);
    buf_addf(&name, "%u %d %s %.*s", u->budget.unit, u->budget.period,
             u->budget.unit == BUDGET_AMOUNT ? u->budget.currency.code : "", STR_ARG(u->name));
    names = names == NULL ? map_new() : names;
    struct spend *s = map_get(names, buf_str(&name));
    if (s == NULL) {
        s = calloc(1, sizeof(*s));
        assert(s != NULL);
        pthread_mutex_init(&s->lock, NULL);
        map_put(names, buf_str(&name), s);
    }
    buf_release(&name);
    return s;
}

void spends_prepare(struct config *c)
{
    pthread_mutex_lock(&names_lock);
    for (unsigned i = 0; i < c->upstream_count; i++) {
        struct upstream *u = &c->upstreams[i];
        if (u->budget.unit != BUDGET_NONE && u->spend == NULL) {
            u->spend = spend_of(u);
        }
    }
    pthread_mutex_unlock(&names_lock);
}

static void window_at(const struct upstream_budget *b, int64_t wall_us, struct spend_window *w)
{
    int64_t day = clock_day(wall_us);
    int64_t monday = day - (day + MONDAY) % 7;

    switch (b->period) {
    case 'd': *w = (struct spend_window){day * DAY_US, (day + 1) * DAY_US}; break;
    case 'w': *w = (struct spend_window){monday * DAY_US, (monday + 7) * DAY_US}; break;
    case 'm':
        *w = (struct spend_window){clock_month_start_us(wall_us), clock_next_month_us(wall_us)};
        break;
    default: *w = (struct spend_window){0, INT64_MAX}; break;
    }
    if (b->expires_us > 0 && b->expires_us < w->until_us) {
        w->until_us = b->expires_us;
    }
}

bool spend_window(const struct upstream_budget *b, int64_t wall_us, struct spend_window *out)
{
    if (b->unit == BUDGET_NONE || (b->expires_us > 0 && wall_us >= b->expires_us)) {
        return false;
    }
    window_at(b, wall_us, out);
    return true;
}

/* Under the lock: the window that is open, which is never an earlier one. */
static void move_on(struct spend *s, const struct upstream_budget *b, struct spend_window *w)
{
    if (w->from_us > s->from_us) {
        s->from_us = w->from_us;
        s->used = 0;
        s->warned = 0;
    } else if (w->from_us < s->from_us && b->period == 0) {
        w->from_us = s->from_us; /* as the store has it */
    } else if (w->from_us < s->from_us) {
        window_at(b, s->from_us, w);
    }
}

static unsigned level_of(const struct upstream_budget *b, int64_t used)
{
    static const unsigned levels[] = {95, 80};

    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        int64_t percent;
        if (!money_part(&percent, used, 100, b->units) || percent >= levels[i]) {
            return levels[i];
        }
    }
    return 0;
}

/* Under the lock; the level that was not warned of in this window yet, or 0. */
static unsigned count(struct spend *s, const struct upstream_budget *b, int64_t units)
{
    s->used = s->used + units > 0 ? s->used + units : 0;
    unsigned level = level_of(b, s->used);
    if (level <= s->warned) {
        return 0;
    }
    s->warned = level;
    return level;
}

static void warn(const struct upstream *u, unsigned level)
{
    if (level > 0) {
        log_event(LOG_WARN, "upstream_budget", "upstream=%.*s used_percent=%u", STR_ARG(u->name),
                  level);
    }
}

int64_t spend_wait_ms(const struct upstream *u, int64_t wall_us)
{
    struct spend_window w;

    if (u->spend == NULL) {
        return 0;
    }
    if (!spend_window(&u->budget, wall_us, &w)) {
        return SPEND_NEVER;
    }
    pthread_mutex_lock(&u->spend->lock);
    move_on(u->spend, &u->budget, &w);
    bool left = u->spend->used < u->budget.units;
    pthread_mutex_unlock(&u->spend->lock);
    if (left) {
        return 0;
    }
    bool again = w.until_us != INT64_MAX && w.until_us != u->budget.expires_us;
    return again ? (w.until_us - wall_us) / 1000 + 1 : SPEND_NEVER;
}

bool spend_take(const struct upstream *u, int64_t wall_us, struct spend_window *out)
{
    unsigned level = 0;
    bool counts = u->budget.unit == BUDGET_REQUESTS;

    if (!spend_window(&u->budget, wall_us, out)) {
        return false;
    }
    pthread_mutex_lock(&u->spend->lock);
    move_on(u->spend, &u->budget, out);
    bool left = !counts || u->spend->used < u->budget.units;
    if (counts && left) {
        level = count(u->spend, &u->budget, 1);
    }
    pthread_mutex_unlock(&u->spend->lock);
    warn(u, level);
    return left;
}

void spend_add(const struct upstream *u, int64_t from_us, int64_t units)
{
    unsigned level = 0;

    pthread_mutex_lock(&u->spend->lock);
    if (u->spend->from_us == from_us) {
        level = count(u->spend, &u->budget, units);
    }
    pthread_mutex_unlock(&u->spend->lock);
    warn(u, level);
}

void spend_load(const struct upstream *u, int64_t from_us, int64_t units)
{
    struct spend *s = u->spend;

    pthread_mutex_lock(&s->lock);
    if (!s->loaded || from_us > s->from_us) {
        s->loaded = true;
        s->from_us = from_us;
        s->used = units;
        s->warned = level_of(&u->budget, units); /* who counted them has said so */
    }
    pthread_mutex_unlock(&s->lock);
}

unsigned spend_used(const struct upstream *u, int64_t wall_us, unsigned *warned)
{
    struct spend_window w;

    *warned = 0;
    if (!spend_window(&u->budget, wall_us, &w)) {
        return 0;
    }
    pthread_mutex_lock(&u->spend->lock);
    move_on(u->spend, &u->budget, &w);
    int64_t used = u->spend->used;
    *warned = u->spend->warned;
    pthread_mutex_unlock(&u->spend->lock);
    int64_t parts;
    bool fits = money_part(&parts, used, PARTS, u->budget.units) && parts < INT32_MAX;
    return fits ? (unsigned)parts : INT32_MAX;
}
