/* SPDX-License-Identifier: Apache-2.0 */
/* The leaves of usage and the service tiers, as tables. */
#include "price/price.h"

const struct leaf leaves[LEAF_COUNT] = {
#define LEAF(field, name, side, fallback) \
    {name, SIDE_##side, LEAF_##fallback, offsetof(struct usage, field)},
#include "price/leaves.def"
};

static const char *const tiers[TIER_COUNT] = {
    "",
#define TIER(NAME, name) name,
#include "price/leaves.def"
};

uint64_t leaf_get(const struct usage *u, const struct leaf *l)
{
    uint64_t n;
    memcpy(&n, (const char *)u + l->offset, sizeof(n));
    return n;
}

void leaf_set(struct usage *u, const struct leaf *l, uint64_t n)
{
    memcpy((char *)u + l->offset, &n, sizeof(n));
}

static uint64_t sum(const struct usage *u, enum side side)
{
    uint64_t total = 0;
    for (size_t i = 0; i < LEAF_COUNT; i++) {
        total += leaves[i].side == side ? leaf_get(u, &leaves[i]) : 0;
    }
    return total;
}

uint64_t usage_input(const struct usage *u)
{
    return sum(u, SIDE_INPUT);
}

uint64_t usage_output(const struct usage *u)
{
    return sum(u, SIDE_OUTPUT);
}

const char *tier_name(enum tier t)
{
    return t < TIER_COUNT ? tiers[t] : "";
}

bool tier_find(struct str name, enum tier *out)
{
    for (enum tier t = TIER_NONE; t < TIER_COUNT; t++) {
        if (str_eq(name, str_from(tiers[t]))) {
            *out = t;
            return true;
        }
    }
    return false;
}

void price_rate_name(enum leaf_number leaf, struct buf *out)
{
    static const struct {
        struct str leaf, rate;
    } sides[] = {{STR_INIT("in"), STR_INIT("input")}, {STR_INIT("out"), STR_INIT("output")}};
    struct str name = str_from(leaves[leaf].name);

    for (size_t i = 0; i < sizeof(sides) / sizeof(sides[0]); i++) {
        struct str rest = name;
        if (str_eq(str_cut(&rest, '_'), sides[i].leaf)) {
            buf_add(out, sides[i].rate);
            name = str_skip(name, sides[i].leaf.n);
        }
    }
    buf_add(out, name);
}

bool ratio_parse(struct str decimal, struct ratio *out)
{
    int64_t num, a, b = INT64_C(1000000);

    if (!decimal_parse(decimal, 6, &num) || num < 1 || num > RATIO_MAX) {
        return false;
    }
    for (a = num; b != 0;) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    *out = (struct ratio){num / a, INT64_C(1000000) / a};
    return true;
}
