/* SPDX-License-Identifier: Apache-2.0 */
/* When the pieces of streams came: a line of time a stream, a tick a piece. */
#include "assay/page.h"

#define WIDTH 320
#define HEIGHT 46
#define SHOWN 8

static bool is_story(const struct record *r)
{
    return r->answered && !r->reference && json_count(r->arrivals) > 0 &&
           str_eq(r->probe, STR("stream")) && str_eq(r->cell, STR("story"));
}

static uint64_t longest(const struct evidence *e)
{
    uint64_t most = 1, at = 0;

    for (size_t i = 0; i < e->count; i++) {
        struct json_each it = json_each(is_story(&e->records[i]) ? e->records[i].arrivals : NULL);
        while (json_next(&it)) {
            most = json_u64(json_get(it.value, "0"), &at) && at > most ? at : most;
        }
    }
    return most;
}

/* Pieces that would stand on the same pixel are one tick. */
static void put_ticks(struct page *p, const struct record *r, uint64_t most, uint64_t *first,
                      uint64_t *last)
{
    bool drawn[WIDTH + 1] = {false};
    struct json_each it = json_each(r->arrivals);

    *first = most;
    *last = 0;
    for (uint64_t at = 0; json_next(&it);) {
        if (!json_u64(json_get(it.value, "0"), &at)) {
            continue;
        }
        *first = at < *first ? at : *first;
        *last = at > *last ? at : *last;
        unsigned x = (unsigned)((double)at / (double)most * (WIDTH - 2));
        if (!drawn[x]) {
            buf_addf(p->out, "<rect class=\"h\" x=\"%u\" y=\"4\" width=\"1\" height=\"20\"/>", x);
            drawn[x] = true;
        }
    }
}

static void put_stream(struct page *p, const struct record *r, uint64_t most)
{
    uint64_t first, last;

    page_svg_open(p, WIDTH, HEIGHT);
    buf_addf(p->out, "<path class=\"ax\" d=\"M0 26H%d\"/>", WIDTH);
    put_ticks(p, r, most, &first, &last);
    page_raw(p, "<text class=\"q\" x=\"0\" y=\"40\">");
    page_sayf(p, "first after %.2f s, last after %.2f s, %zu arrivals", (double)first * 1e-6,
              (double)last * 1e-6, json_count(r->arrivals));
    page_raw(p, "</text></svg>\n");
}

void figure_stream(struct page *p)
{
    unsigned n = 0;

    for (size_t i = 0; i < p->e->count && n < SHOWN; i++) {
        if (!is_story(&p->e->records[i])) {
            continue;
        }
        if (n++ == 0) {
            page_figure_open(p, "Streams over time",
                             "A tick is an arrival; all begin at the request and have the same "
                             "scale. Made as it is sent: ticks along the line. Collected before it "
                             "is sent: a gap, and all at once.");
        }
        put_stream(p, &p->e->records[i], longest(p->e));
    }
    if (n > 0) {
        page_figure_close(p);
    }
}
