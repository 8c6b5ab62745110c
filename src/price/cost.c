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
    /* At most six products of less than 10^9 x 2^63: far from 2^128. */
    *sum += (wide)tokens * (wide)pico;
    return true;
}

static bool cost(const struct price *p, const struct usage *u, bool up, int64_t *nano)
{
    wide sum = 0;
    if (!add_product(&sum, u->in, p->in) || !add_product(&sum, u->cache_read, p->cache_read) ||
        !add_product(&sum, u->cache_write_5m, p->cache_write_5m) ||
        !add_product(&sum, u->cache_write_1h, p->cache_write_1h) ||
        !add_product(&sum, u->out, p->out) || !add_product(&sum, u->reasoning, p->out)) {
        return false;
    }
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
