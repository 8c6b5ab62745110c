/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdlib.h>

#define FIRST 512 /* an arena of which little is asked holds little */
#define BLOCK 4096

struct arena_block {
    struct arena_block *next;
    size_t size, used;
    _Alignas(16) char bytes[];
};

void arena_init(struct arena *a, size_t max)
{
    *a = (struct arena){.max = max};
}

void arena_release(struct arena *a)
{
    while (a->head != NULL) {
        struct arena_block *next = a->head->next;
        explicit_bzero(a->head->bytes, a->head->used);
        free(a->head);
        a->head = next;
    }
    arena_init(a, a->max);
}

void *arena_alloc(struct arena *a, size_t n)
{
    size_t size = (n + 15) & ~(size_t)15;

    if (n > a->max || size > a->max || a->used > a->max - size) {
        a->overflow = true;
        return NULL;
    }
    if (a->head == NULL || a->head->size - a->head->used < size) {
        size_t room = a->used < BLOCK - FIRST ? a->used + FIRST : BLOCK;
        room = size > room ? size : room;
        struct arena_block *block = calloc(1, sizeof(*block) + room);
        if (block == NULL) {
            a->overflow = true;
            return NULL;
        }
        block->size = room;
        block->next = a->head;
        a->head = block;
    }
    void *p = a->head->bytes + a->head->used;
    a->head->used += size;
    a->used += size;
    return p;
}

struct str arena_str(struct arena *a, struct str s)
{
    char *p = arena_alloc(a, s.n + 1);

    if (p == NULL) {
        return (struct str){NULL, 0};
    }
    if (s.n > 0) {
        memcpy(p, s.p, s.n);
    }
    return (struct str){p, s.n};
}
