/* SPDX-License-Identifier: Apache-2.0 */
/* A cheap generator for weights. Secrets and ids come from libsodium where they are made. */
#ifndef BASE_RAND_H
#define BASE_RAND_H

#include <stdint.h>

/* xorshift64*: not for secrets. Seed with anything; 0 is replaced. */
struct rand_weak {
    uint64_t state;
};
uint64_t rand_weak_next(struct rand_weak *r);

#endif
