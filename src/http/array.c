/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream that is one JSON array, split into its elements. Every byte is looked at once and the
 * state is kept between feeds, so an element that lies whole in what is fed is never copied. Only
 * brackets and quotes are judged; whoever needs the grammar parses the element.
 */
#include "http/http.h"

#define DEPTH_MAX 128 /* as for a whole reply */

enum state { BEFORE, FIRST, INSIDE, AFTER, NEXT, CLOSED };
enum found { NOTHING, ELEMENT, BROKEN };

void array_init(struct array *a)
{
    *a = (struct array){.state = BEFORE};
    buf_init(&a->pending, LIMIT_EVENT_BYTES);
}

void array_release(struct array *a)
{
    buf_release(&a->pending);
}

struct str array_rest(const struct array *a)
{
    return buf_str(&a->pending);
}

bool array_closed(const struct array *a)
{
    return a->state == CLOSED;
}

/* A byte that is no part of an element; false: it may not stand here. */
static bool outside(struct array *a, char c)
{
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
        return true;
    }
    if (a->state == BEFORE && c == '[') {
        a->state = FIRST;
    } else if (a->state == AFTER && c == ',') {
        a->state = NEXT;
    } else if ((a->state == FIRST || a->state == AFTER) && c == ']') {
        a->state = CLOSED;
    } else if ((a->state == FIRST || a->state == NEXT) && c == '{') {
        a->state = INSIDE;
        a->depth = 1;
    } else {
        return false;
    }
    return true;
}

/* A byte of an element. */
static enum found inside(struct array *a, char c)
{
    if (a->escaped) {
        a->escaped = false;
    } else if (a->quoted) {
        a->escaped = c == '\\';
        a->quoted = c != '"';
    } else if (c == '"') {
        a->quoted = true;
    } else if (c == '{' || c == '[') {
        return ++a->depth > DEPTH_MAX ? BROKEN : NOTHING;
    } else if ((c == '}' || c == ']') && --a->depth == 0) {
        a->state = AFTER;
        return ELEMENT;
    }
    return NOTHING;
}

/* Reads up to the end of an element, which *n is then behind. */
static enum found scan(struct array *a, struct str s, size_t *n)
{
    for (size_t i = 0; i < s.n; i++) {
        enum found found = NOTHING;
        if (a->state == INSIDE) {
            found = inside(a, s.p[i]);
        } else if (!outside(a, s.p[i])) {
            found = BROKEN;
        } else {
            a->lead += a->state != INSIDE;
        }
        if (found != NOTHING) {
            *n = i + 1;
            return found;
        }
    }
    return NOTHING;
}

static bool emit(struct array *a, struct str raw, sse_fn *fn, void *ctx)
{
    struct sse_event ev = {.raw = raw, .data = str_skip(raw, a->lead)};

    a->lead = 0;
    return fn(ctx, &ev);
}

bool array_feed(struct array *a, struct str bytes, sse_fn *fn, void *ctx)
{
    while (bytes.n > 0) {
        size_t n = 0;
        enum found found = scan(a, bytes, &n);
        if (found == BROKEN) {
            return false;
        }
        if (found == NOTHING) {
            return buf_add(&a->pending, bytes);
        }
        struct str raw = str_slice(bytes.p, n);
        bytes = str_skip(bytes, n);
        if (a->pending.n > 0) {
            if (!buf_add(&a->pending, raw)) {
                return false;
            }
            bool ok = emit(a, buf_str(&a->pending), fn, ctx);
            buf_clear(&a->pending);
            if (!ok) {
                return false;
            }
        } else if (raw.n > LIMIT_EVENT_BYTES || !emit(a, raw, fn, ctx)) {
            return false;
        }
    }
    return true;
}
