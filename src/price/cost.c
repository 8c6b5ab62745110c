/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Usage times price, rounded once and down. Products are kept whole in 64-bit limbs; then each
 * denominator divides in turn, which rounds as one division by all of them would.
 */
#include <assert.h>

#include "price/price.h"

__extension__ typedef unsigned __int128 wide;

/* A sum is below LEAF_COUNT x 10^9 x 2^63 < 2^98, and each of the ratios (service, margin and
 * PRICE_RATIOS more) multiplies it by at most 10^12 < 2^40: 338 bits. */
#define LIMBS 6
_Static_assert(LEAF_COUNT <= 32 && 98 + 40 * (2 + PRICE_RATIOS) < 64 * LIMBS, "products fit");

struct big {
    uint64_t limb[LIMBS]; /* the smallest first */
    int n;                /* those above are zero: mostly two are enough */
};

static struct big big_from(wide v)
{
    return (struct big){{(uint64_t)v, (uint64_t)(v >> 64)}, v >> 64 != 0 ? 2 : 1};
}

static void big_carry(struct big *a, wide carry)
{
    if (carry != 0) {
        assert(a->n < LIMBS);
        a->limb[a->n++] = (uint64_t)carry;
    }
}

static void big_add(struct big *a, const struct big *b)
{
    wide carry = 0;

    a->n = a->n > b->n ? a->n : b->n;
    for (int i = 0; i < a->n; i++) {
        carry += (wide)a->limb[i] + b->limb[i];
        a->limb[i] = (uint64_t)carry;
        carry >>= 64;
    }
    big_carry(a, carry);
}

static void big_multiply(struct big *a, int64_t by)
{
    wide carry = 0;

    for (int i = 0; i < a->n; i++) {
        carry += (wide)a->limb[i] * (uint64_t)by;
        a->limb[i] = (uint64_t)carry;
        carry >>= 64;
    }
    big_carry(a, carry);
}

/* True where something was left over. */
static bool big_divide(struct big *a, int64_t by)
{
    uint64_t rest = 0;

    for (int i = a->n; i-- > 0;) {
        wide part = (wide)rest << 64 | a->limb[i];
        a->limb[i] = (uint64_t)(part / (uint64_t)by);
        rest = (uint64_t)(part % (uint64_t)by);
    }
    while (a->n > 1 && a->limb[a->n - 1] == 0) {
        a->n--;
    }
    return rest > 0;
}

static bool in_range(const struct ratio *r)
{
    return r->num >= 1 && r->num <= RATIO_MAX && r->den >= 1 && r->den <= RATIO_MAX;
}

static struct ratio service_factor(const struct price *p, unsigned tier)
{
    bool stated = tier < TIER_COUNT && p->service[tier].den != 0;
    return stated ? p->service[tier] : (struct ratio){1, 1};
}

/* The tier of this much input, or NULL. */
static const struct price_tier *tier_of(const struct price *p, uint64_t input)
{
    const struct price_tier *found = NULL;

    for (unsigned i = 0; i < p->tier_count && i < PRICE_TIERS; i++) {
        if (p->tiers[i].min_input >= 0 && (uint64_t)p->tiers[i].min_input <= input) {
            found = &p->tiers[i];
        }
    }
    return found;
}

/* Sums of pico, of tokens and of all else. */
struct sums {
    wide tokens, other;
};

static bool add_up(const struct price_tier *t, const struct usage *u, struct sums *s)
{
    for (enum leaf_number i = 0; i < LEAF_COUNT; i++) {
        uint64_t count = leaf_get(u, &leaves[i]);
        if (count > USAGE_MAX || t->rate[i] < 0) {
            return false;
        }
        wide product = (wide)count * (wide)t->rate[i];
        *(leaves[i].side == SIDE_COUNTER ? &s->other : &s->tokens) += product;
    }
    return true;
}

/* Pico to nano by all ratios; false beyond int64. */
static bool scale(struct big *b, const struct ratio *const *ratios, size_t n, bool up,
                  int64_t *nano)
{
    bool rest = false;

    for (size_t i = 0; i < n; i++) {
        big_multiply(b, ratios[i]->num);
    }
    for (size_t i = 0; i < n; i++) {
        rest = big_divide(b, ratios[i]->den) || rest;
    }
    rest = big_divide(b, 1000) || rest;
    if (up && rest) {
        big_add(b, &(struct big){{1}, 1});
    }
    *nano = (int64_t)b->limb[0];
    return b->n == 1 && b->limb[0] <= INT64_MAX;
}

