/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST 256

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_release(struct buf *b)
{
    if (b->p != NULL) {
        explicit_bzero(b->p, b->n);
        free(b->p);
    }
    *b = (struct buf){.max = b->max};
}

void buf_clear(struct buf *b)
{
    if (b->p != NULL) {
        explicit_bzero(b->p, b->n);
    }
    b->n = 0;
    b->overflow = false;
}

/* Not realloc: the old bytes have to be wiped where they lay. */
static bool grow(struct buf *b, size_t need)
{
    size_t cap = b->cap < FIRST ? FIRST : b->cap;

    while (cap < need) {
        cap *= 2;
    }
    cap = cap > b->max ? b->max : cap;
    char *p = malloc(cap + 1); /* one more, for the NUL of vsnprintf */
    if (p == NULL) {
        return false;
    }
    if (b->p != NULL) {
        memcpy(p, b->p, b->n);
        explicit_bzero(b->p, b->n);
        free(b->p);
    }
    b->p = p;
    b->cap = cap;
    return true;
}

char *buf_reserve(struct buf *b, size_t n)
{
    if (n > b->max || b->n > b->max - n || (b->n + n > b->cap && !grow(b, b->n + n)) ||
        b->p == NULL) {
        if (n == 0 && b->n == 0) {
            return grow(b, 1) ? b->p : NULL;
        }
        b->overflow = true;
        return NULL;
    }
    return b->p + b->n;
}

bool buf_add(struct buf *b, struct str s)
{
    if (s.n == 0) {
        return true;
    }
    char *to = buf_reserve(b, s.n);
    if (to == NULL) {
        return false;
    }
    memcpy(to, s.p, s.n);
    b->n += s.n;
    return true;
}

bool buf_cat_n(struct buf *b, const struct str *parts, size_t count)
{
    size_t all = 0;

    for (size_t i = 0; i < count; i++) {
        all += parts[i].n;
    }
    char *to = all > 0 ? buf_reserve(b, all) : NULL;
    if (to == NULL) {
        return all == 0;
    }
    for (size_t i = 0; i < count; i++) {
        if (parts[i].n > 0) {
            memcpy(to, parts[i].p, parts[i].n);
            to += parts[i].n;
        }
    }
    b->n += all;
    return true;
}

bool buf_add_byte(struct buf *b, char c)
{
    return buf_add(b, str_slice(&c, 1));
}

/* Sign and digits in one piece, so that a number that does not fit leaves nothing behind. */
static bool add_number(struct buf *b, bool negative, uint64_t v)
{
    char text[21];
    size_t at = sizeof(text);

    do {
        text[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    if (negative) {
        text[--at] = '-';
    }
    return buf_add(b, str_slice(text + at, sizeof(text) - at));
}

bool buf_add_u64(struct buf *b, uint64_t v)
{
    return add_number(b, false, v);
}

bool buf_add_i64(struct buf *b, int64_t v)
{
    return add_number(b, v < 0, v < 0 ? (uint64_t)0 - (uint64_t)v : (uint64_t)v);
}

bool buf_add_hex(struct buf *b, uint64_t v)
{
    char text[16];
    size_t at = sizeof(text);

    do {
        text[--at] = "0123456789abcdef"[v & 15];
        v >>= 4;
    } while (v > 0);
    return buf_add(b, str_slice(text + at, sizeof(text) - at));
}

bool buf_addf(struct buf *b, const char *format, ...)
{
    va_list args;
    size_t room = b->p != NULL ? b->cap - b->n + 1 : 0;

    va_start(args, format);
    int n = vsnprintf(room > 0 ? b->p + b->n : NULL, room, format, args);
    va_end(args);
    if (n >= 0 && (size_t)n < room) {
        b->n += (size_t)n;
        return true;
    }
    if (room > 0) {
        explicit_bzero(b->p + b->n, room);
    }
    char *to = n >= 0 ? buf_reserve(b, (size_t)n) : NULL;
    if (to == NULL) {
        b->overflow = true;
        return false;
    }
    va_start(args, format);
    (void)vsnprintf(to, (size_t)n + 1, format, args);
    va_end(args);
    b->n += (size_t)n;
    return true;
}

void buf_consume(struct buf *b, size_t n)
{
    if (n == 0) {
        return;
    }
    memmove(b->p, b->p + n, b->n - n);
    explicit_bzero(b->p + (b->n - n), n);
    b->n -= n;
}
