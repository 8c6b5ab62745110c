/* SPDX-License-Identifier: Apache-2.0 */
#include "assay/common.h"

#define LEAST_ANSWERS 10
#define LEAST_BYTES 6 /* a mark or a blank at the end is no note */

static struct str without_thoughts(struct str s)
{
    static const struct str open = STR_INIT("<think>"), close = STR_INIT("</think>");
    size_t at = str_starts(s, open) ? str_find(s, close) : SIZE_MAX;

    return at == SIZE_MAX ? s : str_trim(str_skip(s, at + close.n));
}

static size_t same_head(struct str a, struct str b, size_t most)
{
    size_t n = 0;

    while (n < most && n < a.n && n < b.n && a.p[n] == b.p[n]) {
        n++;
    }
    return n;
}

static size_t same_tail(struct str a, struct str b, size_t most)
{
    size_t n = 0;

    while (n < most && n < a.n && n < b.n && a.p[a.n - 1 - n] == b.p[b.n - 1 - n]) {
        n++;
    }
    return n;
}

void common_find(const struct evidence *e, bool reference, struct common *out)
{
    struct str first = STR("");
    size_t shortest = SIZE_MAX;

    *out = (struct common){0};
    for (size_t i = 0; i < e->count; i++) {
        const struct record *r = &e->records[i];
        struct str said = str_trim(buf_str(&r->said.text));
        if (!r->answered || r->reference != reference || r->said.call_count > 0 || said.n == 0) {
            continue;
        }
        said = without_thoughts(said);
        if (out->answers++ == 0) {
            first = said;
            out->head = out->tail = said.n;
        }
        out->head = same_head(first, said, out->head);
        out->tail = same_tail(first, said, out->tail);
        shortest = said.n < shortest ? said.n : shortest;
    }
    /* One text for everything is no note around others. */
    size_t both = out->head + out->tail;
    if (out->answers < LEAST_ANSWERS || both >= shortest || both < LEAST_BYTES) {
        out->head = out->tail = 0;
    }
}

struct str common_strip(const struct common *c, struct str said)
{
    struct str s = without_thoughts(str_trim(said));

    return c->head + c->tail < s.n ? str_trim(str_slice(s.p + c->head, s.n - c->head - c->tail))
                                   : s;
}
