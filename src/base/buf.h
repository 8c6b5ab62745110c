/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A byte buffer that grows up to a maximum named at init and never beyond.
 * Owned by whoever initialised it, one thread. A failed add sets `overflow` and changes
 * nothing; callers may add many pieces and test the flag once. Memory comes from malloc; what was
 * added is wiped when it goes, since buffers hold bodies and keys. Whoever writes into reserved
 * room and does not add it wipes it himself.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/str.h"

struct buf {
    char *p;
    size_t n;
    size_t cap;
    size_t max;
    bool overflow;
};

void buf_init(struct buf *b, size_t max);
void buf_release(struct buf *b);
/* Empties it, keeps the memory (wiped). */
void buf_clear(struct buf *b);

/* Room for n more bytes at b->p + b->n, or NULL (over max, sets overflow). Add to b->n oneself. */
char *buf_reserve(struct buf *b, size_t n);
bool buf_add(struct buf *b, struct str s);
bool buf_add_byte(struct buf *b, char c);
/* Several slices one behind the other, all or nothing: buf_cat(b, STR("id: "), id, STR("\r\n")). */
#define buf_cat(b, ...)                             \
    buf_cat_n(b, (const struct str[]){__VA_ARGS__}, \
              sizeof((const struct str[]){__VA_ARGS__}) / sizeof(struct str))
bool buf_cat_n(struct buf *b, const struct str *parts, size_t count);
bool buf_add_u64(struct buf *b, uint64_t v);
bool buf_add_i64(struct buf *b, int64_t v);
bool buf_add_hex(struct buf *b, uint64_t v); /* lower case, no leading zeros */
bool buf_addf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Drops the first n bytes. */
void buf_consume(struct buf *b, size_t n);

static inline struct str buf_str(const struct buf *b)
{
    return (struct str){b->p, b->n};
}

#endif
