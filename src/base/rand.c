/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rand.h"

uint64_t rand_weak_next(struct rand_weak *r)
{
    uint64_t x = r->state != 0 ? r->state : UINT64_C(0x9e3779b97f4a7c15);

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    r->state = x;
    return x * UINT64_C(0x2545f4914f6cdd1d);
}
