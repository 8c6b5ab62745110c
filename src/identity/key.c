/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/identity.h"

#include <assert.h>

#define US_PER_SECOND INT64_C(1000000)
#define COUNT_BITS 24

/* Minute and count change in one swap, so that no request is lost or counted twice at the turn. */
static bool count_request(struct key *k, int64_t minute)
{
    int_fast64_t old = atomic_load(&k->minute_count);
    int_fast64_t next;

    do {
        int_fast64_t count = old >> COUNT_BITS == minute ? old & ((1 << COUNT_BITS) - 1) : 0;
        if (count >= (int_fast64_t)k->rpm || count >= (1 << COUNT_BITS) - 1)
            return false;
        next = (int_fast64_t)((uint64_t)minute << COUNT_BITS) | (count + 1);
    } while (!atomic_compare_exchange_weak(&k->minute_count, &old, next));
    return true;
}

static bool take_place(struct key *k)
{
    int_fast64_t running = atomic_load(&k->running);

    do {
        if (k->concurrency != 0 && running >= (int_fast64_t)k->concurrency)
            return false;
    } while (!atomic_compare_exchange_weak(&k->running, &running, running + 1));
    return true;
}

bool key_valid(const struct key *k, int64_t wall_us)
{
    return !atomic_load(&k->revoked) && (k->expires_us == 0 || wall_us < k->expires_us);
}

enum key_verdict key_enter(struct key *k, int64_t wall_us, unsigned *retry_after_s)
{
    int64_t second = wall_us / US_PER_SECOND;

    *retry_after_s = 0;
    if (atomic_load(&k->revoked))
        return KEY_REVOKED;
    if (k->expires_us != 0 && wall_us >= k->expires_us)
        return KEY_EXPIRED;
    if (!take_place(k)) {
        *retry_after_s = 1;
        return KEY_CONCURRENCY;
    }
    if (k->rpm != 0 && !count_request(k, second / 60)) {
        key_leave(k);
        *retry_after_s = (unsigned)(60 - second % 60);
        return KEY_RPM;
    }
    return KEY_OK;
}

void key_leave(struct key *k)
{
    int_fast64_t before = atomic_fetch_sub(&k->running, 1);

    assert(before > 0);
}

void key_budget_release(struct key *k, int64_t nano)
{
    budget_release(&k->budget, nano);
    budget_release(&k->account->budget, nano);
}

void key_budget_charge(struct key *k, int64_t held, int64_t charged, int64_t wall_us)
{
    budget_charge(&k->budget, held, charged, wall_us);
    budget_charge(&k->account->budget, held, charged, wall_us);
}
