/* SPDX-License-Identifier: Apache-2.0 */
#include "base/wheel.h"

#include <stdbool.h>

#define TICK_MS 16

static int64_t tick_of(int64_t ms)
{
    return (ms + TICK_MS - 1) / TICK_MS;
}

static struct list *slot(struct wheel *w, int64_t tick)
{
    return &w->slots[(uint64_t)tick % WHEEL_SLOTS];
}

static bool is_set(const struct timer *t)
{
    return t->link.next != NULL && !list_empty(&t->link);
}

void wheel_init(struct wheel *w, int64_t now_ms)
{
    for (size_t i = 0; i < WHEEL_SLOTS; i++) {
        list_init(&w->slots[i]);
    }
    w->tick = now_ms / TICK_MS;
    w->count = 0;
}

void wheel_cancel(struct wheel *w, struct timer *t)
{
    if (is_set(t)) {
        list_remove(&t->link);
        w->count--;
    }
}

void wheel_set(struct wheel *w, struct timer *t, int64_t at_ms)
{
    int64_t tick = tick_of(at_ms);

    wheel_cancel(w, t);
    list_init(&t->link);
    t->at_ms = at_ms;
    list_push(slot(w, tick > w->tick ? tick : w->tick + 1), &t->link);
    w->count++;
}

/* Fires the due ones of a slot; a timer set by a callback never fires in the same round. */
static void run_slot(struct wheel *w, struct list *due, int64_t now_ms)
{
    struct list round;

    list_init(&round);
    while (!list_empty(due)) {
        struct list *n = due->next;
        list_remove(n);
        list_push(&round, n);
    }
    while (!list_empty(&round)) {
        struct timer *t = CONTAINER(round.next, struct timer, link);
        list_remove(&t->link);
        if (t->at_ms > now_ms) {
            list_push(due, &t->link); /* a later turn of the wheel */
            continue;
        }
        w->count--;
        t->fire(t);
    }
}

void wheel_run(struct wheel *w, int64_t now_ms)
{
    int64_t now = now_ms / TICK_MS;

    if (now - w->tick > WHEEL_SLOTS) {
        w->tick = now - WHEEL_SLOTS;
    }
    while (w->tick < now) {
        w->tick++;
        run_slot(w, slot(w, w->tick), now_ms);
    }
}

int wheel_wait_ms(const struct wheel *w, int64_t now_ms, int max_ms)
{
    if (w->count == 0) {
        return max_ms;
    }
    /* Counted from the last run, not from now: after a long turn slots before now may be due. */
    for (int64_t tick = w->tick + 1; tick <= w->tick + WHEEL_SLOTS; tick++) {
        int64_t ms = tick * TICK_MS - now_ms;
        if (ms >= max_ms) {
            break;
        }
        if (!list_empty(&w->slots[(uint64_t)tick % WHEEL_SLOTS])) {
            return ms < 0 ? 0 : (int)ms;
        }
    }
    return max_ms;
}