static bool cost_by(const struct price *p, const struct price_tier *t, const struct usage *u,
                    struct ratio service, const struct ratio *ratios, size_t n, bool up,
                    int64_t *nano)
{
    const struct ratio whole = {1, service.den};
    const struct ratio *all[2 + PRICE_RATIOS] = {&whole, &p->margin};
    struct sums sums = {0, (wide)(p->request < 0 ? 0 : p->request)};

    if (n > PRICE_RATIOS || p->request < 0 || !in_range(&service) || !in_range(&p->margin)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!in_range(&ratios[i])) {
            return false;
        }
        all[2 + i] = &ratios[i];
    }
    if (t == NULL || !add_up(t, u, &sums)) {
        return false;
    }
    struct big b = big_from(sums.tokens), other = big_from(sums.other);
    big_multiply(&b, service.num);
    big_multiply(&other, service.den);
    big_add(&b, &other);
    return scale(&b, all, 2 + n, up, nano);
}

static bool cost(const struct price *p, const struct usage *u, const struct ratio *ratios, size_t n,
                 bool up, int64_t *nano)
{
    /* A leaf out of range is found when it is added up, whichever tier that is by. */
    const struct price_tier *t = tier_of(p, usage_input(u));
    return cost_by(p, t, u, service_factor(p, u->tier), ratios, n, up, nano);
}

bool price_cost(const struct price *p, const struct usage *u, const struct ratio *ratios, size_t n,
                int64_t *nano)
{
    return cost(p, u, ratios, n, false, nano);
}

bool price_cost_up(const struct price *p, const struct usage *u, int64_t *nano)
{
    return cost(p, u, NULL, 0, true, nano);
}

static bool dearer(struct ratio a, struct ratio b)
{
    return (wide)a.num * (wide)b.den > (wide)b.num * (wide)a.den;
}

/* Bytes of sound and video are many more than the tokens that are made of them, so that an estimate
 * by bytes at the rate of text covers them. */
static bool is_timed(enum leaf_number i)
{
    return i == LEAF_in_audio || i == LEAF_in_video || i == LEAF_cache_read_audio ||
           i == LEAF_cache_read_video;
}

/* All of a side as its dearest leaf: nobody knows yet what the vendor will count it as. */
static struct usage dearest_usage(const struct price_tier *t, const struct price_most *most)
{
    enum leaf_number in = LEAF_in, out = LEAF_out;
    struct usage u = {0};

    for (enum leaf_number i = 0; i < LEAF_COUNT; i++) {
        if (leaves[i].side == SIDE_INPUT && t->rate[i] > t->rate[in] &&
            (most->any_medium || !is_timed(i))) {
            in = i;
        } else if (leaves[i].side == SIDE_OUTPUT && t->rate[i] > t->rate[out]) {
            out = i;
        }
    }
    leaf_set(&u, &leaves[in], most->in);
    leaf_set(&u, &leaves[out], most->out);
    return u;
}

static bool dearest_service(const struct price *p, struct ratio *out)
{
    *out = (struct ratio){1, 1};
    for (unsigned i = 0; i < TIER_COUNT; i++) {
        struct ratio factor = service_factor(p, i);
        if (!in_range(&factor)) {
            return false;
        }
        *out = dearer(factor, *out) ? factor : *out;
    }
    return true;
}

bool price_hold(const struct price *p, const struct price_most *most, const struct ratio *ratios,
                size_t n, int64_t *nano)
{
    struct ratio service = {1, 1};

    if (most->any_service && !dearest_service(p, &service)) {
        return false;
    }
    *nano = 0;
    for (unsigned i = 0; i < p->tier_count && i < PRICE_TIERS; i++) {
        const struct price_tier *t = &p->tiers[i];
        int64_t by_tier;
        if (t->min_input > 0 && (uint64_t)t->min_input > most->reach) {
            break;
        }
        struct usage u = dearest_usage(t, most);
        if (!cost_by(p, t, &u, service, ratios, n, false, &by_tier)) {
            return false;
        }
        *nano = by_tier > *nano ? by_tier : *nano;
    }
    return p->tier_count > 0;
}
