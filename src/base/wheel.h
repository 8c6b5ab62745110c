/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timer wheel with 16 ms slots. One owner thread; no system calls: the caller passes the time.
 * A timer is embedded in its owner and zeroed before first use; setting it again moves it;
 * it fires once, never early, at most one slot late. A fired timer is no longer set.
 */
#ifndef BASE_WHEEL_H
#define BASE_WHEEL_H

#include <stdint.h>

#include "base/list.h"

struct timer {
    struct list link; /* next == NULL or lone: not set */
    int64_t at_ms;
    void (*fire)(struct timer *t);
};

#define WHEEL_SLOTS 1024

struct wheel {
    struct list slots[WHEEL_SLOTS];
    int64_t tick; /* every slot up to this one has been fired */
    size_t count;
};

void wheel_init(struct wheel *w, int64_t now_ms);
/* at_ms: an absolute time on the same clock. */
void wheel_set(struct wheel *w, struct timer *t, int64_t at_ms);
void wheel_cancel(struct wheel *w, struct timer *t);
/* Fires what is due. */
void wheel_run(struct wheel *w, int64_t now_ms);
/* Milliseconds until the next slot that holds a timer, at most max_ms. */
int wheel_wait_ms(const struct wheel *w, int64_t now_ms, int max_ms);

#endif
