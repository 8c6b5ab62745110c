/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/identity.h"

#include <assert.h>

#define US_PER_SECOND INT64_C(1000000)
#define COUNT_BITS 24

/* The minute in which to count. Who has looked at the clock just before the turn of one counts in
 * the new one: the count is not set back. One further ahead is of a clock that was set back. */
static int64_t count_minute(int_fast64_t minute_count, int64_t minute)
{
    int64_t stored = minute_count >> COUNT_BITS;

    return stored == minute + 1 ? stored : minute;
}

static int64_t counted(int_fast64_t minute_count, int64_t minute)
{
    bool same = minute_count >> COUNT_BITS == count_minute(minute_count, minute);

    return same ? minute_count & ((1 << COUNT_BITS) - 1) : 0;
}

/* Minute and count change in one swap, so that none is lost or counted twice at the turn. */
static bool count_in_minute(atomic_int_fast64_t *at, int64_t minute, int64_t most)
{
    int_fast64_t old = atomic_load(at);
    int_fast64_t next;

    do {
        int64_t count = counted(old, minute);
        if (count >= most || count >= (1 << COUNT_BITS) - 1)
            return false;
        next = (int_fast64_t)((uint64_t)count_minute(old, minute) << COUNT_BITS) | (count + 1);
    } while (!atomic_compare_exchange_weak(at, &old, next));
    return true;
}

static struct key *counts_of(struct key *k)
{
    return k->root != NULL ? k->root : k;
}

static bool take_place(struct key *k)
{
    struct key *counts = counts_of(k);
    int_fast64_t running = atomic_load(&counts->running);

    do {
        if (k->concurrency != 0 && running >= (int_fast64_t)k->concurrency)
            return false;
    } while (!atomic_compare_exchange_weak(&counts->running, &running, running + 1));
    return true;
}

bool key_valid(const struct key *k, int64_t wall_us)
{
    int64_t expires = atomic_load(&k->expires_us);

    return !atomic_load(&k->revoked) && (expires == 0 || wall_us < expires);
}

enum key_verdict key_enter(struct key *k, int64_t wall_us, unsigned *retry_after_s)
{
    int64_t second = wall_us / US_PER_SECOND;
    int64_t expires = atomic_load(&k->expires_us);

    *retry_after_s = 0;
    if (atomic_load(&k->revoked))
        return KEY_REVOKED;
    if (expires != 0 && wall_us >= expires)
        return KEY_EXPIRED;
    if (!take_place(k)) {
        *retry_after_s = 1;
        return KEY_CONCURRENCY;
    }
    if (k->rpm != 0 && !count_in_minute(&counts_of(k)->minute_count, second / 60, k->rpm)) {
        key_leave(k);
        *retry_after_s = (unsigned)(60 - second % 60);
        return KEY_RPM;
    }
    return KEY_OK;
}

void key_leave(struct key *k)
{
    int_fast64_t before = atomic_fetch_sub(&counts_of(k)->running, 1);

    assert(before > 0);
}

bool account_read(struct account *a)
{
    /* The operator's own keep no customer waiting whom it does not want to wait. */
    if (atomic_fetch_add(&a->reads, 1) < LIMIT_ACCOUNT_READS || a->kind == ACCOUNT_HOUSE)
        return true;
    account_read_done(a);
    return false;
}

void account_read_done(struct account *a)
{
    int before = atomic_fetch_sub(&a->reads, 1);

    assert(before > 0);
}

unsigned account_codes_wait_s(const struct account *a, int64_t wall_us)
{
    int64_t second = wall_us / US_PER_SECOND;

    if (counted(atomic_load(&a->bad_codes), second / 60) < LIMIT_BAD_CODES)
        return 0;
    return (unsigned)(60 - second % 60);
}

void account_bad_code(struct account *a, int64_t wall_us)
{
    (void)count_in_minute(&a->bad_codes, wall_us / US_PER_SECOND / 60, LIMIT_BAD_CODES);
}

static int64_t less_of(int64_t nano, const struct budget *b, int64_t wall_us)
{
    int64_t left = atomic_load(&b->limit) != 0 ? budget_left(b, wall_us) : nano;

    return left < nano ? left : nano;
}

int64_t key_budget_take(struct key *k, int64_t nano, int64_t wall_us)
{
    struct budget *own = key_budget(k), *whole = &k->account->budget;

    /* Again where another was quicker in between. */
    for (unsigned i = 0; i < LIMIT_BUDGET_TRIES; i++) {
        int64_t part = less_of(less_of(nano, own, wall_us), whole, wall_us);
        if (part <= 0)
            return 0;
        if (!budget_hold(own, part, wall_us))
            continue;
        if (budget_hold(whole, part, wall_us))
            return part;
        budget_release(own, part);
    }
    return 0;
}

void key_budget_release(struct key *k, int64_t nano)
{
    budget_release(key_budget(k), nano);
    budget_release(&k->account->budget, nano);
}

void key_budget_charge(struct key *k, int64_t held, int64_t charged, int64_t wall_us)
{
    budget_charge(key_budget(k), held, charged, wall_us);
    budget_charge(&k->account->budget, held, charged, wall_us);
}
