/* SPDX-License-Identifier: Apache-2.0 */
/* The leaves of usage and the service tiers, as tables. */
#include "price/price.h"

const struct leaf leaves[] = {
#define LEAF(field, name, side, fallback) {name, SIDE_##side, offsetof(struct usage, field)},
#include "price/leaves.def"
};
const size_t leaf_count = sizeof(leaves) / sizeof(leaves[0]);

static const char *const tiers[TIER_COUNT] = {
    [TIER_NONE] = "",
#define TIER(NAME, name) [TIER_##NAME] = name,
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
    for (size_t i = 0; i < leaf_count; i++) {
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
    for (unsigned i = 0; i < TIER_COUNT; i++) {
        if (str_eq(name, str_from(tiers[i]))) {
            *out = (enum tier)i;
            return true;
        }
    }
    return false;
}
