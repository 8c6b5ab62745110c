/* SPDX-License-Identifier: Apache-2.0 */
/* What may be spent in a day or a month: the window moves on with the first charge in it, and never
 * back. After a clock was set back over the begin of a window, what is spent counts in that one. */
#include "identity/identity.h"

#include <assert.h>

#include "base/clock.h"

#define US_PER_DAY INT64_C(86400000000)

int64_t budget_window_us(char period, int64_t wall_us)
{
    return period == 'm' ? clock_month_start_us(wall_us) : clock_day(wall_us) * US_PER_DAY;
}

int64_t budget_reset_us(const struct budget *b, int64_t wall_us)
{
    int64_t window = atomic_load(&b->spent_window);
    int64_t at = window > wall_us ? window : wall_us;

    return atomic_load(&b->period) == 'm' ? clock_next_month_us(at)
                                          : (clock_day(at) + 1) * US_PER_DAY;
}

/* A window that the ledger has not charged in yet is unspent. */
static int64_t spent_now(const struct budget *b, int64_t wall_us)
{
    int64_t window = budget_window_us(atomic_load(&b->period), wall_us);

    return window <= atomic_load(&b->spent_window) ? atomic_load(&b->spent) : 0;
}

static bool allows(const struct budget *b, int64_t held, int64_t nano, int64_t wall_us)
{
    int64_t total;

    return money_add(&total, spent_now(b, wall_us), held) && money_add(&total, total, nano) &&
           money_add(&total, total, atomic_load(&b->elsewhere)) && total <= atomic_load(&b->limit);
}

int64_t budget_left(const struct budget *b, int64_t wall_us)
{
    int64_t left;

    return money_sub(&left, atomic_load(&b->limit), spent_now(b, wall_us)) &&
                   money_sub(&left, left, atomic_load(&b->held)) &&
                   money_sub(&left, left, atomic_load(&b->elsewhere)) && left > 0
               ? left
               : 0;
}

bool budget_hold(struct budget *b, int64_t nano, int64_t wall_us)
{
    int_fast64_t held = atomic_load(&b->held);
    int64_t next;

    assert(nano >= 0);
    do {
        if (!money_add(&next, held, nano) ||
            (atomic_load(&b->limit) != 0 && !allows(b, held, nano, wall_us)))
            return false;
    } while (!atomic_compare_exchange_weak(&b->held, &held, next));
    return true;
}

void budget_release(struct budget *b, int64_t nano)
{
    int_fast64_t before = atomic_fetch_sub(&b->held, nano);

    assert(before >= nano);
}

/* Else a charge of an older window only comes late. */
static bool was_set_back(const struct budget *b, int64_t current)
{
    return budget_window_us(atomic_load(&b->period), clock_wall_us()) < current;
}

void budget_charge(struct budget *b, int64_t held, int64_t charged, int64_t wall_us)
{
    int64_t window = budget_window_us(atomic_load(&b->period), wall_us);
    int64_t current = atomic_load(&b->spent_window);

    /* Spent grows before the hold goes: in between it looks poorer, never richer. */
    if (window > current) {
        atomic_store(&b->spent, charged > 0 ? charged : 0);
        atomic_store(&b->spent_window, window);
    } else if (window == current || (charged > 0 && was_set_back(b, current))) {
        atomic_fetch_add(&b->spent, charged);
    }
    budget_release(b, held);
}

void budget_set(struct budget *b, int64_t limit, char period, int64_t spent, int64_t wall_us)
{
    /* In between it allows nothing: no request slips through by the old window's sum. */
    atomic_store(&b->limit, -1);
    atomic_store(&b->period, period);
    atomic_store(&b->spent, spent);
    atomic_store(&b->spent_window, budget_window_us(period, wall_us));
    atomic_store(&b->limit, limit);
}
