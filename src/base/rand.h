/* SPDX-License-Identifier: Apache-2.0 */
/* Random bytes for secrets and ids (libsodium), and a cheap generator for weights and jitter. */
#ifndef BASE_RAND_H
#define BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

void rand_bytes(void *out, size_t n);

/* xorshift64*: not for secrets. Seed with anything; 0 is replaced. */
struct rand_weak {
    uint64_t state;
};
uint64_t rand_weak_next(struct rand_weak *r);

#endif
