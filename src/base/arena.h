/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of one request: allocations that all end together. One owner, one thread.
 * arena_alloc returns NULL above the cap and sets `overflow`; memory is zeroed.
 * arena_release wipes and frees everything; the arena may be used again afterwards.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

struct arena_block;

struct arena {
    struct arena_block *head;
    size_t used;
    size_t max;
    bool overflow;
};

void arena_init(struct arena *a, size_t max);
void arena_release(struct arena *a);
void *arena_alloc(struct arena *a, size_t n);
/* A copy with a NUL after it; {NULL, 0} on overflow. */
struct str arena_str(struct arena *a, struct str s);

#endif
