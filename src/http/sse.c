/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events of a stream. An event that lies whole in what is fed is never copied. A CR waits for the
 * byte after it, which may be the LF of the same line end: so an event's bytes never depend on the
 * split.
 */
#include "http/http.h"

#define SSE_SLICE (64 * 1024)
#define SSE_WINDOW \
    256 /* bounds the look for LF ahead of a CR, or lines ended by CR would be quadratic */

void sse_init(struct sse *s)
{
    *s = (struct sse){0};
    buf_init(&s->pending, LIMIT_EVENT_BYTES + SSE_SLICE);
    buf_init(&s->joined, LIMIT_EVENT_BYTES);
}

void sse_release(struct sse *s)
{
    buf_release(&s->pending);
    buf_release(&s->joined);
}

struct str sse_rest(const struct sse *s)
{
    return buf_str(&s->pending);
}

/* Position of the first CR or LF at or after from, or s.n. */
static size_t find_line_end(struct str s, size_t from)
{
    while (from < s.n) {
        size_t n = s.n - from < SSE_WINDOW ? s.n - from : SSE_WINDOW;
        const char *lf = memchr(s.p + from, '\n', n);
        if (lf != NULL) {
            n = (size_t)(lf - (s.p + from));
        }
        const char *cr = memchr(s.p + from, '\r', n);
        if (cr != NULL || lf != NULL) {
            return (size_t)((cr != NULL ? cr : lf) - s.p);
        }
        from += n;
    }
    return s.n;
}

static size_t bom(const struct sse *s, struct str raw)
{
    return !s->started && str_starts(raw, STR("\xEF\xBB\xBF")) ? 3 : 0;
}

/* Length of the first event with its blank line; 0 when it is not complete. Goes on at s->scanned.
 */
static size_t find_event_end(struct sse *s, struct str text)
{
    size_t lead = bom(s, text);
    for (;;) {
        size_t at = find_line_end(text, s->scanned);
        s->scanned = at;
        if (at == text.n || (text.p[at] == '\r' && at + 1 == text.n)) {
            return 0;
        }
        size_t next = at + (text.p[at] == '\r' && text.p[at + 1] == '\n' ? 2 : 1);
        if (at == lead || text.p[at - 1] == '\n' || text.p[at - 1] == '\r') {
            return next;
        }
        s->scanned = next;
    }
}

static bool add_data(struct sse *s, struct sse_event *ev, struct str value)
{
    if (ev->data.p == NULL) {
        ev->data = value;
        return true;
    }
    if (s->joined.n == 0 && !buf_add(&s->joined, ev->data)) {
        return false;
    }
    if (!buf_add_byte(&s->joined, '\n') || !buf_add(&s->joined, value)) {
        return false;
    }
    ev->data = buf_str(&s->joined);
    return true;
}

static bool emit(struct sse *s, struct str raw, sse_fn *fn, void *ctx)
{
    struct sse_event ev = {.raw = raw};
    struct str rest = str_skip(raw, bom(s, raw));
    s->started = true;
    s->scanned = 0;
    buf_clear(&s->joined);
    while (rest.n > 0) {
        size_t n = find_line_end(rest, 0);
        struct str value = str_slice(rest.p, n);
        rest = str_skip(rest, n < rest.n ? n + 1 : n);
        size_t colon = str_find_byte(value, ':');
        struct str name = str_slice(value.p, colon);
        value = str_skip(value, colon < value.n ? colon + 1 : colon);
        if (value.n > 0 && value.p[0] == ' ') {
            value = str_skip(value, 1);
        }
        if (str_eq(name, STR("event"))) {
            ev.name = value;
        } else if (str_eq(name, STR("data")) && !add_data(s, &ev, value)) {
            return false;
        }
    }
    return fn(ctx, &ev);
}

/* Adds to the event that waits; true with *bytes moved behind what was used. */
static bool feed_pending(struct sse *s, struct str *bytes, sse_fn *fn, void *ctx)
{
    size_t n = bytes->n < SSE_SLICE ? bytes->n : SSE_SLICE;
    if (!buf_add(&s->pending, str_slice(bytes->p, n))) {
        return false;
    }
    size_t end = find_event_end(s, buf_str(&s->pending));
    if ((end == 0 ? s->pending.n : end) > LIMIT_EVENT_BYTES) {
        return false;
    }
    if (end == 0) {
        *bytes = str_skip(*bytes, n);
        return true;
    }
    *bytes = str_skip(*bytes, n - (s->pending.n - end));
    bool ok = emit(s, str_slice(s->pending.p, end), fn, ctx);
    buf_clear(&s->pending);
    return ok;
}

bool sse_feed(struct sse *s, struct str bytes, sse_fn *fn, void *ctx)
{
    while (bytes.n > 0) {
        if (s->pending.n > 0) {
            if (!feed_pending(s, &bytes, fn, ctx)) {
                return false;
            }
            continue;
        }
        size_t end = find_event_end(s, bytes);
        if ((end == 0 ? bytes.n : end) > LIMIT_EVENT_BYTES) {
            return false;
        }
        if (end == 0) {
            return buf_add(&s->pending, bytes);
        }
        if (!emit(s, str_slice(bytes.p, end), fn, ctx)) {
            return false;
        }
        bytes = str_skip(bytes, end);
    }
    return true;
}
