/* SPDX-License-Identifier: Apache-2.0 */
/* xoshiro256** of Blackman and Vigna: integers alone, so every machine draws the same. */
#include "assay/stat.h"

static uint64_t rotate(uint64_t v, unsigned by)
{
    return v << by | v >> (64 - by);
}

void stat_seed(struct stat_random *r, uint64_t seed)
{
    for (size_t i = 0; i < 4; i++) {
        seed += UINT64_C(0x9e3779b97f4a7c15);
        uint64_t v = seed;
        v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
        r->s[i] = v ^ v >> 31;
    }
}

uint64_t stat_next(struct stat_random *r)
{
    uint64_t *s = r->s;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

/* Lemire: the high half of a product; the few low halves that would favour some are drawn again. */
uint32_t stat_below(struct stat_random *r, uint32_t n)
{
    uint64_t product = (stat_next(r) >> 32) * n;

    if ((uint32_t)product < n) {
        uint32_t least = (0 - n) % n;
        while ((uint32_t)product < least) {
            product = (stat_next(r) >> 32) * n;
        }
    }
    return (uint32_t)(product >> 32);
}

double stat_unit(struct stat_random *r)
{
    return (double)(stat_next(r) >> 11) * 0x1p-53;
}
