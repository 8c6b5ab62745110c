/* SPDX-License-Identifier: Apache-2.0 */
/* The script of an answer: its events, one behind the other, and the rhythm they go out in. */
#include <stdlib.h>

#include "sim/zoo.h"

#define SLICE_BYTES 24 /* of a stream that is none */

struct buf *event_open(struct exchange *x, const char *name)
{
    struct buf *b = &x->script->bytes;

    if (x->asked.framing == FRAMING_SSE) {
        if (name != NULL) {
            buf_addf(b, "event: %s\n", name);
        }
        buf_add(b, STR("data: "));
    } else if (x->asked.framing == FRAMING_ARRAY) {
        buf_add(b, b->n == 0 ? STR("[") : STR(",\r\n"));
    }
    return b;
}

/* How long after the one before this event is made. */
static uint64_t made_after(struct exchange *x, bool timed)
{
    bool first = x->events == 0;
    uint64_t whole = x->first_ms + x->each_ms * x->made;
    bool steady = (x->o->given & SIM_GIVEN_DELAY) != 0 || x->each_ms == 0;

    if (x->asked.framing == FRAMING_WHOLE || x->at_once) {
        return first ? whole : 0;
    }
    if (first || !timed) {
        return first ? x->first_ms : 0;
    }
    return steady ? x->each_ms : rand_weak_next(zoo_rand(x->zoo)) % (2 * x->each_ms + 1);
}

static void add_piece(struct script *s, uint64_t wait_ms)
{
    if (s->count == s->cap) {
        s->cap = s->cap > 0 ? 2 * s->cap : 64;
        s->pieces = realloc(s->pieces, s->cap * sizeof(*s->pieces));
        if (s->pieces == NULL) {
            abort();
        }
    }
    s->pieces[s->count++] =
        (struct piece){s->bytes.n, wait_ms < 600000 ? (uint32_t)wait_ms : 600000};
}

void event_close(struct exchange *x, bool timed)
{
    struct script *s = x->script;
    uint64_t wait = made_after(x, timed);

    if (x->asked.framing == FRAMING_SSE) {
        buf_add(&s->bytes,
                x->asked.endpoint->dialect == DIALECT_GEMINI ? STR("\r\n\r\n") : STR("\n\n"));
    }
    x->events++;
    x->waiting_ms += wait;
    /* Held back on the way: the waits of several are one, and they come together. */
    if (x->burst == 0 || x->events % x->burst == 0) {
        add_piece(s, x->waiting_ms);
        x->waiting_ms = 0;
    }
}

void script_end(struct exchange *x)
{
    struct script *s = x->script;

    if (s->count == 0 || x->waiting_ms > 0) {
        add_piece(s, x->waiting_ms);
    }
    s->pieces[s->count - 1].end = s->bytes.n;
}

struct str event_slice(struct exchange *x, struct str *rest)
{
    struct str s = *rest;
    unsigned tokens;

    if (!x->at_once) {
        return tokens_piece(rest, (enum family)x->served->family, &tokens);
    }
    size_t n = s.n < SLICE_BYTES ? s.n : SLICE_BYTES;
    while (n < s.n && ((unsigned char)s.p[n] & 0xC0) == 0x80) {
        n++;
    }
    *rest = str_skip(s, n);
    return str_slice(s.p, n);
}

void script_free(struct script *s)
{
    if (s != NULL) {
        buf_release(&s->head);
        buf_release(&s->bytes);
        free(s->pieces);
        free(s);
    }
}
