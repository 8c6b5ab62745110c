/* SPDX-License-Identifier: Apache-2.0 */
/* Usage times price, in 128 bits, rounded once and down. */
#include <assert.h>

#include "price/price.h"

__extension__ typedef unsigned __int128 wide;

static bool add_product(wide *sum, uint64_t tokens, int64_t pico)
{
    if (tokens > USAGE_MAX || pico < 0) {
        return false;
    }
    /* At most a product of less than 10^9 x 2^63 for each leaf: far from 2^128. */
    *sum += (wide)tokens * (wide)pico;
    return true;
}

/* No price says yet what a tool's call costs. */
#define RATE_INPUT(p, fallback) (p)->fallback
#define RATE_OUTPUT(p, fallback) (p)->fallback
#define RATE_COUNTER(p, fallback) 0

static bool cost(const struct price *p, const struct usage *u, bool up, int64_t *nano)
{
    wide sum = 0;
#define LEAF(field, name, side, fallback)                         \
    if (!add_product(&sum, u->field, RATE_##side(p, fallback))) { \
        return false;                                             \
    }
#include "price/leaves.def"
    if (p->margin_num < 0 || p->margin_den <= 0) {
        return false;
    }
    wide scaled;
    if (__builtin_mul_overflow(sum, (wide)p->margin_num, &scaled)) {
        return false;
    }
    wide unit = (wide)p->margin_den * 1000;
    scaled = scaled / unit + (up && scaled % unit != 0);
    if (scaled > (wide)INT64_MAX) {
        return false;
    }
    *nano = (int64_t)scaled;
    assert(*nano >= 0);
    return true;
}

bool price_cost(const struct price *p, const struct usage *u, const struct ratio *ratios, size_t n,
                int64_t *nano)
{
    struct price q = *p;
    for (size_t i = 0; i < n; i++) {
        struct ratio r = {q.margin_num * ratios[i].num, q.margin_den * ratios[i].den};
        if (!ratio_reduce(&r))
            return false;
        q.margin_num = r.num;
        q.margin_den = r.den;
    }
    return cost(&q, u, false, nano);
}

bool price_cost_up(const struct price *p, const struct usage *u, int64_t *nano)
{
    return cost(p, u, true, nano);
}
